//! Who does the work: agents, the real processes some of them are, and the git worktrees they work in.

pub mod agent;
mod bounds;
pub mod cell;
pub mod closure;
pub mod coding;
pub mod command;
pub mod context;
pub mod factory;
pub mod git;
pub mod inside;
pub mod liveness;
pub mod process;
pub mod reach;
pub mod remote;
pub mod roles;
mod samples;
pub mod simulated;
pub mod slot;
