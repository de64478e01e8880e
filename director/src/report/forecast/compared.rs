//! Variants beside the base: what each buys, and how sure that is.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::json::{round, spread};
use super::text::{hours, percent};
use super::{Compared, HOUR, Shown, money};
use crate::report::text::short;

/// Columns of a variant's name.
const NAME: usize = 34;

/// A table of variants; nothing where there is none.
pub(super) fn text(shown: &Shown<'_>, out: &mut String) {
    if shown.variants.is_empty() {
        return;
    }
    let heading = "what if";
    let on_time = if shown.set.deadline.is_some() {
        "   on time"
    } else {
        ""
    };
    let money = money::heading(shown);
    let _ = writeln!(
        out,
        "\n  {heading:<NAME$}     the end, on average   85 of 100   sooner in{on_time}{money}"
    );
    for variant in shown.variants {
        let _ = writeln!(out, "    {}", line(shown, variant));
    }
}

fn line(shown: &Shown<'_>, variant: &Compared) -> String {
    let (mean, error) = variant.pairs.difference();
    let by = match error.is_finite() {
        true => format!("{} ± {}", signed(mean), hours(error as u64)),
        false => "not known".to_owned(),
    };
    let p85 = variant.sums.finish.quantile(0.85) as f64 - variant.base.quantile(0.85) as f64;
    let sooner = variant.pairs.earlier as f64 / variant.pairs.both.max(1) as f64;
    let mut line = format!(
        "{:<NAME$} {by:>22}   {:>9}   {:>9}",
        short(&variant.name, NAME),
        signed(p85),
        percent(sooner)
    );
    if shown.set.deadline.is_some() {
        let (gain, error) = variant.pairs.in_time();
        let _ = write!(line, "   {:+.1}% ± {:.1}", gain * 100.0, error * 100.0);
    }
    line.push_str(&money::beside(shown, &variant.sums));
    if mean.abs() <= error {
        line.push_str("   no difference of the end that could be told from chance");
    }
    line
}

fn signed(ms: f64) -> String {
    let sign = if ms < 0.0 { '-' } else { '+' };
    format!("{sign}{}", hours(ms.abs() as u64))
}

/// The variants as a list.
pub(super) fn json(shown: &Shown<'_>) -> Value {
    let runs = |variant: &Compared, part: u64| round(part as f64 / variant.sums.runs.max(1) as f64);
    shown
        .variants
        .iter()
        .map(|variant| {
            let (mean, error) = variant.pairs.difference();
            let (gain, gain_error) = variant.pairs.in_time();
            let interval = |middle: f64, half: f64, unit: f64| match half.is_finite() {
                true => json!([round((middle - half) / unit), round((middle + half) / unit)]),
                false => Value::Null,
            };
            let at = |part: f64| {
                let (to, from) = (variant.sums.finish.quantile(part), variant.base.quantile(part));
                round((to as f64 - from as f64) / HOUR)
            };
            let mut row = json!({
                "change": variant.name,
                "runs": variant.sums.runs,
                "finish_hours": spread(&variant.sums.finish, HOUR),
                "done_probability": runs(variant, variant.sums.done),
                "on_time_probability": shown.set.deadline.map(|_| runs(variant, variant.sums.on_time)),
                "difference_hours": {
                    "mean": round(mean / HOUR),
                    "interval_95": interval(mean, error, HOUR),
                    "p50": at(0.5),
                    "p85": at(0.85),
                    "p95": at(0.95),
                },
                "sooner_probability": round(variant.pairs.earlier as f64 / variant.pairs.both.max(1) as f64),
                "short_probability": runs(variant, variant.sums.money.short),
                "on_time_difference": shown.set.deadline.map(|_| json!({
                    "mean": round(gain),
                    "interval_95": interval(gain, gain_error, 1.0),
                })),
            });
            if shown.set.costs {
                row["cost_usd"] = spread(&variant.sums.money.cost, money::DOLLAR);
            }
            row
        })
        .collect()
}
