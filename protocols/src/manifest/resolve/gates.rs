//! Gates: what the file says, and the five that are on without being written.
//!
//! A gate without a command is wanted and *not measured*; only `false` switches it off.

use crate::ids::Name;
use crate::sprint::{Check, GateSpec};
use crate::time::Span;

use super::super::errors::{Words, quote};
use super::super::tree::{Node, Value};
use super::{Reading, duration, run};

/// When a gate's command is given up, unless the file says otherwise.
const TIMEOUT: Span = Span::minutes(15);

/// The gates that are on, and what would have to measure them.
const USUAL: [(&str, &str); 5] = [
    ("tests", "a command that runs the tests"),
    ("review", "a review by an agent or a person"),
    ("docs", "a check that the documentation is up to date"),
    (
        "coverage",
        "a command that fails when tests cover less than 80 %",
    ),
    (
        "acceptance",
        "each acceptance criterion answered with evidence",
    ),
];

/// The sprint's gates: the file's in its order, then the usual ones that it does not mention.
pub(super) fn of_sprint(node: Option<&Node<'_>>, reading: &mut Reading<'_>) -> Vec<GateSpec> {
    let mut gates = written(node, "gates", reading);
    for (name, wanted) in USUAL {
        let mentioned = node.is_some_and(|node| node.field(name).is_some());
        if !mentioned && let Ok(name) = Name::new(name) {
            let wanted = wanted.to_owned();
            let check = Check::NotMeasured { wanted };
            gates.push(GateSpec { name, check });
        }
    }
    gates
}

/// The gates of a `gates` table, in its order; `at` is the table's key.
pub(super) fn written(
    node: Option<&Node<'_>>,
    at: &str,
    reading: &mut Reading<'_>,
) -> Vec<GateSpec> {
    let entries = node.map_or(&[][..], Node::entries);
    let mut gates = Vec::with_capacity(entries.len());
    for entry in entries {
        let Ok(name) = Name::new(entry.key.as_ref()) else {
            continue;
        };
        if let Some(check) = check(&name, &entry.node, at, reading) {
            gates.push(GateSpec { name, check });
        }
    }
    gates
}

fn check(name: &Name, node: &Node<'_>, at: &str, reading: &mut Reading<'_>) -> Option<Check> {
    match &node.value {
        Value::Flag(false) => Some(Check::Off),
        Value::Flag(true) => {
            let usual = USUAL.iter().find(|(usual, _)| *usual == name.as_str());
            let wanted = usual.map_or("a command that measures it", |(_, wanted)| wanted);
            let wanted = wanted.to_owned();
            Some(Check::NotMeasured { wanted })
        }
        Value::Whole(_) | Value::Number(_) if name.as_str() == "coverage" => {
            let least = node.number()?;
            Some(Check::NotMeasured {
                wanted: format!("a command that fails when tests cover less than {least} %"),
            })
        }
        Value::Whole(_) | Value::Number(_) => {
            reading.problems.add(&node.at, || {
                let message = format!("the gate {} cannot be a number", quote(name.as_str()));
                Words::new(message, format!("{at}.{name}")).help(
                    "only `coverage` takes one, in percent; write a command, \
                     { run = \"...\", timeout = \"15m\" }, true or false",
                )
            });
            None
        }
        Value::Text(_) | Value::List(_) => Some(Check::Command {
            run: run(node)?,
            timeout: TIMEOUT,
        }),
        Value::Table(_) => Some(Check::Command {
            run: node.field("run").and_then(run)?,
            timeout: duration(node.field("timeout")).unwrap_or(TIMEOUT),
        }),
        Value::Date(_) | Value::Null => None,
    }
}
