//! How the world answers what the engine asks for: well, or badly.

use director::engine::effects::{Effect, Recipient};
use director_protocols::command::{Command, MovedBranch};
use director_protocols::event::Event;
use director_protocols::ids::{AgentId, Attempt, EffectId, SprintId, TaskId};
use director_protocols::time::Span;
use director_protocols::work::{AttemptEnd, DiffStat, GateOutcome, Verdict};

use super::World;
use super::late::Late;

impl World {
    /// Answers an effect that is wanted.
    pub(super) fn answer(&mut self, effect: EffectId) {
        let Some(what) = self.pending.remove(&effect) else {
            return;
        };
        match &what {
            Effect::SyncTeam => return self.retire(),
            Effect::RestartRole { .. } => return,
            Effect::Watch { sprint } => return self.look_ahead(*sprint),
            Effect::Plan { sprint, base } => return self.plan(effect, *sprint, *base),
            Effect::Assign {
                task,
                attempt,
                agent,
            } => drop(self.working.insert(*agent, (*task, *attempt))),
            Effect::CancelAttempt {
                task,
                attempt,
                agent,
            } => self.stop_work(*agent, (*task, *attempt)),
            _ => {}
        }
        let Some(command) = self.reply(effect, &what) else {
            return;
        };
        if let Command::PeerSaid { .. } = command {
            // It says something, and then that it was received.
            self.pending.insert(effect, what);
        }
        self.tell(command.clone())
            .unwrap_or_else(|rejection| panic!("{command:?} was refused: {rejection}"));
        if self.chance(100) {
            // An answer that comes twice counts once.
            let before = self.engine.seq();
            let _ = self.tell(command);
            let facts = self.journal.iter().filter(|(seq, ..)| *seq > before);
            for (_, _, events) in facts {
                assert!(
                    events.iter().all(|event| matches!(
                        event,
                        Event::TaskAssigned(_)
                            | Event::CostReserved(_)
                            | Event::BudgetHeld(_)
                            | Event::BudgetFreed(_)
                            | Event::InboxOpened(_)
                            | Event::InboxClosed(_)
                    )),
                    "a repeated answer counted: {events:?}"
                );
            }
        }
    }

    /// An agent is told to stop: what it has not begun is dropped from its mailbox, and what it would have reported may still come.
    fn stop_work(&mut self, agent: AgentId, (task, attempt): (TaskId, Attempt)) {
        if self.working.get(&agent) != Some(&(task, attempt)) {
            self.pending.retain(|_, other| {
                !matches!(other, Effect::Assign { task: t, attempt: a, .. } if (*t, *a) == (task, attempt))
            });
        }
        self.working.remove(&agent);
        self.late.push(Late::Report(task, attempt));
    }

    /// The branch is not where it should be.
    fn moved(&self, effect: EffectId, sprint: SprintId) -> Command {
        Command::BranchMoved {
            effect: Some(effect),
            sprint,
            moved: MovedBranch {
                name: "refs/heads/sprint/s".to_owned(),
                expected: self.engine.state().sprints.table[sprint.index()]
                    .head
                    .clone(),
                found: format!("not {effect}"),
                contains: true,
                between: "Nobody knows what.".to_owned(),
            },
        }
    }

