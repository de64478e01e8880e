//! Exponential backoff with seeded jitter, in whole milliseconds. Pure.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::spec::millis;

/// How long to wait before a restart: `min * 2^(failures - 1)`, at most `max`, plus up to `jitter` of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Delay after the first failure, in milliseconds.
    pub min_ms: u64,
    /// Most that the delay grows to before jitter, in milliseconds.
    pub max_ms: u64,
    /// Most that jitter adds, in thousandths of the delay.
    pub jitter_permille: u32,
    /// A run of at least this long, in milliseconds, makes the next failure the first again.
    pub stable_ms: u64,
}

impl Backoff {
    /// From `min`, doubling up to `max`, with a tenth of jitter; a run of a minute counts as stable.
    pub fn exponential(min: Duration, max: Duration) -> Self {
        Backoff {
            min_ms: millis(min),
            max_ms: millis(max),
            jitter_permille: 100,
            stable_ms: 60_000,
        }
    }

    /// Another jitter, in thousandths of the delay.
    pub fn jitter(self, permille: u32) -> Self {
        Backoff {
            jitter_permille: permille,
            ..self
        }
    }

    /// Another length for a run to count as stable.
    pub fn stable_after(self, run: Duration) -> Self {
        Backoff {
            stable_ms: millis(run),
            ..self
        }
    }

    /// The delay after `failures` failures in a row (1 is the first), in milliseconds. Draws once from `jitter`.
    pub fn delay_ms(self, failures: u32, jitter: &mut Jitter) -> u64 {
        let doublings = failures.saturating_sub(1);
        let grown = 1_u64
            .checked_shl(doublings)
            .map_or(u64::MAX, |factor| self.min_ms.saturating_mul(factor));
        let delay = grown.min(self.max_ms);
        delay.saturating_add(jitter.up_to(delay, self.jitter_permille))
    }
}

impl Default for Backoff {
    /// 200 ms, doubling up to 30 s, a tenth of jitter, stable after a minute.
    fn default() -> Self {
        Backoff::exponential(Duration::from_millis(200), Duration::from_secs(30))
    }
}

/// A seeded stream of jitter: one seed gives one sequence, on every machine.
#[derive(Clone, Debug)]
pub struct Jitter(ChaCha8Rng);

impl Jitter {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Jitter(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from 0 to `permille` thousandths of `base`.
    fn up_to(&mut self, base: u64, permille: u32) -> u64 {
        // Drawn even when there is nothing to add, so that a setting does not shift the stream.
        let draw = u128::from(self.0.next_u64());
        let most = (u128::from(base) * u128::from(permille) / 1_000).min(u128::from(u64::MAX));
        let part = ((most + 1) * draw) >> 64;
        u64::try_from(part).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_maximum() {
        let backoff =
            Backoff::exponential(Duration::from_millis(100), Duration::from_secs(1)).jitter(0);
        let mut jitter = Jitter::new(1);
        for (failures, expected) in [
            (0, 100),
            (1, 100),
            (2, 200),
            (3, 400),
            (4, 800),
            (5, 1_000),
            (64, 1_000),
            (u32::MAX, 1_000),
        ] {
            assert_eq!(
                backoff.delay_ms(failures, &mut jitter),
                expected,
                "case: {failures} failures"
            );
        }
    }

    #[test]
    fn jitter_stays_within_its_part_and_repeats_with_its_seed() {
        let backoff =
            Backoff::exponential(Duration::from_millis(1_000), Duration::from_secs(60)).jitter(100);
        let draw = |seed| {
            let mut jitter = Jitter::new(seed);
            (0..1_000)
                .map(|_| backoff.delay_ms(1, &mut jitter))
                .collect::<Vec<_>>()
        };
        let delays = draw(7);
        assert!(delays.iter().all(|delay| (1_000..=1_100).contains(delay)));
        assert!(
            delays.contains(&1_000) && delays.contains(&1_100),
            "both ends are reached"
        );
        assert_eq!(delays, draw(7));
        assert_ne!(delays, draw(8));
        let huge = Backoff {
            min_ms: u64::MAX,
            max_ms: u64::MAX,
            jitter_permille: u32::MAX,
            stable_ms: 0,
        };
        assert_eq!(huge.delay_ms(9, &mut Jitter::new(1)), u64::MAX);
    }
}
