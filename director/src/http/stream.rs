//! Events as they happen, to any number of listeners.
//!
//! A stream takes what is told ([`super::told`]) batch by batch. One that fell behind, or that begins in the past, reads blocks
//! of the journal until it has caught up, so its client sees every event once and in order, whatever it missed. A slow client
//! fills its own connection and nothing else, and is cut when it reads nothing for a while ([`super::patience`]).
//!
//! An event's id is `seq.n`: the position in the journal and the place in it. After `Last-Event-ID` comes the one behind it.
//!
//! Elsewhere: what an event looks like is `view::events`; the bus is `director_runtime::bus`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use director_runtime::bus::{Heard, Subscriber};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::limits::CLOSE_QUIET;
use super::metrics::Counted;
use super::problem::Problem;
use super::server::closed;
use super::site::Site;
use super::told::Told;
use crate::control::protocol::{Ask, Fault, FaultKind, Op, Screen};
use crate::control::server;

/// After so long without an event, a stream says that it is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Where a stream begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct From {
    /// The last position of which all is known.
    after: u64,
    /// The last event of the next one that is known.
    n: Option<u64>,
}

impl From {
    /// After a position.
    pub fn after(after: u64) -> Self {
        Self { after, n: None }
    }

    /// From `Last-Event-ID`, which is stronger, or a position.
    ///
    /// # Errors
    /// That it is no id of ours.
    pub fn of(headers: &HeaderMap, after: u64) -> Result<Self, Problem> {
        let Some(id) = headers.get("last-event-id") else {
            return Ok(Self::after(after));
        };
        let parts = id
            .to_str()
            .ok()
            .and_then(|text| text.trim().split_once('.'));
        let read = parts.and_then(|(seq, n)| Some((seq.parse::<u64>().ok()?, n.parse().ok()?)));
        match read {
            Some((seq, n)) if seq > 0 => Ok(Self {
                after: seq - 1,
                n: Some(n),
            }),
            _ => Err(Problem::bad(
                "`Last-Event-ID` is the id of an event, such as `12.0`; leave it out to begin anew",
            )),
        }
    }
}

struct Listener {
    site: Arc<Site>,
    heard: Subscriber<Arc<Told>>,
    closing: watch::Receiver<bool>,
    from: From,
    sprint: Option<String>,
    /// Up to here the journal has to be read.
    to_read: u64,
    ready: Option<Bytes>,
    _place: OwnedSemaphorePermit,
    _counted: Counted,
}

impl Listener {
    /// What of it comes next for this client; the batch as it is where that is all of it.
    fn take(&mut self, told: &Told) {
        let all = told.first == self.from.after + 1 && self.from.n.is_none();
        let text = match (all, &self.sprint) {
            (true, None) => told.text.clone(),
            _ => self.chosen(told),
        };
        self.from = From::after(told.last.max(self.from.after));
        self.ready = (!text.is_empty()).then_some(text);
    }

    fn chosen(&self, told: &Told) -> Bytes {
        let From { after, n } = self.from;
        let mut text = Vec::new();
        for line in told.lines.iter().filter(|line| line.seq > after) {
            let known = line.seq == after + 1 && n.is_some_and(|n| line.n <= n);
            let wanted = match (&self.sprint, &line.sprint) {
                (Some(wanted), Some(of)) => **wanted == **of,
                _ => true,
            };
            if wanted && !known {
                text.extend_from_slice(&told.text[line.at.clone()]);
            }
        }
        Bytes::from(text)
    }

    /// What comes next; nothing once the director has stopped.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(text) = self.ready.take() {
                return Some(text);
            }
            if self.from.after < self.to_read {
                let past = self.site.telling.past(&self.site.handle, self.from.after);
                match past.await.ok()? {
                    told if told.last > self.from.after => self.take(&told),
                    // What was durable is not there: only a director that is going says so.
                    _ => return None,
                }
                continue;
            }
            let over = async {
                closed(&mut self.closing).await;
                tokio::time::sleep(CLOSE_QUIET).await;
            };
            let heard = tokio::select! {
                biased;
                heard = self.heard.recv() => heard?,
                () = over => return None,
                () = tokio::time::sleep(ALIVE_EVERY) => {
                    return Some(Bytes::from_static(b": alive\n\n"));
                }
            };
            match heard {
                Heard::Gap { .. } => self.to_read = self.site.telling.head(),
                Heard::Event(told) if told.last <= self.from.after => {}
                Heard::Event(told) if told.first > self.from.after + 1 => {
                    self.to_read = told.last;
                }
                Heard::Event(told) => self.take(&told),
            }
        }
    }
}

/// Answers with a stream of events.
///
/// # Errors
/// That all places are taken, or that there is no such sprint.
pub async fn open(
    site: &Arc<Site>,
    from: From,
    sprint: Option<String>,
) -> Result<Response<Body>, Problem> {
    let place = Arc::clone(&site.streams).try_acquire_owned().map_err(|_| {
        let why = format!(
            "{} streams are open already; close one, or ask for pages at /api/v1/journal",
            super::limits::STREAMS_MAX
        );
        Problem::from(Fault::new(FaultKind::Busy, why))
    })?;
    if sprint.is_some() {
        let ask = Op::Ask(Ask::Sprint {
            sprint: sprint.clone(),
            fingerprint: false,
        });
        server::serve(&site.handle, ask, Screen::default()).await?;
    }
    // Listening starts before the past is read, so that nothing falls between.
    let heard = site.telling.news.subscribe();
    let listener = Listener {
        heard,
        closing: site.setup.closing.subscribe(),
        to_read: site.telling.head(),
        site: Arc::clone(site),
        from,
        sprint,
        ready: Some(Bytes::from_static(b"retry: 1000\n\n")),
        _place: place,
        _counted: site.figures.stream(),
    };
    let stream = futures_util::stream::unfold(listener, |mut listener| async move {
        let text = listener.next().await?;
        Some((Ok::<_, std::convert::Infallible>(text), listener))
    });
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    // A proxy in front would otherwise gather what is small.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_behind_the_last_event_that_was_heard() {
        let with = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("last-event-id", id.parse().expect("a value"));
            From::of(&headers, 5)
        };
        let expected = From {
            after: 11,
            n: Some(3),
        };
        assert_eq!(with("12.3"), Ok(expected));
        assert_eq!(From::of(&HeaderMap::new(), 5), Ok(From::after(5)));
        for bad in [
            "",
            "12",
            "0.0",
            "-1.0",
            "12.x",
            "12.3.4",
            "9999999999999999999999.0",
        ] {
            assert!(with(bad).is_err(), "case {bad:?}");
        }
    }
}
