//! Runs one command from start to end: starts it in its own group, moves its output, and ends all of it.
//!
//! ```text
//! spawn ─▶ guard knows the group ─▶ wait for: exit | stop | timeout ─▶ (TERM, grace) ─▶ KILL the group
//!       ─▶ read what is left in the pipes ─▶ sweep what left the group ─▶ outcome
//! ```
//!
//! Spawning never uses `pre_exec`, never a bare name (see `lookup`): both make the standard library fork, which takes
//! tens of milliseconds from a large parent and blocks the thread.
//!
//! Invariant: when `run` has returned, nothing of the command runs, except what `Outcome::left` counts. When its future is
//! dropped instead, the group is killed there and then, and what left the group a moment later by a thread that searches for it.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use super::evidence::Probe;
use super::group::Group;
use super::guard::Guard;
use super::output::{Line, Lines, Log, Tail};
use super::sweep::Swept;
use super::veil::Veil;
use super::{ProcessError, Spec, lookup, search};
use crate::inside::remove_all;

/// A longer grace is cut to this.
const GRACE_MAX: Duration = Duration::from_secs(3600);
/// How long a killed leader may take to be gone before we stop waiting for it.
const KILL_WAIT: Duration = Duration::from_secs(5);
/// After the end of the group: pipes are empty and closed in no time, unless somebody who left the group holds them.
const DRAIN_BEFORE_SWEEP: Duration = Duration::from_millis(100);
/// After the sweep, the same once more; then the pipes are given up.
const DRAIN_AFTER_SWEEP: Duration = Duration::from_millis(500);
/// Between two looks at whether members of a terminated group are gone; there is no event for it.
const GROUP_POLL: Duration = Duration::from_millis(20);
/// One read from a pipe, in bytes: as much as a pipe holds.
const READ_BYTES: usize = 64 * 1024;

/// What is asked of a running command from outside. It is watched: the first that is not `Go` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// Go on.
    #[default]
    Go,
    /// The work is not wanted any more.
    Cancel,
    /// It has shown no sign of life for too long.
    Wedged,
}

/// A command that nobody will stop.
pub fn never_stop() -> watch::Receiver<Stop> {
    watch::channel(Stop::Go).1
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this exit code.
    Code(i32),
    /// Through this signal, which did not come from us.
    Signal(i32),
    /// Stopped by us: its time was over.
    TimedOut,
    /// Stopped by us on [`Stop::Cancel`].
    Cancelled,
    /// Stopped by us on [`Stop::Wedged`].
    Wedged,
}

impl Exit {
    /// Exit code 0, and nothing else.
    pub fn success(self) -> bool {
        self == Exit::Code(0)
    }

    fn from_status(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            // Neither is impossible for a process that was waited for; it is no success in any case.
            (None, None) => Exit::Code(-1),
        }
    }
}

/// A command that ran, and what came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// The end of standard output; bytes that are not UTF-8 are replaced.
    pub stdout_tail: String,
    /// The end of standard error; bytes that are not UTF-8 are replaced.
    pub stderr_tail: String,
    /// All bytes of both streams, kept or not.
    pub output_bytes: u64,
    /// At least one of the tails is not all of its stream.
    pub truncated: bool,
    /// Why the log file is incomplete, if a write to it failed.
    pub log_error: Option<String>,
    /// From before the start to after the last process was ended.
    pub duration: Duration,
    /// The process id it had.
    pub pid: u32,
    /// Processes that had left the group and were ended by their mark.
    pub escaped: u32,
    /// Processes that could not be ended: they are stuck in the system, or fork faster than they can be killed.
    pub left: u32,
}

/// What [`Hooks::on_line`] calls.
pub type OnLine<'a> = Box<dyn FnMut(Line<'_>) + Send + 'a>;

/// What to call and to fill while the command runs.
#[derive(Default)]
pub struct Hooks<'a> {
    /// Called for each line of standard output, in order. It must not block: reading waits for it.
    pub on_line: Option<OnLine<'a>>,
    /// Filled while the command runs, for whoever watches it.
    pub probe: Option<Arc<Probe>>,
    /// What else goes to standard input, behind [`Spec::stdin`], as it comes; closed once nobody can send any more.
    pub input: Option<mpsc::UnboundedReceiver<Vec<u8>>>,
}

