//! The director is killed in every window between git and journal, or somebody else's hand is on the repository
//! meanwhile: with real git, the real engine and the real workshop.

use std::fs;

use director_protocols::command::Command;

use super::startup_world::{Kill, World};

/// What lies around when the director was killed.
type Mess = fn(&World);

#[test]
fn killed_in_any_window_the_next_director_finds_nothing_wrong_and_finishes() {
    use Kill::{After, AtWork, Before};
    let half_added: Mess = |w| {
        let branch = "feature/s1-api";
        w.git(&[
            "worktree",
            "add",
            "-q",
            "--no-checkout",
            "-b",
            branch,
            ".worktrees/api",
        ]);
        fs::write(w.repo().join(".git/worktrees/api/locked"), "initializing\n").unwrap();
    };
    let half_reset: Mess = |w| {
        let note = w.dir.path().join("data/repos/0/preparing-api");
        fs::write(note, "").unwrap();
        fs::remove_file(w.repo().join(".worktrees/api/readme")).unwrap();
    };
    let locks: Mess = |w| {
        let git = w.repo().join(".git");
        for lock in [
            "worktrees/api/index.lock",
            "worktrees/api/HEAD.lock",
            "refs/heads/feature/s1-api.lock",
            "refs/heads/sprint/s1.lock",
        ] {
            fs::write(git.join(lock), "").unwrap();
        }
        let packed = fs::File::create(git.join("packed-refs.lock")).unwrap();
        packed.set_modified(std::time::UNIX_EPOCH).unwrap();
    };
    let half_removed: Mess = |w| {
        let dir = w.repo().join(".worktrees");
        fs::rename(dir.join("api"), dir.join(".trash-1-0")).unwrap();
    };
    let folder_gone: Mess = |w| fs::remove_dir_all(w.repo().join(".worktrees/api")).unwrap();
    let nothing: Mess = |_| {};
    let cases: [(&str, Kill, Mess); 21] = [
        (
            "before the branch is made",
            Before("PrepareRepo", 1),
            nothing,
        ),
        ("made, not journalled", After("PrepareRepo", 1), nothing),
        ("before a worktree", Before("PrepareWorktree", 1), nothing),
        ("half added", Before("PrepareWorktree", 1), half_added),
        (
            "added, not journalled",
            After("PrepareWorktree", 1),
            nothing,
        ),
        ("half checked out", After("PrepareWorktree", 1), half_reset),
        ("half reset", Before("PrepareWorktree", 2), half_reset),
        ("at work", AtWork(1), nothing),
        ("at work, with locks", AtWork(1), locks),
        ("at work, folder gone", AtWork(1), folder_gone),
        ("reported", Before("CommitWork", 1), nothing),
        ("reported, with locks", Before("CommitWork", 1), locks),
        (
            "reported, folder gone",
            Before("CommitWork", 1),
            folder_gone,
        ),
        ("committed, not journalled", After("CommitWork", 1), nothing),
        (
            "committed, folder gone",
            Before("PrepareMerge", 1),
            folder_gone,
        ),
        ("merge not journalled", After("PrepareMerge", 1), nothing),
        ("prepared, not advanced", Before("Advance", 1), locks),
        ("advanced, not journalled", After("Advance", 2), nothing),
        ("before the clean-up", Before("CleanUp", 1), locks),
        ("while cleaning up", Before("CleanUp", 1), half_removed),
        ("cleaned up, not journalled", After("CleanUp", 1), nothing),
    ];
    for (case, kill, mess) in cases {
        let mut world = World::new();
        world.run(Some(kill));
        mess(&world);
        // Killed once more right after the check: it is safe to repeat.
        assert_eq!(world.restart(), [], "{case}");
        if case == "half added" {
            assert!(!world.repo().join(".worktrees/api").exists());
        }
        let found = world.restart();
        assert_eq!(found, [], "{case}");
        world.open(found);
        world.run(None);
        assert_eq!(world.incidents(), Vec::<&str>::new(), "{case}");
        world.assert_done(case);
    }
}

