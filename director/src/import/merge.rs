//! The sprint file that is brought up to date: what the source changed comes in, what people changed stays.
//!
//! For each key of an imported task the file remembers, in `imported`, a short hash of what was written last (for `depends_on` the
//! ids at the source). A value that still has that hash is the source's and follows it; any other is a person's and stays, and so does the
//! absence of one that was taken out. Comments, order and tasks of the file's own are as they were.
//!
//! Invariant: the same import twice leaves every byte as it is.

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::digest::Digest;
use director_protocols::ids::Name;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

use super::select::Task;
use super::summary::Summary;
use super::{ImportError, Options, Source};

/// What a key can hold here.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Val {
    Text(String),
    Number(f64),
    List(Vec<String>),
    /// Something that no import writes.
    Other(String),
}

impl Val {
    pub fn text(text: &str) -> Self {
        Val::Text(text.to_owned())
    }

    fn of(item: &Item) -> Self {
        let texts = |array: &Array| -> Option<Vec<String>> {
            let texts = array.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect()
        };
        match item.as_value() {
            Some(Value::String(text)) => Val::Text(text.value().clone()),
            Some(Value::Integer(number)) => Val::Number(*number.value() as f64),
            Some(Value::Float(number)) => Val::Number(*number.value()),
            Some(Value::Array(array)) => {
                texts(array).map_or(Val::Other(array.to_string()), Val::List)
            }
            _ => Val::Other(item.to_string()),
        }
    }

    fn item(&self) -> Item {
        match self {
            Val::Text(text) => toml_edit::value(text.as_str()),
            Val::Number(number) if number.fract() == 0.0 => toml_edit::value(*number as i64),
            Val::Number(number) => toml_edit::value(*number),
            Val::List(list) => {
                let mut array: Array = list.iter().map(String::as_str).collect();
                let length: usize = list.iter().map(String::len).sum();
                if list.len() > 1 && length > 80 {
                    for value in array.iter_mut() {
                        value.decor_mut().set_prefix("\n    ");
                    }
                    array.set_trailing("\n");
                    array.set_trailing_comma(true);
                }
                toml_edit::value(array)
            }
            Val::Other(_) => Item::None,
        }
    }

    fn hash(&self) -> String {
        let mut digest = Digest::of(format!("{self:?}").as_bytes()).to_string();
        digest.truncate(8);
        digest
    }
}

/// The file.
pub(super) struct Sheet {
    doc: DocumentMut,
    source: Source,
    /// The place and the name of each task of this source, by its id there.
    known: BTreeMap<String, (usize, Name)>,
    ids: BTreeSet<String>,
    skip: BTreeSet<String>,
}

impl Sheet {
    /// Opens a file, or begins one.
    pub fn open(
        source: Source,
        file: Option<&str>,
        options: &Options,
    ) -> Result<Self, ImportError> {
        let fail = |why: String| ImportError::File { why };
        let Some(text) = file else {
            let id = options.sprint.as_deref().unwrap_or(source.as_str());
            let id = Name::new(id).map_err(|error| fail(format!("`--sprint`: {error}")))?;
            let text = format!(
                "# Imported; `director import` brings it up to date and keeps what is changed here.\n\n[sprint]\nid = \"{id}\"\n"
            );
            let doc = text.parse().map_err(|error| fail(format!("{error}")))?;
            return Ok(Self {
                doc,
                source,
                known: BTreeMap::new(),
                ids: BTreeSet::new(),
                skip: BTreeSet::new(),
            });
        };
        let doc: DocumentMut = text
            .parse()
            .map_err(|error| fail(format!("it is not TOML: {error}")))?;
        let prefix = format!("{}:", source.as_str());
        let mut sheet = Self {
            source,
            known: BTreeMap::new(),
            ids: BTreeSet::new(),
            skip: BTreeSet::new(),
            doc,
        };
        let tasks = match sheet.doc.get("task") {
            None => None,
            Some(tasks) => Some(tasks.as_array_of_tables().ok_or_else(|| {
                fail("its tasks are one list; write each as a [[task]]".to_owned())
            })?),
        };
        for (at, task) in tasks.into_iter().flatten().enumerate() {
            let text = |key: &str| task.get(key).and_then(Item::as_str);
            let Some(id) = text("id") else { continue };
            sheet.ids.insert(id.to_owned());
            if let Some(native) = text("source").and_then(|source| source.strip_prefix(&prefix)) {
                let name = Name::new(id).map_err(|error| fail(error.to_string()))?;
                if sheet.known.insert(native.to_owned(), (at, name)).is_some() {
                    return Err(fail(format!(
                        "two tasks have the source `{prefix}{native}`; take one out"
                    )));
                }
            }
        }
        let skip = sheet
            .doc
            .get("import")
            .and_then(|import| import.get("skip")?.as_array());
        let skip = skip.into_iter().flatten().filter_map(Value::as_str);
        sheet.skip = skip
            .filter_map(|id| id.strip_prefix(&prefix))
            .map(str::to_owned)
            .collect();
        Ok(sheet)
    }

