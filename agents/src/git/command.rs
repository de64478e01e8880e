//! The one place that runs git.
//!
//! Every command gets the same surroundings: no hooks, prompts, pagers, editors, signing or background
//! maintenance; an environment without the `GIT_*` variables of whoever started us; a fixed identity; its own
//! process group; a deadline and an output limit. What it writes is synced before it is named anywhere,
//! because the journal names it next.
//!
//! A killed git leaves its lock files, and the one on packed refs stops everyone's git. So a command that
//! has to end is asked first (SIGTERM, on which git cleans up), and killed only when it does not; whoever
//! sweeps up after a director that died does well to do the same.
//!
//! Invariant: when [`GitCommand::run`] returns, nothing of its process group is left.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::GitError;
use crate::process::sandbox;

/// Longest time one git command may take, unless its caller says otherwise.
const LIMIT: Duration = Duration::from_secs(300);
/// What a command gets to clean up after that.
const GRACE: Duration = Duration::from_secs(2);
/// Most bytes one git command may print: a listing of a few hundred thousand paths.
const OUTPUT_MAX_BYTES: usize = 64 << 20;
/// How much of standard error is kept.
const STDERR_TAIL_BYTES: usize = 2048;

/// The name under which we commit, in both roles.
pub(super) const IDENTITY_NAME: &str = "director";
/// Its address.
pub(super) const IDENTITY_EMAIL: &str = "director@localhost";

/// Settings that hold for every command, whatever the user's, the repository's or an agent's config says.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.pager=cat",
    "core.editor=true",
    "core.filesRefLockTimeout=5000",
    "core.packedRefsTimeout=5000",
    // Loose objects are not synced by default, and the journal is about to name them.
    "core.fsync=committed,reference",
    "core.fsyncMethod=batch",
    // The same merge has to give the same tree under every user's settings.
    "merge.renames=true",
    "merge.directoryRenames=conflict",
    "merge.renameLimit=7000",
    "worktree.useRelativePaths=false",
    "color.ui=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "merge.verifySignatures=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "rerere.enabled=false",
    "submodule.recurse=false",
    "i18n.commitEncoding=UTF-8",
    "advice.addEmbeddedRepo=false",
    "worktree.guessRemote=false",
];

/// `GIT_*` variables that say where git and its config are, and are therefore kept.
const KEPT: &[&str] = &[
    "GIT_EXEC_PATH",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
];

/// One git command to be.
#[derive(Debug)]
pub(super) struct GitCommand {
    command: Command,
    dir: PathBuf,
    words: Vec<OsString>,
    stdin: Option<Vec<u8>>,
    limit: Duration,
    /// Whether it may start programs that are none of git's.
    programs: bool,
}

/// What a git command left.
#[derive(Debug)]
pub(super) struct Output {
    /// Exit code; 128 plus the signal's number when a signal ended it.
    pub code: i32,
    pub stdout: Vec<u8>,
    /// The tail, as text.
    pub stderr: String,
}

impl Output {
    /// The fields of `-z` output, without the empty one after the last separator.
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        self.stdout
            .split(|b| *b == 0)
            .filter(|field| !field.is_empty())
    }

    /// One line of output without its line end; further line ends belong to a path and stay.
    pub fn line(&self) -> &[u8] {
        self.stdout.strip_suffix(b"\n").unwrap_or(&self.stdout)
    }
}

impl GitCommand {
    /// A command that runs in `dir`. Without [`Self::repository`], git finds the repository from there.
    pub fn new(dir: &Path) -> Self {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            let git = name.as_encoded_bytes().starts_with(b"GIT_");
            if git && !KEPT.iter().any(|kept| name == *kept) {
                command.env_remove(name);
            }
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_EDITOR", "true")
            .env("GIT_PAGER", "cat")
            .env("GIT_MERGE_AUTOEDIT", "no")
            // A look at the user's checkout must not rewrite its index.
            .env("GIT_OPTIONAL_LOCKS", "0")
            // An agent can write `refs/replace`; what counts are the objects themselves.
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_AUTHOR_NAME", IDENTITY_NAME)
            .env("GIT_AUTHOR_EMAIL", IDENTITY_EMAIL)
            .env("GIT_COMMITTER_NAME", IDENTITY_NAME)
            .env("GIT_COMMITTER_EMAIL", IDENTITY_EMAIL);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.current_dir(dir).process_group(0);
        Self {
            command,
            dir: dir.to_owned(),
            words: Vec::new(),
            stdin: None,
            limit: LIMIT,
            programs: true,
        }
    }

