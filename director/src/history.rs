//! History: a journal read back into an engine, without running anything.
//!
//! Elsewhere: a running director is asked through `control`; the journal itself is `director_runtime::journal`.

use std::ops::ControlFlow;
use std::path::Path;

use director_protocols::envelope::Record;
use director_protocols::event::{DECISION_KIND, DECISION_VERSION, EventError, decode_events};
use director_protocols::ids::Seq;
use director_protocols::time::Time;
use director_runtime::journal::{DataDir, DataDirError, JournalError, SqliteStore, Store};

use crate::engine::Engine;
use crate::handle::Entry;

/// A journal, replayed.
#[derive(Debug, Default)]
pub struct History {
    /// The state at the end.
    pub engine: Engine,
    /// Every record.
    pub entries: Vec<Entry>,
}

/// Why a journal could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Somebody else has the data directory, or it cannot be opened.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The store refused.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A record that this version does not understand.
    #[error(
        "record {seq} cannot be understood by this version (it was written by {writer}): {source}"
    )]
    Record {
        /// Its position.
        seq: u64,
        /// The version that opened the epoch it belongs to.
        writer: String,
        /// What is unknown.
        source: EventError,
    },
    /// A record that does not follow from those before it.
    #[error(
        "record {seq} names what does not exist; the journal was not written by a director (`director journal verify` looks at its bytes)"
    )]
    Impossible {
        /// Its position.
        seq: u64,
    },
    /// A record of another kind.
    #[error(
        "record {seq} is of kind {kind} version {version}, which this version does not know (it was written by {writer}); use that version or a newer one"
    )]
    Kind {
        /// Its position.
        seq: u64,
        /// Its kind.
        kind: u16,
        /// Its version.
        version: u16,
        /// The version that opened the epoch it belongs to.
        writer: String,
    },
}

/// Replays the journal of a data directory that nobody else holds.
///
/// # Errors
/// See [`HistoryError`].
pub fn read(data_dir: &Path) -> Result<History, HistoryError> {
    let dir = DataDir::open(data_dir)?;
    let mut store = SqliteStore::open(&dir)?;
    replay(&mut store, None)
}

/// Replays a store up to a position, or to its end, and keeps the entries.
///
/// # Errors
/// See [`HistoryError`].
pub fn replay(store: &mut dyn Store, until: Option<Seq>) -> Result<History, HistoryError> {
    let mut history = History::default();
    each(store, until, &mut |entry| {
        let known = history
            .engine
            .replay(entry.seq, entry.events.clone(), entry.at);
        history.entries.push(entry);
        known
    })?;
    Ok(history)
}

/// Replays a store into an engine; gives the engine and the time of the last record.
///
/// # Errors
/// See [`HistoryError`].
pub fn restore(store: &mut dyn Store, mut engine: Engine) -> Result<(Engine, Time), HistoryError> {
    let mut last = Time(0);
    each(store, None, &mut |entry| {
        last = entry.at;
        engine.replay(entry.seq, entry.events, entry.at)
    })?;
    Ok((engine, last))
}

fn each(
    store: &mut dyn Store,
    until: Option<Seq>,
    visit: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), HistoryError> {
    let mut problem = None;
    let mut writer = "an unknown version".to_owned();
    store.read_from(1, &mut |record| {
        if until.is_some_and(|until| record.seq > until.0) {
            return ControlFlow::Break(());
        }
        match entry(record, &writer) {
            Ok(entry) => {
                for event in &entry.events {
                    if let director_protocols::event::Event::EpochOpened(e) = event {
                        writer.clone_from(&e.version);
                    }
                }
                let seq = entry.seq.0;
                if !visit(entry) {
                    problem = Some(HistoryError::Impossible { seq });
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            }
            Err(error) => {
                problem = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    problem.map_or(Ok(()), Err)
}

fn entry(record: Record, writer: &str) -> Result<Entry, HistoryError> {
    if (record.kind, record.version) != (DECISION_KIND, DECISION_VERSION) {
        return Err(HistoryError::Kind {
            seq: record.seq,
            kind: record.kind,
            version: record.version,
            writer: writer.to_owned(),
        });
    }
    Ok(Entry {
        seq: Seq(record.seq),
        epoch: record.epoch,
        at: Time(record.time_ms),
        events: decode_events(&record.payload).map_err(|source| HistoryError::Record {
            seq: record.seq,
            writer: writer.to_owned(),
            source,
        })?,
    })
}
