//! What our mailbox and our supervisor cost beside ractor alone, in instructions.
//!
//! `cargo run --release -p director-runtime --example beside_ractor` runs itself under `valgrind --tool=callgrind`, each path with
//! two numbers of messages or crashes, and prints what one more costs and the ratio to ractor's own way. Instructions do not
//! depend on how busy the machine is. With the name of a path and a number it runs that path and prints nothing.
//!
//! | path | ractor alone | ours |
//! | --- | --- | --- |
//! | `tell` | a flood of messages to one actor, which counts them; the sender yields after every 128 | the same through a [`Mailbox`]; ractor's queue carries wakes |
//! | `hop` | one message goes to and fro between two actors, so each has to be woken | the same |
//! | `crash` | an actor fails with an error, its parent hears of it and spawns it again | the same under a [`Supervisor`](director_runtime::supervisor::Supervisor), without backoff |

use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use director_runtime::clock::Clock;
use director_runtime::mailbox::{Class, Limits, Mailbox};
use director_runtime::supervisor::{
    Backoff, ChildSpec, Lifecycle, Restart, Subtree, SupervisorActor, SupervisorArgs,
    SupervisorSpec, spawn_child, spawn_root,
};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::oneshot;

/// Messages after which a flooding sender lets others run.
const FLOOD: u64 = 128;

type Done = Arc<Mutex<Option<oneshot::Sender<()>>>>;

fn done() -> (Done, oneshot::Receiver<()>) {
    let (tell, told) = oneshot::channel();
    (Arc::new(Mutex::new(Some(tell))), told)
}

fn finish(done: &Done) {
    if let Some(tell) = done.lock().expect("nobody panics").take() {
        // Whoever waits may have gone.
        let _ = tell.send(());
    }
}

/// Counts messages down, and passes each on if there is somebody to pass it to.
struct Plain;

struct PlainState {
    left: u64,
    peer: Arc<OnceLock<ActorRef<u64>>>,
    done: Done,
}

impl Actor for Plain {
    type Msg = u64;
    type State = PlainState;
    type Arguments = PlainState;

    async fn pre_start(
        &self,
        _: ActorRef<u64>,
        state: PlainState,
    ) -> Result<PlainState, ActorProcessingErr> {
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<u64>,
        message: u64,
        state: &mut PlainState,
    ) -> Result<(), ActorProcessingErr> {
        state.left -= 1;
        if state.left == 0 {
            finish(&state.done);
        } else if let Some(peer) = state.peer.get() {
            peer.cast(message + 1)?;
        }
        Ok(())
    }
}

struct Wake;

/// A mailbox and the way to wake its reader: as the director's own.
#[derive(Clone)]
struct Place {
    mailbox: Mailbox<u64>,
    woken: Arc<AtomicBool>,
    actor: Arc<OnceLock<ActorRef<Wake>>>,
}

impl Place {
    fn new() -> Self {
        Self {
            mailbox: Mailbox::new(Limits::each(usize::MAX)),
            woken: Arc::default(),
            actor: Arc::default(),
        }
    }

    fn send(&self, message: u64) {
        let sent = self.mailbox.push(Class::Handoff, message);
        assert!(sent.is_ok(), "the mailbox has no limit and stays open");
        if !self.woken.swap(true, Ordering::AcqRel)
            && let Some(actor) = self.actor.get()
        {
            // It may have ended with the last message.
            let _ = actor.cast(Wake);
        }
    }
}

/// The same actor behind a mailbox of ours.
struct Ours;

struct OursState {
    place: Place,
    peer: Option<Place>,
    left: u64,
    done: Done,
}

impl Actor for Ours {
    type Msg = Wake;
    type State = OursState;
    type Arguments = OursState;

    async fn pre_start(
        &self,
        _: ActorRef<Wake>,
        state: OursState,
    ) -> Result<OursState, ActorProcessingErr> {
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<Wake>,
        Wake: Wake,
        state: &mut OursState,
    ) -> Result<(), ActorProcessingErr> {
        state.place.woken.store(false, Ordering::Release);
        while let Some((_, message)) = state.place.mailbox.take() {
            state.left -= 1;
            if state.left == 0 {
                finish(&state.done);
            } else if let Some(peer) = &state.peer {
                peer.send(message + 1);
            }
        }
        Ok(())
    }
}

