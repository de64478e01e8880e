//! A sprint file with some keys changed, for questions of the kind "what if".
//!
//! A change is `KEY=VALUE` with the keys of the file: `team.test-engineer.count=2`, `task.login.hours=3`,
//! `limits.attempts=5`. The file is read, changed and checked again as a whole, so a change can be anything that the file
//! could say, and a mistake in it is named like one in the file.
//!
//! Elsewhere: what the answers are is the simulation's.

use serde_json::{Map, Value};

use super::errors::did_you_mean;
use super::{Format, Manifest, ManifestErrors, Options, parse};
use crate::sprint::SprintSpec;

/// One key with another value.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The key, with dots between its parts.
    pub key: String,
    /// The value: as TOML has it, or a text where it is nothing in TOML.
    pub value: Value,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// Why a change cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It is not `KEY=VALUE`.
    #[error(
        "`{text}` is not a change; write KEY=VALUE with a key of the sprint file, such as team.test-engineer.count=2"
    )]
    Shape {
        /// As given.
        text: String,
    },
    /// Its key names nothing.
    #[error("`{key}` names nothing in this sprint: there is no {what} `{name}`{hint}")]
    Unknown {
        /// The key.
        key: String,
        /// A role, a task or a table.
        what: &'static str,
        /// The part that is unknown.
        name: String,
        /// What it may have been meant to be.
        hint: String,
    },
    /// Two changes of one key.
    #[error("`{one}` and `{other}` contradict each other; ask for one of them")]
    Contradiction {
        /// The first.
        one: String,
        /// The second.
        other: String,
    },
    /// The file itself cannot be read.
    #[error("{0}")]
    File(String),
    /// The changed file is not a sprint.
    #[error(transparent)]
    Sprint(#[from] ManifestErrors),
}

impl Change {
    /// Reads `KEY=VALUE`.
    ///
    /// # Errors
    /// [`ChangeError::Shape`].
    pub fn parse(text: &str) -> Result<Self, ChangeError> {
        let shape = || ChangeError::Shape {
            text: text.to_owned(),
        };
        let (key, value) = text.split_once('=').ok_or_else(shape)?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || value.is_empty() || key.split('.').any(str::is_empty) {
            return Err(shape());
        }
        Ok(Self {
            key: key.to_owned(),
            value: value_of(value),
        })
    }
}

/// A value of TOML, or the text itself.
fn value_of(text: &str) -> Value {
    let table: Result<toml::Table, _> = toml::from_str(&format!("value = {text}"));
    match table {
        Ok(table) if table.len() == 1 => table.get("value").map_or(Value::Null, plain),
        _ => Value::String(text.to_owned()),
    }
}

/// Refuses changes that contradict each other.
///
/// # Errors
/// [`ChangeError::Contradiction`] with the two.
pub fn consistent(changes: &[Change]) -> Result<(), ChangeError> {
    for (place, one) in changes.iter().enumerate() {
        for other in &changes[place + 1..] {
            let inside =
                |a: &str, b: &str| b.strip_prefix(a).is_some_and(|rest| rest.starts_with('.'));
            let same = one.key == other.key && one.value != other.value;
            if same || inside(&one.key, &other.key) || inside(&other.key, &one.key) {
                return Err(ChangeError::Contradiction {
                    one: one.to_string(),
                    other: other.to_string(),
                });
            }
        }
    }
    Ok(())
}

/// The sprint of `text` with `changes` made; `base` is the sprint without them.
///
/// # Errors
/// [`ChangeError`] when a change names nothing, or the changed file is not a sprint.
pub fn vary(
    text: &str,
    origin: &str,
    format: Format,
    options: &Options<'_>,
    base: &SprintSpec,
    changes: &[Change],
) -> Result<Manifest, ChangeError> {
    consistent(changes)?;
    let mut root = tree(text, format).map_err(ChangeError::File)?;
    for change in changes {
        let path = path(change, base)?;
        set(&mut root, &path, change)?;
    }
    let changed = serde_json::to_string_pretty(&root)
        .map_err(|error| ChangeError::File(error.to_string()))?;
    let names: Vec<String> = changes.iter().map(Change::to_string).collect();
    let origin = format!("{origin} with {}", names.join(", "));
    Ok(parse(&changed, &origin, Format::Json, options)?)
}

/// The text of a TOML or JSON file as plain values; dates are texts.
///
/// # Errors
/// What the parser says.
pub fn tree(text: &str, format: Format) -> Result<Value, String> {
    match format {
        Format::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        Format::Toml => {
            let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
            Ok(plain(&toml::Value::Table(table)))
        }
    }
}

fn plain(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        toml::Value::Table(table) => Value::Object(
            table
                .iter()
                .map(|(key, value)| (key.clone(), plain(value)))
                .collect(),
        ),
    }
}

