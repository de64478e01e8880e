//! Events of outside parties: what others may tell the director, each with what it needs to know.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{
    AgentBlocked, AgentTaskCompleted, CriticalBugDiscovered, DevopsDeploymentReady, Event,
    ProductRequirementsChanged, QaTestingRequired,
};
use crate::ids::{Name, SprintId};
use crate::scope::{NewTask, ScopeChange};
use crate::severity::Severity;

/// The names of all of them, as `director send` takes them.
pub const NAMES: [&str; 6] = [
    "agent_task_completed",
    "agent_blocked",
    "qa_testing_required",
    "devops_deployment_ready",
    "product_requirements_changed",
    "critical_bug_discovered",
];

/// Something that an outside party says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outside {
    /// An agent has finished its task.
    AgentTaskCompleted {
        /// The task.
        task_id: Name,
        /// Effort, in hours.
        #[serde(default)]
        hours_spent: Option<f64>,
        /// What was done.
        #[serde(default)]
        summary: String,
    },
    /// An agent cannot go on.
    AgentBlocked {
        /// The task.
        task_id: Name,
        /// What sort of blocker.
        #[serde(default)]
        blocker_type: String,
        /// How bad.
        #[serde(default = "medium")]
        severity: Severity,
        /// What is the matter.
        text: String,
    },
    /// QA wants to test a feature.
    QaTestingRequired {
        /// The feature.
        feature: Name,
    },
    /// DevOps is ready to deploy; everything that is done, or one feature.
    DevopsDeploymentReady {
        /// The feature.
        #[serde(default)]
        feature: Option<Name>,
    },
    /// Product wants something else.
    ProductRequirementsChanged(ScopeChange),
    /// Somebody found a bug.
    CriticalBugDiscovered {
        /// The task that mends it.
        task: NewTask,
        /// The task in whose work it was found.
        #[serde(default)]
        found_in: Option<Name>,
        /// How bad it is; one that is critical is an emergency.
        #[serde(default = "critical")]
        severity: Severity,
    },
}

impl Event {
    /// What an outside party sent: the sprint, who, and its fields as one JSON object.
    pub fn outside(&self) -> Option<(SprintId, &str, &str)> {
        let (sprint, by, said) = match self {
            Event::AgentTaskCompleted(e) => (e.sprint_id, &e.by, &e.said),
            Event::AgentBlocked(e) => (e.sprint_id, &e.by, &e.said),
            Event::QaTestingRequired(e) => (e.sprint_id, &e.by, &e.said),
            Event::DevopsDeploymentReady(e) => (e.sprint_id, &e.by, &e.said),
            Event::ProductRequirementsChanged(e) => (e.sprint_id, &e.by, &e.said),
            Event::CriticalBugDiscovered(e) => (e.sprint_id, &e.by, &e.said),
            _ => return None,
        };
        Some((sprint, by.as_str(), said.as_str()))
    }
}

impl Outside {
    /// The fact that it was said, for the journal.
    pub fn event(&self, sprint_id: SprintId, by: &str) -> Event {
        // A unit of JSON cannot fail; the variant's name is the event's own.
        let said = match serde_json::to_value(self) {
            Ok(Value::Object(named)) => named.into_iter().map(|(_, fields)| fields).next(),
            _ => None,
        };
        let (by, said) = (by.to_owned(), bare(said.unwrap_or_default()).to_string());
        match self {
            Outside::AgentTaskCompleted { .. } => AgentTaskCompleted {
                sprint_id,
                by,
                said,
            }
            .into(),
            Outside::AgentBlocked { .. } => AgentBlocked {
                sprint_id,
                by,
                said,
            }
            .into(),
            Outside::QaTestingRequired { .. } => QaTestingRequired {
                sprint_id,
                by,
                said,
            }
            .into(),
            Outside::DevopsDeploymentReady { .. } => DevopsDeploymentReady {
                sprint_id,
                by,
                said,
            }
            .into(),
            Outside::ProductRequirementsChanged(_) => ProductRequirementsChanged {
                sprint_id,
                by,
                said,
            }
            .into(),
            Outside::CriticalBugDiscovered { .. } => CriticalBugDiscovered {
                sprint_id,
                by,
                said,
            }
            .into(),
        }
    }
}

/// Without what was left out.
fn bare(value: Value) -> Value {
    let Value::Object(fields) = value else {
        return value;
    };
    let said = fields.into_iter().filter(|(_, value)| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    });
    said.map(|(key, value)| {
        let value = match value {
            Value::Array(list) => list.into_iter().map(bare).collect(),
            value => bare(value),
        };
        (key, value)
    })
    .collect()
}

fn medium() -> Severity {
    Severity::Medium
}

fn critical() -> Severity {
    Severity::Critical
}
