//! The proof beside the search: whether a schedule can be shorter than the best, and one that is.
//!
//! A proof that comes easily comes soon, and one that does not is of no use to a search, so it gets turns, between two populations and at the
//! end: a part of a budget that is counted, and as much work as the search has done of one that is not. It goes on where the last turn ended.
//!
//! Elsewhere: how it is proven is [`super::prove`]; whose turn it is, [`super::genetic`] says.

use super::floor::Floor;
use super::genetic::Found;
use super::model::Model;
use super::prove::{Answer, Prover};

/// How much of a counted budget is kept for the proof: the more jobs there are, the rarer it comes.
pub fn kept(schedules: u64, jobs: usize) -> u64 {
    let part = f64::min(0.25, 8.0 / jobs as f64);
    (schedules as f64 * part) as u64
}

/// What is proven so far.
#[derive(Debug)]
pub struct Proof<'m> {
    model: &'m Model,
    floor: &'m Floor,
    prover: Option<Prover>,
    bound: u32,
    on: bool,
}

impl<'m> Proof<'m> {
    /// Nothing is proven yet beyond the bounds. If not `on`, nothing will be.
    pub fn new(model: &'m Model, floor: &'m Floor, on: bool) -> Self {
        Self {
            model,
            floor,
            prover: None,
            bound: floor.bound,
            on: on && Prover::takes(model, floor),
        }
    }

    /// Whether turns are of use.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// No schedule is shorter.
    pub fn bound(&self) -> u32 {
        self.bound
    }

    /// Jobs looked at so far.
    pub fn looked_at(&self) -> u64 {
        self.prover.as_ref().map_or(0, Prover::looked_at)
    }

    /// Goes on, until `work` more jobs were looked at or `go_on` says no: gives the order of a schedule that is shorter than the best, or
    /// raises the bound to the best, or neither.
    pub fn turn(
        &mut self,
        best: &Found,
        work: u64,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<Vec<u32>> {
        if !self.on || best.makespan <= self.bound {
            return None;
        }
        let length = best.makespan - 1;
        let (model, floor) = (self.model, self.floor);
        let prover = self
            .prover
            .get_or_insert_with(|| Prover::new(model, floor, length));
        prover.shorten(length);
        prover.like(&best.starts);
        match prover.search(work, go_on) {
            Answer::Yes => {
                let starts = prover.starts();
                let mut order = model.free.clone();
                // Stable, and each is after all that it waits for already: so it stays, also where a job takes no time.
                order.sort_by_key(|&job| starts[job as usize]);
                Some(order)
            }
            Answer::No => {
                self.bound = best.makespan;
                None
            }
            Answer::Open => None,
        }
    }
}
