//! What if: variants of a sprint on the same luck as the sprint itself.
//!
//! Every run of a variant has the same seed and number as a run of the base, so the two meet the same luck task by task and
//! differ by what was varied alone. The mean of the differences is therefore known far better than the
//! difference of two means of independent runs would be (common random numbers).
//!
//! Elsewhere: running them side by side is `forecast`.

use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;

use super::prepare::Prepared;
use super::spread::Z95;
use super::sums::Sums;
use super::watch::Watch;

/// Tasks that [`auto`] halves at most.
const HALVED_MAX: usize = 8;
/// How often a task has to be critical, in thousandths of the runs, to be worth halving.
const RISKY: u64 = 100;

/// What the pairs of runs of base and variant add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// Pairs in which both finish.
    pub both: u64,
    /// Variant's end less base's, in milliseconds: sum and sum of squares.
    difference: i128,
    squares: u128,
    /// Pairs in which the variant ends earlier, and later.
    pub earlier: u64,
    /// See `earlier`.
    pub later: u64,
    /// Pairs in which only the variant is in time, and only the base.
    pub gained: u64,
    /// See `gained`.
    pub lost: u64,
    /// All pairs.
    pub all: u64,
}

impl Pairs {
    /// Takes one pair in.
    pub fn add(&mut self, base: &Watch, variant: &Watch, deadline: Option<u64>) {
        self.all += 1;
        let end = |watch: &Watch| match watch.is_done() {
            true => watch.ended.map(|(at, _)| at),
            false => None,
        };
        let in_time = |end: Option<u64>| {
            end.is_some_and(|end| deadline.is_none_or(|deadline| end <= deadline))
        };
        let (from, to) = (end(base), end(variant));
        self.gained += u64::from(in_time(to) && !in_time(from));
        self.lost += u64::from(in_time(from) && !in_time(to));
        if let (Some(from), Some(to)) = (from, to) {
            let difference = i128::from(to) - i128::from(from);
            self.both += 1;
            self.difference += difference;
            self.squares += (difference * difference) as u128;
            self.earlier += u64::from(to < from);
            self.later += u64::from(to > from);
        }
    }

    /// Takes all of other pairs in.
    pub fn merge(&mut self, other: &Pairs) {
        self.all += other.all;
        self.both += other.both;
        self.difference += other.difference;
        self.squares += other.squares;
        self.earlier += other.earlier;
        self.later += other.later;
        self.gained += other.gained;
        self.lost += other.lost;
    }

    /// Mean difference of the ends in milliseconds, negative where the variant is earlier, and half of its 95 % interval.
    pub fn difference(&self) -> (f64, f64) {
        let n = self.both as f64;
        if self.both < 2 {
            return (self.difference as f64, f64::INFINITY);
        }
        let mean = self.difference as f64 / n;
        let variance = ((self.squares as f64 - n * mean * mean) / (n - 1.0)).max(0.0);
        (mean, Z95 * (variance / n).sqrt())
    }

    /// Difference of the shares that are in time, and half of its 95 % interval (paired shares, McNemar 1947).
    pub fn in_time(&self) -> (f64, f64) {
        let n = self.all.max(1) as f64;
        let (gained, lost) = (self.gained as f64 / n, self.lost as f64 / n);
        let mean = gained - lost;
        (
            mean,
            Z95 * ((gained + lost - mean * mean).max(0.0) / n).sqrt(),
        )
    }
}

/// A sprint with something changed.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What was changed, in words.
    pub name: String,
    /// The sprint.
    pub spec: SprintSpec,
}

/// Variants that are worth a look, from what the base shows: one more and one fewer of each role that works, and each
/// task on which the end often hangs in half the time.
pub fn auto(spec: &SprintSpec, set: &Prepared, base: &Sums) -> Vec<Variant> {
    let mut variants = Vec::new();
    let roles = &set.engine.state().team.by_role;
    for (place, role) in spec.team.iter().enumerate() {
        let sums = roles
            .get(&role.name)
            .and_then(|id| base.roles.get(id.index()));
        if sums.is_none_or(|sums| sums.starts == 0) {
            continue;
        }
        let mut counts = vec![role.count + 1];
        if role.count > 1 {
            counts.push(role.count - 1);
        }
        for count in counts {
            let mut spec = spec.clone();
            spec.team[place].count = count;
            variants.push(Variant {
                name: format!("team.{}.count={count}", role.name),
                spec,
            });
        }
    }
    let critical = |task: usize| base.tasks[set.rows[task].index()].critical;
    let mut tasks: Vec<usize> = (0..spec.tasks.len().min(set.rows.len())).collect();
    tasks.retain(|task| critical(*task) * 1_000 >= base.runs * RISKY);
    tasks.sort_by_key(|task| (std::cmp::Reverse(critical(*task)), *task));
    for task in tasks.into_iter().take(HALVED_MAX) {
        let mut spec = spec.clone();
        let name = format!("task.{} in half the time", spec.tasks[task].id);
        let estimate = &mut spec.tasks[task].estimate;
        for span in [
            &mut estimate.optimistic,
            &mut estimate.likely,
            &mut estimate.pessimistic,
        ] {
            *span = Span(span.0 / 2);
        }
        variants.push(Variant { name, spec });
    }
    variants
}
