//! A corner to try bad input in: a small real repository, a sprint file beside it, and the real program.
//!
//! What is said is compared as a user reads it, with the corner's own path as `HERE` and ids of commits as `COMMIT`.
//! [`Corner::nothing_left`] is the other half of every such test: no process, no worktree, no lock, and the user's
//! checkout as it was.
//!
//! Elsewhere: `harness` is the playground for kills.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Run, git};
use crate::process;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The head of a sprint file for the corner's repository, with nothing on that a test does not ask for.
pub const HEAD: &str = r#"
[sprint]
id = "s"
repo = "repo"
base = "main"

[team]
only = true

[team.fullstack-engineer]
count = 2

[limits]
attempts_max = 2
retry_min = "10ms"
retry_max = "10ms"

[gates]
tests = false
review = false
docs = false
coverage = false
acceptance = false
"#;

/// One task that does its work.
pub const GOOD: &str = r#"
[[task]]
id = "good"
run = "echo good > good"
"#;

/// A repository with one commit on `main`, and room beside it.
pub struct Corner {
    program: PathBuf,
    root: TempDir,
    env: Vec<(&'static str, String)>,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Corner {
    /// A new one, for this `director`.
    ///
    /// # Panics
    /// When git or the file system refuse.
    pub fn new(program: &str) -> Self {
        let root = tempfile::Builder::new().prefix("corner-").tempdir();
        let corner = Self {
            program: program.into(),
            root: root.expect("a temporary directory"),
            env: Vec::new(),
        };
        let repo = corner.repo();
        fs::create_dir(&repo).expect("a directory");
        fs::write(repo.join("README"), "A corner.\n").expect("a file");
        corner.git(&["init", "--quiet", "--initial-branch=main"]);
        corner.commit("start");
        corner
    }

    /// Gives every command this variable.
    #[must_use]
    pub fn with_env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Everything lies below it; as the kernel names it.
    ///
    /// # Panics
    /// When it is gone.
    pub fn root(&self) -> PathBuf {
        self.root.path().canonicalize().expect("it is there")
    }

    /// The repository.
    pub fn repo(&self) -> PathBuf {
        self.root().join("repo")
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.repo().join(".director")
    }

    /// The sprint file, which lies beside the repository.
    pub fn file(&self) -> PathBuf {
        self.root().join("sprint.toml")
    }

    /// Writes the sprint file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn sprint(&self, text: impl AsRef<[u8]>) -> &Self {
        fs::write(self.file(), text).expect("a file");
        self
    }

    /// What git answers in the repository.
    ///
    /// # Panics
    /// When git says no.
    pub fn git(&self, words: &[&str]) -> String {
        git(&self.repo(), words).unwrap_or_else(|said| panic!("git {words:?}: {said}"))
    }

