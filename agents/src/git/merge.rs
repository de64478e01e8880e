//! Merges: tried and built without a worktree, visible only when a ref is advanced to them.
//!
//! A merge commit is a function of its request: identity and date are fixed, so that building it again after
//! a crash gives the same id, and the id can be journalled before the branch moves. A conflict leaves nothing
//! behind but unreferenced objects.

use std::path::PathBuf;

use super::command::GitCommand;
use super::repository::path_of;
use super::{GitError, Oid, Repository, Worktree};

/// How `git diff --check` ends a line about a conflict marker.
const MARKER_LEFT: &str = ": leftover conflict marker";

/// Which commits to merge.
#[derive(Clone, Debug)]
pub struct MergeRequest<'a> {
    /// The first parent: where the integration branch stands.
    pub onto: &'a Oid,
    /// The second parent: the work.
    pub work: &'a Oid,
    /// The commit's message.
    pub message: &'a str,
    /// The commit's date, in milliseconds since 1970.
    pub date_ms: u64,
}

/// How a merge came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merge {
    /// A merge commit, which no ref knows yet.
    Prepared {
        /// The commit.
        commit: Oid,
        /// Its tree.
        tree: Oid,
    },
    /// The work is in the history of `onto` already.
    Nothing,
    /// The files that people or agents have to look at.
    Conflict {
        /// Their paths, in git's order.
        files: Vec<PathBuf>,
    },
}

impl Repository {
    /// Merges in memory and builds the commit.
    ///
    /// # Errors
    /// That git failed; commits without common history are among the reasons.
    pub fn prepare_merge(&self, request: &MergeRequest<'_>) -> Result<Merge, GitError> {
        let MergeRequest {
            onto,
            work,
            message,
            date_ms,
        } = request;
        if self.is_ancestor(work, onto)? {
            return Ok(Merge::Nothing);
        }
        let tree = match self.merge_tree(self.git(), onto, work)? {
            Ok(tree) => tree,
            Err(files) => return Ok(Merge::Conflict { files }),
        };
        let parents = [(*onto).clone(), (*work).clone()];
        let commit = self.commit_tree(&tree, &parents, message, *date_ms)?;
        Ok(Merge::Prepared { commit, tree })
    }

    /// The tree of a merge in memory, or the files in conflict.
    pub(super) fn merge_tree(
        &self,
        git: GitCommand,
        onto: &Oid,
        work: &Oid,
    ) -> Result<Result<Oid, Vec<PathBuf>>, GitError> {
        let words = [
            "merge-tree",
            "--write-tree",
            "-z",
            "--name-only",
            "--no-messages",
        ];
        let output = git
            .args(words)
            .args([onto.as_str(), work.as_str()])
            .run_expecting(&[0, 1])?;
        let mut fields = output.fields();
        let tree = Oid::from_output("merge-tree", fields.next().unwrap_or_default())?;
        Ok(match output.code {
            1 => Err(fields.map(path_of).collect()),
            _ => Ok(tree),
        })
    }

    /// Puts a conflict before an agent: merges `other` into the worktree's files and leaves the markers in
    /// them. The next [`commit_all`](Self::commit_all) there commits the resolution with both parents.
    /// Returns the files with conflicts; none means that the merge was clean, and is uncommitted too.
    ///
    /// # Errors
    /// That git failed, for example because the worktree has uncommitted changes.
    pub fn merge_into_worktree(
        &self,
        worktree: &Worktree,
        other: &Oid,
    ) -> Result<Vec<PathBuf>, GitError> {
        let git = || self.in_worktree(&worktree.admin, &worktree.path);
        self.clear_locks(worktree)?;
        let words = [
            "merge",
            "--quiet",
            "--no-commit",
            "--no-ff",
            "--no-autostash",
            other.as_str(),
        ];
        git().args(words).run_expecting(&[0, 1])?;
        let unmerged = git()
            .args(["diff", "--name-only", "--diff-filter=U", "-z"])
            .run()?;
        Ok(unmerged.fields().map(path_of).collect())
    }

