//! The guard, with real processes and real SIGKILLs. This executable plays the director and the guard as well:
//! `__guard` is the hidden command, `__director` a director that runs one command until it is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use director_agents::process::sweep::{self, Marks};
use director_agents::process::{Guard, Hooks, Line, Spec, guard, never_stop, run};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some(guard::COMMAND) => match guard::main() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Some("__director") => direct(&args.next().unwrap_or_default()),
        Some("--list") => ExitCode::SUCCESS,
        filter => {
            for (name, story) in STORIES {
                if filter.is_none_or(|filter| filter.starts_with('-') || name.contains(filter)) {
                    story();
                    println!("test {name} ... ok");
                }
            }
            ExitCode::SUCCESS
        }
    }
}

const STORIES: [(&str, fn()); 4] = [
    (
        "a_killed_director_leaves_nothing_running",
        a_killed_director_leaves_nothing_running,
    ),
    (
        "a_guard_swallows_polite_signals",
        a_guard_swallows_polite_signals,
    ),
    ("a_killed_guard_is_replaced", a_killed_guard_is_replaced),
    ("a_closed_guard_is_gone", a_closed_guard_is_gone),
];

/// A shell, a child in its group, one that left with `setsid`, and a child of that one.
const TREE: &str =
    "trap '' TERM HUP; sleep 1000 & setsid sh -c 'sleep 1000 & wait' & echo begun; wait";
const TREE_PROCESSES: usize = 4;

/// The part of a director: a guard and one command. Prints the guard's process id once the command runs.
fn direct(prefix: &str) -> ExitCode {
    let exe = std::env::current_exe().unwrap();
    let guard = Guard::start(&exe, prefix).unwrap();
    let pid = guard.pid();
    let on_line = Box::new(move |_: Line<'_>| println!("{pid}"));
    let hooks = Hooks {
        on_line: Some(on_line),
        ..Hooks::default()
    };
    let spec = Spec::shell(TREE, "/", format!("{prefix}task/1"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(run(spec, Some(&guard), never_stop(), hooks))
        .unwrap();
    ExitCode::SUCCESS
}

fn prefix(story: &str) -> String {
    format!("director-test/{}/{story}/", std::process::id())
}

/// A running director of its own, its guard's process id, and its whole tree up.
fn start_director(prefix: &str) -> (Child, u32) {
    let mut director = Command::new(std::env::current_exe().unwrap())
        .args(["__director", prefix])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(director.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let guard = line.trim().parse().unwrap();
    await_count(prefix, TREE_PROCESSES, Duration::from_secs(10));
    (director, guard)
}

/// Waits until so many marked processes run; there is no event for it. Returns how long it took.
fn await_count(prefix: &str, count: usize, within: Duration) -> Duration {
    let begun = Instant::now();
    let marks = Marks::StartingWith(prefix.to_owned());
    loop {
        let found = sweep::find(&marks);
        if found.len() == count {
            return begun.elapsed();
        }
        assert!(
            begun.elapsed() < within,
            "after {within:?}, not {count} but: {found:#?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn send(pid: u32, signal: &str) {
    let sent = Command::new("kill")
        .args(["-s", signal, &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn await_gone(pid: u32) {
    let begun = Instant::now();
    let stat = format!("/proc/{pid}/stat");
    // An orphan may stay listed as dead where nobody waits for it.
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "process {pid} is still there"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn a_killed_director_leaves_nothing_running() {
    let mut slowest = Duration::ZERO;
    for _ in 0..5 {
        let prefix = prefix("killed");
        let (mut director, guard) = start_director(&prefix);
        director.kill().unwrap();
        slowest = slowest.max(await_count(&prefix, 0, Duration::from_secs(2)));
        director.wait().unwrap();
        await_gone(guard);
    }
    println!("slowest end of a tree after SIGKILL of its director: {slowest:?}");
}

fn a_guard_swallows_polite_signals() {
    let prefix = prefix("polite");
    let (mut director, guard) = start_director(&prefix);
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        send(guard, signal);
    }
    director.kill().unwrap();
    await_count(&prefix, 0, Duration::from_secs(2));
    director.wait().unwrap();
}

fn a_killed_guard_is_replaced() {
    let prefix = prefix("replaced");
    let exe = std::env::current_exe().unwrap();
    let guard = Guard::start(&exe, &prefix).unwrap();
    let mut running = Command::new("/bin/sleep")
        .arg("1000")
        .env("DIRECTOR_MARK", format!("{prefix}task/1"))
        .spawn()
        .unwrap();
    let first = guard.pid();
    guard.add(running.id()).unwrap();
    send(first, "KILL");
    await_gone(first);
    guard.add(4_000_000).unwrap();
    guard.remove(4_000_000).unwrap();
    assert_ne!(guard.pid(), first);
    drop(guard);
    running.wait().unwrap();
}

fn a_closed_guard_is_gone() {
    let guard = Guard::start(&std::env::current_exe().unwrap(), &prefix("closed")).unwrap();
    let pid = guard.pid();
    guard.close().unwrap();
    assert!(!Path::new(&format!("/proc/{pid}")).exists());

    let error = Guard::start(Path::new("/bin/true"), "director-test/").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/bin/true __guard` did not start as a guard"
    );
}
