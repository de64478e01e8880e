//! A world for the bare engine: answers its effects, well or badly, in a random order from a seed.
//!
//! No actors, no clock, no git: what the engine asks for is on a list, and each step answers one entry of it, lets
//! something go wrong, or has a person interfere. Every decision is kept, so that the whole can be replayed.
//!
//! Elsewhere: how an effect is answered is `answers`, what comes too late and what is not on the disk yet is `late`; what people and others interfere with is `interfere`; which sprints are tried is `sprints`; what is promised of
//! every run is `oracle`; whole runs, and smaller ones that still fail, are `scenario`.

mod answers;
mod circles;
mod clashes;
mod interfere;
mod late;
mod money;
pub mod oracle;
mod plans;
mod recount;
mod scenario;
mod sprints;

use late::Late;
pub use scenario::{Scenario, kind_of};
pub use sprints::random_sprint;

use std::collections::BTreeMap;

use director::engine::effects::Effect;
use director::engine::{Decision, Engine};
use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::ids::{AgentId, Attempt, EffectId, Generation, Seq, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, BlockerReport, Report};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How much goes wrong, each out of a thousand.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// An attempt fails, blocks, dies or times out.
    pub attempt: u32,
    /// A merge conflicts, a gate fails, git refuses.
    pub integration: u32,
    /// A person interferes.
    pub person: u32,
    /// The director is killed and another takes over.
    pub crash: u32,
    /// An agent tells or asks something, or says something about its attempt.
    pub message: u32,
    /// A role loses its agents, the clock jumps, a message comes that no honest actor would send.
    pub world: u32,
    /// The disk is slow, so that what was decided last is lost in a crash; what is wanted no longer is answered all the same.
    pub delay: u32,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Faults = Faults {
        attempt: 0,
        integration: 0,
        person: 0,
        crash: 0,
        message: 0,
        world: 0,
        delay: 0,
    };

    /// Everything goes wrong.
    pub const ROUGH: Faults = Faults {
        attempt: 300,
        integration: 200,
        person: 60,
        crash: 15,
        message: 60,
        world: 40,
        delay: 100,
    };
}

/// The engine and everything around it.
pub struct World {
    /// The engine, with its invariants checked.
    pub engine: Engine,
    /// The time.
    pub now: Time,
    /// Every decision so far.
    pub journal: Vec<(Seq, Time, Vec<Event>)>,
    rng: ChaCha8Rng,
    faults: Faults,
    pending: BTreeMap<EffectId, Effect>,
    /// Effects of decisions that are not on the disk yet: nobody has heard of them.
    held: BTreeMap<EffectId, Effect>,
    /// How many decisions are on the disk.
    durable: usize,
    /// What nobody waits for any more and is still on its way.
    late: Vec<Late>,
    generation: u32,
    working: BTreeMap<AgentId, (TaskId, Attempt)>,
    /// Deadlines that passed since anybody did anything.
    idle: u32,
    /// Somebody stood in a circle of waits after a decision.
    circle: Option<String>,
}

/// So many deadlines without anybody doing anything, and nobody will: standups would go on for ever.
const IDLE_MAX: u32 = 200;

