//! From an order of jobs to a schedule: each job as early as it can be, in the order given; and the same from the end.
//!
//! Serial schedule generation (Kelley, 1963) on a table of free units by tick; of a resource of one unit, a row of bits. A window that fails is searched from its end, so that
//! the next try begins right behind the tick that was full. The backward pass is the same with *before* and *after*
//! exchanged, on a clock that counts from the end. Placing the jobs by their ends from the back, and then by
//! their starts from the front, is double justification (Valls, Ballestín and Quintanilla, EJOR 165, 2005): it never makes
//! a schedule longer and often makes it shorter.
//!
//! A pass may end early ([`Hints`]): when a job ends so late that the schedule must become too long, or when it is sure to end as one that is known.
//! What is known to begin like another schedule is taken over from it, without a search for places.
//!
//! Work is counted in jobs placed; as many as there are is one schedule. What is taken over is not counted.
//!
//! Invariant: what a pass leaves keeps every precedence, capacity, release and closed time.
//! Elsewhere: where orders come from is [`super::rules`] and [`super::genetic`].

use super::bits::{self, BITS};
use super::lanes::{GUARDS, fits};
use super::model::{Model, PackedWay, Plain, Rows};

/// Which end of time a pass begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// As early as possible, from tick 0.
    Start,
    /// As late as possible; times of such a pass count from the end of the schedule.
    End,
}

/// Who says in which way a job is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// The pass: the way that ends first, of those the one with the least misfit.
    Choose,
    /// The pass before.
    Keep,
}

/// What is known before a pass is made.
#[derive(Clone, Copy, Debug)]
pub struct Hints<'a> {
    /// A schedule that is longer is of no use.
    pub limit: u32,
    /// By job: the least time from its end to the end of the schedule, on this pass's clock.
    pub rest: &'a [u32],
    /// A schedule of an order that is partly the same.
    pub like: Option<Like<'a>>,
}

/// A schedule from the same side, by an order that differs only between two places.
#[derive(Clone, Copy, Debug)]
pub struct Like<'a> {
    /// By job: when it ends.
    pub ends: &'a [u32],
    /// The first place of the order that is different.
    pub differs: usize,
    /// The first place from which on both are the same again.
    pub same: usize,
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// There is a whole schedule.
    Whole,
    /// It would have been longer than the limit; there is none.
    TooLong,
    /// It would have been the one that it is like; there is none.
    Same,
}

/// Makes schedules for one model; holds its tables from one to the next.
#[derive(Clone, Debug)]
pub struct Decoder<'m> {
    model: &'m Model,
    /// Free units, by word and tick. Those of resources of one unit are in `busy` instead.
    free: Vec<u64>,
    /// By resource of one unit and tick, a bit: whether it is taken.
    busy: Vec<u64>,
    /// By job: when it ends on the clock of the last pass.
    end: Vec<u32>,
    /// By job: which of its ways.
    way: Vec<u32>,
    /// The length of the last pass's schedule.
    length: u32,
    /// Ticks that the last pass may have written.
    dirty: usize,
    sorter: Sorter,
    placed: u64,
    /// Nothing has to follow any job.
    no_rest: Vec<u32>,
}

impl<'m> Decoder<'m> {
    /// Nothing placed yet.
    pub fn new(model: &'m Model) -> Self {
        let ticks = model.horizon as usize + 1;
        let free = model
            .empty
            .iter()
            .flat_map(|&word| std::iter::repeat_n(word, ticks))
            .collect();
        let way = model
            .fixed
            .iter()
            .map(|fixed| fixed.map_or(0, |fixed| fixed.way))
            .collect();
        Self {
            model,
            free,
            busy: vec![0; model.capacity.len() * ticks.div_ceil(BITS)],
            end: vec![0; model.len()],
            way,
            length: 0,
            dirty: 0,
            sorter: Sorter::new(model.len(), ticks),
            placed: 0,
            no_rest: vec![0; model.len()],
        }
    }

    /// The model.
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// Jobs placed so far, over all passes.
    pub fn placed(&self) -> u64 {
        self.placed
    }

    /// The length of the last pass's schedule.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// By job: when it ends, on the clock of the last pass.
    pub fn ends(&self) -> &[u32] {
        &self.end
    }

