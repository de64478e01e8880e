//! When each task can start, how far it can slip, and the chain that decides when all of it is done.
//!
//! The critical path method (Kelley and Walker, 1959): earliest times forward through the topological order, latest
//! times backward. Two passes and no recursion, so it can run again with actual durations each
//! time a task ends. People and worktrees are left out here; they only make things later.
//!
//! Elsewhere: who does the work, and when, is [`super::schedule`].

use super::graph::Graph;

/// What dependencies alone say about time. All tables are by task, all times in milliseconds from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CriticalPath {
    /// The earliest that the task can start.
    pub earliest_start: Vec<u64>,
    /// The latest that it can start without moving the end.
    pub latest_start: Vec<u64>,
    /// How far it can slip without moving the end.
    pub total_slack: Vec<u64>,
    /// How far it can slip without moving any task that waits for it.
    pub free_slack: Vec<u64>,
    /// The longest way from the task's start to the end of everything that waits for it, itself included.
    pub remaining: Vec<u64>,
    /// One longest chain, from first to last; where there are several, the first in the file.
    pub path: Vec<u32>,
    /// The length of that chain.
    pub makespan: u64,
}

impl CriticalPath {
    /// Computes it for `graph` with one duration per task, in milliseconds. Sums saturate.
    ///
    /// # Panics
    /// When `durations` is not as long as the graph.
    pub fn compute(graph: &Graph, durations: &[u64]) -> Self {
        assert_eq!(graph.len(), durations.len(), "one duration per task");
        let duration = |node: u32| durations[node as usize];
        let mut earliest_start = vec![0_u64; graph.len()];
        let mut makespan = 0;
        for &node in graph.order() {
            let finish = earliest_start[node as usize].saturating_add(duration(node));
            makespan = makespan.max(finish);
            for &next in graph.successors(node) {
                let start = &mut earliest_start[next as usize];
                *start = finish.max(*start);
            }
        }
        let mut remaining = vec![0_u64; graph.len()];
        let mut free_slack = vec![0_u64; graph.len()];
        for &node in graph.order().iter().rev() {
            let finish = earliest_start[node as usize].saturating_add(duration(node));
            let (mut longest, mut first_wanted) = (0, makespan);
            for &next in graph.successors(node) {
                longest = remaining[next as usize].max(longest);
                first_wanted = earliest_start[next as usize].min(first_wanted);
            }
            remaining[node as usize] = duration(node).saturating_add(longest);
            free_slack[node as usize] = first_wanted.saturating_sub(finish);
        }
        let latest_start: Vec<u64> = remaining
            .iter()
            .map(|&rest| makespan.saturating_sub(rest))
            .collect();
        let total_slack = latest_start
            .iter()
            .zip(&earliest_start)
            .map(|(latest, earliest)| latest.saturating_sub(*earliest))
            .collect();
        let path = longest_chain(graph, durations, &remaining, makespan);
        Self {
            earliest_start,
            latest_start,
            total_slack,
            free_slack,
            remaining,
            path,
            makespan,
        }
    }

    /// Whether any slip of `node` moves the end.
    pub fn is_critical(&self, node: u32) -> bool {
        self.total_slack[node as usize] == 0
    }
}

/// From a start with nothing shorter than the makespan before it, always on to the longest remainder.
fn longest_chain(graph: &Graph, durations: &[u64], remaining: &[u64], makespan: u64) -> Vec<u32> {
    let start = (0..graph.len() as u32)
        .find(|&node| graph.predecessors(node).is_empty() && remaining[node as usize] == makespan);
    let mut path = Vec::new();
    let mut at = start;
    while let Some(node) = at {
        path.push(node);
        let rest = remaining[node as usize].saturating_sub(durations[node as usize]);
        let mut on = graph.successors(node).iter();
        at = on.find(|&&next| remaining[next as usize] == rest).copied();
    }
    path
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use std::fmt::Write as _;

    use super::*;

    fn table(names: &str, durations: &[u64], edges: &[(char, char)]) -> String {
        let names: Vec<char> = names.chars().collect();
        let place = |name: char| names.iter().position(|&n| n == name).unwrap() as u32;
        let edges: Vec<(u32, u32)> = edges.iter().map(|&(a, b)| (place(a), place(b))).collect();
        let graph = Graph::new(names.len() as u32, &edges).unwrap();
        let found = CriticalPath::compute(&graph, durations);
        let mut out = String::from("    ES EF LS LF total free\n");
        for (node, name) in names.iter().enumerate() {
            let (start, latest) = (found.earliest_start[node], found.latest_start[node]);
            let _ = writeln!(
                out,
                "{name}   {start:2} {:2} {latest:2} {:2} {:5} {:4}",
                start + durations[node],
                latest + durations[node],
                found.total_slack[node],
                found.free_slack[node],
            );
        }
        let path: String = found.path.iter().map(|&n| names[n as usize]).collect();
        let _ = writeln!(out, "{path} in {}", found.makespan);
        out
    }

    /// Worked by hand: A 3, B 4 after A, C 2 after A, D 5 after B, E 1 after C, F 2 after C, G 4 after D
    /// and E, H 3 after F and G.
    #[test]
    fn a_textbook_network_has_the_slack_that_was_worked_out_by_hand() {
        let edges = [
            ('A', 'B'),
            ('A', 'C'),
            ('B', 'D'),
            ('C', 'E'),
            ('C', 'F'),
            ('D', 'G'),
            ('E', 'G'),
            ('F', 'H'),
            ('G', 'H'),
        ];
        expect![[r#"
                ES EF LS LF total free
            A    0  3  0  3     0    0
            B    3  7  3  7     0    0
            C    3  5  9 11     6    0
            D    7 12  7 12     0    0
            E    5  6 11 12     6    6
            F    5  7 14 16     9    9
            G   12 16 12 16     0    0
            H   16 19 16 19     0    0
            ABDGH in 19
        "#]]
        .assert_eq(&table("ABCDEFGH", &[3, 4, 2, 5, 1, 2, 4, 3], &edges));
    }

    #[test]
    fn small_cases_have_a_path_too() {
        for (case, durations, edges, path, makespan) in [
            ("nothing", vec![], vec![], vec![], 0),
            ("one", vec![5], vec![], vec![0], 5),
            ("the longer of two", vec![2, 3], vec![], vec![1], 3),
            ("a tie goes to the file", vec![3, 3], vec![], vec![0], 3),
            (
                "milestones",
                vec![0, 4, 0],
                vec![(0, 1), (1, 2)],
                vec![0, 1, 2],
                4,
            ),
            ("no time at all", vec![0, 0], vec![(1, 0)], vec![1, 0], 0),
        ] {
            let graph = Graph::new(durations.len() as u32, &edges).unwrap();
            let found = CriticalPath::compute(&graph, &durations);
            assert_eq!(
                (found.path, found.makespan),
                (path, makespan),
                "case: {case}"
            );
        }
    }

    #[test]
    fn actual_durations_move_the_path() {
        let graph = Graph::new(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]).unwrap();
        assert_eq!(CriticalPath::compute(&graph, &[1, 5, 3, 1]).path, [0, 1, 3]);
        assert_eq!(CriticalPath::compute(&graph, &[1, 2, 3, 1]).path, [0, 2, 3]);
    }

    #[test]
    fn durations_beyond_all_reason_saturate() {
        let graph = Graph::new(2, &[(0, 1)]).unwrap();
        let found = CriticalPath::compute(&graph, &[u64::MAX, u64::MAX]);
        assert_eq!(found.makespan, u64::MAX);
    }
}
