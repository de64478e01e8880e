//! Roles that are down: the question that each is, and its end.
//!
//! Invariant: each lost role has one open question while a sprint is going.
//! Elsewhere: what such a role has waiting moves by `balance` and, where a plan foresaw it, by `risk`.

use director_protocols::event::{Event, InboxClosed, InboxOpened};
use director_protocols::ids::SprintId;
use director_protocols::inbox::InboxKind;
use director_protocols::severity::Severity;
use director_protocols::time::Time;

use super::inbox;
use crate::engine::state::State;

/// What waits for a person because of a role that is no longer lost.
pub fn found(state: &State, role: Option<&str>, reason: &str) -> Vec<Event> {
    state
        .trouble
        .waiting()
        .filter(|(_, item)| item.role.is_some() && (role.is_none() || item.role.as_deref() == role))
        .map(|(item, _)| {
            InboxClosed {
                item,
                reason: reason.to_owned(),
            }
            .into()
        })
        .collect()
}

/// The question that a lost role is, in a sprint that is going; none is asked while nothing goes on.
pub fn lost(state: &State, role: &str, why: &str, now: Time) -> Option<Event> {
    let mut sprints = state.sprints.table.iter();
    let going = sprints.position(|sprint| !sprint.is_over())?;
    let text =
        format!("The role {role} {why}. Mend the cause, then answer anything to start it again.");
    let place = (SprintId(going as u32), None);
    let open = inbox::opened(state, InboxKind::Role, place, Severity::High, text, now);
    Some(
        InboxOpened {
            role: Some(role.to_owned()),
            ..open
        }
        .into(),
    )
}

/// The questions about roles that were lost while nothing was going, so that nobody was asked.
pub fn lost_before(state: &State, now: Time) -> impl Iterator<Item = Event> {
    let asked = |name: &str| {
        let mut waiting = state.trouble.waiting();
        waiting.any(|(_, item)| item.role.as_deref() == Some(name))
    };
    let roles = state.team.roles.iter().filter(|role| role.lost);
    let names = roles.map(|role| role.spec.name.as_str());
    let why = "has been down since before the work began";
    names
        .filter(move |name| !asked(name))
        .filter_map(move |name| lost(state, name, why, now))
}
