//! Where several agents are able to do a job: work is handed from one to another until nobody ends late.
//!
//! Plans of such work are mostly as long as the work of those who have the most of it, so the last hours are a matter of who does what, and of no
//! agent waiting. This is a local search for a schedule that is one tick shorter than the best known. What it counts is by how much agents are
//! *over*: the ticks after that length at which they end, added up. A step is one of
//!
//! - a job is **handed** to another who is able,
//! - two agents **swap** a job each, and with even chances also the places in the order,
//! - a job is **shifted** to the place of another of its agent.
//!
//! The job is one of an agent who is over, mostly from the chain that leads to the end there: before each job of it stands what it had to wait
//! for, a job of its agent or one that it depends on (the critical path on which moves in flexible job shops are looked for, Mastrolilli and
//! Gambardella, Journal of Scheduling 3, 2000). What would be over if nothing else moved is known before anything is placed; only what can live
//! is placed. It lives if it is not worse than what there was some steps before (late acceptance: Burke and Bykov, EJOR 258, 2017).
//!
//! Invariant: what is given back is a schedule of [`super::decode`], never longer than the one that it began with.
//! Elsewhere: schedules to begin with, and what becomes of the answer, are [`super::genetic`]'s.

use super::decode::{Decoder, From, Hints, Like, Made, Ways};
use super::floor::Floor;
use super::model::{Model, PackedWay};
use super::random::Random;
use super::rules::{self, Rule};

/// Steps after which a worse state is not taken any more.
const LATE: usize = 100;
/// Steps without a better state after which nothing more is expected.
const IDLE_MOST: u32 = 20_000;
/// How often a step is looked for before the state stays as it is.
const TRIES: u32 = 50;
/// In 1,024: steps on any agent, not on one who is over.
const ANYWHERE: u64 = 200;
/// In 1,024: steps with a job of the chain that leads to the end.
const CHAINED: u64 = 600;
/// In 1,024: steps that leave everyone their work.
const SHIFTED: u64 = 300;
/// No way, in a table of ways.
const NONE: u32 = u32::MAX;

/// A schedule, and the order that it came of.
#[derive(Clone, Debug, Default)]
struct State {
    /// The jobs by their starts.
    order: Vec<u32>,
    /// By job.
    ways: Vec<u32>,
    starts: Vec<u32>,
    ends: Vec<u32>,
    /// Ticks after the target, over all agents.
    over: u64,
}

/// The tables of the search.
#[derive(Clone, Debug)]
pub struct Balance<'m> {
    model: &'m Model,
    /// By job and way: the agent, who is not needed in every way of the job.
    agent: Vec<Vec<Option<u32>>>,
    /// By job and agent: the way.
    way: Vec<Vec<u32>>,
    now: State,
    /// The order and the ways of the step in hand.
    order: Vec<u32>,
    ways: Vec<u32>,
    /// The first place of the order that is different in the step in hand.
    differs: usize,
    /// By job: its place in the order of the step in hand.
    place: Vec<usize>,
    /// By resource of one unit: its jobs now, by their starts, and when the last of them ends.
    jobs: Vec<Vec<u32>>,
    last: Vec<u32>,
    /// How often it was run.
    turn: u32,
    /// Tables that are used again.
    chain: Vec<u32>,
    latest: Vec<u32>,
}

