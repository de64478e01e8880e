//! Planning again in the middle of a sprint: what is left, and a better order for it.
//!
//! The engine writes a [`Replan`] out of its state: open tasks, whoever has one in hand first, with the time that is expected to be left of it. The search
//! looks for an order that is finished earlier under the engine's own rule; the director goes on meanwhile. What it finds is an order of tasks and the
//! state it was made for, nothing else, so that an answer that comes too late can be told from one that still fits.
//!
//! Elsewhere: when it is asked for and what becomes of the answer is `engine::replan`; the search is [`super::improve`].

use director_protocols::ids::{SprintId, TaskId};
use director_protocols::time::Span;

use super::bounds;
use super::critical_path::CriticalPath;
use super::graph::Graph;
use super::improve::{Budget, Futures, improve};
use super::policy::Policy;
use super::schedule::Resources;

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
    /// Tasks that may change places have the same class.
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
        let mut policy = Policy::new(&self.graph, &self.resources, self.exclusive, &self.list);
        let futures = Futures::expected(self.durations.clone());
        let budget = Budget {
            schedules,
            // A bound on worktrees holds only where they take turns.
            bound: match bound.by {
                bounds::Limiting::Feature(_) if !self.exclusive => critical.makespan,
                _ => bound.length,
            },
            go_on,
        };
        let found = improve(&mut policy, &self.list, &self.class, &futures, seed, budget);
        (found.after < found.before).then(|| Found {
            order: found
                .list
                .iter()
                .map(|&at| self.tasks[at as usize])
                .collect(),
            before: Span(found.before),
            after: Span(found.after),
        })
    }
}
