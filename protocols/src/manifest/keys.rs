//! Every key of the sprint file, in one place: its name, what it may be and what it means.
//!
//! The check of a file and the JSON Schema both read these tables; a key that is not here is unknown to both.

use super::keys_limits::LIMITS;
use super::shape::{Key, Shape, Table};
use super::{keys_budget, keys_sandbox, keys_ways};
use crate::sprint::AGENTS_MAX;

pub(super) const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        name,
        shape,
        required: false,
        missing: "",
        about,
    }
}

pub(super) const fn required(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        name,
        shape,
        required: true,
        missing: "",
        about,
    }
}

pub(super) const TEXTS: Shape = Shape::List(&Shape::Text);
pub(super) const NAMES: Shape = Shape::List(&Shape::Name);
pub(super) const RUN: Shape = Shape::Any(&[Shape::Line, Shape::Argv]);

/// The words for a priority; `medium` is read as `normal`.
pub(super) const PRIORITIES: &[&str] = &["low", "normal", "medium", "high", "critical"];
const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];
const EXPECTS: &[&str] = &["changes", "artifact", "nothing"];
const ISOLATIONS: &[&str] = &["worktree", "clone", "sandbox"];
const CONFLICTS: &[&str] = &["redo", "resolve"];
pub(super) const CLASSES: &[&str] = &["feature", "debt", "infrastructure"];

/// What other tools call our keys, for suggestions: letters alone would not lead there.
pub(super) const SYNONYMS: &[(&str, &str)] = &[
    ("type", "kind"),
    ("name", "id"),
    ("deps", "depends_on"),
    ("dependencies", "depends_on"),
    ("needs", "depends_on"),
    ("after", "depends_on"),
    ("story_points", "points"),
    ("assignee", "role"),
    ("command", "run"),
    ("cmd", "run"),
    ("script", "run"),
    ("effort", "estimate"),
    ("start_date", "start"),
    ("end_date", "end"),
    ("branch", "base"),
    ("instances", "count"),
    ("acceptance_criteria", "acceptance"),
];

/// The whole file.
pub(super) static ROOT: Table = Table {
    about: "A sprint: what is to be done, by whom, and what the work has to pass.",
    keys: &[
        required(
            "sprint",
            Shape::Table(&SPRINT),
            "the table [sprint] with the sprint's `id`",
        ),
        key(
            "team",
            Shape::Map(TEAM, &Shape::Table(&ROLE), true),
            "the roles, as [team.ROLE]; one that is not listed keeps its default",
        ),
        key(
            "agent",
            Shape::Map(&[], &Shape::Table(&AGENT), true),
            "agents with settings, as [agent.NAME]; a role names one in `agent`",
        ),
        key(
            "gates",
            GATES,
            "what every task's work has to pass, by name; `tests`, `review`, `docs`, `coverage` and `acceptance` are on unless they are set to false",
        ),
        key(
            "limits",
            Shape::Table(&LIMITS),
            "limits and retries; every key has a default",
        ),
        key(
            "budget",
            Shape::Table(&keys_budget::OF_SPRINT),
            "what the sprint may spend; what attempts are expected to cost is set aside before they begin",
        ),
        key(
            "sandbox",
            Shape::Table(&keys_sandbox::SANDBOX),
            "what gates and agents may touch; where it stands, the kernel holds gates and every role without an `isolation` of its own to it",
        ),
        Key {
            name: "task",
            shape: Shape::List(&Shape::Table(&TASK)),
            required: true,
            missing: "the sprint is empty: it has no task",
            about: "a [[task]] for each task, with at least its `id`",
        },
        key(
            "inbox",
            Shape::Table(&keys_ways::INBOX),
            "how long what waits for people may wait, and what happens then",
        ),
        key(
            "planning",
            Shape::Table(&keys_ways::PLANNING),
            "what is done before the start",
        ),
        key(
            "ladder",
            Shape::Table(&keys_ways::LADDER),
            "what the tiers of blockers do; how long each lasts is `limits.tier_time`",
        ),
        key(
            "ceremonies",
            Shape::Table(&keys_ways::CEREMONIES),
            "what a running sprint holds by itself",
        ),
        key(
            "peer",
            Shape::Table(&keys_ways::PEERS),
            "who Product, QA and DevOps are, such as [peer.qa]",
        ),
        key(
            "webhooks",
            Shape::Table(&keys_ways::WEBHOOKS),
            "how often what is posted to webhooks is tried",
        ),
        key(
            "deployment",
            Shape::Table(&keys_ways::DEPLOYMENT),
            "how what is done is deployed: readiness, windows, a probe afterwards",
        ),
        key(
            "notify",
            Shape::Table(&keys_ways::NOTIFY),
            "how you are told that something waits for you",
        ),
        key(
            "shares",
            Shape::Table(&keys_ways::SHARES),
            "which part of the team's time goes to which class of work at most",
        ),
        key(
            "import",
            Shape::Table(&keys_ways::IMPORT),
            "what `director import` keeps to when it brings this file up to date",
        ),
        key(
            "stakeholder",
            Shape::List(&Shape::Table(&keys_ways::STAKEHOLDER)),
            "who is told what, each as [[stakeholder]]",
        ),
    ],
};

