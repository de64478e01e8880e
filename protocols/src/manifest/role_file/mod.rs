//! Role files: a role in a file of its own, as a Claude Code agent file or in TOML.
//!
//! ```text
//! ---                                   name = "tech-lead"
//! name: tech-lead                       tools = ["Read", "Bash(git:*)"]
//! tools: Read, Bash(git:*)              prompt = "You decide ..."
//! director:
//!   count: 2                            [director]
//! ---                                   count = 2
//! You decide ...
//! ```
//!
//! The documented fields are read, unknown ones kept, and what is ours (capacity, kinds, the agent behind it) stands under
//! `director`, with the keys that a role has in the sprint file; a role file says nothing that a sprint file cannot overrule.
//!
//! Invariant: text of any sort gives a role or a reason, in time bounded by its length.
//! Elsewhere: finding the files is the agents' crate; which of them a sprint uses is `super::resolve`.

mod fields;
#[cfg(test)]
mod tests;
mod yaml;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::ids::Name;
use crate::sprint::Profile;

use super::errors::{Problems, nearest, quote};
use super::keys::ROLE;
use super::resolve::Written;
use super::shape::{self, Shape};
use super::tree::{Node, Place, Value, read_toml};
use fields::FIELDS;

/// The largest role file, in bytes: 1 MiB, most of it prompt.
pub const ROLE_FILE_BYTES_MAX: usize = 1 << 20;
/// The largest front matter, in bytes.
const FRONT_BYTES_MAX: usize = 64 << 10;

/// A role from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleFile {
    /// The role that it is about.
    pub role: Name,
    /// What the role is, for the agent.
    pub prompt: String,
    /// Everything else that agents or people are told of it.
    pub profile: Profile,
    /// What was passed over or is probably not meant, one sentence each.
    pub notes: Vec<String>,
    /// What the file says under `director`.
    pub(super) own: Option<Written>,
}

/// How a role file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleForm {
    /// Markdown with YAML front matter; the text below it is the prompt.
    Markdown,
    /// TOML; the key `prompt` is the prompt.
    Toml,
}

/// The role files that were found, and those that were not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Library {
    /// One for each role, the stronger before the weaker.
    pub files: Vec<RoleFile>,
    /// Files that are not used.
    pub skipped: Vec<Skipped>,
}

/// A role file that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file, as people are told of it.
    pub file: String,
    /// Why, in a sentence without its full stop.
    pub why: String,
}

impl Library {
    /// Adds what came of a file; the file that is there first has the role.
    pub fn add(&mut self, file: String, read: Result<RoleFile, String>) {
        let skipped = match read {
            Ok(found) => {
                let holder = self.files.iter().find(|other| other.role == found.role);
                let Some(holder) = holder else {
                    self.files.push(found);
                    return;
                };
                let first = holder.profile.file.as_deref().unwrap_or_default();
                format!("`{first}` says what the role `{}` is", found.role)
            }
            Err(why) => why,
        };
        self.skipped.push(Skipped { file, why: skipped });
    }

    /// What people should know of the files: which were skipped, and what was passed over in the others.
    pub fn remarks(&self) -> Vec<String> {
        let skipped = self.skipped.iter();
        let skipped =
            skipped.map(|skipped| format!("`{}` is skipped: {}", skipped.file, skipped.why));
        let notes = self.files.iter().flat_map(|file| {
            let origin = file.profile.file.as_deref().unwrap_or_default();
            file.notes
                .iter()
                .map(move |note| format!("`{origin}`: {note}"))
        });
        skipped.chain(notes).collect()
    }
}

/// Reads a role. `file` is how people are told of it; a file without a `name` has the role `stem`.
///
/// # Errors
/// Why it is not used, in a sentence that names the line.
pub fn parse(text: &str, file: &str, stem: &str, form: RoleForm) -> Result<RoleFile, String> {
    if text.len() > ROLE_FILE_BYTES_MAX {
        return Err(too_large(text.len() as u64));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (root, body, text) = match form {
        RoleForm::Markdown => markdown(text)?,
        RoleForm::Toml => {
            let root = read_toml(text);
            let root = root.map_err(|wrong| located("this is not TOML", text, wrong))?;
            (root, "", Cow::Borrowed(text))
        }
    };
    if !matches!(root.value, Value::Table(_)) {
        return Err("its front matter is no list of keys, such as `name: tech-lead`".to_owned());
    }
    Reading {
        text: &text,
        file,
        notes: Vec::new(),
    }
    .role(&root, body, stem)
}

/// What is said of a file over [`ROLE_FILE_BYTES_MAX`].
pub fn too_large(bytes: u64) -> String {
    let most = ROLE_FILE_BYTES_MAX >> 10;
    format!(
        "it has {} KiB; a role file may have up to {most}",
        bytes.div_ceil(1 << 10)
    )
}

/// Takes Markdown apart: the tree of its front matter, what stands below, and the text that places of the tree count in.
fn markdown(text: &str) -> Result<(Node<'_>, &str, Cow<'_, str>), String> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    if first.trim_end() != "---" {
        return Err(
            "it does not begin with front matter, a line `---` and keys such as `name`".to_owned(),
        );
    }
    let mut end = first.len();
    for line in lines {
        if line.trim_end() == "---" {
            let front = &text[first.len()..end];
            let body = &text[end + line.len()..];
            let wrong = match yaml::read(front, first.len()) {
                Ok(root) => return Ok((root, body, Cow::Borrowed(text))),
                Err(wrong) => wrong,
            };
            // Many files have a colon in their description and are read elsewhere all the same.
            if let Some(quoted) = yaml::quoted(front)
                && let Ok(root) = yaml::read(&quoted, first.len())
            {
                return Ok((root, body, Cow::Owned(format!("{first}{quoted}"))));
            }
            return Err(located("its front matter is no YAML", text, wrong));
        }
        end += line.len();
        if end > FRONT_BYTES_MAX {
            let most = FRONT_BYTES_MAX >> 10;
            return Err(format!(
                "its front matter is over {most} KiB or has no end, a line `---`"
            ));
        }
    }
    Err("its front matter has no end, a line `---`".to_owned())
}

