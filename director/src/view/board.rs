//! The board: all sprints, and the tasks of one by column, a page at a time.
//!
//! A column gathers the statuses that mean the same to who looks at the whole: what waits, what could start, what is in
//! hand, what is on its way into the branch, what is stuck, what is done. Only the tasks of the page are written out, so
//! a board of thousands costs a walk over their phases.

use std::collections::BTreeMap;

use director_protocols::ids::{SprintId, TaskId};
use director_protocols::time::Time;
use schemars::JsonSchema;
use serde::Serialize;

use super::paint::{Paint, Table, cell, looks, text_of};
use super::rfc3339;
use super::status::{TaskStatus, phase_of, task_status, velocity};
use crate::engine::state::State;
use crate::engine::tasks::Phase;
use crate::report::text;

/// A column of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Waits for other tasks.
    Waiting,
    /// Could start, or be tried again.
    Ready,
    /// In an agent's hands.
    Working,
    /// Done by its agent, on its way through judges, gates and merge.
    Merging,
    /// Held up, given up, called off, or left for another sprint.
    Stuck,
    /// Completed.
    Done,
}

impl Column {
    /// All of them, from left to right.
    pub const ALL: [Column; 6] = [
        Column::Waiting,
        Column::Ready,
        Column::Working,
        Column::Merging,
        Column::Stuck,
        Column::Done,
    ];

    /// Its word in addresses and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Column::Waiting => "waiting",
            Column::Ready => "ready",
            Column::Working => "working",
            Column::Merging => "merging",
            Column::Stuck => "stuck",
            Column::Done => "done",
        }
    }

    /// Where a task of that phase stands.
    pub fn of(phase: Phase) -> Self {
        match phase {
            Phase::Waiting => Column::Waiting,
            Phase::Ready | Phase::Backoff(_) => Column::Ready,
            Phase::Assigned | Phase::Working => Column::Working,
            Phase::Reported | Phase::Reviewing | Phase::Queued | Phase::Merging => Column::Merging,
            Phase::Blocked
            | Phase::Failed
            | Phase::Quarantined
            | Phase::Cancelled
            | Phase::Deferred => Column::Stuck,
            Phase::Completed => Column::Done,
        }
    }
}

/// Every sprint.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct SprintsView {
    /// The newest first.
    pub sprints: Vec<SprintLine>,
}

/// One sprint.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct SprintLine {
    /// Its name.
    pub sprint: String,
    /// What it is part of.
    pub epic: Option<String>,
    /// `preparing`, `refused`, `running`, `paused`, `halted`, `emergency`, `done`, `incomplete` or `cancelled`.
    pub state: String,
    /// Nothing more happens by itself.
    pub over: bool,
    /// Tasks completed.
    pub completed: u32,
    /// Tasks committed to.
    pub committed: u32,
    /// Points of completed tasks.
    pub completed_points: u32,
    /// Points meant to be completed.
    pub target_points: u32,
    /// Things that wait for a person.
    pub inbox: usize,
    /// When it was submitted.
    pub submitted: String,
    /// When it ended.
    pub ended: Option<String>,
    /// When all may be done; `null` while something stands in the way.
    pub projected_completion: Option<String>,
}

/// Every sprint, the newest first; of one that was submitted again, the newest alone.
pub fn sprints(state: &State, now: Time) -> SprintsView {
    let newest = state.sprints.by_name.values().copied();
    let mut ids: Vec<SprintId> = newest.collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    SprintsView {
        sprints: ids
            .into_iter()
            .filter_map(|id| {
                let row = state.sprints.get(id)?;
                let tally = state.tasks.tally(id);
                let metrics = velocity(state, id, now);
                let waiting = state.trouble.waiting();
                Some(SprintLine {
                    sprint: row.spec.id.to_string(),
                    epic: row.spec.epic.clone(),
                    state: row.state().to_owned(),
                    over: row.is_over(),
                    completed: tally.completed,
                    committed: tally.committed,
                    completed_points: metrics.completed_points,
                    target_points: metrics.target_points,
                    inbox: waiting.filter(|(_, item)| item.sprint == id).count(),
                    submitted: rfc3339(row.submitted),
                    ended: row.ended.map(rfc3339),
                    projected_completion: metrics.projected_completion,
                })
            })
            .collect(),
    }
}

/// Which tasks are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// A status or a column; all without.
    pub status: Option<&'a str>,
    /// Part of the id or the title, in any case; all when empty.
    pub text: &'a str,
    /// How many come before.
    pub skip: usize,
    /// The most that are wanted.
    pub limit: usize,
}

/// A page of a sprint's tasks.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct TasksView {
    /// The sprint.
    pub sprint: String,
    /// How many there are in each column, whatever is wanted.
    pub columns: BTreeMap<&'static str, usize>,
    /// How many are wanted, on all pages.
    pub total: usize,
    /// How many come before this page.
    pub skip: usize,
    /// The page, in file order.
    pub tasks: Vec<TaskStatus>,
    /// What to skip for the next page; `null` on the last.
    pub next: Option<usize>,
}

