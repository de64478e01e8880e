//! What the screen needs to know: the questions of a page, each for as much as is seen.
//!
//! Lists are asked for in blocks that hold what is on the screen, so that moving within one asks nothing and a sprint of 10,000 tasks
//! costs as much as one of a hundred.

use super::model::{Model, Page};
use crate::control::protocol::Ask;

/// Rows in a block; twice as many are asked for, so any screen of up to this many lines lies in what begins in it.
pub const BLOCK: usize = 120;

/// How many questions there are that may be asked side by side.
pub const SLOTS: usize = 8;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// All sprints.
    Sprints,
    /// The moment of a sprint.
    Live {
        /// The current one without.
        sprint: Option<String>,
    },
    /// The team.
    Agents,
    /// A page of tasks.
    Tasks {
        /// The current one without.
        sprint: Option<String>,
        /// Which column; all without.
        column: Option<&'static str>,
        /// What they have in their name.
        text: String,
        /// How many come before.
        skip: usize,
    },
    /// A page of the graph.
    Graph {
        /// The current one without.
        sprint: Option<String>,
        /// How many come before.
        skip: usize,
    },
    /// What waits for a person.
    Inbox,
    /// Why a task is where it is.
    Why {
        /// The current one without.
        sprint: Option<String>,
        /// Which.
        task: String,
    },
    /// Where a task's work is.
    Facts {
        /// The current one without.
        sprint: Option<String>,
        /// Which.
        task: String,
    },
}

impl Question {
    /// Which of the questions side by side it is.
    pub fn slot(&self) -> usize {
        match self {
            Question::Sprints => 0,
            Question::Live { .. } => 1,
            Question::Agents => 2,
            Question::Tasks { .. } => 3,
            Question::Graph { .. } => 4,
            Question::Inbox => 5,
            Question::Why { .. } => 6,
            Question::Facts { .. } => 7,
        }
    }

    /// As the director is asked.
    pub fn ask(&self) -> Ask {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let limit = Some(number(2 * BLOCK));
        match self.clone() {
            Question::Sprints => Ask::Sprints {},
            Question::Live { sprint } => Ask::Live { sprint },
            Question::Agents => Ask::Agents {},
            Question::Tasks {
                sprint,
                column,
                text,
                skip,
            } => Ask::Tasks {
                sprint,
                status: column.map(str::to_owned),
                text: (!text.is_empty()).then_some(text),
                skip: number(skip),
                limit,
            },
            Question::Graph { sprint, skip } => Ask::Graph {
                sprint,
                skip: number(skip),
                limit,
            },
            Question::Inbox => Ask::Inbox {},
            Question::Why { sprint, task } => Ask::Why { sprint, task },
            Question::Facts { sprint, task } => Ask::Task { sprint, task },
        }
    }
}

/// What the screen of a model needs, the most urgent first.
pub fn wanted(model: &Model) -> Vec<Question> {
    let sprint = model.sprint.clone();
    let block = |top: usize| top / BLOCK * BLOCK;
    let mut wanted = match model.page {
        Page::Team => vec![Question::Agents],
        Page::Tasks => vec![Question::Tasks {
            sprint: sprint.clone(),
            column: model.column,
            text: model.filter.clone(),
            skip: block(model.tasks.top),
        }],
        Page::Graph => vec![Question::Graph {
            sprint: sprint.clone(),
            skip: block(model.graph.top),
        }],
        Page::Inbox => vec![Question::Inbox],
        Page::Task => {
            let (sprint, task) = (model.task.sprint.clone(), model.task.task.clone());
            vec![
                Question::Facts {
                    sprint: sprint.clone(),
                    task: task.clone(),
                },
                Question::Why { sprint, task },
            ]
        }
        Page::Events | Page::Sprints => Vec::new(),
    };
    wanted.push(Question::Live { sprint });
    wanted.push(Question::Sprints);
    wanted
}
