//! An emergency with the real program: other work is checkpointed, a person answers, work goes on, and the incident is
//! closed only with all seven steps.

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

const TASKS: &str = r#"
[ladder]
running = "checkpoint"
resolution = "3h"

[[task]]
id = "fire"
priority = "critical"
hours = 2
run = '''
test "$DIRECTOR_ATTEMPT" -gt 1 && { echo out > fire; exit 0; }
until test -e ../side/half; do sleep 0.05; done
echo '{"blocker":{"type":"outage","severity":"critical","text":"the vault is gone"}}' > "$DIRECTOR_REPORT"
exit 1
'''

[[task]]
id = "side"
hours = 1
run = '''
test "$DIRECTOR_ATTEMPT" -gt 1 && { echo side > side; exit 0; }
echo half > half
sleep 60
'''
"#;

#[test]
fn an_emergency_stops_other_work_and_its_incident_needs_seven_steps() {
    let corner = corner();
    corner.sprint(HEAD.to_owned() + TASKS);
    let said = corner.run();
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("the vault is gone"), "{said:?}");
    let status = corner.tell(&["status", "--json"]);
    let status: Value = serde_json::from_str(&status.out).expect("JSON");
    assert_eq!(status["state"], "emergency");
    let shown = corner.tell(&["incident", "1"]);
    for part in [
        "the sprint ends 3h",
        "3. root_cause: missing",
        "whoever answers the inbox",
    ] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let early = corner.tell(&["incident", "1", "--close"]);
    assert_eq!(early.code, 2, "{early:?}");
    assert!(
        early
            .err
            .contains("root_cause, recovery, documentation, improvement missing"),
        "{early:?}"
    );

    assert_eq!(corner.tell(&["answer", "1", "it is back"]).code, 0);
    let done = corner.run();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(corner.merged("side"), "side");
    // What it was in the middle of was saved before it was called off.
    let salvaged = corner.git(&[
        "for-each-ref",
        "refs/director/salvage/",
        "--format=%(refname)",
    ]);
    assert!(salvaged.contains("/side/"), "{salvaged}");
    for (step, text) in [
        ("root_cause", "a disk was full"),
        ("documentation", "in the wiki"),
        ("improvement", "watch the disk"),
    ] {
        let said = corner.tell(&["incident", "1", "--step", step, text]);
        assert_eq!(said.code, 0, "{said:?}");
    }
    let unknown = corner.tell(&["incident", "1", "--step", "blame", "x"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert_eq!(corner.tell(&["incident", "1", "--close"]).code, 0);
    let all = corner.tell(&["incident", "--json"]);
    let all: Value = serde_json::from_str(&all.out).expect("JSON");
    let first = &all["incidents"][0];
    assert!(first["closed"].is_string(), "{first}");
    assert_eq!(first["log"][0]["text"], "it is back");
    corner.nothing_left("an emergency");
}
