//! The system: builds a director from its parts and runs it.
//!
//! Order of a start: lock the data directory, open the store, replay, end what an earlier run left behind, start
//! the guard, compare git with the journal, then the actors. The data directory stays locked until the last actor is gone.
//!
//! Elsewhere: what the actors do is `actors`; the commands on top of this are `cli`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use director_agents::cell::Sink;
use director_agents::context::Host;
use director_agents::factory::Registry;
use director_agents::process::Guard;
use director_agents::process::sweep::{self, Marks};
use director_agents::reach::Reach;
use director_runtime::blobs::{BlobError, Blobs};
use director_runtime::bus::Bus;
use director_runtime::clock::Clock;
use director_runtime::directory::Directory;
use director_runtime::journal::{Chain, DataDir, DataDirError, JournalError, SqliteStore, Store};
use director_runtime::supervisor::{Exit, Root, Subtree, spawn_root};
use tokio::sync::Notify;

use crate::actors::director::{Arguments, Director, Rounds};
use crate::actors::journal::{self, Reports, StoreSlot, Writing};
use crate::actors::post::{Item, Post, Wake};
use crate::actors::role::Crew;
use crate::actors::service::{self, MakeTask};
use crate::actors::team;
use crate::actors::{gatekeeper, integrator, messenger};
use crate::control::audit::Audit;
use crate::control::who::mark_of;
use crate::engine::Engine;
use crate::handle::{Call, Handle};
use crate::history::{self, HistoryError};
use crate::perform::lookout::Lookout;
use crate::perform::plans::Plans;
use crate::perform::{Performer, Ports, Workshop};
use crate::traces;

/// Entries that the bus keeps for slow subscribers.
const BUS_LEN: usize = 16_384;

/// Why a director could not be started, or how it failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody else has the data directory, or it cannot be opened.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The store refused.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal could not be replayed.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The place for artifacts cannot be used.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The secret behind the tokens of agents cannot be used.
    #[error("{0}")]
    Secret(std::io::Error),
    /// The guard process could not be started.
    #[error("the guard process could not be started: {0}")]
    Guard(std::io::Error),
    /// The actors could not be started.
    #[error("the actors could not be started: {0}")]
    Actors(String),
    /// The director ended by a failure of its own.
    #[error("the director failed: {0}; what was acknowledged is safe, run it again to go on")]
    Failed(String),
}

/// Makes who carries out orders, from those who would and the handle.
pub type MakePerformer =
    Arc<dyn Fn(Arc<dyn Performer>, &Handle) -> Arc<dyn Performer> + Send + Sync>;

/// Makes the task of a service from the handle.
pub type MakeService = Arc<dyn Fn(Handle) -> service::Task + Send + Sync>;

/// What a director is made of; defaults suit the command line. Clones share a store that was given.
#[derive(Clone)]
pub struct Builder {
    data_dir: PathBuf,
    registry: Registry,
    guard_exe: Option<PathBuf>,
    url: Option<String>,
    stopper: Option<Arc<Notify>>,
    clock: Clock,
    store: Option<StoreSlot>,
    writing: Writing,
    services: Vec<(String, MakeService)>,
    on_failed: Arc<dyn Fn(&JournalError) + Send + Sync>,
    engine: Engine,
    seed: u64,
    rounds: Rounds,
    performer: Option<MakePerformer>,
    traces: Option<traces::Settings>,
}

