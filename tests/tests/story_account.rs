//! A provider that takes no more requests, with the real program: all of its account waits, what people see of it, and a kill in between.

use std::fs;
use std::time::Duration;

use director_tests::corner::{Corner, HEAD};
use director_tests::process;
use serde_json::Value;

/// Writes in its report that it was turned away for an hour, until there is a file.
fn task(id: &str, paid: &str) -> String {
    format!(
        r#"
[[task]]
id = "{id}"
run = '''
test -e {paid} && {{ echo {id} > {id}; exit 0; }}
echo '{{"limited": {{"seconds": 3600, "reason": "no more credit"}}}}' > "$DIRECTOR_REPORT"
exit 1
'''
"#
    )
}

#[test]
fn an_account_that_is_used_up_waits_for_its_time_or_a_persons_word_and_nobody_is_blamed() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let paid = corner.root().join("paid");
    let words = paid.display().to_string();
    // One at a time, so the second is never handed out before the first was turned away.
    let head = HEAD.replace(
        "[team.fullstack-engineer]\ncount = 2",
        "[agent.coder]\nkind = \"command\"\naccount = \"acme\"\n[team.fullstack-engineer]\nagent = \"coder\"\ncount = 1",
    );
    corner.sprint(head + &task("pay", &words) + &task("cart", &words));
    let mut run = corner.start();
    corner.wait_for("a parked account", |status| {
        status["parked"][0]["account"] == "acme"
    });
    let why = corner.tell(&["why", "cart"]).out;
    assert!(
        why.contains("the provider takes no more requests of the account acme until"),
        "{why}"
    );
    assert!(why.contains("director resume --account acme"), "{why}");
    let status = corner.tell(&["status"]).out;
    assert!(
        status.contains("director resume --account acme"),
        "{status}"
    );
    let refused = corner.tell(&["resume", "--account", "other"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.err.contains("those that wait are `acme`"),
        "{}",
        refused.err
    );
    // An hour is not over because the director was killed.
    run.0.kill().expect("it runs");
    run.0.wait().expect("an end");
    assert_eq!(
        process::left_after(&corner.root(), Duration::from_secs(10)),
        [""; 0]
    );
    let mut run = corner.start();
    corner.wait_for("the director again", |status| {
        status["counts"]["ready"] == 2
    });
    let status: Value =
        serde_json::from_str(&corner.tell(&["status", "--json"]).out).expect("JSON");
    assert_eq!(
        status["parked"][0]["reason"], "no more credit",
        "{status:#}"
    );

    fs::write(&paid, "").expect("a file");
    let freed = corner.tell(&["resume", "--account", "acme"]);
    assert_eq!(freed.code, 0, "{freed:?}");
    assert_eq!(run.code_within(Duration::from_secs(60)), Some(0));
    assert_eq!(corner.ends(), "cart completed, pay completed");
    let report = corner.report();
    assert_eq!(report["metrics"]["retries"], 1, "{:#}", report["metrics"]);
    corner.nothing_left("account");
}
