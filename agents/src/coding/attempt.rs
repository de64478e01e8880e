//! What attempts of coding agents have in common, whatever their programs speak: a program is started with a prompt, listened to line by
//! line, offered the director's own tools, and judged by what it said *and* by how it ended.
//!
//! A question of somebody else starts the program too, in an empty directory, and its last words are the answer.
//!
//! What a resumed session costs is counted by most programs from its first beginning; what was counted before is
//! kept below the data directory and taken off.
//!
//! Elsewhere: what programs say is understood by a [`Dialect`]: [`super::stream`] and [`super::acp`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use director_protocols::digest::Digest;
use director_protocols::sandbox::Sandbox as Allowed;
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};
use director_protocols::work::{Assignment, BlockerReport};
use tokio::sync::{Notify, mpsc};

use super::prompt;
use crate::agent::{AgentError, Turn};
use crate::command::report::{Said, Silence};
use crate::command::{
    Files, Watch, annotate, attend, end_of, mark, passed_environment, redacted, sandbox,
    with_evidence,
};
use crate::context::{Context, Host};
use crate::process::{Exit, Line, Outcome, ProcessError, Sandbox, Spec};
use crate::reach::TOKEN_ENV;

/// The name of the director's own server of tools.
pub const SERVER: &str = "director";
/// The longest event that is understood, in bytes: an event can hold a whole file.
const EVENT_BYTES_MAX: usize = 16 << 20;
/// The longest that an answer may take without a sign of life; the cell ends the turn before that.
const TALK_TIME_MAX: Span = Span::minutes(15);
/// The output of an answer that is kept, in bytes.
const TALK_BYTES_MAX: u64 = 1 << 20;
/// How long a program that has said all may take to end by itself.
const LEAVE_TIME: Duration = Duration::from_secs(2);

/// Something new in a line of a program's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The session's id, seen for the first time.
    Session(String),
    /// What is being done, in a few words.
    Doing(String),
    /// How far it is, from 0 to 100, and what is being done.
    Progress(u8, String),
    /// Something for another agent or role.
    Told(String, String),
    /// What it has to be told next, on its standard input.
    Say(Vec<u8>),
    /// It has said all; its standard input is closed.
    Over,
}

/// How a process ended, as far as a verdict needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// In another way: by a signal, or because it was ended.
    Otherwise,
}

impl Ended {
    /// The exit code, if there is one.
    pub fn code(self) -> Option<i32> {
        match self {
            Ended::Code(code) => Some(code),
            Ended::Otherwise => None,
        }
    }

    /// Of a process that ended so.
    pub fn of(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Ended::Code(code),
            Exit::Signal(_) | Exit::TimedOut | Exit::Cancelled | Exit::Wedged => Ended::Otherwise,
        }
    }
}

/// What a program speaks. Pure: lines go in, what is new comes out, and the verdict rests on both the words and the end.
pub trait Dialect: Send {
    /// Takes in one line of standard output.
    fn line(&mut self, bytes: &[u8]) -> Vec<Heard>;
    /// Tools that were called and have not answered.
    fn tools_in_flight(&self) -> usize;
    /// The session's id.
    fn session(&self) -> Option<&str>;
    /// What the session has cost so far, in millionths of a dollar; where [`Dialect::counts_on`] says otherwise, since the program began.
    fn cost_micros(&self) -> Option<u64>;
    /// Whether the session that it was to go on with is the one that it goes on with.
    fn is_resumed(&self) -> bool {
        true
    }
    /// Whether the cost of a resumed session counts from its first beginning; `None` where the program does not let that be known.
    fn counts_on(&self) -> Option<bool> {
        None
    }
    /// What it comes to. The report has the agent's last words and no cost.
    fn verdict(&self, ended: Ended) -> Turn;
}

/// What is watched while a program is listened to.
pub(crate) struct Beside<'a> {
    report: &'a Path,
    passed: &'a BTreeMap<String, String>,
    silent_after: Span,
    wedged_after: Span,
    /// What the session had cost before, see [`counted`].
    before: u64,
}

