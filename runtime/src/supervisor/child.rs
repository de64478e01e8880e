//! A child as the supervisor starts it: how to start it, and a thin wrapper that learns how it ended.
//!
//! ractor reports an error and a panic alike, and a kill only by a word. The wrapper stands around every actor
//! started here, catches its panics, and notes the end before the task ends; no note means it was killed. It also drops
//! the actor's state as the last act of a stop, so whatever the state holds is free when the task is joined,
//! and it ignores ractor's supervision events: what an end means is decided by our supervisor alone.
//!
//! Invariant: the note is written at most once, by the incarnation it belongs to.
//! Elsewhere: waiting for the end is `shell`; what follows from it is `supervision`.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{
    Actor, ActorCell, ActorProcessingErr, ActorRef, ActorRuntime, SpawnErr, SupervisionEvent,
};

use super::exit::{ChildId, Escalation, Exit, Generation};
use super::spec::{ChildRule, Restart, millis};
use super::tree::Subtree;

type Start = dyn Fn(&SpawnContext) -> Result<Started, ActorProcessingErr> + Send + Sync;
type Charge = dyn Fn(Generation, &Exit) -> bool + Send + Sync;

/// A child: its name, its rules and how to start an incarnation of it.
pub struct ChildSpec {
    pub(super) rule: ChildRule,
    pub(super) start: Box<Start>,
    pub(super) charged_elsewhere: Option<Box<Charge>>,
}

impl ChildSpec {
    /// A child with a grace of 5 seconds. `start` makes a fresh incarnation each time it is called, with
    /// [`spawn_child`]; its errors and panics count as failures of the child.
    pub fn new(
        id: impl Into<ChildId>,
        restart: Restart,
        start: impl Fn(&SpawnContext) -> Result<Started, ActorProcessingErr> + Send + Sync + 'static,
    ) -> Self {
        let rule = ChildRule {
            id: id.into(),
            restart,
            grace_ms: 5_000,
        };
        ChildSpec {
            rule,
            start: Box::new(start),
            charged_elsewhere: None,
        }
    }

    /// Time from being asked to stop to being killed. Zero kills at once; [`Duration::MAX`] waits for ever, which suits
    /// children that are supervisors.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.rule.grace_ms = millis(grace);
        self
    }

    /// Says whether somebody else answers for a failure of that incarnation (a crash with a task in hand counts against the
    /// task): then it is restarted after the backoff, but costs no restart intensity. Called once per failure of an incarnation that was started.
    pub fn charged_elsewhere(
        mut self,
        ask: impl Fn(Generation, &Exit) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.charged_elsewhere = Some(Box::new(ask));
        self
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChildSpec").field(&self.rule).finish()
    }
}

/// What an incarnation is started with.
#[derive(Clone, Debug)]
pub struct SpawnContext {
    /// Which child.
    pub child: ChildId,
    /// Which incarnation.
    pub generation: Generation,
    /// Where its own children hang: pass it to [`Supervisor::new`](super::Supervisor::new) if it owns a supervisor.
    pub subtree: Subtree,
}

/// An incarnation that was started: what the supervisor needs to stop it and to learn its end.
pub struct Started {
    pub(super) cell: ActorCell,
    pub(super) joining: Joining,
    pub(super) stop: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Started {
    /// How to ask it to stop, instead of ractor's stop. A supervisor needs this: ractor would kill its children, so it
    /// has to be told by a message to stop them first and itself last.
    pub fn stop_with(mut self, ask: impl Fn() + Send + Sync + 'static) -> Self {
        self.stop = Some(Box::new(ask));
        self
    }
}

/// What joins an incarnation.
pub(super) struct Joining {
    join: JoinHandle<Result<JoinHandle<()>, SpawnErr>>,
    note: Note,
}

impl Joining {
    /// Calls `up` once it is up, and waits until it is gone: its tasks ended and its state dropped.
    pub(super) async fn gone(self, up: impl FnOnce()) -> Exit {
        let joined = match self.join.await {
            Ok(Ok(running)) => {
                up();
                running.await.err().map(Exit::from)
            }
            Ok(Err(_)) => None,
            Err(error) => Some(Exit::from(error)),
        };
        self.note.exit(joined)
    }
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Started").field(&self.cell.get_id()).finish()
    }
}

/// A started actor and what the supervisor needs of it.
#[derive(Debug)]
pub struct Spawned<M> {
    /// To send it messages, at once: they wait until it is up.
    pub actor: ActorRef<M>,
    /// To be returned to the supervisor.
    pub started: Started,
}

