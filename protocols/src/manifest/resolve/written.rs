//! What is written about a role, in the sprint file or in a file of its own; both have the same keys.

use crate::sprint::{OnConflict, RestartSpec, RoleSpec, Spending};
use crate::time::Span;

use super::super::tree::Node;
use super::sandbox::Kept;
use super::{budget, duration, hours, small, text, texts};

/// The keys of a role that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::manifest) struct Written {
    pub count: Option<u32>,
    pub capacity: Option<Span>,
    pub skills: Option<Vec<String>>,
    pub kinds: Option<Vec<String>>,
    pub covers: Option<Vec<String>>,
    pub agent: Option<String>,
    pub prompt: Option<String>,
    pub restart: Option<RestartSpec>,
    pub isolation: Option<Kept>,
    pub conflicts: Option<OnConflict>,
    pub budget: Option<Spending>,
}

impl Written {
    /// Reads a table that was checked.
    pub fn of(node: &Node<'_>) -> Self {
        Self {
            count: small(node.field("count")),
            capacity: hours(node.field("capacity")),
            skills: texts(node.field("skills")),
            kinds: texts(node.field("kinds")),
            covers: texts(node.field("covers")),
            agent: text(node.field("agent")),
            prompt: text(node.field("prompt")),
            restart: node.field("restart").map(restart),
            isolation: text(node.field("isolation")).map(|word| Kept::of(&word)),
            conflicts: match text(node.field("conflicts")).as_deref() {
                Some("resolve") => Some(OnConflict::Resolve),
                other => other.map(|_| OnConflict::Redo),
            },
            budget: node.field("budget").map(budget::spending),
        }
    }

    /// Puts what is written into the role, but for the agent, whose name has to be looked up, and what is decided once all is read.
    pub fn fill(&self, role: &mut RoleSpec) {
        role.count = self.count.unwrap_or(role.count);
        role.capacity = self.capacity.or(role.capacity);
        role.restart = self.restart.unwrap_or(role.restart);
        role.budget = self.budget.unwrap_or(role.budget);
        for (written, list) in [
            (&self.skills, &mut role.skills),
            (&self.kinds, &mut role.kinds),
            (&self.covers, &mut role.covers),
        ] {
            if let Some(words) = written {
                list.clone_from(words);
            }
        }
        if let Some(prompt) = &self.prompt {
            role.prompt.clone_from(prompt);
        }
    }
}

fn restart(node: &Node<'_>) -> RestartSpec {
    let usual = RestartSpec::default();
    let time = |key, usual| duration(node.field(key)).unwrap_or(usual);
    RestartSpec {
        intensity: small(node.field("intensity")).unwrap_or(usual.intensity),
        within: time("within", usual.within),
        backoff_min: time("backoff_min", usual.backoff_min),
        backoff_max: time("backoff_max", usual.backoff_max),
    }
}
