//! The engine's rules about deployment as stories: what is asked before, when it may be, and what a look at it afterwards means.
//!
//! Time begins on a Thursday, 17 minutes after midnight. `UPDATE_EXPECT=1` rewrites what is expected.

use director_protocols::sprint::SprintSpec;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

/// An engineer, DevOps who are people, and one feature that has to be deployed, as `deployment` says.
fn with(deployment: &str) -> SprintSpec {
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
[team.devops]
agent = "person"
kinds = ["devops"]
[deployment]
{deployment}
[[task]]
id = "pay"
feature = "shop"
expects = "nothing"
deployment_requirements = ["the new table"]
"#
        ),
        &["worker"],
    )
}

const PROBE: &str =
    "probe = { run = \"sh probe.sh\", after = \"1m\", every = \"1m\", for = \"2m\" }";

fn tell(spec: SprintSpec, script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![spec]).run(script));
}

#[test]
fn what_is_merged_waits_for_its_window_and_is_then_asked_whether_it_can_be_deployed() {
    tell(
        with("ready = \"sh ready.sh\"\nwindows = [\"thu 02:00-03:00\", \"fri 09:00-10:00\"]"),
        "submit
        up
        start pay
        done pay
        send devops_deployment_ready {\"feature\":\"shop\"}
        reopen
        tick 6300s
        gates red
        reject 1
        up",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > start pay
              attempt_started
            > done pay
              attempt_ended pay done
              quality_gate_status
              task_completed pay (1000)
              sprint_velocity_updated
              deployment_scheduled the deployment of `shop` waits for its window, until 1970-01-01 02:00 UTC
            > send devops_deployment_ready {"feature":"shop"}
              no: `shop` is not ready: its deployment is under way already, and waits for its window
            > reopen
              epoch_opened
            > tick 6300s
              deployment_scheduled `shop` is to be deployed, says director
            > gates red
              readiness_checked `shop` cannot be deployed yet: `sh test.sh` failed (exit code 1) and said nothing
              inbox_opened 1: `shop` cannot be deployed yet: `sh test.sh` failed (exit code 1) and said nothing
            Yes asks again; no leaves it.
            > reject 1
              inbox_answered 1: no: not like this by ada
              deployment_dropped `shop` is not deployed: not like this (ada)
              sprint_ended done
            > up
              agent_up engineer-1
        "#]],
    );
}

#[test]
fn an_answer_that_comes_after_the_window_has_closed_waits_for_the_next() {
    tell(
        with("ready = \"sh ready.sh\"\nwindows = [\"daily 00:00-00:20\"]"),
        "submit
        up
        start pay
        done pay
        tick 600s
        gates green
        tick 85000s
        gates green
        approve 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > start pay
              attempt_started
            > done pay
              attempt_ended pay done
              quality_gate_status
              task_completed pay (1000)
              sprint_velocity_updated
              deployment_scheduled `shop` is to be deployed, says director
            > tick 600s
            > gates green
              readiness_checked `shop` can be deployed
              deployment_scheduled the deployment of `shop` waits for its window, until 1970-01-02 00:00 UTC
            > tick 85000s
              daily_standup_completed standup of s: 0 tasks completed since 1970-01-01 00:16Z, 0 planned, 0 blockers in the way; velocity none (1 after 0 points)
              deployment_scheduled `shop` is to be deployed, says director
            > gates green
              readiness_checked `shop` can be deployed
              devops_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: [], deployment_requirements: ["the new table"], documentation: [] }
              inbox_opened 1: A package for devops: feature shop
            deploy: the new table
            > approve 1
              inbox_answered 1: yes by ada
              package_answered 1 true
              sprint_ended done
        "#]],
    );
}

