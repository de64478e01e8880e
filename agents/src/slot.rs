//! The slot: an agent's place in the team, which outlives each incarnation of the agent.
//!
//! It owns the mailbox, so messages that no incarnation has begun survive a death, and it remembers what was begun,
//! so a death can be told with what was in hand. Messages are classed here: control before blockers, before
//! work, before chatter.
//!
//! Invariants: an assignment that was begun is never begun again; news from an older incarnation changes nothing.
//! Elsewhere: what takes the messages is [`crate::cell`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Attempt, EffectId, Generation, MessageId, TaskId};
use director_protocols::shared::Shared;
use director_protocols::sprint::RoleSpec;
use director_protocols::work::{Assignment, AttemptEnd};
use director_runtime::mailbox::{Class, Limits, Mailbox, MailboxStats, Rejected};

use crate::context::clip;

/// The longest reason of a death, in bytes.
const REASON_BYTES_MAX: usize = 4 * 1024;

/// An attempt at a task.
pub type AttemptKey = (TaskId, Attempt);

/// What an agent is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellMessage {
    /// A task to do.
    Assign {
        /// The effect to answer.
        effect: EffectId,
        /// The task and all that is known of it.
        assignment: Shared<Assignment>,
    },
    /// Something another agent says or asks.
    Deliver {
        /// The effect to answer.
        effect: EffectId,
        /// The message.
        message: MessageId,
        /// Who, by name.
        from: String,
        /// What.
        text: String,
        /// Whether it is a question.
        expects_answer: bool,
    },
    /// Advice on an attempt in hand.
    Guide {
        /// The effect to answer.
        effect: EffectId,
        /// The message.
        message: MessageId,
        /// The attempt it is for; if another one is in hand it is out of date.
        attempt: AttemptKey,
        /// Who, by name.
        from: String,
        /// The advice.
        text: String,
    },
    /// The answer to a question that the agent asked.
    Answer {
        /// The effect to answer.
        effect: EffectId,
        /// The message.
        message: MessageId,
        /// The attempt that waits for it; if another one is in hand it is out of date.
        attempt: AttemptKey,
        /// What was asked.
        question: String,
        /// The answer.
        text: String,
    },
    /// An attempt is called off.
    Cancel {
        /// Which one.
        attempt: AttemptKey,
    },
    /// An incarnation has to stop.
    Stop {
        /// Which one; a later one goes on.
        generation: Generation,
    },
}

impl CellMessage {
    /// How urgent it is.
    pub fn class(&self) -> Class {
        match self {
            CellMessage::Cancel { .. } | CellMessage::Stop { .. } => Class::Control,
            CellMessage::Guide { .. } | CellMessage::Answer { .. } => Class::Blocker,
            CellMessage::Assign { .. } => Class::Handoff,
            CellMessage::Deliver { .. } => Class::Chatter,
        }
    }

    fn is_assignment_of(&self, attempt: AttemptKey) -> bool {
        matches!(self, CellMessage::Assign { assignment, .. }
            if (assignment.task, assignment.attempt) == attempt)
    }
}

/// What an agent is doing, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotStatus {
    /// The incarnation that is or was up; 0 before the first.
    pub generation: Generation,
    /// Whether it is up.
    pub up: bool,
    /// The attempt in hand.
    pub in_hand: Option<AttemptKey>,
    /// Whether that attempt waits for a message, such as an answer.
    pub waiting: bool,
    /// How far it is, 0 to 100, where the agent says so.
    pub percent: Option<u8>,
    /// What is being done, in the agent's words.
    pub note: String,
}

/// Wakes the incarnation that is up. Must not wait.
type Waker = Arc<dyn Fn() + Send + Sync>;

/// An agent's place in the team. Clones are handles to the same place.
#[derive(Clone)]
pub struct Slot(Arc<Inner>);

struct Inner {
    agent: AgentId,
    name: String,
    mailbox: Mailbox<CellMessage>,
    role: Mutex<Option<Arc<RoleSpec>>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    status: SlotStatus,
    waker: Option<Waker>,
    /// A wake is on its way, so another would only fill a queue.
    woken: bool,
    /// The newest assignment that was begun. Effects are numbered in order, so an older one is a repetition.
    begun: Option<EffectId>,
    /// The message whose turn is being taken.
    in_turn: Option<(EffectId, MessageId)>,
}

impl Slot {
    /// A place for an agent that is not up yet; the mailbox takes 64 messages of each class.
    pub fn new(agent: AgentId, name: impl Into<String>) -> Self {
        Self::with_limits(agent, name, Limits::default())
    }

