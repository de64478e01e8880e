//! A world that only looks on: the same models beside a director that runs.
//!
//! Each decision that the director makes is shown to it; in return it says what the models answer, and when. So scripted agents,
//! git, gates and people of real actors can do exactly what the bare driver's would.
//!
//! Elsewhere: the actors that do it are in the tests; the models are `world`'s.

use director_protocols::event::Event;
use director_protocols::ids::{AgentId, EffectId, MessageId, Seq};
use director_protocols::time::{Span, Time};

use super::crew::Key;
use super::inputs::Input;
use super::prepare::Prepared;
use super::world::{Course, World};
use crate::engine::Engine;

/// The models of one run.
pub struct Observed<'a>(World<'a>);

impl<'a> Observed<'a> {
    /// Those of run number `run` under `seed`, before anything has happened.
    pub fn new(set: &'a Prepared, seed: u64, run: u64) -> Self {
        let mut world = World::new(set);
        world.reset(seed, run);
        world.engine = Engine::default();
        Self(world)
    }

    /// A decision was made; what people do about it, each with the wait until then.
    pub fn see(&mut self, seq: Seq, at: Time, events: &[Event]) -> Vec<(Span, Input)> {
        self.0.now = at;
        self.0.engine.replay(seq, events.to_vec(), at);
        self.0.see(events);
        self.0.take_due()
    }

    /// What git, the gates or a stakeholder's command answer to an effect of the decision that was seen last, and after which wait.
    pub fn answers(&mut self, effect: EffectId) -> Vec<(Span, Input)> {
        let found = self.0.engine.state().outstanding.get(effect).cloned();
        if let Some(found) = found {
            self.0.perform(effect, &found);
        }
        self.0.take_due()
    }

    /// What becomes of an attempt that an agent begins at `now`.
    pub fn begins(&mut self, attempt: Key, now: Time) -> Course {
        self.0.now = now;
        self.0.course(attempt, 0)
    }

    /// How long an agent that is asked takes to answer, and whether it knows.
    pub fn advice(&self, message: MessageId) -> (Span, bool) {
        let (wait, knows) = self.0.advice(message);
        (Span(wait), knows)
    }

    /// An agent's name.
    pub fn name(&self, agent: AgentId) -> String {
        self.0.engine.state().agent_name(agent)
    }

    /// Whether the sprint is over.
    pub fn is_over(&self) -> bool {
        self.0.watch.is_over()
    }

    /// What was made ready.
    pub fn set(&self) -> &'a Prepared {
        self.0.set
    }
}
