//! The audit log: who ordered what, from where, and what came of it, the newest first; refused orders too.
//!
//! Elsewhere: the log is a file of the data directory ([`crate::control::audit`]); what was decided is on the page of events.

use axum::extract::{Request, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::board::to;
use super::{At, Visit, link, t, when};
use crate::control::audit::{self, Line};
use crate::control::desk::blocking;
use crate::control::protocol::{Fault, FaultKind};
use crate::control::server::refused;
use crate::http::problem::Problem;
use crate::report::text::short;

/// Orders in a page.
const PAGE: usize = 100;

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
    let only_refused = visit.asked("came").is_some_and(|came| came == "refused");
    let skip = usize::try_from(visit.number("skip").unwrap_or(0)).unwrap_or(0);
    let dir = visit.site.setup.data_dir.clone();
    let named = who.to_lowercase();
    let read = blocking(move || {
        // One more says whether there are older ones.
        let mut passed = 0;
        audit::newest(&dir, PAGE + 1, |line| {
            let fits = (named.is_empty() || line.by.to_lowercase().contains(&named))
                && (!only_refused || !line.done);
            passed += usize::from(fits);
            fits && passed > skip
        })
    });
    let found = read.await?;
    let mut found = found.map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let came = if only_refused { "refused" } else { "" };
    let at = |skip: usize| {
        let skip = skip.to_string();
        link("/audit", &[("by", &who), ("came", came), ("skip", &skip)])
    };
    let body = html! {
        h1 { "Audit log" }
        p.lead { "Who ordered what, from where, and what came of it. With one token, the name is what the caller says." }
        form.filter method="get" action="/audit" role="search" {
            input type="search" name="by" value=(who) placeholder="Who" aria-label="Who";
            label { input type="checkbox" name="came" value="refused" checked[only_refused]; " Refused only" }
            button type="submit" { "Show" }
        }
        section.panel #acts data-live=[(skip == 0).then_some("")] {
            @if found.is_empty() { p.muted { "Nobody has ordered anything yet." } }
            @else { (table(&found)) }
            @if skip > 0 { a.button href=(at(skip.saturating_sub(PAGE))) { "Newer" } " " }
            @if more { a.button href=(at(skip + PAGE)) { "Older" } }
        }
    };
    Ok(("Audit log".to_owned(), body, head))
}

fn table(found: &[Line]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Who ordered what" {
            table {
                thead { tr { th scope="col" { "When (UTC)" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "What came of it" } } }
                tbody { @for line in found { tr {
                    td { (when(&line.at)) }
                    th scope="row" {
                        @if line.by.is_empty() { span.muted { "somebody" } } @else { (t(&line.by)) }
                        div.small.muted { (t(&line.from)) }
                    }
                    td { b { (t(&line.order.replace('_', " "))) } div.small.muted { (about(line)) } }
                    td {
                        @match (&line.why, line.seq) {
                            (Some(why), _) => { span.tag.bad { "refused" } div.small.muted { (t(&short(why, 240))) } }
                            (None, Some(seq)) if seq > 0 => { span.tag.good { "done" } div.small.muted { "record " (seq) } }
                            (None, _) => { span.tag.good { "done" } }
                        }
                    }
                } } }
            }
        }
    }
}

/// What an order named.
fn about(line: &Line) -> Markup {
    let text = |name: &str| line.about.get(name).and_then(Value::as_str);
    html! {
        @for (name, value) in &line.about {
            (t(&name.replace('_', " "))) " "
            @match (name.as_str(), value.as_str()) {
                ("task", Some(task)) => a href=(to(text("sprint").unwrap_or_default(), task)) { (t(task)) },
                ("sprint", Some(sprint)) => a href=(link("/", &[("sprint", sprint)])) { (t(sprint)) },
                (_, Some(text)) => (t(text)),
                _ => (t(&value.to_string())),
            }
            " "
        }
    }
}
