//! The [`Agent`] trait: what a person implements to put a worker of their own into the team.
//!
//! A message comes in, a turn comes out. The state is `self`, the one required method is async, and everything
//! else (progress, cancellation, time, what came before) is in the [`Context`]. An agent never waits for another
//! agent: it returns [`Turn::Ask`] and gets the answer as its next message.
//!
//! ```
//! use director_agents::agent::{Agent, AgentError, Inbound, Turn};
//! use director_agents::context::{Context, Note};
//! use director_protocols::work::Report;
//!
//! /// Counts the words of a task's description.
//! struct WordCounter {
//!     counted: usize,
//! }
//!
//! impl Agent for WordCounter {
//!     async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
//!         let Inbound::Assigned(assignment) = message else { return Ok(Turn::NotYet) };
//!         let words = assignment.spec.description.split_whitespace().count();
//!         self.counted += words;
//!         cx.progress(100, "counted");
//!         Ok(Turn::Done(Report { summary: format!("{words} words"), ..Report::default() }))
//!     }
//! }
//!
//! // No runtime of ours is needed to test it: a context that records what it is told is enough.
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let assignment = Context::assignment_for_tests("Count me, please");
//! let mut cx = Context::for_tests(&assignment);
//! let mut agent = WordCounter { counted: 0 };
//! let turn = agent.turn(Inbound::Assigned(assignment.into()), &mut cx).await.unwrap();
//! assert!(matches!(turn, Turn::Done(report) if report.summary == "3 words"));
//! assert_eq!(cx.notes(), [Note::Progress { percent: 100, text: "counted".into() }]);
//! # }
//! ```
//!
//! Elsewhere: what calls an agent is [`crate::cell`]; how one is made anew after a crash is [`crate::factory`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use director_protocols::shared::Shared;
use director_protocols::time::Time;
use director_protocols::work::{Assignment, AttemptEnd, BlockerReport, Report};

use crate::context::Context;

/// What comes to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// A task to do. The attempt is in hand until a turn ends it.
    Assigned(Shared<Assignment>),
    /// Advice on the task in hand.
    Guidance {
        /// Who gives it.
        from: String,
        /// The advice.
        text: String,
    },
    /// A question from another agent or a person; answered with [`Turn::Answer`].
    Asked {
        /// Who asks.
        from: String,
        /// The question.
        text: String,
    },
    /// The answer to what this agent asked with [`Turn::Ask`].
    Answered {
        /// The question, where it is known.
        question: Option<String>,
        /// The answer.
        text: String,
    },
    /// Something that another agent wants it to know.
    Told {
        /// Who says it.
        from: String,
        /// What.
        text: String,
    },
}

/// What a turn came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The task in hand is done; the gates decide.
    Done(Report),
    /// Something holds the task in hand up; this ends the attempt.
    Blocked(BlockerReport),
    /// The task in hand failed; this ends the attempt.
    Failed {
        /// What happened, for people and for the next attempt.
        reason: String,
        /// The exit code, for processes.
        exit_code: Option<i32>,
    },
    /// The attempt showed no sign of life or used up a limit of its own; this ends the attempt.
    TimedOut {
        /// Which limit.
        reason: String,
    },
    /// The provider takes no more requests of the account now; this ends the attempt, which is nobody's fault. Nothing more is handed to who
    /// works on the account until then, and the task goes on in its session.
    Limited {
        /// What the provider said.
        reason: String,
        /// When it takes requests again, where it said so.
        until: Option<Time>,
    },
    /// The attempt has spent what it may cost ([`Assignment::cost_max`]); this ends it. Where that is the budget of more than one attempt, the
    /// task goes on in its session once there is more, and where it is not what it may cost, the attempt has failed.
    BudgetReached,
    /// A question about the task in hand, which goes on when the answer comes.
    Ask {
        /// An agent's or a role's name, or `person`.
        to: String,
        /// The question.
        question: String,
    },
    /// The answer to [`Inbound::Asked`].
    Answer(String),
    /// Nothing to say now: a task in hand goes on with the next message or ends with its time limit.
    NotYet,
}

impl Turn {
    /// The end of the attempt that this is; none where the attempt goes on.
    pub fn end(self) -> Option<AttemptEnd> {
        Some(match self {
            Turn::Done(report) => AttemptEnd::done(report),
            Turn::Blocked(blocker) => AttemptEnd::Blocked(blocker),
            Turn::Failed { reason, exit_code } => AttemptEnd::Failed { reason, exit_code },
            Turn::TimedOut { reason } => AttemptEnd::TimedOut { reason },
            Turn::Limited { reason, until } => AttemptEnd::Limited { reason, until },
            Turn::BudgetReached => AttemptEnd::BudgetReached,
            Turn::Ask { .. } | Turn::Answer(_) | Turn::NotYet => return None,
        })
    }

