//! A sprint as it is submitted: tasks, team, gates and rules, checked and complete.
//!
//! This is the sprint file after every default is filled in and every name is checked; it is what the
//! journal keeps. Order matters: tasks and roles are listed as the file lists them.
//!
//! Elsewhere: reading the file is [`crate::manifest`]; what runs it is the engine.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::Name;
use crate::sandbox::Sandbox;
use crate::severity::Severity;
use crate::shared::Shared;
use crate::time::Span;
use crate::ways::Ways;
use crate::work::COMMAND;

/// The most tasks one sprint can have.
pub const TASKS_MAX: usize = 100_000;
/// The most agents a team can have.
pub const AGENTS_MAX: u32 = 1_000;

/// A whole sprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SprintSpec {
    /// The sprint's name; branches and trailers carry it.
    pub id: Name,
    /// What the sprint is part of, for people.
    pub epic: Option<String>,
    /// First day, `YYYY-MM-DD`.
    pub start: Option<String>,
    /// Last day, `YYYY-MM-DD`.
    pub end: Option<String>,
    /// Working time in one day.
    pub day: Span,
    /// Points the team means to finish.
    pub velocity_target: Option<u32>,
    /// The repository, absolute; without one, tasks run in scratch directories.
    pub repo: Option<String>,
    /// The branch that the sprint starts from and is delivered to.
    pub base: Option<String>,
    /// The roles that can work, in order.
    pub team: Vec<RoleSpec>,
    /// What every task's work has to pass, in order.
    pub gates: Vec<GateSpec>,
    /// What gates may touch, and the agents of each role that has nothing else written; `None` for all that you may.
    pub sandbox: Option<Box<Sandbox>>,
    /// The tasks, in order; shared by everyone who holds the sprint or one of them.
    pub tasks: Vec<Shared<TaskSpec>>,
    /// Limits and retries.
    pub policy: Policy,
    /// Who is told what, and what waits for people.
    pub ways: Box<Ways>,
    /// The director's own role: who asks on its behalf, and how it is shown.
    pub director: Box<DirectorSpec>,
}

/// The director's own role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectorSpec {
    /// Its name, such as `engineering-director`.
    pub name: Name,
    /// What the director is, told to whoever is asked on its behalf.
    pub prompt: String,
    /// What does the asking.
    pub agent: AgentSpec,
    /// How it is shown, and what its file asks for.
    pub profile: Profile,
}

/// What a role's file says beside the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The file; `None` where the role has none.
    pub file: Option<String>,
    /// What the role is for, for people. May be empty.
    pub description: String,
    /// The colour that marks its agents in what people see.
    pub color: Option<String>,
    /// What is asked of a coding agent, by the documented name, such as `tools`: lists are separated by commas, what
    /// is no text is JSON. Which of them are honoured is the agent's.
    pub settings: BTreeMap<String, String>,
    /// Keys of the file that nobody here knows; kept as they are.
    pub others: BTreeMap<String, String>,
}

/// A role and how many agents fill it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSpec {
    /// The role's name, such as `api-engineer`.
    pub name: Name,
    /// Instances.
    pub count: u32,
    /// Effort that one instance can commit to in the sprint; `None` does not limit commitment.
    pub capacity: Option<Span>,
    /// What it is good at; matched with what a task needs.
    pub skills: Vec<String>,
    /// The kinds of task that come to this role by default.
    pub kinds: Vec<String>,
    /// The kinds of task that it can take over when it has to.
    pub covers: Vec<String>,
    /// What does the work.
    pub agent: AgentSpec,
    /// How a dead agent of this role comes back.
    pub restart: RestartSpec,
    /// What its agents work in; a clone where they have a sandbox.
    pub isolation: Isolation,
    /// What the processes of its agents may touch; `None` for all that you may.
    pub sandbox: Option<Box<Sandbox>>,
    /// What its agents are given when their work conflicts with what was merged since.
    pub conflicts: OnConflict,
    /// What each of its agents may spend in the sprint.
    pub budget: Spending,
    /// What the role is, for the agent: a prompt. May be empty.
    pub prompt: String,
    /// What its file says beside that.
    pub profile: Profile,
}

