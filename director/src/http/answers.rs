//! What each call answers, as JSON Schema: derived from the views that are written out, for the OpenAPI document and for tools.
//!
//! What no view stands for, because it is put together by hand or comes from a file, is written down here beside its call. Readers have to
//! bear fields that come later, so no schema is closed; the tests of the API take them as closed, so that none is left out.
//!
//! Elsewhere: the calls are [`super::table`] and [`super::aside`]; the document is [`super::openapi`].

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::route::{Does, Route};
use crate::control::audit;
use crate::control::facts::{SprintFacts, TaskFacts};
use crate::report::calibration::Calibration;
use crate::report::plan::Document;
use crate::report::retro::{NextSprint, RetroView};
use crate::report::sprint::ReportView;
use crate::report::standup::StandupView;
use crate::view::agents::AgentsView;
use crate::view::board::{SprintsView, TasksView};
use crate::view::difference::DifferenceView;
use crate::view::graph::GraphView;
use crate::view::inbox::InboxView;
use crate::view::incident::IncidentsView;
use crate::view::live::LiveView;
use crate::view::status::StatusView;
use crate::view::tree::Node;
use crate::view::why::WhyView;

/// Schemas that share their definitions.
pub struct Answers(SchemaGenerator);

impl Answers {
    /// Definitions lie at `place`, a JSON pointer.
    pub fn at(place: &'static str) -> Self {
        let settings = SchemaSettings::draft2020_12()
            .for_serialize()
            .with(|settings| {
                settings.definitions_path = place.into();
                settings.meta_schema = None;
            });
        Self(settings.into_generator())
    }

    /// What a call answers with JSON; none where it answers with text, a stream, or whatever was asked for.
    pub fn of(&mut self, route: &Route) -> Option<Value> {
        let schema = match (route.does, route.name) {
            (Does::Logs | Does::Diff | Does::Events, _) => return None,
            (_, "status") => self.view::<StatusView>(),
            (_, "sprints") => self.view::<SprintsView>(),
            (_, "sprint") => self.view::<SprintFacts>(),
            (_, "tasks") => self.view::<TasksView>(),
            (_, "graph") => self.view::<GraphView>(),
            (_, "task") => self.view::<TaskFacts>(),
            (_, "why") => self.view::<WhyView>(),
            (_, "agents") => self.view::<AgentsView>(),
            (_, "tree") => self.view::<Node>(),
            (_, "inbox") => self.view::<InboxView>(),
            (_, "incidents" | "incident_of") => self.view::<IncidentsView>(),
            (_, "report") => self.view::<ReportView>(),
            (_, "standup") => self.view::<StandupView>(),
            (_, "retro") => self.view::<RetroView>(),
            (_, "next") => self.view::<NextSprint>(),
            (_, "calibration") => self.view::<Calibration>(),
            (_, "live") => self.view::<LiveView>(),
            (_, "difference") => self.view::<DifferenceView>(),
            (_, "plan") => self.view::<PlanAnswer<'_>>(),
            (_, "replay") => {
                let status = self.view::<StatusView>();
                object(json!({
                    "seq": whole(), "at": text(), "state_hash": text(), "status": status,
                }))
            }
            (Does::Audit, _) => {
                let line = self.view::<audit::Line>();
                object(json!({ "orders": list(line) }))
            }
            (_, "page") => page(),
            (_, "records") => records(),
            (Does::Simulate | Does::Forecast, _) => forecast(),
            (Does::Record, _) => {
                let mut schema = done();
                schema["properties"]["forecast"] = forecast();
                schema
            }
            (Does::Epic, _) => epic(),
            (Does::Import, _) => object(json!({ "file": text(), "summary": text() })),
            (Does::Worktrees, _) => worktrees(),
            // A schema is an object, or what is needed of one.
            (Does::Schema, _) => json!({ "type": "object" }),
            (Does::Assigned, "assignment") => assignment(),
            (Does::Assigned, "ask") => maybe(
                object(json!({ "question": whole(), "answered": { "type": "boolean" } })),
                json!({ "by": text(), "answer": text() }),
            ),
            (Does::Assigned, _) => object(
                json!({ "task": text(), "attempt": whole(), "text": text(), "news": list(text()) }),
            ),
            _ => done(),
        };
        Some(level(schema))
    }

    fn view<T: JsonSchema>(&mut self) -> Value {
        self.0.subschema_for::<T>().to_value()
    }

