//! Answers that are kept for a moment: whoever asks the same while nothing has happened gets the same bytes.
//!
//! Most of what asking costs is a turn of the director and writing the answer out. An answer is made once for everybody who asks the
//! same thing; while it is being made, whoever comes waits for the next one. So however many ask, the director has at
//! most one of each question in hand, and its own work goes on beside them.
//!
//! Invariant: an answer that is given shows everything that was durable when it was asked for. It was made after that, or nothing
//! has been journalled since it was made; and what only the clock changes in it, such as a duration, is at most
//! [`KEPT_TIME_MAX`] old.
//! Elsewhere: which questions are kept is [`super::calls`]'s; how much is [`super::limits`]'s.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use serde_json::Value;
use tokio::time::Instant;

use super::limits::{KEPT_BYTES_MAX, KEPT_MAX, KEPT_TIME_MAX};
use crate::control::protocol::{Answer, Fault};

/// The media type of texts.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// An answer, written out.
#[derive(Clone, Debug)]
pub struct Written {
    /// Its media type.
    pub media: HeaderValue,
    /// The position that it shows.
    pub seq: u64,
    /// The version of the one thing that it is about.
    pub tag: Option<HeaderValue>,
    /// The body.
    pub body: Bytes,
}

impl Written {
    /// An answer as text, or as JSON.
    pub fn of(answer: Answer, text: bool) -> Self {
        let version = answer.json.get("version").and_then(Value::as_str);
        Self {
            tag: version.and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok()),
            seq: answer.seq,
            media: HeaderValue::from_static(match text {
                true => TEXT,
                false => "application/json",
            }),
            body: match text {
                true => Bytes::from(answer.text),
                false => Bytes::from(answer.json.to_string()),
            },
        }
    }

    /// As a response.
    pub fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body.clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.media.clone());
        if self.seq > 0 {
            headers.insert("director-seq", HeaderValue::from(self.seq));
        }
        if let Some(tag) = &self.tag {
            headers.insert(header::ETAG, tag.clone());
        }
        response
    }
}

/// Whether the caller wants the command line's text rather than JSON.
pub fn wants_text(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.trim_start().starts_with("text/plain"))
}

/// What is asked: path and query as they came, and whether a text is wanted.
pub type Name = (String, bool);

#[derive(Clone, Debug)]
struct Made {
    answer: Arc<Written>,
    /// How many entries had been published when it was begun.
    heard: u64,
    begun: Instant,
}

impl Made {
    fn holds(&self, heard: u64, now: Instant) -> bool {
        self.heard == heard && now.duration_since(self.begun) < KEPT_TIME_MAX
    }
}

#[derive(Debug, Default)]
struct Slot {
    made: Mutex<Option<Made>>,
    /// Whoever makes it holds this.
    turn: tokio::sync::Mutex<()>,
}

impl Slot {
    fn made(&self) -> Option<Made> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.clone()
    }
}

/// The answers that are kept.
#[derive(Debug, Default)]
pub struct Kept(Mutex<BTreeMap<Name, Arc<Slot>>>);

impl Kept {
    /// The answer to `name`, if the one that is kept still holds; `heard` is the number of entries published so far.
    pub fn at_once(&self, name: &Name, heard: u64) -> Option<Arc<Written>> {
        let slot = {
            let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(rows.get(name)?)
        };
        let made = slot.made().filter(|made| made.holds(heard, Instant::now()));
        made.map(|made| made.answer)
    }

    /// The answer to `name`, made by `make` unless somebody else has just made it. The flag says whether it was made here.
    ///
    /// # Errors
    /// What `make` says.
    pub async fn answer<F>(
        &self,
        name: Name,
        heard: impl Fn() -> u64,
        make: impl FnOnce() -> F,
    ) -> Result<(Arc<Written>, bool), Fault>
    where
        F: Future<Output = Result<Written, Fault>>,
    {
        let asked = Instant::now();
        let slot = self.slot(name, heard());
        let _turn = slot.turn.lock().await;
        if let Some(made) = slot.made()
            && (made.begun > asked || made.holds(heard(), Instant::now()))
        {
            return Ok((made.answer, false));
        }
        let (heard, begun) = (heard(), Instant::now());
        let answer = Arc::new(make().await?);
        let made = Made {
            answer: Arc::clone(&answer),
            heard,
            begun,
        };
        if answer.body.len() <= KEPT_BYTES_MAX / KEPT_MAX {
            *slot.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        }
        Ok((answer, true))
    }

