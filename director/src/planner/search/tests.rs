//! What holds for every schedule that the search gives, over problems made by chance.

use proptest::prelude::*;

use super::decode::{Decoder, From, Hints, Like, Made, Ways};
use super::floor::Floor;
use super::genetic::{Found, Island};
use super::model::{Closed, Fixed, Job, Model, ModelError, Problem, Way};
use super::rules;
use super::{imopse, psplib};

/// The schedule breaks nothing: every tick of every resource is added up.
fn check(problem: &Problem, found: &Found) -> Result<(), String> {
    let way = |job: usize| &problem.jobs[job].ways[found.ways[job] as usize];
    let end = |job: usize| found.starts[job] + way(job).duration;
    for (job, written) in problem.jobs.iter().enumerate() {
        match written.fixed {
            Some(Fixed { start, way }) if found.starts[job] != start || found.ways[job] != way => {
                return Err(format!("job {job} was moved"));
            }
            None if found.starts[job] < written.release => {
                return Err(format!("job {job} starts before its release"));
            }
            _ => {}
        }
    }
    for &(from, to) in &problem.edges {
        if problem.jobs[to as usize].fixed.is_none()
            && found.starts[to as usize] < end(from as usize)
        {
            return Err(format!("{to} starts before {from} has ended"));
        }
    }
    let latest = (0..problem.jobs.len()).map(end).max().unwrap_or(0);
    if latest != found.makespan {
        return Err(format!("it ends at {latest}, not at {}", found.makespan));
    }
    for tick in 0..latest {
        for (resource, &capacity) in (0..).zip(&problem.capacity) {
            let closed = problem.closed.iter().filter(|closed| {
                closed.resource == resource && closed.from <= tick && tick < closed.to
            });
            let away: u32 = closed.map(|closed| closed.units).sum();
            let on =
                (0..problem.jobs.len()).filter(|&job| found.starts[job] <= tick && tick < end(job));
            // What has been started stays, even where a resource is closed.
            let on: Vec<usize> = on.collect();
            let used = |jobs: &[usize]| -> u32 {
                let demands = jobs.iter().flat_map(|&job| &way(job).demand);
                demands
                    .filter(|(of, _)| *of == resource)
                    .map(|(_, units)| units)
                    .sum()
            };
            let fixed: Vec<usize> = on
                .iter()
                .copied()
                .filter(|&job| problem.jobs[job].fixed.is_some())
                .collect();
            if used(&on) + away > capacity && used(&on) > used(&fixed) {
                return Err(format!("resource {resource} is used too much at {tick}"));
            }
        }
    }
    Ok(())
}

fn search(problem: &Problem, seed: u64, schedules: u64) -> (Found, Floor) {
    let model = Model::new(problem).unwrap();
    let floor = Floor::of(&model);
    let mut island = Island::new(&model, &floor, seed, 0, schedules);
    (island.run(&mut || true).clone(), floor)
}