    /// What the schemas refer to, by name.
    pub fn definitions(mut self) -> Map<String, Value> {
        let definitions = self.0.take_definitions(true).into_iter();
        definitions
            .map(|(name, schema)| (name, level(schema)))
            .collect()
    }
}

/// A schema whose lists are of one sort each: tools that read OpenAPI stumble over `prefixItems`.
fn level(schema: Value) -> Value {
    match schema {
        Value::Object(mut fields) => {
            if let Some(Value::Array(mut sorts)) = fields.remove("prefixItems") {
                sorts.dedup();
                let items = match sorts.len() {
                    1 => sorts.remove(0),
                    _ => json!({ "anyOf": sorts }),
                };
                fields.insert("items".to_owned(), items);
            }
            let levelled = fields.into_iter();
            Value::Object(levelled.map(|(name, value)| (name, level(value))).collect())
        }
        Value::Array(all) => all.into_iter().map(level).collect(),
        other => other,
    }
}

/// A plan as it is answered.
#[derive(JsonSchema)]
struct PlanAnswer<'a> {
    #[serde(flatten)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    plan: Document<'a>,
    /// What was guessed, a sentence each.
    #[expect(dead_code, reason = "only its schema is wanted")]
    guesses: Vec<String>,
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn number() -> Value {
    json!({ "type": "number" })
}

fn number_or_null() -> Value {
    json!({ "type": ["number", "null"] })
}

fn text_or_null() -> Value {
    json!({ "type": ["string", "null"] })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// A map by names.
fn each(values: Value) -> Value {
    json!({ "type": "object", "additionalProperties": values })
}

/// An object with all of these.
fn object(properties: Value) -> Value {
    let names: Vec<String> = properties
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys().cloned())
        .collect();
    json!({ "type": "object", "properties": properties, "required": names })
}

/// The same, with what is there sometimes.
fn maybe(mut schema: Value, more: Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        schema["properties"][name] = value.clone();
    }
    schema
}

/// What an order answers.
fn done() -> Value {
    let described = |mut schema: Value, about: &str| {
        schema["description"] = json!(about);
        schema
    };
    maybe(
        object(json!({
            "seq": described(whole(), "The position in the journal that it led to."),
            "text": described(text(), "What was done, in words."),
        })),
        json!({
            "sprint": text(),
            "notes": described(list(text()), "What the sender should know."),
            "base": described(text(), "The branch that was moved."),
            "commit": described(text(), "The commit that it has."),
        }),
    )
}

fn page() -> Value {
    let event = json!({
        "type": "object",
        "properties": {
            "seq": whole(), "n": whole(), "at": text(), "event": text(), "sprint": text_or_null(),
        },
        "required": ["seq", "n", "at", "event", "sprint"],
        "description": "The event with its own fields.",
        "additionalProperties": true,
    });
    let line = object(json!({ "seq": whole(), "text": text(), "json": event }));
    object(json!({ "reached": whole(), "lines": list(line) }))
}

fn records() -> Value {
    let record =
        object(json!({ "seq": whole(), "epoch": whole(), "at": whole(), "events": text() }));
    object(json!({ "records": list(record) }))
}

fn worktrees() -> Value {
    let tree = object(json!({
        "feature": text_or_null(), "path": text(), "branch": text_or_null(), "head": text_or_null(),
        "present": { "type": "boolean" },
    }));
    object(json!({ "sprint": text(), "worktrees": list(tree) }))
}

/// As the hand-off file has it.
fn assignment() -> Value {
    json!({
        "type": "object",
        "properties": { "title": text(), "description": text(), "acceptance": list(text()) },
        "description": "What `DIRECTOR_HANDOFF` holds.",
        "additionalProperties": true,
    })
}

/// A distribution; all null where nothing was ever done.
fn spread() -> Value {
    let pair = json!({ "type": ["array", "null"], "items": number() });
    let values = json!({
        "mean": number_or_null(), "p50": number_or_null(), "p85": number_or_null(), "p95": number_or_null(),
        "min": number_or_null(), "max": number_or_null(),
    });
    let intervals = json!({ "mean": pair, "p50": pair, "p85": pair, "p95": pair });
    let more = json!({ "deviation": number(), "interval_95": object(intervals) });
    maybe(object(values), more)
}

