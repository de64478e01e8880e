//! A coding agent without a screen: prompt on standard input, JSON events out, a session that outlives a kill.
//!
//! Each attempt starts the program anew (`claude -p --output-format stream-json --verbose`). The session's id is told to the director as soon
//! as it is seen, so an attempt after a kill goes on in it (`--resume`). If the program does not know
//! that session any more, the attempt begins afresh, once. The prompt is never an argument: lists of options would swallow it, and
//! other users of the machine could read it.
//!
//! It is offered the director's own tools for reports and questions, by a server that it starts itself (`director mcp`).
//!
//! Elsewhere: what it has in common with other coding agents is [`super::attempt`]; events are understood in [`super::stream`].

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use director_protocols::sandbox::Sandbox;
use director_protocols::sprint::{AgentSpec, RoleSpec};
use director_protocols::work::Assignment;
use serde_json::json;

use super::attempt::{self, Asked, Beside, SERVER};
use super::stream::Stream;
use super::{allow, prompt, words_of};
use crate::agent::{Agent, AgentError, Inbound, Turn};
use crate::command::{Files, mark, not_run, read_report, redacted, say, secrets, without_secrets};
use crate::context::Context;
use crate::process::{Exit, Outcome, Spec};

/// What `program` is when nothing else is said.
pub(crate) const CLAUDE: &str = "claude";
/// Options of the agent that become flags of the program.
const FLAGS: [(&str, &str); 6] = [
    ("effort", "--effort"),
    ("permission_mode", "--permission-mode"),
    ("allowed_tools", "--allowedTools"),
    ("disallowed_tools", "--disallowedTools"),
    ("max_turns", "--max-turns"),
    ("mcp_config", "--mcp-config"),
];

/// A coding agent that is started for each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headless {
    program: String,
    args: Vec<String>,
    env: Vec<String>,
    role: String,
    sandbox: Option<Box<Sandbox>>,
}

impl Headless {
    /// Claude Code, or what `spec.program` names and speaks like it.
    ///
    /// Options: `effort`, `permission_mode`, `allowed_tools`, `disallowed_tools`, `max_turns`, `mcp_config`; what the role's file asks
    /// stands where they are silent. A model of `inherit` leaves the choice to the program.
    ///
    /// # Errors
    /// A fatal [`AgentError`] for an option that is unknown, and for an empty `program`.
    pub fn claude(role: &RoleSpec, spec: &AgentSpec) -> Result<Self, AgentError> {
        let mut words = words_of(spec);
        if words.is_empty() {
            return Err(AgentError::fatal(
                "`program` is an empty list; name a program or leave it out",
            ));
        }
        let program = words.remove(0);
        let mut args = words;
        let fixed = ["-p", "--output-format", "stream-json", "--verbose"];
        args.extend(fixed.map(str::to_owned));
        let model = spec.model.as_ref();
        if let Some(model) = model.or_else(|| role.profile.settings.get("model"))
            && !model.eq_ignore_ascii_case("inherit")
        {
            args.extend(["--model".to_owned(), model.clone()]);
        }
        for (option, value) in &spec.options {
            let Some((_, flag)) = FLAGS.iter().find(|(name, _)| name == option) else {
                let known: Vec<_> = FLAGS.iter().map(|(name, _)| *name).collect();
                return Err(AgentError::fatal(format!(
                    "this agent has no option `{option}`; it has {}",
                    known.join(", ")
                )));
            };
            // One word, so that a list of tools cannot swallow what follows.
            args.push(format!("{flag}={value}"));
        }
        args.extend(allow::flags(&role.profile, &spec.options));
        Ok(Self {
            program,
            args,
            env: spec.env.clone(),
            role: allow::instructions(role),
            sandbox: role.sandbox.clone(),
        })
    }

    async fn attempt(&self, assignment: &Assignment, cx: &Context) -> Result<Turn, AgentError> {
        let files = Files::prepare(cx, assignment)?;
        let passed = secrets(cx, assignment, &self.env);
        // An id that begins with a dash would be taken for an option.
        let session = assignment
            .session
            .as_deref()
            .filter(|session| !session.starts_with('-'));
        let mut before = attempt::counted(cx.host(), session);
        let mut ran = self
            .run(assignment, cx, &files, &passed, (session, before))
            .await;
        if let (Some(session), Ok((stream, outcome))) = (session, &ran)
            && !stream.heard_anything()
            && matches!(outcome.exit, Exit::Code(code) if code != 0)
            && !cx.is_cancelled()
        {
            tracing::info!(
                agent = cx.agent(),
                session,
                "session is not known any more; beginning afresh"
            );
            before = 0;
            ran = self
                .run(assignment, cx, &files, &passed, (None, before))
                .await;
        }
        let turn = match ran {
            Ok((stream, outcome)) => {
                let said = read_report(cx, &files).await;
                let charged = (cx.host(), before);
                attempt::conclude(&self.program, assignment, &stream, &outcome, said, charged)
            }
            Err(turn) => turn,
        };
        Ok(without_secrets(turn, |text| redacted(text, &passed)))
    }

    async fn answer(&self, from: &str, text: &str, cx: &Context) -> Result<Turn, AgentError> {
        let words = prompt::question(from, text, &self.role).into_bytes();
        let asked = Asked {
            program: &self.program,
            args: self.args.clone(),
            env: &self.env,
            sandbox: self
                .sandbox
                .as_deref()
                .map(|allowed| (allowed, attempt::keeps(CLAUDE))),
        };
        attempt::answer(cx, asked, |_| (Stream::default(), words, false)).await
    }

