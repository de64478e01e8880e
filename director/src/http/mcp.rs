//! MCP over HTTP: the tools of [`crate::mcp`] at `/mcp`, behind the same guard as every call.
//!
//! Each request stands for itself: there is no session to lose, so clients go on after a restart of the director. Every request
//! needs a token, because every one comes as a POST: the director's opens the tools of an assistant, an assignment's those of an agent at work.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use rmcp::transport::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;

use super::calls::{Within, whole};
use super::guard::{self, Known};
use super::limits::BODY_BYTES_MAX;
use super::problem::Problem;
use super::site::Site;
use crate::control::assigned::{self, Token};
use crate::mcp::front::Front;

/// Where it is.
pub const PATH: &str = "/mcp";

/// Who is named in the journal.
const BY: &str = "mcp";

/// Answers one message.
pub async fn answer(
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let (parts, body) = request.into_parts();
    let front = match parts.extensions.get::<Known>() {
        Some(Known::Holder) => Front::assistant(Within(site), BY),
        Some(Known::Agent(token)) => {
            let token = Token(token.clone());
            // Before anything is listed, and each tool looks again.
            let checked = assigned::check(&site.handle, token.clone()).await;
            checked.map_err(|fault| guard::unproved(&site, fault.into()))?;
            Front::worker(Within(site), token)
        }
        _ => {
            let why = "messages of MCP come as POST, with a token";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", why));
        }
    };
    let body = whole(body).await?;
    let service = StreamableHttpService::new(
        move || Ok(front.clone()),
        Arc::new(NeverSessionManager::default()),
        // Hosts and origins are the guard's.
        StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(BODY_BYTES_MAX)
            .disable_allowed_hosts()
            .disable_allowed_origins(),
    );
    let answer = service
        .handle(Request::from_parts(parts, Body::from(body)))
        .await;
    Ok(answer.map(Body::new))
}
