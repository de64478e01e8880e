//! Risks of the plan, through the real program: one comes true, what was foreseen is done, and the retrospective cites it.

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

#[test]
fn a_risk_that_comes_true_is_met_as_foreseen_and_the_retrospective_cites_it() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    // A second at most is what the plan knows of; the first of them takes longer.
    let task = |id: &str, after: &str, run: &str| {
        format!(
            "[[task]]\nid = \"{id}\"\nkind = \"architecture\"\ndepends_on = [{after}]\nrun = \"{run}echo {id} > {id}\"\n\
             estimate = {{ optimistic = 0.0001, likely = 0.0002, pessimistic = 0.0003 }}\n"
        )
    };
    let head = HEAD.replace(
        "count = 2",
        "covers = [\"architecture\"]\n\n[team.tech-lead]\nkinds = [\"architecture\"]",
    );
    corner.sprint(format!(
        "{head}{}{}",
        task("draft", "", "sleep 4; "),
        task("design", "\"draft\"", "")
    ));
    let run = corner.run();
    assert_eq!(run.code, 0, "{run:?}");
    let report = corner.report();
    let agents: Vec<_> = ["draft", "design"]
        .map(|id| {
            let tasks = report["tasks"].as_array().into_iter().flatten();
            let mut found = tasks.filter(|task| task["id"] == id);
            found
                .next()
                .map_or(Value::Null, |task| task["agent"].clone())
        })
        .to_vec();
    assert_eq!(agents, ["tech-lead-1", "fullstack-engineer-1"], "{report}");

    let events = corner.tell(&["events", "--json"]).out;
    let named = |name: &str| -> Vec<Value> {
        let read = events
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        read.filter(|event: &Value| event["event"] == name)
            .collect()
    };
    let (came, done) = (named("risk_triggered"), named("fallback_applied"));
    assert_eq!((came.len(), done.len()), (1, 1), "once each: {events}");
    assert_eq!(came[0]["task_id"], "draft");
    assert_eq!(done[0]["batch"], serde_json::json!(["design"]));
    assert_eq!(done[0]["to"], "fullstack-engineer");

    let retro = corner.tell(&["retro", "--json"]);
    let read: Value = serde_json::from_str(&retro.out).unwrap_or_else(|_| panic!("{retro:?}"));
    let found = &read["risks_come_true"][0];
    assert_eq!(
        found["seqs"],
        serde_json::json!([came[0]["seq"], done[0]["seq"]]),
        "{found}"
    );
    corner.nothing_left("a risk");
}
