//! The director: supervises, routes, escalates, restarts.
//!
//! | it | where that is decided |
//! |---|---|
//! | routes: assignments, hand-offs, messages | `engine::decide::{assign, follow, message}` |
//! | escalates blockers by severity | `engine::decide::block` |
//! | has tried again what failed | `engine::decide::retry` |
//! | sequences gates and merges | `engine::decide::{follow, integrate}` |
//! | supervises and restarts its actors | `director_runtime::supervisor` |
//!
//! It owns the engine and one mailbox. Each wake takes what has arrived, decides, applies, hands the records to
//! the journal and goes on; it never waits for the disk. What leaves (orders, answers, entries on the bus) is
//! held with the position it rests on, and leaves when the journal says that position is durable.
//!
//! Invariant: nothing leaves before what it rests on is durable; what is held is bounded by [`HELD_MAX`].
//! Elsewhere: carrying out orders is `perform`; starting all this is `system`.

mod rounds;

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use director_protocols::codec::{self, PAYLOAD_LIMIT};
use director_protocols::command::Command;
use director_protocols::envelope::Sealed;
use director_protocols::event::{DECISION_KIND, DECISION_VERSION, decode_events, encode_events};
use director_protocols::ids::{EffectId, MessageId, Seq};
use director_protocols::rejection::Rejection;
use director_protocols::time::Time;
use director_runtime::bus::Bus;
use director_runtime::clock::Clock;
use director_runtime::journal::{Chain, JournalError};
use director_runtime::supervisor::{
    ChildSpec, ChildState, Lifecycle, Subtree, Supervisor, SupervisorSpec,
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::AbortHandle;

use super::journal::{self, JournalMsg};
use super::post::{Item, Post, Wake};
use super::team;
use crate::engine::effects::Effect;
use crate::engine::orders::{self, Order};
use crate::engine::{Decision, Engine};
use crate::handle::{Call, Entry, Release, Tree};
use crate::perform::Performer;
pub use rounds::{Rounds, Settled};

/// Positions that may be decided and not yet durable; past it, the director waits for the journal.
pub const HELD_MAX: usize = 65_536;
/// What the director is started with.
pub struct Arguments {
    /// The engine, replayed up to the journal's head.
    pub engine: Engine,
    /// Where the journal goes on.
    pub chain: Chain,
    /// The time of the journal's last record: time never goes back.
    pub last: Time,
    /// Its mailbox.
    pub post: Post,
    /// The journal's actor.
    pub journal: journal::Address,
    /// Carries out orders.
    pub performer: Arc<dyn Performer>,
    /// Its children, the journal first, in start order.
    pub children: Vec<ChildSpec>,
    /// Who hears what happens.
    pub bus: Bus<Arc<Entry>>,
    /// The time.
    pub clock: Clock,
    /// Where its children can be looked at.
    pub subtree: Subtree,
    /// Called once when the journal has failed, before the director stops.
    pub on_failed: Arc<dyn Fn(&JournalError) + Send + Sync>,
    /// The program's version, for the record.
    pub version: String,
    /// How what arrives is taken.
    pub rounds: Rounds,
}

/// The actor.
pub struct Director;

/// What rests on a position that is not durable yet.
struct Held {
    position: u64,
    entry: Option<Arc<Entry>>,
    orders: Vec<(EffectId, Order)>,
    release: Option<Release>,
}

/// The director's state.
pub struct State {
    engine: Engine,
    chain: Chain,
    last: Time,
    post: Post,
    journal: journal::Address,
    performer: Arc<dyn Performer>,
    supervisor: Supervisor,
    subtree: Subtree,
    bus: Bus<Arc<Entry>>,
    clock: Clock,
    held: VecDeque<Held>,
    /// What this wake has decided so far; goes to the journal at its end, or before anything else does.
    sealed: Vec<Sealed>,
    durable: u64,
    timer: Option<(Time, AbortHandle)>,
    on_failed: Arc<dyn Fn(&JournalError) + Send + Sync>,
    version: String,
    rounds: Rounds,
    stop: Stop,
    failed: Option<String>,
}

/// How far a stop in order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Nobody asked for one.
    No,
    /// The team is being stopped; its agents report what they had in hand as interrupted, and that is being saved.
    Team,
    /// Everything else is being stopped.
    Rest,
}

