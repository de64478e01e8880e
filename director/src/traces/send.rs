//! Sending: follows the journal, gathers spans, posts them, and notes how far it has come.
//!
//! A note in the data directory says up to where everything was taken, and from where on entries are needed for spans that had not
//! ended then. It is written after each request that was taken; a director that starts reads it and goes on there.
//!
//! A collector that does not answer is asked again after growing delays, for ever; meanwhile at most [`PENDING_MAX`] spans are held and the
//! rest stays in the journal. One that calls a request malformed gets no other chance for it: it is named in the log and left out.
//!
//! Invariant: what is noted as sent was taken, or was called malformed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use director_protocols::ids::Seq;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::otlp;
use super::settings::Settings;
use super::spans::{Span, Spans};
use crate::engine::Engine;
use crate::handle::Handle;

/// The file in the data directory.
const FILE: &str = "traces.sent";

/// Spans in one request.
const AT_ONCE: usize = 512;

/// Spans that are held; more stay in the journal until some were taken.
const PENDING_MAX: usize = 4_096;

/// Entries that are read at once.
const PAGE: usize = 512;

/// How long to wait before a collector is asked again: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How long the last spans may take when the director has stopped.
const LAST_TIME_MAX: Duration = Duration::from_secs(5);

/// The most of an answer that is read, in bytes.
const ANSWER_MAX: u64 = 64 * 1024;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// Every span that ended up to this position was taken.
    sent: u64,
    /// From here on entries are needed.
    from: u64,
}

impl Note {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).ok();
        // Without one, all of the journal is to be sent.
        text.and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or(Self { sent: 0, from: 1 })
    }

    fn write(self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("new");
        fs::write(&beside, serde_json::to_vec(&self)?)?;
        fs::rename(&beside, path)
    }
}

/// Sending under way.
#[derive(Debug)]
pub struct Sending {
    task: JoinHandle<()>,
}

impl Sending {
    /// Waits until what is left is sent, for a moment; call it when the director has stopped.
    pub async fn end(self) {
        let stop = self.task.abort_handle();
        if tokio::time::timeout(LAST_TIME_MAX, self.task)
            .await
            .is_err()
        {
            stop.abort();
            tracing::warn!("the last spans were not taken in time; the next start sends them");
        }
    }
}

/// Starts sending what happens to the tasks of a director.
pub fn start(settings: Settings, handle: Handle, data_dir: &Path) -> Sending {
    tracing::info!(to = settings.url, "traces are sent");
    let sender = Sender {
        path: data_dir.join(FILE),
        collector: Arc::new(Collector::new(settings)),
        handle,
        note: Note { sent: 0, from: 1 },
        spans: Spans::default(),
        pending: Vec::new(),
        next: 1,
    };
    Sending {
        task: tokio::spawn(sender.run()),
    }
}

/// What became of a request.
enum Taken {
    /// It was taken.
    Yes,
    /// It never will be.
    Malformed(String),
    /// Perhaps later.
    NotNow(String),
}

struct Collector {
    agent: Agent,
    settings: Settings,
}

