//! What a forecast says of money: what the sprint costs, and in how many runs the budgets do not suffice.
//!
//! Elsewhere: how both are found is [`crate::simulate::money`].

use std::fmt::Write as _;

use director_protocols::event::Purse;
use director_protocols::time::Span;
use serde_json::{Map, Value, json};

use super::json::{round, spread};
use super::start::Start;
use super::text::{hours, percent};
use super::{HOUR, Shown, wilson};
use crate::engine::money::dollars;
use crate::report::text::short;
use crate::simulate::sums::Sums;
use crate::view::minute;

/// Tasks that are named.
const NAMED: usize = 4;
/// A dollar, in millionths.
pub(super) const DOLLAR: f64 = 1e6;

/// An amount of a forecast: cents, and of less than ten cents two places more.
fn about(micros: u64) -> String {
    let unit = match micros {
        0..100_000 => 100,
        _ => 10_000,
    };
    dollars((micros + unit / 2) / unit * unit)
}

/// Whether any budget limits the sprint or one of its tasks.
fn is_limited(shown: &Shown<'_>) -> bool {
    let state = shown.set.engine.state();
    let sprint_id = shown.set.sprint;
    let limited = |purse| state.limits(purse).cost_micros.is_some();
    let tasks = shown.set.rows.iter();
    state.sprints.table[sprint_id.index()].limited
        || limited(Purse::Sprint { sprint_id })
        || tasks
            .into_iter()
            .any(|task| limited(Purse::Task { task_id: *task }))
}

/// When somebody is asked for money first, in half of the runs in which it does not suffice.
fn asked(shown: &Shown<'_>) -> String {
    let at = shown.sums.money.asked.quantile(0.5);
    match shown.start {
        Start::Rest(rest) => minute(rest.now + Span(at)),
        Start::File | Start::Again { .. } => {
            let day = shown.spec.day.0.max(1);
            format!("day {}", at.div_ceil(day).max(1))
        }
    }
}

/// Lines of the text.
pub(super) fn text(shown: &Shown<'_>, out: &mut String) {
    let money = &shown.sums.money;
    if shown.set.costs {
        let at = |part: f64| about(money.cost.quantile(part));
        let _ = writeln!(
            out,
            "  cost             {:>9}   85 of 100 below {}, 95 of 100 below {}",
            at(0.5),
            at(0.85),
            at(0.95)
        );
    }
    if money.short == 0 {
        return;
    }
    let (low, high) = wilson(money.short, shown.sums.runs);
    let undone = money.undone.mean();
    let _ = writeln!(
        out,
        "  money runs out   {:>9}   ({} to {}), half of the times by {}; {undone:.1} of {} are then left undone",
        percent(shown.share(money.short)),
        percent(low),
        percent(high),
        asked(shown),
        crate::view::count(shown.spec.tasks.len(), "task"),
    );
    let _ = writeln!(out, "    most often     {}", often(shown).join(", "));
    if shown.set.deadline.is_some() {
        let _ = writeln!(
            out,
            "  on time as it is {:>9}   if nobody raises a budget",
            percent(shown.share(money.on_time))
        );
    }
}

/// The tasks that stay undone most often, with the share of the runs in which the money does not suffice.
fn often(shown: &Shown<'_>) -> Vec<String> {
    let money = &shown.sums.money;
    let undone = |place: usize| money.tasks[shown.row(place)];
    let mut places: Vec<usize> = (0..shown.spec.tasks.len()).collect();
    // The first of those that are as often undone.
    places.sort_by_key(|place| std::cmp::Reverse(undone(*place)));
    let some = places.into_iter().filter(|place| undone(*place) > 0);
    let named = |place: usize| {
        let share = undone(place) as f64 / money.short.max(1) as f64;
        let name = short(shown.spec.tasks[place].id.as_str(), 30);
        format!("{name} {}", percent(share))
    };
    some.take(NAMED).map(named).collect()
}

/// Whether money runs out in the sprint or in one of its variants.
fn runs_out(shown: &Shown<'_>) -> bool {
    let mut variants = shown.variants.iter();
    shown.sums.money.short > 0 || variants.any(|variant| variant.sums.money.short > 0)
}

/// The headings of what [`beside`] says.
pub(super) fn heading(shown: &Shown<'_>) -> &'static str {
    match (shown.set.costs, runs_out(shown)) {
        (false, _) => "",
        (true, false) => "   85 of 100 below",
        (true, true) => "   85 of 100 below   money runs out",
    }
}

/// What a variant costs, and in how many runs its money does not suffice.
pub(super) fn beside(shown: &Shown<'_>, sums: &Sums) -> String {
    if !shown.set.costs {
        return String::new();
    }
    let mut said = format!("   {:>15}", about(sums.money.cost.quantile(0.85)));
    if runs_out(shown) {
        let share = sums.money.short as f64 / sums.runs.max(1) as f64;
        let _ = write!(said, "   {:>14}", percent(share));
    }
    said
}

/// What should be known of these figures.
pub(super) fn notes(shown: &Shown<'_>) -> Vec<String> {
    let money = &shown.sums.money;
    let mut notes = Vec::new();
    if is_limited(shown) && !shown.set.costs {
        notes.push(
            "nothing is known of what attempts cost, so nothing is said of whether the budgets suffice: write `expected_usd` under [budget], of a role or of a task; it is learnt once 3 attempts of a kind have ended".to_owned(),
        );
    }
    if money.short > 0 {
        notes.push(format!(
            "when it ends and what it costs is said for a sprint in which you raise what runs out, {} after you are asked on average; if nobody does, {} of 100 runs come to an end with all done",
            hours(shown.set.faults.answer_seconds * 1_000),
            percent(shown.share(money.done)).trim_end_matches('%')
        ));
    }
    notes
}

/// A sentence; empty where there is nothing to say.
pub(super) fn sentence(shown: &Shown<'_>) -> String {
    let money = &shown.sums.money;
    let mut said = String::new();
    if shown.set.costs {
        let at = |part: f64| about(money.cost.quantile(part));
        let _ = write!(
            said,
            " It costs {} in half of them, and less than {} in 85 of 100.",
            at(0.5),
            at(0.85)
        );
    }
    if money.short > 0 {
        let _ = write!(
            said,
            " In {} of 100 the money runs out before all is done.",
            percent(shown.share(money.short)).trim_end_matches('%')
        );
    }
    said
}

/// The fields of the document.
pub(super) fn json(shown: &Shown<'_>, object: &mut Map<String, Value>) {
    let money = &shown.sums.money;
    if shown.set.costs {
        object.insert("cost_usd".to_owned(), spread(&money.cost, DOLLAR));
    }
    if !is_limited(shown) {
        return;
    }
    let (low, high) = wilson(money.short, shown.sums.runs);
    let tasks = (0..).zip(&shown.spec.tasks).map(|(place, task)| {
        let undone = money.tasks[shown.row(place)];
        (task.id.as_str().to_owned(), undone)
    });
    let undone: Map<String, Value> = tasks
        .filter(|(_, undone)| *undone > 0)
        .map(|(name, undone)| (name, json!(round(shown.share(undone)))))
        .collect();
    let budgets = json!({
        "short_probability": round(shown.share(money.short)),
        "short_interval": [round(low), round(high)],
        "asked_hours": spread(&money.asked, HOUR),
        "undone_tasks": spread(&money.undone, 1.0),
        "undone_probability": undone,
        "done_probability": round(shown.share(money.done)),
        "on_time_probability": shown.set.deadline.map(|_| round(shown.share(money.on_time))),
    });
    object.insert("budgets".to_owned(), budgets);
}
