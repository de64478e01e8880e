//! The critical path of very large plans, and of plans that change: one changed duration costs what it changes.
//!
//! Tasks get places in topological order, once. After that every pass over the network walks through memory forward or backward,
//! and "all that it waits for comes before it" is a comparison of places. [`Times`] keeps, for each place, the earliest start and the
//! longest way to the end; all the rest follows from the two. When a duration changes, its successors are looked at in the order of their
//! places, and the change goes on only through those whose own time changes; the same backward (after Ramalingam and
//! Reps, "On the computational complexity of dynamic graph problems", Theoretical Computer Science 158, 1996: work in proportion to what is
//! affected). Where that is much, a plain sweep over the rest does it.
//!
//! Invariant: after any change, all times equal those that [`super::critical_path`] computes from the start; a test holds them to it.
//! Elsewhere: cycles and their names are [`super::graph`]'s.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::adjacency::Adjacency;
use super::graph::{Cycle, Graph};

/// Tasks looked at in one go when places are given: their memory is fetched together.
const BATCH: usize = 1024;
/// Places of which one maximum is kept.
const BLOCK: usize = 1024;
/// A change that reached one place in so many goes on as a sweep.
const SWEEP: usize = 32;

/// Tasks in topological places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    node_at: Vec<u32>,
    place_of: Vec<u32>,
    /// By place, of places.
    successors: Adjacency,
}

impl Network {
    /// The network of `len` tasks with `edges` from each task to one that waits for it. Takes time in proportion to both.
    ///
    /// # Errors
    /// [`Cycle`] when some tasks wait for each other.
    ///
    /// # Panics
    /// When an edge names a task that is not below `len`.
    pub fn new(len: u32, edges: &[(u32, u32)]) -> Result<Self, Cycle> {
        let by_node = Adjacency::build(len, edges, |edge| edge);
        let (node_at, begin, mut flat) = in_order(len, edges, &by_node);
        if flat.len() < edges.len() || node_at.len() < len as usize {
            // Slower, and it names the cycle.
            Graph::new(len, edges)?;
        }
        drop(by_node);
        let mut place_of = vec![0; len as usize];
        for (place, &node) in (0..).zip(&node_at) {
            place_of[node as usize] = place;
        }
        for neighbour in &mut flat {
            *neighbour = place_of[*neighbour as usize];
        }
        Ok(Self {
            node_at,
            place_of,
            successors: Adjacency::of_rows(begin, flat),
        })
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.node_at.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.node_at.is_empty()
    }
}

/// The nodes in topological order, by Kahn's algorithm, with where the successors of each begin and all of them in that order.
/// What lies on a cycle or behind one is left out.
///
/// First the successors of a whole batch are copied together, then each is counted down: two loops without a
/// branch that would have to wait for memory.
fn in_order(
    len: u32,
    edges: &[(u32, u32)],
    successors: &Adjacency,
) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let (rows, neighbours) = successors.rows();
    let mut waits_for = vec![0_u32; len as usize];
    for &(_, to) in edges {
        waits_for[to as usize] += 1;
    }
    // One more than there are: what is not ready yet is written behind the end, and then over.
    let mut order = vec![0_u32; len as usize + 1];
    let mut ready = 0;
    for (node, &waits) in (0..).zip(&waits_for) {
        order[ready] = node;
        ready += usize::from(waits == 0);
    }
    let mut flat = Vec::with_capacity(edges.len());
    let mut begin = Vec::with_capacity(len as usize + 1);
    let mut ranges = Vec::with_capacity(BATCH);
    let mut done = 0;
    while done < ready {
        let end = ready.min(done + BATCH);
        ranges.clear();
        ranges.extend(order[done..end].iter().map(|&node| {
            let node = node as usize;
            rows[node] as usize..rows[node + 1] as usize
        }));
        let first = flat.len();
        for range in &ranges {
            begin.push(flat.len() as u32);
            flat.extend_from_slice(&neighbours[range.clone()]);
        }
        for &next in &flat[first..] {
            let waits = &mut waits_for[next as usize];
            *waits -= 1;
            order[ready] = next;
            ready += usize::from(*waits == 0);
        }
        done = end;
    }
    begin.push(flat.len() as u32);
    order.truncate(ready);
    (order, begin, flat)
}

/// A network with durations: when each task can start, and how far it can slip. Milliseconds; sums saturate.
#[derive(Clone, Debug)]
pub struct Times {
    network: Network,
    predecessors: Adjacency,
    /// All by place.
    durations: Vec<u64>,
    earliest: Vec<u64>,
    remaining: Vec<u64>,
    /// The longest way to the end from any place of each block.
    longest: Vec<u64>,
    makespan: u64,
    /// Which places wait to be looked at.
    queued: Vec<bool>,
}

