//! What happens to a journal on disk that is damaged, full, foreign, from the future or held by somebody else.
//!
//! The promise under test: whatever is done to one of its files, the journal opens and is complete, or it is refused by
//! number, with nothing on disk changed, and the repair that the refusal names leads back to a working journal.

use super::conformance::batch;
use super::database::{LOG_OF_CREATION, connect};
use super::{Chain, DataDir, Head, JournalError, SqliteStore, Store, read_some, repair, verify};
use director_protocols::envelope::Record;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const RECORDS: u64 = 300;
const FILES: [&str; 3] = ["journal.db", "journal.db-wal", "journal.witness"];

type Files = BTreeMap<String, Vec<u8>>;

/// The files of a journal of [`RECORDS`] records, after a clean close and as a kill leaves them.
fn closed_and_killed() -> (Files, Files) {
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::open(home.path()).unwrap();
    let mut store = SqliteStore::open(&dir).unwrap();
    let mut chain = Chain::after(Head::EMPTY);
    while store.head().seq < RECORDS {
        store.append(store.head(), &batch(&mut chain, 10)).unwrap();
        // So that after the kill a part is in the main file and a part in its log.
        if store.head().seq == RECORDS / 3 {
            store.settle().unwrap();
        }
    }
    let killed = load(home.path());
    store.settle().unwrap();
    drop(store);
    (load(home.path()), killed)
}

fn load(home: &Path) -> Files {
    FILES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), fs::read(home.join(name)).ok()?)))
        .collect()
}

/// Whether the files are the same; one that is empty is as good as none.
fn same(one: &Files, other: &Files) -> bool {
    let full = |files: &Files| {
        files
            .clone()
            .into_iter()
            .filter(|(_, file)| !file.is_empty())
            .collect::<Files>()
    };
    full(one) == full(other)
}

fn lay_out(files: &Files) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(home.path().join(name), content).unwrap();
    }
    home
}

fn open_and_read(dir: &DataDir) -> Result<Vec<Record>, JournalError> {
    let mut store = SqliteStore::open(dir)?;
    read_some(&mut store, 1, usize::MAX)
}

fn flip(content: &mut [u8], bit: usize) {
    if !content.is_empty() {
        let bit = bit % (content.len() * 8);
        content[bit / 8] ^= 1 << (bit % 8);
    }
}

