//! Who is restarted together with a child that failed. Pure.

use std::ops::Range;

/// What a failure of one child means for its siblings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Nothing: only the child that failed is restarted.
    #[default]
    OneForOne,
    /// All children are stopped and restarted.
    OneForAll,
    /// The children started after it are stopped and restarted with it.
    RestForOne,
}

impl Strategy {
    /// The children affected when the one at `failed` of `count`, in start order, fails.
    pub fn affected(self, failed: usize, count: usize) -> Range<usize> {
        match self {
            Strategy::OneForOne => failed..failed + 1,
            Strategy::OneForAll => 0..count,
            Strategy::RestForOne => failed..count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_names_the_children_affected() {
        for (strategy, failed, expected) in [
            (Strategy::OneForOne, 1, 1..2),
            (Strategy::OneForAll, 1, 0..4),
            (Strategy::RestForOne, 1, 1..4),
            (Strategy::RestForOne, 3, 3..4),
        ] {
            assert_eq!(
                strategy.affected(failed, 4),
                expected,
                "case: {strategy:?} {failed}"
            );
        }
    }
}
