//! Several finished tasks merged and gated together: where they are red, halves show whose fault it is, and nobody else is blamed.

use director_protocols::sprint::SprintSpec;
use director_tests::engineers;
use director_tests::script::Script;
use expect_test::{Expect, expect};

fn team() -> SprintSpec {
    let more =
        "repo = \"repo\"\n[limits]\nmerge_batch = 4\n[gates]\ntests = { run = \"sh test.sh\" }";
    engineers(5, &["a", "b", "c", "d", "e"], more)
}

/// A script up to where `a` is being merged, and the others wait behind it.
const QUEUED: &str = "submit
    git ok
    gates green
    up
    git ok
    git ok
    git ok
    git ok
    git ok
    done a
    git ok
    done b
    done c
    done d
    done e
    git ok
    git ok
    git ok
    git ok
    git ok
    ";

fn tell(script: &str, expected: Expect) {
    let mut told = Script::new(vec![team()]);
    told.run(QUEUED);
    expected.assert_eq(&told.go_on(script));
}

#[test]
fn what_waits_is_merged_together_and_gated_once() {
    tell(
        "gates green
        git ok
        git ok
        gates green
        git ok",
        expect![[r#"
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed a (200)
              sprint_velocity_updated
              merge_started
            > git ok
              merge_prepared
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed b (400)
              sprint_velocity_updated
              task_completed c (600)
              sprint_velocity_updated
              task_completed d (800)
              sprint_velocity_updated
              task_completed e (1000)
              sprint_velocity_updated
              sprint_ended done
        "#]],
    );
}

#[test]
fn where_they_are_red_together_halves_find_the_one_and_the_rest_is_merged() {
    tell(
        "gates green
        git ok
        git ok
        gates red
        git ok
        gates green
        git ok
        git ok
        gates red
        git ok
        git ok
        gates green
        git ok",
        expect![[r#"
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed a (200)
              sprint_velocity_updated
              merge_started
            > git ok
              merge_prepared
            > gates red
              merge_split
              merge_started
            > git ok
              merge_prepared
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed b (400)
              sprint_velocity_updated
              task_completed c (600)
              sprint_velocity_updated
              merge_started
            > git ok
              merge_prepared
            > gates red
              quality_gate_status
              work_rejected d counts true: gate `tests` failed (exit code 1): sh test.sh

              retry_scheduled d in 1.0s
              merge_started
            > git ok
              work_salvaged
            > git ok
              merge_prepared
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed e (800)
              sprint_velocity_updated
        "#]],
    );
}

#[test]
fn a_conflict_among_them_blames_nobody_before_it_is_one_alone() {
    tell(
        "gates green
        git ok
        git conflict
        git ok
        gates green
        git ok
        git conflict",
        expect![[r#"
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed a (200)
              sprint_velocity_updated
              merge_started
            > git conflict
              merge_split
              merge_started
            > git ok
              merge_prepared
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed b (400)
              sprint_velocity_updated
              task_completed c (600)
              sprint_velocity_updated
              merge_started
            > git conflict
              merge_conflicted
              work_rejected d counts false: its work conflicts with what was merged since, in lib.rs; resolve the conflict
              task_reassigned d to engineer-4
              merge_started
        "#]],
    );
}
