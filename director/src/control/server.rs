//! The server: takes connections on the socket and answers each line.
//!
//! A connection is a task of its own that answers one request after the other; a stream of events ends with its
//! connection. Whatever a client sends is answered or closes that connection, never more.
//!
//! Invariant: at most [`CONNECTIONS_MAX`] connections, each with at most one line of [`LINE_BYTES_MAX`] in memory.
//! Elsewhere: answers are [`super::answer`]'s; the caller holds the lock on the data directory, so a socket file
//! that is there already is a dead director's and is replaced.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use director_protocols::ids::Seq;
use director_protocols::time::Time;
use director_runtime::bus::Heard;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use super::answer;
use super::assigned;
use super::audit::{self, Said};
use super::orders;
use super::place;
use super::protocol::{
    Answer, Ask, Body, CONNECTIONS_MAX, EventLine, Fault, FaultKind, LINE_BYTES_MAX, Op, Order,
    PAGE_MAX, Reply, Request, Screen,
};
use super::who::Doorman;
use crate::engine::Engine;
use crate::handle::{Entry, Handle, Refusal};

/// A control socket that is being served; stopped when dropped.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Serves the data directory that the caller has locked. Needs a tokio runtime.
    ///
    /// # Errors
    /// That the socket could not be made.
    pub fn start(data_dir: &Path, handle: Handle) -> io::Result<Self> {
        let path = place::choose(data_dir)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Nobody but the owner gets into the directory, so the moment before the mode is set is harmless.
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let (stop, stopped) = watch::channel(false);
        let doorman = Arc::new(Doorman::of(data_dir)?);
        let accepting = tokio::spawn(accept(listener, handle, doorman, stopped));
        Ok(Self {
            path,
            stop,
            accepting,
        })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the socket; requests under way lose their connection.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true); // Nobody listens any more: it has stopped already.
        let _ = (&mut self.accepting).await; // A panic in there has been reported by the runtime.
    }
}

/// Serves the data directory until it is dropped; for a supervisor.
///
/// # Errors
/// That the socket could not be made, or that it broke down.
pub async fn run(data_dir: PathBuf, handle: Handle) -> Result<(), String> {
    let mut server = Server::start(&data_dir, handle).map_err(|error| {
        let dir = data_dir.display();
        format!("the control socket of `{dir}` could not be made: {error}")
    })?;
    match (&mut server.accepting).await {
        Ok(()) => Ok(()),
        Err(error) => Err(format!("the control socket broke down: {error}")),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.accepting.abort();
        let _ = fs::remove_file(&self.path); // The next director replaces what is left.
    }
}

async fn accept(
    listener: UnixListener,
    handle: Handle,
    doorman: Arc<Doorman>,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Usually too many open files: what is open has to close first.
                warn!(%error, "control connection not accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let (handle, mut stopped) = (handle.clone(), stopped.clone());
                let doorman = Arc::clone(&doorman);
                let from = Arc::from(other_end(&stream));
                tokio::spawn(async move {
                    tokio::select! {
                        biased;
                        _ = stopped.changed() => {}
                        ended = audit::on_behalf(from, converse(stream, handle, &doorman)) => {
                            if let Err(error) = ended {
                                debug!(%error, "control connection ended");
                            }
                        }
                    }
                    drop(place);
                });
            }
            Err(_) => {
                tokio::spawn(turn_away(stream));
            }
        }
    }
}

/// Who is at the other end, as far as the system knows.
fn other_end(stream: &UnixStream) -> String {
    stream.peer_cred().map_or_else(
        |_| "socket".to_owned(),
        |who| match who.pid() {
            Some(process) => format!("socket, process {process} of user {}", who.uid()),
            None => format!("socket, user {}", who.uid()),
        },
    )
}

