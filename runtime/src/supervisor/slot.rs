//! One child as the rules see it: what it is doing, and what it should be doing.
//!
//! Elsewhere: how the two come together is `supervision`.

use super::exit::{Exit, Generation};
use super::spec::{ChildRule, Restart};
use super::tree::{ChildState, ChildView};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Down,
    Starting,
    Up,
    /// Asked to stop.
    Stopping,
    /// Asked to stop, then killed.
    Ending,
    /// Killed as a failure, by request.
    Killing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// To be up.
    Run,
    /// To be down until its own backoff is over.
    Backoff,
    /// To be down, then up again together with the others of the group.
    Group,
    /// To be down.
    Rest,
    /// To be down and forgotten.
    Remove,
}

#[derive(Debug)]
pub(super) struct Child {
    pub(super) rule: ChildRule,
    pub(super) generation: Generation,
    pub(super) phase: Phase,
    pub(super) goal: Goal,
    /// Failures in a row, without a stable run between them.
    pub(super) failures: u32,
    pub(super) up_since_ms: Option<u64>,
    pub(super) last_exit: Option<Exit>,
    pub(super) leaked: Vec<Generation>,
}

impl Child {
    pub(super) fn new(rule: ChildRule, goal: Goal) -> Self {
        Child {
            rule,
            generation: Generation::default(),
            phase: Phase::Down,
            goal,
            failures: 0,
            up_since_ms: None,
            last_exit: None,
            leaked: Vec::new(),
        }
    }

    pub(super) fn view(&self) -> ChildView {
        ChildView {
            id: self.rule.id.clone(),
            state: match (self.phase, self.goal) {
                (Phase::Starting, _) => ChildState::Starting,
                (Phase::Up, _) => ChildState::Running,
                (Phase::Stopping | Phase::Ending | Phase::Killing, _) => ChildState::Stopping,
                (Phase::Down, Goal::Run) => ChildState::Waiting,
                (Phase::Down, Goal::Backoff | Goal::Group) => ChildState::BackingOff,
                (Phase::Down, Goal::Rest | Goal::Remove) => ChildState::Down,
            },
            generation: self.generation,
            restarts: self.generation.0.saturating_sub(1),
            last_exit: self.last_exit.clone(),
            leaked: self.leaked.len(),
        }
    }

    pub(super) fn alive(&self) -> bool {
        self.phase != Phase::Down
    }

    pub(super) fn leaving(&self) -> bool {
        matches!(self.phase, Phase::Stopping | Phase::Ending | Phase::Killing)
    }

    pub(super) fn unwanted(&self) -> bool {
        matches!(self.goal, Goal::Group | Goal::Rest | Goal::Remove)
    }

    pub(super) fn restarts_after(&self, exit: &Exit) -> bool {
        match self.rule.restart {
            Restart::Permanent => true,
            Restart::Transient => exit.is_failure(),
            Restart::Temporary => false,
        }
    }
}
