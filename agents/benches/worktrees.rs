//! Worktrees made and removed eight at a time, against git's command line in sequence.
//!
//! Run with `cargo bench -p director-agents --bench worktrees`. Both sides work on the same repository in
//! turns, two rounds each, so that the ratio holds on a busy machine; the best round of each counts.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use director_agents::git::{Oid, Repository, SprintNames};

const FILES: usize = 500;
const PAIRS: usize = 24;
const AT_ONCE: usize = 8;
const ROUNDS: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let top = dir.path();
    git(top, &["init", "--quiet", "--initial-branch=main"])?;
    for number in 0..FILES {
        let folder = top.join(format!("src/{}", number % 50));
        fs::create_dir_all(&folder)?;
        fs::write(
            folder.join(format!("{number}.txt")),
            format!("{number}\n").repeat(20),
        )?;
    }
    git(top, &["add", "-A"])?;
    git(
        top,
        &[
            "-c",
            "user.name=b",
            "-c",
            "user.email=b@localhost",
            "commit",
            "--quiet",
            "-m",
            "start",
        ],
    )?;
    let repository = Repository::open(top)?;
    let head = repository.resolve("HEAD")?.ok_or("no commit")?;
    repository.hide_our_folders()?;

    let (mut serial, mut ours) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        serial = serial.min(command_line(top)?);
        ours = ours.min(eight_at_once(&repository, &head)?);
    }
    let per_pair = |total: Duration| total.as_secs_f64() * 1000.0 / PAIRS as f64;
    println!("{PAIRS} pairs of add and remove, {FILES} files");
    println!("git in sequence     {:7.1} ms a pair", per_pair(serial));
    println!(
        "director, {AT_ONCE} at once {:7.1} ms a pair",
        per_pair(ours)
    );
    println!(
        "ratio               {:7.2}",
        serial.as_secs_f64() / ours.as_secs_f64()
    );
    Ok(())
}

fn command_line(top: &Path) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    for number in 0..PAIRS {
        let (path, branch) = (format!(".worktrees/cli{number}"), format!("cli{number}"));
        git(
            top,
            &["worktree", "add", "--quiet", "-B", &branch, &path, "main"],
        )?;
        git(top, &["worktree", "remove", "--force", &path])?;
    }
    Ok(start.elapsed())
}

fn eight_at_once(repository: &Repository, head: &Oid) -> Result<Duration, Box<dyn Error>> {
    let names = SprintNames::new("bench")?;
    let start = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|worker| {
                let names = &names;
                scope.spawn(move || -> Result<(), director_agents::git::GitError> {
                    for number in 0..PAIRS / AT_ONCE {
                        let feature = format!("f{worker}-{number}");
                        let worktree = repository.prepare_worktree(names, &feature, head)?;
                        repository.remove_worktree(&worktree)?;
                    }
                    Ok(())
                })
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| match worker.join() {
                Ok(done) => done.map_err(Into::into),
                Err(_) => Err("a worker panicked".into()),
            })
    })
    .map(|()| start.elapsed())
}

fn git(top: &Path, words: &[&str]) -> Result<(), Box<dyn Error>> {
    let status = Command::new("git").current_dir(top).args(words).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("git {words:?}: {status}").into())
    }
}
