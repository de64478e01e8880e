//! What a role's file asks of a coding agent, and what becomes of it: flags, part of the prompt, or named as not honoured.
//!
//! `tools` does two things: it is the list of what may be used without anybody being asked (nobody could answer), and built-in
//! tools that are not on it are not there at all. What the sprint file says of the agent is stronger than the role's file.
//!
//! Elsewhere: which fields there are is [`director_protocols::manifest::role_file`].

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::sprint::{AgentSpec, Profile, RoleSpec};

use super::acp;

/// The kind that flags are known for.
const CLAUDE: &str = "claude";
/// What those that converse honour of a role's file.
const CONVERSING: [&str; 2] = ["tools", "initialPrompt"];
/// Built-in tools of Claude Code, with the kinds of tool of the Agent Client Protocol that they stand for.
const KINDS: [(&str, &[&str]); 10] = [
    ("Read", &["read"]),
    ("Glob", &["search"]),
    ("Grep", &["search"]),
    ("Edit", &["edit", "move"]),
    ("MultiEdit", &["edit", "move"]),
    ("Write", &["edit", "move", "delete"]),
    ("NotebookEdit", &["edit"]),
    ("Bash", &["execute"]),
    ("WebFetch", &["fetch"]),
    ("WebSearch", &["fetch"]),
];

/// Fields that become a flag, with the option of the sprint file that is stronger.
const FLAGS: [(&str, &str, &str); 5] = [
    ("disallowedTools", "disallowed_tools", "--disallowedTools"),
    ("permissionMode", "permission_mode", "--permission-mode"),
    ("maxTurns", "max_turns", "--max-turns"),
    ("effort", "effort", "--effort"),
    ("tools", "allowed_tools", "--allowedTools"),
];

/// Fields that are honoured without a flag: the model is chosen with the agent's own, the first words go into the prompt.
const OTHERWISE: [&str; 2] = ["model", "initialPrompt"];

/// Flags for what the file asks and the sprint file does not say.
pub fn flags(profile: &Profile, options: &BTreeMap<String, String>) -> Vec<String> {
    let mut flags = Vec::new();
    for (field, option, flag) in FLAGS {
        let Some(value) = profile
            .settings
            .get(field)
            .filter(|_| !options.contains_key(option))
        else {
            continue;
        };
        if field == "tools" {
            flags.push(format!("--tools={}", built_in(value)));
        }
        // An empty list would take the next flag for its first tool.
        if !value.is_empty() {
            flags.push(format!("{flag}={value}"));
        }
    }
    flags
}

/// The kinds of tool that a role's file allows an agent which is asked by kind; `None` where it lists no tools. A tool that is limited, as in
/// `Bash(git:*)`, allows nothing: a kind has no limits.
pub fn kinds_of_tool(profile: &Profile) -> Option<BTreeSet<String>> {
    let tools = profile.settings.get("tools")?;
    let names = tools.split(',').map(str::trim);
    let of = |name| KINDS.iter().find(|(tool, _)| *tool == name);
    let kinds = names.filter_map(of).flat_map(|(_, kinds)| *kinds);
    // Thinking changes nothing.
    let kinds = kinds.chain(&["think"]);
    Some(kinds.map(|kind| (*kind).to_owned()).collect())
}

/// What an agent of the role is told before each task: the role's own words, and the first ones that its file wants said.
pub fn instructions(role: &RoleSpec) -> String {
    match role.profile.settings.get("initialPrompt") {
        Some(first) => format!("{}\n\n{first}", role.prompt.trim_end()),
        None => role.prompt.clone(),
    }
}

