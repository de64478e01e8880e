//! The next sprint: what remains of this one with its history, and what accepted action items change in its file.
//!
//! The draft is a whole sprint that can be planned and run as it is: the same team, gates and limits, the tasks that
//! are not completed, with only those dependencies that still have to be waited for.
//!
//! Invariant: every change leaves its mark; one that finds nothing to change becomes a task of its own.
//! Elsewhere: where changes come from is [`super::lessons`]; writing the file is `director_protocols::manifest`.

use std::collections::BTreeSet;

use director_protocols::ids::{Name, TaskId};
use director_protocols::sprint::{
    AgentSpec, Check, Class, Estimate, Expects, OnConflict, Priority, RoleSpec, SprintSpec,
    TaskSpec,
};
use director_protocols::time::Span;
use director_protocols::work::{COMMAND, PERSON};
use schemars::JsonSchema;
use serde::Serialize;

use super::Lesson;
use crate::engine::sprints::Sprint;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};

/// What an accepted action item does to the next sprint's file.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ChangeOfSprint")]
pub enum Change {
    /// Estimates, of one kind of task or of all, times so many percent.
    ScaleEstimates {
        /// The kind; all of them without.
        kind: Option<String>,
        /// The factor.
        percent: u32,
    },
    /// A second point of doubt for estimates of a kind: the pessimistic one doubles.
    SplitTasks {
        /// The kind.
        kind: String,
    },
    /// One more agent of a role.
    AddAgent {
        /// The role.
        role: String,
    },
    /// A role takes over kinds of the role that has most to do.
    CoverMore {
        /// The role.
        role: String,
    },
    /// An acceptance criterion for each task that changes something: the gate's command was run before reporting.
    CheckBeforeReport {
        /// The gate.
        gate: String,
    },
    /// Tasks share a worktree, so that they take turns.
    ShareFeature {
        /// The tasks.
        tasks: Vec<String>,
    },
    /// An acceptance criterion for each task that was tried before: what the earlier attempts missed.
    TellEarlierAttempts,
    /// What was asked and answered stands in the descriptions.
    TellAnswers,
    /// Tasks of a kind that others wait for go first.
    RaisePriority {
        /// The kind.
        kind: String,
    },
    /// One more task.
    AddTask {
        /// Its name.
        id: String,
        /// Its title.
        title: String,
        /// What is to be done.
        description: String,
        /// Its kind.
        kind: String,
    },
}

impl Change {
    /// In words, for people.
    pub fn words(&self) -> String {
        match self {
            Change::ScaleEstimates { kind, percent } => format!(
                "estimates of {} are multiplied by {:.2}",
                kind.as_deref().unwrap_or("all tasks"),
                f64::from(*percent) / 100.0
            ),
            Change::SplitTasks { kind } => {
                format!("the pessimistic estimate of {kind} doubles, and each says what it needs first")
            }
            Change::AddAgent { role } => format!("one more {role} in the team"),
            Change::CoverMore { role } => format!("{role} covers the kinds of the busiest role"),
            Change::CheckBeforeReport { gate } => {
                format!("each task has it as a criterion that `{gate}` was run before reporting")
            }
            Change::ShareFeature { .. } => "these tasks share a feature, or are told of each other".to_owned(),
            Change::TellEarlierAttempts => {
                "tasks that were tried before have it as a criterion what the earlier attempts missed".to_owned()
            }
            Change::TellAnswers => "what was asked and answered stands in the descriptions".to_owned(),
            Change::RaisePriority { kind } => format!("{kind} that others wait for has a high priority"),
            Change::AddTask { title, .. } => format!("one more task: {title}"),
        }
    }
}

/// What remains for the next sprint.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
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
    /// Attempts made so far.
    pub attempts: u32,
    /// Refs that hold what was done so far.
    pub salvaged: Vec<String>,
}

