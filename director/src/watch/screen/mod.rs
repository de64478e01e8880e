//! The screen: a model in, a frame out.
//!
//! ```text
//!  shop running  ███████░░░░░░░  7/12 tasks · 21/40 points · 1h20m · about 2h left     what is shown
//!  1 Team  2 Tasks  3 Graph  4 Events  5 Inbox !1  6 Sprints                  ● live     the pages
//!  ─────────────────────────────────────────────────────────────────────────────
//!  …                                                                                     the page
//!  ↑↓ move  Enter open  p pause  ? keys  q leave                                         keys, a message or a line to type in
//! ```
//!
//! Only what is seen is built. A terminal below [`COLUMNS_MIN`] by [`LINES_MIN`] is told so in its place.
//!
//! Invariant: no state, no clock, no I/O; the same model gives the same frame.

mod events;
mod graph;
mod inbox;
mod pen;
#[cfg(test)]
mod seat;
mod sprints;
mod task;
mod tasks;
mod team;
#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use self::pen::{Pen, chosen};
use super::keys::HELP;
use super::model::{Link, Model, Page, Purpose};
use crate::report::text;
use crate::view::count;
use crate::view::inbox::age;
use crate::view::paint::{Look, columns_of, cut};

pub(super) use task::story_lines;

/// The narrowest screen that is drawn on.
pub const COLUMNS_MIN: u16 = 40;
/// The lowest.
pub const LINES_MIN: u16 = 10;

/// Lines above the page.
const HEAD: u16 = 3;
/// Lines below it.
const FOOT: u16 = 1;

/// How many rows each list has on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) team: usize,
    pub(super) tasks: usize,
    pub(super) graph: usize,
    pub(super) inbox: usize,
    pub(super) sprints: usize,
    pub(super) events: usize,
    pub(super) story: usize,
    pub(super) log: usize,
}

/// How many rows each list has on the screen of a model.
pub(super) fn rows(model: &Model) -> Rows {
    let body = usize::from(model.size.1.saturating_sub(HEAD + FOOT)).max(1);
    Rows {
        team: team::rows(model, body),
        tasks: body.saturating_sub(2).max(1),
        // Each level has a line of its own; what is chosen is kept on the screen when it is drawn.
        graph: body.saturating_sub(2).max(1),
        inbox: inbox::rows(model, body),
        sprints: body.saturating_sub(1).max(1),
        events: body.saturating_sub(1).max(1),
        story: task::story_rows(model, body),
        log: task::log_rows(model, body),
    }
}

/// How far a leaf of the page's list goes.
pub(super) fn leaf(model: &Model) -> isize {
    let rows = rows(model);
    let rows = match model.page {
        Page::Team => rows.team,
        Page::Tasks => rows.tasks,
        Page::Graph => rows.graph / 2,
        Page::Events => rows.events,
        Page::Inbox => rows.inbox,
        Page::Sprints => rows.sprints,
        Page::Task => rows.story.min(rows.log),
    };
    isize::try_from(rows.saturating_sub(1).max(1)).unwrap_or(1)
}

/// Draws a model.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let pen = Pen {
        colour: model.colour,
    };
    if area.width < COLUMNS_MIN || area.height < LINES_MIN {
        return too_small(frame, area);
    }
    let width = usize::from(area.width);
    let line = |y: u16| Rect::new(area.x, area.y + y, area.width, 1);
    frame.render_widget(Paragraph::new(headline(model, pen, width)), line(0));
    frame.render_widget(Paragraph::new(pages(model, pen, width)), line(1));
    frame.render_widget(Paragraph::new(rule(model, pen, width)), line(2));
    let body = Rect::new(area.x, area.y + HEAD, area.width, area.height - HEAD - FOOT);
    match model.page {
        _ if model.link == Link::Waiting => nobody(pen, frame, body),
        Page::Team => team::draw(model, pen, frame, body),
        Page::Tasks => tasks::draw(model, pen, frame, body),
        Page::Graph => graph::draw(model, pen, frame, body),
        Page::Events => events::draw(model, pen, frame, body),
        Page::Inbox => inbox::draw(model, pen, frame, body),
        Page::Sprints => sprints::draw(model, pen, frame, body),
        Page::Task => task::draw(model, pen, frame, body),
    }
    foot(model, pen, frame, line(area.height - 1));
    if model.help {
        help(pen, frame, body);
    }
}

fn too_small(frame: &mut Frame<'_>, area: Rect) {
    let lines = [
        format!("{}x{} is too small", area.width, area.height),
        format!("{COLUMNS_MIN}x{LINES_MIN} will do"),
        "q leaves".to_owned(),
    ];
    let shown = lines.map(|text| Line::from(cut(&text, area.width.into())));
    frame.render_widget(Paragraph::new(shown.to_vec()), area);
}

