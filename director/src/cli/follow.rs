//! Following a sprint: submit it or find it, show how it goes, and say how that ended.
//!
//! The same for a director in this process and in another one: ask, show, and look whether it is over.
//!
//! Invariant: following changes nothing but by the one submission; stopping a director is the caller's.

use std::io;
use std::path::PathBuf;

use director_protocols::sprint::SprintSpec;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::end::CliError;
use super::output::note;
use super::progress::{LOOK_EVERY, Progress};
use super::{Context, deliver};
use crate::control::answer::read_page;
use crate::control::client::Client;
use crate::control::facts::{SprintFacts, fingerprint};
use crate::control::protocol::{
    Answer, Ask, EventLine, Fault, FaultKind, Op, Order, ReportFormat, Screen,
};
use crate::control::server;
use crate::control::submission;
use crate::handle::Handle;

/// What the user asked for.
pub(super) struct Wanted {
    pub(super) spec: SprintSpec,
    pub(super) file: PathBuf,
    pub(super) json: bool,
}

impl Wanted {
    pub(super) fn sprint(&self) -> Option<String> {
        Some(self.spec.id.to_string())
    }

    /// Says so when the file is not what was submitted.
    pub(super) fn compare(&self, facts: &SprintFacts) {
        let mut spec = self.spec.clone();
        // Where the file names no base, it is the branch that was found at the start.
        spec.base = spec.base.or_else(|| facts.base_branch.clone());
        let known = facts.fingerprint.as_ref();
        if known.is_some_and(|known| *known != fingerprint(&spec)) {
            note(&format!(
                "note: `{}` differs from what was submitted as `{}`; the sprint goes on as it is. `director replan {}` shows \
                 the difference and takes it in",
                self.file.display(),
                facts.sprint,
                self.file.display()
            ));
        }
    }
}

/// The director that is spoken to.
pub(super) enum Director {
    /// In this process.
    Here(Handle),
    /// In another one.
    There(Box<Client>),
}

impl Director {
    async fn request(&mut self, op: Op, screen: Screen) -> Result<Answer, CliError> {
        match self {
            Director::Here(handle) => Ok(server::serve(handle, op, screen).await?),
            Director::There(client) => Ok(client.request(op, screen).await?),
        }
    }

    async fn facts(
        &mut self,
        sprint: Option<String>,
        fingerprint: bool,
    ) -> Result<SprintFacts, CliError> {
        let ask = Op::Ask(Ask::Sprint {
            sprint,
            fingerprint,
        });
        deliver::sprint(self.request(ask, Screen::default()).await?)
    }
}

impl Director {
    /// The other sprints that are not over and wait for nobody.
    pub(super) async fn others_at_work(
        &mut self,
        wanted: &Wanted,
    ) -> Result<Vec<String>, CliError> {
        let mut at_work = Vec::new();
        for other in self.facts(wanted.sprint(), false).await?.others {
            let facts = self.facts(Some(other), false).await?;
            if !facts.over && !facts.waits_for_people && facts.state != "paused" {
                at_work.push(facts.sprint);
            }
        }
        Ok(at_work)
    }
}

/// How following ended.
pub(super) enum End {
    /// Nothing more happens by itself.
    Over(Box<SprintFacts>),
    /// People are waited for, or these windows.
    Waits(Vec<String>),
    /// The user wants to stop.
    Interrupted,
    /// The director stopped or broke down.
    DirectorGone,
}

