//! The guard: a process beside the director that ends the director's commands when the director is gone.
//!
//! ```text
//! director ── pipe ──▶ guard          + PGID START   a group runs
//!    ✗ (SIGKILL, crash) ─▶ EOF        - PGID         it has ended
//!                                     mark PREFIX    what commands of this director are marked with
//! ```
//!
//! The pipe closes when the director ends, whichever way. Then the guard kills the groups it knows, sweeps the marks, and
//! exits. It sits in a process group of its own, so Ctrl-C and a closed terminal do not reach it, and it swallows the
//! polite signals. A group becomes known only after its command was spawned; for the moment between, the mark does.
//!
//! Invariant: a group is killed only if its leader still has the start time that was noted, or a member carries the mark.
//! So the mark prefix must belong to *one run* of a director (data directory and epoch): a guard that still sweeps must not meet the
//! commands of the director that was started next.
//!
//! Elsewhere: what a guard could not do, because it was killed as well, the sweep at the next start does.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use tokio::signal::unix::{SignalKind, signal};

use super::spec::{MARK_ENV, check_mark};
use super::sweep::{self, Marks};
use super::{group, table};

/// The hidden command under which an executable calls [`main`].
pub const COMMAND: &str = "__guard";

/// What a guard says once it is ready.
const READY: &str = "ready\n";

/// A command that was being spawned as the director died carries its mark only from its `exec` on; after this time the
/// guard looks once more.
const SETTLE: Duration = Duration::from_millis(100);

/// The director's end of a guard. Dropping it closes the pipe, upon which the guard ends all that it knows, and exits.
#[derive(Debug)]
pub struct Guard {
    exe: PathBuf,
    prefix: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    child: Child,
    /// Leader and its start time, to tell a second guard if the first one is gone.
    groups: BTreeMap<u32, u64>,
}

impl Guard {
    /// Starts a guard for the processes whose mark begins with `mark_prefix`, by running `<exe> __guard`, and waits
    /// until it is ready (some milliseconds). End the prefix with a separator: `run/1` also begins `run/10`.
    ///
    /// # Errors
    ///
    /// If the executable cannot be started or is no guard, or the prefix could not be a mark.
    pub fn start(exe: &Path, mark_prefix: &str) -> io::Result<Self> {
        check_mark(mark_prefix).map_err(io::Error::other)?;
        let exe = std::path::absolute(exe)?;
        let mut child = launch(&exe)?;
        await_ready(&mut child, &exe)?;
        let guard = Self {
            exe,
            prefix: mark_prefix.to_owned(),
            state: Mutex::new(State {
                child,
                groups: BTreeMap::new(),
            }),
        };
        guard.tell(|_| format!("mark {mark_prefix}\n"))?;
        Ok(guard)
    }

    /// From now on the group led by `leader` is ended with the director. Call it right after the spawn.
    ///
    /// # Errors
    ///
    /// If the guard is gone and another one could not be started.
    pub fn add(&self, leader: u32) -> io::Result<()> {
        let start_ticks = table::one(leader).map_or(0, |entry| entry.start_ticks);
        self.tell(|groups| {
            groups.insert(leader, start_ticks);
            format!("+ {leader} {start_ticks}\n")
        })
    }

    /// The group has ended; its number may soon be another's.
    ///
    /// # Errors
    ///
    /// If the guard is gone and another one could not be started.
    pub fn remove(&self, leader: u32) -> io::Result<()> {
        self.tell(|groups| {
            groups.remove(&leader);
            format!("- {leader}\n")
        })
    }

    /// The guard's process id.
    pub fn pid(&self) -> u32 {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .child
            .id()
    }

    /// Closes the pipe and waits until the guard has ended what is left. Blocks, usually for a fraction of a second.
    ///
    /// # Errors
    ///
    /// If the guard cannot be waited for.
    pub fn close(self) -> io::Result<()> {
        let mut state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        state.child.stdin = None;
        state.child.wait().map(drop)
    }

    /// Writes one line; if nobody reads it any more, starts another guard and tells it everything.
    fn tell(&self, line: impl FnOnce(&mut BTreeMap<u32, u64>) -> String) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = line(&mut state.groups);
        if write(&mut state.child, &line).is_ok() {
            return Ok(());
        }
        // It was killed, or it has been stopped for so long that the pipe is full.
        let _ = state.child.kill();
        let _ = state.child.wait();
        state.child = launch(&self.exe)?;
        write(&mut state.child, &format!("mark {}\n", self.prefix))?;
        let groups = state.groups.clone();
        for (leader, start_ticks) in groups {
            write(&mut state.child, &format!("+ {leader} {start_ticks}\n"))?;
        }
        Ok(())
    }
}

/// Without the mark of an outer director: that one's sweep must not end the guard before it has done its work.
fn launch(exe: &Path) -> io::Result<Child> {
    let child = Command::new(exe)
        .arg(COMMAND)
        .env_remove(MARK_ENV)
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(pipe) = &child.stdin {
        // A guard that does not read must not hold up the director.
        fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
    }
    Ok(child)
}

