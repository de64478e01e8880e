//! Sweep: finds and ends processes by the mark in their environment, wherever they went.
//!
//! A command's children inherit `DIRECTOR_MARK`; one that left the process group (`setsid`, a daemon) still carries it. A
//! sweep is used after an attempt, by its exact mark, and at the start of a director for every mark of its data directory.
//!
//! Invariant: a process is killed only through a handle (pidfd) under which its start time and mark were read once more,
//! so an id that was given to another process meanwhile is never hit. This process itself is never ended.
//!
//! Limits: Linux only (elsewhere nothing is found). A process started with a cleared environment carries no mark. A sweep
//! looks again until nothing is found, up to [`ROUNDS_MAX`] times, so that forking does not outrun it.
//! All functions block for as long as it takes to read `/proc`: some milliseconds with hundreds of processes.

use std::thread;
use std::time::Duration;

use super::table;

/// How often a sweep looks for more before it gives up.
pub const ROUNDS_MAX: u32 = 100;
/// Between two rounds: what was killed needs a moment to be gone.
const ROUND_PAUSE: Duration = Duration::from_millis(5);

/// Which marks are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marks {
    /// This one.
    Exactly(String),
    /// All that begin so. End it with a separator: `run/1` also begins `run/10`.
    StartingWith(String),
}

impl Marks {
    /// Whether `mark` is meant. An empty text means none: it would mean the processes of every director.
    pub fn contain(&self, mark: &str) -> bool {
        match self {
            Marks::Exactly(wanted) => !wanted.is_empty() && mark == wanted,
            Marks::StartingWith(prefix) => !prefix.is_empty() && mark.starts_with(prefix.as_str()),
        }
    }
}

/// A process that carries a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its process id.
    pub pid: u32,
    /// When it was started, in clock ticks since the machine was; with the id it names the process for good.
    pub start_ticks: u64,
    /// Its process group.
    pub group: u32,
    /// The mark it carries.
    pub mark: String,
}

/// The mark of a process; `None` where it has none or it cannot be read.
pub fn mark_of(pid: u32) -> Option<String> {
    table::mark(pid)
}

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Processes that were ended, each once.
    pub ended: Vec<Found>,
    /// Those that were still there at the end (more forks than rounds, another user's, stuck in the system).
    pub left: Vec<Found>,
}

/// Running processes with such a mark, by ascending id; without this one.
pub fn find(marks: &Marks) -> Vec<Found> {
    let own = std::process::id();
    // The mark first: of most processes nothing else is read.
    let found = |pid: u32| {
        let mark = table::mark(pid).filter(|mark| marks.contain(mark))?;
        seen(pid, mark)
    };
    let mut found: Vec<Found> = table::ids()
        .into_iter()
        .filter(|&pid| pid != own)
        .filter_map(found)
        .collect();
    found.sort_by_key(|process| process.pid);
    found
}

/// A process that was seen to carry a mark, if it still runs.
pub(crate) fn seen(pid: u32, mark: String) -> Option<Found> {
    let entry = table::one(pid).filter(|entry| !entry.zombie)?;
    Some(Found {
        pid,
        start_ticks: entry.start_ticks,
        group: entry.group,
        mark,
    })
}

/// Kills every process with such a mark, and looks again until there are no more.
pub fn end(marks: &Marks) -> Swept {
    let mut swept = Swept::default();
    for round in 0..ROUNDS_MAX {
        if round > 0 {
            thread::sleep(ROUND_PAUSE);
        }
        swept.left = find(marks);
        if swept.left.is_empty() {
            break;
        }
        for process in &swept.left {
            // What was hit in an earlier round may still be on its way out.
            if !swept.ended.contains(process) && kill(process) {
                swept.ended.push(process.clone());
            }
        }
    }
    swept
}

/// Kills the process if it is still the one that was found.
#[cfg(target_os = "linux")]
fn kill(process: &Found) -> bool {
    use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    let Some(pid) = super::group::to_pid(process.pid) else {
        return false;
    };
    // From here on the handle means one process; what is read by number is that process if it is still there when
    // the signal is sent, because a signal through the handle fails once it is gone.
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
        return false;
    };
    let same = table::one(process.pid).is_some_and(|now| now.start_ticks == process.start_ticks)
        && table::mark(process.pid).as_deref() == Some(process.mark.as_str());
    same && pidfd_send_signal(&handle, Signal::KILL).is_ok()
}

/// Nothing is ever found without `/proc`, so there is nothing to kill.
#[cfg(not(target_os = "linux"))]
fn kill(_process: &Found) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_exact_or_a_beginning_and_never_everything() {
        let exactly = |text: &str| Marks::Exactly(text.into());
        let starting = |text: &str| Marks::StartingWith(text.into());
        for (case, marks, mark, expected) in [
            ("same", exactly("d/1/api/1"), "d/1/api/1", true),
            (
                "attempt 10 is not attempt 1",
                exactly("d/1/api/1"),
                "d/1/api/10",
                false,
            ),
            ("beginning", starting("d/"), "d/1/api/1", true),
            ("another's", starting("d/"), "e/1/api/1", false),
            (
                "an empty beginning means none",
                starting(""),
                "d/1/api/1",
                false,
            ),
            ("an empty mark means none", exactly(""), "", false),
        ] {
            assert_eq!(marks.contain(mark), expected, "case: {case}");
        }
    }
}
