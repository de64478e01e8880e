//! When each task of a network can start, and how far it can slip; and what a changed duration changes.
//!
//! [`Times`] keeps, for each place, the earliest start and the longest way to the end; all the rest follows from the two: latest starts are
//! counted back from the makespan, so a longer project moves them all at once. When a duration changes, its successors are looked at in the
//! order of their places, and the change goes on only through those whose own time changes; the same backward (after Ramalingam and Reps, "On the
//! computational complexity of dynamic graph problems", Theoretical Computer Science 158, 1996: work in proportion to what is affected).
//! Where that is much, a plain walk over the rest of the edges does it.
//!
//! Invariant: after any change, all times equal those that [`super::super::critical_path`] computes from the start; a test holds them to it.

use super::marks::Marks;
use super::{Edges, Network};

/// Places of which one maximum is kept.
const BLOCK: usize = 1024;
/// A change that reached one place in so many goes on as a walk over all.
const SWEEP: usize = 32;

/// A network with durations: when each task can start, and how far it can slip. Milliseconds; sums saturate.
#[derive(Clone, Debug)]
pub struct Times {
    network: Network,
    /// All by place.
    durations: Vec<u64>,
    earliest: Vec<u64>,
    remaining: Vec<u64>,
    /// The longest way to the end from any place of each block.
    longest: Vec<u64>,
    makespan: u64,
    /// What only changes need; empty before the first.
    changes: Changes,
}

#[derive(Clone, Debug, Default)]
struct Changes {
    /// Where the edges from each place begin; one more entry than places.
    successors: Vec<u32>,
    /// The edges by the place that they lead to, and where those of each begin.
    entering: Edges,
    predecessors: Vec<u32>,
    /// Places that wait to be looked at.
    queue: Marks,
}

impl Changes {
    fn of(network: &Network) -> Self {
        let len = network.len();
        let (sources, targets) = network.edges.ends();
        let begins = |ends: &[u32]| {
            let mut begins = vec![0_u32; len + 1];
            for &end in ends {
                begins[end as usize + 1] += 1;
            }
            for at in 0..len {
                begins[at + 1] += begins[at];
            }
            begins
        };
        let predecessors = begins(targets);
        let mut next = predecessors.clone();
        let mut entering = network.edges.clone();
        let (from, to) = entering.ends_mut();
        for (&source, &target) in sources.iter().zip(targets) {
            let at = &mut next[target as usize];
            (from[*at as usize], to[*at as usize]) = (source, target);
            *at += 1;
        }
        Self {
            successors: begins(sources),
            entering,
            predecessors,
            queue: Marks::new(len),
        }
    }
}

impl Times {
    /// Both passes over the network, with one duration per task in milliseconds.
    ///
    /// # Panics
    /// When `durations` is not as long as the network.
    pub fn new(network: Network, durations: &[u64]) -> Self {
        assert_eq!(network.len(), durations.len(), "one duration per task");
        let by_place = network.node_at.iter();
        let durations: Vec<u64> = by_place.map(|&node| durations[node as usize]).collect();
        let mut times = Self {
            earliest: vec![0; durations.len()],
            remaining: durations.clone(),
            longest: vec![0; durations.len().div_ceil(BLOCK)],
            makespan: 0,
            changes: Changes::default(),
            durations,
            network,
        };
        push(
            times.network.edges.ends(),
            &times.durations,
            &mut times.earliest,
        );
        pull(
            times.network.edges.ends(),
            &times.durations,
            &mut times.remaining,
        );
        times.renew_all();
        times
    }

    /// The network and the durations, by task.
    pub fn parts(&self) -> (Network, Vec<u64>) {
        let by_task = self.network.place_of.iter();
        let durations = by_task.map(|&place| self.durations[place as usize]);
        (self.network.clone(), durations.collect())
    }

    /// Sets a task's duration and brings every time up to date. Says how many tasks were looked at.
    ///
    /// The first change costs a pass over all edges more.
    ///
    /// # Panics
    /// For a task that is none of the network's.
    pub fn set_duration(&mut self, task: u32, duration: u64) -> usize {
        let place = self.network.place_of[task as usize];
        let at = place as usize;
        if self.durations[at] == duration {
            return 0;
        }
        if self.changes.successors.is_empty() {
            self.changes = Changes::of(&self.network);
        }
        let finish = self.finish(place);
        self.durations[at] = duration;
        let looked_at = 1 + self.forward(place, finish) + self.backward(place);
        self.makespan = self.longest.iter().copied().max().unwrap_or(0);
        looked_at
    }

