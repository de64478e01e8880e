//! Sprints: what was submitted, where each stands, and its merge queue.
//!
//! Invariant: at most one merge of a sprint is under way, and what is in it is not in the queue.
//! Elsewhere: the tasks themselves are `tasks`; git is the integrator's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use director_protocols::event::Outcome;
use director_protocols::forecast::Forecast;
use director_protocols::ids::{BlockerId, InboxId, Name, SprintId, TaskId};
use director_protocols::shared::Shared;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};
use director_protocols::work::{GateOutcome, Verdict};
use serde::Serialize;

use super::ceremonies::Held;
use super::manager::{Note, Proposal};
use super::replan::Plan;

/// Where a sprint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// The repository is being prepared and the base checked.
    Preparing,
    /// It cannot be run as it is.
    Refused,
    /// Work is handed out.
    Running,
    /// Nothing can go on; worktrees are being removed.
    Ended(Outcome),
}

/// A batch on its way into the integration branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Merge {
    /// The tasks in it.
    pub batch: Vec<TaskId>,
    /// The merge commit, once it is built.
    pub commit: String,
    /// What it is built on.
    pub onto: String,
}

/// What the gates have shown of the work that was accepted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// Tasks that passed their gates.
    pub accepted: u32,
    /// The last coverage that was measured, in hundredths of a percent.
    pub coverage: Option<u32>,
    /// Tasks whose review passed; none where nobody reviews.
    pub reviewed: Option<u32>,
    /// Tasks whose documentation was found up to date; none where nothing looks.
    pub documented: Option<u32>,
}

impl Quality {
    /// With the gates of so many more tasks, which count as accepted when they passed.
    #[must_use]
    pub fn with(mut self, outcomes: &[GateOutcome], tasks: u32, passed: bool) -> Self {
        let of = |name: &str| outcomes.iter().find(|outcome| outcome.gate == name);
        self.coverage = of("coverage")
            .and_then(|gate| gate.measured)
            .or(self.coverage);
        if !passed {
            return self;
        }
        self.accepted += tasks;
        for (sum, gate) in [
            (&mut self.reviewed, of("review")),
            (&mut self.documented, of("docs")),
        ] {
            match gate.map(|gate| gate.verdict) {
                Some(Verdict::Passed) => *sum = Some(sum.unwrap_or(0) + tasks),
                Some(Verdict::Failed | Verdict::Overridden) => *sum = Some(sum.unwrap_or(0)),
                Some(Verdict::NotMeasured) | None => {}
            }
        }
        self
    }

    /// Thousandths of the accepted tasks.
    pub fn share(&self, part: Option<u32>) -> Option<u32> {
        let part = u64::from(part?);
        Some((part * 1000 / u64::from(self.accepted.max(1))) as u32)
    }
}

/// An integration branch that somebody else moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The branch, as a full ref.
    pub name: String,
    /// The commit that it is at; empty where it is gone.
    pub found: String,
    /// Whether that holds everything that was merged.
    pub contains: bool,
}

/// What an emergency is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Emergency {
    /// The task.
    pub task: TaskId,
    /// The blocker that holds it up; none where the task itself mends a critical bug.
    pub blocker: Option<BlockerId>,
}

