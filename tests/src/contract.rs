//! The contract: every answer of the API that a test gets is held against the OpenAPI document, and every answer of a tool against the
//! tool's own schema.
//!
//! The checker knows the words of JSON Schema that our documents use, and breaks down at any other. It takes objects as closed unless they say
//! otherwise, so that a field that no schema names is found too.
//!
//! Elsewhere: schemathesis holds the same answers against the same document by a checker that is not ours (`just fuzz-api`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::http::{Answer, Site};

/// Where the document lies.
const DOCUMENT: &str = "/api/v1/openapi.json";

static DOCUMENTS: Mutex<BTreeMap<String, Arc<Value>>> = Mutex::new(BTreeMap::new());

/// The document of the server there; it is asked once.
fn document(site: &Site) -> Arc<Value> {
    let known = |address: &str| {
        let documents = DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner);
        documents.get(address).cloned()
    };
    if let Some(found) = known(&site.address) {
        return found;
    }
    let bearer = format!("Bearer {}", site.token);
    let found = site.request("GET", DOCUMENT, &[("Authorization", &bearer)], "");
    let found = Arc::new(found.json());
    let mut documents = DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    documents.insert(site.address.clone(), Arc::clone(&found));
    found
}

/// Holds an answer against what the document says of its call.
///
/// # Panics
/// When it is not what the document says.
pub fn hold(site: &Site, method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    let is_json = answer.header("content-type") == "application/json";
    if !path.starts_with("/api/v1/") || path == DOCUMENT || answer.status >= 300 || !is_json {
        return;
    }
    let document = document(site);
    let known = document["paths"].as_object().into_iter().flatten();
    let fits = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template
                .zip(path)
                .all(|(a, b)| a == b || a.starts_with('{'))
    };
    // What is written out is meant before what varies.
    let mut found: Vec<_> = known.filter(|(template, _)| fits(template)).collect();
    found.sort_by_key(|(template, _)| template.matches('{').count());
    let (template, call) = found.first().unwrap_or_else(|| panic!("{path} is no call"));
    let method = method.to_lowercase();
    let given = &call[&method]["responses"][answer.status.to_string()];
    let schema = &given["content"]["application/json"]["schema"];
    assert!(
        schema.is_object(),
        "{method} {template}: {} is not in the document",
        answer.status
    );
    if let Err(why) = check(&document, schema, &answer.json(), "answer") {
        panic!(
            "{method} {template} is not what the document says: {why}\n{}",
            answer.body
        );
    }
}

/// Words that say nothing that could be wrong.
const SAID: [&str; 8] = [
    "description",
    "title",
    "format",
    "default",
    "$defs",
    "components",
    "$schema",
    "examples",
];

/// Whether a value is as a schema has it; references begin at `root`.
///
/// # Errors
/// Where it is not, and what was expected there.
///
/// # Panics
/// At a word that it does not know.
pub fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let fields = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Bool(false) => return Err(format!("{at} may not be there")),
        Value::Object(fields) => fields,
        other => panic!("{at}: {other} is no schema"),
    };
    let open = fields.get("additionalProperties");
    for (word, said) in fields {
        let wrong = |what: &str| Err(format!("{at}: {value} {what} {said}"));
        let all = || said.as_array().into_iter().flatten();
        match word.as_str() {
            "$ref" => {
                let place = said.as_str().and_then(|place| place.strip_prefix('#'));
                let named = place.and_then(|place| root.pointer(place));
                check(
                    root,
                    named.unwrap_or_else(|| panic!("{said} leads nowhere")),
                    value,
                    at,
                )?;
            }
            "type" => {
                let known = |name: &Value| match name.as_str().unwrap_or_default() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64() || value.is_i64(),
                    other => panic!("{at}: there is no type {other}"),
                };
                if !(said.is_string() && known(said) || all().any(known)) {
                    return wrong("is not of type");
                }
            }
            "properties" => {
                let named = said.as_object().into_iter().flatten();
                for (name, schema) in named {
                    if let Some(value) = value.get(name) {
                        check(root, schema, value, &format!("{at}.{name}"))?;
                    }
                }
                let given = value.as_object().into_iter().flatten();
                for (name, _) in given.filter(|_| open.is_none()) {
                    if said.get(name).is_none() {
                        return Err(format!("{at}: no schema names `{name}`"));
                    }
                }
            }
            "required" if value.is_object() => {
                let missing =
                    all().find(|name| value.get(name.as_str().unwrap_or_default()).is_none());
                if let Some(name) = missing {
                    return Err(format!("{at}: {name} is missing"));
                }
            }
            "additionalProperties" => {
                let given = value.as_object().into_iter().flatten();
                for (name, value) in given {
                    if fields
                        .get("properties")
                        .is_none_or(|known| known.get(name).is_none())
                    {
                        check(root, said, value, &format!("{at}.{name}"))?;
                    }
                }
            }
            "items" => {
                let items = value.as_array().into_iter().flatten();
                for (n, item) in items.enumerate() {
                    check(root, said, item, &format!("{at}[{n}]"))?;
                }
            }
            "anyOf" | "oneOf" => {
                let fits = all()
                    .filter(|one| check(root, one, value, at).is_ok())
                    .count();
                if fits == 0 || (word == "oneOf" && fits > 1) {
                    return wrong("fits none, or too many, of");
                }
            }
            "enum" if !all().any(|one| one == value) => return wrong("is none of"),
            "const" if said != value => return wrong("is not"),
            "minimum" if value.as_f64() < said.as_f64() && value.is_number() => {
                return wrong("is below");
            }
            "maximum" if value.as_f64() > said.as_f64() && value.is_number() => {
                return wrong("is above");
            }
            "minItems" | "maxItems" if value.is_array() => {
                let count = value.as_array().map_or(0, Vec::len) as u64;
                let bound = said.as_u64().unwrap_or_default();
                if (word == "minItems" && count < bound) || (word == "maxItems" && count > bound) {
                    return wrong("has another length than");
                }
            }
            "required" | "enum" | "const" | "minimum" | "maximum" | "minItems" | "maxItems" => {}
            word if SAID.contains(&word) => {}
            word => panic!("{at}: the checker does not know `{word}`"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_as_the_schema_has_it_is_named() {
        let root = json!({ "$defs": { "Name": { "type": "string" } } });
        let schema = json!({
            "type": "object",
            "properties": {
                "name": { "$ref": "#/$defs/Name" },
                "count": { "type": ["integer", "null"], "minimum": 0 },
                "kinds": { "type": "array", "items": { "enum": ["a", "b"] } },
            },
            "required": ["name"],
        });
        for (value, part) in [
            (json!({ "name": "x", "count": null, "kinds": ["a"] }), ""),
            (json!({ "name": 1 }), "answer.name: 1 is not of type"),
            (json!({ "count": 1 }), "\"name\" is missing"),
            (json!({ "name": "x", "count": -1 }), "is below"),
            (json!({ "name": "x", "count": 0.5 }), "is not of type"),
            (
                json!({ "name": "x", "kinds": ["a", "c"] }),
                "answer.kinds[1]",
            ),
            (json!({ "name": "x", "more": 1 }), "no schema names `more`"),
            (json!([]), "is not of type"),
        ] {
            let said = check(&root, &schema, &value, "answer")
                .err()
                .unwrap_or_default();
            assert!(
                said.contains(part) && said.is_empty() == part.is_empty(),
                "{value}: {said}"
            );
        }
    }
}
