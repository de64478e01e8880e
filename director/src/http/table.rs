//! The table of calls: each row a method and a path, what is asked by which name on the socket, and its parameters.
//! Requests are checked and read by the rows; router and OpenAPI document follow from them. A call is a question (GET) or an order (POST) of [`crate::control::protocol`] unless its row says otherwise.
//!
//! Elsewhere: what a row is made of is [`super::route`]; carrying one out is [`super::calls`].

use serde_json::{Map, Value, json};

use super::aside::ASIDE;
use super::assigned::ASSIGNED;
use super::route::{Does, Kind, Param, Place, Route, STATUSES};

const fn param(
    place: Place,
    name: &'static str,
    kind: Kind,
    required: bool,
    about: &'static str,
) -> Param {
    Param {
        name,
        place,
        kind,
        required,
        about,
    }
}

pub(super) const fn path(name: &'static str, kind: Kind, about: &'static str) -> Param {
    param(Place::Path, name, kind, true, about)
}

pub(super) const fn query(name: &'static str, kind: Kind, about: &'static str) -> Param {
    param(Place::Query, name, kind, false, about)
}

pub(super) const fn field(
    name: &'static str,
    kind: Kind,
    required: bool,
    about: &'static str,
) -> Param {
    param(Place::Body, name, kind, required, about)
}

const SPRINT: Param = query(
    "sprint",
    Kind::Name,
    "Which sprint; the current one without.",
);
const OF_SPRINT: Param = field(
    "sprint",
    Kind::Name,
    false,
    "Which sprint; the current one without.",
);
const IN_SPRINT: Param = path("sprint", Kind::Name, "Which sprint.");
const TASK: Param = path("task", Kind::Name, "Which task.");
const ACCOUNT: Param = field("account", Kind::Text(1), false, "Which account, if one.");
const ITEM: Param = path(
    "item",
    Kind::Whole(1, u32::MAX as u64),
    "Its number in the inbox.",
);
const INCIDENT: Param = path(
    "incident",
    Kind::Whole(1, u32::MAX as u64),
    "Its number, from 1.",
);
const BY: Param = field("by", Kind::Text(0), false, "Who asks, for the journal.");

fn as_it_is(args: Map<String, Value>) -> Map<String, Value> {
    args
}

fn replying(mut args: Map<String, Value>, reply: &str) -> Map<String, Value> {
    args.insert("reply".to_owned(), json!(reply));
    args.entry("text").or_insert(json!(""));
    args
}

fn answering(args: Map<String, Value>) -> Map<String, Value> {
    replying(args, "answer")
}

fn approving(args: Map<String, Value>) -> Map<String, Value> {
    replying(args, "approve")
}

fn rejecting(args: Map<String, Value>) -> Map<String, Value> {
    replying(args, "reject")
}

fn stepping(mut args: Map<String, Value>) -> Map<String, Value> {
    let mut take = |name: &str| args.remove(name).unwrap_or_default();
    let step = [take("step"), take("text")];
    args.insert("step".to_owned(), json!(step));
    args
}

pub(super) const fn ask(
    path: &'static str,
    name: &'static str,
    about: &'static str,
    params: &'static [Param],
) -> Route {
    Route {
        changes: false,
        path,
        does: Does::Op(name),
        name,
        about,
        params,
        shape: as_it_is,
    }
}

pub(super) const fn order(
    path: &'static str,
    name: &'static str,
    about: &'static str,
    params: &'static [Param],
) -> Route {
    Route {
        changes: true,
        path,
        does: Does::Op(name),
        name,
        about,
        params,
        shape: as_it_is,
    }
}

