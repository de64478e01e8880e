//! The search itself: a population of schedules that is crossed, disturbed and justified until the budget is spent or the bound is met.
//!
//! A schedule is kept as the order of its starts. A child is two parents crossed at two points (Hartmann, Naval Research Logistics 45, 1998), or one
//! parent of which a stretch of time is shaken; it is decoded and justified, and the best of parents and children live on. Of equal
//! length, the one whose jobs end earlier is better: it has more room behind.
//!
//! One [`Island`] is one such population with a seed of its own; it knows nothing of threads. The same seed and budget give the same schedule.
//!
//! Elsewhere: what a pass does is [`super::decode`]; who runs several islands at once is [`crate::perform`].

use super::decode::{Decoder, From, Ways};
use super::floor::Floor;
use super::model::Model;
use super::random::Random;
use super::rules::{self, Rule};

/// A schedule that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Ticks from 0 to the end of the last job.
    pub makespan: u32,
    /// By job: when it starts.
    pub starts: Vec<u32>,
    /// By job: which of its ways it takes.
    pub ways: Vec<u32>,
    /// The jobs that are not fixed, by their starts, each after all that it waits for.
    pub order: Vec<u32>,
}

/// One of a population.
#[derive(Clone, Debug, Default)]
struct Member {
    found: Found,
    /// The sum of the squares of all ends.
    score: u64,
}

/// A population and its stream of chance.
#[derive(Debug)]
pub struct Island<'m> {
    model: &'m Model,
    floor: &'m Floor,
    decoder: Decoder<'m>,
    random: Random,
    members: Vec<Member>,
    best: Found,
    /// Schedules that may be made.
    budget: u64,
    size: usize,
    /// By job: when it was last taken into an order.
    mark: Vec<u32>,
    stamp: u32,
}

/// Generations without a better schedule after which a population begins anew.
const IDLE_MOST: u32 = 60;
/// In 1,024: how often neighbours in an order of a child change places.
const SWAP: u64 = 51;
/// In 1,024: how many children come from one parent that is shaken.
const SHAKEN: u64 = 512;

impl<'m> Island<'m> {
    /// An island that may make `schedules`.
    pub fn new(model: &'m Model, floor: &'m Floor, seed: u64, island: u64, schedules: u64) -> Self {
        let size = ((schedules as f64).sqrt() as usize).clamp(10, 1000);
        Self {
            model,
            floor,
            decoder: Decoder::new(model),
            random: Random::new(seed, island),
            members: Vec::new(),
            best: Found {
                makespan: u32::MAX,
                ..Found::default()
            },
            budget: schedules,
            size,
            mark: vec![0; model.len()],
            stamp: 0,
        }
    }

    /// Begins with a schedule that the caller has: an order, each job after all that it waits for, and the ways by job. Without ways
    /// they are chosen.
    pub fn seed(&mut self, order: &[u32], ways: &[u32]) {
        if !ways.is_empty() {
            self.decoder.set_ways(ways);
        }
        let how = if ways.is_empty() {
            Ways::Choose
        } else {
            Ways::Keep
        };
        let member = self.evaluate(order.to_vec(), how);
        self.members.push(member);
    }

    /// The best so far.
    pub fn best(&self) -> &Found {
        &self.best
    }

    /// Schedules made so far: jobs placed by jobs that there are, rounded up.
    pub fn schedules(&self) -> u64 {
        self.decoder
            .placed()
            .div_ceil(self.model.free.len().max(1) as u64)
    }

    /// Searches until the bound is met, the budget is spent, or `go_on`, which is asked from time to time, says no.
    pub fn run(&mut self, go_on: &mut dyn FnMut() -> bool) -> &Found {
        if self.model.free.is_empty() {
            self.seed(&[], &[]);
            return &self.best;
        }
        let mut on = true;
        while on {
            on = self.live(go_on);
            self.members.clear();
        }
        &self.best
    }

    fn over(&self) -> bool {
        self.best.makespan <= self.floor.bound || self.schedules() >= self.budget
    }

    /// One population from its beginning to where nothing more comes of it. Whether there is budget for another.
    fn live(&mut self, go_on: &mut dyn FnMut() -> bool) -> bool {
        let weights = rules::weights(self.model, self.floor, Rule::LatestFinish);
        while self.members.len() < self.size {
            if self.over() || !go_on() {
                return false;
            }
            let order = rules::sample(self.model, &weights, &mut self.random);
            let member = self.evaluate(order, Ways::Choose);
            self.members.push(member);
        }
        let (mut idle, mut last) = (0, (u32::MAX, u64::MAX));
        while idle < IDLE_MOST && self.members.len() > 2 {
            for _ in 0..self.size {
                if self.over() || !go_on() {
                    return false;
                }
                let order = self.child();
                let member = self.evaluate(order, Ways::Choose);
                self.members.push(member);
            }
            let key = |member: &Member| (member.found.makespan, member.score);
            self.members.sort_by_key(key);
            self.members.dedup_by_key(|member| key(member));
            self.members.truncate(self.size);
            let first = key(&self.members[0]);
            idle = if first < last { 0 } else { idle + 1 };
            last = last.min(first);
        }
        true
    }

