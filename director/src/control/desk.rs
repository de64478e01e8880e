//! The desk: calls that are more than one question or order, carried out the same way for whoever asks.
//!
//! ```text
//! HTTP, MCP at `/mcp` ─▶ a director in this process ─┐
//! MCP on stdio ─▶ its socket, or the journal ────────┴─▶ Desk ─▶ plan, submit, replan, send, logs, diff
//! ```
//!
//! Elsewhere: one question or order is [`super::protocol`]; which calls there are is the table of `http`.

use std::path::PathBuf;

use director_protocols::manifest::Purpose;
use director_protocols::outside::Outside;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::facts::{SprintFacts, TaskFacts};
use super::planning::{self, Planned};
use super::protocol::{Answer, Ask, Fault, FaultKind, Op, Order};
use super::simulation::stand::Records;
use super::submission::{self, File, Submission};
use super::work;

/// The most of a task's output that is shown, in bytes.
const LOG_BYTES_MAX: u64 = 1 << 20;

/// Where a desk looks for files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where what is relative in a sprint file begins that comes as text.
    pub dir: PathBuf,
    /// The kinds of agent that this program has.
    pub kinds: Vec<String>,
}

/// Somebody who answers questions and carries out orders.
pub trait Desk: Clone + Send + Sync + 'static {
    /// One question or order.
    fn serve(&self, op: Op) -> impl Future<Output = Result<Answer, Fault>> + Send;

    /// Where files are looked for.
    fn place(&self) -> &Place;

    /// The data directory.
    ///
    /// # Errors
    /// That there is none yet.
    fn data_dir(&self) -> Result<PathBuf, Fault>;

    /// The journal's records, all of them.
    fn records(&self) -> impl Future<Output = Result<Records, Fault>> + Send;
}

/// Something that has been done, with more to say than its words.
pub fn done(answer: Answer, more: Value) -> Answer {
    let mut json = more;
    json["seq"] = json!(answer.seq);
    json["text"] = json!(answer.text.trim_end());
    Answer { json, ..answer }
}

/// Runs what blocks on a thread that may.
///
/// # Errors
/// That it broke down.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))
}

/// Carries something out to its end, whether or not anybody still waits for it.
///
/// # Errors
/// Its own, or that it broke down.
pub async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::spawn(super::audit::carried(work)).await;
    done.unwrap_or_else(|error| {
        let why = format!("the call broke down: {error}");
        Err(Fault::new(FaultKind::Internal, why))
    })
}

/// A sprint file that is to be run.
///
/// # Errors
/// What is wrong with it.
pub async fn submission(desk: &impl Desk, file: File) -> Result<Submission, Fault> {
    let kinds = desk.place().kinds.clone();
    // Role files are looked for on disk.
    let read = blocking(move || submission::parse(&file, &kinds)).await?;
    read.map_err(|why| Fault::new(FaultKind::BadSprint, why))
}

/// Takes in a sprint.
///
/// # Errors
/// What is wrong with it, or why it is not taken in.
pub async fn submit(desk: &impl Desk, file: File) -> Result<Answer, Fault> {
    let Submission { spec, notes } = submission(desk, file).await?;
    let sprint = spec.id.to_string();
    let hidden = spec.clone();
    blocking(move || submission::hide_our_folders(&hidden)).await?;
    let order = Order::Submit {
        spec: Box::new(spec),
    };
    let answer = desk.serve(Op::Order(order)).await?;
    Ok(done(answer, json!({ "sprint": sprint, "notes": notes })))
}

/// Changes a running sprint to what a file says.
///
/// # Errors
/// What is wrong with it, or why it is not done.
pub async fn replan(desk: &impl Desk, file: File, by: &str) -> Result<Answer, Fault> {
    let Submission { spec, notes } = submission(desk, file).await?;
    let sprint = spec.id.to_string();
    let order = Order::Replan {
        spec: Box::new(spec),
        by: by.to_owned(),
    };
    let answer = desk.serve(Op::Order(order)).await?;
    Ok(done(answer, json!({ "sprint": sprint, "notes": notes })))
}

/// What a file would change in a running sprint.
///
/// # Errors
/// What is wrong with it, or that there is no such sprint.
pub async fn difference(desk: &impl Desk, file: File) -> Result<Answer, Fault> {
    let Submission { spec, .. } = submission(desk, file).await?;
    let ask = Ask::Replan {
        spec: Box::new(spec),
    };
    desk.serve(Op::Ask(ask)).await
}

