//! Simulations for others: as `director simulate`, but bounded in runs and time, a few at once, and on a thread of their own.
//!
//! Whoever asks may hang up: the runs end then. At the limit of time the answer is what is known by then, and says of how many runs.
//!
//! Invariant: at most [`AT_ONCE_MAX`] of this process at a time, and none for longer than [`TIME_MAX`] after it was made ready.
//! Elsewhere: what is run is [`super`]; parameters are rows of the table of `http`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use director_protocols::manifest::Purpose;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::stand::{NEVER_DONE, Stand};
use super::{Question, Wanted, run};
use crate::control::desk::{self, Desk};
use crate::control::protocol::{Answer, Fault, FaultKind, Op, Order};
use crate::control::submission::File;
use crate::report::forecast as render;

/// The most runs.
pub const RUNS_MAX: u64 = 100_000;

/// How long the runs of one question may take.
pub const TIME_MAX: Duration = Duration::from_secs(30);

/// Simulations at the same time; one more is told to come again.
pub const AT_ONCE_MAX: usize = 2;

/// Columns of the text.
const WIDTH: usize = 100;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE_MAX);

/// What is asked for, as the table of calls has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    sprint: Option<String>,
    at: Option<u64>,
    runs: Option<u64>,
    seed: Option<u64>,
    faults: Option<String>,
    what_if: Vec<String>,
    precision: Option<f64>,
    format: Option<String>,
    by: String,
}

impl Asked {
    /// From the arguments of a call.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of(args: Map<String, Value>) -> Result<Self, Fault> {
        serde_json::from_value(Value::Object(args))
            .map_err(|error| Fault::new(FaultKind::BadRequest, error.to_string()))
    }

    fn wanted(&self, kinds: &[String]) -> Wanted {
        let all = thread::available_parallelism().map_or(1, usize::from);
        Wanted {
            runs: self.runs.unwrap_or(10_000).min(RUNS_MAX),
            seed: self.seed.unwrap_or(1),
            faults: self.faults.clone().unwrap_or_else(|| "calm".to_owned()),
            // Files of this machine are nothing to whoever asks from elsewhere.
            files: false,
            what_if: self.what_if.clone(),
            precision: self.precision,
            // The director has work of its own.
            threads: (all / 2).max(1),
            kinds: kinds.to_vec(),
            stop: Arc::default(),
        }
    }

    fn written(&self, shown: &render::Shown<'_>) -> Answer {
        Answer {
            text: match self.format.as_deref() {
                Some("svg") => render::histogram(shown),
                Some("html") => render::html(shown),
                _ => render::text(shown, WIDTH),
            },
            json: render::json(shown),
            ..Answer::default()
        }
    }
}

/// Forecasts a sprint file, from its start.
///
/// # Errors
/// What is wrong with it, or that too many are asked for at once.
pub async fn of_file(desk: &impl Desk, file: File, asked: Asked) -> Result<Answer, Fault> {
    let wanted = asked.wanted(&desk.place().kinds);
    bounded(Arc::clone(&wanted.stop), move || {
        let manifest = file.read(Purpose::Plan, &wanted.kinds);
        let manifest = manifest.map_err(|why| Fault::new(FaultKind::BadSprint, why))?;
        let question = Question::of_file(manifest, file, &wanted)?;
        let found = run(&question, &wanted, &mut |_, _| {})?;
        Ok(asked.written(&found.shown(&question, &wanted, false)))
    })
    .await
}

/// Forecasts what is left of a sprint that is under way.
///
/// # Errors
/// That there is none, what about the question makes no sense, or that too many are asked for at once.
pub async fn of_rest(desk: &impl Desk, asked: Asked) -> Result<Answer, Fault> {
    ahead(desk, asked).await.map(|(answer, _)| answer)
}

/// The same, and keeps it in the journal.
///
/// # Errors
/// As [`of_rest`], or that there is nothing to keep.
pub async fn recorded(desk: &impl Desk, asked: Asked) -> Result<Answer, Fault> {
    let (answer, order) = ahead(desk, asked).await?;
    let order = order.ok_or_else(|| Fault::new(FaultKind::Rejected, NEVER_DONE))?;
    let said = desk.serve(Op::Order(order)).await?;
    Ok(desk::done(said, json!({ "forecast": answer.json })))
}

async fn ahead(desk: &impl Desk, asked: Asked) -> Result<(Answer, Option<Order>), Fault> {
    let wanted = asked.wanted(&desk.place().kinds);
    let records = desk.records().await?;
    bounded(Arc::clone(&wanted.stop), move || {
        let stand = Stand::of(records, asked.sprint.as_deref(), asked.at, &wanted)?;
        let (question, wanted) = stand.question(wanted)?;
        let found = run(&question, &wanted, &mut |_, _| {})?;
        let order = stand.to_record(&found.base, wanted.seed, &asked.by);
        let answer = asked.written(&found.shown(&question, &wanted, false));
        Ok((answer, order))
    })
    .await
}

/// Sets it when it is dropped: nobody waits any more.
struct Ends(Arc<AtomicBool>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn bounded<T: Send + 'static>(
    stop: Arc<AtomicBool>,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let Ok(turn) = TURNS.try_acquire() else {
        let why = format!("{AT_ONCE_MAX} simulations are under way; wait a little");
        return Err(Fault::new(FaultKind::Busy, why));
    };
    let ends = Ends(stop);
    let mut done = std::pin::pin!(desk::blocking(move || {
        // Until the thread is free again, whoever waits.
        let _turn = turn;
        work()
    }));
    match tokio::time::timeout(TIME_MAX, &mut done).await {
        Ok(done) => done?,
        Err(_) => {
            ends.0.store(true, Ordering::Relaxed);
            done.await?
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_so_many_run_at_once_and_whoever_hangs_up_or_waits_too_long_ends_its_own() {
        let held = |stop: &Arc<AtomicBool>| {
            let (ask, seen) = (Arc::clone(stop), Arc::clone(stop));
            bounded(ask, move || {
                while !seen.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                Ok(())
            })
        };
        let stops: Vec<Arc<AtomicBool>> = (0..AT_ONCE_MAX).map(|_| Arc::default()).collect();
        let waits: Vec<_> = stops.iter().map(|stop| tokio::spawn(held(stop))).collect();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let more = held(&Arc::default()).await;
        assert_eq!(more.map_err(|fault| fault.kind), Err(FaultKind::Busy));
        // One hangs up, the other waits until its time is over. A clock does not go on by itself beside threads.
        waits[0].abort();
        tokio::time::advance(TIME_MAX).await;
        let mut waits = waits.into_iter();
        assert!(waits.next().expect("two").await.is_err(), "called off");
        assert!(stops[0].load(Ordering::Relaxed));
        assert_eq!(waits.next().expect("two").await.expect("whole"), Ok(()));
        while TURNS.available_permits() < AT_ONCE_MAX {
            thread::yield_now();
        }
    }
}
