//! A distribution of durations as a table of its quantiles, in whole milliseconds.
//!
//! Whatever the model, it is compiled once: 65 quantiles over the whole range, and 65 more within the first and the last 64th,
//! where tails bend. A random number is then looked up with one step of interpolation: a few nanoseconds, integers only, the same
//! everywhere. The ends are the quantiles that `LEVELS` names, so an unbounded tail is cut there.
//!
//! Invariant: the table rises; so a larger draw is never a shorter duration.
//! Elsewhere: the curves that are tabulated are [`super::curves`] and [`super::habits`].

/// Cells of one part of the table.
const CELLS: usize = 64;
/// Entries of one part: the cells' ends.
const PART: usize = CELLS + 1;
/// Entries of a whole table: the middle, the low end, the high end.
pub const ENTRIES: usize = 3 * PART;
/// No duration is longer; 2^53 ms are 285,000 years, and up to there a float is exact.
pub const LONGEST: u64 = 1 << 53;

/// The levels, each from 0 to 1, at which a table holds its quantiles, in its order. Those at the two ends, where a
/// quantile can be without limit, are a part in 2^15 away from them.
pub fn levels() -> [f64; ENTRIES] {
    const END: f64 = 1.0 / 32_768.0;
    let mut levels = [0.0; ENTRIES];
    for cell in 0..PART {
        let share = cell as f64 / CELLS as f64;
        levels[cell] = share;
        levels[PART + cell] = share / CELLS as f64;
        levels[2 * PART + cell] = 1.0 - (1.0 - share) / CELLS as f64;
    }
    levels.map(|level| level.clamp(END, 1.0 - END))
}

/// Quantiles of one distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantiles(Box<[u64]>);

impl Quantiles {
    /// The table of a distribution that gives its quantile, in milliseconds, for each of [`levels`], by place in it.
    /// What is not a number counts as nothing; what falls is lifted.
    pub fn tabulate(quantile: impl FnMut(usize) -> f64) -> Self {
        // As a cast it saturates, and makes nothing of what is not a number.
        let whole = |milliseconds: f64| ((milliseconds + 0.5) as u64).min(LONGEST);
        let mut table: Vec<u64> = (0..ENTRIES).map(quantile).map(whole).collect();
        // Rising through the low end, the middle between the ends, the high end; where they meet they are one.
        let mut most = 0;
        for at in (PART..2 * PART).chain(1..CELLS).chain(2 * PART..ENTRIES) {
            most = table[at].max(most);
            table[at] = most;
        }
        table[1] = table[2 * PART - 1];
        table[2 * PART] = table[CELLS - 1];
        table[0] = table[PART];
        table[CELLS] = table[ENTRIES - 1];
        Self(table.into())
    }

    /// Always `length`.
    pub fn fixed(length: u64) -> Self {
        Self(vec![length.min(LONGEST); ENTRIES].into())
    }

    /// The same distribution at another pace, in millionths.
    #[must_use]
    pub fn times(&self, pace: u64) -> Self {
        let scaled = |entry: &u64| {
            let product = u128::from(*entry) * u128::from(pace) / 1_000_000;
            u64::try_from(product).map_or(LONGEST, |entry| entry.min(LONGEST))
        };
        Self(self.0.iter().map(scaled).collect())
    }

    /// The duration for a random number, in milliseconds.
    #[inline]
    pub fn sample(&self, draw: u64) -> u64 {
        look_up(&self.0, draw)
    }

    /// The duration that `per_mille` in a thousand do not exceed. 1,000 and more is the longest.
    pub fn quantile(&self, per_mille: u32) -> u64 {
        let share = (u128::from(per_mille.min(1000)) << 64) / 1000;
        look_up(&self.0, u64::try_from(share).unwrap_or(u64::MAX))
    }

    /// The mean, in milliseconds.
    pub fn mean(&self) -> u64 {
        let area = |part: &[u64]| -> u128 {
            let twice = part
                .windows(2)
                .map(|cell| u128::from(cell[0]) + u128::from(cell[1]));
            twice.sum()
        };
        let inner = area(&self.0[1..CELLS]) * CELLS as u128;
        let tails = area(&self.0[PART..2 * PART]) + area(&self.0[2 * PART..]);
        let cells = (2 * CELLS * CELLS) as u128;
        ((inner + tails + cells / 2) / cells) as u64
    }

    /// The share of outcomes that are shorter than `length`, and of those that are not longer. They differ where `length` has a
    /// share of its own, such as "exactly as estimated".
    pub fn shares(&self, length: u64) -> [f64; 2] {
        const SQUARE: f64 = (CELLS * CELLS) as f64;
        let parts = [
            (&self.0[1..CELLS], CELLS as f64 / SQUARE),
            (&self.0[PART..2 * PART], 1.0 / SQUARE),
            (&self.0[2 * PART..], 1.0 / SQUARE),
        ];
        let (mut below, mut at_most) = (0.0, 0.0);
        for (part, width) in parts {
            for cell in part.windows(2) {
                let (low, high) = (cell[0], cell[1]);
                if high > low {
                    let inside = length.clamp(low, high) - low;
                    let share = width * inside as f64 / (high - low) as f64;
                    below += share;
                    at_most += share;
                } else {
                    below += if high < length { width } else { 0.0 };
                    at_most += if high <= length { width } else { 0.0 };
                }
            }
        }
        [below, at_most]
    }

    pub(super) fn entries(&self) -> &[u64] {
        &self.0
    }
}

/// The quantile at `draw` / 2^64.
#[inline]
pub(super) fn look_up(table: &[u64], draw: u64) -> u64 {
    let (part, rest) = match draw >> 58 {
        0 => (PART, draw << 6),
        63 => (2 * PART, draw << 6),
        _ => (0, draw),
    };
    let at = part + (rest >> 58) as usize;
    let (low, high) = (table[at], table[at + 1]);
    let share = u128::from(rest << 6);
    low + ((u128::from(high - low) * share) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform(low: f64, high: f64) -> Quantiles {
        let levels = levels();
        Quantiles::tabulate(|place| low + (high - low) * levels[place])
    }

    #[test]
    fn a_straight_line_comes_back_straight() {
        let table = uniform(1000.0, 65_000.0);
        for (per_mille, expected) in [
            (0, 1002),
            (1, 1064),
            (15, 1960),
            (500, 33_000),
            (985, 64_040),
        ] {
            assert!(
                table.quantile(per_mille).abs_diff(expected) <= 1,
                "{per_mille}"
            );
        }
        assert!(table.quantile(1000).abs_diff(64_998) <= 1);
        assert!(table.mean().abs_diff(33_000) <= 1, "{}", table.mean());
    }

    #[test]
    fn what_cannot_be_a_duration_still_gives_one() {
        let odd = [f64::NAN, f64::INFINITY, -5.0, 1e300];
        let table = Quantiles::tabulate(|place| odd[place % 4]);
        assert_eq!(table.quantile(1000), LONGEST);
        let mut last = 0;
        for draw in (0..1 << 14).map(|n| n << 50) {
            let found = table.sample(draw);
            assert!(found >= last);
            last = found;
        }
        assert_eq!(Quantiles::fixed(u64::MAX).sample(u64::MAX), LONGEST);
        assert_eq!(Quantiles::fixed(7).mean(), 7);
    }
}
