//! The verdict *wedged* with the real program: a command that shows no sign of life is ended and made again, one that
//! computes without a word is left alone.

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

/// Both run for longer than `wedged_after`; what differs is what they use.
const TASKS: &str = r#"
[[task]]
id = "stuck"
run = '''
echo half > half
test "$DIRECTOR_ATTEMPT" -gt 1 || { sleep 1000 & sleep 1001; }
echo stuck > stuck
'''
[[task]]
id = "computes"
run = '''
(ulimit -t 6; while :; do :; done)
echo computes > computes
'''
"#;

#[test]
fn a_command_without_a_sign_of_life_is_ended_as_wedged_and_one_that_computes_is_not() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let head = HEAD.replace(
        "[limits]",
        "[limits]\nsilent_after = \"1s\"\nwedged_after = \"3s\"",
    );
    let said = corner.sprint(head + TASKS).run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.ends(), "computes completed, stuck completed");

    let exported = corner.tell(&["journal", "export", "--json"]).out;
    let events: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    let ends = |task: &str| -> Vec<String> {
        let ends = events
            .iter()
            .filter(|event| event["event"] == "attempt_ended" && event["task_id"] == task);
        ends.map(|event| event["end"].to_string()).collect()
    };
    let [wedged, done] = &ends("stuck")[..] else {
        panic!("{:?}", ends("stuck"))
    };
    assert!(wedged.contains("timed_out"), "{wedged}");
    assert!(
        wedged.contains("showed no sign of life for 3.0s"),
        "{wedged}"
    );
    assert!(done.contains("done"), "{done}");
    assert_eq!(ends("computes").len(), 1, "{:?}", ends("computes"));

    let words = |task: &str| -> Vec<&str> {
        let told = events
            .iter()
            .filter(|event| event["event"] == "liveness_changed" && event["task_id"] == task);
        told.filter_map(|event| event["state"].as_str()).collect()
    };
    assert_eq!(words("stuck"), ["silent", "wedged"]);
    assert!(
        !words("computes").contains(&"wedged"),
        "{:?}",
        words("computes")
    );
    // What the wedged attempt had written is saved, and what it had started is gone.
    assert_eq!(
        corner.git(&["show", "refs/director/salvage/s/stuck/1:half"]),
        "half"
    );
    corner.nothing_left("wedged");
}