/// Every call of a person or a program.
pub const TABLE: &[Route] = &[
    ask(
        "/status",
        "status",
        "What runs, what is blocked, what comes next.",
        &[
            SPRINT,
            query(
                "update",
                Kind::Flag,
                "With the text of the Progress Update.",
            ),
        ],
    ),
    ask("/sprints", "sprints", "All sprints, the newest first.", &[]),
    ask(
        "/sprints/{sprint}",
        "sprint",
        "Where a sprint stands: state, branches, delivery.",
        &[IN_SPRINT],
    ),
    ask(
        "/tasks",
        "tasks",
        "A page of a sprint's tasks.",
        &[
            SPRINT,
            query(
                "status",
                Kind::Word(&STATUSES),
                "Only those with this status, or of this column: waiting, ready, working, merging, stuck, done.",
            ),
            query(
                "text",
                Kind::Text(0),
                "Only those with this in their id or title.",
            ),
            query(
                "skip",
                Kind::Whole(0, u32::MAX as u64),
                "How many come before.",
            ),
            query("limit", Kind::Whole(1, 1_000), "The most that are wanted."),
        ],
    ),
    ask(
        "/graph",
        "graph",
        "A page of a sprint's graph: tasks level by level, what each waits for, and the critical path.",
        &[
            SPRINT,
            query(
                "skip",
                Kind::Whole(0, u32::MAX as u64),
                "How many tasks come before.",
            ),
            query(
                "limit",
                Kind::Whole(1, 1_000),
                "The most tasks that are wanted.",
            ),
        ],
    ),
    ask(
        "/tasks/{task}",
        "task",
        "Where a task's work is.",
        &[TASK, SPRINT],
    ),
    ask(
        "/tasks/{task}/why",
        "why",
        "Why a task does not run, or how it went.",
        &[TASK, SPRINT],
    ),
    Route {
        does: Does::Audit,
        ..ask(
            "/audit",
            "audit",
            "Who ordered what, from where, and what came of it; the newest last.",
            &[query("last", Kind::Whole(1, 1_000), "How many, or 100.")],
        )
    },
    Route {
        does: Does::Logs,
        name: "logs",
        ..ask(
            "/tasks/{task}/logs",
            "task",
            "What its agent printed, as text; the end of it when it is long.",
            &[
                TASK,
                SPRINT,
                query(
                    "attempt",
                    Kind::Whole(1, u32::MAX as u64),
                    "Which attempt; the last one without.",
                ),
            ],
        )
    },
    Route {
        does: Does::Diff,
        name: "diff",
        ..ask(
            "/tasks/{task}/diff",
            "task",
            "What it changed so far, as a patch.",
            &[TASK, SPRINT],
        )
    },
    ask("/agents", "agents", "The team.", &[]),
    ask(
        "/tree",
        "tree",
        "The actors, alive: mailbox depth, generation, restarts.",
        &[],
    ),
    ask("/inbox", "inbox", "What waits for a person.", &[]),
    ask("/incidents", "incidents", "All incidents.", &[]),
    Route {
        name: "incident_of",
        ..ask(
            "/incidents/{incident}",
            "incidents",
            "One incident, whole.",
            &[INCIDENT],
        )
    },
    ask(
        "/report",
        "report",
        "The Sprint Completion Report, also before the end.",
        &[
            SPRINT,
            query(
                "format",
                Kind::Word(&["terminal", "markdown", "html"]),
                "How its text is written, for who asks for text.",
            ),
        ],
    ),
    ask(
        "/standup",
        "standup",
        "The daily standup.",
        &[
            SPRINT,
            query(
                "hours",
                Kind::Whole(1, 8_760),
                "How many hours it looks back, instead of to the last one.",
            ),
        ],
    ),
    ask(
        "/retro",
        "retro",
        "The retrospective, also before the end.",
        &[
            SPRINT,
            query(
                "format",
                Kind::Word(&["markdown", "html"]),
                "How its text is written, for who asks for text.",
            ),
        ],
    ),
    ask(
        "/next",
        "next",
        "The file of the sprint after this one.",
        &[SPRINT],
    ),
    ask(
        "/calibration",
        "calibration",
        "How estimates of each kind of task came out.",
        &[],
    ),
    ask(
        "/live",
        "live",
        "The moment, in a handful of figures.",
        &[SPRINT],
    ),
    ask(
        "/journal",
        "page",
        "A page of what happened: events after a position, at most 1,000 records.",
        &[
            query(
                "after",
                Kind::Whole(0, u64::MAX >> 1),
                "Only what came after this position.",
            ),
            SPRINT,
        ],
    ),
    ask(
        "/records",
        "records",
        "A page of the journal itself, for programs that replay it.",
        &[query(
            "after",
            Kind::Whole(0, u64::MAX >> 1),
            "Only what came after this position.",
        )],
    ),
    ask(
        "/replay",
        "replay",
        "The state as it was at a past position.",
        &[
            Param {
                required: true,
                ..query(
                    "until",
                    Kind::Whole(1, u64::MAX >> 1),
                    "The last record that counts.",
                )
            },
            SPRINT,
        ],
    ),
    Route {
        does: Does::Events,
        name: "events",
        ..ask(
            "/events",
            "events",
            "Events as they happen, as server-sent events; resumes from `Last-Event-ID`.",
            &[
                query(
                    "after",
                    Kind::Whole(0, u64::MAX >> 1),
                    "Only what comes after this position; from the beginning without.",
                ),
                SPRINT,
            ],
        )
    },
    Route {
        does: Does::Submit,
        name: "submit",
        ..order(
            "/sprints",
            "submit",
            "Takes in a sprint; the body is a sprint file, TOML or JSON.",
            &[],
        )
    },
    Route {
        does: Does::Replan,
        name: "replan",
        ..order(
            "/replan",
            "apply",
            "Changes the running sprint of its name to what the file in the body says.",
            &[],
        )
    },
    Route {
        does: Does::Difference,
        name: "difference",
        ..order(
            "/replan/preview",
            "replan",
            "What a sprint file would change; changes nothing.",
            &[],
        )
    },
    Route {
        does: Does::Send,
        name: "send",
        ..order(
            "/events/{event}",
            "send",
            "An outside party's event; the body has its fields.",
            &[
                path(
                    "event",
                    Kind::Word(&director_protocols::outside::NAMES),
                    "The event's name.",
                ),
                SPRINT,
            ],
        )
    },
    Route {
        name: "pause_sprint",
        ..order(
            "/sprints/{sprint}/pause",
            "pause",
            "Hands out no more work of a sprint; what runs goes on to its end.",
            &[IN_SPRINT, BY],
        )
    },
    Route {
        name: "resume_sprint",
        ..order(
            "/sprints/{sprint}/resume",
            "resume",
            "Hands out work of a sprint again.",
            &[IN_SPRINT, BY],
        )
    },
    Route {
        name: "cancel_sprint",
        ..order(
            "/sprints/{sprint}/cancel",
            "cancel",
            "Calls off a sprint; what was merged stays.",
            &[IN_SPRINT, BY],
        )
    },
    Route {
        does: Does::Deliver,
        name: "deliver",
        ..order(
            "/sprints/{sprint}/deliver",
            "delivered",
            "Brings the integration branch into the base, only forward and only when the gates are green.",
            &[
                IN_SPRINT,
                field(
                    "partial",
                    Kind::Flag,
                    false,
                    "Also when committed tasks are not done.",
                ),
                BY,
            ],
        )
    },
    Route {
        name: "accept_action",
        ..order(
            "/sprints/{sprint}/actions/{action}",
            "accept",
            "Accepts an action item of the retrospective.",
            &[
                IN_SPRINT,
                path("action", Kind::Name, "The action's id."),
                field("text", Kind::Text(0), false, "What will change, in words."),
                BY,
            ],
        )
    },
    order(
        "/pause",
        "pause",
        "Hands out no more work of any sprint.",
        &[BY],
    ),
    order(
        "/resume",
        "resume",
        "Hands out work again: of all sprints, or of an account whose provider takes requests again.",
        &[ACCOUNT, BY],
    ),
    order(
        "/sprints/{sprint}/budget",
        "budget",
        "Sets the most that may be spent: by the sprint, unless a task, an agent or the window is named.",
        &[
            IN_SPRINT,
            field(
                "limit",
                Kind::Text(1),
                true,
                "The limit in dollars, such as `12.50`.",
            ),
            field("task", Kind::Name, false, "The budget of this task."),
            field("agent", Kind::Name, false, "The budget of this agent."),
            field(
                "window",
                Kind::Flag,
                false,
                "The budget of the sprint for a time.",
            ),
            BY,
        ],
    ),
    order(
        "/sprints/{sprint}/retry",
        "retry_all",
        "Tries everything of the sprint again that failed, is blocked or quarantined.",
        &[IN_SPRINT, BY],
    ),
    order(
        "/tasks/{task}/retry",
        "retry",
        "Tries a failed, blocked, quarantined or cancelled task again.",
        &[TASK, OF_SPRINT, BY],
    ),
    Route {
        name: "cancel_task",
        ..order(
            "/tasks/{task}/cancel",
            "cancel",
            "Calls off a task and what depends on it.",
            &[TASK, OF_SPRINT, BY],
        )
    },
    order(
        "/tasks/{task}/reassign",
        "reassign",
        "Gives a task to another agent.",
        &[
            TASK,
            OF_SPRINT,
            field(
                "to",
                Kind::Name,
                false,
                "To whom; the director chooses without.",
            ),
            BY,
        ],
    ),
    order(
        "/tasks/{task}/override",
        "override",
        "Lets a task pass in spite of a gate.",
        &[
            TASK,
            OF_SPRINT,
            field("gate", Kind::Text(1), true, "Which gate."),
            field("reason", Kind::Text(1), true, "Why; it is kept."),
            BY,
        ],
    ),
    Route {
        shape: answering,
        ..order(
            "/inbox/{item}/answer",
            "answer",
            "Answers something in the inbox; for a task of yours, what you did.",
            &[ITEM, field("text", Kind::Text(1), true, "The answer."), BY],
        )
    },
    Route {
        name: "approve",
        shape: approving,
        ..order(
            "/inbox/{item}/approve",
            "answer",
            "Says yes: done, go on, accepted.",
            &[
                ITEM,
                field("text", Kind::Text(0), false, "What else there is to say."),
                BY,
            ],
        )
    },
    Route {
        name: "reject",
        shape: rejecting,
        ..order(
            "/inbox/{item}/reject",
            "answer",
            "Says no, with the reason.",
            &[
                ITEM,
                field(
                    "text",
                    Kind::Text(0),
                    false,
                    "The reason; it goes to whoever waits.",
                ),
                BY,
            ],
        )
    },
    Route {
        name: "incident_step",
        shape: stepping,
        ..order(
            "/incidents/{incident}/step",
            "incident",
            "Fills in a step of an incident.",
            &[
                INCIDENT,
                field("step", Kind::Text(1), true, "Which step."),
                field("text", Kind::Text(1), true, "What is true of it."),
                BY,
            ],
        )
    },
    Route {
        name: "incident_note",
        ..order(
            "/incidents/{incident}/note",
            "incident",
            "Writes into the log of an incident.",
            &[
                INCIDENT,
                field("note", Kind::Text(1), true, "What is to be remembered."),
                BY,
            ],
        )
    },
    Route {
        name: "incident_close",
        ..order(
            "/incidents/{incident}/close",
            "incident",
            "Closes an incident; refused while a step is missing.",
            &[INCIDENT, BY],
        )
    },
    order(
        "/shutdown",
        "shutdown",
        "Stops the director in order, as SIGTERM does.",
        &[],
    ),
];

