//! Commits: what a task leaves behind becomes commits on its feature's branch, and is counted.
//!
//! Commits that the agent made itself are kept as they are. Uncommitted changes become one more commit, with
//! the trailers. An agent that went to another branch or detached its HEAD is brought back, as long as its
//! work descends from where the task began; the branch it went to is not touched.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::refs::oids;
use super::repository::path_of;
use super::salvage::{add_all, gitlinks};
use super::worktree::remove_tree;
use super::{GitError, Oid, Repository, Worktree};

/// What to commit, and how.
#[derive(Clone, Debug)]
pub struct CommitRequest<'a> {
    /// The worktree. Nothing may be running in it.
    pub worktree: &'a Worktree,
    /// The commit it was prepared at.
    pub base: &'a Oid,
    /// The whole message; see [`SprintNames::message`](super::SprintNames::message).
    pub message: &'a str,
    /// The date, in milliseconds since 1970.
    pub date_ms: u64,
}

/// What a task left, from the commit its worktree was prepared at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The last commit; the base when there is none.
    pub head: Oid,
    /// Where the task began.
    pub base: Oid,
    /// Its commits, oldest first.
    pub commits: Vec<Oid>,
    /// The files that differ from the base, in git's order. A rename counts as two.
    pub files_changed: Vec<PathBuf>,
    /// Lines added in text files.
    pub insertions: u64,
    /// Lines removed in text files.
    pub deletions: u64,
}

impl Work {
    /// Whether no file differs from the base, whatever was committed in between.
    pub fn is_empty(&self) -> bool {
        self.files_changed.is_empty()
    }
}

impl Repository {
    /// Commits what is uncommitted, brings the feature's branch to it, and counts the work. Safe to repeat:
    /// the second time there is nothing left to commit, and the answer is the same.
    ///
    /// # Errors
    /// [`GitError::NotADescendant`] when HEAD left the history that the task began with;
    /// [`GitError::NestedRepository`] when a commit would not contain every file.
    pub fn commit_all(&self, request: &CommitRequest<'_>) -> Result<Work, GitError> {
        let CommitRequest {
            worktree,
            base,
            message,
            date_ms,
        } = request;
        let Worktree {
            path,
            admin,
            branch,
        } = worktree;
        if !path.is_dir() || !admin.is_dir() {
            return Err(GitError::NoWorktree { path: path.clone() });
        }
        self.clear_locks(worktree)?;
        self.collect(worktree)?;
        let elsewhere = |head| GitError::NotADescendant {
            path: path.clone(),
            head,
            base: (*base).clone(),
        };
        let head = self
            .head_of(worktree)?
            .ok_or_else(|| elsewhere((*base).clone()))?;
        if !self.is_ancestor(base, &head)? {
            return Err(elsewhere(head));
        }
        let git = || self.in_worktree(admin, path);
        let links = || {
            git()
                .args(["ls-files", "--stage", "-z"])
                .run()
                .map(|output| gitlinks(&output))
        };
        let before = git().args(["ls-tree", "-r", "-z", base.as_str()]).run()?;
        add_all(path, git)?;
        let known = |link: &Path| {
            let end = [b"\t", link.as_os_str().as_bytes()].concat();
            before
                .fields()
                .any(|field| field.starts_with(b"160000 ") && field.ends_with(&end))
        };
        let mut nested = links()?;
        nested.retain(|(link, _)| !known(link));
        if !nested.is_empty() {
            let names: Vec<_> = nested
                .iter()
                .take(5)
                .map(|(link, _)| link.display().to_string())
                .collect();
            return Err(GitError::NestedRepository {
                path: path.clone(),
                nested: names.join(", "),
            });
        }
        let tree = git().arg("write-tree").run()?;
        let tree = Oid::from_output("write-tree", &tree.stdout)?;
        let mut parents = vec![head.clone()];
        if let Some(other) = self.merging(worktree)?
            && !self.is_ancestor(&other, &head)?
        {
            parents.push(other);
        }
        let new = if parents.len() == 1 && tree == self.tree_of(&head)? {
            head
        } else {
            self.commit_tree(&tree, &parents, message, *date_ms)?
        };
        if let Some(branch) = branch {
            let tip = self.resolve(branch)?;
            if let Some(tip) = tip.as_ref().filter(|tip| **tip != new)
                && !self.is_ancestor(tip, &new)?
                && !self.is_ancestor(base, tip)?
            {
                return Err(elsewhere(tip.clone()));
            }
            self.update(branch, Some(&new), tip.as_ref())?;
            git()
                .args(["symbolic-ref", "-m", "director", "HEAD", branch])
                .run()?;
        }
        for note in ["MERGE_HEAD", "MERGE_MODE", "MERGE_MSG", "AUTO_MERGE"] {
            remove_tree(&admin.join(note))?; // No command ends a merge without committing or undoing it.
        }
        self.has_collected(worktree)?;
        self.work(base, &new)
    }

