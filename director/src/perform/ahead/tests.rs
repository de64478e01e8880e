//! Looks at real worktrees of a real repository, from one change to the next.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use director_protocols::ids::SprintId;
use director_protocols::time::Span;
use director_runtime::clock::Clock;

use super::*;
use crate::engine::orders::Place;

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

/// A repository, a workshop on it, and the work under way in it.
struct Room {
    dir: tempfile::TempDir,
    workshop: Workshop,
    watch: Watch,
    looks: Looks,
}

impl Room {
    /// With so many files of ten lines beside the one that is worked on.
    fn new(files: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("repo");
        fs::create_dir(&repo).unwrap();
        git(&repo, &["init", "--quiet", "--initial-branch=main"]);
        fs::write(repo.join("lines"), LINES).unwrap();
        for n in 0..files {
            let folder = repo.join(format!("folder-{}", n / 50));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("file-{n}")), format!("{n}\n{LINES}")).unwrap();
        }
        git(&repo, &["add", "-A"]);
        git(&repo, &["commit", "--quiet", "-m", "start"]);
        let head = git(&repo, &["rev-parse", "HEAD"]);
        let data = dir.path().join("data");
        let looks = Looks::new(data.join("looks"));
        Self {
            workshop: Workshop::new(data, "test/".into(), None, Clock::system()),
            watch: Watch {
                place: Place {
                    id: SprintId(0),
                    sprint: "s1".into(),
                    repo: Some(repo.to_str().unwrap().into()),
                    base: None,
                    started_at: head.clone(),
                    head,
                    sandbox: None,
                },
                branches: Vec::new(),
                rest: Span::seconds(2),
            },
            looks,
            dir,
        }
    }

    /// A task begins at the integration branch's head, in a worktree called `t` and its number.
    fn begin(&mut self, task: u32) {
        let site = self.workshop.site(&self.watch.place).unwrap();
        let feature = format!("t{task}");
        let head = self.watch.place.head.clone();
        site.repository
            .prepare_worktree(&site.names, &feature, &head.parse().unwrap())
            .unwrap();
        self.watch.branches.push(Branch {
            of: (TaskId(task), Attempt(1)),
            feature,
            begun_at: head,
            commit: String::new(),
        });
    }

    fn write(&self, task: u32, file: &str, text: &str) {
        let tree = self.dir.path().join("repo/.worktrees");
        fs::write(tree.join(format!("t{task}")).join(file), text).unwrap();
    }

    fn edit(&self, task: u32, line: char, word: &str) {
        self.write(task, "lines", &LINES.replace(line, word));
    }

    /// Commits what a task has, which is what is looked at from then on.
    fn commit(&mut self, task: u32) -> String {
        let tree = self.dir.path().join(format!("repo/.worktrees/t{task}"));
        git(&tree, &["add", "-A"]);
        git(&tree, &["commit", "--quiet", "-m", "work"]);
        let commit = git(&tree, &["rev-parse", "HEAD"]);
        let mut branches = self.watch.branches.iter_mut();
        let branch = branches.find(|branch| branch.of.0 == TaskId(task));
        branch.unwrap().commit.clone_from(&commit);
        commit
    }

    /// A task's commit is merged, and the task is not under way any more.
    fn merge(&mut self, task: u32, commit: String) {
        self.watch.place.head = commit;
        let branches = &mut self.watch.branches;
        branches.retain(|branch| branch.of.0 != TaskId(task));
    }

    /// What is new, each as `task with: files`, where 0 is what is merged.
    fn look(&mut self) -> (Vec<String>, usize) {
        let look = self.workshop.look_ahead(&self.watch, &mut self.looks);
        let look = look.unwrap();
        let said = look.sights.iter().map(|sight| {
            let with = sight.with.map_or(0, |(task, _)| task.0);
            format!("{} {with}: {}", sight.of.0, sight.files.join(" "))
        });
        (said.collect(), look.pairs)
    }

    /// The conflicts that are new or over.
    fn news(&mut self) -> Vec<String> {
        self.look().0
    }
}

fn git(dir: &Path, words: &[&str]) -> String {
    let config = ["-c", "user.name=user", "-c", "user.email=user@localhost"];
    let mut command = Command::new("git");
    let output = command.current_dir(dir).args(config).args(words);
    let output = output.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {words:?}: {stderr}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim_end().to_owned()
}