    /// Decodes and justifies an order.
    fn evaluate(&mut self, mut order: Vec<u32>, ways: Ways) -> Member {
        let mut spare = Vec::with_capacity(order.len());
        self.decoder.pass(From::Start, ways, &order);
        let makespan = self.decoder.justify(&mut order, &mut spare);
        let starts: Vec<u32> = (0..self.model.len() as u32)
            .map(|job| self.decoder.start(job))
            .collect();
        // Stable: of those that start together, the one that others wait for stays before them.
        order.sort_by_key(|&job| starts[job as usize]);
        let square = |&end: &u32| u64::from(end) * u64::from(end);
        let score = self.decoder.ends().iter().map(square).sum();
        let found = Found {
            makespan,
            starts,
            ways: self.decoder.ways().to_vec(),
            order,
        };
        if makespan < self.best.makespan {
            self.best = found.clone();
        }
        Member { found, score }
    }

    fn child(&mut self) -> Vec<u32> {
        let there = self.members.len().min(self.size);
        let (one, mut other) = (self.random.below(there), self.random.below(there));
        if one == other {
            other = (other + 1) % there;
        }
        if self.random.chance(SHAKEN) {
            return self.shaken(one);
        }
        let mut order = self.crossed(one, other);
        for place in 1..order.len() {
            if self.random.chance(SWAP)
                && !self
                    .model
                    .before
                    .of(order[place])
                    .contains(&order[place - 1])
            {
                order.swap(place - 1, place);
            }
        }
        order
    }

    /// The first and the last part as in `one`, what is between in the order of `other`.
    fn crossed(&mut self, one: usize, other: usize) -> Vec<u32> {
        let (one, other) = (
            &self.members[one].found.order,
            &self.members[other].found.order,
        );
        let points = [
            self.random.below(one.len() + 1),
            self.random.below(one.len() + 1),
        ];
        let (from, to) = (points[0].min(points[1]), points[0].max(points[1]));
        self.stamp += 1;
        let mut order = Vec::with_capacity(one.len());
        for &job in one[..from].iter() {
            self.mark[job as usize] = self.stamp;
            order.push(job);
        }
        for &job in other {
            if order.len() == to {
                break;
            }
            if self.mark[job as usize] != self.stamp {
                self.mark[job as usize] = self.stamp;
                order.push(job);
            }
        }
        order.extend(
            one.iter()
                .filter(|&&job| self.mark[job as usize] != self.stamp),
        );
        order
    }

    /// The jobs that start in some third of the time, moved by chance; the others as they were.
    fn shaken(&mut self, member: usize) -> Vec<u32> {
        let Found {
            makespan,
            starts,
            order,
            ..
        } = &self.members[member].found;
        let third = f64::from(*makespan) / 3.0;
        let from = self.random.unit() * (f64::from(*makespan) + third) - third;
        let mut keyed: Vec<(f64, u32)> = Vec::with_capacity(order.len());
        for &job in order {
            let start = f64::from(starts[job as usize]);
            let inside = start >= from && start < from + third;
            let moved = if inside {
                (self.random.unit() * 2.0 - 1.0) * third / 3.0
            } else {
                0.0
            };
            keyed.push((start + moved, job));
        }
        keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
        let wanted: Vec<u32> = keyed.into_iter().map(|(_, job)| job).collect();
        self.in_order(&wanted)
    }

    /// The wanted order, with what a job waits for moved before it where it came after.
    fn in_order(&mut self, wanted: &[u32]) -> Vec<u32> {
        self.stamp += 1;
        let mut order = Vec::with_capacity(wanted.len());
        let mut stack = Vec::new();
        for &job in wanted {
            stack.push(job);
            while let Some(&at) = stack.last() {
                let taken = |job: u32| {
                    self.mark[job as usize] == self.stamp
                        || self.model.fixed[job as usize].is_some()
                };
                if taken(at) {
                    stack.pop();
                } else if let Some(&before) = self
                    .model
                    .before
                    .of(at)
                    .iter()
                    .find(|&&before| !taken(before))
                {
                    stack.push(before);
                } else {
                    self.mark[at as usize] = self.stamp;
                    order.push(at);
                    stack.pop();
                }
            }
        }
        order
    }
}
