//! The graph by level: tasks below what they wait for, the critical path as a line down the left side.
//!
//! Beside the task that is chosen, `↑` marks what it waits for and `↓` what waits for it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::pen::{Pen, row};
use crate::view::count;
use crate::view::paint::{Look, columns_of};
use crate::view::status::phase_of;
use crate::watch::model::Model;
use crate::watch::seen::{Level, Node};

pub(super) fn draw(model: &Model, pen: Pen, frame: &mut Frame<'_>, body: Rect) {
    let seen = &model.seen.graph;
    let (width, height) = (usize::from(body.width), usize::from(body.height));
    if seen.total == 0 {
        let text = "There is no sprint yet; `director submit sprint.toml` brings one.";
        return super::empty(pen, frame, body, text);
    }
    let summary = format!(
        " {} on {}, {} on the critical path ┃",
        count(seen.total, "task"),
        count(seen.depth as usize, "level"),
        seen.critical
    );
    let room = height.saturating_sub(1);
    let node = |n: usize| n.checked_sub(seen.skip).and_then(|n| seen.tasks.get(n));
    // Levels take lines too: the top goes down until what is chosen is on the screen.
    let mut top = model.graph.top;
    while top < model.graph.at && lines_between(top, model.graph.at, &node) > room {
        top += 1;
    }
    let id = seen.tasks.iter().map(|task| columns_of(&task.id)).max();
    let id = id.unwrap_or(4).clamp(4, width / 4);
    let chosen = node(model.graph.at);
    let mut lines = vec![Line::from(pen.ours(Look::Dim, summary))];
    let mut level = 0;
    for n in top..seen.total {
        if lines.len() >= height {
            break;
        }
        let Some(task) = node(n) else {
            lines.push(Line::from(pen.ours(Look::Dim, "     …")));
            continue;
        };
        if task.level != level {
            level = task.level;
            let whole = seen.levels.iter().find(|one| one.level == level);
            lines.push(heading(whole, task, pen));
            if lines.len() >= height {
                break;
            }
        }
        let is_chosen = n == model.graph.at;
        let cells = one(task, chosen, pen, id, width);
        lines.push(row(cells, is_chosen, width));
    }
    frame.render_widget(Paragraph::new(lines), body);
}

/// Lines from the heading of one task to another one.
fn lines_between<'a>(from: usize, to: usize, node: &impl Fn(usize) -> Option<&'a Node>) -> usize {
    let mut level = 0;
    let mut lines = 0;
    for n in from..=to {
        let here = node(n).map_or(level, |task| task.level);
        lines += 1 + usize::from(here != level);
        level = here;
    }
    lines
}

fn heading(level: Option<&Level>, first: &Node, pen: Pen) -> Line<'static> {
    // The line of the critical path goes through, where it does.
    let through = first.critical && first.level > 1;
    let text = match level {
        None => format!(" level {}", first.level),
        Some(level) => {
            let done = match (level.completed, level.tasks) {
                (0, _) => String::new(),
                (done, all) if done == all => ", done".to_owned(),
                (done, _) => format!(", {done} done"),
            };
            format!(
                " level {} · {}{done}",
                level.level,
                count(level.tasks, "task")
            )
        }
    };
    Line::from(vec![
        pen.ours(Look::Yellow, if through { " ┃" } else { "  " }),
        pen.ours(Look::Dim, text),
    ])
}

fn one(
    task: &Node,
    chosen: Option<&Node>,
    pen: Pen,
    id: usize,
    width: usize,
) -> Vec<ratatui::text::Span<'static>> {
    let (mark, look) = phase_of(&task.status);
    let beside = match chosen {
        Some(chosen) if chosen.before.contains(&task.id) => "↑",
        Some(chosen) if chosen.after.contains(&task.id) => "↓",
        _ => " ",
    };
    let rest = width.saturating_sub(8 + id + 2);
    let title = if width >= 70 { rest * 2 / 5 } else { 0 };
    let mut cells = vec![
        pen.ours(Look::Yellow, if task.critical { " ┃" } else { "  " }),
        pen.ours(Look::Cyan, format!(" {beside} ")),
        pen.ours(look, format!("{mark} ")),
        pen.cell(Look::Bold, &task.id, id),
        pen.ours(Look::Plain, "  "),
    ];
    if title > 0 {
        cells.push(pen.cell(Look::Plain, &task.title, title));
        cells.push(pen.ours(Look::Plain, "  "));
    }
    let mut after = task.after.join(", ");
    if task.unlocks > task.after.len() {
        after.push_str(&format!(" and {} more", task.unlocks - task.after.len()));
    }
    if !after.is_empty() {
        cells.push(pen.ours(Look::Dim, "→ "));
        cells.push(pen.cell(Look::Dim, &after, rest.saturating_sub(title + 5)));
    }
    cells
}
