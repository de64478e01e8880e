//! An epic through the real program: by rule into sprint files that can be planned, and by an agent whose first plan is refused.

use std::fs;

use director_tests::corner::Corner;
use serde_json::{Value, json};

const EPIC: &str = r#"
[epic]
id = "shop"
title = "Shop"
start = 2026-11-23

[team.api-engineer]
count = 2

[gates]
tests = "true"

[[feature]]
id = "cart"
surfaces = ["ui", "api"]
acceptance = ["it survives a reload"]
"#;

/// A plan that has everything that is asked for.
fn plan() -> Value {
    let task = |id: &str, kind: &str, after: &[&str]| {
        json!({"id": id, "title": id, "kind": kind, "feature": "cart", "estimate": {"optimistic": 2, "likely": 4, "pessimistic": 9},
               "depends_on": after, "acceptance": ["it works"]})
    };
    json!({
        "architecture_plan": {"summary": "One table, one page.", "decisions": ["carts are kept by session"], "interfaces": []},
        "task": [
            task("design", "architecture", &[]), task("api", "api_endpoint", &["design"]), task("page", "ui_component", &["design"]),
            task("try", "testing", &["api", "page"]), task("read", "review", &["api", "page"]), task("write", "documentation", &["design"]),
        ],
        "risk_mitigation": [{"risk": "sessions end", "trigger": "carts are empty", "mitigation": "keep them", "fallback": "ask again"}],
    })
}

#[test]
fn an_epic_becomes_sprint_files_by_rule_or_with_a_checked_plan_of_an_agent() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let root = corner.root();
    let path = |name: &str| root.join(name).to_string_lossy().into_owned();
    let (epic, sprints) = (path("epic.toml"), path("sprints"));
    fs::write(&epic, EPIC).expect("written");
    let answer = |words: &[&str]| -> Value {
        let said = corner.tell(words);
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    };

    let by_rule = answer(&["epic", &epic, "--json", "-o", &sprints]);
    assert_eq!(by_rule["epic_id"], "shop");
    assert_eq!(by_rule["estimated_duration"]["sprints"], 1);
    assert!(
        !by_rule["risk_mitigation"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    let file = path("sprints/shop-1.toml");
    let text = fs::read_to_string(&file).expect("a sprint file");
    assert!(
        text.contains("[team.api-engineer]\ncount = 2") && text.contains("tests = \"true\""),
        "{text}"
    );
    let planned = answer(&["plan", "--json", &file]);
    let ids = |list: &Value| -> Vec<String> {
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|task| task["id"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(
        ids(&planned["tasks"]),
        ids(&by_rule["sprint_breakdown"][0]["tasks"])
    );
    // Written again it is the same; somebody's changes are not overwritten.
    assert_eq!(corner.tell(&["epic", &epic, "-o", &sprints]).code, 0);
    fs::write(&file, format!("{text}# mine\n")).expect("edited");
    let refused = corner.tell(&["epic", &epic, "-o", &sprints]);
    assert!(
        refused.code == 2 && refused.err.contains("is there already and is different"),
        "{refused:?}"
    );

    // The agent forgets the review the first time; the reasons come back to it, and it listens.
    let mut first = plan();
    first["task"].as_array_mut().expect("a list").remove(4);
    fs::write(path("first"), first.to_string()).expect("written");
    fs::write(
        path("second"),
        format!("Here it is:\n```json\n{}\n```\n", plan()),
    )
    .expect("written");
    let agent = "cat > asked; if grep -q 'Your last answer was refused' asked; then cat second; else cat first; fi";
    let said = corner.tell(&["epic", &epic, "--json", "--by", agent]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.err.contains("answer 1 of at most 3 is refused")
            && said
                .err
                .contains("no task of the kind `review` reviews it: feature `cart`"),
        "{}",
        said.err
    );
    let by_agent: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        by_agent["architecture_plan"]["decisions"][0],
        "carts are kept by session"
    );
    assert_eq!(ids(&by_agent["sprint_breakdown"][0]["tasks"]).len(), 6);
    assert_eq!(by_agent["risk_mitigation"][0]["risk"], "sessions end");
    let asked = fs::read_to_string(path("asked")).expect("what it was told");
    assert!(
        asked.starts_with("You are the engineering director")
            && asked.contains("surfaces = [\"ui\", \"api\"]"),
        "{asked}"
    );

    let never = corner.tell(&["epic", &epic, "--by", "cat first", "--tries", "2"]);
    assert_eq!(never.code, 4, "{never:?}");
    assert!(
        never.err.contains("the agent's plan was refused 2 times"),
        "{never:?}"
    );
    let gone = corner.tell(&["epic", &epic, "--by", "echo no >&2; exit 3"]);
    assert!(
        gone.err
            .contains("the agent gave no answer: it ended with Code(3): no"),
        "{gone:?}"
    );
    for (of, title) in [
        ("epic", "director epic file"),
        ("epic-plan", "director epic plan"),
        ("sprint", "director sprint file"),
    ] {
        assert_eq!(answer(&["schema", "--of", of])["title"], title);
    }
    fs::write(
        &epic,
        EPIC.replace("surfaces", "surface").replace("cart", "a/b"),
    )
    .expect("written");
    let bad = corner.tell(&["epic", &epic]);
    assert!(
        bad.code == 2
            && bad.err.contains("unknown key `surface`")
            && bad.err.contains("cannot be a name"),
        "{bad:?}"
    );
}
