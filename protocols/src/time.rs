//! Time as the engine knows it: whole milliseconds, never floats.
//!
//! [`Time`] is a point (milliseconds since the Unix epoch; in simulations, since the start), [`Span`] a
//! length. Effort that people estimate in hours, elapsed time and calendars are different things; effort
//! and elapsed time share [`Span`], and the field's name says which it is.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since the Unix epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A length of time, in milliseconds.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    JsonSchema,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// Whole seconds.
    pub const fn seconds(n: u64) -> Self {
        Self(n * 1000)
    }

    /// Whole minutes.
    pub const fn minutes(n: u64) -> Self {
        Self(n * 60_000)
    }

    /// Whole hours.
    pub const fn hours(n: u64) -> Self {
        Self(n * 3_600_000)
    }

    /// Hours with a fraction, for people; rounded to the millisecond.
    pub fn as_hours(self) -> f64 {
        self.0 as f64 / 3_600_000.0
    }

    /// From hours as people write them. `None` for what is negative, not a number, or over a million hours.
    pub fn from_hours(hours: f64) -> Option<Self> {
        (0.0..=1e6)
            .contains(&hours)
            .then(|| Self((hours * 3_600_000.0).round() as u64))
    }

    /// For the standard library and tokio.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }
}

impl Time {
    /// How long after `earlier`; zero when it is not.
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Add::add)
    }
}

impl fmt::Display for Span {
    /// As people write it: `450ms`, `12s`, `3m20s`, `1h05m`, `2d03h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, s) = (self.0, self.0 / 1000);
        match s {
            0 if ms == 0 => write!(f, "0s"),
            0 => write!(f, "{ms}ms"),
            1..=9 => write!(f, "{}.{}s", s, ms % 1000 / 100),
            10..=59 => write!(f, "{s}s"),
            60..=3599 => write!(f, "{}m{:02}s", s / 60, s % 60),
            3600..=86_399 => write!(f, "{}h{:02}m", s / 3600, s / 60 % 60),
            _ => write!(f, "{}d{:02}h", s / 86_400, s / 3600 % 24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        for (ms, text) in [
            (0, "0s"),
            (450, "450ms"),
            (1_240, "1.2s"),
            (12_000, "12s"),
            (200_000, "3m20s"),
            (3_900_000, "1h05m"),
            (183_600_000, "2d03h"),
        ] {
            assert_eq!(Span(ms).to_string(), text);
        }
    }

    #[test]
    fn hours_that_make_no_sense_are_not_a_span() {
        assert_eq!(Span::from_hours(1.5), Some(Span(5_400_000)));
        for hours in [-1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert_eq!(Span::from_hours(hours), None);
        }
    }
}