    /// Carries a changed finish of `from`, which was `finish` before, on to all that it reaches.
    fn forward(&mut self, from: u32, finish: u64) -> usize {
        let mut looked_at = 0;
        let (mut place, mut before) = (from, finish);
        loop {
            let now = self.finish(place);
            for &next in &self.network.edges.ends().1[row(&self.changes.successors, place)] {
                let start = self.earliest[next as usize];
                // Pushed further, or no longer held back by this one.
                if now > start || before == start {
                    self.changes.queue.insert(next);
                }
            }
            (place, before) = loop {
                let Some(next) = self.changes.queue.take_lowest() else {
                    return looked_at;
                };
                looked_at += 1;
                if self.is_much(looked_at) {
                    self.changes.queue.clear();
                    self.sweep_forward(next);
                    return self.durations.len();
                }
                let before = self.finish(next);
                let start = self.start(next);
                if std::mem::replace(&mut self.earliest[next as usize], start) != start {
                    break (next, before);
                }
            };
        }
    }

    /// Carries a changed way to the end of `from` on to all that it waits for.
    fn backward(&mut self, from: u32) -> usize {
        let mut looked_at = 0;
        let mut place = from;
        let rest = self.rest(from);
        let mut before = std::mem::replace(&mut self.remaining[from as usize], rest);
        loop {
            let now = self.remaining[place as usize];
            self.renew(place as usize / BLOCK, before, now);
            for &previous in &self.changes.entering.ends().0[row(&self.changes.predecessors, place)]
            {
                let rest = self.remaining[previous as usize];
                let after = rest - self.durations[previous as usize].min(rest);
                // At least: a sum that is saturated hides by how much.
                if now > after || before >= after {
                    self.changes.queue.insert(previous);
                }
            }
            (place, before) = loop {
                let Some(previous) = self.changes.queue.take_highest() else {
                    return looked_at;
                };
                looked_at += 1;
                if self.is_much(looked_at) {
                    self.changes.queue.clear();
                    self.sweep_backward(previous);
                    return self.durations.len();
                }
                let rest = self.rest(previous);
                let before = std::mem::replace(&mut self.remaining[previous as usize], rest);
                if before != rest {
                    break (previous, before);
                }
            };
        }
    }

    fn is_much(&self, looked_at: usize) -> bool {
        looked_at > self.durations.len() / SWEEP + BLOCK
    }

    /// Every earliest start from `place` on.
    fn sweep_forward(&mut self, place: u32) {
        let first = self.changes.predecessors[place as usize] as usize;
        self.earliest[place as usize..].fill(0);
        let (from, to) = self.changes.entering.ends();
        push(
            (&from[first..], &to[first..]),
            &self.durations,
            &mut self.earliest,
        );
    }

    /// Every way to the end of the places up to `place`.
    fn sweep_backward(&mut self, place: u32) {
        let end = place as usize + 1;
        let (from, to) = self.network.edges.ends();
        let last = self.changes.successors[end] as usize;
        self.remaining[..end].copy_from_slice(&self.durations[..end]);
        pull(
            (&from[..last], &to[..last]),
            &self.durations,
            &mut self.remaining,
        );
        self.renew_all();
    }

    fn renew_all(&mut self) {
        for (longest, block) in self.longest.iter_mut().zip(self.remaining.chunks(BLOCK)) {
            *longest = block.iter().copied().max().unwrap_or(0);
        }
        self.makespan = self.longest.iter().copied().max().unwrap_or(0);
    }

    /// The maximum of a block after one entry went from `before` to `now`.
    fn renew(&mut self, block: usize, before: u64, now: u64) {
        let longest = &mut self.longest[block];
        if now >= *longest {
            *longest = now;
        } else if before == *longest {
            let entries = self.remaining.chunks(BLOCK).nth(block).unwrap_or_default();
            *longest = entries.iter().copied().max().unwrap_or(0);
        }
    }

    fn finish(&self, place: u32) -> u64 {
        let at = place as usize;
        self.earliest[at].saturating_add(self.durations[at])
    }

    fn start(&self, place: u32) -> u64 {
        let before = &self.changes.entering.ends().0[row(&self.changes.predecessors, place)];
        let finishes = before.iter().map(|&previous| self.finish(previous));
        finishes.max().unwrap_or(0)
    }

    fn rest(&self, place: u32) -> u64 {
        let after = &self.network.edges.ends().1[row(&self.changes.successors, place)];
        let after = after.iter().map(|&next| self.remaining[next as usize]);
        let after = after.max();
        after
            .unwrap_or(0)
            .saturating_add(self.durations[place as usize])
    }

