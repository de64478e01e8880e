//! The search itself: a population of schedules that is crossed, shaken and justified until the budget is spent or the bound is met.
//!
//! A member is a schedule pushed to the left, kept as the order of its ends from the back. A child is one of
//!
//! - two members **crossed** at two points of that order (Hartmann, Naval Research Logistics 45, 1998),
//! - a **stretch** of time of one member, with what is before and behind it as in the other (after the peaks of Valls, Ballestín and
//!   Quintanilla, EJOR 185, 2008),
//! - one member **shaken**: jobs of some stretch of time move about, the others keep their order, as in a large-neighbourhood search,
//! - one member in which critical jobs are **pulled** before what keeps them waiting: no schedule is shorter in which none of them moves.
//!
//! It is decoded from the end and then from the start, which is double justification for the price of two passes. An order, or a schedule from the
//! end, that was made before is left where it is: what would come of it is known. A child mostly begins as one of its parents does, so both
//! passes take over what is the same and place the rest; and one ends as soon as it can only become the parent's again, or too long to
//! live. The best of members and children live on. Of equal length, the one whose jobs end earlier is better: it has more room behind.
//! Where jobs can be done in several ways, the first pass takes the way that is best there; the second keeps it or chooses again, by chance.
//! Where they can pass from one agent to another, the best of the first members is worked on by [`super::balance`] before there are children.
//!
//! One [`Island`] is one such population with a seed of its own; it knows nothing of threads. The same seed and budget give the same schedule.
//!
//! Elsewhere: how the order of a child comes about is `children.rs`; what a pass does is [`super::decode`]; who runs several islands at once is
//! [`crate::perform`].

mod children;

use super::balance::Balance;
use super::decode::{Decoder, From, Hints, Like, Made, Ways};
use super::floor::Floor;
use super::model::Model;
use super::proof::{self, Proof};
use super::random::Random;
use super::rules::{self, RULES, Rule};
use super::seen::Seen;

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
    /// The jobs by their ends, the last first.
    order: Vec<u32>,
    /// By job: when it starts on the clock that counts from the end.
    time: Vec<u32>,
    makespan: u32,
    /// The sum of the squares of all ends.
    score: u64,
    /// How it is from the end: first what it was made of, then, once there is a child of it, what its own order gives.
    from_end: Decoded,
    /// How it was made from the start.
    from_start: Decoded,
}

/// An order and what it gives, for children to take over from.
#[derive(Clone, Debug, Default)]
struct Decoded {
    order: Vec<u32>,
    /// By job: when it ends, on the clock of the pass.
    ends: Vec<u32>,
}

impl Decoded {
    /// This schedule beside another order.
    fn like(&self, order: &[u32]) -> Like<'_> {
        Like {
            ends: &self.ends,
            differs: common(&self.order, order),
            same: order.len() - common_behind(&self.order, order),
        }
    }
}

impl Member {
    fn key(&self) -> (u32, u64) {
        (self.makespan, self.score)
    }
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
    /// Schedules that may be made, and how many of them are kept for the proof.
    budget: u64,
    kept: u64,
    proof: Proof<'m>,
    choice: bool,
    /// Where jobs can pass from one agent to another.
    balance: Option<Balance<'m>>,
    /// A child whose schedule is longer does not live.
    longest: u32,
    /// Orders, and schedules from the end.
    seen: Seen,
    /// The child in hand: its order from the end.
    child: Vec<u32>,
    /// By job: when it was last taken into an order.
    mark: Vec<u32>,
    stamp: u32,
    /// Tables that are used again.
    spare: Vec<u32>,
    wanted: Vec<u32>,
    keyed: Vec<(u64, u32)>,
}

/// Generations without a better member after which a population begins anew, twice as large.
const IDLE_MOST: u32 = 40;
/// In 1,024: how many children are of one member only, and of these how many are pulled, the others shaken, and of several members how many
/// are crossed at two points.
const ALONE: u64 = 400;
const PULLED: u64 = 400;
const CROSSED: u64 = 512;
/// A pass from the end may be longer than what lives by one part in so many: the pass from the start can gain that.
const GAIN: u32 = 50;
/// Rules by which orders are drawn: those that look at what follows.
const SAMPLED: [Rule; 4] = [
    Rule::LatestFinish,
    Rule::LatestStart,
    Rule::Successors,
    Rule::PositionalWeight,
];
/// Members of the first population when the budget is not known in schedules.
const SIZE: usize = 64;
const SIZE_MOST: usize = 4096;
/// Jobs that are compared at a time.
const BLOCK: usize = 8;
/// Kinds of what was seen.
const ORDER: u64 = 1;
const FROM_END: u64 = 2;

