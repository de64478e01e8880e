//! The demo: what a newcomer runs first ends well, twice in a row, and leaves nothing running.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use director_tests::harness::git;
use director_tests::process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");
const TASKS: usize = 11;

fn director(dir: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(words).current_dir(dir).stdin(Stdio::null());
    command.output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Every task is a merge, the program's own tests pass on the branch, and nothing is left.
fn check(repo: &Path) {
    let ask = |words: &[&str]| git(repo, words).unwrap_or_else(|said| panic!("{words:?}: {said}"));
    let merged = ask(&[
        "log",
        "--first-parent",
        "--format=%(trailers:key=Director-Task,valueonly,separator=)",
        "main..sprint/demo",
    ]);
    let mut merged: Vec<&str> = merged.lines().collect();
    merged.sort_unstable();
    merged.dedup();
    assert_eq!(merged.len(), TASKS, "{merged:?}");
    let commits = ask(&["log", "--first-parent", "--format=%P", "main..sprint/demo"]);
    assert_eq!(commits.lines().count(), TASKS);
    assert!(
        commits.lines().all(|parents| parents.contains(' ')),
        "a merge has two parents: {commits}"
    );

    let worktrees = ask(&["worktree", "list", "--porcelain"]);
    assert_eq!(worktrees.matches("worktree ").count(), 1, "{worktrees}");
    assert!(!repo.join(".worktrees").exists());
    assert_eq!(ask(&["status", "--porcelain"]), "");
    assert_eq!(
        ask(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]),
        "main\nsprint/demo"
    );

    let copy = tempfile::tempdir().expect("a directory");
    let path = copy.path().join("copy");
    let url = path.to_str().expect("text");
    ask(&["clone", "--quiet", "--branch=sprint/demo", ".", url]);
    for tests in ["tests/run.sh", "tests/docs.sh"] {
        let output = Command::new("sh").arg(tests).current_dir(&path).output();
        let output = output.expect("a shell");
        assert!(
            output.status.success(),
            "{tests}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

#[test]
fn the_demo_ends_well_twice_and_leaves_no_worktree_and_no_process() {
    let root = tempfile::tempdir().expect("a directory");
    let root = root.path().canonicalize().expect("it is there");
    // Both at the same time, which also shows that they do not disturb each other.
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            let root = &root;
            scope.spawn(move || {
                let demo = director(root, &["demo", name]);
                let everything = said(&demo) + &String::from_utf8_lossy(&demo.stdout);
                assert_eq!(demo.status.code(), Some(0), "{everything}");
                assert!(
                    !everything.contains("uncommitted"),
                    "nobody changed anything: {everything}"
                );
                check(&root.join(name));
            });
        }
    });
    let left = process::left_after(&root, Duration::from_secs(1));
    assert_eq!(left, Vec::<String>::new());

    // Again in the same place: it says what to do instead, and that works.
    let again = director(&root, &["demo", "one"]);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    assert!(
        said(&again).contains("`director run one/sprint.toml`"),
        "{}",
        said(&again)
    );
    let report = director(&root, &["run", "one/sprint.toml"]);
    assert_eq!(report.status.code(), Some(0), "{}", said(&report));
    let text = String::from_utf8_lossy(&report.stdout);
    assert!(text.contains("demo") && text.contains("release"), "{text}");
    check(&root.join("one"));
}
