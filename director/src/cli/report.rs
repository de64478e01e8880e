//! `director report`.

use std::io::{IsTerminal, stdout};

use clap::ValueEnum;

use super::end::{CliError, Code};
use super::{Context, Which, source};
use crate::control::protocol::{Ask, ReportFormat};

/// Print the sprint's report: what was done, how it went, what was learnt
///
/// Before the end it reports what there is so far.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    which: Which,
    /// How it is written [default: text at a terminal, otherwise md]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Short for `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As at the end of `run`
    Text,
    /// Markdown
    Md,
    /// One page of HTML with charts, in one file without scripts
    Html,
    /// One JSON document
    Json,
}

pub(super) fn report(args: ReportArgs, cx: &mut Context) -> Result<Code, CliError> {
    let usual = match stdout().is_terminal() {
        true => Format::Text,
        false => Format::Md,
    };
    let format = args.format.unwrap_or(usual);
    let ask = Ask::Report {
        sprint: args.which.sprint,
        format: match format {
            Format::Text => ReportFormat::Terminal,
            Format::Html => ReportFormat::Html,
            Format::Md | Format::Json => ReportFormat::Markdown,
        },
    };
    let answer = source::ask(ask, cx)?;
    cx.output
        .answer(&answer, args.json || format == Format::Json)?;
    Ok(Code::Done)
}