    /// The length of the longest chain.
    pub fn makespan(&self) -> u64 {
        self.makespan
    }

    /// The earliest that the task can start.
    pub fn earliest_start(&self, task: u32) -> u64 {
        self.earliest[self.network.place_of[task as usize] as usize]
    }

    /// The latest that it can start without moving the end.
    pub fn latest_start(&self, task: u32) -> u64 {
        self.makespan.saturating_sub(self.remaining(task))
    }

    /// The longest way from the task's start to the end of everything that waits for it, itself included.
    pub fn remaining(&self, task: u32) -> u64 {
        self.remaining[self.network.place_of[task as usize] as usize]
    }

    /// How far it can slip without moving the end.
    pub fn total_slack(&self, task: u32) -> u64 {
        let slack = self.latest_start(task);
        slack.saturating_sub(self.earliest_start(task))
    }

    /// [`Times::total_slack`] of every task: one walk, where asking for each looks all over memory.
    pub fn slack(&self) -> Vec<u64> {
        let mut slack = vec![0; self.durations.len()];
        let times = self.earliest.iter().zip(&self.remaining);
        for (&task, (&earliest, rest)) in self.network.node_at.iter().zip(times) {
            let latest = self.makespan.saturating_sub(*rest);
            slack[task as usize] = latest.saturating_sub(earliest);
        }
        slack
    }

    /// Whether any slip of it moves the end.
    pub fn is_critical(&self, task: u32) -> bool {
        self.total_slack(task) == 0
    }

    /// One longest chain, from first to last; where there are several, the first in the file.
    pub fn path(&self) -> Vec<u32> {
        let node_at = |place: u32| self.network.node_at[place as usize];
        let (sources, targets) = self.network.edges.ends();
        let mut waits = vec![false; self.durations.len()];
        for &to in targets {
            waits[to as usize] = true;
        }
        let starts = (0..self.durations.len() as u32).filter(|&place| {
            self.remaining[place as usize] == self.makespan && !waits[place as usize]
        });
        let mut at = starts.min_by_key(|&place| node_at(place));
        let mut path = Vec::new();
        while let Some(place) = at {
            path.push(node_at(place));
            let rest = self.remaining[place as usize];
            let rest = rest - self.durations[place as usize].min(rest);
            let first = sources.partition_point(|&from| from < place);
            let after = sources.iter().zip(targets).skip(first);
            let mut after = after.take_while(|(from, _)| **from == place);
            at = after
                .find(|(_, to)| self.remaining[**to as usize] == rest)
                .map(|(_, to)| *to);
        }
        path
    }
}

/// Earliest starts along edges that stand in the order of either end: what an edge comes from is settled before it is walked.
fn push((from, to): (&[u32], &[u32]), durations: &[u64], earliest: &mut [u64]) {
    for (&from, &to) in from.iter().zip(to) {
        let finish = earliest[from as usize].saturating_add(durations[from as usize]);
        let start = &mut earliest[to as usize];
        *start = finish.max(*start);
    }
}

/// Ways to the end, backward along edges that stand in the order of their beginning. Each is its own duration at first.
fn pull((from, to): (&[u32], &[u32]), durations: &[u64], remaining: &mut [u64]) {
    for (&from, &to) in from.iter().zip(to).rev() {
        let way = remaining[to as usize].saturating_add(durations[from as usize]);
        let rest = &mut remaining[from as usize];
        *rest = way.max(*rest);
    }
}

