//! The power is cut at any instant: what was acknowledged is there, and what was not does not keep the journal from
//! opening. And the repair of a damaged journal is killed at each of its steps.
//!
//! Needs `strace`, so it is not part of the usual run: `cargo test -p director-tests --test recovery_power -- --ignored
//! --nocapture`. `DIRECTOR_STATES=n` tries so many states of each recording (default 700), `DIRECTOR_SEED=n` others.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use director_protocols::digest::Digest;
use director_protocols::envelope::Record;
use director_runtime::blobs::Blobs;
use director_runtime::journal::{DataDir, JournalError, SqliteStore, read_some};
use director_tests::power::{self, CALLS, Dice, Disk, Step, payload};

const SCRIBE: &str = env!("CARGO_BIN_EXE_scribe");
const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");
/// Every so many states the program itself looks at the journal too.
const PROGRAM_LOOKS: u64 = 50;

fn setting(name: &str, otherwise: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(otherwise, |n| n.parse().expect("a number"))
}

/// A directory in memory where there is one: thousands of states are laid out.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    }
    .expect("a temporary directory")
}

/// What the process has said so far.
#[derive(Default)]
struct Promised {
    seq: u64,
    blobs: Vec<Digest>,
}

impl Promised {
    fn hear(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("ack", seq)) => self.seq = seq.parse().expect("a number"),
            Some(("blob", digest)) => self.blobs.push(digest.parse().expect("a digest")),
            _ => panic!("the scribe said `{line}`"),
        }
    }

    /// What of it is not so on this disk.
    fn broken(&self, home: &Path) -> Result<(), String> {
        let dir = DataDir::open(home).map_err(|error| error.to_string())?;
        let records = read(&dir).map_err(|error| format!("refused: {error}"))?;
        let last = records.last().map_or(0, |record| record.seq);
        if last < self.seq {
            return Err(format!(
                "lost: {} was acknowledged, {last} is the last",
                self.seq
            ));
        }
        if let Some(wrong) = records
            .iter()
            .find(|record| record.payload != payload(record.seq))
        {
            return Err(format!("record {} is another one", wrong.seq));
        }
        let blobs = Blobs::open(&dir.blobs()).map_err(|error| error.to_string())?;
        for digest in &self.blobs {
            blobs
                .get(*digest)
                .map_err(|error| format!("lost: {error}"))?;
        }
        Ok(())
    }
}

fn read(dir: &DataDir) -> Result<Vec<Record>, JournalError> {
    let mut store = SqliteStore::open(dir)?;
    read_some(&mut store, 1, usize::MAX)
}

fn director(home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("--data-dir").arg(home).args(words);
    command.output().expect("the program starts")
}

/// Cuts the power `states` times; what was found wrong, each with its seed.
fn cut(steps: &[Step], recorded: &Path, states: u64, deaf: bool) -> Vec<String> {
    let first = setting("DIRECTOR_SEED", 1);
    let mut wrong = Vec::new();
    // In the order of the instants, so that each is reached from the one before.
    let mut cuts: Vec<(usize, u64)> = (first..first + states)
        .map(|seed| (Dice::new(seed).below(steps.len() as u64 + 1) as usize, seed))
        .collect();
    cuts.sort_unstable();
    let mut disk = Disk::new(deaf);
    let mut promised = Promised::default();
    let mut taken = 0;
    for (instant, seed) in cuts {
        for step in &steps[taken..instant] {
            match step {
                Step::Said(line) => promised.hear(line),
                step => disk.take(step),
            }
        }
        taken = instant;
        let home = scratch();
        let home = home.path().join("data");
        disk.cut(&mut Dice::new(seed ^ 0xC0DE), recorded, &home);
        let mut found = promised.broken(&home);
        if found.is_ok() && seed.is_multiple_of(PROGRAM_LOOKS) && promised.seq > 0 {
            let verified = director(&home, &["journal", "verify"]);
            if !verified.status.success() {
                found = Err(String::from_utf8_lossy(&verified.stderr).into_owned());
            }
        }
        if let Err(what) = found {
            wrong.push(format!("DIRECTOR_SEED={seed}, step {instant}: {what}"));
        }
    }
    wrong
}

