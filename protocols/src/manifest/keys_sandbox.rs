//! The keys of the sandbox.
//!
//! Elsewhere: what they become is [`crate::sandbox::Sandbox`]; which roles are in it, `isolation` of a role.

use super::keys::key;
use super::shape::{Shape, Table};

const PLACES: Shape = Shape::List(&Shape::Place);

/// `[sandbox]`.
pub(super) static SANDBOX: Table = Table {
    about: "What gates and agents may touch beside their work; the kernel holds them to it.",
    keys: &[
        key(
            "write",
            PLACES,
            "what may be written, with everything below, such as \"~/.cache\"; beside the work and a directory for what is temporary",
        ),
        key(
            "read",
            PLACES,
            "what may be read although it is hidden unless written, such as \"~/.npmrc\"",
        ),
        key(
            "hide",
            PLACES,
            "what must not be read, beside keys, tokens and passwords in their usual places",
        ),
        key(
            "network",
            Shape::Any(&[Shape::Flag, Shape::List(&Shape::Whole(1, 65_535))]),
            "false: no network at all; a list of ports: TCP to these alone; everything unless written",
        ),
    ],
};
