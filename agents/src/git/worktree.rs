//! Worktrees: one folder per feature, in which its tasks take turns.
//!
//! Adding and pruning happen under one lock, because git does neither safely in parallel; checking files out
//! and deleting them happens outside it. A worktree is found by the administrative folder that git keeps for
//! it, never by what lies in the worktree, which belongs to the agent. A removal begins with a rename, so a
//! crash leaves a whole worktree or debris with a name of its own, never half of one.
//!
//! Ignored files (build output) survive a reset, so that the next build is warm; a removal takes them too.
//! Invariant: a reset is only for a worktree whose work was committed or salvaged; callers see to that.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::integration::integration_folder;
use super::names::check;
use super::repository::path_of;
use super::{GitError, Oid, Repository, SprintNames, stale};
use crate::inside::remove_all;

/// What marks a folder that is being deleted; no feature can have a name like it.
const TRASH: &str = ".trash-";
/// The file in the administrative folder that says whose worktree it is: sprint, feature, a line each.
pub(super) const OWNER: &str = "director";

/// A worktree of ours that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worktree {
    pub(super) path: PathBuf,
    pub(super) admin: PathBuf,
    /// The full ref that it works on; `None`: a detached head, for integration.
    pub(super) branch: Option<String>,
}

impl Worktree {
    /// Where its files are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The full ref its commits go to; `None` for the integration worktree.
    pub fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }
}

/// A worktree of a sprint, as found in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorktreeEntry {
    /// The feature; `None` for the integration worktree.
    pub feature: Option<String>,
    /// The worktree.
    pub worktree: Worktree,
    /// The commit its HEAD stands at; `None` when that cannot be read.
    pub head: Option<Oid>,
    /// Whether its folder is there; otherwise only git remembers it.
    pub present: bool,
}

impl Repository {
    /// Makes the worktree of a feature, or resets the one that is there, to `commit`, on the feature's
    /// branch. Tracked files are as in the commit, untracked ones are gone, ignored ones stay. What a crash
    /// left half-made is cleared first.
    ///
    /// # Errors
    /// [`GitError::PathInTheWay`] when something that is not ours lies there, or that git failed.
    pub fn prepare_worktree(
        &self,
        names: &SprintNames,
        feature: &str,
        commit: &Oid,
    ) -> Result<Worktree, GitError> {
        let branch = names.feature_ref(feature)?;
        let folders = [feature.to_owned(), format!("{}-{feature}", names.sprint())];
        self.prepare(names, feature, &folders, Some(branch), commit)
    }

    /// The worktree of a feature.
    ///
    /// # Errors
    /// [`GitError::NoWorktree`] when there is none.
    pub fn worktree(&self, names: &SprintNames, feature: &str) -> Result<Worktree, GitError> {
        let branch = names.feature_ref(feature)?;
        let ours = Some((names.sprint().to_owned(), feature.to_owned()));
        let mut admins = self.admins().into_iter();
        match admins.find(|(admin, path)| owner(admin) == ours && path.is_dir()) {
            Some((admin, path)) => Ok(Worktree {
                path,
                admin,
                branch: Some(branch),
            }),
            None => Err(GitError::NoWorktree {
                path: self.worktrees_dir().join(feature),
            }),
        }
    }

    /// The sprint's worktrees, in the order of their paths.
    ///
    /// # Errors
    /// That git could not be run.
    pub fn worktrees(&self, names: &SprintNames) -> Result<Vec<WorktreeEntry>, GitError> {
        let mut entries = Vec::new();
        for (admin, path) in self.admins() {
            let Some((sprint, owner)) = owner(&admin) else {
                continue;
            };
            if sprint != names.sprint() {
                continue;
            }
            let feature = (!owner.is_empty()).then_some(owner);
            let branch = feature
                .as_deref()
                .map(|feature| names.feature_ref(feature))
                .transpose()?;
            let head =
                self.git()
                    .repository(&admin)
                    .args(["rev-parse", "--verify", "--quiet", "HEAD"]);
            let head = head.run_expecting(&[0, 1, 128])?;
            let head = (head.code == 0)
                .then(|| Oid::from_output("rev-parse", &head.stdout))
                .transpose()?;
            let present = path.is_dir();
            entries.push(WorktreeEntry {
                feature,
                worktree: Worktree {
                    path,
                    admin,
                    branch,
                },
                head,
                present,
            });
        }
        entries.sort_by(|a, b| a.worktree.path.cmp(&b.worktree.path));
        Ok(entries)
    }

