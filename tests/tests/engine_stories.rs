//! The engine's rules as stories: a script of what comes in, and what the engine makes of it.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected.

use director_protocols::sprint::{Expects, SprintSpec};
use director_protocols::time::Span;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

const TEAM: &str = r#"
[sprint]
id = "s"
[team]
only = true
[team.engineer]
count = 2
agent = "worker"
kinds = ["feature", "bug_fix"]
skills = ["rust", "sql"]
[team.tester]
agent = "worker"
kinds = ["testing"]
"#;

/// `name:hours`, then `<` what it waits for, `!` critical priority, `@` feature, `?` a skill that it needs.
fn tasks(list: &str) -> SprintSpec {
    named("s", 2, list)
}

fn named(id: &str, engineers: u32, list: &str) -> SprintSpec {
    let mut text = TEAM
        .replace("id = \"s\"", &format!("id = \"{id}\""))
        .replace("count = 2", &format!("count = {engineers}"));
    for task in list.split(", ") {
        let mut words = task.split_whitespace();
        let (name, hours) = words
            .next()
            .and_then(|word| word.split_once(':'))
            .expect("a task");
        text.push_str(&format!(
            "[[task]]\nid = \"{name}\"\nkind = \"feature\"\nhours = {hours}\n"
        ));
        let (mut after, mut skills) = (Vec::new(), Vec::new());
        for word in words {
            match word.split_at(1) {
                ("<", name) => after.push(format!("{name:?}")),
                ("?", skill) => skills.push(format!("{skill:?}")),
                ("@", feature) => text.push_str(&format!("feature = {feature:?}\n")),
                _ => text.push_str("priority = \"critical\"\n"),
            }
        }
        text.push_str(&format!(
            "depends_on = [{}]\nskills = [{}]\n",
            after.join(", "),
            skills.join(", ")
        ));
    }
    sprint(&text, &["worker"])
}

/// The same in a repository.
fn in_repo(mut spec: SprintSpec) -> SprintSpec {
    spec.repo = Some("/repository".to_owned());
    for task in &mut spec.tasks {
        task.expects = Expects::Changes;
    }
    spec.policy.attempts_max = 3;
    spec
}

fn tell(sprints: Vec<SprintSpec>, script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(sprints).run(script));
}

#[test]
fn the_agent_that_knows_the_feature_or_can_more_gets_the_task() {
    let spec =
        tasks("api:8 @pay, ui:4 @shop, api-tests:4 <api @pay ?rust ?cobol, more:4 <ui @shop");
    tell(
        vec![spec],
        "submit
        up
        start api
        start ui
        done ui
        start more
        done api",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned api to engineer-1 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
              agent_up engineer-2
              task_assigned ui to engineer-2 as attempt 1: 770 = 1000 expertise, 900 capacity, 0 continuity
              agent_up tester-1
            > start api
              attempt_started
            > start ui
              attempt_started
            > done ui
              attempt_ended ui done
              quality_gate_status
              task_completed ui (250)
              handoff_sent ui to more
              sprint_velocity_updated
              task_assigned more to engineer-2 as attempt 1: 940 = 1000 expertise, 800 capacity, 1000 continuity
            > start more
              attempt_started
              handoff_accepted
            > done api
              attempt_ended api done
              quality_gate_status
              task_completed api (500)
              handoff_sent api to api-tests
              sprint_velocity_updated
              task_assigned api-tests to engineer-1 as attempt 1: 660 = 500 expertise, 700 capacity, 1000 continuity
        "#]],
    );
}

