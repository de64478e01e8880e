//! From a checked tree to a sprint: defaults filled in, names looked up, values checked against each other.
//!
//! Every part reports what it finds to the same [`Problems`] and goes on with what it can use, so that one
//! mistake is reported once. What [`super::shape`] refused reads as absent here.
//!
//! Elsewhere: roles and agents are `team`, tasks are `tasks`, dependencies and cycles are `graph`, gates are
//! `gates`; limits and everything else at the top of the file is here.

mod budget;
pub(super) mod epic;
mod gates;
mod graph;
mod sandbox;
mod tasks;
mod team;
mod ways;
mod written;

use std::path::PathBuf;

pub(super) use gates::{LEAST, PERSON, ROUNDS, TIMEOUT, to_write};

use crate::ids::Name;
use crate::sprint::{Class, Policy, RunSpec, SprintSpec};
use crate::time::Span;

pub(super) use written::Written;

use super::errors::{Problems, SHOWN_MAX, Words};
use super::role_file::Library;
use super::shape::Path;
use super::tree::{Node, Value};
use super::{Manifest, Options, values};

/// What every part of the reading shares.
struct Reading<'r> {
    options: &'r Options<'r>,
    problems: &'r mut Problems,
    warnings: Vec<String>,
    more_warnings: usize,
    /// Tasks of command agents without a command, as (task, role).
    idle: Vec<(usize, String)>,
}

/// Reads the sprint. `None` only where a problem was reported.
pub(super) fn manifest(
    root: &Node<'_>,
    options: &Options<'_>,
    problems: &mut Problems,
) -> Option<Manifest> {
    let mut reading = Reading {
        options,
        problems,
        warnings: Vec::new(),
        more_warnings: 0,
        idle: Vec::new(),
    };
    let sprint = root.field("sprint");
    let field = |key| sprint.and_then(|sprint| sprint.field(key));
    let repo = field("repo").and_then(|node| reading.repo(node));
    reading.days(field("start"), field("end"));
    let library = library(options, repo.as_deref());
    for remark in library.remarks() {
        reading.warn(|| remark);
    }
    let sandbox = root.field("sandbox").map(sandbox::sandbox);
    let team = team::team(root, &library, sandbox.as_ref(), &mut reading);
    let director = team::director(&library, &mut reading);
    let gates = gates::of_sprint(root.field("gates"), &mut reading);
    let is_role = |role: &str| team.position(role).is_some();
    gates::known_judges(root.field("gates"), "gates", &mut reading, &is_role);
    let mut policy = limits(root.field("limits"), &mut reading);
    policy.shares = shares(root.field("shares"), &mut reading);
    budget::of_sprint(root.field("budget"), &mut policy, &mut reading);
    let ways = Box::new(ways::ways(root, &is_role, &mut reading));
    let tasks = tasks::tasks(root, &team, repo.is_some(), &mut reading);
    let mut warnings = reading.warnings;
    if reading.more_warnings > 0 {
        warnings.push(format!("and {} more warnings", reading.more_warnings));
    }
    let spec = SprintSpec {
        id: name(field("id"))?,
        epic: text(field("epic")),
        start: date(field("start")),
        end: date(field("end")),
        day: hours(field("hours_per_day")).unwrap_or(Span::hours(8)),
        velocity_target: small(field("velocity_target")),
        repo,
        base: text(field("base")),
        team: team.roles,
        gates,
        sandbox: sandbox.map(Box::new),
        tasks: tasks.specs,
        policy,
        ways,
        director: Box::new(director),
    };
    Some(Manifest {
        spec,
        assumed: tasks.assumed,
        unrated: tasks.unrated,
        unsorted: tasks.unsorted,
        done: tasks.done,
        warnings,
    })
}

/// The role files beside the sprint file and in its repository.
fn library(options: &Options<'_>, repo: Option<&str>) -> Library {
    let Some(find) = options.role_files else {
        return Library::default();
    };
    let mut places: Vec<PathBuf> = options.dir.map(Into::into).into_iter().collect();
    places.extend(repo.map(PathBuf::from));
    find(&places)
}

