//! Blockers and incidents: what holds tasks up now, and each incident's seven steps with what is missing, to be filled in and closed.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use director_protocols::incident::Step;
use maud::{Markup, html};

use super::board::to;
use super::{At, Visit, acts, t, tier, when};
use crate::control::protocol::Order;
use crate::http::problem::Problem;
use crate::report::text::block;
use crate::view::incident::IncidentView;
use crate::view::status::{OpenBlocker, open_blockers};
use crate::view::{count, incidents};

/// The most that is shown of a log; `director incident ID` shows all of it.
const LOG_MAX: usize = 50;

pub(super) async fn page(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let made = make(&visit).await;
    visit.answer(made)
}

async fn make(visit: &Visit) -> Result<(String, Markup, u64), Problem> {
    let now = visit.now();
    let found = visit.look(move |state, _| {
        let blockers: Vec<(String, Vec<OpenBlocker>)> = (0u32..)
            .map(director_protocols::ids::SprintId)
            .zip(&state.sprints.table)
            .filter(|(_, sprint)| !sprint.is_over())
            .map(|(id, sprint)| (sprint.spec.id.to_string(), open_blockers(state, id, now)))
            .filter(|(_, blockers)| !blockers.is_empty())
            .collect();
        (blockers, incidents(state, None).incidents)
    });
    let ((blockers, mut all), seq) = found.await?;
    // What is open comes first, then the newest.
    all.sort_by_key(|one| (one.closed.is_some(), std::cmp::Reverse(one.id)));
    let body = html! {
        h1 { "Blockers and incidents" }
        section.panel #open aria-labelledby="held-up" data-live="" {
            h2 #held-up { "Blockers " small { "what holds tasks up now" } }
            @if blockers.is_empty() { p.muted { "Nothing is held up." } }
            @for (sprint, of) in &blockers { (held(sprint, of)) }
        }
        div #incidents data-live="" {
            @if all.is_empty() { section.panel { h2 { "Incidents" } p.muted { "There was none." } } }
            @for one in &all { (incident(visit, one)) }
        }
    };
    Ok(("Blockers and incidents".to_owned(), body, seq))
}

fn held(sprint: &str, blockers: &[OpenBlocker]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(format!("Blockers of {}", t(sprint))) {
            table {
                caption { (t(sprint)) ": " (count(blockers.len(), "blocker")) }
                thead { tr { th scope="col" { "Task" } th scope="col" { "Tier" } th scope="col" { "What is the matter" } th scope="col" { "Since" } th scope="col" { "Goes up" } th scope="col" { "Waits for" } } }
                tbody { @for one in blockers { tr {
                    th scope="row" { a href=(to(sprint, &one.task)) { (t(&one.task)) } @if let Some(agent) = &one.agent { div.small.muted { (t(agent)) } } }
                    td { (tier(one.severity.as_str())) }
                    td { (block(&one.text)) div.small.muted { (t(&one.kind.replace('_', " "))) } }
                    td { (when(&one.raised)) }
                    td { @match &one.deadline { Some(at) => { (when(at)) } None => { "—" } } }
                    td { @match one.inbox { Some(item) => { a href=(format!("/inbox#item-{item}")) { "you, #" (item) } } None => { "the team" } } }
                } } }
            }
        }
    }
}

fn incident(visit: &Visit, one: &IncidentView) -> Markup {
    let missing = one.steps.iter().filter(|step| step.text.is_none()).count();
    let title = format!("incident-{}", one.id);
    let act = format!("/incidents/{}", one.id);
    let acts = visit.known && one.closed.is_none();
    html! {
        section.panel aria-labelledby=(title) {
            h2 id=(title) {
                "Incident " (one.id) " " (tier(one.severity.as_str()))
                small { @match (&one.closed, missing) {
                    (Some(at), _) => { "closed " (when(at)) }
                    (None, 0) => { "open, every step is there" }
                    (None, n) => { "open, " (count(n, "step")) " missing" }
                } }
            }
            div.say { (block(&one.text)) }
            p.small.muted {
                "Since " (when(&one.opened)) " in " (t(&one.sprint))
                @if let Some(task) = &one.task { ", at " a href=(to(&one.sprint, task)) { (t(task)) } }
                @if !one.members.is_empty() { "; in the room: " (t(&one.members.join(", "))) }
            }
            ol.steps { @for step in &one.steps {
                li class=(if step.text.is_some() { "there" } else { "missing" }) {
                    b { (step.step.replace('_', " ")) } " "
                    @match &step.text {
                        Some(text) => { span { (block(text)) } @if let Some(by) = &step.by { span.small.muted { " " (t(by)) } } }
                        None if acts => { form.act method="post" action=(act) {
                            input type="hidden" name="step" value=(step.step);
                            input type="text" id=(format!("step-{}-{}", one.id, step.step)) name="text" required autocomplete="off" placeholder=(question(step.step)) aria-label=(format!("{} of incident {}", step.step.replace('_', " "), one.id));
                            button name="do" value="step" { "Fill in" }
                        } }
                        None => { span.warn { "missing" } }
                    }
                }
            } }
            @if !one.log.is_empty() {
                details id=(format!("log-{}", one.id)) {
                    summary { "Log, " (count(one.log.len(), "line")) }
                    ul.plain { @for entry in one.log.iter().rev().take(LOG_MAX) { li { (when(&entry.at)) " " b { (t(&entry.by)) } " " (block(&entry.text)) } } }
                    @if one.log.len() > LOG_MAX { p.small.muted { code { "director incident " (one.id) } " shows all of it" } }
                }
            }
            @if acts {
                form.act method="post" action=(act) {
                    input type="text" id=(format!("note-{}", one.id)) name="text" required autocomplete="off" placeholder="For the log" aria-label=(format!("For the log of incident {}", one.id));
                    button name="do" value="note" { "Write down" }
                }
                form.act method="post" action=(act) {
                    button.main name="do" value="close" disabled[missing > 0] { "Close the incident" }
                    @if missing > 0 { span.small.muted { "once every step is filled in" } }
                }
            } @else if one.closed.is_none() {
                p.small { a href="/login" { "Sign in" } " to work on it, or type " code { "director incident " (one.id) " --step …" } }
            }
        }
    }
}

/// What a step asks.
fn question(step: &str) -> &'static str {
    let found = Step::ALL.into_iter().find(|one| one.as_str() == step);
    found.map_or("", Step::question)
}

/// What the buttons of an incident do.
pub(super) async fn act(State(site): At, Path(number): Path<u32>, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let fields = match acts::fields(request).await {
        Ok(fields) => fields,
        Err(problem) => return visit.answer(Err(problem)),
    };
    let of = |name: &str| fields.get(name).map_or("", |text| text.trim()).to_owned();
    let (step, note) = match of("do").as_str() {
        "step" => (Some((of("step"), of("text"))), None),
        "note" => (None, Some(of("text"))),
        "close" => (None, None),
        _ => return visit.answer(Err(acts::unknown())),
    };
    if step.as_ref().is_some_and(|(_, text)| text.is_empty()) || note.as_deref() == Some("") {
        return visit.answer(Err(Problem::bad("nothing was written into the field")));
    }
    let order = Order::Incident {
        incident: number,
        step,
        note,
        by: visit.by(),
    };
    visit
        .order(order, &format!("/incidents#incident-{number}"))
        .await
}
