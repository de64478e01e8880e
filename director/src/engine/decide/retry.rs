//! Trying again: after a failure, after a death, and because a person says so.
//!
//! A failure costs one of the policy's attempts, with a delay that doubles; a death one of its deaths, after
//! which the task is quarantined with the evidence and its agents live on.

use director_protocols::event::{
    BlockerResolved, Event, RetryScheduled, SprintReopened, TaskCancelled, TaskFailed,
    TaskQuarantined, TaskRetried, WorkRejected,
};
use director_protocols::ids::{AgentId, SprintId, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::sprint::Policy;
use director_protocols::time::{Span, Time};

use super::Answer;
use crate::engine::sprints::Stage;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};

fn policy(state: &State, task: TaskId) -> Policy {
    let sprint = state.tasks.table[task.index()].sprint;
    state.sprints.table[sprint.index()].spec.policy
}

/// Delay before the attempt that follows `failures` failures: doubling, with a limit.
fn delay(policy: &Policy, failures: u32) -> Span {
    let doubled = 1u64 << failures.saturating_sub(1).min(20);
    Span(
        policy
            .retry_min
            .0
            .saturating_mul(doubled)
            .min(policy.retry_max.0),
    )
}

/// What follows one more failed attempt.
pub fn after_failure(state: &State, task: TaskId, reason: &str, now: Time) -> Event {
    let policy = policy(state, task);
    let story = state.tasks.table[task.index()].story.as_deref();
    let failures = story.map_or(0, |story| story.failures) + 1;
    if failures >= policy.attempts_max {
        TaskFailed {
            task_id: task,
            reason: match failures {
                1 => format!("its only attempt failed: {reason}"),
                n => format!("{n} attempts failed; the last: {reason}"),
            },
        }
        .into()
    } else {
        RetryScheduled {
            task_id: task,
            at: now + delay(&policy, failures),
        }
        .into()
    }
}

/// What follows the death of one more agent.
pub fn after_death(state: &State, task: TaskId, agent: AgentId, reason: &str, now: Time) -> Event {
    let policy = policy(state, task);
    let mut deaths = state.tasks.table[task.index()]
        .story
        .as_deref()
        .map_or_else(Vec::new, |story| story.deaths.clone());
    deaths.push(format!("{}: {reason}", state.agent_name(agent)));
    if deaths.len() as u32 >= policy.deaths_max {
        TaskQuarantined {
            task_id: task,
            evidence: deaths,
        }
        .into()
    } else {
        RetryScheduled {
            task_id: task,
            at: now + delay(&policy, deaths.len() as u32),
        }
        .into()
    }
}

/// What follows work that was not accepted.
pub fn after_rejection(state: &State, task: TaskId, reason: String, now: Time) -> Vec<Event> {
    let sprint = state.tasks.table[task.index()].sprint;
    let next = if state.sprints.table[sprint.index()].cancelled {
        TaskCancelled {
            task_id: task,
            by: "director (the sprint is cancelled)".to_owned(),
            dropped: false,
        }
        .into()
    } else {
        after_failure(state, task, &reason, now)
    };
    vec![
        WorkRejected {
            task_id: task,
            attempt: state.tasks.table[task.index()].attempt,
            reason,
            counts: true,
        }
        .into(),
        next,
    ]
}

/// Decides about a person's wish to try again.
pub fn by_hand(state: &State, task: TaskId, by: &str) -> Answer {
    let row = state.tasks.get(task).ok_or(Rejection::NoTask)?;
    let no = |hint| {
        Err(Rejection::TaskState {
            task: row.spec.id.to_string(),
            state: row.phase.as_str(),
            hint,
        })
    };
    let sprint = &state.sprints.table[row.sprint.index()];
    if sprint.stage == Stage::Refused {
        return Err(Rejection::SprintState {
            sprint: sprint.spec.id.to_string(),
            state: sprint.state(),
            hint: "mend what it was refused for and run it again",
        });
    }
    match row.phase {
        Phase::Failed
        | Phase::Quarantined
        | Phase::Cancelled
        | Phase::Deferred
        | Phase::Blocked
        | Phase::Backoff(_) => {}
        Phase::Completed => return no("completed work is not done again; add a task instead"),
        Phase::Assigned | Phase::Working => return no("cancel or reassign it first"),
        Phase::Waiting
        | Phase::Ready
        | Phase::Reported
        | Phase::Reviewing
        | Phase::Queued
        | Phase::Merging => {
            return no("it is under way; `director why` tells what it waits for");
        }
    }
    if row.is_help() && row.phase.is_over() {
        return no("it was help, and what it was for has gone on without it");
    }
    if row.agent.is_some() {
        return no("its last attempt is still being called off; try again in a moment");
    }
    if state.outstanding.is_cleaning(row.sprint) {
        return no("the sprint's worktrees are being removed; try again when they are gone");
    }
    let mut events: Vec<Event> = Vec::new();
    match sprint.stage {
        Stage::Running if !sprint.cancelled => {}
        Stage::Running | Stage::Ended(_) => events.push(
            SprintReopened {
                sprint_id: row.sprint,
            }
            .into(),
        ),
        Stage::Preparing | Stage::Refused => {
            return Err(Rejection::SprintState {
                sprint: sprint.spec.id.to_string(),
                state: sprint.state(),
                hint: "run the sprint first",
            });
        }
    }
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
    events.push(
        TaskRetried {
            task_id: task,
            by: by.to_owned(),
        }
        .into(),
    );
    Ok(events)
}

/// Whether it is for a person to say how a task goes on: it failed, is blocked or quarantined. Help is for nobody to try again.
pub fn is_stuck(task: &Task) -> bool {
    let stuck = matches!(
        task.phase,
        Phase::Failed | Phase::Quarantined | Phase::Blocked
    );
    stuck && !task.is_help()
}

/// Decides about a person's wish to try everything again that is stuck.
pub fn all_by_hand(state: &State, id: SprintId, by: &str) -> Answer {
    let sprint = state.sprints.get(id).ok_or(Rejection::NoSprint)?;
    let stuck = sprint
        .tasks()
        .filter(|task| is_stuck(&state.tasks.table[task.index()]));
    let mut events: Vec<Event> = Vec::new();
    let mut refused = None;
    for task in stuck {
        match by_hand(state, task, by) {
            Ok(more) => {
                let reopened = !events.is_empty();
                // It is opened again once.
                let more = more.into_iter();
                events.extend(
                    more.filter(|event| !(reopened && matches!(event, Event::SprintReopened(_)))),
                );
            }
            Err(no) => refused = Some(no),
        }
    }
    match (events.is_empty(), refused) {
        (false, _) => Ok(events),
        (true, Some(no)) => Err(no),
        (true, None) => Err(Rejection::SprintState {
            sprint: sprint.spec.id.to_string(),
            state: sprint.state(),
            hint: "none of its tasks failed, is blocked or quarantined",
        }),
    }
}
