//! Blockers of every severity, and people who step in from another terminal while the sprint runs.

use std::fs;
use std::time::Duration;

use director_tests::corner::HEAD;
use serde_json::Value;

use super::corner;

/// A command that is blocked until the second attempt or an answer lets it go on.
fn blocked(id: &str, severity: &str, more: &str) -> String {
    format!(
        r#"
[[task]]
id = "{id}"
hours = 1
{more}
run = '''
test "$DIRECTOR_ATTEMPT" -gt 1 && {{ echo "$DIRECTOR_ROLE" > {id}; exit 0; }}
echo '{{"blocker":{{"type":"design_issue","severity":"{severity}","text":"which colour?"}}}}' > "$DIRECTOR_REPORT"
exit 1
'''
"#
    )
}

/// Longer than the blocked ones, so that they are not on the critical path, where blockers start a tier higher.
const LONG: &str = "[[task]]\nid = \"long\"\nhours = 8\nrun = \"echo long > long\"\n";

#[test]
fn blockers_go_to_whom_their_severity_names_and_an_answer_lets_the_task_go_on() {
    for (severity, more, first, waits) in [
        ("low", "", "low", false),
        ("medium", "", "medium", false),
        ("high", "", "high", true),
        // Only critical work may stop the others.
        ("critical", "", "high", true),
        ("critical", "priority = \"critical\"", "critical", true),
    ] {
        let case = format!("{severity} {more}");
        let corner = corner();
        corner.sprint(HEAD.to_owned() + LONG + &blocked("stuck", severity, more));
        let mut said = corner.run();
        if waits {
            assert_eq!(said.code, 3, "{case}: {said:?}");
            for part in [
                "1 thing waits for you",
                "which colour?",
                "director answer 1",
            ] {
                assert!(said.out.contains(part), "{case}: {}", said.out);
            }
            let nobody = corner.tell(&["answer", "7", "blue"]);
            assert_eq!(nobody.code, 2, "{case}: {nobody:?}");
            let answer = corner.tell(&["answer", "1", "blue"]);
            assert_eq!(answer.code, 0, "{case}: {answer:?}");
            let twice = corner.tell(&["answer", "1", "red"]);
            assert_eq!(twice.code, 2, "{case}: {twice:?}");
            assert!(twice.err.starts_with("error: "), "{case}: {}", twice.err);
            said = corner.run();
        }
        assert_eq!(said.code, 0, "{case}: {said:?}");
        let report = corner.report();
        assert_eq!(report["blockers"][0]["severity"], first, "{case}");
        assert_ne!(report["blockers"][0]["resolved"], Value::Null, "{case}");
        assert_eq!(corner.merged("stuck"), "fullstack-engineer", "{case}");
        corner.nothing_left(&case);
    }
}

#[test]
fn a_blocker_on_the_critical_path_begins_a_tier_higher_and_says_why() {
    let corner = corner();
    corner.sprint(HEAD.to_owned() + &blocked("stuck", "low", ""));
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    let events = corner.tell(&["events", "--json"]).out;
    let raised = events
        .lines()
        .find(|line| line.contains("\"blocker_raised\""))
        .unwrap_or_else(|| panic!("{events}"));
    let raised: Value = serde_json::from_str(raised).expect("JSON");
    assert_eq!(
        [&raised["reported"], &raised["severity"], &raised["reason"]],
        ["low", "medium", "it is on the critical path"]
    );
    corner.nothing_left("on the critical path");
}

/// A task that runs until a file is there.
fn waiting(id: &str, go: &std::path::Path) -> String {
    let go = go.display();
    format!(
        "[[task]]\nid = \"{id}\"\nrun = \"echo half > {id}.half; until test -e {go}; do sleep 0.05; done; echo {id} > {id}\"\n"
    )
}

fn runs(status: &Value, id: &str) -> bool {
    let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    tasks
        .iter()
        .any(|task| task["id"] == id && task["status"] == "working")
}

