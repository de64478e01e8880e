//! From a checked tree to an epic, and from an agent's answer to a plan for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::epic::{Architecture, Danger, EpicSpec, FeatureSpec, Proposal};
use crate::kinds;
use crate::sprint::{Class, Expects, RoleSpec};
use crate::time::Span;

use super::super::Options;
use super::super::errors::{Problems, Words, nearest, quote};
use super::super::tree::Node;
use super::{
    Reading, date, gates, graph, hours, library, name, names, small, tasks, team, text, texts,
};

/// Points for sizes, in the order of [`super::super::keys_epic::SIZES`].
const SIZES: [(&str, u32); 5] = [("XS", 1), ("S", 2), ("M", 5), ("L", 8), ("XL", 13)];

/// Reads an epic and what is to be warned of. `None` only where a problem was reported.
pub(in crate::manifest) fn epic(
    root: &Node<'_>,
    options: &Options<'_>,
    problems: &mut Problems,
) -> Option<(EpicSpec, Vec<String>)> {
    let mut reading = reading(options, problems);
    let table = root.field("epic");
    let field = |key| table.and_then(|table| table.field(key));
    let repo = field("repo").and_then(|node| reading.repo(node));
    reading.days(field("start"), field("end"));
    let library = library(options, repo.as_deref());
    for remark in library.remarks() {
        reading.warn(|| remark);
    }
    let team = team::team(root, &library, None, &mut reading);
    let director = team::director(&library, &mut reading);
    let gates = gates::of_sprint(root.field("gates"), &mut reading);
    let features = features(
        root.field("feature").map_or(&[][..], Node::items),
        &mut reading,
    );
    let warnings = std::mem::take(&mut reading.warnings);
    let id = name(field("id"))?;
    let spec = EpicSpec {
        title: text(field("title")).unwrap_or_else(|| id.to_string()),
        goal: text(field("goal")).unwrap_or_default(),
        spec: text(field("spec")),
        design: text(field("design")),
        acceptance: texts(field("acceptance")).unwrap_or_default(),
        risks: texts(field("risks")).unwrap_or_default(),
        start: date(field("start")),
        end: date(field("end")),
        day: hours(field("hours_per_day")).unwrap_or(Span::hours(8)),
        sprint_days: small(field("sprint_days")).unwrap_or(10),
        point: hours(field("hours_per_point")).unwrap_or(Span::hours(4)),
        repo: text(field("repo")),
        base: text(field("base")),
        team: team.roles,
        director,
        gates,
        features,
        id,
    };
    Some((spec, warnings))
}

fn reading<'r>(options: &'r Options<'r>, problems: &'r mut Problems) -> Reading<'r> {
    Reading {
        options,
        problems,
        warnings: Vec::new(),
        more_warnings: 0,
        idle: Vec::new(),
    }
}

fn features(nodes: &[Node<'_>], reading: &mut Reading<'_>) -> Vec<FeatureSpec> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let id = |node: &Node<'_>| {
        node.field("id")
            .and_then(Node::text)
            .unwrap_or_default()
            .to_owned()
    };
    for (at, node) in nodes.iter().enumerate() {
        let Some(own) = node.field("id") else {
            continue;
        };
        let Some(word) = own.text() else { continue };
        if *places.entry(word).or_insert(at) != at {
            reading.problems.add(&own.at, || {
                Words::new(
                    format!("duplicate feature id {}", quote(word)),
                    format!("feature[{at}].id"),
                )
                .help("give one of them another id")
            });
        }
    }
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        for item in node.field("depends_on").map_or(&[][..], Node::items) {
            let Some(wanted) = item.text() else { continue };
            match places.get(wanted) {
                Some(&to) => edges[at].push(to),
                None => reading.problems.add(&item.at, || {
                    let near = nearest(wanted, places.keys().copied());
                    let words = Words::new(
                        format!("unknown feature {}", quote(wanted)),
                        format!("feature[{at}].depends_on"),
                    );
                    words.help(
                        near.map_or("add a [[feature]] with this id".to_owned(), |near| {
                            format!("did you mean `{near}`?")
                        }),
                    )
                }),
            }
        }
    }
    for cycle in graph::cycles(&edges) {
        let node = &nodes[cycle[0]];
        reading.problems.add(&node.at, || {
            let path: Vec<_> = cycle
                .iter()
                .chain(&cycle[..1])
                .take(50)
                .map(|&at| id(&nodes[at]))
                .collect();
            Words::new(
                format!("features wait for each other: {}", path.join(" -> ")),
                "feature",
            )
            .help("remove one of these dependencies")
        });
    }
    nodes.iter().filter_map(feature).collect()
}

