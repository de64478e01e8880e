//! Understands the events of a headless coding agent (`--output-format stream-json`), one JSON object a line.
//!
//! Pure: lines go in, [`Heard`] says what is new, and the end is judged by [`Stream::verdict`] from the result object
//! *and* the exit code, because neither suffices: an agent that is not logged in says `subtype: "success"` beside
//! `is_error: true`; one that was denied a tool exits with 0 and has not done its work; one that was interrupted exits with 0
//! and says nothing. What is no JSON, or of an unknown type, is passed over: the log has it.
//!
//! One that has spent what `--max-budget-usd` allows says `error_max_budget_usd`, beside `is_error` true or false. That flag counts what the
//! process itself spends; `total_cost_usd` does so up to 2.1.276, and from 2.1.277 on goes on from the earlier turns of a resumed session
//! (its changelog). The first event names the version.
//!
//! Elsewhere: starting the program and telling the director is `headless`.

use std::collections::BTreeSet;

use director_protocols::work::Report;
use serde_json::Value;

use super::attempt::{Dialect, Ended, Heard, denied};
use super::limits::limit;
use crate::agent::Turn;
use crate::command::report::micros;

/// Tool calls that can be open at once; more are not followed.
const TOOLS_MAX: usize = 1_000;
/// The first version whose cost of a resumed session goes on from that of its earlier turns.
const GOES_ON: [u32; 3] = [2, 1, 277];

/// What the agent said at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    subtype: String,
    is_error: bool,
    text: String,
    status: Option<u64>,
    denied: Vec<String>,
}

/// All that was understood so far.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    session: Option<String>,
    tools: BTreeSet<String>,
    denied: Vec<String>,
    last_text: String,
    outcome: Option<Outcome>,
    cost_micros: Option<u64>,
    version: Option<[u32; 3]>,
    events: u64,
    passed_over: u64,
}

impl Stream {
    fn assistant(&mut self, event: &Value, heard: &mut Vec<Heard>) {
        for part in parts(event) {
            match part["type"].as_str() {
                Some("tool_use") => {
                    let name = part["name"].as_str().unwrap_or("a tool");
                    heard.push(Heard::Doing(format!("uses {name}")));
                    if let Some(id) = part["id"].as_str()
                        && self.tools.len() < TOOLS_MAX
                    {
                        self.tools.insert(id.to_owned());
                    }
                }
                Some("text") => {
                    let text = part["text"].as_str().unwrap_or("").trim();
                    if let Some(line) = text.lines().next() {
                        self.last_text = text.to_owned();
                        heard.push(Heard::Doing(line.to_owned()));
                    }
                }
                _ => {}
            }
        }
    }

    fn tool_results(&mut self, event: &Value) {
        for part in parts(event) {
            if let Some(id) = part["tool_use_id"].as_str() {
                self.tools.remove(id);
            }
        }
    }

    fn result(&mut self, event: &Value, subtype: &str) {
        self.tools.clear();
        self.cost_micros = event["total_cost_usd"].as_f64().and_then(micros);
        let denials = event["permission_denials"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let tool = |denial: &Value| denial["tool_name"].as_str().unwrap_or("a tool").to_owned();
        self.outcome = Some(Outcome {
            subtype: subtype.to_owned(),
            // Only a clear *no* is one.
            is_error: event["is_error"] != Value::Bool(false),
            text: event["result"].as_str().unwrap_or("").trim().to_owned(),
            status: event["api_error_status"].as_u64(),
            denied: denials.iter().map(tool).collect(),
        });
    }

    /// Whether anything was understood at all.
    pub fn heard_anything(&self) -> bool {
        self.events > 0
    }

    /// Lines that were no JSON objects.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }
}

impl Dialect for Stream {
    fn line(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let Ok(Value::Object(event)) = serde_json::from_slice(bytes) else {
            self.passed_over += u64::from(!bytes.iter().all(u8::is_ascii_whitespace));
            return Vec::new();
        };
        let event = Value::Object(event);
        self.events += 1;
        let mut heard = Vec::new();
        if let Some(session) = event["session_id"].as_str()
            && self.session.as_deref() != Some(session)
        {
            self.session = Some(session.to_owned());
            heard.push(Heard::Session(session.to_owned()));
        }
        match (
            event["type"].as_str().unwrap_or(""),
            event["subtype"].as_str().unwrap_or(""),
        ) {
            ("assistant", _) => self.assistant(&event, &mut heard),
            ("user", _) => self.tool_results(&event),
            ("system", "api_retry") => {
                let attempt = event["attempt"].as_u64().unwrap_or(0);
                heard.push(Heard::Doing(format!(
                    "waiting for the model, retry {attempt}"
                )));
            }
            ("system", "init") => {
                self.version = event["claude_code_version"].as_str().and_then(version);
            }
            ("system", "permission_denied") => {
                self.denied
                    .push(event["tool_name"].as_str().unwrap_or("a tool").to_owned());
            }
            ("result", subtype) => self.result(&event, subtype),
            _ => {}
        }
        heard
    }

    fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    fn tools_in_flight(&self) -> usize {
        self.tools.len()
    }

    fn cost_micros(&self) -> Option<u64> {
        self.cost_micros
    }

    fn counts_on(&self) -> Option<bool> {
        Some(self.version? >= GOES_ON)
    }

    fn verdict(&self, ended: Ended) -> Turn {
        let exit_code = ended.code();
        let failed = |reason: String| Turn::Failed { reason, exit_code };
        let Some(outcome) = &self.outcome else {
            return failed(match ended {
                Ended::Code(0) => {
                    "the agent ended without a result, as it does when it is interrupted".to_owned()
                }
                Ended::Code(code) => {
                    format!("the agent ended with exit code {code} and without a result")
                }
                Ended::Otherwise => "the agent was ended before it had a result".to_owned(),
            });
        };
        if outcome.subtype == "error_max_budget_usd" {
            return Turn::BudgetReached;
        }
        if let Some(turn) = denied(outcome.denied.iter().chain(&self.denied)) {
            return turn;
        }
        if outcome.is_error
            && let Some(until) = limit(outcome.status, &outcome.text)
        {
            let reason = outcome.text.clone();
            return Turn::Limited { reason, until };
        }
        match (outcome.subtype.as_str(), outcome.is_error, ended) {
            ("error_max_turns", ..) => failed("the agent used up its turns".to_owned()),
            (_, true, _) => failed(match outcome.status {
                Some(status) => format!("the model's service answered {status}: {}", outcome.text),
                None => format!("the agent reports an error: {}", outcome.text),
            }),
            ("success", false, Ended::Code(0)) => Turn::Done(Report {
                summary: if outcome.text.is_empty() {
                    self.last_text.clone()
                } else {
                    outcome.text.clone()
                },
                ..Report::default()
            }),
            (subtype, false, Ended::Code(0)) => failed(format!("the agent ended with `{subtype}`")),
            (_, false, Ended::Code(code)) => failed(format!(
                "the agent reports success and ended with exit code {code}"
            )),
            (_, false, Ended::Otherwise) => failed("the agent was ended".to_owned()),
        }
    }
}

/// `2.1.277`, whatever follows.
fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.splitn(3, '.');
    let mut next = || {
        let part = parts.next()?;
        let end = part.find(|c: char| !c.is_ascii_digit());
        part[..end.unwrap_or(part.len())].parse().ok()
    };
    Some([next()?, next()?, next()?])
}

