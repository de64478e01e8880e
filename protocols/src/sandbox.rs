//! What the processes of agents and gates may touch, as the sprint file says it.
//!
//! Elsewhere: who is held to it is [`crate::sprint`]; what holds them is the agents' crate.

use serde::{Deserialize, Serialize};

/// What processes may touch beside what is given to them: their work, a directory for what is temporary, what they are told and where they
/// report. The kernel holds them to it, with all that they start.
///
/// Paths are absolute or begin with `~/`, your home. One that is not there when a process starts is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// May be written, with everything below.
    pub write: Vec<String>,
    /// May be read although it is usually hidden.
    pub read: Vec<String>,
    /// Must not be read, beside what is usually hidden.
    pub hide: Vec<String>,
    /// What may be reached.
    pub network: Network,
}

/// What a process in a [`Sandbox`] may reach over networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Everything.
    #[default]
    Open,
    /// Nothing, this machine's own addresses included.
    Off,
    /// These TCP ports of any machine, and UDP.
    Ports(Vec<u16>),
}
