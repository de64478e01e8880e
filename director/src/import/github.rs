//! GitHub: what `gh issue list --json number,title,body,…` prints.
//!
//! Newer versions of `gh` say who blocks whom (`blockedBy`, `blocking`, `parent`, `subIssues`); what older ones leave out is read from the
//! issue's text: "blocked by #12", "depends on #12", and task lists that name issues.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fields::{Fields, inner};
use super::words::{priority, prose};
use super::{Backlog, Item, Need, State};

pub(super) fn read(text: &str) -> Result<Backlog, String> {
    let root: Value = serde_json::from_str(text).map_err(|error| {
        format!(
            "{error}; give it what `gh issue list --json number,title,body,state,labels` prints"
        )
    })?;
    let issues = match &root {
        Value::Array(issues) => issues.as_slice(),
        Value::Object(_) if root.get("number").is_some() => std::slice::from_ref(&root),
        _ => return Err("it is no list of issues".to_owned()),
    };
    let mut backlog = Backlog::default();
    let mut numbers = BTreeSet::new();
    let mut parts: Vec<(u64, u64)> = Vec::new();
    let mut blocking: Vec<(u64, u64)> = Vec::new();
    for issue in issues {
        let Some(mut fields) = Fields::of(issue) else {
            return Err("an entry of the list is no issue".to_owned());
        };
        let Some(number) = fields.take("number").and_then(Value::as_u64) else {
            return Err(
                "an issue has no `number`; ask for it: `gh issue list --json number,…`".to_owned(),
            );
        };
        let body = fields.text("body");
        let said = prose(&body);
        let explicit = here(fields.list("blockedBy"), issue, &mut backlog.notes, number);
        let mut item = Item {
            id: number.to_string(),
            title: fields.text("title"),
            link: fields
                .take("url")
                .and_then(Value::as_str)
                .map(str::to_owned),
            state: state(&mut fields),
            acceptance: said.criteria,
            needs: explicit.iter().map(|n| Need::firm(n.to_string())).collect(),
            parent: fields
                .take("parent")
                .and_then(|parent| inner(Some(parent), "number")),
            ..Item::default()
        };
        let prose_needs = said.needs.iter().filter(|n| !explicit.contains(n));
        item.needs.extend(prose_needs.map(|n| Need {
            id: n.to_string(),
            loose: true,
        }));
        item.labels.extend(inner(fields.take("issueType"), "name"));
        let labels = fields.list("labels").iter();
        item.labels
            .extend(labels.filter_map(|label| inner(Some(label), "name")));
        item.priority = item
            .labels
            .iter()
            .find_map(|label| of_label(label, "priority", priority));
        item.points = item.labels.iter().find_map(|label| {
            of_label(label, "points", |word| word.parse().ok())
                .or_else(|| of_label(label, "size", size))
        });
        item.heading = item
            .labels
            .iter()
            .any(|label| label.eq_ignore_ascii_case("epic"));
        item.description = body;
        let children = here(fields.list("subIssues"), issue, &mut backlog.notes, number);
        parts.extend(
            children
                .into_iter()
                .chain(said.parts)
                .map(|part| (part, number)),
        );
        let others = here(fields.list("blocking"), issue, &mut backlog.notes, number);
        blocking.extend(others.into_iter().map(|other| (other, number)));
        fields.ignore(&[
            "id",
            "subIssuesSummary",
            "createdAt",
            "updatedAt",
            "closedAt",
            "isPinned",
            "closed",
        ]);
        fields.rest(&mut backlog.dropped);
        if !numbers.insert(number) {
            backlog
                .notes
                .push(format!("#{number} is there twice; the first counts"));
            continue;
        }
        backlog.items.push(item);
    }
    for item in &mut backlog.items {
        let number: u64 = item.id.parse().unwrap_or(0);
        if item.parent.is_none() {
            let of = parts
                .iter()
                .find(|(part, whole)| *part == number && *whole != number);
            item.parent = of.map(|(_, whole)| whole.to_string());
        }
        for (_, blocker) in blocking.iter().filter(|(blocked, _)| *blocked == number) {
            let need = Need::firm(blocker.to_string());
            if !item.needs.iter().any(|known| known.id == need.id) {
                item.needs.push(need);
            }
        }
    }
    Ok(backlog)
}

/// The numbers of issues of the same repository; others are noted.
fn here(issues: &[Value], of: &Value, notes: &mut Vec<String>, number: u64) -> Vec<u64> {
    let home = of.get("url").and_then(Value::as_str).map(repository);
    let mut numbers = Vec::new();
    for issue in issues {
        let url = issue.get("url").and_then(Value::as_str);
        let other = issue
            .get("number")
            .and_then(Value::as_u64)
            .or_else(|| issue.as_u64());
        let Some(other) = other else { continue };
        match (home, url.map(repository)) {
            (Some(home), Some(there)) if home != there => {
                notes.push(format!(
                    "#{number} names #{other} of another repository, {there}; left out"
                ));
            }
            _ => numbers.push(other),
        }
    }
    numbers
}

/// The address of an issue's repository.
fn repository(url: &str) -> &str {
    url.split("/issues/").next().unwrap_or(url)
}

fn state(fields: &mut Fields<'_>) -> State {
    let reason = fields.text("stateReason").to_uppercase();
    match (
        fields.text("state").to_uppercase().as_str(),
        reason.as_str(),
    ) {
        ("CLOSED", "NOT_PLANNED" | "DUPLICATE") => State::Dropped,
        ("CLOSED", _) => State::Done,
        _ => State::Open,
    }
}

/// What a label such as `priority: high` says.
fn of_label<T>(label: &str, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let label = label.to_lowercase();
    match label.split_once([':', '/', '=']) {
        Some((key, word)) if key.trim() == name => read(word.trim()),
        Some(_) => None,
        None if name == "priority" => read(&label),
        None => None,
    }
}

/// Points for sizes as on shirts.
fn size(word: &str) -> Option<f64> {
    Some(match word {
        "xs" => 1.0,
        "s" => 2.0,
        "m" => 3.0,
        "l" => 5.0,
        "xl" => 8.0,
        "xxl" => 13.0,
        _ => return None,
    })
}
