//! `director send`: an outside party's event.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use director_protocols::outside::{NAMES, Outside};
use serde_json::{Value, json};

use super::end::{CliError, Code};
use super::source::{self, who};
use super::{Context, Which};
use crate::control::protocol::Order;

/// Send an outside party's event
///
/// agent_task_completed, agent_blocked, qa_testing_required, devops_deployment_ready, product_requirements_changed,
/// critical_bug_discovered: each does something, or says why it does not.
#[derive(Debug, clap::Args)]
pub(super) struct SendArgs {
    /// The event's name
    event: String,
    /// A file with its fields as one JSON object; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    json: PathBuf,
    #[command(flatten)]
    which: Which,
}

pub(super) fn send(args: SendArgs, cx: &mut Context) -> Result<Code, CliError> {
    let SendArgs { event, json, which } = args;
    if !NAMES.contains(&event.as_str()) {
        return Err(CliError::Input(format!(
            "there is no event `{}`; there are {}",
            event.escape_debug(),
            NAMES.join(", ")
        )));
    }
    let text = read(&json)?;
    let fields: Value = serde_json::from_str(&text)
        .map_err(|error| CliError::Input(format!("{}: {error}", json.display())))?;
    let what: Outside = serde_json::from_value(json!({ &event: fields }))
        .map_err(|error| CliError::Input(format!("{}: {event}: {error}", json.display())))?;
    let order = Order::Send {
        sprint: which.sprint,
        what: Box::new(what),
        by: who(),
    };
    source::order(order, cx)?;
    Ok(Code::Done)
}

/// The longest file of an event's fields, in bytes.
const FIELDS_BYTES_MAX: u64 = 512 << 10;

fn read(path: &Path) -> Result<String, CliError> {
    let named = |error: std::io::Error| CliError::Input(format!("{}: {error}", path.display()));
    let most = FIELDS_BYTES_MAX;
    let mut text = String::new();
    let source: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(stdin()),
        false => Box::new(File::open(path).map_err(named)?),
    };
    source
        .take(most + 1)
        .read_to_string(&mut text)
        .map_err(named)?;
    if text.len() as u64 > most {
        return Err(CliError::Input(format!(
            "{}: it is longer than {most} bytes",
            path.display()
        )));
    }
    Ok(text)
}
