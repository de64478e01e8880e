//! Which jobs can never go on at the same time: one follows from the other, or both together need more than there is.
//!
//! Elsewhere: cliques of them bound a schedule in [`super::floor`]; pairs of them are followed up in [`super::prove`].

use super::lanes::fits;
use super::model::Model;

/// Every pair of jobs.
pub struct Apart {
    len: usize,
    /// By pair: whether the first follows from the second, directly or through others.
    follows: Vec<bool>,
    /// By pair: whether both do not fit beside each other.
    beside: Vec<bool>,
}

impl Apart {
    /// The pairs of a model in which each job can be done in one way. The time grows with the jobs and the edges, multiplied.
    pub fn of(model: &Model) -> Self {
        let len = model.len();
        let mut follows = vec![false; len * len];
        for &job in &model.free {
            for &before in model.before.of(job) {
                for earlier in 0..len {
                    if earlier == before as usize || follows[before as usize * len + earlier] {
                        follows[job as usize * len + earlier] = true;
                    }
                }
            }
        }
        let too_many = |one: u32, other: u32| {
            let demands = |job: u32| &model.ways[job as usize][0].demand;
            demands(one).iter().any(|&(word, lanes)| {
                let left = model.empty[word as usize] - lanes;
                let with = demands(other).iter().find(|(at, _)| *at == word);
                with.is_some_and(|&(_, lanes)| !fits(left, lanes))
            })
        };
        let mut beside = vec![false; len * len];
        for &one in &model.free {
            for &other in &model.free {
                if one < other && too_many(one, other) {
                    beside[one as usize * len + other as usize] = true;
                    beside[other as usize * len + one as usize] = true;
                }
            }
        }
        Self {
            len,
            follows,
            beside,
        }
    }

    fn at(&self, one: u32, other: u32) -> usize {
        one as usize * self.len + other as usize
    }

    /// Whether one follows from the other.
    pub fn in_order(&self, one: u32, other: u32) -> bool {
        self.follows[self.at(one, other)] || self.follows[self.at(other, one)]
    }

    /// Whether two jobs can never go on at the same time.
    pub fn are(&self, one: u32, other: u32) -> bool {
        self.in_order(one, other) || self.beside[self.at(one, other)]
    }
}
