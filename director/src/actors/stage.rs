//! A stage for tests: a real repository, the two actors under a real supervisor, and a place that is kept as the
//! journal would keep it.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;
use std::time::Duration;

use director_protocols::command::Command;
use director_protocols::ids::{Attempt, EffectId, Name, Seq, SprintId, TaskId};
use director_protocols::sprint::{Check, GateSpec, Isolation, RunSpec};
use director_protocols::time::Span;
use director_runtime::clock::Clock;
use director_runtime::supervisor::{
    Root, Subtree, SupervisorActor, SupervisorArgs, SupervisorCommand, SupervisorSpec, spawn_root,
};
use tokio::sync::{mpsc, oneshot};

use super::desk::Desk;
use super::gatekeeper::gatekeeper;
use super::integrator::integrator;
use crate::engine::orders::{Order, Piece, Place};
use crate::perform::Workshop;

/// Longest that a test waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Stage {
    dir: tempfile::TempDir,
    pub place: Place,
    pub integrator: Desk,
    pub gatekeeper: Desk,
    answers: mpsc::UnboundedReceiver<Command>,
    /// Incidents seen so far.
    pub incidents: Vec<String>,
    root: Option<Root<SupervisorCommand>>,
    seq: u64,
}

impl Stage {
    /// A repository with the branch `main`, one commit, a file of the user's that is not committed, and the two
    /// actors at work.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("repo");
        std::fs::create_dir(&repo).unwrap();
        git(&repo, &["init", "--quiet", "--initial-branch=main"]);
        std::fs::write(repo.join("readme"), "hello\n").unwrap();
        git(&repo, &["add", "-A"]);
        git(&repo, &["commit", "--quiet", "-m", "start"]);
        std::fs::write(repo.join("mine"), "not committed\n").unwrap();
        let place = Place {
            id: SprintId(0),
            sprint: "s1".into(),
            repo: Some(repo.to_str().unwrap().to_owned()),
            base: None,
            started_at: String::new(),
            head: String::new(),
            sandbox: None,
        };
        let (integrator, gatekeeper, answers) = desks(dir.path());
        let mut stage = Stage {
            dir,
            place,
            integrator,
            gatekeeper,
            answers,
            incidents: Vec::new(),
            root: None,
            seq: 0,
        };
        stage.open();
        stage
    }

    /// Starts the actors.
    fn open(&mut self) {
        let spec = SupervisorSpec::named("director")
            .child(self.integrator.child())
            .child(self.gatekeeper.child());
        let arguments = SupervisorArgs {
            spec: spec.build().unwrap(),
            clock: Clock::system(),
            subtree: Subtree::new(),
            observer: None,
        };
        self.root = Some(spawn_root(SupervisorActor, arguments).unwrap());
    }

    /// The director is killed, with its memory, and another one starts on the same directory.
    pub async fn kill_and_restart(&mut self) {
        self.close().await;
        (self.integrator, self.gatekeeper, self.answers) = desks(self.dir.path());
        self.open();
    }

    /// Kills one actor; its supervisor starts it again.
    pub async fn kill(&self, child: &'static str) {
        let (reply, answer) = oneshot::channel();
        let root = self.root.as_ref().unwrap();
        root.actor
            .cast(SupervisorCommand::Kill(child.into(), reply))
            .unwrap();
        answer.await.unwrap().unwrap();
    }

    pub async fn close(&mut self) {
        if let Some(root) = self.root.take() {
            root.actor.cast(SupervisorCommand::Shutdown).unwrap();
            root.wait().await;
        }
    }

    pub fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn git(&self, words: &[&str]) -> String {
        git(&self.repo(), words)
    }

    pub fn worktree(&self, feature: &str) -> PathBuf {
        self.repo().join(".worktrees").join(feature)
    }

    pub fn next_effect(&mut self) -> EffectId {
        self.seq += 1;
        EffectId {
            seq: Seq(self.seq),
            n: 0,
        }
    }

    /// Puts an order on the desk it belongs to.
    pub fn put(&self, effect: EffectId, order: Order) {
        match order {
            Order::CheckBase(..) | Order::RunGates { .. } | Order::Deployment(..) => {
                self.gatekeeper.put(effect, order)
            }
            _ => self.integrator.put(effect, order),
        }
    }

    /// The next answer; incidents are put aside.
    pub async fn answer(&mut self) -> Command {
        loop {
            let answer = tokio::time::timeout(PATIENCE, self.answers.recv()).await;
            match answer.expect("no answer in time").expect("the desks live") {
                Command::Incident { text, .. } => self.incidents.push(text),
                answer => return answer,
            }
        }
    }

    /// Carries an order out, then once more, as after a kill before the answer was durable. Both answers have to be
    /// the same.
    pub async fn twice(&mut self, order: Order) -> Command {
        let effect = self.next_effect();
        self.put(effect, order.clone());
        let first = self.answer().await;
        self.put(effect, order);
        assert_eq!(self.answer().await, first, "a repeat gives the same answer");
        first
    }

    /// The order for a sprint with the features that the stories here have.
    pub fn prepare_repo(&self) -> Order {
        let features = ["api", "web", "one", "two"].map(str::to_owned);
        Order::PrepareRepo(self.place.clone(), features.to_vec())
    }

    /// Prepares the repository, as the journal then knows it.
    pub async fn begin(&mut self) -> Vec<String> {
        match self.twice(self.prepare_repo()).await {
            Command::RepoPrepared { base, warnings, .. } => {
                self.place.started_at.clone_from(&base);
                self.place.head = base;
                warnings
            }
            other => panic!("{other:?}"),
        }
    }

    /// A worktree for an attempt, with `write` done in it by the agent.
    pub async fn work(&mut self, mut piece: Piece, write: &[(&str, &str)]) -> Piece {
        let order = Order::PrepareWorktree(self.place.clone(), piece.clone());
        match self.twice(order).await {
            Command::WorktreePrepared { path, commit, .. } => {
                assert_eq!(commit, self.place.head);
                for (file, text) in write {
                    std::fs::write(Path::new(&path).join(file), text).unwrap();
                }
                piece.begun_at = commit;
                piece
            }
            other => panic!("{other:?}"),
        }
    }

    /// The attempt's commit.
    pub async fn commit(&mut self, mut piece: Piece) -> Piece {
        let order = Order::CommitWork(self.place.clone(), piece.clone());
        match self.twice(order).await {
            Command::WorkCommitted {
                commit, missing, ..
            } => {
                assert_eq!(missing, Vec::<String>::new());
                piece.commit = commit;
                piece
            }
            other => panic!("{other:?}"),
        }
    }

    /// Merges and advances, without gates.
    pub async fn merge(&mut self, piece: &Piece) {
        let order = Order::PrepareMerge(self.place.clone(), vec![piece.clone()]);
        let Command::MergePrepared { commit, onto, .. } = self.twice(order).await else {
            panic!("not clean")
        };
        let place = self.place.clone();
        let advance = Order::Advance {
            place,
            commit: commit.clone(),
            onto,
        };
        assert!(matches!(
            self.twice(advance).await,
            Command::MergeCompleted { .. }
        ));
        self.place.head = commit;
    }
}

