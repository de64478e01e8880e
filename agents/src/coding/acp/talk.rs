//! The director's half of a conversation over the Agent Client Protocol, version 1: JSON-RPC 2.0, a message a line.
//!
//! ```text
//! initialize ─▶ (authenticate) ─▶ session/resume | session/load | session/new ─▶ (session/set_mode) ─▶ session/prompt ─▶ over
//! ```
//!
//! Pure: lines go in, and what comes out is what to write next and what is new. One request of ours is open at a time. What the
//! agent asks is answered at once: whether it may use a tool by the tool's kind, anything else with *no such method*, because the
//! agent's own tools work in its worktree. What is no JSON, or of an unknown type, is passed over: the log has it.
//!
//! The messages are written by hand, in the manner of [`crate::coding::stream`]: the published types would make every JSON object of the
//! program keep its order, and refuse what a newer agent adds.
//!
//! Invariant: once it is over, nothing more is said.
//! Elsewhere: starting the program and telling the director is [`super`]. The protocol is described at <https://agentclientprotocol.com>.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, PathBuf};

use director_protocols::time::Time;
use director_protocols::work::{Report, TEXT_BYTES_MAX};
use serde_json::{Value, json};

use crate::agent::Turn;
use crate::coding::attempt::{Dialect, Ended, Heard, SERVER, Server, denied};
use crate::coding::limits::limit;
use crate::command::report::micros;
use crate::context::clip;

/// The version of the protocol that is spoken.
const VERSION: u64 = 1;
/// Tool calls that can be open at once; more are not followed.
const TOOLS_MAX: usize = 1_000;
/// What an agent may ask in one turn; one that asks more does nothing else, and what it does not read would pile up.
const ASKED_MAX: u32 = 10_000;
/// What JSON-RPC says of a method that there is not.
const NO_METHOD: i64 = -32601;
/// What an agent says that wants its user to log in first.
const LOGIN: i64 = -32000;

/// The kinds of tool that the protocol knows.
pub const KINDS: [&str; 10] = [
    "read",
    "edit",
    "delete",
    "move",
    "search",
    "execute",
    "think",
    "fetch",
    "switch_mode",
    "other",
];

/// The word that allows those kinds of tool also for files outside of the directory to work in.
pub const OUTSIDE: &str = "outside";

/// What a conversation is about.
#[derive(Debug, Default)]
pub struct Wants {
    /// The directory to work in, absolute.
    pub cwd: PathBuf,
    /// The prompt for a new session.
    pub prompt: String,
    /// The session to go on with, and the prompt for it.
    pub resume: Option<(String, String)>,
    /// The director's own tools.
    pub server: Option<Server>,
    /// Kinds of tool that may be used without anybody being asked, in the directory to work in; with [`OUTSIDE`], everywhere.
    pub allowed: BTreeSet<String>,
    /// The method to log in by, before anything else.
    pub auth: Option<String>,
    /// The mode to work in.
    pub mode: Option<String>,
}

/// Whose answer is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Initialize,
    Authenticate,
    Resume,
    New,
    Mode,
    Prompt,
}

impl Asked {
    fn method(self) -> &'static str {
        match self {
            Asked::Initialize => "initialize",
            Asked::Authenticate => "authenticate",
            Asked::Resume => "session/resume",
            Asked::New => "session/new",
            Asked::Mode => "session/set_mode",
            Asked::Prompt => "session/prompt",
        }
    }
}

/// How a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// The turn is over, for this reason.
    Stop(String),
    /// It did not get so far.
    Failed(String),
    /// The provider takes no more requests; until when, where that is said.
    Limited(String, Option<Time>),
}

