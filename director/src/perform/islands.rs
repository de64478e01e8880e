//! Several islands of the planner's search at once, each on a thread of its own.
//!
//! What an island finds depends on the seed, its number and its budget alone, so with a budget of schedules and no deadline the answer is
//! the same however the threads run: the shortest schedule, of those the one of the lowest island. An island whose best is proven to be the
//! shortest stops only those with higher numbers, which could not change that answer. The first island spends part of its budget on the proof.
//!
//! Elsewhere: the search is [`crate::planner::search`], which is pure; whether there is time left, the caller says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::planner::search::floor::Floor;
use crate::planner::search::genetic::{Found, Island};
use crate::planner::search::model::Model;

/// What the islands have found together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The shortest schedule.
    pub found: Found,
    /// No schedule is shorter.
    pub bound: u32,
    /// Schedules made by all islands.
    pub schedules: u64,
}

/// Runs `islands` with `schedules` each, or until `go_on` says no. Each begins with `seeds`, orders that the caller has.
///
/// At least one island runs. `go_on` is asked by all threads.
pub fn search(
    model: &Model,
    floor: &Floor,
    seed: u64,
    islands: usize,
    schedules: u64,
    seeds: &[Vec<u32>],
    go_on: &(dyn Fn() -> bool + Sync),
) -> Outcome {
    // The lowest island that has proven its best.
    let done = AtomicUsize::new(usize::MAX);
    let run = |number: usize| {
        let mut island = Island::new(model, floor, seed, number as u64, schedules);
        for order in seeds {
            island.seed(order, &[]);
        }
        island.run(&mut || done.load(Ordering::Relaxed) >= number && go_on());
        if island.best().makespan <= island.bound() {
            done.fetch_min(number, Ordering::Relaxed);
        }
        (island.best().clone(), island.bound(), island.schedules())
    };
    let found: Vec<(Found, u32, u64)> = thread::scope(|scope| {
        let others: Vec<_> = (1..islands)
            .map(|number| scope.spawn(move || run(number)))
            .collect();
        let first = run(0);
        // A thread that panicked has said so on standard error; the others' answers count.
        let others = others.into_iter().filter_map(|other| other.join().ok());
        std::iter::once(first).chain(others).collect()
    });
    let schedules = found.iter().map(|(_, _, schedules)| schedules).sum();
    let bound = found.iter().map(|&(_, bound, _)| bound).max();
    let best = found
        .into_iter()
        .map(|(found, _, _)| found)
        .min_by_key(|found| found.makespan);
    Outcome {
        found: best.unwrap_or_default(),
        bound: bound.unwrap_or(floor.bound),
        schedules,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::search::model::{Job, Problem, Way};
    use crate::planner::search::random::Random;

    /// Forty jobs on two resources, each behind an earlier one.
    fn problem(seed: u64) -> Problem {
        let mut random = Random::new(seed, 0);
        let mut draw = |most: usize| random.below(most) as u32;
        let jobs = (0..40).map(|_| Job {
            ways: vec![Way {
                duration: 1 + draw(9),
                demand: vec![(0, 1 + draw(3)), (1, draw(4))],
                misfit: 0,
            }],
            ..Job::default()
        });
        let jobs = jobs.collect();
        Problem {
            capacity: vec![4, 4],
            jobs,
            edges: (1..40).map(|to| (draw(to as usize), to)).collect(),
            closed: Vec::new(),
        }
    }

    #[test]
    fn two_islands_on_two_threads_give_what_they_give_one_after_the_other() {
        for seed in 0..6 {
            let model = Model::new(&problem(seed)).expect("a problem");
            let floor = Floor::of(&model);
            let together = search(&model, &floor, seed, 2, 500, &[], &|| true);
            let alone = [0, 1].map(|number| {
                let mut island = Island::new(&model, &floor, seed, number, 500);
                island.run(&mut || true).clone()
            });
            let first = alone.into_iter().min_by_key(|found| found.makespan);
            assert_eq!(Some(together.found), first, "seed {seed}");
        }
    }
}
