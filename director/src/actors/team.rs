//! The team's actor: supervises the role supervisors, one for one.
//!
//! A role that gave up stays down and is reported; the engine asks a person and has it started again.
//!
//! Elsewhere: a role's agents are `role`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use director_protocols::command::Command;
use director_runtime::supervisor::{
    ChildId, ChildSpec, Lifecycle, Restart, Subtree, Supervisor, SupervisorMsg, SupervisorSpec,
    spawn_child,
};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::role::{Crew, RoleDesk};
use crate::engine::orders::RoleOrder;

/// Its name below the director.
pub const NAME: &str = "team";

/// What one tells it.
pub enum TeamMsg {
    /// Make the roles and agents equal these.
    Sync(Vec<RoleOrder>),
    /// Start a role that gave up.
    Restart(String),
    /// News of a role.
    News(SupervisorMsg),
    /// Stop every role, then itself.
    Shutdown,
}

/// Where the current incarnation's address is kept.
pub type Address = Arc<Mutex<Option<ActorRef<TeamMsg>>>>;

/// The actor as a child.
pub fn child(crew: Crew, address: Address) -> ChildSpec {
    ChildSpec::new(NAME, Restart::Permanent, move |context| {
        let arguments = (crew.clone(), context.subtree.clone());
        let spawned = spawn_child(Team, arguments)?;
        let actor = spawned.actor;
        *address.lock().unwrap_or_else(PoisonError::into_inner) = Some(actor.clone());
        Ok(spawned.started.stop_with(move || {
            // If it cannot be told it has ended already.
            let _ = actor.cast(TeamMsg::Shutdown);
        }))
    })
    .grace(std::time::Duration::MAX)
}

struct Team;

struct State {
    crew: Crew,
    supervisor: Supervisor,
    desks: BTreeMap<String, RoleDesk>,
}

impl Actor for Team {
    type Msg = TeamMsg;
    type State = State;
    type Arguments = (Crew, Subtree);

    async fn pre_start(
        &self,
        myself: ActorRef<TeamMsg>,
        (crew, subtree): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let notify = move |news| {
            // If it cannot be told it has ended, and its roles with it.
            let _ = myself.cast(TeamMsg::News(news));
        };
        let spec = SupervisorSpec::named(NAME).seed(crew.seed);
        let supervisor = Supervisor::new(spec, subtree, crew.clock.clone(), notify);
        Ok(State {
            crew,
            supervisor,
            desks: BTreeMap::new(),
        })
    }

    async fn post_start(
        &self,
        _: ActorRef<TeamMsg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.supervisor.start();
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<TeamMsg>,
        message: TeamMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let happened = match message {
            TeamMsg::Sync(roles) => {
                state.sync(roles);
                return Ok(());
            }
            TeamMsg::Restart(role) => state
                .supervisor
                .start_child(&ChildId::from(role.as_str()))
                .unwrap_or_default(),
            TeamMsg::News(news) => state.supervisor.handle(news),
            TeamMsg::Shutdown => state.supervisor.shutdown(),
        };
        for event in happened {
            match event {
                Lifecycle::Exited { child, exit, .. } if exit.is_failure() => {
                    (state.crew.sink)(Command::RoleLost {
                        role: child.as_str().to_owned(),
                        reason: exit.to_string(),
                    });
                }
                Lifecycle::Stopped => myself.stop(None),
                Lifecycle::Escalated { reason } => return Err(reason.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

impl State {
    fn sync(&mut self, roles: Vec<RoleOrder>) {
        for order in roles {
            let name = order.spec.name.to_string();
            match self.desks.get(&name) {
                Some(desk) => desk.set(order),
                None => {
                    let desk = RoleDesk::new(order);
                    let child = desk.child(&name, self.crew.clone());
                    if let Err(refused) = self.supervisor.add_child(child) {
                        tracing::warn!(role = name, %refused, "role not started");
                        continue;
                    }
                    self.desks.insert(name, desk);
                }
            }
        }
    }
}
