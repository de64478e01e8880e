//! What one command leaves reaches the next, by the hash of its content, with the real program.

use director_tests::corner::Corner;

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
