//! A forecast: many runs of one sprint, on as many threads as wished, with the same bits for any number of them.
//!
//! Runs are made in rounds. Threads take parts of a round as they come; because runs are independent and sums are whole
//! numbers, it does not matter who made which. Between rounds the estimates so far are shown, and the wanted
//! precision may end it.
//!
//! Elsewhere: variants on the same seeds are `what_if`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::prepare::{Prepared, SimulateError};
use super::sums::Sums;
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

/// Runs a sprint many times. `seen` hears what is known after each round.
///
/// # Errors
/// [`SimulateError::NoRuns`].
pub fn forecast(
    set: &Prepared,
    extent: &Extent,
    seen: &mut dyn FnMut(&Sums),
) -> Result<Sums, SimulateError> {
    if extent.runs == 0 {
        return Err(SimulateError::NoRuns);
    }
    let mut sums = Sums::new(set);
    let mut worlds: Vec<World<'_>> = (0..extent.threads.max(1))
        .map(|_| World::new(set))
        .collect();
    while sums.runs < extent.runs {
        let from = sums.runs;
        let more = from.clamp(ROUND_MIN, ROUND_MAX).min(extent.runs - from);
        round(&mut worlds, &mut sums, extent.seed, from, from + more);
        seen(&sums);
        if extent
            .precision
            .is_some_and(|wanted| is_known(&sums, wanted))
        {
            break;
        }
    }
    Ok(sums)
}

fn round(worlds: &mut [World<'_>], sums: &mut Sums, seed: u64, from: u64, to: u64) {
    let next = AtomicU64::new(from);
    let empty = sums.none();
    let work = |world: &mut World<'_>| {
        let mut part = empty.clone();
        loop {
            let first = next.fetch_add(PART, Ordering::Relaxed);
            if first >= to {
                return part;
            }
            for run in first..(first + PART).min(to) {
                let ending = world.run(seed, run);
                let deadline = world.deadline();
                part.add(&world.watch, &ending, deadline);
            }
        }
    };
    let Some((first, others)) = worlds.split_first_mut() else {
        return;
    };
    thread::scope(|scope| {
        let others: Vec<_> = others
            .iter_mut()
            .map(|world| scope.spawn(|| work(world)))
            .collect();
        sums.merge(&work(first));
        for other in others {
            match other.join() {
                Ok(part) => sums.merge(&part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
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
