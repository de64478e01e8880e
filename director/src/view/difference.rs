//! What a changed sprint file would do to a running sprint, before it does.

use schemars::JsonSchema;
use serde::Serialize;

use super::paint::{Look, Paint, text_of};
use crate::engine::decide::scope::Difference;
use crate::engine::state::State;
use crate::report::text;

/// What is different.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct DifferenceView {
    /// How many tasks come, change or go.
    pub changes: usize,
    /// Tasks that come.
    pub added: Vec<Coming>,
    /// Tasks that change.
    pub changed: Vec<Changing>,
    /// Tasks that are no longer wanted.
    pub dropped: Vec<Going>,
    /// Tasks that the file has otherwise and that are over: they stay as they are.
    pub kept: Vec<String>,
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
pub fn difference(state: &State, found: &Difference) -> DifferenceView {
    DifferenceView {
        changes: found.added.len() + found.changed.len() + found.dropped.len(),
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
