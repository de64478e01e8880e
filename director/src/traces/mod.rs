//! Traces: what happened to each task, as OpenTelemetry spans, for whoever collects such things.
//!
//! ```text
//! the journal's entries ─▶ spans: a fold ─▶ pending ─▶ otlp: protobuf ─▶ POST /v1/traces ─▶ the position that was sent, in a file
//! ```
//!
//! A task is one trace: its root from the first assignment to the end, below it each attempt with the agent at work, the commit, the
//! review, the merge and its gates, and what held it up. Names of traces and spans are functions of what they name
//! (`director_protocols::trace`), so agents get theirs in `TRACEPARENT` while they work.
//!
//! Off unless the standard variables name an endpoint ([`settings`]). Spans are made from the journal and nothing else: what was not
//! sent when the director ended is sent by the next one, and what is sent again, because a kill came between sending and
//! noting it, has the same names.
//!
//! Invariant: every span of the journal is sent, in the journal's order, until somebody has taken it or has called it malformed.
//! Elsewhere: the spans are [`spans`], their encoding [`otlp`], sending `send`.

pub mod otlp;
mod send;
pub mod settings;
pub mod spans;

pub use send::{Sending, start};
pub use settings::Settings;
