//! The demo: a small real repository with a sprint of eleven tasks on it.
//!
//! The product is a shell program, so nothing but git and a POSIX shell is needed. The agents are scripts; what
//! they write is real, the tests that the gates run are real, and one of them makes a mistake that a gate finds.
//!
//! Elsewhere: running it is `cli::demo`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The sprint file's name in the demo repository.
pub const SPRINT_FILE: &str = "sprint.toml";

/// Every file of the repository.
pub const FILES: &[(&str, &str)] = &[
    ("README.md", include_str!("files/README.md")),
    (SPRINT_FILE, include_str!("files/sprint.toml")),
    ("bin/tally", include_str!("files/tally")),
    ("lib/help.sh", include_str!("files/help.sh")),
    ("tests/run.sh", include_str!("files/run.sh")),
    ("tests/docs.sh", include_str!("files/docs.sh")),
    ("tests/help.test.sh", include_str!("files/help.test.sh")),
    ("agents/tools.sh", include_str!("files/tools.sh")),
    ("agents/design.sh", include_str!("files/design.sh")),
    ("agents/lines.sh", include_str!("files/lines.sh")),
    ("agents/words.sh", include_str!("files/words.sh")),
    ("agents/longest.sh", include_str!("files/longest.sh")),
    ("agents/top.sh", include_str!("files/top.sh")),
    ("agents/greet.sh", include_str!("files/greet.sh")),
    ("agents/languages.sh", include_str!("files/languages.sh")),
    ("agents/edges.sh", include_str!("files/edges.sh")),
    ("agents/pipeline.sh", include_str!("files/pipeline.sh")),
    ("agents/usage.sh", include_str!("files/usage.sh")),
    ("agents/release.sh", include_str!("files/release.sh")),
];

/// Why there is no demo repository.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Something is there already.
    #[error("`{dir}` is not empty; name another directory: `director demo DIR`")]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// A file cannot be written.
    #[error("could not write `{path}`: {source}; check that you may write there")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Git cannot be started.
    #[error("could not start `git` ({source}); install git 2.38 or newer")]
    NoGit {
        /// What the system said.
        source: io::Error,
    },
    /// Git said no.
    #[error("`git {command}` failed in `{dir}`: {said}")]
    Git {
        /// The command.
        command: &'static str,
        /// The directory.
        dir: PathBuf,
        /// Its standard error.
        said: String,
    },
}

/// Makes the repository in a directory that is empty or not there yet: one commit on `main`.
///
/// # Errors
/// [`DemoError`]; a directory with anything in it is left as it is.
pub fn make(dir: &Path) -> Result<(), DemoError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DemoError::Io { path, source }
    };
    fs::create_dir_all(dir).map_err(failed(dir))?;
    if fs::read_dir(dir).map_err(failed(dir))?.next().is_some() {
        return Err(DemoError::NotEmpty {
            dir: dir.to_owned(),
        });
    }
    for (name, content) in FILES {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed(parent))?;
        }
        fs::write(&path, content).map_err(failed(&path))?;
    }
    git(dir, "init", &["--quiet", "--initial-branch=main"])?;
    git(dir, "add", &["--all"])?;
    git(
        dir,
        "commit",
        &[
            "--quiet",
            "--no-verify",
            "--message=A program that lists its commands",
        ],
    )
}

/// Runs git in the new repository, untouched by what surrounds it or by the user's settings.
fn git(dir: &Path, command: &'static str, words: &[&str]) -> Result<(), DemoError> {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") {
            git.env_remove(name);
        }
    }
    let identity = [
        "-c",
        "user.name=director demo",
        "-c",
        "user.email=demo@localhost",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.autocrlf=false",
    ];
    let output = git
        .current_dir(dir)
        .env("GIT_CEILING_DIRECTORIES", dir)
        .args(identity)
        .arg(command)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| DemoError::NoGit { source })?;
    match output.status.success() {
        true => Ok(()),
        false => Err(DemoError::Git {
            command,
            dir: dir.to_owned(),
            said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use director_protocols::manifest::{Options, read};
    use director_protocols::sprint::RunSpec;

    use super::*;

    fn sh(dir: &Path, line: &str, attempt: u32) -> bool {
        let report = dir.join(".git/report.json");
        let mut sh = Command::new("sh");
        sh.current_dir(dir).arg("-c").arg(line);
        sh.env("DIRECTOR_TASK", "task")
            .env("DIRECTOR_REPORT", report);
        sh.env("DIRECTOR_ATTEMPT", attempt.to_string());
        sh.stdout(Stdio::null())
            .status()
            .expect("a shell")
            .success()
    }

    #[test]
    fn the_sprint_is_valid_and_its_work_passes_its_own_gates_in_plan_order() {
        let root = tempfile::tempdir().expect("a directory");
        let dir = root.path().join("demo");
        make(&dir).expect("made");
        let manifest = read(&dir.join(SPRINT_FILE), &Options::default());
        let spec = manifest.unwrap_or_else(|errors| panic!("{errors}")).spec;
        assert_eq!(spec.tasks.len(), 11);

        let gates = "sh tests/run.sh && sh tests/docs.sh";
        assert!(sh(&dir, gates, 1), "main is green");
        let plan = crate::planner::plan(&spec).expect("a plan");
        for task in plan.order {
            let task = &spec.tasks[task as usize];
            let Some(RunSpec::Shell(line)) = &task.run else {
                panic!("{} has no shell line", task.id);
            };
            // Without the pause that only makes the demo worth looking at.
            let line = format!("sleep() {{ :; }}; set -e; . ./{}", line.replace("sh ", ""));
            if task.id.as_str() == "longest" {
                assert!(
                    sh(&dir, &line, 1) && !sh(&dir, gates, 1),
                    "the gate finds the mistake"
                );
            }
            assert!(sh(&dir, &line, 2), "{} does its work", task.id);
            assert!(sh(&dir, gates, 2), "gates pass after {}", task.id);
        }
    }

    #[test]
    fn a_directory_with_something_in_it_is_left_as_it_is() {
        let root = tempfile::tempdir().expect("a directory");
        fs::write(root.path().join("mine"), "mine").expect("written");
        assert!(matches!(make(root.path()), Err(DemoError::NotEmpty { .. })));
        assert_eq!(fs::read_dir(root.path()).expect("read").count(), 1);
    }
}