    /// Names the repository, so that git does not look for one.
    pub fn repository(mut self, git_dir: &Path) -> Self {
        self.command.env("GIT_DIR", git_dir);
        self
    }

    /// Names the files that belong to it.
    pub fn work_tree(mut self, path: &Path) -> Self {
        self.command.env("GIT_WORK_TREE", path);
        self
    }

    /// It fetches nothing by itself: what a repository lacks is not there.
    pub fn without_lazy_fetch(self) -> Self {
        self.env("GIT_NO_LAZY_FETCH", "1")
    }

    /// It speaks to no other repository; older git, which does not know [`Self::without_lazy_fetch`], has no protocol to do so.
    pub fn alone(self) -> Self {
        self.without_lazy_fetch().env("GIT_ALLOW_PROTOCOL", "none")
    }

    /// It starts no program but those of git: what a repository that is not the user's calls a filter does not run.
    pub fn without_programs(mut self) -> Self {
        self.programs = false;
        self.alone()
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The date of what is committed, in both roles: milliseconds since 1970, rounded down to seconds.
    pub fn date(self, date_ms: u64) -> Self {
        let date = format!("@{} +0000", date_ms / 1000);
        self.env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
    }

    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.words.push(word.as_ref().to_owned());
        self
    }

    pub fn args<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words
            .extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Some(bytes);
        self
    }

    /// Leaves out syncing, for what can be made again: a worktree's files, index and branch.
    pub fn unsynced(mut self) -> Self {
        self.command.args(["-c", "core.fsync=none"]); // The last one counts.
        self
    }

    /// Another longest time than usual.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it; anything but exit code 0 is an error.
    pub fn run(self) -> Result<Output, GitError> {
        self.run_expecting(&[0])
    }

    /// Runs it; an exit code that is not among `codes` is an error.
    pub fn run_expecting(mut self, codes: &[i32]) -> Result<Output, GitError> {
        let output = self.execute()?;
        if codes.contains(&output.code) {
            return Ok(output);
        }
        let Output { code, stderr, .. } = output;
        Err(GitError::Failed {
            command: self.shown(),
            dir: self.dir,
            code,
            stderr,
        })
    }

    fn execute(&mut self) -> Result<Output, GitError> {
        let stdin = if self.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        self.command
            .args(&self.words)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let start = || self.command.spawn();
        let child = match self.programs {
            true => self.command.spawn(),
            false => sandbox::without_programs(&git_alone(), start),
        };
        let mut child = child.map_err(|source| GitError::NotStarted { source })?;
        let stdout = collect(child.stdout.take(), Keep::Head(OUTPUT_MAX_BYTES));
        let stderr = collect(child.stderr.take(), Keep::Tail(STDERR_TAIL_BYTES));
        if let (Some(bytes), Some(mut pipe)) = (self.stdin.take(), child.stdin.take()) {
            // A git that stops reading says why in its exit code.
            thread::spawn(move || pipe.write_all(&bytes));
        }
        let ended = self.wait(&mut child)?;
        let gone = || GitError::Unexpected {
            command: self.shown(),
            output: "no output".to_owned(),
        };
        let (stdout, whole) = stdout.recv().map_err(|_| gone())?;
        let (stderr, _) = stderr.recv().map_err(|_| gone())?;
        let Some(status) = ended else {
            let limit_ms = u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX);
            return Err(GitError::TimedOut {
                command: self.shown(),
                dir: self.dir.clone(),
                limit_ms,
            });
        };
        if !whole {
            let limit_bytes = OUTPUT_MAX_BYTES;
            return Err(GitError::TooMuchOutput {
                command: self.shown(),
                limit_bytes,
            });
        }
        let code = status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        let stderr = String::from_utf8_lossy(&stderr).trim().to_owned();
        Ok(Output {
            code,
            stdout,
            stderr,
        })
    }

    /// Waits until the process has ended or the limit has passed, then ends what is left of its group. The
    /// process is reaped last, so that its number cannot mean another process when the group is killed.
    fn wait(&self, child: &mut Child) -> Result<Option<ExitStatus>, GitError> {
        let failed = |source| GitError::NotStarted { source };
        let (ended, when_ended) = mpsc::channel();
        let pid = Pid::from_child(child);
        thread::spawn(move || {
            let how = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), how) {}
            let _ = ended.send(()); // The caller may have given up.
        });
        let in_time = when_ended.recv_timeout(self.limit).is_ok();
        if !in_time {
            let _ = kill_process_group(pid, Signal::TERM); // On this, git removes its lock files.
            let _ = when_ended.recv_timeout(GRACE);
        }
        let _ = kill_process_group(pid, Signal::KILL); // None left is the usual answer.
        let status = child.wait().map_err(failed)?;
        Ok(in_time.then_some(status))
    }

    fn shown(&self) -> String {
        let words: Vec<_> = self
            .words
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        words.join(" ").chars().take(200).collect()
    }
}

