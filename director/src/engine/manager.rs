//! What the engineering manager was asked and has said: the note of the last standup, and the moves that wait for its word.
//!
//! Invariant: moves that wait have a deadline, and a sprint that is over has none.
//! Elsewhere: who is asked what, and what becomes of the answer, is `decide::manage`.

use director_protocols::event::{ManagerAsked, RebalancingDecided, StandupNoted, TaskRebalanced};
use director_protocols::ids::{MessageId, SprintId};
use director_protocols::time::Time;
use serde::Serialize;

use super::state::{Deadline, State};

/// Moves that the manager has been asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The question.
    pub message: MessageId,
    /// What would move.
    pub moves: Vec<TaskRebalanced>,
    /// When it moves without an answer.
    pub deadline: Time,
}

/// What was said at the last standup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// When.
    pub at: Time,
    /// By whom.
    pub by: String,
    /// What.
    pub text: String,
}

impl State {
    /// Moves wait for the manager's word from now on.
    pub(super) fn manager_asked(&mut self, e: &ManagerAsked) {
        let Some(deadline) = e.deadline else { return };
        let sprint = &mut self.sprints.table[e.sprint_id.index()];
        sprint.proposal = Some(Proposal {
            message: e.message,
            moves: e.moves.clone(),
            deadline,
        });
        let due = (deadline, Deadline::Proposal(e.sprint_id));
        self.deadlines.insert(due);
    }

    /// Nothing waits for the manager's word any more.
    pub(super) fn no_proposal(&mut self, sprint: SprintId) {
        let row = &mut self.sprints.table[sprint.index()];
        if let Some(proposal) = row.proposal.take() {
            let due = (proposal.deadline, Deadline::Proposal(sprint));
            self.deadlines.remove(&due);
        }
    }

    /// What stays where it is stays there for good, unless its role goes down.
    pub(super) fn rebalancing_decided(&mut self, e: &RebalancingDecided) {
        self.no_proposal(e.sprint_id);
        for task in &e.stays {
            self.tasks.table[task.index()].stays = true;
        }
    }

    /// The note of the standup, until the next.
    pub(super) fn standup_noted(&mut self, e: &StandupNoted, now: Time) {
        self.sprints.table[e.sprint_id.index()].note = Some(Note {
            at: now,
            by: e.by.clone(),
            text: e.note.clone(),
        });
    }
}
