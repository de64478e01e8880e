//! The past: what a data directory's own journal says of how long work takes and what goes wrong.
//!
//! Every rate starts from a profile's, as if that had been seen in [`WEIGHT`] cases, and moves to what was really seen as
//! cases come in (the mean of a beta distribution with the profile as prior). So a journal of two tasks does not claim that
//! nothing ever fails, and one of two thousand speaks for itself. With every figure stands how many cases it rests on.
//!
//! Durations come from the habits fitted to finished tasks, once there are [`TASKS_MIN`]; with fewer, from the published ones at
//! the pace of those that there are.
//!
//! Elsewhere: what rates mean is `faults`; fitting is [`crate::estimate::habits`].

use std::collections::BTreeMap;

use director_protocols::event::Event;
use director_protocols::ids::{InboxId, SprintId, TaskId};
use director_protocols::inbox::InboxKind;
use director_protocols::severity::Severity;
use director_protocols::sprint::Estimate;
use director_protocols::time::{Span, Time};
use director_protocols::work::AttemptEnd;

use super::faults::Faults;
use crate::engine::state::State;
use crate::engine::tasks::Task;
use crate::estimate::habits::{EXACT, Finished, Habits, TASKS_MIN, pace};
use crate::estimate::{Durations, Model};
use crate::handle::Entry;

/// In how many cases a profile's rate counts as seen.
pub const WEIGHT: u64 = 20;
/// In how many cases a profile's time counts as seen.
const FEW: u64 = 5;

/// One figure that was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// What it is about; the name of the rate in a profile.
    pub name: &'static str,
    /// What is used from now on.
    pub value: u64,
    /// What the profile says.
    pub prior: u64,
    /// How often it was seen; of a time, how many were measured.
    pub seen: u64,
    /// In how many cases.
    pub cases: u64,
}

/// What is known of a team from its past.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// What goes wrong.
    pub faults: Faults,
    /// How estimates are read.
    pub model: Model,
    /// How actual effort relates to estimates.
    pub habits: Habits,
    /// What durations are multiplied by, in millionths.
    pub pace: u64,
    /// Tasks that were reported as done, with what they took.
    pub finished: usize,
    /// Each figure with what it rests on.
    pub learned: Vec<Learned>,
}

impl Past {
    /// Nothing is known: published habits, and a profile.
    pub fn unknown(profile: Faults) -> Self {
        Self {
            faults: profile,
            model: Model::default(),
            habits: Habits::published(),
            pace: EXACT,
            finished: 0,
            learned: Vec::new(),
        }
    }

    /// What the journal says, from `profile` on. `state` is the one that it leads to.
    pub fn of(state: &State, entries: &[Entry], profile: Faults) -> Self {
        let mut seen = Seen::default();
        for entry in entries {
            for event in &entry.events {
                seen.take(state, event, entry.at);
            }
        }
        seen.past(profile)
    }

    /// How long tasks of these estimates take.
    pub fn durations<'a>(&self, estimates: impl IntoIterator<Item = &'a Estimate>) -> Durations {
        Durations::of(self.model, &self.habits, estimates).times(self.pace)
    }

    /// Whether the journal says anything at all.
    pub fn is_empty(&self) -> bool {
        self.finished == 0 && self.learned.iter().all(|learned| learned.cases == 0)
    }
}

/// How often something happened, in how many cases.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    seen: u64,
    cases: u64,
}

impl Count {
    fn add(&mut self, seen: bool) {
        self.cases += 1;
        self.seen += u64::from(seen);
    }

    /// Out of a thousand.
    fn rate(self, prior: u32) -> u32 {
        let all = u64::from(prior) * WEIGHT + 1_000 * self.seen;
        ((all + (WEIGHT + self.cases) / 2) / (WEIGHT + self.cases)) as u32
    }
}

/// How long something took, on average.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    sum: u64,
    cases: u64,
}