    /// What lies between two commits.
    ///
    /// # Errors
    /// That git could not be run, or knows one of the commits no more.
    pub fn work(&self, base: &Oid, head: &Oid) -> Result<Work, GitError> {
        let range = [format!("^{base}"), head.to_string()];
        let commits = self
            .git()
            .args(["rev-list", "--reverse", "--topo-order"])
            .args(&range)
            .arg("--")
            .run()?;
        let words = [
            "diff-tree",
            "-r",
            "-z",
            "--numstat",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
        ];
        let counted = self
            .git()
            .args(words)
            .args([base.as_str(), head.as_str()])
            .run()?;
        let commits = oids(&commits.stdout)?;
        let mut work = Work {
            head: head.clone(),
            base: base.clone(),
            commits,
            files_changed: Vec::new(),
            insertions: 0,
            deletions: 0,
        };
        for field in counted.fields() {
            let mut columns = field.splitn(3, |b| *b == b'\t');
            // A binary file has dashes for numbers.
            let mut lines = || {
                let column = columns.next().unwrap_or_default();
                String::from_utf8_lossy(column).parse::<u64>().unwrap_or(0)
            };
            work.insertions += lines();
            work.deletions += lines();
            work.files_changed
                .push(path_of(columns.next().unwrap_or_default()));
        }
        Ok(work)
    }

    /// A commit object; no ref knows it yet. Same arguments, same id.
    pub(super) fn commit_tree(
        &self,
        tree: &Oid,
        parents: &[Oid],
        message: &str,
        date_ms: u64,
    ) -> Result<Oid, GitError> {
        let mut command = self
            .git()
            .date(date_ms)
            .args(["commit-tree", tree.as_str()]);
        for parent in parents {
            command = command.args(["-p", parent.as_str()]);
        }
        let message: String = message.chars().filter(|c| *c != '\0').collect();
        let output = command
            .args(["-F", "-"])
            .stdin(message.into_bytes())
            .run()?;
        Oid::from_output("commit-tree", &output.stdout)
    }

    pub(super) fn tree_of(&self, commit: &Oid) -> Result<Oid, GitError> {
        let tree = format!("{commit}^{{tree}}");
        let output = self
            .git()
            .args(["rev-parse", "--verify", "--quiet", &tree])
            .run()?;
        Oid::from_output("rev-parse", &output.stdout)
    }

    /// The commit that an unfinished merge in the worktree is bringing in.
    ///
    /// # Errors
    /// That git could not be run.
    pub fn merging(&self, worktree: &Worktree) -> Result<Option<Oid>, GitError> {
        let git = self.in_worktree(&worktree.admin, &worktree.path);
        let merging = git
            .args(["rev-parse", "--verify", "--quiet", "MERGE_HEAD"])
            .run_expecting(&[0, 1])?;
        (merging.code == 0)
            .then(|| Oid::from_output("rev-parse", &merging.stdout))
            .transpose()
    }
}
