//! Changes of scope: what comes to a sprint that runs, what changes in it, what is dropped.
//!
//! Elsewhere: a whole file against a running sprint is compared by the engine; this is what an outside party sends.

use serde::{Deserialize, Serialize};

use crate::ids::Name;
use crate::kinds;
use crate::severity::Severity;
use crate::sprint::{Budget, Class, Estimate, Priority, RunSpec, TaskSpec};
use crate::time::Span;

/// A task as an outside party asks for it; what is left out gets the defaults of a sprint file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// Its name, unique in the sprint.
    pub id: Name,
    /// One line for people; the id without.
    #[serde(default)]
    pub title: Option<String>,
    /// What is to be done.
    #[serde(default)]
    pub description: String,
    /// What sort of work it is; a feature without.
    #[serde(default)]
    pub kind: Option<String>,
    /// Story points; 1 without.
    #[serde(default)]
    pub points: Option<u32>,
    /// Effort in hours; an hour for each point without.
    #[serde(default)]
    pub hours: Option<f64>,
    /// What has to be completed first.
    #[serde(default)]
    pub depends_on: Vec<Name>,
    /// What shares its worktree; its own without.
    #[serde(default)]
    pub feature: Option<Name>,
    /// Who goes first.
    #[serde(default)]
    pub priority: Priority,
    /// What has to be true of the result.
    #[serde(default)]
    pub acceptance: Vec<String>,
    /// What a command agent runs.
    #[serde(default)]
    pub run: Option<RunSpec>,
    /// How bad the bug is, for bugs.
    #[serde(default)]
    pub severity: Option<Severity>,
}

impl NewTask {
    /// The task in full, for a role; `has_repo` says whether the sprint has a repository. None for an effort that makes
    /// no sense.
    pub fn spec(&self, role: Name, has_repo: bool) -> Option<TaskSpec> {
        let kind = self.kind.clone();
        let kind = kind.unwrap_or_else(|| kinds::KIND_OTHERWISE.to_owned());
        let points = self.points.unwrap_or(1);
        let effort = match self.hours {
            Some(hours) => Span::from_hours(hours)?,
            None => Span::hours(u64::from(points.max(1))),
        };
        Some(TaskSpec {
            title: self.title.clone().unwrap_or_else(|| self.id.to_string()),
            description: self.description.clone(),
            expects: kinds::expects_of(&kind, has_repo),
            kind,
            role,
            points,
            estimate: Estimate::point(effort),
            depends_on: self.depends_on.clone(),
            feature: self.feature.clone().unwrap_or_else(|| self.id.clone()),
            id: self.id.clone(),
            priority: self.priority,
            skills: Vec::new(),
            acceptance: self.acceptance.clone(),
            spec: None,
            design: None,
            run: self.run.clone(),
            budget: Budget::default(),
            gates: Vec::new(),
            produces: Vec::new(),
            files: Vec::new(),
            severity: self.severity,
            class: Class::default(),
            test_requirements: Vec::new(),
            deployment_requirements: Vec::new(),
            source: None,
        })
    }
}

/// What changes in a task that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskChange {
    /// The task.
    pub id: Name,
    /// Its new title.
    #[serde(default)]
    pub title: Option<String>,
    /// Its new description.
    #[serde(default)]
    pub description: Option<String>,
    /// Its new points.
    #[serde(default)]
    pub points: Option<u32>,
    /// Its new effort, in hours.
    #[serde(default)]
    pub hours: Option<f64>,
    /// Its new priority.
    #[serde(default)]
    pub priority: Option<Priority>,
    /// Its new criteria.
    #[serde(default)]
    pub acceptance: Option<Vec<String>>,
}

impl TaskChange {
    /// The task as it is then. None for an effort that makes no sense.
    pub fn applied(&self, spec: &TaskSpec) -> Option<TaskSpec> {
        let mut spec = spec.clone();
        if let Some(title) = &self.title {
            spec.title.clone_from(title);
        }
        if let Some(description) = &self.description {
            spec.description.clone_from(description);
        }
        if let Some(points) = self.points {
            spec.points = points;
        }
        if let Some(hours) = self.hours {
            spec.estimate = Estimate::point(Span::from_hours(hours)?);
        }
        if let Some(priority) = self.priority {
            spec.priority = priority;
        }
        if let Some(acceptance) = &self.acceptance {
            spec.acceptance.clone_from(acceptance);
        }
        Some(spec)
    }
}

/// What is wanted from now on, beside what stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeChange {
    /// Tasks that come.
    #[serde(default)]
    pub add: Vec<NewTask>,
    /// Tasks that change.
    #[serde(default)]
    pub change: Vec<TaskChange>,
    /// Tasks that are no longer wanted.
    #[serde(default)]
    pub drop: Vec<Name>,
}