fn nobody(pen: Pen, frame: &mut Frame<'_>, body: Rect) {
    let width = usize::from(body.width);
    let mut lines = vec![
        Line::default(),
        Line::from(pen.ours(Look::Bold, "  No director runs here.")),
        Line::default(),
    ];
    let text =
        "It is looked for; as soon as `director run` or `director serve` is there, so is this.";
    lines.extend(pen.wrapped(Look::Plain, text, 2, width));
    let text = "`director status` and `director events` read the journal meanwhile.";
    lines.extend(pen.wrapped(Look::Dim, text, 2, width));
    frame.render_widget(Paragraph::new(lines), body);
}

fn headline(model: &Model, pen: Pen, width: usize) -> Line<'static> {
    let live = &model.seen.live;
    if live.sprint.is_empty() {
        return Line::from(pen.ours(Look::Bold, " director"));
    }
    let name = text::short(&live.sprint, width / 4);
    let mut after = format!("{}/{}", live.completed, count(live.total as usize, "task"));
    if live.points.1 > 0 {
        after.push_str(&format!(
            " · {}/{}",
            live.points.0,
            count(live.points.1 as usize, "point")
        ));
    }
    let elapsed = live.elapsed(model.now);
    if elapsed.0 > 0 {
        after.push_str(&format!(" · {elapsed}"));
    }
    if let Some(left) = live.left_seconds.filter(|left| *left >= 1.0) {
        let left = director_protocols::time::Span((left * 1000.0) as u64);
        after.push_str(&format!(" · about {left} left"));
    }
    let used = columns_of(&name) + live.state.len() + columns_of(&after) + 6;
    let bar = width.saturating_sub(used).min(30);
    let mut spans = vec![
        pen.ours(Look::Plain, " "),
        pen.ours(Look::Bold, name),
        pen.ours(Look::Plain, " "),
        pen.said(state_look(&live.state), &live.state),
        pen.ours(Look::Plain, "  "),
    ];
    if bar >= 6 {
        let share = f64::from(live.completed) / f64::from(live.total.max(1));
        spans.extend(pen.bar(share, bar));
        spans.push(pen.ours(Look::Plain, " "));
    }
    spans.push(pen.ours(Look::Plain, after));
    Line::from(spans)
}

/// The look of a sprint's state.
fn state_look(state: &str) -> Look {
    match state {
        "running" => Look::Cyan,
        "done" => Look::Green,
        "preparing" => Look::Blue,
        "paused" | "halted" | "incomplete" => Look::Yellow,
        "emergency" | "refused" => Look::Red,
        _ => Look::Plain,
    }
}

fn pages(model: &Model, pen: Pen, width: usize) -> Line<'static> {
    let waiting: usize = model.seen.sprints.sprints.iter().map(|one| one.inbox).sum();
    let sprints = model.seen.sprints.sprints.len();
    let narrow = width < 78;
    let shown = match model.page {
        Page::Task => model.task.from,
        page => page,
    };
    let mut spans = vec![pen.ours(Look::Plain, " ")];
    for (n, page) in (1..).zip(Page::ALL) {
        let count = match page {
            Page::Inbox if waiting > 0 => format!(" !{waiting}"),
            Page::Sprints if sprints > 1 && !narrow => format!(" {sprints}"),
            _ => String::new(),
        };
        let title = match narrow && page != shown {
            true => format!("{n}{count}"),
            false => format!("{n} {}{count}", page.title()),
        };
        if page == shown {
            spans.extend(chosen(Line::from(format!(" {title} ")), 0).spans);
        } else {
            let look = match page == Page::Inbox && waiting > 0 {
                true => Look::Yellow,
                false => Look::Plain,
            };
            spans.push(pen.ours(look, format!(" {title} ")));
        }
    }
    let (look, word) = match &model.link {
        Link::Live => (Look::Green, "● live"),
        Link::Waiting => (Look::Yellow, "○ waiting"),
        Link::Lost(_) => (Look::Red, "○ gone"),
    };
    let used: usize = spans.iter().map(|span| columns_of(&span.content)).sum();
    let gap = width.saturating_sub(used + columns_of(word) + 1);
    spans.push(pen.ours(Look::Plain, " ".repeat(gap)));
    spans.push(pen.ours(look, word));
    Line::from(spans)
}

fn rule(model: &Model, pen: Pen, width: usize) -> Line<'static> {
    match &model.link {
        Link::Lost(why) => {
            let why = text::line(why);
            let text = format!(
                " The director is gone ({why}). This is what it said last; it is looked for."
            );
            chosen(Line::from(cut(&text, width)), width)
        }
        _ => Line::from(pen.ours(Look::Dim, "─".repeat(width))),
    }
}

