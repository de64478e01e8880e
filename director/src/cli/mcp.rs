//! `director mcp`: the tools of an assistant on standard input and output.
//!
//! Each call finds for itself who holds the data directory, as each command does, so a director may come and go meanwhile.
//! Nothing but the protocol goes to standard output.
//!
//! Elsewhere: the tools are [`crate::mcp`]; the same over HTTP is `http::mcp`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use director_agents::git::Repository;
use director_agents::reach::{DATA_DIR_ENV, TOKEN_ENV};

use super::end::{CliError, Code};
use super::source::{self, Source};
use super::{Context, home, submit};
use crate::control::assigned::Token;
use crate::control::desk::{Desk, Place};
use crate::control::protocol::{Answer, Fault, FaultKind, Op, Order, Screen};
use crate::control::simulation::stand::Records;
use crate::mcp::front::Front;
use crate::mcp::on_stdio;
use crate::system::Builder;

/// Serve an assistant on standard input and output, by the Model Context Protocol
///
/// For Claude Code: `claude mcp add director -- director mcp`, in the repository. See docs/mcp.md for others. Where `DIRECTOR_TOKEN` is set,
/// as for an agent at work, there are the tools for reports on its task alone.
#[derive(Debug, clap::Args)]
pub(super) struct McpArgs {}

pub(super) fn mcp(_: &McpArgs, cx: &Context) -> Result<Code, CliError> {
    let here = home::absolute(Path::new("."))?;
    let dir = Repository::open(&here).map_or(here, |found| found.top().to_owned());
    // Started by an agent at work, it is that agent's.
    let token = std::env::var(TOKEN_ENV)
        .ok()
        .filter(|token| !token.is_empty());
    let of_agent = token
        .is_some()
        .then(|| std::env::var_os(DATA_DIR_ENV))
        .flatten();
    let beside = Beside(Arc::new(Inner {
        given: cx.data_dir.clone().or(of_agent.map(PathBuf::from)),
        place: Place {
            dir,
            kinds: cx.builder.as_ref().map(Builder::kinds).unwrap_or_default(),
        },
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| CliError::Failed(format!("could not start: {error}")))?;
    let front = match token {
        None => Front::assistant(beside, source::who()),
        Some(token) => Front::worker(beside, Token(token)),
    };
    let served = runtime.block_on(on_stdio(front));
    // A read of standard input cannot be called off.
    runtime.shutdown_background();
    served.map_err(CliError::Failed)?;
    Ok(Code::Done)
}

/// Whoever holds the data directory: a director, or the journal.
#[derive(Clone)]
struct Beside(Arc<Inner>);

struct Inner {
    given: Option<PathBuf>,
    place: Place,
}

impl Desk for Beside {
    async fn serve(&self, op: Op) -> Result<Answer, Fault> {
        self.answer(op).await.map_err(fault)
    }

    fn place(&self) -> &Place {
        &self.0.place
    }

    fn data_dir(&self) -> Result<PathBuf, Fault> {
        home::find_from(self.0.given.as_deref()).map_err(fault)
    }

    async fn records(&self) -> Result<Records, Fault> {
        let source = self.open().await.map_err(fault)?;
        source.records().await.map_err(fault)
    }
}

impl Beside {
    async fn answer(&self, op: Op) -> Result<Answer, CliError> {
        let screen = Screen::default();
        match op {
            Op::Order(Order::Submit { spec }) => {
                let file = self.0.place.dir.join(home::FILE);
                let data_dir = home::of_sprint(self.0.given.as_deref(), &spec, &file)?;
                said(submit::hand_over(*spec, &data_dir, Path::new(home::FILE)).await?)
            }
            Op::Order(order) => {
                let mut source = self.open().await?;
                let answer = source.order_quietly(order).await?;
                said((answer, matches!(source, Source::Journal(..))))
            }
            Op::Ask(ask) => self.open().await?.ask(ask, screen).await,
            op => match self.open().await? {
                Source::Running(mut client) => Ok(client.request(op, screen).await?),
                Source::Journal(..) => Err(CliError::Input(
                    "no director runs, so there is nothing alive to show".to_owned(),
                )),
            },
        }
    }

    async fn open(&self) -> Result<Source, CliError> {
        Source::open(&home::find_from(self.0.given.as_deref())?).await
    }
}

/// What was done, and that it waits where no director runs.
fn said((mut answer, waits): (Answer, bool)) -> Result<Answer, CliError> {
    if waits {
        answer.text += source::WAITS;
        answer.text.push('\n');
    }
    Ok(answer)
}

/// The same *no*, for a client of another kind.
fn fault(error: CliError) -> Fault {
    let kind = match (&error, error.code()) {
        (CliError::Fault(fault), _) => fault.kind,
        (CliError::Manifest(_) | CliError::Plan(_), _) => FaultKind::BadSprint,
        (_, Code::BadInput) => FaultKind::BadRequest,
        (_, Code::Unfinished) => FaultKind::Stopped,
        _ => FaultKind::Internal,
    };
    Fault::new(kind, error.to_string())
}
