//! The whole state and `apply`: how each event changes it.
//!
//! `apply` decides nothing and cannot fail; replaying the journal is `apply` in a loop. Every event is named
//! here, in the journal's order of kinds, so that a new one cannot be forgotten.
//!
//! Invariant: state is a function of the events alone.
//! Elsewhere: what may happen is `decide`; what follows outside is `effects`; what must hold is `invariants`.

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::event::Event;
use director_protocols::forecast::Forecast;
use director_protocols::ids::{AgentId, Attempt, BlockerId, EffectId, InboxId, SprintId, TaskId};
use director_protocols::time::Time;
use serde::Serialize;

use super::accounts::Account;
use super::budgets::Budgets;
use super::clashes::{Between, Clash};
use super::decide::suspect::Cuts;
use super::deliveries::Delivery;
use super::deployments::Deployment;
use super::handoffs::{Handoff, Team as Peer};
use super::incidents::Incident;
use super::messages::Messages;
use super::outstanding::Outstanding;
use super::sprints::{Emergency, Merge, Sprint, Sprints, Stage};
use super::tasks::{Phase, Tasks};
use super::team::Team;
use super::trouble::{Blocker, InboxItem, Trouble};

/// A moment at which the engine wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Deadline {
    /// The wait before a task's next attempt is over.
    Retry(TaskId),
    /// A blocker goes up a tier.
    Tier(BlockerId),
    /// What waits for a person is dealt with by default.
    Inbox(InboxId),
    /// A sprint's standup.
    Standup(SprintId),
    /// A sprint's progress update.
    Progress(SprintId),
    /// A task has been at work for longer than its worst case.
    Overrun(TaskId),
    /// Something is posted again.
    Delivery(EffectId),
    /// Tasks move without the manager's word.
    Proposal(SprintId),
    /// A deployment's window opens, or it is looked at.
    Deployment(u32),
    /// A provider takes requests of an account again.
    Account(u32),
    /// Enough has left the window of a sprint's budget.
    Budget(SprintId),
}

/// Everything the director knows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct State {
    /// Rising with every start.
    pub epoch: u64,
    /// The version of the program that opened the epoch.
    pub version: String,
    /// Tasks, features, queues.
    pub tasks: Tasks,
    /// Roles and agents.
    pub team: Team,
    /// Sprints and their merge queues.
    pub sprints: Sprints,
    /// Blockers and the inbox.
    pub trouble: Trouble,
    /// What agents said to each other.
    pub messages: Messages,
    /// Packages for other teams.
    pub handoffs: Vec<Handoff>,
    /// What is, was or will be deployed.
    pub deployments: Vec<Deployment>,
    /// Accounts that a provider ever turned away.
    pub accounts: Vec<Account>,
    /// What is spent, set aside and left.
    pub budgets: Budgets,
    /// Tasks that were at work when the director ended without a stop, as long as no attempt at them ended otherwise.
    pub cuts: BTreeMap<TaskId, Cuts>,
    /// Work under way that would conflict.
    pub clashes: BTreeMap<Between, Clash>,
    /// Effects that are not settled.
    pub outstanding: Outstanding,
    /// What was posted and has not arrived yet.
    pub deliveries: BTreeMap<EffectId, Delivery>,
    /// Moments to be asked again.
    pub deadlines: BTreeSet<(Time, Deadline)>,
}

impl State {
    /// Whether the task works in a worktree of its sprint's repository.
    pub fn has_repo(&self, task: TaskId) -> bool {
        self.tasks
            .get(task)
            .is_some_and(|task| self.sprint_has_repo(task.sprint) && !task.is_help())
    }

    /// Whether the sprint has a repository.
    pub fn sprint_has_repo(&self, sprint: SprintId) -> bool {
        self.sprints
            .get(sprint)
            .is_some_and(|sprint| sprint.spec.repo.is_some())
    }

    /// Whether the sprint's integration branch was made.
    pub fn is_prepared(&self, sprint: SprintId) -> bool {
        self.sprint_has_repo(sprint)
            && self
                .sprints
                .get(sprint)
                .is_some_and(|sprint| !sprint.head.is_empty())
    }

