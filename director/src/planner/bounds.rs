//! What no schedule can beat, and what it is that cannot be beaten.
//!
//! Three bounds: the critical path, each role's work shared evenly among its agents, and each worktree's work
//! in a row. To the latter two comes what has to happen before the first of the tasks and after the last.
//!
//! Invariant: no valid schedule of the same tasks is shorter than the bound.

use super::critical_path::CriticalPath;
use super::graph::Graph;
use super::schedule::Resources;

/// A length that no schedule can be shorter than.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Milliseconds of working time.
    pub length: u64,
    /// What sets it.
    pub by: Limiting,
}

/// What keeps a sprint from being shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limiting {
    /// The longest chain of dependencies.
    Path,
    /// The work of one role, by number.
    Role(u32),
    /// The work in one feature's worktree, by number.
    Feature(u32),
}

/// The work that one role or worktree has to get through.
#[derive(Clone, Copy)]
struct Load {
    /// The sum of the durations.
    work: u64,
    /// The earliest that any of it can start.
    head: u64,
    /// The least that has to follow after the last of it.
    tail: u64,
}

impl Load {
    const NONE: Load = Load {
        work: 0,
        head: u64::MAX,
        tail: u64::MAX,
    };

    fn add(&mut self, work: u64, head: u64, tail: u64) {
        self.work = self.work.saturating_add(work);
        self.head = self.head.min(head);
        self.tail = self.tail.min(tail);
    }

    fn length(self, agents: u32) -> u64 {
        match self.work {
            0 => 0,
            work => work
                .div_ceil(u64::from(agents.max(1)))
                .saturating_add(self.head)
                .saturating_add(self.tail),
        }
    }
}

/// The best of the bounds; the path wins a tie, then roles, then features.
///
/// `durations` are the same that `critical` was computed with.
pub fn lower_bound(
    graph: &Graph,
    resources: &Resources,
    durations: &[u64],
    critical: &CriticalPath,
) -> Bound {
    let mut roles = vec![Load::NONE; resources.agents.len()];
    let mut features = vec![Load::NONE; resources.features as usize];
    for at in 0..graph.len() {
        let work = durations[at];
        if work > 0 {
            let head = critical.earliest_start[at];
            let tail = critical.remaining[at].saturating_sub(work);
            roles[resources.role_of[at] as usize].add(work, head, tail);
            features[resources.feature_of[at] as usize].add(work, head, tail);
        }
    }
    let mut best = Bound {
        length: critical.makespan,
        by: Limiting::Path,
    };
    let by_role = (0..).zip(roles.iter().zip(&resources.agents));
    let by_role =
        by_role.map(|(role, (load, &agents))| (Limiting::Role(role), load.length(agents)));
    let by_feature = (0..).zip(&features);
    let by_feature = by_feature.map(|(feature, load)| (Limiting::Feature(feature), load.length(1)));
    for (by, length) in by_role.chain(by_feature) {
        if length > best.length {
            best = Bound { length, by };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_of_path_role_and_worktree_is_the_bound() {
        // 0 before 1, 2, 3.
        let edges = [(0, 1), (0, 2), (0, 3)];
        for (case, role_of, feature_of, agents, expected, by) in [
            (
                "path",
                [0, 1, 1, 1],
                [0, 1, 2, 3],
                vec![1, 3],
                5,
                Limiting::Path,
            ),
            (
                "role",
                [0, 1, 1, 1],
                [0, 1, 2, 3],
                vec![1, 1],
                11,
                Limiting::Role(1),
            ),
            (
                "two share",
                [0, 1, 1, 1],
                [0, 1, 2, 3],
                vec![1, 2],
                7,
                Limiting::Role(1),
            ),
            (
                "worktree",
                [0, 1, 1, 1],
                [0, 1, 1, 1],
                vec![1, 3],
                11,
                Limiting::Feature(1),
            ),
        ] {
            let graph = Graph::new(4, &edges).unwrap();
            let durations = [2, 3, 3, 3];
            let critical = CriticalPath::compute(&graph, &durations);
            let resources = Resources {
                role_of: role_of.to_vec(),
                feature_of: feature_of.to_vec(),
                agents,
                features: 4,
            };
            let bound = lower_bound(&graph, &resources, &durations, &critical);
            assert_eq!((bound.length, bound.by), (expected, by), "case: {case}");
        }
    }
}
