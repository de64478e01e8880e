//! The merge queue with the real program: several tasks that wait are merged and gated together, and halves find the one that is red.

use std::fs;
use std::time::Duration;

use director_tests::corner::{Corner, HEAD};

#[test]
fn many_are_gated_at_once_and_the_one_that_is_red_is_found_by_halves() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let place = corner.root();
    let shown = place.display();
    // The first that is gated is held until it may go on. A red file is red wherever it is.
    let gate = format!(
        "echo run >> {shown}/runs
test -e bad && exit 1
test -e work && ! test -e {shown}/first || exit 0
touch {shown}/first
for i in $(seq 600); do test -e {shown}/go && exit 0; sleep 0.1; done
exit 2
"
    );
    fs::write(corner.repo().join("gate.sh"), gate).expect("a script");
    corner.commit("a gate");
    let head = HEAD
        .replace("count = 2", "count = 8")
        .replace("attempts_max = 2", "attempts_max = 1\nmerge_batch = 8")
        .replace("tests = false", "tests = { run = \"sh gate.sh\" }");
    let task = |id: &str, run: &str| {
        let run = format!("mkdir -p work; echo {id} > work/{id}; {run}");
        format!("[[task]]\nid = \"{id}\"\nrun = \"{run}\"\n")
    };
    let tasks: String = ["a", "b", "c", "d", "e", "f", "g"]
        .map(|id| task(id, &format!("echo {id} > {id}")))
        .concat();
    // It is never the one in front.
    let red = format!("while ! test -e {shown}/first; do sleep 0.05; done; echo red > bad");
    corner.sprint(head + &tasks + &task("red", &red));
    let mut run = corner.start();
    corner.wait_for("all others behind the first", |status| {
        status["counts"]["queued"] == 7
    });
    fs::write(place.join("go"), "").expect("a file");
    assert_eq!(run.code_within(Duration::from_secs(60)), Some(1));
    assert_eq!(
        corner.ends(),
        "a completed, b completed, c completed, d completed, e completed, f completed, g completed, red failed"
    );
    let splits = corner.events("merge_split");
    assert!(!splits.is_empty());
    let reason = splits[0]["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("gate `tests` failed (exit code 1)"),
        "{reason}"
    );
    // Nobody was sent back for what another did.
    assert_eq!(corner.events("work_rejected").len(), 1);
    let gated = fs::read_to_string(place.join("runs")).expect("the gates ran");
    let gated = gated.lines().count();
    assert!(
        gated < 8 + 1,
        "{gated} runs of the gate, one by one it is 8 and the base"
    );
    for file in ["a", "b", "c", "d", "e", "f", "g"] {
        assert_eq!(corner.merged(file), file);
    }
    let log = corner.git(&["log", "--merges", "--format=%s", "sprint/s"]);
    assert_eq!(log.lines().count(), 7, "each has a merge of its own: {log}");
    corner.nothing_left("batches");
}
