//! Who may give orders over the socket: people and their programs, not what works for this director.
//!
//! An agent that approves its own work, or raises its own budget, would make every gate worthless. Two things keep it from that. An order
//! shows the key in the data directory, which a process in a sandbox cannot read. Outside of one nothing can be hidden from a process of the
//! same user, so there the mark of its attempt, which it inherits, is looked at: that holds back an agent that tries, not one that
//! covers its tracks.
//!
//! Elsewhere: what an agent says of its own assignment is [`super::assigned`].

use std::io;
use std::path::Path;

use director_agents::process::sweep;
use director_protocols::digest::Digest;
use director_runtime::secret::Secret;
use tokio::net::UnixStream;

use super::place;
use super::protocol::{Fault, FaultKind};

/// Names the data directory in the environment of every process that is started for it.
pub fn mark_of(data_dir: &Path) -> String {
    let path = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let path = path.canonicalize().unwrap_or(path);
    let digest = Digest::of(path.as_os_str().as_encoded_bytes()).to_string();
    format!("director-{}/", &digest[..16])
}

/// What those who give orders are measured by.
#[derive(Debug)]
pub(super) struct Doorman {
    key: Secret,
    mark: String,
}

impl Doorman {
    /// For a data directory; makes its key when there is none.
    ///
    /// # Errors
    /// That the key's file cannot be used.
    pub(super) fn of(data_dir: &Path) -> io::Result<Self> {
        Ok(Self {
            key: Secret::of(&place::key(data_dir))?,
            mark: mark_of(data_dir),
        })
    }

    /// Whether whoever is at the other end works for this director itself.
    pub(super) fn is_agent(&self, stream: &UnixStream) -> bool {
        let process = stream.peer_cred().ok().and_then(|who| who.pid());
        let mark = process
            .and_then(|process| u32::try_from(process).ok())
            .and_then(sweep::mark_of);
        // Commands of the sprint file that tell people something are the user's own.
        mark.is_some_and(|mark| mark.starts_with(&self.mark) && !mark.contains("/inform/"))
    }

    /// Whether an order is taken from who shows that.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub(super) fn admits(&self, is_agent: bool, shown: Option<&str>) -> Result<(), Fault> {
        let why = if is_agent {
            "what works for a director gives it no orders: report in the file that `DIRECTOR_REPORT` names, or ask with the director's tools"
        } else if !shown.is_some_and(|shown| self.key.is(shown)) {
            "an order shows what is in `control.key` of the data directory, and this process cannot read it; is it in a sandbox, or another user's?"
        } else {
            return Ok(());
        };
        Err(Fault::new(FaultKind::Forbidden, why))
    }
}
