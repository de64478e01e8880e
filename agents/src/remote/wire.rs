//! What a director and a worker on another machine say to each other: JSON, a message a line, in both directions.
//!
//! The director says what is to be done and packs the commit to begin at; the worker says what happens, and packs what it made. A pack
//! is a git bundle in pieces. Whoever is told of another version says so and ends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use director_protocols::sprint::RoleSpec;
use director_protocols::work::{Assignment, AttemptEnd};
use serde::{Deserialize, Serialize};

/// The version of these messages.
pub const VERSION: u32 = 1;
/// One piece of a bundle, in bytes; a line with it is far below what is read.
const PIECE_BYTES: usize = 4 << 20;
/// The largest bundle, in bytes.
pub const PACK_BYTES_MAX: usize = 512 << 20;

/// From the director.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ToWorker {
    /// The next piece of the commit to begin at.
    Pack(Piece),
    /// What is to be done; the last message.
    Begin(Box<Begin>),
}

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
pub struct Begin {
    /// See [`VERSION`].
    pub version: u32,
    /// The agent's name.
    pub agent: String,
    /// Its role, with what does the work there.
    pub role: RoleSpec,
    /// The assignment; its directory is the worker's.
    pub assignment: Assignment,
}

/// From the worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum FromWorker {
    /// It is there.
    Alive,
    /// How far it is, and what it is doing.
    Progress {
        /// 0 to 100.
        percent: u8,
        /// In a few words.
        text: String,
    },
    /// The session to go on with.
    Session {
        /// Its id.
        session: String,
    },
    /// What it has spent so far.
    Spent {
        /// All of it, in millionths of a dollar.
        cost_micros: u64,
    },
    /// Something for another agent or role.
    Told {
        /// Which.
        to: String,
        /// What.
        text: String,
    },
    /// The next piece of what was made.
    Pack(Piece),
    /// The last message.
    Ended {
        /// What the work came to.
        end: AttemptEnd,
    },
}

/// A piece of a bundle.
#[derive(Debug, Serialize, Deserialize)]
pub struct Piece {
    /// Base 64 (RFC 4648).
    pub data: String,
}

/// A message as a line.
pub fn line(message: &impl Serialize) -> Vec<u8> {
    // What is sent has nothing that JSON has no form for.
    let mut bytes = serde_json::to_vec(message).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A bundle in pieces.
pub fn pieces(bundle: &[u8]) -> impl Iterator<Item = Piece> {
    bundle.chunks(PIECE_BYTES).map(|bytes| Piece {
        data: STANDARD.encode(bytes),
    })
}

/// Adds a piece to what came before. False: it is none, or too much.
pub fn add(pack: &mut Vec<u8>, piece: &Piece) -> bool {
    match STANDARD.decode(&piece.data) {
        Ok(bytes) if pack.len() + bytes.len() <= PACK_BYTES_MAX => {
            pack.extend(bytes);
            true
        }
        _ => false,
    }
}
