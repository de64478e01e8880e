//! Trouble: blockers, emergencies, incidents, and what waits for a person.

use serde::{Deserialize, Serialize};

use super::Payload;
use super::parts::Purse;
use crate::ids::{
    AgentId, Attempt, BlockerId, InboxId, IncidentId, MessageId, Name, SprintId, TaskId,
};
use crate::inbox::{InboxDefault, InboxKind, Reply};
use crate::incident::Step;
use crate::severity::Severity;
use crate::time::{Span, Time};
use crate::unclear::About;

payloads! {
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
        /// The deployment that is not ready and may be asked for again.
        deployment: Option<u32>,
        /// What is unclear before the start.
        about: Option<About>,
        /// The risk whose fallback is offered.
        risk: Option<u32>,
        /// The budget that has too little left.
        purse: Option<Purse>,
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
    /// Nobody has answered in time; whoever is notified is notified again.
    100 1 InboxReminded "inbox_reminded" {
        /// The number.
        item: InboxId,
        /// The next time.
        deadline: Time,
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
    /// A risk of the plan has come true.
    128 1 RiskTriggered "risk_triggered" {
        /// The sprint.
        sprint_id: SprintId,
        /// Its number among the risks that are watched.
        number: u32,
        /// What it is.
        risk: String,
        /// The task that shows it; none where it is about a role.
        task_id: Option<TaskId>,
        /// What showed it.
        trigger: String,
    }
    /// What was foreseen for a risk is done.
    129 1 FallbackApplied "fallback_applied" {
        /// The sprint.
        sprint_id: SprintId,
        /// The number of the risk.
        number: u32,
        /// What was foreseen.
        fallback: String,
        /// The tasks that it is done to.
        batch: Vec<TaskId>,
        /// The role that has them now; none where none moves.
        to: Option<Name>,
        /// Who decided it.
        by: String,
    }
}