impl Collector {
    fn new(settings: Settings) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .timeout_global(Some(settings.timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .tls_config(tls)
            .user_agent(concat!("director/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            settings,
        }
    }

    /// Posts spans. Waits; for a thread that may.
    fn post(&self, spans: &[Span]) -> Taken {
        let body = otlp::request(&self.settings.resource, spans);
        let mut request = self
            .agent
            .post(&self.settings.url)
            .header("Content-Type", "application/x-protobuf");
        for (name, value) in &self.settings.headers {
            request = request.header(name, value);
        }
        let mut answer = match request.send(&body[..]) {
            Ok(answer) => answer,
            Err(error) => return Taken::NotNow(error.to_string()),
        };
        let status = answer.status();
        let read = answer.body_mut().with_config().limit(ANSWER_MAX);
        let said = read.read_to_vec().unwrap_or_default();
        match status.as_u16() {
            200..300 => {
                if let Some((count, why)) = otlp::refused(&said) {
                    tracing::warn!(count, why, "the collector refused spans");
                }
                Taken::Yes
            }
            // Anything else may be mended without a new request: a gateway, a key, an address.
            400 | 413 | 415 | 422 => Taken::Malformed(status.to_string()),
            _ => Taken::NotNow(status.to_string()),
        }
    }
}

struct Sender {
    path: PathBuf,
    collector: Arc<Collector>,
    handle: Handle,
    note: Note,
    spans: Spans,
    pending: Vec<Span>,
    /// The next entry to read.
    next: u64,
}

impl Sender {
    async fn run(mut self) {
        self.note = Note::read(&self.path);
        self.next = self.note.from;
        // The bus wakes; what it says is read from the journal, so that a gap costs nothing.
        let mut bus = self.handle.subscribe();
        let (closed, is_closed) = watch::channel(false);
        let mut wake = Wake {
            closed: is_closed,
            news: Arc::new(tokio::sync::Notify::new()),
        };
        let news = Arc::clone(&wake.news);
        let hearing = tokio::spawn(async move {
            while bus.recv().await.is_some() {
                while bus.try_recv().is_some() {}
                news.notify_one();
            }
            closed.send_replace(true);
            news.notify_one();
        });
        let mut again = AGAIN.0;
        let mut due = None;
        loop {
            let more = self.gather().await;
            let full = self.pending.len() >= AT_ONCE;
            if !self.pending.is_empty() || self.is_behind() {
                due.get_or_insert_with(|| Instant::now() + self.collector.settings.delay);
            }
            let closed = wake.is_closed();
            if full || closed || due.is_some_and(|due| Instant::now() >= due) {
                match self.flush().await {
                    Ok(()) => (again, due) = (AGAIN.0, None),
                    Err(why) if closed => {
                        tracing::warn!(
                            why,
                            "the last spans were not taken; the next start sends them"
                        );
                        break;
                    }
                    Err(why) => {
                        let seconds = again.as_secs();
                        tracing::warn!(why, seconds, "spans were not taken; they are sent again");
                        wake.sleep(again).await;
                        again = (again * 2).min(AGAIN.1);
                        continue;
                    }
                }
            }
            match (closed, more) {
                (true, _) => break,
                (false, true) => {}
                (false, false) => wake.until(due).await,
            }
        }
        hearing.abort();
    }

    /// Whether there are entries without spans that are not noted yet.
    fn is_behind(&self) -> bool {
        self.next > self.note.sent + 1
    }

    /// Reads a page of the journal and makes spans of it; whether there may be more.
    async fn gather(&mut self) -> bool {
        if self.pending.len() >= PENDING_MAX {
            return false;
        }
        let Ok(entries) = self.handle.history(Seq(self.next), PAGE).await else {
            return false;
        };
        let Some(last) = entries.last().map(|entry| entry.seq.0) else {
            return false;
        };
        let (mut spans, sent) = (self.spans.clone(), self.note.sent);
        let fold = move |engine: &Engine| {
            let mut ended = Vec::new();
            for entry in &entries {
                let found = spans.take(entry, engine.state());
                if entry.seq.0 > sent {
                    ended.extend(found);
                }
            }
            (spans, ended)
        };
        // A director that is gone knows no names any more; the next start makes them.
        let Ok((spans, ended)) = self.handle.read(fold).await else {
            return false;
        };
        self.spans = spans;
        self.pending.extend(ended);
        self.next = last + 1;
        true
    }

    /// Posts all that is pending and notes it.
    async fn flush(&mut self) -> Result<(), String> {
        while !self.pending.is_empty() {
            let count = self.pending.len().min(AT_ONCE);
            let part: Vec<Span> = self.pending[..count].to_vec();
            let collector = Arc::clone(&self.collector);
            let posting = tokio::task::spawn_blocking(move || collector.post(&part));
            match posting.await.map_err(|error| error.to_string())? {
                Taken::Yes => {}
                Taken::Malformed(why) => {
                    tracing::error!(
                        why,
                        count,
                        "the collector calls spans malformed; they are left out"
                    );
                }
                Taken::NotNow(why) => return Err(why),
            }
            self.pending.drain(..count);
        }
        let note = Note {
            sent: (self.next - 1).max(self.note.sent),
            from: self.spans.needed(),
        };
        if note != self.note {
            self.note = note;
            if let Err(error) = note.write(&self.path) {
                let path = self.path.display();
                tracing::warn!(%error, "`{path}` could not be written; a restart sends some spans again");
            }
        }
        Ok(())
    }
}

/// What it waits for.
struct Wake {
    closed: watch::Receiver<bool>,
    news: Arc<tokio::sync::Notify>,
}

impl Wake {
    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Until there is news, or until then.
    async fn until(&self, due: Option<Instant>) {
        match due {
            None => self.news.notified().await,
            Some(due) => {
                // Either is a reason to look again.
                let _ = tokio::time::timeout_at(due, self.news.notified()).await;
            }
        }
    }

    /// For so long, or until the director has stopped.
    async fn sleep(&mut self, time: Duration) {
        // A sender that is gone has said so before.
        let _ = tokio::time::timeout(time, self.closed.wait_for(|closed| *closed)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_and_one_that_is_damaged_begins_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(FILE);
        let new = Note { sent: 0, from: 1 };
        assert_eq!(Note::read(&path), new);
        let note = Note { sent: 12, from: 7 };
        note.write(&path).expect("written");
        assert_eq!(Note::read(&path), note);
        fs::write(&path, "{\"sent\": 1").expect("written");
        assert_eq!(Note::read(&path), new);
    }
}
