//! A sprint as a file: TOML that reads back to the same sprint, with what has its default left out.
//!
//! Each part is taken apart field by field, so that a new one cannot be forgotten here.
//!
//! Invariant: reading what was written gives the sprint that was written; a test over every example keeps it so.
//! Elsewhere: reading is the rest of this folder.

mod budget;
mod gates;
mod sandbox;
mod team;
mod ways;

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use self::budget::BudgetOut;
use self::sandbox::SandboxOut;
use self::team::{Agent, TeamEntry};
use self::ways::WaysOut;
use crate::kinds;
use crate::sprint::{Class, Estimate, Expects, Policy, Priority, RunSpec, SprintSpec, TaskSpec};
use crate::time::Span;

/// The sprint as TOML; `about` becomes a comment at the top.
pub fn write(spec: &SprintSpec, about: &str) -> String {
    let mut out = String::new();
    for line in about.lines() {
        out.push_str("# ");
        // A comment ends with its line, and TOML has no control characters in it.
        out.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
        out.push('\n');
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let file = File::of(spec);
    out += &toml(&file.top);
    out += &gates::of_sprint(&spec.gates);
    if !file.limits.is_empty() {
        out.push('\n');
        out += &toml(&file.limits);
    }
    if !file.ways.is_empty() {
        out.push('\n');
        out += &toml(&file.ways);
    }
    for (task, written) in spec.tasks.iter().zip(file.tasks) {
        out.push('\n');
        out += &toml(&Tasks { task: [written] });
        out += &gates::of_task(&task.gates);
    }
    out
}

/// A part of the file. Text, numbers, lists and tables with text for keys: there is nothing that TOML could not say.
fn toml(part: &impl Serialize) -> String {
    toml::to_string_pretty(part).unwrap_or_default()
}

/// A table whose keys keep their order.
struct Ordered<T>(Vec<(String, T)>);

impl<T> Ordered<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// The parts of a file, in the order in which they are written.
struct File {
    top: Top,
    limits: Limits,
    ways: WaysOut,
    tasks: Vec<Task>,
}

#[derive(Serialize)]
struct Top {
    sprint: Sprint,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    team: Ordered<TeamEntry>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    agent: Ordered<Agent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<SandboxOut>,
}

#[derive(Serialize)]
struct Limits {
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    limits: Ordered<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<BudgetOut>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    shares: BTreeMap<&'static str, f64>,
}

impl Limits {
    fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.budget.is_none() && self.shares.is_empty()
    }
}

#[derive(Serialize)]
struct Tasks {
    task: [Task; 1],
}

