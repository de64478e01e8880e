//! `director schema`.

use clap::ValueEnum;
use director_protocols::manifest;

use super::Context;
use super::end::{CliError, Code};

/// Print the JSON Schema of the sprint file, or of another form
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Of what
    #[arg(long, value_enum, default_value_t = Of::Sprint, value_name = "WHAT")]
    of: Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The sprint file
    Sprint,
    /// The epic file
    Epic,
    /// The plan of an epic, as an agent answers it
    EpicPlan,
}

pub(super) fn schema(args: &SchemaArgs, cx: &mut Context) -> Result<Code, CliError> {
    cx.output.text(&match args.of {
        Of::Sprint => manifest::schema(),
        Of::Epic => manifest::epic::epic_schema(),
        Of::EpicPlan => manifest::epic::proposal_schema(),
    })?;
    Ok(Code::Done)
}
