//! `director inbox`, `answer`, `approve` and `reject`.

use director_protocols::inbox::Reply;

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
///
/// The answer to a task of yours is what you did: it is done then.
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
    give(args.item, Reply::Answer, &args.text, cx)
}

/// Say yes to something in the inbox: done, go on, accepted
#[derive(Debug, clap::Args)]
pub(super) struct ApproveArgs {
    /// Its number in `director inbox`
    #[arg(value_name = "ID")]
    item: u32,
    /// What else there is to say
    text: Vec<String>,
}

pub(super) fn approve(args: ApproveArgs, cx: &mut Context) -> Result<Code, CliError> {
    give(args.item, Reply::Approve, &args.text, cx)
}

/// Say no to something in the inbox, with the reason
#[derive(Debug, clap::Args)]
pub(super) struct RejectArgs {
    /// Its number in `director inbox`
    #[arg(value_name = "ID")]
    item: u32,
    /// The reason; it goes to whoever waits
    reason: Vec<String>,
}

pub(super) fn reject(args: RejectArgs, cx: &mut Context) -> Result<Code, CliError> {
    give(args.item, Reply::Reject, &args.reason, cx)
}

fn give(item: u32, reply: Reply, words: &[String], cx: &mut Context) -> Result<Code, CliError> {
    let order = Order::Answer {
        item,
        text: words.join(" "),
        reply,
        by: who(),
    };
    source::order(order, cx)?;
    Ok(Code::Done)
}
