//! A bound for work that only some agents can do: shared out as evenly as it can be, it takes so long.
//!
//! If some set of agents has more work that nobody else can do than *T* for each of them, *T* is too short. There are too many sets to try
//! all. For one *T* the worst is found by a flow from the work, grouped by who is able, to agents of *T* each: where it gets stuck, those that
//! it has reached are such a set (Hall's theorem, by the cut of Ford and Fulkerson). The set raises *T*, and the flow
//! is asked again until all the work has a place: Newton's method on a line that is bent upwards, a handful of steps.
//!
//! Elsewhere: other bounds, and what a set's heads and tails add to it, are [`super::floor`]'s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Groups by agents up to which the flow is asked; its time grows faster than they do.
const FLOW_MOST: usize = 20_000;

/// Work by who is able.
#[derive(Clone, Debug, Default)]
pub struct Able {
    /// The agents of each group, and its work in ticks.
    groups: Vec<(Vec<usize>, u64)>,
    agents: usize,
}

impl Able {
    /// From groups of agents, each with the work that every one of them can do and nobody else.
    pub fn new<'a>(groups: impl IntoIterator<Item = (&'a BTreeSet<usize>, u64)>) -> Self {
        let groups: Vec<(Vec<usize>, u64)> = groups
            .into_iter()
            .map(|(agents, work)| (agents.iter().copied().collect(), work))
            .collect();
        let agents = groups.iter().flat_map(|(agents, _)| agents);
        let agents = agents.max().map_or(0, |&most| most + 1);
        Self { groups, agents }
    }

    /// The sets of agents on the way from `length` to the least length in which all the work fits, each with more work than the one before.
    pub fn overloaded(&self, mut length: u64) -> Vec<BTreeSet<usize>> {
        let mut sets = Vec::new();
        if self.groups.len() * self.agents > FLOW_MOST {
            return sets;
        }
        while let Some(set) = self.stuck(length) {
            let inside = |agents: &[usize]| agents.iter().all(|agent| set.contains(agent));
            let inside = self.groups.iter().filter(|(agents, _)| inside(agents));
            let work: u64 = inside.map(|(_, work)| work).sum();
            length = work.div_ceil(set.len() as u64);
            sets.push(set);
        }
        sets
    }

    /// Agents who have more work among them that nobody else can do than `length` for each.
    fn stuck(&self, length: u64) -> Option<BTreeSet<usize>> {
        let mut left: Vec<u64> = self.groups.iter().map(|(_, work)| *work).collect();
        let mut room = vec![length; self.agents];
        // By agent: how much of which group's work has come to them.
        let mut given: Vec<BTreeMap<usize, u64>> = vec![BTreeMap::new(); self.agents];
        while let Some(from) = left.iter().position(|&left| left > 0) {
            // Breadth first from the group to an agent with room, over agents who could pass work on.
            let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
            let mut reached: BTreeMap<usize, usize> = BTreeMap::new();
            let mut groups = VecDeque::from([from]);
            let mut free = None;
            'search: while let Some(group) = groups.pop_front() {
                for &agent in &self.groups[group].0 {
                    if reached.contains_key(&agent) {
                        continue;
                    }
                    reached.insert(agent, group);
                    if room[agent] > 0 {
                        free = Some(agent);
                        break 'search;
                    }
                    for &other in given[agent].keys() {
                        if other != from && !came_from.contains_key(&other) {
                            came_from.insert(other, agent);
                            groups.push_back(other);
                        }
                    }
                }
            }
            let Some(free) = free else {
                return Some(reached.into_keys().collect());
            };
            // Back along the way: what each agent takes from a group, the group takes from another agent.
            let mut steps = vec![(reached[&free], free)];
            let mut most = left[from].min(room[free]);
            while let Some(&agent) = steps.last().and_then(|(group, _)| came_from.get(group)) {
                if let Some((group, _)) = steps.last() {
                    most = most.min(given[agent][group]);
                }
                steps.push((reached[&agent], agent));
            }
            room[free] -= most;
            left[from] -= most;
            for &(group, agent) in &steps {
                *given[agent].entry(group).or_insert(0) += most;
                let Some(from) = came_from.get(&group) else {
                    continue;
                };
                if let Some(rest) = given[*from].get_mut(&group) {
                    *rest -= most;
                    if *rest == 0 {
                        given[*from].remove(&group);
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Over every set of agents: the work of those groups that lie in it, shared out.
    fn tried(groups: &[(BTreeSet<usize>, u64)]) -> u64 {
        let bound = |set: u32| {
            let inside =
                |agents: &BTreeSet<usize>| agents.iter().all(|&agent| set >> agent & 1 > 0);
            let inside = groups.iter().filter(|(agents, _)| inside(agents));
            let work: u64 = inside.map(|(_, work)| work).sum();
            work.div_ceil(u64::from(set.count_ones()))
        };
        (1..64).map(bound).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn the_last_set_is_the_worst_of_all(
            groups in prop::collection::vec((prop::collection::btree_set(0_usize..6, 1..5), 0_u64..40), 0..9),
        ) {
            let able = Able::new(groups.iter().map(|(agents, work)| (agents, *work)));
            let found = able.overloaded(0).pop().map_or(0, |set| {
                let inside = groups.iter().filter(|(agents, _)| agents.is_subset(&set));
                inside.map(|(_, work)| work).sum::<u64>().div_ceil(set.len() as u64)
            });
            prop_assert_eq!(found, tried(&groups));
        }
    }
}
