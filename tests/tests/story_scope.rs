//! A running sprint that changes, with the real program: a changed file, and what other teams send.

use std::fs;

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

fn task(id: &str, more: &str) -> String {
    format!("\n[[task]]\nid = \"{id}\"\nrun = \"echo {id} > {id}\"\n{more}\n")
}

/// A task that runs until a file is there.
fn waiting(id: &str, go: &std::path::Path) -> String {
    format!(
        "\n[[task]]\nid = \"{id}\"\nrun = \"echo half > {id}.half; until test -e {}; do sleep 0.05; done; echo {id} > {id}\"\n",
        go.display()
    )
}

fn runs(status: &Value, id: &str) -> bool {
    let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    tasks
        .iter()
        .any(|task| task["id"] == id && task["status"] == "working")
}

#[test]
fn a_changed_file_and_what_others_send_change_a_running_sprint() {
    let corner = corner();
    let go = corner.root().join("go");
    let before = HEAD.to_owned()
        + &waiting("kept", &go)
        + &waiting("gone", &go)
        + &task("last", "depends_on = [\"kept\", \"gone\"]");
    corner.sprint(&before);
    let mut run = corner.start();
    corner.wait_for("both", |status| {
        runs(status, "kept") && runs(status, "gone")
    });

    let file = corner.file();
    let file = file.to_string_lossy();
    let same = corner.tell(&["replan", &file]);
    assert_eq!(same.code, 0, "{same:?}");
    assert!(same.out.contains("is what the file says"), "{same:?}");
    let after = HEAD.to_owned()
        + &waiting("kept", &go)
        + &task("new", "")
        + &task("last", "depends_on = [\"kept\", \"new\"]");
    corner.sprint(&after);
    let shown = corner.tell(&["replan", &file]);
    assert_eq!(shown.code, 2, "nobody agreed: {shown:?}");
    for part in ["+ new: new", "~ last: dependencies", "- gone (working)"] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let applied = corner.tell(&["replan", &file, "--yes"]);
    assert_eq!(applied.code, 0, "{applied:?}");

    // QA found a bug, which is mended in the same sprint.
    let bug = corner.root().join("bug.json");
    fs::write(
        &bug,
        r#"{"task": {"id": "hole", "run": {"shell": "echo mended > hole"}}, "found_in": "kept", "severity": "high"}"#,
    )
    .expect("a file");
    let bug = bug.to_string_lossy();
    let sent = corner.tell(&["send", "critical_bug_discovered", "--json", &bug]);
    assert_eq!(sent.code, 0, "{sent:?}");
    let unknown = corner.tell(&["send", "bug_found", "--json", &bug]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    let other = corner.tell(&["send", "agent_blocked", "--json", &bug]);
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.err.contains("agent_blocked"), "{other:?}");

    fs::write(&go, "").expect("a file");
    let code = run.code_within(std::time::Duration::from_secs(60));
    assert_eq!(code, Some(0));
    assert_eq!(
        corner.ends(),
        "gone cancelled, hole completed, kept completed, last completed, new completed"
    );
    assert_eq!(corner.merged("hole"), "mended");
    let ready = corner.root().join("ready.json");
    fs::write(&ready, "{}").expect("a file");
    let late = corner.tell(&[
        "send",
        "devops_deployment_ready",
        "--json",
        &ready.to_string_lossy(),
    ]);
    assert_eq!(late.code, 2, "the sprint has ended: {late:?}");
    corner.nothing_left("a replan");
}
