//! Epics beyond the pure plan: sprint files written, and an agent asked for a plan.
//!
//! Elsewhere: what becomes of an epic is [`crate::planner::epic`].

pub mod ask;
pub mod write;
