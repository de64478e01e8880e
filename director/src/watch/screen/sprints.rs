//! All sprints, the newest first.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::pen::{Pen, row};
use super::state_look;
use crate::view::paint::{Look, columns_of};
use crate::watch::model::Model;

pub(super) fn draw(model: &Model, pen: Pen, frame: &mut Frame<'_>, body: Rect) {
    let (width, height) = (usize::from(body.width), usize::from(body.height));
    let sprints = &model.seen.sprints.sprints;
    if sprints.is_empty() {
        let text = "There is no sprint yet; `director submit sprint.toml` brings one.";
        return super::empty(pen, frame, body, text);
    }
    let name = sprints.iter().map(|one| columns_of(&one.sprint)).max();
    let name = name.unwrap_or(6).clamp(6, width / 3);
    let bar = if width >= 70 { 16 } else { 0 };
    let mut lines = vec![Line::from(vec![
        pen.ours(Look::Plain, "   "),
        pen.cell(Look::Dim, "sprint", name),
        pen.ours(Look::Plain, "  "),
        pen.cell(Look::Dim, "state", 11 + bar),
        pen.right(Look::Dim, "tasks", 11),
        pen.right(Look::Dim, "inbox", if width >= 60 { 7 } else { 0 }),
        pen.ours(Look::Dim, if width >= 90 { "  may be done" } else { "" }),
    ])];
    let shown = model.shown_sprint().to_owned();
    for (n, one) in sprints
        .iter()
        .enumerate()
        .skip(model.sprints.top)
        .take(height - 1)
    {
        let here = one.sprint == shown;
        let mut cells = vec![
            pen.ours(Look::Cyan, if here { " ▸ " } else { "   " }),
            pen.cell(Look::Bold, &one.sprint, name),
            pen.ours(Look::Plain, "  "),
            pen.cell(state_look(&one.state), &one.state, 11),
        ];
        if bar > 0 {
            let share = f64::from(one.completed) / f64::from(one.committed.max(1));
            cells.extend(pen.bar(share, bar));
        }
        let tasks = format!("{}/{}", one.completed, one.committed);
        cells.push(pen.right(Look::Plain, &tasks, 11));
        if width >= 60 {
            let (look, text) = match one.inbox {
                0 => (Look::Dim, "–".to_owned()),
                n => (Look::Yellow, format!("!{n}")),
            };
            cells.push(pen.right(look, &text, 7));
        }
        if width >= 90
            && let Some(at) = one.projected_completion.as_deref().filter(|_| !one.over)
        {
            let at = at.get(..16).unwrap_or(at).replace('T', " ");
            cells.push(pen.ours(Look::Plain, "  "));
            cells.push(pen.said(Look::Dim, &format!("{at} UTC")));
        }
        lines.push(row(cells, n == model.sprints.at, width));
    }
    frame.render_widget(Paragraph::new(lines), body);
}
