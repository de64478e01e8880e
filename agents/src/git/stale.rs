//! Stale locks: files that a killed git left, which stop every git that comes after it.
//!
//! A lock on what is ours alone (a worktree, a branch, a salvage ref) is removed as soon as none of our commands runs.
//! Other locks are everyone's, first of all the one on packed refs: git takes it whenever it deletes a ref, also for a
//! reset, and holds it for moments. Such a lock counts as left behind once it is older than any such moment and no git
//! that was there when it was made is at work in the repository; or when it is older than the machine's last start.
//!
//! Invariant: the lock of a git that is alive stays. Where there is no `/proc`, nobody is known to be dead.
//! Elsewhere: whose work it was is known by the sweep, which has ended it before anything here is called.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::param::clock_ticks_per_second;

use super::{GitError, Repository, SprintNames};
use crate::process::table;

/// Locks that every git takes, ours and those of agents and people. What is written under the lock on packed refs comes
/// before the lock: without it, nobody may write there.
const EVERYONES: [&str; 4] = [
    "packed-refs.new",
    "packed-refs.lock",
    "config.lock",
    "objects/maintenance.lock",
];
/// Longer than a git holds the lock on packed refs, in a repository with hundreds of thousands of them. What holds one of
/// these locks for longer, such as maintenance, is seen as a process.
const HELD_AT_MOST: Duration = Duration::from_secs(3);
/// Between two looks at a lock that is younger than that.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Start times and file times come from clocks that differ by less.
const CLOCKS_DIFFER: i64 = 2;

impl Repository {
    /// Removes lock files on this sprint's refs, and on packed refs, that a killed git left. Only for the start, when
    /// no git command of an earlier run is left; other sprints of this run may be at work. Waits up to some seconds
    /// for a lock that may be held.
    ///
    /// # Errors
    /// [`GitError::Io`] when one cannot be removed.
    pub fn clear_ref_locks(&self, names: &SprintNames) -> Result<(), GitError> {
        for name in EVERYONES {
            let path = self.common_dir().join(name);
            if self.is_left_behind(&path) {
                remove(&path)?;
            }
        }
        let refs = self.common_dir().join("refs");
        let mut stale = vec![refs.join(format!("heads/{}.lock", names.integration_branch()))];
        let prefix = format!("{}-", names.sprint());
        let longer = self.longer_names(&prefix)?;
        for lock in locks_in(&refs.join("heads/feature")) {
            let name = lock.file_name().unwrap_or_default().to_string_lossy();
            if !name.starts_with(&prefix) {
                continue;
            }
            // `feature/s1-b-x` is a branch of the sprint `s1-b`, if there is one, and that may be at work.
            let anothers = longer.iter().any(|longer| name.starts_with(longer));
            if !anothers || self.is_left_behind(&lock) {
                stale.push(lock);
            }
        }
        let salvage = fs::read_dir(refs.join(format!("director/salvage/{}", names.sprint())));
        for task in salvage.into_iter().flatten().flatten() {
            stale.extend(locks_in(&task.path()));
        }
        stale.iter().try_for_each(|path| remove(path))
    }

    /// What the branches of features begin with of other sprints here whose names go on where `prefix` ends.
    fn longer_names(&self, prefix: &str) -> Result<Vec<String>, GitError> {
        let sprints = self.refs("refs/heads/sprint/")?.into_iter();
        Ok(sprints
            .filter_map(|(name, _)| {
                let sprint = name.strip_prefix("refs/heads/sprint/")?;
                sprint.starts_with(prefix).then(|| format!("{sprint}-"))
            })
            .collect())
    }

    /// Whether nobody can be holding this lock, which is not ours alone. Waits until it is old enough to tell.
    fn is_left_behind(&self, lock: &Path) -> bool {
        let booted = booted();
        loop {
            let Ok(made) = fs::symlink_metadata(lock) else {
                return false;
            };
            let Some(booted) = booted else { return false };
            if made.mtime() < booted {
                return true;
            }
            let age = made
                .modified()
                .map(|made| SystemTime::now().duration_since(made));
            match age {
                Ok(Ok(age)) if age >= HELD_AT_MOST => {
                    return !self.has_git_from_before(made.mtime() + CLOCKS_DIFFER, booted);
                }
                // Of the future: the clock was set back, so that its age says nothing.
                Ok(Err(_)) | Err(_) => return false,
                Ok(Ok(_)) => thread::sleep(LOOK_EVERY),
            }
        }
    }

    /// Whether a git that started before `made` (in seconds since 1970) is at work in this repository.
    fn has_git_from_before(&self, made: i64, booted: i64) -> bool {
        let ours = |dir: &Path| {
            dir.starts_with(self.common_dir())
                || dir.starts_with(self.top())
                || fs::read(dir.join(".git")).is_ok_and(|link| {
                    contains(&link, self.common_dir().as_os_str().as_encoded_bytes())
                })
        };
        table::all().into_iter().any(|entry| {
            let proc = PathBuf::from(format!("/proc/{}", entry.pid));
            let ticks = clock_ticks_per_second().max(1);
            let started = i64::try_from(entry.start_ticks / ticks).map_or(0, |s| booted + s);
            let name = fs::read(proc.join("comm")).unwrap_or_default();
            // Whoever does not say where it is at work may be at work here.
            !entry.zombie
                && started <= made
                && name.starts_with(b"git")
                && fs::read_link(proc.join("cwd")).map_or(true, |dir| dir.ancestors().any(ours))
        })
    }
}