impl Actor for Director {
    type Msg = Wake;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Wake>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments {
            engine,
            chain,
            last,
            post,
            journal,
            performer,
            children,
            bus,
            clock,
            subtree,
            on_failed,
            version,
            rounds,
        } = arguments;
        let mut spec = SupervisorSpec::named("director").intensity(5, Duration::from_secs(60));
        for child in children {
            spec = spec.child(child);
        }
        let news = post.clone();
        let supervisor = Supervisor::new(
            spec.build()?,
            subtree.clone(),
            clock.clone(),
            move |message| {
                news.send(Item::News(message));
            },
        );
        post.belongs_to(myself);
        let durable = chain.head().seq;
        Ok(State {
            engine,
            chain,
            last,
            post,
            journal,
            performer,
            supervisor,
            subtree,
            bus,
            clock,
            held: VecDeque::new(),
            sealed: Vec::new(),
            durable,
            timer: None,
            on_failed,
            version,
            rounds,
            stop: Stop::No,
            failed: None,
        })
    }

    async fn post_start(
        &self,
        _: ActorRef<Wake>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.supervisor.start();
        state.open();
        state.record();
        state.post.awake();
        state.post.wake();
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Wake>,
        Wake: Wake,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if state.take().await {
            myself.stop(None);
        }
        let now = state.now();
        let decision = state.engine.dispatch(now);
        state.commit(decision, now, None);
        state.record();
        state.arm();
        state.stop_the_rest();
        if let Some(reason) = state.failed.take() {
            return Err(reason.into());
        }
        if !state.post.mailbox.is_empty() {
            state.post.wake();
        }
        Ok(())
    }
}

impl State {
    /// The time, which never goes back, also not over a restart.
    fn now(&mut self) -> Time {
        self.last = self.last.max(Time(self.clock.now_ms()));
        self.last
    }

    /// Takes the journal over and does again what was not settled.
    fn open(&mut self) {
        let now = self.now();
        self.chain.open_epoch();
        let command = Command::Open {
            version: self.version.clone(),
        };
        match self.engine.step(&command, now) {
            Ok(mut decision) => {
                let again: Vec<(EffectId, Effect)> = self.engine.resume();
                decision
                    .effects
                    .retain(|(id, _)| !again.iter().any(|(other, _)| other == id));
                decision.effects.extend(again);
                self.commit(decision, now, None);
            }
            Err(rejection) => self.failed = Some(rejection.to_string()),
        }
    }

    /// Deals with one item; true when the director has to stop.
    fn on_item(&mut self, item: Item) -> bool {
        match item {
            Item::Call(call) => self.on_call(call),
            Item::Durable(position) => self.on_durable(position),
            Item::JournalFailed(error) => {
                (self.on_failed)(&error);
                self.failed = Some(error.to_string());
            }
            Item::Tick => {
                // It may have come a little early, or the next deadline may be the same: armed anew in any case.
                self.disarm();
                self.on_command(&Command::Tick, None);
            }
            Item::News(news) => {
                // It may end the journal, which has to have all that was decided before.
                self.record();
                let happened = self.supervisor.handle(news);
                return happened.into_iter().any(|event| self.on_lifecycle(&event));
            }
        }
        false
    }

    fn on_lifecycle(&mut self, event: &Lifecycle) -> bool {
        match event {
            Lifecycle::Exited { child, exit, .. }
                if child.as_str() == "journal" && self.stop != Stop::Rest =>
            {
                self.failed = Some(format!("the journal's actor ended: {exit}"));
            }
            Lifecycle::Started { child, .. } if child.as_str() == team::NAME => self.tell_team(),
            Lifecycle::Escalated { reason } => self.failed = Some(reason.to_string()),
            Lifecycle::Exited { .. } | Lifecycle::Restarting { .. } if self.stop == Stop::No => {
                tracing::warn!(%event, "actor");
            }
            Lifecycle::Stopped => return true,
            _ => tracing::debug!(%event, "actor"),
        }
        false
    }

    /// Tells a team's actor that has just started what the team is; the desks of the others outlive them.
    fn tell_team(&mut self) {
        let orders = self.write_out(vec![(EffectId::default(), Effect::SyncTeam)]);
        self.hold(None, orders, None);
    }

