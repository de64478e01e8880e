//! The clock as a value: whoever needs the time is given one, so tests can give another.
//!
//! The system clock reads the wall clock and never goes backwards within a process: when the wall clock is set
//! back, it stands still until the wall clock has caught up. The virtual clock follows tokio's time, which a
//! test can pause; then it starts where it is told and moves only when every task waits.
//!
//! Invariant: two reads, one after the other, never return a smaller number second.
//! Elsewhere: timers are `timer`; the pure parts of the product take `now` as an argument and see no clock.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The highest wall-clock time this process has handed out, in milliseconds since the Unix epoch.
static LATEST_MS: AtomicU64 = AtomicU64::new(0);

/// Tells the time in whole milliseconds since the Unix epoch. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone, Copy)]
enum Source {
    System,
    Tokio { base: Instant, start_ms: u64 },
}

impl Clock {
    /// The wall clock of this machine, made monotone over the whole process.
    pub fn system() -> Self {
        Clock(Source::System)
    }

    /// A clock that follows tokio's time and shows `start_ms` now.
    ///
    /// Under a paused runtime this is virtual time; otherwise it is the machine's monotonic time.
    pub fn tokio(start_ms: u64) -> Self {
        Clock(Source::Tokio {
            base: Instant::now(),
            start_ms,
        })
    }

    /// Milliseconds since the Unix epoch (virtual clock: since its start, plus the start).
    pub fn now_ms(&self) -> u64 {
        match self.0 {
            Source::System => {
                // A wall clock before 1970 reads as 0; the maximum below keeps it from going backwards.
                let since_epoch = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                let wall = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
                LATEST_MS.fetch_max(wall, Ordering::Relaxed).max(wall)
            }
            Source::Tokio { base, start_ms } => {
                let elapsed = u64::try_from(base.elapsed().as_millis()).unwrap_or(u64::MAX);
                start_ms.saturating_add(elapsed)
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::system",
            Source::Tokio { .. } => "Clock::tokio",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_virtual_clock_moves_only_with_tokio_and_is_shared_by_its_clones() {
        let clock = Clock::tokio(1_000);
        let copy = clock.clone();
        tokio::time::sleep(Duration::from_secs(8 * 3_600)).await;
        assert_eq!(clock.now_ms(), 1_000 + 8 * 3_600_000);
        assert_eq!(copy.now_ms(), clock.now_ms());
    }

    #[test]
    fn the_system_clock_is_past_2020_and_never_goes_back_on_any_thread() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut last = Clock::system().now_ms();
                    assert!(last > 1_577_836_800_000);
                    for _ in 0..10_000 {
                        let now = Clock::system().now_ms();
                        assert!(now >= last);
                        last = now;
                    }
                });
            }
        });
    }
}
