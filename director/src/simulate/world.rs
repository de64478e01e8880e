//! The world of one run: an event heap around the engine, in which agents, git, gates and people are models.
//!
//! Time is whole milliseconds from 0. What reaches the engine in one instant comes in rounds: the inputs of a round are
//! sorted by kind, task and attempt, one dispatch ends the round, and what is answered at once is the next round of
//! the same instant. So the order never depends on how the heap was filled, and actors on virtual time that are
//! asked in the same rounds make the same decisions.
//!
//! Invariant: every run ends. A sprint that does not end by itself, or not in [`TIME_MAX`] or
//! [`STEPS_PER_TASK`] inputs a task, is reported as stuck with what it waits for.
//! Elsewhere: what is seen of a run is `watch`; the numbers drawn are `stream`.

mod hands;
mod present;
mod spending;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use director_agents::cell::IDLE_TURN_MAX;
use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::ids::{AgentId, Attempt, EffectId, MessageId, TaskId};
use director_protocols::time::{Span, Time};

use self::spending::Going;
use super::crew::{Crew, Key, Mail};
use super::inputs::{self, Fate, Input};
use super::prepare::Prepared;
use super::rest::Standing;
use super::watch::Watch;
use crate::engine::effects::Effect;
use crate::engine::rounds::Rank;
use crate::engine::{Decision, Engine};
use crate::estimate::random::{Luck, Purpose, below, happens};

/// The part of a question that is about no task.
const NO_TASK: u32 = u32::MAX;
/// The longest that a simulated sprint may take: ten years.
pub const TIME_MAX: Span = Span(10 * 365 * 24 * 3_600_000);
/// The most inputs for each task of a sprint.
pub const STEPS_PER_TASK: u64 = 2_000;
/// How long an agent that is asked something is waited for, in milliseconds.
const ASKED_MAX: u64 = IDLE_TURN_MAX.as_millis() as u64;

/// Seeds the jitter of restarts in a run.
pub fn jitter(luck: Luck) -> u64 {
    luck.draw(NO_TASK, 0, Purpose::Restart)
}

/// Something that reaches the engine at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Time,
    round: u32,
    rank: Rank,
    input: Input,
}

/// An attempt as a model: how long it takes from now on, and how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// When it counts as silent, in milliseconds from now.
    pub silent: Option<u64>,
    /// When it says what it has spent so far, in milliseconds from now, and how much that is: once it is more than it might when it began,
    /// and at its end.
    pub spends: [Option<(u64, u64)>; 2],
    /// When it ends, in milliseconds from now; at least 1.
    pub took: u64,
    /// How.
    pub fate: Fate,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The sprint ended by itself.
    Ended,
    /// It would go on for ever, or wait for ever; why, in words.
    Stuck(String),
}

/// One run.
pub struct World<'a> {
    pub(super) set: &'a Prepared,
    /// The engine of this run.
    pub engine: Engine,
    luck: Luck,
    pub(super) now: Time,
    round: u32,
    heap: BinaryHeap<Reverse<Due>>,
    /// Work left for the next attempt, by task, in milliseconds.
    left: Vec<u64>,
    /// Merges that were complete when the attempt began, by task.
    begun_after: Vec<u32>,
    merges: u32,
    /// What the attempt in hand spends, by task.
    going: Vec<Going>,
    /// Nobody raises a budget that is used up.
    holds: bool,
    crew: Crew,
    /// The round that is being gathered, or the next one while one is taken.
    answers: u32,
    /// What the present round consists of.
    batch: Vec<(Rank, Input)>,
    /// When the provider limits the rate: from, until.
    windows: Vec<(u64, u64)>,
    /// Room for the decision that is being made.
    decision: Decision,
    /// Something has happened since work was handed out last that more of it could follow from.
    moved: bool,
    /// What is seen of the run.
    pub watch: Watch,
}

impl<'a> World<'a> {
    /// A world for runs of `set`.
    pub fn new(set: &'a Prepared) -> Self {
        let watch = Watch::new(set);
        Self {
            set,
            engine: Engine::default(),
            luck: Luck::of(0, 0),
            now: Time(0),
            round: 0,
            heap: BinaryHeap::new(),
            left: Vec::new(),
            begun_after: Vec::new(),
            merges: 0,
            going: Vec::new(),
            holds: false,
            crew: Crew::default(),
            answers: 1,
            batch: Vec::new(),
            windows: Vec::new(),
            decision: Decision::default(),
            moved: false,
            watch,
        }
    }

