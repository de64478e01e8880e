//! What a value of the sprint file may be, and the one walk that checks a file against it.
//!
//! A [`Shape`] is data: the walk here and the JSON Schema both come from it, so they cannot differ. The walk
//! goes on after a problem and reports them all.
//!
//! Invariant: what passes here has the type, the range and the form that [`super::resolve`] reads.
//! Elsewhere: the keys of the file are [`super::keys`]; what several values mean together is checked in
//! [`super::resolve`].

use std::fmt;

use crate::ids::Name;

use super::errors::{Problems, Words, nearest, quote};
use super::keys::SYNONYMS;
use super::tree::{Node, Value};
use super::values;

/// A table of the file: its keys.
#[derive(Debug)]
pub(super) struct Table {
    pub about: &'static str,
    pub keys: &'static [Key],
}

/// A key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub shape: Shape,
    pub required: bool,
    /// What is said where a required key is missing; its name where this is empty.
    pub missing: &'static str,
    /// What it means, with its default; becomes the description in the schema.
    pub about: &'static str,
}

/// What a value may be.
#[derive(Debug)]
pub(super) enum Shape {
    /// Any text.
    Text,
    /// A [`Name`].
    Name,
    /// A git branch.
    Branch,
    /// An `http` or `https` address.
    Url,
    /// The name of an environment variable.
    EnvName,
    /// A relative path that stays where it starts.
    Path,
    /// An absolute path, or one below the user's home.
    Place,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number within these ends.
    Whole(u64, u64),
    /// A number within these ends.
    Number(f64, f64),
    /// Hours: a number from 0, or above 0 where `true`.
    Hours(bool),
    /// `true` or `false`.
    Flag,
    /// A day.
    Date,
    /// An hour of the day, or `off`.
    Hour,
    /// A time of the week.
    Window,
    /// A length of time with its unit; never zero.
    Duration,
    /// A size in bytes.
    Bytes,
    /// Text, a number or a flag; read as text.
    Setting,
    /// A command line.
    Line,
    /// A program and its arguments.
    Argv,
    /// A list of such.
    List(&'static Shape),
    /// A table with these keys.
    Table(&'static Table),
    /// A table with keys of the user's own beside these; `true` when they have to be names.
    Map(&'static [Key], &'static Shape, bool),
    /// The first of these that has the value's type.
    Any(&'static [Shape]),
}

/// What stands for none at all.
pub(super) const OFF: &str = "off";

/// Where the walk is, from the root.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    above: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// The innermost key, for sentences.
    fn subject(&self) -> String {
        match (self.step, self.above) {
            (Step::Key(key), _) => quote(key),
            (_, Some(above)) => above.subject(),
            (_, None) => "the file".to_owned(),
        }
    }

    pub const ROOT: Path<'static> = Path {
        above: None,
        step: Step::Root,
    };

    pub fn key(&'p self, key: &'p str) -> Path<'p> {
        Path {
            above: Some(self),
            step: Step::Key(key),
        }
    }

