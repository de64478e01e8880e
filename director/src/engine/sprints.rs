//! Sprints: what was submitted, where each stands, and its merge queue.
//!
//! Invariant: at most one merge of a sprint is under way, and what is in it is not in the queue.
//! Elsewhere: the tasks themselves are `tasks`; git is the integrator's.

use std::collections::{BTreeMap, VecDeque};

use director_protocols::event::Outcome;
use director_protocols::ids::{BlockerId, Name, SprintId, TaskId};
use director_protocols::shared::Shared;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};
use director_protocols::work::GateOutcome;
use serde::Serialize;

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

/// One sprint.
#[derive(Clone, Debug, Serialize)]
pub struct Sprint {
    /// What was submitted, without its tasks (they are in the table).
    pub spec: Shared<SprintSpec>,
    /// The first of its tasks.
    pub first: TaskId,
    /// How many tasks it has; they follow each other in the table.
    pub len: u32,
    /// Tasks by name.
    pub by_name: Shared<BTreeMap<Name, TaskId>>,
    /// Where it stands.
    pub stage: Stage,
    /// No work is handed out.
    pub paused: bool,
    /// Being called off: ends as soon as nothing is in hand.
    pub cancelled: bool,
    /// Only critical work is handed out until this blocker is resolved.
    pub emergency: Option<BlockerId>,
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
    /// Planned elapsed time, the critical path's length.
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
}

impl Sprint {
    /// Its tasks' numbers.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + use<> {
        let first = self.first.0;
        (first..first + self.len).map(TaskId)
    }

    /// Work is handed out, or would be if it were not paused.
    pub fn is_running(&self) -> bool {
        self.stage == Stage::Running
    }

    /// Nothing more happens by itself.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ended(_) | Stage::Refused)
    }

    /// The word in status and reports.
    pub fn state(&self) -> &'static str {
        match self.stage {
            Stage::Preparing => "preparing",
            Stage::Refused => "refused",
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
