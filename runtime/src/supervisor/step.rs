//! One step of supervision: what goes in and what comes out. Plain data.
//!
//! Inputs are facts and never refused; requests are wishes and may be. Both are answered with actions, to be performed in
//! their order. Whatever belongs to one incarnation carries its generation.
//!
//! Elsewhere: how one leads to the other is `supervision`.

use super::exit::{ChildId, Exit, Generation, Lifecycle};
use super::spec::ChildRule;

/// What happened. Never refused; what is stale is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The supervisor may start its children.
    Start,
    /// An incarnation is up.
    Started {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
    },
    /// An incarnation has been joined, or could not be started.
    Gone {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
        /// How it ended.
        exit: Exit,
        /// Somebody else answers for this failure: it is restarted after the backoff but costs no restart intensity.
        charged_elsewhere: bool,
    },
    /// A scheduled timer is due.
    TimerFired {
        /// Which timer.
        timer: Timer,
        /// What it was scheduled with.
        generation: u64,
    },
    /// Stop everything, last started first.
    Shutdown,
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Add a child behind the others and start it.
    Add(ChildRule),
    /// Stop a child and forget it.
    Remove(ChildId),
    /// Stop a child; it stays down.
    Stop(ChildId),
    /// Start a child that is down, without waiting for its backoff.
    Start(ChildId),
    /// End a child at once, as a failure: its restart type decides what follows.
    Kill(ChildId),
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The name is taken.
    #[error(
        "supervisor `{supervisor}` already has a child named `{child}`; remove it first or use another name"
    )]
    Duplicate {
        /// The supervisor.
        supervisor: String,
        /// The name.
        child: ChildId,
    },
    /// There is no such child.
    #[error("supervisor `{supervisor}` has no child named `{child}`")]
    Unknown {
        /// The supervisor.
        supervisor: String,
        /// The name.
        child: ChildId,
    },
    /// It is shutting down or has given up.
    #[error("supervisor `{supervisor}` is stopping and takes no more requests")]
    Closing {
        /// The supervisor.
        supervisor: String,
    },
}

/// What a timer is for. Ordered, so that it can be a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The backoff of one child.
    Restart(ChildId),
    /// The backoff of a group.
    Group,
    /// The grace of a child that was asked to stop.
    Grace(ChildId),
    /// The patience with a child that was killed.
    Join(ChildId),
}

/// What has to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start an incarnation; answer with `Started` and `Gone`.
    Spawn {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
    },
    /// Ask an incarnation to stop.
    Stop {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
    },
    /// End an incarnation without asking.
    Kill {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
    },
    /// Send `TimerFired` with this timer and generation after the delay. Replaces what is set for the same timer.
    Schedule {
        /// Which timer.
        timer: Timer,
        /// To be given back.
        generation: u64,
        /// How long, in milliseconds.
        delay_ms: u64,
    },
    /// Forget everything about a child that was removed.
    Forget(ChildId),
    /// Tell the owner.
    Tell(Lifecycle),
}
