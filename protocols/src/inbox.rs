//! The inbox: what waits for a person, how it is answered, and what happens when nobody does.
//!
//! Elsewhere: which items there are is the engine's state; what an answer sets free is decided there.

use serde::{Deserialize, Serialize};

use crate::time::Span;

/// What sort of thing waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxKind {
    /// A task is held up until somebody says how to go on.
    Blocker,
    /// An agent at work waits for an answer.
    Question,
    /// A role is down after too many restarts.
    Role,
    /// A task whose agent is a person: the answer is its result.
    Task,
    /// A gate that a person judges.
    Gate,
    /// A package that another team takes or gives back.
    Handoff,
    /// Something that cannot be deployed yet: it is asked for again, or left.
    Deployment,
    /// Something about a task that is unclear before it begins.
    Unclear,
    /// What was foreseen for a risk that has come true, and is a person's decision.
    Fallback,
    /// A budget that has too little left for what waits: it is raised, or the work is called off.
    Budget,
    /// A branch of the director's that somebody else moved: it is put back, or the sprint is called off.
    Branch,
    /// Something to know; nothing waits for it.
    Notice,
}

impl InboxKind {
    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            InboxKind::Blocker => "blocker",
            InboxKind::Question => "question",
            InboxKind::Role => "role",
            InboxKind::Task => "task",
            InboxKind::Gate => "gate",
            InboxKind::Handoff => "handoff",
            InboxKind::Deployment => "deployment",
            InboxKind::Unclear => "unclear",
            InboxKind::Fallback => "fallback",
            InboxKind::Budget => "budget",
            InboxKind::Branch => "branch",
            InboxKind::Notice => "notice",
        }
    }
}

/// How a person answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// In words.
    #[default]
    Answer,
    /// Yes: done, go on, accepted.
    Approve,
    /// No, with the reason.
    Reject,
}

impl Reply {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Reply::Answer => "answer",
            Reply::Approve => "approve",
            Reply::Reject => "reject",
        }
    }
}

/// How long one sort of thing may wait, and what happens then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRule {
    /// From its opening to its deadline, and from one reminder to the next.
    pub within: Span,
    /// What happens at the deadline.
    pub default: InboxDefault,
}

/// What happens to something that nobody answered in its time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxDefault {
    /// Whoever is notified is notified again, and it waits on.
    #[default]
    Remind,
    /// It is answered with these words.
    Answer(String),
    /// It is approved.
    Approve,
    /// It is rejected with this reason.
    Reject(String),
}

impl InboxDefault {
    /// Whether it settles the matter, so that nobody has to come.
    pub fn acts(&self) -> bool {
        !matches!(self, InboxDefault::Remind)
    }
}

impl std::fmt::Display for InboxDefault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InboxDefault::Remind => f.write_str("you are reminded"),
            InboxDefault::Answer(text) => write!(f, "it is answered with `{text}`"),
            InboxDefault::Approve => f.write_str("it is approved"),
            InboxDefault::Reject(_) => f.write_str("it is rejected"),
        }
    }
}

/// The rules of a sprint's inbox; what has none waits until somebody comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRules {
    /// For questions of agents at work.
    pub question: Option<InboxRule>,
    /// For tasks of people.
    pub task: Option<InboxRule>,
    /// For gates that people judge.
    pub gate: Option<InboxRule>,
    /// For what is unclear before the start.
    pub unclear: Option<InboxRule>,
}

impl InboxRules {
    /// The rule for a kind.
    pub fn of(&self, kind: InboxKind) -> Option<&InboxRule> {
        match kind {
            InboxKind::Question => self.question.as_ref(),
            InboxKind::Task => self.task.as_ref(),
            InboxKind::Gate => self.gate.as_ref(),
            InboxKind::Unclear => self.unclear.as_ref(),
            // These have deadlines of their own, or none.
            InboxKind::Blocker
            | InboxKind::Role
            | InboxKind::Handoff
            | InboxKind::Deployment
            | InboxKind::Fallback
            | InboxKind::Budget
            | InboxKind::Branch
            | InboxKind::Notice => None,
        }
    }
}