/// Runs the command to its end. With a guard, its group is ended even if this process is killed.
///
/// Time limits count on tokio's clock, so under a paused clock they pass as soon as nothing else is to be done.
///
/// # Errors
///
/// [`ProcessError`] if it could not be started, or not be waited for. How it ends is never an error.
pub async fn run(
    spec: Spec,
    guard: Option<&Guard>,
    mut stop: watch::Receiver<Stop>,
    hooks: Hooks<'_>,
) -> Result<Outcome, ProcessError> {
    spec.check()?;
    let begun = std::time::Instant::now();
    // A limit past the end of all clocks is none.
    let deadline = spec
        .timeout
        .and_then(|limit| Instant::now().checked_add(limit));
    let Hooks {
        mut on_line,
        probe,
        input,
    } = hooks;
    let probe = probe.unwrap_or_default();
    let log = match &spec.log_path {
        None => Log::none(),
        Some(path) => {
            Log::create(path, spec.log_limit_bytes).map_err(|source| ProcessError::Log {
                path: path.clone(),
                source,
            })?
        }
    };
    let log = Mutex::new(log);

    let mut child = spawn(&spec)?;
    let pid = child.id().unwrap_or_default();
    let mut group = Group::lead_by(pid, &spec.mark, guard);
    probe.started(pid);

    let mut stdout = Tail::new(spec.output_limit_bytes);
    let mut stderr = Tail::new(spec.output_limit_bytes);
    let mut lines = Lines::new(spec.line_limit_bytes);
    let mut escaped = 0;
    let mut left = 0;
    let ended = {
        let (out_pipe, err_pipe) = (child.stdout.take(), child.stderr.take());
        let in_pipe = child.stdin.take();
        let mut to_stdout = |chunk: &[u8]| {
            stdout.push(chunk);
            if let Some(on_line) = &mut on_line {
                lines.push(chunk, on_line);
            }
        };
        let mut to_stderr = |chunk: &[u8]| stderr.push(chunk);
        let veil = || Veil::over(&spec.hidden);
        let streams = async {
            tokio::join!(
                drain(out_pipe, veil(), &log, &probe, &mut to_stdout),
                drain(err_pipe, veil(), &log, &probe, &mut to_stderr),
                feed(in_pipe, spec.stdin.as_deref().unwrap_or_default(), input),
            );
        };
        let mut streams = std::pin::pin!(streams);
        let mut closed = false;

        let ended = {
            let ended = until_end(&mut child, &group, &mut stop, deadline, spec.grace);
            let mut ended = std::pin::pin!(ended);
            loop {
                tokio::select! {
                    biased;
                    ended = &mut ended => break ended,
                    () = &mut streams, if !closed => closed = true,
                }
            }
        };
        probe.ended();
        match &ended {
            Ok(Ended { gone: false, .. }) => group.give_up(),
            Ok(_) | Err(_) => group.ended(),
        }
        if !closed {
            closed = timeout(DRAIN_BEFORE_SWEEP, &mut streams).await.is_ok();
        }
        if spec.sweep || !closed {
            let quick = closed && search::nothing_left(&spec.mark);
            let mark = spec.mark.clone();
            // A panic or a runtime that shuts down leaves it to the sweep at the next start.
            let swept = match quick {
                true => Ok(Swept::default()),
                false => tokio::task::spawn_blocking(move || search::end(&mark)).await,
            };
            let swept = swept.unwrap_or_default();
            // Members of the group may still be on their way out.
            let escapees = swept.ended.iter().filter(|process| process.group != pid);
            escaped = u32::try_from(escapees.count()).unwrap_or(u32::MAX);
            left = u32::try_from(swept.left.len()).unwrap_or(u32::MAX);
        }
        if !closed {
            let _ = timeout(DRAIN_AFTER_SWEEP, &mut streams).await;
        }
        group.swept();
        ended
    };
    if let Some(on_line) = &mut on_line {
        lines.finish(on_line);
    }
    if let Some(sandbox) = &spec.sandbox
        && let Err(error) = remove_all(&sandbox.temporary)
    {
        // Whoever could not be ended may still write there.
        tracing::debug!(%error, "temporary directory not removed");
    }

    let ended = ended.map_err(|source| ProcessError::Wait {
        program: spec.program.clone(),
        pid,
        source,
    })?;
    if !ended.gone {
        left = left.max(1);
    }
    let log = log.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Outcome {
        exit: ended.exit,
        stdout_tail: stdout.text(),
        stderr_tail: stderr.text(),
        output_bytes: stdout.total().saturating_add(stderr.total()),
        truncated: stdout.truncated() || stderr.truncated(),
        log_error: log.into_error(),
        duration: begun.elapsed(),
        pid,
        escaped,
        left,
    })
}

