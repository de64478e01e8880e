//! Clones: for an agent that must not reach the user's repository through its worktree.
//!
//! The clone has a repository of its own, so refs, config and hooks of the user's are out of reach; it
//! borrows the objects. What the agent committed is fetched back under a ref of ours.

use std::path::{Path, PathBuf};

use super::command::GitCommand;
use super::worktree::remove_tree;
use super::{GitError, Oid, Repository};

/// An agent's own clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentClone {
    path: PathBuf,
}

impl AgentClone {
    /// Where its files are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn git(&self) -> GitCommand {
        GitCommand::new(&self.path)
            .repository(&self.path.join(".git"))
            .work_tree(&self.path)
    }
}

impl Repository {
    /// Makes a clone at `path` with `branch` (such as `feature/s1-api`) checked out at `commit`. One that is
    /// there already is replaced: collect its work first.
    ///
    /// # Errors
    /// [`GitError::Io`] when the old one cannot be deleted, or that git failed.
    pub fn clone_for_agent(
        &self,
        path: &Path,
        branch: &str,
        commit: &Oid,
    ) -> Result<AgentClone, GitError> {
        remove_tree(path)?;
        let parent = path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(parent).map_err(GitError::io("create", parent))?;
        let words = [
            "clone",
            "--quiet",
            "--shared",
            "--no-checkout",
            "--no-tags",
            "--template=",
        ];
        GitCommand::new(parent)
            .args(words)
            .arg("--")
            .arg(self.common_dir())
            .arg(path)
            .run()?;
        let clone = AgentClone {
            path: path.to_owned(),
        };
        // Pushing to where it came from is not the agent's to do.
        clone.git().args(["remote", "remove", "origin"]).run()?;
        clone
            .git()
            .args([
                "switch",
                "--quiet",
                "--force-create",
                branch,
                commit.as_str(),
            ])
            .run()?;
        Ok(clone)
    }

    /// Commits what is uncommitted in the clone, and brings its HEAD into this repository under the full ref
    /// `name`, which must stand at `old` or not exist. Returns the commit.
    ///
    /// # Errors
    /// [`GitError::RefMoved`] when the ref stands elsewhere, or that git failed.
    pub fn collect_from_clone(
        &self,
        clone: &AgentClone,
        name: &str,
        old: Option<&Oid>,
        message: &str,
        date_ms: u64,
    ) -> Result<Oid, GitError> {
        clone.git().args(["add", "--all", "."]).run()?;
        let staged = clone
            .git()
            .args(["diff-index", "--cached", "--quiet", "HEAD"])
            .run_expecting(&[0, 1])?;
        if staged.code == 1 {
            let commit =
                clone
                    .git()
                    .date(date_ms)
                    .args(["commit", "--quiet", "--no-verify", "-F", "-"]);
            commit.stdin(message.as_bytes().to_vec()).run()?;
        }
        let head = clone
            .git()
            .args(["rev-parse", "--verify", "HEAD^{commit}"])
            .run()?;
        let head = Oid::from_output("rev-parse", &head.stdout)?;
        let words = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
        ];
        self.git()
            .args(words)
            .arg(clone.path.join(".git"))
            .arg("HEAD")
            .run()?;
        self.update(name, Some(&head), old)?;
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use crate::git::fixture::{DATE_MS, Fixture};
    use std::fs;

    #[test]
    fn an_agent_in_a_clone_cannot_move_the_users_branches_and_its_work_comes_back() {
        let fixture = Fixture::new();
        let repository = fixture.repository();
        let base = fixture.head();
        let path = fixture.path("../clones/api");
        let clone = repository
            .clone_for_agent(&path, "feature/s1-api", &base)
            .unwrap();
        let git = |words: &[&str]| crate::git::fixture::git_in(clone.path(), words);
        git(&["branch", "--force", "main", "HEAD"]);
        fs::write(path.join("one"), "1").unwrap();
        git(&["add", "-A"]);
        git(&["commit", "--quiet", "-m", "by the agent"]);
        git(&["branch", "--force", "main"]);
        fs::write(path.join("two"), "2").unwrap();

        let name = "refs/heads/feature/s1-api";
        let head = repository
            .collect_from_clone(&clone, name, None, "the rest", DATE_MS)
            .unwrap();
        assert_eq!(fixture.head(), base, "the user's main has not moved");
        assert_eq!(
            fixture.git(&["log", "--format=%s", name]),
            "the rest\nby the agent\nstart\n"
        );
        assert_eq!(repository.resolve(name).unwrap(), Some(head));
    }
}
