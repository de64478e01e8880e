//! An agent that speaks the Agent Client Protocol, played by a script: what it is told, what is made of its words, and how it goes on
//! after a kill.

mod common;
mod worktree;

use std::fs;

use common::{PATIENCE, Team, marked, role, until};
use director_agents::agent::{Agent, Inbound, Turn};
use director_agents::coding::Acp;
use director_agents::context::{Context, Note};
use director_protocols::command::Command;
use director_protocols::severity::Severity;
use director_protocols::sprint::{AgentSpec, RoleSpec};
use director_protocols::work::AttemptEnd;
use tempfile::TempDir;
use tokio::time::timeout;
use worktree::assignment;

fn played(mode: &str, options: &[(&str, &str)]) -> RoleSpec {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/acp-agent.sh");
    let options = options.iter();
    role(AgentSpec {
        program: Some(["sh", script, mode].map(str::to_owned).to_vec()),
        options: options
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..AgentSpec::of_kind("acp")
    })
}

async fn attempt(
    mode: &str,
    options: &[(&str, &str)],
    session: Option<&str>,
) -> (TempDir, Turn, Context) {
    let (dir, mut assignment) = assignment();
    assignment.session = session.map(str::to_owned);
    let role = played(mode, options);
    let mut agent = Acp::new(&role, &role.agent).unwrap();
    let mut cx = Context::for_tests_in(&assignment, dir.path());
    let turn = agent.turn(Inbound::Assigned(assignment.into()), &mut cx);
    let turn = timeout(PATIENCE, turn).await.expect("it hangs").unwrap();
    (dir, turn, cx)
}

fn in_worktree(dir: &TempDir, name: &str) -> String {
    fs::read_to_string(dir.path().join("worktree").join(name)).unwrap_or_default()
}

/// The methods that the agent was asked, and the outcomes that it was told, in order.
fn heard(dir: &TempDir) -> Vec<String> {
    let said = in_worktree(dir, "heard");
    let messages = said
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    messages
        .map(|message| match message["method"].as_str() {
            Some(method) => method.to_owned(),
            None => match message["error"]["message"].as_str() {
                Some(error) => error.to_owned(),
                None => message["result"]["outcome"]["optionId"]
                    .as_str()
                    .unwrap_or("cancelled")
                    .to_owned(),
            },
        })
        .collect()
}

#[tokio::test]
async fn a_session_is_opened_in_the_worktree_and_its_last_words_are_the_summary() {
    let (dir, turn, cx) = attempt("work", &[], None).await;
    let Turn::Done(report) = turn else {
        panic!("{turn:?}")
    };
    assert_eq!(
        (report.summary.as_str(), report.cost_micros),
        ("Wrote a line.", 250_000)
    );
    assert_eq!(in_worktree(&dir, "work.txt"), "line\n");
    assert_eq!(
        heard(&dir),
        [
            "initialize",
            "session/new",
            "session/prompt",
            "yes",
            "the director has no `fs/read_text_file`"
        ]
    );
    let said = in_worktree(&dir, "heard");
    let worktree = dir.path().join("worktree");
    assert!(said.contains(&format!("\"cwd\":\"{}\"", worktree.display())));
    assert!(said.contains("# Task sample: A sample"), "{said}");
    let notes = cx.notes();
    for note in [
        Note::Session {
            session: "a-1".into(),
        },
        Note::Progress {
            percent: 50,
            text: "write".into(),
        },
        Note::Progress {
            percent: 51,
            text: "write work.txt".into(),
        },
    ] {
        assert!(notes.contains(&note), "{note:?} in {notes:?}");
    }
}

#[tokio::test]
async fn a_tool_is_allowed_by_its_kind_and_one_that_is_not_blocks_the_task() {
    let (dir, turn, _) = attempt("runs", &[], None).await;
    let Turn::Blocked(blocker) = turn else {
        panic!("{turn:?}")
    };
    assert_eq!(blocker.severity, Severity::Medium);
    assert!(
        blocker
            .text
            .contains("not allowed to use: cargo test (execute);"),
        "{}",
        blocker.text
    );
    assert_eq!(in_worktree(&dir, "work.txt"), "line\n");
    let (dir, turn, _) = attempt("strays", &[], None).await;
    assert!(
        matches!(&turn, Turn::Blocked(blocker) if blocker.text.contains("edit hosts (edit, outside: ")),
        "{turn:?}"
    );
    assert_eq!(heard(&dir).last().map(String::as_str), Some("no"));
    let (_dir, turn, _) = attempt("strays", &[("allowed_tools", "edit, outside")], None).await;
    assert!(matches!(turn, Turn::Done(_)), "{turn:?}");
    let (dir, turn, _) = attempt("runs", &[("allowed_tools", "edit, execute")], None).await;
    assert!(matches!(turn, Turn::Done(_)), "{turn:?}");
    assert_eq!(in_worktree(&dir, "work.txt"), "line\nran\n");
    assert_eq!(heard(&dir).last().map(String::as_str), Some("always"));
}

#[tokio::test]
async fn an_earlier_session_is_gone_on_with_or_begun_afresh() {
    for (mode, methods, session, prompt) in [
        (
            "work",
            vec!["session/load"],
            "s-7",
            "Go on with task sample",
        ),
        (
            "resumes",
            vec!["session/resume"],
            "s-7",
            "Go on with task sample",
        ),
        (
            "forgets",
            vec!["session/load", "session/new"],
            "a-1",
            "# Task sample: A sample",
        ),
    ] {
        let (dir, turn, cx) = attempt(mode, &[], Some("s-7")).await;
        let Turn::Done(report) = turn else {
            panic!("case: {mode}: {turn:?}")
        };
        assert_eq!(report.summary, "Wrote a line.", "case: {mode}");
        assert_eq!(heard(&dir)[1..=methods.len()], methods, "case: {mode}");
        assert!(in_worktree(&dir, "heard").contains(prompt), "case: {mode}");
        let session = Note::Session {
            session: session.into(),
        };
        assert!(cx.notes().contains(&session), "case: {mode}");
    }
}

