//! A world for tests of the start: a sprint on a real repository, driven by the real engine and the real workshop up to
//! where the director is killed. Agents are a line in a file.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use director_protocols::command::Command;
use director_protocols::event::{Event, Outcome};
use director_protocols::ids::{EffectId, Generation, Seq, SprintId};
use director_protocols::manifest::{self, Format, Options};
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, Report};
use director_runtime::clock::Clock;

use super::{CallOff, Workshop};
use crate::engine::effects::Effect;
use crate::engine::orders::{self, Order};
use crate::engine::sprints::{Sprint, Stage};
use crate::engine::{Decision, Engine};

/// Two tasks that share a worktree, one after the other, and one beside them.
const SPRINT: &str = r#"
[sprint]
id = "s1"
base = "main"
repo = "REPO"
[team]
only = true
[team.dev]
count = 2
agent = "worker"
kinds = ["*"]
[gates]
tests = false
docs = false
review = false
coverage = false
acceptance = false
[[task]]
id = "one"
feature = "api"
[[task]]
id = "two"
feature = "api"
depends_on = ["one"]
[[task]]
id = "web"
depends_on = ["one"]
"#;

/// When the director is killed.
#[derive(Clone, Copy)]
pub enum Kill {
    /// Before the nth effect of this kind is carried out.
    Before(&'static str, usize),
    /// After it was, and before the journal knows.
    After(&'static str, usize),
    /// With the nth attempt's agent at work.
    AtWork(usize),
}

pub struct World {
    pub dir: tempfile::TempDir,
    engine: Engine,
    workshop: Workshop,
    todo: VecDeque<(EffectId, Effect)>,
    journal: Vec<(Seq, Vec<Event>, Time)>,
    now: Time,
    seen: Vec<&'static str>,
}

impl World {
    /// A sprint that was submitted on a repository with one commit.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("repo");
        fs::create_dir(&repo).unwrap();
        git(&repo, &["init", "--quiet", "--initial-branch=main"]);
        fs::write(repo.join("readme"), "hello\n").unwrap();
        git(&repo, &["add", "-A"]);
        git(&repo, &["commit", "--quiet", "-m", "start"]);
        let text = SPRINT.replace("REPO", repo.to_str().unwrap());
        let options = Options {
            known_agents: &["worker"],
            ..Options::default()
        };
        let manifest = manifest::parse(&text, "sprint.toml", Format::Toml, &options).unwrap();
        let mut world = World {
            workshop: workshop(dir.path()),
            dir,
            engine: Engine::checked(),
            todo: VecDeque::new(),
            journal: Vec::new(),
            now: Time(1_700_000_000_000),
            seen: Vec::new(),
        };
        world.open(Vec::new());
        world.tell(&Command::Submit(Box::new(manifest.spec)));
        world
    }

    pub fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub fn git(&self, words: &[&str]) -> String {
        git(&self.repo(), words)
    }

    pub fn at(&self, revision: &str) -> String {
        self.git(&["rev-parse", revision])
    }

    pub fn sprint(&self) -> &Sprint {
        self.engine.state().sprints.get(SprintId(0)).unwrap()
    }

    pub fn incidents(&self) -> Vec<&str> {
        let incidents = self.sprint().incidents.iter();
        incidents.map(|(_, _, text)| text.as_str()).collect()
    }

    /// A commit of somebody else's on top of a revision.
    pub fn other(&self, onto: &str) -> String {
        let tree = format!("{onto}^{{tree}}");
        self.git(&["commit-tree", &tree, "-p", onto, "-m", "mine"])
    }

    fn keep(&mut self, decision: Decision) {
        if !decision.events.is_empty() {
            let entry = (self.engine.seq(), decision.events, self.now);
            self.journal.push(entry);
        }
        self.todo.extend(decision.effects);
    }

    fn step(&mut self, command: &Command) {
        self.now.0 += 1;
        // What has been overtaken is refused, as in the director.
        if let Ok(decision) = self.engine.step(command, self.now) {
            self.keep(decision);
        }
    }

    pub fn tell(&mut self, command: &Command) {
        self.step(command);
        let decision = self.engine.dispatch(self.now);
        self.keep(decision);
    }

    /// As the director does: first what was not settled, then what was found, then work is handed out.
    pub fn open(&mut self, found: Vec<Command>) {
        self.step(&Command::Open {
            version: "test".into(),
        });
        self.todo = self.engine.resume().into();
        self.todo
            .push_front((EffectId::default(), Effect::SyncTeam));
        found.iter().for_each(|command| self.step(command));
        let decision = self.engine.dispatch(self.now);
        self.keep(decision);
    }

    /// Another director on the same directory, up to the check.
    pub fn restart(&mut self) -> Vec<Command> {
        self.engine = Engine::checked();
        for (seq, events, at) in self.journal.clone() {
            self.engine.replay(seq, events, at);
        }
        self.workshop = workshop(self.dir.path());
        self.workshop.check(self.engine.state())
    }

    fn perform(&mut self, id: EffectId, effect: &Effect) -> Vec<Command> {
        let Some(order) = orders::order(self.engine.state(), effect) else {
            return Vec::new();
        };
        match order {
            Order::SyncTeam(roles) => {
                let agents = roles.into_iter().flat_map(|role| role.agents);
                agents
                    .map(|(agent, _, generation)| Command::AgentUp {
                        agent,
                        generation: Generation(generation.0 + 1),
                    })
                    .collect()
            }
            Order::Assign(work) => {
                let (task, attempt) = (work.task, work.attempt);
                let file = Path::new(&work.workdir).join(work.spec.id.as_str());
                fs::write(file, "done\n").unwrap();
                let end = AttemptEnd::done(Report {
                    summary: "done".into(),
                    ..Report::default()
                });
                vec![
                    Command::Started {
                        effect: id,
                        task,
                        attempt,
                    },
                    Command::Ended { task, attempt, end },
                ]
            }
            order => self.workshop.carry_out(id, &order, &CallOff::default()),
        }
    }

    /// Goes on until nothing is left to do, or the director is killed.
    pub fn run(&mut self, kill: Option<Kill>) {
        let began = self.now;
        loop {
            let Some((id, effect)) = self.todo.pop_front() else {
                // Whoever does not answer is asked again for ever: after some days nothing but that is left.
                let soon = |at: &Time| at.since(began) < Span::hours(7 * 24);
                let Some(deadline) = self.engine.next_deadline().filter(soon) else {
                    assert!(kill.is_none(), "never came so far: {:?}", self.seen);
                    return;
                };
                self.now = deadline;
                self.tell(&Command::Tick);
                continue;
            };
            let kind = kind(&effect);
            self.seen.push(kind);
            let nth = self.seen.iter().filter(|seen| **seen == kind).count();
            if matches!(kill, Some(Kill::Before(at, n)) if (at, n) == (kind, nth)) {
                return;
            }
            let answer = self.perform(id, &effect);
            match kill {
                Some(Kill::After(at, n)) if (at, n) == (kind, nth) => return,
                Some(Kill::AtWork(n)) if ("Assign", n) == (kind, nth) => {
                    return self.tell(&answer[0]);
                }
                _ => answer.iter().for_each(|command| self.tell(command)),
            }
        }
    }

    /// The sprint ended well: everything is merged once, nothing is left over, nothing of the user's has changed.
    pub fn assert_done(&self, case: &str) {
        let state = self.sprint();
        let done = Stage::Ended(Outcome::Done);
        let tasks = &self.engine.state().tasks.table;
        let phases: Vec<_> = tasks.iter().map(|task| (task.phase, &task.story)).collect();
        let incidents = self.incidents();
        assert_eq!(state.stage, done, "{case}: {incidents:?} {phases:?}");
        let files = self.git(&["ls-tree", "--name-only", "sprint/s1"]);
        assert_eq!(files, "one\nreadme\ntwo\nweb", "{case}");
        let merges = self.git(&["log", "--first-parent", "--format=%s", "main..sprint/s1"]);
        let mut merges: Vec<&str> = merges.lines().collect();
        merges.sort_unstable();
        let expected = ["Merge one: one", "Merge two: two", "Merge web: web"];
        assert_eq!(merges, expected, "{case}");
        assert_eq!(state.head, self.at("sprint/s1"), "{case}");
        assert_eq!(state.kept, Vec::<String>::new(), "{case}");
        let branches = self.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
        assert_eq!(branches, "main\nsprint/s1", "{case}");
        assert!(!self.repo().join(".worktrees").exists(), "{case}");
        assert_eq!(self.git(&["worktree", "list"]).lines().count(), 1, "{case}");
        assert_eq!(self.git(&["status", "--porcelain"]), "", "{case}");
    }
}

fn workshop(dir: &Path) -> Workshop {
    Workshop::new(dir.join("data"), "test/".into(), None, Clock::system())
}

fn kind(effect: &Effect) -> &'static str {
    match effect {
        Effect::PrepareRepo { .. } => "PrepareRepo",
        Effect::PrepareWorktree { .. } => "PrepareWorktree",
        Effect::Assign { .. } => "Assign",
        Effect::CommitWork { .. } => "CommitWork",
        Effect::Salvage { .. } => "Salvage",
        Effect::PrepareMerge { .. } => "PrepareMerge",
        Effect::Advance { .. } => "Advance",
        Effect::CleanUp { .. } => "CleanUp",
        _ => "other",
    }
}

/// Git as a user would run it.
fn git(dir: &Path, words: &[&str]) -> String {
    let config = ["-c", "user.name=user", "-c", "user.email=user@localhost"];
    let mut command = Process::new("git");
    let output = command.current_dir(dir).args(config).args(words);
    let output = output.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {words:?}: {stderr}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim_end().to_owned()
}
