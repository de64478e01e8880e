//! `director init`: a first sprint file, and a place for agents.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use director_agents::git::Repository;

use super::end::{CliError, Code};
use super::{Context, home};

/// Write a first sprint.toml and agents/ for a repository
///
/// Never overwrites a file.
#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// Where
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// What is written, by path.
const FILES: [(&str, &str); 2] = [
    (home::FILE, include_str!("init/sprint.toml")),
    ("agents/README.md", include_str!("init/agents.md")),
];

pub(super) fn init(args: &InitArgs, cx: &mut Context) -> Result<Code, CliError> {
    let mut written = 0;
    let branch = Repository::open(&args.dir)
        .and_then(|repository| repository.current_branch())
        .ok()
        .flatten();
    for (name, content) in FILES {
        let path = args.dir.join(name);
        let done = write_new(&path, &based_on(content, branch.as_deref()))?;
        written += usize::from(done);
        let word = if done { "wrote" } else { "kept " };
        cx.output.text(&format!("{word}  {}\n", path.display()))?;
    }
    let file = args.dir.join(home::FILE);
    let next = match written {
        0 => "everything was there already\n".to_owned(),
        _ => format!(
            "\nnext: edit {0}, look at `director plan {0}`, and start with `director run {0}`\n",
            file.display()
        ),
    };
    cx.output.text(&next)?;
    Ok(Code::Done)
}

/// The content, for a repository that is on this branch.
fn based_on(content: &str, branch: Option<&str>) -> String {
    // Names of branches that would need more than quotes are rare; then the file names the usual one.
    match branch.filter(|branch| !branch.contains(['"', '\\'])) {
        Some(branch) => content.replace("base = \"main\"", &format!("base = \"{branch}\"")),
        None => content.to_owned(),
    }
}

/// Writes a file that is not there yet; says whether it did.
fn write_new(path: &Path, content: &str) -> Result<bool, CliError> {
    let failed = |error: std::io::Error| {
        let text = format!(
            "`{}` cannot be written: {error}; check that you may write there",
            path.display()
        );
        CliError::Input(text)
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file
            .write_all(content.as_bytes())
            .map(|()| true)
            .map_err(failed),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use director_protocols::manifest::{Format, Options, parse};

    use super::*;

    #[test]
    fn the_first_sprint_file_is_valid_and_can_be_planned() {
        let manifest = parse(FILES[0].1, home::FILE, Format::Toml, &Options::default());
        let manifest = manifest.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(manifest.warnings, Vec::<String>::new());
        crate::planner::plan(&manifest.spec).expect("a plan");
    }

    #[test]
    fn nothing_is_overwritten() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("agents/README.md");
        assert!(write_new(&path, "first").expect("written"));
        assert!(!write_new(&path, "second").expect("kept"));
        assert_eq!(fs::read_to_string(&path).expect("read"), "first");
    }
}
