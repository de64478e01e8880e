//! First contact, through the real program: what `init` writes runs as it is, and what is not right on this machine is said first.

use std::time::Duration;

use director_tests::corner::{Corner, GOOD, HEAD};

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

#[test]
fn the_first_sprint_file_runs_as_it_is_in_a_repository_of_any_branch_and_goes_on_as_the_same() {
    let corner = corner();
    corner.git(&["branch", "--move", "main", "trunk"]);
    let repo = corner.repo().display().to_string();
    let said = corner.tell(&["init", &repo]);
    assert_eq!(said.code, 0, "{said:?}");
    let file = format!("{repo}/sprint.toml");
    let plan = corner.tell(&["plan", &file]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let run = corner.tell(&["run", &file]);
    assert_eq!(run.code, 0, "{run:?}");
    let notes = corner.git(&["show", "sprint/sprint-1:NOTES.md"]);
    assert!(notes.contains("## Day one"), "{notes}");
    let again = corner.tell(&["run", &file]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(!again.err.contains("differs"), "{}", again.err);

    // One that names no base is the same file after the base was found.
    let text =
        "[sprint]\nid = \"s\"\nrepo = \"repo\"\n\n[[task]]\nid = \"t\"\nrun = \"echo t > t\"\n";
    assert_eq!(corner.sprint(text).run().code, 0);
    let again = corner.run();
    assert!(
        again.code == 0 && !again.err.contains("differs"),
        "{again:?}"
    );
    let changed = text.replace("echo t", "echo u");
    let again = corner.sprint(changed).run();
    assert!(again.err.contains("differs"), "{again:?}");
}

#[test]
fn what_is_missing_on_this_machine_is_said_before_anything_starts() {
    let corner = corner();
    let task = "[[task]]\nid = \"t\"\ntitle = \"Pay\"\n";
    let with = |agent: &str| HEAD.replace("count = 2", &format!("agent = \"{agent}\"")) + task;
    let acp = with("coder") + "[agent.coder]\nkind = \"acp\"\nprogram = [\"no-such-program\"]\n";
    for (case, text, part) in [
        (
            "a program",
            acp.clone(),
            "the program `no-such-program`, which is not there",
        ),
        (
            "a repository",
            format!(
                "{}{task}run = \"true\"\n",
                HEAD.replace("\"repo\"", "\"nowhere\"")
            ),
            "nowhere",
        ),
        (
            "a branch",
            format!(
                "{}{task}run = \"true\"\n",
                HEAD.replace("\"main\"", "\"trunk\"")
            ),
            "trunk",
        ),
    ] {
        corner.sprint(&text);
        let file = corner.file().to_string_lossy().into_owned();
        let plan = corner.tell(&["plan", &file]);
        assert_eq!(plan.code, 0, "{case}: {plan:?}");
        assert!(plan.err.contains(part), "{case}: {}", plan.err);
        let run = corner.run();
        assert_eq!(run.code, 2, "{case}: {run:?}");
        assert!(run.err.contains(part), "{case}: {}", run.err);
    }
}

#[test]
fn a_copy_of_a_repository_is_not_taken_for_the_original() {
    let corner = corner();
    corner.sprint(format!("{HEAD}{GOOD}"));
    assert_eq!(corner.run().code, 0);
    let (from, to) = (corner.repo(), corner.root().join("copy"));
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&from, &to])
        .status();
    assert!(copied.expect("cp").success());
    let there = to.join(".director").display().to_string();
    for words in [&["status"][..], &["pause"], &["deliver"]] {
        let said = corner.tell(&[&["--data-dir", &there], words].concat());
        assert_ne!(said.code, 0, "{words:?}: {said:?}");
        assert!(said.err.contains("is a copy of"), "{words:?}: {}", said.err);
    }
    assert_eq!(
        corner.tell(&["deliver"]).code,
        0,
        "the original is as it was"
    );
}

#[test]
fn sprints_are_listed_and_two_runs_at_once_are_one() {
    let corner = corner();
    corner.sprint(format!("{HEAD}{GOOD}"));
    let runs: Vec<_> = (0..4)
        .map(|n| {
            corner.start_words(
                &["run", &corner.file().to_string_lossy()],
                &format!("run-{n}"),
            )
        })
        .collect();
    for mut run in runs {
        assert_eq!(run.code_within(Duration::from_secs(60)), Some(0));
    }
    let second = format!("{HEAD}{GOOD}").replace("id = \"s\"", "id = \"second\"");
    assert_eq!(corner.sprint(second).run().code, 0);
    let list = corner.tell(&["sprints"]).out;
    let at = |name: &str| list.find(name).unwrap_or_else(|| panic!("{list}"));
    assert!(at("\n  second ") < at("\n  s "), "the newest first: {list}");
    let unknown = corner.tell(&["status", "--sprint", "third"]);
    assert!(
        unknown.err.contains("`director sprints` lists"),
        "{unknown:?}"
    );
}
