//! Why a task is not running, or how it went, and what can be done about it.
//!
//! The reasons come from the state of now, the attempts from the entries of the journal. Entries that are
//! about other tasks are passed over, so all of a sprint's entries may be given.

mod reasons;
mod text;

pub use text::render;

use director_protocols::event::Event;
use director_protocols::ids::TaskId;
use director_protocols::inbox::InboxKind;
use director_protocols::time::Time;
use director_protocols::work::GateOutcome;
use schemars::JsonSchema;
use serde::Serialize;

use super::events::{changes, end};
use super::fields::sprint_name;
use super::subject::subject;
use super::words::awaited;
use super::{rfc3339, seconds};
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::handle::Entry;

/// Why a task is where it is.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct WhyView {
    /// The task.
    pub task: String,
    /// Its sprint.
    pub sprint: String,
    /// One line for people.
    pub title: String,
    /// Its status.
    pub status: String,
    /// Since when it has it.
    pub since: String,
    /// For how long, in seconds.
    pub since_seconds: f64,
    /// Why it is there; one entry per reason.
    pub reasons: Vec<Reason>,
    /// What it waits for, what that waits for, and so on, a sentence each, of several things the first; empty where that is one step.
    pub chain: Vec<String>,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptView>,
    /// The latest gates.
    pub gates: Vec<GateOutcome>,
    /// The commit of its work.
    pub commit: Option<String>,
    /// The merge commit.
    pub merged: Option<String>,
    /// Files changed, lines added and removed.
    pub changes: Option<String>,
    /// Where unfinished work is kept.
    pub salvaged: Vec<String>,
    /// What held it up, oldest first.
    pub blockers: Vec<BlockerView>,
    /// What can be done now: commands, each with what it does.
    pub next: Vec<Step>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "WhyReason")]
pub struct Reason {
    /// `dependency`, `no_agent`, `role_lost`, `account`, `avoided`, `worktree`, `suspect`, `halted`, `paused`, `emergency`, `preparing`, `refused`,
    /// `ended`, `cancelling`, `backoff`, `blocked`, `question`, `backlog`, `failed`, `quarantined`, `cancelled`,
    /// `conflict`, `rebalanced`, `merge_queue`, `merging`, `committing`, `saving`, `working` or `completed`.
    pub kind: &'static str,
    /// In words.
    pub text: String,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct AttemptView {
    /// Its number.
    pub attempt: u32,
    /// Who made it.
    pub agent: String,
    /// When it was assigned.
    pub assigned: String,
    /// When it ended; `null` while it goes on.
    pub ended: Option<String>,
    /// How long it took, or has taken, in seconds.
    pub seconds: f64,
    /// `done`, `failed`, `blocked`, `died`, `timed out`, `limited`, `cancelled`, `interrupted`; `null` while it goes on.
    pub end: Option<&'static str>,
    /// How it ended, with the reason.
    pub text: String,
    /// Why its work was not accepted.
    pub rejected: Option<String>,
    /// How many files of the task its agent had changed before, where that spoke for it.
    pub files: u32,
}

/// Something that held it up.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct BlockerView {
    /// Its number, from 1.
    pub id: u32,
    /// The tier it is or was on.
    pub severity: &'static str,
    /// What was the matter.
    pub text: String,
    /// When.
    pub raised: String,
    /// When and by whom it was resolved.
    pub resolved: Option<(String, String)>,
}

/// Something that can be done.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "WhyStep")]
pub struct Step {
    /// What to type.
    pub command: String,
    /// What it does.
    pub does: String,
}

/// Why the task is where it is; none if there is no such task. `entries` may hold other things too.
pub fn why(state: &State, entries: &[Entry], id: TaskId, now: Time) -> Option<WhyView> {
    let task = state.tasks.get(id)?;
    let story = task.story.as_deref();
    let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
    Some(WhyView {
        task: task.spec.id.to_string(),
        sprint: sprint_name(state, task.sprint),
        title: task.spec.title.clone(),
        status: task.phase.as_str().to_owned(),
        since: rfc3339(task.changed),
        since_seconds: seconds(now.since(task.changed)),
        reasons: reasons::reasons(state, id, task, now),
        chain: reasons::chain(state, id),
        attempts: attempts(state, entries, id, now),
        gates: story.map_or_else(Vec::new, |story| story.gates.clone()),
        commit: story.and_then(|story| filled(&story.commit)),
        merged: story.and_then(|story| filled(&story.merged)),
        changes: story
            .filter(|story| !story.commit.is_empty())
            .map(|story| changes(story.changes)),
        salvaged: story.map_or_else(Vec::new, |story| story.salvaged.clone()),
        blockers: (1u32..)
            .zip(&state.trouble.blockers)
            .filter(|(_, blocker)| blocker.task == id)
            .map(|(number, blocker)| BlockerView {
                id: number,
                severity: blocker.severity.as_str(),
                text: blocker.text.clone(),
                raised: rfc3339(blocker.raised),
                resolved: blocker
                    .resolved
                    .as_ref()
                    .map(|(at, by)| (rfc3339(*at), by.clone())),
            })
            .collect(),
        next: next(state, id, task),
    })
}

