//! Calls that work something out and change nothing: plans, forecasts, an epic's plan, a backlog as a sprint file; and what lies beside
//! the journal: worktrees, schemas.
//!
//! Those that take a body are a POST all the same, with the token: they read role files, and take the processor's time.
//!
//! Elsewhere: every other call is a row of [`super::table`]; carrying these out for tools is `mcp::call`.

use director_agents::roles;
use director_protocols::manifest::{self, Options, Purpose, epic as epic_file};
use serde_json::{Map, Value, json};

use super::route::{Does, Kind, Param, Route};
use super::table::{ask, field, order, path, query};
use crate::control::desk::{self, Desk, blocking};
use crate::control::facts::SprintFacts;
use crate::control::protocol::{Answer, Ask, Fault, FaultKind};
use crate::control::simulation::asked::{self, Asked, RUNS_MAX};
use crate::control::submission::File;
use crate::control::work;
use crate::import::{self, Done, Source};
use crate::planner::epic;
use crate::simulate::faults::PROFILES;

const RUNS: Kind = Kind::Whole(1, RUNS_MAX);
const ABOUT_RUNS: &str = "How many runs, or 10000; fewer when they take longer than 30 s.";
const ABOUT_SEED: &str = "Fixes every figure; 1 without.";
const ABOUT_FAULTS: &str = "What goes wrong, and how often; calm without.";
const ABOUT_WHAT_IF: &str = "Changes to compare with on the same luck, each KEY=VALUE, such as team.test-engineer.count=2 or faults=rough; \
    or `auto` alone, which ranks what buys most.";
const ABOUT_PRECISION: &str =
    "Stop earlier, once the end is known this well, such as 0.01 for one part in a hundred.";
const ABOUT_FORMAT: &str = "How its text is written, for who asks for text.";
const SEED: Kind = Kind::Whole(0, u64::MAX >> 11);
const FAULTS: Kind = Kind::Word(&PROFILES);
const FORMAT: Kind = Kind::Word(&["terminal", "svg", "html"]);
const OF_SPRINT: Param = field(
    "sprint",
    Kind::Name,
    false,
    "Which sprint; the newest that is not over without.",
);

/// Every one of them.
pub const ASIDE: &[Route] = &[
    Route {
        does: Does::Plan,
        name: "plan",
        ..order(
            "/plan",
            "plan",
            "Plans a sprint file without running anything: who does what when, the critical path, risks, open questions.",
            &[
                query(
                    "calibrate",
                    Kind::Flag,
                    "Correct estimates by how each kind of task came out in past sprints.",
                ),
                query(
                    "format",
                    Kind::Word(&["markdown", "dot", "mermaid", "svg"]),
                    "How its text is written, for who asks for text.",
                ),
            ],
        )
    },
    Route {
        does: Does::Simulate,
        ..order(
            "/simulate",
            "simulate",
            "When the sprint of a file will be done, with probabilities: many whole runs on virtual time.",
            &[
                query("runs", RUNS, ABOUT_RUNS),
                query("seed", SEED, ABOUT_SEED),
                query("faults", FAULTS, ABOUT_FAULTS),
                query("what_if", Kind::Texts, ABOUT_WHAT_IF),
                query("precision", Kind::Share, ABOUT_PRECISION),
                query("format", FORMAT, ABOUT_FORMAT),
            ],
        )
    },
    Route {
        does: Does::Forecast,
        name: "look_ahead",
        ..order(
            "/forecast",
            "forecast",
            "When a sprint under way will be done, with probabilities, from where it stands and with models of its own past.",
            &[
                OF_SPRINT,
                field(
                    "at",
                    Kind::Whole(1, u64::MAX >> 1),
                    false,
                    "Look ahead from a past record of the journal instead of from now.",
                ),
                field("runs", RUNS, false, ABOUT_RUNS),
                field("seed", SEED, false, ABOUT_SEED),
                field("faults", FAULTS, false, ABOUT_FAULTS),
                field("what_if", Kind::Texts, false, ABOUT_WHAT_IF),
                field("precision", Kind::Share, false, ABOUT_PRECISION),
                field("format", FORMAT, false, ABOUT_FORMAT),
            ],
        )
    },
    Route {
        does: Does::Record,
        ..order(
            "/forecast/record",
            "forecast",
            "The same, kept in the journal: the retrospective holds it against what came.",
            &[
                OF_SPRINT,
                field("runs", RUNS, false, ABOUT_RUNS),
                field("seed", SEED, false, ABOUT_SEED),
                field("faults", FAULTS, false, ABOUT_FAULTS),
                field("precision", Kind::Share, false, ABOUT_PRECISION),
                field("by", Kind::Text(0), false, "Who asks, for the journal."),
            ],
        )
    },
    Route {
        does: Does::Epic,
        ..order(
            "/epic",
            "epic",
            "Plans an epic file by rule: architecture, features, tasks, sprints and risks.",
            &[],
        )
    },
    Route {
        does: Does::Import,
        ..order(
            "/import/{source}",
            "import",
            "Makes a sprint file of a backlog of another tool, which is the body.",
            &[
                path(
                    "source",
                    Kind::Word(&["github", "jira", "linear", "taskmaster", "beads"]),
                    "Where it comes from.",
                ),
                query(
                    "sprint",
                    Kind::Name,
                    "The id of the sprint; the source's name without.",
                ),
                query(
                    "done",
                    Kind::Word(&["skip", "mark", "open"]),
                    "What becomes of issues that are done: left out, a task with `done = true`, or a task like any other.",
                ),
                query("tag", Kind::Texts, "Only these tags of Task Master."),
            ],
        )
    },
    Route {
        does: Does::Worktrees,
        ..ask(
            "/worktrees",
            "worktrees",
            "The worktrees in use, by feature.",
            &[query(
                "sprint",
                Kind::Name,
                "Which sprint; the current one without.",
            )],
        )
    },
    Route {
        does: Does::Schema,
        ..ask(
            "/schema",
            "schema",
            "The JSON Schema of the sprint file, or of another form.",
            &[query(
                "of",
                Kind::Word(&["sprint", "epic", "epic-plan"]),
                "Of what.",
            )],
        )
    },
];

