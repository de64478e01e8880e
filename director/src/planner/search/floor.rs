//! What no schedule can beat: lower bounds, each with a reason in a sentence.
//!
//! - **Path**: the longest chain, releases included.
//! - **Load**: of the jobs on one resource that cannot start before *h* and are followed by at least *q*, the work shared out
//!   evenly, between *h* and *q*; over every pair of *h* and *q*.
//! - **Clique**: jobs no two of which can go on together stand in a row; the load of such a row. Cliques grow greedily from each job.
//! - **Able**: work that only the agents of some set can do, by their number; over the unions of two sets of able agents, and over the worst
//!   of all sets, without heads and tails ([`super::able`]).
//! - **Energy**: for a length *T*, every job has a window; when between two ticks the parts that must lie there need more than the
//!   resource has, *T* is too short (Baptiste, Le Pape and Nuijten, Annals of Operations Research 92, 1999).
//!
//! Invariant: no schedule of the model is shorter than the bound.

use std::collections::{BTreeMap, BTreeSet};

use super::able::Able;
use super::apart::Apart;
use super::model::Model;

/// Jobs up to which cliques are looked for; the time grows with the third power of the jobs.
const CLIQUE_JOBS_MOST: usize = 250;
/// Jobs on one resource up to which its energy is added up, in time of the third power again.
const ENERGY_PARTS_MOST: usize = 64;

/// Earliest starts and what has to follow, by dependencies alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// By job: the earliest tick at which it can start.
    pub head: Vec<u32>,
    /// By job: the least time from its end to the end of the schedule.
    pub tail: Vec<u32>,
    /// The longest chain.
    pub path: u32,
    /// The best of all bounds.
    pub bound: u32,
}

/// One job on a resource.
#[derive(Clone, Copy)]
struct Part {
    head: u32,
    tail: u32,
    length: u32,
    units: u32,
}

impl Floor {
    /// The bounds of a model.
    pub fn of(model: &Model) -> Self {
        let mut floor = Self::paths(model);
        floor.bound = floor.path.max(model.fixed_end);
        let rows: Vec<(u64, Vec<Part>)> = floor.resources(model);
        for (capacity, parts) in &rows {
            floor.bound = floor.bound.max(load(*capacity, parts));
        }
        floor.bound = floor.bound.max(floor.cliques(model)).max(floor.able(model));
        floor.bound = raised(&rows, floor.bound);
        floor
    }

    fn paths(model: &Model) -> Self {
        let (mut head, mut tail) = (model.release.clone(), vec![0; model.len()]);
        for (job, fixed) in model.fixed.iter().enumerate() {
            if let Some(fixed) = fixed {
                head[job] = fixed.start;
                let ended = fixed.start + model.ways[job][fixed.way as usize].duration;
                for &next in model.after.of(job as u32) {
                    head[next as usize] = head[next as usize].max(ended);
                }
            }
        }
        for &job in &model.free {
            let ended = head[job as usize] + model.shortest(job);
            for &next in model.after.of(job) {
                head[next as usize] = head[next as usize].max(ended);
            }
        }
        for &job in model.free.iter().rev() {
            let follow = model.after.of(job).iter();
            let longest = follow
                .map(|&next| tail[next as usize] + model.shortest(next))
                .max();
            tail[job as usize] = longest.unwrap_or(0);
        }
        let through = |&job: &u32| head[job as usize] + model.shortest(job) + tail[job as usize];
        let path = model.free.iter().map(through).max().unwrap_or(0);
        Self {
            head,
            tail,
            path,
            bound: path,
        }
    }

    fn part(&self, model: &Model, job: u32, units: u32) -> Part {
        let (head, tail) = (self.head[job as usize], self.tail[job as usize]);
        Part {
            head,
            tail,
            length: model.shortest(job),
            units,
        }
    }

    /// By resource: its capacity, and what every way of a job needs of it.
    fn resources(&self, model: &Model) -> Vec<(u64, Vec<Part>)> {
        let of = |resource: usize| {
            let jobs = model.free.iter();
            let parts = jobs.filter_map(|&job| {
                let ways = 0..model.ways[job as usize].len();
                let units = ways
                    .map(|way| model.demand(job, way, resource))
                    .min()
                    .unwrap_or(0);
                (units > 0 && model.shortest(job) > 0).then(|| self.part(model, job, units))
            });
            parts.collect()
        };
        let capacity = model.capacity.iter().enumerate();
        capacity
            .map(|(resource, &units)| (u64::from(units), of(resource)))
            .collect()
    }

