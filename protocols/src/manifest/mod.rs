//! The sprint file: TOML or JSON in, a checked [`SprintSpec`] out, or everything that is wrong with it.
//!
//! Three steps. The text becomes a tree in which each value knows its place. One walk checks types, ranges
//! and keys against the tables in `keys`, from which the JSON Schema comes too. Then values are read and
//! checked against each other: dependencies, roles, gates. Problems do not stop a step, so that a person sees
//! all of them at once.
//!
//! Invariant: a [`Manifest`] is consistent; nothing downstream has to check names, numbers or references again.
//! Elsewhere: what a sprint is, is [`crate::sprint`]; whether the repository and the programs exist is found
//! out by those who use them.

pub mod epic;
mod errors;
mod json;
mod keys;
mod keys_budget;
mod keys_epic;
mod keys_limits;
mod keys_sandbox;
mod keys_ways;
mod resolve;
pub mod role_file;
mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod tree;
mod values;
mod vary;
mod write;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use errors::{ManifestErrors, Mark, Problem, SHOWN_MAX, misspelt};
pub use role_file::Library;
pub use schema::schema;
pub use vary::{Change, ChangeError, consistent, tree, vary};
pub use write::write;

use crate::ids::Name;
use crate::sprint::SprintSpec;

/// The largest sprint file, in bytes: 64 MiB.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// The kinds of agent that a sprint file may name without defining them.
pub const AGENT_KINDS: [&str; 8] = [
    "command",
    "simulated",
    "acp",
    "claude",
    "codex",
    "gemini",
    "remote",
    "person",
];

/// A sprint file that was read and is consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The sprint.
    pub spec: SprintSpec,
    /// Tasks whose file has no estimate: theirs was assumed, an hour for each point.
    pub assumed: Vec<Name>,
    /// Those of them whose file has no points either.
    pub unrated: Vec<Name>,
    /// Tasks with a title whose file says neither a kind nor a role: they were taken for features.
    pub unsorted: Vec<Name>,
    /// Tasks that the file says are done; they are not part of the sprint.
    pub done: Vec<Name>,
    /// What is allowed and probably not meant, one sentence each.
    pub warnings: Vec<String>,
}

/// How a sprint file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON with the same keys.
    Json,
}

impl Format {
    /// JSON for a name that ends with `.json`, otherwise TOML.
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(end) if end.eq_ignore_ascii_case("json") => Format::Json,
            _ => Format::Toml,
        }
    }
}

/// What the reader knows of its surroundings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Agents that the program registered, by name, beside [`AGENT_KINDS`].
    pub known_agents: &'a [&'a str],
    /// The directory that `repo` is relative to; [`read`] takes the file's own. Without one `repo` stays as written.
    pub dir: Option<&'a Path>,
    /// What the sprint is read for.
    pub purpose: Purpose,
    /// Finds role files below these directories: the sprint file's own and the repository's. Without it there are none.
    pub role_files: Option<fn(&[PathBuf]) -> Library>,
}

/// What a sprint is read for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Running it: a task of a command agent without `run` is an error.
    #[default]
    Run,
    /// Planning or simulating it: such a task is only worth a warning.
    Plan,
}

/// Reads the sprint file at `path`, TOML unless its name ends with `.json`.
///
/// # Errors
/// Everything that is wrong with it: the file is missing, not readable, over [`FILE_BYTES_MAX`] or not UTF-8,
/// or any of the problems that [`parse`] finds.
pub fn read(path: &Path, options: &Options<'_>) -> Result<Manifest, ManifestErrors> {
    let (text, full) = text_of(path)?;
    let options = Options {
        dir: options.dir.or(full.parent()),
        ..*options
    };
    parse(
        &text,
        &path.display().to_string(),
        Format::of(path),
        &options,
    )
}

/// The text of a file, and its path from the root.
fn text_of(path: &Path) -> Result<(String, PathBuf), ManifestErrors> {
    let origin = path.display().to_string();
    let fail = |message: String, help: &str| ManifestErrors::whole_file(&origin, message, help);
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => fail(
            "there is no such file".into(),
            "`director init` writes a first sprint file",
        ),
        _ => fail(
            format!("the file cannot be read: {error}"),
            "check that it is a file and that you may read it",
        ),
    };
    let too_big = |bytes: u64| {
        fail(
            format!(
                "the file has {} MiB or more; a sprint file may have up to {} MiB",
                bytes >> 20,
                FILE_BYTES_MAX >> 20
            ),
            "split the sprint, or check that this is the file you meant",
        )
    };
    let file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    if size > FILE_BYTES_MAX {
        return Err(too_big(size));
    }
    // What is not a plain file has no size beforehand, and a file can grow: the limit holds for both.
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(too_big(FILE_BYTES_MAX));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
        fail(
            format!("the file is not UTF-8: line {line}, byte {at} of the file"),
            "save it as UTF-8",
        )
    })?;
    let full = std::path::absolute(path).map_err(io)?;
    Ok((text, full))
}

/// Reads a sprint from `text`; `origin` is how errors call it.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file, at most [`SHOWN_MAX`] problems in full.
pub fn parse(
    text: &str,
    origin: &str,
    format: Format,
    options: &Options<'_>,
) -> Result<Manifest, ManifestErrors> {
    if text.len() as u64 > FILE_BYTES_MAX {
        let message = format!("more than {} MiB", FILE_BYTES_MAX >> 20);
        return Err(ManifestErrors::whole_file(
            origin,
            message,
            "split the sprint",
        ));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = tree_of(text, origin, format)?;
    let mut problems = errors::Problems::default();
    let whole = shape::Shape::Table(&keys::ROOT);
    shape::check(&root, &whole, shape::Path::ROOT, &mut problems);
    match resolve::manifest(&root, options, &mut problems) {
        Some(manifest) if problems.is_empty() => Ok(manifest),
        _ => Err(problems.into_errors(origin, text)),
    }
}

/// The values of a text, each with its place.
fn tree_of<'t>(
    text: &'t str,
    origin: &str,
    format: Format,
) -> Result<tree::Node<'t>, ManifestErrors> {
    let (what, read) = match format {
        Format::Toml => ("TOML", tree::read_toml(text)),
        Format::Json => ("JSON", json::read_json(text)),
    };
    read.map_err(|(message, at)| {
        let mut problems = errors::Problems::default();
        problems.add(&at.unwrap_or(0..0), || {
            errors::Words::new(format!("this is not {what}: {message}"), "")
        });
        problems.into_errors(origin, text)
    })
}