/// A conversation about one prompt.
#[derive(Debug)]
pub struct Talk {
    wants: Wants,
    /// Whose answer is awaited, and the number of that request; none once it is over.
    awaited: Option<(Asked, u64)>,
    /// What the agent can go on with: the method, if there is one.
    resumes: Option<&'static str>,
    /// The ways to log in that the agent names.
    methods: Vec<String>,
    /// Whether the session is an earlier one.
    resumed: bool,
    session: Option<String>,
    /// Tool calls that have not ended, with their kind.
    tools: BTreeMap<String, String>,
    denied: BTreeSet<String>,
    /// What the agent is saying; what it said last.
    text: String,
    /// The message goes on with the next piece.
    continues: bool,
    cost_micros: Option<u64>,
    /// What the agent has asked so far.
    requests: u32,
    end: Option<End>,
}

impl Talk {
    /// A conversation, and what opens it.
    pub fn begin(wants: Wants) -> (Self, Vec<u8>) {
        let mut talk = Self {
            wants,
            awaited: None,
            resumes: None,
            methods: Vec::new(),
            resumed: false,
            session: None,
            tools: BTreeMap::new(),
            denied: BTreeSet::new(),
            text: String::new(),
            continues: false,
            cost_micros: None,
            requests: 0,
            end: None,
        };
        let hello = talk.ask(
            Asked::Initialize,
            json!({
                "protocolVersion": VERSION,
                "clientCapabilities": { "fs": { "readTextFile": false, "writeTextFile": false }, "terminal": false },
                "clientInfo": { "name": "director", "title": "director", "version": env!("CARGO_PKG_VERSION") },
            }),
        );
        (talk, hello)
    }

