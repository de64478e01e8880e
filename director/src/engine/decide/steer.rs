//! Steering: pause, resume, cancel, reassign, deliver; what is foreseen of a sprint and taken from it into the next.

use director_protocols::event::{
    ActionAccepted, AttemptEnded, BlockerResolved, Event, ForecastRecorded, SprintCancelled,
    SprintDelivered, SprintPaused, SprintResumed, TaskCancelled, TaskReassigned,
};
use director_protocols::forecast::Forecast;
use director_protocols::ids::{AgentId, SprintId, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::work::AttemptEnd;

use super::Answer;
use crate::engine::sprints::{Sprint, Stage};
use crate::engine::state::State;
use crate::engine::tasks::Phase;

fn sprint(state: &State, id: SprintId) -> Result<&Sprint, Rejection> {
    state.sprints.get(id).ok_or(Rejection::NoSprint)
}

fn going(state: &State, id: SprintId) -> Result<&Sprint, Rejection> {
    let sprint = sprint(state, id)?;
    if sprint.is_over() {
        return Err(Rejection::SprintEnded {
            sprint: sprint.spec.id.to_string(),
        });
    }
    Ok(sprint)
}

/// The sprints meant: one, or all that are going.
fn meant(state: &State, id: Option<SprintId>) -> Result<Vec<SprintId>, Rejection> {
    match id {
        Some(id) => going(state, id).map(|_| vec![id]),
        None => Ok((0u32..)
            .map(SprintId)
            .zip(&state.sprints.table)
            .filter(|(_, sprint)| !sprint.is_over())
            .map(|(id, _)| id)
            .collect()),
    }
}

/// Decides about a pause.
pub fn pause(state: &State, id: Option<SprintId>, by: &str) -> Answer {
    Ok(meant(state, id)?
        .into_iter()
        .filter(|id| !state.sprints.table[id.index()].paused)
        .map(|sprint_id| {
            SprintPaused {
                sprint_id,
                by: by.to_owned(),
            }
            .into()
        })
        .collect())
}

/// Decides about the end of a pause.
pub fn resume(state: &State, id: Option<SprintId>, by: &str) -> Answer {
    Ok(meant(state, id)?
        .into_iter()
        .filter(|id| state.sprints.table[id.index()].paused)
        .map(|sprint_id| {
            SprintResumed {
                sprint_id,
                by: by.to_owned(),
            }
            .into()
        })
        .collect())
}

/// Decides about the end of a whole sprint.
pub fn cancel_sprint(state: &State, id: SprintId, by: &str) -> Answer {
    let sprint = going(state, id)?;
    let mut events: Vec<Event> = vec![
        SprintCancelled {
            sprint_id: id,
            by: by.to_owned(),
        }
        .into(),
    ];
    for task in sprint.tasks() {
        let row = &state.tasks.table[task.index()];
        // A merge under way is carried through: half of it may have happened. Help is called off with what it is about, if it
        // is about a task.
        let with_its_task = row.origin.as_ref().and_then(|origin| origin.about());
        let alone = !row.is_help() || with_its_task.is_none();
        if row.phase != Phase::Merging && alone {
            events.extend(cancelled(state, task, by));
        }
    }
    Ok(events)
}

/// Decides about a task that is dropped, and what depends on it.
pub fn cancel_task(state: &State, task: TaskId, by: &str) -> Answer {
    let row = state.tasks.get(task).ok_or(Rejection::NoTask)?;
    going(state, row.sprint)?;
    if row.phase.is_over() || row.phase == Phase::Merging {
        return Err(Rejection::TaskState {
            task: row.spec.id.to_string(),
            state: row.phase.as_str(),
            hint: match row.phase {
                Phase::Merging => "wait until it is merged, or cancel the sprint",
                _ => "there is nothing to cancel",
            },
        });
    }
    let mut events = Vec::new();
    let mut seen = std::collections::BTreeSet::from([task]);
    let mut todo = vec![task];
    while let Some(task) = todo.pop() {
        events.extend(cancelled(state, task, by));
        for dependent in state.tasks.table[task.index()].dependents.iter() {
            if seen.insert(*dependent) {
                todo.push(*dependent);
            }
        }
    }
    Ok(events)
}

/// The end of an attempt that no agent has been asked for yet, or that a person has: there is nobody to call off.
pub fn withdrawn(state: &State, task: TaskId) -> Option<Event> {
    let row = &state.tasks.table[task.index()];
    let agent_id = row.agent?;
    let unasked = row.phase == Phase::Assigned && state.outstanding.is_preparing(task);
    (unasked || state.is_person(agent_id)).then(|| {
        AttemptEnded {
            task_id: task,
            agent_id,
            attempt: row.attempt,
            end: AttemptEnd::Cancelled,
        }
        .into()
    })
}

/// The end of one task, whatever it is about.
pub fn cancelled(state: &State, task: TaskId, by: &str) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    if row.phase.is_over() {
        return Vec::new();
    }
    let mut events: Vec<Event> = Vec::new();
    if let Some(blocker) = row.blocker {
        events.push(
            BlockerResolved {
                blocker,
                by: by.to_owned(),
                answer: String::new(),
            }
            .into(),
        );
    }
    events.extend(withdrawn(state, task));
    events.push(
        TaskCancelled {
            task_id: task,
            by: by.to_owned(),
            dropped: false,
        }
        .into(),
    );
    events
}

