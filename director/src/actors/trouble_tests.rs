//! What can go wrong around git and gates: refusals, kills in the middle, others' hands on our refs, bad gates.

use std::fs;
use std::os::unix::fs::symlink;

use director_protocols::command::Command;
use director_protocols::work::Verdict;

use super::stage::{Stage, gate, git, piece};
use crate::engine::orders::Order;

async fn refusal(stage: &mut Stage) -> String {
    let order = stage.prepare_repo();
    match stage.twice(order).await {
        Command::RepoRefused { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_that_cannot_be_used_is_refused_with_the_way_out() {
    type Arrange = fn(&mut Stage);
    let cases: [(&str, Arrange, &str); 7] = [
        (
            "no repository",
            |s| s.place.repo = Some(s.data().display().to_string()),
            "run `git init`",
        ),
        (
            "no commit",
            |s| {
                let empty = s.repo().join("empty");
                fs::create_dir(&empty).unwrap();
                git(&empty, &["init", "--quiet"]);
                s.place.repo = Some(empty.display().to_string());
            },
            "has no commit",
        ),
        (
            "no such base",
            |s| s.place.base = Some("nope".into()),
            "`nope` names no commit",
        ),
        (
            "detached",
            |s| drop(s.git(&["checkout", "--quiet", "--detach"])),
            "set `base` in the sprint file",
        ),
        (
            "sprint branch",
            |s| drop(s.git(&["branch", "sprint/s1"])),
            "the branch `sprint/s1` exists",
        ),
        (
            "feature branch",
            |s| drop(s.git(&["branch", "feature/s1-api"])),
            "`feature/s1-api` exists",
        ),
        (
            "in the way",
            |s| drop(s.git(&["branch", "feature"])),
            "git branch -m feature NEW-NAME",
        ),
    ];
    for (case, arrange, expected) in cases {
        let mut stage = Stage::new();
        arrange(&mut stage);
        let reason = refusal(&mut stage).await;
        assert!(reason.contains(expected), "case {case}: {reason}");
        stage.close().await;
    }
    // A detached head is fine where the base is named.
    let mut stage = Stage::new();
    stage.git(&["checkout", "--quiet", "--detach"]);
    stage.place.base = Some("main".into());
    let warnings = stage.begin().await;
    assert!(
        warnings.iter().any(|line| line.contains("not on a branch")),
        "{warnings:?}"
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_red_base_and_bad_gates_are_outcomes_in_clear_words() {
    let mut stage = Stage::new();
    stage.begin().await;
    let gates = vec![
        gate("red", "echo broken >&2; exit 3", 10_000),
        gate("missing", "exec /no/such/command", 10_000),
        gate("hangs", "sleep 60", 200),
        gate("floods", "yes | head -c 300000000", 60_000),
        gate("bytes", r"printf '\377ok'", 10_000),
        gate("green", "true", 10_000),
    ];
    let mut exec = gates[1].clone();
    if let director_protocols::sprint::Check::Command { run, .. } = &mut exec.check {
        *run = director_protocols::sprint::RunSpec::Exec(vec!["no-such-command".into()]);
    }
    let gates = [gates, vec![exec]].concat();
    let effect = stage.next_effect();
    stage.put(
        effect,
        Order::CheckBase(stage.place.clone(), gates, 64 << 10),
    );
    let Command::GatesFinished { outcomes, .. } = stage.answer().await else {
        panic!("outcomes")
    };
    let expected = [
        ("red", Verdict::Failed, Some(3), "broken"),
        ("missing", Verdict::Failed, Some(127), "not found"),
        ("hangs", Verdict::Failed, None, "did not end within 200ms"),
        ("floods", Verdict::Failed, None, "printed more than 256 MiB"),
        ("bytes", Verdict::Passed, Some(0), "\u{fffd}ok"),
        ("green", Verdict::Passed, Some(0), ""),
        (
            "missing",
            Verdict::Failed,
            None,
            "`no-such-command` does not exist",
        ),
    ];
    assert_eq!(outcomes.len(), expected.len(), "all of them run");
    for (outcome, (name, verdict, code, words)) in outcomes.iter().zip(expected) {
        assert_eq!(
            (outcome.gate.as_str(), outcome.verdict),
            (name, verdict),
            "{outcome:?}"
        );
        assert!(name == "floods" || outcome.exit_code == code, "{outcome:?}");
        assert!(outcome.tail.contains(words), "{outcome:?}");
        assert!(outcome.tail.len() < 5 << 10, "{name}: the tail is bounded");
    }
    let log = stage.data().join(format!("gates/s1/{effect}-floods.log"));
    assert!(fs::metadata(log).unwrap().len() < 66 << 10);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_around_the_advance_neither_loses_nor_repeats_the_merge() {
    for advanced in [false, true] {
        let mut stage = Stage::new();
        stage.begin().await;
        let api = stage.work(piece(0, "api"), &[("code", "1\n")]).await;
        let api = stage.commit(api).await;
        let prepare = Order::PrepareMerge(stage.place.clone(), vec![api]);
        let Command::MergePrepared { commit, onto, .. } = stage.twice(prepare).await else {
            panic!("not clean")
        };
        let place = stage.place.clone();
        let advance = Order::Advance {
            place,
            commit: commit.clone(),
            onto,
        };
        let effect = stage.next_effect();
        if advanced {
            stage.put(effect, advance.clone());
            stage.answer().await; // Not durable when the director dies.
        }
        stage.kill_and_restart().await;
        // Another task is prepared meanwhile; the journal still has the old head.
        stage.work(piece(1, "web"), &[]).await;
        stage.put(effect, advance);
        let answer = stage.answer().await;
        assert_eq!(
            answer,
            Command::MergeCompleted {
                effect,
                commit: commit.clone()
            }
        );
        assert_eq!(stage.git(&["rev-parse", "sprint/s1"]).trim(), commit);
        assert_eq!(
            stage
                .git(&["rev-list", "--count", "--merges", "sprint/s1"])
                .trim(),
            "1"
        );
        assert_eq!(stage.incidents, Vec::<String>::new());
        stage.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_advance_that_the_journal_took_back_is_taken_back_in_git() {
    let mut stage = Stage::new();
    stage.begin().await;
    let before = stage.place.clone();
    let api = stage.work(piece(0, "api"), &[("code", "1\n")]).await;
    let web = stage.work(piece(1, "web"), &[("page", "2\n")]).await;
    let (api, web) = (stage.commit(api).await, stage.commit(web).await);
    stage.merge(&api).await;
    stage.place = before; // The task was cancelled before the journal knew.
    stage.merge(&web).await;
    assert_eq!(
        stage.git(&["ls-tree", "--name-only", "sprint/s1"]),
        "page\nreadme\n"
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_that_somebody_else_moved_is_an_incident_and_stays_where_it_is() {
    let mut stage = Stage::new();
    stage.begin().await;
    let api = stage.work(piece(0, "api"), &[("code", "1\n")]).await;
    let api = stage.commit(api).await;
    let merge = Order::PrepareMerge(stage.place.clone(), vec![api.clone()]);
    let Command::MergePrepared { commit, onto, .. } = stage.twice(merge.clone()).await else {
        panic!("not clean")
    };
    stage.git(&[
        "commit",
        "--quiet",
        "--allow-empty",
        "-m",
        "somebody else's",
    ]);
    stage.git(&["update-ref", "refs/heads/sprint/s1", "main"]);
    let theirs = stage.git(&["rev-parse", "main"]).trim().to_owned();
    let place = stage.place.clone();
    let advance = Order::Advance {
        place: place.clone(),
        commit,
        onto,
    };
    for order in [
        advance,
        merge,
        Order::PrepareWorktree(place, piece(1, "web")),
    ] {
        let answer = stage.twice(order).await;
        let Command::BranchMoved { moved, .. } = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(
            (&moved.expected, &moved.found, moved.contains),
            (&stage.place.head, &theirs, true)
        );
        assert!(
            moved.between.contains("`somebody else's`"),
            "{}",
            moved.between
        );
    }
    assert_eq!(stage.git(&["rev-parse", "sprint/s1"]).trim(), theirs);

    // It is put back from where a person was shown it, and from nowhere else.
    let other = Order::PutBack(stage.place.clone(), stage.place.head.clone());
    let answer = stage.twice(other).await;
    assert!(matches!(answer, Command::BranchMoved { .. }), "{answer:?}");
    assert_eq!(stage.git(&["rev-parse", "sprint/s1"]).trim(), theirs);
    stage.git(&["update-ref", "-d", "refs/heads/sprint/s1"]);
    let answer = stage
        .twice(Order::PutBack(stage.place.clone(), theirs.clone()))
        .await;
    assert!(matches!(answer, Command::BranchMoved { .. }), "{answer:?}");
    stage.git(&["update-ref", "refs/heads/sprint/s1", "main"]);
    let answer = stage
        .twice(Order::PutBack(stage.place.clone(), theirs.clone()))
        .await;
    assert!(
        matches!(answer, Command::BranchRestored { .. }),
        "{answer:?}"
    );
    let at = stage.git(&["rev-parse", "sprint/s1"]);
    assert_eq!(at.trim(), stage.place.head);
    let kept = stage.git(&["for-each-ref", "refs/director/salvage/s1"]);
    assert!(kept.contains(&theirs), "{kept}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_command_does_outside_its_worktree_is_said_once() {
    let mut stage = Stage::new();
    stage.begin().await;
    let api = stage.work(piece(0, "api"), &[("code", "1\n")]).await;
    fs::write(stage.repo().join("readme"), "overwritten\n").unwrap();
    stage.git(&["branch", "surprise"]);
    stage.commit(api).await;
    let [incident] = stage.incidents.as_slice() else {
        panic!("{:?}", stage.incidents)
    };
    for expected in [
        "`refs/heads/surprise` is new",
        "`readme` in your checkout was changed",
    ] {
        assert!(incident.contains(expected), "{incident}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_is_killed_leaves_its_orders_on_the_desk_for_the_next_one() {
    let mut stage = Stage::new();
    stage.begin().await;
    let started = stage.data().join("started");
    let line = format!(
        "echo x >> {0}; test $(wc -l < {0}) -gt 1 || sleep 60",
        started.display()
    );
    let effect = stage.next_effect();
    let order = Order::CheckBase(
        stage.place.clone(),
        vec![gate("slow", &line, 120_000)],
        1 << 20,
    );
    stage.put(effect, order);
    // The file is there before its line is.
    while std::fs::read(&started).unwrap_or_default().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    stage.kill("gatekeeper").await;
    let Command::GatesFinished {
        outcomes,
        effect: of,
    } = stage.answer().await
    else {
        panic!("the next incarnation runs it")
    };
    assert_eq!((of, outcomes[0].verdict), (effect, Verdict::Passed));
    assert_eq!(stage.gatekeeper.depth(), 0);

    // The integrator, in the middle of many.
    for id in 0..8 {
        let effect = stage.next_effect();
        let piece = piece(id, &format!("f{id}"));
        stage.put(effect, Order::PrepareWorktree(stage.place.clone(), piece));
    }
    stage.kill("integrator").await;
    for _ in 0..8 {
        let answer = stage.answer().await;
        assert!(
            matches!(answer, Command::WorktreePrepared { .. }),
            "{answer:?}"
        );
    }
    assert_eq!(stage.integrator.depth(), 0);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_symbolic_link_and_a_missing_worktree_do_no_harm() {
    let mut stage = Stage::new();
    stage.begin().await;
    let api = stage.work(piece(0, "api"), &[("code", "1\n")]).await;
    symlink("/etc", stage.worktree("api").join("etc")).unwrap();
    let api = stage.commit(api).await;
    stage.merge(&api).await;
    let web = stage.work(piece(1, "web"), &[("page", "1\n")]).await;
    fs::remove_dir_all(stage.worktree("web")).unwrap();
    let answer = stage
        .twice(Order::CommitWork(stage.place.clone(), web))
        .await;
    let Command::EffectFailed { reason, .. } = answer else {
        panic!("{answer:?}")
    };
    assert!(reason.contains("is gone"), "{reason}");
    let order = Order::CleanUp(stage.place.clone(), vec!["api".into(), "web".into()]);
    assert!(matches!(stage.twice(order).await, Command::CleanedUp { kept, .. } if kept.is_empty()));
    assert!(!stage.repo().join(".worktrees").exists());
    assert!(std::path::Path::new("/etc").is_dir());
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_that_a_killed_git_left_are_gone_after_a_restart() {
    let mut stage = Stage::new();
    stage.begin().await;
    let api = stage.work(piece(0, "api"), &[("code", "1\n")]).await;
    let refs = stage.repo().join(".git/refs");
    fs::create_dir_all(refs.join("director/salvage/s1/api")).unwrap();
    for lock in [
        "heads/sprint/s1.lock",
        "heads/feature/s1-api.lock",
        "director/salvage/s1/api/1.lock",
    ] {
        fs::write(refs.join(lock), "").unwrap();
    }
    stage.kill_and_restart().await;
    let answer = stage
        .twice(Order::Salvage(stage.place.clone(), api.clone()))
        .await;
    assert!(
        matches!(answer, Command::WorkSalvaged { kept: None, .. }),
        "{answer:?}"
    );
    let api = stage.work(api, &[("code", "2\n")]).await;
    let api = stage.commit(api).await;
    stage.merge(&api).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sprints_share_a_repository_and_neither_is_the_others_incident() {
    let mut stage = Stage::new();
    stage.begin().await;
    let first = stage.place.clone();
    let one = stage.work(piece(0, "api"), &[("one", "1\n")]).await;
    stage.place.id = director_protocols::ids::SprintId(1);
    stage.place.sprint = "t2".into();
    (stage.place.started_at, stage.place.head) = (String::new(), String::new());
    stage.begin().await;
    let two = stage.work(piece(1, "api"), &[]).await;
    assert!(stage.worktree("t2-api").exists());
    fs::write(stage.worktree("t2-api").join("two"), "2\n").unwrap();
    let two = stage.commit(two).await;
    stage.merge(&two).await;
    let second = std::mem::replace(&mut stage.place, first);
    let one = stage.commit(one).await;
    stage.merge(&one).await;
    for place in [stage.place.clone(), second] {
        let order = Order::CleanUp(place, vec!["api".into()]);
        let answer = stage.twice(order).await;
        assert!(matches!(answer, Command::CleanedUp { kept, .. } if kept.is_empty()));
    }
    assert_eq!(stage.incidents, Vec::<String>::new());
    assert_eq!(
        stage.git(&["ls-tree", "--name-only", "sprint/t2"]),
        "readme\ntwo\n"
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_up_stops_gates_that_still_run() {
    let mut stage = Stage::new();
    stage.begin().await;
    let started = stage.data().join("started");
    let line = format!("touch {}; sleep 60", started.display());
    let gates = vec![gate("slow", &line, 120_000)];
    let effect = stage.next_effect();
    stage.put(
        effect,
        Order::CheckBase(stage.place.clone(), gates, 1 << 20),
    );
    while !started.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let effect = stage.next_effect();
    stage.put(effect, Order::CleanUp(stage.place.clone(), Vec::new()));
    let answers = [stage.answer().await, stage.answer().await];
    for answer in answers {
        match answer {
            Command::GatesFinished { outcomes, .. } => {
                assert!(
                    outcomes[0].tail.contains("the sprint is over"),
                    "{outcomes:?}"
                );
            }
            Command::CleanedUp { kept, .. } => assert_eq!(kept, Vec::<String>::new()),
            other => panic!("{other:?}"),
        }
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_checkout_is_nobodys_work_and_what_came_too_late_is_saved() {
    let mut stage = Stage::new();
    stage.begin().await;
    stage.work(piece(0, "api"), &[]).await;
    // Killed in the middle of a preparation: some files are not there yet.
    let note = stage.data().join("repos/0/preparing-api");
    fs::write(&note, "").unwrap();
    fs::remove_file(stage.worktree("api").join("readme")).unwrap();
    stage.kill_and_restart().await;
    let order = Order::Salvage(stage.place.clone(), piece(0, "api"));
    let answer = stage.twice(order).await;
    assert!(
        matches!(&answer, Command::WorkSalvaged { saved, kept: None, .. } if saved.is_empty()),
        "{answer:?}"
    );
    assert!(!note.exists() && stage.worktree("api").join("readme").exists());

    // After the salvage, a process that got away writes once more.
    fs::write(stage.worktree("api").join("late"), "x\n").unwrap();
    stage.work(piece(0, "api"), &[]).await;
    assert!(!stage.worktree("api").join("late").exists());
    let saved = "refs/director/salvage/s1/api/0";
    assert_eq!(stage.git(&["show", &format!("{saved}:late")]), "x\n");
    let [incident] = stage.incidents.as_slice() else {
        panic!("{:?}", stage.incidents)
    };
    assert!(incident.contains(saved), "{incident}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_on_a_branch_whose_worktree_is_gone_are_saved() {
    let mut stage = Stage::new();
    stage.begin().await;
    let api = stage.work(piece(0, "api"), &[("code", "1\n")]).await;
    let api = stage.commit(api).await;
    fs::remove_dir_all(stage.worktree("api")).unwrap();
    let order = Order::Salvage(stage.place.clone(), api.clone());
    let Command::WorkSalvaged { saved, .. } = stage.twice(order).await else {
        panic!("it can be saved")
    };
    assert_eq!(stage.git(&["rev-parse", &saved]).trim(), api.commit);
    stage.work(piece(0, "api"), &[]).await;
    let order = Order::CleanUp(stage.place.clone(), vec!["api".into()]);
    stage.twice(order).await;
    let refs = stage.git(&["for-each-ref", "--format=%(refname)", "refs/director"]);
    assert_eq!(refs.trim(), saved, "and only once");
    assert_eq!(stage.incidents, Vec::<String>::new());
    stage.close().await;
}
