//! What many runs add up to. Whole numbers only, so any order and any number of threads give the same bits.
//!
//! Elsewhere: what one run shows is `watch`; what people are told is `forecast`.

use std::collections::BTreeMap;

use director_protocols::forecast::Forecast;
use director_protocols::time::Span;

use super::money::Money;
use super::prepare::Prepared;
use super::spread::Spread;
use super::watch::{Quarter, Watch};
use super::world::Ending;

/// A task over all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskSums {
    /// Runs in which it was on the chain that decided the end.
    pub critical: u64,
    /// Runs in which it was completed.
    pub done: u64,
    /// Runs in which it was given up.
    pub lost: u64,
    /// First assignment to completion, where it was completed, in milliseconds.
    pub cycle: u128,
    /// Waiting for an agent, in milliseconds.
    pub waited: u128,
    /// Attempts.
    pub attempts: u64,
    /// Time in agents' hands in seconds: sum, squares, and products with the end of the sprint.
    busy: u128,
    busy_squares: u128,
    busy_end: u128,
    /// Runs that finish in which its work is in its shortest and its longest quarter, with their ends in milliseconds.
    shortest: (u64, u128),
    longest: (u64, u128),
}

impl TaskSums {
    /// The mean end of the sprint, in milliseconds, where the task is in its shortest and where it is in its longest
    /// quarter; none where it does not vary or one of them was never seen.
    pub fn swing(&self) -> Option<(f64, f64)> {
        let mean = |(runs, ends): (u64, u128)| (runs > 0).then(|| ends as f64 / runs as f64);
        Some((mean(self.shortest)?, mean(self.longest)?))
    }
}

/// A role over all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleSums {
    /// Time of its agents with a task in hand, in milliseconds.
    pub busy: u128,
    /// Time that tasks waited for it.
    pub waited: u128,
    /// How often a task was given to it.
    pub starts: u64,
}

/// All runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many.
    pub runs: u64,
    /// Those in which everything that was committed is done.
    pub done: u64,
    /// Those in which it is done in time.
    pub on_time: u64,
    /// The end of the sprint where all is done, in milliseconds.
    pub finish: Spread,
    /// Agents' time at work, in milliseconds.
    pub effort: Spread,
    /// Points completed in time, or at all without a deadline.
    pub points: Spread,
    /// The end of every sprint, done or not, added up.
    pub elapsed: u128,
    /// By task.
    pub tasks: Vec<TaskSums>,
    /// By role.
    pub roles: Vec<RoleSums>,
    /// By kind of trouble.
    pub troubles: [u64; 9],
    /// Blockers by the tiers they reached.
    pub tiers: [u64; 4],
    /// Runs that did not end by themselves, by the reason.
    pub stuck: BTreeMap<String, u64>,
    /// What they cost.
    pub money: Money,
    ends: u128,
    end_squares: u128,
}

/// The most different reasons that are kept.
const REASONS_MAX: usize = 8;

impl Sums {
    /// Nothing yet.
    pub fn new(set: &Prepared) -> Self {
        Self {
            tasks: vec![TaskSums::default(); set.tasks.len()],
            roles: vec![RoleSums::default(); set.agents.len()],
            money: Money::new(set.tasks.len()),
            ..Self::default()
        }
    }

    /// Nothing, of the same sprint.
    pub fn none(&self) -> Self {
        Self {
            tasks: vec![TaskSums::default(); self.tasks.len()],
            roles: vec![RoleSums::default(); self.roles.len()],
            money: Money::new(self.tasks.len()),
            ..Self::default()
        }
    }