/// Starts an incarnation, without waiting for it to be up.
///
/// It is not linked to the supervisor in ractor's sense: ractor ends linked children in random order. The
/// [`Supervisor`](super::Supervisor) that started it ends it, at the latest when it is dropped itself.
///
/// # Errors
///
/// None that ractor has today for an actor without a name; they are passed on.
pub fn spawn_child<A: Actor>(
    actor: A,
    arguments: A::Arguments,
) -> Result<Spawned<A::Msg>, SpawnErr> {
    let note = Note::default();
    let watched = Watched {
        actor,
        note: note.clone(),
    };
    let (actor, join) = ActorRuntime::spawn_instant(None, watched, arguments)?;
    let started = Started {
        cell: actor.get_cell(),
        joining: Joining { join, note },
        stop: None,
    };
    Ok(Spawned { actor, started })
}

/// The actor at the root of a tree, which no supervisor watches.
#[derive(Debug)]
pub struct Root<M> {
    /// To send it messages.
    pub actor: ActorRef<M>,
    started: Started,
}

impl<M> Root<M> {
    /// Waits until it is gone and says how it ended.
    pub async fn wait(self) -> Exit {
        self.started.joining.gone(|| ()).await
    }
}

/// Starts the root of a tree.
///
/// # Errors
///
/// None that ractor has today for an actor without a name; they are passed on.
pub fn spawn_root<A: Actor>(actor: A, arguments: A::Arguments) -> Result<Root<A::Msg>, SpawnErr> {
    let Spawned { actor, started } = spawn_child(actor, arguments)?;
    Ok(Root { actor, started })
}

/// Where an incarnation writes how it ended.
#[derive(Clone, Debug, Default)]
struct Note(Arc<OnceLock<Exit>>);

impl Note {
    fn write(&self, exit: Exit) {
        // The first end is the cause; what goes wrong after it is a consequence.
        let _ = self.0.set(exit);
    }

    /// How it ended, once joined: what the task itself shows (its state panicked while it was dropped), then
    /// the note; without either it was killed.
    fn exit(&self, joined: Option<Exit>) -> Exit {
        match (self.0.get(), joined) {
            (Some(Exit::Stopped) | None, Some(joined)) => joined,
            (Some(noted), _) => noted.clone(),
            (None, None) => Exit::Killed,
        }
    }

    fn failed(&self, error: ActorProcessingErr) -> ActorProcessingErr {
        self.write(match error.downcast_ref::<Escalation>() {
            Some(why) => Exit::Escalated(why.clone()),
            None => Exit::Failed(error.to_string()),
        });
        error
    }

    /// Runs one callback and notes an error or a panic. The callback stays with the caller: taken in by value it would
    /// lie twice in every actor that is at rest.
    async fn guard<T>(
        &self,
        mut run: Pin<&mut impl Future<Output = Result<T, ActorProcessingErr>>>,
    ) -> Result<T, ActorProcessingErr> {
        let caught = poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(result)) => Poll::Ready(Ok(result)),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        })
        .await;
        match caught {
            Ok(result) => result.map_err(|error| self.failed(error)),
            Err(panic) => {
                let text = panic_text(panic.as_ref());
                self.write(Exit::Panicked(text.clone()));
                Err(text.into())
            }
        }
    }
}

impl From<tokio::task::JoinError> for Exit {
    fn from(error: tokio::task::JoinError) -> Self {
        match error.try_into_panic() {
            Ok(panic) => Exit::Panicked(panic_text(panic.as_ref())),
            Err(_) => Exit::Killed,
        }
    }
}

/// The message of a panic, if it has one.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic without a message".to_owned(),
    }
}

/// The wrapper around every actor started here. Its state is the actor's until the stop is over.
struct Watched<A> {
    actor: A,
    note: Note,
}

impl<A: Actor> Actor for Watched<A> {
    type Msg = A::Msg;
    type State = Option<A::State>;
    type Arguments = A::Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        // The inner `async` matters: a callback may panic before it returns its future.
        let start = pin!(async { self.actor.pre_start(myself, arguments).await });
        self.note.guard(start).await.map(Some)
    }

    async fn post_start(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Some(state) = state else { return Ok(()) };
        let begin = pin!(async { self.actor.post_start(myself, state).await });
        self.note.guard(begin).await
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Some(state) = state else { return Ok(()) };
        let handle = pin!(async { self.actor.handle(myself, message, state).await });
        self.note.guard(handle).await
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Some(mut state) = state.take() else {
            return Ok(());
        };
        let stop = pin!(async {
            self.actor.post_stop(myself, &mut state).await?;
            drop(state);
            Ok(())
        });
        self.note.guard(stop).await?;
        self.note.write(Exit::Stopped);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Self::Msg>,
        _: SupervisionEvent,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}