    fn on_call(&mut self, call: Call) {
        match call {
            Call::Command(command, answer) => {
                self.on_command(&command, answer);
            }
            Call::Weighed(weigh, answer) => {
                let (command, release) = weigh(&self.engine);
                self.hold(None, Vec::new(), Some(release));
                if let Some(command) = command {
                    self.on_command(&command, Some(answer));
                }
            }
            Call::Read(question) => {
                let release = question(&self.engine);
                self.hold(None, Vec::new(), Some(release));
            }
            Call::History(from, max, answer) => {
                let reply: journal::Reply = Box::new(move |records| {
                    let entries = records
                        .unwrap_or_default()
                        .iter()
                        .filter_map(entry_of)
                        .collect();
                    drop(answer.send(entries));
                });
                self.tell_journal(JournalMsg::Read(from.0, max, reply));
            }
            Call::Tree(answer) => {
                let mut depth = self.performer.depths();
                depth.insert("director".to_owned(), self.post.mailbox.len());
                let tree = Tree {
                    below: self.subtree.view(),
                    depth,
                    said: self.performer.said(),
                };
                drop(answer.send(tree));
            }
            Call::Shutdown => {
                if self.stop == Stop::No {
                    self.on_command(&Command::Stop, None);
                    self.stop = Stop::Team;
                    if let Err(refused) = self.supervisor.stop_child(&team::NAME.into()) {
                        tracing::debug!(%refused, "there is no team to stop");
                    }
                }
            }
        }
    }

    /// Stops everything else once what the team left is saved. The team's last words come before the news of its end.
    fn stop_the_rest(&mut self) {
        let team_is_down = || {
            let children = self.supervisor.children();
            let found = children
                .iter()
                .find(|child| child.id.as_str() == team::NAME);
            found.is_none_or(|team| team.state == ChildState::Down)
        };
        if self.stop == Stop::Team
            && self.post.mailbox.is_empty()
            && self.engine.is_all_saved()
            && team_is_down()
        {
            self.stop = Stop::Rest;
            self.supervisor.shutdown();
        }
    }

    fn on_command(
        &mut self,
        command: &Command,
        answer: Option<tokio::sync::oneshot::Sender<Result<Seq, Rejection>>>,
    ) {
        let now = self.now();
        let answer = |result: Result<Seq, Rejection>| -> Option<Release> {
            answer.map(|answer| -> Release { Box::new(move || drop(answer.send(result))) })
        };
        if let Some(rejection) = too_large(command) {
            let release = answer(Err(rejection));
            return self.hold(None, Vec::new(), release);
        }
        match self.engine.step(command, now) {
            Ok(decision) => {
                let release = answer(Ok(self.engine.seq()));
                self.commit(decision, now, release);
            }
            Err(rejection) => {
                tracing::debug!(%rejection, "refused");
                let orders = refused(command, &rejection);
                let release = answer(Err(rejection));
                self.hold(None, orders, release);
            }
        }
    }

    /// Hands the decision to the journal and holds what rests on it.
    fn commit(&mut self, decision: Decision, now: Time, release: Option<Release>) {
        if decision.events.is_empty() {
            return self.hold(None, Vec::new(), release);
        }
        let orders = self.write_out(decision.effects);
        let sealed = encode_events(&decision.events)
            .map_err(|error| error.to_string())
            .and_then(|payload| {
                self.chain
                    .seal(DECISION_KIND, DECISION_VERSION, now.0, payload)
                    .map_err(|error| error.to_string())
            });
        match sealed {
            Ok(record) => {
                let entry = Entry {
                    seq: Seq(record.seq()),
                    epoch: record.epoch(),
                    at: now,
                    events: decision.events,
                };
                debug_assert_eq!(entry.seq, self.engine.seq());
                self.sealed.push(record);
                self.hold(Some(Arc::new(entry)), orders, release);
            }
            // The state is ahead of the journal: only a restart brings them together again.
            Err(reason) => {
                self.failed = Some(format!("a decision could not be recorded: {reason}"))
            }
        }
    }

