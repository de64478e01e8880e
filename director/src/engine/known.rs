//! What an event may name: only what is there already, or the next number of what it adds.
//!
//! Everything the engine decides keeps to this; a journal from elsewhere may not. So it is asked before an event is
//! replayed, and `apply` can rely on it.

use director_protocols::event::{Event, Purse, TaskRebalanced};
use director_protocols::ids::{
    AgentId, BlockerId, InboxId, IncidentId, MessageId, SprintId, TaskId,
};

use director_protocols::origin::Origin;

use super::state::State;

/// Whether everything that the event names is there, and what it adds has the next number.
pub fn is_about_known(state: &State, event: &Event) -> bool {
    let sprint = |id: SprintId| id.index() < state.sprints.table.len();
    let task = |id: TaskId| id.index() < state.tasks.table.len();
    let agent = |id: AgentId| id.index() < state.team.agents.len();
    let blocker = |id: BlockerId| id.index() < state.trouble.blockers.len();
    let item = |id: InboxId| id.index() < state.trouble.inbox.len();
    let incident = |id: IncidentId| id.index() < state.trouble.incidents.len();
    let message = |id: MessageId| id.index() < state.messages.table.len();
    let deployment = |n: u32| (n as usize) < state.deployments.len();
    let purse = |of: Purse| match of {
        Purse::Task { task_id } => task(task_id),
        Purse::Agent {
            sprint_id,
            agent_id,
        } => sprint(sprint_id) && agent(agent_id),
        Purse::Sprint { sprint_id } | Purse::Window { sprint_id } => sprint(sprint_id),
    };
    let tasks = |batch: &[TaskId]| batch.iter().all(|id| task(*id));
    match event {
        Event::EpochOpened(_)
        | Event::RoleLost(_)
        | Event::RoleRestored(_)
        | Event::AccountFreed(_) => true,
        Event::AccountParked(e) => task(e.task_id),
        Event::AttemptCut(e) => task(e.task_id),
        Event::CostReserved(e) => task(e.task_id) && agent(e.agent_id),
        Event::CostSpent(e) => task(e.task_id),
        Event::CostSettled(e) => task(e.task_id) && agent(e.agent_id),
        Event::BudgetWarned(e) => sprint(e.sprint_id) && purse(e.purse),
        Event::BudgetHeld(e) => sprint(e.sprint_id) && task(e.task_id) && purse(e.purse),
        Event::BudgetFreed(e) => sprint(e.sprint_id) && purse(e.purse),
        Event::BudgetRaised(e) => sprint(e.sprint_id) && purse(e.purse),
        Event::BudgetsChanged(e) => sprint(e.sprint_id),
        Event::AttemptOverspent(e) => task(e.task_id) && e.purse.is_none_or(purse),
        Event::ConflictForeseen(e) => {
            sprint(e.sprint_id) && task(e.task_id) && e.with.is_none_or(task) && tasks(&e.merged)
        }
        Event::ConflictOver(e) => sprint(e.sprint_id) && task(e.task_id) && e.with.is_none_or(task),
        Event::AgentTold(e) => {
            e.message.index() == state.messages.table.len() && task(e.task_id) && agent(e.to)
        }
        Event::SprintSubmitted(e) => e.sprint_id.index() == state.sprints.table.len(),
        Event::RepoPrepared(e) => sprint(e.sprint_id),
        Event::BaseChecked(e) => sprint(e.sprint_id),
        Event::SprintRefused(e) => sprint(e.sprint_id),
        Event::SprintInitialized(e) => sprint(e.sprint_id),
        Event::SprintPaused(e) => sprint(e.sprint_id),
        Event::SprintResumed(e) => sprint(e.sprint_id),
        Event::BranchMoved(e) => sprint(e.sprint_id),
        Event::BranchRestored(e) => sprint(e.sprint_id),
        Event::SprintCancelled(e) => sprint(e.sprint_id),
        Event::SprintEnded(e) => sprint(e.sprint_id),
        Event::SprintReopened(e) => sprint(e.sprint_id),
        Event::WorktreesRemoved(e) => sprint(e.sprint_id),
        Event::SprintVelocityUpdated(e) => sprint(e.sprint_id),
        Event::SprintDelivered(e) => sprint(e.sprint_id),
        Event::ActionAccepted(e) => sprint(e.sprint_id),
        Event::ForecastRecorded(e) => sprint(e.sprint_id),
        Event::PlanAdopted(e) => sprint(e.sprint_id) && tasks(&e.order),
        Event::TaskDeferred(e) => task(e.task_id),
        Event::TaskAssigned(e) => task(e.task_id) && agent(e.agent_id),
        Event::WorktreePrepared(e) => task(e.task_id),
        Event::AttemptStarted(e) => task(e.task_id),
        Event::SessionOpened(e) => task(e.task_id),
        Event::AttemptEnded(e) => task(e.task_id) && agent(e.agent_id),
        Event::WorkSalvaged(e) => task(e.task_id),
        Event::WorkCommitted(e) => task(e.task_id),
        Event::MergePrepared(e) => sprint(e.sprint_id) && tasks(&e.batch),
        Event::MergeConflicted(e) => sprint(e.sprint_id) && tasks(&e.batch),
        Event::MergeSplit(e) => sprint(e.sprint_id) && tasks(&e.batch),
        Event::QualityGateStatus(e) => sprint(e.sprint_id) && tasks(&e.batch),
        Event::MergeCompleted(e) => sprint(e.sprint_id) && tasks(&e.batch),
        Event::MergeStarted(e) => sprint(e.sprint_id) && tasks(&e.batch),
        Event::TaskCompleted(e) => task(e.task_id),
        Event::WorkRejected(e) => task(e.task_id),
        Event::RetryScheduled(e) => task(e.task_id),
        Event::RetryDue(e) => task(e.task_id),
        Event::TaskFailed(e) => task(e.task_id),
        Event::TaskQuarantined(e) => task(e.task_id),
        Event::TaskCancelled(e) => task(e.task_id),
        Event::TaskRetried(e) => task(e.task_id),
        Event::TaskReassigned(e) => task(e.task_id) && e.to.is_none_or(agent),
        Event::LivenessChanged(e) => task(e.task_id),
        Event::BlockerRaised(e) => {
            e.blocker.index() == state.trouble.blockers.len()
                && task(e.task_id)
                && e.agent_id.is_none_or(agent)
        }
        Event::BlockerEscalated(e) => blocker(e.blocker),
        Event::GuidanceGiven(e) => task(e.task_id),
        Event::BlockerResolved(e) => blocker(e.blocker),
        Event::InboxOpened(e) => {
            e.item.index() == state.trouble.inbox.len()
                && sprint(e.sprint_id)
                && e.task_id.is_none_or(task)
                && e.blocker.is_none_or(blocker)
                && e.message.is_none_or(message)
                && e.handoff
                    .is_none_or(|n| (n as usize) < state.handoffs.len())
                && e.deployment.is_none_or(deployment)
        }
        Event::InboxReminded(e) => item(e.item),
        Event::StakeholderInformed(e) => sprint(e.sprint_id),
        Event::TaskAdded(e) => {
            e.task_id.index() == state.tasks.table.len()
                && sprint(e.sprint_id)
                && tasks(&e.dependencies)
                && e.origin.about().is_none_or(task)
                && match &e.origin {
                    Origin::Package { handoff } => (*handoff as usize) < state.handoffs.len(),
                    _ => true,
                }
        }
        Event::GateJudged(e) => task(e.task_id) && e.help.is_none_or(task),
        Event::WorkReviewed(e) => task(e.task_id),
        Event::GateOverridden(e) => task(e.task_id),
        Event::InboxAnswered(e) => item(e.item),
        Event::InboxClosed(e) => item(e.item),
        Event::EngineeringEmergency(e) => {
            sprint(e.sprint_id) && task(e.task_id) && e.blocker.is_none_or(blocker)
        }
        Event::EmergencyResolved(e) => sprint(e.sprint_id),
        Event::IncidentOpened(e) => {
            e.incident.index() == state.trouble.incidents.len()
                && sprint(e.sprint_id)
                && e.task_id.is_none_or(task)
                && e.blocker.is_none_or(blocker)
        }
        Event::IncidentStepFilled(e) => incident(e.incident),
        Event::IncidentNoted(e) => incident(e.incident),
        Event::IncidentClosed(e) => incident(e.incident),
        Event::HelpGiven(e) => task(e.help) && task(e.task_id),
        Event::TaskChanged(e) => task(e.task_id) && tasks(&e.dependencies),
        Event::SprintReplanned(e) => sprint(e.sprint_id),
        Event::TeamUtilizationAlert(e) => {
            sprint(e.sprint_id)
                && e.overloaded_agents.iter().all(|one| agent(one.agent_id))
                && e.available_capacity.iter().all(|one| agent(one.agent_id))
        }
        Event::DeliveryFailed(e) => sprint(e.sprint_id),
        Event::DeliveryRetried(e) => sprint(e.sprint_id),
        Event::ProductDemoReady(e) => {
            sprint(e.sprint_id) && e.handoff as usize == state.handoffs.len()
        }
        Event::FeedbackReceived(e) => {
            sprint(e.sprint_id)
                && (e.handoff as usize) < state.handoffs.len()
                && e.task_id.is_none_or(task)
        }
        Event::RiskTriggered(e) => sprint(e.sprint_id) && e.task_id.is_none_or(task),
        Event::FallbackApplied(e) => sprint(e.sprint_id) && tasks(&e.batch),
        Event::DailyStandupCompleted(e) => {
            sprint(e.sprint_id)
                && tasks(&e.completed_yesterday)
                && tasks(&e.planned_today)
                && e.blockers.iter().all(|one| task(one.task_id))
                && e.dependency_updates
                    .iter()
                    .all(|one| task(one.task_id) && tasks(&one.on))
        }
        Event::ProgressUpdated(e) => {
            sprint(e.sprint_id)
                && tasks(&e.key_achievements)
                && tasks(&e.next)
                && e.blockers.iter().all(|one| task(one.task_id))
        }
        Event::ManagerAsked(e) => {
            let known = |one: &TaskRebalanced| {
                task(one.task_id) && state.team.by_role.contains_key(&one.to)
            };
            e.message.index() == state.messages.table.len()
                && sprint(e.sprint_id)
                && agent(e.to)
                && e.moves.iter().all(known)
        }
        Event::StandupNoted(e) => sprint(e.sprint_id),
        Event::RebalancingDecided(e) => sprint(e.sprint_id) && tasks(&e.stays),
        Event::TaskRebalanced(e) => task(e.task_id) && state.team.by_role.contains_key(&e.to),
        Event::QaHandoffReady(e) => {
            sprint(e.sprint_id) && e.handoff as usize == state.handoffs.len()
        }
        Event::DevopsHandoffReady(e) => {
            sprint(e.sprint_id)
                && e.handoff as usize == state.handoffs.len()
                && e.deployment.is_none_or(deployment)
        }
        Event::DeploymentScheduled(e) => {
            sprint(e.sprint_id) && e.deployment as usize <= state.deployments.len()
        }
        Event::ReadinessChecked(e) => deployment(e.deployment),
        Event::ProbeDue(e) => deployment(e.deployment),
        Event::DeploymentProbed(e) => {
            // The incident that it opens has the next number.
            deployment(e.deployment)
                && e.incident
                    .is_none_or(|id| id.index() <= state.trouble.incidents.len())
        }
        Event::DeploymentDropped(e) => deployment(e.deployment),
        Event::AgentTaskCompleted(_)
        | Event::AgentBlocked(_)
        | Event::QaTestingRequired(_)
        | Event::DevopsDeploymentReady(_)
        | Event::ProductRequirementsChanged(_)
        | Event::CriticalBugDiscovered(_) => event.outside().is_some_and(|(id, _, _)| sprint(id)),
        Event::PackageAnswered(e) => {
            (e.handoff as usize) < state.handoffs.len() && e.help.is_none_or(task)
        }
        Event::WorkCheckpointed(e) => task(e.task_id),
        Event::HandoffSent(e) => task(e.from) && task(e.to),
        Event::HandoffAccepted(e) => task(e.from) && task(e.to),
        Event::MessageSent(e) => {
            e.message.index() == state.messages.table.len() && agent(e.from) && agent(e.to)
        }
        Event::QuestionAsked(e) => {
            e.message.index() == state.messages.table.len()
                && agent(e.from)
                && task(e.task_id)
                && e.to.is_none_or(agent)
                && e.of.is_none_or(task)
        }
        Event::QuestionDirected(e) => message(e.message) && e.to.is_none_or(agent),
        Event::ProductAsked(e) => {
            e.message.index() == state.messages.table.len()
                && state.trouble.open_item(e.item).is_some()
                && agent(e.to)
        }
        Event::AdviserAsked(e) => {
            e.message.index() == state.messages.table.len()
                && state.trouble.blocker(e.blocker).is_some()
                && task(e.task_id)
                && agent(e.to)
        }
        Event::MessageDelivered(e) => message(e.message),
        Event::QuestionAnswered(e) => message(e.message),
        Event::AgentUp(e) => agent(e.agent_id),
        Event::AgentDown(e) => agent(e.agent_id),
    }
}
