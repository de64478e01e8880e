//! A playground: a real repository with a sprint of real commands on it, and the real program to run it with.
//!
//! The commands keep a diary outside the repository, so that what a killed attempt had done can be compared with what
//! was saved of it. Everything lies below one temporary directory, which is kept when the test fails.
//!
//! Elsewhere: what has to hold at the end is [`oracle`]; killing by dice is [`reaper`].

pub mod oracle;
pub mod reaper;

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process;

/// The sprint's id.
pub const SPRINT: &str = "play";

/// Long enough for any sprint here on a busy machine; nothing waits for its end.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// A repository with a sprint, a diary and the program.
pub struct Playground {
    program: PathBuf,
    root: Option<TempDir>,
    tasks: usize,
    base: String,
}

impl Playground {
    /// A new one with a sprint of `tasks` tasks, to be run with `program`.
    ///
    /// # Panics
    /// When git or the file system refuse.
    pub fn new(program: &str, tasks: usize) -> Self {
        let root = tempfile::Builder::new().prefix("playground-").tempdir();
        let mut play = Self {
            program: program.into(),
            root: Some(root.expect("a temporary directory")),
            tasks,
            base: String::new(),
        };
        let repo = play.repo();
        let files = [
            ("README", "A playground.\n".to_owned()),
            ("agents/work.sh", include_str!("work.sh").to_owned()),
            ("agents/gate.sh", include_str!("gate.sh").to_owned()),
            ("../sprint.toml", sprint(tasks, &play.diary())),
        ];
        fs::create_dir_all(repo.join("agents")).expect("a directory");
        for (name, text) in files {
            let path = repo.join(name);
            fs::write(path, text).expect("a file");
        }
        play.git(&["init", "--quiet", "--initial-branch=main"]);
        play.git(&["add", "--all"]);
        play.git(&["commit", "--quiet", "--no-verify", "--message=A playground"]);
        play.base = play.git(&["rev-parse", "main"]);
        play
    }

    /// Everything lies below it. Without symbolic links, as the kernel names it.
    ///
    /// # Panics
    /// When it is gone.
    pub fn root(&self) -> PathBuf {
        let root = self.root.as_ref().expect("kept until the end").path();
        root.canonicalize().expect("it is there")
    }

    /// The repository.
    pub fn repo(&self) -> PathBuf {
        self.root().join("repo")
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.repo().join(".director")
    }

    /// What the commands wrote about themselves.
    pub fn diary(&self) -> PathBuf {
        self.root().join("diary")
    }

    /// How many tasks the sprint has.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// The commit that the sprint starts from.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The program with these words, in the repository.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .current_dir(self.repo())
            .env_remove("DIRECTOR_TEST_DIE_AFTER")
            .env("TERM", "dumb")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program with these words to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn ask(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the program starts")
    }

    /// Starts `director run`; what it says is added to a log.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self) -> Run {
        self.run_with(&[])
    }

    /// As [`Self::run`], with more in its environment.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run_with(&self, env: &[(&str, &str)]) -> Run {
        let log = || -> File {
            let mut log = OpenOptions::new();
            log.create(true).append(true);
            log.open(self.root().join("log")).expect("a log")
        };
        let mut command = self.command(&["run", "-v", "../sprint.toml"]);
        let child = command
            .envs(env.iter().copied())
            .stdout(log())
            .stderr(log())
            .spawn()
            .expect("the program starts");
        Run(child)
    }

    /// What all runs said so far.
    pub fn log(&self) -> String {
        let log = fs::read(self.root().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The last lines of it.
    pub fn log_end(&self, lines: usize) -> String {
        let log = self.log();
        let lines = log.lines().rev().take(lines);
        let mut lines: Vec<&str> = lines.collect();
        lines.reverse();
        lines.join("\n")
    }

    /// The events of the journal, from `director journal export --json`.
    ///
    /// # Errors
    /// What the program said instead.
    pub fn events(&self) -> Result<Vec<Value>, String> {
        let output = self.ask(&["journal", "export", "--json"]);
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let line = |line| serde_json::from_str(line).map_err(|error| format!("{error}: {line}"));
        text.lines().map(line).collect()
    }

    /// What git answers in the repository, without the line's end.
    ///
    /// # Panics
    /// When git says no.
    pub fn git(&self, words: &[&str]) -> String {
        git(&self.repo(), words).unwrap_or_else(|said| panic!("git {words:?}: {said}"))
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(root) = self.root.take()
        {
            eprintln!("kept for a look: {}", root.keep().display());
        }
    }
}

/// Asks git, untouched by the settings of whoever runs the tests.
///
/// # Errors
/// What git said.
///
/// # Panics
/// When git cannot be started.
pub fn git(dir: &Path, words: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=test", "-c", "user.email=test@localhost"])
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .expect("git starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

/// A `director run` that runs; killed when it is dropped.
pub struct Run(pub Child);

impl Run {
    /// Waits for its end; the exit code, or `None` when a signal ended it.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn code_within(&mut self, time: Duration) -> Option<i32> {
        let ended = process::ended_within(&mut self.0, time);
        let ended = ended.unwrap_or_else(|| panic!("`director run` still runs after {time:?}"));
        ended.code()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Four chains of tasks that depend on each other, half of them on shared features, with every kind of manners.
fn sprint(tasks: usize, diary: &Path) -> String {
    const HOW: [&str; 5] = [
        "plainly",
        "commits",
        "children",
        "commits-children",
        "plainly",
    ];
    let mut text = format!(
        r#"[sprint]
id = "{SPRINT}"
repo = "repo"
base = "main"
[team]
only = true
[team.engineer]
count = 2
kinds = ["*"]
[team.hermit]
count = 2
isolation = "clone"
[limits]
retry_min = "50ms"
[gates]
tests = {{ run = "sh agents/gate.sh", timeout = "1m" }}
docs = false
review = false
coverage = false
acceptance = false
"#
    );
    for n in 1..=tasks {
        let id = task(n);
        let stumbles = if n % 10 == 6 { "-stumbles" } else { "" };
        let how = format!("{}{stumbles}", HOW[n % HOW.len()]);
        let feature = match n % 2 {
            0 => format!("shared-{}", n / 2 % 4),
            _ => id.clone(),
        };
        let mut after = Vec::new();
        after.extend((n > 4).then(|| task(n - 4)));
        after.extend((n > 6 && n.is_multiple_of(3)).then(|| task(n - 6)));
        // Some features are worked on in a worktree and in a clone by turns.
        let role = if n % 3 == 0 { "hermit" } else { "engineer" };
        let pause = format!("0.{:02}", 2 + n * 7 % 5 * 3);
        text.push_str(&format!(
            r#"[[task]]
id = "{id}"
feature = "{feature}"
role = "{role}"
depends_on = {after:?}
run = ["sh", "agents/work.sh", "{how}", "{feature}", "{pause}", {diary:?}]
"#
        ));
    }
    text
}

/// The id of the `n`th task.
pub fn task(n: usize) -> String {
    format!("t{n:02}")
}
