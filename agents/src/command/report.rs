//! The report file: what a command says about its work, in JSON, at the end and while it works.
//!
//! Read with tolerance where nothing hangs on it: unknown keys are fine, what has the wrong type or looks like a slip of a known
//! key is left out and *named* in [`Said::notes`], so that its author learns of it; the rest counts.
//!
//! Invariant: what may have been a blocker or a verdict is never overlooked, see [`Said::objection`]: an attempt with a report that
//! is no JSON object, or with a blocker that cannot be read, is not done, and who judges without a readable verdict has not judged.
//!
//! Elsewhere: where the file lies is `files`; what its content means for the attempt is the agent's.

use std::io::{self, Read};
use std::path::Path;

use director_protocols::digest::Digest;
use director_protocols::manifest::misspelt;
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};
use director_protocols::work::{Artifact, BlockerReport, CriterionAnswer, Report};
use director_runtime::blobs::Blobs;
use serde_json::{Map, Value};

use crate::agent::Turn;
use crate::inside;

/// The longest report file that is read, in bytes.
pub const REPORT_BYTES_MAX: u64 = 1 << 20;
/// The longest artifact whose content is hashed, in bytes; a longer one keeps its name and length.
pub const HASHED_BYTES_MAX: u64 = 64 << 20;
/// Wrong types are named up to this number; more are counted.
const NOTES_MAX: usize = 10;
/// What a report file can hold.
const KEYS: [&str; 11] = [
    "summary",
    "artifacts",
    "hours_spent",
    "feedback",
    "acceptance",
    "findings",
    "cost_usd",
    "progress",
    "doing",
    "blocker",
    "limited",
];

/// That a provider takes no more requests of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// What it said.
    pub reason: String,
    /// For how long from now on, where it said so.
    pub wait: Option<Span>,
}

impl Limited {
    /// The turn that it comes to.
    pub fn turn(self, now: Time) -> Turn {
        Turn::Limited {
            reason: self.reason,
            until: self.wait.map(|wait| now + wait),
        }
    }
}

/// What a report file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What was done.
    pub report: Report,
    /// What holds the work up.
    pub blocker: Option<BlockerReport>,
    /// That a provider takes no more requests.
    pub limited: Option<Limited>,
    /// How far it is, 0 to 100.
    pub progress: Option<u8>,
    /// What is being done now; empty where only the summary says it.
    pub doing: String,
    /// What in the file could not be understood.
    pub notes: Vec<String>,
    /// Whether there is a file.
    pub is_there: bool,
    /// Why no work can count as done with this file: it is no object, or may speak of a blocker that cannot be read.
    pub fault: Option<String>,
    /// Why the file is no verdict on another's work.
    pub undecided: Option<String>,
}

/// What it means that one who judges wrote no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Its exit code says all: 0 accepts.
    Accepts,
    /// Nothing was judged.
    SaysNothing,
}

impl Said {
    fn nothing(note: String) -> Self {
        Self {
            notes: vec![note.clone()],
            is_there: true,
            fault: Some(note),
            ..Self::default()
        }
    }

    /// Why an attempt that ended well is not done all the same; `judges` is whether it was to judge another's work.
    pub fn objection(&self, judges: bool, silence: Silence) -> Option<String> {
        if let Some(fault) = &self.fault {
            return Some(format!(
                "its report file was not understood: {fault}; write one JSON object to the file that DIRECTOR_REPORT names"
            ));
        }
        let why = match (judges, self.is_there, silence) {
            (false, ..) | (true, false, Silence::Accepts) => return None,
            (true, false, Silence::SaysNothing) => "it wrote no report",
            (true, true, _) => self.undecided.as_deref()?,
        };
        Some(format!(
            "it gave no verdict: {why}; the report has to list in `findings` what has to be changed, one text each, and an empty list accepts the work"
        ))
    }

    /// The notes as one sentence, if there are any.
    pub fn complaint(&self) -> Option<String> {
        if self.notes.is_empty() {
            return None;
        }
        let shown = &self.notes[..self.notes.len().min(NOTES_MAX)];
        let more = self.notes.len() - shown.len();
        let more = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        Some(format!(
            "the report file was not understood in full: {}{more}",
            shown.join("; ")
        ))
    }
}

/// Reads the report file. A file that does not exist says nothing, and that is fine.
pub fn read(path: &Path) -> Said {
    match bytes(path) {
        Ok(None) => Said::default(),
        Ok(Some(bytes)) => parse(&bytes),
        Err(note) => Said::nothing(note),
    }
}

