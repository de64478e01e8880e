//! The engine alone, in a world where much goes wrong: thousands of small steps from seeds.
//!
//! After every decision the engine's invariants are checked, and after every run the oracle's promises. A failing seed
//! prints itself and the smallest scenario that still fails;
//! `DIRECTOR_SEED=n cargo test -p director-tests --test engine_swarm` runs it alone, `DIRECTOR_SEEDS=100000` many.

use std::collections::{BTreeMap, BTreeSet};

use director::engine::Engine;
use director_protocols::event::Event;
use director_protocols::sprint::{Estimate, SprintSpec};
use director_protocols::time::Span;
use director_tests::chaos::roll;
use director_tests::world::{Faults, Scenario, World, kind_of, random_sprint};

/// Seeds in which every kind of event happens.
const SEEDS: u64 = 300;

fn seeds(count: u64) -> Vec<u64> {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().expect("a number"))
    };
    match (number("DIRECTOR_SEED"), number("DIRECTOR_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, Some(count)) => (0..count).collect(),
        (None, None) => (0..count).collect(),
    }
}

/// Prints the seed when the test fails in it.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to see it again: DIRECTOR_SEED={}", self.0);
        }
    }
}

/// Two sprints at once with teams of different sizes, while everything goes wrong for a while, and then until nothing
/// is left to do.
fn rough(seed: u64) -> World {
    Scenario::of(seed).run()
}

/// What many seeds showed.
#[derive(Default)]
struct Seen {
    seeds: u64,
    records: u64,
    events: u64,
    /// How often each kind of event was seen.
    kinds: BTreeMap<&'static str, u64>,
    /// Seeds that broke a promise, and how, the lowest first.
    broken: BTreeMap<u64, String>,
}

impl Seen {
    fn look(&mut self, seed: u64) {
        self.seeds += 1;
        match Scenario::of(seed).tried() {
            Ok(world) => {
                self.records += world.journal.len() as u64;
                for event in world.journal.iter().flat_map(|(_, _, events)| events) {
                    self.events += 1;
                    *self.kinds.entry(event.name()).or_default() += 1;
                }
            }
            Err(broken) => drop(self.broken.insert(seed, broken)),
        }
    }

    fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.records += other.records;
        self.events += other.events;
        for (kind, times) in other.kinds {
            *self.kinds.entry(kind).or_default() += times;
        }
        self.broken.extend(other.broken);
    }

    /// Prints what was seen, and each way in which a promise was broken as the smallest scenario that still breaks it.
    ///
    /// # Panics
    /// When a promise was broken.
    fn judge(&self) {
        let Self {
            seeds,
            records,
            events,
            ..
        } = self;
        println!("{seeds} seeds, {records} records, {events} events");
        let mut told: BTreeSet<String> = BTreeSet::new();
        for (seed, broken) in &self.broken {
            if told.insert(kind_of(broken)) {
                let scenario = Scenario::of(*seed);
                let smallest = scenario.shrunk(broken);
                let last = match smallest.tried() {
                    Ok(world) => world.last(40),
                    Err(text) => text,
                };
                println!(
                    "broken: {broken}\nto see it again: DIRECTOR_SEED={seed}\nthe smallest: {smallest:?}\n{last}"
                );
            }
        }
        assert!(
            self.broken.is_empty(),
            "broken with {} of {seeds} seeds, in {} ways: {:?}",
            self.broken.len(),
            told.len(),
            self.broken.keys().take(20).collect::<Vec<_>>()
        );
    }
}

/// Tries seeds on as many threads as there are; all of them, so that one broken promise does not hide another.
fn tried(seeds: &[u64]) -> Seen {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = |thread: usize| {
        let mut seen = Seen::default();
        for seed in seeds.iter().skip(thread).step_by(threads) {
            seen.look(*seed);
        }
        seen
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || part(thread)))
            .collect();
        let mut seen = Seen::default();
        for part in parts {
            match part.join() {
                Ok(part) => seen.add(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        seen
    })
}

