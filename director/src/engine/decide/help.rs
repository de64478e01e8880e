//! Help: the task of one who judges another's work, joins another, or looks at a package.
//!
//! Elsewhere: what sets help apart from other tasks is [`crate::engine::adding`].

use director_protocols::ids::{Name, TaskId};
use director_protocols::sprint::{Budget, Class, Estimate, Expects, Priority, RunSpec, TaskSpec};
use director_protocols::time::Span;

use crate::engine::state::State;

/// What a helper is asked to do; it leaves nothing behind but its report.
pub struct Help {
    /// A name that nothing in the sprint has yet.
    pub id: Name,
    /// One line for people.
    pub title: String,
    /// All of it.
    pub description: String,
    /// What sort of work it is.
    pub kind: String,
    /// Who does it.
    pub role: Name,
    /// How long it is thought to take.
    pub effort: Span,
    /// What command agents run.
    pub run: Option<RunSpec>,
}

impl Help {
    /// The task; as urgent as the one that it is about, and with its papers.
    pub fn task(self, about: Option<&TaskSpec>) -> TaskSpec {
        TaskSpec {
            title: self.title,
            description: self.description,
            kind: self.kind,
            role: self.role,
            points: 0,
            estimate: Estimate::point(self.effort),
            depends_on: Vec::new(),
            feature: self.id.clone(),
            id: self.id,
            priority: about.map_or(Priority::Normal, |about| about.priority),
            skills: Vec::new(),
            acceptance: Vec::new(),
            spec: about.and_then(|about| about.spec.clone()),
            design: about.and_then(|about| about.design.clone()),
            run: self.run,
            budget: Budget::default(),
            gates: Vec::new(),
            expects: Expects::Nothing,
            produces: Vec::new(),
            files: Vec::new(),
            severity: None,
            class: about.map_or_else(Class::default, |about| about.class),
            test_requirements: Vec::new(),
            deployment_requirements: Vec::new(),
            source: None,
        }
    }
}

/// A name for help that nothing in the sprint has yet.
pub fn name(state: &State, task: TaskId, what: &str) -> Name {
    let row = &state.tasks.table[task.index()];
    let taken = &state.sprints.table[row.sprint.index()].by_name;
    let named = |n: u32| {
        let end = match n {
            1 => String::new(),
            n => format!("-{n}"),
        };
        let long = format!("{}.{what}{end}", row.spec.id);
        // A name that gets too long is made from the task's number, which is short.
        Name::new(long).or_else(|_| Name::new(format!("{task}.{what}{end}")))
    };
    (1u32..)
        .filter_map(|n| named(n).ok())
        .find(|name| !taken.contains_key(name))
        .unwrap_or_else(|| row.spec.id.clone())
}
