//! The overview: the current sprint at a glance, what waits for a person, who does what, and what just happened.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use director_protocols::ids::Seq;
use maud::{Markup, PreEscaped, html};

use super::board::{card, state_tag};
use super::{At, Visit, inbox, link, t, team, tier, when};
use crate::control::protocol::{Ask, ReportFormat};
use crate::control::server::{history, refused};
use crate::engine::Engine;
use crate::http::calls;
use crate::http::problem::Problem;
use crate::report::sprint as report;
use crate::simulate::glance;
use crate::view::board::{Column, Lane};
use crate::view::{self, InboxView, LiveView, count};

/// Tasks shown in a column of the overview.
const CARDS: usize = 7;
/// Files that are named of a conflict.
const FILES: usize = 5;
/// Records whose events are shown.
const RECENT: u64 = 14;

struct Seen {
    live: LiveView,
    epic: Option<String>,
    reason: Option<String>,
    projected: Option<String>,
    days: Option<u64>,
    over: bool,
    deliverable: bool,
    warnings: Vec<String>,
    parked: Vec<view::status::ParkedAccount>,
    budgets: Vec<view::budgets::BudgetStatus>,
    conflicts: Vec<view::clashes::ConflictStatus>,
    lanes: std::collections::BTreeMap<Column, Lane>,
    blockers: Vec<view::status::OpenBlocker>,
    agents: view::AgentsView,
    inbox: InboxView,
    others: Vec<(String, String)>,
    events: Vec<super::events::Row>,
}

pub(super) async fn page(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let made = make(&visit).await;
    visit.answer(made)
}

async fn make(visit: &Visit) -> Result<(String, Markup, u64), Problem> {
    let handle = &visit.site.handle;
    let seq = handle
        .read(|engine| engine.seq().0)
        .await
        .map_err(refused)?;
    let from = Seq(seq.saturating_sub(RECENT - 1).max(1));
    let entries = handle
        .history(from, RECENT as usize)
        .await
        .map_err(refused)?;
    let now = visit.now();
    let (seen, seq) = visit
        .look(move |state, sprint| {
            let id = sprint?;
            let row = state.sprints.get(id)?;
            let metrics = view::status::velocity(state, id, now);
            let board = view::board::sprints(state, now);
            Some(Seen {
                live: view::live::live_of(state, id, now),
                epic: row.spec.epic.clone(),
                reason: match row.refused.is_empty() {
                    true => row
                        .emergency
                        .map(|what| view::status::emergency_text(state, what)),
                    false => Some(row.refused.clone()),
                },
                projected: metrics.projected_completion,
                days: metrics.days_remaining,
                over: row.is_over(),
                // While it is tidied up and told of, a delivery would be refused.
                deliverable: row.delivered.is_none()
                    && row.spec.repo.is_some()
                    && state.is_settled(id),
                warnings: row.warnings.clone(),
                parked: view::status::parked(state),
                budgets: view::budgets::budgets(state, id, now),
                conflicts: view::clashes::conflicts(state, id, now),
                lanes: view::board::lanes(state, id, CARDS, now),
                blockers: view::status::open_blockers(state, id, now),
                agents: view::agents(state, now),
                inbox: view::inbox(state),
                others: board
                    .sprints
                    .into_iter()
                    .filter(|line| !line.over && line.sprint != row.spec.id.as_str())
                    .map(|line| (line.sprint, line.state))
                    .collect(),
                events: super::events::rows(&entries, state),
            })
        })
        .await?;
    match seen {
        Some(seen) => Ok((seen.live.sprint.clone(), overview(visit, &seen), seq)),
        None => Ok(("Welcome".to_owned(), welcome(visit), seq)),
    }
}

fn welcome(visit: &Visit) -> Markup {
    html! {
        section #welcome data-live="" {
            h1 { "There is no sprint yet" }
            p.lead { "Hand one in at a terminal, or paste its file here." }
            pre { "director submit sprint.toml" }
        }
        (super::sprints::form(visit, "", ""))
    }
}