impl Times {
    fn add(&mut self, span: Span) {
        self.sum = self.sum.saturating_add(span.0);
        self.cases += 1;
    }

    /// In seconds.
    fn mean(self, prior: u64) -> u64 {
        (prior * FEW + self.sum / 1_000) / (FEW + self.cases)
    }
}

/// A task while it is gone through.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    assigned: Option<Time>,
    /// Work until a blocker came up, which is not done again.
    kept: u64,
    /// What it took until it was reported first.
    took: Option<u64>,
}

/// What was seen.
#[derive(Debug, Default)]
struct Seen {
    tasks: BTreeMap<TaskId, Row>,
    finished: Vec<Finished>,
    fail: Count,
    crash: Count,
    hang: Count,
    block: Count,
    severity: [u64; 4],
    red: Count,
    review: Count,
    conflict: Count,
    rework: Times,
    answers: Times,
    gates: Times,
    asked: BTreeMap<InboxId, Time>,
    merging: BTreeMap<SprintId, Time>,
    cost_micros: u64,
    at_work: u64,
}

impl Seen {
    fn take(&mut self, state: &State, event: &Event, at: Time) {
        match event {
            Event::TaskAssigned(e) => {
                self.tasks.entry(e.task_id).or_default().assigned = Some(at);
            }
            Event::AttemptEnded(e) => self.ended(state, e.task_id, &e.end, at),
            // What failed and what was called off has cost something too.
            Event::CostSettled(e) if !state.tasks.get(e.task_id).is_none_or(Task::is_help) => {
                self.cost_micros = self.cost_micros.saturating_add(e.cost_micros);
            }
            Event::BlockerRaised(e) => {
                let tier = match e.severity {
                    Severity::Low => 0,
                    Severity::Medium => 1,
                    Severity::High => 2,
                    Severity::Critical => 3,
                };
                self.severity[tier] += 1;
            }
            Event::MergePrepared(e) => {
                self.conflict.add(false);
                self.merging.insert(e.sprint_id, at);
            }
            Event::MergeConflicted(_) => self.conflict.add(true),
            Event::QualityGateStatus(e) if !e.outcomes.is_empty() => {
                self.red.add(!e.passed);
                if let Some(from) = self.merging.remove(&e.sprint_id) {
                    self.gates.add(at.since(from));
                }
            }
            Event::WorkReviewed(e) => self.review.add(!e.passed),
            Event::InboxOpened(e) => match e.kind {
                InboxKind::Blocker | InboxKind::Question | InboxKind::Gate | InboxKind::Role => {
                    self.asked.insert(e.item, at);
                }
                // What it takes to do a task is effort, and nobody waits for the others.
                InboxKind::Task
                | InboxKind::Handoff
                | InboxKind::Deployment
                | InboxKind::Unclear
                | InboxKind::Fallback
                | InboxKind::Budget
                | InboxKind::Branch
                | InboxKind::Notice => {}
            },
            Event::InboxAnswered(e) => {
                if let Some(from) = self.asked.remove(&e.item) {
                    self.answers.add(at.since(from));
                }
            }
            _ => {}
        }
    }

