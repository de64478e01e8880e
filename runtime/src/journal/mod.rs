//! The journal: the durable list of what was decided, and the only truth that outlives the process.
//!
//! A [`Chain`] gives each decision its place and its link to the one before; the [`Writer`], one thread, hands what has
//! gathered to a [`Store`] in one transaction with one sync, and only then says *durable up to N*. A store keeps bytes
//! and order: it refuses an append that does not continue its head, and refuses to read past damage.
//!
//! ```text
//! Chain::seal ─▶ Writer::enqueue ─▶ [queue] ─▶ Store::append ─▶ witness ─▶ on_durable(N)
//! ```
//!
//! Invariant: what was called durable is read back complete and in order, or the reading fails and names the record.
//! Elsewhere: what a record means is the engine's; its bytes are [`director_protocols::envelope`]'s.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod damage;
pub mod data_dir;
mod database;
mod error;
pub mod memory;
pub mod repair;
pub mod sqlite;
mod witness;
pub mod writer;

pub use data_dir::{DataDir, DataDirError};
pub use error::JournalError;
pub use memory::MemoryStore;
pub use repair::{RepairReport, VerifyReport, repair, verify};
pub use sqlite::SqliteStore;
pub use writer::{Writer, WriterCallbacks};

use director_protocols::envelope::{EnvelopeError, Record, RecordHash, Sealed};
use std::{ops::ControlFlow, path::Path};

/// Where a journal ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; 0 when there is none.
    pub seq: u64,
    /// Hash of the last record; [`RecordHash::NONE`] when there is none.
    pub hash: RecordHash,
    /// Epoch of the last record; 0 when there is none.
    pub epoch: u64,
}

impl Head {
    /// The head of a journal without records.
    pub const EMPTY: Self = Self {
        seq: 0,
        hash: RecordHash::NONE,
        epoch: 0,
    };

    /// Whether this record may come right after this head.
    #[must_use]
    pub fn is_continued_by(&self, next: &Sealed) -> bool {
        self.seq.checked_add(1) == Some(next.seq())
            && self.hash == next.prev()
            && self.epoch <= next.epoch()
    }

    /// The head once this record is the last one.
    #[must_use]
    pub fn after(record: &Sealed) -> Self {
        Self {
            seq: record.seq(),
            hash: record.hash(),
            epoch: record.epoch(),
        }
    }
}

/// What keeps records. One writer at a time; every implementation passes the same conformance tests.
pub trait Store: Send {
    /// Where the journal ends, as known without looking again.
    fn head(&self) -> Head;

    /// Makes these records durable, all or, should it fail, none that was ever acknowledged.
    ///
    /// Returns once they survive a power cut, as far as this kind of store promises that. An empty batch does nothing.
    ///
    /// # Errors
    /// [`JournalError::Conflict`] when the head is not `expected`, [`JournalError::OutOfOrder`] when the batch does not
    /// continue it; both leave the store as it was. Any other error is final: what landed is unknown, every further
    /// append is refused with [`JournalError::Stopped`], and the way on is to open the store again.
    fn append(&mut self, expected: Head, batch: &[Sealed]) -> Result<Head, JournalError>;

