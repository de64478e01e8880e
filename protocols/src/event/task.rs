//! Tasks: from the assignment to the merge.

use serde::{Deserialize, Serialize};

use super::Payload;
use super::parts::Score;
use crate::ids::{AgentId, Attempt, EffectId, Name, SprintId, TaskId};
use crate::origin::Origin;
use crate::shared::Shared;
use crate::sprint::TaskSpec;
use crate::time::{Span, Time};
use crate::work::{AttemptEnd, DiffStat, GateOutcome, Verdict};

payloads! {
    /// A task did not fit and waits for another sprint.
    30 1 TaskDeferred "task_deferred" {
        /// The task.
        task_id: TaskId,
        /// Why.
        reason: String,
    }
    /// An agent has the task.
    31 1 TaskAssigned "task_assigned" {
        /// The task.
        task_id: TaskId,
        /// The agent.
        agent_id: AgentId,
        /// The fence.
        attempt: Attempt,
        /// Effort, the PERT mean.
        estimated_hours: Span,
        /// What it depended on.
        dependencies: Shared<Vec<TaskId>>,
        /// Why this agent.
        score: Score,
    }
    /// The worktree holds what the attempt begins with.
    32 1 WorktreePrepared "worktree_prepared" {
        /// The effect that is answered.
        effect: EffectId,
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// Its path.
        path: String,
        /// The commit.
        commit: String,
        /// Files with a conflict in it that is to be resolved.
        conflict: Vec<String>,
    }
    /// The agent is at work.
    33 1 AttemptStarted "attempt_started" {
        /// The effect that is answered.
        effect: EffectId,
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
    }
    /// A session that a later attempt can resume.
    34 1 SessionOpened "session_opened" {
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// The session's own id.
        session: String,
    }
    /// The agent has let go of the task.
    35 1 AttemptEnded "attempt_ended" {
        /// The task.
        task_id: TaskId,
        /// The agent.
        agent_id: AgentId,
        /// The attempt.
        attempt: Attempt,
        /// How.
        end: AttemptEnd,
    }
    /// The director ended without a stop while the agent was at work; the end of the attempt follows.
    171 1 AttemptCut "attempt_cut" {
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// Whether nothing else was at work.
        alone: bool,
    }
    /// What was not finished is safe, and the worktree is free.
    36 1 WorkSalvaged "work_salvaged" {
        /// The effect that is answered.
        effect: EffectId,
        /// The task.
        task_id: TaskId,
        /// The ref that holds it; empty when there was nothing.
        saved: String,
        /// Why the worktree was kept instead.
        kept: Option<String>,
    }
    /// What was done is in a commit.
    37 1 WorkCommitted "work_committed" {
        /// The effect that is answered.
        effect: EffectId,
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// The commit.
        commit: String,
        /// How much changed.
        changes: DiffStat,
        /// The files that changed, at most [`crate::work::FILES_MAX`] of them.
        files: Vec<String>,
    }
    /// The merge is built, not yet public.
    38 1 MergePrepared "merge_prepared" {
        /// The effect that is answered.
        effect: EffectId,
        /// The sprint.
        sprint_id: SprintId,
        /// The tasks in it.
        batch: Vec<TaskId>,
        /// The merge commit.
        commit: String,
        /// What it is built on.
        onto: String,
    }
    /// The work does not fit what was merged since.
    39 1 MergeConflicted "merge_conflicted" {
        /// The effect that is answered.
        effect: EffectId,
        /// The sprint.
        sprint_id: SprintId,
        /// The tasks in it.
        batch: Vec<TaskId>,
        /// The files.
        files: Vec<String>,
    }
    /// Several tasks do not go together: nobody is blamed yet, they are merged in smaller batches.
    162 1 MergeSplit "merge_split" {
        /// The effect that is answered; none when there was nothing to run.
        effect: Option<EffectId>,
        /// The sprint.
        sprint_id: SprintId,
        /// The tasks in it.
        batch: Vec<TaskId>,
        /// The gate that is red, or the files that conflict.
        reason: String,
    }
    /// The gates ran on the merged tree.
    40 1 QualityGateStatus "quality_gate_status" {
        /// The effect that is answered; none when there was nothing to run.
        effect: Option<EffectId>,
        /// The sprint.
        sprint_id: SprintId,
        /// The tasks in it.
        batch: Vec<TaskId>,
        /// What came out, in the order run.
        outcomes: Vec<GateOutcome>,
        /// Whether nothing failed.
        passed: bool,
        /// The commit whose tree was looked at; empty without a repository.
        commit: String,
        /// The sprint's test coverage so far, in hundredths of a percent; none where nothing measured it.
        test_coverage: Option<u32>,
        /// Thousandths of the sprint's accepted tasks whose review passed; none where nobody reviews.
        code_review_completion: Option<u32>,
        /// Thousandths of the sprint's accepted tasks whose documentation was found up to date; none where nothing looks.
        documentation_status: Option<u32>,
    }
    /// The integration branch holds the work.
    41 1 MergeCompleted "merge_completed" {
        /// The effect that is answered.
        effect: EffectId,
        /// The sprint.
        sprint_id: SprintId,
        /// The tasks in it.
        batch: Vec<TaskId>,
        /// The merge commit.
        commit: String,
    }
    /// The task is done; what waited for it may begin.
    42 1 TaskCompleted "task_completed" {
        /// The task.
        task_id: TaskId,
        /// Thousandths of the sprint's committed tasks that are done.
        sprint_progress: u32,
    }
    /// The work was not accepted; the task goes on.
    43 1 WorkRejected "work_rejected" {
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// Why, with the evidence, for the agent that tries again.
        reason: String,
        /// Whether it counts as a failed attempt; a merge conflict does not.
        counts: bool,
    }
    /// The task is tried again later.
    44 1 RetryScheduled "retry_scheduled" {
        /// The task.
        task_id: TaskId,
        /// Not before.
        at: Time,
    }
    /// The task is given up.
    45 1 TaskFailed "task_failed" {
        /// The task.
        task_id: TaskId,
        /// Why.
        reason: String,
    }
    /// The task killed agent after agent and is not given to another.
    46 1 TaskQuarantined "task_quarantined" {
        /// The task.
        task_id: TaskId,
        /// How they died.
        evidence: Vec<String>,
    }
    /// The task is dropped.
    47 1 TaskCancelled "task_cancelled" {
        /// The task.
        task_id: TaskId,
        /// Who asked.
        by: String,
        /// It is no longer part of what the sprint committed to.
        dropped: bool,
    }
    /// A person wants it tried again; earlier failures no longer count.
    48 1 TaskRetried "task_retried" {
        /// The task.
        task_id: TaskId,
        /// Who asked.
        by: String,
    }
    /// A person wants another agent.
    49 1 TaskReassigned "task_reassigned" {
        /// The task.
        task_id: TaskId,
        /// To whom; none lets the director choose.
        to: Option<AgentId>,
        /// Who asked.
        by: String,
    }
    /// The liveness monitor changed its mind.
    50 1 LivenessChanged "liveness_changed" {
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// `working`, `silent`, `waiting`, `wedged`.
        state: String,
    }
    /// The merge queue takes up the next batch.
    51 1 MergeStarted "merge_started" {
        /// The sprint.
        sprint_id: SprintId,
        /// The tasks in it.
        batch: Vec<TaskId>,
    }
    /// The wait before the next attempt is over.
    52 1 RetryDue "retry_due" {
        /// The task.
        task_id: TaskId,
    }
    /// A task comes to the sprint.
    102 1 TaskAdded "task_added" {
        /// Its number.
        task_id: TaskId,
        /// The sprint.
        sprint_id: SprintId,
        /// All of it.
        spec: Shared<TaskSpec>,
        /// What it depends on.
        dependencies: Vec<TaskId>,
        /// Why.
        origin: Origin,
        /// Who asked.
        by: String,
    }
    /// An agent or a person has judged a gate.
    103 1 GateJudged "gate_judged" {
        /// The task whose work it is.
        task_id: TaskId,
        /// The gate.
        gate: Name,
        /// Passed or failed.
        verdict: Verdict,
        /// Who.
        by: String,
        /// What has to be changed, or what else there is to say.
        findings: String,
        /// The task of judging, where an agent did it.
        help: Option<TaskId>,
    }
    /// All who judge a task's work have spoken.
    104 1 WorkReviewed "work_reviewed" {
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// Whether it goes on.
        passed: bool,
        /// Which time, from 1.
        round: u32,
        /// What each said.
        outcomes: Vec<GateOutcome>,
    }
    /// A person lets a task pass in spite of a gate.
    105 1 GateOverridden "gate_overridden" {
        /// The task.
        task_id: TaskId,
        /// The gate.
        gate: Name,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    }
    /// A second agent has found out how one that is held up can go on.
    106 1 HelpGiven "help_given" {
        /// The task of helping.
        help: TaskId,
        /// The task that is held up.
        task_id: TaskId,
        /// What was found.
        text: String,
        /// Who found it.
        by: String,
    }
    /// A task is another than it was.
    111 1 TaskChanged "task_changed" {
        /// The task.
        task_id: TaskId,
        /// What it is now.
        spec: Shared<TaskSpec>,
        /// What the sprint file says of it, where answers say otherwise.
        written: Option<Shared<TaskSpec>>,
        /// What it depends on now.
        dependencies: Vec<TaskId>,
        /// What changed, in words.
        what: Vec<String>,
        /// Who asked.
        by: String,
    }
}
