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
                Assigning Task: logo
                Type: design
                Priority: MEDIUM
                Dependencies: none
                Estimated Effort: 1h
                Acceptance Criteria:
                - it is round
                Resources:
                - Specification: none
                - Design: none
                Expected Completion: none
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
                Assigning Task: logo
                Type: design
                Priority: MEDIUM
                Dependencies: none
                Estimated Effort: 1h
                Acceptance Criteria:
                - it is round
                Resources:
                - Specification: none
                - Design: none
                Expected Completion: none
                > up
                  agent_up engineer-1
                > reject 1
                  inbox_answered 1: no: not like this by ada
                  attempt_ended logo blocked
                  blocker_raised logo high (reported medium, critical path true), goes up in 8h00m
                  inbox_opened 2: not like this
                > answer 2
                  inbox_answered 2: go on by ada
                  blocker_resolved
                  task_assigned logo to designer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
                  inbox_opened 3: logo
                Assigning Task: logo
                Type: design
                Priority: MEDIUM
                Dependencies: none
                Estimated Effort: 1h
                Acceptance Criteria:
                - it is round
                Resources:
                - Specification: none
                - Design: none
                Expected Completion: none
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
                Assigning Task: logo
                Type: design
                Priority: MEDIUM
                Dependencies: none
                Estimated Effort: 1h
                Acceptance Criteria:
                - it is round
                Resources:
                - Specification: none
                - Design: none
                Expected Completion: none
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
                Assigning Task: logo
                Type: design
                Priority: MEDIUM
                Dependencies: none
                Estimated Effort: 1h
                Acceptance Criteria:
                - it is round
                Resources:
                - Specification: none
                - Design: none
                Expected Completion: within 1h00m
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
                Assigning Task: logo
                Type: design
                Priority: MEDIUM
                Dependencies: none
                Estimated Effort: 1h
                Acceptance Criteria:
                - it is round
                Resources:
                - Specification: none
                - Design: none
                Expected Completion: within 1h00m
                > tick 3599s
                > tick 1s
                  inbox_answered 1: no: no time by director (nobody answered in time)
                  attempt_ended logo blocked
                  blocker_raised logo high (reported medium, critical path true), goes up in 8h00m
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
                Assigning Task: logo
                Type: design
                Priority: MEDIUM
                Dependencies: none
                Estimated Effort: 1h
                Acceptance Criteria:
                - it is round
                Resources:
                - Specification: none
                - Design: none
                Expected Completion: none
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
            Assigning Task: logo
            Type: design
            Priority: MEDIUM
            Dependencies: none
            Estimated Effort: 1h
            Acceptance Criteria:
            - it is round
            Resources:
            - Specification: none
            - Design: none
            Expected Completion: none
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

/// An engineer and two who can judge.
fn judged(gates: &str, more: &str) -> SprintSpec {
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
[team.reviewer]
agent = "worker"
kinds = ["review"]
[gates]
{gates}
[[task]]
id = "page"
kind = "feature"
{more}
[[task]]
id = "old"
kind = "review"
expects = "nothing"
depends_on = ["page"]
"#
        ),
        &["worker"],
    )
}

