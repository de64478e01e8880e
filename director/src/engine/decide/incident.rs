//! Incidents: people fill the steps, write into the log, and close what has all seven.

use director_protocols::command::IncidentWork;
use director_protocols::event::{IncidentClosed, IncidentNoted, IncidentStepFilled};
use director_protocols::ids::IncidentId;
use director_protocols::incident::Step;
use director_protocols::rejection::Rejection;
use director_protocols::work::TEXT_BYTES_MAX;

use super::Answer;
use crate::engine::state::State;

/// Decides about what somebody does to an incident.
pub fn work(state: &State, id: IncidentId, work: &IncidentWork, by: &str) -> Answer {
    let incident = state
        .trouble
        .incidents
        .get(id.index())
        .ok_or(Rejection::NoIncident { incident: id })?;
    if incident.closed.is_some() {
        return Err(Rejection::IncidentClosed { incident: id });
    }
    let fits = |text: &str| match text.trim().len() {
        0 => Err(Rejection::BadAnswer {
            why: "it is empty".to_owned(),
        }),
        n if n > TEXT_BYTES_MAX => Err(Rejection::BadAnswer {
            why: format!("it is longer than {} KiB", TEXT_BYTES_MAX / 1024),
        }),
        _ => Ok(text.to_owned()),
    };
    let by = by.to_owned();
    Ok(vec![match work {
        IncidentWork::Step(step, text) => IncidentStepFilled {
            incident: id,
            step: *step,
            text: fits(text)?,
            by,
        }
        .into(),
        IncidentWork::Note(text) => IncidentNoted {
            incident: id,
            text: fits(text)?,
            by,
        }
        .into(),
        IncidentWork::Close => {
            let missing: Vec<&str> = incident.missing().into_iter().map(Step::as_str).collect();
            if !missing.is_empty() {
                return Err(Rejection::IncidentIncomplete {
                    incident: id,
                    missing: missing.join(", "),
                });
            }
            IncidentClosed { incident: id, by }.into()
        }
    }])
}
