//! Looks ahead in the world: at random, out of date and twice; and the promise about them, from the journal alone.

use std::collections::{BTreeMap, BTreeSet};

use director::engine::clashes::{self, Between, sides};
use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::ids::{Attempt, SprintId, TaskId};
use director_protocols::work::Sight;

use super::World;
use super::oracle::Broken;

impl World {
    /// Somebody looks at what is under way, and says so twice.
    pub(super) fn look_ahead(&mut self, sprint: SprintId) {
        let Some(watch) = clashes::watch(self.engine.state(), sprint) else {
            return;
        };
        let mut sights = Vec::new();
        for (place, branch) in watch.branches.iter().enumerate() {
            let others = watch.branches[place + 1..].iter().map(|other| other.of);
            for with in [None].into_iter().chain(others.map(Some)) {
                // Seldom: what would conflict is not merged together.
                let files = match self.chance(150) {
                    true => 1 + self.below(2),
                    false => 0,
                };
                let files = (0..files).map(|_| format!("src/{}.rs", self.below(4)));
                sights.push(Sight {
                    of: branch.of,
                    with,
                    files: files.collect(),
                });
            }
        }
        if self.chance(100) {
            // One of an attempt that is over, and one of nobody's.
            let (task, attempt) = (TaskId(self.below(30) as u32), Attempt(0));
            sights.push(Sight {
                of: (task, attempt),
                with: sights.first().map(|sight| sight.of),
                files: vec!["src/0.rs".to_owned()],
            });
        }
        let head = match self.chance(900) {
            true => watch.place.head,
            false => "elsewhere".to_owned(),
        };
        let command = Command::LookedAhead {
            sprint,
            head,
            sights,
        };
        self.tell(command.clone()).expect("a look is accepted");
        let before = self.journal.len();
        self.tell(command).expect("a look is accepted");
        let again = &self.journal[before.min(self.journal.len())..];
        let mut events = again.iter().flat_map(|(_, _, events)| events);
        let twice =
            events.find(|event| matches!(event, Event::ConflictForeseen(_) | Event::AgentTold(_)));
        assert!(twice.is_none(), "a look counted twice: {twice:?}");
    }
}

/// A conflict is written down once for its files and is over with the work that is in it; an agent is told only what is news to it.
pub(super) fn conflicts_are_told_once(world: &World) -> Broken {
    let mut open: BTreeMap<Between, BTreeSet<&String>> = BTreeMap::new();
    let mut met: BTreeSet<(TaskId, (TaskId, bool), &String)> = BTreeSet::new();
    for (seq, _, events) in &world.journal {
        let mut news: BTreeSet<TaskId> = BTreeSet::new();
        for event in events {
            match event {
                Event::ConflictForeseen(e) => {
                    let files: BTreeSet<&String> = e.files.iter().collect();
                    let between = (e.task_id, e.with);
                    if e.merged.is_empty() && open.get(&between) == Some(&files) {
                        return Some(format!("{seq}: {e:?} was known"));
                    }
                    open.insert(between, files);
                    news.clear();
                    for (task, other) in sides(e) {
                        let mut files = e.files.iter();
                        // All of them are remembered.
                        let new = files
                            .clone()
                            .any(|file| !met.contains(&(task, other, file)));
                        news.extend(new.then_some(task));
                        met.extend(files.by_ref().map(|file| (task, other, file)));
                    }
                }
                Event::AgentTold(e) if !news.remove(&e.task_id) => {
                    return Some(format!("{seq}: {e:?} is no news"));
                }
                Event::ConflictOver(e) if open.remove(&(e.task_id, e.with)).is_none() => {
                    return Some(format!("{seq}: {e:?} never was"));
                }
                _ => {}
            }
        }
        for event in events {
            let over = match event {
                Event::TaskCompleted(e) => e.task_id,
                Event::WorkSalvaged(e) => e.task_id,
                _ => continue,
            };
            let mut of = open.keys();
            if let Some(left) = of.find(|(task, with)| *task == over || *with == Some(over)) {
                return Some(format!("{seq}: {left:?} outlives the work on {over}"));
            }
        }
    }
    let left = open.first_key_value();
    left.map(|(between, _)| format!("{between:?} is there at the end"))
}