/// Every task that is not completed and still wanted, with the reason.
pub(super) fn remaining(
    state: &State,
    tasks: &[(TaskId, &Task)],
    attempts: impl Fn(TaskId) -> u32,
) -> Vec<Remaining> {
    tasks
        .iter()
        // What was dropped is not wanted any more: whoever wants it again writes it again.
        .filter(|(_, task)| task.phase != Phase::Completed && !task.dropped)
        .map(|(id, task)| {
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
                attempts: attempts(*id),
                salvaged: story.map_or_else(Vec::new, |story| story.salvaged.clone()),
            }
        })
        .collect()
}

/// The name of the sprint after this one: its last number counts up, or it gets one.
fn next_name(name: &Name, taken: impl Fn(&str) -> bool) -> Name {
    let text = name.as_str();
    let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (stem, number) = text.split_at(text.len() - digits.min(6));
    let stem = if number.is_empty() {
        format!("{stem}-")
    } else {
        stem.to_owned()
    };
    let first = number.parse::<u32>().map_or(2, |number| number + 1);
    (first..first.saturating_add(10_000))
        .map(|number| format!("{stem}{number}"))
        .find(|name| !taken(name))
        .and_then(|name| Name::new(name).ok())
        .unwrap_or_else(|| name.clone())
}

/// The next sprint, whole: what remains, and what the accepted lessons change. `None` when nothing remains and nothing
/// is accepted, since a sprint has at least one task.
pub(crate) fn draft(
    state: &State,
    row: &Sprint,
    remaining: &[Remaining],
    accepted: &[&Lesson],
) -> Option<SprintSpec> {
    let spec = &super::spec_of(state, row);
    let mut next = SprintSpec {
        id: next_name(&spec.id, |name| state.sprints.by_name.contains_key(name)),
        start: None,
        end: None,
        base: row.spec.base.clone(),
        tasks: Vec::new(),
        ..spec.clone()
    };
    let left: BTreeSet<&str> = remaining.iter().map(|task| task.id.as_str()).collect();
    for task in &spec.tasks {
        let Some(history) = remaining.iter().find(|row| row.id == task.id.as_str()) else {
            continue;
        };
        let mut task = task.clone();
        task.depends_on.retain(|name| left.contains(name.as_str()));
        add_line(&mut task.description, &carried(&spec.id, history));
        next.tasks.push(task);
    }
    for lesson in accepted {
        let before = next.clone();
        apply(&mut next, state, row, remaining, &lesson.change);
        if next == before {
            let change = Change::AddTask {
                id: format!("action-{}", lesson.id),
                title: lesson.suggestion.clone(),
                description: format!(
                    "In sprint {}: {}. Next time: {}.",
                    spec.id, lesson.text, lesson.suggestion
                ),
                kind: "feature".to_owned(),
            };
            apply(&mut next, state, row, remaining, &change);
        }
    }
    (!next.tasks.is_empty()).then_some(next)
}

/// What the next agent should know of the past, in a line.
fn carried(from: &Name, history: &Remaining) -> String {
    let mut line = format!(
        "Carried over from {from}, where it was {}: {}.",
        history.status, history.reason
    );
    if history.attempts > 0 {
        line += &format!(" Attempts so far: {}.", history.attempts);
    }
    if !history.salvaged.is_empty() {
        line += &format!(
            " What was left unfinished is kept at {}.",
            history.salvaged.join(", ")
        );
    }
    line
}

fn add_line(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(line);
}

