//! Gates: commands that judge a commit, each with limits, and what came out of each in words.
//!
//! Every gate runs, also after one failed: the report wants all of them. How a command ends is always an
//! outcome; only a directory that cannot be had is an error. Gates run in the sprint's integration worktree,
//! one run at a time, or in the task's scratch directory where there is no repository.
//!
//! Elsewhere: which gates there are, and what a failed one means, is the engine's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use director_agents::process::{
    self, Exit, Hooks, Outcome, Probe, ProcessError, Sandbox, Spec, Stop,
};
use director_protocols::command::Command;
use director_protocols::ids::EffectId;
use director_protocols::sandbox::Sandbox as Allowed;
use director_protocols::sprint::{Check, GateSpec, RunSpec};
use director_protocols::time::Span;
use director_protocols::work::{GateOutcome, Verdict};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::coverage::{self, Coverage};
use super::{CallOff, Trouble, Workshop};
use crate::engine::orders::{Order, Place};

/// Most of a gate's output that goes into its outcome, in bytes.
const TAIL_MAX: usize = 4 * 1024;
/// A gate that prints more than this, or 64 times what is kept of it, is stopped, in bytes.
const RUNAWAY_MIN: u64 = 256 << 20;
/// How often its output is measured.
const MEASURE: Duration = Duration::from_millis(200);

/// One run of gates.
struct Run<'a> {
    place: &'a Place,
    /// The commit to judge; empty without a repository.
    commit: &'a str,
    /// The tasks whose work it is; none for the base.
    tasks: Vec<&'a str>,
    gates: &'a [GateSpec],
    output_max: u64,
    /// What they may touch.
    sandbox: Option<&'a Allowed>,
}

impl Workshop {
    /// Runs the gates of one order and reports what came of it. Empty when it was called off, and for an order that
    /// is not the gatekeeper's.
    pub async fn run_gates(
        self: Arc<Self>,
        effect: EffectId,
        order: &Order,
        call_off: &CallOff,
    ) -> Vec<Command> {
        let run = match order {
            Order::CheckBase(place, gates, output_max) => Run {
                place,
                commit: &place.started_at,
                tasks: Vec::new(),
                gates,
                output_max: *output_max,
                sandbox: place.sandbox.as_deref(),
            },
            Order::RunGates {
                place,
                batch,
                commit,
                gates,
                output_max,
            } => Run {
                place,
                commit,
                tasks: batch.iter().map(|piece| piece.task.as_str()).collect(),
                gates,
                output_max: *output_max,
                sandbox: place.sandbox.as_deref(),
            },
            // What is deployed is asked in the tree that is deployed, by commands that may need your keys.
            Order::Deployment(place, gate, commit, output_max) => Run {
                place,
                commit,
                tasks: Vec::new(),
                gates: std::slice::from_ref(gate),
                output_max: *output_max,
                sandbox: None,
            },
            _ => return Vec::new(),
        };
        match self.judge(effect, &run, call_off).await {
            Ok(outcomes) => vec![Command::GatesFinished { effect, outcomes }],
            Err(Trouble::CalledOff) => Vec::new(),
            Err(trouble) => vec![Command::EffectFailed {
                effect,
                reason: format!("no gate could run: {trouble}"),
            }],
        }
    }

    async fn judge(
        self: &Arc<Self>,
        effect: EffectId,
        run: &Run<'_>,
        call_off: &CallOff,
    ) -> Result<Vec<GateOutcome>, Trouble> {
        let (_hall, dir, began) = self.directory(run, call_off).await?;
        let mut stopped = self.floor(run.place).stop.subscribe();
        let mut outcomes = Vec::new();
        let commands = run.gates.iter().filter_map(|gate| match &gate.check {
            Check::Command { run, timeout } => Some((gate, run, timeout)),
            _ => None,
        });
        for (gate, command, timeout) in commands {
            {
                let spec = self.spec(effect, run, gate, command, *timeout, &dir);
                let ceiling = run.output_max.saturating_mul(64).max(RUNAWAY_MIN);
                let ended = watched(spec, self.guard.as_deref(), &mut stopped, ceiling).await;
                outcomes.push(outcome(gate, command, *timeout, ceiling, ended));
            }
        }
        for gate in run.gates {
            if let Check::Coverage { least, files } = &gate.check {
                outcomes.push(covered(gate, *least, coverage::measure(&dir, files, began)));
            }
        }
        Ok(outcomes)
    }

