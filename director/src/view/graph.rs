//! The graph of a sprint by level, a page at a time: what waits for what, with the critical path marked.
//!
//! A task that waits for nothing is on level 1, every other one level below the deepest task that it waits for. Levels come in
//! order; in each the tasks of the critical path come first, the others in file order. One walk over the edges finds the levels
//! (Kahn, *Topological sorting of large networks*, 1962); only the tasks of the page are written out.
//!
//! Elsewhere: pictures of a whole plan are [`crate::report::plan`]; who draws a page of it is `watch` and the dashboard.

use std::collections::BTreeMap;

use director_protocols::ids::{SprintId, TaskId};
use director_protocols::time::Span;
use schemars::JsonSchema;
use serde::Serialize;

use super::paint::{Look, Paint, cut, text_of};
use super::status::phase_of;
use super::words::some;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::report::text;

/// The most neighbours of a task that are named in each direction; all are counted.
pub const NEIGHBOURS_MAX: usize = 24;

/// A page of the graph.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct GraphView {
    /// The sprint.
    pub sprint: String,
    /// How many levels there are.
    pub depth: u32,
    /// How many tasks there are on all pages.
    pub total: usize,
    /// How many of them are on the critical path.
    pub critical: usize,
    /// How many come before this page.
    pub skip: usize,
    /// The levels that this page touches, each as a whole.
    pub levels: Vec<Level>,
    /// The page.
    pub tasks: Vec<Node>,
    /// What to skip for the next page; `null` on the last.
    pub next: Option<usize>,
}

/// A level.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "GraphLevel")]
pub struct Level {
    /// From 1.
    pub level: u32,
    /// Its tasks.
    pub tasks: usize,
    /// How many of them are completed.
    pub completed: usize,
    /// How many tasks come before its first.
    pub skip: usize,
}

/// A task in the graph.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "GraphTask")]
pub struct Node {
    /// Its name.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Its level, from 1.
    pub level: u32,
    /// Where it is in its life.
    pub status: &'static str,
    /// Whether a slip of it moves the end, by the plan.
    pub critical: bool,
    /// What it waits for, the first [`NEIGHBOURS_MAX`].
    pub before: Vec<String>,
    /// How many that are.
    pub waits_for: usize,
    /// What waits for it, the first [`NEIGHBOURS_MAX`].
    pub after: Vec<String>,
    /// How many that are.
    pub unlocks: usize,
}

/// A page of the graph; helpers that judge are left out.
pub fn graph(state: &State, id: SprintId, skip: usize, limit: usize) -> GraphView {
    let Some(row) = state.sprints.get(id) else {
        return GraphView::default();
    };
    let tasks: Vec<(TaskId, &Task)> = row
        .tasks()
        .filter_map(|id| Some((id, state.tasks.get(id)?)))
        .filter(|(_, task)| !task.is_help())
        .collect();
    let levels = levels(&tasks);
    let is_critical = |task: &Task| task.slack == Span::ZERO && task.phase != Phase::Deferred;
    let mut order: Vec<(u32, bool, TaskId, &Task)> = tasks
        .iter()
        .map(|(id, task)| (levels[id], !is_critical(task), *id, *task))
        .collect();
    order.sort_unstable_by_key(|(level, aside, id, _)| (*level, *aside, *id));
    let page = order.iter().skip(skip).take(limit);
    let written: Vec<Node> = page
        .map(|(level, aside, id, task)| node(state, *id, task, *level, !aside))
        .collect();
    let (first, last) = match (written.first(), written.last()) {
        (Some(first), Some(last)) => (first.level, last.level),
        _ => (1, 0),
    };
    let mut touched: BTreeMap<u32, Level> = BTreeMap::new();
    for (place, (level, _, _, task)) in order.iter().enumerate() {
        if (first..=last).contains(level) {
            let row = touched.entry(*level).or_insert(Level {
                level: *level,
                skip: place,
                ..Level::default()
            });
            row.tasks += 1;
            row.completed += usize::from(task.phase == Phase::Completed);
        }
    }
    let reached = skip.saturating_add(written.len());
    GraphView {
        sprint: row.spec.id.to_string(),
        depth: order.last().map_or(0, |(level, ..)| *level),
        total: order.len(),
        critical: order.iter().filter(|(_, aside, ..)| !aside).count(),
        skip,
        levels: touched.into_values().collect(),
        next: (!written.is_empty() && reached < order.len()).then_some(reached),
        tasks: written,
    }
}