    /// By job: which of its ways was taken.
    pub fn ways(&self) -> &[u32] {
        &self.way
    }

    /// Sets the ways for a pass that keeps them.
    pub fn set_ways(&mut self, ways: &[u32]) {
        self.way.copy_from_slice(ways);
    }

    /// When `job` starts, on the clock of the last pass.
    pub fn start(&self, job: u32) -> u32 {
        let at = job as usize;
        self.end[at] - self.model.ways[at][self.way[at] as usize].duration
    }

    /// Places the jobs of `order`, each after all that it waits for on this pass's clock, and gives the schedule's length.
    ///
    /// A pass from the end belongs to the schedule of the pass before, whose length it does not exceed.
    pub fn pass(&mut self, from: From, ways: Ways, order: &[u32]) -> u32 {
        let rest = std::mem::take(&mut self.no_rest);
        let none = Hints {
            limit: u32::MAX,
            rest: &rest,
            like: None,
        };
        self.pass_with(from, ways, order, none);
        self.no_rest = rest;
        self.length
    }

    /// As [`Self::pass`], but it may end early. That it becomes like another schedule is noticed only where the model is [`Plain`], and
    /// that it gets too long where nothing is taken from the start; a pass that chooses ways takes nothing over.
    pub fn pass_with(&mut self, from: From, ways: Ways, order: &[u32], hints: Hints) -> Made {
        if !self.model.plain.is_empty() {
            return self.pass_plain(from, order, hints);
        }
        self.clear(from);
        let made = self.pass_any(from, ways, order, hints);
        self.dirty = self.dirty.max(self.length as usize);
        made
    }

    /// The jobs in the order of their ends in the last pass, the last first: the order for a pass from the other side.
    pub fn turned(&mut self, order: &[u32], turned: &mut Vec<u32>) {
        self.sorter.sort(order, &self.end, turned);
    }

    /// Double justification of the schedule of the last pass, which came from the start by `order`. Leaves in `order` the jobs by their
    /// starts before the last pass. Gives the length.
    pub fn justify(&mut self, order: &mut Vec<u32>, spare: &mut Vec<u32>) -> u32 {
        self.turned(order, spare);
        self.pass(From::End, Ways::Keep, spare);
        self.turned(spare, order);
        self.pass(From::Start, Ways::Keep, order)
    }

    /// One word, one way, nothing taken: the case that has to be fast.
    fn pass_plain(&mut self, from: From, order: &[u32], hints: Hints) -> Made {
        let model = self.model;
        let free = &mut self.free[..];
        free[..self.dirty].fill(model.empty[0]);
        let end = &mut self.end[..model.len()];
        let plain = &model.plain[..model.len()];
        let rest = &hints.rest[..model.len()];
        let (before, forward) = match from {
            From::Start => (&model.before, true),
            From::End => (&model.after, false),
        };
        let mut length = 0;
        let (ends, differs, same) = hints.like.map_or((&[][..], 0, usize::MAX), |like| {
            (like.ends, like.differs, like.same)
        });
        for &job in &order[..differs] {
            let Plain { demand, duration } = plain[job as usize];
            let done = ends[job as usize];
            for tick in &mut free[(done - duration) as usize..done as usize] {
                *tick -= demand;
            }
            end[job as usize] = done;
            length = length.max(done);
        }
        let mut made = Made::Whole;
        let mut placed = 0;
        let mut different = false;
        for (place, &job) in (differs..).zip(&order[differs..]) {
            if place == same && !different {
                made = Made::Same;
                break;
            }
            let mut at = if forward {
                model.release[job as usize]
            } else {
                0
            };
            for &other in before.of(job) {
                at = at.max(end[other as usize]);
            }
            let Plain { demand, duration } = plain[job as usize];
            let (mut start, long) = (at as usize, duration as usize);
            // Ticks before it are known to have room.
            let mut known = start;
            loop {
                let window = &free[known..start + long];
                match window.iter().rposition(|&free| !fits(free, demand)) {
                    None => break,
                    Some(full) => {
                        let checked = start + long;
                        start = known + full + 1;
                        known = checked;
                    }
                }
            }
            for tick in &mut free[start..start + long] {
                *tick -= demand;
            }
            let done = (start + long) as u32;
            placed += 1;
            end[job as usize] = done;
            length = length.max(done);
            if done.saturating_add(rest[job as usize]) > hints.limit {
                made = Made::TooLong;
                break;
            }
            different |= place < same && ends.get(job as usize) != Some(&done);
        }
        self.placed += placed;
        self.dirty = length as usize;
        self.length = length;
        made
    }

