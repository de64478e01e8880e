//! What was foreseen against what came: recorded forecasts of a sprint beside its end, and how good forecasts have been over all
//! sprints of the data directory.
//!
//! A sprint that was done is compared; one that ended otherwise says nothing about when it would have been. Over several sprints,
//! each counts once, with its first forecast: those that follow know more, and are not independent of it.
//!
//! Elsewhere: making forecasts is [`crate::simulate`].

use director_protocols::event::{Event, Outcome, Purse};
use director_protocols::forecast::{CostForecast, Forecast};
use director_protocols::ids::SprintId;
use director_protocols::time::{Span, Time};
use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::sprints::{Sprint, Stage};
use crate::engine::state::State;
use crate::handle::Entry;
use crate::view::events::forecast_of_money;
use crate::view::{count, hours, minute, rfc3339, round};

/// A forecast beside what came.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Foreseen {
    /// When it was made.
    pub at: String,
    /// By whom.
    pub by: String,
    /// How many runs it is made of.
    pub runs: u64,
    /// The share of runs in which all is done.
    pub done_probability: f64,
    /// From then on, half of them end within.
    pub p50_hours: f64,
    /// 85 of 100.
    pub p85_hours: f64,
    /// 95 of 100.
    pub p95_hours: f64,
    /// Half of them cost less, with what was spent before; `null` where nothing was known of that.
    pub cost_p50_usd: Option<f64>,
    /// 85 of 100.
    pub cost_p85_usd: Option<f64>,
    /// 95 of 100.
    pub cost_p95_usd: Option<f64>,
    /// The share of runs in which something stays undone unless a budget is raised.
    pub short_probability: Option<f64>,
    /// What the sprint cost, if it is done and its cost was forecast.
    pub actual_cost_usd: Option<f64>,
    /// What it took from then on, if the sprint is done.
    pub actual_hours: Option<f64>,
    /// Where that fell.
    pub fell: Option<&'static str>,
    /// Positions in the journal: the forecast, and the end.
    pub seqs: Vec<u64>,
    #[serde(skip)]
    moment: Time,
    #[serde(skip)]
    cost: Option<CostForecast>,
}

/// How good forecasts have been.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Track {
    /// Sprints that had a forecast and were done.
    pub sprints: usize,
    /// The share of them that came within P50, P85, P95; a good forecast has 0.5, 0.85 and 0.95.
    pub within: [f64; 3],
    /// How far these are from what they should be, on average.
    pub calibration_error: f64,
    /// How far P50 was off, as a share of what it took, on average.
    pub p50_error: f64,
    /// How far P50 was off, on average.
    pub p50_off_hours: f64,
}

/// The levels of a forecast.
const LEVELS: [f64; 3] = [0.5, 0.85, 0.95];

/// The forecasts of one sprint, oldest first.
pub fn foreseen(state: &State, entries: &[Entry], id: SprintId) -> Vec<Foreseen> {
    let Some(row) = state.sprints.get(id) else {
        return Vec::new();
    };
    let end = entries.iter().rev().find_map(|entry| {
        let ends = |event: &Event| matches!(event, Event::SprintEnded(e) if e.sprint_id == id);
        entry.events.iter().any(ends).then_some(entry.seq.0)
    });
    // Without a window it does not matter when one looks.
    let (spent, _) = state.used(Purse::Sprint { sprint_id: id }, Time(0));
    let usd = |micros: u64| round(micros as f64 / 1e6);
    let mut found = Vec::new();
    for entry in entries {
        for event in &entry.events {
            let Event::ForecastRecorded(e) = event else {
                continue;
            };
            if e.sprint_id != id {
                continue;
            }
            let forecast = Forecast::from(e);
            let took = took(row, entry.at);
            found.push(Foreseen {
                at: rfc3339(entry.at),
                by: e.by.clone(),
                runs: e.runs,
                done_probability: round(f64::from(e.done_probability) / 1_000.0),
                p50_hours: hours(e.p50),
                p85_hours: hours(e.p85),
                p95_hours: hours(e.p95),
                cost_p50_usd: e.cost.map(|cost| usd(cost.p50_micros)),
                cost_p85_usd: e.cost.map(|cost| usd(cost.p85_micros)),
                cost_p95_usd: e.cost.map(|cost| usd(cost.p95_micros)),
                short_probability: e
                    .cost
                    .map(|cost| round(f64::from(cost.short_probability) / 1_000.0)),
                actual_cost_usd: e.cost.and(took).map(|_| usd(spent)),
                cost: e.cost,
                actual_hours: took.map(hours),
                fell: took.map(|took| fell(&forecast, took)),
                seqs: std::iter::once(entry.seq.0)
                    .chain(end.filter(|_| took.is_some()))
                    .collect(),
                moment: entry.at,
            });
        }
    }
    found
}