prop_compose! {
    /// Up to six resources, so that one word is not enough; jobs in one to three ways, some released late, some in the past.
    pub(super) fn problems(most: usize)(jobs in 1..=most, resources in 1_u32..7)(
        edges in prop::collection::vec((0..jobs as u32, 0..jobs as u32), 0..jobs * 7 / 4 + 1),
        capacity in prop::collection::vec(1_u32..5, resources as usize),
        ways in prop::collection::vec(prop::collection::vec((0_u32..9, prop::collection::vec((0..resources, 0_u32..5), 0..3), 0_u32..4), 1..4), jobs),
        release in prop::collection::vec(prop::option::weighted(0.2, 0_u32..20), jobs),
        fixed in prop::option::weighted(0.3, 0_u32..5),
        closed in prop::collection::vec((0..resources, 1_u32..4, 0_u32..30, 0_u32..10), 0..3),
        choice in any::<bool>(),
        plain in any::<bool>(),
    ) -> Problem {
        let capacity_of = capacity.clone();
        let way = |(duration, demand, misfit): (u32, Vec<(u32, u32)>, u32)| {
            let mut demand: Vec<(u32, u32)> = demand.into_iter().map(|(of, units)| (of, units.min(capacity_of[of as usize]))).collect();
            demand.sort_unstable();
            demand.dedup_by_key(|(of, _)| *of);
            Way { duration, demand, misfit }
        };
        let jobs: Vec<Job> = ways.into_iter().zip(release).enumerate().map(|(place, (mut ways, release))| {
            if !choice {
                ways.truncate(1);
            }
            Job {
                ways: ways.into_iter().map(way).collect(),
                release: if plain { 0 } else { release.unwrap_or(0) },
                fixed: fixed.filter(|_| place == 0 && !plain).map(|start| Fixed { way: 0, start }),
            }
        }).collect();
        let edges = edges.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (a.min(b), a.max(b))).collect();
        let close = |(resource, units, from, long)| Closed { resource, units, from, to: from + long };
        let closed = if plain { Vec::new() } else { closed.into_iter().map(close).collect() };
        Problem { capacity, jobs, edges, closed }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_schedule_is_feasible_no_shorter_than_the_bound_and_the_same_again(problem in problems(24), seed in 0_u64..9) {
        let (found, floor) = search(&problem, seed, 100);
        prop_assert_eq!(check(&problem, &found), Ok(()));
        prop_assert!(found.makespan >= floor.bound, "{} below {}", found.makespan, floor.bound);
        prop_assert_eq!(search(&problem, seed, 100).0, found);
    }

    #[test]
    fn more_budget_is_never_worse(problem in problems(24), seed in 0_u64..9) {
        // The population is sized by the budget, so only one that holds a better answer from the start is sure to be no worse.
        let (found, _) = search(&problem, seed, 60);
        let model = Model::new(&problem).unwrap();
        let floor = Floor::of(&model);
        let mut island = Island::new(&model, &floor, seed + 1, 0, 60);
        island.seed(&found.order, &found.ways);
        prop_assert!(island.run(&mut || true).makespan <= found.makespan);
    }

    #[test]
    fn a_pass_with_hints_gives_what_a_whole_one_gives_and_ends_early_only_where_it_may(
        problem in problems(24), seed in 0_u64..99, limit in 0_u32..60, forward in any::<bool>()
    ) {
        let model = Model::new(&problem).unwrap();
        // From the end, what is fixed lies where the length of the pass before puts it.
        prop_assume!(!model.plain.is_empty() || forward);
        let floor = Floor::of(&model);
        let (side, rest) = if forward { (From::Start, &floor.tail) } else { (From::End, &floor.head) };
        let mut random = super::random::Random::new(seed, 0);
        let mut draw = || {
            let mut order = rules::sample(&model, &vec![1; model.len()], &mut random);
            if !forward {
                order.reverse();
            }
            order
        };
        let (one, mut other) = (draw(), draw());
        // Mostly the first order again: only what is behind the half comes as in another.
        let half = one.len() / 2;
        other.retain(|job| !one[..half].contains(job));
        let other = [&one[..half], &other].concat();
        let mut decoder = Decoder::new(&model);
        decoder.pass(side, Ways::Keep, &one);
        let ends = decoder.ends().to_vec();
        let length = decoder.pass(side, Ways::Keep, &other);
        let whole = decoder.ends().to_vec();
        let pairs = || one.iter().zip(&other);
        let like = Like {
            ends: &ends,
            differs: pairs().take_while(|(a, b)| a == b).count(),
            same: one.len() - pairs().rev().take_while(|(a, b)| a == b).count(),
        };
        let placed = decoder.placed();
        let hints = Hints { limit, rest, like: Some(like) };
        match decoder.pass_with(side, Ways::Keep, &other, hints) {
            Made::Whole => prop_assert_eq!((decoder.length(), decoder.ends()), (length, &whole[..])),
            // A pass from the end knows no releases, but what has to be before a job does.
            Made::TooLong => prop_assert!(length > limit || problem.jobs.iter().any(|job| job.release > 0)),
            Made::Same => prop_assert_eq!(&whole, &ends),
        }
        prop_assert!(decoder.placed() - placed <= (one.len() - like.differs) as u64);
    }

    #[test]
    fn every_rule_gives_an_order_that_respects_what_waits(problem in problems(24)) {
        let model = Model::new(&problem).unwrap();
        let floor = Floor::of(&model);
        let mut random = super::random::Random::new(1, 0);
        for rule in rules::RULES {
            let weights = rules::weights(&model, &floor, rule);
            let by_chance = [
                rules::sample(&model, &weights, &mut random),
                rules::sample_parallel(&model, &weights, &mut random),
            ];
            let by_rule = [rules::serial(&model, &weights), rules::parallel(&model, &weights)];
            for order in by_rule.into_iter().chain(by_chance) {
                let place = |job: u32| order.iter().position(|&other| other == job);
                prop_assert_eq!(order.len(), model.free.len());
                for &job in &model.free {
                    for &before in model.before.of(job) {
                        prop_assert!(model.fixed[before as usize].is_some() || place(before) < place(job));
                    }
                }
            }
        }
    }
}

