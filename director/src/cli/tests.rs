//! What users type, and what comes of it: arguments, help, and every command on a journal without a director.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use clap::Parser;
use director_protocols::event::{DECISION_KIND, DECISION_VERSION, encode_events};
use director_protocols::severity::Severity;
use director_runtime::journal::{Chain, DataDir, SqliteStore, Store};
use expect_test::expect;

use super::*;
use crate::planner::examples::checkout;
use crate::view::recorded::Run;

/// Where a test's output goes.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("no panic in here")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Does what `line` says with a data directory; gives the code, and the output or what went wrong.
pub(super) fn typed(data_dir: &Path, line: &str) -> (Code, String) {
    let words = ["director"]
        .into_iter()
        .chain(line.split_whitespace())
        .map(OsString::from);
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
    let paper = Paper::default();
    let mut cx = Context {
        data_dir: Some(data_dir.to_owned()),
        output: Output::to(Box::new(paper.clone())),
        builder: Some(Builder::new(data_dir)),
    };
    match dispatch(cli.command, &mut cx) {
        Ok(code) => {
            let written = paper.0.lock().expect("no panic in there").clone();
            (code, String::from_utf8(written).expect("UTF-8"))
        }
        Err(error) => (error.code(), error.to_string()),
    }
}

/// A data directory in which a director was killed in the middle of a sprint.
fn killed() -> tempfile::TempDir {
    let mut run = Run::of(checkout());
    run.done("psp-research", 20);
    run.blocked(
        "checkout-spec",
        30,
        Severity::High,
        "which payment provider?",
    );
    keep(&run)
}

pub(super) fn keep(run: &Run) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    let dir = DataDir::open(root.path()).expect("locked");
    let mut store = SqliteStore::open(&dir).expect("a journal");
    let mut chain = Chain::after(store.head());
    chain.open_epoch();
    for entry in &run.entries {
        let payload = encode_events(&entry.events).expect("encoded");
        let sealed = chain.seal(DECISION_KIND, DECISION_VERSION, entry.at.0, payload);
        store
            .append(store.head(), &[sealed.expect("sealed")])
            .expect("kept");
    }
    root
}

#[test]
fn arguments_are_read_as_users_type_them() {
    for (line, fine) in [
        ("run", true),
        ("run sprint.toml --json --data-dir /x", true),
        ("--data-dir /x run", true),
        ("run a.toml b.toml", false),
        ("plan --format svg", true),
        ("plan --format pdf", false),
        ("plan --json --format md", false),
        ("plan --objective p85 --schedules 1000 --seed 7", true),
        ("plan --objective p86", false),
        (
            "simulate --from .director --at 7 --what-if team.a.count=2",
            true,
        ),
        ("simulate sprint.toml --from .director", false),
        ("simulate --at 7", false),
        ("simulate --from .director --at 7 --record", false),
        ("status --update", true),
        ("status --update --json", false),
        ("status --sprint s-1", true),
        ("events -f --json --after 7", true),
        ("events --after -1", false),
        ("why", false),
        ("why login", true),
        ("report --format json", true),
        ("agents --tree --json", true),
        ("answer 1 use stripe", true),
        ("answer 1", false),
        ("answer one yes", false),
        ("answer 1 yes --data-dir /x", true),
        ("answer 1 -- --not-an-option", true),
        ("cancel", true),
        ("cancel login --sprint s", true),
        ("reassign login --to api-engineer-2", true),
        ("reassign", false),
        ("logs -f login --attempt 2", true),
        ("worktrees --prune", true),
        ("journal", false),
        ("journal verify", true),
        ("journal replay", false),
        ("journal replay --until 7", true),
        ("journal export", false),
        ("journal export --json", true),
        ("journal repair --accept-loss 7", true),
        ("journal repair", false),
        ("completions fish", true),
        ("completions cmd", false),
        ("--color sometimes status", false),
        ("-vv doctor", true),
        ("", false),
        ("launch", false),
    ] {
        let words = ["director"].into_iter().chain(line.split_whitespace());
        let read = Cli::try_parse_from(words);
        assert_eq!(read.is_ok(), fine, "case: {line:?}");
        if let Err(error) = read {
            assert_eq!(error.exit_code(), 2, "case: {line:?}");
        }
    }
    Cli::command().debug_assert();
}

