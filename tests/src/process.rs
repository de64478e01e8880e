//! Processes as a test sees them: started, waited for with a deadline, killed, and looked for when they should be gone.
//!
//! Whoever is left over is found by what the kernel says of it (directory, arguments, environment), not by asking
//! the product. Where processes offer no event, this module polls, always with a deadline.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until `found` gives something, at most for `time`.
pub fn until<T>(time: Duration, mut found: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + time;
    loop {
        if let Some(found) = found() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Waits for the child's end, at most for `time`; `None` when it still runs then.
///
/// # Panics
/// When the system cannot be asked.
pub fn ended_within(child: &mut Child, time: Duration) -> Option<ExitStatus> {
    until(time, || {
        child.try_wait().expect("a child can be waited for")
    })
}

/// Sends a signal to a child that has not been waited for.
///
/// # Panics
/// When the system refuses; a child that has ended already is fine.
pub fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), signal).expect("a child can be signalled");
}

/// The child processes of a child, each as its id and arguments.
pub fn below(child: &Child) -> Vec<(i32, String)> {
    let parent = child.id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in brackets may hold anything; the parent is the second field after it.
        let fields = stat.rsplit(") ").next().unwrap_or_default();
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(pid) = pid
            && fields.split(' ').nth(1) == Some(&parent)
        {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push((pid, String::from_utf8_lossy(&words).replace('\0', " ")));
        }
    }
    found
}

/// The processes that have to do with a directory: it is in their arguments or environment, or they are in it.
/// Without this process itself; each as its id and arguments, for people.
pub fn about(dir: &Path) -> Vec<String> {
    let own = std::process::id();
    let wanted = dir.as_os_str().as_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let words = read("cmdline");
        let inside = || {
            let cwd = fs::read_link(entry.path().join("cwd"));
            cwd.is_ok_and(|cwd| cwd.starts_with(dir))
        };
        let named = |text: &[u8]| text.windows(wanted.len()).any(|part| part == wanted);
        if pid != own && (named(&words) || named(&read("environ")) || inside()) {
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            found.push(format!("{pid} {}", words.trim()));
        }
    }
    found.sort();
    found
}

/// The processes that are still [`about`] a directory when `time` is over; empty as soon as there are none.
pub fn left_after(dir: &Path, time: Duration) -> Vec<String> {
    let mut left = Vec::new();
    let none = until(time, || {
        left = about(dir);
        left.is_empty().then_some(())
    });
    match none {
        Some(()) => Vec::new(),
        None => left,
    }
}
