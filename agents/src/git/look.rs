//! Looks for people: the branch of the checkout, and what a task changed, as a patch.
//!
//! Nothing is changed here; the look at uncommitted files uses an index of its own.

use std::fs;

use super::refs::oids;
use super::salvage::add_all;
use super::{GitError, Oid, Repository, Worktree};

/// How patches are printed, whatever the user's config says.
const PLAIN: [&str; 4] = [
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--find-renames",
];

impl Repository {
    /// The branch that the user's checkout is on, such as `main`; `None`: a detached head.
    ///
    /// # Errors
    /// That git could not be run.
    pub fn current_branch(&self) -> Result<Option<String>, GitError> {
        let branch = self
            .in_checkout()
            .args(["symbolic-ref", "--quiet", "HEAD"])
            .run_expecting(&[0, 1])?;
        let name = String::from_utf8_lossy(branch.line()).into_owned();
        Ok((branch.code == 0)
            .then(|| name.strip_prefix("refs/heads/").map(str::to_owned))
            .flatten())
    }

    /// The commits in the history of `to` that are not in that of `from`, newest first, each as its short id and its subject.
    ///
    /// # Errors
    /// That git could not be run, or knows one of the commits no more.
    pub fn commits_between(&self, from: &Oid, to: &Oid) -> Result<Vec<String>, GitError> {
        let until = format!("^{from}");
        let words = [
            "rev-list",
            "--no-commit-header",
            "--format=%h `%s`",
            to.as_str(),
        ];
        let output = self.git().args(words).args([&until, "--"]).run()?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The merge on the first-parent history of `tip` after `since` that brought `work` in, with its first
    /// parent; `None` when no merge did.
    ///
    /// # Errors
    /// That git could not be run, or knows one of the commits no more.
    pub fn merge_of(
        &self,
        tip: &Oid,
        since: &Oid,
        work: &Oid,
    ) -> Result<Option<(Oid, Oid)>, GitError> {
        let until = format!("^{since}");
        let words = ["rev-list", "--first-parent", "--parents", tip.as_str()];
        let output = self.git().args(words).args([&until, "--"]).run()?;
        for line in output.stdout.split(|b| *b == b'\n') {
            let line: Vec<u8> = line
                .iter()
                .map(|b| if *b == b' ' { b'\n' } else { *b })
                .collect();
            if let [merge, onto, second] = oids(&line)?.as_slice()
                && second == work
            {
                return Ok(Some((merge.clone(), onto.clone())));
            }
        }
        Ok(None)
    }

    /// The patch from `base` to the files in a worktree now, new files included and ignored ones not.
    ///
    /// # Errors
    /// As [`Repository::patch`]; or that a file cannot be read.
    pub fn patch_of_worktree(&self, worktree: &Worktree, base: &Oid) -> Result<String, GitError> {
        let index = worktree
            .admin
            .join(format!("director-diff-index-{}", std::process::id()));
        let own = || {
            self.in_worktree(&worktree.admin, &worktree.path)
                .env("GIT_INDEX_FILE", &index)
        };
        let patch = || {
            own().args(["read-tree", base.as_str()]).run()?;
            add_all(&worktree.path, own)?;
            own()
                .args(["diff", "--cached"])
                .args(PLAIN)
                .args([base.as_str(), "--"])
                .run()
        };
        let output = patch();
        let _ = fs::remove_file(&index); // Debris at worst; the next look writes it anew.
        Ok(String::from_utf8_lossy(&output?.stdout).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::fixture::{DATE_MS, Fixture};
    use crate::git::{Merge, MergeRequest};

    #[test]
    fn a_tasks_changes_are_shown_merged_or_not() {
        let fixture = Fixture::new();
        let repository = fixture.repository();
        let base = fixture.head();
        assert_eq!(
            repository.current_branch().unwrap().as_deref(),
            Some("main")
        );
        let work = fixture.commit_on(&base, &[("a", "one\n")]);
        let request = MergeRequest {
            onto: &base,
            work: &work,
            message: "merge",
            date_ms: DATE_MS,
        };
        let Merge::Prepared { commit, .. } = repository.prepare_merge(&request).unwrap() else {
            panic!("not clean")
        };
        let found = repository.merge_of(&commit, &base, &work).unwrap();
        assert_eq!(found, Some((commit.clone(), base.clone())));
        assert_eq!(repository.merge_of(&base, &base, &work).unwrap(), None);
        assert!(
            repository
                .patch(&base, &commit)
                .unwrap()
                .ends_with(b"+one\n")
        );

        let worktree = repository
            .prepare_worktree(&fixture.names(), "api", &base)
            .unwrap();
        fs::write(worktree.path().join("new"), "two\n").unwrap();
        let patch = repository.patch_of_worktree(&worktree, &base).unwrap();
        assert!(
            patch.contains("new file") && patch.ends_with("+two\n"),
            "{patch}"
        );
        fixture.git(&["checkout", "--quiet", "--detach"]);
        assert_eq!(repository.current_branch().unwrap(), None);
    }
}
