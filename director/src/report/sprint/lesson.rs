//! A lesson: what was found, what to do about it, and the events that it was computed from.
//!
//! Elsewhere: finding them is [`super::lessons`].

use schemars::JsonSchema;
use serde::Serialize;

use super::next::Change;

/// One lesson.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Lesson {
    /// Names it, as `director retro --accept` takes it: its sort and what it is about. The same facts give the same.
    pub id: String,
    /// `slip`, `retries`, `gate`, `conflict`, `death`, `blocker`, `wait`, `overloaded_role`, `idle_role`, `estimate`,
    /// `not_measured`.
    pub kind: &'static str,
    /// What was found.
    pub text: String,
    /// What to try next time.
    pub suggestion: String,
    /// The tasks that show it.
    pub tasks: Vec<String>,
    /// Positions in the journal of the events that it was computed from, in order.
    pub seqs: Vec<u64>,
    /// What it changes in the next sprint's file, once it is accepted.
    pub change: Change,
}

/// How many positions one sentence cites.
const CITED_MAX: usize = 8;

/// Positions in words: `events 12, 15 and 3 more`.
pub(crate) fn cited(seqs: &[u64]) -> String {
    let shown: Vec<String> = seqs.iter().take(CITED_MAX).map(u64::to_string).collect();
    let what = if seqs.len() == 1 { "event" } else { "events" };
    match (seqs.len(), seqs.len().saturating_sub(CITED_MAX)) {
        (0, _) => "no events".to_owned(),
        (_, 0) => format!("{what} {}", shown.join(", ")),
        (_, more) => format!("{what} {} and {more} more", shown.join(", ")),
    }
}
