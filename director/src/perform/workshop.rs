//! The workshop: the repositories that sprints work on, with a lock around whatever must not happen twice at once.
//!
//! It is shared by the integrator, which alone changes repositories through it, and the gatekeeper, which
//! asks it for a directory with a commit checked out. Locks are taken in one order: the integration worktree,
//! the sprint, then a feature or the branch. They also hold against what an earlier incarnation of an actor
//! still has running on a blocking thread; such work looks at its [`CallOff`] once it has the lock.
//!
//! Two notes of each sprint lie in the data directory, each written and synced before what it announces: the
//! base before the integration branch is made, the merge before the branch advances. So a repeat knows its own
//! doing from somebody else's. A third marks each worktree whose preparation is not over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use director_agents::git::{GitError, Oid, Outside, Repository, SprintNames};
use director_agents::process::{Guard, MARK_ENV, Stop};
use director_protocols::ids::SprintId;
use director_runtime::clock::Clock;
use tokio::sync::watch;

use super::webhook::Poster;
use crate::engine::orders::Place;

/// Why an order could not be carried out, in words for people.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Git failed or refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The sprint has no repository.
    #[error("the sprint `{sprint}` has no repository; name one with `repo` in the sprint file")]
    NoRepository {
        /// The sprint.
        sprint: String,
    },
    /// No base is named and the checkout is on no branch.
    #[error(
        "the checkout `{}` is on no branch (detached head); set `base` in the sprint file to the branch to start from", .path.display()
    )]
    Detached {
        /// Its top level.
        path: PathBuf,
    },
    /// The integration branch does not stand where the journal left it.
    #[error(
        "`{name}` should stand at {expected} but {}: someone else moved it. Look at `git reflog {name}`, put it back with `git update-ref {name} {expected}`, then run it again", where_it_is(.found)
    )]
    BranchMoved {
        /// The full ref.
        name: String,
        /// Where the journal left it.
        expected: Oid,
        /// Where it is; `None`: it is gone.
        found: Option<Oid>,
    },
    /// The agent was to resolve a conflict and left markers.
    #[error("conflict markers are left in {}; resolve them all", .files.join(", "))]
    Unresolved {
        /// The files that have them.
        files: Vec<String>,
    },
    /// A note in the data directory could not be written.
    #[error("could not write the note `{}`: {source}; check free space and permissions", .path.display())]
    Note {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory could not be made.
    #[error("could not make the directory `{}`: {source}; check free space and permissions", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The actor that wanted it is gone; whoever comes next does it again.
    #[error("called off: the actor that asked for it has ended")]
    CalledOff,
}

impl Trouble {
    /// Whether somebody else changed what is ours.
    pub(super) fn is_incident(&self) -> bool {
        matches!(
            self,
            Trouble::BranchMoved { .. } | Trouble::Git(GitError::RefMoved { .. })
        )
    }
}

fn where_it_is(found: &Option<Oid>) -> String {
    match found {
        Some(at) => format!("stands at {at}"),
        None => "is gone".to_owned(),
    }
}

/// Set when the actor that asked for work is gone.
#[derive(Clone, Debug, Default)]
pub struct CallOff(Arc<AtomicBool>);

impl CallOff {
    /// Work that has not begun must not begin any more.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// # Errors
    /// [`Trouble::CalledOff`] once it is set.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        if self.is_set() {
            return Err(Trouble::CalledOff);
        }
        Ok(())
    }
}

/// What the integrator and the gatekeeper share.
pub struct Workshop {
    data_dir: PathBuf,
    pub(super) mark_prefix: String,
    /// Posts to webhooks.
    pub(super) poster: Poster,
    pub(super) guard: Option<Arc<Guard>>,
    pub(super) clock: Clock,
    repositories: Mutex<BTreeMap<String, Repository>>,
    floors: Mutex<BTreeMap<SprintId, Arc<Floor>>>,
    /// One clean-up at a time: each also deletes what an interrupted one left.
    pub(super) cleaning: Mutex<()>,
}

/// One sprint's part of the workshop: its locks, and what was seen last.
pub(super) struct Floor {
    /// The integration worktree: one gate run at a time.
    pub hall: Arc<tokio::sync::Mutex<()>>,
    /// Work on features and branch shares it; the clean-up has it alone.
    pub all: RwLock<()>,
    /// The integration branch.
    pub branch: Mutex<()>,
    /// Tells running gates that the sprint is being cleaned up.
    pub stop: watch::Sender<Stop>,
    features: Mutex<BTreeMap<String, Arc<Mutex<()>>>>,
    /// Whether this process has used it before.
    opened: Mutex<bool>,
    pub seen: Mutex<Seen>,
}

/// What was seen last, so that a difference is said once.
#[derive(Default)]
pub(super) struct Seen {
    pub outside: Option<Outside>,
    pub incident: String,
    /// Names of the other sprints, whose refs are no incident.
    pub sprints: BTreeSet<String>,
}

/// A repository with one sprint in it.
pub(super) struct Site {
    pub repository: Repository,
    pub names: SprintNames,
    pub floor: Arc<Floor>,
}

impl Workshop {
    /// A workshop that keeps logs, scratch directories and notes below `data_dir`. Processes are marked with
    /// `mark_prefix`, which belongs to this run of the director and ends with a separator.
    pub fn new(
        data_dir: PathBuf,
        mark_prefix: String,
        guard: Option<Arc<Guard>>,
        clock: Clock,
    ) -> Self {
        Self {
            data_dir,
            mark_prefix,
            poster: Poster::default(),
            guard,
            clock,
            repositories: Mutex::default(),
            floors: Mutex::default(),
            cleaning: Mutex::default(),
        }
    }

