//! The data directory: where everything durable lives, held by one process at a time.
//!
//! An operating system lock on the file `lock` says who holds it; the system lets go of it when the process ends,
//! however it ends, so there is no stale lock to clean up. The holder's process id is written inside, for people.
//!
//! Invariant: while a [`DataDir`] lives, no other one for the same directory does, in this process or another.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a lock that somebody holds is waited for. A process that is just being started holds a copy of its parent's lock until
/// it runs its own program, and a command that only looks holds it for a moment.
const PASSING: Duration = Duration::from_millis(200);

/// A locked data directory; unlocked when dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process, or another part of this one, holds it.
    #[error(
        "`{path}` is held by another director ({holder}); stop it, ask it instead, or choose another directory"
    )]
    Held {
        /// The data directory.
        path: PathBuf,
        /// Its process id, or that it is not known.
        holder: String,
    },
    /// Something else has its name.
    #[error("`{path}` is not a directory; move it away, or choose another data directory")]
    NotADirectory {
        /// What is there.
        path: PathBuf,
    },
    /// It was made somewhere else, and what its journal says is about repositories and worktrees as they were there.
    #[error(
        "`{here}` {happened} `{made}`, and its journal is about what lies there; {way_out}, or choose another data directory"
    )]
    Elsewhere {
        /// Where it lies now.
        here: PathBuf,
        /// Where it was made.
        made: PathBuf,
        /// That it is a copy, or was moved.
        happened: &'static str,
        /// What to do.
        way_out: &'static str,
    },
    /// The system refused.
    #[error("could not {action} `{path}`; check that the directory can be written: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DataDir {
    /// Creates the directory, for its owner alone (mode 0700), if it is missing, and locks it.
    ///
    /// # Errors
    /// [`DataDirError::Held`] when somebody has it, [`DataDirError::NotADirectory`] when a file is
    /// there, [`DataDirError::Elsewhere`] when it is not where it was made, [`DataDirError::Io`] when it cannot be created or written.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| DataDirError::Io {
                action,
                path,
                source,
            }
        };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        if made.is_err() && path.exists() && !path.is_dir() {
            let path = path.to_owned();
            return Err(DataDirError::NotADirectory { path });
        }
        made.map_err(failed("create data directory", path))?;
        let lock_path = path.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(failed("open", &lock_path))?;
        let until = Instant::now() + PASSING;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(PASSING / 20);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(DataDirError::Held {
                        path: path.to_owned(),
                        holder: holder(&mut lock),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(failed("lock", &lock_path)(source));
                }
            }
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(failed("write", &lock_path))?;
        at_its_place(path)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The journal's main file.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.db")
    }

    /// What the journal has written but not yet moved into its main file; SQLite names it.
    #[must_use]
    pub fn journal_wal(&self) -> PathBuf {
        self.path.join("journal.db-wal")
    }

    /// The witness of the journal's head.
    #[must_use]
    pub fn witness(&self) -> PathBuf {
        self.path.join("journal.witness")
    }

    /// Where artifacts are kept.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }
}

/// The journal names repositories and worktrees by their paths. A copy that went on would work on the original's, beside the original's own
/// director; so a data directory remembers where it was made. A link at the old place will do.
fn at_its_place(path: &Path) -> Result<(), DataDirError> {
    let note = path.join("place");
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| DataDirError::Io {
            action,
            path,
            source,
        }
    };
    let here = path.canonicalize().map_err(failed("find", path))?;
    let made = match fs::read(&note) {
        Ok(bytes) => PathBuf::from(OsStr::from_bytes(bytes.trim_ascii_end())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let line = [here.as_os_str().as_bytes(), b"\n"].concat();
            return replace_file(&note, &line).map_err(failed("write", &note));
        }
        Err(error) => return Err(failed("read", &note)(error)),
    };
    if made == here || made.canonicalize().is_ok_and(|made| made == here) {
        return Ok(());
    }
    let (happened, way_out) = match made.exists() {
        true => ("is a copy of", "use the original"),
        false => (
            "was moved here from",
            "move it back, or put a symbolic link to this place there",
        ),
    };
    Err(DataDirError::Elsewhere {
        here,
        made,
        happened,
        way_out,
    })
}

fn holder(lock: &mut File) -> String {
    let mut text = String::new();
    let read = lock.take(32).read_to_string(&mut text);
    match read.ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(pid) => format!("process {pid}"),
        // Between taking the lock and writing the id there is a moment.
        None => "its process id is not known".into(),
    }
}

/// Makes a new or renamed directory entry survive a power cut.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Replaces a file as a whole: after a crash there is either the old content or the new.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_second_director_is_told_who_holds_the_directory() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("deep/.director");
        let first = DataDir::open(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );

        let refused = DataDir::open(&path).unwrap_err().to_string();
        let (path_text, pid) = (path.display(), std::process::id());
        assert_eq!(
            refused,
            format!(
                "`{path_text}` is held by another director (process {pid}); stop it, ask it instead, or choose \
                 another directory"
            )
        );

        drop(first);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn one_that_was_copied_or_moved_says_so_and_goes_on_where_it_is_found_again() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        drop(DataDir::open(&at("first")).unwrap());
        fs::create_dir(at("copy")).unwrap();
        fs::copy(at("first/place"), at("copy/place")).unwrap();
        let said = DataDir::open(&at("copy")).unwrap_err().to_string();
        assert!(
            said.contains("is a copy of") && said.contains("first"),
            "{said}"
        );

        fs::rename(at("first"), at("second")).unwrap();
        let said = DataDir::open(&at("second")).unwrap_err().to_string();
        assert!(said.contains("was moved here from"), "{said}");
        std::os::unix::fs::symlink(at("second"), at("first")).unwrap();
        DataDir::open(&at("second")).unwrap();
    }

    #[test]
    fn a_path_that_cannot_hold_a_directory_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = DataDir::open(&file).unwrap_err();
        assert!(
            matches!(&refused, DataDirError::NotADirectory { path } if *path == file),
            "{refused}"
        );
        let error = DataDir::open(&file.join("data")).unwrap_err();
        assert!(
            matches!(&error, DataDirError::Io { path, .. } if *path == file.join("data")),
            "{error}"
        );
    }
}
