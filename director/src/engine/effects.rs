//! Effects: what the world has to do next.
//!
//! An effect follows from an event and the state after it; it leaves only when the event is durable. Each kind says how
//! doing it twice is made safe.
//!
//! Elsewhere: which are still outstanding is `outstanding`; carrying them out is `perform`; the full text of an order is
//! `orders`.

use director_protocols::event::Event;
use director_protocols::ids::{
    AgentId, Attempt, EffectId, InboxId, MessageId, Seq, SprintId, TaskId,
};
use director_protocols::ways::Peer;
use director_protocols::work::AttemptEnd;
use serde::Serialize;

use super::clashes;
use super::decide::{branch, deploy};
use super::gating;
use super::inform;
use super::replan;
use super::state::State;

/// Something to do outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Effect {
    /// Start, add and retire agents so that the actors equal the team. Safe: it compares. Never answered.
    SyncTeam,
    /// Start a lost role again. Safe: it compares. Never answered.
    RestartRole {
        /// Its name.
        role: String,
    },
    /// Look for a better order of what is left. Safe: the answer names the version of the plan it was made from. Answered only
    /// when there is one.
    Plan {
        /// The sprint.
        sprint: SprintId,
        /// The version of its plan.
        base: u32,
    },
    /// Watch the work under way for conflicts. Safe: it only reads, and the last word counts. Answered only when there is something new.
    Watch {
        /// The sprint.
        sprint: SprintId,
    },
    /// Check the repository and make the integration branch. Safe: looks before doing.
    PrepareRepo {
        /// The sprint.
        sprint: SprintId,
    },
    /// Run the gates on the base. Safe: only reads.
    CheckBase {
        /// The sprint.
        sprint: SprintId,
    },
    /// Make or reset the feature's worktree. Safe: looks before doing.
    PrepareWorktree {
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: Attempt,
    },
    /// Give the agent its assignment. At least once; a cell takes an attempt once.
    Assign {
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// The agent.
        agent: AgentId,
    },
    /// Call the attempt off. At least once; settled when the attempt ends.
    CancelAttempt {
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// The agent.
        agent: AgentId,
    },
    /// Put what the agent left into a commit. Safe: looks before doing.
    CommitWork {
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: Attempt,
    },
    /// Save what an unfinished attempt left, and free its worktree. Safe: looks before doing.
    Salvage {
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: Attempt,
    },
    /// Build the merge. Safe: the same inputs give the same commit.
    PrepareMerge {
        /// The sprint.
        sprint: SprintId,
        /// The tasks in it.
        batch: Vec<TaskId>,
    },
    /// Run the gates on the merged tree, or in the scratch directory. Safe: only reads.
    RunGates {
        /// The sprint.
        sprint: SprintId,
        /// The tasks in it.
        batch: Vec<TaskId>,
    },
    /// Advance the integration branch. Safe: looks whether it holds the merge.
    Advance {
        /// The sprint.
        sprint: SprintId,
        /// The tasks in it.
        batch: Vec<TaskId>,
    },
    /// Put the integration branch back to where the journal says. Safe: looks before doing, and saves what it is at.
    PutBack {
        /// The sprint.
        sprint: SprintId,
    },
    /// Remove the sprint's worktrees. Safe: removes what is there.
    CleanUp {
        /// The sprint.
        sprint: SprintId,
    },
    /// Hand a message to an agent. At least once; the message's number tells a repeat.
    Deliver {
        /// The message.
        message: MessageId,
        /// To whom.
        to: AgentId,
    },
    /// Hand an answer to the agent that waits. At least once; the message's number tells a repeat.
    DeliverAnswer {
        /// The message.
        message: MessageId,
        /// The task that waits.
        task: TaskId,
        /// To whom.
        to: AgentId,
    },
    /// Run the command that says whether something can be deployed. Safe: only reads.
    CheckReadiness {
        /// The deployment.
        deployment: u32,
    },
    /// Run the command that looks at what was deployed. Safe: only reads.
    Probe {
        /// The deployment.
        deployment: u32,
    },
    /// Tell a stakeholder of an event. At least once; the effect's number is the key that tells a repeat.
    Inform {
        /// The sprint.
        sprint: SprintId,
        /// Who.
        to: Recipient,
        /// What happened.
        event: Box<Event>,
    },
}

