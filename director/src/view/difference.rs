//! What a changed sprint file would do to a running sprint, before it does.

use director_protocols::time::Time;
use schemars::JsonSchema;
use serde::Serialize;

use super::allowing;
use super::paint::{Look, Paint, text_of};
use crate::engine::decide::scope::Difference;
use crate::engine::state::State;
use crate::report::text;

/// What is different.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct DifferenceView {
    /// How many tasks come, change or go, and budgets change.
    pub changes: usize,
    /// Budgets that change.
    pub budgets: Vec<Allowing>,
    /// Tasks that come.
    pub added: Vec<Coming>,
    /// Tasks that change.
    pub changed: Vec<Changing>,
    /// Tasks that are no longer wanted.
    pub dropped: Vec<Going>,
    /// Tasks that the file has otherwise and that are over: they stay as they are.
    pub kept: Vec<String>,
}

/// A budget that changes.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Allowing {
    /// `sprint`, `window`, `role` or `task`.
    pub of: &'static str,
    /// The sprint's, the role's or the task's name; of a window how long it is then.
    pub name: String,
    /// What of it, in words.
    pub what: Vec<String>,
    /// What follows at once, where too much is spent already.
    pub follows: Vec<String>,
}

/// A task that comes.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Coming {
    /// Its name.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// What it depends on.
    pub depends_on: Vec<String>,
}

/// A task that changes.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Changing {
    /// Its name.
    pub id: String,
    /// What of it.
    pub what: Vec<&'static str>,
}

/// A task that goes.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Going {
    /// Its name.
    pub id: String,
    /// Where it is.
    pub status: &'static str,
}

/// The difference with names.
pub fn difference(state: &State, found: &Difference, now: Time) -> DifferenceView {
    let budgets = allowing::of(state, found, now);
    let of_tasks = budgets.iter().filter(|row| row.of == "task").count();
    let changed = found.changed.len() + budgets.len() - of_tasks;
    DifferenceView {
        changes: found.added.len() + changed + found.dropped.len(),
        budgets,
        added: found
            .added
            .iter()
            .map(|spec| Coming {
                id: spec.id.to_string(),
                title: spec.title.clone(),
                depends_on: spec.depends_on.iter().map(|dep| dep.to_string()).collect(),
            })
            .collect(),
        changed: found
            .changed
            .iter()
            .map(|change| Changing {
                id: state.task_name(change.task),
                what: change.what.clone(),
            })
            .collect(),
        dropped: found
            .dropped
            .iter()
            .map(|id| Going {
                id: state.task_name(*id),
                status: state.tasks.table[id.index()].phase.as_str(),
            })
            .collect(),
        kept: found.kept.iter().map(|id| state.task_name(*id)).collect(),
    }
}

/// The difference as text.
pub fn render(view: &DifferenceView, colour: bool) -> String {
    let paint = Paint { colour };
    if view.changes == 0 {
        return "The running sprint is what the file says.\n".to_owned();
    }
    let mut lines = Vec::new();
    for row in &view.budgets {
        let whose = match row.of {
            "role" => format!("budget of each {}", row.name),
            "window" => format!("budget of the sprint for {}", row.name),
            "sprint" => "budget of the sprint".to_owned(),
            _ => format!("budget of task {}", row.name),
        };
        let line = format!("~ {whose}: {}", row.what.join(", "));
        lines.push(paint.on(Look::Yellow, &line));
        for follows in &row.follows {
            lines.push(paint.on(Look::Red, &format!("    {follows}")));
        }
    }
    for task in &view.added {
        let after = match task.depends_on.is_empty() {
            true => String::new(),
            false => format!(", after {}", task.depends_on.join(", ")),
        };
        let line = text::line(&format!("+ {}: {}{after}", task.id, task.title));
        lines.push(paint.on(Look::Green, &line));
    }
    for task in &view.changed {
        let line = format!("~ {}: {}", task.id, task.what.join(", "));
        lines.push(paint.on(Look::Yellow, &line));
    }
    for task in &view.dropped {
        lines.push(paint.on(Look::Red, &format!("- {} ({})", task.id, task.status)));
    }
    for id in &view.kept {
        let line = format!("  {id} is over and stays as it is");
        lines.push(paint.on(Look::Dim, &line));
    }
    text_of(&lines)
}
