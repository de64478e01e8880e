//! What people and programs read: renderings of values that are computed elsewhere. No clock, no files.

pub mod calibration;
pub mod charts;
pub mod forecast;
pub mod foreseen;
mod html;
pub mod plan;
pub mod retro;
pub mod sprint;
pub mod standup;
pub(crate) mod text;
pub mod tint;