/// Who is told of an event, and in which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Recipient {
    /// A stakeholder by a command; their place in the sprint's list.
    Command(u32),
    /// A stakeholder by a webhook; their place in the sprint's list.
    Webhook(u32),
    /// A peer by its webhook, of something that it may answer.
    Peer(Peer, InboxId),
}

impl Effect {
    /// Whether an event settles it.
    pub(super) fn is_answered(&self) -> bool {
        !matches!(
            self,
            Effect::SyncTeam
                | Effect::RestartRole { .. }
                | Effect::Plan { .. }
                | Effect::Watch { .. }
        )
    }

    /// The attempt that it belongs to and ends with.
    pub(super) fn attempt(&self) -> Option<TaskId> {
        match self {
            Effect::PrepareWorktree { task, .. }
            | Effect::Assign { task, .. }
            | Effect::CancelAttempt { task, .. }
            | Effect::DeliverAnswer { task, .. } => Some(*task),
            _ => None,
        }
    }
}

/// What follows from `event`, in the state that it led to.
pub fn of(state: &State, event: &Event, emit: &mut dyn FnMut(Effect)) {
    follows(state, event, emit);
    inform::informs(state, event)
        .into_iter()
        .for_each(&mut *emit);
    replan::after(state, event, emit);
    clashes::after(state, event, emit);
}