/// The fields of a report file, whatever they say; none where there is no file.
///
/// # Errors
/// In words: it cannot be read, or is no JSON object.
pub(super) fn object(path: &Path) -> Result<Map<String, Value>, String> {
    match bytes(path)? {
        None => Ok(Map::new()),
        Some(bytes) => fields(&bytes),
    }
}

fn bytes(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(None);
    };
    let file = match inside::open(dir, Path::new(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("it cannot be opened: {error}")),
    };
    let mut bytes = Vec::new();
    file.take(REPORT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() as u64 > REPORT_BYTES_MAX {
        return Err(format!("it is longer than {REPORT_BYTES_MAX} bytes"));
    }
    Ok(Some(bytes))
}

/// Understands the content of a report file.
pub fn parse(bytes: &[u8]) -> Said {
    match fields(bytes) {
        Ok(fields) => Reader {
            fields,
            notes: Vec::new(),
            fault: None,
        }
        .read(),
        Err(note) => Said::nothing(note),
    }
}

fn fields(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(format!("it is {}, not an object", type_of(&other))),
        Err(error) => Err(format!("it is no JSON: {error}")),
    }
}

struct Reader {
    fields: Map<String, Value>,
    notes: Vec<String>,
    fault: Option<String>,
}

impl Reader {
    fn read(mut self) -> Said {
        let has_findings = matches!(self.fields.get("findings"), Some(value) if !value.is_null());
        let acceptance = self.list("acceptance", criterion);
        let findings = self.list("findings", |item| item.as_str().map(str::to_owned));
        let mut unread = self.notes.clone();
        let report = Report {
            summary: self.text("summary"),
            artifacts: self.list("artifacts", artifact),
            hours_spent: self.number("hours_spent", Span::from_hours),
            feedback: self.text("feedback"),
            acceptance,
            findings,
            cost_micros: self.number("cost_usd", micros).unwrap_or(0),
        };
        let progress = self.number("progress", percent);
        let doing = self.text("doing");
        let blocker = self.blocker();
        let limited = self.limited();
        unread.extend(self.slips());
        if !has_findings && report.acceptance.is_empty() {
            unread.push("it has no `findings`".to_owned());
        }
        Said {
            report,
            blocker,
            limited,
            progress,
            doing,
            notes: self.notes,
            is_there: true,
            fault: self.fault,
            undecided: (!unread.is_empty()).then(|| unread.join("; ")),
        }
    }

    /// Notes the keys that are slips of known ones; those that a verdict hangs on are the answer.
    fn slips(&mut self) -> Vec<String> {
        let mut of_verdict = Vec::new();
        for (key, value) in std::mem::take(&mut self.fields) {
            let near = misspelt(&key, &KEYS).filter(|_| !value.is_null());
            let Some(near) = near else { continue };
            let key: String = key
                .chars()
                .flat_map(char::escape_default)
                .take(60)
                .collect();
            let note = format!("`{key}` is not known; did you mean `{near}`?");
            match near {
                "blocker" if is_something(&value) => self.fault = Some(note.clone()),
                "findings" | "acceptance" => of_verdict.push(note.clone()),
                _ => {}
            }
            self.notes.push(note);
        }
        of_verdict
    }

    /// A field that is there and not null.
    fn field(&mut self, key: &str) -> Option<Value> {
        self.fields.remove(key).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, key: &str, value: &Value, wanted: &str) {
        self.notes
            .push(format!("`{key}` is {}, not {wanted}", type_of(value)));
    }

    fn text(&mut self, key: &str) -> String {
        match self.field(key) {
            Some(Value::String(text)) => text,
            Some(other) => {
                self.wrong(key, &other, "a text");
                String::new()
            }
            None => String::new(),
        }
    }

    fn number<T>(&mut self, key: &str, read: impl Fn(f64) -> Option<T>) -> Option<T> {
        let value = self.field(key)?;
        let Some(number) = value.as_f64() else {
            self.wrong(key, &value, "a number");
            return None;
        };
        let read = read(number);
        if read.is_none() {
            self.notes
                .push(format!("`{key}` is {number}, which makes no sense"));
        }
        read
    }

    fn list<T>(&mut self, key: &str, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        let values = match self.field(key) {
            Some(Value::Array(values)) => values,
            Some(other) => {
                self.wrong(key, &other, "a list");
                return Vec::new();
            }
            None => return Vec::new(),
        };
        let mut items = Vec::new();
        for (place, value) in values.iter().enumerate() {
            match read(value) {
                Some(item) => items.push(item),
                None => self
                    .notes
                    .push(format!("`{key}[{place}]` has another shape than expected")),
            }
        }
        items
    }