    pub fn index(&'p self, index: usize) -> Path<'p> {
        Path {
            above: Some(self),
            step: Step::Index(index),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
            let first = matches!(above.step, Step::Root);
            match self.step {
                Step::Root => {}
                Step::Key(key) if first => write!(f, "{}", cut(key))?,
                Step::Key(key) => write!(f, ".{}", cut(key))?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn cut(key: &str) -> String {
    key.chars().take(60).collect()
}

/// Checks `node` against `shape`, all the way down.
pub(super) fn check(node: &Node<'_>, shape: &Shape, path: Path<'_>, problems: &mut Problems) {
    if !shape.takes(node) {
        problems.add(&node.at, || {
            let wanted = shape.noun();
            Words::new(format!("expected {wanted}, found {}", node.what()), path)
                .help(shape.hint().unwrap_or_default())
        });
        return;
    }
    match shape {
        Shape::Any(shapes) => {
            if let Some(fits) = shapes.iter().find(|shape| shape.takes(node)) {
                check(node, fits, path, problems);
            }
        }
        Shape::List(of) => {
            for (index, item) in node.items().iter().enumerate() {
                check(item, of, path.index(index), problems);
            }
        }
        Shape::Table(table) => check_table(node, table.keys, None, path, problems),
        Shape::Map(fixed, of, named) => {
            check_table(node, fixed, Some((of, *named)), path, problems);
        }
        leaf => {
            if let Err((message, help)) = leaf.judge(node, &path) {
                problems.add(&node.at, || Words::new(message, path).help(help));
            }
        }
    }
}

fn check_table(
    node: &Node<'_>,
    keys: &[Key],
    others: Option<(&Shape, bool)>,
    path: Path<'_>,
    problems: &mut Problems,
) {
    // A required key that is there with a slip in it is reported once, as the slip.
    let mut meant: Vec<&str> = Vec::new();
    for entry in node.entries() {
        let here = path.key(&entry.key);
        if let Some(key) = keys.iter().find(|key| key.name == entry.key) {
            check(&entry.node, &key.shape, here, problems);
            continue;
        }
        let known = || keys.iter().map(|key| key.name);
        // `onyl = true` under [team] is a key with a slip in it, not a role of the wrong type.
        let slip = others.is_some_and(|(shape, _)| {
            !shape.takes(&entry.node) && nearest(&entry.key, known()).is_some()
        });
        match others {
            Some((shape, named)) if !slip => {
                if named && let Err(error) = Name::new(entry.key.as_ref()) {
                    problems.add(&entry.key_at, || Words::new(error.to_string(), here));
                }
                check(&entry.node, shape, here, problems);
            }
            _ => problems.add(&entry.key_at, || {
                let known: Vec<_> = known().collect();
                let synonym = SYNONYMS
                    .iter()
                    .find(|(word, key)| *word == entry.key && known.contains(key));
                let near = match synonym {
                    Some((_, key)) => Some(*key),
                    None => nearest(&entry.key, known.iter().copied()),
                };
                meant.extend(near);
                let words = Words::new(format!("unknown key {}", quote(&entry.key)), here);
                match near {
                    Some(near) => words.help(format!("did you mean `{near}`?")),
                    None => words.help(format!("use one of: {}", known.join(", "))),
                }
            }),
        }
    }
    for key in keys.iter().filter(|key| key.required) {
        if node.field(key.name).is_none() && !meant.contains(&key.name) {
            problems.add(&node.at, || {
                let message = match key.missing {
                    "" => format!("`{}` is missing", key.name),
                    message => message.to_owned(),
                };
                Words::new(message, path.key(key.name)).help(format!("add it: {}", key.about))
            });
        }
    }
}

type Judgement = Result<(), (String, String)>;

fn no(message: impl Into<String>, help: impl Into<String>) -> Judgement {
    Err((message.into(), help.into()))
}

impl Shape {
    /// Whether the value has the right type; whether it is a good one is [`Shape::judge`].
    fn takes(&self, node: &Node<'_>) -> bool {
        use Value as V;
        match (self, &node.value) {
            (Shape::Any(shapes), _) => shapes.iter().any(|shape| shape.takes(node)),
            (Shape::Table(_) | Shape::Map(..), V::Table(_)) => true,
            (Shape::List(_) | Shape::Argv, V::List(_)) => true,
            (Shape::Date, V::Date(_)) => true,
            (Shape::Whole(..), V::Whole(_)) => true,
            (Shape::Bytes, V::Whole(_) | V::Text(_)) => true,
            (Shape::Number(..) | Shape::Hours(_), V::Whole(_) | V::Number(_)) => true,
            (Shape::Flag, V::Flag(_)) => true,
            (Shape::Setting, V::Text(_) | V::Whole(_) | V::Number(_) | V::Flag(_)) => true,
            (
                Shape::Text
                | Shape::Name
                | Shape::Branch
                | Shape::Url
                | Shape::EnvName
                | Shape::Path
                | Shape::Place
                | Shape::Word(_)
                | Shape::Date
                | Shape::Hour
                | Shape::Window
                | Shape::Duration
                | Shape::Line,
                V::Text(_),
            ) => true,
            _ => false,
        }
    }

    /// What it is, for people.
    fn noun(&self) -> String {
        match self {
            Shape::Text
            | Shape::Name
            | Shape::Branch
            | Shape::Url
            | Shape::EnvName
            | Shape::Path
            | Shape::Place
            | Shape::Word(_)
            | Shape::Line => "a string".into(),
            Shape::Whole(..) => "a whole number".into(),
            Shape::Number(..) => "a number".into(),
            Shape::Hours(_) => "a number of hours".into(),
            Shape::Flag => "true or false".into(),
            Shape::Date => "a date".into(),
            Shape::Hour => "an hour of the day".into(),
            Shape::Window => "a time of the week".into(),
            Shape::Duration => "a duration".into(),
            Shape::Bytes => "a size in bytes".into(),
            Shape::Setting => "a string, a number, true or false".into(),
            Shape::Argv | Shape::List(_) => "a list".into(),
            Shape::Table(_) | Shape::Map(..) => "a table".into(),
            Shape::Any(shapes) => {
                let nouns: Vec<_> = shapes.iter().map(Shape::noun).collect();
                nouns.join(" or ")
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Shape::Date => Some("write it as 2026-11-23".into()),
            Shape::Hour => Some("write it as \"09:00\", or \"off\"".into()),
            Shape::Window => Some("write it as \"mon-thu 09:00-16:00\"".into()),
            Shape::Duration => Some("write it with its unit, such as \"90s\" or \"15m\"".into()),
            Shape::List(of) if matches!(**of, Shape::Table(_)) => {
                Some("write each with a header in double brackets, such as [[task]]".into())
            }
            Shape::List(_) => Some("write it in brackets: [\"a\", \"b\"]".into()),
            Shape::Word(words) => Some(format!("use one of: {}", words.join(", "))),
            _ => None,
        }
    }

    /// Whether a value of the right type is a good one, for shapes without parts.
    fn judge(&self, node: &Node<'_>, path: &Path<'_>) -> Judgement {
        let text = node.text().unwrap_or_default();
        match self {
            Shape::Name => match Name::new(text) {
                Ok(_) => Ok(()),
                Err(error) => no(error.to_string(), "such as `auth-api`"),
            },
            Shape::Branch => {
                let bad = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
                if text.is_empty()
                    || text.starts_with(['-', '/'])
                    || text.ends_with(['/', '.'])
                    || text.contains("..")
                    || text.contains(bad)
                {
                    return no(
                        format!("{} cannot be a branch", quote(text)),
                        "write the branch's name as `git branch` prints it",
                    );
                }
                Ok(())
            }
            Shape::Url => {
                let address = text
                    .strip_prefix("https://")
                    .or_else(|| text.strip_prefix("http://"));
                if address.is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace))
                {
                    return no(
                        format!("{} is not a web address", quote(text)),
                        "it has to start with https:// or http://",
                    );
                }
                Ok(())
            }
            Shape::Place => {
                let below_home = text.strip_prefix("~/").unwrap_or("");
                let plain =
                    |path: &str| !path.contains('\0') && !path.split('/').any(|part| part == "..");
                match (text.starts_with('/') || !below_home.is_empty()) && plain(text) {
                    true => Ok(()),
                    false => no(
                        format!("{} is no place on this machine", quote(text)),
                        "write an absolute path, or one that begins with `~/`, and no `..` in it",
                    ),
                }
            }
            Shape::EnvName => {
                let mut chars = text.chars();
                let first = chars.next();
                if !first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
                    || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
                {
                    return no(
                        format!("{} cannot be the name of a variable", quote(text)),
                        "write names only; the values come from the director's own environment",
                    );
                }
                Ok(())
            }
            Shape::Path => {
                if text.is_empty()
                    || text.starts_with('/')
                    || text.contains(['\0', '\\'])
                    || text.split('/').any(|part| part == "..")
                {
                    return no(
                        format!("{} is not a path in the worktree", quote(text)),
                        "write it relative to the worktree and without `..`",
                    );
                }
                Ok(())
            }
            Shape::Word(words) if !words.contains(&text) => no(
                format!("unknown value {}", quote(text)),
                match nearest(text, words.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`? allowed: {}", words.join(", ")),
                    None => format!("use one of: {}", words.join(", ")),
                },
            ),
            Shape::Whole(min, max) => judge_number(node, path, *min as f64, *max as f64),
            Shape::Number(min, max) => judge_number(node, path, *min, *max),
            Shape::Hours(above_zero) => {
                judge_number(node, path, 0.0, 1e6)?;
                if *above_zero && node.number() == Some(0.0) {
                    return no(
                        format!("{} cannot be 0", path.subject()),
                        "write more than 0, or leave it out",
                    );
                }
                Ok(())
            }
            Shape::Date => {
                let text = match &node.value {
                    Value::Date(date) => date,
                    _ => text,
                };
                match values::date(text) {
                    Ok(_) => Ok(()),
                    Err(help) => no(format!("{} is not a date", quote(text)), help),
                }
            }
            Shape::Hour if text == OFF => Ok(()),
            Shape::Hour => match values::hour(text) {
                Ok(_) => Ok(()),
                Err(help) => no(format!("{} is not an hour of the day", quote(text)), help),
            },
            Shape::Window => match values::window(text) {
                Ok(_) => Ok(()),
                Err(help) => no(format!("{} is not a time of the week", quote(text)), help),
            },
            Shape::Duration => match values::duration(text) {
                Ok(span) if span.0 > 0 => Ok(()),
                Ok(_) => no(
                    "the duration is zero",
                    "write a longer one, or leave it out",
                ),
                Err(help) => no(format!("{} is not a duration", quote(text)), help),
            },
            Shape::Bytes => {
                let size = node.whole().map_or_else(|| values::bytes(text), Ok);
                match size {
                    Ok(size) if (1 << 10..=1 << 30).contains(&size) => Ok(()),
                    Ok(_) => no("the size is out of range", "allowed are 1KiB to 1GiB"),
                    Err(help) => no(format!("{} is not a size", quote(text)), help),
                }
            }
            Shape::Line if text.trim().is_empty() => no("the command is empty", RUN_HELP),
            Shape::Line if text.contains('\0') => no("the command has a NUL byte", "remove it"),
            Shape::Argv => {
                let words = node.items();
                if words.first().and_then(Node::text).is_none_or(str::is_empty) {
                    return no("the command is empty", RUN_HELP);
                }
                if words
                    .iter()
                    .any(|w| w.text().is_none_or(|t| t.contains('\0')))
                {
                    return no(
                        "every word of a command has to be a string without NUL",
                        RUN_HELP,
                    );
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

const RUN_HELP: &str =
    "write a line for the shell, \"cargo test\", or a list, [\"cargo\", \"test\"]";

fn judge_number(node: &Node<'_>, path: &Path<'_>, min: f64, max: f64) -> Judgement {
    let n = node.number().unwrap_or(f64::NAN);
    let range = format!("allowed are {min} to {max}");
    if n.is_nan() {
        no(format!("{} cannot be NaN", path.subject()), range)
    } else if n.is_infinite() {
        no(format!("{} cannot be infinite", path.subject()), range)
    } else if n < 0.0 && min >= 0.0 {
        no(format!("{} cannot be negative: {n}", path.subject()), range)
    } else if n < min || n > max {
        no(
            format!("{} is out of range: {}", path.subject(), shown(n)),
            range,
        )
    } else {
        Ok(())
    }
}

/// A number as its author would write it: a large one without its hundreds of digits.
fn shown(n: f64) -> String {
    match n.abs() < 1e15 {
        true => n.to_string(),
        false => format!("{n:e}"),
    }
}