    fn ask(&mut self, what: Asked, params: Value) -> Vec<u8> {
        let id = self.awaited.map_or(0, |(_, id)| id + 1);
        self.awaited = Some((what, id));
        let method = match what {
            Asked::Resume => self.resumes.unwrap_or(what.method()),
            _ => what.method(),
        };
        line(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
    }

    fn over(&mut self, end: End) -> Vec<Heard> {
        self.end = Some(end);
        self.awaited = None;
        self.tools.clear();
        vec![Heard::Over]
    }

    fn answered(&mut self, what: Asked, message: &Value) -> Vec<Heard> {
        let result = &message["result"];
        let error = &message["error"];
        if !error.is_null() {
            return match what {
                // It does not know that session any more: one of its own, from the beginning.
                Asked::Resume => vec![Heard::Say(self.open_new())],
                _ => self.refused(what, error),
            };
        }
        match what {
            Asked::Initialize => {
                if result["protocolVersion"].as_u64() != Some(VERSION) {
                    let theirs = clip(result["protocolVersion"].to_string(), 40);
                    return self.over(End::Failed(format!(
                        "the agent speaks version {theirs} of the Agent Client Protocol, the director speaks {VERSION}; update one of them"
                    )));
                }
                let can = &result["agentCapabilities"];
                self.resumes = if can["sessionCapabilities"]["resume"].is_object() {
                    Some("session/resume")
                } else if can["loadSession"] == Value::Bool(true) {
                    Some("session/load")
                } else {
                    None
                };
                let methods = result["authMethods"].as_array();
                let names = methods
                    .into_iter()
                    .flatten()
                    .filter_map(|method| method["id"].as_str());
                self.methods = names
                    .take(20)
                    .map(|name| clip(name.to_owned(), 80))
                    .collect();
                vec![Heard::Say(match self.wants.auth.clone() {
                    Some(method) => self.ask(Asked::Authenticate, json!({ "methodId": method })),
                    None => self.open(),
                })]
            }
            Asked::Authenticate => vec![Heard::Say(self.open())],
            Asked::Resume => {
                let session = self
                    .wants
                    .resume
                    .as_ref()
                    .map(|(session, _)| session.clone());
                self.resumed = true;
                self.opened(session.unwrap_or_default(), result)
            }
            Asked::New => match result["sessionId"].as_str() {
                Some(session) => self.opened(session.to_owned(), result),
                None => self.over(End::Failed(
                    "the agent opened a session without an id".to_owned(),
                )),
            },
            Asked::Mode => vec![Heard::Say(self.prompt())],
            Asked::Prompt => {
                let stop = result["stopReason"].as_str().unwrap_or("no reason");
                let stop = clip(stop.to_owned(), 80);
                self.over(End::Stop(stop))
            }
        }
    }

    fn refused(&mut self, what: Asked, error: &Value) -> Vec<Heard> {
        let words = clip(
            error["message"].as_str().unwrap_or("no reason").to_owned(),
            1_000,
        );
        let detail = match &error["data"] {
            Value::Null => String::new(),
            Value::String(text) => format!(" ({})", clip(text.clone(), 1_000)),
            data => format!(" ({})", clip(data.to_string(), 1_000)),
        };
        if let Some(until) = limit(error["code"].as_u64(), &format!("{words}{detail}")) {
            return self.over(End::Limited(format!("{words}{detail}"), until));
        }
        let advice = match (error["code"].as_i64(), what) {
            (Some(LOGIN), _) | (_, Asked::Authenticate) => {
                let methods = match self.methods.is_empty() {
                    true => String::new(),
                    false => format!(
                        ", or set the option `auth` to one of {}",
                        self.methods.join(", ")
                    ),
                };
                format!(
                    "; log in with the program itself, or pass what it logs in with in `env`{methods}"
                )
            }
            (_, Asked::Mode) => "; correct the option `mode`".to_owned(),
            _ => String::new(),
        };
        self.over(End::Failed(format!(
            "the agent refuses {}: {words}{detail}{advice}",
            what.method()
        )))
    }

    fn open(&mut self) -> Vec<u8> {
        match (self.resumes, &self.wants.resume) {
            (Some(_), Some((session, _))) => {
                let mut params = self.room();
                params["sessionId"] = json!(session);
                self.ask(Asked::Resume, params)
            }
            _ => self.open_new(),
        }
    }

    fn open_new(&mut self) -> Vec<u8> {
        let params = self.room();
        self.ask(Asked::New, params)
    }

    /// Where to work and with which tools of ours.
    fn room(&self) -> Value {
        let server = self.wants.server.as_ref().map(|server| {
            let env = server.env.iter();
            let env: Vec<_> = env
                .map(|(name, value)| json!({ "name": name, "value": value }))
                .collect();
            json!({ "name": SERVER, "command": server.program, "args": server.args, "env": env })
        });
        json!({ "cwd": self.wants.cwd, "mcpServers": Vec::from_iter(server) })
    }

    fn opened(&mut self, session: String, result: &Value) -> Vec<Heard> {
        self.session = Some(session.clone());
        let next = match &self.wants.mode {
            Some(mode) if result["modes"]["currentModeId"].as_str() != Some(mode) => {
                let params = json!({ "sessionId": session, "modeId": mode });
                self.ask(Asked::Mode, params)
            }
            _ => self.prompt(),
        };
        vec![Heard::Session(session), Heard::Say(next)]
    }

    fn prompt(&mut self) -> Vec<u8> {
        let text = match (&self.wants.resume, self.resumed) {
            (Some((_, text)), true) => text,
            _ => &self.wants.prompt,
        };
        let params =
            json!({ "sessionId": self.session, "prompt": [{ "type": "text", "text": text }] });
        self.ask(Asked::Prompt, params)
    }

    /// Whether the agent may use a tool, by the option whose kind says so: names and places of options are the agent's own.
    fn permission(&mut self, id: &Value, params: &Value) -> Vec<u8> {
        let call = &params["toolCall"];
        let known = call["toolCallId"]
            .as_str()
            .and_then(|id| self.tools.get(id));
        let kind = call["kind"]
            .as_str()
            .or(known.map(String::as_str))
            .unwrap_or("other");
        let title = call["title"].as_str().unwrap_or(kind);
        let outside = self.outside(call);
        let may = match kind {
            "other" if is_ours(call) => true,
            _ => {
                self.wants.allowed.contains(kind)
                    && (outside.is_none() || self.wants.allowed.contains(OUTSIDE))
            }
        };
        let kinds = match may {
            true => ["allow_once", "allow_always"],
            false => ["reject_once", "reject_always"],
        };
        let options = params["options"].as_array().map_or(&[][..], Vec::as_slice);
        let chosen = kinds.iter().find_map(|kind| {
            let option = options.iter().find(|option| option["kind"] == *kind)?;
            option["optionId"].as_str()
        });
        if (!may || chosen.is_none()) && self.denied.len() < TOOLS_MAX {
            let place = outside.map_or_else(String::new, |path| format!(", outside: {path}"));
            let title = clip(title.to_owned(), 200);
            self.denied.insert(format!("{title} ({kind}{place})"));
        }
        let outcome = match chosen {
            Some(option) => json!({ "outcome": "selected", "optionId": option }),
            None => json!({ "outcome": "cancelled" }),
        };
        line(&json!({ "jsonrpc": "2.0", "id": id, "result": { "outcome": outcome } }))
    }

    /// A file that the call names and that is not below the directory to work in.
    fn outside(&self, call: &Value) -> Option<String> {
        let places = call["locations"].as_array().into_iter().flatten();
        let diffs = call["content"].as_array().into_iter().flatten();
        let mut paths = places
            .chain(diffs)
            .filter_map(|place| place["path"].as_str());
        let is_outside = |path: &&str| {
            let path = self.wants.cwd.join(path);
            path.components().any(|part| part == Component::ParentDir)
                || !path.starts_with(&self.wants.cwd)
        };
        paths
            .find(is_outside)
            .map(|path| clip(path.to_owned(), 200))
    }

    fn update(&mut self, params: &Value) -> Vec<Heard> {
        // Before the prompt there is nothing but what is repeated of an earlier session.
        if !matches!(self.awaited, Some((Asked::Prompt, _)))
            || params["sessionId"].as_str() != self.session()
        {
            return Vec::new();
        }
        let update = &params["update"];
        let what = update["sessionUpdate"].as_str().unwrap_or("");
        if what == "agent_message_chunk" {
            self.says(update["content"]["text"].as_str().unwrap_or(""));
            return Vec::new();
        }
        let mut heard = Vec::new();
        match what {
            "tool_call" | "tool_call_update" => {
                heard.extend(self.said());
                self.tool(update, &mut heard);
            }
            "plan" => {
                heard.extend(self.said());
                heard.extend(planned(update));
            }
            "usage_update" if update["cost"]["currency"] == "USD" => {
                self.cost_micros = update["cost"]["amount"].as_f64().and_then(micros);
            }
            _ => {}
        }
        heard
    }

    fn says(&mut self, piece: &str) {
        if !std::mem::replace(&mut self.continues, true) {
            self.text.clear();
        }
        if self.text.len() < TEXT_BYTES_MAX {
            self.text.push_str(piece);
        }
    }

    /// The first line of a message that is at its end.
    fn said(&mut self) -> Option<Heard> {
        if !std::mem::take(&mut self.continues) {
            return None;
        }
        let first = self.text.trim().lines().next()?;
        Some(Heard::Doing(first.to_owned()))
    }

    fn tool(&mut self, update: &Value, heard: &mut Vec<Heard>) {
        let Some(id) = update["toolCallId"].as_str() else {
            return;
        };
        if matches!(update["status"].as_str(), Some("completed" | "failed")) {
            self.tools.remove(id);
            return;
        }
        let is_new = !self.tools.contains_key(id);
        if is_new && self.tools.len() < TOOLS_MAX {
            let kind = update["kind"].as_str().unwrap_or("other");
            self.tools.insert(id.to_owned(), kind.to_owned());
        } else if let (Some(known), Some(kind)) = (self.tools.get_mut(id), update["kind"].as_str())
        {
            kind.clone_into(known);
        }
        if let (true, Some(title)) = (is_new, update["title"].as_str()) {
            heard.push(Heard::Doing(title.lines().next().unwrap_or("").to_owned()));
        }
    }
}

impl Dialect for Talk {
    fn line(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let Ok(message @ Value::Object(_)) = serde_json::from_slice(bytes) else {
            return Vec::new();
        };
        let Some((awaited, number)) = self.awaited else {
            return Vec::new();
        };
        let id = &message["id"];
        let is_request = message["method"].is_string() && !id.is_null();
        self.requests += u32::from(is_request);
        if self.requests > ASKED_MAX {
            let reason = format!("the agent asked more than {ASKED_MAX} things in one turn");
            return self.over(End::Failed(reason));
        }
        match message["method"].as_str() {
            Some("session/update") => self.update(&message["params"]),
            Some("session/request_permission") => {
                let answer = self.permission(id, &message["params"]);
                Vec::from_iter(self.said().into_iter().chain([Heard::Say(answer)]))
            }
            Some(method) if is_request => {
                let words = format!("the director has no `{}`", clip(method.to_owned(), 80));
                let error = json!({ "code": NO_METHOD, "message": words });
                vec![Heard::Say(line(
                    &json!({ "jsonrpc": "2.0", "id": id, "error": error }),
                ))]
            }
            Some(_) => Vec::new(),
            None if id.as_u64() == Some(number) => self.answered(awaited, &message),
            None => Vec::new(),
        }
    }

