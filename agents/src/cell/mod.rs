//! The cell: the actor that hosts one agent.
//!
//! It takes messages from the agent's [`Slot`], most urgent first, and turns each into one turn of the agent. The turn
//! runs inside the actor, so its panic is the actor's death and the supervisor's business. Beside the turn the
//! cell listens to the control lane and to the attempt's deadline:
//!
//! ```text
//! slot ─▶ take ─▶ turn ┬─ ends ─────────────────────────▶ Ended, Ask, Delivery
//!                      ├─ cancel │ deadline │ stop ─▶ cancelled() ─▶ grace ─▶ dropped ─▶ Ended
//!                      └─ panics ─▶ the actor dies; the slot knows what was in hand
//! ```
//!
//! One attempt at a time is in hand. While it waits (it asked, or said *not yet*) other messages are further turns
//! in the same attempt. A new assignment replaces one that waits: the director gives one only when the old one is over.
//!
//! Invariant: each assignment that was begun is answered by one `Ended`, or by the slot's account of the death.
//! Elsewhere: what a turn means is in `work`; restarts are `director_runtime::supervisor`; retries and everything else that follows is the director's.

mod work;

use std::sync::Arc;
use std::time::Duration;

use director_protocols::command::Command;
use director_protocols::ids::Generation;
use director_protocols::sprint::RoleSpec;
use director_protocols::time::Span;
use director_runtime::supervisor::{self, ChildSpec, Lifecycle, Restart, spawn_child};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::timeout;

use crate::agent::DynAgent;
use crate::context::{Context, Host};
use crate::factory::{Registry, SpawnContext};
use crate::slot::{CellMessage, Slot};
pub use work::State;
use work::{Flow, idle_listener};

/// Time an agent has from [`Context::cancelled`] to the end of its turn, unless the spec says otherwise.
pub const GRACE: Duration = Duration::from_secs(5);
/// The longest that a turn without an attempt in hand may take: an idle agent that is asked something.
pub const IDLE_TURN_MAX: Duration = Duration::from_secs(600);
/// The longest that [`crate::agent::Agent::on_start`] may take.
pub const START_MAX: Duration = Duration::from_secs(60);
/// What a supervisor waits beyond the agent's own grace, before it ends the actor without asking.
const STOP_MARGIN: Duration = Duration::from_secs(2);

/// Who is told what agents report. Must not wait.
pub type Sink = Arc<dyn Fn(Command) + Send + Sync>;

/// What is said when an attempt's time is up.
pub fn time_is_up(limit: Span) -> String {
    format!("ran longer than its limit of {limit}")
}

/// Whether an agent made from one would be the same made from the other: how many there are and what the director plans
/// with them is not the agent's.
fn makes_the_same(one: &RoleSpec, other: &RoleSpec) -> bool {
    (&one.agent, &one.prompt) == (&other.agent, &other.prompt)
}

/// A cell and all that it needs; each incarnation is made from it.
#[derive(Clone)]
pub struct CellSpec {
    /// The agent's place in the team.
    pub slot: Slot,
    /// Its role, unless the slot was given other settings of it since.
    pub role: Arc<RoleSpec>,
    /// The kinds of agent.
    pub registry: Arc<Registry>,
    /// What all agents share.
    pub host: Host,
    /// Who hears what it reports.
    pub sink: Sink,
    /// Time from a cancellation to the end of the turn; [`GRACE`] by default.
    pub grace: Duration,
}

impl CellSpec {
    /// The settings of the role as they are now.
    fn role(&self) -> Arc<RoleSpec> {
        self.slot.role().unwrap_or_else(|| Arc::clone(&self.role))
    }

