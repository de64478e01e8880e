//! A sprint from preflight to delivery, and what the user still has afterwards.

use std::fs;

use super::{commit, put};
use crate::git::command::GitCommand;
use crate::git::fixture::{DATE_MS, Fixture, commit_in, git_in};
use crate::git::*;

/// Everything of the user's that a sprint must leave alone, byte for byte.
fn users_things(fixture: &Fixture) -> String {
    let refs = fixture.git(&[
        "for-each-ref",
        "refs/heads/main",
        "refs/heads/mine",
        "refs/stash",
        "refs/tags",
    ]);
    let index = fs::read(fixture.path(".git/index")).unwrap();
    let head = fs::read_to_string(fixture.path(".git/HEAD")).unwrap();
    let files =
        ["readme", "staged", "untracked", "x.ignored"].map(|f| fs::read(fixture.path(f)).unwrap());
    let config = fs::read_to_string(fixture.path(".git/config")).unwrap();
    format!("{refs}\n{head}\n{files:?}\n{config}\n{index:?}")
}

#[test]
fn a_whole_sprint_leaves_the_users_checkout_alone_until_it_is_delivered() {
    for options in [
        &[][..],
        &["--object-format=sha256"],
        &["--ref-format=reftable"],
    ] {
        let understood = GitCommand::new(&std::env::temp_dir())
            .args(["init", "-h"])
            .run_expecting(&[129]);
        let understood = String::from_utf8_lossy(&understood.unwrap().stdout).into_owned();
        // An older git knows fewer formats.
        if options
            .iter()
            .all(|option| understood.contains(option.split('=').next().unwrap()))
        {
            whole_sprint(&Fixture::with(options));
        }
    }
}

fn whole_sprint(fixture: &Fixture) {
    fixture.git(&["branch", "mine"]);
    fixture.git(&["tag", "v1"]);
    fixture.write("readme", "edited\n");
    fixture.write("staged", "staged\n");
    fixture.git(&["add", "staged"]);
    fixture.write("untracked", "u\n");
    fixture.write("x.ignored", "i\n");
    fixture.git(&["status"]); // So that the index has its cached times.
    let before = users_things(fixture);

    let (repository, names) = (fixture.repository(), fixture.names());
    let features = ["api".to_owned(), "ui".to_owned()];
    let request = PreflightRequest {
        names: &names,
        base: "main",
        features: &features,
        resumed: false,
    };
    let base = repository.preflight(&request).unwrap().base_commit;
    repository.hide_our_folders().unwrap();
    repository.create_integration_branch(&names, &base).unwrap();
    let outside = repository.outside(std::slice::from_ref(&names)).unwrap();

    let mut at = base.clone();
    for feature in &features {
        let worktree = repository.prepare_worktree(&names, feature, &at).unwrap();
        assert_eq!(worktree.path(), fixture.path(".worktrees").join(feature));
        put(&worktree, format!("{feature}.txt"), b"1\n2\n");
        let work = commit(&repository, &worktree, &at).unwrap();
        assert_eq!(
            (work.commits.len(), work.insertions, work.deletions),
            (1, 2, 0)
        );
        assert_eq!(
            commit(&repository, &worktree, &at).unwrap(),
            work,
            "committing again changes nothing"
        );

        let request = MergeRequest {
            onto: &at,
            work: &work.head,
            message: "merge",
            date_ms: DATE_MS,
        };
        let Merge::Prepared { commit, .. } = repository.prepare_merge(&request).unwrap() else {
            panic!()
        };
        let gates = repository.integration_worktree(&names, &commit).unwrap();
        assert!(gates.path().join(format!("{feature}.txt")).exists());
        let integration = names.integration_ref();
        assert_eq!(
            repository.advance(&integration, &commit, &at).unwrap(),
            Advance::Done
        );
        assert_eq!(
            repository.advance(&integration, &commit, &at).unwrap(),
            Advance::AlreadyThere
        );
        assert!(repository.is_merged(&commit, &commit, &base).unwrap());
        at = commit;
        repository.remove_worktree(&worktree).unwrap();
        repository
            .delete_ref(&names.feature_ref(feature).unwrap(), &work.head)
            .unwrap();
    }
    let gates = repository.integration_worktree(&names, &at).unwrap();
    repository.remove_worktree(&gates).unwrap();

    assert_eq!(
        outside.differences(&repository.outside(std::slice::from_ref(&names)).unwrap()),
        Vec::<String>::new()
    );
    assert_eq!(users_things(fixture), before);
    assert!(!fixture.path(".worktrees").exists());
    assert!(!fixture.path(".git/hook-ran").exists(), "a hook ran");
    assert_eq!(
        fixture
            .git(&["worktree", "list", "--porcelain"])
            .matches("worktree ")
            .count(),
        1
    );
    let subjects = fixture.git(&["log", "--format=%s", "--first-parent", "sprint/s1"]);
    assert_eq!(subjects, "merge\nmerge\nstart\n");
    let trailers = fixture.git(&[
        "log",
        "-1",
        "--format=%(trailers:only,unfold)",
        "sprint/s1^2",
    ]);
    assert_eq!(
        trailers,
        "Director-Sprint: s1\nDirector-Task: t\nDirector-Attempt: 1\n\n"
    );

    // With uncommitted changes in the way, delivery says what to run; without them it is done.
    let request = DeliveryRequest {
        integrated: &at,
        integration_branch: "sprint/s1",
        base: "main",
        base_at: &base,
        message: "deliver",
        date_ms: DATE_MS,
    };
    let Delivery::NotDelivered { why, commands } = repository.deliver(&request).unwrap() else {
        panic!()
    };
    assert!(
        why.contains("uncommitted changes") && commands[0] == "git stash",
        "{why} {commands:?}"
    );
    assert_eq!(users_things(fixture), before);
    fixture.git(&["stash", "--quiet"]);
    let delivered = Delivery::Delivered {
        commit: at.clone(),
        fast_forward: true,
    };
    assert_eq!(repository.deliver(&request).unwrap(), delivered);
    assert_eq!(
        repository.deliver(&request).unwrap(),
        Delivery::AlreadyThere
    );
    assert_eq!(fixture.git(&["status", "--porcelain"]), "?? untracked\n");
    assert!(fixture.path("ui.txt").exists());
}