async fn turn_away(stream: UnixStream) {
    let message = format!("{CONNECTIONS_MAX} others are connected already; try again later");
    let fault = Fault::new(FaultKind::Busy, message);
    let (_, mut write) = stream.into_split();
    // Who does not even listen needs no answer.
    let _ = say(&mut write, Value::Null, Body::Error(fault)).await;
}

/// Answers lines until the client hangs up.
async fn converse(stream: UnixStream, handle: Handle, doorman: &Doorman) -> io::Result<()> {
    let is_agent = doorman.is_agent(&stream);
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        (&mut read).take(limit).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && line.len() > LINE_BYTES_MAX {
            let message = format!("a request may have up to {LINE_BYTES_MAX} bytes");
            let fault = Fault::new(FaultKind::BadRequest, message);
            // Where the next request begins is not known any more.
            return say(&mut write, Value::Null, Body::Error(fault)).await;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match Request::read(&line) {
            Err((id, fault)) => say(&mut write, id, Body::Error(fault)).await?,
            Ok(Request {
                id,
                op: Op::Events { after, sprint },
                ..
            }) => {
                return stream_events(&mut read, &mut write, &handle, id, after, sprint).await;
            }
            Ok(Request {
                id,
                op,
                screen,
                key,
            }) => {
                let admitted = match op.is_order() {
                    true => doorman.admits(is_agent, key.as_deref()),
                    false => Ok(()),
                };
                let answered = match (admitted, op) {
                    (Ok(()), op) => serve(&handle, op, screen).await,
                    (Err(fault), Op::Order(order)) => turned_down(&handle, &order, fault),
                    (Err(fault), _) => Err(fault),
                };
                let body = match answered {
                    Ok(answer) => Body::Answer(answer),
                    Err(fault) => Body::Error(fault),
                };
                say(&mut write, id, body).await?;
            }
        }
    }
}

async fn say(write: &mut OwnedWriteHalf, id: Value, body: Body) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Reply { id, body })?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// The wall clock, where no director holds the data directory; one that does has a clock of its own ([`Handle::now`]).
pub fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Time(since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }))
}

/// Carries out one request that has one answer; also for callers in the director's own process.
///
/// # Errors
/// [`Fault`] in words for the user.
pub async fn serve(handle: &Handle, op: Op, screen: Screen) -> Result<Answer, Fault> {
    match op {
        Op::Ask(ask) => ask_handle(handle, ask, screen).await,
        Op::Order(order) => carry_out(handle, order, None).await,
        Op::Tree => {
            let tree = handle.tree().await.map_err(refused)?;
            let look = move |engine: &Engine| answer::tree(&tree, engine, screen);
            handle.read(look).await.map_err(refused)
        }
        Op::Assigned(said) => assigned::carry_out(handle, *said).await,
        Op::Shutdown => {
            handle.stop();
            Ok(Answer {
                text: "the director stops\n".into(),
                ..Answer::default()
            })
        }
        Op::Events { .. } => {
            let message = "events come as a stream; ask for a page instead";
            Err(Fault::new(FaultKind::BadRequest, message))
        }
    }
}

async fn ask_handle(handle: &Handle, ask: Ask, screen: Screen) -> Result<Answer, Fault> {
    let entries = match answer::history_for(&ask) {
        None => Vec::new(),
        Some((after, max)) => history(handle, after, max).await?,
    };
    let now = handle.now();
    let look = move |engine: &Engine| {
        let mut answer = answer::answer(engine, &entries, &ask, screen, now)?;
        answer.seq = engine.seq().0;
        Ok(answer)
    };
    handle.read(look).await.map_err(refused)?
}

/// Entries after a position, at most `max`; the journal gives them in pages.
///
/// # Errors
/// The director is gone.
pub(crate) async fn history(handle: &Handle, after: u64, max: usize) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    while entries.len() < max {
        let from = entries.last().map_or(after, |entry| entry.seq.0) + 1;
        let wanted = (max - entries.len()).min(PAGE_MAX);
        let page = handle.history(Seq(from), wanted).await.map_err(refused)?;
        if page.is_empty() {
            break;
        }
        entries.extend(page);
    }
    Ok(entries)
}

