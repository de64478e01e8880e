//! What people and programs read: renderings of values that are computed elsewhere. No clock, no files.

pub mod charts;
pub mod forecast;
pub mod plan;
pub mod sprint;
pub(crate) mod text;
pub mod tint;
