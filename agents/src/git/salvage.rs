//! Salvage: what a failed or killed attempt left is saved before its worktree is reset or removed.
//!
//! An index of its own is filled from scratch, so that nothing the attempt did to the worktree's index (an
//! unfinished merge, hidden files, a stale lock) can hide a file. Every file that is not ignored, and every
//! ignored one that the attempt staged, goes into a tree; the tree becomes a commit on top of HEAD, so the
//! attempt's own commits are saved with it; one ref names it. Then git is asked whether the tree and the
//! files still differ. If anything is unproven, the worktree has to be kept.
//!
//! Invariant: [`Salvage::Saved`] and [`Salvage::Nothing`] mean that a reset loses no content that is not ignored.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::command::{GitCommand, Output};
use super::repository::path_of;
use super::worktree::links_to;
use super::{GitError, Oid, Repository, Worktree};

/// What to save, and under which name.
#[derive(Clone, Debug)]
pub struct SalvageRequest<'a> {
    /// The worktree. Nothing may be running in it.
    pub worktree: &'a Worktree,
    /// The commit it was prepared at; commits after it are the attempt's.
    pub base: &'a Oid,
    /// The ref to save under; see [`SprintNames::salvage_ref`](super::SprintNames::salvage_ref).
    pub name: &'a str,
    /// Why, as the commit's message.
    pub message: &'a str,
    /// The commit's date, in milliseconds since 1970.
    pub date_ms: u64,
}

/// How a salvage ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Salvage {
    /// There was nothing to save.
    Nothing,
    /// The ref stands at this commit, which holds everything.
    Saved {
        /// The commit.
        commit: Oid,
    },
    /// Not everything could be proven saved: keep the worktree and tell someone.
    Kept {
        /// What could not be saved, for people.
        reason: String,
    },
}

impl Repository {
    /// Saves what an attempt left in its worktree. The worktree itself is not changed. Safe to repeat, also
    /// after the worktree was reset: what was saved then is found again.
    ///
    /// # Errors
    /// [`GitError::NoWorktree`], or that git failed before anything was saved; keep the worktree then.
    pub fn salvage(&self, request: &SalvageRequest<'_>) -> Result<Salvage, GitError> {
        let SalvageRequest { worktree, name, .. } = request;
        let earlier = self.resolve(name)?;
        if !worktree.path.is_dir() {
            // Whatever was here is gone; an earlier salvage still counts.
            let missing = || GitError::NoWorktree {
                path: worktree.path.clone(),
            };
            return earlier
                .map(|commit| Salvage::Saved { commit })
                .ok_or_else(missing);
        }
        let link = worktree.path.join(".git");
        let clone = self.is_clone(worktree);
        if clone {
            match catch(self.collect(worktree))? {
                Err(GitError::Failed { stderr, .. }) => {
                    let reason = format!("its clone could not be read: {stderr}");
                    return Ok(Salvage::Kept { reason });
                }
                answer => answer?,
            }
        } else if link.is_dir() {
            let reason = format!("`{}` is a repository of its own", worktree.path.display());
            return Ok(Salvage::Kept { reason });
        }
        let head = self.head_of(worktree)?;
        let tree = match self.tree_of_files(worktree, head.as_ref())? {
            Ok(tree) => tree,
            Err(reason) => return Ok(Salvage::Kept { reason }),
        };
        let parents = self.parents(request, head)?;
        let Some(commit) = self.commit_of(request, &tree, parents, earlier.as_ref())? else {
            return Ok(earlier.map_or(Salvage::Nothing, |commit| Salvage::Saved { commit }));
        };
        self.update(name, Some(&commit), earlier.as_ref())?;
        Ok(Salvage::Saved { commit })
    }

