//! Adding: tasks that come to a sprint that runs, and help that tasks get from others.
//!
//! *Help* is a task too, so that it is assigned, retried, held up and called off by the same rules; but it has no
//! worktree, no points and no gates, and does not count as a task of the sprint.
//!
//! Invariant: help is over when the task that it is about no longer needs it.

use std::collections::BTreeSet;

use director_protocols::event::TaskAdded;
use director_protocols::ids::{FeatureId, RoleId, TaskId};
use director_protocols::origin::Origin;
use director_protocols::sprint::Priority;
use director_protocols::time::{Span, Time};

use super::state::State;
use super::tasks::{Feature, Phase, Task};

/// The place of a priority in the order of ready tasks.
pub fn urgency(priority: Priority) -> u8 {
    match priority {
        Priority::Critical => 0,
        Priority::High => 1,
        Priority::Normal => 2,
        Priority::Low => 3,
    }
}

impl Task {
    /// Whether it helps another task.
    pub fn is_help(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.is_help())
    }

    /// Whether its feature still waits for it.
    pub fn is_open(&self) -> bool {
        let over = matches!(
            self.phase,
            Phase::Completed | Phase::Cancelled | Phase::Deferred
        );
        !over && !self.is_help()
    }
}

impl State {
    /// Whether the task helps another one.
    pub fn is_help(&self, task: TaskId) -> bool {
        self.tasks.get(task).is_some_and(Task::is_help)
    }

    /// Takes in a task that was added.
    pub(super) fn task_added(&mut self, e: &TaskAdded, now: Time) {
        let (id, help) = (e.task_id, e.origin.is_help());
        let feature = self.feature_for(e, help);
        let about = e
            .origin
            .about()
            .map(|about| &self.tasks.table[about.index()]);
        let slack = about.map_or(Span::ZERO, |row| row.slack);
        let author = about.and_then(|row| row.last_agent);
        let role = self
            .team
            .by_role
            .get(&e.spec.role)
            .copied()
            .unwrap_or(RoleId(0));
        // Whoever made it does not judge it, and whoever is held up does not help themselves, if there is anybody else.
        let others = self.team.roles[role.index()].active();
        let avoid: BTreeSet<_> = match others.filter(|agent| Some(*agent) != author).count() {
            0 => BTreeSet::new(),
            _ => author.filter(|_| help).into_iter().collect(),
        };
        let waits = |dep: &&TaskId| self.tasks.table[dep.index()].phase != Phase::Completed;
        let waiting_for = e.dependencies.iter().filter(waits).count() as u32;
        let rank = match help {
            // What is ready to be judged goes ahead of new work.
            true => (0, 0, id),
            false => (
                urgency(e.spec.priority),
                u64::MAX - e.spec.estimate.mean().0,
                id,
            ),
        };
        for dep in &e.dependencies {
            self.tasks.table[dep.index()].dependents.push(id);
        }
        self.tasks.push(Task {
            waiting_for,
            depends_on: e.dependencies.clone().into(),
            slack,
            avoid,
            origin: Some(Box::new(e.origin.clone())),
            ..Task::new(e.sprint_id, e.spec.clone(), (role, feature, rank), now)
        });
        let sprint = &mut self.sprints.table[e.sprint_id.index()];
        sprint.added.push(id);
        sprint.by_name.insert(e.spec.id.clone(), id);
        if !help {
            let tally = &mut self.tasks.tallies[e.sprint_id.index()];
            tally.committed += 1;
            tally.committed_points += e.spec.points;
        }
        if waiting_for == 0 && self.sprints.table[e.sprint_id.index()].is_running() {
            self.move_to(id, Phase::Ready, now);
        }
        if let Origin::Gate { task_id, gate, .. } = &e.origin {
            self.judge_asked(*task_id, gate, now);
        }
    }

    fn feature_for(&mut self, e: &TaskAdded, help: bool) -> FeatureId {
        let known = (0u32..).map(FeatureId).zip(&self.tasks.features);
        let same = |feature: &Feature| {
            feature.sprint == e.sprint_id && feature.name == e.spec.feature && !help
        };
        let found = known.filter(|(_, feature)| same(feature)).map(|(id, _)| id);
        if let Some(id) = found.last() {
            return id;
        }
        let repo = self.sprint_has_repo(e.sprint_id);
        let name = e.spec.feature.clone();
        self.tasks
            .features
            .push(Feature::new(e.sprint_id, name, repo && !help));
        FeatureId(self.tasks.features.len() as u32 - 1)
    }

    /// The help is over, well.
    pub(super) fn help_ended(&mut self, id: TaskId, now: Time) {
        if !self.tasks.table[id.index()].phase.is_over() {
            self.move_to(id, Phase::Completed, now);
        }
    }
}
