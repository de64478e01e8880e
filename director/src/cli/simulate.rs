//! `director simulate`: when it will be done, with probabilities, from the engine that would run it.
//!
//! Elsewhere: what is simulated, and its variants, is [`crate::control::simulation`], the same for programs over HTTP; what becomes of
//! `--from` is `from`.

mod from;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use director_protocols::manifest::{Format as Written, Purpose};

use super::end::{CliError, Code};
use super::{Context, home, plan};
use crate::control::simulation::{self, Found, Question, Wanted, Why};
use crate::control::submission::File;
use crate::report::forecast as render;
use crate::system::Builder;

/// Forecast a sprint: thousands of whole runs on virtual time
///
/// Of a sprint file, or with `--from` of what is left of a sprint that is under way.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  director simulate --what-if team.test-engineer.count=2 --what-if faults=rough\n  director simulate --what-if auto --format html > forecast.html\n  director simulate --from .director --record\n  director simulate --from .director --at 120 --what-if team.test-engineer.count=2"
)]
pub(super) struct SimulateArgs {
    /// The sprint file [default: sprint.toml]
    #[arg(conflicts_with = "from")]
    file: Option<PathBuf>,
    /// Look ahead from where a sprint stands in this data directory, with models of its own past
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Which sprint of the data directory [default: the newest that is not over]
    #[arg(long, value_name = "ID", requires = "from")]
    sprint: Option<String>,
    /// Look ahead from a past record of the journal instead of from now
    #[arg(long, value_name = "SEQ", requires = "from")]
    at: Option<u64>,
    /// Keep the forecast in the journal; `director retro` holds it against what came
    #[arg(long, requires = "from", conflicts_with = "at")]
    record: bool,
    /// How many runs
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    runs: u64,
    /// Fixes every figure
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// What goes wrong, and how often: none, calm, rough, hostile, or a file with rates; with `--from`, where its own past begins
    #[arg(long, default_value = "calm", value_name = "PROFILE")]
    faults: String,
    /// Compare with a sprint in which KEY is VALUE, on the same luck; again for more keys at once; `auto` ranks what buys most
    #[arg(long, value_name = "KEY=VALUE")]
    what_if: Vec<String>,
    /// Stop earlier, once the end is known this well, such as 0.01 for one part in a hundred
    #[arg(long, value_name = "SHARE")]
    precision: Option<f64>,
    /// Threads [default: all]; the figures are the same for any number
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Short for `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Leave out how fast it was, the one figure that the seed does not fix
    #[arg(long)]
    no_timing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// One JSON document
    Json,
    /// The histogram
    Svg,
    /// A page with histogram, S-curve and tornado
    Html,
}

impl From<Why> for CliError {
    fn from(why: Why) -> Self {
        match why {
            Why::Input(text) => CliError::Input(text),
            Why::Manifest(errors) => CliError::Manifest(errors),
            Why::Simulate(error) => CliError::Simulate(error),
            Why::Fault(fault) => CliError::Fault(fault),
        }
    }
}

pub(super) fn simulate(args: &SimulateArgs, cx: &mut Context) -> Result<Code, CliError> {
    let wanted = wanted(args, cx);
    wanted.check()?;
    if let Some(dir) = &args.from {
        return from::simulate(args, wanted, &home::absolute(dir)?, cx);
    }
    let path = args.file.clone().unwrap_or_else(|| home::FILE.into());
    let manifest = plan::read(&path, Purpose::Plan, cx)?;
    let full = std::path::absolute(&path)?;
    let file = File {
        text: std::fs::read_to_string(&path)?,
        origin: path.display().to_string(),
        format: Written::of(&path),
        dir: full.parent().map_or_else(PathBuf::new, Path::to_owned),
    };
    let question = Question::of_file(manifest, file, &wanted)?;
    answer(args, &question, &wanted, cx).map(|_| Code::Done)
}

fn wanted(args: &SimulateArgs, cx: &Context) -> Wanted {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    Wanted {
        runs: args.runs,
        seed: args.seed,
        faults: args.faults.clone(),
        files: true,
        what_if: args.what_if.clone(),
        precision: args.precision,
        threads: args.threads.unwrap_or_else(all),
        kinds: cx.builder.as_ref().map(Builder::kinds).unwrap_or_default(),
        // Ctrl-C ends the process.
        stop: std::sync::Arc::default(),
    }
}

/// Runs it and its variants, and writes what came out.
fn answer(
    args: &SimulateArgs,
    question: &Question<'_>,
    wanted: &Wanted,
    cx: &mut Context,
) -> Result<Found, CliError> {
    let bar = super::progress::Progress::new(&cx.output);
    let found = simulation::run(question, wanted, &mut |sums, deadline| {
        bar.state(&render::progress(sums, deadline));
    })?;
    bar.clear();
    let shown = found.shown(question, wanted, !args.no_timing);
    match (args.json, args.format) {
        (true, _) | (_, Format::Json) => cx.output.json(&render::json(&shown))?,
        (_, Format::Text) => cx
            .output
            .text(&render::text(&shown, usize::from(cx.output.screen.width)))?,
        (_, Format::Svg) => cx.output.text(&render::histogram(&shown))?,
        (_, Format::Html) => cx.output.text(&render::html(&shown))?,
    }
    Ok(found)
}
