//! `director incident`: shows incidents, fills their steps, closes them.

use super::Context;
use super::end::{CliError, Code};
use super::source::{self, who};
use crate::control::protocol::{Ask, Order};

/// Show incidents, fill in their seven steps, close them
///
/// The steps are impact, mitigation, root_cause, escalation, recovery, documentation and improvement. One is closed only
/// when none is missing.
#[derive(Debug, clap::Args)]
pub(super) struct IncidentArgs {
    /// Its number [default: lists all of them]
    #[arg(value_name = "ID")]
    incident: Option<u32>,
    /// Fill in a step
    #[arg(long, num_args = 2, value_names = ["STEP", "TEXT"], requires = "incident", conflicts_with_all = ["note", "close"])]
    step: Option<Vec<String>>,
    /// Write into its log
    #[arg(
        long,
        value_name = "TEXT",
        requires = "incident",
        conflicts_with = "close"
    )]
    note: Option<String>,
    /// Close it
    #[arg(long, requires = "incident")]
    close: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn incident(args: IncidentArgs, cx: &mut Context) -> Result<Code, CliError> {
    let IncidentArgs {
        incident,
        step,
        note,
        close,
        json,
    } = args;
    if let Some(incident) = incident
        && (step.is_some() || note.is_some() || close)
    {
        let step = step.and_then(|words| <[String; 2]>::try_from(words).ok());
        let order = Order::Incident {
            incident,
            step: step.map(|[step, text]| (step, text)),
            note,
            by: who(),
        };
        source::order(order, cx)?;
        return Ok(Code::Done);
    }
    let answer = source::ask(Ask::Incidents { incident }, cx)?;
    cx.output.answer(&answer, json)?;
    Ok(Code::Done)
}
