//! A plain supervisor as an actor of its own, for a branch of the tree that needs nothing else.
//!
//! Elsewhere: an actor with work of its own owns a [`Supervisor`] instead and does what this one does in `handle`.

use std::fmt;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use super::child::{ChildSpec, spawn_child};
use super::exit::{ChildId, Lifecycle};
use super::shell::{Supervisor, SupervisorMsg};
use super::spec::{Restart, SupervisorSpec};
use super::step::Refused;
use super::tree::Subtree;
use crate::clock::Clock;

/// Receives what happens under a supervisor, in order. Must not wait.
pub type Observer = Box<dyn FnMut(&Lifecycle) + Send>;

/// An actor that owns a supervisor and nothing else.
#[derive(Debug)]
pub struct SupervisorActor;

/// What a [`SupervisorActor`] is started with.
pub struct SupervisorArgs {
    /// Policy and first children.
    pub spec: SupervisorSpec,
    /// The time.
    pub clock: Clock,
    /// Where in the tree it hangs; a new [`Subtree`] for a root.
    pub subtree: Subtree,
    /// Who is told what happens.
    pub observer: Option<Observer>,
}

impl fmt::Debug for SupervisorArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SupervisorArgs").field(&self.spec).finish()
    }
}

/// What one can ask of a [`SupervisorActor`]. The answer says whether the request was accepted, not that it is done.
#[derive(Debug)]
pub enum SupervisorCommand {
    /// News of a child.
    News(SupervisorMsg),
    /// Add a child and start it.
    Add(ChildSpec, oneshot::Sender<Result<(), Refused>>),
    /// Stop a child and forget it.
    Remove(ChildId, oneshot::Sender<Result<(), Refused>>),
    /// Stop a child; it stays down.
    Stop(ChildId, oneshot::Sender<Result<(), Refused>>),
    /// Start a child that is down.
    Start(ChildId, oneshot::Sender<Result<(), Refused>>),
    /// Kill a child, as a failure.
    Kill(ChildId, oneshot::Sender<Result<(), Refused>>),
    /// Stop every child, last started first, then itself.
    Shutdown,
}

/// The state of a [`SupervisorActor`].
pub struct SupervisorState {
    supervisor: Supervisor,
    observer: Option<Observer>,
}

impl SupervisorActor {
    /// A child that is a supervisor: each incarnation gets a fresh spec. It has all the time it needs to stop.
    pub fn child(
        id: impl Into<ChildId>,
        restart: Restart,
        clock: Clock,
        spec: impl Fn() -> Result<SupervisorSpec, ActorProcessingErr> + Send + Sync + 'static,
        observer: impl Fn() -> Option<Observer> + Send + Sync + 'static,
    ) -> ChildSpec {
        let start = move |context: &super::SpawnContext| {
            let subtree = context.subtree.clone();
            let arguments = SupervisorArgs {
                spec: spec()?,
                clock: clock.clone(),
                subtree,
                observer: observer(),
            };
            let spawned = spawn_child(SupervisorActor, arguments)?;
            let actor = spawned.actor;
            Ok(spawned.started.stop_with(move || {
                // If it cannot be told it has ended already.
                let _ = actor.cast(SupervisorCommand::Shutdown);
            }))
        };
        ChildSpec::new(id, restart, start).grace(Duration::MAX)
    }
}

impl Actor for SupervisorActor {
    type Msg = SupervisorCommand;
    type State = SupervisorState;
    type Arguments = SupervisorArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let SupervisorArgs {
            spec,
            clock,
            subtree,
            observer,
        } = arguments;
        let notify = move |news| {
            // If it cannot be told it has ended, and its children with it.
            let _ = myself.cast(SupervisorCommand::News(news));
        };
        let supervisor = Supervisor::new(spec, subtree, clock, notify);
        Ok(SupervisorState {
            supervisor,
            observer,
        })
    }

    async fn post_start(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let told = state.supervisor.start();
        state.tell(&myself, told)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let supervisor = &mut state.supervisor;
        let (result, reply) = match message {
            SupervisorCommand::News(news) => (Ok(supervisor.handle(news)), None),
            SupervisorCommand::Shutdown => (Ok(supervisor.shutdown()), None),
            SupervisorCommand::Add(child, reply) => (supervisor.add_child(child), Some(reply)),
            SupervisorCommand::Remove(id, reply) => (supervisor.remove_child(&id), Some(reply)),
            SupervisorCommand::Stop(id, reply) => (supervisor.stop_child(&id), Some(reply)),
            SupervisorCommand::Start(id, reply) => (supervisor.start_child(&id), Some(reply)),
            SupervisorCommand::Kill(id, reply) => (supervisor.kill_child(&id), Some(reply)),
        };
        let (told, answer) = match result {
            Ok(told) => (told, Ok(())),
            Err(refused) => (Vec::new(), Err(refused)),
        };
        if let Some(reply) = reply {
            // Whoever asked may have gone.
            let _ = reply.send(answer);
        }
        state.tell(&myself, told)
    }
}

impl SupervisorState {
    fn tell(
        &mut self,
        myself: &ActorRef<SupervisorCommand>,
        told: Vec<Lifecycle>,
    ) -> Result<(), ActorProcessingErr> {
        for what in told {
            if let Some(observer) = &mut self.observer {
                observer(&what);
            }
            match what {
                Lifecycle::Stopped => myself.stop(None),
                Lifecycle::Escalated { reason } => return Err(Box::new(reason)),
                _ => {}
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SupervisorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.supervisor.fmt(f)
    }
}
