//! The keys of a sprint's ways of working: inbox, notification, shares of time, imports.
//!
//! Elsewhere: the rest of the file's keys are [`super::keys`].

use super::keys::{RUN, TEXTS, key, required};
use super::shape::{Shape, Table};

/// What happens at a deadline, in words.
pub(super) const DEFAULTS: &[&str] = &["remind", "answer", "approve", "reject"];

/// `[inbox]`
pub(super) static INBOX: Table = Table {
    about: "How long what waits for people may wait, and what happens then; without a rule it waits until somebody comes.",
    keys: &[
        key(
            "question",
            Shape::Table(&RULE),
            "questions of agents at work",
        ),
        key("task", Shape::Table(&RULE), "tasks of people"),
        key("gate", Shape::Table(&RULE), "gates that people judge"),
        key(
            "unclear",
            Shape::Table(&RULE),
            "what is asked before the start; an approval leaves it as it is",
        ),
    ],
};

static RULE: Table = Table {
    about: "How long it may wait, and what happens then.",
    keys: &[
        required(
            "within",
            Shape::Duration,
            "how long it may wait, such as \"8h\"",
        ),
        key(
            "default",
            Shape::Word(DEFAULTS),
            "what happens then: remind, answer (with `text`), approve or reject; remind unless written",
        ),
        key("text", Shape::Text, "the answer or the reason"),
    ],
};

/// `[planning]`
pub(super) static PLANNING: Table = Table {
    about: "What is done before the start.",
    keys: &[
        key(
            "strict",
            Shape::Flag,
            "whether nothing begins before every question about what is unclear is answered; false unless written",
        ),
        key(
            "calibrate",
            Shape::Flag,
            "whether estimates are corrected by what past sprints of the data directory took; false unless written",
        ),
    ],
};

/// `[peer]`
pub(super) static PEERS: Table = Table {
    about: "The teams beside the engineers; without a table, a role of that name fills one.",
    keys: &[
        key(
            "product",
            Shape::Table(&PEER),
            "who gets demonstrations and is asked what is wanted",
        ),
        key("qa", Shape::Table(&PEER), "who gets packages to test"),
        key("devops", Shape::Table(&PEER), "who gets packages to deploy"),
    ],
};

static PEER: Table = Table {
    about: "Where what is for a team goes: to agents of a role, to a webhook, or else into the inbox.",
    keys: &[
        key("role", Shape::Name, "the role whose agents are the team"),
        key(
            "run",
            RUN,
            "what an agent of kind command runs; exit 0 takes the package, `findings` in its report give it back",
        ),
        key(
            "webhook",
            Shape::Url,
            "where it is posted; the answer may be {\"accepted\": true} or {\"answer\": \"…\"}, or comes later through the inbox",
        ),
        key(
            "secret_env",
            Shape::EnvName,
            "the variable with the secret that signs what is posted",
        ),
    ],
};

/// `[webhooks]`
pub(super) static WEBHOOKS: Table = Table {
    about: "How often what is posted is tried.",
    keys: &[
        key(
            "tries_max",
            Shape::Whole(1, 100),
            "tries before it is left to a person; 5 unless written",
        ),
        key(
            "retry_min",
            Shape::Duration,
            "the delay before the second try, which doubles with each; 2s unless written",
        ),
        key(
            "retry_max",
            Shape::Duration,
            "the longest delay between tries; 5m unless written",
        ),
    ],
};

/// `[ceremonies]`
pub(super) static CEREMONIES: Table = Table {
    about: "What a running sprint holds by itself.",
    keys: &[
        key(
            "standup",
            Shape::Hour,
            "when the standup of each working day is: \"09:00\" in UTC, \"09:00+01:00\" elsewhere, or \"off\"; 09:00 unless written",
        ),
        key(
            "progress",
            Shape::Duration,
            "how long from one progress update to the next, such as \"4h\"; none unless written",
        ),
    ],
};

/// In what form an event is posted, in words.
const FORMS: &[&str] = &["event", "slack"];

/// `[[stakeholder]]`
pub(super) static STAKEHOLDER: Table = Table {
    about: "Somebody who is told what happens; in the inbox unless there is a webhook or a command.",
    keys: &[
        required("name", Shape::Name, "who, name = \"product\""),
        key(
            "on",
            Shape::List(&Shape::Name),
            "the events that they are told of; every event unless written",
        ),
        key("webhook", Shape::Url, "where each event is posted, as JSON"),
        key(
            "secret_env",
            Shape::EnvName,
            "the variable with the secret that signs what is posted",
        ),
        key(
            "run",
            RUN,
            "what is run for each event, which comes on its standard input",
        ),
        key(
            "format",
            Shape::Word(FORMS),
            "in what form: event is the event's own JSON, slack a message for chats (text and blocks); event unless written",
        ),
        key(
            "quiet",
            Shape::Flag,
            "whether they are not told again of what they have just been told of in other words; false unless written",
        ),
        key(
            "inbox",
            Shape::Flag,
            "whether each event is put in the inbox; without `on`, what ends, goes wrong or is held",
        ),
    ],
};

