//! Events: the journal as people read it, the newest first, by sprint, name and text.

use axum::extract::{Request, State};
use axum::response::Response;
use director_protocols::ids::Seq;
use maud::{Markup, html};

use super::{At, Visit, link, t};
use crate::control::server::refused;
use crate::engine::state::State as Seen;
use crate::handle::Entry;
use crate::http::problem::Problem;
use crate::report::text::short;
use crate::view;

/// Events in a page.
const PAGE: usize = 100;
/// Records that are looked through for a page.
const LOOKED: u64 = 5_000;
const STEP: u64 = 500;

/// One event.
pub(super) struct Row {
    seq: u64,
    at: String,
    name: &'static str,
    text: String,
    sprint: Option<String>,
}

/// The events of some records, oldest first.
pub(super) fn rows(entries: &[Entry], state: &Seen) -> Vec<Row> {
    let mut rows = Vec::new();
    for entry in entries {
        for event in &entry.events {
            let sprint = view::subject(event, state).sprint;
            rows.push(Row {
                seq: entry.seq.0,
                at: view::rfc3339(entry.at),
                name: event.name(),
                text: short(&view::events::sentence(event, state), 240),
                sprint: sprint
                    .and_then(|id| state.sprints.get(id))
                    .map(|row| row.spec.id.to_string()),
            });
        }
    }
    rows
}

/// Events as a list.
pub(super) fn list<'a>(rows: impl Iterator<Item = &'a Row>) -> Markup {
    html! {
        ol.events {
            @for row in rows {
                li { span.muted { time datetime=(row.at) title=(row.at) { (row.at.get(11..19).unwrap_or_default()) } } span.what { (row.name.replace('_', " ")) } span { (t(&row.text)) } }
            }
        }
    }
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
    let wanted = visit
        .asked("name")
        .unwrap_or_default()
        .replace(' ', "_")
        .to_lowercase();
    let text = visit.asked("text").unwrap_or_default().to_lowercase();
    let sprint = visit.asked("sprint").unwrap_or_default().to_owned();
    let mut before = visit.number("before").unwrap_or(u64::MAX).min(head + 1);
    let stop = before.saturating_sub(LOOKED);
    let mut found: Vec<Row> = Vec::new();
    while found.len() < PAGE && before > 1 && before > stop {
        let from = before.saturating_sub(STEP).max(1);
        let most = usize::try_from(before - from).unwrap_or(0);
        let entries = handle.history(Seq(from), most).await.map_err(refused)?;
        let seen = handle.read(move |engine| rows(&entries, engine.state()));
        let mut part = seen.await.map_err(refused)?;
        part.retain(|row| {
            row.name.contains(&wanted)
                && (text.is_empty() || row.text.to_lowercase().contains(&text))
                && (sprint.is_empty() || row.sprint.as_ref().is_none_or(|of| *of == sprint))
        });
        part.reverse();
        found.extend(part);
        before = from;
    }
    if found.len() > PAGE
        && let Some(cut) = found.get(PAGE)
    {
        // Whole records, so that the next page begins at one.
        before = cut.seq + 1;
        found.retain(|row| row.seq >= before);
    }
    let (name, text) = (
        visit.asked("name").unwrap_or_default(),
        visit.asked("text").unwrap_or_default(),
    );
    let older = link(
        "/events",
        &[
            ("sprint", &sprint),
            ("name", name),
            ("text", text),
            ("before", &before.to_string()),
        ],
    );
    let body = html! {
        h1 { "Events" }
        form.filter method="get" action="/events" role="search" {
            input type="search" name="name" value=(name) placeholder="Name, such as task completed" aria-label="Name of the event";
            input type="search" name="text" value=(text) placeholder="Words" aria-label="Words in it";
            input type="search" name="sprint" value=(sprint) placeholder="Sprint" aria-label="Sprint";
            button type="submit" { "Show" }
        }
        section.panel #found data-live=[visit.asked("before").is_none().then_some("")] {
            @if found.is_empty() { p.muted { "None here." } }
            (list(found.iter()))
            @if before > 1 { p { a.button href=(older) { "Older" } } }
        }
    };
    Ok(("Events".to_owned(), body, head))
}
