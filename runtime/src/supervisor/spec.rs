//! What a supervisor is told at its construction: policy, children, restart types.

use std::collections::BTreeSet;
use std::time::Duration;

use super::backoff::Backoff;
use super::child::ChildSpec;
use super::exit::ChildId;
use super::intensity::Intensity;
use super::strategy::Strategy;

/// A grace of this many milliseconds never ends: for children that are supervisors and stop their own children.
pub const UNLIMITED_MS: u64 = u64::MAX;

/// Time a killed child has to be joined before it is given up as leaked, unless the policy says otherwise.
const JOIN_MS: u64 = 5_000;

/// Milliseconds of a duration; [`Duration::MAX`] and everything too long is [`UNLIMITED_MS`].
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(UNLIMITED_MS)
}

/// When a child that ended is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// After a failure; a normal end is final.
    Transient,
    /// Never.
    Temporary,
}

/// What a supervisor does about failures. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Name of the supervisor, as escalations and trees show it.
    pub name: String,
    /// Who is restarted together.
    pub strategy: Strategy,
    /// Restarts allowed per window, for all children together.
    pub intensity: Intensity,
    /// Delay before a restart.
    pub backoff: Backoff,
    /// Seed of the jitter.
    pub seed: u64,
    /// Time from the kill of a child to giving it up as leaked, in milliseconds.
    pub join_ms: u64,
}

impl Policy {
    /// The defaults, under a name.
    pub fn named(name: impl Into<String>) -> Self {
        Policy {
            name: name.into(),
            strategy: Strategy::default(),
            intensity: Intensity::default(),
            backoff: Backoff::default(),
            seed: 0,
            join_ms: JOIN_MS,
        }
    }
}

/// What the rules need to know of a child. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildRule {
    /// Its name among its siblings.
    pub id: ChildId,
    /// When it is started again.
    pub restart: Restart,
    /// Time from being asked to stop to being killed, in milliseconds. 0 kills at once; [`UNLIMITED_MS`] never.
    pub grace_ms: u64,
}

/// Why a supervisor could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Two children of one name.
    #[error("supervisor `{supervisor}` has two children named `{child}`; rename one")]
    DuplicateChild {
        /// The supervisor.
        supervisor: String,
        /// The name given twice.
        child: ChildId,
    },
    /// A delay that shrinks.
    #[error(
        "supervisor `{supervisor}` waits at least {min_ms} ms but at most {max_ms} ms before a restart; raise the maximum"
    )]
    BackoffTurned {
        /// The supervisor.
        supervisor: String,
        /// The smallest delay, in milliseconds.
        min_ms: u64,
        /// The largest delay, in milliseconds.
        max_ms: u64,
    },
}

/// A policy and the children to begin with, in start order.
#[derive(Debug)]
pub struct SupervisorSpec {
    pub(super) policy: Policy,
    pub(super) children: Vec<ChildSpec>,
}

impl SupervisorSpec {
    /// One for one, 5 restarts in 30 seconds, 200 ms to 30 s of backoff, no children: what follows changes that.
    pub fn named(name: impl Into<String>) -> Self {
        SupervisorSpec {
            policy: Policy::named(name),
            children: Vec::new(),
        }
    }

    /// Who is restarted together.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.policy.strategy = strategy;
        self
    }

    /// Restarts allowed per window; past that the supervisor gives up.
    pub fn intensity(mut self, restart_max: u32, within: Duration) -> Self {
        self.policy.intensity = Intensity::new(restart_max, within);
        self
    }

    /// Delay before a restart.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.policy.backoff = backoff;
        self
    }

    /// Seed of the jitter.
    pub fn seed(mut self, seed: u64) -> Self {
        self.policy.seed = seed;
        self
    }

    /// Time from the kill of a child to giving it up as leaked; 5 s unless set.
    pub fn join_within(mut self, limit: Duration) -> Self {
        self.policy.join_ms = millis(limit);
        self
    }

    /// Appends a child; children start in this order and stop in reverse.
    pub fn child(mut self, child: ChildSpec) -> Self {
        self.children.push(child);
        self
    }

    /// What it does about failures, without the children.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Checks the whole.
    ///
    /// # Errors
    ///
    /// A name used twice, or a backoff whose maximum is below its minimum.
    pub fn build(self) -> Result<Self, SpecError> {
        let Policy { name, backoff, .. } = &self.policy;
        if backoff.min_ms > backoff.max_ms {
            let (min_ms, max_ms) = (backoff.min_ms, backoff.max_ms);
            return Err(SpecError::BackoffTurned {
                supervisor: name.clone(),
                min_ms,
                max_ms,
            });
        }
        let mut seen = BTreeSet::new();
        for child in &self.children {
            if !seen.insert(&child.rule.id) {
                return Err(SpecError::DuplicateChild {
                    supervisor: name.clone(),
                    child: child.rule.id.clone(),
                });
            }
        }
        Ok(self)
    }
}
