//! Real actors under a real supervisor on virtual time: what happens is compared line by line.

use std::time::Duration;

use expect_test::{Expect, expect};
use tokio::time::sleep;

use super::stage::{Cast, Do, Plan, Stage, Way, plain, settle, well};
use super::*;

async fn three(strategy: Strategy, plan: Plan) -> Stage {
    let cast = Cast::new(plan);
    let spec = ["a", "b", "c"].iter().fold(plain(strategy), |spec, name| {
        spec.child(cast.child(name, Restart::Permanent))
    });
    let stage = cast.raise(spec);
    settle().await;
    stage
}

async fn b_panics(strategy: Strategy, expected: Expect) {
    let stage = three(strategy, well).await;
    stage.tell("b", Do::Panic);
    settle().await;
    expected.assert_eq(&stage.end().await);
}

#[tokio::test(start_paused = true)]
async fn one_for_one_restarts_the_child_that_failed() {
    b_panics(
        Strategy::OneForOne,
        expect![[r#"
            0      a#1 starting
            0      a#1 started
            0      b#1 starting
            0      b#1 started
            0      c#1 starting
            0      c#1 started
            1000   - b Panic
            1000     b#1 state dropped
            1000   b#1 exited, panicked: handle panic
            1000   b restarting in 100 ms
            1100   b#2 starting
            1100   b#2 started
            2000   - shutdown
            2000   c#1 stopping
            2000     c#1 state dropped
            2000   c#1 exited, stopped
            2000   b#2 stopping
            2000     b#2 state dropped
            2000   b#2 exited, stopped
            2000   a#1 stopping
            2000     a#1 state dropped
            2000   a#1 exited, stopped
            2000   all stopped
            2000   top stopped
        "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn one_for_all_stops_the_siblings_in_reverse_and_starts_all_in_order() {
    b_panics(
        Strategy::OneForAll,
        expect![[r#"
            0      a#1 starting
            0      a#1 started
            0      b#1 starting
            0      b#1 started
            0      c#1 starting
            0      c#1 started
            1000   - b Panic
            1000     b#1 state dropped
            1000   b#1 exited, panicked: handle panic
            1000   a b c restarting together in 100 ms
            1000   c#1 stopping
            1000     c#1 state dropped
            1000   c#1 exited, stopped
            1000   a#1 stopping
            1000     a#1 state dropped
            1000   a#1 exited, stopped
            1100   a#2 starting
            1100   a#2 started
            1100   b#2 starting
            1100   b#2 started
            1100   c#2 starting
            1100   c#2 started
            2000   - shutdown
            2000   c#2 stopping
            2000     c#2 state dropped
            2000   c#2 exited, stopped
            2000   b#2 stopping
            2000     b#2 state dropped
            2000   b#2 exited, stopped
            2000   a#2 stopping
            2000     a#2 state dropped
            2000   a#2 exited, stopped
            2000   all stopped
            2000   top stopped
        "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn rest_for_one_leaves_those_started_before_alone() {
    b_panics(
        Strategy::RestForOne,
        expect![[r#"
            0      a#1 starting
            0      a#1 started
            0      b#1 starting
            0      b#1 started
            0      c#1 starting
            0      c#1 started
            1000   - b Panic
            1000     b#1 state dropped
            1000   b#1 exited, panicked: handle panic
            1000   b c restarting together in 100 ms
            1000   c#1 stopping
            1000     c#1 state dropped
            1000   c#1 exited, stopped
            1100   b#2 starting
            1100   b#2 started
            1100   c#2 starting
            1100   c#2 started
            2000   - shutdown
            2000   c#2 stopping
            2000     c#2 state dropped
            2000   c#2 exited, stopped
            2000   b#2 stopping
            2000     b#2 state dropped
            2000   b#2 exited, stopped
            2000   a#1 stopping
            2000     a#1 state dropped
            2000   a#1 exited, stopped
            2000   all stopped
            2000   top stopped
        "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn two_failures_in_one_instant_are_one_restart_of_the_group() {
    let stage = three(Strategy::OneForAll, well).await;
    stage.tell("b", Do::Panic);
    stage.tell("a", Do::Fail);
    settle().await;
    expect![[r#"
        0      a#1 starting
        0      a#1 started
        0      b#1 starting
        0      b#1 started
        0      c#1 starting
        0      c#1 started
        1000   - b Panic
        1000   - a Fail
        1000     b#1 state dropped
        1000     a#1 state dropped
        1000   b#1 exited, panicked: handle panic
        1000   a b c restarting together in 100 ms
        1000   c#1 stopping
        1000   a#1 exited, failed: handle error
        1000     c#1 state dropped
        1000   c#1 exited, stopped
        1100   a#2 starting
        1100   a#2 started
        1100   b#2 starting
        1100   b#2 started
        1100   c#2 starting
        1100   c#2 started
        2000   - shutdown
        2000   c#2 stopping
        2000     c#2 state dropped
        2000   c#2 exited, stopped
        2000   b#2 stopping
        2000     b#2 state dropped
        2000   b#2 exited, stopped
        2000   a#2 stopping
        2000     a#2 state dropped
        2000   a#2 exited, stopped
        2000   all stopped
        2000   top stopped
    "#]]
    .assert_eq(&stage.end().await);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_never_starts_uses_up_the_restarts_and_its_siblings_stop_cleanly() {
    let stage = three(Strategy::OneForOne, |name, _| match name {
        "b" => (Way::Panic, Way::Well),
        _ => (Way::Well, Way::Well),
    })
    .await;
    settle().await;
    expect![[r#"
        0      a#1 starting
        0      a#1 started
        0      b#1 starting
        0      b#1 exited, panicked: start panic
        0      b restarting in 100 ms
        0      c#1 starting
        0      c#1 started
        100    b#2 starting
        100    b#2 exited, panicked: start panic
        100    b restarting in 200 ms
        300    b#3 starting
        300    b#3 exited, panicked: start panic
        300    b restarting in 400 ms
        700    b#4 starting
        700    b#4 exited, panicked: start panic
        700    giving up over b
        700    c#1 stopping
        700      c#1 state dropped
        700    c#1 exited, stopped
        700    a#1 stopping
        700      a#1 state dropped
        700    a#1 exited, stopped
        700    escalated
        2000   - shutdown
        2000   top escalated: `top` gave up: `b` ended (panicked: start panic) and 3 restarts in 10000 ms are used up
    "#]].assert_eq(&stage.end().await);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_hangs_in_its_stop_is_killed_after_its_grace() {
    let stage = three(Strategy::RestForOne, |name, generation| {
        match (name, generation) {
            ("c", 1) => (Way::Well, Way::Hang),
            ("b", 2) => (Way::Well, Way::Panic),
            ("a", _) => (Way::Well, Way::Fail),
            _ => (Way::Well, Way::Well),
        }
    })
    .await;
    stage.tell("b", Do::Fail);
    sleep(Duration::from_secs(10)).await;
    expect![[r#"
        0      a#1 starting
        0      a#1 started
        0      b#1 starting
        0      b#1 started
        0      c#1 starting
        0      c#1 started
        1000   - b Fail
        1000     b#1 state dropped
        1000   b#1 exited, failed: handle error
        1000   b c restarting together in 100 ms
        1000   c#1 stopping
        6000   c#1 killing
        6000     c#1 state dropped
        6000   c#1 exited, killed
        6000   b#2 starting
        6000   b#2 started
        6000   c#2 starting
        6000   c#2 started
        11000  - shutdown
        11000  c#2 stopping
        11000    c#2 state dropped
        11000  c#2 exited, stopped
        11000  b#2 stopping
        11000    b#2 state dropped
        11000  b#2 exited, panicked: stop panic
        11000  a#1 stopping
        11000    a#1 state dropped
        11000  a#1 exited, failed: stop error
        11000  all stopped
        11000  top stopped
    "#]]
    .assert_eq(&stage.end().await);
}

/// One child `x` that is told something, a second later; what follows within ten seconds.
async fn x_alone(restart: Restart, plan: Plan, act: impl AsyncFnOnce(&Stage)) -> String {
    let cast = Cast::new(plan);
    let child = cast.child("x", restart);
    let stage = cast.raise(plain(Strategy::OneForOne).child(child));
    settle().await;
    stage.log.clear();
    act(&stage).await;
    sleep(Duration::from_secs(10)).await;
    let text = stage.log.text();
    let _ = stage.end().await;
    text
}

async fn kill_x(stage: &Stage) {
    stage.log.add("- x to be killed");
    stage
        .ask(|reply| SupervisorCommand::Kill("x".into(), reply))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_end_is_told_by_its_cause_and_followed_by_what_the_restart_type_says() {
    let mut text = String::new();
    for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
        text.push_str(&format!("{restart:?}\n"));
        for what in [Do::Panic, Do::Fail, Do::Finish] {
            text.push_str(&x_alone(restart, well, async |stage| stage.tell("x", what)).await);
        }
        text.push_str(&x_alone(restart, well, kill_x).await);
    }
    expect![[r#"
        Permanent
        1000   - x Panic
        1000     x#1 state dropped
        1000   x#1 exited, panicked: handle panic
        1000   x restarting in 100 ms
        1100   x#2 starting
        1100   x#2 started
        1000   - x Fail
        1000     x#1 state dropped
        1000   x#1 exited, failed: handle error
        1000   x restarting in 100 ms
        1100   x#2 starting
        1100   x#2 started
        1000   - x Finish
        1000     x#1 state dropped
        1000   x#1 exited, stopped
        1000   x restarting in 100 ms
        1100   x#2 starting
        1100   x#2 started
        1000   - x to be killed
        1000   x#1 killing
        1000     x#1 state dropped
        1000   x#1 exited, killed
        1000   x restarting in 100 ms
        1100   x#2 starting
        1100   x#2 started
        Transient
        1000   - x Panic
        1000     x#1 state dropped
        1000   x#1 exited, panicked: handle panic
        1000   x restarting in 100 ms
        1100   x#2 starting
        1100   x#2 started
        1000   - x Fail
        1000     x#1 state dropped
        1000   x#1 exited, failed: handle error
        1000   x restarting in 100 ms
        1100   x#2 starting
        1100   x#2 started
        1000   - x Finish
        1000     x#1 state dropped
        1000   x#1 exited, stopped
        1000   x stays down
        1000   - x to be killed
        1000   x#1 killing
        1000     x#1 state dropped
        1000   x#1 exited, killed
        1000   x restarting in 100 ms
        1100   x#2 starting
        1100   x#2 started
        Temporary
        1000   - x Panic
        1000     x#1 state dropped
        1000   x#1 exited, panicked: handle panic
        1000   x stays down
        1000   - x Fail
        1000     x#1 state dropped
        1000   x#1 exited, failed: handle error
        1000   x stays down
        1000   - x Finish
        1000     x#1 state dropped
        1000   x#1 exited, stopped
        1000   x stays down
        1000   - x to be killed
        1000   x#1 killing
        1000     x#1 state dropped
        1000   x#1 exited, killed
        1000   x stays down
    "#]]
    .assert_eq(&text);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_hangs_in_its_handler_is_killed_there() {
    let hang_then = async |stage: &Stage| {
        stage.tell("x", Do::Hang);
        kill_x(stage).await;
    };
    expect![[r#"
        1000   - x Hang
        1000   - x to be killed
        1000   x#1 killing
        1000     x#1 state dropped
        1000   x#1 exited, killed
        1000   x restarting in 100 ms
        1100   x#2 starting
        1100   x#2 started
    "#]]
    .assert_eq(&x_alone(Restart::Transient, well, hang_then).await);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_hangs_in_its_start_holds_the_next_ones_back_and_is_killed_at_shutdown() {
    let stage = three(Strategy::OneForOne, |name, _| match name {
        "b" => (Way::Hang, Way::Well),
        _ => (Way::Well, Way::Well),
    })
    .await;
    expect![[r#"
        0      a#1 starting
        0      a#1 started
        0      b#1 starting
        1000   - shutdown
        1000   b#1 stopping
        6000   b#1 killing
        6000   b#1 exited, killed
        6000   a#1 stopping
        6000     a#1 state dropped
        6000   a#1 exited, stopped
        6000   all stopped
        6000   top stopped
    "#]]
    .assert_eq(&stage.end().await);
}

#[tokio::test(start_paused = true)]
async fn a_factory_that_fails_or_panics_counts_like_a_child_that_does() {
    let cast = Cast::new(well);
    let fails = ChildSpec::new("fails", Restart::Temporary, |_| {
        Err("no worktree is free".into())
    });
    let panics = ChildSpec::new("panics", Restart::Temporary, |context| {
        panic!("no {}", context.child)
    });
    let after = cast.child("after", Restart::Permanent);
    let stage = cast.raise(
        plain(Strategy::OneForOne)
            .child(fails)
            .child(panics)
            .child(after),
    );
    settle().await;
    expect![[r#"
        0      fails#1 starting
        0      fails#1 exited, failed: no worktree is free
        0      fails stays down
        0      panics#1 starting
        0      panics#1 exited, panicked: no panics
        0      panics stays down
        0      after#1 starting
        0      after#1 started
    "#]]
    .assert_eq(&stage.log.text());
    let _ = stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn children_come_and_go_at_run_time() {
    let cast = Cast::new(well);
    let (a, b, again) = (
        cast.child("a", Restart::Permanent),
        cast.child("b", Restart::Permanent),
        cast.child("b", Restart::Permanent),
    );
    let stage = cast.raise(plain(Strategy::OneForOne).child(a));
    settle().await;
    stage
        .ask(|reply| SupervisorCommand::Add(b, reply))
        .await
        .unwrap();
    let refused = stage
        .ask(|reply| SupervisorCommand::Add(again, reply))
        .await
        .unwrap_err();
    stage.log.add(refused);
    settle().await;
    stage
        .ask(|reply| SupervisorCommand::Stop("b".into(), reply))
        .await
        .unwrap();
    settle().await;
    stage
        .ask(|reply| SupervisorCommand::Start("b".into(), reply))
        .await
        .unwrap();
    stage
        .ask(|reply| SupervisorCommand::Remove("a".into(), reply))
        .await
        .unwrap();
    settle().await;
    let refused = stage
        .ask(|reply| SupervisorCommand::Start("a".into(), reply))
        .await
        .unwrap_err();
    stage.log.add(refused);
    expect![[r#"
        0      a#1 starting
        0      a#1 started
        1000   b#1 starting
        1000   b#1 started
        1000   supervisor `top` already has a child named `b`; remove it first or use another name
        2000   b#1 stopping
        2000     b#1 state dropped
        2000   b#1 exited, stopped
        3000   b#2 starting
        3000   b#2 started
        3000   a#1 stopping
        3000     a#1 state dropped
        3000   a#1 exited, stopped
        3000   a removed
        4000   supervisor `top` has no child named `a`
        4000   - shutdown
        4000   b#2 stopping
        4000     b#2 state dropped
        4000   b#2 exited, stopped
        4000   all stopped
        4000   top stopped
    "#]]
    .assert_eq(&stage.end().await);
}
