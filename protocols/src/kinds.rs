//! Kinds of task: which role does them and what they leave behind, as data.
//!
//! A kind is a word of the sprint file. Eleven are known; any other word is fine too and goes to
//! [`ROLE_OTHERWISE`]. The sprint file can send any kind to another role and ask for another result.
//!
//! Elsewhere: the roles are [`crate::roles`].

use crate::sprint::Expects;

/// A kind of task that is known without being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The word in files.
    pub name: &'static str,
    /// The role that does it.
    pub role: &'static str,
    /// What it leaves behind in a sprint that has a repository.
    pub leaves: Expects,
    /// What it leaves behind in a scratch directory, where no change can be measured.
    pub leaves_in_scratch: Expects,
}

const fn changes(name: &'static str, role: &'static str) -> Kind {
    Kind {
        name,
        role,
        leaves: Expects::Changes,
        leaves_in_scratch: Expects::Nothing,
    }
}

const fn findings(name: &'static str, role: &'static str) -> Kind {
    Kind {
        name,
        role,
        leaves: Expects::Changes,
        leaves_in_scratch: Expects::Artifact,
    }
}

/// The role for every other kind.
pub const ROLE_OTHERWISE: &str = "fullstack-engineer";

/// The kind of a task that does not say.
pub const KIND_OTHERWISE: &str = "feature";

/// The kinds that are known.
pub static KINDS: [Kind; 11] = [
    changes("ui_component", "ux-engineer"),
    changes("api_endpoint", "api-engineer"),
    changes("feature", "fullstack-engineer"),
    findings("architecture", "tech-lead"),
    changes("testing", "test-engineer"),
    changes("documentation", "documentation-writer"),
    findings("research", "documentation-research"),
    Kind {
        name: "review",
        role: "tech-lead-reviewer",
        leaves: Expects::Nothing,
        leaves_in_scratch: Expects::Nothing,
    },
    changes("bug_fix", "fullstack-engineer"),
    changes("performance", "tech-lead"),
    changes("security", "tech-lead"),
];

/// The kind of that name.
pub fn known(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// The role that does tasks of this kind unless the sprint file says otherwise.
pub fn role_of(kind: &str) -> &'static str {
    known(kind).map_or(ROLE_OTHERWISE, |kind| kind.role)
}

/// What a task of this kind must leave behind unless the sprint file says otherwise. An unknown kind is
/// treated as a feature.
pub fn expects_of(kind: &str, has_repo: bool) -> Expects {
    let (with_repo, in_scratch) = known(kind)
        .map_or((Expects::Changes, Expects::Nothing), |kind| {
            (kind.leaves, kind.leaves_in_scratch)
        });
    if has_repo { with_repo } else { in_scratch }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_says_who_does_it_and_what_it_leaves() {
        for (kind, role, with_repo, in_scratch) in [
            (
                "api_endpoint",
                "api-engineer",
                Expects::Changes,
                Expects::Nothing,
            ),
            (
                "research",
                "documentation-research",
                Expects::Changes,
                Expects::Artifact,
            ),
            (
                "review",
                "tech-lead-reviewer",
                Expects::Nothing,
                Expects::Nothing,
            ),
            (
                "juggling",
                "fullstack-engineer",
                Expects::Changes,
                Expects::Nothing,
            ),
        ] {
            assert_eq!(role_of(kind), role, "kind: {kind}");
            assert_eq!(expects_of(kind, true), with_repo, "kind: {kind}");
            assert_eq!(expects_of(kind, false), in_scratch, "kind: {kind}");
        }
    }
}
