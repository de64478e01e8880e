//! Performs what the rules decide: starts, stops and kills ractor actors, watches them end, keeps the timers.
//!
//! A [`Supervisor`] is a value that an actor owns in its state. It never waits: what happens to its children reaches it as
//! [`SupervisorMsg`] through the owner's own queue, and the owner hands it back with [`Supervisor::handle`].
//! Each incarnation has a watcher task that joins it, and everything below it, before it reports the end.
//!
//! Invariant: only what is joined is reported as gone.
//! Elsewhere: every decision is `supervision`; how an incarnation ended is noted in `child`.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::ActorCell;
use tokio::sync::watch;

use super::child::{ChildSpec, SpawnContext, Started, panic_text};
use super::exit::{ChildId, Exit, Generation, Lifecycle};
use super::spec::{Policy, SupervisorSpec};
use super::step::{Action, Input, Refused, Request, Timer};
use super::supervision::Supervision;
use super::tree::{ChildView, Subtree, lock};
use crate::clock::Clock;
use crate::timer::Timers;

type Notify = Arc<dyn Fn(SupervisorMsg) + Send + Sync>;

/// News for a supervisor, to be handed to [`Supervisor::handle`] by the actor that owns it.
#[derive(Debug)]
pub struct SupervisorMsg(News);

#[derive(Debug)]
enum News {
    Started(ChildId, Generation),
    Gone(ChildId, Generation, Exit),
    Timer(Timer, u64),
}

struct Incarnation {
    generation: Generation,
    cell: ActorCell,
    stop: Option<Box<dyn Fn() + Send + Sync>>,
}

/// Keeps the children of one actor alive. To be owned by that actor; must be used inside a tokio runtime.
///
/// When it is dropped, with an owner that crashed or was killed, it kills what still runs, last started first.
pub struct Supervisor {
    /// Shared with whoever looks at the tree; never locked across a call to anything but the rules.
    rules: Arc<Mutex<Supervision>>,
    policy: Policy,
    specs: BTreeMap<ChildId, ChildSpec>,
    running: BTreeMap<ChildId, Incarnation>,
    timers: Timers<Timer>,
    clock: Clock,
    notify: Notify,
    subtree: Subtree,
}

impl Supervisor {
    /// A supervisor, hung into the tree at the `subtree` that its owner was started with. Nothing runs until
    /// [`Supervisor::start`].
    ///
    /// `notify` sends the owner a message that carries the news. It is called from other tasks and must not wait.
    pub fn new(
        spec: SupervisorSpec,
        subtree: Subtree,
        clock: Clock,
        notify: impl Fn(SupervisorMsg) + Send + Sync + 'static,
    ) -> Self {
        let SupervisorSpec { policy, children } = spec;
        let rules = children.iter().map(|child| child.rule.clone()).collect();
        let specs = children
            .into_iter()
            .map(|child| (child.rule.id.clone(), child))
            .collect();
        Supervisor {
            rules: subtree.show(Supervision::new(policy.clone(), rules)),
            policy,
            specs,
            running: BTreeMap::new(),
            timers: Timers::new(),
            clock,
            notify: Arc::new(notify),
            subtree,
        }
    }

    /// Starts the children, one after the other.
    pub fn start(&mut self) -> Vec<Lifecycle> {
        self.input(Input::Start)
    }

    /// Takes in news. Returns what happened, in order; after [`Lifecycle::Stopped`] the owner should stop, after
    /// [`Lifecycle::Escalated`] it should return the reason as its error.
    pub fn handle(&mut self, message: SupervisorMsg) -> Vec<Lifecycle> {
        let input = match message.0 {
            News::Started(child, generation) => Input::Started { child, generation },
            News::Gone(child, generation, exit) => {
                // One that was given up as leaked was dealt with then: nobody is asked about it again.
                let current = self.forget(&child, generation);
                let ask = self
                    .specs
                    .get(&child)
                    .and_then(|spec| spec.charged_elsewhere.as_ref());
                let charged_elsewhere =
                    current && exit.is_failure() && ask.is_some_and(|ask| ask(generation, &exit));
                Input::Gone {
                    child,
                    generation,
                    exit,
                    charged_elsewhere,
                }
            }
            News::Timer(timer, generation) => Input::TimerFired { timer, generation },
        };
        self.input(input)
    }