fn follows(state: &State, event: &Event, emit: &mut dyn FnMut(Effect)) {
    match event {
        Event::EpochOpened(_) => emit(Effect::SyncTeam),
        Event::RoleRestored(e) => emit(Effect::RestartRole {
            role: e.role.clone(),
        }),
        Event::SprintSubmitted(e) => {
            let sprint = e.sprint_id;
            emit(Effect::SyncTeam);
            if e.spec.repo.is_some() {
                emit(Effect::PrepareRepo { sprint });
            }
        }
        Event::RepoPrepared(e) if gating::sprint_has_commands(state, e.sprint_id) => {
            emit(Effect::CheckBase {
                sprint: e.sprint_id,
            })
        }
        Event::TaskAssigned(e) => {
            let (task, attempt, agent) = (e.task_id, e.attempt, e.agent_id);
            if state.has_repo(task) {
                emit(Effect::PrepareWorktree { task, attempt })
            } else if state.is_person(agent) {
                {}
            } else {
                emit(Effect::Assign {
                    task,
                    attempt,
                    agent,
                })
            }
        }
        Event::WorktreePrepared(e) => {
            match state.tasks.get(e.task_id).and_then(|task| task.agent) {
                Some(agent) if !state.is_person(agent) => emit(Effect::Assign {
                    task: e.task_id,
                    attempt: e.attempt,
                    agent,
                }),
                _ => {}
            }
        }
        Event::AttemptEnded(e) => {
            let (task, attempt) = (e.task_id, e.attempt);
            let sprint = state.tasks.table[task.index()].sprint;
            match &e.end {
                AttemptEnd::Done(_) if state.is_reported(task) => {
                    if state.has_repo(task) {
                        emit(Effect::CommitWork { task, attempt })
                    } else if gating::lacks(state, task, None).is_none()
                        && gating::has_commands(state, &[task])
                        && !gating::wants_judges(state, task)
                    {
                        emit(Effect::RunGates {
                            sprint,
                            batch: vec![task],
                        })
                    }
                }
                _ if state.holds_worktree(task) => emit(Effect::Salvage { task, attempt }),
                _ => {}
            }
        }
        Event::WorkRejected(e) if state.holds_worktree(e.task_id) => emit(Effect::Salvage {
            task: e.task_id,
            attempt: e.attempt,
        }),
        Event::MergeStarted(e) => emit(Effect::PrepareMerge {
            sprint: e.sprint_id,
            batch: e.batch.clone(),
        }),
        Event::MergePrepared(e) if gating::has_commands(state, &e.batch) => {
            emit(Effect::RunGates {
                sprint: e.sprint_id,
                batch: e.batch.clone(),
            })
        }
        Event::WorkReviewed(e)
            if e.passed
                && !state.has_repo(e.task_id)
                && gating::has_commands(state, &[e.task_id]) =>
        {
            emit(Effect::RunGates {
                sprint: state.tasks.table[e.task_id.index()].sprint,
                batch: vec![e.task_id],
            })
        }
        Event::QualityGateStatus(e) if e.passed && state.is_merging(e.sprint_id, &e.batch) => {
            emit(Effect::Advance {
                sprint: e.sprint_id,
                batch: e.batch.clone(),
            })
        }
        Event::SprintReopened(e)
            if state.sprint_has_repo(e.sprint_id)
                && state.sprints.table[e.sprint_id.index()].began.is_none() =>
        {
            emit(Effect::PrepareRepo {
                sprint: e.sprint_id,
            })
        }
        Event::TaskCancelled(e) => withdraw(state, e.task_id, emit),
        Event::WorkCheckpointed(e) => withdraw(state, e.task_id, emit),
        Event::TaskReassigned(e) => withdraw(state, e.task_id, emit),
        Event::AttemptOverspent(e) => withdraw(state, e.task_id, emit),
        Event::SprintEnded(e) if state.sprint_has_repo(e.sprint_id) => emit(Effect::CleanUp {
            sprint: e.sprint_id,
        }),
        // Only one that was prepared before it was refused has left something.
        Event::SprintRefused(e) if state.is_prepared(e.sprint_id) => emit(Effect::CleanUp {
            sprint: e.sprint_id,
        }),
        Event::MessageSent(e) => emit(Effect::Deliver {
            message: e.message,
            to: e.to,
        }),
        Event::AgentTold(e) => emit(Effect::Deliver {
            message: e.message,
            to: e.to,
        }),
        Event::ProductAsked(e) => emit(Effect::Deliver {
            message: e.message,
            to: e.to,
        }),
        Event::ManagerAsked(e) => emit(Effect::Deliver {
            message: e.message,
            to: e.to,
        }),
        Event::AdviserAsked(e) => emit(Effect::Deliver {
            message: e.message,
            to: e.to,
        }),
        Event::QuestionAsked(e) => {
            if let Some(to) = e.to {
                emit(Effect::Deliver {
                    message: e.message,
                    to,
                });
            }
        }
        Event::QuestionDirected(e) => {
            if let Some(to) = e.to {
                emit(Effect::Deliver {
                    message: e.message,
                    to,
                });
            }
        }
        Event::QuestionAnswered(e) => {
            let message = &state.messages.table[e.message.index()];
            match message.waiting {
                Some((task, attempt)) if state.is_in_hand(task, attempt) => {
                    emit(Effect::DeliverAnswer {
                        message: e.message,
                        task,
                        to: message.from,
                    })
                }
                _ => {}
            }
        }
        Event::InboxAnswered(e) if branch::is_put_back(state, e) => emit(Effect::PutBack {
            sprint: state.trouble.inbox[e.item.index()].sprint,
        }),
        Event::DeploymentScheduled(e) if deploy::asks_now(state, e) => {
            emit(Effect::CheckReadiness {
                deployment: e.deployment,
            })
        }
        Event::ProbeDue(e) => emit(Effect::Probe {
            deployment: e.deployment,
        }),
        Event::RepoPrepared(_)
        | Event::WorkRejected(_)
        | Event::MergePrepared(_)
        | Event::QualityGateStatus(_)
        | Event::SprintEnded(_)
        | Event::BaseChecked(_)
        | Event::SprintRefused(_)
        | Event::SprintInitialized(_)
        | Event::SprintPaused(_)
        | Event::SprintResumed(_)
        | Event::BranchMoved(_)
        | Event::AttemptCut(_)
        | Event::BranchRestored(_)
        | Event::SprintCancelled(_)
        | Event::SprintReopened(_)
        | Event::WorktreesRemoved(_)
        | Event::SprintVelocityUpdated(_)
        | Event::SprintDelivered(_)
        | Event::ActionAccepted(_)
        | Event::PlanAdopted(_)
        | Event::ForecastRecorded(_)
        | Event::TaskDeferred(_)
        | Event::AttemptStarted(_)
        | Event::SessionOpened(_)
        | Event::WorkSalvaged(_)
        | Event::WorkCommitted(_)
        | Event::MergeConflicted(_)
        | Event::MergeSplit(_)
        | Event::MergeCompleted(_)
        | Event::TaskCompleted(_)
        | Event::RetryScheduled(_)
        | Event::RetryDue(_)
        | Event::TaskFailed(_)
        | Event::TaskQuarantined(_)
        | Event::TaskRetried(_)
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
        | Event::HandoffSent(_)
        | Event::HandoffAccepted(_)
        | Event::MessageDelivered(_)
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
        | Event::ConflictForeseen(_)
        | Event::ConflictOver(_)
        | Event::InboxReminded(_)
        | Event::TaskAdded(_)
        | Event::GateJudged(_)
        | Event::WorkReviewed(_)
        | Event::GateOverridden(_)
        | Event::HelpGiven(_)
        | Event::IncidentStepFilled(_)
        | Event::IncidentNoted(_)
        | Event::IncidentClosed(_)
        | Event::TaskChanged(_)
        | Event::SprintReplanned(_)
        | Event::TeamUtilizationAlert(_)
        | Event::TaskRebalanced(_)
        | Event::StandupNoted(_)
        | Event::RebalancingDecided(_)
        | Event::DailyStandupCompleted(_)
        | Event::ProgressUpdated(_)
        | Event::ProductDemoReady(_)
        | Event::FeedbackReceived(_)
        | Event::RiskTriggered(_)
        | Event::FallbackApplied(_)
        | Event::DeliveryRetried(_)
        | Event::DeliveryFailed(_)
        | Event::QaHandoffReady(_)
        | Event::DevopsHandoffReady(_)
        | Event::DeploymentScheduled(_)
        | Event::ReadinessChecked(_)
        | Event::DeploymentProbed(_)
        | Event::DeploymentDropped(_)
        | Event::PackageAnswered(_)
        | Event::AgentTaskCompleted(_)
        | Event::AgentBlocked(_)
        | Event::QaTestingRequired(_)
        | Event::DevopsDeploymentReady(_)
        | Event::ProductRequirementsChanged(_)
        | Event::CriticalBugDiscovered(_)
        | Event::StakeholderInformed(_) => {}
    }
}

/// Calls off a running attempt, or saves what a reported one left.
fn withdraw(state: &State, task: TaskId, emit: &mut dyn FnMut(Effect)) {
    let row = &state.tasks.table[task.index()];
    match row.agent {
        Some(agent) => emit(Effect::CancelAttempt {
            task,
            attempt: row.attempt,
            agent,
        }),
        None if state.holds_worktree(task) && !state.outstanding.is_salvaging(task) => {
            emit(Effect::Salvage {
                task,
                attempt: row.attempt,
            })
        }
        None => {}
    }
}

/// Numbers effects within one decision.
#[derive(Debug)]
pub struct Numbering {
    seq: Seq,
    n: u32,
}

impl Numbering {
    /// For the decision at `seq`.
    pub fn new(seq: Seq) -> Self {
        Self { seq, n: 0 }
    }

    /// The next id.
    pub fn next_id(&mut self) -> EffectId {
        let id = EffectId {
            seq: self.seq,
            n: self.n,
        };
        self.n += 1;
        id
    }
}
