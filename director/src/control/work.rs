//! The work itself: a task's output and changes, and a sprint's result into its base. Files and git, so all of it blocks.
//!
//! Elsewhere: what is known of it without looking is [`super::facts`]; git is `perform`'s.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use director_agents::git::{Delivery, GitError, Oid, Repository, SprintNames};
use director_protocols::ids::{Attempt, TaskId};
use director_protocols::sprint::Isolation;
use director_protocols::time::Time;
use serde_json::{Value, json};

use super::facts::{SprintFacts, TaskFacts};
use crate::engine::orders::Piece;
use crate::perform::{Trouble, deliver as perform};

/// Why there is nothing to show or to deliver.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// It is not there, or not yet.
    #[error("{0}")]
    Nothing(String),
    /// Something with the repository did not work.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// Git said no.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// A sprint's result that is in its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The branch.
    pub base: String,
    /// The commit that it has.
    pub commit: String,
    /// What happened, in words.
    pub text: String,
}

/// The repository of a sprint, and how its branches and worktrees are called there.
///
/// # Errors
/// That it has none, or that it cannot be read.
pub fn repository(facts: &SprintFacts) -> Result<(Repository, SprintNames), WorkError> {
    let Some(repo) = &facts.repo else {
        return Err(WorkError::Nothing(format!(
            "sprint `{}` has no repository, so it has no worktrees",
            facts.sprint
        )));
    };
    let names = SprintNames::new(&facts.sprint)?;
    Ok((Repository::open(Path::new(repo))?, names))
}

/// The worktrees of a sprint, for people and for programs.
///
/// # Errors
/// That it has no repository, or that it cannot be read.
pub fn worktrees(facts: &SprintFacts) -> Result<(String, Value), WorkError> {
    let (repository, names) = repository(facts)?;
    let (mut text, mut rows) = (String::new(), Vec::new());
    for entry in repository.worktrees(&names)? {
        let path = entry.worktree.path().display();
        let gone = match entry.present {
            true => "",
            false => "  (folder is gone)",
        };
        let feature = entry.feature.as_deref().unwrap_or("(integration)");
        let head = entry.head.as_ref().map_or("-", |head| head.short());
        text += &format!("{feature:<24} {head:<12} {path}{gone}\n");
        rows.push(json!({
            "feature": entry.feature,
            "path": path.to_string(),
            "branch": entry.worktree.branch(),
            "head": entry.head.as_ref().map(ToString::to_string),
            "present": entry.present,
        }));
    }
    if rows.is_empty() {
        text = format!("sprint `{}` has no worktrees\n", facts.sprint);
    }
    Ok((text, json!({ "sprint": facts.sprint, "worktrees": rows })))
}

/// Brings the integration branch into the base, only from where the sprint began, and only when the gates are green.
///
/// # Errors
/// Why nothing was delivered, with what to do.
pub fn deliver(facts: &SprintFacts, partial: bool, now: Time) -> Result<Delivered, WorkError> {
    deliverable(facts, partial)?;
    let expected: Oid = facts.base.parse()?;
    let delivery = perform::deliver(&facts.place(), None, Some(&expected), now.0)?;
    let name = &facts.sprint;
    let base = facts
        .base_branch
        .clone()
        .unwrap_or_else(|| "the branch that is checked out".to_owned());
    let (commit, text) = match delivery {
        Delivery::Delivered {
            commit,
            fast_forward,
        } => {
            let how = if fast_forward {
                "moved forward to"
            } else {
                "got the merge commit"
            };
            let text = format!(
                "{base} {how} {}: sprint `{name}` is delivered\n",
                commit.short()
            );
            (commit.to_string(), text)
        }
        Delivery::AlreadyThere => (
            facts.head.clone(),
            format!("{base} has sprint `{name}` already\n"),
        ),
        Delivery::NotDelivered { why, commands } => {
            let commands: String = commands
                .iter()
                .map(|line| format!("\n    {line}"))
                .collect();
            let text = format!("nothing was delivered: {why}\nto do it by hand:{commands}");
            return Err(WorkError::Nothing(text));
        }
    };
    Ok(Delivered { base, commit, text })
}