fn forecast() -> Value {
    let interval = json!({ "type": ["array", "null"], "items": number() });
    let difference = object(json!({
        "mean": number_or_null(), "interval_95": interval, "p50": number(), "p85": number(), "p95": number(),
    }));
    let in_time = json!({
        "type": ["object", "null"],
        "properties": { "mean": number_or_null(), "interval_95": interval },
        "required": ["mean", "interval_95"],
    });
    let variant = maybe(
        object(json!({
            "change": text(), "runs": whole(), "finish_hours": spread(), "done_probability": number(),
            "on_time_probability": number_or_null(), "difference_hours": difference, "sooner_probability": number(),
            "on_time_difference": in_time, "short_probability": number(),
        })),
        json!({ "cost_usd": spread() }),
    );
    let task = object(json!({
        "id": text(), "criticality": number(), "cruciality": number(), "cycle_hours": number_or_null(),
        "waiting_hours": number_or_null(), "attempts": number(), "done_probability": number(),
    }));
    let rate = object(json!({
        "name": text(), "value": number(), "prior": number(), "seen": whole(), "cases": whole(),
    }));
    let from = object(json!({
        "seq": whole(), "at": text(), "director_at_work": { "type": "boolean" },
        "tasks": object(json!({
            "all": whole(), "done": whole(), "in_hand": whole(), "blocked": whole(), "lost": whole(),
        })),
        "models": object(json!({
            "durations": { "enum": ["fitted", "published"] }, "finished_tasks": whole(), "pace": number(), "rates": list(rate),
        })),
    }));
    let budgets = object(json!({
        "short_probability": number(), "short_interval": list(number()), "asked_hours": spread(), "undone_tasks": spread(),
        "undone_probability": each(number()), "done_probability": number(), "on_time_probability": number_or_null(),
    }));
    let bar = object(json!({ "from_hours": number(), "runs": whole() }));
    maybe(
        object(json!({
            "sprint": text(), "runs": whole(), "seed": whole(), "faults": text(),
            "finish_hours": spread(), "finish_histogram": list(bar), "deadline_hours": number_or_null(),
            "on_time_probability": number_or_null(), "on_time_interval": interval, "done_probability": number(),
            "agent_hours": spread(), "points": spread(), "committed_points": whole(), "tasks": list(task),
            "utilization": each(number()), "waiting_hours": each(number()), "failures": each(number()),
            "escalations": each(number()), "notes": list(text()),
        })),
        json!({
            "cost_usd": spread(), "budgets": budgets, "what_if": list(variant), "from": from,
            "again": object(json!({ "took_hours": number(), "outcome": text() })),
        }),
    )
}

fn epic() -> Value {
    let task = object(json!({
        "id": text(), "title": text(), "kind": text_or_null(), "role": text(), "feature": text(), "points": whole(),
        "hours": number(), "depends_on": list(text()),
    }));
    let sprint = object(json!({
        "sprint": text(), "start": text_or_null(), "end": text_or_null(), "features": list(text()), "tasks": list(task),
        "points": whole(), "makespan_hours": number(), "critical_path": list(text()),
    }));
    let risk = object(json!({
        "risk": text(), "trigger": text(), "mitigation": text(), "fallback": text(),
    }));
    object(json!({
        "epic_id": text(), "title": text(),
        "architecture_plan": object(json!({
            "summary": text(), "decisions": list(text()), "interfaces": list(text()),
        })),
        "sprint_breakdown": list(sprint),
        "risk_mitigation": list(risk),
        "estimated_duration": object(json!({
            "sprints": whole(), "working_days": whole(), "effort_hours": number(), "start": text_or_null(), "end": text_or_null(),
        })),
        "oversized": list(text()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::table;

    #[test]
    fn every_name_means_one_thing_and_every_answer_is_an_object() {
        let mut answers = Answers::at("/components/schemas");
        for route in table::all() {
            let Some(schema) = answers.of(route) else {
                continue;
            };
            let named = schema["$ref"].as_str();
            assert!(
                named.is_some() || schema["type"] == "object",
                "{}: {schema}",
                route.name
            );
        }
        let names: Vec<String> = answers.definitions().keys().cloned().collect();
        assert!(names.len() > 40, "{names:?}");
        // Two types of one name get numbers.
        let twice: Vec<_> = names
            .iter()
            .filter(|name| name.ends_with(|c: char| c.is_ascii_digit()))
            .collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}
