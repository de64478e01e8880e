//! Lessons: what the facts of a sprint say that the next one should do otherwise.
//!
//! Each lesson has its evidence, so that it can be checked; nothing is guessed from a mood.

use director_protocols::ids::TaskId;
use director_protocols::time::Span;
use serde::Serialize;

use super::facts::Facts;
use super::metrics::Metrics;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::view::count;

/// How many tasks one lesson names.
const TASKS_NAMED_MAX: usize = 5;
/// Estimates off by more than this factor are a lesson.
const ESTIMATE_FACTOR: f64 = 2.0;
/// A role used less than this, 0 to 1, had little to do.
const IDLE_BELOW: f64 = 0.1;
/// A role used more than this, 0 to 1, held the others up.
const FULL_ABOVE: f64 = 0.85;

/// One lesson.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lesson {
    /// `retries`, `gate`, `conflict`, `death`, `blocker`, `overloaded_role`, `idle_role`, `estimate`, `not_measured`.
    pub kind: &'static str,
    /// What was found.
    pub text: String,
    /// What to try next time.
    pub suggestion: String,
    /// The tasks that show it.
    pub tasks: Vec<String>,
}

/// What can be learned.
pub(super) fn lessons(
    state: &State,
    tasks: &[(TaskId, &Task)],
    facts: &Facts,
    metrics: &Metrics,
) -> Vec<Lesson> {
    let mut found = Vec::new();
    let mut add = |kind, text: String, suggestion: String, ids: Vec<TaskId>| {
        let tasks = ids.iter().map(|id| state.task_name(*id)).collect();
        found.push(Lesson {
            kind,
            text,
            suggestion,
            tasks,
        });
    };
    let named = |ids: &[TaskId]| {
        let names: Vec<String> = ids
            .iter()
            .take(TASKS_NAMED_MAX)
            .map(|id| state.task_name(*id))
            .collect();
        match ids.len().saturating_sub(TASKS_NAMED_MAX) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    };

    let again: Vec<TaskId> = facts
        .attempts
        .iter()
        .filter(|(_, times)| **times > 1)
        .map(|(id, _)| *id)
        .collect();
    if !again.is_empty() {
        add(
            "retries",
            format!(
                "{} needed more than one attempt ({} in all): {}",
                count(again.len(), "task"),
                facts.retries() + again.len() as u32,
                named(&again)
            ),
            "make them smaller, or say in `description` and `acceptance` what the first attempt missed"
                .to_owned(),
            again,
        );
    }
    for (gate, verdicts) in &metrics.gates {
        if verdicts.failed > 0 {
            let ids: Vec<TaskId> = facts
                .red
                .iter()
                .filter(|(_, gates)| gates.contains(gate))
                .map(|(id, _)| *id)
                .collect();
            add(
                "gate",
                format!(
                    "gate `{gate}` failed {} of {} times: {}",
                    verdicts.failed,
                    verdicts.failed + verdicts.passed,
                    named(&ids)
                ),
                format!(
                    "let agents run the command of `{gate}` before they report, by naming it in their prompt"
                ),
                ids,
            );
        }
    }
    let silent: Vec<&str> = metrics
        .gates
        .iter()
        .filter(|(_, verdicts)| verdicts.not_measured > 0 && verdicts.passed + verdicts.failed == 0)
        .map(|(gate, _)| gate.as_str())
        .collect();
    if !silent.is_empty() {
        add(
            "not_measured",
            format!("nothing measured: {}", silent.join(", ")),
            "give these gates a `run` command under [gates], or switch them off".to_owned(),
            Vec::new(),
        );
    }
    let conflicting: Vec<TaskId> = facts.conflicts.keys().copied().collect();
    if !conflicting.is_empty() {
        let mut files: Vec<&str> = facts
            .conflicts
            .values()
            .flat_map(|(_, files)| files.iter().map(String::as_str))
            .collect();
        files.sort_unstable();
        files.dedup();
        files.truncate(TASKS_NAMED_MAX);
        add(
            "conflict",
            format!(
                "{} did not merge at once, in {}",
                named(&conflicting),
                files.join(", ")
            ),
            "let tasks that touch the same files share a `feature`, or depend on each other"
                .to_owned(),
            conflicting,
        );
    }
    if !facts.deaths.is_empty() {
        let mut ids: Vec<TaskId> = facts
            .deaths
            .iter()
            .filter_map(|(_, task, _)| *task)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        add(
            "death",
            format!(
                "{} died at work, at {}",
                count(facts.deaths.len(), "agent"),
                named(&ids)
            ),
            "look at `director logs` of these tasks: memory, limits, the program itself".to_owned(),
            ids,
        );
    }
    held_up(state, facts, &mut add);
    for (role, used) in &metrics.utilization {
        if *used > FULL_ABOVE {
            add(
                "overloaded_role",
                format!("{role} was in use {:.0}% of the time", used * 100.0),
                format!("one more {role} would shorten the sprint if tasks waited for it"),
                Vec::new(),
            );
        }
        let had_work = tasks
            .iter()
            .any(|(_, task)| task.spec.role.as_str() == role);
        if *used > 0.0 && *used < IDLE_BELOW && had_work {
            add(
                "idle_role",
                format!("{role} was in use {:.0}% of the time", used * 100.0),
                format!("let {role} take over other kinds of task (`covers`)"),
                Vec::new(),
            );
        }
    }
    let pace = metrics.pace.unwrap_or(1.0);
    let off = |factor: f64| {
        factor.is_finite() && !(1.0 / ESTIMATE_FACTOR..=ESTIMATE_FACTOR).contains(&factor)
    };
    // Commands that take seconds say nothing about hours of people's work.
    if off(pace) && pace >= 0.01 {
        add(
            "estimate",
            format!("work took {:.0}% of what was estimated", pace * 100.0),
            format!("multiply estimates by {pace:.2} to see when a sprint will really be done"),
            Vec::new(),
        );
    }
    for (kind, cycle) in &metrics.cycle_hours {
        let factor = cycle.worked / cycle.estimated / pace;
        if cycle.tasks > 1 && off(factor) {
            add(
                "estimate",
                format!("{kind} took {factor:.1} times as long as other work of the same estimate"),
                format!("multiply estimates of {kind} by {factor:.1}"),
                Vec::new(),
            );
        }
    }
    found
}

