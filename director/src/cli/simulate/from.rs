//! `director simulate --from`: the rest of a sprint from where it stands, and sprints of the past run again.
//!
//! ```text
//! journal ─▶ state now, or at a record ─▶ the rest of the sprint, and the rest with another team
//!                                    └──▶ over: the whole sprint again, with the durations that were
//! ```
//!
//! A director that runs is asked for its records and never waits for a forecast; without one, the journal is read.
//!
//! Elsewhere: making the rest ready is [`crate::simulate::rest`]; what the past says, [`crate::simulate::past`].

use std::path::Path;

use director_protocols::ids::{Seq, SprintId};
use director_protocols::manifest;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};

use super::super::end::{CliError, Code};
use super::super::source::{self, Source};
use super::super::{Context, home};
use super::{Question, SimulateArgs, answer, faults};
use crate::control::protocol::{Ask, Op, Order, Screen};
use crate::control::{orders, records, server};
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

/// Looks ahead from a data directory.
pub(super) fn simulate(
    args: &SimulateArgs,
    data_dir: &Path,
    cx: &mut Context,
) -> Result<Code, CliError> {
    if !home::has_journal(data_dir) {
        return Err(CliError::Input(format!(
            "`{}` holds no run, so there is nothing to look ahead from; name a data directory such as `{}`, or give the sprint file instead",
            data_dir.display(),
            home::NAME
        )));
    }
    let (entries, at_work) = super::super::block_on(entries(data_dir))?;
    let entries = until(entries, args.at)?;
    let mut engine = Engine::default();
    for entry in &entries {
        engine.replay(entry.seq, entry.events.clone(), entry.at);
    }
    let id = orders::sprint(engine.state(), args.sprint.as_deref())?;
    let past = Past::of(engine.state(), &entries, faults(&args.faults)?);
    let last = entries.last().map_or(Time(0), |entry| entry.at);
    let from = From {
        // A clock that was set back does not bring time back.
        now: match args.at {
            Some(_) => last,
            None => server::now().max(last),
        },
        at_work: at_work || args.at.is_some(),
        engine,
    };
    let over = matches!(
        from.engine.state().sprints.table[id.index()].stage,
        Stage::Ended(_)
    );
    if over && args.at.is_none() && !args.what_if.is_empty() {
        let question = again(&from, id, &past)?;
        let args = SimulateArgs {
            runs: args.runs.min(AGAIN_RUNS),
            what_if: args.what_if.clone(),
            from: args.from.clone(),
            file: None,
            sprint: None,
            faults: "none".to_owned(),
            ..*args
        };
        return answer(&args, &question, cx).map(|_| Code::Done);
    }
    let question = ahead(&from, id, &past)?;
    let sums = answer(args, &question, cx)?;
    if args.record {
        record(args, &question.spec, &sums, data_dir)?;
    }
    Ok(Code::Done)
}

/// The journal's entries, and whether a director is at work.
async fn entries(data_dir: &Path) -> Result<(Vec<Entry>, bool), CliError> {
    match Source::open(data_dir).await? {
        Source::Journal(history, _) => Ok((history.entries, false)),
        Source::Running(mut client) => {
            let mut entries: Vec<Entry> = Vec::new();
            loop {
                let after = entries.last().map_or(0, |entry| entry.seq.0);
                let ask = Op::Ask(Ask::Records { after });
                let page = client.request(ask, Screen::default()).await?;
                let page = records::read(page).map_err(|error| {
                    CliError::Failed(format!(
                        "what the running director has in its journal cannot be read: {error}"
                    ))
                })?;
                if page.is_empty() {
                    return Ok((entries, true));
                }
                entries.extend(page);
            }
        }
    }
}

/// Those up to a record.
fn until(mut entries: Vec<Entry>, at: Option<u64>) -> Result<Vec<Entry>, CliError> {
    let Some(at) = at else {
        return Ok(entries);
    };
    let last = entries.last().map_or(Seq(0), |entry| entry.seq);
    if at == 0 || at > last.0 {
        return Err(CliError::Input(format!(
            "the journal ends at record {last}; there is no record {at} (`director events` shows them)"
        )));
    }
    entries.retain(|entry| entry.seq.0 <= at);
    Ok(entries)
}

/// The rest of a sprint that is under way.
fn ahead<'a>(from: &'a From, id: SprintId, past: &'a Past) -> Result<Question<'a>, CliError> {
    let set = Prepared::rest(from, id, past, None)?;
    let spec = rest::spec_of(set.engine.state(), id).ok_or(SimulateError::NoRuns)?;
    let prepare = move |spec: &SprintSpec, faults: Faults| {
        let past = Past {
            faults,
            ..past.clone()
        };
        Ok(Prepared::rest(from, id, &past, Some(spec))?)
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
fn again<'a>(from: &'a From, id: SprintId, past: &'a Past) -> Result<Question<'a>, CliError> {
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
        Ok(Prepared::new(spec, faults, durations)?)
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

/// Keeps the forecast in the journal.
fn record(
    args: &SimulateArgs,
    spec: &SprintSpec,
    sums: &Sums,
    data_dir: &Path,
) -> Result<(), CliError> {
    let Some(forecast) = sums.in_short(args.seed) else {
        super::super::output::note(
            "the forecast is not recorded: in none of its runs the sprint is done",
        );
        return Ok(());
    };
    let order = Order::Forecast {
        sprint: Some(spec.id.to_string()),
        forecast,
        by: source::who(),
    };
    let said =
        super::super::block_on(async { Source::open(data_dir).await?.order_quietly(order).await })?;
    super::super::output::note(said.text.trim_end());
    Ok(())
}