#[test]
fn the_help_lists_every_command_in_one_line_each() {
    let help = Cli::command().term_width(100).render_help().to_string();
    let end = help.find("\nOptions").expect("options");
    expect![[r#"
        Runs a team of agents through a sprint on a git repository, and loses nothing when it is killed

        Usage: director [OPTIONS] <COMMAND>

        Commands:
          run          Run a sprint in the foreground, or resume it
          serve        Serve: many sprints, from any terminal, a browser or a program, until stopped
          mcp          Serve an assistant on standard input and output, by the Model Context Protocol
          submit       Hand a sprint to the director that runs, and return
          plan         Plan a sprint: who does what when, the critical path, risks and open questions
          simulate     Forecast a sprint: thousands of whole runs on virtual time
          status       Show what is running, what is blocked and what comes next
          sprints      List the sprints, the newest first
          events       Print what happened, one event a line
          watch        Watch the director at the terminal, and answer it: team, tasks, graph, events, inbox
          why          Tell why a task is not running, or how it went
          report       Print the sprint's report: what was done, how it went, what was learnt
          standup      Print the daily standup: what was completed since the last, what comes next, what is
                       in the way
          retro        Look back on a sprint, accept what should change, and write the next sprint's file
          agents       Show the team: roles, instances, state, utilisation
          inbox        Show what waits for a person
          answer       Answer something in the inbox
          approve      Say yes to something in the inbox: done, go on, accepted
          reject       Say no to something in the inbox, with the reason
          gate         Let a task pass in spite of a gate
          incident     Show incidents, fill in their seven steps, close them
          replan       Change a running sprint to what the file says now
          send         Send an outside party's event
          retry        Try a failed, blocked, quarantined or cancelled task again
          cancel       Call off a task and what depends on it, or the whole sprint
          reassign     Give a task to another agent
          pause        Hand out no more work; what runs goes on to its end
          resume       Hand out work again after a pause
          budget       Set the most that a sprint, a task or an agent may spend
          logs         Print what a task's agent printed
          diff         Show what a task changed so far
          audit        Show who ordered what, from where, and what came of it
          deliver      Bring the sprint's result into the base branch
          worker       Do a task of a director on another machine, which starts this by ssh
          worktrees    List the worktrees in use
          journal      Look at the journal, or repair it
          schema       Print the JSON Schema of the sprint file, or of another form
          doctor       Check git, agents, permissions and disk, and say what to do
          init         Write a first sprint.toml and agents/ for a repository
          import       Turn a backlog of another tool into a sprint file, or bring one up to date
          epic         Plan an epic: architecture, features, tasks, sprints and risks
          demo         Make a small git repository and run a sprint of eleven tasks on it
          completions  Print completions for a shell
          help         Print this message or the help of the given subcommand(s)
    "#]]
    .assert_eq(&help[..end]);
}

#[test]
fn every_question_is_answered_from_the_journal_of_a_killed_director() {
    let dir = killed();
    for (line, code, part) in [
        ("status", Code::Done, "sprint-3"),
        ("status --json", Code::Done, "\"sprint\": \"sprint-3\""),
        (
            "status --sprint other",
            Code::BadInput,
            "there is no sprint `other`",
        ),
        ("agents", Code::Done, "api-engineer-2"),
        (
            "agents --tree",
            Code::BadInput,
            "actors live only while a director runs",
        ),
        ("why checkout-spec", Code::Done, "which payment provider?"),
        (
            "why checkout",
            Code::BadInput,
            "did you mean `checkout-spec`?",
        ),
        ("inbox", Code::Done, "which payment provider?"),
        ("report", Code::Done, "sprint-3"),
        ("events", Code::Done, "psp-research"),
        (
            "events --json --follow",
            Code::Done,
            "\"event\":\"task_completed\"",
        ),
        ("events --after 1000", Code::Done, ""),
        ("journal verify", Code::Done, "verdict   sound"),
        ("journal replay --until 3", Code::Done, "position    3\n"),
        (
            "journal replay --until 3000",
            Code::BadInput,
            "there is no record 3000",
        ),
        (
            "journal export --json",
            Code::Done,
            "\"event\":\"epoch_opened\"",
        ),
        ("logs docs", Code::BadInput, "docs"),
        ("diff docs", Code::BadInput, "has no repository"),
        ("deliver", Code::BadInput, "deliver it when it has ended"),
        ("worktrees", Code::BadInput, "has no repository"),
        ("schema", Code::Done, "json-schema.org"),
        ("completions bash", Code::Done, "_director"),
    ] {
        let (found, text) = typed(dir.path(), line);
        assert!(
            found == code && text.contains(part),
            "case {line:?}: {found:?}\n{text}"
        );
    }
    let (code, text) = typed(&dir.path().join("nothing"), "status");
    assert!(
        code == Code::BadInput && text.contains("holds no run"),
        "{text}"
    );
}

#[test]
fn an_order_without_a_director_is_in_the_journal_for_the_next_one() {
    let dir = killed();
    let (_, before) = typed(dir.path(), "events");
    let (code, text) = typed(dir.path(), "answer 9 stripe");
    assert!(
        code == Code::BadInput && text.contains("nothing numbered 9"),
        "{text}"
    );
    assert_eq!(
        typed(dir.path(), "events").1,
        before,
        "a no leaves the journal as it was"
    );

    let (code, text) = typed(dir.path(), "answer 1 use stripe, please");
    assert_eq!(
        (code, text.as_str()),
        (Code::Done, "number 1 is answered\n")
    );
    assert!(typed(dir.path(), "inbox").1.contains("Nothing waits"));
    let (_, events) = typed(dir.path(), "events --json");
    assert!(
        events.contains("use stripe, please") && events.contains("\"epoch\":2"),
        "{events}"
    );

    for (line, part) in [
        ("pause", "no more work is handed out"),
        ("resume", "handed out again"),
        ("cancel docs", "task `docs`"),
        ("retry docs", "tried again"),
        ("reassign cart-api", "another agent"),
        ("cancel", "sprint `sprint-3` is cancelled"),
    ] {
        let (code, text) = typed(dir.path(), line);
        assert!(
            code == Code::Done && text.contains(part),
            "case {line}: {code:?} {text}"
        );
    }
    assert_eq!(typed(dir.path(), "journal verify").0, Code::Done);
}

#[test]
fn a_data_directory_that_is_held_by_somebody_who_does_not_answer_is_named() {
    let dir = killed();
    let _held = DataDir::open(dir.path()).expect("locked");
    let (code, text) = typed(dir.path(), "journal verify");
    assert!(
        code == Code::BadInput && text.contains("held by a running director"),
        "{text}"
    );
}

#[test]
fn damage_is_found_and_the_way_out_of_it_works() {
    let dir = killed();
    let path = dir.path().join("journal.witness");
    std::fs::remove_file(&path).expect("removed");
    let (code, text) = typed(dir.path(), "journal verify");
    assert!(
        code == Code::Internal && text.contains("--accept-loss"),
        "{text}"
    );
    let (code, text) = typed(dir.path(), "status");
    assert!(
        code == Code::Internal && text.contains("--accept-loss"),
        "{text}"
    );
    let (code, text) = typed(dir.path(), "journal repair --accept-loss 5");
    assert!(
        code == Code::Done && text.contains("now ends at record 5"),
        "{text}"
    );
    assert_eq!(typed(dir.path(), "journal verify").0, Code::Done);
}

#[test]
fn a_report_can_be_one_page_of_html() {
    let dir = killed();
    let (code, page) = typed(dir.path(), "report --format html");
    assert_eq!(code, Code::Done);
    assert!(
        page.starts_with("<!DOCTYPE html><html lang=\"en\">"),
        "{page}"
    );
    assert!(page.contains("which payment provider?"));
    let json = typed(dir.path(), "report --format json").1;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(json["timeline"].is_array() && json["flow"].is_array());
}

#[test]
fn a_retrospective_is_read_accepted_and_written_as_the_next_sprint() {
    let dir = keep(&crate::view::recorded::troubled());
    let (_, text) = typed(dir.path(), "retro");
    assert!(text.contains("[ ] `gate-tests`"), "{text}");
    let (code, said) = typed(dir.path(), "retro --accept nonsense");
    assert_eq!(code, Code::BadInput);
    assert!(said.contains("there are slip-cart-ui"), "{said}");
    let (_, said) = typed(dir.path(), "retro --accept gate-tests --accept estimate");
    assert!(said.contains("`gate-tests` is accepted"), "{said}");
    let (_, text) = typed(dir.path(), "retro");
    assert!(text.contains("[x] `gate-tests`, accepted by"), "{text}");
    let events = typed(dir.path(), "events --json").1;
    assert_eq!(events.matches("\"event\":\"action_accepted\"").count(), 2);

    let file = dir.path().join("next.toml");
    let line = format!("retro --next {}", file.display());
    let (code, said) = typed(dir.path(), &line);
    assert_eq!(code, Code::Done, "{said}");
    assert!(
        said.contains("sprint `sprint-4`") && said.contains("4 tasks carried over"),
        "{said}"
    );
    let written = std::fs::read_to_string(&file).expect("a file");
    assert!(
        written.contains("(gate `tests`) was run before reporting"),
        "{written}"
    );
    // What is there is never written over.
    let (code, said) = typed(dir.path(), &line);
    assert_eq!(code, Code::BadInput, "{said}");
    let (code, plan) = typed(dir.path(), &format!("plan {}", file.display()));
    assert_eq!(code, Code::Done);
    assert!(plan.contains("# Sprint sprint-4 Initialization"), "{plan}");
}

#[test]
fn a_standup_is_held_from_the_journal() {
    let dir = killed();
    let (code, text) = typed(dir.path(), "standup");
    assert_eq!(code, Code::Done);
    assert!(
        text.starts_with("Daily Standup\nSprint: sprint-3\n"),
        "{text}"
    );
    assert!(text.contains("- psp-research: "), "{text}");
    let json = typed(dir.path(), "standup --json").1;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["blockers"][0]["task"], "checkout-spec");
}

#[test]
fn a_plan_learns_from_the_sprints_before_it() {
    // Ten tasks of which four stay undone: 40 points in that sprint.
    let mut run = crate::view::recorded::troubled();
    let mut again = checkout();
    again.id = crate::planner::examples::name("sprint-4");
    for task in &mut again.tasks {
        task.kind = "feature".to_owned();
        task.depends_on.clear();
    }
    run.say(director_protocols::command::Command::Submit(Box::new(
        again,
    )));
    run.settle();
    for task in ["checkout-spec", "psp-research", "cart-ui"] {
        run.done(task, 30);
    }
    let dir = keep(&run);
    let past: serde_json::Value = {
        let file = dir.path().join("next.toml");
        let tasks: String = (0..6)
            .map(|n| format!("[[task]]\nid = \"t{n}\"\npoints = 10\nhours = 10\nrun = \"true\"\n"))
            .collect();
        std::fs::write(&file, format!("[sprint]\nid = \"next\"\n{tasks}")).expect("a file");
        let plan = typed(dir.path(), &format!("plan --json {}", file.display())).1;
        let json: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
        assert_eq!(
            json["tasks"][0]["expected_hours"], 10.0,
            "nothing is corrected without being asked"
        );
        let (_, text) = typed(dir.path(), &format!("plan {}", file.display()));
        assert!(
            text.contains(
                "60 points are meant to be finished, and past sprints (sprint-3) finished 40.0"
            ),
            "{text}"
        );
        assert!(text.contains("Calibration: not applied"), "{text}");
        let plan = typed(
            dir.path(),
            &format!("plan --json --calibrate {}", file.display()),
        )
        .1;
        serde_json::from_str(&plan).expect("JSON")
    };
    let kind = &past["past"]["kinds"]["feature"];
    assert_eq!(
        (kind["tasks"].as_u64(), kind["enough"].as_bool()),
        (Some(3), Some(true)),
        "{kind}"
    );
    let factor = kind["factor"].as_f64().expect("a factor");
    assert!(factor > 0.0 && factor < 1.0, "{kind}");
    let hours = past["tasks"][0]["expected_hours"].as_f64().expect("hours");
    assert!((hours - 10.0 * factor).abs() < 0.01, "{hours} {factor}");
    assert!(
        past["past"]["changes"][0]
            .as_str()
            .is_some_and(|text| text.contains("6 tasks of feature"))
    );
}

/// Two jobs of three and of two ticks that cannot go on together, between a source and a sink.
const INSTANCE: &str = "\
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        1          1           4
   3        1          1           4
   4        1          0
REQUESTS/DURATIONS:
jobnr. mode duration  R 1
  1      1     0       0
  2      1     3       2
  3      1     2       2
  4      1     0       0
RESOURCEAVAILABILITIES:
  R 1
   3
";

#[test]
fn an_instance_of_a_public_library_is_planned_as_json_and_in_words() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("pair.sm");
    std::fs::write(&file, INSTANCE).expect("it can be written");
    let line = format!("plan {} --json", file.display());
    let (code, json) = typed(dir.path(), &line);
    assert_eq!(code, Code::Done, "{json}");
    let plan: serde_json::Value = serde_json::from_str(&json).expect("one document");
    let of = |task: usize, key: &str| plan["tasks"][task][key].as_u64().expect("a number");
    assert_eq!(
        (&plan["sprint"], &plan["makespan"], &plan["lower_bound"]),
        (&"pair".into(), &5.into(), &5.into())
    );
    assert_eq!(plan["proven_optimal"], true);
    let (first, second) = match of(1, "start") {
        0 => (1, 2),
        _ => (2, 1),
    };
    assert_eq!(of(first, "start"), 0);
    assert_eq!(of(second, "start"), of(first, "finish"));
    assert_eq!(typed(dir.path(), &line).1, json, "the same every time");

    let (code, words) = typed(dir.path(), &format!("plan {}", file.display()));
    assert_eq!(code, Code::Done);
    assert!(
        words.starts_with(
            "pair: 4 jobs in 5; no schedule is shorter (lower bound 5, critical path 3)\n"
        ),
        "{words}"
    );
    std::fs::write(&file, INSTANCE.replace(" 3       2", " 3       x")).expect("written");
    let (code, error) = typed(dir.path(), &line);
    assert_eq!(code, Code::BadInput, "{error}");
    assert!(
        error.ends_with("line 10: `x` is no whole number"),
        "{error}"
    );
}

/// Three jobs that nothing fits beside, and three of which two fit side by side: ten ticks and then four, while every bound says thirteen.
#[test]
fn a_plan_that_no_bound_reaches_is_proven_to_be_the_shortest() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("six.sm");
    let jobs = [(3, 2), (3, 3), (3, 3), (2, 2), (2, 2), (4, 3)];
    let mut text = "PRECEDENCE RELATIONS:\njobnr. #modes #successors successors\n".to_owned();
    for job in 1..=jobs.len() {
        text += &format!("{job} 1 0\n");
    }
    text += "REQUESTS/DURATIONS:\njobnr. mode duration R 1\n";
    for (job, (duration, units)) in (1..).zip(jobs) {
        text += &format!("{job} 1 {duration} {units}\n");
    }
    text += "RESOURCEAVAILABILITIES:\nR 1\n4\n";
    std::fs::write(&file, text).expect("it can be written");
    let (code, words) = typed(dir.path(), &format!("plan {}", file.display()));
    assert_eq!(code, Code::Done, "{words}");
    assert!(
        words.starts_with(
            "six: 6 jobs in 14; no schedule is shorter (lower bound 14, critical path 4)\n"
        ),
        "{words}"
    );
}
