//! Ids: every thing that is referred to has a type of its own.
//!
//! Ids are places in the engine's dense tables, handed out in order and never reused within a data
//! directory. People see names; [`Name`] is the only text that becomes part of a path or a branch, so it
//! is checked where it enters.
//!
//! Elsewhere: which name an id stands for is the engine's state; turning ids into names for people is
//! `director::view`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The place in a dense table.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The number after this one.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id! {
    /// A task, by its place in the table of all tasks of the data directory.
    TaskId(u32)
}
id! {
    /// A sprint, by its place in the table of all sprints of the data directory.
    SprintId(u32)
}
id! {
    /// An agent: one instance of a role, by its place in the team's table.
    AgentId(u32)
}
id! {
    /// A role, by its place in the team's table.
    RoleId(u32)
}
id! {
    /// A feature: what shares one worktree and branch, by its place in the table of all features.
    FeatureId(u32)
}
id! {
    /// A blocker, numbered from 0 in the order raised.
    BlockerId(u32)
}
id! {
    /// Something that waits for a person, numbered from 0; people see it plus one.
    InboxId(u32)
}
id! {
    /// An incident, numbered from 0; people see it plus one.
    IncidentId(u32)
}
id! {
    /// A message from one agent to another, numbered from 0.
    MessageId(u32)
}
id! {
    /// The try at a task: 1 for the first, rising. It is the fence: a report with an older number is refused.
    Attempt(u32)
}
id! {
    /// The incarnation of an actor: 1 for the first start, rising with each restart.
    Generation(u32)
}
id! {
    /// A position in the journal: the number of a decision, 1 for the first.
    Seq(u64)
}

/// Names one effect: the decision that asked for it and its place among that decision's effects.
///
/// Also the idempotency key wherever the outside world takes one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct EffectId {
    /// The decision.
    pub seq: Seq,
    /// The place among the effects of that decision, from 0.
    pub n: u32,
}

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, self.n)
    }
}

/// The longest [`Name`], in bytes.
pub const NAME_BYTES_MAX: usize = 100;

/// A name that is safe in a path, a branch and a terminal.
///
/// Letters, digits, `-`, `_` and `.`, starting with a letter or digit, not ending with `.` or `.lock`, no
/// `..`, at most [`NAME_BYTES_MAX`] bytes. Letters of any script are fine. Clones share the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(Arc<str>);

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

/// Why a text cannot be a [`Name`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot be a name: {why}")]
pub struct NameError {
    /// The text as given, cut to a printable length.
    pub name: String,
    /// What is wrong and what to write instead.
    pub why: &'static str,
}

impl Name {
    /// Checks `text` and makes it a name.
    ///
    /// # Errors
    /// [`NameError`] with the rule that is broken.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        match name_problem(&text) {
            None => Ok(Self(text.into())),
            Some(why) => Err(NameError {
                name: text.chars().take(60).collect(),
                why,
            }),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn name_problem(text: &str) -> Option<&'static str> {
    let first = text.chars().next();
    if text.is_empty() {
        Some("it is empty")
    } else if text.len() > NAME_BYTES_MAX {
        Some("it is longer than 100 bytes")
    } else if text.contains("..") {
        Some("`..` would leave its directory")
    } else if text.contains(['/', '\\']) {
        Some("a slash would make it a path; use `-`")
    } else if text.chars().any(char::is_control) {
        Some("it has a control character")
    } else if !first.is_some_and(char::is_alphanumeric) {
        Some("it has to start with a letter or a digit")
    } else if !text
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    {
        Some("use only letters, digits, `-`, `_` and `.`")
    } else if text.ends_with('.') || text.ends_with(".lock") {
        Some("git does not take names that end with `.` or `.lock`")
    } else {
        None
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_directory_or_break_a_branch_are_refused() {
        for (text, ok) in [
            ("auth-api", true),
            ("v1.2_rc", true),
            ("größe", true),
            ("7", true),
            ("", false),
            ("../etc", false),
            ("a..b", false),
            ("a/b", false),
            ("a\\b", false),
            ("a\u{7}b", false),
            ("-rf", false),
            (".hidden", false),
            ("a b", false),
            ("a.lock", false),
            ("a.", false),
            ("a~1", false),
            ("a:b", false),
        ] {
            assert_eq!(Name::new(text).is_ok(), ok, "case: {text:?}");
        }
        assert!(Name::new("x".repeat(100)).is_ok());
        assert!(Name::new("x".repeat(101)).is_err());
    }
}
