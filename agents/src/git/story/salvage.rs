//! Nothing that an attempt left is lost when its worktree is taken away.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{commit, put, salvage};
use crate::git::Salvage;
use crate::git::fixture::{Fixture, commit_in, git_in};

#[test]
fn salvage_saves_every_file_that_is_not_ignored() {
    let fixture = Fixture::new();
    fixture.write("crlf.txt", "a\r\nb\r\n");
    fixture.write("gone", "x");
    let base = fixture.commit_all("more");
    let repository = fixture.repository();
    let worktree = repository
        .prepare_worktree(&fixture.names(), "f", &base)
        .unwrap();
    assert_eq!(salvage(&repository, &worktree, &base, 1), Salvage::Nothing);

    let odd = OsStr::from_bytes(b"not-utf8-\xff\xfe");
    put(&worktree, "readme", b"changed");
    put(&worktree, "hidden", b"by the index");
    put(&worktree, "binary", &[0, 159, 146, 150, 0]);
    put(&worktree, "deep/er/new", b"n");
    put(&worktree, "line\nend", b"odd");
    put(&worktree, " -x\t\"q\" ", b"odd");
    put(&worktree, odd, b"odd");
    put(&worktree, "run.sh", b"#!/bin/sh\n");
    put(&worktree, "staged.ignored", b"staged although ignored");
    put(&worktree, "x.ignored", b"ignored");
    fs::set_permissions(
        worktree.path().join("run.sh"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    symlink("nowhere", worktree.path().join("link")).unwrap();
    fs::remove_file(worktree.path().join("gone")).unwrap();
    git_in(worktree.path(), &["add", "--force", "staged.ignored"]);
    git_in(
        worktree.path(),
        &["update-index", "--assume-unchanged", "readme"],
    );
    // A git of the attempt that was killed.
    put(&worktree, worktree.admin.join("index.lock"), b"");

    let Salvage::Saved { commit } = salvage(&repository, &worktree, &base, 1) else {
        panic!("not saved")
    };
    let listing = git_in(
        &fixture.path(""),
        &["ls-tree", "-r", "-z", "--name-only", commit.as_str()],
    );
    for name in [
        "binary",
        "deep/er/new",
        "line\nend",
        " -x\t\"q\" ",
        "run.sh",
        "link",
        "staged.ignored",
    ] {
        assert!(
            listing.split('\0').any(|file| file == name),
            "{name:?} is not in {listing:?}"
        );
    }
    assert!(
        !listing
            .split('\0')
            .any(|file| file == "gone" || file == "x.ignored")
    );
    assert_eq!(listing.split('\0').count(), 13, "{listing:?}");
    assert_eq!(
        fixture.git(&["show", &format!("{commit}:readme")]),
        "changed"
    );
    assert_eq!(
        repository.resolve("refs/director/salvage/s1/t/1").unwrap(),
        Some(commit.clone())
    );

    // Again, and again after the reset that a crash could not report: it is still the same.
    let saved = Salvage::Saved { commit };
    assert_eq!(salvage(&repository, &worktree, &base, 1), saved);
    repository
        .prepare_worktree(&fixture.names(), "f", &base)
        .unwrap();
    assert!(!worktree.path().join("deep").exists());
    assert!(
        worktree.path().join("x.ignored").exists(),
        "ignored files stay, so that builds stay warm"
    );
    assert_eq!(salvage(&repository, &worktree, &base, 1), saved);
    assert_eq!(salvage(&repository, &worktree, &base, 2), Salvage::Nothing);
}

#[test]
fn salvage_saves_the_commits_of_the_attempt() {
    let fixture = Fixture::new();
    let (repository, names, base) = (fixture.repository(), fixture.names(), fixture.head());
    let worktree = repository.prepare_worktree(&names, "f", &base).unwrap();
    put(&worktree, "one", b"1");
    let first = commit_in(&worktree, "on the branch");
    assert_eq!(
        salvage(&repository, &worktree, &base, 1),
        Salvage::Saved {
            commit: first.clone()
        }
    );

    // On an orphan branch, with the feature's branch left behind: both histories are saved.
    git_in(
        worktree.path(),
        &["switch", "--quiet", "--orphan", "elsewhere"],
    );
    put(&worktree, "two", b"2");
    let Salvage::Saved { commit } = salvage(&repository, &worktree, &base, 2) else {
        panic!("not saved")
    };
    assert!(repository.is_ancestor(&first, &commit).unwrap());
    assert_eq!(
        fixture.git(&["ls-tree", "--name-only", commit.as_str()]),
        "two\n"
    );
}

#[test]
fn what_cannot_be_proven_saved_keeps_the_worktree() {
    let cases: [(&str, &[&[&str]], &str); 3] = [
        (
            "a nested repository",
            &[
                &["init", "--quiet"],
                &["commit", "--quiet", "--allow-empty", "-m", "x"],
            ],
            "nested",
        ),
        ("one without a commit", &[&["init", "--quiet"]], "nested"),
        ("its own repository", &[], "is a repository of its own"),
    ];
    for (case, commands, expected) in cases {
        let fixture = Fixture::new();
        let (repository, names, base) = (fixture.repository(), fixture.names(), fixture.head());
        let worktree = repository.prepare_worktree(&names, "f", &base).unwrap();
        put(&worktree, "nested/file", b"x");
        for words in commands {
            git_in(&worktree.path().join("nested"), words);
        }
        if commands.is_empty() {
            fs::remove_file(worktree.path().join(".git")).unwrap();
            git_in(worktree.path(), &["init", "--quiet"]);
        }
        let Salvage::Kept { reason } = salvage(&repository, &worktree, &base, 1) else {
            panic!("{case}")
        };
        assert!(reason.contains(expected), "case {case}: {reason}");
        assert_eq!(
            repository.resolve("refs/director/salvage/s1/t/1").unwrap(),
            None,
            "case: {case}"
        );
    }
}

#[test]
fn an_agent_that_removes_its_git_file_does_not_turn_us_against_the_users_checkout() {
    let fixture = Fixture::new();
    let (repository, names, base) = (fixture.repository(), fixture.names(), fixture.head());
    fixture.write("mine", "uncommitted");
    let worktree = repository.prepare_worktree(&names, "f", &base).unwrap();
    fs::remove_file(worktree.path().join(".git")).unwrap();
    put(&worktree, "work", b"w");
    let Salvage::Saved { commit } = salvage(&repository, &worktree, &base, 1) else {
        panic!("not saved")
    };
    assert_eq!(
        fixture.git(&["ls-tree", "--name-only", commit.as_str()]),
        ".gitignore\nreadme\nwork\n"
    );
    repository.prepare_worktree(&names, "f", &base).unwrap();
    assert_eq!(
        git_in(worktree.path(), &["status", "--porcelain", "--branch"]),
        "## feature/s1-f\n"
    );
    assert_eq!(
        fs::read_to_string(fixture.path("mine")).unwrap(),
        "uncommitted"
    );
}

#[test]
fn a_sparse_checkout_stays_sparse_and_what_lies_outside_it_counts() {
    let fixture = Fixture::new();
    fixture.write("in/a", "1");
    fixture.write("out/b", "1");
    let base = fixture.commit_all("two folders");
    fixture.git(&["sparse-checkout", "set", "in"]);
    let (repository, names) = (fixture.repository(), fixture.names());
    let worktree = repository.prepare_worktree(&names, "f", &base).unwrap();
    assert!(!worktree.path().join("out").exists());
    assert_eq!(salvage(&repository, &worktree, &base, 1), Salvage::Nothing);
    put(&worktree, "in/new", b"n");
    put(&worktree, "out/new", b"n");
    let Salvage::Saved { commit: saved } = salvage(&repository, &worktree, &base, 2) else {
        panic!("not saved")
    };
    let work = commit(&repository, &worktree, &base).unwrap();
    for commit in [&saved, &work.head] {
        let added = fixture.git(&[
            "diff-tree",
            "-r",
            "--name-status",
            base.as_str(),
            commit.as_str(),
        ]);
        assert_eq!(added, "A\tin/new\nA\tout/new\n");
    }
}
