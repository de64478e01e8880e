//! Who is asked: the director that holds the data directory, or the journal when none does.
//!
//! Both answer from one function, so a question gets the same answer either way. An order without a director
//! is decided and journalled here, and carried out by the next director that starts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use director_runtime::journal::{DataDir, DataDirError};

use super::end::CliError;
use super::offline;
use super::output::note;
use super::{Context, home};
use crate::control::client::{Client, ClientError};
use crate::control::protocol::{Answer, Ask, Op, Order, Screen};
use crate::control::simulation::stand::Records;
use crate::control::{answer, records};
use crate::handle::Entry;
use crate::history::{self, History};

/// A director that starts or stops holds the lock for a moment without listening.
const BETWEEN: Duration = Duration::from_millis(100);
const BETWEEN_MAX: u32 = 50;

/// What is said of an order that nobody carries out yet.
pub(super) const WAITS: &str =
    "no director runs; it is in the journal and takes effect with the next `director run`";

/// Who answers.
pub(super) enum Source {
    /// A director that runs.
    Running(Client),
    /// The journal, read as a whole.
    Journal(Box<History>, PathBuf),
}

impl Source {
    /// Finds out who holds the data directory.
    pub(super) async fn open(data_dir: &Path) -> Result<Self, CliError> {
        match director(data_dir).await? {
            Some(client) => Ok(Source::Running(client)),
            None => {
                let history = history::read(data_dir)?;
                Ok(Source::Journal(Box::new(history), data_dir.to_owned()))
            }
        }
    }

    /// Asks.
    pub(super) async fn ask(&mut self, ask: Ask, screen: Screen) -> Result<Answer, CliError> {
        match self {
            Source::Running(client) => Ok(client.request(Op::Ask(ask), screen).await?),
            Source::Journal(history, _) => {
                let wanted = answer::history_for(&ask);
                let entries = answer::part(&history.entries, wanted);
                let now = crate::control::server::now();
                Ok(answer::answer(&history.engine, entries, &ask, screen, now)?)
            }
        }
    }

    /// The journal's records, as whoever holds it has them.
    pub(super) async fn records(self) -> Result<Records, CliError> {
        let mut client = match self {
            Source::Journal(history, _) => {
                return Ok(Records {
                    entries: history.entries,
                    at_work: false,
                });
            }
            Source::Running(client) => client,
        };
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.seq.0);
            let ask = Op::Ask(Ask::Records { after });
            let page = client.request(ask, Screen::default()).await?;
            let page = records::read(page).map_err(|error| {
                CliError::Failed(format!(
                    "what the running director has in its journal cannot be read: {error}"
                ))
            })?;
            if page.is_empty() {
                return Ok(Records {
                    entries,
                    at_work: true,
                });
            }
            entries.extend(page);
        }
    }

    /// Has something done; says so when it waits for a director.
    pub(super) async fn order(&mut self, order: Order) -> Result<Answer, CliError> {
        let answer = self.order_quietly(order).await?;
        if let Source::Journal(..) = self {
            note(WAITS);
        }
        Ok(answer)
    }

    /// Has something done that is complete once it is in the journal.
    pub(super) async fn order_quietly(&mut self, order: Order) -> Result<Answer, CliError> {
        match self {
            Source::Running(client) => {
                Ok(client.request(Op::Order(order), Screen::default()).await?)
            }
            Source::Journal(_, data_dir) => offline::carry_out(data_dir, &order),
        }
    }
}

/// The director that holds the data directory; `None` when the lock is free.
pub(super) async fn director(data_dir: &Path) -> Result<Option<Client>, CliError> {
    let mut tries = 0;
    loop {
        match Client::connect(data_dir).await {
            Ok(client) => return Ok(Some(client)),
            Err(ClientError::NobodyThere { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if !data_dir.is_dir() {
            return Ok(None);
        }
        match DataDir::open(data_dir) {
            Ok(_) => return Ok(None),
            Err(DataDirError::Held { .. }) if tries < BETWEEN_MAX => {
                tries += 1;
                tokio::time::sleep(BETWEEN).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Asks one question of whoever holds the data directory.
pub(super) fn ask(ask: Ask, cx: &Context) -> Result<Answer, CliError> {
    ask_at(ask, &home::find(cx)?, cx)
}

/// Asks one question of whoever holds that data directory.
pub(super) fn ask_at(ask: Ask, data_dir: &Path, cx: &Context) -> Result<Answer, CliError> {
    let screen = cx.output.screen;
    super::block_on(async move {
        let mut source = Source::open(data_dir).await?;
        if let (Source::Journal(history, _), Ask::Status { .. }) = (&source, &ask)
            && history
                .engine
                .state()
                .sprints
                .table
                .iter()
                .any(|sprint| !sprint.is_over())
        {
            note(
                "no director runs; this is where the journal ends, and `director run` goes on from it",
            );
        }
        source.ask(ask, screen).await
    })
}

/// Has one thing done by whoever holds the data directory, and says what was done.
pub(super) fn order(order: Order, cx: &mut Context) -> Result<(), CliError> {
    let data_dir = home::find(cx)?;
    let answer = super::block_on(async move { Source::open(&data_dir).await?.order(order).await })?;
    cx.output.text(&answer.text)
}

/// Who gives an order from this terminal.
pub(super) fn who() -> String {
    let name = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    name.ok()
        .filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| "command line".to_owned())
}
