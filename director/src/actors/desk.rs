//! A desk: orders lie on it until they are answered, and an actor works them off.
//!
//! The desk belongs to the slot and outlives each incarnation of its actor: what an actor that died had in hand
//! is still on the desk, and the next one does it again, under the same effect. So an order is carried out at
//! least once and answered once by this desk; every order is safe to repeat.
//!
//! Orders with the same lane are carried out one after the other, in the order of their effects; different lanes at
//! the same time, up to a limit. The actor only starts and counts; it never waits inside a handler.
//!
//! Invariants: a lane has at most one order in hand; an incarnation's orders end with it, or find their
//! [`CallOff`] set before they change anything.
//! Elsewhere: what carrying out means is the [`Craft`]'s: `integrator` and `gatekeeper`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use director_protocols::command::Command;
use director_protocols::ids::EffectId;
use director_runtime::supervisor::{ChildSpec, Restart, spawn_child};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinSet;

use crate::engine::orders::Order;
use crate::perform::CallOff;

/// Takes answers. Must not wait.
pub type Sink = Arc<dyn Fn(Command) + Send + Sync>;

/// What an order leads to: the commands to report, in order.
pub type Deed = Pin<Box<dyn Future<Output = Vec<Command>> + Send>>;

/// Knows how to carry out orders.
pub trait Craft: Send + Sync + 'static {
    /// The name of the actor.
    fn name(&self) -> &'static str;
    /// What must not happen at the same time as this order.
    fn lane(&self, order: &Order) -> String;
    /// Carries it out. An empty answer means that it was called off, or is not for this craft. Dropping the
    /// future ends it.
    fn carry_out(&self, effect: EffectId, order: Arc<Order>, call_off: CallOff) -> Deed;
}

/// A desk with its craft. Clones are handles to the same desk.
#[derive(Clone)]
pub struct Desk(Arc<Shared>);

struct Shared {
    craft: Box<dyn Craft>,
    at_once: usize,
    sink: Sink,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Everything that is not answered, also what is in hand.
    orders: BTreeMap<EffectId, Arc<Order>>,
    actor: Option<ActorRef<Turn>>,
}

/// What the actor behind a desk is told.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// There may be something to start.
    Look,
    /// This one is over.
    Over(EffectId),
}

impl Desk {
    /// An empty desk; at most `at_once` orders are in hand at the same time.
    pub fn new(craft: impl Craft, at_once: usize, sink: Sink) -> Self {
        Desk(Arc::new(Shared {
            craft: Box::new(craft),
            at_once: at_once.max(1),
            sink,
            inner: Mutex::default(),
        }))
    }

    /// Puts an order on the desk; one that lies there already does not come twice. There is no limit here: the
    /// engine has at most a few effects outstanding for each agent.
    pub fn put(&self, effect: EffectId, order: Order) {
        let actor = {
            let mut inner = self.0.lock();
            inner
                .orders
                .entry(effect)
                .or_insert_with(|| Arc::new(order));
            inner.actor.clone()
        };
        if let Some(actor) = actor {
            // An actor that is gone leaves it to the next one, which looks when it starts.
            let _ = actor.cast(Turn::Look);
        }
    }

    /// Orders that are not answered, those in hand included.
    pub fn depth(&self) -> usize {
        self.0.lock().orders.len()
    }

    /// The actor, for its supervisor. One desk is for one child.
    pub fn child(&self) -> ChildSpec {
        let shared = self.0.clone();
        ChildSpec::new(self.0.craft.name(), Restart::Permanent, move |_| {
            let spawned = spawn_child(Worker, shared.clone())?;
            shared.lock().actor = Some(spawned.actor);
            Ok(spawned.started)
        })
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Desk({}, {})", self.0.craft.name(), self.depth())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The actor behind a desk.
struct Worker;

struct Hands {
    shared: Arc<Shared>,
    in_hand: BTreeMap<EffectId, String>,
    tasks: JoinSet<()>,
    call_off: CallOff,
}

impl Drop for Hands {
    fn drop(&mut self) {
        // The tasks end with the set; what runs on a blocking thread has only this.
        self.call_off.set();
    }
}

impl Actor for Worker {
    type Msg = Turn;
    type State = Hands;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        myself: ActorRef<Turn>,
        shared: Arc<Shared>,
    ) -> Result<Hands, ActorProcessingErr> {
        myself.cast(Turn::Look)?;
        Ok(Hands {
            shared,
            in_hand: BTreeMap::new(),
            tasks: JoinSet::new(),
            call_off: CallOff::default(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Turn>,
        turn: Turn,
        hands: &mut Hands,
    ) -> Result<(), ActorProcessingErr> {
        if let Turn::Over(effect) = turn {
            hands.in_hand.remove(&effect);
        }
        while hands.tasks.try_join_next().is_some() {}
        hands.start(&myself);
        Ok(())
    }
}

impl Hands {
    /// Starts what may start, oldest first.
    fn start(&mut self, myself: &ActorRef<Turn>) {
        let mut busy: BTreeSet<String> = self.in_hand.values().cloned().collect();
        let waiting: Vec<(EffectId, Arc<Order>)> = {
            let inner = self.shared.lock();
            let orders = inner.orders.iter();
            orders
                .filter(|(effect, _)| !self.in_hand.contains_key(effect))
                .map(|(effect, order)| (*effect, order.clone()))
                .collect()
        };
        for (effect, order) in waiting {
            if self.in_hand.len() >= self.shared.at_once {
                return;
            }
            let lane = self.shared.craft.lane(&order);
            if !busy.insert(lane.clone()) {
                continue;
            }
            self.in_hand.insert(effect, lane);
            let ticket = Ticket {
                effect,
                call_off: self.call_off.clone(),
                shared: self.shared.clone(),
                actor: myself.clone(),
            };
            let deed = self
                .shared
                .craft
                .carry_out(effect, order, self.call_off.clone());
            self.tasks.spawn(async move {
                let answer = deed.await;
                ticket.answer(answer);
            });
        }
    }
}

/// One order in hand. However it ends, the actor learns of it.
struct Ticket {
    effect: EffectId,
    call_off: CallOff,
    shared: Arc<Shared>,
    actor: ActorRef<Turn>,
}

impl Ticket {
    fn answer(&self, commands: Vec<Command>) {
        if commands.is_empty() && self.call_off.is_set() {
            return; // It stays on the desk, for the next incarnation.
        }
        self.shared.lock().orders.remove(&self.effect);
        for command in commands {
            (self.shared.sink)(command);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A bug of ours; done again it would only happen again.
            let effect = self.effect;
            self.answer(vec![Command::EffectFailed {
                effect,
                reason: format!(
                    "the {} failed inside while it carried this out; please report it",
                    self.shared.craft.name()
                ),
            }]);
        }
        let _ = self.actor.cast(Turn::Over(self.effect)); // Gone with its actor, if that has ended.
    }
}