    /// Hands every record from `seq` on to `visit`, in order, until the head or until it breaks.
    ///
    /// Each record is checked before it is handed out: checksum, number, link to the record before. A `seq` after the
    /// head visits nothing; 0 is the same as 1.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] with the first record that is not as it was written; those before it were visited.
    fn read_from(
        &mut self,
        seq: u64,
        visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<(), JournalError>;

    /// Tidies up while nothing is waiting, so that an open or a damaged tail finds little unsettled.
    ///
    /// # Errors
    /// Final, as for [`Store::append`].
    fn settle(&mut self) -> Result<(), JournalError>;
}

/// Reads up to `limit` records from `seq` on; see [`Store::read_from`].
///
/// # Errors
/// As [`Store::read_from`].
pub fn read_some(
    store: &mut dyn Store,
    seq: u64,
    limit: usize,
) -> Result<Vec<Record>, JournalError> {
    let mut records = Vec::new();
    if limit == 0 {
        return Ok(records);
    }
    store.read_from(seq, &mut |record| {
        records.push(record);
        if records.len() < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(records)
}

/// Where the next record goes: gives out numbers, epoch and links, on the side of whoever decides.
///
/// It runs ahead of the store, so that a decision knows its number before it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    head: Head,
}

impl Chain {
    /// Goes on after this head, in its epoch.
    #[must_use]
    pub fn after(head: Head) -> Self {
        Self { head }
    }

    /// The last record sealed, or the head it began with.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Records sealed from now on belong to the next epoch; returns it.
    ///
    /// Whoever starts to write calls this once and seals a record that says so, before anything else.
    pub fn open_epoch(&mut self) -> u64 {
        self.head.epoch = self.head.epoch.saturating_add(1);
        self.head.epoch
    }

    /// Makes the next record; its number is [`Sealed::seq`].
    ///
    /// # Errors
    /// [`EnvelopeError::TooLarge`] for a payload over the limit; the chain stays as it was.
    pub fn seal(
        &mut self,
        kind: u16,
        version: u16,
        time_ms: u64,
        payload: Vec<u8>,
    ) -> Result<Sealed, EnvelopeError> {
        let sealed = Sealed::new(&Record {
            kind,
            version,
            seq: self.head.seq + 1,
            epoch: self.head.epoch,
            time_ms,
            prev: self.head.hash,
            payload,
        })?;
        self.head = Head::after(&sealed);
        Ok(sealed)
    }
}

/// Checks that a batch continues a store's head, and gives the head after it; shared by all stores.
pub(crate) fn check_append(
    path: &Path,
    actual: Head,
    expected: Head,
    batch: &[Sealed],
) -> Result<Head, JournalError> {
    if actual != expected {
        let (expected, actual) = (expected.seq, actual.seq);
        return Err(JournalError::Conflict {
            path: path.to_owned(),
            expected,
            actual,
        });
    }
    batch.iter().try_fold(actual, |head, next| {
        if head.is_continued_by(next) {
            Ok(Head::after(next))
        } else {
            Err(JournalError::OutOfOrder {
                path: path.to_owned(),
                seq: next.seq(),
                head: head.seq,
            })
        }
    })
}

/// Checks records in the order they are read; shared by all stores, so that they refuse the same things.
#[derive(Debug)]
pub(crate) struct Reader {
    /// What was read last; `None` while nothing vouches for the link of the first record.
    last: Option<Head>,
    next: u64,
}

impl Reader {
    /// Begins one record before `seq`, so that the link of record `seq` is checked too.
    pub(crate) fn before(seq: u64) -> Self {
        match seq {
            0..=2 => Self {
                last: Some(Head::EMPTY),
                next: 1,
            },
            _ => Self {
                last: None,
                next: seq - 1,
            },
        }
    }

    /// The number that the next record has to have.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next
    }

    /// The last record that passed; the empty head when none did.
    pub(crate) fn head(&self) -> Head {
        self.last.unwrap_or(Head::EMPTY)
    }

    /// Checks the next record; the error says what is wrong with it.
    pub(crate) fn accept(&mut self, bytes: &[u8]) -> Result<Record, String> {
        let record = Record::from_bytes(bytes).map_err(|error| error.to_string())?;
        if record.seq != self.next {
            return Err(format!("record {} is in its place", record.seq));
        }
        if let Some(last) = self.last {
            if record.prev != last.hash {
                return Err("it does not follow the record before it".into());
            }
            if record.epoch < last.epoch {
                return Err(format!(
                    "epoch {} comes after epoch {}",
                    record.epoch, last.epoch
                ));
            }
        }
        let hash = director_protocols::envelope::hash_of(bytes);
        self.last = Some(Head {
            seq: record.seq,
            hash,
            epoch: record.epoch,
        });
        self.next = record.seq.saturating_add(1);
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_numbers_links_and_opens_epochs() {
        let mut chain = Chain::after(Head::EMPTY);
        assert_eq!(chain.open_epoch(), 1);
        let first = chain.seal(1, 1, 10, b"a".to_vec()).unwrap();
        let second = chain.seal(1, 1, 11, b"b".to_vec()).unwrap();
        assert_eq!(
            (first.seq(), first.prev(), first.epoch()),
            (1, RecordHash::NONE, 1)
        );
        assert_eq!(
            (second.seq(), second.prev(), second.epoch()),
            (2, first.hash(), 1)
        );
        assert_eq!(chain.head(), Head::after(&second));

        let mut later = Chain::after(chain.head());
        assert_eq!(later.open_epoch(), 2);
        assert!(
            chain
                .head()
                .is_continued_by(&later.seal(1, 1, 12, vec![]).unwrap())
        );
    }

    #[test]
    fn an_oversized_payload_leaves_the_chain_as_it_was() {
        let mut chain = Chain::after(Head::EMPTY);
        let large = vec![0; director_protocols::codec::PAYLOAD_LIMIT + 1];
        assert!(chain.seal(1, 1, 1, large).is_err());
        assert_eq!(chain.head(), Head::EMPTY);
    }
}
