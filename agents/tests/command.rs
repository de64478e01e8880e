//! Command agents with real processes: what a task's author writes, and what the director is told.

mod common;

use std::fs;
use std::time::Duration;

use common::{Team, marked, role, until};
use director_agents::agent::{Agent, Inbound, Turn};
use director_agents::command::CommandAgent;
use director_agents::context::{Context, Note};
use director_protocols::command::Command;
use director_protocols::ids::{Attempt, TaskId};
use director_protocols::severity::Severity;
use director_protocols::sprint::{AgentSpec, RunSpec};
use director_protocols::time::Span;
use director_protocols::work::{Assignment, AttemptEnd, BlockerReport, Report};
use tempfile::TempDir;
use tokio::time::timeout;

/// A task that runs `run`, in a data directory of its own.
fn task(run: RunSpec) -> (TempDir, Assignment, Context) {
    let dir = tempfile::tempdir().unwrap();
    let mut assignment = Context::assignment_for_tests("Do it.");
    assignment.spec.run = Some(run);
    let cx = Context::for_tests_in(&assignment, dir.path());
    (dir, assignment, cx)
}

fn shell(line: &str) -> RunSpec {
    RunSpec::Shell(line.to_owned())
}

async fn take(agent: &mut CommandAgent, assignment: Assignment, cx: &Context) -> Turn {
    let mut cx = cx.clone();
    let turn = agent.turn(Inbound::Assigned(assignment.into()), &mut cx);
    timeout(Duration::from_secs(60), async { turn.await.unwrap() })
        .await
        .expect("it hangs")
}

async fn run(run: RunSpec) -> Turn {
    let (_dir, assignment, cx) = task(run);
    take(
        &mut CommandAgent::new(&AgentSpec::of_kind("command")),
        assignment,
        &cx,
    )
    .await
}

fn reason(turn: Turn) -> (String, Option<i32>) {
    match turn {
        Turn::Failed { reason, exit_code } => (reason, exit_code),
        other => panic!("not a failure: {other:?}"),
    }
}

#[tokio::test]
async fn a_command_knows_its_task_and_reports_what_it_made() {
    let script = r#"
        echo "$DIRECTOR_SPRINT/$DIRECTOR_TASK/$DIRECTOR_ATTEMPT by $DIRECTOR_AGENT ($DIRECTOR_ROLE)" > who.txt
        grep -q '"title": "A sample"' "$DIRECTOR_HANDOFF" || exit 9
        grep -q '^# A sample$' "$DIRECTOR_ASSIGNMENT" && grep -q '^Expected Completion: within' "$DIRECTOR_ASSIGNMENT" || exit 10
        echo "to the log"
        printf '{"summary":"made it","artifacts":["who.txt"],"hours_spent":0.5,"progress":"lots"}' > "$DIRECTOR_REPORT"
    "#;
    let (_dir, assignment, cx) = task(shell(script));
    let turn = take(
        &mut CommandAgent::new(&AgentSpec::of_kind("command")),
        assignment,
        &cx,
    )
    .await;
    let Turn::Done(report) = turn else {
        panic!("{turn:?}")
    };
    assert_eq!(
        (report.summary.as_str(), report.hours_spent),
        ("made it", Some(Span::minutes(30)))
    );
    assert_eq!(
        report.feedback,
        "(director: the report file was not understood in full: `progress` is a text, not a number)"
    );
    assert_eq!(report.artifacts[0].sha256.len(), 64);
    let who = fs::read_to_string(cx.workdir().unwrap().join("who.txt")).unwrap();
    assert_eq!(who, "s1/sample/1 by engineer-1 (engineer)\n");
    assert_eq!(
        fs::read_to_string(cx.log_path().unwrap()).unwrap(),
        "to the log\n"
    );
}

