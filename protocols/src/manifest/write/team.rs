//! The team as a file has it: only what is not as it is without being written.

use serde::Serialize;

use super::budget::BudgetOut;
use super::{Ordered, duration, sandbox};
use crate::roles::{default_role, default_team, unwritten};
use crate::sandbox::Sandbox;
use crate::sprint::{AgentSpec, OnConflict, RestartSpec, RoleSpec};
use crate::time::Span;

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum TeamEntry {
    Only(bool),
    Role(Box<Role>),
}

#[derive(Serialize, Default, PartialEq)]
pub(super) struct Role {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skills: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kinds: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    covers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    isolation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflicts: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart: Option<Restart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<BudgetOut>,
}

#[derive(Serialize, PartialEq)]
struct Restart {
    intensity: u32,
    within: String,
    backoff_min: String,
    backoff_max: String,
}

#[derive(Serialize)]
pub(super) struct Agent {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    options: Ordered<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
}

/// The roles that are not as they are without being written, and the agents with settings.
pub(super) fn roles(
    team: &[RoleSpec],
    sandbox: Option<&Sandbox>,
) -> (Ordered<TeamEntry>, Ordered<Agent>) {
    let defaults = default_team();
    let place = |role: &RoleSpec| defaults.iter().position(|known| known.name == role.name);
    let there = |known: &RoleSpec| team.iter().any(|role| role.name == known.name);
    // The nine come first and in their order, unless only the file's roles count.
    let usual_order = {
        let places: Vec<Option<usize>> = team.iter().map(place).collect();
        let known: Vec<usize> = places.iter().map_while(|place| *place).collect();
        known.is_sorted() && places[known.len()..].iter().all(Option::is_none)
    };
    let only =
        !usual_order || defaults.iter().filter(|known| there(known)).count() * 2 < defaults.len();
    let mut agents: Vec<(String, AgentSpec)> = Vec::new();
    let mut entries = Vec::new();
    if only {
        entries.push(("only".to_owned(), TeamEntry::Only(true)));
    } else {
        for gone in defaults.iter().filter(|known| !there(known)) {
            let role = Role {
                count: Some(0),
                ..Role::default()
            };
            entries.push((gone.name.to_string(), TeamEntry::Role(Box::new(role))));
        }
    }
    for role in team {
        let written = Role::of(role, sandbox, &mut agents);
        if only || written != Role::default() || default_role(role.name.as_str()).is_none() {
            entries.push((role.name.to_string(), TeamEntry::Role(Box::new(written))));
        }
    }
    let agents = agents
        .into_iter()
        .map(|(name, agent)| (name, Agent::of(&agent)))
        .collect();
    (Ordered(entries), Ordered(agents))
}

impl Role {
    fn of(role: &RoleSpec, all: Option<&Sandbox>, agents: &mut Vec<(String, AgentSpec)>) -> Self {
        let RoleSpec {
            name,
            count,
            capacity,
            skills,
            kinds,
            covers,
            agent,
            restart,
            isolation: _,
            sandbox: _,
            conflicts,
            budget,
            prompt,
            // From a file of its own, which is found again beside the sprint file.
            profile: _,
        } = role;
        let usual = unwritten(name.clone());
        let list = |list: &Vec<String>, usual: &Vec<String>| (list != usual).then(|| list.clone());
        let agent_name = match *agent == AgentSpec::of_kind(&agent.kind) {
            true => agent.kind.clone(),
            false => match agents.iter().find(|(_, known)| known == agent) {
                Some((name, _)) => name.clone(),
                None => {
                    agents.push((format!("of-{name}"), agent.clone()));
                    format!("of-{name}")
                }
            },
        };
        Role {
            count: (*count != usual.count).then_some(*count),
            capacity: capacity.map(Span::as_hours),
            skills: list(skills, &usual.skills),
            kinds: list(kinds, &usual.kinds),
            covers: list(covers, &usual.covers),
            agent: (agent_name != usual.agent.kind).then_some(agent_name),
            isolation: sandbox::isolation(role, all),
            conflicts: (*conflicts != OnConflict::usual(&agent.kind)).then_some(match conflicts {
                OnConflict::Redo => "redo",
                OnConflict::Resolve => "resolve",
            }),
            prompt: (*prompt != usual.prompt).then(|| prompt.clone()),
            restart: (*restart != RestartSpec::default()).then(|| Restart {
                intensity: restart.intensity,
                within: duration(restart.within),
                backoff_min: duration(restart.backoff_min),
                backoff_max: duration(restart.backoff_max),
            }),
            budget: BudgetOut::of_role(budget),
        }
    }
}

impl Agent {
    fn of(agent: &AgentSpec) -> Self {
        let AgentSpec {
            kind,
            model,
            program,
            env,
            options,
            account,
        } = agent;
        Self {
            kind: kind.clone(),
            model: model.clone(),
            program: program.clone(),
            env: env.clone(),
            options: Ordered(
                options
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            ),
            account: account.clone(),
        }
    }
}