/// Every call there is, with those that work something out and those of agents at work.
pub fn all() -> impl Iterator<Item = &'static Route> {
    TABLE.iter().chain(ASIDE).chain(ASSIGNED)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::control::protocol::{ASKS, ORDERS, Op};

    fn sample(kind: Kind) -> Value {
        match kind {
            Kind::Name => json!("a"),
            Kind::Text(_) => json!("text"),
            Kind::Whole(least, _) => json!(least),
            Kind::Share => json!(0.5),
            Kind::Flag => json!(true),
            Kind::Word(words) => json!(words[0]),
            Kind::Texts | Kind::Criteria => json!([]),
        }
    }

    #[test]
    fn every_row_is_understood_by_the_socket_with_all_its_parameters_and_without_the_optional() {
        for route in TABLE {
            let Does::Op(op) = route.does else { continue };
            for all in [true, false] {
                let params = route.params.iter().filter(|param| all || param.required);
                let args = params.map(|param| (param.name.to_owned(), sample(param.kind)));
                let args = (route.shape)(args.collect());
                let read = Op::named(op, Value::Object(args));
                assert!(read.is_ok(), "{}: {read:?}", route.path);
            }
        }
    }

    #[test]
    fn whatever_the_socket_can_do_is_in_the_table() {
        let rows: BTreeSet<&str> = all()
            .map(|route| match route.does {
                Does::Op(op) => op,
                Does::Submit => "submit",
                Does::Replan => "apply",
                Does::Difference => "replan",
                Does::Send => "send",
                Does::Deliver => "delivered",
                Does::Record => "forecast",
                _ => route.name,
            })
            .collect();
        let known = ASKS
            .iter()
            .chain(&ORDERS)
            .chain(&["tree", "shutdown", "events"]);
        let missing: Vec<_> = known.filter(|op| !rows.contains(**op)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let names: BTreeSet<_> = all().map(|route| route.name).collect();
        assert_eq!(names.len(), all().count(), "each has a name of its own");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let find = |path: &str| {
            TABLE
                .iter()
                .find(|route| route.path == path)
                .expect("a row")
        };
        let text = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(a, b)| ((*a).into(), (*b).into()))
                .collect()
        };
        for (path, place, query, body, part) in [
            (
                "/tasks",
                &[][..],
                &[("limit", "0")][..],
                json!({}),
                "`limit` has to be a whole number from 1",
            ),
            ("/tasks", &[], &[("limit", "x")], json!({}), "`limit`"),
            (
                "/tasks",
                &[],
                &[("limitt", "1")],
                json!({}),
                "there is no parameter `limitt`; there are `sprint`",
            ),
            (
                "/tasks",
                &[],
                &[("skip", "1"), ("skip", "2")],
                json!({}),
                "given twice",
            ),
            ("/replay", &[], &[], json!({}), "`until` is missing"),
            (
                "/tasks/{task}/why",
                &[("task", "../etc")],
                &[],
                json!({}),
                "`task` has to be a name",
            ),
            (
                "/inbox/{item}/answer",
                &[("item", "0")],
                &[],
                json!({"text": "x"}),
                "`item`",
            ),
            (
                "/inbox/{item}/answer",
                &[("item", "1")],
                &[],
                json!({}),
                "`text` is missing",
            ),
            (
                "/inbox/{item}/answer",
                &[("item", "1")],
                &[],
                json!({"text": null}),
                "`text`",
            ),
            (
                "/inbox/{item}/answer",
                &[("item", "1")],
                &[],
                json!({"text": "a", "reply": "reject"}),
                "`reply`",
            ),
        ] {
            let Value::Object(body) = body else {
                unreachable!("an object")
            };
            let said = find(path).arguments(&text(place), &text(query), body);
            let problem = said.expect_err(path);
            assert!(problem.detail.contains(part), "{path}: {}", problem.detail);
        }
    }
}
