//! A task's page: its whole story, from why it is where it is to what it printed and changed.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use director_protocols::time::Time;
use maud::{Markup, html};

use super::board::{state_tag, to};
use super::{At, Visit, escaped, t, tier, when};
use crate::control::protocol::{Ask, Fault};
use crate::control::server::refused;
use crate::control::{desk, orders};
use crate::engine::Engine;
use crate::http::calls::{self, Within};
use crate::http::problem::Problem;
use crate::report::text::block;
use crate::view::{self, count};

/// Lines of a patch, and bytes of an output, that are shown; the API has more.
const PATCH_LINES: usize = 400;
const LOG_CHARS: usize = 16_000;

/// What the sprint file says, and how it hangs together with others.
struct About {
    status: view::status::TaskStatus,
    description: String,
    kind: String,
    feature: String,
    acceptance: Vec<String>,
    depends_on: Vec<String>,
    dependents: Vec<String>,
    run: String,
    summary: String,
    in_hand: bool,
    has_repo: bool,
}

pub(super) async fn page(State(site): At, Path(task): Path<String>, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let made = make(&visit, task).await;
    visit.answer(made)
}

async fn make(visit: &Visit, task: String) -> Result<(String, Markup, u64), Problem> {
    let sprint = visit.asked("sprint").map(str::to_owned);
    let ask = Ask::Why {
        sprint: sprint.clone(),
        task: task.clone(),
    };
    let answer = calls::ask(&visit.site, ask).await?;
    let name = task.clone();
    let of = sprint.clone();
    let now = visit.now();
    let about = move |engine: &Engine| about(engine, of.as_deref(), &name, now);
    let (about, handed): (About, Vec<view::status::HandOff>) =
        visit.site.handle.read(about).await.map_err(refused)??;
    let desk = Within(Arc::clone(&visit.site));
    let log = match about.status.attempt {
        0 => None,
        _ => desk::log(&desk, sprint.clone(), task.clone(), None)
            .await
            .ok(),
    };
    let patch = match about.has_repo && about.status.attempt > 0 {
        true => desk::diff(&desk, sprint, task.clone()).await.ok(),
        false => None,
    };
    let why = &answer.json;
    let title = match about.status.title.is_empty() {
        true => task.clone(),
        false => about.status.title.clone(),
    };
    let body = html! {
        div #task data-live="" {
            (head(visit, &title, &about, why))
            div.two {
                div { (reasons(why)) (attempts(why)) (gates(why)) (blockers(why)) }
                div { (facts(&about, why, &handed)) }
            }
        }
        section.panel aria-labelledby="log-title" {
            h2 #log-title { "Output " small { "what its agent printed" } }
            div #log data-live="" data-grows=[about.in_hand.then_some("")] {
                @match &log {
                    Some(log) if !log.trim().is_empty() => pre data-tail="" tabindex="0" { (ending(log)) },
                    _ => p.muted { "Nothing yet." },
                }
            }
        }
        @if about.has_repo {
            section.panel aria-labelledby="diff-title" {
                h2 #diff-title { "Changes" }
                div #diff data-live="" { (changes(patch.as_deref())) }
            }
        }
    };
    Ok((title, body, answer.seq))
}

fn about(
    engine: &Engine,
    sprint: Option<&str>,
    name: &str,
    now: Time,
) -> Result<(About, Vec<view::status::HandOff>), Fault> {
    let state = engine.state();
    let id = orders::task(state, sprint, name)?;
    let missing = || Fault::not_found(format!("there is no task `{name}`"));
    let row = state.tasks.get(id).ok_or_else(missing)?;
    let names = |ids: &[director_protocols::ids::TaskId]| {
        ids.iter().map(|id| state.task_name(*id)).collect()
    };
    let sprint = state.sprints.get(row.sprint);
    let report = row.story.as_deref().map(|story| story.report());
    let about = About {
        status: view::status::task_status(state, id, row, now),
        description: row.spec.description.clone(),
        kind: row.spec.kind.clone(),
        feature: row.spec.feature.to_string(),
        acceptance: row.spec.acceptance.clone(),
        depends_on: names(&row.depends_on),
        dependents: names(&row.dependents),
        run: row
            .spec
            .run
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        summary: report.map_or_else(String::new, |report| report.summary.clone()),
        in_hand: row.phase.is_in_hand(),
        has_repo: sprint.is_some_and(|sprint| sprint.spec.repo.is_some()),
    };
    Ok((about, view::status::hand_offs(state, row)))
}

