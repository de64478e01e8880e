//! A sprint made ready to be simulated: submitted once, its team up, its first work handed out.
//!
//! Every run starts from a copy of this state, so what is the same in all runs is done once.
//!
//! Elsewhere: one run is `world`; many are `forecast`.

use director_protocols::command::Command;
use director_protocols::ids::{AgentId, EffectId, Generation, SprintId, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::sprint::{Check, SprintSpec};
use director_protocols::time::{Span, Time};
use director_protocols::ways::Ceremonies;

use super::faults::Faults;
use super::waits::Waits;
use crate::engine::effects::Effect;
use crate::engine::tasks::Phase;
use crate::engine::{Decision, Engine};
use crate::estimate::Durations;
use crate::planner::calendar::Calendar;

/// The kinds of agent that no provider limits.
const UNLIMITED: [&str; 2] = ["command", "person"];

/// A time limit says something about a task if so many in a thousand of its durations are within it.
const LONG: u32 = 950;

/// Why a sprint cannot be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimulateError {
    /// The engine did not take it.
    #[error("the sprint cannot be run, so it cannot be simulated: {0}")]
    Refused(#[from] Rejection),
    /// The rates contradict themselves.
    #[error("the faults make no sense: {0}")]
    Faults(String),
    /// Nothing was asked for.
    #[error("0 runs say nothing; ask for at least 1, or leave `--runs` out for 10000")]
    NoRuns,
}

/// What is known of a task before any run.
#[derive(Clone, Debug)]
pub struct TaskModel {
    /// The longest an attempt may take; none where the file's own estimate goes beyond it.
    pub limit: Option<u64>,
    /// Whether a provider can limit its agent's rate.
    pub limited: bool,
    /// Whether it leaves changes in the repository.
    pub changes: bool,
    /// Whether its report has to name an artifact.
    pub artifact: bool,
    /// What it must have made: names that its report gives.
    pub gated: bool,
}

/// A sprint that is ready to be run on virtual time.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The state at time 0: submitted, everybody up, the first work handed out.
    pub engine: Engine,
    /// What that asked for.
    pub effects: Vec<(EffectId, Effect)>,
    /// The decisions that led there.
    pub decisions: Vec<Decision>,
    /// The sprint.
    pub sprint: SprintId,
    /// How much work the tasks are.
    pub durations: Durations,
    /// What is known of each task.
    pub tasks: Vec<TaskModel>,
    /// What goes wrong.
    pub faults: Faults,
    /// Waits without memory.
    pub waits: Waits,
    /// Working time until the sprint's last day is over.
    pub deadline: Option<Span>,
    /// Tasks whose estimate goes beyond what an attempt may take; the limit is left out for them.
    pub over_limit: usize,
    /// How many agents each role has.
    pub agents: Vec<u32>,
}

/// Help is asked for while the sprint runs; nothing of its own is known about it.
static HELP: TaskModel = TaskModel {
    limit: None,
    limited: false,
    changes: false,
    artifact: false,
    gated: false,
};

impl Prepared {
    /// What is known of a task; of one that was added since, nothing.
    pub fn task(&self, task: TaskId) -> &TaskModel {
        self.tasks.get(task.index()).unwrap_or(&HELP)
    }

    /// Submits `spec` to an engine of its own.
    ///
    /// # Errors
    /// [`SimulateError`] when the engine refuses the sprint or the faults contradict themselves.
    pub fn new(
        spec: &SprintSpec,
        faults: Faults,
        durations: Durations,
    ) -> Result<Self, SimulateError> {
        if let Some(problem) = faults.problem() {
            return Err(SimulateError::Faults(problem));
        }
        let mut engine = Engine::default();
        let mut decisions = Vec::new();
        let now = Time(0);
        let open = Command::Open {
            version: "simulated".to_owned(),
        };
        decisions.push(engine.step(&open, now)?);
        let mut submitted = spec.clone();
        // Virtual time is working time and knows no hour of the day.
        submitted.ways.ceremonies = Ceremonies {
            standup: None,
            progress: None,
        };
        decisions.push(engine.step(&Command::Submit(Box::new(submitted)), now)?);
        let agents = engine.state().team.agents.len();
        for index in 0..agents {
            let up = Command::AgentUp {
                agent: AgentId(index as u32),
                generation: Generation(1),
            };
            decisions.push(engine.step(&up, now)?);
        }
        decisions.push(engine.dispatch(now));
        let effects = decisions
            .iter()
            .flat_map(|decision| decision.effects.iter().cloned())
            .collect();
        let mut over_limit = 0;
        let command_gates = spec
            .gates
            .iter()
            .any(|gate| matches!(gate.check, Check::Command { .. }));
        let state = engine.state();
        let rows = (0u32..).zip(spec.tasks.iter().zip(&state.tasks.table));
        let tasks = rows
            .map(|(place, (task, row))| {
                let limit = task.budget.time.unwrap_or(spec.policy.attempt_time);
                // Effort as people estimate it is not yet an agent's time: a limit that contradicts the estimate says nothing.
                let long = durations.of_task(place).quantile(LONG);
                let fits = long <= limit.0;
                over_limit += usize::from(!fits && row.phase != Phase::Deferred);
                let kind = state.team.roles[row.role.index()].spec.agent.kind.as_str();
                TaskModel {
                    limit: fits.then_some(limit.0),
                    limited: !UNLIMITED.contains(&kind),
                    changes: task.expects == director_protocols::sprint::Expects::Changes,
                    artifact: task.expects == director_protocols::sprint::Expects::Artifact,
                    gated: command_gates
                        || task
                            .gates
                            .iter()
                            .any(|gate| matches!(gate.check, Check::Command { .. })),
                }
            })
            .collect();
        let agents = state
            .team
            .roles
            .iter()
            .map(|role| role.active().count() as u32)
            .collect();
        Ok(Self {
            sprint: SprintId(0),
            durations,
            tasks,
            faults,
            waits: Waits::new(),
            deadline: Calendar::of(spec).limit().map(Span),
            over_limit,
            agents,
            engine,
            effects,
            decisions,
        })
    }
}
