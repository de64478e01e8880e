//! A call as a row has it: its parameters, what each may be, and how a request is read and checked by them.
//!
//! Elsewhere: the rows are [`super::table`]; carrying one out is [`super::calls`].

use serde_json::{Map, Value, json};

use super::problem::Problem;
use crate::control::protocol::{Fault, FaultKind};

/// Where all calls lie.
pub const ROOT: &str = "/api/v1";

/// The form of a name in the sprint file, as far as a pattern can say it.
const NAME: &str = r"^[\p{L}\p{N}][\p{L}\p{N}._-]*$";

/// The most entries of a list.
const ITEMS_MAX: usize = 1_000;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// A question or an order, by its name on the socket.
    Op(&'static str),
    /// Takes in the sprint file that is the body.
    Submit,
    /// Changes the running sprint of its name to what the file in the body says.
    Replan,
    /// What that would change.
    Difference,
    /// Plans the sprint file that is the body.
    Plan,
    /// Forecasts the sprint file that is the body.
    Simulate,
    /// Forecasts the rest of a sprint.
    Forecast,
    /// The same, and keeps it in the journal.
    Record,
    /// Plans the epic file that is the body.
    Epic,
    /// Makes a sprint file of the backlog that is the body.
    Import,
    /// The worktrees in use.
    Worktrees,
    /// A schema.
    Schema,
    /// An outside party's event, its fields the body.
    Send,
    /// What an attempt printed.
    Logs,
    /// What a task changed.
    Diff,
    /// Brings the integration branch into the base.
    Deliver,
    /// Who ordered what.
    Audit,
    /// Events as they happen.
    Events,
    /// What an agent at work says, with the token of its assignment.
    Assigned,
}

impl Does {
    /// Whether it takes a sprint file.
    pub fn takes_a_sprint(self) -> bool {
        matches!(
            self,
            Does::Submit | Does::Replan | Does::Difference | Does::Plan | Does::Simulate
        )
    }

    /// Whether its body is something else than an object of fields.
    pub fn takes_a_whole(self) -> bool {
        self.takes_a_sprint() || matches!(self, Does::Send | Does::Epic | Does::Import)
    }

    /// Whether it is a POST for its body's sake alone, and changes nothing.
    pub fn works_out(self) -> bool {
        matches!(
            self,
            Does::Difference
                | Does::Plan
                | Does::Simulate
                | Does::Forecast
                | Does::Epic
                | Does::Import
        )
    }
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// Behind the `?`.
    Query,
    /// A field of the body's object.
    Body,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name as sprint files have it.
    Name,
    /// Any text, of at least so many characters.
    Text(usize),
    /// A whole number from one to another.
    Whole(u64, u64),
    /// A number above 0, up to 1.
    Share,
    /// Yes or no.
    Flag,
    /// One of these.
    Word(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of criteria, each with whether it is met.
    Criteria,
}

/// What the tasks of a page can be chosen by: the columns of the board and the statuses of tasks.
pub(super) const STATUSES: [&str; 17] = [
    "waiting",
    "ready",
    "working",
    "merging",
    "stuck",
    "done",
    "backlog",
    "backoff",
    "assigned",
    "reported",
    "reviewing",
    "queued",
    "completed",
    "blocked",
    "failed",
    "quarantined",
    "cancelled",
];

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name, the same as on the socket.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What it may be.
    pub kind: Kind,
    /// Whether there is no call without it.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Whether it comes as a POST: it changes something, or works something out of a body.
    pub changes: bool,
    /// Below [`ROOT`], with `{name}` for what varies.
    pub path: &'static str,
    /// What it does.
    pub does: Does,
    /// Its name in the document.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// Makes the socket's arguments of them.
    pub shape: fn(Map<String, Value>) -> Map<String, Value>,
}

impl Route {
    /// The whole path.
    pub fn full(&self) -> String {
        format!("{ROOT}{}", self.path)
    }

