//! What every store promises, as one set of stories that is told of each of them.
//!
//! A new store gets a [`Bench`] and one line at the end; it is done when they pass.

use super::{Chain, DataDir, Head, JournalError, MemoryStore, SqliteStore, Store, read_some};
use director_protocols::envelope::{Record, Sealed};
use std::ops::ControlFlow;
use tempfile::TempDir;

/// One journal that can be opened again and again, and be damaged.
trait Bench {
    fn open(&self) -> Result<Box<dyn Store>, JournalError>;
    fn flip_bit(&self, seq: u64, bit: usize);
}

struct InMemory(MemoryStore);

impl Bench for InMemory {
    fn open(&self) -> Result<Box<dyn Store>, JournalError> {
        Ok(Box::new(self.0.reopen()?))
    }

    fn flip_bit(&self, seq: u64, bit: usize) {
        self.0.flip_bit(seq, bit);
    }
}

struct OnDisk(TempDir);

impl Bench for OnDisk {
    fn open(&self) -> Result<Box<dyn Store>, JournalError> {
        Ok(Box::new(SqliteStore::open(
            &DataDir::open(self.0.path()).unwrap(),
        )?))
    }

    fn flip_bit(&self, seq: u64, bit: usize) {
        let dir = DataDir::open(self.0.path()).unwrap();
        let store = SqliteStore::open(&dir).unwrap();
        let database = store.connection();
        let select = "SELECT record FROM journal WHERE seq = ?1";
        let mut record: Vec<u8> = database
            .query_row(select, [seq.cast_signed()], |row| row.get(0))
            .unwrap();
        let bit = bit % (record.len() * 8);
        record[bit / 8] ^= 1 << (bit % 8);
        database
            .execute_batch("DROP TRIGGER journal_changes_no_record")
            .unwrap();
        database
            .execute(
                "UPDATE journal SET record = ?1 WHERE seq = ?2",
                (record, seq.cast_signed()),
            )
            .unwrap();
    }
}

/// The next `count` records of the chain, of growing size.
pub(super) fn batch(chain: &mut Chain, count: u64) -> Vec<Sealed> {
    (0..count)
        .map(|_| {
            let seq = chain.head().seq + 1;
            let payload = seq
                .to_le_bytes()
                .repeat(1 + usize::try_from(seq % 40).unwrap());
            chain.seal(7, 1, 1000 + seq, payload).unwrap()
        })
        .collect()
}

fn all(store: &mut dyn Store) -> Vec<Record> {
    read_some(store, 1, usize::MAX).unwrap()
}

fn seqs(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.seq).collect()
}

fn what_is_appended_is_read_back_after_reopening(bench: &dyn Bench) {
    let mut store = bench.open().unwrap();
    assert_eq!((store.head(), all(store.as_mut())), (Head::EMPTY, vec![]));
    let mut chain = Chain::after(store.head());
    chain.open_epoch();
    let mut written = Vec::new();
    for count in [1, 3, 0, 200] {
        let records = batch(&mut chain, count);
        let head = store.append(store.head(), &records).unwrap();
        assert_eq!((head, store.head()), (chain.head(), chain.head()));
        written.extend(
            records
                .iter()
                .map(|sealed| Record::from_bytes(sealed.bytes()).unwrap()),
        );
    }
    assert_eq!(all(store.as_mut()), written);
    store.settle().unwrap();
    drop(store);

    let mut store = bench.open().unwrap();
    assert_eq!((store.head(), all(store.as_mut())), (chain.head(), written));
    chain.open_epoch();
    store.append(store.head(), &batch(&mut chain, 2)).unwrap();
    drop(store);
    assert_eq!(
        bench.open().unwrap().head(),
        Head {
            epoch: 2,
            seq: 206,
            ..chain.head()
        }
    );
}

fn reading_starts_where_told_and_stops_when_told(bench: &dyn Bench) {
    let mut store = bench.open().unwrap();
    let mut chain = Chain::after(store.head());
    store.append(store.head(), &batch(&mut chain, 5)).unwrap();
    for (from, limit, expected) in [
        (0, 9, vec![1, 2, 3, 4, 5]),
        (1, 2, vec![1, 2]),
        (2, 1, vec![2]),
        (3, 9, vec![3, 4, 5]),
        (5, 9, vec![5]),
        (6, 9, vec![]),
        (u64::MAX, 9, vec![]),
        (1, 0, vec![]),
    ] {
        let read = read_some(store.as_mut(), from, limit).unwrap();
        assert_eq!(seqs(&read), expected, "from {from}, at most {limit}");
    }
}