#[tokio::test]
async fn the_environment_is_what_was_named_and_its_values_stay_out_of_what_is_said() {
    // Cargo sets this one for every test; it stands for a secret.
    let name = "CARGO_PKG_DESCRIPTION";
    let secret = std::env::var(name).expect("cargo runs the tests");
    let show = format!("echo \"key: ${name}\"; exit 3");
    let (text, code) = reason(run(shell(&show)).await);
    assert!(text.ends_with("; its output ends with:\nkey:"), "{text}");
    let spec = AgentSpec {
        env: vec![name.to_owned(), "NOT_SET".into(), "a=b".into()],
        ..AgentSpec::of_kind("command")
    };
    let (_dir, assignment, cx) = task(shell(&show));
    let (text, again) = reason(take(&mut CommandAgent::new(&spec), assignment, &cx).await);
    assert!(
        text.contains("key: [CARGO_PKG_DESCRIPTION]") && !text.contains(&secret),
        "{text}"
    );
    assert_eq!((code, again), (Some(3), Some(3)));
}

#[tokio::test]
async fn how_a_command_ends_decides_unless_it_names_a_blocker() {
    let blocked = r#"printf '{"blocker":{"type":"access","severity":"high","text":"no key"}}' > "$DIRECTOR_REPORT"; exit "#;
    let blocker = BlockerReport {
        kind: "access".into(),
        severity: Severity::High,
        text: "no key".into(),
    };
    for code in ["0", "1"] {
        assert_eq!(
            run(shell(&format!("{blocked}{code}"))).await,
            Turn::Blocked(blocker.clone())
        );
    }
    let done = |summary: &str| {
        Turn::Done(Report {
            summary: summary.into(),
            ..Report::default()
        })
    };
    assert_eq!(
        run(shell("echo first; echo ' last '; echo")).await,
        done("last")
    );
    assert_eq!(
        run(shell("true")).await,
        done("`true` ended with exit code 0")
    );
    for (case, command, start, code) in [
        (
            "code",
            shell("printf 'a\\377b' >&2; exit 7"),
            "`printf",
            Some(7),
        ),
        (
            "signal",
            shell("kill -9 $$"),
            "`kill -9 $$` was ended by signal 9",
            None,
        ),
        (
            "no such program",
            RunSpec::Exec(vec!["no-such-program-here".into()]),
            "the command `no-such-program-here` does not exist",
            None,
        ),
        (
            "nothing",
            RunSpec::Exec(vec![]),
            "`run` is an empty list",
            None,
        ),
    ] {
        let (text, exit_code) = reason(run(command).await);
        assert!(text.starts_with(start), "case: {case}: {text}");
        assert_eq!(exit_code, code, "case: {case}");
    }
    let (_dir, mut assignment, cx) = task(shell("true"));
    assignment.spec.run = None;
    let turn = take(
        &mut CommandAgent::new(&AgentSpec::of_kind("command")),
        assignment,
        &cx,
    )
    .await;
    assert!(reason(turn).0.starts_with("task `sample` has no `run`"));
}

#[tokio::test]
async fn a_gigabyte_of_output_keeps_its_end_and_a_log_of_the_size_agreed() {
    let (_dir, mut assignment, cx) = task(shell(
        "head -c 50000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 1",
    ));
    assignment.output_max = 10_000;
    let turn = take(
        &mut CommandAgent::new(&AgentSpec::of_kind("command")),
        assignment,
        &cx,
    )
    .await;
    let (text, _) = reason(turn);
    assert!(
        text.ends_with("xxx\nthe end") && text.len() < 10_000,
        "{} bytes",
        text.len()
    );
    assert!(fs::metadata(cx.log_path().unwrap()).unwrap().len() < 11_000);
}

#[tokio::test]
async fn progress_is_heard_while_the_command_works() {
    let (_dir, mut assignment, cx) = task(shell(
        r#"printf '{"progress":40,"summary":"half"}' > "$DIRECTOR_REPORT"
           while [ ! -e go ]; do sleep 0.05; done"#,
    ));
    assignment.wedged_after = Span::seconds(20);
    let mut agent = CommandAgent::new(&AgentSpec::of_kind("command"));
    let turn = take(&mut agent, assignment, &cx);
    let watch = async {
        let half = Note::Progress {
            percent: 40,
            text: "half".into(),
        };
        until("progress", || cx.notes().contains(&half)).await;
        fs::write(cx.workdir().unwrap().join("go"), "").unwrap();
    };
    let (turn, ()) = tokio::join!(turn, watch);
    assert!(matches!(turn, Turn::Done(_)), "{turn:?}");
}

