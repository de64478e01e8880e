//! Preflight: what would go wrong in the middle of a sprint is refused before it starts.
//!
//! Nothing is changed here. A refusal names the way out; what is unusual but fine comes back as a warning.

use super::{GitError, Oid, Repository, SprintNames};

/// What a sprint is about to do with the repository.
#[derive(Clone, Debug)]
pub struct PreflightRequest<'a> {
    /// The sprint's names.
    pub names: &'a SprintNames,
    /// The branch, or any other revision, that it starts from.
    pub base: &'a str,
    /// Its features; their branches and folders must be free.
    pub features: &'a [String],
    /// Whether the journal knows this sprint already: its branches and worktrees are then expected.
    pub resumed: bool,
}

/// What preflight found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    /// The commit that the base names now.
    pub base_commit: Oid,
    /// Sentences to say aloud before the start.
    pub warnings: Vec<String>,
}

impl Repository {
    /// Checks that the sprint can work in this repository.
    ///
    /// # Errors
    /// [`GitError::NoSuchBase`], [`GitError::BadName`], [`GitError::BranchInTheWay`],
    /// [`GitError::BranchExists`], [`GitError::CheckedOut`], [`GitError::PathInTheWay`].
    pub fn preflight(&self, request: &PreflightRequest<'_>) -> Result<Preflight, GitError> {
        let PreflightRequest {
            names,
            base,
            features,
            resumed,
        } = request;
        let no_base = || GitError::NoSuchBase {
            base: (*base).to_owned(),
            path: self.top().to_owned(),
        };
        let base_commit = self
            .resolve(base)?
            .filter(|_| !base.is_empty())
            .ok_or_else(no_base)?;

        let mut branches = vec![names.integration_branch()];
        for feature in *features {
            branches.push(names.feature_branch(feature)?);
        }
        let existing = self.refs("refs/heads/")?;
        for branch in &branches {
            self.check_branch(branch, &existing, *resumed)?;
        }
        self.check_checkouts(names, &branches)?;
        let dir = self.worktrees_dir();
        if dir.symlink_metadata().is_ok() && !dir.is_dir() {
            let why = "it is not a folder".to_owned();
            return Err(GitError::PathInTheWay {
                path: dir.to_owned(),
                why,
            });
        }
        let tracked = self
            .in_checkout()
            .args(["ls-files", "-z", "--"])
            .arg(dir)
            .run_expecting(&[0, 128])?;
        if !tracked.stdout.is_empty() {
            let why = "files in it are tracked".to_owned();
            return Err(GitError::PathInTheWay {
                path: dir.to_owned(),
                why,
            });
        }
        for feature in *features {
            let folders = [feature.clone(), format!("{}-{feature}", names.sprint())];
            self.place(names, feature, &folders)?;
        }
        Ok(Preflight {
            warnings: self.warnings(base)?,
            base_commit,
        })
    }

