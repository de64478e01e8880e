//! What a command did outside its worktree, as far as it can be seen: the user's refs and checkout.
//!
//! A worktree is a convention, not a wall. Two looks, before and after a command, are compared; the user may
//! have worked in between, so a difference is something to say, not a proof.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use super::repository::path_of;
use super::{GitError, Oid, Repository, SprintNames};

/// Most differences that are listed one by one.
const LISTED_MAX: usize = 20;

/// One look at what lies outside a sprint's worktrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    refs: BTreeMap<String, Oid>,
    branch: Option<String>,
    head: Option<Oid>,
    /// Per uncommitted path: its line of the status, and size and times of the file.
    files: BTreeMap<Vec<u8>, (Vec<u8>, Option<Stat>)>,
}

type Stat = (u64, i64, i64, u64);

impl Repository {
    /// Looks at every ref that belongs to none of `ours`, the sprints of the team, and at the user's checkout.
    ///
    /// # Errors
    /// That git could not be run.
    pub fn outside(&self, ours: &[SprintNames]) -> Result<Outside, GitError> {
        let refs = self
            .refs("refs/")?
            .into_iter()
            .filter(|(name, _)| !ours.iter().any(|names| names.owns(name)))
            .collect();
        let status = self.checkout_status()?;
        let mut files = BTreeMap::new();
        let lines = status
            .listing
            .split(|b| *b == 0)
            .filter(|line| !line.is_empty());
        for (path, line) in status.paths.iter().zip(lines) {
            let stat = fs::symlink_metadata(self.top().join(path)).ok();
            let stat = stat.map(|meta| (meta.len(), meta.mtime(), meta.mtime_nsec(), meta.ino()));
            let name = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec();
            files.insert(name, (line.to_vec(), stat));
        }
        Ok(Outside {
            refs,
            branch: status.branch,
            head: status.head,
            files,
        })
    }
}

impl Outside {
    /// What differs in a later look, a sentence each, at most 21.
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.branch != later.branch {
            let shown = |branch: &Option<String>| {
                branch
                    .clone()
                    .unwrap_or_else(|| "a detached head".to_owned())
            };
            let (before, after) = (shown(&self.branch), shown(&later.branch));
            found.push(format!("your checkout went from {before} to {after}"));
        } else if self.head != later.head {
            found.push("the commit that your checkout stands at changed".to_owned());
        }
        for (name, oid) in &self.refs {
            match later.refs.get(name) {
                None => found.push(format!("`{name}` was deleted (it stood at {oid})")),
                Some(now) if now != oid => {
                    found.push(format!(
                        "`{name}` moved from {} to {}",
                        oid.short(),
                        now.short()
                    ));
                }
                Some(_) => {}
            }
        }
        for (name, oid) in later
            .refs
            .iter()
            .filter(|(name, _)| !self.refs.contains_key(*name))
        {
            found.push(format!("`{name}` is new, at {}", oid.short()));
        }
        let all: std::collections::BTreeSet<_> =
            self.files.keys().chain(later.files.keys()).collect();
        for path in all {
            let (before, after) = (self.files.get(path), later.files.get(path));
            if before != after {
                let how = if after.is_none() {
                    "is no longer an uncommitted change"
                } else {
                    "was changed"
                };
                found.push(format!(
                    "`{}` in your checkout {how}",
                    path_of(path).display()
                ));
            }
        }
        if found.len() > LISTED_MAX {
            let more = found.len() - LISTED_MAX;
            found.truncate(LISTED_MAX);
            found.push(format!("and {more} more"));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::git::fixture::Fixture;

    #[test]
    fn what_changed_outside_is_said_and_what_is_ours_is_not() {
        type Act<'a> = &'a dyn Fn(&Fixture);
        let cases: [(&str, Act<'_>, &[&str]); 8] = [
            ("nothing", &|_| {}, &[]),
            (
                "ours",
                &|f| drop(f.commit_on(&f.head(), &[("a", "1")])),
                &[],
            ),
            (
                "a new file",
                &|f| f.write("new", "x"),
                &["`new` in your checkout was changed"],
            ),
            (
                "a dirty file again",
                &|f| f.write("dirty", "longer"),
                &["`dirty` in your checkout was changed"],
            ),
            (
                "staged",
                &|f| drop(f.git(&["add", "dirty"])),
                &["`dirty` in your checkout was changed"],
            ),
            (
                "a branch",
                &|f| drop(f.git(&["branch", "mine"])),
                &["`refs/heads/mine` is new, at "],
            ),
            (
                "a deleted branch",
                &|f| drop(f.git(&["branch", "-D", "old"])),
                &["`refs/heads/old` was deleted"],
            ),
            (
                "a switch",
                &|f| drop(f.git(&["switch", "--quiet", "old"])),
                &["your checkout went from refs/heads/main to refs/heads/old"],
            ),
        ];
        for (case, act, expected) in cases {
            let fixture = Fixture::new();
            let (repository, names) = (fixture.repository(), [fixture.names()]);
            repository.hide_our_folders().unwrap();
            fixture.git(&["branch", "old"]);
            fixture.write("dirty", "x");
            let before = repository.outside(&names).unwrap();
            act(&fixture);
            let found = before.differences(&repository.outside(&names).unwrap());
            assert_eq!(found.len(), expected.len(), "case {case}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "case {case}: {found}");
            }
        }
    }
}
