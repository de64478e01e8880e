//! Budgets: what an attempt is expected to cost is set aside before it begins, and nothing is handed out that would not fit.

use director_protocols::sprint::SprintSpec;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

/// Two engineers and a writer; `budget` is what the file says of the sprint's money, `engineer` of each engineer's, `pay` of the first task's.
fn team(budget: &str, engineer: &str, pay: &str) -> SprintSpec {
    sprint(
        &format!(
            r#"
[sprint]
id = "s"
{budget}
[limits]
attempts_max = 2
[team]
only = true
[team.engineer]
agent = "worker"
count = 2
kinds = ["feature"]
{engineer}
[[task]]
id = "pay"
expects = "nothing"
{pay}
[[task]]
id = "cart"
expects = "nothing"
[[task]]
id = "ship"
expects = "nothing"
[[task]]
id = "mail"
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
fn what_is_set_aside_comes_back_and_what_does_not_fit_waits_for_it_and_then_for_a_person() {
    tell(
        team(
            "[budget]\ncost_usd = 5\nexpected_usd = 2\nwarn_usd = 3",
            "",
            "",
        ),
        "submit
        up
        done pay for 0.50
        done cart for 2.50
        done ship for 1.50
        pay 2 twelve
        pay 2 5.50
        reopen
        up
        approve 2
        done mail for 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $2.00 are set aside for attempt 1 at pay, which may spend $5.00
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $2.00 are set aside for attempt 1 at cart, which may spend $3.00
            > done pay for 0.50
              attempt_ended pay done
              cost_settled attempt 1 at pay has cost $0.50; $1.50 go back
              quality_gate_status
              task_completed pay (250)
              sprint_velocity_updated
              task_assigned ship to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $2.00 are set aside for attempt 1 at ship, which may spend $2.50
            > done cart for 2.50
              attempt_ended cart done
              cost_settled attempt 1 at cart has cost $2.50, $0.50 more than was set aside
              budget_warned the budget of the sprint has reached its soft limit: $3.00 of $3.00
              inbox_opened 1: The budget of the sprint has reached its soft limit: $3.00 of $3.00 are spent; nothing goes beyond $5.00
              quality_gate_status
              task_completed cart (500)
              sprint_velocity_updated
              budget_held mail waits: the budget of the sprint has $0.00 left, and it is expected to cost $2.00; work in hand may give some back
            > done ship for 1.50
              attempt_ended ship done
              cost_settled attempt 1 at ship has cost $1.50; $0.50 go back
              quality_gate_status
              task_completed ship (750)
              sprint_velocity_updated
              budget_held mail waits: the budget of the sprint has $0.50 left, and it is expected to cost $1.50; a person is asked
              inbox_opened 2: The budget of the sprint has too little left for `mail`: $4.50 of $5.00 are spent and $0.00 set aside, and it is expected to cost $1.50. A yes raises the limit to $7.50, an answer sets it in dollars, a no calls off everything that has not begun.
            > pay 2 twelve
              no: the answer is not usable: a limit in dollars is wanted, of $6.00 at least, such as $7.50
            > pay 2 5.50
              no: the answer is not usable: a limit in dollars is wanted, of $6.00 at least, such as $7.50
            > reopen
              epoch_opened
            > up
              agent_up engineer-1
              agent_up engineer-2
            > approve 2
              inbox_answered 2: yes by ada
              budget_raised the budget of the sprint is $7.50 from now on, says ada
              budget_freed nothing waits for the budget of the sprint any more
              task_assigned mail to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $1.50 are set aside for attempt 1 at mail, which may spend $3.00
            > done mail for 1
              attempt_ended mail done
              cost_settled attempt 1 at mail has cost $1.00; $0.50 go back
              quality_gate_status
              task_completed mail (1000)
              sprint_velocity_updated
              sprint_ended done
        "#]],
    );
}

#[test]
fn a_budget_of_which_too_much_is_spent_is_asked_about_and_a_no_calls_off_what_has_not_begun() {
    tell(
        team("[budget]\ncost_usd = 3\nexpected_usd = 1.5", "", ""),
        "submit
        up
        done pay for 1.50
        done cart for 1
        reject 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.50 are set aside for attempt 1 at pay, which may spend $3.00
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.50 are set aside for attempt 1 at cart, which may spend $1.50
            > done pay for 1.50
              attempt_ended pay done
              cost_settled attempt 1 at pay has cost $1.50, as was set aside
              quality_gate_status
              task_completed pay (250)
              sprint_velocity_updated
              budget_held ship waits: the budget of the sprint has $0.00 left, and it is expected to cost $1.50; work in hand may give some back
            > done cart for 1
              attempt_ended cart done
              cost_settled attempt 1 at cart has cost $1.00; $0.50 go back
              quality_gate_status
              task_completed cart (500)
              sprint_velocity_updated
              budget_held ship waits: the budget of the sprint has $0.50 left, and it is expected to cost $1.50; a person is asked
              inbox_opened 1: The budget of the sprint has too little left for `ship`: $2.50 of $3.00 are spent and $0.00 set aside, and it is expected to cost $1.50. A yes raises the limit to $4.50, an answer sets it in dollars, a no calls off everything that has not begun.
            > reject 1
              inbox_answered 1: no: not like this by ada
              task_cancelled ship
              task_cancelled mail
              sprint_ended incomplete
              budget_freed nothing waits for the budget of the sprint any more
        "#]],
    );
}

#[test]
fn an_attempt_that_spends_what_is_not_there_is_called_off_and_goes_on_when_there_is_more() {
    tell(
        team("[budget]\ncost_usd = 4\nexpected_usd = 1", "", ""),
        "submit
        up
        spend pay 1.50
        spend cart 2.50
        spend cart 2.60
        called off cart
        done pay for 1.50
        pay 1 8
        done ship for 1
        done cart for 3.50",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at pay, which may spend $4.00
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at cart, which may spend $3.00
            > spend pay 1.50
              cost_spent attempt 1 at pay has spent $1.50
            > spend cart 2.50
              cost_spent attempt 1 at cart has spent $2.50
            > spend cart 2.60
              cost_spent attempt 1 at cart has spent $2.60
              attempt_overspent attempt 1 at cart is called off: it has spent $2.60, more than the $2.50 that the budget of the sprint has for it
            > called off cart
              attempt_ended cart cancelled
              cost_settled attempt 1 at cart has cost $2.60, $1.60 more than was set aside
              budget_held cart waits: the budget of the sprint has $0.00 left, and it is expected to cost $1.00; a person is asked
              inbox_opened 1: The budget of the sprint has too little left for `cart`: $4.10 of $4.00 are spent and $0.00 set aside, and it is expected to cost $1.00. A yes raises the limit to $6.00, an answer sets it in dollars, a no calls off everything that has not begun.
            > done pay for 1.50
              attempt_ended pay done
              cost_settled attempt 1 at pay has cost $1.50, $0.50 more than was set aside
              quality_gate_status
              task_completed pay (250)
              sprint_velocity_updated
            > pay 1 8
              inbox_answered 1: 8 by ada
              budget_raised the budget of the sprint is $8.00 from now on, says ada
              budget_freed nothing waits for the budget of the sprint any more
              task_assigned cart to engineer-2 as attempt 2: 992 = 1000 expertise, 975 capacity, 1000 continuity
              cost_reserved $1.00 are set aside for attempt 2 at cart, which may spend $3.90
              task_assigned ship to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at ship, which may spend $2.90
            > done ship for 1
              attempt_ended ship done
              cost_settled attempt 1 at ship has cost $1.00, as was set aside
              quality_gate_status
              task_completed ship (500)
              sprint_velocity_updated
              task_assigned mail to engineer-1 as attempt 1: 777 = 1000 expertise, 925 capacity, 0 continuity
              cost_reserved $1.50 are set aside for attempt 1 at mail, which may spend $1.90
            > done cart for 3.50
              attempt_ended cart done
              cost_settled attempt 2 at cart has cost $3.50, $2.50 more than was set aside
              quality_gate_status
              task_completed cart (750)
              sprint_velocity_updated
        "#]],
    );
}

#[test]
fn the_limit_of_one_attempt_is_a_failure_and_the_one_of_a_task_holds_over_all_its_attempts() {
    tell(
        team(
            "",
            "",
            "budget = { cost_usd = 3, attempt_usd = 2, expected_usd = 1 }",
        ),
        "submit
        up
        spend pay 2
        spend pay 2.50
        called off pay
        tick 1s
        done ship
        done mail
        approve 1
        done pay for 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at pay, which may spend $2.00
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > spend pay 2
              cost_spent attempt 1 at pay has spent $2.00
            > spend pay 2.50
              cost_spent attempt 1 at pay has spent $2.50
              attempt_overspent attempt 1 at pay is called off: it has spent $2.50, more than the $2.00 that an attempt may
            > called off pay
              attempt_ended pay failed
              cost_settled attempt 1 at pay has cost $2.50, $1.50 more than was set aside
              retry_scheduled pay in 1.0s
              task_assigned ship to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > tick 1s
              retry_due
            > done ship
              attempt_ended ship done
              quality_gate_status
              task_completed ship (250)
              sprint_velocity_updated
              task_assigned mail to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
            > done mail
              attempt_ended mail done
              quality_gate_status
              task_completed mail (500)
              sprint_velocity_updated
              budget_held pay waits: the budget of task `pay` has $0.50 left, and it is expected to cost $1.00; a person is asked
              inbox_opened 1: The budget of task `pay` has too little left for `pay`: $2.50 of $3.00 are spent and $0.00 set aside, and it is expected to cost $1.00. A yes raises the limit to $4.50, an answer sets it in dollars, a no calls `pay` off.
            > approve 1
              inbox_answered 1: yes by ada
              budget_raised the budget of task `pay` is $4.50 from now on, says ada
              budget_freed nothing waits for the budget of task `pay` any more
              task_assigned pay to engineer-1 as attempt 2: 977 = 1000 expertise, 925 capacity, 1000 continuity
              cost_reserved $1.00 are set aside for attempt 2 at pay, which may spend $2.00
            > done pay for 1
              attempt_ended pay done
              cost_settled attempt 2 at pay has cost $1.00, as was set aside
              quality_gate_status
              task_completed pay (750)
              sprint_velocity_updated
        "#]],
    );
}

#[test]
fn a_program_that_ends_because_it_has_spent_what_it_may_waits_as_one_that_is_called_off() {
    tell(
        team("[budget]\ncost_usd = 3\nexpected_usd = 1", "", ""),
        "submit
        up
        done pay for 1
        done cart
        spend ship 1
        reached ship
        spend mail 1.5
        reached mail
        pay 1 9
        reached ship",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at pay, which may spend $3.00
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at cart, which may spend $2.00
            > done pay for 1
              attempt_ended pay done
              cost_settled attempt 1 at pay has cost $1.00, as was set aside
              quality_gate_status
              task_completed pay (250)
              sprint_velocity_updated
              task_assigned ship to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at ship, which may spend $1.00
            > done cart
              attempt_ended cart done
              cost_settled attempt 1 at cart has cost $0.00; $1.00 go back
              quality_gate_status
              task_completed cart (500)
              sprint_velocity_updated
              task_assigned mail to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at mail, which may spend $1.00
            > spend ship 1
              cost_spent attempt 1 at ship has spent $1.00
            > reached ship
              attempt_ended ship budget reached
              cost_settled attempt 1 at ship has cost $1.00, as was set aside
              budget_held ship waits: the budget of the sprint has $0.00 left, and it is expected to cost $1.00; work in hand may give some back
            > spend mail 1.5
              cost_spent attempt 1 at mail has spent $1.50
              attempt_overspent attempt 1 at mail is called off: it has spent $1.50, more than the $1.00 that the budget of the sprint has for it
              budget_held ship waits: the budget of the sprint has $0.00 left, and it is expected to cost $1.00; a person is asked
              inbox_opened 1: The budget of the sprint has too little left for `ship`: $3.50 of $3.00 are spent and $0.00 set aside, and it is expected to cost $1.00. A yes raises the limit to $4.50, an answer sets it in dollars, a no calls off everything that has not begun.
            > reached mail
              attempt_ended mail budget reached
              cost_settled attempt 1 at mail has cost $1.50, $0.50 more than was set aside
            > pay 1 9
              inbox_answered 1: 9 by ada
              budget_raised the budget of the sprint is $9.00 from now on, says ada
              budget_freed nothing waits for the budget of the sprint any more
              task_assigned ship to engineer-1 as attempt 2: 985 = 1000 expertise, 950 capacity, 1000 continuity
              cost_reserved $1.00 are set aside for attempt 2 at ship, which may spend $5.50
              task_assigned mail to engineer-2 as attempt 2: 985 = 1000 expertise, 950 capacity, 1000 continuity
              cost_reserved $1.00 are set aside for attempt 2 at mail, which may spend $4.50
            > reached ship
              attempt_ended ship failed
              cost_settled attempt 2 at ship has cost $0.00; $1.00 go back
              retry_scheduled ship in 1.0s
        "#]],
    );
}

#[test]
fn a_program_that_ends_at_the_limit_of_one_attempt_has_failed() {
    tell(
        team(
            "",
            "",
            "budget = { cost_usd = 9, attempt_usd = 2, expected_usd = 1 }",
        ),
        "submit
        up
        spend pay 2
        reached pay",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at pay, which may spend $2.00
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > spend pay 2
              cost_spent attempt 1 at pay has spent $2.00
            > reached pay
              attempt_ended pay failed
              cost_settled attempt 1 at pay has cost $2.00, $1.00 more than was set aside
              retry_scheduled pay in 1.0s
              task_assigned ship to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
        "#]],
    );
}

#[test]
fn an_agent_that_has_used_up_its_share_leaves_the_work_to_the_others() {
    tell(
        team("", "budget = { cost_usd = 2, expected_usd = 1 }", ""),
        "submit
        up
        done pay for 1.50
        done cart for 0.50
        done ship for 1",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at pay, which may spend $2.00
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at cart, which may spend $2.00
            > done pay for 1.50
              attempt_ended pay done
              cost_settled attempt 1 at pay has cost $1.50, $0.50 more than was set aside
              quality_gate_status
              task_completed pay (250)
              sprint_velocity_updated
              budget_held ship waits: the budget of engineer-1 has $0.50 left, and it is expected to cost $1.00; work in hand may give some back
            > done cart for 0.50
              attempt_ended cart done
              cost_settled attempt 1 at cart has cost $0.50; $0.50 go back
              quality_gate_status
              task_completed cart (500)
              sprint_velocity_updated
              task_assigned ship to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at ship, which may spend $1.50
              budget_freed nothing waits for the budget of engineer-1 any more
              budget_held mail waits: the budget of engineer-1 has $0.50 left, and it is expected to cost $1.00; work in hand may give some back
            > done ship for 1
              attempt_ended ship done
              cost_settled attempt 1 at ship has cost $1.00, as was set aside
              quality_gate_status
              task_completed ship (750)
              sprint_velocity_updated
              budget_held mail waits: the budget of engineer-1 has $0.50 left, and it is expected to cost $1.00; a person is asked
              inbox_opened 1: The budget of engineer-1 has too little left for `mail`: $1.50 of $2.00 are spent and $0.00 set aside, and it is expected to cost $1.00. A yes raises the limit to $3.00, an answer sets it in dollars, a no calls `mail` off.
        "#]],
    );
}

#[test]
fn a_window_opens_again_by_itself_and_costs_are_learned_from_what_was_done() {
    tell(
        team(
            "[budget]\nexpected_usd = 1\nwindow = { cost_usd = 4, within = \"64m\" }",
            "",
            "",
        ),
        "submit
        up
        tick 60s
        done pay for 2
        tick 60s
        done cart for 2
        tick 3720s
        tick 60s
        tick 60s
        done ship for 1
        done mail for 1.25",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned pay to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at pay, which may spend $4.00
              agent_up engineer-2
              task_assigned cart to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at cart, which may spend $3.00
            > tick 60s
            > done pay for 2
              attempt_ended pay done
              cost_settled attempt 1 at pay has cost $2.00, $1.00 more than was set aside
              quality_gate_status
              task_completed pay (250)
              sprint_velocity_updated
              task_assigned ship to engineer-1 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at ship, which may spend $1.00
            > tick 60s
            > done cart for 2
              attempt_ended cart done
              cost_settled attempt 1 at cart has cost $2.00, $1.00 more than was set aside
              quality_gate_status
              task_completed cart (500)
              sprint_velocity_updated
              budget_held mail waits: the budget of the sprint for 1h04m has $0.00 left, and it is expected to cost $1.00; it goes on at 1970-01-01 01:22 UTC
            > tick 3720s
            > tick 60s
            > tick 60s
              budget_freed nothing waits for the budget of the sprint for 1h04m any more
              task_assigned mail to engineer-2 as attempt 1: 785 = 1000 expertise, 950 capacity, 0 continuity
              cost_reserved $1.00 are set aside for attempt 1 at mail, which may spend $1.00
            > done ship for 1
              attempt_ended ship done
              cost_settled attempt 1 at ship has cost $1.00, as was set aside
              quality_gate_status
              task_completed ship (750)
              sprint_velocity_updated
            > done mail for 1.25
              attempt_ended mail done
              cost_settled attempt 1 at mail has cost $1.25, $0.25 more than was set aside
              quality_gate_status
              task_completed mail (1000)
              sprint_velocity_updated
              sprint_ended done
        "#]],
    );
}
