//! Effects: what the world has to do next, and which of it is still outstanding.
//!
//! An effect follows from an event and the state after it; it leaves only when the event is durable. Those
//! that are answered stay on the list until an event settles them, so that a director that takes over knows
//! what to do again. Each kind says how doing it twice is made safe.
//!
//! Invariant: outstanding = emitted minus settled, at every position of the journal.
//! Elsewhere: carrying them out is `perform`; the full text of an order is `orders`.

use director_protocols::event::Event;
use director_protocols::ids::{AgentId, Attempt, EffectId, MessageId, Seq, SprintId, TaskId};
use director_protocols::work::AttemptEnd;
use serde::Serialize;

use super::gating;
use super::inform;
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
    /// Tell a stakeholder of an event. At least once; the effect's number is the key that tells a repeat.
    Inform {
        /// The sprint.
        sprint: SprintId,
        /// The stakeholder's place in the sprint's list.
        stakeholder: u32,
        /// What happened.
        event: Box<Event>,
    },
}

impl Effect {
    /// Whether an event settles it.
    fn is_answered(&self) -> bool {
        !matches!(self, Effect::SyncTeam | Effect::RestartRole { .. })
    }

    /// The attempt that it belongs to and ends with.
    fn attempt(&self) -> Option<TaskId> {
        match self {
            Effect::PrepareWorktree { task, .. }
            | Effect::Assign { task, .. }
            | Effect::CancelAttempt { task, .. }
            | Effect::DeliverAnswer { task, .. } => Some(*task),
            _ => None,
        }
    }
}

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
            Event::QualityGateStatus(e) => {
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
            | Event::SprintCancelled(_)
            | Event::SprintReopened(_)
            | Event::SprintVelocityUpdated(_)
            | Event::SprintDelivered(_)
            | Event::TaskDeferred(_)
            | Event::TaskAssigned(_)
            | Event::SessionOpened(_)
            | Event::TaskCompleted(_)
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
            | Event::HandoffSent(_)
            | Event::HandoffAccepted(_)
            | Event::MessageSent(_)
            | Event::ArchitectAsked(_)
            | Event::QuestionAsked(_)
            | Event::QuestionAnswered(_)
            | Event::AgentUp(_)
            | Event::AgentDown(_)
            | Event::RoleLost(_)
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

    fn forget_preparation(&mut self, id: SprintId) {
        self.remove_where(|effect| {
            matches!(effect, Effect::PrepareRepo { sprint } | Effect::CheckBase { sprint } if *sprint == id)
        });
    }

    fn remove_where(&mut self, done: impl Fn(&Effect) -> bool) {
        let done = self.list.iter().filter(|(_, effect)| done(effect));
        let ids: Vec<EffectId> = done.map(|(id, _)| *id).collect();
        for id in ids {
            self.remove(id);
        }
    }
}

/// What follows from `event`, in the state that it led to.
pub fn of(state: &State, event: &Event, emit: &mut dyn FnMut(Effect)) {
    follows(state, event, emit);
    inform::informs(state, event).into_iter().for_each(emit);
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
        Event::TaskReassigned(e) => withdraw(state, e.task_id, emit),
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
        Event::ArchitectAsked(e) => emit(Effect::Deliver {
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
        | Event::SprintCancelled(_)
        | Event::SprintReopened(_)
        | Event::WorktreesRemoved(_)
        | Event::SprintVelocityUpdated(_)
        | Event::SprintDelivered(_)
        | Event::TaskDeferred(_)
        | Event::AttemptStarted(_)
        | Event::SessionOpened(_)
        | Event::WorkSalvaged(_)
        | Event::WorkCommitted(_)
        | Event::MergeConflicted(_)
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
        | Event::InboxReminded(_)
        | Event::TaskAdded(_)
        | Event::GateJudged(_)
        | Event::WorkReviewed(_)
        | Event::GateOverridden(_)
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

impl Outstanding {
    /// Whether the task's worktree is being prepared, so that its agent has not been asked yet.
    pub fn is_preparing(&self, id: TaskId) -> bool {
        let mut of_attempt = self.of_attempt[self.of_attempt(id)].iter();
        of_attempt.any(|(_, id)| matches!(self.get(*id), Some(Effect::PrepareWorktree { .. })))
    }

    /// Whether the sprint's worktrees are being removed.
    pub fn is_cleaning(&self, id: SprintId) -> bool {
        self.list
            .iter()
            .any(|(_, effect)| matches!(effect, Effect::CleanUp { sprint } if *sprint == id))
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