fn text<'a>(value: &'a serde_json::Value, name: &str) -> &'a str {
    value
        .get(name)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
}

fn array<'a>(value: &'a serde_json::Value, name: &str) -> &'a [serde_json::Value] {
    value
        .get(name)
        .and_then(serde_json::Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn head(visit: &Visit, title: &str, about: &About, why: &serde_json::Value) -> Markup {
    let status = &about.status;
    let sprint = text(why, "sprint");
    let act = format!("/tasks/{}", escaped(&status.id));
    let can_retry = matches!(
        status.status.as_str(),
        "failed" | "blocked" | "quarantined" | "cancelled"
    );
    let can_cancel = !matches!(status.status.as_str(), "completed" | "cancelled");
    html! {
        div.head {
            div {
                h1 { (t(title)) " " (state_tag(&status.status)) }
                p.lead {
                    code { (t(&status.id)) } " in " a href=(super::link("/", &[("sprint", sprint)])) { (t(sprint)) }
                    ", since " (when(text(why, "since"))) @if status.critical { " · " span.warn { "★ on the critical path" } }
                }
            }
            @if visit.known && (can_retry || can_cancel) {
                form.act method="post" action=(act) {
                    input type="hidden" name="sprint" value=(sprint);
                    @if can_retry { button.main name="do" value="retry" { "Try again" } }
                    @if can_cancel { button.danger name="do" value="cancel" { "Cancel" } }
                }
            }
        }
    }
}

fn reasons(why: &serde_json::Value) -> Markup {
    let (reasons, next) = (array(why, "reasons"), array(why, "next"));
    html! {
        section.panel aria-labelledby="why" {
            h2 #why { "Why it is there" }
            @if reasons.is_empty() { p.muted { "There is nothing to explain." } }
            @else { ul.plain { @for reason in reasons { li { (t(text(reason, "text"))) } } } }
            @if !next.is_empty() {
                h3 { "What can be done" }
                ul.plain { @for step in next { li { code { (t(text(step, "command"))) } " " span.muted { (t(text(step, "does"))) } } } }
            }
        }
    }
}

fn attempts(why: &serde_json::Value) -> Markup {
    let all = array(why, "attempts");
    html! {
        @if !all.is_empty() {
            section.panel aria-labelledby="attempts" {
                h2 #attempts { "Attempts" }
                div.scroll tabindex="0" role="region" aria-label="Attempts" { table {
                    thead { tr { th.n scope="col" { "#" } th scope="col" { "Agent" } th scope="col" { "From" } th.n scope="col" { "Took" } th scope="col" { "How it ended" } } }
                    tbody { @for one in all {
                        @let seconds = one.get("seconds").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
                        tr {
                            th.n scope="row" { (one.get("attempt").and_then(serde_json::Value::as_u64).unwrap_or(0)) }
                            td { (t(text(one, "agent"))) }
                            td { (when(text(one, "assigned"))) }
                            td.n { (director_protocols::time::Span((seconds * 1000.0) as u64)) }
                            td { (t(text(one, "text"))) @if !text(one, "rejected").is_empty() { div.bad { (t(text(one, "rejected"))) } } }
                        }
                    } }
                } }
            }
        }
    }
}

fn gates(why: &serde_json::Value) -> Markup {
    let all = array(why, "gates");
    html! {
        @if !all.is_empty() {
            section.panel aria-labelledby="gates" {
                h2 #gates { "Gates " small { "of the last attempt" } }
                @for gate in all {
                    @let tail = text(gate, "tail");
                    p { (state_tag(text(gate, "verdict"))) " " b { (t(text(gate, "gate"))) } " " span.muted { (t(text(gate, "evidence"))) } }
                    @if !tail.trim().is_empty() { details id=(format!("gate-{}", escaped(text(gate, "gate")))) { summary { "What it said" } pre { (block(tail)) } } }
                }
            }
        }
    }
}

fn blockers(why: &serde_json::Value) -> Markup {
    let all = array(why, "blockers");
    html! {
        @if !all.is_empty() {
            section.panel aria-labelledby="held-up" {
                h2 #held-up { "What held it up" }
                ul.plain { @for one in all { li {
                    (tier(text(one, "severity"))) " " (t(text(one, "text"))) " " span.muted { (when(text(one, "raised"))) }
                    @if let Some([at, by]) = one.get("resolved").and_then(|both| both.as_array()).map(Vec::as_slice) {
                        span.good { " resolved by " (t(by.as_str().unwrap_or_default())) } span.muted { " " (when(at.as_str().unwrap_or_default())) }
                    }
                } } }
            }
        }
    }
}

fn facts(about: &About, why: &serde_json::Value, handed: &[view::status::HandOff]) -> Markup {
    let sprint = text(why, "sprint");
    let links = |names: &[String]| html! { @for (n, name) in names.iter().enumerate() { @if n > 0 { ", " } a href=(to(sprint, name)) { (t(name)) } } };
    html! {
        section.panel aria-labelledby="about" {
            h2 #about { "About" }
            @if !about.description.is_empty() { p { (block(&about.description)) } }
            dl.facts {
                dt { "Kind" } dd { (t(&about.kind)) ", " (count(about.status.points as usize, "point")) }
                dt { "Role" } dd { (t(&about.status.role)) }
                dt { "Agent" } dd { (t(about.status.assigned_agent.as_deref().unwrap_or("nobody yet"))) }
                dt { "Feature" } dd { (t(&about.feature)) }
                @if !about.depends_on.is_empty() { dt { "Depends on" } dd { (links(&about.depends_on)) } }
                @if !about.dependents.is_empty() { dt { "Unlocks" } dd { (links(&about.dependents)) } }
                @for (name, key) in [("Commit", "commit"), ("Merge", "merged"), ("Changes", "changes")] {
                    @if !text(why, key).is_empty() { dt { (name) } dd { code { (t(text(why, key))) } } }
                }
                @if !about.run.is_empty() { dt { "Runs" } dd { code { (t(&about.run)) } } }
                @for saved in array(why, "salvaged") { dt { "Saved" } dd { code { (t(saved.as_str().unwrap_or_default())) } } }
            }
        }
        @if !about.acceptance.is_empty() {
            section.panel aria-labelledby="acceptance" { h2 #acceptance { "Acceptance" } ul.plain { @for one in &about.acceptance { li { (t(one)) } } } }
        }
        @if !about.summary.is_empty() || !handed.is_empty() {
            section.panel aria-labelledby="handoff" {
                h2 #handoff { "Hand-off" }
                @if !about.summary.is_empty() { p { (block(&about.summary)) } }
                ul.plain { @for one in handed { li { "from " a href=(to(sprint, &one.from)) { (t(&one.from)) } ": " (one.state) } } }
            }
        }
    }
}

fn ending(log: &str) -> String {
    let cut = log.chars().count().saturating_sub(LOG_CHARS);
    match log.char_indices().nth(cut) {
        Some((at, _)) if cut > 0 => format!("…\n{}", &log[at..]),
        _ => log.to_owned(),
    }
}

fn changes(patch: Option<&str>) -> Markup {
    let Some(patch) = patch.filter(|patch| !patch.trim().is_empty()) else {
        return html! { p.muted { "Nothing yet." } };
    };
    let class = |line: &str| match line.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] | [b'd', b'i', b'f', b'f', ..] => "file",
        [b'@', ..] => "hunk",
        [b'+', ..] => "add",
        [b'-', ..] => "del",
        _ => "same",
    };
    let more = patch.lines().count().saturating_sub(PATCH_LINES);
    html! {
        pre.diff tabindex="0" { @for line in patch.lines().take(PATCH_LINES) { span class=(class(line)) { (line) } "\n" } }
        @if more > 0 { p.small.muted { (more) " more lines: " code { "director diff" } " shows them" } }
    }
}
