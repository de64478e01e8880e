//! The real process is killed, somebody moves the integration branch, and the next start says so and waits.

use std::thread;
use std::time::{Duration, Instant};

use director_tests::harness::oracle;
use director_tests::harness::{PATIENCE, Playground};

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");

/// Asks again until the answer has all these words.
fn await_words(play: &Playground, question: &[&str], words: &[&str]) -> String {
    let began = Instant::now();
    loop {
        let output = play.ask(question);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if words.iter().all(|word| text.contains(word)) {
            return text;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{question:?} never said {words:?}: {text}\n{}",
            play.log_end(40)
        );
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_branch_moved_while_the_director_was_down_is_an_incident_and_is_put_back_by_a_person() {
    let play = Playground::new(PROGRAM, 6);
    let mut killed = play.run_with(&[("DIRECTOR_TEST_DIE_AFTER", "40")]);
    assert_eq!(killed.code_within(PATIENCE), None, "{}", play.log_end(40));
    let name = "refs/heads/sprint/play";
    let other = play.git(&["commit-tree", "main^{tree}", "-p", name, "-m", "mine"]);
    play.git(&["update-ref", name, &other]);

    let mut run = play.run();
    await_words(&play, &["status"], &["halted"]);
    let asked = await_words(&play, &["inbox"], &["director approve 1"]);
    let asked = asked.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(asked.contains("`mine`"), "what lies between: {asked}");
    assert_eq!(play.git(&["rev-parse", name]), other, "nobody overwrote it");

    // Only people are waited for once what was under way is settled.
    assert_eq!(run.code_within(PATIENCE), Some(3), "{}", play.log_end(40));
    let answered = play.ask(&["approve", "1"]);
    assert!(answered.status.success(), "{answered:?}");
    let mut run = play.run();
    assert_eq!(run.code_within(PATIENCE), Some(0), "{}", play.log_end(40));
    let events = play.events().unwrap();
    let incidents = events.iter().filter(|event| {
        event["event"] == "incident_opened" && event.to_string().contains("somebody else moved it")
    });
    assert_eq!(incidents.count(), 1);
    let kept = play.git(&["for-each-ref", "refs/director/salvage/play/"]);
    assert!(kept.contains(&other), "{kept}");
    oracle::check(&play).unwrap_or_else(|wrong| panic!("{wrong}"));
}
