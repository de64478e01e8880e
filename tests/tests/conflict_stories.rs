//! Conflicts between work under way as the engine deals with them: written down once, told once, over with the work, and of use.

use director::engine::effects::{self, Effect};
use director_protocols::event::{EpochOpened, Event};
use director_protocols::sprint::SprintSpec;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

/// Three engineers at three tasks of one repository, and a fourth task for later.
const SPRINT: &str = r#"
[sprint]
id = "s"
repo = "."
[limits]
attempts_max = 2
merge_batch = 3
[gates]
tests = "true"
review = false
docs = false
coverage = false
acceptance = false
[team]
only = true
[team.engineer]
agent = "worker"
count = 3
kinds = ["feature"]
[[task]]
id = "a"
[[task]]
id = "b"
[[task]]
id = "c"
[[task]]
id = "d"
depends_on = ["c"]
"#;

fn team() -> SprintSpec {
    sprint(SPRINT, &["worker"])
}

/// All three are at work.
const BEGUN: &str = "submit
    git ok
    gates green
    up
    git ok
    git ok
    git ok
    start a
    start b
    start c";

fn begun() -> Script {
    let mut script = Script::new(vec![team()]);
    script.run(BEGUN);
    script
}

fn tell(script: &mut Script, lines: &str, expected: Expect) {
    expected.assert_eq(&script.go_on(lines));
}

#[test]
fn a_conflict_is_written_down_and_told_once_and_over_with_the_work() {
    tell(
        &mut begun(),
        "see a b src/pay.rs
        see b a src/pay.rs
        see a b src/pay.rs src/cart.rs
        see a b
        see a b src/pay.rs
        see a c
        hear nothing
        reopen",
        expect![[r#"
            > see a b src/pay.rs
              conflict_foreseen a would conflict with b, which is under way too, in `src/pay.rs`
              agent_told engineer-2 is told about a: b, which is under way too, changes the same places as your work, in `src/pay.rs`
              agent_told engineer-3 is told about b: a, which is under way too, changes the same places as your work, in `src/pay.rs`
            > see b a src/pay.rs
            > see a b src/pay.rs src/cart.rs
              conflict_foreseen a would conflict with b, which is under way too, in `src/cart.rs`, `src/pay.rs`
              agent_told engineer-2 is told about a: b, which is under way too, changes the same places as your work, in `src/cart.rs`, `src/pay.rs`
              agent_told engineer-3 is told about b: a, which is under way too, changes the same places as your work, in `src/cart.rs`, `src/pay.rs`
            > see a b
              conflict_over a and b are in conflict no more: they would merge now
            > see a b src/pay.rs
              conflict_foreseen a would conflict with b, which is under way too, in `src/pay.rs`
            > see a c
            > hear nothing
              message_delivered
            > reopen
              epoch_opened
              attempt_cut
              attempt_cut
              attempt_cut
              attempt_ended c interrupted
              attempt_ended a interrupted
              attempt_ended b interrupted
              conflict_over a and b are in conflict no more: the attempt at a is over
        "#]],
    );
}

#[test]
fn what_was_merged_meanwhile_is_told_and_what_would_conflict_is_not_merged_together() {
    let mut script = begun();
    tell(
        &mut script,
        "see a b src/pay.rs
        see a c src/lib.rs
        done c
        git ok
        done a
        git ok
        done b
        git ok
        git ok
        gates green
        git ok
        see a merged src/lib.rs",
        expect![[r#"
            > see a b src/pay.rs
              conflict_foreseen a would conflict with b, which is under way too, in `src/pay.rs`
              agent_told engineer-2 is told about a: b, which is under way too, changes the same places as your work, in `src/pay.rs`
              agent_told engineer-3 is told about b: a, which is under way too, changes the same places as your work, in `src/pay.rs`
            > see a c src/lib.rs
              conflict_foreseen a would conflict with c, which is under way too, in `src/lib.rs`
              agent_told engineer-2 is told about a: c, which is under way too, changes the same places as your work, in `src/lib.rs`
              agent_told engineer-1 is told about c: a, which is under way too, changes the same places as your work, in `src/lib.rs`
            > done c
              attempt_ended c done
            > git ok
              work_committed
              merge_started
            > done a
              attempt_ended a done
            > git ok
              merge_prepared
            > done b
              attempt_ended b done
            > git ok
              work_committed
            > git ok
              work_committed
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed c (250)
              handoff_sent c to d
              sprint_velocity_updated
              merge_started
              conflict_over a and c are in conflict no more: c is merged
              task_assigned d to engineer-1 as attempt 1: 885 = 1000 expertise, 950 capacity, 500 continuity
            > see a merged src/lib.rs
              conflict_foreseen a would conflict with what was merged since it began, in `src/lib.rs`
        "#]],
    );
    let sprint = &script.engine.state().sprints.table[0];
    let batch = sprint.merge.as_ref().map(|merge| merge.batch.len());
    assert_eq!(
        (batch, sprint.queue.len()),
        (Some(1), 1),
        "a alone, and then b"
    );
}

#[test]
fn whoever_works_on_the_same_files_is_preferred_when_the_work_is_given_to_another() {
    let mut script = begun();
    tell(
        &mut script,
        "see a b src/pay.rs
        done b
        git ok
        cancel c
        called off c
        reassign a
        called off a
        git ok
        git ok
        git ok",
        expect![[r#"
            > see a b src/pay.rs
              conflict_foreseen a would conflict with b, which is under way too, in `src/pay.rs`
              agent_told engineer-2 is told about a: b, which is under way too, changes the same places as your work, in `src/pay.rs`
              agent_told engineer-3 is told about b: a, which is under way too, changes the same places as your work, in `src/pay.rs`
            > done b
              attempt_ended b done
            > git ok
              work_committed
              merge_started
            > cancel c
              task_cancelled c
              task_cancelled d
            > called off c
              attempt_ended c cancelled
            > reassign a
              task_reassigned a to anybody
            > called off a
              attempt_ended a cancelled
              conflict_over a and b are in conflict no more: the attempt at a is over
            > git ok
              merge_prepared
            > git ok
              work_salvaged
            > git ok
              work_salvaged
              task_assigned a to engineer-3 as attempt 2: 905 = 1000 expertise, 950 capacity, 600 continuity
        "#]],
    );
}

#[test]
fn where_the_file_says_so_nobody_looks() {
    for (look_ahead, expected) in [("", 1), ("look_ahead = false", 0)] {
        let limits = format!("[limits]\n{look_ahead}");
        let text = SPRINT.replace("[limits]", &limits);
        let mut script = Script::new(vec![sprint(&text, &["worker"])]);
        script.run(BEGUN);
        let open = Event::from(EpochOpened {
            epoch: 2,
            version: "test".to_owned(),
        });
        let mut watched = 0;
        effects::of(script.engine.state(), &open, &mut |effect| {
            watched += u32::from(matches!(effect, Effect::Watch { .. }));
        });
        assert_eq!(watched, expected, "{look_ahead}");
    }
}