fn located(what: &str, text: &str, (message, at): (String, Option<Place>)) -> String {
    match at {
        None => format!("{what}: {message}"),
        Some(at) => format!("{what}: line {}: {message}", line_of(text, at.start)),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    1 + before.filter(|&&byte| byte == b'\n').count()
}

/// What the reading of one file shares.
struct Reading<'t> {
    text: &'t str,
    file: &'t str,
    notes: Vec<String>,
}

impl Reading<'_> {
    fn role(mut self, root: &Node<'_>, body: &str, stem: &str) -> Result<RoleFile, String> {
        let mut profile = Profile {
            file: Some(self.file.to_owned()),
            ..Profile::default()
        };
        let (mut name, mut prompt, mut own) = (None, body.trim().to_owned(), None);
        for entry in root.entries() {
            let (key, node) = (entry.key.as_ref(), &entry.node);
            if matches!(node.value, Value::Null) {
                continue;
            }
            match key {
                "name" => name = self.text(key, node),
                "description" => profile.description = self.text(key, node).unwrap_or_default(),
                "color" => profile.color = self.text(key, node),
                "prompt" if body.is_empty() => prompt = self.text(key, node).unwrap_or_default(),
                "director" => own = Some(node),
                _ => self.setting(key, node, &mut profile),
            }
        }
        let own = own.map(|node| self.own(node)).transpose()?;
        let (own, fills) = own.unzip();
        let named = match (fills.flatten(), name) {
            (Some(fills), _) => fills,
            (None, Some(name)) => name.trim().to_owned(),
            (None, None) if prompt.trim().is_empty() => {
                return Err("it is no role: it has neither a `name` nor a prompt".to_owned());
            }
            (None, None) => {
                self.notes.push(format!(
                    "it has no `name`; the role is taken to be `{stem}`"
                ));
                stem.to_owned()
            }
        };
        // Claude Code takes names with spaces; ours become part of branches.
        let dashed: String = named.split_whitespace().collect::<Vec<_>>().join("-");
        let role = Name::new(dashed).map_err(|error| error.to_string())?;
        if profile.description.trim().is_empty() {
            self.notes
                .push("it has no `description`, so Claude Code would not load it".to_owned());
        }
        if prompt.trim().is_empty() && own.as_ref().is_none_or(|own| own.prompt.is_none()) {
            self.notes.push("it has no prompt".to_owned());
        }
        Ok(RoleFile {
            role,
            prompt,
            profile,
            notes: self.notes,
            own,
        })
    }

    fn text(&mut self, key: &str, node: &Node<'_>) -> Option<String> {
        let text = fields::text(node);
        if text.is_none() {
            let line = line_of(self.text, node.at.start);
            self.notes
                .push(format!("line {line}: `{key}` is no text and not used"));
        }
        text
    }

    /// A documented field, or a key that is kept as it is.
    fn setting(&mut self, key: &str, node: &Node<'_>, profile: &mut Profile) {
        let line = line_of(self.text, node.at.start);
        let keep = |others: &mut BTreeMap<String, String>| {
            let text = fields::text(node).unwrap_or_else(|| fields::json(node).to_string());
            others.insert(key.to_owned(), text);
        };
        let Some((name, form)) = fields::field(key) else {
            let known = FIELDS.iter().map(|(name, _)| *name);
            let others = ["name", "description", "color", "director"];
            if let Some(near) = nearest(key, known.chain(others))
                && strsim::osa_distance(near, key) <= 2
            {
                let key = quote(key);
                self.notes.push(format!(
                    "line {line}: {key} is not known; did you mean `{near}`?"
                ));
            }
            return keep(&mut profile.others);
        };
        match form.take(node) {
            Ok(value) => {
                profile.settings.insert(name.to_owned(), value);
            }
            Err(wanted) => {
                self.notes.push(format!(
                    "line {line}: `{name}` has to be {wanted}; it is not used"
                ));
                keep(&mut profile.others);
            }
        }
    }

    /// What stands under `director`, and the role that it says it fills.
    fn own(&self, node: &Node<'_>) -> Result<(Written, Option<String>), String> {
        let Value::Table(entries) = &node.value else {
            let line = line_of(self.text, node.at.start);
            return Err(format!("line {line}: `director` has to be a table of keys"));
        };
        let (fills, keys): (Vec<_>, Vec<_>) = entries
            .iter()
            .cloned()
            .partition(|entry| entry.key == "role");
        let keys = Node {
            at: node.at.clone(),
            value: Value::Table(keys),
        };
        let mut problems = Problems::default();
        let (table, root) = (Shape::Table(&ROLE), shape::Path::ROOT);
        shape::check(&keys, &table, root.key("director"), &mut problems);
        for entry in &fills {
            shape::check(
                &entry.node,
                &Shape::Name,
                root.key("director").key("role"),
                &mut problems,
            );
        }
        if !problems.is_empty() {
            return Err(problems.into_errors(self.file, self.text).in_a_line());
        }
        let written = Written::of(&keys);
        if let Some(restart) = written.restart
            && restart.backoff_min > restart.backoff_max
        {
            return Err(
                "`director.restart`: `backoff_min` is longer than `backoff_max`".to_owned(),
            );
        }
        let fills = fills.first().and_then(|entry| entry.node.text());
        Ok((written, fills.map(str::to_owned)))
    }
}
