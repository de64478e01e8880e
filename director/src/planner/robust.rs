//! Plans by certainty: the order whose finish 85 of 100 futures keep to, instead of the one that is expected to finish first.
//!
//! Durations are drawn from the same models as in the simulation; the order is looked for by [`super::improve`] and compared on a thousand futures
//! that it was not chosen by. What is committed stays what it was: an order that would leave something out, or is not better, is not
//! taken. The same seed and budget give the same plan.
//!
//! Elsewhere: who does what and when in that order is [`super::schedule`], with expected durations as ever.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use director_protocols::sprint::SprintSpec;

use super::graph::Graph;
use super::improve::{Budget, Futures, improve};
use super::outlook::Outlook;
use super::policy::Policy;
use super::schedule;
use super::shorten::By;
use super::{Draft, Plan, PlanError, commit};
use crate::estimate::habits::Habits;
use crate::estimate::{Durations, Model};

/// Futures that the figures of a [`Certainty`] are from.
pub const RUNS: u64 = 10_000;
/// Where those runs begin, apart from all that an order was chosen by.
const FIRST_RUN: u64 = 1 << 41;

/// How certain a plan's finish is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certainty {
    /// The order that is expected to finish first.
    pub before: Outlook,
    /// The order of the plan.
    pub after: Outlook,
    /// Where the numbers came from.
    pub seed: u64,
    /// Schedules made by the search.
    pub schedules: u64,
}

/// Plans a sprint by the finish that is 85 % certain.
///
/// # Errors
/// [`PlanError`], as [`super::plan`].
pub fn plan(spec: &SprintSpec, seed: u64, schedules: u64) -> Result<Plan, PlanError> {
    let mut draft = Draft::of(spec)?;
    let listed = draft.order.clone();
    // What is expected to finish first is what the answer has to beat.
    let together = draft.shorten(spec, By::Search);
    let estimates = spec.tasks.iter().map(|task| &task.estimate);
    let durations = Durations::of(Model::Pert, &Habits::published(), estimates);
    let is_placed = |task: &u32| draft.schedule.slot(*task).is_some();
    let placed = |order: &[u32]| -> Vec<u32> { order.iter().copied().filter(is_placed).collect() };
    let (mut list, listed) = (placed(&draft.order), placed(&listed));
    let exclusive = spec.repo.is_some();
    let mut policy = Policy::new(&draft.graph, &draft.resources, exclusive, &list);
    let judge =
        |policy: &Policy| Outlook::of(policy, &durations, seed, FIRST_RUN..FIRST_RUN + RUNS);
    let before = judge(&policy);
    // It is tight, and may give way at once where tasks take longer; then the list is the better beginning.
    policy.reorder(&listed);
    if judge(&policy).quantile(850) < before.quantile(850) {
        list = listed;
    } else {
        policy.reorder(&list);
    }
    let futures = Futures::drawn(&durations, seed);
    let budget = Budget {
        schedules,
        bound: 0,
        go_on: &mut || true,
    };
    let class = urgency(spec, &draft.graph);
    let found = improve(&mut policy, &list, &class, &futures, seed, budget);
    let list = in_order(&draft.graph, &found.list);
    policy.reorder(&list);
    let after = judge(&policy);
    let mut certainty = Certainty {
        after: before.clone(),
        before,
        seed,
        schedules: found.schedules,
    };
    let left_out = draft.order.iter().filter(|task| !is_placed(task));
    let order: Vec<u32> = list.iter().chain(left_out).copied().collect();
    let limits = commit::limits(spec, &draft.calendar);
    let (graph, resources) = (&draft.graph, &draft.resources);
    let schedule = schedule::schedule(graph, resources, &draft.durations, &order, &limits);
    let keeps_all = (0..spec.tasks.len())
        .all(|task| schedule.slots[task].is_ok() == draft.schedule.slots[task].is_ok());
    if keeps_all && after.quantile(850) < certainty.before.quantile(850) {
        certainty.after = after;
        let (durations, calendar) = (&draft.durations, &draft.calendar);
        draft.commitment = commit::commitment(spec, durations, &order, &schedule, calendar);
        draft.order = order;
        draft.schedule = schedule;
    }
    let mut plan = Plan::of(spec, draft, together);
    plan.certainty = Some(certainty);
    Ok(plan)
}

/// Tasks of one class may change places: a task is as urgent as the most urgent that waits for it.
fn urgency(spec: &SprintSpec, graph: &Graph) -> Vec<u32> {
    let mut urgency: Vec<u32> = spec.tasks.iter().map(|task| task.priority as u32).collect();
    for &node in graph.order().iter().rev() {
        for &next in graph.successors(node) {
            urgency[node as usize] = urgency[node as usize].max(urgency[next as usize]);
        }
    }
    urgency
}

/// The list with each task after all that it waits for, otherwise as it is.
fn in_order(graph: &Graph, list: &[u32]) -> Vec<u32> {
    let mut place_of = vec![u32::MAX; graph.len()];
    for (place, &task) in (0..).zip(list) {
        place_of[task as usize] = place;
    }
    let is_listed = |task: &&u32| place_of[**task as usize] != u32::MAX;
    let waits = |task: u32| graph.predecessors(task).iter().filter(is_listed).count();
    let mut waits_for: Vec<usize> = (0..graph.len() as u32).map(waits).collect();
    let mut ready: BinaryHeap<Reverse<u32>> = (0..)
        .zip(list)
        .filter(|(_, task)| waits_for[**task as usize] == 0)
        .map(|(place, _)| Reverse(place))
        .collect();
    let mut order = Vec::with_capacity(list.len());
    while let Some(Reverse(place)) = ready.pop() {
        let task = list[place as usize];
        order.push(task);
        for &next in graph.successors(task) {
            let waits = &mut waits_for[next as usize];
            if place_of[next as usize] != u32::MAX {
                *waits -= 1;
                if *waits == 0 {
                    ready.push(Reverse(place_of[next as usize]));
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::examples;

    #[test]
    fn a_plan_by_certainty_keeps_what_is_committed_and_is_the_same_every_time() {
        let spec = examples::checkout();
        let plain = crate::planner::plan(&spec).unwrap();
        let found = plan(&spec, 1, 20_000).unwrap();
        assert_eq!(found, plan(&spec, 1, 20_000).unwrap());
        assert_eq!(
            found.commitment.committed.len(),
            plain.commitment.committed.len()
        );
        let certainty = found.certainty.as_ref().unwrap();
        assert_eq!(certainty.before.runs() as u64, RUNS);
        assert!(certainty.after.quantile(850) <= certainty.before.quantile(850));
        // Every task is listed once, after all that it waits for.
        let mut seen = vec![false; spec.tasks.len()];
        for &task in &found.order {
            let before = found.graph.predecessors(task).iter();
            assert!(before.clone().all(|before| seen[*before as usize]));
            assert!(!std::mem::replace(&mut seen[task as usize], true));
        }
        assert!(seen.iter().all(|seen| *seen));
    }

    #[test]
    fn nothing_to_plan_is_no_trouble() {
        let mut spec = examples::checkout();
        spec.tasks.clear();
        let found = plan(&spec, 1, 1000).unwrap();
        assert_eq!(
            found
                .certainty
                .map(|certainty| certainty.after.quantile(850)),
            Some(0)
        );
    }
}
