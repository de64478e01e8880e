//! How actual effort relates to estimated effort, by the size of the estimate: from a team's own past, or a published one.
//!
//! Small tasks mostly take exactly what was estimated, large ones seldom do, and the very large often come in under. So there is a
//! distribution of actual / estimate for each of five sizes: a share that came in under and a share over, with quantiles of each,
//! and between them the point "exactly as estimated". Between its quantiles a ratio is interpolated by its logarithm; beyond the outermost ones, at
//! 0.5 and 99.5 %, it does not go.
//!
//! [`Habits::published`] is fitted to the SiP data set: 10,022 finished tasks of a software company over ten years with their estimated
//! and actual hours (Derek M. Jones and Stephen Cullum, "A conversation around the analysis of the SiP effort estimation dataset",
//! arXiv 1901.01621). How well it forecasts tasks that it was not fitted to, `cargo run -p director-tests --bin calibration` measures.
//!
//! Elsewhere: what estimates themselves say about their uncertainty is [`super::curves`].

use director_protocols::time::Span;

use super::quantiles::{Quantiles, levels};

/// Ratios are in millionths; this one is "exactly as estimated".
pub const EXACT: u64 = 1_000_000;
/// Sizes of estimates: the first four end below 1, 3, 7 and 20 hours.
pub const SIZES: usize = 5;
/// Fewer finished tasks than this say nothing about how a team estimates.
pub const TASKS_MIN: usize = 20;
/// Fewer of one size are not judged apart from all the others.
const OF_SIZE_MIN: usize = 60;
/// The levels of the quantiles kept of those that came in under, in thousandths, and of those over.
const UNDER: [u32; KNOTS] = [5, 30, 100, 250, 500, 750, 900, 1000];
const OVER: [u32; KNOTS] = [0, 100, 250, 500, 750, 900, 970, 995];
const KNOTS: usize = 8;

/// Actual / estimate for one size of estimate. Shares and ratios in millionths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habit {
    /// The share that came in under the estimate.
    pub below: u32,
    /// The share that came in over it.
    pub above: u32,
    /// Quantiles of those under, rising.
    pub under: [u64; KNOTS],
    /// Quantiles of those over, rising.
    pub over: [u64; KNOTS],
}

/// Actual / estimate for every size of estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habits(pub [Habit; SIZES]);

/// What a finished task was estimated at, and what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The estimate, of a three-point estimate the mean.
    pub estimate: Span,
    /// The effort.
    pub actual: Span,
}

/// Too few finished tasks to learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found} finished tasks with an estimate are too few to learn from; {TASKS_MIN} are needed"
)]
pub struct TooFew {
    /// How many there are.
    pub found: usize,
}

/// The size of an estimate, `0..SIZES`.
pub fn size(estimate: Span) -> usize {
    let ends = [1, 3, 7, 20].map(Span::hours);
    ends.partition_point(|end| *end <= estimate)
}

impl Habits {
    /// Those of the SiP data set, for a team without a past.
    pub fn published() -> Self {
        PUBLISHED
    }

    /// Those of a team's own finished tasks. Tasks with an estimate of nothing are left out.
    ///
    /// A size with fewer than 60 tasks takes what holds for all sizes.
    ///
    /// # Errors
    /// [`TooFew`] below [`TASKS_MIN`].
    pub fn fit(finished: &[Finished]) -> Result<Self, TooFew> {
        let mut all = Vec::with_capacity(finished.len());
        let mut by_size: [Vec<u64>; SIZES] = Default::default();
        for task in finished.iter().filter(|task| task.estimate.0 > 0) {
            let ratio = u128::from(task.actual.0) * u128::from(EXACT) / u128::from(task.estimate.0);
            // An effort of nothing was not measured finely enough.
            let ratio = u64::try_from(ratio).unwrap_or(u64::MAX).max(1);
            all.push(ratio);
            by_size[size(task.estimate)].push(ratio);
        }
        if all.len() < TASKS_MIN {
            return Err(TooFew { found: all.len() });
        }
        let of_all = Habit::fit(all);
        Ok(Self(by_size.map(|ratios| {
            if ratios.len() < OF_SIZE_MIN {
                of_all.clone()
            } else {
                Habit::fit(ratios)
            }
        })))
    }

