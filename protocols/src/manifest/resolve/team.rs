//! The team: roles with their defaults, the agents that fill them, and which role a kind of task goes to.
//!
//! The nine default roles come first, in their order, then the file's own; with `only = true` the file's roles
//! alone. What the sprint file says of a role is stronger than its role file, and that is stronger than the default. A role with `count = 0` is not in the team, but remembered, so that errors can say why nobody is there.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Name;
use crate::kinds;
use crate::roles::{self, default_team, unwritten};
use crate::sandbox::Sandbox;
use crate::sprint::{AGENTS_MAX, AgentSpec, DirectorSpec, OnConflict, RoleSpec, RunSpec};

use super::super::AGENT_KINDS;
use super::super::errors::{Words, did_you_mean, nearest, quote};
use super::super::role_file::{Library, RoleFile};
use super::super::tree::{Node, Value};
use super::sandbox::Kept;
use super::{Reading, Written, budget, run, text, texts};

/// The kind that stands for every kind that no other role takes.
const EVERY_KIND: &str = "*";

/// The roles, and who does what.
pub(super) struct Team {
    pub roles: Vec<RoleSpec>,
    /// The kinds that the file sends to a role, with the role's place.
    pub(super) kinds: BTreeMap<String, usize>,
    /// The kinds that a role of the file can take over.
    pub(super) covers: BTreeMap<String, usize>,
    /// Roles that the file takes out with `count = 0`.
    pub(super) empty: BTreeSet<String>,
}

/// Why a task has no role.
pub(super) struct NoRole {
    pub message: String,
    pub help: String,
}

impl Team {
    pub fn position(&self, role: &str) -> Option<usize> {
        self.roles
            .iter()
            .position(|spec| spec.name.as_str() == role)
    }

    /// Whether the file sends this kind to a role.
    pub fn takes(&self, kind: &str) -> bool {
        self.kinds.contains_key(kind)
    }

    /// The role that a task names itself.
    pub fn named(&self, role: &str) -> Result<usize, NoRole> {
        self.position(role).ok_or_else(|| {
            let names = self.roles.iter().map(|spec| spec.name.as_str());
            let help = match nearest(role, names) {
                _ if self.empty.contains(role) => {
                    format!("[team.{role}] has `count = 0`; make it at least 1")
                }
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add [team.{role}], or name one of: {}", self.list()),
            };
            let message = format!("nobody fills the role {}", quote(role));
            NoRole { message, help }
        })
    }

    /// The role for a kind: what the file says, then the default, then who covers it. `true` where a role only
    /// covers it.
    pub fn for_kind(&self, kind: &str) -> Result<(usize, bool), NoRole> {
        let usual = kinds::role_of(kind);
        let found = self
            .kinds
            .get(kind)
            .copied()
            .or_else(|| self.position(usual))
            .or_else(|| self.kinds.get(EVERY_KIND).copied());
        if let Some(role) = found {
            return Ok((role, false));
        }
        if let Some(&role) = self.covers.get(kind) {
            return Ok((role, true));
        }
        let why = if self.empty.contains(usual) {
            format!("give [team.{usual}] a `count` of at least 1")
        } else {
            format!("add [team.{usual}], which `only = true` dropped")
        };
        Err(NoRole {
            message: format!(
                "nobody fills the role `{usual}`, which does tasks of kind {}",
                quote(kind)
            ),
            help: format!(
                "{why}, or give another role `kinds = [\"{}\"]`, or name one in the task's `role`: {}",
                kind.chars().take(60).collect::<String>(),
                self.list()
            ),
        })
    }

    fn list(&self) -> String {
        let names: Vec<_> = self.roles.iter().map(|spec| spec.name.as_str()).collect();
        match names.len() {
            0 => "(the team is empty)".into(),
            1..=20 => names.join(", "),
            more => format!("{} and {} more", names[..20].join(", "), more - 20),
        }
    }
}

