//! A coding agent without a screen: prompt on standard input, JSON events out, a session that outlives a kill.
//!
//! Each attempt starts the program anew (`claude -p --output-format stream-json --verbose`). The session's id is told to the director as soon
//! as it is seen, so an attempt after a kill goes on in it (`--resume`). If the program does not know
//! that session any more, the attempt begins afresh, once. The prompt is never an argument: lists of options would swallow it, and
//! other users of the machine could read it.
//!
//! It is offered the director's own tools for reports and questions, by a server that it starts itself (`director mcp`).
//!
//! A question of somebody else starts it too, in an empty directory, and its last words are the answer.
//!
//! What a resumed session costs is counted by the program from its first beginning; what was counted before is
//! kept below the data directory and taken off.
//!
//! Elsewhere: events are understood in [`super::stream`], the prompt is [`super::prompt`].

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use director_protocols::digest::Digest;
use director_protocols::sprint::{AgentSpec, RoleSpec};
use director_protocols::time::Span;
use director_protocols::work::Assignment;
use serde_json::json;

use super::stream::{Ended, Heard, Stream};
use super::{allow, prompt};
use crate::agent::{Agent, AgentError, Inbound, Turn};
use crate::command::{
    Files, Watch, annotate, attend, end_of, mark, not_run, passed_environment, read_report,
    redacted, secrets, with_evidence, without_secrets,
};
use crate::context::{Context, Host};
use crate::process::{Exit, Line, Outcome, Spec};
use crate::reach::TOKEN_ENV;

