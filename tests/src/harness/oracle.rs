//! The oracle: what has to hold at the end of a sprint, however often its director was killed.
//!
//! Three witnesses are compared: the journal, git, and the diary that the commands kept themselves. None of them is
//! believed alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::{Playground, SPRINT, git, task};
use crate::process;

/// How long processes may take to be gone once the program has ended.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// What was counted in a sprint that is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Directors that wrote to the journal.
    pub starts: usize,
    /// Records in the journal.
    pub records: u64,
    /// Attempts that ended, however.
    pub attempts: usize,
    /// Attempts that a kill interrupted.
    pub interrupted: usize,
    /// Attempts that did not come to their end and had written something, all of it saved.
    pub saved: usize,
    /// The integration branch's tree.
    pub tree: String,
}

/// Checks a sprint that has ended with every task done.
///
/// # Errors
/// What does not hold.
pub fn check(play: &Playground) -> Result<Figures, String> {
    check_result(play)?;
    let events = play.events()?;
    let diary = fs::read_to_string(play.diary()).map_err(|error| format!("diary: {error}"))?;
    let ends = ends(&events)?;
    let saved = salvages(&play.repo(), &diary, &ends)?;
    let starts = named(&events, "epoch_opened").count();
    Ok(Figures {
        starts,
        records: events.last().and_then(|e| e["seq"].as_u64()).unwrap_or(0),
        attempts: ends.len(),
        interrupted: ends.values().filter(|end| *end == "interrupted").count(),
        saved,
        tree: play.git(&["rev-parse", &format!("sprint/{SPRINT}^{{tree}}")]),
    })
}

/// The same without the diary, and so without what was saved.
///
/// # Errors
/// What does not hold.
pub fn check_result(play: &Playground) -> Result<(), String> {
    let left = process::left_after(&play.root(), GONE_WITHIN);
    same("processes left over", &left, &Vec::new())?;
    let verified = play.ask(&["journal", "verify"]);
    if !verified.status.success() {
        let said = String::from_utf8_lossy(&verified.stderr);
        return Err(format!("`journal verify`: {said}"));
    }
    let events = play.events()?;
    completions(play, &events)?;
    merges(play, &events)?;
    tree(play)?;
    repository(play)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: {found:?}, expected {expected:?}")),
    }
}

