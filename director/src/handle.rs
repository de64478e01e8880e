//! The handle: how everything outside the director actor speaks to it.
//!
//! Commands are answered when what they led to is durable; reads see the state at a durable position; what
//! happens is on a bus of entries, one per record of the journal.
//!
//! Elsewhere: the actor behind it is `actors::director`; the same over a socket is `control`.

use std::collections::BTreeMap;
use std::sync::Arc;

use director_agents::reach::Reach;
use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::ids::Seq;
use director_protocols::rejection::Rejection;
use director_protocols::time::Time;
use director_runtime::bus::{Bus, Subscriber};
use director_runtime::clock::Clock;
use director_runtime::supervisor::TreeView;
use tokio::sync::{Notify, oneshot};

use crate::control::audit::Audit;
use crate::engine::Engine;

/// One decision as it lies in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its position.
    pub seq: Seq,
    /// The director that wrote it.
    pub epoch: u64,
    /// When.
    pub at: Time,
    /// What happened.
    pub events: Vec<Event>,
}

/// Why a command had no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The director said no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The director is gone.
    #[error("the director has stopped; run it again to go on")]
    Stopped,
}

/// Something that may leave once what it rests on is durable.
pub type Release = Box<dyn FnOnce() + Send>;

/// A question about the state: looks now, answers when what it saw is durable.
pub type Question = Box<dyn FnOnce(&Engine) -> Release + Send>;

/// Makes a command of what it sees, or none, and says what it found once that is durable.
pub type Weigh = Box<dyn FnOnce(&Engine) -> (Option<Command>, Release) + Send>;

/// What the handle sends.
pub enum Call {
    /// A command, and who wants the answer.
    Command(
        Box<Command>,
        Option<oneshot::Sender<Result<Seq, Rejection>>>,
    ),
    /// A command made of the state that it is decided on, so that nothing happens in between.
    Weighed(Weigh, oneshot::Sender<Result<Seq, Rejection>>),
    /// A question about the state.
    Read(Question),
    /// Past entries: from a position, at most so many.
    History(Seq, usize, oneshot::Sender<Vec<Entry>>),
    /// The actors, as they are now.
    Tree(oneshot::Sender<Tree>),
    /// Stop in order.
    Shutdown,
}

/// The actors at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The director's children in start order, with what hangs below each.
    pub below: Vec<TreeView>,
    /// Messages that wait, by the actor's name, for actors with a mailbox of ours (the director's own is `director`).
    pub depth: BTreeMap<String, usize>,
    /// How far agents say that they are, and what they say they are doing, by the agent's name.
    pub said: BTreeMap<String, String>,
}

/// Speaks to one director; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    send: Arc<dyn Fn(Call) -> bool + Send + Sync>,
    bus: Bus<Arc<Entry>>,
    clock: Clock,
    reach: Option<Arc<Reach>>,
    audit: Option<Arc<Audit>>,
    stopper: Option<Arc<Notify>>,
}

impl Handle {
    /// A handle whose calls go to `send`, which says whether there is still somebody to take them, of a director with that clock.
    pub fn new(
        send: Arc<dyn Fn(Call) -> bool + Send + Sync>,
        bus: Bus<Arc<Entry>>,
        clock: Clock,
    ) -> Self {
        Self {
            send,
            bus,
            clock,
            reach: None,
            audit: None,
            stopper: None,
        }
    }

    /// The same, for a director whose service wants to be told first when it is to stop: it lets what runs end, answers what was asked,
    /// and calls [`Handle::shutdown`] itself.
    pub fn stopped_by(self, stopper: Option<Arc<Notify>>) -> Self {
        Self { stopper, ..self }
    }

    /// The same, for a director whose agents are given tokens.
    pub fn with_reach(self, reach: Option<Arc<Reach>>) -> Self {
        Self { reach, ..self }
    }

    /// The director's time, which what it says is held against.
    pub fn now(&self) -> Time {
        Time(self.clock.now_ms())
    }

    /// What agents are given to reach this director; none where they are given nothing.
    pub fn reach(&self) -> Option<&Arc<Reach>> {
        self.reach.as_ref()
    }

    /// The same, with its orders written down there.
    pub fn audited(mut self, audit: Arc<Audit>) -> Self {
        self.audit = Some(audit);
        self
    }

