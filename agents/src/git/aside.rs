//! Setting aside: a worktree whose content could not be proven saved makes room, and nothing of it is lost.
//!
//! It stays a worktree, on a detached head and under another name, and is no longer ours: no later clean-up
//! touches it. A clone becomes a repository that git does not know as a worktree.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::worktree::{OWNER, remove_tree};
use super::{GitError, Repository, SprintNames, Worktree};

impl Repository {
    /// Moves a worktree to `.kept-<sprint>-<label>` beside it, and returns where it lies then.
    ///
    /// # Errors
    /// [`GitError::Io`] when it cannot be renamed, or that git failed; it is then still where it was.
    pub fn set_aside(
        &self,
        names: &SprintNames,
        worktree: &Worktree,
        label: &str,
    ) -> Result<PathBuf, GitError> {
        let Worktree { path, admin, .. } = worktree;
        let _lock = self.lock_worktrees()?;
        let plain = self.aside(names, label);
        let numbered = (2..).map(|n| self.aside(names, &format!("{label}-{n}")));
        let mut free = std::iter::once(plain)
            .chain(numbered)
            .filter(|path| fs::symlink_metadata(path).is_err());
        let to = free.next().unwrap_or_else(|| self.aside(names, label));
        if let Some(head) = self.head_of(worktree)? {
            // On the branch, it would keep the next worktree from taking it.
            self.in_worktree(admin, path)
                .args(["update-ref", "--no-deref", "HEAD", head.as_str()])
                .run()?;
        }
        let clone = self.is_clone(worktree);
        fs::rename(path, &to).map_err(GitError::io("move aside", path))?;
        if clone {
            remove_tree(admin)?; // It is a repository by itself.
            return Ok(to);
        }
        let link = [to.join(".git").as_os_str().as_bytes(), b"\n"].concat();
        let file = admin.join("gitdir");
        fs::write(&file, link).map_err(GitError::io("write", file))?;
        let owner = admin.join(OWNER);
        match fs::remove_file(&owner) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(GitError::io("delete", owner)(error))
            }
            _ => Ok(to),
        }
    }

    /// Where [`Self::set_aside`] puts a worktree when the name is free.
    pub fn aside(&self, names: &SprintNames, label: &str) -> PathBuf {
        self.worktrees_dir()
            .join(format!(".kept-{}-{label}", names.sprint()))
    }

    /// What was set aside of the sprint, in order of name.
    pub fn set_aside_of(&self, names: &SprintNames) -> Vec<PathBuf> {
        let prefix = format!(".kept-{}-", names.sprint());
        let entries = fs::read_dir(self.worktrees_dir()).into_iter().flatten();
        let mut found: Vec<PathBuf> = entries
            .flatten()
            .filter(|entry| entry.file_name().as_bytes().starts_with(prefix.as_bytes()))
            .map(|entry| entry.path())
            .collect();
        found.sort();
        found
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::git::fixture::{Fixture, git_in};

    #[test]
    fn a_worktree_set_aside_keeps_its_files_and_frees_path_and_branch() {
        let fixture = Fixture::new();
        let (repository, names, head) = (fixture.repository(), fixture.names(), fixture.head());
        for expected in [".kept-s1-api-1", ".kept-s1-api-1-2"] {
            let worktree = repository.prepare_worktree(&names, "api", &head).unwrap();
            fs::write(worktree.path().join("precious"), "x").unwrap();
            let aside = repository.set_aside(&names, &worktree, "api-1").unwrap();
            assert!(aside.ends_with(expected), "{}", aside.display());
            assert_eq!(fs::read_to_string(aside.join("precious")).unwrap(), "x");
            assert_eq!(git_in(&aside, &["status", "--porcelain"]), "?? precious\n");
            assert!(repository.worktrees(&names).unwrap().is_empty());
        }
        assert_eq!(repository.set_aside_of(&names).len(), 2);
    }
}
