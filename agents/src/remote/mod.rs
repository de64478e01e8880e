//! An agent on another machine: `ssh builder director worker`, or whatever else brings two standard streams there.
//!
//! ```text
//! director                                    worker
//!    commit to begin at, assignment  ───────▶  worktree of its own, the agent that works there
//!    progress, session               ◀───────
//!    its commit, what it came to     ◀───────
//! ```
//!
//! Each attempt is one run of the program. Code travels as git bundles over the same streams, so the worker needs no access to the
//! repository, and the director none to the machine but that one command. What comes back is taken into the worktree only if it is
//! built on what was sent; gates and merges are the director's as always. A connection that ends ends the work there.
//!
//! Elsewhere: the messages are [`wire`], the other end [`worker`].

pub mod wire;
pub mod worker;

use std::fs;
use std::path::Path;

use director_protocols::sprint::{AgentSpec, RoleSpec};
use director_protocols::work::Assignment;

use self::wire::{Begin, FromWorker, ToWorker, VERSION};
use crate::agent::{Agent, AgentError, Inbound, Turn};
use crate::coding::attempt::{self, Beside, Dialect, Ended, Heard};
use crate::command::{Files, end_of, mark, not_run, redacted, secrets, without_secrets};
use crate::context::Context;
use crate::git::bundle;
use crate::process::{Exit, Spec};

/// The kind of agent.
pub const REMOTE: &str = "remote";
/// The option that says what works there.
const KIND: &str = "kind";

/// An agent that works through a program on another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    program: String,
    args: Vec<String>,
    env: Vec<String>,
    role: RoleSpec,
}

impl Remote {
    /// What `spec.program` brings two streams to. The option `kind` says what works there, `command` without; all others are that agent's own.
    ///
    /// # Errors
    /// A fatal [`AgentError`] without a program, and for a kind that is remote itself.
    pub fn new(role: &RoleSpec, spec: &AgentSpec) -> Result<Self, AgentError> {
        let words = spec.program.clone().unwrap_or_default();
        let Some((program, args)) = words.split_first() else {
            return Err(AgentError::fatal(
                "`program` has to name what reaches the worker, such as [\"ssh\", \"builder\", \"director\", \"worker\"]",
            ));
        };
        let mut options = spec.options.clone();
        let kind = options.remove(KIND).unwrap_or_else(|| "command".to_owned());
        if kind == REMOTE {
            return Err(AgentError::fatal(
                "the option `kind` says what works on the other machine, so it cannot be `remote`",
            ));
        }
        let words = options.remove("program");
        let mut role = role.clone();
        role.agent = AgentSpec {
            kind,
            model: spec.model.clone(),
            program: words.map(|words| words.split_whitespace().map(str::to_owned).collect()),
            // Names of variables there; what they hold here is not sent.
            env: spec.env.clone(),
            options,
            account: None,
        };
        Ok(Self {
            program: program.clone(),
            args: args.to_vec(),
            env: spec.env.clone(),
            role,
        })
    }

    async fn attempt(&self, assignment: &Assignment, cx: &Context) -> Result<Turn, AgentError> {
        let files = Files::prepare(cx, assignment)?;
        let dir = cx.host().attempt_dir(assignment.task, assignment.attempt);
        let (there, back) = (dir.join("there.bundle"), dir.join("back.bundle"));
        let has_repo = !assignment.workdir.is_empty();
        let mut words = Vec::new();
        if has_repo {
            let pack = packed(&files.workdir, &there).await?;
            for piece in wire::pieces(&pack) {
                words.extend(wire::line(&ToWorker::Pack(piece)));
            }
        }
        words.extend(wire::line(&ToWorker::Begin(Box::new(Begin {
            version: VERSION,
            agent: cx.agent().to_owned(),
            role: self.role.clone(),
            assignment: Assignment {
                workdir: String::new(),
                ..assignment.clone()
            },
        }))));
        let passed = secrets(cx, assignment, &self.env);
        let spec = Spec::new(&self.program, self.args.clone(), &files.workdir, mark(cx));
        let mut spec = attempt::dressed(spec, cx, assignment, &files, &passed);
        spec.stdin = Some(words);
        let beside = Beside::of(assignment, &files, &passed);
        let mut far = Far::default();
        let turn = match attempt::listen(cx, spec, &mut far, beside, true).await {
            Err(error) => not_run(&error),
            Ok(outcome) if outcome.exit == Exit::Wedged => Turn::TimedOut {
                reason: format!(
                    "nothing was heard of the worker for {}",
                    assignment.wedged_after
                ),
            },
            Ok(outcome) => match far.verdict(Ended::of(outcome.exit)) {
                Turn::Failed { reason, exit_code } if far.ended.is_none() => Turn::Failed {
                    reason: format!("{reason}: {}", end_of(outcome.stderr_tail.trim(), 2_048)),
                    exit_code,
                },
                turn if has_repo && !far.pack.is_empty() => {
                    taken(turn, &files.workdir, &back, std::mem::take(&mut far.pack)).await?
                }
                turn => turn,
            },
        };
        Ok(without_secrets(turn, |text| redacted(text, &passed)))
    }
}

