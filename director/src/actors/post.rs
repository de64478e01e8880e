//! The director's post: its one mailbox, and the way to wake whoever reads it.
//!
//! ractor's own queue carries only wakes; what arrives is kept in a mailbox with classes, so that the journal's
//! word and what people ask for go before reports. Reports and news of deaths share a class: their order tells
//! what was in hand.
//!
//! Elsewhere: what is done with an item is `director`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use director_runtime::journal::JournalError;
use director_runtime::mailbox::{Class, Limits, Mailbox};
use director_runtime::supervisor::SupervisorMsg;
use ractor::ActorRef;

use crate::engine::rounds::{self, Rank};
use crate::handle::Call;

/// Requests that may wait to be looked at; more are refused.
const REQUESTS_MAX: usize = 10_000;

/// What arrives in the mailbox.
pub enum Item {
    /// A call through the handle.
    Call(Call),
    /// Everything up to this position is durable.
    Durable(u64),
    /// The journal has failed.
    JournalFailed(JournalError),
    /// News of a child.
    News(SupervisorMsg),
    /// The engine wanted to be asked again.
    Tick,
}

impl Item {
    /// Its place among what arrives in one instant, where that is gathered: news of actors and deadlines before what is
    /// reported, and what is only asked last.
    pub(super) fn rank(&self) -> Rank {
        match self {
            Item::Durable(_) | Item::JournalFailed(_) | Item::News(_) | Item::Tick => rounds::TICK,
            Item::Call(Call::Command(command, _)) => rounds::rank(command),
            Item::Call(_) => rounds::ASKED,
        }
    }
}

/// The mailbox and the way to wake whoever reads it.
#[derive(Clone)]
pub struct Post {
    /// What has arrived.
    pub(super) mailbox: Mailbox<Item>,
    woken: Arc<AtomicBool>,
    actor: Arc<OnceLock<ActorRef<Wake>>>,
}

/// There may be something in the mailbox.
#[derive(Debug)]
pub struct Wake;

impl Post {
    /// An empty mailbox. Reports and news are never refused: they answer what the director itself asked for.
    pub fn new() -> Self {
        let limits = Limits::each(usize::MAX)
            .with(Class::Blocker, REQUESTS_MAX)
            .with(Class::Chatter, REQUESTS_MAX);
        Self {
            mailbox: Mailbox::new(limits),
            woken: Arc::default(),
            actor: Arc::default(),
        }
    }

    /// Puts an item in and wakes the director. False when it is gone or has too much to do.
    pub fn send(&self, item: Item) -> bool {
        let class = match &item {
            Item::Durable(_) | Item::JournalFailed(_) => Class::Control,
            Item::Call(Call::Shutdown) => Class::Control,
            // What people ask for goes before reports; reports and news of deaths keep their order.
            Item::Call(Call::Command(_, Some(_)) | Call::Weighed(..)) => Class::Blocker,
            Item::Call(Call::Command(_, None)) | Item::News(_) | Item::Tick => Class::Handoff,
            Item::Call(Call::Read(_) | Call::History(..) | Call::Tree(_)) => Class::Chatter,
        };
        self.mailbox.push(class, item).is_ok() && self.wake()
    }

    /// Says who reads. A second director on this mailbox cannot be: it is made with the actor.
    pub(super) fn belongs_to(&self, actor: ActorRef<Wake>) {
        let _ = self.actor.set(actor);
    }

    /// From here on a new item wakes the reader again.
    pub(super) fn awake(&self) {
        self.woken.store(false, Ordering::Release);
    }

    /// Wakes the reader, unless a wake is on its way. False when it is gone.
    pub(super) fn wake(&self) -> bool {
        if self.woken.swap(true, Ordering::AcqRel) {
            return true;
        }
        // Before the actor is up there is nobody to wake; it looks for itself when it starts.
        self.actor
            .get()
            .is_none_or(|actor| actor.cast(Wake).is_ok())
    }
}

impl Default for Post {
    fn default() -> Self {
        Self::new()
    }
}
