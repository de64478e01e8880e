//! `director schema`.

use super::Context;
use super::end::{CliError, Code};

/// Print the JSON Schema of the sprint file
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {}

pub(super) fn schema(_: &SchemaArgs, cx: &mut Context) -> Result<Code, CliError> {
    cx.output.text(&director_protocols::manifest::schema())?;
    Ok(Code::Done)
}
