//! Tasks by state: the columns of the board as a row of words with counts, and below the tasks of the one that is chosen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::pen::{Pen, chosen, row};
use crate::view::board::Column;
use crate::view::paint::{Look, columns_of};
use crate::view::status::phase_of;
use crate::watch::model::Model;
use crate::watch::seen::Task;

pub(super) fn draw(model: &Model, pen: Pen, frame: &mut Frame<'_>, body: Rect) {
    let width = usize::from(body.width);
    let seen = &model.seen.tasks;
    let mut lines = vec![columns(model, pen, width)];
    let id = seen.tasks.iter().map(|task| columns_of(&task.id)).max();
    let id = id.unwrap_or(4).clamp(4, width / 4);
    let agent = if width >= 90 { 22 } else { 0 };
    let points = if width >= 60 { 4 } else { 0 };
    let rest = width.saturating_sub(5 + id + 2 + agent + points + 2);
    let title = if width >= 70 { rest * 2 / 5 } else { 0 };
    let detail = rest - title;
    let mut head = vec![
        pen.ours(Look::Plain, "     "),
        pen.cell(Look::Dim, "task", id),
        pen.ours(Look::Plain, "  "),
    ];
    if title > 0 {
        head.push(pen.cell(Look::Dim, "title", title));
    }
    if agent > 0 {
        head.push(pen.cell(Look::Dim, "agent", agent));
    }
    if points > 0 {
        head.push(pen.right(Look::Dim, "pts", points));
    }
    head.push(pen.ours(Look::Plain, "  "));
    head.push(pen.cell(Look::Dim, "state", detail.saturating_sub(2)));
    lines.push(Line::from(head));
    let room = usize::from(body.height).saturating_sub(lines.len());
    for n in model.tasks.top..(model.tasks.top + room).min(seen.total) {
        let task = n.checked_sub(seen.skip).and_then(|n| seen.tasks.get(n));
        let cells = match task {
            None => vec![pen.ours(Look::Dim, "     …")],
            Some(task) => {
                let (mark, look) = phase_of(&task.status);
                let mut cells = vec![
                    pen.ours(Look::Yellow, if task.critical { " ★" } else { "  " }),
                    pen.ours(look, format!(" {mark} ")),
                    pen.cell(Look::Bold, &task.id, id),
                    pen.ours(Look::Plain, "  "),
                ];
                if title > 0 {
                    cells.push(pen.cell(Look::Plain, &task.title, title.saturating_sub(2)));
                    cells.push(pen.ours(Look::Plain, "  "));
                }
                if agent > 0 {
                    let name = task.assigned_agent.as_deref().unwrap_or("–");
                    cells.push(pen.cell(Look::Dim, name, agent - 2));
                    cells.push(pen.ours(Look::Plain, "  "));
                }
                if points > 0 {
                    cells.push(pen.right(Look::Dim, &task.points.to_string(), points));
                }
                cells.push(pen.ours(Look::Plain, "  "));
                cells.push(pen.cell(look, &state(task), detail.saturating_sub(2)));
                cells
            }
        };
        lines.push(row(cells, n == model.tasks.at, width));
    }
    frame.render_widget(Paragraph::new(lines), body);
    if seen.total == 0 {
        let text = match (
            seen.sprint.is_empty(),
            model.filter.is_empty() && model.column.is_none(),
        ) {
            (true, _) => "There is no sprint yet; `director submit sprint.toml` brings one.",
            (_, true) => "The sprint has no tasks.",
            (_, false) => "No task is like that. ← → chooses another state, Esc forgets the words.",
        };
        let below = Rect::new(body.x, body.y + 1, body.width, body.height - 1);
        super::empty(pen, frame, below, text);
    }
}

fn columns(model: &Model, pen: Pen, width: usize) -> Line<'static> {
    let counts = &model.seen.tasks.columns;
    let count = |word: &str| counts.get(word).copied().unwrap_or(0);
    let all: usize = counts.values().sum();
    let words = std::iter::once((None, "all", all)).chain(Column::ALL.map(|column| {
        (
            Some(column.as_str()),
            column.as_str(),
            count(column.as_str()),
        )
    }));
    let mut spans = vec![pen.ours(Look::Plain, " ")];
    for (column, word, n) in words {
        let text = match width < 70 {
            true if model.column != column => format!(" {} {n}", &word[..1]),
            _ => format!(" {word} {n} "),
        };
        match model.column == column {
            true => spans.extend(chosen(Line::from(text), 0).spans),
            false => spans.push(pen.ours(if n > 0 { Look::Plain } else { Look::Dim }, text)),
        }
    }
    if !model.filter.is_empty() {
        spans.push(pen.ours(Look::Dim, "  with "));
        spans.push(pen.said(Look::Bold, &model.filter));
    }
    Line::from(spans)
}

/// The status, with what is worth saying about it.
fn state(task: &Task) -> String {
    let mut text = task.status.clone();
    if task.attempt > 1 {
        text.push_str(&format!(", attempt {}", task.attempt));
    }
    match task.detail.is_empty() {
        true => text,
        false => format!("{text}: {}", task.detail),
    }
}
