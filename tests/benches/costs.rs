//! What the director costs where no agent takes part: deciding, replaying, starting, holding tasks and agents.
//!
//! `cargo bench -p director-tests --bench costs [-- WORD...]` prints what the words ask for, or all of it:
//!
//! | word | what | budget |
//! | --- | --- | --- |
//! | `decide` | the engine alone: one decision with its events, in sprints of 60 and of 10,000 tasks | 300 ns and 2 µs |
//! | `replay` | a journal of 10,000 finished tasks on disk, read, checked, decoded and applied | a million events a second |
//! | `start` | from nothing to the first assignment in an agent's hands, with those 10,000 tasks almost done | 200 ms |
//! | `memory` | one waiting task, one idle agent, by the difference of what is resident | 1 KiB, 10 KiB |
//!
//! Times are processor time of this process, so that a busy machine changes little; those of `decide` in 60 tasks are medians
//! of elapsed time, `start` says both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use director::engine::effects::Effect;
use director::engine::{Decision, Engine};
use director::history;
use director::system::Builder;
use director_agents::agent::{Inbound, Turn};
use director_agents::context::Context;
use director_agents::factory::Registry;
use director_protocols::codec;
use director_protocols::command::Command;
use director_protocols::event::{DECISION_KIND, DECISION_VERSION, encode_events};
use director_protocols::ids::{AgentId, Generation, Name};
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Time;
use director_protocols::work::{AttemptEnd, Report};
use director_runtime::journal::{Chain, DataDir, Head, MemoryStore, SqliteStore, Store};
use director_tests::sprint;
use tokio::sync::Notify;

/// A sprint without a repository: each task waits for two of the hundred before it, and says what a small task says.
fn graph(tasks: usize, agents: usize) -> SprintSpec {
    let mut text = format!(
        "[sprint]\nid = \"costs\"\n[team]\nonly = true\n[team.worker]\ncount = {agents}\nagent = \"nothing\"\nkinds = [\"*\"]\n[gates]\ntests = false\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n"
    );
    for task in 0..tasks {
        let waits: Vec<String> = match task {
            0..100 => Vec::new(),
            _ => [task - 1 - task * 7 % 97, task - 1 - task * 13 % 89]
                .iter()
                .map(|before| format!("\"task-{before}\""))
                .collect(),
        };
        text.push_str(&format!(
            "[[task]]\nid = \"task-{task}\"\ntitle = \"The part of the work that has number {task}\"\ndescription = \"Do what the specification says about part {task}, and write a test.\"\nkind = \"feature\"\nhours = 1\nexpects = \"nothing\"\nskills = [\"rust\"]\ndepends_on = [{}]\nacceptance = [\"part {task} does what it should\"]\n",
            waits.join(", ")
        ));
    }
    sprint(&text, &["nothing"])
}

/// Processor time of this process so far, in nanoseconds.
fn processor() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let spent = threads.flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}

/// Bytes that are resident.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1);
    pages
        .and_then(|pages| pages.parse::<u64>().ok())
        .unwrap_or(0)
        * 4096
}

/// Drives an engine as its agents would, and keeps count.
struct Drive {
    engine: Engine,
    now: Time,
    decisions: u64,
    events: u64,
    keep: Option<Vec<Decision>>,
    completed: usize,
}

impl Drive {
    fn new(engine: Engine, keep: bool) -> Self {
        Self {
            engine,
            now: Time(1_700_000_000_000),
            decisions: 0,
            events: 0,
            keep: keep.then(Vec::new),
            completed: 0,
        }
    }

    fn take(&mut self, decision: Decision, todo: &mut Vec<Command>) {
        if decision.events.is_empty() {
            return;
        }
        self.decisions += 1;
        self.events += decision.events.len() as u64;
        for (effect, what) in &decision.effects {
            if let Effect::Assign { task, attempt, .. } = what {
                let (effect, task, attempt) = (*effect, *task, *attempt);
                todo.push(Command::Ended {
                    task,
                    attempt,
                    end: AttemptEnd::done(Report::default()),
                });
                todo.push(Command::Started {
                    effect,
                    task,
                    attempt,
                });
            }
        }
        if let Some(kept) = &mut self.keep {
            kept.push(decision);
        }
    }

