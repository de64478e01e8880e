//! The proof against all orders that there are, and against schedules that are known.

use proptest::prelude::*;

use super::super::decode::{Decoder, From, Ways};
use super::super::floor::Floor;
use super::super::genetic::Island;
use super::super::model::{Job, Model, Problem, Way};
use super::super::tests::problems;
use super::{Answer, Prover};

/// Problems with one way for each job.
fn single(most: usize) -> impl Strategy<Value = Problem> {
    problems(most).prop_map(|mut problem| {
        for job in &mut problem.jobs {
            job.ways.truncate(1);
        }
        problem
    })
}

/// The length of the shortest schedule: one of those that come of an order, as no other is shorter.
fn shortest(model: &Model) -> u32 {
    let mut decoder = Decoder::new(model);
    let mut best = u32::MAX;
    let mut order = Vec::new();
    fn all(model: &Model, order: &mut Vec<u32>, decoder: &mut Decoder, best: &mut u32) {
        if order.len() == model.free.len() {
            *best = decoder.pass(From::Start, Ways::Keep, order).min(*best);
            return;
        }
        for &job in &model.free {
            let is_there = |job: &u32| order.contains(job) || model.fixed[*job as usize].is_some();
            if !order.contains(&job) && model.before.of(job).iter().all(is_there) {
                order.push(job);
                all(model, order, decoder, best);
                order.pop();
            }
        }
    }
    all(model, &mut order, &mut decoder, &mut best);
    best
}

/// The order of what was found, placed again.
fn length(model: &Model, prover: &Prover) -> u32 {
    let mut order = model.free.clone();
    order.sort_by_key(|&job| prover.starts()[job as usize]);
    Decoder::new(model).pass(From::Start, Ways::Keep, &order)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_schedule_is_found_where_there_is_one_and_nowhere_else(problem in single(6), room in 0_usize..9) {
        let model = Model::new(&problem).unwrap();
        let floor = Floor::of(&model);
        let best = shortest(&model);
        let mut prover = Prover::new(&model, &floor, best + 3);
        // What is learnt is forgotten again soon.
        prover.room = room;
        let mut last = best + 4;
        loop {
            match prover.search(u64::MAX, &mut || true) {
                Answer::Yes => {
                    let shorter = length(&model, &prover);
                    prop_assert!(shorter < last, "{shorter} is not below {last}");
                    last = shorter;
                    prop_assert!(last >= best, "{last} is shorter than the shortest, {best}");
                    if last == 0 {
                        break;
                    }
                    prover.shorten(last - 1);
                }
                Answer::No => break,
                Answer::Open => prop_assert!(false, "there was no limit"),
            }
        }
        prop_assert_eq!(last, best);
    }

    #[test]
    fn what_a_search_has_found_is_never_denied(problem in single(40), seed in 0_u64..9) {
        let model = Model::new(&problem).unwrap();
        let floor = Floor::of(&model);
        // This island proves nothing.
        let found = Island::new(&model, &floor, seed, 1, 2_000).run(&mut || true).clone();
        let mut prover = Prover::new(&model, &floor, found.makespan);
        prover.room = 50;
        match prover.search(200_000, &mut || true) {
            Answer::Yes => prop_assert!(length(&model, &prover) <= found.makespan),
            Answer::No => prop_assert!(false, "there is a schedule of {}", found.makespan),
            Answer::Open => {}
        }
    }
}

#[test]
fn a_search_that_is_interrupted_goes_on() {
    // Three jobs of which two fit side by side, twice, then what needs all: nine ticks, and not eight.
    let job = |duration, units| Job {
        ways: vec![Way {
            duration,
            demand: vec![(0, units)],
            misfit: 0,
        }],
        ..Job::default()
    };
    let problem = Problem {
        capacity: vec![4],
        jobs: [(3, 2), (2, 3), (3, 2), (1, 1), (2, 2), (1, 4)]
            .map(|(d, u)| job(d, u))
            .to_vec(),
        edges: vec![(0, 5)],
        closed: Vec::new(),
    };
    let model = Model::new(&problem).unwrap();
    let floor = Floor::of(&model);
    let best = shortest(&model);
    let mut prover = Prover::new(&model, &floor, best - 1);
    let mut turns = 0;
    while prover.search(1, &mut || true) == Answer::Open {
        turns += 1;
        assert!(turns < 1_000, "it does not get on");
    }
    assert_eq!(prover.search(1, &mut || true), Answer::No);
}
