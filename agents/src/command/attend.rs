//! Runs a process for an attempt and stays beside it: stops it when the attempt is called off, and looks every few
//! seconds whether it does anything.
//!
//! Evidence is output, processor time, I/O and the report file; a process that computes for an hour without a word
//! is working. One that shows nothing for the assignment's `wedged_after` is ended as wedged.
//!
//! Elsewhere: the judgement is [`crate::liveness`], the process [`crate::process`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use director_protocols::time::Span;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::files::redacted;
use super::report;
use crate::agent::BoxFuture;
use crate::context::Context;
use crate::liveness::{Evidence, Monitor, Policy, State};
use crate::process::{self, Hooks, OnLine, Outcome, Probe, ProcessError, Sample, Spec, Stop};

/// Between two looks, at most.
const LOOK_MAX: Duration = Duration::from_secs(2);
/// Between two looks, at least.
const LOOK_MIN: Duration = Duration::from_millis(50);
/// A machine that slept for longer than this is not held against the process.
const GAP_MS: u64 = 60_000;

/// What is watched beside the process itself.
pub(crate) struct Watch<'a> {
    /// The report file; its progress is passed on.
    pub(crate) report: &'a Path,
    /// Variables whose values stay out of what is said.
    pub(crate) passed: &'a BTreeMap<String, String>,
    /// No sign of life for so long is said.
    pub(crate) silent_after: Span,
    /// No sign of life for so long ends it.
    pub(crate) wedged_after: Span,
    /// Tools that have been called and have not answered.
    pub(crate) tools: Arc<AtomicUsize>,
    /// Called for each line of standard output.
    pub(crate) on_line: Option<OnLine<'a>>,
    /// What else goes to standard input, as it comes.
    pub(crate) input: Option<mpsc::UnboundedReceiver<Vec<u8>>>,
    /// Ready once nothing more is wanted of the process and it has had time to end.
    pub(crate) leave: BoxFuture<'a, ()>,
}

/// Runs the process to its end.
pub(crate) async fn attend(
    cx: &Context,
    spec: Spec,
    mut watch: Watch<'_>,
) -> Result<Outcome, ProcessError> {
    let (order, stop) = watch::channel(Stop::Go);
    let probe = Arc::new(Probe::default());
    let hooks = Hooks {
        on_line: watch.on_line.take(),
        input: watch.input.take(),
        probe: Some(Arc::clone(&probe)),
    };
    let guard = cx.host().guard.clone();
    let mut run = std::pin::pin!(process::run(spec, guard.as_deref(), stop, hooks));
    let mut cancelled = std::pin::pin!(cx.cancelled());
    let mut leave = std::mem::replace(&mut watch.leave, never());
    let every = look_every(watch.wedged_after);
    let mut looks = interval_at(Instant::now() + every, every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut monitor = Monitor::new(policy(watch.silent_after, watch.wedged_after));
    let mut word = "working";
    let mut seen = report_stamp(watch.report);
    loop {
        tokio::select! {
            biased;
            outcome = &mut run => return outcome,
            () = &mut cancelled, if *order.borrow() == Stop::Go => {
                order.send_replace(Stop::Cancel);
            }
            () = &mut leave, if *order.borrow() == Stop::Go => {
                order.send_replace(Stop::Cancel);
            }
            _ = looks.tick() => {
                let sample = look(&probe).await;
                let stamp = report_stamp(watch.report);
                if stamp != seen {
                    seen = stamp;
                    pass_on_progress(cx, &watch);
                }
                let evidence = Evidence {
                    output_bytes: sample.output_bytes,
                    cpu_ms: sample.cpu_ms,
                    io_bytes: sample.io_bytes,
                    files_changed: stamp,
                    tool_in_flight: watch.tools.load(Ordering::Relaxed) > 0,
                    ..Evidence::default()
                };
                let Some(change) = monitor.observe(cx.now().0, evidence) else { continue };
                if word_for(change.to) != word {
                    word = word_for(change.to);
                    cx.liveness(word);
                }
                if change.to == State::Wedged && *order.borrow() == Stop::Go {
                    order.send_replace(Stop::Wedged);
                }
            }
        }
    }
}

/// Nothing is known before the process has ended.
pub(crate) fn never<'a>() -> BoxFuture<'a, ()> {
    Box::pin(std::future::pending())
}

/// Ten looks before the verdict, but not more often than is good for the machine.
fn look_every(wedged_after: Span) -> Duration {
    (wedged_after.to_std() / 10).clamp(LOOK_MIN, LOOK_MAX)
}

fn policy(silent_after: Span, wedged_after: Span) -> Policy {
    Policy {
        silent_after_ms: silent_after.0,
        wedged_after_ms: wedged_after.0,
        // A tool may wait for a far machine.
        tool_wedged_after_ms: wedged_after.0.saturating_mul(2),
        gap_ms: GAP_MS,
        ..Policy::default()
    }
}

fn word_for(state: State) -> &'static str {
    match state {
        State::Working | State::LongTool | State::Dead => "working",
        State::Silent => "silent",
        State::Waiting => "waiting",
        State::Wedged => "wedged",
    }
}

async fn look(probe: &Arc<Probe>) -> Sample {
    let probe = Arc::clone(probe);
    // It reads all of /proc. If the runtime is going down, nothing was seen.
    tokio::task::spawn_blocking(move || probe.sample())
        .await
        .unwrap_or_default()
}

/// A number that changes when the file does.
fn report_stamp(path: &Path) -> u64 {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return 0;
    };
    let changed = found
        .modified()
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let nanos = changed.map_or(0, |at| at.as_nanos() as u64);
    nanos.wrapping_mul(31).wrapping_add(found.len()).max(1)
}

/// Half-written files come by here; they say nothing, and the next look is near.
fn pass_on_progress(cx: &Context, watch: &Watch<'_>) {
    let said = report::read(watch.report);
    cx.spent(said.report.cost_micros);
    if let Some(percent) = said.progress {
        let words = match said.doing.is_empty() {
            true => said.report.summary,
            false => said.doing,
        };
        cx.progress(percent, redacted(words, watch.passed));
    }
}
