//! One director at a time, and stopping it: once in order, twice at once; whichever way, it goes on afterwards.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use director_runtime::journal::DataDir;
use director_tests::harness::{PATIENCE, Playground, Run, SPRINT, oracle};
use director_tests::process;
use rustix::process::{Pid, Signal, kill_process_group};

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");

/// Starts a run as a terminal does: in a process group of its own, which gets the signals.
fn in_a_terminal(play: &Playground) -> Run {
    let mut command = play.command(&["run", "../sprint.toml"]);
    command.process_group(0);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Run(command.spawn().expect("the program starts"))
}

fn signal(run: &Run, signal: Signal) {
    let group = i32::try_from(run.0.id()).ok().and_then(Pid::from_raw);
    kill_process_group(group.expect("a group"), signal).expect("it runs");
}

/// Waits for the end; the code and everything that was said.
fn outcome(mut run: Run) -> (Option<i32>, String) {
    let code = run.code_within(Duration::from_secs(60));
    let mut said = String::new();
    let mut pipes = (run.0.stdout.take(), run.0.stderr.take());
    let read = |pipe: Option<&mut dyn std::io::Read>, said: &mut String| {
        pipe.expect("a pipe").read_to_string(said).expect("text");
    };
    read(pipes.0.as_mut().map(|pipe| pipe as _), &mut said);
    read(pipes.1.as_mut().map(|pipe| pipe as _), &mut said);
    (code, said)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until commands are in the middle of their work, some tasks into the sprint.
fn under_way(play: &Playground) {
    let busy = || {
        let diary = fs::read_to_string(play.diary()).unwrap_or_default();
        let (begun, tidied) = (
            diary.matches("began").count(),
            diary.matches("tidied").count(),
        );
        (begun >= 4 && begun > tidied).then_some(())
    };
    process::until(PATIENCE, busy).expect("commands at work");
}

/// The sprint goes on and ends as if nothing had been.
fn resumed(play: &Playground) -> oracle::Figures {
    let code = play.run().code_within(PATIENCE);
    assert_eq!(code, Some(0), "{}", play.log_end(60));
    oracle::check(play).unwrap_or_else(|wrong| panic!("{wrong}\n{}", play.log_end(60)))
}

#[test]
fn one_ctrl_c_or_sigterm_stops_in_order_and_nothing_runs_afterwards() {
    for (name, polite) in [("Ctrl-C", Signal::INT), ("SIGTERM", Signal::TERM)] {
        let play = Playground::new(PROGRAM, 8);
        let run = in_a_terminal(&play);
        under_way(&play);
        signal(&run, polite);
        let (code, said) = outcome(run);
        assert_eq!(code, Some(3), "{name}: {said}");
        assert!(
            said.contains("`director run ../sprint.toml` goes on where it was"),
            "{name}: {said}"
        );
        // The commands were ended before it, not after it by somebody else.
        let left = process::left_after(&play.root(), Duration::from_secs(1));
        assert_eq!(left, Vec::<String>::new(), "{name}");
        // And what they had written is saved already, not only once somebody goes on.
        let saved = play.git(&[
            "for-each-ref",
            "--format=%(refname)",
            "refs/director/salvage",
        ]);
        assert!(
            saved.starts_with(&format!("refs/director/salvage/{SPRINT}/")),
            "{name}: {saved}"
        );
        let figures = resumed(&play);
        assert_eq!(figures.starts, 2, "{name}");
        assert!(figures.interrupted > 0, "{name}: {figures:?}");
    }
}

#[test]
fn a_second_ctrl_c_stops_at_once_and_the_sprint_goes_on_afterwards() {
    let play = Playground::new(PROGRAM, 8);
    let run = in_a_terminal(&play);
    under_way(&play);
    signal(&run, Signal::INT);
    let began = Instant::now();
    signal(&run, Signal::INT);
    let (code, said) = outcome(run);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    let left = process::left_after(&play.root(), Duration::from_secs(10));
    assert_eq!(left, Vec::<String>::new());
    resumed(&play);
}

#[test]
fn who_holds_the_data_directory_is_named_to_a_second_director() {
    let play = Playground::new(PROGRAM, 3);
    let held = DataDir::open(&play.data_dir()).expect("free");
    let refused = play.ask(&["run", "../sprint.toml"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    let expected = format!(
        "error: `{}` is held by another director (process {}); stop it, ask it instead, or choose another directory\n",
        play.data_dir().display(),
        std::process::id()
    );
    assert_eq!(said(&refused), expected);
    drop(held);
    resumed(&play);
}

#[test]
fn of_directors_that_start_at_the_same_moment_one_works_and_the_others_follow_it_or_are_refused() {
    let play = Playground::new(PROGRAM, 4);
    let runs: Vec<Run> = (0..4).map(|_| in_a_terminal(&play)).collect();
    let mut done = 0;
    for run in runs {
        match outcome(run) {
            (Some(0), _) => done += 1,
            // It found the directory taken, or followed and did not hear how it ended; it says what to do.
            (Some(_), said) => assert!(
                [
                    "is held by another director",
                    "goes on where it was",
                    "ask again"
                ]
                .iter()
                .any(|way_out| said.contains(way_out)),
                "{said}"
            ),
            (None, said) => panic!("{said}"),
        }
    }
    assert!(done >= 1);
    let figures = oracle::check(&play).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(figures.starts, 1, "{figures:?}");

    // While nobody runs, the journal can be checked; while one runs, that is refused.
    let held = DataDir::open(&play.data_dir()).expect("free");
    let refused = play.ask(&["journal", "verify"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(
        said(&refused).contains("is held by a running director"),
        "{}",
        said(&refused)
    );
    drop(held);
}
