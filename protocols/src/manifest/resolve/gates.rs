//! Gates: what the file says, and the five that are on without being written.
//!
//! A gate that nothing measures is wanted and *not measured*; only `false` switches it off.

use crate::ids::Name;
use crate::sprint::{Check, GateSpec, Judge};
use crate::time::Span;

use super::super::errors::{Words, quote};
use super::super::tree::{Node, Value};
use super::{Reading, duration, run, small, texts};

/// When a gate's command is given up, unless the file says otherwise.
pub(in crate::manifest) const TIMEOUT: Span = Span::minutes(15);
/// How often findings go back to the author, unless the file says otherwise.
pub(in crate::manifest) const ROUNDS: u32 = 3;
/// The least that has to be covered, unless the file says otherwise, in percent.
pub(in crate::manifest) const LEAST: f64 = 80.0;
/// Who is asked where `by` says so.
pub(in crate::manifest) const PERSON: &str = "person";

/// The gates that are on, and what would have to measure them.
const USUAL: [(&str, &str); 5] = [
    ("tests", "a command that runs the tests"),
    ("review", "a review by an agent or a person"),
    ("docs", "a check that the documentation is up to date"),
    ("coverage", "a command that leaves a coverage file behind"),
    (
        "acceptance",
        "each acceptance criterion answered with evidence",
    ),
];

/// The sprint's gates: the file's in its order, then the usual ones that it does not mention.
pub(super) fn of_sprint(node: Option<&Node<'_>>, reading: &mut Reading<'_>) -> Vec<GateSpec> {
    let mut gates = written(node, "gates", reading);
    let commands = gates
        .iter()
        .any(|gate| matches!(gate.check, Check::Command { .. }));
    for (name, wanted) in USUAL {
        let mentioned = node.is_some_and(|node| node.field(name).is_some());
        if mentioned {
            continue;
        }
        let check = unmentioned(name, wanted, commands);
        if let Ok(name) = Name::new(name) {
            gates.push(GateSpec { name, check });
        }
    }
    gates
}

/// A usual gate that the file does not mention, in a sprint whose gates have commands or not.
fn unmentioned(name: &str, wanted: &str, commands: bool) -> Check {
    match name {
        // Any of the commands may leave a file.
        "coverage" if commands => coverage(LEAST, Vec::new()),
        "acceptance" => Check::Acceptance { strict: false },
        _ => Check::NotMeasured {
            wanted: wanted.to_owned(),
        },
    }
}

/// The gates that have to be written so that reading gives these: all but the usual ones at the end that are as they are
/// without being mentioned, and the names of usual ones that are not there.
pub(in crate::manifest) fn to_write(gates: &[GateSpec]) -> (&[GateSpec], Vec<&'static str>) {
    let is_there = |name: &str| gates.iter().any(|gate| gate.name.as_str() == name);
    let missing = USUAL.map(|(name, _)| name).into_iter();
    let missing = missing.filter(|name| !is_there(name)).collect();
    for written in 0..gates.len() {
        let (mentioned, rest) = gates.split_at(written);
        let commands = mentioned
            .iter()
            .any(|gate| matches!(gate.check, Check::Command { .. }));
        let usual = USUAL.iter().filter(|(name, _)| {
            is_there(name) && !mentioned.iter().any(|gate| gate.name.as_str() == *name)
        });
        let usual = usual.map(|(name, wanted)| (*name, unmentioned(name, wanted, commands)));
        if usual.eq(rest
            .iter()
            .map(|gate| (gate.name.as_str(), gate.check.clone())))
        {
            return (mentioned, missing);
        }
    }
    (gates, missing)
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

/// The judges of these gates have to be there: reported where the team does not have them.
pub(super) fn known_judges(
    node: Option<&Node<'_>>,
    at: &str,
    reading: &mut Reading<'_>,
    is_role: &dyn Fn(&str) -> bool,
) {
    for entry in node.map_or(&[][..], Node::entries) {
        let Some(by) = entry.node.field("by") else {
            continue;
        };
        if let Some(word) = by.text()
            && word != PERSON
            && !is_role(word)
        {
            reading.problems.add(&by.at, || {
                Words::new(
                    format!("nobody fills the role {}", quote(word)),
                    format!("{at}.{}.by", entry.key),
                )
                .help("name a role of the team, or `person`")
            });
        }
    }
}

fn check(name: &Name, node: &Node<'_>, at: &str, reading: &mut Reading<'_>) -> Option<Check> {
    let is_share = name.as_str() == "coverage";
    match &node.value {
        Value::Flag(false) => Some(Check::Off),
        Value::Flag(true) if is_share => Some(coverage(LEAST, Vec::new())),
        Value::Flag(true) if name.as_str() == "acceptance" => {
            Some(Check::Acceptance { strict: true })
        }
        Value::Flag(true) => {
            let usual = USUAL.iter().find(|(usual, _)| *usual == name.as_str());
            let wanted = usual.map_or("a command that measures it", |(_, wanted)| wanted);
            let wanted = wanted.to_owned();
            Some(Check::NotMeasured { wanted })
        }
        Value::Whole(_) | Value::Number(_) if is_share => {
            Some(coverage(node.number()?, Vec::new()))
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
        Value::Table(_) => table(name, node, at, reading),
        Value::Date(_) | Value::Null => None,
    }
}

fn table(name: &Name, node: &Node<'_>, at: &str, reading: &mut Reading<'_>) -> Option<Check> {
    let command = node.field("run").and_then(run);
    if let Some(by) = node.field("by").and_then(Node::text) {
        let by = match by {
            PERSON => Judge::Person,
            role => Judge::Role {
                role: Name::new(role).ok()?,
                run: command,
            },
        };
        return Some(Check::Judge {
            by,
            rounds_max: small(node.field("rounds")).unwrap_or(ROUNDS),
        });
    }
    if let Some(run) = command {
        return Some(Check::Command {
            run,
            timeout: duration(node.field("timeout")).unwrap_or(TIMEOUT),
        });
    }
    if name.as_str() == "coverage" {
        let least = node.field("least").and_then(Node::number).unwrap_or(LEAST);
        return Some(coverage(
            least,
            texts(node.field("files")).unwrap_or_default(),
        ));
    }
    // A `run` or `by` of the wrong type is reported already.
    if node.field("run").is_none() && node.field("by").is_none() {
        reading.problems.add(&node.at, || {
            let message = format!(
                "nothing says how the gate {} is measured",
                quote(name.as_str())
            );
            Words::new(message, format!("{at}.{name}"))
                .help("add `run`, a command, or `by`, a role or \"person\"")
        });
    }
    None
}

/// Percent to hundredths of one.
fn coverage(least: f64, files: Vec<String>) -> Check {
    Check::Coverage {
        least: (least.clamp(0.0, 100.0) * 100.0).round() as u32,
        files,
    }
}
