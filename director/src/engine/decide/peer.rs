//! Telling others: what follows when somebody was told, could not be told, or has answered.
//!
//! A webhook that does not take what is posted is tried again, each time after twice as long; after the last time a person finds a
//! notice. A peer's answer is the answer to the inbox item that was posted to it, as if a person had given it.

use director_protocols::event::{DeliveryFailed, DeliveryRetried, Event, StakeholderInformed};
use director_protocols::ids::{EffectId, InboxId};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::severity::Severity;
use director_protocols::time::Time;
use director_protocols::ways::Peer;

use super::inbox;
use crate::engine::deliveries;
use crate::engine::effects::{Effect, Recipient};
use crate::engine::inform;
use crate::engine::state::State;

/// The record that somebody was told, or could not be.
pub fn informed(state: &State, effect: EffectId, problem: &str, now: Time) -> Vec<Event> {
    let Some(Effect::Inform { sprint, to, event }) = state.outstanding.get(effect) else {
        return Vec::new();
    };
    let stakeholder = inform::name(state, *sprint, *to);
    let about = inform::subject(state, *to, event).name().to_owned();
    let is_posted = !matches!(to, Recipient::Command(_));
    if is_posted && !problem.is_empty() {
        if state.is_resting(effect) {
            return Vec::new(); // That it failed was said before.
        }
        let rule = &state.sprints.table[sprint.index()].spec.ways.delivery;
        let tries = state.tries(effect) + 1;
        return vec![
            DeliveryFailed {
                effect,
                sprint_id: *sprint,
                stakeholder,
                about,
                tries,
                problem: problem.to_owned(),
                again: deliveries::again(rule, tries, now),
            }
            .into(),
        ];
    }
    vec![
        StakeholderInformed {
            effect,
            sprint_id: *sprint,
            stakeholder,
            about,
            problem: problem.to_owned(),
        }
        .into(),
    ]
}

/// What is due for something that rested: it is posted again, unless it was answered in another way meanwhile.
pub fn due(state: &State, effect: EffectId) -> Vec<Event> {
    let Some(Effect::Inform { sprint, to, event }) = state.outstanding.get(effect) else {
        return Vec::new();
    };
    if let Recipient::Peer(_, item) = to
        && state.trouble.open_item(*item).is_none()
    {
        return vec![
            StakeholderInformed {
                effect,
                sprint_id: *sprint,
                stakeholder: inform::name(state, *sprint, *to),
                about: inform::subject(state, *to, event).name().to_owned(),
                problem: "it was answered in another way before it could be posted".to_owned(),
            }
            .into(),
        ];
    }
    vec![
        DeliveryRetried {
            effect,
            sprint_id: *sprint,
        }
        .into(),
    ]
}

/// What a person finds when something could not be posted.
pub fn given_up(state: &State, e: &DeliveryFailed, now: Time) -> Option<Event> {
    if e.again.is_some() {
        return None;
    }
    let text = format!(
        "{} could not be told of {} (tried {} times): {}. Tell them yourself; what waits for their answer waits here too.",
        e.stakeholder, e.about, e.tries, e.problem
    );
    let place = (e.sprint_id, None);
    let open = inbox::opened(state, InboxKind::Notice, place, Severity::Medium, text, now);
    Some(open.into())
}

/// What follows a peer's answer; one that comes too late, or says nothing, changes nothing.
pub fn said(
    state: &State,
    (peer, item): (Peer, InboxId),
    accepted: Option<bool>,
    text: &str,
    now: Time,
) -> Vec<Event> {
    let reply = match accepted {
        Some(true) => Reply::Approve,
        Some(false) => Reply::Reject,
        None => Reply::Answer,
    };
    inbox::answer(state, item, (reply, text), peer.as_str(), now).unwrap_or_default()
}
