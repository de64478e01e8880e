//! Where the data directory is: `--data-dir`, or `.director` beside the sprint's repository.
//!
//! A command with a sprint file knows the repository. One without looks upwards from the current directory,
//! as git does, and then at the repository of a `sprint.toml` that lies there.

use std::path::{Path, PathBuf};

use director_agents::git::Repository;
use director_protocols::manifest::{self, Manifest, Options, Purpose};
use director_protocols::sprint::SprintSpec;

use super::Context;
use super::end::CliError;

/// The name of the data directory.
pub(super) const NAME: &str = ".director";

/// The sprint file that is meant when none is named.
pub(super) const FILE: &str = "sprint.toml";

/// The data directory for a sprint that was read from `file`.
pub(super) fn of_sprint(
    given: Option<&Path>,
    spec: &SprintSpec,
    file: &Path,
) -> Result<PathBuf, CliError> {
    if let Some(given) = given {
        return absolute(given);
    }
    match &spec.repo {
        Some(repo) => {
            // Said before anything is made: a data directory in the wrong place helps nobody.
            let found = Repository::open(Path::new(repo))?;
            Ok(found.top().join(NAME))
        }
        None => {
            let file = absolute(file)?;
            Ok(file.parent().unwrap_or(Path::new("/")).join(NAME))
        }
    }
}

/// The data directory for a command without a sprint file; it has a journal.
pub(super) fn find(cx: &Context) -> Result<PathBuf, CliError> {
    find_from(cx.data_dir.as_deref())
}

/// The same, from what `--data-dir` says.
pub(super) fn find_from(given: Option<&Path>) -> Result<PathBuf, CliError> {
    if let Some(given) = given {
        let given = absolute(given)?;
        return match has_journal(&given) {
            true => Ok(given),
            false => Err(CliError::Input(format!(
                "`{}` holds no run; check `--data-dir`, or start one with `director run sprint.toml`",
                given.display()
            ))),
        };
    }
    let here = absolute(Path::new("."))?;
    let above = here
        .ancestors()
        .map(|dir| dir.join(NAME))
        .find(|dir| has_journal(dir));
    if let Some(found) = above.or_else(|| of_file_here(&here)) {
        return Ok(found);
    }
    Err(CliError::Input(format!(
        "there is no `{NAME}` in `{}` or above; go where the sprint's repository is, name it with `--data-dir`, \
         or start a run with `director run sprint.toml`",
        here.display()
    )))
}

fn of_file_here(here: &Path) -> Option<PathBuf> {
    let file = here.join(FILE);
    let options = Options {
        purpose: Purpose::Plan,
        role_files: Some(director_agents::roles::find),
        ..Options::default()
    };
    let Manifest { spec, .. } = manifest::read(&file, &options).ok()?;
    of_sprint(None, &spec, &file)
        .ok()
        .filter(|dir| has_journal(dir))
}

/// Whether a director has ever run there.
pub(super) fn has_journal(dir: &Path) -> bool {
    ["journal.db", "journal.witness"]
        .iter()
        .any(|name| dir.join(name).exists())
}

/// The path from the root, so that it stays right wherever it is used.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    let full = std::path::absolute(path);
    let full = full.map_err(|error| CliError::Input(format!("`{}`: {error}", path.display())))?;
    // `a/./b/..` would be an ugly thing to show.
    Ok(full
        .components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .collect())
}
