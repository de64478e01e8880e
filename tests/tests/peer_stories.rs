//! The engine's rules about Product, QA and DevOps as stories: what goes to them, in which way, and what their answer changes.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected.

use director_protocols::sprint::SprintSpec;
use director_protocols::unclear::{About, Question};
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

/// An engineer, somebody who tests, and one feature of one task, with `ways` written.
fn with(ways: &str) -> SprintSpec {
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
[team.tester]
agent = "worker"
kinds = ["testing"]
{ways}
[[task]]
id = "pay"
feature = "shop"
expects = "nothing"
acceptance = ["a card can be charged"]
test_requirements = ["pay with a card that is refused"]
[[task]]
id = "later"
feature = "other"
expects = "nothing"
"#
        ),
        &["worker"],
    )
}

fn tell(spec: SprintSpec, script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![spec]).run(script));
}

#[test]
fn a_webhook_that_fails_is_tried_again_and_at_last_left_to_a_person() {
    tell(
        with("[webhooks]\ntries_max = 3\n[peer.qa]\nwebhook = \"https://qa.example.org/\""),
        "submit
        up
        start pay
        done pay
        told answered 503
        reopen
        tick 1s
        tick 1s
        told answered 503
        tick 4s
        reopen
        told answered 503
        tick 3600s
        reject 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
            > start pay
              attempt_started
            > done pay
              attempt_ended pay done
              quality_gate_status
              task_completed pay (500)
              sprint_velocity_updated
              qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["pay with a card that is refused", "accepted when: a card can be charged"], deployment_requirements: [], documentation: [] }
              inbox_opened 1: A package for qa: feature shop
            test: pay with a card that is refused
            test: accepted when: a card can be charged
              task_assigned later to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
            > told answered 503
              delivery_failed qa could not be told of qa_handoff_ready (try 1): answered 503; again at 00:16:42Z
            > reopen
              epoch_opened
              attempt_ended later interrupted
            > tick 1s
            > tick 1s
              delivery_retried what is 7.0 is posted again
            > told answered 503
              delivery_failed qa could not be told of qa_handoff_ready (try 2): answered 503; again at 00:16:46Z
            > tick 4s
              delivery_retried what is 7.0 is posted again
            > reopen
              epoch_opened
            > told answered 503
              delivery_failed qa could not be told of qa_handoff_ready (try 3): answered 503; it is left to a person
              inbox_opened 2: qa could not be told of qa_handoff_ready (tried 3 times): answered 503. Tell them yourself; what waits for their answer waits here too.
            > tick 3600s
            > reject 1
              inbox_answered 1: no: not like this by ada
              package_answered 1 false
        "#]],
    );
}

#[test]
fn what_a_peer_answers_is_the_answer_and_one_that_comes_late_changes_nothing() {
    for (ways, script, expected) in [
        (
            "[peer.qa]\nwebhook = \"https://qa.example.org/\"",
            "submit
            up
            start pay
            done pay
            said no it does not start
            told",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up tester-1
                > start pay
                  attempt_started
                > done pay
                  attempt_ended pay done
                  quality_gate_status
                  task_completed pay (500)
                  sprint_velocity_updated
                  qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["pay with a card that is refused", "accepted when: a card can be charged"], deployment_requirements: [], documentation: [] }
                  inbox_opened 1: A package for qa: feature shop
                test: pay with a card that is refused
                test: accepted when: a card can be charged
                  task_assigned later to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
                > said no it does not start
                  inbox_answered 1: no: it does not start by qa
                  package_answered 1 false
                > told
                  stakeholder_informed qa of qa_handoff_ready
            "#]],
        ),
        (
            "[peer.qa]\nwebhook = \"https://qa.example.org/\"",
            "submit
            up
            start pay
            done pay
            approve 1
            said no it does not start
            told answered 503
            tick 2s",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up tester-1
                > start pay
                  attempt_started
                > done pay
                  attempt_ended pay done
                  quality_gate_status
                  task_completed pay (500)
                  sprint_velocity_updated
                  qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["pay with a card that is refused", "accepted when: a card can be charged"], deployment_requirements: [], documentation: [] }
                  inbox_opened 1: A package for qa: feature shop
                test: pay with a card that is refused
                test: accepted when: a card can be charged
                  task_assigned later to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
                > approve 1
                  inbox_answered 1: yes by ada
                  package_answered 1 true
                > said no it does not start
                > told answered 503
                  delivery_failed qa could not be told of qa_handoff_ready (try 1): answered 503; again at 00:16:42Z
                > tick 2s
                  stakeholder_informed qa of qa_handoff_ready
            "#]],
        ),
        (
            "[ladder]\nhigh = [\"product\"]\n[peer.product]\nwebhook = \"https://product.example.org/\"",
            "submit
            up
            start pay
            stuck pay high
            said words the blue one
            told",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up tester-1
                > start pay
                  attempt_started
                > stuck pay high
                  attempt_ended pay blocked
                  blocker_raised pay high (reported high, critical path true), goes up in 8h00m
                  inbox_opened 1: which way?
                  task_assigned later to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                > said words the blue one
                  inbox_answered 1: the blue one by product
                  blocker_resolved
                > told
                  stakeholder_informed product of inbox_opened
            "#]],
        ),
    ] {
        tell(with(ways), script, expected);
    }
}

