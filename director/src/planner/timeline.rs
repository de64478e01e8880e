//! How many of something are busy, and when: the agents of a role, one agent, or one worktree.
//!
//! A step function over time: each entry says how many are busy from there to the next entry. Neighbouring entries
//! that say the same are one, so a timeline that is full is short to search.
//!
//! Invariant: never more are busy than there are; after the last entry nobody is.
//! Elsewhere: which agent of a role it is, is decided when all its tasks are placed, in [`super::crew`].

use std::collections::BTreeMap;

/// When how many of `room` are busy, in milliseconds from the start.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    room: u32,
    /// Busy from here on; what is before the first entry is free.
    busy: BTreeMap<u64, u32>,
    /// Before this everything is full.
    full_until: u64,
}

impl Timeline {
    /// Nobody of `room` is busy.
    pub(super) fn of(room: u32) -> Self {
        Self {
            room,
            busy: BTreeMap::new(),
            full_until: 0,
        }
    }

    /// The earliest time, not before `from`, at which one is free for `length` in one piece. No length fits anywhere.
    ///
    /// The answer is never when there is no room at all; callers ask only where there is.
    pub(super) fn fit(&self, from: u64, length: u64) -> u64 {
        if length == 0 {
            return from;
        }
        let mut at = from.max(self.full_until);
        let mut full = self.level(at) >= self.room;
        for (&start, &level) in self.busy.range(at.saturating_add(1)..) {
            if !full && start - at >= length {
                break;
            }
            if full {
                at = start;
            }
            // A stretch that is free goes on through steps that leave room.
            full = level >= self.room;
        }
        at
    }

    /// Makes one busy for `length` from `start`, which [`Timeline::fit`] has to have found free.
    pub(super) fn take(&mut self, start: u64, length: u64) {
        let end = start.saturating_add(length);
        if end == start {
            return;
        }
        for edge in [start, end] {
            let level = self.level(edge);
            self.busy.entry(edge).or_insert(level);
        }
        for (_, level) in self.busy.range_mut(start..end) {
            *level += 1;
        }
        for edge in [start, end] {
            let before = self
                .busy
                .range(..edge)
                .next_back()
                .map_or(0, |(_, &level)| level);
            if self.busy.get(&edge) == Some(&before) {
                self.busy.remove(&edge);
            }
        }
        while self.level(self.full_until) >= self.room {
            match self.busy.range(self.full_until.saturating_add(1)..).next() {
                Some((&next, _)) => self.full_until = next,
                None => break,
            }
        }
    }

    fn level(&self, at: u64) -> u32 {
        self.busy
            .range(..=at)
            .next_back()
            .map_or(0, |(_, &level)| level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_used_when_it_is_long_enough() {
        let mut timeline = Timeline::of(1);
        for (start, length) in [(0, 2), (5, 3), (8, 2), (20, 1)] {
            assert_eq!(timeline.fit(start, length), start);
            timeline.take(start, length);
        }
        assert_eq!(timeline.busy.len(), 6, "5..8 and 8..10 are one stretch");
        assert_eq!(timeline.full_until, 2);
        for (from, length, expected) in [
            (0, 3, 2),
            (0, 4, 10),
            (3, 2, 3),
            (4, 2, 10),
            (6, 1, 10),
            (0, 11, 21),
            (6, 0, 6),
        ] {
            assert_eq!(timeline.fit(from, length), expected, "{length} from {from}");
        }
        timeline.take(2, 3);
        assert_eq!(timeline.full_until, 10, "the gap is closed");
    }

    #[test]
    fn where_there_is_room_for_two_only_both_together_are_full() {
        let mut timeline = Timeline::of(2);
        for (start, length) in [(0, 4), (2, 4), (6, 2)] {
            assert_eq!(timeline.fit(start, length), start);
            timeline.take(start, length);
        }
        for (from, length, expected) in [(0, 2, 0), (0, 3, 4), (1, 2, 4), (5, 9, 5), (3, 1, 4)] {
            assert_eq!(timeline.fit(from, length), expected, "{length} from {from}");
        }
    }
}
