//! Lessons: what the facts of a sprint say that the next one should do otherwise.
//!
//! Each lesson has its evidence, so that it can be checked: the tasks, and the positions of the events that it was
//! computed from. Nothing is guessed from a mood; where nothing was found there is no lesson.
//!
//! Elsewhere: what an accepted one changes in the next sprint is [`super::next`].

use std::collections::BTreeMap;

use director_protocols::ids::TaskId;
use director_protocols::time::{Span, Time};

use super::facts::{Facts, Try};
use super::lesson::Lesson;
use super::metrics::Metrics;
use super::next::Change;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::view::count;

/// How many tasks one lesson names.
const TASKS_NAMED_MAX: usize = 5;
/// How many lessons of one sort there are at the most, the weightiest first.
const SAME_MAX: usize = 3;
/// Estimates off by more than this factor are a lesson.
const ESTIMATE_FACTOR: f64 = 2.0;
/// A task that took this many times as long as its estimate at the sprint's pace has slipped.
const SLIP_FACTOR: f64 = 1.5;
/// A role used less than this, 0 to 1, had little to do.
const IDLE_BELOW: f64 = 0.1;
/// A sprint shorter than this, in hours, says nothing of how its roles are used: most of it is what happens around the work.
const TELLING_HOURS: f64 = 1.0 / 60.0;
/// A role used more than this, 0 to 1, held the others up.
const FULL_ABOVE: f64 = 0.85;
/// Waiting for less than this share of the sprint, 0 to 1, is no lesson.
const WAIT_ABOVE: f64 = 0.1;

/// What can be learned.
pub(super) fn lessons(
    state: &State,
    tasks: &[(TaskId, &Task)],
    facts: &Facts,
    metrics: &Metrics,
) -> Vec<Lesson> {
    let mut finder = Finder {
        state,
        tasks,
        facts,
        metrics,
        found: Vec::new(),
    };
    finder.slips();
    finder.retries();
    finder.gates();
    finder.conflicts();
    finder.deaths();
    finder.blockers();
    finder.waits();
    finder.roles();
    finder.estimates();
    finder.found
}

struct Finder<'a> {
    state: &'a State,
    tasks: &'a [(TaskId, &'a Task)],
    facts: &'a Facts,
    metrics: &'a Metrics,
    found: Vec<Lesson>,
}

/// What a lesson says, and what to do about it.
struct Said {
    text: String,
    suggestion: String,
}

