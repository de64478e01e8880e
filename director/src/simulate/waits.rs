//! Waits without memory: the exponential distribution, as a table that is multiplied by the mean.
//!
//! Elsewhere: how long work takes is [`crate::estimate`].

use crate::estimate::random::below;

/// The inverse of the distribution function, in 2^-20 of the mean, cut where one in ten thousand would be longer.
#[derive(Clone, Debug)]
pub struct Waits([u64; STEPS + 1]);

const STEPS: usize = 512;
const ONE: u64 = 1 << 20;

impl Waits {
    /// The table. `-ln(1 - u)` at even steps is `ln 2` times the number of halvings, so it is made by multiplication
    /// alone: each step keeps 511/512, 510/511 … of what is left.
    pub fn new() -> Self {
        let mut table = [0; STEPS + 1];
        // ln(k / (k - 1)) = 2 artanh(1 / (2k - 1)), by its series; the last step is cut.
        let mut sum = 0.0;
        for (step, entry) in table.iter_mut().enumerate().take(STEPS).skip(1) {
            let k = (STEPS + 1 - step) as f64;
            let x = 1.0 / (2.0 * k - 1.0);
            let (mut term, mut part) = (x, 0.0);
            for odd in (1..40).step_by(2) {
                part += term / f64::from(odd);
                term *= x * x;
            }
            sum += 2.0 * part;
            *entry = (sum * ONE as f64) as u64;
        }
        // Beyond the last step the mean of what is left is one more mean.
        table[STEPS] = table[STEPS - 1] + 2 * ONE;
        Self(table)
    }

    /// A wait of that mean, at the quantile `draw / 2^64`.
    pub fn at(&self, draw: u64, mean: u64) -> u64 {
        let steps = STEPS as u64;
        let place = below(draw, steps) as usize;
        let (from, to) = (self.0[place], self.0[place + 1]);
        let part = from + below(draw.wrapping_mul(steps), to - from + 1);
        ((u128::from(mean) * u128::from(part)) >> 20) as u64
    }
}

impl Default for Waits {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::random::{Luck, Purpose};

    #[test]
    fn waits_have_their_mean_and_as_much_spread() {
        let (waits, n) = (Waits::new(), 200_000u64);
        let draws: Vec<f64> = (0..n)
            .map(|run| waits.at(Luck::of(5, run).draw(0, 0, Purpose::Answer), 1_000_000) as f64)
            .collect();
        let mean = draws.iter().sum::<f64>() / n as f64;
        let second = draws.iter().map(|x| x * x).sum::<f64>() / n as f64;
        assert!((mean / 1e6 - 1.0).abs() < 0.01, "{mean}");
        // The mean of the squares is twice the square of the mean.
        assert!((second / 2e12 - 1.0).abs() < 0.03, "{second}");
    }
}