/// Where the edges of a place are.
fn row(begins: &[u32], place: u32) -> std::ops::Range<usize> {
    begins[place as usize] as usize..begins[place as usize + 1] as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::critical_path::CriticalPath;
    use crate::planner::graph::Graph;
    use proptest::prelude::*;

    /// All that [`Times`] says, in the form of the plain computation.
    fn table(times: &Times) -> CriticalPath {
        let all = || 0..times.durations.len() as u32;
        let slack: Vec<u64> = all().map(|task| times.total_slack(task)).collect();
        assert_eq!(times.slack(), slack);
        CriticalPath {
            earliest_start: all().map(|task| times.earliest_start(task)).collect(),
            latest_start: all().map(|task| times.latest_start(task)).collect(),
            total_slack: slack,
            free_slack: Vec::new(),
            remaining: all().map(|task| times.remaining(task)).collect(),
            path: times.path(),
            makespan: times.makespan(),
        }
    }

    fn expected(graph: &Graph, durations: &[u64]) -> CriticalPath {
        CriticalPath {
            free_slack: Vec::new(),
            ..CriticalPath::compute(graph, durations)
        }
    }

    #[test]
    fn cycles_are_named_as_ever() {
        for (len, edges) in [
            (1, vec![(0, 0)]),
            (4, vec![(0, 1), (1, 2), (2, 1), (2, 3)]),
            (3, vec![(0, 1), (1, 2), (2, 0)]),
        ] {
            let expected = Graph::new(len, &edges).map(|_| ()).unwrap_err();
            assert_eq!(Network::new(len, &edges), Err(expected));
        }
    }

    #[test]
    fn a_network_may_be_empty_and_sums_may_saturate() {
        let times = Times::new(Network::new(0, &[]).unwrap(), &[]);
        assert_eq!((times.makespan(), times.path()), (0, vec![]));
        let mut times = Times::new(Network::new(3, &[(2, 0), (0, 1)]).unwrap(), &[1, 1, 1]);
        times.set_duration(0, u64::MAX);
        assert_eq!(times.makespan(), u64::MAX);
        times.set_duration(0, 1);
        assert_eq!((times.makespan(), times.path()), (3, vec![2, 0, 1]));
    }

    prop_compose! {
        /// Edges in any direction of the numbers: a hidden order decides which way each of them goes.
        fn networks()(len in 1_u32..60)(
            hidden in Just((0..len).collect::<Vec<u32>>()).prop_shuffle(),
            edges in prop::collection::vec((0..len, 0..len), 0..150),
            durations in prop::collection::vec(0_u64..12, len as usize),
            changes in prop::collection::vec((0..len, 0_u64..12), 1..40),
        ) -> (Vec<(u32, u32)>, Vec<u64>, Vec<(u32, u64)>) {
            let mut edges = edges;
            edges.retain(|(from, to)| from != to);
            for edge in &mut edges {
                if hidden[edge.0 as usize] > hidden[edge.1 as usize] {
                    *edge = (edge.1, edge.0);
                }
            }
            (edges, durations, changes)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_change_leaves_what_a_computation_from_the_start_gives(
            (edges, mut durations, changes) in networks()
        ) {
            let graph = Graph::new(durations.len() as u32, &edges).unwrap();
            let network = Network::new(durations.len() as u32, &edges).unwrap();
            let mut times = Times::new(network, &durations);
            prop_assert_eq!(table(&times), expected(&graph, &durations));
            for (task, duration) in changes {
                durations[task as usize] = duration;
                times.set_duration(task, duration);
                prop_assert_eq!(table(&times), expected(&graph, &durations));
            }
        }
    }

    /// More than a small counter can count, and more than are copied in one go.
    #[test]
    fn one_task_that_all_wait_for_and_one_that_waits_for_all() {
        let len = 1000_u32;
        let edges: Vec<(u32, u32)> = (0..len - 2)
            .flat_map(|task| [(len - 1, task), (task, len - 2)])
            .collect();
        let graph = Graph::new(len, &edges).unwrap();
        let mut durations: Vec<u64> = (0..u64::from(len)).map(|n| n * 37 % 101).collect();
        let mut times = Times::new(Network::new(len, &edges).unwrap(), &durations);
        assert_eq!(table(&times), expected(&graph, &durations));
        for task in [7, len - 1, len - 2] {
            durations[task as usize] = 500;
            times.set_duration(task, 500);
            assert_eq!(table(&times), expected(&graph, &durations));
        }
    }

    /// Large enough for several blocks and batches, and for changes that go on as a sweep.
    #[test]
    fn changes_that_reach_far_are_swept_and_equal_too() {
        let len = 6000_u32;
        let place = |n: u32| n * 3571 % len; // 3571 and 6000 have no common factor.
        let edges: Vec<(u32, u32)> = (1..len)
            .flat_map(|n| [(n - 1, n), (n * 7 % n, n), (n - n.min(40), n)])
            .map(|(from, to)| (place(from), place(to)))
            .collect();
        let graph = Graph::new(len, &edges).unwrap();
        let mut durations: Vec<u64> = (0..u64::from(len)).map(|n| n * 37 % 101).collect();
        let mut times = Times::new(Network::new(len, &edges).unwrap(), &durations);
        let mut swept = 0;
        for (task, duration) in [
            (place(3), 900),
            (place(5990), 3),
            (place(2500), 0),
            (17, 17),
            (place(3), 1),
        ] {
            durations[task as usize] = duration;
            swept += usize::from(times.set_duration(task, duration) > len as usize);
            assert_eq!(table(&times), expected(&graph, &durations));
        }
        assert!(swept > 0, "no change was large enough");
    }
}
