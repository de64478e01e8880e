//! The search for short schedules: resource-constrained project scheduling, with what a sprint adds to it.
//!
//! ```text
//! problem ─▶ model ─▶ bounds ──────────────────────┐
//!              └────▶ orders ─▶ decode ─▶ justify ─▶ best schedule, and how far from optimal it can be
//!                       ▲                     │                  ▲
//!                       └── cross, disturb ◀──┘                  └── prove that nothing is shorter, or find it
//! ```
//!
//! Where several agents are able to do a job, work is also handed from one to another ([`balance`]).
//!
//! Pure and seeded: the budget is a number of schedules, and a deadline is asked for through a closure. A schedule
//! is as many placed jobs as there are jobs, whoever placed them, so that passes over a part count as that part, and what is taken over from
//! another schedule without a search for its place counts as nothing. The proof counts each job that it looks at as one that is placed.
//!
//! Elsewhere: how a sprint becomes a problem is [`super::plan`]'s; several islands at once are run by [`crate::perform`].

pub mod able;
pub mod apart;
pub mod balance;
pub mod bits;
pub mod decode;
pub mod floor;
pub mod genetic;
pub mod imopse;
pub mod lanes;
pub mod model;
pub mod proof;
pub mod prove;
pub mod psplib;
pub mod random;
pub mod rules;
pub mod seen;
#[cfg(test)]
mod tests;