static SPRINT: Table = Table {
    about: "The sprint as a whole.",
    keys: &[
        required(
            "id",
            Shape::Name,
            "the sprint's name, id = \"sprint-3\"; branches carry it",
        ),
        key(
            "epic",
            Shape::Text,
            "what the sprint is part of, for people",
        ),
        key("start", Shape::Date, "the first day, such as 2026-11-23"),
        key(
            "end",
            Shape::Date,
            "the last day; commitment is limited to what fits before it",
        ),
        key(
            "hours_per_day",
            Shape::Number(0.01, 24.0),
            "working hours in one day; 8 unless written",
        ),
        key(
            "velocity_target",
            Shape::Whole(0, 1_000_000),
            "points that the team means to finish",
        ),
        key(
            "repo",
            Shape::Text,
            "the git repository, relative to this file; without it tasks run in scratch directories",
        ),
        key(
            "base",
            Shape::Branch,
            "the branch that the sprint starts from and is delivered to; the current one unless written",
        ),
    ],
};

pub(super) const TEAM: &[Key] = &[key(
    "only",
    Shape::Flag,
    "true: the team is the roles listed here and no others",
)];

pub(super) static ROLE: Table = Table {
    about: "A role and how many agents fill it.",
    keys: &[
        key(
            "count",
            Shape::Whole(0, AGENTS_MAX as u64),
            "agents that fill the role; 1 unless written, 0 takes it out",
        ),
        key(
            "capacity",
            Shape::Hours(true),
            "hours that one agent can commit to in the sprint; no limit unless written",
        ),
        key(
            "skills",
            TEXTS,
            "what it is good at; matched with what a task needs",
        ),
        key(
            "kinds",
            TEXTS,
            "the kinds of task that come to it; \"*\" takes every kind that no other role takes",
        ),
        key(
            "covers",
            TEXTS,
            "the kinds of task that it can take over when it has to",
        ),
        key(
            "agent",
            Shape::Text,
            "what does the work: command, simulated, stdio, acp, claude, codex, gemini, chat, person, or a name from [agent.*]; command unless written",
        ),
        key("prompt", Shape::Text, "what the role is, told to the agent"),
        key(
            "restart",
            Shape::Table(&RESTART),
            "how an agent that died comes back",
        ),
        key(
            "isolation",
            Shape::Word(ISOLATIONS),
            "what its agents work in: a worktree; a clone, in which no git command finds a ref of the repository; a sandbox, a clone out of which the kernel lets no process write or read what is hidden; sandbox where the file has [sandbox], otherwise worktree",
        ),
        key(
            "conflicts",
            Shape::Word(CONFLICTS),
            "when merged work conflicts: redo does the task again on the newest state, resolve puts conflict markers before the agent; redo for command and simulated, resolve for others",
        ),
        key(
            "budget",
            Shape::Table(&keys_budget::OF_ROLE),
            "what each of its agents may spend in the sprint",
        ),
    ],
};

static RESTART: Table = Table {
    about: "How an agent that died comes back.",
    keys: &[
        key(
            "intensity",
            Shape::Whole(0, 1_000),
            "restarts allowed within `within`; one more and the role is lost; 5 unless written",
        ),
        key(
            "within",
            Shape::Duration,
            "the sliding window; 60s unless written",
        ),
        key(
            "backoff_min",
            Shape::Duration,
            "delay before the first restart, doubling with each failure in a row; 200ms unless written",
        ),
        key(
            "backoff_max",
            Shape::Duration,
            "the longest delay; 30s unless written",
        ),
    ],
};

pub(super) static AGENT: Table = Table {
    about: "An agent with settings.",
    keys: &[
        key(
            "kind",
            Shape::Text,
            "command, simulated, acp, claude, codex, gemini, remote or person; the table's own name where that is a kind",
        ),
        key(
            "model",
            Shape::Text,
            "the model, for coding agents; \"inherit\" leaves the choice to the agent",
        ),
        key(
            "program",
            RUN,
            "the program to start instead of the kind's own",
        ),
        key(
            "env",
            Shape::List(&Shape::EnvName),
            "names of environment variables that are passed on",
        ),
        key(
            "options",
            Shape::Map(&[], &Shape::Setting, false),
            "further settings, as the kind defines them",
        ),
        key(
            "account",
            Shape::Text,
            "the provider's account whose limits it shares with other agents; the kind unless written, for commands the role",
        ),
    ],
};

pub(super) const GATES: Shape = Shape::Map(&[], &GATE, true);