    /// One whole sprint: run number `run` under `seed`. What was seen is in `watch` afterwards.
    pub fn run(&mut self, seed: u64, run: u64) -> Ending {
        self.run_with(seed, run, &mut |_, _, _| {})
    }

    /// As [`World::run`]; each decision is shown as it falls.
    pub fn run_with(
        &mut self,
        seed: u64,
        run: u64,
        seen: &mut dyn FnMut(&Engine, Time, &Decision),
    ) -> Ending {
        self.reset(seed, run);
        let set = self.set;
        for decision in &set.decisions {
            self.see(&decision.events);
            seen(&self.engine, self.now, decision);
        }
        for (id, effect) in &set.effects {
            self.perform(*id, effect);
        }
        if !set.standing.is_empty() {
            self.pick_up();
        }
        self.stir();
        let steps_max = STEPS_PER_TASK * (self.left.len() as u64 + 10);
        let mut steps = 0;
        // What is asked for at the begin is answered before anything is handed out.
        self.moved = !set.handed_out;
        let mut first = self.moved.then_some(self.now);
        while !self.watch.is_over() {
            let Some(next) = first.take().or_else(|| self.next_moment()) else {
                return Ending::Stuck(self.what_is_left("nothing that happens by itself is left"));
            };
            if next > set.begin + TIME_MAX || steps > steps_max {
                return Ending::Stuck(self.what_is_left("it goes on without end"));
            }
            self.round = if next > self.now { 0 } else { self.round + 1 };
            self.now = next;
            self.gather();
            if self.engine.next_deadline().is_some_and(|at| at <= next) {
                self.tell(&Command::Tick, seen);
            }
            let mut batch = std::mem::take(&mut self.batch);
            for (_, input) in batch.drain(..) {
                steps += 1;
                self.take(input, seen);
            }
            self.batch = batch;
            if std::mem::take(&mut self.moved) {
                self.dispatch(seen);
            }
            self.stir();
        }
        Ending::Ended
    }

    pub(super) fn reset(&mut self, seed: u64, run: u64) {
        self.engine.clone_from(&self.set.engine);
        self.luck = Luck::of(seed, run);
        self.now = self.set.begin;
        self.round = 0;
        self.heap.clear();
        self.left.clear();
        self.watch.reset();
        let (set, luck) = (self.set, self.luck);
        for task in 0..set.tasks.len() {
            let work = set.work_at(task as u32, luck.draw(task as u32, 1, Purpose::Duration));
            let spent = set.standing.get(task).map_or(0, Standing::spent);
            self.left.push(work - spent);
            self.watch.has_work(task, work);
        }
        self.begun_after.clear();
        self.begun_after.resize(self.left.len(), 0);
        self.merges = 0;
        self.going.clear();
        self.crew.reset(set.engine.state(), jitter(luck), set.begin);
        self.answers = 1;
        self.batch.clear();
        self.windows.clear();
    }

    fn next_moment(&self) -> Option<Time> {
        let due = self.heap.peek().map(|Reverse(due)| due.at);
        // A deadline that was missed is due now.
        let deadline = self.engine.next_deadline().map(|at| at.max(self.now));
        match (due, deadline) {
            (Some(due), Some(deadline)) => Some(due.min(deadline)),
            (due, deadline) => due.or(deadline),
        }
    }

    /// Takes everything that is still to come off the heap, each with the wait from now on.
    pub(super) fn take_due(&mut self) -> Vec<(Span, Input)> {
        let due = self.heap.drain().collect::<Vec<_>>();
        due.into_iter()
            .map(|Reverse(due)| (due.at.since(self.now), due.input))
            .collect()
    }

    fn after(&mut self, wait: u64, input: Input) {
        let (at, round) = match wait {
            0 => (self.now, self.answers),
            wait => (self.now + Span(wait), 0),
        };
        let rank = inputs::rank(&input);
        self.heap.push(Reverse(Due {
            at,
            round,
            rank,
            input,
        }));
    }

