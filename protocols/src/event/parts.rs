//! What events are made of that is more than a number or a text.

use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, Name, SprintId, TaskId};
use crate::severity::Severity;
use crate::sprint::Spending;
use crate::time::Span;

/// What Product is shown of a feature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoPackage {
    /// What changed: each task with its commit, how much, and what its author says.
    pub changes: Vec<String>,
    /// How it can be tried.
    pub how_to_run: Vec<String>,
    /// The criteria, each with whether it is met and how that is known.
    pub criteria: Vec<String>,
}

/// Something that holds a task up, in a ceremony.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBlocker {
    /// The task.
    pub task_id: TaskId,
    /// The tier it is on.
    pub severity: Severity,
    /// What is the matter.
    pub text: String,
}

/// What a task's dependencies mean for it now, in a ceremony.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyUpdate {
    /// The task.
    pub task_id: TaskId,
    /// `free`: something it waited for was done since the last time; `held_up`: it waits for what does not move by itself.
    pub state: String,
    /// What it waited or waits for.
    pub on: Vec<TaskId>,
}

/// What each agent of a role may spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleBudget {
    /// The role.
    pub role: Name,
    /// Its limits.
    pub budget: Spending,
}

/// Whether the team is getting faster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VelocityTrend {
    /// Points since the last standup.
    pub points: u32,
    /// Points between the two standups before.
    pub points_before: u32,
    /// `up`, `down`, `steady`, or `none` at the first one.
    pub trend: String,
}

/// An agent with more to do than it can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLoad {
    /// The agent.
    pub agent_id: AgentId,
    /// What it has in hand, has done and will get, in thousandths of its capacity.
    pub load: u32,
    /// Whether its role is down and it can do nothing.
    pub lost: bool,
}

/// An agent with room for more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRoom {
    /// The agent.
    pub agent_id: AgentId,
    /// Effort that it could still take on.
    pub free_hours: Span,
}

/// What one team hands to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffPackage {
    /// `feature` or `sprint`.
    pub deliverable_type: String,
    /// Commits and files.
    pub artifacts: Vec<String>,
    /// How it is to be tested.
    pub test_requirements: Vec<String>,
    /// What it takes to deploy it.
    pub deployment_requirements: Vec<String>,
    /// Where it is written down.
    pub documentation: Vec<String>,
}

/// Whose budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purse {
    /// A task's, over all its attempts.
    Task {
        /// Which.
        task_id: TaskId,
    },
    /// An agent's, in a sprint.
    Agent {
        /// In which.
        sprint_id: SprintId,
        /// Which.
        agent_id: AgentId,
    },
    /// A sprint's.
    Sprint {
        /// Which.
        sprint_id: SprintId,
    },
    /// A sprint's for any time of a certain length.
    Window {
        /// Which sprint's.
        sprint_id: SprintId,
    },
}

/// How a sprint ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every committed task is completed.
    Done,
    /// Committed tasks are not completed.
    Incomplete,
    /// Called off.
    Cancelled,
}

impl Outcome {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Incomplete => "incomplete",
            Outcome::Cancelled => "cancelled",
        }
    }
}

/// Why an agent was chosen, in thousandths: total = weighted expertise, capacity fit and continuity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// How well its skills match.
    pub expertise: u32,
    /// How well the task fits the time it has left.
    pub capacity: u32,
    /// How much of the context it has already.
    pub continuity: u32,
    /// How many files of the task it changed before; counted where it does not know the feature.
    pub files: u32,
    /// The weighted sum.
    pub total: u32,
    /// Able and free agents that were compared.
    pub candidates: u32,
}
