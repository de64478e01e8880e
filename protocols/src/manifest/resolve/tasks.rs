//! Tasks: each with its defaults and its role, and what they say about each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Name;
use crate::kinds;
use crate::severity::Severity;
use crate::shared::Shared;
use crate::sprint::{Class, Estimate, Expects, Priority, TASKS_MAX, TaskSpec};
use crate::time::Span;

use super::super::Purpose;
use super::super::errors::{Words, nearest, quote};
use super::super::tree::{Node, Value};
use super::team::Team;
use super::{
    Reading, budget, gates, graph, hours, name, names, run, small, task_path, text, texts,
};

/// The most ids that are compared to find the nearest one, over all problems of a file.
const COMPARED_MAX: usize = 300_000;
/// The most tasks of a cycle that are named.
const CYCLE_SHOWN_MAX: usize = 100;

/// The tasks that are left to do, those whose estimate was assumed, and those that are done.
#[derive(Default)]
pub(super) struct Tasks {
    pub specs: Vec<Shared<TaskSpec>>,
    pub assumed: Vec<Name>,
    pub unrated: Vec<Name>,
    pub unsorted: Vec<Name>,
    pub done: Vec<Name>,
}

/// Reads every `[[task]]`.
pub(super) fn tasks(
    root: &Node<'_>,
    team: &Team,
    has_repo: bool,
    reading: &mut Reading<'_>,
) -> Tasks {
    let mut read = Tasks::default();
    let Some(list) = root.field("task") else {
        return read;
    };
    let nodes = list.items();
    if nodes.is_empty() && matches!(list.value, Value::List(_)) {
        reading.problems.add(&list.at, || {
            Words::new("the sprint is empty: it has no task", "task")
                .help("add a [[task]] with an `id`")
        });
    }
    if nodes.len() > TASKS_MAX {
        reading.problems.add(&list.at, || {
            let message = format!("the sprint has {} tasks", nodes.len());
            Words::new(message, "task").help(format!(
                "a sprint can have {TASKS_MAX}; split it into several"
            ))
        });
        return read;
    }
    let places = places(nodes, reading);
    dependencies(nodes, &places, reading);
    let done: BTreeSet<&str> = nodes
        .iter()
        .filter(|node| is_done(node))
        .map(id_of)
        .collect();
    for (index, node) in nodes.iter().enumerate() {
        if let Some((mut spec, assumed)) = task(node, index, team, has_repo, reading) {
            if is_done(node) {
                read.done.push(spec.id);
                continue;
            }
            let silent = |key| node.field(key).is_none();
            if silent("kind") && silent("role") && !silent("title") {
                read.unsorted.push(spec.id.clone());
            }
            if assumed && silent("points") {
                read.unrated.push(spec.id.clone());
            }
            if assumed {
                read.assumed.push(spec.id.clone());
            }
            // What is done holds nobody up.
            spec.depends_on.retain(|id| !done.contains(id.as_str()));
            read.specs.push(spec.into());
        }
    }
    if !nodes.is_empty() && nodes.iter().all(is_done) {
        reading.problems.add(&list.at, || {
            Words::new("every task is done: there is nothing left to do", "task")
                .help("take `done = true` away from a task, or add one")
        });
    }
    without_run(nodes, reading);
    if read.specs.len() + read.done.len() == nodes.len() {
        shared_by_chance(nodes, reading);
    }
    read
}

fn is_done(node: &Node<'_>) -> bool {
    node.field("done").and_then(Node::flag) == Some(true)
}

/// Each id's place; ids that are there twice are reported.
fn places<'n>(nodes: &'n [Node<'_>], reading: &mut Reading<'_>) -> BTreeMap<&'n str, usize> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let Some(id_node) = node.field("id") else {
            continue;
        };
        let Some(id) = id_node.text() else { continue };
        let first = *places.entry(id).or_insert(index);
        if first != index
            && let Some(first) = nodes[first].field("id")
        {
            reading.problems.add(&id_node.at, || {
                Words::new(
                    format!("duplicate task id {}", quote(id)),
                    task_path(index, "id"),
                )
                .note("again here")
                .also(&first.at, "first here")
                .help("give one of them another id")
            });
        }
    }
    places
}

