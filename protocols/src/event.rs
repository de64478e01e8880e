//! Events: the facts that the journal keeps and that all state is made of.
//!
//! One decision is one record; its payload is a list of frames, each with the event's own kind number and
//! version, so that the order of variants in this file means nothing on disk. Kind numbers are written by
//! hand and never reused. JSON names are the snake_case of the variant.
//!
//! Invariant: events hold no floats, no `usize`, no map in hash order.
//! Elsewhere: how they lie in a record is [`frames`]; the record around them is [`crate::envelope`]; what they mean is the engine's `apply`.

mod frames;
mod parts;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use frames::{
    DECISION_KIND, DECISION_VERSION, EVENTS_PER_DECISION_MAX, EventError, decode_events,
    encode_events,
};
use frames::{Frame, append_frame};
pub use parts::*;

use crate::codec::{self, CodecError};
use crate::ids::{
    AgentId, Attempt, BlockerId, EffectId, Generation, InboxId, IncidentId, MessageId, Name,
    SprintId, TaskId,
};
use crate::inbox::{InboxDefault, InboxKind, Reply};
use crate::incident::Step;
use crate::origin::Origin;
use crate::severity::Severity;
use crate::shared::Shared;
use crate::sprint::{SprintSpec, TaskSpec};
use crate::time::{Span, Time};
use crate::work::{AttemptEnd, DiffStat, GateOutcome, Verdict};

macro_rules! events {
    ($($(#[$doc:meta])* $kind:literal $version:literal $name:ident $json:literal { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {
        /// A fact. See the module for how it is stored.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $name($name),)*
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

            impl From<$name> for Event {
                fn from(event: $name) -> Event { Event::$name(event) }
            }
        )*

        impl Serialize for Event {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Event::$name(event) => to.serialize_newtype_variant("Event", $kind, $json, event),)*
                }
            }
        }

        impl Event {
            /// Every kind there is: number, version and JSON name.
            pub const KINDS: &'static [(u16, u16, &'static str)] = &[$(($kind, $version, $json),)*];

            /// The name in JSON and in filters.
            pub fn name(&self) -> &'static str {
                match self { $(Event::$name(_) => $json,)* }
            }

            /// The number on disk.
            pub fn kind(&self) -> u16 {
                match self { $(Event::$name(_) => $kind,)* }
            }

            fn append_frame(&self, to: &mut Vec<u8>) -> Result<(), CodecError> {
                match self {
                    $(Event::$name(event) => append_frame($kind, $version, event, to),)*
                }
            }

            fn from_frame(frame: &Frame<'_>) -> Result<Event, EventError> {
                let bad = |source| EventError::Body { kind: frame.kind, version: frame.version, source };
                match (frame.kind, frame.version) {
                    $(($kind, $version) => codec::decode::<$name>(frame.body).map(Event::$name).map_err(bad),)*
                    (kind, version) => Err(EventError::Unknown { kind, version }),
                }
            }

            /// The fields, as JSON with ids as numbers.
            pub fn fields(&self) -> serde_json::Value {
                match self {
                    $(Event::$name(event) => serde_json::to_value(event).unwrap_or(serde_json::Value::Null),)*
                }
            }
        }
    };
}