/// How good forecasts have been over all sprints; none where none can be told.
pub fn track(state: &State) -> Option<Track> {
    let pairs: Vec<(Forecast, Span)> = state
        .sprints
        .table
        .iter()
        .filter_map(|row| {
            let (at, forecast) = row.forecasts.first()?;
            Some((*forecast, took(row, *at)?))
        })
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len() as f64;
    let mut within = [0.0; 3];
    let mut off = 0.0;
    let mut off_hours = 0.0;
    for (forecast, took) in &pairs {
        for (sum, level) in within
            .iter_mut()
            .zip([forecast.p50, forecast.p85, forecast.p95])
        {
            *sum += f64::from(u8::from(*took <= level)) / n;
        }
        let apart = Span(forecast.p50.0.abs_diff(took.0));
        off += apart.0 as f64 / took.0.max(1) as f64 / n;
        off_hours += apart.as_hours() / n;
    }
    let error = within
        .iter()
        .zip(LEVELS)
        .map(|(share, level)| (share - level).abs());
    Some(Track {
        sprints: pairs.len(),
        calibration_error: round(error.sum::<f64>() / 3.0),
        within: within.map(round),
        p50_error: round(off),
        p50_off_hours: round(off_hours),
    })
}

/// From `at` to the end of a sprint that is done.
fn took(row: &Sprint, at: Time) -> Option<Span> {
    match row.stage {
        Stage::Ended(Outcome::Done) => row.ended.map(|ended| ended.since(at)),
        _ => None,
    }
}

fn fell(forecast: &Forecast, took: Span) -> &'static str {
    match took {
        took if took <= forecast.p50 => "within even odds",
        took if took <= forecast.p85 => "between even odds and 85 of 100",
        took if took <= forecast.p95 => "between 85 and 95 of 100",
        _ => "later than 95 of 100",
    }
}

/// A forecast in a sentence.
pub fn sentence(row: &Foreseen) -> String {
    let mut said = format!(
        "at {}: {} of 100 runs done, half of them within {}, 85 of 100 within {}, 95 of 100 within {}",
        minute(row.moment),
        (row.done_probability * 100.0).round(),
        length(row.p50_hours),
        length(row.p85_hours),
        length(row.p95_hours)
    );
    match (row.actual_hours, row.fell) {
        (Some(actual), Some(fell)) => said += &format!("; it took {}, {fell}", length(actual)),
        _ => said += "; the sprint is not done, so it cannot be told",
    }
    if let Some(cost) = &row.cost {
        said += &forecast_of_money(cost);
    }
    if let Some(actual) = row.actual_cost_usd {
        said += &format!("; it cost ${actual:.2}");
    }
    said
}

fn length(hours: f64) -> String {
    super::forecast::hours((hours * 3_600_000.0) as u64)
}

/// The track in a sentence. Of something that was over at once a share says nothing: there the time is told.
pub fn track_sentence(track: &Track) -> String {
    let [half, most, nearly] = track.within.map(|share| (share * 100.0).round());
    format!(
        "over {} with a forecast: {half}% came within even odds, {most}% within 85 of 100, {nearly}% within 95 of 100; calibration error {:.0} points, even odds off by {} on average",
        count(track.sprints, "sprint"),
        track.calibration_error * 100.0,
        match track.p50_error {
            error if error < 10.0 => format!("{:.0}%", error * 100.0),
            _ => format!(
                "{}, more than 10 times what it took,",
                length(track.p50_off_hours)
            ),
        }
    )
}

#[cfg(test)]
mod tests {
    use director_protocols::command::Command;
    use director_protocols::severity::Severity;

    use super::*;
    use crate::planner::examples;
    use crate::view::recorded::{Run, SPRINT, checkout};

