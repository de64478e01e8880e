//! Two drivers of the engine on virtual time that have to agree: the bare event heap of `director simulate`, and the real
//! actors on tokio's paused clock with scripted agents, git, gates and people.
//!
//! Both draw from the same models with the same luck, and both take what happens in one instant in rounds, sorted. So for one
//! plan and one seed they write the same decision records, byte for byte.
//!
//! Elsewhere: who plays the world around the real actors is `stage`; the plans are `plans`.

pub mod plans;
mod stage;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use director::actors::director::{Rounds, Settled};
use director::estimate::random::Luck;
use director::simulate::prepare::Prepared;
use director::simulate::world::{Ending, World, jitter};
use director::system::Builder;
use director_protocols::command::Command;
use director_protocols::event::{decode_events, encode_events};
use director_protocols::sprint::SprintSpec;
use director_runtime::clock::Clock;
use director_runtime::journal::{MemoryStore, Store};

use stage::Stage;

/// The kind of agent that plays what the models say.
pub const PLAYER: &str = "player";

/// One decision: when, and its events as they lie in the journal. What differs from director to director (the epoch, the
/// hash of the record before) is not in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// In milliseconds.
    pub at: u64,
    /// The encoded events.
    pub payload: Vec<u8>,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let events = decode_events(&self.payload).unwrap_or_default();
        let lines: Vec<String> = events
            .iter()
            .map(|event| format!("{} {}", event.name(), event.fields()))
            .collect();
        write!(f, "{} {}", self.at, lines.join("; "))
    }
}

/// What the bare driver decides in run `run` of `seed`, until the sprint is over.
///
/// # Errors
/// Why it never is, with what was decided until then.
///
/// # Panics
/// When a decision cannot be encoded.
pub fn bare(set: &Prepared, seed: u64, run: u64) -> Result<Vec<Record>, (String, Vec<Record>)> {
    let mut records = Vec::new();
    let ending = World::new(set).run_with(seed, run, &mut |_, at, decision| {
        if !decision.events.is_empty() {
            let payload = encode_events(&decision.events).expect("it can be encoded");
            records.push(Record { at: at.0, payload });
        }
    });
    match ending {
        Ending::Ended => Ok(records),
        Ending::Stuck(why) => Err((why, records)),
    }
}

/// What the real actors decide in the same run, until the sprint is over or ten years have passed.
///
/// # Panics
/// When the actors cannot be started, or refuse the sprint.
pub fn actors(set: &'static Prepared, spec: &SprintSpec, seed: u64, run: u64) -> Vec<Record> {
    let store = MemoryStore::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        // What is put off with `yield_now` runs when nothing else can, not after so many others.
        .event_interval(u32::MAX)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let stage = Arc::new(Stage::default());
        let played = Arc::clone(&stage);
        let running = Builder::new(std::env::temp_dir().join("director-never-written"))
            .registry(stage::registry(&stage))
            .clock(Clock::tokio(0))
            .store(Box::new(store.reopen().expect("an empty journal")))
            .seed(jitter(Luck::of(seed, run)))
            .rounds(Rounds::Gathered(settled()))
            .performer(move |ports, handle| {
                played.open(set, (seed, run), ports, handle);
                Arc::clone(&played) as _
            })
            .start()
            .await
            .expect("starts");
        let looks_on = tokio::spawn(Arc::clone(&stage).look_on());
        let submit = Command::Submit(Box::new(spec.clone()));
        running.handle.command(submit).await.expect("accepted");
        let ten_years = Duration::from_secs(10 * 365 * 86_400);
        let _ = tokio::time::timeout(ten_years, looks_on).await;
        // Dropped here with the runtime: a kill.
    });
    drop(runtime);
    records(&store)
}

/// Waits until no task can run: each yield lets all those run that could, and those that they wake.
fn settled() -> Settled {
    const YIELDS: usize = 4;
    Arc::new(|| {
        Box::pin(async {
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
        })
    })
}

fn records(store: &MemoryStore) -> Vec<Record> {
    let mut records = Vec::new();
    let mut opened = store.reopen().expect("opens");
    opened
        .read_from(1, &mut |record| {
            records.push(Record {
                at: record.time_ms,
                payload: record.payload,
            });
            ControlFlow::Continue(())
        })
        .expect("reads");
    records
}
