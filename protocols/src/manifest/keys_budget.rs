//! The keys of budgets: of a sprint, of each agent of a role, of a task.
//!
//! Elsewhere: what they become is [`crate::sprint::Spending`].

use super::keys::{key, required};
use super::shape::{Key, Shape, Table};

const DOLLARS: Shape = Shape::Number(0.0, 1e6);

const WARN: Key = key(
    "warn_usd",
    DOLLARS,
    "where you are told, in dollars; nothing is held back for it",
);
const EXPECTED: Key = key(
    "expected_usd",
    DOLLARS,
    "what is set aside for an attempt before it begins, in dollars; what attempts like it have cost unless written",
);
const ATTEMPT: Key = key(
    "attempt_usd",
    DOLLARS,
    "the most that one attempt may spend, in dollars; it is ended there",
);

/// `budget` of a task.
pub(super) static OF_TASK: Table = Table {
    about: "Limits on a task.",
    keys: &[
        key("time", Shape::Duration, "the longest one attempt may run"),
        key(
            "cost_usd",
            DOLLARS,
            "the most that may be spent on it over all attempts, in dollars; one that is expected to go beyond is not begun",
        ),
        WARN,
        ATTEMPT,
        EXPECTED,
    ],
};

/// `budget` of a role.
pub(super) static OF_ROLE: Table = Table {
    about: "What each agent of the role may spend in the sprint.",
    keys: &[
        key(
            "cost_usd",
            DOLLARS,
            "the most that each of its agents may spend in the sprint, in dollars; it is given nothing that is expected to go beyond",
        ),
        WARN,
        ATTEMPT,
        EXPECTED,
    ],
};

/// `[budget]`.
pub(super) static OF_SPRINT: Table = Table {
    about: "What the sprint may spend.",
    keys: &[
        key(
            "cost_usd",
            DOLLARS,
            "the most that the sprint may spend, in dollars; nothing is handed out that is expected to go beyond",
        ),
        WARN,
        ATTEMPT,
        EXPECTED,
        key(
            "window",
            Shape::Table(&WINDOW),
            "the most that it may spend within any such time",
        ),
    ],
};

static WINDOW: Table = Table {
    about: "The most that the sprint may spend within any such time.",
    keys: &[
        required(
            "cost_usd",
            DOLLARS,
            "the most that may be spent within that time, in dollars; what does not fit waits until it does",
        ),
        required("within", Shape::Duration, "the time, within = \"5h\""),
    ],
};
