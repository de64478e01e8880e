//! First contact, through the real program: what `init` writes runs as it is.

use director_tests::corner::Corner;

#[test]
fn the_first_sprint_file_runs_as_it_is_in_a_repository_of_any_branch_and_goes_on_as_the_same() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
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
