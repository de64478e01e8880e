//! Git: the repository a sprint works on, through the git command line.
//!
//! Results are built as objects first (`commit-tree`, `merge-tree --write-tree`) and become visible by one
//! `update-ref NEW OLD`, so every step either happened or did not and can be read back after a crash. Each
//! task works in a worktree of its own; merges are tried without any worktree; gates run in one warm
//! integration worktree.
//!
//! Everything here blocks: the integrator calls it from a blocking thread. Nothing here decides; [`reconcile`]
//! is the pure function that compares what the journal says with what git has.
//!
//! Invariants: the user's checkout, index and branches change only in [`Repository::deliver`]; no hook of the
//! repository runs; git is never left to find a repository by itself once [`Repository::open`] has answered,
//! so an agent that deletes its `.git` file cannot turn a reset against the user's checkout.
//! Elsewhere: the merge queue and gates are the integrator's and the gatekeeper's; leases are the engine's.

pub mod ahead;
mod aside;
pub mod bundle;
mod clone;
mod command;
mod commit;
mod deliver;
mod error;
mod integration;
mod look;
mod merge;
mod names;
mod oid;
mod outside;
mod preflight;
pub mod reconcile;
mod refs;
mod repository;
mod salvage;
mod stale;
mod status;
mod truth;
mod worktree;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod story;

pub use commit::{CommitRequest, Work};
pub use deliver::{Delivery, DeliveryRequest};
pub use error::GitError;
pub use merge::{Merge, MergeRequest};
pub use names::SprintNames;
pub use oid::Oid;
pub use outside::Outside;
pub use preflight::{Preflight, PreflightRequest};
pub use refs::Advance;
pub use repository::Repository;
pub use salvage::{Salvage, SalvageRequest};
pub use worktree::{Worktree, WorktreeEntry};
