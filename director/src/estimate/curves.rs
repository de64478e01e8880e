//! The curves that estimates are read as: PERT's beta distribution and the lognormal.
//!
//! - **PERT** (Malcolm, Roseboom, Clark, Fazar, Operations Research 7, 1959): from the optimistic `o` to the pessimistic `p` with the
//!   likely `m` as mode, a beta distribution with exponents `1 + 4 (m-o)/(p-o)` and `1 + 4 (p-m)/(p-o)`. Its mean is
//!   `(o + 4m + p) / 6`.
//! - **Lognormal** with the mean of PERT and its customary standard deviation, `(p - o) / 6`: the same estimate with a long tail.
//!
//! Elementary functions are those of `libm`, which gives the same bits on every machine; only additions, products and quotients are
//! made here. Results are good to about a part in 10^5, well below what an estimate knows.

use director_protocols::sprint::Estimate;

use super::quantiles::{ENTRIES, Quantiles, levels};

/// Cells of the integral of the beta density.
const STEPS: usize = 256;

/// What does not depend on the estimate, computed once.
#[derive(Clone, Debug)]
pub struct Curves {
    levels: [f64; ENTRIES],
    /// The standard normal's quantile at each level.
    normal: [f64; ENTRIES],
    /// At each end and middle of a cell: the place in 0..1, and the logarithms of sine and cosine there.
    grid: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    x: f64,
    ln_sin: f64,
    ln_cos: f64,
}

impl Default for Curves {
    fn default() -> Self {
        let levels = levels();
        let quarter = std::f64::consts::FRAC_PI_2;
        let grid = (0..=2 * STEPS).map(|at| {
            let angle = quarter * at as f64 / (2 * STEPS) as f64;
            let (sin, cos) = (libm::sin(angle), libm::cos(angle));
            Node {
                x: sin * sin,
                ln_sin: libm::log(sin),
                ln_cos: libm::log(cos),
            }
        });
        Self {
            levels,
            normal: levels.map(normal_quantile),
            grid: grid.collect(),
        }
    }
}

impl Curves {
    /// PERT's beta distribution. All three points equal, or out of order: always the likely one.
    pub fn pert(&self, estimate: &Estimate) -> Quantiles {
        let [low, likely, high] = points(estimate);
        if !(low <= likely && likely <= high && low < high) {
            return Quantiles::fixed(estimate.likely.0);
        }
        let range = high - low;
        let (left, right) = (
            1.0 + 4.0 * (likely - low) / range,
            1.0 + 4.0 * (high - likely) / range,
        );
        let shares = self.beta_shares(left, right);
        Quantiles::tabulate(|place| low + range * self.beta_quantile(&shares, self.levels[place]))
    }

    /// The lognormal of the same mean and standard deviation. Without spread: always the mean.
    pub fn lognormal(&self, estimate: &Estimate) -> Quantiles {
        let [low, likely, high] = points(estimate);
        let (mean, deviation) = ((low + 4.0 * likely + high) / 6.0, (high - low) / 6.0);
        if !(mean > 0.0 && deviation > 0.0) {
            return Quantiles::fixed(estimate.mean().0);
        }
        let variance = libm::log(1.0 + (deviation / mean) * (deviation / mean));
        self.lognormal_of(libm::log(mean) - variance / 2.0, libm::sqrt(variance))
    }

    /// The lognormal whose logarithm has the mean `mu` and the standard deviation `sigma`.
    pub fn lognormal_of(&self, mu: f64, sigma: f64) -> Quantiles {
        Quantiles::tabulate(|place| libm::exp(mu + sigma * self.normal[place]))
    }

    /// How much of the beta distribution lies below the end of each cell, from 0 to 1.
    ///
    /// With x = sin² t the density is smooth at both ends: 2 sin^(2a-1) t cos^(2b-1) t. Simpson's rule over each cell.
    fn beta_shares(&self, left: f64, right: f64) -> Vec<f64> {
        let (of_sin, of_cos) = (2.0 * left - 1.0, 2.0 * right - 1.0);
        // At the two ends the density is 0: the exponents are at least 1, and the logarithm there is minus infinity.
        let density = |node: &Node| libm::exp(of_sin * node.ln_sin + of_cos * node.ln_cos);
        let mut shares = Vec::with_capacity(STEPS + 1);
        let mut sum = 0.0;
        shares.push(sum);
        let mut before = density(&self.grid[0]);
        for cell in self.grid[1..].chunks_exact(2) {
            let (middle, after) = (density(&cell[0]), density(&cell[1]));
            sum += before + 4.0 * middle + after;
            shares.push(sum);
            before = after;
        }
        for share in &mut shares {
            *share /= sum;
        }
        shares
    }

    /// Where `level` of the beta distribution lies below, from 0 to 1.
    fn beta_quantile(&self, shares: &[f64], level: f64) -> f64 {
        let end = shares
            .partition_point(|share| *share < level)
            .clamp(1, STEPS);
        let (below, above) = (shares[end - 1], shares[end]);
        let (from, to) = (self.grid[2 * end - 2].x, self.grid[2 * end].x);
        if above > below {
            from + (to - from) * (level - below) / (above - below)
        } else {
            to
        }
    }
}

fn points(estimate: &Estimate) -> [f64; 3] {
    [estimate.optimistic, estimate.likely, estimate.pessimistic].map(|span| span.0 as f64)
}

