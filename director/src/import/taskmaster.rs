//! Task Master: `.taskmaster/tasks/tasks.json`, with tags or in its older form without.
//!
//! Ids are numbers or texts and belong to their tag; a subtask's is local to its task. A subtask's `2` is its sibling where there is one, else the
//! task 2; `4.2` is a subtask wherever it stands.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fields::{Fields, text};
use super::words::{lines, priority};
use super::{Backlog, Item, Need, State};

pub(super) fn read(text: &str, tags: &[String]) -> Result<Backlog, String> {
    let root: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let root = root
        .as_object()
        .ok_or("it is no object with tags or `tasks`")?;
    let mut backlog = Backlog::default();
    // The older form has its tasks at the top.
    if let Some(tasks) = root.get("tasks").and_then(Value::as_array) {
        tag("", tasks, &mut backlog)?;
        return Ok(backlog);
    }
    let found: Vec<&String> = root
        .iter()
        .filter(|(_, of)| of.get("tasks").is_some())
        .map(|(tag, _)| tag)
        .collect();
    let names = || {
        found
            .iter()
            .map(|tag| tag.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    if found.is_empty() {
        return Err("it has neither tags with `tasks` nor `tasks`".to_owned());
    }
    if let Some(unknown) = tags.iter().find(|tag| !found.contains(tag)) {
        return Err(format!("it has no tag `{unknown}`; it has {}", names()));
    }
    let wanted: Vec<&String> = match tags {
        [] => found.clone(),
        _ => found
            .iter()
            .copied()
            .filter(|tag| tags.contains(tag))
            .collect(),
    };
    if tags.is_empty() && found.len() > 1 {
        backlog.notes.push(format!(
            "all {} tags are taken: {}; `--tag` takes one",
            found.len(),
            names()
        ));
    }
    for name in wanted {
        let tasks = root
            .get(name)
            .and_then(|of: &Value| of.get("tasks")?.as_array());
        tag(name, tasks.map_or(&[], Vec::as_slice), &mut backlog)?;
    }
    Ok(backlog)
}

/// Reads the tasks of one tag. The tag `master` and the older form need no prefix.
fn tag(name: &str, tasks: &[Value], backlog: &mut Backlog) -> Result<(), String> {
    let prefix = match name {
        "" | "master" => String::new(),
        name => format!("{name}:"),
    };
    let mut known = BTreeMap::new();
    for task in tasks {
        let id = unlike(
            id_of(task).ok_or("a task has no `id`")?,
            &prefix,
            &mut known,
            backlog,
        );
        let siblings = BTreeSet::new();
        let resolve = |need: &str| local(need, "", &siblings);
        let (item, parts) = item(task, &prefix, &id, None, &resolve, backlog)?;
        backlog.items.push(item);
        let siblings: BTreeSet<String> = parts
            .iter()
            .filter_map(id_of)
            .map(|id| last(&id).to_owned())
            .collect();
        for part in parts {
            let own = id_of(part).ok_or("a subtask has no `id`")?;
            let own = format!("{id}.{}", last(&own));
            let own = unlike(own, &prefix, &mut known, backlog);
            let resolve = |need: &str| local(need, &id, &siblings);
            let (mut item, deeper) = self::item(part, &prefix, &own, Some(&id), &resolve, backlog)?;
            if !deeper.is_empty() {
                item.acceptance
                    .extend(deeper.iter().filter_map(|part| text(part.get("title")?)));
                backlog.notes.push(format!(
                    "{prefix}{own} has subtasks of its own; they became its criteria"
                ));
            }
            backlog.items.push(item);
        }
    }
    Ok(())
}

/// An id that no other has: from the second of its name on, its number among them stands behind it.
fn unlike(
    id: String,
    prefix: &str,
    known: &mut BTreeMap<String, usize>,
    backlog: &mut Backlog,
) -> String {
    let count = known.entry(id.clone()).or_default();
    *count += 1;
    match count {
        1 => return id,
        2 => backlog.notes.push(format!(
            "the id {prefix}{id} is there more than once; those are told apart by their order"
        )),
        _ => {}
    }
    format!("{id}#{count}")
}

/// Where an id that is named in a task or subtask leads.
fn local(need: &str, task: &str, siblings: &BTreeSet<String>) -> String {
    match need.contains('.') || !siblings.contains(need) {
        true => need.to_owned(),
        false => format!("{task}.{need}"),
    }
}

fn id_of(task: &Value) -> Option<String> {
    text(task.get("id")?).filter(|id| !id.is_empty())
}

/// The last part of an id; some versions write `4.2` where a subtask's id is `2`.
fn last(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or(id)
}

fn item<'v>(
    task: &'v Value,
    prefix: &str,
    id: &str,
    parent: Option<&str>,
    resolve: &dyn Fn(&str) -> String,
    backlog: &mut Backlog,
) -> Result<(Item, &'v [Value]), String> {
    let mut fields = Fields::of(task).ok_or("a task is no object")?;
    let mut description = fields.text("description");
    let details = fields.text("details");
    if !details.trim().is_empty() {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(details.trim());
    }
    let status = fields.text("status");
    let mut item = Item {
        id: format!("{prefix}{id}"),
        title: fields.text("title"),
        description,
        state: match status.as_str() {
            "done" | "completed" => State::Done,
            "cancelled" => State::Dropped,
            _ => State::Open,
        },
        priority: priority(&fields.text("priority")),
        points: fields.number("complexity"),
        parent: parent.map(|parent| format!("{prefix}{parent}")),
        ..Item::default()
    };
    if status == "deferred" {
        item.priority = Some(director_protocols::sprint::Priority::Low);
    }
    let needs = fields.list("dependencies").iter().filter_map(text);
    item.needs
        .extend(needs.map(|need| Need::firm(format!("{prefix}{}", resolve(&need)))));
    let strategy = fields.text("testStrategy");
    item.tests
        .extend((!strategy.trim().is_empty()).then(|| strategy.trim().to_owned()));
    if let Some(criteria) = fields.take("acceptanceCriteria") {
        item.acceptance = match criteria {
            Value::Array(all) => all.iter().filter_map(text).collect(),
            other => lines(&text(other).unwrap_or_default()),
        };
    }
    fields.take("id");
    fields.ignore(&[
        "parentTaskId",
        "parentId",
        "parentTask",
        "isSubtask",
        "updatedAt",
        "previousStatus",
    ]);
    let parts = fields.list("subtasks");
    fields.rest(&mut backlog.dropped);
    Ok((item, parts))
}
