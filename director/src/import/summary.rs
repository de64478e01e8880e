//! What an import did, for people: on standard error, so that the file on standard output stays a file.

use std::fmt;

use super::{Backlog, Source};
use crate::report::text::short;

/// The most of one sort that are named.
const NAMED_MAX: usize = 12;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    source: &'static str,
    items: usize,
    /// Rows that are no work, with how many.
    passed: Vec<(String, usize)>,
    /// Fields that a sprint has no place for, with how many issues have them.
    pub dropped: Vec<(String, usize)>,
    /// Tasks that were added.
    pub added: Vec<String>,
    /// Tasks that were changed, with the keys.
    pub updated: Vec<(String, Vec<String>)>,
    /// Keys that the source changed and people had changed too: theirs stay.
    pub kept: Vec<(String, Vec<String>)>,
    /// Tasks that are done now.
    pub closed: Vec<String>,
    /// Tasks that are as they were.
    pub same: usize,
    /// Tasks of the file that this backlog does not have.
    pub gone: usize,
    /// Issues that were left out because they are done, because nobody will do them, because the file says so.
    pub done: usize,
    pub(super) called_off: usize,
    pub(super) skipped: usize,
    /// Issues with parts, which became checks.
    pub(super) wholes: usize,
    /// Edges to issues that are done.
    pub(super) satisfied: usize,
    /// Edges that were found in prose.
    pub(super) loose: usize,
    /// Who names what is not there, and as what.
    pub dangling: Vec<(String, String, &'static str)>,
    /// Who waits for each other, and which edge was left out.
    pub circles: Vec<(Vec<String>, (String, String))>,
    pub(super) notes: Vec<String>,
}

impl Summary {
    pub(super) fn of(source: Source, backlog: &Backlog) -> Self {
        let pairs = |map: &std::collections::BTreeMap<String, usize>| {
            map.iter()
                .map(|(name, count)| (name.clone(), *count))
                .collect()
        };
        Self {
            source: source.as_str(),
            items: backlog.items.len(),
            passed: pairs(&backlog.passed),
            dropped: pairs(&backlog.dropped),
            notes: backlog.notes.clone(),
            ..Self::default()
        }
    }

    /// Whether the file is as it was.
    pub fn is_unchanged(&self) -> bool {
        self.added.is_empty() && self.updated.is_empty() && self.closed.is_empty()
    }

    /// Why nothing became a task, and what to do.
    pub(super) fn why_nothing(&self) -> String {
        match self.items {
            0 => "it has no issues".to_owned(),
            n if self.done + self.called_off == n => format!(
                "all {n} issues are done or called off; `--done open` takes those that are done as open"
            ),
            n => format!("none of {n} issues is work to be done"),
        }
    }
}

fn some(list: impl ExactSizeIterator<Item = String>) -> String {
    let more = list.len().saturating_sub(NAMED_MAX);
    let mut text = list.take(NAMED_MAX).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn dependencies(count: usize) -> String {
    match count {
        1 => "1 dependency".to_owned(),
        n => format!("{n} dependencies"),
    }
}

fn issues(count: usize) -> String {
    match count {
        1 => "1 issue".to_owned(),
        n => format!("{n} issues"),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, text: String| {
            writeln!(f, "{}", crate::report::text::line(&text))
        };
        let (added, updated) = (self.added.len(), self.updated.len());
        line(
            f,
            format!(
                "{}: {} read; {added} added, {updated} updated, {} done now, {} as before",
                self.source,
                issues(self.items),
                self.closed.len(),
                self.same
            ),
        )?;
        let keys = |(id, keys): &(String, Vec<String>)| format!("{id} ({})", keys.join(", "));
        if updated > 0 {
            line(
                f,
                format!("updated: {}", some(self.updated.iter().map(keys))),
            )?;
        }
        if !self.kept.is_empty() {
            line(
                f,
                format!(
                    "changed by hand and kept: {}",
                    some(self.kept.iter().map(keys))
                ),
            )?;
        }
        if !self.closed.is_empty() {
            line(
                f,
                format!("done now: {}", some(self.closed.iter().cloned())),
            )?;
        }
        let left = [
            (self.done, "done"),
            (self.called_off, "called off"),
            (self.skipped, "in `import.skip`"),
        ];
        let left = left
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, why)| format!("{count} {why}"));
        let passed = self
            .passed
            .iter()
            .map(|(what, count)| format!("{count} of the type {what}"));
        let left: Vec<_> = left.chain(passed).collect();
        if !left.is_empty() {
            line(f, format!("left out: {}", left.join(", ")))?;
        }
        if self.gone > 0 {
            line(
                f,
                format!(
                    "{} of the file are not in this backlog and stay as they are",
                    issues(self.gone)
                ),
            )?;
        }
        if self.wholes > 0 {
            line(
                f,
                format!(
                    "{} with parts: each became a check of the whole that waits for its parts",
                    issues(self.wholes)
                ),
            )?;
        }
        if self.satisfied > 0 {
            line(
                f,
                format!(
                    "{} on what is done or left out hold nobody up",
                    dependencies(self.satisfied)
                ),
            )?;
        }
        if self.loose > 0 {
            line(
                f,
                format!("{} dependencies come from the text of issues", self.loose),
            )?;
        }
        if !self.dangling.is_empty() {
            let named = self
                .dangling
                .iter()
                .map(|(id, other, how)| format!("{id} {how} {other}"));
            line(f, format!("not in this backlog, left out: {}", some(named)))?;
        }
        for (circle, (from, to)) in self.circles.iter().take(NAMED_MAX) {
            let first = circle.first().cloned().unwrap_or_default();
            let path = format!("{} -> {first}", short(&circle.join(" -> "), 300));
            line(
                f,
                format!("circle {path}: that {from} waits for {to} is left out"),
            )?;
        }
        if self.circles.len() > NAMED_MAX {
            line(
                f,
                format!("and {} more circles", self.circles.len() - NAMED_MAX),
            )?;
        }
        if !self.dropped.is_empty() {
            let named = self
                .dropped
                .iter()
                .map(|(field, count)| format!("{field} ({count})"));
            line(f, format!("no place for: {}", some(named)))?;
        }
        for note in self.notes.iter().take(NAMED_MAX) {
            line(f, format!("note: {note}"))?;
        }
        if self.notes.len() > NAMED_MAX {
            line(
                f,
                format!("and {} more notes", self.notes.len() - NAMED_MAX),
            )?;
        }
        Ok(())
    }
}
