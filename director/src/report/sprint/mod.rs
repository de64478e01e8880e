//! The report of a sprint: how it went, in numbers and words, and what the next one can learn from it.
//!
//! It is made of the state and the entries of the journal, and can be made at any time; before the end it says
//! so far. Where the state has only the latest word (attempts, gates, deaths), the entries are counted.
//!
//! Invariant: what nothing measured is *not measured*, never passed and never 0.
//! Elsewhere: the report before the sprint is [`super::plan`]; where it stands right now is [`crate::view`].

#[cfg(test)]
mod by_hand;
mod criteria;
mod defined;
mod facts;
mod foreseen;
mod html;
mod lesson;
mod lessons;
mod markdown;
mod metrics;
mod next;
mod pictures;
mod progress;
mod text;
mod timeline;

pub use criteria::{Criterion, Standing};
pub use defined::{DEFINITIONS, Definition, Measured, measured, page as metrics_page};
pub use foreseen::RiskReport;
pub use html::{going, html};
pub use lesson::Lesson;
pub(crate) use lesson::cited;
pub use markdown::markdown;
pub use metrics::{Bugs, Burn, Cycle, Metrics, Sustainability, Verdicts};
pub(crate) use next::draft;
pub use next::{Change, Remaining};
pub(crate) use progress::planned;
pub use progress::{progress, progress_text};
pub use text::text;
use timeline::spec_of;
pub use timeline::{FlowPoint, TimelinePiece, TimelineRow};

use director_protocols::ids::{SprintId, TaskId};
use director_protocols::severity::Severity;
use director_protocols::time::Time;
use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::sprints::Stage;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::handle::Entry;
use crate::view::budgets::{BudgetStatus, budgets};
use crate::view::deployments::{self, DeploymentStatus};
use crate::view::status::HandOff;
use crate::view::{hours, rfc3339};
use facts::Facts;

/// How a sprint went.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct ReportView {
    /// Its name.
    pub sprint: String,
    /// `done`, `incomplete` or `cancelled`; before the end its state, such as `running`.
    pub outcome: String,
    /// What it is part of.
    pub epic: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// When work began.
    pub began: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// The base's commit at the start.
    pub base: Option<String>,
    /// The integration branch's head.
    pub head: Option<String>,
    /// The commit that the base has since delivery.
    pub delivered: Option<String>,
    /// When this was true.
    pub as_of: String,
    /// All tasks, in file order.
    pub tasks: Vec<TaskReport>,
    /// The sprint in numbers.
    pub metrics: Metrics,
    /// What might be spent, and what was.
    pub budgets: Vec<BudgetStatus>,
    /// Everything that held work up, oldest first.
    pub blockers: Vec<BlockerReport>,
    /// What was changed from outside, emergencies, lost roles and deaths.
    pub incidents: Vec<Incident>,
    /// What was foreseen, and what became of it.
    pub risks: Vec<RiskReport>,
    /// What the facts say that the next sprint should do otherwise.
    pub lessons: Vec<Lesson>,
    /// What agents said about the work.
    pub feedback: Vec<Feedback>,
    /// The plan beside what happened, by task.
    pub timeline: Vec<TimelineRow>,
    /// What all tasks were doing over time.
    pub flow: Vec<FlowPoint>,
    /// What passed from one task to the next, and to other teams.
    pub hand_offs: Vec<HandOff>,
    /// What was deployed, or was to be.
    pub deployments: Vec<DeploymentStatus>,
    /// What is not completed, with the reason.
    pub next_sprint: Vec<Remaining>,
    /// The eight success criteria.
    pub success_criteria: Vec<Criterion>,
    /// What the user should know about the repository.
    pub warnings: Vec<String>,
    /// Worktrees that were kept, each with the reason.
    pub kept_worktrees: Vec<String>,
}

/// How one task went.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct TaskReport {
    /// Its name.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// What sort of work.
    pub kind: String,
    /// Its status.
    pub status: String,
    /// Assignments, over all its life.
    pub attempts: u32,
    /// Who did it, or had it last.
    pub agent: Option<String>,
    /// From the first assignment to the end; `null` when it was not completed.
    pub cycle_hours: Option<f64>,
    /// Time that agents had it in hand.
    pub worked_hours: f64,
    /// Expected effort.
    pub estimated_hours: f64,
    /// Story points.
    pub points: u32,
    /// The commit of its work and the merge that holds it, as far as there are any.
    pub commits: Vec<String>,
    /// The latest gates, each with its verdict.
    pub gates: std::collections::BTreeMap<String, director_protocols::work::Verdict>,
    /// What its agent said was done.
    pub summary: String,
}

