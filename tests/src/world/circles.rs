//! Circles: whether anybody waits for what can only come once they have stopped waiting.
//!
//! Counted anew from the state, in the other direction than the engine does it: what moves by itself is marked first, then whatever only
//! waits for what is marked. An agent that asked and is never marked stands in a circle.

use std::collections::BTreeSet;

use director::engine::decide::emergency;
use director::engine::judging::Judging;
use director::engine::state::State;
use director::engine::tasks::{Phase, Task};
use director::engine::waits::Asked;
use director_protocols::ids::{AgentId, TaskId};
use director_protocols::origin::Origin;

/// Everything that comes to an end.
#[derive(Default)]
struct Moving {
    agents: BTreeSet<AgentId>,
    tasks: BTreeSet<TaskId>,
}

/// An agent that waits for ever as things are, in words; nothing if there is none.
pub(super) fn who_waits_for_ever(state: &State) -> Option<String> {
    if state.messages.waits.is_empty() {
        return None;
    }
    let mut moving = Moving::default();
    loop {
        let before = (moving.agents.len(), moving.tasks.len());
        for id in (0..state.team.agents.len() as u32).map(AgentId) {
            let moves = match state.messages.waits.get(&id) {
                None => true,
                Some((_, Asked::Agent(to))) => moving.agents.contains(to),
                Some((_, Asked::Taker(task))) => moving.tasks.contains(task),
            };
            if moves {
                moving.agents.insert(id);
            }
        }
        for (id, row) in (0u32..).map(TaskId).zip(&state.tasks.table) {
            if moves(state, &moving, id, row) {
                moving.tasks.insert(id);
            }
        }
        if (moving.agents.len(), moving.tasks.len()) == before {
            break;
        }
    }
    let mut waiting = state.messages.waits.iter();
    let (agent, (_, asked)) = waiting.find(|(agent, _)| !moving.agents.contains(agent))?;
    Some(format!(
        "{} waits for {asked:?} and can never go on",
        state.agent_name(*agent)
    ))
}

fn moves(state: &State, moving: &Moving, id: TaskId, row: &Task) -> bool {
    if let Some(agent) = row.agent {
        return moving.agents.contains(&agent);
    }
    let sprint = &state.sprints.table[row.sprint.index()];
    match row.phase {
        Phase::Waiting => row.depends_on.iter().all(|dep| {
            state.tasks.table[dep.index()].phase == Phase::Completed || moving.tasks.contains(dep)
        }),
        Phase::Ready | Phase::Backoff(_) => {
            if !sprint.is_running() || sprint.paused || sprint.cancelled {
                return true;
            }
            let holder = state.tasks.features[row.feature.index()].holder;
            let free = holder.is_none_or(|holder| holder == id || moving.tasks.contains(&holder));
            let urgent = sprint.emergency.is_none_or(|what| {
                what.task == id
                    || moving.tasks.contains(&what.task)
                    || emergency::is_urgent(row, id, &emergency::wants(state, what.task))
            });
            let role = &state.team.roles[row.role.index()];
            let able: Vec<AgentId> = role
                .active()
                .filter(|agent| row.wanted.is_none_or(|wanted| wanted == *agent))
                .filter(|agent| !row.avoid.contains(agent))
                .collect();
            let place = role.lost
                || able.is_empty()
                || able.iter().any(|agent| moving.agents.contains(agent));
            free && urgent && place
        }
        Phase::Reviewing => {
            let judged = row.story.iter().flat_map(|story| &story.judged);
            let mut asked = judged.filter(|(_, judging)| **judging == Judging::Agent);
            asked.all(|(gate, _)| {
                let mut helps = (0u32..).map(TaskId).zip(&state.tasks.table);
                helps.any(|(help, other)| {
                    let ours = matches!(
                        other.origin.as_deref(),
                        Some(Origin::Gate { task_id, gate: of, .. }) if *task_id == id && of == gate
                    );
                    ours && !other.phase.is_over() && moving.tasks.contains(&help)
                })
            })
        }
        // Whoever is asked answers, or a deadline passes; the others are on their way, over, or a person's.
        _ => true,
    }
}
