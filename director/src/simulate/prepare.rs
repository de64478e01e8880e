//! A sprint made ready to be simulated: submitted once, its team up, its first work handed out.
//!
//! Every run starts from a copy of this state, so what is the same in all runs is done once.
//!
//! Elsewhere: a sprint that is under way is made ready by `rest`; one run is `world`; many are `forecast`.

use std::sync::LazyLock;

use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::ids::{AgentId, EffectId, Generation, SprintId, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::shared::Shared;
use director_protocols::sprint::{Check, Expects, GateSpec, SprintSpec, TaskSpec};
use director_protocols::time::{Span, Time};
use director_protocols::ways::Ceremonies;
use director_protocols::work::{Artifact, COMMAND, PERSON, Report};

use super::faults::Faults;
use super::price::{self, Price};
use super::rest::Standing;
use super::waits::Waits;
use crate::engine::effects::Effect;
use crate::engine::state::State;
use crate::engine::tasks::Phase;
use crate::engine::{Decision, Engine};
use crate::estimate::Durations;
use crate::planner::calendar::Calendar;

/// The kinds of agent that no provider limits.
const UNLIMITED: [&str; 2] = [COMMAND, PERSON];

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
    /// There is nothing ahead of it.
    #[error(
        "sprint `{sprint}` is over ({outcome}), so nothing of it is left to forecast; `--at SEQ` looks ahead from an earlier record, and `--what-if` runs it again as it would have been"
    )]
    Over {
        /// Its name.
        sprint: String,
        /// How it ended.
        outcome: &'static str,
    },
    /// Nothing was asked for.
    #[error("0 runs say nothing; ask for at least 1, or leave `--runs` out for 10000")]
    NoRuns,
    /// It was stopped before anything was known.
    #[error(
        "the sprint is too large for the time that a simulation has here; ask for fewer than 256 `runs`, or let `director simulate` take its time"
    )]
    Stopped,
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
    /// What its agent reports.
    pub report: Shared<Report>,
    /// What it must have made: names that its report gives.
    pub gated: bool,
    /// What its attempts cost.
    pub price: Price,
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
    /// Whether the first work is handed out in that state; where something was asked for that is answered at once, it is handed out
    /// with the answers, in the first round of a run.
    pub handed_out: bool,
    /// When the runs begin; 0 for a sprint from its start.
    pub begin: Time,
    /// The sprint.
    pub sprint: SprintId,
    /// Its tasks, in the order of its file, as rows of the engine's table.
    pub rows: Vec<TaskId>,
    /// How much work the tasks are.
    pub durations: Durations,
    /// Where each task stands when the runs begin; all are ahead if it is empty.
    pub standing: Vec<Standing>,
    /// What is known of each task.
    pub tasks: Vec<TaskModel>,
    /// Whether anything is known of what attempts cost.
    pub costs: bool,
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
static HELP: LazyLock<TaskModel> = LazyLock::new(|| TaskModel {
    limit: None,
    limited: false,
    changes: false,
    report: Shared::default(),
    gated: false,
    price: Price::NONE,
});

impl Prepared {
    /// What is known of a task; of one that was added since, nothing.
    pub fn task(&self, task: TaskId) -> &TaskModel {
        self.tasks.get(task.index()).unwrap_or(&HELP)
    }

    /// A copy for another thread, see [`Engine::apart`].
    #[must_use]
    pub fn apart(&self) -> Self {
        let mut copy = self.clone();
        copy.engine = self.engine.apart();
        for task in &mut copy.tasks {
            task.report = task.report.apart();
        }
        copy
    }

