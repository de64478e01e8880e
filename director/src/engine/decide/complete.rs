//! Completing: a task that is done, how far the sprint is with it, and what is handed on.
//!
//! Elsewhere: when a task is done is decided in `integrate` and `follow`.

use director_protocols::event::{Event, HandoffSent, SprintVelocityUpdated, TaskCompleted};
use director_protocols::ids::TaskId;

use crate::engine::state::State;

/// The event for a task that is done.
pub fn one(state: &State, task: TaskId) -> Event {
    nth(state, 1, task)
}

/// The events for tasks that are done at once.
pub fn all(state: &State, batch: &[TaskId]) -> impl Iterator<Item = Event> {
    (1..)
        .zip(batch)
        .map(|(place, task)| nth(state, place, *task))
}

fn nth(state: &State, place: u32, task: TaskId) -> Event {
    let tally = state.tasks.tally(state.tasks.table[task.index()].sprint);
    TaskCompleted {
        task_id: task,
        sprint_progress: per_mille(tally.completed + place, tally.committed),
    }
    .into()
}

fn per_mille(part: u32, whole: u32) -> u32 {
    (u64::from(part) * 1000 / u64::from(whole.max(1))) as u32
}

/// What is handed on and told once a task is done.
pub fn after(state: &State, task: TaskId, out: &mut Vec<Event>) {
    let row = &state.tasks.table[task.index()];
    let waiting = row.dependents.iter().copied();
    let waiting = waiting.filter(|to| !state.tasks.table[to.index()].phase.is_over());
    out.extend(waiting.map(|to| HandoffSent { from: task, to }.into()));
    if row.spec.points > 0 {
        let tally = state.tasks.tally(row.sprint);
        let target = state.sprints.table[row.sprint.index()].spec.velocity_target;
        out.push(
            SprintVelocityUpdated {
                sprint_id: row.sprint,
                current_velocity: tally.completed_points,
                target_velocity: target.unwrap_or(tally.committed_points),
                trend: per_mille(tally.completed_points, tally.committed_points),
            }
            .into(),
        );
    }
}
