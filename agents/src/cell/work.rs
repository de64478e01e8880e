//! The work of a cell: takes messages, has turns taken beside the control lane and the deadline, and says what came of them.
//!
//! Everything that reaches the director passes through [`State::report`], bounded. The order of checks beside a turn is fixed:
//! control first, then the turn's own end, then the deadline.
//!
//! Elsewhere: the actor around it is the parent module.

use std::future::pending;
use std::sync::Arc;

use director_protocols::command::Command;
use director_protocols::ids::{EffectId, Generation, MessageId};
use director_protocols::shared::Shared;
use director_protocols::sprint::RoleSpec;
use director_protocols::time::Span;
use director_protocols::work::{Assignment, AttemptEnd, PERSON};
use director_runtime::mailbox::{Mailbox, Woken};
use tokio::time::{Instant, sleep_until, timeout};

use super::{CellSpec, IDLE_TURN_MAX, Sink, make, makes_the_same, time_is_up};
use crate::agent::{AgentError, DynAgent, ErrorKind, Inbound, Turn};
use crate::bounds::{bounded_end, bounded_text};
use crate::context::{Context, Listener, Note};
use crate::slot::{AttemptKey, CellMessage, Slot};

/// An incarnation.
pub struct State {
    pub(super) spec: CellSpec,
    pub(super) generation: Generation,
    pub(super) agent: Box<dyn DynAgent>,
    /// What the agent was made from.
    role: Arc<RoleSpec>,
    /// What the agent has at hand while it has no task.
    pub(super) idle: Context,
    current: Option<Current>,
}

/// The attempt in hand.
struct Current {
    key: AttemptKey,
    cx: Context,
    deadline: Instant,
    limit: Span,
    /// Since when it waits for a person's answer; its time stands still then.
    asked_person: Option<Instant>,
}

impl Current {
    /// What is said when its time is up.
    fn time_is_up(&self) -> String {
        time_is_up(self.limit)
    }

    /// When its time is up, as of now.
    fn deadline(&self) -> Instant {
        let waited = self.asked_person.map(|since| since.elapsed());
        self.deadline + waited.unwrap_or_default()
    }

    /// The person has answered: what was waited is not the attempt's.
    fn answered(&mut self) {
        self.deadline = self.deadline();
        self.asked_person = None;
        self.cx.set_deadline(self.deadline);
    }
}

/// Why a turn was called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    Off,
    TimeUp,
    Stop,
}

/// Whether the cell goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    GoOn,
    Stop,
}

impl State {
    /// An agent that has started and has nothing in hand.
    pub(super) fn new(
        spec: CellSpec,
        role: Arc<RoleSpec>,
        generation: Generation,
        agent: Box<dyn DynAgent>,
        idle: Context,
    ) -> Self {
        Self {
            spec,
            generation,
            agent,
            role,
            idle,
            current: None,
        }
    }

    /// Takes messages until there are none and nothing is in hand, or until it has to stop.
    pub(super) async fn work(&mut self) -> Result<Flow, AgentError> {
        let slot = self.spec.slot.clone();
        let mailbox = slot.mailbox();
        loop {
            if !slot.is_current(self.generation) {
                // Given up as leaked, awake after all: the messages are for the one that took over.
                return Ok(Flow::Stop);
            }
            let Some((_, message)) = mailbox.take() else {
                let Some(current) = &self.current else {
                    return Ok(Flow::GoOn);
                };
                slot.set_waiting(self.generation, true);
                let woken = tokio::select! {
                    biased;
                    woken = mailbox.wait() => Some(woken),
                    () = sleep_until(current.deadline), if current.asked_person.is_none() => None,
                };
                match woken {
                    Some(Woken::Message) => slot.set_waiting(self.generation, false),
                    Some(Woken::Closed) => return Ok(self.stop()),
                    None => {
                        let reason = current.time_is_up();
                        self.end(AttemptEnd::TimedOut { reason });
                    }
                }
                continue;
            };
            let flow = match message {
                CellMessage::Stop { generation } if generation == self.generation => Flow::Stop,
                CellMessage::Stop { .. } => Flow::GoOn,
                CellMessage::Cancel { attempt } => {
                    self.cancel(attempt);
                    Flow::GoOn
                }
                CellMessage::Assign { effect, assignment } => {
                    self.assigned(effect, assignment).await?
                }
                CellMessage::Deliver {
                    effect,
                    message,
                    from,
                    text,
                    expects_answer,
                } => {
                    let inbound = if expects_answer {
                        Inbound::Asked { from, text }
                    } else {
                        Inbound::Told { from, text }
                    };
                    self.delivered(effect, message, inbound, expects_answer)
                        .await?
                }
                CellMessage::Guide {
                    effect,
                    message,
                    attempt,
                    from,
                    text,
                } => {
                    let inbound = Inbound::Guidance { from, text };
                    self.for_attempt(effect, message, attempt, inbound).await?
                }
                CellMessage::Answer {
                    effect,
                    message,
                    attempt,
                    question,
                    text,
                } => {
                    let question = Some(question).filter(|question| !question.is_empty());
                    let inbound = Inbound::Answered { question, text };
                    self.for_attempt(effect, message, attempt, inbound).await?
                }
            };
            if flow == Flow::Stop {
                return Ok(self.stop());
            }
        }
    }