    /// Several words, choices, closed times and a fixed past.
    fn pass_any(&mut self, from: From, ways: Ways, order: &[u32], hints: Hints) -> Made {
        let model = self.model;
        let before: &Rows = match from {
            From::Start => &model.before,
            From::End => &model.after,
        };
        self.length = match from {
            From::Start => model.fixed_end,
            From::End => 0,
        };
        let like = hints.like.filter(|_| ways == Ways::Keep);
        let (ends, differs) = like.map_or((&[][..], 0), |like| (like.ends, like.differs));
        let (same, other) = order.split_at(differs.min(order.len()));
        for &job in same {
            self.put(job, ends[job as usize]);
        }
        // From the end, what is taken lies where the length of the pass before puts it, which has to be whole.
        let limit = match model.taken.is_empty() {
            true => hints.limit,
            false => u32::MAX,
        };
        for &job in other {
            let at = job as usize;
            let mut ready = if from == From::Start {
                model.release[at]
            } else {
                0
            };
            for &other in before.of(job) {
                ready = ready.max(self.end[other as usize]);
            }
            let start = if ways == Ways::Choose {
                let (way, start) = self.best_way(at, ready);
                self.way[at] = way;
                start
            } else {
                let way = &model.ways[at][self.way[at] as usize];
                self.fit(way, ready, u32::MAX).unwrap_or(ready)
            };
            let end = start + model.ways[at][self.way[at] as usize].duration;
            self.put(job, end);
            self.placed += 1;
            if end.saturating_add(hints.rest[at]) > limit {
                return Made::TooLong;
            }
        }
        Made::Whole
    }

    /// Puts a job where it ends at `end`.
    fn put(&mut self, job: u32, end: u32) {
        let way = &self.model.ways[job as usize][self.way[job as usize] as usize];
        self.take(way, end - way.duration);
        self.end[job as usize] = end;
        self.length = self.length.max(end);
    }

    /// The way that ends first, of those the one with the least misfit, and where it starts.
    fn best_way(&self, job: usize, ready: u32) -> (u32, u32) {
        let ways = &self.model.ways[job];
        let (mut best, mut best_start, mut best_end) = (0, 0, u32::MAX);
        // The short ones first, of those the fitting; so the first that can start at once cannot be beaten.
        for &place in &self.model.preference[job] {
            let way = &ways[place as usize];
            let Some(start) = self.fit(way, ready, best_end.saturating_sub(way.duration)) else {
                continue;
            };
            let end = start + way.duration;
            if end < best_end {
                (best, best_start, best_end) = (place, start, end);
            }
            if start == ready {
                break;
            }
        }
        (best, best_start)
    }

