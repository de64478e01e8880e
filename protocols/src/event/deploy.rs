//! Deployments: when something may be deployed, whether it can be, and how it went.

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::ids::{EffectId, IncidentId, Name, SprintId};
use crate::time::Time;
use crate::work::GateOutcome;

payloads! {
    /// Whether something can be deployed is known.
    130 1 ReadinessChecked "readiness_checked" {
        /// The effect that is answered; none when there was nothing to run.
        effect: Option<EffectId>,
        /// The deployment.
        deployment: u32,
        /// What is to be deployed; empty without a repository.
        commit: String,
        /// How the command ended; none where none was run.
        outcome: Option<GateOutcome>,
        /// What is missing; nothing where it is ready.
        missing: Vec<String>,
    }
    /// Somebody looked at what was deployed.
    131 1 DeploymentProbed "deployment_probed" {
        /// The effect that is answered.
        effect: EffectId,
        /// The deployment.
        deployment: u32,
        /// Which look, from 1.
        round: u32,
        /// How the command ended.
        outcome: GateOutcome,
        /// The incident that the failure opens or belongs to.
        incident: Option<IncidentId>,
        /// When it is looked at again; none after the last look.
        again: Option<Time>,
    }
    /// Something is to be deployed: at once, or when a window opens.
    132 1 DeploymentScheduled "deployment_scheduled" {
        /// Its number.
        deployment: u32,
        /// The sprint.
        sprint_id: SprintId,
        /// The feature; the whole sprint without.
        feature: Option<Name>,
        /// When its window opens; none where it can begin now.
        until: Option<Time>,
        /// Who asked.
        by: String,
    }
    /// It is time to look at what was deployed.
    133 1 ProbeDue "probe_due" {
        /// The deployment.
        deployment: u32,
        /// Which look, from 1.
        round: u32,
    }
    /// Something is not deployed after all.
    134 1 DeploymentDropped "deployment_dropped" {
        /// The deployment.
        deployment: u32,
        /// Why.
        reason: String,
        /// Who.
        by: String,
    }
}
