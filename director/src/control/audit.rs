//! The audit log: who ordered what, from where, and what came of it.
//!
//! ```text
//! {"at": "2026-11-23T09:00:00Z", "by": "ada", "from": "http 127.0.0.1:40312", "order": "cancel", "about": {"task": "login"}, "done": true, "seq": 812}
//! {"at": "…", "by": "bob", "from": "socket, process 4711 of user 1000", "order": "answer", "about": {"item": 3}, "done": false, "why": "item 3 is answered already"}
//! ```
//!
//! One line for each order, refused ones too, in a file of the data directory that only its owner can read. The journal has what was
//! decided, and `by`; here is beside it what was asked for in vain, and from where. What an order says (answers, reasons, files) is
//! not repeated here.
//!
//! Invariant: an order is written down before its answer leaves. The file is bounded: at [`BYTES_MAX`] it becomes the older one, and what that
//! was goes.
//! Elsewhere: carrying out orders is [`super::server`]; who may give any is `http::guard` and the socket's mode.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::protocol::{Answer, Fault, Order};
use crate::view::rfc3339;

/// The file in the data directory, and the older one.
const FILES: [&str; 2] = ["audit.jsonl", "audit.old.jsonl"];

/// The most that one of them holds, in bytes.
pub const BYTES_MAX: u64 = 16 << 20;

/// The longest text of a field, in characters.
const TEXT_CHARS_MAX: usize = 200;

tokio::task_local! {
    static FROM: Arc<str>;
}

/// Does something on behalf of a caller there.
pub async fn on_behalf<T>(from: Arc<str>, work: impl Future<Output = T>) -> T {
    FROM.scope(from, work).await
}

/// The same on behalf of the present caller, wherever it runs: for what is spawned.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    on_behalf(caller(), work)
}

/// From where the caller of what is being done comes; from this process without one.
pub fn caller() -> Arc<str> {
    FROM.try_with(Arc::clone)
        .unwrap_or_else(|_| Arc::from("inside"))
}

/// One order.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[schemars(rename = "AuditedOrder")]
pub struct Line {
    /// When it was answered.
    pub at: String,
    /// Who, by their own account.
    pub by: String,
    /// From where.
    pub from: String,
    /// What sort of order.
    pub order: String,
    /// What it named.
    pub about: Map<String, Value>,
    /// Whether it was carried out.
    pub done: bool,
    /// The position that it led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What an order says of itself: its name, who gives it, and what it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    order: String,
    by: String,
    about: Map<String, Value>,
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

impl Said {
    /// Of an order.
    pub fn of(order: &Order) -> Self {
        let named = |order: &str, sprint: &str, by: &str| Self {
            order: order.to_owned(),
            by: by.to_owned(),
            about: Map::from_iter([("sprint".to_owned(), Value::from(sprint))]),
        };
        let whole = match order {
            // These have whole files in them.
            Order::Submit { spec } => return named("submit", spec.id.as_str(), ""),
            Order::Replan { spec, by } => return named("replan", spec.id.as_str(), by),
            order => serde_json::to_value(order).unwrap_or_default(),
        };
        let Value::Object(whole) = whole else {
            return named("unknown", "", "");
        };
        let (order, fields) = whole.into_iter().next().unwrap_or_default();
        let mut said = named(&order, "", "");
        said.about.clear();
        for (name, value) in fields.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("by", Value::String(by)) => said.by = short(by),
                ("text" | "reason" | "note" | "step" | "what", _) | (_, Value::Null) => {}
                (_, Value::String(text)) => {
                    said.about.insert(name.clone(), Value::from(short(text)));
                }
                (_, Value::Number(_) | Value::Bool(_)) => {
                    said.about.insert(name.clone(), value.clone());
                }
                _ => {}
            }
        }
        said
    }
}

/// The log of one director.
#[derive(Debug)]
pub struct Audit {
    dir: PathBuf,
    file: Mutex<Option<File>>,
}

impl Audit {
    /// In a data directory.
    pub fn new(data_dir: &Path) -> Self {
        Self {
            dir: data_dir.to_owned(),
            file: Mutex::default(),
        }
    }

    /// Writes down what came of an order.
    pub fn note(&self, said: Said, outcome: &Result<Answer, Fault>) {
        let line = Line {
            at: rfc3339(super::server::now()),
            by: said.by,
            from: caller().to_string(),
            order: said.order,
            about: said.about,
            done: outcome.is_ok(),
            seq: outcome.as_ref().ok().map(|answer| answer.seq),
            why: outcome.as_ref().err().map(|fault| short(&fault.message)),
        };
        if let Err(error) = self.append(&line) {
            // The order stands: the journal has it.
            tracing::error!(%error, order = line.order, "the audit log could not be written");
        }
    }

