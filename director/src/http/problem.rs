//! Problems: what is not done, as `application/problem+json` (RFC 9457), in the words of the command line.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::control::protocol::{Fault, FaultKind};

/// The media type.
pub const MEDIA: &str = "application/problem+json";

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `about:blank`: the status says what sort it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong and what to do, as the command line would say it.
    pub detail: String,
    /// What sort of *no*, as on the socket.
    pub code: &'static str,
}

impl Problem {
    /// A status with its words.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Problem"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
        }
    }

    /// A request that makes no sense.
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// As a response.
    pub fn response(&self) -> Response<Body> {
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA));
        match self.status() {
            StatusCode::UNAUTHORIZED => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"director\""),
                );
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let (status, code) = match fault.kind {
            FaultKind::BadRequest => (StatusCode::BAD_REQUEST, "bad_request"),
            FaultKind::BadSprint => (StatusCode::UNPROCESSABLE_ENTITY, "bad_sprint"),
            FaultKind::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            FaultKind::Rejected => (StatusCode::CONFLICT, "rejected"),
            FaultKind::Changed => (StatusCode::PRECONDITION_FAILED, "changed"),
            FaultKind::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            FaultKind::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            FaultKind::Busy => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            FaultKind::Stopped => (StatusCode::SERVICE_UNAVAILABLE, "stopped"),
            FaultKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        Self::new(status, code, fault.message)
    }
}

impl axum::response::IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        self.response()
    }
}
