//! A role's actor: supervises the role's agents, one for one.
//!
//! Restart intensity and backoff come with the role. An agent that dies with a task in hand is charged to the
//! task; one that dies without is charged to the role, and a role that used up its restarts ends, which its
//! owner reports.
//!
//! Elsewhere: the cells are `director_agents::cell`; what a lost role means is the engine's word.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use director_agents::cell::{CellSpec, Sink, account_of};
use director_agents::context::Host;
use director_agents::factory::Registry;
use director_agents::slot::Slot;
use director_protocols::ids::AgentId;
use director_protocols::sprint::RoleSpec;
use director_runtime::clock::Clock;
use director_runtime::directory::Directory;
use director_runtime::supervisor::{
    Backoff, ChildId, ChildSpec, Lifecycle, Restart, Strategy, Supervisor, SupervisorMsg,
    SupervisorSpec, spawn_child,
};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::engine::orders::RoleOrder;

/// What all agents are made with.
#[derive(Clone)]
pub struct Crew {
    /// The kinds of agent.
    pub registry: Arc<Registry>,
    /// Where files lie and processes are guarded.
    pub host: Host,
    /// Who hears what agents report.
    pub sink: Sink,
    /// The time.
    pub clock: Clock,
    /// Every agent's place, by its number.
    pub slots: Directory<AgentId, Slot>,
    /// Seeds the jitter of restarts.
    pub seed: u64,
}

/// A role's order and its current actor; outlives the actor.
#[derive(Clone)]
pub struct RoleDesk {
    order: Arc<Mutex<RoleOrder>>,
    actor: Arc<Mutex<Option<ActorRef<RoleMsg>>>>,
}

/// What one tells it.
pub enum RoleMsg {
    /// The order has changed: make the agents equal it.
    Sync,
    /// News of an agent.
    News(SupervisorMsg),
    /// Stop every agent, then itself.
    Shutdown,
}

impl RoleDesk {
    /// A desk with its first order.
    pub fn new(order: RoleOrder) -> Self {
        Self {
            order: Arc::new(Mutex::new(order)),
            actor: Arc::default(),
        }
    }

    /// Changes the order and tells the actor, if there is one.
    pub fn set(&self, order: RoleOrder) {
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = order;
        if let Some(actor) = &*self.actor.lock().unwrap_or_else(PoisonError::into_inner) {
            // One that has ended reads the order when it is started again.
            let _ = actor.cast(RoleMsg::Sync);
        }
    }

    fn order(&self) -> RoleOrder {
        self.order
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The actor as a child: temporary, because after it gave up a person has to look.
    pub fn child(&self, name: &str, crew: Crew) -> ChildSpec {
        let desk = self.clone();
        ChildSpec::new(name.to_owned(), Restart::Temporary, move |context| {
            let arguments = (desk.clone(), crew.clone(), context.subtree.clone());
            let spawned = spawn_child(RoleActor, arguments)?;
            let actor = spawned.actor;
            *desk.actor.lock().unwrap_or_else(PoisonError::into_inner) = Some(actor.clone());
            Ok(spawned.started.stop_with(move || {
                // If it cannot be told it has ended already.
                let _ = actor.cast(RoleMsg::Shutdown);
            }))
        })
        .grace(std::time::Duration::MAX)
    }
}

/// How a role's agents are supervised; the same in a simulated sprint.
pub fn supervision(role: &RoleSpec, seed: u64) -> SupervisorSpec {
    let restart = role.restart;
    SupervisorSpec::named(role.name.as_str())
        .strategy(Strategy::OneForOne)
        .intensity(restart.intensity, restart.within.to_std())
        .backoff(
            Backoff::exponential(restart.backoff_min.to_std(), restart.backoff_max.to_std())
                .jitter(100),
        )
        .seed(seed)
}

struct RoleActor;

struct State {
    desk: RoleDesk,
    crew: Crew,
    supervisor: Supervisor,
    running: BTreeSet<AgentId>,
    /// Every agent that was ever a child of this incarnation.
    slots: BTreeMap<ChildId, Slot>,
    stopping: bool,
}

impl Actor for RoleActor {
    type Msg = RoleMsg;
    type State = State;
    type Arguments = (RoleDesk, Crew, director_runtime::supervisor::Subtree);