    /// Adds a child behind the others and starts it.
    ///
    /// # Errors
    ///
    /// The name is taken, or the supervisor is stopping.
    pub fn add_child(&mut self, child: ChildSpec) -> Result<Vec<Lifecycle>, Refused> {
        let actions = lock(&self.rules).request(Request::Add(child.rule.clone()))?;
        self.specs.insert(child.rule.id.clone(), child);
        Ok(self.perform(actions))
    }

    /// Stops a child and forgets it.
    ///
    /// # Errors
    ///
    /// It is unknown, or the supervisor is stopping.
    pub fn remove_child(&mut self, id: &ChildId) -> Result<Vec<Lifecycle>, Refused> {
        self.request(Request::Remove(id.clone()))
    }

    /// Stops a child; it stays down.
    ///
    /// # Errors
    ///
    /// It is unknown, or the supervisor is stopping.
    pub fn stop_child(&mut self, id: &ChildId) -> Result<Vec<Lifecycle>, Refused> {
        self.request(Request::Stop(id.clone()))
    }

    /// Starts a child that is down, without waiting for its backoff.
    ///
    /// # Errors
    ///
    /// It is unknown, or the supervisor is stopping.
    pub fn start_child(&mut self, id: &ChildId) -> Result<Vec<Lifecycle>, Refused> {
        self.request(Request::Start(id.clone()))
    }

    /// Kills a child that is wedged, as a failure: its restart type decides what follows.
    ///
    /// # Errors
    ///
    /// It is unknown, or the supervisor is stopping.
    pub fn kill_child(&mut self, id: &ChildId) -> Result<Vec<Lifecycle>, Refused> {
        self.request(Request::Kill(id.clone()))
    }

    /// Stops every child, last started first, one at a time; [`Lifecycle::Stopped`] comes when all are down.
    pub fn shutdown(&mut self) -> Vec<Lifecycle> {
        self.input(Input::Shutdown)
    }

    /// Every child, in start order.
    pub fn children(&self) -> Vec<ChildView> {
        lock(&self.rules).children()
    }

    /// This supervisor's part of the tree: a handle that can be read at any time, from anywhere.
    pub fn tree(&self) -> Subtree {
        self.subtree.clone()
    }

    fn input(&mut self, input: Input) -> Vec<Lifecycle> {
        let actions = lock(&self.rules).handle(self.clock.now_ms(), input);
        self.perform(actions)
    }

    fn request(&mut self, request: Request) -> Result<Vec<Lifecycle>, Refused> {
        let actions = lock(&self.rules).request(request)?;
        Ok(self.perform(actions))
    }

    fn perform(&mut self, actions: Vec<Action>) -> Vec<Lifecycle> {
        let mut told = Vec::new();
        let mut due = Vec::new();
        for action in actions {
            match action {
                Action::Spawn { child, generation } => self.spawn(child, generation),
                Action::Stop { child, generation } => {
                    if let Some(running) = self.incarnation(&child, generation) {
                        match &running.stop {
                            Some(ask) => ask(),
                            None => running.cell.stop(None),
                        }
                    }
                }
                Action::Kill { child, generation } => {
                    if let Some(running) = self.incarnation(&child, generation) {
                        running.cell.kill();
                    }
                }
                // Without a delay there is nothing to wait for: taken in as soon as this step is done.
                Action::Schedule {
                    timer,
                    generation,
                    delay_ms: 0,
                } => due.push((timer, generation)),
                Action::Schedule {
                    timer,
                    generation,
                    delay_ms,
                } => {
                    let (notify, news) = (Arc::clone(&self.notify), timer.clone());
                    let delay = Duration::from_millis(delay_ms);
                    self.timers.set(timer, delay, move |_| {
                        notify(SupervisorMsg(News::Timer(news, generation)))
                    });
                }
                Action::Forget(child) => {
                    self.specs.remove(&child);
                    for timer in [
                        Timer::Restart(child.clone()),
                        Timer::Grace(child.clone()),
                        Timer::Join(child),
                    ] {
                        self.timers.cancel(&timer);
                    }
                }
                Action::Tell(what) => {
                    if let Lifecycle::Leaked { child, generation } = &what {
                        self.forget(child, *generation);
                    }
                    self.trace(&what);
                    told.push(what);
                }
            }
        }
        for (timer, generation) in due {
            told.extend(self.input(Input::TimerFired { timer, generation }));
        }
        told
    }