#[test]
fn agents_of_a_role_can_be_the_other_team_and_what_they_find_returns_the_package() {
    for (script, expected) in [
        (
            "submit
            up
            start pay
            done pay
            start qa-package-1
            found qa-package-1",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up tester-1
                > start pay
                  attempt_started
                > done pay
                  attempt_ended pay done
                  quality_gate_status
                  task_completed pay (500)
                  sprint_velocity_updated
                  qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["pay with a card that is refused", "accepted when: a card can be charged"], deployment_requirements: [], documentation: [] }
                  task_added qa-package-1 by director
                  task_assigned later to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
                  task_assigned qa-package-1 to tester-1 as attempt 1: 596 = 600 expertise, 987 capacity, 0 continuity
                > start qa-package-1
                  attempt_started
                > found qa-package-1
                  attempt_ended qa-package-1 done
                  package_answered 1 false
            "#]],
        ),
        (
            "submit
            up
            start pay
            done pay
            lose tester
            cancel qa-package-1
            approve 2",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up tester-1
                > start pay
                  attempt_started
                > done pay
                  attempt_ended pay done
                  quality_gate_status
                  task_completed pay (500)
                  sprint_velocity_updated
                  qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["pay with a card that is refused", "accepted when: a card can be charged"], deployment_requirements: [], documentation: [] }
                  task_added qa-package-1 by director
                  task_assigned later to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
                  task_assigned qa-package-1 to tester-1 as attempt 1: 596 = 600 expertise, 987 capacity, 0 continuity
                > lose tester
                  attempt_ended qa-package-1 interrupted
                  agent_down tester-1
                  role_lost
                  inbox_opened 1: The role tester is down after too many restarts (six restarts in a minute). Mend the cause, then answer anything to start it again.
                  team_utilization_alert more to do than they can: tester-1 (down); room: engineer-1 (38h); nothing that waits can move
                > cancel qa-package-1
                  task_cancelled qa-package-1
                  inbox_opened 2: qa-package-1 could not be looked at (cancelled by ada). A package for qa: feature shop
                test: pay with a card that is refused
                test: accepted when: a card can be charged
                > approve 2
                  inbox_answered 2: yes by ada
                  package_answered 1 true
            "#]],
        ),
    ] {
        tell(with("[peer.qa]\nrole = \"tester\""), script, expected);
    }
}

#[test]
fn product_is_shown_what_is_done_and_a_no_becomes_a_task_of_the_feature() {
    for (script, expected) in [
        (
            "submit
            up
            start pay
            done pay
            reject 1
            start later
            done later",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up tester-1
                > start pay
                  attempt_started
                > done pay
                  attempt_ended pay done
                  quality_gate_status
                  task_completed pay (500)
                  sprint_velocity_updated
                  qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["pay with a card that is refused", "accepted when: a card can be charged"], deployment_requirements: [], documentation: [] }
                  product_demo_ready shop can be shown: 1 change, 1 criterion
                  inbox_opened 1: shop can be shown. Say what you make of it: yes, a remark, or no with what has to change.
                change: pay: pay: done
                try it: pay with a card that is refused
                criterion: not answered: a card can be charged
                  task_assigned later to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
                > reject 1
                  inbox_answered 1: no: not like this by ada
                  package_answered 2 false
                  task_added shop-feedback-1 by ada
                  feedback_received ada on shop: not like this (becomes shop-feedback-1)
                > start later
                  attempt_started
                > done later
                  attempt_ended later done
                  quality_gate_status
                  task_completed later (666)
                  sprint_velocity_updated
                  product_demo_ready other can be shown: 1 change, 0 criteria
                  inbox_opened 2: other can be shown. Say what you make of it: yes, a remark, or no with what has to change.
                change: later: later: done
                  task_assigned shop-feedback-1 to engineer-1 as attempt 1: 977 = 1000 expertise, 925 capacity, 1000 continuity
            "#]],
        ),
        (
            "submit
            up
            start pay
            done pay
            answer 1",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up tester-1
                > start pay
                  attempt_started
                > done pay
                  attempt_ended pay done
                  quality_gate_status
                  task_completed pay (500)
                  sprint_velocity_updated
                  qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["pay with a card that is refused", "accepted when: a card can be charged"], deployment_requirements: [], documentation: [] }
                  product_demo_ready shop can be shown: 1 change, 1 criterion
                  inbox_opened 1: shop can be shown. Say what you make of it: yes, a remark, or no with what has to change.
                change: pay: pay: done
                try it: pay with a card that is refused
                criterion: not answered: a card can be charged
                  task_assigned later to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
                > answer 1
                  inbox_answered 1: go on by ada
                  package_answered 2 true
                  feedback_received ada on shop: go on (for the retrospective)
            "#]],
        ),
    ] {
        tell(with("[peer.product]"), script, expected);
    }
}