/// The commit to begin at, packed.
async fn packed(workdir: &Path, file: &Path) -> Result<Vec<u8>, AgentError> {
    let (workdir, file) = (workdir.to_owned(), file.to_owned());
    let pack = move || {
        bundle::pack(&workdir, None, &file)?;
        let bytes = fs::read(&file);
        // It is as large as the repository, and can be made again.
        let _ = fs::remove_file(&file);
        bytes.map_err(AgentError::from)
    };
    let bytes = blocking(pack).await?;
    match bytes.len() > wire::PACK_BYTES_MAX {
        true => Err(AgentError::fatal(format!(
            "the repository is too large to be sent: {} MiB packed, at most {}",
            bytes.len() >> 20,
            wire::PACK_BYTES_MAX >> 20
        ))),
        false => Ok(bytes),
    }
}

/// Brings the worktree to what came back.
async fn taken(turn: Turn, workdir: &Path, file: &Path, pack: Vec<u8>) -> Result<Turn, AgentError> {
    let (workdir, file) = (workdir.to_owned(), file.to_owned());
    let take = move || {
        fs::write(&file, pack)?;
        let taken = bundle::take(&workdir, &file);
        let _ = fs::remove_file(&file);
        Ok(taken?)
    };
    Ok(match blocking(take).await? {
        true => turn,
        false => Turn::Failed {
            reason: "what the worker sent back is not built on what it was given".to_owned(),
            exit_code: None,
        },
    })
}

/// Git and files block, so they have a thread of their own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AgentError> + Send + 'static,
) -> Result<T, AgentError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(AgentError::transient(error.to_string())),
    }
}

impl Agent for Remote {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        match message {
            Inbound::Assigned(assignment) => self.attempt(&assignment, cx).await,
            Inbound::Guidance { .. }
            | Inbound::Asked { .. }
            | Inbound::Answered { .. }
            | Inbound::Told { .. } => Ok(Turn::NotYet),
        }
    }
}

/// What is heard of a worker.
#[derive(Debug, Default)]
struct Far {
    session: Option<String>,
    spent: Option<u64>,
    pack: Vec<u8>,
    ended: Option<Turn>,
}

impl Far {
    fn over(&mut self, turn: Turn) -> Vec<Heard> {
        self.ended = Some(turn);
        vec![Heard::Over]
    }
}

impl Dialect for Far {
    fn line(&mut self, bytes: &[u8]) -> Vec<Heard> {
        // Shells greet people; what is no message is passed over.
        let Ok(message) = serde_json::from_slice(bytes) else {
            return Vec::new();
        };
        if self.ended.is_some() {
            return Vec::new();
        }
        match message {
            FromWorker::Alive => Vec::new(),
            FromWorker::Progress { percent, text } => vec![Heard::Progress(percent.min(100), text)],
            FromWorker::Session { session } => {
                self.session = Some(session.clone());
                vec![Heard::Session(session)]
            }
            FromWorker::Spent { cost_micros } => {
                self.spent = Some(cost_micros);
                Vec::new()
            }
            FromWorker::Told { to, text } => vec![Heard::Told(to, text)],
            FromWorker::Pack(piece) => match wire::add(&mut self.pack, &piece) {
                true => Vec::new(),
                false => self.over(Turn::Failed {
                    reason: format!(
                        "what the worker sent back is damaged, or over {} MiB",
                        wire::PACK_BYTES_MAX >> 20
                    ),
                    exit_code: None,
                }),
            },
            FromWorker::Ended { end } => {
                let word = end.as_str();
                let turn = Turn::of(end).unwrap_or_else(|| Turn::Failed {
                    reason: format!("the worker says that its work was {word}"),
                    exit_code: None,
                });
                self.over(turn)
            }
        }
    }

    fn tools_in_flight(&self) -> usize {
        0
    }

    fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    fn cost_micros(&self) -> Option<u64> {
        self.spent
    }

    fn verdict(&self, ended: Ended) -> Turn {
        let how = match ended {
            Ended::Code(code) => format!("with exit code {code}"),
            Ended::Otherwise => "in the middle".to_owned(),
        };
        self.ended.clone().unwrap_or_else(|| Turn::Failed {
            reason: format!("the worker ended {how} before it had said what its work came to"),
            exit_code: None,
        })
    }
}