    /// The same with other limits for the mailbox.
    pub fn with_limits(agent: AgentId, name: impl Into<String>, limits: Limits) -> Self {
        Self(Arc::new(Inner {
            agent,
            name: name.into(),
            mailbox: Mailbox::new(limits),
            role: Mutex::default(),
            state: Mutex::default(),
        }))
    }

    /// Gives the agent other settings of its role. One that runs is made anew from them before its next task.
    pub fn set_role(&self, role: Arc<RoleSpec>) {
        *self.0.role.lock().unwrap_or_else(PoisonError::into_inner) = Some(role);
    }

    /// The settings that were given last, if any were.
    pub fn role(&self) -> Option<Arc<RoleSpec>> {
        let role = self.0.role.lock().unwrap_or_else(PoisonError::into_inner);
        role.clone()
    }

    /// The agent's id.
    pub fn agent(&self) -> AgentId {
        self.0.agent
    }

    /// The agent's name, such as `api-engineer-2`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is doing.
    pub fn status(&self) -> SlotStatus {
        self.lock().status.clone()
    }

    /// What waits in its mailbox.
    pub fn mailbox_stats(&self) -> MailboxStats {
        self.0.mailbox.stats()
    }

    /// Sends a message; it waits while no incarnation is up.
    ///
    /// # Errors
    /// [`Rejected`] gives the message back: its class is full, or the slot was closed.
    pub fn send(&self, message: CellMessage) -> Result<(), Rejected<CellMessage>> {
        self.0.mailbox.push(message.class(), message)?;
        self.wake();
        Ok(())
    }

    /// Accepts nothing more: the agent was removed from the team.
    pub fn close(&self) {
        self.0.mailbox.close();
        self.wake();
    }

    /// The attempt that incarnation `generation` has, or had when it died, in hand.
    pub fn in_hand_of(&self, generation: Generation) -> Option<AttemptKey> {
        let state = self.lock();
        state
            .status
            .in_hand
            .filter(|_| state.status.generation == generation)
    }

    /// What the director has to be told after incarnation `generation` is gone for certain: a message whose turn it
    /// did not end, then the death with the attempt in hand. Nothing for an incarnation that never came up.
    pub fn death(&self, generation: Generation, reason: &str) -> Vec<Command> {
        let mut state = self.lock();
        if state.status.generation != generation || !state.status.up {
            return Vec::new();
        }
        state.status.up = false;
        state.waker = None;
        let unanswered = state
            .in_turn
            .take()
            .map(|(effect, message)| Command::Delivery {
                effect,
                message,
                answer: None,
            });
        let down = Command::AgentDown {
            agent: self.0.agent,
            generation,
            reason: clip(reason.to_owned(), REASON_BYTES_MAX),
            in_hand: state.status.in_hand,
        };
        unanswered.into_iter().chain([down]).collect()
    }

    /// Nobody takes messages here for now: the death of the last incarnation, if it was not told, and the end of
    /// every assignment that it did not begin.
    pub fn vacate(&self, reason: &str) -> Vec<Command> {
        let generation = self.status().generation;
        let mut told = self.death(generation, reason);
        let is_kept = |message: &CellMessage| !matches!(message, CellMessage::Assign { .. });
        let unbegun = self.0.mailbox.retain(|_, message| is_kept(message));
        told.extend(unbegun.into_iter().filter_map(|message| match message {
            CellMessage::Assign { assignment, .. } => Some(Command::Ended {
                task: assignment.task,
                attempt: assignment.attempt,
                end: AttemptEnd::Interrupted,
            }),
            _ => None,
        }));
        told
    }

    pub(crate) fn mailbox(&self) -> &Mailbox<CellMessage> {
        &self.0.mailbox
    }

    /// An incarnation takes over; `wake` reaches it.
    pub(crate) fn begin(&self, generation: Generation, wake: impl Fn() + Send + Sync + 'static) {
        let mut state = self.lock();
        state.status = SlotStatus {
            generation,
            up: true,
            ..SlotStatus::default()
        };
        state.waker = Some(Arc::new(wake));
        state.woken = false;
        state.in_turn = None;
    }

    /// The wake has arrived; from here on a new one is needed.
    pub(crate) fn awake(&self) {
        self.lock().woken = false;
    }

    pub(crate) fn wake(&self) {
        let waker = {
            let mut state = self.lock();
            if state.woken {
                return;
            }
            let Some(waker) = state.waker.clone() else {
                return;
            };
            state.woken = true;
            waker
        };
        // Outside the lock: it runs the actor system's code.
        waker();
    }

    /// Whether no later incarnation has taken over and this one was not given up.
    pub(crate) fn is_current(&self, generation: Generation) -> bool {
        self.current(generation).is_some()
    }