/// Whether the sprint may be delivered.
fn deliverable(facts: &SprintFacts, partial: bool) -> Result<(), WorkError> {
    let name = &facts.sprint;
    let no = |text: String| Err(WorkError::Nothing(text));
    if !facts.over {
        return no(format!(
            "sprint `{name}` is {}; deliver it when it has ended",
            facts.state
        ));
    }
    if facts.state == "refused" {
        return no(format!("sprint `{name}` never began: {}", facts.refused));
    }
    if !facts.not_green.is_empty() {
        return no(format!(
            "sprint `{name}` is not green: {}",
            facts.not_green.join("; ")
        ));
    }
    if facts.state != "done" && !partial {
        let (done, committed) = facts.done;
        return no(format!(
            "sprint `{name}` is {}: {done} of {committed} committed tasks are done; `director why TASK` tells of one, \
             `--partial` delivers what was merged",
            facts.state
        ));
    }
    match facts.repo {
        Some(_) => Ok(()),
        None => no(format!(
            "sprint `{name}` has no repository, so there is nothing to deliver"
        )),
    }
}

/// What a task changed so far, as a patch.
///
/// # Errors
/// Why there is nothing to compare.
pub fn diff(sprint: &SprintFacts, task: &TaskFacts) -> Result<String, WorkError> {
    Ok(perform::diff(&sprint.place(), &piece(sprint, task)?)?)
}

/// The task's last attempt, as git needs to know it.
///
/// # Errors
/// Why there is nothing to compare.
pub fn piece(sprint: &SprintFacts, task: &TaskFacts) -> Result<Piece, WorkError> {
    let nothing = |why: &str| {
        Err(WorkError::Nothing(format!(
            "task `{}` is {}{why}",
            task.task, task.status
        )))
    };
    let Some(repo) = &sprint.repo else {
        let text = format!(
            "sprint `{}` has no repository, so there is nothing to compare",
            sprint.sprint
        );
        return Err(WorkError::Nothing(text));
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
        sandboxed: false,
        resolve: String::new(),
        conflict: Vec::new(),
        at_ms: 0,
    })
}

/// Where an attempt's output is; `None` when it left none.
pub fn log_of(data_dir: &Path, facts: &TaskFacts, attempt: u32) -> Option<PathBuf> {
    let dir = data_dir.join("attempts").join(facts.number.to_string());
    let log = dir.join(attempt.to_string()).join("output.log");
    log.is_file().then_some(log)
}

/// The end of a file, at most so many bytes, and whether something is left out before it.
///
/// # Errors
/// That it cannot be read.
pub fn tail(path: &Path, most: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(most);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(most).read_to_end(&mut bytes)?;
    Ok((bytes, from > 0))
}

/// Output as text that cannot steer the terminal: lines and tabs stay, other control characters do not.
pub fn harmless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let plain = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().filter(|c| *c != '\r').map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_green_sprint_that_is_over_is_delivered() {
        let good = SprintFacts {
            sprint: "s".into(),
            state: "done".into(),
            over: true,
            repo: Some("/r".into()),
            base_branch: Some("main".into()),
            done: (3, 3),
            ..SprintFacts::default()
        };
        let change = |change: fn(&mut SprintFacts)| {
            let mut facts = good.clone();
            change(&mut facts);
            facts
        };
        for (facts, partial, said) in [
            (good.clone(), false, ""),
            (
                change(|f| f.over = false),
                false,
                "deliver it when it has ended",
            ),
            (
                change(|f| f.not_green = vec!["gate `tests` failed".into()]),
                true,
                "not green",
            ),
            (
                change(|f| f.state = "incomplete".into()),
                false,
                "--partial",
            ),
            (change(|f| f.state = "incomplete".into()), true, ""),
            (change(|f| f.repo = None), false, "no repository"),
        ] {
            let found = deliverable(&facts, partial)
                .err()
                .map_or_else(String::new, |e| e.to_string());
            assert!(
                found.contains(said) && found.is_empty() == said.is_empty(),
                "{facts:?}: {found}"
            );
        }
    }

    #[test]
    fn output_cannot_steer_the_terminal() {
        for (printed, shown) in [
            (&b"a\tb\r\nc\n"[..], "a\tb\nc\n"),
            (b"\x1b[2Jgone", "\u{fffd}[2Jgone"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(harmless(printed), shown);
        }
    }
}
