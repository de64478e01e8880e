//! Conflicts between branches that are still worked on, seen early.

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::ids::{AgentId, Attempt, MessageId, SprintId, TaskId};

payloads! {
    /// Work under way would conflict, with other work under way or with what was merged since it began.
    166 1 ConflictForeseen "conflict_foreseen" {
        /// The sprint.
        sprint_id: SprintId,
        /// The task; of two under way the one that comes first.
        task_id: TaskId,
        /// The other task under way; none where it is what was merged.
        with: Option<TaskId>,
        /// Tasks that merged changes of these files since it began, where it is what was merged.
        merged: Vec<TaskId>,
        /// All files in conflict as far as they are named, see [`crate::work::FILES_MAX`].
        files: Vec<String>,
    }
    /// Such a conflict is not there any more.
    167 1 ConflictOver "conflict_over" {
        /// The sprint.
        sprint_id: SprintId,
        /// The task.
        task_id: TaskId,
        /// The other one.
        with: Option<TaskId>,
        /// Why, in words.
        reason: String,
    }
    /// The director tells the agent that has an attempt in hand something about it.
    168 1 AgentTold "agent_told" {
        /// Its number.
        message: MessageId,
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// Who has it.
        to: AgentId,
        /// What.
        text: String,
    }
}
