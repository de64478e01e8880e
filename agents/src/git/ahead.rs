//! Looks ahead: how branches would merge while people and agents still work on them, uncommitted work included.
//!
//! A worktree's files become a tree through an index of ours, which is kept between looks, so that a look costs one pass over
//! the files' dates and reads only what has changed. The tree becomes a commit on top of the worktree's HEAD; two commits are
//! merged in memory, as they will be later. All that this makes goes into objects and indexes in a folder of ours, which borrows
//! the repository's objects: the repository, its worktrees and their indexes are only read, and no hook runs.
//!
//! | left out of a look | why |
//! |---|---|
//! | ignored files | they are no part of the work |
//! | files of more than [`FILE_MAX_BYTES`] that are new or changed | they would be copied again and again |
//! | repositories within the worktree | they are none of ours |
//! | uncommitted work that git cannot read, or more of it than [`FILES_MAX`] and [`BYTES_MAX`] | what is committed is looked at instead |
//!
//! Invariant: nothing but the folder is written.
//! Elsewhere: what is compared with what, and how often, is the director's `perform::lookout`; real merges are `merge`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::{GitCommand, Output};
use super::repository::path_of;
use super::{GitError, Oid, Repository, Worktree};

/// The largest file whose uncommitted change is looked at.
pub const FILE_MAX_BYTES: u64 = 16 << 20;
/// The most files, and bytes in them, whose uncommitted change is read in one look.
pub const FILES_MAX: usize = 20_000;
/// See [`FILES_MAX`].
pub const BYTES_MAX: u64 = 256 << 20;
/// The longest that one git command of a look may take: whoever needs the worktree meanwhile waits for it.
const LIMIT: Duration = Duration::from_secs(20);

/// Where looks keep what they make. Forgotten by deleting the folder.
#[derive(Clone, Debug)]
pub struct Scratch {
    dir: PathBuf,
}

/// What a worktree holds at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// A commit with all of it, which only the [`Scratch`] knows unless nothing is uncommitted.
    pub commit: Oid,
    /// Where its HEAD stood.
    head: Oid,
    /// How many bytes had to be read anew.
    pub read: u64,
}

/// How two commits would merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Into this commit, which only the [`Scratch`] knows.
    Clean(Oid),
    /// Not by itself: the files in conflict, in the order of their names.
    Conflict(Vec<PathBuf>),
}

/// What a commit changed, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    paths: BTreeSet<Vec<u8>>,
    adds: bool,
    deletes: bool,
}

impl Touched {
    /// Whether the two could conflict at all: they have a path in common, one has a file where the other has a folder, or one may
    /// have moved a folder into which the other puts something.
    pub fn meets(&self, other: &Touched) -> bool {
        let moved = self.deletes && other.adds || self.adds && other.deletes;
        moved || self.reaches(other) || other.reaches(self)
    }

    /// Whether one of our paths, or a folder that it lies in, is a path of the other's.
    fn reaches(&self, other: &Touched) -> bool {
        self.paths.iter().any(|path| {
            let folders = path.iter().enumerate().filter(|(_, b)| **b == b'/');
            let mut folders = folders.map(|(at, _)| &path[..at]);
            other.paths.contains(path) || folders.any(|folder| other.paths.contains(folder))
        })
    }
}

impl Scratch {
    /// Begins anew in `dir`, which is deleted first. Merges of `repository` only: its objects are borrowed.
    ///
    /// # Errors
    /// [`GitError::Io`].
    pub fn new(dir: &Path, repository: &Repository) -> Result<Self, GitError> {
        if dir.exists() {
            fs::remove_dir_all(dir).map_err(GitError::io("delete", dir))?;
        }
        let info = dir.join("objects/info");
        fs::create_dir_all(&info).map_err(GitError::io("create", &info))?;
        let file = info.join("alternates");
        fs::write(&file, repository.lent()).map_err(GitError::io("write", file))?;
        let dir = dir.to_owned();
        Ok(Self { dir })
    }

    /// The same command with new objects in the folder; none of them is synced.
    fn with(&self, command: GitCommand) -> GitCommand {
        command
            .unsynced()
            .limit(LIMIT)
            .env("GIT_OBJECT_DIRECTORY", self.dir.join("objects"))
    }

    fn index(&self, name: &str) -> PathBuf {
        self.dir.join(format!("index-{name}"))
    }

    /// Forgets the index of a worktree that is not looked at any more.
    pub fn forget(&self, name: &str) {
        let _ = fs::remove_file(self.index(name));
    }
}

impl Repository {
    /// What a worktree holds now; its index in `scratch` is called `name`, which must not be another worktree's or an earlier
    /// attempt's. `last` is what was found there before.
    ///
    /// # Errors
    /// That git failed, a worktree that has vanished or stands at no commit among the reasons.
    pub fn snapshot(
        &self,
        scratch: &Scratch,
        worktree: &Worktree,
        name: &str,
        last: Option<&Snapshot>,
    ) -> Result<Snapshot, GitError> {
        let none = || GitError::NoWorktree {
            path: worktree.path.clone(),
        };
        if !worktree.path.is_dir() {
            return Err(none());
        }
        let head = self.head_of(worktree)?.ok_or_else(none)?;
        let index = scratch.index(name);
        let changed = self.refresh(scratch, worktree, &index);
        let (tree, read) = match changed {
            Ok(Some(0)) if last.is_some_and(|last| last.head == head) => {
                let commit = last.map_or_else(|| head.clone(), |last| last.commit.clone());
                return Ok(Snapshot {
                    commit,
                    head,
                    read: 0,
                });
            }
            Ok(Some(read)) => {
                let own = self.own(scratch, worktree, &index);
                let tree = own.arg("write-tree").run()?;
                (Oid::from_output("write-tree", &tree.stdout)?, read)
            }
            Ok(None) | Err(GitError::Failed { .. }) => {
                // A file that cannot be read, or far too many: what is committed is there all the same.
                scratch.forget(name);
                let commit = head.clone();
                return Ok(Snapshot {
                    commit,
                    head,
                    read: 0,
                });
            }
            Err(error) => return Err(error),
        };
        let commit = match self.tree_of(&head)? == tree {
            true => head.clone(),
            false => self.commit_in(scratch, &tree, &[&head])?,
        };
        Ok(Snapshot { commit, head, read })
    }