#[test]
fn who_asked_to_be_told_in_the_inbox_finds_a_notice() {
    tell(
        with("[[stakeholder]]\nname = \"boss\"\non = [\"task_completed\"]\ninbox = true"),
        "submit
        up
        start pay
        done pay
        approve 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
            > start pay
              attempt_started
            > done pay
              attempt_ended pay done
              quality_gate_status
              task_completed pay (500)
              sprint_velocity_updated
              qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["pay with a card that is refused", "accepted when: a card can be charged"], deployment_requirements: [], documentation: [] }
              inbox_opened 1: boss is told (task_completed): pay is completed (50% of the sprint)
              task_assigned later to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
            > approve 1
              inbox_answered 1: yes by ada
        "#]],
    );
}

#[test]
fn a_notice_beside_a_package_has_a_number_of_its_own() {
    tell(
        with(
            "[team.qa]\nagent = \"person\"\n[[stakeholder]]\nname = \"owner\"\non = [\"qa_handoff_ready\"]",
        ),
        "submit
        up
        start pay
        done pay
        reopen
        approve 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
            > start pay
              attempt_started
            > done pay
              attempt_ended pay done
              quality_gate_status
              task_completed pay (500)
              sprint_velocity_updated
              qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["pay with a card that is refused", "accepted when: a card can be charged"], deployment_requirements: [], documentation: [] }
              inbox_opened 1: A package for qa: feature shop
            test: pay with a card that is refused
            test: accepted when: a card can be charged
              inbox_opened 2: owner is told (qa_handoff_ready): a package for qa is ready: feature shop (0 artifacts, 2 test requirements, 0 deployment requirements)
              task_assigned later to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
            > reopen
              epoch_opened
              attempt_ended later interrupted
            > approve 1
              inbox_answered 1: yes by ada
              package_answered 1 true
        "#]],
    );
}

#[test]
fn an_agent_of_product_is_asked_what_is_unclear_once_it_is_there_and_a_person_where_it_says_nothing()
 {
    let mut spec =
        with("[team.product]\nkinds = []\nagent = \"worker\"\n[planning]\nstrict = true");
    let ask = |about, text: &str| Question {
        task: Some(spec.tasks[1].id.clone()),
        about,
        text: text.to_owned(),
    };
    spec.ways.start.questions = vec![
        ask(About::Acceptance, "what has to be true?"),
        ask(About::Estimate, "how long does it take?"),
        ask(About::Design, "where is it?"),
    ];
    tell(
        spec,
        "submit
        up
        hear
        hear
        reopen
        up
        hear nothing
        answer 2
        approve 2
        approve 3",
        expect![[r#"
            > submit
              sprint_submitted
              inbox_opened 1: what has to be true?
              inbox_opened 2: how long does it take?
              inbox_opened 3: where is it?
            > up
              agent_up engineer-1
              agent_up tester-1
              agent_up product-1
              product_asked
              product_asked
              product_asked
            > hear
              message_delivered
              inbox_answered 1: that way by product-1
              task_changed later: acceptance
              sprint_replanned +0 ~1 -0
              question_answered by product-1: that way
            > hear
              message_delivered
              question_answered by product-1: that way
            > reopen
              epoch_opened
            > up
              agent_up engineer-1
              agent_up tester-1
              agent_up product-1
            > hear nothing
              message_delivered
              question_answered by director: product-1 gave no answer
            > answer 2
              no: the answer is not usable: `go on` is no effort; write hours as `4h`, or the best, likely and worst case as `2h 4h 9h`
            > approve 2
              inbox_answered 2: yes by ada
            > approve 3
              inbox_answered 3: yes by ada
              sprint_initialized
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
        "#]],
    );
}