fn foot(model: &Model, pen: Pen, frame: &mut Frame<'_>, line: Rect) {
    let width = usize::from(line.width);
    if let Some(prompt) = &model.prompt {
        let what = match prompt.purpose {
            Purpose::Answer(item) => format!(" answer #{item} › "),
            Purpose::Reject(item) => format!(" why not #{item} › "),
            Purpose::FilterTasks | Purpose::FilterEvents => " only › ".to_owned(),
        };
        let before: String = prompt.text.chars().take(prompt.cursor).collect();
        let room = width.saturating_sub(columns_of(&what) + 1);
        // The cursor is always seen: what is left of the line is shown from its end.
        let mut skipped = 0;
        let mut shown = before.as_str();
        while columns_of(shown) > room {
            let first = shown.chars().next().map_or(1, char::len_utf8);
            shown = &shown[first..];
            skipped += 1;
        }
        let text: String = prompt.text.chars().skip(skipped).collect();
        let at = columns_of(&what) + columns_of(shown);
        // As it is typed, with its blanks; control characters do not get in.
        let typed = pen.ours(Look::Plain, text);
        frame.render_widget(
            Paragraph::new(Line::from(vec![pen.ours(Look::Bold, what), typed])),
            line,
        );
        let x = line.x + u16::try_from(at).unwrap_or(0).min(line.width - 1);
        frame.set_cursor_position(Position::new(x, line.y));
        return;
    }
    let shown = match &model.message {
        Some((text, bad)) => {
            let (look, sign) = match bad {
                true => (Look::Red, "✗"),
                false => (Look::Green, "✓"),
            };
            let text = cut(&text::line(text), width.saturating_sub(4));
            vec![
                pen.ours(look, format!(" {sign} ")),
                pen.ours(Look::Plain, text),
            ]
        }
        None => hints(model, pen, width),
    };
    frame.render_widget(Paragraph::new(Line::from(shown)), line);
}

fn hints(model: &Model, pen: Pen, width: usize) -> Vec<Span<'static>> {
    let pause = match model.seen.live.state.as_str() {
        "paused" => ("p", "resume"),
        _ => ("p", "pause"),
    };
    let own: &[(&str, &str)] = match model.page {
        Page::Team => &[("↑↓", "move"), ("Enter", "task"), pause],
        Page::Tasks => &[
            ("↑↓", "move"),
            ("Enter", "open"),
            ("←→", "state"),
            ("/", "find"),
            pause,
        ],
        Page::Graph => &[("↑↓", "move"), ("Enter", "open"), pause],
        Page::Events if model.events.follow => &[
            ("↑↓", "move"),
            ("/", "find"),
            ("o", "sprint"),
            ("Enter", "task"),
        ],
        Page::Events => &[
            ("End", "follow"),
            ("/", "find"),
            ("o", "sprint"),
            ("Enter", "task"),
        ],
        Page::Inbox => &[
            ("a", "answer"),
            ("y", "approve"),
            ("n", "reject"),
            ("Enter", "task"),
        ],
        Page::Sprints => &[("↑↓", "move"), ("Enter", "show"), pause],
        Page::Task => &[
            ("↑↓", "move"),
            ("l", "log"),
            ("r", "retry"),
            ("Esc", "back"),
        ],
    };
    let mut spans = vec![pen.ours(Look::Plain, " ")];
    let mut used = 1;
    for (key, does) in own.iter().chain(&[("?", "keys"), ("q", "leave")]) {
        used += columns_of(key) + does.len() + 3;
        if used > width {
            break;
        }
        spans.push(pen.ours(Look::Bold, *key));
        spans.push(pen.ours(Look::Dim, format!(" {does}  ")));
    }
    spans
}

fn help(pen: Pen, frame: &mut Frame<'_>, body: Rect) {
    let keys = HELP
        .iter()
        .map(|(key, _)| columns_of(key))
        .max()
        .unwrap_or(0);
    let does = HELP
        .iter()
        .map(|(_, does)| columns_of(does))
        .max()
        .unwrap_or(0);
    let width = u16::try_from(keys + does + 6)
        .unwrap_or(u16::MAX)
        .min(body.width);
    let height = u16::try_from(HELP.len() + 2)
        .unwrap_or(u16::MAX)
        .min(body.height);
    let place = Rect::new(
        body.x + (body.width - width) / 2,
        body.y + (body.height - height) / 2,
        width,
        height,
    );
    let room = usize::from(width);
    let mut lines = vec![chosen(Line::from("  Keys; any of them goes on"), room)];
    for (key, does) in HELP.iter().take(usize::from(height).saturating_sub(1)) {
        let does = cut(does, room.saturating_sub(keys + 5));
        lines.push(Line::from(vec![
            pen.ours(
                Look::Bold,
                format!("  {key}{}", " ".repeat(keys - columns_of(key) + 2)),
            ),
            pen.ours(Look::Plain, does),
        ]));
    }
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines), place);
}

/// Says so in an empty list.
fn empty(pen: Pen, frame: &mut Frame<'_>, area: Rect, text: &str) {
    let lines = pen.wrapped(
        Look::Dim,
        text,
        2,
        usize::from(area.width).saturating_sub(2),
    );
    let below = Rect {
        y: area.y.saturating_add(1).min(area.bottom()),
        height: area.height.saturating_sub(1),
        ..area
    };
    frame.render_widget(Paragraph::new(lines), below);
}