impl Reading<'_> {
    /// Keeps a warning, unless there are enough.
    fn warn(&mut self, words: impl FnOnce() -> String) {
        if self.warnings.len() < SHOWN_MAX {
            self.warnings.push(words());
        } else {
            self.more_warnings += 1;
        }
    }

    /// The repository's path, absolute when the directory of the file is known.
    fn repo(&mut self, node: &Node<'_>) -> Option<String> {
        let written = node.text()?;
        if written.trim().is_empty() || written.contains('\0') {
            self.problems.add(&node.at, || {
                Words::new("this cannot be the path of a repository", "sprint.repo")
                    .help("write a path relative to this file, such as \".\"")
            });
            return None;
        }
        let Some(dir) = self.options.dir else {
            return Some(written.to_owned());
        };
        let joined = dir.join(written);
        let full = std::path::absolute(&joined).unwrap_or(joined);
        match full.to_str() {
            Some(path) => Some(path.to_owned()),
            None => {
                self.problems.add(&node.at, || {
                    Words::new("the repository's full path is not UTF-8", "sprint.repo")
                        .help("move the repository, or rename the directory above it")
                });
                None
            }
        }
    }

    fn days(&mut self, start: Option<&Node<'_>>, end: Option<&Node<'_>>) {
        let (Some(from), Some(to)) = (date(start), date(end)) else {
            return;
        };
        // Days of this form have the order of their text.
        if let (Some(start), Some(end)) = (start, end)
            && to < from
        {
            self.problems.add(&end.at, || {
                Words::new(
                    format!("the sprint ends before it starts, on {from}"),
                    "sprint.end",
                )
                .note("the end")
                .also(&start.at, "the start")
                .help("write an `end` on or after `start`")
            });
        }
    }

    /// Reports a pair of durations that is the wrong way round.
    fn ordered(
        &mut self,
        table: Option<&Node<'_>>,
        low: (&str, Span),
        high: (&str, Span),
        at: &str,
    ) {
        let Some(table) = table else { return };
        let written = table.field(high.0).or_else(|| table.field(low.0));
        if let Some(node) = written
            && low.1 > high.1
        {
            let message = format!(
                "`{}` ({}) is longer than `{}` ({})",
                low.0, low.1, high.0, high.1
            );
            self.problems.add(&node.at, || {
                Words::new(message, format!("{at}.{}", high.0)).help("make it at least as long")
            });
        }
    }
}

fn limits(node: Option<&Node<'_>>, reading: &mut Reading<'_>) -> Policy {
    let usual = Policy::default();
    let field = |key| node.and_then(|node| node.field(key));
    let count = |key, usual| small(field(key)).unwrap_or(usual);
    let time = |key, usual| duration(field(key)).unwrap_or(usual);
    let tier = |key, usual| {
        duration(field("tier_time").and_then(|tiers| tiers.field(key))).unwrap_or(usual)
    };
    let policy = Policy {
        attempts_max: count("attempts_max", usual.attempts_max),
        deaths_max: count("deaths_max", usual.deaths_max),
        merge_batch: count("merge_batch", usual.merge_batch),
        guidance_max: count("guidance_max", usual.guidance_max),
        retry_min: time("retry_min", usual.retry_min),
        retry_max: time("retry_max", usual.retry_max),
        attempt_time: time("attempt_time", usual.attempt_time),
        silent_after: time("silent_after", usual.silent_after),
        wedged_after: time("wedged_after", usual.wedged_after),
        look_ahead: match field("look_ahead").and_then(Node::flag) {
            Some(false) => Span::ZERO,
            _ => time("look_ahead", usual.look_ahead),
        },
        tier_time: [
            tier("low", usual.tier_time[0]),
            tier("medium", usual.tier_time[1]),
            tier("high", usual.tier_time[2]),
        ],
        output_max: size(field("output_max")).unwrap_or(usual.output_max),
        weights: weights(field("weights"), usual.weights, reading),
        ..usual
    };
    for (low, high) in [
        (
            ("retry_min", policy.retry_min),
            ("retry_max", policy.retry_max),
        ),
        (
            ("silent_after", policy.silent_after),
            ("wedged_after", policy.wedged_after),
        ),
    ] {
        reading.ordered(node, low, high, "limits");
    }
    policy
}

