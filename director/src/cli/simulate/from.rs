//! `director simulate --from`: the rest of a sprint from where it stands, and sprints of the past run again.
//!
//! A director that runs is asked for its records and never waits for a forecast; without one, the journal is read.
//!
//! Elsewhere: where a sprint stands is [`crate::control::simulation::stand`].

use std::path::Path;

use super::super::end::{CliError, Code};
use super::super::output::note;
use super::super::source::{self, Source};
use super::super::{Context, home};
use super::{SimulateArgs, answer};
use crate::control::simulation::Wanted;
use crate::control::simulation::stand::{NEVER_DONE, Stand};

/// Looks ahead from a data directory.
pub(super) fn simulate(
    args: &SimulateArgs,
    wanted: Wanted,
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
    let records = super::super::block_on(async { Source::open(data_dir).await?.records().await })?;
    let stand = Stand::of(records, args.sprint.as_deref(), args.at, &wanted)?;
    let (question, wanted) = stand.question(wanted)?;
    let found = answer(args, &question, &wanted, cx)?;
    if !args.record {
        return Ok(Code::Done);
    }
    let Some(order) = stand.to_record(&found.base, wanted.seed, &source::who()) else {
        note(NEVER_DONE);
        return Ok(Code::Done);
    };
    let said =
        super::super::block_on(async { Source::open(data_dir).await?.order_quietly(order).await })?;
    note(said.text.trim_end());
    Ok(Code::Done)
}