fn overview(visit: &Visit, seen: &Seen) -> Markup {
    let live = &seen.live;
    let of = |path: &str| link(path, &[("sprint", &live.sprint)]);
    html! {
        div #overview data-live="" {
            div.head {
                div {
                    h1 { (t(&live.sprint)) " " (state_tag(&live.state)) }
                    p.lead {
                        @if let Some(epic) = &seen.epic { (t(epic)) } @else { "Sprint" }
                        @for (other, state) in &seen.others {
                            " · also " a href=(link("/", &[("sprint", other)])) { (t(other)) } " (" (state) ")"
                        }
                    }
                }
                (steering(visit, live, seen.over, seen.deliverable))
            }
            @if let Some(reason) = &seen.reason { p.notice.bad role="alert" { (t(reason)) } }
            @for warning in &seen.warnings { p.notice { (t(warning)) } }
            @for account in &seen.parked { p.notice { (t(&account.sentence())) } }
            @for row in seen.budgets.iter().filter(|row| row.waits.is_some()) { p.notice { "Budget " (t(&row.sentence())) } }
            (tiles(seen))
            progress max=(live.total.max(1)) value=(live.completed) aria-label="Tasks completed" {}
            @if !seen.inbox.inbox.is_empty() {
                section.panel aria-labelledby="waits" {
                    h2 #waits { "Waits for you " small { (count(seen.inbox.inbox.len(), "thing")) } }
                    @for item in seen.inbox.inbox.iter().take(3) { (inbox::item(visit, item, "/")) }
                    @if seen.inbox.inbox.len() > 3 { p { a href="/inbox" { "All that waits" } } }
                }
            }
            section aria-label="Board" { div.lanes {
                @for (column, lane) in &seen.lanes {
                    div.lane {
                        h3 { span { (name(*column)) } span { (lane.count) } }
                        ul { @for task in &lane.tasks { li { (card(&live.sprint, task)) } } }
                        @if lane.count > lane.tasks.len() {
                            a.more href=(link("/board", &[("sprint", &live.sprint), ("status", column.as_str())])) { "all " (lane.count) }
                        }
                    }
                }
            } }
            @if !seen.conflicts.is_empty() {
                section.panel aria-labelledby="conflicts" {
                    h2 #conflicts { "Would conflict " small { "if it were merged now" } }
                    ul.plain { @for row in &seen.conflicts { li {
                        a href=(of(&format!("/tasks/{}", super::escaped(&row.task)))) { (t(&row.task)) }
                        @if let Some(with) = &row.with { " and " a href=(of(&format!("/tasks/{}", super::escaped(with)))) { (t(with)) } ", both under way" }
                        @else { " and what was merged since it began" @if !row.merged.is_empty() { " (" (t(&row.merged.join(", "))) ")" } }
                        ": "
                        @for (n, file) in row.files.iter().take(FILES).enumerate() { @if n > 0 { ", " } code { (t(file)) } }
                        @if row.files.len() > FILES { " and " (row.files.len() - FILES) " more" }
                        " " small.muted { "since " (when(&row.since)) }
                    } } }
                }
            }
            @if !seen.blockers.is_empty() {
                section.panel aria-labelledby="blockers" {
                    h2 #blockers { "Blockers" }
                    ul.plain { @for blocker in &seen.blockers { li {
                        (tier(blocker.severity.as_str())) " "
                        a href=(of(&format!("/tasks/{}", super::escaped(&blocker.task)))) { (t(&blocker.task)) } ": " (t(&blocker.text))
                    } } }
                }
            }
            div.two {
                section.panel aria-labelledby="team" {
                    h2 #team { "Team" }
                    (team::busy(&live.sprint, &seen.agents))
                    p.small { a href="/team" { "The whole team" } }
                }
                section.panel aria-labelledby="recent" {
                    h2 #recent { "What happened" }
                    (super::events::list(seen.events.iter().rev().take(14)))
                    p.small { a href=(of("/events")) { "All events" } }
                }
            }
        }
        section.panel aria-labelledby="charts-title" {
            h2 #charts-title { "How it goes " small { a href=(of("/report")) { "the whole report" } } }
            div.charts data-slow=(of("/charts")) { p.muted { a href=(of("/charts")) { "Burndown, plan against actual, flow" } } }
        }
    }
}

fn name(column: Column) -> &'static str {
    match column {
        Column::Waiting => "Waiting",
        Column::Ready => "Ready",
        Column::Working => "Working",
        Column::Merging => "Merging",
        Column::Stuck => "Stuck",
        Column::Done => "Done",
    }
}

