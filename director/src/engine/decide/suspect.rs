//! Suspects: tasks that were at work each time when the director ended without a stop. One of them may have ended it, by a kill or by all the
//! memory that there was.
//!
//! Nobody sees who ended a director, and a power cut looks the same. So a task that was at work at as many such ends in a row as it may kill
//! agents is tried alone: when no other attempt is in hand, and after everything else that can be done. That costs an innocent one some time.
//! One during which the director ends [`ALONE_MAX`] times in a row, with nothing else at work, is quarantined. An attempt that ends in any other
//! way clears it.
//!
//! Invariant: no task is quarantined for an end of the director at which anything else was at work.

use director_protocols::event::{AttemptCut, Event, TaskQuarantined};
use director_protocols::ids::{AgentId, TaskId};
use serde::Serialize;

use crate::engine::effects::Effect;
use crate::engine::state::State;
use crate::engine::tasks::Phase;

/// So often in a row the director may end while a suspect alone is at work.
pub const ALONE_MAX: u32 = 3;

/// How often in a row the director ended without a stop while a task was at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cuts {
    /// All of them.
    pub ends: u32,
    /// The last of them, at which nothing else was at work.
    pub alone: u32,
}

/// What the end of the director before means for the tasks that were at work: it did not end in order, or none would be.
pub fn cut(state: &State) -> Vec<Event> {
    let at_work: Vec<TaskId> = in_hand(state)
        .filter(|task| state.tasks.table[task.index()].phase == Phase::Working)
        .collect();
    let alone = in_hand(state).count() == 1 && !runs_commands(state);
    let event = |task_id: TaskId| {
        AttemptCut {
            task_id,
            attempt: state.tasks.table[task_id.index()].attempt,
            alone,
        }
        .into()
    };
    at_work.into_iter().map(event).collect()
}

/// What follows once such an attempt is over: a task that was alone often enough is given to nobody any more.
pub fn quarantined(state: &State, task_id: TaskId) -> Option<Event> {
    let Cuts { ends, alone } = *state.cuts.get(&task_id)?;
    (is_suspect(state, task_id) && alone >= ALONE_MAX).then(|| {
        TaskQuarantined {
            task_id,
            evidence: vec![format!(
                "the director ended without a stop {ends} times in a row while it was at work, the last {alone} of them with nothing else at work: it may kill what started it, or take all the memory there is"
            )],
        }
        .into()
    })
}

/// Whether a task has to be tried alone.
pub fn is_suspect(state: &State, task: TaskId) -> bool {
    let Some(cuts) = state.cuts.get(&task) else {
        return false;
    };
    let sprint = state.tasks.table[task.index()].sprint;
    let policy = &state.sprints.table[sprint.index()].spec.policy;
    cuts.ends >= policy.deaths_max.max(1)
}

/// Whether a suspect is at work, beside which nothing is begun.
pub fn is_at_work(state: &State) -> bool {
    let mut known = state.cuts.keys();
    known.any(|task| {
        let agent = state.tasks.table[task.index()].agent;
        agent.is_some() && is_suspect(state, *task)
    })
}

/// Whether a suspect may begin: nothing else is at work.
pub fn may_begin(state: &State) -> bool {
    !state.cuts.is_empty() && in_hand(state).next().is_none() && !runs_commands(state)
}

/// What agents have in hand; people are left out, whom nobody can kill.
fn in_hand(state: &State) -> impl Iterator<Item = TaskId> {
    let agents = (0..state.team.agents.len() as u32).map(AgentId);
    agents
        .filter(|agent| !state.is_person(*agent))
        .filter_map(|agent| state.team.agents[agent.index()].task)
}

/// Whether the gatekeeper runs something.
fn runs_commands(state: &State) -> bool {
    state.outstanding.iter().any(|(_, effect)| {
        matches!(
            effect,
            Effect::CheckBase { .. }
                | Effect::RunGates { .. }
                | Effect::CheckReadiness { .. }
                | Effect::Probe { .. }
        )
    })
}
