//! How what arrives is taken: as it comes, or gathered in rounds.
//!
//! Live, each wake takes what has arrived by then. On virtual time that would leave the order to whoever happens to run first; so there
//! everything of one instant is waited out, sorted and taken in one go, and what is answered at once is the next round.
//!
//! Elsewhere: the order is [`crate::engine::rounds`]; the other driver that keeps it is [`crate::simulate::world`].

use std::pin::Pin;
use std::sync::Arc;

use super::{HELD_MAX, State};
use crate::actors::post::Item;

/// What is taken from the mailbox before work is handed out.
const TAKEN_MAX: usize = 1_024;

/// Waits until nothing else moves in the present instant.
pub type Settled = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// How what arrives is taken.
#[derive(Clone, Default)]
pub enum Rounds {
    /// As it comes.
    #[default]
    AsItComes,
    /// For virtual time: what arrives in one instant is waited out, sorted by [`crate::engine::rounds::rank`] and taken in one go, so that the
    /// journal does not depend on the order in which actors happen to run.
    Gathered(Settled),
}

impl State {
    /// Deals with what has arrived; true when the director has to stop.
    pub(super) async fn take(&mut self) -> bool {
        match self.rounds.clone() {
            Rounds::AsItComes => self.take_what_came(),
            Rounds::Gathered(settled) => self.take_a_round(&settled).await,
        }
    }

    fn take_what_came(&mut self) -> bool {
        self.post.awake();
        let mut over = false;
        for _ in 0..TAKEN_MAX {
            // Past the limit only the journal's word is taken, so that what is held stays bounded.
            let item = if self.held.len() >= HELD_MAX {
                self.post.mailbox.take_control()
            } else {
                self.post.mailbox.take().map(|(_, item)| item)
            };
            let Some(item) = item else { break };
            over |= self.on_item(item);
        }
        over
    }

    /// Waits for everything that arrives in this instant and deals with it, sorted; true when the director has to stop.
    async fn take_a_round(&mut self, settled: &Settled) -> bool {
        let mut over = false;
        let mut round: Vec<Item> = Vec::new();
        loop {
            settled().await;
            self.post.awake();
            let mut more_may_come = false;
            while let Some((_, item)) = self.post.mailbox.take() {
                match item {
                    // What the journal's word lets out, and whom an actor's start lets begin, is answered in this round.
                    Item::Durable(_) | Item::JournalFailed(_) | Item::News(_) => {
                        more_may_come = true;
                        over |= self.on_item(item);
                    }
                    item => round.push(item),
                }
            }
            if !more_may_come {
                break;
            }
        }
        round.sort_by_key(Item::rank);
        for item in round {
            over |= self.on_item(item);
        }
        over
    }
}
