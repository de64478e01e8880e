//! Who does what, and when: a serial list schedule under the real team.
//!
//! Tasks are taken in one order (most urgent first, then the longest way still to go, then the file) and each
//! is put where it can start earliest: after what it waits for, when an agent of its role and the worktree
//! of its feature are both free, in a gap if there is one. So a less urgent task never delays a more urgent one.
//! A task that waits for others lends them its urgency.
//!
//! Limits are judged at the same time: what would exceed an agent's capacity or the sprint's end is not placed,
//! nor is anything that waits for it.
//!
//! Invariant: no placed task starts before what it waits for has finished, and no agent or worktree has two at once.
//! Elsewhere: which agent of a role is free is `crew`; the words for what was not placed are in [`super::commit`]; how good the result is, [`super::bounds`] says.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use director_protocols::sprint::Priority;

use super::crew::Crew;
use super::graph::Graph;
use super::timeline::Timeline;

/// What tasks compete for. Roles and features are numbered from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// The role that does each task.
    pub role_of: Vec<u32>,
    /// The feature, and so the worktree, of each task.
    pub feature_of: Vec<u32>,
    /// Agents per role.
    pub agents: Vec<u32>,
    /// How many features there are.
    pub features: u32,
}

/// What a sprint can hold. Times in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Effort that one agent of each role can take on.
    pub capacity: Vec<Option<u64>>,
    /// The working time by which everything has to be finished.
    pub end: Option<u64>,
    /// The class of each task, a place in `class`; empty where no class is limited.
    pub class_of: Vec<u8>,
    /// Effort that each class of work can have.
    pub class: [Option<u64>; 3],
}

/// A task's place in the schedule. Times in milliseconds of working time from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which agent of the role, from 1.
    pub instance: u32,
    /// When it starts.
    pub start: u64,
    /// When it is finished.
    pub finish: u64,
}

/// Why a task has no place in the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its class of work has had its share.
    Share {
        /// What is left of the share.
        left: u64,
    },
    /// No agent of its role has enough capacity left.
    Capacity {
        /// The most that one of them has left, in milliseconds.
        left: u64,
    },
    /// It could not be finished in time.
    End {
        /// When it would be, in milliseconds of working time from the start.
        finish: u64,
    },
    /// It waits for a task that has no place itself.
    Dependency {
        /// The first such task in the file.
        task: u32,
    },
    /// Its role has no agents at all.
    NoAgent,
}

/// Where every task goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// By task: its place, or why it has none.
    pub slots: Vec<Result<Slot, Refusal>>,
    /// When the last placed task is finished, in milliseconds of working time from the start.
    pub makespan: u64,
}

impl Schedule {
    /// The place of `task`, if it has one.
    pub fn slot(&self, task: u32) -> Option<Slot> {
        self.slots[task as usize].ok()
    }
}

/// The order in which work is handed out: by urgency, then by `remaining` way to the end, then as in the file.
///
/// A task is as urgent as the most urgent that waits for it, so every task comes after all it waits for.
pub fn dispatch_order(graph: &Graph, priorities: &[Priority], remaining: &[u64]) -> Vec<u32> {
    let urgency = urgency(graph, priorities);
    let key = |node: u32| {
        let at = node as usize;
        (urgency[at], remaining[at], Reverse(node))
    };
    let mut waits_for: Vec<usize> = (0..graph.len() as u32)
        .map(|node| graph.predecessors(node).len())
        .collect();
    let mut ready: BinaryHeap<_> = (0..graph.len() as u32)
        .filter(|&node| waits_for[node as usize] == 0)
        .map(key)
        .collect();
    let mut order = Vec::with_capacity(graph.len());
    while let Some((_, _, Reverse(node))) = ready.pop() {
        order.push(node);
        for &next in graph.successors(node) {
            waits_for[next as usize] -= 1;
            if waits_for[next as usize] == 0 {
                ready.push(key(next));
            }
        }
    }
    order
}

