//! The journal on disk: one SQLite database in write-ahead mode, one row per record, and the head witness beside it.
//!
//! Every append is one transaction with one sync of the write-ahead log (`synchronous=FULL`), then an unsynced write of
//! the head witness. The table takes no UPDATE and no DELETE.
//!
//! Opening checks the last record and the one the witness remembers; [`Store::read_from`], which every start does from
//! record 1, checks all. A journal that is refused is left as it is: its log is neither moved nor dropped on close.
//!
//! Invariant: one connection, one process (`locking_mode=EXCLUSIVE` and the lock of [`DataDir`]).
//! Elsewhere: the database itself is `database`'s, threads and batching are
//! [`writer`](super::writer)'s, the way out of damage is [`repair`](mod@super::repair)'s.

use super::data_dir::sync_dir;
use super::database::{
    LOG_OF_CREATION, damaged, no_witness, read_rows, refuse_if_there_was_a_journal, write_error,
};
use super::database::{
    check_against_witness, connect, create, is_empty, is_ours, last_record, locate,
};
use super::witness::{self, Testimony, Witness};
use super::{DataDir, Head, JournalError, Store, check_append};
use director_protocols::envelope::{Record, Sealed};
use rusqlite::Connection;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The journal on disk.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    connection: Connection,
    witness: Witness,
    head: Head,
    stopped: bool,
}

impl SqliteStore {
    /// Opens the journal of a data directory, or creates it where there is none.
    ///
    /// # Errors
    /// Every [`JournalError`] about what is on disk: [`Shortened`](JournalError::Shortened),
    /// [`Damaged`](JournalError::Damaged), [`NoWitness`](JournalError::NoWitness), [`Newer`](JournalError::Newer) and the
    /// rest. Nothing on disk is changed then.
    pub fn open(dir: &DataDir) -> Result<Self, JournalError> {
        let (path, witness_path) = (dir.journal(), dir.witness());
        let mut testimony = witness::read(&witness_path)?;
        if is_empty(&path) {
            refuse_if_there_was_a_journal(dir, testimony, 0)?;
            // The witness comes first: were it second, a crash in between would leave a journal without one.
            Witness::create(&witness_path, Head::EMPTY)?;
            testimony = Testimony::Seen(Head::EMPTY.into());
        }
        let connection = connect(&path)?;
        let head = check(&connection, dir, testimony)
            .map_err(|error| locate(&connection, &path, error))?;
        // Set when it was created, and kept in the file; set again in case that is what was damaged.
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(|error| write_error("open", &path, &error))?;
        let witness = Witness::open(&witness_path)?;
        Ok(Self {
            path,
            connection,
            witness,
            head,
            stopped: false,
        })
    }

    /// The main file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Limits the database to so many pages, so that a test fills it up.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) {
        self.connection
            .pragma_update(None, "max_page_count", pages)
            .unwrap();
    }

    /// The connection, for tests that do what nobody should.
    #[cfg(test)]
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// One transaction. Its three statements are parsed once and kept.
    fn insert(&mut self, batch: &[Sealed]) -> rusqlite::Result<()> {
        let run = |sql: &str| self.connection.prepare_cached(sql)?.execute(());
        run("BEGIN IMMEDIATE")?;
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO journal (seq, record) VALUES (?1, ?2)")?;
        for sealed in batch {
            insert.execute((sealed.seq().cast_signed(), sealed.bytes()))?;
        }
        drop(insert);
        run("COMMIT")?;
        Ok(())
    }

    fn final_error(&mut self, error: JournalError) -> JournalError {
        self.stopped = true;
        error
    }
}

impl Store for SqliteStore {
    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, expected: Head, batch: &[Sealed]) -> Result<Head, JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped {
                path: self.path.clone(),
            });
        }
        let head = check_append(&self.path, self.head, expected, batch)?;
        if batch.is_empty() {
            return Ok(head);
        }
        if let Err(error) = self.insert(batch) {
            let error = write_error("append to", &self.path, &error);
            return Err(self.final_error(error));
        }
        if let Err(error) = self.witness.write(head) {
            return Err(self.final_error(error));
        }
        self.head = head;
        Ok(head)
    }

    fn read_from(
        &mut self,
        seq: u64,
        visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        if seq > self.head.seq {
            return Ok(());
        }
        let mut broke = false;
        let read = read_rows(&self.connection, &self.path, seq, &mut |_, record| {
            let flow = visit(record);
            broke = flow.is_break();
            flow
        })?;
        if broke || read == self.head {
            return Ok(());
        }
        let (seq, reason) = if read.seq < self.head.seq {
            (read.seq + 1, "it is missing")
        } else {
            (self.head.seq, "it has changed since the journal was opened")
        };
        Err(damaged(&self.path, seq, reason))
    }

    fn settle(&mut self) -> Result<(), JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped {
                path: self.path.clone(),
            });
        }
        if let Err(error) = self.witness.sync() {
            return Err(self.final_error(error));
        }
        let moved = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
        if let Err(error) = moved {
            let error = write_error("checkpoint", &self.path, &error);
            return Err(self.final_error(error));
        }
        Ok(())
    }
}

/// Checks what is there, creates what is not, and finds the head.
fn check(
    connection: &Connection,
    dir: &DataDir,
    testimony: Testimony,
) -> Result<Head, JournalError> {
    let path = dir.journal();
    if !is_ours(connection, &path, testimony)? {
        // Killed while it was made, it has a log, in which there cannot be a record.
        refuse_if_there_was_a_journal(dir, testimony, LOG_OF_CREATION)?;
        create(connection).map_err(|error| write_error("create", &path, &error))?;
        sync_dir(dir.path()).map_err(|source| {
            let path = dir.path().to_owned();
            JournalError::Io {
                action: "sync",
                path,
                source,
            }
        })?;
    }
    let head = last_record(connection, &path)?;
    match testimony {
        Testimony::Seen(seen) => check_against_witness(connection, &path, head, seen)?,
        Testimony::Absent | Testimony::Unreadable => {
            return Err(no_witness(dir, testimony, head.seq));
        }
    }
    Ok(head)
}
