//! The guard: who may come in, and with what headers an answer leaves.
//!
//! In this order: the `Host` has to be an address, `localhost` or a name that was allowed, so that a page elsewhere cannot
//! reach us by a name of its own (DNS rebinding); an `Origin` has to be our own; then the token. Questions on a loopback
//! listener need none; whoever shows a wrong one is turned away all the same.
//!
//! The token comes as `Authorization: Bearer` or, from the dashboard, in a cookie that no script can read and that browsers send
//! with requests from our own pages alone.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

use director_agents::reach::Claim;

use super::assigned;
use super::problem::Problem;
use super::site::Site;
use crate::control::audit;

/// The cookie that holds the token.
pub const COOKIE: &str = "director";
/// The cookie that holds the name of who is signed in.
pub const NAME_COOKIE: &str = "director-name";

/// Who the caller has shown to be.
#[derive(Clone, PartialEq, Eq)]
pub enum Known {
    /// Somebody who has the token.
    Holder,
    /// An agent at work, by its word: this is the token that it shows.
    Agent(String),
    /// Anybody.
    Nobody,
}

impl Known {
    /// Whether it is somebody who has the token.
    pub fn is_holder(&self) -> bool {
        *self == Known::Holder
    }
}

/// Where a request came from.
#[derive(Clone, Debug)]
pub struct Peer(pub Arc<str>);

/// What nobody needs a token for, wherever it is asked.
fn is_open(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/login") || path.starts_with("/assets/")
}

/// Lets a request in, or says why not; gives the answer its headers.
pub async fn admit(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let path = request.uri().path().to_owned();
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = match check(&site, &request, &path, changes) {
        Ok(known) => {
            request.extensions_mut().insert(known);
            let from = request.extensions().get::<Peer>();
            let from = from.map_or_else(|| Arc::from("http"), |peer| Arc::clone(&peer.0));
            audit::on_behalf(from, next.run(request)).await
        }
        Err(problem) => problem.response(),
    };
    dress(response.headers_mut(), &path);
    site.figures
        .answered(&path, response.status().as_u16(), started.elapsed());
    response
}

fn check(
    site: &Site,
    request: &Request<Body>,
    path: &str,
    changes: bool,
) -> Result<Known, Problem> {
    let forbidden = |code, detail: &str| Err(Problem::new(StatusCode::FORBIDDEN, code, detail));
    let headers = request.headers();
    let host = one(headers, &header::HOST)?
        .or_else(|| {
            request
                .uri()
                .authority()
                .map(|authority| authority.as_str())
        })
        .unwrap_or_default();
    if !is_ours(host, &site.setup.hosts) {
        return forbidden(
            "foreign_host",
            "this name is not known here; use the address, or allow the name with `director serve --host NAME`",
        );
    }
    if let Some(origin) = one(headers, &header::ORIGIN)?
        && !same_place(origin, host)
    {
        return forbidden(
            "foreign_origin",
            "this call came from a page of another site",
        );
    }
    let from = one(headers, &HeaderName::from_static("sec-fetch-site"))?;
    if changes && from.is_some_and(|from| !["same-origin", "none"].contains(&from)) {
        return forbidden(
            "foreign_origin",
            "this call came from a page of another site",
        );
    }
    let bearer = one(headers, &header::AUTHORIZATION)?;
    let shown = match bearer {
        Some(text) => Some(text.strip_prefix("Bearer ").unwrap_or_default().trim()),
        None => cookie(headers, COOKIE),
    };
    if let Some(shown) = bearer.and(shown).filter(|shown| Claim::is_one(shown)) {
        return admit_agent(site, path, shown);
    }
    let known = match shown {
        None => false,
        // Guessing is slow; who has the token is not held up by who guesses.
        Some(shown) if site.setup.token.is(shown) => true,
        Some(_) => {
            if !site.wrong_tokens.take() {
                let detail = "too many wrong tokens; wait a little";
                return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail));
            }
            false
        }
    };
    let needed = !is_open(path) && (changes || !site.setup.is_local());
    if !known && (needed || bearer.is_some()) {
        let file = super::token::path(&site.setup.data_dir);
        let detail = format!(
            "this needs the token: send `Authorization: Bearer` with what `{}` holds, or sign in at /login",
            file.file_name().unwrap_or_default().to_string_lossy()
        );
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            detail,
        ));
    }
    if changes && !is_open(path) && !site.orders.take() {
        let detail = "too many calls that change something; wait a little";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail));
    }
    Ok(match known {
        true => Known::Holder,
        false => Known::Nobody,
    })
}

