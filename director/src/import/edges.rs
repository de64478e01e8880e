//! Who waits for whom, without circles: where issues wait for each other, the edge that says least is left out.
//!
//! An edge that was found in prose says less than one that somebody drew, and one that follows from another less than both. Of
//! equals the last in the order of the walk goes. The walk is a depth-first search without recursion; it begins anew where it took out an edge
//! other than the one that closed the circle, and so ends.

/// The most times that the walk begins anew; from then on the closing edge goes, whatever it says.
const ANEW_MAX: usize = 1_000;

/// How much an edge says; the last goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Somebody drew it.
    Drawn,
    /// A whole waits for its parts.
    Whole,
    /// A part waits for what its whole waits for.
    Inherited,
    /// It was found in prose.
    Prose,
}

/// One edge: what has to be done first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub to: usize,
    pub rank: Rank,
}

/// A circle that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Who waits for whom, each for the next and the last for the first.
    pub circle: Vec<usize>,
    /// Who does not wait any more, and for what.
    pub cut: (usize, usize),
}

/// Takes out edges until nothing waits in a circle; says which, in order.
pub(super) fn break_circles(edges: &mut [Vec<Edge>]) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut anew = 0;
    while let Some(found) = walk(edges, anew >= ANEW_MAX, &mut broken) {
        anew += 1;
        let (from, to) = found.cut;
        edges[from].retain(|edge| edge.to != to);
        broken.push(found);
    }
    broken
}

/// Walks the graph; takes out closing edges that say least themselves. A circle with an edge that says less ends the walk.
fn walk(edges: &mut [Vec<Edge>], closing_goes: bool, broken: &mut Vec<Broken>) -> Option<Broken> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnPath,
        Yes,
    }
    let mut seen = vec![Seen::No; edges.len()];
    for start in 0..edges.len() {
        if seen[start] != Seen::No {
            continue;
        }
        // Each with the place of its next edge.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        seen[start] = Seen::OnPath;
        while let Some(&mut (node, ref mut next)) = path.last_mut() {
            let Some(&edge) = edges[node].get(*next) else {
                seen[node] = Seen::Yes;
                path.pop();
                continue;
            };
            *next += 1;
            match seen[edge.to] {
                Seen::Yes => {}
                Seen::No => {
                    seen[edge.to] = Seen::OnPath;
                    path.push((edge.to, 0));
                }
                Seen::OnPath => {
                    let from = path.iter().position(|(on, _)| *on == edge.to).unwrap_or(0);
                    let circle: Vec<usize> = path[from..].iter().map(|(on, _)| *on).collect();
                    // The closing edge is the last; it goes unless another says less.
                    let weakest = path[from..path.len() - 1]
                        .iter()
                        .map(|&(on, next)| (on, edges[on][next - 1]))
                        .filter(|(_, on_path)| on_path.rank > edge.rank)
                        .max_by_key(|(_, on_path)| on_path.rank);
                    match weakest.filter(|_| !closing_goes) {
                        Some((from, weak)) => {
                            return Some(Broken {
                                circle,
                                cut: (from, weak.to),
                            });
                        }
                        None => {
                            edges[node].retain(|other| other.to != edge.to);
                            let last = path.len() - 1;
                            path[last].1 -= 1;
                            broken.push(Broken {
                                circle,
                                cut: (node, edge.to),
                            });
                        }
                    }
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(list: &[(usize, usize, Rank)]) -> Vec<Vec<Edge>> {
        let most = list.iter().map(|(from, to, _)| from.max(to) + 1).max();
        let mut edges = vec![Vec::new(); most.unwrap_or(0)];
        for &(from, to, rank) in list {
            edges[from].push(Edge { to, rank });
        }
        edges
    }

    #[test]
    fn the_edge_that_says_least_is_taken_out_and_the_rest_stays() {
        use Rank::{Drawn, Inherited, Prose};
        for (case, list, cut) in [
            (
                "none",
                vec![(0, 1, Drawn), (1, 2, Drawn), (0, 2, Drawn)],
                vec![],
            ),
            (
                "the closing one",
                vec![(0, 1, Drawn), (1, 2, Drawn), (2, 0, Drawn)],
                vec![(2, 0)],
            ),
            (
                "prose",
                vec![(0, 1, Prose), (1, 2, Drawn), (2, 0, Drawn)],
                vec![(0, 1)],
            ),
            (
                "what follows, before what is drawn",
                vec![(0, 1, Drawn), (1, 2, Inherited), (2, 0, Drawn)],
                vec![(1, 2)],
            ),
            (
                "two circles",
                vec![(0, 1, Drawn), (1, 0, Drawn), (1, 2, Drawn), (2, 1, Drawn)],
                vec![(1, 0), (2, 1)],
            ),
        ] {
            let mut edges = graph(&list);
            let broken = break_circles(&mut edges);
            let cuts: Vec<_> = broken.iter().map(|broken| broken.cut).collect();
            assert_eq!(cuts, cut, "case: {case}");
            let left: usize = edges.iter().map(Vec::len).sum();
            assert_eq!(left, list.len() - cut.len(), "case: {case}");
        }
    }

    #[test]
    fn a_long_chain_that_bites_its_tail_is_no_deeper_than_a_short_one() {
        let mut list: Vec<_> = (0..100_000).map(|n| (n, n + 1, Rank::Drawn)).collect();
        list.push((100_000, 0, Rank::Drawn));
        let broken = break_circles(&mut graph(&list));
        assert_eq!(broken.len(), 1);
        assert_eq!(broken[0].circle.len(), 100_001);
    }
}
