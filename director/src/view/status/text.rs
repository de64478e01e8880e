//! The status as text for a terminal.

use director_protocols::time::{Span, Time};

use super::super::paint::{Look, Paint, Table, bar, cell, looks, text_of, wrap};
use super::super::words::{mark, severity_look};
use super::super::{agents, at_minute, count};
use super::{StatusView, TaskStatus};
use crate::engine::tasks::Phase;
use crate::report::text;

/// The status as text, `width` columns wide.
pub fn render(view: &StatusView, width: usize, colour: bool) -> String {
    let paint = Paint { colour };
    let Some(sprint) = &view.sprint else {
        return "There is no sprint yet. `director run sprint.toml` begins one.\n".to_owned();
    };
    let mut lines = vec![headline(view, sprint, paint)];
    if let Some(reason) = &view.reason {
        lines.extend(wrap("  ", reason, width));
    }
    lines.push(progress(view, paint));
    lines.push(String::new());
    let mut table = Table::new(&["", "task", "status", "try", ""]).right(&[3]);
    for task in &view.tasks {
        let phase = phase_of(&task.status);
        table.row(vec![
            looks(phase.1, phase.0),
            cell(&task.id),
            looks(phase.1, &task.status),
            cell(match task.attempt {
                0 | 1 => String::new(),
                n => n.to_string(),
            }),
            match task.status.as_str() {
                "blocked" | "failed" | "quarantined" | "backoff" => cell(&task.detail),
                _ => looks(of_agent(task), with_agent(task)),
            },
        ]);
    }
    lines.extend(table.lines(width, paint));
    if !view.blockers.is_empty() {
        lines.extend([String::new(), paint.on(Look::Bold, "Blockers")]);
        for blocker in &view.blockers {
            let by = blocker.agent.as_deref().unwrap_or("director");
            let first = format!(
                "  {} ",
                paint.on(severity_look(blocker.severity), blocker.severity.as_str())
            );
            let text = format!(
                "{}: {} ({by}, for {})",
                blocker.task,
                text::short(&blocker.text, 300),
                Span((blocker.open_seconds * 1000.0) as u64)
            );
            let mut wrapped = wrap(
                &" ".repeat(blocker.severity.as_str().len() + 3),
                &text,
                width,
            );
            if let Some(line) = wrapped.first_mut() {
                *line = format!("{first}{}", line.trim_start());
            }
            lines.extend(wrapped);
        }
    }
    if !view.deployments.is_empty() {
        lines.extend([String::new(), paint.on(Look::Bold, "Deployments")]);
        let mut table = Table::new(&["", "what", "state", ""]);
        for row in &view.deployments {
            let look = match row.state {
                "deployed" => Look::Green,
                "held" | "waiting" | "handed" => Look::Yellow,
                "failing" => Look::Red,
                "dropped" => Look::Dim,
                _ => Look::Cyan,
            };
            table.row(vec![
                cell(""),
                cell(&row.what),
                looks(look, row.state),
                looks(Look::Dim, text::short(&row.detail, 300)),
            ]);
        }
        lines.extend(table.lines(width, paint));
    }
    for row in &view.conflicts {
        lines.extend(wrap("conflict: ", &row.sentence(), width));
    }
    for row in &view.parked {
        lines.extend(wrap("parked: ", &row.sentence(), width));
    }
    for row in &view.budgets {
        lines.extend(wrap("budget ", &row.sentence(), width));
    }
    if !view.inbox.is_empty() {
        lines.extend([
            String::new(),
            paint.on(
                Look::Yellow,
                &format!(
                    "{} for an answer: director inbox",
                    match view.inbox.len() {
                        1 => "1 question waits".to_owned(),
                        n => format!("{n} questions wait"),
                    }
                ),
            ),
        ]);
    }
    for warning in &view.warnings {
        lines.extend(wrap("note: ", warning, width));
    }
    text_of(&lines)
}

/// The colour of whoever has it in hand; what is over or waits is dim.
fn of_agent(task: &TaskStatus) -> Look {
    match (task.status.as_str(), &task.agent_color) {
        ("assigned" | "working", Some(color)) => agents::mark(Some(color)),
        _ => Look::Dim,
    }
}

/// Who has it or did it goes before what is to be said about it.
fn with_agent(task: &TaskStatus) -> String {
    match (&task.assigned_agent, task.status.as_str()) {
        (Some(agent), "completed" | "assigned" | "working" | "reported" | "queued" | "merging") => {
            format!("{agent} {}", task.detail)
        }
        _ => task.detail.clone(),
    }
}

fn headline(view: &StatusView, sprint: &str, paint: Paint) -> String {
    let look = match view.state.as_str() {
        "running" => Look::Cyan,
        "done" => Look::Green,
        "paused" | "halted" | "preparing" | "unclear" => Look::Yellow,
        _ => Look::Red,
    };
    let epic = view
        .epic
        .as_deref()
        .map_or_else(String::new, |epic| format!(" · {}", text::short(epic, 40)));
    format!(
        "{} {}{}",
        paint.on(Look::Bold, sprint),
        paint.on(look, &view.state),
        paint.on(Look::Dim, &epic)
    )
}

fn progress(view: &StatusView, paint: Paint) -> String {
    let metrics = &view.velocity_metrics;
    // Help, such as a review, is among the tasks and not in the counts.
    let counted = |state: &str| view.counts.get(state).copied().unwrap_or(0) as usize;
    let all = view.counts.values().sum::<u32>() as usize - counted("backlog");
    let done = counted("completed");
    let mut parts = vec![format!("{done} of {}", count(all, "task"))];
    if metrics.target_points > 0 {
        parts.push(format!(
            "{} of {}",
            metrics.completed_points,
            count(metrics.target_points as usize, "point")
        ));
    }
    if let Some(days) = metrics.days_remaining {
        parts.push(format!("{} left", count(days as usize, "day")));
    }
    match (&metrics.projected_completion, &view.ended) {
        (_, Some(ended)) => parts.push(format!("ended {}", at_minute(ended))),
        (Some(at), None) => parts.push(format!("done by {}", at_minute(at))),
        (None, None) => {}
    }
    format!(
        "{} {}",
        bar(metrics.completion_rate, 16, paint),
        parts.join(" · ")
    )
}

/// The mark and look for a status word.
pub(crate) fn phase_of(status: &str) -> (&'static str, Look) {
    let phases = [
        Phase::Deferred,
        Phase::Waiting,
        Phase::Ready,
        Phase::Backoff(Time(0)),
        Phase::Assigned,
        Phase::Working,
        Phase::Reported,
        Phase::Reviewing,
        Phase::Queued,
        Phase::Merging,
        Phase::Completed,
        Phase::Blocked,
        Phase::Failed,
        Phase::Quarantined,
        Phase::Cancelled,
    ];
    phases
        .into_iter()
        .find(|phase| phase.as_str() == status)
        .map_or(("?", Look::Plain), mark)
}
