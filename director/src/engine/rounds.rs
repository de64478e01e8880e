//! Rounds: the order of what reaches the engine in one instant.
//!
//! Where time is virtual, many things happen in the same millisecond, and the order in which they arrive is an accident of whoever
//! carries them. There they are taken in rounds: what has arrived by the time that nothing moves any more is sorted by
//! kind, task and attempt, and one dispatch ends the round; what is answered at once is the next one.
//!
//! Invariant: both drivers of virtual time sort by the same ranks, so they make the same decisions.
//! Elsewhere: the drivers are `actors::director` (gathered rounds) and [`crate::simulate::world`].

use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Attempt, EffectId, TaskId};

/// The place of an input in its round: its kind, then what it is about.
pub type Rank = (u8, u64, u64);

/// A deadline comes before everything else of its instant.
pub const TICK: Rank = (0, 0, 0);
/// What people and programs ask for comes last, in the order in which it arrived.
pub const ASKED: Rank = (u8::MAX, 0, 0);

/// The kinds of input, in their order. A death comes before the next life.
pub mod kind {
    #![allow(missing_docs, reason = "named after the commands")]
    pub const DOWN: u8 = 1;
    pub const UP: u8 = 2;
    pub const REPO: u8 = 3;
    pub const WORKTREE: u8 = 4;
    pub const FAILED: u8 = 5;
    pub const STARTED: u8 = 6;
    pub const LIVENESS: u8 = 7;
    pub const SPENT: u8 = 8;
    pub const ENDED: u8 = 9;
    pub const COMMITTED: u8 = 10;
    pub const SALVAGED: u8 = 11;
    pub const MERGE: u8 = 12;
    pub const CONFLICT: u8 = 13;
    pub const GATES: u8 = 14;
    pub const MERGED: u8 = 15;
    pub const CLEANED: u8 = 16;
    pub const DELIVERY: u8 = 17;
    pub const ANSWER: u8 = 18;
    pub const INFORMED: u8 = 19;
}

/// The rank of what an effect led to.
pub fn of_effect(kind: u8, id: EffectId) -> Rank {
    (kind, id.seq.0, u64::from(id.n))
}

/// The rank of what happened to an attempt.
pub fn of_attempt(kind: u8, task: TaskId, attempt: Attempt) -> Rank {
    (kind, u64::from(task.0), u64::from(attempt.0))
}

/// The rank of what happened to an agent.
pub fn of_agent(kind: u8, agent: AgentId) -> Rank {
    (kind, u64::from(agent.0), 0)
}

/// The rank of a command among those of its instant.
pub fn rank(command: &Command) -> Rank {
    match command {
        Command::Tick => TICK,
        Command::AgentDown { agent, .. } => of_agent(kind::DOWN, *agent),
        Command::AgentUp { agent, .. } => of_agent(kind::UP, *agent),
        Command::RepoPrepared { effect, .. } | Command::RepoRefused { effect, .. } => {
            of_effect(kind::REPO, *effect)
        }
        Command::WorktreePrepared { effect, .. } => of_effect(kind::WORKTREE, *effect),
        Command::BranchMoved {
            effect: Some(effect),
            ..
        }
        | Command::BranchRestored {
            effect: Some(effect),
            ..
        }
        | Command::EffectFailed { effect, .. } => of_effect(kind::FAILED, *effect),
        Command::Started { task, attempt, .. } => of_attempt(kind::STARTED, *task, *attempt),
        Command::Liveness { task, attempt, .. } => of_attempt(kind::LIVENESS, *task, *attempt),
        Command::Spent { task, attempt, .. } => of_attempt(kind::SPENT, *task, *attempt),
        Command::Ended { task, attempt, .. } => of_attempt(kind::ENDED, *task, *attempt),
        Command::WorkCommitted { effect, .. } => of_effect(kind::COMMITTED, *effect),
        Command::WorkSalvaged { effect, .. } => of_effect(kind::SALVAGED, *effect),
        Command::MergePrepared { effect, .. } => of_effect(kind::MERGE, *effect),
        Command::MergeConflicted { effect, .. } => of_effect(kind::CONFLICT, *effect),
        Command::GatesFinished { effect, .. } => of_effect(kind::GATES, *effect),
        Command::MergeCompleted { effect, .. } => of_effect(kind::MERGED, *effect),
        Command::CleanedUp { effect, .. } => of_effect(kind::CLEANED, *effect),
        Command::Delivery { effect, .. } => of_effect(kind::DELIVERY, *effect),
        Command::Answer { item, .. } => (kind::ANSWER, u64::from(item.0), 0),
        Command::Informed { effect, .. } => of_effect(kind::INFORMED, *effect),
        _ => ASKED,
    }
}
