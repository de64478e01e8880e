//! The list schedule made shorter by search, with everything that it promises kept.
//!
//! Urgent work goes first, so the search goes from the most urgent tasks down: those of one urgency are rearranged while all that is more
//! urgent stays where it is. A task is as urgent as the most urgent that waits for it. The search begins with the list, and what it
//! finds is placed again by [`super::schedule`], which knows capacities, the end and single agents. It is taken only if every
//! committed task still has a place, nothing of any urgency is done later than before, and something is done earlier.
//!
//! Where durations are no whole ticks ([`super::jobs`]), the search is only a guide, and its bounds are not used.
//!
//! Invariant: the same sprint has the same answer; a plan is never longer than the list schedule.
//! Elsewhere: the search is [`super::search`]; what is committed is decided before, in [`super::commit`].

use std::collections::BTreeMap;

use super::graph::Graph;
use super::jobs::{Ticks, Work};
use super::schedule::{self, Limits, Resources, Schedule};
use super::search::decode::{self, Decoder};
use super::search::floor::Floor;
use super::search::genetic::{Found, Island};
use super::search::model::{Fixed, Model, Problem};
use super::search::proof::Proof;
use director_protocols::sprint::Priority;

/// Committed tasks above which only the list is used.
const TASKS_MOST: usize = 2_000;
/// Tasks placed in all, over all schedules that are tried: some tens of milliseconds.
const PLACED_MOST: u64 = 500_000;
/// Tasks that the proof of the bound looks at: some milliseconds.
const LOOKED_MOST: u64 = 100_000;
/// Schedules that are tried for each task: a short list has few orders.
const SCHEDULES_A_TASK: u64 = 25;
/// Ticks that all tasks in a row may take.
const TICKS_MOST: u64 = 20_000;
const SEED: u64 = 1;

/// A schedule of what is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shortened {
    /// As [`super::Plan::order`].
    pub order: Vec<u32>,
    pub schedule: Schedule,
    /// What no schedule of the committed tasks can beat, in milliseconds; 0 where nothing is known.
    pub bound: u64,
}

/// What is planned, as the list schedule found it.
pub(super) struct Given<'a> {
    pub graph: &'a Graph,
    pub resources: &'a Resources,
    pub durations: &'a [u64],
    pub priorities: &'a [Priority],
    pub limits: &'a Limits,
    pub order: &'a [u32],
    pub schedule: &'a Schedule,
}

/// How the schedule comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// It stays the list's; only the bound is looked for.
    List,
    /// It is searched for.
    Search,
}

/// Looks for a shorter schedule.
pub(super) fn shorten(given: &Given, by: By) -> Shortened {
    let placed = |&task: &u32| given.schedule.slot(task).is_some();
    let committed: Vec<u32> = given.order.iter().copied().filter(placed).collect();
    let mut best = Shortened {
        order: committed,
        schedule: given.schedule.clone(),
        bound: 0,
    };
    let tasks = best.order.len();
    if (2..=TASKS_MOST).contains(&tasks) {
        let ticks = Ticks::of(given.durations, &best.order, TICKS_MOST);
        let urgency = schedule::urgency(given.graph, given.priorities);
        let mut classes: Vec<Priority> = best
            .order
            .iter()
            .map(|&task| urgency[task as usize])
            .collect();
        classes.sort_unstable_by(|a, b| b.cmp(a));
        classes.dedup();
        if by == By::List {
            classes.clear();
        }
        for &class in &classes {
            let stage = Stage {
                given,
                ticks,
                urgency: &urgency,
                class,
            };
            let schedules = (PLACED_MOST / tasks as u64).min(SCHEDULES_A_TASK * tasks as u64);
            if let Some(better) = stage.shorten(&best, schedules) {
                best = better;
            }
        }
        if ticks.exact {
            best.bound = bound(given, ticks, &urgency, &best);
        }
    }
    best.order
        .extend(given.order.iter().filter(|task| !placed(task)));
    best
}