/// Removes the lock files that lie directly in a folder of ours.
pub(super) fn clear(folder: &Path) -> Result<(), GitError> {
    locks_in(folder).iter().try_for_each(|lock| remove(lock))
}

fn locks_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut locks: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "lock") && path.is_file())
        .collect();
    locks.sort();
    locks
}

/// Removes a lock, if there is one.
pub(super) fn remove(lock: &Path) -> Result<(), GitError> {
    if !lock.is_file() {
        return Ok(());
    }
    match fs::remove_file(lock) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(GitError::io("remove the stale lock", lock)(error))
        }
        _ => Ok(()),
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len().max(1)).any(|part| part == wanted)
}

/// When the machine was started, in seconds since 1970; `None` where that cannot be known.
fn booted() -> Option<i64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines()
        .find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use super::super::Advance;
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn a_lock_that_a_killed_git_left_on_a_ref_of_ours_is_cleared() {
        let fixture = Fixture::new();
        let (repository, names) = (fixture.repository(), SprintNames::new("s1").unwrap());
        let head = fixture.head();
        fs::create_dir_all(fixture.path(".git/refs/heads/sprint")).unwrap();
        fs::write(fixture.path(".git/refs/heads/sprint/s1.lock"), "").unwrap();
        repository.clear_ref_locks(&names).unwrap();
        assert_eq!(
            repository.create_integration_branch(&names, &head).unwrap(),
            Advance::Done
        );
    }

    #[test]
    #[cfg(target_os = "linux")] // Elsewhere nobody is known to be dead, and no such lock is removed.
    fn a_lock_that_is_everyones_is_removed_only_when_nobody_can_hold_it() {
        let fixture = Fixture::new();
        let (repository, names) = (fixture.repository(), fixture.names());
        let lock = fixture.path(".git/packed-refs.lock");
        let made = |name: &str, at: SystemTime| {
            let file = fs::File::create(fixture.path(".git").join(name)).unwrap();
            file.set_modified(at).unwrap();
        };
        made("packed-refs.lock", SystemTime::UNIX_EPOCH);
        repository.clear_ref_locks(&names).unwrap();
        assert!(!lock.exists(), "it was left by a power cut");

        // A git that waits for its input, in the user's checkout.
        let mut git = Command::new("git");
        git.current_dir(fixture.path("."))
            .args(["cat-file", "--batch"]);
        let mut git = git
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        made("packed-refs.lock", SystemTime::now());
        let began = Instant::now();
        repository.clear_ref_locks(&names).unwrap();
        assert!(lock.exists(), "somebody's git may hold it");
        assert!(began.elapsed() >= HELD_AT_MOST / 2, "it was given time");

        git.kill().unwrap();
        git.wait().unwrap();
        for name in EVERYONES {
            made(name, SystemTime::now() - HELD_AT_MOST);
        }
        repository.clear_ref_locks(&names).unwrap();
        for name in EVERYONES {
            let lock = fixture.path(".git").join(name);
            assert!(!lock.exists(), "nobody is left who could hold {name}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_lock_of_a_sprint_whose_name_only_begins_alike_stays_while_somebody_may_hold_it() {
        let fixture = Fixture::new();
        let repository = fixture.repository();
        let head = fixture.head();
        for sprint in ["s1", "s1-b"] {
            let names = SprintNames::new(sprint).unwrap();
            repository.create_integration_branch(&names, &head).unwrap();
        }
        let mut git = Command::new("git");
        git.current_dir(fixture.path("."))
            .args(["cat-file", "--batch"]);
        let mut git = git
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let folder = fixture.path(".git/refs/heads/feature");
        fs::create_dir_all(&folder).unwrap();
        let (own, anothers) = (folder.join("s1-api.lock"), folder.join("s1-b-api.lock"));
        for lock in [&own, &anothers] {
            fs::write(lock, "").unwrap();
        }
        repository
            .clear_ref_locks(&SprintNames::new("s1").unwrap())
            .unwrap();
        assert!(!own.exists(), "it is ours, and nobody of us is at work");
        assert!(anothers.exists(), "the other sprint may be at work");
        git.kill().unwrap();
        git.wait().unwrap();
        let file = fs::File::options().write(true).open(&anothers).unwrap();
        file.set_modified(SystemTime::now() - HELD_AT_MOST).unwrap();
        repository
            .clear_ref_locks(&SprintNames::new("s1").unwrap())
            .unwrap();
        assert!(!anothers.exists(), "nobody is left who could hold it");
    }

    #[test]
    fn every_lock_that_a_killed_git_left_in_a_worktree_is_cleared_before_it_is_used_again() {
        let fixture = Fixture::new();
        let (repository, names) = (fixture.repository(), fixture.names());
        let head = fixture.head();
        let worktree = repository.prepare_worktree(&names, "api", &head).unwrap();
        for name in ["index", "HEAD", "ORIG_HEAD", "AUTO_MERGE", "MERGE_HEAD"] {
            fs::write(worktree.admin.join(format!("{name}.lock")), "").unwrap();
        }
        repository.prepare_worktree(&names, "api", &head).unwrap();
        assert_eq!(locks_in(&worktree.admin), Vec::<PathBuf>::new());
    }
}
