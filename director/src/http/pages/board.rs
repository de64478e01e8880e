//! Tasks: a page of them, by column or status and by name; and a task's card.

use axum::extract::{Request, State};
use axum::response::Response;
use maud::{Markup, html};

use super::{At, Visit, escaped, link, t};
use crate::http::problem::Problem;
use crate::view::board::{Column, TasksView, Wanted, tasks};
use crate::view::count;
use crate::view::status::TaskStatus;

/// Tasks in a page.
const PAGE: usize = 50;

pub(super) async fn page(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let made = make(&visit).await;
    visit.answer(made)
}

async fn make(visit: &Visit) -> Result<(String, Markup, u64), Problem> {
    let status = visit.asked("status").map(str::to_owned);
    let text = visit.asked("text").unwrap_or_default().to_owned();
    let skip = visit
        .number("skip")
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(0);
    let now = visit.now();
    let found = visit.look(move |state, sprint| {
        let Some(id) = sprint else {
            return Ok(TasksView::default());
        };
        let wanted = Wanted {
            status: status.as_deref(),
            text: &text,
            skip,
            limit: PAGE,
        };
        tasks(state, id, &wanted, now)
    });
    let (found, seq) = found.await?;
    let view = found.map_err(Problem::bad)?;
    Ok((format!("Tasks of {}", view.sprint), body(visit, &view), seq))
}

fn body(visit: &Visit, view: &TasksView) -> Markup {
    let (status, text) = (
        visit.asked("status").unwrap_or_default(),
        visit.asked("text").unwrap_or_default(),
    );
    let at = |skip: usize| {
        let skip = match skip {
            0 => String::new(),
            n => n.to_string(),
        };
        link(
            "/board",
            &[
                ("sprint", &view.sprint),
                ("status", status),
                ("text", text),
                ("skip", &skip),
            ],
        )
    };
    let all: usize = view.columns.values().sum();
    html! {
        h1 { "Tasks of " (t(&view.sprint)) }
        form.filter method="get" action="/board" role="search" {
            input type="hidden" name="sprint" value=(view.sprint);
            label { "Column " select name="status" {
                option value="" { "all (" (all) ")" }
                @for column in Column::ALL {
                    @let word = column.as_str();
                    option value=(word) selected[word == status] { (word) " (" (view.columns.get(word).copied().unwrap_or(0)) ")" }
                }
                @if !status.is_empty() && !Column::ALL.iter().any(|column| column.as_str() == status) {
                    option value=(status) selected { (t(status)) }
                }
            } }
            input type="search" name="text" value=(text) placeholder="Part of the id or title" aria-label="Part of the id or title";
            button type="submit" { "Show" }
        }
        section.panel #tasks data-live="" {
            div.scroll tabindex="0" role="region" aria-label="Tasks" {
                table {
                    caption { (count(view.total, "task")) @if view.next.is_some() || view.skip > 0 { ", from " (view.skip + 1) } }
                    thead { tr { th scope="col" { "Task" } th scope="col" { "Status" } th scope="col" { "Agent" } th.n scope="col" { "Points" } th scope="col" { "What is the matter" } } }
                    tbody { @for task in &view.tasks { tr {
                        th scope="row" { a href=(to(&view.sprint, &task.id)) { (t(&task.id)) } @if task.critical { " " span.warn title="on the critical path" { "★" } } div.small.muted { (t(&task.title)) } }
                        td { (state_tag(&task.status)) }
                        td { (t(task.assigned_agent.as_deref().unwrap_or("—"))) @if task.attempt > 1 { span.small.muted { " attempt " (task.attempt) } } }
                        td.n { (task.points) }
                        td { (t(&task.detail)) }
                    } } }
                }
            }
            @if view.tasks.is_empty() { p.muted { "There is no such task." } }
            nav.filter aria-label="Pages of tasks" {
                @if view.skip > 0 { a.button href=(at(view.skip.saturating_sub(PAGE))) { "Before" } }
                @if let Some(next) = view.next { a.button href=(at(next)) { "After" } }
            }
        }
    }
}

/// A task's page.
pub(super) fn to(sprint: &str, task: &str) -> String {
    link(&format!("/tasks/{}", escaped(task)), &[("sprint", sprint)])
}

/// A task in a column.
pub(super) fn card(sprint: &str, task: &TaskStatus) -> Markup {
    let class = format!(
        "card s-{}{}",
        task.status,
        if task.critical && task.status != "completed" {
            " critical"
        } else {
            ""
        }
    );
    html! {
        a class=(class) href=(to(sprint, &task.id)) {
            b { (t(if task.title.is_empty() { &task.id } else { &task.title })) }
            span { (t(&task.id)) @if let Some(agent) = &task.assigned_agent { " · " (t(agent)) } }
            @if !task.detail.is_empty() { span { (t(&task.detail)) } }
        }
    }
}

/// A status or a state as a tag: its word always, its colour beside it.
pub(super) fn state_tag(word: &str) -> Markup {
    let class = match word {
        "completed" | "done" | "passed" | "idle" => "tag good",
        "working" | "assigned" | "running" | "busy" | "merging" | "queued" | "reported"
        | "reviewing" => "tag busy",
        "blocked" | "backoff" | "paused" | "halted" | "down" | "incomplete" | "overridden" => {
            "tag warn"
        }
        "failed" | "quarantined" | "refused" | "emergency" | "lost" => "tag bad",
        _ => "tag",
    };
    html! { span class=(class) { (word.replace('_', " ")) } }
}
