//! The proof: is there a schedule of a given length? A search that learns from each dead end, and says yes with a schedule, or no.
//!
//! Starts are bounded, not chosen: what follows from the bounds is followed up (edges, what others cover, what was learnt), and only then is one
//! more bound tried. When nothing fits any more, the reasons are traced back to a few bounds that cannot hold together; their
//! contrary is learnt, and the search goes back to where that already says something (lazy clause generation: Ohrimenko, Stuckey and
//! Codish, Constraints 14, 2009; on this problem Schutt, Feydy, Stuckey and Wallace, Constraints 16, 2011). What is tried next is what was in the
//! way most often of late, on the side on which the best schedule has it.
//!
//! Work is counted in jobs that were looked at, whenever a bound of theirs has risen or the table may raise one, as a pass counts jobs that it places.
//!
//! Invariant: a no is true of every schedule that keeps the model; a yes comes with a schedule.
//! Elsewhere: what is learnt of a dead end is in `learn.rs`; short schedules are found by [`super::genetic`] first, and this search begins below
//! the best of them.

pub mod clauses;
mod learn;
pub mod table;
pub mod trail;

use clauses::{Clauses, Unit};
use learn::Needed;
use table::{Load, Table};
use trail::{Fact, Reason, Trail, is_start};

use super::apart::Apart;
use super::decode::less;
use super::floor::Floor;
use super::model::{Model, Rows};

/// What came of a search for a schedule of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is one: see [`Prover::starts`].
    Yes,
    /// There is none.
    No,
    /// The work ran out first.
    Open,
}

/// A search for schedules no longer than some length, which can be shortened again and again.
#[derive(Clone, Debug)]
pub struct Prover {
    /// Its jobs by place: those of the model that are free.
    jobs: Vec<u32>,
    before: Vec<Vec<u32>>,
    after: Vec<Vec<u32>>,
    /// By job: those that do not fit beside it.
    apart: Vec<Vec<u32>>,
    duration: Vec<i32>,
    tail: Vec<i32>,
    trail: Trail,
    clauses: Clauses,
    table: Table,
    /// Rises that were followed up.
    followed: usize,
    /// By job and tick: how much it was in the way that the job starts before it, or not.
    heat: Vec<f64>,
    ticks: usize,
    step: f64,
    /// By job: where the best schedule has it.
    like: Vec<i32>,
    looked_at: u64,
    restarts: u64,
    /// No schedule ends before it.
    fixed_end: u32,
    /// Clauses until half of them are forgotten.
    room: usize,
    /// Whether there is no schedule of the length.
    closed: bool,
    needed: Needed,
    /// By job of the model: its start.
    found: Vec<u32>,
}

/// Jobs up to which pairs are looked at, and jobs by ticks up to which it is known how much is in the way.
const JOBS_MOST: usize = 250;
const SIZE_MOST: usize = 200_000;
/// Conflicts until the first restart, in the units of Luby, Sinclair and Zuckerman (Information Processing Letters 47, 1993).
const RESTART: u64 = 100;
/// Clauses until half of them are forgotten for the first time, and how many more until the next.
const CLAUSES: usize = 2000;
const MORE: usize = 300;

impl Prover {
    /// Whether a model is of the kind that is searched: one way for each job, and not too large.
    pub fn takes(model: &Model, floor: &Floor) -> bool {
        let jobs = model.free.len();
        // Nobody asks for a schedule that is longer than all jobs in a row, which the horizon bounds.
        let ticks = (model.horizon as usize).max(floor.bound as usize) + 1;
        !model.has_choice() && jobs <= JOBS_MOST && jobs * ticks <= SIZE_MOST
    }

