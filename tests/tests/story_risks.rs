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
    let submitted = &named("sprint_submitted")[0]["seq"];
    assert_eq!(came[0]["seq"], done[0]["seq"], "in one decision");
    let cites = serde_json::json!([submitted, came[0]["seq"]]);
    assert_eq!(found["seqs"], cites, "{found}");

    // The report has what was foreseen, the one that came true with what was done; each cites where it was seen.
    let risks = report["risks"].as_array().expect("a list");
    assert_eq!(risks[0]["seqs"], cites, "{report}");
    let text = corner.tell(&["report", "--format", "md"]).out;
    let (_, shown) = text.split_once("## Risks\n").expect("the section");
    for part in [
        format!(
            "- [x] {}; draft has been at work",
            risks[0]["risk"].as_str().unwrap_or("?").replace('`', "\\`")
        ),
        format!("(events {submitted}, {})", came[0]["seq"]),
    ] {
        assert!(shown.contains(&part), "{part}: {shown}");
    }
    corner.nothing_left("a risk");

    // Where nothing is foreseen, that is said.
    let calm = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    calm.sprint(format!(
        "{HEAD}[[task]]\nid = \"a\"\nrun = \"echo a > a\"\n"
    ));
    assert_eq!(calm.run().code, 0);
    let text = calm.tell(&["report", "--format", "md"]).out;
    for section in ["Incidents", "Risks", "Lessons"] {
        let none = format!("## {section}\n\n- none\n");
        assert!(text.contains(&none), "{section}: {text}");
    }
}
