//! A bare axum server: one path, the same bytes each time. What is measured of the director is compared with this.

use std::path::Path;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

/// The one path.
pub const PATH: &str = "/status";

/// Serves the bytes of a file until the process ends; writes where it listens into another one.
///
/// # Panics
/// When it cannot.
pub fn serve(body: &Path, address: &Path) {
    let body = Bytes::from(std::fs::read(body).expect("the bytes to serve"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let answer = move || async move { ([(CONTENT_TYPE, "application/json")], body) };
        let router = Router::new().route(PATH, get(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let here = listener.local_addr().expect("an address").to_string();
        std::fs::write(address, here).expect("a file");
        axum::serve(listener, router).await.expect("it serves");
    });
}
