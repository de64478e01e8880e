//! Where a sprint stands: its tasks, hand-offs, velocity, blockers and what waits for people.
//!
//! The completion percentage of a task is the stage it has reached, not an agent's guess.
//!
//! Elsewhere: the projection is `forecast`'s.

use std::collections::BTreeMap;

mod text;

pub(crate) use text::phase_of;
pub use text::render;

use director_protocols::event::Outcome;
use director_protocols::ids::{SprintId, TaskId};
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};
use schemars::JsonSchema;
use serde::Serialize;

use super::budgets::{BudgetStatus, budgets};
use super::clashes::{ConflictStatus, conflicts};
use super::deployments::{self, DeploymentStatus};
use super::forecast::{days, forecast};
use super::inbox::{Item, items};
use super::words::{awaited, given_up, percentage, some, task_names};
use super::{hours, minute, rfc3339, round, seconds, share};
use crate::engine::sprints::{Emergency, Sprint, Stage};
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};

/// Where a sprint stands. Absent sprint: there is none yet.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct StatusView {
    /// Its name; `null` when nothing was ever submitted.
    pub sprint: Option<String>,
    /// What it is part of.
    pub epic: Option<String>,
    /// `preparing`, `refused`, `running`, `paused`, `halted`, `emergency`, `done`, `incomplete` or `cancelled`; `none`.
    pub state: String,
    /// Why it was refused, or what the emergency is.
    pub reason: Option<String>,
    /// When work began.
    pub began: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// Tasks by status.
    pub counts: BTreeMap<String, u32>,
    /// All tasks, in file order.
    pub tasks: Vec<TaskStatus>,
    /// What passes from one task to the next.
    pub hand_offs: Vec<HandOff>,
    /// What is on its way out, or was.
    pub deployments: Vec<DeploymentStatus>,
    /// Points and time.
    pub velocity_metrics: VelocityMetrics,
    /// Accounts whose provider takes no more requests now.
    pub parked: Vec<ParkedAccount>,
    /// What may be spent, is set aside and is left.
    pub budgets: Vec<BudgetStatus>,
    /// Work under way that would conflict.
    pub conflicts: Vec<ConflictStatus>,
    /// What holds tasks up now.
    pub blockers: Vec<OpenBlocker>,
    /// What waits for a person, of this sprint.
    pub inbox: Vec<Item>,
    /// What the user should know about the repository.
    pub warnings: Vec<String>,
}

/// One task.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct TaskStatus {
    /// Its name.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// `backlog`, `waiting`, `ready`, `backoff`, `assigned`, `working`, `reported`, `reviewing`, `queued`, `merging`, `completed`,
    /// `blocked`, `failed`, `quarantined` or `cancelled`.
    pub status: String,
    /// Who has it in hand, or did it last.
    pub assigned_agent: Option<String>,
    /// The colour of that agent's role.
    #[serde(skip)]
    pub agent_color: Option<String>,
    /// By the stage reached; 100 is merged.
    pub completion_percentage: u32,
    /// Since when it has its status.
    pub last_updated: String,
    /// The role in whose queue it is.
    pub role: String,
    /// The current or last attempt; 0 before the first.
    pub attempt: u32,
    /// Story points.
    pub points: u32,
    /// Whether a slip of it moves the end, by the plan.
    pub critical: bool,
    /// What it waits for.
    pub waits_for: Vec<String>,
    /// What is the matter, in words; empty when nothing is.
    pub detail: String,
}

/// What one task hands to another.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct HandOff {
    /// The task before.
    pub from: String,
    /// The task after.
    pub to: String,
    /// `pending` until the first is completed, `sent` until the second is begun, `accepted`; `void` when one of them
    /// was given up. A package for another team is `ready`, `accepted` or `returned`.
    pub state: &'static str,
}

/// Points and time.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct VelocityMetrics {
    /// Points of completed tasks.
    pub completed_points: u32,
    /// Points meant to be completed: the sprint's target, or all committed ones.
    pub target_points: u32,
    /// Completed share of the committed tasks, 0 to 1.
    pub completion_rate: f64,
    /// Working days left, today included; `null` without dates or when it is over.
    pub days_remaining: Option<u64>,
    /// When all may be done; `null` while something that cannot go on by itself stands in the way.
    pub projected_completion: Option<String>,
    /// Estimated work left, in hours.
    pub remaining_hours: f64,
    /// Time at work over estimate, of completed tasks; `null` before the first.
    pub pace: Option<f64>,
}

/// An account whose provider takes no more requests.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct ParkedAccount {
    /// Its name.
    pub account: String,
    /// When its work is handed out again.
    pub until: String,
    /// The same, for sentences.
    #[serde(skip)]
    pub at: Time,
    /// What the provider said.
    pub reason: String,
}

impl ParkedAccount {
    /// For people, with what they can do.
    pub fn sentence(&self) -> String {
        let (account, reason) = (&self.account, &self.reason);
        let until = minute(self.at);
        format!(
            "The provider of {account} takes no more requests until {until} ({reason}); `director resume --account {account}` tries at once"
        )
    }
}

