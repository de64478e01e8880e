//! What passes between the director and an agent about one attempt: assignment, hand-off, report, end.
//!
//! All of it is data made of plain text and numbers; what an agent wrote is kept as it is and made harmless
//! where it is shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, Attempt, TaskId};
use crate::sandbox::Sandbox;
use crate::severity::Severity;
use crate::shared::Shared;
use crate::sprint::TaskSpec;
use crate::time::{Span, Time};

/// The longest text that is kept of what an agent says in one field, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// The name under which agents ask a person.
pub const PERSON: &str = "person";

/// The kind of agent that runs a command, and takes no questions.
pub const COMMAND: &str = "command";

/// An immutable result, named by the hash of its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// What it is called: a path in the worktree, or a title.
    pub name: String,
    /// `code`, `docs`, `tests`, or what the agent says.
    pub kind: String,
    /// SHA-256 of the content, in hex; empty when only the name was given.
    pub sha256: String,
    /// Length of the content.
    pub bytes: u64,
}

/// One acceptance criterion, answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriterionAnswer {
    /// The criterion, as the task has it.
    pub criterion: String,
    /// Whether it is met.
    pub met: bool,
    /// What shows it.
    pub evidence: String,
}

/// What an agent says at the end of a successful attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What was done, in a few sentences.
    pub summary: String,
    /// What came out of it.
    pub artifacts: Vec<Artifact>,
    /// Effort, where the agent knows it.
    pub hours_spent: Option<Span>,
    /// What the agent wants to be known about the work itself.
    pub feedback: String,
    /// The acceptance criteria it answers.
    pub acceptance: Vec<CriterionAnswer>,
    /// What has to be changed, where the work was to judge another's.
    pub findings: Vec<String>,
    /// Spending of this attempt, in millionths of a dollar.
    pub cost_micros: u64,
}

/// How a line of the feedback begins that is the director's own.
const REMARK: &str = "(director: ";

impl Report {
    /// Adds what the director noted beside the agent's own words.
    pub fn remark(&mut self, remark: &str) {
        let gap = if self.feedback.is_empty() { "" } else { "\n" };
        self.feedback.push_str(&format!("{gap}{REMARK}{remark})"));
    }

    /// What the director noted.
    pub fn remarks(&self) -> impl Iterator<Item = &str> {
        let lines = self.feedback.lines();
        lines.filter(|line| line.starts_with(REMARK))
    }
}

/// What an agent says when something holds it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockerReport {
    /// What sort of blocker, such as `missing_credentials`.
    pub kind: String,
    /// How bad the agent thinks it is.
    pub severity: Severity,
    /// What is the matter.
    pub text: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// The agent says it is done; the gates decide.
    Done(Shared<Report>),
    /// The agent cannot go on.
    Blocked(BlockerReport),
    /// The agent tried and failed.
    Failed {
        /// What happened, with the tail of the output.
        reason: String,
        /// The exit code, for processes.
        exit_code: Option<i32>,
    },
    /// The agent itself died with the task in hand.
    Died {
        /// The panic message or what is known.
        reason: String,
    },
    /// Its time was up, or it showed no sign of life.
    TimedOut {
        /// Which limit.
        reason: String,
    },
    /// The account that the agent works on takes no more requests now; nobody's fault.
    Limited {
        /// What the provider said.
        reason: String,
        /// When it takes requests again, where it said so.
        until: Option<Time>,
    },
    /// Its program ended because it has spent what the attempt may cost.
    BudgetReached,
    /// The director called it off.
    Cancelled,
    /// The director stopped or was killed; nobody's fault.
    Interrupted,
}

impl AttemptEnd {
    /// The end of an agent that says that it is done.
    pub fn done(report: Report) -> Self {
        Self::Done(report.into())
    }

    /// The word in reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            AttemptEnd::Done(_) => "done",
            AttemptEnd::Blocked(_) => "blocked",
            AttemptEnd::Failed { .. } => "failed",
            AttemptEnd::Died { .. } => "died",
            AttemptEnd::TimedOut { .. } => "timed out",
            AttemptEnd::Limited { .. } => "limited",
            AttemptEnd::BudgetReached => "budget reached",
            AttemptEnd::Cancelled => "cancelled",
            AttemptEnd::Interrupted => "interrupted",
        }
    }
}