#[test]
fn findings_go_back_to_the_author_a_bounded_number_of_times() {
    for (gates, script, expected) in [
        (
            "review = { by = \"reviewer\", rounds = 2 }",
            "submit
            up
            start page
            done page
            start page.review
            reopen
            up
            start page.review
            found page.review
            start page
            done page
            start page.review-2
            found page.review-2
            answer 1
            start page
            done page
            start page.review-3
            done page.review-3",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up reviewer-1
                > start page
                  attempt_started
                > done page
                  attempt_ended page done
                  task_added page.review by director
                  task_assigned page.review to reviewer-1 as attempt 1: 797 = 1000 expertise, 993 capacity, 0 continuity
                > start page.review
                  attempt_started
                > reopen
                  epoch_opened
                  attempt_cut
                  attempt_ended page.review interrupted
                > up
                  agent_up engineer-1
                  agent_up reviewer-1
                  task_assigned page.review to reviewer-1 as attempt 2: 997 = 1000 expertise, 993 capacity, 1000 continuity
                > start page.review
                  attempt_started
                > found page.review
                  attempt_ended page.review done
                  gate_judged review of page: Failed by reviewer-1
                  work_reviewed page round 1: false
                  work_rejected page counts false: found: `review`, judged by reviewer-1:
                it is not round
                  task_reassigned page to engineer-1
                  task_assigned page to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
                > start page
                  attempt_started
                > done page
                  attempt_ended page done
                  task_added page.review-2 by director
                  task_assigned page.review-2 to reviewer-1 as attempt 1: 796 = 1000 expertise, 987 capacity, 0 continuity
                > start page.review-2
                  attempt_started
                > found page.review-2
                  attempt_ended page.review-2 done
                  gate_judged review of page: Failed by reviewer-1
                  work_reviewed page round 2: false
                  work_rejected page counts false: found: `review`, judged by reviewer-1:
                it is not round
                  blocker_raised page high (reported high, critical path true), goes up in 8h00m
                  inbox_opened 1: after 2 rounds the work is still not accepted; say how to go on, or override the gate. found: `review`, judged by reviewer-1:
                it is not round
                > answer 1
                  inbox_answered 1: go on by ada
                  blocker_resolved
                  task_assigned page to engineer-1 as attempt 3: 992 = 1000 expertise, 975 capacity, 1000 continuity
                > start page
                  attempt_started
                > done page
                  attempt_ended page done
                  task_added page.review-3 by director
                  task_assigned page.review-3 to reviewer-1 as attempt 1: 794 = 1000 expertise, 981 capacity, 0 continuity
                > start page.review-3
                  attempt_started
                > done page.review-3
                  attempt_ended page.review-3 done
                  gate_judged review of page: Passed by reviewer-1
                  work_reviewed page round 3: true
                  quality_gate_status
                  task_completed page (500)
                  handoff_sent page to old
                  sprint_velocity_updated
                  task_assigned old to reviewer-1 as attempt 1: 786 = 1000 expertise, 956 capacity, 0 continuity
            "#]],
        ),
        (
            "review = { by = \"person\" }\ndocs = { by = \"reviewer\" }",
            "submit
            up
            start page
            done page
            answer 1
            reject 1
            start page.docs
            done page.docs
            start page
            done page
            approve 2
            override page docs",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up reviewer-1
                > start page
                  attempt_started
                > done page
                  attempt_ended page done
                  inbox_opened 1: Judge the work on task page (page).
                Its author says:
                > done
                This is the gate `review`: approve it to let the work pass, or reject it with the reason, which goes to the author.
                  task_added page.docs by director
                  task_assigned page.docs to reviewer-1 as attempt 1: 797 = 1000 expertise, 993 capacity, 0 continuity
                > answer 1
                  no: the answer is not usable: a gate is approved or rejected: `director approve ID`, `director reject ID REASON`
                > reject 1
                  inbox_answered 1: no: not like this by ada
                  gate_judged review of page: Failed by ada
                > start page.docs
                  attempt_started
                > done page.docs
                  attempt_ended page.docs done
                  gate_judged docs of page: Passed by reviewer-1
                  work_reviewed page round 1: false
                  work_rejected page counts false: found: `review`, judged by ada:
                not like this
                  task_reassigned page to engineer-1
                  task_assigned page to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
                > start page
                  attempt_started
                > done page
                  attempt_ended page done
                  inbox_opened 2: Judge the work on task page (page).
                Its author says:
                > done
                In the round before, this was found:
                > `review`, judged by ada:
                > not like this
                See whether each of these is dealt with.
                This is the gate `review`: approve it to let the work pass, or reject it with the reason, which goes to the author.
                  task_added page.docs-2 by director
                  task_assigned page.docs-2 to reviewer-1 as attempt 1: 796 = 1000 expertise, 987 capacity, 0 continuity
                > approve 2
                  inbox_answered 2: yes by ada
                  gate_judged review of page: Passed by ada
                > override page docs
                  gate_overridden
                  task_cancelled page.docs-2
                  work_reviewed page round 2: true
                  quality_gate_status
                  task_completed page (500)
                  handoff_sent page to old
                  sprint_velocity_updated
            "#]],
        ),
        (
            "review = { by = \"reviewer\" }",
            "submit
            up
            start page
            done page
            cancel page.review
            cancel page",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up reviewer-1
                > start page
                  attempt_started
                > done page
                  attempt_ended page done
                  task_added page.review by director
                  task_assigned page.review to reviewer-1 as attempt 1: 797 = 1000 expertise, 993 capacity, 0 continuity
                > cancel page.review
                  task_cancelled page.review
                  inbox_opened 1: page.review could not judge it (cancelled by ada). Judge the work on task page (page).
                Its author says:
                > done
                This is the gate `review`: approve it to let the work pass, or reject it with the reason, which goes to the author.
                > cancel page
                  task_cancelled page
                  inbox_closed 1: no verdict is wanted any more
                  task_cancelled old
            "#]],
        ),
    ] {
        tell(judged(gates, ""), script, expected);
    }
}

