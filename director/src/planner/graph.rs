//! The tasks of a sprint as a directed graph without cycles.
//!
//! Nodes are places in the sprint file, `0..len`. The edges lie in two flat tables, one by successor and one by
//! predecessor, so that every pass over the plan is a walk through memory. The topological order is
//! the one that stays closest to the file: of all tasks that could come next, the first in the file does.
//!
//! Invariant: a [`Graph`] has no cycle; one that would is refused with the whole cycle named.
//! Elsewhere: what the order is good for is [`super::critical_path`] and [`super::schedule`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use director_protocols::ids::Name;
use director_protocols::shared::Shared;
use director_protocols::sprint::TaskSpec;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::PlanError;
use super::adjacency::Adjacency;

/// Tasks and what they wait for. Nodes are places in the sprint file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    successors: Adjacency,
    predecessors: Adjacency,
    order: Vec<u32>,
}

/// The nodes of one cycle in the direction of the work: each is waited for by the next, the last by the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<u32>);

impl Graph {
    /// The graph of `len` nodes with `edges` from each task to one that waits for it.
    ///
    /// Takes time in proportion to nodes and edges (and a logarithm for keeping file order).
    ///
    /// # Errors
    /// [`Cycle`] when some tasks wait for each other; a task that waits for itself is a cycle of one.
    ///
    /// # Panics
    /// When an edge names a node that is not below `len`.
    pub fn new(len: u32, edges: &[(u32, u32)]) -> Result<Self, Cycle> {
        let successors = Adjacency::build(len, edges, |edge| edge);
        let predecessors = Adjacency::build(len, edges, |(from, to)| (to, from));
        let order = topological_order(len, &successors, &predecessors);
        if order.len() < len as usize {
            return Err(shortest_cycle(len, edges, &successors));
        }
        Ok(Self {
            successors,
            predecessors,
            order,
        })
    }

    /// The graph of `len` nodes without an edge.
    pub fn unconnected(len: u32) -> Self {
        Self {
            successors: Adjacency::build(len, &[], |edge| edge),
            predecessors: Adjacency::build(len, &[], |edge| edge),
            order: (0..len).collect(),
        }
    }