    /// Drops the handle of an incarnation that is over. False if it was not the current one.
    fn forget(&mut self, child: &ChildId, generation: Generation) -> bool {
        let current = self.incarnation(child, generation).is_some();
        if current {
            self.running.remove(child);
        }
        current
    }

    fn incarnation(&self, child: &ChildId, generation: Generation) -> Option<&Incarnation> {
        self.running
            .get(child)
            .filter(|running| running.generation == generation)
    }

    fn spawn(&mut self, child: ChildId, generation: Generation) {
        let Some(spec) = self.specs.get(&child) else {
            return;
        };
        let subtree = self.subtree.below(&child);
        let context = SpawnContext {
            child,
            generation,
            subtree: subtree.clone(),
        };
        let started = catch_unwind(AssertUnwindSafe(|| (spec.start)(&context)));
        let SpawnContext { child, .. } = context;
        let exit = match started {
            Ok(Ok(Started {
                cell,
                joining,
                stop,
            })) => {
                let watcher = Watcher {
                    child: child.clone(),
                    generation,
                    notify: Arc::clone(&self.notify),
                    below: subtree.clone(),
                    below_limit: Duration::from_millis(self.policy.join_ms),
                    token: self.subtree.token(),
                };
                tokio::spawn(async move {
                    let exit = joining.gone(|| watcher.started()).await;
                    watcher.gone(exit).await;
                });
                self.running.insert(
                    child,
                    Incarnation {
                        generation,
                        cell,
                        stop,
                    },
                );
                return;
            }
            Ok(Err(error)) => Exit::Failed(error.to_string()),
            Err(panic) => Exit::Panicked(panic_text(panic.as_ref())),
        };
        // Through the queue like every other end, so that a step never takes place inside a step.
        (self.notify)(SupervisorMsg(News::Gone(child, generation, exit)));
    }

    fn trace(&self, what: &Lifecycle) {
        let supervisor = self.policy.name.as_str();
        match what {
            Lifecycle::Exited { exit, .. } if exit.is_failure() => {
                tracing::warn!(supervisor, %what, "child failed")
            }
            Lifecycle::GivingUp { .. } | Lifecycle::Leaked { .. } => {
                tracing::error!(supervisor, %what, "supervision needs attention");
            }
            _ => tracing::debug!(supervisor, %what, "supervision"),
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        for child in lock(&self.rules).children().iter().rev() {
            if let Some(running) = self.running.get(&child.id) {
                running.cell.kill();
            }
        }
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Supervisor").field(&self.rules).finish()
    }
}

/// Waits for the end of one incarnation and reports it.
struct Watcher {
    child: ChildId,
    generation: Generation,
    notify: Notify,
    below: Subtree,
    below_limit: Duration,
    /// Held until the end, so that the subtree above does not count as empty before.
    token: watch::Receiver<()>,
}

impl Watcher {
    fn started(&self) {
        (self.notify)(SupervisorMsg(News::Started(
            self.child.clone(),
            self.generation,
        )));
    }

    async fn gone(self, exit: Exit) {
        // What hung below a crashed owner was killed when its supervisor was dropped; a kill takes effect at the next await.
        if tokio::time::timeout(self.below_limit, self.below.emptied())
            .await
            .is_err()
        {
            let (child, alive) = (&self.child, self.below.alive());
            tracing::error!(%child, generation = self.generation.0, alive, "children outlive their supervisor");
        }
        drop(self.token);
        (self.notify)(SupervisorMsg(News::Gone(self.child, self.generation, exit)));
    }
}
