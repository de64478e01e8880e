//! Gathers what git has of one sprint, for [`reconcile`](super::reconcile::reconcile) to compare.

use super::reconcile::{GitTruth, JournalTruth};
use super::{GitError, Repository, SprintNames};

impl Repository {
    /// Looks at the sprint's branches, and at which of the commits that the journal names are still there.
    ///
    /// # Errors
    /// That git could not be run.
    pub fn truth(&self, names: &SprintNames, journal: &JournalTruth) -> Result<GitTruth, GitError> {
        let mut truth = GitTruth {
            integration: self.resolve(&journal.integration_ref)?,
            ..GitTruth::default()
        };
        for commit in journal.named() {
            if !self.has_commit(commit)? {
                truth.missing.insert(commit.clone());
            }
        }
        if let Some(tip) = &truth.integration
            && !truth.missing.contains(&journal.head)
        {
            truth.first_parents = self.first_parents(tip, &journal.head)?;
        }
        let branches = self.refs("refs/heads/feature/")?.into_iter();
        truth.branches = branches.filter(|(name, _)| names.owns(name)).collect();
        Ok(truth)
    }
}
