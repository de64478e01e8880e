//! The search for what left a command's group, made once for all commands that end at the same time, and cheap.
//!
//! A search lists `/proc` and reads the environment of each process: some milliseconds with hundreds of them, after every
//! command. Two things make it cheap. Whoever has to wait for a running search shares the next one with all others that
//! wait. And a process that has been there for a while without a mark is not read again: the listing gives the number
//! of its `/proc` entry, which stands for that one process and no later one of the same id.
//!
//! Invariant: nothing is passed over that could carry the mark of a command. A mark comes with `exec`, so one is
//! passed over only when its environment could be read and had none, again and again for [`SETTLED`], and when it
//! is no child of ours, which a moment later may be a command. One that is in the middle of an `exec` is read again.
//!
//! Elsewhere: killing what was found, round after round, is `sweep`, as is the search by a beginning at start-up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::sweep::{self, Found, Marks};
use super::table::{self, Entry};

/// A process that was seen without a mark for so long will not get one.
const SETTLED: Duration = Duration::from_secs(10);
/// An `exec` is over after this.
const EXEC: Duration = Duration::from_millis(1);

/// A search that has to read no more environments than this takes a few hundred microseconds, which is less than it takes
/// to hand it to another thread of a busy machine.
const QUICK_MAX: usize = 24;

/// The searches of this process.
static ALL: Search = Search::new();

/// Whether it is known within some hundred microseconds that nothing carries this mark. `false` says nothing.
pub(crate) fn nothing_left(mark: &str) -> bool {
    ALL.nothing_left(mark)
}

/// What a waiting caller gets.
type Answer = Arc<OnceLock<Vec<Found>>>;

/// Searches of one process, one after the other.
struct Search {
    waiting: Mutex<Vec<(String, Answer)>>,
    seen: Mutex<Seen>,
}

impl Search {
    const fn new() -> Self {
        Self {
            waiting: Mutex::new(Vec::new()),
            seen: Mutex::new(Seen {
                unmarked: BTreeMap::new(),
            }),
        }
    }

    fn nothing_left(&self, mark: &str) -> bool {
        let Ok(mut seen) = self.seen.try_lock() else {
            return false; // One is running; the next is shared.
        };
        let entries = table::entries();
        let unknown = entries.iter().filter(|entry| !seen.passes(**entry)).count();
        // Whatever is in the middle of an `exec` takes a moment more.
        unknown <= QUICK_MAX
            && matches!(seen.look(entries, &|found| found == mark), (found, starting) if found.is_empty() && starting.is_empty())
    }

    fn find(&self, mark: &str) -> Vec<Found> {
        let answer = Answer::default();
        lock(&self.waiting).push((mark.to_owned(), answer.clone()));
        let mut seen = lock(&self.seen);
        if answer.get().is_none() {
            // All of these asked before this search begins.
            let asked = std::mem::take(&mut *lock(&self.waiting));
            let marks: BTreeSet<&str> = asked.iter().map(|(mark, _)| mark.as_str()).collect();
            let found = seen.search(|mark| marks.contains(mark));
            for (mark, answer) in &asked {
                let of = found.iter().filter(|process| process.mark == *mark);
                let _ = answer.set(of.cloned().collect()); // It is set once, here.
            }
        }
        answer.get().cloned().unwrap_or_default()
    }
}

/// What is known from earlier searches: processes without a mark, by id.
#[derive(Default)]
struct Seen {
    unmarked: BTreeMap<u32, Unmarked>,
}

/// A process that had no mark when it was looked at.
#[derive(Clone, Copy)]
struct Unmarked {
    /// The number of its entry in `/proc`.
    entry: u64,
    /// When it was first seen so.
    since: Instant,
    /// It is not looked at again.
    passed: bool,
}

impl Seen {
    /// Whether the process is passed over.
    fn passes(&self, (pid, entry): (u32, u64)) -> bool {
        let known = self.unmarked.get(&pid);
        known.is_some_and(|known| known.passed && known.entry == entry)
    }