    /// How long a task of that estimate takes.
    pub fn durations(&self, estimate: Span) -> Quantiles {
        let habit = &self.0[size(estimate)];
        let levels = levels();
        Quantiles::tabulate(|place| estimate.0 as f64 * habit.ratio(levels[place]))
    }
}

/// What few finished tasks say of a team's pace, in millionths: the quotient of what they took and what was estimated, drawn towards
/// one by its logarithm, as if five tasks had come out exactly as estimated before.
pub fn pace(finished: &[Finished]) -> u64 {
    const BEFORE: f64 = 5.0;
    let sum = |of: fn(&Finished) -> u64| finished.iter().map(|task| of(task) as f64).sum::<f64>();
    let estimated = sum(|task| task.estimate.0);
    let took = sum(|task| task.actual.0.max(1));
    if estimated <= 0.0 {
        return EXACT;
    }
    let n = finished.len() as f64;
    let pace = libm::exp(n / (n + BEFORE) * libm::log(took / estimated));
    // As a cast it saturates.
    ((pace * EXACT as f64) as u64).clamp(1, 1_000 * EXACT)
}

impl Habit {
    fn fit(mut ratios: Vec<u64>) -> Self {
        ratios.sort_unstable();
        let under = &ratios[..ratios.partition_point(|ratio| *ratio < EXACT)];
        let over = &ratios[ratios.partition_point(|ratio| *ratio <= EXACT)..];
        let share = |part: &[u64]| (part.len() as u64 * 1_000_000 / ratios.len() as u64) as u32;
        Self {
            below: share(under),
            above: share(over),
            under: UNDER.map(|level| quantile(under, level)),
            over: OVER.map(|level| quantile(over, level)),
        }
    }

    /// Actual / estimate at a level between 0 and 1.
    pub fn ratio(&self, level: f64) -> f64 {
        let below = f64::from(self.below) / 1e6;
        let above = f64::from(self.above) / 1e6;
        if level < below {
            between(&UNDER, &self.under, level / below)
        } else if level > 1.0 - above {
            between(&OVER, &self.over, (level - (1.0 - above)) / above)
        } else {
            1.0
        }
    }
}

/// The value that `level` thousandths of `sorted` do not exceed; [`EXACT`] if there are none.
fn quantile(sorted: &[u64], level: u32) -> u64 {
    let place = (sorted.len() as u64 * u64::from(level))
        .div_ceil(1000)
        .max(1) as usize
        - 1;
    let value = sorted.get(place).or(sorted.last());
    value.copied().unwrap_or(EXACT)
}

/// The ratio at a level within its part: on a straight line between the logarithms of two quantiles.
fn between(levels: &[u32; KNOTS], ratios: &[u64; KNOTS], level: f64) -> f64 {
    let level = level * 1000.0;
    let ln = |at: usize| libm::log(ratios[at] as f64 / EXACT as f64);
    let above = levels.partition_point(|known| f64::from(*known) <= level);
    match above {
        0 => libm::exp(ln(0)),
        KNOTS.. => libm::exp(ln(KNOTS - 1)),
        at => {
            let [from, to] = [levels[at - 1], levels[at]].map(f64::from);
            let part = (level - from) / (to - from);
            libm::exp(ln(at - 1) + (ln(at) - ln(at - 1)) * part)
        }
    }
}

