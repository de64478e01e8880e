//! An epic by rule, as people read it, and what holds for any epic.

use std::collections::BTreeSet;

use director_protocols::manifest::{Format, Options, epic as format};
use expect_test::expect;

use super::*;

fn example() -> EpicSpec {
    let text = include_str!("../../../../examples/epic.toml");
    let read = format::parse(text, "epic.toml", Format::Toml, &Options::default());
    read.unwrap_or_else(|errors| panic!("{errors}")).0
}

#[test]
fn an_epic_becomes_sprints_with_everything_that_is_easily_overlooked() {
    let epic = example();
    let plan = by_rule(&epic).expect("a plan");
    expect![[r#"
        # Epic checkout: Checkout

        23 tasks in 2 sprints, 13 working days

        ## Architecture

        `checkout-architecture` decides it before anything is built: 3 features, of which 2 have an interface and a service.
        - `payment` is built on cart
        - `receipts` is built on payment
        - `cart`: between `cart-ui` and `cart-api`, joined by `cart-connect`
        - `payment`: between `payment-ui` and `payment-api`, joined by `payment-connect`

        ## checkout-1, 2026-11-23 to 2026-12-04

        - tech-lead: checkout-architecture (Specification and architecture of Checkout, 7.28h)
        - documentation-research: checkout-research (Practices and pitfalls for Checkout, 3.64h)
        - test-engineer: checkout-test-strategy (Test strategy for Checkout, 3.48h)
        - documentation-research: payment-question (Answer the open question of Payment, 5.6h)
        - ux-engineer: cart-ui-1 (Interface of The cart (1 of 2), 10.16h)
        - ux-engineer: cart-ui-2 (Interface of The cart (2 of 2), 10.16h)
        - ux-engineer: payment-ui (Interface of Payment, 12.51h)
        - api-engineer: cart-api-1 (Service of The cart (1 of 2), 10.16h)
        - api-engineer: cart-api-2 (Service of The cart (2 of 2), 10.16h)
        - api-engineer: payment-api (Service of Payment, 12.51h)
        - fullstack-engineer: receipts-build (Build Receipts, 13.4h)
        - fullstack-engineer: cart-connect (Connect interface and service of The cart, 8.71h)
        - fullstack-engineer: payment-connect (Connect interface and service of Payment, 5.36h)
        - test-engineer: payment-tests (Integration and end-to-end tests of Payment, 7.15h)
        - tech-lead-reviewer: cart-review (Review The cart, 4.33h)
        - tech-lead-reviewer: payment-review (Review Payment, 2.67h)
        - documentation-writer: cart-docs (Documentation of The cart, 6.5h)
        - documentation-writer: payment-docs (Documentation of Payment, 4h)
        - documentation-writer: receipts-docs (Documentation of Receipts, 2.5h)

        Critical path: checkout-architecture → cart-ui-1 → payment-ui → payment-connect → receipts-build (48.71h)

        ## checkout-2, 2026-12-07 to 2026-12-18

        - test-engineer: cart-tests (Integration and end-to-end tests of The cart, 11.61h)
        - test-engineer: receipts-tests (Integration and end-to-end tests of Receipts, 4.47h)
        - tech-lead-reviewer: receipts-review (Review Receipts, 1.67h)
        - test-engineer: checkout-validation (Final validation of Checkout, 5.81h)

        Critical path: cart-tests → checkout-validation (17.42h)

        ## Risks

        - the bank's sandbox is down for days at a time: look at it at the end of each sprint. Then: cut the feature that it endangers
        - checkout-1: ux-engineer-1 alone carries 22.67h of the 48.71h critical path (`cart-ui-1`, `payment-ui`): give ux-engineer a second agent, or let another role cover its kinds of task. Then: fullstack-engineer-1 takes over `cart-ui-1`, `payment-ui`; its role covers this kind of work
        - checkout-1: fullstack-engineer-1 alone carries 18.76h of the 48.71h critical path (`payment-connect`, `receipts-build`): give fullstack-engineer a second agent, or let another role cover its kinds of task. Then: tech-lead-1 takes over `payment-connect`, `receipts-build`; its role covers this kind of work
        - checkout-1: the tasks of feature `cart` take turns in one worktree (60.19h), so the sprint takes at least 67.47h and not 48.71h: give tasks that touch different files a `feature` of their own instead of `cart`. Then: merge what `cart` has so far, and go on with the rest as another feature
        - checkout-1: estimates with a wide spread: `receipts-build`, `payment-ui`, `payment-api` and 11 more; `receipts-build`, on the critical path, takes 8.4h to 24h: find out first what is uncertain, or split these tasks there. Then: 10.6h more would be needed for `receipts-build`: cut its scope to the acceptance criteria, or replan
        - checkout-1: 10 tasks wait for `checkout-architecture`: start `checkout-architecture` first, and agree early on what the others need from it. Then: let those that need only a part of `checkout-architecture` start from a draft of it
        - checkout-1: 79.19h of 80h are planned: only 0.81h are left before the end: commit to less, or start the critical path with the most certain people. Then: leave `receipts-docs`, the least urgent, for the next sprint
        - checkout-1, checkout-2: gate `coverage` cannot be measured and will be reported as not measured: give `coverage` a command under `gates`, or switch it off. Then: have a person look at what `coverage` is about before delivery
        - checkout-1, checkout-2: gate `docs` cannot be measured and will be reported as not measured: give `docs` a command under `gates`, or switch it off. Then: have a person look at what `docs` is about before delivery
        - checkout-1, checkout-2: gate `review` cannot be measured and will be reported as not measured: give `review` a command under `gates`, or switch it off. Then: have a person look at what `review` is about before delivery
        - checkout-1, checkout-2: gate `tests` cannot be measured and will be reported as not measured: give `tests` a command under `gates`, or switch it off. Then: have a person look at what `tests` is about before delivery
        - checkout-2: test-engineer-1 alone carries 17.42h of the 17.42h critical path (`cart-tests`, `checkout-validation`): give test-engineer a second agent, or let another role cover its kinds of task. Then: fullstack-engineer-1 takes over `cart-tests`, `checkout-validation`; its role covers this kind of work
        - checkout-2: estimates with a wide spread: `cart-tests`, `checkout-validation`, `receipts-tests`; `cart-tests`, on the critical path, takes 7.28h to 20.8h: find out first what is uncertain, or split these tasks there. Then: 9.19h more would be needed for `cart-tests`: cut its scope to the acceptance criteria, or replan
    "#]].assert_eq(&plan.markdown(&epic));
    let json = plan.json(&epic);
    for key in [
        "epic_id",
        "sprint_breakdown",
        "architecture_plan",
        "risk_mitigation",
        "estimated_duration",
    ] {
        assert!(!json[key].is_null(), "{key}");
    }
}

#[test]
fn who_waits_for_whom_is_as_the_rule_says() {
    let tasks = rule::tasks(&example());
    let waits = |id: &str| {
        let task = tasks
            .iter()
            .find(|task| task.id.as_str() == id)
            .unwrap_or_else(|| panic!("no {id}"));
        task.depends_on
            .iter()
            .map(|id| id.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (task, first) in [
        ("checkout-architecture", ""),
        ("checkout-test-strategy", ""),
        ("payment-question", ""),
        ("cart-docs", "checkout-architecture"),
        ("payment-docs", "checkout-architecture payment-question"),
        ("cart-ui-1", "checkout-architecture"),
        (
            "payment-api",
            "checkout-architecture payment-question cart-api-1 cart-api-2",
        ),
        ("cart-connect", "cart-ui-1 cart-ui-2 cart-api-1 cart-api-2"),
        ("cart-review", "cart-connect"),
        ("cart-tests", "cart-connect checkout-test-strategy"),
        ("receipts-build", "checkout-architecture payment-connect"),
    ] {
        assert_eq!(waits(task), first, "{task}");
    }
    assert!(waits("checkout-validation").contains("receipts-tests"));
    let strategy = tasks
        .iter()
        .find(|task| task.id.as_str() == "checkout-test-strategy");
    assert!(strategy.is_some_and(|task| task.test_requirements[0].starts_with("QA agrees")));
}

#[test]
fn each_task_is_in_one_sprint_and_waits_for_none_that_comes_later() {
    let mut epic = example();
    // A team that needs many sprints, with a feature that no sprint can hold.
    epic.sprint_days = 2;
    epic.features[0].points = 200;
    let all = rule::tasks(&epic);
    let plan = by_rule(&epic).expect("a plan");
    assert!(plan.sprints.len() > 3 && !plan.oversized.is_empty());
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut ended = String::new();
    for (sprint, planned) in &plan.sprints {
        let (start, end) = (sprint.start.clone(), sprint.end.clone());
        let (start, end) = (start.expect("a first day"), end.expect("a last day"));
        assert!(
            ended < start && start <= end,
            "{}: {start} to {end}",
            sprint.id
        );
        ended = end;
        assert!(
            planned.commitment.backlog.is_empty(),
            "{}: {:?}",
            sprint.id,
            planned.commitment.backlog
        );
        let now: BTreeSet<String> = sprint
            .tasks
            .iter()
            .map(|task| task.id.to_string())
            .collect();
        for task in &sprint.tasks {
            let whole = all
                .iter()
                .find(|known| known.id == task.id)
                .expect("it was made");
            for first in &whole.depends_on {
                let first = first.to_string();
                assert!(
                    done.contains(&first) || now.contains(&first),
                    "{} before {first}",
                    task.id
                );
            }
        }
        assert!(done.is_disjoint(&now));
        done.extend(now);
    }
    assert_eq!(done.len(), all.len());
}