/// Checks every `depends_on`: what it names exists, is another task, and never waits in a circle.
fn dependencies(nodes: &[Node<'_>], places: &BTreeMap<&str, usize>, reading: &mut Reading<'_>) {
    let mut compared = 0;
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let Some(list) = node.field("depends_on") else {
            continue;
        };
        for (n, item) in list.items().iter().enumerate() {
            let Some(wanted) = item.text() else { continue };
            let key = || task_path(index, &format!("depends_on[{n}]"));
            match places.get(wanted) {
                Some(&place) if places.get(id_of(node)) == Some(&place) => {
                    reading.problems.add(&item.at, || {
                        Words::new(
                            format!("the task {} depends on itself", quote(wanted)),
                            key(),
                        )
                        .help("remove it from `depends_on`")
                    });
                }
                Some(&place) => edges[index].push(place),
                None => reading.problems.add(&item.at, || {
                    compared += places.len();
                    let near = (compared <= COMPARED_MAX)
                        .then(|| nearest(wanted, places.keys().copied()))
                        .flatten();
                    let message = format!("unknown dependency {}", quote(wanted));
                    Words::new(message, key()).help(match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => {
                            "add a [[task]] with this id, or remove it from `depends_on`".into()
                        }
                    })
                }),
            }
        }
    }
    for cycle in graph::cycles(&edges) {
        let (first, next) = (cycle[0], cycle[1 % cycle.len()]);
        let list = nodes[first].field("depends_on");
        let items = list.map_or(&[][..], Node::items);
        let Some(item) = items
            .iter()
            .find(|item| item.text() == Some(id_of(&nodes[next])))
        else {
            continue;
        };
        reading.problems.add(&item.at, || {
            let path = cycle_path(&cycle, nodes);
            Words::new(
                format!("dependency cycle: {path}"),
                task_path(first, "depends_on"),
            )
            .help("each waits for the next; remove one of these dependencies")
        });
    }
}

