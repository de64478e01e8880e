//! Planning again in the middle of a sprint: what is left, and a better order for it.
//!
//! The engine writes a [`Replan`] out of its state: open tasks, whoever has one in hand first, with the time that is expected to be left of it. The search
//! that makes the first plan ([`super::search`]) looks for a short schedule of the rest; its order, or the present one where that is finished earlier
//! under the engine's own rule, is then improved under that rule ([`super::improve`]). The director goes on meanwhile. What is found is an order of
//! tasks and the state it was made for, nothing else, so that an answer that comes too late can be told from one that still fits.
//!
//! Elsewhere: when it is asked for and what becomes of the answer is `engine::replan`; how much time there is, `perform::plans`.

use std::collections::{BTreeMap, VecDeque};

use director_protocols::ids::{SprintId, TaskId};
use director_protocols::time::Span;

use super::bounds;
use super::critical_path::CriticalPath;
use super::graph::Graph;
use super::improve::{Budget, Futures, improve};
use super::jobs::{Ticks, Work};
use super::policy::{Policy, Run};
use super::schedule::Resources;
use super::search::floor::Floor;
use super::search::genetic::Island;
use super::search::model::{Fixed, Model};

/// The class of what an agent is at work on.
pub const IN_HAND: u32 = u32::MAX;
/// Tasks above which only neighbours of the present order are tried: there its bounds alone would take the time that there is.
const TASKS_MOST: usize = 1_000;
/// Tasks that the search may place, over all its schedules: some milliseconds. Where its schedule is one that the rule can follow it is found soon, and
/// where it is not, more of it does not help.
const PLACED_MOST: u64 = 40_000;
/// Ticks that all tasks in a row may take: what is left of a task is no round number, and exactness does not matter to a guide.
const TICKS_MOST: u64 = 2_000;

/// What is left of a sprint. Tables are by place in `tasks`, times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replan {
    /// The sprint.
    pub sprint: SprintId,
    /// The version of its plan that this is made from.
    pub base: u32,
    /// The open tasks.
    pub tasks: Vec<TaskId>,
    /// What they wait for among themselves.
    pub graph: Graph,
    /// Who can do them: agents that are up, by role.
    pub resources: Resources,
    /// Whether a worktree takes one task at a time.
    pub exclusive: bool,
    /// The present order.
    pub list: Vec<u32>,
    /// Tasks that may change places have the same class; those in hand have [`IN_HAND`].
    pub class: Vec<u32>,
    /// The effort that is expected to be left.
    pub durations: Vec<u64>,
}

/// A better order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Every task of the [`Replan`].
    pub order: Vec<TaskId>,
    /// Until the last of them is done in the present order, as expected.
    pub before: Span,
    /// The same in the new order.
    pub after: Span,
}

