//! Linear: issues as its API gives them in JSON, or its CSV export.
//!
//! The export has no relations between issues, which is said.

use std::collections::BTreeMap;

use director_protocols::sprint::Priority;
use serde_json::Value;

use super::fields::{Fields, inner, list};
use super::jira::{Sheet, Table};
use super::words::priority;
use super::{Backlog, Item, Need, State};

pub(super) fn read(text: &str) -> Result<Backlog, String> {
    match text.trim_start().starts_with(['[', '{']) {
        true => json(text),
        false => csv(text),
    }
}

fn json(text: &str) -> Result<Backlog, String> {
    let root: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let inside = root.get("data").unwrap_or(&root);
    let issues = list(inside.get("issues").unwrap_or(inside));
    if issues.is_empty() && !root.is_array() {
        return Err("it has no `issues` with `nodes`, and is no list of issues".to_owned());
    }
    let mut backlog = Backlog::default();
    let name = |issue: Option<&Value>| inner(issue, "identifier").or_else(|| inner(issue, "id"));
    let mut blocks: Vec<(String, String)> = Vec::new();
    for issue in issues {
        let id = name(Some(issue)).ok_or("an issue has neither `identifier` nor `id`")?;
        let mut fields = Fields::of(issue).ok_or("an entry is no issue")?;
        let state = fields.take("state");
        let mut item = Item {
            title: fields.text("title"),
            description: fields.text("description"),
            state: match inner(state, "type").unwrap_or_default().as_str() {
                "completed" => State::Done,
                "canceled" | "cancelled" | "duplicate" => State::Dropped,
                _ => State::Open,
            },
            priority: match fields.number("priority") {
                Some(1.0) => Some(Priority::Critical),
                Some(2.0) => Some(Priority::High),
                Some(3.0) => Some(Priority::Normal),
                Some(4.0) => Some(Priority::Low),
                _ => None,
            },
            points: fields.number("estimate"),
            link: Some(fields.text("url")).filter(|url| !url.is_empty()),
            labels: fields
                .list("labels")
                .iter()
                .filter_map(|label| inner(Some(label), "name"))
                .collect(),
            parent: name(fields.take("parent")),
            id,
            ..Item::default()
        };
        for relation in fields.list("relations") {
            match (
                inner(Some(relation), "type").as_deref(),
                name(relation.get("relatedIssue")),
            ) {
                (Some("blocks"), Some(other)) => blocks.push((other, item.id.clone())),
                (Some(other), _) => {
                    *backlog
                        .dropped
                        .entry(format!("relations ({other})"))
                        .or_default() += 1
                }
                (None, _) => {}
            }
        }
        for relation in fields.list("inverseRelations") {
            if let (Some("blocks"), Some(other)) = (
                inner(Some(relation), "type").as_deref(),
                name(relation.get("issue")),
            ) {
                item.needs.push(Need::firm(other));
            }
        }
        fields.ignore(&[
            "id",
            "identifier",
            "createdAt",
            "updatedAt",
            "branchName",
            "team",
            "number",
        ]);
        fields.rest(&mut backlog.dropped);
        backlog.items.push(item);
    }
    // Relations may name an issue by either of its ids.
    let names: BTreeMap<String, String> = issues
        .iter()
        .filter_map(|issue| Some((inner(Some(issue), "id")?, name(Some(issue))?)))
        .collect();
    let known = |id: String| names.get(&id).cloned().unwrap_or(id);
    for item in &mut backlog.items {
        let blockers = blocks
            .iter()
            .filter(|(blocked, _)| known(blocked.clone()) == item.id);
        let blockers: Vec<_> = blockers
            .map(|(_, blocker)| Need::firm(blocker.clone()))
            .collect();
        item.needs.extend(blockers);
        for need in &mut item.needs {
            need.id = known(std::mem::take(&mut need.id));
        }
        item.parent = item.parent.take().map(known);
    }
    Ok(backlog)
}

fn csv(text: &str) -> Result<Backlog, String> {
    let mut table = Table::read(text)?;
    let columns = |names: &[&str]| table_columns(&table.head, names);
    let [
        id,
        title,
        description,
        status,
        estimate,
        importance,
        labels,
        parent,
    ] = [
        columns(&["id", "identifier"]),
        columns(&["title"]),
        columns(&["description"]),
        columns(&["status", "state"]),
        columns(&["estimate"]),
        columns(&["priority"]),
        columns(&["labels"]),
        columns(&["parent issue", "parent"]),
    ];
    if id.is_empty() || title.is_empty() {
        return Err("the table has no columns `ID` and `Title`".to_owned());
    }
    let mut backlog = Backlog::default();
    for row in &table.rows {
        let sheet = Sheet { row };
        let word = sheet.first(&status).to_lowercase();
        backlog.items.push(Item {
            id: sheet.first(&id).to_owned(),
            title: sheet.first(&title).to_owned(),
            description: sheet.first(&description).to_owned(),
            state: match word.as_str() {
                "done" | "completed" | "released" | "merged" => State::Done,
                "canceled" | "cancelled" | "duplicate" => State::Dropped,
                _ => State::Open,
            },
            points: sheet.first(&estimate).parse().ok(),
            priority: priority(sheet.first(&importance)),
            labels: sheet
                .all(&labels)
                .flat_map(|text| text.split(','))
                .map(|label| label.trim().to_owned())
                .filter(|label| !label.is_empty())
                .collect(),
            parent: Some(sheet.first(&parent).to_owned()).filter(|id| !id.is_empty()),
            ..Item::default()
        });
    }
    for used in [
        id,
        title,
        description,
        status,
        estimate,
        importance,
        labels,
        parent,
    ] {
        table.taken.extend(used);
    }
    table.ignore(&["team", "created", "updated"]);
    table.rest(&mut backlog.dropped);
    backlog.notes.push(
        "Linear's CSV has no relations: nothing waits for anything; its API's JSON has them (`relations`)".to_owned(),
    );
    Ok(backlog)
}

fn table_columns(head: &[String], names: &[&str]) -> Vec<usize> {
    let wanted = |(_, name): &(usize, &String)| names.contains(&name.as_str());
    head.iter()
        .enumerate()
        .filter(wanted)
        .map(|(at, _)| at)
        .collect()
}
