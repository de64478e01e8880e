//! The forecast as one JSON document.

use serde_json::{Map, Value, json};

use super::{HOUR, Shown, compared, money, start, wilson};
use crate::simulate::spread::Spread;
use crate::simulate::watch::TROUBLES;

/// Bars of the histogram.
const BARS: usize = 40;

/// The document. Without a rate, a seed fixes every byte of it.
pub fn json(shown: &Shown<'_>) -> Value {
    let sums = shown.sums;
    let state = shown.set.engine.state();
    let (on_time, interval) = match shown.set.deadline {
        Some(_) => {
            let (low, high) = wilson(sums.on_time, sums.runs);
            (
                json!(round(shown.share(sums.on_time))),
                json!([round(low), round(high)]),
            )
        }
        None => (Value::Null, Value::Null),
    };
    let tasks: Vec<Value> = (0..)
        .zip(&shown.spec.tasks)
        .map(|(place, task)| {
            let seen = shown.task(place);
            let mean = |sum: u128, n: u64| match n {
                0 => Value::Null,
                n => json!(round(sum as f64 / n as f64 / HOUR)),
            };
            json!({
                "id": task.id.as_str(),
                "criticality": round(shown.share(seen.critical)),
                "cruciality": round(sums.cruciality(shown.row(place))),
                "cycle_hours": mean(seen.cycle, seen.done),
                "waiting_hours": mean(seen.waited, sums.runs),
                "attempts": round(seen.attempts as f64 / sums.runs as f64),
                "done_probability": round(shown.share(seen.done)),
            })
        })
        .collect();
    let (mut utilization, mut waiting) = (Map::new(), Map::new());
    for (role, share, waited) in shown.utilization() {
        utilization.insert(role.to_owned(), json!(round(share)));
        waiting.insert(role.to_owned(), json!(round(waited)));
    }
    let each = |count: u64| json!(round(count as f64 / sums.runs as f64));
    let failures: Map<String, Value> = TROUBLES
        .iter()
        .zip(sums.troubles)
        .map(|(name, count)| ((*name).to_owned(), each(count)))
        .collect();
    let escalations: Map<String, Value> = ["low", "medium", "high", "critical"]
        .iter()
        .zip(sums.tiers)
        .map(|(name, count)| ((*name).to_owned(), each(count)))
        .collect();
    let mut document = json!({
        "sprint": shown.spec.id.as_str(),
        "runs": sums.runs,
        "seed": shown.seed,
        "faults": shown.faults,
        "finish_hours": spread(&sums.finish, HOUR),
        "finish_histogram": histogram(&sums.finish),
        "deadline_hours": shown.set.deadline.map(|span| round(span.as_hours())),
        "on_time_probability": on_time,
        "on_time_interval": interval,
        "done_probability": round(shown.share(sums.done)),
        "agent_hours": spread(&sums.effort, HOUR),
        "points": spread(&sums.points, 1.0),
        "committed_points": state.tasks.tally(shown.set.sprint).committed_points,
        "tasks": tasks,
        "utilization": utilization,
        "waiting_hours": waiting,
        "failures": failures,
        "escalations": escalations,
        "notes": shown.notes(),
    });
    if let Some(object) = document.as_object_mut() {
        money::json(shown, object);
        if let Some((name, value)) = start::json(shown) {
            object.insert(name.to_owned(), value);
        }
        if !shown.variants.is_empty() {
            object.insert("what_if".to_owned(), compared::json(shown));
        }
        if let Some(rate) = shown.rate {
            object.insert("sprints_per_second".to_owned(), json!(rate.round()));
        }
    }
    document
}

/// A distribution in `unit`s.
pub(super) fn spread(spread: &Spread, unit: f64) -> Value {
    if spread.count() == 0 {
        return json!({ "mean": null, "p50": null, "p85": null, "p95": null, "min": null, "max": null });
    }
    let at = |value: u64| round(value as f64 / unit);
    let interval = |part: f64| {
        let (low, high) = spread.quantile_interval(part);
        json!([at(low), at(high)])
    };
    let error = spread.mean_error();
    let mean = spread.mean();
    let mean_interval = match error.is_finite() {
        true => json!([round((mean - error) / unit), round((mean + error) / unit)]),
        false => Value::Null,
    };
    json!({
        "mean": round(mean / unit),
        "p50": at(spread.quantile(0.5)),
        "p85": at(spread.quantile(0.85)),
        "p95": at(spread.quantile(0.95)),
        "min": at(spread.min()),
        "max": at(spread.max()),
        "deviation": round(spread.deviation() / unit),
        "interval_95": { "mean": mean_interval, "p50": interval(0.5), "p85": interval(0.85), "p95": interval(0.95) },
    })
}

/// Where each bar begins, in hours, and how many runs end in it; a long tail is one more bar.
fn histogram(finish: &Spread) -> Value {
    if finish.count() == 0 {
        return json!([]);
    }
    let shape = finish.shape(BARS);
    let width = (shape.to - shape.from) as f64 / BARS as f64;
    let hours = |at: f64| round(at / HOUR);
    let mut bars: Vec<Value> = (0..)
        .zip(&shape.bars)
        .map(|(place, count)| json!({ "from_hours": hours(shape.from as f64 + width * f64::from(place)), "runs": count }))
        .collect();
    if shape.beyond > 0 {
        bars.push(json!({ "from_hours": hours(shape.to as f64), "runs": shape.beyond }));
    }
    bars.into()
}

/// Four digits after the point: more would only be noise.
pub(super) fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
