//! What happened, the newest at the bottom; followed, or held where somebody looks.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::pen::{Pen, row};
use crate::view::count;
use crate::view::paint::{Look, columns_of};
use crate::watch::model::Model;
use crate::watch::seen::Event;

/// Columns of an event's name.
const NAME: usize = 22;

pub(super) fn draw(model: &Model, pen: Pen, frame: &mut Frame<'_>, body: Rect) {
    let width = usize::from(body.width);
    let shown = model.shown_events();
    let mut head = vec![pen.ours(Look::Dim, format!(" {}", count(shown.len(), "event")))];
    if !model.events.all {
        head.push(pen.ours(Look::Dim, " of "));
        head.push(pen.said(Look::Plain, model.shown_sprint()));
    }
    if !model.events.filter.is_empty() {
        head.push(pen.ours(Look::Dim, " with "));
        head.push(pen.said(Look::Bold, &model.events.filter));
    }
    head.push(match model.events.follow {
        true => pen.ours(Look::Green, "  ▼ followed"),
        false => pen.ours(Look::Yellow, "  ‖ held; End follows"),
    });
    let mut lines = vec![Line::from(head)];
    let room = usize::from(body.height).saturating_sub(1);
    let at = model.events.at;
    for (n, place) in shown.iter().enumerate().skip(at.top).take(room) {
        let Some(event) = model.events.lines.get(*place) else {
            continue;
        };
        let is_chosen = !model.events.follow && n == at.at;
        lines.push(row(cells(event, model, pen, width), is_chosen, width));
    }
    frame.render_widget(Paragraph::new(lines), body);
    if shown.is_empty() {
        super::empty(pen, frame, body, "Nothing like that has happened.");
    }
}

/// An event in one line.
pub(super) fn cells(event: &Event, model: &Model, pen: Pen, width: usize) -> Vec<Span<'static>> {
    let clock = event.at.get(11..19).unwrap_or_default();
    let mut cells = vec![
        pen.ours(Look::Plain, " "),
        pen.cell(Look::Dim, clock, 8),
        pen.ours(Look::Plain, "  "),
    ];
    let mut used = 11;
    if width >= 70 {
        cells.push(pen.cell(look(&event.name), &event.name.replace('_', " "), NAME));
        cells.push(pen.ours(Look::Plain, "  "));
        used += NAME + 2;
    }
    let several = model.seen.sprints.sprints.len() > 1;
    if let Some(sprint) = event.sprint.as_deref().filter(|_| several && width >= 70) {
        let sprint = crate::report::text::short(sprint, 14);
        used += columns_of(&sprint) + 2;
        cells.push(pen.ours(Look::Dim, format!("{sprint}  ")));
    }
    let look = if width >= 70 {
        Look::Plain
    } else {
        look(&event.name)
    };
    cells.push(pen.cell(look, &event.text, width.saturating_sub(used + 1)));
    cells
}

/// The look of an event's name: what ended well, what moves, what wants attention, what went wrong.
fn look(name: &str) -> Look {
    match name {
        "task_completed" | "merge_completed" | "sprint_delivered" | "blocker_resolved"
        | "incident_closed" => Look::Green,
        "task_failed"
        | "task_quarantined"
        | "sprint_refused"
        | "engineering_emergency"
        | "agent_down"
        | "role_lost" => Look::Red,
        "blocker_raised" | "blocker_escalated" | "inbox_opened" | "inbox_reminded"
        | "work_rejected" | "retry_scheduled" | "merge_conflicted" | "merge_split"
        | "sprint_paused" | "task_cancelled" | "sprint_cancelled" | "account_parked" => {
            Look::Yellow
        }
        "task_assigned" | "attempt_started" | "merge_started" | "sprint_initialized"
        | "sprint_submitted" | "sprint_resumed" => Look::Cyan,
        _ => Look::Plain,
    }
}