/// One sprint.
#[derive(Clone, Debug, Serialize)]
pub struct Sprint {
    /// What was submitted, without its tasks (they are in the table).
    pub spec: Shared<SprintSpec>,
    /// The first of its tasks.
    pub first: TaskId,
    /// How many tasks it has; they follow each other in the table.
    pub len: u32,
    /// Tasks that were added since, in order.
    pub added: Vec<TaskId>,
    /// How good the accepted work is.
    pub quality: Quality,
    /// Tasks by name.
    pub by_name: Shared<BTreeMap<Name, TaskId>>,
    /// Whether its order matters, and which one it has.
    pub plan: Plan,
    /// Where it stands.
    pub stage: Stage,
    /// Whether its file says anything of what it or its agents may spend.
    pub limited: bool,
    /// No work is handed out.
    pub paused: bool,
    /// Being called off: ends as soon as nothing is in hand.
    pub cancelled: bool,
    /// Where its branch is, if somebody else moved it: nothing is handed out or merged until a person has said what becomes of that.
    pub moved: Option<Moved>,
    /// Only critical work is handed out until this is over.
    pub emergency: Option<Emergency>,
    /// The base's commit.
    pub base: String,
    /// The integration branch's head.
    pub head: String,
    /// What the user should know about the repository.
    pub warnings: Vec<String>,
    /// How the gates came out on the base.
    pub base_gates: Vec<GateOutcome>,
    /// Why it was refused.
    pub refused: String,
    /// Work that waits to be merged.
    pub queue: VecDeque<TaskId>,
    /// The merge under way.
    pub merge: Option<Merge>,
    /// How many in front of the queue were red together: one of them at least is.
    pub suspects: u32,
    /// Planned elapsed time: the plan's, as it was submitted.
    pub planned: Span,
    /// When it was submitted.
    pub submitted: Time,
    /// When work began.
    pub began: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// Worktrees that were kept, each with the reason.
    pub kept: Vec<String>,
    /// The commit that the base has since delivery.
    pub delivered: Option<String>,
    /// What was changed by someone else or outside, in words.
    pub incidents: Vec<(Time, Option<TaskId>, String)>,
    /// Moves that wait for the manager's word.
    pub proposal: Option<Proposal>,
    /// What the manager said at the last standup.
    pub note: Option<Note>,
    /// Its standups and progress updates.
    pub held: Held,
    /// Action items of its retrospective that were accepted: when and by whom.
    pub accepted: BTreeMap<String, (Time, String)>,
    /// Open questions about what is unclear before the start, by task.
    pub unclear: BTreeSet<(Option<TaskId>, InboxId)>,
    /// Risks that have come true, for which task.
    pub came_true: BTreeSet<(u32, Option<TaskId>)>,
    /// Risks whose fallback was applied.
    pub fallen_back: BTreeSet<u32>,
    /// When tasks in hand outlive the worst case of their estimate, where a risk waits for it.
    pub overruns: BTreeMap<TaskId, Time>,
    /// Forecasts of it that were recorded, and when.
    pub forecasts: Vec<(Time, Forecast)>,
}

impl Sprint {
    /// The numbers of the tasks that it came with.
    pub fn submitted(&self) -> impl Iterator<Item = TaskId> + use<> {
        let first = self.first.0;
        (first..first + self.len).map(TaskId)
    }

    /// Its tasks' numbers, those that were added last.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + use<> {
        self.submitted().chain(self.added.clone())
    }

    /// Work is handed out, or would be if it were not paused.
    pub fn is_running(&self) -> bool {
        self.stage == Stage::Running
    }

    /// Its start waits for answers.
    pub fn is_held(&self) -> bool {
        self.spec.ways.start.strict && !self.unclear.is_empty()
    }

    /// Nothing more happens by itself.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ended(_) | Stage::Refused)
    }

    /// The word in status and reports.
    pub fn state(&self) -> &'static str {
        match self.stage {
            Stage::Preparing if self.is_held() => "unclear",
            Stage::Preparing => "preparing",
            Stage::Refused => "refused",
            Stage::Running if self.moved.is_some() => "halted",
            Stage::Running if self.paused => "paused",
            Stage::Running if self.emergency.is_some() => "emergency",
            Stage::Running => "running",
            Stage::Ended(outcome) => outcome.as_str(),
        }
    }
}

/// All sprints ever.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sprints {
    /// By id.
    pub table: Vec<Sprint>,
    /// The newest sprint of each name.
    pub by_name: BTreeMap<Name, SprintId>,
    /// Whether any of them has stakeholders.
    pub listening: bool,
}

impl Sprints {
    /// The sprint, if there is one of that number.
    pub fn get(&self, id: SprintId) -> Option<&Sprint> {
        self.table.get(id.index())
    }
}
