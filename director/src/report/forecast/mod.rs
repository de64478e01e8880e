//! A forecast as people and programs read it: JSON, and text for a terminal.
//!
//! Elsewhere: what is forecast is [`crate::simulate`].

mod charts;
mod compared;
mod json;
mod money;
mod start;
mod text;

use director_protocols::sprint::SprintSpec;

use crate::simulate::prepare::Prepared;
use crate::simulate::spread::Spread;
use crate::simulate::sums::{Sums, TaskSums};
use crate::simulate::what_if::Pairs;

pub use charts::{histogram, html};
pub use json::json;
pub use start::{Rest, Start};
pub(crate) use text::hours;
pub use text::{progress, text};

/// One forecast with all that is said of it.
pub struct Shown<'a> {
    /// The sprint.
    pub spec: &'a SprintSpec,
    /// The same, ready to run.
    pub set: &'a Prepared,
    /// From where it is looked ahead.
    pub start: &'a Start,
    /// What the runs add up to.
    pub sums: &'a Sums,
    /// The seed.
    pub seed: u64,
    /// The profile's name.
    pub faults: &'a str,
    /// Runs a second; left out where a seed has to fix everything.
    pub rate: Option<f64>,
    /// Tasks without an estimate in the file.
    pub assumed: usize,
    /// Variants, in the order in which they are shown.
    pub variants: &'a [Compared],
}

/// A variant beside the base.
#[derive(Clone, Debug)]
pub struct Compared {
    /// What was changed.
    pub name: String,
    /// What its runs add up to.
    pub sums: Sums,
    /// Run by run beside the base.
    pub pairs: Pairs,
    /// The ends of the base in the same runs.
    pub base: Spread,
}

impl Shown<'_> {
    /// What should be known when the figures are read, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = start::notes(self);
        let tasks = self.spec.tasks.len();
        if self.assumed > 0 {
            notes.push(format!(
                "{} of {tasks} tasks {} no estimate: an hour for each point was assumed, at least one hour; write `hours` or `estimate`",
                self.assumed,
                if self.assumed == 1 { "has" } else { "have" },
            ));
        }
        let limit = self.spec.policy.attempt_time;
        match self.set.over_limit {
            0 => {}
            1 => notes.push(format!(
                "1 task may take longer by its estimate than an attempt is given; the limit is left out for it here, and ends attempts in a run: see limits.attempt_time ({limit}) and the task's budget"
            )),
            many => notes.push(format!(
                "{many} tasks may take longer by their estimates than an attempt is given; the limit is left out for them here, and ends attempts in a run: see limits.attempt_time ({limit}) and the tasks' budget"
            )),
        }
        let one_number = self
            .spec
            .tasks
            .iter()
            .all(|task| task.estimate.optimistic == task.estimate.pessimistic);
        if one_number && matches!(self.start, Start::File) {
            notes.push(
                "every estimate is a single number: durations stray from it as tasks of its size did in published data; `estimate = { optimistic, likely, pessimistic }` says it of your own".to_owned(),
            );
        }
        notes.extend(money::notes(self));
        for (reason, runs) in &self.sums.stuck {
            notes.push(format!(
                "{runs} of {} runs did not end: {reason}",
                self.sums.runs
            ));
        }
        if self.sums.done == 0 {
            notes.push(format!(
                "the sprint finishes in none of the runs{}",
                self.why_never()
            ));
        }
        notes
    }

    /// The task that is given up most, where nothing ever finishes.
    fn why_never(&self) -> String {
        let worst = (0..)
            .zip(&self.spec.tasks)
            .map(|(place, task)| (self.task(place), task))
            // The first of those that are lost equally often.
            .min_by_key(|(sums, _)| std::cmp::Reverse(sums.lost))
            .filter(|(sums, _)| sums.lost > 0);
        worst.map_or_else(String::new, |(sums, task)| {
            format!(
                ": `{}` is given up in {} of {} of them",
                task.id, sums.lost, self.sums.runs
            )
        })
    }

    /// Utilisation of each role: name, and busy share of its agents' time.
    fn utilization(&self) -> Vec<(&str, f64, f64)> {
        let roles = &self.set.engine.state().team.roles;
        roles
            .iter()
            .zip(&self.sums.roles)
            .zip(&self.set.agents)
            .map(|((role, sums), agents)| {
                let there = self.sums.elapsed as f64 * f64::from(*agents);
                let share = if there > 0.0 {
                    sums.busy as f64 / there
                } else {
                    0.0
                };
                let waited = match sums.starts {
                    0 => 0.0,
                    starts => sums.waited as f64 / starts as f64 / HOUR,
                };
                (role.spec.name.as_str(), share, waited)
            })
            .collect()
    }

    /// What the runs say of the task at that place of the sprint.
    fn task(&self, place: usize) -> &TaskSums {
        &self.sums.tasks[self.row(place)]
    }

    /// Where it stands among the engine's tasks.
    fn row(&self, place: usize) -> usize {
        self.set.rows[place].index()
    }

    fn share(&self, part: u64) -> f64 {
        part as f64 / self.sums.runs.max(1) as f64
    }
}

/// An hour in milliseconds.
const HOUR: f64 = 3_600_000.0;

/// Half of the 95 % interval of a share of `n` (Wilson, JASA 22, 1927): the interval itself.
pub(crate) fn wilson(part: u64, n: u64) -> (f64, f64) {
    let z = crate::simulate::spread::Z95;
    let (n, p) = (n.max(1) as f64, part as f64 / n.max(1) as f64);
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}