#[test]
fn each_tier_asks_somebody_else() {
    // `side` has slack, `main` is the critical path, `fire` is critical work.
    let spec = || tasks("main:8, side:1, fire:9 !, late:1 <main");
    for (script, expected) in [
        (
            "submit
            up
            reassign side engineer-1
            pause
            stuck fire critical
            resume
            answer 1",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned fire to engineer-1 as attempt 1: 732 = 1000 expertise, 775 capacity, 0 continuity
                  agent_up engineer-2
                  task_assigned main to engineer-2 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
                  agent_up tester-1
                > reassign side engineer-1
                  task_reassigned side to engineer-1
                > pause
                  sprint_paused
                > stuck fire critical
                  attempt_ended fire blocked
                  blocker_raised fire critical (reported critical, critical path true), goes up never
                  inbox_opened 1: which way?
                  engineering_emergency: 3h00m later, task fire stands still and 0 tasks wait for it; all work that is not critical is paused. If that lasts 4h00m, 13h00m of work are left instead of 10h00m: the sprint ends 3h00m later
                  incident_opened
                  incident_step_filled impact: task fire stands still and 0 tasks wait for it; all work that is not critical is paused. If that lasts 4h00m, 13h00m of work are left instead of 10h00m: the sprint ends 3h00m later
                  incident_step_filled mitigation: all work that is not critical is paused; of it, 0 at work goes on to its end
                  incident_step_filled escalation: inbox #1; told: engineer-1, whoever answers the inbox
                > resume
                  sprint_resumed
                > answer 1
                  inbox_answered 1: go on by ada
                  incident_noted
                  blocker_resolved
                  emergency_resolved, then side
                  incident_step_filled recovery: the blocker was resolved by ada; goes on in this order: side
                  task_assigned fire to engineer-1 as attempt 2: 932 = 1000 expertise, 775 capacity, 1000 continuity
            "#]],
        ),
        (
            "submit
            up
            start main
            stuck main low
            tick 7200s
            answer 1",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned fire to engineer-1 as attempt 1: 732 = 1000 expertise, 775 capacity, 0 continuity
                  agent_up engineer-2
                  task_assigned main to engineer-2 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
                  agent_up tester-1
                > start main
                  attempt_started
                > stuck main low
                  attempt_ended main blocked
                  blocker_raised main medium (reported low, critical path true), goes up in 2h00m
                  task_reassigned main to anybody
                  task_assigned side to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                > tick 7200s
                  blocker_escalated from medium to high
                  inbox_opened 1: which way?
                > answer 1
                  inbox_answered 1: go on by ada
                  blocker_resolved
            "#]],
        ),
        (
            "submit
            up
            done fire
            start side
            stuck side low
            start side
            stuck side low
            done main
            start side
            stuck side high
            answer 1",
            expect![[r#"
                > submit
                  sprint_submitted
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned fire to engineer-1 as attempt 1: 732 = 1000 expertise, 775 capacity, 0 continuity
                  agent_up engineer-2
                  task_assigned main to engineer-2 as attempt 1: 740 = 1000 expertise, 800 capacity, 0 continuity
                  agent_up tester-1
                > done fire
                  attempt_ended fire done
                  quality_gate_status
                  task_completed fire (250)
                  sprint_velocity_updated
                  task_assigned side to engineer-1 as attempt 1: 725 = 1000 expertise, 750 capacity, 0 continuity
                > start side
                  attempt_started
                > stuck side low
                  attempt_ended side blocked
                  blocker_raised side low (reported low, critical path false), goes up in 30m00s
                  guidance_given
                  task_reassigned side to engineer-1
                  task_assigned side to engineer-1 as attempt 2: 925 = 1000 expertise, 750 capacity, 1000 continuity
                  blocker_resolved
                > start side
                  attempt_started
                > stuck side low
                  attempt_ended side blocked
                  blocker_raised side medium (reported low, critical path false), goes up in 2h00m
                  task_reassigned side to anybody
                > done main
                  attempt_ended main done
                  quality_gate_status
                  task_completed main (500)
                  handoff_sent main to late
                  sprint_velocity_updated
                  task_assigned side to engineer-2 as attempt 3: 732 = 1000 expertise, 775 capacity, 0 continuity
                  blocker_resolved
                  task_assigned late to engineer-1 as attempt 1: 725 = 1000 expertise, 750 capacity, 0 continuity
                > start side
                  attempt_started
                > stuck side high
                  attempt_ended side blocked
                  blocker_raised side high (reported high, critical path false), goes up in 8h00m
                  inbox_opened 1: which way?
                > answer 1
                  inbox_answered 1: go on by ada
                  blocker_resolved
                  task_assigned side to engineer-2 as attempt 4: 932 = 1000 expertise, 775 capacity, 1000 continuity
            "#]],
        ),
    ] {
        tell(vec![spec()], script, expected);
    }
}

#[test]
fn an_emergency_lasts_until_the_last_critical_blocker_is_resolved() {
    tell(
        vec![tasks("one:9 !, two:9 !, other:1")],
        "submit
        up
        stuck one critical
        stuck two critical
        answer 1
        done one
        answer 2",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned one to engineer-1 as attempt 1: 732 = 1000 expertise, 775 capacity, 0 continuity
              agent_up engineer-2
              task_assigned two to engineer-2 as attempt 1: 732 = 1000 expertise, 775 capacity, 0 continuity
              agent_up tester-1
            > stuck one critical
              attempt_ended one blocked
              blocker_raised one critical (reported critical, critical path true), goes up never
              inbox_opened 1: which way?
              engineering_emergency: 3h00m later, task one stands still and 0 tasks wait for it; all work that is not critical is paused. If that lasts 4h00m, 13h00m of work are left instead of 10h00m: the sprint ends 3h00m later
              incident_opened
              incident_step_filled impact: task one stands still and 0 tasks wait for it; all work that is not critical is paused. If that lasts 4h00m, 13h00m of work are left instead of 10h00m: the sprint ends 3h00m later
              incident_step_filled mitigation: all work that is not critical is paused; of it, 0 at work goes on to its end
              incident_step_filled escalation: inbox #1; told: engineer-1, whoever answers the inbox
            > stuck two critical
              attempt_ended two blocked
              blocker_raised two critical (reported critical, critical path true), goes up never
              inbox_opened 2: which way?
            > answer 1
              inbox_answered 1: go on by ada
              incident_noted
              blocker_resolved
              emergency_resolved, then other
              incident_step_filled recovery: the blocker was resolved by ada; goes on in this order: other
              engineering_emergency: 0s later, task two stands still and 0 tasks wait for it; all work that is not critical is paused. If that lasts 0s, 10h00m of work are left instead of 10h00m: the sprint ends 0s later
              incident_opened
              incident_step_filled impact: task two stands still and 0 tasks wait for it; all work that is not critical is paused. If that lasts 0s, 10h00m of work are left instead of 10h00m: the sprint ends 0s later
              incident_step_filled mitigation: all work that is not critical is paused; of it, 0 at work goes on to its end
              incident_step_filled escalation: inbox #2; told: engineer-2, whoever answers the inbox
              task_assigned one to engineer-1 as attempt 2: 932 = 1000 expertise, 775 capacity, 1000 continuity
            > done one
              attempt_ended one done
              quality_gate_status
              task_completed one (333)
              sprint_velocity_updated
            > answer 2
              inbox_answered 2: go on by ada
              incident_noted
              blocker_resolved
              emergency_resolved, then other
              incident_step_filled recovery: the blocker was resolved by ada; goes on in this order: other
              task_assigned two to engineer-2 as attempt 2: 932 = 1000 expertise, 775 capacity, 1000 continuity
              task_assigned other to engineer-1 as attempt 1: 725 = 1000 expertise, 750 capacity, 0 continuity
        "#]],
    );
}

#[test]
fn a_task_that_kills_agent_after_agent_is_quarantined() {
    tell(
        vec![tasks("bomb:1, next:1 <bomb")],
        "submit
        up
        start bomb
        die bomb
        tick 1s
        start bomb
        die bomb
        up
        retry bomb",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned bomb to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              agent_up tester-1
            > start bomb
              attempt_started
            > die bomb
              attempt_ended bomb died
              retry_scheduled bomb in 1.0s
              agent_down engineer-1
            > tick 1s
              retry_due
              task_assigned bomb to engineer-2 as attempt 2: 792 = 1000 expertise, 975 capacity, 0 continuity
            > start bomb
              attempt_started
            > die bomb
              attempt_ended bomb died
              task_quarantined bomb: engineer-1: panicked; engineer-2: panicked
              agent_down engineer-2
              sprint_ended incomplete
            > up
              agent_up engineer-1
              agent_up engineer-2
            > retry bomb
              sprint_reopened
              task_retried bomb
              task_assigned bomb to engineer-1 as attempt 3: 992 = 1000 expertise, 975 capacity, 1000 continuity
        "#]],
    );
}

/// Found by the swarm, seed 28532: the task stood ready in a sprint that was over.
#[test]
fn a_sprint_that_is_reopened_and_then_refused_leaves_nothing_ready() {
    let mut script = Script::new(vec![in_repo(tasks("one:1"))]);
    let told = script.run(
        "submit
        up
        cancel
        git ok
        retry one
        git refused",
    );
    expect![[r#"
        > submit
          sprint_submitted
        > up
          agent_up engineer-1
          agent_up engineer-2
          agent_up tester-1
        > cancel
          sprint_cancelled
          task_cancelled one
          sprint_ended cancelled
        > git ok
          worktrees_removed
        > retry one
          sprint_reopened
          task_retried one
        > git refused
          sprint_refused: no commit
    "#]]
    .assert_eq(&told);
    let task = &script.engine.state().tasks.table[0];
    assert_eq!(task.phase.as_str(), "waiting");
}

#[test]
fn failures_are_tried_again_later_and_later_until_there_were_enough() {
    let mut spec = tasks("one:1");
    spec.policy.attempts_max = 4;
    spec.policy.retry_max = Span::seconds(3);
    tell(
        vec![spec],
        "submit
        up
        fail one
        tick 1s
        time out one
        tick 1s
        tick 1s
        fail one
        tick 3s
        fail one
        retry one",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned one to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              agent_up tester-1
            > fail one
              attempt_ended one failed
              retry_scheduled one in 1.0s
            > tick 1s
              retry_due
              task_assigned one to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > time out one
              attempt_ended one timed out
              retry_scheduled one in 2.0s
            > tick 1s
            > tick 1s
              retry_due
              task_assigned one to engineer-1 as attempt 3: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > fail one
              attempt_ended one failed
              retry_scheduled one in 3.0s
            > tick 3s
              retry_due
              task_assigned one to engineer-1 as attempt 4: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > fail one
              attempt_ended one failed
              task_failed one: 4 attempts failed; the last: exit code 1
              sprint_ended incomplete
            > retry one
              sprint_reopened
              task_retried one
              task_assigned one to engineer-1 as attempt 5: 992 = 1000 expertise, 975 capacity, 1000 continuity
        "#]],
    );
}

#[test]
fn a_pause_hands_nothing_out_and_lets_go_on_what_runs() {
    tell(
        vec![tasks("a:1, b:1, c:1")],
        "submit
        up
        pause
        pause
        done a
        cancel b
        retry b
        called off b
        retry b
        resume",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
            > pause
              sprint_paused
            > pause
            > done a
              attempt_ended a done
              quality_gate_status
              task_completed a (333)
              sprint_velocity_updated
            > cancel b
              task_cancelled b
            > retry b
              no: task `b` is cancelled; its last attempt is still being called off; try again in a moment
            > called off b
              attempt_ended b cancelled
            > retry b
              task_retried b
            > resume
              sprint_resumed
              task_assigned b to engineer-2 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
              task_assigned c to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
        "#]],
    );
}

#[test]
fn a_task_is_cancelled_with_all_that_waits_for_it() {
    tell(
        vec![tasks("a:1, b:1 <a, c:1 <b, d:1")],
        "submit
        up
        cancel a
        done a
        cancel a
        cancel
        called off d
        retry b",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned d to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
            > cancel a
              task_cancelled a
              task_cancelled b
              task_cancelled c
            > done a
              attempt_ended a done
            > cancel a
              no: task `a` is cancelled; there is nothing to cancel
            > cancel
              sprint_cancelled
              task_cancelled d
            > called off d
              attempt_ended d cancelled
              sprint_ended cancelled
            > retry b
              sprint_reopened
              task_retried b
              sprint_ended incomplete
        "#]],
    );
}

#[test]
fn what_does_not_fit_the_capacity_waits_in_the_backlog() {
    let mut spec = tasks("a:8, b:8, c:8, d:1 <c");
    spec.team[0].capacity = Some(Span::hours(10));
    tell(
        vec![spec],
        "submit
        up
        done a
        done c
        done d
        retry b",
        expect![[r#"
            > submit
              sprint_submitted
              task_deferred b: needs 8h, and no engineer has more than 2h of its capacity left
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned c to engineer-1 as attempt 1: 560 = 1000 expertise, 200 capacity, 0 continuity
              agent_up engineer-2
              task_assigned a to engineer-2 as attempt 1: 560 = 1000 expertise, 200 capacity, 0 continuity
              agent_up tester-1
            > done a
              attempt_ended a done
              quality_gate_status
              task_completed a (333)
              sprint_velocity_updated
            > done c
              attempt_ended c done
              quality_gate_status
              task_completed c (666)
              handoff_sent c to d
              sprint_velocity_updated
              task_assigned d to engineer-1 as attempt 1: 630 = 1000 expertise, 100 capacity, 500 continuity
            > done d
              attempt_ended d done
              quality_gate_status
              task_completed d (1000)
              sprint_velocity_updated
              sprint_ended done
            > retry b
              sprint_reopened
              task_retried b
              task_assigned b to engineer-1 as attempt 1: 560 = 1000 expertise, 200 capacity, 0 continuity
        "#]],
    );
}

#[test]
fn a_conflict_goes_to_the_same_agent_then_to_another_then_to_a_person() {
    tell(
        vec![in_repo(tasks("a:1"))],
        "submit
        git ok
        up
        git ok
        done a
        git ok
        git conflict
        git ok
        git ok
        done a
        git ok
        git conflict
        git ok
        git ok
        done a
        git ok
        git conflict
        git ok
        answer 1",
        expect![[r#"
            > submit
              sprint_submitted
            > git ok
              repo_prepared
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              agent_up tester-1
            > git ok
              worktree_prepared
            > done a
              attempt_ended a done
            > git ok
              work_committed
              merge_started
            > git conflict
              merge_conflicted
              work_rejected a counts false: its work conflicts with what was merged since, in lib.rs; resolve the conflict
              task_reassigned a to engineer-1
            > git ok
              work_salvaged
              task_assigned a to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > git ok
              worktree_prepared
            > done a
              attempt_ended a done
            > git ok
              work_committed
              merge_started
            > git conflict
              merge_conflicted
              work_rejected a counts false: its work conflicts with what was merged since, in lib.rs; resolve the conflict
              task_reassigned a to anybody
            > git ok
              work_salvaged
              task_assigned a to engineer-2 as attempt 3: 792 = 1000 expertise, 975 capacity, 0 continuity
            > git ok
              worktree_prepared
            > done a
              attempt_ended a done
            > git ok
              work_committed
              merge_started
            > git conflict
              merge_conflicted
              work_rejected a counts false: its work conflicts with what was merged since, in lib.rs; resolve the conflict
              blocker_raised a high (reported high, critical path true), goes up in 8h00m
              inbox_opened 1: its work conflicts with what was merged since, in lib.rs; resolve the conflict
            > git ok
              work_salvaged
            > answer 1
              inbox_answered 1: go on by ada
              blocker_resolved
              task_assigned a to engineer-2 as attempt 4: 992 = 1000 expertise, 975 capacity, 1000 continuity
        "#]],
    );
}

#[test]
fn work_is_judged_once() {
    for (script, expected) in [
        (
            "submit
            git ok
            up
            git ok
            done a
            git missing
            git ok",
            expect![[r#"
                > submit
                  sprint_submitted
                > git ok
                  repo_prepared
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up engineer-2
                  agent_up tester-1
                > git ok
                  worktree_prepared
                > done a
                  attempt_ended a done
                > git missing
                  work_committed
                  work_rejected a counts true: it should have produced report.md
                  retry_scheduled a in 1.0s
                > git ok
                  work_salvaged
            "#]],
        ),
        (
            "submit
            git ok
            up
            git ok
            done a
            git same
            git ok",
            expect![[r#"
                > submit
                  sprint_submitted
                > git ok
                  repo_prepared
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up engineer-2
                  agent_up tester-1
                > git ok
                  worktree_prepared
                > done a
                  attempt_ended a done
                > git same
                  work_committed
                  work_rejected a counts true: it should have produced report.md
                  retry_scheduled a in 1.0s
                > git ok
                  work_salvaged
            "#]],
        ),
        (
            "submit
            git ok
            up
            git no
            git ok",
            expect![[r#"
                > submit
                  sprint_submitted
                > git ok
                  repo_prepared
                  sprint_initialized
                > up
                  agent_up engineer-1
                  task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
                  agent_up engineer-2
                  agent_up tester-1
                > git no
                  attempt_ended a failed
                  retry_scheduled a in 1.0s
                > git ok
                  work_salvaged
            "#]],
        ),
    ] {
        tell(vec![in_repo(tasks("a:1"))], script, expected);
    }
    let mut spec = in_repo(tasks("a:1"));
    spec.tasks[0].expects = Expects::Nothing;
    tell(
        vec![spec],
        "submit
        git ok
        up
        git ok
        done a
        git same",
        expect![[r#"
            > submit
              sprint_submitted
            > git ok
              repo_prepared
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              agent_up tester-1
            > git ok
              worktree_prepared
            > done a
              attempt_ended a done
            > git same
              work_committed
              work_rejected a counts true: it should have produced report.md
              retry_scheduled a in 1.0s
        "#]],
    );
}

#[test]
fn a_sprint_that_was_called_off_before_it_began_is_prepared_when_a_task_is_retried() {
    tell(
        vec![in_repo(tasks("a:1"))],
        "submit
        up
        cancel
        retry a
        git ok
        retry a
        git ok",
        expect![[r#"
            > submit
              sprint_submitted
            > up
              agent_up engineer-1
              agent_up engineer-2
              agent_up tester-1
            > cancel
              sprint_cancelled
              task_cancelled a
              sprint_ended cancelled
            > retry a
              no: task `a` is cancelled; the sprint's worktrees are being removed; try again when they are gone
            > git ok
              worktrees_removed
            > retry a
              sprint_reopened
              task_retried a
            > git ok
              repo_prepared
              sprint_initialized
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
        "#]],
    );
}

#[test]
fn a_red_base_refuses_the_sprint_and_the_mended_one_may_come_again() {
    let mut spec = in_repo(tasks("a:1"));
    spec.gates.push(director_protocols::sprint::GateSpec {
        name: "tests".parse().expect("a name"),
        check: director_protocols::sprint::Check::Command {
            run: director_protocols::sprint::RunSpec::Shell("sh test.sh".to_owned()),
            timeout: Span::minutes(1),
        },
    });
    tell(
        vec![spec.clone(), spec],
        "submit
        git ok
        gates red
        git ok
        retry a
        submit
        git ok
        gates green",
        expect![[r#"
            > submit
              sprint_submitted
            > git ok
              repo_prepared
            > gates red
              base_checked
              sprint_refused: the base `main` is red before any task has begun; make it green, or change the gate in the sprint file: gate `tests` failed (exit code 1): sh test.sh
            > git ok
              worktrees_removed
            > retry a
              no: sprint `s` is refused; mend what it was refused for and run it again
            > submit
              sprint_submitted
            > git ok
              repo_prepared
            > gates green
              base_checked
              sprint_initialized
        "#]],
    );
}

#[test]
fn whoever_asks_is_answered() {
    tell(
        vec![tasks("a:1, b:1")],
        "submit
        up
        ask a nobody
        ask a engineer-2
        ask b engineer-1
        hear
        hear
        ask a tester
        hear nothing
        hear
        ask a tester
        lose tester
        hear
        ask a tester
        ask a person
        done a
        answer 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
            > ask a nobody
              no: there is no agent or role `nobody`; `director agents` lists them
            > ask a engineer-2
              question_asked
            > ask b engineer-1
              no: waiting would close a circle: engineer-2 waits for an answer of engineer-1, engineer-1 waits for an answer of engineer-2; answer first, or ask a person
            > hear
              message_delivered
              question_answered by engineer-2: that way
            > hear
              message_delivered
            > ask a tester
              question_asked
            > hear nothing
              message_delivered
              question_answered by director: tester-1 gave no answer
            > hear
              message_delivered
            > ask a tester
              question_asked
            > lose tester
              agent_down tester-1
              message_delivered
              question_answered by director: tester-1 could not be asked: it is gone
              role_lost
              inbox_opened 1: The role tester is down after too many restarts (six restarts in a minute). Mend the cause, then answer anything to start it again.
            > hear
              message_delivered
            > ask a tester
              no: there is no agent or role `tester`; `director agents` lists them
            > ask a person
              question_asked
              inbox_opened 2: which way?
            > done a
              attempt_ended a done
              inbox_closed 2: the attempt that asked is over
              quality_gate_status
              task_completed a (500)
              sprint_velocity_updated
            > answer 1
              inbox_answered 1: go on by ada
              role_restored
        "#]],
    );
}

#[test]
fn a_lost_role_gives_back_its_work_and_is_started_again() {
    tell(
        vec![tasks("a:1, b:1")],
        "submit
        up
        start a
        lose engineer
        done a
        answer 1
        up
        lose engineer
        reopen
        up",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
            > start a
              attempt_started
            > lose engineer
              attempt_ended a interrupted
              agent_down engineer-1
              attempt_ended b interrupted
              agent_down engineer-2
              role_lost
              inbox_opened 1: The role engineer is down after too many restarts (six restarts in a minute). Mend the cause, then answer anything to start it again.
              team_utilization_alert more to do than they can: engineer-1 (down), engineer-2 (down); room: tester-1 (40h); nothing that waits can move
            > done a
              no: attempt 1 at task `a` is over (the current one is 1); its report is not counted
            > answer 1
              inbox_answered 1: go on by ada
              role_restored
              team_utilization_alert nobody has more to do than they can any more
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
            > lose engineer
              attempt_ended a interrupted
              agent_down engineer-1
              attempt_ended b interrupted
              agent_down engineer-2
              role_lost
              inbox_opened 2: The role engineer is down after too many restarts (six restarts in a minute). Mend the cause, then answer anything to start it again.
              team_utilization_alert more to do than they can: engineer-1 (down), engineer-2 (down); room: tester-1 (40h); nothing that waits can move
            > reopen
              epoch_opened
              inbox_closed 2: a new director starts every role again
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 3: 992 = 1000 expertise, 975 capacity, 1000 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 3: 992 = 1000 expertise, 975 capacity, 1000 continuity
              agent_up tester-1
        "#]],
    );
}

#[test]
fn a_later_sprint_with_a_smaller_team_leaves_nobody_waiting_for_the_retired() {
    tell(
        vec![tasks("a:1, b:1, c:1"), named("t", 1, "z:1")],
        "submit
        up
        pause
        reassign c engineer-2
        submit
        reassign a engineer-2
        called off b
        done a
        resume",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned a to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned b to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up tester-1
            > pause
              sprint_paused
            > reassign c engineer-2
              task_reassigned c to engineer-2
            > submit
              sprint_submitted
              sprint_initialized
            > reassign a engineer-2
              no: there is no agent or role `engineer-2`; `director agents` lists them
            > called off b
              attempt_ended b cancelled
            > done a
              attempt_ended a done
              quality_gate_status
              task_completed a (333)
              sprint_velocity_updated
              task_assigned z to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
            > resume
              sprint_resumed
        "#]],
    );
}