/// Lets an agent at work in where it may be. Whether its token is good is found out where the state is at hand.
fn admit_agent(site: &Site, path: &str, token: &str) -> Result<Known, Problem> {
    if !assigned::may(path) {
        let detail =
            "this token is an agent's at work: it can report on its own task, and nothing else";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    if !site.reports.take() {
        let detail = "too many reports; wait a little";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail));
    }
    Ok(Known::Agent(token.to_owned()))
}

/// What is said to whoever shows an agent's token that is none of ours: guessing is slow here too.
pub fn unproved(site: &Site, problem: Problem) -> Problem {
    match problem.status() {
        StatusCode::UNAUTHORIZED if !site.wrong_tokens.take() => {
            let detail = "too many wrong tokens; wait a little";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail)
        }
        _ => problem,
    }
}

/// The one value of a header; none when it is not there.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut all = headers.get_all(name).iter();
    let Some(first) = all.next() else {
        return Ok(None);
    };
    let bad = || Problem::bad(format!("the header `{name}` makes no sense"));
    match (first.to_str(), all.next()) {
        (Ok(text), None) => Ok(Some(text)),
        _ => Err(bad()),
    }
}

/// A cookie's value.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter();
    all.filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// Whether a `Host` can only mean us: an address cannot be somebody else's name.
fn is_ours(host: &str, allowed: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || allowed.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether an origin is the place that the request went to; a proxy in front may speak TLS.
fn same_place(origin: &str, host: &str) -> bool {
    let place = ["http://", "https://"]
        .iter()
        .find_map(|scheme| origin.strip_prefix(scheme));
    place.is_some_and(|place| place.eq_ignore_ascii_case(host))
}

/// What every answer bears.
fn dress(headers: &mut HeaderMap, path: &str) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    );
    if path == "/report" {
        // It has its style in itself, and a policy in itself that names the style by its hash.
        set(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        );
    }
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // With `no-referrer` browsers would send `Origin: null` with our own forms.
    set(header::REFERRER_POLICY, "same-origin");
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    if !path.starts_with("/assets/") {
        set(header::CACHE_CONTROL, "no-store");
    }
}

/// Whether a person asks for a page.
pub fn is_page_for_browser(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT);
    let browser = accepts
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let path = request.uri().path();
    browser && !path.starts_with("/api/") && path != "/metrics"
}

/// Who has to sign in first is sent there, when it is a person with a browser.
pub async fn lead_to_login(request: Request, next: Next) -> Response {
    let page = is_page_for_browser(&request) && request.uri().path() != "/login";
    let response = next.run(request).await;
    match response.status() {
        StatusCode::UNAUTHORIZED if page => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, "/login")]).into_response()
        }
        _ => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_or_a_name_that_was_allowed() {
        let allowed = ["director.example".to_owned()];
        for (host, ours) in [
            ("127.0.0.1:7878", true),
            ("[::1]:7878", true),
            ("localhost:1", true),
            ("LOCALHOST", true),
            ("192.168.1.4:80", true),
            ("director.example", true),
            ("Director.Example:443", true),
            ("evil.example", false),
            ("localhost.evil.example:7878", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            assert_eq!(is_ours(host, &allowed), ours, "case {host}");
        }
    }

    #[test]
    fn an_origin_is_ours_only_with_the_same_port() {
        for (origin, host, ours) in [
            ("http://127.0.0.1:7878", "127.0.0.1:7878", true),
            ("https://director.example", "director.example", true),
            ("http://127.0.0.1:80", "127.0.0.1:7878", false),
            ("http://localhost:7878", "127.0.0.1:7878", false),
            ("null", "127.0.0.1:7878", false),
            ("", "", false),
        ] {
            assert_eq!(same_place(origin, host), ours, "case {origin} at {host}");
        }
    }
}