impl<'a> Beside<'a> {
    /// As the assignment has it.
    pub(crate) fn of(
        assignment: &Assignment,
        files: &'a Files,
        passed: &'a BTreeMap<String, String>,
    ) -> Self {
        Self {
            report: &files.report,
            passed,
            silent_after: assignment.silent_after,
            wedged_after: assignment.wedged_after,
            before: 0,
        }
    }

    /// In a session that had cost so much before.
    pub(crate) fn after(self, before: u64) -> Self {
        Self { before, ..self }
    }
}

/// Runs the program once and listens to it. What it is told beyond `spec.stdin` is what the dialect says; without a conversation its
/// standard input ends there.
pub(crate) async fn listen(
    cx: &Context,
    mut spec: Spec,
    dialect: &mut dyn Dialect,
    beside: Beside<'_>,
    converses: bool,
) -> Result<Outcome, ProcessError> {
    spec.line_limit_bytes = EVENT_BYTES_MAX;
    let (say, input) = mpsc::unbounded_channel();
    let mut say = converses.then_some(say);
    let over = Arc::new(Notify::new());
    let tools = Arc::new(AtomicUsize::new(0));
    let mut percent = 0_u8;
    let mut total = None;
    let (passed, before) = (beside.passed, beside.before);
    let on_line = {
        let (over, tools) = (Arc::clone(&over), Arc::clone(&tools));
        move |line: Line<'_>| {
            if line.cut {
                tracing::warn!(
                    agent = cx.agent(),
                    "an event was too long and is passed over"
                );
                return;
            }
            for heard in dialect.line(line.bytes) {
                match heard {
                    // Who is asked something has no attempt that could go on.
                    Heard::Session(session) if cx.assignment().is_some() => cx.session(session),
                    Heard::Session(_) => {}
                    Heard::Doing(text) => {
                        // It does not say how far it is; the number only shows that it moves.
                        percent = percent.saturating_add(1).min(90);
                        cx.progress(percent, redacted(text, passed));
                    }
                    Heard::Progress(now, text) => {
                        percent = now;
                        cx.progress(now, redacted(text, passed));
                    }
                    Heard::Told(to, text) => {
                        if let Err(error) = cx.tell(to, redacted(text, passed)) {
                            tracing::warn!(agent = cx.agent(), %error, "not told");
                        }
                    }
                    Heard::Say(bytes) => {
                        // A program that is gone hears nothing; its end is judged.
                        let _ = say.as_ref().map(|say| say.send(bytes));
                    }
                    Heard::Over => {
                        say = None;
                        over.notify_one();
                    }
                }
            }
            tools.store(dialect.tools_in_flight(), Ordering::Relaxed);
            if cx.assignment().is_some() && dialect.cost_micros() != total {
                total = dialect.cost_micros();
                // Remembered first: what is said and not remembered would be charged twice after a kill.
                remember(cx.host(), dialect);
                cx.spent(spent(dialect, before));
            }
        }
    };
    let watch = Watch {
        report: beside.report,
        passed,
        silent_after: beside.silent_after,
        wedged_after: beside.wedged_after,
        tools: Arc::clone(&tools),
        on_line: Some(Box::new(on_line)),
        input: converses.then_some(input),
        leave: Box::pin(async move {
            over.notified().await;
            tokio::time::sleep(LEAVE_TIME).await;
        }),
    };
    attend(cx, spec, watch).await
}

/// What the program of a kind writes for itself, below the home directory: sessions, settings and what it logs in with.
pub(super) fn keeps(kind: &str) -> &'static [&'static str] {
    match kind {
        "claude" => &["~/.claude", "~/.claude.json"],
        "gemini" => &["~/.gemini"],
        "codex" => &["~/.codex"],
        _ => &[],
    }
}

