//! What an agent at work says to the director, and who may: the holder of the token of an attempt that is under way, about that
//! attempt alone.
//!
//! | said | what becomes of it |
//! |---|---|
//! | progress, blocker, hand-off | goes into the attempt's report file, and the same way from there as what the agent writes itself |
//! | a question | is asked in the agent's name; the answer is waited for a while, and the same question asked again finds it |
//!
//! Each answer says beside that what the work would conflict with as things stand. So all of it may be said twice. A token is proved by [`Reach`]; whether its attempt is still under way is asked of
//! the state in the same turn.
//!
//! Elsewhere: the report is `director_agents::command::report`; questions are the engine's `decide::message`.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use director_agents::command::say;
use director_agents::reach::{Claim, Holder, Reach};
use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Attempt, MessageId, TaskId};
use director_protocols::severity::Severity;
use director_protocols::time::Time;
use director_protocols::work::{COMMAND, PERSON, TEXT_BYTES_MAX};
use director_runtime::bus::Subscriber;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::desk::blocking;
use super::protocol::{Answer, Fault, FaultKind};
use super::server::refused;
use crate::engine::decide::block;
use crate::engine::decide::message::OF_TASK;
use crate::engine::state::State;
use crate::handle::Handle;
use crate::view::clashes;

/// The most questions of one attempt.
const QUESTIONS_MAX: usize = 20;
/// How long an answer is waited for when nothing else is said, and at most.
const WAIT: u64 = 20;
const WAIT_MAX: u64 = 50;

/// A token, kept out of traces.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Something an agent at work says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    /// The token of its assignment.
    pub token: Token,
    /// The task that it means, where it names one.
    #[serde(default)]
    pub task: Option<String>,
    /// What.
    pub said: Said,
}

/// What an agent at work can say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    /// It wants to see its assignment again.
    Assignment {},
    /// How far it is.
    Progress {
        /// 0 to 100.
        percent: u8,
        /// What is being done.
        #[serde(default)]
        text: String,
    },
    /// Something holds it up.
    Blocker {
        /// What sort, such as `missing_credentials`.
        kind: String,
        /// How bad the agent thinks it is.
        severity: Severity,
        /// What is the matter.
        text: String,
    },
    /// What it hands on.
    HandOff {
        /// What was done.
        summary: String,
        /// Files that matter.
        #[serde(default)]
        artifacts: Vec<String>,
        /// The criteria it answers.
        #[serde(default)]
        acceptance: Vec<Criterion>,
        /// What has to be changed, where the work was to judge another's; an empty list accepts it, none is no verdict.
        #[serde(default)]
        findings: Option<Vec<String>>,
        /// What the team should know.
        #[serde(default)]
        feedback: String,
    },
    /// A question.
    Ask {
        /// What.
        question: String,
        /// A task of the sprint: whoever has it, did it or will do it is asked. Whoever leads, or a person, without.
        #[serde(default)]
        of: Option<String>,
        /// How long an answer is waited for, in seconds.
        #[serde(default)]
        wait: Option<u64>,
    },
}

/// A criterion, answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// As the task has it.
    pub criterion: String,
    /// Whether it is met.
    pub met: bool,
    /// What shows it.
    #[serde(default)]
    pub evidence: String,
}

/// The attempt that a token is for.
struct Held {
    task: TaskId,
    attempt: Attempt,
    agent: AgentId,
    name: String,
    dir: PathBuf,
    /// What the work is in conflict with, a sentence each.
    news: Vec<String>,
}

/// Carries out what an agent says.
///
/// # Errors
/// In words: the token is not good for it, it makes no sense, or a limit is reached.
pub async fn carry_out(handle: &Handle, all: Assigned) -> Result<Answer, Fault> {
    let Assigned { token, task, said } = all;
    let held = holder(handle, token, task).await?;
    match said {
        Said::Assignment {} => assignment(held).await,
        Said::Progress { percent, text } => {
            let words = match text.is_empty() {
                true => format!("noted: task `{}` is at {percent} %", held.name),
                false => format!("noted: task `{}` is at {percent} %, {text}", held.name),
            };
            note(
                held,
                json!({ "progress": percent.min(100), "doing": text }),
                words,
            )
            .await
        }
        Said::Blocker {
            kind,
            severity,
            text,
        } => {
            let words = "noted; end your work now, it is dealt with once you have";
            let blocker = json!({ "type": kind, "severity": severity, "text": text });
            note(held, json!({ "blocker": blocker }), words.to_owned()).await
        }
        Said::HandOff {
            summary,
            artifacts,
            acceptance,
            findings,
            feedback,
        } => {
            let words = "noted; it is handed on once your work has ended and passed its gates";
            let mut fields = json!({
                "summary": summary,
                "artifacts": artifacts,
                "acceptance": acceptance,
                "feedback": feedback,
                // Whoever hands on is not held up any more.
                "blocker": null,
            });
            if let Some(findings) = findings {
                fields["findings"] = json!(findings);
            }
            note(held, fields, words.to_owned()).await
        }
        Said::Ask { question, of, wait } => ask(handle, held, question, of, wait).await,
    }
}

