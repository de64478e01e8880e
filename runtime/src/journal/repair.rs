//! Looking at a damaged journal, and the way out of it.
//!
//! [`verify`] reads everything and says how far it is as it was written; it changes nothing. [`repair`] keeps what is
//! good up to a record that a person names, puts the files as they were aside, and makes the witness agree. It writes a
//! new database and swaps it in, because changing a damaged one in place may spread the damage.
//!
//! Invariant: at every instant of a repair, opening the directory gives the old refusal or the repaired journal.
//! Elsewhere: what is checked, and how, is [`sqlite`](super::sqlite)'s.

use super::data_dir::sync_dir;
use super::database::{
    check_against_witness, connect, create, damaged, is_empty, is_ours, no_witness,
};
use super::database::{read_rows, write_error};
use super::witness::{self, Testimony, Witness};
use super::{DataDir, Head, JournalError};
use director_protocols::envelope::hash_of;
use rusqlite::Connection;
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// How a journal is.
#[derive(Debug)]
pub struct VerifyReport {
    /// The journal's main file.
    pub path: PathBuf,
    /// The last record up to which every one is as it was written.
    pub good: Head,
    /// The last acknowledged record that the witness remembers; `None` when it is missing or unreadable.
    pub witness: Option<u64>,
    /// Why the journal would be refused; `None` when it is sound.
    pub problem: Option<JournalError>,
}

/// What a repair did.
#[derive(Debug, PartialEq, Eq)]
pub struct RepairReport {
    /// The last record that was kept.
    pub kept: Head,
    /// The last record that is known to have been acknowledged before, as far as witness and journal tell.
    pub known: u64,
    /// The directory with the files as they were.
    pub saved: PathBuf,
}

/// Reads the whole journal and its witness, and changes neither.
///
/// # Errors
/// [`JournalError::Missing`], [`JournalError::InUse`], [`JournalError::Newer`], [`JournalError::Foreign`] and what the
/// system refuses. Damage is no error here but the report's `problem`.
pub fn verify(dir: &DataDir) -> Result<VerifyReport, JournalError> {
    let path = dir.journal();
    let testimony = witness::read(&dir.witness())?;
    if testimony == Testimony::Absent && is_empty(&path) {
        return Err(JournalError::Missing { path });
    }
    let (good, mut problem) = scan(dir, testimony, u64::MAX, &mut |_, _| Ok(()))?;
    let witness = match testimony {
        Testimony::Seen(seen) => Some(seen.seq),
        Testimony::Absent | Testimony::Unreadable => None,
    };
    if problem.is_none() && witness.is_none() {
        problem = Some(no_witness(dir, testimony, good.seq));
    }
    Ok(VerifyReport {
        path,
        good,
        witness,
        problem,
    })
}

/// Keeps the records up to `accept_loss`, or up to the last good one before it, and gives up everything after that.
///
/// The files as they were are copied into a new directory `journal.damaged-N` first. A sound journal of which all is kept
/// only has its witness renewed.
///
/// # Errors
/// As [`verify`]; and what the system refuses while files are copied and written. The journal is then still refused or
/// already repaired, and the repair can be run again.
pub fn repair(dir: &DataDir, accept_loss: u64) -> Result<RepairReport, JournalError> {
    let (path, wal) = (dir.journal(), dir.journal_wal());
    let before = verify(dir)?;
    let saved = save_aside(dir)?;

    let fresh = dir.path().join("journal.db.repaired");
    let fresh_wal = dir.path().join("journal.db.repaired-wal");
    for stale in [&fresh, &fresh_wal] {
        remove(stale)?;
    }
    let kept = copy_good_records(dir, &fresh, accept_loss)?;
    remove(&fresh_wal)?;

    // The old log must be gone before the new main file is there: SQLite would try to apply it.
    remove(&wal)?;
    sync(dir.path())?;
    fs::rename(&fresh, &path).map_err(failed("replace", &path))?;
    sync(dir.path())?;
    Witness::create(&dir.witness(), kept)?;
    let known = before.witness.unwrap_or(0).max(before.good.seq);
    Ok(RepairReport { kept, known, saved })
}

