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

pub mod accounts;
pub mod adding;
pub mod balance;
pub mod budgets;
pub mod ceremonies;
pub mod clashes;
pub mod decide;
pub mod deliveries;
pub mod deployments;
pub mod effects;
pub mod files;
mod fork;
pub mod gating;
pub mod handoffs;
pub mod impact;
pub mod incidents;
pub mod inform;
pub mod intake;
pub mod invariants;
pub mod judging;
pub mod known;
pub mod manager;
pub mod messages;
pub mod money;
pub mod orders;
pub mod outstanding;
pub mod peers;
pub mod people;
pub mod progress;
pub mod replan;
pub mod risks;
pub mod rounds;
pub mod scope;
pub mod sprints;
pub mod state;
pub mod tasks;
pub mod team;
pub mod trouble;
pub mod waits;

use director_protocols::codec;
use director_protocols::command::Command;
use director_protocols::digest;
use director_protocols::event::Event;
use director_protocols::ids::{EffectId, InboxId, MessageId, Seq};
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
    /// What is still to be applied in the decision that is being made, the next one last; empty between decisions.
    todo: Vec<Event>,
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
        let mut decision = Decision::default();
        self.step_into(command, now, &mut decision)?;
        Ok(decision)
    }

    /// As [`Engine::step`], for those who make many decisions: `decision` is emptied, and filled again.
    ///
    /// # Errors
    /// A [`Rejection`] with the reason; nothing has changed then.
    pub fn step_into(
        &mut self,
        command: &Command,
        now: Time,
        decision: &mut Decision,
    ) -> Result<(), Rejection> {
        decision.clear();
        if matches!(command, Command::Stop) {
            self.stopping = true;
            return Ok(());
        }
        if self.stopping && matches!(command, Command::Submit(_)) {
            return Err(Rejection::Stopping);
        }
        let mut numbering = Numbering::new(self.seq.next());
        if matches!(command, Command::Tick) {
            self.deal_with_due(now, &mut numbering, decision);
        } else {
            let events = decide::decide(&self.state, command, now)?;
            self.carry_through(events, now, &mut numbering, decision);
        }
        self.close(decision);
        Ok(())
    }

    /// Hands out what is ready to who is free. Ends each instant.
    pub fn dispatch(&mut self, now: Time) -> Decision {
        let mut decision = Decision::default();
        self.dispatch_into(now, &mut decision);
        decision
    }

    /// As [`Engine::dispatch`], into a decision that is emptied and filled again.
    pub fn dispatch_into(&mut self, now: Time, decision: &mut Decision) {
        decision.clear();
        if !self.stopping {
            let mut numbering = Numbering::new(self.seq.next());
            while let Some(event) = decide::assign::next(&self.state, now) {
                self.carry_through([event], now, &mut numbering, decision);
            }
        }
        self.close(decision);
    }

    /// Applies the events of one record of the journal; the effects are on the outstanding list afterwards.
    ///
    /// False when an event names what does not exist: it and the rest of the record are left out, and the state is of
    /// no use.
    pub fn replay(&mut self, seq: Seq, events: Vec<Event>, now: Time) -> bool {
        let mut numbering = Numbering::new(seq);
        let mut decision = Decision::default();
        self.seq = seq;
        for event in events {
            if !known::is_about_known(&self.state, &event) {
                return false;
            }
            self.apply(event, now, &mut numbering, &mut decision);
        }
        true
    }

    /// What is emitted and not settled, oldest first; without what rests until it is tried again.
    pub fn resume(&self) -> Vec<(EffectId, Effect)> {
        self.state
            .outstanding
            .iter()
            .filter(|(id, _)| !self.state.is_resting(*id))
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

    /// Deals with every deadline that is due, one after the other: each in the state that the one before it led to, so that
    /// two never number what they add alike, and none is dealt with that another one has settled.
    fn deal_with_due(&mut self, now: Time, numbering: &mut Numbering, decision: &mut Decision) {
        for due in decide::block::due(&self.state, now) {
            if self.state.deadlines.contains(&due) {
                let events = decide::block::passed(&self.state, due.1, now);
                self.carry_through(events, now, numbering, decision);
            }
        }
    }

    /// Applies `events` and everything that follows from them by rule.
    fn carry_through(
        &mut self,
        events: impl IntoIterator<Item = Event, IntoIter: DoubleEndedIterator>,
        now: Time,
        numbering: &mut Numbering,
        decision: &mut Decision,
    ) {
        self.todo.extend(events.into_iter().rev());
        while let Some(mut event) = self.todo.pop() {
            // Two rules may each put something in the inbox because of one event, and neither knows of the other.
            if let Event::InboxOpened(e) = &mut event {
                e.item = InboxId(self.state.trouble.inbox.len() as u32);
            }
            let said = MessageId(self.state.messages.table.len() as u32);
            match &mut event {
                Event::ManagerAsked(e) => e.message = said,
                Event::AgentTold(e) => e.message = said,
                _ => {}
            }
            self.apply(event, now, numbering, decision);
            // What follows from an event comes right after it, before what was decided next to it.
            if let Some(event) = decision.events.last() {
                let before = self.todo.len();
                decide::follow::after(&self.state, event, now, &mut self.todo);
                self.todo[before..].reverse();
            }
            if self.todo.is_empty() {
                let next = decide::follow::at_rest(&self.state, &decision.events);
                self.todo.extend(
                    next.or_else(|| decide::message::lifted(&self.state))
                        .or_else(|| decide::clash::over(&self.state)),
                );
            }
        }
    }

    fn apply(
        &mut self,
        event: Event,
        now: Time,
        numbering: &mut Numbering,
        decision: &mut Decision,
    ) {
        self.state.apply(&event, now);
        let state = &mut self.state;
        let before = decision.effects.len();
        effects::of(state, &event, &mut |effect| {
            decision.effects.push((numbering.next_id(), effect));
        });
        decision.effects.extend(deliveries::repeated(state, &event));
        for (id, effect) in &decision.effects[before..] {
            state.outstanding.emit(*id, effect);
        }
        decision.events.push(event);
    }

    fn close(&mut self, decision: &Decision) {
        if !decision.events.is_empty() {
            self.seq = self.seq.next();
        }
        if self.checked
            && let Err(broken) = invariants::check(&self.state)
        {
            panic!(
                "invariant broken after decision {}: {broken}\n{:#?}",
                self.seq, decision.events
            );
        }
    }
}

impl Decision {
    /// Empties it; what it has room for stays.
    fn clear(&mut self) {
        self.events.clear();
        self.effects.clear();
    }
}
