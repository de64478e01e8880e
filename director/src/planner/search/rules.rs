//! Priority rules: the first orders, and what a schedule looks like before anything is searched.
//!
//! The rules are the classic ones (Kolisch, EJOR 90, 1996). The serial scheme takes the next job by rule among those whose predecessors are
//! taken; the parallel scheme walks through time and starts what fits, by rule. Sampling draws the next job with a
//! probability that grows with its regret, the distance to the worst of those that could be taken (Drexl, 1991).
//!
//! Elsewhere: an order becomes a schedule in [`super::decode`].

use super::floor::Floor;
use super::lanes;
use super::model::Model;
use super::random::Random;

/// What makes one job go before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Latest finish time first: what has the longest way behind it goes first.
    LatestFinish,
    /// Latest start time first: its own duration counts as well.
    LatestStart,
    /// The least slack on the longest chain.
    Slack,
    /// The most jobs that follow, directly or through others.
    Successors,
    /// The greatest rank positional weight: its duration and those of its immediate successors.
    PositionalWeight,
    /// The shortest.
    Shortest,
    /// The most work: duration by share of the capacities.
    Work,
}

/// Every rule.
pub const RULES: [Rule; 7] = [
    Rule::LatestFinish,
    Rule::LatestStart,
    Rule::Slack,
    Rule::Successors,
    Rule::PositionalWeight,
    Rule::Shortest,
    Rule::Work,
];

/// By job: how soon it should go by `rule`; more is sooner.
pub fn weights(model: &Model, floor: &Floor, rule: Rule) -> Vec<u32> {
    let followers = match rule {
        Rule::Successors => followers(model),
        _ => Vec::new(),
    };
    let weight = |job: u32| {
        let at = job as usize;
        let (head, tail, length) = (floor.head[at], floor.tail[at], model.shortest(job));
        match rule {
            Rule::LatestFinish => tail,
            Rule::LatestStart => tail + length,
            Rule::Slack => head + length + tail,
            Rule::Successors => followers[at],
            Rule::PositionalWeight => {
                let after = model.after.of(job).iter();
                length + after.map(|&next| model.shortest(next)).sum::<u32>()
            }
            Rule::Shortest => u32::MAX - length,
            Rule::Work => length.saturating_mul(share(model, job)),
        }
    };
    (0..model.len() as u32).map(weight).collect()
}

/// The largest share of a capacity that the job's first way takes, in thousandths.
fn share(model: &Model, job: u32) -> u32 {
    let capacity = model.capacity.iter().enumerate();
    let shares =
        capacity.map(|(resource, &units)| model.demand(job, 0, resource) * 1000 / units.max(1));
    shares.max().unwrap_or(0)
}

fn followers(model: &Model) -> Vec<u32> {
    let len = model.len();
    let mut counts = vec![0; len];
    let mut seen = vec![u32::MAX; len];
    for &job in &model.free {
        let mut stack = vec![job];
        while let Some(at) = stack.pop() {
            for &next in model.after.of(at) {
                if seen[next as usize] != job {
                    seen[next as usize] = job;
                    counts[job as usize] += 1;
                    stack.push(next);
                }
            }
        }
    }
    counts
}

/// The jobs that can be taken next, as the serial scheme goes on.
struct Ready {
    waits: Vec<u32>,
    jobs: Vec<u32>,
}

impl Ready {
    fn of(model: &Model) -> Self {
        let mut waits = vec![0; model.len()];
        for &job in &model.free {
            let before = model.before.of(job).iter();
            waits[job as usize] = before
                .filter(|&&other| model.fixed[other as usize].is_none())
                .count() as u32;
        }
        let jobs = model
            .free
            .iter()
            .copied()
            .filter(|&job| waits[job as usize] == 0)
            .collect();
        Self { waits, jobs }
    }

    /// Takes the job at a place of `jobs`.
    fn take(&mut self, model: &Model, place: usize) -> u32 {
        let job = self.jobs.remove(place);
        for &next in model.after.of(job) {
            self.waits[next as usize] -= 1;
            if self.waits[next as usize] == 0 {
                self.jobs.push(next);
            }
        }
        job
    }
}

/// The order of the serial scheme: the greatest weight first, then the lowest number.
pub fn serial(model: &Model, weights: &[u32]) -> Vec<u32> {
    let mut ready = Ready::of(model);
    let mut order = Vec::with_capacity(model.free.len());
    while let Some(place) = best(&ready.jobs, weights) {
        order.push(ready.take(model, place));
    }
    order
}