    /// Whether its body is an object of the parameters that stand in it.
    pub fn has_fields(&self) -> bool {
        self.changes && !self.does.takes_a_whole()
    }

    /// The parameters of a request as the socket's arguments.
    ///
    /// # Errors
    /// What is wrong with them, each by its name.
    pub fn arguments(
        &self,
        in_path: &[(String, String)],
        in_query: &[(String, String)],
        mut body: Map<String, Value>,
    ) -> Result<Map<String, Value>, Problem> {
        let mut args = Map::new();
        for (place, given) in [(Place::Path, in_path), (Place::Query, in_query)] {
            for (name, text) in given {
                let Some(param) = self.param(name, place) else {
                    return Err(Problem::bad(self.unknown(name, |p| p.place == place)));
                };
                let value = match (param.kind, args.remove(name)) {
                    // In a query a list is its name again and again.
                    (Kind::Texts, before) => {
                        let mut all = match before {
                            Some(Value::Array(all)) => all,
                            _ => Vec::new(),
                        };
                        all.push(json!(text));
                        let all = Value::Array(all);
                        param.check(&all).map_err(Problem::bad)?;
                        all
                    }
                    (_, None) => param.read(text)?,
                    (_, Some(_)) => return Err(Problem::bad(format!("`{name}` is given twice"))),
                };
                args.insert(name.clone(), value);
            }
        }
        if self.has_fields() {
            for (name, value) in std::mem::take(&mut body) {
                let Some(param) = self.param(&name, Place::Body) else {
                    return Err(Problem::bad(
                        self.unknown(&name, |p| p.place == Place::Body),
                    ));
                };
                param.check(&value).map_err(Problem::bad)?;
                args.insert(name, value);
            }
        }
        self.complete(args).map_err(Problem::bad)
    }

    /// The same where all parameters come by name, wherever they stand in a request. Those that are `known` may not be given.
    ///
    /// # Errors
    /// What is wrong with them, each by its name.
    pub fn named(
        &self,
        given: Map<String, Value>,
        known: &[(&str, Value)],
    ) -> Result<Map<String, Value>, Fault> {
        let bad = |why: String| Fault::new(FaultKind::BadRequest, why);
        let is_open = |param: &Param| known.iter().all(|(name, _)| *name != param.name);
        for (name, value) in &given {
            let mut open = self.params.iter().filter(|param| is_open(param));
            let Some(param) = open.find(|param| param.name == *name) else {
                return Err(bad(self.unknown(name, is_open)));
            };
            param.check(value).map_err(bad)?;
        }
        let mut all = given;
        let known = known.iter().cloned();
        all.extend(known.map(|(name, value)| (name.to_owned(), value)));
        self.complete(all).map_err(bad)
    }

    fn complete(&self, args: Map<String, Value>) -> Result<Map<String, Value>, String> {
        let missing = self
            .params
            .iter()
            .find(|p| p.required && !args.contains_key(p.name));
        match missing {
            Some(param) => Err(format!("`{}` is missing: {}", param.name, param.about)),
            None => Ok(args),
        }
    }

    fn param(&self, name: &str, place: Place) -> Option<&'static Param> {
        let mut all = self.params.iter();
        all.find(|param| param.name == name && param.place == place)
    }

    fn unknown(&self, name: &str, among: impl Fn(&Param) -> bool) -> String {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
        let known = self.params.iter().filter(|param| among(param));
        let known: Vec<_> = known.map(|param| format!("`{}`", param.name)).collect();
        let known = match known.is_empty() {
            true => "there are none here".to_owned(),
            false => format!("there are {}", known.join(", ")),
        };
        format!("there is no parameter `{shown}`; {known}")
    }
}