/// What `program` is when nothing else is said.
const CLAUDE: &str = "claude";
/// The longest event that is understood, in bytes: an event can hold a whole file.
const EVENT_BYTES_MAX: usize = 16 << 20;
/// The longest that an answer may take without a sign of life; the cell ends the turn before that.
const TALK_TIME_MAX: Span = Span::minutes(15);
/// The output of an answer that is kept, in bytes.
const TALK_BYTES_MAX: u64 = 1 << 20;
/// The name of the director's own server of tools.
const SERVER: &str = "director";
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
        let mut words = match &spec.program {
            Some(words) => words.clone(),
            None => vec![CLAUDE.to_owned()],
        };
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
            role: match role.profile.settings.get("initialPrompt") {
                Some(first) => format!("{}\n\n{first}", role.prompt.trim_end()),
                None => role.prompt.clone(),
            },
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
        let mut ran = self.run(assignment, cx, &files, &passed, session).await;
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
            ran = self.run(assignment, cx, &files, &passed, None).await;
        }
        let turn = match ran {
            Ok((stream, outcome)) => {
                let said = read_report(cx, &files).await;
                let spent = spent(cx.host(), session, &stream);
                conclude(&self.program, assignment, &stream, &outcome, said, spent)
            }
            Err(turn) => turn,
        };
        Ok(without_secrets(turn, |text| redacted(text, &passed)))
    }

    /// Answers a question: the program is started with it, in an empty directory of its own, and what it says last is the answer.
    /// One that fails has no answer, which is an answer too: whoever asked is told so.
    async fn answer(&self, from: &str, text: &str, cx: &Context) -> Result<Turn, AgentError> {
        let dir = cx.host().data_dir.join("talk").join(cx.agent());
        let (work, report) = (dir.join("work"), dir.join("report.json"));
        fs::create_dir_all(&work).map_err(|error| {
            let dir = dir.display();
            AgentError::transient(format!("could not make `{dir}`: {error}"))
        })?;
        let passed = passed_environment(&self.env);
        let mut spec = Spec::new(&self.program, self.args.clone(), &work, mark(cx));
        spec.env = passed.clone();
        spec.hidden = passed.clone();
        spec.env
            .insert("DIRECTOR_AGENT".to_owned(), cx.agent().to_owned());
        // What lies above is the user's checkout.
        let above = dir.to_string_lossy().into_owned();
        spec.env.insert("GIT_CEILING_DIRECTORIES".to_owned(), above);
        spec.stdin = Some(prompt::question(from, text, &self.role).into_bytes());
        spec.line_limit_bytes = EVENT_BYTES_MAX;
        spec.log_path = Some(dir.join("output.log"));
        spec.log_limit_bytes = TALK_BYTES_MAX;
        let mut stream = Stream::default();
        let listen = |line: Line<'_>| {
            if !line.cut {
                let _ = stream.line(line.bytes);
            }
        };
        let watch = Watch {
            report: &report,
            passed: &passed,
            silent_after: TALK_TIME_MAX,
            wedged_after: TALK_TIME_MAX,
            tools: Arc::default(),
            on_line: Some(Box::new(listen)),
        };
        let ended = match attend(cx, spec, watch).await {
            Ok(outcome) => match outcome.exit {
                Exit::Code(code) => Ended::Code(code),
                _ => Ended::Otherwise,
            },
            Err(error) => {
                tracing::warn!(agent = cx.agent(), %error, "question not answered");
                return Ok(Turn::NotYet);
            }
        };
        match stream.verdict(ended) {
            Turn::Done(report) if !report.summary.trim().is_empty() => {
                Ok(Turn::Answer(redacted(report.summary, &passed)))
            }
            _ => {
                tracing::warn!(agent = cx.agent(), "question not answered");
                Ok(Turn::NotYet)
            }
        }
    }

    /// Runs the program once and listens. `Err` is the end of an attempt that did not get so far.
    async fn run(
        &self,
        assignment: &Assignment,
        cx: &Context,
        files: &Files,
        passed: &BTreeMap<String, String>,
        session: Option<&str>,
    ) -> Result<(Stream, Outcome), Turn> {
        let mut args = self.args.clone();
        if let Some(cost) = assignment.spec.budget.cost_micros {
            let dollars = format!("{}.{:06}", cost / 1_000_000, cost % 1_000_000);
            args.extend(["--max-budget-usd".to_owned(), dollars]);
        }
        let mut text = match session {
            Some(session) => {
                args.extend(["--resume".to_owned(), session.to_owned()]);
                prompt::resume(assignment)
            }
            None => prompt::render(assignment, &self.role),
        };
        if let Some(config) = server_of(cx, files, passed) {
            // One word each: both flags take lists.
            args.push(format!("--mcp-config={}", config.display()));
            args.push(format!("--allowedTools=mcp__{SERVER}"));
            text.push_str(prompt::TOOLS);
        }
        let mut spec = Spec::new(&self.program, args, &files.workdir, mark(cx));
        spec.env = files.environment(cx, assignment, passed);
        spec.hidden = passed.clone();
        spec.stdin = Some(text.into_bytes());
        spec.line_limit_bytes = EVENT_BYTES_MAX;
        spec.log_path = Some(files.log.clone());
        spec.log_limit_bytes = assignment.output_max;
        let tools = Arc::new(AtomicUsize::new(0));
        let mut stream = Stream::default();
        let mut percent = 0_u8;
        let listen = |line: Line<'_>| {
            if line.cut {
                tracing::warn!(
                    agent = cx.agent(),
                    "an event was too long and is passed over"
                );
                return;
            }
            for heard in stream.line(line.bytes) {
                match heard {
                    Heard::Session(session) => cx.session(session),
                    Heard::Doing(text) => {
                        // It does not say how far it is; the number only shows that it moves.
                        percent = percent.saturating_add(1).min(90);
                        cx.progress(percent, redacted(text, passed));
                    }
                }
            }
            tools.store(stream.tools_in_flight(), Ordering::Relaxed);
        };
        let watch = Watch {
            report: &files.report,
            passed,
            silent_after: assignment.silent_after,
            wedged_after: assignment.wedged_after,
            tools: Arc::clone(&tools),
            on_line: Some(Box::new(listen)),
        };
        match attend(cx, spec, watch).await {
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
    let reach = cx.host().reach.as_ref()?;
    let token = secrets.get(TOKEN_ENV)?;
    let mut env = reach.environment();
    env.insert(TOKEN_ENV.to_owned(), token.clone());
    let server = json!({ "command": reach.program()?, "args": ["mcp"], "env": env });
    let config = json!({ "mcpServers": { SERVER: server } });
    let path = files.report.with_file_name("mcp.json");
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

/// What the stream, the exit and the report file come to together.
fn conclude(
    program: &str,
    assignment: &Assignment,
    stream: &Stream,
    outcome: &Outcome,
    said: crate::command::report::Said,
    spent: u64,
) -> Turn {
    let complaint = said.complaint();
    if outcome.exit == Exit::Wedged {
        let reason = format!(
            "`{program}` showed no sign of life for {}",
            assignment.wedged_after
        );
        return Turn::TimedOut {
            reason: with_evidence(reason, outcome, complaint),
        };
    }
    let ended = match outcome.exit {
        Exit::Code(code) => Ended::Code(code),
        Exit::Signal(_) | Exit::TimedOut | Exit::Cancelled | Exit::Wedged => Ended::Otherwise,
    };
    match (stream.verdict(ended), said.blocker) {
        (Turn::Done(_), Some(blocker)) => Turn::Blocked(blocker),
        (Turn::Done(words), None) => {
            let mut report = said.report;
            if report.summary.is_empty() {
                report.summary = words.summary;
            }
            report.cost_micros = spent;
            annotate(&mut report, outcome, complaint);
            Turn::Done(report)
        }
        (Turn::Failed { reason, exit_code }, _) => {
            // The events are in the log; for people the error output says more.
            let tail = end_of(outcome.stderr_tail.trim(), 2_048);
            let gap = if tail.is_empty() {
                ""
            } else {
                "; its error output ends with:\n"
            };
            Turn::Failed {
                reason: format!("{reason}{gap}{tail}"),
                exit_code,
            }
        }
        (other, _) => other,
    }
}

/// What this attempt cost: the session's total without what was counted before. The new total is remembered.
fn spent(host: &Host, resumed: Option<&str>, stream: &Stream) -> u64 {
    let Some(total) = stream.cost_micros() else {
        return 0;
    };
    let before = resumed
        .and_then(|session| counted(host, session))
        .unwrap_or(0);
    if let Some(session) = stream.session() {
        let path = count_path(host, session);
        let dir = path.parent().map_or(Ok(()), fs::create_dir_all);
        if let Err(error) = dir.and_then(|()| fs::write(&path, total.to_string())) {
            tracing::warn!(path = %path.display(), %error, "session cost not remembered");
        }
    }
    // A program that counts each run by itself shows less than before; then this is all of it.
    if total >= before {
        total - before
    } else {
        total
    }
}

fn counted(host: &Host, session: &str) -> Option<u64> {
    fs::read_to_string(count_path(host, session))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// A session's id is the agent's text, so its hash is the file's name.
fn count_path(host: &Host, session: &str) -> PathBuf {
    host.data_dir
        .join("sessions")
        .join(Digest::of(session.as_bytes()).to_string())
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
