//! What was seen before, so that no schedule is made twice.
//!
//! A population that has come together makes the same children again and again: on public instances a fifth of all. Each sequence of numbers
//! is kept as a hash of 64 bits (Fowler, Noll and Vo's, with a rotation) in a table in which a newer one takes an older one's place. So a
//! repetition may be missed, and one in some billions of billions is wrongly taken for one: that costs a child, never an answer.

/// A table of sequences.
#[derive(Clone, Debug)]
pub struct Seen {
    table: Vec<u64>,
}

const LEAST: u64 = 1 << 10;
const MOST: u64 = 1 << 18;

impl Seen {
    /// Room for about `count` sequences, within limits.
    pub fn with_room_for(count: u64) -> Self {
        let room = count.clamp(LEAST, MOST).next_power_of_two();
        Self {
            table: vec![0; room as usize],
        }
    }

    /// Notes a sequence, and says whether it was there. `kind` tells apart sequences of different meaning.
    pub fn again(&mut self, kind: u64, sequence: &[u32]) -> bool {
        // Four at a time, as no step waits for the one before then.
        let mut hashes = [1, 3, 5, 7].map(|lane| OFFSET.wrapping_mul(lane) ^ kind);
        let blocks = sequence.chunks_exact(hashes.len());
        let rest = blocks.remainder();
        for block in blocks {
            for (hash, &number) in hashes.iter_mut().zip(block) {
                *hash = mixed(*hash, u64::from(number));
            }
        }
        for (hash, &number) in hashes.iter_mut().zip(rest) {
            *hash = mixed(*hash, u64::from(number));
        }
        let hash = hashes.into_iter().fold(sequence.len() as u64, mixed);
        let place = (hash >> 40) as usize & (self.table.len() - 1);
        std::mem::replace(&mut self.table[place], hash) == hash
    }
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn mixed(hash: u64, number: u64) -> u64 {
    (hash ^ number)
        .wrapping_mul(0x0000_0100_0000_01b3)
        .rotate_left(23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_known_and_nothing_else() {
        let mut seen = Seen::with_room_for(0);
        let sequence = |n: u32| [n, n * 7 % 11, n / 3];
        for n in 0..300 {
            assert!(!seen.again(1, &sequence(n)), "{n} is new");
            assert!(seen.again(1, &sequence(n)), "{n} was there");
        }
        assert!(!seen.again(2, &sequence(299)), "of another kind");
        assert!(!seen.again(1, &[299, 299 / 3]));
    }
}
