//! Risks of the plan while the sprint runs: what shows that one has come true, and what is done then, once.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected.

use director::control::submission;
use director_protocols::sprint::{AgentSpec, SprintSpec, TaskSpec};
use director_protocols::time::Span;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

/// Three tasks of a lone architect in a row, with an engineer who `covers` such work or not.
fn row(covers: &str) -> SprintSpec {
    let task = |id: &str, after: &str| {
        format!(
            "[[task]]\nid = \"{id}\"\nkind = \"design\"\nexpects = \"nothing\"\ndepends_on = [{after}]\nestimate = {{ optimistic = 1, likely = 2, pessimistic = 3 }}\n"
        )
    };
    let mut spec = sprint(
        &format!(
            "[sprint]\nid = \"s\"\n[gates]\ntests = false\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n\
             [team]\nonly = true\n[team.architect]\nagent = \"worker\"\nkinds = [\"design\"]\n\
             [team.engineer]\nagent = \"worker\"\nkinds = [\"feature\"]\ncovers = [{covers}]\n{}{}{}",
            task("draft", ""),
            task("plan", "\"draft\""),
            task("check", "\"plan\""),
        ),
        &["worker"],
    );
    submission::plan(&mut spec);
    spec
}

fn tell(spec: SprintSpec, script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![spec]).run(script));
}

#[test]
fn what_is_not_begun_goes_to_who_covers_it_when_a_lone_agent_takes_too_long_and_only_once() {
    tell(
        row("\"design\""),
        "submit
        up
        start draft
        tick 10799s
        tick 1s
        reopen
        up
        tick 99999s
        start draft
        done draft
        start plan
        tick 10800s",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up architect-1
              task_assigned draft to architect-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              agent_up engineer-1
            > start draft
              attempt_started
            > tick 10799s
            > tick 1s
              risk_triggered a risk has come true: architect-1 alone carries 6h of the 6h critical path (`draft`, `plan`, `check`); draft has been at work for longer than its worst case, 3h00m
              fallback_applied done by director as foreseen: engineer-1 takes over `draft`, `plan`, `check`; its role covers this kind of work
            > reopen
              epoch_opened
              attempt_cut
              attempt_ended draft interrupted
            > up
              agent_up architect-1
              task_assigned draft to architect-1 as attempt 2: 985 = 1000 expertise, 950 capacity, 1000 continuity
              agent_up engineer-1
            > tick 99999s
              daily_standup_completed standup of s: 0 tasks completed since 1970-01-01 00:16Z, 1 planned, 0 blockers in the way; velocity none (0 after 0 points)
            > start draft
              attempt_started
            > done draft
              attempt_ended draft done
              task_completed draft (333)
              handoff_sent draft to plan
              sprint_velocity_updated
              task_assigned plan to engineer-1 as attempt 1: 585 = 600 expertise, 950 capacity, 0 continuity
            > start plan
              attempt_started
              handoff_accepted
            > tick 10800s
              daily_standup_completed standup of s: 0 tasks completed since 1970-01-02 07:03Z, 1 planned, 0 blockers in the way; velocity up (1 after 0 points)
              risk_triggered a risk has come true: architect-1 alone carries 6h of the 6h critical path (`draft`, `plan`, `check`); plan has been at work for longer than its worst case, 3h00m
        "#]],
    );
}

#[test]
fn a_lone_agent_that_is_lost_is_replaced_as_foreseen() {
    tell(
        row("\"design\""),
        "submit
        up
        start draft
        lose architect
        answer 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up architect-1
              task_assigned draft to architect-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              agent_up engineer-1
            > start draft
              attempt_started
            > lose architect
              attempt_ended draft interrupted
              agent_down architect-1
              role_lost
              inbox_opened 1: The role architect is down after too many restarts (six restarts in a minute). Mend the cause, then answer anything to start it again.
              risk_triggered a risk has come true: architect-1 alone carries 6h of the 6h critical path (`draft`, `plan`, `check`); all agents of architect are down
              fallback_applied done by director as foreseen: engineer-1 takes over `draft`, `plan`, `check`; its role covers this kind of work
              task_assigned draft to engineer-1 as attempt 2: 585 = 600 expertise, 950 capacity, 0 continuity
            > answer 1
              inbox_answered 1: go on by ada
              role_restored
        "#]],
    );
}