enum Keep {
    Head(usize),
    Tail(usize),
}

/// Reads a pipe to its end beside the process, keeping at most a part; the flag says whether that was all.
/// Where git itself lies, with what loads it.
fn git_alone() -> Vec<PathBuf> {
    static FOUND: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let find = || {
        let said = Command::new("git").arg("--exec-path").output();
        let own = said.map_or_else(|_| Vec::new(), |said| said.stdout.trim_ascii().to_vec());
        let search = std::env::var_os("PATH").unwrap_or_default();
        let git = std::env::split_paths(&search).map(|dir| dir.join("git"));
        let loaders = [
            "/lib",
            "/lib64",
            "/usr/lib",
            "/usr/lib64",
            "/nix/store",
            "/gnu/store",
        ];
        let loaders = loaders.map(PathBuf::from).into_iter();
        loaders
            .chain(git.filter(|git| git.is_file()))
            .chain([PathBuf::from(OsString::from_vec(own))])
            .collect()
    };
    FOUND.get_or_init(find).clone()
}

fn collect(
    pipe: Option<impl Read + Send + 'static>,
    keep: Keep,
) -> mpsc::Receiver<(Vec<u8>, bool)> {
    let (done, collected) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut whole = true;
        let mut buffer = vec![0; 16 << 10];
        if let Some(mut pipe) = pipe {
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                kept.extend_from_slice(&buffer[..n]);
                match keep {
                    Keep::Head(max) if kept.len() > max => {
                        kept.truncate(max);
                        whole = false;
                    }
                    Keep::Tail(max) if kept.len() > 2 * max => {
                        kept.drain(..kept.len() - max);
                    }
                    _ => {}
                }
            }
        }
        if let Keep::Tail(max) = keep {
            kept.drain(..kept.len().saturating_sub(max));
        }
        let _ = done.send((kept, whole)); // The caller may have given up.
    });
    collected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_hangs_is_killed_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let hang = GitCommand::new(dir.path())
            .args(["-c", "alias.hang=!sleep 1000 & sleep 1000", "hang"])
            .limit(Duration::from_millis(200));
        let error = hang.run().unwrap_err();
        assert!(
            matches!(error, GitError::TimedOut { limit_ms: 200, .. }),
            "{error}"
        );
    }

    #[test]
    fn what_git_starts_does_not_outlive_it() {
        let dir = tempfile::tempdir().unwrap();
        // The background process holds standard output open: without the kill, this test would not end.
        let leaves = GitCommand::new(dir.path()).args([
            "-c",
            "alias.leave=!sleep 1000 & echo left",
            "leave",
        ]);
        assert_eq!(leaves.run().unwrap().line(), b"left");
    }

    #[test]
    fn a_failure_carries_the_exit_code_and_the_tail_of_what_git_said() {
        let dir = tempfile::tempdir().unwrap();
        let error = GitCommand::new(dir.path())
            .args(["cat-file", "-p", "HEAD"])
            .run()
            .unwrap_err();
        let GitError::Failed {
            code,
            stderr,
            command,
            ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!((*code, command.as_str()), (128, "cat-file -p HEAD"));
        assert!(stderr.contains("not a git repository"), "{stderr}");
    }
}
