//! Refs: made, advanced and deleted only with the value they are expected to have.
//!
//! Each operation is safe to repeat: one that has already happened is recognised by reading back, and a ref
//! that stands anywhere else is reported as [`GitError::RefMoved`], never overwritten.

use std::path::PathBuf;

use super::repository::path_of;
use super::{GitError, Oid, Repository, SprintNames};

/// How an advance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The ref was moved now.
    Done,
    /// It stood there already: an earlier attempt, cut short before it was journalled, moved it.
    AlreadyThere,
}

impl Repository {
    /// The commit that a ref or any other revision names, or `None` when there is none.
    ///
    /// # Errors
    /// That git could not be run.
    pub fn resolve(&self, revision: &str) -> Result<Option<Oid>, GitError> {
        if revision.starts_with('-') || revision.contains(['\0', '\n']) {
            return Ok(None); // Git reads the first as an option and has no such names.
        }
        let commit = format!("{revision}^{{commit}}");
        let output = self
            .git()
            .args(["rev-parse", "--verify", "--quiet", &commit])
            .run_expecting(&[0, 1, 128])?;
        if output.code != 0 {
            return Ok(None);
        }
        Oid::from_output("rev-parse", &output.stdout).map(Some)
    }

    /// Makes a ref that stands at `at`; does nothing when it stands there already.
    ///
    /// # Errors
    /// [`GitError::RefMoved`] when it exists elsewhere.
    pub fn create_ref(&self, name: &str, at: &Oid) -> Result<Advance, GitError> {
        self.update(name, Some(at), None)
    }

    /// Makes the sprint's integration branch at `base`; does nothing when it stands there already.
    ///
    /// # Errors
    /// As [`Self::create_ref`].
    pub fn create_integration_branch(
        &self,
        names: &SprintNames,
        base: &Oid,
    ) -> Result<Advance, GitError> {
        self.create_ref(&names.integration_ref(), base)
    }

    /// Moves a ref from `old` to `new`; does nothing when it stands at `new` already.
    ///
    /// # Errors
    /// [`GitError::RefMoved`] when it stands anywhere else: someone else moved it.
    pub fn advance(&self, name: &str, new: &Oid, old: &Oid) -> Result<Advance, GitError> {
        self.update(name, Some(new), Some(old))
    }

    /// Deletes a ref that stands at `old`; does nothing when it is gone already.
    ///
    /// # Errors
    /// [`GitError::RefMoved`] when it stands anywhere else.
    pub fn delete_ref(&self, name: &str, old: &Oid) -> Result<Advance, GitError> {
        self.update(name, None, Some(old))
    }

    /// Whether `commit` is on the first-parent history of `tip` after `since`: whether that merge happened.
    ///
    /// # Errors
    /// That git could not be run, or knows one of the commits no more.
    pub fn is_merged(&self, tip: &Oid, commit: &Oid, since: &Oid) -> Result<bool, GitError> {
        Ok(tip == commit || self.first_parents(tip, since)?.contains(commit))
    }

    /// The first-parent history of `tip`, newest first, down to and without `since`.
    ///
    /// # Errors
    /// As [`Self::is_merged`].
    pub fn first_parents(&self, tip: &Oid, since: &Oid) -> Result<Vec<Oid>, GitError> {
        let until = format!("^{since}");
        let output = self
            .git()
            .args(["rev-list", "--first-parent", tip.as_str(), &until, "--"])
            .run()?;
        oids(&output.stdout)
    }

    /// Whether `ancestor` is `commit` itself or in its history.
    ///
    /// # Errors
    /// That git could not be run, or knows one of the commits no more.
    pub fn is_ancestor(&self, ancestor: &Oid, commit: &Oid) -> Result<bool, GitError> {
        let words = [
            "merge-base",
            "--is-ancestor",
            ancestor.as_str(),
            commit.as_str(),
        ];
        Ok(self.git().args(words).run_expecting(&[0, 1])?.code == 0)
    }

    /// Whether the object is in the repository; after a power cut a journalled one may be missing.
    ///
    /// # Errors
    /// That git could not be run.
    pub fn has_commit(&self, commit: &Oid) -> Result<bool, GitError> {
        let object = format!("{commit}^{{commit}}");
        Ok(self
            .git()
            .args(["cat-file", "-e", &object])
            .run_expecting(&[0, 1, 128])?
            .code
            == 0)
    }

    /// The refs below a prefix such as `refs/heads/`, with the commit or tag each stands at, in name order.
    ///
    /// # Errors
    /// That git could not be run.
    pub fn refs(&self, prefix: &str) -> Result<Vec<(String, Oid)>, GitError> {
        let output = self
            .git()
            .args(["for-each-ref", "--format=%(objectname) %(refname)", prefix])
            .run()?;
        let mut refs = Vec::new();
        for line in output
            .stdout
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
        {
            let line = String::from_utf8_lossy(line);
            let (oid, name) = line.split_once(' ').unwrap_or((&line, ""));
            refs.push((
                name.to_owned(),
                Oid::from_output("for-each-ref", oid.as_bytes())?,
            ));
        }
        Ok(refs)
    }

