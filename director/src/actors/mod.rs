//! The actors: thin shells around the engine and the world.
//!
//! ```text
//! director      owns the engine; supervises, routes, escalates, has restarted
//!  ├── journal      makes records durable
//!  ├── integrator   the only one that touches git
//!  ├── gatekeeper   runs gates
//!  ├── messenger    tells those outside
//!  ├── team         supervises the roles
//!  │    └── <role>       supervises its agents
//!  │         └── <role>-<n>   hosts one agent
//!  └── api          the control socket
//! ```
//!
//! None of them judges: what happens next is the engine's word; work is `perform`'s.

pub mod desk;
pub mod director;
pub mod gatekeeper;
pub mod integrator;
pub mod journal;
pub mod messenger;
pub mod post;
pub mod role;
pub mod service;
pub mod team;

#[cfg(test)]
mod stage;
#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod trouble_tests;
