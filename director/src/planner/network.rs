//! The critical path of very large plans, and of plans that change: one changed duration costs what it changes.
//!
//! Tasks get places in topological order, once, and edges stand in the order of the place that they come from. After that a pass over the network is one
//! walk over the edges, forward or backward, without a branch that depends on them; and "all that it waits for comes before it" is a
//! comparison of places. What is looked up all over memory is kept small, and asked for in batches, so that memory is waited for once for many.
//!
//! For programs that plan with this crate: a sprint has at most 100,000 tasks, and for it [`super::critical_path`] is computed anew.
//!
//! Elsewhere: [`Times`] are the passes and what a change costs; cycles and their names are [`super::graph`]'s.

mod marks;
mod times;

pub use times::Times;

use super::adjacency::Adjacency;
use super::graph::{Cycle, Graph};

/// Tasks looked at in one go when places are given: their memory is fetched together.
const BATCH: usize = 1024;
/// Neighbours copied in one go: as many as few tasks have, so that most need no loop.
const CHUNK: usize = 8;

/// Edges between places: first where all of them come from, then, in the same order, where they lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Edges(Vec<u32>);

impl Edges {
    /// Where they come from, and where they lead to.
    fn ends(&self) -> (&[u32], &[u32]) {
        self.0.split_at(self.0.len() / 2)
    }

    fn ends_mut(&mut self) -> (&mut [u32], &mut [u32]) {
        let half = self.0.len() / 2;
        self.0.split_at_mut(half)
    }
}

/// Tasks in topological places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    node_at: Vec<u32>,
    place_of: Vec<u32>,
    /// In the order of where they come from.
    edges: Edges,
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
        let mut dealt = Vec::new();
        let by_node = Adjacency::build_in(len, edges, |edge| edge, &mut dealt);
        // Its memory is there, and as large as is wanted.
        let mut placed = Edges(dealt.into_flattened());
        // Few tasks wait for more than 255 others, and small counters stay in the cache.
        let (node_at, reached) = match waits_for::<u8>(len, edges) {
            Some(waits_for) => in_order(waits_for, &by_node, &mut placed),
            None => {
                let waits_for = waits_for::<u32>(len, edges).unwrap_or_default();
                in_order(waits_for, &by_node, &mut placed)
            }
        };
        if reached < edges.len() || node_at.len() < len as usize {
            // Slower, and it names the cycle.
            Graph::new(len, edges)?;
        }
        // As long as there are tasks, and written to before.
        let mut place_of = by_node.into_begin();
        place_of.truncate(len as usize);
        for (place, &node) in (0..).zip(&node_at) {
            place_of[node as usize] = place;
        }
        for to in placed.ends_mut().1 {
            *to = place_of[*to as usize];
        }
        Ok(Self {
            node_at,
            place_of,
            edges: placed,
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

/// How many others a task waits for.
trait Count: Copy + Default + PartialEq {
    /// One more, if it can count so far.
    fn up(self) -> Option<Self>;
    fn down(self) -> Self;
}

impl Count for u8 {
    fn up(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn down(self) -> Self {
        self - 1
    }
}

impl Count for u32 {
    fn up(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn down(self) -> Self {
        self - 1
    }
}

/// By node; none if one waits for more than can be counted.
fn waits_for<C: Count>(len: u32, edges: &[(u32, u32)]) -> Option<Vec<C>> {
    let mut waits_for = vec![C::default(); len as usize];
    for &(_, to) in edges {
        let waits = &mut waits_for[to as usize];
        *waits = waits.up()?;
    }
    Some(waits_for)
}

/// The nodes in topological order, by Kahn's algorithm. Their edges are written over `edges`, from a place to a node, and how many
/// there are is the second answer. What lies on a cycle or behind one is left out.
///
/// First the successors of a whole batch are copied together, then each is counted down: two loops without a
/// branch that would have to wait for memory.
fn in_order<C: Count>(
    mut waits_for: Vec<C>,
    successors: &Adjacency,
    edges: &mut Edges,
) -> (Vec<u32>, usize) {
    let (rows, neighbours) = successors.rows();
    let (sources, targets) = edges.ends_mut();
    let len = waits_for.len();
    // One more than there are: what is not ready yet is written behind the end, and then over.
    let mut order = vec![0_u32; len + 1];
    let mut ready = 0;
    for (node, waits) in (0..).zip(&waits_for) {
        order[ready] = node;
        ready += usize::from(*waits == C::default());
    }
    let mut ranges = [(0_u32, 0_u32); BATCH];
    let (mut done, mut reached) = (0, 0);
    while done < ready {
        let end = ready.min(done + BATCH);
        for (range, &node) in ranges.iter_mut().zip(&order[done..end]) {
            *range = (rows[node as usize], rows[node as usize + 1]);
        }
        let first = reached;
        for (place, &(from, to)) in (done as u32..end as u32).zip(&ranges) {
            let (from, to) = (from as usize, to as usize);
            let next = reached + to - from;
            let room = reached + CHUNK <= targets.len() && from + CHUNK <= neighbours.len();
            if room && to - from <= CHUNK {
                // Mostly too many; the next writes over them.
                sources[reached..reached + CHUNK].fill(place);
                targets[reached..reached + CHUNK].copy_from_slice(&neighbours[from..from + CHUNK]);
            } else {
                sources[reached..next].fill(place);
                targets[reached..next].copy_from_slice(&neighbours[from..to]);
            }
            reached = next;
        }
        for &next in &targets[first..reached] {
            let waits = &mut waits_for[next as usize];
            *waits = waits.down();
            order[ready] = next;
            ready += usize::from(*waits == C::default());
        }
        done = end;
    }
    order.truncate(ready);
    (order, reached)
}
