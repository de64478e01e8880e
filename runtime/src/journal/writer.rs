//! The one thread that writes the journal, and what it tells.
//!
//! Whoever decides hands in sealed records and goes on; the thread takes everything that has gathered, appends it in one
//! transaction with one sync, and says how far the journal is durable. While it syncs, the next batch gathers: that is
//! all there is to group commit, and it needs no timer.
//!
//! An append that fails is final: [`WriterCallbacks::on_failed`] is called once, the queue is dropped, and nothing is
//! acknowledged any more. The product ends its process there; a test looks at what is left.
//!
//! Invariant: `durable() <= enqueued()`, both only rise, and no callback names a record before its sync returned.
//! Elsewhere: how many positions may be open at a time is decided by whoever enqueues.

use super::{JournalError, Store, read_some};
use director_protocols::envelope::{Record, Sealed};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use std::{io, mem};

/// The most records in one transaction; more that wait are written in the next.
pub const BATCH_MAX: usize = 4096;

/// The most records that one [`Writer::read`] answers with.
pub const READ_MAX: usize = 10_000;

/// How long nothing has to wait before the thread tidies the store up.
const IDLE: Duration = Duration::from_secs(1);

/// What the writer calls, from its own thread. None of them may wait for the writer.
pub struct WriterCallbacks {
    /// Everything up to this record is durable. Called after each commit, with rising numbers.
    pub on_durable: Box<dyn FnMut(u64) + Send>,
    /// Nothing more will be durable. Called at most once, and last.
    pub on_failed: Box<dyn FnOnce(JournalError) + Send>,
}

type ReadReply = Box<dyn FnOnce(Result<Vec<Record>, JournalError>) + Send>;

struct ReadRequest {
    seq: u64,
    limit: usize,
    reply: ReadReply,
}

#[derive(Default)]
struct Queue {
    records: Vec<Sealed>,
    reads: Vec<ReadRequest>,
    closing: bool,
    stopped: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    enqueued: AtomicU64,
    durable: AtomicU64,
    commits: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole at every point where a thread that holds it could die.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle to the thread. Dropping it writes what is queued and waits, as [`Writer::close`] does.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Option<Box<dyn Store>>>>,
}

impl Writer {
    /// Starts the thread on this store.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: Box<dyn Store>, callbacks: WriterCallbacks) -> io::Result<Self> {
        let head = store.head().seq;
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            enqueued: AtomicU64::new(head),
            durable: AtomicU64::new(head),
            commits: AtomicU64::new(0),
        });
        let own = Arc::clone(&shared);
        let thread = Builder::new()
            .name("journal".into())
            .spawn(move || run(store, &own, callbacks))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Hands in the next record of the chain and returns its number; never waits for the disk.
    ///
    /// A record out of order is found when it is written and fails the journal. After a failure records are dropped.
    pub fn enqueue(&self, record: Sealed) -> u64 {
        let seq = record.seq();
        self.enqueue_all([record]);
        seq
    }

    /// Hands in the next records of the chain, in order, so that they can go into one transaction.
    ///
    /// As [`Writer::enqueue`] for each.
    pub fn enqueue_all(&self, records: impl IntoIterator<Item = Sealed>) {
        let mut queue = self.shared.lock();
        if queue.stopped {
            return;
        }
        // The thread takes all that is there, so only the first to arrive has to wake it.
        let first = queue.records.is_empty();
        queue.records.extend(records);
        if let Some(last) = queue.records.last() {
            self.shared
                .enqueued
                .fetch_max(last.seq(), Ordering::Release);
            drop(queue);
            if first {
                self.shared.wake.notify_one();
            }
        }
    }

    /// Asks for up to `limit` durable records from `seq` on, at most [`READ_MAX`]; the reply comes from the thread,
    /// between two commits. An empty reply is the end of what is durable.
    ///
    /// The reply is an error when the records are damaged or the writer has stopped.
    pub fn read(
        &self,
        seq: u64,
        limit: usize,
        reply: impl FnOnce(Result<Vec<Record>, JournalError>) + Send + 'static,
    ) {
        let mut queue = self.shared.lock();
        if queue.stopped {
            drop(queue);
            return reply(Err(stopped()));
        }
        queue.reads.push(ReadRequest {
            seq,
            limit: limit.min(READ_MAX),
            reply: Box::new(reply),
        });
        drop(queue);
        self.shared.wake.notify_one();
    }

    /// The number of the last record handed in.
    #[must_use]
    pub fn enqueued(&self) -> u64 {
        self.shared.enqueued.load(Ordering::Acquire)
    }

    /// The number of the last record that is durable.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.shared.durable.load(Ordering::Acquire)
    }

    /// How many transactions were committed since the start.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    /// Writes what is queued, tidies the store up, ends the thread and gives the store back.
    ///
    /// # Errors
    /// [`JournalError::Stopped`] when the journal has failed; why was told to `on_failed`.
    pub fn close(mut self) -> Result<Box<dyn Store>, JournalError> {
        self.finish().ok_or_else(stopped)
    }

    fn finish(&mut self) -> Option<Box<dyn Store>> {
        self.shared.lock().closing = true;
        self.shared.wake.notify_one();
        self.thread
            .take()
            .and_then(|thread| thread.join().ok().flatten())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.finish();
    }
}

