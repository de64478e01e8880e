//! Limits: what one director takes over HTTP at a time, and a bucket that says when it is too much.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The longest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 8 << 20;

/// The most connections at a time; one more is told so and closed.
pub const CONNECTIONS_MAX: usize = 2_048;

/// Connections that are being told so at a time; further ones wait in the system's queue.
pub const REFUSED_MAX: usize = 64;

/// How long one that is told so may take to hear it.
pub const REFUSED_TIME_MAX: Duration = Duration::from_secs(2);

/// The most event streams at a time; one more is told so.
pub const STREAMS_MAX: usize = 1_024;

/// How long the head of a request may take, also the next one on a connection that is kept.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(15);

/// How long a body may take; also what is left of one that was answered before it was all there.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// How long the other end may say nothing once all is answered, before its connection is closed.
pub const PART_QUIET_MAX: Duration = Duration::from_secs(2);

/// Headers of a request, in bytes.
pub const HEAD_BYTES_MAX: usize = 64 << 10;

/// Calls that change something: so many at once, and so many a second after that.
pub const ORDERS: (u32, u32) = (200, 50);

/// Wrong tokens: so many at once, and so many a second after that. Guessing one of 256 bits is hopeless anyway; this keeps the
/// log readable.
pub const WRONG_TOKENS: (u32, u32) = (20, 2);

/// Answers that are kept for whoever asks the same.
pub const KEPT_MAX: usize = 64;

/// The most bytes of them; one of more than its share is not kept.
pub const KEPT_BYTES_MAX: usize = 64 << 20;

/// How old an answer may be in what only the clock changes.
pub const KEPT_TIME_MAX: Duration = Duration::from_millis(100);

/// Events that are told together, in bytes; one that is longer is told alone.
pub const BATCH_BYTES_MAX: usize = 256 << 10;

/// Batches that are kept for streams that are slower than others; more are read from the journal.
pub const BATCHES_MAX: usize = 128;

/// The most of the past that is kept written out for streams that catch up, in bytes.
pub const PAST_BYTES_MAX: usize = 16 << 20;

/// A connection whose other end reads nothing for so long is cut.
pub const UNREAD_TIME_MAX: Duration = Duration::from_secs(30);

/// What the system keeps for a connection whose other end is slow, in bytes; it may double this.
pub const UNREAD_BYTES_MAX: usize = 256 << 10;

/// How long answers under way may take once the director stops.
pub const CLOSE_TIME_MAX: Duration = Duration::from_secs(5);

/// An event stream on which nothing has come for so long ends once the director stops; longer than what is told waits to be.
pub const CLOSE_QUIET: Duration = Duration::from_millis(200);

/// Questions that read the whole journal, at the same time.
pub const HEAVY_MAX: usize = 2;

/// Fills by time and is emptied by use.
#[derive(Debug)]
pub struct Bucket {
    most: f64,
    a_second: f64,
    inner: Mutex<(f64, Instant)>,
}

impl Bucket {
    /// A full one, of so many and with so many more a second.
    pub fn new((most, a_second): (u32, u32)) -> Self {
        let most = f64::from(most);
        Self {
            most,
            a_second: f64::from(a_second),
            inner: Mutex::new((most, Instant::now())),
        }
    }

    /// Takes one; false when there is none.
    pub fn take(&self) -> bool {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let gained = now.duration_since(inner.1).as_secs_f64() * self.a_second;
        let filled = (inner.0 + gained).min(self.most);
        let (left, taken) = match filled >= 1.0 {
            true => (filled - 1.0, true),
            false => (filled, false),
        };
        *inner = (left, now);
        taken
    }

    /// Whether there is one.
    pub fn has_some(&self) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.0 + inner.1.elapsed().as_secs_f64() * self.a_second >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_gives_what_it_has_and_then_what_time_brings() {
        let bucket = Bucket::new((3, 2));
        let taken = || (0..10).filter(|_| bucket.take()).count();
        assert_eq!(taken(), 3);
        assert!(!bucket.has_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(taken(), 2);
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(taken(), 3, "no more than it holds");
    }
}