/// The bound on all that is committed, whatever is urgent; raised by the proof if that comes easily.
fn bound(given: &Given, ticks: Ticks, urgency: &[Priority], best: &Shortened) -> u64 {
    let all = Stage {
        given,
        ticks,
        urgency,
        class: Priority::Low,
    };
    let problem = all.problem(&best.order, &Schedule::default(), false);
    let Ok(model) = Model::new(&problem) else {
        return 0;
    };
    let floor = Floor::of(&model);
    let mut proof = Proof::new(&model, &floor, true);
    // The model knows nothing of the end and of single agents, so what it allows may be shorter than what is possible: then that is its
    // shortest, if nothing is shorter still.
    let makespan = |best: &Shortened| ticks.up(best.schedule.makespan);
    let mut shortest = Found {
        makespan: makespan(best),
        starts: vec![0; model.len()],
        ..Found::default()
    };
    let mut decoder = Decoder::new(&model);
    while let Some(order) = proof.turn(
        &shortest,
        LOOKED_MOST.saturating_sub(proof.looked_at()),
        &mut || true,
    ) {
        shortest.makespan = decoder.pass(decode::From::Start, decode::Ways::Keep, &order);
    }
    u64::from(proof.bound()).saturating_mul(ticks.length)
}

/// The tasks of one urgency are rearranged.
struct Stage<'a> {
    given: &'a Given<'a>,
    ticks: Ticks,
    /// By task: its own urgency or that of what waits for it.
    urgency: &'a [Priority],
    class: Priority,
}