    /// The work that only some agents can do, by their number.
    fn able(&self, model: &Model) -> u32 {
        if !model.has_choice() {
            return 0;
        }
        // Where every way needs one resource of one unit and no other, a resource is an agent.
        let agent = |job: u32, way: usize| {
            let way = &model.ways[job as usize][way];
            match way.alone[..] {
                [resource] if way.shared.is_empty() => Some(resource as usize),
                _ => None,
            }
        };
        let set = |job: u32| {
            (0..model.ways[job as usize].len())
                .map(|way| agent(job, way))
                .collect::<Option<BTreeSet<usize>>>()
        };
        let mut able: BTreeMap<BTreeSet<usize>, Vec<Part>> = BTreeMap::new();
        for &job in &model.free {
            if let Some(set) = set(job) {
                able.entry(set).or_default().push(self.part(model, job, 1));
            }
        }
        let union = |one: &BTreeSet<usize>, other: &BTreeSet<usize>| -> BTreeSet<usize> {
            one.union(other).copied().collect()
        };
        let pairs = able
            .keys()
            .flat_map(|one| able.keys().map(move |other| (one, other)));
        let unions: BTreeSet<BTreeSet<usize>> =
            pairs.map(|(one, other)| union(one, other)).collect();
        let bound = |union: &BTreeSet<usize>| {
            let inside = able.iter().filter(|(set, _)| set.is_subset(union));
            let parts: Vec<Part> = inside.flat_map(|(_, parts)| parts).copied().collect();
            load(union.len() as u64, &parts)
        };
        let best = unions.iter().map(bound).max().unwrap_or(0);
        let work = |parts: &[Part]| parts.iter().map(|part| u64::from(part.length)).sum();
        let grouped = able.iter().map(|(set, parts)| (set, work(parts)));
        let sets = Able::new(grouped).overloaded(u64::from(self.bound.max(best)));
        sets.iter().map(bound).fold(best, u32::max)
    }

    /// Jobs that stand in a row because no two of them can go on together.
    fn cliques(&self, model: &Model) -> u32 {
        let jobs = &model.free;
        if jobs.len() > CLIQUE_JOBS_MOST || model.has_choice() {
            return 0;
        }
        let apart = Apart::of(model);
        let mut best = 0;
        for &seed in jobs {
            let mut with: Vec<u32> = jobs
                .iter()
                .copied()
                .filter(|&job| apart.are(seed, job))
                .collect();
            with.sort_by_key(|&job| std::cmp::Reverse(model.shortest(job)));
            let mut clique = vec![seed];
            for job in with {
                if clique.iter().all(|&other| apart.are(job, other)) {
                    clique.push(job);
                }
            }
            let parts: Vec<Part> = clique.iter().map(|&job| self.part(model, job, 1)).collect();
            best = best.max(load(1, &parts));
        }
        best
    }
}

/// Over all pairs of a head and a tail: the head, the work behind it, shared out, and the tail.
fn load(capacity: u64, parts: &[Part]) -> u32 {
    let mut by_head = parts.to_vec();
    by_head.sort_by_key(|part| std::cmp::Reverse(part.head));
    let mut tails: Vec<u32> = parts.iter().map(|part| part.tail).collect();
    tails.sort_unstable();
    tails.dedup();
    let mut best = 0;
    for tail in tails {
        let mut work = 0_u64;
        for part in by_head.iter().filter(|part| part.tail >= tail) {
            work += u64::from(part.length) * u64::from(part.units);
            let length = u64::from(part.head) + work.div_ceil(capacity.max(1)) + u64::from(tail);
            best = best.max(u32::try_from(length).unwrap_or(u32::MAX));
        }
    }
    best
}

/// The first length from `bound` on at which no interval would have to hold more than it can. What is too short for one length is too short
/// for every lesser, so it is searched by halves.
fn raised(rows: &[(u64, Vec<Part>)], bound: u32) -> u32 {
    let short = |until: u32| {
        let small = rows
            .iter()
            .filter(|(_, parts)| parts.len() <= ENERGY_PARTS_MOST);
        small
            .into_iter()
            .any(|(capacity, parts)| too_short(*capacity, parts, until))
    };
    let (mut least, mut step) = (bound, 1);
    while short(least + step - 1) {
        least += step;
        step *= 2;
    }
    // Everything before `least` is too short, and `least + step - 1` is long enough.
    let mut most = least + step - 1;
    while least < most {
        let middle = least + (most - least) / 2;
        if short(middle) {
            least = middle + 1;
        } else {
            most = middle;
        }
    }
    least
}

/// Whether in a schedule of length `until` some interval would have to hold more than it can.
fn too_short(capacity: u64, parts: &[Part], until: u32) -> bool {
    let mut from: Vec<u32> = parts
        .iter()
        .flat_map(|part| [part.head, until.saturating_sub(part.tail + part.length)])
        .collect();
    let mut to: Vec<u32> = parts
        .iter()
        .flat_map(|part| [part.head + part.length, until.saturating_sub(part.tail)])
        .collect();
    for times in [&mut from, &mut to] {
        times.sort_unstable();
        times.dedup();
    }
    from.iter().any(|&from| {
        to.iter().filter(|&&to| to > from).any(|&to| {
            let needed: u64 = parts
                .iter()
                .map(|part| {
                    // As far to the left as it goes, and as far to the right: the lesser of what lies inside.
                    let left = (part.head + part.length)
                        .min(to)
                        .saturating_sub(from.max(part.head));
                    let (start, end) = (until - part.tail - part.length, until - part.tail);
                    let right = end.min(to).saturating_sub(from.max(start));
                    u64::from(left.min(right)) * u64::from(part.units)
                })
                .sum();
            needed > capacity * u64::from(to - from)
        })
    })
}
