//! The nine roles that a team has unless the sprint file says otherwise, as data.
//!
//! What a role is good at, which kinds of task come to it and which it can take over. The hours are what
//! one instance works in a usual sprint: reports measure utilisation against them, but they limit what a
//! sprint commits to only where its file writes `capacity`.
//!
//! Elsewhere: which kind comes to which role is [`crate::kinds`]; overriding a role is [`crate::manifest`].

use crate::ids::Name;
use crate::sprint::{AgentSpec, Isolation, OnConflict, RestartSpec, RoleSpec};
use crate::time::Span;

/// A role that exists without being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultRole {
    /// The name in files and reports.
    pub name: &'static str,
    /// Working hours of one instance in a usual sprint.
    pub hours: u32,
    /// What it is good at.
    pub skills: &'static [&'static str],
    /// The kinds of task that come to it.
    pub kinds: &'static [&'static str],
    /// The kinds of task that it can take over.
    pub covers: &'static [&'static str],
    /// What the role is, told to the agent.
    pub prompt: &'static str,
}

/// The nine, in the order in which they are listed.
pub static ROLES: [DefaultRole; 9] = [
    DefaultRole {
        name: "engineering-manager",
        hours: 40,
        skills: &["coordination", "planning", "people"],
        kinds: &[],
        covers: &["review", "research"],
        prompt: "You run the team day to day: standups, guidance, balance of work.",
    },
    DefaultRole {
        name: "documentation-research",
        hours: 25,
        skills: &["research", "documentation"],
        kinds: &["research"],
        covers: &["documentation"],
        prompt: "You find out what is known before it is built, and write down where you found it.",
    },
    DefaultRole {
        name: "tech-lead",
        hours: 40,
        skills: &["architecture", "performance", "security", "design"],
        kinds: &["architecture", "performance", "security"],
        covers: &["feature", "bug_fix", "api_endpoint", "review", "research"],
        prompt: "You decide how the system is built, and answer the questions that others cannot.",
    },
    DefaultRole {
        name: "fullstack-engineer",
        hours: 40,
        skills: &["frontend", "backend", "integration"],
        kinds: &["feature", "bug_fix"],
        covers: &[
            "ui_component",
            "api_endpoint",
            "testing",
            "performance",
            "documentation",
        ],
        prompt: "You build features from end to end and connect what others built.",
    },
    DefaultRole {
        name: "ux-engineer",
        hours: 40,
        skills: &["frontend", "design", "accessibility"],
        kinds: &["ui_component"],
        covers: &["feature"],
        prompt: "You build what people see and touch.",
    },
    DefaultRole {
        name: "api-engineer",
        hours: 40,
        skills: &["backend", "api", "database"],
        kinds: &["api_endpoint"],
        covers: &["feature", "bug_fix", "performance"],
        prompt: "You build services and the interfaces between them.",
    },
    DefaultRole {
        name: "test-engineer",
        hours: 35,
        skills: &["testing", "automation", "quality"],
        kinds: &["testing"],
        covers: &["bug_fix"],
        prompt: "You find what is wrong before users do, and write the tests that keep it found.",
    },
    DefaultRole {
        name: "documentation-writer",
        hours: 30,
        skills: &["documentation", "writing"],
        kinds: &["documentation"],
        covers: &["research"],
        prompt: "You write what users and engineers need to read.",
    },
    DefaultRole {
        name: "tech-lead-reviewer",
        hours: 20,
        skills: &["review", "quality", "security"],
        kinds: &["review"],
        covers: &["architecture", "security"],
        prompt: "You read what others built and say whether it can be merged.",
    },
];

/// The default role of that name.
pub fn default_role(name: &str) -> Option<&'static DefaultRole> {
    ROLES.iter().find(|role| role.name == name)
}

/// Working time of one instance in a usual sprint, for reports of utilisation; a role of the sprint's own has
/// 40 hours.
pub fn usual_hours(role: &str) -> Span {
    Span::hours(default_role(role).map_or(40, |role| u64::from(role.hours)))
}

/// A role as it is before the sprint file says anything about it: one instance, command agent, no limit on
/// commitment. A name that is not one of the nine gives a role without skills and kinds.
pub fn unwritten(name: Name) -> RoleSpec {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let known = default_role(name.as_str());
    RoleSpec {
        count: 1,
        capacity: None,
        skills: known.map_or_else(Vec::new, |role| owned(role.skills)),
        kinds: known.map_or_else(Vec::new, |role| owned(role.kinds)),
        covers: known.map_or_else(Vec::new, |role| owned(role.covers)),
        agent: AgentSpec::of_kind("command"),
        restart: RestartSpec::default(),
        isolation: Isolation::default(),
        conflicts: OnConflict::default(),
        prompt: known.map_or_else(String::new, |role| role.prompt.to_owned()),
        name,
    }
}

/// The nine, each as [`unwritten`].
pub fn default_team() -> Vec<RoleSpec> {
    ROLES
        .iter()
        .filter_map(|role| Name::new(role.name).ok())
        .map(unwritten)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{KINDS, role_of};

    #[test]
    fn every_kind_has_one_role_and_the_role_knows_it() {
        assert_eq!(default_team().len(), ROLES.len());
        for kind in &KINDS {
            let homes: Vec<_> = ROLES
                .iter()
                .filter(|role| role.kinds.contains(&kind.name))
                .map(|role| role.name)
                .collect();
            assert_eq!(homes, [role_of(kind.name)], "kind: {}", kind.name);
        }
        for role in &ROLES {
            for kind in role.kinds.iter().chain(role.covers) {
                assert!(KINDS.iter().any(|known| known.name == *kind), "{kind}");
            }
        }
    }
}
