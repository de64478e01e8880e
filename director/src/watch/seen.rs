//! What `watch` reads off the director's answers: the part of each view's JSON that is shown.
//!
//! The keys are those that any program gets, so what is missing is empty and what is unknown is passed over. Texts are as people
//! and agents wrote them; they are made harmless where they are drawn.

use director_protocols::time::{Span, Time};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::control::protocol::EventLine;

/// What an answer says, as far as it is shown.
pub fn read<T: DeserializeOwned + Default>(json: Value) -> T {
    serde_json::from_value(json).unwrap_or_default()
}

/// All sprints.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Sprints {
    /// The newest first.
    pub sprints: Vec<Sprint>,
}

/// One sprint.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Sprint {
    /// Its name.
    pub sprint: String,
    /// Its state.
    pub state: String,
    /// Nothing more happens by itself.
    pub over: bool,
    /// Tasks completed.
    pub completed: u32,
    /// Tasks committed to.
    pub committed: u32,
    /// Points of completed tasks.
    pub completed_points: u32,
    /// Points meant to be completed.
    pub target_points: u32,
    /// Things that wait for a person.
    pub inbox: usize,
    /// When all may be done.
    pub projected_completion: Option<String>,
}

/// The moment, for one sprint.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Live {
    /// The sprint; empty before there is one.
    pub sprint: String,
    /// Its state.
    pub state: String,
    /// Committed tasks.
    pub total: u32,
    /// Completed ones.
    pub completed: u32,
    /// Points: completed and meant to be.
    pub points: (u32, u32),
    /// Since work began, when it was asked.
    pub elapsed_seconds: f64,
    /// How much longer.
    pub left_seconds: Option<f64>,
    /// The longest chain of tasks that are not completed.
    pub chain: Vec<String>,
    /// The status of the task in front.
    pub front: String,
    /// Tasks in the merge under way, and behind it.
    pub merge: (Vec<String>, usize),
    /// When it was asked.
    #[serde(skip)]
    pub at: Time,
}

impl Live {
    /// Since work began, now.
    pub fn elapsed(&self, now: Time) -> Span {
        let then = Span((self.elapsed_seconds.max(0.0) * 1000.0) as u64);
        match self.state.as_str() {
            "done" | "incomplete" | "cancelled" | "refused" => then,
            _ if self.elapsed_seconds > 0.0 => then + now.since(self.at),
            _ => then,
        }
    }
}

/// The team.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Agents {
    /// Role by role.
    pub agents: Vec<Agent>,
}

/// One agent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Agent {
    /// `<role>-<n>`.
    pub name: String,
    /// Its role.
    pub role: String,
    /// `busy`, `idle`, `down` or `lost`.
    pub state: String,
    /// Effort in hand, done and waiting, over its capacity.
    pub load: f64,
    /// Its role has more than it can do.
    pub overloaded: bool,
    /// What it has in hand.
    pub current_tasks: Vec<String>,
    /// The sprint that this is of.
    pub sprint: Option<String>,
    /// Tasks it completed.
    pub completed: u32,
    /// How often it went down.
    pub restarts: u32,
    /// What it is doing, in words.
    pub doing: String,
    /// The colour that marks it.
    pub color: Option<String>,
}

/// A page of tasks.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Tasks {
    /// The sprint.
    pub sprint: String,
    /// How many there are in each column.
    pub columns: std::collections::BTreeMap<String, usize>,
    /// How many are wanted, on all pages.
    pub total: usize,
    /// How many come before.
    pub skip: usize,
    /// The page.
    pub tasks: Vec<Task>,
}

/// One task.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Task {
    /// Its name.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Where it is in its life.
    pub status: String,
    /// Who has it, or had it last.
    pub assigned_agent: Option<String>,
    /// The current or last attempt.
    pub attempt: u32,
    /// Story points.
    pub points: u32,
    /// On the critical path.
    pub critical: bool,
    /// What is the matter, in words.
    pub detail: String,
}

/// A page of the graph.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Graph {
    /// The sprint.
    pub sprint: String,
    /// How many levels there are.
    pub depth: u32,
    /// How many tasks there are.
    pub total: usize,
    /// How many are on the critical path.
    pub critical: usize,
    /// How many come before.
    pub skip: usize,
    /// The levels of the page.
    pub levels: Vec<Level>,
    /// The page.
    pub tasks: Vec<Node>,
}

