//! Simulation for whoever asks: a sprint that is ready to run, a way to make it ready with something changed, and what many runs say.
//!
//! ```text
//! sprint file ─▶ Question ─┐
//! journal ─▶ Stand ────────┴─▶ run: base, variants ─▶ Found ─▶ report::forecast
//! ```
//!
//! It takes long, so it belongs on a thread of its own; whoever waits no longer sets [`Wanted::stop`].
//!
//! Elsewhere: the runs are [`crate::simulate`]; from where a sprint stands is [`stand`]; options of the command line are `cli::simulate`,
//! limits for others the desk's.

pub mod asked;
pub mod stand;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use director_agents::roles;
use director_protocols::manifest::{
    self, Change, ChangeError, Format, Manifest, ManifestErrors, Options, Purpose,
};
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;
use serde_json::{Map, Value};

use super::protocol::{Fault, FaultKind};
use super::submission::{self, File};
use crate::estimate::habits::Habits;
use crate::estimate::{Durations, Model};
use crate::report::forecast::{Compared, Shown, Start};
use crate::simulate::faults::{Faults, PROFILES};
use crate::simulate::forecast::{Extent, forecast_until};
use crate::simulate::prepare::{Prepared, SimulateError};
use crate::simulate::sums::Sums;
use crate::simulate::what_if::{self, Pairs, Variant};

/// What a what-if is called that tries everything worth a look.
const AUTO: &str = "auto";
/// Runs of each variant that `auto` tries.
const AUTO_RUNS: u64 = 2_000;
/// What a change of the faults begins with.
const FAULTS: &str = "faults";

/// Why nothing is simulated.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Input(String),
    /// The sprint file has problems, or would have.
    #[error("{0}")]
    Manifest(#[from] ManifestErrors),
    /// It cannot be simulated.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// What is named is not there.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<ChangeError> for Why {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Sprint(errors) => Why::Manifest(errors),
            error => Why::Input(error.to_string()),
        }
    }
}

impl From<Why> for Fault {
    fn from(why: Why) -> Self {
        let kind = match why {
            Why::Fault(fault) => return fault,
            Why::Input(_) => FaultKind::BadRequest,
            Why::Manifest(_) => FaultKind::BadSprint,
            Why::Simulate(SimulateError::Stopped | SimulateError::Over { .. }) => {
                FaultKind::Rejected
            }
            Why::Simulate(_) => FaultKind::BadSprint,
        };
        Fault::new(kind, why.to_string())
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How many runs.
    pub runs: u64,
    /// Fixes every figure.
    pub seed: u64,
    /// What goes wrong: the name of a profile, or where `files` are read, one with rates.
    pub faults: String,
    /// Whether faults may be a file.
    pub files: bool,
    /// Changes to compare with, all at once; or `auto` alone.
    pub what_if: Vec<String>,
    /// Ends earlier, once the end is known this well.
    pub precision: Option<f64>,
    /// Threads; the figures are the same for any number.
    pub threads: usize,
    /// The kinds of agent that there are.
    pub kinds: Vec<String>,
    /// Set once it is to end with what it knows.
    pub stop: Arc<AtomicBool>,
}

impl Wanted {
    fn tries_all(&self) -> bool {
        self.what_if.iter().any(|text| text == AUTO)
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// What does not, in words.
    pub fn check(&self) -> Result<(), Why> {
        if self.tries_all() && self.what_if.len() > 1 {
            return Err(Why::Input(
                "`--what-if auto` tries changes of its own; ask for it alone, or name the changes"
                    .to_owned(),
            ));
        }
        let precision = self.precision;
        if precision.is_some_and(|precision| precision.is_nan() || precision <= 0.0) {
            return Err(Why::Input(
                "--precision has to be above 0, such as 0.01".to_owned(),
            ));
        }
        Ok(())
    }

    /// What goes wrong.
    ///
    /// # Errors
    /// That there is no such profile, or what is wrong with the file.
    pub fn rates(&self) -> Result<Faults, Why> {
        self.named(&self.faults)
    }

    /// A profile by its name, or a file with rates on top of the profile that its `base` names.
    fn named(&self, name: &str) -> Result<Faults, Why> {
        if let Some(faults) = Faults::named(name) {
            return Ok(faults);
        }
        let path = Path::new(name);
        let known = PROFILES.join(", ");
        match self.files {
            true if path.is_file() => of_file(name, path),
            true => Err(Why::Input(format!(
                "there are no faults called `{name}`, and no file of that name; there are {known}"
            ))),
            false => {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
                Err(Why::Input(format!(
                    "there are no faults called `{shown}`; there are {known}"
                )))
            }
        }
    }
}

fn of_file(name: &str, path: &Path) -> Result<Faults, Why> {
    let wrong = |what: String| Why::Input(format!("the faults in `{name}` cannot be used: {what}"));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let tree = manifest::tree(&text, Format::of(path)).map_err(wrong)?;
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

/// A sprint like the one in question, made ready to run.
type Prepare<'a> = Box<dyn Fn(&SprintSpec, Faults) -> Result<Prepared, SimulateError> + 'a>;

/// What is forecast.
pub struct Question<'a> {
    /// The sprint.
    pub spec: SprintSpec,
    /// The same, ready to run.
    pub set: Prepared,
    /// What goes wrong.
    faults: Faults,
    /// From where it is looked ahead.
    start: Start,
    /// Tasks without an estimate in the file.
    assumed: usize,
    /// The sprint as a file: its text, what it is called, and how it is written.
    file: (String, String, Format),
    /// The directory that paths in it start from.
    dir: Option<PathBuf>,
    /// Makes variants ready.
    prepare: Prepare<'a>,
}

impl Question<'static> {
    /// The sprint of a file, from its start; `manifest` is what was read of it, for planning.
    ///
    /// # Errors
    /// Why it cannot be run, so that it cannot be simulated.
    pub fn of_file(manifest: Manifest, file: File, wanted: &Wanted) -> Result<Self, Why> {
        let Manifest {
            mut spec, assumed, ..
        } = manifest;
        submission::plan(&mut spec);
        let faults = wanted.rates()?;
        let prepare = |spec: &SprintSpec, faults| {
            let estimates = spec.tasks.iter().map(|task| &task.estimate);
            let durations = Durations::of(Model::default(), &Habits::published(), estimates);
            Prepared::new(spec, faults, durations)
        };
        Ok(Question {
            set: prepare(&spec, faults)?,
            spec,
            faults,
            start: Start::File,
            assumed: assumed.len(),
            file: (file.text, file.origin, file.format),
            dir: Some(file.dir),
            prepare: Box::new(prepare),
        })
    }
}

/// What the runs say.
#[derive(Debug)]
pub struct Found {
    /// Of the sprint itself.
    pub base: Sums,
    /// Of its variants, in the order in which they are shown.
    variants: Vec<Compared>,
    /// Runs a second.
    rate: f64,
}

impl Found {
    /// For people and programs; `timed` says how fast it was, the one figure that the seed does not fix.
    pub fn shown<'a>(
        &'a self,
        question: &'a Question<'_>,
        wanted: &'a Wanted,
        timed: bool,
    ) -> Shown<'a> {
        Shown {
            spec: &question.spec,
            set: &question.set,
            start: &question.start,
            sums: &self.base,
            seed: wanted.seed,
            faults: &wanted.faults,
            rate: timed.then_some(self.rate),
            assumed: question.assumed,
            variants: &self.variants,
        }
    }
}

