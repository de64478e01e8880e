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

/// `[notify]`
pub(super) static NOTIFY: Table = Table {
    about: "How you are told that something waits for you.",
    keys: &[required(
        "run",
        RUN,
        "what is run when something new waits; the event comes on its standard input, as one line of JSON",
    )],
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
