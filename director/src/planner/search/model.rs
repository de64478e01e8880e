//! What is to be scheduled: jobs, what they wait for, what they share, and the ways in which each can be done.
//!
//! This is the resource-constrained project scheduling problem with what a sprint adds to it: a job can have several *ways* (agents
//! or roles that are able, each with its duration and its demands), a release date, a place in the past that stays, and
//! resources can be closed for a while. Time is integer ticks from 0; what a tick is, the caller knows.
//!
//! A [`Problem`] is what callers write; [`Model::new`] checks it and lays it out for the search: neighbours in compressed rows,
//! demands packed into [`super::lanes`].
//!
//! Invariant: a [`Model`] has no cycle, and every way of every job fits into an empty timeline.
//! Elsewhere: placing jobs is [`super::decode`], what no schedule can beat is [`super::floor`].

use super::lanes;

/// A problem in the caller's words. Jobs and resources are numbered by their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Units of each resource, at most [`lanes::MOST`].
    pub capacity: Vec<u32>,
    /// What is to be done.
    pub jobs: Vec<Job>,
    /// From each job to one that waits for it.
    pub edges: Vec<(u32, u32)>,
    /// When resources are not there.
    pub closed: Vec<Closed>,
}

/// One thing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// How it can be done; at least one.
    pub ways: Vec<Way>,
    /// The first tick at which it may start.
    pub release: u32,
    /// Where it stands, when it has been started already.
    pub fixed: Option<Fixed>,
}

/// A way to do a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Ticks.
    pub duration: u32,
    /// Resources and how many units of each, all the while.
    pub demand: Vec<(u32, u32)>,
    /// Of ways that end at the same time, the one with less of it is taken: how badly the way suits the job.
    pub misfit: u32,
}

/// A job's place that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Which of the job's ways.
    pub way: u32,
    /// When it started.
    pub start: u32,
}

/// A time in which some units of a resource are away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The resource.
    pub resource: u32,
    /// How many units; more than there are counts as all.
    pub units: u32,
    /// The first tick without them.
    pub from: u32,
    /// The first tick with them again.
    pub to: u32,
}

/// Why a problem cannot be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Jobs that wait for each other.
    #[error("job {job} waits for itself, directly or through others; take one of the edges out")]
    Cycle {
        /// One job of the cycle.
        job: u32,
    },
    /// A number that names nothing.
    #[error("{what} {number} does not exist; there are {there}")]
    Unknown {
        /// What it should be.
        what: &'static str,
        /// The number.
        number: u32,
        /// How many there are.
        there: usize,
    },
    /// A job that cannot be done.
    #[error(
        "job {job} has no way in which it could be done with what there is; give it one, or more capacity"
    )]
    NoWay {
        /// The job.
        job: u32,
    },
    /// Numbers beyond what is packed.
    #[error(
        "{what} is {number}, and at most {most} can be planned; use coarser units or split the problem"
    )]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// How large it is.
        number: u64,
        /// The most.
        most: u64,
    },
}

/// The longest that all jobs in a row may take, in ticks.
pub const HORIZON_MOST: u32 = 1 << 24;

/// Lists of numbers, one after the other in one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    begin: Vec<u32>,
    items: Vec<u32>,
}

impl Rows {
    fn build(len: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut begin = vec![0_u32; len + 1];
        for (row, _) in pairs.clone() {
            begin[row as usize + 1] += 1;
        }
        for row in 0..len {
            begin[row + 1] += begin[row];
        }
        let mut next = begin.clone();
        let mut items = vec![0; begin[len] as usize];
        for (row, item) in pairs {
            items[next[row as usize] as usize] = item;
            next[row as usize] += 1;
        }
        Self { begin, items }
    }

    /// The row of `at`.
    #[inline]
    pub fn of(&self, at: u32) -> &[u32] {
        &self.items[self.begin[at as usize] as usize..self.begin[at as usize + 1] as usize]
    }
}

