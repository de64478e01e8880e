//! Conflicts seen early, as people and programs see them: whose work, in which files, since when.

use director_protocols::ids::{SprintId, TaskId};
use director_protocols::time::{Span, Time};
use schemars::JsonSchema;
use serde::Serialize;

use super::words::{some, task_names};
use super::{rfc3339, seconds};
use crate::engine::clashes::{Between, Clash};
use crate::engine::decide::clash::in_files;
use crate::engine::state::State;

/// Work under way that would conflict, with other work under way or with what was merged since it began.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct ConflictStatus {
    /// The task; of two under way the one that comes first.
    pub task: String,
    /// The other task under way; `null` where it is what was merged.
    pub with: Option<String>,
    /// Tasks that merged changes of these files since it began, as far as that is known.
    pub merged: Vec<String>,
    /// The files in conflict; of more than 64 the first.
    pub files: Vec<String>,
    /// Since when that is known.
    pub since: String,
    /// For how long, in seconds.
    pub since_seconds: f64,
}

impl ConflictStatus {
    /// The same in a few words.
    pub fn brief(&self) -> String {
        let with = self.with.as_deref().unwrap_or("what was merged");
        format!(
            "{} and {with} would conflict in {}",
            self.task,
            in_files(&self.files)
        )
    }

    /// What is the matter, for people.
    pub fn sentence(&self) -> String {
        let since = Span((self.since_seconds * 1000.0) as u64);
        let files = in_files(&self.files);
        let (task, merged) = (&self.task, some(&self.merged, 3));
        match (&self.with, self.merged.is_empty()) {
            (Some(with), _) => format!(
                "{task} and {with}, both under way, change the same places in {files} (seen {since} ago)"
            ),
            (None, true) => format!(
                "{task} would not merge any more: what was merged since it began changes the same places in {files} (seen {since} ago)"
            ),
            (None, false) => format!(
                "{task} would not merge any more: {merged}, merged since it began, changes the same places in {files} (seen {since} ago)"
            ),
        }
    }
}

/// What would conflict in a sprint now.
pub fn conflicts(state: &State, id: SprintId, now: Time) -> Vec<ConflictStatus> {
    let all = state.clashes_of(id);
    all.map(|(between, clash)| seen(state, between, clash, now))
        .collect()
}

/// What a task's work would conflict with now.
pub fn of_task(state: &State, id: TaskId, now: Time) -> Vec<ConflictStatus> {
    let all = state.clashes.iter();
    let of = all.filter(|((task, with), _)| *task == id || *with == Some(id));
    of.map(|(between, clash)| seen(state, between, clash, now))
        .collect()
}

fn seen(state: &State, (task, with): &Between, clash: &Clash, now: Time) -> ConflictStatus {
    ConflictStatus {
        task: state.task_name(*task),
        with: with.map(|with| state.task_name(with)),
        merged: task_names(state, &clash.merged),
        files: clash.files.clone(),
        since: rfc3339(clash.since),
        since_seconds: seconds(now.since(clash.since)),
    }
}
