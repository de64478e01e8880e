//! The engine's rules about people and trouble as stories: a script of what comes in, and what the engine makes of it.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected.

use director_protocols::sprint::SprintSpec;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

/// A sprint with an engineer, a designer who is a person, and what `more` says.
fn people(more: &str) -> SprintSpec {
    sprint(
        &format!(
            r#"
[sprint]
id = "s"
[team]
only = true
[team.engineer]
agent = "worker"
kinds = ["feature"]
covers = ["design"]
[team.designer]
agent = "person"
kinds = ["design"]
{more}
"#
        ),
        &["worker"],
    )
}

const DESIGN: &str = r#"
[[task]]
id = "logo"
kind = "design"
expects = "nothing"
acceptance = ["it is round"]
[[task]]
id = "page"
kind = "feature"
depends_on = ["logo"]
"#;

fn tell(spec: SprintSpec, script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![spec]).run(script));
}

#[test]
fn what_a_person_gets_waits_in_the_inbox_and_the_answer_is_its_end() {
    for (script, expected) in [
        (
            "submit
            up
            reopen
            approve 1",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                  task_assigned logo to designer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  inbox_opened 1: logo
                It is accepted when: it is round
                > up
                  agent_up engineer-1
                > reopen
                  epoch_opened
                > approve 1
                  inbox_answered 1: yes by ada
                  attempt_ended logo done
                  quality_gate_status
                  task_completed logo (500)
                  handoff_sent logo to page
                  sprint_velocity_updated
            "#]],
        ),
        (
            "submit
            up
            reject 1
            answer 2
            answer 3",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                  task_assigned logo to designer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  inbox_opened 1: logo
                It is accepted when: it is round
                > up
                  agent_up engineer-1
                > reject 1
                  inbox_answered 1: no: not like this by ada
                  attempt_ended logo blocked
                  blocker_raised logo high (reported medium, critical path true), goes up never
                  inbox_opened 2: not like this
                > answer 2
                  inbox_answered 2: go on by ada
                  blocker_resolved
                  task_assigned logo to designer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
                  inbox_opened 3: logo
                It is accepted when: it is round
                go on
                The attempt before ended so: blocked: not like this
                > answer 3
                  inbox_answered 3: go on by ada
                  attempt_ended logo done
                  quality_gate_status
                  task_completed logo (500)
                  handoff_sent logo to page
                  sprint_velocity_updated
                  task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            "#]],
        ),
        (
            "submit
            up
            reassign logo engineer-1
            answer 1
            start logo",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                  task_assigned logo to designer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  inbox_opened 1: logo
                It is accepted when: it is round
                > up
                  agent_up engineer-1
                > reassign logo engineer-1
                  attempt_ended logo cancelled
                  inbox_closed 1: the attempt that asked is over
                  task_reassigned logo to engineer-1
                  task_assigned logo to engineer-1 as attempt 2: 592 = 600 expertise, 975 capacity, 0 continuity
                > answer 1
                  no: nothing numbered 1 waits in the inbox; `director inbox` lists what does
                > start logo
                  attempt_started
            "#]],
        ),
    ] {
        tell(people(DESIGN), script, expected);
    }
}

#[test]
fn what_nobody_answers_in_time_is_done_by_default_or_reminded_of() {
    for (rule, script, expected) in [
        (
            "[inbox]\ntask = { within = \"1h\" }",
            "submit
            tick 3600s
            reopen
            tick 1800s
            tick 1800s
            approve 1
            tick 3600s",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                  task_assigned logo to designer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  inbox_opened 1: logo
                It is accepted when: it is round
                > tick 3600s
                  inbox_reminded 1 again in 1h00m
                > reopen
                  epoch_opened
                > tick 1800s
                > tick 1800s
                  inbox_reminded 1 again in 1h00m
                > approve 1
                  inbox_answered 1: yes by ada
                  attempt_ended logo done
                  quality_gate_status
                  task_completed logo (500)
                  handoff_sent logo to page
                  sprint_velocity_updated
                > tick 3600s
            "#]],
        ),
        (
            "[inbox]\ntask = { within = \"1h\", default = \"reject\", text = \"no time\" }",
            "submit
            tick 3599s
            tick 1s",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                  task_assigned logo to designer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  inbox_opened 1: logo
                It is accepted when: it is round
                > tick 3599s
                > tick 1s
                  inbox_answered 1: no: no time by director (nobody answered in time)
                  attempt_ended logo blocked
                  blocker_raised logo high (reported medium, critical path true), goes up never
                  inbox_opened 2: no time
            "#]],
        ),
        (
            "[inbox]\nquestion = { within = \"10m\", default = \"answer\", text = \"the blue one\" }",
            "submit
            up
            approve 1
            start page
            ask page person
            tick 600s
            hear",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                  task_assigned logo to designer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  inbox_opened 1: logo
                It is accepted when: it is round
                > up
                  agent_up engineer-1
                > approve 1
                  inbox_answered 1: yes by ada
                  attempt_ended logo done
                  quality_gate_status
                  task_completed logo (500)
                  handoff_sent logo to page
                  sprint_velocity_updated
                  task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                > start page
                  attempt_started
                  handoff_accepted
                > ask page person
                  question_asked
                  inbox_opened 2: which way?
                > tick 600s
                  inbox_answered 2: the blue one by director (nobody answered in time)
                  question_answered by director (nobody answered in time): the blue one
                > hear
                  message_delivered
            "#]],
        ),
    ] {
        tell(people(&format!("{rule}\n{DESIGN}")), script, expected);
    }
}

#[test]
fn who_asked_to_be_told_is_told_once_for_each_event_also_after_a_restart() {
    let notify = "[notify]\nrun = \"notify-send\"\n";
    tell(
        people(&format!("{notify}{DESIGN}")),
        "submit
        reopen
        told
        approve 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
              task_assigned logo to designer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              inbox_opened 1: logo
            It is accepted when: it is round
            > reopen
              epoch_opened
            > told
              stakeholder_informed notify of inbox_opened
            > approve 1
              inbox_answered 1: yes by ada
              attempt_ended logo done
              quality_gate_status
              task_completed logo (500)
              handoff_sent logo to page
              sprint_velocity_updated
        "#]],
    );
}