fn feature(node: &Node<'_>) -> Option<FeatureSpec> {
    let id = name(node.field("id"))?;
    let surfaces = texts(node.field("surfaces")).unwrap_or_default();
    let size = text(node.field("size")).unwrap_or_else(|| "M".to_owned());
    let size = SIZES
        .iter()
        .find(|(word, _)| *word == size)
        .map_or(5, |(_, points)| *points);
    Some(FeatureSpec {
        title: text(node.field("title")).unwrap_or_else(|| id.to_string()),
        description: text(node.field("description")).unwrap_or_default(),
        ui: surfaces.iter().any(|word| word == "ui"),
        api: surfaces.iter().any(|word| word == "api"),
        points: small(node.field("points")).unwrap_or(size),
        research: text(node.field("research")),
        depends_on: names(node.field("depends_on")),
        acceptance: texts(node.field("acceptance")).unwrap_or_default(),
        spec: text(node.field("spec")),
        design: text(node.field("design")),
        priority: tasks::priority(node),
        class: match text(node.field("class")).as_deref() {
            Some("debt") => Class::Debt,
            Some("infrastructure") => Class::Infrastructure,
            _ => Class::Feature,
        },
        deployment_requirements: texts(node.field("deployment_requirements")).unwrap_or_default(),
        id,
    })
}

/// Reads an agent's plan for an epic, and refuses what leaves something out. `None` only where a problem was reported.
pub(in crate::manifest) fn proposal(
    root: &Node<'_>,
    epic: &EpicSpec,
    options: &Options<'_>,
    problems: &mut Problems,
) -> Option<Proposal> {
    let mut reading = reading(options, problems);
    let team = team::Team::of(epic.team.clone());
    let tasks = tasks::tasks(root, &team, epic.repo.is_some(), &mut reading).specs;
    let at = |key: &str| root.field(key).map_or(0..0, |node| node.at.clone());
    let mut ask = |wrong: bool, message: String, help: &str| {
        if wrong {
            reading
                .problems
                .add(&at("task"), || Words::new(message, "task").help(help));
        }
    };
    let kind = |wanted: &str| tasks.iter().any(|task| task.kind == wanted);
    ask(
        !kind("architecture"),
        "no task is of the kind `architecture`".into(),
        "add one that decides how the epic is built",
    );
    for feature in &epic.features {
        let of: Vec<_> = tasks
            .iter()
            .filter(|task| task.feature == feature.id)
            .collect();
        let id = &feature.id;
        ask(
            of.is_empty(),
            format!("no task has the feature `{id}`"),
            "add the tasks that build it, with `feature`",
        );
        for (kind, what) in [("testing", "tests it"), ("review", "reviews it")] {
            let missing = !of.is_empty() && !of.iter().any(|task| task.kind == kind);
            ask(
                missing,
                format!("no task of the kind `{kind}` {what}: feature `{id}`"),
                "add one",
            );
        }
    }
    ask(
        !kind("documentation"),
        "no task is of the kind `documentation`".into(),
        "add what has to be written; let it wait for the design, not for the code",
    );
    let known: BTreeSet<&str> = kinds::KINDS.iter().map(|kind| kind.name).collect();
    for task in &tasks {
        let id = &task.id;
        let own = !known.contains(task.kind.as_str());
        ask(
            own,
            format!("task `{id}` has the unknown kind `{}`", task.kind),
            "use one of the kinds of the schema",
        );
        let unchecked = task.acceptance.is_empty() && task.expects == Expects::Changes;
        ask(
            unchecked,
            format!("task `{id}` has no `acceptance`"),
            "write what has to be true when it is done",
        );
        let large = task.estimate.likely > Span(epic.day.0.saturating_mul(3));
        ask(
            large,
            format!(
                "task `{id}` takes {} hours",
                task.estimate.likely.as_hours()
            ),
            "split what takes more than three days",
        );
    }
    let plan = root.field("architecture_plan");
    let part = |key| plan.and_then(|plan| plan.field(key));
    let dangers = root.field("risk_mitigation").map_or(&[][..], Node::items);
    Some(Proposal {
        architecture: Architecture {
            summary: text(part("summary"))?,
            decisions: texts(part("decisions")).unwrap_or_default(),
            interfaces: texts(part("interfaces")).unwrap_or_default(),
        },
        tasks,
        risks: dangers
            .iter()
            .map(|node| {
                let word = |key| text(node.field(key)).unwrap_or_default();
                Danger {
                    risk: word("risk"),
                    trigger: word("trigger"),
                    mitigation: word("mitigation"),
                    fallback: word("fallback"),
                }
            })
            .collect(),
    })
}

impl team::Team {
    /// A team whose roles are known already.
    fn of(roles: Vec<RoleSpec>) -> Self {
        let mut own = BTreeMap::new();
        for (place, role) in roles.iter().enumerate() {
            // What a role takes beside what it takes anyway, the epic's file has given it.
            let given = role
                .kinds
                .iter()
                .filter(|kind| kinds::role_of(kind) != role.name.as_str());
            for kind in given {
                own.entry(kind.clone()).or_insert(place);
            }
        }
        Self {
            roles,
            kinds: own,
            covers: BTreeMap::new(),
            empty: BTreeSet::new(),
        }
    }
}
