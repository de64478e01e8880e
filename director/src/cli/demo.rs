//! `director demo`: a small real repository, and a sprint on it from beginning to end.

use std::path::PathBuf;

use director_protocols::manifest::Purpose;

use super::end::{CliError, Code};
use super::output::note;
use super::{Context, home, plan, run};
use crate::control::submission;
use crate::demo::{self, DemoError, SPRINT_FILE};

/// Make a small git repository and run a sprint of eleven tasks on it
///
/// Needs git and a POSIX shell, nothing else, and takes some seconds.
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Where; has to be empty or new
    #[arg(default_value = "director-demo")]
    dir: PathBuf,
    /// Only make the repository
    #[arg(long)]
    no_run: bool,
}

pub(super) fn demo(args: DemoArgs, cx: &mut Context) -> Result<Code, CliError> {
    let shown = args.dir.display();
    demo::make(&args.dir).map_err(|error| match error {
        DemoError::NotEmpty { dir } if dir.join(home::NAME).is_dir() => CliError::Input(format!(
            "`{shown}` has a demo already; go on with `director run {shown}/{SPRINT_FILE}`, or name another directory"
        )),
        DemoError::NotEmpty { .. } | DemoError::Io { .. } => CliError::Input(error.to_string()),
        DemoError::NoGit { .. } | DemoError::Git { .. } => CliError::Failed(error.to_string()),
    })?;
    note(&format!(
        "made a repository in `{shown}`: a shell program with tests, and a sprint of eleven tasks"
    ));
    if args.no_run {
        return Ok(Code::Done);
    }
    let file = args.dir.join(SPRINT_FILE);
    let mut manifest = plan::read(&file, Purpose::Run, cx)?;
    submission::before_start(&mut manifest, &args.dir);
    let spec = manifest.spec;
    let data_dir = home::of_sprint(cx.data_dir.as_deref(), &spec, &file)?;
    let code = run::carry_through(spec, &file, &data_dir, false, cx)?;
    cx.output.flush()?;
    if code == Code::Done {
        let data = match &cx.data_dir {
            Some(dir) => format!(" --data-dir {}", dir.display()),
            None => String::new(),
        };
        note(&format!(
            "\nlook at it:\n\
             \x20   cd {shown}\n\
             \x20   git log --graph --oneline sprint/demo    every task is a merge\n\
             \x20   director why longest{data}    what a gate found, and what came of it\n\
             \x20   director report{data}         the report again\n\
             \x20   director deliver{data}        bring it into main; then `sh bin/tally help`"
        ));
    }
    Ok(code)
}
