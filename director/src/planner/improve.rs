//! A better list for the rule that work is handed out by: finished earlier as expected, or finished earlier with 85 % certainty.
//!
//! Every candidate is run as the engine would run it ([`super::policy`]), on the same futures as all the others: one of expected durations, or a
//! hundred drawn ones. A move takes a task of one role and priority to another place among its like, mostly one on the chain that decides the
//! end; a move is kept by late acceptance (Burke and Bykov, "The late acceptance hill-climbing heuristic", EJOR 258, 2017: not worse than what was
//! current some moves ago). A list that was better on its own futures is compared once more on fresh ones.
//!
//! Invariant: the answer depends on the list, the futures, the seed and the budget of schedules alone (unless it is stopped), and is never
//! worse than the list it began with.
//! Elsewhere: schedules for a plan without uncertainty, near the optimum, are [`super::search`]'s.

use super::policy::{Policy, Run};
use crate::estimate::Durations;
use crate::estimate::random::{Luck, Purpose, below};

/// Futures that a list is judged by when the finish is uncertain.
pub const FUTURES: u64 = 100;
/// Fresh ones for the last comparison.
const FRESH: u64 = 1000;
/// How many moves ago a cost was current that a move may not exceed.
const MEMORY: usize = 40;
/// In 256: how often the task to move is one of the deciding chain.
const FROM_CHAIN: u64 = 190;
/// Chosen by chance so often without a task that could be moved: nothing can.
const TRIES_MAX: u32 = 1000;

/// What is made small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objective {
    /// The finish with expected durations.
    #[default]
    Expected,
    /// The finish that 85 of 100 futures keep to.
    P85,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Improved {
    /// The list: the one it began with, if nothing better was found.
    pub list: Vec<u32>,
    /// The objective of the list it began with, in milliseconds; of P85 on fresh futures.
    pub before: u64,
    /// The objective of the list found, on the same.
    pub after: u64,
    /// Schedules made.
    pub schedules: u64,
}

/// What may be spent.
pub struct Budget<'a> {
    /// Schedules.
    pub schedules: u64,
    /// No finish can be earlier; when it is met, the search ends.
    pub bound: u64,
    /// Asked now and then; a no ends the search early.
    pub go_on: &'a mut dyn FnMut() -> bool,
}

/// Looks for a better list than `list`, which `policy` has.
///
/// `class` says for each task which others it may change places with, besides having the same role: those of its priority. `role_of` is the policy's.
pub fn improve(
    policy: &mut Policy,
    list: &[u32],
    class: &[u32],
    futures: &Futures,
    seed: u64,
    budget: Budget,
) -> Improved {
    let mut judge = Judge {
        run: Run::default(),
        finishes: Vec::new(),
        futures,
        schedules: 0,
    };
    let begun = judge.cost(policy, Cost::MOST);
    let moves = Moves::new(policy, list, class);
    let mut best = list.to_vec();
    let mut found = begun;
    if !moves.like.is_empty() {
        let mut current = list.to_vec();
        let mut memory = [begun; MEMORY];
        let mut cost = begun;
        let mut draws = Luck::of(seed, 0).draws(0, 0, Purpose::Other);
        let mut draw = move || draws.next().unwrap_or(0);
        let mut chain: Vec<u32> = judge.run.chain().collect();
        for step in 0.. {
            let left = budget.schedules.saturating_sub(judge.schedules);
            if left < futures.count()
                || found.objective <= budget.bound
                || (step % 16 == 0 && !(budget.go_on)())
            {
                break;
            }
            let Some((from, to)) = moves.choose(&current, &chain, &mut draw) else {
                break;
            };
            let undo = moves.shift(&mut current, from, to);
            policy.reorder(&current);
            let limit = memory[step % MEMORY].max(cost);
            let new = judge.cost(policy, limit);
            if new <= limit {
                cost = new;
                chain.clear();
                chain.extend(judge.run.chain());
                if new < found {
                    (found, best) = (new, current.clone());
                }
            } else {
                moves.shift(&mut current, undo.0, undo.1);
            }
            memory[step % MEMORY] = cost;
        }
    }
    let (before, mut after) = match futures.fresh {
        None => (begun.objective, found.objective),
        Some(fresh) => {
            let of = |policy: &mut Policy, list: &[u32]| {
                policy.reorder(list);
                super::outlook::Outlook::of(policy, fresh.durations, fresh.seed, fresh.runs())
                    .quantile(850)
            };
            judge.schedules += 2 * FRESH;
            (of(policy, list), of(policy, &best))
        }
    };
    if after >= before {
        best = list.to_vec();
        after = before;
    }
    policy.reorder(&best);
    Improved {
        list: best,
        before,
        after,
        schedules: judge.schedules,
    }
}

/// Durations of every task in each of the futures that lists are judged by.
pub struct Futures<'a> {
    tasks: usize,
    durations: Vec<u64>,
    fresh: Option<Fresh<'a>>,
}

#[derive(Clone, Copy)]
struct Fresh<'a> {
    durations: &'a Durations,
    seed: u64,
}

