//! The tree as one can look at it: a snapshot that needs no actor to answer.
//!
//! The rules of each supervisor are shown in its [`Subtree`], and the subtree of a child hangs in its parent's. So reading
//! the whole tree is reading memory, also while an actor is busy or stuck.
//!
//! The same value tells when a subtree is empty: every incarnation holds a token of its supervisor's subtree until
//! it is joined, so a supervisor that crashes is gone only when its children are gone too.
//!
//! Elsewhere: the states are decided in `supervision`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::exit::{ChildId, Exit, Generation};
use super::supervision::Supervision;

/// What a child is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildState {
    /// To be started, its turn has not come.
    Waiting,
    /// Being started.
    Starting,
    /// Up.
    Running,
    /// Asked to stop, or killed and not yet gone.
    Stopping,
    /// Down; a restart is due after the backoff.
    BackingOff,
    /// Down for good, unless it is started by request.
    Down,
}

impl fmt::Display for ChildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ChildState::Waiting => "waiting",
            ChildState::Starting => "starting",
            ChildState::Running => "running",
            ChildState::Stopping => "stopping",
            ChildState::BackingOff => "backing off",
            ChildState::Down => "down",
        })
    }
}

/// One child at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildView {
    /// Its name among its siblings.
    pub id: ChildId,
    /// What it is doing.
    pub state: ChildState,
    /// Its newest incarnation.
    pub generation: Generation,
    /// Starts after the first.
    pub restarts: u64,
    /// How the incarnation before ended, or this one if it is down.
    pub last_exit: Option<Exit>,
    /// Incarnations given up as leaked that still run.
    pub leaked: usize,
}

/// A child and what hangs below it, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeView {
    /// The child.
    pub child: ChildView,
    /// Its own children, in start order; empty unless it is a supervisor.
    pub below: Vec<TreeView>,
}

/// What hangs below a child, whichever incarnation of it: given to each at its start, and by it to its
/// [`Supervisor`](super::Supervisor) if it owns one.
///
/// Because it outlives the incarnations, it also remembers how far the generations below have been counted.
#[derive(Clone)]
pub struct Subtree {
    inner: Arc<Mutex<Inner>>,
    tokens: Arc<watch::Sender<()>>,
}

#[derive(Default)]
struct Inner {
    rules: Option<Arc<Mutex<Supervision>>>,
    /// False while `rules` are those of an incarnation that is over: they only know how far was counted.
    current: bool,
    below: BTreeMap<ChildId, Subtree>,
}

impl Subtree {
    /// Nothing hangs below yet. The root of a tree makes its own.
    pub fn new() -> Self {
        Subtree {
            inner: Arc::default(),
            tokens: Arc::new(watch::Sender::new(())),
        }
    }

    /// Everything below, in start order, at this moment.
    pub fn view(&self) -> Vec<TreeView> {
        let (rules, below) = {
            let inner = lock(&self.inner);
            (
                inner.rules.clone().filter(|_| inner.current),
                inner.below.clone(),
            )
        };
        let children = rules
            .map(|rules| lock(&rules).children())
            .unwrap_or_default();
        let look = |child: ChildView| {
            let up = !matches!(
                child.state,
                ChildState::Waiting | ChildState::BackingOff | ChildState::Down
            );
            let below = below
                .get(&child.id)
                .filter(|_| up)
                .map(Subtree::view)
                .unwrap_or_default();
            TreeView { child, below }
        };
        children.into_iter().map(look).collect()
    }

    /// Incarnations below that are not yet joined.
    pub fn alive(&self) -> usize {
        self.tokens.receiver_count()
    }

    /// What will hang below the next incarnation of a child: nothing at first.
    pub(super) fn below(&self, child: &ChildId) -> Subtree {
        let below = lock(&self.inner)
            .below
            .entry(child.clone())
            .or_default()
            .clone();
        lock(&below.inner).current = false;
        below
    }

    /// Shows the children of these rules from now on; they go on counting where those before them ended.
    pub(super) fn show(&self, rules: Supervision) -> Arc<Mutex<Supervision>> {
        let mut inner = lock(&self.inner);
        let newest = inner
            .rules
            .as_ref()
            .map(|before| lock(before).newest())
            .unwrap_or_default();
        let rules = Arc::new(Mutex::new(rules.counting_from(newest)));
        inner.rules = Some(Arc::clone(&rules));
        inner.current = true;
        rules
    }

    /// To be held by whoever watches an incarnation below, until it is joined.
    pub(super) fn token(&self) -> watch::Receiver<()> {
        self.tokens.subscribe()
    }

    /// Waits until nothing below is alive. For whoever started the root, after a root that crashed.
    pub async fn emptied(&self) {
        self.tokens.closed().await;
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The rules do not panic half-way through a step, so what is behind a poisoned lock is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Subtree {
    fn default() -> Self {
        Subtree::new()
    }
}

impl fmt::Debug for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.view()).finish()
    }
}
