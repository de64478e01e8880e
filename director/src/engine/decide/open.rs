//! Opening: a director takes over the journal.
//!
//! All actors are new, so nobody is up and nothing is in hand: attempts that were are interrupted, which is
//! nobody's fault, and their tasks are ready again once what they left is saved. People keep what they have.

use director_protocols::event::{EpochOpened, Event};
use director_protocols::ids::AgentId;

use super::{attempt, suspect};
use crate::engine::state::State;

/// Decides what a new director finds.
pub fn open(state: &State, version: &str) -> Vec<Event> {
    let mut events: Vec<Event> = vec![
        EpochOpened {
            epoch: state.epoch + 1,
            version: version.to_owned(),
        }
        .into(),
    ];
    let agents = (0..state.team.agents.len() as u32)
        .map(AgentId)
        .filter(|agent| !state.is_person(*agent));
    events.extend(suspect::cut(state));
    events.extend(agents.filter_map(|agent| attempt::interrupted(state, agent)));
    events
}