    /// The data directory.
    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The directory in which a task without a repository works, and its gates run.
    pub fn scratch(&self, sprint: &str, task: &str) -> PathBuf {
        self.data_dir.join("scratch").join(sprint).join(task)
    }

    /// Deletes what looks ahead of a director before this one have left.
    pub fn forget_looks(&self) {
        let _ = fs::remove_dir_all(self.looks());
    }

    /// The directory of what looks ahead make; nothing in it is needed after them.
    pub(super) fn looks(&self) -> PathBuf {
        self.data_dir.join("looks")
    }

    /// The directory for the logs of a sprint's gates.
    pub fn gate_logs(&self, sprint: &str) -> PathBuf {
        self.data_dir.join("gates").join(sprint)
    }

    /// The sprint's repository, names and locks. The repository is looked for once and then kept.
    pub(super) fn site(&self, place: &Place) -> Result<Site, Trouble> {
        let names = SprintNames::new(&place.sprint)?;
        let path = repo_of(place)?;
        let known = lock(&self.repositories).get(path).cloned();
        let repository = match known {
            Some(repository) => repository,
            None => {
                let mark = format!("{}git", self.mark_prefix);
                let opened = Repository::open(Path::new(path))?.with_env(MARK_ENV, mark);
                lock(&self.repositories)
                    .entry(path.to_owned())
                    .or_insert(opened)
                    .clone()
            }
        };
        let floor = self.floor(place);
        let mut opened = lock(&floor.opened);
        if !*opened {
            // A git that was killed with the director before this one may have left some.
            repository.clear_ref_locks(&names)?;
            *opened = true;
        }
        drop(opened);
        Ok(Site {
            repository,
            names,
            floor,
        })
    }

    pub(super) fn floor(&self, place: &Place) -> Arc<Floor> {
        let mut floors = lock(&self.floors);
        let floor = floors.entry(place.id).or_default().clone();
        let everybody: Vec<Arc<Floor>> = floors.values().cloned().collect();
        drop(floors);
        for other in everybody {
            if !Arc::ptr_eq(&other, &floor) {
                lock(&other.seen).sprints.insert(place.sprint.clone());
            }
        }
        floor
    }

    fn note_path(&self, sprint: SprintId, what: &str) -> PathBuf {
        self.data_dir
            .join("repos")
            .join(sprint.to_string())
            .join(what)
    }

    /// Reads a note back; one that is not there or not whole does not exist.
    pub(super) fn note<const N: usize>(&self, sprint: SprintId, what: &str) -> Option<[Oid; N]> {
        let text = fs::read_to_string(self.note_path(sprint, what)).ok()?;
        let oids: Vec<Oid> = text
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        oids.try_into().ok()
    }

    /// Whether there is such a note.
    pub(super) fn has_note(&self, sprint: SprintId, what: &str) -> bool {
        self.note_path(sprint, what).exists()
    }

    /// Puts an empty note, which a power cut may take away again.
    pub(super) fn put_note(&self, sprint: SprintId, what: &str) -> Result<(), Trouble> {
        let path = self.note_path(sprint, what);
        let put = || {
            fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            fs::write(&path, "")
        };
        put().map_err(|source| Trouble::Note {
            path: path.clone(),
            source,
        })
    }

    /// Takes a note away; when this returns, no power cut brings it back.
    pub(super) fn drop_note(&self, sprint: SprintId, what: &str) -> Result<(), Trouble> {
        let path = self.note_path(sprint, what);
        let drop = || {
            fs::remove_file(&path)?;
            fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        drop().map_err(|source| Trouble::Note {
            path: path.clone(),
            source,
        })
    }

    /// Writes a note; when this returns, it is on the disk.
    pub(super) fn write_note(
        &self,
        sprint: SprintId,
        what: &str,
        oids: &[&Oid],
    ) -> Result<(), Trouble> {
        let path = self.note_path(sprint, what);
        let text: Vec<&str> = oids.iter().map(|oid| oid.as_str()).collect();
        let written = path.with_extension("new");
        let write = || {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut file = fs::File::create(&written)?;
            file.write_all(text.join(" ").as_bytes())?;
            file.sync_all()?;
            fs::rename(&written, &path)?;
            fs::File::open(folder)?.sync_all()
        };
        write().map_err(|source| Trouble::Note {
            path: path.clone(),
            source,
        })
    }
}

impl Floor {
    /// The lock of one feature's worktree.
    pub fn feature(&self, name: &str) -> Arc<Mutex<()>> {
        lock(&self.features)
            .entry(name.to_owned())
            .or_default()
            .clone()
    }
}

impl Default for Floor {
    fn default() -> Self {
        Self {
            hall: Arc::default(),
            all: RwLock::default(),
            branch: Mutex::default(),
            stop: watch::Sender::new(Stop::Go),
            features: Mutex::default(),
            opened: Mutex::default(),
            seen: Mutex::default(),
        }
    }
}

/// The repository's path as the sprint names it.
pub(super) fn repo_of(place: &Place) -> Result<&str, Trouble> {
    place.repo.as_deref().ok_or_else(|| Trouble::NoRepository {
        sprint: place.sprint.clone(),
    })
}

/// What a panic left behind a lock is still true: everything is read back before it is relied on.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