impl<'m> Balance<'m> {
    /// The tables for a model; none if there is no job that could pass from one agent to another.
    pub fn of(model: &'m Model) -> Option<Self> {
        let agents = |ways: &Vec<PackedWay>| -> Vec<Option<u32>> {
            let everywhere = |agent: &u32| ways.iter().all(|way| way.alone.contains(agent));
            let agent =
                |way: &PackedWay| way.alone.iter().copied().find(|agent| !everywhere(agent));
            ways.iter().map(agent).collect()
        };
        let agent: Vec<Vec<Option<u32>>> = model.ways.iter().map(agents).collect();
        let passes = |&job: &u32| agent[job as usize].iter().flatten().count() > 1;
        if !model.free.iter().any(passes) {
            return None;
        }
        let resources = model.capacity.len();
        let way = agent
            .iter()
            .zip(&model.preference)
            .map(|(agents, preference)| {
                let mut row = vec![NONE; resources];
                // The preferred way last, so that it stays.
                for &way in preference.iter().rev() {
                    if let Some(agent) = agents[way as usize] {
                        row[agent as usize] = way;
                    }
                }
                row
            });
        Some(Self {
            model,
            way: way.collect(),
            agent,
            now: State::default(),
            order: Vec::new(),
            ways: Vec::new(),
            differs: 0,
            place: vec![0; model.len()],
            jobs: vec![Vec::new(); resources],
            last: vec![0; resources],
            turn: 0,
            chain: Vec::new(),
            latest: vec![0; resources],
        })
    }

    /// Looks for a schedule shorter than that of an order and its ways; gives the order and the ways of the best that it comes to.
    ///
    /// The third time, and every other after it, it begins with an order drawn by chance instead: where it got stuck twice, it would again.
    /// It ends at the bound, where nothing more is expected, when the decoder has placed `placed_most` jobs in all, or when `go_on` says no.
    pub fn run(
        &mut self,
        decoder: &mut Decoder<'m>,
        random: &mut Random,
        floor: &Floor,
        (order, ways): (&[u32], &[u32]),
        placed_most: u64,
        go_on: &mut dyn FnMut() -> bool,
    ) -> (Vec<u32>, Vec<u32>) {
        self.turn += 1;
        if self.turn > 1 && self.turn % 2 == 1 {
            let weights = rules::weights(self.model, floor, Rule::LatestFinish);
            self.order = rules::sample(self.model, &weights, random);
            decoder.pass(From::Start, Ways::Choose, &self.order);
        } else {
            self.order.clear();
            self.order.extend(order);
            decoder.set_ways(ways);
            decoder.pass(From::Start, Ways::Keep, order);
        }
        let mut best = (self.order.clone(), decoder.ways().to_vec());
        // One tick less than there is, as long as there is anything to gain.
        let mut target = match decoder.length() {
            length if length > floor.bound => length - 1,
            _ => return best,
        };
        let over = self.over(decoder, target);
        self.live(decoder, over);
        let mut late = [over; LATE];
        let (mut least, mut idle, mut step) = (over, 0, 0);
        while idle < IDLE_MOST && decoder.placed() < placed_most && go_on() {
            step = (step + 1) % LATE;
            let allowed = late[step].max(self.now.over);
            if self.propose(random, target, allowed) {
                match self.made(decoder, floor, target, allowed) {
                    Some(over) => self.live(decoder, over),
                    None => self.leave(),
                }
            }
            late[step] = self.now.over;
            idle += 1;
            if self.now.over < least {
                (least, idle) = (self.now.over, 0);
            }
            if least == 0 {
                best.0.clone_from(&self.now.order);
                best.1.clone_from(&self.now.ways);
                if decoder.length() <= floor.bound {
                    break;
                }
                target = decoder.length() - 1;
                self.now.over = self.over(decoder, target);
                late.fill(self.now.over);
                least = self.now.over;
            }
        }
        best
    }

    /// Ticks after the target in the schedule of the last pass, over all agents and all jobs that have none.
    fn over(&mut self, decoder: &Decoder, target: u32) -> u64 {
        let late = |end: u32| u64::from(end.saturating_sub(target));
        self.latest.fill(0);
        let mut alone = 0;
        for &job in &self.model.free {
            let end = decoder.ends()[job as usize];
            let way = &self.model.ways[job as usize][decoder.ways()[job as usize] as usize];
            if way.alone.is_empty() {
                alone += late(end);
            }
            for &resource in &way.alone {
                let latest = &mut self.latest[resource as usize];
                *latest = (*latest).max(end);
            }
        }
        alone + self.latest.iter().map(|&end| late(end)).sum::<u64>()
    }

