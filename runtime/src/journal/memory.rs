//! A journal in memory, with faults on request: for tests and for simulation.
//!
//! Clones share one content, so a test keeps one handle, lets the writer die with the other, and opens the content
//! again with [`MemoryStore::reopen`]. What is kept are the stored bytes, so that damage can be done to them.
//!
//! Invariant: it promises and refuses exactly what the stores on disk do; one conformance suite runs over all.
//! Elsewhere: the store that survives the process is [`sqlite`](super::sqlite).

use super::{Head, JournalError, Reader, Store};
use director_protocols::envelope::{Record, Sealed, hash_of};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A journal in memory; clones share its content, each handle has its own view of the head.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    content: Arc<Mutex<Content>>,
    head: Head,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Content {
    records: Vec<Vec<u8>>,
    appends: u64,
    fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    /// The append that fails, counted from the first ever.
    append: u64,
    /// How many records of its batch land nevertheless.
    keep: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self {
            content: Arc::default(),
            head: Head::EMPTY,
            stopped: false,
        }
    }

    /// Opens the content again, as a new process would after this one was killed.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when the last record is not as it was written.
    pub fn reopen(&self) -> Result<Self, JournalError> {
        let mut opened = Self {
            content: Arc::clone(&self.content),
            head: Head::EMPTY,
            stopped: false,
        };
        opened.head = {
            let content = self.lock();
            match content.records.last() {
                None => Head::EMPTY,
                Some(bytes) => {
                    let seq = content.records.len() as u64;
                    let record = Record::from_bytes(bytes)
                        .map_err(|error| damaged(seq, error.to_string()))?;
                    Head {
                        seq,
                        hash: hash_of(bytes),
                        epoch: record.epoch,
                    }
                }
            }
        };
        Ok(opened)
    }

    /// A journal of its own with the same content as this one has now, and no faults ahead.
    #[must_use]
    pub fn fork(&self) -> Self {
        let records = self.lock().records.clone();
        let content = Content {
            records,
            ..Content::default()
        };
        Self {
            content: Arc::new(Mutex::new(content)),
            head: self.head,
            stopped: self.stopped,
        }
    }

    /// Keeps only the first `seq` records, as if the process had been killed right after that one; then reopen it.
    pub fn cut_after(&self, seq: u64) {
        self.lock()
            .records
            .truncate(usize::try_from(seq).unwrap_or(usize::MAX));
    }

    /// Lets the `nth` append from now on (1 is the next one) fail, after the first `keep` records of its batch have
    /// landed: none is a full disk, some a torn write, all a reply that got lost.
    pub fn fail_append(&self, nth: u64, keep: usize) {
        let mut content = self.lock();
        content.fault = Some(Fault {
            append: content.appends + nth,
            keep,
        });
    }

    /// Flips one bit of a stored record; without such a record nothing happens.
    pub fn flip_bit(&self, seq: u64, bit: usize) {
        let index = usize::try_from(seq).ok().and_then(|seq| seq.checked_sub(1));
        let mut content = self.lock();
        if let Some(bytes) = index.and_then(|index| content.records.get_mut(index)) {
            let bit = bit % (bytes.len() * 8).max(1);
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    /// How many appends have been tried, over all handles.
    #[must_use]
    pub fn appends(&self) -> u64 {
        self.lock().appends
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        // Nothing panics while it holds the lock; were it so, the content would still be whole records.
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn path() -> PathBuf {
    PathBuf::from("memory")
}

fn damaged(seq: u64, reason: String) -> JournalError {
    JournalError::Damaged {
        path: path(),
        seq,
        reason,
    }
}

impl Store for MemoryStore {
    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, expected: Head, batch: &[Sealed]) -> Result<Head, JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped { path: path() });
        }
        let head = super::check_append(&path(), self.head, expected, batch)?;
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let actual = content.records.len() as u64;
        if actual != self.head.seq {
            return Err(JournalError::Conflict {
                path: path(),
                expected: self.head.seq,
                actual,
            });
        }
        content.appends += 1;
        let fault = content
            .fault
            .filter(|fault| fault.append == content.appends);
        let keep = fault.map_or(batch.len(), |fault| fault.keep.min(batch.len()));
        content
            .records
            .extend(batch[..keep].iter().map(|sealed| sealed.bytes().to_vec()));
        if fault.is_some() {
            self.stopped = true;
            return Err(JournalError::Full { path: path() });
        }
        self.head = head;
        Ok(head)
    }

    fn read_from(
        &mut self,
        seq: u64,
        visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        let mut reader = Reader::before(seq);
        while reader.next_seq() <= self.head.seq {
            let next = reader.next_seq();
            let index = usize::try_from(next - 1).unwrap_or(usize::MAX);
            // One at a time, so that a visitor may use other handles on the same content.
            let bytes = self.lock().records.get(index).cloned();
            let bytes = bytes.ok_or_else(|| damaged(next, "it is missing".into()))?;
            let record = reader
                .accept(&bytes)
                .map_err(|reason| damaged(next, reason))?;
            if record.seq >= seq && visit(record).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}
