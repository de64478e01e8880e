//! One task as a whole: why it is where it is, its attempts, gates and blockers; beside or below, what its agent prints.

use director_protocols::time::Span as Lasted;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::age;
use super::pen::{Pen, logged};
use crate::report::text;
use crate::view::paint::{Look, columns_of, cut};
use crate::view::status::phase_of;
use crate::watch::model::Model;

/// From this width on the log is beside the story, below it otherwise.
const BESIDE: u16 = 100;

/// Where the story and the log are.
fn places(model: &Model, body: Rect) -> (Option<Rect>, Rect) {
    if model.task.log_alone {
        return (None, body);
    }
    if body.width >= BESIDE {
        let left = body.width / 2;
        return (
            Some(Rect {
                width: left - 1,
                ..body
            }),
            Rect {
                x: body.x + left,
                width: body.width - left,
                ..body
            },
        );
    }
    let upper = body.height * 3 / 5;
    (
        Some(Rect {
            height: upper,
            ..body
        }),
        Rect {
            y: body.y + upper,
            height: body.height - upper,
            ..body
        },
    )
}

fn area(model: &Model, body: usize) -> Rect {
    Rect::new(0, 0, model.size.0, u16::try_from(body).unwrap_or(u16::MAX))
}

pub(super) fn story_rows(model: &Model, body: usize) -> usize {
    let (story, _) = places(model, area(model, body));
    story.map_or(0, |place| usize::from(place.height))
}

pub(super) fn log_rows(model: &Model, body: usize) -> usize {
    let (_, log) = places(model, area(model, body));
    usize::from(log.height).saturating_sub(1)
}

/// How many lines the story has on this screen.
pub(in crate::watch) fn story_lines(model: &Model) -> usize {
    let pen = Pen { colour: false };
    let (story, _) = places(model, area(model, 100));
    story.map_or(0, |place| self::story(model, pen, place.width.into()).len())
}

pub(super) fn draw(model: &Model, pen: Pen, frame: &mut Frame<'_>, body: Rect) {
    let (left, right) = places(model, body);
    if let Some(place) = left {
        let lines = story(model, pen, place.width.into());
        let shown: Vec<Line<'_>> = lines
            .into_iter()
            .skip(model.task.scroll)
            .take(place.height.into())
            .collect();
        frame.render_widget(Paragraph::new(shown), place);
    }
    log(model, pen, frame, right);
}

