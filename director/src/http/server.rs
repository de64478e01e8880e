//! The server: takes connections, gives each a place and a limited time for the head of a request.
//!
//! HTTP/1.1 alone: TLS and what browsers do over it belong to a proxy in front. A connection is a task of its own and ends with
//! the server. When all places are taken, whoever comes is told so with 503, whatever it asks. A director that stops closes the
//! server first ([`Setup::close`]): what was asked is answered, such as the order to stop itself.
//!
//! Invariant: at most [`CONNECTIONS_MAX`] connections; whatever comes in on one ends at most that one.
//! Elsewhere: what is answered is `super::site`'s.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::guard::Peer;
use super::limits::{
    BODY_TIME_MAX, CLOSE_TIME_MAX, CONNECTIONS_MAX, HEAD_BYTES_MAX, HEAD_TIME_MAX, PART_QUIET_MAX,
    REFUSED_MAX, REFUSED_TIME_MAX, UNREAD_BYTES_MAX, UNREAD_TIME_MAX,
};
use super::patience::Patient;
use super::problem::{self, Problem};
use super::site::{self, Site};
use super::token::Token;
use crate::handle::Handle;

/// What a server is set up with. It listens already, so that an address that is taken is said before anything starts.
#[derive(Debug)]
pub struct Setup {
    /// Where it listens.
    pub listener: TcpListener,
    /// That as an address.
    pub address: SocketAddr,
    /// Names under which it may be reached, beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// The data directory.
    pub data_dir: std::path::PathBuf,
    /// Where what is relative in a sprint file that is submitted begins.
    pub dir: std::path::PathBuf,
    /// The kinds of agent that this program has.
    pub kinds: Vec<String>,
    /// What a caller has to know.
    pub token: Token,
    /// Set once the director takes no more work.
    pub stopping: Arc<AtomicBool>,
    /// Rings when a caller wants it to stop in order.
    pub stop: Arc<tokio::sync::Notify>,
    /// Set once nothing more is to be asked. Each connection holds a receiver.
    pub closing: watch::Sender<bool>,
}

impl Setup {
    /// Listens; with port 0 the system chooses one.
    ///
    /// # Errors
    /// That the address cannot be had, or that there is no token.
    pub fn listen(
        address: SocketAddr,
        hosts: Vec<String>,
        data_dir: &std::path::Path,
        dir: &std::path::Path,
        kinds: Vec<String>,
    ) -> io::Result<Self> {
        let token = super::token::of(data_dir)?;
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            hosts,
            data_dir: data_dir.to_owned(),
            dir: dir.to_owned(),
            kinds,
            token,
            stopping: Arc::default(),
            stop: Arc::default(),
            closing: watch::Sender::default(),
        })
    }

    /// Where it is reached from this machine.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}")
    }

    /// Whether it can be reached from this machine alone.
    pub fn is_local(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// Whether no more work is taken.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Takes no more connections and no more requests, and waits until those under way are answered, at most for
    /// [`CLOSE_TIME_MAX`].
    pub async fn close(&self) {
        self.closing.send_replace(true);
        let _ = timeout(CLOSE_TIME_MAX, self.closing.closed()).await;
    }
}

/// Serves until it is dropped; for a supervisor. It has threads of its own: a thousand streams that are all woken by one event, or
/// whatever else callers ask for, stand in a queue of theirs, and not in front of the director.
///
/// # Errors
/// That the socket broke down, or that there are no threads for it.
pub async fn run(setup: Arc<Setup>, handle: Handle) -> Result<(), String> {
    let threads = Builder::new_multi_thread()
        .thread_name("http")
        .enable_all()
        .build();
    let threads = threads.map_err(|error| format!("HTTP has no threads: {error}"))?;
    let served = threads.spawn(serve(setup, handle));
    let _threads = Apart(Some(threads));
    match served.await {
        Ok(ended) => ended,
        Err(broken) => Err(format!("HTTP broke down: {broken}")),
    }
}

async fn serve(setup: Arc<Setup>, handle: Handle) -> Result<(), String> {
    let mut closing = setup.closing.subscribe();
    let broken = |error: io::Error| format!("the listener broke down: {error}");
    let listener = setup.listener.try_clone().map_err(broken)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(broken)?;
    let site = Site::new(setup, handle).map_err(|error| format!("HTTP cannot start: {error}"))?;
    let telling = tokio::spawn(super::told::tell(Arc::clone(&site)));
    let _telling = Stopped(telling);
    let router = site::router(Arc::clone(&site));
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let refusals = Arc::new(Semaphore::new(REFUSED_MAX));
    // Dropping the set ends them all.
    let mut connections = JoinSet::new();
    loop {
        // With this there is somebody to deal with whoever comes, if only to send it away.
        let Ok(refusal) = Arc::clone(&refusals).acquire_owned().await else {
            return Ok(());
        };
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            biased;
            () = closed(&mut closing) => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Usually too many open files: what is open has to close first.
                warn!(%error, "connection not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            connections.spawn(async move {
                // It may have gone, or not listen.
                let _ = timeout(REFUSED_TIME_MAX, refuse(stream)).await;
                drop(refusal);
            });
            continue;
        };
        drop(refusal);
        // Answers are small and wait for nothing.
        let _ = stream.set_nodelay(true);
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(&stream, UNREAD_BYTES_MAX);
        let stream = Patient::new(stream, UNREAD_TIME_MAX);
        let peer = Peer(Arc::from(format!("http {peer}")));
        let service = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            service.call(request)
        });
        let counted = site.figures.connection();
        let mut closing = closing.clone();
        connections.spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME_MAX)
                .max_buf_size(HEAD_BYTES_MAX)
                .half_close(false);
            let mut served = http.serve_connection(TokioIo::new(stream), service);
            let ended = tokio::select! {
                biased;
                ended = poll_fn(|cx| served.poll_without_shutdown(cx)) => match ended {
                    Ok(()) => part(served.into_parts().io.into_inner()).await,
                    Err(error) => Err(io::Error::other(error)),
                },
                () = closed(&mut closing) => {
                    let mut served = pin!(served);
                    // One that waits for a request ends at once.
                    served.as_mut().graceful_shutdown();
                    served.await.map_err(io::Error::other)
                }
            };
            if let Err(error) = ended {
                debug!(%error, "connection ended");
            }
            drop((place, counted));
        });
    }
    drop(closing);
    while connections.join_next().await.is_some() {}
    // It ends with the director, or its supervisor would start it again.
    std::future::pending().await
}

/// Waits until nothing more is to be asked.
pub async fn closed(closing: &mut watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_err() {
        std::future::pending().await
    }
}

/// Tells a connection that there is no place for it, before anything of it is read.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let why = format!("{CONNECTIONS_MAX} connections are open; wait a little");
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", why);
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {}\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        problem::MEDIA,
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    part(stream).await
}

/// Closes a connection on which everything is said, once the other end has closed it too or says no more.
///
/// A request can be answered before all of it is there, such as one whose body is too long. Closed with something unread in it,
/// the system would take the answer back, and who is still sending would learn of a broken connection alone.
async fn part(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    stream.shutdown().await?;
    let mut thrown_away = vec![0; 16 << 10];
    let read = async {
        while timeout(PART_QUIET_MAX, stream.read(&mut thrown_away)).await?? > 0 {}
        Ok(())
    };
    timeout(BODY_TIME_MAX, read).await?
}

/// Threads that end with whoever holds this; what still blocks is not waited for.
struct Apart(Option<Runtime>);

impl Drop for Apart {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

/// A task that ends with whoever holds this.
struct Stopped(tokio::task::JoinHandle<()>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.abort();
    }
}
