//! Runs for tests: the real engine, told by hand what a world would tell it, with every decision kept as an entry.
//!
//! The pretend world answers effects at once, one second apart: actors come up, worktrees are made, gates pass
//! (unless a test says otherwise), merges succeed. Agents do what the test says.

use std::collections::{BTreeSet, VecDeque};

use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Attempt, EffectId, Generation, SprintId, TaskId};
use director_protocols::severity::Severity;
use director_protocols::sprint::{Check, GateSpec, RunSpec, SprintSpec};
use director_protocols::time::{Span, Time};
use director_protocols::work::{
    AttemptEnd, BlockerReport, CriterionAnswer, DiffStat, GateOutcome, Report, Verdict,
};

use crate::engine::effects::Effect;
use crate::engine::state::State;
use crate::engine::{Decision, Engine};
use crate::handle::Entry;
use crate::planner::examples;

/// 2026-11-23 09:00 UTC, a Monday.
pub(crate) const START: Time = Time(1_795_424_400_000);

pub(crate) struct Run {
    pub engine: Engine,
    pub entries: Vec<Entry>,
    pub now: Time,
    todo: VecDeque<(EffectId, Effect)>,
    /// Tasks whose next gates fail.
    pub red: BTreeSet<String>,
    /// Tasks whose next merge conflicts.
    pub conflicts: BTreeSet<String>,
    /// Roles whose agents do not come up.
    pub down: BTreeSet<String>,
    /// Effects that are left unanswered.
    pub slow: fn(&Effect) -> bool,
}

impl Run {
    /// A director that has opened its journal and taken in a sprint.
    pub fn of(spec: SprintSpec) -> Self {
        let mut run = Run::empty();
        run.say(Command::Open {
            version: "1.0.0".to_owned(),
        });
        run.say(Command::Submit(Box::new(spec)));
        run.settle();
        run
    }

    pub fn empty() -> Self {
        Run {
            engine: Engine::checked(),
            entries: Vec::new(),
            now: START,
            todo: VecDeque::new(),
            red: BTreeSet::new(),
            conflicts: BTreeSet::new(),
            down: BTreeSet::new(),
            slow: |_| false,
        }
    }

    pub fn state(&self) -> &State {
        self.engine.state()
    }

    /// One command and the handing out of work that ends the instant.
    pub fn say(&mut self, command: Command) {
        let decision = self
            .engine
            .step(&command, self.now)
            .unwrap_or_else(|no| panic!("{command:?}: {no}"));
        self.keep(decision);
        let decision = self.engine.dispatch(self.now);
        self.keep(decision);
    }

    fn keep(&mut self, decision: Decision) {
        if !decision.events.is_empty() {
            self.entries.push(Entry {
                seq: self.engine.seq(),
                epoch: self.state().epoch,
                at: self.now,
                events: decision.events,
            });
        }
        self.todo.extend(decision.effects);
    }

    pub fn wait(&mut self, span: Span) {
        self.now = self.now + span;
        while self.engine.next_deadline().is_some_and(|at| at <= self.now) {
            self.say(Command::Tick);
            self.settle();
        }
    }

    /// Answers everything that the world would answer by itself.
    pub fn settle(&mut self) {
        let mut left = VecDeque::new();
        while let Some((id, effect)) = self.todo.pop_front() {
            if (self.slow)(&effect) {
                left.push_back((id, effect));
                continue;
            }
            for command in self.answers(id, &effect) {
                self.now = self.now + Span::seconds(1);
                self.say(command);
            }
        }
        self.todo = left;
    }