/// Twelve problems that are alike but for chance: over all of them, one more unit of everything makes no schedule longer, but for noise.
#[test]
fn more_capacity_makes_no_schedule_longer_at_the_same_budget() {
    let (mut with, mut without) = (0, 0);
    for seed in 0..12 {
        let mut random = super::random::Random::new(seed, 0);
        let mut draw = |most: usize| random.below(most) as u32;
        let jobs: Vec<Job> = (0..30)
            .map(|_| Job {
                ways: vec![Way {
                    duration: 1 + draw(9),
                    demand: vec![(0, 1 + draw(3)), (1, draw(4))],
                    misfit: 0,
                }],
                ..Job::default()
            })
            .collect();
        let edges = (1..30).map(|to| (draw(to as usize), to)).collect();
        let mut problem = Problem {
            capacity: vec![4, 4],
            jobs,
            edges,
            closed: Vec::new(),
        };
        without += search(&problem, seed, 400).0.makespan;
        problem.capacity = vec![5, 5];
        with += search(&problem, seed, 400).0.makespan;
    }
    assert!(with < without, "{with} with more, {without} without");
}

#[test]
fn a_problem_that_cannot_be_searched_says_why() {
    let job = |units| Job {
        ways: vec![Way {
            duration: 1,
            demand: vec![(0, units)],
            misfit: 0,
        }],
        ..Job::default()
    };
    let problem = |edges: &[(u32, u32)], units, capacity| Problem {
        capacity: vec![capacity],
        jobs: vec![job(1), job(units)],
        edges: edges.to_vec(),
        closed: Vec::new(),
    };
    let long = Problem {
        jobs: vec![Job {
            release: u32::MAX,
            ..job(1)
        }],
        capacity: vec![1],
        ..Problem::default()
    };
    for (case, problem, expected) in [
        (
            "cycle",
            problem(&[(0, 1), (1, 0)], 1, 1),
            ModelError::Cycle { job: 0 },
        ),
        (
            "unknown",
            problem(&[(0, 7)], 1, 1),
            ModelError::Unknown {
                what: "job",
                number: 7,
                there: 2,
            },
        ),
        ("no way", problem(&[], 2, 1), ModelError::NoWay { job: 1 }),
        (
            "capacity",
            problem(&[], 1, 40_000),
            ModelError::TooLarge {
                what: "a capacity",
                number: 40_000,
                most: 32_767,
            },
        ),
        (
            "time",
            long,
            ModelError::TooLarge {
                what: "the time that all jobs take in a row",
                number: u64::from(u32::MAX) + 1,
                most: 1 << 24,
            },
        ),
    ] {
        assert_eq!(Model::new(&problem), Err(expected), "case: {case}");
    }
}

/// A source, two jobs that fit beside each other only in part, and a sink.
const SM: &str = "\
PRECEDENCE RELATIONS:\r
jobnr.    #modes  #successors   successors\r
   1        1          3           2   3   4\r
   2        1          1           5\r
   3        1          1           5\r
   4        1          1           5\r
   5        1          0\r
