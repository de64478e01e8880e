//! The system's table of processes, read from `/proc`: who belongs to whom, since when, and with which mark.
//!
//! A process is named by its id *and* its start time; ids are used again, the pair is not. Whatever cannot be
//! read (gone, another user's) is left out; without a `/proc` the table is empty.
//!
//! Elsewhere: what is done about it is in `sweep`, `guard`, `group` and `evidence`.

use std::collections::BTreeSet;
use std::fs;
use std::io::BufRead;
use std::os::unix::fs::DirEntryExt;

use super::spec::MARK_ENV;

/// One process as `/proc/PID/stat` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub pid: u32,
    pub parent: u32,
    pub group: u32,
    /// Dead and not yet waited for.
    pub zombie: bool,
    /// Its own time on the processor and that of the children it has waited for, in clock ticks.
    pub cpu_ticks: u64,
    /// Clock ticks between the start of the machine and of the process.
    pub start_ticks: u64,
}

/// All processes that can be seen, in the order of `/proc`.
pub(crate) fn all() -> Vec<Entry> {
    ids().into_iter().filter_map(one).collect()
}

/// The ids of all processes that can be seen, in the order of `/proc`.
pub(crate) fn ids() -> Vec<u32> {
    let Ok(dir) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    dir.flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// The ids of all processes that can be seen, each with the number of its entry in `/proc`, which no later process of
/// the same id has.
pub(crate) fn entries() -> Vec<(u32, u64)> {
    let Ok(dir) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    dir.flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.ino())))
        .collect()
}

/// One process, if it is there.
pub(crate) fn one(pid: u32) -> Option<Entry> {
    parse_stat(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// What the environment of a process says about its mark.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It has this one.
    Is(String),
    /// It has an environment without a mark.
    None,
    /// It is empty, as in the middle of an `exec`; on some kernels of a kernel thread and of a dead process too.
    Empty,
    /// It cannot be read: the process is gone, another user's, or a kernel thread.
    Closed,
}

/// The same as [`mark`], with what is not known told apart.
pub(crate) fn environ_mark(pid: u32) -> Mark {
    match fs::read(format!("/proc/{pid}/environ")) {
        Ok(environ) if environ.is_empty() => Mark::Empty,
        Ok(environ) => mark_in(&environ).map_or(Mark::None, Mark::Is),
        Err(_) => Mark::Closed,
    }
}

/// The mark in the environment that the process was started with, if it has one that can be read.
pub(crate) fn mark(pid: u32) -> Option<String> {
    mark_in(&fs::read(format!("/proc/{pid}/environ")).ok()?)
}

fn mark_in(environ: &[u8]) -> Option<String> {
    let mut rest = environ;
    while !rest.is_empty() {
        let value = rest
            .strip_prefix(MARK_ENV.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="));
        if let Some(value) = value {
            let end = value
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(value.len());
            return Some(String::from_utf8_lossy(&value[..end]).into_owned());
        }
        // Hundreds of environments are searched after each command: this is the standard library's memchr.
        rest.skip_until(0).ok()?;
    }
    None
}

/// Bytes that the process and the children it has waited for have read and written, through files and pipes.
pub(crate) fn io_bytes(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<u64>().ok()
    };
    Some(field("rchar:")?.saturating_add(field("wchar:")?))
}

/// Members of the group, and all descendants of its leader whose chain of parents is intact: a child that left
/// the group is still counted while its parent lives.
pub(crate) fn tree(table: &[Entry], group: u32) -> BTreeSet<u32> {
    let mut found: BTreeSet<u32> = BTreeSet::new();
    loop {
        let before = found.len();
        for entry in table {
            if entry.group == group || entry.pid == group || found.contains(&entry.parent) {
                found.insert(entry.pid);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// The name in the second field may hold anything, also spaces and `)`, so fields are counted from the last `)`.
fn parse_stat(pid: u32, stat: &[u8]) -> Option<Entry> {
    let after_name = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let rest = std::str::from_utf8(stat.get(after_name..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let small = |index: usize| u32::try_from(number(index)?).ok();
    // Indices are those of proc(5) less 3: `state` is field 3.
    let cpu_ticks = [11, 12, 13, 14].into_iter().filter_map(number).sum();
    Some(Entry {
        pid,
        parent: small(1)?,
        group: small(2)?,
        zombie: matches!(*fields.first()?, "Z" | "X" | "x"),
        cpu_ticks,
        start_ticks: number(19)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(pid: u32, parent: u32, group: u32) -> Entry {
        Entry {
            pid,
            parent,
            group,
            zombie: false,
            cpu_ticks: 0,
            start_ticks: 1,
        }
    }

    #[test]
    fn a_hostile_process_name_does_not_shift_the_fields() {
        let tail = "S 4 7 7 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0 987 1000 5";
        for name in ["sh", "a b", "x) Z 1 1 1", "\u{7f}(("] {
            let stat = format!("42 ({name}) {tail}");
            let expected = Entry {
                cpu_ticks: 100,
                start_ticks: 987,
                ..entry(42, 4, 7)
            };
            assert_eq!(
                parse_stat(42, stat.as_bytes()),
                Some(expected),
                "name: {name}"
            );
        }
        for broken in ["", "42", "42 (sh)", "42 (sh) S", "42 (sh) S x y z"] {
            assert_eq!(parse_stat(42, broken.as_bytes()), None, "stat: {broken}");
        }
    }

    #[test]
    fn a_tree_is_the_group_and_the_descendants_of_its_members() {
        let table = [
            entry(1, 0, 1),
            entry(9, 12, 9), // its own group, child of one listed later
            entry(10, 1, 10),
            entry(11, 10, 10),
            entry(12, 11, 12),
            entry(13, 1, 10), // orphan, still in the group
            entry(14, 1, 14),
        ];
        assert_eq!(tree(&table, 10), BTreeSet::from([9, 10, 11, 12, 13]));
    }

    #[test]
    fn a_mark_is_a_whole_variable() {
        for (environ, expected) in [
            ("A=1\0DIRECTOR_MARK=d/1\0B=2\0", Some("d/1")),
            ("DIRECTOR_MARK=d/1", Some("d/1")),
            ("DIRECTOR_MARK=\0", Some("")),
            ("X_DIRECTOR_MARK=d/1\0A=DIRECTOR_MARK=d/1\0", None),
            ("DIRECTOR_MARKS=d/1\0", None),
            ("\0\0", None),
            ("", None),
        ] {
            assert_eq!(
                mark_in(environ.as_bytes()).as_deref(),
                expected,
                "environ: {environ:?}"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_in_the_table() {
        let own = one(std::process::id()).unwrap();
        assert!(own.start_ticks > 0 && !own.zombie);
        assert!(all().iter().any(|entry| entry.pid == own.pid));
        assert!(io_bytes(own.pid).is_some());
    }
}