    /// The graph of a sprint's tasks. A dependency that is listed twice counts once.
    ///
    /// # Errors
    /// [`PlanError`] for a name that is used twice, a dependency that is no task of the sprint, or a cycle.
    pub fn of_tasks(tasks: &[Shared<TaskSpec>]) -> Result<Self, PlanError> {
        let len = u32::try_from(tasks.len())
            .map_err(|_| PlanError::TooManyTasks { tasks: tasks.len() })?;
        let mut places: BTreeMap<&Name, u32> = BTreeMap::new();
        for (place, task) in (0..len).zip(tasks) {
            if places.insert(&task.id, place).is_some() {
                return Err(PlanError::DuplicateTask {
                    task: task.id.clone(),
                });
            }
        }
        let mut edges = Vec::new();
        for (place, task) in (0..len).zip(tasks) {
            let mut before = Vec::with_capacity(task.depends_on.len());
            for name in &task.depends_on {
                let found = places.get(name);
                before.push(*found.ok_or_else(|| PlanError::UnknownDependency {
                    task: task.id.clone(),
                    dependency: name.clone(),
                })?);
            }
            before.sort_unstable();
            before.dedup();
            edges.extend(before.into_iter().map(|from| (from, place)));
        }
        Self::new(len, &edges).map_err(|Cycle(nodes)| PlanError::Cycle {
            tasks: nodes
                .into_iter()
                .map(|node| tasks[node as usize].id.clone())
                .collect(),
        })
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no tasks.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The tasks that wait for `node`, in file order.
    pub fn successors(&self, node: u32) -> &[u32] {
        self.successors.of(node)
    }

    /// The tasks that `node` waits for, in file order.
    pub fn predecessors(&self, node: u32) -> &[u32] {
        self.predecessors.of(node)
    }

    /// Every task after all that it waits for, otherwise in file order.
    pub fn order(&self) -> &[u32] {
        &self.order
    }
}

/// Kahn's algorithm with the first in the file going first; shorter than `len` when there is a cycle.
fn topological_order(len: u32, successors: &Adjacency, predecessors: &Adjacency) -> Vec<u32> {
    let mut waits_for: Vec<u32> = (0..len).map(|n| predecessors.of(n).len() as u32).collect();
    let mut ready: BinaryHeap<Reverse<u32>> = (0..len)
        .filter(|&node| waits_for[node as usize] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(len as usize);
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for &next in successors.of(node) {
            waits_for[next as usize] -= 1;
            if waits_for[next as usize] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    order
}

/// The shortest cycle through the first task in the file that lies on one.
///
/// Kosaraju's components, not Tarjan's: petgraph's Tarjan is recursive, and a sprint file whose tasks form one
/// long ring would overflow the stack.
fn shortest_cycle(len: u32, edges: &[(u32, u32)], successors: &Adjacency) -> Cycle {
    let mut graph = DiGraph::<(), (), u32>::with_capacity(len as usize, edges.len());
    for _ in 0..len {
        graph.add_node(());
    }
    for &(from, to) in edges {
        graph.add_edge(NodeIndex::from(from), NodeIndex::from(to), ());
    }
    let mut component_of = vec![0_usize; len as usize];
    let mut sizes = Vec::new();
    for (component, nodes) in kosaraju_scc(&graph).into_iter().enumerate() {
        sizes.push(nodes.len());
        for node in nodes {
            component_of[node.index()] = component;
        }
    }
    let on_cycle =
        |node: u32| sizes[component_of[node as usize]] > 1 || successors.of(node).contains(&node);
    let Some(first) = (0..len).find(|&node| on_cycle(node)) else {
        return Cycle(Vec::new());
    };
    // Breadth first from `first`, inside its component, until an edge leads back.
    let mut came_from: BTreeMap<u32, u32> = BTreeMap::new();
    let mut queue = VecDeque::from([first]);
    while let Some(node) = queue.pop_front() {
        for &next in successors.of(node) {
            if next == first {
                let mut path = vec![node];
                while let Some(&before) = came_from.get(path.last().unwrap_or(&first)) {
                    path.push(before);
                }
                path.reverse();
                return Cycle(path);
            }
            let inside = component_of[next as usize] == component_of[first as usize];
            if inside && !came_from.contains_key(&next) {
                came_from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    Cycle(vec![first])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_respects_every_edge_and_otherwise_the_file() {
        for (case, len, edges, expected) in [
            ("empty", 0, vec![], vec![]),
            ("independent", 3, vec![], vec![0, 1, 2]),
            ("against the file", 3, vec![(2, 1), (1, 0)], vec![2, 1, 0]),
            (
                "diamond with a loose end",
                5,
                vec![(3, 0), (3, 2), (0, 1), (2, 1)],
                vec![3, 0, 2, 1, 4],
            ),
            ("the same edge twice", 2, vec![(0, 1), (0, 1)], vec![0, 1]),
        ] {
            let graph = Graph::new(len, &edges).unwrap();
            assert_eq!(graph.order(), expected, "case: {case}");
        }
    }

    #[test]
    fn a_cycle_is_named_in_full_and_without_what_merely_hangs_on_it() {
        for (case, len, edges, expected) in [
            ("itself", 2, vec![(1, 1)], vec![1]),
            ("two", 2, vec![(0, 1), (1, 0)], vec![0, 1]),
            (
                "a tail in, a tail out",
                5,
                vec![(0, 1), (1, 3), (3, 2), (2, 1), (2, 4)],
                vec![1, 3, 2],
            ),
            (
                "the short way round",
                4,
                vec![(0, 1), (1, 2), (2, 3), (3, 0), (1, 0)],
                vec![0, 1],
            ),
        ] {
            assert_eq!(
                Graph::new(len, &edges),
                Err(Cycle(expected)),
                "case: {case}"
            );
        }
    }

    #[test]
    fn a_ring_of_many_tasks_is_refused_without_deep_recursion() {
        let len = 200_000;
        let edges: Vec<(u32, u32)> = (0..len).map(|node| (node, (node + 1) % len)).collect();
        let Err(Cycle(path)) = Graph::new(len, &edges) else {
            panic!("the ring was accepted");
        };
        assert_eq!(path, (0..len).collect::<Vec<_>>());
    }
}