/// Waits until the guard swallows signals. An executable that is no guard is found out here.
fn await_ready(child: &mut Child, exe: &Path) -> io::Result<()> {
    let mut ready = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout.take(READY.len() as u64)).read_line(&mut ready)?;
    }
    if ready == READY {
        return Ok(());
    }
    let _ = child.kill();
    let _ = child.wait();
    let text = format!("`{} {COMMAND}` did not start as a guard", exe.display());
    Err(io::Error::other(text))
}

/// One call, shorter than what a pipe takes at once: the line arrives whole or not at all.
fn write(child: &mut Child, line: &str) -> io::Result<()> {
    let pipe = child.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
    pipe.write_all(line.as_bytes())
}

/// What `<exe> __guard` does: reads lines until the pipe closes, then ends everything it was told about.
///
/// # Errors
///
/// If the signal handlers cannot be installed or standard input cannot be read; what is known is ended all the same.
pub fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let context = runtime.enter();
    // A handler that nobody listens to swallows the signal; it stays until the process ends.
    let swallowed = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
        SignalKind::user_defined1(),
        SignalKind::user_defined2(),
    ]
    .map(signal);
    drop(context);
    // Nobody listens when it was started in place of a lost one.
    let _ = io::stdout().write_all(READY.as_bytes());
    let read = watch_over(io::stdin().lock());
    drop(swallowed);
    read
}

fn watch_over(mut input: impl BufRead) -> io::Result<()> {
    let mut known = Known::default();
    let mut line = Vec::new();
    let read = loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(0) => break Ok(()),
            Ok(_) => known.note(&String::from_utf8_lossy(&line)),
            Err(error) => break Err(error),
        }
    };
    known.end_all();
    read
}

/// What the guard was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    groups: BTreeMap<u32, u64>,
    prefix: String,
}

impl Known {
    /// A line that cannot be read is left out: whatever it was about still carries the mark.
    fn note(&mut self, line: &str) {
        let line = line.strip_suffix('\n').unwrap_or(line);
        match line.split_once(' ') {
            Some(("+", group)) => {
                if let Some((leader, start)) = group.split_once(' ')
                    && let (Ok(leader), Ok(start)) = (leader.parse(), start.parse())
                {
                    self.groups.insert(leader, start);
                }
            }
            Some(("-", leader)) => {
                if let Ok(leader) = leader.parse::<u32>() {
                    self.groups.remove(&leader);
                }
            }
            Some(("mark", prefix)) => self.prefix = prefix.to_owned(),
            _ => {}
        }
    }

    fn end_all(&self) {
        let marks = Marks::StartingWith(self.prefix.clone());
        for leader in self.still_ours(&table::all(), |pid| {
            table::mark(pid).is_some_and(|mark| marks.contain(&mark))
        }) {
            group::kill(leader);
        }
        sweep::end(&marks);
        thread::sleep(SETTLE);
        sweep::end(&marks);
    }

    /// Groups whose number has not passed to somebody else.
    fn still_ours(&self, table: &[table::Entry], marked: impl Fn(u32) -> bool) -> Vec<u32> {
        if table.is_empty() {
            // No table on this system: the director takes a group off the list as soon as it has ended.
            return self.groups.keys().copied().collect();
        }
        let same_leader = |entry: &table::Entry, start_ticks: u64| {
            entry.pid == entry.group && entry.start_ticks == start_ticks
        };
        let ours = |(leader, start): (&u32, &u64)| {
            let mut members = table.iter().filter(|entry| entry.group == *leader);
            members
                .any(|entry| same_leader(entry, *start) || marked(entry.pid))
                .then_some(*leader)
        };
        self.groups.iter().filter_map(ours).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_add_and_remove_and_nonsense_is_left_out() {
        let mut known = Known::default();
        for line in [
            "mark d 1/7/\n",
            "+ 10 100\n",
            "+ 11 110\n",
            "- 10\n",
            "\n",
            "+ x 1\n",
            "+ 12\n",
            "- \n",
            "+ 13 130",
        ] {
            known.note(line);
        }
        let groups = BTreeMap::from([(11, 110), (13, 130)]);
        assert_eq!(
            known,
            Known {
                groups,
                prefix: "d 1/7/".into()
            }
        );
    }

    #[test]
    fn a_group_whose_number_passed_to_another_is_left_alone() {
        let entry = |pid, group, start_ticks| table::Entry {
            pid,
            parent: 1,
            group,
            zombie: false,
            cpu_ticks: 0,
            start_ticks,
        };
        let known = Known {
            groups: BTreeMap::from([(10, 100)]),
            prefix: "d/".into(),
        };
        for (case, table, marked, expected) in [
            ("leader lives", vec![entry(10, 10, 100)], false, vec![10]),
            (
                "leader gone, member marked",
                vec![entry(12, 10, 130)],
                true,
                vec![10],
            ),
            (
                "leader gone, stranger in it",
                vec![entry(12, 10, 130)],
                false,
                vec![],
            ),
            ("number used again", vec![entry(10, 10, 999)], false, vec![]),
            ("nobody left", vec![entry(7, 7, 100)], false, vec![]),
            ("no table", vec![], false, vec![10]),
        ] {
            assert_eq!(
                known.still_ours(&table, |_| marked),
                expected,
                "case: {case}"
            );
        }
    }
}
