//! What an agent at work says by other ways than its report file goes into that file.
//!
//! So there is one account of an attempt and one way on from it, whichever way it came in; the same said twice is there once.
//!
//! Invariant: the file is replaced as a whole; whoever reads it finds the old one or the new one.
//! Elsewhere: who may say something is `director::control::assigned`; what it means is [`super::report`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

use super::report::REPORT_BYTES_MAX;

/// The directory with the report in that of an attempt; the agent's own.
const DIR: &str = "said";
/// The report's file in there.
const FILE: &str = "report.json";
/// The file that says which tools an agent is offered, in the directory of an attempt.
pub(crate) const TOOLS: &str = "mcp.json";
/// The hand-off's file in the directory of an attempt.
pub const HANDOFF: &str = "handoff.json";

/// Two that write at once would lose one of both.
static WRITING: Mutex<()> = Mutex::new(());

/// The report's file, below the directory of an attempt.
pub fn file(attempt_dir: &Path) -> PathBuf {
    attempt_dir.join(DIR).join(FILE)
}

/// Puts fields into the report in the directory of an attempt, in the place of those with the same name.
///
/// # Errors
/// In words: the attempt has no such directory, what the agent wrote there itself cannot be understood, the report would be too long,
/// or it cannot be written.
pub fn merge(attempt_dir: &Path, fields: Map<String, Value>) -> Result<(), String> {
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let (file, new) = (file(attempt_dir), attempt_dir.join("report.json.new"));
    let failed = |error: io::Error| format!("the report cannot be written: {error}");
    // What the agent wrote by itself may have been a blocker: to write over it would be to overlook it.
    let mut report = super::report::object(&file).map_err(|why| {
        format!("the report file that is there was not understood: {why}; write it anew or delete it, then say this again")
    })?;
    report.extend(fields);
    let text = serde_json::to_vec(&report).map_err(|error| error.to_string())?;
    if text.len() as u64 > REPORT_BYTES_MAX {
        return Err(format!(
            "the report would be longer than {} KiB; say less",
            REPORT_BYTES_MAX >> 10
        ));
    }
    fs::write(&new, text).map_err(failed)?;
    fs::rename(&new, &file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::command::report;

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn what_is_said_joins_what_the_agent_wrote_and_twice_is_once() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join(DIR)).expect("made");
        fs::write(file(dir.path()), r#"{"feedback": "mine"}"#).expect("written");
        let said = fields(json!({ "summary": "built", "progress": 40, "doing": "tests" }));
        for _ in 0..2 {
            merge(dir.path(), said.clone()).expect("said");
        }
        merge(dir.path(), fields(json!({ "progress": 60 }))).expect("said");
        let found = report::read(&file(dir.path()));
        assert_eq!(found.complaint(), None);
        assert_eq!((found.progress, found.doing.as_str()), (Some(60), "tests"));
        assert_eq!(found.report.feedback, "mine");
        assert_eq!(found.report.summary, "built");
        let long = fields(json!({ "summary": "x".repeat(1 << 20) }));
        let why = merge(dir.path(), long).expect_err("too long");
        assert!(why.contains("longer than 1024 KiB"), "{why}");
        assert!(merge(&dir.path().join("nowhere"), said.clone()).is_err());
        fs::write(file(dir.path()), r#"{"blocker": "no ke"#).expect("written");
        let why = merge(dir.path(), said).expect_err("it would be lost");
        assert!(why.contains("was not understood: it is no JSON"), "{why}");
    }
}
