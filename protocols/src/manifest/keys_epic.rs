//! The keys of an epic's file, and of a plan for it that an agent proposes.
//!
//! Elsewhere: team, agents, gates and tasks have the keys that they have in a sprint file, [`super::keys`].

use super::keys::{
    AGENT, CLASSES, GATES, NAMES, PRIORITIES, ROLE, TASK, TEAM, TEXTS, key, required,
};
use super::shape::{Key, Shape, Table};

/// Sizes as on shirts.
pub(super) const SIZES: &[&str] = &["XS", "S", "M", "L", "XL"];

/// The epic's file.
pub(super) static EPIC_ROOT: Table = Table {
    about: "An epic: what users get in the end, feature by feature, and the team that builds it.",
    keys: &[
        required(
            "epic",
            Shape::Table(&EPIC),
            "the table [epic] with the epic's `id`",
        ),
        key(
            "team",
            Shape::Map(TEAM, &Shape::Table(&ROLE), true),
            "the roles, as in a sprint file; `capacity` is hours per sprint",
        ),
        key(
            "agent",
            Shape::Map(&[], &Shape::Table(&AGENT), true),
            "agents with settings, as in a sprint file",
        ),
        key(
            "gates",
            GATES,
            "what every task's work has to pass, as in a sprint file",
        ),
        Key {
            name: "feature",
            shape: Shape::List(&Shape::Table(&FEATURE)),
            required: true,
            missing: "the epic is empty: it has no feature",
            about: "a [[feature]] for each thing that users get, with at least its `id`",
        },
    ],
};

static EPIC: Table = Table {
    about: "The epic as a whole.",
    keys: &[
        required(
            "id",
            Shape::Name,
            "the epic's name, id = \"checkout\"; its sprints are called after it",
        ),
        key(
            "title",
            Shape::Text,
            "one line for people; the id unless written",
        ),
        key("goal", Shape::Text, "what users get, and why"),
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
        key("acceptance", TEXTS, "what has to be true in the end"),
        key("risks", TEXTS, "what you fear, one sentence each"),
        key("start", Shape::Date, "the first day, such as 2026-11-23"),
        key("end", Shape::Date, "the day by which it should be done"),
        key(
            "hours_per_day",
            Shape::Number(0.01, 24.0),
            "working hours in one day; 8 unless written",
        ),
        key(
            "sprint_days",
            Shape::Whole(1, 260),
            "working days of one sprint; 10 unless written",
        ),
        key(
            "hours_per_point",
            Shape::Number(0.01, 1000.0),
            "effort for one point; 4 unless written",
        ),
        key("repo", Shape::Text, "the git repository of the sprints"),
        key(
            "base",
            Shape::Branch,
            "the branch that the sprints start from",
        ),
    ],
};

static FEATURE: Table = Table {
    about: "A feature.",
    keys: &[
        required("id", Shape::Name, "the feature's name, id = \"cart\""),
        key(
            "title",
            Shape::Text,
            "one line for people; the id unless written",
        ),
        key("description", Shape::Text, "what it is"),
        key(
            "surfaces",
            Shape::List(&Shape::Word(&["ui", "api"])),
            "what it has: \"ui\" for what people see, \"api\" for what programs speak to; neither is one piece of work",
        ),
        key(
            "points",
            Shape::Whole(0, 1_000),
            "how large it is; or write `size`",
        ),
        key(
            "size",
            Shape::Word(SIZES),
            "how large it is: XS 1, S 2, M 5, L 8, XL 13 points; M unless written",
        ),
        key(
            "research",
            Shape::Text,
            "what has to be found out before it is built",
        ),
        key("depends_on", NAMES, "features that have to work first"),
        key("acceptance", TEXTS, "what has to be true of it"),
        key("spec", Shape::Text, "where its specification is"),
        key("design", Shape::Text, "where its design is"),
        key(
            "priority",
            Shape::Word(PRIORITIES),
            "who goes first; normal unless written",
        ),
        key(
            "class",
            Shape::Word(CLASSES),
            "what the time is spent on; feature unless written",
        ),
        key(
            "deployment_requirements",
            TEXTS,
            "what DevOps needs to deploy it",
        ),
    ],
};

/// An agent's plan for an epic.
pub(super) static PROPOSAL: Table = Table {
    about: "A plan for an epic.",
    keys: &[
        required(
            "architecture_plan",
            Shape::Table(&ARCHITECTURE),
            "how it is built",
        ),
        Key {
            name: "task",
            shape: Shape::List(&Shape::Table(&TASK)),
            required: true,
            missing: "the plan has no tasks",
            about: "everything that is to be done, each with `id`, `title`, `kind`, `feature`, `estimate`, `depends_on` and `acceptance`",
        },
        required(
            "risk_mitigation",
            Shape::List(&Shape::Table(&DANGER)),
            "what could go wrong, what shows it, what lowers it, what is done then",
        ),
    ],
};

static ARCHITECTURE: Table = Table {
    about: "How it is built.",
    keys: &[
        required("summary", Shape::Text, "in a paragraph"),
        key("decisions", TEXTS, "what is decided, one sentence each"),
        key("interfaces", TEXTS, "where parts meet, one sentence each"),
    ],
};

static DANGER: Table = Table {
    about: "Something that could go wrong.",
    keys: &[
        required("risk", Shape::Text, "what it is"),
        required("trigger", Shape::Text, "what shows that it has come true"),
        required("mitigation", Shape::Text, "what lowers it beforehand"),
        required("fallback", Shape::Text, "what is done when it comes true"),
    ],
};
