//! Pairing: a second agent joins one that is held up, with the first one's context.
//!
//! Its report is the answer; the first agent goes on with it. Where nobody can join, or whoever could takes no words
//! because it only runs a command, the task goes to another agent instead.

use director_protocols::event::{
    BlockerEscalated, BlockerResolved, Event, HelpGiven, TaskAdded, TaskReassigned,
};
use director_protocols::ids::{AgentId, BlockerId, TaskId};
use director_protocols::origin::Origin;
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};
use director_protocols::work::COMMAND;

use super::help::{self, Help};
use super::{block, steer};
use crate::engine::state::State;
use crate::engine::tasks::Phase;
use crate::engine::waits;

/// How long somebody is thought to help.
const EFFORT: Span = Span::minutes(30);

/// The second agent's task, if there is one who can join.
pub fn asked(
    state: &State,
    blocker: BlockerId,
    task: TaskId,
    first: Option<AgentId>,
    text: &str,
) -> Option<Event> {
    let row = &state.tasks.table[task.index()];
    if row.is_help() {
        return None;
    }
    let mut team = (0u32..).map(AgentId).zip(&state.team.agents);
    let (_, second) = team.find(|(id, agent)| {
        let role = &state.team.roles[agent.role.index()];
        !agent.retired
            && Some(*id) != first
            && !role.lost
            && role.spec.agent.kind != COMMAND
            && state.team.is_able(*id, row.role, &row.spec.kind)
            && !waits::closes(state, task, *id)
    })?;
    let role = state.team.roles[second.role.index()].spec.name.clone();
    let spec = Help {
        id: help::name(state, task, "pair"),
        title: format!("Help with {}: {}", row.spec.id, row.spec.title),
        description: format!(
            "Task {} ({}) is held up: {text}\nFind out how it can go on. Change nothing; your `summary` is the answer, and whoever has the task goes on with it.\n{}",
            row.spec.id, row.spec.title, row.spec.description
        ),
        kind: row.spec.kind.clone(),
        role,
        effort: EFFORT,
        run: None,
    }
    .task(Some(&row.spec));
    Some(
        TaskAdded {
            task_id: TaskId(state.tasks.table.len() as u32),
            sprint_id: row.sprint,
            spec: spec.into(),
            dependencies: Vec::new(),
            origin: Origin::Pair {
                task_id: task,
                blocker,
            },
            by: "director".to_owned(),
        }
        .into(),
    )
}

/// The blocker that the help is about.
fn about(state: &State, help: TaskId) -> Option<(TaskId, BlockerId)> {
    match state.tasks.table[help.index()].origin.as_deref() {
        Some(Origin::Pair { task_id, blocker }) => Some((*task_id, *blocker)),
        _ => None,
    }
}

/// What follows the report of the second agent.
pub fn reported(state: &State, help: TaskId) -> Vec<Event> {
    let Some((task, _)) = about(state, help) else {
        return Vec::new();
    };
    let row = &state.tasks.table[help.index()];
    let said = row
        .story
        .as_ref()
        .map(|story| story.report().summary.trim());
    vec![
        HelpGiven {
            help,
            task_id: task,
            text: match said {
                Some("") | None => "go on".to_owned(),
                Some(text) => text.to_owned(),
            },
            by: row
                .last_agent
                .map_or_else(String::new, |agent| state.agent_name(agent)),
        }
        .into(),
    ]
}

/// What the answer sets free.
pub fn after(state: &State, e: &HelpGiven) -> Vec<Event> {
    let Some((task, blocker)) = about(state, e.help) else {
        return Vec::new();
    };
    if state.trouble.blockers[blocker.index()].resolved.is_some() {
        return Vec::new();
    }
    let first = state.trouble.blockers[blocker.index()].agent;
    vec![
        BlockerResolved {
            blocker,
            by: e.by.clone(),
            answer: e.text.clone(),
        }
        .into(),
        TaskReassigned {
            task_id: task,
            to: first.filter(|agent| state.team.is_there(*agent)),
            by: "director (with what the second agent found)".to_owned(),
        }
        .into(),
    ]
}

/// What follows when the second agent cannot help: it goes up a tier.
pub fn lost(state: &State, help: TaskId, reason: &str, now: Time) -> Vec<Event> {
    let Some((task, id)) = about(state, help) else {
        return Vec::new();
    };
    let blocker = &state.trouble.blockers[id.index()];
    if blocker.resolved.is_some() || blocker.severity >= Severity::High {
        return Vec::new();
    }
    let policy = state.sprints.table[state.tasks.table[task.index()].sprint.index()]
        .spec
        .policy;
    vec![
        BlockerEscalated {
            blocker: id,
            from: blocker.severity,
            to: Severity::High,
            reason: format!("nobody could help ({reason})"),
            deadline: block::deadline(&policy, Severity::High, now),
        }
        .into(),
    ]
}

/// Whether somebody was asked to help with the blocker and has not come to an end.
pub fn is_helped(state: &State, blocker: BlockerId) -> bool {
    open(state, blocker).is_some()
}

/// The help with the blocker that has not come to an end.
pub fn open(state: &State, blocker: BlockerId) -> Option<TaskId> {
    let task = state.trouble.blockers[blocker.index()].task;
    let sprint = state.tasks.table[task.index()].sprint;
    let added = &state.sprints.table[sprint.index()].added;
    added.iter().copied().find(|help| {
        about(state, *help).is_some_and(|(_, of)| of == blocker)
            && !state.tasks.table[help.index()].phase.is_over()
    })
}

/// Calls the second agent off: the blocker is resolved without it.
pub fn called_off(state: &State, blocker: BlockerId) -> Vec<Event> {
    match open(state, blocker) {
        // One that has reported is being dealt with.
        Some(help) if state.tasks.table[help.index()].phase != Phase::Reported => {
            steer::cancelled(state, help, "director (the blocker is resolved)")
        }
        _ => Vec::new(),
    }
}
