//! Performing: orders carried out in the world.
//!
//! [`Ports`] hands each order to the actor that carries it out. [`Workshop`] owns the repositories; [`git`] carries out
//! what concerns them, [`gates`] runs the gates, [`startup`] compares git with the journal before anything runs, [`deliver`]
//! is for people; [`islands`] lets the planner search on several threads, [`lookout`] looks ahead for conflicts. All of it answers in commands and decides nothing.
//!
//! Elsewhere: when and in which order is `actors`; what an answer means is `engine::decide::integrate`.

pub mod ahead;
mod branch;
mod coverage;
pub mod deliver;
pub mod gates;
pub mod git;
mod inform;
pub mod islands;
pub mod lookout;
pub mod plans;
mod ports;
pub mod runs;
pub mod startup;
#[cfg(test)]
mod startup_tests;
#[cfg(test)]
mod startup_world;
mod webhook;
mod workshop;
mod worktrees;

pub use ports::{Performer, Ports};
pub use workshop::{CallOff, Trouble, Workshop};