/// What a task receives from one that it depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffPart {
    /// The task that was completed.
    pub task: String,
    /// Its title.
    pub title: String,
    /// Who did it.
    pub agent: String,
    /// The agent's own words.
    pub summary: String,
    /// The merge commit that holds it, in hex; empty without a repository.
    pub commit: String,
    /// Files changed, lines added and removed.
    pub changes: DiffStat,
    /// Artifacts by hash.
    pub artifacts: Vec<Artifact>,
}

/// The most files of a change that are named.
pub const FILES_MAX: usize = 64;
/// The longest name of a file that is named, in bytes.
pub const FILE_NAME_MAX: usize = 200;

/// How the work of an attempt would merge, seen while it is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The task and the attempt.
    pub of: (TaskId, Attempt),
    /// The other task under way and its attempt; none for what is merged.
    pub with: Option<(TaskId, Attempt)>,
    /// The files in conflict, by name and at most [`FILES_MAX`]; none where it would merge by itself.
    pub files: Vec<String>,
}

/// Size of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffStat {
    /// Files touched.
    pub files: u32,
    /// Lines added.
    pub insertions: u32,
    /// Lines removed.
    pub deletions: u32,
}

/// Why a task is tried again, for the agent that tries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Which attempt.
    pub attempt: Attempt,
    /// Who made it.
    pub agent: AgentId,
    /// How it ended, in words with the evidence.
    pub ended: String,
    /// Where its work is kept: a commit or a ref; empty when it left none.
    pub work: String,
}

/// Another's work that is to be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The commit that it began from, in hex; empty where there is no repository, or no one commit.
    pub base: String,
    /// The commit that holds it, likewise.
    pub commit: String,
}

/// Everything an agent is given with a task.
///
/// Made from the journal alone, so the same attempt always gets the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The task.
    pub task: TaskId,
    /// The attempt: the fence that every report carries.
    pub attempt: Attempt,
    /// The agent.
    pub agent: AgentId,
    /// The sprint's name.
    pub sprint: String,
    /// When the sprint was submitted.
    pub submitted: Time,
    /// The task as the sprint file has it.
    pub spec: Shared<TaskSpec>,
    /// The agent's role.
    pub role: String,
    /// The directory to work in; empty for none.
    pub workdir: String,
    /// What the tasks before it produced.
    pub handoff: Vec<HandoffPart>,
    /// Attempts before this one.
    pub earlier: Vec<Earlier>,
    /// Guidance and answers given since the task began, oldest first.
    pub guidance: Vec<String>,
    /// The files of the directory in which the earlier work's conflict with what was merged since waits to be resolved.
    pub conflict: Vec<String>,
    /// The coding agent's session to go on with, if there is one.
    pub session: Option<String>,
    /// The longest that this attempt may run.
    pub time_max: Span,
    /// The most that it may spend, in millionths of a dollar.
    pub cost_max: Option<u64>,
    /// No sign of life for so long: said to be silent.
    pub silent_after: Span,
    /// No sign of life for so long: ended as wedged.
    pub wedged_after: Span,
    /// Output kept, in bytes.
    pub output_max: u64,
    /// What the agent's processes may touch; `None` for all that the director may.
    pub sandbox: Option<Box<Sandbox>>,
    /// What it is to judge, where that is the task: then it is not done without a verdict.
    pub judges: Option<Judged>,
    /// The roles and agents that are people: the time that one of them takes to answer is not the attempt's.
    pub people: Vec<String>,
}

/// How one gate came out.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct GateOutcome {
    /// The gate's name.
    pub gate: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The command that was run, or what is missing to measure it.
    pub evidence: String,
    /// The command's exit code.
    pub exit_code: Option<i32>,
    /// How long it took.
    pub took: Span,
    /// The last part of the output, or what a judge said.
    pub tail: String,
    /// What was measured, in hundredths of a percent, where the gate is a share.
    pub measured: Option<u32>,
}

impl GateOutcome {
    /// Whether anything or anybody measured it.
    pub fn is_measured(&self) -> bool {
        self.verdict != Verdict::NotMeasured
    }
}

/// A gate's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Measured and good.
    Passed,
    /// Measured and not good.
    Failed,
    /// Nothing here can measure it.
    NotMeasured,
    /// A person let it pass in spite of it.
    Overridden,
}