impl Replan {
    /// Looks for a better order; none if it finds none, or if the present one cannot be beaten.
    ///
    /// The answer depends on the seed and the budget alone, unless `go_on` says no first.
    pub fn search(
        &self,
        seed: u64,
        schedules: u64,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<Found> {
        let critical = CriticalPath::compute(&self.graph, &self.durations);
        let bound = bounds::lower_bound(&self.graph, &self.resources, &self.durations, &critical);
        // A bound on worktrees holds only where they take turns.
        let bound = match bound.by {
            bounds::Limiting::Feature(_) if !self.exclusive => critical.makespan,
            _ => bound.length,
        };
        let mut policy = Policy::new(&self.graph, &self.resources, self.exclusive, &self.list);
        let mut run = Run::default();
        let mut length = |policy: &Policy| run.go(policy, |task| self.durations[task as usize]);
        let before = length(&policy);
        if before <= bound {
            return None;
        }
        let mut list = self.list.clone();
        let mut made = 0;
        if let Some((other, schedules)) = self.rearranged(seed, schedules / 2, go_on) {
            made = schedules;
            policy.reorder(&other);
            if length(&policy) < before {
                list = other;
            }
            policy.reorder(&list);
        }
        let futures = Futures::expected(self.durations.clone());
        let budget = Budget {
            schedules: schedules.saturating_sub(made),
            bound,
            go_on,
        };
        let found = improve(&mut policy, &list, &self.class, &futures, seed, budget);
        (found.after < before).then(|| Found {
            order: found
                .list
                .iter()
                .map(|&at| self.tasks[at as usize])
                .collect(),
            before: Span(before),
            after: Span(found.after),
        })
    }

    /// The list in the order of the shortest schedule that the search finds, and how many it made. Priorities mean nothing to it: each task
    /// stands among its like, so that what is more urgent still goes first.
    fn rearranged(
        &self,
        seed: u64,
        schedules: u64,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<(Vec<u32>, u64)> {
        let tasks = self.list.len();
        if !(2..=TASKS_MOST).contains(&tasks) || !self.in_hand_fits() {
            return None;
        }
        let work = Work {
            graph: &self.graph,
            resources: &self.resources,
            durations: &self.durations,
            exclusive: self.exclusive,
        };
        let ticks = Ticks::of(&self.durations, &self.list, TICKS_MOST);
        let problem = work.problem(ticks, &self.list, |task| {
            let begun = self.class[task as usize] == IN_HAND;
            begun.then_some(Fixed { way: 0, start: 0 })
        });
        let model = Model::new(&problem).ok()?;
        let floor = Floor::of(&model);
        let schedules = schedules.min(PLACED_MOST / tasks as u64);
        let mut island = Island::new(&model, &floor, seed, 0, schedules);
        let found = island.run(go_on);
        let mut start = vec![0; self.graph.len()];
        for (&task, &at) in self.list.iter().zip(&found.starts) {
            start[task as usize] = at;
        }
        let list = self.among_their_like(|task| start[task as usize]);
        Some((list, island.schedules()))
    }

    /// Whether all that is in hand can be done at once by who is up: an agent may have gone, and its task not be handed on yet.
    fn in_hand_fits(&self) -> bool {
        let mut free = self.resources.agents.clone();
        let mut taken = vec![false; self.resources.features as usize];
        let in_hand = |task: &&u32| self.class[**task as usize] == IN_HAND;
        self.list.iter().filter(in_hand).all(|&task| {
            let at = task as usize;
            let free = &mut free[self.resources.role_of[at] as usize];
            let feature = self.resources.feature_of[at] as usize;
            let fits = *free > 0 && !(self.exclusive && taken[feature]);
            *free = free.saturating_sub(1);
            taken[feature] = true;
            fits
        })
    }

    /// The list with the tasks of each role and class in the order of a key, in the places that they have among them.
    fn among_their_like(&self, key: impl Fn(u32) -> u32) -> Vec<u32> {
        let like = |task: u32| {
            let at = task as usize;
            (self.resources.role_of[at], self.class[at])
        };
        let mut groups: BTreeMap<(u32, u32), VecDeque<u32>> = BTreeMap::new();
        for &task in &self.list {
            groups.entry(like(task)).or_default().push_back(task);
        }
        for group in groups.values_mut() {
            group.make_contiguous().sort_by_key(|&task| key(task));
        }
        let next = |&task: &u32| groups.get_mut(&like(task))?.pop_front();
        self.list.iter().filter_map(next).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How long the rest takes in an order, under the engine's rule.
    fn length(replan: &Replan, order: &[TaskId]) -> u64 {
        let list: Vec<u32> = order.iter().map(|task| task.0).collect();
        let policy = Policy::new(&replan.graph, &replan.resources, replan.exclusive, &list);
        Run::default().go(&policy, |task| replan.durations[task as usize])
    }

    /// A rest whose tasks are called by their places. What can be in hand at once and is asked for is.
    fn rest(graph: Graph, resources: Resources, durations: Vec<u64>, urgent: &[bool]) -> Replan {
        let tasks = graph.len() as u32;
        let remaining = CriticalPath::compute(&graph, &durations).remaining;
        let class: Vec<u32> = urgent.iter().map(|urgent| u32::from(!urgent)).collect();
        let mut list: Vec<u32> = (0..tasks).collect();
        list.sort_by_key(|&task| {
            let at = task as usize;
            (class[at], std::cmp::Reverse(remaining[at]))
        });
        Replan {
            sprint: SprintId(0),
            base: 0,
            tasks: (0..tasks).map(TaskId).collect(),
            graph,
            resources,
            exclusive: true,
            list,
            class,
            durations,
        }
    }

    /// Puts the first `count` that can be begun into somebody's hands.
    fn begin(replan: &mut Replan, count: usize) {
        let mut taken = vec![false; replan.resources.features as usize];
        let mut free = replan.resources.agents.clone();
        let mut begun = Vec::new();
        for &task in &replan.list {
            let at = task as usize;
            let (role, feature) = (
                replan.resources.role_of[at] as usize,
                replan.resources.feature_of[at] as usize,
            );
            let ready = replan.graph.predecessors(task).is_empty();
            if begun.len() < count && ready && free[role] > 0 && !taken[feature] {
                (free[role], taken[feature]) = (free[role] - 1, true);
                begun.push(task);
            }
        }
        for &task in &begun {
            replan.class[task as usize] = IN_HAND;
        }
        replan.list.sort_by_key(|task| !begun.contains(task));
    }

    prop_compose! {
        fn rests()(len in 2_u32..40, roles in 1_u32..4)(
            edges in prop::collection::vec((0..len, 0..len), 0..40),
            role_of in prop::collection::vec(0..roles, len as usize),
            feature_of in prop::collection::vec(0_u32..12, len as usize),
            agents in prop::collection::vec(1_u32..3, roles as usize),
            durations in prop::collection::vec(0_u64..40_000_000, len as usize),
            urgent in prop::collection::vec(any::<bool>(), len as usize),
            in_hand in 0_usize..4,
            exclusive in any::<bool>(),
        ) -> Replan {
            let edges = edges.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (a.min(b), a.max(b))).collect::<Vec<_>>();
            let graph = Graph::new(role_of.len() as u32, &edges).unwrap();
            let resources = Resources { role_of, feature_of, agents, features: 12 };
            let mut replan = rest(graph, resources, durations, &urgent);
            replan.exclusive = exclusive;
            begin(&mut replan, in_hand);
            replan
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 100, ..ProptestConfig::default() })]

        #[test]
        fn a_better_order_is_better_by_the_rule_and_mixes_no_roles_and_no_urgency(replan in rests(), seed in 0_u64..9) {
            let found = replan.search(seed, 400, &mut || true);
            prop_assert_eq!(&replan.search(seed, 400, &mut || true), &found);
            prop_assert!(replan.search(seed, 400, &mut || false).is_none_or(|found| found.after < found.before));
            let Some(found) = found else { return Ok(()) };
            let before: Vec<TaskId> = replan.list.iter().map(|&at| TaskId(at)).collect();
            prop_assert_eq!(found.before.0, length(&replan, &before));
            prop_assert_eq!(found.after.0, length(&replan, &found.order));
            prop_assert!(found.after < found.before);
            let mut all = found.order.clone();
            all.sort_unstable();
            prop_assert_eq!(&all, &replan.tasks, "each task once");
            let like = |task: &TaskId| (replan.resources.role_of[task.index()], replan.class[task.index()]);
            for (new, old) in found.order.iter().zip(&before) {
                prop_assert_eq!(like(new), like(old));
            }
        }
    }

