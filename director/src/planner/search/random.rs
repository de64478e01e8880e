//! Numbers that look like chance and come again with the same seed.
//!
//! Steele, Lea and Flood's SplitMix64 (OOPSLA 2014): one addition and a mix, full period, and any seed is a good one.
//! The order of the numbers is part of a plan's reproducibility, so no library may change it under us.

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed; `stream` tells apart those of one seed, as islands need.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed);
        Self(random.draw().wrapping_add(Self(!stream).draw()))
    }

    /// 64 bits.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `most`; 0 when there is none. Biased by less than `most` in 2^32.
    #[inline]
    pub fn below(&mut self, most: usize) -> usize {
        ((u128::from(self.draw()) * most as u128) >> 64) as usize
    }

    /// Whether something of probability `share` in 1,024 happens.
    #[inline]
    pub fn chance(&mut self, share: u64) -> bool {
        self.draw() >> 54 < share
    }

    /// A number from 0 up to, and without, 1.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_its_stream_and_every_number_below_comes() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..100).map(|_| random.below(7)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(2, 0));
        let mut seen = draw(1, 0);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(Random::new(1, 0).below(0), 0);
    }
}
