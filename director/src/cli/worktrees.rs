//! `director worktrees`: those in use, by feature.

use std::path::Path;

use director_agents::git::{Repository, SprintNames};
use serde_json::json;

use super::deliver::sprint_of;
use super::end::{CliError, Code};
use super::output::note;
use super::source::Source;
use super::{Context, Which, home};

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
    let Some(repo) = &facts.repo else {
        let text = format!(
            "sprint `{}` has no repository, so it has no worktrees",
            facts.sprint
        );
        return Err(CliError::Input(text));
    };
    let repository = Repository::open(Path::new(repo))?;
    let names = SprintNames::new(&facts.sprint)?;
    if args.prune {
        if running {
            let text = "a director runs and removes worktrees itself; stop it first, or wait for the sprint's end";
            return Err(CliError::Input(text.to_owned()));
        }
        prune(&repository, &names, facts.over)?;
    }
    let entries = repository.worktrees(&names)?;
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            json!({
                "feature": entry.feature,
                "path": entry.worktree.path().display().to_string(),
                "branch": entry.worktree.branch(),
                "head": entry.head.as_ref().map(ToString::to_string),
                "present": entry.present,
            })
        })
        .collect();
    if args.json {
        cx.output
            .json(&json!({ "sprint": facts.sprint, "worktrees": rows }))?;
        return Ok(Code::Done);
    }
    if entries.is_empty() {
        cx.output
            .text(&format!("sprint `{}` has no worktrees\n", facts.sprint))?;
    }
    for entry in &entries {
        let feature = entry.feature.as_deref().unwrap_or("(integration)");
        let head = entry.head.as_ref().map_or("-", |head| head.short());
        let gone = if entry.present {
            ""
        } else {
            "  (folder is gone)"
        };
        let path = entry.worktree.path().display();
        cx.output
            .text(&format!("{feature:<24} {head:<12} {path}{gone}\n"))?;
    }
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
