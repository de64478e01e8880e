//! What a forecast says of money, where it can be known: what chains cost, attempts that fail, what a budget leaves undone, and that one
//! which is raised changes nothing but when somebody is asked.

use director::estimate::habits::Habits;
use director::estimate::quantiles::Quantiles;
use director::estimate::{Durations, Model};
use director::simulate::faults::Faults;
use director::simulate::forecast::{Extent, forecast};
use director::simulate::prepare::Prepared;
use director::simulate::sums::Sums;
use director_protocols::sprint::SprintSpec;
use director_tests::sprint;

const HOUR: u64 = 3_600_000;
const DOLLAR: u64 = 1_000_000;

/// A chain of so many tasks; `budget` is what the file says of the sprint's money.
fn chain(tasks: usize, budget: &str) -> SprintSpec {
    let mut text = format!(
        "[sprint]\nid = \"money\"\n{budget}\n[limits]\nattempts_max = 2\nattempt_time = \"900h\"\n[team]\nonly = true\n[team.worker]\nagent = \"simulated\"\nkinds = [\"*\"]\n\
         [gates]\ntests = false\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n"
    );
    for task in 0..tasks {
        let waits = match task {
            0 => String::new(),
            _ => format!("\"t{}\"", task - 1),
        };
        text += &format!(
            "[[task]]\nid = \"t{task}\"\nexpects = \"nothing\"\ndepends_on = [{waits}]\nestimate = {{ optimistic = 1, likely = 2, pessimistic = 9 }}\n"
        );
    }
    sprint(&text, &[])
}

/// Each task takes an hour, no more and no less.
fn exact(spec: &SprintSpec, faults: Faults) -> Prepared {
    let hours = spec.tasks.iter().map(|_| Quantiles::fixed(HOUR)).collect();
    Prepared::new(spec, faults, Durations::of_tables(hours)).expect("can be simulated")
}

/// Tasks take what their estimates say.
fn spread(spec: &SprintSpec, faults: Faults) -> Prepared {
    let estimates = spec.tasks.iter().map(|task| &task.estimate);
    let durations = Durations::of(Model::Pert, &Habits::published(), estimates);
    Prepared::new(spec, faults, durations).expect("can be simulated")
}

fn run(set: &Prepared, runs: u64) -> Sums {
    let extent = Extent {
        runs,
        seed: 5,
        threads: 2,
        precision: None,
    };
    forecast(set, &[], &extent, &mut |_| {}).expect("runs").base
}

#[test]
fn a_budget_for_three_of_five_tasks_leaves_two_undone_in_every_run() {
    for (limit, short, undone, asked) in
        [(3, 300, vec![0, 0, 0, 300, 300], 3), (5, 0, vec![0; 5], 0)]
    {
        let budget = format!("[budget]\ncost_usd = {limit}\nexpected_usd = 1");
        let sums = run(&exact(&chain(5, &budget), Faults::NONE), 300);
        let money = &sums.money;
        // Asked, a person says yes: all of it is done, and costs what it costs.
        assert_eq!((sums.done, sums.finish.quantile(0.5)), (300, 5 * HOUR));
        assert_eq!(
            (money.cost.min(), money.cost.max()),
            (5 * DOLLAR, 5 * DOLLAR)
        );
        assert_eq!(
            (money.short, &money.tasks),
            (short, &undone),
            "limit {limit}"
        );
        assert_eq!(money.done, 300 - short, "limit {limit}");
        let kept = sums.in_short(5).and_then(|kept| kept.cost).expect("a cost");
        let kept = (kept.p95_micros, u64::from(kept.short_probability));
        assert_eq!(kept, (5 * DOLLAR, short * 1_000 / 300), "limit {limit}");
        assert_eq!(money.asked.max(), asked * HOUR, "limit {limit}");
    }
}

