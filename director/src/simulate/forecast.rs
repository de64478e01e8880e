//! A forecast: many runs of one sprint and of variants of it, with the same bits for any number of threads.
//!
//! Runs are made in rounds. Threads take parts of a round as they come; because runs are independent and sums are whole
//! numbers, it does not matter who made which. Between rounds the estimates so far are shown, and the wanted
//! precision may end it. What is kept does not grow with the runs.
//!
//! Elsewhere: what variants are is `what_if`; one run is `world`.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::prepare::{Prepared, SimulateError};
use super::sums::Sums;
use super::what_if::Pairs;
use super::world::World;

/// Runs in the first round; each round doubles what there is, up to [`ROUND_MAX`] more.
const ROUND_MIN: u64 = 256;
const ROUND_MAX: u64 = 8_192;
/// Runs that a thread takes at a time.
const PART: u64 = 32;

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// The most runs.
    pub runs: u64,
    /// The seed that fixes everything.
    pub seed: u64,
    /// Threads to run on; 0 counts as 1.
    pub threads: usize,
    /// Ends before all runs are made, once mean and P85 of the end are known this well: half of their 95 % interval, as
    /// a share of themselves.
    pub precision: Option<f64>,
}

/// What the runs of a sprint and of its variants add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The sprint itself.
    pub base: Sums,
    /// Its variants on the same luck, each beside its pairs with the base.
    pub variants: Vec<(Sums, Pairs)>,
}

/// Runs a sprint many times, and each of `variants` as often on the same luck. `seen` hears what is known after each round.
///
/// # Errors
/// [`SimulateError::NoRuns`].
pub fn forecast(
    set: &Prepared,
    variants: &[Prepared],
    extent: &Extent,
    seen: &mut dyn FnMut(&Sums),
) -> Result<Forecast, SimulateError> {
    forecast_until(set, variants, extent, &AtomicBool::new(false), seen)
}

/// The same, until somebody sets `stop`: then the round under way is left out, so that what there is are the first runs, as ever.
///
/// # Errors
/// [`SimulateError::NoRuns`], or [`SimulateError::Stopped`] when not one round was done by then.
pub fn forecast_until(
    set: &Prepared,
    variants: &[Prepared],
    extent: &Extent,
    stop: &AtomicBool,
    seen: &mut dyn FnMut(&Sums),
) -> Result<Forecast, SimulateError> {
    if extent.runs == 0 {
        return Err(SimulateError::NoRuns);
    }
    let mut known = Forecast {
        base: Sums::new(set),
        variants: variants
            .iter()
            .map(|set| (Sums::new(set), Pairs::default()))
            .collect(),
    };
    // Each thread but the first has copies of its own.
    let copies: Vec<(Prepared, Vec<Prepared>)> = (1..extent.threads)
        .map(|_| (set.apart(), variants.iter().map(Prepared::apart).collect()))
        .collect();
    let mut crews = vec![Crew::of(set, variants)];
    crews.extend(copies.iter().map(|(set, variants)| Crew::of(set, variants)));
    while known.base.runs < extent.runs {
        let from = known.base.runs;
        let more = from.clamp(ROUND_MIN, ROUND_MAX).min(extent.runs - from);
        if !round(&mut crews, &mut known, extent.seed, from..from + more, stop) {
            return match known.base.runs {
                0 => Err(SimulateError::Stopped),
                _ => Ok(known),
            };
        }
        seen(&known.base);
        if extent
            .precision
            .is_some_and(|wanted| is_known(&known.base, wanted))
        {
            break;
        }
    }
    Ok(known)
}

/// The worlds of one thread.
struct Crew<'a> {
    base: Worlds<'a>,
    variants: Vec<Worlds<'a>>,
}

/// A sprint in which people raise budgets when they are asked, and the same where nobody does, made when somebody is first asked.
struct Worlds<'a> {
    world: World<'a>,
    held: Option<World<'a>>,
}

impl<'a> Worlds<'a> {
    fn of(set: &'a Prepared) -> Self {
        Self {
            world: World::new(set),
            held: None,
        }
    }

    fn run(&mut self, seed: u64, run: u64, sums: &mut Sums) {
        let ending = self.world.run(seed, run);
        sums.add(&self.world.watch, &ending, self.world.deadline());
        let held = self.world.watch.asked.is_some().then(|| {
            let set = self.world.prepared();
            let held = self.held.get_or_insert_with(|| World::holding(set));
            held.run(seed, run);
            &held.watch
        });
        sums.money.add(&self.world, held);
    }
}

impl<'a> Crew<'a> {
    fn of(set: &'a Prepared, variants: &'a [Prepared]) -> Self {
        Self {
            base: Worlds::of(set),
            variants: variants.iter().map(Worlds::of).collect(),
        }
    }

    fn run(&mut self, seed: u64, run: u64, part: &mut Forecast) {
        self.base.run(seed, run, &mut part.base);
        let base = &self.base.world;
        for (variant, (sums, pairs)) in self.variants.iter_mut().zip(&mut part.variants) {
            variant.run(seed, run, sums);
            pairs.add(&base.watch, &variant.world.watch, base.deadline());
        }
    }
}

/// Makes some runs and adds them to what is known; says whether it did, which it does not once it is to stop.
fn round(
    crews: &mut [Crew<'_>],
    known: &mut Forecast,
    seed: u64,
    runs: Range<u64>,
    stop: &AtomicBool,
) -> bool {
    let (next, to) = (AtomicU64::new(runs.start), runs.end);
    let empty = Forecast {
        base: known.base.none(),
        variants: known
            .variants
            .iter()
            .map(|(sums, _)| (sums.none(), Pairs::default()))
            .collect(),
    };
    let work = |crew: &mut Crew<'_>| {
        let mut part = empty.clone();
        loop {
            let first = next.fetch_add(PART, Ordering::Relaxed);
            if first >= to {
                return part;
            }
            for run in first..(first + PART).min(to) {
                if stop.load(Ordering::Relaxed) {
                    return part;
                }
                crew.run(seed, run, &mut part);
            }
        }
    };
    let Some((first, others)) = crews.split_first_mut() else {
        return false;
    };
    let parts = thread::scope(|scope| {
        let others: Vec<_> = others
            .iter_mut()
            .map(|crew| scope.spawn(|| work(crew)))
            .collect();
        let mut parts = vec![work(first)];
        for other in others {
            match other.join() {
                Ok(part) => parts.push(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    // Set in the meantime, runs may be missing from the middle.
    let whole = !stop.load(Ordering::Relaxed);
    if whole {
        parts.iter().for_each(|part| known.merge(part));
    }
    whole
}

impl Forecast {
    fn merge(&mut self, other: &Forecast) {
        self.base.merge(&other.base);
        for ((sums, pairs), (more, others)) in self.variants.iter_mut().zip(&other.variants) {
            sums.merge(more);
            pairs.merge(others);
        }
    }
}

/// Whether mean and P85 of the end are known to `wanted` of themselves.
fn is_known(sums: &Sums, wanted: f64) -> bool {
    let finish = &sums.finish;
    if finish.count() < ROUND_MIN {
        return false;
    }
    let (low, high) = finish.quantile_interval(0.85);
    let p85 = finish.quantile(0.85).max(1) as f64;
    finish.mean_error() <= wanted * finish.mean() && (high - low) as f64 / 2.0 <= wanted * p85
}
