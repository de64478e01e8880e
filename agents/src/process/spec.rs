//! What to run, where, with which environment and within which limits.
//!
//! Only [`INHERITED_ENV`] passes from the director's own environment to a command; everything else is named by the caller.
//! So a token in the director's environment reaches no agent by accident.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ProcessError, Sandbox};

/// The variable that carries the mark of a run; children inherit it, and [`super::sweep`] finds them by it.
pub const MARK_ENV: &str = "DIRECTOR_MARK";
/// Longest mark, in bytes: a line with it fits one atomic write to the guard.
pub const MARK_BYTES_MAX: usize = 1024;
/// What a command sees of the director's own environment, where it is set.
pub const INHERITED_ENV: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];

/// Searched when neither the caller nor the director's environment has a `PATH`.
pub(super) const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// One command, ready to run. Start from [`Spec::new`] or [`Spec::shell`] and change the fields that matter.
#[derive(Clone, Debug)]
pub struct Spec {
    /// A name to look up on `PATH`, or a path; a relative path is relative to `cwd`.
    pub program: String,
    /// Arguments, passed as they are.
    pub args: Vec<String>,
    /// The directory to run in.
    pub cwd: PathBuf,
    /// What the command sees beside [`INHERITED_ENV`] and the mark; wins over the inherited values.
    pub env: BTreeMap<String, String>,
    /// Secrets that it is given, by name: where it prints the value of one, the name is kept.
    pub hidden: BTreeMap<String, String>,
    /// Bytes for standard input, which is closed after them. `None`: standard input is empty.
    pub stdin: Option<Vec<u8>>,
    /// How long the command may take before it is stopped. `None`: as long as it likes.
    pub timeout: Option<Duration>,
    /// Time between SIGTERM and SIGKILL. Default 2 s, at most an hour.
    pub grace: Duration,
    /// How much of the end of standard output, and as much again of standard error, is kept in memory, in bytes.
    /// Default 64 KiB. More output than this is no failure.
    pub output_limit_bytes: usize,
    /// Longest line given to [`super::Hooks::on_line`], in bytes; the rest of a longer line is dropped and the line
    /// says so. Default 1 MiB.
    pub line_limit_bytes: usize,
    /// A file that gets both streams as they come. It is created, or emptied if it is there.
    pub log_path: Option<PathBuf>,
    /// How much goes into that file, in bytes, before a last line says that it was cut. Default 64 MiB.
    pub log_limit_bytes: u64,
    /// Value of [`MARK_ENV`]. No other command running at the same time may have the same: what carries this mark is
    /// ended with this command.
    pub mark: String,
    /// Look for processes that left the group, by the mark, once the command has ended. Default true; costs a
    /// reading of `/proc` (some milliseconds with hundreds of processes). Output held open by such a process
    /// brings on the search in any case.
    pub sweep: bool,
    /// What it may touch, with all that it starts. `None`: what the director may.
    pub sandbox: Option<Sandbox>,
}

impl Spec {
    /// A program with its arguments, executed as is.
    pub fn new(
        program: impl Into<String>,
        args: impl IntoIterator<Item = impl Into<String>>,
        cwd: impl Into<PathBuf>,
        mark: impl Into<String>,
    ) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            cwd: cwd.into(),
            env: BTreeMap::new(),
            hidden: BTreeMap::new(),
            stdin: None,
            timeout: None,
            grace: Duration::from_secs(2),
            output_limit_bytes: 64 * 1024,
            line_limit_bytes: 1024 * 1024,
            log_path: None,
            log_limit_bytes: 64 * 1024 * 1024,
            mark: mark.into(),
            sweep: true,
            sandbox: None,
        }
    }

    /// A line for the shell: `sh -c LINE`.
    pub fn shell(
        line: impl Into<String>,
        cwd: impl Into<PathBuf>,
        mark: impl Into<String>,
    ) -> Self {
        Self::new("sh", ["-c".to_owned(), line.into()], cwd, mark)
    }

    /// The whole environment of the command: inherited, then the caller's, then the mark.
    pub(crate) fn environment(&self) -> BTreeMap<OsString, OsString> {
        let mut env = BTreeMap::from([("PATH".into(), DEFAULT_PATH.into())]);
        for name in INHERITED_ENV {
            if let Some(value) = std::env::var_os(name) {
                env.insert(name.into(), value);
            }
        }
        env.extend(
            self.env
                .iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
        if let Some(sandbox) = &self.sandbox {
            env.insert("TMPDIR".into(), sandbox.temporary.clone().into());
        }
        env.insert(MARK_ENV.into(), self.mark.as_str().into());
        env
    }

    /// Refuses what could not work, before anything is created.
    pub(crate) fn check(&self) -> Result<(), ProcessError> {
        check_mark(&self.mark)?;
        if !Path::new(&self.cwd).is_dir() {
            let (program, cwd) = (self.program.clone(), self.cwd.clone());
            return Err(ProcessError::NoDirectory { program, cwd });
        }
        Ok(())
    }
}

/// A mark travels through an environment and through the guard's line protocol; an empty one would match everything.
pub(crate) fn check_mark(mark: &str) -> Result<(), ProcessError> {
    if mark.is_empty() || mark.len() > MARK_BYTES_MAX || mark.chars().any(char::is_control) {
        let mark = mark.chars().take(80).flat_map(char::escape_debug).collect();
        return Err(ProcessError::BadMark {
            mark,
            max: MARK_BYTES_MAX,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_short_and_plain() {
        let long = "x".repeat(MARK_BYTES_MAX + 1);
        for (case, mark, good) in [
            ("usual", "d1/7/auth-api/2", true),
            ("empty", "", false),
            ("two lines", "d1\n- 4", false),
            ("nul", "d1\0", false),
            ("too long", long.as_str(), false),
        ] {
            assert_eq!(check_mark(mark).is_ok(), good, "case: {case}");
        }
    }

    #[test]
    fn the_callers_environment_wins_and_the_mark_wins_over_that() {
        let mut spec = Spec::shell("true", "/", "m1");
        spec.env.insert("PATH".into(), "/opt/bin".into());
        spec.env.insert(MARK_ENV.into(), "forged".into());
        let env = spec.environment();
        assert_eq!(
            env.get(&OsString::from("PATH")),
            Some(&OsString::from("/opt/bin"))
        );
        assert_eq!(
            env.get(&OsString::from(MARK_ENV)),
            Some(&OsString::from("m1"))
        );
        let allowed = |name: &OsString| {
            name == MARK_ENV || INHERITED_ENV.iter().any(|inherited| name == inherited)
        };
        assert!(
            env.keys().all(allowed),
            "nothing else is inherited: {env:?}"
        );
    }
}