/// Runs it and its variants; `seen` hears what is known after each round, and by when the sprint is to be done.
///
/// # Errors
/// What about the changes makes no sense, or why nothing can be run.
pub fn run(
    question: &Question<'_>,
    wanted: &Wanted,
    seen: &mut dyn FnMut(&Sums, Option<Span>),
) -> Result<Found, Why> {
    wanted.check()?;
    let set = &question.set;
    let mut extent = Extent {
        runs: wanted.runs,
        seed: wanted.seed,
        threads: wanted.threads,
        precision: wanted.precision,
    };
    let asked = match wanted.tries_all() || wanted.what_if.is_empty() {
        true => Vec::new(),
        false => vec![asked(question, wanted)?],
    };
    let begin = Instant::now();
    let mut seen = |sums: &Sums| seen(sums, set.deadline);
    let (names, sets): (Vec<String>, Vec<Prepared>) = asked.into_iter().unzip();
    let known = forecast_until(set, &sets, &extent, &wanted.stop, &mut seen)?;
    let made = known.base.runs * (1 + sets.len() as u64);
    let rate = made as f64 / begin.elapsed().as_secs_f64().max(1e-9);
    let mut variants: Vec<Compared> = names
        .into_iter()
        .zip(known.variants)
        .map(|(name, found)| compared(name, found, &known.base))
        .collect();
    if wanted.tries_all() {
        extent.runs = extent.runs.min(AUTO_RUNS);
        let (names, sets): (Vec<String>, Vec<Prepared>) =
            what_if::auto(&question.spec, set, &known.base)
                .into_iter()
                // A role that nobody is left in cannot be tried.
                .filter_map(|Variant { name, spec }| {
                    Some((name, (question.prepare)(&spec, question.faults).ok()?))
                })
                .unzip();
        let tried = forecast_until(set, &sets, &extent, &wanted.stop, &mut seen)?;
        variants.extend(
            names
                .into_iter()
                .zip(tried.variants)
                .map(|(name, found)| compared(name, found, &tried.base)),
        );
        variants.sort_by(|a, b| a.pairs.difference().0.total_cmp(&b.pairs.difference().0));
    }
    Ok(Found {
        base: known.base,
        variants,
        rate,
    })
}

fn compared(name: String, (sums, pairs): (Sums, Pairs), base: &Sums) -> Compared {
    Compared {
        name,
        sums,
        pairs,
        base: base.finish.clone(),
    }
}

/// The variant that was asked for, all changes together.
fn asked(question: &Question<'_>, wanted: &Wanted) -> Result<(String, Prepared), Why> {
    let changes: Vec<Change> = wanted
        .what_if
        .iter()
        .map(|text| Change::parse(text))
        .collect::<Result<_, _>>()?;
    manifest::consistent(&changes)?;
    let of_faults = |change: &Change| change.key == FAULTS || change.key.starts_with("faults.");
    let (rates, keys): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(of_faults);
    let faults = rates.iter().try_fold(question.faults, |faults, change| {
        match change.key.strip_prefix("faults.") {
            None => wanted.named(change.value.as_str().unwrap_or_default()),
            Some(key) => {
                let table = Map::from_iter([(key.to_owned(), change.value.clone())]);
                faults
                    .with(&table)
                    .map_err(|what| Why::Input(format!("`{change}` makes no sense: {what}")))
            }
        }
    })?;
    let varied = match keys.is_empty() {
        true => question.spec.clone(),
        false => {
            let known_agents: Vec<&str> = wanted.kinds.iter().map(String::as_str).collect();
            let options = Options {
                known_agents: &known_agents,
                dir: question.dir.as_deref(),
                purpose: Purpose::Plan,
                role_files: Some(roles::find),
            };
            let (text, origin, format) = &question.file;
            manifest::vary(text, origin, *format, &options, &question.spec, &keys)?.spec
        }
    };
    let prepared = (question.prepare)(&varied, faults)?;
    Ok((wanted.what_if.join(", "), prepared))
}
