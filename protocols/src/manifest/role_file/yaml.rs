//! YAML as a tree with places, as far as front matter needs it, with everything refused that could hide or explode.
//!
//! The parser gives one event after the other and nothing is built beside the tree, so what a text costs is bounded by its length. Anchors,
//! aliases, tags, several documents and keys that are no text are refused by name; so are a key twice, deep nesting and
//! too many values. Plain scalars mean what the core schema of YAML 1.2 says: `yes` is a text.
//!
//! Elsewhere: which keys there are is [`super::fields`].

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::super::tree::{Entry, Node, Place, Value};

/// The deepest nesting.
const DEPTH_MAX: usize = 16;
/// The most values in one front matter.
const VALUES_MAX: usize = 4_096;

/// What is wrong, and where.
pub(super) type Wrong = (String, Option<Place>);

/// A table or a list that is not closed yet.
enum Open {
    Table {
        at: usize,
        entries: Vec<Entry<'static>>,
        key: Option<(String, Place)>,
    },
    List {
        at: usize,
        items: Vec<Node<'static>>,
    },
}

/// Reads the YAML document in `text`, which begins at the byte `base` of its file; places are the file's.
///
/// # Errors
/// What is wrong and where.
pub(super) fn read(text: &str, base: usize) -> Result<Node<'static>, Wrong> {
    // The parser counts characters, we count bytes.
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| base + at).collect();
    bytes.push(base + text.len());
    let byte = |chars: usize| bytes[chars.min(bytes.len() - 1)];
    let place = |span: &Span| byte(span.start.index())..byte(span.end.index());
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Node<'static>> = None;
    let mut values = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = byte(error.marker().index());
            (error.info().to_owned(), Some(at..at + 1))
        })?;
        let at = place(&span);
        let refuse = |what: &str| Err((what.to_owned(), Some(at.clone())));
        values += 1;
        if values > VALUES_MAX {
            return refuse("it has more values than an agent's settings could need");
        }
        let done = match event {
            Event::Alias(_) => return refuse("aliases are not read here; write the value again"),
            Event::Scalar(_, _, 1.., _)
            | Event::SequenceStart(1.., _)
            | Event::MappingStart(1.., _) => {
                return refuse("anchors are not read here; write the value where it is needed");
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => return refuse("tags are not read here"),
            Event::DocumentStart(_) if root.is_some() => {
                return refuse("it holds more than one document");
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEPTH_MAX => {
                return refuse("it is nested too deeply");
            }
            Event::SequenceStart(..) => {
                let (at, items) = (at.start, Vec::new());
                open.push(Open::List { at, items });
                continue;
            }
            Event::MappingStart(..) => {
                let at = at.start;
                open.push(Open::Table {
                    at,
                    entries: Vec::new(),
                    key: None,
                });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::Table {
                    at: start, entries, ..
                }) => Node {
                    at: start..at.end,
                    value: Value::Table(entries),
                },
                Some(Open::List { at: start, items }) => Node {
                    at: start..at.end,
                    value: Value::List(items),
                },
                None => continue,
            },
            Event::Scalar(text, style, ..) => {
                if let Some(Open::Table { entries, key, .. }) = open.last_mut()
                    && key.is_none()
                {
                    if entries.iter().any(|entry| entry.key == text) {
                        let key: String = text.chars().take(60).collect();
                        return refuse(&format!("the key `{key}` is there twice"));
                    }
                    *key = Some((text.into_owned(), at));
                    continue;
                }
                let value = match style {
                    ScalarStyle::Plain => plain(&text),
                    _ => Value::Text(Cow::Owned(text.into_owned())),
                };
                Node { at, value }
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => continue,
        };
        match open.last_mut() {
            Some(Open::List { items, .. }) => items.push(done),
            Some(Open::Table { entries, key, .. }) => match key.take() {
                Some((name, key_at)) => entries.push(Entry {
                    key: Cow::Owned(name),
                    key_at,
                    node: done,
                }),
                None => return Err(("a key has to be a text".to_owned(), Some(done.at))),
            },
            None => root = Some(done),
        }
    }
    Ok(root.unwrap_or(Node {
        at: base..base,
        value: Value::Table(Vec::new()),
    }))
}

/// What a scalar without quotes is.
fn plain(text: &str) -> Value<'static> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Flag(true),
        "false" | "False" | "FALSE" => return Value::Flag(false),
        _ => {}
    }
    let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.chars().all(number)
    {
        if let Ok(whole) = text.parse() {
            return Value::Whole(whole);
        }
        if let Ok(number) = text.parse() {
            return Value::Number(number);
        }
    }
    Value::Text(Cow::Owned(text.to_owned()))
}

/// The same text with every plain value of a top-level line in quotes, for the many files whose description has a
/// colon in it. `None` where no line was changed.
pub(super) fn quoted(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 64);
    let mut changed = false;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let simple = body.split_once(": ").filter(|(key, value)| {
            let value = value.trim();
            key.starts_with(|c: char| c.is_ascii_alphabetic())
                && key
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
                && value.contains(':')
                && !value.starts_with([
                    '"', '\'', '[', '{', '|', '>', '&', '*', '!', '#', '%', '@', '`',
                ])
        });
        match simple {
            Some((key, value)) => {
                let value = value.trim().replace('\'', "''");
                out += &format!("{key}: '{value}'");
                out += &line[body.len()..];
                changed = true;
            }
            None => out += line,
        }
    }
    changed.then_some(out)
}
