//! The *Progress Update*: where the sprint stands, as a message to people.

use director_protocols::event::{OpenBlocker, ProgressUpdated};
use director_protocols::ids::{SprintId, TaskId};
use director_protocols::time::{Span, Time};

use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::report::text::short;
use crate::view::count;
use crate::view::forecast::days;
use crate::view::status::{open_blockers, velocity};

/// What counts as a recent achievement and as soon, when the sprint says nothing else.
const RECENT: Span = Span::hours(24);
/// How many of each are named.
const NAMED_MAX: usize = 8;

/// The update, plain text; nothing when there is no such sprint.
pub fn progress(state: &State, sprint: SprintId, now: Time) -> String {
    let Some(row) = state.sprints.get(sprint) else {
        return String::new();
    };
    let tasks: Vec<&Task> = row
        .tasks()
        .filter_map(|id| state.tasks.get(id))
        .filter(|task| !task.is_help())
        .collect();
    let number = |is: fn(Phase) -> bool| tasks.iter().filter(|task| is(task.phase)).count();
    let metrics = velocity(state, sprint, now);
    let day = match days(row, now) {
        Some((day, Some(all))) if day > all => format!("{all} of {all} (past the end)"),
        Some((day, Some(all))) => format!("{day} of {all}"),
        Some((day, None)) => format!("{day} (the sprint has no end date)"),
        None => match row.began {
            Some(began) => format!(
                "{} since the start (the sprint has no dates)",
                now.since(began)
            ),
            None => "not begun".to_owned(),
        },
    };
    let mut out = vec![
        "Sprint Progress Update".to_owned(),
        format!("Sprint: {} ({})", row.spec.id, row.state()),
        format!("Day: {day}"),
        format!(
            "Completed: {}",
            count(number(|phase| phase == Phase::Completed), "task")
        ),
        format!(
            "In Progress: {}",
            count(
                number(|phase| {
                    phase.is_in_hand()
                        || matches!(
                            phase,
                            Phase::Reported | Phase::Reviewing | Phase::Queued | Phase::Merging
                        )
                }),
                "task"
            )
        ),
        format!(
            "Blocked: {}",
            count(number(|phase| phase == Phase::Blocked), "task")
        ),
        format!(
            "Velocity: {} (Target: {})",
            metrics.completed_points, metrics.target_points
        ),
        "Key Achievements:".to_owned(),
    ];
    out.extend(list(achievements(&tasks, row.ended.unwrap_or(now))));
    out.push("Blockers:".to_owned());
    out.extend(list(
        open_blockers(state, sprint, now)
            .into_iter()
            .map(|blocker| {
                format!(
                    "{}: {} ({}, for {}){}",
                    blocker.task,
                    short(&blocker.text, 160),
                    blocker.severity.as_str(),
                    Span((blocker.open_seconds * 1000.0) as u64),
                    blocker.inbox.map_or_else(String::new, |item| format!(
                        " - waits for an answer, inbox #{item}"
                    ))
                )
            })
            .collect(),
    ));
    out.push("Next 24 Hours:".to_owned());
    out.extend(list(planned(state, &tasks)));
    out.push(String::new());
    out.join("\n")
}

