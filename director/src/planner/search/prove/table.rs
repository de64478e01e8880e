//! What must be taken when: of every job the ticks that it covers wherever it goes, on a table of free units.
//!
//! A job that can start at the latest before it can end at the earliest covers what is between. Where too much is covered, nothing fits any
//! more; where a job does not fit beside it, the job starts earlier or later (time tables: Le Pape 1994; explained by single
//! ticks as in Schutt, Feydy, Stuckey and Wallace, Constraints 16, 2011).
//!
//! Invariant: after [`Table::show`] the table holds exactly what the trail says is covered.
//! Elsewhere: a table on which jobs are placed, not bounded, is [`super::super::decode`]'s.

use super::super::lanes::{GUARDS, fits, read};
use super::trail::{Fact, Over, Reason, Trail};

/// A job as the table sees it.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Ticks.
    pub duration: i32,
    /// Units by word.
    pub demand: Vec<(u16, u64)>,
}

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    loads: Vec<Load>,
    /// Free units, by word and tick.
    free: Vec<u64>,
    /// The same when nothing is covered.
    empty: Vec<u64>,
    ticks: usize,
    /// By job: what it covers on the table, from and before.
    shown: Vec<(i32, i32)>,
    /// Jobs whose sides may have changed.
    touched: Vec<u32>,
    is_touched: Vec<bool>,
}

impl Table {
    /// Nothing covered. `empty` is by word and tick, `ticks` of each word.
    pub fn new(loads: Vec<Load>, empty: Vec<u64>, ticks: usize) -> Self {
        let jobs = loads.len();
        Self {
            free: empty.clone(),
            empty,
            ticks,
            shown: vec![(0, 0); jobs],
            touched: (0..jobs as u32).collect(),
            is_touched: vec![true; jobs],
            loads,
        }
    }

    /// A job's sides may have changed.
    pub fn touch(&mut self, job: u32) {
        if !std::mem::replace(&mut self.is_touched[job as usize], true) {
            self.touched.push(job);
        }
    }

    /// Whether there is something that the table has not seen.
    pub fn is_behind(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Brings the table up to what the trail says. Where too much is covered then, it says so; the rest is done the next time.
    pub fn show(&mut self, trail: &Trail) -> Result<(), Over> {
        // All that is no longer so goes first: it could be in the way of what is.
        let mut touched = std::mem::take(&mut self.touched);
        touched.retain(|&job| {
            let changed = self.covered(job, trail) != self.shown[job as usize];
            if changed {
                self.hide(job);
            } else {
                self.is_touched[job as usize] = false;
            }
            changed
        });
        self.touched = touched;
        while let Some(&job) = self.touched.last() {
            let part = self.covered(job, trail);
            for &(word, demand) in &self.loads[job as usize].demand {
                let row = &self.free[word as usize * self.ticks..];
                let mut ticks = part.0..part.1;
                if let Some(tick) = ticks.find(|&tick| !fits(row[tick as usize], demand)) {
                    return Err(over(word, tick, row[tick as usize], demand));
                }
            }
            for &(word, demand) in &self.loads[job as usize].demand {
                let row = &mut self.free[word as usize * self.ticks..];
                for free in &mut row[part.0 as usize..part.1 as usize] {
                    *free -= demand;
                }
            }
            self.shown[job as usize] = part;
            self.is_touched[job as usize] = false;
            self.touched.pop();
        }
        Ok(())
    }

    /// The ticks that a job covers wherever it goes.
    fn covered(&self, job: u32, trail: &Trail) -> (i32, i32) {
        let (from, to) = (
            trail.last(job),
            trail.first(job) + self.loads[job as usize].duration,
        );
        if from < to { (from, to) } else { (0, 0) }
    }

    fn hide(&mut self, job: u32) {
        let (from, to) = std::mem::take(&mut self.shown[job as usize]);
        for &(word, demand) in &self.loads[job as usize].demand {
            let row = &mut self.free[word as usize * self.ticks..];
            for free in &mut row[from as usize..to as usize] {
                *free += demand;
            }
        }
    }

    /// The next rise of one of a job's sides because it does not fit where it could start, or where it could end.
    pub fn push(&mut self, job: u32, trail: &Trail) -> Option<(Fact, Reason)> {
        let load = &self.loads[job as usize];
        let (first, last) = (trail.first(job), trail.last(job));
        for &(word, demand) in &load.demand {
            let row = &self.free[word as usize * self.ticks..(word as usize + 1) * self.ticks];
            let full = |&tick: &i32| !fits(row[tick as usize], demand);
            let end = (first + load.duration).min(last);
            if let Some(tick) = (first..end).rev().find(full) {
                let over = over(word, tick, row[tick as usize], demand);
                return Some((Fact::not_before(job, tick + 1), Reason::Full(over)));
            }
            let begin = last.max(first + load.duration);
            if let Some(tick) = (begin..last + load.duration).find(full) {
                let over = over(word, tick, row[tick as usize], demand);
                return Some((
                    Fact::not_after(job, tick - load.duration),
                    Reason::Full(over),
                ));
            }
        }
        None
    }

    /// Why so much is covered at a tick that `job`, if there is one, does not fit beside it: facts that hold on the trail.
    pub fn explain(&self, over: Over, job: Option<u32>, trail: &Trail, facts: &mut Vec<Fact>) {
        let Over { word, lane, tick } = over;
        let tick = tick as i32;
        let units = |load: &Load| {
            let of = load.demand.iter().find(|(at, _)| *at == word);
            of.map_or(0, |&(_, demand)| read(demand, usize::from(lane)))
        };
        let own = job.map_or(0, |job| units(&self.loads[job as usize]));
        let free = read(
            self.empty[usize::from(word) * self.ticks + tick as usize],
            usize::from(lane),
        );
        let covers = |&(at, load): &(u32, &Load)| {
            Some(at) != job
                && units(load) > 0
                && trail.last(at) <= tick
                && tick < trail.first(at) + load.duration
        };
        let all = || (0..).zip(&self.loads).filter(covers);
        let total: u32 = all().map(|(_, load)| units(load)).sum();
        // What could be left out without that there is room.
        let mut spare = (total + own).saturating_sub(free + 1);
        for (at, load) in all() {
            let units = units(load);
            if units <= spare {
                spare -= units;
                continue;
            }
            facts.push(Fact::not_before(at, tick - load.duration + 1));
            facts.push(Fact::not_after(at, tick));
        }
    }
}

/// That `demand` does not fit into what is free at a tick: the first lane that has too little.
fn over(word: u16, tick: i32, free: u64, demand: u64) -> Over {
    let missing = !free.wrapping_sub(demand) & GUARDS;
    Over {
        word,
        lane: (missing.trailing_zeros() / 16) as u16,
        tick: tick as u32,
    }
}