    fn tell(&mut self, command: &Command, todo: &mut Vec<Command>) {
        self.now.0 += 1;
        let decision = self.engine.step(command, self.now);
        self.take(decision.expect("it is allowed"), todo);
    }

    /// Takes the sprint in and brings the agents up.
    fn begin(&mut self, spec: SprintSpec) -> Vec<Command> {
        let mut todo = Vec::new();
        let agents: u32 = spec.team.iter().map(|role| role.count).sum();
        let version = "bench".to_owned();
        self.tell(&Command::Open { version }, &mut todo);
        self.tell(&Command::Submit(Box::new(spec)), &mut todo);
        for agent in 0..agents {
            let (agent, generation) = (AgentId(agent), Generation(1));
            self.tell(&Command::AgentUp { agent, generation }, &mut todo);
        }
        todo
    }

    /// Goes on until `completed` tasks have ended.
    fn go_on(&mut self, mut todo: Vec<Command>, completed: usize) {
        while self.completed < completed {
            let Some(command) = todo.pop() else {
                let decision = self.engine.dispatch(self.now);
                assert!(!decision.events.is_empty(), "there is work");
                self.take(decision, &mut todo);
                continue;
            };
            self.completed += usize::from(matches!(command, Command::Ended { .. }));
            self.tell(&command, &mut todo);
        }
    }
}

fn decide() {
    for tasks in [60, 10_000] {
        let spec = graph(tasks, 16);
        let (mut rounds, mut decisions, mut events) = (Vec::new(), 0, 0);
        for _ in 0..200_000 / tasks {
            let mut drive = Drive::new(Engine::default(), false);
            let todo = drive.begin(spec.clone());
            let before = (drive.decisions, drive.events);
            let (began, spent) = (Instant::now(), processor());
            drive.go_on(todo, tasks);
            // The kernel counts processor time in milliseconds: what is shorter is measured as elapsed, and the median
            // leaves out rounds that were interrupted.
            rounds.push(match tasks {
                0..1_000 => began.elapsed(),
                _ => processor() - spent,
            });
            (decisions, events) = (drive.decisions - before.0, drive.events - before.1);
        }
        rounds.sort_unstable();
        let median = rounds[rounds.len() / 2].as_nanos() as f64;
        println!(
            "decide, {tasks:>6} tasks: {:>7.0} ns a decision, {:>5.0} ns an event ({:.1} events a decision)",
            median / decisions as f64,
            median / events as f64,
            events as f64 / decisions as f64,
        );
    }
}

/// A journal of `tasks` tasks of which `left` are not done. Returns how many events it has.
fn write_journal(store: &mut dyn Store, tasks: usize, left: usize) -> u64 {
    let mut drive = Drive::new(Engine::default(), true);
    let todo = drive.begin(graph(tasks, 16));
    drive.go_on(todo, tasks - left);
    let mut chain = Chain::after(Head::EMPTY);
    chain.open_epoch();
    let records: Vec<_> = drive
        .keep
        .take()
        .expect("they were kept")
        .iter()
        .map(|decision| {
            let payload = encode_events(&decision.events).expect("encodes");
            chain.seal(DECISION_KIND, DECISION_VERSION, drive.now.0, payload)
        })
        .collect::<Result<_, _>>()
        .expect("small payloads");
    for batch in records.chunks(4096) {
        let head = store.head();
        store.append(head, batch).expect("an append");
    }
    drive.events
}

fn replay() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = DataDir::open(dir.path()).expect("a data directory");
    let mut disk = SqliteStore::open(&data).expect("a journal");
    let events = write_journal(&mut disk, 10_000, 0);
    let mut memory = MemoryStore::new();
    write_journal(&mut memory, 10_000, 0);
    let measure = |name: &str, store: &mut dyn Store| {
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let began = processor();
            let (engine, _) = history::restore(store, Engine::default()).expect("a sound journal");
            best = best.min(processor() - began);
            assert!(engine.state().tasks.table.len() == 10_000);
        }
        println!(
            "replay, {name:<9}   {:>9.0} events a second ({events} events in {:.0} ms)",
            events as f64 / best.as_secs_f64(),
            best.as_secs_f64() * 1e3
        );
    };
    measure("on disk", &mut disk);
    measure("in memory", &mut memory);
}

