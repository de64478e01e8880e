//! `director inbox` and `director answer`.

use super::Context;
use super::end::{CliError, Code};
use super::source::{self, who};
use crate::control::protocol::{Ask, Order};

/// Show what waits for a person
#[derive(Debug, clap::Args)]
pub(super) struct InboxArgs {
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn inbox(args: &InboxArgs, cx: &mut Context) -> Result<Code, CliError> {
    let answer = source::ask(Ask::Inbox {}, cx)?;
    cx.output.answer(&answer, args.json)?;
    Ok(Code::Done)
}

/// Answer something in the inbox
#[derive(Debug, clap::Args)]
pub(super) struct AnswerArgs {
    /// Its number in `director inbox`
    #[arg(value_name = "ID")]
    item: u32,
    /// The answer; words need no quotes, and what begins with a dash comes after `--`
    #[arg(required = true)]
    text: Vec<String>,
}

pub(super) fn answer(args: AnswerArgs, cx: &mut Context) -> Result<Code, CliError> {
    let text = args.text.join(" ");
    source::order(
        Order::Answer {
            item: args.item,
            text,
            by: who(),
        },
        cx,
    )?;
    Ok(Code::Done)
}
