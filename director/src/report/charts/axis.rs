//! Axes: what a number means, where its ticks are and how they are written.

use std::ops::Range;

use director_protocols::time::{Span, Time};
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use crate::view::timestamp;

/// What the numbers of an axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Plain numbers, such as points or tasks; the unit stands at the last tick.
    Number(&'static str),
    /// Shares, 0 to 1, written in percent.
    Percent,
    /// Hours of time, written in seconds, minutes, hours or days, whichever is short.
    Hours,
    /// Points in time: milliseconds since 1970, written in UTC.
    Clock,
}

const SECOND: f64 = 1000.0;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// Steps that clocks and calendars have, in milliseconds.
const CLOCK_STEPS: [f64; 27] = [
    1.0,
    10.0,
    100.0,
    SECOND,
    2.0 * SECOND,
    5.0 * SECOND,
    10.0 * SECOND,
    15.0 * SECOND,
    30.0 * SECOND,
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    15.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    2.0 * HOUR,
    3.0 * HOUR,
    4.0 * HOUR,
    6.0 * HOUR,
    8.0 * HOUR,
    12.0 * HOUR,
    DAY,
    2.0 * DAY,
    7.0 * DAY,
    28.0 * DAY,
    364.0 * DAY,
];

impl Axis {
    /// Ticks from `from` to `to`, about `most` of them at the most.
    pub(super) fn ticks(self, from: f64, to: f64, most: usize) -> Vec<f64> {
        let step = self.step(to - from, most.max(2));
        let first = (from / step).ceil() as i64;
        let last = (to / step + 1e-9).floor() as i64;
        (first..=last)
            .take(2 * most.max(2) + 2)
            .map(|n| n as f64 * step)
            .collect()
    }

    /// The distance of two ticks when a range is cut into at most `most` parts.
    pub(super) fn step(self, range: f64, most: usize) -> f64 {
        let range = if range.is_finite() && range > 0.0 {
            range
        } else {
            1.0
        };
        let least = range / most as f64;
        match self {
            Axis::Clock | Axis::Hours => {
                let unit = if self == Axis::Hours { HOUR } else { 1.0 };
                let least_ms = least * unit;
                let step = CLOCK_STEPS
                    .into_iter()
                    .find(|step| *step >= least_ms * 0.999)
                    .unwrap_or_else(|| round_up(least_ms / DAY) * DAY);
                step / unit
            }
            Axis::Number(_) => round_up(least).max(if least >= 0.2 { 1.0 } else { 0.0 }),
            Axis::Percent => round_up(least),
        }
    }

    /// A tick in words; `step` is the distance to the next.
    pub(super) fn label(self, value: f64, step: f64) -> String {
        match self {
            Axis::Number(_) => number(value),
            Axis::Percent => format!("{}%", number((value * 1000.0).round() / 10.0)),
            Axis::Hours => hours(value, step),
            Axis::Clock => clock(value, step),
        }
    }

    /// A value in words, as exact as people need it.
    pub(super) fn value(self, value: f64) -> String {
        match self {
            Axis::Number("") => number(value),
            Axis::Number(unit) => format!("{} {unit}", number(value)),
            Axis::Percent => format!("{:.0}%", value * 100.0),
            Axis::Hours if value.abs() >= 1.0 => {
                format!("{}h", number((value * 10.0).round() / 10.0))
            }
            Axis::Hours => Span((value.max(0.0) * HOUR).round() as u64).to_string(),
            Axis::Clock => clock(value, MINUTE),
        }
    }
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn round_up(least: f64) -> f64 {
    let power = 10f64.powf(least.max(1e-12).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * 0.999)
        .unwrap_or(10.0 * power)
}

/// Without useless decimals.
fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

fn hours(value: f64, step: f64) -> String {
    let ms = value * HOUR;
    match step * HOUR {
        _ if value == 0.0 => "0".to_owned(),
        step if step < SECOND => format!("{}s", number(ms / SECOND)),
        step if step < MINUTE && ms < 2.0 * MINUTE => format!("{:.0}s", ms / SECOND),
        step if step < MINUTE => {
            let (minutes, seconds) = ((ms / MINUTE).floor(), ms % MINUTE / SECOND);
            format!("{minutes:.0}m{seconds:02.0}")
        }
        step if step < HOUR && ms < 2.0 * HOUR => format!("{:.0}m", ms / MINUTE),
        step if step < HOUR => format!("{:.0}h{:02.0}", (ms / HOUR).floor(), ms % HOUR / MINUTE),
        _ => format!("{}h", number(ms / HOUR)),
    }
}

fn clock(ms: f64, step: f64) -> String {
    let at = timestamp(Time(ms.max(0.0) as u64));
    let format = match step {
        step if step < MINUTE => "%H:%M:%S",
        step if step < DAY => "%H:%M",
        _ => "%-d %b",
    };
    at.strftime(format).to_string()
}

/// An axis as plotters knows it: numbers from end to end, with ticks where we want them.
pub(super) struct Scale {
    pub range: Range<f64>,
    pub ticks: Vec<f64>,
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        let pixels = f64::from(limit.1 - limit.0) * share.clamp(-1.0, 2.0);
        limit.0 + pixels.round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}
