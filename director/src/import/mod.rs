//! Backlogs from elsewhere: issues of another tool in, a sprint file out.
//!
//! ```text
//! text ─▶ a reader for each source ─▶ items ─▶ which become tasks, who waits for whom ─▶ into the sprint file
//! ```
//!
//! An item is known by its source and the id that it has there; the file remembers both, and what was written last. So an import into a
//! file that is there brings up to date what came from the source and keeps what people changed, and the same import
//! twice changes nothing.
//!
//! Invariant: what is given out can be planned: every dependency exists, and nothing waits in a circle. Pure: text in, text out.
//! Elsewhere: files are read and written by the command line; the keys of a task are [`director_protocols::manifest`].

mod beads;
mod decode;
mod edges;
mod fields;
mod github;
mod jira;
mod linear;
mod merge;
mod select;
mod summary;
mod taskmaster;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use director_protocols::manifest::{self, Format, Options as ReadOptions, Purpose};
use director_protocols::sprint::{Class, Priority};

use crate::planner;
pub use decode::decode;
pub use summary::Summary;

/// The largest backlog, in bytes: 256 MiB.
pub const BACKLOG_BYTES_MAX: usize = 256 << 20;

/// Where a backlog comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `gh issue list --json …`.
    Github,
    /// A CSV export of Jira, or a table with columns of such names.
    Jira,
    /// Issues of Linear: JSON of its API, or its CSV export.
    Linear,
    /// Task Master's `tasks.json`.
    Taskmaster,
    /// JSON lines of beads.
    Beads,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Github,
        Self::Jira,
        Self::Linear,
        Self::Taskmaster,
        Self::Beads,
    ];

    /// The one of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }

    /// The word in front of an id.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Github => "github",
            Source::Jira => "jira",
            Source::Linear => "linear",
            Source::Taskmaster => "taskmaster",
            Source::Beads => "beads",
        }
    }
}

/// What becomes of issues that are done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Done {
    /// They are left out; one that is in the file already is marked as done.
    #[default]
    Skip,
    /// They become tasks with `done = true`.
    Mark,
    /// They become tasks like any other.
    Open,
}

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The id of a new sprint; from the source's name unless given.
    pub sprint: Option<String>,
    /// What becomes of what is done.
    pub done: Done,
    /// Tags of Task Master; all of them where none is named.
    pub tags: Vec<String>,
}

/// How far an item is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Done,
    /// Nobody will do it.
    Dropped,
}

/// One issue, as far as a sprint can hold it.
#[derive(Clone, Debug, Default)]
struct Item {
    /// Its id at the source.
    id: String,
    title: String,
    description: String,
    /// What people call it: its type first, then labels.
    labels: Vec<String>,
    /// Its kind, where the source's type leaves no doubt.
    kind: Option<&'static str>,
    class: Option<Class>,
    state: State,
    priority: Option<Priority>,
    points: Option<f64>,
    minutes: Option<f64>,
    /// What has to be done first.
    needs: Vec<Need>,
    /// What it is a part of.
    parent: Option<String>,
    /// A heading over other issues: its parts do not share a worktree.
    heading: bool,
    acceptance: Vec<String>,
    tests: Vec<String>,
    /// Where it can be read.
    link: Option<String>,
}

/// Something that has to be done first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Need {
    id: String,
    /// It was found in prose.
    loose: bool,
}

impl Need {
    fn firm(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            loose: false,
        }
    }
}

/// What a reader found.
#[derive(Clone, Debug, Default)]
struct Backlog {
    items: Vec<Item>,
    /// Rows that are no work, by what they are.
    passed: BTreeMap<String, usize>,
    /// Fields that a sprint has no place for, with how many issues have them.
    dropped: BTreeMap<String, usize>,
    /// What else people should know.
    notes: Vec<String>,
}

/// Why a backlog could not be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The text is not what the source writes.
    #[error("this is no backlog of {source_name}: {why}")]
    Unreadable {
        /// The source.
        source_name: &'static str,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Nothing is left to become a task.
    #[error("nothing to import: {why}")]
    Nothing {
        /// Why, and what to do.
        why: String,
    },
    /// The file that is to be brought up to date is not TOML, or would be no sprint any more.
    #[error("the sprint file cannot be brought up to date: {why}")]
    File {
        /// What is wrong with it.
        why: String,
    },
}

/// A backlog that was imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The sprint file.
    pub text: String,
    /// What was done, for people.
    pub summary: Summary,
}

/// Imports a backlog, into `file` where there is one already.
///
/// # Errors
/// [`ImportError`]; nothing of the file is lost then.
pub fn import(
    source: Source,
    text: &str,
    file: Option<&str>,
    options: &Options,
) -> Result<Imported, ImportError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let backlog = match source {
        Source::Github => github::read(text),
        Source::Jira => jira::read(text),
        Source::Linear => linear::read(text),
        Source::Taskmaster => taskmaster::read(text, &options.tags),
        Source::Beads => beads::read(text),
    };
    let backlog = backlog.map_err(|why| ImportError::Unreadable {
        source_name: source.as_str(),
        why,
    })?;
    let mut summary = Summary::of(source, &backlog);
    let mut sheet = merge::Sheet::open(source, file, options)?;
    let tasks = select::tasks(source, backlog, &sheet, options, &mut summary);
    if tasks.is_empty() && file.is_none() {
        let why = summary.why_nothing();
        return Err(ImportError::Nothing { why });
    }
    sheet.bring_up_to_date(tasks, &mut summary);
    let text = sheet.text();
    check(&text)?;
    Ok(Imported { text, summary })
}

/// What is given out can be read and planned.
fn check(text: &str) -> Result<(), ImportError> {
    let options = ReadOptions {
        purpose: Purpose::Plan,
        ..ReadOptions::default()
    };
    let broken = |why: String| ImportError::File { why };
    let manifest = manifest::parse(text, "the result", Format::Toml, &options);
    let manifest = manifest.map_err(|errors| broken(format!("\n{errors}")))?;
    planner::listed(&manifest.spec).map_err(|error| broken(error.to_string()))?;
    Ok(())
}
