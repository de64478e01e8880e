//! `director serve`: the long-lived director, until it is told to stop.
//!
//! ```text
//! lock, listen, replay ─▶ ready ─▶ a signal ─▶ no more work is handed out ─▶ all at rest, or the deadline ─▶ stop in order
//! ```
//!
//! Elsewhere: HTTP is `http`, the socket `control`, the stop in order the director actor's.

mod notify;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use director_agents::git::Repository;
use director_protocols::command::Command;
use director_runtime::bus::Subscriber;
use rustix::process::{Resource, getrlimit, setrlimit};

use self::notify::{Notify, watchdog};
use super::end::{CliError, Code};
use super::follow::Signals;
use super::output::Log;
use super::{Context, home, run, source};
use crate::control::facts;
use crate::handle::{Entry, Handle};
use crate::http::server::{self, Setup};
use crate::system::{Builder, MakeService};

/// How long a director that is asked whether it is alive may think.
const ALIVE_WITHIN: Duration = Duration::from_secs(10);

/// The file in the data directory that says where it listens.
const ADDRESS: &str = "http.address";

/// Serve: many sprints, from any terminal, a browser or a program, until stopped
///
/// Sprints come by `director submit`. SIGTERM and Ctrl-C stop in order: no more work is handed out, what runs may end, and what has not
/// ended by the deadline is interrupted and saved; a second signal does not wait. It ends with 3 when work remains; start it
/// again and it goes on.
#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    /// Where to listen for HTTP; anything off this machine needs the token for every call
    #[arg(long, default_value = "127.0.0.1:7878", value_name = "ADDR")]
    listen: SocketAddr,
    /// A name under which it may be reached, beside addresses; for a proxy in front. May be given again
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// The repository beside which the data directory lies [default: the one around the current directory]
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// How long what runs may take to end when it is told to stop
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    drain: u64,
    /// How the log on standard error is written
    #[arg(long, value_enum, default_value_t)]
    pub(super) log: Log,
}

/// Lets this process have as many open files as the system allows it: each connection is one.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

pub(super) fn serve(args: ServeArgs, cx: &mut Context) -> Result<Code, CliError> {
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| CliError::Failed(format!("could not start: {error}")))?;
    let code = runtime.block_on(whole(args, cx));
    // What still blocks, such as a read of a slow disk, is not waited for.
    runtime.shutdown_background();
    code
}

/// The data directory, and where what is relative in a sprint file begins.
fn places(args: &ServeArgs, cx: &Context) -> Result<(PathBuf, PathBuf), CliError> {
    let here = home::absolute(args.repo.as_deref().unwrap_or(Path::new(".")))?;
    let found = match (&args.repo, Repository::open(&here)) {
        (_, Ok(repository)) => Some(repository),
        (Some(_), Err(error)) => return Err(error.into()),
        (None, Err(_)) => None,
    };
    let dir = found.as_ref().map_or(here, |found| found.top().to_owned());
    let data_dir = match &cx.data_dir {
        Some(given) => home::absolute(given)?,
        None => dir.join(home::NAME),
    };
    if let Some(repository) = &found {
        // Before the data directory is there, or git would count it among the user's changes.
        let _ = repository.hide_our_folders();
    }
    Ok((data_dir, dir))
}