#[tokio::test]
async fn silence_is_wedged_and_silent_work_is_work() {
    let wedged_after = |line: &str| {
        let (dir, mut assignment, cx) = task(shell(line));
        assignment.silent_after = Span(500);
        assignment.wedged_after = Span::seconds(1);
        (dir, assignment, cx)
    };
    let mut agent = CommandAgent::new(&AgentSpec::of_kind("command"));
    let (_dir, assignment, cx) = wedged_after("echo start; sleep 600");
    let turn = take(&mut agent, assignment, &cx).await;
    let Turn::TimedOut { reason } = turn else {
        panic!("{turn:?}")
    };
    assert!(
        reason.starts_with("`echo start; sleep 600` showed no sign of life for 1.0s"),
        "{reason}"
    );
    assert!(reason.ends_with("start"), "{reason}");
    // On a busy machine it may be quiet and wake again before; the last word is the verdict.
    let wedged = Note::Liveness {
        state: "wedged".into(),
    };
    assert_eq!(cx.notes().last(), Some(&wedged));
    let busy = "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done";
    let (_dir, assignment, cx) = wedged_after(busy);
    let turn = take(&mut agent, assignment, &cx).await;
    assert!(matches!(turn, Turn::Done(_)), "{turn:?}");
}

#[tokio::test]
async fn a_cancelled_command_takes_everything_it_started_with_it() {
    let (_dir, assignment, cx) = task(shell("setsid sleep 600 & sleep 600 & echo > ready; wait"));
    let mark = cx.host().mark.clone();
    let ready = cx.workdir().unwrap().join("ready");
    let mut agent = CommandAgent::new(&AgentSpec::of_kind("command"));
    let turn = take(&mut agent, assignment, &cx);
    let cancel = async {
        until("both are started", || {
            ready.exists() && marked(&mark).len() == 3
        })
        .await;
        cx.cancel();
    };
    let (turn, ()) = tokio::join!(turn, cancel);
    let (text, _) = reason(turn);
    assert!(text.contains("was ended"), "{text}");
    assert_eq!(marked(&mark), [""; 0]);
}

#[tokio::test]
async fn however_an_attempt_is_ended_nothing_of_its_command_runs_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut team = Team::start(role(AgentSpec::of_kind("command")), dir.path());
    let mut assignment = Context::assignment_for_tests("Take long.");
    assignment.spec.run = Some(shell("echo half-way; sleep 600"));
    let mark = team.mark.clone();
    assignment.time_max = Span::seconds(1);
    team.assign(&assignment, 1);
    let end = team.hears(|command| match command {
        Command::Ended { end, .. } => Some(end),
        _ => None,
    });
    let AttemptEnd::TimedOut { reason } = end.await else {
        panic!("not timed out")
    };
    assert_eq!(
        reason,
        "ran longer than its limit of 1.0s; `echo half-way; sleep 600` was ended; its output ends with:\nhalf-way"
    );
    assert_eq!(marked(&mark), [""; 0]);

    assignment.time_max = Span::hours(1);
    team.assign(&assignment, 2);
    until("it runs", || !marked(&mark).is_empty()).await;
    team.kill().await;
    let in_hand = team.hears(|command| match command {
        Command::AgentDown { in_hand, .. } => Some(in_hand),
        _ => None,
    });
    assert_eq!(in_hand.await, Some((TaskId(0), Attempt(2))));
    until("nothing of it is left", || marked(&mark).is_empty()).await;

    team.assign(&assignment, 3);
    until("it runs", || !marked(&mark).is_empty()).await;
    let mut heard = team.stop().await;
    assert_eq!(marked(&mark), [""; 0]);
    let mut ends = Vec::new();
    while let Ok(command) = heard.try_recv() {
        if let Command::Ended { attempt, end, .. } = command {
            ends.push((attempt, end));
        }
    }
    assert_eq!(ends, [(Attempt(3), AttemptEnd::Interrupted)]);
}
