//! People: agents without an actor. What they get waits in the inbox, and their answer is the end of the attempt.
//!
//! A role whose agent is of the kind [`PERSON`] is filled by people. They are always there, no start and no stop
//! of a director takes their work from them, and no limit of time ends it but the inbox's own rule.
//!
//! Invariant: a person's attempt at work has an open inbox item, and the other way round.
//! Elsewhere: what an answer means is `decide::inbox`.

use director_protocols::ids::{AgentId, InboxId, SprintId, TaskId};
use director_protocols::inbox::InboxKind;
use director_protocols::time::Time;

use super::state::{Deadline, State};
use super::tasks::Phase;
use super::trouble::InboxItem;

/// The kind of agent that is a person, and the name that stands for one.
pub use director_protocols::work::PERSON;

impl State {
    /// Whether the agent is a person.
    pub fn is_person(&self, agent: AgentId) -> bool {
        self.team
            .role_of(agent)
            .is_some_and(|role| role.is_people())
    }

    /// Whether a person has the task in hand.
    pub fn is_with_a_person(&self, task: TaskId) -> bool {
        let agent = self.tasks.get(task).and_then(|row| row.agent);
        agent.is_some_and(|agent| self.is_person(agent))
    }

    /// How many of the sprint's tasks people have in hand.
    pub fn in_peoples_hands(&self, sprint: SprintId) -> u32 {
        let people = self.team.roles.iter().filter(|role| role.is_people());
        let hands = people
            .flat_map(|role| &role.agents)
            .filter_map(|agent| self.team.agents[agent.index()].task)
            .filter(|task| self.tasks.table[task.index()].sprint == sprint);
        hands.count() as u32
    }

    /// Takes in what waits for a person from now on; a task in it is at work.
    pub(super) fn inbox_opened(&mut self, id: InboxId, item: InboxItem, now: Time) {
        if let Some(blocker) = item.blocker {
            self.trouble.blockers[blocker.index()].item = Some(id);
        }
        if let Some(deadline) = item.deadline {
            self.deadlines.insert((deadline, Deadline::Inbox(id)));
        }
        if let (InboxKind::Task, Some(task)) = (item.kind, item.task) {
            self.tasks.story(task).starts += 1;
            if self.tasks.table[task.index()].phase == Phase::Assigned {
                self.move_to(task, Phase::Working, now);
            }
        }
        if item.kind == InboxKind::Unclear {
            let unclear = &mut self.sprints.table[item.sprint.index()].unclear;
            unclear.insert((item.task, id));
        }
        if let (Some(gate), Some(task)) = (item.gate.clone(), item.task) {
            self.person_asked(task, &gate, id, now);
        }
        self.trouble.open(item);
    }

    /// Closes an item: when, with which answer, by whom.
    pub(super) fn inbox_closed(&mut self, id: InboxId, closed: (Time, String, String)) {
        self.inbox_deadline(id, None);
        let item = &self.trouble.inbox[id.index()];
        if item.kind == InboxKind::Unclear {
            let unclear = &mut self.sprints.table[item.sprint.index()].unclear;
            unclear.remove(&(item.task, id));
        }
        self.trouble.close(id, closed);
    }

    /// Gives an item another deadline, or none.
    pub(super) fn inbox_deadline(&mut self, id: InboxId, deadline: Option<Time>) {
        let item = &mut self.trouble.inbox[id.index()];
        if let Some(at) = std::mem::replace(&mut item.deadline, deadline) {
            self.deadlines.remove(&(at, Deadline::Inbox(id)));
        }
        if let Some(at) = deadline {
            self.deadlines.insert((at, Deadline::Inbox(id)));
        }
    }
}
