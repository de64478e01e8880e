//! Budgets of a running sprint that its file changes: higher, lower than what is spent, gone, and those of roles and tasks.

use director_protocols::sprint::SprintSpec;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

fn team(budget: &str, engineer: &str, pay: &str) -> SprintSpec {
    sprint(
        &format!(
            r#"
[sprint]
id = "s"
{budget}
[team]
only = true
[team.engineer]
agent = "worker"
kinds = ["feature"]
{engineer}
[[task]]
id = "pay"
expects = "nothing"
{pay}
[[task]]
id = "cart"
expects = "nothing"
"#
        ),
        &["worker"],
    )
}

/// The sprint as it is submitted, and as its file has it at `replan`.
fn tell(before: SprintSpec, after: SprintSpec, script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![before, after]).run(script));
}

#[test]
fn a_limit_that_the_file_raises_lets_what_waits_for_it_go_on() {
    tell(
        team("[budget]\ncost_usd = 2\nexpected_usd = 2", "", ""),
        team("[budget]\ncost_usd = 5\nexpected_usd = 2", "", ""),
        "submit
        up
        done pay for 3
        replan
        done cart for 2",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $2.00 are set aside for attempt 1 at pay, which may spend $2.00
            > done pay for 3
              attempt_ended pay done
              cost_settled attempt 1 at pay has cost $3.00, $1.00 more than was set aside
              quality_gate_status
              task_completed pay (500)
              sprint_velocity_updated
              budget_held cart waits: the budget of the sprint has $0.00 left, and it is expected to cost $2.00; a person is asked
              inbox_opened 1: The budget of the sprint has too little left for `cart`: $3.00 of $2.00 are spent and $0.00 set aside, and it is expected to cost $2.00. A yes raises the limit to $5.00, an answer sets it in dollars, a no calls off everything that has not begun.
            > replan
              budgets_changed the file says something else of money, says ada: $5.00 for the sprint
              budget_freed nothing waits for the budget of the sprint any more
              inbox_closed 1: what waited for the budget fits now, or is not wanted any more
              task_assigned cart to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $2.00 are set aside for attempt 1 at cart, which may spend $2.00
            > done cart for 2
              attempt_ended cart done
              cost_settled attempt 1 at cart has cost $2.00, as was set aside
              quality_gate_status
              task_completed cart (1000)
              sprint_velocity_updated
              sprint_ended done
        "#]],
    );
}

#[test]
fn a_limit_below_what_is_spent_holds_what_is_not_begun_and_asks() {
    tell(
        team("[budget]\ncost_usd = 9\nexpected_usd = 1", "", ""),
        team("[budget]\ncost_usd = 2\nexpected_usd = 1", "", ""),
        "submit
        up
        spend pay 3
        replan
        spend pay 3.50
        done pay for 4
        approve 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at pay, which may spend $9.00
            > spend pay 3
              cost_spent attempt 1 at pay has spent $3.00
            > replan
              budgets_changed the file says something else of money, says ada: $2.00 for the sprint
            > spend pay 3.50
              cost_spent attempt 1 at pay has spent $3.50
              attempt_overspent attempt 1 at pay is called off: it has spent $3.50, more than the $2.00 that the budget of the sprint has for it
            > done pay for 4
              attempt_ended pay done
              cost_settled attempt 1 at pay has cost $4.00, $3.00 more than was set aside
              quality_gate_status
              task_completed pay (500)
              sprint_velocity_updated
              budget_held cart waits: the budget of the sprint has $0.00 left, and it is expected to cost $1.00; a person is asked
              inbox_opened 1: The budget of the sprint has too little left for `cart`: $4.00 of $2.00 are spent and $0.00 set aside, and it is expected to cost $1.00. A yes raises the limit to $5.00, an answer sets it in dollars, a no calls off everything that has not begun.
            > approve 1
              inbox_answered 1: yes by ada
              budget_raised the budget of the sprint is $5.00 from now on, says ada
              budget_freed nothing waits for the budget of the sprint any more
              task_assigned cart to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at cart, which may spend $1.00
        "#]],
    );
}

#[test]
fn budgets_of_a_role_and_a_task_change_without_an_interruption() {
    tell(
        team(
            "",
            "budget = { cost_usd = 1, expected_usd = 1 }",
            "budget = { cost_usd = 1 }",
        ),
        team("", "", "budget = { cost_usd = 6 }"),
        "submit
        up
        replan
        spend pay 2
        done pay for 2",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at pay, which may spend $1.00
            > replan
              budgets_changed the file says something else of money, says ada: no limit for the sprint, no limit for each engineer
              task_changed pay: budget
              sprint_replanned +0 ~1 -0
            > spend pay 2
              cost_spent attempt 1 at pay has spent $2.00
            > done pay for 2
              attempt_ended pay done
              cost_settled attempt 1 at pay has cost $2.00, $1.00 more than was set aside
              quality_gate_status
              task_completed pay (500)
              sprint_velocity_updated
              task_assigned cart to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $0.00 are set aside for attempt 1 at cart
        "#]],
    );
}