    /// Whether everything is there that work needs to begin, answers to what is unclear aside.
    pub fn is_ready_to_begin(&self, sprint: SprintId) -> bool {
        !self.sprint_has_repo(sprint)
            || self.is_prepared(sprint) && !self.outstanding.is_preparing_sprint(sprint)
    }

    /// Whether the sprint is over, tidied up, and everybody was told.
    pub fn is_settled(&self, sprint: SprintId) -> bool {
        let over = self.sprints.get(sprint).is_some_and(Sprint::is_over);
        over && !self.outstanding.is_cleaning(sprint) && !self.outstanding.is_informing(sprint)
    }

    /// Whether it is the task's turn in its feature's worktree.
    pub fn holds_worktree(&self, task: TaskId) -> bool {
        self.tasks
            .get(task)
            .is_some_and(|row| self.tasks.features[row.feature.index()].holder == Some(task))
    }

    /// Whether the task's agent has reported and its work is being looked at.
    pub fn is_reported(&self, task: TaskId) -> bool {
        self.tasks
            .get(task)
            .is_some_and(|row| row.phase == Phase::Reported)
    }

    /// Whether this attempt is the current one and an agent has it.
    pub fn is_in_hand(&self, task: TaskId, attempt: Attempt) -> bool {
        self.tasks
            .get(task)
            .is_some_and(|row| row.attempt == attempt && row.agent.is_some())
    }

    /// Whether exactly this batch is being merged.
    pub fn is_merging(&self, sprint: SprintId, batch: &[TaskId]) -> bool {
        self.sprints
            .get(sprint)
            .and_then(|sprint| sprint.merge.as_ref())
            .is_some_and(|merge| merge.batch == batch)
    }

    /// The task's name.
    pub fn task_name(&self, task: TaskId) -> String {
        self.tasks
            .get(task)
            .map_or_else(|| format!("#{task}"), |row| row.spec.id.to_string())
    }

    /// The agent's name.
    pub fn agent_name(&self, agent: AgentId) -> String {
        self.team
            .get(agent)
            .map_or_else(|| format!("#{agent}"), |row| row.name.to_string())
    }

