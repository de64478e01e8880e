//! A look at the user's checkout that changes nothing in it, not even the index's cached times.

use super::repository::path_of;
use super::{GitError, Oid, Repository, Worktree};
use std::path::PathBuf;

/// How the user's checkout stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CheckoutStatus {
    /// The full ref that HEAD names; `None`: a detached head.
    pub branch: Option<String>,
    pub head: Option<Oid>,
    /// Tracked files with staged or unstaged changes.
    pub changed: usize,
    pub untracked: usize,
    /// An unfinished operation, as git calls it.
    pub operation: Option<&'static str>,
    /// The status exactly as git prints it, and the paths in it.
    pub listing: Vec<u8>,
    pub paths: Vec<PathBuf>,
}

impl Repository {
    /// Whether a worktree has nothing but what is in the commit at its HEAD; ignored files do not count.
    ///
    /// # Errors
    /// That git failed.
    pub fn is_clean_worktree(&self, worktree: &Worktree) -> Result<bool, GitError> {
        let words = ["status", "--porcelain", "-z", "--untracked-files=normal"];
        let git = self.in_worktree(&worktree.admin, &worktree.path);
        Ok(git.args(words).run()?.stdout.is_empty())
    }

    pub(super) fn checkout_status(&self) -> Result<CheckoutStatus, GitError> {
        let words = [
            "status",
            "--porcelain=v2",
            "-z",
            "--untracked-files=all",
            "--no-renames",
        ];
        let listing = self.in_checkout().args(words).run()?;
        let mut paths = Vec::new();
        let (mut changed, mut untracked) = (0, 0);
        for field in listing.fields() {
            // `1 XY sub mH mI mW hH hI path`, `u XY sub m1 m2 m3 mW h1 h2 h3 path`, `? path`.
            let columns = match field.first() {
                Some(b'1') => 9,
                Some(b'u') => 11,
                _ => 2,
            };
            match columns {
                2 => untracked += 1,
                _ => changed += 1,
            }
            if let Some(path) = field.splitn(columns, |b| *b == b' ').nth(columns - 1) {
                paths.push(path_of(path));
            }
        }
        let branch = self
            .in_checkout()
            .args(["symbolic-ref", "--quiet", "HEAD"])
            .run_expecting(&[0, 1])?;
        let branch =
            (branch.code == 0).then(|| String::from_utf8_lossy(branch.line()).into_owned());
        let head = self
            .in_checkout()
            .args(["rev-parse", "--verify", "--quiet", "HEAD"]);
        let head = head.run_expecting(&[0, 1])?;
        let head = (head.code == 0)
            .then(|| Oid::from_output("rev-parse", &head.stdout))
            .transpose()?;
        let operation = [
            ("MERGE_HEAD", "merge"),
            ("rebase-merge", "rebase"),
            ("rebase-apply", "rebase"),
            ("CHERRY_PICK_HEAD", "cherry-pick"),
            ("REVERT_HEAD", "revert"),
            ("BISECT_LOG", "bisect"),
        ];
        let operation = operation
            .into_iter()
            .find(|(file, _)| self.git_dir().join(file).exists())
            .map(|(_, name)| name);
        let listing = listing.stdout;
        Ok(CheckoutStatus {
            branch,
            head,
            changed,
            untracked,
            operation,
            listing,
            paths,
        })
    }
}
