//! `director why`.

use super::end::{CliError, Code};
use super::{Context, Which, source};
use crate::control::protocol::Ask;

/// Tell why a task is not running, or how it went
#[derive(Debug, clap::Args)]
pub(super) struct WhyArgs {
    /// The task's id
    task: String,
    #[command(flatten)]
    which: Which,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn why(args: WhyArgs, cx: &mut Context) -> Result<Code, CliError> {
    let answer = source::ask(
        Ask::Why {
            sprint: args.which.sprint,
            task: args.task,
        },
        cx,
    )?;
    cx.output.answer(&answer, args.json)?;
    Ok(Code::Done)
}
