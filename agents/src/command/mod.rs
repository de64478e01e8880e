//! The command agent: a task is a command, its exit code is the outcome, files say the rest.
//!
//! It runs the task's `run` in the task's directory, with what came before in `DIRECTOR_HANDOFF` and a place for what it has to say in
//! `DIRECTOR_REPORT`. Exit code 0 is done and anything else a failure, unless the report names a blocker; a report that cannot be
//! understood is a failure too. It keeps nothing between attempts, so it takes no part in talk.
//!
//! Elsewhere: the process is [`crate::process`], what may be in the report is [`report`].

mod attend;
mod files;
pub mod report;
pub mod say;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use director_protocols::sprint::{AgentSpec, RunSpec};
use director_protocols::work::{Assignment, Report};

pub(crate) use attend::{Watch, attend, never};
pub(crate) use files::{Files, passed_environment, redacted, sandbox, secrets};

use crate::agent::{Agent, AgentError, Inbound, Turn};
use crate::context::Context;
use crate::process::{Exit, Outcome, ProcessError, Spec};
use report::{Said, Silence};

/// How much of the end of each stream goes into a failure's reason, in bytes.
const TAIL_BYTES: usize = 4 * 1024;

/// An agent that runs the command of its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandAgent {
    env: Vec<String>,
}

impl CommandAgent {
    /// An agent whose commands see the environment variables that `spec.env` names, beside the few that they always see.
    pub fn new(spec: &AgentSpec) -> Self {
        Self {
            env: spec.env.clone(),
        }
    }

    async fn attempt(&self, assignment: &Assignment, cx: &Context) -> Result<Turn, AgentError> {
        let Some(run) = &assignment.spec.run else {
            let task = &assignment.spec.id;
            return Ok(failed(format!(
                "task `{task}` has no `run`, and a command agent does nothing else; write one or give the task to another role"
            )));
        };
        let files = Files::prepare(cx, assignment)?;
        let passed = secrets(cx, assignment, &self.env);
        let mut spec = match run {
            RunSpec::Shell(line) => Spec::shell(line, &files.workdir, mark(cx)),
            RunSpec::Exec(words) => {
                let Some((program, args)) = words.split_first() else {
                    return Ok(failed("`run` is an empty list; name a program".to_owned()));
                };
                Spec::new(program, args, &files.workdir, mark(cx))
            }
        };
        spec.env = files.environment(cx, assignment, &passed);
        spec.hidden = passed.clone();
        spec.log_path = Some(files.log.clone());
        spec.log_limit_bytes = assignment.output_max;
        spec.sandbox = files.sandbox(cx, assignment.sandbox.as_deref(), &[]);
        let watch = Watch {
            report: &files.report,
            passed: &passed,
            silent_after: assignment.silent_after,
            wedged_after: assignment.wedged_after,
            tools: Arc::new(AtomicUsize::new(0)),
            on_line: None,
            input: None,
            leave: never(),
        };
        let outcome = attend(cx, spec, watch).await;
        let mut said = read_report(cx, &files).await;
        // Also of an attempt that failed; its end says nothing of it.
        cx.spent(said.report.cost_micros);
        let turn = match (outcome, said.limited.take()) {
            (Ok(outcome), Some(limited)) if matches!(outcome.exit, Exit::Code(_)) => {
                limited.turn(cx.now())
            }
            (Ok(outcome), _) => conclude(&run.to_string(), assignment, &outcome, said),
            (Err(error), _) => not_run(&error),
        };
        Ok(without_secrets(turn, |text| redacted(text, &passed)))
    }
}

impl Agent for CommandAgent {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        match message {
            Inbound::Assigned(assignment) => self.attempt(&assignment, cx).await,
            Inbound::Guidance { .. }
            | Inbound::Asked { .. }
            | Inbound::Answered { .. }
            | Inbound::Told { .. } => Ok(Turn::NotYet),
        }
    }
}

/// The mark of the attempt's processes.
pub(crate) fn mark(cx: &Context) -> String {
    cx.mark().unwrap_or_else(|| cx.host().mark.clone())
}

/// The report, its artifacts named by their content.
pub(crate) async fn read_report(cx: &Context, files: &Files) -> Said {
    let (files, blobs) = (files.clone(), cx.host().blobs.clone());
    let read = move || {
        let mut said = report::read(&files.report);
        for artifact in &mut said.report.artifacts {
            report::name_by_content(artifact, &files.workdir, blobs.as_deref());
        }
        said
    };
    // Hashing can take a while. It ends with the runtime; then nobody asks any more.
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
}

pub(crate) fn failed(reason: String) -> Turn {
    Turn::Failed {
        reason,
        exit_code: None,
    }
}

/// A command that could not be started.
pub(crate) fn not_run(error: &ProcessError) -> Turn {
    failed(error.to_string())
}