/// Reads `[team]` and `[agent]`, over what `library` says of the roles; `sandbox` is what is written in `[sandbox]`.
pub(super) fn team(
    root: &Node<'_>,
    library: &Library,
    sandbox: Option<&Sandbox>,
    reading: &mut Reading<'_>,
) -> Team {
    let agents = agents(root.field("agent"), reading);
    let written = root.field("team");
    let only = written.and_then(|team| team.field("only")?.flag()) == Some(true);
    let entries = written.map_or(&[][..], Node::entries);
    let mut drafts = Drafts::begin(if only { Vec::new() } else { default_team() });
    let shelf = shelf(library, &agents, reading);
    if !only {
        // A file of a default role says what that role is; any other waits until somebody names it, unless it was
        // written for us.
        for file in shelf.values() {
            if drafts.place(&file.role).is_some() || file.own.is_some() {
                drafts.take_file(file, &agents);
            }
        }
        for name in names_of_tasks(root) {
            if drafts.place(&name).is_none()
                && let Some(file) = shelf.get(name.as_str())
            {
                drafts.take_file(file, &agents);
            }
        }
    }
    for entry in entries {
        if !matches!(entry.node.value, Value::Table(_)) {
            continue;
        }
        let Ok(name) = Name::new(entry.key.as_ref()) else {
            continue;
        };
        if drafts.place(&name).is_none() {
            match shelf.get(name.as_str()) {
                Some(file) => drafts.take_file(file, &agents),
                None => {
                    if !only && let Some(near) = near_default(&name) {
                        reading.warn(|| {
                            format!("[team.{name}] is a role of its own; did you mean `{near}`?")
                        });
                    }
                }
            }
        }
        let draft = drafts.at(name);
        let keys = Written::of(&entry.node);
        keys.fill(&mut draft.role);
        draft.kinds = keys.kinds.or(draft.kinds.take());
        draft.covers = keys.covers.or(draft.covers.take());
        draft.conflicts = keys.conflicts.or(draft.conflicts);
        draft.isolation = keys.isolation.or(draft.isolation);
        checked(&mut draft.role, &entry.node, &agents, reading);
    }
    let drafts = drafts.list;
    limit(&drafts, written, reading);

    let mut team = Team {
        roles: Vec::new(),
        kinds: BTreeMap::new(),
        covers: BTreeMap::new(),
        empty: BTreeSet::new(),
    };
    for draft in drafts {
        let mut role = draft.role;
        role.conflicts = draft
            .conflicts
            .unwrap_or_else(|| OnConflict::usual(&role.agent.kind));
        Kept::fill(draft.isolation, sandbox, &mut role);
        if role.count == 0 {
            team.empty.insert(role.name.to_string());
            continue;
        }
        let now = team.roles.len();
        for (key, words, map) in [
            ("kinds", draft.kinds, &mut team.kinds),
            ("covers", draft.covers, &mut team.covers),
        ] {
            for kind in words.unwrap_or_default() {
                let first = *map.entry(kind.clone()).or_insert(now);
                if key == "kinds" && first != now {
                    let first: &RoleSpec = &team.roles[first];
                    reading.warn(|| {
                        format!(
                            "both `{}` and `{}` take the kind `{kind}`; its tasks go to the first",
                            first.name, role.name
                        )
                    });
                }
            }
        }
        team.roles.push(role);
    }
    team
}

/// The director's own role: its file, or the one that is built in.
pub(super) fn director(library: &Library, reading: &mut Reading<'_>) -> DirectorSpec {
    let mut director = roles::director();
    let Some(file) = library.files.iter().find(|file| is_director(file)) else {
        return director;
    };
    let own = file.own.as_ref();
    let prompt = own
        .and_then(|own| own.prompt.as_ref())
        .unwrap_or(&file.prompt);
    if !prompt.is_empty() {
        director.prompt.clone_from(prompt);
    }
    if let Some(kind) = own.and_then(|own| own.agent.as_ref()) {
        director.agent = AgentSpec::of_kind(kind);
    }
    if own.is_some_and(|own| own.count.is_some() || own.kinds.is_some()) {
        reading.warn(|| {
            let file = file.profile.file.as_deref().unwrap_or_default();
            format!("`{file}` is the director's own role, which takes no tasks: `count` and `kinds` are not used")
        });
    }
    director.profile = file.profile.clone();
    director
}

fn is_director(file: &RoleFile) -> bool {
    file.role.as_str() == roles::DIRECTOR
}