    /// HEAD of a worktree; `None` when it names nothing, as on an orphan branch.
    pub(super) fn head_of(&self, worktree: &Worktree) -> Result<Option<Oid>, GitError> {
        let head = self.in_worktree(&worktree.admin, &worktree.path);
        let head = head
            .args(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
            .run_expecting(&[0, 1])?;
        (head.code == 0)
            .then(|| Oid::from_output("rev-parse", &head.stdout))
            .transpose()
    }

    /// The attempt's history: HEAD, and the branch where it has commits that HEAD has not.
    fn parents(
        &self,
        request: &SalvageRequest<'_>,
        head: Option<Oid>,
    ) -> Result<Vec<Oid>, GitError> {
        let head = head.unwrap_or_else(|| request.base.clone());
        let tip = request
            .worktree
            .branch
            .as_deref()
            .map(|branch| self.resolve(branch))
            .transpose()?
            .flatten();
        let mut parents = vec![head];
        if let Some(tip) = tip
            && !self.is_ancestor(&tip, &parents[0])?
        {
            parents.push(tip);
        }
        Ok(parents)
    }

    /// The commit that holds the tree and the history; `None` when the base and `earlier` hold both already.
    fn commit_of(
        &self,
        request: &SalvageRequest<'_>,
        tree: &Oid,
        mut parents: Vec<Oid>,
        earlier: Option<&Oid>,
    ) -> Result<Option<Oid>, GitError> {
        let mut held = vec![request.base];
        held.extend(earlier);
        let mut new_history = false;
        for parent in &parents {
            let mut known = false;
            for held in &held {
                known = known || self.is_ancestor(parent, held)?;
            }
            new_history |= !known;
        }
        let same_tree = |commit: &Oid| Ok::<_, GitError>(self.tree_of(commit)? == *tree);
        let mut known_tree = same_tree(&parents[0])?;
        if let Some(earlier) = earlier {
            known_tree = known_tree || same_tree(earlier)?;
        }
        if known_tree && !new_history {
            return Ok(None);
        }
        if earlier.is_none() && parents.len() == 1 && same_tree(&parents[0])? {
            return Ok(parents.pop()); // Its commits are all there is.
        }
        parents.extend(earlier.cloned());
        self.commit_tree(tree, &parents, request.message, request.date_ms)
            .map(Some)
    }

    /// The tree of every file that counts, or why it cannot be proven complete.
    fn tree_of_files(
        &self,
        worktree: &Worktree,
        head: Option<&Oid>,
    ) -> Result<Result<Oid, String>, GitError> {
        let index = worktree.admin.join("director-salvage-index");
        let _ = fs::remove_file(index.with_extension("lock")); // From a salvage that was killed.
        let _ = fs::remove_file(&index);
        let tree = self.fill(worktree, head, &index);
        let _ = fs::remove_file(&index);
        tree
    }

    fn fill(
        &self,
        worktree: &Worktree,
        head: Option<&Oid>,
        index: &Path,
    ) -> Result<Result<Oid, String>, GitError> {
        let Worktree { path, admin, .. } = worktree;
        let own = || -> GitCommand { self.in_worktree(admin, path).env("GIT_INDEX_FILE", index) };
        let known = match head {
            Some(head) => {
                own().args(["read-tree", head.as_str()]).run()?;
                gitlinks(&own().args(["ls-files", "--stage", "-z"]).run()?)
            }
            None => Vec::new(),
        };
        self.skip_sparse(worktree, own)?;
        // What the attempt staged although it is ignored; a broken index of its own hides nothing else.
        let staged =
            self.in_worktree(admin, path)
                .args(["ls-files", "-z", "--cached", "--ignored"]);
        let staged = staged
            .args(["--exclude-standard"])
            .run_expecting(&[0, 128])?;
        let present = |file: &&[u8]| {
            fs::symlink_metadata(path.join(path_of(file))).is_ok_and(|m| !m.is_dir())
        };
        let mut list = Vec::new();
        for file in staged.fields().filter(present) {
            list.extend_from_slice(file);
            list.push(0);
        }
        let steps = [own()
            .args(["update-index", "--add", "--replace", "-z", "--stdin"])
            .stdin(list)];
        for step in steps {
            if let Err(GitError::Failed { stderr, .. }) = catch(step.run())? {
                return Ok(Err(stderr));
            }
        }
        if let Err(GitError::Failed { stderr, .. }) = catch(add_all(path, own))? {
            return Ok(Err(stderr));
        }
        for (link, commit) in gitlinks(&own().args(["ls-files", "--stage", "-z"]).run()?) {
            let populated = path.join(&link).join(".git").exists();
            let unchanged = known.contains(&(link.clone(), commit));
            if !unchanged || (populated && !self.is_clean(&path.join(&link))?) {
                return Ok(Err(format!(
                    "`{}` is a repository of its own",
                    link.display()
                )));
            }
        }
        // The proof: nothing untracked, nothing different, and no complaint about a folder it could not read.
        let others = own()
            .args(["ls-files", "-z", "--others", "--exclude-standard"])
            .run()?;
        let differing = own()
            .args(["diff-files", "-z", "--name-only", "--ignore-submodules"])
            .run()?;
        for check in [&others, &differing] {
            if let Some(file) = check.fields().next() {
                return Ok(Err(format!(
                    "`{}` could not be saved",
                    path_of(file).display()
                )));
            }
            if !check.stderr.is_empty() {
                return Ok(Err(check.stderr.clone()));
            }
        }
        let own_git = self.is_clone(worktree) || links_to(&path.join(".git"), admin);
        if !own_git && path.join(".git").exists() {
            return Ok(Err("its `.git` was replaced".to_owned()));
        }
        let tree = own().arg("write-tree").run()?;
        Oid::from_output("write-tree", &tree.stdout).map(Ok)
    }

    /// In a sparse checkout files are absent on purpose; our index has to know, or they count as deleted.
    pub(super) fn skip_sparse(
        &self,
        worktree: &Worktree,
        own: impl Fn() -> GitCommand,
    ) -> Result<(), GitError> {
        let theirs = self
            .in_worktree(&worktree.admin, &worktree.path)
            .args(["ls-files", "-z", "-t"]);
        let theirs = theirs.run_expecting(&[0, 128])?;
        let absent =
            |file: &&[u8]| fs::symlink_metadata(worktree.path.join(path_of(file))).is_err();
        let skipped = theirs
            .fields()
            .filter_map(|field| field.strip_prefix(b"S "))
            .filter(absent);
        let skipped: Vec<_> = skipped.collect();
        if skipped.is_empty() {
            return Ok(());
        }
        let known = own().args(["ls-files", "-z"]).run()?;
        let known: BTreeSet<_> = known.fields().collect();
        let mut list = Vec::new();
        for file in skipped.into_iter().filter(|file| known.contains(file)) {
            list.extend_from_slice(file);
            list.push(0);
        }
        own()
            .args(["update-index", "--skip-worktree", "-z", "--stdin"])
            .stdin(list)
            .run()
            .map(drop)
    }

    fn is_clean(&self, nested: &Path) -> Result<bool, GitError> {
        let status = GitCommand::new(nested)
            .repository(&nested.join(".git"))
            .work_tree(nested)
            .without_programs();
        // One that cannot be looked at so is kept.
        let status = status.args(["status", "--porcelain", "-z"]).run();
        Ok(status.is_ok_and(|status| status.stdout.is_empty() && status.stderr.is_empty()))
    }
}

/// Puts all files of a worktree into an index; nested repositories by the commit that their HEAD is at. Git would ask each what has changed in
/// it, by rules that whoever made it wrote.
pub(super) fn add_all(path: &Path, git: impl Fn() -> GitCommand) -> Result<(), GitError> {
    let known = gitlinks(&git().args(["ls-files", "--stage", "-z"]).run()?);
    let populated: Vec<_> = known
        .into_iter()
        .filter(|(link, _)| path.join(link).join(".git").exists())
        .collect();
    let mut add = git().args(["add", "--all", "--sparse", "--", "."]);
    for (link, _) in &populated {
        let mut beside = OsString::from(":(exclude,literal)");
        beside.push(link);
        add = add.arg(beside);
    }
    add.run()?;
    for (link, commit) in populated {
        let nested = path.join(&link);
        let head = GitCommand::new(&nested)
            .repository(&nested.join(".git"))
            .work_tree(&nested)
            .without_programs()
            .args(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
            .run();
        let Ok(head) = head else { continue };
        if head.line() != commit {
            let entry = [
                b"160000 ",
                head.line(),
                b"\t",
                link.as_os_str().as_bytes(),
                b"\0",
            ]
            .concat();
            git()
                .args(["update-index", "-z", "--index-info"])
                .stdin(entry)
                .run()?;
        }
    }
    Ok(())
}

/// The entries of `ls-files --stage -z` that stand for other repositories.
pub(super) fn gitlinks(staged: &Output) -> Vec<(PathBuf, Vec<u8>)> {
    let mut links = Vec::new();
    for entry in staged
        .fields()
        .filter_map(|field| field.strip_prefix(b"160000 "))
    {
        if let Some(tab) = entry.iter().position(|b| *b == b'\t') {
            let commit = entry[..tab]
                .split(|b| *b == b' ')
                .next()
                .unwrap_or_default();
            links.push((
                PathBuf::from(std::ffi::OsStr::from_bytes(&entry[tab + 1..])),
                commit.to_vec(),
            ));
        }
    }
    links
}

/// Sets a failure of git itself, which is an answer here, apart from not having been able to ask.
fn catch<T>(result: Result<T, GitError>) -> Result<Result<T, GitError>, GitError> {
    match result {
        Err(error) if !matches!(error, GitError::Failed { .. }) => Err(error),
        answer => Ok(answer),
    }
}