#[test]
fn a_look_that_fails_is_an_incident_and_one_that_passes_again_is_its_recovery() {
    tell(
        with(PROBE),
        "submit
        up
        start pay
        done pay
        approve 1
        tick 60s
        gates green
        tick 60s
        reopen
        gates red
        tick 60s
        gates green",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > start pay
              attempt_started
            > done pay
              attempt_ended pay done
              quality_gate_status
              task_completed pay (1000)
              sprint_velocity_updated
              deployment_scheduled `shop` is to be deployed, says director
              readiness_checked `shop` can be deployed
              devops_handoff_ready HandoffPackage { deliverable_type: "feature", artifacts: [], test_requirements: [], deployment_requirements: ["the new table"], documentation: [] }
              inbox_opened 1: A package for devops: feature shop
            deploy: the new table
            > approve 1
              inbox_answered 1: yes by ada
              package_answered 1 true
            > tick 60s
              probe_due
            > gates green
              deployment_probed look 1 at `shop`: it is well; again at 1970-01-01 00:18 UTC
            > tick 60s
              probe_due
            > reopen
              epoch_opened
            > gates red
              deployment_probed look 2 at `shop`: it is not well; again at 1970-01-01 00:19 UTC
              incident_opened
              incident_step_filled impact: `shop` is where people use it, and look 2 at it failed
              incident_step_filled mitigation: it is looked at again; whoever deployed it decides whether it goes back
              incident_step_filled escalation: told: devops, whoever answers the inbox
              inbox_opened 2: Incident 1: `shop` was deployed and is not well: `sh test.sh` failed (exit code 1) and said nothing
            > tick 60s
              probe_due
            > gates green
              deployment_probed look 3 at `shop`: it is well; that was the last
              incident_noted
              incident_step_filled recovery: look 3 at `shop`: `sh test.sh` passed
              sprint_ended done
        "#]],
    );
}

#[test]
fn what_is_held_is_asked_for_again_and_nothing_of_a_sprint_that_is_called_off_is_deployed() {
    tell(
        with(&format!("ready = \"sh ready.sh\"\n{PROBE}")),
        "submit
        up
        start pay
        done pay
        gates red
        approve 1
        gates red
        send devops_deployment_ready {\"feature\":\"shop\"}
        cancel",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > start pay
              attempt_started
            > done pay
              attempt_ended pay done
              quality_gate_status
              task_completed pay (1000)
              sprint_velocity_updated
              deployment_scheduled `shop` is to be deployed, says director
            > gates red
              readiness_checked `shop` cannot be deployed yet: `sh test.sh` failed (exit code 1) and said nothing
              inbox_opened 1: `shop` cannot be deployed yet: `sh test.sh` failed (exit code 1) and said nothing
            Yes asks again; no leaves it.
            > approve 1
              inbox_answered 1: yes by ada
              deployment_scheduled `shop` is to be deployed, says ada
            > gates red
              readiness_checked `shop` cannot be deployed yet: `sh test.sh` failed (exit code 1) and said nothing
              inbox_opened 2: `shop` cannot be deployed yet: `sh test.sh` failed (exit code 1) and said nothing
            Yes asks again; no leaves it.
            > send devops_deployment_ready {"feature":"shop"}
              devops_deployment_ready
              inbox_closed 2: it is asked for again
              deployment_scheduled `shop` is to be deployed, says ada
            > cancel
              sprint_cancelled
              deployment_dropped `shop` is not deployed: the sprint was called off (ada)
              sprint_ended cancelled
        "#]],
    );
}

/// Found by the swarm: what was called off was looked at all the same, in a sprint that was over.
#[test]
fn a_package_that_is_taken_after_its_deployment_was_called_off_deploys_nothing() {
    let mut told = Script::new(vec![with(PROBE)]);
    let text = told.run(
        "submit
        up
        start pay
        done pay
        cancel
        approve 1",
    );
    let (_, after) = text.split_once("> cancel").expect("it was told");
    expect![[r#"

          sprint_cancelled
          deployment_dropped `shop` is not deployed: the sprint was called off (ada)
          sprint_ended cancelled
        > approve 1
          inbox_answered 1: yes by ada
          package_answered 1 true
    "#]]
    .assert_eq(after);
}