    /// The state, for the incarnation that is up and no other: one that was given up as leaked may wake up late.
    fn current(&self, generation: Generation) -> Option<MutexGuard<'_, State>> {
        let state = self.lock();
        (state.status.up && state.status.generation == generation).then_some(state)
    }

    /// An assignment is begun. False if it was before: then it is left alone.
    pub(crate) fn begin_attempt(
        &self,
        generation: Generation,
        effect: EffectId,
        attempt: AttemptKey,
    ) -> bool {
        let Some(mut state) = self.current(generation) else {
            return false;
        };
        if state.begun.is_some_and(|begun| effect <= begun) {
            return false;
        }
        state.begun = Some(effect);
        state.status = SlotStatus {
            generation,
            up: true,
            in_hand: Some(attempt),
            ..SlotStatus::default()
        };
        true
    }

    /// The attempt in hand is over.
    pub(crate) fn end_attempt(&self, generation: Generation) {
        if let Some(mut state) = self.current(generation) {
            state.status = SlotStatus {
                generation,
                up: true,
                ..SlotStatus::default()
            };
        }
    }

    pub(crate) fn set_waiting(&self, generation: Generation, waiting: bool) {
        if let Some(mut state) = self.current(generation) {
            state.status.waiting = waiting;
        }
    }

    pub(crate) fn set_progress(&self, attempt: AttemptKey, percent: u8, note: String) {
        let mut state = self.lock();
        if state.status.in_hand == Some(attempt) {
            state.status.percent = Some(percent);
            state.status.note = note;
        }
    }

    pub(crate) fn set_in_turn(
        &self,
        generation: Generation,
        message: Option<(EffectId, MessageId)>,
    ) {
        if let Some(mut state) = self.current(generation) {
            state.in_turn = message;
        }
    }

    /// Takes an assignment that was not begun out of the mailbox. True if it was there.
    pub(crate) fn withdraw(&self, attempt: AttemptKey) -> bool {
        !self
            .0
            .mailbox
            .retain(|_, message| !message.is_assignment_of(attempt))
            .is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the state whole, so a panic elsewhere does not spoil it.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot")
            .field("name", &self.0.name)
            .field("status", &self.status())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use director_protocols::ids::Seq;

    use super::*;

    fn effect(seq: u64) -> EffectId {
        EffectId {
            seq: Seq(seq),
            n: 0,
        }
    }

    const FIRST: AttemptKey = (TaskId(3), Attempt(1));
    const FIRST_UP: Generation = Generation(1);

    #[test]
    fn an_assignment_that_was_begun_is_not_begun_again() {
        let slot = Slot::new(AgentId(0), "a-1");
        slot.begin(FIRST_UP, || {});
        assert!(slot.begin_attempt(FIRST_UP, effect(5), FIRST));
        assert!(
            !slot.begin_attempt(FIRST_UP, effect(5), FIRST),
            "the same again"
        );
        assert!(
            !slot.begin_attempt(FIRST_UP, effect(4), (TaskId(2), Attempt(1))),
            "an older one"
        );
        slot.end_attempt(FIRST_UP);
        assert!(slot.begin_attempt(FIRST_UP, effect(6), (TaskId(3), Attempt(2))));
    }

    #[test]
    fn a_death_is_told_once_with_what_was_in_hand() {
        let slot = Slot::new(AgentId(7), "a-1");
        assert_eq!(slot.death(Generation(1), "never came up"), []);
        slot.begin(Generation(1), || {});
        slot.begin_attempt(FIRST_UP, effect(5), FIRST);
        slot.set_in_turn(FIRST_UP, Some((effect(6), MessageId(2))));
        assert_eq!(slot.in_hand_of(Generation(1)), Some(FIRST));
        let delivery = Command::Delivery {
            effect: effect(6),
            message: MessageId(2),
            answer: None,
        };
        let down = Command::AgentDown {
            agent: AgentId(7),
            generation: Generation(1),
            reason: "panicked: oh".into(),
            in_hand: Some(FIRST),
        };
        assert_eq!(slot.death(Generation(1), "panicked: oh"), [delivery, down]);
        assert_eq!(slot.death(Generation(1), "panicked: oh"), []);
        slot.begin(Generation(2), || {});
        assert_eq!(slot.death(Generation(1), "late news"), []);
        assert_eq!(slot.status().in_hand, None);
        slot.end_attempt(FIRST_UP);
        assert!(
            !slot.begin_attempt(FIRST_UP, effect(9), FIRST),
            "it is over"
        );
        assert!(slot.begin_attempt(Generation(2), effect(9), FIRST));
    }
}
