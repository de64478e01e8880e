//! Messages between agents: what one told or asked another, and who waits for whom.
//!
//! Everything that agents say to each other passes here, so that a wait that would close a circle is seen
//! before it begins.
//!
//! Elsewhere: the rules are `decide::message`; delivery is an effect.

use std::collections::BTreeMap;

use director_protocols::ids::{AgentId, Attempt, BlockerId, InboxId, MessageId, TaskId};
use serde::Serialize;

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
    /// What.
    pub text: String,
    /// The answer and who gave it.
    pub answer: Option<(String, String)>,
}

impl Message {
    /// Whether it is a question.
    pub fn wants_an_answer(&self) -> bool {
        self.waiting.is_some() || self.blocker.is_some() || self.item.is_some()
    }
}

/// All messages ever, and the waits of now.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Messages {
    /// By id.
    pub table: Vec<Message>,
    /// Agents that wait for another agent's answer.
    pub waits: BTreeMap<AgentId, (MessageId, AgentId)>,
}

impl Messages {
    /// The agents in the circle that would close if `from` waited for `to`; empty if none would.
    pub fn circle(&self, from: AgentId, to: AgentId) -> Vec<AgentId> {
        let mut path = vec![from];
        let mut next = to;
        while path.len() <= self.waits.len() + 1 {
            path.push(next);
            if next == from {
                return path;
            }
            match self.waits.get(&next) {
                Some((_, to)) => next = *to,
                None => return Vec::new(),
            }
        }
        Vec::new()
    }
}
