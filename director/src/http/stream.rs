//! Events as they happen, to any number of listeners.
//!
//! One task hears the director's bus and writes each entry out once; every stream takes the written lines from a second bus. A
//! stream that fell behind, or that begins in the past, reads pages of the journal until it has caught up, so its client sees
//! every event once and in order, whatever it missed. A slow client fills its own connection and nothing else.
//!
//! An event's id is `seq.n`: the position in the journal and the place in it. After `Last-Event-ID` comes the one behind it.
//!
//! Elsewhere: what an event looks like is `view::events`; the bus is `director_runtime::bus`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use director_runtime::bus::{Heard, Subscriber};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::metrics::Counted;
use super::problem::Problem;
use super::site::Site;
use crate::control::answer::read_page;
use crate::control::protocol::{Ask, Fault, FaultKind, Op, Screen};
use crate::control::server;
use crate::engine::Engine;
use crate::handle::Entry;
use crate::view;

/// Entries that are written out in one look at the state.
const AT_ONCE: usize = 256;

/// After so long without an event, a stream says that it is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// An entry of the journal, written out.
#[derive(Debug)]
pub struct Told {
    seq: u64,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    n: u64,
    sprint: Option<String>,
    text: Bytes,
}

fn line(object: &Value) -> Line {
    let number = |name: &str| object.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (seq, n) = (number("seq"), number("n"));
    Line {
        n,
        sprint: object
            .get("sprint")
            .and_then(Value::as_str)
            .map(str::to_owned),
        // JSON has no line ends of its own.
        text: Bytes::from(format!("id: {seq}.{n}\ndata: {object}\n\n")),
    }
}

/// Writes out what happens, until the director stops.
pub async fn tell(site: Arc<Site>) {
    let mut bus = site.handle.subscribe();
    while let Some(first) = bus.recv().await {
        let more = std::iter::from_fn(|| bus.try_recv()).take(AT_ONCE);
        // What this task missed, the streams read from the journal: they see that numbers are left out.
        let entries: Vec<Arc<Entry>> = std::iter::once(first)
            .chain(more)
            .filter_map(|heard| match heard {
                Heard::Event(entry) => Some(entry),
                Heard::Gap { .. } => None,
            })
            .collect();
        let look = move |engine: &Engine| -> Vec<(u64, Vec<Value>)> {
            let written = entries.iter();
            written
                .map(|entry| (entry.seq.0, view::event_lines(entry, engine.state())))
                .collect()
        };
        let Ok(written) = site.handle.read(look).await else {
            break;
        };
        for (seq, objects) in written {
            let lines = objects.iter().map(line).collect();
            site.told.publish(Arc::new(Told { seq, lines }));
        }
    }
    site.told.close();
}

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
    from: From,
    sprint: Option<String>,
    behind: bool,
    over: bool,
    ready: VecDeque<Bytes>,
    _place: OwnedSemaphorePermit,
    _counted: Counted,
}

impl Listener {
    fn take(&mut self, seq: u64, line: Line) {
        let known = seq == self.from.after + 1 && self.from.n.is_some_and(|n| line.n <= n);
        let wanted = match (&self.sprint, &line.sprint) {
            (Some(wanted), Some(of)) => wanted == of,
            _ => true,
        };
        if wanted && !known {
            self.ready.push_back(line.text);
        }
    }

    fn reached(&mut self, seq: u64) {
        self.from = From::after(seq);
    }

    /// What comes next; nothing once the director has stopped.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(text) = self.ready.pop_front() {
                return Some(text);
            }
            if self.over {
                return None;
            }
            if self.behind {
                self.catch_up().await;
                continue;
            }
            match tokio::time::timeout(ALIVE_EVERY, self.heard.recv()).await {
                Err(_) => return Some(Bytes::from_static(b": alive\n\n")),
                Ok(None) => return None,
                Ok(Some(Heard::Gap { .. })) => self.behind = true,
                Ok(Some(Heard::Event(told))) if told.seq <= self.from.after => {}
                Ok(Some(Heard::Event(told))) if told.seq > self.from.after + 1 => {
                    self.behind = true;
                }
                Ok(Some(Heard::Event(told))) => {
                    for line in &told.lines {
                        let line = Line {
                            n: line.n,
                            sprint: line.sprint.clone(),
                            text: line.text.clone(),
                        };
                        self.take(told.seq, line);
                    }
                    self.reached(told.seq);
                }
            }
        }
    }

    /// Reads one page of the journal.
    async fn catch_up(&mut self) {
        let ask = Op::Ask(Ask::Page {
            after: self.from.after,
            sprint: self.sprint.clone(),
        });
        let answer = server::serve(&self.site.handle, ask, Screen::default()).await;
        let Some((reached, lines)) = answer.ok().and_then(|answer| read_page(answer).ok()) else {
            self.over = true;
            return;
        };
        if reached <= self.from.after {
            self.behind = false;
            return;
        }
        for found in &lines {
            self.take(found.seq, line(&found.json));
        }
        self.reached(reached);
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
    let listener = Listener {
        // Listening starts before the past is read, so that nothing falls between.
        heard: site.told.subscribe(),
        site: Arc::clone(site),
        from,
        sprint,
        behind: true,
        over: false,
        ready: VecDeque::from([Bytes::from_static(b"retry: 1000\n\n")]),
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