    fn take(&mut self, input: Input, seen: &mut dyn FnMut(&Engine, Time, &Decision)) {
        if let Input::Up(agent) = input {
            self.crew.counts(agent);
        }
        let command = inputs::command(input, self.set, |agent| self.crew.generation(agent));
        self.tell(&command, seen);
    }

    fn tell(&mut self, command: &Command, seen: &mut dyn FnMut(&Engine, Time, &Decision)) {
        let mut decision = std::mem::take(&mut self.decision);
        // What comes too late is refused, which changes nothing.
        if self
            .engine
            .step_into(command, self.now, &mut decision)
            .is_ok()
        {
            // That an agent has begun frees nobody and unlocks nothing.
            let begins = |event: &Event| {
                matches!(event, Event::AttemptStarted(_) | Event::HandoffAccepted(_))
            };
            self.moved |= !decision.events.iter().all(begins);
            self.follow(&decision, seen);
        }
        self.decision = decision;
    }

    fn dispatch(&mut self, seen: &mut dyn FnMut(&Engine, Time, &Decision)) {
        let mut decision = std::mem::take(&mut self.decision);
        self.engine.dispatch_into(self.now, &mut decision);
        self.follow(&decision, seen);
        self.decision = decision;
    }

    fn follow(&mut self, decision: &Decision, seen: &mut dyn FnMut(&Engine, Time, &Decision)) {
        self.see(&decision.events);
        seen(&self.engine, self.now, decision);
        for (id, effect) in &decision.effects {
            self.perform(*id, effect);
        }
    }

    pub(super) fn see(&mut self, events: &[Event]) {
        for event in events {
            if let Event::TaskAdded(e) = event {
                let work = e.spec.estimate.mean().0;
                self.left.push(work);
                self.begun_after.push(self.merges);
                self.watch.add(work, self.now);
            }
            self.watch.see(self.engine.state(), event, self.now);
            match event {
                Event::InboxOpened(e) => self.ask(e.item, e.kind, e.task_id),
                Event::MergeCompleted(_) => self.merges += 1,
                Event::WorkReviewed(e) if !e.passed => self.do_again(e.task_id, e.attempt),
                Event::AttemptOverspent(e) => self.too_much(e),
                Event::AttemptEnded(e) => self.stopped(e),
                _ => {}
            }
        }
    }

