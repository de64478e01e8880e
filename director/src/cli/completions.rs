//! `director completions`.

use clap_complete::Shell;

use super::Context;
use super::end::{CliError, Code};

/// Print completions for a shell
///
/// For bash: `source <(director completions bash)`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(
    args: &CompletionsArgs,
    command: &mut clap::Command,
    cx: &mut Context,
) -> Result<Code, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "director", &mut script);
    cx.output.text(&String::from_utf8_lossy(&script))?;
    Ok(Code::Done)
}
