//! Real commands: how they end, what they print, and that nothing of them stays.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use director_agents::process::sweep::{self, Marks};
use director_agents::process::{
    Exit, Hooks, Outcome, Probe, ProcessError, Spec, Stop, never_stop, run,
};
use tokio::sync::watch;

/// A mark that no other test and no other run of the tests uses.
fn mark(test: &str) -> String {
    format!("director-test/{}/{test}", std::process::id())
}

fn shell(test: &str, line: &str) -> Spec {
    let mut spec = Spec::shell(line, std::env::temp_dir(), mark(test));
    spec.timeout = Some(Duration::from_secs(60));
    spec.grace = Duration::from_millis(300);
    spec
}

async fn finish(spec: Spec) -> Outcome {
    run(spec, None, never_stop(), Hooks::default())
        .await
        .unwrap()
}

/// The processes a run has left; a killed one is gone in a moment, for which there is no event.
fn left_of(mark: &str) -> Vec<sweep::Found> {
    let marks = Marks::Exactly(mark.to_owned());
    let begun = Instant::now();
    loop {
        let found = sweep::find(&marks);
        if found.is_empty() || begun.elapsed() > Duration::from_secs(5) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn a_command_ends_as_it_ended() {
    for (case, line, exit, stdout, stderr) in [
        (
            "success",
            "echo out; echo err >&2",
            Exit::Code(0),
            "out\n",
            "err\n",
        ),
        ("failure", "exit 7", Exit::Code(7), "", ""),
        ("its own signal", "kill -KILL $$", Exit::Signal(9), "", ""),
        (
            "standard input is empty",
            "cat; echo end",
            Exit::Code(0),
            "end\n",
            "",
        ),
        (
            "not UTF-8",
            "printf 'a\\377b'",
            Exit::Code(0),
            "a\u{fffd}b",
            "",
        ),
        (
            "unknown to the shell",
            "exec 2>/dev/null; no-such-thing-here",
            Exit::Code(127),
            "",
            "",
        ),
    ] {
        let outcome = finish(shell("ends", line)).await;
        let seen = (
            outcome.exit,
            outcome.stdout_tail.as_str(),
            outcome.stderr_tail.as_str(),
        );
        assert_eq!(seen, (exit, stdout, stderr), "case: {case}");
        assert!(!outcome.truncated && outcome.left == 0, "case: {case}");
    }
}

#[tokio::test]
async fn what_cannot_be_started_says_what_to_do() {
    let missing = Spec::new("no-such-tool", ["x"], "/", mark("missing"));
    let error = run(missing, None, never_stop(), Hooks::default())
        .await
        .unwrap_err();
    let ProcessError::NotFound { program, path } = &error else {
        panic!("{error}")
    };
    assert_eq!(program, "no-such-tool");
    assert!(path.contains("/bin"), "the path searched is named: {error}");

    let nowhere = Spec::shell("true", "/no/such/directory", mark("nowhere"));
    let error = run(nowhere, None, never_stop(), Hooks::default())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot run `sh` in `/no/such/directory`: no such directory"
    );

    let huge = Spec::new("true", ["x".repeat(1 << 20)], "/", mark("huge"));
    let error = run(huge, None, never_stop(), Hooks::default())
        .await
        .unwrap_err();
    assert!(matches!(error, ProcessError::Spawn { .. }), "{error}");

    let nul = Spec::new("true", ["a\0b"], "/", mark("nul"));
    let error = run(nul, None, never_stop(), Hooks::default())
        .await
        .unwrap_err();
    assert!(matches!(error, ProcessError::Spawn { .. }), "{error}");
}

#[tokio::test]
async fn a_command_gets_its_directory_its_input_and_no_more_than_its_environment() {
    let dir = tempfile::tempdir().unwrap();
    let dir_path = dir.path().canonicalize().unwrap();
    let mut spec = Spec::shell("pwd; cat; env | cut -d= -f1 | sort", &dir_path, mark("env"));
    spec.stdin = Some(b"the prompt\n".to_vec());
    spec.timeout = Some(Duration::MAX);
    spec.env.insert("DIRECTOR_TASK".into(), "t1".into());
    let outcome = finish(spec).await;
    let mut lines = outcome.stdout_tail.lines();
    assert_eq!(lines.next(), dir_path.to_str());
    assert_eq!(lines.next(), Some("the prompt"));
    // The shell adds some of its own.
    let allowed = [
        "DIRECTOR_MARK",
        "DIRECTOR_TASK",
        "HOME",
        "LANG",
        "PATH",
        "TMPDIR",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    ];
    let names: Vec<&str> = lines.collect();
    assert!(names.contains(&"DIRECTOR_MARK") && names.contains(&"DIRECTOR_TASK"));
    assert!(names.iter().all(|name| allowed.contains(name)), "{names:?}");
}

#[tokio::test]
async fn input_that_nobody_reads_holds_up_nothing() {
    let mut spec = shell("unread", "exit 3");
    spec.stdin = Some(vec![b'x'; 1 << 20]);
    assert_eq!(finish(spec).await.exit, Exit::Code(3));

    let mut spec = shell("read", "wc -c");
    spec.stdin = Some(vec![b'x'; 1 << 20]);
    assert_eq!(finish(spec).await.stdout_tail.trim(), "1048576");
}

#[tokio::test]
async fn time_over_is_told_from_an_exit_even_if_the_command_ignores_it() {
    let mut running = tokio::task::JoinSet::new();
    for (case, line, at_least_ms) in [
        ("polite", "echo begun; sleep 1000", 0),
        (
            "deaf",
            "trap '' TERM; echo begun; while :; do sleep 1000; done",
            300,
        ),
        ("stopped", "echo begun; kill -STOP $$", 0),
        (
            "deaf child",
            "(trap '' TERM; sleep 1000) & echo begun; wait",
            300,
        ),
    ] {
        let mut spec = shell(&format!("timeout/{case}"), line);
        spec.timeout = Some(Duration::from_secs(1));
        running.spawn(async move { (case, at_least_ms, finish(spec).await) });
    }
    while let Some(ended) = running.join_next().await {
        let (case, at_least_ms, outcome) = ended.unwrap();
        assert_eq!(
            (outcome.exit, outcome.stdout_tail.as_str()),
            (Exit::TimedOut, "begun\n"),
            "{case}"
        );
        let took = outcome.duration;
        assert!(
            took >= Duration::from_millis(1000 + at_least_ms),
            "case: {case}, took {took:?}"
        );
        assert!(
            took < Duration::from_secs(10),
            "case: {case}, took {took:?}"
        );
        assert_eq!(
            (outcome.left, left_of(&mark(&format!("timeout/{case}")))),
            (0, vec![]),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_child_of_a_stopped_shell_has_the_grace_to_tidy_up() {
    let line = "sh -c 'trap \"sleep 0.1; echo tidied; exit\" TERM; echo ready; while :; do sleep 0.01; done' & wait";
    let mut spec = shell("tidy", line);
    spec.grace = Duration::from_secs(10);
    let (stop, stopped) = watch::channel(Stop::Go);
    let on_line = Box::new(move |_: director_agents::process::Line<'_>| {
        stop.send_replace(Stop::Cancel);
    });
    let hooks = Hooks {
        on_line: Some(on_line),
        ..Hooks::default()
    };
    let outcome = run(spec, None, stopped, hooks).await.unwrap();
    assert_eq!(
        (outcome.exit, outcome.stdout_tail.as_str()),
        (Exit::Cancelled, "ready\ntidied\n")
    );
    assert!(
        outcome.duration < Duration::from_secs(5),
        "no longer than it needs: {outcome:?}"
    );
}

#[tokio::test]
async fn cancelled_and_wedged_are_told_apart() {
    for (order, exit) in [
        (Stop::Cancel, Exit::Cancelled),
        (Stop::Wedged, Exit::Wedged),
    ] {
        let (stop, stopped) = watch::channel(Stop::Go);
        let on_line = Box::new(move |_: director_agents::process::Line<'_>| {
            stop.send_replace(order);
        });
        let hooks = Hooks {
            on_line: Some(on_line),
            ..Hooks::default()
        };
        let spec = shell("stop", "sleep 1000 & echo begun; wait");
        let outcome = run(spec, None, stopped, hooks).await.unwrap();
        assert_eq!(outcome.exit, exit);
        assert_eq!(left_of(&mark("stop")), []);
    }
}

#[tokio::test]
async fn what_a_command_leaves_behind_ends_with_it() {
    for (case, line, escapes) in [
        ("in its group", "sleep 1000 & touch up;", false),
        (
            "in its group, output closed",
            "sleep 1000 >/dev/null 2>&1 & touch up;",
            false,
        ),
        (
            "a session of its own",
            "setsid sh -c 'touch up; sleep 1000' &",
            true,
        ),
        (
            "a daemon",
            "setsid sh -c 'touch up; sleep 1000' </dev/null >/dev/null 2>&1 &",
            true,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut spec = shell(
            "leaves",
            &format!("{line} until [ -e up ]; do sleep 0.01; done; echo end"),
        );
        spec.cwd = dir.path().to_owned();
        let outcome = finish(spec).await;
        assert_eq!(
            (outcome.exit, outcome.stdout_tail.as_str()),
            (Exit::Code(0), "end\n"),
            "case: {case}"
        );
        assert_eq!(outcome.escaped > 0, escapes, "case: {case}, {outcome:?}");
        assert!(
            outcome.duration < Duration::from_secs(5),
            "case: {case}, {outcome:?}"
        );
        assert_eq!(left_of(&mark("leaves")), [], "case: {case}");
    }
}

#[tokio::test]
async fn a_child_that_left_and_holds_the_output_does_not_hold_us_up() {
    let dir = tempfile::tempdir().unwrap();
    let line =
        "setsid sh -c 'echo out; touch up; sleep 1000' & until [ -e up ]; do sleep 0.01; done";
    for (case, cleared) in [
        ("found by its mark", ""),
        ("without a mark", "env -u DIRECTOR_MARK "),
    ] {
        let _ = fs::remove_file(dir.path().join("up"));
        let mut spec = shell("holds", &format!("{cleared}{line}").replace("1000", "20"));
        spec.cwd = dir.path().to_owned();
        spec.sweep = false;
        let outcome = finish(spec).await;
        assert_eq!(
            (outcome.exit, outcome.stdout_tail.as_str()),
            (Exit::Code(0), "out\n"),
            "{case}"
        );
        assert_eq!(outcome.escaped > 0, cleared.is_empty(), "case: {case}");
        assert!(
            outcome.duration < Duration::from_secs(5),
            "case: {case}, {outcome:?}"
        );
        assert_eq!(left_of(&mark("holds")), [], "case: {case}");
    }
}

#[tokio::test]
async fn a_dropped_run_takes_its_group_along() {
    let (begun, mut has_begun) = watch::channel(false);
    let spec = shell(
        "dropped",
        "sleep 1000 & setsid sh -c 'echo begun; sleep 1000' & wait",
    );
    let on_line = Box::new(move |_: director_agents::process::Line<'_>| {
        begun.send_replace(true);
    });
    let task = tokio::spawn(async move {
        let hooks = Hooks {
            on_line: Some(on_line),
            ..Hooks::default()
        };
        run(spec, None, never_stop(), hooks).await
    });
    has_begun.wait_for(|begun| *begun).await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(left_of(&mark("dropped")), []);
}

#[tokio::test]
async fn a_sweep_ends_what_is_marked_and_nothing_else() {
    let prefix = format!("{}/", mark("sweep"));
    let mut marked = Vec::new();
    for (at, own) in [("1", true), ("10", true), ("other", false)] {
        let mark = if own {
            format!("{prefix}{at}")
        } else {
            mark("elsewhere")
        };
        let child = tokio::process::Command::new("/bin/sleep")
            .arg("1000")
            .env("DIRECTOR_MARK", mark)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        marked.push(child);
    }
    let first = sweep::end(&Marks::Exactly(format!("{prefix}1")));
    assert_eq!((first.ended.len(), first.left.len()), (1, 0));
    let rest = sweep::end(&Marks::StartingWith(prefix.clone()));
    assert_eq!((rest.ended.len(), rest.left.len()), (1, 0));
    marked[0].wait().await.unwrap();
    marked[1].wait().await.unwrap();
    assert!(
        marked[2].try_wait().unwrap().is_none(),
        "another mark lives"
    );
}

#[tokio::test]
async fn a_gigabyte_passes_and_memory_stays_small() {
    let before_kib = peak_kib();
    let dir = tempfile::tempdir().unwrap();
    let mut spec = shell("gigabyte", "head -c 1000000000 /dev/zero; printf end");
    spec.log_path = Some(dir.path().join("log"));
    spec.log_limit_bytes = 1 << 20;
    let outcome = finish(spec).await;
    assert_eq!(
        (outcome.exit, outcome.output_bytes),
        (Exit::Code(0), 1_000_000_003)
    );
    assert!(outcome.truncated && outcome.stdout_tail.ends_with("\0end"));
    assert_eq!(outcome.stdout_tail.len(), 64 * 1024);
    let log_bytes = fs::metadata(dir.path().join("log")).unwrap().len();
    assert!(log_bytes < (1 << 20) + 100, "{log_bytes}");
    let grown_kib = peak_kib() - before_kib;
    assert!(grown_kib < 64 * 1024, "grew by {grown_kib} KiB");
    println!(
        "1 GB in {:?}, {grown_kib} KiB more at the peak",
        outcome.duration
    );
}

/// The most memory this process has ever had, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|text| text.trim().split(' ').next()?.parse().ok())
        .unwrap_or(0)
}

#[tokio::test]
async fn lines_and_the_log_come_as_they_are_printed() {
    let dir = tempfile::tempdir().unwrap();
    let log_path = dir.path().join("log");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let on_line = Box::new(move |line: director_agents::process::Line<'_>| {
        let text = String::from_utf8_lossy(line.bytes).into_owned();
        seen.lock().unwrap().push((text, line.cut));
    });
    let mut spec = shell(
        "lines",
        "echo one; echo no >&2; printf 'much too long\\r\\nend'",
    );
    spec.line_limit_bytes = 8;
    spec.log_path = Some(log_path.clone());
    let hooks = Hooks {
        on_line: Some(on_line),
        ..Hooks::default()
    };
    run(spec, None, never_stop(), hooks).await.unwrap();
    let line = |text: &str, cut| (text.to_owned(), cut);
    assert_eq!(
        *lines.lock().unwrap(),
        [
            line("one", false),
            line("much too", true),
            line("end", false)
        ]
    );
    let log = fs::read_to_string(log_path).unwrap();
    assert!(
        log.contains("one\n") && log.contains("no\n"),
        "both streams are in the log: {log}"
    );

    let mut spec = shell("no-log", "true");
    spec.log_path = Some(Path::new("/no/such/directory/log").into());
    let error = run(spec, None, never_stop(), Hooks::default())
        .await
        .unwrap_err();
    assert!(matches!(error, ProcessError::Log { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_tells_a_busy_command_from_an_idle_one() {
    let watched = |line: &str| {
        let probe = Arc::new(Probe::default());
        let (stop, stopped) = watch::channel(Stop::Go);
        let hooks = Hooks {
            probe: Some(Arc::clone(&probe)),
            ..Hooks::default()
        };
        let mut spec = shell("evidence", line);
        spec.mark.push_str(&line.len().to_string());
        let running = tokio::spawn(async move { run(spec, None, stopped, hooks).await });
        (probe, stop, running)
    };
    let (probe, stop, running) = watched("echo on; (while :; do :; done) & wait");
    let begun = Instant::now();
    let mut sample = probe.sample();
    while (sample.cpu_ms < 50 || sample.output_bytes < 3) && begun.elapsed().as_secs() < 20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        sample = probe.sample();
    }
    assert!(
        sample.cpu_ms >= 50 && sample.output_bytes == 3,
        "{sample:?}"
    );
    assert_eq!(sample.processes, 2);
    stop.send_replace(Stop::Cancel);
    running.await.unwrap().unwrap();
    assert_eq!(probe.sample().processes, 0);

    let (probe, stop, running) = watched("echo on; sleep 1000 & wait");
    let begun = Instant::now();
    while probe.sample().processes < 2 && begun.elapsed().as_secs() < 20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let sample = probe.sample();
    assert!(sample.cpu_ms < 50 && sample.processes == 2, "{sample:?}");
    stop.send_replace(Stop::Cancel);
    running.await.unwrap().unwrap();
}

/// How much a run costs beside a bare spawn: `cargo test -p director-agents --test process -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn spawn_rate_beside_a_bare_spawn() {
    const COMMANDS: usize = 400;
    async fn bare() {
        let mut command = tokio::process::Command::new("/bin/true");
        command.stdin(std::process::Stdio::null());
        assert!(command.output().await.unwrap().status.success());
    }
    async fn ours(number: usize, sweep: bool) {
        let mut spec = Spec::new("/bin/true", [""; 0], "/", mark(&format!("rate/{number}")));
        spec.sweep = sweep;
        assert!(finish(spec).await.exit.success());
    }
    let mut times = [[Duration::ZERO; 3]; 2];
    for _ in 0..5 {
        for (row, at_once) in [1, 8].into_iter().enumerate() {
            for (kind, time) in times[row].iter_mut().enumerate() {
                let begun = Instant::now();
                let mut running = tokio::task::JoinSet::new();
                for number in 0..COMMANDS {
                    if running.len() == at_once {
                        running.join_next().await.unwrap().unwrap();
                    }
                    match kind {
                        0 => running.spawn(bare()),
                        1 => running.spawn(ours(number, false)),
                        _ => running.spawn(ours(number, true)),
                    };
                }
                while running.join_next().await.is_some() {}
                *time += begun.elapsed();
            }
        }
    }
    for (row, at_once) in [1, 8].into_iter().enumerate() {
        let [bare, plain, swept] = times[row].map(|time| time.as_secs_f64());
        let each = bare / (5 * COMMANDS) as f64 * 1e6;
        let (plain, swept) = (plain / bare, swept / bare);
        println!("{at_once} at once: bare {each:.0} us; ours {plain:.2}x, with sweep {swept:.2}x");
    }
}
