//! `director report`.

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
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// Short for `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Markdown
    Md,
    /// One page of HTML with charts, in one file without scripts
    Html,
    /// One JSON document
    Json,
}

pub(super) fn report(args: ReportArgs, cx: &mut Context) -> Result<Code, CliError> {
    let ask = Ask::Report {
        sprint: args.which.sprint,
        format: match args.format {
            Format::Html => ReportFormat::Html,
            _ => ReportFormat::Markdown,
        },
    };
    let answer = source::ask(ask, cx)?;
    cx.output
        .answer(&answer, args.json || args.format == Format::Json)?;
    Ok(Code::Done)
}
