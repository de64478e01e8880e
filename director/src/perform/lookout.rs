//! The lookout: looks ahead at work under way, on a thread beside the director, as long as there is anything that could conflict.
//!
//! It looks when the director says that something has changed, and again and again while people and agents work, for what they write
//! says nothing. After each look it rests `REST_FACTOR` times as long as that took, so it takes at most one part in that many of a
//! processor, however much there is to look at; and as long as the sprint file says, unless the director knows of a change. What it says
//! comes back as a command, and only what is new.
//!
//! The thread begins with the first such work and ends with the director.
//!
//! Elsewhere: a look is `ahead`; what becomes of what was seen is the engine's `decide::clash`.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use director_agents::cell::Sink;
use director_protocols::command::Command;
use director_protocols::ids::SprintId;
use tracing::warn;

use super::Workshop;
use super::ahead::Looks;
use crate::engine::clashes::Watch;

/// How many times as long as a look takes it rests after it.
const REST_FACTOR: u32 = 20;
/// How long after a change it waits for what changes with it.
const GATHER: Duration = Duration::from_millis(100);

/// Where it is said what is to be watched.
pub struct Lookout {
    workshop: Arc<Workshop>,
    sink: Sink,
    to: Mutex<Option<Sender<Watch>>>,
}

impl Lookout {
    /// A lookout whose words go to `sink`.
    pub fn new(workshop: Arc<Workshop>, sink: Sink) -> Self {
        Self {
            workshop,
            sink,
            to: Mutex::default(),
        }
    }

    /// Says what is to be watched in a sprint from now on. Without a thread for it nothing is.
    pub fn put(&self, watch: Watch) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = match &*to {
            Some(sender) => match sender.send(watch) {
                Ok(()) => return,
                Err(unsent) => unsent.0, // That thread died.
            },
            None => watch,
        };
        *to = None;
        if !watch.is_of_use() {
            return;
        }
        let (sender, receiver) = channel();
        let (workshop, sink) = (Arc::clone(&self.workshop), Arc::clone(&self.sink));
        let thread = thread::Builder::new().name("lookout".to_owned());
        let spawned = thread.spawn(move || Post::new(workshop, sink, receiver).keep());
        if spawned.is_ok() && sender.send(watch).is_ok() {
            *to = Some(sender);
        }
    }
}

/// What the thread has.
struct Post {
    workshop: Arc<Workshop>,
    sink: Sink,
    from: Receiver<Watch>,
    watched: BTreeMap<SprintId, (Watch, Looks)>,
    /// The last thing that stood in the way, so that it is said once.
    trouble: String,
}

impl Post {
    fn new(workshop: Arc<Workshop>, sink: Sink, from: Receiver<Watch>) -> Self {
        Self {
            workshop,
            sink,
            from,
            watched: BTreeMap::new(),
            trouble: String::new(),
        }
    }

    fn keep(mut self) {
        let (mut least, mut rest) = (Duration::ZERO, Duration::MAX);
        while self.listen(least, rest) {
            let began = Instant::now();
            let left = self.look();
            least = began.elapsed() * REST_FACTOR;
            rest = match left {
                true => least, // More of the same is waiting.
                false => least.max(self.rest()),
            };
        }
    }

    /// The shortest time that a sprint asks for.
    fn rest(&self) -> Duration {
        let all = self.watched.values();
        let rests = all.map(|(watch, _)| watch.rest.to_std());
        rests.min().unwrap_or_default()
    }