    /// Which of `files` have conflict markers that the commit at HEAD has not.
    ///
    /// # Errors
    /// That git failed.
    pub fn unresolved(
        &self,
        worktree: &Worktree,
        files: &[String],
    ) -> Result<Vec<String>, GitError> {
        let Worktree { path, admin, .. } = worktree;
        let index = admin.join(format!("director-marker-index-{}", std::process::id()));
        let own = || self.in_worktree(admin, path).env("GIT_INDEX_FILE", &index);
        let mut left = Vec::new();
        let there = |file: &&String| {
            std::fs::symlink_metadata(path.join(file)).is_ok_and(|meta| meta.is_file())
        };
        let look = |file: &String| {
            let literal = format!(":(literal){file}");
            own().args(["read-tree", "HEAD"]).run()?;
            own().args(["add", "--sparse", "--"]).arg(&literal).run()?;
            let check = ["diff", "--cached", "--check", "--no-color", "HEAD", "--"];
            own().args(check).arg(&literal).run_expecting(&[0, 2])
        };
        for file in files.iter().filter(there) {
            let checked = look(file);
            let _ = std::fs::remove_file(&index); // Debris at worst; the next look writes it anew.
            let told = String::from_utf8_lossy(&checked?.stdout).into_owned();
            if told.lines().any(|line| line.ends_with(MARKER_LEFT)) {
                left.push(file.clone());
            }
        }
        Ok(left)
    }

    /// What differs between two commits, as a patch for people; at most 64 MiB.
    ///
    /// # Errors
    /// [`GitError::TooMuchOutput`], or that git could not be run or knows one of the commits no more.
    pub fn patch(&self, a: &Oid, b: &Oid) -> Result<Vec<u8>, GitError> {
        let words = [
            "diff-tree",
            "-r",
            "-p",
            "-M",
            "--stat",
            "--no-ext-diff",
            "--no-textconv",
        ];
        Ok(self
            .git()
            .args(words)
            .args([a.as_str(), b.as_str()])
            .run()?
            .stdout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::fixture::{DATE_MS, Fixture};

    #[test]
    fn a_merge_is_a_function_of_its_request() {
        let fixture = Fixture::new();
        let repository = fixture.repository();
        let base = fixture.commit("a", "1\n2\n3\n4\n5\n");
        let first = fixture.commit_on(&base, &[("a", "one\n2\n3\n4\n5\n")]);
        let last = fixture.commit_on(&base, &[("a", "1\n2\n3\n4\nfive\n"), ("b", "new\n")]);
        let clash = fixture.commit_on(&base, &[("a", "uno\n2\n3\n4\n5\n"), ("c", "c\n")]);
        let merge = |onto, work, date_ms| {
            let request = MergeRequest {
                onto,
                work,
                message: "merge",
                date_ms,
            };
            repository.prepare_merge(&request).unwrap()
        };
        let Merge::Prepared { commit, tree } = merge(&first, &last, DATE_MS) else {
            panic!("not clean")
        };
        assert_eq!(
            merge(&first, &last, DATE_MS),
            Merge::Prepared {
                commit: commit.clone(),
                tree
            }
        );
        assert_ne!(
            merge(&first, &last, DATE_MS + 1000),
            merge(&first, &last, DATE_MS)
        );
        assert_eq!(
            fixture.git(&["show", &format!("{commit}:a")]),
            "one\n2\n3\n4\nfive\n"
        );
        let parents = format!(
            "{first} {last} director <director@localhost> {}\n",
            DATE_MS / 1000
        );
        assert_eq!(
            fixture.git(&["log", "-1", "--format=%P %cn <%ce> %ct", commit.as_str()]),
            parents
        );
        assert_eq!(
            merge(&first, &clash, DATE_MS),
            Merge::Conflict {
                files: vec!["a".into()]
            }
        );
        assert_eq!(merge(&commit, &last, DATE_MS), Merge::Nothing);
        assert_eq!(
            fixture.git(&["diff", "--name-only", base.as_str(), commit.as_str()]),
            "a\nb\n"
        );
    }
}