/// Takes a record's number and bytes.
type Visit<'a> = dyn FnMut(u64, &[u8]) -> Result<(), JournalError> + 'a;

/// Hands every good record up to `last` to `visit`; returns the last good one, and what a start would be refused for.
///
/// A damaged header alone does not keep it from reading the records.
fn scan(
    dir: &DataDir,
    testimony: Testimony,
    last: u64,
    visit: &mut Visit<'_>,
) -> Result<(Head, Option<JournalError>), JournalError> {
    let path = dir.journal();
    let mut good = Head::EMPTY;
    let mut refused = None;
    let mut header = None;
    let mut read = || {
        if is_empty(&path) {
            return shortened(&path, testimony);
        }
        let connection = connect(&path)?;
        match is_ours(&connection, &path, testimony) {
            Ok(true) => {}
            Ok(false) => return shortened(&path, testimony),
            Err(JournalError::Damaged { reason, .. }) => header = Some(reason),
            Err(other) => return Err(other),
        }
        let end = read_rows(&connection, &path, 1, &mut |bytes, record| {
            if record.seq > last {
                return ControlFlow::Break(());
            }
            if let Err(error) = visit(record.seq, bytes) {
                refused = Some(error);
                return ControlFlow::Break(());
            }
            good = Head {
                seq: record.seq,
                hash: hash_of(bytes),
                epoch: record.epoch,
            };
            ControlFlow::Continue(())
        })?;
        match (&header, testimony) {
            (Some(reason), _) => Err(damaged(&path, end.seq + 1, reason)),
            // Read only as far as was asked, so there is no end to compare.
            (None, Testimony::Seen(seen)) if end == good => {
                check_against_witness(&connection, &path, end, seen)
            }
            (None, _) => Ok(()),
        }
    };
    let read = read();
    match (refused, read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok((good, None)),
        (None, Err(error)) if error.repairable_up_to().is_some() => Ok((good, Some(error))),
        (None, Err(error)) => Err(error),
    }
}

fn shortened(path: &Path, testimony: Testimony) -> Result<(), JournalError> {
    match testimony {
        Testimony::Seen(seen) if seen.seq > 0 => Err(JournalError::Shortened {
            path: path.to_owned(),
            head: 0,
            witness: seen.seq,
        }),
        _ => Ok(()),
    }
}

fn copy_good_records(dir: &DataDir, fresh: &Path, last: u64) -> Result<Head, JournalError> {
    let testimony = witness::read(&dir.witness())?;
    let into: Connection = connect(fresh)?;
    let written = |error: rusqlite::Error| write_error("write", fresh, &error);
    create(&into).map_err(written)?;
    let transaction = into.unchecked_transaction().map_err(written)?;
    let (kept, _) = {
        let insert = "INSERT INTO journal (seq, record) VALUES (?1, ?2)";
        let mut insert = transaction.prepare(insert).map_err(written)?;
        scan(dir, testimony, last, &mut |seq, bytes| {
            insert
                .execute((seq.cast_signed(), bytes))
                .map(drop)
                .map_err(written)
        })?
    };
    transaction.commit().map_err(written)?;
    into.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
        .map_err(written)?;
    Ok(kept)
}

/// Copies the files of the journal as they are now into a directory of their own.
fn save_aside(dir: &DataDir) -> Result<PathBuf, JournalError> {
    let mut number = 1u32;
    let saved = loop {
        let saved = dir.path().join(format!("journal.damaged-{number}"));
        match fs::create_dir(&saved) {
            Ok(()) => break saved,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(failed("create", &saved)(error)),
        }
    };
    for file in [dir.journal(), dir.journal_wal(), dir.witness()] {
        let copy = saved.join(file.file_name().unwrap_or_default());
        match fs::copy(&file, &copy) {
            Ok(_) => File::open(&copy)
                .and_then(|copy| copy.sync_all())
                .map_err(failed("sync", &copy))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("copy", &file)(error)),
        }
    }
    sync(&saved)?;
    sync(dir.path())?;
    Ok(saved)
}

fn remove(path: &Path) -> Result<(), JournalError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn sync(dir: &Path) -> Result<(), JournalError> {
    sync_dir(dir).map_err(failed("sync", dir))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io {
        action,
        path,
        source,
    }
}
