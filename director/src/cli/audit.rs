//! `director audit`: who ordered what, from where, and what came of it.

use super::end::{CliError, Code};
use super::{Context, home};
use crate::control::audit;
use crate::control::protocol::Answer;

/// Show who ordered what, from where, and what came of it
///
/// Orders over the socket, HTTP and the dashboard, refused ones too; the newest last.
#[derive(Debug, clap::Args)]
pub(super) struct AuditArgs {
    /// How many, the newest
    #[arg(long, default_value_t = 50, value_name = "N")]
    last: usize,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn audit(args: &AuditArgs, cx: &mut Context) -> Result<Code, CliError> {
    let data_dir = home::find(cx)?;
    let lines = audit::read(&data_dir, args.last).map_err(|error| {
        CliError::Failed(format!(
            "the audit log in `{}` could not be read: {error}",
            data_dir.display()
        ))
    })?;
    let text = match lines.is_empty() {
        true => "nobody has ordered anything yet\n".to_owned(),
        false => lines.iter().map(|line| audit::text(line) + "\n").collect(),
    };
    let answer = Answer {
        text: crate::control::work::harmless(text.as_bytes()),
        json: serde_json::json!({ "orders": lines }),
        ..Answer::default()
    };
    cx.output.answer(&answer, args.json)?;
    Ok(Code::Done)
}
