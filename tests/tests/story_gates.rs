//! Gates with the real program: judged by agents and people, measured from coverage files, answered with evidence, overridden.

use std::fs;

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

/// The head with these gates in place of none.
fn head(gates: &str) -> String {
    let mut head = HEAD.to_owned();
    for line in gates.lines() {
        let name = line.split(" =").next().unwrap_or_default();
        head = head.replace(&format!("{name} = false"), line);
    }
    head
}

fn events(corner: &Corner, name: &str) -> Vec<Value> {
    let said = corner.tell(&["events", "--json"]);
    let lines = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .filter(|event: &Value| event["event"] == name)
        .collect()
}

#[test]
fn a_reviewer_sends_work_back_and_a_person_has_the_last_word() {
    let corner = corner();
    // The reviewer looks at the author's worktree, and at what the report says.
    let review = r#"
[team.reviewer]
kinds = ["review"]

[[task]]
id = "page"
run = '''
if grep -q ROUND "$DIRECTOR_HANDOFF"; then echo round > page; else echo square > page; fi
'''
acceptance = ["it is round"]
"#;
    let gates = r#"review = { by = "reviewer", rounds = 2, run = "if grep -q square page; then echo '{\"findings\":[\"page:1 make it ROUND\"]}' > $DIRECTOR_REPORT; fi" }
docs = { by = "person", rounds = 2 }"#;
    corner.sprint(head(gates) + review);
    let said = corner.run();
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("This is the gate `docs`"), "{said:?}");
    // Both are asked at once; the person lets it pass, the reviewer did not.
    assert_eq!(corner.tell(&["approve", "1"]).code, 0);
    let said = corner.run();
    assert_eq!(said.code, 3, "{said:?}");
    assert_eq!(corner.tell(&["reject", "2", "no", "words"]).code, 0);
    let said = corner.run();
    assert_eq!(said.code, 3, "{said:?}");
    // Two rounds were one too many: a person decides, and overrides what is left.
    assert!(said.out.contains("after 2 rounds"), "{said:?}");
    assert_eq!(corner.tell(&["answer", "3", "go on"]).code, 0);
    let no = corner.tell(&["gate", "override", "page", "dcos", "no time"]);
    assert_eq!(no.code, 2, "{no:?}");
    assert!(no.err.contains("it has: "), "{no:?}");
    assert_eq!(
        corner
            .tell(&["gate", "override", "page", "docs", "no time"])
            .code,
        0
    );
    let done = corner.run();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(corner.merged("page"), "round");

    let rounds: Vec<_> = events(&corner, "work_reviewed");
    let passed: Vec<_> = rounds.iter().map(|event| event["passed"] == true).collect();
    assert_eq!(passed, [false, false, true], "{rounds:?}");
    let status = events(&corner, "quality_gate_status")
        .pop()
        .expect("a last one");
    assert_eq!(status["code_review_completion"], 1.0, "{status}");
    assert_eq!(status["documentation_status"], Value::Null, "{status}");
    let overridden = &events(&corner, "gate_overridden")[0];
    assert_eq!(overridden["reason"], "no time");
    let report = corner.report();
    assert_eq!(
        report["tasks"].as_array().map(Vec::len),
        Some(1),
        "help is no task: {report}"
    );
    corner.nothing_left("a review");
}

#[test]
fn coverage_is_read_from_the_merged_tree_and_must_not_get_worse_than_a_bad_base() {
    let corner = corner();
    fs::write(
        corner.repo().join("measure.sh"),
        "n=$(cat hit 2>/dev/null || echo 50)\nprintf 'SF:a\\nLF:100\\nLH:%s\\nend_of_record\\n' $n > lcov.info\n",
    )
    .expect("a script");
    fs::write(corner.repo().join(".gitignore"), "lcov.info\n").expect("a file");
    corner.commit("measure");
    let tasks = r#"
[[task]]
id = "good"
run = "echo 61 > hit"
[[task]]
id = "bad"
depends_on = ["good"]
run = "echo 49 > hit"
"#;
    corner.sprint(head("tests = \"sh measure.sh\"\ncoverage = 80") + tasks);
    let said = corner.run();
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(corner.ends(), "bad failed, good completed");
    let status = events(&corner, "quality_gate_status");
    assert_eq!(status[0]["test_coverage"], 61.0, "{:?}", status[0]);
    assert_eq!(status[0]["passed"], true, "the base has 50");
    let last = status.last().expect("a last one");
    let gates = last["outcomes"].as_array().expect("outcomes");
    let coverage = gates.iter().find(|gate| gate["gate"] == "coverage");
    let coverage = coverage.expect("it was measured");
    assert_eq!(coverage["verdict"], "failed");
    assert_eq!(
        coverage["evidence"],
        "49 of 100 lines are covered, 49.00 % (lcov.info); at least 50.00 % are wanted"
    );
    assert_eq!(last["commit"], "COMMIT", "the tree is named");
    assert_eq!(corner.report()["metrics"]["coverage"], 49.0);
    corner.nothing_left("coverage");
}