    /// Git keeps branches like files in folders: `sprint` excludes `sprint/x`, and `sprint/x/y` does too.
    fn check_branch(
        &self,
        ours: &str,
        existing: &[(String, Oid)],
        resumed: bool,
    ) -> Result<(), GitError> {
        for (name, at) in existing {
            let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
            if branch == ours && !resumed {
                return Err(GitError::BranchExists {
                    branch: branch.to_owned(),
                    at: at.clone(),
                });
            }
            let below = |long: &str, short: &str| {
                long.strip_prefix(short)
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            if below(ours, branch) || below(branch, ours) {
                return Err(GitError::BranchInTheWay {
                    branch: branch.to_owned(),
                    ours: ours.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// A branch of ours may be checked out in a worktree of ours and nowhere else.
    fn check_checkouts(&self, names: &SprintNames, branches: &[String]) -> Result<(), GitError> {
        let ours = self.worktrees(names)?;
        for (path, at) in self.worktree_list()? {
            let branch = at.as_deref().and_then(|at| at.strip_prefix("refs/heads/"));
            let Some(branch) = branch.filter(|at| branches.iter().any(|branch| branch == at))
            else {
                continue;
            };
            if !ours.iter().any(|entry| entry.worktree.path == path) && !self.is_debris(&path) {
                return Err(GitError::CheckedOut {
                    branch: branch.to_owned(),
                    path,
                });
            }
        }
        Ok(())
    }

    fn warnings(&self, base: &str) -> Result<Vec<String>, GitError> {
        let status = self.checkout_status()?;
        let mut warnings = Vec::new();
        let dirty = status.changed + status.untracked;
        if dirty > 0 {
            let (changes, them) = match dirty {
                1 => ("change", "it"),
                _ => ("changes", "them"),
            };
            warnings.push(format!(
                "your checkout has {dirty} uncommitted {changes}; the sprint starts from `{base}` without {them} and \
                 leaves {them} alone"
            ));
        }
        if let Some(operation) = status.operation {
            warnings.push(format!(
                "a {operation} is unfinished in your checkout; the sprint leaves it alone"
            ));
        }
        if let (None, Some(head)) = (&status.branch, &status.head) {
            warnings.push(format!(
                "your checkout is not on a branch (HEAD is at {})",
                head.short()
            ));
        }
        if self.resolve(&format!("refs/heads/{base}"))?.is_none() {
            warnings.push(format!(
                "the base `{base}` is not a local branch, so `deliver` will have no target"
            ));
        }
        if self.top().join(".gitmodules").exists() {
            warnings.push(
                "the repository has submodules; worktrees come without their files".to_owned(),
            );
        }
        Ok(warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::fixture::Fixture;
    use std::fs;

    /// What preflight answers for a fresh sprint `s1` with the feature `api`, after `arrange`.
    fn outcome(resumed: bool, base: &str, arrange: &dyn Fn(&Fixture)) -> String {
        let fixture = Fixture::new();
        arrange(&fixture);
        let features = ["api".to_owned()];
        let request = PreflightRequest {
            names: &fixture.names(),
            base,
            features: &features,
            resumed,
        };
        let outcome = fixture.repository().preflight(&request);
        let text = match outcome {
            Ok(preflight) => format!("ok {}", preflight.warnings.join("; ")),
            Err(error) => error.to_string(),
        };
        let head = fixture.git(&["rev-parse", "main"]);
        let top = fs::canonicalize(fixture.path("")).unwrap();
        text.replace(top.to_str().unwrap(), "REPO")
            .replace(head.trim(), "MAIN")
            .replace(&head[..10], "MAIN")
    }

    #[test]
    fn every_refusal_names_the_way_out() {
        type Arrange<'a> = &'a dyn Fn(&Fixture);
        let nothing: Arrange<'_> = &|_| {};
        let ours = |f: &Fixture| {
            let head = f.head();
            f.repository()
                .create_integration_branch(&f.names(), &head)
                .unwrap();
            f.repository()
                .prepare_worktree(&f.names(), "api", &head)
                .unwrap();
        };
        let cases: [(&str, bool, &str, Arrange<'_>, &str); 17] = [
            ("fresh", false, "main", nothing, "ok "),
            (
                "no such base",
                false,
                "nope",
                nothing,
                "the base `nope` names no commit",
            ),
            (
                "an option as base",
                false,
                "--all",
                nothing,
                "the base `--all` names no commit",
            ),
            (
                "an empty base",
                false,
                "",
                nothing,
                "the base `` names no commit",
            ),
            (
                "a branch `sprint`",
                false,
                "main",
                &|f| drop(f.git(&["branch", "sprint"])),
                "git branch -m sprint NEW-NAME",
            ),
            (
                "a branch `feature`",
                false,
                "main",
                &|f| drop(f.git(&["branch", "feature"])),
                "`feature` is in the way of `feature/s1-api`",
            ),
            (
                "a branch below",
                false,
                "main",
                &|f| drop(f.git(&["branch", "sprint/s1/x"])),
                "`sprint/s1/x` is in the way of `sprint/s1`",
            ),
            (
                "not our sprint branch",
                false,
                "main",
                &|f| drop(f.git(&["branch", "sprint/s1"])),
                "the branch `sprint/s1` exists at MAIN",
            ),
            (
                "not our feature branch",
                false,
                "main",
                &|f| drop(f.git(&["branch", "feature/s1-api"])),
                "the branch `feature/s1-api` exists",
            ),
            (
                "checked out",
                true,
                "main",
                &|f| drop(f.git(&["switch", "--quiet", "-c", "sprint/s1"])),
                "`sprint/s1` is checked out at `REPO`",
            ),
            (
                "a file at .worktrees",
                false,
                "main",
                &|f| f.write(".worktrees", "x"),
                "`REPO/.worktrees` is in the way of a worktree (it is not a folder)",
            ),
            (
                "a folder in the way",
                false,
                "main",
                &|f| f.write(".worktrees/api/x", "x"),
                "`REPO/.worktrees/api` is in the way of a worktree (git does not know it",
            ),
            (
                "tracked .worktrees",
                false,
                "main",
                &|f| drop(f.commit(".worktrees/x", "x")),
                "files in it are tracked",
            ),
            ("resumed", true, "main", &ours, "ok "),
            (
                "dirty",
                false,
                "main",
                &|f| f.write("readme", "x"),
                "ok your checkout has 1 uncommitted change;",
            ),
            (
                "detached",
                false,
                "main",
                &|f| drop(f.git(&["checkout", "--quiet", "--detach"])),
                "ok your checkout is not on a branch (HEAD is at MAIN)",
            ),
            (
                "base is a commit",
                false,
                "HEAD",
                nothing,
                "ok the base `HEAD` is not a local branch",
            ),
        ];
        for (case, resumed, base, arrange, expected) in cases {
            let text = outcome(resumed, base, arrange);
            let same = if expected == "ok " {
                text.starts_with("ok ")
            } else {
                text.contains(expected)
            };
            assert!(same, "case {case}: {text}");
        }
    }

    #[test]
    fn a_users_worktree_where_ours_would_go_is_in_the_way() {
        let arrange = |f: &Fixture| {
            drop(f.git(&["worktree", "add", "--quiet", ".worktrees/api", "-b", "mine"]))
        };
        let text = outcome(false, "main", &arrange);
        assert!(text.contains("(it is a worktree of yours)"), "{text}");
    }
}