fn parts(event: &Value) -> &[Value] {
    event["message"]["content"]
        .as_array()
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INIT: &str = r#"{"type":"system","subtype":"init","session_id":"s-1"}"#;
    const DONE: &str = r#"{"type":"result","subtype":"success","is_error":false,"result":"All done.","session_id":"s-1","total_cost_usd":0.5,"permission_denials":[]}"#;

    fn verdict(lines: &[&str], ended: Ended) -> String {
        let mut stream = Stream::default();
        for line in lines {
            stream.line(line.as_bytes());
        }
        match stream.verdict(ended) {
            Turn::Done(report) => format!("done: {}", report.summary),
            Turn::Blocked(blocker) => {
                format!("blocked {}: {}", blocker.severity.as_str(), blocker.text)
            }
            Turn::Failed { reason, .. } => format!("failed: {reason}"),
            Turn::Limited { reason, .. } => format!("limited: {reason}"),
            Turn::BudgetReached => "budget reached".to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn neither_the_exit_code_nor_the_subtype_alone_makes_success() {
        let not_logged_in =
            r#"{"type":"result","subtype":"success","is_error":true,"result":"Please log in"}"#;
        let busy = r#"{"type":"result","subtype":"success","is_error":true,"api_error_status":429,"result":"slow down"}"#;
        let turns = r#"{"type":"result","subtype":"error_max_turns","is_error":true}"#;
        let denied = r#"{"type":"result","subtype":"success","is_error":false,"result":"I could not","permission_denials":[{"tool_name":"Bash"},{"tool_name":"Bash"},{"tool_name":"Edit"}]}"#;
        let event = r#"{"type":"system","subtype":"permission_denied","tool_name":"Write"}"#;
        let odd = r#"{"type":"result","subtype":"paused","is_error":false}"#;
        let unsaid = r#"{"type":"result","subtype":"success","result":"x"}"#;
        let spent = r#"{"type":"result","subtype":"error_max_budget_usd","is_error":true,"total_cost_usd":2.01,"errors":["Reached maximum budget ($2)"],"permission_denials":[{"tool_name":"Bash"}]}"#;
        let no_error = r#"{"type":"result","subtype":"error_max_budget_usd","is_error":false,"total_cost_usd":2.01}"#;
        for (case, lines, ended, expected) in [
            (
                "success",
                vec![INIT, DONE],
                Ended::Code(0),
                "done: All done.",
            ),
            (
                "not logged in",
                vec![INIT, not_logged_in],
                Ended::Code(1),
                "failed: the agent reports an error: Please log in",
            ),
            (
                "busy",
                vec![INIT, busy],
                Ended::Code(1),
                "limited: slow down",
            ),
            (
                "turn cap",
                vec![INIT, turns],
                Ended::Code(1),
                "failed: the agent used up its turns",
            ),
            (
                "budget",
                vec![INIT, spent],
                Ended::Code(1),
                "budget reached",
            ),
            (
                "budget, as it was said once",
                vec![INIT, no_error],
                Ended::Code(0),
                "budget reached",
            ),
            (
                "denied",
                vec![INIT, denied],
                Ended::Code(0),
                "blocked medium: the agent was not allowed to use: Bash, Edit; allow it in the agent's settings or do this part by hand",
            ),
            (
                "denied by event",
                vec![INIT, event, DONE],
                Ended::Code(0),
                "blocked medium: the agent was not allowed to use: Write; allow it in the agent's settings or do this part by hand",
            ),
            (
                "interrupted",
                vec![INIT],
                Ended::Code(0),
                "failed: the agent ended without a result, as it does when it is interrupted",
            ),
            (
                "killed",
                vec![INIT],
                Ended::Otherwise,
                "failed: the agent was ended before it had a result",
            ),
            (
                "unknown session",
                vec!["No conversation found"],
                Ended::Code(1),
                "failed: the agent ended with exit code 1 and without a result",
            ),
            (
                "another subtype",
                vec![odd],
                Ended::Code(0),
                "failed: the agent ended with `paused`",
            ),
            (
                "no is_error",
                vec![unsaid],
                Ended::Code(0),
                "failed: the agent reports an error: x",
            ),
            (
                "success and exit 1",
                vec![DONE],
                Ended::Code(1),
                "failed: the agent reports success and ended with exit code 1",
            ),
        ] {
            assert_eq!(verdict(&lines, ended), expected, "case: {case}");
        }
    }

    #[test]
    fn the_version_says_whether_a_resumed_session_counts_on() {
        for (said, expected) in [
            (r#""2.1.277""#, Some(true)),
            (r#""2.1.276""#, Some(false)),
            (r#""2.2.0-beta.1""#, Some(true)),
            (r#""2.1.300 (Claude Code)""#, Some(true)),
            (r#""3.0.1""#, Some(true)),
            (r#""2.1""#, None),
            (r#""99999999999.1.1""#, None),
            (r#""new""#, None),
            ("7", None),
        ] {
            let mut stream = Stream::default();
            let line =
                format!(r#"{{"type":"system","subtype":"init","claude_code_version":{said}}}"#);
            stream.line(line.as_bytes());
            assert_eq!(stream.counts_on(), expected, "case: {said}");
        }
        assert_eq!(Stream::default().counts_on(), None);
    }

    #[test]
    fn what_is_no_json_is_passed_over_and_tools_in_flight_are_counted() {
        let mut stream = Stream::default();
        let call = r#"{"type":"assistant","session_id":"s-1","message":{"content":[{"type":"text","text":"Now\nthe tests"},{"type":"tool_use","id":"t1","name":"Bash"}]}}"#;
        let answer =
            r#"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t1"}]}}"#;
        for line in [
            "Warning: old node",
            "",
            "[1]",
            "{\"type\":7}",
            "{\"half\":",
            "\u{fffd}",
        ] {
            assert_eq!(stream.line(line.as_bytes()), []);
        }
        assert_eq!(stream.passed_over(), 4);
        let heard = stream.line(call.as_bytes());
        let doing = |text: &str| Heard::Doing(text.to_owned());
        assert_eq!(
            heard,
            [
                Heard::Session("s-1".into()),
                doing("Now"),
                doing("uses Bash")
            ]
        );
        assert_eq!(stream.tools_in_flight(), 1);
        stream.line(answer.as_bytes());
        assert_eq!(stream.tools_in_flight(), 0);
        stream.line(DONE.as_bytes());
        assert_eq!(stream.cost_micros(), Some(500_000));
    }
}
