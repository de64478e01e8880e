//! `director standup`.

use super::end::{CliError, Code};
use super::{Context, Which, source};
use crate::control::protocol::Ask;

/// Print the daily standup: what was completed since the last, what comes next, what is in the way
#[derive(Debug, clap::Args)]
pub(super) struct StandupArgs {
    #[command(flatten)]
    which: Which,
    /// Look back so many hours, instead of to the last standup
    #[arg(long, value_name = "N")]
    hours: Option<u32>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn standup(args: StandupArgs, cx: &mut Context) -> Result<Code, CliError> {
    let ask = Ask::Standup {
        sprint: args.which.sprint,
        hours: args.hours,
    };
    let answer = source::ask(ask, cx)?;
    cx.output.answer(&answer, args.json)?;
    Ok(Code::Done)
}