/// A way, packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedWay {
    /// Ticks.
    pub duration: u32,
    /// As in [`Way::misfit`].
    pub misfit: u32,
    /// Words of the timeline in which it needs something, and what.
    pub demand: Vec<(u32, u64)>,
    /// The part of the demand that is for resources of several units.
    pub shared: Vec<(u32, u64)>,
    /// The other part: resources of one unit that it needs alone.
    pub alone: Vec<u32>,
}

/// Some lanes that are taken from the start, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The word.
    pub word: u32,
    /// Units by lane.
    pub lanes: u64,
    /// The first tick.
    pub from: u32,
    /// The first tick after it.
    pub to: u32,
}

/// A resource of one unit that is taken from the start, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The resource.
    pub resource: u32,
    /// The first tick.
    pub from: u32,
    /// The first tick after it.
    pub to: u32,
}

/// A job whose only demand is in one word and that can be done in one way only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plain {
    /// Units by lane.
    pub demand: u64,
    /// Ticks.
    pub duration: u32,
}

/// A checked problem, laid out for the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Units by resource.
    pub capacity: Vec<u32>,
    /// By job: what it waits for.
    pub before: Rows,
    /// By job: what waits for it.
    pub after: Rows,
    /// By job: the first tick at which it may start, what is fixed before it included.
    pub release: Vec<u32>,
    /// By job: how it can be done.
    pub ways: Vec<Vec<PackedWay>>,
    /// By job: its ways, the short ones first, of those the ones with less misfit.
    pub preference: Vec<Vec<u32>>,
    /// By job, when every job is [`Plain`] and there is one word; else empty.
    pub plain: Vec<Plain>,
    /// By job: its place, when it stays.
    pub fixed: Vec<Option<Fixed>>,
    /// The jobs that are to be placed, each after all that it waits for.
    pub free: Vec<u32>,
    /// Free units by word when nothing is placed, guards set.
    pub empty: Vec<u64>,
    /// What is taken from the start: by closed resources and by fixed jobs.
    pub taken: Vec<Taken>,
    /// The same for resources of one unit.
    pub held: Vec<Held>,
    /// A time by which everything is done in any serial schedule, from either side.
    pub horizon: u32,
    /// The end of what is fixed; no schedule ends before it.
    pub fixed_end: u32,
}

impl Model {
    /// Checks a problem and lays it out.
    ///
    /// # Errors
    /// [`ModelError`] names what is wrong: a cycle, a number that names nothing, a job without a way, too large numbers.
    pub fn new(problem: &Problem) -> Result<Self, ModelError> {
        let len = problem.jobs.len();
        check_numbers(problem)?;
        let words = problem.capacity.len().div_ceil(lanes::LANES).max(1);
        let mut empty = vec![lanes::GUARDS; words];
        for (resource, &units) in problem.capacity.iter().enumerate() {
            let (word, lane) = lanes::place(resource);
            empty[word] |= lanes::units(lane, units);
        }
        let mut ways = Vec::with_capacity(len);
        for (job, written) in (0..).zip(&problem.jobs) {
            let packed: Vec<PackedWay> = written
                .ways
                .iter()
                .filter_map(|way| pack(way, &problem.capacity))
                .collect();
            // A fixed job refers to its ways by place, so none may be missing.
            if packed.is_empty() || (written.fixed.is_some() && packed.len() < written.ways.len()) {
                return Err(ModelError::NoWay { job });
            }
            ways.push(packed);
        }
        let fixed: Vec<Option<Fixed>> = problem.jobs.iter().map(|job| job.fixed).collect();
        let is_fixed = |job: u32| fixed[job as usize].is_some();
        // What has happened stays, also when it happened before its time.
        let edges = problem
            .edges
            .iter()
            .copied()
            .filter(|&(_, to)| !is_fixed(to));
        let before = Rows::build(len, edges.clone().map(|(from, to)| (to, from)));
        let after = Rows::build(len, edges);
        let mut free = order(len, &before, &after)?;
        free.retain(|&job| !is_fixed(job));
        let mut model = Self {
            capacity: problem.capacity.clone(),
            release: problem.jobs.iter().map(|job| job.release).collect(),
            preference: ways.iter().map(|ways| preference(ways)).collect(),
            plain: Vec::new(),
            taken: Vec::new(),
            held: Vec::new(),
            horizon: 0,
            fixed_end: 0,
            before,
            after,
            ways,
            fixed,
            free,
            empty,
        };
        model.take_what_is_fixed(&problem.closed);
        model.set_horizon()?;
        model.find_plain();
        Ok(model)
    }

