//! An event's own fields as programs get them: names for numbers, units in the key or in seconds.
//!
//! The fields come as JSON with raw numbers; each key says what its number stands for. A key has one meaning
//! in all events, except `from` and `to`, which the kind of event decides.
//!
//! Invariant: no place in a table leaves; what has no name (blocker, inbox item, message) leaves as the number that
//! people see, which counts from 1.

use director_protocols::event::Event;
use director_protocols::ids::{AgentId, SprintId, TaskId};
use director_protocols::time::{Span, Time};
use serde_json::{Map, Value, json};

use super::{hours, rfc3339, round, seconds};
use crate::engine::state::State;

/// What `from` and `to` are.
#[derive(Clone, Copy)]
enum Ends {
    Tasks,
    Agents,
    Words,
}

/// The event's fields, ready for a program.
pub(super) fn fields(event: &Event, state: &State) -> Map<String, Value> {
    let ends = match event {
        Event::HandoffSent(_) | Event::HandoffAccepted(_) => Ends::Tasks,
        Event::TaskReassigned(_)
        | Event::MessageSent(_)
        | Event::QuestionAsked(_)
        | Event::QuestionDirected(_)
        | Event::AdviserAsked(_)
        | Event::AgentTold(_)
        | Event::ManagerAsked(_)
        | Event::ProductAsked(_) => Ends::Agents,
        _ => Ends::Words,
    };
    let mut fields = match event.fields() {
        Value::Object(fields) => flat(fields)
            .into_iter()
            .map(|(key, value)| {
                let value = translated(&key, value, ends, state);
                // Every line has an `at` of its own.
                let key = match key.as_str() {
                    "at" => "retry_at".to_owned(),
                    _ => key,
                };
                (key, value)
            })
            .collect(),
        _ => Map::new(),
    };
    // What an outside party sent stands beside the event's own fields, as it was sent.
    if let Some((_, _, said)) = event.outside()
        && let Ok(Value::Object(sent)) = serde_json::from_str(said)
    {
        fields.remove("said");
        for (key, value) in sent {
            fields.entry(key).or_insert(value);
        }
    }
    fields
}

/// What is in a package stands beside the event's own fields.
fn flat(mut fields: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(package)) = fields.remove("package") {
        fields.extend(package);
    }
    fields
}

fn translated(key: &str, value: Value, ends: Ends, state: &State) -> Value {
    let number = value.as_u64();
    match (key, value) {
        (
            "task_id"
            | "dependencies"
            | "batch"
            | "help"
            | "order"
            | "stays"
            | "resumed"
            | "completed_yesterday"
            | "planned_today"
            | "key_achievements"
            | "next"
            | "on"
            | "with"
            | "merged",
            value,
        ) => names(value, &|n| task(state, n)),
        ("agent_id" | "response_team", value) => names(value, &|n| agent(state, n)),
        ("sprint_id", value) => names(value, &|n| sprint(state, n)),
        ("from" | "to", value) => match ends {
            Ends::Tasks => names(value, &|n| task(state, n)),
            Ends::Agents => names(value, &|n| agent(state, n)),
            Ends::Words => value,
        },
        ("effect", Value::Object(effect)) => match (effect.get("seq"), effect.get("n")) {
            (Some(seq), Some(n)) => Value::String(format!("{seq}.{n}")),
            _ => Value::Object(effect),
        },
        ("blocker" | "item" | "message" | "incident" | "handoff" | "deployment", value) => {
            match number {
                Some(n) => json!(n + 1),
                None => value,
            }
        }
        // Efforts, which people think of in hours.
        (
            "estimated_hours" | "hours_spent" | "free_hours" | "day" | "capacity" | "optimistic"
            | "likely" | "pessimistic" | "p50" | "p85" | "p95",
            value,
        ) => match number {
            Some(n) => json!(hours(Span(n))),
            None => value,
        },
        (
            "estimated_duration" | "planned" | "before" | "after" | "took" | "delay" | "resolution"
            | "within" | "backoff_min" | "backoff_max" | "time" | "timeout" | "retry_min"
            | "retry_max" | "progress" | "every" | "lasting" | "attempt_time" | "silent_after"
            | "wedged_after" | "look_ahead",
            value,
        ) => match number {
            Some(n) => json!(seconds(Span(n))),
            None => value,
        },
        ("tier_time", Value::Array(times)) => times
            .iter()
            .map(|time| json!(time.as_u64().map(|n| seconds(Span(n)))))
            .collect(),
        ("at" | "again" | "until" | "deadline" | "estimated_resolution" | "since", value) => {
            match number {
                Some(n) => json!(rfc3339(Time(n))),
                None => value,
            }
        }
        ("test_coverage" | "measured" | "least", value) => match number {
            Some(n) => json!(round(n as f64 / 100.0)),
            None => value,
        },
        (
            "sprint_progress"
            | "load"
            | "from_load"
            | "to_load"
            | "trend"
            | "code_review_completion"
            | "documentation_status"
            | "done_probability"
            | "short_probability",
            value,
        ) => match number {
            Some(n) => json!(thousandths(n)),
            None => value,
        },
        ("score", Value::Object(score)) => score
            .into_iter()
            .map(|(part, value)| match value.as_u64() {
                Some(n) if part != "candidates" && part != "files" => (part, json!(thousandths(n))),
                _ => (part, value),
            })
            .collect(),
        (_, value) => deeper(value, ends, state),
    }
}

fn thousandths(n: u64) -> f64 {
    round(n as f64 / 1000.0)
}

fn deeper(value: Value, ends: Ends, state: &State) -> Value {
    match value {
        Value::Object(inner) => inner
            .into_iter()
            .map(|(key, value)| {
                let value = translated(&key, value, ends, state);
                (key, value)
            })
            .collect(),
        Value::Array(list) => list
            .into_iter()
            .map(|value| deeper(value, ends, state))
            .collect(),
        plain => plain,
    }
}

fn names(value: Value, name: &dyn Fn(u32) -> String) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(|value| names(value, name)).collect(),
        value => match value.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(n) => Value::String(name(n)),
            None => value,
        },
    }
}

fn task(state: &State, n: u32) -> String {
    state.task_name(TaskId(n))
}

fn agent(state: &State, n: u32) -> String {
    state.agent_name(AgentId(n))
}

fn sprint(state: &State, n: u32) -> String {
    sprint_name(state, SprintId(n))
}

/// The sprint's name.
pub(super) fn sprint_name(state: &State, id: SprintId) -> String {
    state
        .sprints
        .get(id)
        .map_or_else(|| format!("#{id}"), |sprint| sprint.spec.id.to_string())
}