#[test]
#[ignore = "needs strace, and takes a minute"]
fn a_power_cut_loses_nothing_that_was_acknowledged_and_a_missing_sync_is_noticed() {
    let states = setting("DIRECTOR_STATES", 700);
    for (records, batch) in [("300", "1"), ("1600", "16"), ("3200", "64")] {
        let place = scratch();
        let home = place.path().join("data");
        let path = home.to_str().expect("plain");
        let steps = power::record(&home, SCRIBE, &[path, records, batch]);
        let syncs = steps
            .iter()
            .filter(|step| matches!(step, Step::Sync(_)))
            .count();
        let wrong = cut(&steps, &home, states, false);
        let noticed = cut(&steps, &home, 60, true);
        println!(
            "batches of {batch}: {} steps, {syncs} syncs; {states} states, {} wrong; without syncs {} of 60 noticed",
            steps.len(),
            wrong.len(),
            noticed.len()
        );
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(
            noticed.len() > 30,
            "the tester does not notice: {noticed:?}"
        );
    }
}

/// A journal of 40 records, the last of which are damaged.
fn damaged(home: &Path) {
    let path = home.to_str().expect("plain");
    let scribe = Command::new(SCRIBE).args([path, "40", "1"]).output();
    assert!(scribe.expect("the scribe starts").status.success());
    let log = home.join("journal.db-wal");
    let file = match fs::metadata(&log) {
        Ok(found) if found.len() > 0 => log,
        _ => home.join("journal.db"),
    };
    let mut bytes = fs::read(&file).expect("a file");
    let at = bytes.len() * 3 / 4;
    bytes[at] ^= 4;
    fs::write(&file, bytes).expect("written");
}

fn good_end(home: &Path) -> Option<u64> {
    let said = String::from_utf8_lossy(&director(home, &["journal", "verify"]).stdout).into_owned();
    let line = said.lines().find(|line| line.starts_with("good"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
#[ignore = "needs strace"]
fn a_repair_that_is_killed_at_any_step_is_run_again_and_nothing_is_worse() {
    let place = scratch();
    let template = place.path().join("template");
    damaged(&template);
    let before = good_end(&template).expect("something is good");
    assert!(before > 0 && before < 40, "{before}");
    let mut killed = 0;
    for step in 1.. {
        let home = place.path().join(format!("home-{step}"));
        copy(&template, &home);
        let inject = format!("inject={CALLS}:signal=SIGKILL:when={step}");
        let repair = Command::new("strace")
            .args([
                "-f",
                "-o",
                "/dev/null",
                "-e",
                &inject,
                PROGRAM,
                "--data-dir",
            ])
            .arg(&home)
            .args(["journal", "repair", "--accept-loss", &before.to_string()])
            .output()
            .expect("strace starts; it has to be installed for this test");
        let through = repair.status.success();
        if !through {
            let signal = repair.status.signal();
            assert_eq!(
                signal,
                Some(9),
                "step {step}: {}",
                String::from_utf8_lossy(&repair.stderr)
            );
            killed += 1;
            // The old refusal or the repaired journal, with every good record either way.
            assert_eq!(good_end(&home), Some(before), "step {step}");
            let again = director(
                &home,
                &["journal", "repair", "--accept-loss", &before.to_string()],
            );
            assert!(
                again.status.success(),
                "step {step}: {}",
                String::from_utf8_lossy(&again.stderr)
            );
        }
        let verified = director(&home, &["journal", "verify"]);
        assert!(
            verified.status.success(),
            "step {step}: {}",
            String::from_utf8_lossy(&verified.stderr)
        );
        let dir = DataDir::open(&home).expect("a data directory");
        let records = read(&dir).expect("it opens");
        assert_eq!(records.len() as u64, before, "step {step}");
        assert!(
            records
                .iter()
                .all(|record| record.payload == payload(record.seq))
        );
        // The files as they were are somewhere, whole.
        let damaged = fs::read(template.join("journal.db")).expect("a file");
        let saved = fs::read_dir(&home)
            .expect("a directory")
            .flatten()
            .any(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with("journal.damaged")
                    && fs::read(entry.path().join("journal.db")).is_ok_and(|saved| saved == damaged)
            });
        assert!(saved, "step {step}");
        if through {
            break;
        }
    }
    println!("killed at {killed} steps");
    assert!(killed > 20, "{killed}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory").flatten() {
        let into = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &into),
            false => drop(fs::copy(entry.path(), into).expect("a copy")),
        }
    }
}
