//! What a look ahead means: a conflict that is new or over is written down, and who has the work in hand is told.
//!
//! Nothing is stopped, and nobody is told the same twice: each task remembers in which files it met whose work.
//!
//! Elsewhere: what becomes of what is written down is [`crate::engine::clashes`].

use std::collections::BTreeSet;

use director_protocols::event::{AgentTold, ConflictForeseen, ConflictOver, Event};
use director_protocols::ids::{Attempt, MessageId, SprintId, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::work::{FILES_MAX, Sight};

use super::Answer;
use crate::engine::clashes::{Between, sides};
use crate::engine::state::State;
use crate::engine::tasks::Phase;

/// Files that are named in a sentence.
const NAMED: usize = 3;

/// Decides about what was seen. What is out of date by now is passed over: the next look comes.
///
/// # Errors
/// The sprint does not exist.
pub fn seen(state: &State, sprint: SprintId, head: &str, sights: &[Sight]) -> Answer {
    let row = state.sprints.get(sprint).ok_or(Rejection::NoSprint)?;
    let mut events = Vec::new();
    let mut seen = BTreeSet::new();
    for sight in sights {
        let Some(between) = between(state, sprint, sight) else {
            continue;
        };
        let current = between.1.is_some() || row.head == head;
        if !current || !seen.insert(between) {
            continue;
        }
        let before = state.clashes.get(&between);
        let files = named(&sight.files);
        let (task_id, with) = between;
        if files.is_empty() {
            let over = ConflictOver {
                sprint_id: sprint,
                task_id,
                with,
                reason: "they would merge now".to_owned(),
            };
            events.extend(before.map(|_| Event::from(over)));
            continue;
        }
        let foreseen = ConflictForeseen {
            sprint_id: sprint,
            task_id,
            with,
            merged: match with {
                Some(_) => Vec::new(),
                None => authors(state, task_id, &files),
            },
            files,
        };
        let known = before.is_some_and(|clash| {
            (&clash.files, &clash.merged) == (&foreseen.files, &foreseen.merged)
        });
        if !known {
            let told = told(state, &foreseen);
            events.push(foreseen.into());
            events.extend(told);
        }
    }
    Ok(events)
}

/// Between whom, if both are under way in the sprint and in the attempts that were looked at.
fn between(state: &State, sprint: SprintId, sight: &Sight) -> Option<Between> {
    let current = |(task, attempt): (TaskId, Attempt)| {
        let row = state.tasks.get(task)?;
        let is = row.attempt == attempt && row.sprint == sprint && state.is_under_way(task);
        is.then_some(task)
    };
    let task = current(sight.of)?;
    match sight.with {
        None => Some((task, None)),
        Some(with) => {
            let with = current(with)?;
            (with != task).then(|| (task.min(with), Some(task.max(with))))
        }
    }
}

/// The files by name, each once, and not too many.
fn named(files: &[String]) -> Vec<String> {
    let files: BTreeSet<&String> = files.iter().collect();
    files.into_iter().take(FILES_MAX).cloned().collect()
}

/// Who merged changes of the files since the task's attempt began.
fn authors(state: &State, task: TaskId, files: &[String]) -> Vec<TaskId> {
    let row = &state.tasks.table[task.index()];
    let began = row.story.as_ref().map(|story| story.assigned);
    let all = state.sprints.table[row.sprint.index()].tasks();
    let merged = all.filter(|id| {
        let other = &state.tasks.table[id.index()];
        let since = other.phase == Phase::Completed && other.finished >= began;
        let story = other.story.as_ref().filter(|_| since && *id != task);
        story.is_some_and(|story| story.files.iter().any(|file| files.contains(file)))
    });
    merged.collect()
}

/// What the agents are told that have the work in hand, as far as it is news to them.
fn told(state: &State, e: &ConflictForeseen) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for (task, other) in sides(e) {
        let row = &state.tasks.table[task.index()];
        let met = row
            .story
            .as_ref()
            .and_then(|story| story.clashes.get(&other));
        let met =
            |file: &String| met.is_some_and(|met| met.contains(file) || met.len() >= FILES_MAX);
        let agent = row.agent.filter(|agent| {
            row.phase.is_in_hand() && !state.is_person(*agent) && !e.files.iter().all(met)
        });
        let Some(to) = agent else {
            continue;
        };
        // What was merged is told of once, however many merged it.
        let again = |event: &Event| matches!(event, Event::AgentTold(e) if e.task_id == task);
        if events.iter().any(again) {
            continue;
        }
        events.push(
            AgentTold {
                message: MessageId(state.messages.table.len() as u32),
                task_id: task,
                attempt: row.attempt,
                to,
                text: sentence(state, task, e),
            }
            .into(),
        );
    }
    events
}