    /// Fifty packages of four steps through five roles, of which each has about as many agents as it needs.
    fn packages(seed: u64) -> Replan {
        let mut random = crate::planner::search::random::Random::new(seed, 0);
        let mut draw = |most: usize| random.below(most) as u32;
        let (mut edges, mut role_of, mut durations) = (Vec::new(), Vec::new(), Vec::new());
        let mut load = [0; 5];
        for task in 0..200_u32 {
            let role = if task % 4 == 3 { 3 } else { draw(5) };
            let half_hours = 1 + draw(12);
            load[role as usize] += half_hours;
            role_of.push(role);
            durations.push(u64::from(half_hours) * 1_800_000);
            if task % 4 != 0 {
                edges.push((task - 1, task));
            } else if task >= 20 && draw(3) == 0 {
                edges.push((draw(task as usize), task));
            }
        }
        let least = load.iter().copied().min().unwrap();
        let resources = Resources {
            role_of,
            feature_of: (0..200).map(|task| task / 4).collect(),
            agents: load.map(|load| (load + least / 2) / least).to_vec(),
            features: 50,
        };
        let graph = Graph::new(200, &edges).unwrap();
        rest(graph, resources, durations, &[false; 200])
    }

    /// With as many schedules, what lies near the present order is no shorter than what the search finds, and over all it is longer.
    #[test]
    fn the_search_finds_what_is_not_near_the_present_order() {
        let (mut by_search, mut nearby) = (0, 0);
        for seed in 0..8 {
            let replan = packages(seed);
            let list = &replan.list;
            let mut policy = Policy::new(&replan.graph, &replan.resources, true, list);
            let futures = Futures::expected(replan.durations.clone());
            let budget = Budget {
                schedules: 400,
                bound: 0,
                go_on: &mut || true,
            };
            let near = improve(&mut policy, list, &replan.class, &futures, 0, budget);
            let found = replan.search(0, 400, &mut || true);
            let found = found.map_or(near.before, |found| found.after.0);
            assert!(found <= near.after, "seed {seed}: {found}, {near:?}");
            (by_search, nearby) = (by_search + found, nearby + near.after);
        }
        assert!(by_search < nearby, "{by_search} {nearby}");
    }
}