#[test]
fn whatever_goes_wrong_every_promise_is_kept() {
    let seeds = seeds(SEEDS);
    let seen = tried(&seeds);
    seen.judge();
    if seeds.len() as u64 >= SEEDS {
        let all = Event::KINDS.iter().map(|(_, _, name)| *name);
        let missing: Vec<_> = all.filter(|name| !seen.kinds.contains_key(name)).collect();
        assert!(missing.is_empty(), "never happened: {missing:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_journal() {
    for seed in seeds(10) {
        assert_eq!(rough(seed).journal, rough(seed).journal, "seed {seed}");
    }
}

#[test]
fn where_nothing_goes_wrong_every_task_is_completed() {
    for seed in seeds(50) {
        let _seed = Seed(seed);
        let mut spec = random_sprint(seed, 20);
        for role in &mut spec.team {
            role.capacity = None;
        }
        let mut world = World::new(seed, spec, Faults::NONE);
        world.settle(20_000);
        assert_eq!(
            world.phases().keys().copied().collect::<Vec<_>>(),
            ["completed"]
        );
    }
}

#[test]
fn a_crash_after_every_record_of_a_sprint_loses_nothing() {
    let mut world = World::new(7, random_sprint(7, 10), Faults::ROUGH);
    for _ in 0..300 {
        if !world.step() {
            break;
        }
    }
    let mut replayed = Engine::checked();
    for (seq, at, events) in &world.journal {
        replayed.replay(*seq, events.clone(), *at);
        // A director that takes over here goes on to an end.
        let mut successor = replayed.clone();
        let open = director_protocols::command::Command::Open {
            version: "next".to_owned(),
        };
        successor.step(&open, *at).expect("opens");
        assert!(
            successor
                .state()
                .team
                .agents
                .iter()
                .all(|agent| agent.task.is_none())
        );
    }
    assert_eq!(replayed.state_hash(), world.engine.state_hash());
}

#[test]
fn whatever_ids_a_command_names_the_engine_answers() {
    for seed in seeds(40) {
        let _seed = Seed(seed);
        let mut world = World::new(seed, random_sprint(seed, 10), Faults::ROUGH);
        for round in 0..400 {
            if round % 4 == 0 {
                world.step();
            }
            let command = world.hostile();
            let _ = world.tell(command);
        }
        world.crash();
        world.settle(20_000);
        assert!(world.engine.resume().is_empty());
    }
}

#[test]
fn whatever_numbers_a_sprint_holds_it_is_refused_or_carried_through() {
    type Change = fn(&mut SprintSpec);
    let changes: [(&str, Change); 9] = [
        ("points", |spec| {
            spec.tasks.iter_mut().for_each(|t| t.points = u32::MAX)
        }),
        ("agents", |spec| {
            spec.team.iter_mut().for_each(|r| r.count = u32::MAX)
        }),
        ("estimates", |spec| {
            for task in &mut spec.tasks {
                task.estimate = Estimate::point(Span(u64::MAX));
            }
        }),
        ("no effort", |spec| {
            for task in &mut spec.tasks {
                task.estimate = Estimate::point(Span::ZERO);
            }
        }),
        ("weights", |spec| spec.policy.weights = [u32::MAX; 3]),
        ("capacity", |spec| {
            for role in &mut spec.team {
                role.capacity = Some(Span(u64::MAX));
            }
        }),
        ("no capacity", |spec| {
            for role in &mut spec.team {
                role.capacity = Some(Span::ZERO);
            }
        }),
        ("no attempts", |spec| {
            spec.policy.attempts_max = 0;
            spec.policy.deaths_max = 0;
        }),
        ("no time", |spec| {
            spec.policy.tier_time = [Span::ZERO; 3];
            spec.policy.retry_min = Span(u64::MAX);
            spec.policy.retry_max = Span(u64::MAX);
            // What never comes to rest holds a standup every day for ever.
            spec.ways.ceremonies.standup = None;
        }),
    ];
    for (case, change) in changes {
        println!("case: {case}");
        for seed in seeds(6) {
            let mut world = World::new(seed, random_sprint(seed, 4), Faults::ROUGH);
            let mut spec = random_sprint(seed + 100, 8);
            change(&mut spec);
            if world.submit(spec).is_ok() {
                for _ in 0..200 {
                    world.step();
                }
                world.settle(20_000);
            }
        }
    }
}

#[test]
fn whatever_a_journal_holds_reading_it_ends_well() {
    for seed in seeds(10) {
        let _seed = Seed(seed);
        let world = rough(seed);
        // Records left out and taken twice, as no director would write them.
        for round in 0..10 {
            let mut engine = Engine::default();
            for (seq, at, events) in &world.journal {
                let times = match roll(&[seed, round, seq.0], 30) {
                    0 => 0,
                    1 => 2,
                    _ => 1,
                };
                for _ in 0..times {
                    engine.replay(*seq, events.clone(), *at);
                }
            }
        }
    }
}