fn an_append_that_does_not_continue_the_head_changes_nothing(bench: &dyn Bench) {
    let mut store = bench.open().unwrap();
    let mut chain = Chain::after(store.head());
    let first = batch(&mut chain, 3);
    store.append(Head::EMPTY, &first).unwrap();
    let next = batch(&mut chain, 3);
    let mut elsewhere = Chain::after(Head {
        seq: 3,
        epoch: 9,
        ..Head::EMPTY
    });
    let head = store.head();
    for (case, expected, records) in [
        ("stale head", Head::EMPTY, &next[..]),
        ("gap", head, &next[1..]),
        ("again", head, &first[2..]),
        (
            "backwards",
            head,
            &[next[0].clone(), next[2].clone(), next[1].clone()],
        ),
        ("another chain", head, &batch(&mut elsewhere, 1)),
    ] {
        let error = store.append(expected, records).unwrap_err();
        let refused = matches!(
            error,
            JournalError::Conflict { .. } | JournalError::OutOfOrder { .. }
        );
        assert!(refused, "case: {case}: {error}");
        assert_eq!(
            (store.head(), all(store.as_mut()).len()),
            (head, 3),
            "case: {case}"
        );
    }
    store.append(head, &next).unwrap();
    assert_eq!(seqs(&all(store.as_mut())), [1, 2, 3, 4, 5, 6]);
}

fn an_older_epoch_is_refused(bench: &dyn Bench) {
    let mut store = bench.open().unwrap();
    let mut chain = Chain::after(Head {
        epoch: 4,
        ..Head::EMPTY
    });
    store.append(Head::EMPTY, &batch(&mut chain, 1)).unwrap();
    let mut old = Chain::after(Head {
        epoch: 3,
        ..chain.head()
    });
    let error = store.append(store.head(), &batch(&mut old, 1)).unwrap_err();
    assert!(
        matches!(
            error,
            JournalError::OutOfOrder {
                seq: 2,
                head: 1,
                ..
            }
        ),
        "{error}"
    );
}

fn a_flipped_bit_is_refused_by_number_and_what_is_before_it_is_readable(bench: &dyn Bench) {
    let mut store = bench.open().unwrap();
    let mut chain = Chain::after(store.head());
    store.append(store.head(), &batch(&mut chain, 30)).unwrap();
    drop(store);
    // Magic, number, epoch, link, length, checksum, payload: wherever the bit is.
    bench.flip_bit(17, 8 * 60 + 3);
    let mut store = bench.open().unwrap();
    let mut read = Vec::new();
    let error = store.read_from(1, &mut |record| {
        read.push(record.seq);
        ControlFlow::Continue(())
    });
    let error = error.unwrap_err();
    assert!(
        matches!(error, JournalError::Damaged { seq: 17, .. }),
        "{error}"
    );
    assert_eq!(read, (1..17).collect::<Vec<_>>());
    let link = read_some(store.as_mut(), 18, 5).unwrap_err();
    assert!(
        matches!(link, JournalError::Damaged { seq: 17, .. }),
        "{link}"
    );
    assert_eq!(seqs(&read_some(store.as_mut(), 19, 2).unwrap()), [19, 20]);
}

fn a_damaged_last_record_is_refused_at_once(bench: &dyn Bench) {
    let mut store = bench.open().unwrap();
    let mut chain = Chain::after(store.head());
    store.append(store.head(), &batch(&mut chain, 3)).unwrap();
    drop(store);
    bench.flip_bit(3, 100);
    let error = bench.open().map(|store| store.head()).unwrap_err();
    assert!(
        matches!(error, JournalError::Damaged { seq: 3, .. }),
        "{error}"
    );
}

fn conforms(new: &dyn Fn() -> Box<dyn Bench>) {
    for story in [
        what_is_appended_is_read_back_after_reopening,
        reading_starts_where_told_and_stops_when_told,
        an_append_that_does_not_continue_the_head_changes_nothing,
        an_older_epoch_is_refused,
        a_flipped_bit_is_refused_by_number_and_what_is_before_it_is_readable,
        a_damaged_last_record_is_refused_at_once,
    ] {
        story(new().as_ref());
    }
}

#[test]
fn the_store_in_memory_conforms() {
    conforms(&|| Box::new(InMemory(MemoryStore::new())));
}

#[test]
fn the_store_on_disk_conforms() {
    conforms(&|| Box::new(OnDisk(tempfile::tempdir().unwrap())));
}