/// Role files by role, without the director's and those that name an agent that nobody has.
fn shelf<'l>(
    library: &'l Library,
    agents: &Agents<'_>,
    reading: &mut Reading<'_>,
) -> BTreeMap<&'l str, &'l RoleFile> {
    let mut shelf = BTreeMap::new();
    for file in library.files.iter().filter(|file| !is_director(file)) {
        let agent = file.own.as_ref().and_then(|own| own.agent.as_deref());
        match agent.filter(|word| agents.find(word).is_none()) {
            Some(word) => reading.warn(|| {
                format!(
                    "`{}` is skipped: unknown agent {}; {}",
                    file.profile.file.as_deref().unwrap_or_default(),
                    quote(word),
                    agents.help(word)
                )
            }),
            None => {
                shelf.insert(file.role.as_str(), file);
            }
        }
    }
    shelf
}

/// The roles that tasks name themselves.
fn names_of_tasks(root: &Node<'_>) -> BTreeSet<Name> {
    let tasks = root.field("task").map_or(&[][..], Node::items);
    let roles = tasks.iter().filter_map(|task| task.field("role")?.text());
    roles.filter_map(|role| Name::new(role).ok()).collect()
}

/// A role while it is put together.
struct Draft {
    role: RoleSpec,
    /// What somebody wrote of these, beside what is usual.
    kinds: Option<Vec<String>>,
    covers: Option<Vec<String>>,
    /// What somebody wrote; the agent's kind decides otherwise.
    conflicts: Option<OnConflict>,
    isolation: Option<Kept>,
}

struct Drafts {
    list: Vec<Draft>,
    places: BTreeMap<Name, usize>,
}

impl Drafts {
    fn begin(roles: Vec<RoleSpec>) -> Self {
        let mut drafts = Self {
            list: Vec::new(),
            places: BTreeMap::new(),
        };
        for role in roles {
            drafts.push(role);
        }
        drafts
    }

    fn push(&mut self, role: RoleSpec) -> usize {
        self.places.insert(role.name.clone(), self.list.len());
        self.list.push(Draft {
            role,
            kinds: None,
            covers: None,
            conflicts: None,
            isolation: None,
        });
        self.list.len() - 1
    }

    fn place(&self, name: &Name) -> Option<usize> {
        self.places.get(name).copied()
    }

    fn at(&mut self, name: Name) -> &mut Draft {
        let place = self.place(&name);
        let place = place.unwrap_or_else(|| self.push(unwritten(name)));
        &mut self.list[place]
    }

    /// Puts what a role file says into its role.
    fn take_file(&mut self, file: &RoleFile, agents: &Agents<'_>) {
        let draft = self.at(file.role.clone());
        if !file.prompt.is_empty() {
            draft.role.prompt.clone_from(&file.prompt);
        }
        draft.role.profile = file.profile.clone();
        let Some(own) = &file.own else { return };
        own.fill(&mut draft.role);
        draft.kinds.clone_from(&own.kinds);
        draft.covers.clone_from(&own.covers);
        draft.conflicts = own.conflicts;
        draft.isolation = own.isolation;
        if let Some(agent) = own.agent.as_deref().and_then(|word| agents.find(word)) {
            draft.role.agent = agent;
        }
    }
}

fn near_default(name: &Name) -> Option<&'static str> {
    let close = |role: &&str| strsim::osa_distance(role, name.as_str()) <= 2;
    let mut names = crate::roles::ROLES.iter().map(|role| role.name);
    names.find(close)
}

/// Looks up the agent that the sprint file names, and checks what only it can get wrong.
fn checked(role: &mut RoleSpec, node: &Node<'_>, agents: &Agents<'_>, reading: &mut Reading<'_>) {
    if let Some(written) = node.field("agent")
        && let Some(word) = written.text()
    {
        match agents.find(word) {
            Some(agent) => role.agent = agent,
            None => {
                let key = format!("team.{}.agent", role.name);
                reading.problems.add(&written.at, || {
                    Words::new(format!("unknown agent {}", quote(word)), key)
                        .help(agents.help(word))
                });
            }
        }
    }
    if let Some(budget) = node.field("budget") {
        budget::checked(budget, reading, &format!("team.{}.budget", role.name));
    }
    reading.ordered(
        node.field("restart"),
        ("backoff_min", role.restart.backoff_min),
        ("backoff_max", role.restart.backoff_max),
        &format!("team.{}.restart", role.name),
    );
}

