//! Trouble: blockers on their tiers, and the inbox of what waits for a person.
//!
//! Invariant: an open blocker of tier high or critical has an open inbox item; a resolved one has none.
//! Elsewhere: which tier does what is `decide::block`.

use std::collections::BTreeMap;

use director_protocols::event::{InboxOpened, Purse};
use director_protocols::ids::{
    AgentId, Attempt, BlockerId, InboxId, MessageId, Name, SprintId, TaskId,
};
use director_protocols::inbox::{InboxDefault, InboxKind};
use director_protocols::severity::Severity;
use director_protocols::time::Time;
use director_protocols::unclear::About;
use serde::Serialize;

use super::incidents::Incident;

/// Something that holds a task up, or did.
#[derive(Clone, Debug, Serialize)]
pub struct Blocker {
    /// The task.
    pub task: TaskId,
    /// Who said so.
    pub agent: Option<AgentId>,
    /// What sort.
    pub kind: String,
    /// The tier it is on.
    pub severity: Severity,
    /// What is the matter.
    pub text: String,
    /// When it was raised.
    pub raised: Time,
    /// When it goes up a tier.
    pub deadline: Option<Time>,
    /// When and by whom it was resolved.
    pub resolved: Option<(Time, String)>,
    /// The tiers it has been on, with the reason for each.
    pub history: Vec<(Severity, String)>,
    /// What waits for a person because of it.
    pub item: Option<InboxId>,
}

/// Something that waits for a person, or did.
#[derive(Clone, Debug, Serialize)]
pub struct InboxItem {
    /// The sprint.
    pub sprint: SprintId,
    /// The task.
    pub task: Option<TaskId>,
    /// The blocker behind it.
    pub blocker: Option<BlockerId>,
    /// The question behind it.
    pub message: Option<MessageId>,
    /// The lost role behind it.
    pub role: Option<String>,
    /// What sort of thing it is.
    pub kind: InboxKind,
    /// The attempt that a person has in hand.
    pub attempt: Option<Attempt>,
    /// When the default happens.
    pub deadline: Option<Time>,
    /// What happens then.
    pub default: InboxDefault,
    /// The gate that a person judges.
    pub gate: Option<Name>,
    /// The package that another team takes or gives back.
    pub handoff: Option<u32>,
    /// The deployment that is not ready.
    pub deployment: Option<u32>,
    /// What is unclear before the start.
    pub about: Option<About>,
    /// The risk whose fallback is offered.
    pub risk: Option<u32>,
    /// The budget that has too little left.
    pub purse: Option<Purse>,
    /// How urgent.
    pub severity: Severity,
    /// What is asked.
    pub question: String,
    /// Since when.
    pub opened: Time,
    /// The answer and who gave it; an empty name when it was closed without one.
    pub closed: Option<(Time, String, String)>,
}

impl InboxItem {
    /// What is opened with that event.
    pub fn of(e: &InboxOpened, now: Time) -> Self {
        Self {
            sprint: e.sprint_id,
            task: e.task_id,
            blocker: e.blocker,
            message: e.message,
            role: e.role.clone(),
            kind: e.kind,
            attempt: e.attempt,
            deadline: e.deadline,
            default: e.default.clone(),
            gate: e.gate.clone(),
            handoff: e.handoff,
            deployment: e.deployment,
            about: e.about,
            risk: e.risk,
            purse: e.purse,
            severity: e.severity,
            question: e.question.clone(),
            opened: now,
            closed: None,
        }
    }
}

/// All blockers and inbox items ever.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Trouble {
    /// By id.
    pub blockers: Vec<Blocker>,
    /// By id.
    pub inbox: Vec<InboxItem>,
    /// By id.
    pub incidents: Vec<Incident>,
    /// Open questions of agents at work, and tasks of people, by the task whose attempt waits.
    pub asked: BTreeMap<TaskId, Vec<InboxId>>,
}

impl Trouble {
    /// The blocker, if there is one of that number.
    pub fn blocker(&self, id: BlockerId) -> Option<&Blocker> {
        self.blockers.get(id.index())
    }

    /// Takes in an item.
    pub fn open(&mut self, item: InboxItem) {
        if let Some(task) = item.task
            && (item.message.is_some() || item.attempt.is_some())
        {
            let id = InboxId(self.inbox.len() as u32);
            self.asked.entry(task).or_default().push(id);
        }
        self.inbox.push(item);
    }

    /// Closes an item: when, with which answer, by whom.
    pub fn close(&mut self, id: InboxId, closed: (Time, String, String)) {
        let item = &mut self.inbox[id.index()];
        item.closed = Some(closed);
        if let Some(task) = item.task
            && let Some(asked) = self.asked.get_mut(&task)
        {
            asked.retain(|other| *other != id);
            if asked.is_empty() {
                self.asked.remove(&task);
            }
        }
    }

    /// The item, if it is open.
    pub fn open_item(&self, id: InboxId) -> Option<&InboxItem> {
        self.inbox
            .get(id.index())
            .filter(|item| item.closed.is_none())
    }

    /// What waits for a person, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = (InboxId, &InboxItem)> {
        (0u32..)
            .map(InboxId)
            .zip(&self.inbox)
            .filter(|(_, item)| item.closed.is_none())
    }
}