#[test]
fn an_integration_branch_in_somebody_elses_hands_halts_the_sprint_and_nothing_is_overwritten() {
    use Kill::{After, Before};
    let name = "refs/heads/sprint/s1";
    let moved: Mess = |w| {
        let other = w.other("sprint/s1");
        w.git(&["update-ref", "refs/heads/sprint/s1", &other]);
    };
    let moved_back: Mess = |w| drop(w.git(&["update-ref", "refs/heads/sprint/s1", "main"]));
    let deleted: Mess = |w| drop(w.git(&["update-ref", "-d", "refs/heads/sprint/s1"]));
    let cases: [(&str, Kill, Mess, &str); 5] = [
        ("moved on", Before("PrepareWorktree", 2), moved, "is at "),
        (
            "moved back",
            Before("PrepareWorktree", 2),
            moved_back,
            "is at ",
        ),
        ("deleted", Before("PrepareWorktree", 2), deleted, "is gone"),
        (
            "deleted after a clean-up was due",
            After("PrepareWorktree", 2),
            deleted,
            "is gone",
        ),
        (
            "advanced, then moved on",
            After("Advance", 1),
            moved,
            "is at ",
        ),
    ];
    for (case, kill, mess, expected) in cases {
        let mut world = World::new();
        world.run(Some(kill));
        let left_at = world.at("sprint/s1");
        mess(&world);
        let refs = world.git(&["for-each-ref", name]);
        let found = world.restart();
        assert_eq!(world.restart(), found, "{case}: the same again");
        world.open(found);
        world.run(None);

        let [incident] = world.incidents()[..] else {
            panic!("{case}: {:?}", world.incidents())
        };
        let head = &world.sprint().head;
        let where_it_was = format!("`{name}` should be at {head} and {expected}");
        assert!(incident.contains(&where_it_was), "{case}: {incident}");
        assert!(
            world.sprint().moved.is_some() && world.sprint().is_running(),
            "{case}"
        );
        assert_eq!(world.git(&["for-each-ref", name]), refs, "{case}");

        // Started once more with nothing put right, it does not say it twice.
        let found = world.restart();
        assert!(
            matches!(found[..], [Command::BranchMoved { .. }]),
            "{case}: {found:?}"
        );
        world.open(found);
        world.run(None);
        assert_eq!(world.incidents().len(), 1, "{case}");

        // Put back by hand, it needs no answer.
        world.git(&["update-ref", name, &left_at]);
        let found = world.restart();
        assert!(
            matches!(found[..], [Command::BranchRestored { .. }]),
            "{case}: {found:?}"
        );
        world.open(found);
        world.run(None);
        world.assert_done(case);
    }
}

#[test]
fn a_repository_that_is_not_there_pauses_the_sprint_until_it_is() {
    let mut world = World::new();
    world.run(Some(Kill::Before("PrepareWorktree", 2)));
    let aside = world.dir.path().join("aside");
    fs::rename(world.repo(), &aside).unwrap();
    let found = world.restart();
    world.open(found);
    world.run(None);
    let incident = world.incidents()[0].to_owned();
    assert!(
        incident.starts_with("the repository cannot be used"),
        "{incident}"
    );
    assert!(
        incident.contains("`director resume --sprint s1`"),
        "{incident}"
    );
    assert!(world.sprint().paused);
    fs::rename(aside, world.repo()).unwrap();
    let found = world.restart();
    assert_eq!(found, []);
    world.open(found);
    world.tell(&Command::Resume {
        sprint: None,
        by: "test".into(),
    });
    // What interrupted attempts left could not be saved then, so a person was asked.
    for task in world.sprint().tasks() {
        world.tell(&Command::Retry {
            task,
            by: "test".into(),
        });
    }
    world.run(None);
    world.assert_done("moved away and back");
}

#[test]
fn a_feature_branch_in_somebody_elses_hands_costs_nobody_any_commit() {
    use Kill::Before;
    let branch = "refs/heads/feature/s1-api";
    let moved: Mess = |w| {
        let other = w.other("feature/s1-api");
        w.git(&["update-ref", "refs/heads/feature/s1-api", &other]);
    };
    let moved_with_note: Mess = |w| {
        let note = w.dir.path().join("data/repos/0/preparing-api");
        fs::write(note, "").unwrap();
        let other = w.other("feature/s1-api");
        w.git(&["update-ref", "refs/heads/feature/s1-api", &other]);
    };
    let deleted: Mess = |w| drop(w.git(&["update-ref", "-d", "refs/heads/feature/s1-api"]));
    let lost: Mess = |w| {
        let merge = w.sprint().merge.as_ref().unwrap().commit.clone();
        let object = format!(".git/objects/{}/{}", &merge[..2], &merge[2..]);
        fs::remove_file(w.repo().join(object)).unwrap();
    };
    let cases: [(&str, Kill, Mess, &str); 7] = [
        (
            "moved while work waits",
            Before("PrepareMerge", 1),
            moved,
            "is merged all the same",
        ),
        (
            "deleted while work waits",
            Before("PrepareMerge", 1),
            deleted,
            "someone else deleted it",
        ),
        (
            "moved between tasks",
            Before("PrepareWorktree", 2),
            moved,
            "",
        ),
        (
            "deleted between tasks",
            Before("PrepareWorktree", 2),
            deleted,
            "",
        ),
        (
            "moved, preparation cut short",
            Before("PrepareWorktree", 2),
            moved_with_note,
            "",
        ),
        ("moved before the clean-up", Before("CleanUp", 1), moved, ""),
        (
            "the merge is lost",
            Before("Advance", 1),
            lost,
            "its work is done again",
        ),
    ];
    for (case, kill, mess, expected) in cases {
        let mut world = World::new();
        world.run(Some(kill));
        mess(&world);
        let at = world.git(&["for-each-ref", "--format=%(objectname)", branch]);
        let found = world.restart();
        let text = match &found[..] {
            [] => "",
            [Command::Incident { text, .. }] => text.as_str(),
            other => panic!("{case}: {other:?}"),
        };
        assert_eq!(text.is_empty(), expected.is_empty(), "{case}: {text}");
        assert!(text.contains(expected), "{case}: {text}");
        world.open(found);
        world.run(None);
        world.assert_done(case);
        if !at.is_empty() {
            let contains = format!("--contains={at}");
            let holders = world.git(&["for-each-ref", &contains]);
            assert_ne!(
                holders, "",
                "{case}: somebody's commit has no name any more"
            );
        }
    }
}