impl Fresh<'_> {
    /// Runs that are not among those a list was chosen by.
    fn runs(self) -> std::ops::Range<u64> {
        1 << 40..(1 << 40) + FRESH
    }
}

impl<'a> Futures<'a> {
    /// One future, with these durations in milliseconds.
    pub fn expected(durations: Vec<u64>) -> Self {
        Self {
            tasks: durations.len(),
            durations,
            fresh: None,
        }
    }

    /// Drawn futures, as many as fit into 32 MB and at most [`FUTURES`].
    pub fn drawn(durations: &'a Durations, seed: u64) -> Self {
        const ENTRIES_MAX: usize = 1 << 22;
        let tasks = durations.len();
        let count = FUTURES.min((ENTRIES_MAX / tasks.max(1)).max(10) as u64);
        let drawn = (0..count).flat_map(|run| {
            let luck = Luck::of(seed, run);
            (0..tasks as u32).map(move |task| durations.draw(luck, task, 1))
        });
        Self {
            tasks,
            durations: drawn.collect(),
            fresh: Some(Fresh { durations, seed }),
        }
    }

    fn count(&self) -> u64 {
        (self.durations.len() / self.tasks.max(1)).max(1) as u64
    }
}

/// Smaller is better: the objective, then the sum of all finishes that were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    objective: u64,
    sum: u64,
}

impl Cost {
    const MOST: Cost = Cost {
        objective: u64::MAX,
        sum: u64::MAX,
    };
}

struct Judge<'a> {
    run: Run,
    finishes: Vec<u64>,
    futures: &'a Futures<'a>,
    schedules: u64,
}

impl Judge<'_> {
    /// What the policy costs; [`Cost::MOST`] as soon as it is certain to exceed `limit`.
    fn cost(&mut self, policy: &Policy, limit: Cost) -> Cost {
        let count = self.futures.count() as usize;
        if count == 1 {
            self.schedules += 1;
            let durations = &self.futures.durations;
            let objective = self.run.go(policy, |task| durations[task as usize]);
            let sum = self
                .run
                .finishes()
                .iter()
                .fold(0_u64, |sum, finish| sum.saturating_add(*finish));
            return Cost { objective, sum };
        }
        let over_max = count - (count * 85).div_ceil(100);
        let mut over = 0;
        self.finishes.clear();
        for durations in self.futures.durations.chunks_exact(self.futures.tasks) {
            self.schedules += 1;
            let finish = self.run.go(policy, |task| durations[task as usize]);
            over += usize::from(finish > limit.objective);
            if over > over_max {
                return Cost::MOST;
            }
            self.finishes.push(finish);
        }
        let sum = self
            .finishes
            .iter()
            .fold(0_u64, |sum, finish| sum.saturating_add(*finish));
        let place = count - over_max - 1;
        let (_, objective, _) = self.finishes.select_nth_unstable(place);
        Cost {
            objective: *objective,
            sum,
        }
    }
}

/// Which tasks may change places.
struct Moves {
    /// By task: the group it belongs to.
    group_of: Vec<u32>,
    /// By group of two tasks or more: the places in the list that its tasks have among them, rising.
    places: Vec<Vec<u32>>,
    /// Tasks that have another of their group.
    like: Vec<u32>,
}

impl Moves {
    fn new(policy: &Policy, list: &[u32], class: &[u32]) -> Self {
        let mut groups = std::collections::BTreeMap::new();
        for (place, &task) in (0..).zip(list) {
            let key = (policy.role_of(task), class[task as usize]);
            let group: &mut Vec<u32> = groups.entry(key).or_default();
            group.push(place);
        }
        let mut moves = Self {
            group_of: vec![u32::MAX; policy.len()],
            places: groups
                .into_values()
                .filter(|group| group.len() > 1)
                .collect(),
            like: Vec::new(),
        };
        for (number, group) in (0..).zip(&moves.places) {
            for &place in group {
                moves.group_of[list[place as usize] as usize] = number;
            }
        }
        let like = |task: &&u32| moves.group_of[**task as usize] != u32::MAX;
        moves.like = list.iter().filter(like).copied().collect();
        moves
    }

    /// A place in the list and the one its task is to go to; none if chance finds nothing to move.
    fn choose(
        &self,
        list: &[u32],
        chain: &[u32],
        draw: &mut impl FnMut() -> u64,
    ) -> Option<((u32, usize), usize)> {
        for _ in 0..TRIES_MAX {
            let among = if below(draw(), 256) < FROM_CHAIN {
                chain
            } else {
                &self.like
            };
            let Some(&task) = among.get(below(draw(), among.len() as u64) as usize) else {
                continue;
            };
            let group = self.group_of[task as usize];
            if group == u32::MAX {
                continue;
            }
            let places = &self.places[group as usize];
            let at = places
                .iter()
                .position(|&place| list[place as usize] == task)?;
            let to = below(draw(), places.len() as u64) as usize;
            if to != at {
                return Some(((group, at), to));
            }
        }
        None
    }