    /// What is said to an effect, now or too late; nothing where nothing is awaited.
    pub(super) fn reply(&mut self, effect: EffectId, what: &Effect) -> Option<Command> {
        let bad = self.chance(self.faults.integration);
        let refused = Command::EffectFailed {
            effect,
            reason: "git said no".to_owned(),
        };
        let hash = format!("{effect}");
        Some(match what {
            Effect::SyncTeam
            | Effect::RestartRole { .. }
            | Effect::Plan { .. }
            | Effect::Watch { .. } => return None,
            Effect::PrepareRepo { .. } if bad && self.chance(200) => Command::RepoRefused {
                effect,
                reason: "no commit".to_owned(),
            },
            Effect::PrepareRepo { .. } => Command::RepoPrepared {
                effect,
                branch: "main".to_owned(),
                base: "base".to_owned(),
                warnings: Vec::new(),
            },
            Effect::CheckBase { .. } => Command::GatesFinished {
                effect,
                outcomes: vec![outcome(Verdict::Passed)],
            },
            // Where several are gated together, one of them is red more often than one alone.
            Effect::RunGates { batch, .. }
                if batch.len() > 1 && self.chance(self.faults.integration * 2) =>
            {
                Command::GatesFinished {
                    effect,
                    outcomes: vec![outcome(Verdict::Failed)],
                }
            }
            Effect::RunGates { .. } | Effect::CheckReadiness { .. } | Effect::Probe { .. } => {
                let verdict = if bad {
                    Verdict::Failed
                } else {
                    Verdict::Passed
                };
                Command::GatesFinished {
                    effect,
                    outcomes: vec![outcome(verdict)],
                }
            }
            // Somebody else moved the branch.
            Effect::PrepareWorktree { task, .. } if bad && effect.seq.0.is_multiple_of(5) => {
                let sprint = self.engine.state().tasks.table[task.index()].sprint;
                self.moved(effect, sprint)
            }
            Effect::PrepareMerge { sprint, .. } | Effect::Advance { sprint, .. }
                if bad && effect.seq.0.is_multiple_of(5) =>
            {
                self.moved(effect, *sprint)
            }
            Effect::PrepareWorktree { .. } if bad => refused,
            Effect::PrepareWorktree { .. } => Command::WorktreePrepared {
                effect,
                path: "worktree".to_owned(),
                commit: "head".to_owned(),
                conflict: Vec::new(),
            },
            Effect::Assign { task, attempt, .. } => Command::Started {
                effect,
                task: *task,
                attempt: *attempt,
            },
            Effect::CancelAttempt { task, attempt, .. } => Command::Ended {
                task: *task,
                attempt: *attempt,
                end: AttemptEnd::Cancelled,
            },
            Effect::CommitWork { .. } if bad => refused,
            Effect::CommitWork { .. } => Command::WorkCommitted {
                effect,
                commit: hash,
                files: Vec::new(),
                changes: DiffStat {
                    files: u32::from(!self.chance(self.faults.integration)),
                    insertions: 1,
                    deletions: 0,
                },
                missing: match self.chance(self.faults.integration / 2) {
                    true => vec!["report.md".to_owned()],
                    false => Vec::new(),
                },
            },
            Effect::Salvage { .. } => Command::WorkSalvaged {
                effect,
                saved: "refs/director/salvage/x".to_owned(),
                kept: bad.then(|| "a nested repository".to_owned()),
            },
            Effect::PrepareMerge { .. } if bad => Command::MergeConflicted {
                effect,
                files: vec!["src/lib.rs".to_owned()],
                onto: "head".to_owned(),
            },
            Effect::PrepareMerge { .. } => Command::MergePrepared {
                effect,
                commit: hash,
                onto: "head".to_owned(),
            },
            Effect::Advance { .. } if bad => refused,
            Effect::Advance { .. } => Command::MergeCompleted {
                effect,
                commit: hash,
            },
            Effect::PutBack { .. } if bad => refused,
            Effect::PutBack { sprint } => Command::BranchRestored {
                effect: Some(effect),
                sprint: *sprint,
                saved: "refs/director/salvage/s/branch-x/0".to_owned(),
            },
            Effect::CleanUp { .. } => Command::CleanedUp {
                effect,
                kept: Vec::new(),
            },
            Effect::Inform { .. } if bad => refused,
            Effect::Inform {
                to: Recipient::Peer(..),
                ..
            } if self.chance(300) => Command::PeerSaid {
                effect,
                accepted: [None, Some(true), Some(false)][self.below(3)],
                text: "like this".to_owned(),
            },
            Effect::Inform { .. } => Command::Informed {
                effect,
                problem: String::new(),
            },
            Effect::Deliver { .. } | Effect::DeliverAnswer { .. } if bad => refused,
            Effect::Deliver { message, .. } => Command::Delivery {
                effect,
                message: *message,
                answer: (!self.chance(300)).then(|| "that way".to_owned()),
            },
            Effect::DeliverAnswer { message, .. } => Command::Delivery {
                effect,
                message: *message,
                answer: None,
            },
        })
    }
}

fn outcome(verdict: Verdict) -> GateOutcome {
    GateOutcome {
        gate: "tests".to_owned(),
        verdict,
        evidence: "sh test.sh".to_owned(),
        exit_code: Some(i32::from(verdict == Verdict::Failed)),
        took: Span(10),
        tail: String::new(),
        measured: None,
    }
}