/// Something that held work up.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct BlockerReport {
    /// Its number, from 1.
    pub id: u32,
    /// The task.
    pub task: String,
    /// What sort.
    #[serde(rename = "type")]
    pub kind: String,
    /// The highest tier that it reached.
    pub severity: Severity,
    /// What was the matter.
    pub text: String,
    /// When.
    pub raised: String,
    /// When it was resolved.
    pub resolved: Option<String>,
    /// By whom.
    pub resolved_by: Option<String>,
    /// How long that took.
    pub resolution_hours: Option<f64>,
}

impl BlockerReport {
    /// How it ended, in words.
    pub(crate) fn ending(&self) -> String {
        match (&self.resolved_by, self.resolution_hours) {
            (Some(by), Some(hours)) => format!("resolved by {by} after {hours:.2}h"),
            _ => "open".to_owned(),
        }
    }
}

/// Something that should not happen.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "IncidentReport")]
pub struct Incident {
    /// When.
    pub at: String,
    /// `outside`, `emergency`, `role_lost`, `death` or `quarantine`.
    pub kind: &'static str,
    /// The task, if it is about one.
    pub task: Option<String>,
    /// What happened.
    pub text: String,
    /// Its number for `director incident`, where it has one.
    pub id: Option<u32>,
    /// Why it happened, where somebody has found out.
    pub root_cause: Option<String>,
    /// Positions of the events behind it, rising.
    pub seqs: Vec<u64>,
}

impl Incident {
    /// What happened and why, with the events that say so.
    pub fn sentence(&self) -> String {
        let cause = match (&self.root_cause, self.id) {
            (Some(cause), _) => format!("; root cause: {}", cause.trim_end_matches('.')),
            (None, Some(_)) => "; root cause: none found".to_owned(),
            (None, None) => String::new(),
        };
        format!(
            "{}{cause} ({})",
            self.text.trim_end_matches('.'),
            cited(&self.seqs)
        )
    }
}

/// What an agent said about the work.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Feedback {
    /// The task, or the feature with who spoke of it.
    pub task: String,
    /// Its words.
    pub text: String,
}

/// Makes the report; none if there is no such sprint. `entries` are all of the journal, oldest first; those
/// of other sprints are passed over.
pub fn build(state: &State, entries: &[Entry], sprint: SprintId, now: Time) -> Option<ReportView> {
    let row = state.sprints.get(sprint)?;
    let with_ids: Vec<(TaskId, &Task)> = row
        .tasks()
        .filter_map(|id| Some((id, state.tasks.get(id)?)))
        .filter(|(_, task)| !task.is_help())
        .collect();
    let tasks: Vec<&Task> = with_ids.iter().map(|(_, task)| *task).collect();
    let facts = facts::facts(state, entries, sprint);
    let metrics = metrics::metrics(state, &facts, &tasks, sprint, now);
    let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
    Some(ReportView {
        sprint: row.spec.id.to_string(),
        outcome: row.state().to_owned(),
        epic: row.spec.epic.clone(),
        reason: (row.stage == Stage::Refused).then(|| row.refused.clone()),
        began: row.began.map(rfc3339),
        ended: row.ended.map(rfc3339),
        base: filled(&row.base),
        head: filled(&row.head),
        delivered: row.delivered.clone(),
        as_of: rfc3339(now),
        tasks: with_ids
            .iter()
            .map(|(id, task)| task_report(state, &facts, *id, task))
            .collect(),
        budgets: budgets(state, sprint, now),
        blockers: blockers(state, &facts),
        incidents: incidents(state, entries, sprint),
        risks: foreseen::risks(state, entries, sprint),
        lessons: lessons::lessons(state, &with_ids, &facts, &metrics),
        feedback: feedback(state, &facts),
        timeline: timeline::timeline(state, row, &with_ids, &facts, now),
        flow: timeline::flow(&facts),
        hand_offs: tasks
            .iter()
            .flat_map(|task| crate::view::status::hand_offs(state, task))
            .chain(crate::view::status::packages(state, sprint))
            .collect(),
        deployments: deployments::of_sprint(state, sprint),
        next_sprint: next::remaining(state, &with_ids, |id| facts.attempts(id)),
        success_criteria: criteria::criteria(row, &tasks, &facts, &metrics),
        warnings: row.warnings.clone(),
        kept_worktrees: row.kept.clone(),
        metrics,
    })
}

