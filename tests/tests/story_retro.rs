//! A retrospective with the real program, in a team of commands: what was dropped does not come back, and what a retrospective asks
//! for is a task that somebody can do.

use director_tests::corner::{Corner, HEAD};
use serde_json::json;

#[test]
fn what_was_dropped_stays_away_and_an_action_item_is_for_somebody_who_takes_words() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    corner.sprint(format!(
        r#"{HEAD}
style = "! grep -n SLOPPY *"
[team.designer]
kinds = ["design"]
agent = "person"
count = 1
[[task]]
id = "write"
run = "if test -e ../../../tried; then echo well > work; else touch ../../../tried; echo SLOPPY > work; fi"
[[task]]
id = "logo"
kind = "design"
[[task]]
id = "stamps"
depends_on = ["logo"]
run = "echo stamps > stamps"
"#
    ));
    assert_eq!(corner.run().code, 3, "a person is waited for");
    let change = corner.root().join("change.json");
    std::fs::write(&change, json!({"drop": ["stamps", "logo"]}).to_string()).expect("a file");
    let sent = corner.tell(&[
        "send",
        "product_requirements_changed",
        "--json",
        &change.to_string_lossy(),
    ]);
    assert_eq!(sent.code, 0, "{sent:?}");
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        corner.report()["next_sprint"],
        json!([]),
        "nothing that is wanted remains"
    );

    // Two directors ran, and the first took its agents with it: nobody was restarted.
    let strain = &corner.report()["metrics"]["sustainability"];
    assert_eq!(strain["restarts"], 0, "{strain}");
    let accepted = corner.tell(&["retro", "--accept", "gate-style"]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let next = corner.root().join("next.toml");
    let next = next.to_string_lossy();
    let written = corner.tell(&["retro", "--next", &next]);
    assert_eq!(written.code, 0, "{written:?}");
    let text = std::fs::read_to_string(&*next).expect("the next sprint");
    assert!(
        !text.contains("stamps") && !text.contains("\"logo\""),
        "{text}"
    );
    // Nobody wrote a command for it, so it is for a person, and the file runs as it is.
    let run = corner.tell(&["run", &next]);
    assert_eq!(run.code, 3, "{run:?}");
    let inbox = corner.tell(&["inbox"]);
    assert!(inbox.out.contains("style"), "{}", inbox.out);
    let done = corner.tell(&["approve", "2"]);
    assert_eq!(done.code, 0, "{done:?}");
    let run = corner.tell(&["run", &next]);
    assert_eq!(run.code, 0, "{run:?}");
    corner.nothing_left("a retrospective");
}