#[test]
fn where_nobody_covers_it_a_person_decides_and_a_no_goes_on_as_planned() {
    for answer in ["approve 1", "reject 1"] {
        let told = Script::new(vec![row("")]).run(&format!(
            "submit
            up
            start draft
            tick 10800s
            {answer}
            done draft"
        ));
        let applied = told.contains("fallback_applied");
        assert_eq!(applied, answer == "approve 1", "{told}");
        assert!(told.contains("task_assigned"), "the work goes on: {told}");
        assert_eq!(told.matches("inbox_opened").count(), 1, "{told}");
    }
}

/// The row with two days and tasks that nobody knows well: fourteen and a half of sixteen hours are planned.
fn two_days() -> SprintSpec {
    let mut spec = row("\"design\"");
    (spec.start, spec.end) = (Some("1970-01-01".into()), Some("1970-01-02".into()));
    for task in &mut spec.tasks {
        let mut wide = TaskSpec::clone(task);
        wide.estimate.pessimistic = Span::hours(20);
        *task = wide.into();
    }
    submission::plan(&mut spec);
    spec
}

#[test]
fn an_end_that_is_projected_past_the_last_day_moves_what_can_move_and_offers_to_leave_the_rest() {
    tell(
        two_days(),
        "submit
        up
        start draft
        tick 71000s
        done draft
        approve 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up architect-1
              task_assigned draft to architect-1 as attempt 1: 763 = 1000 expertise, 879 capacity, 0 continuity
              agent_up engineer-1
            > start draft
              attempt_started
            > tick 71000s
              daily_standup_completed standup of s: 0 tasks completed since 1970-01-01 00:16Z, 1 planned, 0 blockers in the way; velocity none (0 after 0 points)
            > done draft
              attempt_ended draft done
              task_completed draft (333)
              handoff_sent draft to plan
              sprint_velocity_updated
              risk_triggered a risk has come true: architect-1 alone carries 14.5h of the 14.5h critical path (`draft`, `plan`, `check`); the projected end, 1970-01-03 11:26 UTC, is past the last day, 1970-01-02
              fallback_applied done by director as foreseen: engineer-1 takes over `draft`, `plan`, `check`; its role covers this kind of work
              risk_triggered a risk has come true: 14.5h of 16h are planned: only 1.5h are left before the end; the projected end, 1970-01-03 11:26 UTC, is past the last day, 1970-01-02
              inbox_opened 1: A risk has come true: 14.5h of 16h are planned: only 1.5h are left before the end; the projected end, 1970-01-03 11:26 UTC, is past the last day, 1970-01-02.
            What was foreseen then: leave `check`, the least urgent, for the next sprint. Approve it, and this is left for the next sprint: check.
              task_assigned plan to engineer-1 as attempt 1: 563 = 600 expertise, 879 capacity, 0 continuity
            > approve 1
              inbox_answered 1: yes by ada
              fallback_applied done by ada as foreseen: leave `check`, the least urgent, for the next sprint
              task_cancelled check
              sprint_replanned +0 ~0 -1
        "#]],
    );
    // Of somebody who is in time nothing is said, however close it is.
    let told = Script::new(vec![two_days()]).run(
        "submit
        up
        start draft
        tick 17000s
        done draft",
    );
    assert!(!told.contains("risk_triggered"), "{told}");
}

#[test]
fn the_end_of_people_is_projected_by_the_hours_in_which_they_work() {
    let by_a_person = || {
        let mut spec = two_days();
        spec.team[0].agent = AgentSpec::of_kind("person");
        spec
    };
    // Fourteen and a half hours from the morning of the first of two days end on the second.
    let told = Script::new(vec![by_a_person()]).run("submit\nup\ntick 33000s");
    assert!(told.contains("daily_standup_completed"), "{told}");
    assert!(!told.contains("risk_triggered"), "{told}");
    // What is left in the evening does not, though there are as many hours until midnight of the second.
    let told = Script::new(vec![by_a_person()]).run("submit\nup\ntick 71000s");
    let late = "the projected end, 1970-01-05 10:40 UTC, is past the last day, 1970-01-02";
    assert!(told.contains(late), "{told}");
}

