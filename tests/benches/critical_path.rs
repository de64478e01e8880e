//! What the critical path of a very large plan costs, and one changed duration of it.
//!
//! `cargo bench -p director-tests --bench critical_path [-- TASKS]` makes plans of a million tasks with two dependencies each, task numbers and
//! edges shuffled: a deep one, in which a task waits for two of the thousand before it, and a flat one, in which it waits for any two. For each it prints
//! the processor time of giving places (from the bare list of edges, once a plan), of both passes with all slack, and of changes of one
//! random duration, with how many tasks a change had to look at. `tests/benches/peers/critical_path.py` does the same with others.

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
        let slack: u64 = (0..tasks)
            .map(|task| found.total_slack(task))
            .max()
            .unwrap_or(0);
        let done = processor();
        assert!(slack <= found.makespan());
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
    let start = processor();
    let mut looked_at: Vec<usize> = (0..CHANGES)
        .map(|_| times.set_duration(random.below(tasks), u64::from(random.below(1000)) + 1))
        .collect();
    // The kernel counts a running process in ticks, so one change alone cannot be told from none.
    let mean = (processor() - start) / CHANGES as u32;
    looked_at.sort_unstable();
    println!(
        "  one change {:.4} ms on average; tasks looked at: P50 {}, P99 {}, most {}",
        ms(mean),
        looked_at[CHANGES / 2],
        looked_at[CHANGES * 99 / 100],
        looked_at[CHANGES - 1]
    );
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

/// Time that this process has had a processor for. It has one thread.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next();
    Duration::from_nanos(nanoseconds.and_then(|n| n.parse().ok()).unwrap_or(0))
}

fn median(mut spent: Vec<Duration>) -> Duration {
    spent.sort();
    spent[spent.len() / 2]
}

fn ms(spent: Duration) -> f64 {
    spent.as_secs_f64() * 1000.0
}
