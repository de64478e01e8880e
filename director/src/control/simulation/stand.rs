//! From where a sprint stands: the rest of it as the journal leaves it, and sprints of the past run again.
//!
//! ```text
//! journal ─▶ state now, or at a record ─▶ the rest of the sprint, and the rest with another team
//!                                    └──▶ over: the whole sprint again, with the durations that were
//! ```
//!
//! The state is replayed from records, so a director that runs goes on with its work meanwhile.
//!
//! Elsewhere: making the rest ready is [`crate::simulate::rest`]; what the past says, [`crate::simulate::past`].

use director_protocols::forecast::Forecast;
use director_protocols::ids::{Seq, SprintId};
use director_protocols::manifest;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};

use super::{Question, Wanted, Why};
use crate::control::protocol::Order;
use crate::control::{orders, server};
use crate::engine::Engine;
use crate::engine::sprints::Stage;
use crate::estimate::Durations;
use crate::estimate::quantiles::Quantiles;
use crate::handle::Entry;
use crate::report::forecast::{Rest, Start};
use crate::simulate::faults::Faults;
use crate::simulate::past::Past;
use crate::simulate::prepare::{Prepared, SimulateError};
use crate::simulate::rest::{self, From};
use crate::simulate::sums::Sums;

/// Runs of a sprint whose durations are known: all that still varies is how long gates take.
const AGAIN_RUNS: u64 = 200;

/// What is said of a forecast that there is nothing to keep of.
pub const NEVER_DONE: &str =
    "the forecast is not recorded: it says nothing of when the sprint will be done";

/// The records of a data directory.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// All of them.
    pub entries: Vec<Entry>,
    /// Whether a director is at work.
    pub at_work: bool,
}

/// Where a sprint stands, with what its past says.
pub struct Stand {
    from: From,
    id: SprintId,
    past: Past,
    /// It is over and is run again, with something changed.
    again: bool,
}

impl Stand {
    /// Of `sprint`, or of the newest that is not over; now, or at the record `at`.
    ///
    /// # Errors
    /// That there is no such sprint, record or profile.
    pub fn of(
        records: Records,
        sprint: Option<&str>,
        at: Option<u64>,
        wanted: &Wanted,
    ) -> Result<Self, Why> {
        wanted.check()?;
        let entries = until(records.entries, at)?;
        let mut engine = Engine::default();
        for entry in &entries {
            engine.replay(entry.seq, entry.events.clone(), entry.at);
        }
        let id = orders::sprint(engine.state(), sprint)?;
        let past = Past::of(engine.state(), &entries, wanted.rates()?);
        let last = entries.last().map_or(Time(0), |entry| entry.at);
        let from = From {
            // A clock that was set back does not bring time back.
            now: match at {
                Some(_) => last,
                None => server::now().max(last),
            },
            at_work: records.at_work || at.is_some(),
            engine,
        };
        let row = &from.engine.state().sprints.table[id.index()];
        let over = matches!(row.stage, Stage::Ended(_));
        Ok(Self {
            again: over && at.is_none() && !wanted.what_if.is_empty(),
            from,
            id,
            past,
        })
    }

    /// What is forecast, and how much of it is run.
    ///
    /// # Errors
    /// That nothing of the sprint is left to forecast.
    pub fn question(&self, mut wanted: Wanted) -> Result<(Question<'_>, Wanted), Why> {
        let question = match self.again {
            false => ahead(&self.from, self.id, &self.past)?,
            true => {
                wanted.runs = wanted.runs.min(AGAIN_RUNS);
                "none".clone_into(&mut wanted.faults);
                again(&self.from, self.id, &self.past)?
            }
        };
        Ok((question, wanted))
    }

