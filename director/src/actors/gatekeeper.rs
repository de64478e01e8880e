//! The gatekeeper: runs gates within limits and reports what came out. It neither judges nor touches git; the
//! commit to test is checked out for it by the workshop.
//!
//! Gates of one repository run one order at a time, because they share machines and a warm worktree.
//!
//! Elsewhere: how a gate runs is [`crate::perform::gates`].

use std::sync::Arc;

use director_protocols::ids::EffectId;

use super::desk::{Craft, Deed, Desk, Sink};
use crate::engine::orders::Order;
use crate::perform::{CallOff, Workshop};

/// How many runs of gates are in hand at the same time, each of another repository or scratch directory.
const AT_ONCE: usize = 4;

/// The gatekeeper's desk; [`Desk::child`] is its actor.
pub fn gatekeeper(workshop: Arc<Workshop>, sink: Sink) -> Desk {
    Desk::new(Gatekeeper(workshop), AT_ONCE, sink)
}

struct Gatekeeper(Arc<Workshop>);

impl Craft for Gatekeeper {
    fn name(&self) -> &'static str {
        "gatekeeper"
    }

    fn lane(&self, order: &Order) -> String {
        match order {
            Order::CheckBase(place, ..)
            | Order::RunGates { place, .. }
            | Order::Deployment(place, ..) => {
                place.repo.clone().unwrap_or_else(|| place.id.to_string())
            }
            _ => String::new(),
        }
    }

    fn carry_out(&self, effect: EffectId, order: Arc<Order>, call_off: CallOff) -> Deed {
        let workshop = self.0.clone();
        Box::pin(async move { workshop.run_gates(effect, &order, &call_off).await })
    }
}
