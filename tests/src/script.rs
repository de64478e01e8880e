//! Scripts for the bare engine: one step a line in, what happened out, so that a story is read as it is tested.
//!
//! ```text
//! up | tick 1s | submit              everybody is there; time passes; the next sprint
//! start T | done T | fail T | called off T | die T | time out T | stuck T SEVERITY
//! ask T ROLE | hear [WORDS] | hear nothing   a question; the answer of who was asked
//! git ok | git same | git missing | git conflict | git refused | git moved | git no     the oldest order to git
//! gates green | gates red            the oldest order to the gates
//! pause | resume | cancel T | cancel | retry T | reassign T [AGENT] | answer N
//! see T T FILE... | see T merged FILE...   somebody looks ahead; without a file where all is well
//! limited T [Mm] | done T for $ | spend T $ | pay N $    a provider takes no more; what an attempt costs; a limit as an answer
//! lose ROLE | reopen                 a role's restarts are used up; the director is killed and another one starts
//! ```

mod branch;
mod clash;
mod money;

use std::fmt::Write;

use director::engine::effects::{Effect, Recipient};
use director::engine::{Decision, Engine};
use director_protocols::command::{Command, IncidentWork};
use director_protocols::event::Event;
use director_protocols::ids::{
    AgentId, EffectId, Generation, InboxId, IncidentId, SprintId, TaskId,
};
use director_protocols::inbox::Reply;
use director_protocols::severity::Severity;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, BlockerReport, DiffStat, GateOutcome, Report, Verdict};

/// An engine in the hands of a script.
pub struct Script {
    /// The engine, with its invariants checked.
    pub engine: Engine,
    now: Time,
    sprints: Vec<SprintSpec>,
    journal: Vec<(director_protocols::ids::Seq, Time, Vec<Event>)>,
}

impl Script {
    /// A script over these sprints; the first is submitted.
    pub fn new(mut sprints: Vec<SprintSpec>) -> Self {
        sprints.reverse();
        Self {
            engine: Engine::checked(),
            now: Time(1_000_000),
            sprints,
            journal: Vec::new(),
        }
    }

    /// Runs the lines and tells what happened.
    pub fn run(&mut self, script: &str) -> String {
        let open = Command::Open {
            version: "test".to_owned(),
        };
        self.tell(open);
        self.go_on(script)
    }