#[test]
fn without_a_price_and_without_a_limit_nothing_is_said_of_money() {
    for (budget, costs) in [
        ("", false),
        ("[budget]\ncost_usd = 9\nattempt_usd = 3", false),
        ("[budget]\nexpected_usd = 1", true),
    ] {
        let set = exact(&chain(3, budget), Faults::NONE);
        let sums = run(&set, 50);
        assert_eq!(set.costs, costs, "case: {budget}");
        let cost = if costs { 3 * DOLLAR } else { 0 };
        assert_eq!(
            (sums.money.cost.max(), sums.money.short),
            (cost, 0),
            "case: {budget}"
        );
    }
    // What an hour costs, where nothing else is known.
    let faults = Faults {
        cost_per_hour_micros: DOLLAR / 4,
        ..Faults::NONE
    };
    let sums = run(&exact(&chain(4, ""), faults), 50);
    assert_eq!(sums.money.cost.max(), DOLLAR);
}

#[test]
fn cost_has_the_spread_of_the_time_that_is_worked() {
    let set = spread(&chain(6, "[budget]\nexpected_usd = 2"), Faults::NONE);
    let sums = run(&set, 2_000);
    let cost = &sums.money.cost;
    let expected = 6.0 * 2.0 * DOLLAR as f64;
    let error = cost.mean_error() / 1.96 * 4.0;
    assert!(
        (cost.mean() - expected).abs() <= error,
        "{} ± {error}",
        cost.mean()
    );
    // All tasks have the same mean, so an hour costs the same everywhere.
    let rate = cost.mean() / sums.finish.mean();
    for part in [0.5, 0.85, 0.95] {
        let (cost, time) = (
            cost.quantile(part) as f64,
            sums.finish.quantile(part) as f64,
        );
        assert!(
            (cost / time / rate - 1.0).abs() < 0.003,
            "{part}: {cost} {time}"
        );
    }
}

#[test]
fn attempts_that_fail_cost_what_they_did_until_then() {
    let faults = Faults {
        fail: 500,
        ..Faults::NONE
    };
    let sums = run(
        &exact(&chain(1, "[budget]\nexpected_usd = 1"), faults),
        8_000,
    );
    // Half are done at once; of the others, which cost half of it, half are done the second time, and the rest costs half of it again.
    let expected = (0.5 + 0.5 * (0.5 + 0.75)) * DOLLAR as f64;
    let (mean, error) = (
        sums.money.cost.mean(),
        sums.money.cost.mean_error() / 1.96 * 4.0,
    );
    assert!(
        (mean - expected).abs() <= error,
        "{mean}, by theory {expected} ± {error}"
    );
}

#[test]
fn an_attempt_that_is_called_off_for_a_budget_goes_on_where_it_stopped_once_it_is_raised() {
    let faults = Faults::NONE;
    let free = run(
        &spread(&chain(4, "[budget]\nexpected_usd = 2"), faults),
        1_000,
    );
    let tight = run(
        &spread(
            &chain(4, "[budget]\ncost_usd = 7\nexpected_usd = 2"),
            faults,
        ),
        1_000,
    );
    assert!(tight.money.short > 500, "{}", tight.money.short);
    // People answer at once here, so it costs and takes the same, but for a millisecond and what it costs at each time it is called off.
    for part in [0.1, 0.5, 0.9] {
        for (one, other) in [
            (&free.finish, &tight.finish),
            (&free.money.cost, &tight.money.cost),
        ] {
            let (one, other) = (one.quantile(part), other.quantile(part));
            assert!(one.abs_diff(other) <= one / 900, "{part}: {one} {other}");
        }
    }
    // Seven dollars do not suffice wherever all of it costs more, and where so little is left that the last task is not begun.
    let enough = 1_000 - tight.money.short;
    let at = tight.money.cost.quantile(enough as f64 / 1_000.0);
    assert!((6 * DOLLAR..=7 * DOLLAR).contains(&at), "{at}");
}
