//! Where what is to be deployed stands, for status and reports.

use director_protocols::ids::SprintId;
use schemars::JsonSchema;
use serde::Serialize;

use super::{minute, rfc3339};
use crate::engine::deployments::{Deployment, Standing};
use crate::engine::state::State;

/// One deployment.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct DeploymentStatus {
    /// The feature; `sprint` for all of it.
    pub what: String,
    /// `waiting` for its window, `checking` whether it can begin, `held` until somebody asks again, `handed` to DevOps, `probing`,
    /// `deployed`, `failing` or `dropped`.
    pub state: &'static str,
    /// When it goes on: the window opens, or it is looked at again; `null` while nothing is waited for by the clock.
    pub until: Option<String>,
    /// What is deployed; empty without a repository, or before it could begin.
    pub commit: String,
    /// What is the matter, in words; empty when nothing is.
    pub detail: String,
    /// How often it was looked at.
    pub probes: u32,
    /// The incident of a look that failed, from 1.
    pub incident: Option<u32>,
}

/// The sprint's deployments, in the order in which they were asked for.
pub fn of_sprint(state: &State, id: SprintId) -> Vec<DeploymentStatus> {
    state
        .deployments_of(id)
        .map(|(_, row)| DeploymentStatus {
            what: row
                .feature
                .as_ref()
                .map_or_else(|| "sprint".to_owned(), |name| name.to_string()),
            state: row.standing.as_str(),
            until: match row.standing {
                Standing::Waiting(at) | Standing::Probing(Some(at)) => Some(rfc3339(at)),
                _ => None,
            },
            commit: row.commit.clone(),
            detail: detail(row),
            probes: row.rounds,
            incident: row.incident.map(|incident| incident.0 + 1),
        })
        .collect()
}

fn detail(row: &Deployment) -> String {
    let incident = |text: &str| match row.incident {
        Some(incident) => format!("{text}, incident {}", incident.0 + 1),
        None => text.to_owned(),
    };
    match &row.standing {
        Standing::Waiting(at) => format!("its window opens at {}", minute(*at)),
        Standing::Checking => "it is asked whether it can begin".to_owned(),
        Standing::Held(missing) => format!("{missing}: `director approve` in the inbox asks again"),
        Standing::Handed => "DevOps has the package".to_owned(),
        Standing::Probing(None) => incident("it is looked at"),
        Standing::Probing(Some(at)) => incident(&format!(
            "looked at {} times, next at {}",
            row.rounds,
            minute(*at)
        )),
        Standing::Deployed => incident(&format!("looked at {} times, well", row.rounds)),
        Standing::Failing => incident("it is there and not well"),
        Standing::Dropped(reason) => reason.clone(),
    }
}

/// The deployments that wait for nothing but their window, each in a sentence.
pub fn waiting(state: &State, id: SprintId) -> Vec<String> {
    state
        .deployments_of(id)
        .filter_map(|(_, row)| match row.standing {
            Standing::Waiting(at) => Some(format!(
                "the deployment of {} waits for its window, until {}",
                row.what(),
                minute(at)
            )),
            _ => None,
        })
        .collect()
}
