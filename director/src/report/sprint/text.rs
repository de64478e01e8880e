//! The report as text for a terminal.

use super::metrics::Metrics;
use super::{Incident, ReportView, Standing, cited};
use crate::report::text::short;
use crate::view::paint::{Look, Paint, Table, cell, looks, text_of, wrap};
use crate::view::status::phase_of;
use crate::view::{count, elapsed};

/// The report, `width` columns wide, ending with the success criteria.
pub fn text(view: &ReportView, width: usize, colour: bool) -> String {
    let paint = Paint { colour };
    let look = match view.outcome.as_str() {
        "done" => Look::Green,
        "running" | "paused" | "halted" | "preparing" | "unclear" => Look::Yellow,
        _ => Look::Red,
    };
    let mut lines = vec![format!(
        "{} {}{}",
        paint.on(Look::Bold, &view.sprint),
        paint.on(look, &view.outcome),
        view.epic
            .as_deref()
            .map_or_else(String::new, |epic| format!(" · {}", short(epic, 40)))
    )];
    if let Some(reason) = &view.reason {
        lines.extend(wrap("  ", reason, width));
    }
    lines.push(String::new());
    let mut table =
        Table::new(&["", "task", "status", "tries", "cycle", "commit", "agent"]).right(&[3, 4]);
    for task in &view.tasks {
        let (mark, look) = phase_of(&task.status);
        table.row(vec![
            looks(look, mark),
            cell(&task.id),
            looks(look, &task.status),
            cell(task.attempts.to_string()),
            cell(task.cycle_hours.map_or_else(String::new, elapsed)),
            looks(
                Look::Dim,
                task.commits
                    .last()
                    .map_or("", |commit| commit.get(..8).unwrap_or(commit)),
            ),
            cell(task.agent.as_deref().unwrap_or("")),
        ]);
    }
    lines.extend(table.lines(width, paint));

    lines.extend([String::new(), paint.on(Look::Bold, "Metrics")]);
    for (name, value) in figures(view) {
        let first = format!("  {name:<20}  ");
        let mut wrapped = wrap(&first, &value, width);
        if let Some(line) = wrapped.first_mut() {
            *line = line.replacen(name, &paint.on(Look::Dim, name), 1);
        }
        lines.extend(wrapped);
    }

    let mut section = |title: &str, mut items: Vec<String>| {
        // Where nothing was found, that is what was found.
        if items.is_empty() && ["Incidents", "Risks", "Lessons"].contains(&title) {
            items.push("none".to_owned());
        }
        if !items.is_empty() {
            lines.extend([String::new(), paint.on(Look::Bold, title)]);
            for item in items {
                lines.extend(wrap("  - ", &item, width));
            }
        }
    };
    section(
        "Blockers",
        view.blockers
            .iter()
            .map(|b| {
                format!(
                    "{} {}: {} ({})",
                    b.severity.as_str(),
                    b.task,
                    short(&b.text, 200),
                    b.ending()
                )
            })
            .collect(),
    );
    section(
        "Incidents",
        view.incidents.iter().map(Incident::sentence).collect(),
    );
    section(
        "Risks",
        view.risks
            .iter()
            .map(|risk| format!("{} ({})", risk.sentence(), cited(&risk.seqs)))
            .collect(),
    );
    section(
        "Lessons",
        view.lessons
            .iter()
            .map(|lesson| {
                format!(
                    "{}. Next time: {}. ({})",
                    lesson.text,
                    lesson.suggestion,
                    cited(&lesson.seqs)
                )
            })
            .collect(),
    );
    section(
        "For the next sprint",
        view.next_sprint
            .iter()
            .map(|task| {
                format!(
                    "{} ({}): {}",
                    task.id,
                    task.status,
                    short(&task.reason, 200)
                )
            })
            .collect(),
    );
    lines.extend([String::new(), paint.on(Look::Bold, "Success criteria")]);
    for row in &view.success_criteria {
        let (mark, look) = match row.standing {
            Standing::Met => ("✓", Look::Green),
            Standing::NotMet => ("✗", Look::Red),
            Standing::NotMeasured => ("?", Look::Dim),
        };
        let standing = format!("{mark} {:<12}", row.standing.as_str());
        lines.push(format!("  {} {}", paint.on(look, &standing), row.criterion));
        lines.extend(wrap("                 ", &row.evidence, width));
    }
    text_of(&lines)
}

/// The figures that people read first, each with its value in words.
pub(super) fn figures(view: &ReportView) -> Vec<(&'static str, String)> {
    let m = &view.metrics;
    let measured = |value: Option<String>| value.unwrap_or_else(|| "not measured".to_owned());
    let percent = |share: f64| format!("{:.0}%", share * 100.0);
    let used: Vec<String> = m
        .utilization
        .iter()
        .filter(|(_, share)| **share > 0.0)
        .map(|(role, share)| format!("{role} {}", percent(*share)))
        .collect();
    let mut figures = vec![
        (
            "velocity",
            format!(
                "{} of {}",
                m.velocity,
                count(m.target_velocity as usize, "point")
            ),
        ),
        ("completion rate", percent(m.completion_rate)),
        (
            "time",
            format!(
                "{}; planned {:.1}h",
                elapsed(m.elapsed_hours),
                m.planned_hours
            ),
        ),
        (
            "work",
            format!(
                "{} at work; {:.1}h were estimated for what is completed",
                elapsed(m.worked_hours),
                m.estimated_hours
            ),
        ),
        (
            "attempts",
            format!(
                "{}, {}, {}",
                m.attempts,
                match m.retries {
                    1 => "1 retry".to_owned(),
                    n => format!("{n} retries"),
                },
                count(m.deaths, "death")
            ),
        ),
        ("gates passed", measured(m.build_success_rate.map(percent))),
        (
            "coverage",
            measured(m.coverage.map(|coverage| format!("{coverage:.1}%"))),
        ),
        ("merges", merges(m)),
        (
            "report to acceptance",
            measured(m.review_turnaround_hours.map(elapsed)),
        ),
        (
            "blockers",
            match m.blocker_resolution_hours {
                Some(hours) => format!(
                    "{}, resolved in {} on average",
                    m.blockers_raised,
                    elapsed(hours)
                ),
                None => m.blockers_raised.to_string(),
            },
        ),
    ];
    if !used.is_empty() {
        figures.push(("in use", used.join(", ")));
    }
    if let Some(cost) = m.cost_usd {
        figures.push(("cost", format!("${cost:.2}")));
    }
    let budgets = view.budgets.iter().filter(|row| row.limit_usd.is_some());
    figures.extend(budgets.map(|row| ("budget", row.sentence())));
    if !m.salvaged_refs.is_empty() {
        figures.push(("unfinished work", m.salvaged_refs.join(", ")));
    }
    figures
}

/// Merges, and conflicts at them and before.
pub(super) fn merges(m: &Metrics) -> String {
    let conflicts = count(m.merge_conflicts as usize, "conflict");
    let early = match m.conflicts_foreseen {
        0 => String::new(),
        n => format!(", {n} seen early"),
    };
    format!("{}, {conflicts}{early}", m.merges)
}