impl Param {
    /// Reads it from a path or a query.
    fn read(&self, text: &str) -> Result<Value, Problem> {
        let value = match self.kind {
            Kind::Whole(..) => text.parse::<u64>().map_or(json!(text), |n| json!(n)),
            Kind::Share => text.parse::<f64>().map_or(json!(text), |n| json!(n)),
            Kind::Flag => match text {
                "true" => json!(true),
                "false" => json!(false),
                _ => json!(text),
            },
            _ => json!(text),
        };
        self.check(&value).map_err(Problem::bad)?;
        Ok(value)
    }

    /// Whether a value fits.
    ///
    /// # Errors
    /// What it has to be.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let fits = match (self.kind, value) {
            (Kind::Name, Value::String(text)) => {
                let rest = |c: char| c.is_alphanumeric() || "._-".contains(c);
                text.starts_with(char::is_alphanumeric)
                    && text.chars().all(rest)
                    && text.len() <= 100
            }
            (Kind::Text(least), Value::String(text)) => text.chars().count() >= least,
            (Kind::Whole(least, most), Value::Number(number)) => {
                // 2.0 is a whole number to JSON Schema, and to nobody else.
                number.as_u64().is_some_and(|n| (least..=most).contains(&n))
            }
            (Kind::Share, Value::Number(number)) => {
                number.as_f64().is_some_and(|n| n > 0.0 && n <= 1.0)
            }
            (Kind::Flag, Value::Bool(_)) => true,
            (Kind::Word(words), Value::String(text)) => words.contains(&text.as_str()),
            (Kind::Texts, Value::Array(items)) => {
                items.len() <= ITEMS_MAX && items.iter().all(Value::is_string)
            }
            (Kind::Criteria, Value::Array(items)) => {
                items.len() <= ITEMS_MAX && items.iter().all(is_criterion)
            }
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(format!("`{}` has to be {}", self.name, self.kind)),
        }
    }
}

fn is_criterion(value: &Value) -> bool {
    let Value::Object(fields) = value else {
        return false;
    };
    let text = |name: &str| fields.get(name).is_some_and(Value::is_string);
    let known = ["criterion", "met", "evidence"];
    text("criterion")
        && fields.get("met").is_some_and(Value::is_boolean)
        && (text("evidence") || !fields.contains_key("evidence"))
        && fields.keys().all(|name| known.contains(&name.as_str()))
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kind::Name => {
                f.write_str("a name: letters, digits, `.`, `_` and `-`, at most 100 bytes")
            }
            Kind::Text(0) => f.write_str("a text"),
            Kind::Text(_) => f.write_str("a text that is not empty"),
            Kind::Whole(least, most) => write!(f, "a whole number from {least} to {most}"),
            Kind::Share => f.write_str("a number above 0, up to 1"),
            Kind::Flag => f.write_str("true or false"),
            Kind::Word(words) => write!(f, "one of {}", words.join(", ")),
            Kind::Texts => write!(f, "a list of at most {ITEMS_MAX} texts"),
            Kind::Criteria => write!(
                f,
                "a list of at most {ITEMS_MAX} objects with `criterion`, `met` and `evidence`"
            ),
        }
    }
}

impl Kind {
    /// As JSON Schema.
    pub fn schema(self) -> Value {
        match self {
            Kind::Name => json!({"type": "string", "pattern": NAME, "maxLength": 100}),
            Kind::Text(0) => json!({"type": "string"}),
            Kind::Text(least) => json!({"type": "string", "minLength": least}),
            Kind::Whole(least, most) => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Kind::Share => json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Word(words) => json!({"type": "string", "enum": words}),
            Kind::Texts => {
                json!({"type": "array", "items": {"type": "string"}, "maxItems": ITEMS_MAX})
            }
            Kind::Criteria => json!({
                "type": "array",
                "maxItems": ITEMS_MAX,
                "items": {
                    "type": "object",
                    "properties": {
                        "criterion": {"type": "string", "description": "As the task has it."},
                        "met": {"type": "boolean"},
                        "evidence": {"type": "string", "description": "What shows it."},
                    },
                    "required": ["criterion", "met"],
                    "additionalProperties": false,
                },
            }),
        }
    }
}
