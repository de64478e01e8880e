//! Dependencies by place, and the cycles among them. Nothing here recurses: a chain may be 100,000 long.

/// Finds cycles in `depends_on` (places of tasks by place): for each group of tasks that wait for each other,
/// one, as the places on it in the order of waiting, the lowest first.
pub(super) fn cycles(depends_on: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let stuck = stuck(depends_on);
    let mut seen_in: Vec<usize> = vec![usize::MAX; depends_on.len()];
    let mut cycles = Vec::new();
    for start in (0..depends_on.len()).filter(|&task| stuck[task]) {
        let mut walk = Vec::new();
        let mut at = start;
        while seen_in[at] == usize::MAX {
            seen_in[at] = start;
            walk.push(at);
            // A stuck task waits for a stuck task, so that the walk goes on until it meets itself or another.
            match depends_on[at].iter().find(|&&next| stuck[next]) {
                Some(&next) => at = next,
                None => break,
            }
        }
        if seen_in[at] == start
            && let Some(from) = walk.iter().position(|&task| task == at)
        {
            let mut cycle = walk.split_off(from);
            let lowest = (0..cycle.len()).min_by_key(|&n| cycle[n]).unwrap_or(0);
            cycle.rotate_left(lowest);
            cycles.push(cycle);
        }
    }
    cycles
}

/// Which tasks are left when all that can be done are done.
fn stuck(depends_on: &[Vec<usize>]) -> Vec<bool> {
    let mut waits_for: Vec<usize> = depends_on.iter().map(Vec::len).collect();
    let mut unlocks: Vec<Vec<usize>> = vec![Vec::new(); depends_on.len()];
    for (task, needs) in depends_on.iter().enumerate() {
        for &need in needs {
            unlocks[need].push(task);
        }
    }
    let mut ready: Vec<usize> = (0..depends_on.len())
        .filter(|&t| waits_for[t] == 0)
        .collect();
    while let Some(done) = ready.pop() {
        for &task in &unlocks[done] {
            waits_for[task] -= 1;
            if waits_for[task] == 0 {
                ready.push(task);
            }
        }
    }
    waits_for.iter().map(|&left| left > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_found_whatever_leads_to_it() {
        for (case, graph, expected) in [
            ("none", vec![vec![], vec![0], vec![0, 1]], vec![]),
            (
                "three",
                vec![vec![2], vec![0], vec![1]],
                vec![vec![0, 2, 1]],
            ),
            ("a tail", vec![vec![1], vec![2], vec![1]], vec![vec![1, 2]]),
            (
                "two",
                vec![vec![1], vec![0], vec![3], vec![2]],
                vec![vec![0, 1], vec![2, 3]],
            ),
        ] {
            assert_eq!(cycles(&graph), expected, "case: {case}");
        }
    }

    #[test]
    fn a_hundred_thousand_tasks_in_a_ring_are_one_cycle() {
        let n = 100_000;
        let ring: Vec<_> = (0..n).map(|task| vec![(task + 1) % n]).collect();
        assert_eq!(cycles(&ring)[0].len(), n);
    }
}
