//! The audit log: who did what, from the journal, the newest first.
//!
//! A decision that somebody asked for carries that name in its events; what the director and its agents do by themselves does not stand here.

use axum::extract::{Request, State};
use axum::response::Response;
use director_protocols::ids::Seq;
use maud::{Markup, html};

use super::{At, Visit, link, t, when};
use crate::control::server::refused;
use crate::engine::state::State as Seen;
use crate::handle::Entry;
use crate::http::problem::Problem;
use crate::report::text::short;
use crate::view;

/// Acts in a page.
const PAGE: usize = 100;
/// Records that are looked through for a page.
const LOOKED: u64 = 20_000;
const STEP: u64 = 1_000;

/// Something that somebody did.
struct Act {
    seq: u64,
    at: String,
    by: String,
    name: &'static str,
    text: String,
    sprint: Option<String>,
}

/// Who asked for an event, where somebody did.
fn asked_by(event: &director_protocols::event::Event) -> Option<String> {
    let fields = event.fields();
    let by = fields
        .get("by")
        .or_else(|| fields.get("accepted_by"))?
        .as_str()?;
    // The director's own acts are no one's.
    (!by.trim().is_empty() && by != "director").then(|| by.to_owned())
}

fn acts(entries: &[Entry], state: &Seen) -> Vec<Act> {
    let mut found = Vec::new();
    for entry in entries {
        for event in &entry.events {
            let Some(by) = asked_by(event) else { continue };
            let sprint = view::subject(event, state).sprint;
            found.push(Act {
                seq: entry.seq.0,
                at: view::rfc3339(entry.at),
                by,
                name: event.name(),
                text: short(&view::events::sentence(event, state), 240),
                sprint: sprint
                    .and_then(|id| state.sprints.get(id))
                    .map(|row| row.spec.id.to_string()),
            });
        }
    }
    found
}

pub(super) async fn page(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let made = make(&visit).await;
    visit.answer(made)
}

async fn make(visit: &Visit) -> Result<(String, Markup, u64), Problem> {
    let handle = &visit.site.handle;
    let head = handle
        .read(|engine| engine.seq().0)
        .await
        .map_err(refused)?;
    let who = visit.asked("by").unwrap_or_default().to_owned();
    let mut before = visit.number("before").unwrap_or(u64::MAX).min(head + 1);
    let stop = before.saturating_sub(LOOKED);
    let mut found: Vec<Act> = Vec::new();
    while found.len() < PAGE && before > 1 && before > stop {
        let from = before.saturating_sub(STEP).max(1);
        let most = usize::try_from(before - from).unwrap_or(0);
        let entries = handle.history(Seq(from), most).await.map_err(refused)?;
        let seen = handle.read(move |engine| acts(&entries, engine.state()));
        let mut part = seen.await.map_err(refused)?;
        part.retain(|act| who.is_empty() || act.by.to_lowercase().contains(&who.to_lowercase()));
        part.reverse();
        found.extend(part);
        before = from;
    }
    if let Some(cut) = found.get(PAGE) {
        // Whole records, so that the next page begins at one.
        before = cut.seq + 1;
        found.retain(|act| act.seq >= before);
    }
    let older = link("/audit", &[("by", &who), ("before", &before.to_string())]);
    let body = html! {
        h1 { "Audit log" }
        p.lead { "Who did what, from the journal. With one token, the name is what the caller says." }
        form.filter method="get" action="/audit" role="search" {
            input type="search" name="by" value=(who) placeholder="Who" aria-label="Who";
            button type="submit" { "Show" }
        }
        section.panel #acts data-live=[visit.asked("before").is_none().then_some("")] {
            @if found.is_empty() { p.muted { "Nobody has done anything yet." } }
            @else { (table(&found)) }
            @if before > 1 { p { a.button href=(older) { "Older" } } }
        }
    };
    Ok(("Audit log".to_owned(), body, head))
}

fn table(found: &[Act]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Who did what" {
            table {
                thead { tr { th scope="col" { "When (UTC)" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Sprint" } th.n scope="col" { "Record" } } }
                tbody { @for act in found { tr {
                    td { (when(&act.at)) }
                    th scope="row" { (t(&act.by)) }
                    td { b { (act.name.replace('_', " ")) } div.small.muted { (t(&act.text)) } }
                    td { @if let Some(sprint) = &act.sprint { a href=(link("/", &[("sprint", sprint)])) { (t(sprint)) } } }
                    td.n { (act.seq) }
                } } }
            }
        }
    }
}
