//! Budgets with the real program: what is spent while it works, a kill in between, what people see, and a person who pays.

use std::fs;
use std::time::Duration;

use director_tests::corner::{Corner, HEAD};
use director_tests::process;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

/// Says at once what it costs, and ends when there is a file.
fn task(id: &str, cost: &str, go: &str) -> String {
    format!(
        r#"
[[task]]
id = "{id}"
run = '''
echo '{{"cost_usd": {cost}}}' > "$DIRECTOR_REPORT.new"
mv "$DIRECTOR_REPORT.new" "$DIRECTOR_REPORT"
until test -e {go}; do sleep 0.05; done
echo {id} > {id}
'''
"#
    )
}

/// What is printed, without the width of a terminal.
fn words(corner: &Corner, asked: &[&str]) -> String {
    let out = corner.tell(asked).out;
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn status(corner: &Corner) -> Value {
    serde_json::from_str(&corner.tell(&["status", "--json"]).out).expect("JSON")
}

#[test]
fn nothing_goes_beyond_a_budget_also_after_a_kill_until_a_person_raises_it() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let go = corner.root().join("go");
    let go_words = go.display().to_string();
    let head = HEAD.replace("count = 2", "count = 1").replace(
        "[limits]",
        "[budget]\ncost_usd = 3\nwarn_usd = 2\nexpected_usd = 1\n[limits]\nsilent_after = \"20s\"\nwedged_after = \"5m\"",
    );
    corner.sprint(
        head + &task("pay", "1.25", &go_words)
            + &task("cart", "0.75", &go_words)
            + "depends_on = [\"pay\"]\n",
    );
    let mut run = corner.start();
    corner.wait_for("money that is spent", |status| {
        status["budgets"][0]["spent_usd"] == 1.25
    });
    let seen = status(&corner);
    let budget = &seen["budgets"][0];
    assert_eq!(
        (&budget["of"], &budget["limit_usd"], &budget["reserved_usd"]),
        (&"sprint".into(), &3.0.into(), &0.0.into()),
        "{budget:#}"
    );
    let text = words(&corner, &["status"]);
    assert!(
        text.contains("budget of the sprint: $1.25 of $3.00 spent, $0.00 set aside, $1.75 left"),
        "{text}"
    );

    // What the killed attempt had spent is spent, and what was set aside for it is set aside anew for the next one.
    run.0.kill().expect("it runs");
    run.0.wait().expect("an end");
    assert_eq!(process::left_after(&corner.root(), SOON), [""; 0]);
    let mut run = corner.start();
    corner.wait_for("the second attempt's money", |status| {
        status["budgets"][0]["spent_usd"] == 2.5
    });
    fs::write(&go, "").expect("a file");

    // Half a dollar is left, and a dollar is expected to be needed: only a person can say how it goes on.
    assert_eq!(run.code_within(SOON), Some(3));
    assert_eq!(status(&corner)["budgets"][0]["waits"], "cart");
    let why = words(&corner, &["why", "cart"]);
    let short = "The budget of the sprint has $0.50 left, and it is expected to cost $1.00";
    assert!(why.contains(short), "{why}");
    let inbox = words(&corner, &["inbox"]);
    assert!(inbox.contains("A yes raises the limit to $4.50"), "{inbox}");
    assert!(
        inbox.contains("has reached its soft limit: $2.50 of $2.00"),
        "{inbox}"
    );
    let refused = corner.tell(&["budget", "a lot"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.err.contains("write one such as 12.50"),
        "{refused:?}"
    );
    let raised = corner.tell(&["budget", "4"]);
    assert_eq!(raised.code, 0, "{raised:?}");

    let mut run = corner.start();
    assert_eq!(run.code_within(SOON), Some(0));
    assert_eq!(corner.ends(), "cart completed, pay completed");
    let held = corner.events("cost_reserved");
    assert_eq!(held.len(), 3, "{held:#?}");
    let report = corner.report();
    assert_eq!(
        report["metrics"]["cost_usd"], 3.25,
        "{:#}",
        report["metrics"]
    );
    assert_eq!(report["budgets"][0]["left_usd"], 0.75, "{report:#}");
    let text = words(&corner, &["report"]);
    assert!(
        text.contains(r"of the sprint: \$3.25 of \$4.00 spent"),
        "{text}"
    );
    corner.nothing_left("budget");
}

#[test]
fn a_command_that_spends_more_than_an_attempt_may_is_ended() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let never = corner.root().join("never").display().to_string();
    let task = task("pay", "2.50", &never)
        + "budget = { cost_usd = 9, attempt_usd = 2, expected_usd = 1 }\n";
    corner.sprint(HEAD.to_owned() + &task);
    let said = corner.run();
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(corner.ends(), "pay failed");
    assert_eq!(corner.events("attempt_overspent").len(), 2);
    let why = words(&corner, &["why", "pay"]);
    assert!(
        why.contains("it had spent $2.50, more than the $2.00 that an attempt may"),
        "{why}"
    );
    corner.nothing_left("overspent");
}