    /// The name that a task of this source has in the file.
    pub fn name_of(&self, native: &str) -> Option<&Name> {
        self.known.get(native).map(|(_, name)| name)
    }

    /// Whether the file says that this never becomes a task.
    pub fn skips(&self, native: &str) -> bool {
        self.skip.contains(native)
    }

    /// Every name that is taken.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    /// The file as it is now.
    pub fn text(&self) -> String {
        self.doc.to_string()
    }

    /// Brings tasks up to date and adds those that are new.
    pub fn bring_up_to_date(&mut self, tasks: Vec<Task>, summary: &mut Summary) {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        names.extend(
            self.known
                .iter()
                .map(|(native, (_, name))| (native.clone(), name.to_string())),
        );
        names.extend(
            tasks
                .iter()
                .map(|task| (task.native.clone(), task.name.to_string())),
        );
        let natives: BTreeMap<&str, &str> = names
            .iter()
            .map(|(native, name)| (name.as_str(), native.as_str()))
            .collect();
        let seen: BTreeSet<&str> = tasks.iter().map(|task| task.native.as_str()).collect();
        summary.gone = self
            .known
            .keys()
            .filter(|native| !seen.contains(native.as_str()))
            .count();
        if tasks.is_empty() {
            return;
        }
        if !self.doc.contains_key("task") {
            self.doc
                .insert("task", Item::ArrayOfTables(ArrayOfTables::new()));
        }
        let Some(list) = self
            .doc
            .get_mut("task")
            .and_then(Item::as_array_of_tables_mut)
        else {
            return;
        };
        for task in &tasks {
            let there = self.known.get(&task.native).map(|(at, _)| *at);
            match there.and_then(|at| list.get_mut(at)) {
                Some(table) => update(table, task, &names, &natives, summary),
                None => {
                    let source = format!("{}:{}", self.source.as_str(), task.native);
                    list.push(fresh(task, &source, &names));
                    summary.added.push(task.name.to_string());
                }
            }
        }
    }
}

fn fresh(task: &Task, source: &str, names: &BTreeMap<String, String>) -> Table {
    let mut table = Table::new();
    let mut imported = InlineTable::new();
    table.insert("id", toml_edit::value(task.name.as_str()));
    table.insert("source", toml_edit::value(source));
    if task.done {
        table.insert("done", toml_edit::value(true));
    }
    let late = |key: &str| key == "description";
    for (key, val) in task.fields.iter().filter(|(key, _)| !late(key)) {
        table.insert(key, val.item());
        imported.insert(*key, val.hash().into());
    }
    if !task.needs.is_empty() {
        let waits = task
            .needs
            .iter()
            .filter_map(|need| names.get(need).cloned());
        table.insert("depends_on", Val::List(waits.collect()).item());
        imported.insert(
            "depends_on",
            Value::Array(task.needs.iter().map(String::as_str).collect()),
        );
    }
    for (key, val) in task.fields.iter().filter(|(key, _)| late(key)) {
        table.insert(key, val.item());
        imported.insert(*key, val.hash().into());
    }
    table.insert("imported", toml_edit::value(imported));
    table
}