/// By task: its own priority or the highest of what waits for it, whichever is higher.
pub fn urgency(graph: &Graph, priorities: &[Priority]) -> Vec<Priority> {
    let mut urgency = priorities.to_vec();
    for &node in graph.order().iter().rev() {
        for &next in graph.successors(node) {
            urgency[node as usize] = urgency[node as usize].max(urgency[next as usize]);
        }
    }
    urgency
}

/// Places every task of `order`, which has to list each after all it waits for.
///
/// `durations` are in milliseconds and count as effort where capacity is limited. Tables are by task.
pub fn schedule(
    graph: &Graph,
    resources: &Resources,
    durations: &[u64],
    order: &[u32],
    limits: &Limits,
) -> Schedule {
    let mut crews: Vec<Crew> = (0..)
        .zip(&resources.agents)
        .map(|(role, &count)| Crew::of(count, limits.capacity.get(role).copied().flatten()))
        .collect();
    let mut worktrees = vec![Timeline::of(1); resources.features as usize];
    let mut slots = vec![Err(Refusal::NoAgent); graph.len()];
    let mut makespan = 0;
    let mut shares = limits.class;
    for &task in order {
        let at = task as usize;
        let class = limits.class_of.get(at).map(|&class| usize::from(class));
        let share = class.and_then(|class| shares[class].as_mut());
        let worktree = &mut worktrees[resources.feature_of[at] as usize];
        let crew = &mut crews[resources.role_of[at] as usize];
        slots[at] = after_dependencies(graph, &slots, task).and_then(|ready| {
            if let Some(&left) = share.as_deref()
                && left < durations[at]
            {
                return Err(Refusal::Share { left });
            }
            let slot = crew.earliest(worktree, ready, durations[at])?;
            if limits.end.is_some_and(|end| slot.finish > end) {
                return Err(Refusal::End {
                    finish: slot.finish,
                });
            }
            if let Some(left) = share {
                *left -= durations[at];
            }
            crew.take(slot);
            worktree.take(slot.start, slot.finish - slot.start);
            makespan = slot.finish.max(makespan);
            Ok(slot)
        });
    }
    name_agents(resources, &crews, order, &mut slots);
    Schedule { slots, makespan }
}

/// Gives each placed task its agent, role by role, in the order of their starts.
fn name_agents(
    resources: &Resources,
    crews: &[Crew],
    order: &[u32],
    slots: &mut [Result<Slot, Refusal>],
) {
    let mut of_role: Vec<Vec<(u32, Slot)>> = vec![Vec::new(); crews.len()];
    for &task in order {
        if let Ok(slot) = slots[task as usize] {
            of_role[resources.role_of[task as usize] as usize].push((task, slot));
        }
    }
    for (crew, placed) in crews.iter().zip(&mut of_role) {
        // Stable: of those that start together, the more urgent is first.
        placed.sort_by_key(|&(_, slot)| (slot.start, slot.finish > slot.start));
        crew.name_agents(placed.iter_mut().map(|(_, slot)| slot));
        for &(task, slot) in placed.iter() {
            slots[task as usize] = Ok(slot);
        }
    }
}

/// When the last of what `task` waits for is finished.
fn after_dependencies(
    graph: &Graph,
    slots: &[Result<Slot, Refusal>],
    task: u32,
) -> Result<u64, Refusal> {
    let mut ready = 0;
    for &before in graph.predecessors(task) {
        match slots[before as usize] {
            Ok(slot) => ready = slot.finish.max(ready),
            Err(_) => return Err(Refusal::Dependency { task: before }),
        }
    }
    Ok(ready)
}

#[cfg(test)]
mod tests {
    use super::super::bounds;
    use super::super::critical_path::CriticalPath;
    use super::*;
    use proptest::prelude::*;

    /// One role and feature per task unless told otherwise.
    fn simple(role_of: &[u32], feature_of: &[u32], agents: &[u32]) -> Resources {
        Resources {
            role_of: role_of.to_vec(),
            feature_of: feature_of.to_vec(),
            agents: agents.to_vec(),
            features: feature_of.iter().max().map_or(0, |most| most + 1),
        }
    }

