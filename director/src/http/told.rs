//! What is told: the journal's entries, written out once for all who listen.
//!
//! ```text
//! the director's bus ─▶ one teller: what has gathered is one batch ─▶ a bus of batches ─▶ streams
//!                       the journal ─▶ pages of it, one at a time, kept for a while ─────▶ streams that are behind
//! ```
//!
//! A batch is one text that every stream sends as it is, so a thousand streams cost a thousand writes and no copy. The more
//! streams there are, the longer the teller gathers ([`pause`]): waking them has a share of the time and not all of it.
//!
//! Past entries are read in blocks of fixed borders. Many streams that begin anew, as after a restart, want the same ones; each
//! block is read and written out once for all of them, and the director is asked for one at a time.
//!
//! Invariant: entries come in order and none is left out; what is kept here is bounded in bytes.
//! Elsewhere: a client's place in it is [`super::stream`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use director_protocols::ids::Seq;
use director_runtime::bus::{Bus, Heard};
use serde_json::Value;

use super::limits::{BATCH_BYTES_MAX, BATCHES_MAX, PAST_BYTES_MAX};
use super::site::Site;
use crate::engine::Engine;
use crate::handle::{Entry, Handle, Refusal};
use crate::view;

/// Entries that are written out in one look at the state.
const AT_ONCE: usize = 256;

/// Entries of a block of the past.
const BLOCK: u64 = 256;

/// What waking one stream may cost before the teller takes more together.
const WAKING: Duration = Duration::from_micros(25);

/// The longest that an event waits to be told with others.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Entries that follow each other, written out.
#[derive(Debug, Default)]
pub struct Told {
    /// The position of the first.
    pub first: u64,
    /// The position of the last.
    pub last: u64,
    /// All of it as a stream has it.
    pub text: Bytes,
    /// Each event in it.
    pub lines: Vec<Line>,
}

/// One event in a text.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its position.
    pub seq: u64,
    /// Its place in the decision.
    pub n: u64,
    /// The sprint that it is about.
    pub sprint: Option<Arc<str>>,
    /// Where it stands.
    pub at: Range<usize>,
}

/// Writes entries out; those that are long end a batch.
fn batches(written: Vec<(u64, Vec<Value>)>) -> Vec<Told> {
    let mut all = Vec::new();
    let (mut text, mut lines) = (String::new(), Vec::new());
    let mut first = written.first().map_or(0, |(seq, _)| *seq);
    let end = written.last().map_or(0, |(seq, _)| *seq);
    for (seq, objects) in written {
        for (n, object) in (0u64..).zip(&objects) {
            let from = text.len();
            // JSON has no line ends of its own.
            text += &format!("id: {seq}.{n}\ndata: {object}\n\n");
            let sprint = object.get("sprint").and_then(Value::as_str);
            lines.push(Line {
                seq,
                n,
                sprint: sprint.map(Arc::from),
                at: from..text.len(),
            });
        }
        if text.len() >= BATCH_BYTES_MAX || seq == end {
            all.push(Told {
                first,
                last: seq,
                text: Bytes::from(std::mem::take(&mut text)),
                lines: std::mem::take(&mut lines),
            });
            first = seq + 1;
        }
    }
    all
}

async fn written(handle: &Handle, entries: Vec<Arc<Entry>>) -> Result<Vec<Told>, Refusal> {
    let look = move |engine: &Engine| -> Vec<(u64, Vec<Value>)> {
        let known = entries.iter().filter(|entry| entry.seq <= engine.seq());
        known
            .map(|entry| (entry.seq.0, view::event_lines(entry, engine.state())))
            .collect()
    };
    Ok(batches(handle.read(look).await?))
}

/// How long the teller gathers after it has told so many streams something.
fn pause(streams: u64) -> Duration {
    let streams = u32::try_from(streams).unwrap_or(u32::MAX);
    WAKING.saturating_mul(streams).min(PAUSE_MAX)
}

/// What is told, now and of the past.
pub struct Telling {
    /// Batches as they are told.
    pub news: Bus<Arc<Told>>,
    /// The last position that was told, or that there was when telling began.
    head: AtomicU64,
    past: Mutex<BTreeMap<u64, Arc<Told>>>,
    turn: tokio::sync::Mutex<()>,
}