fn best(jobs: &[u32], weights: &[u32]) -> Option<usize> {
    let key = |&place: &usize| {
        (
            weights[jobs[place] as usize],
            std::cmp::Reverse(jobs[place]),
        )
    };
    (0..jobs.len()).max_by_key(key)
}

/// The order in which the parallel scheme starts jobs: whenever something ends, what fits starts, the greatest weight first.
pub fn parallel(model: &Model, weights: &[u32]) -> Vec<u32> {
    through_time(model, |fitting| best(fitting, weights).unwrap_or(0))
}

/// As [`parallel`], but what starts is drawn by chance as in [`sample`].
pub fn sample_parallel(model: &Model, weights: &[u32], random: &mut Random) -> Vec<u32> {
    let mut summed = Vec::new();
    through_time(model, |fitting| {
        drawn(fitting, weights, &mut summed, random)
    })
}

/// The parallel scheme; `next` gives the place of the next to start among those that fit.
fn through_time(model: &Model, mut next: impl FnMut(&[u32]) -> usize) -> Vec<u32> {
    let mut ready = Ready::of(model);
    let mut order: Vec<u32> = Vec::with_capacity(model.free.len());
    // Free units by word.
    let mut left = model.empty.clone();
    // What goes on: when it ends, and which job it is.
    let mut running: Vec<(u32, u32)> = Vec::new();
    let mut now = 0;
    // A job waits until all it waits for has ended, not only started.
    let mut waiting: Vec<u32> = std::mem::take(&mut ready.jobs);
    let mut fitting = Vec::new();
    loop {
        let fits = |job: u32, left: &[u64]| {
            let mut demand = model.ways[job as usize][0].demand.iter();
            demand.all(|&(word, lanes)| lanes::fits(left[word as usize], lanes))
        };
        let released = |&job: &u32| model.release[job as usize] <= now;
        fitting.clear();
        fitting.extend(waiting.iter().copied().filter(released));
        loop {
            // What does not fit now does not fit beside more either.
            fitting.retain(|&job| fits(job, &left));
            if fitting.is_empty() {
                break;
            }
            let job = fitting.remove(next(&fitting));
            waiting.retain(|&other| other != job);
            for &(word, lanes) in &model.ways[job as usize][0].demand {
                left[word as usize] -= lanes;
            }
            running.push((now + model.ways[job as usize][0].duration, job));
            order.push(job);
        }
        let releases = waiting.iter().map(|&job| model.release[job as usize]);
        let release = releases.filter(|&at| at > now).min();
        let ended = running.iter().map(|&(end, _)| end).min();
        now = match (ended, release) {
            (Some(end), Some(release)) => end.min(release),
            (Some(end), None) => end,
            (None, Some(release)) => release,
            (None, None) => break,
        };
        running.retain(|&(end, job)| {
            if end <= now {
                for &(word, lanes) in &model.ways[job as usize][0].demand {
                    left[word as usize] += lanes;
                }
                for &next in model.after.of(job) {
                    ready.waits[next as usize] -= 1;
                    if ready.waits[next as usize] == 0 {
                        waiting.push(next);
                    }
                }
            }
            end > now
        });
    }
    order
}

/// An order drawn by chance: the probability of a job grows with the square of its weight above the least of those that are ready.
pub fn sample(model: &Model, weights: &[u32], random: &mut Random) -> Vec<u32> {
    let mut ready = Ready::of(model);
    let mut order = Vec::with_capacity(model.free.len());
    let mut summed = Vec::new();
    while !ready.jobs.is_empty() {
        let place = drawn(&ready.jobs, weights, &mut summed, random);
        order.push(ready.take(model, place));
    }
    order
}

/// The place of one of `jobs`, drawn by regret. `summed` is a table for it: the regrets of each and all before it, added up.
fn drawn(jobs: &[u32], weights: &[u32], summed: &mut Vec<f64>, random: &mut Random) -> usize {
    let [_, _, ..] = jobs else {
        return 0;
    };
    let weight = |job: &u32| weights[*job as usize];
    let least = jobs.iter().map(weight).min().unwrap_or(0);
    let mut sum = 0.0;
    summed.clear();
    summed.extend(jobs.iter().map(|job| {
        let regret = f64::from(weight(job) - least + 1);
        sum += regret * regret;
        sum
    }));
    let drawn = random.unit() * sum;
    let last = jobs.len() - 1;
    summed[..last].iter().filter(|&&sum| drawn >= sum).count()
}