/// Whether a token is that of an attempt under way.
///
/// # Errors
/// Why it is not.
pub async fn check(handle: &Handle, token: Token) -> Result<(), Fault> {
    holder(handle, token, None).await.map(drop)
}

/// Whose token it is.
async fn holder(handle: &Handle, token: Token, task: Option<String>) -> Result<Held, Fault> {
    let unknown = || {
        let why = "this token is none of this director's; it has to be what `DIRECTOR_TOKEN` held when the agent was started";
        Fault::new(FaultKind::Unauthorized, why)
    };
    let (Some(reach), Some(claim)) = (handle.reach().cloned(), Claim::read(&token.0)) else {
        return Err(unknown());
    };
    let now = handle.now();
    let look = move |state: &State| {
        proved(state, &reach, &token, claim)
            .ok_or_else(unknown)
            .and_then(|()| under_way(state, &reach, claim, now))
    };
    let held = handle
        .read(move |engine| look(engine.state()))
        .await
        .map_err(refused)??;
    match task {
        Some(task) if task != held.name => {
            let shown: String = task.chars().filter(|c| !c.is_control()).take(100).collect();
            let why = format!(
                "this token is for task `{}` and not for `{shown}`; it can report on nothing else",
                held.name
            );
            Err(Fault::new(FaultKind::Forbidden, why))
        }
        _ => Ok(held),
    }
}

fn proved(state: &State, reach: &Reach, token: &Token, claim: Claim) -> Option<()> {
    let row = state.tasks.get(claim.task)?;
    let holder = Holder {
        sprint: state.sprints.get(row.sprint)?.spec.id.as_str(),
        name: row.spec.id.as_str(),
        task: claim.task,
        attempt: claim.attempt,
    };
    reach.is(&token.0, holder).then_some(())
}

fn under_way(state: &State, reach: &Reach, claim: Claim, now: Time) -> Result<Held, Fault> {
    let over = |why: String| Err(Fault::new(FaultKind::Forbidden, why));
    let Some(row) = state.tasks.get(claim.task) else {
        return over("there is no such task any more".to_owned());
    };
    let (name, attempt) = (row.spec.id.to_string(), claim.attempt);
    if row.attempt != attempt {
        return over(format!(
            "this token has expired: attempt {attempt} at task `{name}` is over, attempt {} has begun",
            row.attempt
        ));
    }
    match row.agent {
        Some(agent) => Ok(Held {
            task: claim.task,
            attempt,
            agent,
            name,
            dir: reach
                .data_dir()
                .join("attempts")
                .join(claim.task.to_string())
                .join(attempt.to_string()),
            news: clashes::of_task(state, claim.task, now)
                .iter()
                .map(|row| row.sentence())
                .collect(),
        }),
        None => over(format!(
            "this token has expired: attempt {attempt} at task `{name}` is over, the task is {}",
            row.phase.as_str()
        )),
    }
}

/// Puts something into the attempt's report.
async fn note(held: Held, fields: Value, words: String) -> Result<Answer, Fault> {
    bounded(&fields)?;
    let Value::Object(fields) = fields else {
        return Err(Fault::new(FaultKind::Internal, "no fields".to_owned()));
    };
    let (task, attempt) = (held.name, held.attempt);
    blocking(move || say::merge(&held.dir, fields))
        .await?
        .map_err(|why| Fault::new(FaultKind::BadRequest, why))?;
    let text: Vec<&str> = [words.as_str()]
        .into_iter()
        .chain(held.news.iter().map(String::as_str))
        .collect();
    Ok(Answer {
        text: text.join("\n") + "\n",
        json: json!({ "task": task, "attempt": attempt.0, "text": words, "news": held.news }),
        ..Answer::default()
    })
}

/// Refuses texts that would be cut.
fn bounded(value: &Value) -> Result<(), Fault> {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES_MAX => Err(Fault::new(
            FaultKind::BadRequest,
            format!("a text may have up to {} KiB", TEXT_BYTES_MAX >> 10),
        )),
        Value::Array(items) => items.iter().try_for_each(bounded),
        Value::Object(fields) => fields.values().try_for_each(bounded),
        _ => Ok(()),
    }
}

/// The assignment as the agent's hand-off file has it.
async fn assignment(held: Held) -> Result<Answer, Fault> {
    let file = held.dir.join(say::HANDOFF);
    let read = blocking(move || fs::read(file)).await?;
    let read = read
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let json: Map<String, Value> = read.ok_or_else(|| {
        let why = format!("task `{}` has no hand-off file yet", held.name);
        Fault::not_found(why)
    })?;
    let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut words = format!(
        "{}: {}\n{}\n",
        held.name,
        text("title"),
        text("description")
    );
    for criterion in json
        .get("acceptance")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        words += &format!(
            "accepted when: {}\n",
            criterion.as_str().unwrap_or_default()
        );
    }
    Ok(Answer {
        text: words,
        json: Value::Object(json),
        ..Answer::default()
    })
}