    /// The turn that ends an attempt so; none where that is not for an agent to say.
    pub fn of(end: AttemptEnd) -> Option<Self> {
        Some(match end {
            AttemptEnd::Done(report) => Turn::Done(report.into_inner()),
            AttemptEnd::Blocked(blocker) => Turn::Blocked(blocker),
            AttemptEnd::Failed { reason, exit_code } => Turn::Failed { reason, exit_code },
            AttemptEnd::TimedOut { reason } => Turn::TimedOut { reason },
            AttemptEnd::Limited { reason, until } => Turn::Limited { reason, until },
            AttemptEnd::BudgetReached => Turn::BudgetReached,
            AttemptEnd::Died { .. } | AttemptEnd::Cancelled | AttemptEnd::Interrupted => {
                return None;
            }
        })
    }
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// It may work the next time: a network, a quota, a full disk.
    Transient,
    /// This message cannot be handled, by this agent or another of its kind.
    Poison,
    /// The agent itself is broken and has to be started anew.
    Fatal,
}

impl ErrorKind {
    /// The word in reasons.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Transient => "transient",
            ErrorKind::Poison => "poison",
            ErrorKind::Fatal => "fatal",
        }
    }
}

/// Why a turn could not be taken. Ends the attempt in hand as failed; a fatal one ends the agent too.
///
/// It deliberately does not implement [`std::error::Error`], so that `?` turns every error that does into a
/// transient one, with its causes in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentError {
    /// Whether trying again can help.
    pub kind: ErrorKind,
    /// What failed, on what, and what to do.
    pub reason: String,
}

impl AgentError {
    /// It may work the next time.
    pub fn transient(reason: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Transient,
            reason: reason.into(),
        }
    }

    /// This message cannot be handled.
    pub fn poison(reason: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Poison,
            reason: reason.into(),
        }
    }

    /// The agent has to be started anew.
    pub fn fatal(reason: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Fatal,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.kind.as_str())
    }
}

impl<E: std::error::Error> From<E> for AgentError {
    fn from(error: E) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !reason.contains(&text) {
                reason = format!("{reason}: {text}");
            }
            cause = error.source();
        }
        Self::transient(reason)
    }
}

/// A worker in the team. Implement [`Agent::turn`] as an `async fn`; the rest has defaults.
///
/// A panic ends this instance: the supervisor starts a new one from its factory, and the task in hand is tried
/// again or, after it has killed several agents, quarantined. A turn can be dropped at any `await`, after
/// [`Context::cancelled`] has been ready for a grace period; what must not be left behind belongs into `Drop`.
pub trait Agent: Send + 'static {
    /// Takes one message and says what it came to.
    ///
    /// # Errors
    /// [`AgentError`] ends the attempt in hand as failed.
    fn turn(
        &mut self,
        message: Inbound,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Turn, AgentError>> + Send;

    /// Called once before the first message.
    ///
    /// # Errors
    /// [`AgentError`] counts as a failed start; the supervisor tries again with a delay.
    fn on_start(
        &mut self,
        cx: &mut Context,
    ) -> impl Future<Output = Result<(), AgentError>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// Called once when the agent is stopped in order. Not called after a panic or a kill.
    fn on_stop(&mut self, cx: &mut Context) -> impl Future<Output = ()> + Send {
        let _ = cx;
        async {}
    }
}

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Agent`] behind a pointer; every agent is one, nobody implements it by hand.
pub trait DynAgent: Send + 'static {
    /// [`Agent::turn`], boxed.
    fn dyn_turn<'a>(
        &'a mut self,
        message: Inbound,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Turn, AgentError>>;
    /// [`Agent::on_start`], boxed.
    fn dyn_on_start<'a>(&'a mut self, cx: &'a mut Context)
    -> BoxFuture<'a, Result<(), AgentError>>;
    /// [`Agent::on_stop`], boxed.
    fn dyn_on_stop<'a>(&'a mut self, cx: &'a mut Context) -> BoxFuture<'a, ()>;
}

impl<A: Agent> DynAgent for A {
    fn dyn_turn<'a>(
        &'a mut self,
        message: Inbound,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Turn, AgentError>> {
        Box::pin(self.turn(message, cx))
    }

    fn dyn_on_start<'a>(
        &'a mut self,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<(), AgentError>> {
        Box::pin(self.on_start(cx))
    }

    fn dyn_on_stop<'a>(&'a mut self, cx: &'a mut Context) -> BoxFuture<'a, ()> {
        Box::pin(self.on_stop(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not read `{0}`")]
    struct Outer(&'static str, #[source] Inner);
    #[derive(Debug, thiserror::Error)]
    #[error("no such file")]
    struct Inner;

    #[test]
    fn a_question_mark_keeps_the_causes() {
        fn fails() -> Result<(), AgentError> {
            Err(Outer("plan.md", Inner))?;
            Ok(())
        }
        let error = fails().unwrap_err();
        assert_eq!(
            error,
            AgentError::transient("could not read `plan.md`: no such file")
        );
        assert_eq!(
            error.to_string(),
            "could not read `plan.md`: no such file (transient)"
        );
    }
}
