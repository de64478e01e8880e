//! The distribution of a number over many runs, in memory that does not grow with them.
//!
//! Numbers are counted in buckets that are at most a thousandth of their value wide (log-linear, as HdrHistogram by
//! G. Tene has them); sums, smallest and largest are exact. All of it is whole numbers, so adding up is the
//! same in any order and on any number of threads.

/// Buckets in each doubling: 2^10.
const BITS: u32 = 10;
/// The normal deviate of a two-sided interval of 95 %.
pub const Z95: f64 = 1.959_963_984_540_054;

/// A distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    count: u64,
    sum: u128,
    squares: u128,
    min: Option<u64>,
    max: u64,
    buckets: Vec<u32>,
}

impl Spread {
    /// Takes one number in.
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum += u128::from(value);
        self.squares = self
            .squares
            .saturating_add(u128::from(value) * u128::from(value));
        self.min = Some(self.min.map_or(value, |min| min.min(value)));
        self.max = self.max.max(value);
        let place = bucket(value);
        if place >= self.buckets.len() {
            self.buckets.resize(place + 1, 0);
        }
        self.buckets[place] += 1;
    }

    /// Takes all of another distribution in.
    pub fn merge(&mut self, other: &Spread) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares = self.squares.saturating_add(other.squares);
        self.min = match (self.min, other.min) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.max = self.max.max(other.max);
        if other.buckets.len() > self.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The smallest; 0 of none.
    pub fn min(&self) -> u64 {
        self.min.unwrap_or_default()
    }

    /// The largest; 0 of none.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The mean; 0 of none.
    pub fn mean(&self) -> f64 {
        match self.count {
            0 => 0.0,
            count => self.sum as f64 / count as f64,
        }
    }

    /// The standard deviation.
    pub fn deviation(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        let n = self.count as f64;
        let mean = self.mean();
        ((self.squares as f64 / n - mean * mean).max(0.0) * n / (n - 1.0)).sqrt()
    }

    /// Half of the 95 % confidence interval of the mean.
    pub fn mean_error(&self) -> f64 {
        match self.count {
            0 | 1 => f64::INFINITY,
            count => Z95 * self.deviation() / (count as f64).sqrt(),
        }
    }

    /// The number below which `part` (0 to 1) of all lie, within a thousandth of itself; 0 of none.
    pub fn quantile(&self, part: f64) -> u64 {
        self.at_rank((part * self.count as f64).ceil() as u64)
    }

    /// The 95 % confidence interval of a quantile, from the ranks between which it lies (binomial, by the normal
    /// approximation; Conover, Practical Nonparametric Statistics, 1971).
    pub fn quantile_interval(&self, part: f64) -> (u64, u64) {
        let n = self.count as f64;
        let middle = part * n;
        let half = Z95 * (n * part * (1.0 - part)).sqrt();
        let low = (middle - half).floor().max(1.0) as u64;
        let high = ((middle + half).ceil() as u64 + 1).min(self.count);
        (self.at_rank(low), self.at_rank(high))
    }

    fn at_rank(&self, rank: u64) -> u64 {
        let rank = rank.clamp(1, self.count.max(1));
        let mut before = 0;
        for (place, count) in self.buckets.iter().enumerate() {
            before += u64::from(*count);
            if before >= rank {
                let (low, width) = bounds(place);
                return (low + width / 2).clamp(self.min(), self.max);
            }
        }
        self.max
    }

    /// Its shape in `bars` bars of equal width. A long tail does not squash what is before it: where the last hundredth takes
    /// up much of the whole width, the bars end before it, and it is counted apart.
    pub fn shape(&self, bars: usize) -> Shape {
        let (from, most) = (self.min(), self.max);
        let end = self.quantile(0.99).max(from + 1);
        let is_long = u128::from(most - from) * 4 > u128::from(end - from) * 5;
        let to = if is_long { end } else { most };
        let mut shape = Shape {
            from,
            to,
            bars: vec![0; bars],
            beyond: 0,
        };
        let width = (to - from).max(1) as f64;
        for (place, count) in self
            .buckets
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let (low, wide) = bounds(place);
            let middle = (low + wide / 2).clamp(from, most);
            if middle > to {
                shape.beyond += u64::from(*count);
                continue;
            }
            let at = ((middle - from) as f64 / width * bars as f64) as usize;
            shape.bars[at.min(bars - 1)] += u64::from(*count);
        }
        shape
    }
}

