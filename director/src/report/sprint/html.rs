//! The report as one page of HTML: the charts, and beside each the table that says the same to who cannot see it.

use director_protocols::forecast::Forecast;
use maud::{Markup, html};

use super::defined::measured;
use super::pictures::{self, Picture};
use super::{ReportView, Standing, cited};
use crate::report::html::{Cell, figure, list, page, t, table};
use crate::view::budgets::BudgetStatus;
use crate::view::{count, elapsed};

/// The whole page.
pub fn html(view: &ReportView) -> String {
    let body = html! {
        (head(view))
        (progress(view))
        (tasks(view))
        (team(view))
        (cycles(view))
        (metrics(view))
        (gates(view))
        (hand_offs(view))
        (trouble(view))
        (risks(view))
        (lessons(view))
        (next(view))
        (criteria(view))
        p class="note" {
            "Made by director from the journal, as of " (view.as_of) ". Numbers beside sentences are positions in the journal: "
            code { "director events" } " shows them."
        }
    };
    page(&format!("Sprint {}: {}", view.sprint, view.outcome), &body)
}

/// The pictures of a sprint that goes on, for a page that has the style of [`crate::report::charts`].
pub fn going(view: &ReportView, forecast: Option<&Forecast>) -> Markup {
    html! {
        @for found in [pictures::burndown(view, forecast), pictures::plan_and_actual(view), pictures::cumulative(view)] {
            @if let Some(found) = found {
                section {
                    h3 { (found.title) }
                    (figure(found.id, found.title, &found.about, &found.draw))
                }
            }
        }
    }
}

const SECTIONS: [(&str, &str); 12] = [
    ("progress", "Progress"),
    ("tasks", "Tasks"),
    ("team", "Team"),
    ("cycle-times", "Cycle times"),
    ("metrics", "Metrics"),
    ("gates", "Quality gates"),
    ("hand-offs", "Hand-offs"),
    ("trouble", "Blockers and incidents"),
    ("risks", "Risks"),
    ("lessons", "Lessons"),
    ("next", "Next sprint"),
    ("criteria", "Success criteria"),
];

