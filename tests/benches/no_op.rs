//! What a task costs when its agent does nothing: mailboxes, engine and journal, nothing else.
//!
//! `cargo bench -p director-tests --bench no_op [-- TASKS AGENTS [floor] [memory] [disk]]` runs, in one process and one run, the
//! floor (tokio tasks and channels that do the same without a director), the director with its journal in memory, and the
//! director with its journal on disk, and prints time and processor time a task, and the ratio to the floor. All of it runs
//! on one thread (the journal's own aside). Words run only what they name: `valgrind --tool=callgrind` of two numbers of
//! tasks in memory gives instructions a task, by difference.

use std::time::{Duration, Instant};

use director::system::Builder;
use director_agents::agent::{Inbound, Turn};
use director_agents::context::Context;
use director_agents::factory::Registry;
use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::sprint::SprintSpec;
use director_protocols::work::Report;
use director_runtime::bus::Heard;
use director_runtime::journal::MemoryStore;
use director_tests::sprint;
use tokio::sync::mpsc;

/// Each task waits for two of the hundred before it.
fn before(task: usize) -> Vec<usize> {
    match task {
        0..100 => Vec::new(),
        _ => vec![task - 1 - task * 7 % 97, task - 1 - task * 13 % 89],
    }
}

fn graph(tasks: usize, agents: usize) -> SprintSpec {
    let mut text = format!(
        "[sprint]\nid = \"no-op\"\n[team]\nonly = true\n[team.worker]\ncount = {agents}\nagent = \"nothing\"\nkinds = [\"*\"]\n[gates]\ntests = false\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n"
    );
    for task in 0..tasks {
        let mut waits: Vec<String> = before(task).iter().map(|b| format!("\"t{b}\"")).collect();
        waits.dedup();
        text.push_str(&format!(
            "[[task]]\nid = \"t{task}\"\nhours = 1\nexpects = \"nothing\"\ndepends_on = [{}]\n",
            waits.join(", ")
        ));
    }
    sprint(&text, &["nothing"])
}

/// Processor time of this process so far, both user and system.
fn processor() -> Duration {
    // Of every thread that lives, in nanoseconds; `stat` would count in hundredths of a second.
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let spent = threads.flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}

struct Cost {
    wall: Duration,
    cpu: Duration,
}

fn report(name: &str, tasks: usize, cost: &Cost, floor: &Cost) {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / tasks as f64;
    println!(
        "{name:<28} {:>8.2} us a task  {:>8.2} us of processor time  {:>6.1}x floor",
        each(cost.wall),
        each(cost.cpu),
        cost.wall.as_secs_f64() / floor.wall.as_secs_f64().max(1e-9)
    );
}

async fn floor(tasks: usize, agents: usize) -> Cost {
    let (begin, busy) = (Instant::now(), processor());
    let (done, mut finished) = mpsc::unbounded_channel::<(usize, usize)>();
    let workers: Vec<_> = (0..agents)
        .map(|worker| {
            let (send, mut receive) = mpsc::unbounded_channel::<usize>();
            let done = done.clone();
            tokio::spawn(async move {
                while let Some(task) = receive.recv().await {
                    if done.send((worker, task)).is_err() {
                        return;
                    }
                }
            });
            send
        })
        .collect();
    let mut waiting: Vec<usize> = Vec::new();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); tasks];
    let mut ready = std::collections::VecDeque::new();
    for task in 0..tasks {
        let mut waits = before(task);
        waits.dedup();
        for other in &waits {
            dependents[*other].push(task);
        }
        if waits.is_empty() {
            ready.push_back(task);
        }
        waiting.push(waits.len());
    }
    let mut free: Vec<usize> = (0..agents).collect();
    let mut completed = 0;
    while completed < tasks {
        while let (Some(task), Some(worker)) = (ready.front().copied(), free.last().copied()) {
            ready.pop_front();
            free.pop();
            workers[worker].send(task).expect("the worker lives");
        }
        let (worker, task) = finished.recv().await.expect("a worker lives");
        free.push(worker);
        completed += 1;
        for dependent in &dependents[task] {
            waiting[*dependent] -= 1;
            if waiting[*dependent] == 0 {
                ready.push_back(*dependent);
            }
        }
    }
    Cost {
        wall: begin.elapsed(),
        cpu: processor() - busy,
    }
}

async fn directed(builder: Builder, spec: SprintSpec) -> Cost {
    let mut registry = Registry::builtin();
    registry.register_fn("nothing", |message: Inbound, _cx: Context| async move {
        Ok(match message {
            Inbound::Assigned(_) => Turn::Done(Report::default()),
            _ => Turn::NotYet,
        })
    });
    let running = builder
        .registry(registry)
        .start()
        .await
        .expect("the director starts");
    let mut entries = running.handle.subscribe();
    let (begin, busy) = (Instant::now(), processor());
    running
        .handle
        .command(Command::Submit(Box::new(spec)))
        .await
        .expect("the sprint is accepted");
    loop {
        match entries.recv().await {
            Some(Heard::Event(entry)) => {
                if entry
                    .events
                    .iter()
                    .any(|event| matches!(event, Event::SprintEnded(_)))
                {
                    break;
                }
            }
            // Slower than the director: the end may have been missed.
            Some(Heard::Gap { .. }) => {
                let over = |engine: &director::engine::Engine| {
                    engine
                        .state()
                        .sprints
                        .table
                        .iter()
                        .all(|sprint| sprint.is_over())
                };
                if running.handle.read(over).await.expect("the director lives") {
                    break;
                }
            }
            None => panic!("the director ended"),
        }
    }
    let cost = Cost {
        wall: begin.elapsed(),
        cpu: processor() - busy,
    };
    running.handle.shutdown();
    running.wait().await.expect("stops in order");
    cost
}

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let tasks = numbers.first().copied().unwrap_or(10_000);
    let agents = numbers.get(1).copied().unwrap_or(64);
    println!("{tasks} tasks, {agents} agents");
    let one = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
    };
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named = |word: &str| words.iter().any(|other| other == word);
    let all = !["floor", "memory", "disk"].into_iter().any(named);
    let bare = one().block_on(floor(tasks, agents));
    report("tokio alone (floor)", tasks, &bare, &bare);
    if all || named("memory") {
        let memory = Builder::new(std::env::temp_dir()).store(Box::new(MemoryStore::new()));
        let memory = one().block_on(directed(memory, graph(tasks, agents)));
        report("director, journal in memory", tasks, &memory, &bare);
    }
    if all || named("disk") {
        let dir = tempfile::tempdir().expect("a directory");
        let disk = one().block_on(directed(Builder::new(dir.path()), graph(tasks, agents)));
        report("director, journal on disk", tasks, &disk, &bare);
    }
}
