//! What is learnt of a dead end: which few bounds cannot hold together.
//!
//! The facts that failed together are traced back, rise by rise, until only one rests on the last try (the first unique implication
//! point: Zhang and others, International Conference on Computer-Aided Design 2001). That one and what is needed from before it cannot hold
//! together; the contrary is a clause, and it says something as soon as all but one of its facts have failed. Rises are taken back on the way, so that
//! each is explained by the bounds that there were when it came.
//!
//! Invariant: a clause follows from the model and the length alone, not from what was tried.

use super::Prover;
use super::trail::{Fact, Reason, Rise, is_start};

/// A side of which nothing is needed.
const NOTHING: i32 = i32::MIN;
/// What was in the way counts less by this with each dead end.
const FADE: f64 = 0.95;

/// What the dead end in hand needs.
#[derive(Clone, Debug)]
pub(super) struct Needed {
    /// By side: what it has to be at least, as far as that came by the last try.
    here: Vec<i32>,
    /// How many sides that are.
    open: usize,
    /// By side: the same, as far as it came before the last try.
    below: Vec<i32>,
    /// Which sides that are.
    lower: Vec<u32>,
}

impl Needed {
    pub(super) fn new(sides: usize) -> Self {
        Self {
            here: vec![NOTHING; sides],
            open: 0,
            below: vec![NOTHING; sides],
            lower: Vec::new(),
        }
    }

    fn add(&mut self, fact: Fact, is_here: bool) {
        let side = fact.side as usize;
        let at = if is_here {
            &mut self.here[side]
        } else {
            &mut self.below[side]
        };
        if *at == NOTHING {
            if is_here {
                self.open += 1;
            } else {
                self.lower.push(fact.side);
            }
        }
        *at = fact.at.max(*at);
    }

    /// Whether a rise made something true that is needed: that.
    fn take(&mut self, rise: Rise) -> Option<Fact> {
        let at = self.here[rise.side as usize];
        if at == NOTHING || at <= rise.before {
            return None;
        }
        self.here[rise.side as usize] = NOTHING;
        self.open -= 1;
        let side = rise.side;
        Some(Fact { side, at })
    }

    /// The next of what is needed from before, which is not needed any more then.
    fn pop(&mut self) -> Option<Fact> {
        let side = self.lower.pop()?;
        let at = std::mem::replace(&mut self.below[side as usize], NOTHING);
        Some(Fact { side, at })
    }
}

impl Prover {
    /// Facts that hold, and from which `fact` follows for `reason`.
    pub(super) fn explain(&self, fact: Fact, reason: Reason, facts: &mut Vec<Fact>) {
        match reason {
            Reason::Tried => {}
            Reason::Clause(clause) => {
                let of = self.clauses.of(clause).iter();
                let others = of.filter(|other| other.side != fact.side);
                facts.extend(others.map(|other| other.contrary()));
            }
            Reason::Edge(other) => {
                let from_start = is_start(fact.side);
                let long = if from_start {
                    self.duration[other as usize]
                } else {
                    self.duration[fact.job() as usize]
                };
                facts.push(Fact {
                    side: 2 * other + fact.side % 2,
                    at: fact.at - long,
                });
            }
            Reason::Pair(other) => {
                let job = fact.job();
                let from_start = is_start(fact.side);
                let (late, early) = if from_start {
                    (job, other)
                } else {
                    (other, job)
                };
                let duration = |job: u32| self.duration[job as usize];
                facts.push(Fact {
                    side: 2 * other + fact.side % 2,
                    at: fact.at - duration(early),
                });
                // `late` cannot be first: it begins so late, and the other not so late, that it would not have ended.
                let last = self.trail.last(early);
                facts.push(Fact::not_before(late, last + 1 - duration(late)));
                facts.push(Fact::not_after(early, last));
            }
            Reason::Full(over) => {
                let (job, tick) = (fact.job(), over.tick as i32);
                facts.push(if is_start(fact.side) {
                    Fact::not_before(job, tick + 1 - self.duration[job as usize])
                } else {
                    Fact::not_after(job, tick)
                });
                self.table.explain(over, Some(job), &self.trail, facts);
            }
        }
    }