#[test]
fn people_cancel_reassign_and_retry_while_it_runs_and_unfinished_work_is_saved() {
    let corner = corner();
    let go = corner.root().join("go");
    corner.sprint(HEAD.to_owned() + &waiting("kept", &go) + &waiting("dropped", &go));
    let mut run = corner.start();
    corner.wait_for("both", |status| {
        runs(status, "kept") && runs(status, "dropped")
    });
    let half = |id: &str| corner.repo().join(format!(".worktrees/{id}/{id}.half"));
    corner.wait_for("half", |_| {
        half("kept").exists() && half("dropped").exists()
    });

    for (words, expected) in [
        (&["cancel", "drooped"][..], "did you mean `dropped`"),
        (&["reassign", "kept", "--to", "nobody-1"], "nobody-1"),
        (&["retry", "kept"], "kept"),
    ] {
        let said = corner.tell(words);
        assert_eq!(said.code, 2, "{words:?}: {said:?}");
        assert!(said.err.starts_with("error: "), "{words:?}: {}", said.err);
        assert!(said.err.contains(expected), "{words:?}: {}", said.err);
    }
    for words in [&["cancel", "dropped"][..], &["reassign", "kept"]] {
        let said = corner.tell(words);
        assert_eq!(said.code, 0, "{words:?}: {said:?}");
    }
    corner.wait_for("the other agent", |status| {
        let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
        tasks.iter().any(|task| {
            task["id"] == "kept"
                && task["status"] == "working"
                && task["assigned_agent"] == "fullstack-engineer-2"
        })
    });
    fs::write(&go, "").expect("written");
    let code = run.code_within(Duration::from_secs(60));
    // What was called off alone was committed, and is not done.
    assert_eq!(code, Some(1), "{}", corner.tell(&["why", "kept"]).out);
    assert_eq!(corner.ends(), "dropped cancelled, kept completed");
    let saved = corner.git(&[
        "for-each-ref",
        "--format=%(refname)",
        "refs/director/salvage",
    ]);
    for expected in ["s/dropped/1", "s/kept/1"] {
        assert!(saved.contains(expected), "{saved}");
    }
    let half = corner.git(&["show", "refs/director/salvage/s/dropped/1:dropped.half"]);
    assert_eq!(half, "half");
    corner.nothing_left("steered");
}

#[test]
fn a_cancelled_sprint_ends_with_5_and_a_failed_task_can_be_retried_after_the_end() {
    let corner = corner();
    let go = corner.root().join("go");
    corner.sprint(HEAD.to_owned() + &waiting("a", &go));
    let mut run = corner.start();
    corner.wait_for("the task", |status| runs(status, "a"));
    assert_eq!(corner.tell(&["cancel"]).code, 0);
    assert_eq!(run.code_within(Duration::from_secs(60)), Some(5));
    corner.nothing_left("cancelled");

    let ok = corner.root().join("ok");
    let task = format!(
        "[[task]]\nid = \"later\"\nrun = \"test -e {} && echo later > later\"\n",
        ok.display()
    );
    corner.sprint(HEAD.replace("id = \"s\"", "id = \"t\"") + &task);
    let failed = corner.run();
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(
        failed.err.contains("`director why TASK` tells why"),
        "{}",
        failed.err
    );
    corner.nothing_left("failed");
    fs::write(&ok, "").expect("written");
    let retry = corner.tell(&["retry", "later"]);
    assert_eq!(retry.code, 0, "{retry:?}");
    let again = corner.run();
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(corner.git(&["show", "sprint/t:later"]), "later");
    corner.nothing_left("retried");
}

#[test]
fn who_follows_another_sprint_sees_its_end_although_the_first_one_is_over_earlier() {
    let corner = corner();
    let go = corner.root().join("go");
    corner.sprint(HEAD.to_owned() + &waiting("first", &go));
    let mut first = corner.start();
    corner.wait_for("the first", |status| runs(status, "first"));

    let later = corner.root().join("later");
    let other = HEAD.replace("id = \"s\"", "id = \"t\"") + &waiting("second", &later);
    let file = corner.root().join("other.toml");
    fs::write(&file, other).expect("written");
    let mut second = corner.start_file(&file);
    corner.wait_for("the second", |_| {
        let said = corner.tell(&["status", "--sprint", "t", "--json"]);
        runs(
            &serde_json::from_str(&said.out).unwrap_or(Value::Null),
            "second",
        )
    });
    fs::write(&go, "").expect("written");
    corner.wait_for("the end of the first", |_| {
        let said = corner.tell(&["status", "--sprint", "s", "--json"]);
        said.out.contains("\"done\"")
    });
    // Its process goes on for the other one.
    let early = director_tests::process::ended_within(&mut first.0, Duration::from_secs(1));
    assert!(early.is_none(), "{early:?}");
    fs::write(&later, "").expect("written");
    assert_eq!(second.code_within(Duration::from_secs(60)), Some(0));
    assert_eq!(first.code_within(Duration::from_secs(60)), Some(0));
    assert_eq!(corner.git(&["show", "sprint/t:second"]), "second");
    corner.nothing_left("two terminals");
}