    /// How many jobs there are, the fixed included.
    pub fn len(&self) -> usize {
        self.ways.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }

    /// Whether some job can be done in more than one way.
    pub fn has_choice(&self) -> bool {
        self.free
            .iter()
            .any(|&job| self.ways[job as usize].len() > 1)
    }

    /// The least that `job` takes, over its ways.
    pub fn shortest(&self, job: u32) -> u32 {
        let durations = self.ways[job as usize].iter().map(|way| way.duration);
        durations.min().unwrap_or(0)
    }

    /// Units of `resource` that `way` of `job` needs.
    pub fn demand(&self, job: u32, way: usize, resource: usize) -> u32 {
        let (word, lane) = lanes::place(resource);
        let demands = &self.ways[job as usize][way].demand;
        let found = demands.iter().find(|(at, _)| *at as usize == word);
        found.map_or(0, |&(_, packed)| lanes::read(packed, lane))
    }

    fn take_what_is_fixed(&mut self, closed: &[Closed]) {
        for (job, fixed) in self.fixed.iter().enumerate() {
            let Some(Fixed { way, start }) = *fixed else {
                continue;
            };
            let way = &self.ways[job][way as usize];
            let to = start.saturating_add(way.duration);
            self.fixed_end = self.fixed_end.max(to);
            for &(word, lanes) in &way.demand {
                self.taken.push(Taken {
                    word,
                    lanes,
                    from: start,
                    to,
                });
            }
            self.held.extend(way.alone.iter().map(|&resource| Held {
                resource,
                from: start,
                to,
            }));
        }
        for closed in closed.iter().filter(|closed| closed.from < closed.to) {
            let (word, lane) = lanes::place(closed.resource as usize);
            let units = closed.units.min(self.capacity[closed.resource as usize]);
            self.taken.push(Taken {
                word: word as u32,
                lanes: lanes::units(lane, units),
                from: closed.from,
                to: closed.to,
            });
            if units > 0 && self.capacity[closed.resource as usize] == 1 {
                self.held.push(Held {
                    resource: closed.resource,
                    from: closed.from,
                    to: closed.to,
                });
            }
        }
    }

    fn set_horizon(&mut self) -> Result<(), ModelError> {
        let longest = |ways: &Vec<PackedWay>| {
            ways.iter()
                .map(|way| u64::from(way.duration))
                .max()
                .unwrap_or(0)
        };
        let work: u64 = self
            .free
            .iter()
            .map(|&job| longest(&self.ways[job as usize]))
            .sum();
        let released = self
            .free
            .iter()
            .map(|&job| self.release[job as usize])
            .max()
            .unwrap_or(0);
        let taken = self.taken.iter().map(|taken| taken.to).max().unwrap_or(0);
        let latest = u64::from(released.max(taken).max(self.fixed_end));
        // From the end, what is taken lies as late as the schedule before was long, and all the work may come behind it.
        let behind = if self.taken.is_empty() { 0 } else { work };
        let horizon = work + latest + behind;
        match u32::try_from(horizon) {
            Ok(horizon) if horizon <= HORIZON_MOST => {
                self.horizon = horizon;
                Ok(())
            }
            _ => Err(ModelError::TooLarge {
                what: "the time that all jobs take in a row",
                number: horizon,
                most: u64::from(HORIZON_MOST),
            }),
        }
    }

