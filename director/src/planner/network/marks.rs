//! A set of places that gives up its lowest or its highest: what a change still has to look at.
//!
//! A bit for each place, above that a bit for each word that has one, and so on up to one word. To put a place in, or to take the
//! lowest out, is one step a level, four for a million, whatever the order in which they came.
//!
//! Invariant: a bit is set above exactly where the word below it is not zero.

/// Places of a word, as a power of two.
const WORD: u32 = 6;

/// A set of places below a limit.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// The places first; the last is one word.
    levels: Vec<Vec<u64>>,
}

impl Marks {
    /// None of `len` places.
    pub(super) fn new(len: usize) -> Self {
        let mut levels = Vec::new();
        let mut words = len.div_ceil(1 << WORD).max(1);
        levels.push(vec![0; words]);
        while words > 1 {
            words = words.div_ceil(1 << WORD);
            levels.push(vec![0; words]);
        }
        Self { levels }
    }

    /// Puts a place in, if it is not.
    pub(super) fn insert(&mut self, place: u32) {
        let mut at = place;
        for level in &mut self.levels {
            let word = &mut level[(at >> WORD) as usize];
            let had = std::mem::replace(word, *word | bit(at));
            if had != 0 {
                return;
            }
            at >>= WORD;
        }
    }

    /// Takes the lowest out.
    pub(super) fn take_lowest(&mut self) -> Option<u32> {
        self.take(u64::trailing_zeros)
    }

    /// Takes the highest out.
    pub(super) fn take_highest(&mut self) -> Option<u32> {
        self.take(|word| (1 << WORD) - 1 - word.leading_zeros())
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) {
        while self.take_lowest().is_some() {}
    }

    /// Takes out what is found by choosing one bit of each word, from the top down. Only an empty top has no bit.
    fn take(&mut self, choose: impl Fn(u64) -> u32) -> Option<u32> {
        if *self.levels.last()?.first()? == 0 {
            return None;
        }
        let mut place = 0;
        for level in self.levels.iter().rev() {
            place = (place << WORD) | choose(level[place as usize]);
        }
        let mut at = place;
        for level in &mut self.levels {
            let word = &mut level[(at >> WORD) as usize];
            *word &= !bit(at);
            if *word != 0 {
                break;
            }
            at >>= WORD;
        }
        Some(place)
    }
}

fn bit(at: u32) -> u64 {
    1 << (at & ((1 << WORD) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn places_come_out_as_of_an_ordered_set(
            len in 1_u32..300_000,
            steps in prop::collection::vec((0..3, 0_u32..300_000), 0..200),
        ) {
            let mut marks = Marks::new(len as usize);
            let mut set = BTreeSet::new();
            for (step, place) in steps {
                match step {
                    0 => prop_assert_eq!(marks.take_lowest(), set.pop_first()),
                    1 => prop_assert_eq!(marks.take_highest(), set.pop_last()),
                    _ => {
                        marks.insert(place % len);
                        set.insert(place % len);
                    }
                }
            }
            marks.clear();
            prop_assert_eq!(marks.take_lowest(), None);
            prop_assert!(marks.levels.iter().flatten().all(|word| *word == 0));
        }
    }
}