/// What a task's agent is told of a conflict.
fn sentence(state: &State, task: TaskId, e: &ConflictForeseen) -> String {
    let files = in_files(&e.files);
    match e.with {
        Some(with) => {
            let other = state.task_name(if with == task { e.task_id } else { with });
            format!(
                "{other}, which is under way too, changes the same places as your work, in {files}. Whichever is merged second will \
                 conflict: keep to what your task needs there, or leave it to {other}"
            )
        }
        None => {
            let names: Vec<String> = e.merged.iter().map(|id| state.task_name(*id)).collect();
            let whose = match names.is_empty() {
                true => String::new(),
                false => format!(" ({})", names.join(", ")),
            };
            format!(
                "What was merged since you began{whose} changes the same places as your work, in {files}. As it is, your work would \
                 conflict and come back to you"
            )
        }
    }
}

/// The files within a sentence.
pub fn in_files(files: &[String]) -> String {
    let named: Vec<String> = files
        .iter()
        .take(NAMED)
        .map(|file| format!("`{file}`"))
        .collect();
    match files.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// What an agent that begins again is told of the conflicts that its task was in.
pub fn advice(state: &State, task: TaskId) -> Vec<String> {
    let row = &state.tasks.table[task.index()];
    let met = row.story.iter().flat_map(|story| &story.clashes);
    let mut said = BTreeSet::new();
    met.filter_map(|((other, _), files)| {
        let with = &state.tasks.table[other.index()];
        let files: Vec<String> = files.iter().cloned().collect();
        let (name, files) = (&with.spec.id, in_files(&files));
        if *other == task || !said.insert(*other) {
            return None;
        }
        match with.phase {
            Phase::Completed => Some(format!(
                "{name} changed the same places, in {files}, and is merged: your worktree has its change, build on it"
            )),
            phase if phase.is_over() => None,
            _ => Some(format!(
                "{name}, which is not merged yet, changes the same places, in {files}: keep to what your task needs there"
            )),
        }
    })
    .collect()
}

/// Whose merged work the task is given with its next attempt.
pub fn met_and_merged(state: &State, task: TaskId) -> Vec<TaskId> {
    let row = &state.tasks.table[task.index()];
    let met = row.story.iter().flat_map(|story| story.clashes.keys());
    let merged = met.map(|(other, _)| *other).filter(|other| {
        let phase = state.tasks.table[other.index()].phase;
        *other != task && phase == Phase::Completed && !row.depends_on.contains(other)
    });
    let merged: BTreeSet<TaskId> = merged.collect();
    merged.into_iter().collect()
}

/// The first conflict that is over because work that was in it is: merged, or not under way any more.
pub fn over(state: &State) -> Option<Event> {
    let mut all = state.clashes.keys();
    all.find_map(|(task, with)| {
        let mut of = [Some(*task), *with].into_iter().flatten();
        let gone = of.find(|id| !state.is_under_way(*id))?;
        let row = &state.tasks.table[gone.index()];
        let name = &row.spec.id;
        let reason = match row.phase {
            Phase::Completed => format!("{name} is merged"),
            _ => format!("the attempt at {name} is over"),
        };
        Some(
            ConflictOver {
                sprint_id: row.sprint,
                task_id: *task,
                with: *with,
                reason,
            }
            .into(),
        )
    })
}