events! {
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
        /// Who asked.
        by: String,
    }

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

    /// Something holds a task up.
    60 1 BlockerRaised "blocker_raised" {
        /// Its number.
        blocker: BlockerId,
        /// The task.
        task_id: TaskId,
        /// The agent that said so, or had the task.
        agent_id: Option<AgentId>,
        /// What sort.
        blocker_type: String,
        /// The tier it starts on.
        severity: Severity,
        /// The tier that was reported.
        reported: Severity,
        /// Whether the task is on the critical path.
        on_critical_path: bool,
        /// Why it starts on another tier than was reported; empty when it does not.
        reason: String,
        /// What is the matter.
        text: String,
        /// When it goes up a tier by itself.
        deadline: Option<Time>,
    }
    /// A blocker went up a tier.
    61 1 BlockerEscalated "blocker_escalated" {
        /// The blocker.
        blocker: BlockerId,
        /// From.
        from: Severity,
        /// To.
        to: Severity,
        /// Why.
        reason: String,
        /// When it goes up the next.
        deadline: Option<Time>,
    }
    /// The agent is told how to go on.
    62 1 GuidanceGiven "guidance_given" {
        /// The blocker.
        blocker: BlockerId,
        /// The task.
        task_id: TaskId,
        /// The guidance.
        text: String,
    }
    /// A blocker no longer holds anything up.
    63 1 BlockerResolved "blocker_resolved" {
        /// The blocker.
        blocker: BlockerId,
        /// Who or what resolved it.
        by: String,
        /// The answer, if there is one.
        answer: String,
    }
    /// Something waits for a person.
    64 1 InboxOpened "inbox_opened" {
        /// Its number.
        item: InboxId,
        /// The sprint.
        sprint_id: SprintId,
        /// The task.
        task_id: Option<TaskId>,
        /// The blocker behind it.
        blocker: Option<BlockerId>,
        /// The question behind it.
        message: Option<MessageId>,
        /// How urgent.
        severity: Severity,
        /// What is asked.
        question: String,
        /// The lost role behind it.
        role: Option<String>,
        /// What sort of thing it is.
        kind: InboxKind,
        /// The attempt that a person has in hand.
        attempt: Option<Attempt>,
        /// When the default happens.
        deadline: Option<Time>,
        /// What happens if nobody answers by then.
        default: InboxDefault,
        /// The gate that a person judges.
        gate: Option<Name>,
        /// The package that another team takes or gives back.
        handoff: Option<u32>,
    }
    /// A person answered.
    65 1 InboxAnswered "inbox_answered" {
        /// The number.
        item: InboxId,
        /// The answer.
        answer: String,
        /// Who.
        by: String,
        /// In words, yes or no.
        reply: Reply,
    }
    /// What waited for a person no longer does.
    66 1 InboxClosed "inbox_closed" {
        /// The number.
        item: InboxId,
        /// Why.
        reason: String,
    }
    /// Everything but critical work pauses.
    67 1 EngineeringEmergency "engineering_emergency" {
        /// The sprint.
        sprint_id: SprintId,
        /// The task that it is about.
        task_id: TaskId,
        /// The blocker behind it; none where the task mends a critical bug.
        blocker: Option<BlockerId>,
        /// What happened.
        issue: String,
        /// What it costs, in words.
        impact: String,
        /// How much later the sprint ends, by scheduling with and without it.
        delay: Span,
        /// Who deals with it.
        response_team: Vec<AgentId>,
        /// When it may be over.
        estimated_resolution: Option<Time>,
    }
    /// Work goes on.
    68 1 EmergencyResolved "emergency_resolved" {
        /// The sprint.
        sprint_id: SprintId,
        /// The task that it was about.
        task_id: TaskId,
        /// The blocker that was behind it.
        blocker: Option<BlockerId>,
        /// What goes on now, in this order.
        resumed: Vec<TaskId>,
    }
    /// Something of ours was changed by someone else, or an agent reached outside.
    69 1 IncidentOpened "incident_opened" {
        /// The sprint.
        sprint_id: SprintId,
        /// The task at whose end it was seen.
        task_id: Option<TaskId>,
        /// What was found.
        text: String,
        /// Its number.
        incident: IncidentId,
        /// How bad.
        severity: Severity,
        /// The blocker behind it.
        blocker: Option<BlockerId>,
        /// Who deals with it, by name.
        members: Vec<String>,
    }

    /// What a task produced goes to one that waited for it.
    70 1 HandoffSent "handoff_sent" {
        /// The task that is done.
        from: TaskId,
        /// The task that goes on.
        to: TaskId,
    }
    /// The agent of the task that goes on has it.
    71 1 HandoffAccepted "handoff_accepted" {
        /// The task that is done.
        from: TaskId,
        /// The task that goes on.
        to: TaskId,
    }
    /// One agent says something to another.
    72 1 MessageSent "message_sent" {
        /// Its number.
        message: MessageId,
        /// Who.
        from: AgentId,
        /// To whom.
        to: AgentId,
        /// What.
        text: String,
    }
    /// One agent asks another and waits.
    73 1 QuestionAsked "question_asked" {
        /// Its number.
        message: MessageId,
        /// Who.
        from: AgentId,
        /// The task that waits.
        task_id: TaskId,
        /// The attempt that waits.
        attempt: Attempt,
        /// To whom; none asks a person.
        to: Option<AgentId>,
        /// What.
        text: String,
    }
    /// The message is with the agent it was for.
    74 1 MessageDelivered "message_delivered" {
        /// The effect that is answered.
        effect: EffectId,
        /// The message.
        message: MessageId,
    }
    /// A question has an answer.
    75 1 QuestionAnswered "question_answered" {
        /// The question.
        message: MessageId,
        /// Who or what answered.
        by: String,
        /// The answer.
        text: String,
    }
    /// A role of the ladder is asked about a blocker: for guidance, or beside the person in whose inbox it is.
    76 1 AdviserAsked "adviser_asked" {
        /// Its number.
        message: MessageId,
        /// The blocker.
        blocker: BlockerId,
        /// The task.
        task_id: TaskId,
        /// Who is asked.
        to: AgentId,
        /// What.
        text: String,
    }

    /// An agent takes work.
    80 1 AgentUp "agent_up" {
        /// The agent.
        agent_id: AgentId,
        /// Its incarnation.
        generation: Generation,
    }
    /// An agent is gone; its supervisor decides about the next incarnation.
    81 1 AgentDown "agent_down" {
        /// The agent.
        agent_id: AgentId,
        /// The incarnation that ended.
        generation: Generation,
        /// Why.
        reason: String,
    }
    /// All agents of a role stay down.
    82 1 RoleLost "role_lost" {
        /// The role.
        role: String,
        /// Why.
        reason: String,
    }
    /// A lost role is started again.
    83 1 RoleRestored "role_restored" {
        /// The role.
        role: String,
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
    /// Nobody has answered in time; whoever is notified is notified again.
    100 1 InboxReminded "inbox_reminded" {
        /// The number.
        item: InboxId,
        /// The next time.
        deadline: Time,
    }
    /// A stakeholder was told of an event, or could not be.
    101 1 StakeholderInformed "stakeholder_informed" {
        /// The effect that is answered.
        effect: EffectId,
        /// The sprint.
        sprint_id: SprintId,
        /// Who.
        stakeholder: String,
        /// What they were told of.
        about: String,
        /// What went wrong; empty when nothing did.
        problem: String,
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
    /// Work is saved and called off because of an emergency.
    107 1 WorkCheckpointed "work_checkpointed" {
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
    }
    /// A step of an incident is filled in.
    108 1 IncidentStepFilled "incident_step_filled" {
        /// The incident.
        incident: IncidentId,
        /// The step.
        step: Step,
        /// What is true of it.
        text: String,
        /// Who.
        by: String,
    }
    /// Something is written into the log of an incident.
    109 1 IncidentNoted "incident_noted" {
        /// The incident.
        incident: IncidentId,
        /// What.
        text: String,
        /// Who.
        by: String,
    }
    /// An incident is closed, with all seven steps.
    110 1 IncidentClosed "incident_closed" {
        /// The incident.
        incident: IncidentId,
        /// Who.
        by: String,
    }
    /// A task is another than it was.
    111 1 TaskChanged "task_changed" {
        /// The task.
        task_id: TaskId,
        /// What it is now.
        spec: Shared<TaskSpec>,
        /// What it depends on now.
        dependencies: Vec<TaskId>,
        /// What changed, in words.
        what: Vec<String>,
        /// Who asked.
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
    }
    /// A package for those who test.
    113 1 QaHandoffReady "qa_handoff_ready" {
        /// Its number.
        handoff: u32,
        /// The sprint.
        sprint_id: SprintId,
        /// The feature; the whole sprint without.
        feature: Option<Name>,
        /// What is in it.
        package: HandoffPackage,
    }
    /// A package for those who deploy.
    114 1 DevopsHandoffReady "devops_handoff_ready" {
        /// Its number.
        handoff: u32,
        /// The sprint.
        sprint_id: SprintId,
        /// The feature; the whole sprint without.
        feature: Option<Name>,
        /// What is in it.
        package: HandoffPackage,
    }
    /// Another team took a package or gave it back.
    115 1 PackageAnswered "package_answered" {
        /// Its number.
        handoff: u32,
        /// Whether they took it.
        accepted: bool,
        /// What they said.
        reason: String,
        /// Who.
        by: String,
        /// The task of looking at it, where an agent did.
        help: Option<TaskId>,
    }
    /// Who has more to do than they can, and who could take some of it.
    120 1 TeamUtilizationAlert "team_utilization_alert" {
        /// The sprint.
        sprint_id: SprintId,
        /// Agents with more than they can do; nobody when it is over.
        overloaded_agents: Vec<AgentLoad>,
        /// Agents with less than 80 % of what they can do.
        available_capacity: Vec<AgentRoom>,
        /// Whether waiting tasks can move from the ones to the others.
        rebalancing_needed: bool,
    }
    /// A waiting task moves from a role that has too much to one that has room.
    121 1 TaskRebalanced "task_rebalanced" {
        /// The task.
        task_id: TaskId,
        /// The role that had it.
        from: Name,
        /// The role that has it now.
        to: Name,
        /// How loaded the first was, in thousandths of what it can do; none where it is down.
        from_load: Option<u32>,
        /// How loaded the second is with it, in thousandths.
        to_load: u32,
    }
    /// The day's standup of a running sprint was held.
    122 1 DailyStandupCompleted "daily_standup_completed" {
        /// The sprint.
        sprint_id: SprintId,
        /// Since when it looks back.
        since: Time,
        /// Thousandths of the sprint's committed tasks that are done.
        sprint_progress: u32,
        /// Tasks completed since the last one, oldest first.
        completed_yesterday: Vec<TaskId>,
        /// What goes on, and what can begin.
        planned_today: Vec<TaskId>,
        /// What holds tasks up.
        blockers: Vec<OpenBlocker>,
        /// What became free, and what waits for something that does not move by itself.
        dependency_updates: Vec<DependencyUpdate>,
        /// Points since the last one against those between the two before.
        velocity_trend: VelocityTrend,
    }
    /// Where a running sprint stands, on its schedule.
    123 1 ProgressUpdated "progress_updated" {
        /// The sprint.
        sprint_id: SprintId,
        /// The working day, from 1; none without dates.
        day: Option<u32>,
        /// How many it has; none without an end.
        days: Option<u32>,
        /// Tasks that are done.
        completed: u32,
        /// Tasks that somebody works on, judges or merges.
        in_progress: u32,
        /// Tasks that are held up.
        blocked: u32,
        /// Points that are done.
        velocity: u32,
        /// Points meant to be done.
        target: u32,
        /// Tasks completed since the last update.
        key_achievements: Vec<TaskId>,
        /// What holds tasks up.
        blockers: Vec<OpenBlocker>,
        /// What goes on, and what can begin.
        next: Vec<TaskId>,
    }
    /// Something that was posted did not arrive.
    124 1 DeliveryFailed "delivery_failed" {
        /// The effect that is answered.
        effect: EffectId,
        /// The sprint.
        sprint_id: SprintId,
        /// For whom it was.
        stakeholder: String,
        /// What it was about.
        about: String,
        /// How often it was tried.
        tries: u32,
        /// What went wrong.
        problem: String,
        /// When it is tried again; none leaves it to a person.
        again: Option<Time>,
    }
    /// It is posted again, under the same key.
    125 1 DeliveryRetried "delivery_retried" {
        /// The effect.
        effect: EffectId,
        /// The sprint.
        sprint_id: SprintId,
    }
    /// A feature can be shown to those who wanted it.
    126 1 ProductDemoReady "product_demo_ready" {
        /// Its number among the packages.
        handoff: u32,
        /// The sprint.
        sprint_id: SprintId,
        /// The feature.
        feature: Option<Name>,
        /// What is in it.
        package: DemoPackage,
    }
    /// Those who wanted a feature have said what they make of it.
    127 1 FeedbackReceived "feedback_received" {
        /// The package that it is about.
        handoff: u32,
        /// The sprint.
        sprint_id: SprintId,
        /// The feature.
        feature: Option<Name>,
        /// What they said.
        text: String,
        /// Who.
        by: String,
        /// The task that it became; none where it is for the retrospective.
        task_id: Option<TaskId>,
    }
    /// An outside party says that an agent has finished its task. What follows from it stands behind it in the same decision.
    140 1 AgentTaskCompleted "agent_task_completed" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// An outside party says that an agent cannot go on. What follows from it stands behind it in the same decision.
    141 1 AgentBlocked "agent_blocked" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// QA wants to test a feature. What follows from it stands behind it in the same decision.
    142 1 QaTestingRequired "qa_testing_required" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// DevOps is ready to deploy. What follows from it stands behind it in the same decision.
    143 1 DevopsDeploymentReady "devops_deployment_ready" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// Product wants something else. What follows from it stands behind it in the same decision.
    144 1 ProductRequirementsChanged "product_requirements_changed" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
    /// Somebody found a bug. What follows from it stands behind it in the same decision.
    145 1 CriticalBugDiscovered "critical_bug_discovered" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who sent it.
        by: String,
        /// Its fields as they were sent, as one JSON object.
        said: String,
    }
}