    /// How two commits would merge, of which `scratch` may be the only one to know.
    ///
    /// # Errors
    /// That git failed; commits without common history are among the reasons.
    pub fn outlook(&self, scratch: &Scratch, a: &Oid, b: &Oid) -> Result<Outlook, GitError> {
        let output = self.merge_tree(scratch.with(self.git()), a, b)?;
        match output {
            Ok(tree) => self.commit_in(scratch, &tree, &[a, b]).map(Outlook::Clean),
            Err(files) => {
                // Where two cannot lie at one place, git names one after its commit, which is another at every look.
                let ends = [a, b].map(|commit| format!("~{commit}").into_bytes());
                let named = files.iter().map(|file| {
                    let name = file.as_os_str().as_bytes();
                    let plain = ends.iter().find_map(|end| name.strip_suffix(&end[..]));
                    path_of(plain.unwrap_or(name))
                });
                let named: BTreeSet<PathBuf> = named.collect();
                Ok(Outlook::Conflict(named.into_iter().collect()))
            }
        }
    }

    /// What differs between two commits, by name; a file that was moved is deleted here and added there.
    ///
    /// # Errors
    /// That git failed.
    pub fn touched(&self, scratch: &Scratch, a: &Oid, b: &Oid) -> Result<Touched, GitError> {
        let words = ["diff-tree", "-r", "-z", "--no-renames", "--name-status"];
        let output = scratch
            .with(self.git())
            .args(words)
            .args([a.as_str(), b.as_str()])
            .run()?;
        let mut touched = Touched::default();
        let mut fields = output.fields();
        while let (Some(status), Some(path)) = (fields.next(), fields.next()) {
            touched.adds |= status == b"A";
            touched.deletes |= status == b"D";
            touched.paths.insert(path.to_vec());
        }
        Ok(touched)
    }

    fn commit_in(&self, scratch: &Scratch, tree: &Oid, parents: &[&Oid]) -> Result<Oid, GitError> {
        let mut command = scratch.with(self.git()).date(0);
        command = command.args(["commit-tree", tree.as_str(), "-m", "look ahead"]);
        for parent in parents {
            command = command.args(["-p", parent.as_str()]);
        }
        Oid::from_output("commit-tree", &command.run()?.stdout)
    }

    fn own(&self, scratch: &Scratch, worktree: &Worktree, index: &Path) -> GitCommand {
        let Worktree { path, admin, .. } = worktree;
        scratch
            .with(self.in_worktree(admin, path))
            .env("GIT_INDEX_FILE", index)
    }

    /// Brings our index of a worktree up to its files, as far as they are looked at. Returns how many bytes changed: one at
    /// least, where anything did, and always at the first look; nothing where it is too much.
    fn refresh(
        &self,
        scratch: &Scratch,
        worktree: &Worktree,
        index: &Path,
    ) -> Result<Option<u64>, GitError> {
        let own = || self.own(scratch, worktree, index);
        let mut read = 0;
        if !index.exists() {
            let filled = (|| {
                own().args(["read-tree", "HEAD"]).run()?;
                self.skip_sparse(worktree, own)?;
                let refresh = ["update-index", "-q", "--refresh"];
                own().args(refresh).run_expecting(&[0, 1])
            })();
            if let Err(error) = filled {
                let _ = fs::remove_file(index); // Half of one would hide files.
                return Err(error);
            }
            read = 1;
        }
        let words = ["--modified", "--deleted", "--others", "--exclude-standard"];
        let differ = own().args(["ls-files", "-z"]).args(words).run()?;
        let (list, files, bytes) = listed(worktree, &differ);
        if files > FILES_MAX || bytes > BYTES_MAX {
            return Ok(None);
        }
        if !list.is_empty() {
            let words = ["--add", "--remove", "--replace", "-z", "--stdin"];
            own().arg("update-index").args(words).stdin(list).run()?;
            read = bytes.max(1);
        }
        Ok(Some(read))
    }
}

/// The files that are looked at of those that differ, as git reads a list, how many they are and how large.
fn listed(worktree: &Worktree, differ: &Output) -> (Vec<u8>, usize, u64) {
    let paths: BTreeSet<&[u8]> = differ.fields().collect();
    let (mut list, mut files, mut bytes) = (Vec::new(), 0, 0);
    for path in paths {
        let size = match fs::symlink_metadata(worktree.path.join(path_of(path))) {
            Ok(meta) if meta.is_file() => meta.len(),
            _ => 0,
        };
        // A folder among the files is a repository.
        if path.ends_with(b"/") || size > FILE_MAX_BYTES {
            continue;
        }
        list.extend_from_slice(path);
        list.push(0);
        files += 1;
        bytes += size;
    }
    (list, files, bytes)
}

#[cfg(test)]
mod tests;