    async fn assigned(
        &mut self,
        effect: EffectId,
        assignment: Shared<Assignment>,
    ) -> Result<Flow, AgentError> {
        let key = (assignment.task, assignment.attempt);
        if !self.spec.slot.begin_attempt(self.generation, effect, key) {
            return Ok(Flow::GoOn);
        }
        if let Some(old) = self.current.take() {
            old.cx.cancel();
            let (task, attempt) = old.key;
            self.report(Command::Ended {
                task,
                attempt,
                end: AttemptEnd::Cancelled,
            });
        }
        if let Err(error) = self.renew().await {
            let (task, attempt) = key;
            let reason = error.to_string();
            self.spec.slot.end_attempt(self.generation);
            self.report(Command::Ended {
                task,
                attempt,
                end: bounded_end(AttemptEnd::Failed {
                    reason,
                    exit_code: None,
                }),
            });
            return Err(error);
        }
        let deadline = Instant::now() + assignment.time_max.to_std();
        let cx = Context::attempt(
            self.spec.slot.name(),
            self.spec.host.clone(),
            attempt_listener(&self.spec, key),
            assignment.clone(),
            Some(deadline),
        );
        self.current = Some(Current {
            key,
            cx,
            deadline,
            limit: assignment.time_max,
            asked_person: None,
        });
        let (task, attempt) = key;
        self.report(Command::Started {
            effect,
            task,
            attempt,
        });
        let (called, result) = self.turn(Inbound::Assigned(assignment)).await;
        self.settle(called, result, None)
    }

    /// Makes the agent anew when its role was given other settings since it was made.
    async fn renew(&mut self) -> Result<(), AgentError> {
        let role = self.spec.role();
        if makes_the_same(&role, &self.role) {
            return Ok(());
        }
        let mut idle = self.idle.clone();
        if timeout(self.spec.grace, self.agent.dyn_on_stop(&mut idle))
            .await
            .is_err()
        {
            let agent = self.spec.slot.name();
            tracing::warn!(agent, "agent did not end its clean-up in time");
        }
        let made = make(&self.spec, &role, self.generation, &self.idle).await;
        self.agent = made.map_err(|reason| {
            AgentError::fatal(format!(
                "it could not be made with the role's new settings: {reason}"
            ))
        })?;
        self.role = role;
        Ok(())
    }

    /// A message that is only for one attempt; out of date, it is acknowledged and left alone.
    async fn for_attempt(
        &mut self,
        effect: EffectId,
        message: MessageId,
        attempt: AttemptKey,
        inbound: Inbound,
    ) -> Result<Flow, AgentError> {
        if self
            .current
            .as_ref()
            .is_none_or(|current| current.key != attempt)
        {
            self.report(Command::Delivery {
                effect,
                message,
                answer: None,
            });
            return Ok(Flow::GoOn);
        }
        if let (Inbound::Answered { .. }, Some(current)) = (&inbound, &mut self.current) {
            current.answered();
        }
        self.delivered(effect, message, inbound, false).await
    }

