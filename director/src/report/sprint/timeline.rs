//! The plan beside what happened, task by task, and what all tasks were doing over time.
//!
//! Planned hours are working hours from the start, as the planner has them; the others are hours of time since work
//! began. An agent has no nights, so the two are laid over each other.

use director_protocols::ids::TaskId;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};
use schemars::JsonSchema;
use serde::Serialize;

use super::facts::Facts;
use crate::engine::sprints::Sprint;
use crate::engine::state::State;
use crate::engine::tasks::Task;
use crate::planner;
use crate::view::{hours, rfc3339};

/// A task's plan and its pieces of time.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct TimelineRow {
    /// The task.
    pub task: String,
    /// When it was to begin and to be done, in working hours from the start; `null` for the backlog.
    pub planned_hours: Option<[f64; 2]>,
    /// What happened, in order.
    pub pieces: Vec<TimelinePiece>,
}

/// A piece of a task's time.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct TimelinePiece {
    /// From, in hours since work began.
    pub from_hours: f64,
    /// To.
    pub to_hours: f64,
    /// `worked`: it was accepted, or waits for that; `tried`: it was not; `at_work`; `waited`, for acceptance or for an answer.
    pub state: &'static str,
    /// Who had it.
    pub agent: Option<String>,
}

/// How many tasks did what from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct FlowPoint {
    /// When.
    pub at: String,
    /// Waited for other tasks, an agent or the next attempt.
    pub waiting: u32,
    /// Were in an agent's hands.
    pub in_hand: u32,
    /// Were reported and not yet accepted, or blocked.
    pub held: u32,
    /// Were completed.
    pub completed: u32,
    /// Were given up.
    pub dropped: u32,
}

/// The sprint as it was submitted, with all its tasks.
pub(super) fn spec_of(state: &State, row: &Sprint) -> SprintSpec {
    let mut spec = (*row.spec).clone();
    let tasks = row.tasks().filter_map(|task| state.tasks.get(task));
    let tasks = tasks.filter(|task| !task.is_help());
    spec.tasks = tasks.map(|task| task.spec.clone()).collect();
    spec
}

/// A row for each task, in file order; none before work began.
pub(super) fn timeline(
    state: &State,
    row: &Sprint,
    tasks: &[(TaskId, &Task)],
    facts: &Facts,
    now: Time,
) -> Vec<TimelineRow> {
    let Some(began) = row.began else {
        return Vec::new();
    };
    let until = row.ended.unwrap_or(now);
    // What was submitted could be planned; a sprint that was changed since may not be any more.
    let plan = planner::plan(&spec_of(state, row)).ok();
    let since = |at: Time| hours(at.since(began));
    (0u32..)
        .zip(tasks)
        .map(|(place, (id, task))| {
            let slot = plan.as_ref().and_then(|plan| plan.schedule.slot(place));
            let mut pieces: Vec<TimelinePiece> = facts
                .tries
                .get(id)
                .into_iter()
                .flatten()
                .map(|row| TimelinePiece {
                    from_hours: since(row.from),
                    to_hours: since(row.to.unwrap_or(until)),
                    state: match row.end {
                        "" => "at_work",
                        "done" if stands(facts, *id, row.to) => "worked",
                        _ => "tried",
                    },
                    agent: Some(state.agent_name(row.agent)),
                })
                .collect();
            let waits = facts.judged.get(id).into_iter().flatten().copied();
            let blocked = facts.blockers.values().filter(|hold| hold.task == *id);
            let blocked = blocked.map(|hold| (hold.raised, hold.resolved));
            for (from, to) in waits.chain(blocked) {
                let to = to.or(task.finished).unwrap_or(until);
                if to > from {
                    pieces.push(TimelinePiece {
                        from_hours: since(from),
                        to_hours: since(to),
                        state: "waited",
                        agent: None,
                    });
                }
            }
            pieces.sort_by(|a, b| a.from_hours.total_cmp(&b.from_hours));
            TimelineRow {
                task: task.spec.id.to_string(),
                planned_hours: slot.map(|slot| [slot.start, slot.finish].map(|ms| hours(Span(ms)))),
                pieces,
            }
        })
        .collect()
}

/// Whether what was reported then is accepted, or waits for that.
fn stands(facts: &Facts, task: TaskId, reported: Option<Time>) -> bool {
    let last = facts.judged.get(&task).and_then(|judged| judged.last());
    last.is_some_and(|(at, until)| {
        Some(*at) == reported && (until.is_none() || facts.completed.contains_key(&task))
    })
}

/// The most moments that the flow keeps; of more, only every so many.
const FLOW_MAX: usize = 1000;

/// What all tasks were doing, after each change.
pub(super) fn flow(facts: &Facts) -> Vec<FlowPoint> {
    let step = facts.flow.len().div_ceil(FLOW_MAX).max(1);
    let last = facts.flow.len().saturating_sub(1);
    facts
        .flow
        .iter()
        .enumerate()
        .filter(|(place, _)| place % step == 0 || *place == last)
        .map(|(_, point)| point)
        .map(|(at, doing)| FlowPoint {
            at: rfc3339(*at),
            waiting: doing.waiting,
            in_hand: doing.in_hand,
            held: doing.held,
            completed: doing.completed,
            dropped: doing.dropped,
        })
        .collect()
}
