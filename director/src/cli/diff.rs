//! `director diff`: what a task changed.

use std::path::Path;

use director_agents::git::Repository;
use director_protocols::ids::{Attempt, TaskId};
use director_protocols::sprint::Isolation;

use super::deliver::sprint_of;
use super::end::{CliError, Code};
use super::source::Source;
use super::{Context, Which, home, logs};
use crate::control::facts::{SprintFacts, TaskFacts};
use crate::control::protocol::{Ask, Screen};
use crate::engine::orders::Piece;
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
    let patch = perform::diff(&sprint.place(), &piece(&sprint, &task)?)?;
    let paint = Paint {
        colour: cx.output.screen.colour,
    };
    for line in patch.lines() {
        cx.output
            .text(&paint.on(look_of(line), &logs::harmless(line.as_bytes())))?;
        cx.output.text("\n")?;
    }
    Ok(Code::Done)
}

/// The task's last attempt, as git needs to know it.
fn piece(sprint: &SprintFacts, task: &TaskFacts) -> Result<Piece, CliError> {
    let nothing = |why: &str| {
        Err(CliError::Input(format!(
            "task `{}` is {}{why}",
            task.task, task.status
        )))
    };
    let Some(repo) = &sprint.repo else {
        let text = format!(
            "sprint `{}` has no repository, so there is nothing to compare",
            sprint.sprint
        );
        return Err(CliError::Input(text));
    };
    if task.begun_at.is_empty() {
        return nothing("; nothing has been changed for it yet");
    }
    let mut commit = task.commit.clone();
    if commit.is_empty() && !Path::new(&task.workdir).is_dir() {
        let Some(saved) = task.salvaged.last() else {
            return nothing(" and has left no changes");
        };
        let found = Repository::open(Path::new(repo))?.resolve(saved)?;
        let Some(found) = found else {
            return nothing("; what it left was saved and has been deleted since");
        };
        commit = found.to_string();
    }
    Ok(Piece {
        id: TaskId(task.number),
        task: task.task.clone(),
        title: task.title.clone(),
        feature: task.feature.clone(),
        attempt: Attempt(task.attempt),
        agent: task.agent.clone(),
        begun_at: task.begun_at.clone(),
        commit,
        produces: Vec::new(),
        isolation: Isolation::default(),
        resolve: String::new(),
        conflict: Vec::new(),
        at_ms: 0,
    })
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