impl<'m> Island<'m> {
    /// An island that may make `schedules`.
    pub fn new(model: &'m Model, floor: &'m Floor, seed: u64, island: u64, schedules: u64) -> Self {
        let nobody = Found {
            makespan: u32::MAX,
            ..Found::default()
        };
        // What one has proven holds for all.
        let proof = Proof::new(model, floor, island == 0);
        let counted = proof.is_on() && schedules < u64::MAX;
        Self {
            model,
            floor,
            decoder: Decoder::new(model),
            random: Random::new(seed, island),
            members: Vec::new(),
            best: nobody,
            budget: schedules,
            kept: if counted {
                proof::kept(schedules, model.free.len())
            } else {
                0
            },
            proof,
            choice: model.has_choice(),
            balance: Balance::of(model),
            longest: u32::MAX,
            seen: Seen::with_room_for(schedules.saturating_mul(2)),
            child: Vec::new(),
            mark: vec![0; model.len()],
            stamp: 0,
            spare: Vec::new(),
            wanted: Vec::new(),
            keyed: Vec::new(),
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
        self.decoder.pass(From::Start, how, order);
        self.take(order);
        self.justify(order);
    }

    /// The best so far.
    pub fn best(&self) -> &Found {
        &self.best
    }

    /// No schedule is shorter: the best bound, or the length that was proven.
    pub fn bound(&self) -> u32 {
        self.proof.bound()
    }

    /// Schedules made so far: jobs that were placed, or looked at by the proof, by jobs that there are, rounded up.
    pub fn schedules(&self) -> u64 {
        (self.decoder.placed() + self.proof.looked_at()).div_ceil(self.jobs())
    }

    /// The same without the proof.
    fn searched(&self) -> u64 {
        self.decoder.placed().div_ceil(self.jobs())
    }

    /// Jobs of one schedule.
    fn jobs(&self) -> u64 {
        self.model.free.len().max(1) as u64
    }

    /// Searches until the best is proven to be the shortest, the budget is spent, or `go_on`, which is asked from time to time, says no.
    pub fn run(&mut self, go_on: &mut dyn FnMut() -> bool) -> &Found {
        if self.model.free.is_empty() {
            self.seed(&[], &[]);
            return &self.best;
        }
        let mut size = self.first_size();
        while self.live(size, go_on) {
            // A counted budget keeps what the proof may have; without one, both get the same.
            let turn = match self.kept {
                0 => self.decoder.placed(),
                kept => kept.saturating_mul(self.jobs()),
            };
            self.prove(turn.saturating_sub(self.proof.looked_at()), go_on);
            // What a small population has missed, a larger one may find (as restarts do in Auger and Hansen, CEC 2005).
            size = (size * 2).min(SIZE_MOST);
            self.members.clear();
        }
        let left = self.budget.saturating_sub(self.schedules());
        if self.kept > 0 && left > 0 {
            self.prove(left.saturating_mul(self.jobs()), go_on);
        }
        &self.best
    }

    /// A turn of the proof, in jobs that it may look at. What it finds is the best then, and it goes on.
    fn prove(&mut self, work: u64, go_on: &mut dyn FnMut() -> bool) {
        let end = self.proof.looked_at().saturating_add(work);
        loop {
            let left = end.saturating_sub(self.proof.looked_at());
            let Some(order) = self.proof.turn(&self.best, left, go_on) else {
                return;
            };
            let before = self.best.makespan;
            self.longest = u32::MAX;
            self.seed(&order, &[]);
            debug_assert!(self.best.makespan < before, "what is proven to be there is");
            if self.best.makespan >= before {
                return;
            }
        }
    }

    /// Hands work about in the best schedule, and makes what comes of it a member. Whether there is budget for more.
    fn share_out(&mut self, go_on: &mut dyn FnMut() -> bool) -> bool {
        let jobs = self.jobs();
        if let Some(balance) = &mut self.balance {
            let Found { order, ways, .. } = &self.best;
            let (order, ways) = balance.run(
                &mut self.decoder,
                &mut self.random,
                self.floor,
                (order, ways),
                (self.budget - self.kept).saturating_mul(jobs),
                go_on,
            );
            self.seed(&order, &ways);
        }
        !self.over() && go_on()
    }

    /// The more schedules there are for a job, the more members pay; the figures are those of a small experiment.
    fn first_size(&self) -> usize {
        if self.budget == u64::MAX {
            return SIZE;
        }
        let share = (self.budget - self.kept) as f64 / self.model.free.len() as f64;
        ((3.0 * share.powf(0.7)) as usize).clamp(10, 1000)
    }

    fn over(&self) -> bool {
        self.best.makespan <= self.bound() || self.searched() >= self.budget - self.kept
    }

    /// One population from its beginning to where nothing more comes of it. Whether there is budget for another.
    fn live(&mut self, size: usize, go_on: &mut dyn FnMut() -> bool) -> bool {
        if !self.begin(size, go_on) || !self.share_out(go_on) {
            return false;
        }
        let (mut idle, mut last) = (0, (u32::MAX, u64::MAX));
        while idle < IDLE_MOST && self.members.len() > 2 {
            let parents = self.members.len();
            if parents == size {
                self.longest = self.members[parents - 1].makespan;
            }
            for _ in 0..size {
                if self.over() || !go_on() {
                    return false;
                }
                let of = self.make_child(parents);
                self.evaluate(Some(of));
            }
            self.members.sort_by_key(Member::key);
            self.members.dedup_by_key(|member| member.key());
            self.members.truncate(size);
            let first = self.members[0].key();
            idle = if first < last { 0 } else { idle + 1 };
            last = last.min(first);
        }
        true
    }

    /// The first members: once by each rule in both schemes, then by chance, by several rules and both schemes in turn. The two schemes miss
    /// different schedules, so that a mixture of them begins better than either (Tormos and Lova, Annals of Operations Research 102, 2001).
    fn begin(&mut self, size: usize, go_on: &mut dyn FnMut() -> bool) -> bool {
        let (model, floor) = (self.model, self.floor);
        self.longest = u32::MAX;
        let by_rule = RULES.iter().flat_map(|&rule| {
            let weights = rules::weights(model, floor, rule);
            [
                rules::serial(model, &weights),
                rules::parallel(model, &weights),
            ]
        });
        let mut by_rule = by_rule.take(size);
        let sampled = SAMPLED.map(|rule| rules::weights(model, floor, rule));
        for number in 0..size {
            if !self.best.starts.is_empty() && (self.over() || !go_on()) {
                return false;
            }
            let weights = &sampled[number / 2 % SAMPLED.len()];
            let order = by_rule.next().unwrap_or_else(|| match number % 2 {
                0 => rules::sample(model, weights, &mut self.random),
                _ => rules::sample_parallel(model, weights, &mut self.random),
            });
            self.seed(&order, &[]);
        }
        true
    }

    /// The schedule of the last pass, from the start by `order`, is better than all before: kept. Gives its length.
    fn take(&mut self, order: &[u32]) -> u32 {
        let makespan = self.decoder.length();
        if makespan < self.best.makespan {
            let jobs = 0..self.model.len() as u32;
            let starts: Vec<u32> = jobs.map(|job| self.decoder.start(job)).collect();
            // Stable: of those that start together, the one that others wait for stays before them.
            let mut order = order.to_vec();
            order.sort_by_key(|&job| starts[job as usize]);
            let ways = self.decoder.ways().to_vec();
            self.best = Found {
                makespan,
                starts,
                ways,
                order,
            };
        }
        makespan
    }

    /// Turns the schedule of the last pass, from the start by `order`, to the other side, and evaluates that.
    fn justify(&mut self, order: &[u32]) {
        let mut child = std::mem::take(&mut self.child);
        self.decoder.turned(order, &mut child);
        self.child = child;
        self.evaluate(None);
    }

    /// Decodes the child in hand from the end and then from the start, and makes it a member; one that was there before is none. `of` are the
    /// places of its parents.
    fn evaluate(&mut self, of: Option<[usize; 2]>) {
        // Where ways are chosen, what comes of an order is a matter of chance.
        if !self.choice && self.seen.again(ORDER, &self.child) {
            return;
        }
        if !self.pass_from_end(of) || !self.choice && self.seen.again(FROM_END, self.decoder.ends())
        {
            return;
        }
        let mut order = std::mem::take(&mut self.spare);
        self.decoder.turned(&self.child, &mut order);
        self.pass_from_start(&order, of);
        self.spare = order;
    }

    /// Decodes the child in hand from the end. Whether it can still become a member.
    fn pass_from_end(&mut self, of: Option<[usize; 2]>) -> bool {
        let again = if self.choice {
            Ways::Choose
        } else {
            Ways::Keep
        };
        let like = of.map(|of| self.nearest(of, |member| &member.order, &self.child));
        if let Some(like) = like {
            self.prepare(like);
        }
        let hints = Hints {
            limit: self.longest.saturating_add(self.longest / GAIN),
            rest: &self.floor.head,
            like: like.map(|like| self.members[like].from_end.like(&self.child)),
        };
        self.decoder.pass_with(From::End, again, &self.child, hints) == Made::Whole
    }

    /// Decodes an order from the start, and makes it a member unless it is too long or its parent again.
    fn pass_from_start(&mut self, order: &[u32], of: Option<[usize; 2]>) {
        let how = if self.choice && self.random.chance(512) {
            Ways::Choose
        } else {
            Ways::Keep
        };
        let like = of.map(|of| self.nearest(of, |member| &member.from_start.order, order));
        let mut from_end = Decoded::default();
        if !self.model.plain.is_empty() {
            from_end.order.extend(&self.child);
            from_end.ends.extend(self.decoder.ends());
        }
        let hints = Hints {
            limit: self.longest,
            rest: &self.floor.tail,
            like: like.map(|like| self.members[like].from_start.like(order)),
        };
        if self.decoder.pass_with(From::Start, how, order, hints) != Made::Whole {
            return;
        }
        let makespan = self.take(order);
        let jobs = self.model.len();
        let mut member = Member {
            makespan,
            order: Vec::with_capacity(jobs),
            time: Vec::with_capacity(jobs),
            ..Member::default()
        };
        self.decoder.turned(order, &mut member.order);
        let ends = self.decoder.ends();
        member.time.extend(ends.iter().map(|&end| makespan - end));
        if !self.model.plain.is_empty() {
            member.from_end = from_end;
            member.from_start.order.extend(order);
            member.from_start.ends.extend(ends);
        }
        member.score = ends
            .iter()
            .map(|&end| u64::from(end) * u64::from(end))
            .sum();
        self.members.push(member);
    }

    /// Makes a child of two of the first `parents` members, whose places it gives.
    fn make_child(&mut self, parents: usize) -> [usize; 2] {
        let mut of = [self.random.below(parents), self.random.below(parents)];
        if of[0] == of[1] {
            of[1] = (of[1] + 1) % parents;
        }
        let alone = self.random.chance(ALONE);
        let pulled = alone && !self.model.plain.is_empty() && self.random.chance(PULLED);
        if pulled {
            self.prepare(of[0]);
        }
        let members = std::mem::take(&mut self.members);
        let [one, other] = of.map(|member| &members[member]);
        if pulled {
            self.pull(one);
        } else if alone {
            self.shake(one);
        } else if self.random.chance(CROSSED) {
            self.cross(one, other);
        } else {
            self.stretch(one, other);
        }
        self.members = members;
        of
    }

    /// Of two members, the one whose order begins longer as `order` does.
    fn nearest(&self, of: [usize; 2], side: impl Fn(&Member) -> &[u32], order: &[u32]) -> usize {
        let begin = |member: usize| common(side(&self.members[member]), order);
        if begin(of[0]) > begin(of[1]) {
            of[0]
        } else {
            of[1]
        }
    }

    /// Decodes a member's own order from the end, so that its children can be compared with it. Mostly it is much as what it was made of.
    fn prepare(&mut self, member: usize) {
        let member = &mut self.members[member];
        if self.model.plain.is_empty() || member.from_end.order == member.order {
            return;
        }
        let hints = Hints {
            limit: u32::MAX,
            rest: &self.floor.head,
            like: Some(member.from_end.like(&member.order)),
        };
        let made = (self.decoder).pass_with(From::End, Ways::Keep, &member.order, hints);
        if made == Made::Whole {
            member.from_end.ends.copy_from_slice(self.decoder.ends());
        }
        member.from_end.order.clone_from(&member.order);
        self.seen.again(ORDER, &member.order);
        self.seen.again(FROM_END, &member.from_end.ends);
    }
}

/// How many jobs are the same in both orders before the first that differs.
fn common(one: &[u32], other: &[u32]) -> usize {
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let begin = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let rest = one[begin..].iter().zip(&other[begin..]);
    begin + rest.take_while(|(one, other)| one == other).count()
}

/// How many jobs are the same in both orders, which are of one length, behind the last that differs.
fn common_behind(one: &[u32], other: &[u32]) -> usize {
    let blocks = one.rchunks_exact(BLOCK).zip(other.rchunks_exact(BLOCK));
    let end = one.len() - blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let rest = one[..end].iter().rev().zip(other[..end].iter().rev());
    one.len() - end + rest.take_while(|(one, other)| one == other).count()
}
