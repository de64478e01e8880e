//! The team: roles with their defaults, the agents that fill them, and which role a kind of task goes to.
//!
//! The nine default roles come first, in their order, then the file's own; with `only = true` the file's roles
//! alone. A role with `count = 0` is not in the team, but remembered, so that errors can say why nobody is there.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Name;
use crate::kinds;
use crate::roles::{default_team, unwritten};
use crate::sprint::{AGENTS_MAX, AgentSpec, Isolation, OnConflict, RestartSpec, RoleSpec, RunSpec};

use super::super::AGENT_KINDS;
use super::super::errors::{Words, did_you_mean, nearest, quote};
use super::super::tree::{Node, Value};
use super::{Reading, duration, hours, run, small, text, texts};

/// The kind that stands for every kind that no other role takes.
const EVERY_KIND: &str = "*";

/// The roles, and who does what.
pub(super) struct Team {
    pub roles: Vec<RoleSpec>,
    /// The kinds that the file sends to a role, with the role's place.
    kinds: BTreeMap<String, usize>,
    /// The kinds that a role of the file can take over.
    covers: BTreeMap<String, usize>,
    /// Roles that the file takes out with `count = 0`.
    empty: BTreeSet<String>,
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

/// Reads `[team]` and `[agent]`.
pub(super) fn team(root: &Node<'_>, reading: &mut Reading<'_>) -> Team {
    let agents = agents(root.field("agent"), reading);
    let written = root.field("team");
    let only = written.and_then(|team| team.field("only")?.flag()) == Some(true);
    let mut roles = if only { Vec::new() } else { default_team() };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (place, role) in roles.iter().enumerate() {
        places.insert(role.name.to_string(), place);
    }
    let entries = written.map_or(&[][..], Node::entries);
    let mut wrote: Vec<(usize, &Node<'_>)> = Vec::new();
    for entry in entries {
        if !matches!(entry.node.value, Value::Table(_)) {
            continue;
        }
        let Ok(name) = Name::new(entry.key.as_ref()) else {
            continue;
        };
        let place = *places.entry(name.to_string()).or_insert_with(|| {
            if !only && let Some(near) = near_default(&name) {
                reading
                    .warn(|| format!("[team.{name}] is a role of its own; did you mean `{near}`?"));
            }
            roles.push(unwritten(name));
            roles.len() - 1
        });
        fill(&mut roles[place], &entry.node, &agents, reading);
        wrote.push((place, &entry.node));
    }
    limit(&roles, written, reading);

    let mut team = Team {
        roles: Vec::new(),
        kinds: BTreeMap::new(),
        covers: BTreeMap::new(),
        empty: BTreeSet::new(),
    };
    let wrote: BTreeMap<usize, &Node<'_>> = wrote.into_iter().collect();
    for (place, role) in roles.into_iter().enumerate() {
        if role.count == 0 {
            team.empty.insert(role.name.to_string());
            continue;
        }
        let now = team.roles.len();
        for (key, map) in [("kinds", &mut team.kinds), ("covers", &mut team.covers)] {
            let node = wrote.get(&place).and_then(|node| node.field(key));
            for kind in texts(node).unwrap_or_default() {
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

fn near_default(name: &Name) -> Option<&'static str> {
    let close = |role: &&str| strsim::osa_distance(role, name.as_str()) <= 2;
    let mut names = crate::roles::ROLES.iter().map(|role| role.name);
    names.find(close)
}

fn fill(role: &mut RoleSpec, node: &Node<'_>, agents: &Agents<'_>, reading: &mut Reading<'_>) {
    if let Some(count) = small(node.field("count")) {
        role.count = count;
    }
    role.capacity = hours(node.field("capacity"));
    for (key, list) in [
        ("skills", &mut role.skills),
        ("kinds", &mut role.kinds),
        ("covers", &mut role.covers),
    ] {
        if let Some(words) = texts(node.field(key)) {
            *list = words;
        }
    }
    if let Some(prompt) = text(node.field("prompt")) {
        role.prompt = prompt;
    }
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
    if text(node.field("isolation")).as_deref() == Some("clone") {
        role.isolation = Isolation::Clone;
    }
    role.conflicts = match text(node.field("conflicts")).as_deref() {
        Some("resolve") => OnConflict::Resolve,
        Some(_) => OnConflict::Redo,
        None => OnConflict::usual(&role.agent.kind),
    };
    if let Some(restart) = node.field("restart") {
        role.restart = restarts(restart, role.name.as_str(), reading);
    }
}

fn restarts(node: &Node<'_>, role: &str, reading: &mut Reading<'_>) -> RestartSpec {
    let usual = RestartSpec::default();
    let time = |key, usual| duration(node.field(key)).unwrap_or(usual);
    let restart = RestartSpec {
        intensity: small(node.field("intensity")).unwrap_or(usual.intensity),
        within: time("within", usual.within),
        backoff_min: time("backoff_min", usual.backoff_min),
        backoff_max: time("backoff_max", usual.backoff_max),
    };
    reading.ordered(
        Some(node),
        ("backoff_min", restart.backoff_min),
        ("backoff_max", restart.backoff_max),
        &format!("team.{role}.restart"),
    );
    restart
}

fn limit(roles: &[RoleSpec], written: Option<&Node<'_>>, reading: &mut Reading<'_>) {
    let sum: u64 = roles.iter().map(|role| u64::from(role.count)).sum();
    let each_is_fine = roles.iter().all(|role| role.count <= AGENTS_MAX);
    if let Some(node) = written
        && each_is_fine
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
    known.extend(reading.options.known_agents);
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