    fn tools_in_flight(&self) -> usize {
        self.tools.len()
    }

    fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    fn cost_micros(&self) -> Option<u64> {
        self.cost_micros
    }

    fn is_resumed(&self) -> bool {
        self.resumed
    }

    fn verdict(&self, ended: Ended) -> Turn {
        let exit_code = ended.code();
        let failed = |reason: String| Turn::Failed { reason, exit_code };
        match &self.end {
            Some(End::Failed(reason)) => failed(reason.clone()),
            Some(End::Limited(reason, until)) => Turn::Limited {
                reason: reason.clone(),
                until: *until,
            },
            Some(End::Stop(stop)) if stop == "end_turn" => {
                denied(&self.denied).unwrap_or_else(|| {
                    Turn::Done(Report {
                        summary: clip(self.text.trim().to_owned(), TEXT_BYTES_MAX),
                        ..Report::default()
                    })
                })
            }
            Some(End::Stop(stop)) => failed(match stop.as_str() {
                "max_tokens" => "the agent used up its tokens".to_owned(),
                "max_turn_requests" => "the agent used up its turns".to_owned(),
                "refusal" => format!(
                    "the agent refuses to go on: {}",
                    clip(self.text.trim().to_owned(), 1_000)
                ),
                "cancelled" => "the agent says that its turn was called off".to_owned(),
                other => format!("the agent ended its turn with `{other}`"),
            }),
            None => {
                let asked = self.awaited.map_or("", |(asked, _)| asked.method());
                let how = match ended {
                    Ended::Code(code) => format!("ended with exit code {code}"),
                    Ended::Otherwise => "was ended".to_owned(),
                };
                let advice = match asked {
                    "initialize" => {
                        "; does it speak the Agent Client Protocol, and does `program` have the word that makes it (such as `--acp`)?"
                    }
                    _ => "",
                };
                failed(format!(
                    "the agent {how} before it had answered {asked}{advice}"
                ))
            }
        }
    }
}

/// A call of one of the director's own tools, as agents name them: `mcp__director__hand_off`, `hand_off (director MCP Server)`.
fn is_ours(call: &Value) -> bool {
    let names = [&call["name"], &call["title"]];
    names.into_iter().filter_map(Value::as_str).any(|name| {
        name.starts_with(&format!("mcp__{SERVER}__"))
            || name.ends_with(&format!("({SERVER} MCP Server)"))
    })
}

/// How much of the agent's plan is done, and what it is at.
fn planned(update: &Value) -> Option<Heard> {
    let entries = update["entries"]
        .as_array()
        .filter(|entries| !entries.is_empty())?;
    let done = entries
        .iter()
        .filter(|entry| entry["status"] == "completed")
        .count();
    let at = entries
        .iter()
        .find(|entry| entry["status"] == "in_progress");
    let at = at.and_then(|entry| entry["content"].as_str());
    // What is planned can be done and the work not ended.
    let percent = (done * 100 / entries.len()).min(99) as u8;
    Some(Heard::Progress(percent, at?.to_owned()))
}

fn line(message: &Value) -> Vec<u8> {
    let mut bytes = message.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}
