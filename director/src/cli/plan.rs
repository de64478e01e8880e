//! `director plan`: the *Sprint Initialization Report*, without running anything.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use director_agents::roles;
use director_protocols::ids::Name;
use director_protocols::manifest::{self, Manifest, Options, Purpose};
use director_protocols::sprint::SprintSpec;

use super::end::{CliError, Code};
use super::output::note;
use super::{Context, home, instance, source};
use crate::control::planning::{self, Planned};
use crate::control::protocol::Ask;
use crate::control::submission;
use crate::planner::{self, robust};
use crate::report::calibration::{self, Calibration};
use crate::report::plan as render;
use crate::system::Builder;
use crate::view::some;

/// The most tasks that are named with a question that is about several.
const ASKED_MAX: usize = 3;

/// Plan a sprint: who does what when, the critical path, risks and open questions
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// The sprint file, or an instance of PSPLIB (`.sm`) or iMOPSE (`.def`)
    #[arg(default_value = home::FILE)]
    file: PathBuf,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// Short for `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Correct estimates by how each kind of task came out in the data directory's past sprints
    #[arg(long)]
    calibrate: bool,
    /// What the order makes early
    #[arg(long, value_enum, default_value_t = Objective::Expected)]
    objective: Objective,
    /// Schedules that `--objective p85` may try; 0 shows the list alone, before any search
    #[arg(long, default_value_t = 100_000)]
    schedules: u64,
    /// The same seed gives the same plan
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Objective {
    /// The longest way to the end goes first, with expected durations
    Expected,
    /// The finish that 85 of 100 futures keep to, with durations as uncertain as the estimates
    P85,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Markdown
    Md,
    /// One JSON document
    Json,
    /// Graphviz
    Dot,
    /// Mermaid
    Mermaid,
    /// A chart of who does what when
    Svg,
}

pub(super) fn plan(args: &PlanArgs, cx: &mut Context) -> Result<Code, CliError> {
    if instance::is_one(&args.file) {
        let json = match (args.json, args.format) {
            (true, _) | (_, Format::Json) => true,
            (_, Format::Md) => false,
            _ => {
                return Err(CliError::Input(
                    "an instance of a library is shown as `md` or `json`; leave `--format` out"
                        .to_owned(),
                ));
            }
        };
        return instance::plan(&args.file, json, cx);
    }
    let manifest = read(&args.file, Purpose::Plan, cx)?;
    let past = past(&manifest.spec, &args.file, cx)?;
    let calibrate = args.calibrate || manifest.spec.ways.calibrate;
    let planned = Planned::of(manifest, past, calibrate, |spec| match args.objective {
        _ if args.schedules == 0 => planner::listed(spec),
        Objective::Expected => Planned::usual(spec),
        Objective::P85 => robust::plan(spec, args.seed, args.schedules),
    })?;
    if calibrate && planned.corrected.is_empty() {
        note(&format!(
            "no kind of task of this sprint was completed {} times before; estimates stay as they are",
            calibration::TASKS_MIN
        ));
    }
    let Planned { spec, plan, .. } = &planned;
    let text = match (args.json, args.format) {
        (true, _) | (_, Format::Json) => planned.json(),
        (_, Format::Md) => planned.markdown(),
        (_, Format::Dot) => render::dot(spec, plan),
        (_, Format::Mermaid) => render::mermaid(spec, plan),
        (_, Format::Svg) => render::svg(spec, plan),
    };
    let missing = submission::missing_programs(spec).into_iter();
    for warning in missing.chain(submission::no_repository(spec)) {
        note(&format!("warning: {warning}"));
    }
    let here = args.file.parent().unwrap_or(Path::new(""));
    // Tasks of one epic share their papers: the same is asked once.
    let mut questions: Vec<(String, Vec<String>)> = Vec::new();
    for (_, link) in submission::dead_links(spec, here) {
        let task = link.task.as_ref().map_or_else(String::new, Name::to_string);
        match questions.iter_mut().find(|(text, _)| *text == link.text) {
            Some((_, tasks)) => tasks.push(task),
            None => questions.push((link.text, vec![task])),
        }
    }
    for (text, tasks) in questions {
        note(&format!("question: {}: {text}", some(&tasks, ASKED_MAX)));
    }
    cx.output.text(&text)?;
    if !text.ends_with('\n') {
        cx.output.text("\n")?;
    }
    Ok(Code::Done)
}

/// What past sprints of the data directory say; nothing where there are none.
fn past(spec: &SprintSpec, file: &Path, cx: &Context) -> Result<Option<Calibration>, CliError> {
    // A plan needs no repository yet; one that cannot be found has no past either.
    let data_dir = home::of_sprint(cx.data_dir.as_deref(), spec, file).ok();
    let Some(data_dir) = data_dir.filter(|dir| home::has_journal(dir)) else {
        return Ok(None);
    };
    let answer = source::ask_at(Ask::Calibration {}, &data_dir, cx)?;
    planning::past(answer.json)
        .map_err(|error| CliError::Failed(format!("the past cannot be read: {error}")))
}

/// Reads a sprint file; its warnings go to standard error.
pub(super) fn read(file: &Path, purpose: Purpose, cx: &Context) -> Result<Manifest, CliError> {
    let kinds = cx.builder.as_ref().map(Builder::kinds).unwrap_or_default();
    let known_agents: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let options = Options {
        known_agents: &known_agents,
        dir: None,
        purpose,
        role_files: Some(roles::find),
    };
    let manifest = manifest::read(file, &options)?;
    if purpose == Purpose::Run {
        submission::fit(&manifest.spec, &known_agents).map_err(CliError::Input)?;
    }
    for warning in &manifest.warnings {
        note(&format!("warning: {warning}"));
    }
    for warning in submission::about_roles(&manifest.spec) {
        note(&format!("warning: {warning}"));
    }
    Ok(manifest)
}

/// Makes clear what rules can, and gives those guesses in words that change who does what.
pub(super) fn guessed_kinds(manifest: &mut Manifest) -> Vec<String> {
    submission::guessed_kinds(manifest)
}
