//! Whole lives of tasks, through the actors, with real git and real gates. Every order is given twice.

use std::fs;
use std::path::Path;

use director_agents::git::Delivery;
use director_protocols::command::Command;
use director_protocols::ids::Attempt;
use director_protocols::sprint::Isolation;
use director_protocols::work::{DiffStat, Verdict};

use super::stage::{Stage, gate, git, piece};
use crate::engine::orders::{Order, Place};
use crate::perform::deliver;

/// Everything of the user's: branch, refs that are not ours, status, index.
fn users_own(stage: &Stage) -> String {
    let refs = stage.git(&["for-each-ref", "refs/heads/main", "refs/tags"]);
    let status = stage.git(&["status", "--porcelain"]);
    let head = stage.git(&["symbolic-ref", "HEAD"]);
    let mine = fs::read_to_string(stage.repo().join("mine")).unwrap();
    format!("{refs}{status}{head}{mine}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_prepared_done_committed_merged_gated_and_cleaned_up() {
    let mut stage = Stage::new();
    let before = users_own(&stage);
    let warnings = stage.begin().await;
    assert!(
        warnings[0].contains("1 uncommitted change"),
        "said aloud: {warnings:?}"
    );
    let gates = vec![
        gate("greets", "grep -q hello readme", 10_000),
        gate(
            "env",
            "echo $DIRECTOR_GATE:$DIRECTOR_SPRINT:$DIRECTOR_TASK; echo to-err >&2",
            10_000,
        ),
    ];
    let check = Order::CheckBase(stage.place.clone(), gates.clone(), 1 << 20);
    let effect = stage.next_effect();
    stage.put(effect, check);
    let Command::GatesFinished { outcomes, .. } = stage.answer().await else {
        panic!("the base can be checked")
    };
    assert!(outcomes.iter().all(|gate| gate.verdict == Verdict::Passed));
    assert_eq!(outcomes[1].tail, "env:s1:\nto-err");

    let mut api = piece(0, "api");
    api.produces = vec!["code".into(), "docs".into(), "../escape".into()];
    let api = stage
        .work(api, &[("code", "1\n2\n"), ("readme", "hello you\n")])
        .await;
    let order = Order::CommitWork(stage.place.clone(), api.clone());
    let answer = stage.twice(order).await;
    let Command::WorkCommitted {
        commit,
        changes,
        files,
        missing,
        ..
    } = answer
    else {
        panic!("{answer:?}")
    };
    let stat = DiffStat {
        files: 2,
        insertions: 3,
        deletions: 1,
    };
    assert_eq!(
        (changes, missing, files),
        (
            stat,
            vec!["docs".to_owned(), "../escape".to_owned()],
            vec!["code".to_owned(), "readme".to_owned()]
        )
    );
    let mut api = api;
    api.commit = commit;
    assert_eq!(
        stage
            .git(&["log", "-1", "--format=%an %B", &api.commit])
            .trim(),
        "director Do api\n\nDirector-Sprint: s1\nDirector-Task: api\nDirector-Attempt: 1"
    );

    let order = Order::PrepareMerge(stage.place.clone(), vec![api.clone()]);
    let Command::MergePrepared { commit, onto, .. } = stage.twice(order).await else {
        panic!("not clean")
    };
    assert_eq!(onto, stage.place.head);
    assert_eq!(
        stage.git(&["rev-parse", "sprint/s1"]).trim(),
        onto,
        "not visible yet"
    );
    let run = Order::RunGates {
        place: stage.place.clone(),
        batch: vec![api.clone()],
        commit: commit.clone(),
        gates: vec![gate("merged", "grep -q you readme && test -f code", 10_000)],
        output_max: 1 << 20,
    };
    let effect = stage.next_effect();
    stage.put(effect, run);
    let Command::GatesFinished { outcomes, .. } = stage.answer().await else {
        panic!("gates run on the merged tree")
    };
    assert_eq!(outcomes[0].verdict, Verdict::Passed, "{outcomes:?}");
    let log = stage.data().join(format!("gates/s1/{effect}-merged.log"));
    assert!(log.is_file());

    let place = stage.place.clone();
    let advance = Order::Advance {
        place,
        commit: commit.clone(),
        onto,
    };
    let Command::MergeCompleted { commit: at, .. } = stage.twice(advance).await else {
        panic!("nobody moved it")
    };
    assert_eq!(at, commit);
    stage.place.head = commit;
    let patch = deliver::diff(&stage.place, &api).unwrap();
    assert!(
        patch.contains("+hello you") && patch.contains("b/code"),
        "{patch}"
    );
    assert_eq!(deliver::worktrees(&stage.place).unwrap().len(), 2);

    let order = Order::CleanUp(stage.place.clone(), vec!["api".into()]);
    let Command::CleanedUp { kept, .. } = stage.twice(order).await else {
        panic!("it can be cleaned up")
    };
    assert_eq!(kept, Vec::<String>::new());
    assert!(!stage.repo().join(".worktrees").exists());
    let branches = stage.git(&[
        "for-each-ref",
        "--format=%(refname)",
        "refs/heads",
        "refs/director",
    ]);
    assert_eq!(branches, "refs/heads/main\nrefs/heads/sprint/s1\n");
    assert_eq!(
        users_own(&stage),
        before,
        "the user's checkout is untouched"
    );
    assert_eq!(stage.incidents, Vec::<String>::new());

    let delivery = deliver::deliver(&stage.place, None, None, 0).unwrap();
    assert!(matches!(
        delivery,
        Delivery::Delivered {
            fast_forward: true,
            ..
        }
    ));
    assert_eq!(
        fs::read_to_string(stage.repo().join("readme")).unwrap(),
        "hello you\n"
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_names_the_files_and_merges_nothing() {
    let mut stage = Stage::new();
    stage.begin().await;
    let one = stage.work(piece(0, "one"), &[("readme", "one\n")]).await;
    let two = stage.work(piece(1, "two"), &[("readme", "two\n")]).await;
    let (one, two) = (stage.commit(one).await, stage.commit(two).await);
    stage.merge(&one).await;
    let order = Order::PrepareMerge(stage.place.clone(), vec![two.clone()]);
    let Command::MergeConflicted { files, onto, .. } = stage.twice(order).await else {
        panic!("they conflict")
    };
    assert_eq!(
        (files, onto),
        (vec!["readme".to_owned()], stage.place.head.clone())
    );
    assert_eq!(
        stage.git(&["rev-parse", "sprint/s1"]).trim(),
        stage.place.head
    );

    // The rejected work is saved, and the next attempt begins on what was merged.
    let Command::WorkSalvaged { saved, kept, .. } = stage
        .twice(Order::Salvage(stage.place.clone(), two.clone()))
        .await
    else {
        panic!("it can be saved")
    };
    assert_eq!(
        (saved.as_str(), kept),
        ("refs/director/salvage/s1/two/1", None)
    );
    assert_eq!(stage.git(&["rev-parse", &saved]).trim(), two.commit);
    let mut again = piece(1, "two");
    again.attempt = Attempt(2);
    stage.work(again, &[]).await;
    assert_eq!(
        fs::read_to_string(stage.worktree("two").join("readme")).unwrap(),
        "one\n"
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_attempt_left_is_saved_or_kept_and_never_lost() {
    let mut stage = Stage::new();
    stage.begin().await;
    let lost = piece(0, "never-prepared");
    let answer = stage.twice(Order::Salvage(stage.place.clone(), lost)).await;
    assert!(matches!(answer, Command::WorkSalvaged { saved, kept: None, .. } if saved.is_empty()));

    let api = stage.work(piece(1, "api"), &[("half", "done\n")]).await;
    let answer = stage.twice(Order::Salvage(stage.place.clone(), api)).await;
    let Command::WorkSalvaged {
        saved, kept: None, ..
    } = answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(stage.git(&["show", &format!("{saved}:half")]), "done\n");
    assert!(
        !stage.worktree("api").join("half").exists(),
        "the worktree is free"
    );

    // A repository in the worktree is in no commit: the worktree itself is kept.
    let web = stage.work(piece(2, "web"), &[]).await;
    let nested = stage.worktree("web").join("nested");
    fs::create_dir(&nested).unwrap();
    git(&nested, &["init", "--quiet"]);
    fs::write(nested.join("precious"), "x").unwrap();
    git(&nested, &["add", "-A"]);
    git(&nested, &["commit", "--quiet", "-m", "inside"]);
    fs::write(nested.join("precious"), "y").unwrap();
    let effect = stage.next_effect();
    let order = Order::Salvage(stage.place.clone(), web);
    stage.put(effect, order.clone());
    let answer = stage.answer().await;
    let Command::WorkSalvaged {
        kept: Some(kept), ..
    } = answer
    else {
        panic!("{answer:?}")
    };
    let aside = stage.repo().join(".worktrees/.kept-s1-web-1");
    assert!(kept.contains(aside.to_str().unwrap()), "{kept}");
    assert_eq!(
        fs::read_to_string(aside.join("nested/precious")).unwrap(),
        "y"
    );
    stage.put(effect, order);
    assert!(matches!(
        stage.answer().await,
        Command::WorkSalvaged { kept: Some(_), .. }
    ));
    let mut again = piece(2, "web");
    again.attempt = Attempt(2);
    stage.work(again, &[("unfinished", "u\n")]).await;

    let features = vec!["api".into(), "web".into()];
    let order = Order::CleanUp(stage.place.clone(), features);
    let Command::CleanedUp { kept, .. } = stage.twice(order).await else {
        panic!("it cleans")
    };
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(aside.join("nested/precious").exists());
    assert!(!stage.worktree("web").exists());
    assert_eq!(
        stage.git(&["show", "refs/director/salvage/s1/web/0:unfinished"]),
        "u\n",
        "what nobody had saved is saved by the clean-up"
    );
    assert_eq!(stage.git(&["branch", "--list", "feature/*"]), "");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_features_at_once_and_two_tasks_in_one_feature() {
    let mut stage = Stage::new();
    stage.begin().await;
    for id in 0..6 {
        let effect = stage.next_effect();
        let piece = piece(id, &format!("f{id}"));
        stage.put(effect, Order::PrepareWorktree(stage.place.clone(), piece));
    }
    for _ in 0..6 {
        let answer = stage.answer().await;
        assert!(
            matches!(answer, Command::WorktreePrepared { .. }),
            "{answer:?}"
        );
    }
    let first = stage.work(piece(0, "f0"), &[("a", "1\n")]).await;
    let first = stage.commit(first).await;
    stage.merge(&first).await;
    let mut second = piece(7, "more");
    second.feature = "f0".into();
    let second = stage.work(second, &[("b", "2\n")]).await;
    assert!(
        stage.worktree("f0").join("a").exists(),
        "what was merged is there"
    );
    let second = stage.commit(second).await;
    stage.merge(&second).await;
    assert_eq!(stage.git(&["show", "sprint/s1:b"]), "2\n");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_is_put_before_an_agent_however_often_the_order_is_repeated() {
    for isolation in [Isolation::Worktree, Isolation::Clone] {
        let mut stage = Stage::new();
        stage.begin().await;
        let mine = stage.work(piece(0, "mine"), &[("file", "mine\n")]).await;
        let mine = stage.commit(mine).await;
        let other = stage.work(piece(1, "other"), &[("file", "other\n")]).await;
        let other = stage.commit(other).await;
        stage.merge(&other).await;
        let salvage = Order::Salvage(stage.place.clone(), mine.clone());
        let saved = stage.twice(salvage).await;
        assert!(matches!(saved, Command::WorkSalvaged { kept: None, .. }));

        let mut again = piece(0, "mine");
        again.attempt = Attempt(2);
        again.isolation = isolation;
        again.resolve.clone_from(&mine.commit);
        let order = Order::PrepareWorktree(stage.place.clone(), again.clone());
        let Command::WorktreePrepared { conflict, path, .. } = stage.twice(order.clone()).await
        else {
            panic!("it prepares")
        };
        assert_eq!(conflict, ["file"]);
        // Killed between git and the journal.
        stage.kill_and_restart().await;
        stage.twice(order).await;
        assert_eq!(stage.incidents, Vec::<String>::new(), "{isolation:?}");
        let file = Path::new(&path).join("file");
        assert!(fs::read_to_string(&file).unwrap().contains("<<<<<<<"));

        again.begun_at.clone_from(&stage.place.head);
        again.conflict = conflict;
        let commit = Order::CommitWork(stage.place.clone(), again.clone());
        let Command::EffectFailed { reason, .. } = stage.twice(commit.clone()).await else {
            panic!("markers are left")
        };
        assert_eq!(
            reason,
            "conflict markers are left in file; resolve them all"
        );
        fs::write(&file, "mine and other\n").unwrap();
        let resolved = stage.commit(again).await;
        stage.merge(&resolved).await;
        assert_eq!(stage.git(&["show", "sprint/s1:file"]), "mine and other\n");
        stage.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_repository_gates_run_in_the_scratch_directory() {
    let mut stage = Stage::new();
    let place = Place {
        repo: None,
        ..stage.place.clone()
    };
    let effect = stage.next_effect();
    let order = Order::RunGates {
        place,
        batch: vec![piece(0, "think")],
        commit: String::new(),
        gates: vec![gate("where", "pwd", 10_000)],
        output_max: 1 << 20,
    };
    stage.put(effect, order);
    let Command::GatesFinished { outcomes, .. } = stage.answer().await else {
        panic!("it runs")
    };
    assert!(
        outcomes[0].tail.ends_with("scratch/s1/think"),
        "{outcomes:?}"
    );
    stage.close().await;
}