    /// The first tick from `ready` on at which `way` has room for its whole duration, if that is before `limit`.
    fn fit(&self, way: &PackedWay, ready: u32, limit: u32) -> Option<u32> {
        let ticks = self.model.horizon as usize + 1;
        let long = way.duration as usize;
        let mut start = ready as usize;
        'again: while start < limit as usize {
            for &resource in &way.alone {
                let gap = bits::first_gap(self.row(resource), start, long);
                if gap > start {
                    start = gap;
                    continue 'again;
                }
            }
            for &(word, demand) in &way.shared {
                let row = word as usize * ticks;
                let window = &self.free[row + start..row + start + long];
                if let Some(full) = window.iter().rposition(|&free| !fits(free, demand)) {
                    start += full + 1;
                    continue 'again;
                }
            }
            return Some(start as u32);
        }
        None
    }

    /// The bits of a resource of one unit.
    fn row(&self, resource: u32) -> &[u64] {
        let blocks = (self.model.horizon as usize + 1).div_ceil(BITS);
        &self.busy[resource as usize * blocks..(resource as usize + 1) * blocks]
    }

    fn row_mut(&mut self, resource: u32) -> &mut [u64] {
        let blocks = (self.model.horizon as usize + 1).div_ceil(BITS);
        &mut self.busy[resource as usize * blocks..(resource as usize + 1) * blocks]
    }

    fn take(&mut self, way: &PackedWay, start: u32) {
        let ticks = self.model.horizon as usize + 1;
        let (start, end) = (start as usize, (start + way.duration) as usize);
        for &resource in &way.alone {
            bits::set(self.row_mut(resource), start, end);
        }
        for &(word, demand) in &way.shared {
            let row = word as usize * ticks;
            for tick in &mut self.free[row + start..row + end] {
                *tick -= demand;
            }
        }
    }

    /// An empty table, and on it what is taken from the start.
    fn clear(&mut self, from: From) {
        let model = self.model;
        let ticks = model.horizon as usize + 1;
        let latest = model.taken.iter().map(|taken| taken.to as usize).max();
        let dirty = self.dirty.max(latest.unwrap_or(0));
        let blocks = ticks.div_ceil(BITS);
        for row in self.busy.chunks_exact_mut(blocks) {
            row[..dirty.div_ceil(BITS)].fill(0);
        }
        for (word, &empty) in model.empty.iter().enumerate() {
            self.free[word * ticks..word * ticks + dirty].fill(empty);
        }
        self.dirty = 0;
        // On the clock that counts from the end, what lies behind the end is no more.
        let length = self.length;
        let turned = |begin: u32, end: u32| match from {
            From::Start => (begin, end),
            From::End => (length.saturating_sub(end), length.saturating_sub(begin)),
        };
        for held in &model.held {
            let (begin, end) = turned(held.from, held.to);
            bits::set(self.row_mut(held.resource), begin as usize, end as usize);
        }
        for taken in &model.taken {
            let (begin, end) = turned(taken.from, taken.to);
            let row = taken.word as usize * ticks;
            for tick in &mut self.free[row + begin as usize..row + end as usize] {
                *tick = less(*tick, taken.lanes);
            }
            self.dirty = self.dirty.max(end as usize);
        }
        for (job, fixed) in model.fixed.iter().enumerate() {
            if let (Some(fixed), From::Start) = (fixed, from) {
                self.end[job] = fixed.start + model.ways[job][fixed.way as usize].duration;
            }
        }
    }
}

/// `free` without `taken`, lane by lane, and no lane below nothing: closed times may overlap.
pub(super) fn less(free: u64, taken: u64) -> u64 {
    let mut left = GUARDS;
    for lane in 0..super::lanes::LANES {
        let units = super::lanes::read(free, lane).saturating_sub(super::lanes::read(taken, lane));
        left |= super::lanes::units(lane, units);
    }
    left
}

/// Sorts jobs by a time, the latest first, in time that grows with the number of different times only.
#[derive(Clone, Debug)]
struct Sorter {
    /// By time: the last job that was put there, plus one.
    head: Vec<u32>,
    /// By job: the one that was put there before, plus one.
    next: Vec<u32>,
    /// A bit for each time at which there is one.
    some: Vec<u64>,
}

impl Sorter {
    fn new(jobs: usize, ticks: usize) -> Self {
        Self {
            head: vec![0; ticks],
            next: vec![0; jobs],
            some: vec![0; ticks.div_ceil(64)],
        }
    }

    /// Of equal times the one later in `order` comes first, so that no job of no length overtakes what it waits for.
    fn sort(&mut self, order: &[u32], time: &[u32], sorted: &mut Vec<u32>) {
        let mut latest = 0;
        for &job in order {
            let at = time[job as usize] as usize;
            self.next[job as usize] = self.head[at];
            self.head[at] = job + 1;
            self.some[at / 64] |= 1 << (at % 64);
            latest = latest.max(at / 64);
        }
        sorted.clear();
        for block in (0..=latest).rev() {
            let mut bits = std::mem::take(&mut self.some[block]);
            while bits != 0 {
                let bit = 63 - bits.leading_zeros();
                bits ^= 1 << bit;
                let mut job = std::mem::take(&mut self.head[block * 64 + bit as usize]);
                while job != 0 {
                    sorted.push(job - 1);
                    job = self.next[job as usize - 1];
                }
            }
        }
    }
}