    fn answers(&mut self, effect: EffectId, what: &Effect) -> Vec<Command> {
        match what {
            Effect::SyncTeam | Effect::RestartRole { .. } => {
                let team = &self.state().team;
                (0u32..)
                    .map(AgentId)
                    .zip(&team.agents)
                    .filter(|(_, agent)| {
                        let role = team.roles[agent.role.index()].spec.name.as_str();
                        !agent.up && !agent.retired && !self.down.contains(role)
                    })
                    .map(|(agent, row)| Command::AgentUp {
                        agent,
                        generation: Generation(row.generation.0 + 1),
                    })
                    .collect()
            }
            Effect::Plan { .. } | Effect::Watch { .. } => Vec::new(),
            Effect::PrepareRepo { .. } => vec![Command::RepoPrepared {
                effect,
                branch: "main".to_owned(),
                base: "ba5e".repeat(10),
                warnings: Vec::new(),
            }],
            Effect::CheckReadiness { .. } | Effect::Probe { .. } => vec![Command::GatesFinished {
                effect,
                outcomes: vec![outcome("tests", Verdict::Passed)],
            }],
            Effect::CheckBase { .. } => vec![Command::GatesFinished {
                effect,
                outcomes: vec![outcome("tests", Verdict::Passed)],
            }],
            Effect::PrepareWorktree { task, .. } => vec![Command::WorktreePrepared {
                effect,
                path: format!("/repo/.worktrees/{}", self.state().task_name(*task)),
                commit: "ba5e".repeat(10),
                conflict: Vec::new(),
            }],
            Effect::Assign { task, attempt, .. } => vec![Command::Started {
                effect,
                task: *task,
                attempt: *attempt,
            }],
            Effect::CancelAttempt { task, attempt, .. } => vec![Command::Ended {
                task: *task,
                attempt: *attempt,
                end: AttemptEnd::Cancelled,
            }],
            Effect::CommitWork { task, .. } => vec![Command::WorkCommitted {
                effect,
                commit: commit(0x00c0_de00 + task.0),
                files: Vec::new(),
                changes: DiffStat {
                    files: 2,
                    insertions: 40,
                    deletions: 3,
                },
                missing: Vec::new(),
            }],
            Effect::Salvage { task, attempt } => vec![Command::WorkSalvaged {
                effect,
                saved: format!(
                    "refs/director/salvage/{}/{attempt}",
                    self.state().task_name(*task)
                ),
                kept: None,
            }],
            Effect::PrepareMerge { batch, .. } => {
                let name = self.state().task_name(batch[0]);
                if self.conflicts.remove(&name) {
                    return vec![Command::MergeConflicted {
                        effect,
                        files: vec!["src/cart.rs".to_owned()],
                        onto: String::new(),
                    }];
                }
                vec![Command::MergePrepared {
                    effect,
                    commit: commit(0xfeed_0000 + batch[0].0),
                    onto: "ba5e".repeat(10),
                }]
            }
            Effect::RunGates { batch, .. } => {
                let name = self.state().task_name(batch[0]);
                let verdict = match self.red.remove(&name) {
                    true => Verdict::Failed,
                    false => Verdict::Passed,
                };
                vec![Command::GatesFinished {
                    effect,
                    outcomes: vec![outcome("tests", verdict)],
                }]
            }
            Effect::Advance { batch, .. } => vec![Command::MergeCompleted {
                effect,
                commit: commit(0xfeed_0000 + batch[0].0),
            }],
            Effect::PutBack { sprint } => vec![Command::BranchRestored {
                effect: Some(effect),
                sprint: *sprint,
                saved: String::new(),
            }],
            Effect::CleanUp { .. } => vec![Command::CleanedUp {
                effect,
                kept: Vec::new(),
            }],
            Effect::Inform { .. } => vec![Command::Informed {
                effect,
                problem: String::new(),
            }],
            Effect::Deliver { message, .. } | Effect::DeliverAnswer { message, .. } => {
                vec![Command::Delivery {
                    effect,
                    message: *message,
                    answer: Some("Use the sandbox account.".to_owned()),
                }]
            }
        }
    }

    pub fn task(&self, name: &str) -> TaskId {
        let table = &self.state().tasks.table;
        let index = table.iter().rposition(|task| task.spec.id.as_str() == name);
        TaskId(index.unwrap_or_else(|| panic!("no task {name}")) as u32)
    }

    pub fn agent(&self, name: &str) -> AgentId {
        self.state().team.by_name[name]
    }

    fn attempt(&self, task: TaskId) -> Attempt {
        self.state().tasks.table[task.index()].attempt
    }

    /// The agent of the task has ended after so many minutes.
    pub fn end(&mut self, name: &str, minutes: u64, end: AttemptEnd) {
        self.wait(Span::minutes(minutes));
        let task = self.task(name);
        let attempt = self.attempt(task);
        self.say(Command::Ended { task, attempt, end });
        self.settle();
    }

    pub fn done(&mut self, name: &str, minutes: u64) {
        let report = Report {
            summary: format!("did {name}"),
            feedback: "the specification was clear".to_owned(),
            acceptance: vec![CriterionAnswer {
                criterion: "it works".to_owned(),
                met: true,
                evidence: "ran it".to_owned(),
            }],
            ..Report::default()
        };
        self.end(name, minutes, AttemptEnd::done(report));
    }

    pub fn fails(&mut self, name: &str, minutes: u64, reason: &str) {
        let end = AttemptEnd::Failed {
            reason: reason.to_owned(),
            exit_code: Some(1),
        };
        self.end(name, minutes, end);
    }

    pub fn blocked(&mut self, name: &str, minutes: u64, severity: Severity, text: &str) {
        let end = AttemptEnd::Blocked(BlockerReport {
            kind: "missing_credentials".to_owned(),
            severity,
            text: text.to_owned(),
        });
        self.end(name, minutes, end);
    }

