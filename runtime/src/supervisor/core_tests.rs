//! The rules without actors: a small world answers the actions, so hours of faults take milliseconds.
//!
//! Here is what real actors on one thread cannot show: a child that does not end even when killed.

use expect_test::expect;

use super::world::{World, failed, policy, rule, world};
use super::*;

#[test]
fn strategy_restart_type_and_exit_decide_who_runs_afterwards() {
    let mut table = String::new();
    for strategy in [
        Strategy::OneForOne,
        Strategy::OneForAll,
        Strategy::RestForOne,
    ] {
        for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
            for exit in [
                Exit::Stopped,
                failed(),
                Exit::Panicked("oh".to_owned()),
                Exit::Killed,
            ] {
                let mut world = world(strategy, [Restart::Permanent, restart, Restart::Permanent]);
                world.end("b", exit.clone(), false);
                world.pass(1_000);
                let case = format!("{strategy:?}, {restart:?} b {exit}");
                table.push_str(&format!("{case:<42} {}\n", world.summary()));
            }
        }
    }
    expect![[r#"
        OneForOne, Permanent b stopped             a#1, b#2, c#1
        OneForOne, Permanent b failed: no          a#1, b#2, c#1
        OneForOne, Permanent b panicked: oh        a#1, b#2, c#1
        OneForOne, Permanent b killed              a#1, b#2, c#1
        OneForOne, Transient b stopped             a#1, b#1 down, c#1
        OneForOne, Transient b failed: no          a#1, b#2, c#1
        OneForOne, Transient b panicked: oh        a#1, b#2, c#1
        OneForOne, Transient b killed              a#1, b#2, c#1
        OneForOne, Temporary b stopped             a#1, b#1 down, c#1
        OneForOne, Temporary b failed: no          a#1, b#1 down, c#1
        OneForOne, Temporary b panicked: oh        a#1, b#1 down, c#1
        OneForOne, Temporary b killed              a#1, b#1 down, c#1
        OneForAll, Permanent b stopped             a#2, b#2, c#2
        OneForAll, Permanent b failed: no          a#2, b#2, c#2
        OneForAll, Permanent b panicked: oh        a#2, b#2, c#2
        OneForAll, Permanent b killed              a#2, b#2, c#2
        OneForAll, Transient b stopped             a#1, b#1 down, c#1
        OneForAll, Transient b failed: no          a#2, b#2, c#2
        OneForAll, Transient b panicked: oh        a#2, b#2, c#2
        OneForAll, Transient b killed              a#2, b#2, c#2
        OneForAll, Temporary b stopped             a#1, b#1 down, c#1
        OneForAll, Temporary b failed: no          a#1, b#1 down, c#1
        OneForAll, Temporary b panicked: oh        a#1, b#1 down, c#1
        OneForAll, Temporary b killed              a#1, b#1 down, c#1
        RestForOne, Permanent b stopped            a#1, b#2, c#2
        RestForOne, Permanent b failed: no         a#1, b#2, c#2
        RestForOne, Permanent b panicked: oh       a#1, b#2, c#2
        RestForOne, Permanent b killed             a#1, b#2, c#2
        RestForOne, Transient b stopped            a#1, b#1 down, c#1
        RestForOne, Transient b failed: no         a#1, b#2, c#2
        RestForOne, Transient b panicked: oh       a#1, b#2, c#2
        RestForOne, Transient b killed             a#1, b#2, c#2
        RestForOne, Temporary b stopped            a#1, b#1 down, c#1
        RestForOne, Temporary b failed: no         a#1, b#1 down, c#1
        RestForOne, Temporary b panicked: oh       a#1, b#1 down, c#1
        RestForOne, Temporary b killed             a#1, b#1 down, c#1
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_group_restart_leaves_down_what_is_down_by_its_type() {
    for (case, restarts, finish, expected) in [
        (
            "a running temporary child",
            [Restart::Temporary, Restart::Permanent, Restart::Permanent],
            None,
            "a#1 down, b#2, c#2",
        ),
        (
            "a finished transient child",
            [Restart::Transient, Restart::Permanent, Restart::Permanent],
            Some("a"),
            "a#1 down, b#2, c#2",
        ),
        (
            "a running transient child",
            [Restart::Transient, Restart::Permanent, Restart::Permanent],
            None,
            "a#2, b#2, c#2",
        ),
    ] {
        let mut world = world(Strategy::OneForAll, restarts);
        if let Some(child) = finish {
            world.end(child, Exit::Stopped, false);
        }
        world.end("b", failed(), false);
        world.pass(1_000);
        assert_eq!(world.summary(), expected, "case: {case}");
    }
}

#[test]
fn a_child_that_does_not_end_when_killed_is_given_up_fenced_and_told_of() {
    let mut world = world(Strategy::OneForAll, [Restart::Permanent; 3]);
    world.hanging.insert("c".into());
    world.leaking.insert("c".into());
    world.end("a", failed(), false);
    world.pass(20_000);
    // The lost incarnation comes to itself and ends: that is told and touches nothing.
    let (child, generation) = world.given_up[0].clone();
    world.input(Input::Gone {
        child,
        generation,
        exit: Exit::Stopped,
        charged_elsewhere: false,
    });
    world.hanging.clear();
    world.input(Input::Shutdown);
    expect![[r#"
        0      a#1 exited, failed: no
        0      a b c restarting together in 100 ms
        0      c#1 stopping
        5000   c#1 killing
        10000  c#1 leaked
        10000  c#1 exited, leaked
        10000  b#1 stopping
        10000  b#1 exited, stopped
        10000  a#2 starting
        10000  a#2 started
        10000  b#2 starting
        10000  b#2 started
        10000  c#2 starting
        10000  c#2 started
        20000  c#1 reaped, stopped
        20000  c#2 stopping
        20000  c#2 exited, stopped
        20000  b#2 stopping
        20000  b#2 exited, stopped
        20000  a#2 stopping
        20000  a#2 exited, stopped
        20000  all stopped
    "#]]
    .assert_eq(&world.log());
}

#[test]
fn a_wedged_child_that_is_killed_by_request_is_restarted() {
    let mut world = world(Strategy::OneForOne, [Restart::Transient; 3]);
    world.request(Request::Kill("b".into())).unwrap();
    world.pass(1_000);
    world.leaking.insert("b".into());
    world.request(Request::Kill("b".into())).unwrap();
    world.request(Request::Kill("b".into())).unwrap();
    world.pass(10_000);
    expect![[r#"
        0      b#1 killing
        0      b#1 exited, killed
        0      b restarting in 100 ms
        100    b#2 starting
        100    b#2 started
        1000   b#2 killing
        6000   b#2 leaked
        6000   b#2 exited, leaked
        6000   b restarting in 200 ms
        6200   b#3 starting
        6200   b#3 started
    "#]]
    .assert_eq(&world.log());
    assert_eq!(world.rules.children()[1].leaked, 1);
}

#[test]
fn news_of_an_older_generation_changes_nothing() {
    let mut world = world(Strategy::OneForOne, [Restart::Permanent; 3]);
    world.end("b", failed(), false);
    world.pass(1_000);
    let before = world.summary();
    let (child, generation) = (ChildId::from("b"), Generation(1));
    for stale in [
        Input::Gone {
            child: child.clone(),
            generation,
            exit: failed(),
            charged_elsewhere: false,
        },
        Input::Started {
            child: child.clone(),
            generation,
        },
        Input::TimerFired {
            timer: Timer::Restart(child.clone()),
            generation: 1,
        },
        Input::TimerFired {
            timer: Timer::Grace(child.clone()),
            generation: 1,
        },
        Input::TimerFired {
            timer: Timer::Join(child.clone()),
            generation: 1,
        },
        Input::TimerFired {
            timer: Timer::Group,
            generation: 0,
        },
        Input::Gone {
            child: "nobody".into(),
            generation,
            exit: failed(),
            charged_elsewhere: false,
        },
        Input::Start,
    ] {
        assert_eq!(
            world.rules.handle(world.now_ms, stale.clone()),
            [],
            "case: {stale:?}"
        );
    }
    assert_eq!(world.summary(), before);
}

#[test]
fn a_failure_charged_elsewhere_waits_but_costs_no_restart() {
    let mut world = world(Strategy::OneForOne, [Restart::Permanent; 3]);
    for _ in 0..50 {
        world.end("b", failed(), true);
        world.pass(10_000);
    }
    assert_eq!(world.summary(), "a#1, b#51, c#1");
    let log = world.log();
    let delays: Vec<_> = log
        .lines()
        .filter_map(|line| line.split("restarting in ").nth(1))
        .take(9)
        .collect();
    let doubling =
        [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000].map(|ms: u64| format!("{ms} ms"));
    assert_eq!(delays, doubling);
    // Four of its own within the window are one too many.
    for _ in 0..4 {
        world.end("a", failed(), false);
        world.pass(1_000);
    }
    assert!(world.log().ends_with("escalated\n"));
}

#[test]
fn a_stable_run_makes_the_next_failure_the_first_again() {
    for (case, run_ms, delay) in [
        ("too short", 59_999, "400 ms"),
        ("long enough", 60_000, "100 ms"),
    ] {
        let mut world = world(Strategy::OneForOne, [Restart::Permanent; 3]);
        world.end("b", failed(), false);
        world.pass(100);
        world.end("b", failed(), false);
        world.pass(200);
        world.pass(run_ms);
        world.end("b", failed(), false);
        assert!(
            world.log().ends_with(&format!("restarting in {delay}\n")),
            "case: {case}"
        );
    }
}

#[test]
fn an_earlier_sibling_that_fails_during_a_group_backoff_widens_the_group() {
    let mut world = world(Strategy::RestForOne, [Restart::Permanent; 3]);
    world.end("b", failed(), false);
    world.pass(50);
    world.end("a", failed(), false);
    world
        .request(Request::Add(rule("d", Restart::Permanent)))
        .unwrap();
    world.pass(1_000);
    expect![[r#"
        0      b#1 exited, failed: no
        0      b c restarting together in 100 ms
        0      c#1 stopping
        0      c#1 exited, stopped
        50     a#1 exited, failed: no
        50     a b c restarting together in 100 ms
        150    a#2 starting
        150    a#2 started
        150    b#2 starting
        150    b#2 started
        150    c#2 starting
        150    c#2 started
        150    d#1 starting
        150    d#1 started
    "#]]
    .assert_eq(&world.log());
}

#[test]
fn siblings_that_fail_while_their_group_is_being_stopped_join_the_same_restart() {
    let mut world = world(Strategy::OneForAll, [Restart::Permanent; 3]);
    world.hanging.insert("c".into());
    world.end("b", failed(), false);
    world.pass(50);
    world.end("a", failed(), false);
    world.end("c", failed(), false);
    world.pass(1_000);
    expect![[r#"
        0      b#1 exited, failed: no
        0      a b c restarting together in 100 ms
        0      c#1 stopping
        50     a#1 exited, failed: no
        50     c#1 exited, failed: no
        100    a#2 starting
        100    a#2 started
        100    b#2 starting
        100    b#2 started
        100    c#2 starting
        100    c#2 started
    "#]]
    .assert_eq(&world.log());
}

#[test]
fn a_slow_start_holds_back_those_after_it_but_not_the_restart_of_one_before_it() {
    let rules = ["a", "b", "c"]
        .map(|id| rule(id, Restart::Permanent))
        .to_vec();
    let mut world = World::new(policy(Strategy::OneForOne), rules);
    world.slow.insert("b".into());
    world.input(Input::Start);
    world.end("a", failed(), false);
    world.pass(1_000);
    assert_eq!(world.summary(), "a#2, b#1 starting, c#0 waiting");
    let (child, generation) = (ChildId::from("b"), Generation(1));
    world.input(Input::Started { child, generation });
    assert_eq!(world.summary(), "a#2, b#1, c#1");
}

#[test]
fn requests_start_stop_add_and_remove_at_run_time() {
    let mut world = world(Strategy::OneForOne, [Restart::Permanent; 3]);
    world
        .request(Request::Add(rule("d", Restart::Permanent)))
        .unwrap();
    world.request(Request::Stop("b".into())).unwrap();
    assert_eq!(world.summary(), "a#1, b#1 down, c#1, d#1");
    world.request(Request::Start("b".into())).unwrap();
    world.request(Request::Remove("a".into())).unwrap();
    assert_eq!(world.summary(), "b#2, c#1, d#1");
    // Started again before its stop is over: one incarnation after the other.
    world.hanging.insert("c".into());
    world.request(Request::Stop("c".into())).unwrap();
    world.request(Request::Start("c".into())).unwrap();
    assert_eq!(world.summary(), "b#2, c#1 stopping, d#1");
    world.pass(5_000);
    assert_eq!(world.summary(), "b#2, c#2, d#1");
    // A start does not wait for the backoff, and the timer that is still set starts nothing.
    world.end("d", failed(), false);
    world.request(Request::Start("d".into())).unwrap();
    world.pass(1_000);
    assert_eq!(world.summary(), "b#2, c#2, d#2");

    let (supervisor, child) = ("top".to_owned(), ChildId::from("x"));
    let unknown = Refused::Unknown {
        supervisor: supervisor.clone(),
        child: child.clone(),
    };
    let duplicate = Refused::Duplicate {
        supervisor: supervisor.clone(),
        child: "b".into(),
    };
    assert_eq!(world.request(Request::Stop(child)), Err(unknown));
    assert_eq!(
        world.request(Request::Add(rule("b", Restart::Permanent))),
        Err(duplicate)
    );
    world.input(Input::Shutdown);
    assert_eq!(
        world.request(Request::Start("b".into())),
        Err(Refused::Closing { supervisor })
    );
}

#[test]
fn a_name_that_comes_back_goes_on_counting_so_a_lost_incarnation_cannot_end_the_new_one() {
    let mut world = world(Strategy::OneForOne, [Restart::Permanent; 3]);
    world.hanging.insert("b".into());
    world.leaking.insert("b".into());
    world.request(Request::Remove("b".into())).unwrap();
    world.pass(10_000);
    world
        .request(Request::Add(rule("b", Restart::Permanent)))
        .unwrap();
    assert_eq!(world.summary(), "a#1, c#1, b#2");
    let (child, generation) = world.given_up[0].clone();
    world.input(Input::Gone {
        child,
        generation,
        exit: failed(),
        charged_elsewhere: false,
    });
    assert_eq!(world.summary(), "a#1, c#1, b#2");
}
