//! A headless coding agent, played by a script: what it is given, what is made of its events, and how it goes on after a kill.

mod common;
mod worktree;

use std::fs;

use common::{PATIENCE, Team, marked, role, until};
use director_agents::agent::{Agent, Inbound, Turn};
use director_agents::coding::Headless;
use director_agents::context::{Context, Note};
use director_protocols::command::Command;
use director_protocols::ids::{Attempt, TaskId};
use director_protocols::severity::Severity;
use director_protocols::sprint::{AgentSpec, RoleSpec};
use director_protocols::work::{Assignment, AttemptEnd, Judged};
use tempfile::TempDir;
use tokio::time::timeout;
use worktree::assignment;

fn played(mode: &str) -> RoleSpec {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/coding-agent.sh"
    );
    let program = ["sh", script, mode].map(str::to_owned).to_vec();
    role(AgentSpec {
        program: Some(program),
        ..AgentSpec::of_kind("claude")
    })
}

async fn attempt(mode: &str, change: impl FnOnce(&mut Assignment)) -> (TempDir, Turn, Context) {
    let (dir, mut assignment) = assignment();
    change(&mut assignment);
    let role = played(mode);
    let mut agent = Headless::claude(&role, &role.agent).unwrap();
    let mut cx = Context::for_tests_in(&assignment, dir.path());
    let turn = agent.turn(Inbound::Assigned(assignment.into()), &mut cx);
    let turn = timeout(PATIENCE, turn).await.expect("it hangs").unwrap();
    (dir, turn, cx)
}

fn in_worktree(dir: &TempDir, name: &str) -> String {
    fs::read_to_string(dir.path().join("worktree").join(name)).unwrap()
}

