//! A task that kills the director, with the real program: it is found, and everybody else's work is done.

use std::time::Duration;

use director_tests::corner::{Corner, HEAD};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_task_that_kills_the_director_is_tried_alone_and_quarantined_and_all_others_are_done() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let task = |id: &str, run: &str| format!("\n[[task]]\nid = \"{id}\"\nrun = '''{run}'''\n");
    let mut tasks = task("poison", "sleep 0.3; kill -9 $PPID; sleep 60");
    for id in ["a", "b", "c", "d"] {
        tasks += &task(id, &format!("sleep 0.2; echo {id} > {id}"));
    }
    // Whoever is cut off with it does not end before it does.
    tasks += &task("slow", "sleep 1; echo slow > slow");
    corner.sprint(format!("{HEAD}{tasks}"));
    let mut crashes = 0;
    let code = loop {
        match corner.start().code_within(SOON) {
            None => crashes += 1,
            Some(code) => break code,
        }
        assert!(
            crashes < 10,
            "it goes on for ever: {:?}",
            corner.tell(&["events"])
        );
    };
    assert_eq!(code, 1, "one is not done");
    assert!((3..=5).contains(&crashes), "{crashes} crashes");
    assert_eq!(
        corner.ends(),
        "a completed, b completed, c completed, d completed, poison quarantined, slow completed"
    );
    let why = corner.tell(&["why", "poison"]).out;
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "the director ended without a stop",
        "with nothing else at work",
        "director retry poison",
    ] {
        assert!(why.contains(words), "{words}: {why}");
    }
    corner.nothing_left("quarantined");
}
