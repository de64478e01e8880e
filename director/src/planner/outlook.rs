//! What a list comes to when durations are uncertain: thousands of runs of it, each with its own luck.
//!
//! Run `n` of a seed has the same luck whatever the list is, so two lists are compared on the same futures (common random numbers), and
//! a run is the same on whichever thread it is made. Parts of the runs are added up in any order to the same [`Outlook`].
//!
//! Elsewhere: one run is [`super::policy`]; the threads are `perform`'s.

use std::ops::Range;

use super::policy::{Policy, Run};
use crate::estimate::Durations;
use crate::estimate::random::Luck;

/// What many runs came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// When each run was over, rising, in milliseconds from the start.
    finishes: Vec<u64>,
    /// By task: in how many runs it was on the chain that decided the end.
    critical: Vec<u64>,
}

impl Outlook {
    /// Makes these runs of a seed.
    pub fn of(policy: &Policy, durations: &Durations, seed: u64, runs: Range<u64>) -> Self {
        let mut run = Run::default();
        let mut critical = vec![0; policy.len()];
        let mut finishes: Vec<u64> = runs
            .map(|number| {
                let luck = Luck::of(seed, number);
                let finish = run.go(policy, |task| durations.draw(luck, task, 1));
                for task in run.chain() {
                    critical[task as usize] += 1;
                }
                finish
            })
            .collect();
        finishes.sort_unstable();
        Self { finishes, critical }
    }

    /// Both parts together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.finishes.extend(other.finishes);
        self.finishes.sort_unstable();
        if self.critical.is_empty() {
            self.critical = other.critical;
        } else {
            for (sum, more) in self.critical.iter_mut().zip(other.critical) {
                *sum += more;
            }
        }
        self
    }

    /// How many runs there were.
    pub fn runs(&self) -> usize {
        self.finishes.len()
    }

    /// The finish that `per_mille` of a thousand runs do not exceed, in milliseconds; 0 without runs.
    pub fn quantile(&self, per_mille: u32) -> u64 {
        let rank = (self.finishes.len() as u64 * u64::from(per_mille)).div_ceil(1000);
        let place = (rank.max(1) as usize).min(self.finishes.len());
        self.finishes
            .get(place.wrapping_sub(1))
            .copied()
            .unwrap_or(0)
    }

    /// The mean finish in milliseconds; 0 without runs.
    pub fn mean(&self) -> u64 {
        let sum: u128 = self.finishes.iter().map(|&finish| u128::from(finish)).sum();
        (sum / self.finishes.len().max(1) as u128) as u64
    }

    /// When each run was over, rising, in milliseconds from the start.
    pub fn finishes(&self) -> &[u64] {
        &self.finishes
    }

    /// The criticality index of a task, in thousandths: in how many of the runs it was on the chain that decided the end (Van Slyke,
    /// Operations Research 11, 1963; with agents and worktrees as well as dependencies).
    pub fn criticality(&self, task: u32) -> u32 {
        let of = self.critical.get(task as usize).copied().unwrap_or(0);
        (of * 1000 / self.finishes.len().max(1) as u64) as u32
    }
}