    fn limited(&mut self) -> Option<Limited> {
        let fields = match self.field("limited")? {
            Value::Object(fields) => fields,
            // To overlook it would be worse: the attempt would count as a failure.
            Value::String(reason) => return Some(Limited { reason, wait: None }),
            other => {
                self.wrong("limited", &other, "an object");
                return None;
            }
        };
        let wait = fields
            .get("seconds")
            .and_then(|seconds| match seconds.as_u64() {
                None => {
                    self.wrong("limited.seconds", seconds, "a whole number");
                    None
                }
                Some(seconds) => Some(Span(seconds.saturating_mul(1_000))),
            });
        let reason = fields.get("reason").and_then(Value::as_str);
        Some(Limited {
            reason: reason
                .unwrap_or("the provider takes no more requests")
                .to_owned(),
            wait,
        })
    }

    fn blocker(&mut self) -> Option<BlockerReport> {
        let fields = match self.field("blocker")? {
            Value::Object(fields) => fields,
            // The meaning is clear enough, and to overlook a blocker would be worse.
            Value::String(text) => {
                return Some(BlockerReport {
                    kind: unspecified(),
                    severity: Severity::Medium,
                    text,
                });
            }
            other => {
                self.wrong("blocker", &other, "an object");
                self.fault = self.notes.last().cloned();
                return None;
            }
        };
        let said = |key: &str| fields.get(key).and_then(Value::as_str);
        let severity = match said("severity") {
            Some(word) => serde_json::from_value(Value::from(word)).unwrap_or_else(|_| {
                self.notes.push(format!(
                    "`blocker.severity` is {word:?}, not low, medium, high or critical; taken as medium"
                ));
                Severity::Medium
            }),
            None => Severity::Medium,
        };
        Some(BlockerReport {
            kind: said("type")
                .or_else(|| said("kind"))
                .map_or_else(unspecified, str::to_owned),
            severity,
            text: said("text").unwrap_or("(no text was given)").to_owned(),
        })
    }
}

/// Whether somebody may mean something by it.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(is_something),
        Value::Bool(said) => *said,
        Value::Null | Value::Number(_) => false,
    }
}

fn unspecified() -> String {
    "unspecified".to_owned()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn percent(number: f64) -> Option<u8> {
    (0.0..=100.0)
        .contains(&number)
        .then(|| number.round() as u8)
}

/// Dollars to millionths; a million dollars is more than anything here costs.
pub(crate) fn micros(dollars: f64) -> Option<u64> {
    (0.0..=1e6)
        .contains(&dollars)
        .then(|| (dollars * 1e6).round() as u64)
}

fn artifact(value: &Value) -> Option<Artifact> {
    let named = |name: &str, kind: &str| Artifact {
        name: name.to_owned(),
        kind: kind.to_owned(),
        sha256: String::new(),
        bytes: 0,
    };
    match value {
        Value::String(name) => Some(named(name, "")),
        Value::Object(fields) => {
            let said = |key: &str| fields.get(key).and_then(Value::as_str);
            let name = said("name").or_else(|| said("path"))?;
            Some(named(
                name,
                said("kind").or_else(|| said("type")).unwrap_or(""),
            ))
        }
        _ => None,
    }
}

fn criterion(value: &Value) -> Option<CriterionAnswer> {
    let fields = value.as_object()?;
    let said = |key: &str| fields.get(key).and_then(Value::as_str);
    Some(CriterionAnswer {
        criterion: said("criterion")?.to_owned(),
        met: fields.get("met")?.as_bool()?,
        evidence: said("evidence").unwrap_or("").to_owned(),
    })
}

/// Names an artifact by its content if it is a file in the directory the work was done in. What an agent claims about a
/// hash does not count. With `blobs` the content is kept there first, so that a name always has its content; an artifact whose
/// content could not be kept stays without a hash.
pub fn name_by_content(artifact: &mut Artifact, workdir: &Path, blobs: Option<&Blobs>) {
    let Ok(file) = inside::open(workdir, Path::new(&artifact.name)) else {
        return;
    };
    artifact.bytes = file.metadata().map_or(0, |found| found.len());
    let mut content = Vec::new();
    if artifact.bytes <= HASHED_BYTES_MAX
        && matches!(file.take(HASHED_BYTES_MAX + 1).read_to_end(&mut content), Ok(read) if read as u64 <= HASHED_BYTES_MAX)
    {
        artifact.bytes = content.len() as u64;
        match blobs.map_or_else(|| Ok(Digest::of(&content)), |blobs| blobs.put(&content)) {
            Ok(digest) => artifact.sha256 = digest.to_string(),
            Err(error) => tracing::warn!(artifact = artifact.name, %error, "artifact not kept"),
        }
    }
}

#[cfg(test)]
mod tests;
