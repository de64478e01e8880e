//! What is said: ids, tasks, sprints, messages, commands, events, the sprint file, and their encoding.
//!
//! Data and its encoding; nothing here runs. The other crates speak in these types.

pub mod codec;
pub mod command;
pub mod deployment;
pub mod digest;
pub mod envelope;
pub mod epic;
pub mod event;
pub mod forecast;
pub mod ids;
pub mod inbox;
pub mod incident;
pub mod kinds;
pub mod manifest;
pub mod origin;
pub mod outside;
pub mod rejection;
pub mod risk;
pub mod roles;
pub mod sandbox;
pub mod scope;
pub mod severity;
pub mod shared;
pub mod sprint;
pub mod template;
pub mod time;
pub mod trace;
pub mod unclear;
pub mod ways;
pub mod work;
