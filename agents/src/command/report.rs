//! The report file: what a command says about its work, in JSON, at the end and while it works.
//!
//! Read with tolerance: unknown keys are fine, what has the wrong type is left out and *named* in [`Said::notes`], so
//! that its author learns of it; the rest counts. A file that is no JSON object says nothing but its note.
//!
//! Elsewhere: where the file lies is `files`; what its content means for the attempt is the agent's.

use std::io::{self, Read};
use std::path::Path;

use director_protocols::digest::Digest;
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
}

impl Said {
    fn nothing(note: String) -> Self {
        Self {
            notes: vec![note],
            ..Self::default()
        }
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

/// The fields of a report file, whatever they say; `None` where it has none.
pub(super) fn object(path: &Path) -> Option<Map<String, Value>> {
    serde_json::from_slice(&bytes(path).ok()??).ok()
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
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Said::default();
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Reader {
            fields,
            notes: Vec::new(),
        }
        .read(),
        Ok(other) => Said::nothing(format!("it is {}, not an object", type_of(&other))),
        Err(error) => Said::nothing(format!("it is no JSON: {error}")),
    }
}

struct Reader {
    fields: Map<String, Value>,
    notes: Vec<String>,
}

impl Reader {
    fn read(mut self) -> Said {
        let report = Report {
            summary: self.text("summary"),
            artifacts: self.list("artifacts", artifact),
            hours_spent: self.number("hours_spent", Span::from_hours),
            feedback: self.text("feedback"),
            acceptance: self.list("acceptance", criterion),
            findings: self.list("findings", |item| item.as_str().map(str::to_owned)),
            cost_micros: self.number("cost_usd", micros).unwrap_or(0),
        };
        let progress = self.number("progress", percent);
        let doing = self.text("doing");
        let blocker = self.blocker();
        let limited = self.limited();
        Said {
            report,
            blocker,
            limited,
            progress,
            doing,
            notes: self.notes,
        }
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
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_full_report_is_read_and_unknown_keys_are_fine() {
        let said = parse(
            br#"{"summary": "built it", "artifacts": ["a.txt", {"path": "b.md", "kind": "docs", "x": 1}],
                "progress": 99.6, "hours_spent": 1.5, "feedback": "estimate was low", "mood": "good",
                "acceptance": [{"criterion": "401 on bad password", "met": true, "evidence": "test"}],
                "cost_usd": 0.25, "blocker": null}"#,
        );
        assert_eq!(
            (said.complaint(), said.progress, said.blocker),
            (None, Some(100), None)
        );
        let Report {
            summary,
            artifacts,
            hours_spent,
            acceptance,
            cost_micros,
            ..
        } = said.report;
        assert_eq!(
            (summary.as_str(), hours_spent),
            ("built it", Some(Span::minutes(90)))
        );
        let names: Vec<_> = artifacts
            .iter()
            .map(|a| (a.name.as_str(), a.kind.as_str()))
            .collect();
        assert_eq!(names, [("a.txt", ""), ("b.md", "docs")]);
        assert!(acceptance[0].met);
        assert_eq!(cost_micros, 250_000);
    }

    #[test]
    fn what_has_the_wrong_type_is_named_and_the_rest_counts() {
        for (json, complaint) in [
            ("[]", Some("it is a list, not an object")),
            (
                "{\"summary\": 4}",
                Some("`summary` is a number, not a text"),
            ),
            (
                "{\"summary\": \"s\", \"progress\": 101}",
                Some("`progress` is 101, which makes no sense"),
            ),
            (
                "{\"hours_spent\": -1}",
                Some("`hours_spent` is -1, which makes no sense"),
            ),
            (
                "{\"hours_spent\": \"two\"}",
                Some("`hours_spent` is a text, not a number"),
            ),
            (
                "{\"artifacts\": [1, \"a\"]}",
                Some("`artifacts[0]` has another shape than expected"),
            ),
            (
                "{\"blocker\": []}",
                Some("`blocker` is a list, not an object"),
            ),
            (
                "{\"summary\": ",
                Some("it is no JSON: EOF while parsing a value at line 1 column 12"),
            ),
            ("", None),
            (" \n", None),
        ] {
            let expected = complaint.map(|complaint| {
                format!("the report file was not understood in full: {complaint}")
            });
            assert_eq!(parse(json.as_bytes()).complaint(), expected, "case: {json}");
        }
        let many = format!("{{\"artifacts\": [{}]}}", ["1"; 12].join(","));
        assert!(
            parse(many.as_bytes())
                .complaint()
                .unwrap()
                .ends_with("; and 2 more")
        );
    }

    #[test]
    fn a_blocker_is_heard_however_it_is_put() {
        for (json, kind, severity, text) in [
            (
                r#"{"type": "access", "severity": "high", "text": "no key"}"#,
                "access",
                Severity::High,
                "no key",
            ),
            (
                r#"{"kind": "access", "severity": "awful"}"#,
                "access",
                Severity::Medium,
                "(no text was given)",
            ),
            (r#""no key""#, "unspecified", Severity::Medium, "no key"),
        ] {
            let said = parse(format!("{{\"blocker\": {json}}}").as_bytes());
            let expected = BlockerReport {
                kind: kind.into(),
                severity,
                text: text.into(),
            };
            assert_eq!(said.blocker, Some(expected), "case: {json}");
        }
    }

    #[test]
    fn an_artifact_is_named_by_what_it_holds_and_only_inside_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        fs::write(dir.path().join("secret"), "s").unwrap();
        fs::write(dir.path().join("work/a.txt"), "abc").unwrap();
        let mut report =
            parse(br#"{"artifacts": ["a.txt", "../secret", "/etc/hostname", "gone"]}"#).report;
        for artifact in &mut report.artifacts {
            name_by_content(artifact, &dir.path().join("work"), None);
        }
        let named: Vec<_> = report
            .artifacts
            .iter()
            .map(|a| (a.bytes, !a.sha256.is_empty()))
            .collect();
        assert_eq!(named, [(3, true), (0, false), (0, false), (0, false)]);
        assert_eq!(
            report.artifacts[0].sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_report_that_is_no_plain_file_or_too_long_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(&dir.path().join("none")), Said::default());
        assert!(
            read(dir.path())
                .complaint()
                .unwrap()
                .contains("not a regular file")
        );
        let long = dir.path().join("long");
        fs::write(&long, vec![b' '; REPORT_BYTES_MAX as usize + 1]).unwrap();
        assert!(
            read(&long)
                .complaint()
                .unwrap()
                .contains("longer than 1048576 bytes")
        );
    }
}
