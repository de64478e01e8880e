//! The committed work in steps, as people talk about it: what can go on at the same time, and what only in a row.
//!
//! A batch is a level of the graph: tasks whose longest chain of predecessors has the same length. Levels of one
//! task that follow each other are one sequential batch. Batches describe; nothing waits for a batch to end.

use super::calendar::Calendar;
use super::graph::Graph;
use super::schedule::{Resources, Schedule};

/// Tasks of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The tasks by their start in the schedule, then as in the file.
    pub tasks: Vec<u32>,
    /// The first and the last day, from 1.
    pub days: (u64, u64),
    /// Whether its tasks take turns: a chain, a single task, one agent or one worktree for all.
    pub sequential: bool,
}

/// The batches of the committed tasks, in the order of their levels.
pub fn batches(
    graph: &Graph,
    resources: &Resources,
    schedule: &Schedule,
    calendar: &Calendar,
) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut after_single = false;
    for level in levels(graph, schedule) {
        let single = level.len() == 1;
        match batches.last_mut() {
            Some(chain) if single && after_single => chain.tasks.extend(level),
            _ => batches.push(Batch {
                sequential: single || take_turns(resources, schedule, &level),
                tasks: level,
                days: (1, 1),
            }),
        }
        after_single = single;
    }
    for batch in &mut batches {
        let slots = || batch.tasks.iter().filter_map(|&task| schedule.slot(task));
        let start = slots().map(|slot| slot.start).min().unwrap_or(0);
        let finish = slots().map(|slot| slot.finish).max().unwrap_or(0);
        let first = calendar.day_of_start(start);
        batch.days = (first, calendar.day_of_finish(finish).max(first));
        batch
            .tasks
            .sort_by_key(|&task| (schedule.slot(task).map(|slot| slot.start), task));
    }
    batches
}

fn levels(graph: &Graph, schedule: &Schedule) -> Vec<Vec<u32>> {
    let mut level_of = vec![0_usize; graph.len()];
    let mut levels: Vec<Vec<u32>> = Vec::new();
    for &task in graph.order() {
        if schedule.slot(task).is_none() {
            continue;
        }
        let level = level_of[task as usize];
        if levels.len() <= level {
            levels.resize(level + 1, Vec::new());
        }
        levels[level].push(task);
        for &next in graph.successors(task) {
            level_of[next as usize] = level_of[next as usize].max(level + 1);
        }
    }
    levels
}

fn take_turns(resources: &Resources, schedule: &Schedule, tasks: &[u32]) -> bool {
    let agent = |task: u32| {
        let slot = schedule.slot(task);
        (
            resources.role_of[task as usize],
            slot.map(|slot| slot.instance),
        )
    };
    let feature = |task: u32| resources.feature_of[task as usize];
    let Some((&first, rest)) = tasks.split_first() else {
        return true;
    };
    rest.iter().all(|&task| agent(task) == agent(first))
        || rest.iter().all(|&task| feature(task) == feature(first))
}

#[cfg(test)]
mod tests {
    use super::super::schedule::{Limits, schedule};
    use super::super::{Calendar, examples};
    use super::*;

    #[test]
    fn levels_are_parallel_and_chains_are_sequential() {
        let calendar = Calendar::of(&examples::checkout());
        let day = calendar.day;
        for (case, len, edges, agents, expected) in [
            (
                "fork and join",
                4,
                vec![(0, 1), (0, 2), (1, 3), (2, 3)],
                2,
                vec![
                    (vec![0], (1, 1), true),
                    (vec![1, 2], (2, 2), false),
                    (vec![3], (3, 3), true),
                ],
            ),
            (
                "a chain",
                3,
                vec![(0, 1), (1, 2)],
                2,
                vec![(vec![0, 1, 2], (1, 3), true)],
            ),
            ("one agent", 2, vec![], 1, vec![(vec![0, 1], (1, 2), true)]),
            (
                "two agents",
                2,
                vec![],
                2,
                vec![(vec![0, 1], (1, 1), false)],
            ),
        ] {
            let graph = Graph::new(len, &edges).unwrap();
            let resources = Resources {
                role_of: vec![0; len as usize],
                feature_of: (0..len).collect(),
                agents: vec![agents],
                features: len,
            };
            let durations = vec![day; len as usize];
            let placed = schedule(
                &graph,
                &resources,
                &durations,
                graph.order(),
                &Limits::default(),
            );
            let found: Vec<_> = batches(&graph, &resources, &placed, &calendar)
                .into_iter()
                .map(|batch| (batch.tasks, batch.days, batch.sequential))
                .collect();
            assert_eq!(found, expected, "case: {case}");
        }
    }
}
