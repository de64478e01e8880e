//! What people and programs see of the state: status, team, reasons, inbox, events, live progress.
//!
//! Each view is a plain value made from the state (and, where it is about the past, from entries of the journal);
//! its JSON keys are a promise to users, and its `render` is the text for a terminal. Names stand where the engine
//! has numbers. What people and agents wrote is made harmless on its way into a text, never in the JSON.
//!
//! Invariant: no clock and no I/O; `now` comes in, and the same inputs give the same bytes.
//! Elsewhere: the reports of a sprint are [`crate::report::sprint`]; who prints what is the command line.

pub mod agents;
mod allowing;
pub mod board;
pub mod budgets;
pub mod chat;
pub mod clashes;
pub mod deployments;
pub mod difference;
pub mod events;
mod fields;
pub(crate) mod forecast;
pub mod graph;
pub mod inbox;
pub mod incident;
pub mod live;
pub mod paint;
#[cfg(test)]
pub(crate) mod recorded;
pub mod status;
mod subject;
pub mod tree;
pub mod why;
mod words;

pub use agents::{AgentsView, agents};
pub use events::{event_lines, event_object, event_text};
pub use inbox::{InboxView, inbox};
pub use incident::{IncidentsView, incidents};
pub use live::{LiveView, live, render_live};
pub use status::{StatusView, status};
pub use subject::{Subject, subject};
pub use tree::tree;
pub use why::{WhyView, why};
pub(crate) use words::{given_up, short_commit, some};

use director_protocols::ids::SprintId;
use director_protocols::time::{Span, Time};
use jiff::Timestamp;

use crate::engine::state::State;

/// The sprint that is meant when none is named: the newest that has not ended, else the newest.
pub fn default_sprint(state: &State) -> Option<SprintId> {
    let newest = |over: bool| {
        let table = &state.sprints.table;
        table.iter().rposition(|sprint| over || !sprint.is_over())
    };
    newest(false)
        .or_else(|| newest(true))
        .and_then(|index| u32::try_from(index).ok())
        .map(SprintId)
}

/// The point in time as RFC 3339 in UTC. One that no calendar has becomes the last that it has.
pub fn rfc3339(time: Time) -> String {
    timestamp(time).to_string()
}

pub(crate) fn timestamp(time: Time) -> Timestamp {
    i64::try_from(time.0)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}

/// `2026-11-23 09:12 UTC`, for people.
pub(crate) fn minute(time: Time) -> String {
    timestamp(time).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The same of a time that is written out exactly, as in [`rfc3339`].
pub(crate) fn at_minute(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(
        |_| at.to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

/// Hours as a duration for people.
pub(crate) fn elapsed(hours: f64) -> String {
    Span((hours * 3_600_000.0).round() as u64).to_string()
}

/// Hours with at most seven decimals, a third of a millisecond, so that JSON has no long tails and no time is another's.
pub(crate) fn hours(span: Span) -> f64 {
    (span.as_hours() * 1e7).round() / 1e7
}

/// Seconds with at most three decimals.
pub(crate) fn seconds(span: Span) -> f64 {
    span.0 as f64 / 1000.0
}

/// For fields of JSON that are in seconds.
pub(crate) fn as_seconds<S: serde::Serializer>(span: &Span, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(seconds(*span))
}

/// For fields of JSON that are in seconds, if there are any.
pub(crate) fn as_seconds_or_null<S: serde::Serializer>(
    span: &Option<Span>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match span {
        Some(span) => as_seconds(span, to),
        None => to.serialize_none(),
    }
}

/// At most four decimals.
pub(crate) fn round(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

/// `part` of `whole`, 0 to 1; nothing of nothing is 0.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        whole => round(part as f64 / whole as f64),
    }
}

/// `1 task`, `2 tasks`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
