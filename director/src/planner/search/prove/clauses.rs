//! What was learnt: of each clause's facts, at least one holds.
//!
//! Two facts of each clause are watched, so that a clause is looked at only when one of these can have failed (Moskewicz and others, Design Automation
//! Conference 2001). The other way round than in a table of truth values, a watch waits until a side has risen far enough.
//!
//! Invariant: while a clause has two facts that have not failed, two such are watched.
//! Elsewhere: clauses are made by [`super::Prover`].

use super::trail::{Fact, Trail};

/// A clause waits for a side to be at least `at`: then one of its watched facts has failed.
#[derive(Clone, Copy, Debug)]
struct Watch {
    clause: u32,
    at: i32,
    /// Another of its facts: while that holds, the clause has nothing to say, and need not be looked up.
    other: Fact,
}

/// Where a clause's facts are, and how many levels they came from.
#[derive(Clone, Copy, Debug)]
struct Place {
    begin: u32,
    len: u32,
    levels: u32,
}

/// What a clause says once all its other facts have failed.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// The clause.
    pub clause: u32,
    /// What has to hold.
    pub fact: Fact,
}

/// All clauses.
#[derive(Clone, Debug, Default)]
pub struct Clauses {
    facts: Vec<Fact>,
    places: Vec<Place>,
    /// By side: who waits for it.
    watches: Vec<Vec<Watch>>,
}

impl Clauses {
    /// None, for so many sides.
    pub fn new(sides: usize) -> Self {
        Self {
            watches: vec![Vec::new(); sides],
            ..Self::default()
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// The facts of one.
    pub fn of(&self, clause: u32) -> &[Fact] {
        let Place { begin, len, .. } = self.places[clause as usize];
        &self.facts[begin as usize..(begin + len) as usize]
    }

    /// Adds a clause of two facts or more; the first two are watched. Gives its number.
    pub fn add(&mut self, facts: &[Fact], levels: u32) -> u32 {
        let clause = self.places.len() as u32;
        self.places.push(Place {
            begin: self.facts.len() as u32,
            len: facts.len() as u32,
            levels,
        });
        self.facts.extend_from_slice(facts);
        self.watch(clause, facts[0], facts[1]);
        self.watch(clause, facts[1], facts[0]);
        clause
    }

    fn watch(&mut self, clause: u32, fact: Fact, other: Fact) {
        let Fact { side, at } = fact.contrary();
        self.watches[side as usize].push(Watch { clause, at, other });
    }

    /// Goes through the clauses that a rise of `side` concerns. `say` hears what they say, and ends it by saying no.
    pub fn risen(
        &mut self,
        side: u32,
        trail: &mut Trail,
        say: &mut dyn FnMut(&mut Trail, Unit) -> bool,
    ) -> bool {
        let now = trail.at(side);
        let mut watches = std::mem::take(&mut self.watches[side as usize]);
        let mut kept = 0;
        let mut go_on = true;
        for place in 0..watches.len() {
            let watch = watches[place];
            watches[kept] = watch;
            kept += 1;
            if watch.at > now || trail.holds(watch.other) || !go_on {
                continue;
            }
            let Place { begin, len, .. } = self.places[watch.clause as usize];
            let facts = &mut self.facts[begin as usize..(begin + len) as usize];
            // The one that failed comes second.
            if facts[0].side == side ^ 1 {
                facts.swap(0, 1);
            }
            let fact = facts[0];
            if trail.holds(fact) {
                watches[kept - 1].other = fact;
                continue;
            }
            match (2..facts.len()).find(|&other| !trail.fails(facts[other])) {
                Some(other) => {
                    facts.swap(1, other);
                    let next = facts[1];
                    kept -= 1;
                    self.watch(watch.clause, next, fact);
                }
                None => {
                    let clause = watch.clause;
                    go_on = say(trail, Unit { clause, fact });
                }
            }
        }
        watches.truncate(kept);
        self.watches[side as usize] = watches;
        go_on
    }

    /// Forgets the half of the clauses whose facts came from the most levels, of those the older, and what the root says already. Only at the
    /// root.
    pub fn forget(&mut self, trail: &Trail) {
        let mut rank: Vec<usize> = (0..self.places.len()).collect();
        rank.sort_by_key(|&place| (self.places[place].levels, std::cmp::Reverse(place)));
        rank.truncate(rank.len() / 2);
        rank.sort_unstable();
        let facts = std::mem::take(&mut self.facts);
        let places = std::mem::take(&mut self.places);
        self.watches.iter_mut().for_each(Vec::clear);
        for Place { begin, len, levels } in rank.into_iter().map(|place| places[place]) {
            let of = &facts[begin as usize..(begin + len) as usize];
            if of.iter().any(|&fact| trail.holds(fact)) {
                continue;
            }
            let open = of.iter().copied().filter(|&fact| !trail.fails(fact));
            let open: Vec<Fact> = open.collect();
            // At the root all was followed up, so that two facts at least are open.
            if open.len() >= 2 {
                self.add(&open, levels);
            }
        }
    }
}
