//! What an event is about: its sprint and its tasks.
//!
//! Every kind is named, so that a new one cannot be forgotten.

use director_protocols::event::{Event, Purse};
use director_protocols::ids::{
    AgentId, BlockerId, InboxId, IncidentId, MessageId, SprintId, TaskId,
};

use crate::engine::state::State;

/// What an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The sprint, also when only its task is named.
    pub sprint: Option<SprintId>,
    /// The tasks.
    pub tasks: Vec<TaskId>,
    /// The agent, where one is named.
    pub agent: Option<AgentId>,
}

/// What `event` is about, in a state that knows it (the one after it, or any later one).
pub fn subject(event: &Event, state: &State) -> Subject {
    let of_task = |task: TaskId, agent: Option<AgentId>| Subject {
        sprint: state.tasks.get(task).map(|row| row.sprint),
        tasks: vec![task],
        agent,
    };
    let of_sprint = |sprint: SprintId, tasks: &[TaskId]| Subject {
        sprint: Some(sprint),
        tasks: tasks.to_vec(),
        agent: None,
    };
    let of_agent = |agent: AgentId| Subject {
        agent: Some(agent),
        ..Subject::default()
    };
    let of_purse = |purse: Purse| match purse {
        Purse::Task { task_id } => of_task(task_id, None),
        Purse::Agent {
            sprint_id,
            agent_id,
        } => Subject {
            agent: Some(agent_id),
            ..of_sprint(sprint_id, &[])
        },
        Purse::Sprint { sprint_id } | Purse::Window { sprint_id } => of_sprint(sprint_id, &[]),
    };
    let of_blocker = |id: BlockerId| match state.trouble.blocker(id) {
        Some(blocker) => of_task(blocker.task, blocker.agent),
        None => Subject::default(),
    };
    let of_item = |id: InboxId| match state.trouble.inbox.get(id.index()) {
        Some(item) => Subject {
            sprint: Some(item.sprint),
            tasks: item.task.into_iter().collect(),
            agent: None,
        },
        None => Subject::default(),
    };
    let of_incident = |id: IncidentId| match state.trouble.incidents.get(id.index()) {
        Some(incident) => Subject {
            sprint: Some(incident.sprint),
            tasks: incident.task.into_iter().collect(),
            agent: None,
        },
        None => Subject::default(),
    };
    let of_deployment = |n: u32| match state.deployments.get(n as usize) {
        Some(row) => of_sprint(row.sprint, &[]),
        None => Subject::default(),
    };
    let of_message = |id: MessageId| match state.messages.table.get(id.index()) {
        Some(message) => match message.waiting.or(message.about) {
            Some((task, _)) => of_task(task, Some(message.from)),
            None => of_agent(message.from),
        },
        None => Subject::default(),
    };
    match event {
        Event::EpochOpened(_) => Subject::default(),
        Event::SprintSubmitted(e) => of_sprint(e.sprint_id, &[]),
        Event::RepoPrepared(e) => of_sprint(e.sprint_id, &[]),
        Event::BaseChecked(e) => of_sprint(e.sprint_id, &[]),
        Event::SprintRefused(e) => of_sprint(e.sprint_id, &[]),
        Event::SprintInitialized(e) => of_sprint(e.sprint_id, &[]),
        Event::SprintPaused(e) => of_sprint(e.sprint_id, &[]),
        Event::SprintResumed(e) => of_sprint(e.sprint_id, &[]),
        Event::BranchMoved(e) => of_sprint(e.sprint_id, &[]),
        Event::BranchRestored(e) => of_sprint(e.sprint_id, &[]),
        Event::SprintCancelled(e) => of_sprint(e.sprint_id, &[]),
        Event::SprintEnded(e) => of_sprint(e.sprint_id, &[]),
        Event::SprintReopened(e) => of_sprint(e.sprint_id, &[]),
        Event::WorktreesRemoved(e) => of_sprint(e.sprint_id, &[]),
        Event::SprintVelocityUpdated(e) => of_sprint(e.sprint_id, &[]),
        Event::PlanAdopted(e) => of_sprint(e.sprint_id, &[]),
        Event::SprintDelivered(e) => of_sprint(e.sprint_id, &[]),
        Event::ActionAccepted(e) => of_sprint(e.sprint_id, &[]),
        Event::ForecastRecorded(e) => of_sprint(e.sprint_id, &[]),
        Event::TaskDeferred(e) => of_task(e.task_id, None),
        Event::TaskAssigned(e) => of_task(e.task_id, Some(e.agent_id)),
        Event::WorktreePrepared(e) => of_task(e.task_id, None),
        Event::AttemptStarted(e) => of_task(e.task_id, None),
        Event::SessionOpened(e) => of_task(e.task_id, None),
        Event::AttemptEnded(e) => of_task(e.task_id, Some(e.agent_id)),
        Event::WorkSalvaged(e) => of_task(e.task_id, None),
        Event::WorkCommitted(e) => of_task(e.task_id, None),
        Event::MergeStarted(e) => of_sprint(e.sprint_id, &e.batch),
        Event::MergePrepared(e) => of_sprint(e.sprint_id, &e.batch),
        Event::MergeConflicted(e) => of_sprint(e.sprint_id, &e.batch),
        Event::MergeSplit(e) => of_sprint(e.sprint_id, &e.batch),
        Event::QualityGateStatus(e) => of_sprint(e.sprint_id, &e.batch),
        Event::MergeCompleted(e) => of_sprint(e.sprint_id, &e.batch),
        Event::TaskCompleted(e) => of_task(e.task_id, None),
        Event::WorkRejected(e) => of_task(e.task_id, None),
        Event::RetryScheduled(e) => of_task(e.task_id, None),
        Event::RetryDue(e) => of_task(e.task_id, None),
        Event::TaskFailed(e) => of_task(e.task_id, None),
        Event::TaskQuarantined(e) => of_task(e.task_id, None),
        Event::TaskCancelled(e) => of_task(e.task_id, None),
        Event::TaskRetried(e) => of_task(e.task_id, None),
        Event::TaskReassigned(e) => of_task(e.task_id, e.to),
        Event::LivenessChanged(e) => of_task(e.task_id, None),
        Event::BlockerRaised(e) => of_task(e.task_id, e.agent_id),
        Event::BlockerEscalated(e) => of_blocker(e.blocker),
        Event::GuidanceGiven(e) => of_task(e.task_id, None),
        Event::BlockerResolved(e) => of_blocker(e.blocker),
        Event::InboxOpened(e) => of_sprint(e.sprint_id, e.task_id.as_slice()),
        Event::InboxReminded(e) => of_item(e.item),
        Event::StakeholderInformed(e) => of_sprint(e.sprint_id, &[]),
        Event::TaskAdded(e) => of_task(e.task_id, None),
        Event::GateJudged(e) => of_task(e.task_id, None),
        Event::WorkReviewed(e) => of_task(e.task_id, None),
        Event::GateOverridden(e) => of_task(e.task_id, None),
        Event::HelpGiven(e) => of_task(e.task_id, None),
        Event::TaskChanged(e) => of_task(e.task_id, None),
        Event::SprintReplanned(e) => of_sprint(e.sprint_id, &[]),
        Event::TeamUtilizationAlert(e) => of_sprint(e.sprint_id, &[]),
        Event::DeliveryFailed(e) => of_sprint(e.sprint_id, &[]),
        Event::DeliveryRetried(e) => of_sprint(e.sprint_id, &[]),
        Event::ProductDemoReady(e) => of_sprint(e.sprint_id, &[]),
        Event::FeedbackReceived(e) => of_sprint(e.sprint_id, e.task_id.as_slice()),
        Event::RiskTriggered(e) => of_sprint(e.sprint_id, e.task_id.as_slice()),
        Event::FallbackApplied(e) => of_sprint(e.sprint_id, &e.batch),
        Event::DailyStandupCompleted(e) => of_sprint(e.sprint_id, &[]),
        Event::ProgressUpdated(e) => of_sprint(e.sprint_id, &[]),
        Event::ManagerAsked(e) => Subject {
            agent: Some(e.to),
            ..of_sprint(e.sprint_id, &[])
        },
        Event::StandupNoted(e) => of_sprint(e.sprint_id, &[]),
        Event::RebalancingDecided(e) => of_sprint(e.sprint_id, &e.stays),
        Event::TaskRebalanced(e) => of_task(e.task_id, None),
        Event::QaHandoffReady(e) => of_sprint(e.sprint_id, &[]),
        Event::DevopsHandoffReady(e) => of_sprint(e.sprint_id, &[]),
        Event::DeploymentScheduled(e) => of_sprint(e.sprint_id, &[]),
        Event::ReadinessChecked(e) => of_deployment(e.deployment),
        Event::ProbeDue(e) => of_deployment(e.deployment),
        Event::DeploymentProbed(e) => of_deployment(e.deployment),
        Event::DeploymentDropped(e) => of_deployment(e.deployment),
        Event::AgentTaskCompleted(_)
        | Event::AgentBlocked(_)
        | Event::QaTestingRequired(_)
        | Event::DevopsDeploymentReady(_)
        | Event::ProductRequirementsChanged(_)
        | Event::CriticalBugDiscovered(_) => match event.outside() {
            Some((id, _, _)) => of_sprint(id, &[]),
            None => Subject::default(),
        },
        Event::PackageAnswered(e) => match state.handoffs.get(e.handoff as usize) {
            Some(row) => of_sprint(row.sprint, &[]),
            None => Subject::default(),
        },
        Event::WorkCheckpointed(e) => of_task(e.task_id, None),
        Event::IncidentStepFilled(e) => of_incident(e.incident),
        Event::IncidentNoted(e) => of_incident(e.incident),
        Event::IncidentClosed(e) => of_incident(e.incident),
        Event::InboxAnswered(e) => of_item(e.item),
        Event::InboxClosed(e) => of_item(e.item),
        Event::EngineeringEmergency(e) => of_sprint(e.sprint_id, &[]),
        Event::EmergencyResolved(e) => of_sprint(e.sprint_id, &[]),
        Event::IncidentOpened(e) => of_sprint(e.sprint_id, e.task_id.as_slice()),
        Event::HandoffSent(e) => Subject {
            tasks: vec![e.from, e.to],
            ..of_task(e.from, None)
        },
        Event::HandoffAccepted(e) => Subject {
            tasks: vec![e.from, e.to],
            ..of_task(e.from, None)
        },
        Event::MessageSent(e) => of_agent(e.from),
        Event::ProductAsked(e) => of_item(e.item),
        Event::AdviserAsked(e) => of_task(e.task_id, Some(e.to)),
        Event::QuestionAsked(e) => of_task(e.task_id, Some(e.from)),
        Event::MessageDelivered(e) => of_message(e.message),
        Event::QuestionDirected(e) => of_message(e.message),
        Event::QuestionAnswered(e) => of_message(e.message),
        Event::AgentUp(e) => of_agent(e.agent_id),
        Event::AgentDown(e) => of_agent(e.agent_id),
        Event::AccountParked(e) => of_task(e.task_id, None),
        Event::AttemptCut(e) => of_task(e.task_id, None),
        Event::CostReserved(e) => of_task(e.task_id, Some(e.agent_id)),
        Event::CostSpent(e) => of_task(e.task_id, None),
        Event::CostSettled(e) => of_task(e.task_id, Some(e.agent_id)),
        Event::BudgetWarned(e) => of_purse(e.purse),
        Event::BudgetHeld(e) => of_task(e.task_id, None),
        Event::BudgetFreed(e) => of_purse(e.purse),
        Event::BudgetRaised(e) => of_purse(e.purse),
        Event::BudgetsChanged(e) => of_sprint(e.sprint_id, &[]),
        Event::AttemptOverspent(e) => of_task(e.task_id, None),
        Event::ConflictForeseen(e) => {
            let tasks = [Some(e.task_id), e.with].into_iter().flatten();
            let tasks: Vec<TaskId> = tasks.chain(e.merged.iter().copied()).collect();
            of_sprint(e.sprint_id, &tasks)
        }
        Event::ConflictOver(e) => {
            let tasks = [Some(e.task_id), e.with].into_iter().flatten();
            of_sprint(e.sprint_id, &tasks.collect::<Vec<_>>())
        }
        Event::AgentTold(e) => of_task(e.task_id, Some(e.to)),
        Event::RoleLost(_) | Event::RoleRestored(_) | Event::AccountFreed(_) => Subject::default(),
    }
}