impl Finder<'_> {
    fn add(
        &mut self,
        (kind, about): (&'static str, &str),
        said: Said,
        ids: &[TaskId],
        mut seqs: Vec<u64>,
        change: Change,
    ) {
        seqs.sort_unstable();
        seqs.dedup();
        let id = match about {
            "" => kind.to_owned(),
            about => format!("{kind}-{about}"),
        };
        self.found.push(Lesson {
            id: id.replace('_', "-"),
            kind,
            text: said.text,
            suggestion: said.suggestion,
            tasks: ids.iter().map(|id| self.state.task_name(*id)).collect(),
            seqs,
            change,
        });
    }

    fn named(&self, ids: &[TaskId]) -> String {
        let names = ids.iter().take(TASKS_NAMED_MAX);
        let names: Vec<String> = names.map(|id| self.state.task_name(*id)).collect();
        match ids.len().saturating_sub(TASKS_NAMED_MAX) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }

    fn tries(&self, id: TaskId) -> &[Try] {
        self.facts.tries.get(&id).map_or(&[], Vec::as_slice)
    }

    fn pace(&self) -> f64 {
        self.metrics.pace.filter(|pace| *pace > 0.0).unwrap_or(1.0)
    }

    /// What took much longer than its estimate at the pace of the rest, and why.
    fn slips(&mut self) {
        let pace = self.pace();
        let mut late: Vec<(f64, TaskId, Span, Span)> = Vec::new();
        for (id, task) in self.tasks {
            let (Some(began), Some(finished)) = (task.began, task.finished) else {
                continue;
            };
            let wanted = Span((task.spec.estimate.mean().0 as f64 * pace) as u64);
            let took = finished.since(began);
            let factor = took.0 as f64 / wanted.0.max(1) as f64;
            if task.phase == Phase::Completed && wanted > Span::ZERO && factor > SLIP_FACTOR {
                late.push((factor, *id, took, wanted));
            }
        }
        late.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (factor, id, took, wanted) in late.into_iter().take(SAME_MAX) {
            let (why, seqs) = self.why_late(id);
            if why.is_empty() {
                continue;
            }
            let name = self.state.task_name(id);
            let said = Said {
                text: format!(
                    "{name} took {took}, {} its share of the estimate ({wanted} at this sprint's pace): {}",
                    many_times(factor),
                    why.join(", ")
                ),
                suggestion:
                    "agree before such work begins on what it needs, and cut it into smaller tasks"
                        .to_owned(),
            };
            let kind = self.state.tasks.get(id).map(|task| task.spec.kind.clone());
            let change = Change::SplitTasks {
                kind: kind.unwrap_or_default(),
            };
            self.add(("slip", &name), said, &[id], seqs, change);
        }
    }

    /// What kept a task, with where it is written.
    fn why_late(&self, id: TaskId) -> (Vec<String>, Vec<u64>) {
        let facts = self.facts;
        let (mut why, mut seqs) = (Vec::new(), Vec::new());
        let lost: Vec<&Try> = self
            .tries(id)
            .iter()
            .filter(|row| !matches!(row.end, "" | "done"))
            .collect();
        if !lost.is_empty() {
            let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
            for row in &lost {
                *ends.entry(row.end).or_default() += 1;
                seqs.push(row.seqs.1);
            }
            let ends: Vec<String> = ends.iter().map(|(end, n)| format!("{n} {end}")).collect();
            why.push(format!(
                "{} ({})",
                count(lost.len(), "lost attempt"),
                ends.join(", ")
            ));
        }
        let red: Vec<(&String, u64)> = facts
            .red
            .iter()
            .flat_map(|(gate, at)| {
                at.iter()
                    .filter(|(task, _)| *task == id)
                    .map(move |(_, seq)| (gate, *seq))
            })
            .collect();
        if let Some((gate, _)) = red.first() {
            why.push(format!("gate `{gate}` was red {}", times(red.len())));
            seqs.extend(red.iter().map(|(_, seq)| *seq));
        }
        if let Some((at, _)) = facts.conflicts.get(&id) {
            why.push(format!("it did not merge {}", times(at.len())));
            seqs.extend(at);
        }
        let held: Vec<_> = facts
            .blockers
            .values()
            .filter(|hold| hold.task == id)
            .collect();
        let blocked: Span = held
            .iter()
            .filter_map(|hold| Some(hold.resolved?.since(hold.raised)))
            .sum();
        if !held.is_empty() {
            why.push(format!("it was blocked for {blocked}"));
            seqs.extend(held.iter().flat_map(|hold| [hold.seqs.0, hold.seqs.1]));
        }
        (why, seqs)
    }

    fn retries(&mut self) {
        let again = self.facts.tries.iter().filter(|(_, tries)| tries.len() > 1);
        let again: Vec<TaskId> = again.map(|(id, _)| *id).collect();
        if again.is_empty() {
            return;
        }
        let seqs = again
            .iter()
            .flat_map(|id| self.tries(*id))
            .map(|row| row.seqs.0)
            .collect();
        let said = Said {
            text: format!(
                "{} needed more than one attempt ({} in all): {}",
                count(again.len(), "task"),
                self.facts.retries() + again.len() as u32,
                self.named(&again)
            ),
            suggestion: "make them smaller, or say in `description` and `acceptance` what the first attempt missed"
                .to_owned(),
        };
        let change = Change::TellEarlierAttempts;
        self.add(("retries", ""), said, &again, seqs, change);
    }

    /// Gates that failed, the one that failed most first; and those that nothing measured.
    fn gates(&mut self) {
        let mut failed: Vec<_> = self
            .metrics
            .gates
            .iter()
            .filter(|(_, verdicts)| verdicts.failed > 0)
            .collect();
        failed.sort_by_key(|(name, verdicts)| (std::cmp::Reverse(verdicts.failed), *name));
        for (place, (gate, verdicts)) in failed.into_iter().enumerate() {
            let at = self.facts.red.get(gate).cloned().unwrap_or_default();
            let mut ids: Vec<TaskId> = at.iter().map(|(task, _)| *task).collect();
            ids.sort_unstable();
            ids.dedup();
            let most = if place == 0 {
                ", more than any other gate"
            } else {
                ""
            };
            let said = Said {
                text: format!(
                    "gate `{gate}` failed {} of {} times{}: {}",
                    verdicts.failed,
                    verdicts.failed + verdicts.passed,
                    if self.facts.red.len() > 1 { most } else { "" },
                    self.named(&ids)
                ),
                suggestion: format!(
                    "let agents run the command of `{gate}` before they report, by naming it in their tasks"
                ),
            };
            let seqs = at.iter().map(|(_, seq)| *seq).collect();
            let change = Change::CheckBeforeReport { gate: gate.clone() };
            self.add(("gate", gate), said, &ids, seqs, change);
        }
        let silent = |verdicts: &super::Verdicts| {
            verdicts.not_measured > 0 && verdicts.passed + verdicts.failed == 0
        };
        let silent: Vec<String> = self
            .metrics
            .gates
            .iter()
            .filter(|(_, verdicts)| silent(verdicts))
            .map(|(gate, _)| gate.clone())
            .collect();
        if !silent.is_empty() {
            let said = Said {
                text: format!("nothing measured: {}", silent.join(", ")),
                suggestion: "give these gates a `run` command under [gates], or switch them off"
                    .to_owned(),
            };
            let seqs = self.facts.completed.values().copied().collect();
            let change = Change::AddTask {
                id: "measure-gates".to_owned(),
                title: format!("Measure {}", silent.join(", ")),
                description: format!(
                    "Nothing measured these gates in the sprint before: {}. Give each a command under [gates], or switch it off.",
                    silent.join(", ")
                ),
                kind: "testing".to_owned(),
            };
            self.add(("not_measured", ""), said, &[], seqs, change);
        }
    }

    fn conflicts(&mut self) {
        let ids: Vec<TaskId> = self.facts.conflicts.keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let all = self.facts.conflicts.values();
        let mut files: Vec<&str> = all
            .clone()
            .flat_map(|(_, files)| files.iter().map(String::as_str))
            .collect();
        files.sort_unstable();
        files.dedup();
        files.truncate(TASKS_NAMED_MAX);
        let seqs = all.flat_map(|(seqs, _)| seqs.iter().copied()).collect();
        let said = Said {
            text: format!(
                "{} did not merge at once, in {}",
                self.named(&ids),
                files.join(", ")
            ),
            suggestion:
                "let tasks that touch the same files share a `feature`, or depend on each other"
                    .to_owned(),
        };
        let change = Change::ShareFeature {
            tasks: ids.iter().map(|id| self.state.task_name(*id)).collect(),
        };
        self.add(("conflict", ""), said, &ids, seqs, change);
    }

    fn deaths(&mut self) {
        if self.facts.deaths.is_empty() {
            return;
        }
        let mut ids: Vec<TaskId> = self.facts.deaths.iter().map(|(task, _)| *task).collect();
        ids.sort_unstable();
        ids.dedup();
        let seqs = self.facts.deaths.iter().map(|(_, seq)| *seq).collect();
        let said = Said {
            text: format!(
                "{} died at work, at {}",
                count(self.facts.deaths.len(), "agent"),
                self.named(&ids)
            ),
            suggestion:
                "look at `director logs` of these tasks: memory, limits, the program itself"
                    .to_owned(),
        };
        let change = Change::AddTask {
            id: "look-into-deaths".to_owned(),
            title: "Find out why agents died at work".to_owned(),
            description: format!(
                "Agents died at {}. Look at `director logs` of these tasks: memory, limits, the program itself.",
                self.named(&ids)
            ),
            kind: "bug_fix".to_owned(),
        };
        self.add(("death", ""), said, &ids, seqs, change);
    }

    /// The blockers that took longest.
    fn blockers(&mut self) {
        let mut held: Vec<(Span, TaskId, &str)> = Vec::new();
        let mut seqs = Vec::new();
        for (id, hold) in &self.facts.blockers {
            if let (Some(row), Some(resolved)) = (self.state.trouble.blocker(*id), hold.resolved) {
                held.push((resolved.since(hold.raised), hold.task, row.kind.as_str()));
                seqs.extend([hold.seqs.0, hold.seqs.1]);
            }
        }
        held.sort_by_key(|(span, task, _)| (std::cmp::Reverse(*span), *task));
        let Some((longest, task, kind)) = held.first().copied() else {
            return;
        };
        let ids: Vec<TaskId> = held.iter().map(|(_, task, _)| *task).collect();
        let said = Said {
            text: format!(
                "{} held work up, the longest {longest} ({kind} at {})",
                count(held.len(), "blocker"),
                self.state.task_name(task)
            ),
            suggestion: "answer what was asked in the task's description beforehand".to_owned(),
        };
        self.add(("blocker", ""), said, &ids, seqs, Change::TellAnswers);
    }

    /// Who waited for whom: the task that was the last dependency of others, and for how long only it was missing.
    fn waits(&mut self) {
        let done_at = |id: &TaskId| {
            let task = self.state.tasks.get(*id)?;
            (task.phase == Phase::Completed)
                .then_some(task.finished)
                .flatten()
        };
        let mut waited: BTreeMap<TaskId, (Span, Vec<TaskId>)> = BTreeMap::new();
        for (id, task) in self.tasks {
            let mut done: Vec<(Time, TaskId)> = task
                .depends_on
                .iter()
                .filter_map(|id| Some((done_at(id)?, *id)))
                .collect();
            if done.len() < task.depends_on.len() {
                continue;
            }
            done.sort_unstable();
            if let Some((at, last)) = done.pop() {
                let before = done.last().map(|(at, _)| *at).or(self.began(last));
                let row = waited.entry(last).or_default();
                row.0 += before.map_or(Span::ZERO, |before| at.since(before));
                row.1.push(*id);
            }
        }
        let least = (self.metrics.elapsed_hours * WAIT_ABOVE * 3_600_000.0) as u64;
        let mut waited: Vec<_> = waited
            .into_iter()
            .filter(|(_, (span, waiting))| {
                waiting.len() > 1 && span.0 / waiting.len() as u64 > least
            })
            .collect();
        waited.sort_by_key(|(id, (span, _))| (std::cmp::Reverse(*span), *id));
        for (id, (span, waiting)) in waited.into_iter().take(SAME_MAX) {
            let name = self.state.task_name(id);
            let roles = |ids: &[TaskId]| {
                let mut roles: Vec<String> = ids
                    .iter()
                    .filter_map(|id| Some(self.state.tasks.get(*id)?.spec.role.to_string()))
                    .collect();
                roles.sort_unstable();
                roles.dedup();
                roles.join(", ")
            };
            let said = Said {
                text: format!(
                    "{} waited {} for {} alone: {} for {name}, {span} together",
                    roles(&waiting),
                    Span(span.0 / waiting.len() as u64),
                    roles(&[id]),
                    self.named(&waiting),
                ),
                suggestion: format!(
                    "hand over the part of work like {name} that others need first, as a task of its own"
                ),
            };
            let seqs = waiting
                .iter()
                .chain([&id])
                .filter_map(|id| {
                    self.facts
                        .completed
                        .get(id)
                        .or(self.tries(*id).first().map(|row| &row.seqs.0))
                })
                .copied()
                .collect();
            let kind = self.state.tasks.get(id).map(|task| task.spec.kind.clone());
            let change = Change::RaisePriority {
                kind: kind.unwrap_or_default(),
            };
            self.add(("wait", &name), said, &waiting, seqs, change);
        }
    }

    fn began(&self, id: TaskId) -> Option<Time> {
        self.state.tasks.get(id)?.began
    }

    fn roles(&mut self) {
        if self.metrics.elapsed_hours < TELLING_HOURS {
            return;
        }
        for (role, used) in &self.metrics.utilization {
            let of_role = |task: &Task| task.spec.role.as_str() == role;
            let had_work = self.tasks.iter().any(|(_, task)| of_role(task));
            let tries = self
                .tasks
                .iter()
                .filter(|(_, task)| of_role(task))
                .flat_map(|(id, _)| self.tries(*id));
            let seqs: Vec<u64> = tries.flat_map(|row| [row.seqs.0, row.seqs.1]).collect();
            let text = format!("{role} was in use {:.0}% of the time", used * 100.0);
            let agents = self.state.team.roles.iter();
            let agents = agents.filter(|row| row.spec.name.as_str() == role);
            let agents: u32 = agents.map(|row| row.spec.count).sum();
            let all = self.tasks.iter().filter(|(_, task)| of_role(task));
            if *used > FULL_ABOVE && all.count() > agents as usize {
                let said = Said {
                    text: text.clone(),
                    suggestion: format!(
                        "one more {role} would shorten the time that its tasks waited"
                    ),
                };
                let change = Change::AddAgent { role: role.clone() };
                self.add(("overloaded_role", role), said, &[], seqs.clone(), change);
            }
            if *used > 0.0 && *used < IDLE_BELOW && had_work {
                let said = Said {
                    text,
                    suggestion: format!("let {role} take over other kinds of task (`covers`)"),
                };
                self.add(
                    ("idle_role", role),
                    said,
                    &[],
                    seqs,
                    Change::CoverMore { role: role.clone() },
                );
            }
        }
    }

    fn estimates(&mut self) {
        let pace = self.metrics.pace.unwrap_or(1.0);
        let off = |factor: f64| {
            factor.is_finite() && !(1.0 / ESTIMATE_FACTOR..=ESTIMATE_FACTOR).contains(&factor)
        };
        let completed = |kind: Option<&str>| -> Vec<u64> {
            let of_kind = self
                .tasks
                .iter()
                .filter(|(_, task)| kind.is_none_or(|kind| task.spec.kind == kind));
            of_kind
                .filter_map(|(id, _)| self.facts.completed.get(id).copied())
                .collect()
        };
        let all = completed(None);
        // Commands that take seconds say nothing about hours of people's work.
        if off(pace) && pace >= 0.01 {
            let said = Said {
                text: format!("work took {:.0}% of what was estimated", pace * 100.0),
                suggestion: format!(
                    "multiply estimates by {pace:.2} to see when a sprint will really be done"
                ),
            };
            let change = Change::ScaleEstimates {
                kind: None,
                percent: percent(pace),
            };
            self.add(("estimate", ""), said, &[], all, change);
        }
        for (kind, cycle) in &self.metrics.cycle_hours {
            let factor = cycle.worked / cycle.estimated / pace;
            if cycle.tasks > 1 && off(factor) {
                let seqs = {
                    let of_kind = self
                        .tasks
                        .iter()
                        .filter(|(_, task)| task.spec.kind == *kind);
                    of_kind
                        .filter_map(|(id, _)| self.facts.completed.get(id).copied())
                        .collect()
                };
                let said = Said {
                    text: format!(
                        "{kind} took {factor:.1} times as long as other work of the same estimate"
                    ),
                    suggestion: format!("multiply estimates of {kind} by {factor:.1}"),
                };
                let change = Change::ScaleEstimates {
                    kind: Some(kind.clone()),
                    percent: percent(factor),
                };
                self.add(("estimate", kind), said, &[], seqs, change);
            }
        }
    }
}

/// A factor in percent, at least 1.
fn percent(factor: f64) -> u32 {
    (factor * 100.0).round().clamp(1.0, 1e6) as u32
}

fn times(number: usize) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

/// How many times, as people say it: beyond ten the number says nothing.
fn many_times(factor: f64) -> String {
    match factor < 10.0 {
        true => format!("{factor:.1} times"),
        false => "more than 10 times".to_owned(),
    }
}
