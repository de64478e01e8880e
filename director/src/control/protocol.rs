//! What goes over the control socket: one request a line, one answer a line, all of it JSON.
//!
//! ```text
//! {"id": 7, "op": "why", "args": {"task": "login"}}
//! {"id": 7, "text": "login waits for …", "json": {…}}
//! {"id": 7, "error": {"kind": "not_found", "message": "there is no task `login`; …"}}
//! ```
//!
//! `id` is anything and comes back as it was; `args` may be left out where there are none, and `screen` (`width`,
//! `colour`) says what texts are rendered for. [`Op::Events`] with
//! `follow` is answered by lines with `event`, until either side closes.
//!
//! Elsewhere: answering questions is [`super::answer`], carrying out orders [`super::orders`].

use director_protocols::forecast::Forecast;
use director_protocols::inbox;
use director_protocols::outside::Outside;
use director_protocols::sprint::SprintSpec;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::assigned::Assigned;

pub use super::fault::{Fault, FaultKind};

/// The longest request, in bytes without its line end: a sprint of some 30,000 tasks.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// The longest answer that a client takes, in bytes. Reports of large sprints are long.
pub const ANSWER_BYTES_MAX: usize = 256 << 20;

/// The most connections at a time; one more is told so and closed.
pub const CONNECTIONS_MAX: usize = 64;

/// The most events in one page.
pub const PAGE_MAX: usize = 1_000;

/// A question; changes nothing, and can be put to the journal as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// What runs, what is blocked, what comes next.
    Status {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// As the *Progress Update* that people send around.
        #[serde(default)]
        update: bool,
    },
    /// The team.
    Agents {},
    /// Why a task does not run, or how it went.
    Why {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// Which task.
        task: String,
    },
    /// What waits for a person.
    Inbox {},
    /// Incidents.
    Incidents {
        /// The one of that number, from 1; all of them without.
        #[serde(default)]
        incident: Option<u32>,
    },
    /// The *Sprint Completion Report*, also before the end.
    Report {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// How its text is written.
        #[serde(default)]
        format: ReportFormat,
    },
    /// The daily standup.
    Standup {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// How many hours it looks back, instead of to the last one.
        #[serde(default)]
        hours: Option<u32>,
    },
    /// The retrospective, also before the end.
    Retro {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// How its text is written.
        #[serde(default)]
        format: ReportFormat,
    },
    /// The file of the sprint after this one; its text is TOML.
    Next {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// The directory of the file, so that the repository can be named from there.
        #[serde(default)]
        dir: Option<String>,
    },
    /// How estimates of each kind of task came out over all sprints of the data directory.
    Calibration {},
    /// The lines that `run` shows while it runs.
    Live {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
    },
    /// What a sprint file would change in the sprint of its name that runs.
    Replan {
        /// All of it.
        spec: Box<SprintSpec>,
    },
    /// Where a sprint stands, for programs: [`super::facts::SprintFacts`].
    Sprint {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// With the fingerprint of what was submitted, which costs reading all of it.
        #[serde(default)]
        fingerprint: bool,
    },
    /// Where a task's work is, for programs: [`super::facts::TaskFacts`].
    Task {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// Which task.
        task: String,
    },
    /// The state as it was at a past position.
    Replay {
        /// The last record that counts.
        until: u64,
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
    },
    /// A page of the journal itself, for programs that replay it: [`super::records`].
    Records {
        /// Only what came after this position.
        #[serde(default)]
        after: u64,
    },
    /// A page of what happened.
    Page {
        /// Only what came after this position.
        #[serde(default)]
        after: u64,
        /// Which sprint; all of them without.
        #[serde(default)]
        sprint: Option<String>,
    },
    /// All sprints, the newest first.
    Sprints {},
    /// A page of a sprint's tasks.
    Tasks {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// Only those with this status, or of this column of the board.
        #[serde(default)]
        status: Option<String>,
        /// Only those with this in their id or title.
        #[serde(default)]
        text: Option<String>,
        /// How many come before.
        #[serde(default)]
        skip: u32,
        /// The most that are wanted.
        #[serde(default)]
        limit: Option<u32>,
    },
    /// A page of a sprint's graph, level by level.
    Graph {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// How many tasks come before.
        #[serde(default)]
        skip: u32,
        /// The most tasks that are wanted.
        #[serde(default)]
        limit: Option<u32>,
    },
}

/// How a report is written for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// For a terminal.
    #[default]
    Terminal,
    /// Markdown.
    Markdown,
    /// One page of HTML.
    Html,
}

