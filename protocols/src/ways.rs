//! Ways of working: who is told what, what waits for people and for how long. What a sprint file says beside
//! its tasks, team and gates.
//!
//! Elsewhere: limits and retries are [`crate::sprint::Policy`].

use serde::{Deserialize, Serialize};

use crate::ids::Name;
use crate::inbox::InboxRules;
use crate::sprint::RunSpec;

/// A sprint's ways of working. The default is what a file that says nothing gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// How long what waits for people may wait.
    pub inbox: InboxRules,
    /// Who is told what.
    pub stakeholders: Vec<Stakeholder>,
}

/// Somebody who is told what happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stakeholder {
    /// Who.
    pub name: Name,
    /// The events they are told of; empty for all of them.
    pub on: Vec<String>,
    /// Where each event is posted.
    pub webhook: Option<String>,
    /// What is run for each event, which comes on its standard input.
    pub run: Option<RunSpec>,
    /// Whether each event is put in the inbox; so where there is no webhook and no command.
    pub inbox: bool,
}

impl Stakeholder {
    /// Whether they are told of events of this name.
    pub fn wants(&self, event: &str) -> bool {
        self.on.is_empty() || self.on.iter().any(|name| name == event)
    }
}
