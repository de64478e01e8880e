//! The epic's file, and an agent's plan for it: both checked as a sprint file is, with every problem named at once.
//!
//! Elsewhere: the keys are `keys_epic`; what becomes of an epic is the planner's.

use std::path::Path;

use crate::epic::{EpicSpec, Proposal};

use super::errors::Problems;
use super::keys_epic::{EPIC_ROOT, PROPOSAL};
use super::shape::{self, Shape};
use super::{Format, ManifestErrors, Options, Purpose, resolve, schema, text_of, tree_of};

/// Reads the epic at `path`, TOML unless its name ends with `.json`; with it comes what is probably not meant.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(
    path: &Path,
    options: &Options<'_>,
) -> Result<(EpicSpec, Vec<String>, String), ManifestErrors> {
    let (text, full) = text_of(path)?;
    let options = Options {
        dir: options.dir.or(full.parent()),
        ..*options
    };
    let (spec, warnings) = parse(
        &text,
        &path.display().to_string(),
        Format::of(path),
        &options,
    )?;
    Ok((spec, warnings, text))
}

/// Reads an epic from `text`; `origin` is how errors call it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(
    text: &str,
    origin: &str,
    format: Format,
    options: &Options<'_>,
) -> Result<(EpicSpec, Vec<String>), ManifestErrors> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = tree_of(text, origin, format)?;
    let mut problems = Problems::default();
    let whole = Shape::Table(&EPIC_ROOT);
    shape::check(&root, &whole, shape::Path::ROOT, &mut problems);
    match resolve::epic::epic(&root, options, &mut problems) {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(problems.into_errors(origin, text)),
    }
}

/// Reads an agent's plan for `epic` from JSON.
///
/// # Errors
/// Everything that is wrong with it, in words that the agent can act on.
pub fn proposal(text: &str, epic: &EpicSpec) -> Result<Proposal, ManifestErrors> {
    let origin = "the plan";
    let root = tree_of(text, origin, Format::Json)?;
    let mut problems = Problems::default();
    let whole = Shape::Table(&PROPOSAL);
    shape::check(&root, &whole, shape::Path::ROOT, &mut problems);
    let options = Options {
        purpose: Purpose::Plan,
        ..Options::default()
    };
    match resolve::epic::proposal(&root, epic, &options, &mut problems) {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => Err(problems.into_errors(origin, text)),
    }
}

/// The JSON Schema (draft 2020-12) of the epic's file, indented.
pub fn epic_schema() -> String {
    schema::of(&EPIC_ROOT, "director epic file")
}

/// The JSON Schema (draft 2020-12) of a plan that an agent proposes, indented.
pub fn proposal_schema() -> String {
    schema::of(&PROPOSAL, "director epic plan")
}