    /// As [`Script::run`], with the director that is there.
    pub fn go_on(&mut self, script: &str) -> String {
        let mut told = String::new();
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let happened = self.step(line);
            writeln!(told, "> {line}").expect("a string");
            for line in happened {
                writeln!(told, "  {line}").expect("a string");
            }
        }
        told
    }

    fn step(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let by = "ada".to_owned();
        match words[..] {
            ["submit"] => {
                let spec = self.sprints.pop().expect("a sprint is left");
                self.tell(Command::Submit(Box::new(spec)))
            }
            ["up"] => {
                let agents = 0..self.engine.state().team.agents.len() as u32;
                let mut told = Vec::new();
                for agent in agents.map(AgentId) {
                    let row = &self.engine.state().team.agents[agent.index()];
                    if !row.up && !row.retired {
                        let generation = Generation(row.generation.0 + 1);
                        told.extend(self.tell(Command::AgentUp { agent, generation }));
                    }
                }
                told
            }
            ["tick", time] => {
                let seconds: u64 = time.trim_end_matches('s').parse().expect("seconds");
                self.now = self.now + Span::seconds(seconds);
                self.tell(Command::Tick)
            }
            ["start", task] => {
                let id = self.task(task);
                let (effect, attempt) = self
                    .effects(|effect| match effect {
                        Effect::Assign { task, attempt, .. } if *task == id => Some(*attempt),
                        _ => None,
                    })
                    .expect("it is assigned");
                self.tell(Command::Started {
                    effect,
                    task: id,
                    attempt,
                })
            }
            ["done", task] => self.end(
                task,
                AttemptEnd::done(Report {
                    summary: "done".to_owned(),
                    ..Report::default()
                }),
            ),
            ["done", task, hours] => self.end(
                task,
                AttemptEnd::done(Report {
                    summary: "done".to_owned(),
                    hours_spent: Some(Span::hours(hours.parse().expect("hours"))),
                    ..Report::default()
                }),
            ),
            ["found", task] => self.end(
                task,
                AttemptEnd::done(Report {
                    findings: vec!["it is not round".to_owned()],
                    ..Report::default()
                }),
            ),
            ["override", task, gate] => {
                let task = self.task(task);
                self.tell(Command::OverrideGate {
                    task,
                    gate: gate.to_owned(),
                    reason: "it will do".to_owned(),
                    by,
                })
            }
            ["replan"] => {
                let spec = self.sprints.pop().expect("a file is left");
                self.tell(Command::Replan {
                    sprint: SprintId(0),
                    spec: Box::new(spec),
                    by,
                })
            }
            ["send", event, ref fields @ ..] => {
                let json = format!("{{\"{event}\": {}}}", fields.join(" "));
                let what = serde_json::from_str(&json).expect("an event");
                self.tell(Command::Outside {
                    sprint: SprintId(0),
                    what: Box::new(what),
                    by,
                })
            }
            ["incident", id, step] => {
                let id: u32 = id.parse().expect("a number");
                let work = match step {
                    "close" => IncidentWork::Close,
                    step => IncidentWork::Step(step.parse().expect("a step"), "known".to_owned()),
                };
                self.tell(Command::IncidentWork {
                    incident: IncidentId(id - 1),
                    work,
                    by,
                })
            }
            ["fail", task] => self.end(
                task,
                AttemptEnd::Failed {
                    reason: "exit code 1".to_owned(),
                    exit_code: Some(1),
                },
            ),
            ["time", "out", task] => self.end(
                task,
                AttemptEnd::TimedOut {
                    reason: "two hours".to_owned(),
                },
            ),
            ["called", "off", task] => self.end(task, AttemptEnd::Cancelled),
            ["stuck", task, severity] => {
                let severity = match severity {
                    "low" => Severity::Low,
                    "medium" => Severity::Medium,
                    "high" => Severity::High,
                    _ => Severity::Critical,
                };
                self.end(
                    task,
                    AttemptEnd::Blocked(BlockerReport {
                        kind: "unclear".to_owned(),
                        severity,
                        text: "which way?".to_owned(),
                    }),
                )
            }
            ["die", task] => {
                let task = self.task(task);
                let row = &self.engine.state().tasks.table[task.index()];
                let agent = row.agent.expect("somebody has it");
                let in_hand = Some((task, row.attempt));
                let generation = self.engine.state().team.agents[agent.index()].generation;
                self.tell(Command::AgentDown {
                    agent,
                    generation,
                    reason: "panicked".to_owned(),
                    in_hand,
                })
            }
            ["ask", task, to] => {
                let task = self.task(task);
                let row = &self.engine.state().tasks.table[task.index()];
                let ask = Command::Ask {
                    from: row.agent.expect("somebody has it"),
                    attempt: (task, row.attempt),
                    to: to.to_owned(),
                    text: "which way?".to_owned(),
                };
                self.tell(ask)
            }
            ["hear", ref words @ ..] => {
                let (effect, message) = self
                    .effects(|effect| match effect {
                        Effect::Deliver { message, .. } | Effect::DeliverAnswer { message, .. } => {
                            Some(*message)
                        }
                        _ => None,
                    })
                    .expect("a message is on its way");
                let answer = match words {
                    [] => Some("that way".to_owned()),
                    ["nothing"] => None,
                    words => Some(words.join(" ")),
                };
                self.tell(Command::Delivery {
                    effect,
                    message,
                    answer,
                })
            }
            ["git", how] => {
                let command = self.git(how);
                self.tell(command)
            }
            ["gates", how] => {
                let (effect, ()) = self
                    .effects(|effect| {
                        matches!(
                            effect,
                            Effect::RunGates { .. }
                                | Effect::CheckBase { .. }
                                | Effect::CheckReadiness { .. }
                                | Effect::Probe { .. }
                        )
                        .then_some(())
                    })
                    .expect("gates are to be run");
                let red = how == "red";
                self.tell(Command::GatesFinished {
                    effect,
                    outcomes: vec![GateOutcome {
                        gate: "tests".to_owned(),
                        verdict: if red {
                            Verdict::Failed
                        } else {
                            Verdict::Passed
                        },
                        evidence: "sh test.sh".to_owned(),
                        exit_code: Some(i32::from(red)),
                        took: Span(10),
                        tail: String::new(),
                        measured: None,
                    }],
                })
            }
            ["pause"] => self.tell(Command::Pause { sprint: None, by }),
            ["resume"] => self.tell(Command::Resume { sprint: None, by }),
            ["free", account] => self.tell(Command::FreeAccount {
                account: account.to_owned(),
                by,
            }),
            ["cancel"] => self.tell(Command::CancelSprint {
                sprint: SprintId(0),
                by,
            }),
            ["cancel", task] => {
                let task = self.task(task);
                self.tell(Command::CancelTask { task, by })
            }
            ["retry", task] => {
                let task = self.task(task);
                self.tell(Command::Retry { task, by })
            }
            ["reassign", task, ref to @ ..] => {
                let task = self.task(task);
                let by_name = &self.engine.state().team.by_name;
                let to = to.first().and_then(|name| by_name.get(*name)).copied();
                self.tell(Command::Reassign { task, to, by })
            }
            ["answer", item] => {
                let item: u32 = item.parse().expect("a number");
                self.tell(Command::Answer {
                    item: InboxId(item - 1),
                    reply: Reply::Answer,
                    text: "go on".to_owned(),
                    by,
                })
            }
            [how @ ("approve" | "reject"), item] => {
                let item: u32 = item.parse().expect("a number");
                let (reply, text) = match how {
                    "approve" => (Reply::Approve, ""),
                    _ => (Reply::Reject, "not like this"),
                };
                self.tell(Command::Answer {
                    item: InboxId(item - 1),
                    reply,
                    text: text.to_owned(),
                    by,
                })
            }
            ["said", how, ref text @ ..] => {
                let (effect, ()) = self
                    .effects(|effect| match effect {
                        Effect::Inform { to, .. } => {
                            matches!(to, Recipient::Peer(..)).then_some(())
                        }
                        _ => None,
                    })
                    .expect("something was posted to a peer");
                self.tell(Command::PeerSaid {
                    effect,
                    accepted: (how != "words").then_some(how == "yes"),
                    text: text.join(" "),
                })
            }
            ["told", ref problem @ ..] => {
                let (effect, ()) = self
                    .effects(|effect| matches!(effect, Effect::Inform { .. }).then_some(()))
                    .expect("somebody is to be told");
                self.tell(Command::Informed {
                    effect,
                    problem: problem.join(" "),
                })
            }
            ["lose", role] => self.tell(Command::RoleLost {
                role: role.to_owned(),
                reason: "six restarts in a minute".to_owned(),
            }),
            ["reopen"] => {
                let mut replayed = Engine::checked();
                for (seq, at, events) in &self.journal {
                    replayed.replay(*seq, events.clone(), *at);
                }
                assert_eq!(replayed.state_hash(), self.engine.state_hash());
                self.engine = replayed;
                self.tell(Command::Open {
                    version: "next".to_owned(),
                })
            }
            _ => self
                .paid(&words)
                .or_else(|| self.looked(&words))
                .unwrap_or_else(|| panic!("no step is called `{line}`")),
        }
    }

    /// The event's name and sentence.
    fn as_people_read_it(&self, event: &Event) -> String {
        let entry = director::handle::Entry {
            seq: self.engine.seq(),
            epoch: 1,
            at: self.now,
            events: vec![event.clone()],
        };
        let line = director::view::event_text(&entry, self.engine.state()).remove(0);
        let words = line.split_whitespace().skip(2);
        words.collect::<Vec<_>>().join(" ")
    }

    fn task(&self, name: &str) -> TaskId {
        let sprints = &self.engine.state().sprints.table;
        let found = sprints.iter().find_map(|sprint| sprint.by_name.get(name));
        *found.unwrap_or_else(|| panic!("no task is called `{name}`"))
    }

    /// The oldest outstanding effect that `pick` takes.
    fn effects<T>(&self, mut pick: impl FnMut(&Effect) -> Option<T>) -> Option<(EffectId, T)> {
        let outstanding = self.engine.resume().into_iter();
        outstanding
            .into_iter()
            .find_map(|(id, effect)| Some((id, pick(&effect)?)))
    }

    fn end(&mut self, task: &str, end: AttemptEnd) -> Vec<String> {
        let task = self.task(task);
        let attempt = self.engine.state().tasks.table[task.index()].attempt;
        self.tell(Command::Ended { task, attempt, end })
    }

    fn git(&self, how: &str) -> Command {
        let (effect, what) = self
            .effects(|effect| branch::is_gits(effect).then(|| effect.clone()))
            .expect("git has something to do");
        if how == "no" {
            return Command::EffectFailed {
                effect,
                reason: "git said no".to_owned(),
            };
        }
        let commit = effect.to_string();
        if let Some(answer) = self.branch(effect, &what, how) {
            return answer;
        }
        match what {
            Effect::PrepareRepo { .. } if how == "refused" => Command::RepoRefused {
                effect,
                reason: "no commit".to_owned(),
            },
            Effect::PrepareRepo { .. } => Command::RepoPrepared {
                branch: "main".to_owned(),
                effect,
                base: "base".to_owned(),
                warnings: Vec::new(),
            },
            Effect::PrepareWorktree { .. } => Command::WorktreePrepared {
                effect,
                path: "worktree".to_owned(),
                commit,
                conflict: Vec::new(),
            },
            Effect::CommitWork { .. } => Command::WorkCommitted {
                effect,
                commit,
                files: Vec::new(),
                changes: DiffStat {
                    files: u32::from(how != "same"),
                    ..DiffStat::default()
                },
                missing: match how {
                    "missing" | "same" => vec!["report.md".to_owned()],
                    _ => Vec::new(),
                },
            },
            Effect::Salvage { .. } => Command::WorkSalvaged {
                effect,
                saved: "refs/director/salvage/x".to_owned(),
                kept: None,
            },
            Effect::PrepareMerge { .. } if how == "conflict" => Command::MergeConflicted {
                effect,
                files: vec!["lib.rs".to_owned()],
                onto: "head".to_owned(),
            },
            Effect::PrepareMerge { .. } => Command::MergePrepared {
                effect,
                commit,
                onto: "head".to_owned(),
            },
            Effect::Advance { .. } => Command::MergeCompleted { effect, commit },
            _ => Command::CleanedUp {
                effect,
                kept: Vec::new(),
            },
        }
    }

    fn tell(&mut self, command: Command) -> Vec<String> {
        match self.engine.step(&command, self.now) {
            Ok(decision) => {
                let mut told = self.keep(decision);
                let decision = self.engine.dispatch(self.now);
                told.extend(self.keep(decision));
                told
            }
            Err(rejection) => vec![format!("no: {rejection}")],
        }
    }

    fn keep(&mut self, decision: Decision) -> Vec<String> {
        let events = decision.events;
        let told = events.iter().map(|event| self.line(event)).collect();
        if !events.is_empty() {
            self.journal.push((self.engine.seq(), self.now, events));
        }
        told
    }

    /// An event in a few words.
    fn line(&self, event: &Event) -> String {
        let state = self.engine.state();
        let task = |id| state.task_name(id);
        let name = event.name();
        match event {
            Event::TaskAssigned(e) => {
                let score = e.score;
                format!(
                    "{name} {} to {} as attempt {}: {} = {} expertise, {} capacity, {} continuity",
                    task(e.task_id),
                    state.agent_name(e.agent_id),
                    e.attempt,
                    score.total,
                    score.expertise,
                    score.capacity,
                    score.continuity,
                )
            }
            Event::AttemptEnded(e) => format!("{name} {} {}", task(e.task_id), e.end.as_str()),
            Event::TaskDeferred(e) => format!("{name} {}: {}", task(e.task_id), e.reason),
            Event::TaskCompleted(e) => {
                format!("{name} {} ({})", task(e.task_id), e.sprint_progress)
            }
            Event::WorkRejected(e) => {
                format!(
                    "{name} {} counts {}: {}",
                    task(e.task_id),
                    e.counts,
                    e.reason
                )
            }
            Event::RetryScheduled(e) => {
                format!("{name} {} in {}", task(e.task_id), e.at.since(self.now))
            }
            Event::TaskFailed(e) => format!("{name} {}: {}", task(e.task_id), e.reason),
            Event::TaskQuarantined(e) => {
                format!("{name} {}: {}", task(e.task_id), e.evidence.join("; "))
            }
            Event::TaskCancelled(e) => format!("{name} {}", task(e.task_id)),
            Event::TaskRetried(e) => format!("{name} {}", task(e.task_id)),
            Event::TaskReassigned(e) => {
                let to = e.to.map_or("anybody".to_owned(), |to| state.agent_name(to));
                format!("{name} {} to {to}", task(e.task_id))
            }
            Event::BlockerRaised(e) => format!(
                "{name} {} {} (reported {}, critical path {}), goes up {}",
                task(e.task_id),
                e.severity.as_str(),
                e.reported.as_str(),
                e.on_critical_path,
                e.deadline.map_or("never".to_owned(), |at| format!(
                    "in {}",
                    at.since(self.now)
                ))
            ),
            Event::BlockerEscalated(e) => {
                format!("{name} from {} to {}", e.from.as_str(), e.to.as_str())
            }
            Event::InboxOpened(e) => format!("{name} {}: {}", e.item.0 + 1, e.question),
            Event::InboxAnswered(e) => format!("{name} {}: {} by {}", e.item.0 + 1, e.answer, e.by),
            Event::EngineeringEmergency(e) => {
                format!("{name}: {} later, {}", e.delay, e.impact)
            }
            Event::EmergencyResolved(e) => {
                let names: Vec<_> = e.resumed.iter().map(|id| task(*id)).collect();
                format!("{name}, then {}", names.join(" "))
            }
            Event::IncidentStepFilled(e) => format!("{name} {}: {}", e.step.as_str(), e.text),
            Event::WorkCheckpointed(e) => format!("{name} {}", task(e.task_id)),
            Event::HelpGiven(e) => format!("{name} on {} by {}: {}", task(e.task_id), e.by, e.text),
            Event::TaskChanged(e) => format!("{name} {}: {}", task(e.task_id), e.what.join(", ")),
            Event::SprintReplanned(e) => {
                format!("{name} +{} ~{} -{}", e.added, e.changed, e.dropped)
            }
            Event::TeamUtilizationAlert(_)
            | Event::TaskRebalanced(_)
            | Event::ManagerAsked(_)
            | Event::StandupNoted(_)
            | Event::RebalancingDecided(_)
            | Event::DailyStandupCompleted(_)
            | Event::ProgressUpdated(_)
            | Event::DeliveryFailed(_)
            | Event::DeliveryRetried(_)
            | Event::DeploymentScheduled(_)
            | Event::ReadinessChecked(_)
            | Event::DeploymentProbed(_)
            | Event::DeploymentDropped(_)
            | Event::ProductDemoReady(_)
            | Event::FeedbackReceived(_)
            | Event::RiskTriggered(_)
            | Event::FallbackApplied(_) => self.as_people_read_it(event),
            Event::AccountParked(e) => format!(
                "{name} {} for {} by {}{}",
                e.account,
                e.until.since(self.now),
                task(e.task_id),
                if e.guessed { ", a guess" } else { "" }
            ),
            Event::AccountFreed(e) => format!("{name} {} by {}", e.account, e.by),
            event if money::is_paid(event) || clash::is_seen(event) => {
                self.as_people_read_it(event)
            }
            Event::QaHandoffReady(e) => format!("{name} {:?}", e.package),
            Event::DevopsHandoffReady(e) => format!("{name} {:?}", e.package),
            Event::PackageAnswered(e) => format!("{name} {} {}", e.handoff + 1, e.accepted),
            Event::TaskAdded(e) => format!("{name} {} by {}", task(e.task_id), e.by),
            Event::GateJudged(e) => {
                format!(
                    "{name} {} of {}: {:?} by {}",
                    e.gate,
                    task(e.task_id),
                    e.verdict,
                    e.by
                )
            }
            Event::WorkReviewed(e) => {
                format!("{name} {} round {}: {}", task(e.task_id), e.round, e.passed)
            }
            Event::InboxReminded(e) => {
                format!(
                    "{name} {} again in {}",
                    e.item.0 + 1,
                    e.deadline.since(self.now)
                )
            }
            Event::StakeholderInformed(e) => format!("{name} {} of {}", e.stakeholder, e.about),
            Event::InboxClosed(e) => format!("{name} {}: {}", e.item.0 + 1, e.reason),
            Event::QuestionAnswered(e) => format!("{name} by {}: {}", e.by, e.text),
            Event::HandoffSent(e) => format!("{name} {} to {}", task(e.from), task(e.to)),
            Event::SprintRefused(e) => format!("{name}: {}", e.reason.trim_end()),
            Event::SprintEnded(e) => format!("{name} {}", e.outcome.as_str()),
            Event::AgentUp(e) => format!("{name} {}", state.agent_name(e.agent_id)),
            Event::AgentDown(e) => format!("{name} {}", state.agent_name(e.agent_id)),
            _ => name.to_owned(),
        }
    }
}
