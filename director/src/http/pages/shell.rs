//! The frame around every page, and the files it needs.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::{Visit, t};
use crate::report::charts;

/// A whole page; `seq` is the position it shows.
pub(super) fn page(visit: &Visit, title: &str, body: &Markup, seq: u64) -> Response {
    let places = [
        ("/", "Overview"),
        ("/board", "Tasks"),
        ("/graph", "Graph"),
        ("/inbox", "Inbox"),
        ("/incidents", "Incidents"),
        ("/team", "Team"),
        ("/events", "Events"),
        ("/sprints", "Sprints"),
        ("/audit", "Audit"),
    ];
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (t(title)) " · director" }
                link rel="icon" type="image/svg+xml" href="/assets/icon.svg";
                link rel="stylesheet" href="/assets/app.css";
                script src="/assets/app.js" defer {}
            }
            body data-seq=(seq) {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href="/" { img src="/assets/icon.svg" alt="" width="24" height="24"; "director" }
                    nav aria-label="Pages" { ul {
                        @for (path, name) in places {
                            li { a href=(path) aria-current=[(visit.path == path).then_some("page")] { (name) } }
                        }
                    } }
                    div.who {
                        span #link role="status" data-state="still" { "" }
                        @if visit.known {
                            form method="post" action="/logout" {
                                @if !visit.name.is_empty() { span.muted { (t(&visit.name)) } }
                                button.quiet type="submit" { "Sign out" }
                            }
                        } @else { a href="/login" { "Sign in" } }
                    }
                }
                main #main tabindex="-1" { (body) }
            }
        }
    };
    (
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        html.into_string(),
    )
        .into_response()
}

fn file(media: &'static str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

pub(super) async fn style() -> Response {
    let text = format!("{}{}", include_str!("app.css"), charts::css());
    file("text/css; charset=utf-8", text)
}

pub(super) async fn script() -> Response {
    file(
        "text/javascript; charset=utf-8",
        include_str!("app.js").to_owned(),
    )
}

pub(super) async fn icon() -> Response {
    file("image/svg+xml", include_str!("icon.svg").to_owned())
}