static GATE: Shape = Shape::Any(&[
    Shape::Flag,
    Shape::Number(0.0, 100.0),
    Shape::Line,
    Shape::Argv,
    Shape::Table(&GATE_TABLE),
]);

static GATE_TABLE: Table = Table {
    about: "A gate: a command that exits with 0 in the merged tree, an agent of a role or a person who judges the work, or a share.",
    keys: &[
        key(
            "run",
            RUN,
            "the command, run in the merged tree; with `by`, what a command agent of that role runs",
        ),
        key(
            "by",
            Shape::Name,
            "who judges: a role of the team, or person",
        ),
        key(
            "rounds",
            Shape::Whole(1, 100),
            "how often findings go back to the author before it is a blocker; 3 unless written",
        ),
        key(
            "least",
            Shape::Number(0.0, 100.0),
            "for coverage: the least that has to be covered, in percent; 80 unless written",
        ),
        key(
            "files",
            Shape::List(&Shape::Path),
            "for coverage: where the lcov or cobertura file is; the usual places unless written",
        ),
        key(
            "timeout",
            Shape::Duration,
            "when to give up; 15m unless written",
        ),
    ],
};

pub(super) static TASK: Table = Table {
    about: "One task.",
    keys: &[
        required(
            "id",
            Shape::Name,
            "the task's name, unique in the sprint, id = \"auth-api\"",
        ),
        key(
            "title",
            Shape::Text,
            "one line for people; the id unless written",
        ),
        key("description", Shape::Text, "what is to be done"),
        key(
            "kind",
            Shape::Name,
            "what sort of work it is; decides the role: ui_component, api_endpoint, feature, architecture, testing, documentation, research, review, bug_fix, performance, security, or a word of your own; feature unless written",
        ),
        key(
            "role",
            Shape::Name,
            "the role that does it, where the kind does not decide",
        ),
        key(
            "points",
            Shape::Whole(0, 10_000),
            "story points; 1 unless written",
        ),
        key(
            "estimate",
            Shape::Any(&[Shape::Hours(false), Shape::Table(&ESTIMATE)]),
            "effort in hours: a number, or three points; an hour for each point unless written",
        ),
        key(
            "hours",
            Shape::Hours(false),
            "effort in hours as one number; the same as `estimate = 5`",
        ),
        key(
            "depends_on",
            NAMES,
            "tasks of this sprint that have to be completed first",
        ),
        key(
            "feature",
            Shape::Name,
            "what shares its worktree and branch; a task without one is its own",
        ),
        key(
            "priority",
            Shape::Word(PRIORITIES),
            "who goes first; normal unless written, medium is the same",
        ),
        key(
            "done",
            Shape::Flag,
            "true: it is done already; nobody works on it and nothing waits for it",
        ),
        key(
            "source",
            Shape::Text,
            "where it was imported from, such as \"github:42\"; the next import finds it by this",
        ),
        key(
            "imported",
            Shape::Map(&[], &Shape::Any(&[Shape::Text, TEXTS]), false),
            "what `director import` wrote last, so that the next one sees what was changed by hand; leave it as it is",
        ),
        key("skills", TEXTS, "skills it needs"),
        key("acceptance", TEXTS, "what has to be true of the result"),
        key(
            "spec",
            Shape::Text,
            "where the specification is: a path or an address",
        ),
        key(
            "design",
            Shape::Text,
            "where the design is: a path or an address",
        ),
        key(
            "run",
            RUN,
            "what a command agent runs: a line for the shell, or a list that is executed as it is",
        ),
        key(
            "budget",
            Shape::Table(&keys_budget::OF_TASK),
            "limits on the task",
        ),
        key(
            "gates",
            GATES,
            "gates of its own; one of the same name replaces the sprint's",
        ),
        key(
            "expects",
            Shape::Word(EXPECTS),
            "what it must leave behind; its kind decides unless written",
        ),
        key(
            "produces",
            Shape::List(&Shape::Path),
            "files that must exist when it is done, as paths in the worktree",
        ),
        key(
            "files",
            Shape::List(&Shape::Path),
            "files that it is about, and folders with a slash at the end; goes rather to who changed them before",
        ),
        key("severity", Shape::Word(SEVERITIES), "how bad the bug is"),
        key(
            "class",
            Shape::Word(CLASSES),
            "what the time is spent on; feature unless written",
        ),
        key("test_requirements", TEXTS, "what QA needs to test it"),
        key(
            "deployment_requirements",
            TEXTS,
            "what DevOps needs to deploy it",
        ),
    ],
};

static ESTIMATE: Table = Table {
    about: "Effort in hours, in three points.",
    keys: &[
        required("optimistic", Shape::Hours(false), "hours if all goes well"),
        required("likely", Shape::Hours(false), "hours that are most likely"),
        required(
            "pessimistic",
            Shape::Hours(false),
            "hours if much goes wrong",
        ),
    ],
};