    /// Takes one run in.
    pub fn add(&mut self, watch: &Watch, ending: &Ending, deadline: Option<u64>) {
        self.runs += 1;
        let reason = match ending {
            Ending::Stuck(reason) => Some(reason),
            Ending::Ended => watch.refused.as_ref(),
        };
        if let Some(reason) = reason {
            self.stuck_because(reason, 1);
        }
        let end = watch.ended.map_or(0, |(at, _)| at);
        self.elapsed += u128::from(end);
        if watch.is_done() {
            self.done += 1;
            self.on_time += u64::from(deadline.is_none_or(|deadline| end <= deadline));
            self.finish.add(end);
        }
        let seconds = end / 1_000;
        self.ends += u128::from(seconds);
        self.end_squares += u128::from(seconds) * u128::from(seconds);
        self.effort
            .add(watch.roles.iter().map(|role| role.busy).sum());
        self.points.add(u64::from(watch.points_in_time));
        for (sums, seen) in self.tasks.iter_mut().zip(&watch.tasks) {
            sums.critical += u64::from(seen.critical);
            sums.lost += u64::from(seen.lost);
            if let (Some(began), Some(done)) = (seen.began, seen.done) {
                sums.done += 1;
                sums.cycle += u128::from(done - began);
            }
            sums.waited += u128::from(seen.waited);
            sums.attempts += u64::from(seen.attempts);
            let busy = seen.busy / 1_000;
            sums.busy += u128::from(busy);
            sums.busy_squares += u128::from(busy) * u128::from(busy);
            sums.busy_end += u128::from(busy) * u128::from(seconds);
            let quarter = match seen.quarter {
                Quarter::Shortest => Some(&mut sums.shortest),
                Quarter::Longest => Some(&mut sums.longest),
                Quarter::Middle => None,
            };
            if let Some((runs, ends)) = quarter.filter(|_| watch.is_done()) {
                *runs += 1;
                *ends += u128::from(end);
            }
        }
        for (sums, seen) in self.roles.iter_mut().zip(&watch.roles) {
            sums.busy += u128::from(seen.busy);
            sums.waited += u128::from(seen.waited);
            sums.starts += u64::from(seen.starts);
        }
        for (sum, seen) in self.troubles.iter_mut().zip(watch.troubles) {
            *sum += u64::from(seen);
        }
        for (sum, seen) in self.tiers.iter_mut().zip(watch.tiers) {
            *sum += u64::from(seen);
        }
    }

    fn stuck_because(&mut self, reason: &str, times: u64) {
        // Which are kept must not depend on the order: the first in the alphabet.
        *self.stuck.entry(reason.to_owned()).or_default() += times;
        if self.stuck.len() > REASONS_MAX {
            self.stuck.pop_last();
        }
    }

    /// Takes all of other runs in.
    pub fn merge(&mut self, other: &Sums) {
        self.runs += other.runs;
        self.done += other.done;
        self.on_time += other.on_time;
        self.finish.merge(&other.finish);
        self.effort.merge(&other.effort);
        self.points.merge(&other.points);
        self.elapsed += other.elapsed;
        self.ends += other.ends;
        self.end_squares += other.end_squares;
        for (mine, theirs) in self.tasks.iter_mut().zip(&other.tasks) {
            mine.critical += theirs.critical;
            mine.done += theirs.done;
            mine.lost += theirs.lost;
            mine.cycle += theirs.cycle;
            mine.waited += theirs.waited;
            mine.attempts += theirs.attempts;
            mine.busy += theirs.busy;
            mine.busy_squares += theirs.busy_squares;
            mine.busy_end += theirs.busy_end;
            for (mine, theirs) in [
                (&mut mine.shortest, theirs.shortest),
                (&mut mine.longest, theirs.longest),
            ] {
                *mine = (mine.0 + theirs.0, mine.1 + theirs.1);
            }
        }
        for (mine, theirs) in self.roles.iter_mut().zip(&other.roles) {
            mine.busy += theirs.busy;
            mine.waited += theirs.waited;
            mine.starts += theirs.starts;
        }
        for (mine, theirs) in self.troubles.iter_mut().zip(other.troubles) {
            *mine += theirs;
        }
        for (mine, theirs) in self.tiers.iter_mut().zip(other.tiers) {
            *mine += theirs;
        }
        self.money.merge(&other.money);
        for (reason, times) in &other.stuck {
            self.stuck_because(reason, *times);
        }
    }

    /// The forecast as it is recorded; `None` where no run has all done.
    pub fn in_short(&self, seed: u64) -> Option<Forecast> {
        let at = |part: f64| Span(self.finish.quantile(part));
        (self.done > 0).then(|| Forecast {
            runs: self.runs,
            seed,
            done_probability: (self.done * 1_000 / self.runs.max(1)) as u32,
            p50: at(0.5),
            p85: at(0.85),
            p95: at(0.95),
            cost: self.money.in_short(self.runs),
        })
    }

    /// The correlation of the time that a task took with the end of the sprint: its cruciality (Williams, Criticality
    /// in stochastic networks, JORS 43, 1992); 0 where either never varies.
    pub fn cruciality(&self, task: usize) -> f64 {
        let sums = &self.tasks[task];
        let n = self.runs as f64;
        let mean = |sum: u128| sum as f64 / n;
        let (x, y) = (mean(sums.busy), mean(self.ends));
        let variance = |squares: u128, mean_of: f64| (mean(squares) - mean_of * mean_of).max(0.0);
        let both = variance(sums.busy_squares, x) * variance(self.end_squares, y);
        if both <= 0.0 {
            return 0.0;
        }
        ((mean(sums.busy_end) - x * y) / both.sqrt()).clamp(-1.0, 1.0)
    }
}
