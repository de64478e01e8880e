//! What many runs cost, and in how many the budgets do not suffice.
//!
//! In a forecast a person who is asked to raise a budget says yes, after as long as people take: so the end is that of the whole sprint, and the cost that of
//! all of it. A run in which somebody is asked is made once more with the same luck, and there nobody raises anything. What is
//! done in the one and not in the other is what the money does not suffice for.
//!
//! Elsewhere: what attempts cost is `price`; what people are told is [`crate::report::forecast`].

use director_protocols::forecast::CostForecast;

use super::spread::Spread;
use super::watch::Watch;
use super::world::World;

/// All runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// What the sprint costs, with what was spent before the runs, in millionths of a dollar.
    pub cost: Spread,
    /// Runs in which something stays undone unless a budget is raised.
    pub short: u64,
    /// In those, when a person is asked first, in milliseconds.
    pub asked: Spread,
    /// In those, how many tasks stay undone.
    pub undone: Spread,
    /// By task: runs in which it does.
    pub tasks: Vec<u64>,
    /// Runs in which all is done with the budgets as they are.
    pub done: u64,
    /// Those in which it is done in time.
    pub on_time: u64,
}

impl Money {
    /// Nothing yet, of so many tasks.
    pub fn new(tasks: usize) -> Self {
        Self {
            tasks: vec![0; tasks],
            ..Self::default()
        }
    }

    /// Takes one run in, and what became of it where nobody raised a budget, if anybody was asked to.
    pub fn add(&mut self, run: &World<'_>, held: Option<&Watch>) {
        self.cost.add(run.cost());
        let seen = held.unwrap_or(&run.watch);
        let end = seen.ended.map_or(0, |(at, _)| at);
        let in_time = run.deadline().is_none_or(|deadline| end <= deadline);
        self.done += u64::from(seen.is_done());
        self.on_time += u64::from(seen.is_done() && in_time);
        let Some(held) = held else { return };
        let pairs = run.watch.tasks.iter().zip(&held.tasks);
        let mut undone = 0;
        for ((whole, held), sum) in pairs.zip(&mut self.tasks) {
            let lacks = whole.done.is_some() && held.done.is_none();
            *sum += u64::from(lacks);
            undone += u64::from(lacks);
        }
        if undone > 0 {
            self.short += 1;
            self.undone.add(undone);
            self.asked.add(held.asked.unwrap_or_default());
        }
    }

    /// The same as it is recorded, of so many runs; none where nothing costs anything and nothing stays undone for it.
    pub fn in_short(&self, runs: u64) -> Option<CostForecast> {
        let at = |part: f64| self.cost.quantile(part);
        (self.cost.max() > 0 || self.short > 0).then(|| CostForecast {
            p50_micros: at(0.5),
            p85_micros: at(0.85),
            p95_micros: at(0.95),
            short_probability: (self.short * 1_000 / runs.max(1)) as u32,
        })
    }

    /// Takes all of other runs in.
    pub fn merge(&mut self, other: &Money) {
        self.cost.merge(&other.cost);
        self.short += other.short;
        self.asked.merge(&other.asked);
        self.undone.merge(&other.undone);
        for (mine, theirs) in self.tasks.iter_mut().zip(&other.tasks) {
            *mine += theirs;
        }
        self.done += other.done;
        self.on_time += other.on_time;
    }
}
