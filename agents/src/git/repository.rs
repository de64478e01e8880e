//! The user's repository: found once, then always named explicitly.
//!
//! Three folders matter and may all differ: the top level of the user's checkout, its own git directory, and
//! the common git directory that all worktrees share.
//!
//! Elsewhere: whether a sprint can start in it is [`preflight`](super::preflight).

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::GitError;
use super::command::GitCommand;

/// The oldest git that has `merge-tree --write-tree`.
const GIT_MIN: (u32, u32) = (2, 38);

/// A repository in which sprints can work. Cheap to clone; clones and other processes share its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    top: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
    worktrees_dir: PathBuf,
    marks: Vec<(OsString, OsString)>,
}

impl Repository {
    /// Finds the repository that `path` lies in; a folder below its top level is fine.
    ///
    /// # Errors
    /// [`GitError::NotARepository`], [`GitError::Bare`], [`GitError::NoCommit`], [`GitError::TooOld`], or
    /// that git could not be run.
    pub fn open(path: &Path) -> Result<Self, GitError> {
        if !path.is_dir() {
            return Err(GitError::NotARepository {
                path: path.to_owned(),
            });
        }
        check_version(path)?;
        let ask = |question: &str| GitCommand::new(path).args(["rev-parse", question]).run();
        let inside = match ask("--is-inside-work-tree") {
            Err(GitError::Failed { stderr, .. }) if stderr.contains("not a git repository") => {
                return Err(GitError::NotARepository {
                    path: path.to_owned(),
                });
            }
            answer => answer?.line() == b"true",
        };
        if !inside {
            return Err(GitError::Bare {
                path: path.to_owned(),
            });
        }
        let folder = |question: &str| {
            let words = ["rev-parse", "--path-format=absolute", question];
            let output = GitCommand::new(path).args(words).run()?;
            let found = PathBuf::from(OsString::from_vec(output.line().to_vec()));
            fs::canonicalize(&found).map_err(GitError::io("find", found))
        };
        let top = folder("--show-toplevel")?;
        let repository = Self {
            git_dir: folder("--git-dir")?,
            common_dir: folder("--git-common-dir")?,
            worktrees_dir: top.join(".worktrees"),
            marks: Vec::new(),
            top,
        };
        let head = repository
            .in_checkout()
            .args(["rev-parse", "--verify", "--quiet", "HEAD"]);
        if head.run_expecting(&[0, 1])?.code != 0 && repository.has_no_branch()? {
            return Err(GitError::NoCommit {
                path: repository.top,
            });
        }
        Ok(repository)
    }

    /// Keeps worktrees in another folder than `.worktrees` at the top level.
    #[must_use]
    pub fn with_worktrees_dir(mut self, dir: &Path) -> Self {
        self.worktrees_dir = self.top.join(dir);
        self
    }