fn story(model: &Model, pen: Pen, width: usize) -> Vec<Line<'static>> {
    let why = &model.seen.why;
    if why.task.is_empty() {
        let mut lines = vec![Line::from(vec![
            pen.ours(Look::Plain, " "),
            pen.said(Look::Bold, &model.task.task),
        ])];
        lines.push(Line::from(pen.ours(Look::Dim, " looking …")));
        return lines;
    }
    let (mark, look) = phase_of(&why.status);
    let facts = &model.seen.facts;
    let mut lines = vec![Line::from(vec![
        pen.ours(look, format!(" {mark} ")),
        pen.said(Look::Bold, &why.task),
        pen.ours(Look::Plain, "  "),
        pen.said(look, &why.status),
        pen.ours(Look::Dim, format!(" for {}", age(&why.since, model.now))),
    ])];
    lines.extend(pen.wrapped(Look::Plain, &why.title, 3, width));
    let who = match facts.agent.as_str() {
        "" => format!("{}, feature {}", why.sprint, facts.feature),
        agent => format!("{}, feature {}, {agent}", why.sprint, facts.feature),
    };
    lines.extend(pen.wrapped(Look::Dim, &who, 3, width));
    let head = |title: &str| {
        vec![
            Line::default(),
            Line::from(pen.ours(Look::Bold, format!(" {title}"))),
        ]
    };
    if !why.reasons.is_empty() {
        lines.extend(head("Why"));
        for reason in &why.reasons {
            lines.extend(pen.wrapped(Look::Plain, &reason.text, 3, width));
        }
    }
    if !why.attempts.is_empty() {
        lines.extend(head("Attempts"));
        for one in &why.attempts {
            let (sign, look) = match one.end.as_deref() {
                None => ("▶", Look::Cyan),
                Some("done") if one.rejected.is_none() => ("✓", Look::Green),
                Some("done") => ("↩", Look::Yellow),
                Some("blocked") => ("!", Look::Yellow),
                Some("cancelled" | "interrupted") => ("–", Look::Dim),
                Some(_) => ("✗", Look::Red),
            };
            let at = one.assigned.get(11..16).unwrap_or_default();
            let lasted = Lasted((one.seconds.max(0.0) * 1000.0) as u64);
            lines.push(Line::from(vec![
                pen.ours(look, format!("   {sign} ")),
                pen.said(Look::Plain, &format!("{}  {}", one.attempt, one.agent)),
                pen.ours(Look::Plain, "  "),
                pen.said(Look::Dim, &format!("{at}, {lasted}")),
            ]));
            for text in [Some(&one.text), one.rejected.as_ref()]
                .into_iter()
                .flatten()
                .filter(|text| !text.is_empty())
            {
                lines.extend(pen.wrapped(Look::Dim, text, 7, width));
            }
        }
    }
    if !why.gates.is_empty() {
        lines.extend(head("Gates"));
        for gate in &why.gates {
            let (sign, look) = match gate.verdict.as_str() {
                "passed" => ("✓", Look::Green),
                "failed" => ("✗", Look::Red),
                "overridden" => ("!", Look::Yellow),
                _ => ("?", Look::Dim),
            };
            let text = format!(
                "{} {}: {}",
                gate.gate,
                gate.verdict.replace('_', " "),
                gate.evidence
            );
            lines.push(Line::from(vec![
                pen.ours(look, format!("   {sign} ")),
                pen.ours(
                    Look::Plain,
                    cut(&text::line(&text), width.saturating_sub(6)),
                ),
            ]));
        }
    }
    if !why.blockers.is_empty() {
        lines.extend(head("Held up by"));
        for one in &why.blockers {
            let (look, ended) = match &one.resolved {
                Some((_, by)) => (Look::Dim, format!(", resolved by {by}")),
                None => (Look::Yellow, String::new()),
            };
            let text = format!("{}: {}{ended}", one.severity, one.text);
            lines.extend(pen.wrapped(look, &text, 3, width));
        }
    }
    let work = [
        ("commit", &why.commit),
        ("merge", &why.merged),
        ("changes", &why.changes),
    ];
    if work.iter().any(|(_, value)| value.is_some()) {
        lines.extend(head("Work"));
        for (name, value) in work {
            if let Some(value) = value {
                lines.push(Line::from(vec![
                    pen.ours(Look::Dim, format!("   {name:<8} ")),
                    pen.said(Look::Plain, &cut(value, width.saturating_sub(13))),
                ]));
            }
        }
    }
    if !why.next.is_empty() {
        lines.extend(head("What can be done"));
        for step in &why.next {
            lines.push(Line::from(vec![
                pen.ours(Look::Plain, "   "),
                pen.said(Look::Cyan, &step.command),
            ]));
            lines.extend(pen.wrapped(Look::Dim, &step.does, 7, width));
        }
    }
    lines
}

fn log(model: &Model, pen: Pen, frame: &mut Frame<'_>, place: Rect) {
    let width = usize::from(place.width);
    let (task, rows) = (&model.task, usize::from(place.height).saturating_sub(1));
    let title = match task.log_attempt {
        0 => "─ log: nothing yet ".to_owned(),
        n if model.seen.facts.in_hand => format!("─ log of attempt {n}, live "),
        n => format!("─ log of attempt {n} "),
    };
    let above = match task.log_up {
        0 => String::new(),
        n => format!(" {n} lines below "),
    };
    let fill = width.saturating_sub(columns_of(&title) + columns_of(&above));
    let mut lines = vec![Line::from(
        pen.ours(Look::Dim, format!("{title}{}{above}", "─".repeat(fill))),
    )];
    let end = task.log.len().saturating_sub(task.log_up);
    let shown = &task.log[end.saturating_sub(rows)..end];
    lines.extend(shown.iter().map(|line| {
        Line::from(pen.ours(
            Look::Plain,
            format!(" {}", logged(line, width.saturating_sub(2))),
        ))
    }));
    frame.render_widget(Paragraph::new(lines), place);
}