fn text<'a>(args: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    args.get(name).and_then(Value::as_str)
}

/// What came in a body.
pub enum Body {
    /// Nothing but fields, which are among the arguments.
    Fields,
    /// A file.
    File(File),
    /// Something of another tool.
    Bytes(Vec<u8>),
}

/// Works one of them out.
///
/// # Errors
/// What about it makes no sense.
pub async fn work_out(
    desk: &impl Desk,
    does: Does,
    args: Map<String, Value>,
    body: Body,
) -> Result<Answer, Fault> {
    match (does, body) {
        (Does::Plan, Body::File(file)) => {
            let calibrate = args.get("calibrate").and_then(Value::as_bool);
            let format = text(&args, "format").unwrap_or_default();
            desk::plan(desk, file, calibrate.unwrap_or(false), format).await
        }
        (Does::Difference, Body::File(file)) => desk::difference(desk, file).await,
        (Does::Simulate, Body::File(file)) => asked::of_file(desk, file, Asked::of(args)?).await,
        (Does::Forecast, _) => asked::of_rest(desk, Asked::of(args)?).await,
        (Does::Epic, Body::File(file)) => epic(desk, file).await,
        (Does::Import, Body::Bytes(bytes)) => blocking(move || imported(&args, bytes)).await?,
        _ => Err(Fault::new(FaultKind::BadRequest, "this takes another body")),
    }
}

/// Looks one of them up.
///
/// # Errors
/// That there is no such thing.
pub async fn look_up(
    desk: &impl Desk,
    does: Does,
    args: &Map<String, Value>,
) -> Result<Answer, Fault> {
    if does == Does::Schema {
        let schema = match text(args, "of") {
            Some("epic") => manifest::epic::epic_schema(),
            Some("epic-plan") => manifest::epic::proposal_schema(),
            _ => manifest::schema(),
        };
        return Ok(Answer {
            json: serde_json::from_str(&schema).unwrap_or_default(),
            text: schema,
            ..Answer::default()
        });
    }
    let ask = Ask::Sprint {
        sprint: text(args, "sprint").map(str::to_owned),
        fingerprint: false,
    };
    let facts: SprintFacts = desk::facts(desk, ask).await?;
    let found = blocking(move || work::worktrees(&facts)).await?;
    let (text, json) = found.map_err(|error| Fault::not_found(error.to_string()))?;
    Ok(Answer {
        text,
        json,
        ..Answer::default()
    })
}

async fn epic(desk: &impl Desk, file: File) -> Result<Answer, Fault> {
    let kinds = desk.place().kinds.clone();
    let bad = |why: String| Fault::new(FaultKind::BadSprint, why);
    let planned = blocking(move || {
        let known_agents: Vec<&str> = kinds.iter().map(String::as_str).collect();
        let options = Options {
            known_agents: &known_agents,
            dir: Some(&file.dir),
            purpose: Purpose::Plan,
            role_files: Some(roles::find),
        };
        let (spec, _) = epic_file::parse(&file.text, &file.origin, file.format, &options)
            .map_err(|error| error.to_string())?;
        let plan = epic::by_rule(&spec).map_err(|error| error.to_string())?;
        Ok((plan.markdown(&spec), plan.json(&spec)))
    });
    let (text, json) = planned.await?.map_err(bad)?;
    Ok(Answer {
        text,
        json,
        ..Answer::default()
    })
}

fn imported(args: &Map<String, Value>, bytes: Vec<u8>) -> Result<Answer, Fault> {
    let source = text(args, "source").and_then(Source::named);
    let source = source.ok_or_else(|| {
        let known = Source::ALL.map(Source::as_str).join(", ");
        let why = format!("`source` has to be one of {known}");
        Fault::new(FaultKind::BadRequest, why)
    })?;
    let tags = args.get("tag").and_then(Value::as_array);
    let options = import::Options {
        sprint: text(args, "sprint").map(str::to_owned),
        done: match text(args, "done") {
            Some("mark") => Done::Mark,
            Some("open") => Done::Open,
            _ => Done::Skip,
        },
        tags: tags
            .into_iter()
            .flatten()
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect(),
    };
    let (backlog, _) = import::decode(bytes);
    let imported = import::import(source, &backlog, None, &options)
        .map_err(|error| Fault::new(FaultKind::BadSprint, error.to_string()))?;
    Ok(Answer {
        json: json!({ "file": imported.text, "summary": imported.summary.to_string() }),
        text: imported.text,
        ..Answer::default()
    })
}