/// A distribution as bars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Where the first begins.
    pub from: u64,
    /// Where the last ends.
    pub to: u64,
    /// How many numbers are in each.
    pub bars: Vec<u64>,
    /// How many lie beyond the last.
    pub beyond: u64,
}

/// The bucket of a value.
fn bucket(value: u64) -> usize {
    let doublings = 64 - value.leading_zeros();
    if doublings <= BITS {
        return value as usize;
    }
    let shift = doublings - BITS - 1;
    // From the highest bit on, `BITS` bits and the bit itself.
    ((shift as usize) << BITS) + (value >> shift) as usize
}

/// The smallest value of a bucket and how many values it has.
fn bounds(place: usize) -> (u64, u64) {
    let place = place as u64;
    if place < 1 << (BITS + 1) {
        return (place, 1);
    }
    let shift = (place >> BITS) - 1;
    let low = (place - (shift << BITS)) << shift;
    (low, 1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_its_bucket_and_buckets_are_narrow() {
        let mut last = 0;
        for value in (0..5_000u64)
            .chain((0..54).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1, 3 << bit]))
        {
            let (low, width) = bounds(bucket(value));
            assert!(
                (low..low + width).contains(&value),
                "{value}: {low} {width}"
            );
            assert!(width == 1 || width * 1_000 <= value, "{value}: {width}");
        }
        for place in 0..20_000 {
            let (low, width) = bounds(place);
            assert_eq!(low, last, "bucket {place} begins where the one before ends");
            last = low + width;
        }
    }

    #[test]
    fn quantiles_of_a_known_distribution() {
        let mut spread = Spread::default();
        for value in 1..=10_000 {
            spread.add(value * 1_000);
        }
        for part in [0.01, 0.5, 0.85, 0.95, 1.0] {
            let expected = part * 10_000_000.0;
            let found = spread.quantile(part) as f64;
            assert!(
                (found - expected).abs() <= expected / 1_000.0 + 1_000.0,
                "{part}: {found}"
            );
            let (low, high) = spread.quantile_interval(part);
            assert!(
                low as f64 <= expected * 1.001 && high as f64 >= expected * 0.999,
                "{part}: {low} {high}"
            );
        }
        assert_eq!(spread.mean(), 5_000_500.0);
        assert!(
            (spread.deviation() - 2_886_895.6).abs() < 1.0,
            "{}",
            spread.deviation()
        );
    }

    #[test]
    fn a_long_tail_is_counted_apart_and_a_short_one_is_not() {
        let of = |values: &mut dyn Iterator<Item = u64>| {
            let mut spread = Spread::default();
            values.for_each(|value| spread.add(value));
            spread.shape(10)
        };
        let even = of(&mut (1_000..2_000));
        assert_eq!((even.from, even.to, even.beyond), (1_000, 1_999, 0));
        assert_eq!(even.bars, [100; 10]);
        let tail = of(&mut (1_000..2_000).chain([90_000, 95_000]));
        assert_eq!(tail.beyond + tail.bars.iter().sum::<u64>(), 1_002);
        assert!(
            tail.to < 2_000 && (2..=12).contains(&tail.beyond),
            "{tail:?}"
        );
        assert_eq!(
            of(&mut [7; 5].into_iter()).bars,
            [5, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        );
    }

    #[test]
    fn in_parts_or_as_a_whole_it_is_the_same() {
        let (mut whole, mut one, mut other) =
            (Spread::default(), Spread::default(), Spread::default());
        for value in 0..1_000u64 {
            let value = value * value * 37;
            whole.add(value);
            if value % 3 == 0 {
                one.add(value)
            } else {
                other.add(value)
            }
        }
        let mut merged = other.clone();
        merged.merge(&one);
        one.merge(&other);
        assert_eq!((&one, &merged), (&whole, &whole));
    }
}