#[tokio::test]
async fn whatever_goes_wrong_is_said_with_what_to_do() {
    for (mode, options, expected) in [
        (
            "login",
            vec![],
            "the agent refuses session/new: Authentication required; log in with the program itself, or pass what it logs in with in `env`, or set the option `auth` to one of key",
        ),
        (
            "old",
            vec![],
            "the agent speaks version 9 of the Agent Client Protocol, the director speaks 1; update one of them",
        ),
        ("refuses", vec![], "the agent refuses to go on: No."),
        (
            "gone",
            vec![],
            "the agent ended with exit code 3 before it had answered initialize; does it speak the Agent Client Protocol, and does `program` have the word that makes it (such as `--acp`)?",
        ),
        (
            "mute",
            vec![],
            "the agent ended with exit code 2 before it had answered initialize; does it speak the Agent Client Protocol, and does `program` have the word that makes it (such as `--acp`)?",
        ),
    ] {
        let (_dir, turn, _) = attempt(mode, &options, None).await;
        let Turn::Failed { reason, .. } = turn else {
            panic!("case: {mode}: {turn:?}")
        };
        assert_eq!(reason, expected, "case: {mode}");
    }
}

#[tokio::test]
async fn it_logs_in_and_changes_its_mode_where_the_sprint_file_says_so() {
    let (dir, turn, _) = attempt("work", &[("auth", "key"), ("mode", "code")], None).await;
    assert!(matches!(turn, Turn::Done(_)), "{turn:?}");
    assert_eq!(
        heard(&dir)[..5],
        [
            "initialize",
            "authenticate",
            "session/new",
            "session/set_mode",
            "session/prompt"
        ]
    );
    let (dir, turn, _) = attempt("work", &[("mode", "ask")], None).await;
    assert!(matches!(turn, Turn::Done(_)), "{turn:?}");
    assert_eq!(
        heard(&dir)[2],
        "session/prompt",
        "it is in that mode already"
    );
}

#[tokio::test]
async fn a_program_that_does_not_end_when_all_is_said_is_ended() {
    let (_dir, turn, cx) = attempt("stays", &[], None).await;
    assert!(matches!(turn, Turn::Done(_)), "{turn:?}");
    assert!(marked(&cx.mark().unwrap()).is_empty());
}

#[tokio::test]
async fn a_question_is_put_to_it_in_an_empty_directory() {
    let (dir, assignment) = assignment();
    let role = played("work", &[]);
    let mut agent = Acp::new(&role, &role.agent).unwrap();
    let mut cx = Context::for_tests_in(&assignment, dir.path());
    let asked = Inbound::Asked {
        from: "ann".into(),
        text: "Which vault?".into(),
    };
    let turn = timeout(PATIENCE, agent.turn(asked, &mut cx)).await;
    let turn = turn.expect("it hangs").unwrap();
    assert_eq!(turn, Turn::Answer("Wrote a line.".into()));
    assert_eq!(in_worktree(&dir, "heard"), "", "not where the work is");
}

#[tokio::test]
async fn after_a_kill_the_same_session_goes_on() {
    let (dir, mut assignment) = assignment();
    let mut team = Team::start(played("hangs", &[]), dir.path());
    team.assign(&assignment, 1);
    let heard = team.hears(|command| match command {
        Command::Session { session, .. } => Some(session),
        _ => None,
    });
    assert_eq!(heard.await, "a-1");
    assert!(!marked(&team.mark).is_empty());
    team.kill().await;
    until("nothing of the killed run is left", || {
        marked(&team.mark).is_empty()
    })
    .await;
    team.stop().await;

    let mut team = Team::start(played("work", &[]), dir.path());
    assignment.session = Some("a-1".into());
    team.assign(&assignment, 2);
    let end = team.hears(|command| match command {
        Command::Ended { end, .. } => Some(end),
        _ => None,
    });
    assert!(matches!(end.await, AttemptEnd::Done(_)));
    assert!(in_worktree(&dir, "heard").contains(r#""sessionId":"a-1""#));
    team.stop().await;
}

#[test]
fn what_it_cannot_do_is_refused_before_it_starts() {
    let refused = |change: fn(&mut AgentSpec)| {
        let mut role = played("work", &[]);
        change(&mut role.agent);
        Acp::new(&role, &role.agent).unwrap_err().reason
    };
    for (case, reason, expected) in [
        (
            "no program",
            refused(|agent| agent.program = None),
            "`program` has to name what speaks the Agent Client Protocol",
        ),
        (
            "an option",
            refused(|agent| {
                agent.options.insert("turns".into(), "4".into());
            }),
            "no option `turns`; it has allowed_tools, auth, mode",
        ),
        (
            "a kind of tool",
            refused(|agent| {
                agent
                    .options
                    .insert("allowed_tools".into(), "edit Bash".into());
            }),
            "no kind of tool `Bash`; there are read, edit",
        ),
        (
            "a model",
            refused(|agent| agent.model = Some("big".into())),
            "has no `model`",
        ),
    ] {
        assert!(reason.contains(expected), "case: {case}: {reason}");
    }
    let mut role = role(AgentSpec::of_kind("gemini"));
    assert!(
        Acp::new(&role, &role.agent).is_ok(),
        "it is known how it starts"
    );
    role.agent = AgentSpec::of_kind("codex");
    assert!(Acp::new(&role, &role.agent).is_ok());
}
