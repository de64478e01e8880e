//! Impact: what an emergency costs, found by scheduling what is left with and without it.
//!
//! Left is the estimate of every task that is not over; what is at work counts in full, because nobody knows better.
//! In the schedule with the emergency, the task that is held up takes as much longer as the resolution is thought to take,
//! and whatever is paused begins after it.

use std::collections::BTreeMap;

use director_protocols::ids::{FeatureId, SprintId, TaskId};
use director_protocols::sprint::Priority;
use director_protocols::time::Span;

use super::state::State;
use crate::planner::critical_path::CriticalPath;
use crate::planner::graph::Graph;
use crate::planner::schedule::{self, Limits, Resources};

/// What an emergency costs the sprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impact {
    /// Working time to the end without it.
    pub without: Span,
    /// Working time to the end with it.
    pub with: Span,
    /// Tasks that wait for the one that is held up, directly or through others.
    pub waiting: u32,
}

/// Schedules what is left of the sprint with and without `task` being held up for `wait`.
pub fn of(state: &State, sprint: SprintId, task: TaskId, wait: Span) -> Impact {
    let row = &state.sprints.table[sprint.index()];
    let open: Vec<TaskId> = row
        .tasks()
        .filter(|id| !state.tasks.table[id.index()].phase.is_over() && !state.is_help(*id))
        .collect();
    // Node 0 is the emergency itself; the tasks follow.
    let node: BTreeMap<TaskId, u32> = open.iter().copied().zip(1u32..).collect();
    let mut edges: Vec<(u32, u32)> = Vec::new();
    for (id, to) in &node {
        for dep in state.tasks.table[id.index()].depends_on.iter() {
            edges.extend(node.get(dep).map(|from| (*from, *to)));
        }
    }
    let mut paused = edges.clone();
    for (id, to) in &node {
        let row = &state.tasks.table[id.index()];
        let goes_on = row.spec.priority == Priority::Critical || row.phase.is_in_hand();
        if *id == task || !goes_on {
            paused.push((0, *to));
        }
    }
    let makespan = |edges: &[(u32, u32)], emergency: u64| {
        let len = node.len() as u32 + 1;
        let graph = Graph::new(len, edges).unwrap_or_else(|_| Graph::unconnected(len));
        let mut durations = vec![emergency];
        let mut priorities = vec![Priority::Critical];
        for id in &open {
            let row = &state.tasks.table[id.index()];
            durations.push(row.spec.estimate.mean().0);
            priorities.push(row.spec.priority);
        }
        let remaining = CriticalPath::compute(&graph, &durations).remaining;
        let order = schedule::dispatch_order(&graph, &priorities, &remaining);
        let resources = resources(state, &open);
        let limits = Limits::default();
        schedule::schedule(&graph, &resources, &durations, &order, &limits).makespan
    };
    Impact {
        without: Span(makespan(&edges, 0)),
        with: Span(makespan(&paused, wait.0)),
        waiting: behind(state, task),
    }
}

fn resources(state: &State, open: &[TaskId]) -> Resources {
    let roles = state.team.roles.len() as u32;
    let mut features: BTreeMap<FeatureId, u32> = BTreeMap::new();
    let (mut role_of, mut feature_of) = (vec![roles], vec![0]);
    for id in open {
        let row = &state.tasks.table[id.index()];
        let next = features.len() as u32 + 1;
        role_of.push(row.role.0);
        feature_of.push(*features.entry(row.feature).or_insert(next));
    }
    let agents = state.team.roles.iter().map(|role| role.spec.count);
    Resources {
        role_of,
        feature_of,
        // Nobody is needed for the emergency's time to pass.
        agents: agents.chain([1]).collect(),
        features: features.len() as u32 + 1,
    }
}

/// How many tasks wait for this one.
fn behind(state: &State, task: TaskId) -> u32 {
    let mut seen = std::collections::BTreeSet::new();
    let mut todo = vec![task];
    while let Some(id) = todo.pop() {
        for next in state.tasks.table[id.index()].dependents.iter() {
            if !state.tasks.table[next.index()].phase.is_over() && seen.insert(*next) {
                todo.push(*next);
            }
        }
    }
    seen.len() as u32
}
