//! Lists of neighbours, one after the other in one table: compressed rows.
//!
//! Built by counting. Nodes of a large graph lie all over the edge list, so the edges are first dealt out to blocks of nodes whose
//! counters fit into the cache; each block is then counted by itself. Neighbours keep the order of the edge list.

/// Nodes of a block, as a power of two.
const BLOCK: u32 = 12;

/// The neighbours of each node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Adjacency {
    /// Where the neighbours of each node begin; one more entry than nodes.
    begin: Vec<u32>,
    neighbours: Vec<u32>,
}

impl Adjacency {
    /// The lists of `len` nodes; `end` says of an edge whose list it is in, and what stands there.
    ///
    /// # Panics
    /// When an edge's node is not below `len`.
    pub(super) fn build<E: Copy>(len: u32, edges: &[E], end: impl Fn(E) -> (u32, u32)) -> Self {
        Self::build_in(len, edges, end, &mut Vec::new())
    }

    /// The same with memory that is the caller's: as many pairs as edges, written over.
    pub(super) fn build_in<E: Copy>(
        len: u32,
        edges: &[E],
        end: impl Fn(E) -> (u32, u32),
        dealt: &mut Vec<[u32; 2]>,
    ) -> Self {
        let mut begin = Vec::with_capacity(len as usize + 1);
        let mut neighbours = vec![0; edges.len()];
        let blocks = (len >> BLOCK) + 1;
        let mut ends = vec![0_u32; blocks as usize + 1];
        for &edge in edges {
            ends[(end(edge).0 >> BLOCK) as usize + 1] += 1;
        }
        for block in 1..ends.len() {
            ends[block] += ends[block - 1];
        }
        dealt.clear();
        dealt.resize(edges.len(), [0; 2]);
        let mut next = ends.clone();
        for &edge in edges {
            let (node, neighbour) = end(edge);
            let place = &mut next[(node >> BLOCK) as usize];
            dealt[*place as usize] = [node, neighbour];
            *place += 1;
        }
        let mut places = vec![0_u32; 1 << BLOCK];
        for block in 0..blocks {
            let first = block << BLOCK;
            let width = (len - first).min(1 << BLOCK) as usize;
            let from = ends[block as usize];
            let pairs = &dealt[from as usize..ends[block as usize + 1] as usize];
            let places = &mut places[..width];
            places.fill(0);
            for [node, _] in pairs {
                places[(node - first) as usize] += 1;
            }
            let mut sum = from;
            for place in &mut *places {
                begin.push(sum);
                sum += std::mem::replace(place, sum);
            }
            for &[node, neighbour] in pairs {
                let place = &mut places[(node - first) as usize];
                neighbours[*place as usize] = neighbour;
                *place += 1;
            }
        }
        begin.push(edges.len() as u32);
        Self { begin, neighbours }
    }

    /// The neighbours of `node`, in the order of the edges.
    pub(super) fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.neighbours[self.begin[node] as usize..self.begin[node + 1] as usize]
    }

    /// Where the neighbours of each node begin, and then all of them.
    pub(super) fn rows(&self) -> (&[u32], &[u32]) {
        (&self.begin, &self.neighbours)
    }

    /// The first of the two, to be written over.
    pub(super) fn into_begin(self) -> Vec<u32> {
        self.begin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_keep_the_order_of_the_edges_within_and_across_blocks() {
        let len = 3 * (1 << BLOCK) + 5;
        let edges: Vec<(u32, u32)> = (0..40_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) % len, n))
            .collect();
        let found = Adjacency::build(len, &edges, |edge| edge);
        for node in 0..len {
            let expected: Vec<u32> = edges
                .iter()
                .filter(|(from, _)| *from == node)
                .map(|(_, to)| *to)
                .collect();
            assert_eq!(found.of(node), expected, "node {node}");
        }
        assert_eq!(Adjacency::build(0, &[], |edge| edge).begin, [0]);
    }
}