    fn starts(schedule: &Schedule) -> Vec<Option<(u32, u64)>> {
        let slots = schedule.slots.iter();
        slots
            .map(|slot| slot.ok().map(|s| (s.instance, s.start)))
            .collect()
    }

    #[test]
    fn the_urgent_go_first_and_lend_their_urgency_to_what_they_wait_for() {
        use Priority::{Critical, High, Low, Normal};
        for (case, priorities, remaining, edges, expected) in [
            ("as in the file", [Normal; 3], [2, 2, 2], vec![], [0, 1, 2]),
            ("longest first", [Normal; 3], [1, 5, 3], vec![], [1, 2, 0]),
            (
                "urgent first",
                [Low, Normal, High],
                [9, 9, 1],
                vec![],
                [2, 1, 0],
            ),
            (
                "lent",
                [Normal, Low, Critical],
                [9, 2, 1],
                vec![(1, 2)],
                [1, 2, 0],
            ),
        ] {
            let graph = Graph::new(3, &edges).unwrap();
            let order = dispatch_order(&graph, &priorities, &remaining);
            assert_eq!(order, expected, "case: {case}");
        }
    }

    #[test]
    fn agents_and_worktrees_take_one_task_at_a_time() {
        for (case, resources, expected) in [
            (
                "one agent",
                simple(&[0, 0, 0], &[0, 1, 2], &[1]),
                [(1, 0), (1, 4), (1, 6)],
            ),
            (
                "two agents share evenly",
                simple(&[0, 0, 0], &[0, 1, 2], &[2]),
                [(1, 0), (2, 0), (2, 2)],
            ),
            (
                "two agents, one worktree",
                simple(&[0, 0, 0], &[0, 0, 0], &[2]),
                [(1, 0), (2, 4), (2, 6)],
            ),
        ] {
            let graph = Graph::new(3, &[]).unwrap();
            let order = [0, 1, 2];
            let found = schedule(&graph, &resources, &[4, 2, 2], &order, &Limits::default());
            assert_eq!(starts(&found), expected.map(Some), "case: {case}");
        }
    }

    #[test]
    fn a_gap_before_urgent_work_is_filled() {
        // 1 waits for 0, both urgent; 2 fits while the agent of 1 has nothing to do.
        let graph = Graph::new(3, &[(0, 1)]).unwrap();
        let resources = simple(&[0, 1, 1], &[0, 1, 2], &[1, 1]);
        let found = schedule(
            &graph,
            &resources,
            &[4, 2, 3],
            &[0, 1, 2],
            &Limits::default(),
        );
        assert_eq!(starts(&found), [Some((1, 0)), Some((1, 4)), Some((1, 0))]);
    }

    #[test]
    fn what_does_not_fit_takes_what_waits_for_it_along() {
        let graph = Graph::new(3, &[(1, 2)]).unwrap();
        let resources = simple(&[0, 0, 1], &[0, 1, 2], &[1, 1]);
        for (case, capacity, end, refusal) in [
            ("capacity", Some(5), None, Refusal::Capacity { left: 1 }),
            ("end", None, Some(5), Refusal::End { finish: 6 }),
        ] {
            let limits = Limits {
                capacity: vec![capacity, None],
                end,
                ..Limits::default()
            };
            let found = schedule(&graph, &resources, &[4, 2, 1], &[0, 1, 2], &limits);
            assert!(found.slots[0].is_ok(), "case: {case}");
            assert_eq!(found.slots[1], Err(refusal), "case: {case}");
            assert_eq!(found.slots[2], Err(Refusal::Dependency { task: 1 }));
            assert_eq!(found.makespan, 4);
        }
    }

    type Case = (Graph, Resources, Vec<u64>, Vec<Priority>, Limits);

