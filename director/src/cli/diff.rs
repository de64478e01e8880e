//! `director diff`: what a task changed.

use super::deliver::sprint_of;
use super::end::{CliError, Code};
use super::source::Source;
use super::{Context, Which, home, logs};
use crate::control::protocol::{Ask, Screen};
use crate::control::work;
use crate::perform::deliver as perform;
use crate::view::paint::{Look, Paint};

/// Show what a task changed so far
///
/// Once it is merged, this is its merge; before that its commit, or the files in its worktree.
#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    /// The task's id
    task: String,
    #[command(flatten)]
    which: Which,
}

pub(super) fn diff(args: DiffArgs, cx: &mut Context) -> Result<Code, CliError> {
    let data_dir = home::find(cx)?;
    let (sprint, task) = super::block_on(async {
        let mut source = Source::open(&data_dir).await?;
        let ask = Ask::Task {
            sprint: args.which.sprint,
            task: args.task,
        };
        let task = logs::task(source.ask(ask, Screen::default()).await?)?;
        let sprint = sprint_of(&mut source, Some(task.sprint.clone())).await?;
        Ok((sprint, task))
    })?;
    let patch = perform::diff(&sprint.place(), &work::piece(&sprint, &task)?)?;
    let paint = Paint {
        colour: cx.output.screen.colour,
    };
    for line in patch.lines() {
        cx.output
            .text(&paint.on(look_of(line), &work::harmless(line.as_bytes())))?;
        cx.output.text("\n")?;
    }
    Ok(Code::Done)
}

/// How a line of a patch looks.
fn look_of(line: &str) -> Look {
    match line.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Look::Bold,
        [b'd', b'i', b'f', b'f', ..] => Look::Bold,
        [b'@', ..] => Look::Cyan,
        [b'+', ..] => Look::Green,
        [b'-', ..] => Look::Red,
        _ => Look::Plain,
    }
}