    /// Takes the task at one place of its group to another; those between move up or down. Says how to take it back.
    fn shift(
        &self,
        list: &mut [u32],
        (group, from): (u32, usize),
        to: usize,
    ) -> ((u32, usize), usize) {
        let places = &self.places[group as usize];
        let task = list[places[from] as usize];
        let mut at = from;
        while at != to {
            let next = if to > at { at + 1 } else { at - 1 };
            list[places[at] as usize] = list[places[next] as usize];
            at = next;
        }
        list[places[to] as usize] = task;
        ((group, to), from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Model;
    use crate::estimate::habits::Habits;
    use crate::planner::graph::Graph;
    use crate::planner::schedule::Resources;
    use director_protocols::sprint::Estimate;
    use director_protocols::time::Span;

    fn resources(role_of: Vec<u32>, agents: &[u32]) -> Resources {
        Resources {
            feature_of: (0..role_of.len() as u32).collect(),
            features: role_of.len() as u32,
            role_of,
            agents: agents.to_vec(),
        }
    }

    fn no_end() -> impl FnMut() -> bool {
        || true
    }

    /// Agents of one role; every longest-first list is beaten by the one that packs evenly: 3+3 and 2+2+2.
    #[test]
    fn a_list_that_packs_better_is_found() {
        let graph = Graph::unconnected(5);
        let resources = resources(vec![0; 5], &[2]);
        let list = [0, 1, 2, 3, 4];
        let mut policy = Policy::new(&graph, &resources, false, &list);
        let futures = Futures::expected(vec![3, 3, 2, 2, 2]);
        let mut go_on = no_end();
        let found = improve(
            &mut policy,
            &list,
            &[0; 5],
            &futures,
            1,
            Budget {
                schedules: 500,
                bound: 0,
                go_on: &mut go_on,
            },
        );
        assert_eq!((found.before, found.after), (7, 6), "{found:?}");
        let mut run = Run::default();
        let durations = [3, 3, 2, 2, 2];
        assert_eq!(run.go(&policy, |task| durations[task as usize]), 6);
    }

    #[test]
    fn priorities_and_roles_are_never_mixed_and_the_answer_is_that_of_the_seed() {
        let len = 60_u32;
        let edges: Vec<(u32, u32)> = (6..len)
            .map(|task| (task - 1 - task * 7 % 5, task))
            .collect();
        let graph = Graph::new(len, &edges).unwrap();
        let resources = resources((0..len).map(|task| task % 3).collect(), &[1, 2, 1]);
        let class: Vec<u32> = (0..len).map(|task| task / 20).collect();
        let list: Vec<u32> = (0..len).collect();
        let durations: Vec<u64> = (0..u64::from(len)).map(|task| 1 + task * 37 % 41).collect();
        let futures = Futures::expected(durations);
        let search = |seed, schedules| {
            let mut policy = Policy::new(&graph, &resources, false, &list);
            let mut go_on = no_end();
            let budget = Budget {
                schedules,
                bound: 0,
                go_on: &mut go_on,
            };
            improve(&mut policy, &list, &class, &futures, seed, budget)
        };
        let found = search(3, 3000);
        assert_eq!(found, search(3, 3000));
        assert!(found.after <= found.before);
        assert!(found.schedules <= 3000);
        for (place, &task) in (0_u32..).zip(&found.list) {
            assert_eq!((task % 3, task / 20), (place % 3, place / 20));
        }
        let none = search(3, 0);
        assert_eq!((none.list, none.after), (list.clone(), none.before));
    }

    /// Two chains of equal expected length for one agent each and a safe or risky order: what is certain goes last where that helps.
    #[test]
    fn a_late_finish_becomes_less_likely() {
        let hours = |optimistic, likely, pessimistic| Estimate {
            optimistic: Span::hours(optimistic),
            likely: Span::hours(likely),
            pessimistic: Span::hours(pessimistic),
        };
        // One agent does 0..6 and another what waits for each of them; long tails behind the risky ones.
        let estimates: Vec<Estimate> = (0..12)
            .map(|task| match task {
                0..3 => hours(1, 2, 3),
                3..6 => hours(1, 2, 20),
                6..9 => hours(1, 1, 2),
                _ => hours(6, 8, 10),
            })
            .collect();
        let graph = Graph::new(12, &(0..6).map(|n| (n, n + 6)).collect::<Vec<_>>()).unwrap();
        let resources = resources((0..12).map(|task| task / 6).collect(), &[1, 1]);
        let list: Vec<u32> = (0..12).collect();
        let mut policy = Policy::new(&graph, &resources, false, &list);
        let durations = Durations::of(Model::Pert, &Habits::published(), &estimates);
        let futures = Futures::drawn(&durations, 9);
        let mut go_on = no_end();
        let budget = Budget {
            schedules: 40_000,
            bound: 0,
            go_on: &mut go_on,
        };
        let found = improve(&mut policy, &list, &[0; 12], &futures, 1, budget);
        assert!(found.after < found.before * 95 / 100, "{found:?}");
    }
}