impl RoleSpec {
    /// The account that its agents work on: the one that the file names, else one for all agents of the program or kind; commands have
    /// nothing in common but their role.
    pub fn account(&self) -> Cow<'_, str> {
        match (&self.agent.account, &self.agent.program) {
            (Some(account), _) => account.into(),
            (None, _) if self.agent.kind == COMMAND => self.name.as_str().into(),
            (None, Some(words)) => words.join(" ").into(),
            (None, None) => self.agent.kind.as_str().into(),
        }
    }
}

/// What the agents of a role work in, when the sprint has a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A worktree of the repository: its refs, config and hooks are within reach of a git command.
    #[default]
    Worktree,
    /// A clone of its own: a git command in it finds no ref, config or hook of the repository.
    Clone,
}

/// What a conflict with merged work looks like to the agent that has to do its task again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// The newest state, without its earlier work: the task is done again. For scripts, which would take conflict
    /// markers for content.
    #[default]
    Redo,
    /// The newest state with its earlier work merged in and conflict markers in the files, to be resolved.
    Resolve,
}

impl OnConflict {
    /// What suits a kind of agent: scripts and stand-ins do their work again, the others resolve.
    pub fn usual(kind: &str) -> Self {
        match kind {
            "command" | "simulated" => OnConflict::Redo,
            _ => OnConflict::Resolve,
        }
    }
}

/// What does a role's work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSpec {
    /// `command`, `simulated`, `claude`, `person`, or the name of one that the program registered.
    pub kind: String,
    /// The model, for coding agents; `inherit` leaves the choice to the agent.
    pub model: Option<String>,
    /// The program to start instead of the kind's own, for coding agents.
    pub program: Option<Vec<String>>,
    /// Names of environment variables that are passed on, beside the few that always are.
    pub env: Vec<String>,
    /// Further settings, as the kind defines them.
    pub options: BTreeMap<String, String>,
    /// The provider's account whose limits it shares with others; see [`RoleSpec::account`].
    pub account: Option<String>,
}

impl AgentSpec {
    /// An agent of `kind` with no settings.
    pub fn of_kind(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            model: None,
            program: None,
            env: Vec::new(),
            options: BTreeMap::new(),
            account: None,
        }
    }
}

/// How a supervisor treats a role's agents when they die without a task in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartSpec {
    /// Restarts allowed within [`RestartSpec::within`]; one more and the role is lost.
    pub intensity: u32,
    /// The sliding window.
    pub within: Span,
    /// Delay before the first restart; doubles with each failure in a row.
    pub backoff_min: Span,
    /// The longest delay.
    pub backoff_max: Span,
}

impl Default for RestartSpec {
    fn default() -> Self {
        Self {
            intensity: 5,
            within: Span::seconds(60),
            backoff_min: Span(200),
            backoff_max: Span::seconds(30),
        }
    }
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// The task's name, unique in the sprint.
    pub id: Name,
    /// One line for people.
    pub title: String,
    /// What is to be done.
    pub description: String,
    /// What sort of work it is, such as `api_endpoint`; decides the role.
    pub kind: String,
    /// The role that does it.
    pub role: Name,
    /// Story points.
    pub points: u32,
    /// Effort in hours as people estimate it.
    pub estimate: Estimate,
    /// Tasks of this sprint that have to be completed first.
    pub depends_on: Vec<Name>,
    /// What shares its worktree and branch.
    pub feature: Name,
    /// Who goes first.
    pub priority: Priority,
    /// Skills it needs.
    pub skills: Vec<String>,
    /// What has to be true of the result.
    pub acceptance: Vec<String>,
    /// Where the specification is: a path or URL.
    pub spec: Option<String>,
    /// Where the design is: a path or URL.
    pub design: Option<String>,
    /// What command agents run.
    pub run: Option<RunSpec>,
    /// Limits on one attempt and on the task.
    pub budget: Budget,
    /// Gates of its own, on top of the sprint's; one of the same name replaces it.
    pub gates: Vec<GateSpec>,
    /// What it must leave behind to count as done.
    pub expects: Expects,
    /// Artifacts that must exist when it is done: paths in the worktree.
    pub produces: Vec<String>,
    /// What it is about: files of the repository, and folders with a slash at the end; whoever changed them before is preferred.
    pub files: Vec<String>,
    /// How bad the bug is, for bugs.
    pub severity: Option<Severity>,
    /// What the time is spent on, for the balance of the sprint.
    pub class: Class,
    /// What QA needs to test it.
    pub test_requirements: Vec<String>,
    /// What DevOps needs to deploy it.
    pub deployment_requirements: Vec<String>,
    /// Where it was imported from, such as `github:42`.
    pub source: Option<String>,
}