async fn plain(count: u64, hop: bool) {
    let (done, over) = done();
    let actor = async |peer: &Arc<OnceLock<ActorRef<u64>>>| {
        let state = PlainState {
            left: count,
            peer: Arc::clone(peer),
            done: Arc::clone(&done),
        };
        Actor::spawn(None, Plain, state).await.expect("spawns").0
    };
    let (nobody, first, second) = (Arc::default(), Arc::default(), Arc::default());
    if hop {
        let one = actor(&second).await;
        let other = actor(&first).await;
        assert!(first.set(one.clone()).is_ok() && second.set(other).is_ok());
        one.cast(0).expect("it is up");
    } else {
        let one = actor(&nobody).await;
        for n in 0..count {
            one.cast(n).expect("it is up");
            if n % FLOOD == FLOOD - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
    over.await.expect("the actor counts to the end");
}

async fn ours(count: u64, hop: bool) {
    let (done, over) = done();
    let (one, other) = (Place::new(), Place::new());
    let raise = async |place: &Place, peer: Option<&Place>| {
        let state = OursState {
            place: place.clone(),
            peer: peer.cloned(),
            left: count,
            done: Arc::clone(&done),
        };
        let actor = Actor::spawn(None, Ours, state).await.expect("spawns").0;
        assert!(place.actor.set(actor).is_ok());
    };
    if hop {
        raise(&one, Some(&other)).await;
        raise(&other, Some(&one)).await;
        one.send(0);
    } else {
        raise(&one, None).await;
        for n in 0..count {
            one.send(n);
            if n % FLOOD == FLOOD - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
    over.await.expect("the actor counts to the end");
}

/// Fails with its first message, which it sends itself.
struct Mortal;

impl Actor for Mortal {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn post_start(
        &self,
        myself: ActorRef<()>,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        myself.cast(())?;
        Ok(())
    }

    async fn handle(&self, _: ActorRef<()>, (): (), (): &mut ()) -> Result<(), ActorProcessingErr> {
        Err("it fails".into())
    }
}

/// Spawns its child again until it has failed often enough: what one writes with ractor alone.
struct Parent;

impl Actor for Parent {
    type Msg = ();
    type State = (u64, Done);
    type Arguments = (u64, Done);

    async fn pre_start(
        &self,
        myself: ActorRef<()>,
        state: (u64, Done),
    ) -> Result<(u64, Done), ActorProcessingErr> {
        Actor::spawn_linked(None, Mortal, (), myself.get_cell()).await?;
        Ok(state)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<()>,
        event: SupervisionEvent,
        (left, done): &mut (u64, Done),
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(..) = event {
            *left -= 1;
            if *left == 0 {
                finish(done);
            } else {
                Actor::spawn_linked(None, Mortal, (), myself.get_cell()).await?;
            }
        }
        Ok(())
    }
}

async fn plain_crashes(count: u64) {
    let (done, over) = done();
    let parent = Actor::spawn(None, Parent, (count, done)).await;
    parent.expect("spawns");
    over.await.expect("the parent counts to the end");
}

async fn our_crashes(count: u64) {
    let (done, over) = done();
    let at_once = Backoff {
        min_ms: 0,
        max_ms: 0,
        jitter_permille: 0,
        stable_ms: u64::MAX,
    };
    let child = ChildSpec::new("mortal", Restart::Permanent, |_| {
        Ok(spawn_child(Mortal, ())?.started)
    });
    let spec = SupervisorSpec::named("parent")
        .backoff(at_once)
        // Otherwise the window of restarts would grow with the number of crashes.
        .child(child.charged_elsewhere(|_, _| true));
    let mut left = count;
    let arguments = SupervisorArgs {
        spec: spec.build().expect("a sound spec"),
        clock: Clock::system(),
        subtree: Subtree::default(),
        observer: Some(Box::new(move |event| {
            if let Lifecycle::Exited { .. } = event {
                left = left.saturating_sub(1);
                if left == 0 {
                    finish(&done);
                }
            }
        })),
    };
    let _root = spawn_root(SupervisorActor, arguments).expect("spawns");
    over.await.expect("the supervisor counts to the end");
}

/// Each path: its name, and two numbers of rounds whose difference is looked at.
const PATHS: [(&str, u64, u64); 3] = [
    ("tell", 20_000, 60_000),
    ("hop", 20_000, 60_000),
    ("crash", 1_000, 3_000),
];

async fn run(path: &str, count: u64) -> bool {
    match path {
        "tell-ractor" => plain(count, false).await,
        "tell-ours" => ours(count, false).await,
        "hop-ractor" => plain(count, true).await,
        "hop-ours" => ours(count, true).await,
        "crash-ractor" => plain_crashes(count).await,
        "crash-ours" => our_crashes(count).await,
        _ => return false,
    }
    true
}

/// Instructions of one run of this program under callgrind.
fn instructions(path: &str, count: u64) -> Result<u64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .args([path, &count.to_string()])
        .output()
        .map_err(|error| format!("valgrind cannot be started ({error}); install it"))?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let counted = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    match counted.and_then(|(_, number)| number.trim().parse().ok()) {
        Some(number) if output.status.success() => Ok(number),
        _ => Err(text),
    }
}

fn compare() -> Result<(), String> {
    println!(
        "{:<8} {:>10} {:>10} {:>7}",
        "path", "ractor", "ours", "ratio"
    );
    for (path, few, many) in PATHS {
        let each = |who: &str| -> Result<f64, String> {
            let path = format!("{path}-{who}");
            let more = instructions(&path, many)? as f64 - instructions(&path, few)? as f64;
            Ok(more / (many - few) as f64)
        };
        let (ractor, ours) = (each("ractor")?, each("ours")?);
        println!(
            "{path:<8} {ractor:>10.0} {ours:>10.0} {:>7.2}",
            ours / ractor
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [path, count] = words.as_slice() else {
        return match compare() {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                eprintln!("{reason}");
                ExitCode::FAILURE
            }
        };
    };
    let known = count.parse().is_ok_and(|count| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(async {
                // A run that hangs is a bug, not a measurement.
                tokio::time::timeout(Duration::from_secs(600), run(path, count)).await
            })
            .expect("the run ends")
    });
    if known {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "one of tell, hop and crash, with -ractor or -ours behind it, and a number; or nothing"
    );
    ExitCode::from(2)
}
