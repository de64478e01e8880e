//! `director status` and `director sprints`.

use super::end::{CliError, Code};
use super::{Context, Which, source};
use crate::control::protocol::Ask;

/// Show what is running, what is blocked and what comes next
///
/// Asks the running director; reads the journal when none is running.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    which: Which,
    /// As the Progress Update that goes around in a team
    #[arg(long, conflicts_with = "json")]
    update: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn status(args: StatusArgs, cx: &mut Context) -> Result<Code, CliError> {
    let ask = Ask::Status {
        sprint: args.which.sprint,
        update: args.update,
    };
    let answer = source::ask(ask, cx)?;
    cx.output.answer(&answer, args.json)?;
    Ok(Code::Done)
}

/// List the sprints, the newest first
#[derive(Debug, clap::Args)]
pub(super) struct SprintsArgs {
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn sprints(args: SprintsArgs, cx: &mut Context) -> Result<Code, CliError> {
    let answer = source::ask(Ask::Sprints {}, cx)?;
    cx.output.answer(&answer, args.json)?;
    Ok(Code::Done)
}