    async fn delivered(
        &mut self,
        effect: EffectId,
        message: MessageId,
        inbound: Inbound,
        question: bool,
    ) -> Result<Flow, AgentError> {
        self.spec
            .slot
            .set_in_turn(self.generation, Some((effect, message)));
        let (called, result) = self.turn(inbound).await;
        let answer = match &result {
            Some(Ok(Turn::Answer(text))) if question => Some(bounded_text(text.clone())),
            _ => None,
        };
        self.spec.slot.set_in_turn(self.generation, None);
        self.report(Command::Delivery {
            effect,
            message,
            answer,
        });
        self.settle(called, result, Some(question))
    }

    /// One turn of the agent, beside the control lane and the deadline.
    async fn turn(
        &mut self,
        inbound: Inbound,
    ) -> (Option<Called>, Option<Result<Turn, AgentError>>) {
        let slot = self.spec.slot.clone();
        let in_hand = self.current.as_ref().map(|current| current.key);
        let mut cx = self
            .current
            .as_ref()
            .map_or(&self.idle, |current| &current.cx)
            .clone();
        let canceller = cx.clone();
        let deadline = match &self.current {
            Some(current) => current.deadline(),
            None => Instant::now() + IDLE_TURN_MAX,
        };
        let mut turn = self.agent.dyn_turn(inbound, &mut cx);
        let control = Control {
            slot: &slot,
            generation: self.generation,
            in_hand,
            sink: &self.spec.sink,
        };
        let called = tokio::select! {
            biased;
            called = control.listen() => called,
            result = &mut turn => return (None, Some(result)),
            () = sleep_until(deadline) => Called::TimeUp,
        };
        canceller.cancel();
        let result = timeout(self.spec.grace, turn).await.ok();
        if in_hand.is_none() {
            // A cancelled context stays cancelled; the next message must not find this one.
            let spec = &self.spec;
            self.idle = Context::idle(slot.name(), spec.host.clone(), idle_listener(spec));
        }
        (Some(called), result)
    }

    /// What a turn means for the attempt in hand. `question`: the message was one that could be answered.
    fn settle(
        &mut self,
        called: Option<Called>,
        result: Option<Result<Turn, AgentError>>,
        question: Option<bool>,
    ) -> Result<Flow, AgentError> {
        match called {
            Some(Called::Off) => self.end(AttemptEnd::Cancelled),
            Some(Called::Stop) => return Ok(Flow::Stop),
            Some(Called::TimeUp) => {
                let limit = self.current.as_ref().map(Current::time_is_up);
                let said = match result {
                    Some(Ok(Turn::Failed { reason, .. } | Turn::TimedOut { reason })) => {
                        format!("; {reason}")
                    }
                    _ => String::new(),
                };
                let reason = format!("{}{said}", limit.unwrap_or_default());
                self.end(AttemptEnd::TimedOut { reason });
            }
            None => {
                return result.map_or(Ok(Flow::GoOn), |result| self.ended_turn(result, question));
            }
        }
        Ok(Flow::GoOn)
    }

    fn ended_turn(
        &mut self,
        result: Result<Turn, AgentError>,
        question: Option<bool>,
    ) -> Result<Flow, AgentError> {
        match result {
            Ok(Turn::Ask { to, question }) => self.ask(to, question),
            Ok(Turn::Answer(_)) if question.is_none() => {
                let reason =
                    "the agent answered, but it was given a task and asked nothing".to_owned();
                self.end(AttemptEnd::Failed {
                    reason,
                    exit_code: None,
                });
            }
            Ok(turn) => {
                if let Some(end) = turn.end() {
                    self.end(end);
                }
            }
            Err(error) => {
                let reason = error.to_string();
                self.end(AttemptEnd::Failed {
                    reason,
                    exit_code: None,
                });
                if error.kind == ErrorKind::Fatal {
                    return Err(error);
                }
                tracing::warn!(agent = self.spec.slot.name(), %error, "agent could not take a turn");
            }
        }
        Ok(Flow::GoOn)
    }