fn update(
    table: &mut Table,
    task: &Task,
    names: &BTreeMap<String, String>,
    natives: &BTreeMap<&str, &str>,
    summary: &mut Summary,
) {
    let id = task.name.to_string();
    let was_done = table.get("done").and_then(Item::as_bool);
    if task.done {
        if was_done.is_none() {
            table.insert("done", toml_edit::value(true));
            summary.closed.push(id);
        }
        return;
    }
    let mut imported = table
        .get("imported")
        .and_then(Item::as_inline_table)
        .cloned()
        .unwrap_or_default();
    let before = imported.to_string();
    let (mut changed, mut kept) = (Vec::new(), Vec::new());
    let mut keys: Vec<&str> = task.fields.iter().map(|(key, _)| *key).collect();
    // What the source said last time and says no more.
    let old: Vec<String> = imported.iter().map(|(key, _)| key.to_owned()).collect();
    keys.extend(
        old.iter().map(String::as_str).filter(|key| {
            *key != "depends_on" && !task.fields.iter().any(|(known, _)| known == key)
        }),
    );
    for key in keys {
        let new = task
            .fields
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, val)| val);
        let last = imported.get(key).and_then(Value::as_str).map(str::to_owned);
        let new_hash = new.map(Val::hash);
        let now = table.get(key).map(Val::of);
        let now_hash = now.as_ref().map(Val::hash);
        if new_hash != last {
            if now_hash == last {
                match new {
                    Some(val) => replace(table, key, val.item()),
                    None => drop(table.remove(key)),
                }
                changed.push(key.to_owned());
            } else if now_hash != new_hash {
                kept.push(key.to_owned());
            }
            match new_hash {
                Some(hash) => drop(imported.insert(key, hash.into())),
                None => drop(imported.remove(key)),
            }
        }
    }
    if waits(table, task, &mut imported, names, natives) {
        changed.push("depends_on".to_owned());
    }
    if imported.to_string() != before {
        replace(table, "imported", toml_edit::value(imported));
    }
    match (changed.is_empty(), kept.is_empty()) {
        (true, true) => summary.same += 1,
        (false, _) => summary.updated.push((id.clone(), changed)),
        _ => {}
    }
    if !kept.is_empty() {
        summary.kept.push((id, kept));
    }
}

/// Brings `depends_on` up to date, one by one: what people added or took out stays so. Says whether it changed.
fn waits(
    table: &mut Table,
    task: &Task,
    imported: &mut InlineTable,
    names: &BTreeMap<String, String>,
    natives: &BTreeMap<&str, &str>,
) -> bool {
    let texts = |array: Option<&Array>| -> Vec<String> {
        let values = array.into_iter().flatten().filter_map(Value::as_str);
        values.map(str::to_owned).collect()
    };
    let last = texts(imported.get("depends_on").and_then(Value::as_array));
    if last == task.needs {
        return false;
    }
    let now = texts(table.get("depends_on").and_then(Item::as_array));
    let native = |name: &String| natives.get(name.as_str()).copied().unwrap_or_default();
    let gone = |name: &String| {
        let native = native(name);
        last.iter().any(|old| old == native) && !task.needs.iter().any(|need| need == native)
    };
    let mut next: Vec<String> = now.iter().filter(|name| !gone(name)).cloned().collect();
    for need in task.needs.iter().filter(|need| !last.contains(need)) {
        if let Some(name) = names.get(need).filter(|name| !next.contains(name)) {
            next.push(name.clone());
        }
    }
    match task.needs.is_empty() {
        true => drop(imported.remove("depends_on")),
        false => drop(imported.insert(
            "depends_on",
            Value::Array(task.needs.iter().map(String::as_str).collect()),
        )),
    }
    if next == now {
        return false;
    }
    match next.is_empty() {
        true => drop(table.remove("depends_on")),
        false => replace(table, "depends_on", Val::List(next).item()),
    }
    true
}

/// Puts a value in the place of another, with the comment that follows it.
fn replace(table: &mut Table, key: &str, mut item: Item) {
    if let (Some(old), Some(new)) = (table.get(key).and_then(Item::as_value), item.as_value_mut())
        && !matches!(old, Value::Array(_))
    {
        *new.decor_mut() = old.decor().clone();
    }
    table.insert(key, item);
}
