//! Calls of an agent at work: it reports on its own task, with the token of its assignment, and can do nothing else.
//!
//! Elsewhere: what becomes of it is [`crate::control::assigned`]; the table of everybody else's calls is [`super::table`].

use serde_json::{Map, Value, json};

use super::route::{Does, Kind, Param, Place, Route};
use crate::control::assigned::{Assigned, Token};
use crate::control::protocol::{Fault, FaultKind, Op};

/// Reports at once, and a second after that: agents do not use up what people have.
pub const REPORTS: (u32, u32) = (200, 50);

const TASK: Param = Param {
    name: "task",
    place: Place::Path,
    kind: Kind::Name,
    required: true,
    about: "The task of the assignment.",
};

const fn field(name: &'static str, kind: Kind, required: bool, about: &'static str) -> Param {
    Param {
        name,
        place: Place::Body,
        kind,
        required,
        about,
    }
}

const fn says(
    path: &'static str,
    name: &'static str,
    about: &'static str,
    params: &'static [Param],
) -> Route {
    Route {
        changes: true,
        path,
        does: Does::Assigned,
        name,
        about,
        params,
        shape: |args| args,
    }
}

/// Every one of them.
pub const ASSIGNED: &[Route] = &[
    says(
        "/tasks/{task}/assignment",
        "assignment",
        "What the task in hand is: its description and criteria, what the tasks before it handed on, earlier attempts.",
        &[TASK],
    ),
    says(
        "/tasks/{task}/progress",
        "progress",
        "Says how far the task in hand is.",
        &[
            TASK,
            field("percent", Kind::Whole(0, 100), true, "0 to 100."),
            field("text", Kind::Text(0), false, "What is being done."),
        ],
    ),
    says(
        "/tasks/{task}/blocker",
        "blocker",
        "Says what holds the task in hand up; it is dealt with once the agent has ended its work.",
        &[
            TASK,
            field(
                "kind",
                Kind::Text(1),
                true,
                "What sort, such as missing_credentials or design_issue.",
            ),
            field(
                "severity",
                Kind::Word(&["low", "medium", "high", "critical"]),
                true,
                "low: guidance would help; medium: somebody else has to help; high: architecture or a person has to decide; \
                 critical: all other work has to stop.",
            ),
            field("text", Kind::Text(1), true, "What is the matter."),
        ],
    ),
    says(
        "/tasks/{task}/hand-off",
        "hand_off",
        "Hands the work on: what was done, for whoever comes next. It counts once the agent has ended its work and the gates have passed it.",
        &[
            TASK,
            field(
                "summary",
                Kind::Text(1),
                true,
                "What was done, in a few sentences.",
            ),
            field(
                "artifacts",
                Kind::Texts,
                false,
                "Paths of files that matter.",
            ),
            field(
                "acceptance",
                Kind::Criteria,
                false,
                "Each acceptance criterion of the task, whether it is met, and what shows it.",
            ),
            field(
                "findings",
                Kind::Texts,
                false,
                "Where the task is to judge another's work: what has to be changed; an empty list accepts it, and without the list nothing is judged.",
            ),
            field(
                "feedback",
                Kind::Text(0),
                false,
                "What the team should know.",
            ),
        ],
    ),
    says(
        "/tasks/{task}/ask",
        "ask",
        "Asks a question about the task in hand and waits a while for the answer; asked again in the same words, it goes on waiting.",
        &[
            TASK,
            field(
                "question",
                Kind::Text(1),
                true,
                "The question, with what is needed to understand it.",
            ),
            field(
                "of",
                Kind::Name,
                false,
                "A task of the sprint, such as one that this one received something from: whoever did it, has it or will take it up is asked. Without, whoever leads, or a person. A question that would make you wait for yourself is refused with the circle.",
            ),
            field(
                "wait",
                Kind::Whole(0, 50),
                false,
                "How many seconds the answer is waited for; 20 without.",
            ),
        ],
    ),
];

/// Whether an agent's token is good for a path.
pub fn may(path: &str) -> bool {
    path == super::mcp::PATH
        || ASSIGNED.iter().any(|route| {
            let full = route.full();
            let Some((before, after)) = full.split_once("{task}") else {
                return false;
            };
            let middle = path
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            middle.is_some_and(|name| !name.is_empty() && !name.contains('/'))
        })
}

/// What is asked of the director.
///
/// # Errors
/// That the arguments make no sense together.
pub fn op(route: &Route, token: String, mut args: Map<String, Value>) -> Result<Op, Fault> {
    let task = match args.remove("task") {
        Some(Value::String(task)) => Some(task),
        _ => None,
    };
    args.remove("by");
    let said = serde_json::from_value(json!({ route.name: args }))
        .map_err(|error| Fault::new(FaultKind::BadRequest, format!("`{}`: {error}", route.name)))?;
    Ok(Op::Assigned(Box::new(Assigned {
        token: Token(token),
        task,
        said,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_token_opens_what_is_an_agents_and_nothing_else() {
        for (path, opens) in [
            ("/mcp", true),
            ("/api/v1/tasks/build/progress", true),
            ("/api/v1/tasks/build/hand-off", true),
            ("/api/v1/tasks/build/assignment", true),
            ("/api/v1/tasks/build/retry", false),
            ("/api/v1/tasks//progress", false),
            ("/api/v1/tasks/a/b/progress", false),
            ("/api/v1/tasks/progress", false),
            ("/api/v1/status", false),
            ("/api/v1/sprints", false),
            ("/mcp/", false),
            ("/", false),
        ] {
            assert_eq!(may(path), opens, "{path}");
        }
    }

    #[test]
    fn every_call_is_understood_with_all_its_parameters_and_without_the_optional() {
        for route in ASSIGNED {
            for all in [true, false] {
                let params = route.params.iter().filter(|param| all || param.required);
                let sample = |kind: Kind| match kind {
                    Kind::Name => json!("a"),
                    Kind::Text(_) => json!("text"),
                    Kind::Whole(least, _) => json!(least),
                    Kind::Share => json!(0.5),
                    Kind::Flag => json!(true),
                    Kind::Word(words) => json!(words[0]),
                    Kind::Texts => json!(["a", "b"]),
                    Kind::Criteria => json!([{ "criterion": "a", "met": true, "evidence": "b" }]),
                };
                let args: Map<String, Value> = params
                    .map(|param| (param.name.to_owned(), sample(param.kind)))
                    .collect();
                for (name, value) in &args {
                    let param = route.params.iter().find(|param| param.name == name);
                    param.expect("a row").check(value).expect("it fits");
                }
                let read = op(route, "t".to_owned(), args);
                assert!(read.is_ok(), "{}: {read:?}", route.path);
            }
        }
    }
}