    /// Commits everything in the user's checkout.
    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--no-verify", "--message", message]);
    }

    /// The names of all branches, in order.
    pub fn branches(&self) -> String {
        self.git(&["branch", "--format=%(refname:short)"])
            .replace('\n', " ")
    }

    /// A file on the integration branch.
    pub fn merged(&self, file: &str) -> String {
        self.git(&["show", &format!("sprint/s:{file}")])
    }

    /// Runs `director` with these words in the repository, to its end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn tell(&self, words: &[&str]) -> Said {
        self.tell_later(words, Duration::ZERO)
    }

    /// As [`Self::tell`], by a director whose clock is so much ahead.
    ///
    /// # Panics
    /// When it does not end.
    pub fn tell_later(&self, words: &[&str], later: Duration) -> Said {
        let logs = tempfile::tempdir().expect("a temporary directory");
        let (out, err) = (logs.path().join("out"), logs.path().join("err"));
        let code = self
            .start_to(words, later, &out, &err)
            .code_within(PATIENCE)
            .unwrap_or(-1);
        let read = |path: &Path| {
            let bytes = fs::read(path).expect("what was said");
            self.plain(&String::from_utf8_lossy(&bytes))
        };
        Said {
            code,
            out: read(&out),
            err: read(&err),
        }
    }

    /// Runs the sprint file.
    pub fn run(&self) -> Said {
        self.tell(&["run", &self.file().to_string_lossy()])
    }

    /// Starts the sprint file's run; what it says goes to `log` in the corner.
    pub fn start(&self) -> Run {
        self.start_file(&self.file())
    }

    /// Starts a run of another file; what it says goes beside the file.
    pub fn start_file(&self, file: &Path) -> Run {
        let log = file.with_extension("log");
        let words = ["run", &file.to_string_lossy()];
        self.start_to(&words, Duration::ZERO, &log, &log.with_extension("err"))
    }

    /// Starts `director` with these words; what it says goes to `log` in the corner.
    pub fn start_words(&self, words: &[&str], log: &str) -> Run {
        let log = self.root().join(log);
        self.start_to(words, Duration::ZERO, &log, &log.with_extension("err"))
    }

    fn start_to(&self, words: &[&str], later: Duration, out: &Path, err: &Path) -> Run {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(self.repo());
        command.stdin(Stdio::null()).env("TERM", "dumb");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if !later.is_zero() {
            command.env("DIRECTOR_TEST_LATER", later.as_millis().to_string());
        }
        command.stdout(File::create(out).expect("a file"));
        command.stderr(File::create(err).expect("a file"));
        Run(command.spawn().expect("the program starts"))
    }

    /// The events of that name, oldest first.
    ///
    /// # Panics
    /// When what is printed is no event.
    pub fn events(&self, name: &str) -> Vec<Value> {
        let told = self.tell(&["events", "--json"]).out;
        let events = told
            .lines()
            .map(|line| serde_json::from_str(line).expect("an event"));
        events
            .filter(|event: &Value| event["event"] == name)
            .collect()
    }

    /// Waits until the running sprint's status satisfies `wanted`.
    ///
    /// # Panics
    /// When it does not come to that.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let mut last = String::new();
        let seen = process::until(PATIENCE, || {
            let said = self.tell(&["status", "--json"]);
            last = format!("{}{}", said.out, said.err);
            let status = serde_json::from_str(&said.out).unwrap_or(Value::Null);
            wanted(&status).then_some(())
        });
        assert!(seen.is_some(), "waited for {what}; last was {last}");
    }

    /// The final report.
    ///
    /// # Panics
    /// When there is none.
    pub fn report(&self) -> Value {
        let said = self.tell(&["report", "--format", "json"]);
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }

    /// How each task ended, such as `a completed, b failed`.
    pub fn ends(&self) -> String {
        let report = self.report();
        let tasks = report["tasks"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let mut ends: Vec<_> = tasks
            .iter()
            .map(|task| format!("{} {}", text(&task["id"]), text(&task["status"])))
            .collect();
        ends.sort();
        ends.join(", ")
    }

    /// Without what differs from run to run.
    pub fn plain(&self, text: &str) -> String {
        let text = text.replace(&*self.root().to_string_lossy(), "HERE");
        let words = text.split_inclusive(|c: char| !c.is_ascii_hexdigit());
        let plain = words.map(|word| {
            let hex = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
            match hex.len() {
                12 | 40 => format!("COMMIT{}", &word[hex.len()..]),
                _ => word.to_owned(),
            }
        });
        plain.collect()
    }

    /// Checks that no process, worktree or lock is left, and that the user's checkout is as it was committed.
    ///
    /// # Panics
    /// When something is left.
    pub fn nothing_left(&self, case: &str) {
        let left = process::left_after(&self.root(), Duration::from_secs(10));
        assert_eq!(left, [""; 0], "{case}: processes");
        let worktrees = self.git(&["worktree", "list", "--porcelain"]);
        let count = worktrees.matches("worktree ").count();
        assert_eq!(count, 1, "{case}: {worktrees}");
        assert!(!self.repo().join(".worktrees").exists(), "{case}");
        let mut locks = Vec::new();
        find_locks(&self.repo().join(".git"), &mut locks);
        // This one stays as a file; whether it is held is what counts.
        locks.retain(|path| match path.ends_with("director-worktrees.lock") {
            true => File::open(path).is_ok_and(|file| file.try_lock().is_err()),
            false => true,
        });
        assert_eq!(locks, Vec::<PathBuf>::new(), "{case}: locks");
        assert_eq!(self.git(&["status", "--short"]), "", "{case}: the checkout");
    }
}

impl Said {
    /// The lines of standard error from the first `error:` on, without the line's end.
    pub fn error(&self) -> &str {
        let at = self.err.find("error:").unwrap_or(0);
        self.err[at..].trim_end()
    }
}

fn find_locks(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            find_locks(&path, found);
        } else if path.extension().is_some_and(|end| end == "lock") {
            found.push(path);
        }
    }
}

/// How much the files below a directory hold, in bytes.
pub fn bytes_below(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        let found = entry.metadata().ok()?;
        Some(match found.is_dir() {
            true => bytes_below(&entry.path()),
            false => found.len(),
        })
    });
    sizes.sum()
}
