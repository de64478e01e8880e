//! The messenger: tells people and programs outside what happened, by the commands that the sprint file names.
//!
//! What one stakeholder is told goes out in order; different ones are told at the same time, and nobody who is slow
//! holds up gates or git.
//!
//! Elsewhere: how somebody is told is `crate::perform::inform`; who is told what is the engine's.

use std::sync::Arc;

use director_protocols::ids::EffectId;

use super::desk::{Craft, Deed, Desk, Sink};
use crate::engine::orders::Order;
use crate::perform::{CallOff, Workshop};

/// How many are told at the same time.
const AT_ONCE: usize = 4;

/// The messenger's desk; [`Desk::child`] is its actor.
pub fn messenger(workshop: Arc<Workshop>, sink: Sink) -> Desk {
    Desk::new(Messenger(workshop), AT_ONCE, sink)
}

struct Messenger(Arc<Workshop>);

impl Craft for Messenger {
    fn name(&self) -> &'static str {
        "messenger"
    }

    fn lane(&self, order: &Order) -> String {
        match order {
            Order::Inform(notice) => format!("{}/{}", notice.sprint, notice.name),
            _ => String::new(),
        }
    }

    fn carry_out(&self, effect: EffectId, order: Arc<Order>, _: CallOff) -> Deed {
        let workshop = self.0.clone();
        Box::pin(async move { workshop.inform(effect, &order).await })
    }
}