    async fn pre_start(
        &self,
        myself: ActorRef<RoleMsg>,
        (desk, crew, subtree): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let order = desk.order();
        let spec = supervision(&order.spec, crew.seed);
        let notify = move |news| {
            // If it cannot be told it has ended, and its agents with it.
            let _ = myself.cast(RoleMsg::News(news));
        };
        let supervisor = Supervisor::new(spec, subtree, crew.clock.clone(), notify);
        Ok(State {
            desk,
            crew,
            supervisor,
            running: BTreeSet::new(),
            slots: BTreeMap::new(),
            stopping: false,
        })
    }

    async fn post_start(
        &self,
        _: ActorRef<RoleMsg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.supervisor.start();
        state.sync();
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<RoleMsg>,
        message: RoleMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let happened = match message {
            RoleMsg::Sync => {
                state.sync();
                return Ok(());
            }
            RoleMsg::News(news) => state.supervisor.handle(news),
            RoleMsg::Shutdown => {
                state.stopping = true;
                state.supervisor.shutdown()
            }
        };
        for event in happened {
            state.account(&event);
            match event {
                // It may have been wanted again meanwhile.
                Lifecycle::Removed { .. } => state.sync(),
                Lifecycle::Stopped => myself.stop(None),
                Lifecycle::Escalated { reason } => return Err(reason.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

impl State {
    /// Makes the agents equal the order.
    fn sync(&mut self) {
        if self.stopping {
            return;
        }
        let order = self.desk.order();
        let wanted: BTreeSet<AgentId> = order.agents.iter().map(|(id, ..)| *id).collect();
        let role = Arc::new(order.spec);
        for (id, name, _) in order.agents {
            if self.running.insert(id) {
                let slot = self
                    .crew
                    .slots
                    .get(&id)
                    .unwrap_or_else(|| Slot::new(id, name));
                self.crew.slots.insert(id, slot.clone());
                self.slots.insert(ChildId::from(slot.name()), slot.clone());
                // What an incarnation under an earlier supervisor left undone.
                self.vacate(&slot);
                let cell = CellSpec {
                    slot,
                    role: Arc::clone(&role),
                    registry: Arc::clone(&self.crew.registry),
                    host: self.crew.host.clone(),
                    sink: Arc::clone(&self.crew.sink),
                    grace: director_agents::cell::GRACE,
                };
                if let Err(refused) = self.supervisor.add_child(cell.child()) {
                    // One that is still being retired is added when it is gone.
                    self.running.remove(&id);
                    tracing::debug!(agent = %id, %refused, "agent not started yet");
                }
            }
        }
        let retired: Vec<AgentId> = self.running.difference(&wanted).copied().collect();
        for id in retired {
            self.running.remove(&id);
            if let Some(slot) = self.crew.slots.get(&id)
                && let Err(refused) = self.supervisor.remove_child(&ChildId::from(slot.name()))
            {
                tracing::warn!(agent = %id, %refused, "agent not stopped");
            }
        }
    }

    /// Tells the director what an agent's end means for what it had in hand.
    fn account(&self, event: &Lifecycle) {
        let (Lifecycle::Exited { child, .. }
        | Lifecycle::Leaked { child, .. }
        | Lifecycle::Removed { child }) = event
        else {
            return;
        };
        let Some(slot) = self.slots.get(child) else {
            return;
        };
        for command in account_of(slot, event) {
            (self.crew.sink)(command);
        }
        if matches!(event, Lifecycle::Removed { .. }) {
            self.vacate(slot);
        }
    }

    fn vacate(&self, slot: &Slot) {
        for command in slot.vacate("its supervisor ended") {
            (self.crew.sink)(command);
        }
    }
}
