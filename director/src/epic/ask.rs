//! An agent asked for the plan of an epic: a command, or Claude Code without a screen.
//!
//! The question holds the director's own role, the epic and the schema of the answer, and goes in on standard input. The answer is checked as a
//! file of a person's would be; where something is wrong the agent is asked again with the reasons, a bounded number of times. An agent only
//! answers: Claude Code gets nothing but tools for reading, whatever the role's file allows.
//!
//! Elsewhere: what an answer has to be is [`director_protocols::manifest::epic`].

use std::path::PathBuf;
use std::time::Duration;

use director_agents::agent::Turn;
use director_agents::coding::attempt::{Dialect, Ended};
use director_agents::coding::stream::Stream;
use director_agents::process::{Exit, Hooks, Line, Spec, never_stop, run};
use director_protocols::epic::{EpicSpec, Proposal};
use director_protocols::manifest::epic as format;
use director_protocols::sprint::{AgentSpec, Profile};

/// The most of an answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// The most of the reasons that go back to the agent, in bytes.
const REASONS_BYTES_MAX: usize = 8 << 10;
/// What Claude Code may use to answer.
const READING: &str = "Read,Glob,Grep";

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A line for the shell: the question on its standard input, the answer on its standard output.
    Command(String),
    /// Claude Code, or what speaks like it.
    Claude {
        /// Program and model.
        agent: Box<AgentSpec>,
        /// What a role's file says of the model.
        profile: Box<Profile>,
    },
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It could not be asked.
    #[error("the agent could not be asked: {0}")]
    NotAsked(String),
    /// It was asked and gave no answer.
    #[error("the agent gave no answer: {0}")]
    NoAnswer(String),
    /// Every answer was refused.
    #[error("the agent's plan was refused {times} times; the last time because of:\n{reasons}")]
    Refused {
        /// How often it was asked.
        times: u32,
        /// What is wrong with its last answer.
        reasons: String,
    },
}

/// Asks for a plan, at most `times` times, each within `limit`; `told` hears why an answer was refused.
///
/// # Errors
/// [`AskError`].
pub async fn ask(
    asked: &Asked,
    epic: &EpicSpec,
    source: &str,
    cwd: PathBuf,
    (times, limit): (u32, Duration),
    told: &mut dyn FnMut(&str),
) -> Result<Proposal, AskError> {
    let mut reasons = String::new();
    for time in 1..=times.max(1) {
        let question = question(epic, source, &reasons);
        let answer = once(asked, question, cwd.clone(), limit).await?;
        match format::proposal(json_in(&answer), epic) {
            Ok(plan) => return Ok(plan),
            Err(errors) => {
                reasons = errors.to_string();
                told(&format!(
                    "answer {time} of at most {times} is refused:\n{reasons}"
                ));
            }
        }
    }
    Err(AskError::Refused {
        times: times.max(1),
        reasons,
    })
}

/// What the agent is told.
fn question(epic: &EpicSpec, source: &str, reasons: &str) -> String {
    let team: Vec<String> = epic
        .team
        .iter()
        .map(|role| format!("- {} x{}: {}", role.name, role.count, role.kinds.join(", ")))
        .collect();
    let mut text = format!(
        "{}\n\n# What is wanted\n\nA plan for the epic below: the architecture, every task, the risks. Answer with one JSON document that fits the \
         schema, and nothing around it.\n\n\
         - Break features down into tasks of at most two days, each with one outcome and criteria that somebody else can check.\n\
         - Begin with a task of the kind `architecture`. Each feature needs tasks of the kinds `testing` and `review`.\n\
         - Let a task wait only for what it needs from another. Documentation waits for the design, not for the code. Interface and service are built \
         side by side and connected by a task of their own.\n\
         - `feature` of a task is the feature's `id`; three-point estimates are in hours.\n\n\
         # The team\n\n{}\n\n# The epic\n\nThis is the file as its author wrote it.\n\n{}\n\n# The schema\n\n{}\n",
        epic.director.prompt,
        team.join("\n"),
        fenced(source),
        fenced(&format::proposal_schema()),
    );
    if !reasons.is_empty() {
        let mut reasons = reasons.to_owned();
        reasons.truncate(reasons.floor_char_boundary(REASONS_BYTES_MAX));
        text += &format!(
            "\n# Your last answer was refused\n\nCorrect this and answer with the whole plan again.\n\n{}\n",
            fenced(&reasons)
        );
    }
    text
}