impl World {
    /// A world in which `spec` was submitted.
    ///
    /// # Panics
    /// When the sprint is refused.
    pub fn new(seed: u64, spec: SprintSpec, faults: Faults) -> Self {
        let mut world = Self {
            engine: Engine::checked(),
            now: Time(1_000),
            journal: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            faults,
            pending: BTreeMap::new(),
            held: BTreeMap::new(),
            durable: 0,
            late: Vec::new(),
            generation: 0,
            working: BTreeMap::new(),
            idle: 0,
            circle: None,
        };
        world.open();
        world.submit(spec).expect("the sprint is accepted");
        world
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.rng.next_u64() % limit.max(1) as u64) as usize
    }

    fn chance(&mut self, per_mille: u32) -> bool {
        self.rng.next_u32() % 1000 < per_mille
    }

    fn keep(&mut self, decision: Decision) {
        if decision.events.is_empty() {
            return;
        }
        let circle = || circles::who_waits_for_ever(self.engine.state());
        self.circle = self.circle.take().or_else(circle);
        for event in &decision.events {
            if let Event::AttemptEnded(ended) = event {
                self.working.remove(&ended.agent_id);
            }
        }
        self.held.extend(decision.effects);
        self.journal
            .push((self.engine.seq(), self.now, decision.events));
        if self.faults.delay == 0 || !self.chance(self.faults.delay) {
            self.sync();
        }
    }

    /// Tells the engine something and hands out work.
    ///
    /// # Errors
    /// The engine's rejection.
    pub fn tell(&mut self, command: Command) -> Result<(), Rejection> {
        let decision = self.engine.step(&command, self.now)?;
        self.keep(decision);
        let decision = self.engine.dispatch(self.now);
        self.keep(decision);
        self.forget_unwanted();
        Ok(())
    }

    fn open(&mut self) {
        self.generation += 1;
        let command = Command::Open {
            version: "test".to_owned(),
        };
        let decision = self.engine.step(&command, self.now).expect("opens");
        self.working.clear();
        self.late.clear();
        self.keep(decision);
        self.sync();
        self.pending = self.engine.resume().into_iter().collect();
        self.raise_agents();
    }

    /// Kills the director: a new one knows only the journal.
    ///
    /// # Panics
    /// When the replayed state is not the one that was lost.
    pub fn crash(&mut self) {
        self.compare_with_replay();
        self.lose_what_was_not_durable();
        let mut replayed = Engine::checked();
        for (seq, at, events) in &self.journal {
            replayed.replay(*seq, events.clone(), *at);
        }
        self.engine = replayed;
        self.open();
    }

    fn compare_with_replay(&self) {
        let mut replayed = Engine::checked();
        for (seq, at, events) in &self.journal {
            replayed.replay(*seq, events.clone(), *at);
        }
        assert_eq!(
            replayed.state_hash(),
            self.engine.state_hash(),
            "replay is exact"
        );
        assert_eq!(replayed.resume(), self.engine.resume());
    }

    /// Submits a sprint, and waits until that is on the disk.
    ///
    /// # Errors
    /// The engine's rejection.
    pub fn submit(&mut self, spec: SprintSpec) -> Result<(), Rejection> {
        self.tell(Command::Submit(Box::new(spec)))?;
        self.sync();
        Ok(())
    }

    fn raise_agents(&mut self) {
        for index in 0..self.engine.state().team.agents.len() {
            let team = &self.engine.state().team;
            let agent = &team.agents[index];
            if !agent.up && !agent.retired && !team.roles[agent.role.index()].lost {
                let up = Command::AgentUp {
                    agent: AgentId(index as u32),
                    generation: Generation(self.generation),
                };
                self.tell(up).expect("an agent comes up");
            }
        }
    }

    /// Ends the actors of agents that are no longer part of the team.
    fn retire(&mut self) {
        for index in 0..self.engine.state().team.agents.len() {
            let agent = AgentId(index as u32);
            let row = &self.engine.state().team.agents[index];
            if !row.retired || !row.up {
                continue;
            }
            let generation = row.generation;
            // What it has begun, and what lies in its mailbox.
            let unbegun = self.pending.values().find_map(|effect| match effect {
                Effect::Assign {
                    task,
                    attempt,
                    agent: to,
                } if *to == agent => Some((*task, *attempt)),
                _ => None,
            });
            if let Some((task, attempt)) = self.working.remove(&agent).or(unbegun) {
                self.tell(Command::Ended {
                    task,
                    attempt,
                    end: AttemptEnd::Interrupted,
                })
                .expect("an end is accepted");
            }
            self.tell(Command::AgentDown {
                agent,
                generation,
                reason: "stopped".to_owned(),
                in_hand: None,
            })
            .expect("a retirement is accepted");
        }
    }

    /// One step: an answer, a fault, a person, or time passing. False when nothing is left to do.
    pub fn step(&mut self) -> bool {
        self.now = self.now + Span(self.rng.next_u64() % 500);
        self.raise_agents();
        if self.chance(self.faults.crash) {
            self.crash();
            return true;
        }
        if self.chance(self.faults.person) {
            self.interfere();
            return true;
        }
        if self.chance(self.faults.message) {
            self.talk();
            return true;
        }
        if self.chance(self.faults.world) {
            self.turn_hostile();
            return true;
        }
        if self.faults.delay > 0 && self.chance(self.faults.delay) && self.come_late() {
            return true;
        }
        let busy: Vec<AgentId> = self.working.keys().copied().collect();
        let waiting: Vec<EffectId> = self.pending.keys().copied().collect();
        let choices = waiting.len() + busy.len();
        if choices == 0 && !self.held.is_empty() {
            self.sync();
            return true;
        }
        if choices == 0 {
            return self.wait();
        }
        self.idle = 0;
        let mut choice = self.below(choices);
        // Who asked something mostly waits for the answer.
        for _ in 0..6 {
            let asks = busy.get(choice.wrapping_sub(waiting.len()));
            let waits = &self.engine.state().messages.waits;
            if !asks.is_some_and(|agent| waits.contains_key(agent)) {
                break;
            }
            choice = self.below(choices);
        }
        // Gates mostly take longer than anything else, so that work gathers behind them.
        for _ in 0..6 {
            let effect = waiting.get(choice).and_then(|id| self.pending.get(id));
            if !matches!(effect, Some(Effect::RunGates { .. })) {
                break;
            }
            choice = self.below(choices);
        }
        if choice < waiting.len() {
            self.answer(waiting[choice]);
        } else {
            self.finish(busy[choice - waiting.len()]);
        }
        true
    }

    /// Nothing goes wrong from now on; runs until nothing is left to do.
    ///
    /// # Panics
    /// When that takes more than `steps_max` steps.
    pub fn settle(&mut self, steps_max: usize) {
        self.faults = Faults::NONE;
        for _ in 0..steps_max {
            if !self.step() {
                return;
            }
        }
        panic!("nothing comes to rest: {:#?}", self.engine.resume());
    }

    fn finish(&mut self, agent: AgentId) {
        let (task, attempt) = self.working[&agent];
        let cost_micros = self.some_cost();
        let end = if self.chance(self.faults.attempt) {
            match self.below(9) {
                0 => AttemptEnd::Failed {
                    reason: "exit code 1".to_owned(),
                    exit_code: Some(1),
                },
                1 => AttemptEnd::TimedOut {
                    reason: "two hours".to_owned(),
                },
                2 => {
                    // It dies: its supervisor says so.
                    self.working.remove(&agent);
                    let down = Command::AgentDown {
                        agent,
                        generation: self.engine.state().team.agents[agent.index()].generation,
                        reason: "panicked".to_owned(),
                        in_hand: Some((task, attempt)),
                    };
                    self.tell(down).expect("a death is accepted");
                    self.late.push(Late::Report(task, attempt));
                    return;
                }
                7 => AttemptEnd::Limited {
                    reason: "too many requests".to_owned(),
                    until: match self.below(3) {
                        0 => None,
                        // What has passed already is no moment to wait for.
                        1 => Some(Time(self.now.0.saturating_sub(1))),
                        _ => Some(self.now + Span::minutes(self.below(300) as u64)),
                    },
                },
                8 => {
                    self.spends_all(task, attempt);
                    AttemptEnd::BudgetReached
                }
                severity => AttemptEnd::Blocked(BlockerReport {
                    kind: "unclear".to_owned(),
                    severity: [
                        Severity::Low,
                        Severity::Medium,
                        Severity::High,
                        Severity::Critical,
                    ][severity - 3],
                    text: "which way?".to_owned(),
                }),
            }
        } else {
            let judges = self.engine.state().is_help(task);
            let findings = match judges && self.chance(self.faults.attempt) {
                true => vec!["not like this".to_owned()],
                false => Vec::new(),
            };
            AttemptEnd::done(Report {
                summary: "done".to_owned(),
                findings,
                cost_micros,
                ..Report::default()
            })
        };
        self.working.remove(&agent);
        let ended = Command::Ended { task, attempt, end };
        self.tell(ended.clone()).expect("an end is accepted");
        if self.chance(200) {
            let again = self.tell(ended);
            assert!(again.is_err(), "the same end counted twice");
        }
    }

    /// The last events, one a line, for the message of a failing test.
    pub fn last(&self, count: usize) -> String {
        let lines: Vec<String> = self
            .journal
            .iter()
            .flat_map(|(seq, _, events)| events.iter().map(move |event| (seq, event)))
            .map(|(seq, event)| format!("{seq} {} {}", event.name(), event.fields()))
            .collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    /// How many tasks are in each phase.
    pub fn phases(&self) -> BTreeMap<&'static str, usize> {
        let mut phases = BTreeMap::new();
        let own = self.engine.state().tasks.table.iter();
        for task in own.filter(|task| !task.is_help()) {
            *phases.entry(task.phase.as_str()).or_insert(0) += 1;
        }
        phases
    }
}