#[test]
fn a_last_day_that_is_over_is_late_at_the_next_standup_also_while_nothing_can_be_projected() {
    tell(
        two_days(),
        "submit
        up
        start draft
        pause
        tick 345600s",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up architect-1
              task_assigned draft to architect-1 as attempt 1: 763 = 1000 expertise, 879 capacity, 0 continuity
              agent_up engineer-1
            > start draft
              attempt_started
            > pause
              sprint_paused
            > tick 345600s
              daily_standup_completed standup of s: 0 tasks completed since 1970-01-01 00:16Z, 1 planned, 0 blockers in the way; velocity none (0 after 0 points)
              risk_triggered a risk has come true: architect-1 alone carries 14.5h of the 14.5h critical path (`draft`, `plan`, `check`); the last day, 1970-01-02, is over, and not all is done
              fallback_applied done by director as foreseen: engineer-1 takes over `draft`, `plan`, `check`; its role covers this kind of work
              risk_triggered a risk has come true: 14.5h of 16h are planned: only 1.5h are left before the end; the last day, 1970-01-02, is over, and not all is done
              inbox_opened 1: A risk has come true: 14.5h of 16h are planned: only 1.5h are left before the end; the last day, 1970-01-02, is over, and not all is done.
            What was foreseen then: leave `check`, the least urgent, for the next sprint. Approve it, and this is left for the next sprint: check.
              risk_triggered a risk has come true: architect-1 alone carries 14.5h of the 14.5h critical path (`draft`, `plan`, `check`); draft has been at work for longer than its worst case, 20h00m
              risk_triggered a risk has come true: estimates with a wide spread: `draft`, `plan`, `check`; `draft`, on the critical path, takes 1h to 20h; draft has been at work for longer than its worst case, 20h00m
              inbox_opened 2: A risk has come true: estimates with a wide spread: `draft`, `plan`, `check`; `draft`, on the critical path, takes 1h to 20h; draft has been at work for longer than its worst case, 20h00m.
            What was foreseen then: 15.17h more would be needed for `draft`: cut its scope to the acceptance criteria, or replan. Approve it once you have seen to it, or reject it to go on as planned.
        "#]],
    );
}

#[test]
fn the_worst_case_of_a_person_counts_the_hours_in_which_people_work() {
    let mut spec = row("");
    for role in &mut spec.team {
        if role.name.as_str() == "architect" {
            role.agent.kind = "person".to_owned();
        }
    }
    // It is a quarter past midnight; the day begins at nine, and the worst case are three hours.
    tell(
        spec,
        "submit
        tick 42199s
        tick 1s",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
              task_assigned draft to architect-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              inbox_opened 1: draft
            Assigning Task: draft
            Type: design
            Priority: MEDIUM
            Dependencies: none
            Estimated Effort: 2h
            Acceptance Criteria:
            - none
            Resources:
            - Specification: none
            - Design: none
            Expected Completion: none
            > tick 42199s
              daily_standup_completed standup of s: 0 tasks completed since 1970-01-01 00:16Z, 1 planned, 0 blockers in the way; velocity none (0 after 0 points)
            > tick 1s
              risk_triggered a risk has come true: architect-1 alone carries 6h of the 6h critical path (`draft`, `plan`, `check`); draft has been at work for longer than its worst case, 3h00m
              inbox_opened 2: A risk has come true: architect-1 alone carries 6h of the 6h critical path (`draft`, `plan`, `check`); draft has been at work for longer than its worst case, 3h00m.
            What was foreseen then: no other role covers this work: restart architect-1, or move `draft`, `plan`, `check` out of the sprint. Approve it once you have seen to it, or reject it to go on as planned.
        "#]],
    );
}
