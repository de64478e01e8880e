//! Inputs of a simulated world: small values on the heap, written out as commands when their moment comes.
//!
//! Elsewhere: when they come is `world`.

use director_agents::cell::time_is_up;
use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Attempt, EffectId, Generation, InboxId, MessageId, TaskId};
use director_protocols::inbox::Reply;
use director_protocols::severity::Severity;
use director_protocols::time::Span;
use director_protocols::work::{AttemptEnd, BlockerReport, DiffStat, GateOutcome, Report, Verdict};

use super::faults::Faults;
use super::prepare::Prepared;
use crate::engine::rounds::{self, Rank, kind};
use crate::estimate::random::below;

/// What an agent says when it dies.
pub const DIED: &str = "it died";
/// What an agent answers that knows.
pub const ADVICE: &str = "do it the simple way";
/// What is said of an agent that shows no sign of life.
pub const SILENT: &str = "silent";

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
    /// An attempt has spent so much.
    Spent(TaskId, Attempt, AgentId, u64),
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
    Delivered(EffectId, MessageId, AgentId, bool),
    /// A person answers.
    Answer(InboxId),
    /// A person says no to somebody's work.
    TurnDown(InboxId),
    /// A stakeholder was told.
    Informed(EffectId),
}

/// The place of an input in its round: that of its command.
pub fn rank(input: &Input) -> Rank {
    match input {
        Input::Up(agent) => rounds::of_agent(kind::UP, *agent),
        Input::RepoPrepared(id) => rounds::of_effect(kind::REPO, *id),
        Input::WorktreePrepared(id) => rounds::of_effect(kind::WORKTREE, *id),
        Input::Refused(id) => rounds::of_effect(kind::FAILED, *id),
        Input::Started(_, task, of) => rounds::of_attempt(kind::STARTED, *task, *of),
        Input::Spent(task, of, ..) => rounds::of_attempt(kind::SPENT, *task, *of),
        Input::Ended(task, of, _, Fate::Silent) => rounds::of_attempt(kind::LIVENESS, *task, *of),
        Input::Ended(_, _, agent, Fate::Crash) => rounds::of_agent(kind::DOWN, *agent),
        Input::Ended(task, of, ..) | Input::Cancelled(task, of) => {
            rounds::of_attempt(kind::ENDED, *task, *of)
        }
        Input::Committed(id, _) => rounds::of_effect(kind::COMMITTED, *id),
        Input::Salvaged(id) => rounds::of_effect(kind::SALVAGED, *id),
        Input::MergePrepared(id) => rounds::of_effect(kind::MERGE, *id),
        Input::Conflicted(id) => rounds::of_effect(kind::CONFLICT, *id),
        Input::Gated(id, _) => rounds::of_effect(kind::GATES, *id),
        Input::Merged(id) => rounds::of_effect(kind::MERGED, *id),
        Input::CleanedUp(id) => rounds::of_effect(kind::CLEANED, *id),
        Input::Delivered(id, ..) => rounds::of_effect(kind::DELIVERY, *id),
        Input::Answer(item) | Input::TurnDown(item) => (kind::ANSWER, u64::from(item.0), 0),
        Input::Informed(id) => rounds::of_effect(kind::INFORMED, *id),
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
        Input::Spent(task, attempt, _, cost_micros) => Command::Spent {
            task,
            attempt,
            cost_micros,
        },
        Input::Ended(task, attempt, _, Fate::Silent) => Command::Liveness {
            task,
            attempt,
            state: SILENT.to_owned(),
        },
        Input::Ended(task, attempt, agent, Fate::Crash) => Command::AgentDown {
            agent,
            generation: generation(agent),
            reason: format!("panicked: {DIED}"),
            in_hand: Some((task, attempt)),
        },
        Input::Ended(task, attempt, _, fate) => Command::Ended {
            task,
            attempt,
            end: end(fate, task, set),
        },
        Input::Cancelled(task, attempt) => Command::Ended {
            task,
            attempt,
            end: AttemptEnd::Cancelled,
        },
        Input::Committed(effect, task) => Command::WorkCommitted {
            effect,
            commit: String::new(),
            files: Vec::new(),
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
        Input::Delivered(effect, message, _, knows) => Command::Delivery {
            effect,
            message,
            answer: knows.then(|| ADVICE.to_owned()),
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

/// How an attempt of the task ends, in the words that its agent would use.
pub fn end(fate: Fate, task: TaskId, set: &Prepared) -> AttemptEnd {
    match fate {
        Fate::Done => AttemptEnd::Done(set.task(task).report.clone()),
        Fate::Found => AttemptEnd::done(Report {
            findings: vec!["it has to be changed".to_owned()],
            ..Report::clone(&set.task(task).report)
        }),
        Fate::Fail => AttemptEnd::Failed {
            reason: "it failed".to_owned(),
            exit_code: None,
        },
        Fate::Hang | Fate::Silent => AttemptEnd::TimedOut {
            reason: "no sign of life".to_owned(),
        },
        Fate::OutOfTime => AttemptEnd::TimedOut {
            reason: match set.task(task).limit {
                Some(limit) => time_is_up(Span(limit)),
                None => "its time was up".to_owned(),
            },
        },
        Fate::Block(severity) => AttemptEnd::Blocked(BlockerReport {
            kind: "unclear".to_owned(),
            severity,
            text: "something is in the way".to_owned(),
        }),
        Fate::Crash => AttemptEnd::Died {
            reason: DIED.to_owned(),
        },
    }
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

#[cfg(test)]
mod tests {
    use director_protocols::ids::Seq;
    use director_protocols::manifest::{self, Format, Options};

    use super::*;
    use crate::estimate::habits::Habits;
    use crate::estimate::{Durations, Model};

    #[test]
    fn an_input_stands_where_its_command_stands() {
        let text = "[sprint]\nid = \"s\"\n[[task]]\nid = \"t\"\nrun = \"true\"\n";
        let manifest = manifest::parse(text, "s.toml", Format::Toml, &Options::default());
        let spec = manifest.expect("a sprint").spec;
        let estimates = spec.tasks.iter().map(|task| &task.estimate);
        let durations = Durations::of(Model::Exact, &Habits::published(), estimates);
        let set = Prepared::new(&spec, Faults::NONE, durations).expect("it can be simulated");
        let id = EffectId { seq: Seq(7), n: 3 };
        let (task, attempt, agent) = (TaskId(0), Attempt(5), AgentId(0));
        let ends = [
            Fate::Done,
            Fate::Found,
            Fate::Fail,
            Fate::Crash,
            Fate::Hang,
            Fate::Silent,
            Fate::OutOfTime,
            Fate::Block(Severity::High),
        ];
        let ends = ends.map(|fate| Input::Ended(task, attempt, agent, fate));
        let others = [
            Input::Up(agent),
            Input::RepoPrepared(id),
            Input::WorktreePrepared(id),
            Input::Refused(id),
            Input::Started(id, task, attempt),
            Input::Cancelled(task, attempt),
            Input::Spent(task, attempt, AgentId(1), 7),
            Input::Committed(id, task),
            Input::Salvaged(id),
            Input::MergePrepared(id),
            Input::Conflicted(id),
            Input::Gated(id, true),
            Input::Merged(id),
            Input::CleanedUp(id),
            Input::Delivered(id, MessageId(2), agent, true),
            Input::Answer(InboxId(4)),
            Input::TurnDown(InboxId(4)),
            Input::Informed(id),
        ];
        for input in ends.into_iter().chain(others) {
            let command = command(input, &set, |_| Generation(1));
            assert_eq!(rank(&input), rounds::rank(&command), "case: {input:?}");
        }
    }
}