/// The standard normal's quantile, by halving: for a table that is made once, that is fast enough.
fn normal_quantile(level: f64) -> f64 {
    let below = |z: f64| 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if below(middle) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use director_protocols::time::Span;

    const HOUR: f64 = 3_600_000.0;

    fn hours(optimistic: f64, likely: f64, pessimistic: f64) -> Estimate {
        let [optimistic, likely, pessimistic] =
            [optimistic, likely, pessimistic].map(|hours| Span((hours * HOUR) as u64));
        Estimate {
            optimistic,
            likely,
            pessimistic,
        }
    }

    /// Mean and variance in hours by drawing at the middles of 2^16 equal shares.
    fn moments(table: &Quantiles) -> (f64, f64) {
        let draws = (0..1_u64 << 16).map(|n| (n << 48) + (1 << 47));
        let values: Vec<f64> = draws.map(|draw| table.sample(draw) as f64 / HOUR).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|value| (value - mean).powi(2));
        (mean, square.sum::<f64>() / values.len() as f64)
    }

    #[test]
    fn pert_has_the_moments_of_its_beta_distribution() {
        for (low, likely, high) in [
            (1.0, 4.0, 10.0),
            (2.0, 2.0, 8.0),
            (2.0, 8.0, 8.0),
            (0.0, 1.0, 100.0),
            (5.0, 5.01, 5.02),
        ] {
            let table = Curves::default().pert(&hours(low, likely, high));
            let mean = (low + 4.0 * likely + high) / 6.0;
            // Of a beta distribution with exponents a + b = 6, stretched over the range.
            let variance = (mean - low) * (high - mean) / 7.0;
            let found = moments(&table);
            let case = format!("{low} {likely} {high}: {found:?} for {mean} {variance}");
            assert!((found.0 - mean).abs() < 3e-4 * (high - low), "{case}");
            assert!((found.1 / variance - 1.0).abs() < 4e-3, "{case}");
            let own = table.mean() as f64 / HOUR;
            assert!((own - found.0).abs() < 1e-4 * (high - low), "{case}: {own}");
        }
    }

    #[test]
    fn pert_has_the_quantiles_of_its_beta_distribution() {
        // With the mode at an end: F(x) = 1 - (1-x)^5 and x^5. In the middle, exponents 3 and 3: x^3 (10 - 15x + 6x^2).
        let inverse = |of: &dyn Fn(f64) -> f64, level: f64| {
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..60 {
                let middle = (low + high) / 2.0;
                *(if of(middle) < level {
                    &mut low
                } else {
                    &mut high
                }) = middle;
            }
            low
        };
        let curves = Curves::default();
        for (estimate, share) in [
            (
                hours(0.0, 0.0, 1000.0),
                (|x: f64| 1.0 - (1.0 - x).powi(5)) as fn(f64) -> f64,
            ),
            (hours(0.0, 1000.0, 1000.0), |x: f64| x.powi(5)),
            (hours(0.0, 500.0, 1000.0), |x: f64| {
                x.powi(3) * (10.0 - 15.0 * x + 6.0 * x * x)
            }),
        ] {
            let table = curves.pert(&estimate);
            for per_mille in [1, 10, 50, 100, 250, 500, 750, 850, 900, 950, 990, 999] {
                let found = table.quantile(per_mille) as f64 / HOUR / 1000.0;
                let exact = inverse(&share, f64::from(per_mille) / 1000.0);
                assert!(
                    (found - exact).abs() < 1.5e-3,
                    "{estimate:?} at {per_mille}: {found} for {exact}"
                );
            }
        }
    }

    #[test]
    fn the_lognormal_has_its_moments_and_quantiles() {
        let table = Curves::default().lognormal(&hours(1.0, 4.0, 10.0));
        let (mean, deviation) = (4.5_f64, 1.5_f64);
        let variance = (1.0 + (deviation / mean).powi(2)).ln();
        let (mu, sigma) = (mean.ln() - variance / 2.0, variance.sqrt());
        let found = moments(&table);
        assert!((found.0 / mean - 1.0).abs() < 1e-3, "{found:?}");
        assert!((found.1.sqrt() / deviation - 1.0).abs() < 1e-2, "{found:?}");
        for (per_mille, z) in [
            (10, -2.326_348),
            (50, -1.644_854),
            (500, 0.0),
            (850, 1.036_433),
            (950, 1.644_854),
            (990, 2.326_348),
        ] {
            let exact = (mu + sigma * z).exp();
            let found = table.quantile(per_mille) as f64 / HOUR;
            assert!(
                (found / exact - 1.0).abs() < 2e-3,
                "{per_mille}: {found} for {exact}"
            );
        }
    }

    #[test]
    fn estimates_without_spread_or_out_of_order_are_fixed() {
        let curves = Curves::default();
        for (estimate, expected) in [
            (hours(3.0, 3.0, 3.0), 3.0),
            (hours(0.0, 0.0, 0.0), 0.0),
            (hours(5.0, 3.0, 8.0), 3.0),
        ] {
            let table = curves.pert(&estimate);
            assert_eq!(table, Quantiles::fixed((expected * HOUR) as u64));
        }
        let huge = Estimate::point(Span(u64::MAX));
        assert_eq!(
            curves.lognormal(&huge).mean(),
            super::super::quantiles::LONGEST
        );
    }
}
