//! `director retry`, `cancel`, `reassign`, `pause` and `resume`: one order each.

use std::io::{IsTerminal, stdin};

use super::end::{CliError, Code};
use super::output::{agreed, note};
use super::source::{self, who};
use super::{Context, Which};
use crate::control::protocol::Order;

/// Try a failed, blocked, quarantined or cancelled task again
#[derive(Debug, clap::Args)]
pub(super) struct RetryArgs {
    /// The task's id
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    task: Option<String>,
    /// Everything of the sprint that failed, is blocked or quarantined
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: Which,
}

pub(super) fn retry(args: RetryArgs, cx: &mut Context) -> Result<Code, CliError> {
    let (sprint, by) = (args.which.sprint, who());
    let order = match args.task {
        Some(task) => Order::Retry { sprint, task, by },
        None => Order::RetryAll { sprint, by },
    };
    give(order, cx)
}

/// Call off a task and what depends on it, or the whole sprint
///
/// What was merged stays on the integration branch; unfinished work is saved.
#[derive(Debug, clap::Args)]
pub(super) struct CancelArgs {
    /// The task's id [default: the whole sprint]
    task: Option<String>,
    /// Do not ask, at a terminal, before a whole sprint is called off
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    which: Which,
}

pub(super) fn cancel(args: CancelArgs, cx: &mut Context) -> Result<Code, CliError> {
    let CancelArgs { task, yes, which } = args;
    if task.is_none() && !yes && stdin().is_terminal() && !agreed("call off the whole sprint?")? {
        note("nothing has changed; `--yes` calls it off without asking");
        return Ok(Code::BadInput);
    }
    give(
        Order::Cancel {
            sprint: which.sprint,
            task,
            by: who(),
        },
        cx,
    )
}

/// Give a task to another agent
#[derive(Debug, clap::Args)]
pub(super) struct ReassignArgs {
    /// The task's id
    task: String,
    /// Whom it goes to [default: the director chooses another one]
    #[arg(long, value_name = "AGENT")]
    to: Option<String>,
    #[command(flatten)]
    which: Which,
}

pub(super) fn reassign(args: ReassignArgs, cx: &mut Context) -> Result<Code, CliError> {
    let ReassignArgs { task, to, which } = args;
    give(
        Order::Reassign {
            sprint: which.sprint,
            task,
            to,
            by: who(),
        },
        cx,
    )
}

/// Hand out no more work; what runs goes on to its end
#[derive(Debug, clap::Args)]
pub(super) struct PauseArgs {
    /// Only this sprint [default: all of them]
    #[arg(long, value_name = "ID")]
    sprint: Option<String>,
}

pub(super) fn pause(args: PauseArgs, cx: &mut Context) -> Result<Code, CliError> {
    give(
        Order::Pause {
            sprint: args.sprint,
            by: who(),
        },
        cx,
    )
}

/// Hand out work again after a pause
#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    /// Only this sprint [default: all of them]
    #[arg(long, value_name = "ID")]
    sprint: Option<String>,
    /// What waits for the provider of this account, which takes requests again
    #[arg(long, value_name = "NAME", conflicts_with = "sprint")]
    account: Option<String>,
}

pub(super) fn resume(args: ResumeArgs, cx: &mut Context) -> Result<Code, CliError> {
    give(
        Order::Resume {
            sprint: args.sprint,
            account: args.account,
            by: who(),
        },
        cx,
    )
}

/// Set the most that a sprint, a task or an agent may spend
///
/// `director status` shows what is spent, set aside and left.
#[derive(Debug, clap::Args)]
pub(super) struct BudgetArgs {
    /// The limit in dollars, such as 12.50
    #[arg(value_name = "DOLLARS")]
    limit: String,
    /// The one of this task [default: the sprint's]
    #[arg(long, value_name = "TASK", conflicts_with_all = ["agent", "window"])]
    task: Option<String>,
    /// The one of this agent in the sprint
    #[arg(long, value_name = "AGENT", conflicts_with = "window")]
    agent: Option<String>,
    /// The one of the sprint for a time
    #[arg(long)]
    window: bool,
    #[command(flatten)]
    which: Which,
}

pub(super) fn budget(args: BudgetArgs, cx: &mut Context) -> Result<Code, CliError> {
    give(
        Order::Budget {
            sprint: args.which.sprint,
            task: args.task,
            agent: args.agent,
            window: args.window,
            limit: args.limit,
            by: who(),
        },
        cx,
    )
}

fn give(order: Order, cx: &mut Context) -> Result<Code, CliError> {
    source::order(order, cx)?;
    Ok(Code::Done)
}