fn desks(dir: &Path) -> (Desk, Desk, mpsc::UnboundedReceiver<Command>) {
    let (tell, answers) = mpsc::unbounded_channel();
    let sink: super::desk::Sink = Arc::new(move |command| drop(tell.send(command)));
    let mark = format!("test/{}/", dir.display());
    let workshop = Workshop::new(dir.join("data"), mark, None, Clock::system());
    let workshop = Arc::new(workshop);
    let integrator = integrator(workshop.clone(), sink.clone());
    (integrator, gatekeeper(workshop, sink), answers)
}

/// The first attempt at a task that is its own feature.
pub fn piece(id: u32, task: &str) -> Piece {
    Piece {
        id: TaskId(id),
        task: task.into(),
        title: format!("Do {task}"),
        feature: task.into(),
        attempt: Attempt(1),
        agent: "dev-1".into(),
        begun_at: String::new(),
        commit: String::new(),
        produces: Vec::new(),
        isolation: Isolation::default(),
        sandboxed: false,
        resolve: String::new(),
        conflict: Vec::new(),
        at_ms: 1_700_000_000_000,
    }
}

/// A gate for the shell with a time limit of `ms`.
pub fn gate(name: &str, line: &str, ms: u64) -> GateSpec {
    GateSpec {
        name: Name::new(name).unwrap(),
        check: Check::Command {
            run: RunSpec::Shell(line.into()),
            timeout: Span(ms),
        },
    }
}

/// Git as a user would run it.
pub fn git(dir: &Path, words: &[&str]) -> String {
    let mut command = Process::new("git");
    command.current_dir(dir).args(words);
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "user"),
        ("GIT_AUTHOR_EMAIL", "user@localhost"),
        ("GIT_COMMITTER_NAME", "user"),
        ("GIT_COMMITTER_EMAIL", "user@localhost"),
    ] {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {words:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
