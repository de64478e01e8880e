//! How an agent at work reaches the director: a token of its assignment, and where to show it.
//!
//! A token is for one attempt at one task: it names both, and proves them by an HMAC under a secret of the data directory. So it
//! needs no table and survives a restart of the director, and nobody who has one can make another. Whether the attempt
//! is still under way is asked of the state each time.
//!
//! Invariant: the token goes into the environment of the agent's own processes and into files that its owner alone can read;
//! what they print and say of it is veiled.
//! Elsewhere: what may be done with one is `director::control::assigned`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use director_protocols::digest;
use director_protocols::ids::{Attempt, TaskId};
use director_protocols::work::Assignment;
use director_runtime::secret::{Secret, same};

/// The variable with the token.
pub const TOKEN_ENV: &str = "DIRECTOR_TOKEN";
/// The variable with the address of the director, where it serves HTTP.
pub const URL_ENV: &str = "DIRECTOR_URL";
/// The variable with the data directory.
pub const DATA_DIR_ENV: &str = "DIRECTOR_DATA_DIR";
/// The variable with the program that `mcp` is a command of.
pub const PROGRAM_ENV: &str = "DIRECTOR_PROGRAM";

/// The secret's file in the data directory.
pub const FILE: &str = "assignments.secret";

/// What every token begins with.
const PREFIX: &str = "assignment.";

/// An attempt at a task, with the names that make it this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder<'a> {
    /// The sprint's name.
    pub sprint: &'a str,
    /// The task's name.
    pub name: &'a str,
    /// The task.
    pub task: TaskId,
    /// The attempt.
    pub attempt: Attempt,
}

/// What a token says of itself; nothing of it is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The task.
    pub task: TaskId,
    /// The attempt.
    pub attempt: Attempt,
}

impl Claim {
    /// Whether a text means to be a token of an assignment.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// What a token claims.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split('.');
        let task = TaskId(parts.next()?.parse().ok()?);
        let attempt = Attempt(parts.next()?.parse().ok()?);
        let proof = parts.next()?;
        (proof.len() == 64 && parts.next().is_none()).then_some(Self { task, attempt })
    }
}

/// What agents are given to reach the director of one data directory.
#[derive(Clone, Debug)]
pub struct Reach {
    secret: Secret,
    data_dir: PathBuf,
    url: Option<String>,
    program: Option<PathBuf>,
}

impl Reach {
    /// For a data directory; `url` is where it serves HTTP, `program` what `mcp` is a command of.
    ///
    /// # Errors
    /// That the secret's file cannot be used.
    pub fn open(
        data_dir: &Path,
        url: Option<String>,
        program: Option<PathBuf>,
    ) -> io::Result<Self> {
        Ok(Self {
            secret: Secret::of(&data_dir.join(FILE))?,
            data_dir: std::path::absolute(data_dir)?,
            url,
            program,
        })
    }

    /// The token of an attempt.
    pub fn token(&self, holder: Holder<'_>) -> String {
        let Holder {
            sprint,
            name,
            task,
            attempt,
        } = holder;
        // Names have no line ends, so no two holders have the same text.
        let content = format!("director assignment 1\n{sprint}\n{name}\n{task}\n{attempt}");
        let proof = digest::hmac(self.secret.text().as_bytes(), content.as_bytes());
        format!("{PREFIX}{task}.{attempt}.{proof}")
    }

    /// Whether that is the token of the attempt.
    pub fn is(&self, token: &str, holder: Holder<'_>) -> bool {
        same(token.as_bytes(), self.token(holder).as_bytes())
    }

    /// The token that goes with an assignment.
    pub fn token_of(&self, assignment: &Assignment) -> String {
        self.token(Holder {
            sprint: &assignment.sprint,
            name: assignment.spec.id.as_str(),
            task: assignment.task,
            attempt: assignment.attempt,
        })
    }

    /// The data directory that all of it is about.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The port at which the director serves HTTP.
    pub fn port(&self) -> Option<u16> {
        self.url
            .as_deref()?
            .trim_end_matches('/')
            .rsplit_once(':')?
            .1
            .parse()
            .ok()
    }

    /// What `mcp` is a command of.
    pub fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    /// Where the director is, for an agent's environment; the token is not in it.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut env = BTreeMap::from([(DATA_DIR_ENV.to_owned(), path(&self.data_dir))]);
        if let Some(url) = &self.url {
            env.insert(URL_ENV.to_owned(), url.clone());
        }
        if let Some(program) = &self.program {
            env.insert(PROGRAM_ENV.to_owned(), path(program));
        }
        env
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_attempt_of_one_data_directory_and_outlives_the_process() {
        let dir = tempfile::tempdir().expect("a directory");
        let reach = Reach::open(dir.path(), None, None).expect("made");
        let holder = Holder {
            sprint: "s",
            name: "build",
            task: TaskId(7),
            attempt: Attempt(2),
        };
        let token = reach.token(holder);
        let claim = Claim {
            task: TaskId(7),
            attempt: Attempt(2),
        };
        assert_eq!(Claim::read(&token), Some(claim));
        assert!(reach.is(&token, holder));
        let again = Reach::open(dir.path(), None, None).expect("found");
        assert!(again.is(&token, holder), "after a restart");
        for (case, other) in [
            (
                "attempt",
                Holder {
                    attempt: Attempt(3),
                    ..holder
                },
            ),
            (
                "task",
                Holder {
                    task: TaskId(8),
                    ..holder
                },
            ),
            (
                "name",
                Holder {
                    name: "ship",
                    ..holder
                },
            ),
            (
                "sprint",
                Holder {
                    sprint: "t",
                    ..holder
                },
            ),
        ] {
            assert!(!reach.is(&token, other), "another {case}");
        }
        let elsewhere = tempfile::tempdir().expect("a directory");
        let foreign = Reach::open(elsewhere.path(), None, None).expect("made");
        assert!(!foreign.is(&token, holder), "another data directory");
        assert!(!format!("{reach:?}").contains(reach.secret.text()));
    }

    #[test]
    fn what_is_no_token_claims_nothing() {
        let proof = "0".repeat(64);
        for text in [
            "",
            "assignment.",
            "assignment.1.2",
            "assignment.1.2.3",
            &format!("assignment.1.2.{proof}.4"),
            &format!("assignment.-1.2.{proof}"),
            &format!("assignment.99999999999.2.{proof}"),
            &format!("token.1.2.{proof}"),
        ] {
            assert_eq!(Claim::read(text), None, "{text}");
        }
    }
}
