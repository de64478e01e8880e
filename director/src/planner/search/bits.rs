//! When a resource of one unit is taken: a bit for each tick, in blocks of 64, so that a full stretch is passed over in a few steps.
//!
//! Elsewhere: resources of several units are [`super::lanes`]; who asks is [`super::decode`].

/// Ticks of a block.
pub const BITS: usize = u64::BITS as usize;

/// The first tick from `start` on at which `long` ticks in a row are clear. Behind the row nothing is taken.
pub fn first_gap(row: &[u64], mut start: usize, long: usize) -> usize {
    // What takes no time is in nobody's way.
    if long == 0 {
        return start;
    }
    loop {
        start = first_set(row, start, usize::MAX, u64::MAX);
        let end = first_set(row, start, start + long, 0);
        if end >= start + long {
            return start;
        }
        start = end;
    }
}

/// The first tick from `start` on whose bit is set once all are flipped that are set in `flip`; `end` or more if there is none before it.
fn first_set(row: &[u64], start: usize, end: usize, flip: u64) -> usize {
    let mut wanted = u64::MAX << (start % BITS);
    let mut block = start / BITS;
    while block * BITS < end {
        let bits = (row.get(block).copied().unwrap_or(0) ^ flip) & wanted;
        if bits != 0 {
            return block * BITS + bits.trailing_zeros() as usize;
        }
        block += 1;
        wanted = u64::MAX;
    }
    end
}

/// Sets the bits from `start` on and before `end`.
pub fn set(row: &mut [u64], start: usize, end: usize) {
    for (block, bits) in row
        .iter_mut()
        .enumerate()
        .take(end.div_ceil(BITS))
        .skip(start / BITS)
    {
        let (first, behind) = (block * BITS, (block + 1) * BITS);
        let from = u64::MAX << (start.max(first) - first);
        *bits |= from & u64::MAX >> (behind - end.min(behind));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_gap_is_the_one_that_is_found_tick_by_tick(
            taken in prop::collection::vec((0_usize..180, 0_usize..90), 0..8), start in 0_usize..200, long in 0_usize..140,
        ) {
            let mut row = [0; 3];
            let mut ticks = [false; 600];
            for (from, length) in taken {
                let to = (from + length).min(192);
                set(&mut row, from, to);
                ticks[from..to].fill(true);
            }
            let gap = (start..).find(|&at| ticks[at..at + long].iter().all(|taken| !taken));
            prop_assert_eq!(Some(first_gap(&row, start, long)), gap);
        }
    }
}