    /// Places the jobs of the step in hand. What is over then, if that is not too much.
    fn made(
        &mut self,
        decoder: &mut Decoder<'m>,
        floor: &Floor,
        target: u32,
        allowed: u64,
    ) -> Option<u64> {
        decoder.set_ways(&self.ways);
        let hints = Hints {
            limit: target.saturating_add(u32::try_from(allowed).unwrap_or(u32::MAX)),
            rest: &floor.tail,
            like: Some(Like {
                ends: &self.now.ends,
                differs: self.differs,
                same: usize::MAX,
            }),
        };
        let made = decoder.pass_with(From::Start, Ways::Keep, &self.order, hints);
        let over = (made == Made::Whole).then(|| self.over(decoder, target));
        over.filter(|&over| over <= allowed)
    }

    /// The schedule of the last pass, by the order in hand, becomes the state.
    fn live(&mut self, decoder: &Decoder, over: u64) {
        let Self { model, now, .. } = self;
        now.over = over;
        now.ends.clear();
        now.ends.extend(decoder.ends());
        now.ways.clear();
        now.ways.extend(decoder.ways());
        now.starts.clear();
        let jobs = 0..model.len() as u32;
        now.starts.extend(jobs.map(|job| decoder.start(job)));
        // Stable: of those that start together, the one that others wait for stays before them.
        now.order.clone_from(&self.order);
        now.order.sort_by_key(|&job| now.starts[job as usize]);
        for jobs in &mut self.jobs {
            jobs.clear();
        }
        for (place, &job) in now.order.iter().enumerate() {
            self.place[job as usize] = place;
            let way = now.ways[job as usize] as usize;
            for &resource in &model.ways[job as usize][way].alone {
                self.jobs[resource as usize].push(job);
            }
        }
        for (jobs, last) in self.jobs.iter().zip(&mut self.last) {
            // Jobs of one agent end as they start.
            *last = jobs.last().map_or(0, |&job| now.ends[job as usize]);
        }
    }

    /// The step in hand is given up.
    fn leave(&mut self) {
        for (place, &job) in self.now.order.iter().enumerate().skip(self.differs) {
            self.place[job as usize] = place;
        }
    }

    /// Draws a step that may live, as far as that can be said before its jobs are placed. Whether there is one.
    fn propose(&mut self, random: &mut Random, target: u32, allowed: u64) -> bool {
        self.order.clone_from(&self.now.order);
        self.ways.clone_from(&self.now.ways);
        self.differs = usize::MAX;
        let resources = self.jobs.len();
        let mut on = random.below(resources);
        if !random.chance(ANYWHERE) {
            let next = |from: usize| (from..resources).chain(0..from);
            on = next(on).find(|&on| self.last[on] > target).unwrap_or(on);
        }
        if self.jobs[on].is_empty() {
            return false;
        }
        self.follow(on);
        for _ in 0..TRIES {
            let jobs = if random.chance(CHAINED) {
                &self.chain
            } else {
                &self.jobs[on]
            };
            let job = jobs[random.below(jobs.len())];
            let drawn = if random.chance(SHIFTED) {
                self.shift_beside(random, job)
            } else {
                self.hand_over(random, job, target, allowed)
            };
            if drawn {
                return true;
            }
        }
        false
    }