fn spawn(spec: &Spec) -> Result<Child, ProcessError> {
    let failed = |source: io::Error| ProcessError::Spawn {
        program: spec.program.clone(),
        cwd: spec.cwd.clone(),
        source,
    };
    let cwd = std::path::absolute(&spec.cwd).map_err(failed)?;
    let env = spec.environment();
    let search = env
        .get(Path::new("PATH").as_os_str())
        .map(|path| path.as_os_str());
    let program = lookup::resolve(&spec.program, &cwd, search)?;
    let stdin = if spec.stdin.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let mut command = Command::new(program);
    command
        .args(&spec.args)
        .current_dir(&cwd)
        .env_clear()
        .envs(&env)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let Some(sandbox) = &spec.sandbox else {
        return command.spawn().map_err(failed);
    };
    // What watches the child belongs to this runtime.
    let runtime = tokio::runtime::Handle::current();
    let start = || {
        let _runtime = runtime.enter();
        command.spawn()
    };
    fs::create_dir_all(&sandbox.temporary)
        .and_then(|()| sandbox.within(start))
        .map_err(failed)
}

struct Ended {
    exit: Exit,
    /// The leader was waited for. Otherwise it is stuck in the system and the guard keeps the group in mind.
    gone: bool,
}

/// Waits for the end, or brings it about. When this returns, the group has been killed.
async fn until_end(
    child: &mut Child,
    group: &Group<'_>,
    stop: &mut watch::Receiver<Stop>,
    deadline: Option<Instant>,
    grace: Duration,
) -> io::Result<Ended> {
    let exit = tokio::select! {
        biased;
        status = child.wait() => {
            // At once: the number may be another's soon.
            group.kill();
            return Ok(Ended { exit: Exit::from_status(status?), gone: true });
        }
        exit = ordered(stop) => exit,
        () = past(deadline) => Exit::TimedOut,
    };
    let gone = end(child, group, grace).await?;
    Ok(Ended { exit, gone })
}

/// Asks the group to end, gives it the grace, then kills it. True if the leader is gone.
async fn end(child: &mut Child, group: &Group<'_>, grace: Duration) -> io::Result<bool> {
    let killed_at = Instant::now() + grace.min(GRACE_MAX);
    group.terminate();
    if let Ok(status) = timeout_at(killed_at, child.wait()).await {
        if status.is_err() {
            group.kill();
        }
        status?;
        // A shell dies at once and what it had started may still be tidying up.
        while group.alive() {
            if Instant::now() >= killed_at {
                group.kill();
                break;
            }
            sleep(GROUP_POLL).await;
        }
        return Ok(true);
    }
    group.kill();
    match timeout(KILL_WAIT, child.wait()).await {
        Ok(status) => status.map(|_| true),
        Err(_) => Ok(false),
    }
}

async fn ordered(stop: &mut watch::Receiver<Stop>) -> Exit {
    let order = stop
        .wait_for(|order| *order != Stop::Go)
        .await
        .map(|order| *order);
    match order {
        Ok(Stop::Cancel) => Exit::Cancelled,
        Ok(Stop::Wedged) => Exit::Wedged,
        // Whoever could stop it has gone: it runs on, within its time.
        Ok(Stop::Go) | Err(_) => std::future::pending().await,
    }
}

async fn past(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Reads a pipe to its end. `sink` gets all of it, behind its veil.
async fn drain(
    pipe: Option<impl AsyncRead + Unpin>,
    mut veil: Veil,
    log: &Mutex<Log>,
    probe: &Probe,
    sink: &mut (dyn FnMut(&[u8]) + Send),
) {
    let Some(mut pipe) = pipe else { return };
    let mut keep = |chunk: &[u8]| {
        log.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(chunk);
        sink(chunk);
    };
    let mut buffer = vec![0; READ_BYTES];
    loop {
        // A read error on a pipe leaves nothing to read: the end.
        let read = pipe.read(&mut buffer).await.unwrap_or(0);
        let chunk = buffer.get(..read).unwrap_or_default();
        if chunk.is_empty() {
            return veil.end(&mut keep);
        }
        probe.printed(read);
        veil.pass(chunk, &mut keep);
    }
}

/// Writes standard input and closes it. A command that does not read all of it has its reasons.
async fn feed(
    pipe: Option<ChildStdin>,
    bytes: &[u8],
    more: Option<mpsc::UnboundedReceiver<Vec<u8>>>,
) {
    let Some(mut pipe) = pipe else { return };
    let mut written = pipe.write_all(bytes).await;
    if let Some(mut more) = more {
        while let (Ok(()), Some(bytes)) = (&written, more.recv().await) {
            written = pipe.write_all(&bytes).await;
        }
    }
    let _ = pipe.shutdown().await;
}