/// A level of the graph.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Level {
    /// From 1.
    pub level: u32,
    /// Its tasks.
    pub tasks: usize,
    /// How many of them are completed.
    pub completed: usize,
}

/// A task in the graph.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Its name.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// From 1.
    pub level: u32,
    /// Where it is in its life.
    pub status: String,
    /// On the critical path.
    pub critical: bool,
    /// What it waits for, the first of them.
    pub before: Vec<String>,
    /// How many.
    pub waits_for: usize,
    /// What waits for it, the first of them.
    pub after: Vec<String>,
    /// How many.
    pub unlocks: usize,
}

/// What waits for a person.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Inbox {
    /// Oldest first.
    pub inbox: Vec<Item>,
}

/// One thing that waits.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Item {
    /// The number to answer with.
    pub id: u32,
    /// The sprint.
    pub sprint: String,
    /// The task, if it is about one.
    pub task: Option<String>,
    /// What sort.
    pub kind: String,
    /// How urgent.
    pub severity: String,
    /// What is asked.
    pub question: String,
    /// Who asks.
    pub from: Option<String>,
    /// Since when.
    pub opened: String,
    /// When the default happens.
    pub deadline: Option<String>,
    /// What happens then.
    pub default: String,
}

/// Why a task is where it is, and how it came there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Why {
    /// The task.
    pub task: String,
    /// Its sprint.
    pub sprint: String,
    /// One line for people.
    pub title: String,
    /// Its status.
    pub status: String,
    /// Since when it has it.
    pub since: String,
    /// Why it is there.
    pub reasons: Vec<Reason>,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// The latest gates.
    pub gates: Vec<Gate>,
    /// The commit of its work.
    pub commit: Option<String>,
    /// The merge commit.
    pub merged: Option<String>,
    /// Files and lines changed.
    pub changes: Option<String>,
    /// What held it up.
    pub blockers: Vec<Blocker>,
    /// What can be done now.
    pub next: Vec<Step>,
}

/// One reason.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Reason {
    /// In words.
    pub text: String,
}

/// One attempt.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Attempt {
    /// Its number.
    pub attempt: u32,
    /// Who made it.
    pub agent: String,
    /// When it was assigned.
    pub assigned: String,
    /// How long it took.
    pub seconds: f64,
    /// How it ended.
    pub end: Option<String>,
    /// The same with the reason.
    pub text: String,
    /// Why its work was not accepted.
    pub rejected: Option<String>,
}

/// A gate and what came out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Gate {
    /// Its name.
    pub gate: String,
    /// What came out.
    pub verdict: String,
    /// What was run or looked at.
    pub evidence: String,
}

/// Something that held it up.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Blocker {
    /// Its tier.
    pub severity: String,
    /// What was the matter.
    pub text: String,
    /// When and by whom it was resolved.
    pub resolved: Option<(String, String)>,
}

/// Something that can be done.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Step {
    /// What to type.
    pub command: String,
    /// What it does.
    pub does: String,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Its position.
    pub seq: u64,
    /// `2026-11-23 09:00:00Z`.
    pub at: String,
    /// Its name.
    pub name: String,
    /// What happened, in one sentence.
    pub text: String,
    /// Its sprint, if it has one.
    pub sprint: Option<String>,
    /// Its tasks.
    pub tasks: Vec<String>,
}

impl Event {
    /// An event from the line that people read and the JSON that programs do.
    pub fn of(line: EventLine) -> Self {
        let word = |key: &str| line.json[key].as_str().map(str::to_owned);
        let name = word("event").unwrap_or_default();
        let (at, rest) = match line.text.split_at_checked(AT_COLUMNS) {
            Some((at, rest)) => (at.to_owned(), rest.trim_start()),
            None => (String::new(), line.text.as_str()),
        };
        let text = rest.strip_prefix(name.as_str()).unwrap_or(rest);
        let list = |key: &str| -> Vec<String> {
            let names = line.json[key].as_array().into_iter().flatten();
            let names = names.filter_map(|name| name.as_str().map(str::to_owned));
            names.collect()
        };
        Self {
            seq: line.seq,
            at,
            text: text.trim_start().to_owned(),
            sprint: word("sprint"),
            tasks: word("task_id").into_iter().chain(list("batch")).collect(),
            name,
        }
    }
}

/// Columns of the time that an event's line begins with.
const AT_COLUMNS: usize = 20;