    /// The order that keeps a forecast of it in the journal; none where it says nothing, or is one of what was.
    pub fn to_record(&self, sums: &Sums, seed: u64, by: &str) -> Option<Order> {
        let row = &self.from.engine.state().sprints.table[self.id.index()];
        let forecast: Forecast = sums.in_short(seed).filter(|_| !self.again)?;
        Some(Order::Forecast {
            sprint: Some(row.spec.id.to_string()),
            forecast,
            by: by.to_owned(),
        })
    }
}

/// Those up to a record.
fn until(mut entries: Vec<Entry>, at: Option<u64>) -> Result<Vec<Entry>, Why> {
    let Some(at) = at else {
        return Ok(entries);
    };
    let last = entries.last().map_or(Seq(0), |entry| entry.seq);
    if at == 0 || at > last.0 {
        return Err(Why::Input(format!(
            "the journal ends at record {last}; there is no record {at} (`director events` shows them)"
        )));
    }
    entries.retain(|entry| entry.seq.0 <= at);
    Ok(entries)
}

/// The rest of a sprint that is under way.
fn ahead<'a>(from: &'a From, id: SprintId, past: &'a Past) -> Result<Question<'a>, Why> {
    let set = Prepared::rest(from, id, past, None)?;
    let spec = rest::spec_of(set.engine.state(), id).ok_or(SimulateError::NoRuns)?;
    let prepare = move |spec: &SprintSpec, faults: Faults| {
        let past = Past {
            faults,
            ..past.clone()
        };
        Prepared::rest(from, id, &past, Some(spec))
    };
    let rest = Rest {
        seq: from.engine.seq(),
        now: from.now,
        at_work: from.at_work,
        paused: from.engine.state().sprints.table[id.index()].paused,
        past: past.clone(),
    };
    Ok(Question {
        file: as_file(&spec),
        spec,
        set,
        faults: past.faults,
        start: Start::Rest(Box::new(rest)),
        assumed: 0,
        dir: None,
        prepare: Box::new(prepare),
    })
}

/// A sprint that is over, from its start, with the durations that were.
fn again<'a>(from: &'a From, id: SprintId, past: &'a Past) -> Result<Question<'a>, Why> {
    let state = from.engine.state();
    let mut spec = rest::spec_of(state, id).ok_or(SimulateError::NoRuns)?;
    let row = &state.sprints.table[id.index()];
    // Whoever ran it knew what a day is; here only the order of things is run again.
    (spec.start, spec.end) = (None, None);
    let took = move |name: &director_protocols::ids::Name| {
        let task = row
            .by_name
            .get(name)
            .map(|task| &state.tasks.table[task.index()]);
        let busy = task
            .and_then(|task| task.story.as_deref())
            .map_or(0, |story| story.busy.0);
        match (busy, task) {
            // Never begun: as it was estimated.
            (0, Some(task)) => task.spec.estimate.mean().0,
            (busy, _) => busy,
        }
    };
    let faults = Faults {
        gates_seconds: past.faults.gates_seconds,
        git_seconds: past.faults.git_seconds,
        ..Faults::NONE
    };
    let prepare = move |spec: &SprintSpec, faults: Faults| {
        let tables = spec
            .tasks
            .iter()
            .map(|task| Quantiles::fixed(took(&task.id)));
        let durations = Durations::of_tables(tables.collect());
        Prepared::new(spec, faults, durations)
    };
    let span = |end: Option<Time>| end.zip(row.began).map(|(end, began)| end.since(began));
    Ok(Question {
        set: prepare(&spec, faults)?,
        file: as_file(&spec),
        spec,
        faults,
        start: Start::Again {
            took: span(row.ended).unwrap_or(Span::ZERO),
            outcome: row.state().to_owned(),
        },
        assumed: 0,
        dir: None,
        prepare: Box::new(prepare),
    })
}

/// A sprint of the journal as the file that it could come from.
fn as_file(spec: &SprintSpec) -> (String, String, manifest::Format) {
    (
        manifest::write(spec, ""),
        format!("sprint {}", spec.id),
        manifest::Format::Toml,
    )
}
