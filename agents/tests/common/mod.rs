//! A team of one with real processes: an agent in its cell under a real supervisor, and what the director hears.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use director_agents::cell::{CellSpec, GRACE, account_of};
use director_agents::context::Host;
use director_agents::factory::Registry;
use director_agents::slot::{CellMessage, Slot};
use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Attempt, EffectId, Name, Seq};
use director_protocols::sprint::{
    AgentSpec, Isolation, OnConflict, Profile, RestartSpec, RoleSpec,
};
use director_protocols::work::Assignment;
use director_runtime::clock::Clock;
use director_runtime::supervisor::{
    Backoff, Root, Subtree, SupervisorActor, SupervisorArgs, SupervisorCommand, SupervisorSpec,
    spawn_root,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A role of one agent.
pub fn role(agent: AgentSpec) -> RoleSpec {
    RoleSpec {
        name: Name::new("engineer").unwrap(),
        count: 1,
        capacity: None,
        skills: Vec::new(),
        kinds: Vec::new(),
        covers: Vec::new(),
        agent,
        restart: RestartSpec::default(),
        isolation: Isolation::default(),
        sandbox: None,
        conflicts: OnConflict::default(),
        budget: Default::default(),
        prompt: "You are an engineer.".to_owned(),
        profile: Profile::default(),
    }
}

/// One agent, `engineer-1`, and everything that the director would hear.
pub struct Team {
    slot: Slot,
    heard: mpsc::UnboundedReceiver<Command>,
    root: Root<SupervisorCommand>,
    /// First part of the mark of its processes.
    pub mark: String,
}

impl Team {
    pub fn start(role: RoleSpec, data_dir: &Path) -> Self {
        let (sink, heard) = mpsc::unbounded_channel();
        let slot = Slot::new(AgentId(0), "engineer-1");
        let host = Host::new(data_dir, Clock::system());
        let mark = host.mark.clone();
        let (account, observed) = (sink.clone(), slot.clone());
        let cell = CellSpec {
            slot: slot.clone(),
            role: Arc::new(role),
            registry: Arc::new(Registry::builtin()),
            host,
            sink: Arc::new(move |command| drop(sink.send(command))),
            grace: GRACE,
        };
        let soon = Duration::from_millis(10);
        let arguments = SupervisorArgs {
            spec: SupervisorSpec::named("engineer")
                .backoff(Backoff::exponential(soon, soon))
                .child(cell.child())
                .build()
                .unwrap(),
            clock: Clock::system(),
            subtree: Subtree::new(),
            observer: Some(Box::new(move |event| {
                for command in account_of(&observed, event) {
                    drop(account.send(command));
                }
            })),
        };
        let root = spawn_root(SupervisorActor, arguments).unwrap();
        Self {
            slot,
            heard,
            root,
            mark,
        }
    }

    /// Gives it the assignment; attempts of one test rise.
    pub fn assign(&self, assignment: &Assignment, attempt: u32) {
        let mut assignment = assignment.clone();
        assignment.attempt = Attempt(attempt);
        let effect = EffectId {
            seq: Seq(u64::from(attempt)),
            n: 0,
        };
        self.slot
            .send(CellMessage::Assign {
                effect,
                assignment: assignment.into(),
            })
            .unwrap();
    }

    /// The next thing heard that is wanted; what comes before it is passed over.
    pub async fn hears<T>(&mut self, wanted: impl Fn(Command) -> Option<T>) -> T {
        let search = async {
            loop {
                let command = self.heard.recv().await.expect("the team is gone");
                if let Some(found) = wanted(command) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, search).await.expect("waited in vain")
    }

    /// Kills the agent's actor, as a failure.
    pub async fn kill(&self) {
        let (reply, answer) = oneshot::channel();
        self.root
            .actor
            .cast(SupervisorCommand::Kill("engineer-1".into(), reply))
            .unwrap();
        answer.await.unwrap().unwrap();
    }

    /// Asks everything to stop, and waits for it.
    pub async fn stop(self) -> mpsc::UnboundedReceiver<Command> {
        self.root.actor.cast(SupervisorCommand::Shutdown).unwrap();
        timeout(PATIENCE, self.root.wait())
            .await
            .expect("it does not stop");
        self.heard
    }
}

/// Waits for something that other processes do.
pub async fn until(what: &str, mut there: impl FnMut() -> bool) {
    let wait = async {
        while !there() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("waited in vain until {what}"));
}

/// The processes whose mark begins so, by number and command.
pub fn marked(mark: &str) -> Vec<String> {
    let wanted = format!("DIRECTOR_MARK={mark}/");
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let carries = |process: &std::fs::DirEntry| {
        std::fs::read(process.path().join("environ"))
            .is_ok_and(|environ| String::from_utf8_lossy(&environ).contains(&wanted))
    };
    let name = |process: std::fs::DirEntry| {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        format!(
            "{:?} {}",
            process.file_name(),
            String::from_utf8_lossy(&command)
        )
    };
    processes.filter(carries).map(name).collect()
}