    /// Removes a worktree with everything in it, also ignored files. Its branch stays. Does nothing when it
    /// is gone already. Only for a worktree whose work is merged or salvaged.
    ///
    /// # Errors
    /// [`GitError::Io`] when files cannot be deleted; what is left is then debris that
    /// [`Self::clear_debris`] tries again.
    pub fn remove_worktree(&self, worktree: &Worktree) -> Result<(), GitError> {
        let lock = self.lock_worktrees()?;
        let trash = self.move_to_trash(&worktree.path)?;
        remove_tree(&worktree.admin)?;
        drop(lock);
        trash.map_or(Ok(()), |trash| remove_tree(&trash))?;
        let _lock = self.lock_worktrees()?;
        let _ = fs::remove_dir(self.worktrees_dir()); // Only when it is empty.
        Ok(())
    }

    /// Deletes what crashes left: folders on their way out, worktrees that were being added, and worktrees of the
    /// sprint that only git remembers. Nothing that anybody worked in. For the start.
    ///
    /// # Errors
    /// [`GitError::Io`] when files cannot be deleted.
    pub fn clear_debris(&self, names: &SprintNames) -> Result<(), GitError> {
        for entry in fs::read_dir(self.worktrees_dir())
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.file_name().as_bytes().starts_with(TRASH.as_bytes()) {
                remove_tree(&entry.path())?;
            }
        }
        for entry in self
            .worktrees(names)?
            .into_iter()
            .filter(|entry| !entry.present)
        {
            self.remove_worktree(&entry.worktree)?;
        }
        let _lock = self.lock_worktrees()?; // Nobody of ours is adding one now.
        for (admin, path) in self.admins() {
            if self.was_being_added(names, &admin, &path) {
                remove_tree(&path)?;
                remove_tree(&admin)?;
            }
        }
        Ok(())
    }

    /// Whether a director was cut short when it added this worktree: without a file in it, where ours lie, and
    /// either git has not finished or it is named after the sprint.
    fn was_being_added(&self, names: &SprintNames, admin: &Path, path: &Path) -> bool {
        let dir = fs::canonicalize(self.worktrees_dir()).ok();
        if path.parent() != dir.as_deref() || !half_added(admin) || !is_shell(path) {
            return false;
        }
        let head = fs::read_to_string(admin.join("HEAD")).unwrap_or_default();
        let branch = head.trim_end().strip_prefix("ref: ");
        initializing(admin)
            || branch.is_some_and(|branch| names.owns(branch))
            || path.ends_with(integration_folder(names))
    }

    /// Where a feature's worktree is or would go, when nothing is in the way.
    pub(super) fn place(
        &self,
        names: &SprintNames,
        feature: &str,
        folders: &[String],
    ) -> Result<PathBuf, GitError> {
        let base = self.worktrees_dir();
        let base = fs::canonicalize(base).unwrap_or_else(|_| base.to_owned());
        let ours = (names.sprint().to_owned(), feature.to_owned());
        let mut blocked = None;
        let mut free = None;
        for folder in folders {
            let path = base.join(folder);
            match self
                .admin_of(&path)
                .map(|admin| (owner(&admin), half_added(&admin)))
            {
                Some((Some(owner), _)) if owner == ours => return Ok(path),
                Some((Some(_), _)) => {} // Another sprint's: the second name is for that.
                Some((None, true)) if is_shell(&path) => free = free.or(Some(path)),
                Some((None, _)) => blocked = blocked.or(Some((path, "it is a worktree of yours"))),
                None if is_shell(&path) => free = free.or(Some(path)),
                None => blocked = blocked.or(Some((path, "git does not know it as a worktree"))),
            }
        }
        match (blocked, free) {
            (None, Some(path)) => Ok(path),
            (Some((path, why)), _) => Err(GitError::PathInTheWay {
                path,
                why: why.to_owned(),
            }),
            (None, None) => Err(GitError::PathInTheWay {
                path: base,
                why: "both names are in use".to_owned(),
            }),
        }
    }

    pub(super) fn prepare(
        &self,
        names: &SprintNames,
        feature: &str,
        folders: &[String],
        branch: Option<String>,
        commit: &Oid,
    ) -> Result<Worktree, GitError> {
        let lock = self.lock_worktrees()?;
        let path = self.place(names, feature, folders)?;
        let known = self
            .admin_of(&path)
            .filter(|admin| !half_added(admin) && path.is_dir());
        let (worktree, fresh) = match known {
            Some(admin) => (
                Worktree {
                    path,
                    admin,
                    branch,
                },
                false,
            ),
            None => (self.add(names, feature, path, branch, commit)?, true),
        };
        drop(lock);
        if fresh {
            self.check_out(&worktree, commit)?;
        } else {
            self.reset(&worktree, commit)?;
        }
        Ok(worktree)
    }

    /// Registers a worktree without its files. Under the lock.
    fn add(
        &self,
        names: &SprintNames,
        feature: &str,
        path: PathBuf,
        branch: Option<String>,
        commit: &Oid,
    ) -> Result<Worktree, GitError> {
        if let Some(admin) = self.admin_of(&path) {
            remove_tree(&admin)?;
        }
        if path.is_dir() {
            remove_tree(&path)?; // Only a shell; `place` has looked.
        }
        let add = self
            .git()
            .unsynced()
            .args(["worktree", "add", "--quiet", "--no-checkout"]);
        let add = match branch
            .as_deref()
            .and_then(|branch| branch.strip_prefix("refs/heads/"))
        {
            Some(branch) => add.args(["-B", branch]),
            None => add.arg("--detach"),
        };
        add.arg(&path).arg(commit.as_str()).run()?;
        let admin = self
            .admin_of(&path)
            .ok_or_else(|| GitError::NoWorktree { path: path.clone() })?;
        let file = admin.join(OWNER);
        fs::write(&file, format!("{}\n{feature}\n", names.sprint()))
            .map_err(GitError::io("write", file))?;
        Ok(Worktree {
            path,
            admin,
            branch,
        })
    }

    /// Brings branch, index and files to `commit`, whatever state they are in. Outside the lock.
    fn reset(&self, worktree: &Worktree, commit: &Oid) -> Result<(), GitError> {
        let Worktree {
            path,
            admin,
            branch,
        } = worktree;
        self.clear_locks(worktree)?;
        for operation in ["rebase-merge", "rebase-apply"] {
            remove_tree(&admin.join(operation))?;
        }
        let link = path.join(".git");
        if !links_to(&link, admin) {
            remove_tree(&link)?;
            let text = [b"gitdir: ", admin.as_os_str().as_bytes(), b"\n"].concat();
            fs::write(&link, text).map_err(GitError::io("write", link))?;
        }
        self.no_clone(admin)?;
        let git = || self.in_worktree(admin, path).unsynced();
        match branch {
            Some(branch) => git().args(["symbolic-ref", "HEAD", branch]).run()?,
            None => git()
                .args(["update-ref", "--no-deref", "HEAD", commit.as_str()])
                .run()?,
        };
        if let Err(first) = self.check_out(worktree, commit) {
            // An index cut short by a power failure stops every command; git rebuilds a missing one.
            fs::remove_file(admin.join("index")).map_err(|_| first)?;
            self.check_out(worktree, commit)?;
        }
        git().args(["clean", "-ffdq"]).run().map(drop)
    }

    fn check_out(&self, worktree: &Worktree, commit: &Oid) -> Result<(), GitError> {
        let git = self.in_worktree(&worktree.admin, &worktree.path).unsynced();
        git.args(["reset", "--quiet", "--hard", commit.as_str()])
            .run()
            .map(drop)
    }

    /// Removes lock files that a killed git left in one worktree of ours and on its branch.
    pub(super) fn clear_locks(&self, worktree: &Worktree) -> Result<(), GitError> {
        let branch = worktree.branch.as_ref();
        let branch = branch.map(|branch| self.common_dir().join(format!("{branch}.lock")));
        // Git makes them for whatever it changes there: the index, HEAD, ORIG_HEAD, AUTO_MERGE and others.
        stale::clear(&worktree.admin)?;
        branch.map_or(Ok(()), |lock| stale::remove(&lock))
    }

    /// A free name beside `path` for what is deleted after a crash.
    pub(super) fn trash_folder(&self, path: &Path) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        path.with_file_name(format!("{TRASH}{}-{number}", std::process::id()))
    }

    fn move_to_trash(&self, path: &Path) -> Result<Option<PathBuf>, GitError> {
        if !path.exists() {
            return Ok(None);
        }
        let trash = self.trash_folder(path);
        fs::rename(path, &trash).map_err(GitError::io("move away", path))?;
        Ok(Some(trash))
    }

    /// The administrative folder whose worktree is `path`.
    fn admin_of(&self, path: &Path) -> Option<PathBuf> {
        self.admins()
            .into_iter()
            .find(|(_, of)| of == path)
            .map(|(admin, _)| admin)
    }

    /// Whether a worktree was left half-made by a crash, without a file in it.
    pub(super) fn is_debris(&self, path: &Path) -> bool {
        self.admin_of(path).is_some_and(|admin| half_added(&admin)) && is_shell(path)
    }

    /// Every administrative folder with the path of its worktree.
    fn admins(&self) -> Vec<(PathBuf, PathBuf)> {
        let folder = self.common_dir().join("worktrees");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut admins = Vec::new();
        for admin in entries.map(|entry| entry.path()) {
            let Ok(link) = fs::read(admin.join("gitdir")) else {
                continue;
            };
            if let Some(path) = path_of(link.trim_ascii_end()).parent() {
                admins.push((admin, path.to_owned()));
            }
        }
        admins
    }
}

