//! The rules without actors, in thousands of orders of events that nobody thought of.

use proptest::prelude::{
    Just, ProptestConfig, Strategy as _, any, prop, prop_assert_eq, prop_oneof, proptest,
};

use super::world::{World, failed, policy, rule};
use super::*;

#[derive(Clone, Debug)]
enum Happening {
    End(usize, bool),
    Finish(usize),
    Ask(usize, u8),
    Hang(usize, bool),
    Leak(usize, bool),
    Pass(u64),
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn happening() -> impl proptest::strategy::Strategy<Value = Happening> {
    let child = 0..NAMES.len();
    prop_oneof![
        6 => (child.clone(), any::<bool>()).prop_map(|(child, elsewhere)| Happening::End(child, elsewhere)),
        2 => child.clone().prop_map(Happening::Finish),
        3 => (child.clone(), 0..5_u8).prop_map(|(child, what)| Happening::Ask(child, what)),
        1 => (child.clone(), any::<bool>()).prop_map(|(child, on)| Happening::Hang(child, on)),
        1 => (child, any::<bool>()).prop_map(|(child, on)| Happening::Leak(child, on)),
        4 => prop_oneof![0..300_u64, 0..20_000_u64].prop_map(Happening::Pass),
    ]
}

fn play(strategy: Strategy, restarts: &[Restart], happenings: &[Happening]) -> String {
    let rules = NAMES
        .iter()
        .zip(restarts)
        .map(|(id, restart)| rule(id, *restart))
        .collect();
    let mut world = World::new(
        Policy {
            seed: 7,
            ..policy(strategy)
        },
        rules,
    );
    world.input(Input::Start);
    for happening in happenings {
        match *happening {
            Happening::End(child, elsewhere) => world.end(NAMES[child], failed(), elsewhere),
            Happening::Finish(child) => world.end(NAMES[child], Exit::Stopped, false),
            Happening::Ask(child, what) => {
                let id = ChildId::from(NAMES[child]);
                // Refused where it makes no sense; that changes nothing.
                let _ = world.request(match what {
                    0 => Request::Add(rule(NAMES[child], restarts[child])),
                    1 => Request::Remove(id),
                    2 => Request::Stop(id),
                    3 => Request::Start(id),
                    _ => Request::Kill(id),
                });
            }
            Happening::Hang(child, true) => drop(world.hanging.insert(NAMES[child].into())),
            Happening::Hang(child, false) => drop(world.hanging.remove(&NAMES[child].into())),
            Happening::Leak(child, true) => drop(world.leaking.insert(NAMES[child].into())),
            Happening::Leak(child, false) => drop(world.leaking.remove(&NAMES[child].into())),
            Happening::Pass(ms) => world.pass(ms),
        }
    }
    // Whatever happened: given time, everyone who should be up is up.
    world.pass(300_000);
    let over = world.lines.iter().any(|line| line.ends_with(" escalated"));
    for view in world.rules.children() {
        let rest = matches!(view.state, ChildState::Running | ChildState::Down);
        assert!(
            rest && (!over || view.state == ChildState::Down),
            "stuck: {view:?}\n{}",
            world.log()
        );
    }
    world.input(Input::Shutdown);
    world.pass(300_000);
    assert!(world.alive.is_empty(), "left behind: {:?}", world.alive);
    let ends = |line: &&String| line.ends_with(" all stopped") || line.ends_with(" escalated");
    assert_eq!(world.lines.iter().filter(ends).count(), 1, "ended once");
    assert!(ends(&world.lines.last().unwrap()), "and last");
    world.log()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_gets_a_supervisor_stuck_or_doubles_a_child(
        strategy in prop_oneof![Just(Strategy::OneForOne), Just(Strategy::OneForAll), Just(Strategy::RestForOne)],
        restarts in prop::collection::vec(
            prop_oneof![Just(Restart::Permanent), Just(Restart::Transient), Just(Restart::Temporary)], NAMES.len()),
        happenings in prop::collection::vec(happening(), 0..60),
    ) {
        let log = play(strategy, &restarts, &happenings);
        prop_assert_eq!(log, play(strategy, &restarts, &happenings), "the same again is the same");
    }
}
