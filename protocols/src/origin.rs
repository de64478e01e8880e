//! Origins: why a task was added to a sprint that runs.

use serde::{Deserialize, Serialize};

use crate::ids::{BlockerId, Name, TaskId};

/// Why a task was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It judges another task's work; its report is the gate's verdict.
    Gate {
        /// The task that is judged.
        task_id: TaskId,
        /// The gate.
        gate: Name,
        /// Which time, from 1.
        round: u32,
    },
    /// It helps the one who is held up; its report is the answer.
    Pair {
        /// The task that is held up.
        task_id: TaskId,
        /// By what.
        blocker: BlockerId,
    },
    /// It looks at a package for another team; its report takes the package or gives it back.
    Package {
        /// The package's number.
        handoff: u32,
    },
    /// It mends a bug.
    Bug {
        /// The task in whose work it was found.
        task_id: Option<TaskId>,
    },
    /// The scope changed.
    Scope,
}

impl Origin {
    /// Whether it helps another task and is no work of the sprint by itself: it has no points, no worktree and
    /// does not count as a task of the sprint.
    pub fn is_help(&self) -> bool {
        match self {
            Origin::Gate { .. } | Origin::Pair { .. } | Origin::Package { .. } => true,
            Origin::Bug { .. } | Origin::Scope => false,
        }
    }

    /// The task that it is about.
    pub fn about(&self) -> Option<TaskId> {
        match self {
            Origin::Gate { task_id, .. } | Origin::Pair { task_id, .. } => Some(*task_id),
            Origin::Bug { task_id } => *task_id,
            Origin::Scope | Origin::Package { .. } => None,
        }
    }
}
