//! Gates as a file has them, in their order.

use serde::Serialize;

use super::super::resolve::{LEAST, PERSON, ROUNDS, TIMEOUT, to_write};
use super::{Run, duration, run};
use crate::sprint::{Check, GateSpec, Judge};

#[derive(Serialize)]
#[serde(untagged)]
enum Gate {
    Flag(bool),
    Whole(u32),
    Least(f64),
    Run(Run),
    Timed { run: Run, timeout: String },
    Judged(Judged),
    Covered { least: f64, files: Vec<String> },
}

#[derive(Serialize)]
struct Judged {
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rounds: Option<u32>,
}

/// The sprint's gates; nothing where all of them are as they are without being written.
pub(super) fn of_sprint(gates: &[GateSpec]) -> String {
    let (written, missing) = to_write(gates);
    let missing = missing.into_iter().map(|name| (name, Gate::Flag(false)));
    table(
        "gates",
        written
            .iter()
            .map(|spec| (spec.name.as_str(), gate(spec)))
            .chain(missing),
    )
}

/// The gates of the task that was written last.
pub(super) fn of_task(gates: &[GateSpec]) -> String {
    table(
        "task.gates",
        gates.iter().map(|spec| (spec.name.as_str(), gate(spec))),
    )
}

/// A table with a line for each key: tables among the values would go behind the rest, and gates have an order.
fn table<'a>(name: &str, entries: impl Iterator<Item = (&'a str, Gate)>) -> String {
    let mut out = String::new();
    for (key, gate) in entries {
        if out.is_empty() {
            out += &format!("\n[{name}]\n");
        }
        // Names need no quotes, and a value is one line.
        if let Ok(value) = toml::Value::try_from(gate) {
            out += &format!("{key} = {value}\n");
        }
    }
    out
}

fn gate(spec: &GateSpec) -> Gate {
    match &spec.check {
        Check::Off => Gate::Flag(false),
        Check::NotMeasured { .. } => Gate::Flag(true),
        Check::Acceptance { .. } => Gate::Flag(true),
        Check::Command {
            run: command,
            timeout,
        } if *timeout == TIMEOUT => Gate::Run(run(command)),
        Check::Command {
            run: command,
            timeout,
        } => Gate::Timed {
            run: run(command),
            timeout: duration(*timeout),
        },
        Check::Coverage { least, files } => {
            let percent = f64::from(*least) / 100.0;
            match (files.is_empty(), least % 100) {
                (true, _) if percent == LEAST => Gate::Flag(true),
                (true, 0) => Gate::Whole(least / 100),
                (true, _) => Gate::Least(percent),
                (false, _) => Gate::Covered {
                    least: percent,
                    files: files.clone(),
                },
            }
        }
        Check::Judge { by, rounds_max } => Gate::Judged(Judged {
            by: match by {
                Judge::Person => PERSON.to_owned(),
                Judge::Role { role, .. } => role.to_string(),
            },
            run: match by {
                Judge::Person => None,
                Judge::Role { run: command, .. } => command.as_ref().map(run),
            },
            rounds: (*rounds_max != ROUNDS).then_some(*rounds_max),
        }),
    }
}
