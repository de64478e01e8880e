//! The reasons and the story as text for a terminal.

use director_protocols::time::{Span, Time};

use super::super::paint::{Look, Paint, text_of, wrap};
use super::super::status::phase_of;
use super::super::words::{short_commit, verdict_mark, verdict_word};
use super::super::{count, minute};
use super::WhyView;
use crate::report::text;

/// How much of the evidence against an attempt's work is shown.
const REJECTION_LINES_MAX: usize = 8;

/// The reasons and the story as text, `width` columns wide.
pub fn render(view: &WhyView, width: usize, colour: bool) -> String {
    let paint = Paint { colour };
    let (mark, look) = phase_of(&view.status);
    let mut lines = vec![format!(
        "{} {} {} {}",
        paint.on(look, mark),
        paint.on(Look::Bold, &view.task),
        paint.on(look, &view.status),
        paint.on(Look::Dim, &text::short(&view.title, 60))
    )];
    for reason in &view.reasons {
        lines.extend(wrap("  ", &reason.text, width));
    }
    if !view.chain.is_empty() {
        lines.extend([String::new(), paint.on(Look::Bold, "Chain")]);
    }
    for step in &view.chain {
        lines.extend(wrap("  ", step, width));
    }
    if !view.attempts.is_empty() {
        lines.extend([String::new(), paint.on(Look::Bold, "Attempts")]);
    }
    for row in &view.attempts {
        let took = Span((row.seconds * 1000.0) as u64);
        let first = format!("  {}. ", row.attempt);
        let at = clock(&row.assigned);
        lines.extend(wrap(
            &first,
            &format!("{at} {} {took}, {}", row.agent, row.text),
            width,
        ));
        if row.files > 0 {
            let files = count(row.files as usize, "file");
            let indent = " ".repeat(first.chars().count());
            lines.extend(wrap(
                &indent,
                &format!("it changed {files} of it before"),
                width,
            ));
        }
        if let Some(reason) = &row.rejected {
            let indent = " ".repeat(first.chars().count());
            let shown = reason.lines().take(REJECTION_LINES_MAX);
            for (n, line) in shown.enumerate() {
                let lead = if n == 0 { "not accepted: " } else { "" };
                lines.extend(wrap(&indent, &format!("{lead}{line}"), width));
            }
        }
    }
    if !view.gates.is_empty() {
        lines.extend([String::new(), paint.on(Look::Bold, "Gates")]);
    }
    for gate in &view.gates {
        let (mark, look) = verdict_mark(gate.verdict);
        lines.push(format!(
            "  {} {} {} {}",
            paint.on(look, mark),
            text::short(&gate.gate, 30),
            verdict_word(gate.verdict),
            paint.on(
                Look::Dim,
                &format!(
                    "({})",
                    text::short(&gate.evidence, width.saturating_sub(40).max(20))
                )
            )
        ));
    }
    if !view.blockers.is_empty() {
        lines.extend([String::new(), paint.on(Look::Bold, "Blockers")]);
    }
    for blocker in &view.blockers {
        let resolved = match &blocker.resolved {
            Some((at, by)) => format!("resolved {} by {by}", clock(at)),
            None => "open".to_owned(),
        };
        lines.extend(wrap(
            "  ",
            &format!(
                "{} {} ({resolved}): {}",
                clock(&blocker.raised),
                blocker.severity,
                blocker.text
            ),
            width,
        ));
    }
    let work = [
        view.commit.as_deref().map(|commit| {
            format!(
                "work    {} ({})",
                short_commit(commit),
                view.changes.as_deref().unwrap_or("")
            )
        }),
        view.merged
            .as_deref()
            .map(|commit| format!("merged  {}", short_commit(commit))),
    ];
    let saved = view.salvaged.iter().map(|place| format!("saved   {place}"));
    let work: Vec<String> = work.into_iter().flatten().chain(saved).collect();
    if !work.is_empty() {
        lines.push(String::new());
        lines.extend(
            work.iter()
                .map(|line| format!("  {}", line.replace(char::is_control, "\u{fffd}"))),
        );
    }
    if !view.next.is_empty() {
        lines.extend([String::new(), paint.on(Look::Bold, "What you can do")]);
        let longest = view
            .next
            .iter()
            .map(|step| step.command.chars().count())
            .max();
        for step in &view.next {
            lines.push(format!(
                "  {}{}  {}",
                step.command,
                " ".repeat(longest.unwrap_or(0) - step.command.chars().count()),
                paint.on(Look::Dim, &step.does)
            ));
        }
    }
    text_of(&lines)
}

fn clock(at: &str) -> String {
    at.parse::<jiff::Timestamp>()
        .ok()
        .and_then(|at| u64::try_from(at.as_millisecond()).ok())
        .map_or_else(|| at.to_owned(), |ms| minute(Time(ms))[11..16].to_owned())
}
