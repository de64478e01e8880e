//! Repositories in an unexpected state: refused before anything is made, or fine and said aloud.

use std::fs;

use director_tests::corner::{Corner, GOOD, HEAD};
use director_tests::harness::git;

use super::corner;

/// The sprint with a gate on `tests`.
fn gated(gate: &str) -> String {
    let gates = format!("tests = {gate}");
    HEAD.replace("tests = false", &gates) + GOOD
}

/// What is wrong, how it comes about, the sprint file, and what the user reads.
type Case<'a> = (&'a str, &'a dyn Fn(&Corner), String, &'a str);

#[test]
fn a_repository_that_cannot_take_the_sprint_is_refused_and_left_as_it_is() {
    let plain = HEAD.to_owned() + GOOD;
    let repo = |name: &str| plain.replace("repo = \"repo\"", &format!("repo = \"{name}\""));
    let base = |name: &str| plain.replace("base = \"main\"", &format!("base = \"{name}\""));
    let nothing: &dyn Fn(&Corner) = &|_| {};
    let cases: Vec<Case<'_>> = vec![
        (
            "no repository",
            &|corner| fs::create_dir(corner.root().join("plain")).expect("made"),
            repo("plain"),
            "`HERE/plain` is not in a git repository; run `git init` there, or name one with `repo` in the sprint file",
        ),
        (
            "no directory",
            nothing,
            repo("repo/nowhere"),
            "`HERE/repo/nowhere` is not in a git repository; run `git init` there, or name one with `repo` in the \
             sprint file",
        ),
        (
            "no commit",
            &|corner| {
                let new = corner.root().join("new");
                fs::create_dir(&new).expect("made");
                git(&new, &["init", "--quiet"]).expect("a repository");
            },
            repo("new"),
            "the repository `HERE/new` has no commit; make a first one, for example `git commit --allow-empty -m start`",
        ),
        (
            "no such base",
            nothing,
            base("mian"),
            "sprint `s` cannot run: the base `mian` names no commit in `HERE/repo`; set `base` in the sprint file to an \
             existing branch",
        ),
        (
            "a branch in the way",
            &|corner| drop(corner.git(&["branch", "sprint"])),
            plain.clone(),
            "sprint `s` cannot run: the branch `sprint` is in the way of `sprint/s`; rename it with `git branch -m sprint \
             NEW-NAME`",
        ),
        (
            "our branch, not by us",
            &|corner| drop(corner.git(&["branch", "sprint/s"])),
            plain.clone(),
            "sprint `s` cannot run: the branch `sprint/s` exists at COMMIT and is not from this run; rename or delete it, \
             or give the sprint another id",
        ),
        (
            "a feature's branch, not by us",
            &|corner| drop(corner.git(&["branch", "feature/s-good"])),
            plain.clone(),
            "sprint `s` cannot run: the branch `feature/s-good` exists at COMMIT and is not from this run; rename or \
             delete it, or give the sprint another id",
        ),
        (
            "on no branch, and no base said",
            &|corner| drop(corner.git(&["checkout", "--quiet", "--detach"])),
            plain.replace("base = \"main\"\n", ""),
            "sprint `s` cannot run: the checkout `HERE/repo` is on no branch (detached head); set `base` in the sprint \
             file to the branch to start from",
        ),
        (
            "a gate that does not exist",
            nothing,
            gated("{ run = [\"./no-such-gate\"] }"),
            "sprint `s` cannot run: the base `main` is red before any task has begun; make it green, or change the gate in \
             the sprint file: gate `tests` failed: ./no-such-gate\nthe command",
        ),
    ];
    for (case, arrange, text, expected) in cases {
        let corner = corner();
        arrange(&corner);
        let before = corner.git(&["for-each-ref"]);
        let said = corner.sprint(text).run();
        assert_eq!(said.code, 2, "{case}: {said:?}");
        let expected = format!("error: {expected}");
        assert!(said.error().starts_with(&expected), "{case}: {}", said.err);
        assert_eq!(corner.git(&["for-each-ref"]), before, "{case}");
        corner.nothing_left(case);
    }
}

#[test]
fn branches_of_a_sprint_with_a_longer_name_are_not_in_the_way() {
    let corner = corner();
    corner.git(&["branch", "feature/s-b-good"]);
    let said = corner.sprint(HEAD.to_owned() + GOOD).run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.branches(), "feature/s-b-good main sprint/s");
    corner.nothing_left("a longer name");
}

#[test]
fn a_red_base_is_refused_with_the_evidence_and_runs_once_it_is_green() {
    let corner = corner();
    corner.sprint(gated("{ run = \"cat ok\" }"));
    let said = corner.run();
    assert_eq!(said.code, 2, "{said:?}");
    assert_eq!(
        said.error(),
        "error: sprint `s` cannot run: the base `main` is red before any task has begun; make it green, or change the \
         gate in the sprint file: gate `tests` failed (exit code 1): cat ok\ncat: ok: No such file or directory"
    );
    assert_eq!(corner.branches(), "main");
    corner.nothing_left("red");

    fs::write(corner.repo().join("ok"), "").expect("written");
    corner.commit("green");
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.merged("good"), "good");
    corner.nothing_left("green");
}

#[test]
fn a_dirty_checkout_and_a_detached_head_are_fine_and_said_aloud() {
    let corner = corner();
    corner.sprint(HEAD.to_owned() + GOOD);
    let clean = corner.tell(&["run", "../sprint.toml", "--json"]);
    assert_eq!(clean.code, 0, "{clean:?}");
    assert!(!clean.err.contains("uncommitted"), "{}", clean.err);

    corner.git(&["checkout", "--quiet", "--detach"]);
    let readme = corner.repo().join("README");
    fs::write(&readme, "Mine.\n").expect("written");
    corner.sprint(HEAD.replace("id = \"s\"", "id = \"t\"") + GOOD);
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    let spoken = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "your checkout has 1 uncommitted change; the sprint starts from `main` without it and leaves it alone",
        "your checkout is not on a branch (HEAD is at",
    ] {
        assert!(spoken.contains(expected), "{expected}\n{}", said.err);
    }
    assert_eq!(fs::read_to_string(&readme).expect("there"), "Mine.\n");
    assert_eq!(corner.git(&["status", "--short"]), " M README");
    fs::write(&readme, "A corner.\n").expect("written");
    corner.nothing_left("dirty and detached");
}
