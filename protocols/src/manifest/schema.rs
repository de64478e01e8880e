//! The JSON Schema of the sprint file, from the tables that files are checked against.

use serde_json::{Map, Value, json};

use super::keys::ROOT;
use super::shape::{Key, Shape, Table};

/// The JSON Schema (draft 2020-12) of the sprint file, indented.
///
/// What a schema cannot say (that dependencies exist, that roles are filled, the order of estimates) is only
/// checked when a file is read.
pub fn schema() -> String {
    of(&ROOT, "director sprint file")
}

/// The JSON Schema of a table.
pub(super) fn of(of: &Table, title: &str) -> String {
    let mut root = table(of);
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!(title);
    let mut text = serde_json::to_string_pretty(&root).unwrap_or_default();
    text.push('\n');
    text
}

fn table(table: &Table) -> Value {
    object(table.about, table.keys, json!(false))
}

fn object(about: &str, keys: &[Key], others: Value) -> Value {
    let mut properties = Map::new();
    for key in keys {
        let mut schema = shape(&key.shape);
        schema["description"] = json!(key.about);
        properties.insert(key.name.to_owned(), schema);
    }
    let required: Vec<_> = keys.iter().filter(|k| k.required).map(|k| k.name).collect();
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": others,
    });
    if !about.is_empty() {
        object["description"] = json!(about);
    }
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// The form of a [`crate::ids::Name`], as far as a pattern can say it.
/// Letters and digits of any script, as far as patterns that every validator takes can say it: no white space, and of the punctuation of ASCII only
/// `.`, `_` and `-`.
const NAME: &str = r"^[^\s!-/:-@\[-`{-~][^\s!-,/:-@\[-^`{-~]*$";