fn stopped() -> JournalError {
    JournalError::Stopped {
        path: PathBuf::from("journal"),
    }
}

/// The thread: serves until it is closed, and sees to it that no end goes unnoticed.
fn run(
    mut store: Box<dyn Store>,
    shared: &Shared,
    callbacks: WriterCallbacks,
) -> Option<Box<dyn Store>> {
    let WriterCallbacks {
        mut on_durable,
        on_failed,
    } = callbacks;
    let served = catch_unwind(AssertUnwindSafe(|| {
        serve(store.as_mut(), shared, &mut on_durable)
    }));
    // A panic can only come from a callback; who waits for the journal must hear of it like of any other end.
    let error = match served {
        Ok(Ok(())) => return Some(store),
        Ok(Err(error)) => error,
        Err(_) => stopped(),
    };
    let left = {
        let mut queue = shared.lock();
        queue.stopped = true;
        queue.records.clear();
        mem::take(&mut queue.reads)
    };
    for request in left {
        (request.reply)(Err(stopped()));
    }
    on_failed(error);
    None
}

fn serve(
    store: &mut dyn Store,
    shared: &Shared,
    on_durable: &mut dyn FnMut(u64),
) -> Result<(), JournalError> {
    let mut settled = true;
    loop {
        let Some((records, reads, closing)) = next_work(shared, settled) else {
            store.settle()?;
            settled = true;
            continue;
        };
        settled &= records.is_empty();
        for batch in records.chunks(BATCH_MAX) {
            let head = store.append(store.head(), batch)?;
            shared.commits.fetch_add(1, Ordering::Relaxed);
            shared.durable.store(head.seq, Ordering::Release);
            on_durable(head.seq);
        }
        for ReadRequest { seq, limit, reply } in reads {
            reply(read_some(store, seq, limit));
        }
        if closing && nothing_waits(&shared.lock()) {
            return store.settle();
        }
    }
}

fn nothing_waits(queue: &Queue) -> bool {
    queue.records.is_empty() && queue.reads.is_empty()
}

type Work = (Vec<Sealed>, Vec<ReadRequest>, bool);

