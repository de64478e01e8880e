//! The tiers of the ladder as stories: a script of what comes in, and what the engine makes of it.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected.

use director_protocols::sprint::SprintSpec;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

fn tell(spec: SprintSpec, script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![spec]).run(script));
}

/// Critical work, work with slack, and two able engineers; `more` says what the ladder does.
fn ladder(more: &str) -> SprintSpec {
    sprint(
        &format!(
            r#"
[sprint]
id = "s"
[team]
only = true
[team.engineer]
count = 3
agent = "worker"
kinds = ["feature"]
{more}
[[task]]
id = "fire"
priority = "critical"
hours = 8
[[task]]
id = "side"
hours = 2
[[task]]
id = "late"
hours = 3
depends_on = ["fire"]
"#
        ),
        &["worker"],
    )
}

#[test]
fn at_medium_a_second_agent_joins_and_what_it_finds_changes_what_the_first_does() {
    for script in [
        "submit
        up
        start fire
        start side
        stuck side medium
        start side.pair
        done side.pair
        start side",
        "submit
        up
        start side
        stuck side medium
        reassign side engineer-1",
        "submit
        up
        start side
        stuck side medium
        cancel side.pair
        answer 1",
    ] {
        let expected = match script.contains("done side.pair") {
            true => expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned fire to engineer-1 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
                  agent_up engineer-2
                  task_assigned side to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
                  agent_up engineer-3
                > start fire
                  attempt_started
                > start side
                  attempt_started
                > stuck side medium
                  attempt_ended side blocked
                  blocker_raised side medium (reported medium, critical path false), goes up in 2h00m
                  task_added side.pair by director
                  task_assigned side.pair to engineer-3 as attempt 1: 796 = 1000 expertise, 987 capacity, 0 continuity
                > start side.pair
                  attempt_started
                > done side.pair
                  attempt_ended side.pair done
                  help_given on side by engineer-3: done
                  blocker_resolved
                  task_reassigned side to engineer-2
                  task_assigned side to engineer-2 as attempt 2: 985 = 1000 expertise, 950 capacity, 1000 continuity
                > start side
                  attempt_started
            "#]],
            false if script.contains("reassign") => expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned fire to engineer-1 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
                  agent_up engineer-2
                  task_assigned side to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
                  agent_up engineer-3
                > start side
                  attempt_started
                > stuck side medium
                  attempt_ended side blocked
                  blocker_raised side medium (reported medium, critical path false), goes up in 2h00m
                  task_added side.pair by director
                  task_assigned side.pair to engineer-3 as attempt 1: 796 = 1000 expertise, 987 capacity, 0 continuity
                > reassign side engineer-1
                  task_reassigned side to engineer-1
                  blocker_resolved
                  task_cancelled side.pair
            "#]],
            false => expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned fire to engineer-1 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
                  agent_up engineer-2
                  task_assigned side to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
                  agent_up engineer-3
                > start side
                  attempt_started
                > stuck side medium
                  attempt_ended side blocked
                  blocker_raised side medium (reported medium, critical path false), goes up in 2h00m
                  task_added side.pair by director
                  task_assigned side.pair to engineer-3 as attempt 1: 796 = 1000 expertise, 987 capacity, 0 continuity
                > cancel side.pair
                  task_cancelled side.pair
                  blocker_escalated from medium to high
                  inbox_opened 1: which way?
                > answer 1
                  inbox_answered 1: go on by ada
                  blocker_resolved
                  task_assigned side to engineer-2 as attempt 2: 985 = 1000 expertise, 950 capacity, 1000 continuity
            "#]],
        };
        tell(ladder("[ladder]\nmedium = \"pair\""), script, expected);
    }
}

