//! Deliveries: what is posted to webhooks, how often it was tried, and when it is tried again.
//!
//! What is to be posted is an effect that stays outstanding under one number until it arrives or is given up, so its key is
//! the same at each try and after each restart. Between two tries it rests on a deadline; a director that takes over leaves
//! what rests alone until then.
//!
//! Invariant: what rests has a deadline and is outstanding.
//! Elsewhere: who is told what is `inform`; posting is `perform::webhook`.

use director_protocols::event::{DeliveryFailed, DeliveryRetried, Event};
use director_protocols::ids::EffectId;
use director_protocols::time::{Span, Time};
use director_protocols::ways::Delivery as Rule;
use serde::Serialize;

use super::effects::Effect;
use super::state::{Deadline, State};

/// What is known of something that did not arrive at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried again; none while it is being tried.
    pub again: Option<Time>,
}

impl State {
    /// How often an effect was tried without success.
    pub fn tries(&self, effect: EffectId) -> u32 {
        self.deliveries.get(&effect).map_or(0, |row| row.tries)
    }

    /// Whether the effect waits to be tried again.
    pub fn is_resting(&self, effect: EffectId) -> bool {
        let row = self.deliveries.get(&effect);
        row.is_some_and(|row| row.again.is_some())
    }

    pub(super) fn delivery_failed(&mut self, e: &DeliveryFailed) {
        self.delivery_over(e.effect);
        if let Some(at) = e.again {
            self.deadlines.insert((at, Deadline::Delivery(e.effect)));
            self.deliveries.insert(
                e.effect,
                Delivery {
                    tries: e.tries,
                    again: Some(at),
                },
            );
        }
    }

    pub(super) fn delivery_retried(&mut self, e: &DeliveryRetried) {
        if let Some(row) = self.deliveries.get_mut(&e.effect)
            && let Some(at) = row.again.take()
        {
            self.deadlines.remove(&(at, Deadline::Delivery(e.effect)));
        }
    }

    /// It has arrived, or is given up.
    pub(super) fn delivery_over(&mut self, effect: EffectId) {
        if let Some(row) = self.deliveries.remove(&effect)
            && let Some(at) = row.again
        {
            self.deadlines.remove(&(at, Deadline::Delivery(effect)));
        }
    }
}

/// When something that has failed so often is tried again; none when that was the last time.
pub fn again(rule: &Rule, tries: u32, now: Time) -> Option<Time> {
    let doubled = rule
        .retry_min
        .0
        .saturating_mul(1 << (tries.clamp(1, 40) - 1));
    (tries < rule.tries_max).then(|| now + Span(doubled.min(rule.retry_max.0)))
}

/// The effect that is carried out again because of an event, under the number that it has.
pub fn repeated(state: &State, event: &Event) -> Option<(EffectId, Effect)> {
    let Event::DeliveryRetried(e) = event else {
        return None;
    };
    Some((e.effect, state.outstanding.get(e.effect)?.clone()))
}