    /// Answers one effect, as those it is meant for would.
    pub(super) fn perform(&mut self, id: EffectId, effect: &Effect) {
        let faults = self.set.faults;
        let git = faults.git_seconds * 1_000;
        match effect {
            // Nothing that could conflict is there to be looked at.
            Effect::SyncTeam | Effect::Plan { .. } | Effect::Watch { .. } => {}
            Effect::RestartRole { role } => self.restart(role),
            Effect::PrepareRepo { .. } => self.after(git, Input::RepoPrepared(id)),
            Effect::CheckBase { .. } => {
                let took = self.gate_time(NO_TASK, 0);
                self.after(took, Input::Gated(id, true));
            }
            Effect::PrepareWorktree { task, attempt } => {
                let refused = self.refuses(*task, *attempt, 0);
                self.after(
                    git,
                    if refused {
                        Input::Refused(id)
                    } else {
                        Input::WorktreePrepared(id)
                    },
                );
            }
            Effect::Assign {
                task,
                attempt,
                agent,
            } => self.crew.send(*agent, Mail::Assign(id, (*task, *attempt))),
            Effect::CancelAttempt {
                task,
                attempt,
                agent,
            } => {
                self.crew.call_off(*agent, (*task, *attempt));
            }
            Effect::CommitWork { task, attempt } => {
                let refused = self.refuses(*task, *attempt, 1);
                if refused {
                    self.do_again(*task, *attempt);
                }
                self.after(
                    git,
                    if refused {
                        Input::Refused(id)
                    } else {
                        Input::Committed(id, *task)
                    },
                );
            }
            Effect::Salvage { .. } => self.after(git, Input::Salvaged(id)),
            Effect::PrepareMerge { batch, .. } => {
                let conflict = batch.iter().any(|task| {
                    let attempt = self.engine.state().tasks.table[task.index()].attempt;
                    self.merges > self.begun_after[task.index()]
                        && self.chance(task.0, attempt.0, Purpose::Conflict, faults.conflict)
                });
                if conflict && batch.len() == 1 {
                    self.all_again(batch);
                }
                self.after(
                    git,
                    if conflict {
                        Input::Conflicted(id)
                    } else {
                        Input::MergePrepared(id)
                    },
                );
            }
            Effect::RunGates { batch, .. } => {
                let first = batch.first().copied().unwrap_or_default();
                let attempt = self.engine.state().tasks.table[first.index()].attempt;
                let red = batch.iter().any(|task| {
                    let attempt = self.engine.state().tasks.table[task.index()].attempt;
                    self.chance(task.0, attempt.0, Purpose::Gate, faults.red)
                });
                // Of several nobody is blamed yet; what is drawn for each stays.
                if red && batch.len() == 1 {
                    self.all_again(batch);
                }
                let took = self.gate_time(first.0, attempt.0);
                self.after(took, Input::Gated(id, !red));
            }
            // Nothing is known of how often either says no.
            Effect::CheckReadiness { .. } | Effect::Probe { .. } => {
                let took = self.gate_time(NO_TASK, id.n);
                self.after(took, Input::Gated(id, true));
            }
            Effect::Advance { .. } => self.after(git, Input::Merged(id)),
            // No branch is moved in a forecast.
            Effect::PutBack { .. } => {}
            Effect::CleanUp { .. } => self.after(git, Input::CleanedUp(id)),
            Effect::Inform { .. } => self.after(0, Input::Informed(id)),
            Effect::Deliver { message, to } => {
                let (wait, knows) = self.advice(*message);
                self.crew.send(*to, Mail::Asked(id, *message, wait, knows));
            }
            Effect::DeliverAnswer { message, to, .. } => {
                self.crew.send(*to, Mail::Answer(id, *message));
            }
        }
    }

    /// What becomes of an attempt that begins now, or has been in hand for `passed` milliseconds: drawn here.
    pub(super) fn course(&mut self, (task, attempt): Key, passed: u64) -> Course {
        self.begun_after[task.index()] = self.merges;
        let (set, luck) = (self.set, self.luck);
        let model = set.task(task);
        let work = self.left[task.index()].max(1);
        let mut fate = Fate::drawn(&set.faults, luck.draw(task.0, attempt.0, Purpose::Fate));
        let mut moment = work;
        if fate != Fate::Done {
            let bits = luck.draw(task.0, attempt.0, Purpose::Moment);
            // What would have gone wrong before now did not.
            match (1 + below(bits, passed + work)).checked_sub(passed) {
                Some(ahead) if ahead > 0 => moment = ahead,
                _ => fate = Fate::Done,
            }
        }
        let mut took = if model.limited {
            self.stretched(moment)
        } else {
            moment
        };
        let mut silent = None;
        if fate == Fate::Hang {
            let policy = &set.engine.state().sprints.table[set.sprint.index()]
                .spec
                .policy;
            silent = Some((took + policy.silent_after.0).max(1));
            took += policy.wedged_after.0;
        }
        if fate == Fate::Done && self.finds_something(task) {
            fate = Fate::Found;
        }
        if let Some(limit) = model.limit
            && passed + took > limit
        {
            (took, fate) = (limit.saturating_sub(passed), Fate::OutOfTime);
        }
        let spends = self.spends((task, attempt), (passed, moment), took, fate);
        if let Fate::Block(_) = fate {
            // What was done until then is not done again.
            self.left[task.index()] = (work - moment.min(work)).max(1);
            fate = Fate::Block(
                set.faults
                    .tier(luck.draw(task.0, attempt.0, Purpose::Severity)),
            );
        }
        Course {
            silent,
            spends,
            took: took.max(1),
            fate,
        }
    }