/// Something that holds a task up.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct OpenBlocker {
    /// Its number, from 1.
    pub id: u32,
    /// The task.
    pub task: String,
    /// Who said so.
    pub agent: Option<String>,
    /// What sort.
    #[serde(rename = "type")]
    pub kind: String,
    /// The tier.
    pub severity: Severity,
    /// What is the matter.
    pub text: String,
    /// Since when.
    pub raised: String,
    /// For how long, in seconds.
    pub open_seconds: f64,
    /// When it goes up a tier by itself.
    pub deadline: Option<String>,
    /// The inbox item that waits for an answer, from 1.
    pub inbox: Option<u32>,
}

/// Accounts whose provider takes no more requests now.
pub fn parked(state: &State) -> Vec<ParkedAccount> {
    let accounts = state.accounts.iter();
    accounts
        .filter_map(|row| {
            Some(ParkedAccount {
                account: row.name.clone(),
                until: rfc3339(row.parked?),
                at: row.parked?,
                reason: row.reason.clone(),
            })
        })
        .collect()
}

/// The status of `sprint`, or of the newest one that has not ended.
pub fn status(state: &State, sprint: Option<SprintId>, now: Time) -> StatusView {
    let none = || StatusView {
        state: "none".to_owned(),
        ..StatusView::default()
    };
    let Some(id) = sprint.or_else(|| super::default_sprint(state)) else {
        return none();
    };
    let Some(row) = state.sprints.get(id) else {
        return none();
    };
    let tasks: Vec<(TaskId, &Task)> = row
        .tasks()
        .filter_map(|id| Some((id, state.tasks.get(id)?)))
        .collect();
    let mut counts = BTreeMap::new();
    for (_, task) in tasks.iter().filter(|(_, task)| !task.is_help()) {
        *counts.entry(task.phase.as_str().to_owned()).or_default() += 1;
    }
    StatusView {
        sprint: Some(row.spec.id.to_string()),
        epic: row.spec.epic.clone(),
        state: row.state().to_owned(),
        reason: reason(state, row),
        began: row.began.map(rfc3339),
        ended: row.ended.map(rfc3339),
        counts,
        tasks: tasks
            .iter()
            .map(|(id, task)| task_status(state, *id, task, now))
            .collect(),
        hand_offs: tasks
            .iter()
            .flat_map(|(_, task)| hand_offs(state, task))
            .chain(packages(state, id))
            .collect(),
        deployments: deployments::of_sprint(state, id),
        velocity_metrics: velocity(state, id, now),
        parked: parked(state),
        budgets: budgets(state, id, now),
        conflicts: conflicts(state, id, now),
        blockers: open_blockers(state, id, now),
        inbox: items(state)
            .into_iter()
            .filter(|(sprint, _)| *sprint == id)
            .map(|(_, item)| item)
            .collect(),
        warnings: row.warnings.clone(),
    }
}

/// What went to other teams.
pub(crate) fn packages(state: &State, id: SprintId) -> impl Iterator<Item = HandOff> {
    let ours = state.handoffs.iter().filter(move |row| row.sprint == id);
    ours.map(|row| HandOff {
        from: row
            .feature
            .as_ref()
            .map_or_else(|| "sprint".to_owned(), |name| name.to_string()),
        to: row.team.as_str().to_owned(),
        state: row.standing.as_str(),
    })
}

fn reason(state: &State, row: &Sprint) -> Option<String> {
    if row.stage == Stage::Refused {
        return Some(row.refused.clone());
    }
    if let Some(what) = row.emergency {
        return Some(emergency_text(state, what));
    }
    // What failed in a sprint that is done or cancelled asks for nothing any more.
    let open = !row.is_over() || row.stage == Stage::Ended(Outcome::Incomplete);
    let tasks = given_up(state, row);
    (open && !tasks.is_empty()).then(|| {
        format!(
            "given up: {}; `director retry --all` tries again, `director why TASK` tells why",
            some(&tasks, 5)
        )
    })
}

/// What an emergency is about, in words.
pub(crate) fn emergency_text(state: &State, what: Emergency) -> String {
    let text = match what.blocker.and_then(|id| state.trouble.blocker(id)) {
        Some(blocker) => blocker.text.clone(),
        None => "mends a critical bug".to_owned(),
    };
    format!("{}: {text}", state.task_name(what.task))
}

pub(crate) fn task_status(state: &State, id: TaskId, task: &Task, now: Time) -> TaskStatus {
    let agent = task.agent.or(task.last_agent);
    let role = agent.and_then(|agent| state.team.role_of(agent));
    TaskStatus {
        id: state.task_name(id),
        title: task.spec.title.clone(),
        status: task.phase.as_str().to_owned(),
        assigned_agent: agent.map(|agent| state.agent_name(agent)),
        agent_color: role.and_then(|role| role.spec.profile.color.clone()),
        completion_percentage: percentage(task.phase),
        last_updated: rfc3339(task.changed),
        role: state
            .team
            .roles
            .get(task.role.index())
            .map_or_else(String::new, |role| role.spec.name.to_string()),
        attempt: task.attempt.0,
        points: task.spec.points,
        critical: task.slack == Span::ZERO,
        waits_for: task_names(state, &awaited(state, task)),
        detail: detail(state, task, now),
    }
}

