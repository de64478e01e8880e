//! beads: one issue a line, as its `.beads/issues.jsonl` keeps them.
//!
//! Of the edges, those that hold work up count (`blocks`, `conditional-blocks`, `waits-for`) and `parent-child`; the others are information.
//! Messages, events, agents, templates and what is ephemeral is no work.

use std::collections::BTreeMap;

use director_protocols::sprint::{Class, Priority};
use serde_json::Value;

use super::fields::{Fields, inner, text};
use super::words::lines;
use super::{Backlog, Item, Need, State};

/// Types that are no work of a sprint.
const NO_WORK: [&str; 9] = [
    "message",
    "event",
    "gate",
    "agent",
    "role",
    "rig",
    "merge-request",
    "slot",
    "convoy",
];

pub(super) fn read(text: &str) -> Result<Backlog, String> {
    let mut backlog = Backlog::default();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (at, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let value: Value =
            serde_json::from_str(line).map_err(|error| format!("line {at}: {error}"))?;
        let mut fields = Fields::of(&value).ok_or_else(|| format!("line {at} is no issue"))?;
        let id = fields.text("id");
        if id.is_empty() {
            return Err(format!("line {at}: the issue has no `id`"));
        }
        let kind = fields.text("issue_type");
        let passed = match () {
            () if fields.flag("is_template") => Some("template"),
            () if fields.flag("ephemeral") => Some("ephemeral"),
            () => NO_WORK.into_iter().find(|word| *word == kind),
        };
        let item = item(id, &kind, &mut fields, &mut backlog);
        if let Some(word) = passed {
            *backlog.passed.entry(word.to_owned()).or_default() += 1;
            continue;
        }
        fields.rest(&mut backlog.dropped);
        // A later line is a later state of the same issue.
        match places.get(&item.id) {
            Some(&place) => backlog.items[place] = item,
            None => {
                places.insert(item.id.clone(), backlog.items.len());
                backlog.items.push(item);
            }
        }
    }
    Ok(backlog)
}

fn item(id: String, kind: &str, fields: &mut Fields<'_>, backlog: &mut Backlog) -> Item {
    let mut description = fields.text("description");
    for (heading, key) in [("Design", "design"), ("Notes", "notes")] {
        let part = fields.text(key);
        if !part.trim().is_empty() {
            if !description.is_empty() {
                description.push_str("\n\n");
            }
            description.push_str(&format!("## {heading}\n\n{}", part.trim()));
        }
    }
    let status = fields.text("status");
    let mut item = Item {
        title: fields.text("title"),
        description,
        labels: fields.list("labels").iter().filter_map(text).collect(),
        state: match status.as_str() {
            "closed" => State::Done,
            "tombstone" => State::Dropped,
            _ => State::Open,
        },
        priority: fields
            .take("priority")
            .and_then(Value::as_u64)
            .map(|n| match n {
                0 => Priority::Critical,
                1 => Priority::High,
                2 => Priority::Normal,
                _ => Priority::Low,
            }),
        minutes: fields
            .number("estimated_minutes")
            .filter(|minutes| *minutes > 0.0),
        acceptance: lines(&fields.text("acceptance_criteria")),
        link: Some(fields.text("spec_id")).filter(|place| !place.is_empty()),
        heading: matches!(kind, "epic" | "milestone" | "molecule"),
        kind: match kind {
            "bug" => Some("bug_fix"),
            "decision" => Some("architecture"),
            "spike" => Some("research"),
            "feature" | "story" => Some("feature"),
            _ => None,
        },
        class: (kind == "chore").then_some(Class::Debt),
        id,
        ..Item::default()
    };
    if status == "deferred" {
        item.priority = Some(Priority::Low);
    }
    for edge in fields.list("dependencies") {
        let (Some(from), Some(to)) = (
            inner(Some(edge), "issue_id"),
            inner(Some(edge), "depends_on_id"),
        ) else {
            continue;
        };
        if from != item.id {
            continue;
        }
        match inner(Some(edge), "type").unwrap_or_default().as_str() {
            "blocks" | "conditional-blocks" | "waits-for" => item.needs.push(Need::firm(to)),
            "parent-child" => item.parent = Some(to),
            other => {
                *backlog
                    .dropped
                    .entry(format!("dependencies ({other})"))
                    .or_default() += 1
            }
        }
    }
    fields.ignore(&[
        "created_at",
        "created_by",
        "updated_at",
        "started_at",
        "closed_at",
        "close_reason",
        "deleted_at",
        "deleted_by",
        "delete_reason",
        "original_type",
        "dependency_count",
        "dependent_count",
        "comment_count",
    ]);
    item
}