impl Builder {
    /// A director whose state lies in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            registry: Registry::builtin(),
            guard_exe: None,
            clock: Clock::system(),
            store: None,
            writing: Writing::Thread,
            url: None,
            stopper: None,
            services: Vec::new(),
            on_failed: Arc::new(|error| tracing::error!(%error, "journal failed")),
            engine: Engine::default(),
            seed: 0,
            rounds: Rounds::default(),
            performer: None,
            traces: None,
        }
    }

    /// Keeps its state there instead.
    pub fn data_dir(mut self, data_dir: impl Into<PathBuf>) -> Self {
        self.data_dir = data_dir.into();
        self
    }

    /// The kinds of agent that sprint files may name, sorted.
    pub fn kinds(&self) -> Vec<String> {
        self.registry.kinds().map(str::to_owned).collect()
    }

    /// The kinds of agent, built-in and of your own.
    pub fn agents(&self) -> &Registry {
        &self.registry
    }

    /// Knows these kinds of agent instead.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// The program that runs the guard when it is given `__guard`; none runs without a guard.
    pub fn guard_exe(mut self, exe: Option<PathBuf>) -> Self {
        self.guard_exe = exe;
        self
    }

    /// Where agents reach it over HTTP, if it serves any.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Who is told first when the director is to stop, see [`Handle::stopped_by`].
    pub fn stopper(mut self, stopper: Arc<Notify>) -> Self {
        self.stopper = Some(stopper);
        self
    }

    /// The time; a virtual one for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Another store than the data directory's own, written at once by the journal's actor; for tests.
    pub fn store(mut self, store: Box<dyn Store>) -> Self {
        self.store = Some(Arc::new(Mutex::new(Some(store))));
        self.writing = Writing::Inline;
        self
    }

    /// A task that runs as long as the director does, under its supervision.
    pub fn service(mut self, name: impl Into<String>, make: MakeService) -> Self {
        self.services.push((name.into(), make));
        self
    }

    /// What to do when the journal has failed; the command line ends the process.
    pub fn on_journal_failure(
        mut self,
        failed: impl Fn(&JournalError) + Send + Sync + 'static,
    ) -> Self {
        self.on_failed = Arc::new(failed);
        self
    }

    /// Checks the engine's invariants after every decision and panics when one is broken; for tests.
    pub fn checked(mut self) -> Self {
        self.engine = Engine::checked();
        self
    }

    /// Seeds the jitter of restarts.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How what arrives is taken; gathered where time is virtual and every run has to be the same.
    pub fn rounds(mut self, rounds: Rounds) -> Self {
        self.rounds = rounds;
        self
    }

    /// Puts somebody before those who carry out orders: `make` gets them, and the handle to answer with.
    pub fn performer(
        mut self,
        make: impl Fn(Arc<dyn Performer>, &Handle) -> Arc<dyn Performer> + Send + Sync + 'static,
    ) -> Self {
        self.performer = Some(Arc::new(make));
        self
    }

    /// Sends traces there.
    pub fn traces(mut self, settings: Option<traces::Settings>) -> Self {
        self.traces = settings;
        self
    }

    /// Starts it. Has to be called in a tokio runtime.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start(self) -> Result<Running, StartError> {
        let Self {
            data_dir,
            registry,
            guard_exe,
            url,
            stopper,
            clock,
            store,
            writing,
            services,
            on_failed,
            engine,
            seed,
            rounds,
            performer,
            traces,
        } = self;
        let given =
            store.and_then(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        let (dir, mut store): (Option<DataDir>, Box<dyn Store>) = match given {
            Some(store) => (None, store),
            None => {
                let dir = DataDir::open(&data_dir)?;
                let store = SqliteStore::open(&dir)?;
                (Some(dir), Box::new(store))
            }
        };
        let (engine, last) = history::restore(store.as_mut(), engine)?;
        let chain = Chain::after(store.head());
        let owner = mark_of(&data_dir);
        // With the process in it: a director that was killed before its epoch was journalled had the same epoch, and
        // its guard may still be ending what bears its mark.
        let (epoch, process) = (chain.head().epoch + 1, std::process::id());
        let mark = format!("{owner}{epoch}-{process}/");
        if dir.is_some() {
            let swept = sweep::end(&Marks::StartingWith(owner));
            if !swept.ended.is_empty() {
                tracing::warn!(
                    processes = swept.ended.len(),
                    "ended what an earlier run left"
                );
            }
        }
        // Agents of a store in memory have no files to speak of.
        let reach = match &dir {
            None => None,
            Some(_) => {
                let reach = Reach::open(&data_dir, url, guard_exe.clone());
                Some(Arc::new(reach.map_err(StartError::Secret)?))
            }
        };
        let guard = guard_exe
            .map(|exe| Guard::start(&exe, &mark))
            .transpose()
            .map_err(StartError::Guard)?
            .map(Arc::new);

        let blobs = dir
            .as_ref()
            .map(|dir| Blobs::open(&dir.blobs()))
            .transpose()?
            .map(Arc::new);
        let post = Post::new();
        let bus = Bus::new(BUS_LEN);
        let handle = {
            let post = post.clone();
            Handle::new(
                Arc::new(move |call: Call| post.send(Item::Call(call))),
                bus.clone(),
                clock.clone(),
            )
            .with_reach(reach.clone())
            .audited(Arc::new(Audit::new(&data_dir)))
            .stopped_by(stopper)
        };
        let sink: Sink = {
            let post = post.clone();
            Arc::new(move |command| {
                // A director that is gone reads it from its own journal.
                post.send(Item::Call(Call::Command(Box::new(command), None)));
            })
        };
        let journal_address = journal::Address::default();
        let team_address = team::Address::default();
        let slots = Directory::new();
        let crew = Crew {
            registry: Arc::new(registry),
            host: Host {
                data_dir: data_dir.clone(),
                clock: clock.clone(),
                guard: guard.clone(),
                mark: mark.clone(),
                blobs,
                reach: reach.clone(),
                traced: traces.is_some(),
            },
            sink: Arc::clone(&sink),
            clock: clock.clone(),
            slots: slots.clone(),
            seed,
        };
        let reports = {
            let (durable, failed) = (post.clone(), post.clone());
            Reports {
                durable: Arc::new(move |seq| {
                    durable.send(Item::Durable(seq));
                }),
                failed: Arc::new(move |error| {
                    failed.send(Item::JournalFailed(error));
                }),
            }
        };
        let sending = traces.map(|settings| traces::start(settings, handle.clone(), &data_dir));
        let workshop = Arc::new(Workshop::new(data_dir, mark, guard.clone(), clock.clone()));
        let check = {
            let workshop = Arc::clone(&workshop);
            // What is found waits in the mailbox until the director has opened.
            move || {
                workshop.forget_looks();
                (workshop.check(engine.state()), engine)
            }
        };
        let (found, engine) = tokio::task::spawn_blocking(check)
            .await
            .map_err(|error| StartError::Actors(error.to_string()))?;
        found.into_iter().for_each(|command| sink(command));
        let integrator = integrator::integrator(Arc::clone(&workshop), Arc::clone(&sink));
        let gatekeeper = gatekeeper::gatekeeper(Arc::clone(&workshop), Arc::clone(&sink));
        let messenger = messenger::messenger(Arc::clone(&workshop), Arc::clone(&sink));
        let store = Arc::new(Mutex::new(Some(store)));
        let mut children = vec![
            journal::child(store, writing, reports, Arc::clone(&journal_address)),
            integrator.child(),
            gatekeeper.child(),
            messenger.child(),
            team::child(crew, Arc::clone(&team_address)),
        ];
        for (name, make) in services {
            let handle = handle.clone();
            let task: MakeTask = Arc::new(move || make(handle.clone()));
            children.push(service::child(&name, task));
        }
        // What is done beside the director comes when it comes.
        let beside = matches!(writing, Writing::Thread);
        let ports: Arc<dyn Performer> = Arc::new(Ports {
            plans: beside.then(|| Plans::new(Arc::clone(&sink))),
            lookout: beside.then(|| Lookout::new(Arc::clone(&workshop), Arc::clone(&sink))),
            team: team_address,
            slots,
            integrator,
            gatekeeper,
            messenger,
            sink,
        });
        let root = spawn_root(
            Director,
            Arguments {
                engine,
                chain,
                last,
                post,
                journal: journal_address,
                performer: match performer {
                    Some(make) => make(ports, &handle),
                    None => ports,
                },
                children,
                bus,
                clock,
                subtree: Subtree::new(),
                on_failed,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                rounds,
            },
        )
        .map_err(|error| StartError::Actors(error.to_string()))?;
        Ok(Running {
            handle,
            root,
            guard,
            sending,
            _dir: dir,
        })
    }
}

/// A director that runs.
pub struct Running {
    /// Speaks to it.
    pub handle: Handle,
    root: Root<Wake>,
    guard: Option<Arc<Guard>>,
    sending: Option<traces::Sending>,
    _dir: Option<DataDir>,
}

impl Running {
    /// Waits until it has stopped, in order, and lets go of the data directory.
    ///
    /// # Errors
    /// [`StartError::Failed`] when it ended by a failure of its own.
    pub async fn wait(self) -> Result<(), StartError> {
        let exit = self.root.wait().await;
        if let Some(guard) = self.guard
            && let Some(guard) = Arc::into_inner(guard)
        {
            // Waits for a process.
            let _ = tokio::task::spawn_blocking(move || guard.close()).await;
        }
        if let Some(sending) = self.sending {
            sending.end().await;
        }
        match exit {
            Exit::Stopped => Ok(()),
            failed => Err(StartError::Failed(failed.to_string())),
        }
    }
}