    /// The cell as a child for a supervisor. It is asked to stop through its slot, so that a turn is interrupted; a crash with an attempt in
    /// hand is charged to the task and not to the restart intensity.
    pub fn child(self) -> ChildSpec {
        let slot = self.slot.clone();
        let grace = self.grace + STOP_MARGIN;
        ChildSpec::new(slot.name().to_owned(), Restart::Permanent, move |context| {
            let generation = generation_of(context.generation);
            let arguments = Arguments {
                spec: self.clone(),
                generation,
            };
            let spawned = spawn_child(Cell, arguments)?;
            let (slot, actor) = (self.slot.clone(), spawned.actor);
            Ok(spawned.started.stop_with(move || {
                if slot.send(CellMessage::Stop { generation }).is_err() {
                    actor.stop(None);
                }
            }))
        })
        .grace(grace)
        .charged_elsewhere(move |generation, _| {
            slot.in_hand_of(generation_of(generation)).is_some()
        })
    }
}

/// What the director has to be told about what happened under a supervisor, if it concerns the agent of `slot`.
pub fn account_of(slot: &Slot, event: &Lifecycle) -> Vec<Command> {
    let (child, generation, reason) = match event {
        Lifecycle::Exited {
            child,
            generation,
            exit,
        } => (child, generation, exit.to_string()),
        Lifecycle::Leaked { child, generation } => (
            child,
            generation,
            "did not end when it was killed, and was given up".to_owned(),
        ),
        _ => return Vec::new(),
    };
    if child.as_str() == slot.name() {
        slot.death(generation_of(*generation), &reason)
    } else {
        Vec::new()
    }
}

/// The supervisor's number of an incarnation, as the journal has it.
pub fn generation_of(generation: supervisor::Generation) -> Generation {
    Generation(u32::try_from(generation.0).unwrap_or(u32::MAX))
}

/// Makes an agent from its role and starts it.
async fn make(
    spec: &CellSpec,
    role: &RoleSpec,
    generation: Generation,
    idle: &Context,
) -> Result<Box<dyn DynAgent>, String> {
    let context = SpawnContext {
        agent: spec.slot.name(),
        role,
        spec: &role.agent,
        generation,
    };
    let made = spec.registry.make(&context);
    let mut agent = made.map_err(|error| error.to_string())?;
    match timeout(START_MAX, agent.dyn_on_start(&mut idle.clone())).await {
        Ok(Ok(())) => Ok(agent),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the agent took more than a minute to start".to_owned()),
    }
}

/// The actor. Its queue carries only wakes; messages are in the slot.
#[derive(Debug)]
pub struct Cell;

/// There may be something in the slot's mailbox.
#[derive(Debug)]
pub struct Wake;

/// What an incarnation is started with.
pub struct Arguments {
    spec: CellSpec,
    generation: Generation,
}
impl Actor for Cell {
    type Msg = Wake;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Wake>,
        Arguments { spec, generation }: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let role = spec.role();
        let idle = Context::idle(spec.slot.name(), spec.host.clone(), idle_listener(&spec));
        let agent = make(&spec, &role, generation, &idle).await?;
        spec.slot.begin(generation, move || {
            // If it cannot be told it has ended, and the next incarnation looks for itself.
            let _ = myself.cast(Wake);
        });
        Ok(State::new(spec, role, generation, agent, idle))
    }

    async fn post_start(
        &self,
        _: ActorRef<Wake>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (agent, generation) = (state.spec.slot.agent(), state.generation);
        state.report(Command::AgentUp { agent, generation });
        state.spec.slot.wake();
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Wake>,
        Wake: Wake,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.spec.slot.awake();
        // Boxed, so that an agent at rest does not hold the room that a turn needs.
        match Box::pin(state.work()).await {
            Ok(Flow::GoOn) => Ok(()),
            Ok(Flow::Stop) => {
                myself.stop(None);
                Ok(())
            }
            Err(error) => Err(error.to_string().into()),
        }
    }

    async fn post_stop(
        &self,
        _: ActorRef<Wake>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let mut cx = state.idle.clone();
        if timeout(state.spec.grace, state.agent.dyn_on_stop(&mut cx))
            .await
            .is_err()
        {
            tracing::warn!(
                agent = state.spec.slot.name(),
                "agent did not end its clean-up in time"
            );
        }
        Ok(())
    }
}