#[test]
fn each_criterion_is_answered_with_evidence_or_the_gate_says_so() {
    for (gates, script, expected) in [
        (
            "acceptance = true",
            "submit
            up
            start page
            done page
            tick 1s
            override page acceptance
            start page
            done page",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up reviewer-1
                > start page
                  attempt_started
                > done page
                  attempt_ended page done
                  quality_gate_status
                  work_rejected page counts true: gate `acceptance` failed: 0 of 1 criteria answered with evidence
                no answer: it is round
                  retry_scheduled page in 1.0s
                > tick 1s
                  retry_due
                  task_assigned page to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
                > override page acceptance
                  gate_overridden
                > start page
                  attempt_started
                > done page
                  attempt_ended page done
                  quality_gate_status
                  task_completed page (500)
                  handoff_sent page to old
                  sprint_velocity_updated
                  task_assigned old to reviewer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            "#]],
        ),
        (
            "",
            "submit
            up
            start page
            done page",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up reviewer-1
                > start page
                  attempt_started
                > done page
                  attempt_ended page done
                  quality_gate_status
                  task_completed page (500)
                  handoff_sent page to old
                  sprint_velocity_updated
                  task_assigned old to reviewer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            "#]],
        ),
    ] {
        let spec = judged(gates, "acceptance = [\"it is round\"]");
        tell(spec, script, expected);
    }
}

/// Two engineers and people who test; `tasks` is the rest of the file.
fn scope(tasks: &str) -> SprintSpec {
    sprint(
        &format!(
            r#"
[sprint]
id = "s"
[team]
only = true
[team.engineer]
count = 2
agent = "worker"
kinds = ["feature", "bug_fix"]
[team.qa]
agent = "person"
kinds = ["qa"]
{tasks}
"#
        ),
        &["worker"],
    )
}

