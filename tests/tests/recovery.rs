//! The real process is killed with SIGKILL at random moments of a sprint, started again each time, and nothing is
//! lost, done twice or left over.
//!
//! `DIRECTOR_SEED=n` repeats the moments of one seed, `DIRECTOR_KILLS=n` kills so often. The long run: `cargo test
//! -p director-tests --test recovery -- --ignored --nocapture`.

use std::time::Instant;

use director_tests::harness::oracle::{self, Figures};
use director_tests::harness::reaper::Reaper;
use director_tests::harness::{PATIENCE, Playground};

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");

fn seeds(otherwise: &[u64]) -> Vec<u64> {
    match std::env::var("DIRECTOR_SEED") {
        Ok(seed) => vec![seed.parse().expect("DIRECTOR_SEED is a number")],
        Err(_) => otherwise.to_vec(),
    }
}

/// The sprint as it goes when nobody is killed.
fn undisturbed(tasks: usize) -> Figures {
    let play = Playground::new(PROGRAM, tasks);
    let began = Instant::now();
    let code = play.run().code_within(PATIENCE);
    assert_eq!(code, Some(0), "{}", play.log_end(60));
    let figures = oracle::check(&play).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("nobody killed: {:?} {figures:?}", began.elapsed());
    assert_eq!((figures.starts, figures.interrupted), (1, 0));
    figures
}

/// Kills up to `kills` times in one sprint; gives how often.
fn reap(seed: u64, tasks: usize, kills: usize, expected: &Figures) -> usize {
    println!("seed {seed}: DIRECTOR_SEED={seed} repeats it");
    let play = Playground::new(PROGRAM, tasks);
    let began = Instant::now();
    let mut reaper = Reaper::new(seed);
    let kills = std::env::var("DIRECTOR_KILLS").map_or(kills, |kills| {
        kills.parse().expect("DIRECTOR_KILLS is a number")
    });
    let killed = reaper.harvest(&play, kills);
    let killed = killed.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    let figures = oracle::check(&play);
    let figures = figures.unwrap_or_else(|wrong| {
        panic!("seed {seed}, {killed} kills: {wrong}\n{}", play.log_end(40))
    });
    println!(
        "seed {seed}: {killed} kills in {:?} {figures:?}",
        began.elapsed()
    );
    assert_eq!(figures.tree, expected.tree, "seed {seed}: another result");
    killed
}

#[test]
fn a_director_killed_at_random_moments_loses_nothing_and_repeats_nothing() {
    let expected = undisturbed(12);
    for seed in seeds(&[1]) {
        reap(seed, 12, 8, &expected);
    }
}

#[test]
#[ignore = "takes some minutes"]
fn fifty_kills_in_sprints_of_thirty_tasks_lose_nothing_and_repeat_nothing() {
    let expected = undisturbed(30);
    let mut killed = 0;
    for seed in seeds(&(101..=120).collect::<Vec<_>>()) {
        killed += reap(seed, 30, 25, &expected);
        if killed >= 50 {
            break;
        }
    }
    println!("{killed} kills");
    assert!(killed >= 50 || std::env::var("DIRECTOR_SEED").is_ok());
}