/// Waits for work and takes all of it; `None` when there has been none for a while and the store is not settled.
fn next_work(shared: &Shared, settled: bool) -> Option<Work> {
    let nothing =
        |queue: &mut Queue| queue.records.is_empty() && queue.reads.is_empty() && !queue.closing;
    let queue = shared.lock();
    let mut queue = if settled {
        shared
            .wake
            .wait_while(queue, nothing)
            .unwrap_or_else(PoisonError::into_inner)
    } else {
        let (queue, timed_out) = shared
            .wake
            .wait_timeout_while(queue, IDLE, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        if timed_out.timed_out() {
            return None;
        }
        queue
    };
    Some((
        mem::take(&mut queue.records),
        mem::take(&mut queue.reads),
        queue.closing,
    ))
}

#[cfg(test)]
mod tests {
    use super::super::conformance::batch;
    use super::super::{Chain, DataDir, Head, MemoryStore, SqliteStore};
    use super::*;
    use std::ops::ControlFlow;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// What the writer told, in order.
    #[derive(Debug)]
    enum Told {
        Durable(u64),
        Failed(JournalError),
    }

    fn callbacks() -> (WriterCallbacks, Receiver<Told>) {
        let (tell, told) = channel();
        let also = tell.clone();
        let callbacks = WriterCallbacks {
            on_durable: Box::new(move |seq| tell.send(Told::Durable(seq)).unwrap()),
            on_failed: Box::new(move |error| also.send(Told::Failed(error)).unwrap()),
        };
        (callbacks, told)
    }

    /// A store whose appends and tidying up say that they began, and whose appends wait to be let through.
    struct Gated {
        inner: MemoryStore,
        began: Sender<&'static str>,
        gate: Receiver<()>,
    }

    impl Store for Gated {
        fn head(&self) -> Head {
            self.inner.head()
        }

        fn append(&mut self, expected: Head, batch: &[Sealed]) -> Result<Head, JournalError> {
            self.began.send("append").unwrap();
            self.gate.recv().unwrap();
            self.inner.append(expected, batch)
        }

        fn read_from(
            &mut self,
            seq: u64,
            visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
        ) -> Result<(), JournalError> {
            self.inner.read_from(seq, visit)
        }

        fn settle(&mut self) -> Result<(), JournalError> {
            self.began.send("settle").unwrap();
            Ok(())
        }
    }

    fn gated() -> (Gated, Receiver<&'static str>, Sender<()>) {
        let ((began, begun), (open, gate)) = (channel(), channel());
        (
            Gated {
                inner: MemoryStore::new(),
                began,
                gate,
            },
            begun,
            open,
        )
    }

    #[test]
    fn what_gathers_during_a_sync_is_one_transaction() {
        let (store, begun, open) = gated();
        let (callbacks, told) = callbacks();
        let writer = Writer::start(Box::new(store), callbacks).unwrap();
        let mut records = batch(&mut Chain::after(Head::EMPTY), 1001).into_iter();
        writer.enqueue(records.next().unwrap());
        assert_eq!(begun.recv().unwrap(), "append");
        for record in records {
            writer.enqueue(record);
        }
        assert_eq!((writer.enqueued(), writer.durable()), (1001, 0));
        assert!(told.try_recv().is_err(), "nothing is durable yet");

        open.send(()).unwrap();
        assert!(matches!(told.recv().unwrap(), Told::Durable(1)));
        open.send(()).unwrap();
        assert!(matches!(told.recv().unwrap(), Told::Durable(1001)));
        assert_eq!((writer.durable(), writer.commits()), (1001, 2));
        assert_eq!(writer.close().unwrap().head().seq, 1001);
    }

    #[test]
    fn a_writer_with_nothing_to_do_tidies_up_once() {
        let (store, begun, open) = gated();
        let (callbacks, _told) = callbacks();
        let writer = Writer::start(Box::new(store), callbacks).unwrap();
        open.send(()).unwrap();
        writer.enqueue(batch(&mut Chain::after(Head::EMPTY), 1).remove(0));
        assert_eq!(begun.recv().unwrap(), "append");
        assert_eq!(begun.recv().unwrap(), "settle");
        drop(writer);
        assert_eq!(
            begun.iter().collect::<Vec<_>>(),
            ["settle"],
            "once more when it is closed"
        );
    }

    #[test]
    fn after_a_failed_append_nothing_is_acknowledged() {
        for (case, keep) in [
            ("disk full", 0),
            ("torn", 2),
            ("written, but the answer was lost", 5),
        ] {
            let store = MemoryStore::new();
            let (callbacks, told) = callbacks();
            let mut chain = Chain::after(Head::EMPTY);
            let writer = Writer::start(Box::new(store.clone()), callbacks).unwrap();
            writer.enqueue(batch(&mut chain, 1).remove(0));
            assert!(
                matches!(told.recv().unwrap(), Told::Durable(1)),
                "case: {case}"
            );
            store.fail_append(1, keep);
            for record in batch(&mut chain, 5) {
                writer.enqueue(record);
            }
            assert!(
                matches!(
                    told.recv().unwrap(),
                    Told::Failed(JournalError::Full { .. })
                ),
                "case: {case}"
            );
            assert_eq!(writer.enqueue(batch(&mut chain, 1).remove(0)), 7);
            let (reply, replied) = channel();
            writer.read(1, 9, move |read| reply.send(read).unwrap());
            assert!(
                matches!(replied.recv().unwrap(), Err(JournalError::Stopped { .. })),
                "case: {case}"
            );
            assert_eq!(writer.durable(), 1, "case: {case}");
            assert!(
                matches!(writer.close(), Err(JournalError::Stopped { .. })),
                "case: {case}"
            );
            assert_eq!(told.iter().count(), 0, "case: {case}");

            // The next start finds at least what was acknowledged, and goes on after whatever landed.
            let mut recovered = store.reopen().unwrap();
            let head = recovered.head();
            assert!(head.seq >= 1, "case: {case}");
            recovered
                .append(head, &batch(&mut Chain::after(head), 2))
                .unwrap();
        }
    }

    #[test]
    fn a_record_out_of_order_fails_the_journal() {
        let (callbacks, told) = callbacks();
        let writer = Writer::start(Box::new(MemoryStore::new()), callbacks).unwrap();
        writer.enqueue(batch(&mut Chain::after(Head::EMPTY), 2).remove(1));
        let Told::Failed(error) = told.recv().unwrap() else {
            panic!("acknowledged a gap")
        };
        assert!(
            matches!(
                error,
                JournalError::OutOfOrder {
                    seq: 2,
                    head: 0,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn a_callback_that_panics_ends_the_journal_aloud() {
        let (callbacks, told) = callbacks();
        let callbacks = WriterCallbacks {
            on_durable: Box::new(|_| panic!("planted")),
            ..callbacks
        };
        let writer = Writer::start(Box::new(MemoryStore::new()), callbacks).unwrap();
        writer.enqueue(batch(&mut Chain::after(Head::EMPTY), 1).remove(0));
        assert!(matches!(
            told.recv().unwrap(),
            Told::Failed(JournalError::Stopped { .. })
        ));
        assert!(writer.close().is_err());
    }

    #[test]
    fn on_disk_what_is_queued_at_the_end_is_durable_and_reads_are_answered_meanwhile() {
        let home = tempfile::tempdir().unwrap();
        let dir = DataDir::open(home.path()).unwrap();
        let (callbacks, told) = callbacks();
        let writer = Writer::start(Box::new(SqliteStore::open(&dir).unwrap()), callbacks).unwrap();
        for record in batch(&mut Chain::after(Head::EMPTY), 1000) {
            writer.enqueue(record);
        }
        while !matches!(told.recv().unwrap(), Told::Durable(1000)) {}
        let (reply, replied) = channel();
        writer.read(998, 10, move |read| reply.send(read).unwrap());
        let read = replied.recv().unwrap().unwrap();
        assert_eq!(
            read.iter().map(|record| record.seq).collect::<Vec<_>>(),
            [998, 999, 1000]
        );
        assert!(
            writer.commits() < 500,
            "{} commits for 1000 records",
            writer.commits()
        );

        let mut chain = Chain::after(writer.close().unwrap().head());
        let (callbacks, _told) = self::callbacks();
        let writer = Writer::start(Box::new(SqliteStore::open(&dir).unwrap()), callbacks).unwrap();
        for record in batch(&mut chain, 100) {
            writer.enqueue(record);
        }
        drop(writer);
        assert_eq!(SqliteStore::open(&dir).unwrap().head(), chain.head());
    }
}