fn is_refused(state: &State, task: &Task) -> bool {
    let sprint = state.sprints.get(task.sprint);
    sprint.is_some_and(|sprint| sprint.stage == Stage::Refused)
}

/// What is worth saying about a task in one line.
fn detail(state: &State, task: &Task, now: Time) -> String {
    let story = task.story.as_deref();
    let reason = || story.map_or_else(String::new, |story| story.reason.clone());
    match task.phase {
        Phase::Waiting if is_refused(state, task) => "its sprint cannot run".to_owned(),
        Phase::Waiting => {
            let names = task_names(state, &awaited(state, task));
            match names.is_empty() {
                true => "waits for the start".to_owned(),
                false => format!("waits for {}", some(&names, 3)),
            }
        }
        Phase::Blocked => task
            .blocker
            .and_then(|id| state.trouble.blocker(id))
            .map_or_else(String::new, |blocker| blocker.text.clone()),
        Phase::Backoff(at) => {
            let ended = story
                .and_then(|story| story.earlier.last())
                .map_or_else(String::new, |earlier| format!(" after: {}", earlier.ended));
            match at.since(now) {
                Span::ZERO => format!("again now{ended}"),
                wait => format!("again in {wait}{ended}"),
            }
        }
        Phase::Assigned | Phase::Working => {
            let lasted = now.since(story.map_or(task.changed, |story| story.assigned));
            match story.map_or("", |story| story.liveness.as_str()) {
                "" | "working" => format!("for {lasted}"),
                word => format!("for {lasted}, {word}"),
            }
        }
        Phase::Reported => "has reported".to_owned(),
        Phase::Reviewing => "is done, being judged".to_owned(),
        Phase::Queued => "is done, waits for its merge".to_owned(),
        Phase::Merging => "is done, being merged and gated".to_owned(),
        Phase::Completed => match (task.began, task.finished) {
            (Some(began), Some(finished)) => format!("in {}", finished.since(began)),
            _ => String::new(),
        },
        Phase::Ready => format!("for {}", now.since(task.changed)),
        Phase::Deferred | Phase::Failed | Phase::Quarantined | Phase::Cancelled => reason(),
    }
}

pub(crate) fn hand_offs(state: &State, task: &Task) -> Vec<HandOff> {
    let gone = |phase: Phase| phase.is_over() && phase != Phase::Completed;
    let begun = task.story.as_deref().is_some_and(|story| story.starts > 0);
    task.depends_on
        .iter()
        .filter_map(|from| Some((*from, state.tasks.get(*from)?)))
        .map(|(from, before)| HandOff {
            from: state.task_name(from),
            to: task.spec.id.to_string(),
            state: match before.phase {
                Phase::Completed if begun => "accepted",
                Phase::Completed if gone(task.phase) => "void",
                Phase::Completed => "sent",
                phase if gone(phase) || gone(task.phase) => "void",
                _ => "pending",
            },
        })
        .collect()
}

pub(crate) fn open_blockers(state: &State, sprint: SprintId, now: Time) -> Vec<OpenBlocker> {
    (1u32..)
        .zip(&state.trouble.blockers)
        .filter(|(_, blocker)| blocker.resolved.is_none())
        .filter(|(_, blocker)| {
            state
                .tasks
                .get(blocker.task)
                .is_some_and(|task| task.sprint == sprint)
        })
        .map(|(id, blocker)| OpenBlocker {
            id,
            task: state.task_name(blocker.task),
            agent: blocker.agent.map(|agent| state.agent_name(agent)),
            kind: blocker.kind.clone(),
            severity: blocker.severity,
            text: blocker.text.clone(),
            raised: rfc3339(blocker.raised),
            open_seconds: seconds(now.since(blocker.raised)),
            deadline: blocker.deadline.map(rfc3339),
            inbox: blocker
                .item
                .filter(|item| state.trouble.open_item(*item).is_some())
                .map(|item| item.0 + 1),
        })
        .collect()
}

/// Velocity, and when it may all be done.
pub(crate) fn velocity(state: &State, id: SprintId, now: Time) -> VelocityMetrics {
    let Some(row) = state.sprints.get(id) else {
        return VelocityMetrics::default();
    };
    let tally = state.tasks.tally(id);
    let forecast = forecast(state, row, now);
    VelocityMetrics {
        completed_points: tally.completed_points,
        target_points: row.spec.velocity_target.unwrap_or(tally.committed_points),
        completion_rate: share(tally.completed.into(), tally.committed.into()),
        days_remaining: match row.is_over() {
            true => None,
            false => days(row, now).and_then(|(day, of)| Some((of? + 1).saturating_sub(day))),
        },
        projected_completion: match row.ended {
            Some(ended) => Some(rfc3339(ended)),
            None => forecast.left.map(|left| rfc3339(now + left)),
        },
        remaining_hours: hours(forecast.work),
        pace: forecast.pace.map(round),
    }
}

#[cfg(test)]
mod tests;