/// The blockers that took longest.
fn held_up(
    state: &State,
    facts: &Facts,
    add: &mut impl FnMut(&'static str, String, String, Vec<TaskId>),
) {
    let mut held: Vec<(Span, TaskId, &str)> = facts
        .blockers
        .iter()
        .filter_map(|(id, (raised, resolved))| {
            let row = state.trouble.blocker(*id)?;
            Some(((*resolved)?.since(*raised), row.task, row.kind.as_str()))
        })
        .collect();
    held.sort_by_key(|(span, task, _)| (std::cmp::Reverse(*span), *task));
    if let Some((longest, task, kind)) = held.first() {
        let ids = held.iter().map(|(_, task, _)| *task).collect();
        add(
            "blocker",
            format!(
                "{} held work up, the longest {longest} ({kind} at {})",
                count(held.len(), "blocker"),
                state.task_name(*task)
            ),
            "answer what was asked in the task's description beforehand".to_owned(),
            ids,
        );
    }
}

/// What remains for the next sprint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Remaining {
    /// The task.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Its status.
    pub status: String,
    /// Why it is not completed.
    pub reason: String,
    /// Story points.
    pub points: u32,
    /// Its estimate, in hours.
    pub estimated_hours: f64,
    /// Refs that hold what was done so far.
    pub salvaged: Vec<String>,
}

/// Every task that is not completed, with the reason.
pub(super) fn next_sprint(state: &State, tasks: &[(TaskId, &Task)]) -> Vec<Remaining> {
    tasks
        .iter()
        .filter(|(_, task)| task.phase != Phase::Completed)
        .map(|(_, task)| {
            let story = task.story.as_deref();
            let reason = story.map_or("", |story| story.reason.as_str());
            Remaining {
                id: task.spec.id.to_string(),
                title: task.spec.title.clone(),
                status: task.phase.as_str().to_owned(),
                reason: match (task.phase, reason) {
                    (Phase::Waiting, _) => {
                        let before: Vec<String> = task
                            .depends_on
                            .iter()
                            .filter(|id| {
                                let row = state.tasks.get(**id);
                                row.is_some_and(|row| row.phase != Phase::Completed)
                            })
                            .map(|id| state.task_name(*id))
                            .collect();
                        format!("waited for {}", before.join(", "))
                    }
                    (Phase::Blocked, _) => task
                        .blocker
                        .and_then(|id| state.trouble.blocker(id))
                        .map_or_else(String::new, |blocker| format!("blocked: {}", blocker.text)),
                    (phase, "") => format!("still {}", phase.as_str()),
                    (_, reason) => reason.to_owned(),
                },
                points: task.spec.points,
                estimated_hours: crate::view::hours(task.spec.estimate.mean()),
                salvaged: story.map_or_else(Vec::new, |story| story.salvaged.clone()),
            }
        })
        .collect()
}