/// `[deployment]`
pub(super) static DEPLOYMENT: Table = Table {
    about: "How what is done is deployed: what is asked before, when it may be, how it is looked at afterwards.",
    keys: &[
        key(
            "ready",
            Shape::Any(&[Shape::Line, Shape::Argv, Shape::Table(&READY)]),
            "the command that says whether a deployment can begin: exit 0 is ready, what it prints otherwise is what is missing",
        ),
        key(
            "windows",
            Shape::List(&Shape::Window),
            "when deployments may begin, such as [\"mon-thu 09:00-16:00\"], in UTC or with how far it is ahead; always unless written",
        ),
        key(
            "probe",
            Shape::Table(&PROBE),
            "what looks at what was deployed; a look that fails opens an incident",
        ),
    ],
};

static READY: Table = Table {
    about: "A command that says whether a deployment can begin.",
    keys: &[
        required("run", RUN, "the command, run = \"sh ops/ready.sh\""),
        key(
            "timeout",
            Shape::Duration,
            "when to give up; 5m unless written",
        ),
    ],
};

static PROBE: Table = Table {
    about: "A command that looks at what was deployed; exit 0 is well.",
    keys: &[
        required("run", RUN, "the command, run = \"sh ops/probe.sh\""),
        key(
            "after",
            Shape::Duration,
            "how long after the package was taken the first look is; 1m unless written",
        ),
        key(
            "every",
            Shape::Duration,
            "from one look to the next; 1m unless written",
        ),
        key(
            "for",
            Shape::Duration,
            "how long it is looked at, from the first look on; 10m unless written",
        ),
        key(
            "timeout",
            Shape::Duration,
            "when to give up on one look; 30s unless written",
        ),
    ],
};

/// `[notify]`
pub(super) static NOTIFY: Table = Table {
    about: "How you are told that something waits for you.",
    keys: &[
        key(
            "run",
            RUN,
            "what is run when something new waits; the event comes on its standard input, as one line of JSON",
        ),
        key(
            "webhook",
            Shape::Url,
            "where it is posted when something new waits",
        ),
        key(
            "secret_env",
            Shape::EnvName,
            "the variable with the secret that signs what is posted",
        ),
        key(
            "format",
            Shape::Word(FORMS),
            "in what form: event is the event's own JSON, slack a message for chats (text and blocks); event unless written",
        ),
        key(
            "quiet",
            Shape::Flag,
            "whether the same is not told twice within an hour; true unless written",
        ),
    ],
};

/// `[shares]`
pub(super) static SHARES: Table = Table {
    about: "Which part of the team's time goes to which class of work at most, where capacity or the end is written; together at most 1.",
    keys: &[
        key(
            "feature",
            Shape::Number(0.0, 1.0),
            "things that users get; no limit unless written",
        ),
        key(
            "debt",
            Shape::Number(0.0, 1.0),
            "paying back technical debt; no limit unless written",
        ),
        key(
            "infrastructure",
            Shape::Number(0.0, 1.0),
            "what the team itself needs; no limit unless written",
        ),
    ],
};

/// `[import]`
pub(super) static IMPORT: Table = Table {
    about: "What `director import` keeps to when it brings this file up to date.",
    keys: &[key(
        "skip",
        TEXTS,
        "sources that do not become tasks, such as [\"github:42\"]",
    )],
};

/// Who takes up a blocker of tier medium, in words.
const MEDIUM: &[&str] = &["reassign", "pair"];
/// What becomes of running work in an emergency, in words.
const RUNNING: &[&str] = &["finish", "checkpoint"];

/// `[ladder]`
pub(super) static LADDER: Table = Table {
    about: "What the tiers of blockers do.",
    keys: &[
        key(
            "low",
            Shape::List(&Shape::Name),
            "the roles whose guidance is asked for, in this order; engineering-manager unless written, and the director where it cannot be talked to",
        ),
        key(
            "medium",
            Shape::Word(MEDIUM),
            "reassign gives the task to another agent, pair lets another agent join the first; reassign unless written",
        ),
        key(
            "high",
            Shape::List(&Shape::Name),
            "the roles that are asked beside you, in this order; tech-lead unless written",
        ),
        key(
            "running",
            Shape::Word(RUNNING),
            "what becomes of work under way that is not critical when an emergency begins; finish unless written",
        ),
        key(
            "resolution",
            Shape::Duration,
            "how long it is thought to take to resolve an emergency; 4h unless written, and as long as earlier ones took",
        ),
        key(
            "repeats_max",
            Shape::Whole(1, 100),
            "so many blockers of one task, and the next starts a tier higher; one that is high already is put to a person alone; 3 unless written",
        ),
    ],
};
