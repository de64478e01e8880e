//! Restart intensity: how many restarts a supervisor pays for in a sliding window. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::spec::millis;

/// At most `restart_max` restarts in any `within_ms`; one more is too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts allowed in the window. 0 allows none.
    pub restart_max: u32,
    /// Length of the window, in milliseconds.
    pub within_ms: u64,
}

impl Intensity {
    /// At most `restart_max` restarts in any `within`.
    pub fn new(restart_max: u32, within: Duration) -> Self {
        Intensity {
            restart_max,
            within_ms: millis(within),
        }
    }
}

impl Default for Intensity {
    /// 5 restarts in 30 seconds.
    fn default() -> Self {
        Intensity {
            restart_max: 5,
            within_ms: 30_000,
        }
    }
}

/// The restarts of one supervisor that still count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window(VecDeque<u64>);

impl Window {
    /// Counts a restart at `now_ms`. False if that is one too many.
    ///
    /// A restart counts for exactly `within_ms`: at its age of `within_ms` it is forgotten.
    pub fn charge(&mut self, now_ms: u64, limit: Intensity) -> bool {
        while self
            .0
            .front()
            .is_some_and(|at| now_ms.saturating_sub(*at) >= limit.within_ms)
        {
            self.0.pop_front();
        }
        self.0.push_back(now_ms);
        self.0.len() as u64 <= u64::from(limit.restart_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let limit = Intensity::new(2, Duration::from_millis(100));
        for (case, restarts, allowed) in [
            ("spread out", vec![0, 100, 200, 300], vec![true; 4]),
            ("two at once", vec![0, 0], vec![true, true]),
            ("three within", vec![0, 50, 99], vec![true, true, false]),
            (
                "the first just out",
                vec![0, 50, 100],
                vec![true, true, true],
            ),
            (
                "across what a fixed window would cut",
                vec![90, 110, 130],
                vec![true, true, false],
            ),
        ] {
            let mut window = Window::default();
            let answers: Vec<_> = restarts
                .into_iter()
                .map(|at| window.charge(at, limit))
                .collect();
            assert_eq!(answers, allowed, "case: {case}");
        }
        assert!(
            !Window::default().charge(0, Intensity::new(0, Duration::from_secs(1))),
            "0 allows none"
        );
    }
}
