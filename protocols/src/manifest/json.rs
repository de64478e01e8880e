//! JSON with places: the same tree that TOML gives.
//!
//! `serde_json` checks the text first and reports what is wrong with its line and column; it keeps no
//! places, so a small scanner then walks the text that is known to be JSON and leaves strings and numbers
//! to `serde_json` again.
//!
//! Invariant: the scanner never goes deeper than [`DEPTH_MAX`] and never panics, valid text or not.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::tree::{Entry, Node, Place, Value};

/// The deepest nesting.
const DEPTH_MAX: usize = 80;

/// Reads JSON.
///
/// # Errors
/// What is wrong and where.
pub(super) fn read_json(text: &str) -> Result<Node<'_>, (String, Option<Place>)> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let at = offset(text, error.line(), error.column());
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        return Err((message.to_owned(), Some(at..at + 1)));
    }
    let mut scanner = Scanner { text, at: 0 };
    scanner.value(0)
}

/// `serde_json` counts lines from 1 and columns in bytes, from 1; 0 is the end of the line before.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (before + column.saturating_sub(1)).min(text.len())
}

type Scanned<T> = Result<T, (String, Option<Place>)>;

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn value(&mut self, depth: usize) -> Scanned<Node<'a>> {
        self.space();
        let start = self.at;
        if depth > DEPTH_MAX {
            return Err(("nested too deeply".to_owned(), Some(start..start + 1)));
        }
        let value = match self.peek() {
            Some(b'{') => self.table(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b't') => self.word("true", Value::Flag(true))?,
            Some(b'f') => self.word("false", Value::Flag(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => self.number()?,
        };
        let at = start..self.at;
        Ok(Node { at, value })
    }

    fn table(&mut self, depth: usize) -> Scanned<Value<'a>> {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        self.at += 1;
        while self.more(b'}') {
            let start = self.at;
            let key = self.string()?;
            let key_at = start..self.at;
            self.space();
            self.eat(b':')?;
            let node = self.value(depth + 1)?;
            entries.push(Entry { key, key_at, node });
        }
        self.eat(b'}')?;
        let mut keys: Vec<_> = entries.iter().map(|e| (&e.key, &e.key_at)).collect();
        keys.sort_by_key(|(key, at)| (*key, at.start));
        if let Some(twice) = keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(("duplicate key".to_owned(), Some(twice[1].1.clone())));
        }
        Ok(Value::Table(entries))
    }

    fn list(&mut self, depth: usize) -> Scanned<Value<'a>> {
        let mut items = Vec::new();
        self.at += 1;
        while self.more(b']') {
            items.push(self.value(depth + 1)?);
        }
        self.eat(b']')?;
        Ok(Value::List(items))
    }

    /// Goes to the next member, over a comma; `false` at the end.
    fn more(&mut self, end: u8) -> bool {
        self.space();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.space();
        }
        self.peek().is_some_and(|byte| byte != end)
    }

    fn string(&mut self) -> Scanned<Cow<'a, str>> {
        let start = self.at;
        self.eat(b'"')?;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
                None => return Err(self.unexpected()),
            }
        }
        self.at += 1;
        let text = self.text;
        let quoted = text.get(start..self.at).ok_or_else(|| self.unexpected())?;
        if !escaped {
            return Ok(Cow::Borrowed(&quoted[1..quoted.len() - 1]));
        }
        serde_json::from_str(quoted)
            .map(Cow::Owned)
            .map_err(|_| ("broken string".to_owned(), Some(start..self.at)))
    }

    fn number(&mut self) -> Scanned<Value<'a>> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.peek() {
            self.at += 1;
        }
        let digits = &self.text[start..self.at];
        if let Ok(n) = digits.parse() {
            Ok(Value::Whole(n))
        } else if let Ok(n) = digits.parse() {
            Ok(Value::Number(n))
        } else {
            Err(self.unexpected())
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Scanned<Value<'a>> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.unexpected())
        }
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Scanned<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn unexpected(&self) -> (String, Option<Place>) {
        let message = "this is not JSON from here on".to_owned();
        (message, Some(self.at..self.at + 1))
    }
}
