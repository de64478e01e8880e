//! Attempts: what agents say about them, and what their deaths mean.
//!
//! The attempt's number is the fence: what does not carry the current one is turned away. An agent that says
//! it is done has only reported; gates and the merge decide (`follow`).

use director_protocols::event::{
    AgentDown, AgentUp, AttemptEnded, AttemptStarted, Event, LivenessChanged, RoleLost,
    SessionOpened,
};
use director_protocols::ids::{AgentId, Attempt, EffectId, Generation, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::time::Time;
use director_protocols::work::AttemptEnd;

use super::{Answer, block, message, retry, spend};
use crate::engine::accounts;
use crate::engine::effects::Effect;
use crate::engine::state::State;
use crate::engine::tasks::Task;

/// The task, if `attempt` is its current one and an agent has it.
pub(super) fn current(
    state: &State,
    task: TaskId,
    attempt: Attempt,
) -> Result<(&Task, AgentId), Rejection> {
    let row = state.tasks.get(task).ok_or(Rejection::NoTask)?;
    match row.agent {
        Some(agent) if row.attempt == attempt => Ok((row, agent)),
        _ => Err(Rejection::StaleAttempt {
            task: row.spec.id.to_string(),
            given: attempt,
            current: row.attempt,
        }),
    }
}

/// Decides about an agent that began.
pub fn started(state: &State, effect: EffectId, task: TaskId, attempt: Attempt) -> Answer {
    current(state, task, attempt)?;
    match state.outstanding.get(effect) {
        Some(Effect::Assign {
            task: t,
            attempt: a,
            ..
        }) if (*t, *a) == (task, attempt) => Ok(vec![
            AttemptStarted {
                effect,
                task_id: task,
                attempt,
            }
            .into(),
        ]),
        _ => Err(Rejection::StaleEffect { effect }),
    }
}

/// Decides about a session that can be resumed.
pub fn session(state: &State, task: TaskId, attempt: Attempt, session: &str) -> Answer {
    let (row, _) = current(state, task, attempt)?;
    let known = row.story.as_ref().and_then(|story| story.session.as_ref());
    if known.is_some_and(|(_, known)| known == session) {
        return Ok(Vec::new());
    }
    Ok(vec![
        SessionOpened {
            task_id: task,
            attempt,
            session: session.to_owned(),
        }
        .into(),
    ])
}

/// Decides about a change in the signs of life.
pub fn liveness(state: &State, task: TaskId, attempt: Attempt, word: &str) -> Answer {
    current(state, task, attempt)?;
    Ok(vec![
        LivenessChanged {
            task_id: task,
            attempt,
            state: word.to_owned(),
        }
        .into(),
    ])
}

/// Decides about the end of an attempt.
pub fn ended(state: &State, task: TaskId, attempt: Attempt, end: &AttemptEnd, now: Time) -> Answer {
    let (_, agent) = current(state, task, attempt)?;
    ended_of(state, task, attempt, agent, end, now)
}

/// The same for an attempt that is known to be `agent`'s.
pub fn ended_of(
    state: &State,
    task: TaskId,
    attempt: Attempt,
    agent: AgentId,
    end: &AttemptEnd,
    now: Time,
) -> Answer {
    let row = &state.tasks.table[task.index()];
    let failed = match row.phase.is_in_hand() {
        true => spend::end_of(state, task, agent, end),
        false => None,
    };
    let end = failed.as_ref().unwrap_or(end);
    let mut events: Vec<Event> = vec![
        AttemptEnded {
            task_id: task,
            agent_id: agent,
            attempt,
            end: end.clone(),
        }
        .into(),
    ];
    // Called off meanwhile: how it ended changes nothing any more.
    if !row.phase.is_in_hand() {
        return Ok(events);
    }
    match end {
        AttemptEnd::Done(_)
        | AttemptEnd::BudgetReached
        | AttemptEnd::Cancelled
        | AttemptEnd::Interrupted => {}
        AttemptEnd::Blocked(blocker) => {
            events.extend(block::by_agent(state, task, agent, blocker, now));
        }
        AttemptEnd::Failed { reason, .. } => {
            events.push(retry::after_failure(state, task, reason, now));
        }
        AttemptEnd::TimedOut { reason } => {
            let reason = format!("timed out: {reason}");
            events.push(retry::after_failure(state, task, &reason, now));
        }
        AttemptEnd::Limited { reason, until } => {
            let role = &state.team.roles[state.team.agents[agent.index()].role.index()];
            events.extend(accounts::turned_away(
                state,
                task,
                role,
                (reason, *until),
                now,
            ));
        }
        AttemptEnd::Died { reason } => {
            events.push(retry::after_death(state, task, agent, reason, now));
        }
    }
    Ok(events)
}

/// Decides about an incarnation that takes messages.
pub fn agent_up(state: &State, agent: AgentId, generation: Generation) -> Answer {
    let row = known(state, agent)?;
    if row.up && generation <= row.generation {
        return Ok(Vec::new());
    }
    Ok(vec![
        AgentUp {
            agent_id: agent,
            generation,
        }
        .into(),
    ])
}

/// Decides about an incarnation that is gone. What it had in hand died with it.
pub fn agent_down(
    state: &State,
    agent: AgentId,
    generation: Generation,
    reason: &str,
    in_hand: Option<(TaskId, Attempt)>,
    now: Time,
) -> Answer {
    let row = known(state, agent)?;
    if !row.up || generation != row.generation {
        return Err(Rejection::StaleGeneration {
            agent: row.name.to_string(),
        });
    }
    let mut events = Vec::new();
    if let Some((task, attempt)) = in_hand {
        let end = AttemptEnd::Died {
            reason: reason.to_owned(),
        };
        // An attempt that was over already has been dealt with; another's is not this agent's to end.
        if state
            .tasks
            .get(task)
            .is_some_and(|row| row.agent == Some(agent))
        {
            events.extend(ended(state, task, attempt, &end, now).unwrap_or_default());
        }
    }
    events.push(
        AgentDown {
            agent_id: agent,
            generation,
            reason: reason.to_owned(),
        }
        .into(),
    );
    Ok(events)
}

/// Decides about a role that used up its restarts.
pub fn role_lost(state: &State, role: &str, reason: &str) -> Answer {
    match state.team.by_role.get(role) {
        None => Err(Rejection::NoAgent {
            agent: role.to_owned(),
        }),
        Some(id) if state.team.roles[id.index()].lost => Ok(Vec::new()),
        Some(id) => {
            let agents = &state.team.roles[id.index()].agents;
            let mut events: Vec<Event> = agents
                .iter()
                .flat_map(|agent| taken_down(state, *agent, reason))
                .collect();
            events.push(
                RoleLost {
                    role: role.to_owned(),
                    reason: reason.to_owned(),
                }
                .into(),
            );
            Ok(events)
        }
    }
}

/// What the loss of its role means for an agent: what it had in hand is nobody's fault, and nobody waits for it.
fn taken_down(state: &State, id: AgentId, reason: &str) -> Vec<Event> {
    let agent = &state.team.agents[id.index()];
    let mut events: Vec<Event> = Vec::new();
    events.extend(interrupted(state, id));
    if agent.up {
        events.push(
            AgentDown {
                agent_id: id,
                generation: agent.generation,
                reason: reason.to_owned(),
            }
            .into(),
        );
    }
    events.extend(message::unanswerable(state, id));
    events
}

/// The end of what the agent has in hand, through no fault of its own.
pub fn interrupted(state: &State, agent_id: AgentId) -> Option<Event> {
    let task_id = state.team.agents[agent_id.index()].task?;
    Some(
        AttemptEnded {
            task_id,
            agent_id,
            attempt: state.tasks.table[task_id.index()].attempt,
            end: AttemptEnd::Interrupted,
        }
        .into(),
    )
}

fn known(state: &State, agent: AgentId) -> Result<&crate::engine::team::Agent, Rejection> {
    state.team.get(agent).ok_or_else(|| Rejection::NoAgent {
        agent: format!("#{agent}"),
    })
}
