//! The integrator: the only actor that touches git. Worktrees, commits, salvage, merges, clean-up.
//!
//! Worktrees of different features are worked on at the same time, four at once; what concerns a sprint's
//! integration branch happens in order. Git runs on blocking threads.
//!
//! Elsewhere: how each order is carried out is [`crate::perform::git`]; that a repeat is harmless is promised there.

use std::sync::Arc;

use director_protocols::ids::EffectId;
use tokio::task::spawn_blocking;

use super::desk::{Craft, Deed, Desk, Sink};
use crate::engine::orders::Order;
use crate::perform::{CallOff, Workshop};

/// How many git orders are in hand at the same time.
const AT_ONCE: usize = 4;

/// The integrator's desk; [`Desk::child`] is its actor.
pub fn integrator(workshop: Arc<Workshop>, sink: Sink) -> Desk {
    Desk::new(Integrator(workshop), AT_ONCE, sink)
}

struct Integrator(Arc<Workshop>);

impl Craft for Integrator {
    fn name(&self) -> &'static str {
        "integrator"
    }

    fn lane(&self, order: &Order) -> String {
        match order {
            Order::PrepareWorktree(place, piece)
            | Order::CommitWork(place, piece)
            | Order::Salvage(place, piece) => format!("{}/{}", place.sprint, piece.feature),
            Order::PrepareRepo(place, _)
            | Order::PrepareMerge(place, _)
            | Order::Advance { place, .. }
            | Order::CleanUp(place, _)
            | Order::PutBack(place, _)
            | Order::Withdraw(place) => place.sprint.clone(),
            _ => String::new(),
        }
    }

    fn carry_out(&self, effect: EffectId, order: Arc<Order>, call_off: CallOff) -> Deed {
        let workshop = self.0.clone();
        Box::pin(async move {
            let work = spawn_blocking(move || workshop.carry_out(effect, &order, &call_off));
            match work.await {
                Ok(answer) => answer,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => Vec::new(), // The runtime is shutting down.
            }
        })
    }
}
