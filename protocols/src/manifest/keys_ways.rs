//! The keys of a sprint's ways of working: inbox, notification.
//!
//! Elsewhere: the rest of the file's keys are [`super::keys`].

use super::keys::{RUN, key, required};
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