impl Default for Telling {
    fn default() -> Self {
        Self {
            news: Bus::new(BATCHES_MAX),
            head: AtomicU64::new(0),
            past: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }
}

impl Telling {
    /// The last position that is told already. Whoever subscribes first and asks then, hears of everything behind it.
    pub fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Entries after a position that is behind [`Self::head`]; it may begin before it.
    ///
    /// # Errors
    /// That the director has stopped.
    pub async fn past(&self, handle: &Handle, after: u64) -> Result<Arc<Told>, Refusal> {
        let _turn = self.turn.lock().await;
        let block = after / BLOCK;
        let kept = {
            let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
            past.get(&block).filter(|told| told.last > after).cloned()
        };
        if let Some(told) = kept {
            return Ok(told);
        }
        let (from, end) = (block * BLOCK + 1, (block + 1) * BLOCK);
        let wanted = usize::try_from(BLOCK).unwrap_or(usize::MAX);
        let entries = handle.history(Seq(from), wanted).await?;
        let entries = entries.into_iter().filter(|entry| entry.seq.0 <= end);
        let found = written(handle, entries.map(Arc::new).collect()).await?;
        // Of a block with long entries, the part that is wanted.
        let told = found.into_iter().find(|told| told.last > after);
        let told = Arc::new(told.unwrap_or_default());
        if told.first == from {
            self.keep(block, &told);
        }
        Ok(told)
    }

    fn keep(&self, block: u64, told: &Arc<Told>) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.insert(block, Arc::clone(told));
        let size = |past: &BTreeMap<u64, Arc<Told>>| -> usize {
            past.values().map(|told| told.text.len()).sum()
        };
        // Those who read go forward: what is oldest has been read by most.
        while past.len() > 1 && size(&past) > PAST_BYTES_MAX {
            past.pop_first();
        }
    }
}

/// Writes out what happens, until the director stops.
pub async fn tell(site: Arc<Site>) {
    let mut bus = site.handle.subscribe();
    let Ok(head) = site.handle.read(|engine: &Engine| engine.seq().0).await else {
        return site.telling.news.close();
    };
    site.telling.head.fetch_max(head, Ordering::AcqRel);
    while let Some(first) = bus.recv().await {
        let more = std::iter::from_fn(|| bus.try_recv()).take(AT_ONCE - 1);
        // What this task missed, the streams read from the journal: they see that numbers are left out.
        let entries: Vec<Arc<Entry>> = std::iter::once(first)
            .chain(more)
            .filter_map(|heard| match heard {
                Heard::Event(entry) => Some(entry),
                Heard::Gap { .. } => None,
            })
            .collect();
        for entries in entries.chunk_by(|one, next| one.seq.0 + 1 == next.seq.0) {
            let Ok(found) = written(&site.handle, entries.to_vec()).await else {
                return site.telling.news.close();
            };
            for told in found {
                // Before it is told: whoever subscribes in between has it to read.
                site.telling.head.fetch_max(told.last, Ordering::AcqRel);
                site.telling.news.publish(Arc::new(told));
            }
        }
        tokio::time::sleep(pause(site.figures.streams())).await;
    }
    site.telling.news.close();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_become_batches_of_bounded_length_and_lines_are_found_in_them() {
        let long = "x".repeat(BATCH_BYTES_MAX);
        let object = |text: &str| json!({"sprint": "s", "text": text});
        let written = vec![
            (7, vec![object("a"), object("b")]),
            (8, vec![object(&long)]),
            (9, vec![]),
            (10, vec![json!({"sprint": null})]),
        ];
        let all = batches(written);
        let borders: Vec<_> = all.iter().map(|told| (told.first, told.last)).collect();
        assert_eq!(borders, [(7, 8), (9, 10)]);
        let ids = |told: &Told| -> Vec<String> {
            let texts = told.lines.iter().map(|line| &told.text[line.at.clone()]);
            texts
                .map(|text| String::from_utf8_lossy(&text[..8]).into_owned())
                .collect()
        };
        assert_eq!(ids(&all[0]), ["id: 7.0\n", "id: 7.1\n", "id: 8.0\n"]);
        assert_eq!(ids(&all[1]), ["id: 10.0"]);
        assert_eq!(all[0].lines[0].sprint.as_deref(), Some("s"));
        assert_eq!(all[1].lines[0].sprint, None);
        assert!(batches(Vec::new()).is_empty());
    }

    #[test]
    fn the_more_streams_there_are_the_longer_is_gathered() {
        assert_eq!(pause(0), Duration::ZERO);
        assert_eq!(pause(1), WAKING);
        assert_eq!(pause(1_000), Duration::from_millis(25));
        assert_eq!(pause(u64::MAX), PAUSE_MAX);
    }
}