/// What a command is: a line for the shell, or a program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunSpec {
    /// Goes to `sh -c`.
    Shell(String),
    /// Is executed as it is; never empty.
    Exec(Vec<String>),
}

impl std::fmt::Display for RunSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RunSpec::Shell(line) => f.write_str(line),
            RunSpec::Exec(words) => f.write_str(&words.join(" ")),
        }
    }
}

/// A three-point estimate of effort; for a point estimate all three are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// If all goes well.
    pub optimistic: Span,
    /// The most likely.
    pub likely: Span,
    /// If much goes wrong.
    pub pessimistic: Span,
}

/// No estimate is corrected beyond this, in milliseconds, so that sums of them fit.
const SPAN_MAX: u64 = 1_000_000_000_000_000;

impl Estimate {
    /// The same in all three points.
    pub fn point(span: Span) -> Self {
        Self {
            optimistic: span,
            likely: span,
            pessimistic: span,
        }
    }

    /// So many ten-thousandths of it, at most some ten thousand years.
    #[must_use]
    pub fn times(&self, parts: u32) -> Self {
        let times = |span: Span| {
            let product = (u128::from(span.0) * u128::from(parts) + 5_000) / 10_000;
            Span(u64::try_from(product).unwrap_or(u64::MAX).min(SPAN_MAX))
        };
        Self {
            optimistic: times(self.optimistic),
            likely: times(self.likely),
            pessimistic: times(self.pessimistic),
        }
    }

    /// The PERT mean, (optimistic + 4 likely + pessimistic) / 6 (Malcolm et al., Operations Research 7, 1959).
    pub fn mean(&self) -> Span {
        let [low, likely, high] =
            [self.optimistic, self.likely, self.pessimistic].map(|span| span.0);
        // Without wider numbers wherever they fit, which is everywhere but in tests of what does not.
        if low.max(likely).max(high) < u64::MAX / 8 {
            return Span((low + 4 * likely + high) / 6);
        }
        let [low, likely, high] = [low, likely, high].map(u128::from);
        Span(u64::try_from((low + 4 * likely + high) / 6).unwrap_or(u64::MAX))
    }
}

/// Who goes first among ready tasks.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// After everything else.
    Low,
    /// The default.
    #[default]
    Normal,
    /// Before normal work.
    High,
    /// Goes on while an emergency pauses everything else.
    Critical,
}

impl Priority {
    /// The word in files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Critical => "critical",
        }
    }
}

/// What a task must leave behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expects {
    /// Changes to the repository; an empty change is not done.
    #[default]
    Changes,
    /// At least one artifact in its report.
    Artifact,
    /// Nothing: finishing is enough.
    Nothing,
}

/// What a task's time is spent on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Something users get.
    #[default]
    Feature,
    /// Paying back technical debt.
    Debt,
    /// What the team itself needs.
    Infrastructure,
}

impl Class {
    /// All of them, in the order of [`Policy::shares`].
    pub const ALL: [Class; 3] = [Class::Feature, Class::Debt, Class::Infrastructure];

    /// The word in files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Feature => "feature",
            Class::Debt => "debt",
            Class::Infrastructure => "infrastructure",
        }
    }
}

/// Limits on a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The longest one attempt may run; `None` takes the sprint's.
    pub time: Option<Span>,
    /// What may be spent on it over all attempts; absent where the file says nothing of it.
    pub spending: Option<Box<Spending>>,
}

impl Budget {
    /// What may be spent; without a limit where nothing is said.
    pub fn spending(&self) -> Spending {
        self.spending.as_deref().copied().unwrap_or_default()
    }
}