/// What stands in the way of a new question.
enum Not {
    /// It was asked before.
    Known(MessageId),
    /// It cannot be asked.
    Refused(Fault),
}

async fn ask(
    handle: &Handle,
    held: Held,
    question: String,
    of: Option<String>,
    wait: Option<u64>,
) -> Result<Answer, Fault> {
    bounded(&json!(question))?;
    // Listening starts before it is asked, so that no answer is missed.
    let mut news = handle.subscribe();
    let (task, attempt, agent) = (held.task, held.attempt, held.agent);
    let text = question.clone();
    let look = move |state: &State| {
        let asked = asked_by(state, task, attempt);
        if let Some(known) = asked
            .iter()
            .find(|id| state.messages.table[id.index()].text == text)
        {
            return Err(Not::Known(*known));
        }
        if asked.len() >= QUESTIONS_MAX {
            let why = format!(
                "{QUESTIONS_MAX} questions were asked in this attempt; go on with what is known"
            );
            return Err(Not::Refused(Fault::new(FaultKind::Busy, why)));
        }
        let to = whom(state, task, agent, of.as_deref()).map_err(Not::Refused)?;
        let next = MessageId(u32::try_from(state.messages.table.len()).unwrap_or(u32::MAX));
        let command = Command::Ask {
            from: agent,
            attempt: (task, attempt),
            to,
            text,
        };
        Ok((command, next))
    };
    let asked = handle
        .weigh(move |engine| look(engine.state()))
        .await
        .map_err(refused)?;
    let message = match asked {
        Ok((_, message)) | Err(Not::Known(message)) => message,
        Err(Not::Refused(fault)) => return Err(fault),
    };
    let wait = Duration::from_secs(wait.unwrap_or(WAIT).min(WAIT_MAX));
    let found = tokio::time::timeout(wait, answer_to(handle, &mut news, message)).await;
    Ok(match found {
        Ok(answered) => {
            let (by, text) = answered?;
            Answer {
                text: format!("{by}: {text}\n"),
                json: json!({ "question": message.0, "answered": true, "by": by, "answer": text }),
                ..Answer::default()
            }
        }
        Err(_) => Answer {
            text:
                "no answer yet; ask the same again to go on waiting, or go on with what you know\n"
                    .to_owned(),
            json: json!({ "question": message.0, "answered": false }),
            ..Answer::default()
        },
    })
}

/// The questions of an attempt.
fn asked_by(state: &State, task: TaskId, attempt: Attempt) -> Vec<MessageId> {
    let all = (0u32..).map(MessageId).zip(&state.messages.table);
    all.filter(|(_, message)| message.waiting == Some((task, attempt)))
        .map(|(id, _)| id)
        .collect()
}

/// Who is asked: whoever has, did or will do the task that the question is about, where one can talk to them; otherwise whoever leads,
/// or a person.
fn whom(state: &State, task: TaskId, from: AgentId, of: Option<&str>) -> Result<String, Fault> {
    let row = &state.tasks.table[task.index()];
    if let Some(name) = of {
        let known = &state.sprints.table[row.sprint.index()].by_name;
        let about = known.get(name).and_then(|id| state.tasks.get(*id));
        let Some(about) = about else {
            let received = row.depends_on.iter();
            let received: Vec<String> = received.map(|id| state.task_name(*id)).collect();
            let hint = match received.is_empty() {
                true => "leave `of` out".to_owned(),
                false => format!("task `{}` received {}", row.spec.id, received.join(", ")),
            };
            let why = format!("the sprint has no task of that name; {hint}");
            return Err(Fault::not_found(why));
        };
        let role = match about.agent.or(about.last_agent) {
            Some(agent) => state.team.role_of(agent),
            None => state.team.roles.get(about.role.index()),
        };
        let author = about.last_agent.filter(|_| about.phase.is_over());
        let there = author.is_none_or(|agent| agent != from && state.team.is_there(agent));
        let talks = role.is_some_and(|role| role.spec.agent.kind != COMMAND && !role.lost);
        if there && talks {
            return Ok(format!("{OF_TASK}{name}"));
        }
    }
    let leads = [Severity::Low, Severity::High];
    let found = leads
        .into_iter()
        .find_map(|severity| block::adviser(state, task, severity, Some(from)));
    Ok(found.map_or_else(|| PERSON.to_owned(), |agent| state.agent_name(agent)))
}

async fn answer_to<T: Clone>(
    handle: &Handle,
    news: &mut Subscriber<T>,
    message: MessageId,
) -> Result<(String, String), Fault> {
    loop {
        let look = move |state: &State| {
            let found = state.messages.table.get(message.index());
            found.and_then(|found| found.answer.clone())
        };
        let found = handle.read(move |engine| look(engine.state())).await;
        if let Some(answer) = found.map_err(refused)? {
            return Ok(answer);
        }
        if news.recv().await.is_none() {
            return Err(Fault::new(
                FaultKind::Stopped,
                "the director has stopped; the question stays".to_owned(),
            ));
        }
    }
}