fn apply(
    next: &mut SprintSpec,
    state: &State,
    row: &Sprint,
    remaining: &[Remaining],
    change: &Change,
) {
    match change {
        Change::ScaleEstimates { kind, percent } => {
            for task in tasks_of(next, kind.as_deref()) {
                task.estimate = scaled(task.estimate, u64::from(*percent));
            }
        }
        Change::SplitTasks { kind } => {
            for task in tasks_of(next, Some(kind)) {
                let worst = task.estimate.pessimistic;
                task.estimate.pessimistic = Span(worst.0.saturating_mul(2));
                let criterion = "what it needs from others was agreed before it began";
                task.acceptance.push(criterion.to_owned());
            }
        }
        Change::AddAgent { role } => {
            if let Some(role) = next.team.iter_mut().find(|row| row.name.as_str() == role) {
                role.count += 1;
            }
        }
        Change::CoverMore { role } => cover_more(next, role),
        Change::CheckBeforeReport { gate } => {
            let command = next.gates.iter().find_map(|spec| match &spec.check {
                Check::Command { run, .. } if spec.name.as_str() == gate => Some(run.to_string()),
                _ => None,
            });
            let criterion = match command {
                Some(command) => {
                    format!("`{command}` (gate `{gate}`) was run before reporting, and passed")
                }
                None => format!("what gate `{gate}` checks was looked at before reporting"),
            };
            for task in next
                .tasks
                .iter_mut()
                .filter(|task| task.expects == Expects::Changes)
            {
                task.acceptance.push(criterion.clone());
            }
        }
        Change::ShareFeature { tasks } => {
            let named = |task: &TaskSpec| tasks.iter().any(|name| name == task.id.as_str());
            let shared = next
                .tasks
                .iter()
                .find(|task| named(task))
                .map(|task| task.feature.clone());
            if let Some(shared) =
                shared.filter(|_| next.tasks.iter().filter(|task| named(task)).count() > 1)
            {
                for task in next.tasks.iter_mut().filter(|task| named(task)) {
                    task.feature = shared.clone();
                }
            }
        }
        Change::TellEarlierAttempts => {
            for history in remaining.iter().filter(|history| history.attempts > 0) {
                if let Some(task) = next
                    .tasks
                    .iter_mut()
                    .find(|task| task.id.as_str() == history.id)
                {
                    let criterion = format!(
                        "what stopped the earlier attempts no longer does: {}",
                        history.reason
                    );
                    task.acceptance.push(criterion);
                }
            }
        }
        Change::TellAnswers => {
            let answered = state.trouble.inbox.iter().filter(|item| {
                item.task
                    .and_then(|id| state.tasks.get(id))
                    .is_some_and(|task| {
                        row.tasks().any(|id| {
                            state
                                .tasks
                                .get(id)
                                .is_some_and(|other| other.spec.id == task.spec.id)
                        })
                    })
            });
            let lines: Vec<String> = answered
                .filter_map(|item| {
                    let (_, answer, by) = item.closed.as_ref()?;
                    (!by.is_empty()).then(|| {
                        format!(
                            "Asked in {}: {} Answer of {by}: {answer}",
                            row.spec.id, item.question
                        )
                    })
                })
                .collect();
            for task in &mut next.tasks {
                for line in &lines {
                    add_line(&mut task.description, line);
                }
            }
        }
        Change::RaisePriority { kind } => {
            let awaited: BTreeSet<Name> = next
                .tasks
                .iter()
                .flat_map(|task| task.depends_on.clone())
                .collect();
            for task in tasks_of(next, Some(kind)).filter(|task| awaited.contains(&task.id)) {
                task.priority = task.priority.max(Priority::High);
            }
        }
        Change::AddTask {
            id,
            title,
            description,
            kind,
        } => {
            let taken = |name: &str| next.tasks.iter().any(|task| task.id.as_str() == name);
            let Ok(id) = Name::new(id.clone()).or_else(|_| Name::new("action")) else {
                return;
            };
            let id = if taken(id.as_str()) {
                next_name(&id, taken)
            } else {
                id
            };
            let role = doer(next, kind);
            next.tasks
                .push(improvement(id, role, title, description, kind).into());
        }
    }
}

fn tasks_of<'a>(
    next: &'a mut SprintSpec,
    kind: Option<&'a str>,
) -> impl Iterator<Item = &'a mut TaskSpec> {
    let tasks = next.tasks.iter_mut().map(|task| &mut **task);
    tasks.filter(move |task| kind.is_none_or(|kind| task.kind == kind))
}

