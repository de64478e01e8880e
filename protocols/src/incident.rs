//! Incidents: what went badly wrong, and the seven steps that each one needs before it can be closed.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the seven steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// What it does to the task and the sprint.
    Impact,
    /// What was done at once.
    Mitigation,
    /// Why it happened.
    RootCause,
    /// Who was told.
    Escalation,
    /// How things got back on track.
    Recovery,
    /// Where it is written down for later.
    Documentation,
    /// What changes so that it does not happen again.
    Improvement,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Step; 7] = [
        Step::Impact,
        Step::Mitigation,
        Step::RootCause,
        Step::Escalation,
        Step::Recovery,
        Step::Documentation,
        Step::Improvement,
    ];

    /// The word on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Impact => "impact",
            Step::Mitigation => "mitigation",
            Step::RootCause => "root_cause",
            Step::Escalation => "escalation",
            Step::Recovery => "recovery",
            Step::Documentation => "documentation",
            Step::Improvement => "improvement",
        }
    }

    /// The question that it answers.
    pub fn question(self) -> &'static str {
        match self {
            Step::Impact => "what does it do to the task and the sprint?",
            Step::Mitigation => "what was done at once?",
            Step::RootCause => "why did it happen?",
            Step::Escalation => "who was told?",
            Step::Recovery => "how do things get back on track?",
            Step::Documentation => "where is it written down?",
            Step::Improvement => "what changes so that it does not happen again?",
        }
    }
}

impl FromStr for Step {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        let found = Step::ALL.into_iter().find(|step| step.as_str() == word);
        found.ok_or_else(|| {
            let known = Step::ALL.map(Step::as_str).join(", ");
            format!(
                "there is no step `{}`; there are {known}",
                word.escape_debug()
            )
        })
    }
}
