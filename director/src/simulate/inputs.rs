//! Inputs of a simulated world: small values on the heap, written out as commands when their moment comes.
//!
//! Elsewhere: when they come is `world`.

use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Attempt, EffectId, Generation, InboxId, MessageId, TaskId};
use director_protocols::inbox::Reply;
use director_protocols::severity::Severity;
use director_protocols::time::Span;
use director_protocols::work::{
    Artifact, AttemptEnd, BlockerReport, DiffStat, GateOutcome, Report, Verdict,
};

use super::faults::Faults;
use super::prepare::Prepared;
use crate::estimate::random::below;

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The agent says it is done.
    Done,
    /// It has judged somebody's work, and found something.
    Found,
    /// It fails.
    Fail,
    /// The agent dies.
    Crash,
    /// It shows no sign of life until it is ended.
    Hang,
    /// The same attempt, earlier: it counts as silent from now on.
    Silent,
    /// Its time is up.
    OutOfTime,
    /// Something holds it up.
    Block(Severity),
}

impl Fate {
    /// The fate that a drawn number stands for.
    pub fn drawn(faults: &Faults, bits: u64) -> Self {
        let mut drawn = below(bits, 1_000) as u32;
        for (rate, fate) in [
            (faults.crash, Fate::Crash),
            (faults.hang, Fate::Hang),
            (faults.fail, Fate::Fail),
            (faults.block, Fate::Block(Severity::Low)),
        ] {
            if drawn < rate {
                return fate;
            }
            drawn -= rate;
        }
        Fate::Done
    }
}

/// One input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// An agent's next incarnation takes messages.
    Up(AgentId),
    /// The repository is ready.
    RepoPrepared(EffectId),
    /// A worktree is ready.
    WorktreePrepared(EffectId),
    /// Git or the disk says no.
    Refused(EffectId),
    /// An agent has begun.
    Started(EffectId, TaskId, Attempt),
    /// An attempt ends.
    Ended(TaskId, Attempt, AgentId, Fate),
    /// An attempt that was called off is over.
    Cancelled(TaskId, Attempt),
    /// The work is in a commit.
    Committed(EffectId, TaskId),
    /// What was left is saved.
    Salvaged(EffectId),
    /// The merge is built.
    MergePrepared(EffectId),
    /// It does not merge.
    Conflicted(EffectId),
    /// The gates have run, and passed or not.
    Gated(EffectId, bool),
    /// The branch holds the merge.
    Merged(EffectId),
    /// The worktrees are gone.
    CleanedUp(EffectId),
    /// A message has arrived, with an answer or without.
    Delivered(EffectId, MessageId, bool),
    /// A person answers.
    Answer(InboxId),
    /// A person says no to somebody's work.
    TurnDown(InboxId),
    /// A stakeholder was told.
    Informed(EffectId),
}

/// The place of an input in its round.
pub fn rank(input: &Input) -> (u8, u64, u64) {
    let effect = |kind: u8, id: &EffectId| (kind, id.seq.0, u64::from(id.n));
    let attempt = |kind: u8, task: &TaskId, attempt: &Attempt| {
        (kind, u64::from(task.0), u64::from(attempt.0))
    };
    match input {
        Input::Up(agent) => (1, u64::from(agent.0), 0),
        Input::RepoPrepared(id) => effect(2, id),
        Input::WorktreePrepared(id) => effect(3, id),
        Input::Refused(id) => effect(4, id),
        Input::Started(_, task, of) => attempt(5, task, of),
        Input::Ended(task, of, _, Fate::Silent) => attempt(6, task, of),
        Input::Ended(task, of, agent, Fate::Crash) => {
            let _ = (task, of);
            (7, u64::from(agent.0), 0)
        }
        Input::Ended(task, of, ..) | Input::Cancelled(task, of) => attempt(8, task, of),
        Input::Committed(id, _) => effect(9, id),
        Input::Salvaged(id) => effect(10, id),
        Input::MergePrepared(id) => effect(11, id),
        Input::Conflicted(id) => effect(12, id),
        Input::Gated(id, _) => effect(13, id),
        Input::Merged(id) => effect(14, id),
        Input::CleanedUp(id) => effect(15, id),
        Input::Delivered(id, ..) => effect(16, id),
        Input::Answer(item) | Input::TurnDown(item) => (17, u64::from(item.0), 0),
        Input::Informed(id) => effect(18, id),
    }
}

