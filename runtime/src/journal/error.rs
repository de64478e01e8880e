//! Why a journal could not be opened, read or extended, in words that say what to do next.

use std::{io, path::PathBuf};

/// Why a journal could not be opened, read or extended.
///
/// After an error from an append or from tidying up, nothing more may be acknowledged: the process ends and recovers by
/// reading the journal again. A failed sync is never tried a second time, because the system may have dropped the data
/// that it could not write.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Somebody else has written since the head was read.
    #[error(
        "journal `{path}` ends at record {actual}, not at {expected} as this writer last saw; stop the other writer"
    )]
    Conflict {
        /// The journal.
        path: PathBuf,
        /// Where the writer thought it ends.
        expected: u64,
        /// Where it ends.
        actual: u64,
    },
    /// A batch has a gap, a repetition or a record from another chain.
    #[error(
        "record {seq} does not continue journal `{path}`, which ends at {head}; this is a mistake in the program"
    )]
    OutOfOrder {
        /// The journal.
        path: PathBuf,
        /// The first record that does not fit.
        seq: u64,
        /// The record before it.
        head: u64,
    },
    /// A record is not as it was written.
    #[error(
        "journal `{path}` is damaged at record {seq}: {reason}; look closer with `director journal verify`, restore a \
         copy, or give up record {seq} and all after it with `director journal repair --accept-loss {}`",
        .seq.saturating_sub(1)
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The first record that cannot be had as it was written.
        seq: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The journal ends before a record that was acknowledged.
    #[error(
        "journal `{path}` ends at record {head}, but record {witness} was acknowledged; restore the missing part, or \
         give up what came after record {head} with `director journal repair --accept-loss {head}`"
    )]
    Shortened {
        /// The journal.
        path: PathBuf,
        /// Where it ends.
        head: u64,
        /// The record that the head witness remembers.
        witness: u64,
    },
    /// The record that the witness remembers is another one in the journal.
    #[error(
        "journal `{path}` ends at record {head} and holds another record {witness} than the one that was acknowledged; \
         restore the journal and its witness together, or keep what is there with \
         `director journal repair --accept-loss {head}`"
    )]
    Replaced {
        /// The journal.
        path: PathBuf,
        /// Where it ends.
        head: u64,
        /// The record that differs.
        witness: u64,
    },
    /// The witness file is gone or unreadable, so nothing says that the journal is complete.
    #[error(
        "journal `{path}` ends at record {head}, but its witness `{witness}` {state}, so nothing proves that no record is \
         missing; restore it, or take the journal as it is with `director journal repair --accept-loss {head}`"
    )]
    NoWitness {
        /// The journal.
        path: PathBuf,
        /// The witness file.
        witness: PathBuf,
        /// What is the matter with the witness file.
        state: &'static str,
        /// Where the journal ends.
        head: u64,
    },
    /// A newer director wrote this journal.
    #[error(
        "journal `{path}` has format {found} and was written by {written_by}; this build knows format {known}: use that \
         version or a newer one"
    )]
    Newer {
        /// The journal.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this build knows.
        known: u32,
        /// The program and version that wrote it.
        written_by: String,
    },
    /// The file is a database of something else.
    #[error("`{path}` is not a journal of director; choose another data directory")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to look at.
    #[error("there is no journal at `{path}`; check the data directory")]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// The disk or the quota is full.
    #[error(
        "no space left for journal `{path}`; free some and start again, nothing acknowledged is lost"
    )]
    Full {
        /// The journal.
        path: PathBuf,
    },
    /// The file or its directory cannot be written.
    #[error(
        "journal `{path}` cannot be written; check the permissions of the file and of its directory"
    )]
    ReadOnly {
        /// The journal.
        path: PathBuf,
    },
    /// Another process has the journal open.
    #[error("journal `{path}` is in use by another process; stop it, or ask it instead")]
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// The system refused to read or write.
    #[error("could not {action} `{path}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The storage engine failed in a way that has no case of its own.
    #[error("could not {action} journal `{path}`: {reason}")]
    Engine {
        /// What was tried.
        action: &'static str,
        /// The journal.
        path: PathBuf,
        /// What the engine said.
        reason: String,
    },
    /// An earlier error was final.
    #[error("journal `{path}` stopped after an earlier error; start again to recover")]
    Stopped {
        /// The journal.
        path: PathBuf,
    },
}

impl JournalError {
    /// The last record that a repair of this can keep: what `--accept-loss` has to be given. `None` when the error is
    /// not about what is in the journal.
    #[must_use]
    pub fn repairable_up_to(&self) -> Option<u64> {
        match self {
            Self::Damaged { seq, .. } => Some(seq.saturating_sub(1)),
            Self::Shortened { head, .. }
            | Self::Replaced { head, .. }
            | Self::NoWitness { head, .. } => Some(*head),
            Self::Conflict { .. }
            | Self::OutOfOrder { .. }
            | Self::Newer { .. }
            | Self::Foreign { .. }
            | Self::Missing { .. }
            | Self::Full { .. }
            | Self::ReadOnly { .. }
            | Self::InUse { .. }
            | Self::Io { .. }
            | Self::Engine { .. }
            | Self::Stopped { .. } => None,
        }
    }
}
