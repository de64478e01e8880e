//! Tasks as jobs of the search: roles and worktrees become resources, milliseconds become ticks.
//!
//! A tick is the greatest that divides every duration, unless that would be too many; then durations are rounded up, and what the search says is
//! only a guide. Roles are resources with a unit for each agent; a worktree that more than one task needs is a resource of one unit.
//!
//! Elsewhere: what is done with what the search finds is [`super::shorten`]'s and [`super::replan`]'s.

use std::collections::BTreeMap;

use super::graph::Graph;
use super::schedule::Resources;
use super::search::lanes;
use super::search::model::{Fixed, Job, Problem, Way};

/// How long a tick is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    /// In milliseconds.
    pub length: u64,
    /// Whether every duration is a whole number of ticks.
    pub exact: bool,
}

impl Ticks {
    /// Ticks for these tasks, of which all of them in a row take no more than `most`.
    pub(super) fn of(durations: &[u64], tasks: &[u32], most: u64) -> Self {
        let lengths = || tasks.iter().map(|&task| durations[task as usize]);
        let divisor = lengths().fold(0, greatest_common_divisor).max(1);
        let total = lengths().fold(0, u64::saturating_add);
        let exact = total / divisor <= most;
        let length = if exact { divisor } else { total.div_ceil(most) };
        Self { length, exact }
    }

    pub(super) fn up(self, ms: u64) -> u32 {
        u32::try_from(ms.div_ceil(self.length)).unwrap_or(u32::MAX)
    }
}

fn greatest_common_divisor(one: u64, other: u64) -> u64 {
    match other {
        0 => one,
        _ => greatest_common_divisor(other, one % other),
    }
}

/// What tasks are about. Tables are by task, durations in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work<'a> {
    pub graph: &'a Graph,
    pub resources: &'a Resources,
    pub durations: &'a [u64],
    /// Whether a worktree takes one task at a time.
    pub exclusive: bool,
}

impl Work<'_> {
    /// The tasks as jobs in their order here. What they wait for counts if it is among them; `fixed` says which of them stay, and where.
    pub(super) fn problem(
        &self,
        ticks: Ticks,
        tasks: &[u32],
        fixed: impl Fn(u32) -> Option<Fixed>,
    ) -> Problem {
        let job_of: BTreeMap<u32, u32> = (0..).zip(tasks).map(|(job, &task)| (task, job)).collect();
        let feature_of = |task: u32| self.resources.feature_of[task as usize];
        // Roles first; then the worktrees that more than one task needs.
        let mut sharing: BTreeMap<u32, u32> = BTreeMap::new();
        for &task in tasks.iter().filter(|_| self.exclusive) {
            *sharing.entry(feature_of(task)).or_insert(0) += 1;
        }
        sharing.retain(|_, tasks| *tasks > 1);
        let agents = self.resources.agents.iter();
        let mut capacity: Vec<u32> = agents.map(|&count| count.min(lanes::MOST)).collect();
        let worktree_of: BTreeMap<u32, u32> = (capacity.len() as u32..)
            .zip(sharing.keys())
            .map(|(resource, &feature)| (feature, resource))
            .collect();
        capacity.resize(capacity.len() + worktree_of.len(), 1);
        let jobs = tasks.iter().map(|&task| {
            let role = (self.resources.role_of[task as usize], 1);
            let worktree = worktree_of.get(&feature_of(task));
            let worktree = worktree.map(|&resource| (resource, 1));
            let way = Way {
                duration: ticks.up(self.durations[task as usize]),
                demand: std::iter::once(role).chain(worktree).collect(),
                misfit: 0,
            };
            Job {
                ways: vec![way],
                release: 0,
                fixed: fixed(task),
            }
        });
        let edges = (0..).zip(tasks).flat_map(|(job, &task)| {
            let before = self.graph.predecessors(task).iter();
            let job_of = &job_of;
            before.filter_map(move |before| Some((*job_of.get(before)?, job)))
        });
        Problem {
            jobs: jobs.collect(),
            edges: edges.collect(),
            capacity,
            closed: Vec::new(),
        }
    }
}
