//! `director simulate`: when it will be done, with probabilities, from the engine that would run it.

use std::path::PathBuf;
use std::time::Instant;

use director_protocols::manifest::{Manifest, Purpose};

use super::end::{CliError, Code};
use super::{Context, home, plan};
use crate::estimate::habits::Habits;
use crate::estimate::{Durations, Model};
use crate::report::forecast::{self as render, Shown};
use crate::simulate::faults::{Faults, PROFILES};
use crate::simulate::forecast::{Extent, forecast};
use crate::simulate::prepare::Prepared;

/// Forecast a sprint: thousands of whole runs on virtual time
#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    /// The sprint file
    #[arg(default_value = home::FILE)]
    file: PathBuf,
    /// How many runs
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    runs: u64,
    /// Fixes every figure
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// What goes wrong, and how often: none, calm, rough, hostile
    #[arg(long, default_value = "calm", value_name = "PROFILE")]
    faults: String,
    /// Stop earlier, once the end is known this well, such as 0.01 for one part in a hundred
    #[arg(long, value_name = "SHARE")]
    precision: Option<f64>,
    /// Threads [default: all]; the figures are the same for any number
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    /// Leave out how fast it was, the one figure that the seed does not fix
    #[arg(long)]
    no_timing: bool,
}

pub(super) fn simulate(args: &SimulateArgs, cx: &mut Context) -> Result<Code, CliError> {
    let Manifest { spec, assumed, .. } = plan::read(&args.file, Purpose::Plan, cx)?;
    let faults = Faults::named(&args.faults).ok_or_else(|| unknown(&args.faults))?;
    let estimates = spec.tasks.iter().map(|task| &task.estimate);
    let durations = Durations::of(Model::default(), &Habits::published(), estimates);
    let set = Prepared::new(&spec, faults, durations)?;
    let extent = Extent {
        runs: args.runs,
        seed: args.seed,
        threads: args
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        precision: args.precision,
    };
    let begin = Instant::now();
    let bar = super::progress::Progress::new(&cx.output);
    let sums = forecast(&set, &extent, &mut |sums| {
        bar.state(&render::progress(sums, set.deadline))
    })?;
    bar.clear();
    let rate = sums.runs as f64 / begin.elapsed().as_secs_f64().max(1e-9);
    let shown = Shown {
        spec: &spec,
        set: &set,
        sums: &sums,
        seed: args.seed,
        faults: &args.faults,
        rate: (!args.no_timing).then_some(rate),
        assumed: assumed.len(),
    };
    match args.json {
        true => cx.output.json(&render::json(&shown))?,
        false => cx
            .output
            .text(&render::text(&shown, usize::from(cx.output.screen.width)))?,
    }
    Ok(Code::Done)
}

fn unknown(name: &str) -> CliError {
    CliError::Input(format!(
        "there are no faults called `{name}`; there are {}",
        PROFILES.join(", ")
    ))
}
