//! MCP as a test speaks it: JSON-RPC written by hand, so that what no client would send can be sent too.
//!
//! Elsewhere: real clients are scripts in `tests/clients/`, found by [`found`].

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio as Pipe};

use serde_json::{Value, json};

use crate::contract;
use crate::http::{Answer, Site};

/// The version of the protocol that is spoken here.
pub const VERSION: &str = "2025-06-18";

/// A server on the standard input and output of a process, greeted.
pub struct OnStdio {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    sent: u64,
}

impl OnStdio {
    /// Starts the command and greets it.
    ///
    /// # Panics
    /// When it does not start or does not greet back.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Pipe::piped())
            .stdout(Pipe::piped())
            .spawn()
            .expect("the program starts");
        let mut started = Self {
            to: child.stdin.take(),
            from: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
            sent: 0,
        };
        let greeting = json!({
            "protocolVersion": VERSION,
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let greeted = started.ask("initialize", greeting);
        assert_eq!(
            greeted["result"]["serverInfo"]["name"], "director",
            "{greeted}"
        );
        started.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        started
    }

    /// Sends a line, whatever it is.
    ///
    /// # Panics
    /// When nobody reads it.
    pub fn say(&mut self, line: &str) {
        let to = self.to.as_mut().expect("not hung up");
        to.write_all(line.as_bytes()).expect("it listens");
        to.write_all(b"\n").expect("it listens");
    }

    /// The next line it says.
    ///
    /// # Panics
    /// When it says none, or one that is no message of the protocol.
    pub fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("it speaks");
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("standard output is the protocol's: {error}: {line:?}"));
        assert_eq!(said["jsonrpc"], "2.0", "{line}");
        said
    }

    /// A request and its response.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let id = self.sent;
        self.say(
            &json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string(),
        );
        loop {
            let said = self.hear();
            if said["id"] == id {
                return said;
            }
        }
    }

    /// Hangs up and waits; the exit code.
    ///
    /// # Panics
    /// When it does not end.
    pub fn end(mut self) -> Option<i32> {
        drop(self.to.take());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for OnStdio {
    fn drop(&mut self) {
        // It ends with its standard input; one that does not is not left behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one can speak MCP to.
pub enum Wire {
    /// A process.
    Process(Box<OnStdio>),
    /// `/mcp` of a site, with a token of one's own.
    Http(Site, String),
}

impl Wire {
    /// A request and its response.
    ///
    /// # Panics
    /// When there is none.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        match self {
            Wire::Process(process) => process.ask(method, params),
            Wire::Http(site, token) => {
                let message =
                    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
                let answer = post(site, Some(token), &message.to_string(), &[]);
                assert_eq!(answer.status, 200, "{method}: {}", answer.body);
                answer.json()
            }
        }
    }

    /// Calls a tool: whether it said no, its text, its structured content.
    pub fn call(&mut self, tool: &str, arguments: Value) -> (bool, String, Value) {
        let said = self.ask(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        );
        let result = &said["result"];
        assert!(result.is_object(), "{tool}: {said}");
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        let no = result["isError"].as_bool().unwrap_or_default();
        (no, text.to_owned(), result["structuredContent"].clone())
    }

    /// Calls a tool that does what it is asked: its text and its structured content.
    ///
    /// # Panics
    /// When it says no.
    pub fn done(&mut self, tool: &str, arguments: Value) -> (String, Value) {
        let (no, text, json) = self.call(tool, arguments);
        assert!(!no, "{tool}: {text}");
        self.hold(tool, &json);
        (text, json)
    }

    /// Holds what a tool answered against its own schema.
    ///
    /// # Panics
    /// When it is not what that says.
    pub fn hold(&mut self, tool: &str, json: &Value) {
        let listed = self.ask("tools/list", json!({}));
        let mut tools = listed["result"]["tools"].as_array().into_iter().flatten();
        let found = tools.find(|found| found["name"] == tool);
        let found = found.unwrap_or_else(|| panic!("{tool} is not listed"));
        if let Some(schema) = found.get("outputSchema") {
            let held = contract::check(schema, schema, json, tool);
            held.unwrap_or_else(|why| panic!("{why}: {json}"));
        }
    }

    /// The names of the tools.
    pub fn tools(&mut self) -> Vec<String> {
        let listed = self.ask("tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().cloned();
        let names = tools.unwrap_or_default();
        let names = names.iter().filter_map(|tool| tool["name"].as_str());
        names.map(str::to_owned).collect()
    }
}

/// Posts a body to `/mcp`.
pub fn post(site: &Site, token: Option<&str>, body: &str, more: &[(&str, &str)]) -> Answer {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", VERSION),
    ];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    headers.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    headers.extend_from_slice(more);
    site.request("POST", "/mcp", &headers, body)
}

/// Real clients: an interpreter of Python with the package `mcp`, and the inspector of the protocol.
pub struct Clients {
    /// The interpreter.
    pub python: PathBuf,
    /// The inspector.
    pub inspector: PathBuf,
}

/// Where the clients are that `tests/clients/get.sh` puts there.
///
/// # Errors
/// What is missing.
pub fn found() -> Result<Clients, String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients");
    let clients = Clients {
        python: dir.join("python/bin/python"),
        inspector: dir.join("node_modules/.bin/mcp-inspector"),
    };
    for file in [&clients.python, &clients.inspector] {
        if !file.exists() {
            let file = file.display();
            return Err(format!(
                "`{file}` is missing; `tests/clients/get.sh` gets it"
            ));
        }
    }
    Ok(clients)
}
