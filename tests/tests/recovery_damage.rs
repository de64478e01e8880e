//! A damaged journal is refused with both positions named, a repair is the way out, and the sprint goes on from there.

use std::fs::{self, OpenOptions};
use std::process::Output;
use std::time::Duration;

use director_protocols::envelope::Sealed;
use director_runtime::journal::{DataDir, SqliteStore, Store, read_some};
use director_tests::harness::{PATIENCE, Playground, oracle};
use director_tests::process;
use rustix::process::Signal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Everything that reads the journal refuses it, with these words.
fn expect_refused(play: &Playground, refusal: &str) {
    for words in [
        &["run", "../sprint.toml"][..],
        &["status"],
        &["events"],
        &["journal", "verify"],
        &["journal", "replay", "--until", "3"],
        &["journal", "export", "--json"],
        &["retry", "t01"],
    ] {
        let output = play.ask(words);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{words:?}: {said}");
        assert!(said.contains(refusal), "{words:?}: {said}, not: {refusal}");
    }
}

/// What `journal verify` prints: the last good record, and the one that the witness remembers.
fn positions(verified: &Output) -> (u64, u64) {
    let said = text(&verified.stdout);
    let number = |line: &str, word: usize| {
        let line = said.lines().find(|found| found.starts_with(line));
        let word = line.and_then(|line| line.split_whitespace().nth(word));
        word.and_then(|word| word.parse().ok())
            .unwrap_or_else(|| panic!("{said}"))
    };
    (number("good", 1), number("witness", 3))
}

/// Repairs, looks at what is left, and carries the sprint to its end.
fn repair_and_go_on(play: &Playground, keep: u64, lost: u64) {
    let repaired = play.ask(&["journal", "repair", "--accept-loss", &keep.to_string()]);
    let said = text(&repaired.stdout);
    assert_eq!(
        repaired.status.code(),
        Some(0),
        "{}",
        text(&repaired.stderr)
    );
    assert!(
        said.contains(&format!("the journal now ends at record {keep};")),
        "{said}"
    );
    assert!(
        said.contains(&format!(" {lost} ")),
        "the last lost record is named: {said}"
    );
    assert!(
        play.data_dir()
            .join("journal.damaged-1/journal.db")
            .is_file(),
        "the old files are put aside"
    );

    let verified = play.ask(&["journal", "verify"]);
    assert_eq!(
        (verified.status.code(), positions(&verified)),
        (Some(0), (keep, keep))
    );
    let replayed = play.ask(&["journal", "replay", "--until", &keep.to_string()]);
    assert!(
        text(&replayed.stdout).starts_with(&format!("position    {keep}\n")),
        "{}",
        text(&replayed.stdout)
    );
    let exported = play.events().expect("readable again");
    assert_eq!(exported.last().expect("events")["seq"], keep);

    let code = play.run().code_within(PATIENCE);
    assert_eq!(code, Some(0), "{}", play.log_end(60));
    // Attempts whose numbers were given up are made again under the same numbers, so the diary is no witness here.
    oracle::check_result(play).unwrap_or_else(|wrong| panic!("{wrong}\n{}", play.log_end(60)));
}

#[test]
fn a_truncated_journal_is_refused_until_the_loss_is_accepted_and_then_goes_on() {
    let play = Playground::new(PROGRAM, 8);
    let code = play
        .run_with(&[("DIRECTOR_TEST_DIE_AFTER", "50")])
        .code_within(PATIENCE);
    assert_eq!(code, None, "it was killed: {}", play.log_end(20));
    let left = process::left_after(&play.root(), Duration::from_secs(10));
    assert_eq!(left, Vec::<String>::new());

    let log = OpenOptions::new()
        .write(true)
        .open(play.data_dir().join("journal.db-wal"))
        .expect("a log");
    // The last record may not have been acknowledged before the kill; then its loss is none.
    let mut length = log.metadata().expect("a length").len();
    let (good, witness) = loop {
        length = length
            .checked_sub(1_000)
            .expect("something is lost at last");
        log.set_len(length).expect("cut");
        let (good, witness) = positions(&play.ask(&["journal", "verify"]));
        if good < witness {
            break (good, witness);
        }
    };
    assert!(witness >= 49, "{witness}");
    let refusal = format!("ends at record {good}, but record {witness} was acknowledged");
    expect_refused(&play, &refusal);
    repair_and_go_on(&play, good, witness);
}

#[test]
fn a_flipped_bit_is_found_and_what_follows_it_is_given_up_only_on_request() {
    let play = Playground::new(PROGRAM, 8);
    let mut run = play.run();
    let busy = || {
        let diary = fs::read_to_string(play.diary()).unwrap_or_default();
        (diary.matches("tidied").count() >= 3).then_some(())
    };
    process::until(PATIENCE, busy).expect("work is done");
    process::signal(&run.0, Signal::TERM);
    assert_eq!(run.code_within(PATIENCE), Some(3), "{}", play.log_end(20));

    let (record, head) = {
        let dir = DataDir::open(&play.data_dir()).expect("free");
        let mut store = SqliteStore::open(&dir).expect("sound");
        let head = store.head().seq;
        let found = read_some(&mut store, head - 1, 1).expect("readable");
        (Sealed::new(&found[0]).expect("it fits"), head)
    };
    let file = play.data_dir().join("journal.db");
    let mut bytes = fs::read(&file).expect("a file");
    let wanted = record.bytes();
    let at = bytes
        .windows(wanted.len())
        .position(|part| part == wanted)
        .expect("it is in one piece");
    bytes[at + wanted.len() / 2] ^= 0x10;
    fs::write(&file, bytes).expect("written");

    let bad = record.seq();
    let verified = play.ask(&["journal", "verify"]);
    assert_eq!(
        positions(&verified),
        (bad - 1, head),
        "the last good one, and the last one that was acknowledged"
    );
    expect_refused(&play, &format!("is damaged at record {bad}"));
    repair_and_go_on(&play, bad - 1, head);
}
