//! The journal's SQLite database: its settings, its format, and the reading that trusts nothing in it.
//!
//! SQLite does not check the pages that it reads, and takes a damaged frame of its write-ahead log for the end of the
//! log. So every record carries its own checksum and link, checked here whenever it is read, and the end that is found is
//! held against the [`witness`](super::witness).
//!
//! Invariant: nothing here changes a database that has records.
//! Elsewhere: appending is [`sqlite`](super::sqlite)'s, taking damage away is [`repair`](mod@super::repair)'s.

use super::witness::{Seen, Testimony};
use super::{DataDir, Head, JournalError, Reader};
use director_protocols::envelope::{Record, hash_of};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

/// The format of the database that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// Marks the file as ours: "DREC" in the header field that SQLite keeps for this.
const APPLICATION_ID: u32 = 0x4452_4543;

/// Pages (4 KiB) of the write-ahead log after which a commit also moves them into the main file.
const AUTOCHECKPOINT_PAGES: u32 = 1000;

/// Bytes of the log after [`create`] alone, which is one transaction: a log that is no longer holds no record, so a
/// journal that was never finished is made again. A header, and a frame of a header and a page for each page.
pub(crate) const LOG_OF_CREATION: u64 = 32 + 3 * (24 + 4096);

const SCHEMA: &str = "
    CREATE TABLE journal (seq INTEGER PRIMARY KEY CHECK (seq > 0), record BLOB NOT NULL) STRICT;
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TRIGGER journal_keeps_every_record BEFORE DELETE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER journal_changes_no_record BEFORE UPDATE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

pub(crate) fn is_empty(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |file| file.len() == 0)
}

/// Refuses to make a journal where there may have been one. Its log may hold `log_max` bytes.
pub(crate) fn refuse_if_there_was_a_journal(
    dir: &DataDir,
    testimony: Testimony,
    log_max: u64,
) -> Result<(), JournalError> {
    let path = dir.journal();
    let log = fs::metadata(dir.journal_wal()).map_or(0, |log| log.len());
    match testimony {
        Testimony::Seen(Seen { seq: 0, .. }) | Testimony::Absent if log <= log_max => Ok(()),
        Testimony::Seen(Seen { seq: 0, .. }) | Testimony::Absent => {
            let reason = "the main file is gone, its log is still there".into();
            Err(JournalError::Damaged {
                path,
                seq: 1,
                reason,
            })
        }
        Testimony::Seen(Seen { seq, .. }) => Err(JournalError::Shortened {
            path,
            head: 0,
            witness: seq,
        }),
        Testimony::Unreadable => Err(no_witness(dir, testimony, 0)),
    }
}

pub(crate) fn no_witness(dir: &DataDir, testimony: Testimony, head: u64) -> JournalError {
    let state = if testimony == Testimony::Absent {
        "is missing"
    } else {
        "cannot be read"
    };
    JournalError::NoWitness {
        path: dir.journal(),
        witness: dir.witness(),
        state,
        head,
    }
}

/// Opens the database; what is there is not changed by it.
pub(crate) fn connect(path: &Path) -> Result<Connection, JournalError> {
    // Whatever a setting fails with, bar the lock and permissions, is what SQLite thinks of the header.
    let failed = |error: rusqlite::Error| read_error(path, 1, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| write_error("open", path, &error))?;
    // Closing a journal that was refused must not fold its damaged log into the main file.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(failed)?;
    // Before anything that reads: then the lock holds from the first read on, and the index of the log is kept in memory.
    connection
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .map_err(failed)?;
    for (pragma, value) in [
        ("busy_timeout", 0),
        ("mmap_size", 0),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        ("wal_autocheckpoint", AUTOCHECKPOINT_PAGES),
    ] {
        connection
            .pragma_update(None, pragma, value)
            .map_err(failed)?;
    }
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(failed)?;
    // SQLite falls back to reading alone when it may not write; that would be found out at the first append.
    if connection.is_readonly("main").map_err(failed)? {
        return Err(match fs::OpenOptions::new().write(true).open(path) {
            Ok(_) => damaged(path, 1, "its header says that it cannot be written"),
            Err(_) => JournalError::ReadOnly {
                path: path.to_owned(),
            },
        });
    }
    Ok(connection)
}

/// Whether the database is a journal that this build can read; `false` when nothing is in it yet.
pub(crate) fn is_ours(
    connection: &Connection,
    path: &Path,
    testimony: Testimony,
) -> Result<bool, JournalError> {
    let number = |pragma: &str| {
        let number = connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        number.map_err(|error| read_error(path, 1, &error))
    };
    let about = |name: &str| {
        let find = "SELECT value FROM about WHERE name = ?1";
        connection
            .query_row(find, [name], |row| row.get::<_, String>(0))
            .optional()
    };
    let (application, format) = (number("application_id")?, number("user_version")?);
    if (application, format) == (0, 0) && number("schema_version")? == 0 {
        return Ok(false);
    }
    if application != i64::from(APPLICATION_ID) {
        return Err(match testimony {
            Testimony::Absent => JournalError::Foreign {
                path: path.to_owned(),
            },
            _ => damaged(path, 1, "its header is not that of a journal"),
        });
    }
    let said = about("format").map_err(|error| read_error(path, 1, &error))?;
    match u32::try_from(format) {
        // Two places name the format; where they differ, one of them was changed by nobody.
        Ok(found) if said == Some(found.to_string()) => {
            if found == FORMAT {
                return Ok(true);
            }
            let written_by = about("written_by").ok().flatten();
            let written_by = written_by.unwrap_or_else(|| "an unknown version".into());
            Err(JournalError::Newer {
                path: path.to_owned(),
                found,
                known: FORMAT,
                written_by,
            })
        }
        _ => Err(damaged(path, 1, "its header does not name a format")),
    }
}

