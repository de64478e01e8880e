//! What waits for a person: a list, and below the one that is chosen as a whole, with the keys that deal with it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::age;
use super::pen::{Pen, row};
use crate::view::paint::Look;
use crate::watch::model::Model;
use crate::watch::seen::Item;

pub(super) fn rows(model: &Model, body: usize) -> usize {
    model.seen.inbox.inbox.len().clamp(1, (body / 2).max(1))
}

pub(super) fn draw(model: &Model, pen: Pen, frame: &mut Frame<'_>, body: Rect) {
    let (width, height) = (usize::from(body.width), usize::from(body.height));
    let items = &model.seen.inbox.inbox;
    let Some(item) = items.get(model.inbox.at) else {
        return super::empty(pen, frame, body, "Nothing waits for you.");
    };
    let shown = rows(model, height);
    let mut lines = Vec::new();
    for (n, one) in items.iter().enumerate().skip(model.inbox.top).take(shown) {
        let about = one.task.as_deref().unwrap_or(&one.sprint);
        let first = one.question.lines().next().unwrap_or_default();
        let used = 6 + 10 + 10 + 20 + 10;
        let mut cells = vec![
            pen.right(Look::Bold, &format!("#{}", one.id), 5),
            pen.ours(Look::Plain, "  "),
            pen.cell(severity(one), &one.severity, 9),
            pen.cell(Look::Dim, &one.kind, 9),
            pen.cell(Look::Bold, about, 20.min(width.saturating_sub(36))),
            pen.right(Look::Dim, &age(&one.opened, model.now), 9),
        ];
        if width >= used + 10 {
            cells.push(pen.ours(Look::Plain, "  "));
            cells.push(pen.cell(Look::Plain, first, width - used));
        }
        lines.push(row(cells, n == model.inbox.at, width));
    }
    lines.push(Line::from(pen.ours(Look::Dim, "─".repeat(width))));
    lines.extend(whole(item, model, pen, width));
    frame.render_widget(Paragraph::new(lines), body);
}

fn severity(item: &Item) -> Look {
    match item.severity.as_str() {
        "critical" => Look::Red,
        "high" => Look::Yellow,
        _ => Look::Plain,
    }
}

fn whole(item: &Item, model: &Model, pen: Pen, width: usize) -> Vec<Line<'static>> {
    let mut head = vec![
        pen.ours(Look::Bold, format!(" #{} ", item.id)),
        pen.said(severity(item), &item.severity),
        pen.ours(Look::Plain, " "),
        pen.said(Look::Plain, &format!("{} of {}", item.kind, item.sprint)),
    ];
    if let Some(task) = &item.task {
        head.push(pen.ours(Look::Plain, ", task "));
        head.push(pen.said(Look::Bold, task));
    }
    let mut lines = vec![Line::from(head)];
    let from = item
        .from
        .as_deref()
        .map_or_else(String::new, |from| format!("{from} asks, "));
    let since = format!("{from}for {}", age(&item.opened, model.now));
    lines.extend(pen.wrapped(Look::Dim, &since, 1, width));
    lines.push(Line::default());
    lines.extend(pen.wrapped(Look::Plain, &item.question, 3, width.saturating_sub(1)));
    lines.push(Line::default());
    if let Some(deadline) = &item.deadline {
        let at = deadline.get(..16).unwrap_or(deadline).replace('T', " ");
        let text = format!("{} by itself at {at} UTC", item.default);
        lines.extend(pen.wrapped(Look::Yellow, &text, 1, width));
    }
    let keys: &[(&str, &str)] = match item.kind.as_str() {
        "task" => &[
            ("y", "it is done"),
            ("a", "it is done, with what you did"),
            ("n", "it cannot be done"),
        ],
        "gate" => &[
            ("y", "lets it pass"),
            ("n", "sends it back, with the reason"),
        ],
        "handoff" => &[("y", "takes it"), ("n", "sends it back, with the reason")],
        "budget" => &[
            ("y", "raises it"),
            ("a", "sets it, in dollars"),
            ("n", "calls the work off"),
        ],
        "branch" => &[
            ("y", "puts it back"),
            ("a", "answers it"),
            ("n", "calls the sprint off"),
        ],
        "notice" => &[("y", "puts it away")],
        _ => &[("a", "answers it")],
    };
    for (key, does) in keys {
        lines.push(Line::from(vec![
            pen.ours(Look::Bold, format!(" {key}")),
            pen.ours(Look::Plain, format!("  {does}")),
        ]));
    }
    lines
}