    fn ask(&mut self, to: String, question: String) {
        let from = self.spec.slot.agent();
        let Some(current) = &mut self.current else {
            tracing::warn!(
                agent = self.spec.slot.name(),
                "agent asks with no task in hand; not asked"
            );
            return;
        };
        let (to, text) = (bounded_text(to), bounded_text(question));
        let people = current.cx.assignment().map(|it| it.people.as_slice());
        if to == PERSON || people.is_some_and(|people| people.contains(&to)) {
            current.asked_person.get_or_insert_with(Instant::now);
        }
        let attempt = current.key;
        self.report(Command::Ask {
            from,
            attempt,
            to,
            text,
        });
    }

    fn cancel(&mut self, attempt: AttemptKey) {
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.key == attempt)
        {
            self.end(AttemptEnd::Cancelled);
        } else {
            withdraw(&self.spec.slot, &self.spec.sink, attempt);
        }
    }

    fn stop(&mut self) -> Flow {
        self.end(AttemptEnd::Interrupted);
        Flow::Stop
    }

    /// Ends the attempt in hand, if there is one.
    fn end(&mut self, end: AttemptEnd) {
        let Some(current) = self.current.take() else {
            return;
        };
        // What the agent started by itself and still listens shall know.
        current.cx.cancel();
        self.spec.slot.end_attempt(self.generation);
        let (task, attempt) = current.key;
        self.report(Command::Ended {
            task,
            attempt,
            end: bounded_end(end),
        });
    }

    /// Tells the director, unless this incarnation was given up: then its end is told already.
    pub(super) fn report(&self, command: Command) {
        if !self.spec.slot.is_current(self.generation) {
            return;
        }
        (self.spec.sink)(command);
    }
}

/// The control lane beside a turn.
struct Control<'a> {
    slot: &'a Slot,
    generation: Generation,
    in_hand: Option<AttemptKey>,
    sink: &'a Sink,
}

impl Control<'_> {
    /// Ready when the turn has to end. What concerns other attempts is dealt with on the way.
    async fn listen(&self) -> Called {
        let mailbox: &Mailbox<CellMessage> = self.slot.mailbox();
        loop {
            if mailbox.wait_control().await == Woken::Closed {
                // The turn may end; then the closed mailbox is found again.
                return pending().await;
            }
            match mailbox.take_control() {
                Some(CellMessage::Cancel { attempt }) if self.in_hand == Some(attempt) => {
                    return Called::Off;
                }
                Some(CellMessage::Cancel { attempt }) => withdraw(self.slot, self.sink, attempt),
                Some(CellMessage::Stop { generation }) if generation == self.generation => {
                    return Called::Stop;
                }
                _ => {}
            }
        }
    }
}

/// Ends an attempt that was not begun.
fn withdraw(slot: &Slot, sink: &Sink, attempt: AttemptKey) {
    if slot.withdraw(attempt) {
        let (task, attempt) = attempt;
        sink(Command::Ended {
            task,
            attempt,
            end: AttemptEnd::Cancelled,
        });
    }
}

pub(super) fn idle_listener(spec: &CellSpec) -> Listener {
    let (sink, from) = (Arc::clone(&spec.sink), spec.slot.agent());
    Arc::new(move |note| {
        if let Note::Told { to, text } = note {
            sink(Command::Tell { from, to, text });
        }
    })
}

fn attempt_listener(spec: &CellSpec, key: AttemptKey) -> Listener {
    let (sink, slot) = (Arc::clone(&spec.sink), spec.slot.clone());
    let (task, attempt) = key;
    Arc::new(move |note| match note {
        Note::Progress { percent, text } => slot.set_progress(key, percent, text),
        Note::Told { to, text } => sink(Command::Tell {
            from: slot.agent(),
            to,
            text,
        }),
        Note::Session { session } => sink(Command::Session {
            task,
            attempt,
            session,
        }),
        Note::Spent { cost_micros } => sink(Command::Spent {
            task,
            attempt,
            cost_micros,
        }),
        Note::Liveness { state } => sink(Command::Liveness {
            task,
            attempt,
            state,
        }),
    })
}
