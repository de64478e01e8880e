//! The team: roles, their instances, what each is doing; and below, where the sprint's end is decided and what just happened.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::events;
use super::pen::{Pen, row};
use crate::report::tint::Tint;
use crate::view::paint::{Look, columns_of};
use crate::watch::model::Model;
use crate::watch::seen::Agent;

/// The fewest events below the team, where there is room for any.
const LATEST: usize = 5;
/// Bodies lower than this show the team alone.
const ALONE_BELOW: usize = 12;

pub(super) fn rows(model: &Model, body: usize) -> usize {
    let all = model.seen.agents.agents.len().max(1);
    let below = match body {
        ..ALONE_BELOW => 0,
        _ => 4 + LATEST,
    };
    all.min(body.saturating_sub(1 + below)).max(1)
}

pub(super) fn draw(model: &Model, pen: Pen, frame: &mut Frame<'_>, body: Rect) {
    let agents = &model.seen.agents.agents;
    let (width, height) = (usize::from(body.width), usize::from(body.height));
    if agents.is_empty() {
        let text =
            "There is no team yet; it comes with the first sprint (`director submit sprint.toml`).";
        return super::empty(pen, frame, body, text);
    }
    let shown = rows(model, height);
    let role = agents.iter().map(|one| columns_of(&one.role)).max();
    let role = role.unwrap_or(0).clamp(4, width / 3);
    // State, load, done, restarts and the gaps between.
    let wide = width >= 70;
    let fixed = 1 + role + 1 + 4 + 2 + 4 + 2 + if wide { 6 + 6 + 7 } else { 0 };
    let doing = width.saturating_sub(fixed + 1).max(6);
    let mut head = vec![
        pen.ours(Look::Plain, " "),
        pen.cell(Look::Dim, "role", role),
        pen.ours(Look::Plain, " "),
        pen.right(Look::Dim, "no", 4),
        pen.ours(Look::Plain, "  "),
        pen.cell(Look::Dim, "is", 4),
        pen.ours(Look::Plain, "  "),
        pen.cell(Look::Dim, "doing", doing),
    ];
    if wide {
        head.push(pen.right(Look::Dim, "load", 6));
        head.push(pen.right(Look::Dim, "done", 6));
        head.push(pen.right(Look::Dim, "downs", 7));
    }
    let mut lines = vec![Line::from(head)];
    let top = model.team.top;
    for (n, agent) in agents.iter().enumerate().skip(top).take(shown) {
        // A role is named at its first instance, and at the top of the screen.
        let first = n == top
            || agents
                .get(n.wrapping_sub(1))
                .is_none_or(|one| one.role != agent.role);
        let is_chosen = n == model.team.at;
        let cells = one(agent, first || is_chosen, pen, (role, doing, wide));
        lines.push(row(cells, is_chosen, width));
    }
    if agents.len() > top + shown && shown > 1 && height < ALONE_BELOW {
        // The last line tells that there are more.
        lines.truncate(shown);
        let more = format!("  … {} more", agents.len() - top - shown + 1);
        lines.push(Line::from(pen.ours(Look::Dim, more)));
    }
    if height >= ALONE_BELOW {
        let hidden = agents.len().saturating_sub(top + shown);
        let more = match hidden {
            0 => String::new(),
            n => format!("  … {n} more below"),
        };
        lines.push(Line::from(pen.ours(Look::Dim, more)));
        lines.extend(critical(model, pen));
        lines.push(Line::from(pen.ours(Look::Dim, " latest")));
        let room = height.saturating_sub(lines.len());
        let all = model.shown_events();
        let last = &all[all.len().saturating_sub(room)..];
        lines.extend(
            last.iter()
                .filter_map(|n| model.events.lines.get(*n))
                .map(|event| Line::from(events::cells(event, model, pen, width))),
        );
    }
    frame.render_widget(Paragraph::new(lines), body);
}

fn one(
    agent: &Agent,
    named: bool,
    pen: Pen,
    (role, doing, wide): (usize, usize, bool),
) -> Vec<ratatui::text::Span<'static>> {
    let look = match agent.state.as_str() {
        "busy" => Look::Cyan,
        "idle" => Look::Green,
        "down" => Look::Yellow,
        _ => Look::Red,
    };
    let tint = agent.color.as_deref().and_then(Tint::named);
    let number = agent.name.rsplit('-').next().unwrap_or_default();
    let name = if named { agent.role.as_str() } else { "" };
    let mut cells = vec![
        pen.ours(Look::Plain, " "),
        pen.cell(tint.map_or(Look::Plain, Look::Tint), name, role),
        pen.ours(Look::Plain, " "),
        pen.right(Look::Dim, number, 4),
        pen.ours(Look::Plain, "  "),
        pen.cell(look, &agent.state, 4),
        pen.ours(Look::Plain, "  "),
        pen.cell(Look::Plain, &agent.doing, doing),
    ];
    if wide {
        let load = format!("{:.0}%", agent.load * 100.0);
        cells.push(pen.right(
            if agent.overloaded {
                Look::Red
            } else {
                Look::Plain
            },
            &load,
            6,
        ));
        cells.push(pen.right(Look::Plain, &agent.completed.to_string(), 6));
        let (look, downs) = match agent.restarts {
            0 => (Look::Dim, "–".to_owned()),
            n => (Look::Yellow, n.to_string()),
        };
        cells.push(pen.right(look, &downs, 7));
    }
    cells
}

/// The chain that decides the end, and what is being merged.
fn critical(model: &Model, pen: Pen) -> Vec<Line<'static>> {
    let live = &model.seen.live;
    let width = usize::from(model.size.0);
    let mut chain = vec![pen.ours(Look::Dim, " critical  ")];
    match live.chain.first() {
        None => chain.push(pen.ours(Look::Dim, "nothing is left to do")),
        Some(front) => {
            chain.push(pen.said(Look::Bold, front));
            chain.push(pen.ours(Look::Plain, " "));
            chain.push(pen.said(Look::Yellow, &format!("({})", live.front)));
            let rest: String = live.chain[1..]
                .iter()
                .map(|name| format!(" → {name}"))
                .collect();
            let used: usize = chain.iter().map(|span| columns_of(&span.content)).sum();
            let rest = crate::report::text::line(&rest);
            let room = width.saturating_sub(used + 1);
            chain.push(pen.ours(Look::Dim, " "));
            chain.push(pen.ours(Look::Plain, crate::view::paint::cut(&rest, room)));
        }
    }
    let mut merge = vec![pen.ours(Look::Dim, " merging   ")];
    let (batch, behind) = &live.merge;
    match (batch.is_empty(), behind) {
        (true, 0) => merge.push(pen.ours(Look::Dim, "nothing")),
        (_, behind) => {
            let mut text = batch.join(", ");
            if *behind > 0 {
                text.push_str(&format!(" · {behind} in the queue"));
            }
            merge.push(pen.cell(Look::Cyan, &text, width.saturating_sub(12)));
        }
    }
    vec![Line::from(chain), Line::from(merge)]
}
