//! Supervision: starts children in order, restarts those that fail, stops them in reverse order.
//!
//! What to do is decided by [`Supervision`], a state machine without clock, I/O or actors: it is told what happened and what
//! time it is and answers with actions. [`Supervisor`] performs them with ractor and can be owned by any actor;
//! [`SupervisorActor`] is the plain actor that owns nothing else.
//!
//! ```text
//!   Started, Gone, timer ──▶ Supervision (pure) ──▶ Spawn, Stop, Kill, Schedule ──▶ ractor, timers
//!          ▲                        └──▶ Lifecycle: what the owner and the tests see       │
//!          └──────────── messages through the owner's own queue ◀──────────────────────────┘
//! ```
//!
//! Invariants: a child is dead only when its tasks have been joined, so two generations of a child never overlap
//! (unless the older one was given up as leaked, and said so); news of a generation that is over changes nothing;
//! nobody waits for another actor inside a handler.
//! Elsewhere: queues that outlive a restart are `mailbox`; what a crash means for a task is for the owner to say.

mod actor;
mod backoff;
mod child;
mod exit;
mod intensity;
mod shell;
mod slot;
mod spec;
mod step;
mod strategy;
mod supervision;
mod tree;

pub use actor::{Observer, SupervisorActor, SupervisorArgs, SupervisorCommand, SupervisorState};
pub use backoff::{Backoff, Jitter};
pub use child::{ChildSpec, Root, SpawnContext, Spawned, Started, spawn_child, spawn_root};
pub use exit::{ChildId, Escalation, Exit, Generation, Lifecycle};
pub use intensity::{Intensity, Window};
pub use shell::{Supervisor, SupervisorMsg};
pub use spec::{ChildRule, Policy, Restart, SpecError, SupervisorSpec, UNLIMITED_MS};
pub use step::{Action, Input, Refused, Request, Timer};
pub use strategy::Strategy;
pub use supervision::Supervision;
pub use tree::{ChildState, ChildView, Subtree, TreeView};

#[cfg(test)]
mod core_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod swarm_tests;
#[cfg(test)]
mod tree_tests;
#[cfg(test)]
mod world;