#[tokio::test]
async fn the_prompt_comes_on_standard_input_and_a_session_is_gone_on_with() {
    let (dir, turn, cx) =
        attempt("work", |assignment| assignment.session = Some("s-7".into())).await;
    let Turn::Done(report) = turn else {
        panic!("{turn:?}")
    };
    assert_eq!(
        (report.summary.as_str(), report.cost_micros),
        ("Wrote a line.", 250_000)
    );
    assert_eq!(
        in_worktree(&dir, "runs"),
        "work -p --output-format stream-json --verbose --resume s-7\n"
    );
    assert!(in_worktree(&dir, "prompt.txt").starts_with("Go on with task sample (attempt 1)."));
    let notes = cx.notes();
    assert!(
        notes.contains(&Note::Session {
            session: "s-7".into()
        }),
        "{notes:?}"
    );
    assert!(
        notes.contains(&Note::Progress {
            percent: 1,
            text: "uses Edit".into()
        }),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_session_that_is_not_known_any_more_is_begun_afresh() {
    let (dir, turn, _) = attempt("forgetful", |assignment| {
        assignment.session = Some("s-1".into())
    })
    .await;
    let Turn::Done(report) = turn else {
        panic!("{turn:?}")
    };
    assert_eq!(
        (report.summary.as_str(), report.cost_micros),
        ("Began afresh.", 500_000)
    );
    assert_eq!(in_worktree(&dir, "runs").lines().count(), 2);
    let prompt = in_worktree(&dir, "prompt.txt");
    assert!(
        prompt.starts_with("You are an engineer.\n\n# Task sample: A sample\n\nWrite a line.\n"),
        "{prompt}"
    );
}

#[tokio::test]
async fn one_that_has_spent_what_it_may_has_reached_its_budget_and_goes_on_in_its_session() {
    let (dir, mut assignment) = assignment();
    assignment.cost_max = Some(1_000_000);
    let role = played("costly");
    let mut agent = Headless::claude(&role, &role.agent).unwrap();
    let mut cx = Context::for_tests_in(&assignment, dir.path());
    let turn = agent.turn(Inbound::Assigned(assignment.clone().into()), &mut cx);
    let turn = timeout(PATIENCE, turn).await.expect("it hangs").unwrap();
    assert_eq!(turn, Turn::BudgetReached);
    let cost_micros = 1_000_400;
    assert_eq!(cx.notes().last(), Some(&Note::Spent { cost_micros }));

    // What the second process says it cost is all its own, though it is more than the first one's.
    assignment.session = Some("s-11".into());
    let mut cx = Context::for_tests_in(&assignment, dir.path());
    let turn = agent.turn(Inbound::Assigned(assignment.into()), &mut cx);
    let turn = timeout(PATIENCE, turn).await.expect("it hangs").unwrap();
    let Turn::Done(report) = turn else {
        panic!("{turn:?}")
    };
    assert_eq!(
        (report.summary.as_str(), report.cost_micros),
        ("Went on.", 1_500_000)
    );
    let runs = in_worktree(&dir, "runs");
    let flags = "costly -p --output-format stream-json --verbose --max-budget-usd 1.000000";
    assert_eq!(runs, format!("{flags}\n{flags} --resume s-11\n"));
}

#[tokio::test]
async fn last_words_are_no_verdict_and_a_report_that_is_cut_off_is_no_end() {
    for (judges, report, expected) in [
        (true, "", Err("it wrote no report")),
        (true, r#"{"summary": "bad"}"#, Err("it has no `findings`")),
        (true, r#"{"findings": ["a:1 wro"#, Err("it is no JSON")),
        (true, r#"{"findings": []}"#, Ok(0)),
        (true, r#"{"findings": ["a:1 wrong"]}"#, Ok(1)),
        (false, r#"{"blocker": {"text": "no k"#, Err("it is no JSON")),
        (false, "", Ok(0)),
    ] {
        let mode = format!("says:{report}");
        let judged = judges.then(Judged::default);
        let (_dir, turn, _) = attempt(&mode, |assignment| assignment.judges = judged).await;
        let found = match &turn {
            Turn::Done(report) => Ok(report.findings.len()),
            Turn::Failed { reason, .. } => Err(reason.as_str()),
            other => panic!("{other:?}"),
        };
        match (found, expected) {
            (Err(reason), Err(words)) => assert!(reason.contains(words), "{report}: {reason}"),
            (found, expected) => assert_eq!(found, expected, "{report}"),
        }
    }
}

#[tokio::test]
async fn an_end_without_a_result_and_a_named_blocker_are_not_success() {
    let (_dir, turn, _) = attempt("blocked", |_| {}).await;
    let Turn::Blocked(blocker) = turn else {
        panic!("{turn:?}")
    };
    assert_eq!(
        (blocker.severity, blocker.text.as_str()),
        (Severity::High, "two specs disagree")
    );
    for (mode, expected) in [
        (
            "interrupted",
            "the agent ended without a result, as it does when it is interrupted",
        ),
        (
            "broken",
            "the agent ended with exit code 2 and without a result; its error output ends with:\ncannot find module",
        ),
    ] {
        let (_dir, turn, _) = attempt(mode, |_| {}).await;
        let Turn::Failed { reason, .. } = turn else {
            panic!("case: {mode}: {turn:?}")
        };
        assert_eq!(reason, expected, "case: {mode}");
    }
}

#[tokio::test]
async fn after_a_kill_the_same_session_goes_on_and_costs_are_counted_once() {
    let (dir, mut assignment) = assignment();
    let mut team = Team::start(played("work"), dir.path());
    team.assign(&assignment, 1);
    let session = team
        .hears(|command| match command {
            Command::Session { session, .. } => Some(session),
            _ => None,
        })
        .await;
    assert_eq!(session, "s-7");
    assert!(!marked(&team.mark).is_empty());
    // The first line may still be on its way to the file when the session is heard.
    let work = dir.path().join("worktree/work.txt");
    until("a line is written", || work.exists()).await;

    team.kill().await;
    let in_hand = team
        .hears(|command| match command {
            Command::AgentDown { in_hand, .. } => Some(in_hand),
            _ => None,
        })
        .await;
    assert_eq!(in_hand, Some((TaskId(0), Attempt(1))));

    let mut costs = Vec::new();
    assignment.session = Some(session);
    for attempt in [2, 3] {
        team.assign(&assignment, attempt);
        let cost = team.hears(|command| match command {
            Command::Ended {
                end: AttemptEnd::Done(report),
                ..
            } => Some(report.cost_micros),
            Command::Ended { end, .. } => panic!("{end:?}"),
            _ => None,
        });
        costs.push(cost.await);
    }
    // The killed run never said what it cost, so the second attempt is charged with both.
    assert_eq!(costs, [500_000, 250_000]);
    // A kill is sent and not waited for when a run is dropped, so the last of it may take a moment.
    until("nothing of the killed run is left", || {
        marked(&team.mark).is_empty()
    })
    .await;
    team.stop().await;
}