#[test]
fn delivery_respects_a_base_that_moved_and_files_in_the_way() {
    type Arrange<'a> = &'a dyn Fn(&Fixture);
    let cases: [(&str, Arrange<'_>, &str); 6] = [
        (
            "not checked out",
            &|f| drop(f.git(&["switch", "--quiet", "-c", "mine"])),
            "delivered",
        ),
        (
            "moved",
            &|f| drop(f.commit("other", "x")),
            "`main` moved from",
        ),
        (
            "untracked in the way",
            &|f| f.write("new", "mine"),
            "would be overwritten",
        ),
        (
            "ignored in the way",
            &|f| f.write("new.ignored", "mine"),
            "would be overwritten",
        ),
        (
            "gone",
            &|f| drop(f.git(&["branch", "-m", "main", "other"])),
            "there is no branch `main`",
        ),
        (
            "in another worktree",
            &|f| {
                f.git(&["switch", "--quiet", "-c", "mine"]);
                f.git(&["worktree", "add", "--quiet", "../other", "main"]);
            },
            "is checked out at",
        ),
    ];
    for (case, arrange, expected) in cases {
        let fixture = Fixture::new();
        let (repository, base) = (fixture.repository(), fixture.head());
        let worktree = repository
            .prepare_worktree(&fixture.names(), "f", &base)
            .unwrap();
        put(&worktree, "new", b"ours");
        put(&worktree, "new.ignored", b"ours");
        git_in(worktree.path(), &["add", "--force", "new.ignored"]);
        let integrated = commit_in(&worktree, "work");
        repository.remove_worktree(&worktree).unwrap();
        arrange(&fixture);
        let request = DeliveryRequest {
            integrated: &integrated,
            integration_branch: "sprint/s1",
            base: "main",
            base_at: &base,
            message: "deliver",
            date_ms: DATE_MS,
        };
        let text = match repository.deliver(&request).unwrap() {
            Delivery::NotDelivered { why, .. } => why,
            other => format!("delivered {other:?}"),
        };
        assert!(text.contains(expected), "case {case}: {text}");
    }
}

#[test]
fn a_base_with_commits_of_its_own_gets_a_merge() {
    let fixture = Fixture::new();
    let (repository, start) = (fixture.repository(), fixture.head());
    let integrated = fixture.commit_on(&start, &[("ours", "1")]);
    let base_at = fixture.commit("theirs", "2");
    let request = DeliveryRequest {
        integrated: &integrated,
        integration_branch: "sprint/s1",
        base: "main",
        base_at: &base_at,
        message: "deliver",
        date_ms: DATE_MS,
    };
    let Delivery::Delivered {
        commit,
        fast_forward: false,
    } = repository.deliver(&request).unwrap()
    else {
        panic!("no merge");
    };
    assert_eq!(fixture.head(), commit);
    assert!(fixture.path("ours").exists() && fixture.path("theirs").exists());
}

#[test]
fn work_counts_from_where_the_task_began_wherever_the_agent_left_its_head() {
    type Act<'a> = &'a dyn Fn(&Worktree);
    let git = |worktree: &Worktree, words: &[&str]| drop(git_in(worktree.path(), words));
    let cases: [(&str, Act<'_>, &str); 8] = [
        ("nothing", &|_| {}, "0 commits, 0 files"),
        ("uncommitted", &|w| put(w, "a", b"1"), "1 commits, 1 files"),
        (
            "its own commit and more",
            &|w| {
                put(w, "a", b"1");
                commit_in(w, "own");
                put(w, "b", b"2");
            },
            "2 commits, 2 files",
        ),
        (
            "detached",
            &|w| {
                git(w, &["checkout", "--quiet", "--detach"]);
                put(w, "a", b"1");
                commit_in(w, "own");
            },
            "1 commits, 1 files",
        ),
        (
            "another branch",
            &|w| {
                git(w, &["switch", "--quiet", "-c", "mine"]);
                put(w, "a", b"1");
            },
            "1 commits, 1 files",
        ),
        (
            "committed and reverted",
            &|w| {
                put(w, "a", b"1");
                commit_in(w, "own");
                git(w, &["revert", "--no-edit", "HEAD"]);
            },
            "2 commits, 0 files",
        ),
        (
            "an orphan",
            &|w| {
                git(w, &["switch", "--quiet", "--orphan", "o"]);
                put(w, "a", b"1");
                commit_in(w, "own");
            },
            "does not descend from",
        ),
        (
            "a nested repository",
            &|w| {
                put(w, "n/a", b"1");
                git_in(&w.path().join("n"), &["init", "--quiet"]);
                git_in(
                    &w.path().join("n"),
                    &["commit", "--quiet", "--allow-empty", "-m", "x"],
                );
            },
            "holds repositories of their own (n)",
        ),
    ];
    for (case, act, expected) in cases {
        let fixture = Fixture::new();
        let (repository, names, base) = (fixture.repository(), fixture.names(), fixture.head());
        let worktree = repository.prepare_worktree(&names, "f", &base).unwrap();
        act(&worktree);
        let work = commit(&repository, &worktree, &base);
        if let Ok(work) = &work {
            assert_eq!(
                repository
                    .resolve("refs/heads/feature/s1-f")
                    .unwrap()
                    .as_ref(),
                Some(&work.head)
            );
            assert_eq!(
                git_in(worktree.path(), &["status", "--porcelain", "--branch"]),
                "## feature/s1-f\n"
            );
            assert_eq!(work.is_empty(), work.files_changed.is_empty());
        }
        let text = match work {
            Ok(work) => format!(
                "{} commits, {} files",
                work.commits.len(),
                work.files_changed.len()
            ),
            Err(error) => error.to_string(),
        };
        assert!(text.contains(expected), "case {case}: {text}");
    }
}

#[test]
fn a_conflict_is_put_before_the_agent_and_its_resolution_has_both_parents() {
    let fixture = Fixture::new();
    let (repository, names) = (fixture.repository(), fixture.names());
    let base = fixture.commit("a", "1\n");
    let theirs = fixture.commit_on(&base, &[("a", "theirs\n")]);
    let worktree = repository.prepare_worktree(&names, "f", &base).unwrap();
    put(&worktree, "a", b"ours\n");
    let work = commit(&repository, &worktree, &base).unwrap();
    let onto = |work: &Oid| {
        let request = MergeRequest {
            onto: &theirs,
            work,
            message: "merge",
            date_ms: DATE_MS,
        };
        repository.prepare_merge(&request).unwrap()
    };
    assert_eq!(
        onto(&work.head),
        Merge::Conflict {
            files: vec!["a".into()]
        }
    );

    assert_eq!(
        repository.merge_into_worktree(&worktree, &theirs).unwrap(),
        ["a"].map(std::path::PathBuf::from)
    );
    assert!(
        fs::read_to_string(worktree.path().join("a"))
            .unwrap()
            .contains("<<<<<<<")
    );
    put(&worktree, "a", b"both\n");
    let resolved = commit(&repository, &worktree, &base).unwrap();
    assert!(repository.is_ancestor(&theirs, &resolved.head).unwrap());
    assert_eq!(commit(&repository, &worktree, &base).unwrap(), resolved);
    assert!(matches!(onto(&resolved.head), Merge::Prepared { .. }));
}

#[test]
fn after_a_crash_git_tells_what_happened() {
    let fixture = Fixture::new();
    let (repository, names, base) = (fixture.repository(), fixture.names(), fixture.head());
    let lost: Oid = "f".repeat(40).parse().unwrap();
    repository.create_integration_branch(&names, &base).unwrap();
    let worktree = repository.prepare_worktree(&names, "f", &base).unwrap();
    put(&worktree, "a", b"1");
    let work = commit(&repository, &worktree, &base).unwrap().head;
    let request = MergeRequest {
        onto: &base,
        work: &work,
        message: "merge",
        date_ms: DATE_MS,
    };
    let Merge::Prepared { commit, .. } = repository.prepare_merge(&request).unwrap() else {
        panic!()
    };
    repository
        .advance(&names.integration_ref(), &commit, &base)
        .unwrap();

    let journal = reconcile::JournalTruth {
        integration_ref: names.integration_ref(),
        head: base,
        announced: Some(commit.clone()),
        merge: Some(lost.clone()),
        work: [(names.feature_ref("f").unwrap(), work.clone())].into(),
    };
    let truth = repository.truth(&names, &journal).unwrap();
    assert_eq!(truth.integration, Some(commit.clone()));
    assert_eq!(truth.first_parents, [commit]);
    assert_eq!(truth.missing, [lost.clone()].into());
    assert_eq!(
        truth.branches,
        [("refs/heads/feature/s1-f".to_owned(), work)].into()
    );
    assert_eq!(
        reconcile::reconcile(&journal, &truth),
        [reconcile::Disagreement::Lost {
            name: names.integration_ref(),
            commit: lost,
        }]
    );
}