impl Stage<'_> {
    fn shorten(&self, best: &Shortened, schedules: u64) -> Option<Shortened> {
        let urgency = |&task: &u32| self.urgency[task as usize];
        let known: Vec<u32> = best
            .order
            .iter()
            .copied()
            .filter(|task| urgency(task) >= self.class)
            .collect();
        let model = Model::new(&self.problem(&known, &best.schedule, true)).ok()?;
        let floor = Floor::of(&model);
        let mut island = Island::new(&model, &floor, SEED, 0, schedules);
        // The list, by the starts that it has.
        let mut list = model.free.clone();
        let start = |&job: &u32| {
            best.schedule
                .slot(known[job as usize])
                .map(|slot| slot.start)
        };
        let place: BTreeMap<u32, usize> = (0..)
            .zip(&known)
            .map(|(place, &task)| (task, place))
            .collect();
        list.sort_by_key(|job| (start(job), place[&known[*job as usize]]));
        island.seed(&list, &[]);
        let found = island.run(&mut || true);

        let more = best
            .order
            .iter()
            .copied()
            .filter(|task| urgency(task) > self.class);
        let these = found.order.iter().map(|&job| known[job as usize]);
        let less = best
            .order
            .iter()
            .copied()
            .filter(|task| urgency(task) < self.class);
        let order: Vec<u32> = more.chain(these).chain(less).collect();
        let Given {
            graph,
            resources,
            durations,
            limits,
            ..
        } = self.given;
        let mut schedule = schedule::schedule(graph, resources, durations, &order, limits);
        if order.iter().any(|&task| schedule.slot(task).is_none()) {
            return None;
        }
        let (before, after) = (
            self.ends(&best.schedule, &order),
            self.ends(&schedule, &order),
        );
        let no_later = before
            .iter()
            .zip(&after)
            .all(|((_, before), (_, after))| after <= before);
        if !no_later || before == after {
            return None;
        }
        for (slot, given) in schedule.slots.iter_mut().zip(&self.given.schedule.slots) {
            if given.is_err() {
                *slot = *given;
            }
        }
        Some(Shortened {
            order,
            schedule,
            bound: 0,
        })
    }

    /// By urgency: when the last task of it is finished.
    fn ends(&self, schedule: &Schedule, order: &[u32]) -> BTreeMap<Priority, u64> {
        let mut ends = BTreeMap::new();
        for &task in order {
            let end = ends.entry(self.urgency[task as usize]).or_insert(0);
            *end = schedule.slot(task).map_or(0, |slot| slot.finish).max(*end);
        }
        ends
    }

    /// The tasks as jobs in their order here. With `stay`, what is more urgent stays where `schedule` has it.
    fn problem(&self, tasks: &[u32], schedule: &Schedule, stay: bool) -> Problem {
        let Given {
            graph,
            resources,
            durations,
            ..
        } = *self.given;
        let work = Work {
            graph,
            resources,
            durations,
            exclusive: true,
        };
        work.problem(self.ticks, tasks, |task| {
            let at = task as usize;
            let stays = stay && self.urgency[at] > self.class;
            let slot = schedule.slots.get(at).and_then(|slot| slot.ok());
            slot.filter(|_| stays).map(|slot| Fixed {
                way: 0,
                start: u32::try_from(slot.start / self.ticks.length).unwrap_or(u32::MAX),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::critical_path::CriticalPath;
    use super::*;

    prop_compose! {
        /// Sprints with roles, shared worktrees, two urgencies, capacities and an end.
        fn sprints()(len in 2_u32..25, roles in 1_u32..4)(
            edges in prop::collection::vec((0..len, 0..len), 0..30),
            role_of in prop::collection::vec(0..roles, len as usize),
            feature_of in prop::collection::vec(0_u32..12, len as usize),
            agents in prop::collection::vec(1_u32..3, roles as usize),
            durations in prop::collection::vec((0_u64..20).prop_map(|hours| hours * 3_600_000), len as usize),
            urgent in prop::collection::vec(any::<bool>(), len as usize),
            capacity in prop::collection::vec(prop::option::weighted(0.3, (20_u64..100).prop_map(|hours| hours * 3_600_000)), roles as usize),
            end in prop::option::weighted(0.3, (20_u64..100).prop_map(|hours| hours * 3_600_000)),
        ) -> (Graph, Resources, Vec<u64>, Vec<Priority>, Limits) {
            let edges = edges.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (a.min(b), a.max(b))).collect::<Vec<_>>();
            let priorities = urgent.into_iter().map(|high| if high { Priority::High } else { Priority::Normal }).collect();
            let graph = Graph::new(durations.len() as u32, &edges).unwrap();
            (graph, Resources { role_of, feature_of, agents, features: 12 }, durations, priorities, Limits { capacity, end, ..Limits::default() })
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 100, ..ProptestConfig::default() })]

        #[test]
        fn a_shortened_plan_keeps_every_promise_of_the_list(
            (graph, resources, durations, priorities, limits) in sprints()
        ) {
            let remaining = CriticalPath::compute(&graph, &durations).remaining;
            let order = schedule::dispatch_order(&graph, &priorities, &remaining);
            let list = schedule::schedule(&graph, &resources, &durations, &order, &limits);
            let given = Given {
                graph: &graph,
                resources: &resources,
                durations: &durations,
                priorities: &priorities,
                limits: &limits,
                order: &order,
                schedule: &list,
            };
            let found = shorten(&given, By::Search);
            prop_assert!(found.schedule.makespan <= list.makespan);
            prop_assert!(found.bound <= found.schedule.makespan, "{} above {}", found.bound, found.schedule.makespan);
            let urgency = schedule::urgency(&graph, &priorities);
            for class in [Priority::High, Priority::Normal] {
                let end = |schedule: &Schedule| {
                    let tasks = (0..graph.len() as u32).filter(|&task| urgency[task as usize] == class);
                    tasks.filter_map(|task| schedule.slot(task)).map(|slot| slot.finish).max()
                };
                prop_assert!(end(&found.schedule) <= end(&list));
            }
            for task in 0..graph.len() as u32 {
                let at = task as usize;
                prop_assert_eq!(found.schedule.slots[at].is_ok(), list.slots[at].is_ok());
                let Some(slot) = found.schedule.slot(task) else { continue };
                prop_assert_eq!(slot.finish - slot.start, durations[at]);
                for &before in graph.predecessors(task) {
                    prop_assert!(found.schedule.slot(before).is_some_and(|before| before.finish <= slot.start));
                }
            }
            let place = |task: u32| found.order.iter().position(|&other| other == task);
            prop_assert_eq!(found.order.len(), graph.len());
            for task in 0..graph.len() as u32 {
                for &before in graph.predecessors(task) {
                    prop_assert!(place(before) < place(task));
                }
            }
            prop_assert_eq!(shorten(&given, By::Search), found);
        }
    }

    /// Two agents and five tasks of 3, 3, 2, 2, 2 hours: the list, longest first, needs 7 hours; 6 are enough.
    #[test]
    fn what_the_list_misses_is_found() {
        let hour = 3_600_000;
        let graph = Graph::unconnected(5);
        let resources = Resources {
            role_of: vec![0; 5],
            feature_of: (0..5).collect(),
            agents: vec![2],
            features: 5,
        };
        let durations = [3, 3, 2, 2, 2].map(|hours| hours * hour);
        let (order, limits) = ([0, 1, 2, 3, 4], Limits::default());
        let list = schedule::schedule(&graph, &resources, &durations, &order, &limits);
        let given = Given {
            graph: &graph,
            resources: &resources,
            durations: &durations,
            priorities: &[Priority::Normal; 5],
            limits: &limits,
            order: &order,
            schedule: &list,
        };
        let found = shorten(&given, By::Search);
        let all = (list.makespan, found.schedule.makespan, found.bound);
        assert_eq!(all, (7 * hour, 6 * hour, 6 * hour));
    }
}