/// Decides about giving a task to another agent.
pub fn reassign(state: &State, task: TaskId, to: Option<AgentId>, by: &str) -> Answer {
    let row = state.tasks.get(task).ok_or(Rejection::NoTask)?;
    going(state, row.sprint)?;
    let movable = matches!(
        row.phase,
        Phase::Waiting
            | Phase::Ready
            | Phase::Backoff(_)
            | Phase::Assigned
            | Phase::Working
            | Phase::Blocked
    );
    if !movable {
        return Err(Rejection::TaskState {
            task: row.spec.id.to_string(),
            state: row.phase.as_str(),
            hint: "only a task that waits or is being worked on can go to another agent",
        });
    }
    if let Some(to) = to {
        let agent = state.team.get(to).ok_or_else(|| Rejection::NoAgent {
            agent: format!("#{to}"),
        })?;
        if agent.retired {
            return Err(Rejection::NoAgent {
                agent: agent.name.to_string(),
            });
        }
        if !state.team.is_able(to, row.role, &row.spec.kind) {
            return Err(Rejection::NotAble {
                agent: agent.name.to_string(),
                task: row.spec.id.to_string(),
                kind: row.spec.kind.clone(),
            });
        }
    }
    let mut events: Vec<Event> = Vec::from_iter(withdrawn(state, task));
    events.push(
        TaskReassigned {
            task_id: task,
            to,
            by: by.to_owned(),
        }
        .into(),
    );
    if let Some(blocker) = row.blocker {
        events.push(
            BlockerResolved {
                blocker,
                by: by.to_owned(),
                answer: String::new(),
            }
            .into(),
        );
    }
    Ok(events)
}

/// Decides about a delivery that has been made.
pub fn delivered(state: &State, id: SprintId, commit: &str, by: &str) -> Answer {
    let sprint = sprint(state, id)?;
    if !matches!(sprint.stage, Stage::Ended(_)) {
        return Err(Rejection::SprintState {
            sprint: sprint.spec.id.to_string(),
            state: sprint.state(),
            hint: "deliver it when it has ended",
        });
    }
    Ok(vec![
        SprintDelivered {
            sprint_id: id,
            commit: commit.to_owned(),
            by: by.to_owned(),
        }
        .into(),
    ])
}

/// Decides about an action item of a retrospective; one that is accepted already stays as it is.
pub fn accept(state: &State, id: SprintId, action: &str, text: &str, by: &str) -> Answer {
    let sprint = sprint(state, id)?;
    if sprint.accepted.contains_key(action) {
        return Ok(Vec::new());
    }
    Ok(vec![
        ActionAccepted {
            sprint_id: id,
            action: action.to_owned(),
            text: text.to_owned(),
            by: by.to_owned(),
        }
        .into(),
    ])
}

/// Decides about a forecast that somebody wants to be held to: of a sprint that is not over.
pub fn forecast(state: &State, id: SprintId, forecast: &Forecast, by: &str) -> Answer {
    going(state, id)?;
    let Forecast {
        runs,
        seed,
        done_probability,
        p50,
        p85,
        p95,
        cost,
    } = *forecast;
    Ok(vec![
        ForecastRecorded {
            sprint_id: id,
            runs,
            seed,
            done_probability,
            p50,
            p85,
            p95,
            cost,
            by: by.to_owned(),
        }
        .into(),
    ])
}