    /// Where orders are written down.
    pub fn audit(&self) -> Option<&Arc<Audit>> {
        self.audit.as_ref()
    }

    /// Asks for something and waits until it is durable; answers with the position.
    ///
    /// # Errors
    /// [`Refusal`] with the reason.
    pub async fn command(&self, command: Command) -> Result<Seq, Refusal> {
        let (answer, answered) = oneshot::channel();
        if !(self.send)(Call::Command(Box::new(command), Some(answer))) {
            return Err(Refusal::Stopped);
        }
        match answered.await {
            Ok(result) => result.map_err(Refusal::Rejected),
            Err(_) => Err(Refusal::Stopped),
        }
    }

    /// Looks at the state and asks, in the same turn, for what `weigh` makes of it; answers with the position and what
    /// else it found.
    ///
    /// # Errors
    /// [`Refusal`] with the reason, or what `weigh` says instead of a command.
    pub async fn weigh<T, E>(
        &self,
        weigh: impl FnOnce(&Engine) -> Result<(Command, T), E> + Send + 'static,
    ) -> Result<Result<(Seq, T), E>, Refusal>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let (found, what) = oneshot::channel();
        let look: Weigh = Box::new(move |engine| {
            let (command, seen) = match weigh(engine) {
                Ok((command, other)) => (Some(command), Ok(other)),
                Err(no) => (None, Err(no)),
            };
            // Who asked may have gone; what was asked for is done all the same.
            (command, Box::new(move || drop(found.send(seen))))
        });
        if !(self.send)(Call::Weighed(look, answer)) {
            return Err(Refusal::Stopped);
        }
        match what.await {
            Err(_) => Err(Refusal::Stopped),
            Ok(Err(no)) => Ok(Err(no)),
            Ok(Ok(other)) => match answered.await {
                Ok(result) => Ok(Ok((result.map_err(Refusal::Rejected)?, other))),
                Err(_) => Err(Refusal::Stopped),
            },
        }
    }

    /// Reports something, without waiting.
    pub fn report(&self, command: Command) {
        // A director that is gone reads it from its own journal.
        let _ = (self.send)(Call::Command(Box::new(command), None));
    }

    /// Looks at the state, at a durable position.
    ///
    /// # Errors
    /// [`Refusal::Stopped`] when the director is gone.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |engine| {
            let seen = look(engine);
            // Who asked may have gone.
            Box::new(move || drop(answer.send(seen)))
        });
        if !(self.send)(Call::Read(question)) {
            return Err(Refusal::Stopped);
        }
        answered.await.map_err(|_| Refusal::Stopped)
    }

    /// Past entries from a position on, at most `max`.
    ///
    /// # Errors
    /// [`Refusal::Stopped`] when the director is gone.
    pub async fn history(&self, from: Seq, max: usize) -> Result<Vec<Entry>, Refusal> {
        let (answer, answered) = oneshot::channel();
        if !(self.send)(Call::History(from, max, answer)) {
            return Err(Refusal::Stopped);
        }
        answered.await.map_err(|_| Refusal::Stopped)
    }

    /// The actors as they are now.
    ///
    /// # Errors
    /// [`Refusal::Stopped`] when the director is gone.
    pub async fn tree(&self) -> Result<Tree, Refusal> {
        let (answer, answered) = oneshot::channel();
        if !(self.send)(Call::Tree(answer)) {
            return Err(Refusal::Stopped);
        }
        answered.await.map_err(|_| Refusal::Stopped)
    }

    /// What happens from now on, durable entries only.
    pub fn subscribe(&self) -> Subscriber<Arc<Entry>> {
        self.bus.subscribe()
    }

    /// How many entries have been published since it was started. It has grown before whoever asked for one hears of it.
    pub fn heard(&self) -> u64 {
        self.bus.next_position()
    }

    /// Stops the director as its service does: at once where there is none.
    pub fn stop(&self) {
        match &self.stopper {
            Some(stopper) => stopper.notify_one(),
            None => self.shutdown(),
        }
    }

    /// Stops the director in order: agents are interrupted, their work saved, the journal closed.
    pub fn shutdown(&self) {
        let _ = (self.send)(Call::Shutdown);
    }
}
