//! Sprints: all there are, and a form that takes in another.

use axum::extract::{Request, State};
use axum::response::Response;
use maud::{Markup, html};

use super::board::state_tag;
use super::{At, Visit, link, t, when};
use crate::view;

pub(super) async fn page(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let now = visit.now();
    let made = visit
        .look(move |state, _| view::board::sprints(state, now))
        .await;
    let made = made.map(|(view, seq)| {
        let body = html! {
            h1 { "Sprints" }
            section.panel #sprints data-live="" {
                @if view.sprints.is_empty() { p.muted { "There is none yet." } }
                @else { div.scroll tabindex="0" role="region" aria-label="Sprints" { table {
                    thead { tr {
                        th scope="col" { "Sprint" } th scope="col" { "State" } th.n scope="col" { "Tasks" } th.n scope="col" { "Points" }
                        th.n scope="col" { "Inbox" } th scope="col" { "Submitted" } th scope="col" { "Ended" }
                    } }
                    tbody { @for line in &view.sprints { tr {
                        th scope="row" { a href=(link("/", &[("sprint", &line.sprint)])) { (t(&line.sprint)) } @if let Some(epic) = &line.epic { div.small.muted { (t(epic)) } } }
                        td { (state_tag(&line.state)) }
                        td.n { (line.completed) " / " (line.committed) }
                        td.n { (line.completed_points) " / " (line.target_points) }
                        td.n { (line.inbox) }
                        td { (when(&line.submitted)) }
                        td { @match &line.ended { Some(at) => { (when(at)) } None => "—" } }
                    } } }
                } } }
            }
            (form(&visit, "", ""))
        };
        ("Sprints".to_owned(), body, seq)
    });
    visit.answer(made)
}

/// Takes in a sprint file; `error` says what was wrong with the last one.
pub(super) fn form(visit: &Visit, file: &str, error: &str) -> Markup {
    html! {
        section.panel aria-labelledby="submit-title" {
            h2 #submit-title { "Submit a sprint" }
            @if !error.is_empty() { pre.bad role="alert" { (crate::report::text::block(error)) } }
            @if visit.known {
                form method="post" action="/sprints" {
                    label.small.muted for="file" { "A sprint file, TOML or JSON. Paths in it begin at the repository that is served." }
                    textarea #file name="file" spellcheck="false" required { (file) }
                    p { button.main type="submit" { "Submit" } }
                }
            } @else { p { a href="/login" { "Sign in" } " to submit one here." } }
        }
    }
}
