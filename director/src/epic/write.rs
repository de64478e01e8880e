//! A planned sprint as a sprint file, with the team, agents and gates as the epic's file has them.

use director_protocols::manifest::Format;
use director_protocols::sprint::{Class, Priority, SprintSpec, TaskSpec};
use serde_json::Value as Json;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

/// Tables of the epic's file that its sprints have too.
const SHARED: [&str; 3] = ["team", "agent", "gates"];

/// The text of a sprint file.
///
/// # Errors
/// What is wrong with `epic`, the text of the epic's file: it was no TOML or JSON after all.
pub fn sprint_file(sprint: &SprintSpec, epic: &str, format: Format) -> Result<String, String> {
    let mut doc = DocumentMut::new();
    let mut head = Table::new();
    head.insert("id", value(sprint.id.as_str()));
    for (key, text) in [
        ("epic", &sprint.epic),
        ("start", &sprint.start),
        ("end", &sprint.end),
        ("repo", &sprint.repo),
        ("base", &sprint.base),
    ] {
        if let Some(text) = text {
            head.insert(key, value(text.as_str()));
        }
    }
    let hours = sprint.day.as_hours();
    if hours != 8.0 {
        head.insert("hours_per_day", number(hours));
    }
    doc.insert("sprint", Item::Table(head));
    for (key, item) in shared(epic, format)? {
        doc.insert(key, item);
    }
    let mut tasks = ArrayOfTables::new();
    for spec in &sprint.tasks {
        tasks.push(task(spec));
    }
    doc.insert("task", Item::ArrayOfTables(tasks));
    Ok(doc.to_string())
}

fn shared(epic: &str, format: Format) -> Result<Vec<(&'static str, Item)>, String> {
    let epic = epic.strip_prefix('\u{feff}').unwrap_or(epic);
    Ok(match format {
        Format::Toml => {
            let doc: DocumentMut = epic.parse().map_err(|error| format!("{error}"))?;
            let item = |key: &'static str| Some((key, doc.get(key)?.clone()));
            SHARED.into_iter().filter_map(item).collect()
        }
        Format::Json => {
            let root: Json = serde_json::from_str(epic).map_err(|error| error.to_string())?;
            let item = |key: &'static str| Some((key, Item::Value(of_json(root.get(key)?)?)));
            SHARED.into_iter().filter_map(item).collect()
        }
    })
}

/// A value of JSON as one of TOML; `null` has none.
fn of_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(flag) => (*flag).into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::Array(items.iter().filter_map(of_json).collect::<Array>()),
        Json::Object(map) => {
            let entries = map
                .iter()
                .filter_map(|(key, json)| Some((key.as_str(), of_json(json)?)));
            Value::InlineTable(entries.collect::<InlineTable>())
        }
    })
}

fn number(n: f64) -> Item {
    match n.fract() == 0.0 {
        true => value(n as i64),
        false => value((n * 100.0).round() / 100.0),
    }
}

fn task(spec: &TaskSpec) -> Table {
    let mut table = Table::new();
    let mut text = |key: &str, text: &str| {
        table.insert(key, value(text));
    };
    text("id", spec.id.as_str());
    text("title", &spec.title);
    text("kind", &spec.kind);
    text("role", spec.role.as_str());
    text("feature", spec.feature.as_str());
    if spec.priority != Priority::Normal {
        text("priority", spec.priority.as_str());
    }
    match spec.class {
        Class::Feature => {}
        Class::Debt => text("class", "debt"),
        Class::Infrastructure => text("class", "infrastructure"),
    }
    for (key, place) in [("spec", &spec.spec), ("design", &spec.design)] {
        if let Some(place) = place {
            text(key, place);
        }
    }
    table.insert("points", value(i64::from(spec.points)));
    let estimate = &spec.estimate;
    let mut three = InlineTable::new();
    for (key, span) in [
        ("optimistic", estimate.optimistic),
        ("likely", estimate.likely),
        ("pessimistic", estimate.pessimistic),
    ] {
        if let Item::Value(hours) = number(span.as_hours()) {
            three.insert(key, hours);
        }
    }
    table.insert("estimate", value(three));
    for (key, list) in [
        (
            "depends_on",
            spec.depends_on
                .iter()
                .map(|id| id.as_str())
                .collect::<Vec<_>>(),
        ),
        (
            "acceptance",
            spec.acceptance.iter().map(String::as_str).collect(),
        ),
        (
            "test_requirements",
            spec.test_requirements.iter().map(String::as_str).collect(),
        ),
        (
            "deployment_requirements",
            spec.deployment_requirements
                .iter()
                .map(String::as_str)
                .collect(),
        ),
    ] {
        if !list.is_empty() {
            table.insert(key, value(list.into_iter().collect::<Array>()));
        }
    }
    if !spec.description.is_empty() {
        table.insert("description", value(spec.description.as_str()));
    }
    table
}