/// What the end of a command and its report mean.
fn conclude(command: &str, assignment: &Assignment, outcome: &Outcome, said: Said) -> Turn {
    let complaint = said.complaint();
    let objection = said.objection(assignment.judges.is_some(), Silence::Accepts);
    let Said {
        mut report,
        blocker,
        ..
    } = said;
    match outcome.exit {
        Exit::Wedged => {
            let quiet = assignment.wedged_after;
            let reason = format!("`{command}` showed no sign of life for {quiet}");
            return Turn::TimedOut {
                reason: with_evidence(reason, outcome, complaint),
            };
        }
        Exit::Cancelled | Exit::TimedOut => {
            return failed(with_evidence(
                format!("`{command}` was ended"),
                outcome,
                complaint,
            ));
        }
        Exit::Code(_) | Exit::Signal(_) => {}
    }
    if let Some(blocker) = blocker {
        return Turn::Blocked(blocker);
    }
    match outcome.exit {
        Exit::Code(0) => {
            if let Some(objection) = objection {
                let reason = format!("`{command}` ended with exit code 0, but {objection}");
                return Turn::Failed {
                    reason: with_evidence(reason, outcome, None),
                    exit_code: Some(0),
                };
            }
            if report.summary.is_empty() {
                report.summary = last_line(outcome)
                    .unwrap_or_else(|| format!("`{command}` ended with exit code 0"));
            }
            annotate(&mut report, outcome, complaint);
            Turn::Done(report)
        }
        Exit::Code(code) => {
            let reason = format!("`{command}` ended with exit code {code}");
            Turn::Failed {
                reason: with_evidence(reason, outcome, complaint),
                exit_code: Some(code),
            }
        }
        Exit::Signal(signal) => failed(with_evidence(
            format!("`{command}` was ended by signal {signal}"),
            outcome,
            complaint,
        )),
        Exit::Wedged | Exit::Cancelled | Exit::TimedOut => failed(format!("`{command}` was ended")),
    }
}

/// What the director should know beside the agent's own words.
pub(crate) fn annotate(report: &mut Report, outcome: &Outcome, complaint: Option<String>) {
    for remark in remarks(outcome, complaint) {
        report.remark(&remark);
    }
}

/// A reason with what there is to see: remarks and the end of the output.
pub(crate) fn with_evidence(
    mut reason: String,
    outcome: &Outcome,
    complaint: Option<String>,
) -> String {
    for remark in remarks(outcome, complaint) {
        reason.push_str(&format!("; {remark}"));
    }
    let mut and = "; its";
    for (stream, tail) in [
        ("output", &outcome.stdout_tail),
        ("error output", &outcome.stderr_tail),
    ] {
        let tail = end_of(tail.trim_end(), TAIL_BYTES);
        if !tail.is_empty() {
            reason.push_str(&format!("{and} {stream} ends with:\n{tail}"));
            and = "\nand its";
        }
    }
    reason
}

fn remarks(outcome: &Outcome, complaint: Option<String>) -> Vec<String> {
    let mut remarks = Vec::from_iter(complaint);
    match outcome.escaped {
        0 => {}
        1 => remarks.push("one process that had left its group was ended".to_owned()),
        n => remarks.push(format!(
            "{n} processes that had left their group were ended"
        )),
    }
    if outcome.left > 0 {
        remarks.push(format!(
            "{} of its processes could not be ended",
            outcome.left
        ));
    }
    if let Some(error) = &outcome.log_error {
        remarks.push(format!("its output log is incomplete: {error}"));
    }
    remarks
}

/// The last `max` bytes, from the start of a character.
pub(crate) fn end_of(text: &str, max: usize) -> &str {
    let mut start = text.len().saturating_sub(max);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

fn last_line(outcome: &Outcome) -> Option<String> {
    let line = outcome
        .stdout_tail
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())?;
    Some(end_of(line, 500).to_owned())
}

/// Every text of a turn, passed through `redact`.
pub(crate) fn without_secrets(turn: Turn, redact: impl Fn(String) -> String) -> Turn {
    match turn {
        Turn::Done(mut report) => {
            report.summary = redact(report.summary);
            report.feedback = redact(report.feedback);
            for finding in &mut report.findings {
                *finding = redact(std::mem::take(finding));
            }
            for answer in &mut report.acceptance {
                answer.evidence = redact(std::mem::take(&mut answer.evidence));
            }
            Turn::Done(report)
        }
        Turn::Blocked(mut blocker) => {
            blocker.text = redact(blocker.text);
            Turn::Blocked(blocker)
        }
        Turn::Failed { reason, exit_code } => Turn::Failed {
            reason: redact(reason),
            exit_code,
        },
        Turn::TimedOut { reason } => Turn::TimedOut {
            reason: redact(reason),
        },
        Turn::Limited { reason, until } => Turn::Limited {
            reason: redact(reason),
            until,
        },
        Turn::Ask { to, question } => Turn::Ask {
            to,
            question: redact(question),
        },
        Turn::Answer(text) => Turn::Answer(redact(text)),
        Turn::BudgetReached => Turn::BudgetReached,
        Turn::NotYet => Turn::NotYet,
    }
}