fn shape(of: &Shape) -> Value {
    match of {
        Shape::Text => json!({"type": "string"}),
        Shape::Name => json!({"type": "string", "pattern": NAME, "maxLength": 100}),
        Shape::Branch | Shape::Path | Shape::Line => json!({"type": "string", "minLength": 1}),
        Shape::Url => json!({"type": "string", "pattern": "^https?://\\S+$"}),
        Shape::Place => json!({"type": "string", "pattern": "^(/|~/.)"}),
        Shape::EnvName => json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}),
        Shape::Word(words) => json!({"enum": words}),
        Shape::Whole(min, max) => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Number(min, max) => json!({"type": "number", "minimum": min, "maximum": max}),
        Shape::Hours(true) => json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1e6}),
        Shape::Hours(false) => json!({"type": "number", "minimum": 0, "maximum": 1e6}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Date => json!({"type": "string", "format": "date"}),
        Shape::Hour => json!({
            "type": "string",
            "pattern": r"^(off|\d\d:\d\d([+-]\d\d:\d\d)?)$",
            "examples": ["09:00", "09:00+01:00", "off"],
        }),
        Shape::Window => json!({
            "type": "string",
            "pattern": r"^\S+ \d\d:\d\d-\d\d:\d\d([+-]\d\d:\d\d)?$",
            "examples": ["mon-thu 09:00-16:00", "daily 22:00-02:00+01:00"],
        }),
        Shape::Duration => json!({
            "type": "string",
            "pattern": r"^\s*(\d+(ms|s|m|min|h|d)\s*)+$",
            "examples": ["90s", "15m", "1h30m"],
        }),
        Shape::Bytes => json!({
            "type": ["integer", "string"],
            "pattern": r"^\s*\d+\s*(B|KiB|MiB|GiB)?\s*$",
            "minimum": 1024,
            "maximum": 1_u64 << 30,
        }),
        Shape::Setting => json!({"type": ["string", "number", "boolean"]}),
        Shape::Argv => json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
        Shape::List(items) => json!({"type": "array", "items": shape(items)}),
        Shape::Table(of) => table(of),
        Shape::Map(keys, others, named) => {
            let mut map = object("", keys, shape(others));
            if *named {
                map["propertyNames"] = json!({"pattern": NAME, "maxLength": 100});
            }
            map
        }
        Shape::Any(shapes) => {
            let any: Vec<_> = shapes.iter().map(shape).collect();
            json!({"anyOf": any})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::{EXAMPLES, as_json};

    /// Every key of the tables, with its path.
    fn keys_of(shape: &Shape, path: &str, found: &mut Vec<String>) {
        let keys: &[Key] = match shape {
            Shape::Table(table) => table.keys,
            Shape::Map(keys, others, _) => {
                keys_of(others, &format!("{path}/additionalProperties"), found);
                keys
            }
            Shape::List(items) => return keys_of(items, &format!("{path}/items"), found),
            Shape::Any(shapes) => {
                for (n, shape) in shapes.iter().enumerate() {
                    keys_of(shape, &format!("{path}/anyOf/{n}"), found);
                }
                return;
            }
            _ => return,
        };
        for key in keys {
            let path = format!("{path}/properties/{}", key.name);
            keys_of(&key.shape, &path, found);
            found.push(path);
        }
    }

    /// As much of a validator as the schema needs. What does not hold is pushed to `wrong`.
    fn validate(value: &Value, schema: &Value, at: &str, wrong: &mut Vec<String>) {
        if let Some(any) = schema["anyOf"].as_array() {
            let fits = |schema: &Value| {
                let mut wrong = Vec::new();
                validate(value, schema, at, &mut wrong);
                wrong.is_empty()
            };
            if !any.iter().any(fits) {
                wrong.push(format!("{at}: fits none"));
            }
            return;
        }
        if let Some(words) = schema["enum"].as_array() {
            if !words.contains(value) {
                wrong.push(format!("{at}: not allowed"));
            }
            return;
        }
        let is = |kind: &str| match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            _ => value.is_number(),
        };
        let right = match &schema["type"] {
            Value::String(kind) => is(kind),
            kinds => kinds
                .as_array()
                .is_some_and(|kinds| kinds.iter().filter_map(Value::as_str).any(is)),
        };
        if !right {
            wrong.push(format!("{at}: not a {}", schema["type"]));
        }
        let n = value.as_f64();
        let over = |end: &str, beyond: fn(f64, f64) -> bool| {
            n.zip(schema[end].as_f64())
                .is_some_and(|(n, end)| beyond(n, end))
        };
        if over("minimum", |n, min| n < min)
            || over("maximum", |n, max| n > max)
            || over("exclusiveMinimum", |n, min| n <= min)
        {
            wrong.push(format!("{at}: out of range"));
        }
        for (n, item) in value.as_array().into_iter().flatten().enumerate() {
            validate(item, &schema["items"], &format!("{at}[{n}]"), wrong);
        }
        for key in schema["required"].as_array().into_iter().flatten() {
            if value.get(key.as_str().unwrap_or_default()).is_none() {
                wrong.push(format!("{at}: {key} is missing"));
            }
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{key}");
            match (
                schema["properties"].get(key),
                &schema["additionalProperties"],
            ) {
                (Some(schema), _) => validate(value, schema, &at, wrong),
                (None, Value::Bool(_)) => wrong.push(format!("{at}: unknown")),
                (None, others) => validate(value, others, &at, wrong),
            }
        }
    }

    #[test]
    fn every_key_that_a_file_may_have_is_in_the_schema_with_words() {
        let schema: Value = serde_json::from_str(&schema()).expect("it is JSON");
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        let mut keys = Vec::new();
        keys_of(&Shape::Table(&ROOT), "", &mut keys);
        assert!(keys.len() > 80, "{}", keys.len());
        for key in keys {
            let described = schema
                .pointer(&key)
                .and_then(|key| key["description"].as_str());
            assert!(described.is_some_and(|words| !words.is_empty()), "{key}");
        }
    }

    #[test]
    fn the_examples_fit_the_schema_and_slips_do_not() {
        let schema: Value = serde_json::from_str(&schema()).expect("it is JSON");
        let check = |text: &str| {
            let value: Value = serde_json::from_str(text).expect("it is JSON");
            let mut wrong = Vec::new();
            validate(&value, &schema, "", &mut wrong);
            wrong
        };
        for example in EXAMPLES {
            assert_eq!(check(&as_json(example)), Vec::<String>::new());
        }
        for (case, text) in [
            ("empty", "{}"),
            (
                "unknown key",
                r#"{"sprint": {"id": "s"}, "task": [{"id": "a", "runn": "x"}]}"#,
            ),
            (
                "negative",
                r#"{"sprint": {"id": "s"}, "task": [{"id": "a", "hours": -1}]}"#,
            ),
            (
                "capacity",
                r#"{"sprint": {"id": "s"}, "task": [], "team": {"x": {"capacity": 0}}}"#,
            ),
            (
                "gate",
                r#"{"sprint": {"id": "s"}, "task": [], "gates": {"x": {"rounds": 0}}}"#,
            ),
        ] {
            assert!(!check(text).is_empty(), "case: {case}");
        }
    }
}
