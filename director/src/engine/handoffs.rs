//! Packages for other teams, and whether they took them.

use director_protocols::event::{DemoPackage, HandoffPackage, PackageAnswered};
use director_protocols::ids::{Name, SprintId};
use director_protocols::time::Time;
use serde::Serialize;

use super::state::State;

pub use director_protocols::ways::Peer as Team;

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
    /// What is in it, for those who test and deploy.
    pub package: HandoffPackage,
    /// What is in it, for Product.
    pub demo: DemoPackage,
    /// Where it is.
    pub standing: Standing,
    /// What they said of it; empty for nothing.
    pub feedback: String,
}

impl State {
    /// A package that is ready, still empty.
    pub(super) fn package(
        &mut self,
        sprint: SprintId,
        team: Team,
        feature: Option<Name>,
    ) -> &mut Handoff {
        let place = self.handoffs.len();
        self.handoffs.push(Handoff {
            sprint,
            team,
            feature,
            package: Default::default(),
            demo: Default::default(),
            standing: Standing::Ready,
            feedback: String::new(),
        });
        &mut self.handoffs[place]
    }

    /// The other team took it or gave it back.
    pub(super) fn package_answered(&mut self, e: &PackageAnswered, now: Time) {
        self.handoffs[e.handoff as usize].standing = match e.accepted {
            true => Standing::Accepted,
            false => Standing::Returned(e.reason.clone()),
        };
        if let Some(help) = e.help {
            self.help_ended(help, now);
        }
    }
}
