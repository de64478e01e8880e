//! Real processes: a command is started, watched, stopped, and nothing of it is left behind.
//!
//! [`run()`] starts one command in a process group of its own, streams its output, and ends the whole group when the
//! command exits, is cancelled or runs out of time. Three nets lie under each other for what could get away:
//!
//! 1. the **group**: every child that did not leave it dies with it ([`run()`], also when its future is dropped);
//! 2. the **mark**: `DIRECTOR_MARK` is in the environment before the first instruction runs, so a child that left the
//!    group with `setsid` is found by it ([`sweep`]);
//! 3. the **guard**: a process beside the director that does both when the director itself is gone ([`guard`]).
//!
//! Invariant: a signal goes only to what is ours: a group whose number cannot have passed to another (see `group`), or a
//! process whose mark and start time were read through a handle that cannot pass to another process.
//!
//! The nets 2 and 3 read `/proc` and so work on Linux; where there is no `/proc` they find nothing and the group alone
//! holds. A process that clears its environment *and* leaves its group *and* loses its parent cannot be found at all.
//!
//! Elsewhere: what a task runs and what its exit means belong to the agent; whether it is stuck, to `liveness`.

mod error;
pub mod evidence;
mod group;
pub mod guard;
mod lookup;
mod output;
mod run;
pub mod sandbox;
mod search;
mod spec;
pub mod sweep;
pub(crate) mod table;
mod veil;

pub use error::ProcessError;
pub use evidence::{Probe, Sample};
pub use guard::Guard;
pub use lookup::is_there;
pub use output::Line;
pub use run::{Exit, Hooks, OnLine, Outcome, Stop, never_stop, run};
pub use sandbox::Sandbox;
pub use spec::{INHERITED_ENV, MARK_BYTES_MAX, MARK_ENV, Spec};
pub(crate) use veil::SECRET_BYTES_MIN;
