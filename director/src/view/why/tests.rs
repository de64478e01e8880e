//! Every state of a task has its reason and, where there is one, the way out.

use director_protocols::command::Command;
use director_protocols::severity::Severity;
use director_protocols::sprint::Priority;
use director_protocols::time::Span;
use expect_test::expect;

use super::super::recorded::{Run, SPRINT, checkout, midway, troubled};
use super::*;

fn text(run: &Run, task: &str) -> String {
    match why(run.state(), &run.entries, run.task(task), run.now) {
        Some(view) => render(&view, 80, false),
        None => "none\n".to_owned(),
    }
}

#[test]
fn each_task_of_a_sprint_under_way_has_its_reason() {
    let run = midway();
    let all: Vec<String> = [
        "docs",
        "cart-ui",
        "payment-api",
        "cart-api",
        "connect",
        "checkout-spec",
    ]
    .iter()
    .map(|task| text(&run, task))
    .collect();
    expect![[r#"
        ◆ docs merging docs
          its work is being merged, and the gates run on the result

        Attempts
          1. 09:45 documentation-writer-1 12m06s, done: did docs

          work    00c0de0600c0 (2 files, +40 −3)
        -----
        ! cart-ui blocked cart ui
          it is blocked for 18m44s, high (inbox #1): Which logo �[31mgoes on top�[0m?
          The design shows two.

        Attempts
          1. 09:45 ux-engineer-1 15m08s, blocked: Which logo �[31mgoes on top�[0m? The
             design shows two.

        Blockers
          10:00 high (open): Which logo �[31mgoes on top�[0m? The design shows two.

          saved   refs/director/salvage/cart-ui/1

        What you can do
          director answer 1 "…"      answers what waits in the inbox, and the task goes on
          director reassign cart-ui  gives it to another agent instead
        -----
        ↻ payment-api backoff payment api
          its next attempt begins in 3m17s (at 10:22:31 UTC), because the last one ended
          so: the sandbox answered 503

        Chain
          payment-api waits for the worktree of backend, which cart-api has
          api-engineer-1 has cart-api in hand

        Attempts
          1. 09:45 api-engineer-1 32m09s, failed: the sandbox answered 503

          saved   refs/director/salvage/payment-api/1

        What you can do
          director logs payment-api   shows what its agent printed
          director retry payment-api  tries it again; earlier failures no longer count
        -----
        ▶ cart-api working cart api
          api-engineer-1 works on it for 1m42s

        Attempts
          1. 10:17 api-engineer-1 1m42s, under way

        What you can do
          director logs -f cart-api   follows what its agent prints
          director reassign cart-api  gives it to another agent
        -----
        · connect waiting Connect <cart> & "payment"
          it waits for cart-api, which is being worked on
          it waits for payment-api, which waits to be tried again
          it waits for cart-ui, which is blocked

        Chain
          connect waits for what cart-api hands on
          api-engineer-1 has cart-api in hand

        What you can do
          director why cart-ui  tells what that one waits for
        -----
        ✓ checkout-spec completed checkout spec
          tech-lead-1 did it in 45m12s

        Attempts
          1. 09:00 tech-lead-1 45m08s, done: did checkout-spec

        Gates
          ✓ tests passed (cargo test)
          ? coverage not measured (a coverage file that the tests leave be…)

          work    00c0de0000c0 (2 files, +40 −3)
          merged  feed0000feed

        What you can do
          director diff checkout-spec  shows what it changed
    "#]]
    .assert_eq(&all.join("-----\n"));
}

#[test]
fn a_task_that_was_given_up_or_fought_for_tells_its_story() {
    let run = troubled();
    let all = [
        text(&run, "connect"),
        text(&run, "cart-ui"),
        text(&run, "docs"),
    ];
    expect![[r#"
        ✗ connect failed Connect <cart> & "payment"
          it was given up: 3 attempts failed; the last: the two do not fit together

        Attempts
          1. 11:38 fullstack-engineer-1 11m02s, failed: the two do not fit together
          2. 11:51 fullstack-engineer-1 9m02s, failed: the two do not fit together
          3. 12:02 fullstack-engineer-1 9m02s, failed: the two do not fit together

          saved   refs/director/salvage/connect/1
          saved   refs/director/salvage/connect/2
          saved   refs/director/salvage/connect/3

        What you can do
          director logs connect   shows what its agent printed
          director retry connect  tries it again; earlier failures no longer count
        -----
        ✓ cart-ui completed cart ui
          ux-engineer-1 did it in 1h19m

        Attempts
          1. 09:45 ux-engineer-1 55m13s, done: did cart-ui
             not accepted: gate `tests` failed (exit code 101): cargo test
             test cart::adds_up ... FAILED
          2. 10:42 ux-engineer-1 2.0s, died: out of memory
          3. 10:44 ux-engineer-1 14m02s, done: did cart-ui
             not accepted: its work conflicts with what was merged since, in
             src/cart.rs; do it again on the newest state
          4. 10:58 ux-engineer-1 6m02s, done: did cart-ui

        Gates
          ✓ tests passed (cargo test)
          ? coverage not measured (a coverage file that the tests leave be…)

          work    00c0de0400c0 (2 files, +40 −3)
          merged  feed0004feed
          saved   refs/director/salvage/cart-ui/1
          saved   refs/director/salvage/cart-ui/2
          saved   refs/director/salvage/cart-ui/3

        What you can do
          director diff cart-ui  shows what it changed
        -----
        ✓ docs completed docs
          documentation-writer-1 did it in 45m13s

        Attempts
          1. 09:45 documentation-writer-1 5m06s, blocked: Where do the docs live?
          2. 10:20 documentation-writer-1 10m02s, done: did docs

        Gates
          ✓ tests passed (cargo test)
          ? coverage not measured (a coverage file that the tests leave be…)

        Blockers
          09:50 high (resolved 10:20 by ada): Where do the docs live?

          work    00c0de0600c0 (2 files, +40 −3)
          merged  feed0006feed
          saved   refs/director/salvage/docs/1

        What you can do
          director diff docs  shows what it changed
    "#]]
    .assert_eq(&all.join("-----\n"));
}

#[test]
fn whatever_holds_a_ready_task_back_is_named() {
    let kinds = |run: &Run, task: &str| -> Vec<&'static str> {
        let view = why(run.state(), &run.entries, run.task(task), run.now);
        view.map_or_else(Vec::new, |view| {
            view.reasons.iter().map(|r| r.kind).collect()
        })
    };
    let begun = || {
        let mut run = Run::of(checkout(true));
        run.done("psp-research", 20);
        run
    };

    let mut run = Run::empty();
    run.down.insert("tech-lead".to_owned());
    run.say(Command::Open {
        version: "1".to_owned(),
    });
    run.say(Command::Submit(Box::new(checkout(true))));
    run.settle();
    assert_eq!(kinds(&run, "checkout-spec"), ["no_agent"]);

    let mut run = Run::empty();
    run.say(Command::Open {
        version: "1".to_owned(),
    });
    run.say(Command::Submit(Box::new(checkout(true))));
    assert_eq!(kinds(&run, "checkout-spec"), ["preparing"]);
    let effect = run.state().outstanding.iter().next().map(|(id, _)| id);
    run.say(Command::RepoRefused {
        effect: effect.expect("the repository is asked for"),
        reason: "the base is red".to_owned(),
    });
    assert_eq!(kinds(&run, "checkout-spec"), ["refused"]);
    assert_eq!(kinds(&run, "docs")[0], "refused");

    let mut run = begun();
    run.say(Command::Pause {
        sprint: Some(SPRINT),
        by: "ada".to_owned(),
    });
    run.done("checkout-spec", 5);
    assert_eq!(kinds(&run, "docs"), ["paused"]);
    assert_eq!(kinds(&run, "connect"), ["dependency"; 3]);

    let mut spec = checkout(true);
    spec.tasks[0].priority = Priority::Critical;
    let mut run = Run::of(spec);
    run.blocked("checkout-spec", 5, Severity::Critical, "the vault is gone");
    run.done("psp-research", 5);
    assert_eq!(run.state().sprints.table[0].state(), "emergency");
    assert_eq!(kinds(&run, "checkout-spec"), ["blocked"]);

    let mut run = begun();
    run.say(Command::RoleLost {
        role: "tech-lead".to_owned(),
        reason: "6 restarts".to_owned(),
    });
    run.wait(Span::minutes(2));
    assert_eq!(kinds(&run, "checkout-spec"), ["saving", "role_lost"]);

    // Two tasks of one feature take turns in its worktree.
    let mut run = begun();
    run.done("checkout-spec", 5);
    assert_eq!(kinds(&run, "cart-api"), ["worktree"]);

    let run = midway();
    assert_eq!(kinds(&run, "cart-ui"), ["blocked"]);
    assert_eq!(kinds(&run, "docs"), ["merging"]);
    let past_all = TaskId(99);
    assert_eq!(why(run.state(), &run.entries, past_all, run.now), None);
}
