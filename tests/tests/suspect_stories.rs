//! Tasks that are at work whenever the director ends without a stop: whoever is to blame is found, and nobody else pays.

use director_protocols::sprint::SprintSpec;
use director_tests::engineers;
use director_tests::script::Script;
use expect_test::{Expect, expect};

fn team() -> SprintSpec {
    engineers(2, &["a", "b", "c"], "")
}

fn tell(script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![team()]).run(script));
}

#[test]
fn the_one_that_is_at_work_alone_each_time_is_quarantined_and_the_others_are_done() {
    tell(
        "submit
        up
        start a
        start b
        reopen
        up
        start a
        start b
        reopen
        up
        start c
        done c
        start a
        done a
        start b
        reopen
        up
        start b
        reopen
        up
        start b
        reopen
        ",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > start a
              attempt_started
            > start b
              attempt_started
            > reopen
              epoch_opened
              attempt_cut
              attempt_cut
              attempt_ended a interrupted
              attempt_ended b interrupted
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > start a
              attempt_started
            > start b
              attempt_started
            > reopen
              epoch_opened
              attempt_cut
              attempt_cut
              attempt_ended a interrupted
              attempt_ended b interrupted
            > up
              agent_up engineer-1
              task_assigned c to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
            > start c
              attempt_started
            > done c
              attempt_ended c done
              quality_gate_status
              task_completed c (333)
              sprint_velocity_updated
              task_assigned a to engineer-1 as attempt 3: 985 = 1000 expertise, 950 capacity, 1000 continuity
            > start a
              attempt_started
            > done a
              attempt_ended a done
              quality_gate_status
              task_completed a (666)
              sprint_velocity_updated
              task_assigned b to engineer-2 as attempt 3: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > start b
              attempt_started
            > reopen
              epoch_opened
              attempt_cut
              attempt_ended b interrupted
            > up
              agent_up engineer-1
              task_assigned b to engineer-1 as attempt 4: 777 = 1000 expertise, 925 capacity, 0 continuity
              agent_up engineer-2
            > start b
              attempt_started
            > reopen
              epoch_opened
              attempt_cut
              attempt_ended b interrupted
            > up
              agent_up engineer-1
              task_assigned b to engineer-1 as attempt 5: 977 = 1000 expertise, 925 capacity, 1000 continuity
              agent_up engineer-2
            > start b
              attempt_started
            > reopen
              epoch_opened
              attempt_cut
              attempt_ended b interrupted
              task_quarantined b: the director ended without a stop 5 times in a row while it was at work, the last 3 of them with nothing else at work: it may kill what started it, or take all the memory there is
              sprint_ended incomplete
        "#]],
    );
}

#[test]
fn an_end_while_others_work_and_a_stop_in_order_say_nothing_against_a_task() {
    // An assignment that is still on its way was not at work, and one that failed has shown that it can end.
    tell(
        "submit
        up
        start a
        reopen
        up
        start a
        fail a
        reopen
        up
        tick 60s
        ",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > start a
              attempt_started
            > reopen
              epoch_opened
              attempt_cut
              attempt_ended a interrupted
              attempt_ended b interrupted
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > start a
              attempt_started
            > fail a
              attempt_ended a failed
              retry_scheduled a in 1.0s
              task_assigned c to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > reopen
              epoch_opened
              attempt_ended c interrupted
              attempt_ended b interrupted
            > up
              agent_up engineer-1
              task_assigned b to engineer-1 as attempt 3: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned c to engineer-2 as attempt 2: 792 = 1000 expertise, 975 capacity, 0 continuity
            > tick 60s
              retry_due
        "#]],
    );
}
