//! An agent from an async closure, for the small ones.
//!
//! The closure owns its state and gets a [`Context`] of its own (a cheap handle), so no lifetimes appear:
//!
//! ```
//! use director_agents::agent::{Inbound, Turn};
//! use director_agents::closure::agent_fn;
//! use director_protocols::work::Report;
//!
//! let mut seen = 0;
//! let agent = agent_fn(move |message, cx| {
//!     seen += 1;
//!     let summary = format!("task number {seen}");
//!     async move {
//!         match message {
//!             Inbound::Assigned(_) => {
//!                 cx.progress(50, "half-way");
//!                 Ok(Turn::Done(Report { summary, ..Report::default() }))
//!             }
//!             _ => Ok(Turn::NotYet),
//!         }
//!     }
//! });
//! # let _ = agent;
//! ```
//!
//! Elsewhere: agents with `on_start` or `on_stop` implement [`Agent`] themselves.

use std::future::Future;

use crate::agent::{Agent, AgentError, Inbound, Turn};
use crate::context::Context;

/// An agent whose turn is a closure. Made by [`agent_fn`].
pub struct ClosureAgent<F>(F);

/// Makes an agent from a closure that is called once for each message.
pub fn agent_fn<F, R>(turn: F) -> ClosureAgent<F>
where
    F: FnMut(Inbound, Context) -> R + Send + 'static,
    R: Future<Output = Result<Turn, AgentError>> + Send,
{
    ClosureAgent(turn)
}

impl<F, R> Agent for ClosureAgent<F>
where
    F: FnMut(Inbound, Context) -> R + Send + 'static,
    R: Future<Output = Result<Turn, AgentError>> + Send,
{
    fn turn(
        &mut self,
        message: Inbound,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Turn, AgentError>> + Send {
        (self.0)(message, cx.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Note;

    #[tokio::test]
    async fn a_closure_keeps_its_state_between_turns() {
        let mut turns = 0;
        let mut agent = agent_fn(move |_, cx| {
            turns += 1;
            let now = turns;
            async move {
                cx.progress(now, "counting");
                Ok(Turn::NotYet)
            }
        });
        let mut cx = Context::for_tests(&Context::assignment_for_tests("count"));
        for _ in 0..2 {
            let told = Inbound::Told {
                from: "a".into(),
                text: "b".into(),
            };
            assert_eq!(agent.turn(told, &mut cx).await, Ok(Turn::NotYet));
        }
        let percents: Vec<_> = cx
            .notes()
            .into_iter()
            .map(|note| match note {
                Note::Progress { percent, .. } => percent,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(percents, [1, 2]);
    }
}