/// An order; answered once what it led to is durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Try a task again.
    Retry {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// Which task.
        task: String,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// Try everything again that failed, is blocked or quarantined.
    RetryAll {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// Drop a task and what depends on it, or a whole sprint.
    Cancel {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// Which task; the sprint itself without.
        #[serde(default)]
        task: Option<String>,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// Give a task to another agent.
    Reassign {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// Which task.
        task: String,
        /// To whom; the director chooses without.
        #[serde(default)]
        to: Option<String>,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// Answer something in the inbox.
    Answer {
        /// Its number as people see it, from 1.
        item: u32,
        /// The answer, or the reason; may be empty for yes and no.
        text: String,
        /// In words, yes or no.
        #[serde(default)]
        reply: inbox::Reply,
        /// Who answers.
        #[serde(default)]
        by: String,
    },
    /// Change a running sprint to what a file says.
    #[serde(rename = "apply")]
    Replan {
        /// All of it.
        spec: Box<SprintSpec>,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// An outside party's event.
    Send {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// What.
        what: Box<Outside>,
        /// Who.
        #[serde(default)]
        by: String,
    },
    /// Work on an incident: fill in a step, write into its log, or close it when there is neither.
    Incident {
        /// Its number as people see it, from 1.
        incident: u32,
        /// The step and what is true of it.
        #[serde(default)]
        step: Option<(String, String)>,
        /// For its log.
        #[serde(default)]
        note: Option<String>,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// Let a task pass in spite of a gate.
    Override {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// Which task.
        task: String,
        /// Which gate.
        gate: String,
        /// Why.
        reason: String,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// Hand out no more work.
    Pause {
        /// Which sprint; all of them without.
        #[serde(default)]
        sprint: Option<String>,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// Hand out work again: after a pause, or what waits for a provider to take requests of an account.
    Resume {
        /// Which sprint; all of them without.
        #[serde(default)]
        sprint: Option<String>,
        /// The account; its time has not come yet, but somebody knows better.
        #[serde(default)]
        account: Option<String>,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// A budget gets another hard limit: the sprint's, unless something else is named.
    Budget {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// The one of this task.
        #[serde(default)]
        task: Option<String>,
        /// The one of this agent.
        #[serde(default)]
        agent: Option<String>,
        /// The one for a time.
        #[serde(default)]
        window: bool,
        /// The limit in dollars, such as `12.50`.
        limit: String,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// The integration branch is in the base now.
    Delivered {
        /// Which sprint.
        sprint: String,
        /// The commit that the base has.
        commit: String,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// An action item of a retrospective will change the next sprint.
    Accept {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// The action's id.
        action: String,
        /// What will change, in words.
        #[serde(default)]
        text: String,
        /// Who accepts it.
        #[serde(default)]
        by: String,
    },
    /// Keep a forecast, to be held against what comes.
    Forecast {
        /// Which sprint; the current one without.
        #[serde(default)]
        sprint: Option<String>,
        /// What was seen.
        forecast: Forecast,
        /// Who asks.
        #[serde(default)]
        by: String,
    },
    /// Take in a sprint.
    Submit {
        /// All of it.
        spec: Box<SprintSpec>,
    },
}

/// The terminal that a text is rendered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Screen {
    /// The columns a line may have.
    pub width: u16,
    /// Whether there is colour.
    pub colour: bool,
}

impl Default for Screen {
    fn default() -> Self {
        Self {
            width: 100,
            colour: false,
        }
    }
}

/// Anything that can be requested.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A question.
    Ask(Ask),
    /// An order.
    Order(Order),
    /// The actors, alive: mailbox depth, generation, restarts.
    Tree,
    /// What happens from a position on, until either side closes.
    Events {
        /// Only what comes after this position.
        after: u64,
        /// Which sprint; all of them without.
        sprint: Option<String>,
    },
    /// What an agent at work says, with the token of its assignment.
    Assigned(Box<Assigned>),
    /// Stop in order.
    Shutdown,
}

/// The names of all questions, as requests spell them.
pub(crate) const ASKS: [&str; 20] = [
    "status",
    "agents",
    "sprints",
    "tasks",
    "graph",
    "why",
    "inbox",
    "report",
    "standup",
    "retro",
    "next",
    "calibration",
    "live",
    "sprint",
    "task",
    "replay",
    "page",
    "records",
    "incidents",
    "replan",
];

/// The names of all orders.
pub(crate) const ORDERS: [&str; 16] = [
    "apply",
    "send",
    "incident",
    "override",
    "retry",
    "retry_all",
    "cancel",
    "reassign",
    "answer",
    "pause",
    "resume",
    "budget",
    "delivered",
    "accept",
    "forecast",
    "submit",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    id: Value,
    op: String,
    #[serde(default)]
    args: Option<Value>,
    #[serde(default)]
    screen: Screen,
    #[serde(default)]
    key: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsArgs {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    sprint: Option<String>,
}

/// A request and the id it is answered under.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Anything; comes back with the answer.
    pub id: Value,
    /// What is wanted.
    pub op: Op,
    /// For whom texts are rendered.
    pub screen: Screen,
    /// What is in the data directory's `control.key`; orders need it.
    pub key: Option<String>,
}

impl Op {
    /// Whether it changes something in the name of whoever asks.
    pub fn is_order(&self) -> bool {
        // What is said of an assignment has the token of that.
        matches!(self, Op::Order(_) | Op::Shutdown)
    }

    /// What `name` with those arguments asks for.
    ///
    /// # Errors
    /// That there is no such thing, or what is wrong with the arguments.
    pub fn named(name: &str, args: Value) -> Result<Self, Fault> {
        let tagged = |args: Value| json!({ name: args });
        let wrong = |error: serde_json::Error| {
            Fault::new(FaultKind::BadRequest, format!("`{name}`: {error}"))
        };
        Ok(match name {
            "tree" => Op::Tree,
            "shutdown" => Op::Shutdown,
            "assigned" => Op::Assigned(serde_json::from_value(args).map_err(wrong)?),
            "events" => {
                let EventsArgs { after, sprint } = serde_json::from_value(args).map_err(wrong)?;
                Op::Events { after, sprint }
            }
            _ if ASKS.contains(&name) => {
                Op::Ask(serde_json::from_value(tagged(args)).map_err(wrong)?)
            }
            _ if ORDERS.contains(&name) => {
                Op::Order(serde_json::from_value(tagged(args)).map_err(wrong)?)
            }
            _ => {
                let known = [&ASKS[..], &ORDERS[..], &["tree", "events", "shutdown"]].concat();
                let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                let message = format!("there is no `{shown}`; there are {}", known.join(", "));
                return Err(Fault::new(FaultKind::BadRequest, message));
            }
        })
    }
}

impl Request {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it, with the id as far as one was readable.
    pub fn read(line: &[u8]) -> Result<Self, (Value, Fault)> {
        let written: Written = serde_json::from_slice(line).map_err(|error| {
            let hint = "a request is one line of JSON: {\"op\": \"status\", \"args\": {}}";
            let message = format!("not a request: {error}; {hint}");
            (Value::Null, Fault::new(FaultKind::BadRequest, message))
        })?;
        let id = written.id;
        let args = match written.args {
            None | Some(Value::Null) => json!({}),
            Some(args) => args,
        };
        let op = Op::named(&written.op, args).map_err(|fault| (id.clone(), fault))?;
        Ok(Self {
            id,
            op,
            screen: written.screen,
            key: written.key,
        })
    }

    /// The request as one line, without its end.
    pub fn line(&self) -> String {
        let tagged = |value: Result<Value, serde_json::Error>| match value {
            Ok(Value::Object(map)) => map.into_iter().next().unwrap_or_default(),
            _ => Default::default(),
        };
        let (op, args) = match &self.op {
            Op::Ask(ask) => tagged(serde_json::to_value(ask)),
            Op::Order(order) => tagged(serde_json::to_value(order)),
            Op::Assigned(said) => ("assigned".to_owned(), json!(said)),
            Op::Tree => ("tree".to_owned(), json!({})),
            Op::Shutdown => ("shutdown".to_owned(), json!({})),
            Op::Events { after, sprint } => (
                "events".to_owned(),
                json!({ "after": after, "sprint": sprint }),
            ),
        };
        let mut line = json!({ "id": self.id, "op": op, "args": args, "screen": self.screen });
        if let Some(key) = &self.key {
            line["key"] = json!(key);
        }
        line.to_string()
    }
}

/// The answer to a question or an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// For people; ends with a line end unless it is empty.
    #[serde(default)]
    pub text: String,
    /// For programs.
    #[serde(default)]
    pub json: Value,
    /// The position in the journal at which it was true, or to which an order led; 0 where there is none.
    #[serde(default)]
    pub seq: u64,
}

/// One event, as it is sent to who follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// Its position.
    pub seq: u64,
    /// For people, one line without its end.
    pub text: String,
    /// For programs.
    pub json: Value,
}

/// One line from the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The request's.
    #[serde(default)]
    pub id: Value,
    /// What came out.
    #[serde(flatten)]
    pub body: Body,
}

/// What a line from the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The answer; the last line to its request.
    Answer(Answer),
    /// Why there is none; the last line to its request.
    Error(Fault),
    /// One of a stream.
    Event(EventLine),
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