    /// Hands what was decided to the journal, all at once.
    fn record(&mut self) {
        if !self.sealed.is_empty() {
            let records = std::mem::take(&mut self.sealed);
            self.send_journal(JournalMsg::Append(records));
        }
    }

    fn tell_journal(&mut self, message: JournalMsg) {
        self.record();
        self.send_journal(message);
    }

    fn send_journal(&mut self, message: JournalMsg) {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let told = journal
            .as_ref()
            .is_some_and(|journal| journal.cast(message).is_ok());
        drop(journal);
        if !told && self.stop != Stop::Rest {
            self.failed = Some("the journal's actor is gone".to_owned());
        }
    }

    /// Writes out orders now, while the state is the one they were decided in.
    fn write_out(&self, effects: Vec<(EffectId, Effect)>) -> Vec<(EffectId, Order)> {
        effects
            .into_iter()
            .filter_map(|(id, effect)| {
                orders::order(self.engine.state(), &effect).map(|order| (id, order))
            })
            .collect()
    }

    fn hold(
        &mut self,
        entry: Option<Arc<Entry>>,
        orders: Vec<(EffectId, Order)>,
        release: Option<Release>,
    ) {
        if entry.is_none() && orders.is_empty() && release.is_none() {
            return;
        }
        self.held.push_back(Held {
            position: self.chain.head().seq,
            entry,
            orders,
            release,
        });
        self.on_durable(self.durable);
    }

    /// Lets go of everything that rests on positions up to this one.
    fn on_durable(&mut self, position: u64) {
        self.durable = self.durable.max(position);
        while self
            .held
            .front()
            .is_some_and(|held| held.position <= self.durable)
            && let Some(held) = self.held.pop_front()
        {
            if let Some(entry) = held.entry {
                self.bus.publish(entry);
            }
            for (id, order) in held.orders {
                self.performer.perform(id, order);
            }
            if let Some(release) = held.release {
                release();
            }
        }
    }

    /// Sets the timer to the engine's next deadline.
    fn arm(&mut self) {
        let next = self.engine.next_deadline();
        if self.timer.as_ref().map(|(at, _)| *at) == next {
            return;
        }
        self.disarm();
        if let Some(at) = next {
            let wait = at.since(self.last).to_std();
            let post = self.post.clone();
            let timer = tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                post.send(Item::Tick);
            });
            self.timer = Some((at, timer.abort_handle()));
        }
    }

    fn disarm(&mut self) {
        if let Some((_, timer)) = self.timer.take() {
            timer.abort();
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.disarm();
        self.bus.close();
        // Whoever still waits for an answer hears that none will come.
        drop(self.post.mailbox.close_and_drain());
    }
}

/// Who is told that its request was refused: an agent that asks waits for an answer, and gets the reason as one.
fn refused(command: &Command, rejection: &Rejection) -> Vec<(EffectId, Order)> {
    let Command::Ask {
        from,
        attempt,
        text,
        ..
    } = command
    else {
        return Vec::new();
    };
    let answer = Order::DeliverAnswer {
        to: *from,
        message: MessageId::default(),
        attempt: *attempt,
        question: text.clone(),
        by: "director".to_owned(),
        text: format!("The question was not asked: {rejection}."),
    };
    vec![(EffectId::default(), answer)]
}

/// A submission that no record could hold is refused before anything is decided.
fn too_large(command: &Command) -> Option<Rejection> {
    let Command::Submit(spec) = command else {
        return None;
    };
    let bytes = codec::encoded_len(spec.as_ref()).unwrap_or(usize::MAX);
    // The frame around it, and what is decided with it, need some room too.
    (bytes > PAYLOAD_LIMIT / 2).then(|| Rejection::BadSprint {
        sprint: spec.id.to_string(),
        why: format!(
            "it is too large: at most {} MiB of text fit; move descriptions into files and name them in `spec`",
            PAYLOAD_LIMIT / 2 / 1024 / 1024
        ),
    })
}

/// A record as an entry; nothing for a record that this version cannot read, which opening has refused.
pub fn entry_of(record: &director_protocols::envelope::Record) -> Option<Entry> {
    Some(Entry {
        seq: Seq(record.seq),
        epoch: record.epoch,
        at: Time(record.time_ms),
        events: decode_events(&record.payload).ok()?,
    })
}