    prop_compose! {
        fn sprints()(len in 1_u32..40, roles in 1_u32..5, features in 1_u32..12)(
            edges in prop::collection::vec((0..len, 0..len), 0..80),
            role_of in prop::collection::vec(0..roles, len as usize),
            feature_of in prop::collection::vec(0..features, len as usize),
            agents in prop::collection::vec(1_u32..4, roles as usize),
            durations in prop::collection::vec(0_u64..20, len as usize),
            urgent in prop::collection::vec(any::<bool>(), len as usize),
            capacity in prop::collection::vec(prop::option::of(0_u64..100), roles as usize),
            end in prop::option::of(0_u64..200),
        ) -> Case {
            // Edges from the lower to the higher number make no cycle.
            let edges: Vec<(u32, u32)> = edges
                .into_iter()
                .filter(|(from, to)| from != to)
                .map(|(a, b)| (a.min(b), a.max(b)))
                .collect();
            let resources = Resources { role_of, feature_of, agents, features: 12 };
            let priority = |high| if high { Priority::High } else { Priority::Normal };
            let priorities = urgent.into_iter().map(priority).collect();
            (Graph::new(durations.len() as u32, &edges).unwrap(), resources, durations, priorities, Limits { capacity, end, ..Limits::default() })
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_schedule_breaks_a_dependency_a_capacity_or_a_bound(
            (graph, resources, durations, priorities, limits) in sprints()
        ) {
            let free = CriticalPath::compute(&graph, &durations);
            let order = dispatch_order(&graph, &priorities, &free.remaining);
            let found = schedule(&graph, &resources, &durations, &order, &limits);
            prop_assert_eq!(&found, &schedule(&graph, &resources, &durations, &order, &limits));

            let mut effort = std::collections::BTreeMap::new();
            for task in 0..graph.len() as u32 {
                let at = task as usize;
                let Some(slot) = found.slot(task) else { continue };
                prop_assert_eq!(slot.finish - slot.start, durations[at]);
                prop_assert!(slot.instance >= 1);
                prop_assert!(slot.instance <= resources.agents[resources.role_of[at] as usize]);
                prop_assert!(limits.end.is_none_or(|end| slot.finish <= end));
                *effort.entry((resources.role_of[at], slot.instance)).or_insert(0) += durations[at];
                for &before in graph.predecessors(task) {
                    let before = found.slot(before);
                    prop_assert!(before.is_some_and(|before| before.finish <= slot.start));
                }
                for other in 0..task {
                    let Some(with) = found.slot(other) else { continue };
                    let apart = with.finish <= slot.start || slot.finish <= with.start;
                    let instant = durations[at] == 0 || durations[other as usize] == 0;
                    let same_feature = resources.feature_of[at] == resources.feature_of[other as usize];
                    let same_agent = resources.role_of[at] == resources.role_of[other as usize]
                        && slot.instance == with.instance;
                    prop_assert!(apart || instant || !(same_feature || same_agent));
                }
            }
            for ((role, _), effort) in effort {
                prop_assert!(limits.capacity[role as usize].is_none_or(|most| effort <= most));
            }

            let committed: Vec<u64> = (0..graph.len())
                .map(|at| if found.slots[at].is_ok() { durations[at] } else { 0 })
                .collect();
            let critical = CriticalPath::compute(&graph, &committed);
            let bound = bounds::lower_bound(&graph, &resources, &committed, &critical);
            prop_assert!(found.makespan >= bound.length);
        }

        #[test]
        fn without_limits_everything_has_a_place_and_urgent_work_is_not_delayed_by_other(
            (graph, resources, durations, priorities, _) in sprints()
        ) {
            let free = CriticalPath::compute(&graph, &durations);
            let order = dispatch_order(&graph, &priorities, &free.remaining);
            let all = schedule(&graph, &resources, &durations, &order, &Limits::default());
            prop_assert!(all.slots.iter().all(Result::is_ok));
            // The first half of the order ends where it would if the second half did not exist.
            let half = &order[..order.len() / 2];
            let alone = schedule(&graph, &resources, &durations, half, &Limits::default());
            for &task in half {
                let times = |found: &Schedule| found.slot(task).map(|slot| (slot.start, slot.finish));
                prop_assert_eq!(times(&all), times(&alone));
            }
        }
    }
}