    /// Changes the state as `event`, which happened at `now`, says.
    pub fn apply(&mut self, event: &Event, now: Time) {
        self.outstanding.settle(event);
        self.note_plan(event);
        match event {
            Event::EpochOpened(e) => {
                self.epoch = e.epoch;
                self.version.clone_from(&e.version);
                self.team.all_down();
            }
            Event::SprintSubmitted(e) => self.submitted(e, now),
            Event::RepoPrepared(e) => {
                let sprint = &mut self.sprints.table[e.sprint_id.index()];
                // From here on it is this branch, whatever is checked out later.
                sprint.spec.base.get_or_insert_with(|| e.branch.clone());
                sprint.base.clone_from(&e.base);
                sprint.head.clone_from(&e.base);
                sprint.warnings.clone_from(&e.warnings);
            }
            Event::BaseChecked(e) => {
                self.sprints.table[e.sprint_id.index()]
                    .base_gates
                    .clone_from(&e.outcomes);
            }
            Event::SprintRefused(e) => {
                let sprint = &mut self.sprints.table[e.sprint_id.index()];
                sprint.stage = Stage::Refused;
                sprint.refused.clone_from(&e.reason);
                sprint.ended = Some(now);
            }
            Event::SprintInitialized(e) => self.initialized(e.sprint_id, now),
            Event::SprintPaused(e) => self.sprints.table[e.sprint_id.index()].paused = true,
            Event::SprintResumed(e) => self.sprints.table[e.sprint_id.index()].paused = false,
            Event::BranchMoved(e) => self.branch_moved(e, now),
            Event::BranchRestored(e) => self.branch_restored(e, now),
            Event::SprintCancelled(e) => {
                let sprint = &mut self.sprints.table[e.sprint_id.index()];
                sprint.cancelled = true;
                // Nothing more is merged, so it does not matter any more.
                sprint.moved = None;
            }
            Event::SprintEnded(e) => {
                let sprint = &mut self.sprints.table[e.sprint_id.index()];
                sprint.stage = Stage::Ended(e.outcome);
                sprint.ended = Some(now);
                sprint.emergency = None;
                self.forget_sprint(e.sprint_id);
                self.forget_files(e.sprint_id);
                self.no_proposal(e.sprint_id);
                if self.sprints.table.iter().all(Sprint::is_over) {
                    self.team.forget_effort();
                }
                self.set_ceremonies(e.sprint_id, now);
            }
            Event::SprintReopened(e) => {
                let sprint = &mut self.sprints.table[e.sprint_id.index()];
                // One that was called off before work began has to be prepared first.
                sprint.stage = match sprint.began {
                    Some(_) => Stage::Running,
                    None => Stage::Preparing,
                };
                sprint.cancelled = false;
                sprint.ended = None;
                self.set_ceremonies(e.sprint_id, now);
            }
            Event::WorktreesRemoved(e) => {
                self.sprints.table[e.sprint_id.index()]
                    .kept
                    .clone_from(&e.kept);
            }
            Event::SprintVelocityUpdated(_) | Event::HandoffSent(_) | Event::HandoffAccepted(_) => {
            }
            Event::SprintDelivered(e) => {
                self.sprints.table[e.sprint_id.index()].delivered = Some(e.commit.clone());
            }
            Event::ActionAccepted(e) => {
                let accepted = &mut self.sprints.table[e.sprint_id.index()].accepted;
                accepted.insert(e.action.clone(), (now, e.by.clone()));
            }
            Event::PlanAdopted(e) => self.adopt(&e.order),
            Event::ForecastRecorded(e) => {
                let forecast = Forecast::from(e);
                let forecasts = &mut self.sprints.table[e.sprint_id.index()].forecasts;
                forecasts.push((now, forecast));
            }
            Event::TaskDeferred(e) => {
                self.tasks.story(e.task_id).reason.clone_from(&e.reason);
                self.move_to(e.task_id, Phase::Deferred, now);
            }
            Event::TaskAssigned(e) => {
                self.move_to(e.task_id, Phase::Assigned, now);
                self.tasks.take(e.task_id, e.agent_id);
                let task = &mut self.tasks.table[e.task_id.index()];
                task.attempt = e.attempt;
                task.began.get_or_insert(now);
                task.wanted = None;
                let feature = task.feature;
                self.team
                    .take(e.agent_id, e.task_id, feature, e.estimated_hours, now);
                let story = self.tasks.story(e.task_id);
                story.assigned = now;
                story.liveness.clear();
                self.await_overrun(e.task_id, now);
            }
            Event::WorktreePrepared(e) => {
                let story = self.tasks.story(e.task_id);
                story.workdir.clone_from(&e.path);
                story.begun_at.clone_from(&e.commit);
                story.conflict.clone_from(&e.conflict);
            }
            Event::AttemptStarted(e) => {
                self.tasks.story(e.task_id).starts += 1;
                // It may have been called off while the message was on its way.
                if self.tasks.table[e.task_id.index()].phase == Phase::Assigned {
                    self.move_to(e.task_id, Phase::Working, now);
                }
            }
            Event::SessionOpened(e) => {
                let agent = self.tasks.table[e.task_id.index()].last_agent;
                if let Some(agent) = agent {
                    self.tasks.story(e.task_id).session = Some((agent, e.session.clone()));
                }
            }
            Event::AttemptCut(e) => self.attempt_cut(e),
            Event::AttemptEnded(e) => self.attempt_ended(e, now),
            Event::RiskTriggered(e) => self.risk_triggered(e),
            Event::FallbackApplied(e) => self.fallback_applied(e),
            Event::WorkSalvaged(e) => {
                let story = self.tasks.story(e.task_id);
                if !e.saved.is_empty() {
                    story.salvaged.push(e.saved.clone());
                    if let Some(earlier) = story.earlier.last_mut() {
                        earlier.work.clone_from(&e.saved);
                    }
                }
                self.tasks.release(e.task_id);
            }
            Event::WorkCommitted(e) => {
                self.files_changed(e);
                let story = self.tasks.story(e.task_id);
                story.commit.clone_from(&e.commit);
                story.changes = e.changes;
                story.conflicting.clear();
                story.judged.clear();
                self.move_to(e.task_id, Phase::Queued, now);
                let sprint = self.tasks.table[e.task_id.index()].sprint;
                self.sprints.table[sprint.index()]
                    .queue
                    .push_back(e.task_id);
            }
            Event::MergeStarted(e) => {
                let sprint = &mut self.sprints.table[e.sprint_id.index()];
                sprint.queue.retain(|task| !e.batch.contains(task));
                sprint.merge = Some(Merge {
                    batch: e.batch.clone(),
                    commit: String::new(),
                    onto: sprint.head.clone(),
                });
                for task in &e.batch {
                    self.move_to(*task, Phase::Merging, now);
                }
            }
            Event::MergePrepared(e) => {
                if let Some(merge) = &mut self.sprints.table[e.sprint_id.index()].merge {
                    merge.commit.clone_from(&e.commit);
                    merge.onto.clone_from(&e.onto);
                }
            }
            Event::MergeConflicted(e) => {
                self.sprints.table[e.sprint_id.index()].merge = None;
                for task in &e.batch {
                    let story = self.tasks.story(*task);
                    story.conflicts += 1;
                    story.conflicting.clone_from(&story.commit);
                }
            }
            Event::MergeSplit(e) => self.merge_split(e, now),
            Event::QualityGateStatus(e) => {
                for task in &e.batch {
                    self.tasks.story(*task).gates.clone_from(&e.outcomes);
                }
                let quality = &mut self.sprints.table[e.sprint_id.index()].quality;
                *quality = quality.with(&e.outcomes, e.batch.len() as u32, e.passed);
            }
            Event::MergeCompleted(e) => {
                let sprint = &mut self.sprints.table[e.sprint_id.index()];
                sprint.merge = None;
                sprint.suspects = sprint.suspects.saturating_sub(e.batch.len() as u32);
                sprint.head.clone_from(&e.commit);
                for task in &e.batch {
                    self.tasks.story(*task).merged.clone_from(&e.commit);
                }
            }
            Event::TaskCompleted(e) => self.completed(e.task_id, now),
            Event::WorkRejected(e) => self.work_rejected(e, now),
            Event::AccountParked(e) => self.account_parked(e),
            Event::AccountFreed(e) => self.account_freed(e),
            Event::CostReserved(e) => self.cost_reserved(e),
            Event::CostSpent(e) => {
                let row = &self.tasks.table[e.task_id.index()];
                let agent = row.agent.or(row.last_agent).unwrap_or_default();
                self.charge(e.task_id, (agent, e.attempt), e.cost_micros, now);
            }
            Event::CostSettled(e) => self.cost_settled(e, now),
            Event::BudgetWarned(e) => {
                self.budgets.sums.entry(e.purse).or_default().warned = true;
            }
            Event::BudgetHeld(e) => self.budget_held(e),
            Event::BudgetFreed(e) => self.budget_freed(e),
            Event::BudgetRaised(e) => self.budget_raised(e),
            Event::BudgetsChanged(e) => {
                let roles: Vec<_> = e.roles.iter().map(|it| (&it.role, it.budget)).collect();
                self.other_budgets(e.sprint_id, e.budget, e.window, &roles);
            }
            Event::AttemptOverspent(e) => self.attempt_overspent(e),
            Event::ConflictForeseen(e) => self.conflict_foreseen(e, now),
            Event::ConflictOver(e) => drop(self.clashes.remove(&(e.task_id, e.with))),
            Event::RetryScheduled(e) => {
                self.move_to(e.task_id, Phase::Backoff(e.at), now);
            }
            Event::RetryDue(e) => {
                self.move_to(e.task_id, Phase::Ready, now);
            }
            Event::TaskFailed(e) => {
                self.tasks.story(e.task_id).reason.clone_from(&e.reason);
                self.move_to(e.task_id, Phase::Failed, now);
            }
            Event::TaskQuarantined(e) => {
                self.tasks.story(e.task_id).reason = e.evidence.join("\n");
                self.move_to(e.task_id, Phase::Quarantined, now);
            }
            Event::TaskCancelled(e) => {
                self.drop_from_merge(e.task_id);
                let story = self.tasks.story(e.task_id);
                story.reason = format!("cancelled by {}", e.by);
                story.judged.clear();
                self.tasks.set_dropped(e.task_id, e.dropped);
                self.move_to(e.task_id, Phase::Cancelled, now);
            }
            Event::TaskRetried(e) => {
                let story = self.tasks.story(e.task_id);
                story.failures = 0;
                story.deaths.clear();
                story.conflicts = 0;
                story.rounds = 0;
                story.guided = 0;
                story.reason.clear();
                let task = &mut self.tasks.table[e.task_id.index()];
                task.avoid.clear();
                task.blocker = None;
                task.finished = None;
                self.tasks.set_dropped(e.task_id, false);
                let task = &self.tasks.table[e.task_id.index()];
                // Before the sprint is initialized, which makes it ready, it may still be refused.
                let running = self.sprints.table[task.sprint.index()].is_running();
                let phase = match task.waiting_for {
                    0 if running => Phase::Ready,
                    _ => Phase::Waiting,
                };
                self.move_to(e.task_id, phase, now);
            }
            Event::TaskReassigned(e) => self.reassigned(e.task_id, e.to, now),
            Event::LivenessChanged(e) => {
                self.tasks.story(e.task_id).liveness.clone_from(&e.state);
            }
            Event::BlockerRaised(e) => {
                if let Some(deadline) = e.deadline {
                    self.deadlines.insert((deadline, Deadline::Tier(e.blocker)));
                }
                self.trouble.blockers.push(Blocker {
                    task: e.task_id,
                    agent: e.agent_id,
                    kind: e.blocker_type.clone(),
                    severity: e.severity,
                    text: e.text.clone(),
                    raised: now,
                    deadline: e.deadline,
                    resolved: None,
                    history: vec![(e.severity, "raised".to_owned())],
                    item: None,
                });
                self.tasks.table[e.task_id.index()].blocker = Some(e.blocker);
                self.move_to(e.task_id, Phase::Blocked, now);
            }
            Event::BlockerEscalated(e) => {
                let blocker = &mut self.trouble.blockers[e.blocker.index()];
                if let Some(old) = blocker.deadline.take() {
                    self.deadlines.remove(&(old, Deadline::Tier(e.blocker)));
                }
                blocker.severity = e.to;
                blocker.deadline = e.deadline;
                blocker.history.push((e.to, e.reason.clone()));
                if let Some(deadline) = e.deadline {
                    self.deadlines.insert((deadline, Deadline::Tier(e.blocker)));
                }
            }
            Event::GuidanceGiven(e) => {
                let story = self.tasks.story(e.task_id);
                story.guided += 1;
                story.guidance.push(e.text.clone());
            }
            Event::BlockerResolved(e) => self.resolved(e.blocker, &e.by, &e.answer, now),
            Event::InboxOpened(e) => {
                self.inbox_opened(e.item, InboxItem::of(e, now), now);
                self.budget_asked(e.purse, e.item);
            }
            Event::InboxAnswered(e) => {
                let closed = (now, e.answer.clone(), e.by.clone());
                self.inbox_closed(e.item, closed);
            }
            Event::InboxClosed(e) => {
                let closed = (now, e.reason.clone(), String::new());
                self.inbox_closed(e.item, closed);
            }
            Event::EngineeringEmergency(e) => {
                self.sprints.table[e.sprint_id.index()].emergency = Some(Emergency {
                    task: e.task_id,
                    blocker: e.blocker,
                });
            }
            Event::EmergencyResolved(e) => {
                self.sprints.table[e.sprint_id.index()].emergency = None;
            }
            Event::IncidentOpened(e) => {
                let opened = (now, e.task_id, e.text.clone());
                self.sprints.table[e.sprint_id.index()]
                    .incidents
                    .push(opened);
                self.trouble.incidents.push(Incident::of(e, now));
            }
            Event::MessageSent(_)
            | Event::AgentTold(_)
            | Event::ProductAsked(_)
            | Event::AdviserAsked(_)
            | Event::QuestionAsked(_)
            | Event::QuestionDirected(_)
            | Event::MessageDelivered(_)
            | Event::QuestionAnswered(_) => self.talked(event),
            Event::AgentUp(e) => self.team.up(e.agent_id, e.generation, now),
            Event::AgentDown(e) => self.team.down(e.agent_id),
            Event::RoleLost(e) => self.set_lost(&e.role, true),
            Event::RoleRestored(e) => self.set_lost(&e.role, false),
            Event::InboxReminded(e) => self.inbox_deadline(e.item, Some(e.deadline)),
            Event::StakeholderInformed(e) => self.delivery_over(e.effect),
            Event::DeliveryFailed(e) => self.delivery_failed(e),
            Event::DeliveryRetried(e) => self.delivery_retried(e),
            Event::ProductDemoReady(e) => {
                let row = self.package(e.sprint_id, Peer::Product, e.feature.clone());
                row.demo.clone_from(&e.package);
            }
            Event::FeedbackReceived(e) => {
                self.handoffs[e.handoff as usize]
                    .feedback
                    .clone_from(&e.text);
            }
            Event::TaskAdded(e) => self.task_added(e, now),
            Event::GateJudged(e) => self.gate_judged(e, now),
            Event::WorkReviewed(e) => self.work_reviewed(e, now),
            Event::GateOverridden(e) => self.gate_overridden(e),
            Event::HelpGiven(e) => self.help_ended(e.help, now),
            Event::TaskChanged(e) => self.task_changed(e, now),
            Event::SprintReplanned(e) => self.rerank(e.sprint_id),
            Event::TeamUtilizationAlert(e) => self.alerted(e),
            Event::TaskRebalanced(e) => self.rebalanced(e),
            Event::ManagerAsked(e) => {
                self.talked(event);
                self.manager_asked(e);
            }
            Event::StandupNoted(e) => self.standup_noted(e, now),
            Event::RebalancingDecided(e) => self.rebalancing_decided(e),
            Event::DailyStandupCompleted(e) => self.standup_held(e, now),
            Event::ProgressUpdated(e) => self.progress_told(e, now),
            Event::QaHandoffReady(e) => {
                let row = self.package(e.sprint_id, Peer::Qa, e.feature.clone());
                row.package.clone_from(&e.package);
            }
            Event::DevopsHandoffReady(e) => {
                let row = self.package(e.sprint_id, Peer::Devops, e.feature.clone());
                row.package.clone_from(&e.package);
                self.deployment(event, now);
            }
            Event::DeploymentScheduled(_)
            | Event::ReadinessChecked(_)
            | Event::ProbeDue(_)
            | Event::DeploymentProbed(_)
            | Event::DeploymentDropped(_) => self.deployment(event, now),
            // What follows from them is in events of its own.
            Event::AgentTaskCompleted(_)
            | Event::AgentBlocked(_)
            | Event::QaTestingRequired(_)
            | Event::DevopsDeploymentReady(_)
            | Event::ProductRequirementsChanged(_)
            | Event::CriticalBugDiscovered(_) => {}
            Event::PackageAnswered(e) => {
                self.package_answered(e, now);
                self.deployment(event, now);
            }
            // It is called off; the end of the attempt makes the task ready again.
            Event::WorkCheckpointed(_) => {}
            Event::IncidentStepFilled(e) => self.step_filled(e, now),
            Event::IncidentNoted(e) => self.incident_noted(e, now),
            Event::IncidentClosed(e) => {
                self.trouble.incidents[e.incident.index()].closed = Some((now, e.by.clone()));
            }
        }
    }

    fn set_lost(&mut self, role: &str, lost: bool) {
        if let Some(id) = self.team.by_role.get(role).copied() {
            self.team.set_lost(id, lost);
        }
    }

    /// Moves a task to `phase`; the deadline of a wait goes with the wait.
    pub(super) fn move_to(&mut self, id: TaskId, phase: Phase, now: Time) {
        if let Phase::Backoff(at) = self.tasks.table[id.index()].phase {
            self.deadlines.remove(&(at, Deadline::Retry(id)));
        }
        if let Phase::Backoff(at) = phase {
            self.deadlines.insert((at, Deadline::Retry(id)));
        }
        self.tasks.set_phase(id, phase, now);
    }
}