/// The program that a question is put to, and the names of the variables that it sees.
pub(super) struct Asked<'a> {
    pub(super) program: &'a str,
    pub(super) args: Vec<String>,
    pub(super) env: &'a [String],
    /// What it may touch, and what it keeps for itself.
    pub(super) sandbox: Option<(&'a Allowed, &'static [&'static str])>,
}

/// Puts a question to the program in an empty directory of its own; what it says last is the answer. `begin` makes the listener for that
/// directory, what goes to standard input, and says whether more will.
/// One that fails has no answer, which is an answer too: whoever asked is told so.
///
/// # Errors
/// The directory cannot be made.
pub(super) async fn answer<D: Dialect>(
    cx: &Context,
    asked: Asked<'_>,
    begin: impl FnOnce(&Path) -> (D, Vec<u8>, bool),
) -> Result<Turn, AgentError> {
    let dir = cx.host().data_dir.join("talk").join(cx.agent());
    // The program has another current directory.
    let dir = std::path::absolute(&dir).unwrap_or(dir);
    let (work, report) = (dir.join("work"), dir.join("report.json"));
    fs::create_dir_all(&work).map_err(|error| {
        let dir = dir.display();
        AgentError::transient(format!("could not make `{dir}`: {error}"))
    })?;
    let passed = passed_environment(asked.env);
    let mut spec = Spec::new(asked.program, asked.args, &work, mark(cx));
    spec.env = passed.clone();
    spec.hidden = passed.clone();
    spec.env
        .insert("DIRECTOR_AGENT".to_owned(), cx.agent().to_owned());
    // What lies above is the user's checkout.
    let above = dir.to_string_lossy().into_owned();
    spec.env.insert("GIT_CEILING_DIRECTORIES".to_owned(), above);
    let (mut dialect, words, converses) = begin(&work);
    spec.stdin = Some(words);
    spec.log_path = Some(dir.join("output.log"));
    spec.log_limit_bytes = TALK_BYTES_MAX;
    spec.sandbox = asked.sandbox.map(|(allowed, keeps)| Sandbox {
        own: vec![work.clone()],
        ..sandbox(cx, allowed, &dir, keeps)
    });
    let beside = Beside {
        report: &report,
        passed: &passed,
        silent_after: TALK_TIME_MAX,
        wedged_after: TALK_TIME_MAX,
        before: 0,
    };
    let ended = match listen(cx, spec, &mut dialect, beside, converses).await {
        Ok(outcome) => Ended::of(outcome.exit),
        Err(error) => {
            tracing::warn!(agent = cx.agent(), %error, "question not answered");
            return Ok(Turn::NotYet);
        }
    };
    match dialect.verdict(ended) {
        Turn::Done(report) if !report.summary.trim().is_empty() => {
            Ok(Turn::Answer(redacted(report.summary, &passed)))
        }
        _ => {
            tracing::warn!(agent = cx.agent(), "question not answered");
            Ok(Turn::NotYet)
        }
    }
}

/// The prompt of an attempt; with `session` for an agent that goes on in it.
pub(super) fn words(
    assignment: &Assignment,
    role: &str,
    session: Option<&str>,
    tools: bool,
) -> String {
    let mut text = match session {
        Some(_) => prompt::resume(assignment),
        None => prompt::render(assignment, role),
    };
    if tools {
        text.push_str(prompt::TOOLS);
    }
    text
}

/// A server of tools that an agent can start: the director's own, with the token of the assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The program to start.
    pub program: PathBuf,
    /// Its arguments.
    pub args: [&'static str; 1],
    /// What it has to see in its environment.
    pub env: BTreeMap<String, String>,
}

/// The director's own tools for the assignment; `None` where the director cannot be reached: then the report file is what there is.
pub(super) fn server(cx: &Context, secrets: &BTreeMap<String, String>) -> Option<Server> {
    let reach = cx.host().reach.as_ref()?;
    let token = secrets.get(TOKEN_ENV)?;
    let mut env = reach.environment();
    env.insert(TOKEN_ENV.to_owned(), token.clone());
    Some(Server {
        program: reach.program()?.to_owned(),
        args: ["mcp"],
        env,
    })
}

/// What the words, the exit and the report file come to together. What an attempt cost that is not done was said as it happened; what a
/// killed program did not say any more is charged to the next attempt in its session.
pub(super) fn conclude(
    program: &str,
    assignment: &Assignment,
    dialect: &dyn Dialect,
    outcome: &Outcome,
    said: Said,
    (host, before): (&Host, u64),
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
    if let Some(limited) = said.limited {
        return limited.turn(Time(host.clock.now_ms()));
    }
    // Words that nobody reads for it are no verdict: it has to be in the report.
    let objection = said.objection(assignment.judges.is_some(), Silence::SaysNothing);
    match (dialect.verdict(Ended::of(outcome.exit)), said.blocker) {
        (Turn::Done(_), Some(blocker)) => Turn::Blocked(blocker),
        (Turn::Done(words), None) => {
            if let Some(objection) = objection {
                let reason = format!("`{program}` ended, but {objection}");
                return Turn::Failed {
                    reason: with_evidence(reason, outcome, None),
                    exit_code: Ended::of(outcome.exit).code(),
                };
            }
            let mut report = said.report;
            if report.summary.is_empty() {
                report.summary = words.summary;
            }
            report.cost_micros = spent(dialect, before);
            annotate(&mut report, outcome, complaint);
            Turn::Done(report)
        }
        (
            Turn::Failed {
                mut reason,
                exit_code,
            },
            _,
        ) => {
            if let Some(complaint) = complaint {
                reason = format!("{reason}; {complaint}");
            }
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

/// The end of an agent that was not allowed to use these tools: somebody has to allow them. `None` if it was allowed all.
pub(super) fn denied<'a>(tools: impl IntoIterator<Item = &'a String>) -> Option<Turn> {
    let tools: BTreeSet<&str> = tools.into_iter().map(String::as_str).collect();
    if tools.is_empty() {
        return None;
    }
    let tools = Vec::from_iter(tools).join(", ");
    Some(Turn::Blocked(BlockerReport {
        kind: "permission_denied".to_owned(),
        severity: Severity::Medium,
        text: format!(
            "the agent was not allowed to use: {tools}; allow it in the agent's settings or do this part by hand"
        ),
    }))
}

/// What this attempt cost: the session's total without what was counted before.
fn spent(dialect: &dyn Dialect, before: u64) -> u64 {
    let Some(total) = dialect.cost_micros() else {
        return 0;
    };
    match dialect.is_resumed() && dialect.counts_on() != Some(false) {
        // A program that counts each run by itself shows less than before; then this is all of it.
        true if total >= before => total - before,
        _ => total,
    }
}

/// Keeps what the session has cost by now, for attempts that go on with it.
fn remember(host: &Host, dialect: &dyn Dialect) {
    let (Some(total), Some(session)) = (dialect.cost_micros(), dialect.session()) else {
        return;
    };
    let path = count_path(host, session);
    let dir = path.parent().map_or(Ok(()), fs::create_dir_all);
    if let Err(error) = dir.and_then(|()| fs::write(&path, total.to_string())) {
        tracing::warn!(path = %path.display(), %error, "session cost not remembered");
    }
}

/// What the session had cost when its last attempt ended; nothing of one that is not known.
pub(super) fn counted(host: &Host, session: Option<&str>) -> u64 {
    let kept = session.and_then(|session| fs::read_to_string(count_path(host, session)).ok());
    kept.and_then(|kept| kept.trim().parse().ok()).unwrap_or(0)
}

/// A session's id is the agent's text, so its hash is the file's name.
fn count_path(host: &Host, session: &str) -> PathBuf {
    host.data_dir
        .join("sessions")
        .join(Digest::of(session.as_bytes()).to_string())
}

/// The environment, input and log of an attempt's program.
pub(crate) fn dressed(
    mut spec: Spec,
    cx: &Context,
    assignment: &Assignment,
    files: &Files,
    passed: &BTreeMap<String, String>,
) -> Spec {
    spec.env = files.environment(cx, assignment, passed);
    spec.hidden = passed.clone();
    spec.log_path = Some(files.log.clone());
    spec.log_limit_bytes = assignment.output_max;
    spec
}