fn registry(called: Arc<Notify>) -> Registry {
    let mut registry = Registry::builtin();
    registry.register_fn("nothing", move |message: Inbound, _cx: Context| {
        let called = Arc::clone(&called);
        async move {
            if let Inbound::Assigned(_) = message {
                called.notify_one();
            }
            Ok(Turn::NotYet)
        }
    });
    registry
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn start() {
    let (mut elapsed, mut busy) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let dir = tempfile::tempdir().expect("a directory");
        {
            let data = DataDir::open(dir.path()).expect("a data directory");
            let mut store = SqliteStore::open(&data).expect("a journal");
            write_journal(&mut store, 10_000, 50);
            store.settle().expect("tidies up");
        }
        runtime().block_on(async {
            let called = Arc::new(Notify::new());
            let registry = registry(Arc::clone(&called));
            let (began, spent) = (Instant::now(), processor());
            let builder = Builder::new(dir.path()).registry(registry);
            let running = builder.start().await.expect("the director starts");
            called.notified().await;
            elapsed = elapsed.min(began.elapsed());
            busy = busy.min(processor() - spent);
            running.handle.shutdown();
            running.wait().await.expect("stops in order");
        });
    }
    println!(
        "start to first assignment, 10,000 tasks in the journal: {:.0} ms elapsed, {:.0} ms of processor time",
        elapsed.as_secs_f64() * 1e3,
        busy.as_secs_f64() * 1e3
    );
}

/// Runs a part of the measurement in a process of its own, whose memory nothing else has touched.
fn apart(words: &[&str]) {
    let own = std::env::current_exe().expect("this program");
    let status = std::process::Command::new(own).args(words).status();
    assert!(status.expect("starts").success());
}

const HELD: usize = 100_000;

fn memory() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let payload = codec::encode(&graph(HELD, 1)).expect("encodes");
    std::fs::write(file.path(), payload).expect("a write");
    apart(&["held", file.path().to_str().expect("a plain path")]);
    apart(&["idle"]);
}

/// The sprint in that file, in an engine's hands: twice, and the second is measured, because what reading and planning
/// needed for a while is there again by then.
fn held(path: &str) {
    let mut drive = Drive::new(Engine::default(), false);
    let mut todo = Vec::new();
    let mut bytes = 0;
    let mut before = 0;
    for name in ["first", "second"] {
        before = resident();
        let payload = std::fs::read(path).expect("the sprint");
        bytes = payload.len();
        let mut spec: SprintSpec = codec::decode(&payload).expect("decodes");
        drop(payload);
        spec.id = Name::new(name).expect("a name");
        drive.tell(&Command::Submit(Box::new(spec)), &mut todo);
    }
    println!(
        "memory, a waiting task: {} bytes, of which the sprint file's own words are {} as encoded",
        resident().saturating_sub(before) / HELD as u64,
        bytes / HELD
    );
}

/// A team that has nothing to do, but for one.
fn idle() {
    let agents = 1_000;
    let spec = graph(1, agents);
    runtime().block_on(async {
        let called = Arc::new(Notify::new());
        let builder = Builder::new(std::env::temp_dir())
            .store(Box::new(MemoryStore::new()))
            .registry(registry(Arc::clone(&called)));
        let running = builder.start().await.expect("the director starts");
        let before = resident();
        let submit = Command::Submit(Box::new(spec));
        running.handle.command(submit).await.expect("accepted");
        called.notified().await;
        let up = move |engine: &Engine| {
            let team = &engine.state().team.agents;
            team.iter().filter(|agent| agent.up).count() == agents
        };
        while !running.handle.read(up).await.expect("the director lives") {}
        println!(
            "memory, an idle agent: {} bytes",
            resident().saturating_sub(before) / agents as u64
        );
        running.handle.shutdown();
        running.wait().await.expect("stops in order");
    });
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("held") => return held(&words[1]),
        Some("idle") => return idle(),
        _ => {}
    }
    let wanted = |word: &str| {
        let named = |word: &str| words.iter().any(|other| other == word);
        named(word)
            || !["decide", "replay", "start", "memory"]
                .into_iter()
                .any(named)
    };
    for (word, measure) in [
        ("memory", memory as fn()),
        ("decide", decide),
        ("replay", replay),
        ("start", start),
    ] {
        if wanted(word) {
            measure();
        }
    }
}
