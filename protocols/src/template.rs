//! The *Task Assignment*: what is handed to whoever does a task, an agent or a person, in one shape.
//!
//! Invariant: one line of the sprint file stays one line, so nothing in it can look like another field.
//! Elsewhere: what an agent is told beside it is the prompt's; how a sprint stands is the *Progress Update* of the director's reports.

use std::fmt::Write;

use crate::sprint::{Priority, TaskSpec};
use crate::time::Span;

/// The assignment of a task; `expected` is by when it is expected, in words.
pub fn task_assignment(spec: &TaskSpec, expected: &str) -> String {
    let mut out = String::new();
    let names: Vec<&str> = spec.depends_on.iter().map(|name| name.as_str()).collect();
    let _ = writeln!(out, "Assigning Task: {}", spec.id);
    let _ = writeln!(out, "Type: {}", one_line(&spec.kind));
    let _ = writeln!(out, "Priority: {}", priority(spec.priority));
    let _ = writeln!(out, "Dependencies: {}", some(&names.join(", ")));
    let _ = writeln!(out, "Estimated Effort: {}", effort(spec.estimate.mean()));
    out.push_str("Acceptance Criteria:\n");
    for criterion in &spec.acceptance {
        let _ = writeln!(out, "- {}", one_line(criterion));
    }
    if spec.acceptance.is_empty() {
        out.push_str("- none\n");
    }
    let place =
        |place: &Option<String>| some(&place.as_deref().map_or(String::new(), one_line)).to_owned();
    let _ = writeln!(out, "Resources:\n- Specification: {}", place(&spec.spec));
    let _ = writeln!(out, "- Design: {}", place(&spec.design));
    let _ = writeln!(out, "Expected Completion: {}", some(expected));
    out
}

fn some(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "LOW",
        Priority::Normal => "MEDIUM",
        Priority::High => "HIGH",
        Priority::Critical => "CRITICAL",
    }
}

/// Whole hours as people write them, and minutes where there are any.
fn effort(span: Span) -> String {
    let minutes = span.0.div_ceil(60_000);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes:02}m"),
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}