    /// A search for schedules of at most `length` of a model that it [takes](Self::takes).
    pub fn new(model: &Model, floor: &Floor, length: u32) -> Self {
        let jobs = model.free.clone();
        let mut place = vec![u32::MAX; model.len()];
        for (at, &job) in (0..).zip(&jobs) {
            place[job as usize] = at;
        }
        let row = |rows: &Rows, job: u32| -> Vec<u32> {
            let of = rows.of(job).iter().map(|&other| place[other as usize]);
            of.filter(|&other| other != u32::MAX).collect()
        };
        let rows = |of: &Rows| jobs.iter().map(|&job| row(of, job)).collect();
        let way = |&job: &u32| &model.ways[job as usize][0];
        let duration: Vec<i32> = jobs.iter().map(|job| way(job).duration as i32).collect();
        let tail = |&job: &u32| floor.tail[job as usize] as i32;
        let tail: Vec<i32> = jobs.iter().map(tail).collect();
        let load = |job: &u32| {
            let demand = way(job).demand.iter();
            Load {
                duration: way(job).duration as i32,
                demand: demand.map(|&(word, lanes)| (word as u16, lanes)).collect(),
            }
        };
        let loads = jobs.iter().map(load).collect();
        let ticks = length as usize + 1;
        let mut empty: Vec<u64> = model
            .empty
            .iter()
            .flat_map(|&word| std::iter::repeat_n(word, ticks))
            .collect();
        for taken in &model.taken {
            let row = taken.word as usize * ticks;
            for tick in (taken.from as usize..taken.to as usize).take_while(|&tick| tick < ticks) {
                empty[row + tick] = less(empty[row + tick], taken.lanes);
            }
        }
        let apart = Apart::of(model);
        let beside = |one: &u32| {
            let others = jobs.iter().filter(|other| {
                let long = way(one).duration.min(way(other).duration) > 0;
                long && apart.are(*one, **other) && !apart.in_order(*one, **other)
            });
            others.map(|&other| place[other as usize]).collect()
        };
        let start = |job: usize| model.fixed[job].map_or(0, |fixed| fixed.start);
        let mut now = Vec::with_capacity(2 * jobs.len());
        for (at, &job) in jobs.iter().enumerate() {
            now.push(floor.head[job as usize] as i32);
            now.push(-(length as i32 - tail[at] - duration[at]));
        }
        let sides = now.len();
        let closed = model.fixed_end > length || now.chunks(2).any(|sides| sides[0] > -sides[1]);
        Self {
            before: rows(&model.before),
            after: rows(&model.after),
            apart: jobs.iter().map(beside).collect(),
            found: (0..model.len()).map(start).collect(),
            heat: vec![0.0; jobs.len() * ticks],
            like: vec![0; jobs.len()],
            jobs,
            duration,
            tail,
            trail: Trail::new(now),
            clauses: Clauses::new(sides),
            table: Table::new(loads, empty, ticks),
            followed: 0,
            ticks,
            step: 1.0,
            looked_at: 0,
            restarts: 0,
            fixed_end: model.fixed_end,
            room: CLAUSES,
            closed,
            needed: Needed::new(sides),
        }
    }

    /// Where a schedule that is known has the jobs: tries go its way.
    pub fn like(&mut self, starts: &[u32]) {
        for (like, &job) in self.like.iter_mut().zip(&self.jobs) {
            *like = starts[job as usize] as i32;
        }
    }

    /// Jobs looked at so far.
    pub fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// By job of the model: where the schedule that was found has it.
    pub fn starts(&self) -> &[u32] {
        &self.found
    }

    /// From now on only schedules of at most `length`, which is no more than before.
    pub fn shorten(&mut self, length: u32) {
        self.leave(0);
        self.closed |= length < self.fixed_end;
        for job in 0..self.jobs.len() as u32 {
            let at = job as usize;
            let fact = Fact::not_after(job, length as i32 - self.tail[at] - self.duration[at]);
            if self.trail.fails(fact) {
                self.closed = true;
            } else if !self.trail.holds(fact) {
                self.trail.raise(fact, Reason::Tried);
                self.table.touch(job);
            }
        }
    }

    /// Searches until there is an answer, or `work` more jobs were looked at, or `go_on` says no.
    pub fn search(&mut self, work: u64, go_on: &mut dyn FnMut() -> bool) -> Answer {
        let end = self.looked_at.saturating_add(work);
        let mut patience = self.patience();
        loop {
            if self.closed {
                return Answer::No;
            }
            if let Err(facts) = self.follow() {
                self.learn(facts);
                patience = patience.saturating_sub(1);
                if self.looked_at >= end || !go_on() {
                    return Answer::Open;
                }
                continue;
            }
            if self.trail.level() == 0 {
                self.trail.settle();
                self.followed = 0;
            }
            if patience == 0 {
                self.restarts += 1;
                patience = self.patience();
                self.leave(0);
                if self.clauses.count() > self.room {
                    self.clauses.forget(&self.trail);
                    self.room += MORE;
                }
                continue;
            }
            let Some(fact) = self.next() else {
                for (at, &job) in (0..).zip(&self.jobs) {
                    self.found[job as usize] = self.trail.first(at) as u32;
                }
                return Answer::Yes;
            };
            self.trail.try_next();
            self.raise(fact, Reason::Tried);
        }
    }

    /// Conflicts until the next restart.
    fn patience(&self) -> u64 {
        let mut at = self.restarts + 1;
        // The sequence 1 1 2 1 1 2 4 ...: at 2^k - 1 it is 2^(k-1), between it begins anew.
        loop {
            let power = (at + 1).next_power_of_two();
            if power == at + 1 {
                return RESTART * (power / 2);
            }
            at -= power / 2 - 1;
        }
    }

    fn leave(&mut self, level: u32) {
        let table = &mut self.table;
        self.trail.back_to(level, |rise| table.touch(rise.side / 2));
        self.followed = self.followed.min(self.trail.rises().len());
    }