    /// From facts that cannot hold together to a clause, and back to where it says something.
    pub(super) fn learn(&mut self, mut facts: Vec<Fact>) {
        let level = |fact: &Fact| Some(self.trail.level_of(self.trail.cause(*fact)?));
        let level = facts.iter().filter_map(level).max().unwrap_or(0);
        if level == 0 {
            self.closed = true;
            return;
        }
        self.leave(level);
        let known = loop {
            for fact in facts.drain(..) {
                // What was so from the root needs no reason.
                if let Some(cause) = self.trail.cause(fact) {
                    self.warm(fact);
                    self.needed.add(fact, self.trail.level_of(cause) == level);
                }
            }
            let (fact, reason) = loop {
                // There is one, as long as something is needed.
                let Some(rise) = self.trail.back() else {
                    return;
                };
                self.table.touch(rise.side / 2);
                if let Some(fact) = self.needed.take(rise) {
                    break (fact, rise.reason);
                }
            };
            if self.needed.open == 0 {
                break fact;
            }
            self.explain(fact, reason, &mut facts);
        };
        self.shrink(known);
        let mut clause = vec![known.contrary()];
        let mut levels: Vec<u32> = Vec::new();
        let (mut deepest, mut place) = (0, 0);
        while let Some(fact) = self.needed.pop() {
            if fact.at == NOTHING || known.side == fact.side {
                continue;
            }
            let cause = self.trail.cause(fact);
            let level = cause.map_or(0, |cause| self.trail.level_of(cause));
            if level > deepest {
                (deepest, place) = (level, clause.len());
            }
            levels.push(level);
            clause.push(fact.contrary());
        }
        levels.sort_unstable();
        levels.dedup();
        self.leave(deepest);
        let fact = clause[0];
        let reason = if clause.len() == 1 {
            Reason::Tried
        } else {
            // That which fails last is watched, beside the one that has to hold now.
            clause.swap(1, place.max(1));
            Reason::Clause(self.clauses.add(&clause, levels.len() as u32 + 1))
        };
        if self.trail.fails(fact) {
            self.closed = true;
        } else if !self.trail.holds(fact) {
            self.raise(fact, reason);
        }
        self.fade();
    }

    /// Leaves out what follows from the rest of what was found.
    fn shrink(&mut self, known: Fact) {
        let mut facts = Vec::new();
        let mut place = 0;
        while let Some(&side) = self.needed.lower.get(place) {
            place += 1;
            let at = self.needed.below[side as usize];
            let fact = Fact { side, at };
            let Some(cause) = self.trail.cause(fact) else {
                continue;
            };
            let reason = self.trail.rises()[cause as usize].reason;
            if !matches!(reason, Reason::Edge(_) | Reason::Clause(_)) {
                continue;
            }
            facts.clear();
            self.explain(fact, reason, &mut facts);
            // What a side needs of itself is less than what is to be left out, and says nothing without it.
            let said = |fact: &Fact| {
                self.trail.cause(*fact).is_none()
                    || fact.side != side && self.needed.below[fact.side as usize] >= fact.at
                    || known.side == fact.side && known.at >= fact.at
            };
            if facts.iter().all(said) {
                self.needed.below[side as usize] = NOTHING;
            }
        }
    }

    /// A fact was in the way.
    fn warm(&mut self, fact: Fact) {
        let job = fact.job() as usize;
        // The tick before which it starts, or not.
        let tick = if is_start(fact.side) {
            fact.at
        } else {
            1 - fact.at
        };
        if let Some(heat) =
            self.heat[job * self.ticks..(job + 1) * self.ticks].get_mut(tick as usize)
        {
            *heat += self.step;
        }
    }

    fn fade(&mut self) {
        self.step /= FADE;
        if self.step > 1e100 {
            for heat in &mut self.heat {
                *heat /= self.step;
            }
            self.step = 1.0;
        }
    }
}