/// The command that an input is.
pub fn command(
    input: Input,
    set: &Prepared,
    generation: impl Fn(AgentId) -> Generation,
) -> Command {
    match input {
        Input::Up(agent) => Command::AgentUp {
            agent,
            generation: generation(agent),
        },
        Input::RepoPrepared(effect) => Command::RepoPrepared {
            effect,
            branch: "main".to_owned(),
            base: "base".to_owned(),
            warnings: Vec::new(),
        },
        Input::WorktreePrepared(effect) => Command::WorktreePrepared {
            effect,
            path: String::new(),
            commit: String::new(),
            conflict: Vec::new(),
        },
        Input::Refused(effect) => Command::EffectFailed {
            effect,
            reason: "git said no".to_owned(),
        },
        Input::Started(effect, task, attempt) => Command::Started {
            effect,
            task,
            attempt,
        },
        Input::Ended(task, attempt, agent, fate) => {
            let end = match fate {
                Fate::Done => AttemptEnd::Done(report(set, task)),
                Fate::Found => AttemptEnd::Done(Report {
                    findings: vec!["it has to be changed".to_owned()],
                    ..report(set, task)
                }),
                Fate::Fail => AttemptEnd::Failed {
                    reason: "it failed".to_owned(),
                    exit_code: None,
                },
                Fate::Hang => AttemptEnd::TimedOut {
                    reason: "no sign of life".to_owned(),
                },
                Fate::OutOfTime => AttemptEnd::TimedOut {
                    reason: "its time was up".to_owned(),
                },
                Fate::Block(severity) => AttemptEnd::Blocked(BlockerReport {
                    kind: "unclear".to_owned(),
                    severity,
                    text: "something is in the way".to_owned(),
                }),
                Fate::Silent => {
                    return Command::Liveness {
                        task,
                        attempt,
                        state: "silent".to_owned(),
                    };
                }
                Fate::Crash => {
                    return Command::AgentDown {
                        agent,
                        generation: generation(agent),
                        reason: "it died".to_owned(),
                        in_hand: Some((task, attempt)),
                    };
                }
            };
            Command::Ended { task, attempt, end }
        }
        Input::Cancelled(task, attempt) => Command::Ended {
            task,
            attempt,
            end: AttemptEnd::Cancelled,
        },
        Input::Committed(effect, task) => Command::WorkCommitted {
            effect,
            commit: String::new(),
            changes: DiffStat {
                files: u32::from(set.task(task).changes),
                insertions: 0,
                deletions: 0,
            },
            missing: Vec::new(),
        },
        Input::Salvaged(effect) => Command::WorkSalvaged {
            effect,
            saved: String::new(),
            kept: None,
        },
        Input::MergePrepared(effect) => Command::MergePrepared {
            effect,
            commit: String::new(),
            onto: String::new(),
        },
        Input::Conflicted(effect) => Command::MergeConflicted {
            effect,
            files: vec!["one that both changed".to_owned()],
            onto: String::new(),
        },
        Input::Gated(effect, passed) => Command::GatesFinished {
            effect,
            outcomes: match passed {
                true => Vec::new(),
                false => vec![red()],
            },
        },
        Input::Merged(effect) => Command::MergeCompleted {
            effect,
            commit: String::new(),
        },
        Input::CleanedUp(effect) => Command::CleanedUp {
            effect,
            kept: Vec::new(),
        },
        Input::Delivered(effect, message, knows) => Command::Delivery {
            effect,
            message,
            answer: knows.then(|| "do it the simple way".to_owned()),
        },
        Input::Informed(effect) => Command::Informed {
            effect,
            problem: String::new(),
        },
        Input::Answer(item) => Command::Answer {
            item,
            reply: Reply::Approve,
            text: String::new(),
            by: "person".to_owned(),
        },
        Input::TurnDown(item) => Command::Answer {
            item,
            reply: Reply::Reject,
            text: "it has to be changed".to_owned(),
            by: "person".to_owned(),
        },
    }
}

fn report(set: &Prepared, task: TaskId) -> Report {
    let mut report = Report::default();
    if set.task(task).artifact {
        report.artifacts.push(Artifact {
            name: "result".to_owned(),
            kind: "docs".to_owned(),
            sha256: String::new(),
            bytes: 0,
        });
    }
    report
}

fn red() -> GateOutcome {
    GateOutcome {
        gate: "gates".to_owned(),
        verdict: Verdict::Failed,
        evidence: String::new(),
        exit_code: Some(1),
        took: Span::ZERO,
        tail: String::new(),
        measured: None,
    }
}
