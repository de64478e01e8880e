//! A real repository in a temporary folder, for the tests of this module.

use std::fs;
use std::path::{Path, PathBuf};

use super::command::GitCommand;
use super::{Oid, Repository, SprintNames, Worktree};

/// Milliseconds since 1970 of everything the tests commit.
pub const DATE_MS: u64 = 1_700_000_000_000;

pub struct Fixture {
    _dir: tempfile::TempDir,
    top: PathBuf,
}

impl Fixture {
    /// A repository with the branch `main`, one commit, an ignore rule, and hooks that all fail loudly.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The same, made with more options of `git init`.
    pub fn with(options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(dir.path()).unwrap().join("repo");
        fs::create_dir(&top).unwrap();
        let fixture = Self { _dir: dir, top };
        fixture.git(&[&["init", "--quiet", "--initial-branch=main"], options].concat());
        fixture.write(".gitignore", "target/\n*.ignored\n");
        fixture.write("readme", "hello\n");
        fixture.commit_all("start");
        for hook in [
            "pre-commit",
            "post-checkout",
            "reference-transaction",
            "post-merge",
            "pre-merge-commit",
        ] {
            let path = format!(".git/hooks/{hook}");
            fixture.write(
                &path,
                "#!/bin/sh\necho ran >> \"$(git rev-parse --git-common-dir)/hook-ran\"\nexit 1\n",
            );
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(fixture.path(&path), mode).unwrap();
        }
        fixture
    }

    pub fn repository(&self) -> Repository {
        Repository::open(&self.top).unwrap()
    }

    pub fn names(&self) -> SprintNames {
        SprintNames::new("s1").unwrap()
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.top.join(relative)
    }

    pub fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs git as the user would, but without hooks, and returns what it printed.
    pub fn git(&self, words: &[&str]) -> String {
        git_in(&self.top, words)
    }

    pub fn commit_all(&self, message: &str) -> Oid {
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.head()
    }

    pub fn commit(&self, file: &str, text: &str) -> Oid {
        self.write(file, text);
        self.commit_all(file)
    }

    pub fn head(&self) -> Oid {
        self.git(&["rev-parse", "HEAD"]).trim().parse().unwrap()
    }

    /// A commit on top of `parent` with the given files, made without touching any checkout.
    pub fn commit_on(&self, parent: &Oid, files: &[(&str, &str)]) -> Oid {
        let name = format!(
            "made-{}",
            files
                .iter()
                .map(|(file, _)| *file)
                .collect::<Vec<_>>()
                .join("-")
        );
        let repository = self.repository();
        let tree = repository
            .prepare_worktree(&self.names(), &name, parent)
            .unwrap();
        for (file, text) in files {
            fs::write(tree.path().join(file), text).unwrap();
        }
        let head = commit_in(&tree, "made");
        repository.remove_worktree(&tree).unwrap();
        head
    }
}

/// Commits everything in a worktree as an agent would.
pub fn commit_in(worktree: &Worktree, message: &str) -> Oid {
    git_in(worktree.path(), &["add", "-A"]);
    git_in(worktree.path(), &["commit", "--quiet", "-m", message]);
    git_in(worktree.path(), &["rev-parse", "HEAD"])
        .trim()
        .parse()
        .unwrap()
}

pub fn git_in(dir: &Path, words: &[&str]) -> String {
    let output = GitCommand::new(dir).date(DATE_MS).args(words).run();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}