fn cycle_path(cycle: &[usize], nodes: &[Node<'_>]) -> String {
    let mut path: Vec<String> = cycle
        .iter()
        .take(CYCLE_SHOWN_MAX)
        .map(|&place| id_of(&nodes[place]).to_owned())
        .collect();
    if cycle.len() > CYCLE_SHOWN_MAX {
        path.push(format!("({} more)", cycle.len() - CYCLE_SHOWN_MAX));
    }
    path.push(id_of(&nodes[cycle[0]]).to_owned());
    path.join(" -> ")
}

fn id_of<'n>(node: &'n Node<'_>) -> &'n str {
    node.field("id").and_then(Node::text).unwrap_or_default()
}

/// One task and whether its estimate was assumed. `None` where a problem was reported.
fn task(
    node: &Node<'_>,
    index: usize,
    team: &Team,
    has_repo: bool,
    reading: &mut Reading<'_>,
) -> Option<(TaskSpec, bool)> {
    let id = name(node.field("id"));
    let kind = text(node.field("kind")).unwrap_or_else(|| kinds::KIND_OTHERWISE.to_owned());
    let role = role(node, index, &kind, team, reading);
    let run = node.field("run").and_then(run);
    if let Some(role) = role.map(|role| &team.roles[role])
        && role.agent.kind == "command"
        && node.field("run").is_none()
        && !is_done(node)
        && !has_slip_of("run", node)
    {
        reading.idle.push((index, role.name.to_string()));
    }
    if node.field("role").is_none() {
        near_kind(node, &kind, team, reading);
    }
    let points = small(node.field("points")).unwrap_or(1);
    let estimate = estimate(node, index, reading);
    let gates = match node.field("gates") {
        Some(table) => {
            let at = task_path(index, "gates");
            let is_role = |role: &str| team.position(role).is_some();
            gates::known_judges(Some(table), &at, reading, &is_role);
            gates::written(Some(table), &at, reading)
        }
        None => Vec::new(),
    };
    let expects = expects(node, index, &kind, has_repo, reading);
    let id = id?;
    let spec = TaskSpec {
        title: text(node.field("title")).unwrap_or_else(|| id.to_string()),
        description: text(node.field("description")).unwrap_or_default(),
        role: team.roles[role?].name.clone(),
        points,
        estimate: estimate
            .unwrap_or_else(|| Estimate::point(Span::hours(u64::from(points.max(1))))),
        depends_on: once_each(names(node.field("depends_on")), &id, reading),
        feature: name(node.field("feature")).unwrap_or_else(|| id.clone()),
        priority: priority(node),
        skills: texts(node.field("skills")).unwrap_or_default(),
        acceptance: texts(node.field("acceptance")).unwrap_or_default(),
        spec: text(node.field("spec")),
        design: text(node.field("design")),
        run,
        budget: budget::of_task(node.field("budget"), reading, &task_path(index, "budget")),
        gates,
        expects,
        produces: texts(node.field("produces")).unwrap_or_default(),
        files: texts(node.field("files")).unwrap_or_default(),
        severity: severity(node),
        class: class(node),
        test_requirements: texts(node.field("test_requirements")).unwrap_or_default(),
        deployment_requirements: texts(node.field("deployment_requirements")).unwrap_or_default(),
        source: text(node.field("source")),
        kind,
        id,
    };
    Some((spec, estimate.is_none()))
}

fn role(
    node: &Node<'_>,
    index: usize,
    kind: &str,
    team: &Team,
    reading: &mut Reading<'_>,
) -> Option<usize> {
    let (found, at, key) = match (node.field("role"), node.field("kind")) {
        (Some(role), _) => (
            team.named(role.text()?).map(|place| (place, false)),
            &role.at,
            "role",
        ),
        (None, Some(kind_node)) => (team.for_kind(kind), &kind_node.at, "kind"),
        (None, None) => (team.for_kind(kind), &node.at, "kind"),
    };
    match found {
        Ok((place, false)) => Some(place),
        Ok((place, true)) => {
            reading.warn(|| {
                format!(
                    "nobody takes the kind `{kind}` of task `{}`; `{}` covers it",
                    id_of(node),
                    team.roles[place].name
                )
            });
            Some(place)
        }
        Err(no) => {
            let who = quote(id_of(node));
            reading.problems.add(at, || {
                Words::new(no.message, task_path(index, key))
                    .note(format!("of task {who}"))
                    .help(no.help)
            });
            None
        }
    }
}

/// Tasks of command agents that have no command, by role: one problem or warning for each role.
fn without_run(nodes: &[Node<'_>], reading: &mut Reading<'_>) {
    let mut by_role: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, role) in std::mem::take(&mut reading.idle) {
        by_role.entry(role).or_default().push(index);
    }
    for (role, tasks) in by_role {
        let message = || {
            let ids: Vec<_> = tasks
                .iter()
                .take(5)
                .map(|&task| quote(id_of(&nodes[task])))
                .collect();
            let ids = ids.join(", ");
            match tasks.len() {
                1 => format!("the task {ids} has no `run`, which its command agent needs"),
                n if n > 5 => format!(
                    "{n} tasks have no `run`, which their command agents need: {ids} and others"
                ),
                n => format!("{n} tasks have no `run`, which their command agents need: {ids}"),
            }
        };
        if reading.options.purpose == Purpose::Plan {
            reading.warn(message);
            continue;
        }
        reading.problems.add(&nodes[tasks[0]].at, || {
            Words::new(message(), task_path(tasks[0], "run")).help(format!(
                "add run = \"...\", or let other agents fill their role: [team.{role}] agent = \"claude\""
            ))
        });
    }
}

/// Whether a key of the table is this one with a slip in it, which is reported as an unknown key.
fn has_slip_of(key: &str, node: &Node<'_>) -> bool {
    let mut entries = node.entries().iter();
    entries.any(|entry| strsim::osa_distance(&entry.key, key) == 1)
}

/// Warns of a kind that looks like a slip in a known one: it is allowed and goes to another role.
fn near_kind(node: &Node<'_>, kind: &str, team: &Team, reading: &mut Reading<'_>) {
    if kinds::known(kind).is_some() || team.takes(kind) {
        return;
    }
    let close = |known: &&kinds::Kind| strsim::osa_distance(known.name, kind) <= 2;
    if let Some(known) = kinds::KINDS.iter().find(close) {
        reading.warn(|| {
            let (id, near) = (id_of(node), known.name);
            format!("task `{id}` has a kind of its own, `{kind}`; did you mean `{near}`?")
        });
    }
}

/// The estimate; `None` where there is none or it was refused.
fn estimate(node: &Node<'_>, index: usize, reading: &mut Reading<'_>) -> Option<Estimate> {
    let (three, one) = (node.field("estimate"), node.field("hours"));
    if let (Some(three), Some(one)) = (three, one) {
        reading.problems.add(&one.at, || {
            Words::new(
                "the task has both `estimate` and `hours`",
                task_path(index, "hours"),
            )
            .also(&three.at, "the estimate")
            .help("remove one of them")
        });
    }
    let node = three.or(one)?;
    if let Some(span) = hours(Some(node)) {
        return Some(Estimate::point(span));
    }
    let estimate = Estimate {
        optimistic: hours(node.field("optimistic"))?,
        likely: hours(node.field("likely"))?,
        pessimistic: hours(node.field("pessimistic"))?,
    };
    if estimate.optimistic > estimate.likely || estimate.likely > estimate.pessimistic {
        reading.problems.add(&node.at, || {
            Words::new(
                format!(
                    "the estimate is out of order: optimistic {}, likely {}, pessimistic {}",
                    estimate.optimistic.as_hours(),
                    estimate.likely.as_hours(),
                    estimate.pessimistic.as_hours()
                ),
                task_path(index, "estimate"),
            )
            .help("optimistic may not be over likely, and likely not over pessimistic")
        });
    }
    Some(estimate)
}

fn expects(
    node: &Node<'_>,
    index: usize,
    kind: &str,
    has_repo: bool,
    reading: &mut Reading<'_>,
) -> Expects {
    let Some(written) = node.field("expects") else {
        return kinds::expects_of(kind, has_repo);
    };
    match written.text() {
        Some("changes") if !has_repo => {
            reading.problems.add(&written.at, || {
                Words::new(
                    "changes cannot be expected without a repository",
                    task_path(index, "expects"),
                )
                .help("add `repo = \".\"` under [sprint], or expect \"artifact\" or \"nothing\"")
            });
            Expects::Changes
        }
        Some("artifact") => Expects::Artifact,
        Some("nothing") => Expects::Nothing,
        _ => Expects::Changes,
    }
}

pub(super) fn priority(node: &Node<'_>) -> Priority {
    match node.field("priority").and_then(Node::text) {
        Some("low") => Priority::Low,
        Some("high") => Priority::High,
        Some("critical") => Priority::Critical,
        _ => Priority::Normal,
    }
}

fn severity(node: &Node<'_>) -> Option<Severity> {
    match node.field("severity")?.text()? {
        "low" => Some(Severity::Low),
        "medium" => Some(Severity::Medium),
        "high" => Some(Severity::High),
        "critical" => Some(Severity::Critical),
        _ => None,
    }
}

fn class(node: &Node<'_>) -> Class {
    match node.field("class").and_then(Node::text) {
        Some("debt") => Class::Debt,
        Some("infrastructure") => Class::Infrastructure,
        _ => Class::Feature,
    }
}

fn once_each(names: Vec<Name>, id: &Name, reading: &mut Reading<'_>) -> Vec<Name> {
    let mut seen = std::collections::BTreeSet::new();
    let all = names.len();
    let once: Vec<Name> = names
        .into_iter()
        .filter(|name| seen.insert(name.clone()))
        .collect();
    if once.len() < all {
        reading.warn(|| format!("task `{id}` names a dependency twice"));
    }
    once
}

/// Warns of a task that shares a worktree only because its id is the name of a feature.
fn shared_by_chance(nodes: &[Node<'_>], reading: &mut Reading<'_>) {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for node in nodes {
        if let Some(feature) = node.field("feature").and_then(Node::text) {
            *named.entry(feature).or_default() += 1;
        }
    }
    for node in nodes.iter().filter(|node| node.field("feature").is_none()) {
        let id = id_of(node);
        if named.contains_key(id) {
            reading.warn(|| format!(
                "task `{id}` has no `feature` and shares the worktree of the feature `{id}`; write `feature` to say so"
            ));
        }
    }
}