/// The update of an event, as it was then.
pub fn progress_text(e: &ProgressUpdated, state: &State) -> String {
    let name = |id: &TaskId| state.task_name(*id);
    let title = |id: &TaskId| {
        let task = state.tasks.get(*id);
        let title = task.map_or_else(String::new, |task| short(&task.spec.title, 80));
        format!("{}: {title}", name(id))
    };
    let sprint = state.sprints.get(e.sprint_id);
    let mut out = vec![
        "Sprint Progress Update".to_owned(),
        format!(
            "Sprint: {}",
            sprint.map_or_else(String::new, |row| row.spec.id.to_string())
        ),
        match (e.day, e.days) {
            (Some(day), Some(days)) => format!("Day: {day} of {days}"),
            (Some(day), None) => format!("Day: {day} (the sprint has no end date)"),
            (None, _) => "Day: the sprint has no dates".to_owned(),
        },
        format!("Completed: {}", count(e.completed as usize, "task")),
        format!("In Progress: {}", count(e.in_progress as usize, "task")),
        format!("Blocked: {}", count(e.blocked as usize, "task")),
        format!("Velocity: {} (Target: {})", e.velocity, e.target),
        "Key Achievements:".to_owned(),
    ];
    out.extend(list(e.key_achievements.iter().map(title).collect()));
    out.push("Blockers:".to_owned());
    let blocker = |one: &OpenBlocker| {
        let text = short(&one.text, 160);
        format!("{}: {text} ({})", name(&one.task_id), one.severity.as_str())
    };
    out.extend(list(e.blockers.iter().map(blocker).collect()));
    out.push("Next 24 Hours:".to_owned());
    out.extend(list(e.next.iter().map(title).collect()));
    out.push(String::new());
    out.join("\n")
}

fn list(items: Vec<String>) -> Vec<String> {
    let more = items.len().saturating_sub(NAMED_MAX);
    let mut lines: Vec<String> = items
        .into_iter()
        .take(NAMED_MAX)
        .map(|item| format!("- {item}"))
        .collect();
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
    if lines.is_empty() {
        lines.push("- none".to_owned());
    }
    lines
}

/// What was completed in the last day, newest first; the weightiest of earlier days if there is nothing.
fn achievements(tasks: &[&Task], now: Time) -> Vec<String> {
    let mut done: Vec<(Time, &&Task)> = tasks
        .iter()
        .filter(|task| task.phase == Phase::Completed)
        .filter_map(|task| Some((task.finished?, task)))
        .collect();
    done.sort_by_key(|(at, task)| (std::cmp::Reverse(*at), task.rank));
    let recent = done
        .iter()
        .filter(|(at, _)| now.since(*at) <= RECENT)
        .count();
    if recent > 0 {
        done.truncate(recent);
    } else {
        done.sort_by_key(|(_, task)| (std::cmp::Reverse(task.spec.points), task.rank));
        done.truncate(3);
    }
    done.into_iter()
        .map(|(_, task)| {
            let summary = task
                .story
                .as_deref()
                .map_or("", |story| story.report().summary.as_str());
            match summary.trim() {
                "" => format!("{}: {}", task.spec.id, short(&task.spec.title, 80)),
                summary => format!("{}: {}", task.spec.id, short(summary, 120)),
            }
        })
        .collect()
}

/// What is in hand, then what can start, then what comes right after.
pub(crate) fn planned(state: &State, tasks: &[&Task]) -> Vec<String> {
    let mut rows: Vec<(u8, &&Task, String)> = tasks
        .iter()
        .filter_map(|task| {
            let agent = task.agent.map(|agent| state.agent_name(agent));
            let (order, what) = match task.phase {
                Phase::Reported | Phase::Reviewing | Phase::Queued | Phase::Merging => {
                    (0, "is being merged".to_owned())
                }
                Phase::Assigned | Phase::Working => {
                    (1, format!("{} goes on", agent.unwrap_or_default()))
                }
                Phase::Backoff(_) => (2, "is tried again".to_owned()),
                Phase::Ready => (3, "starts when an agent is free".to_owned()),
                Phase::Waiting
                    if task.depends_on.iter().all(|id| {
                        state.tasks.get(*id).is_some_and(|row| {
                            row.phase == Phase::Completed || row.phase.is_active()
                        })
                    }) =>
                {
                    (4, "starts when what it waits for is merged".to_owned())
                }
                _ => return None,
            };
            Some((order, task, format!("{}: {what}", task.spec.id)))
        })
        .collect();
    rows.sort_by_key(|(order, task, _)| (*order, task.rank));
    rows.into_iter().map(|(_, _, line)| line).collect()
}