    fn find_plain(&mut self) {
        if self.empty.len() > 1
            || !self.taken.is_empty()
            || self.free.len() < self.len()
            || self.has_choice()
        {
            return;
        }
        let plain = |ways: &Vec<PackedWay>| Plain {
            demand: ways[0].demand.first().map_or(0, |&(_, packed)| packed),
            duration: ways[0].duration,
        };
        self.plain = self.ways.iter().map(plain).collect();
    }
}

fn check_numbers(problem: &Problem) -> Result<(), ModelError> {
    let within = |what, number: u32, there: usize| match (number as usize) < there {
        true => Ok(()),
        false => Err(ModelError::Unknown {
            what,
            number,
            there,
        }),
    };
    if let Some(&most) = problem.capacity.iter().max()
        && most > lanes::MOST
    {
        return Err(ModelError::TooLarge {
            what: "a capacity",
            number: u64::from(most),
            most: u64::from(lanes::MOST),
        });
    }
    let (jobs, resources) = (problem.jobs.len(), problem.capacity.len());
    for &(from, to) in &problem.edges {
        within("job", from, jobs)?;
        within("job", to, jobs)?;
    }
    for closed in &problem.closed {
        within("resource", closed.resource, resources)?;
    }
    for job in &problem.jobs {
        for &(resource, _) in job.ways.iter().flat_map(|way| &way.demand) {
            within("resource", resource, resources)?;
        }
        if let Some(fixed) = job.fixed {
            within("way", fixed.way, job.ways.len())?;
        }
    }
    Ok(())
}

/// The way with its demands packed; nothing when it needs more than there is.
fn pack(way: &Way, capacity: &[u32]) -> Option<PackedWay> {
    let mut demand: Vec<(u32, u64)> = Vec::new();
    for &(resource, units) in &way.demand {
        if units > capacity[resource as usize] {
            return None;
        }
        let (word, lane) = lanes::place(resource as usize);
        let packed = lanes::units(lane, units);
        if packed == 0 {
            continue;
        }
        match demand.iter_mut().find(|(at, _)| *at == word as u32) {
            // A resource that is named twice is needed once, with the last number.
            Some((_, lanes)) => *lanes = *lanes & !lanes::units(lane, lanes::MOST) | packed,
            None => demand.push((word as u32, packed)),
        }
    }
    let mut shared = demand.clone();
    let mut alone = Vec::new();
    for (resource, _) in (0..).zip(capacity).filter(|(_, units)| **units == 1) {
        let (word, lane) = lanes::place(resource);
        let unit = lanes::units(lane, 1);
        let needed = |(at, lanes): &&mut (u32, u64)| *at as usize == word && *lanes & unit != 0;
        if let Some((_, lanes)) = shared.iter_mut().find(needed) {
            *lanes &= !unit;
            alone.push(resource as u32);
        }
    }
    shared.retain(|&(_, lanes)| lanes != 0);
    Some(PackedWay {
        duration: way.duration,
        misfit: way.misfit,
        demand,
        shared,
        alone,
    })
}

fn preference(ways: &[PackedWay]) -> Vec<u32> {
    let mut places: Vec<u32> = (0..ways.len() as u32).collect();
    places.sort_by_key(|&place| {
        let way = &ways[place as usize];
        (way.duration, way.misfit)
    });
    places
}

/// Kahn's algorithm, the lower number first.
fn order(len: usize, before: &Rows, after: &Rows) -> Result<Vec<u32>, ModelError> {
    let mut waits: Vec<usize> = (0..len as u32).map(|job| before.of(job).len()).collect();
    let mut ready: std::collections::BTreeSet<u32> = (0..len as u32)
        .filter(|&job| waits[job as usize] == 0)
        .collect();
    let mut order = Vec::with_capacity(len);
    while let Some(job) = ready.pop_first() {
        order.push(job);
        for &next in after.of(job) {
            waits[next as usize] -= 1;
            if waits[next as usize] == 0 {
                ready.insert(next);
            }
        }
    }
    match waits.iter().position(|&left| left > 0) {
        Some(job) if order.len() < len => Err(ModelError::Cycle { job: job as u32 }),
        _ => Ok(order),
    }
}