#[test]
fn a_changed_file_changes_what_is_not_done_and_calls_off_what_is_not_wanted() {
    let before = r#"
[[task]]
id = "done"
[[task]]
id = "busy"
hours = 2
[[task]]
id = "gone"
[[task]]
id = "later"
depends_on = ["done", "gone"]
"#;
    let after = r#"
[[task]]
id = "done"
title = "done otherwise"
[[task]]
id = "busy"
hours = 6
description = "in blue"
[[task]]
id = "later"
priority = "high"
depends_on = ["done", "new"]
[[task]]
id = "new"
[[task]]
id = "newer"
depends_on = ["new"]
"#;
    expect![[r#"
        > submit
          sprint_submitted
          sprint_initialized
        > up
          agent_up engineer-1
          task_assigned done to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
          agent_up engineer-2
          task_assigned busy to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
        > start done
          attempt_started
        > done done
          attempt_ended done done
          quality_gate_status
          task_completed done (250)
          handoff_sent done to later
          sprint_velocity_updated
          task_assigned gone to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
        > start busy
          attempt_started
        > replan
          task_added new by ada
          task_added newer by ada
          task_changed busy: estimate, content
          task_reassigned busy to engineer-2
          task_changed later: dependencies, priority
          task_cancelled gone
          sprint_replanned +2 ~2 -1
        > called off busy
          attempt_ended busy cancelled
          task_assigned busy to engineer-2 as attempt 2: 955 = 1000 expertise, 850 capacity, 1000 continuity
        > replan
    "#]].assert_eq(
        &Script::new(vec![scope(before), scope(after), scope(after)]).run(
            "submit
            up
            start done
            done done
            start busy
            replan
            called off busy
            replan",
        ),
    );
}

#[test]
fn what_others_send_does_something_or_says_why_not() {
    let tasks = r#"
[[task]]
id = "page"
feature = "shop"
test_requirements = ["in three browsers"]
acceptance = ["it is round"]
[[task]]
id = "side"
"#;
    tell(
        scope(tasks),
        r#"submit
        up
        start page
        send qa_testing_required {"feature": "shop"}
        send agent_task_completed {"task_id": "page", "summary": "made it round"}
        reject 1
        send qa_testing_required {"feature": "shop"}
        approve 2
        send devops_deployment_ready {}
        send agent_blocked {"task_id": "side", "text": "no key", "severity": "high"}
        send product_requirements_changed {"add": [{"id": "extra", "depends_on": ["side"]}], "change": [{"id": "side", "hours": 3}]}
        send critical_bug_discovered {"task": {"id": "hole", "hours": 2}, "found_in": "page"}
        send critical_bug_discovered {"task": {"id": "spot"}, "found_in": "page", "severity": "low"}
        start hole
        done hole
        send critical_bug_discovered {"task": {"id": "hole"}}
        send product_requirements_changed {"drop": ["side"]}
        send product_requirements_changed {"drop": ["side", "extra", "spot"]}"#,
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned side to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > start page
              attempt_started
            > send qa_testing_required {"feature": "shop"}
              no: `shop` is not ready: task page is working
            > send agent_task_completed {"task_id": "page", "summary": "made it round"}
              agent_task_completed
              attempt_ended page done
              quality_gate_status
              task_completed page (500)
              sprint_velocity_updated
              qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["in three browsers", "accepted when: it is round"], deployment_requirements: [], documentation: [] }
              inbox_opened 1: A package for qa: feature shop
            test: in three browsers
            test: accepted when: it is round
            > reject 1
              inbox_answered 1: no: not like this by ada
              package_answered 1 false
            > send qa_testing_required {"feature": "shop"}
              qa_testing_required
              qa_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: ["in three browsers", "accepted when: it is round"], deployment_requirements: [], documentation: [] }
              inbox_opened 2: A package for qa: feature shop
            test: in three browsers
            test: accepted when: it is round
            > approve 2
              inbox_answered 2: yes by ada
              package_answered 2 true
            > send devops_deployment_ready {}
              no: the sprint is not ready: task side is assigned
            > send agent_blocked {"task_id": "side", "text": "no key", "severity": "high"}
              agent_blocked
              attempt_ended side blocked
              blocker_raised side high (reported high, critical path true), goes up in 8h00m
              inbox_opened 3: no key
            > send product_requirements_changed {"add": [{"id": "extra", "depends_on": ["side"]}], "change": [{"id": "side", "hours": 3}]}
              product_requirements_changed
              task_added extra by ada
              task_changed side: estimate
              sprint_replanned +1 ~1 -0
            > send critical_bug_discovered {"task": {"id": "hole", "hours": 2}, "found_in": "page"}
              critical_bug_discovered
              task_added hole by ada
              engineering_emergency: 2h00m later, hole mends a critical bug and 0 tasks wait for it; all work that is not critical is paused. If that lasts 2h00m, 6h00m of work are left instead of 4h00m: the sprint ends 2h00m later
              incident_opened
              incident_step_filled impact: hole mends a critical bug and 0 tasks wait for it; all work that is not critical is paused. If that lasts 2h00m, 6h00m of work are left instead of 4h00m: the sprint ends 2h00m later
              incident_step_filled mitigation: all work that is not critical is paused; of it, 0 at work goes on to its end
              incident_step_filled escalation: told: whoever answers the inbox
              task_assigned hole to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
            > send critical_bug_discovered {"task": {"id": "spot"}, "found_in": "page", "severity": "low"}
              critical_bug_discovered
              task_added spot by ada
            > start hole
              attempt_started
            > done hole
              attempt_ended hole done
              quality_gate_status
              task_completed hole (400)
              sprint_velocity_updated
              emergency_resolved, then spot
              incident_step_filled recovery: hole is completed; goes on in this order: spot
              task_assigned spot to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
            > send critical_bug_discovered {"task": {"id": "hole"}}
              no: sprint `s` cannot run: there is a task `hole` already
            > send product_requirements_changed {"drop": ["side"]}
              no: sprint `s` cannot run: task `extra` waits for `side`; drop it too, or use `director replan`
            > send product_requirements_changed {"drop": ["side", "extra", "spot"]}
              product_requirements_changed
              blocker_resolved
              inbox_closed 3: the blocker is resolved by ada
              task_cancelled side
              task_cancelled extra
              task_cancelled spot
              sprint_replanned +0 ~0 -3
        "#]],
    );
}