    /// How long `work` takes from now on, with the times in which the provider limits the rate.
    fn stretched(&mut self, work: u64) -> u64 {
        let faults = self.set.faults;
        if faults.limit_every_seconds == 0 {
            return work;
        }
        let (mut at, mut left) = (self.now.0, work);
        for window in 0.. {
            let (from, until) = self.window(window);
            if until <= at {
                continue;
            }
            if from >= at + left {
                break;
            }
            left -= from.saturating_sub(at).min(left);
            at = until;
        }
        at + left - self.now.0
    }

    fn window(&mut self, place: usize) -> (u64, u64) {
        while self.windows.len() <= place {
            let faults = self.set.faults;
            let before = self.windows.last();
            let before = before.map_or(self.set.begin.0, |(_, until)| *until);
            let bits = self
                .luck
                .draw(NO_TASK, self.windows.len() as u32, Purpose::Window);
            let from = before + 1 + self.set.waits.at(bits, faults.limit_every_seconds * 1_000);
            self.windows
                .push((from, from + faults.limit_for_seconds * 1_000));
        }
        self.windows[place]
    }

    fn chance(&self, task: u32, attempt: u32, purpose: Purpose, per_mille: u32) -> bool {
        happens(self.luck.draw(task, attempt, purpose), per_mille * 1_000)
    }

    fn gate_time(&self, task: u32, attempt: u32) -> u64 {
        let mean = self.set.faults.gates_seconds * 1_000;
        mean / 2 + below(self.luck.draw(task, attempt, Purpose::GateTime), mean)
    }

    fn refuses(&self, task: TaskId, attempt: Attempt, what: u32) -> bool {
        let name = attempt.0 * 2 + what;
        self.chance(task.0, name, Purpose::Refusal, self.set.faults.refuse)
    }

    /// How much of the task's work a rejection costs again: from half of the profile's share to one and a half.
    fn do_again(&mut self, task: TaskId, attempt: Attempt) {
        let whole = self.watch.work(task);
        let mean = whole / 1_000 * u64::from(self.set.faults.rework);
        let drawn = self.luck.draw(task.0, attempt.0, Purpose::Rework);
        self.left[task.index()] = (mean / 2 + below(drawn, mean)).max(1);
    }

    fn all_again(&mut self, batch: &[TaskId]) {
        for task in batch {
            let attempt = self.engine.state().tasks.table[task.index()].attempt;
            self.do_again(*task, attempt);
        }
    }

    /// How long an agent that is asked takes to answer, and whether it knows.
    pub(super) fn advice(&self, message: MessageId) -> (u64, bool) {
        let faults = self.set.faults;
        let row = &self.engine.state().messages.table[message.index()];
        let blocker = row
            .blocker
            .and_then(|blocker| self.engine.state().trouble.blocker(blocker));
        let (task, attempt) = match (row.waiting, blocker) {
            (Some((task, attempt)), _) => (task.0, attempt.0),
            (None, Some(blocker)) => (
                blocker.task.0,
                self.engine.state().tasks.table[blocker.task.index()]
                    .attempt
                    .0,
            ),
            (None, None) => (NO_TASK, message.0),
        };
        let knows = self.chance(task, attempt, Purpose::Advice, faults.advice);
        let wait = faults.advice_seconds * 1_000;
        // One that takes longer is not waited for.
        (wait.min(ASKED_MAX), knows && wait <= ASKED_MAX)
    }

    fn restart(&mut self, role: &str) {
        let team = &self.engine.state().team;
        let down: Vec<AgentId> = match team.by_role.get(role) {
            Some(id) => team.roles[id.index()]
                .active()
                .filter(|agent| !team.agents[agent.index()].up)
                .collect(),
            None => Vec::new(),
        };
        for agent in down {
            self.after(0, Input::Up(agent));
        }
    }

    /// Working time until the sprint's last day is over, in milliseconds.
    pub fn deadline(&self) -> Option<u64> {
        self.set.deadline.map(|span| span.0)
    }

    /// What a sprint that does not end waits for.
    fn what_is_left(&self, why: &str) -> String {
        let state = self.engine.state();
        let open: Vec<String> = state
            .tasks
            .table
            .iter()
            .filter(|task| !task.phase.is_over())
            .take(5)
            .map(|task| format!("{} is {}", task.spec.id, task.phase.as_str()))
            .collect();
        format!("{why}: {}", open.join(", "))
    }
}