/// Makes an empty journal, in one transaction.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(SCHEMA)?;
    let about = "INSERT INTO about (name, value) VALUES (?1, ?2)";
    transaction.execute(about, ("format", FORMAT.to_string()))?;
    transaction.execute(
        about,
        (
            "written_by",
            concat!("director ", env!("CARGO_PKG_VERSION")),
        ),
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

/// The last record as the database has it.
pub(crate) fn last_record(connection: &Connection, path: &Path) -> Result<Head, JournalError> {
    let query = "SELECT seq FROM journal ORDER BY seq DESC LIMIT 1";
    let last = connection
        .query_row(query, (), |row| row.get::<_, i64>(0))
        .optional();
    match last.map_err(|error| read_error(path, 1, &error))? {
        None => Ok(Head::EMPTY),
        Some(seq) => record_at(connection, path, seq.cast_unsigned()),
    }
}

fn record_at(connection: &Connection, path: &Path, seq: u64) -> Result<Head, JournalError> {
    let query = "SELECT record FROM journal WHERE seq = ?1";
    let bytes = connection
        .query_row(query, [seq.cast_signed()], |row| row.get::<_, Vec<u8>>(0))
        .optional()
        .map_err(|error| read_error(path, seq, &error))?
        .ok_or_else(|| damaged(path, seq, "it is missing"))?;
    let record =
        Record::from_bytes(&bytes).map_err(|error| damaged(path, seq, &error.to_string()))?;
    if record.seq != seq {
        return Err(damaged(
            path,
            seq,
            &format!("record {} is in its place", record.seq),
        ));
    }
    Ok(Head {
        seq,
        hash: hash_of(&bytes),
        epoch: record.epoch,
    })
}

/// Holds what the database ends with against what the witness remembers.
pub(crate) fn check_against_witness(
    connection: &Connection,
    path: &Path,
    head: Head,
    seen: Seen,
) -> Result<(), JournalError> {
    if seen.seq > head.seq {
        return Err(JournalError::Shortened {
            path: path.to_owned(),
            head: head.seq,
            witness: seen.seq,
        });
    }
    let there = match seen.seq {
        0 => Head::EMPTY,
        seq if seq == head.seq => head,
        seq => record_at(connection, path, seq)?,
    };
    if Seen::from(there) == seen {
        return Ok(());
    }
    Err(JournalError::Replaced {
        path: path.to_owned(),
        head: head.seq,
        witness: seen.seq,
    })
}

/// Reads rows from `seq` on, checks each, and hands bytes and record to `visit`; returns the last that passed.
pub(crate) fn read_rows(
    connection: &Connection,
    path: &Path,
    seq: u64,
    visit: &mut dyn FnMut(&[u8], Record) -> ControlFlow<()>,
) -> Result<Head, JournalError> {
    let mut reader = Reader::before(seq);
    let query = "SELECT record FROM journal WHERE seq >= ?1 ORDER BY seq";
    let failed = |next: u64| move |error: rusqlite::Error| read_error(path, next, &error);
    let mut statement = connection
        .prepare(query)
        .map_err(failed(reader.next_seq()))?;
    let from = reader.next_seq().cast_signed();
    let mut rows = statement.query([from]).map_err(failed(reader.next_seq()))?;
    loop {
        let next = reader.next_seq();
        let Some(row) = rows.next().map_err(failed(next))? else {
            break;
        };
        let cell = row.get_ref(0).map_err(failed(next))?;
        let bytes = cell
            .as_blob()
            .map_err(|_| damaged(path, next, "it is not a record"))?;
        let record = reader
            .accept(bytes)
            .map_err(|reason| damaged(path, next, &reason))?;
        if record.seq >= seq && visit(bytes, record).is_break() {
            break;
        }
    }
    Ok(reader.head())
}

/// Turns damage that was met somewhere into the first record that it reaches, so that a repair gives up no more.
pub(crate) fn locate(connection: &Connection, path: &Path, error: JournalError) -> JournalError {
    let JournalError::Damaged { reason, .. } = &error else {
        return error;
    };
    match read_rows(connection, path, 1, &mut |_, _| ControlFlow::Continue(())) {
        Ok(head) => damaged(path, head.seq + 1, reason),
        Err(first) => first,
    }
}

pub(crate) fn damaged(path: &Path, seq: u64, reason: &str) -> JournalError {
    JournalError::Damaged {
        path: path.to_owned(),
        seq,
        reason: reason.to_owned(),
    }
}

/// What an error while reading record `seq` means: whatever is neither a lock nor a permission is damage to it.
fn read_error(path: &Path, seq: u64, error: &rusqlite::Error) -> JournalError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::InUse {
            path: path.to_owned(),
        },
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            JournalError::ReadOnly {
                path: path.to_owned(),
            }
        }
        _ => damaged(path, seq, &error.to_string()),
    }
}

/// What an error while opening or writing means.
pub(crate) fn write_error(
    action: &'static str,
    path: &Path,
    error: &rusqlite::Error,
) -> JournalError {
    let (path, reason) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::InUse { path },
        Some(ErrorCode::DiskFull) => JournalError::Full { path },
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            JournalError::ReadOnly { path }
        }
        _ => JournalError::Engine {
            action,
            path,
            reason,
        },
    }
}
