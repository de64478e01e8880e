//! What a person with a browser sees where there is nothing, or something went wrong: a page, with the words that programs get as a problem.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use maud::html;
use serde_json::Value;

use super::super::guard::is_page_for_browser;
use super::super::problem::MEDIA;
use super::super::site::Site;
use super::{Visit, shell, t};

/// More than any problem has, in bytes.
const PROBLEM_BYTES_MAX: usize = 64 << 10;

/// Shows a problem as a page to who asks for pages.
pub async fn in_a_browser(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let visit = is_page_for_browser(&request).then(|| Visit::of(site, &request));
    let response = next.run(request).await;
    let is_problem = response.headers().get(header::CONTENT_TYPE);
    let is_problem = is_problem.is_some_and(|media| media == MEDIA);
    let (true, Some(visit)) = (is_problem, visit) else {
        return response;
    };
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, PROBLEM_BYTES_MAX).await.unwrap_or_default();
    let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    let (title, detail) = (text("title"), text("detail"));
    let body = html! {
        h1 { (t(&title)) }
        p { (t(&detail)) }
        p { a href="/" { "To the overview" } }
    };
    let mut page = shell::page(&visit, &title, &body, 0);
    *page.status_mut() = parts.status;
    for (name, value) in &parts.headers {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}
