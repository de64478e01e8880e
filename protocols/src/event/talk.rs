//! What is handed on and said: between tasks, agents, teams and stakeholders.

use serde::{Deserialize, Serialize};

use super::Payload;
use super::parts::{DemoPackage, HandoffPackage};
use crate::ids::{
    AgentId, Attempt, BlockerId, EffectId, InboxId, MessageId, Name, SprintId, TaskId,
};
use crate::time::Time;

payloads! {
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
        /// To whom; none asks a person, or whoever takes `of` up.
        to: Option<AgentId>,
        /// The task whose agent is asked, where nobody has it yet.
        of: Option<TaskId>,
        /// What.
        text: String,
    }
    /// Somebody took a task up about which a question waited: it goes there.
    151 1 QuestionDirected "question_directed" {
        /// The question.
        message: MessageId,
        /// Who has the task; a person if none.
        to: Option<AgentId>,
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
    /// An agent of Product is asked what is unclear before the start, beside the person in whose inbox it is.
    150 1 ProductAsked "product_asked" {
        /// Its number.
        message: MessageId,
        /// The question in the inbox.
        item: InboxId,
        /// Who is asked.
        to: AgentId,
        /// What.
        text: String,
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
        /// The deployment that it is for; none where the file says nothing of deployment.
        deployment: Option<u32>,
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
}
