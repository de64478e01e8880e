//! `director simulate`: when it will be done, with probabilities, from the engine that would run it.
//!
//! A question is a sprint that is ready to run and a way to make it ready with something changed; where both come from a file
//! is here, where they come from a data directory is `from`.

mod from;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;
use director_agents::roles;
use director_protocols::manifest::{self, Change, ChangeError, Manifest, Options, Purpose};
use director_protocols::sprint::SprintSpec;
use serde_json::{Map, Value};

use super::end::{CliError, Code};
use super::{Context, home, plan};
use crate::control::submission;
use crate::estimate::habits::Habits;
use crate::estimate::{Durations, Model};
use crate::report::forecast::{self as render, Compared, Shown, Start};
use crate::simulate::faults::{Faults, PROFILES};
use crate::simulate::forecast::{Extent, forecast};
use crate::simulate::prepare::Prepared;
use crate::simulate::sums::Sums;
use crate::simulate::what_if::{self, Pairs, Variant};

/// What a what-if is called that tries everything worth a look.
const AUTO: &str = "auto";
/// Runs of each variant that `auto` tries.
const AUTO_RUNS: u64 = 2_000;
/// What a change of the faults begins with.
const FAULTS: &str = "faults";

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

/// A sprint like the one in question, made ready to run.
type Prepare<'a> = Box<dyn Fn(&SprintSpec, Faults) -> Result<Prepared, CliError> + 'a>;

/// What is forecast.
struct Question<'a> {
    /// The sprint.
    spec: SprintSpec,
    /// The same, ready to run.
    set: Prepared,
    /// What goes wrong.
    faults: Faults,
    /// From where it is looked ahead.
    start: Start,
    /// Tasks without an estimate in the file.
    assumed: usize,
    /// The sprint as a file: its text, what it is called, and how it is written.
    file: (String, String, manifest::Format),
    /// The directory that paths in it start from.
    dir: Option<PathBuf>,
    /// Makes variants ready.
    prepare: Prepare<'a>,
}

pub(super) fn simulate(args: &SimulateArgs, cx: &mut Context) -> Result<Code, CliError> {
    let wants_auto = args.what_if.iter().any(|text| text == AUTO);
    if wants_auto && args.what_if.len() > 1 {
        return Err(CliError::Input(
            "`--what-if auto` tries changes of its own; ask for it alone, or name the changes"
                .to_owned(),
        ));
    }
    if args
        .precision
        .is_some_and(|precision| precision.is_nan() || precision <= 0.0)
    {
        return Err(CliError::Input(
            "--precision has to be above 0, such as 0.01".to_owned(),
        ));
    }
    match &args.from {
        Some(dir) => from::simulate(args, &home::absolute(dir)?, cx),
        None => {
            let question = of_file(args, cx)?;
            answer(args, &question, cx).map(|_| Code::Done)
        }
    }
}

/// The sprint of a file, from its start.
fn of_file(args: &SimulateArgs, cx: &Context) -> Result<Question<'static>, CliError> {
    let file = args.file.clone().unwrap_or_else(|| home::FILE.into());
    let Manifest {
        mut spec, assumed, ..
    } = plan::read(&file, Purpose::Plan, cx)?;
    submission::plan(&mut spec);
    let faults = faults(&args.faults)?;
    let full = std::path::absolute(&file)?;
    let prepare = |spec: &SprintSpec, faults| {
        let estimates = spec.tasks.iter().map(|task| &task.estimate);
        let durations = Durations::of(Model::default(), &Habits::published(), estimates);
        Ok(Prepared::new(spec, faults, durations)?)
    };
    Ok(Question {
        set: prepare(&spec, faults)?,
        spec,
        faults,
        start: Start::File,
        assumed: assumed.len(),
        file: (
            std::fs::read_to_string(&file)?,
            file.display().to_string(),
            manifest::Format::of(&file),
        ),
        dir: full.parent().map(Path::to_owned),
        prepare: Box::new(prepare),
    })
}

