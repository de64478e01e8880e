//! The other end: takes one assignment from standard input, has it done here, and says what it came to.
//!
//! The directory that it is given holds one bare repository and a worktree for each task at work; a worktree is gone when its
//! work is over. When standard input ends, the director is gone or does not want the work any more, and the agent is called off.
//!
//! Elsewhere: who starts this is [`super::Remote`].

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use director_protocols::ids::Generation;
use director_protocols::work::{Assignment, AttemptEnd};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};
use tokio::time::{interval, timeout};

use super::wire::{self, Begin, FromWorker, ToWorker, VERSION};
use crate::agent::Inbound;
use crate::context::{Context, Host, Note};
use crate::factory::{Registry, SpawnContext};
use crate::git::{Oid, bundle};

/// How often the director hears that the worker is there.
const ALIVE_EVERY: Duration = Duration::from_secs(10);
/// What an agent that is called off gets to put things down.
const GRACE: Duration = Duration::from_secs(5);

/// Where messages go.
type Out = Arc<Mutex<dyn Write + Send>>;

/// Takes one assignment and carries it out; `dir` is where the worker keeps its files.
///
/// # Errors
/// In words: that nothing was asked that can be understood, or that the director is gone.
pub async fn serve(
    registry: &Registry,
    host: Host,
    dir: &Path,
    input: impl AsyncBufRead + Unpin,
    out: impl Write + Send + 'static,
) -> Result<(), String> {
    let out: Out = Arc::new(Mutex::new(out));
    let mut lines = input.lines();
    let mut pack = Vec::new();
    let begin = loop {
        let line = lines.next_line().await.map_err(|error| error.to_string())?;
        let line = line.ok_or("standard input ended before there was anything to do")?;
        match serde_json::from_str(&line) {
            Ok(ToWorker::Pack(piece)) if wire::add(&mut pack, &piece) => {}
            Ok(ToWorker::Pack(_)) => return Err("the commit to begin at is damaged".to_owned()),
            Ok(ToWorker::Begin(begin)) => break begin,
            Err(error) => {
                return Err(format!(
                    "`director worker` is spoken to by a director, which says what is to be done: {error}"
                ));
            }
        }
    };
    let gone = async {
        // Nothing more is said; what counts is the end.
        while let Ok(Some(_)) = lines.next_line().await {}
    };
    let turn = match begin.version == VERSION {
        true => work(registry, host, dir, *begin, pack, &out, gone).await,
        false => Err(format!(
            "the director speaks version {} to its workers, this one speaks {VERSION}; update one of them",
            begin.version
        )),
    };
    let end = turn.unwrap_or_else(failed);
    say(&out, &FromWorker::Ended { end });
    Ok(())
}

fn failed(reason: String) -> AttemptEnd {
    AttemptEnd::Failed {
        reason,
        exit_code: None,
    }
}

fn say(out: &Out, message: &FromWorker) {
    let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
    // A director that is gone hears nothing; that it is gone is seen at standard input.
    let _ = out
        .write_all(&wire::line(message))
        .and_then(|()| out.flush());
}

async fn work(
    registry: &Registry,
    host: Host,
    dir: &Path,
    begin: Begin,
    pack: Vec<u8>,
    out: &Out,
    gone: impl Future<Output = ()>,
) -> Result<AttemptEnd, String> {
    let Begin {
        agent: name,
        role,
        mut assignment,
        ..
    } = begin;
    let place = Place::of(dir, &assignment);
    let base = match pack.is_empty() {
        true => None,
        false => Some(place.open(pack)?),
    };
    if base.is_some() {
        assignment.workdir = place.worktree.display().to_string();
    }
    let made = registry.make(&SpawnContext {
        agent: &name,
        role: &role,
        spec: &role.agent,
        generation: Generation(1),
    });
    let mut agent = made.map_err(|error| error.to_string())?;
    let listener = {
        let out = Arc::clone(out);
        Arc::new(move |note| {
            say(
                &out,
                &match note {
                    Note::Progress { percent, text } => FromWorker::Progress { percent, text },
                    Note::Session { session } => FromWorker::Session { session },
                    Note::Told { to, text } => FromWorker::Told { to, text },
                    Note::Spent { cost_micros } => FromWorker::Spent { cost_micros },
                    Note::Liveness { .. } => FromWorker::Alive,
                },
            );
        })
    };
    let title = format!("{}: {}", assignment.spec.id, assignment.spec.title);
    let assigned = director_protocols::shared::Shared::from(assignment);
    let mut cx = Context::attempt(&name, host, listener, assigned.clone(), None);
    let called_off = cx.clone();
    let turn = {
        let turn = agent.dyn_turn(Inbound::Assigned(assigned), &mut cx);
        let mut turn = std::pin::pin!(turn);
        let mut gone = std::pin::pin!(gone);
        let mut alive = interval(ALIVE_EVERY);
        loop {
            tokio::select! {
                biased;
                turn = &mut turn => break turn,
                () = &mut gone => {
                    called_off.cancel();
                    let _ = timeout(GRACE, &mut turn).await;
                    place.close();
                    return Err("the director is gone".to_owned());
                }
                _ = alive.tick() => say(out, &FromWorker::Alive),
            }
        }
    };
    let end = match turn {
        Err(error) => failed(error.to_string()),
        Ok(turn) => turn.end().unwrap_or_else(|| {
            failed("an agent on another machine cannot ask or wait; it ends its work or says what blocks it".to_owned())
        }),
    };
    if let (Some(base), AttemptEnd::Done(_)) = (&base, &end) {
        for piece in wire::pieces(&place.packed(base, &title)?) {
            say(out, &FromWorker::Pack(piece));
        }
    }
    place.close();
    Ok(end)
}

/// Where a task's files are here.
struct Place {
    room: PathBuf,
    worktree: PathBuf,
    bundle: PathBuf,
    name: String,
}

impl Place {
    /// The same for each attempt at a task: sessions of coding agents belong to a directory.
    fn of(dir: &Path, assignment: &Assignment) -> Self {
        let name = format!("{}/{}", assignment.sprint, assignment.spec.id);
        Self {
            room: dir.join("repository.git"),
            worktree: dir.join("tasks").join(&name),
            bundle: dir.join(format!("{}.bundle", std::process::id())),
            name,
        }
    }

    fn open(&self, pack: Vec<u8>) -> Result<Oid, String> {
        let above = self.bundle.parent().unwrap_or(&self.bundle);
        let written = fs::create_dir_all(above).and_then(|()| fs::write(&self.bundle, pack));
        written.map_err(|error| format!("could not write `{}`: {error}", self.bundle.display()))?;
        let opened = bundle::unpack(&self.room, &self.bundle, &self.name, &self.worktree);
        let _ = fs::remove_file(&self.bundle);
        opened.map_err(|error| error.to_string())
    }

    /// What was made since, packed; nothing where nothing was.
    fn packed(&self, base: &Oid, message: &str) -> Result<Vec<u8>, String> {
        let words = |error: crate::git::GitError| error.to_string();
        if bundle::commit(&self.worktree, message).map_err(words)? == *base {
            return Ok(Vec::new());
        }
        bundle::pack(&self.worktree, Some(base), &self.bundle).map_err(words)?;
        let bytes = fs::read(&self.bundle);
        let _ = fs::remove_file(&self.bundle);
        bytes.map_err(|error| error.to_string())
    }

    fn close(&self) {
        if self.room.exists()
            && let Err(error) = bundle::clear(&self.room, &self.worktree)
        {
            tracing::warn!(%error, "a worktree is left");
        }
    }
}