/// Whether a `.git` file leads to this administrative folder.
pub(super) fn links_to(link: &Path, admin: &Path) -> bool {
    let is_file = fs::symlink_metadata(link).is_ok_and(|meta| meta.is_file());
    let text = if is_file {
        fs::read(link).unwrap_or_default()
    } else {
        Vec::new()
    };
    text.strip_prefix(b"gitdir: ")
        .is_some_and(|path| path_of(path.trim_ascii_end()) == admin)
}

/// Sprint and feature of a worktree of ours; the feature is empty for the integration worktree.
pub(super) fn owner(admin: &Path) -> Option<(String, String)> {
    let text = fs::read_to_string(admin.join(OWNER)).ok()?;
    let mut lines = text.lines();
    let sprint = lines.next()?;
    check(sprint).ok()?;
    Some((
        sprint.to_owned(),
        lines.next().unwrap_or_default().to_owned(),
    ))
}

/// Whether `git worktree add` was cut short.
fn initializing(admin: &Path) -> bool {
    fs::read(admin.join("locked")).is_ok_and(|why| why.starts_with(b"initializing"))
}

/// Whether `git worktree add`, or the note of its owner after it, was cut short.
fn half_added(admin: &Path) -> bool {
    initializing(admin) || (owner(admin).is_none() && !admin.join("index").exists())
}

/// Whether nothing lies at `path`, or only what `worktree add --no-checkout` makes.
fn is_shell(path: &Path) -> bool {
    if fs::symlink_metadata(path).is_err() {
        return true;
    }
    let Ok(entries) = fs::read_dir(path) else {
        return false;
    };
    entries
        .flatten()
        .all(|entry| entry.file_name() == ".git" && entry.path().is_file())
}

/// Deletes a file or folder, also one with folders that their owner may not write (module caches are made
/// so). Does nothing when there is none.
pub(super) fn remove_tree(path: &Path) -> Result<(), GitError> {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let failed = GitError::io("delete", path);
    if !meta.is_dir() {
        return fs::remove_file(path).map_err(failed);
    }
    if remove_all(path).is_ok() {
        return Ok(());
    }
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)); // The deletion says it.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    remove_all(path).map_err(failed)
}
