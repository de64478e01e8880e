//! Risks that are watched while the sprint runs: what shows that one has come true, and what is done then.
//!
//! Elsewhere: finding them is the planner's; watching is the engine's.

use serde::{Deserialize, Serialize};

use crate::ids::Name;

/// What shows that a risk has come true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The task has been at work for longer than the worst case of its estimate.
    Overrun(Name),
    /// The task was given up.
    Failed(Name),
    /// Work of the task was sent back a second time.
    Rework(Name),
    /// All agents of the role are down, and stay down.
    Down(Name),
    /// The projected end is past the sprint's last day.
    Late,
}

/// What is done when a risk has come true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// What is not begun of the risk's tasks goes to this role, by itself.
    Reassign(Name),
    /// What is not done of the risk's tasks, and what waits for it, is left for the next sprint if a person says so.
    Cut,
    /// A person decides.
    Decide,
}

/// A risk with what is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// What it is, in a sentence.
    pub risk: String,
    /// What to do then, in a sentence.
    pub fallback: String,
    /// The tasks that it was found in.
    pub tasks: Vec<Name>,
    /// What shows that it has come true.
    pub on: Vec<Trigger>,
    /// What is done.
    pub then: Fallback,
}
