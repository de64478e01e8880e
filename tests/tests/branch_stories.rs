//! What the engine makes of an integration branch that somebody else moved: nobody's attempt is spent on it, and a person says what is right.

use director_protocols::sprint::SprintSpec;
use director_tests::engineers;
use director_tests::script::Script;
use expect_test::{Expect, expect};

/// Two engineers on tasks that are tried once, in a repository with a gate.
fn team(tasks: &[&str]) -> SprintSpec {
    let more =
        "repo = \"repo\"\n[limits]\nattempts_max = 1\n[gates]\ntests = { run = \"sh test.sh\" }";
    engineers(2, tasks, more)
}

/// A script up to where `a` is to be merged while `b` is at work, and the merge finds the branch elsewhere.
const HALTED: &str = "submit
    git ok
    gates green
    up
    git ok
    git ok
    start a
    start b
    done a
    git ok
    git moved
    ";

fn tell(tasks: &[&str], before: &str, script: &str, expected: Expect) {
    let mut told = Script::new(vec![team(tasks)]);
    told.run(before);
    expected.assert_eq(&told.go_on(script));
}

#[test]
fn what_runs_goes_on_and_all_else_waits_for_a_yes() {
    let before = HALTED.replace("git moved\n", "");
    tell(
        &["a", "b"],
        &before,
        "git moved
        done b
        git ok
        tick 60s
        reopen
        up
        approve 1
        git no
        approve 2
        git ok
        git ok
        gates green
        git ok
        git ok
        gates green
        git ok
        ",
        expect![[r#"
            > git moved
              branch_moved
              incident_opened
              inbox_opened 1: `refs/heads/sprint/s` should be at base and is at elsewhere: somebody else moved it. On it, and not of the director: theirs. Nothing is handed out or merged before you have said what is right: a yes puts it back; what it is at is kept below `refs/director/salvage/s/`, the answer `go on` goes on from where it is, a no calls the sprint off.
            > done b
              attempt_ended b done
            > git ok
              work_committed
            > tick 60s
            > reopen
              epoch_opened
            > up
              agent_up engineer-1
              agent_up engineer-2
            > approve 1
              inbox_answered 1: yes by ada
            > git no
              branch_moved
              incident_opened
              inbox_opened 2: `refs/heads/sprint/s` should be at base and is at elsewhere: somebody else moved it. It could not be put back: git said no. Nothing is handed out or merged before you have said what is right: a yes puts it back; what it is at is kept below `refs/director/salvage/s/`, the answer `go on` goes on from where it is, a no calls the sprint off.
            > approve 2
              inbox_answered 2: yes by ada
            > git ok
              branch_restored
              merge_started
            > git ok
              merge_prepared
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed a (500)
              sprint_velocity_updated
              merge_started
            > git ok
              merge_prepared
            > gates green
              quality_gate_status
            > git ok
              merge_completed
              task_completed b (1000)
              sprint_velocity_updated
              sprint_ended done
        "#]],
    );
}

#[test]
fn a_person_can_go_on_from_there_or_call_it_off() {
    tell(
        &["a", "b"],
        HALTED,
        "answer 1\ngit ok\ngates green\ngit ok",
        expect![[r#"
        > answer 1
          inbox_answered 1: go on by ada
          branch_restored
          merge_started
        > git ok
          merge_prepared
        > gates green
          quality_gate_status
        > git ok
          merge_completed
          task_completed a (500)
          sprint_velocity_updated
    "#]],
    );
    tell(
        &["a", "b"],
        HALTED,
        "reject 1\ncalled off b\ngit ok\ngit ok\ngit ok",
        expect![[r#"
            > reject 1
              inbox_answered 1: no: not like this by ada
              sprint_cancelled
              task_cancelled a
              task_cancelled b
            > called off b
              attempt_ended b cancelled
            > git ok
              work_salvaged
            > git ok
              work_salvaged
              sprint_ended cancelled
            > git ok
              worktrees_removed
        "#]],
    );
    tell(
        &["a", "b"],
        HALTED,
        "cancel\ncalled off b\ngit ok\ngit ok\ngit ok",
        expect![[r#"
            > cancel
              sprint_cancelled
              inbox_closed 1: the sprint is cancelled
              task_cancelled a
              task_cancelled b
            > called off b
              attempt_ended b cancelled
            > git ok
              work_salvaged
            > git ok
              work_salvaged
              sprint_ended cancelled
            > git ok
              worktrees_removed
        "#]],
    );
}

#[test]
fn an_attempt_that_cannot_begin_is_no_attempt() {
    let before = "submit\ngit ok\ngates green\nup\n";
    tell(
        &["a", "b", "c"],
        before,
        "git moved\ngit moved\ngit ok\ngit ok\ncancel a\napprove 1\ngit ok\ngit ok\ngit ok",
        expect![[r#"
            > git moved
              attempt_ended a cancelled
              branch_moved
              incident_opened
              inbox_opened 1: `refs/heads/sprint/s` should be at base and is at elsewhere: somebody else moved it. On it, and not of the director: theirs. Nothing is handed out or merged before you have said what is right: a yes puts it back; what it is at is kept below `refs/director/salvage/s/`, the answer `go on` goes on from where it is, a no calls the sprint off.
            > git moved
              attempt_ended b cancelled
            > git ok
              work_salvaged
            > git ok
              work_salvaged
            > cancel a
              task_cancelled a
            > approve 1
              inbox_answered 1: yes by ada
            > git ok
              branch_restored
              task_assigned b to engineer-2 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
              task_assigned c to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > git ok
              worktree_prepared
            > git ok
              worktree_prepared
        "#]],
    );
}
