//! Sprints: their beginning, their end, their plan and what they are measured by.

use serde::{Deserialize, Serialize};

use super::Payload;
use super::parts::Outcome;
use crate::forecast::CostForecast;
use crate::ids::{EffectId, SprintId, TaskId};
use crate::shared::Shared;
use crate::sprint::SprintSpec;
use crate::time::Span;
use crate::work::GateOutcome;

payloads! {
    /// A director took over: all agents are down, what was in hand is interrupted.
    1 1 EpochOpened "epoch_opened" {
        /// Rising with every start.
        epoch: u64,
        /// The program's version.
        version: String,
    }
    /// A sprint was taken in.
    10 1 SprintSubmitted "sprint_submitted" {
        /// Its number.
        sprint_id: SprintId,
        /// All of it.
        spec: Shared<SprintSpec>,
        /// How long it takes as planned, in working time.
        planned: Span,
    }
    /// The repository is ready.
    11 1 RepoPrepared "repo_prepared" {
        /// The effect that is answered.
        effect: EffectId,
        /// The sprint.
        sprint_id: SprintId,
        /// The base branch: the sprint's, or the one that was checked out.
        branch: String,
        /// The base's commit.
        base: String,
        /// What the user should know.
        warnings: Vec<String>,
    }
    /// The gates ran on the base.
    12 1 BaseChecked "base_checked" {
        /// The effect that is answered.
        effect: EffectId,
        /// The sprint.
        sprint_id: SprintId,
        /// What came out.
        outcomes: Vec<GateOutcome>,
    }
    /// The sprint cannot be run as it is.
    13 1 SprintRefused "sprint_refused" {
        /// The sprint.
        sprint_id: SprintId,
        /// Why and what to do.
        reason: String,
    }
    /// Work may begin.
    14 1 SprintInitialized "sprint_initialized" {
        /// The sprint.
        sprint_id: SprintId,
        /// Tasks committed to.
        total_tasks: u32,
        /// Planned elapsed time.
        estimated_duration: Span,
    }
    /// No work is handed out until it is resumed.
    15 1 SprintPaused "sprint_paused" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who asked.
        by: String,
    }
    /// Work is handed out again.
    16 1 SprintResumed "sprint_resumed" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who asked.
        by: String,
    }
    /// The sprint was called off.
    17 1 SprintCancelled "sprint_cancelled" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who asked.
        by: String,
    }
    /// Nothing of the sprint can go on.
    18 1 SprintEnded "sprint_ended" {
        /// The sprint.
        sprint_id: SprintId,
        /// How.
        outcome: Outcome,
    }
    /// A task of an ended sprint is tried again.
    19 1 SprintReopened "sprint_reopened" {
        /// The sprint.
        sprint_id: SprintId,
    }
    /// The worktrees of the sprint are gone.
    20 1 WorktreesRemoved "worktrees_removed" {
        /// The effect that is answered.
        effect: EffectId,
        /// The sprint.
        sprint_id: SprintId,
        /// Those that were kept, each with the reason.
        kept: Vec<String>,
    }
    /// Points were finished.
    21 1 SprintVelocityUpdated "sprint_velocity_updated" {
        /// The sprint.
        sprint_id: SprintId,
        /// Points finished so far.
        current_velocity: u32,
        /// Points meant to be finished.
        target_velocity: u32,
        /// Thousandths of the committed points that are finished.
        trend: u32,
    }
    /// The sprint's result is in the base.
    22 1 SprintDelivered "sprint_delivered" {
        /// The sprint.
        sprint_id: SprintId,
        /// The commit that the base now has.
        commit: String,
        /// Who asked.
        by: String,
    }
    /// A better order was found for what is left.
    23 1 PlanAdopted "plan_adopted" {
        /// The sprint.
        sprint_id: SprintId,
        /// The version of the plan that it was made from.
        base: u32,
        /// The tasks, the first to be handed out first; within a priority, that is.
        order: Vec<TaskId>,
        /// Until the last of them would have been done, as expected.
        before: Span,
        /// Until the last of them is done now, as expected.
        after: Span,
    }
    /// Somebody looked ahead: when what is left would be done.
    24 1 ForecastRecorded "forecast_recorded" {
        /// The sprint.
        sprint_id: SprintId,
        /// How often the rest was run on virtual time.
        runs: u64,
        /// What fixes those runs.
        seed: u64,
        /// How many in a thousand of them have all done.
        done_probability: u32,
        /// From then on, half of those end within.
        p50: Span,
        /// 85 of 100.
        p85: Span,
        /// 95 of 100.
        p95: Span,
        /// What all of it costs, where that is known.
        cost: Option<CostForecast>,
        /// Who asked.
        by: String,
    }
    /// An action item of the sprint's retrospective will change the next sprint.
    90 1 ActionAccepted "action_accepted" {
        /// The sprint that was looked back on.
        sprint_id: SprintId,
        /// The action's id, as the retrospective names it.
        action: String,
        /// What will change, in words.
        text: String,
        /// Who accepted it.
        by: String,
    }
    /// A running sprint is what is wanted now; done work stayed done.
    112 1 SprintReplanned "sprint_replanned" {
        /// The sprint.
        sprint_id: SprintId,
        /// Tasks that came.
        added: u32,
        /// Tasks that changed.
        changed: u32,
        /// Tasks that were dropped.
        dropped: u32,
        /// Who asked.
        by: String,
    }    /// Somebody else moved the integration branch, or deleted it: the sprint stands still until a person has said what becomes of that.
    172 1 BranchMoved "branch_moved" {
        /// The sprint.
        sprint_id: SprintId,
        /// The branch, as a full ref.
        name: String,
        /// The commit that it should be at.
        expected: String,
        /// The commit that it is at; empty where it is gone.
        found: String,
        /// Whether that holds everything that was merged.
        contains: bool,
    }
    /// The integration branch is where it should be, and the sprint goes on.
    170 1 BranchRestored "branch_restored" {
        /// The sprint.
        sprint_id: SprintId,
        /// The commit that it is at.
        commit: String,
        /// Where what it was at is kept; empty where nothing had to be.
        saved: String,
    }
}