    fn append(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut kept = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = match kept.take() {
            Some(file) => file,
            None => self.open()?,
        };
        file.write_all(&text)?;
        if file.metadata()?.len() < BYTES_MAX {
            *kept = Some(file);
            return Ok(());
        }
        let [new, old] = FILES.map(|name| self.dir.join(name));
        fs::rename(new, old)
    }

    fn open(&self) -> io::Result<File> {
        let path = self.dir.join(FILES[0]);
        let mut options = OpenOptions::new();
        let mut file = options.create(true).append(true).mode(0o600).open(&path)?;
        // Whatever a kill has cut off stays a line of its own.
        let bytes = fs::read(&path)?;
        if bytes.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n")?;
        }
        Ok(file)
    }
}

/// The newest lines of a data directory, the oldest of them first. What is no line is passed over.
///
/// # Errors
/// That a file cannot be read.
pub fn read(data_dir: &Path, last: usize) -> io::Result<Vec<Line>> {
    let mut found = newest(data_dir, last, |_| true)?;
    found.reverse();
    Ok(found)
}

/// The newest lines of a data directory that are `wanted`, the newest first.
///
/// # Errors
/// That a file cannot be read.
pub fn newest(
    data_dir: &Path,
    most: usize,
    mut wanted: impl FnMut(&Line) -> bool,
) -> io::Result<Vec<Line>> {
    let mut found = Vec::new();
    for name in FILES {
        // Bounded, as the files are; lines are taken apart from the end, and no more than are wanted.
        let bytes = match fs::read(data_dir.join(name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for line in bytes.rsplit(|byte| *byte == b'\n') {
            if found.len() == most {
                return Ok(found);
            }
            if let Ok(line) = serde_json::from_slice::<Line>(line)
                && wanted(&line)
            {
                found.push(line);
            }
        }
    }
    Ok(found)
}

/// A line for people.
pub fn text(line: &Line) -> String {
    let about: Vec<String> = line
        .about
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name} {text}"),
            other => format!("{name} {other}"),
        })
        .collect();
    let came = match (&line.why, line.seq) {
        (Some(why), _) => format!("refused: {why}"),
        (None, seq) => format!("done at {}", seq.unwrap_or_default()),
    };
    let who = match line.by.as_str() {
        "" => "somebody",
        by => by,
    };
    let Line {
        at, order, from, ..
    } = line;
    format!(
        "{at}  {who}  {order}  {}  ({from})  {came}",
        about.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::protocol::FaultKind;

    fn pause(sprint: &str) -> Said {
        let (sprint, by) = (Some(sprint.to_owned()), "ada".to_owned());
        Said::of(&Order::Pause { sprint, by })
    }

    #[test]
    fn what_an_order_names_is_written_down_and_what_it_says_is_not() {
        let order = Order::Answer {
            item: 3,
            text: "the password is swordfish".to_owned(),
            reply: director_protocols::inbox::Reply::Answer,
            by: "ada".to_owned(),
        };
        let said = Said::of(&order);
        assert_eq!((&*said.order, &*said.by), ("answer", "ada"));
        assert_eq!(said.about["item"], 3);
        assert!(!format!("{said:?}").contains("swordfish"));
    }

    #[tokio::test]
    async fn the_newest_lines_are_read_back_over_a_kill_and_a_full_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let note = |sprint: &str, outcome: &Result<Answer, Fault>| {
            Audit::new(dir.path()).note(pause(sprint), outcome);
        };
        let no = Err(Fault::new(FaultKind::Rejected, "it is paused already"));
        note("one", &Ok(Answer::default()));
        let path = dir.path().join(FILES[0]);
        let mut file = OpenOptions::new().append(true).open(&path).expect("a file");
        file.write_all(b"{\"at\": \"cut o").expect("written");
        let from = Arc::from("http 127.0.0.1:1");
        on_behalf(from, async { note("two", &no) }).await;
        let lines = read(dir.path(), 10).expect("lines");
        let names: Vec<_> = lines.iter().map(|line| &line.about["sprint"]).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(lines[1].from, "http 127.0.0.1:1");
        assert_eq!(lines[1].why.as_deref(), Some("it is paused already"));
        let shown = text(&lines[1]);
        assert!(
            shown.contains("ada  pause  sprint two  (http 127.0.0.1:1)  refused"),
            "{shown}"
        );

        file.set_len(BYTES_MAX).expect("a large file");
        note("three", &Ok(Answer::default()));
        note("four", &Ok(Answer::default()));
        let mode = |name| {
            let about = fs::metadata(dir.path().join(name)).expect("a file");
            (
                std::os::unix::fs::MetadataExt::mode(&about) & 0o777,
                about.len(),
            )
        };
        assert_eq!(mode(FILES[0]).0, 0o600);
        assert!(mode(FILES[0]).1 < 1_000, "a new file was begun");
        let lines = read(dir.path(), 3).expect("lines");
        let names: Vec<_> = lines.iter().map(|line| &line.about["sprint"]).collect();
        assert_eq!(names, ["two", "three", "four"]);
    }
}
