//! A service's actor: hosts one long task, such as the control socket's server.
//!
//! The task is ended when the actor is stopped; when the task ends by itself the actor fails, so that it is
//! restarted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use director_runtime::supervisor::{ChildSpec, Restart, spawn_child};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;

/// A task that runs until it fails.
pub type Task = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Makes the task anew for each incarnation.
pub type MakeTask = Arc<dyn Fn() -> Task + Send + Sync>;

/// The actor as a child.
pub fn child(name: &str, make: MakeTask) -> ChildSpec {
    ChildSpec::new(name.to_owned(), Restart::Permanent, move |_| {
        let spawned = spawn_child(Service, Arc::clone(&make))?;
        Ok(spawned.started)
    })
}

struct Service;

struct Ended(Result<(), String>);

struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Actor for Service {
    type Msg = Ended;
    type State = Running;
    type Arguments = MakeTask;

    async fn pre_start(
        &self,
        myself: ActorRef<Ended>,
        make: MakeTask,
    ) -> Result<Running, ActorProcessingErr> {
        let task = make();
        Ok(Running(tokio::spawn(async move {
            let ended = task.await;
            // One that is being stopped needs no news of its task.
            let _ = myself.cast(Ended(ended));
        })))
    }

    async fn handle(
        &self,
        _: ActorRef<Ended>,
        Ended(ended): Ended,
        _: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        Err(ended
            .err()
            .unwrap_or_else(|| "it ended by itself".to_owned())
            .into())
    }
}