    /// Processes whose mark is wanted, by ascending id; without this one.
    fn search(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<Found> {
        let (mut found, starting) = self.look(table::entries(), &wanted);
        if !starting.is_empty() {
            thread::sleep(EXEC);
            for pid in starting {
                if let table::Mark::Is(mark) = table::environ_mark(pid)
                    && wanted(&mark)
                {
                    found.extend(sweep::seen(pid, mark));
                }
            }
        }
        found.sort_by_key(|process| process.pid);
        found
    }

    /// One look at these processes: those whose mark is wanted, and those that are in the middle of an `exec`.
    fn look(
        &mut self,
        entries: Vec<(u32, u64)>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> (Vec<Found>, Vec<u32>) {
        let own = std::process::id();
        let now = Instant::now();
        let mut unmarked = BTreeMap::new();
        let mut found = Vec::new();
        let mut starting = Vec::new();
        for (pid, entry) in entries.into_iter().filter(|(pid, _)| *pid != own) {
            let known = self.unmarked.get(&pid).filter(|known| known.entry == entry);
            if let Some(known) = known.filter(|known| known.passed) {
                unmarked.insert(pid, *known);
                continue;
            }
            let mut known = known.copied().unwrap_or(Unmarked {
                entry,
                since: now,
                passed: false,
            });
            match table::environ_mark(pid) {
                table::Mark::Is(mark) => {
                    if wanted(&mark) {
                        found.extend(sweep::seen(pid, mark));
                    }
                    continue;
                }
                table::Mark::None => {
                    known.passed = now.duration_since(known.since) >= SETTLED
                        && table::one(pid).is_some_and(|process| process.parent != own);
                }
                table::Mark::Empty | table::Mark::Closed => match table::one(pid) {
                    Some(process) if is_kernels(&process) => known.passed = true,
                    Some(process) if !process.zombie && known.since == now => starting.push(pid),
                    Some(_) | None => {}
                },
            }
            unmarked.insert(pid, known);
        }
        self.unmarked = unmarked;
        (found, starting)
    }
}

/// Kernel threads are children of process 2, which nobody else can be.
fn is_kernels(process: &Entry) -> bool {
    process.pid == 2 || process.parent == 2
}

/// The same as [`sweep::end`] for one mark: kills everything that carries it, and looks until there is no more.
pub(crate) fn end(mark: &str) -> sweep::Swept {
    if ALL.find(mark).is_empty() {
        return sweep::Swept::default();
    }
    sweep::end(&Marks::Exactly(mark.to_owned()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::process::MARK_ENV;

    fn sleeper(mark: Option<&str>) -> Child {
        let mut command = Command::new("sleep");
        command.arg("300").stdin(Stdio::null()).env_remove(MARK_ENV);
        if let Some(mark) = mark {
            command.env(MARK_ENV, mark);
        }
        command.spawn().unwrap()
    }

    fn stop(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_search_finds_what_a_full_one_finds_the_first_time_and_later() {
        let mark = format!("search-test/{}/", std::process::id());
        let (one, two) = (
            sleeper(Some(&format!("{mark}1"))),
            sleeper(Some(&format!("{mark}2"))),
        );
        let mut seen = Seen::default();
        for _ in 0..3 {
            let found = seen.search(|found| found.starts_with(&mark));
            assert_eq!(found, sweep::find(&Marks::StartingWith(mark.clone())));
            assert_eq!(found.len(), 2);
        }
        let three = sleeper(Some(&format!("{mark}1")));
        let exactly = Search::new();
        assert_eq!(exactly.find(&format!("{mark}1")).len(), 2);
        assert_eq!(exactly.find(&format!("{mark}9")), []);
        assert!(!exactly.nothing_left(&format!("{mark}1")));
        for child in [one, two, three] {
            stop(child);
        }
        assert_eq!(exactly.find(&format!("{mark}1")), []);
    }

    #[test]
    fn only_what_has_been_there_for_long_and_is_not_ours_is_passed_over() {
        let (ours, other) = (sleeper(None), std::os::unix::process::parent_id());
        let mut seen = Seen::default();
        seen.search(|_| false);
        assert!(!seen.unmarked[&ours.id()].passed && !seen.unmarked[&other].passed);
        for known in seen.unmarked.values_mut() {
            known.since -= SETTLED;
        }
        seen.search(|_| false);
        assert!(
            !seen.unmarked[&ours.id()].passed,
            "a child may become a command"
        );
        assert!(seen.unmarked[&other].passed);
        // Another process of the same id has another entry, and begins anew.
        if let Some(known) = seen.unmarked.get_mut(&other) {
            known.entry += 1;
        }
        seen.search(|_| false);
        assert!(!seen.unmarked[&other].passed);
        stop(ours);
    }

    #[test]
    fn those_who_wait_share_a_search_that_began_after_they_asked() {
        let search = Arc::new(Search::new());
        let mark = format!("search-share/{}", std::process::id());
        let busy = lock(&search.seen); // A search is running.
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let (search, mark) = (search.clone(), mark.clone());
                std::thread::spawn(move || search.find(&mark).len())
            })
            .collect();
        while lock(&search.waiting).len() < 8 {
            std::thread::yield_now();
        }
        let late = sleeper(Some(&mark)); // After the running one looked, before the next.
        drop(busy);
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), 1);
        }
        assert!(lock(&search.waiting).is_empty());
        stop(late);
    }
}
