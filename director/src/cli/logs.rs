//! `director logs`: what an attempt printed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::end::{CliError, Code};
use super::output::note;
use super::source::Source;
use super::{Context, Which, home};
use crate::control::facts::TaskFacts;
use crate::control::protocol::{Answer, Ask, Screen};
use crate::control::work;

/// How often a growing log is looked at, and the task asked whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Print what a task's agent printed
#[derive(Debug, clap::Args)]
pub(super) struct LogsArgs {
    /// The task's id
    task: String,
    /// Go on as it prints more, until the task is over
    #[arg(short, long)]
    follow: bool,
    /// Which attempt [default: the last one]
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    #[command(flatten)]
    which: Which,
}

pub(super) fn logs(args: LogsArgs, cx: &mut Context) -> Result<Code, CliError> {
    let data_dir = home::find(cx)?;
    super::block_on(async {
        let ask = Ask::Task {
            sprint: args.which.sprint.clone(),
            task: args.task.clone(),
        };
        let mut source = Source::open(&data_dir).await?;
        let mut facts = task(source.ask(ask.clone(), Screen::default()).await?)?;
        if facts.attempt == 0 && !args.follow {
            let text = format!(
                "task `{}` is {}; no agent has begun it",
                facts.task, facts.status
            );
            return Err(CliError::Input(text));
        }
        let mut shown = Shown::default();
        loop {
            let attempt = args.attempt.unwrap_or(facts.attempt);
            if let Some(log) = work::log_of(&data_dir, &facts, attempt) {
                shown.show(&log, cx)?;
            } else if !args.follow {
                let text = format!("attempt {attempt} at task `{}` left no output", facts.task);
                return Err(CliError::Input(text));
            }
            if !args.follow || facts.over {
                return Ok(Code::Done);
            }
            if let Source::Journal(..) = source {
                note("no director runs, so nothing more will be printed");
                return Ok(Code::Done);
            }
            tokio::time::sleep(LOOK_EVERY).await;
            facts = match source.ask(ask.clone(), Screen::default()).await {
                Ok(answer) => task(answer)?,
                // The director is stopping: the journal has how the task ended.
                Err(CliError::Client(_) | CliError::Fault(_)) => {
                    source = Source::open(&data_dir).await?;
                    task(source.ask(ask.clone(), Screen::default()).await?)?
                }
                Err(error) => return Err(error),
            };
        }
    })
}

/// The facts in an answer.
pub(super) fn task(answer: Answer) -> Result<TaskFacts, CliError> {
    serde_json::from_value(answer.json).map_err(|error| {
        CliError::Failed(format!("the director answered something unknown: {error}"))
    })
}

/// How far a log was shown.
#[derive(Default)]
struct Shown {
    log: PathBuf,
    bytes: u64,
}

impl Shown {
    /// Shows what is new.
    fn show(&mut self, log: &Path, cx: &mut Context) -> Result<(), CliError> {
        let failed =
            |error| CliError::Failed(format!("`{}` cannot be read: {error}", log.display()));
        if self.log != log {
            *self = Shown {
                log: log.to_owned(),
                bytes: 0,
            };
        }
        let mut file = File::open(log).map_err(failed)?;
        // A log that was cut to its limit starts anew.
        if file.metadata().map_err(failed)?.len() < self.bytes {
            self.bytes = 0;
        }
        file.seek(SeekFrom::Start(self.bytes)).map_err(failed)?;
        let mut buffer = [0u8; 64 * 1024];
        loop {
            let read = file.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                return cx.output.flush();
            }
            self.bytes += read as u64;
            cx.output.text(&work::harmless(&buffer[..read]))?;
        }
    }
}