/// Carries out an order; when `expected` is given, only if what it names still has that version.
///
/// # Errors
/// [`Fault`] in words for the user; [`FaultKind::Changed`] when the version is another one.
pub async fn carry_out(
    handle: &Handle,
    order: Order,
    expected: Option<String>,
) -> Result<Answer, Fault> {
    let audit = handle.audit().map(|audit| (audit, Said::of(&order)));
    let outcome = weighed(handle, order, expected).await;
    if let Some((audit, said)) = audit {
        audit.note(said, &outcome);
    }
    outcome
}

/// Notes an order that was not even looked at.
fn turned_down(handle: &Handle, order: &Order, fault: Fault) -> Result<Answer, Fault> {
    let outcome = Err(fault);
    if let Some(audit) = handle.audit() {
        audit.note(Said::of(order), &outcome);
    }
    outcome
}

async fn weighed(handle: &Handle, order: Order, expected: Option<String>) -> Result<Answer, Fault> {
    let look = move |engine: &Engine| {
        if let Some(expected) = &expected
            && let Some(now) = orders::version(engine.state(), &order)?
            && now != *expected
        {
            let message =
                format!("it has changed since: it is at `{now}`, not at `{expected}`; look again");
            return Err(Fault::new(FaultKind::Changed, message));
        }
        orders::command(engine.state(), &order)
    };
    // What a name means is found out in the turn in which it is decided.
    let (seq, said) = handle.weigh(look).await.map_err(refused)??;
    Ok(Answer {
        text: format!("{said}\n"),
        json: serde_json::json!({ "seq": seq.0 }),
        seq: seq.0,
    })
}

pub(crate) fn refused(refusal: Refusal) -> Fault {
    let kind = match refusal {
        Refusal::Rejected(_) => FaultKind::Rejected,
        Refusal::Stopped => FaultKind::Stopped,
    };
    Fault::new(kind, refusal.to_string())
}

/// Sends what happened after a position, and then what happens, until the client hangs up or the director stops.
async fn stream_events(
    read: &mut (impl AsyncReadExt + Unpin),
    write: &mut OwnedWriteHalf,
    handle: &Handle,
    id: Value,
    after: u64,
    sprint: Option<String>,
) -> io::Result<()> {
    // Listening starts before the past is read, so that nothing falls between.
    let mut bus = handle.subscribe();
    let mut last = after;
    let mut byte = [0u8; 64];
    loop {
        loop {
            let ask = Ask::Page {
                after: last,
                sprint: sprint.clone(),
            };
            let (seq, lines) = match page(handle, ask).await {
                Ok(page) => page,
                Err(fault) => return say(write, id, Body::Error(fault)).await,
            };
            for line in lines {
                say(write, id.clone(), Body::Event(line)).await?;
            }
            if seq <= last {
                break;
            }
            last = seq;
        }
        // The bus only wakes: what it says is read from the journal, so a gap costs nothing.
        loop {
            let heard = tokio::select! {
                biased;
                hung_up = read.read(&mut byte) => match hung_up {
                    Ok(0) | Err(_) => return Ok(()),
                    Ok(_) => continue,
                },
                heard = bus.recv() => heard,
            };
            match heard {
                None => return say(write, id, Body::Answer(Answer::default())).await,
                Some(Heard::Event(entry)) if entry.seq.0 <= last => {}
                Some(_) => break,
            }
        }
    }
}

/// One page of events, and the position it reaches.
async fn page(handle: &Handle, ask: Ask) -> Result<(u64, Vec<EventLine>), Fault> {
    let answer = ask_handle(handle, ask, Screen::default()).await?;
    answer::read_page(answer).map_err(|error| Fault::new(FaultKind::Stopped, error.to_string()))
}