    /// Waits until it is time to look: `rest`, or `least` once something has changed. False when the director is gone.
    fn listen(&mut self, least: Duration, rest: Duration) -> bool {
        let began = Instant::now();
        let mut until = began.checked_add(rest);
        loop {
            let wait = until.filter(|_| !self.watched.is_empty());
            let heard = match wait {
                None => self.from.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(until) => self
                    .from
                    .recv_timeout(until.saturating_duration_since(Instant::now())),
            };
            match heard {
                Ok(watch) => {
                    self.take(watch);
                    let soon = (began + least).max(Instant::now() + GATHER);
                    until = Some(until.map_or(soon, |until| until.min(soon)));
                }
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    fn take(&mut self, watch: Watch) {
        let id = watch.place.id;
        let known = self.watched.remove(&id);
        let dir = self.workshop.looks().join(id.to_string());
        if watch.is_of_use() {
            let looks = known.map_or_else(|| Looks::new(dir), |(_, looks)| looks);
            self.watched.insert(id, (watch, looks));
        } else if known.is_some() {
            let _ = std::fs::remove_dir_all(dir); // What is left of it goes with the next one.
        }
        if self.watched.is_empty() {
            let _ = std::fs::remove_dir(self.workshop.looks());
        }
    }

    /// Looks at every sprint. True when some of it was left for the next time.
    fn look(&mut self) -> bool {
        let mut left = false;
        for (sprint, (watch, looks)) in &mut self.watched {
            match self.workshop.look_ahead(watch, looks) {
                Ok(look) => {
                    left |= look.left;
                    if !look.sights.is_empty() {
                        (self.sink)(Command::LookedAhead {
                            sprint: *sprint,
                            head: watch.place.head.clone(),
                            sights: look.sights,
                        });
                    }
                }
                Err(trouble) => {
                    let trouble = trouble.to_string();
                    if self.trouble != trouble {
                        warn!(sprint = watch.place.sprint, trouble, "could not look ahead");
                        self.trouble = trouble;
                    }
                }
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command as Process;

    use director_protocols::ids::{Attempt, TaskId};
    use director_protocols::time::Span;
    use director_runtime::clock::Clock;

    use super::*;
    use crate::engine::clashes::Branch;
    use crate::engine::orders::Place;

    fn git(dir: &Path, words: &[&str]) -> String {
        let config = ["-c", "user.name=user", "-c", "user.email=user@localhost"];
        let mut command = Process::new("git");
        let output = command.current_dir(dir).args(config).args(words);
        let output = output.output().unwrap();
        assert!(output.status.success(), "git {words:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Two commits that change the same file, as branches that are done and not merged.
    fn watch(repo: &Path) -> Watch {
        std::fs::create_dir(repo).unwrap();
        git(repo, &["init", "--quiet", "--initial-branch=main"]);
        let commit = |text: &str| {
            std::fs::write(repo.join("file"), text).unwrap();
            git(repo, &["add", "-A"]);
            git(repo, &["commit", "--quiet", "-m", text]);
            git(repo, &["rev-parse", "HEAD"])
        };
        let head = commit("begin");
        let branch = |task, text| {
            git(repo, &["checkout", "--quiet", "--detach", &head]);
            Branch {
                of: (TaskId(task), Attempt(1)),
                feature: format!("t{task}"),
                begun_at: head.clone(),
                commit: commit(text),
            }
        };
        let branches = vec![branch(1, "one"), branch(2, "other")];
        Watch {
            place: Place {
                id: SprintId(0),
                sprint: "s1".into(),
                repo: Some(repo.to_str().unwrap().into()),
                base: None,
                started_at: head.clone(),
                head: head.clone(),
                sandbox: None,
            },
            branches,
            rest: Span::hours(1),
        }
    }

    #[test]
    fn it_looks_when_something_changes_and_its_thread_ends_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let watch = watch(&dir.path().join("repo"));
        let data = dir.path().join("data");
        let workshop = Workshop::new(data.clone(), "test/".into(), None, Clock::system());
        let workshop = Arc::new(workshop);
        let (said, heard) = channel();
        let sink: Sink = Arc::new(move |command| said.send(command).unwrap());
        let lookout = Lookout::new(Arc::clone(&workshop), sink);
        lookout.put(watch.clone());
        let soon = Duration::from_secs(60);
        let Command::LookedAhead { sights, .. } = heard.recv_timeout(soon).unwrap() else {
            panic!("something else was said");
        };
        let files: Vec<_> = sights.iter().map(|sight| sight.files.clone()).collect();
        assert_eq!(files, [vec![], vec![], vec!["file".to_owned()]]);
        // With one alone there is nothing to look at, and nothing of the looks is kept.
        let alone = Watch {
            branches: watch.branches[..1].to_vec(),
            ..watch
        };
        lookout.put(alone);
        while data.join("looks").exists() {
            std::thread::yield_now();
        }
        drop(lookout);
        // The thread had all that can say something.
        let gone = heard.recv_timeout(soon);
        assert_eq!(gone, Err(RecvTimeoutError::Disconnected));
    }
}
