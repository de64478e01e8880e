//! The connection to the director: one that hears events, one that asks; made again when they break.
//!
//! Everything comes out as an [`Input`] in the order in which it happened. Whoever is slow to take it slows the connection down, never the
//! director, which keeps a place in the journal for each stream and nothing else.
//!
//! Invariant: nothing is asked before `Connected`, and an order gets its answer or why there is none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::ask::Question;
use super::model::Input;
use crate::control::client::{Client, ClientError};
use crate::control::protocol::{Answer, Ask, Fault, FaultKind, Op, Order, Screen};

/// How long until a director that is gone is looked for again.
const AGAIN: Duration = Duration::from_millis(500);

/// Records of the past that events are shown of at first.
const PAST: u64 = 1_500;

/// Events are passed on at most this often; the first after a while at once.
const NEWS_EVERY: Duration = Duration::from_millis(200);

/// What arrives within this time of an event comes along with it.
const TOGETHER: Duration = Duration::from_millis(20);

/// Events that are passed on at once, at most.
const AT_ONCE: usize = 4_096;

/// What is wanted of the director.
#[derive(Debug)]
pub(super) enum Call {
    /// An answer.
    Ask(Question),
    /// Something is to be done.
    Give(Order),
}

/// Keeps the connection until nobody calls any more.
pub(super) async fn keep(data_dir: PathBuf, mut calls: Receiver<Call>, inputs: Sender<Input>) {
    // The last position of which events were passed on.
    let mut reached: Option<u64> = None;
    loop {
        let why = match connect(&data_dir).await {
            Ok((client, events, head)) => {
                let same = reached.is_some_and(|last| last <= head);
                if inputs.send(Input::Connected { same }).await.is_err() {
                    return;
                }
                let after = match same {
                    true => reached.unwrap_or(0),
                    false => head.saturating_sub(PAST),
                };
                let (said, mut heard) = tokio::sync::mpsc::channel(1);
                let hearing = tokio::spawn(hear(events, after, inputs.clone(), said));
                let hearing = Aborted(hearing);
                let ended = serve(client, &mut calls, &inputs, &mut heard).await;
                drop(hearing);
                let (why, last) = match ended {
                    Some(ended) => ended,
                    None => return,
                };
                reached = last.or(reached).or(Some(after));
                why
            }
            Err(error) => error.to_string(),
        };
        if inputs.send(Input::Gone(why)).await.is_err() {
            return;
        }
        // What was asked meanwhile has no answer.
        let wait = tokio::time::sleep(AGAIN);
        tokio::pin!(wait);
        loop {
            tokio::select! {
                biased;
                call = calls.recv() => match call {
                    None => return,
                    Some(call) => {
                        let fault = Fault::new(FaultKind::Stopped, "no director is there");
                        if inputs.send(answered(call, Err(fault))).await.is_err() {
                            return;
                        }
                    }
                },
                () = &mut wait => break,
            }
        }
    }
}

/// Two connections, one to ask on and one that events come on; and the position that the journal has reached.
async fn connect(data_dir: &Path) -> Result<(Client, Client, u64), ClientError> {
    let mut client = Client::connect(data_dir).await?;
    let events = Client::connect(data_dir).await?;
    let op = Op::Ask(Ask::Sprints {});
    let head = client.request(op, Screen::default()).await?.seq;
    Ok((client, events, head))
}

/// Ends a task when it is dropped.
struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How hearing ended: why, and the last position that was heard of.
type Ended = (String, Option<u64>);

/// Passes events on until there are no more; says why, and how far they went.
async fn hear(mut client: Client, after: u64, inputs: Sender<Input>, said: Sender<Ended>) {
    let mut last = after;
    let mut sent = Instant::now();
    let why = match client.follow(after, None, Screen::default()).await {
        Err(error) => error.to_string(),
        Ok(stream) => loop {
            match client.next_event(&stream).await {
                Ok(Some(line)) => {
                    let mut lines = vec![line];
                    let until = (Instant::now() + TOGETHER).max(sent + NEWS_EVERY);
                    while lines.len() < AT_ONCE
                        && let Ok(Ok(Some(line))) =
                            timeout_at(until, client.next_event(&stream)).await
                    {
                        lines.push(line);
                    }
                    sent = Instant::now();
                    last = lines.last().map_or(last, |line| line.seq);
                    if inputs.send(Input::Events(lines)).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break "it stopped".to_owned(),
                Err(error) => break error.to_string(),
            }
        },
    };
    // Nobody listens once the other connection broke.
    let _ = said.send((why, Some(last))).await;
}

/// Answers calls until a connection breaks; `None` when nobody calls any more.
async fn serve(
    mut client: Client,
    calls: &mut Receiver<Call>,
    inputs: &Sender<Input>,
    heard: &mut Receiver<Ended>,
) -> Option<Ended> {
    loop {
        let call = tokio::select! {
            biased;
            ended = heard.recv() => return Some(ended.unwrap_or_else(|| ("it went away".to_owned(), None))),
            call = calls.recv() => call?,
        };
        let op = match &call {
            Call::Ask(question) => Op::Ask(question.ask()),
            Call::Give(order) => Op::Order(order.clone()),
        };
        let (answer, broken) = match client.request(op, Screen::default()).await {
            Ok(answer) => (Ok(answer), None),
            Err(ClientError::Fault(fault)) => (Err(fault), None),
            Err(error) => {
                let fault = Fault::new(FaultKind::Stopped, error.to_string());
                (Err(fault), Some(error.to_string()))
            }
        };
        inputs.send(answered(call, answer)).await.ok()?;
        if let Some(why) = broken {
            // Hearing knows how far it came, if it ends as well.
            let ended = tokio::time::timeout(AGAIN, heard.recv()).await;
            return Some(match ended {
                Ok(Some(ended)) => ended,
                _ => (why, None),
            });
        }
    }
}

fn answered(call: Call, answer: Result<Answer, Fault>) -> Input {
    match call {
        Call::Ask(question) => Input::Answered(question, answer),
        Call::Give(_) => Input::Done(answer),
    }
}
