//! What can go wrong with git, in words a user can act on.

use std::io;
use std::path::PathBuf;

use super::Oid;

/// Why something with git did not work: what failed, on what, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The git program could not be started.
    #[error("could not start `git` ({source}); install git 2.38 or newer and put it on PATH")]
    NotStarted {
        /// What the system said.
        source: io::Error,
    },
    /// The git program is older than what `merge-tree --write-tree` needs.
    #[error("`{found}` is too old; install git 2.38 or newer")]
    TooOld {
        /// What `git version` printed.
        found: String,
    },
    /// A git command ended with a failure that has no name of its own here.
    #[error("`git {command}` failed in `{dir}` (exit code {code}): {stderr}")]
    Failed {
        /// The arguments, shortened.
        command: String,
        /// Where it ran.
        dir: PathBuf,
        /// Exit code; 128 plus the signal's number when a signal ended it.
        code: i32,
        /// The last 2 KiB of its standard error.
        stderr: String,
    },
    /// A git command did not end in time; its process group was ended.
    #[error(
        "`git {command}` in `{dir}` did not end within {limit_ms} ms and was ended; is the disk slow or a filter waiting?"
    )]
    TimedOut {
        /// The arguments, shortened.
        command: String,
        /// Where it ran.
        dir: PathBuf,
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// A git command printed more than is ever expected.
    #[error("`git {command}` printed more than {limit_bytes} bytes and was stopped")]
    TooMuchOutput {
        /// The arguments, shortened.
        command: String,
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// A git command printed something this version cannot read.
    #[error(
        "`git {command}` printed something unexpected: {output:?}; `director doctor` checks the git version"
    )]
    Unexpected {
        /// The arguments, shortened.
        command: String,
        /// The beginning of what it printed.
        output: String,
    },
    /// The path is in no git repository.
    #[error(
        "`{path}` is not in a git repository; run `git init` there, or name one with `repo` in the sprint file"
    )]
    NotARepository {
        /// The path that was given.
        path: PathBuf,
    },
    /// The repository has no checkout.
    #[error(
        "`{path}` is a bare repository; clone it and name the clone with `repo` in the sprint file"
    )]
    Bare {
        /// The path that was given.
        path: PathBuf,
    },
    /// The repository has no commit to start from.
    #[error(
        "the repository `{path}` has no commit; make a first one, for example `git commit --allow-empty -m start`"
    )]
    NoCommit {
        /// Its top level.
        path: PathBuf,
    },
    /// The base of the sprint names no commit.
    #[error(
        "the base `{base}` names no commit in `{path}`; set `base` in the sprint file to an existing branch"
    )]
    NoSuchBase {
        /// What the sprint file says.
        base: String,
        /// The repository's top level.
        path: PathBuf,
    },
    /// A name cannot be a branch or a folder.
    #[error("`{name}` cannot be used as a name: {why}")]
    BadName {
        /// The name, shortened.
        name: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// A branch of the user's makes one of ours impossible, because git keeps branches like files in folders.
    #[error(
        "the branch `{branch}` is in the way of `{ours}`; rename it with `git branch -m {branch} NEW-NAME`"
    )]
    BranchInTheWay {
        /// The branch that exists.
        branch: String,
        /// The branch that cannot be made.
        ours: String,
    },
    /// A branch that would be ours exists, and this sprint did not make it.
    #[error(
        "the branch `{branch}` exists at {at} and is not from this run; rename or delete it, or give the sprint another id"
    )]
    BranchExists {
        /// The branch.
        branch: String,
        /// Where it stands.
        at: Oid,
    },
    /// A branch of ours is checked out by the user.
    #[error(
        "the branch `{branch}` is checked out at `{path}`; check out another one there, for example `git -C {path} switch -`"
    )]
    CheckedOut {
        /// The branch.
        branch: String,
        /// The checkout.
        path: PathBuf,
    },
    /// A file or folder lies where a worktree would go.
    #[error("`{path}` is in the way of a worktree ({why}); move it away")]
    PathInTheWay {
        /// What is in the way.
        path: PathBuf,
        /// How we know that it is not ours.
        why: String,
    },
    /// A ref of ours does not stand where it was left: someone else moved it.
    #[error("`{name}` should stand at {} but stands at {}; someone else moved it, see `git reflog {name}`", shown(.expected), shown(.found))]
    RefMoved {
        /// The full name of the ref.
        name: String,
        /// Where it was left; `None`: it should not exist.
        expected: Option<Oid>,
        /// Where it is; `None`: it does not exist.
        found: Option<Oid>,
    },
    /// The worktree's HEAD does not descend from where the task began, so it is no result of the task.
    #[error(
        "the worktree `{path}` stands at {head}, which does not descend from {base} where the task began; its commits are kept by salvage"
    )]
    NotADescendant {
        /// The worktree.
        path: PathBuf,
        /// Where HEAD stands.
        head: Oid,
        /// Where the task began.
        base: Oid,
    },
    /// A repository inside the worktree, whose files a commit would not contain.
    #[error(
        "the worktree `{path}` holds repositories of their own ({nested}); remove their `.git`, or ignore them"
    )]
    NestedRepository {
        /// The worktree.
        path: PathBuf,
        /// Their paths, at most five.
        nested: String,
    },
    /// The worktree is not there, or git does not know it.
    #[error(
        "the worktree `{path}` is gone, and what was not committed in it with it; whoever works there has to leave the directory itself and its `.git` where they are"
    )]
    NoWorktree {
        /// Where it should be.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("could not {what} `{path}`: {source}")]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl GitError {
    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

fn shown(oid: &Option<Oid>) -> String {
    oid.as_ref().map_or_else(
        || "no commit (absent)".to_owned(),
        |oid| oid.short().to_owned(),
    )
}
