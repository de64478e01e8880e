//! Submitting: a new sprint is checked once more and committed to, as far as it fits.
//!
//! The sprint file has been checked where it was read; a program may submit a sprint that was not, so what
//! the state relies on is checked here again. What does not fit the written capacity goes to the backlog with
//! the reason.

use std::collections::BTreeSet;

use director_protocols::event::{Event, RoleRestored, SprintSubmitted, TaskDeferred};
use director_protocols::ids::{AgentId, SprintId, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::sprint::{AGENTS_MAX, SprintSpec, TASKS_MAX};
use director_protocols::time::{Span, Time};

use super::{Answer, attempt, message, unclear};
use crate::engine::people::PERSON;
use crate::engine::sprints::Stage;
use crate::engine::state::State;
use crate::planner;

/// Decides about a new sprint.
pub fn submit(state: &State, spec: &SprintSpec, now: Time) -> Answer {
    if let Some(known) = state.sprints.by_name.get(&spec.id)
        && state.sprints.table[known.index()].stage != Stage::Refused
    {
        return Err(Rejection::SprintExists {
            sprint: spec.id.to_string(),
        });
    }
    let plan = check(state, spec).map_err(|why| Rejection::BadSprint {
        sprint: spec.id.to_string(),
        why,
    })?;
    let first = state.tasks.table.len() as u32;
    let mut events: Vec<Event> = vec![
        SprintSubmitted {
            sprint_id: SprintId(state.sprints.table.len() as u32),
            planned: spec.ways.start.planned.unwrap_or(plan.1),
            spec: spec.clone().into(),
        }
        .into(),
    ];
    // Who is no longer part of the team gives back what it was not given yet; nobody waits for its answers.
    for agent in retired(state, spec) {
        let task = state.team.agents[agent.index()].task;
        if task.is_some_and(|task| state.outstanding.is_preparing(task)) || state.is_person(agent) {
            events.extend(attempt::interrupted(state, agent));
        }
        events.extend(message::unanswerable(state, agent));
    }
    // What a role's people had goes to its actors, and the other way round.
    for agent in changed_hands(state, spec) {
        events.extend(attempt::interrupted(state, agent));
    }
    // Who needs a lost role has seen to it that it can run.
    events.extend(spec.team.iter().filter_map(|role| {
        let known = state.team.by_role.get(&role.name)?;
        state.team.roles[known.index()].lost.then(|| {
            RoleRestored {
                role: role.name.to_string(),
                by: format!("sprint {}", spec.id),
            }
            .into()
        })
    }));
    let deferred: BTreeSet<u32> = plan.0.iter().map(|(index, _)| *index).collect();
    events.extend(plan.0.into_iter().map(|(index, reason)| {
        TaskDeferred {
            task_id: TaskId(first + index),
            reason,
        }
        .into()
    }));
    let place = (SprintId(state.sprints.table.len() as u32), TaskId(first));
    events.extend(unclear::asked(place, spec, &deferred, now));
    Ok(events)
}

/// Agents that stay, of roles that people filled and no longer do, or do now and did not.
fn changed_hands(state: &State, spec: &SprintSpec) -> Vec<AgentId> {
    let changed = spec.team.iter().filter_map(|role| {
        let id = state.team.by_role.get(&role.name)?;
        let known = &state.team.roles[id.index()];
        let people = role.agent.kind == PERSON;
        (known.is_people() != people).then(|| known.agents.iter().take(role.count as usize))
    });
    changed.flatten().copied().collect()
}

/// Agents that the sprint's team has no place for.
fn retired(state: &State, spec: &SprintSpec) -> Vec<AgentId> {
    let known = spec.team.iter().filter_map(|role| {
        let id = state.team.by_role.get(&role.name)?;
        let agents = &state.team.roles[id.index()].agents;
        Some(agents.iter().skip(role.count as usize).copied())
    });
    known.flatten().collect()
}

/// What does not fit, by place in the sprint, and how long the rest takes without any search; or what is wrong with it.
fn check(state: &State, spec: &SprintSpec) -> Result<(Vec<(u32, String)>, Span), String> {
    if spec.tasks.is_empty() {
        return Err("it has no task".to_owned());
    }
    if spec.tasks.len() > TASKS_MAX {
        return Err(format!(
            "it has {} tasks; the limit is {TASKS_MAX}",
            spec.tasks.len()
        ));
    }
    let agents: u64 = spec.team.iter().map(|role| u64::from(role.count)).sum();
    if agents == 0 || agents > u64::from(AGENTS_MAX) {
        return Err(format!(
            "it has {agents} agents; it needs 1 to {AGENTS_MAX}"
        ));
    }
    let points: u64 = spec.tasks.iter().map(|task| u64::from(task.points)).sum();
    if points > u64::from(u32::MAX) {
        return Err(format!("it has {points} points; nobody can count that far"));
    }
    let mut names = BTreeSet::new();
    for task in &spec.tasks {
        if !names.insert(&task.id) {
            return Err(format!("two tasks are called `{}`", task.id));
        }
        let filled = |name: &str| {
            spec.team
                .iter()
                .any(|role| role.name.as_str() == name && role.count > 0)
                || (!spec.team.iter().any(|role| role.name.as_str() == name)
                    && state.team.by_role.contains_key(name))
        };
        if !filled(task.role.as_str()) {
            return Err(format!(
                "task `{}` needs the role `{}`, which nobody fills",
                task.id, task.role
            ));
        }
    }
    let (commitment, makespan) = planner::commitment(spec).map_err(|error| error.to_string())?;
    let backlog = commitment.backlog.into_iter();
    let deferred = backlog.map(|deferred| (deferred.task, deferred.reason));
    Ok((deferred.collect(), Span(makespan)))
}