    fn ended(&mut self, state: &State, id: TaskId, end: &AttemptEnd, at: Time) {
        let Some(task) = state.tasks.get(id).filter(|task| !task.is_help()) else {
            return;
        };
        let row = self.tasks.entry(id).or_default();
        let Some(from) = row.assigned.take() else {
            return;
        };
        let length = at.since(from).0;
        self.at_work += length;
        let (mut fail, mut crash, mut hang, mut block) = (false, false, false, false);
        match end {
            AttemptEnd::Done(_) => {
                match row.took {
                    None => {
                        let actual = Span(row.kept + length);
                        row.took = Some(actual.0);
                        let estimate = task.spec.estimate.mean();
                        if estimate.0 > 0 {
                            self.finished.push(Finished { estimate, actual });
                        }
                    }
                    // The share of its work that a rejection cost again, in thousandths.
                    Some(took) => self.rework.add(Span(
                        length
                            .saturating_mul(1_000_000)
                            .checked_div(took)
                            .unwrap_or(0)
                            .min(4_000_000),
                    )),
                }
            }
            AttemptEnd::Failed { .. } => fail = true,
            AttemptEnd::TimedOut { .. } => hang = true,
            AttemptEnd::Died { .. } => crash = true,
            AttemptEnd::Blocked(_) => {
                block = true;
                row.kept += length;
            }
            // Nothing was found out about it.
            AttemptEnd::BudgetReached
            | AttemptEnd::Cancelled
            | AttemptEnd::Interrupted
            | AttemptEnd::Limited { .. } => return,
        }
        for (count, seen) in [
            (&mut self.fail, fail),
            (&mut self.crash, crash),
            (&mut self.hang, hang),
            (&mut self.block, block),
        ] {
            count.add(seen);
        }
    }

    fn past(self, profile: Faults) -> Past {
        let mut faults = profile;
        let mut learned = Vec::new();
        for (name, rate, count) in [
            ("fail", &mut faults.fail, self.fail),
            ("crash", &mut faults.crash, self.crash),
            ("hang", &mut faults.hang, self.hang),
            ("block", &mut faults.block, self.block),
            ("red", &mut faults.red, self.red),
            ("review", &mut faults.review, self.review),
            ("conflict", &mut faults.conflict, self.conflict),
        ] {
            let prior = *rate;
            *rate = count.rate(prior);
            learned.push(Learned {
                name,
                value: u64::from(*rate),
                prior: u64::from(prior),
                seen: count.seen,
                cases: count.cases,
            });
        }
        let rework = self.rework.mean(u64::from(profile.rework)).min(1_000);
        faults.rework = rework as u32;
        for (name, value, prior, times) in [
            ("rework", rework, u64::from(profile.rework), self.rework),
            (
                "answer_seconds",
                self.answers.mean(profile.answer_seconds),
                profile.answer_seconds,
                self.answers,
            ),
            (
                "gates_seconds",
                self.gates.mean(profile.gates_seconds),
                profile.gates_seconds,
                self.gates,
            ),
        ] {
            learned.push(Learned {
                name,
                value,
                prior,
                seen: times.cases,
                cases: times.cases,
            });
        }
        faults.answer_seconds = self.answers.mean(profile.answer_seconds);
        faults.gates_seconds = self.gates.mean(profile.gates_seconds);
        for (part, seen) in faults.severity.iter_mut().zip(self.severity) {
            *part = part.saturating_add(u32::try_from(seen).unwrap_or(u32::MAX) / 2);
        }
        if self.cost_micros > 0 && faults.cost_per_hour_micros == 0 {
            let hour = u128::from(self.cost_micros) * 3_600_000 / u128::from(self.at_work.max(1));
            faults.cost_per_hour_micros = u64::try_from(hour).unwrap_or(u64::MAX);
        }
        let finished = self.finished.len();
        let (model, habits, pace) = match Habits::fit(&self.finished) {
            Ok(habits) => (Model::Habits, habits, EXACT),
            Err(_) => (Model::default(), Habits::published(), pace(&self.finished)),
        };
        Past {
            faults,
            model,
            habits,
            pace,
            finished,
            learned,
        }
    }
}

/// What [`Past`] has to say about durations, in a sentence.
pub fn of_durations(past: &Past) -> String {
    match (past.model, past.finished) {
        (Model::Habits, n) => format!("durations are fitted to {n} finished tasks of this data directory"),
        (_, 0) => "no task has been finished here yet: durations are those that the estimates and the published habits of other teams say".to_owned(),
        (_, n) => format!(
            "{n} finished {} too few to fit durations to ({TASKS_MIN} are needed): the published habits of other teams are taken, times {:.2} for the pace here",
            if n == 1 { "task is" } else { "tasks are" },
            past.pace as f64 / EXACT as f64
        ),
    }
}