/// The events of one name.
pub fn named<'e>(events: &'e [Value], name: &'e str) -> impl Iterator<Item = &'e Value> {
    events.iter().filter(move |event| event["event"] == name)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn all_tasks(play: &Playground) -> BTreeMap<String, usize> {
    (1..=play.tasks()).map(|n| (task(n), 1)).collect()
}

fn counted(tasks: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for task in tasks {
        *counts.entry(task).or_default() += 1;
    }
    counts
}

/// Every task is completed once, and the sprint ended once, as done.
fn completions(play: &Playground, events: &[Value]) -> Result<(), String> {
    let completed = counted(named(events, "task_completed").map(|event| text(&event["task_id"])));
    same("tasks completed", &completed, &all_tasks(play))?;
    let ended: Vec<String> = named(events, "sprint_ended")
        .map(|event| text(&event["outcome"]))
        .collect();
    same("ends of the sprint", &ended, &vec!["done".to_owned()])
}

/// The journal's merges are the first-parent history, one for each task.
fn merges(play: &Playground, events: &[Value]) -> Result<(), String> {
    let journal: Vec<String> = named(events, "merge_completed")
        .map(|event| text(&event["commit"]))
        .collect();
    let range = format!("{}..sprint/{SPRINT}", play.base());
    let log = |format: &str| play.git(&["log", "--first-parent", "--reverse", format, &range]);
    let history: Vec<String> = log("--format=%H").lines().map(str::to_owned).collect();
    same(
        "merges in the journal, against those in git",
        &journal,
        &history,
    )?;
    let trailers = log("--format=%(trailers:key=Director-Task,valueonly,separator=)");
    let merged = counted(trailers.lines().map(str::to_owned));
    same("tasks merged", &merged, &all_tasks(play))
}

/// Each task's effect is in the tree, once.
fn tree(play: &Playground) -> Result<(), String> {
    let branch = format!("sprint/{SPRINT}");
    let files = play.git(&["ls-tree", "-r", "--name-only", &branch]);
    let show = |path: &str| play.git(&["show", &format!("{branch}:{path}")]);
    let mut lines = Vec::new();
    let mut works = BTreeSet::new();
    for path in files.lines() {
        if path.starts_with("ledger/") {
            lines.extend(show(path).lines().map(str::to_owned));
        } else if let Some(task) = path.strip_prefix("work/") {
            works.insert(task.to_owned());
            let first = show(path).lines().next().unwrap_or_default().to_owned();
            same(path, &first, &format!("what {task} makes"))?;
        } else if path.starts_with("unfinished/") {
            return Err(format!("`{path}` was merged"));
        }
    }
    same(
        "lines in the ledgers",
        &counted(lines.into_iter()),
        &all_tasks(play),
    )?;
    same("files made", &works, &all_tasks(play).into_keys().collect())
}

/// Nothing of ours is left in the repository but the integration branch and what was saved; the user's is untouched.
fn repository(play: &Playground) -> Result<(), String> {
    let heads = play.git(&["for-each-ref", "--format=%(refname)", "refs/heads"]);
    same(
        "branches",
        &heads,
        &format!("refs/heads/main\nrefs/heads/sprint/{SPRINT}"),
    )?;
    same(
        "main",
        &play.git(&["rev-parse", "main"]),
        &play.base().to_owned(),
    )?;
    same(
        "HEAD",
        &play.git(&["symbolic-ref", "HEAD"]),
        &"refs/heads/main".to_owned(),
    )?;
    same(
        "changes in the checkout",
        &play.git(&["status", "--porcelain"]),
        &String::new(),
    )?;
    let worktrees = play.git(&["worktree", "list", "--porcelain"]);
    same("worktrees", &worktrees.matches("worktree ").count(), &1)?;
    same(
        "`.worktrees` is there",
        &play.repo().join(".worktrees").exists(),
        &false,
    )?;
    let mut locks = Vec::new();
    find_locks(&play.repo().join(".git"), &mut locks);
    same("locks", &locks, &Vec::new())?;
    git(&play.repo(), &["fsck", "--no-dangling", "--no-progress"]).map(drop)
}

fn find_locks(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            find_locks(&path, found);
        } else if name.to_string_lossy().ends_with(".lock") && name != "director-worktrees.lock" {
            found.push(path.display().to_string());
        }
    }
}

/// How every attempt ended; one that ended twice is an error.
fn ends(events: &[Value]) -> Result<BTreeMap<(String, u64), String>, String> {
    let mut ends = BTreeMap::new();
    for event in named(events, "attempt_ended") {
        let attempt = (
            text(&event["task_id"]),
            event["attempt"].as_u64().unwrap_or(0),
        );
        let end = match &event["end"] {
            Value::String(end) => end.clone(),
            Value::Object(end) => end.keys().next().cloned().unwrap_or_default(),
            other => return Err(format!("an attempt ended with {other}")),
        };
        if ends.insert(attempt.clone(), end).is_some() {
            return Err(format!("attempt {attempt:?} ended twice"));
        }
    }
    Ok(ends)
}

/// What an attempt that was not done had written is in its salvage ref; gives their number.
fn salvages(
    repo: &Path,
    diary: &str,
    ends: &BTreeMap<(String, u64), String>,
) -> Result<usize, String> {
    let mut begun = BTreeSet::new();
    let mut tidied = BTreeSet::new();
    for line in diary.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [task, attempt, what] = words[..] else {
            return Err(format!("the diary says `{line}`"));
        };
        let attempt = (task.to_owned(), attempt.parse().unwrap_or(0));
        match what {
            "began" if !begun.insert(attempt.clone()) => {
                return Err(format!("attempt {attempt:?} began twice"));
            }
            "tidied" => drop(tidied.insert(attempt)),
            _ => {}
        }
    }
    let mut saved = 0;
    for attempt in &begun {
        let (task, number) = attempt;
        match ends.get(attempt).map(String::as_str) {
            None => return Err(format!("attempt {attempt:?} has no end in the journal")),
            Some("done") => continue,
            Some(_) => saved += 1,
        }
        let at = format!("refs/director/salvage/{SPRINT}/{task}/{number}");
        let show = |path: String| {
            git(repo, &["show", &format!("{at}:{path}")])
                .map_err(|said| format!("attempt {attempt:?} was lost: {said}"))
        };
        if tidied.contains(attempt) {
            show(format!("work/{task}"))?;
        } else {
            let note = show(format!("unfinished/{task}"))?;
            same(&at, &note, &format!("{task} {number}"))?;
        }
    }
    Ok(saved)
}
