//! What outside parties send, and what each of it does.
//!
//! Each is journalled as it was sent, before what follows from it.
//!
//! | event | what it does |
//! |---|---|
//! | `agent_task_completed` | ends the attempt of the agent that has the task; the gates decide |
//! | `agent_blocked` | ends it as held up, and the ladder begins |
//! | `qa_testing_required` | sends the package, or says what is missing (`handoff`) |
//! | `devops_deployment_ready` | the same, after window and readiness where the file says how it is deployed (`deploy`) |
//! | `product_requirements_changed` | changes the scope (`scope`) |
//! | `critical_bug_discovered` | adds a linked, ranked `bug_fix`; one that is critical is an emergency until it is mended |

use director_protocols::event::TaskAdded;
use director_protocols::ids::{Name, SprintId, TaskId};
use director_protocols::origin::Origin;
use director_protocols::outside::Outside;
use director_protocols::rejection::Rejection;
use director_protocols::scope::NewTask;
use director_protocols::severity::Severity;
use director_protocols::sprint::Priority;
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, BlockerReport, Report};

use super::{Answer, attempt, scope};
use crate::engine::state::State;

/// The kind of task that mends a bug.
const BUG_FIX: &str = "bug_fix";

/// Decides about something that an outside party says about a sprint.
pub fn said(state: &State, id: SprintId, what: &Outside, by: &str, now: Time) -> Answer {
    let sprint = state.sprints.get(id).ok_or(Rejection::NoSprint)?;
    scope::takes_work(sprint)?;
    let follows = follows(state, id, what, by, now)?;
    let mut events = vec![what.event(id, by)];
    events.extend(follows);
    Ok(events)
}

/// What follows from it.
fn follows(state: &State, id: SprintId, what: &Outside, by: &str, now: Time) -> Answer {
    match what {
        Outside::AgentTaskCompleted {
            task_id,
            hours_spent,
            summary,
        } => {
            let end = AttemptEnd::done(Report {
                summary: summary.clone(),
                hours_spent: hours_spent.and_then(Span::from_hours),
                ..Report::default()
            });
            ended(state, id, task_id, &end, now)
        }
        Outside::AgentBlocked {
            task_id,
            blocker_type,
            severity,
            text,
        } => {
            let end = AttemptEnd::Blocked(BlockerReport {
                kind: blocker_type.clone(),
                severity: *severity,
                text: text.clone(),
            });
            ended(state, id, task_id, &end, now)
        }
        Outside::ProductRequirementsChanged(change) => scope::changed(state, id, change, by),
        Outside::CriticalBugDiscovered {
            task,
            found_in,
            severity,
        } => bug(state, id, task, found_in.as_ref(), *severity, by),
        Outside::QaTestingRequired { .. } | Outside::DevopsDeploymentReady { .. } => {
            super::handoff::asked(state, id, what, by, now)
        }
    }
}

fn known(state: &State, id: SprintId, name: &Name) -> Result<TaskId, Rejection> {
    let found = state.sprints.table[id.index()].by_name.get(name).copied();
    found.ok_or(Rejection::NoTask)
}

/// The end of the attempt that somebody has in hand.
fn ended(state: &State, id: SprintId, task: &Name, end: &AttemptEnd, now: Time) -> Answer {
    let task = known(state, id, task)?;
    let row = &state.tasks.table[task.index()];
    if !row.phase.is_in_hand() {
        return Err(Rejection::TaskState {
            task: row.spec.id.to_string(),
            state: row.phase.as_str(),
            hint: "nobody has it in hand; `director why` tells where it is",
        });
    }
    attempt::ended(state, task, row.attempt, end, now)
}

/// A bug becomes a task, linked to where it was found and ranked by how bad it is.
fn bug(
    state: &State,
    id: SprintId,
    task: &NewTask,
    found_in: Option<&Name>,
    severity: Severity,
    by: &str,
) -> Answer {
    let of = found_in.map(|name| known(state, id, name)).transpose()?;
    let row = &state.sprints.table[id.index()];
    if row.by_name.contains_key(&task.id) {
        return Err(Rejection::BadSprint {
            sprint: row.spec.id.to_string(),
            why: format!("there is a task `{}` already", task.id),
        });
    }
    let mut task = task.clone();
    task.kind = Some(task.kind.unwrap_or_else(|| BUG_FIX.to_owned()));
    task.severity = Some(severity);
    task.priority = match severity {
        Severity::Low => Priority::Low,
        Severity::Medium => Priority::Normal,
        Severity::High => Priority::High,
        Severity::Critical => Priority::Critical,
    };
    let dependencies: Result<Vec<TaskId>, Rejection> = task
        .depends_on
        .iter()
        .map(|name| known(state, id, name))
        .collect();
    let task_id = TaskId(state.tasks.table.len() as u32);
    Ok(vec![
        TaskAdded {
            task_id,
            sprint_id: id,
            dependencies: dependencies?,
            spec: scope::spec_of(state, id, &task)?.into(),
            origin: Origin::Bug { task_id: of },
            by: by.to_owned(),
        }
        .into(),
    ])
}
