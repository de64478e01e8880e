//! Signing in: the token from the data directory becomes a cookie that no script can read.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::acts::fields;
use super::{At, Visit, go, shell};
use crate::http::guard::{COOKIE, NAME_COOKIE};

/// How long a browser stays signed in, in seconds: a month.
const STAYS: u32 = 30 * 24 * 3600;

fn form(visit: &Visit, error: &str) -> Markup {
    html! {
        section.panel.narrowform {
            h1 { "Sign in" }
            p.lead { "The token is in the data directory: " code { "cat .director/http.token" } }
            @if !error.is_empty() { p.notice.bad role="alert" { (error) } }
            form method="post" action="/login" {
                label for="token" { "Token" }
                input #token type="password" name="token" required autocomplete="current-password";
                label for="name" { "Your name, for the journal" }
                input #name type="text" name="name" value=(visit.name) maxlength="60" autocomplete="username";
                button.main type="submit" { "Sign in" }
            }
        }
    }
}

pub(super) async fn page(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    shell::page(&visit, "Sign in", &form(&visit, ""), 0)
}

pub(super) async fn sign_in(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let fields = match fields(request).await {
        Ok(fields) => fields,
        Err(problem) => return visit.answer(Err(problem)),
    };
    let of = |name: &str| fields.get(name).map_or("", |text| text.trim());
    if !visit.site.setup.token.is(of("token")) {
        let slow = !visit.site.wrong_tokens.take();
        let (status, error) = match slow {
            true => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many wrong tokens; wait a little.",
            ),
            false => (StatusCode::UNAUTHORIZED, "This is not the token."),
        };
        let page = shell::page(&visit, "Sign in", &form(&visit, error), 0);
        return (status, page).into_response();
    }
    let name: String =
        form_urlencoded::byte_serialize(of("name").chars().take(60).collect::<String>().as_bytes())
            .collect();
    with_cookies(go("/"), visit.site.setup.token.text(), &name, STAYS)
}

pub(super) async fn sign_out(State(_): At) -> Response {
    with_cookies(go("/login"), "", "", 0)
}

fn with_cookies(mut response: Response, token: &str, name: &str, age: u32) -> Response {
    for (cookie, value) in [(COOKIE, token), (NAME_COOKIE, name)] {
        let text = format!("{cookie}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict");
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}
