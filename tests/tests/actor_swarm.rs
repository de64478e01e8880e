//! The whole actor tree on virtual time, with agents that go wrong in every way, from seeds.
//!
//! Everything is real but the store, which is in memory, and the time, which tokio moves on when everybody waits. A
//! failing seed prints itself; `DIRECTOR_SEED=n cargo test -p director-tests --test actor_swarm` runs it alone.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use director::engine::Engine;
use director::engine::tasks::Phase;
use director::history;
use director::system::{Builder, Running};
use director_protocols::command::Command;
use director_protocols::event::{Event, decode_events};
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;
use director_protocols::work::AttemptEnd;
use director_runtime::clock::Clock;
use director_runtime::journal::{MemoryStore, Store};
use director_tests::chaos::{ASKS_NOBODY, CHAOS, fate, registry, roll};
use director_tests::world::random_sprint;

fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("DIRECTOR_SEED") {
        Ok(seed) => vec![seed.parse().expect("DIRECTOR_SEED is a number")],
        Err(_) => (0..count).collect(),
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

/// A sprint without a repository whose agents are chaotic.
fn sprint(seed: u64, tasks: usize) -> SprintSpec {
    let mut spec = random_sprint(seed, tasks);
    spec.repo = None;
    spec.gates.clear();
    // What is posted to real addresses comes back when it likes; webhooks have stories of their own.
    spec.ways.peers.clear();
    // Commands are real processes, and real processes take no part in virtual time.
    spec.ways.deployment = Default::default();
    for role in &mut spec.team {
        role.agent.kind = CHAOS.to_owned();
        role.capacity = None;
    }
    for task in &mut spec.tasks {
        task.expects = director_protocols::sprint::Expects::Nothing;
        task.gates.clear();
    }
    spec.policy.attempt_time = Span::hours(2);
    spec
}

/// Everything that happens in one life of a director: a runtime of its own, so that dropping it is a kill.
fn life<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(run)
}

async fn start(store: &MemoryStore, seed: u64) -> Running {
    let mut opened = store.reopen().expect("the journal is whole");
    let (_, last) = history::restore(&mut opened, Engine::default()).expect("it can be read");
    Builder::new(std::env::temp_dir().join("director-never-written"))
        .registry(registry(seed))
        .clock(Clock::tokio(last.0.max(1_000_000)))
        .store(Box::new(opened))
        .seed(seed)
        .checked()
        .start()
        .await
        .expect("starts")
}

/// A person who looks every ten minutes and answers whatever waits. Returns when every sprint is over.
async fn attend(running: &Running) {
    for _ in 0..20_000 {
        tokio::time::sleep(Duration::from_secs(600)).await;
        let look = running.handle.read(|engine| {
            let state = engine.state();
            let waiting: Vec<_> = state.trouble.waiting().map(|(item, _)| item).collect();
            (state.sprints.table.iter().all(|s| s.is_over()), waiting)
        });
        let (over, waiting) = look.await.expect("the director is there");
        if over {
            return;
        }
        for item in waiting {
            let answer = Command::Answer {
                item,
                reply: Default::default(),
                text: "go on".to_owned(),
                by: "person".to_owned(),
            };
            // It may have been closed meanwhile.
            let _ = running.handle.command(answer).await;
        }
    }
    let stuck = running.handle.read(|engine| {
        let state = engine.state();
        let tasks = state.tasks.table.iter();
        let open = tasks.filter(|task| !task.phase.is_over());
        let lines: Vec<String> = open
            .map(|task| {
                format!(
                    "{} {:?} agent {:?} wanted {:?} avoid {:?} role {}",
                    task.spec.id, task.phase, task.agent, task.wanted, task.avoid, task.role
                )
            })
            .collect();
        let agents = state.team.agents.iter();
        let agents: Vec<String> = agents
            .map(|a| {
                format!(
                    "{} up {} task {:?} gen {}",
                    a.name, a.up, a.task, a.generation
                )
            })
            .collect();
        format!("{lines:#?} {agents:#?} {:?}", engine.resume())
    });
    panic!("a sprint never ends: {}", stuck.await.expect("reads"));
}

async fn submit(running: &Running, seed: u64) {
    for (seed, tasks) in [(seed, 10), (seed + 10_000, 6)] {
        let submit = Command::Submit(Box::new(sprint(seed, tasks)));
        running.handle.command(submit).await.expect("accepted");
        tokio::time::sleep(Duration::from_secs(3_000)).await;
    }
}

async fn stop(running: Running) {
    running.handle.shutdown();
    running.wait().await.expect("stops in order");
}

type Line = (u64, u64, Vec<u8>);

/// The journal without what differs from director to director.
fn lines(store: &MemoryStore) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut opened = store.reopen().expect("opens");
    opened
        .read_from(1, &mut |record| {
            lines.push((record.seq, record.time_ms, record.payload));
            ControlFlow::Continue(())
        })
        .expect("reads");
    lines
}