************\r
REQUESTS/DURATIONS:\r
jobnr. mode duration  R 1  R 2\r
------------\r
  1      1     0       0    0\r
  2      1     3       2    0\r
  3      1     2       2    1\r
  4      1     2       2    1\r
  5      1     0       0    0\r
************\r
RESOURCEAVAILABILITIES:\r
  R 1  R 2\r
    4    1\r
************\r
";

#[test]
fn an_instance_of_psplib_is_read_and_solved() {
    let problem = psplib::parse(SM).unwrap();
    assert_eq!(problem.capacity, [4, 1]);
    assert_eq!(
        problem.jobs[2].ways[0],
        Way {
            duration: 2,
            demand: vec![(0, 2), (1, 1)],
            misfit: 0
        }
    );
    let (found, floor) = search(&problem, 1, 100);
    assert_eq!((found.makespan, floor.path, floor.bound), (4, 3, 4));
    assert_eq!(check(&problem, &found), Ok(()));
}

#[test]
fn an_instance_of_imopse_is_read_and_solved() {
    let text = "Tasks: 3\nResourceID Salary Skills\n1 5.0 Q1: 2 Q2: 0\n2 5.0 Q1: 1\n===\nTaskID Duration Skill Predecessor IDs\n\
                1 4 Q1: 1\n2 4 Q1: 2\n3 2 Q2: 0 1\n";
    let problem = imopse::parse(text).unwrap();
    let ways = problem.jobs.iter().map(|job| job.ways.len());
    assert_eq!(ways.collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!(problem.edges, [(0, 2)]);
    let (found, floor) = search(&problem, 1, 100);
    assert_eq!(
        (found.makespan, floor.bound),
        (6, 6),
        "the first agent does jobs 2 and 3, the other job 1"
    );
    assert_eq!(check(&problem, &found), Ok(()));
}

#[test]
fn a_text_that_is_no_instance_says_where() {
    for (case, parsed, expected) in [
        (
            "empty",
            psplib::parse(""),
            "line 0: there are no jobs under PRECEDENCE RELATIONS; is it an .sm file of PSPLIB?",
        ),
        (
            "modes",
            psplib::parse("PRECEDENCE RELATIONS:\n1 3 0\n"),
            "line 2: only jobs of one mode are known",
        ),
        (
            "a word",
            psplib::parse("PRECEDENCE RELATIONS:\n1 x 0\n"),
            "line 2: `x` is no whole number",
        ),
        (
            "no durations",
            psplib::parse(&SM[..SM.find("REQUESTS").unwrap()]),
            "line 0: job 1 has no line under REQUESTS/DURATIONS",
        ),
        (
            "nobody",
            imopse::parse("ResourceID\n1 5.0 Q1: 0\nTaskID\n1 4 Q1: 1\n"),
            "line 4: no agent can do job 1",
        ),
    ] {
        assert_eq!(parsed.unwrap_err().to_string(), expected, "case: {case}");
    }
}

#[test]
fn a_pass_from_the_end_may_be_longer_than_the_schedule_whose_past_it_keeps() {
    let job = |resource, duration, start: Option<u32>| Job {
        ways: vec![Way {
            duration,
            demand: vec![(resource, 1)],
            misfit: 0,
        }],
        release: 0,
        fixed: start.map(|start| Fixed { way: 0, start }),
    };
    let problem = Problem {
        jobs: vec![
            job(0, 10, Some(0)),
            job(0, 5, None),
            job(0, 5, None),
            job(1, 4, None),
        ],
        edges: vec![(1, 3)],
        capacity: vec![1, 1],
        closed: Vec::new(),
    };
    let model = Model::new(&problem).unwrap();
    let mut decoder = Decoder::new(&model);
    assert_eq!(decoder.pass(From::Start, Ways::Keep, &[1, 2, 3]), 20);
    // Job 1 leaves four ticks before the past, too few for job 2, which comes behind it.
    assert_eq!(decoder.pass(From::End, Ways::Keep, &[3, 1, 2]), 25);
    let mut turned = Vec::new();
    decoder.turned(&[3, 1, 2], &mut turned);
    assert_eq!(turned, [2, 1, 3]);
}