/// The names of the built-in tools in a list: without what they are limited to, and without those of other servers.
fn built_in(tools: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut depth = 0_usize;
    for part in tools.split_inclusive([',', '(', ')']) {
        let outside = depth == 0;
        match part.chars().last() {
            Some('(') => depth += 1,
            Some(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let name = part.trim_matches([',', '(', ')', ' ']);
        if outside && !name.is_empty() && !name.starts_with("mcp__") && !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(",")
}

/// What the role's file asks and its agent cannot honour, in a sentence; `None` where there is nothing.
pub fn not_honoured(role: &RoleSpec) -> Option<String> {
    let file = role.profile.file.as_deref()?;
    let lost = lost(&role.agent, &role.profile);
    if lost.is_empty() {
        return None;
    }
    let lost: Vec<_> = lost.iter().map(|field| format!("`{field}`")).collect();
    let (kind, role) = (&role.agent.kind, &role.name);
    Some(format!(
        "role `{role}`: an agent of the kind `{kind}` cannot honour {} of `{file}`",
        lost.join(", ")
    ))
}

fn lost(agent: &AgentSpec, profile: &Profile) -> Vec<String> {
    let honoured = |field: &str| {
        // Every agent works in a worktree of its own.
        (field == "isolation" && profile.settings[field] == "worktree")
            || (agent.kind == CLAUDE
                && (FLAGS.iter().any(|(name, ..)| *name == field) || OTHERWISE.contains(&field)))
            || (acp::AGENTS.contains(&agent.kind.as_str()) && CONVERSING.contains(&field))
    };
    let fields = profile.settings.keys();
    fields.filter(|field| !honoured(field)).cloned().collect()
}

/// What people should know before a role's file gives its agent free hand; `None` where it does not.
pub fn free_hand(role: &RoleSpec) -> Option<String> {
    let mode = role.profile.settings.get("permissionMode")?;
    let bypasses = mode == "bypassPermissions"
        && role.agent.kind == CLAUDE
        && !role.agent.options.contains_key("permission_mode");
    bypasses.then(|| {
        let file = role.profile.file.as_deref().unwrap_or_default();
        format!("role `{}`: `{file}` lets its agent do everything without asking (`permissionMode: {mode}`)", role.name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn profile(settings: &[(&str, &str)]) -> Profile {
        Profile {
            file: Some("agents/x.md".into()),
            settings: settings
                .iter()
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            ..Profile::default()
        }
    }

    #[test]
    fn tools_are_both_what_is_there_and_what_is_allowed() {
        let none = BTreeMap::new();
        for (case, settings, flags_expected) in [
            ("nothing", vec![], vec![]),
            (
                "limited, from servers, twice",
                vec![("tools", "Read,Bash(git:*, npm:*),Bash(ls),mcp__x__y")],
                vec![
                    "--tools=Read,Bash",
                    "--allowedTools=Read,Bash(git:*, npm:*),Bash(ls),mcp__x__y",
                ],
            ),
            ("none at all", vec![("tools", "")], vec!["--tools="]),
            (
                "the rest",
                vec![
                    ("maxTurns", "4"),
                    ("permissionMode", "plan"),
                    ("hooks", "{}"),
                    ("model", "opus"),
                ],
                vec!["--permission-mode=plan", "--max-turns=4"],
            ),
        ] {
            assert_eq!(
                flags(&profile(&settings), &none),
                flags_expected,
                "case: {case}"
            );
        }
        let stronger = BTreeMap::from([("allowed_tools".to_owned(), "Edit".to_owned())]);
        assert_eq!(
            flags(&profile(&[("tools", "Read")]), &stronger),
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_agent_that_is_asked_by_kind_is_allowed_what_its_tools_stand_for() {
        let kinds = |tools: &[(&str, &str)]| {
            kinds_of_tool(&profile(tools)).map(|kinds| Vec::from_iter(kinds).join(" "))
        };
        assert_eq!(kinds(&[]), None, "the default");
        for (case, tools, expected) in [
            ("some", "Read, Edit", "edit move read think"),
            ("limited", "Read,Bash(git:*, npm:*)", "read think"),
            ("of a server", "mcp__x__y", "think"),
            ("none at all", "", "think"),
        ] {
            let allowed = kinds(&[("tools", tools)]);
            assert_eq!(allowed.as_deref(), Some(expected), "case: {case}");
        }
    }

    #[test]
    fn what_an_agent_cannot_honour_is_named() {
        let mut role = samples::role("claude");
        role.profile = profile(&[
            ("tools", "Read"),
            ("hooks", "{}"),
            ("isolation", "worktree"),
            ("memory", "user"),
        ]);
        assert_eq!(
            not_honoured(&role).as_deref(),
            Some(
                "role `engineer`: an agent of the kind `claude` cannot honour `hooks`, `memory` of `agents/x.md`"
            )
        );
        role.agent = AgentSpec::of_kind("command");
        role.profile = profile(&[("tools", "Read")]);
        assert!(
            not_honoured(&role)
                .is_some_and(|said| said.contains("`command` cannot honour `tools`"))
        );
        role.agent = AgentSpec::of_kind("gemini");
        role.profile = profile(&[
            ("tools", "Read"),
            ("initialPrompt", "Look."),
            ("maxTurns", "4"),
        ]);
        assert!(
            not_honoured(&role)
                .is_some_and(|said| said.contains("`gemini` cannot honour `maxTurns` of"))
        );
        role.profile = profile(&[]);
        assert_eq!(not_honoured(&role), None);
        role.agent = AgentSpec::of_kind("claude");
        role.profile = profile(&[("permissionMode", "bypassPermissions")]);
        assert!(free_hand(&role).is_some());
    }
}