    /// The slot of that name. What does not hold any more goes when there is no room for it; those who wait at it keep it.
    fn slot(&self, name: Name, heard: u64) -> Arc<Slot> {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = rows.get(&name) {
            return Arc::clone(slot);
        }
        if rows.len() >= KEPT_MAX {
            let now = Instant::now();
            rows.retain(|_, slot| {
                Arc::strong_count(slot) > 1
                    || slot.made().is_some_and(|made| made.holds(heard, now))
            });
        }
        let slot = Arc::new(Slot::default());
        if rows.len() < KEPT_MAX {
            rows.insert(name, Arc::clone(&slot));
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    fn written(text: String) -> Written {
        Written {
            media: HeaderValue::from_static("text/plain"),
            seq: 1,
            tag: None,
            body: Bytes::from(text),
        }
    }

    fn name(text: &str) -> Name {
        (text.to_owned(), false)
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_holds_until_something_happens_or_a_moment_has_passed() {
        let (kept, made) = (Kept::default(), AtomicU64::new(0));
        let ask = async |of: &str, heard: u64| {
            let make =
                || async { Ok(written(format!("{}", made.fetch_add(1, Ordering::Relaxed)))) };
            let answer = kept.answer(name(of), || heard, make).await;
            answer.expect("an answer").0.body.clone()
        };
        assert_eq!(ask("/a", 7).await, "0");
        assert_eq!(ask("/a", 7).await, "0", "nothing has happened");
        assert_eq!(ask("/b", 7).await, "1", "that is another question");
        assert_eq!(ask("/a", 8).await, "2", "something has happened");
        assert!(kept.at_once(&name("/a"), 8).is_some());
        assert!(kept.at_once(&name("/a"), 9).is_none());
        tokio::time::advance(KEPT_TIME_MAX).await;
        assert_eq!(ask("/a", 8).await, "3", "it is old");
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_ask_at_once_it_is_made_once_and_then_once_more() {
        let (kept, made) = (Arc::new(Kept::default()), Arc::new(AtomicU64::new(0)));
        let begun = Arc::new(tokio::sync::Semaphore::new(0));
        let ask = || {
            let (kept, made, begun) = (Arc::clone(&kept), Arc::clone(&made), Arc::clone(&begun));
            tokio::spawn(async move {
                // Something happens all the time.
                let heard = || made.load(Ordering::Relaxed);
                let make = || async {
                    let number = made.fetch_add(1, Ordering::Relaxed);
                    begun.acquire().await.expect("open").forget();
                    Ok(written(format!("{number}")))
                };
                let answer = kept.answer(name("/a"), heard, make).await;
                answer.expect("an answer").0.body.clone()
            })
        };
        // Whoever was begun has its turn before the clock goes on.
        let pass = async || {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            tokio::time::advance(Duration::from_millis(1)).await;
        };
        let first = ask();
        pass().await;
        // These come while the first is being made, which may not show what they have to see.
        let late: Vec<_> = (0..50).map(|_| ask()).collect();
        pass().await;
        begun.add_permits(60);
        assert_eq!(first.await.expect("answered"), "0");
        for one in late {
            assert_eq!(one.await.expect("answered"), "1");
        }
        assert_eq!(made.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_bounded() {
        let kept = Kept::default();
        for number in 0..5 * KEPT_MAX {
            let make = || async { Ok(written("x".to_owned())) };
            let answer = kept.answer(name(&format!("/{number}")), || 1, make).await;
            assert!(answer.is_ok());
        }
        let rows = |kept: &Kept| kept.0.lock().expect("whole").len();
        assert_eq!(rows(&kept), KEPT_MAX);
        tokio::time::advance(KEPT_TIME_MAX).await;
        let long = "x".repeat(KEPT_BYTES_MAX / KEPT_MAX + 1);
        let make = || async { Ok(written(long)) };
        assert!(kept.answer(name("/long"), || 1, make).await.is_ok());
        assert_eq!(rows(&kept), 1, "what is old has gone");
        assert!(kept.at_once(&name("/long"), 1).is_none(), "it is too long");
    }
}
