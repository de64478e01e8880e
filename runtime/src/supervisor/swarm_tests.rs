//! Many children, many seeded faults: one seed gives the same bytes, and generations never overlap on real threads.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::time::sleep;

use super::stage::{Cast, Do, Way, plain, quiet};
use super::*;
use crate::clock::Clock;
use crate::directory::Directory;

const CHILDREN: usize = 30;

/// Some incarnations fail at their start, some hang or fail at their stop; which ones depends on name and generation only.
fn frail(name: &str, generation: u64) -> (Way, Way) {
    let place = name.bytes().map(u64::from).sum::<u64>() + 31 * generation;
    let start = match place % 499 {
        0 => Way::Panic,
        1 => Way::Fail,
        _ => Way::Well,
    };
    let stop = match place % 97 {
        0 => Way::Hang,
        1 => Way::Panic,
        2 => Way::Fail,
        _ => Way::Well,
    };
    (start, stop)
}

async fn run(strategy: Strategy, seed: u64, faults: usize) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let cast = Cast::new(frail);
    let mut spec = plain(strategy)
        .intensity(10_000, Duration::from_secs(1))
        .seed(seed)
        .backoff(Backoff::default());
    let names: Vec<_> = (0..CHILDREN).map(|n| format!("c{n:02}")).collect();
    for name in &names {
        spec = spec.child(cast.child(name, Restart::Permanent));
    }
    let stage = cast.raise(spec);
    sleep(Duration::from_secs(60)).await;
    for _ in 0..faults {
        let name = &names[random.next_u64() as usize % CHILDREN];
        match random.next_u64() % 5 {
            0 => stage.tell(name, Do::Panic),
            1 => stage.tell(name, Do::Fail),
            2 => stage.tell(name, Do::Hang),
            3 => stage.tell(name, Do::Finish),
            _ => drop(
                stage
                    .ask(|reply| SupervisorCommand::Kill(name.as_str().into(), reply))
                    .await,
            ),
        }
        // Some faults come in one instant.
        sleep(Duration::from_millis(
            (random.next_u64() % 60_000).saturating_sub(10_000),
        ))
        .await;
    }
    sleep(Duration::from_secs(600)).await;
    for view in stage.tree.view() {
        assert_eq!(view.child.state, ChildState::Running, "{view:?}");
    }
    stage.end().await
}

fn on_virtual_time(strategy: Strategy, seed: u64, faults: usize) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(run(strategy, seed, faults))
}

#[test]
fn four_hundred_faults_in_thirty_children_leave_everyone_running() {
    quiet();
    for strategy in [Strategy::OneForOne, Strategy::RestForOne] {
        let log = on_virtual_time(strategy, 1, 400);
        assert!(log.ends_with("top stopped\n"), "{strategy:?}\n{log}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    quiet();
    for strategy in [
        Strategy::OneForOne,
        Strategy::OneForAll,
        Strategy::RestForOne,
    ] {
        let first = on_virtual_time(strategy, 1, 40);
        for repeat in 0..20 {
            let again = on_virtual_time(strategy, 1, 40);
            assert!(again == first, "{strategy:?}, repeat {repeat} differs");
        }
        assert!(
            on_virtual_time(strategy, 2, 40) != first,
            "another seed is another run"
        );
    }
}

/// Holds something that only one incarnation may have: a lock file, a port, a worktree.
struct Holder;

struct Held {
    name: String,
    held: Directory<String, ()>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.held.remove(&self.name);
    }
}

impl Actor for Holder {
    type Msg = Do;
    type State = Held;
    type Arguments = (String, Directory<String, ()>, Directory<String, ()>);

    async fn pre_start(
        &self,
        _: ActorRef<Do>,
        (name, held, overlaps): Self::Arguments,
    ) -> Result<Held, ActorProcessingErr> {
        if held.insert_new(name.clone(), ()).is_err() {
            overlaps.insert(name.clone(), ());
        }
        Ok(Held { name, held })
    }

    async fn handle(
        &self,
        myself: ActorRef<Do>,
        told: Do,
        _: &mut Held,
    ) -> Result<(), ActorProcessingErr> {
        match told {
            Do::Panic => panic!("told to"),
            Do::Fail => Err("told to".into()),
            Do::Hang => std::future::pending().await,
            Do::Finish => {
                myself.stop(None);
                Ok(())
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_real_threads_an_incarnation_starts_only_when_the_one_before_has_let_go() {
    quiet();
    let (held, overlaps, actors) = (Directory::new(), Directory::new(), Directory::new());
    let backoff = Backoff {
        min_ms: 0,
        max_ms: 0,
        jitter_permille: 0,
        stable_ms: 0,
    };
    let mut spec = SupervisorSpec::named("top")
        .intensity(u32::MAX, Duration::from_secs(1))
        .backoff(backoff);
    let names: Vec<_> = (0..8).map(|n| format!("h{n}")).collect();
    for name in &names {
        let (held, overlaps, actors) = (held.clone(), overlaps.clone(), actors.clone());
        spec = spec.child(ChildSpec::new(
            name.as_str(),
            Restart::Permanent,
            move |context| {
                let name = context.child.to_string();
                let spawned = spawn_child(Holder, (name.clone(), held.clone(), overlaps.clone()))?;
                actors.insert(name, spawned.actor);
                Ok(spawned.started)
            },
        ));
    }
    let tree = Subtree::new();
    let spec = spec.build().unwrap();
    let arguments = SupervisorArgs {
        spec,
        clock: Clock::system(),
        subtree: tree.clone(),
        observer: None,
    };
    let root = spawn_root(SupervisorActor, arguments).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let starts = |tree: &Subtree| {
        tree.view()
            .iter()
            .map(|view| view.child.generation.0)
            .sum::<u64>()
    };
    let begin = std::time::Instant::now();
    while starts(&tree) < 4_000 {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "stuck: {:?}",
            tree.view()
        );
        let name = &names[random.next_u64() as usize % names.len()];
        let Some(actor) = actors.get(name) else {
            tokio::task::yield_now().await;
            continue;
        };
        match random.next_u64() % 5 {
            0 => drop(actor.cast(Do::Panic)),
            1 => drop(actor.cast(Do::Fail)),
            2 => drop(actor.cast(Do::Finish)),
            3 => actor.kill(),
            _ => {
                let (reply, _) = tokio::sync::oneshot::channel();
                root.actor
                    .cast(SupervisorCommand::Kill(name.as_str().into(), reply))
                    .unwrap();
            }
        }
        tokio::task::yield_now().await;
    }
    root.actor.cast(SupervisorCommand::Shutdown).unwrap();
    let exit = tokio::time::timeout(Duration::from_secs(30), root.wait())
        .await
        .expect("a shutdown that ends");
    assert_eq!(exit, Exit::Stopped);
    assert_eq!(
        overlaps.snapshot(),
        [],
        "two incarnations held the same thing at once"
    );
    assert!(held.is_empty() && tree.alive() == 0);
}