    /// The checkouts, the user's and worktrees, that stand on a branch, given as `sprint/x`.
    ///
    /// # Errors
    /// That git could not be run.
    pub fn checkouts_of(&self, branch: &str) -> Result<Vec<PathBuf>, GitError> {
        let wanted = format!("refs/heads/{branch}");
        let all = self.worktree_list()?;
        Ok(all
            .into_iter()
            .filter(|(_, at)| at.as_deref() == Some(&wanted))
            .map(|(path, _)| path)
            .collect())
    }

    /// Every checkout with the full ref it stands on; `None`: a detached head.
    pub(super) fn worktree_list(&self) -> Result<Vec<(PathBuf, Option<String>)>, GitError> {
        let _lock = self.lock_worktrees()?;
        let output = self
            .git()
            .args(["worktree", "list", "--porcelain", "-z"])
            .run()?;
        let mut list: Vec<(PathBuf, Option<String>)> = Vec::new();
        for field in output.fields() {
            if let Some(path) = field.strip_prefix(b"worktree ") {
                list.push((path_of(path), None));
            } else if let (Some(branch), Some(last)) =
                (field.strip_prefix(b"branch "), list.last_mut())
            {
                last.1 = Some(String::from_utf8_lossy(branch).into_owned());
            }
        }
        Ok(list)
    }

    /// Moves a ref between two states, where `None` is "does not exist".
    pub(super) fn update(
        &self,
        name: &str,
        new: Option<&Oid>,
        old: Option<&Oid>,
    ) -> Result<Advance, GitError> {
        let moved = |found| GitError::RefMoved {
            name: name.to_owned(),
            expected: old.cloned(),
            found,
        };
        let found = self.resolve(name)?;
        if found.as_ref() == new {
            return Ok(Advance::AlreadyThere);
        }
        if found.as_ref() != old {
            return Err(moved(found));
        }
        let old_value = old.map_or("", Oid::as_str); // Empty: must not exist.
        let command = self
            .git()
            .args(["update-ref", "--no-deref", "-m", "director"]);
        let command = match new {
            Some(new) => command.args([name, new.as_str(), old_value]),
            None => command.args(["-d", name, old_value]),
        };
        let Err(error) = command.run() else {
            return Ok(Advance::Done);
        };
        let found = self.resolve(name)?;
        if found.as_ref() == new {
            Ok(Advance::AlreadyThere)
        } else if found.as_ref() != old {
            Err(moved(found))
        } else {
            Err(error)
        }
    }
}

pub(super) fn oids(lines: &[u8]) -> Result<Vec<Oid>, GitError> {
    let lines = lines.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| Oid::from_output("rev-list", line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::fixture::Fixture;

    #[test]
    fn a_ref_moves_only_from_where_it_was_left_and_repeating_is_harmless() {
        let fixture = Fixture::new();
        let repository = fixture.repository();
        let [one, two, three] = ["1", "2", "3"].map(|text| fixture.commit("a", text));
        let name = "refs/heads/sprint/s1";
        let at = |oid: &Oid| Some(oid.clone());
        type Step<'a> = (
            &'a str,
            Option<&'a Oid>,
            Option<&'a Oid>,
            Result<Advance, Option<Oid>>,
        );
        let steps: [Step<'_>; 9] = [
            (
                "advance what is not there",
                Some(&two),
                Some(&one),
                Err(None),
            ),
            ("create", Some(&one), None, Ok(Advance::Done)),
            ("create again", Some(&one), None, Ok(Advance::AlreadyThere)),
            ("create elsewhere", Some(&two), None, Err(at(&one))),
            ("advance", Some(&two), Some(&one), Ok(Advance::Done)),
            (
                "advance again",
                Some(&two),
                Some(&one),
                Ok(Advance::AlreadyThere),
            ),
            (
                "advance from elsewhere",
                Some(&three),
                Some(&one),
                Err(at(&two)),
            ),
            ("delete", None, Some(&two), Ok(Advance::Done)),
            ("delete again", None, Some(&two), Ok(Advance::AlreadyThere)),
        ];
        for (case, new, old, expected) in steps {
            let outcome = repository
                .update(name, new, old)
                .map_err(|error| match error {
                    GitError::RefMoved { found, .. } => found,
                    error => panic!("case {case}: {error}"),
                });
            assert_eq!(outcome, expected, "case: {case}");
        }
        assert!(repository.is_merged(&three, &two, &one).unwrap());
        assert!(!repository.is_merged(&two, &three, &one).unwrap());
    }
}