    /// The agent dies with its task in hand and comes back.
    pub fn dies(&mut self, agent: &str, reason: &str) {
        let id = self.agent(agent);
        let row = &self.state().team.agents[id.index()];
        let generation = row.generation;
        let in_hand = row.task.map(|task| (task, self.attempt(task)));
        self.say(Command::AgentDown {
            agent: id,
            generation,
            reason: reason.to_owned(),
            in_hand,
        });
        self.settle();
        self.say(Command::AgentUp {
            agent: id,
            generation: generation.next(),
        });
        self.settle();
    }

    pub fn liveness(&mut self, name: &str, state: &str) {
        let task = self.task(name);
        self.say(Command::Liveness {
            task,
            attempt: self.attempt(task),
            state: state.to_owned(),
        });
    }

    pub fn answer(&mut self, item: u32, text: &str) {
        self.say(Command::Answer {
            item: director_protocols::ids::InboxId(item),
            reply: director_protocols::inbox::Reply::Answer,
            text: text.to_owned(),
            by: "ada".to_owned(),
        });
        self.settle();
    }
}

pub(crate) fn outcome(gate: &str, verdict: Verdict) -> GateOutcome {
    GateOutcome {
        gate: gate.to_owned(),
        verdict,
        evidence: "cargo test".to_owned(),
        exit_code: Some(i32::from(verdict == Verdict::Failed) * 101),
        took: Span(4_200),
        tail: match verdict {
            Verdict::Failed => "test cart::adds_up ... FAILED".to_owned(),
            _ => String::new(),
        },
        measured: None,
    }
}

/// Forty digits that differ at their beginning.
fn commit(n: u32) -> String {
    format!("{n:08x}").repeat(5)
}

/// The ten tasks of the planner's example, with or without a repository.
pub(crate) fn checkout(repo: bool) -> SprintSpec {
    let mut spec = examples::checkout();
    if repo {
        spec.repo = Some("/repo".to_owned());
        spec.base = Some("main".to_owned());
    }
    for task in &mut spec.tasks {
        if !repo || task.kind == "review" {
            task.expects = director_protocols::sprint::Expects::Nothing;
        }
    }
    spec.gates = vec![
        GateSpec {
            name: examples::name("tests"),
            check: Check::Command {
                run: RunSpec::Shell("cargo test".to_owned()),
                timeout: Span::minutes(15),
            },
        },
        GateSpec {
            name: examples::name("coverage"),
            check: Check::NotMeasured {
                wanted: "a coverage file that the tests leave behind".to_owned(),
            },
        },
    ];
    spec
}

/// An hour and a half into the sprint: two tasks done, one with an escape sequence in its blocker, one waiting to be
/// tried again, one being merged.
pub(crate) fn midway() -> Run {
    let mut spec = checkout(true);
    (spec.policy.retry_min, spec.policy.retry_max) = (Span::minutes(5), Span::minutes(5));
    let mut run = Run::of(spec);
    run.done("psp-research", 20);
    run.done("checkout-spec", 25);
    run.slow = |effect| matches!(effect, Effect::RunGates { .. });
    run.done("docs", 12);
    run.blocked(
        "cart-ui",
        3,
        Severity::High,
        "Which logo \u{1b}[31mgoes on top\u{1b}[0m?\nThe design shows two.",
    );
    run.fails("payment-api", 17, "the sandbox answered 503");
    run.wait(Span::seconds(100));
    run
}

/// A whole sprint with trouble: red gates, a conflict, a death, a question, a task that is given up.
pub(crate) fn troubled() -> Run {
    let mut run = Run::of(checkout(true));
    run.done("psp-research", 20);
    run.done("checkout-spec", 25);
    run.blocked("docs", 5, Severity::High, "Where do the docs live?");
    run.wait(Span::minutes(30));
    run.answer(0, "In docs/.");
    run.done("docs", 10);
    run.red.insert("cart-ui".to_owned());
    run.done("cart-ui", 10);
    run.wait(Span::minutes(2));
    run.dies("ux-engineer-1", "out of memory");
    run.wait(Span::minutes(2));
    run.conflicts.insert("cart-ui".to_owned());
    run.done("cart-ui", 14);
    run.done("cart-ui", 6);
    run.done("payment-api", 3);
    run.done("cart-api", 30);
    for _ in 0..3 {
        run.wait(Span::minutes(2));
        run.fails("connect", 9, "the two do not fit together");
    }
    run
}

/// The only sprint.
pub(crate) const SPRINT: SprintId = SprintId(0);

/// A text with a first line at the margin: the snapshots' own indentation is taken off, the text's is not.
pub(crate) fn framed(text: &str) -> String {
    format!("as shown:\n{text}")
}