fn attempts(state: &State, entries: &[Entry], id: TaskId, now: Time) -> Vec<AttemptView> {
    let mut found: Vec<(Time, AttemptView)> = Vec::new();
    for entry in entries {
        for event in &entry.events {
            if !subject(event, state).tasks.contains(&id) {
                continue;
            }
            match event {
                Event::TaskAssigned(e) => found.push((
                    entry.at,
                    AttemptView {
                        attempt: e.attempt.0,
                        agent: state.agent_name(e.agent_id),
                        assigned: rfc3339(entry.at),
                        ended: None,
                        seconds: seconds(now.since(entry.at)),
                        end: None,
                        text: "under way".to_owned(),
                        rejected: None,
                        files: e.score.files,
                    },
                )),
                Event::AttemptEnded(e) => {
                    let of = found
                        .iter_mut()
                        .rev()
                        .find(|(_, row)| row.attempt == e.attempt.0);
                    if let Some((began, row)) = of {
                        row.ended = Some(rfc3339(entry.at));
                        row.seconds = seconds(entry.at.since(*began));
                        row.end = Some(e.end.as_str());
                        row.text = end(&e.end);
                    }
                }
                Event::WorkRejected(e) => {
                    let of = found
                        .iter_mut()
                        .rev()
                        .find(|(_, row)| row.attempt == e.attempt.0);
                    if let Some((_, row)) = of {
                        row.rejected = Some(e.reason.clone());
                    }
                }
                _ => {}
            }
        }
    }
    found.into_iter().map(|(_, row)| row).collect()
}

fn next(state: &State, id: TaskId, task: &Task) -> Vec<Step> {
    let name = &task.spec.id;
    let step = |command: String, does: &str| Step {
        command,
        does: does.to_owned(),
    };
    let retry = || {
        step(
            format!("director retry {name}"),
            "tries it again; earlier failures no longer count",
        )
    };
    let logs = || {
        step(
            format!("director logs {name}"),
            "shows what its agent printed",
        )
    };
    let answers = state
        .trouble
        .waiting()
        .filter(|(_, item)| {
            item.task == Some(id)
                || item.kind == InboxKind::Branch && item.sprint == task.sprint
                || item.role.as_deref().is_some_and(|role| {
                    state.team.by_role.get(role) == Some(&task.role) && task.phase == Phase::Ready
                })
        })
        .map(|(item, open)| match open.kind {
            InboxKind::Branch => step(
                format!("director approve {}", item.0 + 1),
                "puts the branch back; `director inbox` says what else can be done",
            ),
            _ => step(
                format!("director answer {} \"…\"", item.0 + 1),
                "answers what waits in the inbox, and the task goes on",
            ),
        });
    let mut steps: Vec<Step> = answers.collect();
    let sprint = state.sprints.get(task.sprint);
    if sprint.is_some_and(|sprint| sprint.paused) && !task.phase.is_over() {
        steps.push(step("director resume".to_owned(), "hands out work again"));
    }
    let role = state.team.roles.get(task.role.index());
    if let (Phase::Ready, Some(account)) = (task.phase, role.and_then(|role| state.parked(role))) {
        steps.push(step(
            format!("director resume --account {}", account.name),
            "tries at once whether the provider takes requests again",
        ));
    }
    match task.phase {
        Phase::Failed | Phase::Quarantined => steps.extend([logs(), retry()]),
        Phase::Cancelled | Phase::Deferred => steps.push(retry()),
        Phase::Backoff(_) => steps.extend([logs(), retry()]),
        Phase::Blocked => steps.push(step(
            format!("director reassign {name}"),
            "gives it to another agent instead",
        )),
        Phase::Working => steps.extend([
            step(
                format!("director logs -f {name}"),
                "follows what its agent prints",
            ),
            step(
                format!("director reassign {name}"),
                "gives it to another agent",
            ),
        ]),
        Phase::Waiting => steps.extend(
            awaited(state, task)
                .into_iter()
                .filter(|before| {
                    state.tasks.get(*before).is_some_and(|row| {
                        row.phase == Phase::Blocked
                            || row.phase == Phase::Waiting
                            || row.phase.is_over()
                    })
                })
                .take(3)
                .map(|before| {
                    step(
                        format!("director why {}", state.task_name(before)),
                        "tells what that one waits for",
                    )
                }),
        ),
        Phase::Completed if state.has_repo(id) => {
            steps.push(step(
                format!("director diff {name}"),
                "shows what it changed",
            ));
        }
        _ => {}
    }
    steps
}

#[cfg(test)]
mod tests;