fn limit(drafts: &[Draft], written: Option<&Node<'_>>, reading: &mut Reading<'_>) {
    let counts = drafts.iter().map(|draft| draft.role.count);
    let sum: u64 = counts.clone().map(u64::from).sum();
    let each_is_fine = counts.clone().all(|count| count <= AGENTS_MAX);
    let nowhere = Node {
        at: 0..0,
        value: Value::Null,
    };
    if each_is_fine
        && let node = written.unwrap_or(&nowhere)
        && sum > u64::from(AGENTS_MAX)
    {
        reading.problems.add(&node.at, || {
            Words::new(format!("the team has {sum} agents"), "team")
                .help(format!("a team can have {AGENTS_MAX}; lower the counts"))
        });
    }
}

/// The agents that a role can name.
struct Agents<'a> {
    defined: BTreeMap<String, AgentSpec>,
    known: Vec<&'a str>,
}

impl Agents<'_> {
    fn find(&self, word: &str) -> Option<AgentSpec> {
        let known = || self.known.contains(&word);
        let defined = self.defined.get(word).cloned();
        defined.or_else(|| known().then(|| AgentSpec::of_kind(word)))
    }

    fn help(&self, word: &str) -> String {
        let all = || {
            self.defined
                .keys()
                .map(String::as_str)
                .chain(self.known.iter().copied())
        };
        match nearest(word, all()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let some: Vec<_> = all().take(40).collect();
                format!(
                    "use one of: {}; or define it as an [agent.NAME] with its `kind`",
                    some.join(", ")
                )
            }
        }
    }
}

fn agents<'a>(node: Option<&Node<'_>>, reading: &mut Reading<'a>) -> Agents<'a> {
    let mut known: Vec<&'a str> = AGENT_KINDS.to_vec();
    // A program also registers the kinds that any file may name.
    let registered = reading.options.known_agents.iter();
    known.extend(registered.filter(|kind| !AGENT_KINDS.contains(*kind)));
    let mut defined = BTreeMap::new();
    for entry in node.map_or(&[][..], Node::entries) {
        let agent = &entry.node;
        let own = entry.key.as_ref();
        let kind = match agent.field("kind") {
            Some(kind) => kind.text().map(|word| (word, &kind.at)),
            None => Some((own, &entry.key_at)),
        };
        // A kind of the wrong type is reported already.
        let Some((kind, at)) = kind else { continue };
        if !known.contains(&kind) {
            reading.problems.add(at, || {
                let key = format!("agent.{}.kind", own.chars().take(60).collect::<String>());
                if agent.field("kind").is_none() {
                    let message = format!("the agent {} has no `kind`", quote(own));
                    Words::new(message, key)
                        .help(format!("add `kind`, one of: {}", known.join(", ")))
                } else {
                    let help = did_you_mean(kind, &known);
                    Words::new(format!("unknown kind of agent {}", quote(kind)), key).help(help)
                }
            });
        }
        // Defined in any case, so that a role that names it is not reported too.
        defined.insert(own.to_owned(), settings(agent, kind));
    }
    Agents { defined, known }
}

fn settings(node: &Node<'_>, kind: &str) -> AgentSpec {
    let options = node.field("options").map_or(&[][..], Node::entries);
    AgentSpec {
        kind: kind.to_owned(),
        model: text(node.field("model")),
        program: node
            .field("program")
            .and_then(run)
            .map(|program| match program {
                RunSpec::Shell(one) => vec![one],
                RunSpec::Exec(words) => words,
            }),
        env: texts(node.field("env")).unwrap_or_default(),
        options: options
            .iter()
            .filter_map(|entry| Some((entry.key.clone().into_owned(), setting(&entry.node)?)))
            .collect(),
        account: text(node.field("account")),
    }
}

fn setting(node: &Node<'_>) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone().into_owned()),
        Value::Whole(n) => Some(n.to_string()),
        Value::Number(n) => Some(n.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        _ => None,
    }
}