    fn forecast(p50: u64, p85: u64, p95: u64) -> Command {
        Command::RecordForecast {
            sprint: SPRINT,
            forecast: Forecast {
                runs: 1_000,
                seed: 1,
                done_probability: 990,
                p50: Span::minutes(p50),
                p85: Span::minutes(p85),
                p95: Span::minutes(p95),
                cost: None,
            },
            by: "ada".to_owned(),
        }
    }

    fn an_hour(forecasts: &[[u64; 3]]) -> Run {
        taking(60, forecasts)
    }

    fn of_one_task() -> director_protocols::sprint::SprintSpec {
        let mut spec = checkout(false);
        let mut task = examples::task("only", "feature", "fullstack-engineer", [1, 1, 2], &[]);
        task.expects = director_protocols::sprint::Expects::Nothing;
        spec.tasks = vec![task.into()];
        spec
    }

    /// A sprint of one task that takes so long, with forecasts of it.
    fn taking(minutes: u64, forecasts: &[[u64; 3]]) -> Run {
        let mut run = Run::of(of_one_task());
        for [p50, p85, p95] in forecasts {
            run.say(forecast(*p50, *p85, *p95));
        }
        run.done("only", minutes);
        run
    }

    #[test]
    fn where_the_end_fell_is_told_in_words_and_figures() {
        for (figures, expected) in [
            ([90, 120, 150], "within even odds"),
            ([30, 90, 120], "between even odds and 85 of 100"),
            ([30, 45, 90], "between 85 and 95 of 100"),
            ([30, 45, 50], "later than 95 of 100"),
        ] {
            let run = an_hour(&[figures]);
            let found = foreseen(run.state(), &run.entries, SPRINT);
            assert_eq!(found[0].fell, Some(expected), "{figures:?}");
            assert_eq!(found[0].seqs.len(), 2, "the forecast and the end are cited");
        }
    }

    #[test]
    fn what_a_sprint_was_to_cost_stands_beside_what_it_cost() {
        let mut run = Run::of(of_one_task());
        let Command::RecordForecast {
            sprint,
            mut forecast,
            by,
        } = forecast(30, 90, 120)
        else {
            panic!("another command")
        };
        forecast.cost = Some(CostForecast {
            p50_micros: 2_000_000,
            p85_micros: 4_000_000,
            p95_micros: 9_000_000,
            short_probability: 120,
        });
        run.say(Command::RecordForecast {
            sprint,
            forecast,
            by,
        });
        let task = run.task("only");
        let attempt = run.state().tasks.table[task.index()].attempt;
        run.say(Command::Spent {
            task,
            attempt,
            cost_micros: 2_500_000,
        });
        run.done("only", 60);
        let found = foreseen(run.state(), &run.entries, SPRINT);
        let said = sentence(&found[0]);
        let expected = "; all of it costs $2.00 in half of them, less than $4.00 in 85 of 100 and $9.00 in 95; in 12 of 100 the money runs out before; it cost $2.50";
        assert!(said.ends_with(expected), "{said}");
        assert_eq!(
            (found[0].short_probability, found[0].actual_cost_usd),
            (Some(0.12), Some(2.5))
        );
    }

    #[test]
    fn how_far_a_forecast_was_off_is_a_share_and_where_that_says_nothing_a_time() {
        for (minutes, expected) in [
            (60, "even odds off by 50% on average"),
            (
                1,
                "even odds off by 29 min, more than 10 times what it took, on average",
            ),
        ] {
            let run = taking(minutes, &[[30, 90, 120]]);
            let said = track_sentence(&track(run.state()).expect("one sprint"));
            assert!(said.ends_with(expected), "{said}");
        }
    }

    #[test]
    fn the_first_forecast_of_each_sprint_that_was_done_counts() {
        let run = an_hour(&[[30, 90, 120], [60, 61, 62]]);
        let found = track(run.state()).expect("one sprint");
        assert_eq!((found.sprints, found.within), (1, [0.0, 1.0, 1.0]));
        assert_eq!(found.calibration_error, round((0.5 + 0.15 + 0.05) / 3.0));
        assert!((found.p50_error - 0.5).abs() < 0.01, "{}", found.p50_error);

        let mut open = Run::of(checkout(false));
        open.say(forecast(1, 2, 3));
        open.blocked("checkout-spec", 1, Severity::High, "how?");
        assert_eq!(track(open.state()), None);
        let found = foreseen(open.state(), &open.entries, SPRINT);
        assert_eq!((found.len(), found[0].actual_hours), (1, None));
    }
}
