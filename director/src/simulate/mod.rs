//! Simulation: whole sprints on virtual time, decided by the engine that runs real ones.
//!
//! ```text
//! spec ─▶ prepare ─▶ world: engine + event heap + models ─▶ watch ─▶ sums ─▶ forecast, what_if
//! journal ─▶ rest ─┘   ▲ numbers by (seed, run, task, attempt, purpose)
//!     └─▶ past: rates and durations
//! ```
//!
//! Agents, git, gates and people are models here; the engine is the real one, step by step, with every decision it
//! would make. One seed is one sprint, bit for bit, on any machine and any number of threads.
//!
//! Elsewhere: what people and programs read of it is [`crate::report::forecast`]; the same models on the real actors
//! are in the tests.

pub mod crew;
pub mod faults;
pub mod forecast;
pub mod glance;
pub mod inputs;
pub mod money;
pub mod observed;
pub mod past;
pub mod prepare;
pub mod price;
pub mod rest;
pub mod spread;
pub mod sums;
pub mod waits;
pub mod watch;
pub mod what_if;
pub mod world;
