//! `director epic`: an epic into architecture, features, tasks, sprints and a risk plan.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use director_agents::roles;
use director_protocols::epic::EpicSpec;
use director_protocols::manifest::{Format, Options, Purpose, epic as format};
use director_protocols::sprint::AgentSpec;

use super::end::{CliError, Code};
use super::output::note;
use super::{Context, home};
use crate::epic::ask::{Asked, ask};
use crate::epic::write;
use crate::planner::epic::{self, EpicPlan};
use crate::system::Builder;

/// Plan an epic: architecture, features, tasks, sprints and risks
///
/// By rule, or with a plan that an agent makes and that is checked before it is taken.
#[derive(Debug, clap::Args)]
pub(super) struct EpicArgs {
    /// The epic file
    file: PathBuf,
    /// Who makes the plan: `rule`, `claude`, a role of the team, or a command that reads the question and prints JSON
    #[arg(long, default_value = "rule", value_name = "AGENT")]
    by: String,
    /// How often an agent is asked when its plan is refused
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10))]
    tries: u32,
    /// How long an agent may take for an answer, in seconds
    #[arg(long, default_value_t = 900, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Write a sprint file for each sprint into this directory
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn epic(args: &EpicArgs, cx: &mut Context) -> Result<Code, CliError> {
    let kinds = cx.builder.as_ref().map(Builder::kinds).unwrap_or_default();
    let known_agents: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let options = Options {
        known_agents: &known_agents,
        dir: None,
        purpose: Purpose::Plan,
        role_files: Some(roles::find),
    };
    let (spec, warnings, source) = format::read(&args.file, &options)?;
    for warning in warnings {
        note(&format!("warning: {warning}"));
    }
    let plan = match args.by.as_str() {
        "rule" => epic::by_rule(&spec)?,
        _ => by_agent(args, &spec, &source)?,
    };
    for text in &plan.oversized {
        note(&format!("warning: {text}"));
    }
    if let Some(dir) = &args.output {
        write_sprints(dir, &plan, &source, Format::of(&args.file))?;
    }
    match args.json {
        true => cx.output.json(&plan.json(&spec))?,
        false => cx.output.text(&plan.markdown(&spec))?,
    }
    Ok(Code::Done)
}

fn by_agent(args: &EpicArgs, spec: &EpicSpec, source: &str) -> Result<EpicPlan, CliError> {
    let asked = asked(&args.by, spec)?;
    let file = home::absolute(&args.file)?;
    let cwd = file.parent().unwrap_or(Path::new("/")).to_owned();
    let limits = (args.tries, Duration::from_secs(args.timeout));
    let proposal = super::block_on(async {
        let plan = ask(&asked, spec, source, cwd, limits, &mut |why| note(why)).await;
        plan.map_err(|error| CliError::Failed(error.to_string()))
    })?;
    let tasks = proposal.tasks.iter().map(|task| (**task).clone()).collect();
    Ok(epic::plan(
        spec,
        tasks,
        proposal.architecture,
        proposal.risks,
    )?)
}

/// Who a word means: Claude Code, the agent of a role, or a command.
fn asked(by: &str, spec: &EpicSpec) -> Result<Asked, CliError> {
    let claude = |agent: &AgentSpec, profile| Asked::Claude {
        agent: Box::new(agent.clone()),
        profile: Box::new(profile),
    };
    if by == "claude" || by == spec.director.name.as_str() {
        let director = &spec.director;
        return Ok(claude(&director.agent, director.profile.clone()));
    }
    let Some(role) = spec.team.iter().find(|role| role.name.as_str() == by) else {
        return Ok(Asked::Command(by.to_owned()));
    };
    match role.agent.kind.as_str() {
        "claude" => Ok(claude(&role.agent, role.profile.clone())),
        kind => Err(CliError::Input(format!(
            "the role `{by}` has an agent of the kind `{kind}`, which cannot be asked for a plan; give it `agent = \"claude\"`, or name a command"
        ))),
    }
}

/// Writes a sprint file for each sprint; a file that is there already is not touched.
fn write_sprints(
    dir: &Path,
    plan: &EpicPlan,
    source: &str,
    format: Format,
) -> Result<(), CliError> {
    let fail = |path: &Path, why: String| CliError::Input(format!("`{}` {why}", path.display()));
    fs::create_dir_all(dir).map_err(|error| fail(dir, format!("cannot be made: {error}")))?;
    let files: Vec<(PathBuf, String)> = plan
        .sprints
        .iter()
        .map(|(sprint, _)| {
            let text = write::sprint_file(sprint, source, format).map_err(CliError::Failed)?;
            Ok((dir.join(format!("{}.toml", sprint.id)), text))
        })
        .collect::<Result<_, CliError>>()?;
    let same = |path: &Path, text: &str| fs::read_to_string(path).is_ok_and(|there| there == text);
    if let Some((path, _)) = files
        .iter()
        .find(|(path, text)| path.exists() && !same(path, text))
    {
        return Err(fail(
            path,
            "is there already and is different; move it away, or write into another directory"
                .to_owned(),
        ));
    }
    for (path, text) in &files {
        fs::write(path, text).map_err(|error| fail(path, format!("cannot be written: {error}")))?;
        note(&format!("wrote `{}`", path.display()));
    }
    Ok(())
}
