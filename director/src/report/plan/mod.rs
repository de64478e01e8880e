//! The *Sprint Initialization Report*: one plan, five ways to read it.
//!
//! [`markdown`] is for people, [`json`] for programs, [`svg`] a chart of who does what when, [`dot`] and [`mermaid`]
//! the graph. Each is a function of the sprint and its plan; the plan has to be that sprint's own.
//!
//! Elsewhere: what is in a plan is [`crate::planner`].

mod graphs;
mod json;
mod markdown;
mod svg;

pub use graphs::{dot, mermaid};
pub(crate) use json::Document;
pub use json::{json, json_with_past};
pub use markdown::markdown;
pub use svg::svg;

#[cfg(test)]
mod tests;
