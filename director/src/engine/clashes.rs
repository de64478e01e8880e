//! Clashes: conflicts between work that is still under way, seen before any of it is merged.
//!
//! Work counts from the moment its worktree is ready until it is merged or given up. What would conflict is found outside, by looking
//! at branches and worktrees; here stands what was found, with since when. It is told to whoever has such work in hand, once for each
//! file, and remembered with the task:
//!
//! | what it is good for | where |
//! |---|---|
//! | the next attempt is given what the other one changed | `orders` |
//! | the task is about these files, and its agent knows them, when work is handed out | `files` |
//! | what would conflict is not merged in one batch | `decide::integrate` |
//!
//! Invariant: a clash is between work under way of one sprint; it is over in the decision in which that ends.
//! Elsewhere: what is told is [`super::decide::clash`], looking is `perform::lookout`.

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::event::{ConflictForeseen, Event};
use director_protocols::ids::{Attempt, SprintId, TaskId};
use director_protocols::time::{Span, Time};
use director_protocols::work::FILES_MAX;
use serde::Serialize;

use super::effects::Effect;
use super::orders::{Place, place};
use super::state::State;
use super::tasks::Phase;

/// Whose work would conflict: the task that comes first, and the other; none for what is merged.
pub type Between = (TaskId, Option<TaskId>);

/// Work that would conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clash {
    /// In which files.
    pub files: Vec<String>,
    /// Since when that is known.
    pub since: Time,
    /// Whose merged work it is, where it is that.
    pub merged: Vec<TaskId>,
}

/// Files in which a task's work ever was in conflict, by with whose, and whether that was merged by then.
pub type Met = BTreeMap<(TaskId, bool), BTreeSet<String>>;

/// Work under way, as it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The task and the attempt.
    pub of: (TaskId, Attempt),
    /// Its feature, which the worktree is called after.
    pub feature: String,
    /// Where its worktree began.
    pub begun_at: String,
    /// Its commit, once there is one; until then it is what the worktree holds.
    pub commit: String,
}

/// What is to be watched in a sprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Where.
    pub place: Place,
    /// The work under way, in the order of its tasks.
    pub branches: Vec<Branch>,
    /// The shortest time between two looks.
    pub rest: Span,
}

impl Watch {
    /// Whether anything could conflict: there are two, or one began before something else was merged.
    pub fn is_of_use(&self) -> bool {
        let behind = |branch: &Branch| branch.begun_at != self.place.head;
        self.branches.len() > 1 || self.branches.iter().any(behind)
    }
}

impl State {
    /// Whether the task's work is under way in its worktree, or done and not merged yet.
    pub fn is_under_way(&self, id: TaskId) -> bool {
        let Some(row) = self.tasks.get(id) else {
            return false;
        };
        let prepared = match row.phase {
            Phase::Assigned => !self.outstanding.is_preparing(id),
            Phase::Working
            | Phase::Reported
            | Phase::Reviewing
            | Phase::Queued
            | Phase::Merging => true,
            _ => false,
        };
        prepared
            && self.has_repo(id)
            && self.holds_worktree(id)
            && self.sprints.table[row.sprint.index()].is_running()
    }

    /// What would conflict now in a sprint.
    pub fn clashes_of(&self, sprint: SprintId) -> impl Iterator<Item = (&Between, &Clash)> {
        let all = self.clashes.iter();
        all.filter(move |((task, _), _)| self.tasks.table[task.index()].sprint == sprint)
    }

    /// Whether two tasks' work would conflict.
    pub fn clash(&self, one: TaskId, other: TaskId) -> bool {
        let between = (one.min(other), Some(one.max(other)));
        self.clashes.contains_key(&between)
    }

    pub(super) fn conflict_foreseen(&mut self, e: &ConflictForeseen, now: Time) {
        let before = self.clashes.get(&(e.task_id, e.with));
        let since = before.map_or(now, |clash| clash.since);
        let clash = Clash {
            files: e.files.clone(),
            since,
            merged: e.merged.clone(),
        };
        self.clashes.insert((e.task_id, e.with), clash);
        for (task, other) in sides(e) {
            let met = self.tasks.story(task).clashes.entry(other).or_default();
            let room = FILES_MAX.saturating_sub(met.len());
            let new: Vec<&String> = e.files.iter().filter(|file| !met.contains(*file)).collect();
            met.extend(new.into_iter().take(room).cloned());
            self.files_met(task, &e.files);
        }
    }
}

/// Each task under way in a conflict, with what it is in conflict with: the other's task, and whether that is merged. Where nobody knows
/// who merged it, the task itself.
pub fn sides(e: &ConflictForeseen) -> Vec<(TaskId, (TaskId, bool))> {
    match e.with {
        Some(with) => vec![(e.task_id, (with, false)), (with, (e.task_id, false))],
        None if e.merged.is_empty() => vec![(e.task_id, (e.task_id, true))],
        None => {
            let merged = e.merged.iter();
            merged.map(|other| (e.task_id, (*other, true))).collect()
        }
    }
}

/// What is to be watched in the sprint.
pub fn watch(state: &State, id: SprintId) -> Option<Watch> {
    let all = state.tasks.features.iter();
    let held = all.filter(|feature| feature.sprint == id && feature.exclusive);
    let mut live: Vec<TaskId> = held.filter_map(|feature| feature.holder).collect();
    live.retain(|task| state.is_under_way(*task));
    live.sort_unstable();
    let branch = |id: TaskId| {
        let row = state.tasks.get(id)?;
        let story = row.story.as_deref()?;
        let done = matches!(row.phase, Phase::Reviewing | Phase::Queued | Phase::Merging);
        Some(Branch {
            of: (id, row.attempt),
            feature: row.spec.feature.to_string(),
            begun_at: story.begun_at.clone(),
            commit: match done {
                true => story.commit.clone(),
                false => String::new(),
            },
        })
    };
    Some(Watch {
        place: place(state, id)?,
        branches: live.into_iter().filter_map(branch).collect(),
        rest: state.sprints.get(id)?.spec.policy.look_ahead,
    })
}

fn is_watched(state: &State, id: SprintId) -> bool {
    let row = state.sprints.get(id);
    row.is_some_and(|row| row.spec.repo.is_some() && row.spec.policy.look_ahead > Span::ZERO)
}

/// What is to be watched anew after an event.
pub fn after(state: &State, event: &Event, emit: &mut dyn FnMut(Effect)) {
    let of_task = |task: TaskId| state.tasks.get(task).map(|row| row.sprint);
    let sprint = match event {
        Event::EpochOpened(_) => {
            let all = (0u32..).map(SprintId).zip(&state.sprints.table);
            let going = all.filter(|(id, row)| row.is_running() && is_watched(state, *id));
            going.for_each(|(sprint, _)| emit(Effect::Watch { sprint }));
            None
        }
        Event::WorktreePrepared(e) => of_task(e.task_id),
        Event::WorkCommitted(e) => of_task(e.task_id),
        Event::AttemptEnded(e) => of_task(e.task_id),
        Event::WorkRejected(e) => of_task(e.task_id),
        Event::TaskCancelled(e) => of_task(e.task_id),
        Event::MergeCompleted(e) => Some(e.sprint_id),
        Event::SprintEnded(e) => Some(e.sprint_id),
        _ => None,
    };
    if let Some(sprint) = sprint.filter(|id| is_watched(state, *id)) {
        emit(Effect::Watch { sprint });
    }
}
