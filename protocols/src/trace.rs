//! Names of traces and spans, as W3C Trace Context has them.
//!
//! They are functions of what they name: the same task has the same trace, and the same attempt the same span, however often and
//! by whomever they are computed. So a director that was killed goes on with a trace, what is sent twice is known to be the
//! same, and an agent can be told its span before anything has been sent.
//!
//! Elsewhere: what the spans are is the director's `traces`.

use crate::digest::Digest;
use crate::ids::Attempt;
use crate::time::Time;
use crate::work::Assignment;

/// The trace of one task: 16 bytes, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceId(pub [u8; 16]);

/// One span of it: 8 bytes, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanId(pub [u8; 8]);

/// The first bytes of a digest; of 2^64 or more, all zero is as likely as any two that are the same.
fn first<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut text = b"director".to_vec();
    for part in parts {
        // With its length before it, so that no two lists of parts are one text.
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part);
    }
    let mut bytes = [0; N];
    bytes.copy_from_slice(&Digest::of(&text).0[..N]);
    bytes
}

impl TraceId {
    /// Of a task. When its sprint was submitted tells it from that of another sprint of the same name.
    #[must_use]
    pub fn of(sprint: &str, submitted: Time, task: &str) -> Self {
        let when = submitted.0.to_le_bytes();
        Self(first(&[sprint.as_bytes(), &when, task.as_bytes()]))
    }

    /// Something in it: of what sort, and which of that sort.
    #[must_use]
    pub fn span(&self, sort: &str, number: u64) -> SpanId {
        SpanId(first(&[&self.0, sort.as_bytes(), &number.to_le_bytes()]))
    }

    /// An attempt of the task, as the agent works at it.
    #[must_use]
    pub fn agent(&self, attempt: Attempt) -> SpanId {
        self.span("agent", u64::from(attempt.0))
    }
}

/// The value of `TRACEPARENT` for whoever has this assignment: its trace, its span, and that it is recorded.
#[must_use]
pub fn traceparent(assignment: &Assignment) -> String {
    let task = assignment.spec.id.as_str();
    let trace = TraceId::of(&assignment.sprint, assignment.submitted, task);
    let span = trace.agent(assignment.attempt);
    format!("00-{}-{}-01", hex(&trace.0), hex(&span.0))
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_differs_in_anything_has_another_name() {
        let mut traces = BTreeSet::new();
        for sprint in ["s", "s1"] {
            for submitted in [0, 1] {
                for task in ["a", "b", "1a"] {
                    traces.insert(TraceId::of(sprint, Time(submitted), task));
                }
            }
        }
        assert_eq!(traces.len(), 12);
        let trace = TraceId::of("s", Time(0), "a");
        let spans = [
            trace.span("merge", 1),
            trace.span("merge", 2),
            trace.span("gates", 1),
            trace.agent(Attempt(1)),
        ];
        assert_eq!(BTreeSet::from(spans).len(), 4);
        assert_eq!(trace.agent(Attempt(1)), trace.span("agent", 1), "always");
    }
}
