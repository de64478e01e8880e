//! The director's *no*: what sort it is, and in words what is wrong and what to do.

use serde::{Deserialize, Serialize};

/// What sort of *no* it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request makes no sense.
    BadRequest,
    /// The sprint file cannot be used.
    BadSprint,
    /// There is no such sprint, task, agent.
    NotFound,
    /// The director said no.
    Rejected,
    /// What it is about is not as the caller last saw it.
    Changed,
    /// The token is none of this director's.
    Unauthorized,
    /// The token is not good for that.
    Forbidden,
    /// A limit is reached.
    Busy,
    /// The director is stopping or gone.
    Stopped,
    /// Something in here failed.
    Internal,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What sort.
    pub kind: FaultKind,
    /// In words, with what to do.
    pub message: String,
}

impl Fault {
    /// A fault in words.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// Something that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(FaultKind::NotFound, message)
    }
}
