//! `director worker`: does one task of a director on another machine, which speaks to it over its standard streams.
//!
//! Elsewhere: the conversation is [`director_agents::remote`]; who starts this is an agent of the kind `remote`.

use std::path::PathBuf;
use std::sync::Arc;

use director_agents::context::Host;
use director_agents::process::Guard;
use director_agents::remote::worker;
use director_runtime::clock::Clock;
use tokio::io::BufReader;

use super::end::{CliError, Code};
use super::{Context, home};

/// Where a worker keeps its files unless it is told, below the home directory.
const DIR: &str = ".director-worker";

/// Do a task of a director on another machine, which starts this by ssh
///
/// Not to be typed: a sprint file names it, `[agent.far] kind = "remote"`, `program = ["ssh", "builder", "director", "worker"]`.
#[derive(Debug, clap::Args)]
pub(super) struct WorkerArgs {
    /// Where it keeps its copy of the repository and its worktrees [default: ~/.director-worker]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn worker(args: WorkerArgs, cx: &Context) -> Result<Code, CliError> {
    let failed =
        |what: &str, error: &dyn std::fmt::Display| CliError::Failed(format!("{what}: {error}"));
    let dir = match args.dir {
        Some(dir) => dir,
        None => std::env::home_dir()
            .ok_or_else(|| {
                CliError::Input("there is no home directory; say where with `--dir`".to_owned())
            })?
            .join(DIR),
    };
    let dir = home::absolute(&dir)?;
    let registry = cx.builder.as_ref().map(|builder| builder.agents().clone());
    let registry = registry.unwrap_or_default();
    let mut host = Host::new(&dir, Clock::system());
    // No other worker that uses the directory has the same process id while this one runs.
    host.mark = format!("worker/{}/{}", dir.display(), std::process::id());
    let exe =
        std::env::current_exe().map_err(|error| failed("could not find this program", &error))?;
    let guard = Guard::start(&exe, &host.mark)
        .map_err(|error| failed("could not start the guard", &error))?;
    host.guard = Some(Arc::new(guard));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| failed("could not start", &error))?;
    let input = BufReader::new(tokio::io::stdin());
    let served = runtime.block_on(worker::serve(
        &registry,
        host,
        &dir,
        input,
        std::io::stdout(),
    ));
    // A read of standard input cannot be called off.
    runtime.shutdown_background();
    served.map_err(CliError::Failed)?;
    Ok(Code::Done)
}
