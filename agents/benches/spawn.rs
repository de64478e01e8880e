//! What it costs to run a command, against tokio alone: as it is, without the sweep, without the guard, and in a sandbox.
//!
//! Run with `cargo bench -p director-agents --bench spawn`. Each round runs every variant right after tokio alone, one command
//! after the other or eight at once, so that ratios hold on a busy machine; their median over all rounds counts. Other
//! processes on the machine are what a sweep has to look through, so some are started beside.

use std::error::Error;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use director_agents::process::{Guard, Hooks, MARK_ENV, Sandbox, Spec, guard, never_stop, run};
use rustix::process::{Pid, Signal, kill_process_group};

const ROUNDS: usize = 25;
const COMMANDS: usize = 24;
/// Processes of others, as a desktop or a server has them.
const BYSTANDERS: usize = 150;
/// They have been there for a while, as most processes have.
const SETTLED: Duration = Duration::from_secs(11);

#[derive(Clone, Copy)]
struct Variant {
    name: &'static str,
    sweep: bool,
    guard: bool,
    sandbox: bool,
}

const VARIANTS: [Variant; 5] = [
    Variant {
        name: "group alone",
        sweep: false,
        guard: false,
        sandbox: false,
    },
    Variant {
        name: "with guard",
        sweep: false,
        guard: true,
        sandbox: false,
    },
    Variant {
        name: "with sweep",
        sweep: true,
        guard: false,
        sandbox: false,
    },
    Variant {
        name: "with both",
        sweep: true,
        guard: true,
        sandbox: false,
    },
    Variant {
        name: "in a sandbox",
        sweep: true,
        guard: true,
        sandbox: true,
    },
];

fn main() -> ExitCode {
    let ended = match std::env::args().nth(1).as_deref() {
        Some(guard::COMMAND) => guard::main().map_err(Into::into),
        _ => measure(),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mark = format!("bench/{}/", std::process::id());
    let guard = Arc::new(Guard::start(&std::env::current_exe()?, &mark)?);
    let mut bystanders = bystanders()?;
    let settled = Instant::now() + SETTLED;
    while Instant::now() < settled {
        let run = directors(VARIANTS[3], guard.clone(), mark.clone());
        runtime.block_on(run)?;
    }
    println!(
        "{COMMANDS} runs of `true` a round, {ROUNDS} rounds; median of tokio alone, and of the ratios to it"
    );
    let mut outcome = Ok(());
    for at_once in [1, 8] {
        outcome = outcome.and_then(|()| runtime.block_on(compare(&guard, &mark, at_once)));
    }
    let group = i32::try_from(bystanders.id()).ok().and_then(Pid::from_raw);
    kill_process_group(group.ok_or("no group")?, Signal::KILL)?;
    bystanders.wait()?;
    outcome
}

/// One shell with all of them, in a group of its own: other people's processes are no children of ours.
fn bystanders() -> std::io::Result<Child> {
    let line =
        format!("n=0; while [ $n -lt {BYSTANDERS} ]; do sleep 600 & n=$((n + 1)); done; wait");
    std::process::Command::new("sh")
        .args(["-c", &line])
        .process_group(0)
        .env_remove(MARK_ENV)
        .stdin(Stdio::null())
        .spawn()
}

async fn compare(guard: &Arc<Guard>, mark: &str, at_once: usize) -> Result<(), Box<dyn Error>> {
    let mut bare = Vec::new();
    let mut ratios = vec![Vec::new(); VARIANTS.len()];
    for _ in 0..ROUNDS {
        for (variant, ratios) in VARIANTS.iter().zip(&mut ratios) {
            let begun = Instant::now();
            many(at_once, tokio_alone).await?;
            let alone = begun.elapsed();
            let begun = Instant::now();
            many(at_once, || {
                directors(*variant, guard.clone(), mark.to_owned())
            })
            .await?;
            ratios.push(begun.elapsed().as_secs_f64() / alone.as_secs_f64());
            bare.push(alone.as_secs_f64() * 1e6 / COMMANDS as f64);
        }
    }
    println!("{at_once} at once: tokio alone {:.0} us", median(bare));
    for (variant, ratios) in VARIANTS.iter().zip(ratios) {
        println!("           {:12} {:.2}", variant.name, median(ratios));
    }
    Ok(())
}

/// `COMMANDS` runs, `at_once` of them at the same time.
async fn many<F>(at_once: usize, one: impl Fn() -> F) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let lanes: Vec<_> = (0..at_once)
        .map(|_| {
            let work: Vec<F> = (0..COMMANDS / at_once).map(|_| one()).collect();
            tokio::spawn(async move {
                for run in work {
                    run.await?;
                }
                Ok::<(), String>(())
            })
        })
        .collect();
    for lane in lanes {
        lane.await??;
    }
    Ok(())
}

/// The same pipes and the same waiting, and nothing else.
async fn tokio_alone() -> Result<(), String> {
    let mut command = tokio::process::Command::new("/bin/true");
    command.env_clear().current_dir("/").process_group(0);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = command.output().await.map_err(|error| error.to_string())?;
    output
        .status
        .success()
        .then_some(())
        .ok_or_else(|| "it failed".to_owned())
}

async fn directors(variant: Variant, guard: Arc<Guard>, mark: String) -> Result<(), String> {
    let words: [&str; 0] = [];
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut spec = Spec::new(
        "/bin/true",
        words,
        Path::new("/"),
        format!("{mark}{number}"),
    );
    spec.sweep = variant.sweep;
    spec.sandbox = variant.sandbox.then(|| Sandbox {
        temporary: std::env::temp_dir()
            .join(format!("director-spawn-{}-{number}", std::process::id())),
        ..Sandbox::default()
    });
    let guard = variant.guard.then_some(&*guard);
    let outcome = run(spec, guard, never_stop(), Hooks::default()).await;
    let outcome = outcome.map_err(|error| error.to_string())?;
    outcome
        .exit
        .success()
        .then_some(())
        .ok_or_else(|| "it failed".to_owned())
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_unstable_by(f64::total_cmp);
    of[of.len() / 2]
}