/// What may be spent, in millionths of a dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spending {
    /// The hard limit: nothing is handed out that is expected to go beyond it.
    pub cost_micros: Option<u64>,
    /// The soft limit: whoever looks is told once it is reached.
    pub warn_micros: Option<u64>,
    /// The most that one attempt may spend; it is ended there.
    pub attempt_micros: Option<u64>,
    /// What is reserved for an attempt, instead of what attempts like it have cost.
    pub expected_micros: Option<u64>,
}

/// What may be spent within any such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The time, which moves along.
    pub within: Span,
    /// The hard limit, in millionths of a dollar.
    pub cost_micros: u64,
}

/// Something the work has to pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSpec {
    /// The gate's name, such as `tests`.
    pub name: Name,
    /// How it is measured.
    pub check: Check,
}

/// How a gate is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// A command in the merged tree; exit 0 passes.
    Command {
        /// What to run.
        run: RunSpec,
        /// When to give up.
        timeout: Span,
    },
    /// A coverage file that the commands leave behind, read by the director from the merged tree.
    Coverage {
        /// The least that has to be covered, in hundredths of a percent.
        least: u32,
        /// Where the file is; the usual places where none is named.
        files: Vec<String>,
    },
    /// An agent or a person looks at the work before it is merged.
    Judge {
        /// Who.
        by: Judge,
        /// How often findings may go back to the author before it is a blocker.
        rounds_max: u32,
    },
    /// Each acceptance criterion of the task is answered in its report, with evidence.
    Acceptance {
        /// Whether a criterion without an answer fails the gate; otherwise it is not measured.
        strict: bool,
    },
    /// Wanted, but nothing here can measure it: reported as *not measured*, never as passed.
    NotMeasured {
        /// What would have to be there, for people.
        wanted: String,
    },
    /// Switched off by the sprint file.
    Off,
}

/// Who judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// An agent of a role, other than the author if there is another.
    Role {
        /// The role.
        role: Name,
        /// What a command agent runs.
        run: Option<RunSpec>,
    },
    /// A person, in the inbox.
    Person,
}

/// Limits and retries of a sprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Attempts at a task that end in failure before it is given up.
    pub attempts_max: u32,
    /// Agents that a task may kill before it is quarantined.
    pub deaths_max: u32,
    /// Guidance for the same blocker before it goes up a tier.
    pub guidance_max: u32,
    /// Delay before the second attempt; doubles with each.
    pub retry_min: Span,
    /// The longest delay between attempts.
    pub retry_max: Span,
    /// The longest one attempt may run, unless the task says otherwise.
    pub attempt_time: Span,
    /// No sign of life for so long: the attempt counts as silent.
    pub silent_after: Span,
    /// No sign of life for so long: the attempt is ended as wedged.
    pub wedged_after: Span,
    /// How long a blocker may wait on the tiers low, medium and high before it goes up one.
    pub tier_time: [Span; 3],
    /// Output kept of one attempt or gate, in bytes.
    pub output_max: u64,
    /// Tasks that are merged and gated together at most, where several wait for that.
    pub merge_batch: u32,
    /// Time between two looks at whether work under way would conflict; zero looks never.
    pub look_ahead: Span,
    /// Weights of expertise, capacity fit and context continuity, in thousandths.
    pub weights: [u32; 3],
    /// The most of the team's time for features, debt and infrastructure, in thousandths; `None` does not limit.
    pub shares: [Option<u32>; 3],
    /// What the sprint may spend; its limit of an attempt and its expectation hold for all tasks that say nothing else.
    pub budget: Spending,
    /// What the sprint may spend within a time.
    pub window: Option<Window>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts_max: 3,
            deaths_max: 2,
            guidance_max: 1,
            retry_min: Span::seconds(1),
            retry_max: Span::minutes(1),
            attempt_time: Span::hours(2),
            silent_after: Span::minutes(1),
            wedged_after: Span::minutes(15),
            tier_time: [Span::minutes(30), Span::hours(2), Span::hours(8)],
            output_max: 8 << 20,
            merge_batch: 1,
            look_ahead: Span::seconds(2),
            weights: [500, 300, 200],
            shares: [None; 3],
            budget: Spending::default(),
            window: None,
        }
    }
}
