//! Messages between agents: what one told or asked another, and who waits for whom.
//!
//! Everything that agents say to each other passes here, so that a wait that would close a circle is seen
//! before it begins.
//!
//! Elsewhere: the rules are `decide::message`, all that can be waited for is `waits`; delivery is an effect.

use std::collections::BTreeMap;

use director_protocols::event::Event;
use director_protocols::ids::{AgentId, Attempt, BlockerId, InboxId, MessageId, SprintId, TaskId};
use serde::Serialize;

use super::state::State;
use super::waits::Asked;

/// One message.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Who.
    pub from: AgentId,
    /// To whom; a person if none.
    pub to: Option<AgentId>,
    /// The attempt that waits for an answer.
    pub waiting: Option<(TaskId, Attempt)>,
    /// The blocker that it asks about.
    pub blocker: Option<BlockerId>,
    /// The question before the start that it asks.
    pub item: Option<InboxId>,
    /// The sprint that a manager is asked about.
    pub sprint: Option<SprintId>,
    /// Whether that is about tasks that would move.
    pub proposes: bool,
    /// The attempt that the director tells its agent something about.
    pub about: Option<(TaskId, Attempt)>,
    /// The task whose agent is asked, once it has one.
    pub of: Option<TaskId>,
    /// What.
    pub text: String,
    /// The answer and who gave it.
    pub answer: Option<(String, String)>,
}

impl Message {
    /// Whether it is a question.
    pub fn wants_an_answer(&self) -> bool {
        self.waiting.is_some() || self.blocker.is_some() || self.is_of_the_director()
    }

    /// Whether the director asks, about a question before the start or about a sprint.
    fn is_of_the_director(&self) -> bool {
        self.item.is_some() || self.sprint.is_some()
    }
}

/// All messages ever, and the waits of now.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Messages {
    /// By id.
    pub table: Vec<Message>,
    /// Agents that wait for another agent's answer, and for whose.
    pub waits: BTreeMap<AgentId, (MessageId, Asked)>,
}

impl Message {
    fn of(from: AgentId, to: Option<AgentId>, text: &str) -> Self {
        Self {
            from,
            to,
            waiting: None,
            blocker: None,
            item: None,
            sprint: None,
            proposes: false,
            about: None,
            of: None,
            text: text.to_owned(),
            answer: None,
        }
    }
}

impl State {
    /// Something was said, asked or answered.
    pub(super) fn talked(&mut self, event: &Event) {
        let message = match event {
            Event::MessageSent(e) => Message::of(e.from, Some(e.to), &e.text),
            Event::AgentTold(e) => Message {
                about: Some((e.task_id, e.attempt)),
                ..Message::of(e.to, Some(e.to), &e.text)
            },
            Event::ProductAsked(e) => Message {
                item: Some(e.item),
                ..Message::of(e.to, Some(e.to), &e.text)
            },
            Event::ManagerAsked(e) => Message {
                sprint: Some(e.sprint_id),
                proposes: e.deadline.is_some(),
                ..Message::of(e.to, Some(e.to), &e.text)
            },
            Event::AdviserAsked(e) => {
                let held_up = self.trouble.blockers[e.blocker.index()].agent;
                Message {
                    blocker: Some(e.blocker),
                    ..Message::of(held_up.unwrap_or(e.to), Some(e.to), &e.text)
                }
            }
            Event::QuestionAsked(e) => {
                let to = e.to.map(Asked::Agent).or(e.of.map(Asked::Taker));
                let waits = &mut self.messages.waits;
                waits.extend(to.map(|to| (e.from, (e.message, to))));
                Message {
                    waiting: Some((e.task_id, e.attempt)),
                    of: e.of,
                    ..Message::of(e.from, e.to, &e.text)
                }
            }
            Event::QuestionDirected(e) => {
                let message = &mut self.messages.table[e.message.index()];
                message.to = e.to;
                match e.to {
                    Some(to) => {
                        let wait = (e.message, Asked::Agent(to));
                        self.messages.waits.insert(message.from, wait);
                    }
                    None => drop(self.messages.waits.remove(&message.from)),
                }
                return;
            }
            Event::QuestionAnswered(e) => {
                let message = &mut self.messages.table[e.message.index()];
                message.answer = Some((e.by.clone(), e.text.clone()));
                let from = message.from;
                let waits = &mut self.messages.waits;
                if waits.get(&from).is_some_and(|(id, _)| *id == e.message) {
                    waits.remove(&from);
                }
                return;
            }
            _ => return,
        };
        self.messages.table.push(message);
    }
}