    /// The chain that leads to the last end on a resource: before each job one that ends when it starts, on a resource of it or one that it waits for.
    fn follow(&mut self, on: usize) {
        let (model, now) = (self.model, &self.now);
        let mut next = self.jobs[on].last().copied();
        self.chain.clear();
        while let Some(job) = next {
            self.chain.push(job);
            let start = now.starts[job as usize];
            // What takes no time has an end before it that is its own.
            let ends = |&other: &u32| {
                now.ends[other as usize] == start
                    && now.starts[other as usize] < start
                    && model.fixed[other as usize].is_none()
            };
            let way = &model.ways[job as usize][now.ways[job as usize] as usize];
            let mut beside = way.alone.iter().filter_map(|&resource| {
                let jobs = &self.jobs[resource as usize];
                let place = jobs.partition_point(|&other| now.starts[other as usize] < start);
                jobs[..place].last().copied()
            });
            let mut before = model.before.of(job).iter().copied();
            // Where there are both, in turn.
            next = match self.chain.len() % 2 {
                0 => before.find(ends).or_else(|| beside.find(ends)),
                _ => beside.find(ends).or_else(|| before.find(ends)),
            };
        }
    }

    /// A job goes to the place of another that needs the same resource.
    fn shift_beside(&mut self, random: &mut Random, job: u32) -> bool {
        let way = &self.model.ways[job as usize][self.now.ways[job as usize] as usize];
        let [_, ..] = way.alone[..] else {
            return false;
        };
        let resource = way.alone[random.below(way.alone.len())];
        let jobs = &self.jobs[resource as usize];
        let other = jobs[random.below(jobs.len())];
        self.shift(job, self.place[other as usize])
    }

    /// A job goes to another agent, who may give one back.
    fn hand_over(&mut self, random: &mut Random, job: u32, target: u32, allowed: u64) -> bool {
        let Some(own) = self.agent[job as usize][self.now.ways[job as usize] as usize] else {
            return false;
        };
        let other = random.below(self.jobs.len()) as u32;
        let to = self.way[job as usize][other as usize];
        if other == own || to == NONE {
            return false;
        }
        let theirs = &self.jobs[other as usize];
        // Behind the last: nothing comes back.
        let back = theirs.get(random.below(theirs.len() + 1)).copied();
        let back = match back.map(|back| (back, self.way[back as usize][own as usize])) {
            Some((_, NONE)) => return false,
            back => back,
        };
        let length = |job: u32, way: u32| self.model.ways[job as usize][way as usize].duration;
        let has = |job: u32| length(job, self.now.ways[job as usize]);
        let (less, more) = back.map_or((0, 0), |(back, way)| (has(back), length(back, way)));
        let late = |end: u32| u64::from(end.saturating_sub(target));
        let after = |agent: u32, less: u32, more: u32| {
            let last = self.last[agent as usize];
            (late(last), late((last + more).saturating_sub(less)))
        };
        let (own_was, own_is) = after(own, has(job), more);
        let (other_was, other_is) = after(other, less, length(job, to));
        if (self.now.over + own_is + other_is).saturating_sub(own_was + other_was) > allowed {
            return false;
        }
        self.ways[job as usize] = to;
        let place = self.place[job as usize];
        self.differs = place;
        if let Some((back, way)) = back {
            self.ways[back as usize] = way;
            let its = self.place[back as usize];
            self.differs = place.min(its);
            if random.chance(512) {
                self.shift(job, its);
                self.shift(back, place);
            }
        }
        true
    }

    /// Moves a job to a place in the order in hand, or as near to it as what comes before and after it allows. Whether it moves.
    fn shift(&mut self, job: u32, to: usize) -> bool {
        let model = self.model;
        let free = |other: &&u32| model.fixed[**other as usize].is_none();
        let place = |other: &u32| self.place[*other as usize];
        let before = model.before.of(job).iter().filter(free).map(place).max();
        let after = model.after.of(job).iter().map(place).min();
        let (first, last) = (
            before.map_or(0, |place| place + 1),
            after.map_or(self.order.len(), |place| place) - 1,
        );
        let (from, to) = (self.place[job as usize], to.clamp(first, last));
        let (low, high) = (from.min(to), from.max(to));
        let moved = &mut self.order[low..=high];
        if to < from {
            moved.rotate_right(1);
        } else {
            moved.rotate_left(1);
        }
        for (place, &job) in (low..).zip(&*moved) {
            self.place[job as usize] = place;
        }
        self.differs = self.differs.min(low);
        low < high
    }
}

