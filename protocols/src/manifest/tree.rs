//! A sprint file as a tree of values, each with its place in the text; TOML and JSON both become one.
//!
//! Tables keep the order of the file. Depth is limited by the parsers, so recursion over a tree is safe.
//!
//! Elsewhere: JSON is read in [`super::json`]; what the values may be is [`super::shape`].

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A place in the text, in bytes.
pub(super) type Place = Range<usize>;

/// One value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub at: Place,
    pub value: Value<'a>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    /// Numbers out of its range are cut to its ends, which no key allows.
    Whole(i128),
    Number(f64),
    Flag(bool),
    /// A TOML date or time, as written.
    Date(String),
    List(Vec<Node<'a>>),
    Table(Vec<Entry<'a>>),
    /// JSON's `null`.
    Null,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub key: Cow<'a, str>,
    pub key_at: Place,
    pub node: Node<'a>,
}

impl<'a> Node<'a> {
    /// The value of `key`, when this is a table that has it.
    pub fn field(&self, key: &str) -> Option<&Node<'a>> {
        let entry = self.entries().iter().find(|entry| entry.key == key)?;
        Some(&entry.node)
    }

    pub fn entries(&self) -> &[Entry<'a>] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    pub fn items(&self) -> &[Node<'a>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn flag(&self) -> Option<bool> {
        match self.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    pub fn whole(&self) -> Option<u64> {
        match self.value {
            Value::Whole(n) => u64::try_from(n).ok(),
            _ => None,
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Whole(n) => Some(n as f64),
            Value::Number(n) => Some(n),
            _ => None,
        }
    }

    /// What it is, for people.
    pub fn what(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Whole(_) => "a whole number",
            Value::Number(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Null => "null",
        }
    }
}

/// Reads TOML.
///
/// # Errors
/// The parser's message and where it stopped.
pub(super) fn read_toml(text: &str) -> Result<Node<'_>, (String, Option<Place>)> {
    match DeTable::parse(text) {
        Ok(root) => {
            let at = root.span();
            Ok(Node {
                at,
                value: table(root.into_inner()),
            })
        }
        Err(error) => Err((error.message().to_owned(), error.span())),
    }
}

fn table(table: DeTable<'_>) -> Value<'_> {
    let mut entries: Vec<_> = table
        .into_iter()
        .map(|(key, value)| Entry {
            key_at: key.span(),
            key: key.into_inner(),
            node: node(value),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_at.start);
    Value::Table(entries)
}

fn node(value: Spanned<DeValue<'_>>) -> Node<'_> {
    let at = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text),
        DeValue::Integer(n) => Value::Whole(whole(n.as_str(), n.radix())),
        DeValue::Float(n) => Value::Number(n.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => Value::List(items.into_iter().map(node).collect()),
        DeValue::Table(entries) => table(entries),
    };
    Node { at, value }
}

fn whole(digits: &str, radix: u32) -> i128 {
    i128::from_str_radix(digits, radix).unwrap_or(if digits.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    })
}
