//! Severity: the four tiers that decide who is asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a blocker is, and so who deals with it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Guidance to the same agent.
    Low,
    /// Another agent, or a pair.
    Medium,
    /// Product or architecture is asked; the task waits.
    High,
    /// The emergency: everything but critical work pauses.
    Critical,
}

impl Severity {
    /// One tier up; critical stays.
    #[must_use]
    pub fn up(self) -> Self {
        match self {
            Severity::Low => Severity::Medium,
            Severity::Medium => Severity::High,
            Severity::High | Severity::Critical => Severity::Critical,
        }
    }

    /// The word in files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}