#[derive(Serialize)]
struct Sprint {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    epic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours_per_day: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    velocity_target: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Run {
    Line(String),
    Argv(Vec<String>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Limit {
    Count(u64),
    Time(String),
    Flag(bool),
    Table(Ordered<Limit>),
    Number(f64),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Effort {
    Hours(f64),
    Three {
        optimistic: f64,
        likely: f64,
        pessimistic: f64,
    },
}

#[derive(Serialize)]
struct Task {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skills: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acceptance: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    design: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expects: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    produces: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    test_requirements: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deployment_requirements: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Effort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<BudgetOut>,
}

impl File {
    fn of(spec: &SprintSpec) -> Self {
        let SprintSpec {
            id,
            epic,
            start,
            end,
            day,
            velocity_target,
            repo,
            base,
            team,
            gates: _,
            sandbox,
            tasks,
            policy,
            ways,
            // From a file of its own, which is found again beside the sprint file.
            director: _,
        } = spec;
        let (team, agent) = team::roles(team, sandbox.as_deref());
        // Where a role of the file takes kinds, its tasks go there; then every task names its role.
        let kinds_written = team
            .0
            .iter()
            .any(|(_, entry)| matches!(entry, TeamEntry::Role(role) if role.kinds.is_some()))
            || team
                .0
                .iter()
                .any(|(_, entry)| matches!(entry, TeamEntry::Only(true)));
        Self {
            top: Top {
                sprint: Sprint {
                    id: id.to_string(),
                    epic: epic.clone(),
                    start: start.clone(),
                    end: end.clone(),
                    hours_per_day: (*day != Span::hours(8)).then(|| day.as_hours()),
                    velocity_target: *velocity_target,
                    repo: repo.clone(),
                    base: base.clone(),
                },
                team,
                agent,
                sandbox: sandbox.as_deref().map(SandboxOut::of),
            },
            limits: Limits {
                limits: limits(policy),
                budget: BudgetOut::of_sprint(policy),
                shares: Class::ALL
                    .into_iter()
                    .zip(policy.shares)
                    .filter_map(|(class, share)| Some((class.as_str(), f64::from(share?) / 1000.0)))
                    .collect(),
            },
            ways: WaysOut::of(ways),
            tasks: tasks
                .iter()
                .map(|task| Task::of(task, repo.is_some(), kinds_written))
                .collect(),
        }
    }
}

fn run(run: &RunSpec) -> Run {
    match run {
        RunSpec::Shell(line) => Run::Line(line.clone()),
        RunSpec::Exec(words) => Run::Argv(words.clone()),
    }
}

fn limits(policy: &Policy) -> Ordered<Limit> {
    let usual = Policy::default();
    let Policy {
        attempts_max,
        deaths_max,
        guidance_max,
        retry_min,
        retry_max,
        attempt_time,
        silent_after,
        wedged_after,
        tier_time,
        output_max,
        merge_batch,
        look_ahead,
        weights,
        shares: _,
        budget: _,
        window: _,
    } = *policy;
    let mut found = Vec::new();
    let mut count = |key: &str, value: u64, usual: u64| {
        if value != usual {
            found.push((key.to_owned(), Limit::Count(value)));
        }
    };
    count(
        "attempts_max",
        attempts_max.into(),
        usual.attempts_max.into(),
    );
    count("deaths_max", deaths_max.into(), usual.deaths_max.into());
    count(
        "guidance_max",
        guidance_max.into(),
        usual.guidance_max.into(),
    );
    count("output_max", output_max, usual.output_max);
    count("merge_batch", merge_batch.into(), usual.merge_batch.into());
    for (key, value, usual) in [
        ("retry_min", retry_min, usual.retry_min),
        ("retry_max", retry_max, usual.retry_max),
        ("attempt_time", attempt_time, usual.attempt_time),
        ("silent_after", silent_after, usual.silent_after),
        ("wedged_after", wedged_after, usual.wedged_after),
        ("look_ahead", look_ahead, usual.look_ahead),
    ] {
        if value != usual {
            let written = match value {
                Span::ZERO => Limit::Flag(false),
                value => Limit::Time(duration(value)),
            };
            found.push((key.to_owned(), written));
        }
    }
    let tiers = ["low", "medium", "high"]
        .into_iter()
        .zip(tier_time)
        .zip(usual.tier_time);
    let tiers = tiers.filter(|((_, value), usual)| value != usual);
    let tiers: Vec<_> = tiers
        .map(|((key, value), _)| (key.to_owned(), Limit::Time(duration(value))))
        .collect();
    if !tiers.is_empty() {
        found.push(("tier_time".to_owned(), Limit::Table(Ordered(tiers))));
    }
    if weights != usual.weights {
        let parts = ["expertise", "capacity", "context"]
            .into_iter()
            .zip(weights);
        let parts =
            parts.map(|(key, part)| (key.to_owned(), Limit::Number(f64::from(part) / 1000.0)));
        found.push(("weights".to_owned(), Limit::Table(Ordered(parts.collect()))));
    }
    Ordered(found)
}

impl Task {
    fn of(task: &TaskSpec, has_repo: bool, kinds_written: bool) -> Self {
        let TaskSpec {
            id,
            title,
            description,
            kind,
            role,
            points,
            estimate,
            depends_on,
            feature,
            priority,
            skills,
            acceptance,
            spec,
            design,
            run: command,
            budget,
            gates: _,
            expects,
            produces,
            files,
            severity,
            class,
            test_requirements,
            deployment_requirements,
            source,
        } = task;
        Self {
            id: id.to_string(),
            title: (title != id.as_str()).then(|| title.clone()),
            description: (!description.is_empty()).then(|| description.clone()),
            kind: (kind != kinds::KIND_OTHERWISE).then(|| kind.clone()),
            role: (kinds_written || role.as_str() != kinds::role_of(kind))
                .then(|| role.to_string()),
            points: (*points != 1).then_some(*points),
            depends_on: depends_on.iter().map(ToString::to_string).collect(),
            feature: (feature != id).then(|| feature.to_string()),
            priority: (*priority != Priority::Normal).then(|| priority.as_str()),
            severity: severity.map(|severity| severity.as_str()),
            class: match class {
                Class::Feature => None,
                Class::Debt => Some("debt"),
                Class::Infrastructure => Some("infrastructure"),
            },
            skills: skills.clone(),
            acceptance: acceptance.clone(),
            spec: spec.clone(),
            design: design.clone(),
            run: command.as_ref().map(run),
            expects: (*expects != kinds::expects_of(kind, has_repo)).then_some(match expects {
                Expects::Changes => "changes",
                Expects::Artifact => "artifact",
                Expects::Nothing => "nothing",
            }),
            produces: produces.clone(),
            files: files.clone(),
            test_requirements: test_requirements.clone(),
            deployment_requirements: deployment_requirements.clone(),
            source: source.clone(),
            estimate: effort(estimate, *points),
            budget: BudgetOut::of_task(budget),
        }
    }
}

fn effort(estimate: &Estimate, points: u32) -> Option<Effort> {
    let Estimate {
        optimistic,
        likely,
        pessimistic,
    } = *estimate;
    if optimistic != likely || likely != pessimistic {
        return Some(Effort::Three {
            optimistic: optimistic.as_hours(),
            likely: likely.as_hours(),
            pessimistic: pessimistic.as_hours(),
        });
    }
    let assumed = Span::hours(u64::from(points.max(1)));
    (likely != assumed).then(|| Effort::Hours(likely.as_hours()))
}

/// As short as it can be said in one unit.
fn duration(span: Span) -> String {
    let ms = span.0;
    for (unit, length) in [("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
        if ms > 0 && ms.is_multiple_of(length) {
            return format!("{}{unit}", ms / length);
        }
    }
    format!("{ms}ms")
}
