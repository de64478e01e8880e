//! What is under way when the runs begin is gone on with, and whoever is asked answers: people, and those who judge work.
//!
//! Elsewhere: where each task stands is [`super::super::rest`]; the rest of the world is the parent module.

use director_protocols::ids::{AgentId, InboxId, TaskId};
use director_protocols::inbox::InboxKind;
use director_protocols::origin::Origin;

use super::super::inputs::Input;
use super::super::rest::Standing;
use super::{NO_TASK, World};
use crate::engine::tasks::Phase;
use crate::estimate::random::Purpose;

impl World<'_> {
    /// Goes on with what is under way when the runs begin.
    pub(super) fn pick_up(&mut self) {
        let set = self.set;
        let state = set.engine.state();
        for (index, standing) in set.standing.iter().enumerate() {
            if let Standing::Again { spent, .. } = *standing {
                let task = TaskId(index as u32);
                self.do_again(task, state.tasks.table[index].attempt);
                // A second round that takes longer than it should have is over at any moment.
                let left = self.left[index].saturating_sub(spent);
                self.left[index] = left.max(self.left[index] / 8).max(1);
            }
        }
        for (index, agent) in state.team.agents.iter().enumerate() {
            let id = AgentId(index as u32);
            let role = &state.team.roles[agent.role.index()];
            if !agent.up && !agent.retired && !role.lost {
                self.after(role.spec.restart.backoff_min.0, Input::Up(id));
            }
            let Some(task) = agent.task.filter(|_| !state.is_person(id)) else {
                continue;
            };
            let row = &state.tasks.table[task.index()];
            if row.phase == Phase::Working && row.agent == Some(id) {
                let assigned = row
                    .story
                    .as_deref()
                    .map_or(set.begin, |story| story.assigned);
                let key = (task, row.attempt);
                self.crew.holds(id, key);
                let course = self.course(key, set.begin.since(assigned).0);
                self.go(key, id, course);
            }
        }
        for (id, item) in state.trouble.waiting() {
            self.ask(id, item.kind, item.task);
        }
    }

    /// A person is asked: how long the answer takes is drawn here. Of a task of theirs the work comes on top.
    pub(super) fn ask(&mut self, item: InboxId, kind: InboxKind, task: Option<TaskId>) {
        // Whether scope is cut is for real people to say; a forecast goes on as planned.
        if kind == InboxKind::Fallback || kind == InboxKind::Budget && self.holds {
            return;
        }
        let attempt = task.map(|task| self.engine.state().tasks.table[task.index()].attempt);
        let (name, attempt) = match (task, attempt) {
            (Some(task), Some(attempt)) => (task.0, attempt.0),
            _ => (NO_TASK, item.0),
        };
        let bits = self.luck.draw(name, attempt, Purpose::Answer);
        let answer = self
            .set
            .waits
            .at(bits, self.set.faults.answer_seconds * 1_000);
        let work = match (kind, task) {
            (InboxKind::Task, Some(task)) => self.left[task.index()],
            _ => 0,
        };
        let sent_back = kind == InboxKind::Gate
            && self.chance(name, attempt, Purpose::Review, self.set.faults.review);
        let input = match sent_back {
            true => Input::TurnDown(item),
            false => Input::Answer(item),
        };
        self.after(answer + work, input);
    }

    /// Whether the task is to judge somebody's work, and sends it back.
    pub(super) fn finds_something(&self, task: TaskId) -> bool {
        let tasks = &self.engine.state().tasks.table;
        match tasks[task.index()].origin.as_deref() {
            Some(Origin::Gate { task_id, .. }) => {
                let attempt = tasks[task_id.index()].attempt;
                self.chance(
                    task_id.0,
                    attempt.0,
                    Purpose::Review,
                    self.set.faults.review,
                )
            }
            _ => false,
        }
    }
}
