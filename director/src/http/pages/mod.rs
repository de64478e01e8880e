//! The dashboard: pages that a person looks at, made here and brought up to date by one small script of ours.
//!
//! Every page works without the script: links and forms. With it, sections that are marked `data-live` are fetched again when
//! something happens, and put in place where they have changed. What is shown is `view`'s, at one position of the journal;
//! what a button does is a call of [`super::table`].
//!
//! Invariant: maud escapes all that is put in, and texts of people and agents come through [`t`]; no inline script, no inline
//! style, nothing from elsewhere.

mod acts;
mod audit;
mod board;
mod events;
mod graph;
mod home;
mod inbox;
mod incidents;
mod login;
mod refusal;
mod shell;
mod sprints;
mod task;
mod team;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};

pub use refusal::in_a_browser;

use super::guard::{Known, NAME_COOKIE, cookie};
use super::problem::Problem;
use super::site::Site;
use crate::control::orders;
use crate::control::server::refused;
use crate::engine::Engine;
use crate::engine::state::State as Seen;
use crate::report::text::line as t;
use director_protocols::ids::SprintId;
use director_protocols::time::Time;

/// Adds the pages' paths.
pub fn routes(router: Router<Arc<Site>>) -> Router<Arc<Site>> {
    router
        .route("/", get(home::page))
        .route("/charts", get(home::charts))
        .route("/report", get(home::report))
        .route("/board", get(board::page))
        .route("/graph", get(graph::page))
        .route("/incidents", get(incidents::page))
        .route("/incidents/{incident}", post(incidents::act))
        .route("/audit", get(audit::page))
        .route("/tasks/{task}", get(task::page).post(acts::task))
        .route("/inbox", get(inbox::page))
        .route("/inbox/{item}", post(acts::inbox))
        .route("/team", get(team::page))
        .route("/events", get(events::page))
        .route("/sprints", get(sprints::page).post(acts::submit))
        .route("/sprints/{sprint}", post(acts::sprint))
        .route("/login", get(login::page).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/assets/app.css", get(shell::style))
        .route("/assets/app.js", get(shell::script))
        .route("/assets/icon.svg", get(shell::icon))
}

/// What every page knows of its request.
struct Visit {
    site: Arc<Site>,
    query: BTreeMap<String, String>,
    path: String,
    /// Has the token: sees buttons.
    known: bool,
    /// Who is signed in.
    name: String,
}

impl Visit {
    fn of(site: Arc<Site>, request: &Request) -> Self {
        let known = request.extensions().get::<Known>();
        Self {
            site,
            query: query(request.uri()),
            path: request.uri().path().to_owned(),
            known: known.is_some_and(Known::is_holder),
            name: name(request.headers()),
        }
    }

    fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.get(name).map(|text| text.trim());
        found.filter(|text| !text.is_empty())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.asked(name)?.parse().ok()
    }

    /// Looks at the state; the sprint is the one asked for, or the current one, if there is any.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Seen, Option<SprintId>) -> T + Send + 'static,
    ) -> Result<(T, u64), Problem> {
        let wanted = self.asked("sprint").map(str::to_owned);
        let seen = move |engine: &Engine| {
            let state = engine.state();
            let sprint = match wanted {
                Some(name) => Some(orders::sprint(state, Some(&name))?),
                None => orders::sprint(state, None).ok(),
            };
            Ok((look(state, sprint), engine.seq().0))
        };
        let seen: Result<_, crate::control::protocol::Fault> =
            self.site.handle.read(seen).await.map_err(refused)?;
        Ok(seen?)
    }

    /// The director's time.
    fn now(&self) -> Time {
        self.site.handle.now()
    }

    /// A page, or in its place why there is none.
    fn answer(&self, made: Result<(String, Markup, u64), Problem>) -> Response {
        match made {
            Ok((title, body, seq)) => shell::page(self, &title, &body, seq).into_response(),
            Err(problem) => {
                let body = html! {
                    h1 { (problem.status().canonical_reason().unwrap_or("Problem")) }
                    p.lead { (t(&problem.detail)) }
                    p { a href="/" { "Back to the board" } }
                };
                let page = shell::page(self, "Problem", &body, 0);
                (problem.status(), page).into_response()
            }
        }
    }
}

/// The pairs behind the `?`, the last of a name.
fn query(uri: &Uri) -> BTreeMap<String, String> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

/// Who is signed in, as far as the browser says.
fn name(headers: &HeaderMap) -> String {
    let text = cookie(headers, NAME_COOKIE).unwrap_or_default();
    let pairs = format!("n={text}");
    let read = form_urlencoded::parse(pairs.as_bytes()).next();
    let name = read.map_or_else(String::new, |(_, name)| name.into_owned());
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// An address with parameters.
fn link(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = form_urlencoded::Serializer::for_suffix(format!("{path}?"), path.len() + 1);
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        out.append_pair(name, value);
    }
    out.finish().trim_end_matches('?').to_owned()
}

fn escaped(segment: &str) -> String {
    form_urlencoded::byte_serialize(segment.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// `2026-11-23 09:12` of a time in RFC 3339, for a machine too.
fn when(at: &str) -> Markup {
    let shown = at.get(..16).unwrap_or(at).replace('T', " ");
    html! { time datetime=(at) { (shown) } }
}

/// The word of a severity, in its colour: the same on every page.
fn tier(word: &str) -> Markup {
    let class = match word {
        "critical" | "high" => "tag bad",
        "medium" => "tag warn",
        _ => "tag",
    };
    html! { span class=(class) { (word) } }
}

/// Redirects to a path of ours.
fn go(to: &str) -> Response {
    (
        axum::http::StatusCode::SEE_OTHER,
        [(header::LOCATION, to.to_owned())],
    )
        .into_response()
}

type At = State<Arc<Site>>;
