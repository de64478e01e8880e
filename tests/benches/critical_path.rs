//! What the critical path of a very large plan costs, and one changed duration of it.
//!
//! `cargo bench -p director-tests --bench critical_path [-- TASKS]` makes plans of a million tasks with two dependencies each, task numbers and
//! edges shuffled: a deep one, in which a task waits for two of the thousand before it, and a flat one, in which it waits for any two. For each it prints
//! the processor time of giving places (from the bare list of edges, once a plan), of both passes with the slack of every task, and of changes of one
//! random duration, with how many tasks a change had to look at: most reach a few, and one in some hundred moves nearly everything behind it. `tests/peers/critical_path.py` does the same with others.

use std::time::Duration;

use director::planner::network::{Network, Times};

/// Runs of each measurement; the median is printed.
const RUNS: usize = 7;
const CHANGES: usize = 2000;

fn main() {
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    let tasks: u32 = words
        .next()
        .map_or(1_000_000, |word| word.parse().expect("a number of tasks"));
    for (name, window) in [("deep", 1000), ("flat", u32::MAX)] {
        measure(name, tasks, window);
    }
}

fn measure(name: &str, tasks: u32, window: u32) {
    let mut random = Random(1);
    let (edges, durations) = plan(tasks, window, &mut random);
    let mut build = Vec::new();
    let mut passes = Vec::new();
    let mut times = None;
    for _ in 0..RUNS {
        let start = processor();
        let network = Network::new(tasks, &edges).expect("no cycle");
        let built = processor();
        let found = Times::new(network, &durations);
        let slack = found.slack();
        let done = processor();
        assert_eq!(slack[7], found.total_slack(7));
        build.push(built - start);
        passes.push(done - built);
        times = Some(found);
    }
    let mut times = times.expect("at least one run");
    println!(
        "{name}: {tasks} tasks, {} edges, longest chain {} tasks, makespan {}",
        edges.len(),
        times.path().len(),
        times.makespan()
    );
    let [build, passes] = [build, passes].map(median);
    println!(
        "  places {:.1} ms + passes and slack {:.1} ms = {:.1} ms; passes again {:.1} ms",
        ms(build),
        ms(passes),
        ms(build + passes),
        ms(again(&mut times))
    );
    times.set_duration(0, 0); // The first change makes a table.
    let mut changes: Vec<(Duration, usize)> = (0..CHANGES)
        .map(|_| {
            let (task, duration) = (random.below(tasks), random.below(1000));
            let start = processor();
            let looked_at = times.set_duration(task, u64::from(duration) + 1);
            (processor() - start, looked_at)
        })
        .collect();
    changes.sort_unstable();
    let mean = changes.iter().map(|change| change.0).sum::<Duration>() / CHANGES as u32;
    println!("  one change {:.4} ms on average", ms(mean));
    for (name, per_mille) in [("P50", 500), ("P99", 990), ("P99.9", 999), ("most", 1000)] {
        let (spent, looked_at) = changes[(CHANGES * per_mille / 1000).min(CHANGES - 1)];
        println!(
            "  {name:5} {:.4} ms, {looked_at} tasks looked at",
            ms(spent)
        );
    }
}

/// Both passes over a network that has its places.
fn again(times: &mut Times) -> Duration {
    let (network, durations) = times.parts();
    let start = processor();
    let found = Times::new(network, &durations);
    let spent = processor() - start;
    assert_eq!(found.makespan(), times.makespan());
    spent
}

fn plan(tasks: u32, window: u32, random: &mut Random) -> (Vec<(u32, u32)>, Vec<u64>) {
    let mut number: Vec<u32> = (0..tasks).collect();
    random.shuffle(&mut number);
    let mut edges = Vec::new();
    for task in 1..tasks {
        for _ in 0..2 {
            let before = task - 1 - random.below(window.min(task));
            edges.push((number[before as usize], number[task as usize]));
        }
    }
    random.shuffle(&mut edges);
    let durations = (0..tasks).map(|_| u64::from(random.below(1000)) + 1);
    let durations = durations.collect();
    (edges, durations)
}

/// SplitMix64; the peers' script has the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % u64::from(end)) as u32
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let with = self.below(at as u32 + 1) as usize;
            items.swap(at, with);
        }
    }
}

/// Time that this thread has had a processor for.
fn processor() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

fn median(mut spent: Vec<Duration>) -> Duration {
    spent.sort();
    spent[spent.len() / 2]
}

fn ms(spent: Duration) -> f64 {
    spent.as_secs_f64() * 1000.0
}
