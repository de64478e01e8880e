//! What `director simulate` says: of a sprint under way, of one that is over, and of what makes no sense.

use std::path::Path;

use director_protocols::severity::Severity;
use director_protocols::sprint::Expects;
use serde_json::Value;

use super::super::end::Code;
use super::super::tests::{keep, typed};
use crate::planner::examples;
use crate::view::recorded::{Run, checkout};

/// A data directory in which a director was killed in the middle of a sprint: one task done, one blocked.
fn killed() -> tempfile::TempDir {
    let mut run = Run::of(checkout(false));
    run.done("psp-research", 20);
    run.blocked("checkout-spec", 30, Severity::High, "which provider?");
    keep(&run)
}

/// The JSON that a question about a data directory is answered with.
fn asked(dir: &Path, line: &str) -> Value {
    let line = format!(
        "simulate --from {} --runs 300 --json --no-timing {line}",
        dir.display()
    );
    let (code, text) = typed(dir, &line);
    assert_eq!(code, Code::Done, "{line}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_rest_of_a_killed_sprint_is_forecast_from_its_journal() {
    let dir = killed();
    let found = asked(dir.path(), "");
    let from = &found["from"];
    assert_eq!(from["director_at_work"], false);
    assert_eq!(
        (&from["tasks"]["done"], &from["tasks"]["blocked"]),
        (&1.into(), &1.into())
    );
    // One task was finished: its pace is known, and drawn towards what estimates say.
    assert_eq!(from["models"]["finished_tasks"], 1);
    let pace = from["models"]["pace"].as_f64().expect("a number");
    assert!(pace > 0.1 && pace < 1.0, "{pace}");
    assert_eq!(found["tasks"].as_array().map(Vec::len), Some(10));
    assert_eq!(found["tasks"][0]["id"], "checkout-spec");
    assert!(found["finish_hours"]["p50"].as_f64() > Some(1.0));
    let (_, text) = typed(
        dir.path(),
        &format!("simulate --from {} --runs 100", dir.path().display()),
    );
    for part in [
        "Forecast of the rest of sprint-3",
        "1 of 10 tasks done, 1 waiting for an answer",
        "learned here",
        "attempts that are blocked",
        "1 of 2",
        "1 finished task is too few to fit durations to (20 are needed)",
        "no director is at work",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn from_a_past_record_the_same_seeds_show_what_another_team_would_have_done() {
    let dir = killed();
    let (_, events) = typed(dir.path(), "events --json");
    let done = events
        .lines()
        .find(|line| line.contains("task_completed"))
        .expect("one is done");
    let done: Value = serde_json::from_str(done).expect("JSON");
    let line = format!("--at {} --what-if team.api-engineer.count=4", done["seq"]);
    let found = asked(dir.path(), &line);
    assert_eq!(found["from"]["seq"], done["seq"]);
    assert_eq!(found["from"]["director_at_work"], true, "as it was then");
    let variant = &found["what_if"][0];
    assert_eq!(variant["change"], "team.api-engineer.count=4");
    assert_eq!(variant["runs"], 300);
    assert_eq!(asked(dir.path(), &line), found, "and again");
    let auto = asked(dir.path(), &format!("--at {} --what-if auto", done["seq"]));
    assert!(
        auto["what_if"]
            .as_array()
            .is_some_and(|tried| tried.len() > 5)
    );
}

#[test]
fn a_recorded_forecast_is_held_against_what_came() {
    let mut run = Run::of(checkout(false));
    run.done("psp-research", 20);
    let dir = keep(&run);
    let line = format!(
        "simulate --from {} --runs 200 --record",
        dir.path().display()
    );
    let (code, text) = typed(dir.path(), &line);
    assert_eq!(code, Code::Done, "{text}");
    let (_, retro) = typed(dir.path(), "retro");
    assert!(
        retro.contains("the sprint is not done, so it cannot be told"),
        "{retro}"
    );
    let (_, json) = typed(dir.path(), "retro --json");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["forecasts"][0]["runs"], 200);
    assert_eq!(json["forecast_track"], Value::Null);
}

#[test]
fn a_sprint_that_is_over_runs_again_with_the_durations_that_were() {
    // One after the other for one agent, an hour each.
    let mut spec = checkout(false);
    let after: [&[&str]; 4] = [&[], &["t0"], &["t1"], &["t2"]];
    spec.tasks = after
        .iter()
        .zip(["t0", "t1", "t2", "t3"])
        .map(|(after, id)| {
            let mut task = examples::task(id, "feature", "fullstack-engineer", [1, 2, 3], after);
            task.expects = Expects::Nothing;
            task.into()
        })
        .collect();
    let mut run = Run::of(spec);
    for task in ["t0", "t1", "t2", "t3"] {
        run.done(task, 60);
    }
    let dir = keep(&run);
    let line = format!("simulate --from {}", dir.path().display());
    let (code, text) = typed(dir.path(), &line);
    assert_eq!(code, Code::BadInput, "{text}");
    assert!(
        text.contains("is over (done), so nothing of it is left to forecast"),
        "{text}"
    );
    let found = asked(
        dir.path(),
        "--what-if task.t1.depends_on=[] --what-if team.fullstack-engineer.count=2",
    );
    let took = found["again"]["took_hours"].as_f64().expect("a number");
    assert!((4.0..4.1).contains(&took), "{took}");
    let p50 = |value: &Value| value["finish_hours"]["p50"].as_f64().expect("a number");
    // As it was, but for the seconds that git and gates took; and two chains side by side, of one and of three.
    assert!((4.0..4.1).contains(&p50(&found)), "{}", p50(&found));
    let variant = p50(&found["what_if"][0]);
    assert!((3.0..3.1).contains(&variant), "{variant}");
}

#[test]
fn what_makes_no_sense_is_named() {
    let here = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = here.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let file = write(
        "plain.toml",
        "[sprint]\nid = \"plain\"\n[[task]]\nid = \"a\"\nrun = \"true\"\n[[task]]\nid = \"b\"\nrun = \"true\"\nhours = 2\n",
    );
    let hopeless = write("hopeless.toml", "fail = 1000\n");
    let killed = killed();
    let from = format!("--from {}", killed.path().display());
    let empty = tempfile::tempdir().expect("a directory");
    for (case, line, code, part) in [
        (
            "no estimate",
            file.clone(),
            Code::Done,
            "1 of 2 tasks has no estimate: an hour for each point was assumed",
        ),
        (
            "no runs",
            format!("{file} --runs 0"),
            Code::BadInput,
            "0 runs say nothing; ask for at least 1",
        ),
        (
            "contradiction",
            format!("{file} --what-if task.a.hours=2 --what-if task.a.hours=3"),
            Code::BadInput,
            "`task.a.hours=2` and `task.a.hours=3` contradict each other",
        ),
        (
            "auto and more",
            format!("{file} --what-if auto --what-if task.a.hours=3"),
            Code::BadInput,
            "`--what-if auto` tries changes of its own",
        ),
        (
            "unknown task",
            format!("{file} --what-if task.c.hours=3"),
            Code::BadInput,
            "there is no task `c`",
        ),
        (
            "unknown key",
            format!("{file} --what-if task.a.hourz=3"),
            Code::BadInput,
            "hourz",
        ),
        (
            "unknown role",
            format!("{file} --what-if team.tester.count=3"),
            Code::BadInput,
            "tester",
        ),
        (
            "no change",
            format!("{file} --what-if more"),
            Code::BadInput,
            "`more` is not a change; write KEY=VALUE",
        ),
        (
            "unknown rate",
            format!("{file} --what-if faults.fial=3"),
            Code::BadInput,
            "unknown field `fial`",
        ),
        (
            "unknown faults",
            format!("{file} --faults wild"),
            Code::BadInput,
            "there are no faults called `wild`",
        ),
        (
            "cannot finish",
            format!("{file} --faults {hopeless} --runs 50"),
            Code::Done,
            "the sprint finishes in none of the runs: `a` is given up in 50 of 50 of them",
        ),
        (
            "no journal",
            format!("--from {}", empty.path().display()),
            Code::BadInput,
            "holds no run, so there is nothing to look ahead from",
        ),
        (
            "no such record",
            format!("{from} --at 100000"),
            Code::BadInput,
            "there is no record 100000",
        ),
        (
            "record 0",
            format!("{from} --at 0"),
            Code::BadInput,
            "there is no record 0",
        ),
        (
            "before any sprint",
            format!("{from} --at 1"),
            Code::BadInput,
            "there is no sprint yet",
        ),
        (
            "no such sprint",
            format!("{from} --sprint other"),
            Code::BadInput,
            "there is no sprint `other`",
        ),
        (
            "unknown key ahead",
            format!("{from} --what-if team.tester.count=2"),
            Code::BadInput,
            "tester",
        ),
    ] {
        let (found, text) = typed(here.path(), &format!("simulate {line}"));
        assert_eq!(found, code, "case: {case}: {text}");
        assert!(
            text.contains(part),
            "case: {case}: {part:?} is not in:\n{text}"
        );
    }
}

#[test]
fn a_history_in_which_nothing_was_finished_says_so() {
    let dir = keep(&Run::of(checkout(false)));
    let (code, text) = typed(
        dir.path(),
        &format!("simulate --from {} --runs 50", dir.path().display()),
    );
    assert_eq!(code, Code::Done, "{text}");
    for part in [
        "no task has been finished here yet",
        "all rates are those of `calm`",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let mut run = Run::of(checkout(false));
    run.blocked("checkout-spec", 5, Severity::Low, "how?");
    let dir = keep(&run);
    let found = asked(dir.path(), "");
    assert_eq!(found["from"]["models"]["finished_tasks"], 0);
}
