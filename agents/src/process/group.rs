//! The process group of one command: signals to all of it, and its end when nobody waits for it any more.
//!
//! Invariant: the group is signalled only while it is ours. Its number is its leader's process id, which the system does not
//! give away before the leader has been waited for, nor while any member lives. After the wait it is signalled in two places only: at
//! once, with no await in between, and during the grace after it was seen alive every few milliseconds since.

use std::{mem, thread};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::guard::Guard;
use super::{search, table};

/// A group from its start to the search for what left it. Dropped before that is over, it does the rest by itself.
pub(crate) struct Group<'g> {
    id: u32,
    mark: String,
    guard: Option<&'g Guard>,
    open: bool,
    swept: bool,
}

impl<'g> Group<'g> {
    /// Takes charge of the group led by the (not yet waited for) process `leader`.
    pub(crate) fn lead_by(leader: u32, mark: &str, guard: Option<&'g Guard>) -> Self {
        let group = Self {
            id: leader,
            mark: mark.to_owned(),
            guard,
            open: true,
            swept: false,
        };
        if let Some(guard) = guard
            && let Err(error) = guard.add(leader)
        {
            // The command goes on: the mark still finds it at the next start.
            tracing::warn!(pid = leader, %error, "guard does not answer");
        }
        group
    }

    /// Asks all members to end, those that are stopped too.
    pub(crate) fn terminate(&self) {
        signal(self.id, Signal::TERM);
        signal(self.id, Signal::CONT);
    }

    /// Ends all members.
    pub(crate) fn kill(&self) {
        kill(self.id);
    }

    /// Whether anything in the group still runs; the dead that nobody has waited for don't count.
    pub(crate) fn alive(&self) -> bool {
        let Some(pid) = to_pid(self.id) else {
            return false;
        };
        if test_kill_process_group(pid).is_err() {
            return false;
        }
        let table = table::all();
        table.is_empty()
            || table
                .iter()
                .any(|entry| entry.group == self.id && !entry.zombie)
    }

    /// The leader has been waited for and the group killed: from here on the number means nothing.
    pub(crate) fn ended(&mut self) {
        self.open = false;
        if let Some(guard) = self.guard
            && let Err(error) = guard.remove(self.id)
        {
            tracing::warn!(pid = self.id, %error, "guard does not answer");
        }
    }

    /// The leader cannot be killed (it is stuck in the system): the guard keeps it in mind.
    pub(crate) fn give_up(&mut self) {
        self.open = false;
    }

    /// What left the group has been looked for.
    pub(crate) fn swept(mut self) {
        self.swept = true;
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        if self.open {
            self.kill();
            self.ended();
        }
        if !self.swept {
            // Nobody waits here, so the search is left to a thread; if there is none to be had, to the next start.
            let mark = mem::take(&mut self.mark);
            let _ = thread::Builder::new().spawn(move || search::end(&mark));
        }
    }
}

/// Kills every member of a group.
pub(crate) fn kill(group: u32) {
    signal(group, Signal::KILL);
}

/// 0 and 1 would mean our own group and everything there is; they are never sent a signal.
pub(crate) fn to_pid(id: u32) -> Option<Pid> {
    if id < 2 {
        None
    } else {
        Pid::from_raw(i32::try_from(id).ok()?)
    }
}

fn signal(group: u32, signal: Signal) {
    if let Some(pid) = to_pid(group) {
        // Fails only if nobody is left, which is what we want.
        let _ = kill_process_group(pid, signal);
    }
}