async fn whole(args: ServeArgs, cx: &mut Context) -> Result<Code, CliError> {
    let (data_dir, dir) = places(&args, cx)?;
    if source::director(&data_dir).await?.is_some() {
        let text = format!(
            "a director runs already in `{}`; `director submit` hands it a sprint, `director status` asks it",
            data_dir.display()
        );
        return Err(CliError::Input(text));
    }
    let unusable =
        |error: std::io::Error| CliError::Input(format!("`{}`: {error}", data_dir.display()));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&data_dir)
        .map_err(unusable)?;
    let kinds = cx.builder.as_ref().map(Builder::kinds).unwrap_or_default();
    let setup = Setup::listen(args.listen, args.hosts.clone(), &data_dir, &dir, kinds);
    let setup = Arc::new(setup.map_err(|error| {
        CliError::Input(format!(
            "cannot listen on {}: {error}; choose another with `--listen`",
            args.listen
        ))
    })?);
    let address = setup.address;
    let mut signals = Signals::listen()?;
    let http: MakeService = {
        let setup = Arc::clone(&setup);
        Arc::new(move |handle| Box::pin(server::run(Arc::clone(&setup), handle)))
    };
    // From here on agents can be told where it is.
    let url = setup.url();
    let builder = cx.builder.take();
    cx.builder = builder.map(|builder| builder.url(url).stopper(Arc::clone(&setup.stop)));
    let running = run::start(&data_dir, vec![("http", http)], cx).await?;
    let said = data_dir.join(ADDRESS);
    fs::write(&said, format!("http://{address}\n")).map_err(unusable)?;
    let handle = running.handle.clone();
    let notify = Notify::of_environment();
    tracing::info!(
        "serving `{}` at http://{address}; the token is in `{}`",
        data_dir.display(),
        crate::http::token::path(&data_dir).display()
    );
    notify.say(&format!("READY=1\nSTATUS=serving http://{address}"));
    let mut ended = pin!(running.wait());
    let stopped = tokio::select! {
        biased;
        ended = &mut ended => Some(ended),
        () = signals.next() => None,
        () = setup.stop.notified() => None,
        () = watch(&handle, &notify) => None,
    };
    if let Some(ended) = stopped {
        // By a failure of its own.
        let _ = fs::remove_file(&said);
        ended?;
        return Ok(Code::Unfinished);
    }
    setup.stopping.store(true, Ordering::Relaxed);
    notify.say("STOPPING=1\nSTATUS=stopping");
    tracing::info!(
        seconds = args.drain,
        "stopping: no more work is handed out; what runs may end until the deadline, a second signal does not wait"
    );
    tokio::select! {
        biased;
        () = signals.next() => tracing::info!("not waiting any longer"),
        () = tokio::time::sleep(Duration::from_secs(args.drain)) => tracing::info!("the deadline has come"),
        () = at_rest(&handle) => {}
    }
    let left = handle.read(|engine| remaining(engine.state())).await;
    // The director is there until all that was asked is answered, also who asked it to stop.
    tokio::select! {
        biased;
        () = signals.next() => {}
        () = setup.close() => {}
    }
    handle.shutdown();
    tokio::select! {
        biased;
        ended = &mut ended => ended?,
        () = signals.next() => {
            // The guard ends what is left of the commands; the journal has all that was acknowledged.
            std::process::exit(Code::Unfinished as i32)
        }
    }
    let _ = fs::remove_file(&said);
    match left.unwrap_or_default() {
        left if left.is_empty() => {
            tracing::info!("stopped; nothing is left to do");
            Ok(Code::Done)
        }
        left => {
            let left = left.join(", ");
            tracing::info!("stopped, nothing is lost; start it again and {left} goes on");
            Ok(Code::Unfinished)
        }
    }
}

/// The sprints that are not over.
fn remaining(state: &crate::engine::state::State) -> Vec<String> {
    let table = state.sprints.table.iter();
    table
        .filter(|sprint| !sprint.is_over())
        .map(|sprint| sprint.spec.id.to_string())
        .collect()
}

/// Has no more work handed out, and waits until nothing is under way.
async fn at_rest(handle: &Handle) {
    let mut news: Subscriber<Arc<Entry>> = handle.subscribe();
    // It changes nothing in the journal; a director that is gone is at rest.
    if handle.command(Command::Stop).await.is_err() {
        return;
    }
    loop {
        match handle.read(|engine| facts::at_work(engine.state())).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if news.recv().await.is_none() {
            return;
        }
    }
}

/// Tells the system that all is well, as long as it is.
async fn watch(handle: &Handle, notify: &Notify) {
    let Some(every) = watchdog() else {
        return std::future::pending().await;
    };
    loop {
        let asked = tokio::time::timeout(ALIVE_WITHIN, handle.read(|_| ())).await;
        match asked {
            Ok(Ok(())) => notify.say("WATCHDOG=1"),
            _ => tracing::error!("the director does not answer"),
        }
        tokio::time::sleep(every).await;
    }
}
