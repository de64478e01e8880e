//! Scope: tasks that change while the sprint runs, and the order of what is left.
//!
//! Invariant: ranks and slack of tasks that are not over are those of the graph as it is now, once a change is through.

use std::collections::BTreeMap;

use director_protocols::event::{Purse, TaskChanged};
use director_protocols::ids::{RoleId, SprintId, TaskId};
use director_protocols::time::{Span, Time};

use super::adding::urgency;
use super::state::State;
use super::tasks::Phase;
use crate::planner::critical_path::CriticalPath;
use crate::planner::graph::Graph;

impl State {
    /// A task is from now on what the event says.
    pub(super) fn task_changed(&mut self, e: &TaskChanged, now: Time) {
        let id = e.task_id;
        let row = &mut self.tasks.table[id.index()];
        let sprint = row.sprint;
        let before = row.spec.points;
        let (holder, effort) = (row.agent, row.spec.estimate.mean());
        let deferred = row.phase == Phase::Deferred;
        let same_role = row.spec.role == e.spec.role;
        let budget = (row.spec.budget.spending(), e.spec.budget.spending());
        row.spec = e.spec.clone();
        row.written = e.written.clone();
        let feature = &mut self.tasks.features[row.feature.index()];
        feature.to_be_tested |= !e.spec.test_requirements.is_empty();
        if !deferred {
            let tally = &mut self.tasks.tallies[sprint.index()];
            tally.committed_points = tally.committed_points - before + e.spec.points;
        }
        // Whoever has it in hand has as much of it as it is now.
        if let Some(agent) = holder {
            let agent = &mut self.team.agents[agent.index()];
            agent.allocated = agent.allocated - effort + e.spec.estimate.mean();
        }
        // One that was given to somebody of another role stays there unless the role itself changes.
        if let Some(role) = self.team.by_role.get(&e.spec.role).copied()
            && !same_role
        {
            self.other_role(id, role);
        }
        self.other_dependencies(id, &e.dependencies, now);
        self.other_limits(Purse::Task { task_id: id }, budget.0, budget.1);
    }

    fn other_role(&mut self, id: TaskId, role: RoleId) {
        if self.tasks.table[id.index()].phase.is_in_hand() {
            return;
        }
        self.tasks.set_role(id, role);
        let row = &mut self.tasks.table[id.index()];
        row.avoid.clear();
        row.wanted = None;
    }

    fn other_dependencies(&mut self, id: TaskId, wanted: &[TaskId], now: Time) {
        let row = &self.tasks.table[id.index()];
        if *row.depends_on == *wanted {
            return;
        }
        let before = row.depends_on.clone();
        for dep in before.iter() {
            self.tasks.table[dep.index()]
                .dependents
                .retain(|other| *other != id);
        }
        for dep in wanted {
            self.tasks.table[dep.index()].dependents.push(id);
        }
        let open = |dep: &&TaskId| self.tasks.table[dep.index()].phase != Phase::Completed;
        let waiting_for = wanted.iter().filter(open).count() as u32;
        let row = &mut self.tasks.table[id.index()];
        row.depends_on = wanted.to_vec().into();
        row.waiting_for = waiting_for;
        let running = self.sprints.table[row.sprint.index()].is_running();
        match (row.phase, waiting_for) {
            (Phase::Ready, 1..) => self.move_to(id, Phase::Waiting, now),
            (Phase::Waiting, 0) if running => self.move_to(id, Phase::Ready, now),
            _ => {}
        }
    }

    /// Ranks and slack anew, for what is not over.
    pub(super) fn rerank(&mut self, sprint: SprintId) {
        let open: Vec<TaskId> = self.sprints.table[sprint.index()]
            .tasks()
            .filter(|id| {
                let row = &self.tasks.table[id.index()];
                !row.phase.is_over() && !row.is_help()
            })
            .collect();
        let node: BTreeMap<TaskId, u32> = open.iter().copied().zip(0u32..).collect();
        let mut edges = Vec::new();
        let mut durations = Vec::new();
        for (to, id) in (0u32..).zip(&open) {
            let row = &self.tasks.table[id.index()];
            durations.push(row.spec.estimate.mean().0);
            let before = row.depends_on.iter().filter_map(|dep| node.get(dep));
            edges.extend(before.map(|from| (*from, to)));
        }
        let len = open.len() as u32;
        let graph = Graph::new(len, &edges).unwrap_or_else(|_| Graph::unconnected(len));
        let path = CriticalPath::compute(&graph, &durations);
        for (place, id) in open.iter().enumerate() {
            let row = &self.tasks.table[id.index()];
            let rank = (
                urgency(row.spec.priority),
                u64::MAX - path.remaining[place],
                *id,
            );
            self.tasks.set_place(*id, rank);
            self.tasks.table[id.index()].slack = Span(path.total_slack[place]);
        }
    }
}
