//! Packages for other teams, and whether they took them.

use director_protocols::ids::{Name, SprintId};
use serde::Serialize;

/// A team beside the engineers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Team {
    /// Those who test.
    Qa,
    /// Those who deploy.
    Devops,
}

impl Team {
    /// The role that its people fill.
    pub fn role(self) -> &'static str {
        match self {
            Team::Qa => "qa",
            Team::Devops => "devops",
        }
    }
}

/// Where a package is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Standing {
    /// It waits for the other team.
    Ready,
    /// They took it.
    Accepted,
    /// They gave it back, for this reason.
    Returned(String),
}

impl Standing {
    /// The word in status and reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Standing::Ready => "ready",
            Standing::Accepted => "accepted",
            Standing::Returned(_) => "returned",
        }
    }
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handoff {
    /// The sprint.
    pub sprint: SprintId,
    /// For whom.
    pub team: Team,
    /// The feature; the whole sprint without.
    pub feature: Option<Name>,
    /// Where it is.
    pub standing: Standing,
}