fn shares(node: Option<&Node<'_>>, reading: &mut Reading<'_>) -> [Option<u32>; 3] {
    let Some(node) = node else { return [None; 3] };
    let shares = Class::ALL.map(|class| {
        let written = node.field(class.as_str())?.number()?;
        Some((written * 1000.0).round() as u32)
    });
    let sum: u64 = shares.iter().flatten().map(|&share| u64::from(share)).sum();
    if sum > 1000 {
        reading.problems.add(&node.at, || {
            let sum = sum as f64 / 1000.0;
            Words::new(format!("the shares add up to {sum}"), "shares")
                .help("make them add up to at most 1")
        });
    }
    shares
}

fn weights(node: Option<&Node<'_>>, usual: [u32; 3], reading: &mut Reading<'_>) -> [u32; 3] {
    let Some(node) = node else { return usual };
    let part = |key, usual| {
        let written = node.field(key).and_then(Node::number);
        written.map_or(usual, |n| (n * 1000.0).round() as u32)
    };
    let weights = [
        part("expertise", usual[0]),
        part("capacity", usual[1]),
        part("context", usual[2]),
    ];
    let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    if sum != 1000 {
        reading.problems.add(&node.at, || {
            let sum = sum as f64 / 1000.0;
            Words::new(format!("the weights add up to {sum}"), "limits.weights")
                .help("make `expertise`, `capacity` and `context` add up to 1")
        });
    }
    weights
}

fn name(node: Option<&Node<'_>>) -> Option<Name> {
    Name::new(node?.text()?).ok()
}

fn names(node: Option<&Node<'_>>) -> Vec<Name> {
    let items = node.map_or(&[][..], Node::items);
    items.iter().filter_map(|item| name(Some(item))).collect()
}

fn text(node: Option<&Node<'_>>) -> Option<String> {
    Some(node?.text()?.to_owned())
}

fn texts(node: Option<&Node<'_>>) -> Option<Vec<String>> {
    let items = node?.items();
    Some(items.iter().filter_map(|item| text(Some(item))).collect())
}

fn small(node: Option<&Node<'_>>) -> Option<u32> {
    u32::try_from(node?.whole()?).ok()
}

fn hours(node: Option<&Node<'_>>) -> Option<Span> {
    Span::from_hours(node?.number()?)
}

fn duration(node: Option<&Node<'_>>) -> Option<Span> {
    values::duration(node?.text()?).ok()
}

fn size(node: Option<&Node<'_>>) -> Option<u64> {
    let node = node?;
    node.whole().or_else(|| values::bytes(node.text()?).ok())
}

fn date(node: Option<&Node<'_>>) -> Option<String> {
    let written = match &node?.value {
        Value::Date(text) => text.as_str(),
        Value::Text(text) => text,
        _ => return None,
    };
    values::date(written).ok().map(|day| day.to_string())
}

/// A line for the shell, or a program with its arguments.
fn run(node: &Node<'_>) -> Option<RunSpec> {
    match &node.value {
        Value::Text(line) => Some(RunSpec::Shell(line.clone().into_owned())),
        Value::List(_) => texts(Some(node)).map(RunSpec::Exec),
        _ => None,
    }
}

/// The path of a task, for keys of problems.
fn task_path(index: usize, rest: &str) -> String {
    let task = Path::ROOT.key("task");
    let task = task.index(index);
    task.key(rest).to_string()
}
