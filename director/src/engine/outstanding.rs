//! Outstanding: which effects were emitted and not settled, and which event settles which.
//!
//! Those that are answered stay on the list until an event settles them, so that a director that takes over knows
//! what to do again.
//!
//! Invariant: outstanding = emitted minus settled, at every position of the journal.
//! Elsewhere: what effects there are, and what they follow from, is `effects`.

use director_protocols::event::Event;
use director_protocols::ids::{AgentId, EffectId, MessageId, SprintId, TaskId};
use serde::Serialize;

use super::effects::Effect;

/// What was emitted and not settled.
///
/// Sorted lists: ids rise, so what is emitted goes to the end, and there is only as much as is under way.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outstanding {
    list: Vec<(EffectId, Effect)>,
    of_attempt: Vec<(TaskId, EffectId)>,
}

impl Outstanding {
    /// The effect, if it is outstanding.
    pub fn get(&self, id: EffectId) -> Option<&Effect> {
        self.place(id).ok().map(|place| &self.list[place].1)
    }

    fn place(&self, id: EffectId) -> Result<usize, usize> {
        self.list.binary_search_by_key(&id, |(id, _)| *id)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (EffectId, &Effect)> {
        self.list.iter().map(|(id, effect)| (*id, effect))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds an effect.
    pub fn emit(&mut self, id: EffectId, effect: &Effect) {
        if !effect.is_answered() {
            return;
        }
        match self.place(id) {
            Ok(place) => self.list[place].1 = effect.clone(),
            Err(place) => self.list.insert(place, (id, effect.clone())),
        }
        if let Some(task) = effect.attempt()
            && let Err(place) = self.of_attempt.binary_search(&(task, id))
        {
            self.of_attempt.insert(place, (task, id));
        }
    }

    fn remove(&mut self, id: EffectId) {
        let Ok(place) = self.place(id) else {
            return;
        };
        let (_, effect) = self.list.remove(place);
        if let Some(task) = effect.attempt()
            && let Ok(place) = self.of_attempt.binary_search(&(task, id))
        {
            self.of_attempt.remove(place);
        }
    }

    /// Where the effects are that end with the task's attempt.
    fn of_attempt(&self, task: TaskId) -> std::ops::Range<usize> {
        let from = self.of_attempt.partition_point(|(other, _)| *other < task);
        let more = self.of_attempt[from..].partition_point(|(other, _)| *other == task);
        from..from + more
    }

    /// Removes what `event` settles.
    pub fn settle(&mut self, event: &Event) {
        if self.list.is_empty() {
            return;
        }
        match event {
            Event::RepoPrepared(e) => self.remove(e.effect),
            Event::BaseChecked(e) => self.remove(e.effect),
            Event::WorktreesRemoved(e) => self.remove(e.effect),
            Event::WorktreePrepared(e) => self.remove(e.effect),
            Event::AttemptStarted(e) => self.remove(e.effect),
            Event::WorkSalvaged(e) => self.remove(e.effect),
            Event::WorkCommitted(e) => self.remove(e.effect),
            Event::MergePrepared(e) => self.remove(e.effect),
            Event::MergeConflicted(e) => self.remove(e.effect),
            Event::MergeCompleted(e) => self.remove(e.effect),
            Event::MessageDelivered(e) => self.remove(e.effect),
            Event::StakeholderInformed(e) => self.remove(e.effect),
            Event::DeliveryFailed(e) if e.again.is_none() => self.remove(e.effect),
            Event::DeliveryFailed(_) => {}
            Event::DeploymentProbed(e) => self.remove(e.effect),
            Event::ReadinessChecked(e) => {
                if let Some(effect) = e.effect {
                    self.remove(effect);
                }
            }
            Event::DeploymentDropped(e) => self.forget_deployment(e.deployment),
            Event::QualityGateStatus(e) => {
                if let Some(effect) = e.effect {
                    self.remove(effect);
                }
            }
            Event::MergeSplit(e) => {
                if let Some(effect) = e.effect {
                    self.remove(effect);
                }
            }
            Event::AttemptEnded(e) => {
                let ended = self.of_attempt(e.task_id);
                for at in ended.clone() {
                    if let Ok(place) = self.place(self.of_attempt[at].1) {
                        self.list.remove(place);
                    }
                }
                self.of_attempt.drain(ended);
            }
            Event::BranchMoved(e) => self.forget_branch(e.sprint_id),
            Event::BranchRestored(e) => self.forget_branch(e.sprint_id),
            Event::SprintCancelled(e) => self.forget_put_back(e.sprint_id),
            Event::SprintRefused(e) => self.forget_preparation(e.sprint_id),
            Event::SprintEnded(e) => self.forget_preparation(e.sprint_id),
            // Their work takes no further part in a commit or a merge.
            Event::WorkRejected(e) => self.forget_work(e.task_id),
            Event::TaskCancelled(e) => self.forget_work(e.task_id),
            Event::EpochOpened(_)
            | Event::SprintSubmitted(_)
            | Event::SprintInitialized(_)
            | Event::SprintPaused(_)
            | Event::SprintResumed(_)
            | Event::SprintReopened(_)
            | Event::SprintVelocityUpdated(_)
            | Event::SprintDelivered(_)
            | Event::ActionAccepted(_)
            | Event::PlanAdopted(_)
            | Event::ForecastRecorded(_)
            | Event::TaskDeferred(_)
            | Event::TaskAssigned(_)
            | Event::SessionOpened(_)
            | Event::TaskCompleted(_)
            | Event::AttemptCut(_)
            | Event::RetryScheduled(_)
            | Event::RetryDue(_)
            | Event::MergeStarted(_)
            | Event::TaskFailed(_)
            | Event::TaskQuarantined(_)
            | Event::TaskRetried(_)
            | Event::TaskReassigned(_)
            | Event::LivenessChanged(_)
            | Event::BlockerRaised(_)
            | Event::BlockerEscalated(_)
            | Event::GuidanceGiven(_)
            | Event::BlockerResolved(_)
            | Event::InboxOpened(_)
            | Event::InboxAnswered(_)
            | Event::InboxClosed(_)
            | Event::EngineeringEmergency(_)
            | Event::EmergencyResolved(_)
            | Event::IncidentOpened(_)
            | Event::HelpGiven(_)
            | Event::IncidentStepFilled(_)
            | Event::IncidentNoted(_)
            | Event::IncidentClosed(_)
            | Event::TaskChanged(_)
            | Event::SprintReplanned(_)
            | Event::TeamUtilizationAlert(_)
            | Event::TaskRebalanced(_)
            | Event::ManagerAsked(_)
            | Event::StandupNoted(_)
            | Event::RebalancingDecided(_)
            | Event::DailyStandupCompleted(_)
            | Event::ProgressUpdated(_)
            | Event::ProductDemoReady(_)
            | Event::FeedbackReceived(_)
            | Event::RiskTriggered(_)
            | Event::FallbackApplied(_)
            | Event::DeliveryRetried(_)
            | Event::QaHandoffReady(_)
            | Event::DevopsHandoffReady(_)
            | Event::DeploymentScheduled(_)
            | Event::ProbeDue(_)
            | Event::PackageAnswered(_)
            | Event::AgentTaskCompleted(_)
            | Event::AgentBlocked(_)
            | Event::QaTestingRequired(_)
            | Event::DevopsDeploymentReady(_)
            | Event::ProductRequirementsChanged(_)
            | Event::CriticalBugDiscovered(_)
            | Event::WorkCheckpointed(_)
            | Event::HandoffSent(_)
            | Event::HandoffAccepted(_)
            | Event::MessageSent(_)
            | Event::AdviserAsked(_)
            | Event::ProductAsked(_)
            | Event::QuestionAsked(_)
            | Event::QuestionDirected(_)
            | Event::QuestionAnswered(_)
            | Event::AgentUp(_)
            | Event::AgentDown(_)
            | Event::RoleLost(_)
            | Event::AccountParked(_)
            | Event::AccountFreed(_)
            | Event::CostReserved(_)
            | Event::CostSpent(_)
            | Event::CostSettled(_)
            | Event::BudgetWarned(_)
            | Event::BudgetHeld(_)
            | Event::BudgetFreed(_)
            | Event::BudgetRaised(_)
            | Event::BudgetsChanged(_)
            | Event::AttemptOverspent(_)
            | Event::ConflictForeseen(_)
            | Event::ConflictOver(_)
            | Event::AgentTold(_)
            | Event::RoleRestored(_)
            | Event::InboxReminded(_)
            | Event::TaskAdded(_)
            | Event::GateJudged(_)
            | Event::WorkReviewed(_)
            | Event::GateOverridden(_) => {}
        }
    }

    fn forget_work(&mut self, id: TaskId) {
        self.remove_where(|effect| match effect {
            Effect::CommitWork { task, .. } => *task == id,
            Effect::PrepareMerge { batch, .. }
            | Effect::RunGates { batch, .. }
            | Effect::Advance { batch, .. } => batch.contains(&id),
            _ => false,
        });
    }

    fn forget_deployment(&mut self, number: u32) {
        self.remove_where(|effect| {
            matches!(effect, Effect::CheckReadiness { deployment } | Effect::Probe { deployment } if *deployment == number)
        });
    }

    fn forget_preparation(&mut self, id: SprintId) {
        self.remove_where(|effect| {
            matches!(effect, Effect::PrepareRepo { sprint } | Effect::CheckBase { sprint } if *sprint == id)
        });
    }

    /// What is on its way to the branch is begun anew, on what the branch will be at.
    fn forget_branch(&mut self, id: SprintId) {
        self.forget_put_back(id);
        self.remove_where(|effect| {
            matches!(effect, Effect::PrepareMerge { sprint, .. } | Effect::RunGates { sprint, .. } | Effect::Advance { sprint, .. } if *sprint == id)
        });
    }

    fn forget_put_back(&mut self, id: SprintId) {
        self.remove_where(|effect| matches!(effect, Effect::PutBack { sprint } if *sprint == id));
    }

    fn remove_where(&mut self, done: impl Fn(&Effect) -> bool) {
        let done = self.list.iter().filter(|(_, effect)| done(effect));
        let ids: Vec<EffectId> = done.map(|(id, _)| *id).collect();
        for id in ids {
            self.remove(id);
        }
    }
}

impl Outstanding {
    /// Whether the task's worktree is being prepared, so that its agent has not been asked yet.
    pub fn is_preparing(&self, id: TaskId) -> bool {
        let mut of_attempt = self.of_attempt[self.of_attempt(id)].iter();
        of_attempt.any(|(_, id)| matches!(self.get(*id), Some(Effect::PrepareWorktree { .. })))
    }

    /// Whether the sprint's repository is being prepared, or its base checked.
    pub fn is_preparing_sprint(&self, id: SprintId) -> bool {
        self.list.iter().any(|(_, effect)| {
            matches!(effect, Effect::PrepareRepo { sprint } | Effect::CheckBase { sprint } if *sprint == id)
        })
    }

    /// Whether the sprint's worktrees are being removed.
    pub fn is_cleaning(&self, id: SprintId) -> bool {
        self.list
            .iter()
            .any(|(_, effect)| matches!(effect, Effect::CleanUp { sprint } if *sprint == id))
    }

    /// Whether the sprint's branch is being put back.
    pub fn is_putting_back(&self, id: SprintId) -> bool {
        self.list
            .iter()
            .any(|(_, effect)| matches!(effect, Effect::PutBack { sprint } if *sprint == id))
    }

    /// Messages on their way to an agent.
    pub fn messages_to(&self, agent: AgentId) -> impl Iterator<Item = (EffectId, MessageId)> {
        self.iter().filter_map(move |(id, effect)| match effect {
            Effect::Deliver { message, to } if *to == agent => Some((id, *message)),
            _ => None,
        })
    }

    /// Whether a stakeholder of the sprint is still to be told of something.
    pub fn is_informing(&self, id: SprintId) -> bool {
        self.list
            .iter()
            .any(|(_, effect)| matches!(effect, Effect::Inform { sprint, .. } if *sprint == id))
    }

    /// Whether the task's earlier work is still being saved.
    pub fn is_salvaging(&self, id: TaskId) -> bool {
        self.list
            .iter()
            .any(|(_, effect)| matches!(effect, Effect::Salvage { task, .. } if *task == id))
    }
}