/// Found by the swarm over 100,000 seeds: both helpers got the same number.
#[test]
fn two_blockers_that_go_up_at_one_moment_get_a_second_agent_each() {
    let two = "[ladder]\nmedium = \"pair\"\n[[task]]\nid = \"aside\"\nhours = 1\n";
    let script = "submit
        up
        start side
        start aside
        pause
        stuck side low
        stuck aside low
        tick 1800s
        reopen";
    let mut told = Script::new(vec![ladder(two)]);
    let text = told.run(script);
    let (_, after) = text.split_once("> tick 1800s").expect("it was told");
    expect![[r#"

          blocker_escalated from low to medium
          task_added side.pair by director
          blocker_escalated from low to medium
          task_added aside.pair by director
        > reopen
          epoch_opened
          attempt_ended fire interrupted
    "#]]
    .assert_eq(after);
}

#[test]
fn an_emergency_is_priced_checkpointed_and_resumed_in_order() {
    tell(
        ladder("[ladder]\nrunning = \"checkpoint\"\nresolution = \"5h\""),
        "submit
        up
        start fire
        start side
        stuck fire critical
        called off side
        incident 1 root_cause
        incident 1 close
        answer 1
        incident 1 documentation
        incident 1 improvement
        incident 1 close
        incident 1 root_cause",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned fire to engineer-1 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
              agent_up engineer-2
              task_assigned side to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              agent_up engineer-3
            > start fire
              attempt_started
            > start side
              attempt_started
            > stuck fire critical
              attempt_ended fire blocked
              blocker_raised fire critical (reported critical, critical path true), goes up never
              inbox_opened 1: which way?
              engineering_emergency: 5h00m later, task fire stands still and 1 task waits for it; all work that is not critical is paused. If that lasts 5h00m, 16h00m of work are left instead of 11h00m: the sprint ends 5h00m later
              incident_opened
              incident_step_filled impact: task fire stands still and 1 task waits for it; all work that is not critical is paused. If that lasts 5h00m, 16h00m of work are left instead of 11h00m: the sprint ends 5h00m later
              incident_step_filled mitigation: all work that is not critical is paused; of it, 1 at work is saved and called off
              incident_step_filled escalation: inbox #1; told: engineer-1, whoever answers the inbox
              work_checkpointed side
            > called off side
              attempt_ended side cancelled
            > incident 1 root_cause
              incident_step_filled root_cause: known
            > incident 1 close
              no: incident 1 cannot be closed: recovery, documentation, improvement missing; `director incident 1 --step STEP TEXT` fills one
            > answer 1
              inbox_answered 1: go on by ada
              incident_noted
              blocker_resolved
              emergency_resolved, then side
              incident_step_filled recovery: the blocker was resolved by ada; goes on in this order: side
              task_assigned fire to engineer-1 as attempt 2: 940 = 1000 expertise, 800 capacity, 1000 continuity
              task_assigned side to engineer-2 as attempt 2: 985 = 1000 expertise, 950 capacity, 1000 continuity
            > incident 1 documentation
              incident_step_filled documentation: known
            > incident 1 improvement
              incident_step_filled improvement: known
            > incident 1 close
              incident_closed
            > incident 1 root_cause
              no: incident 1 is closed
        "#]],
    );
}

/// Found by the swarm over 100,000 seeds: the mend waited for the worktree, whose task waited for a review, and reviews waited for
/// the end of the emergency.
#[test]
fn what_an_emergency_waits_for_goes_on_in_it() {
    let mut spec = ladder(
        "[team.reviewer]\nagent = \"worker\"\nkinds = [\"review\"]\n[gates]\nreview = { by = \"reviewer\" }\n\
        [[task]]\nid = \"page\"\nhours = 1\nfeature = \"web\"\n",
    );
    spec.repo = Some("/repository".to_owned());
    tell(
        spec,
        "submit
        git ok
        up
        git ok
        git ok
        git ok
        start page
        send critical_bug_discovered {\"task\": {\"id\": \"hole\", \"kind\": \"feature\", \"hours\": 2, \"feature\": \"web\"}, \"found_in\": \"page\", \"severity\": \"critical\"}
        done page
        git ok
        start page.review
        done page.review",
        expect![[r#"
            > submit
              sprint_submitted
            > git ok
              repo_prepared
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned fire to engineer-1 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
              agent_up engineer-2
              task_assigned side to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              agent_up engineer-3
              task_assigned page to engineer-3 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up reviewer-1
            > git ok
              worktree_prepared
            > git ok
              worktree_prepared
            > git ok
              worktree_prepared
            > start page
              attempt_started
            > send critical_bug_discovered {"task": {"id": "hole", "kind": "feature", "hours": 2, "feature": "web"}, "found_in": "page", "severity": "critical"}
              critical_bug_discovered
              task_added hole by ada
              engineering_emergency: 0s later, hole mends a critical bug and 0 tasks wait for it; all work that is not critical is paused. If that lasts 2h00m, 11h00m of work are left instead of 11h00m: the sprint ends 0s later
              incident_opened
              incident_step_filled impact: hole mends a critical bug and 0 tasks wait for it; all work that is not critical is paused. If that lasts 2h00m, 11h00m of work are left instead of 11h00m: the sprint ends 0s later
              incident_step_filled mitigation: all work that is not critical is paused; of it, 0 at work goes on to its end
              incident_step_filled escalation: told: whoever answers the inbox
            > done page
              attempt_ended page done
            > git ok
              work_committed
              task_added page.review by director
              task_assigned page.review to reviewer-1 as attempt 1: 797 = 1000 expertise, 993 capacity, 0 continuity
            > start page.review
              attempt_started
            > done page.review
              attempt_ended page.review done
              gate_judged review of page: Passed by reviewer-1
              work_reviewed page round 1: true
              merge_started
        "#]],
    );
}

/// Found by comparing the drivers over 1,200 seeds: a review that the emergency waited for was begun, called off and begun again, for ever.
#[test]
fn what_an_emergency_waits_for_is_not_called_off_in_it() {
    let mut spec = ladder(
        "[ladder]\nrunning = \"checkpoint\"\n[team.reviewer]\nagent = \"worker\"\nkinds = [\"review\"]\n[gates]\nreview = { by = \"reviewer\" }\n\
        [[task]]\nid = \"page\"\nhours = 1\nfeature = \"web\"\n",
    );
    spec.repo = Some("/repository".to_owned());
    let mut told = Script::new(vec![spec]);
    let text = told.run(
        "submit
        git ok
        up
        git ok
        git ok
        git ok
        start side
        start page
        send critical_bug_discovered {\"task\": {\"id\": \"hole\", \"kind\": \"feature\", \"hours\": 2, \"feature\": \"web\"}, \"found_in\": \"page\", \"severity\": \"critical\"}
        called off side
        git ok
        done page
        git ok
        start page.review
        done page.review",
    );
    let called_off = text
        .lines()
        .filter(|line| line.contains("work_checkpointed"));
    assert_eq!(
        called_off.collect::<Vec<_>>(),
        ["  work_checkpointed side"],
        "{text}"
    );
    assert!(text.ends_with("merge_started\n"), "{text}");
}

/// Found by the swarm over 30,000 seeds: the emergency went on with a blocker that was called off at the same moment.
#[test]
fn an_emergency_does_not_go_on_with_what_ends_with_it() {
    let leak = "[ladder]\nmedium = \"pair\"\n[limits]\ntier_time = { medium = \"1h\", high = \"1h\" }\n\
        [[task]]\nid = \"leak\"\npriority = \"critical\"\nhours = 1\n";
    let mut told = Script::new(vec![ladder(leak)]);
    let text = told.run(
        "submit
        up
        start side
        done side
        start leak
        stuck leak medium
        start leak.pair
        tick 3600s
        tick 3600s
        stuck leak.pair critical
        answer 1",
    );
    let (_, after) = text
        .split_once("> stuck leak.pair critical")
        .expect("it was told");
    expect![[r#"

          attempt_ended leak.pair blocked
          blocker_raised leak.pair critical (reported critical, critical path false), goes up never
          inbox_opened 2: which way?
        > answer 1
          inbox_answered 1: go on by ada
          incident_noted
          blocker_resolved
          blocker_resolved
          inbox_closed 2: the blocker is resolved by director (the blocker is resolved)
          task_cancelled leak.pair
          emergency_resolved, then 
          incident_step_filled recovery: the blocker was resolved by ada; nothing was paused
          task_assigned leak to engineer-2 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
    "#]].assert_eq(after);
}

#[test]
fn at_high_whoever_was_asked_is_asked_again_and_what_is_critical_goes_up() {
    tell(
        ladder("[limits]\ntier_time = { high = \"1h\" }"),
        "submit
        up
        start side
        stuck side high
        tick 3600s
        start fire
        stuck fire high
        reopen
        tick 3600s",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned fire to engineer-1 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
              agent_up engineer-2
              task_assigned side to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              agent_up engineer-3
            > start side
              attempt_started
            > stuck side high
              attempt_ended side blocked
              blocker_raised side high (reported high, critical path false), goes up in 1h00m
              inbox_opened 1: which way?
            > tick 3600s
              blocker_escalated from high to high
            > start fire
              attempt_started
            > stuck fire high
              attempt_ended fire blocked
              blocker_raised fire high (reported high, critical path true), goes up in 1h00m
              inbox_opened 2: which way?
            > reopen
              epoch_opened
            > tick 3600s
              blocker_escalated from high to high
              blocker_escalated from high to critical
              engineering_emergency: 4h00m later, task fire stands still and 1 task waits for it; all work that is not critical is paused. If that lasts 4h00m, 15h00m of work are left instead of 11h00m: the sprint ends 4h00m later
              incident_opened
              incident_step_filled impact: task fire stands still and 1 task waits for it; all work that is not critical is paused. If that lasts 4h00m, 15h00m of work are left instead of 11h00m: the sprint ends 4h00m later
              incident_step_filled mitigation: all work that is not critical is paused; of it, 0 at work goes on to its end
              incident_step_filled escalation: inbox #2; told: engineer-1, whoever answers the inbox
        "#]],
    );
}

/// After `repeats_max` blockers of one task a person answers alone, and not the role of the ladder: here the second time, for an
/// agent as for a person who leaves a task to its default again and again.
#[test]
fn what_is_held_up_again_and_again_is_answered_by_a_person_alone() {
    let more = "[team.tech-lead]\nagent = \"worker\"\nkinds = []\n\
        [team.designer]\nagent = \"person\"\nkinds = [\"design\"]\n\
        [ladder]\nrepeats_max = 1\n\
        [inbox]\ntask = { within = \"1h\", default = \"reject\" }\n\
        [[task]]\nid = \"logo\"\nkind = \"design\"\nhours = 1\n";
    tell(
        ladder(more),
        "submit
        up
        start side
        stuck side high
        hear
        start side
        stuck side high
        tick 3600s
        hear
        answer 3
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
            - none
            Resources:
            - Specification: none
            - Design: none
            Expected Completion: within 1h00m
            > up
              agent_up engineer-1
              task_assigned fire to engineer-1 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
              agent_up engineer-2
              task_assigned side to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              agent_up engineer-3
              agent_up tech-lead-1
            > start side
              attempt_started
            > stuck side high
              attempt_ended side blocked
              blocker_raised side high (reported high, critical path false), goes up in 8h00m
              inbox_opened 2: which way?
              adviser_asked
            > hear
              message_delivered
              blocker_resolved
              inbox_closed 2: the blocker is resolved by tech-lead-1
              question_answered by tech-lead-1: that way
              task_assigned side to engineer-2 as attempt 2: 985 = 1000 expertise, 950 capacity, 1000 continuity
            > start side
              attempt_started
            > stuck side high
              attempt_ended side blocked
              blocker_raised side high (reported high, critical path false), goes up in 8h00m
              inbox_opened 3: which way?
            > tick 3600s
              inbox_answered 1: no: nobody answered in time by director (nobody answered in time)
              attempt_ended logo blocked
              blocker_raised logo high (reported medium, critical path false), goes up in 8h00m
              inbox_opened 4: nobody answered in time
              adviser_asked
            > hear
              message_delivered
              blocker_resolved
              inbox_closed 4: the blocker is resolved by tech-lead-1
              question_answered by tech-lead-1: that way
              task_assigned logo to designer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
              inbox_opened 5: logo
            Assigning Task: logo
            Type: design
            Priority: MEDIUM
            Dependencies: none
            Estimated Effort: 1h
            Acceptance Criteria:
            - none
            Resources:
            - Specification: none
            - Design: none
            Expected Completion: within 1h00m
            that way
            The attempt before ended so: blocked: nobody answered in time
            > answer 3
              inbox_answered 3: go on by ada
              blocker_resolved
              task_assigned side to engineer-2 as attempt 3: 985 = 1000 expertise, 950 capacity, 1000 continuity
            > tick 3600s
              inbox_answered 5: no: nobody answered in time by director (nobody answered in time)
              attempt_ended logo blocked
              blocker_raised logo high (reported medium, critical path false), goes up in 8h00m
              inbox_opened 6: nobody answered in time
        "#]],
    );
}
