//! The engine: one synchronous state machine that decides everything the director decides.
//!
//! Told what happened and what time it is, it answers with events; the events change its state; effects say
//! what the world has to do next. No clock, no I/O, no randomness, no async in here, and ordered maps only, so
//! that the same inputs always give the same journal.
//!
//! ```text
//! command + now ─▶ decide ─▶ events ─▶ apply ─▶ follow ─▶ effects
//! ```
//!
//! One command is one decision and one record: what `decide` answers, and then what follows from it by rule.
//! Handing out work is a decision of its own, [`Engine::dispatch`], which ends each instant.
//!
//! Elsewhere: `decide/` has a file for each thing that can be asked; making records durable is `runtime`.

pub mod adding;
pub mod decide;
pub mod effects;
pub mod gating;
pub mod inform;
pub mod invariants;
pub mod judging;
pub mod known;
pub mod messages;
pub mod orders;
pub mod people;
pub mod sprints;
pub mod state;
pub mod tasks;
pub mod team;
pub mod trouble;

use std::collections::VecDeque;

use director_protocols::codec;
use director_protocols::command::Command;
use director_protocols::digest;
use director_protocols::event::Event;
use director_protocols::ids::{EffectId, Seq};
use director_protocols::rejection::Rejection;
use director_protocols::time::Time;

use effects::{Effect, Numbering};
use state::State;

/// What one command led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// The facts, in order; empty when nothing changed and nothing is to be journalled.
    pub events: Vec<Event>,
    /// What is to be done once they are durable.
    pub effects: Vec<(EffectId, Effect)>,
}

/// The state machine with its position in the journal.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    state: State,
    seq: Seq,
    stopping: bool,
    checked: bool,
}

impl Engine {
    /// An engine that checks its [`invariants`] after every decision and panics when one is broken; for tests.
    pub fn checked() -> Self {
        Self {
            checked: true,
            ..Self::default()
        }
    }

    /// The state, to read.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The last decision's position in the journal.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Takes in one command.
    ///
    /// # Errors
    /// A [`Rejection`] with the reason; nothing has changed then.
    pub fn step(&mut self, command: &Command, now: Time) -> Result<Decision, Rejection> {
        if matches!(command, Command::Stop) {
            self.stopping = true;
            return Ok(Decision::default());
        }
        if self.stopping && matches!(command, Command::Submit(_)) {
            return Err(Rejection::Stopping);
        }
        let events = decide::decide(&self.state, command, now)?;
        Ok(self.commit(events, now))
    }

    /// Hands out what is ready to who is free. Ends each instant.
    pub fn dispatch(&mut self, now: Time) -> Decision {
        let mut work = Work::new(self.seq.next());
        if !self.stopping {
            while let Some(event) = decide::assign::next(&self.state, now) {
                self.carry_through(vec![event], now, &mut work);
            }
        }
        self.close(work)
    }

    /// Applies the events of one record of the journal; the effects are on the outstanding list afterwards.
    ///
    /// False when an event names what does not exist: it and the rest of the record are left out, and the state is of
    /// no use.
    pub fn replay(&mut self, seq: Seq, events: Vec<Event>, now: Time) -> bool {
        let mut work = Work::new(seq);
        self.seq = seq;
        for event in events {
            if !known::is_about_known(&self.state, &event) {
                return false;
            }
            self.apply(event, now, &mut work);
        }
        true
    }

    /// What is emitted and not settled, oldest first.
    pub fn resume(&self) -> Vec<(EffectId, Effect)> {
        self.state
            .outstanding
            .iter()
            .map(|(id, effect)| (id, effect.clone()))
            .collect()
    }

    /// Whether no work of an attempt that was not finished waits to be saved: then nothing is lost sight of in a stop.
    pub fn is_all_saved(&self) -> bool {
        let mut outstanding = self.state.outstanding.iter();
        !outstanding.any(|(_, effect)| matches!(effect, Effect::Salvage { .. }))
    }

    /// When it wants to be asked again with [`Command::Tick`].
    pub fn next_deadline(&self) -> Option<Time> {
        self.state.deadlines.first().map(|(at, _)| *at)
    }

    /// A fingerprint of the whole state, in hex; equal states have equal ones.
    pub fn state_hash(&self) -> String {
        codec::encode(&self.state).map_or_else(
            |error| format!("none: {error}"),
            |bytes| digest::Digest::of(&bytes).to_string(),
        )
    }

    fn commit(&mut self, events: Vec<Event>, now: Time) -> Decision {
        let mut work = Work::new(self.seq.next());
        if !events.is_empty() {
            self.carry_through(events, now, &mut work);
        }
        self.close(work)
    }

    /// Applies `events` and everything that follows from them by rule.
    fn carry_through(&mut self, events: Vec<Event>, now: Time, work: &mut Work) {
        let mut todo: VecDeque<Event> = events.into();
        while let Some(event) = todo.pop_front() {
            self.apply(event, now, work);
            // What follows from an event comes right after it, before what was decided next to it.
            let followed = match work.decision.events.last() {
                Some(event) => decide::follow::after(&self.state, event, now),
                None => Vec::new(),
            };
            for event in followed.into_iter().rev() {
                todo.push_front(event);
            }
            if todo.is_empty() {
                todo.extend(decide::follow::at_rest(&self.state, &work.decision.events));
            }
        }
    }

    fn apply(&mut self, event: Event, now: Time, work: &mut Work) {
        self.state.apply(&event, now);
        for effect in effects::of(&self.state, &event) {
            let id = work.numbering.next_id();
            self.state.outstanding.emit(id, &effect);
            work.decision.effects.push((id, effect));
        }
        work.decision.events.push(event);
    }

    fn close(&mut self, work: Work) -> Decision {
        if !work.decision.events.is_empty() {
            self.seq = self.seq.next();
        }
        if self.checked
            && let Err(broken) = invariants::check(&self.state)
        {
            panic!(
                "invariant broken after decision {}: {broken}\n{:#?}",
                self.seq, work.decision.events
            );
        }
        work.decision
    }
}

/// A decision in the making.
struct Work {
    decision: Decision,
    numbering: Numbering,
}

impl Work {
    fn new(seq: Seq) -> Self {
        Self {
            decision: Decision::default(),
            numbering: Numbering::new(seq),
        }
    }
}