impl Times {
    /// Both passes over the network, with one duration per task in milliseconds.
    ///
    /// # Panics
    /// When `durations` is not as long as the network.
    pub fn new(network: Network, durations: &[u64]) -> Self {
        assert_eq!(network.len(), durations.len(), "one duration per task");
        let len = network.len();
        let durations: Vec<u64> = network
            .node_at
            .iter()
            .map(|&node| durations[node as usize])
            .collect();
        let mut earliest = vec![0_u64; len];
        for (place, &duration) in durations.iter().enumerate() {
            let finish = earliest[place].saturating_add(duration);
            for &next in network.successors.of(place as u32) {
                let start = &mut earliest[next as usize];
                *start = finish.max(*start);
            }
        }
        let mut times = Self {
            predecessors: Adjacency::default(),
            durations,
            earliest,
            remaining: vec![0; len],
            longest: vec![0; len.div_ceil(BLOCK)],
            makespan: 0,
            queued: Vec::new(),
            network,
        };
        times.sweep_backward(len);
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
        if self.queued.is_empty() {
            let successors = &self.network.successors;
            let edges: Vec<(u32, u32)> = (0..self.durations.len() as u32)
                .flat_map(|from| successors.of(from).iter().map(move |&to| (to, from)))
                .collect();
            self.predecessors = Adjacency::build(self.durations.len() as u32, &edges, |edge| edge);
            self.queued = vec![false; self.durations.len()];
        }
        let finish = self.finish(place);
        self.durations[at] = duration;
        1 + self.forward(place, finish) + self.backward(place)
    }

    /// Carries a changed finish of `from`, which was `finish` before, on to all that it reaches.
    fn forward(&mut self, from: u32, finish: u64) -> usize {
        let mut queue = BinaryHeap::new();
        let mut looked_at = 0;
        let (mut place, mut before) = (from, finish);
        loop {
            let now = self.finish(place);
            for &next in self.network.successors.of(place) {
                let start = self.earliest[next as usize];
                // Pushed further, or no longer held back by this one.
                let concerned = now > start || before == start;
                if concerned && !std::mem::replace(&mut self.queued[next as usize], true) {
                    queue.push(Reverse(next));
                }
            }
            (place, before) = loop {
                let Some(Reverse(next)) = queue.pop() else {
                    return looked_at;
                };
                self.queued[next as usize] = false;
                looked_at += 1;
                if looked_at > self.durations.len() / SWEEP + BLOCK {
                    for Reverse(queued) in queue {
                        self.queued[queued as usize] = false;
                    }
                    self.sweep_forward(next as usize);
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
        let mut queue = BinaryHeap::new();
        let mut looked_at = 0;
        let mut place = from;
        let rest = self.rest(from);
        let mut before = std::mem::replace(&mut self.remaining[from as usize], rest);
        loop {
            let now = self.remaining[place as usize];
            self.renew(place as usize / BLOCK, before, now);
            for &previous in self.predecessors.of(place) {
                let rest = self.remaining[previous as usize];
                let after = rest - self.durations[previous as usize].min(rest);
                // At least: a sum that is saturated hides by how much.
                let concerned = now > after || before >= after;
                if concerned && !std::mem::replace(&mut self.queued[previous as usize], true) {
                    queue.push(previous);
                }
            }
            (place, before) = loop {
                let Some(previous) = queue.pop() else {
                    self.makespan = self.longest.iter().copied().max().unwrap_or(0);
                    return looked_at;
                };
                let at = previous as usize;
                self.queued[at] = false;
                looked_at += 1;
                if looked_at > self.durations.len() / SWEEP + BLOCK {
                    for queued in queue {
                        self.queued[queued as usize] = false;
                    }
                    self.sweep_backward(at + 1);
                    return self.durations.len();
                }
                let rest = self.rest(previous);
                let before = std::mem::replace(&mut self.remaining[at], rest);
                if before != rest {
                    break (previous, before);
                }
            };
        }
    }

    /// Every earliest start from `place` on.
    fn sweep_forward(&mut self, place: usize) {
        for at in place..self.durations.len() {
            self.earliest[at] = self.start(at as u32);
        }
    }

    /// Every way to the end of the places before `end`.
    fn sweep_backward(&mut self, end: usize) {
        for at in (0..end).rev() {
            self.remaining[at] = self.rest(at as u32);
        }
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
        let before = self.predecessors.of(place).iter();
        before
            .map(|&previous| self.finish(previous))
            .max()
            .unwrap_or(0)
    }

    fn rest(&self, place: u32) -> u64 {
        let after = self.network.successors.of(place).iter();
        let after = after.map(|&next| self.remaining[next as usize]).max();
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

    /// Whether any slip of it moves the end.
    pub fn is_critical(&self, task: u32) -> bool {
        self.total_slack(task) == 0
    }

    /// One longest chain, from first to last; where there are several, the first in the file.
    pub fn path(&self) -> Vec<u32> {
        let node_at = |place: u32| self.network.node_at[place as usize];
        let mut waits = vec![false; self.durations.len()];
        for &next in self.network.successors.rows().1 {
            waits[next as usize] = true;
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
            let mut on = self.network.successors.of(place).iter();
            at = on
                .find(|&&next| self.remaining[next as usize] == rest)
                .copied();
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::super::critical_path::CriticalPath;
    use super::*;
    use proptest::prelude::*;

    /// All that [`Times`] says, in the form of the plain computation.
    fn table(times: &Times) -> CriticalPath {
        let all = || 0..times.durations.len() as u32;
        CriticalPath {
            earliest_start: all().map(|task| times.earliest_start(task)).collect(),
            latest_start: all().map(|task| times.latest_start(task)).collect(),
            total_slack: all().map(|task| times.total_slack(task)).collect(),
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