type Damage = (&'static str, fn(&mut Vec<u8>));

const DAMAGES: [Damage; 12] = [
    ("cut the last 100 bytes", |file| {
        file.truncate(file.len().saturating_sub(100))
    }),
    ("cut the last 64 KiB", |file| {
        file.truncate(file.len().saturating_sub(65_536))
    }),
    ("cut in half", |file| file.truncate(file.len() / 2)),
    ("cut to nothing", Vec::clear),
    ("zero the last 4 KiB", |file| {
        let from = file.len().saturating_sub(4096);
        file[from..].fill(0);
    }),
    ("zero the middle 4 KiB", |file| {
        let middle = file.len() / 2;
        let to = (middle + 4096).min(file.len());
        file[middle..to].fill(0);
    }),
    ("zero all", |file| file.fill(0)),
    ("flip a bit near the end", |file| {
        let bit = (file.len() * 8).saturating_sub(400);
        flip(file, bit);
    }),
    ("flip a bit in the middle", |file| {
        let bit = file.len() * 4 + 3;
        flip(file, bit);
    }),
    ("flip a bit at the start", |file| flip(file, 21)),
    ("append garbage", |file| {
        file.extend(b"garbage ".repeat(700))
    }),
    ("append zeros", |file| file.extend([0; 5000])),
];

/// Opens the files; says whether they are complete or refused by number, and tries the way out of a refusal.
fn complete_or_refused(files: &Files, written: &[Record], case: &str) -> bool {
    let home = lay_out(files);
    let dir = DataDir::open(home.path()).unwrap();
    let report = verify(&dir).unwrap_or_else(|error| panic!("{case}: verify gave up: {error}"));
    assert!(
        same(&load(home.path()), files),
        "{case}: verify changed a file"
    );

    let refused = match open_and_read(&dir) {
        Ok(records) => {
            assert!(
                records == written,
                "{case}: opened with {} of {} records",
                records.len(),
                written.len()
            );
            assert!(
                report.problem.is_none(),
                "{case}: complete, but verify said {:?}",
                report.problem
            );
            return true;
        }
        Err(error) => error,
    };
    let accept = refused.repairable_up_to();
    let accept = accept.unwrap_or_else(|| panic!("{case}: refused without a number: {refused}"));
    assert!(
        report.problem.is_some(),
        "{case}: verify found nothing, opening said {refused}"
    );
    // A journal whose ends are sound opens before its middle is read, and may then be tidied up; else nothing moves.
    if SqliteStore::open(&dir).is_err() {
        assert!(
            same(&load(home.path()), files),
            "{case}: the refusal changed a file"
        );
    }

    let before = load(home.path());
    let repaired =
        repair(&dir, accept).unwrap_or_else(|error| panic!("{case}: {refused}, then {error}"));
    assert!(
        same(&load(&repaired.saved), &before),
        "{case}: what was there is not all kept aside"
    );
    let kept = usize::try_from(repaired.kept.seq).unwrap();
    let records =
        open_and_read(&dir).unwrap_or_else(|error| panic!("{case}: after the repair: {error}"));
    assert!(
        records == written[..kept],
        "{case}: the repair did not keep what it said"
    );
    assert_eq!(
        repaired.kept, report.good,
        "{case}: verify promised another end"
    );
    let mut store = SqliteStore::open(&dir).unwrap();
    store
        .append(store.head(), &batch(&mut Chain::after(store.head()), 3))
        .unwrap();
    false
}

fn written() -> Vec<Record> {
    let mut chain = Chain::after(Head::EMPTY);
    let sealed = batch(&mut chain, RECORDS);
    sealed
        .iter()
        .map(|sealed| Record::from_bytes(sealed.bytes()).unwrap())
        .collect()
}

#[test]
fn a_journal_whose_making_was_cut_short_is_made_again() {
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::open(home.path()).unwrap();
    let store = SqliteStore::open(&dir).unwrap();
    let made = load(home.path());
    drop(store);
    let log = made["journal.db-wal"].len();
    assert_eq!(log as u64, LOG_OF_CREATION);
    // The main file is there before its log, and the log grows; a record comes after all of it.
    for cut in [0, 31, 32, 33, 56, 4152, log / 2, log - 1, log] {
        let mut files = made.clone();
        files.get_mut("journal.db-wal").unwrap().truncate(cut);
        let home = lay_out(&files);
        let dir = DataDir::open(home.path()).unwrap();
        let mut store =
            SqliteStore::open(&dir).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        assert_eq!(store.head(), Head::EMPTY, "cut at {cut}");
        let mut chain = Chain::after(Head::EMPTY);
        store.append(Head::EMPTY, &batch(&mut chain, 1)).unwrap();
        drop(store);
        assert_eq!(open_and_read(&dir).unwrap().len(), 1, "cut at {cut}");
    }
}

#[test]
fn damage_is_refused_by_number_or_does_no_harm_and_can_be_repaired() {
    let (closed, killed) = closed_and_killed();
    let written = written();
    assert!(killed["journal.db-wal"].len() > 65_536 && closed["journal.db"].len() > 65_536);
    let mut refused = 0;
    for (state, files) in [("closed", &closed), ("killed", &killed)] {
        assert!(complete_or_refused(files, &written, state));
        for name in FILES {
            for (what, damage) in DAMAGES {
                let mut damaged = files.clone();
                damage(damaged.get_mut(name).unwrap());
                let complete =
                    complete_or_refused(&damaged, &written, &format!("{state}, {name}: {what}"));
                refused += u32::from(!complete);
            }
            let mut damaged = files.clone();
            damaged.remove(name);
            let complete =
                complete_or_refused(&damaged, &written, &format!("{state}, {name}: removed"));
            refused += u32::from(!complete);
        }
    }
    // The figure changes with the layout of the files; far fewer would mean that the damage missed them.
    assert!(refused > 30, "only {refused} of 78 refused");
}

#[test]
fn a_flipped_bit_anywhere_is_refused_by_number_or_does_no_harm() {
    let (closed, killed) = closed_and_killed();
    let written = written();
    // The header of SQLite bit by bit, and then a stride that meets every kind of page.
    let header = (0..100 * 8).step_by(13);
    for (state, files, name) in [
        ("closed", &closed, "journal.db"),
        ("killed", &killed, "journal.db"),
        ("killed", &killed, "journal.db-wal"),
    ] {
        let bits = files[name].len() * 8;
        for bit in header.clone().chain((0..bits).step_by(bits / 40 + 1)) {
            let mut damaged = files.clone();
            flip(damaged.get_mut(name).unwrap(), bit);
            complete_or_refused(&damaged, &written, &format!("{state}, {name}: bit {bit}"));
        }
    }
}

#[test]
fn an_older_copy_of_the_journal_is_refused_with_both_positions() {
    let (closed, killed) = closed_and_killed();
    let mut older = closed;
    older.insert("journal.db".into(), killed["journal.db"].clone());
    let home = lay_out(&older);
    let dir = DataDir::open(home.path()).unwrap();
    let said = open_and_read(&dir).unwrap_err().to_string();
    let path = dir.journal();
    assert_eq!(
        said,
        format!(
            "journal `{}` ends at record 100, but record 300 was acknowledged; restore the missing part, or give up \
             what came after record 100 with `director journal repair --accept-loss 100`",
            path.display()
        )
    );
}

#[test]
fn a_witness_that_lags_is_enough_and_one_of_another_journal_is_refused() {
    let (closed, _) = closed_and_killed();
    let written = written();
    let other = tempfile::tempdir().unwrap();
    let dir = DataDir::open(other.path()).unwrap();
    let mut store = SqliteStore::open(&dir).unwrap();
    let mut chain = Chain::after(Head::EMPTY);
    store.append(Head::EMPTY, &batch(&mut chain, 5)).unwrap();
    let lagging = load(other.path());
    chain.open_epoch();
    store.append(store.head(), &batch(&mut chain, 5)).unwrap();
    let foreign = load(other.path());

    let mut files = closed;
    files.insert("journal.witness".into(), lagging["journal.witness"].clone());
    assert!(complete_or_refused(
        &files,
        &written,
        "the same five records"
    ));
    files.insert("journal.witness".into(), foreign["journal.witness"].clone());
    let home = lay_out(&files);
    let error = open_and_read(&DataDir::open(home.path()).unwrap()).unwrap_err();
    assert!(
        matches!(
            error,
            JournalError::Replaced {
                head: 300,
                witness: 10,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn repair_gives_up_no_more_than_it_is_told_and_no_less() {
    let (closed, _) = closed_and_killed();
    for (accept, kept) in [(300, 300), (9_999, 300), (250, 250), (1, 1), (0, 0)] {
        let home = lay_out(&closed);
        let dir = DataDir::open(home.path()).unwrap();
        let report = repair(&dir, accept).unwrap();
        assert_eq!(
            (report.kept.seq, report.known),
            (kept, 300),
            "accept {accept}"
        );
        assert_eq!(SqliteStore::open(&dir).unwrap().head(), report.kept);
    }
    let empty = tempfile::tempdir().unwrap();
    let error = repair(&DataDir::open(empty.path()).unwrap(), 5).unwrap_err();
    assert!(matches!(error, JournalError::Missing { .. }), "{error}");
}

#[test]
fn a_full_disk_stops_the_journal_and_loses_nothing_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::open(home.path()).unwrap();
    let mut store = SqliteStore::open(&dir).unwrap();
    store.limit_pages(40);
    let mut chain = Chain::after(Head::EMPTY);
    let error = loop {
        if let Err(error) = store.append(store.head(), &batch(&mut chain, 20)) {
            break error;
        }
    };
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    let acknowledged = store.head();
    assert!(acknowledged.seq > 100, "{acknowledged:?}");
    let again = store
        .append(acknowledged, &batch(&mut Chain::after(acknowledged), 1))
        .unwrap_err();
    assert!(matches!(again, JournalError::Stopped { .. }), "{again}");
    drop(store);

    let mut store = SqliteStore::open(&dir).unwrap();
    assert_eq!(store.head(), acknowledged);
    assert_eq!(
        read_some(&mut store, 1, usize::MAX).unwrap().len() as u64,
        acknowledged.seq
    );
    store
        .append(acknowledged, &batch(&mut Chain::after(acknowledged), 50))
        .unwrap();
}

#[test]
fn no_record_can_be_changed_or_removed() {
    let home = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&DataDir::open(home.path()).unwrap()).unwrap();
    store
        .append(Head::EMPTY, &batch(&mut Chain::after(Head::EMPTY), 3))
        .unwrap();
    for change in [
        "DELETE FROM journal",
        "UPDATE journal SET seq = 9 WHERE seq = 3",
        "UPDATE journal SET record = x'00'",
        "INSERT INTO journal (seq, record) VALUES (2, x'00')",
        "INSERT INTO journal (seq, record) VALUES (0, x'00')",
        "INSERT INTO journal (seq, record) VALUES (4, 'text')",
    ] {
        assert!(store.connection().execute(change, ()).is_err(), "{change}");
    }
    assert_eq!(read_some(&mut store, 1, 9).unwrap().len(), 3);
}

#[test]
fn what_is_not_ours_to_open_is_refused_by_name() {
    let (closed, _) = closed_and_killed();

    let home = lay_out(&closed);
    let dir = DataDir::open(home.path()).unwrap();
    let held = SqliteStore::open(&dir).unwrap();
    assert!(
        !home.path().join("journal.db-shm").exists(),
        "the lock was not taken from the first read on"
    );
    let error = SqliteStore::open(&dir).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
    held.connection()
        .execute_batch(
            "PRAGMA user_version = 7; UPDATE about SET value = '7' WHERE name = 'format';
             UPDATE about SET value = 'director 9.1.0' WHERE name = 'written_by';",
        )
        .unwrap();
    drop(held);
    for error in [
        SqliteStore::open(&dir).unwrap_err(),
        verify(&dir).unwrap_err(),
        repair(&dir, 1).unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            format!(
                "journal `{}` has format 7 and was written by director 9.1.0; this build knows format 1: use that \
                 version or a newer one",
                dir.journal().display()
            )
        );
    }

    let other = tempfile::tempdir().unwrap();
    let dir = DataDir::open(other.path()).unwrap();
    connect(&dir.journal())
        .unwrap()
        .execute_batch("CREATE TABLE cats (name TEXT)")
        .unwrap();
    let error = SqliteStore::open(&dir).unwrap_err();
    assert!(matches!(error, JournalError::Foreign { .. }), "{error}");
}