    /// How much work a task is, in milliseconds, at the quantile `draw` / 2^64.
    pub fn work_at(&self, task: u32, draw: u64) -> u64 {
        let table = self.durations.of_task(task);
        match self.standing.get(task as usize) {
            None => table.sample(draw),
            Some(standing) => standing.work_at(table, &self.waits, draw),
        }
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
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        decisions.push(engine.step(&open, now)?);
        let mut submitted = spec.clone();
        // Virtual time is working time and knows no hour of the day.
        submitted.ways.ceremonies = Ceremonies {
            standup: None,
            progress: None,
        };
        submitted.ways.deployment.windows.clear();
        // A forecast begins when the work does.
        submitted.ways.start.questions.clear();
        decisions.push(engine.step(&Command::Submit(Box::new(submitted)), now)?);
        decisions.push(engine.dispatch(now));
        for index in 0..engine.state().team.agents.len() {
            let agent = AgentId(index as u32);
            // People need no actor.
            if !engine.state().is_person(agent) {
                let generation = Generation(1);
                decisions.push(engine.step(&Command::AgentUp { agent, generation }, now)?);
            }
        }
        let handed_out = decisions.iter().all(|decision| {
            let mut events = decision.events.iter();
            !events.any(|event| matches!(event, Event::TaskAssigned(_)))
                && !informs(&decision.effects)
        });
        if handed_out {
            decisions.push(engine.dispatch(now));
        }
        let effects = decisions
            .iter()
            .flat_map(|decision| decision.effects.iter().cloned())
            .collect();
        let (tasks, over_limit) = models(engine.state(), &durations, &faults);
        Ok(Self {
            costs: price::is_known(&tasks),
            begin: now,
            handed_out,
            sprint: SprintId(0),
            rows: (0..spec.tasks.len() as u32).map(TaskId).collect(),
            durations,
            standing: Vec::new(),
            tasks,
            faults,
            waits: Waits::new(),
            deadline: Calendar::of(spec).limit().map(Span),
            over_limit,
            agents: agents(engine.state()),
            engine,
            effects,
            decisions,
        })
    }
}

/// What is known of each task in the table, and how many tasks' estimates go beyond what an attempt may take.
pub(super) fn models(
    state: &State,
    durations: &Durations,
    faults: &Faults,
) -> (Vec<TaskModel>, usize) {
    let is_command = |gate: &GateSpec| matches!(gate.check, Check::Command { .. });
    let of_sprint: Vec<bool> = state
        .sprints
        .table
        .iter()
        .map(|sprint| sprint.spec.gates.iter().any(is_command))
        .collect();
    let mut over_limit = 0;
    let rows = (0u32..).zip(&state.tasks.table);
    let models = rows
        .map(|(place, row)| {
            let sprint = &state.sprints.table[row.sprint.index()];
            let policy = &sprint.spec.policy;
            let limit = row.spec.budget.time.unwrap_or(policy.attempt_time);
            // Effort as people estimate it is not yet an agent's time: a limit that contradicts the estimate says nothing.
            let long = durations.of_task(place).quantile(LONG);
            let fits = long <= limit.0;
            over_limit += usize::from(!fits && row.phase != Phase::Deferred && !sprint.is_over());
            let kind = state.team.roles[row.role.index()].spec.agent.kind.as_str();
            TaskModel {
                limit: fits.then_some(limit.0),
                limited: !UNLIMITED.contains(&kind),
                changes: row.spec.expects == Expects::Changes,
                report: report(&row.spec).into(),
                gated: of_sprint[row.sprint.index()] || row.spec.gates.iter().any(is_command),
                price: Price::of(state, row, durations.of_task(place).mean(), faults),
            }
        })
        .collect();
    (models, over_limit)
}

/// What the task's agent reports: what it must.
fn report(spec: &TaskSpec) -> Report {
    let mut report = Report::default();
    if spec.expects == Expects::Artifact {
        report.artifacts.push(Artifact {
            name: "result".to_owned(),
            kind: "docs".to_owned(),
            sha256: String::new(),
            bytes: 0,
        });
    }
    report
}

/// How many agents each role has.
pub(super) fn agents(state: &State) -> Vec<u32> {
    let roles = state.team.roles.iter();
    roles.map(|role| role.active().count() as u32).collect()
}

fn informs(effects: &[(EffectId, Effect)]) -> bool {
    let mut effects = effects.iter();
    effects.any(|(_, effect)| matches!(effect, Effect::Inform { .. }))
}
