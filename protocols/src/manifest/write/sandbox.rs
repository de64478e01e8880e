//! The sandbox as a file has it.

use serde::Serialize;

use crate::sandbox::{Network, Sandbox};
use crate::sprint::{Isolation, RoleSpec};

#[derive(Serialize)]
pub(super) struct SandboxOut {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    write: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    read: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hide: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<NetworkOut>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum NetworkOut {
    Flag(bool),
    Ports(Vec<u16>),
}

impl SandboxOut {
    pub(super) fn of(sandbox: &Sandbox) -> Self {
        let Sandbox {
            write,
            read,
            hide,
            network,
        } = sandbox;
        Self {
            write: write.clone(),
            read: read.clone(),
            hide: hide.clone(),
            network: match network {
                Network::Open => None,
                Network::Off => Some(NetworkOut::Flag(false)),
                Network::Ports(ports) => Some(NetworkOut::Ports(ports.clone())),
            },
        }
    }
}

/// What has to be written as a role's `isolation` where the file has this sandbox.
pub(super) fn isolation(role: &RoleSpec, all: Option<&Sandbox>) -> Option<&'static str> {
    match (&role.sandbox, role.isolation) {
        (Some(_), _) => all.is_none().then_some("sandbox"),
        (None, Isolation::Clone) => Some("clone"),
        (None, Isolation::Worktree) => all.is_some().then_some("worktree"),
    }
}
