//! The keys of `[limits]`: how often and how long something is tried, and how much of it is kept.
//!
//! Elsewhere: what they become is [`crate::sprint::Policy`].

use super::keys::key;
use super::shape::{Shape, Table};

pub(super) static LIMITS: Table = Table {
    about: "Limits and retries.",
    keys: &[
        key(
            "attempts_max",
            Shape::Whole(1, 100),
            "attempts at a task before it is given up; 3 unless written",
        ),
        key(
            "merge_batch",
            Shape::Whole(1, 64),
            "finished tasks that are merged and gated together at most; halved until the one that fails is found; 1 unless written",
        ),
        key(
            "deaths_max",
            Shape::Whole(1, 100),
            "agents that a task may kill before it is quarantined; 2 unless written",
        ),
        key(
            "guidance_max",
            Shape::Whole(0, 100),
            "guidance for the same blocker before it goes up a tier; 1 unless written",
        ),
        key(
            "retry_min",
            Shape::Duration,
            "delay before the second attempt, doubling with each; 1s unless written",
        ),
        key(
            "retry_max",
            Shape::Duration,
            "the longest delay between attempts; 1m unless written",
        ),
        key(
            "attempt_time",
            Shape::Duration,
            "the longest one attempt may run; 2h unless written",
        ),
        key(
            "silent_after",
            Shape::Duration,
            "no sign of life for so long: the attempt counts as silent; 1m unless written",
        ),
        key(
            "wedged_after",
            Shape::Duration,
            "no sign of life for so long: the attempt is ended; 15m unless written",
        ),
        key(
            "look_ahead",
            Shape::Any(&[Shape::Duration, Shape::Flag]),
            "time between two looks at whether work under way would conflict; 2s unless written, `false` looks never",
        ),
        key(
            "tier_time",
            Shape::Table(&TIERS),
            "how long a blocker may wait on a tier before it goes up one",
        ),
        key(
            "output_max",
            Shape::Bytes,
            "output kept of one attempt or gate; 8MiB unless written",
        ),
        key(
            "weights",
            Shape::Table(&WEIGHTS),
            "how agents are chosen; the three have to add up to 1",
        ),
    ],
};

static TIERS: Table = Table {
    about: "How long a blocker may wait on a tier before it goes up one.",
    keys: &[
        key("low", Shape::Duration, "30m unless written"),
        key("medium", Shape::Duration, "2h unless written"),
        key("high", Shape::Duration, "8h unless written"),
    ],
};

static WEIGHTS: Table = Table {
    about: "How agents are chosen; the three have to add up to 1.",
    keys: &[
        key(
            "expertise",
            Shape::Number(0.0, 1.0),
            "how well skills and kind fit; 0.5 unless written",
        ),
        key(
            "capacity",
            Shape::Number(0.0, 1.0),
            "how well free capacity fits; 0.3 unless written",
        ),
        key(
            "context",
            Shape::Number(0.0, 1.0),
            "whether it worked on the same feature; 0.2 unless written",
        ),
    ],
};