#[test]
fn each_conflict_is_said_when_it_comes_and_when_it_goes_and_between_the_right_two() {
    let mut room = Room::new(3);
    for task in 1..=3 {
        room.begin(task);
    }
    let clean = ["1 0: ", "2 0: ", "3 0: ", "1 2: ", "1 3: ", "2 3: "];
    assert_eq!(room.look(), (clean.map(str::to_owned).to_vec(), 0));
    room.edit(1, '5', "five");
    assert_eq!(room.look(), (Vec::new(), 0), "one alone changed something");
    room.edit(2, '5', "cinq");
    room.edit(3, '1', "eins");
    assert_eq!(room.look(), (vec!["1 2: lines".to_owned()], 3));
    assert_eq!(room.look(), (Vec::new(), 0), "nothing has changed");
    // It is committed, which changes nothing about it.
    let first = room.commit(1);
    assert_eq!(room.news(), Vec::<String>::new());
    // The third one meets both, of which the first is merged then.
    room.write(3, "lines", &LINES.replace('5', "fünf"));
    assert_eq!(room.news(), ["1 3: lines", "2 3: lines"]);
    room.merge(1, first);
    assert_eq!(room.news(), ["2 0: lines", "3 0: lines"]);
    // Whoever takes over what was merged is out of it.
    room.edit(2, '5', "five");
    assert_eq!(room.news(), ["2 0: "]);
    // Only with what is merged, and the worktree of one that vanishes stands in nobody's way.
    let trees = room.dir.path().join("repo/.worktrees");
    fs::remove_dir_all(trees.join("t2")).unwrap();
    room.edit(3, '9', "neun");
    assert_eq!(room.news(), ["3 0: "]);
}

#[test]
fn whoever_has_a_worktree_in_hand_goes_first_and_is_looked_at_the_next_time() {
    let mut room = Room::new(0);
    room.begin(1);
    room.begin(2);
    room.news();
    room.edit(1, '5', "five");
    room.edit(2, '5', "cinq");
    let site = room.workshop.site(&room.watch.place).unwrap();
    let feature = site.floor.feature("t1");
    let held = feature.lock().unwrap();
    assert_eq!(room.news(), Vec::<String>::new());
    drop(held);
    assert_eq!(room.news(), ["1 2: lines"]);
    // Thrown away, it is made again, and nothing is said twice.
    room.looks.begin_anew();
    let (said, pairs) = room.look();
    assert_eq!(
        (said, pairs),
        (vec!["1 0: ".to_owned(), "2 0: ".to_owned()], 1)
    );
}

#[test]
fn however_many_there_are_one_look_tries_a_bounded_number_and_the_next_one_goes_on() {
    let mut room = Room::new(0);
    for task in 1..=22 {
        room.begin(task);
        room.edit(task, '5', &format!("line of {task}"));
    }
    let all = 22 * 21 / 2;
    let first = room.workshop.look_ahead(&room.watch, &mut room.looks);
    let first = first.unwrap();
    assert_eq!((first.pairs, first.left), (PAIRS_MAX, true));
    let second = room.workshop.look_ahead(&room.watch, &mut room.looks);
    let second = second.unwrap();
    assert_eq!((second.pairs, second.left), (all - PAIRS_MAX, false));
    assert_eq!(second.sights.len(), all - PAIRS_MAX);
}

/// What a look costs; `cargo test --release -p director --lib a_look_costs -- --ignored --nocapture` prints it.
#[test]
#[ignore = "prints figures, and takes a minute"]
fn what_a_look_costs() {
    for worktrees in [2, 8, 30] {
        let mut room = Room::new(2_000);
        let mut took: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        (1..=worktrees).for_each(|task| room.begin(task));
        let mut time = |room: &mut Room, what| {
            let began = Instant::now();
            let (_, pairs) = room.look();
            let all = took.entry(what).or_default();
            all.push(began.elapsed().as_secs_f64() * 1e3);
            pairs
        };
        time(&mut room, "1 first");
        for round in 0..5 {
            time(&mut room, "2 nothing changed");
            room.write(1, "lines", &format!("{round}\n"));
            time(&mut room, "3 one changed, no pair to try");
        }
        for task in 2..=worktrees {
            room.write(task, "lines", &format!("{task}\n"));
        }
        let pairs = time(&mut room, "4 all changed the same file");
        while room
            .workshop
            .look_ahead(&room.watch, &mut room.looks)
            .unwrap()
            .left
        {}
        room.write(1, "lines", "again\n");
        let one = time(&mut room, "5 one changed, a pair with each");
        for (what, all) in &took {
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            println!("{worktrees:>3} worktrees, {what}: {mean:.0} ms");
        }
        println!("{worktrees:>3} worktrees: {pairs} and {one} pairs were tried in the last two");
    }
}