/// The parts of a key. Names of tasks and roles may have dots in them, so the longest that is known is taken.
fn path(change: &Change, base: &SprintSpec) -> Result<Vec<String>, ChangeError> {
    let (first, rest) = change.key.split_once('.').unwrap_or((&change.key, ""));
    let names: Vec<&str> = match first {
        "task" => base.tasks.iter().map(|task| task.id.as_str()).collect(),
        "team" => base.team.iter().map(|role| role.name.as_str()).collect(),
        _ => return Ok(change.key.split('.').map(str::to_owned).collect()),
    };
    if first == "team" && rest == "only" {
        return Ok(vec![first.to_owned(), rest.to_owned()]);
    }
    let known = names
        .iter()
        .filter(|name| {
            rest == **name
                || rest
                    .strip_prefix(**name)
                    .is_some_and(|rest| rest.starts_with('.'))
        })
        .max_by_key(|name| name.len());
    let Some(name) = known else {
        let name = rest.rsplit_once('.').map_or(rest, |(name, _)| name);
        return Err(ChangeError::Unknown {
            key: change.key.clone(),
            what: if first == "task" { "task" } else { "role" },
            name: name.to_owned(),
            hint: match did_you_mean(name, &names) {
                meant if meant.is_empty() => meant,
                meant => format!("; {meant}"),
            },
        });
    };
    let mut parts = vec![first.to_owned(), (*name).to_owned()];
    let keys = rest[name.len()..]
        .split('.')
        .filter(|part| !part.is_empty());
    parts.extend(keys.map(str::to_owned));
    if parts.len() == 2 {
        return Err(ChangeError::Shape {
            text: change.to_string(),
        });
    }
    Ok(parts)
}

fn set(root: &mut Value, path: &[String], change: &Change) -> Result<(), ChangeError> {
    let wrong = |what: &'static str, name: &str| ChangeError::Unknown {
        key: change.key.clone(),
        what,
        name: name.to_owned(),
        hint: String::new(),
    };
    let (last, tables) = path.split_last().ok_or_else(|| wrong("key", ""))?;
    let mut here = root;
    for part in tables {
        here = match here {
            Value::Array(items) => items
                .iter_mut()
                .find(|item| item.get("id").and_then(Value::as_str) == Some(part))
                .ok_or_else(|| wrong("task", part))?,
            Value::Object(table) => table
                .entry(part.clone())
                .or_insert_with(|| Value::Object(Map::new())),
            _ => return Err(wrong("table", part)),
        };
    }
    let Value::Object(table) = here else {
        return Err(wrong("table", last));
    };
    // One of the two ways to write an estimate replaces the other.
    match last.as_str() {
        "hours" => drop(table.remove("estimate")),
        "estimate" => drop(table.remove("hours")),
        _ => {}
    }
    table.insert(last.clone(), change.value.clone());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Purpose;
    use crate::time::Span;

    const FILE: &str = "[sprint]\nid = \"s\"\nstart = 2026-11-23\n[team]\nonly = true\n[team.test-engineer]\nkinds = [\"*\"]\n[[task]]\nid = \"v1.2\"\nhours = 2\n[[task]]\nid = \"b\"\nestimate = { optimistic = 1, likely = 2, pessimistic = 4 }\n";

    fn varied(changes: &[&str]) -> Result<SprintSpec, ChangeError> {
        let options = Options {
            purpose: Purpose::Plan,
            ..Options::default()
        };
        let base = parse(FILE, "s.toml", Format::Toml, &options)
            .expect("reads")
            .spec;
        let changes: Vec<Change> = changes
            .iter()
            .map(|text| Change::parse(text))
            .collect::<Result<_, _>>()?;
        vary(FILE, "s.toml", Format::Toml, &options, &base, &changes).map(|manifest| manifest.spec)
    }

    #[test]
    fn any_key_can_be_changed() {
        let spec = varied(&[
            "team.test-engineer.count=3",
            "task.v1.2.hours = 5",
            "task.b.estimate={ optimistic = 2, likely = 3, pessimistic = 9 }",
            "task.b.priority=high",
            "limits.attempt_time=3h",
        ])
        .expect("is a sprint");
        assert_eq!(spec.team[0].count, 3);
        assert_eq!(spec.tasks[0].estimate.likely, Span::hours(5));
        assert_eq!(spec.tasks[1].estimate.pessimistic, Span::hours(9));
        assert_eq!(spec.tasks[1].priority, crate::sprint::Priority::High);
        assert_eq!(spec.policy.attempt_time, Span::hours(3));
        assert_eq!(spec.start.as_deref(), Some("2026-11-23"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (changes, said) in [
            (vec!["team.test-engineer"], "is not a change"),
            (vec!["=3"], "is not a change"),
            (vec!["team..count=3"], "is not a change"),
            (
                vec!["team.tset-engineer.count=3"],
                "no role `tset-engineer`",
            ),
            (vec!["task.c.hours=3"], "no task `c`"),
            (vec!["team.test-engineer.cuont=3"], "cuont"),
            (vec!["team.test-engineer.count=many"], "count"),
            (vec!["task.b.hours=1", "task.b.hours=2"], "contradict"),
            (
                vec!["task.b.estimate=1", "task.b.estimate.likely=2"],
                "contradict",
            ),
        ] {
            let error = varied(&changes).expect_err("makes no sense").to_string();
            assert!(error.contains(said), "{changes:?}: {error}");
        }
    }
}
