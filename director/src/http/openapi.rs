//! The OpenAPI document (3.1), written from the table of calls.

use director_protocols::manifest;
use serde_json::{Map, Value, json};

use super::answers::Answers;
use super::problem;
use super::route::{Does, Param, Place, ROOT, Route};
use super::table;

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    let mut answers = Answers::at("/components/schemas");
    for route in table::all() {
        let method = if route.changes { "post" } else { "get" };
        let path = paths.entry(route.full()).or_insert_with(|| json!({}));
        path[method] = operation(route, answers.of(route));
    }
    let mut schemas = answers.definitions();
    for (name, schema) in [
        ("Problem", problem_schema()),
        ("SprintFile", schema(&manifest::schema())),
        ("EpicFile", schema(&manifest::epic::epic_schema())),
    ] {
        schemas.insert(name.to_owned(), schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "director",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A team of agents through sprints: everything the command line can do. Questions answer what was true \
                at the position in `Director-Seq`; orders answer once what they led to is durable.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "The text of `http.token` in the data directory. Every call that changes something needs it, and on a \
                    listener off loopback every call.",
            }, "assignment": {
                "type": "http",
                "scheme": "bearer",
                "description": "What `DIRECTOR_TOKEN` holds in the environment of an agent at work: good for reports on the one attempt that \
                    it was given for, as long as that is under way.",
            } },
            "schemas": schemas,
            "responses": { "Problem": {
                "description": "Why there is no answer, in the words of the command line.",
                "content": { problem::MEDIA: { "schema": { "$ref": "#/components/schemas/Problem" } } },
            } },
        },
    })
}

fn operation(route: &Route, answer: Option<Value>) -> Value {
    let parameters: Vec<Value> = route
        .params
        .iter()
        .filter(|param| param.place != Place::Body)
        .map(parameter)
        .chain(takes_a_key(route).then(idempotency_key))
        .chain(can_compare(route).then(if_match))
        .collect();
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.about,
        "parameters": parameters,
        "responses": responses(route, answer),
    });
    if route.changes {
        let token = match route.does {
            Does::Assigned => "assignment",
            _ => "token",
        };
        operation["security"] = json!([{ token: [] }]);
    }
    if let Some(body) = body(route) {
        operation["requestBody"] = body;
    }
    operation
}

/// Whether being done once and no more means something for it.
fn takes_a_key(route: &Route) -> bool {
    route.changes && route.does != Does::Assigned && !route.does.works_out()
}

/// Whether its `If-Match` means something: it is about one task or one sprint.
pub fn can_compare(route: &Route) -> bool {
    let named =
        |param: &Param| param.place == Place::Path && ["task", "sprint"].contains(&param.name);
    route.changes && matches!(route.does, Does::Op(_)) && route.params.iter().any(named)
}

fn parameter(param: &Param) -> Value {
    json!({
        "name": param.name,
        "in": if param.place == Place::Path { "path" } else { "query" },
        "required": param.required,
        "description": param.about,
        "schema": param.kind.schema(),
    })
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "A name that the caller gives this call. Sent again with the same key, it is not done again: the first answer \
            comes back.",
        "schema": { "type": "string", "pattern": "^[!-~]{1,200}$" },
    })
}

fn if_match() -> Value {
    json!({
        "name": "If-Match",
        "in": "header",
        "required": false,
        "description": "The `ETag` of the task or the sprint as it was seen; when it has changed since, nothing is done (412).",
        "schema": { "type": "string", "pattern": "^\"[!#-~]{1,200}\"$" },
    })
}

fn body(route: &Route) -> Option<Value> {
    if !route.changes {
        return None;
    }
    let content = match route.does {
        does if does.takes_a_sprint() => json!({
            "application/toml": { "schema": { "type": "string" } },
            "application/json": { "schema": { "$ref": "#/components/schemas/SprintFile" } },
        }),
        Does::Epic => json!({
            "application/toml": { "schema": { "type": "string" } },
            "application/json": { "schema": { "$ref": "#/components/schemas/EpicFile" } },
        }),
        Does::Import => json!({
            "text/plain": { "schema": { "type": "string" } },
            "text/csv": { "schema": { "type": "string" } },
            "application/json": { "schema": {} },
        }),
        Does::Send => json!({ "application/json": { "schema": { "type": "object" } } }),
        _ => {
            let fields: Vec<&Param> = route
                .params
                .iter()
                .filter(|param| param.place == Place::Body)
                .collect();
            let mut properties = Map::new();
            for param in &fields {
                let mut schema = param.kind.schema();
                schema["description"] = json!(param.about);
                properties.insert(param.name.to_owned(), schema);
            }
            let required = fields.iter().filter(|param| param.required);
            let required: Vec<_> = required.map(|param| param.name).collect();
            let mut schema = json!({
                "type": "object",
                "properties": properties,
                "additionalProperties": false,
            });
            if !required.is_empty() {
                schema["required"] = json!(required);
            }
            json!({ "application/json": { "schema": schema } })
        }
    };
    let needed = !route.has_fields()
        || route
            .params
            .iter()
            .any(|param| param.place == Place::Body && param.required);
    Some(json!({ "required": needed, "content": content }))
}

fn responses(route: &Route, answer: Option<Value>) -> Value {
    let seq = json!({
        "description": "The position in the journal at which this was true, or to which it led.",
        "schema": { "type": "integer", "minimum": 0 },
    });
    let content = match route.does {
        Does::Logs | Does::Diff => json!({ "text/plain": { "schema": { "type": "string" } } }),
        Does::Events => json!({ "text/event-stream": { "schema": { "type": "string" } } }),
        _ if takes_a_key(route) => {
            json!({ "application/json": { "schema": answer } })
        }
        _ => json!({
            "application/json": { "schema": answer },
            "text/plain": { "schema": { "type": "string" } },
        }),
    };
    let problem = json!({ "$ref": "#/components/responses/Problem" });
    let (status, about) = match route.does {
        Does::Submit => ("201", "It is taken in."),
        _ if takes_a_key(route) => ("200", "It is done and durable."),
        _ => ("200", "The answer."),
    };
    let mut all = json!({
        status: { "description": about, "headers": { "Director-Seq": seq }, "content": content },
        "400": problem, "401": problem, "403": problem, "404": problem, "429": problem, "503": problem,
    });
    if route.changes {
        for status in ["409", "412", "413", "415", "422"] {
            all[status] = problem.clone();
        }
    }
    all
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What is wrong and what to do." },
            "code": { "type": "string", "description": "What sort of no." },
        },
    })
}

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// Where it is served.
pub fn path() -> String {
    format!("{ROOT}/openapi.json")
}
