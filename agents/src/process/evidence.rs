//! Evidence that a command does something: bytes printed, time on the processor, bytes read and written, processes.
//!
//! A [`Probe`] is handed to `run` and asked from outside while the command runs. A sample costs one reading of `/proc`
//! (it blocks for about a millisecond with hundreds of processes), so it belongs on a timer of seconds.
//!
//! What a child used is added to its parent when the parent has waited for it, so the numbers survive short-lived children such as
//! compilers; they sink when an orphan's number goes to the system instead. So compare for *change*, not for growth.
//!
//! Elsewhere: what follows from the evidence is `liveness`.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::param::clock_ticks_per_second;

use super::table;

/// What a command has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Bytes printed to standard output and standard error.
    pub output_bytes: u64,
    /// Time on the processor, user and system, of all its processes, in milliseconds (granularity usually 10).
    pub cpu_ms: u64,
    /// Bytes read and written by all its processes through files and pipes, as far as the system tells.
    pub io_bytes: u64,
    /// How many processes it is, the dead not counted. 0: not started, or over.
    pub processes: u32,
}

/// A view into a running command from outside; share it in an `Arc`. Each is for one run.
#[derive(Debug, Default)]
pub struct Probe {
    pid: AtomicU32,
    output_bytes: AtomicU64,
}

impl Probe {
    /// The process id, which is also the group's; `None` before the start and after the end.
    pub fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Acquire)).filter(|&pid| pid != 0)
    }

    /// Bytes printed so far; free to ask.
    pub fn output_bytes(&self) -> u64 {
        self.output_bytes.load(Ordering::Relaxed)
    }

    /// Reads everything there is to know now. Blocks while it reads `/proc`.
    pub fn sample(&self) -> Sample {
        let usage = self.pid().map(of_group).unwrap_or_default();
        Sample {
            output_bytes: self.output_bytes(),
            ..usage
        }
    }

    pub(crate) fn started(&self, pid: u32) {
        self.pid.store(pid, Ordering::Release);
    }

    pub(crate) fn ended(&self) {
        self.pid.store(0, Ordering::Release);
    }

    pub(crate) fn printed(&self, bytes: usize) {
        self.output_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// What the group led by `group` uses, with the descendants of its members; `output_bytes` is 0.
pub fn of_group(group: u32) -> Sample {
    let table = table::all();
    let members = table::tree(&table, group);
    let mut sample = Sample::default();
    let mut ticks: u64 = 0;
    for entry in table.iter().filter(|entry| members.contains(&entry.pid)) {
        ticks = ticks.saturating_add(entry.cpu_ticks);
        sample.processes += u32::from(!entry.zombie);
        let io_bytes = table::io_bytes(entry.pid).unwrap_or(0);
        sample.io_bytes = sample.io_bytes.saturating_add(io_bytes);
    }
    sample.cpu_ms = ticks.saturating_mul(1000) / clock_ticks_per_second().max(1);
    sample
}
