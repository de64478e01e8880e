//! A forecast of a sprint, as it is recorded to be held against what becomes of it.
//!
//! Elsewhere: making one is the simulation's; comparing is the retrospective's.

use serde::{Deserialize, Serialize};

use crate::event::ForecastRecorded;
use crate::time::Span;

/// When what is left of a sprint would be done, from the moment of the forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// How often the rest was run on virtual time.
    pub runs: u64,
    /// What fixes those runs.
    pub seed: u64,
    /// How many in a thousand of them have all done.
    pub done_probability: u32,
    /// Half of those end within, in milliseconds.
    pub p50: Span,
    /// 85 of 100.
    pub p85: Span,
    /// 95 of 100.
    pub p95: Span,
    /// What all of it costs; absent where nothing is known of that.
    #[serde(default)]
    pub cost: Option<CostForecast>,
}

/// What a sprint costs from its beginning to its end, in millionths of a dollar, and how often its money does not suffice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostForecast {
    /// Half of the runs cost less.
    pub p50_micros: u64,
    /// 85 of 100.
    pub p85_micros: u64,
    /// 95 of 100.
    pub p95_micros: u64,
    /// In how many in a thousand something stays undone unless a budget is raised.
    pub short_probability: u32,
}

impl From<&ForecastRecorded> for Forecast {
    fn from(event: &ForecastRecorded) -> Self {
        Self {
            runs: event.runs,
            seed: event.seed,
            done_probability: event.done_probability,
            p50: event.p50,
            p85: event.p85,
            p95: event.p95,
            cost: event.cost,
        }
    }
}