    /// What is to be tried next: the bound that was in the way most; while none was, that the first that could start does.
    fn next(&self) -> Option<Fact> {
        let mut best: Option<(f64, u32, i32)> = None;
        let mut early: Option<(i32, u32)> = None;
        for job in 0..self.jobs.len() as u32 {
            let (first, last) = (self.trail.first(job), self.trail.last(job));
            if first == last {
                continue;
            }
            if early.is_none_or(|(at, _)| first < at) {
                early = Some((first, job));
            }
            let row = job as usize * self.ticks;
            let heat = &self.heat[row + first as usize + 1..=row + last as usize];
            for (tick, &heat) in (first + 1..).zip(heat) {
                if best.is_none_or(|(hottest, _, _)| heat > hottest) {
                    best = Some((heat, job, tick));
                }
            }
        }
        let (heat, mut job, mut tick) = best?;
        if heat == 0.0 {
            (tick, job) = early?;
            tick += 1;
        }
        if self.like[job as usize] >= tick {
            Some(Fact::not_before(job, tick))
        } else {
            Some(Fact::not_after(job, tick - 1))
        }
    }

    /// Raises a side, or says which facts cannot hold together.
    fn raise_or(&mut self, fact: Fact, reason: Reason) -> Result<(), Vec<Fact>> {
        if self.trail.holds(fact) {
            return Ok(());
        }
        if self.trail.fails(fact) {
            let mut facts = vec![fact.contrary()];
            self.explain(fact, reason, &mut facts);
            return Err(facts);
        }
        self.raise(fact, reason);
        Ok(())
    }

    fn raise(&mut self, fact: Fact, reason: Reason) {
        self.trail.raise(fact, reason);
        self.table.touch(fact.job());
    }

    /// Follows up all that was raised, until nothing more comes of it; or says which facts cannot hold together.
    fn follow(&mut self) -> Result<(), Vec<Fact>> {
        loop {
            while let Some(rise) = self.trail.rises().get(self.followed) {
                let side = rise.side;
                self.followed += 1;
                self.looked_at += 1;
                self.follow_edges(side)?;
                self.follow_pairs(side)?;
                self.follow_clauses(side)?;
            }
            if !self.table.is_behind() {
                return Ok(());
            }
            if let Err(over) = self.table.show(&self.trail) {
                let mut facts = Vec::new();
                self.table.explain(over, None, &self.trail, &mut facts);
                return Err(facts);
            }
            for job in 0..self.jobs.len() as u32 {
                if self.trail.first(job) == self.trail.last(job) {
                    continue;
                }
                self.looked_at += 1;
                while let Some((fact, reason)) = self.table.push(job, &self.trail) {
                    self.raise_or(fact, reason)?;
                }
            }
        }
    }

    fn follow_edges(&mut self, side: u32) -> Result<(), Vec<Fact>> {
        let job = (side / 2) as usize;
        let at = self.trail.at(side);
        let from_start = is_start(side);
        let count = if from_start {
            self.after[job].len()
        } else {
            self.before[job].len()
        };
        for place in 0..count {
            let (other, long) = if from_start {
                (self.after[job][place], self.duration[job])
            } else {
                let other = self.before[job][place];
                (other, self.duration[other as usize])
            };
            let fact = Fact {
                side: 2 * other + side % 2,
                at: at + long,
            };
            self.raise_or(fact, Reason::Edge(job as u32))?;
        }
        Ok(())
    }

    fn follow_pairs(&mut self, side: u32) -> Result<(), Vec<Fact>> {
        let job = side / 2;
        for place in 0..self.apart[job as usize].len() {
            let other = self.apart[job as usize][place];
            for (one, other) in [(job, other), (other, job)] {
                // Whether `one` is too late to be before `other`.
                let duration = |job: u32| self.duration[job as usize];
                if self.trail.first(one) + duration(one) <= self.trail.last(other) {
                    continue;
                }
                let after = Fact::not_before(one, self.trail.first(other) + duration(other));
                let before = Fact::not_after(other, self.trail.last(one) - duration(other));
                self.raise_or(after, Reason::Pair(other))?;
                self.raise_or(before, Reason::Pair(one))?;
            }
        }
        Ok(())
    }

    fn follow_clauses(&mut self, side: u32) -> Result<(), Vec<Fact>> {
        let mut failed = None;
        let table = &mut self.table;
        self.clauses.risen(
            side,
            &mut self.trail,
            &mut |trail, Unit { clause, fact }| {
                if trail.fails(fact) {
                    failed = Some(clause);
                    return false;
                }
                trail.raise(fact, Reason::Clause(clause));
                table.touch(fact.job());
                true
            },
        );
        match failed {
            None => Ok(()),
            Some(clause) => {
                let facts = self.clauses.of(clause).iter();
                Err(facts.map(|fact| fact.contrary()).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests;
