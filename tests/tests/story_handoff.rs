//! What one command leaves reaches the next, by the hash of its content, and work goes to who changed its files before, with the
//! real program.

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

const SPRINT: &str = r#"
[sprint]
id = "hand-on"
[[task]]
id = "measure"
kind = "research"
run = '''
printf '42 metres\n' > found.txt
printf '{"summary": "measured", "artifacts": ["found.txt"]}' > "$DIRECTOR_REPORT"
'''
[[task]]
id = "quote"
kind = "research"
depends_on = ["measure"]
run = '''
kept=$(sed -n 's/.*"path": "\(.*\)".*/\1/p' "$DIRECTOR_HANDOFF")
cp "$kept" quoted.txt
printf '{"summary": "it says %s", "artifacts": ["quoted.txt"]}' "$(cat quoted.txt)" > "$DIRECTOR_REPORT"
'''
"#;

#[test]
fn an_artifact_without_a_repository_is_kept_by_its_hash_and_handed_on() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    corner.sprint(SPRINT);
    let said = corner.run();
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let events = corner.tell(&["events", "--json"]);
    let reports: Vec<serde_json::Value> = events
        .out
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|event| event["event"] == "attempt_ended")
        .map(|event| event["end"]["done"].clone())
        .collect();
    assert_eq!(reports.len(), 2, "{}", events.out);
    assert_eq!(reports[1]["summary"], "it says 42 metres");
    let names: Vec<&str> = reports
        .iter()
        .filter_map(|report| report["artifacts"][0]["sha256"].as_str())
        .collect();
    assert_eq!(names[0], names[1], "the same content has the same name");
    // Without a repository the data directory lies beside the sprint file.
    let blobs = corner.root().join(".director").join("blobs");
    let kept = std::fs::read_to_string(blobs.join(names[0]));
    assert_eq!(kept.expect("the content is kept"), "42 metres\n");
}

/// A task that changes a file, as long as the other one of the two is at work, so that two agents have them.
fn beside(id: &str, other: &str, file: &str, place: &std::path::Path) -> String {
    let place = place.display();
    format!(
        r#"
[[task]]
id = "{id}"
run = "touch {place}/{id}; until test -e {place}/{other}; do sleep 0.05; done; mkdir -p src; echo {id} > {file}"
"#
    )
}

#[test]
fn work_goes_to_the_agent_that_changed_its_files_before() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let root = corner.root();
    let tasks = beside("pay", "cart", "src/pay.rs", &root)
        + &beside("cart", "pay", "src/cart.rs", &root)
        + r#"
[team.documentation-writer]
[[task]]
id = "guide"
kind = "documentation"
depends_on = ["pay", "cart"]
run = "echo guide > guide.md"
[[task]]
id = "refund"
depends_on = ["guide"]
files = ["src/cart.rs"]
run = "echo refund >> src/cart.rs"
[[task]]
id = "appendix"
kind = "documentation"
depends_on = ["refund"]
run = "echo appendix > appendix.md"
[[task]]
id = "rounding"
description = "Prices are rounded up in src/cart.rs, and shall not be."
depends_on = ["appendix"]
run = "echo rounding >> src/cart.rs"
"#;
    corner.sprint(HEAD.to_owned() + &tasks);
    let said = corner.run();
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);

    let events = corner.tell(&["events", "--json"]);
    let events: Vec<Value> = events
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    let of = |event: &str, task: &str| -> Value {
        let mut found = events.iter();
        let found = found.find(|row| row["event"] == event && row["task_id"] == task);
        found.cloned().unwrap_or_default()
    };
    let changed = of("work_committed", "cart");
    assert_eq!(changed["files"][0], "src/cart.rs", "{changed}");
    let who = |task: &str| of("task_assigned", task)["agent_id"].clone();
    assert_ne!(who("pay"), who("cart"));
    for task in ["refund", "rounding"] {
        let assigned = of("task_assigned", task);
        assert_eq!(assigned["agent_id"], who("cart"), "{assigned}");
        assert_eq!(assigned["score"]["files"], 1, "{assigned}");
        assert_eq!(assigned["score"]["continuity"], 0.6, "{assigned}");
    }
    // `why` says it in words.
    let why = corner.tell(&["why", "refund"]).out;
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(why.contains("it changed 1 file of it before"), "{why}");
}
