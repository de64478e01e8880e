//! Chance by counting: a number for each question that can be asked in a simulated run, the same whenever it is asked.
//!
//! A draw is a function of seed, run, task, attempt and purpose, and of nothing else. So it does not matter which thread asks,
//! in which order, or what else is asked: a run with one agent more meets the same luck task by task (common random
//! numbers), and differs only by what the agent changes.
//!
//! The function is SplitMix64's: a counter times the golden ratio, put through Stafford's finaliser "Mix13" (Steele, Lea, Flood,
//! "Fast splittable pseudorandom number generators", OOPSLA 2014, figure 14). Not for secrets.
//!
//! Elsewhere: what a draw means as a duration is [`super::quantiles`].

/// The golden ratio as a fraction of 2^64, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a draw is for. Each question about an attempt has its own, so that no two share their luck.
///
/// The numbers are part of what a seed means: a new purpose gets a new one, none is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Purpose {
    /// How long the work takes.
    Duration = 1,
    /// Whether the attempt fails.
    Failure = 2,
    /// When it fails, as a share of its duration.
    FailureTime = 3,
    /// Whether the agent dies.
    Crash = 4,
    /// Whether the agent hangs.
    Hang = 5,
    /// Whether it is blocked.
    Blocker = 6,
    /// How badly.
    Severity = 7,
    /// How long an answer takes.
    Answer = 8,
    /// Whether a review asks for changes.
    Review = 9,
    /// Whether the merge conflicts.
    Conflict = 10,
    /// Whether a gate is red.
    Gate = 11,
    /// How long a gate takes.
    GateTime = 12,
    /// What the attempt costs.
    Cost = 13,
    /// How long a merge takes.
    MergeTime = 14,
    /// Anything that is not about one attempt.
    Other = 15,
    /// How an attempt ends: well, or in one of the ways in which it can go wrong.
    Fate = 16,
    /// How far an attempt gets before it ends badly, as a share of its work.
    Moment = 17,
    /// How much of the work a rejection costs again.
    Rework = 18,
    /// Whether git or the disk refuses something.
    Refusal = 19,
    /// When the provider next limits the rate.
    Window = 20,
    /// Whether an agent that is asked has an answer.
    Advice = 21,
    /// The jitter of restarts.
    Restart = 22,
}

/// The luck of one run. Cheap to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Luck(u64);

impl Luck {
    /// That of run number `run` of `seed`.
    pub fn of(seed: u64, run: u64) -> Self {
        Self(mix(
            mix(seed.wrapping_add(GOLDEN)) ^ run.wrapping_mul(GOLDEN)
        ))
    }

    /// Sixty-four random bits for one question. Attempts that are 2^20 apart share their luck.
    #[inline]
    pub fn draw(self, task: u32, attempt: u32, purpose: Purpose) -> u64 {
        let counter = u64::from(task) << 32 | u64::from(attempt & 0xf_ffff) << 12 | purpose as u64;
        mix(self.0.wrapping_add(counter.wrapping_mul(GOLDEN)))
    }

    /// As many draws as are wanted for one question; the first is [`Luck::draw`]'s.
    pub fn draws(self, task: u32, attempt: u32, purpose: Purpose) -> impl Iterator<Item = u64> {
        let first = self.draw(task, attempt, purpose);
        let next = |last: &u64| Some(mix(last.wrapping_add(GOLDEN)));
        std::iter::successors(Some(first), next)
    }
}

/// A number below `end`, every one as likely but for a part in 2^64 / `end`. 0 for an `end` of 0.
#[inline]
pub fn below(draw: u64, end: u64) -> u64 {
    ((u128::from(draw) * u128::from(end)) >> 64) as u64
}

/// Whether something happens that does so `per_million` times in a million.
#[inline]
pub fn happens(draw: u64, per_million: u32) -> bool {
    below(draw, 1_000_000) < u64::from(per_million)
}

/// Every bit of the answer depends on every bit of `z`; no two answers are equal.
#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_the_authors_publish() {
        // The first outputs of SplitMix64 from seed 1234567, as in the test vectors of several implementations.
        let stream: Vec<u64> = (1..=3_u64)
            .map(|n| mix(1_234_567_u64.wrapping_add(n.wrapping_mul(GOLDEN))))
            .collect();
        assert_eq!(
            stream,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn a_draw_depends_on_all_of_its_question_and_on_nothing_else() {
        let draw =
            |seed, run, task, attempt, purpose| Luck::of(seed, run).draw(task, attempt, purpose);
        let first = draw(1, 2, 3, 4, Purpose::Duration);
        assert_eq!(first, draw(1, 2, 3, 4, Purpose::Duration));
        for (what, other) in [
            ("seed", draw(2, 2, 3, 4, Purpose::Duration)),
            ("run", draw(1, 3, 3, 4, Purpose::Duration)),
            ("task", draw(1, 2, 4, 4, Purpose::Duration)),
            ("attempt", draw(1, 2, 3, 5, Purpose::Duration)),
            ("purpose", draw(1, 2, 3, 4, Purpose::Failure)),
        ] {
            assert_ne!(first, other, "{what}");
        }
        let mut draws = Luck::of(1, 2).draws(3, 4, Purpose::Duration);
        assert_eq!(draws.next(), Some(first));
        assert_ne!(draws.next(), Some(first));
    }

    /// Pearson's chi-square over 64 cells: runs, tasks and purposes beside each other are spread evenly and do
    /// not go together. 63 degrees of freedom: 99.9 % lie below 103.4.
    #[test]
    fn neighbouring_questions_have_independent_answers() {
        let spread = |of: &dyn Fn(u64) -> (u64, u64)| -> f64 {
            let mut cells = [0_u32; 64];
            for n in 0..64_000 {
                let (one, other) = of(n);
                cells[(below(one, 8) * 8 + below(other, 8)) as usize] += 1;
            }
            let off = |&cell: &u32| (f64::from(cell) - 1000.0).powi(2) / 1000.0;
            cells.iter().map(off).sum()
        };
        for (case, found) in [
            (
                "runs",
                spread(&|n| {
                    let draw = |run| Luck::of(7, run).draw(5, 1, Purpose::Duration);
                    (draw(n), draw(n + 1))
                }),
            ),
            (
                "tasks",
                spread(&|n| {
                    let draw = |task| Luck::of(7, 0).draw(task, 1, Purpose::Duration);
                    (draw(n as u32), draw(n as u32 + 1))
                }),
            ),
            (
                "purposes",
                spread(&|n| {
                    let luck = Luck::of(7, n);
                    (
                        luck.draw(5, 1, Purpose::Duration),
                        luck.draw(5, 1, Purpose::Failure),
                    )
                }),
            ),
            (
                "draws of one question",
                spread(&|n| {
                    let mut draws = Luck::of(7, n).draws(5, 1, Purpose::Other);
                    (draws.next().unwrap(), draws.next().unwrap())
                }),
            ),
        ] {
            assert!(found < 103.4, "{case}: {found}");
        }
    }

    #[test]
    fn shares_and_ranges_keep_to_their_ends() {
        assert_eq!((below(0, 10), below(u64::MAX, 10), below(9, 0)), (0, 9, 0));
        assert!(!happens(0, 0) && happens(u64::MAX, 1_000_000));
        let hits = (0..100_000).filter(|run| {
            let draw = Luck::of(1, *run).draw(0, 1, Purpose::Failure);
            happens(draw, 50_000)
        });
        let hits = hits.count();
        assert!((4_750..5_250).contains(&hits), "{hits} of 5,000");
    }
}