#[rustfmt::skip] // A table.
const PUBLISHED: Habits = Habits([
    Habit { below: 104_166, above: 143_939, under: [20_000, 100_000, 272_727, 500_000, 500_000, 660_000, 800_000, 960_000],
        over: [1_085_714, 1_500_000, 1_666_666, 2_000_000, 3_030_303, 5_500_000, 9_100_000, 70_940_000] },
    Habit { below: 266_968, above: 303_167, under: [50_000, 220_000, 333_333, 500_000, 625_000, 750_000, 833_333, 990_000],
        over: [1_030_000, 1_250_000, 1_333_333, 2_000_000, 2_750_000, 5_000_000, 7_500_000, 48_300_000] },
    Habit { below: 366_080, above: 367_114, under: [48_000, 142_857, 214_285, 400_000, 625_000, 833_333, 900_000, 994_285],
        over: [1_025_000, 1_142_857, 1_285_714, 1_650_000, 2_300_000, 3_785_714, 6_666_666, 13_620_000] },
    Habit { below: 515_237, above: 361_173, under: [35_714, 71_428, 142_857, 300_000, 525_000, 747_142, 875_000, 991_428],
        over: [1_013_571, 1_100_000, 1_222_222, 1_571_428, 2_357_142, 3_642_857, 6_892_857, 14_000_000] },
    Habit { below: 655_518, above: 332_775, under: [5_050, 20_000, 50_000, 164_285, 407_142, 650_000, 834_238, 996_428],
        over: [1_002_333, 1_069_714, 1_200_000, 1_524_583, 2_271_428, 3_713_428, 6_555_000, 66_843_333] },
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::random::{Luck, Purpose};

    #[test]
    fn sizes_begin_at_their_hours() {
        for (estimate, expected) in [
            (Span(1), 0),
            (Span::hours(1) - Span(1), 0),
            (Span::hours(1), 1),
            (Span::hours(3), 2),
            (Span::hours(7), 3),
            (Span::hours(20), 4),
            (Span(u64::MAX), 4),
        ] {
            assert_eq!(size(estimate), expected, "{estimate:?}");
        }
    }

    /// The means of the data themselves, by size: 1.34, 1.60, 1.30, 1.18 and 1.15 times the estimate.
    #[test]
    fn the_published_habits_have_the_point_and_the_mean_of_their_data() {
        for (hours, exactly, mean) in [
            (0.5, 0.752, 1.34),
            (2.0, 0.430, 1.60),
            (5.0, 0.267, 1.30),
            (10.0, 0.124, 1.18),
            (40.0, 0.012, 1.15),
        ] {
            let estimate = Span((hours * 3_600_000.0) as u64);
            let table = Habits::published().durations(estimate);
            let [below, at_most] = table.shares(estimate.0);
            // The point loses less than a cell of the table at either end.
            let point = at_most - below;
            assert!(
                point <= exactly + 0.001 && point > exactly - 0.032,
                "{hours} h: {point}"
            );
            let found = table.mean() as f64 / estimate.0 as f64;
            assert!((found / mean - 1.0).abs() < 0.08, "{hours} h: {found}");
        }
    }

    /// Tasks of all sizes whose actuals are drawn from the published habits.
    fn past(tasks: u32) -> Vec<Finished> {
        let luck = Luck::of(11, 0);
        let finished = (0..tasks).map(|task| {
            let hours = [0.5, 2.0, 5.0, 10.0, 40.0][task as usize % 5];
            let estimate = Span((hours * 3_600_000.0) as u64);
            let table = Habits::published().durations(estimate);
            let actual = Span(table.sample(luck.draw(task / 5, 1, Purpose::Duration)));
            Finished { estimate, actual }
        });
        finished.collect()
    }

    #[test]
    fn what_one_half_of_a_past_teaches_covers_the_other() {
        let past = past(4000);
        let (learn, look) = past.split_at(2000);
        let habits = Habits::fit(learn).unwrap();
        for (level, name) in [(0.5, "P50"), (0.85, "P85"), (0.95, "P95")] {
            let covered = look.iter().map(|task| {
                let table = habits.durations(task.estimate);
                let [below, at_most] = table.shares(task.actual.0);
                ((level - below) / (at_most - below).max(f64::EPSILON)).clamp(0.0, 1.0)
            });
            let covered = covered.sum::<f64>() / look.len() as f64;
            assert!((covered - level).abs() < 0.02, "{name} covers {covered}");
        }
    }

    #[test]
    fn a_past_that_is_too_short_or_lopsided_is_dealt_with() {
        let task = |hours, actual| Finished {
            estimate: Span::hours(hours),
            actual: Span::hours(actual),
        };
        assert_eq!(Habits::fit(&[]), Err(TooFew { found: 0 }));
        assert_eq!(
            Habits::fit(&vec![task(0, 1); 100]),
            Err(TooFew { found: 0 }),
            "an estimate of nothing teaches nothing"
        );
        for (case, tasks, expected) in [
            ("always exact", vec![task(2, 2); 20], 6),
            ("always double", vec![task(2, 4); 20], 12),
            ("always half", vec![task(2, 1); 20], 3),
        ] {
            let habits = Habits::fit(&tasks).unwrap();
            // Six hours are of a size that was never seen: what holds for all holds for it.
            let table = habits.durations(Span::hours(6));
            assert_eq!(table.quantile(500), Span::hours(expected).0, "case: {case}");
            assert_eq!(table.mean(), Span::hours(expected).0, "case: {case}");
        }
    }
}
