//! Worktrees come, go and come again after every crash, side by side.

use std::fs;
use std::thread;

use crate::git::fixture::{Fixture, git_in};
use crate::git::{GitError, PreflightRequest, SprintNames, Worktree};

#[test]
fn eight_worktrees_at_once_never_fail() {
    let fixture = Fixture::new();
    let (repository, names, head) = (fixture.repository(), fixture.names(), fixture.head());
    thread::scope(|scope| {
        for worker in 0..8 {
            let (repository, names, head) = (&repository, &names, &head);
            scope.spawn(move || {
                for _ in 0..6 {
                    let feature = format!("f{worker}");
                    let worktree = repository.prepare_worktree(names, &feature, head).unwrap();
                    assert!(worktree.path().join("readme").exists());
                    repository.remove_worktree(&worktree).unwrap();
                }
            });
        }
    });
    assert_eq!(repository.worktrees(&names).unwrap(), []);
    assert!(!fixture.path(".worktrees").exists());
}

#[test]
fn two_sprints_with_one_feature_name_get_two_folders() {
    let fixture = Fixture::new();
    let (repository, head) = (fixture.repository(), fixture.head());
    let other = SprintNames::new("s2").unwrap();
    repository
        .prepare_worktree(&fixture.names(), "api", &head)
        .unwrap();
    let second = repository.prepare_worktree(&other, "api", &head).unwrap();
    assert_eq!(second.path(), fixture.path(".worktrees/s2-api"));
    assert_eq!(
        repository.prepare_worktree(&other, "api", &head).unwrap(),
        second,
        "found again"
    );
    let list = repository.worktrees(&other).unwrap();
    assert_eq!(
        (list.len(), list[0].feature.as_deref(), &list[0].head),
        (1, Some("api"), &Some(head))
    );
}

#[test]
fn every_half_made_worktree_is_prepared_again() {
    type Break<'a> = &'a dyn Fn(&Worktree);
    let cases: [(&str, Break<'_>); 10] = [
        ("nothing", &|_| {}),
        ("killed in add, before its folder", &|w| {
            fs::remove_dir_all(&w.path).unwrap();
            fs::remove_file(w.admin.join("director")).unwrap();
            fs::remove_file(w.admin.join("index")).unwrap();
            fs::write(w.admin.join("locked"), "initializing\n").unwrap();
        }),
        ("killed in add, after its folder", &|w| {
            for file in ["readme", ".gitignore"] {
                fs::remove_file(w.path.join(file)).unwrap();
            }
            fs::remove_file(w.admin.join("director")).unwrap();
            fs::remove_file(w.admin.join("index")).unwrap();
            fs::write(w.admin.join("locked"), "initializing\n").unwrap();
        }),
        ("added, owner not noted", &|w| {
            for file in ["readme", ".gitignore"] {
                fs::remove_file(w.path.join(file)).unwrap();
            }
            fs::remove_file(w.admin.join("director")).unwrap();
            fs::remove_file(w.admin.join("index")).unwrap();
        }),
        ("not checked out", &|w| {
            fs::remove_file(w.path.join("readme")).unwrap();
            fs::remove_file(w.admin.join("index")).unwrap();
        }),
        ("killed in checkout", &|w| {
            fs::remove_file(w.path.join("readme")).unwrap();
            fs::write(w.admin.join("index.lock"), "half").unwrap();
            fs::write(w.admin.join("HEAD.lock"), "").unwrap();
        }),
        ("index cut short", &|w| {
            fs::write(w.admin.join("index"), "DIRC").unwrap()
        }),
        ("folder gone", &|w| fs::remove_dir_all(&w.path).unwrap()),
        ("git's part gone", &|w| {
            fs::remove_dir_all(&w.admin).unwrap();
            for file in ["readme", ".gitignore"] {
                fs::remove_file(w.path.join(file)).unwrap();
            }
        }),
        ("killed in removal", &|w| {
            fs::rename(&w.path, w.path.with_file_name(".trash-1-0")).unwrap();
        }),
    ];
    for (case, damage) in cases {
        let fixture = Fixture::new();
        let (repository, names, base) = (fixture.repository(), fixture.names(), fixture.head());
        let worktree = repository.prepare_worktree(&names, "f", &base).unwrap();
        damage(&worktree);
        let features = ["f".to_owned()];
        let request = PreflightRequest {
            names: &names,
            base: "main",
            features: &features,
            resumed: true,
        };
        repository
            .preflight(&request)
            .unwrap_or_else(|error| panic!("case {case}: {error}"));
        let again = repository.prepare_worktree(&names, "f", &base);
        let again = again.unwrap_or_else(|error| panic!("case {case}: {error}"));
        assert_eq!(
            git_in(again.path(), &["status", "--porcelain", "--branch"]),
            "## feature/s1-f\n",
            "case: {case}"
        );
        assert!(again.path().join("readme").exists(), "case: {case}");
        repository.remove_worktree(&again).unwrap();
        repository.clear_debris(&names).unwrap();
        assert!(
            !fixture.path(".worktrees/.trash-1-0").exists(),
            "case: {case}"
        );
        assert_eq!(
            fixture.git(&["worktree", "list"]).lines().count(),
            1,
            "case: {case}"
        );
    }
}

#[test]
fn a_worktree_whose_git_part_is_gone_is_never_deleted_with_files_in_it() {
    let fixture = Fixture::new();
    let (repository, names, base) = (fixture.repository(), fixture.names(), fixture.head());
    let worktree = repository.prepare_worktree(&names, "f", &base).unwrap();
    fs::remove_dir_all(&worktree.admin).unwrap();
    let error = repository.prepare_worktree(&names, "f", &base).unwrap_err();
    assert!(matches!(error, GitError::PathInTheWay { .. }), "{error}");
    assert!(worktree.path().join("readme").exists());
}

#[test]
fn what_an_add_that_was_cut_short_left_is_cleared_and_a_worktree_of_the_users_is_not() {
    let fixture = Fixture::new();
    let (repository, names) = (fixture.repository(), fixture.names());
    let add = |path: &str, branch: &[&str]| {
        let words = ["worktree", "add", "--quiet", "--no-checkout", path];
        fixture.git(&[&words, branch].concat());
    };
    add(".worktrees/api", &["-b", "feature/s1-api"]);
    add(".worktrees/.integration-s1", &["--detach"]);
    add(".worktrees/web", &["--detach"]);
    fixture.write(".git/worktrees/web/locked", "initializing\n");
    add(".worktrees/other", &["-b", "feature/s2-other"]);
    add(".worktrees/mine", &["-b", "mine"]);
    repository
        .prepare_worktree(&names, "db", &fixture.head())
        .unwrap();
    repository.clear_debris(&names).unwrap();
    let entries = fs::read_dir(fixture.path(".worktrees")).unwrap();
    let mut left: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["db", "mine", "other"]);
    assert_eq!(fixture.git(&["worktree", "list"]).lines().count(), 4);
}
