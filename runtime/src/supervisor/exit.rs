//! The words of supervision: who, which incarnation, how it ended, what happened.

use std::fmt;
use std::sync::Arc;

/// Names a child among its siblings. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId(Arc<str>);

impl ChildId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ChildId {
    fn from(name: &str) -> Self {
        ChildId(name.into())
    }
}

impl From<String> for ChildId {
    fn from(name: String) -> Self {
        ChildId(name.into())
    }
}

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Numbers the incarnations of a child from 1; 0 means never started. It rises with each start and is never used again,
/// also when the child was removed and came back, or its supervisor was itself restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// How an incarnation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ended normally: it was asked to, or it was done.
    Stopped,
    /// It returned this error.
    Failed(String),
    /// It panicked with this message.
    Panicked(String),
    /// It was ended without a chance to clean up.
    Killed,
    /// It was itself a supervisor and gave up.
    Escalated(Escalation),
    /// It did not end even when killed, and was given up.
    Leaked,
}

impl Exit {
    /// True for every end but [`Exit::Stopped`].
    pub fn is_failure(&self) -> bool {
        *self != Exit::Stopped
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Stopped => f.write_str("stopped"),
            Exit::Failed(text) => write!(f, "failed: {text}"),
            Exit::Panicked(text) => write!(f, "panicked: {text}"),
            Exit::Killed => f.write_str("killed"),
            Exit::Escalated(why) => write!(f, "escalated: {why}"),
            Exit::Leaked => f.write_str("leaked"),
        }
    }
}

/// A supervisor has used up its restarts. An actor that owns one returns this as its error, so that its own
/// supervisor sees [`Exit::Escalated`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{supervisor}` gave up: `{child}` ended ({exit}) and {restart_max} restarts in {within_ms} ms are used up"
)]
pub struct Escalation {
    /// The supervisor that gave up.
    pub supervisor: String,
    /// The child whose failure was one too many.
    pub child: ChildId,
    /// How that child ended.
    pub exit: Box<Exit>,
    /// Restarts allowed in the window.
    pub restart_max: u32,
    /// Length of the window, in milliseconds.
    pub within_ms: u64,
}

/// What happened under a supervisor, in order. Its `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// An incarnation is being started.
    Starting {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
    },
    /// It is up.
    Started {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
    },
    /// It was asked to stop.
    Stopping {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
    },
    /// It is being ended without being asked (again).
    Killing {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
    },
    /// It is gone: its tasks have been joined and its state dropped.
    Exited {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
        /// How it ended.
        exit: Exit,
    },
    /// It did not end when killed. It is fenced off by its generation and no longer waited for.
    Leaked {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
    },
    /// One that was given up as leaked has ended after all.
    Reaped {
        /// Which child.
        child: ChildId,
        /// Which incarnation.
        generation: Generation,
        /// How it ended.
        exit: Exit,
    },
    /// A child will be started again.
    Restarting {
        /// Which child.
        child: ChildId,
        /// After this long, in milliseconds.
        delay_ms: u64,
    },
    /// Children will be stopped, last first, and started again together.
    GroupRestarting {
        /// Which children, in start order.
        children: Vec<ChildId>,
        /// After this long, in milliseconds.
        delay_ms: u64,
    },
    /// A child ended and by its restart type stays down.
    Finished {
        /// Which child.
        child: ChildId,
    },
    /// A child was taken out of the supervisor.
    Removed {
        /// Which child.
        child: ChildId,
    },
    /// Too many restarts: every child is being stopped, last first.
    GivingUp {
        /// Why.
        reason: Escalation,
    },
    /// Every child is down after [`Lifecycle::GivingUp`]; the owner has to pass the reason on.
    Escalated {
        /// Why.
        reason: Escalation,
    },
    /// Every child is down after a shutdown.
    Stopped,
}

impl fmt::Display for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lifecycle::Starting { child, generation } => write!(f, "{child}{generation} starting"),
            Lifecycle::Started { child, generation } => write!(f, "{child}{generation} started"),
            Lifecycle::Stopping { child, generation } => write!(f, "{child}{generation} stopping"),
            Lifecycle::Killing { child, generation } => write!(f, "{child}{generation} killing"),
            Lifecycle::Exited {
                child,
                generation,
                exit,
            } => write!(f, "{child}{generation} exited, {exit}"),
            Lifecycle::Leaked { child, generation } => write!(f, "{child}{generation} leaked"),
            Lifecycle::Reaped {
                child,
                generation,
                exit,
            } => write!(f, "{child}{generation} reaped, {exit}"),
            Lifecycle::Restarting { child, delay_ms } => {
                write!(f, "{child} restarting in {delay_ms} ms")
            }
            Lifecycle::GroupRestarting { children, delay_ms } => {
                for child in children {
                    write!(f, "{child} ")?;
                }
                write!(f, "restarting together in {delay_ms} ms")
            }
            Lifecycle::Finished { child } => write!(f, "{child} stays down"),
            Lifecycle::Removed { child } => write!(f, "{child} removed"),
            Lifecycle::GivingUp { reason } => write!(f, "giving up over {}", reason.child),
            Lifecycle::Escalated { .. } => f.write_str("escalated"),
            Lifecycle::Stopped => f.write_str("all stopped"),
        }
    }
}
