//! What is said of money: what is set aside, spent and settled, and budgets that hold work back.

use std::fmt::Write as _;

use director_protocols::event::{Event, Purse};
use director_protocols::forecast::CostForecast;

use crate::engine::decide::budget::purse_name;
use crate::engine::money::dollars;
use crate::engine::state::State;
use crate::view::minute;

/// The event as a sentence; empty for those that are not about money.
pub(super) fn sentence(event: &Event, state: &State) -> String {
    let task = |id| state.task_name(id);
    match event {
        Event::CostReserved(e) => format!(
            "{} are set aside for attempt {} at {}{}",
            dollars(e.reserved_micros),
            e.attempt,
            task(e.task_id),
            e.most_micros.map_or_else(String::new, |most| format!(
                ", which may spend {}",
                dollars(most)
            ))
        ),
        Event::CostSpent(e) => format!(
            "attempt {} at {} has spent {}",
            e.attempt,
            task(e.task_id),
            dollars(e.cost_micros)
        ),
        Event::CostSettled(e) => {
            let (cost, reserved) = (e.cost_micros, e.reserved_micros);
            let rest = match reserved {
                0 => String::new(),
                _ if cost > reserved => {
                    format!(", {} more than was set aside", dollars(cost - reserved))
                }
                _ if cost < reserved => format!("; {} go back", dollars(reserved - cost)),
                _ => ", as was set aside".to_owned(),
            };
            format!(
                "attempt {} at {} has cost {}{rest}",
                e.attempt,
                task(e.task_id),
                dollars(cost)
            )
        }
        Event::BudgetWarned(e) => format!(
            "{} has reached its soft limit: {} of {}",
            name(state, e.purse),
            dollars(e.spent_micros),
            dollars(e.limit_micros)
        ),
        Event::BudgetHeld(e) => {
            let until = match e.until {
                Some(until) => format!("; it goes on at {}", minute(until)),
                None if e.asks => "; a person is asked".to_owned(),
                None => "; work in hand may give some back".to_owned(),
            };
            format!(
                "{} waits: {} has {} left, and it is expected to cost {}{until}",
                task(e.task_id),
                name(state, e.purse),
                dollars(e.left_micros),
                dollars(e.needed_micros)
            )
        }
        Event::BudgetFreed(e) => format!("nothing waits for {} any more", name(state, e.purse)),
        Event::BudgetRaised(e) => format!(
            "{} is {} from now on, says {}",
            name(state, e.purse),
            dollars(e.limit_micros),
            e.by
        ),
        Event::BudgetsChanged(e) => {
            let amount =
                |micros: Option<u64>| micros.map_or_else(|| "no limit".to_owned(), dollars);
            let mut said = format!(
                "the file says something else of money, says {}: {} for the sprint",
                e.by,
                amount(e.budget.cost_micros)
            );
            if let Some(window) = e.window {
                let _ = write!(
                    said,
                    ", {} in {}",
                    dollars(window.cost_micros),
                    window.within
                );
            }
            for row in &e.roles {
                let limit = amount(row.budget.cost_micros);
                let _ = write!(said, ", {limit} for each {}", row.role);
            }
            said
        }
        Event::AttemptOverspent(e) => {
            let whose = match e.purse {
                Some(purse) => format!(" that {} has for it", name(state, purse)),
                None => " that an attempt may".to_owned(),
            };
            format!(
                "attempt {} at {} is called off: it has spent {}, more than the {}{whose}",
                e.attempt,
                task(e.task_id),
                dollars(e.cost_micros),
                dollars(e.limit_micros)
            )
        }
        _ => String::new(),
    }
}

/// What a forecast says of money, behind what it says of time.
pub(crate) fn forecast(cost: &CostForecast) -> String {
    let cents = |micros: u64| dollars((micros + 5_000) / 10_000 * 10_000);
    let mut said = format!(
        "; all of it costs {} in half of them, less than {} in 85 of 100 and {} in 95",
        cents(cost.p50_micros),
        cents(cost.p85_micros),
        cents(cost.p95_micros)
    );
    if cost.short_probability > 0 {
        let share = f64::from(cost.short_probability) / 10.0;
        let _ = write!(said, "; in {share:.0} of 100 the money runs out before");
    }
    said
}

/// The budget within a sentence.
fn name(state: &State, purse: Purse) -> String {
    let name = purse_name(state, purse);
    match name.strip_prefix('T') {
        Some(rest) => format!("t{rest}"),
        None => name,
    }
}
