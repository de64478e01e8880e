//! The sandbox, and what each role works in.

use super::super::tree::{Node, Value};
use super::texts;
use crate::sandbox::{Network, Sandbox};
use crate::sprint::{Isolation, RoleSpec};

/// What is written of a role's `isolation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::manifest) enum Kept {
    Worktree,
    Clone,
    Sandbox,
}

impl Kept {
    /// A word that was checked.
    pub fn of(word: &str) -> Self {
        match word {
            "clone" => Kept::Clone,
            "sandbox" => Kept::Sandbox,
            _ => Kept::Worktree,
        }
    }

    /// Puts it into the role; `all` is the sandbox of the file.
    pub fn fill(written: Option<Self>, all: Option<&Sandbox>, role: &mut RoleSpec) {
        let kept = match (written, all) {
            (Some(kept), _) => kept,
            (None, Some(_)) => Kept::Sandbox,
            (None, None) => Kept::Worktree,
        };
        (role.isolation, role.sandbox) = match kept {
            Kept::Worktree => (Isolation::Worktree, None),
            Kept::Clone => (Isolation::Clone, None),
            Kept::Sandbox => {
                let sandbox = all.cloned().unwrap_or_default();
                (Isolation::Clone, Some(Box::new(sandbox)))
            }
        };
    }
}

/// Reads `[sandbox]`, which was checked.
pub(super) fn sandbox(node: &Node<'_>) -> Sandbox {
    let places = |key| texts(node.field(key)).unwrap_or_default();
    Sandbox {
        write: places("write"),
        read: places("read"),
        hide: places("hide"),
        network: node.field("network").map_or(Network::Open, network),
    }
}

fn network(node: &Node<'_>) -> Network {
    match (&node.value, node.flag()) {
        (Value::List(ports), _) => {
            let port = |port: &Node<'_>| u16::try_from(port.whole()?).ok();
            Network::Ports(ports.iter().filter_map(port).collect())
        }
        (_, Some(false)) => Network::Off,
        _ => Network::Open,
    }
}
