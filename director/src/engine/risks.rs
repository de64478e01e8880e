//! Risks while the sprint runs: which have come true, and when a task outlives the worst case of its estimate. For people that
//! is counted in working hours.
//!
//! Invariant: a risk comes true once for each task and once for a role; a task has a moment of overrun exactly while an agent has it in hand
//! and a risk that waits for it has not come true.
//! Elsewhere: what comes true when, and what is done then, is `decide::risk`.

use director_protocols::event::{FallbackApplied, RiskTriggered};
use director_protocols::ids::TaskId;
use director_protocols::risk::{Trigger, Watched};
use director_protocols::time::Time;
use director_protocols::ways::Ceremonies;

use super::state::{Deadline, State};
use crate::planner::calendar::Calendar;

impl State {
    /// The risks of the task's sprint that have not come true for it, by number.
    pub fn risks_of(&self, task: TaskId) -> impl Iterator<Item = (u32, &Watched)> {
        let row = &self.tasks.table[task.index()];
        let sprint = &self.sprints.table[row.sprint.index()];
        let risks = (0u32..).zip(&sprint.spec.ways.start.risks);
        risks.filter(move |(number, _)| !sprint.came_true.contains(&(*number, Some(task))))
    }

    /// A risk has come true.
    pub(super) fn risk_triggered(&mut self, e: &RiskTriggered) {
        let sprint = &mut self.sprints.table[e.sprint_id.index()];
        sprint.came_true.insert((e.number, e.task_id));
        if let Some(task) = e.task_id {
            self.no_overrun(task);
        }
    }

    /// What is not begun stands with another role from now on.
    pub(super) fn fallback_applied(&mut self, e: &FallbackApplied) {
        let sprint = &mut self.sprints.table[e.sprint_id.index()];
        sprint.fallen_back.insert(e.number);
        let role = e.to.as_ref().and_then(|to| self.team.by_role.get(to));
        if let Some(role) = role.copied() {
            for task in &e.batch {
                self.tasks.set_role(*task, role);
                self.tasks.table[task.index()].moved = true;
            }
        }
    }

    /// An agent has the task from now on.
    pub(super) fn await_overrun(&mut self, task: TaskId, now: Time) {
        let name = &self.tasks.table[task.index()].spec.id;
        let waits = self.risks_of(task).any(|(_, risk)| {
            let mut on = risk.on.iter();
            on.any(|on| matches!(on, Trigger::Overrun(known) if known == name))
        });
        if !waits {
            return;
        }
        let row = &self.tasks.table[task.index()];
        let person = row.agent.is_some_and(|agent| self.is_person(agent));
        let busy = row.story.as_deref().map(|story| story.busy);
        let left = row.spec.estimate.pessimistic - busy.unwrap_or_default();
        let mut at = now + left;
        let sprint = &mut self.sprints.table[row.sprint.index()];
        if person {
            // People go home. Their days begin with the standup.
            let begins = sprint.spec.ways.ceremonies.standup;
            let begins = begins.or(Ceremonies::default().standup);
            let worked = |begins| Calendar::of(&sprint.spec).worked(now, left, begins);
            at = begins.and_then(worked).unwrap_or(at);
        }
        sprint.overruns.insert(task, at);
        self.deadlines.insert((at, Deadline::Overrun(task)));
    }

    /// Nobody has the task any more, or it has been said.
    pub(super) fn no_overrun(&mut self, task: TaskId) {
        let sprint = self.tasks.table[task.index()].sprint;
        let overruns = &mut self.sprints.table[sprint.index()].overruns;
        if let Some(at) = overruns.remove(&task) {
            self.deadlines.remove(&(at, Deadline::Overrun(task)));
        }
    }
}