/// Text between fences that it cannot close.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}\n{}\n{fence}", text.trim_end())
}

/// The JSON document in an answer: what stands in a fence or between the first and the last brace.
fn json_in(answer: &str) -> &str {
    let answer = answer.trim();
    match (answer.find('{'), answer.rfind('}')) {
        (Some(from), Some(to)) if from < to => &answer[from..=to],
        _ => answer,
    }
}

async fn once(
    asked: &Asked,
    question: String,
    cwd: PathBuf,
    limit: Duration,
) -> Result<String, AskError> {
    let mark = format!("director-epic-{}", std::process::id());
    let mut spec = match asked {
        Asked::Command(line) => Spec::shell(line.as_str(), cwd, mark),
        Asked::Claude { agent, profile } => {
            let mut words = agent
                .program
                .clone()
                .unwrap_or_else(|| vec!["claude".to_owned()]);
            if words.is_empty() {
                return Err(AskError::NotAsked(
                    "its `program` is an empty list".to_owned(),
                ));
            }
            let program = words.remove(0);
            words.extend(["-p", "--output-format", "stream-json", "--verbose"].map(str::to_owned));
            let model = agent
                .model
                .as_ref()
                .or_else(|| profile.settings.get("model"));
            if let Some(model) = model.filter(|model| !model.eq_ignore_ascii_case("inherit")) {
                words.extend(["--model".to_owned(), model.clone()]);
            }
            words.push(format!("--tools={READING}"));
            words.push(format!("--allowedTools={READING}"));
            Spec::new(program, words, cwd, mark)
        }
    };
    spec.stdin = Some(question.into_bytes());
    spec.timeout = Some(limit);
    spec.output_limit_bytes = ANSWER_BYTES_MAX;
    spec.line_limit_bytes = ANSWER_BYTES_MAX;
    if let Asked::Claude { agent, .. } = asked {
        let passed = agent
            .env
            .iter()
            .filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)));
        spec.env.extend(passed);
    }
    let mut stream = Stream::default();
    let outcome = {
        let listen = |line: Line<'_>| {
            stream.line(line.bytes);
        };
        let hooks = Hooks {
            on_line: Some(Box::new(listen)),
            ..Hooks::default()
        };
        run(spec, None, never_stop(), hooks).await
    };
    let outcome = outcome.map_err(|error| AskError::NotAsked(error.to_string()))?;
    if outcome.exit == Exit::TimedOut {
        return Err(AskError::NoAnswer(format!(
            "it took longer than {} s",
            limit.as_secs()
        )));
    }
    let tail = outcome.stderr_tail.trim();
    match (asked, outcome.exit) {
        (Asked::Command(_), Exit::Code(0)) if outcome.truncated => {
            let most = ANSWER_BYTES_MAX >> 20;
            Err(AskError::NoAnswer(format!("it is over {most} MiB")))
        }
        (Asked::Command(_), Exit::Code(0)) => Ok(outcome.stdout_tail),
        (Asked::Command(_), exit) => Err(AskError::NoAnswer(format!(
            "it ended with {exit:?}: {tail}"
        ))),
        (Asked::Claude { .. }, exit) => match stream.verdict(Ended::of(exit)) {
            Turn::Done(report) => Ok(report.summary),
            Turn::Failed { reason, .. } => Err(AskError::NoAnswer(format!("{reason} {tail}"))),
            Turn::Blocked(blocker) => Err(AskError::NoAnswer(blocker.text)),
            _ => Err(AskError::NoAnswer("it ended in the middle".to_owned())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_found_in_what_an_agent_says_around_it() {
        for (answer, json) in [
            ("{\"a\": 1}", "{\"a\": 1}"),
            (
                "Here it is:\n```json\n{\"a\": {}}\n```\nDone.",
                "{\"a\": {}}",
            ),
            ("no", "no"),
            ("} {", "} {"),
        ] {
            assert_eq!(json_in(answer), json);
        }
        assert!(fenced("a ```` b").starts_with("`````\n"));
    }
}
