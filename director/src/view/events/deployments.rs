//! The sentences about deployments.

use director_protocols::event::Event;
use director_protocols::work::Verdict;

use super::super::minute;
use crate::engine::state::State;
use crate::report::text;

/// What happened to a deployment.
pub(super) fn sentence(event: &Event, state: &State) -> String {
    let what = |n: u32| {
        let row = state.deployments.get(n as usize);
        row.map_or_else(|| format!("deployment {}", n + 1), |row| row.what())
    };
    match event {
        Event::DeploymentScheduled(e) => match e.until {
            Some(at) => format!(
                "the deployment of {} waits for its window, until {}",
                what(e.deployment),
                minute(at)
            ),
            None => format!("{} is to be deployed, says {}", what(e.deployment), e.by),
        },
        Event::ReadinessChecked(e) => match e.missing.is_empty() {
            true => format!("{} can be deployed", what(e.deployment)),
            false => format!(
                "{} cannot be deployed yet: {}",
                what(e.deployment),
                text::short(&e.missing.join("; "), 300)
            ),
        },
        Event::ProbeDue(e) => format!("look {} at {} begins", e.round, what(e.deployment)),
        Event::DeploymentProbed(e) => format!(
            "look {} at {}: {}{}",
            e.round,
            what(e.deployment),
            match e.outcome.verdict {
                Verdict::Failed => "it is not well",
                _ => "it is well",
            },
            match e.again {
                Some(at) => format!("; again at {}", minute(at)),
                None => "; that was the last".to_owned(),
            }
        ),
        Event::DeploymentDropped(e) => format!(
            "{} is not deployed: {} ({})",
            what(e.deployment),
            e.reason,
            e.by
        ),
        _ => String::new(),
    }
}