fn scaled(estimate: Estimate, percent: u64) -> Estimate {
    let times = |span: Span| Span(span.0.saturating_mul(percent) / 100);
    Estimate {
        optimistic: times(estimate.optimistic),
        likely: times(estimate.likely),
        pessimistic: times(estimate.pessimistic),
    }
}

/// The role takes over the kinds of work that the role with the most of it has.
fn cover_more(next: &mut SprintSpec, role: &str) {
    let load = |name: &Name| -> Span {
        let of_role = next.tasks.iter().filter(|task| task.role == *name);
        of_role.map(|task| task.estimate.mean()).sum()
    };
    let others = next.team.iter().filter(|row| row.name.as_str() != role);
    let busiest = others
        .max_by_key(|row| load(&row.name))
        .map(|row| row.name.clone());
    let tasks = next
        .tasks
        .iter()
        .filter(|task| Some(&task.role) == busiest.as_ref());
    let kinds: BTreeSet<String> = tasks.map(|task| task.kind.clone()).collect();
    let Some(row) = next.team.iter_mut().find(|row| row.name.as_str() == role) else {
        return;
    };
    for kind in kinds {
        if !row.covers.contains(&kind) && !row.kinds.contains(&kind) {
            row.covers.push(kind);
        }
    }
}

/// The role that does a kind of task in that team and can be given it in words: the one that has the kind, or covers it, or the
/// first. Nobody wrote a command for what a retrospective asks for, so where everybody else runs commands it is for a person.
fn doer(next: &mut SprintSpec, kind: &str) -> Name {
    let has = |list: &[String]| list.iter().any(|known| known == kind);
    let takes_words = |row: &&RoleSpec| row.count > 0 && row.agent.kind != COMMAND;
    let team = || next.team.iter().filter(takes_words);
    let found = team()
        .find(|row| has(&row.kinds))
        .or_else(|| team().find(|row| has(&row.covers)))
        .or_else(|| team().find(|row| row.agent.kind == PERSON))
        .or_else(|| team().next())
        .map(|row| row.name.clone());
    found.unwrap_or_else(|| {
        let people = people(next);
        let name = people.name.clone();
        next.team.push(people);
        name
    })
}

/// A role of one person, under a name that the team does not have yet.
fn people(next: &SprintSpec) -> RoleSpec {
    let taken = |name: &str| next.team.iter().any(|row| row.name.as_str() == name);
    let name = Name::new(PERSON).unwrap_or_else(|_| next.id.clone());
    RoleSpec {
        name: match taken(name.as_str()) {
            true => next_name(&name, taken),
            false => name,
        },
        count: 1,
        capacity: None,
        skills: Vec::new(),
        kinds: Vec::new(),
        covers: Vec::new(),
        agent: AgentSpec::of_kind(PERSON),
        restart: Default::default(),
        isolation: Default::default(),
        sandbox: None,
        conflicts: OnConflict::usual(PERSON),
        budget: Default::default(),
        prompt: String::new(),
        profile: Default::default(),
    }
}

fn improvement(id: Name, role: Name, title: &str, description: &str, kind: &str) -> TaskSpec {
    TaskSpec {
        feature: id.clone(),
        id,
        title: crate::report::text::short(title, 120),
        description: description.to_owned(),
        kind: kind.to_owned(),
        role,
        points: 1,
        estimate: Estimate::point(Span::hours(1)),
        depends_on: Vec::new(),
        priority: Priority::Normal,
        skills: Vec::new(),
        acceptance: vec!["it is written down what was done about it".to_owned()],
        spec: None,
        design: None,
        run: None,
        budget: Default::default(),
        gates: Vec::new(),
        expects: Expects::Nothing,
        produces: Vec::new(),
        files: Vec::new(),
        severity: None,
        class: Class::Infrastructure,
        test_requirements: Vec::new(),
        deployment_requirements: Vec::new(),
        source: None,
    }
}
