//! Runs a team of agents through a sprint on a git repository, and loses nothing when it is killed.
//!
//! The program `director` is [`cli::run`] with a [`system::Builder`]; a program of your own is the same with a
//! registry that knows more kinds of agent. An agent implements [`agents::agent::Agent`]:
//!
//! ```no_run
#![doc = include_str!("../examples/custom_agent.rs")]
//! ```
//!
//! Inside, a pure state machine decides ([`engine`]) and actors carry it out ([`actors`], [`perform`]); what people
//! and programs see is made by [`view`] and [`report`]; [`simulate`] runs whole sprints on virtual time. `ARCHITECTURE.md` has the map.
//!
//! Elsewhere: what is said is [`protocols`], what does the work is [`agents`], what keeps actors alive and the
//! journal is `director_runtime`.

pub use director_agents as agents;
pub use director_protocols as protocols;

pub mod actors;
pub mod cli;
pub mod control;
pub mod demo;
pub mod engine;
pub mod epic;
pub mod estimate;
pub mod handle;
pub mod history;
pub mod http;
pub mod import;
pub mod mcp;
pub mod perform;
pub mod planner;
pub mod report;
pub mod simulate;
pub mod system;
pub mod traces;
pub mod view;
pub mod watch;
