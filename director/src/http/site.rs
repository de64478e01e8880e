//! The site: what lies at which path, and what all of it shares.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware;
use axum::routing::{MethodFilter, any, get, on};
use tokio::sync::Semaphore;

use super::assigned::REPORTS;
use super::kept::Kept;
use super::keys::Keys;
use super::limits::{Bucket, HEAVY_MAX, ORDERS, STREAMS_MAX, WRONG_TOKENS};
use super::metrics::Figures;
use super::problem::Problem;
use super::server::Setup;
use super::table;
use super::told::Telling;
use super::{calls, guard, mcp, metrics, openapi, pages};
use crate::control::desk::Place;
use crate::handle::Handle;

/// What every request has at hand.
pub struct Site {
    pub setup: Arc<Setup>,
    pub place: Place,
    pub handle: Handle,
    pub telling: Telling,
    pub kept: Kept,
    pub keys: Arc<Keys>,
    pub orders: Bucket,
    pub reports: Bucket,
    pub wrong_tokens: Bucket,
    pub heavy: Semaphore,
    pub streams: Arc<Semaphore>,
    pub figures: Figures,
}

impl Site {
    /// A site for one director.
    ///
    /// # Errors
    /// That the idempotency keys cannot be read.
    pub fn new(setup: Arc<Setup>, handle: Handle) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            keys: Arc::new(Keys::open(&setup.data_dir)?),
            place: Place {
                dir: setup.dir.clone(),
                kinds: setup.kinds.clone(),
            },
            setup,
            handle,
            telling: Telling::default(),
            kept: Kept::default(),
            orders: Bucket::new(ORDERS),
            reports: Bucket::new(REPORTS),
            wrong_tokens: Bucket::new(WRONG_TOKENS),
            heavy: Semaphore::new(HEAVY_MAX),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            figures: Figures::default(),
        }))
    }
}

/// Lays all paths.
pub fn router(site: Arc<Site>) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .route(&openapi::path(), get(document));
    for route in table::all() {
        let method = match route.changes {
            true => MethodFilter::POST,
            false => MethodFilter::GET,
        };
        let handler =
            move |State(site): State<Arc<Site>>, path: RawPathParams, request: Request| {
                calls::call(site, route, path, request)
            };
        router = router.route(&route.full(), on(method, handler));
    }
    router = router.route(mcp::PATH, any(mcp::answer));
    pages::routes(router)
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&site),
            pages::in_a_browser,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&site),
            guard::admit,
        ))
        .layer(middleware::from_fn(guard::lead_to_login))
        .with_state(site)
}

async fn ready(State(site): State<Arc<Site>>) -> Response<Body> {
    let problem =
        |why: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", why).response();
    if site.setup.is_stopping() {
        return problem("the director stops and takes no more work");
    }
    match site.handle.read(|engine| engine.seq().0).await {
        Ok(_) => Response::new(Body::from("ready\n")),
        Err(_) => problem("the director has stopped"),
    }
}

async fn figures(State(site): State<Arc<Site>>) -> Result<Response<Body>, Problem> {
    let mut response = Response::new(Body::from(metrics::text(&site).await?));
    let media = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(response)
}

async fn document() -> Response<Body> {
    let mut response = Response::new(Body::from(openapi::document().to_string()));
    let media = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

async fn nowhere(request: Request) -> Problem {
    let shown: String = request.uri().path().chars().take(100).collect();
    let why = format!("there is nothing at `{shown}`; /api/v1/openapi.json lists all calls");
    Problem::new(StatusCode::NOT_FOUND, "not_found", why)
}

async fn wrong_method() -> Problem {
    let why = "questions are asked with GET and orders given with POST; see /api/v1/openapi.json";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", why)
}