    /// Where the gates run; the guard keeps it for this run alone.
    async fn directory(
        self: &Arc<Self>,
        run: &Run<'_>,
        call_off: &CallOff,
    ) -> Result<(OwnedMutexGuard<()>, PathBuf, SystemTime), Trouble> {
        let hall = self.floor(run.place).hall.clone().lock_owned().await;
        let (workshop, call_off) = (self.clone(), call_off.clone());
        let (place, commit) = (run.place.clone(), run.commit.to_owned());
        let task = run.tasks.first().copied().unwrap_or("base").to_owned();
        let made = spawn_blocking(move || {
            let logs = workshop.gate_logs(&place.sprint);
            make(&logs)?;
            let began = written_now(&logs)?;
            let dir = match place.repo {
                Some(_) => workshop.check_out(&place, &commit, &call_off)?,
                None => {
                    let path = workshop.scratch(&place.sprint, &task);
                    make(&path)?;
                    path
                }
            };
            Ok((hall, dir, began))
        });
        match made.await {
            Ok(made) => made,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Trouble::CalledOff), // The runtime is shutting down.
        }
    }

    fn spec(
        &self,
        effect: EffectId,
        run: &Run<'_>,
        gate: &GateSpec,
        command: &RunSpec,
        timeout: Span,
        dir: &Path,
    ) -> Spec {
        /// What carries a mark is ended with its command, so even a repeat of the same gate has its own.
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let sprint = &run.place.sprint;
        let number = RUNS.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}gate/{sprint}/{effect}/{number}", self.mark_prefix);
        let mut spec = match command {
            RunSpec::Shell(line) => Spec::shell(line, dir, mark),
            RunSpec::Exec(words) => {
                let (program, args) = words
                    .split_first()
                    .map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
                Spec::new(program, args.iter().cloned(), dir, mark)
            }
        };
        spec.env.extend([
            ("DIRECTOR_GATE".to_owned(), gate.name.to_string()),
            ("DIRECTOR_SPRINT".to_owned(), sprint.clone()),
            ("DIRECTOR_TASK".to_owned(), run.tasks.join(",")),
            ("DIRECTOR_COMMIT".to_owned(), run.commit.to_owned()),
        ]);
        spec.timeout = Some(Duration::from_millis(timeout.0));
        spec.output_limit_bytes = TAIL_MAX;
        let log = format!("{effect}-{}.log", gate.name);
        spec.log_path = Some(self.gate_logs(sprint).join(log));
        spec.log_limit_bytes = run.output_max;
        spec.sandbox = run.sandbox.map(|allowed| Sandbox {
            allowed: allowed.clone(),
            own: vec![dir.to_owned()],
            shown: Vec::new(),
            hidden: vec![self.data_dir().to_owned()],
            temporary: self.gate_logs(sprint).join(format!("tmp-{number}")),
        });
        spec
    }
}

fn make(path: &Path) -> Result<(), Trouble> {
    std::fs::create_dir_all(path).map_err(|source| Trouble::Directory {
        path: path.to_owned(),
        source,
    })
}

/// The time as the file system has it: what is written from here on is not older.
fn written_now(dir: &Path) -> Result<SystemTime, Trouble> {
    let path = dir.join("began");
    let write = || {
        std::fs::write(&path, "")?;
        std::fs::metadata(&path)?.modified()
    };
    write().map_err(|source| Trouble::Note {
        path: path.clone(),
        source,
    })
}