/// Runs it and its variants, and writes what came out.
fn answer(
    args: &SimulateArgs,
    question: &Question<'_>,
    cx: &mut Context,
) -> Result<Sums, CliError> {
    let set = &question.set;
    let wants_auto = args.what_if.iter().any(|text| text == AUTO);
    let mut extent = Extent {
        runs: args.runs,
        seed: args.seed,
        threads: args
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        precision: args.precision,
    };
    let asked = match wants_auto || args.what_if.is_empty() {
        true => Vec::new(),
        false => vec![asked(args, question, cx)?],
    };
    let begin = Instant::now();
    let bar = super::progress::Progress::new(&cx.output);
    let mut seen = |sums: &_| bar.state(&render::progress(sums, set.deadline));
    let (names, sets): (Vec<String>, Vec<Prepared>) = asked.into_iter().unzip();
    let known = forecast(set, &sets, &extent, &mut seen)?;
    let made = known.base.runs * (1 + sets.len() as u64);
    let rate = made as f64 / begin.elapsed().as_secs_f64().max(1e-9);
    let mut variants: Vec<Compared> = names
        .into_iter()
        .zip(known.variants)
        .map(|(name, found)| compared(name, found, &known.base))
        .collect();
    if wants_auto {
        extent.runs = extent.runs.min(AUTO_RUNS);
        let (names, sets): (Vec<String>, Vec<Prepared>) =
            what_if::auto(&question.spec, set, &known.base)
                .into_iter()
                // A role that nobody is left in cannot be tried.
                .filter_map(|Variant { name, spec }| {
                    Some((name, (question.prepare)(&spec, question.faults).ok()?))
                })
                .unzip();
        let tried = forecast(set, &sets, &extent, &mut |sums| {
            bar.state(&render::progress(sums, set.deadline))
        })?;
        variants.extend(
            names
                .into_iter()
                .zip(tried.variants)
                .map(|(name, found)| compared(name, found, &tried.base)),
        );
        variants.sort_by(|a, b| a.pairs.difference().0.total_cmp(&b.pairs.difference().0));
    }
    bar.clear();
    let shown = Shown {
        spec: &question.spec,
        set,
        start: &question.start,
        sums: &known.base,
        seed: args.seed,
        faults: &args.faults,
        rate: (!args.no_timing).then_some(rate),
        assumed: question.assumed,
        variants: &variants,
    };
    match (args.json, args.format) {
        (true, _) | (_, Format::Json) => cx.output.json(&render::json(&shown))?,
        (_, Format::Text) => cx
            .output
            .text(&render::text(&shown, usize::from(cx.output.screen.width)))?,
        (_, Format::Svg) => cx.output.text(&render::histogram(&shown))?,
        (_, Format::Html) => cx.output.text(&render::html(&shown))?,
    }
    Ok(known.base)
}

fn compared(name: String, (sums, pairs): (Sums, Pairs), base: &Sums) -> Compared {
    Compared {
        name,
        sums,
        pairs,
        base: base.finish.clone(),
    }
}

/// A profile by its name, or a file with rates on top of the profile that its `base` names.
fn faults(name: &str) -> Result<Faults, CliError> {
    if let Some(faults) = Faults::named(name) {
        return Ok(faults);
    }
    let path = Path::new(name);
    if !path.is_file() {
        return Err(CliError::Input(format!(
            "there are no faults called `{name}`, and no file of that name; there are {}",
            PROFILES.join(", ")
        )));
    }
    let wrong =
        |what: String| CliError::Input(format!("the faults in `{name}` cannot be used: {what}"));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let tree = manifest::tree(&text, manifest::Format::of(path)).map_err(wrong)?;
    let Value::Object(mut table) = tree else {
        return Err(wrong("it is not a table of rates".to_owned()));
    };
    let base = match table.remove("base") {
        None => Faults::NONE,
        Some(Value::String(base)) => Faults::named(&base).ok_or_else(|| {
            wrong(format!(
                "base is `{base}`; there are {}",
                PROFILES.join(", ")
            ))
        })?,
        Some(other) => {
            return Err(wrong(format!(
                "base is {other}; write the name of a profile"
            )));
        }
    };
    base.with(&table).map_err(wrong)
}

/// The variant that was asked for, all changes together.
fn asked(
    args: &SimulateArgs,
    question: &Question<'_>,
    cx: &Context,
) -> Result<(String, Prepared), CliError> {
    let changes: Vec<Change> = args
        .what_if
        .iter()
        .map(|text| Change::parse(text))
        .collect::<Result<_, _>>()
        .map_err(input)?;
    manifest::consistent(&changes).map_err(input)?;
    let of_faults = |change: &Change| change.key == FAULTS || change.key.starts_with("faults.");
    let (rates, keys): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(of_faults);
    let faults = rates.iter().try_fold(question.faults, |faults, change| {
        match change.key.strip_prefix("faults.") {
            None => self::faults(change.value.as_str().unwrap_or_default()),
            Some(key) => {
                let table = Map::from_iter([(key.to_owned(), change.value.clone())]);
                faults
                    .with(&table)
                    .map_err(|what| CliError::Input(format!("`{change}` makes no sense: {what}")))
            }
        }
    })?;
    let varied = match keys.is_empty() {
        true => question.spec.clone(),
        false => {
            let kinds = cx
                .builder
                .as_ref()
                .map(crate::system::Builder::kinds)
                .unwrap_or_default();
            let known_agents: Vec<&str> = kinds.iter().map(String::as_str).collect();
            let options = Options {
                known_agents: &known_agents,
                dir: question.dir.as_deref(),
                purpose: Purpose::Plan,
                role_files: Some(roles::find),
            };
            let (text, origin, format) = &question.file;
            manifest::vary(text, origin, *format, &options, &question.spec, &keys)
                .map_err(input)?
                .spec
        }
    };
    let prepared = (question.prepare)(&varied, faults)?;
    Ok((args.what_if.join(", "), prepared))
}

fn input(error: ChangeError) -> CliError {
    match error {
        ChangeError::Sprint(errors) => CliError::Manifest(errors),
        error => CliError::Input(error.to_string()),
    }
}
