//! `director replan`: a changed sprint file against the sprint that runs.

use std::path::PathBuf;

use director_protocols::manifest::Purpose;

use super::end::{CliError, Code};
use super::output::{agreed, note};
use super::source::{self, who};
use super::{Context, home, plan};
use crate::control::protocol::{Ask, Order};

/// Change a running sprint to what the file says now
///
/// Shows what is different and asks. Done work stays done; what is no longer wanted is called off and what it left is saved.
/// Tasks come, change and go, and budgets are what the file says where its word of them has changed; the team, the gates and the rest of the file stay as they were submitted.
#[derive(Debug, clap::Args)]
pub(super) struct ReplanArgs {
    /// The sprint file
    #[arg(default_value = home::FILE)]
    file: PathBuf,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// What is different, as one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn replan(args: ReplanArgs, cx: &mut Context) -> Result<Code, CliError> {
    let mut manifest = plan::read(&args.file, Purpose::Run, cx)?;
    for guess in plan::guessed_kinds(&mut manifest) {
        note(&format!("guess: {guess}"));
    }
    let spec = Box::new(manifest.spec);
    let answer = source::ask(Ask::Replan { spec: spec.clone() }, cx)?;
    cx.output.answer(&answer, args.json)?;
    cx.output.flush()?;
    if answer.json["changes"] == 0 {
        return Ok(Code::Done);
    }
    if !args.yes && !agreed("apply it?")? {
        note("nothing has changed; `--yes` applies it without asking");
        return Ok(Code::BadInput);
    }
    source::order(Order::Replan { spec, by: who() }, cx)?;
    Ok(Code::Done)
}
