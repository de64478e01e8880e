//! HTTP: the API, the dashboard and the metrics of a director that one leaves running.
//!
//! ```text
//! connection ─▶ server: places, time for headers ─▶ guard: host, origin, token, rate ─▶ site: which path
//!                                                                                         │
//!               table ─▶ calls ─▶ the socket's questions and orders ◀─────────────────────┤
//!               told, stream: events as they happen · pages: the dashboard · metrics ◀────┘
//! ```
//!
//! A call is a row of `table`; what it does is a question or an order of [`crate::control::protocol`], so the command
//! line, the socket and the API answer from one function and cannot differ. The same table is served as an OpenAPI document.
//!
//! Invariant: nothing that comes in changes anything without the token; nothing that comes in ends the director.
//! Elsewhere: what is shown is `view` and `report`; who may ask over the socket is `control`. This folder is the one home
//! of axum and hyper.

pub(crate) mod answers;
pub(crate) mod aside;
pub(crate) mod assigned;
mod calls;
mod guard;
mod kept;
mod keys;
pub mod limits;
mod mcp;
mod metrics;
mod openapi;
mod pages;
mod patience;
mod problem;
pub(crate) mod route;
pub mod server;
mod site;
mod stream;
pub(crate) mod table;
pub mod token;
mod told;

pub use metrics::page as metrics_page;