    /// Runs the program once and listens. `Err` is the end of an attempt that did not get so far.
    async fn run(
        &self,
        assignment: &Assignment,
        cx: &Context,
        files: &Files,
        passed: &BTreeMap<String, String>,
        (session, before): (Option<&str>, u64),
    ) -> Result<(Stream, Outcome), Turn> {
        let mut args = self.args.clone();
        if let Some(cost) = assignment.cost_max {
            let dollars = format!("{}.{:06}", cost / 1_000_000, cost % 1_000_000);
            args.extend(["--max-budget-usd".to_owned(), dollars]);
        }
        if let Some(session) = session {
            args.extend(["--resume".to_owned(), session.to_owned()]);
        }
        let config = server_of(cx, files, passed);
        if let Some(config) = &config {
            // One word each: both flags take lists.
            args.push(format!("--mcp-config={}", config.display()));
            args.push(format!("--allowedTools=mcp__{SERVER}"));
        }
        let text = attempt::words(assignment, &self.role, session, config.is_some());
        let spec = Spec::new(&self.program, args, &files.workdir, mark(cx));
        let mut spec = attempt::dressed(spec, cx, assignment, files, passed);
        spec.stdin = Some(text.into_bytes());
        spec.sandbox = files.sandbox(cx, assignment.sandbox.as_deref(), attempt::keeps(CLAUDE));
        let beside = Beside::of(assignment, files, passed).after(before);
        let mut stream = Stream::default();
        match attempt::listen(cx, spec, &mut stream, beside, false).await {
            Ok(outcome) => Ok((stream, outcome)),
            Err(error) => Err(not_run(&error)),
        }
    }
}

impl Agent for Headless {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        match message {
            Inbound::Assigned(assignment) => self.attempt(&assignment, cx).await,
            Inbound::Asked { from, text } => self.answer(&from, &text, cx).await,
            // Each attempt is a program of its own; guidance comes with the next one.
            Inbound::Guidance { .. } | Inbound::Answered { .. } | Inbound::Told { .. } => {
                Ok(Turn::NotYet)
            }
        }
    }
}

/// Writes which server of tools the program is to start: the director's own, with the token of the assignment. The file is for its owner alone,
/// and arguments that others of the machine can read do not have the token. `None` where the director cannot be reached, and where
/// the file cannot be written: then the report file is what there is.
fn server_of(cx: &Context, files: &Files, secrets: &BTreeMap<String, String>) -> Option<PathBuf> {
    let server = attempt::server(cx, secrets)?;
    let server = json!({ "command": server.program, "args": server.args, "env": server.env });
    let config = json!({ "mcpServers": { SERVER: server } });
    let path = files.dir.join(say::TOOLS);
    let written = fs::remove_file(&path)
        .or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })
        .and_then(|()| {
            let mut file = OpenOptions::new();
            file.write(true).create_new(true).mode(0o600);
            file.open(&path)?.write_all(config.to_string().as_bytes())
        });
    match written {
        Ok(()) => Some(path),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "tools of the director not offered");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn spec() -> AgentSpec {
        AgentSpec::of_kind("claude")
    }

    #[test]
    fn options_become_flags_and_an_unknown_one_is_refused() {
        let role = samples::role("claude");
        let mut chosen = AgentSpec {
            model: Some("opus".into()),
            ..spec()
        };
        chosen
            .options
            .insert("allowed_tools".into(), "Bash Edit".into());
        let agent = Headless::claude(&role, &chosen).unwrap();
        assert_eq!(agent.program, "claude");
        let args = agent.args.join(" ");
        assert_eq!(
            args,
            "-p --output-format stream-json --verbose --model opus --allowedTools=Bash Edit"
        );
        let mut filed = role.clone();
        let settings = &mut filed.profile.settings;
        for (field, value) in [
            ("tools", "Read,Bash(git:*)"),
            ("model", "haiku"),
            ("initialPrompt", "Look."),
        ] {
            settings.insert(field.to_owned(), value.to_owned());
        }
        let agent = Headless::claude(&filed, &spec()).unwrap();
        assert!(
            agent
                .args
                .join(" ")
                .ends_with("--model haiku --tools=Read,Bash --allowedTools=Read,Bash(git:*)")
        );
        assert!(agent.role.ends_with("Look."));
        let agent = Headless::claude(&filed, &chosen).unwrap();
        assert!(
            agent
                .args
                .join(" ")
                .ends_with("--model opus --allowedTools=Bash Edit")
        );
        let inherit = AgentSpec {
            model: Some("Inherit".into()),
            ..spec()
        };
        assert!(
            !Headless::claude(&role, &inherit)
                .unwrap()
                .args
                .contains(&"--model".to_owned())
        );
        let mut unknown = spec();
        unknown.options.insert("turns".into(), "4".into());
        let error = Headless::claude(&role, &unknown).unwrap_err();
        assert!(
            error
                .reason
                .contains("no option `turns`; it has effort, permission_mode"),
            "{error}"
        );
        let empty = AgentSpec {
            program: Some(vec![]),
            ..spec()
        };
        assert!(Headless::claude(&role, &empty).is_err());
    }
}
