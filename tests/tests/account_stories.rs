//! A provider that takes no more requests: all work of its account waits for the same moment, and nobody is blamed.

use director_protocols::sprint::SprintSpec;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

/// Two engineers and a reviewer on one account, a writer on another.
fn team() -> SprintSpec {
    sprint(
        r#"
[sprint]
id = "s"
[limits]
attempts_max = 2
[agent.coder]
kind = "worker"
account = "acme"
[team]
only = true
[team.engineer]
agent = "coder"
count = 2
kinds = ["feature"]
[team.tester]
agent = "coder"
kinds = ["testing"]
[team.writer]
agent = "worker"
kinds = ["documentation"]
[[task]]
id = "pay"
expects = "nothing"
[[task]]
id = "cart"
expects = "nothing"
[[task]]
id = "try"
kind = "testing"
expects = "nothing"
[[task]]
id = "words"
kind = "documentation"
expects = "nothing"
"#,
        &["worker"],
    )
}

fn tell(script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![team()]).run(script));
}

#[test]
fn the_first_that_is_turned_away_parks_the_account_and_all_go_on_at_its_time() {
    tell(
        "submit
        up
        limited pay 20m
        limited cart
        done words
        reopen
        up
        tick 1199s
        tick 1s
        done pay
        done cart
        done try",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
              task_assigned try to tester-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up writer-1
              task_assigned words to writer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > limited pay 20m
              attempt_ended pay limited
              account_parked acme for 20m00s by pay
            > limited cart
              attempt_ended cart limited
            > done words
              attempt_ended words done
              quality_gate_status
              task_completed words (250)
              sprint_velocity_updated
            > reopen
              epoch_opened
              attempt_ended try interrupted
            > up
              agent_up engineer-1
              agent_up engineer-2
              agent_up tester-1
              agent_up writer-1
            > tick 1199s
            > tick 1s
              account_freed acme by director
              task_assigned pay to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
              task_assigned cart to engineer-2 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
              task_assigned try to tester-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > done pay
              attempt_ended pay done
              quality_gate_status
              task_completed pay (500)
              sprint_velocity_updated
            > done cart
              attempt_ended cart done
              quality_gate_status
              task_completed cart (750)
              sprint_velocity_updated
            > done try
              attempt_ended try done
              quality_gate_status
              task_completed try (1000)
              sprint_velocity_updated
              sprint_ended done
        "#]],
    );
}

#[test]
fn where_no_time_is_said_the_waits_double_and_a_person_may_know_better() {
    tell(
        "submit
        up
        done cart
        done try
        done words
        limited pay
        tick 300s
        limited pay
        tick 600s
        limited pay
        free nobody
        free acme
        done pay
        free acme",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
              task_assigned try to tester-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up writer-1
              task_assigned words to writer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > done cart
              attempt_ended cart done
              quality_gate_status
              task_completed cart (250)
              sprint_velocity_updated
            > done try
              attempt_ended try done
              quality_gate_status
              task_completed try (500)
              sprint_velocity_updated
            > done words
              attempt_ended words done
              quality_gate_status
              task_completed words (750)
              sprint_velocity_updated
            > limited pay
              attempt_ended pay limited
              account_parked acme for 5m00s by pay, a guess
            > tick 300s
              account_freed acme by director
              task_assigned pay to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > limited pay
              attempt_ended pay limited
              account_parked acme for 10m00s by pay, a guess
            > tick 600s
              account_freed acme by director
              task_assigned pay to engineer-1 as attempt 3: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > limited pay
              attempt_ended pay limited
              account_parked acme for 20m00s by pay, a guess
            > free nobody
              no: no provider has turned the account `nobody` away; those that wait are `acme`
            > free acme
              account_freed acme by ada
              task_assigned pay to engineer-1 as attempt 4: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > done pay
              attempt_ended pay done
              quality_gate_status
              task_completed pay (1000)
              sprint_velocity_updated
              sprint_ended done
            > free acme
        "#]],
    );
}

#[test]
fn a_task_that_is_turned_away_for_ever_has_failed_in_the_end() {
    let mut script = Script::new(vec![team()]);
    let lines = "submit\nup\ndone cart\ndone try\ndone words\n";
    let mut told = script.run(lines);
    // As often as a provider turns away the same task without a word in between.
    for _ in 0..60 {
        told = script.go_on("limited pay 1m\ntick 60s");
        if told.contains("task_failed") {
            break;
        }
    }
    assert!(told.contains("task_failed pay"), "{told}");
}
