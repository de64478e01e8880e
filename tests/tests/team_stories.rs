//! The engine's rules about the team as stories: who has too much, what moves, what is held every day.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected.

use director::view;
use director_protocols::ids::TaskId;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Time;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

/// Two roles, of which the second can take over the work of the first, with `first` written about the first.
fn two_roles(first: &str, tasks: &str) -> SprintSpec {
    sprint(
        &format!(
            r#"
[sprint]
id = "s"
[team]
only = true
[team.api]
agent = "worker"
kinds = ["api_endpoint"]
{first}
[team.full]
agent = "worker"
kinds = ["feature"]
covers = ["api_endpoint"]
capacity = 10
{tasks}
"#
        ),
        &["worker"],
    )
}

const FOUR: &str = r#"
[[task]]
id = "a"
kind = "api_endpoint"
hours = 2
[[task]]
id = "b"
kind = "api_endpoint"
hours = 2
[[task]]
id = "c"
kind = "api_endpoint"
hours = 2
depends_on = ["a"]
[[task]]
id = "d"
kind = "feature"
hours = 3
"#;

fn tell(spec: SprintSpec, script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![spec]).run(script));
}

#[test]
fn work_that_takes_longer_overloads_a_role_and_what_waits_moves_once() {
    tell(
        two_roles("capacity = 6", FOUR),
        "submit
        up
        start a
        done a 5
        start d
        done d
        reopen",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up api-1
              task_assigned a to api-1 as attempt 1: 699 = 1000 expertise, 666 capacity, 0 continuity
              agent_up full-1
              task_assigned d to full-1 as attempt 1: 710 = 1000 expertise, 700 capacity, 0 continuity
            > start a
              attempt_started
            > done a 5
              attempt_ended a done
              quality_gate_status
              task_completed a (250)
              handoff_sent a to c
              sprint_velocity_updated
              team_utilization_alert: over [api-1 1500], room [full-1 7h00m], moves true
              task_rebalanced b from api (Some(1500)) to full (500)
              task_rebalanced c from api (Some(1166)) to full (700)
            > start d
              attempt_started
            > done d
              attempt_ended d done
              quality_gate_status
              task_completed d (500)
              sprint_velocity_updated
              task_assigned b to full-1 as attempt 1: 450 = 600 expertise, 500 capacity, 0 continuity
            > reopen
              epoch_opened
              attempt_ended b interrupted
        "#]],
    );
}

#[test]
fn what_waits_for_a_role_that_is_down_goes_to_those_who_cover_it_and_stays_there() {
    let mut script = Script::new(vec![two_roles("", FOUR)]);
    let told = script.run(
        "submit
        up
        start a
        lose api",
    );
    let now = Time(1_000_000);
    let state = script.engine.state();
    expect![[r#"
        > submit
          sprint_submitted
          sprint_initialized
        > up
          agent_up api-1
          task_assigned a to api-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
          agent_up full-1
          task_assigned d to full-1 as attempt 1: 710 = 1000 expertise, 700 capacity, 0 continuity
        > start a
          attempt_started
        > lose api
          attempt_ended a interrupted
          agent_down api-1
          role_lost
          inbox_opened 1: The role api is down after too many restarts (six restarts in a minute). Mend the cause, then answer anything to start it again.
          team_utilization_alert: over [api-1 150], room [full-1 7h00m], moves true
          task_rebalanced a from api (None) to full (500)
          task_rebalanced b from api (None) to full (700)
          task_rebalanced c from api (None) to full (900)
    "#]].assert_eq(&told);
    expect![[r#"
          engineering-director directs (built in)

          agent   state  used  load     left  done  restarts  doing
          api-1   lost     0%    0%  40h/40h     0         1
          full-1  busy     0%   90%   7h/10h     0         0  d for 0s
    "#]].assert_eq(&view::agents::render(&view::agents(state, now), 100, false));
    let why = view::why::why(state, &[], TaskId(1), now).expect("it is there");
    expect![[r#"
        ○ b ready b
          no full is free: full-1 has d for 0s
          it moved from api to full, because api was down or had more to do than it could
    "#]].assert_eq(&view::why::render(&why, 100, false));
    expect![[r#"
        > answer 1
          inbox_answered 1: go on by ada
          role_restored
          team_utilization_alert: over [], room [api-1 1d16h], moves false
        > lose api
          role_lost
          inbox_opened 2: The role api is down after too many restarts (six restarts in a minute). Mend the cause, then answer anything to start it again.
        > start d
          attempt_started
        > done d
          attempt_ended d done
          quality_gate_status
          task_completed d (250)
          sprint_velocity_updated
          task_assigned a to full-1 as attempt 2: 450 = 600 expertise, 500 capacity, 0 continuity
    "#]].assert_eq(&script.go_on(
        "answer 1
        lose api
        start d
        done d",
    ));
}
