//! `director journal`: integrity, any past state, a readable copy, and the way out of damage.

use director_runtime::journal::{self, DataDir, DataDirError};

use super::end::{CliError, Code};
use super::source::{self, Source};
use super::{Context, Which, events, home};
use crate::control::protocol::Ask;
use crate::view::count;

/// Look at the journal, or repair it
#[derive(Debug, clap::Args)]
pub(super) struct JournalArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Check every record, the links between them and the head witness; changes nothing
    Verify,
    /// Show the state at a past position
    Replay {
        /// The last record that counts
        #[arg(long, value_name = "SEQ")]
        until: u64,
        #[command(flatten)]
        which: Which,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Print a readable copy
    Export {
        /// JSON lines, one event each
        #[arg(long, required = true)]
        json: bool,
    },
    /// Give up everything after a record, when what follows is damaged
    ///
    /// The files as they were are put aside first.
    Repair {
        /// The last record to keep
        #[arg(long, value_name = "SEQ")]
        accept_loss: u64,
    },
}

pub(super) fn journal(args: &JournalArgs, cx: &mut Context) -> Result<Code, CliError> {
    match &args.what {
        What::Verify => verify(cx),
        What::Replay { until, which, json } => {
            let ask = Ask::Replay {
                until: *until,
                sprint: which.sprint.clone(),
            };
            let answer = source::ask(ask, cx)?;
            cx.output.answer(&answer, *json)?;
            Ok(Code::Done)
        }
        What::Export { json } => {
            let data_dir = home::find(cx)?;
            super::block_on(async {
                let source = Source::open(&data_dir).await?;
                events::print_all(source, 0, None, *json, cx).await
            })?;
            Ok(Code::Done)
        }
        What::Repair { accept_loss } => repair(*accept_loss, cx),
    }
}

/// The data directory, locked; nobody else may write while it is looked at.
fn locked(cx: &Context) -> Result<DataDir, CliError> {
    match DataDir::open(&home::find(cx)?) {
        Err(DataDirError::Held { path, holder }) => Err(CliError::Input(format!(
            "`{}` is held by a running director ({holder}), which checked the journal when it started; stop it to \
             check again",
            path.display()
        ))),
        other => Ok(other?),
    }
}

fn verify(cx: &mut Context) -> Result<Code, CliError> {
    let dir = locked(cx)?;
    let report = journal::verify(&dir)?;
    let witness = match report.witness {
        Some(seq) => format!("record {seq}"),
        None => "nothing: it is missing or unreadable".to_owned(),
    };
    cx.output.text(&format!(
        "journal   {}\ngood      {}, {} {}\nwitness   remembers {witness}\n",
        report.path.display(),
        count(report.good.seq as usize, "record"),
        report.good.epoch,
        if report.good.epoch == 1 {
            "start"
        } else {
            "starts"
        },
    ))?;
    match report.problem {
        None => {
            cx.output.text("verdict   sound\n")?;
            Ok(Code::Done)
        }
        Some(problem) => {
            cx.output.text("verdict   damaged\n")?;
            cx.output.flush()?;
            Err(problem.into())
        }
    }
}

fn repair(accept_loss: u64, cx: &mut Context) -> Result<Code, CliError> {
    let dir = locked(cx)?;
    let report = journal::repair(&dir, accept_loss)?;
    let lost = report.known.saturating_sub(report.kept.seq);
    let lost = match lost {
        0 => "no known record is given up".to_owned(),
        1 => format!("record {} is given up", report.known),
        _ => format!(
            "records {} to {} are given up",
            report.kept.seq + 1,
            report.known
        ),
    };
    cx.output.text(&format!(
        "the journal now ends at record {}; {lost}\nthe files as they were are in {}\n\
         `director run` goes on from there: what git has and the journal no longer knows is compared at the start\n",
        report.kept.seq,
        report.saved.display()
    ))?;
    Ok(Code::Done)
}