/// An outside party's event.
///
/// # Errors
/// What is wrong with its fields, or why it is not taken.
pub async fn send(
    desk: &impl Desk,
    event: &str,
    fields: Map<String, Value>,
    (sprint, by): (Option<String>, &str),
) -> Result<Answer, Fault> {
    let what: Outside = serde_json::from_value(json!({ event: fields }))
        .map_err(|error| Fault::new(FaultKind::BadRequest, format!("{event}: {error}")))?;
    let order = Order::Send {
        sprint,
        what: Box::new(what),
        by: by.to_owned(),
    };
    Ok(done(desk.serve(Op::Order(order)).await?, json!({})))
}

/// Plans a sprint; changes nothing. The text is written as `format` says: `markdown`, `dot`, `mermaid` or `svg`.
///
/// # Errors
/// What is wrong with its file, or why no plan can be made of it.
pub async fn plan(
    desk: &impl Desk,
    file: File,
    calibrate: bool,
    format: &str,
) -> Result<Answer, Fault> {
    let bad = |why: String| Fault::new(FaultKind::BadSprint, why);
    // Before any director has run there is no past.
    let past = match desk.data_dir() {
        Ok(_) => {
            let answer = desk.serve(Op::Ask(Ask::Calibration {})).await?;
            planning::past(answer.json)
                .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?
        }
        Err(_) => None,
    };
    let (kinds, format) = (desk.place().kinds.clone(), format.to_owned());
    let planned = blocking(move || {
        let manifest = file.read(Purpose::Plan, &kinds)?;
        Planned::of(manifest, past, calibrate, Planned::usual)
            .map_err(|error| format!("the sprint cannot be planned: {error}"))
            .map(|planned| (planned.text(&format), planned.json()))
    });
    let (text, json) = planned.await?.map_err(bad)?;
    let json = serde_json::from_str(&json)
        .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
    Ok(Answer {
        text,
        json,
        ..Answer::default()
    })
}

/// What the journal says of one thing, for ourselves.
///
/// # Errors
/// That it is not there.
pub async fn facts<T: DeserializeOwned>(desk: &impl Desk, ask: Ask) -> Result<T, Fault> {
    let answer = desk.serve(Op::Ask(ask)).await?;
    serde_json::from_value(answer.json)
        .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))
}

/// What an attempt printed, made harmless; the end of it when it is long.
///
/// # Errors
/// That there is no such task, or that it left no output.
pub async fn log(
    desk: &impl Desk,
    sprint: Option<String>,
    task: String,
    attempt: Option<u32>,
) -> Result<String, Fault> {
    let facts: TaskFacts = facts(desk, Ask::Task { sprint, task }).await?;
    let attempt = attempt.unwrap_or(facts.attempt);
    let none = format!("attempt {attempt} at task `{}` left no output", facts.task);
    let data_dir = desk.data_dir()?;
    let read = blocking(move || {
        let log = work::log_of(&data_dir, &facts, attempt)?;
        Some(work::tail(&log, LOG_BYTES_MAX))
    });
    match read.await? {
        None => Err(Fault::not_found(none)),
        Some(Err(error)) => Err(Fault::new(FaultKind::Internal, error.to_string())),
        Some(Ok((bytes, cut))) => {
            let text = work::harmless(&bytes);
            Ok(match cut {
                true => format!(
                    "… only the last {} KiB are shown\n{text}",
                    LOG_BYTES_MAX >> 10
                ),
                false => text,
            })
        }
    }
}

/// What a task changed so far, as a patch made harmless.
///
/// # Errors
/// That there is no such task, or nothing to compare.
pub async fn diff(desk: &impl Desk, sprint: Option<String>, task: String) -> Result<String, Fault> {
    let task: TaskFacts = facts(desk, Ask::Task { sprint, task }).await?;
    let ask = Ask::Sprint {
        sprint: Some(task.sprint.clone()),
        fingerprint: false,
    };
    let sprint: SprintFacts = facts(desk, ask).await?;
    let patch = blocking(move || work::diff(&sprint, &task)).await?;
    let patch = patch.map_err(|error| Fault::not_found(error.to_string()))?;
    Ok(work::harmless(patch.as_bytes()))
}