/// The level of each task. What waits for a task of another sprint, or for itself in a circle, counts that as nothing.
fn levels(tasks: &[(TaskId, &Task)]) -> BTreeMap<TaskId, u32> {
    let mut levels: BTreeMap<TaskId, u32> = tasks.iter().map(|(id, _)| (*id, 1)).collect();
    let rows: BTreeMap<TaskId, &Task> = tasks.iter().copied().collect();
    let mut left: BTreeMap<TaskId, usize> = BTreeMap::new();
    let mut free = Vec::new();
    for (id, task) in tasks {
        let here = |other: &&TaskId| rows.contains_key(other);
        match task.depends_on.iter().filter(here).count() {
            0 => free.push(*id),
            n => drop(left.insert(*id, n)),
        }
    }
    while let Some(id) = free.pop() {
        let (level, Some(task)) = (levels[&id], rows.get(&id)) else {
            continue;
        };
        for next in task.dependents.iter() {
            let (Some(waits), Some(deep)) = (left.get_mut(next), levels.get_mut(next)) else {
                continue;
            };
            *deep = (*deep).max(level + 1);
            *waits -= 1;
            if *waits == 0 {
                left.remove(next);
                free.push(*next);
            }
        }
    }
    levels
}

fn node(state: &State, id: TaskId, task: &Task, level: u32, critical: bool) -> Node {
    let names = |ids: &[TaskId]| {
        let named = ids.iter().take(NEIGHBOURS_MAX);
        named.map(|id| state.task_name(*id)).collect()
    };
    Node {
        id: state.task_name(id),
        title: task.spec.title.clone(),
        level,
        status: task.phase.as_str(),
        critical,
        before: names(&task.depends_on),
        waits_for: task.depends_on.len(),
        after: names(&task.dependents),
        unlocks: task.dependents.len(),
    }
}

/// A page of the graph as text.
pub fn render(view: &GraphView, width: usize, colour: bool) -> String {
    let paint = Paint { colour };
    if view.tasks.is_empty() {
        return "There is no such task.\n".to_owned();
    }
    let mut lines = Vec::new();
    let mut level = 0;
    for node in &view.tasks {
        if node.level != level {
            level = node.level;
            lines.push(paint.on(Look::Dim, &format!("level {level}")));
        }
        let (sign, look) = phase_of(node.status);
        let after = match node.after.is_empty() {
            true => String::new(),
            false => format!(" → {}", some(&node.after, 4)),
        };
        let star = if node.critical { "★" } else { " " };
        let line = format!("{}{after}", text::line(&node.id));
        lines.push(format!(
            "{} {} {}",
            paint.on(Look::Yellow, star),
            paint.on(look, sign),
            cut(&text::line(&line), width.saturating_sub(4))
        ));
    }
    text_of(&lines)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::recorded::{SPRINT, midway};
    use super::*;

    #[test]
    fn tasks_stand_below_what_they_wait_for_and_the_critical_path_is_marked() {
        let run = midway();
        let view = graph(run.state(), SPRINT, 0, 100);
        expect![[r#"
            level 1
            ★ ✓ checkout-spec → cart-api, payment-api, cart-ui, docs
              ✓ psp-research → payment-api
            level 2
            ★ ↻ payment-api → connect
              ▶ cart-api → connect
              ! cart-ui → connect
              ◆ docs → release-notes
            level 3
            ★ · connect → api-review, ui-review
            level 4
            ★ · api-review → release-notes
            ★ · ui-review → release-notes
            level 5
            ★ · release-notes
        "#]]
        .assert_eq(&render(&view, 80, false));
        for node in &view.tasks {
            for before in &node.before {
                let other = view.tasks.iter().find(|other| other.id == *before);
                assert!(
                    other.is_some_and(|other| other.level < node.level),
                    "{node:?}"
                );
            }
        }
    }

    #[test]
    fn pages_put_together_are_the_graph_and_each_names_its_levels_as_wholes() {
        let run = midway();
        let all = graph(run.state(), SPRINT, 0, 100);
        for limit in 1..12 {
            let mut joined = Vec::new();
            let mut next = Some(0);
            while let Some(skip) = next {
                let part = graph(run.state(), SPRINT, skip, limit);
                for level in &part.levels {
                    assert!(all.levels.contains(level), "{level:?}");
                    assert_eq!(all.tasks[level.skip].level, level.level);
                }
                joined.extend(part.tasks);
                next = part.next;
            }
            assert_eq!(joined, all.tasks);
        }
        assert_eq!(graph(run.state(), SPRINT, usize::MAX, 5).tasks, []);
    }
}