#[cfg(test)]
mod tests {
    use super::super::genetic::Island;
    use super::super::model::{Job, Problem, Way};
    use super::*;

    /// Agents who are at work without a gap until `length`; each job can be done by some others too, and some wait for what ends before them.
    fn packed(seed: u64, agents: u32, length: u32) -> Problem {
        let mut random = Random::new(seed, 0);
        let mut jobs: Vec<(u32, u32, u32)> = Vec::new();
        for agent in 0..agents {
            let mut now = 0;
            while now < length {
                let end = (now + 3 + random.below(20) as u32).min(length);
                jobs.push((agent, now, end));
                now = end;
            }
        }
        let mut edges = Vec::new();
        for (to, &(_, start, _)) in (0..).zip(&jobs) {
            let from = random.below(jobs.len());
            if jobs[from].2 <= start {
                edges.push((from as u32, to));
            }
        }
        let mut able = |own: u32| {
            (0..agents)
                .filter(|&agent| agent == own || random.chance(300))
                .collect::<Vec<_>>()
        };
        let job = |&(own, start, end): &(u32, u32, u32)| Job {
            ways: able(own)
                .into_iter()
                .map(|agent| Way {
                    duration: end - start,
                    demand: vec![(agent, 1)],
                    misfit: 0,
                })
                .collect(),
            ..Job::default()
        };
        Problem {
            capacity: vec![1; agents as usize],
            jobs: jobs.iter().map(job).collect(),
            edges,
            closed: Vec::new(),
        }
    }

    #[test]
    fn work_that_leaves_nobody_a_free_tick_is_packed_with_one_in_a_hundred_at_most() {
        for seed in 0..4 {
            let model = Model::new(&packed(seed, 8, 100)).expect("a problem");
            let floor = Floor::of(&model);
            assert_eq!(
                floor.bound, 100,
                "seed {seed}: all of the work, by all of the agents"
            );
            let mut island = Island::new(&model, &floor, seed, 0, 20_000);
            let found = island.run(&mut || true).makespan;
            assert!(found <= 101, "seed {seed}: {found}");
        }
    }

    #[test]
    fn it_gives_back_what_it_can_not_make_shorter_and_places_no_more_than_it_may() {
        let model = Model::new(&packed(1, 8, 100)).expect("a problem");
        let floor = Floor::of(&model);
        let mut decoder = Decoder::new(&model);
        let order = rules::serial(&model, &rules::weights(&model, &floor, Rule::LatestFinish));
        let listed = decoder.pass(From::Start, Ways::Choose, &order);
        let ways = decoder.ways().to_vec();
        let length = |placed: u64, go_on: bool| {
            let (mut decoder, mut random) = (Decoder::new(&model), Random::new(1, 0));
            let list = (&order[..], &ways[..]);
            let mut balance = Balance::of(&model).expect("several are able");
            let (order, ways) =
                balance.run(&mut decoder, &mut random, &floor, list, placed, &mut || {
                    go_on
                });
            let made = decoder.placed();
            decoder.set_ways(&ways);
            (decoder.pass(From::Start, Ways::Keep, &order), made)
        };
        let jobs = order.len() as u64;
        assert_eq!(length(u64::MAX, false), (listed, jobs), "no time");
        assert_eq!(length(jobs, true), (listed, jobs), "no budget");
        let (found, made) = length(500 * jobs, true);
        assert!(
            found < listed && made < 501 * jobs,
            "{found} of {listed}, {made} placed"
        );
    }

    #[test]
    fn where_nobody_can_take_over_there_is_nothing_to_hand_on() {
        let mut problem = packed(1, 4, 50);
        for job in &mut problem.jobs {
            job.ways.truncate(1);
        }
        assert!(Balance::of(&Model::new(&problem).expect("a problem")).is_none());
    }
}
