//! Fields of JSON objects, taken one by one, so that what nobody took can be listed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// An object of which fields are taken.
pub(super) struct Fields<'v> {
    map: &'v Map<String, Value>,
    taken: BTreeSet<&'static str>,
}

impl<'v> Fields<'v> {
    pub fn of(value: &'v Value) -> Option<Self> {
        let map = value.as_object()?;
        let taken = BTreeSet::new();
        Some(Self { map, taken })
    }

    /// The field, `None` where it is missing or null.
    pub fn take(&mut self, key: &'static str) -> Option<&'v Value> {
        self.taken.insert(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub fn text(&mut self, key: &'static str) -> String {
        self.take(key).and_then(text).unwrap_or_default()
    }

    pub fn number(&mut self, key: &'static str) -> Option<f64> {
        let value = self.take(key)?;
        let number = value.as_f64();
        number.or_else(|| value.as_str()?.trim().parse().ok())
    }

    pub fn flag(&mut self, key: &'static str) -> bool {
        self.take(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The things in a list, or in the `nodes` of a page of one.
    pub fn list(&mut self, key: &'static str) -> &'v [Value] {
        self.take(key).map_or(&[], list)
    }

    /// Fields that are for nobody here and need not be named.
    pub fn ignore(&mut self, keys: &[&'static str]) {
        self.taken.extend(keys);
    }

    /// Counts what was not taken and says something.
    pub fn rest(self, dropped: &mut BTreeMap<String, usize>) {
        for (key, value) in self.map {
            let says = match value {
                Value::Null | Value::Bool(false) => false,
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => !items.is_empty(),
                Value::Object(map) => !map.is_empty(),
                Value::Bool(true) | Value::Number(_) => true,
            };
            if says && !self.taken.contains(key.as_str()) {
                let key: String = key.chars().take(60).collect();
                *dropped.entry(key).or_default() += 1;
            }
        }
    }
}

/// A text, or a number as one.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A field of a field, as text: `state.type`.
pub(super) fn inner(value: Option<&Value>, key: &str) -> Option<String> {
    text(value?.get(key)?)
}

/// The things in a list, or in the `nodes` of a page of one.
pub(super) fn list(value: &Value) -> &[Value] {
    let items = value.as_array().or_else(|| value.get("nodes")?.as_array());
    items.map_or(&[], Vec::as_slice)
}
