//! `director worktrees`: those in use, by feature.

use director_agents::git::{Repository, SprintNames};

use super::deliver::sprint_of;
use super::end::{CliError, Code};
use super::output::note;
use super::source::Source;
use super::{Context, Which, home};
use crate::control::work;

/// List the worktrees in use
#[derive(Debug, clap::Args)]
pub(super) struct WorktreesArgs {
    #[command(flatten)]
    which: Which,
    /// Remove those whose work is merged or saved; only when no director runs
    #[arg(long)]
    prune: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn worktrees(args: WorktreesArgs, cx: &mut Context) -> Result<Code, CliError> {
    let data_dir = home::find(cx)?;
    let (facts, running) = super::block_on(async {
        let mut source = Source::open(&data_dir).await?;
        let facts = sprint_of(&mut source, args.which.sprint.clone()).await?;
        Ok((facts, matches!(source, Source::Running(_))))
    })?;
    if args.prune {
        let (repository, names) = work::repository(&facts)?;
        if running {
            let text = "a director runs and removes worktrees itself; stop it first, or wait for the sprint's end";
            return Err(CliError::Input(text.to_owned()));
        }
        prune(&repository, &names, facts.over)?;
    }
    let (text, rows) = work::worktrees(&facts)?;
    if args.json {
        cx.output.json(&rows)?;
        return Ok(Code::Done);
    }
    cx.output.text(&text)?;
    for kept in &facts.kept {
        note(&format!("kept: {kept}"));
    }
    Ok(Code::Done)
}

/// Removes what holds nothing that is not in a commit of ours.
fn prune(repository: &Repository, names: &SprintNames, over: bool) -> Result<(), CliError> {
    repository.clear_debris(names)?;
    for entry in repository.worktrees(names)? {
        let path = entry.worktree.path().display();
        let Some(feature) = &entry.feature else {
            // Gates run there; it holds no work.
            if over {
                repository.remove_worktree(&entry.worktree)?;
                note(&format!("removed {path}"));
            }
            continue;
        };
        // What an agent committed in a clone is in its clone alone; nothing else works in it now.
        let head = repository.collected_head(&entry.worktree)?;
        let merged = match (&head, repository.resolve(&names.integration_ref())?) {
            (Some(head), Some(tip)) => repository.is_ancestor(head, &tip)?,
            _ => false,
        };
        if !merged {
            note(&format!(
                "kept {path}: the work of `{feature}` is not merged"
            ));
        } else if !repository.is_clean_worktree(&entry.worktree)? {
            note(&format!("kept {path}: it has files that are in no commit"));
        } else {
            repository.remove_worktree(&entry.worktree)?;
            note(&format!("removed {path}"));
        }
    }
    Ok(())
}