/// Submits or resumes the sprint and shows how it goes; with the report, or what waits for people.
pub(super) async fn follow(
    director: &mut Director,
    wanted: &Wanted,
    signals: &mut Signals,
    cx: &mut Context,
) -> Result<(End, Option<Answer>), CliError> {
    let mut after = begin(director, wanted).await?;
    let progress = Progress::new(&cx.output);
    let mut warned = false;
    let ended = loop {
        let looked = look(director, wanted, &progress, &mut after, cx).await;
        let facts = match looked {
            Ok(facts) => facts,
            Err(CliError::Fault(Fault {
                kind: FaultKind::Stopped,
                ..
            })) => break End::DirectorGone,
            Err(CliError::Client(_)) if matches!(director, Director::There(_)) => {
                break End::DirectorGone;
            }
            Err(error) => {
                progress.clear();
                return Err(error);
            }
        };
        if progress.is_live() && !warned && !facts.warnings.is_empty() {
            // Without redrawing, the event says it.
            warned = true;
            for warning in &facts.warnings {
                progress.say(&format!("note: {warning}"));
            }
        }
        if facts.over {
            break End::Over(Box::new(facts));
        }
        if facts.waits_for_people {
            break End::Waits(facts.windows);
        }
        tokio::select! {
            biased;
            () = signals.next() => break End::Interrupted,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    };
    progress.clear();
    let last = match &ended {
        End::Over(_) => Some(Ask::Report {
            sprint: wanted.sprint(),
            format: ReportFormat::Terminal,
        }),
        End::Waits(_) => Some(Ask::Inbox {}),
        End::Interrupted | End::DirectorGone => None,
    };
    let last = match last {
        Some(ask) => match director.request(Op::Ask(ask), cx.output.screen).await {
            Ok(answer) => Some(answer),
            // Its own sprint was over too; the journal tells the rest.
            Err(CliError::Client(_)) if matches!(director, Director::There(_)) => {
                return Ok((End::DirectorGone, None));
            }
            Err(CliError::Fault(Fault {
                kind: FaultKind::Stopped,
                ..
            })) => return Ok((End::DirectorGone, None)),
            Err(error) => return Err(error),
        },
        None => None,
    };
    Ok((ended, last))
}

/// Submits the sprint, or finds that it is there; gives the position from which events are news.
async fn begin(director: &mut Director, wanted: &Wanted) -> Result<u64, CliError> {
    let known = match director.facts(wanted.sprint(), true).await {
        Ok(facts) if facts.state != "refused" => Some(facts),
        Ok(_)
        | Err(CliError::Fault(Fault {
            kind: FaultKind::NotFound,
            ..
        })) => None,
        Err(error) => return Err(error),
    };
    match known {
        Some(facts) => {
            wanted.compare(&facts);
            if !facts.others.is_empty() {
                note(&format!(
                    "with it goes on what else is unfinished here: {}",
                    facts.others.join(", ")
                ));
            }
            let (done, committed) = facts.done;
            note(&format!(
                "resuming sprint `{}`: {done} of {} done",
                facts.sprint,
                match committed {
                    1 => "1 task is".to_owned(),
                    n => format!("{n} tasks are"),
                }
            ));
            if facts.state == "paused" {
                note("it is paused; `director resume` lets it go on");
            }
            Ok(facts.seq)
        }
        None => {
            let order = Order::Submit {
                spec: Box::new(wanted.spec.clone()),
            };
            let answer = director
                .request(Op::Order(order), Screen::default())
                .await?;
            // What became of the estimates.
            for change in answer.text.lines().skip(1) {
                note(change);
            }
            if let Some(asked) = submission::about_questions(&wanted.spec) {
                note(&asked);
            }
            let seq = answer
                .json
                .get("seq")
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(1);
            Ok(seq.saturating_sub(1))
        }
    }
}

/// Looks once and shows what there is.
async fn look(
    director: &mut Director,
    wanted: &Wanted,
    progress: &Progress,
    after: &mut u64,
    cx: &Context,
) -> Result<SprintFacts, CliError> {
    let facts = director.facts(wanted.sprint(), false).await?;
    if progress.is_live() {
        let ask = Op::Ask(Ask::Live {
            sprint: wanted.sprint(),
        });
        progress.state(&director.request(ask, cx.output.notes).await?.text);
        return Ok(facts);
    }
    while facts.seq > *after {
        let ask = Op::Ask(Ask::Page {
            after: *after,
            sprint: wanted.sprint(),
        });
        let page = read_page(director.request(ask, cx.output.notes).await?);
        let (reached, lines) =
            page.map_err(|error| CliError::Failed(format!("events cannot be read: {error}")))?;
        for line in lines.iter().filter(|line| !is_detail(line)) {
            progress.say(&line.text);
        }
        if reached <= *after {
            break;
        }
        *after = reached;
    }
    Ok(facts)
}

/// What `run` leaves out, so that a log of it can be read; `director events` has everything.
const DETAILS: [&str; 12] = [
    "agent_up",
    "worktree_prepared",
    "attempt_started",
    "handoff_sent",
    "handoff_accepted",
    "message_delivered",
    "work_committed",
    "merge_started",
    "merge_prepared",
    "retry_due",
    "sprint_velocity_updated",
    "forecast_recorded",
];

fn is_detail(line: &EventLine) -> bool {
    let name = line.json.get("event").and_then(serde_json::Value::as_str);
    name.is_some_and(|name| DETAILS.contains(&name))
}

/// Ctrl-C and the polite request to end.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, CliError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error: io::Error| CliError::Failed(format!("no signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