fn tiles(seen: &Seen) -> Markup {
    let live = &seen.live;
    html! {
        dl.tiles {
            div { dt { "Tasks" } dd { (live.completed) " / " (live.total) small { "completed" } } }
            div { dt { "Points" } dd { (live.points.0) " / " (live.points.1) small { @match seen.days { Some(days) => { (count(days as usize, "working day")) " left" } None => "of the target" } } } }
            div { dt { "At work" } dd { (live.working) small { (live.idle) " idle" @if live.down > 0 { ", " (live.down) " down" } } } }
            div { dt { "Elapsed" } dd { (live.elapsed) small { @match live.left { Some(left) if !seen.over => { "about " (left) " more" } _ => { @if seen.over { "in all" } @else { "open end" } } } } } }
            @if !seen.over {
                div { dt { "Projected" } dd { @match &seen.projected { Some(at) => { (when(at)) small { "UTC" } } None => { "open" small { "something is in the way" } } } } }
            }
            @if let Some(row) = seen.budgets.first() {
                div { dt { "Spent" } dd {
                    "$" (format!("{:.2}", row.spent_usd))
                    small {
                        @if let Some(limit) = row.limit_usd { "of $" (format!("{limit:.2}")) ", " }
                        "$" (format!("{:.2}", row.reserved_usd)) " set aside"
                    }
                } }
            }
            div { dt { "Waits for you" } dd { (seen.inbox.inbox.len()) small { a href="/inbox" { "inbox" } } } }
        }
    }
}

fn steering(visit: &Visit, live: &LiveView, over: bool, deliverable: bool) -> Markup {
    let to = format!("/sprints/{}", super::escaped(&live.sprint));
    html! {
        @if visit.known && !over {
            form.act method="post" action=(to) {
                @if live.state == "paused" { button.main #resume name="do" value="resume" { "Resume" } }
                @else { button #pause name="do" value="pause" { "Pause" } }
            }
        } @else if visit.known && deliverable && live.state == "done" {
            form.act method="post" action=(to) { button.main #deliver name="do" value="deliver" { "Deliver" } }
        }
    }
}

/// The charts alone, made beside the director so that it is not held up.
pub(super) async fn charts(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    match drawn(&visit).await {
        Ok(markup) => (
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            markup.into_string(),
        )
            .into_response(),
        Err(problem) => problem.response(),
    }
}

async fn drawn(visit: &Visit) -> Result<Markup, Problem> {
    let _turn = visit.site.heavy.acquire().await;
    let handle = &visit.site.handle;
    let entries = history(handle, 0, usize::MAX).await?;
    let wanted = visit.asked("sprint").map(str::to_owned);
    let engine = handle.read(Engine::clone).await.map_err(refused)?;
    let now = visit.now();
    let draw = move || {
        let id = crate::control::orders::sprint(engine.state(), wanted.as_deref())?;
        let view = report::build(engine.state(), &entries, id, now);
        let Some(view) = view else {
            return Ok(PreEscaped(String::new()));
        };
        let row = engine.state().sprints.get(id);
        let runs = row.filter(|row| row.is_running() && row.began.is_some());
        let runs = runs.and_then(|row| glance::runs(row.tasks().count()));
        // Charts without a band are better than none.
        let forecast =
            runs.and_then(|runs| glance::glance(engine, &entries, id, runs, now).ok()?);
        Ok(report::going(&view, forecast.as_ref()))
    };
    let made = tokio::task::spawn_blocking(draw).await;
    let made: Result<Markup, crate::control::protocol::Fault> =
        made.map_err(|error| Problem::bad(error.to_string()))?;
    Ok(made?)
}

/// The report as the command line writes it: one page with a style of its own, which its own policy names by hash.
pub(super) async fn report(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let ask = Ask::Report {
        sprint: visit.asked("sprint").map(str::to_owned),
        format: ReportFormat::Html,
    };
    match calls::ask(&visit.site, ask).await {
        Ok(answer) => {
            let media = HeaderValue::from_static("text/html; charset=utf-8");
            ([(header::CONTENT_TYPE, media)], answer.text).into_response()
        }
        Err(fault) => visit.answer(Err(fault.into())),
    }
}