/// The outcome of a coverage gate.
fn covered(gate: &GateSpec, least: u32, measured: Result<Coverage, String>) -> GateOutcome {
    let percent = |share: u32| format!("{}.{:02} %", share / 100, share % 100);
    let (verdict, evidence, share) = match measured {
        Err(why) => (Verdict::NotMeasured, why, None),
        Ok(found) => {
            let share = found.share().unwrap_or(0);
            let text = format!(
                "{} of {} lines are covered, {} ({}); at least {} are wanted",
                found.hit,
                found.found,
                percent(share),
                found.file,
                percent(least)
            );
            match share >= least {
                true => (Verdict::Passed, text, Some(share)),
                false => (Verdict::Failed, text, Some(share)),
            }
        }
    };
    GateOutcome {
        gate: gate.name.to_string(),
        verdict,
        evidence,
        exit_code: None,
        took: Span::ZERO,
        tail: String::new(),
        measured: share,
    }
}

/// Runs the command, and stops it when the sprint is over or its output passes all measure.
async fn watched(
    spec: Spec,
    guard: Option<&process::Guard>,
    over: &mut watch::Receiver<Stop>,
    ceiling: u64,
) -> Result<Outcome, ProcessError> {
    let probe = Arc::new(Probe::default());
    let hooks = Hooks {
        probe: Some(probe.clone()),
        ..Hooks::default()
    };
    let (stop, stopped) = watch::channel(Stop::Go);
    let mut run = std::pin::pin!(process::run(spec, guard, stopped, hooks));
    loop {
        let cancelled = *stop.borrow() != Stop::Go;
        tokio::select! {
            biased;
            ended = &mut run => return ended,
            _ = over.wait_for(|order| *order != Stop::Go), if !cancelled => {
                stop.send_replace(Stop::Cancel);
            }
            () = sleep(MEASURE), if !cancelled => {
                if probe.output_bytes() > ceiling {
                    stop.send_replace(Stop::Cancel);
                }
            }
        }
    }
}

/// The outcome of a gate, with a first line that says why when it is not the command's own failure.
fn outcome(
    gate: &GateSpec,
    command: &RunSpec,
    timeout: Span,
    ceiling: u64,
    ended: Result<Outcome, ProcessError>,
) -> GateOutcome {
    let (verdict, exit_code, took, tail) = match ended {
        Err(error) => (Verdict::Failed, None, Span::ZERO, error.to_string()),
        Ok(ended) => {
            let runaway = ended.output_bytes > ceiling;
            let why = match ended.exit {
                _ if runaway => Some(format!(
                    "it printed more than {} MiB and was stopped",
                    ceiling >> 20
                )),
                Exit::Code(_) => None,
                Exit::Signal(signal) => Some(format!("it was ended by signal {signal}")),
                Exit::TimedOut => Some(format!(
                    "it did not end within {timeout} and was stopped; give the gate a longer `timeout` if it needs one"
                )),
                Exit::Cancelled | Exit::Wedged => {
                    Some("it was stopped, because the sprint is over".to_owned())
                }
            };
            let verdict = if ended.exit.success() && !runaway {
                Verdict::Passed
            } else {
                Verdict::Failed
            };
            let exit_code = match ended.exit {
                Exit::Code(code) => Some(code),
                _ => None,
            };
            let took = u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX);
            (verdict, exit_code, Span(took), tail(why, &ended))
        }
    };
    GateOutcome {
        gate: gate.name.to_string(),
        verdict,
        evidence: command.to_string(),
        exit_code,
        took,
        tail,
        measured: None,
    }
}

/// The reason, then the end of both streams, at most [`TAIL_MAX`] bytes of them.
fn tail(why: Option<String>, ended: &Outcome) -> String {
    let (out, err) = (&ended.stdout_tail, &ended.stderr_tail);
    let half = TAIL_MAX / 2;
    let for_err = err.len().min(half.max(TAIL_MAX.saturating_sub(out.len())));
    let parts = [
        why.unwrap_or_default(),
        last(out, TAIL_MAX - for_err).trim_end().to_owned(),
        last(err, for_err).trim_end().to_owned(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// The end of a text, at most `max` bytes, at a character's edge.
fn last(text: &str, max: usize) -> &str {
    let mut from = text.len().saturating_sub(max);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}
