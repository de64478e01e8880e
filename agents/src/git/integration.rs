//! The integration worktree: one per sprint, warm, in which gates run on merged trees.
//!
//! Its head is detached, so that the integration branch moves only by `update-ref`. Build output that the
//! project ignores stays from merge to merge; anything else a gate left is cleaned before the next one.

use super::{GitError, Oid, Repository, SprintNames, Worktree};

impl Repository {
    /// Makes the integration worktree, or takes the one that is there, and brings its files to `commit`.
    ///
    /// # Errors
    /// As [`Self::prepare_worktree`].
    pub fn integration_worktree(
        &self,
        names: &SprintNames,
        commit: &Oid,
    ) -> Result<Worktree, GitError> {
        self.prepare(names, "", &[integration_folder(names)], None, commit)
    }
}

/// The folder's name. No feature can begin with a dot, so it is free.
pub(super) fn integration_folder(names: &SprintNames) -> String {
    format!(".integration-{}", names.sprint())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::git::fixture::Fixture;

    #[test]
    fn gates_see_exactly_the_merged_tree_and_a_warm_build() {
        let fixture = Fixture::new();
        let (repository, names) = (fixture.repository(), fixture.names());
        let one = fixture.head();
        let two = fixture.commit("code", "2");
        let worktree = repository.integration_worktree(&names, &one).unwrap();
        assert!(!worktree.path().join("code").exists());

        // A gate builds, leaves a file and changes a tracked one.
        fs::create_dir(worktree.path().join("target")).unwrap();
        fs::write(worktree.path().join("target/built"), "warm").unwrap();
        fs::write(worktree.path().join("left"), "x").unwrap();
        fs::write(worktree.path().join("readme"), "changed").unwrap();
        assert_eq!(
            repository.integration_worktree(&names, &two).unwrap(),
            worktree
        );

        let read = |file: &str| fs::read_to_string(worktree.path().join(file)).ok();
        assert_eq!(read("code").as_deref(), Some("2"));
        assert_eq!(read("readme").as_deref(), Some("hello\n"));
        assert_eq!(read("target/built").as_deref(), Some("warm"));
        assert_eq!(read("left"), None);
        assert_eq!(fixture.git(&["branch", "--list", "*/*"]), "");
    }
}
