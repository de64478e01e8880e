//! People in the team, with the real program: their tasks wait in the inbox, through kills, and their answers count.

use std::fs;

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

fn json(corner: &Corner, words: &[&str]) -> Value {
    let said = corner.tell(words);
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

/// A page that an agent makes from the logo that a person draws.
const TASKS: &str = r#"
[team.designer]
agent = "person"
kinds = ["design"]

[[task]]
id = "logo"
kind = "design"
title = "Draw the logo"
description = "In one colour."
acceptance = ["it is round"]

[[task]]
id = "page"
depends_on = ["logo"]
run = "cat logo.txt > page.txt"
"#;

#[test]
fn a_person_does_a_task_in_its_worktree_and_says_so() {
    let corner = corner();
    let told = corner.root().join("told");
    let notify = format!(
        "\n[notify]\nrun = '''cat >> {0}; echo \"$DIRECTOR_EVENT $DIRECTOR_KEY\" >> {0}'''\n",
        told.display()
    );
    corner.sprint(HEAD.to_owned() + &notify + TASKS);
    let said = corner.run();
    assert_eq!(said.code, 3, "{said:?}");
    for part in [
        "Draw the logo",
        "Assigning Task: logo",
        "Acceptance Criteria:",
        "it is round",
        "director approve 1",
    ] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    // The one who notifies has been run to its end before `run` ended.
    let line = fs::read_to_string(&told).expect("the notification");
    let event: Value = serde_json::from_str(line.lines().next().unwrap_or_default()).expect("JSON");
    assert_eq!(event["event"], "inbox_opened");
    assert_eq!(event["task_id"], "logo");
    assert_eq!(line.lines().count(), 2, "told once: {line}");

    let inbox = json(&corner, &["inbox", "--json"]);
    assert_eq!(inbox["inbox"][0]["kind"], "task", "{inbox}");
    let why = corner.tell(&["why", "logo"]);
    assert!(why.out.contains("inbox #1"), "{why:?}");

    // Nothing is interrupted by a start and a stop: the same item waits.
    assert_eq!(corner.run().code, 3);
    assert_eq!(json(&corner, &["inbox", "--json"])["inbox"][0]["id"], 1);

    // Saying no sends it on; nobody else can draw, so it waits for words.
    let no = corner.tell(&["reject", "1", "which", "colour?"]);
    assert_eq!(no.code, 0, "{no:?}");
    let said = corner.run();
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("which colour?"), "{said:?}");
    assert_eq!(corner.tell(&["answer", "2", "blue"]).code, 0);
    assert_eq!(corner.run().code, 3);
    fs::write(corner.repo().join(".worktrees/logo/logo.txt"), "O\n").expect("the logo");
    let yes = corner.tell(&["approve", "3"]);
    assert_eq!(yes.code, 0, "{yes:?}");
    let done = corner.run();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(corner.merged("page.txt"), "O");
    let report = corner.report();
    assert_eq!(report["tasks"][0]["agent"], "designer-1", "{report}");
    corner.nothing_left("a person's sprint");
}

#[test]
fn nobody_comes_and_the_default_ends_the_wait_while_the_sprint_runs() {
    let corner = corner();
    let rule = "\n[inbox]\ntask = { within = \"300ms\", default = \"approve\" }\n";
    let task = TASKS.replace("title =", "expects = \"nothing\"\ntitle =");
    let task = task.replace("cat logo.txt >", "echo page >");
    corner.sprint(HEAD.to_owned() + rule + &task);
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    let events = corner.tell(&["events", "--json"]);
    let answered = events
        .out
        .lines()
        .find(|line| line.contains("\"inbox_answered\""));
    let answered: Value = serde_json::from_str(answered.expect("it was answered")).expect("JSON");
    assert_eq!(answered["reply"], "approve");
    assert_eq!(answered["by"], "director (nobody answered in time)");
    corner.nothing_left("a default");
}
