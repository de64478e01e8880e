//! Conflicts between work under way with the real program: seen while both still work, told, and of use when one comes second.

use std::fs;
use std::path::Path;
use std::time::Duration;

use director_tests::corner::{Corner, HEAD};
use director_tests::process;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

/// Writes its own name into the first line of a file, leaves it uncommitted, and ends once there is a file for that.
fn task(id: &str, go: &Path) -> String {
    format!(
        r#"
[[task]]
id = "{id}"
run = '''
sed -i '1s/.*/{id}/' "the file"
until test -e "{}/{id}"; do sleep 0.05; done
'''
"#,
        go.display()
    )
}

/// A corner in which three tasks can begin at once; two of them change the same line.
fn corner() -> (Corner, std::path::PathBuf) {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let go = corner.root().join("go");
    fs::create_dir(&go).expect("a directory");
    fs::write(corner.repo().join("the file"), "one\ntwo\nthree\n").expect("a file");
    corner.commit("a file");
    let other = task("elsewhere", &go).replace("the file", "README");
    let head = HEAD.replace("count = 2", "count = 3");
    corner.sprint(head + &task("left", &go) + &task("right", &go) + &other);
    (corner, go)
}

/// What is printed, without the width of a terminal.
fn words(corner: &Corner, asked: &[&str]) -> String {
    let out = corner.tell(asked).out;
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What an attempt was given in its hand-off file.
fn handoff(corner: &Corner, task: &str, attempt: u32) -> Value {
    let tasks = fs::read_dir(corner.data_dir().join("attempts")).expect("attempts");
    let files = tasks.map(|of| {
        of.expect("a task")
            .path()
            .join(attempt.to_string())
            .join("handoff.json")
    });
    let mut read =
        files.filter_map(|file| serde_json::from_slice::<Value>(&fs::read(file).ok()?).ok());
    read.find(|handoff| handoff["task"] == task)
        .expect("a hand-off file")
}

fn conflicts(status: &Value) -> usize {
    status["conflicts"].as_array().map_or(0, Vec::len)
}

#[test]
fn two_that_change_the_same_line_are_named_while_both_still_work() {
    let (corner, go) = corner();
    let mut run = corner.start();
    corner.wait_for("a conflict of two at work", |status| conflicts(status) == 1);
    let seen: Value = serde_json::from_str(&corner.tell(&["status", "--json"]).out).expect("JSON");
    let conflict = &seen["conflicts"][0];
    assert_eq!(
        (&conflict["task"], &conflict["with"], &conflict["files"]),
        (
            &"left".into(),
            &"right".into(),
            &serde_json::json!(["the file"])
        ),
        "{conflict:#}"
    );
    for of in ["left", "right"] {
        let task = seen["tasks"].as_array().expect("tasks").iter();
        let mut task = task.filter(|task| task["id"] == of);
        assert_eq!(task.next().expect("a task")["status"], "working");
        let why = words(&corner, &["why", of]);
        let said = "left and right, both under way, change the same places in `the file`";
        assert!(why.contains(said), "{why}");
    }
    let text = words(&corner, &["status"]);
    assert!(
        text.contains("conflict: left and right, both under way"),
        "{text}"
    );
    let why = words(&corner, &["why", "elsewhere"]);
    assert!(!why.contains("same places"), "{why}");

    // The first one is merged; the other one still works, and is in conflict with what was merged now.
    fs::write(go.join("left"), "").expect("a file");
    corner.wait_for("a conflict with what was merged", |status| {
        conflicts(status) == 1 && status["conflicts"][0]["with"].is_null()
    });
    let text = words(&corner, &["status"]);
    let said = "right would not merge any more: left, merged since it began, changes the same places in `the file`";
    assert!(text.contains(said), "{text}");

    // It comes back once, with what it needs to know, and begins on what was merged.
    fs::write(go.join("right"), "").expect("a file");
    fs::write(go.join("elsewhere"), "").expect("a file");
    assert_eq!(run.code_within(SOON), Some(0));
    assert_eq!(
        corner.ends(),
        "elsewhere completed, left completed, right completed"
    );
    assert_eq!(corner.merged("the file"), "right\ntwo\nthree");
    let told = corner.events("agent_told");
    assert_eq!(
        told.len(),
        3,
        "both of each other, one of what was merged: {told:#?}"
    );
    let given = handoff(&corner, "right", 2);
    let advice = given["guidance"].to_string();
    assert!(
        advice.contains("left changed the same places, in `the file`, and is merged"),
        "{given:#}"
    );
    assert_eq!(given["handoff"][0]["task"], "left", "{given:#}");
    let over = corner.events("conflict_over");
    assert_eq!(
        (corner.events("conflict_foreseen").len(), over.len()),
        (2, 2),
        "{over:#?}"
    );
    // What looks have made is gone, and the repository has none of it.
    assert!(!corner.data_dir().join("looks").exists());
    corner.nothing_left("conflicts");
}

#[test]
fn after_a_kill_nothing_is_lost_and_what_is_there_again_is_seen_again() {
    let (corner, go) = corner();
    let mut run = corner.start();
    corner.wait_for("a conflict of two at work", |status| conflicts(status) == 1);
    run.0.kill().expect("it runs");
    run.0.wait().expect("an end");
    assert_eq!(process::left_after(&corner.root(), SOON), [""; 0]);
    // Both begin again, and so does the conflict of their new attempts.
    let mut run = corner.start();
    corner.wait_for("the conflict of the second attempts", |status| {
        let attempts = |task: &Value| task["id"] == "elsewhere" || task["attempt"] == 2;
        let tasks = status["tasks"].as_array();
        conflicts(status) == 1 && tasks.is_some_and(|tasks| tasks.iter().all(attempts))
    });
    assert_eq!(corner.events("conflict_foreseen").len(), 2);
    // Their agents hear of it with their assignment, so nobody is told of it again.
    assert_eq!(corner.events("agent_told").len(), 2);
    let given = handoff(&corner, "left", 2);
    let advice = given["guidance"].to_string();
    assert!(
        advice.contains("right, which is not merged yet, changes the same places"),
        "{given:#}"
    );
    for id in ["left", "right", "elsewhere"] {
        fs::write(go.join(id), "").expect("a file");
    }
    assert_eq!(run.code_within(SOON), Some(0));
    assert_eq!(
        corner.ends(),
        "elsewhere completed, left completed, right completed"
    );
    corner.nothing_left("a kill");
}