/// A page of a sprint's tasks; helpers that judge are left out.
///
/// # Errors
/// What is wrong with the status that is wanted.
pub fn tasks(
    state: &State,
    id: SprintId,
    wanted: &Wanted<'_>,
    now: Time,
) -> Result<TasksView, String> {
    if let Some(word) = wanted.status
        && phase_of(word).0 == "?"
        && !Column::ALL.iter().any(|column| column.as_str() == word)
    {
        let columns = Column::ALL.map(Column::as_str).join(", ");
        return Err(format!(
            "there is no status `{}`; there are the columns {columns} and the statuses of tasks",
            text::line(word)
        ));
    }
    let Some(row) = state.sprints.get(id) else {
        return Ok(TasksView::default());
    };
    let mut view = TasksView {
        sprint: row.spec.id.to_string(),
        columns: Column::ALL.map(|column| (column.as_str(), 0)).into(),
        skip: wanted.skip,
        ..TasksView::default()
    };
    let needle = wanted.text.to_lowercase();
    let found = |id: TaskId| Some((id, state.tasks.get(id)?));
    for (id, task) in row.tasks().filter_map(found) {
        if task.is_help() {
            continue;
        }
        let column = Column::of(task.phase).as_str();
        *view.columns.entry(column).or_default() += 1;
        let fits = wanted
            .status
            .is_none_or(|word| word == column || word == task.phase.as_str());
        let has = |part: &str| part.to_lowercase().contains(&needle);
        if !fits || !(needle.is_empty() || has(task.spec.id.as_str()) || has(&task.spec.title)) {
            continue;
        }
        if view.total >= wanted.skip && view.tasks.len() < wanted.limit {
            view.tasks.push(task_status(state, id, task, now));
        }
        view.total += 1;
    }
    let reached = wanted.skip.saturating_add(view.tasks.len());
    view.next = (!view.tasks.is_empty() && reached < view.total).then_some(reached);
    Ok(view)
}

/// The first tasks of a column, and how many it has.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Lane {
    /// How many there are.
    pub count: usize,
    /// The first of them: in file order, of what is done or stuck the latest.
    pub tasks: Vec<TaskStatus>,
}

/// All columns, each with at most `limit` of its tasks.
pub fn lanes(state: &State, id: SprintId, limit: usize, now: Time) -> BTreeMap<Column, Lane> {
    let mut ids: BTreeMap<Column, Vec<(Time, TaskId)>> =
        Column::ALL.map(|column| (column, Vec::new())).into();
    let tasks = state
        .sprints
        .get(id)
        .into_iter()
        .flat_map(|row| row.tasks());
    for (id, task) in tasks.filter_map(|id| Some((id, state.tasks.get(id)?))) {
        if !task.is_help() {
            let lane = ids.entry(Column::of(task.phase)).or_default();
            lane.push((task.changed, id));
        }
    }
    let written = |(column, mut lane): (Column, Vec<(Time, TaskId)>)| {
        if matches!(column, Column::Done | Column::Stuck) {
            lane.sort_by(|a, b| b.cmp(a));
        }
        let first = lane.iter().take(limit);
        let first =
            first.filter_map(|(_, id)| Some(task_status(state, *id, state.tasks.get(*id)?, now)));
        let tasks = first.collect();
        let count = lane.len();
        (column, Lane { count, tasks })
    };
    ids.into_iter().map(written).collect()
}

/// All sprints as a table.
pub fn render_sprints(view: &SprintsView, width: usize, colour: bool) -> String {
    if view.sprints.is_empty() {
        return "There is no sprint yet; `director submit sprint.toml` brings one.\n".to_owned();
    }
    let mut table = Table::new(&["sprint", "state", "tasks", "points", "inbox"]).right(&[2, 3, 4]);
    for line in &view.sprints {
        table.row(vec![
            cell(&line.sprint),
            cell(&line.state),
            cell(format!("{}/{}", line.completed, line.committed)),
            cell(format!("{}/{}", line.completed_points, line.target_points)),
            cell(line.inbox.to_string()),
        ]);
    }
    text_of(&table.lines(width, Paint { colour }))
}

/// A page of tasks as a table.
pub fn render_tasks(view: &TasksView, width: usize, colour: bool) -> String {
    if view.tasks.is_empty() {
        return "There is no such task.\n".to_owned();
    }
    let mut table = Table::new(&["task", "status", "agent", "detail"]);
    for task in &view.tasks {
        table.row(vec![
            cell(&task.id),
            looks(phase_of(&task.status).1, &task.status),
            cell(task.assigned_agent.as_deref().unwrap_or("")),
            cell(&task.detail),
        ]);
    }
    text_of(&table.lines(width, Paint { colour }))
}

#[cfg(test)]
mod tests {
    use super::super::recorded::{midway, troubled};
    use super::*;

    #[test]
    fn pages_laid_side_by_side_are_all_tasks_once_and_columns_count_them() {
        for run in [midway(), troubled()] {
            let (state, now) = (run.state(), run.now);
            let page = |skip, limit| {
                let wanted = Wanted {
                    skip,
                    limit,
                    ..Wanted::default()
                };
                tasks(state, SprintId(0), &wanted, now).expect("a page")
            };
            let all = page(0, 1_000);
            assert_eq!(all.next, None);
            assert_eq!(all.columns.values().sum::<usize>(), all.total);
            let (mut joined, mut next) = (Vec::new(), Some(0));
            while let Some(skip) = next {
                let part = page(skip, 2);
                joined.extend(part.tasks);
                next = part.next;
            }
            assert_eq!(joined, all.tasks);
            assert_eq!(page(usize::MAX, 5).tasks, []);
        }
    }

    #[test]
    fn a_column_a_status_and_a_part_of_a_name_choose() {
        let run = midway();
        let names = |status, text| -> Result<Vec<String>, String> {
            let wanted = Wanted {
                status,
                text,
                limit: 100,
                ..Wanted::default()
            };
            let view = tasks(run.state(), SprintId(0), &wanted, run.now)?;
            Ok(view.tasks.into_iter().map(|task| task.id).collect())
        };
        assert_eq!(names(Some("stuck"), ""), names(Some("blocked"), ""));
        assert_eq!(names(None, "CART-UI"), Ok(vec!["cart-ui".to_owned()]));
        let error = names(Some("lost"), "").expect_err("no such status");
        assert!(
            error.contains("`lost`") && error.contains("waiting, ready"),
            "{error}"
        );
    }
}
