//! For tests: actors that do what they are told, under a supervisor on virtual time, and a log of all that happens.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::*;
use crate::clock::Clock;
use crate::directory::Directory;

/// What an actor is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Do {
    Panic,
    Fail,
    /// Waits for ever in its handler.
    Hang,
    /// Stops by itself, normally.
    Finish,
}

/// What an actor does at its start or at its stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    #[default]
    Well,
    Panic,
    Fail,
    Hang,
}

async fn go(way: Way, place: &str) -> Result<(), ActorProcessingErr> {
    match way {
        Way::Well => Ok(()),
        Way::Panic => panic!("{place} panic"),
        Way::Fail => Err(format!("{place} error").into()),
        Way::Hang => std::future::pending().await,
    }
}

#[derive(Clone)]
pub(super) struct Log {
    clock: Clock,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Log {
    pub(super) fn add(&self, line: impl std::fmt::Display) {
        self.lines
            .lock()
            .unwrap()
            .push(format!("{:<6} {line}", self.clock.now_ms()));
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Forgets what was logged so far.
    pub(super) fn clear(&self) {
        self.lines.lock().unwrap().clear();
    }

    pub(super) fn text(&self) -> String {
        self.lines
            .lock()
            .unwrap()
            .iter()
            .map(|line| format!("{line}\n"))
            .collect()
    }
}

/// An actor that does what it is told; its state says when it is dropped.
pub(super) struct Puppet;

pub(super) struct Strings {
    name: String,
    log: Log,
    stop: Way,
}

impl Drop for Strings {
    fn drop(&mut self) {
        self.log.add(format_args!("  {} state dropped", self.name));
    }
}

impl Actor for Puppet {
    type Msg = Do;
    type State = Strings;
    type Arguments = (String, Log, Way, Way);

    async fn pre_start(
        &self,
        _: ActorRef<Do>,
        (name, log, start, stop): Self::Arguments,
    ) -> Result<Strings, ActorProcessingErr> {
        go(start, "start").await?;
        Ok(Strings { name, log, stop })
    }

    async fn handle(
        &self,
        myself: ActorRef<Do>,
        told: Do,
        _: &mut Strings,
    ) -> Result<(), ActorProcessingErr> {
        match told {
            Do::Panic => go(Way::Panic, "handle").await,
            Do::Fail => go(Way::Fail, "handle").await,
            Do::Hang => go(Way::Hang, "handle").await,
            Do::Finish => {
                myself.stop(None);
                Ok(())
            }
        }
    }

    async fn post_stop(
        &self,
        _: ActorRef<Do>,
        state: &mut Strings,
    ) -> Result<(), ActorProcessingErr> {
        go(state.stop, "stop").await
    }
}

/// A supervisor on virtual time, its children by name, and the log of everything.
pub(super) struct Stage {
    pub(super) root: Root<SupervisorCommand>,
    pub(super) puppets: Directory<String, ActorRef<Do>>,
    pub(super) tree: Subtree,
    pub(super) log: Log,
}

pub(super) type Plan = fn(&str, u64) -> (Way, Way);

pub(super) struct Cast {
    pub(super) puppets: Directory<String, ActorRef<Do>>,
    pub(super) log: Log,
    plan: Plan,
}

impl Cast {
    pub(super) fn new(plan: Plan) -> Self {
        let log = Log {
            clock: Clock::tokio(0),
            lines: Arc::default(),
        };
        Cast {
            puppets: Directory::new(),
            log,
            plan,
        }
    }

    pub(super) fn child(&self, name: &str, restart: Restart) -> ChildSpec {
        let (puppets, log, plan) = (self.puppets.clone(), self.log.clone(), self.plan);
        ChildSpec::new(name, restart, move |context| {
            let (start, stop) = plan(context.child.as_str(), context.generation.0);
            let name = format!("{}{}", context.child, context.generation);
            let spawned = spawn_child(Puppet, (name, log.clone(), start, stop))?;
            puppets.insert(context.child.to_string(), spawned.actor);
            Ok(spawned.started)
        })
    }

    pub(super) fn raise(&self, spec: SupervisorSpec) -> Stage {
        let (tree, log) = (Subtree::new(), self.log.clone());
        let arguments = SupervisorArgs {
            spec: spec.build().unwrap(),
            clock: self.log.clock.clone(),
            subtree: tree.clone(),
            observer: Some(Box::new(move |what| log.add(what))),
        };
        let root = spawn_root(SupervisorActor, arguments).unwrap();
        Stage {
            root,
            puppets: self.puppets.clone(),
            tree,
            log: self.log.clone(),
        }
    }
}

/// Doubling from 100 ms without jitter, so that the times in a log can be added up by hand.
pub(super) fn plain(strategy: Strategy) -> SupervisorSpec {
    named("top", strategy)
}

pub(super) fn named(name: &str, strategy: Strategy) -> SupervisorSpec {
    let backoff =
        Backoff::exponential(Duration::from_millis(100), Duration::from_secs(10)).jitter(0);
    SupervisorSpec::named(name)
        .strategy(strategy)
        .intensity(3, Duration::from_secs(10))
        .backoff(backoff)
}

pub(super) fn well(_: &str, _: u64) -> (Way, Way) {
    (Way::Well, Way::Well)
}

impl Stage {
    pub(super) fn tell(&self, name: &str, what: Do) {
        self.log.add(format_args!("- {name} {what:?}"));
        // A puppet that is down at the moment misses it.
        let _ = self.puppets.get(&name.to_owned()).unwrap().cast(what);
    }

    pub(super) async fn ask(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<(), Refused>>) -> SupervisorCommand,
    ) -> Result<(), Refused> {
        let (reply, answer) = oneshot::channel();
        self.root.actor.cast(request(reply)).unwrap();
        answer.await.unwrap()
    }

    pub(super) async fn end(self) -> String {
        self.log.add("- shutdown");
        let _ = self.root.actor.cast(SupervisorCommand::Shutdown);
        let exit = self.root.wait().await;
        self.log.add(format_args!("top {exit}"));
        assert_eq!(self.tree.alive(), 0, "nothing is left below");
        self.log.text()
    }
}

pub(super) async fn settle() {
    sleep(Duration::from_secs(1)).await;
}

/// Keeps the panics that these tests cause on purpose out of the output; every other panic is shown as usual.
pub(super) fn quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let text = child::panic_text(panic.payload());
            let on_purpose =
                ["handle panic", "start panic", "stop panic", "told to"].contains(&text.as_str());
            if !on_purpose {
                shown(panic);
            }
        }));
    });
}
