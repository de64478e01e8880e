//! How long tasks take, when estimates are only estimates: distributions, and durations drawn from them.
//!
//! ```text
//! three points ─▶ curves (PERT-beta, lognormal) ─┐
//! one number   ─▶ habits (actual / estimate)     ├─▶ quantiles ─▶ a duration for seed, run, task, attempt
//! a past       ─▶ habits, fitted to it           ┘                          └─ random
//! ```
//!
//! One set of models for all that looks ahead: simulation, forecast, and the planner where it minds the risk.
//!
//! Invariant: the same seed gives the same durations, bit for bit, on every machine and with any number of threads. Floats exist only
//! while a table is made, by arithmetic and `libm`; what comes out are whole milliseconds.
//! Elsewhere: failures, blockers and what else can happen to an attempt is the simulation's.

pub mod curves;
pub mod habits;
pub mod quantiles;
pub mod random;

use std::collections::BTreeMap;

use director_protocols::sprint::Estimate;

use self::curves::Curves;
use self::habits::Habits;
use self::quantiles::{Quantiles, look_up};
use self::random::{Luck, Purpose};

/// How estimates are read. A task estimated by one number goes by [`Habits`] except with [`Model::Exact`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Model {
    /// Three points as PERT's beta distribution.
    #[default]
    Pert,
    /// Three points as the lognormal of the same mean and deviation.
    Lognormal,
    /// The mean of the three points as a number of its own, by habits alone: for a team's own past.
    Habits,
    /// Every task takes its mean, always.
    Exact,
}

/// The distribution of each task's duration, ready to draw from. Equal estimates share a table of 1.5 kB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    tables: Vec<Quantiles>,
    table_of: Vec<u32>,
}

impl Durations {
    /// Those of tasks with these estimates, in their order. Costs some microseconds for each estimate that differs.
    pub fn of<'a>(
        model: Model,
        habits: &Habits,
        estimates: impl IntoIterator<Item = &'a Estimate>,
    ) -> Self {
        let curves = Curves::default();
        let mut tables = Vec::new();
        let mut known = BTreeMap::new();
        let table_of = estimates.into_iter().map(|estimate| {
            let points = [estimate.optimistic, estimate.likely, estimate.pessimistic];
            *known.entry(points).or_insert_with(|| {
                tables.push(table(model, habits, &curves, estimate));
                tables.len() as u32 - 1
            })
        });
        let table_of = table_of.collect();
        Self { tables, table_of }
    }

    /// Those of tasks with these distributions, in their order.
    pub fn of_tables(tables: Vec<Quantiles>) -> Self {
        let table_of = (0..tables.len() as u32).collect();
        Self { tables, table_of }
    }

    /// These at another pace, in millionths: every duration times that.
    #[must_use]
    pub fn times(mut self, pace: u64) -> Self {
        if pace != 1_000_000 {
            for table in &mut self.tables {
                *table = table.times(pace);
            }
        }
        self
    }

    /// How long an attempt at a task takes in that run, in milliseconds.
    ///
    /// # Panics
    /// For a task that is none of these.
    #[inline]
    pub fn draw(&self, luck: Luck, task: u32, attempt: u32) -> u64 {
        let table = &self.tables[self.table_of[task as usize] as usize];
        look_up(table.entries(), luck.draw(task, attempt, Purpose::Duration))
    }

    /// The distribution of one task's duration.
    ///
    /// # Panics
    /// For a task that is none of these.
    pub fn of_task(&self, task: u32) -> &Quantiles {
        &self.tables[self.table_of[task as usize] as usize]
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.table_of.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.table_of.is_empty()
    }
}

fn table(model: Model, habits: &Habits, curves: &Curves, estimate: &Estimate) -> Quantiles {
    let is_one_number = estimate.optimistic == estimate.pessimistic;
    match model {
        Model::Exact => Quantiles::fixed(estimate.mean().0),
        Model::Habits => habits.durations(estimate.mean()),
        _ if is_one_number => habits.durations(estimate.mean()),
        Model::Pert => curves.pert(estimate),
        Model::Lognormal => curves.lognormal(estimate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use director_protocols::time::Span;

    /// Tables and draws of every model as numbers of this file: on another machine, or with another compiler, they are the same.
    #[test]
    fn a_seed_means_the_same_durations_everywhere() {
        let hours = |optimistic, likely, pessimistic| Estimate {
            optimistic: Span::hours(optimistic),
            likely: Span::hours(likely),
            pessimistic: Span::hours(pessimistic),
        };
        let estimates = [
            hours(1, 3, 9),
            hours(4, 4, 4),
            hours(2, 2, 40),
            hours(30, 30, 30),
        ];
        let mut found = String::new();
        for model in [Model::Pert, Model::Lognormal, Model::Habits, Model::Exact] {
            let durations = Durations::of(model, &Habits::published(), &estimates);
            let luck = Luck::of(42, 7);
            let drawn: Vec<u64> = (0..4).map(|task| durations.draw(luck, task, 1)).collect();
            let bytes: Vec<u8> = durations
                .tables
                .iter()
                .flat_map(|table| table.entries().iter().flat_map(|entry| entry.to_le_bytes()))
                .collect();
            let digest = director_protocols::digest::Digest::of(&bytes).to_string();
            found += &format!("{model:?} {drawn:?} {}\n", &digest[..16]);
        }
        expect_test::expect![[r#"
            Pert [16632769, 3146161, 93367534, 239921307] 549602d9ebf2abff
            Lognormal [15691210, 3146161, 125736343, 239921307] a082aa21452c34be
            Habits [18060077, 3146161, 280512507, 239921307] 7081ef275ba94e82
            Exact [13200000, 14400000, 30000000, 108000000] 52e420ec3cf037ab
        "#]]
        .assert_eq(&found);
    }

    #[test]
    fn equal_estimates_share_a_table() {
        let one = Estimate::point(Span::hours(1));
        let durations = Durations::of(Model::Pert, &Habits::published(), &vec![one; 1000]);
        assert_eq!((durations.len(), durations.tables.len()), (1000, 1));
    }
}