    /// Sets a variable in the environment of every git command, for example the mark by which a start-up
    /// sweep recognises our processes.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.marks.push((name.into(), value.into()));
        self
    }

    /// The top level of the user's checkout.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The folder that worktrees lie in; it may not exist yet.
    pub fn worktrees_dir(&self) -> &Path {
        &self.worktrees_dir
    }

    /// What lets another repository borrow the objects of this one: the line of its `objects/info/alternates`.
    pub(super) fn lent(&self) -> Vec<u8> {
        let objects = self.common_dir.join("objects");
        [objects.as_os_str().as_bytes(), b"\n"].concat()
    }

    pub(super) fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    pub(super) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Hides `.worktrees/` and `.director/` from the user's `git status`, through `info/exclude`, which is
    /// nobody's file in the project. Does nothing the second time.
    ///
    /// # Errors
    /// [`GitError::Io`] when the file cannot be read or written.
    pub fn hide_our_folders(&self) -> Result<(), GitError> {
        let path = self.common_dir.join("info/exclude");
        let before = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(GitError::io("read", path)(error)),
        };
        let mut after = before.clone();
        for folder in ["/.worktrees/", "/.director/"] {
            if before
                .split(|b| *b == b'\n')
                .any(|line| line.trim_ascii() == folder.as_bytes())
            {
                continue;
            }
            if after.last().is_some_and(|last| *last != b'\n') {
                after.push(b'\n');
            }
            after.extend_from_slice(folder.as_bytes());
            after.push(b'\n');
        }
        if after == before {
            return Ok(());
        }
        fs::create_dir_all(self.common_dir.join("info")).map_err(GitError::io("create", &path))?;
        let written = path.with_extension("director-new");
        fs::write(&written, after).map_err(GitError::io("write", &written))?;
        fs::rename(&written, &path).map_err(GitError::io("replace", &path))
    }

    /// A command on the shared part: refs and objects.
    pub(super) fn git(&self) -> GitCommand {
        self.marked(GitCommand::new(&self.common_dir).repository(&self.common_dir))
    }

    /// A command on the user's checkout.
    pub(super) fn in_checkout(&self) -> GitCommand {
        self.marked(
            GitCommand::new(&self.top)
                .repository(&self.git_dir)
                .work_tree(&self.top),
        )
    }

    /// A command on one worktree. Both its folders are named, because an agent may have removed its `.git`,
    /// and git would then find the user's checkout above it.
    pub(super) fn in_worktree(&self, admin: &Path, path: &Path) -> GitCommand {
        self.marked(GitCommand::new(path).repository(admin).work_tree(path))
    }

    fn marked(&self, command: GitCommand) -> GitCommand {
        self.marks
            .iter()
            .fold(command, |command, (name, value)| command.env(name, value))
    }

    /// Takes the lock around adding and pruning worktrees, which git does not do safely in parallel. It is a
    /// file lock, so that it also holds against a director of another data directory; it ends with the value.
    pub(super) fn lock_worktrees(&self) -> Result<File, GitError> {
        let path = self.common_dir.join("director-worktrees.lock");
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(GitError::io("open", &path))?;
        file.lock().map_err(GitError::io("lock", &path))?;
        Ok(file)
    }

    fn has_no_branch(&self) -> Result<bool, GitError> {
        let refs = self
            .git()
            .args(["for-each-ref", "--count=1", "refs/heads"])
            .run()?;
        Ok(refs.stdout.is_empty())
    }
}

/// A path as git printed it.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

fn check_version(dir: &Path) -> Result<(), GitError> {
    let output = GitCommand::new(dir).arg("version").run()?;
    judge(String::from_utf8_lossy(output.line()).into_owned())
}

fn judge(found: String) -> Result<(), GitError> {
    match version(&found) {
        Some(version) if version >= GIT_MIN => Ok(()),
        _ => Err(GitError::TooOld { found }),
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split(['.', ' ', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::fixture::Fixture;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (text, expected, new_enough) in [
            ("git version 2.47.3", Some((2, 47)), true),
            ("git version 2.38.0.windows.1", Some((2, 38)), true),
            ("git version 2.37.9", Some((2, 37)), false),
            ("git version 2.9.5 (Apple Git-1)", Some((2, 9)), false),
            ("git version 3.0-rc1", Some((3, 0)), true),
            ("gitoxide 1", None, false),
        ] {
            assert_eq!(version(text), expected, "{text}");
            assert_eq!(judge(text.to_owned()).is_ok(), new_enough, "{text}");
        }
    }

    #[test]
    fn a_repository_is_found_from_below_and_what_is_none_is_refused_by_name() {
        let fixture = Fixture::new();
        let below = fixture.path("src/deep");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(Repository::open(&below).unwrap(), fixture.repository());

        let plain = tempfile::tempdir().unwrap();
        let refused = |path: &Path| Repository::open(path).unwrap_err();
        assert!(matches!(
            refused(plain.path()),
            GitError::NotARepository { .. }
        ));
        assert!(matches!(
            refused(&plain.path().join("no")),
            GitError::NotARepository { .. }
        ));
        GitCommand::new(plain.path())
            .args(["init", "--quiet"])
            .run()
            .unwrap();
        assert!(matches!(refused(plain.path()), GitError::NoCommit { .. }));
        let bare = tempfile::tempdir().unwrap();
        GitCommand::new(bare.path())
            .args(["init", "--quiet", "--bare"])
            .run()
            .unwrap();
        assert!(matches!(refused(bare.path()), GitError::Bare { .. }));
    }

    #[test]
    fn our_folders_are_hidden_once_and_the_users_lines_stay() {
        let fixture = Fixture::new();
        let exclude = fixture.path(".git/info/exclude");
        fs::write(&exclude, "*.tmp").unwrap();
        for _ in 0..2 {
            fixture.repository().hide_our_folders().unwrap();
            assert_eq!(
                fs::read_to_string(&exclude).unwrap(),
                "*.tmp\n/.worktrees/\n/.director/\n"
            );
        }
        fs::create_dir(fixture.path(".worktrees")).unwrap();
        fs::write(fixture.path(".worktrees/x"), "x").unwrap();
        assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    }
}
