//! A quick forecast of what is left of a sprint, for who looks on: few runs, from the models of the data directory's own past.
//!
//! It costs a fraction of a second, and a sprint that is too large for that gets none; `director simulate --from` makes a better one.
//!
//! Elsewhere: the forecast itself is [`super::rest`]; what becomes of recorded ones is `report::foreseen`.

use director_protocols::forecast::Forecast;
use director_protocols::ids::SprintId;
use director_protocols::time::Time;

use super::faults::Faults;
use super::forecast::Extent;
use super::past::Past;
use super::prepare::SimulateError;
use super::rest::{From, look_ahead};
use crate::engine::Engine;
use crate::handle::Entry;

/// Tasks of all runs together.
const TASKS_OF_RUNS: u64 = 50_000;
/// Fewer runs say too little of the tail, and more are not needed for three figures.
const RUNS: std::ops::RangeInclusive<u64> = 100..=500;
/// What is not known of a team yet.
const PROFILE: &str = "calm";

/// How many runs a sprint of so many tasks gets; none when it is too large for a glance.
pub fn runs(tasks: usize) -> Option<u64> {
    let runs = (TASKS_OF_RUNS / (tasks as u64).max(1)).min(*RUNS.end());
    RUNS.contains(&runs).then_some(runs)
}

/// A forecast of the rest of a sprint that a director works on; `None` where no run has all done.
///
/// # Errors
/// As [`look_ahead`].
pub fn glance(
    engine: Engine,
    entries: &[Entry],
    sprint: SprintId,
    runs: u64,
    now: Time,
) -> Result<Option<Forecast>, SimulateError> {
    let profile = Faults::named(PROFILE).unwrap_or(Faults::NONE);
    let past = Past::of(engine.state(), entries, profile);
    let extent = Extent {
        runs,
        seed: 1,
        threads: 1,
        precision: None,
    };
    let from = From {
        now: entries.last().map_or(now, |entry| now.max(entry.at)),
        at_work: true,
        engine,
    };
    look_ahead(&from, sprint, &past, &extent)
}