fn events(store: &MemoryStore) -> Vec<Event> {
    let payloads = lines(store);
    payloads
        .iter()
        .flat_map(|(_, _, payload)| decode_events(payload).expect("events"))
        .collect()
}

/// Each task was completed at most once, and is exactly what the journal says.
fn check(store: &MemoryStore) {
    let mut opened = store.reopen().expect("opens");
    let (engine, _) = history::restore(&mut opened, Engine::checked()).expect("replays");
    let mut completed: BTreeMap<u32, u32> = BTreeMap::new();
    for event in events(store) {
        if let Event::TaskCompleted(e) = event {
            *completed.entry(e.task_id.0).or_default() += 1;
        }
    }
    for (index, task) in (0u32..).zip(&engine.state().tasks.table) {
        // Help for another task ends without being a result of the sprint.
        let expected = u32::from(task.phase == Phase::Completed && !task.is_help());
        let times = completed.get(&index).copied().unwrap_or_default();
        assert_eq!(
            times, expected,
            "{} was completed {times} times",
            task.spec.id
        );
    }
}

/// Who asks somebody that is not there is told so, and retired agents are gone.
fn nobody_waits_in_vain(store: &MemoryStore, seed: u64) {
    for event in events(store) {
        let Event::AttemptEnded(e) = event else {
            continue;
        };
        let key = [seed, u64::from(e.task_id.0), u64::from(e.attempt.0)];
        if (ASKS_NOBODY..86).contains(&fate(key)) {
            let waited = matches!(e.end, AttemptEnd::TimedOut { .. });
            assert!(
                !waited,
                "task {} attempt {}: {:?}",
                e.task_id, e.attempt, e.end
            );
        }
    }
    let mut opened = store.reopen().expect("opens");
    let (engine, _) = history::restore(&mut opened, Engine::checked()).expect("replays");
    for agent in &engine.state().team.agents {
        assert!(
            !(agent.up && agent.retired),
            "{} is retired and up",
            agent.name
        );
    }
    let left = engine.resume();
    assert!(left.is_empty(), "{left:?}");
}

fn whole_run(seed: u64) -> MemoryStore {
    let store = MemoryStore::new();
    life(async {
        let running = start(&store, seed).await;
        submit(&running, seed).await;
        attend(&running).await;
        stop(running).await;
    });
    store
}

#[test]
fn every_sprint_of_chaotic_agents_comes_to_an_end() {
    for seed in seeds(16) {
        let _seed = Seed(seed);
        let store = whole_run(seed);
        check(&store);
        nobody_waits_in_vain(&store, seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_journal() {
    for seed in seeds(8) {
        let _seed = Seed(seed);
        let (one, other) = (lines(&whole_run(seed)), lines(&whole_run(seed)));
        for (a, b) in one.iter().zip(&other) {
            if a != b {
                let [a, b] = [a, b].map(|line| (line.0, line.1, decode_events(&line.2)));
                panic!("two runs differ:\n{a:#?}\n{b:#?}");
            }
        }
        assert_eq!(one.len(), other.len());
    }
}

#[test]
fn killed_at_any_moment_and_started_again_a_director_loses_nothing() {
    for seed in seeds(10) {
        let _seed = Seed(seed);
        let store = MemoryStore::new();
        let mut before: Vec<Line> = Vec::new();
        for round in 0..12 {
            life(async {
                let running = start(&store, seed + round).await;
                if round == 0 {
                    submit(&running, seed).await;
                }
                let pause = roll(&[seed, round], 5_000_000);
                tokio::select! {
                    biased;
                    () = tokio::time::sleep(Duration::from_millis(pause)) => {}
                    () = attend(&running) => {}
                }
                // The runtime is dropped here, with everything in it.
            });
            let after = lines(&store);
            assert!(after.starts_with(&before), "what was durable has changed");
            before = after;
        }
        life(async {
            let running = start(&store, seed).await;
            attend(&running).await;
            stop(running).await;
        });
        check(&store);
    }
}

#[test]
fn a_stop_at_any_moment_leaves_no_attempt_open() {
    for seed in seeds(16) {
        let _seed = Seed(seed);
        let store = MemoryStore::new();
        life(async {
            let running = start(&store, seed).await;
            submit(&running, seed).await;
            tokio::time::sleep(Duration::from_millis(roll(&[seed, 3], 9_000_000))).await;
            stop(running).await;
        });
        let mut opened = store.reopen().expect("opens");
        let (engine, _) = history::restore(&mut opened, Engine::checked()).expect("replays");
        for task in &engine.state().tasks.table {
            assert_ne!(
                task.phase,
                Phase::Working,
                "{} is still at work",
                task.spec.id
            );
        }
        life(async {
            let running = start(&store, seed).await;
            attend(&running).await;
            stop(running).await;
        });
        check(&store);
    }
}
