//! An epic as it is written: what users get in the end, feature by feature, and the team that builds it; and a plan for it as
//! somebody proposed it.
//!
//! Elsewhere: reading the file and the answer of an agent is [`crate::manifest::epic`]; tasks and sprints are made of it by the planner.

use crate::ids::Name;
use crate::shared::Shared;
use crate::sprint::{Class, DirectorSpec, GateSpec, Priority, RoleSpec, TaskSpec};
use crate::time::Span;

/// An epic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpicSpec {
    /// Its name; sprints are called after it.
    pub id: Name,
    /// One line for people.
    pub title: String,
    /// What users get, and why.
    pub goal: String,
    /// Where the specification is.
    pub spec: Option<String>,
    /// Where the design is.
    pub design: Option<String>,
    /// What has to be true in the end.
    pub acceptance: Vec<String>,
    /// What its author fears.
    pub risks: Vec<String>,
    /// First day, `YYYY-MM-DD`.
    pub start: Option<String>,
    /// Last day, `YYYY-MM-DD`.
    pub end: Option<String>,
    /// Working time in one day.
    pub day: Span,
    /// Working days of one sprint.
    pub sprint_days: u32,
    /// Effort for one point.
    pub point: Span,
    /// The repository as written.
    pub repo: Option<String>,
    /// The branch that sprints start from.
    pub base: Option<String>,
    /// Who builds it.
    pub team: Vec<RoleSpec>,
    /// The director's own role.
    pub director: DirectorSpec,
    /// What the work has to pass.
    pub gates: Vec<GateSpec>,
    /// The features, in order.
    pub features: Vec<FeatureSpec>,
}

/// One feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureSpec {
    /// Its name; it has a worktree and branch of its own.
    pub id: Name,
    /// One line for people.
    pub title: String,
    /// What it is.
    pub description: String,
    /// Whether people see something of it.
    pub ui: bool,
    /// Whether programs speak to it.
    pub api: bool,
    /// How large it is.
    pub points: u32,
    /// What has to be found out before it is built.
    pub research: Option<String>,
    /// Features that have to work first.
    pub depends_on: Vec<Name>,
    /// What has to be true of it.
    pub acceptance: Vec<String>,
    /// Where its specification is.
    pub spec: Option<String>,
    /// Where its design is.
    pub design: Option<String>,
    /// Who goes first.
    pub priority: Priority,
    /// What the time is spent on.
    pub class: Class,
    /// What DevOps needs to deploy it.
    pub deployment_requirements: Vec<String>,
}

/// A plan for an epic, as an agent proposed it; checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// How it is built.
    pub architecture: Architecture,
    /// Everything that is to be done.
    pub tasks: Vec<Shared<TaskSpec>>,
    /// What could go wrong.
    pub risks: Vec<Danger>,
}

/// How something is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Architecture {
    /// In a paragraph.
    pub summary: String,
    /// What is decided, one sentence each.
    pub decisions: Vec<String>,
    /// Where parts meet.
    pub interfaces: Vec<String>,
}

/// Something that could go wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Danger {
    /// What it is.
    pub risk: String,
    /// What shows that it has come true.
    pub trigger: String,
    /// What lowers it beforehand.
    pub mitigation: String,
    /// What is done when it comes true.
    pub fallback: String,
}
