//! `director gate override`.

use super::end::{CliError, Code};
use super::source::{self, who};
use super::{Context, Which};
use crate::control::protocol::Order;

/// Let a task pass in spite of a gate
#[derive(Debug, clap::Args)]
pub(super) struct GateArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Override(OverrideArgs),
}

/// Let a task pass in spite of a gate; the journal keeps who and why
///
/// A judge who is asked is called off. A task that was given up because of the gate needs `director retry` too.
#[derive(Debug, clap::Args)]
struct OverrideArgs {
    /// The task's id
    task: String,
    /// The gate's name
    gate: String,
    /// Why
    #[arg(required = true)]
    reason: Vec<String>,
    #[command(flatten)]
    which: Which,
}

pub(super) fn gate(args: GateArgs, cx: &mut Context) -> Result<Code, CliError> {
    let What::Override(OverrideArgs {
        task,
        gate,
        reason,
        which,
    }) = args.what;
    let order = Order::Override {
        sprint: which.sprint,
        task,
        gate,
        reason: reason.join(" "),
        by: who(),
    };
    source::order(order, cx)?;
    Ok(Code::Done)
}
