//! The documented fields of a Claude Code agent file, as data: what each may be, and how it is kept.
//!
//! A field that is not what it should be is kept beside the unknown ones and named, so that a file of a newer version still loads.
//!
//! Elsewhere: which of them a coding agent honours is the business of the agents.

use serde_json::Value as Json;

use super::super::errors::quote;
use super::super::tree::{Node, Value};

/// What a field may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One text.
    Text,
    /// Words separated by commas, or a list of them.
    Words,
    /// A whole number from 1.
    Count,
    /// `true` or `false`.
    Flag,
    /// One of these words; a number too where `true`.
    OneOf(&'static [&'static str], bool),
    /// Anything; kept as JSON.
    Any,
}

/// The documented fields beside `name`, `description` and `color`, each with what it may be.
pub(super) const FIELDS: [(&str, Form); 19] = [
    ("tools", Form::Words),
    ("disallowedTools", Form::Words),
    ("model", Form::Text),
    (
        "effort",
        Form::OneOf(&["low", "medium", "high", "xhigh", "max"], true),
    ),
    (
        "permissionMode",
        Form::OneOf(
            &[
                "default",
                "manual",
                "acceptEdits",
                "auto",
                "plan",
                "dontAsk",
                "bypassPermissions",
            ],
            false,
        ),
    ),
    ("mcpServers", Form::Any),
    ("hooks", Form::Any),
    ("maxTurns", Form::Count),
    ("autoCompactWindow", Form::Count),
    ("skills", Form::Words),
    ("initialPrompt", Form::Text),
    ("memory", Form::OneOf(&["user", "project", "local"], false)),
    ("background", Form::Flag),
    ("omitClaudeMd", Form::Flag),
    ("isolation", Form::OneOf(&["worktree", "remote"], false)),
    ("observer", Form::Text),
    ("observerMessage", Form::Text),
    ("observeSubagents", Form::Flag),
    ("observeToolResults", Form::Flag),
];

/// The documented field of that name, in its own spelling or with underscores.
pub(super) fn field(key: &str) -> Option<(&'static str, Form)> {
    let same = |name: &str| {
        let mut letters = name.chars().flat_map(|c| {
            let gap = c.is_ascii_uppercase().then_some('_');
            gap.into_iter().chain([c.to_ascii_lowercase()])
        });
        name == key || letters.by_ref().eq(key.chars())
    };
    FIELDS.iter().copied().find(|(name, _)| same(name))
}

impl Form {
    /// The value as it is kept, or what it should have been.
    pub fn take(self, node: &Node<'_>) -> Result<String, String> {
        match (self, &node.value) {
            (Form::Text, _) => text(node).ok_or_else(|| "a text".to_owned()),
            (Form::Words, Value::Text(text)) => words(text),
            (Form::Words, Value::List(items)) => {
                let mut all = Vec::new();
                for item in items {
                    all.push(item.text().ok_or("a list of texts")?.to_owned());
                }
                check(all)
            }
            (Form::Words, _) => Err("words separated by commas, or a list of them".to_owned()),
            (Form::Count, Value::Whole(n @ 1..=1_000_000_000)) => Ok(n.to_string()),
            (Form::Count, _) => Err("a whole number from 1".to_owned()),
            (Form::Flag, Value::Flag(flag)) => Ok(flag.to_string()),
            (Form::Flag, _) => Err("true or false".to_owned()),
            (Form::OneOf(_, true), Value::Whole(n @ 0..=1_000_000)) => Ok(n.to_string()),
            (Form::OneOf(words, _), _) => {
                let word = node.text().filter(|word| words.contains(word));
                let word = word.map(str::to_owned);
                word.ok_or_else(|| format!("one of {}", words.join(", ")))
            }
            (Form::Any, _) => Ok(json(node).to_string()),
        }
    }
}

/// Words of a line, split at commas that are not inside brackets: `Bash(git:*, npm:*), Read` has two.
fn words(line: &str) -> Result<String, String> {
    let (mut all, mut word, mut depth) = (Vec::new(), String::new(), 0_usize);
    for c in line.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (c, depth) {
            (',', 0) => all.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    all.push(word);
    check(all)
}

fn check(all: Vec<String>) -> Result<String, String> {
    let all: Vec<&str> = all.iter().map(|word| word.trim()).collect();
    let all: Vec<&str> = all.into_iter().filter(|word| !word.is_empty()).collect();
    if let Some(bad) = all
        .iter()
        .find(|word| word.starts_with('-') || word.chars().any(char::is_control))
    {
        return Err(format!("names; {} is none", quote(bad)));
    }
    Ok(all.join(","))
}

/// A value as text, where it can be one.
pub(super) fn text(node: &Node<'_>) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.to_string()),
        Value::Date(text) => Some(text.clone()),
        Value::Whole(n) => Some(n.to_string()),
        Value::Number(n) => Some(n.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::List(_) | Value::Table(_) | Value::Null => None,
    }
}

/// A value as JSON.
pub(super) fn json(node: &Node<'_>) -> Json {
    match &node.value {
        Value::Text(text) => Json::from(text.as_ref()),
        Value::Date(text) => Json::from(text.as_str()),
        Value::Whole(n) => match i64::try_from(*n) {
            Ok(n) => Json::from(n),
            Err(_) => Json::from(n.to_string()),
        },
        Value::Number(n) => Json::from(*n),
        Value::Flag(flag) => Json::from(*flag),
        Value::Null => Json::Null,
        Value::List(items) => items.iter().map(json).collect(),
        Value::Table(entries) => entries
            .iter()
            .map(|entry| (entry.key.to_string(), json(&entry.node)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}
