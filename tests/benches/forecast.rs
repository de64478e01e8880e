//! How fast sprints are simulated, beside SimPy, on the same sprint in one run.
//!
//! `cargo bench -p director-tests --bench forecast` prints whole sprints a second and a second of processor time: 60 tasks
//! over nine roles, three-point estimates, one attempt in twenty that fails and is made again, through the engine that
//! runs real sprints; the same with a repository, gates and merges; and 500 tasks. Then `simpy_sprint.py` does the first one
//! with SimPy, if `python3` has it (`pip install -r tests/benches/requirements.txt`), and the ratio of
//! processor time is printed; both have to agree on the mean within its error.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use director::estimate::habits::Habits;
use director::estimate::{Durations, Model};
use director::simulate::faults::Faults;
use director::simulate::forecast::{Extent, forecast};
use director::simulate::prepare::Prepared;
use director::simulate::sums::Sums;
use director_protocols::sprint::{Expects, SprintSpec};
use director_tests::sprint;
use serde_json::{Value, json};

const ROLES: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
/// One attempt in twenty fails, at a moment of its own, and is made again.
const FAULTS: Faults = Faults {
    fail: 50,
    ..Faults::NONE
};

/// Each task waits for up to two of the twenty before it.
fn waits(task: usize) -> Vec<usize> {
    let mut waits = match task {
        0..4 => Vec::new(),
        _ => vec![
            task - 1 - task * 7 % task.min(19),
            task - 1 - task * 13 % task.min(17),
        ],
    };
    waits.sort_unstable();
    waits.dedup();
    waits.truncate(task % 3);
    waits
}

fn hours(task: usize) -> [usize; 3] {
    let low = 1 + task * 5 % 4;
    let likely = low + task * 3 % 4;
    [low, likely, likely + 1 + task * 11 % 8]
}

fn spec(tasks: usize, repo: bool) -> SprintSpec {
    let mut text = "[sprint]\nid = \"bench\"\n[team]\nonly = true\n".to_owned();
    for role in ROLES {
        text += &format!("[team.{role}]\nagent = \"simulated\"\nkinds = []\n");
    }
    let gate = if repo {
        "{ run = \"true\", timeout = \"1m\" }"
    } else {
        "false"
    };
    text += &format!(
        "[gates]\ntests = {gate}\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n"
    );
    for task in 0..tasks {
        let waits: Vec<String> = waits(task)
            .iter()
            .map(|other| format!("\"t{other}\""))
            .collect();
        let [low, likely, high] = hours(task);
        text += &format!(
            "[[task]]\nid = \"t{task}\"\nrole = \"{}\"\nexpects = \"nothing\"\nestimate = {{ optimistic = {low}, likely = {likely}, pessimistic = {high} }}\ndepends_on = [{}]\n",
            ROLES[task % 9],
            waits.join(", ")
        );
    }
    let mut spec = sprint(&text, &[]);
    // As there: tried until it works.
    spec.policy.attempts_max = 1_000;
    // The repository is not there; only the engine has to believe in it.
    if repo {
        spec.repo = Some("repository".to_owned());
        for task in &mut spec.tasks {
            task.expects = Expects::Changes;
        }
    }
    spec
}

/// Processor time of this process so far, both user and system.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    // The kernel counts in hundredths of a second.
    Duration::from_millis(fields.iter().sum::<u64>() * 10)
}

/// Runs, and how many a second of processor time that was.
fn measure(name: &str, spec: &SprintSpec, runs: u64, threads: usize) -> (Sums, f64) {
    let durations = Durations::of(
        Model::Pert,
        &Habits::published(),
        spec.tasks.iter().map(|task| &task.estimate),
    );
    let set = Prepared::new(spec, FAULTS, durations).expect("can be simulated");
    let extent = Extent {
        runs,
        seed: 1,
        threads,
        precision: None,
    };
    let (begin, busy) = (Instant::now(), processor());
    let sums = forecast(&set, &[], &extent, &mut |_| {})
        .expect("runs")
        .base;
    let (wall, busy) = (
        begin.elapsed().as_secs_f64(),
        (processor() - busy).as_secs_f64().max(0.01),
    );
    println!(
        "{name:<44} {threads} threads  {:>8.0} sprints/s  {:>8.0} a second of processor time  ({runs} runs in {wall:.2} s)",
        runs as f64 / wall,
        runs as f64 / busy
    );
    (sums, runs as f64 / busy)
}

fn main() {
    let sixty = spec(60, false);
    // With a number, that many runs on one thread and nothing else: `valgrind --tool=callgrind` counts instructions of it.
    if let Some(runs) = std::env::args().find_map(|argument| argument.parse().ok()) {
        measure("60 tasks", &sixty, runs, 1);
        return;
    }
    let (_, one) = measure("60 tasks", &sixty, 20_000, 1);
    let (sums, _) = measure("60 tasks", &sixty, 40_000, 2);
    measure(
        "60 tasks, repository, gates, merges",
        &spec(60, true),
        10_000,
        2,
    );
    measure("500 tasks", &spec(500, false), 2_000, 2);
    let plan: Vec<Value> = (0..60)
        .map(|task| json!({ "role": task % 9, "hours": hours(task), "waits": waits(task) }))
        .collect();
    let Some(peer) = simpy(&json!({ "tasks": plan, "fail": 0.05, "runs": 1_000, "seed": 1 }))
    else {
        println!(
            "SimPy: not measured; `pip install -r tests/benches/requirements.txt` lets it run beside this"
        );
        return;
    };
    let figure = |name: &str| peer[name].as_f64().unwrap_or(f64::NAN);
    println!(
        "{:<44} 1 thread   {:>34.0} a second of processor time: director makes {:.0} times as many",
        "SimPy, 60 tasks",
        figure("rate"),
        one / figure("rate")
    );
    let (mean, error) = (sums.finish.mean() / 3.6e6, sums.finish.mean_error() / 3.6e6);
    println!(
        "mean end: {mean:.2} ± {error:.2} h here, {:.2} ± {:.2} h there",
        figure("mean"),
        figure("error")
    );
    assert!(
        (mean - figure("mean")).abs() <= 2.0 * (error + figure("error")),
        "they do not agree"
    );
}

fn simpy(plan: &Value) -> Option<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/simpy_sprint.py");
    let mut child = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child
        .stdin
        .take()?
        .write_all(plan.to_string().as_bytes())
        .ok()?;
    let output = child.wait_with_output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
