//! Units of several resources in one machine word: four lanes of 16 bits, so that "does it fit" is one subtraction.
//!
//! The top bit of a lane is a guard. A word of *free* units has every guard set, a word of *demands* none; after `free - demand`
//! a guard is gone exactly where a lane had too little, and no lane can have borrowed from its neighbour.
//! More than four resources are several words.
//!
//! Invariant: no lane ever holds more than [`MOST`] units.

/// Lanes of a word.
pub const LANES: usize = 4;
/// The most units that a lane can hold.
pub const MOST: u32 = 0x7fff;
/// The guards of all lanes.
pub const GUARDS: u64 = 0x8000_8000_8000_8000;

/// The word and the lane of a resource.
pub fn place(resource: usize) -> (usize, usize) {
    (resource / LANES, resource % LANES)
}

/// `units` in `lane`, at most [`MOST`].
pub fn units(lane: usize, units: u32) -> u64 {
    u64::from(units.min(MOST)) << (16 * lane)
}

/// The units in `lane`; the guard does not count.
pub fn read(word: u64, lane: usize) -> u32 {
    (word >> (16 * lane)) as u32 & MOST
}

/// Whether `demand` fits into `free`, whose guards are set.
#[inline(always)]
pub fn fits(free: u64, demand: u64) -> bool {
    free.wrapping_sub(demand) & GUARDS == GUARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_fits_only_where_every_lane_has_enough() {
        let word = |lanes: [u32; 4]| {
            (0..)
                .zip(lanes)
                .fold(0, |word, (lane, n)| word | units(lane, n))
        };
        for (case, free, demand, expected) in [
            ("nothing", [0, 0, 0, 0], [0, 0, 0, 0], true),
            ("equal", [1, 2, 3, MOST], [1, 2, 3, MOST], true),
            (
                "one too many in the lowest",
                [1, 9, 9, 9],
                [2, 0, 0, 0],
                false,
            ),
            (
                "one too many in the highest",
                [9, 9, 9, 1],
                [0, 0, 0, 2],
                false,
            ),
            (
                "no borrowing from a full neighbour",
                [0, MOST, 0, 0],
                [1, 0, 0, 0],
                false,
            ),
            (
                "the most against nothing",
                [0, 0, 0, 0],
                [MOST, MOST, MOST, MOST],
                false,
            ),
        ] {
            assert_eq!(
                fits(word(free) | GUARDS, word(demand)),
                expected,
                "case: {case}"
            );
        }
        assert_eq!(read(word([4, 5, 6, 7]) | GUARDS, 2), 6);
        assert_eq!(place(6), (1, 2));
    }
}
