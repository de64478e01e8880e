//! Events of outside parties: what others may tell the director, each with what it needs to know.

use serde::{Deserialize, Serialize};

use crate::ids::Name;
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

fn medium() -> Severity {
    Severity::Medium
}

fn critical() -> Severity {
    Severity::Critical
}
