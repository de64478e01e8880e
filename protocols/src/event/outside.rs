//! What outside parties send. What follows from it stands behind it in the same decision.

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::ids::SprintId;

payloads! {
    /// An outside party says that an agent has finished its task. What follows from it stands behind it in the same decision.
    140 1 AgentTaskCompleted "agent_task_completed" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// An outside party says that an agent cannot go on. What follows from it stands behind it in the same decision.
    141 1 AgentBlocked "agent_blocked" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// QA wants to test a feature. What follows from it stands behind it in the same decision.
    142 1 QaTestingRequired "qa_testing_required" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// DevOps is ready to deploy. What follows from it stands behind it in the same decision.
    143 1 DevopsDeploymentReady "devops_deployment_ready" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// Product wants something else. What follows from it stands behind it in the same decision.
    144 1 ProductRequirementsChanged "product_requirements_changed" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// Somebody found a bug. What follows from it stands behind it in the same decision.
    145 1 CriticalBugDiscovered "critical_bug_discovered" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
}