fn task_report(state: &State, facts: &Facts, id: TaskId, task: &Task) -> TaskReport {
    let story = task.story.as_deref();
    let cycle = match (task.phase, task.began, task.finished) {
        (Phase::Completed, Some(began), Some(finished)) => Some(hours(finished.since(began))),
        _ => None,
    };
    TaskReport {
        id: task.spec.id.to_string(),
        title: task.spec.title.clone(),
        kind: task.spec.kind.clone(),
        status: task.phase.as_str().to_owned(),
        attempts: facts.attempts(id),
        agent: task.last_agent.map(|agent| state.agent_name(agent)),
        cycle_hours: cycle,
        worked_hours: hours(facts.worked.get(&id).copied().unwrap_or_default()),
        estimated_hours: hours(task.spec.estimate.mean()),
        points: task.spec.points,
        commits: story.map_or_else(Vec::new, |story| {
            [&story.commit, &story.merged]
                .into_iter()
                .filter(|commit| !commit.is_empty())
                .cloned()
                .collect()
        }),
        gates: story
            .into_iter()
            .flat_map(|story| &story.gates)
            .map(|gate| (gate.gate.clone(), gate.verdict))
            .collect(),
        summary: story.map_or_else(String::new, |story| story.report().summary.clone()),
    }
}

/// What agents said, each thing once.
fn feedback(state: &State, facts: &Facts) -> Vec<Feedback> {
    let mut found: Vec<Feedback> = Vec::new();
    for (task, text, _) in &facts.feedback {
        let next = Feedback {
            task: state.task_name(*task),
            text: text.clone(),
        };
        if !found.contains(&next) {
            found.push(next);
        }
    }
    found.extend(facts.remarks.iter().map(|(feature, by, text, _)| Feedback {
        task: format!("{feature} ({by})"),
        text: text.clone(),
    }));
    found
}

fn blockers(state: &State, facts: &Facts) -> Vec<BlockerReport> {
    facts
        .blockers
        .keys()
        .filter_map(|id| Some((*id, state.trouble.blocker(*id)?)))
        .map(|(id, row)| BlockerReport {
            id: id.0 + 1,
            task: state.task_name(row.task),
            kind: row.kind.clone(),
            severity: row
                .history
                .iter()
                .map(|(severity, _)| *severity)
                .fold(row.severity, Ord::max),
            text: row.text.clone(),
            raised: rfc3339(row.raised),
            resolved: row.resolved.as_ref().map(|(at, _)| rfc3339(*at)),
            resolved_by: row.resolved.as_ref().map(|(_, by)| by.clone()),
            resolution_hours: row
                .resolved
                .as_ref()
                .map(|(at, _)| hours(at.since(row.raised))),
        })
        .collect()
}

fn incidents(state: &State, entries: &[Entry], sprint: SprintId) -> Vec<Incident> {
    use director_protocols::event::Event;
    use director_protocols::incident::Step;
    use director_protocols::severity::Severity;
    use director_protocols::work::AttemptEnd;
    let mut found: Vec<Incident> = Vec::new();
    let mut going = false;
    for entry in entries {
        for event in &entry.events {
            let about = crate::view::subject(event, state);
            let ours = about.sprint == Some(sprint);
            let (kind, task, text) = match event {
                Event::SprintSubmitted(_) | Event::SprintReopened(_) if ours => {
                    going = true;
                    continue;
                }
                Event::SprintEnded(_) | Event::SprintRefused(_) if ours => {
                    going = false;
                    continue;
                }
                Event::IncidentOpened(e) if ours => match e.severity {
                    Severity::Critical => {
                        ("emergency", e.task_id, format!("emergency: {}", e.text))
                    }
                    _ => ("outside", e.task_id, e.text.clone()),
                },
                Event::IncidentStepFilled(e) if e.step == Step::RootCause => {
                    let id = Some(e.incident.0 + 1);
                    if let Some(known) = found.iter_mut().find(|known| known.id == id) {
                        known.root_cause = Some(e.text.clone());
                        known.seqs.push(entry.seq.0);
                    }
                    continue;
                }
                Event::TaskQuarantined(e) if ours => (
                    "quarantine",
                    Some(e.task_id),
                    format!("{} is quarantined", state.task_name(e.task_id)),
                ),
                Event::AttemptEnded(e) if ours => match &e.end {
                    AttemptEnd::Died { reason } => (
                        "death",
                        Some(e.task_id),
                        format!(
                            "{} died at {}: {reason}",
                            state.agent_name(e.agent_id),
                            state.task_name(e.task_id)
                        ),
                    ),
                    _ => continue,
                },
                Event::RoleLost(e) if going => (
                    "role_lost",
                    None,
                    format!("all agents of {} stayed down: {}", e.role, e.reason),
                ),
                _ => continue,
            };
            found.push(Incident {
                at: rfc3339(entry.at),
                kind,
                task: task.map(|task| state.task_name(task)),
                text,
                id: match event {
                    Event::IncidentOpened(e) => Some(e.incident.0 + 1),
                    _ => None,
                },
                root_cause: None,
                seqs: vec![entry.seq.0],
            });
        }
    }
    found
}

/// The report as one JSON document, indented, with a line break at the end.
pub fn json(view: &ReportView) -> String {
    // Strings, numbers, lists and maps by text only: there is nothing that could fail to be written.
    let mut text = serde_json::to_string_pretty(view).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod tests;
