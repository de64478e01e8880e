//! The journal's actor: owns the store, makes records durable in groups, says how far it is.
//!
//! Behind it stands the writer's thread, or, where time is virtual, a store that is written at once, so that
//! no other thread takes part.
//!
//! Elsewhere: what a record is and how it is kept is `director_runtime::journal`.

use std::sync::{Arc, Mutex, PoisonError};

use director_protocols::envelope::{Record, Sealed};
use director_runtime::journal::{JournalError, Store, Writer, WriterCallbacks, read_some};
use director_runtime::supervisor::{ChildSpec, Restart, spawn_child};
use ractor::{Actor, ActorProcessingErr, ActorRef};

/// How records become durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// By a thread of its own, many at once.
    Thread,
    /// At once, by the actor itself; for virtual time.
    Inline,
}

/// What the journal tells its owner.
#[derive(Clone)]
pub struct Reports {
    /// Everything up to this position is durable.
    pub durable: Arc<dyn Fn(u64) + Send + Sync>,
    /// Nothing more will be durable.
    pub failed: Arc<dyn Fn(JournalError) + Send + Sync>,
}

/// An answer to a reading.
pub type Reply = Box<dyn FnOnce(Result<Vec<Record>, JournalError>) + Send>;

/// What one asks of it.
pub enum JournalMsg {
    /// Make these durable, in this order.
    Append(Vec<Sealed>),
    /// Read from a position, at most so many.
    Read(u64, usize, Reply),
    /// Close, once everything before is durable.
    Close,
}

/// The store, until the actor takes it.
pub type StoreSlot = Arc<Mutex<Option<Box<dyn Store>>>>;

/// Where the current incarnation's address is kept.
pub type Address = Arc<Mutex<Option<ActorRef<JournalMsg>>>>;

/// The actor as a child: temporary, because a journal that has failed is read again only by a new process.
pub fn child(store: StoreSlot, writing: Writing, reports: Reports, address: Address) -> ChildSpec {
    ChildSpec::new("journal", Restart::Temporary, move |_| {
        let arguments = (Arc::clone(&store), writing, reports.clone());
        let spawned = spawn_child(Journal, arguments)?;
        let actor = spawned.actor;
        *address.lock().unwrap_or_else(PoisonError::into_inner) = Some(actor.clone());
        // A stop would overtake what waits to be written.
        Ok(spawned.started.stop_with(move || {
            let _ = actor.cast(JournalMsg::Close);
        }))
    })
    .grace(std::time::Duration::from_secs(60))
}

struct Journal;

enum Backing {
    Thread(Writer),
    Inline(Box<dyn Store>, Reports),
    Closed,
}

impl Actor for Journal {
    type Msg = JournalMsg;
    type State = Backing;
    type Arguments = (StoreSlot, Writing, Reports);

    async fn pre_start(
        &self,
        _: ActorRef<JournalMsg>,
        (store, writing, reports): Self::Arguments,
    ) -> Result<Backing, ActorProcessingErr> {
        let store = store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .ok_or("the journal was started twice")?;
        Ok(match writing {
            Writing::Inline => Backing::Inline(store, reports),
            Writing::Thread => {
                let Reports { durable, failed } = reports;
                Backing::Thread(Writer::start(
                    store,
                    WriterCallbacks {
                        on_durable: Box::new(move |seq| durable(seq)),
                        on_failed: Box::new(move |error| failed(error)),
                    },
                )?)
            }
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<JournalMsg>,
        message: JournalMsg,
        backing: &mut Backing,
    ) -> Result<(), ActorProcessingErr> {
        match (backing, message) {
            (Backing::Thread(writer), JournalMsg::Append(records)) => {
                writer.enqueue_all(records);
            }
            (Backing::Thread(writer), JournalMsg::Read(seq, limit, reply)) => {
                writer.read(seq, limit, reply);
            }
            (Backing::Inline(store, reports), JournalMsg::Append(records)) => {
                match store.append(store.head(), &records) {
                    Ok(head) => (reports.durable)(head.seq),
                    Err(error) => (reports.failed)(error),
                }
            }
            (Backing::Inline(store, _), JournalMsg::Read(seq, limit, reply)) => {
                reply(read_some(store.as_mut(), seq, limit));
            }
            (_, JournalMsg::Close) => myself.stop(None),
            (Backing::Closed, _) => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<JournalMsg>,
        backing: &mut Backing,
    ) -> Result<(), ActorProcessingErr> {
        match std::mem::replace(backing, Backing::Closed) {
            Backing::Thread(writer) => {
                // Joins a thread that may have to sync a last time.
                tokio::task::spawn_blocking(move || writer.close()).await??;
            }
            Backing::Inline(mut store, _) => store.settle()?,
            Backing::Closed => {}
        }
        Ok(())
    }
}
