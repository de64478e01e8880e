//! What is known of every start, how it came to be known, and the way back.
//!
//! A start has two *sides*: it is not before something, and its negative is not below something. Both only rise, so that one rule serves both, and
//! a [`Fact`], *this side is at least so much*, is all that is ever said. The contrary of a fact is a fact of the other side.
//!
//! Each rise is noted with its [`Reason`], so that it can be explained when nothing fits any more, and taken back.
//!
//! Invariant: going back to a level leaves every side as it was when that level was entered.
//! Elsewhere: who raises sides is [`super::table`], [`super::clauses`] and [`super`] itself.

/// That a side is at least `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Twice the job: its start. One more: its start's negative.
    pub side: u32,
    /// What it is at least.
    pub at: i32,
}

impl Fact {
    /// That a job does not start before a tick.
    pub fn not_before(job: u32, at: i32) -> Self {
        Self { side: 2 * job, at }
    }

    /// That a job does not start after a tick.
    pub fn not_after(job: u32, at: i32) -> Self {
        Self {
            side: 2 * job + 1,
            at: -at,
        }
    }

    /// What holds where this does not.
    pub fn contrary(self) -> Self {
        Self {
            side: self.side ^ 1,
            at: 1 - self.at,
        }
    }

    /// The job that it is about.
    pub fn job(self) -> u32 {
        self.side / 2
    }
}

/// Whether a side is a start, not its negative.
#[inline]
pub fn is_start(side: u32) -> bool {
    side & 1 == 0
}

/// Why a side was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// To see what comes of it.
    Tried,
    /// All other facts of this clause are false.
    Clause(u32),
    /// The same side of another job, which this one waits for, or which waits for it.
    Edge(u32),
    /// Another job, which does not fit beside this one and cannot be on this side of it.
    Pair(u32),
    /// Others take so much there that the job does not fit.
    Full(Over),
}

/// Where too much is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// The word.
    pub word: u16,
    /// The lane.
    pub lane: u16,
    /// The tick.
    pub tick: u32,
}

/// A rise.
#[derive(Clone, Copy, Debug)]
pub struct Rise {
    /// What was raised.
    pub side: u32,
    /// What it was before.
    pub before: i32,
    /// The rise of the same side before this one.
    previous: u32,
    /// Why.
    pub reason: Reason,
}

/// The sides and their rises.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    now: Vec<i32>,
    rises: Vec<Rise>,
    /// By side: its last rise.
    last: Vec<u32>,
    /// Where each level above the root begins.
    levels: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Trail {
    /// Nothing tried yet. `now` is by side.
    pub fn new(now: Vec<i32>) -> Self {
        Self {
            last: vec![NONE; now.len()],
            now,
            ..Self::default()
        }
    }

    /// What a side is at least.
    #[inline]
    pub fn at(&self, side: u32) -> i32 {
        self.now[side as usize]
    }

    /// The first tick at which a job can start.
    #[inline]
    pub fn first(&self, job: u32) -> i32 {
        self.now[2 * job as usize]
    }

    /// The last tick at which a job can start.
    #[inline]
    pub fn last(&self, job: u32) -> i32 {
        -self.now[2 * job as usize + 1]
    }

    /// Whether a fact holds.
    #[inline]
    pub fn holds(&self, fact: Fact) -> bool {
        self.at(fact.side) >= fact.at
    }

    /// Whether a fact cannot hold any more.
    #[inline]
    pub fn fails(&self, fact: Fact) -> bool {
        self.holds(fact.contrary())
    }

    /// Raises a side. At the root nobody will ask why.
    pub fn raise(&mut self, fact: Fact, reason: Reason) {
        let side = fact.side as usize;
        self.rises.push(Rise {
            side: fact.side,
            before: self.now[side],
            previous: self.last[side],
            reason,
        });
        self.last[side] = self.rises.len() as u32 - 1;
        self.now[side] = fact.at;
    }

    /// The rises so far, the root's included until [`Self::settle`].
    pub fn rises(&self) -> &[Rise] {
        &self.rises
    }

    /// The level: how many tries are open.
    pub fn level(&self) -> u32 {
        self.levels.len() as u32
    }

    /// Begins a level.
    pub fn try_next(&mut self) {
        self.levels.push(self.rises.len() as u32);
    }

    /// Forgets how the root came to be what it is.
    pub fn settle(&mut self) {
        for rise in self.rises.drain(..) {
            self.last[rise.side as usize] = NONE;
        }
    }

    /// Takes the last rise back.
    pub fn back(&mut self) -> Option<Rise> {
        let rise = self.rises.pop()?;
        self.now[rise.side as usize] = rise.before;
        self.last[rise.side as usize] = rise.previous;
        Some(rise)
    }

    /// Takes back what came after a level; `each` hears of every rise.
    pub fn back_to(&mut self, level: u32, mut each: impl FnMut(Rise)) {
        let Some(&begin) = self.levels.get(level as usize) else {
            return;
        };
        while self.rises.len() > begin as usize
            && let Some(rise) = self.back()
        {
            each(rise);
        }
        self.levels.truncate(level as usize);
    }

    /// The rise that made a fact true; none if it was true at the root.
    pub fn cause(&self, fact: Fact) -> Option<u32> {
        let mut at = self.last[fact.side as usize];
        while at != NONE {
            let rise = &self.rises[at as usize];
            if rise.before < fact.at {
                return Some(at);
            }
            at = rise.previous;
        }
        None
    }

    /// The level of a rise.
    pub fn level_of(&self, rise: u32) -> u32 {
        self.levels.partition_point(|&begin| begin <= rise) as u32
    }
}