fn section(id: &str) -> Markup {
    let title = SECTIONS
        .iter()
        .find(|(known, _)| *known == id)
        .map_or("", |(_, title)| title);
    html! { h2 id=(id) { (title) } }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

fn picture(found: Option<Picture>) -> Markup {
    html! {
        @if let Some(picture) = found {
            (figure(picture.id, picture.title, &picture.about, &picture.draw))
        }
    }
}

fn head(view: &ReportView) -> Markup {
    let m = &view.metrics;
    let met = view
        .success_criteria
        .iter()
        .filter(|row| row.standing == Standing::Met)
        .count();
    let class = match view.outcome.as_str() {
        "done" => "good",
        "running" | "paused" | "halted" | "preparing" | "unclear" => "plain",
        _ => "bad",
    };
    html! {
        header {
            p class="lead" { @match &view.epic { Some(epic) => (t(epic)), None => "Sprint report" } }
            h1 { "Sprint " (t(&view.sprint)) ": " span class=(class) { (t(&view.outcome)) } }
            p class="lead" {
                @match (&view.began, &view.ended) {
                    (Some(began), Some(ended)) => { (minutes(began)) " to " (minutes(ended)) " UTC" }
                    (Some(began), None) => { "since " (minutes(began)) " UTC, still going" }
                    _ => "not begun"
                }
            }
            @if let Some(reason) = &view.reason { p class="bad" { "Refused: " (t(reason)) } }
            dl class="tiles" {
                div { dt { "Completed" } dd { (percent(m.completion_rate)) small { (done(view)) } } }
                div { dt { "Velocity" } dd { (m.velocity) small { "of " (m.target_velocity) " points" } } }
                div { dt { "Time" } dd { (elapsed(m.elapsed_hours)) small { (format!("planned {:.1} working hours", pictures::planned_end(view))) } } }
                div { dt { "Gate runs that passed" } dd {
                    @match m.build_success_rate { Some(rate) => (percent(rate)), None => "not measured" }
                    small { (count(m.merges as usize, "merge")) }
                } }
                div { dt { "Criteria met" } dd { (met) small { "of " (view.success_criteria.len()) } } }
                @if view.ended.is_none() {
                    div { dt { "Projected" } dd {
                        @match &m.projected_completion { Some(at) => (minutes(at)), None => "open" }
                        small { @match m.days_remaining { Some(days) => { (count(days as usize, "working day")) " left" } None => "UTC" } }
                    } }
                }
            }
            nav aria-label="Sections" { ul {
                @for (id, title) in SECTIONS { li { a href=(format!("#{id}")) { (title) } } }
            } }
        }
    }
}

fn done(view: &ReportView) -> String {
    let done = view
        .tasks
        .iter()
        .filter(|task| task.status == "completed")
        .count();
    format!("{done} of {}", count(view.tasks.len(), "task"))
}

/// `2026-11-23 09:12` of a time in RFC 3339.
fn minutes(at: &str) -> String {
    let minutes = at.get(..16).unwrap_or(at);
    minutes.replace('T', " ")
}

fn progress(view: &ReportView) -> Markup {
    html! {
        (section("progress"))
        h3 { "Burndown" }
        (picture(pictures::burndown(view, None)))
        h3 { "Cumulative flow" }
        (picture(pictures::cumulative(view)))
        h3 { "Plan and actual" }
        (picture(pictures::plan_and_actual(view)))
    }
}

/// The most rows of a table in a page; the JSON has all of them.
const ROWS_MAX: usize = 500;

fn tasks(view: &ReportView) -> Markup {
    let planned = |id: &str| {
        let row = view.timeline.iter().find(|row| row.task == id);
        row.and_then(|row| row.planned_hours)
            .map_or_else(String::new, |[from, to]| format!("{from:.1}–{to:.1}h"))
    };
    let rows: Vec<Vec<Cell>> = view
        .tasks
        .iter()
        .take(ROWS_MAX)
        .map(|task| {
            vec![
                Cell::Markup(html! { (t(&task.id)) @if task.title != task.id { br; span class="note" { (t(&task.title)) } } }),
                Cell::Markup(status(&task.status)),
                task.agent.as_deref().unwrap_or("").into(),
                Cell::Number(task.attempts.to_string()),
                Cell::Number(task.cycle_hours.map_or_else(String::new, elapsed)),
                Cell::Number(planned(&task.id)),
                Cell::Number(task.points.to_string()),
                Cell::Markup(html! { @if let Some(commit) = task.commits.last() { code { (t(commit.get(..10).unwrap_or(commit))) } } }),
            ]
        })
        .collect();
    html! {
        (section("tasks"))
        (table("tasks-caption", "All tasks, in the order of the sprint file", &["task", "status", "agent", "attempts", "cycle time", "planned", "points", "commit"], &rows))
        @if view.tasks.len() > ROWS_MAX { p class="note" { "And " (view.tasks.len() - ROWS_MAX) " more; " code { "--format json" } " has all of them." } }
    }
}

fn status(status: &str) -> Markup {
    let (mark, _) = crate::view::status::phase_of(status);
    let class = match status {
        "completed" => "mark good",
        "failed" | "quarantined" | "blocked" | "cancelled" => "mark bad",
        _ => "mark plain",
    };
    html! { span class=(class) { span aria-hidden="true" { (mark) " " } (status) } }
}

fn team(view: &ReportView) -> Markup {
    let rows: Vec<Vec<Cell>> = view
        .metrics
        .utilization
        .iter()
        .map(|(role, share)| {
            let tasks = view.tasks.iter().filter(|task| {
                task.agent
                    .as_deref()
                    .is_some_and(|agent| of_role(agent, role))
            });
            let (mut number, mut worked) = (0, 0.0);
            for task in tasks {
                number += 1;
                worked += task.worked_hours;
            }
            vec![
                role.clone().into(),
                Cell::Number(percent(*share)),
                Cell::Number(number.to_string()),
                Cell::Number(elapsed(worked)),
            ]
        })
        .collect();
    html! {
        (section("team"))
        (picture(pictures::utilisation(view)))
        (table("team-caption", "Use of each role", &["role", "in use", "tasks", "time at work"], &rows))
    }
}

/// Whether the agent is one of the role: the role's name and a number.
fn of_role(agent: &str, role: &str) -> bool {
    agent
        .strip_prefix(role)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn cycles(view: &ReportView) -> Markup {
    let rows: Vec<Vec<Cell>> = view
        .metrics
        .cycle_hours
        .iter()
        .map(|(kind, cycle)| {
            vec![
                kind.clone().into(),
                Cell::Number(cycle.tasks.to_string()),
                Cell::Number(elapsed(cycle.mean)),
                Cell::Number(elapsed(cycle.min)),
                Cell::Number(elapsed(cycle.max)),
                Cell::Number(elapsed(cycle.estimated)),
            ]
        })
        .collect();
    html! {
        (section("cycle-times"))
        @if rows.is_empty() { p { "No task is completed yet." } }
        @else {
            (picture(pictures::cycle_times(view)))
            (table("cycle-caption", "From the first assignment to completion, by kind of task", &["kind", "tasks", "average", "shortest", "longest", "estimated"], &rows))
        }
    }
}

fn metrics(view: &ReportView) -> Markup {
    let rows: Vec<Vec<Cell>> = measured(view)
        .into_iter()
        .map(|metric| {
            vec![
                metric.name.into(),
                metric.value.into(),
                Cell::Markup(html! { span class="note" { (metric.unit) ": " (metric.formula) } }),
            ]
        })
        .collect();
    let budgets: Vec<Vec<Cell>> = view.budgets.iter().map(budget).collect();
    html! {
        (section("metrics"))
        (table("metrics-caption", "The sprint in numbers, and how each is computed", &["metric", "value", "unit and formula"], &rows))
        @if !budgets.is_empty() { (table("budgets-caption", "Budgets, in dollars", &["of", "limit", "spent", "set aside", "left"], &budgets)) }
    }
}

fn budget(row: &BudgetStatus) -> Vec<Cell> {
    let dollars = |amount: Option<f64>| match amount {
        Some(amount) => Cell::Number(format!("{amount:.2}")),
        None => "none".into(),
    };
    vec![
        format!("{} {}", row.of, row.name).into(),
        dollars(row.limit_usd),
        dollars(Some(row.spent_usd)),
        dollars(Some(row.reserved_usd)),
        dollars(row.left_usd),
    ]
}

fn gates(view: &ReportView) -> Markup {
    let rows: Vec<Vec<Cell>> = view
        .metrics
        .gates
        .iter()
        .map(|(gate, verdicts)| {
            let red: Vec<&str> = view
                .tasks
                .iter()
                .filter(|task| {
                    task.gates.get(gate) == Some(&director_protocols::work::Verdict::Failed)
                })
                .map(|task| task.id.as_str())
                .collect();
            vec![
                gate.clone().into(),
                Cell::Number(verdicts.passed.to_string()),
                Cell::Number(verdicts.failed.to_string()),
                Cell::Number(verdicts.not_measured.to_string()),
                Cell::Number(verdicts.overridden.to_string()),
                match red.as_slice() {
                    [] => "none".into(),
                    red => red.join(", ").into(),
                },
            ]
        })
        .collect();
    html! {
        (section("gates"))
        @if rows.is_empty() { p { "Nothing was gated." } }
        @else {
            (table("gates-caption", "How often each gate passed, failed, had nothing to measure it, or was overridden by a person", &["gate", "passed", "failed", "not measured", "overridden", "red now"], &rows))
        }
    }
}

fn hand_offs(view: &ReportView) -> Markup {
    let rows: Vec<Vec<Cell>> = view
        .hand_offs
        .iter()
        .take(ROWS_MAX)
        .map(|row| {
            vec![
                row.from.clone().into(),
                row.to.clone().into(),
                row.state.into(),
            ]
        })
        .collect();
    let deployed: Vec<Vec<Cell>> = view
        .deployments
        .iter()
        .map(|row| {
            vec![
                row.what.clone().into(),
                row.state.into(),
                row.detail.clone().into(),
            ]
        })
        .collect();
    html! {
        (section("hand-offs"))
        @if rows.is_empty() { p { "None." } }
        @else { (table("hand-offs-caption", "What passes from one task to the next", &["from", "to", "state"], &rows)) }
        @if !deployed.is_empty() { (table("deployments-caption", "What was deployed, or was to be", &["what", "state", ""], &deployed)) }
    }
}

fn trouble(view: &ReportView) -> Markup {
    let rows: Vec<Vec<Cell>> = view
        .blockers
        .iter()
        .map(|row| {
            vec![
                row.task.clone().into(),
                row.severity.as_str().into(),
                row.text.clone().into(),
                row.ending().into(),
            ]
        })
        .collect();
    let incidents: Vec<Markup> = view
        .incidents
        .iter()
        .map(|row| html! { (t(&row.sentence())) " " span class="cite" { (minutes(&row.at)) } })
        .collect();
    html! {
        (section("trouble"))
        h3 { "Blockers" }
        @if rows.is_empty() { p { "None." } }
        @else { (table("blockers-caption", "What held work up, oldest first", &["task", "severity", "what", "ending"], &rows)) }
        h3 { "Incidents" }
        (list(&incidents))
    }
}

fn risks(view: &ReportView) -> Markup {
    let rows: Vec<Vec<Cell>> = view
        .risks
        .iter()
        .map(|risk| {
            let became = match risk.came_true() {
                true => risk.shown.join("; "),
                false => "has not come true".to_owned(),
            };
            vec![
                risk.risk.clone().into(),
                became.into(),
                risk.done.join("; ").into(),
                cited(&risk.seqs).into(),
            ]
        })
        .collect();
    html! {
        (section("risks"))
        @if rows.is_empty() { p { "None." } }
        @else { (table("risks-caption", "What the plan foresaw on the critical path, and what became of it", &["risk", "came true", "done", "seen in"], &rows)) }
    }
}

fn lessons(view: &ReportView) -> Markup {
    let lessons: Vec<Markup> = view
        .lessons
        .iter()
        .map(|lesson| {
            html! {
                (t(&lesson.text)) ". Next time: " (t(&lesson.suggestion)) ". "
                span class="cite" { "(" (cited(&lesson.seqs)) ")" }
            }
        })
        .collect();
    let feedback: Vec<Markup> = view
        .feedback
        .iter()
        .map(|row| html! { strong { (t(&row.task)) } ": " (t(&row.text)) })
        .collect();
    html! {
        (section("lessons"))
        (list(&lessons))
        h3 { "Feedback of agents" }
        (list(&feedback))
    }
}

fn next(view: &ReportView) -> Markup {
    let rows: Vec<Vec<Cell>> = view
        .next_sprint
        .iter()
        .take(ROWS_MAX)
        .map(|row| {
            vec![
                row.id.clone().into(),
                row.status.clone().into(),
                Cell::Number(row.points.to_string()),
                Cell::Number(row.attempts.to_string()),
                row.reason.clone().into(),
                row.salvaged.join(", ").into(),
            ]
        })
        .collect();
    html! {
        (section("next"))
        @if rows.is_empty() { p { "Nothing remains." } }
        @else {
            (table("next-caption", "What remains, with its history", &["task", "status", "points", "attempts", "why", "unfinished work"], &rows))
            p class="note" { code { "director retro --next FILE" } " writes it as a sprint file." }
        }
    }
}

fn criteria(view: &ReportView) -> Markup {
    let rows: Vec<Vec<Cell>> = view
        .success_criteria
        .iter()
        .map(|row| {
            let (mark, class) = match row.standing {
                Standing::Met => ("✓", "mark good"),
                Standing::NotMet => ("✗", "mark bad"),
                Standing::NotMeasured => ("?", "mark plain"),
            };
            vec![
                row.criterion.into(),
                Cell::Markup(html! { span class=(class) { span aria-hidden="true" { (mark) " " } (row.standing.as_str()) } }),
                row.evidence.clone().into(),
            ]
        })
        .collect();
    html! {
        (section("criteria"))
        (table("criteria-caption", "The eight criteria of a sprint", &["criterion", "standing", "evidence"], &rows))
    }
}
