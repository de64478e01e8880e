//! The nine roles that a team has unless the sprint file says otherwise, as data.
//!
//! What a role is good at, which kinds of task come to it and which it can take over. The hours are what
//! one instance works in a usual sprint: reports measure utilisation against them, but they limit what a
//! sprint commits to only where its file writes `capacity`.
//!
//! What a role is told lies as a text of its own in `protocols/src/roles/`: how it works and what it hands over.
//!
//! Elsewhere: which kind comes to which role is [`crate::kinds`]; overriding a role is [`crate::manifest`], and its
//! files are [`crate::manifest::role_file`].

use crate::ids::Name;
use crate::sprint::{
    AgentSpec, DirectorSpec, Isolation, OnConflict, Profile, RestartSpec, RoleSpec, Spending,
};
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
        prompt: include_str!("roles/engineering-manager.md"),
    },
    DefaultRole {
        name: "documentation-research",
        hours: 25,
        skills: &["research", "documentation"],
        kinds: &["research"],
        covers: &["documentation"],
        prompt: include_str!("roles/documentation-research.md"),
    },
    DefaultRole {
        name: "tech-lead",
        hours: 40,
        skills: &["architecture", "performance", "security", "design"],
        kinds: &["architecture", "performance", "security"],
        covers: &["feature", "bug_fix", "api_endpoint", "review", "research"],
        prompt: include_str!("roles/tech-lead.md"),
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
        prompt: include_str!("roles/fullstack-engineer.md"),
    },
    DefaultRole {
        name: "ux-engineer",
        hours: 40,
        skills: &["frontend", "design", "accessibility"],
        kinds: &["ui_component"],
        covers: &["feature"],
        prompt: include_str!("roles/ux-engineer.md"),
    },
    DefaultRole {
        name: "api-engineer",
        hours: 40,
        skills: &["backend", "api", "database"],
        kinds: &["api_endpoint"],
        covers: &["feature", "bug_fix", "performance"],
        prompt: include_str!("roles/api-engineer.md"),
    },
    DefaultRole {
        name: "test-engineer",
        hours: 35,
        skills: &["testing", "automation", "quality"],
        kinds: &["testing"],
        covers: &["bug_fix"],
        prompt: include_str!("roles/test-engineer.md"),
    },
    DefaultRole {
        name: "documentation-writer",
        hours: 30,
        skills: &["documentation", "writing"],
        kinds: &["documentation"],
        covers: &["research"],
        prompt: include_str!("roles/documentation-writer.md"),
    },
    DefaultRole {
        name: "tech-lead-reviewer",
        hours: 20,
        skills: &["review", "quality", "security"],
        kinds: &["review"],
        covers: &["architecture", "security"],
        prompt: include_str!("roles/tech-lead-reviewer.md"),
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
        sandbox: None,
        conflicts: OnConflict::default(),
        budget: Spending::default(),
        prompt: known.map_or_else(String::new, |role| role.prompt.trim_end().to_owned()),
        name,
        profile: Profile::default(),
    }
}

/// The name of the director's own role, in files too.
pub const DIRECTOR: &str = "engineering-director";

/// The director's own role before any file says anything about it.
///
/// # Panics
/// Never: its name is one.
pub fn director() -> DirectorSpec {
    DirectorSpec {
        name: Name::new(DIRECTOR).expect("a plain name"),
        prompt: include_str!("roles/engineering-director.md")
            .trim_end()
            .to_owned(),
        agent: AgentSpec::of_kind("claude"),
        profile: Profile::default(),
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
