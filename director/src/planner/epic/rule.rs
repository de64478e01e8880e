//! An epic into tasks by rule: the table of [`super::table`] filled in, feature by feature.
//!
//! Who waits for whom: building waits for the architecture and for what had to be found out; connecting for both parts; tests for what they
//! test and for the strategy; a review for the building alone; documentation for the specification and not for the code, so that it runs beside it;
//! the final validation for all of it. A part of more than two days with several criteria is split among them.

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::epic::{EpicSpec, FeatureSpec};
use director_protocols::ids::Name;
use director_protocols::kinds;
use director_protocols::sprint::{Budget, Estimate, Priority, TaskSpec};
use director_protocols::time::Span;

use super::table::{DEFAULTS, For, Phase, Row};

/// Working days of effort over which a task is split.
const LARGE_DAYS: u64 = 2;
/// The most parts of one task.
const PARTS_MAX: usize = 8;

/// The tasks of an epic, in the order of the table and of the features.
pub fn tasks(epic: &EpicSpec) -> Vec<TaskSpec> {
    let points: u64 = epic
        .features
        .iter()
        .map(|feature| u64::from(feature.points))
        .sum();
    let mut made = Made {
        epic,
        tasks: Vec::new(),
        by_row: BTreeMap::new(),
        rows: Vec::new(),
    };
    for row in &DEFAULTS {
        match row.needed {
            For::Epic => made.add(row, None, points),
            _ => {
                for feature in epic
                    .features
                    .iter()
                    .filter(|feature| needs(row.needed, feature))
                {
                    made.add(row, Some(feature), u64::from(feature.points));
                }
            }
        }
    }
    // Once every name is known, for a feature may be built on one that is written below it.
    for at in 0..made.tasks.len() {
        let (row, feature) = made.rows[at];
        made.tasks[at].depends_on = made.before(row, feature);
    }
    made.tasks
}

fn needs(needed: For, feature: &FeatureSpec) -> bool {
    match needed {
        For::Epic => false,
        For::Research => feature.research.is_some(),
        For::Ui => feature.ui,
        For::Api => feature.api,
        For::Whole => !feature.ui && !feature.api,
        For::Both => feature.ui && feature.api,
        For::Feature => true,
    }
}

/// What is made so far.
struct Made<'e> {
    epic: &'e EpicSpec,
    tasks: Vec<TaskSpec>,
    /// The tasks of each row, by its suffix and feature.
    by_row: BTreeMap<(&'static str, Option<&'e Name>), Vec<Name>>,
    /// Where each task comes from.
    rows: Vec<(&'static Row, Option<&'e FeatureSpec>)>,
}

impl<'e> Made<'e> {
    fn add(&mut self, row: &'static Row, feature: Option<&'e FeatureSpec>, points: u64) {
        let effort = Span(self.epic.point.0.saturating_mul(points) / 100 * u64::from(row.share));
        let owner = feature.map_or(&self.epic.id, |feature| &feature.id);
        let base = format!("{owner}-{}", row.suffix);
        let criteria = criteria(row, self.epic, feature);
        let parts = parts(row, effort, self.epic.day, criteria.len());
        let mut names = Vec::new();
        for (part, criteria) in share(&criteria, parts).into_iter().enumerate() {
            let id = match parts {
                1 => base.clone(),
                _ => format!("{base}-{}", part + 1),
            };
            let id = self.free(&id);
            let task = self.task(
                row,
                feature,
                id.clone(),
                Span(effort.0 / parts as u64),
                criteria,
            );
            let title = match parts {
                1 => task.title.clone(),
                _ => format!("{} ({} of {parts})", task.title, part + 1),
            };
            names.push(id);
            self.rows.push((row, feature));
            self.tasks.push(TaskSpec {
                title,
                points: (points * u64::from(row.share) / 100 / parts as u64)
                    .try_into()
                    .unwrap_or(u32::MAX)
                    .max(1),
                ..task
            });
        }
        self.by_row
            .insert((row.suffix, feature.map(|feature| &feature.id)), names);
    }

    /// The name, or the first with a number behind it that nobody has.
    fn free(&self, base: &str) -> Name {
        let taken = |text: &str| self.tasks.iter().any(|task| task.id.as_str() == text);
        let mut cut = base.to_owned();
        cut.truncate(cut.floor_char_boundary(90));
        std::iter::once(cut.clone())
            .chain((2_u32..).map(|n| format!("{cut}-{n}")))
            .filter(|text| !taken(text))
            .find_map(|text| Name::new(text).ok())
            .unwrap_or_else(|| self.epic.id.clone())
    }

    fn of(&self, suffix: &'static str, feature: Option<&Name>) -> Vec<Name> {
        self.by_row
            .get(&(suffix, feature))
            .cloned()
            .unwrap_or_default()
    }

    /// What building a feature ends with.
    fn built(&self, feature: &FeatureSpec) -> Vec<Name> {
        let connected = self.of("connect", Some(&feature.id));
        if !connected.is_empty() {
            return connected;
        }
        ["ui", "api", "build"]
            .iter()
            .flat_map(|suffix| self.of(suffix, Some(&feature.id)))
            .collect()
    }

    fn before(&self, row: &Row, feature: Option<&FeatureSpec>) -> Vec<Name> {
        let Some(feature) = feature else {
            return match row.phase {
                Phase::Foundation => Vec::new(),
                _ => {
                    let waited: BTreeSet<&Name> = self
                        .tasks
                        .iter()
                        .flat_map(|task| &task.depends_on)
                        .collect();
                    let own = self.of(row.suffix, None);
                    let ends = self.tasks.iter().map(|task| &task.id);
                    ends.filter(|id| !waited.contains(id) && !own.contains(id))
                        .cloned()
                        .collect()
                }
            };
        };
        let architecture = self.of("architecture", None);
        let answered = self.of("question", Some(&feature.id));
        match (row.phase, row.suffix) {
            (Phase::Foundation, _) => Vec::new(),
            (Phase::Implementation, _) => {
                let first = |id: &Name| self.epic.features.iter().find(|feature| feature.id == *id);
                let needed = feature.depends_on.iter().filter_map(first);
                // A feature of a later row is built in a part of its own and waits itself.
                let needed = needed.flat_map(|other| match (row.needed, other) {
                    (For::Ui, other) if !self.of("ui", Some(&other.id)).is_empty() => {
                        self.of("ui", Some(&other.id))
                    }
                    (For::Api, other) if !self.of("api", Some(&other.id)).is_empty() => {
                        self.of("api", Some(&other.id))
                    }
                    (_, other) => self.built(other),
                });
                [architecture, answered, needed.collect()].concat()
            }
            (_, "connect") => {
                let parts = ["ui", "api"]
                    .iter()
                    .flat_map(|suffix| self.of(suffix, Some(&feature.id)));
                let first = |id: &Name| self.epic.features.iter().find(|feature| feature.id == *id);
                let needed = feature
                    .depends_on
                    .iter()
                    .filter_map(first)
                    .flat_map(|other| self.built(other));
                parts.chain(needed).collect()
            }
            (_, "tests") => [self.built(feature), self.of("test-strategy", None)].concat(),
            (_, "docs") => [architecture, answered].concat(),
            _ => self.built(feature),
        }
    }

    fn task(
        &self,
        row: &Row,
        feature: Option<&FeatureSpec>,
        id: Name,
        effort: Span,
        acceptance: Vec<String>,
    ) -> TaskSpec {
        let epic = self.epic;
        let title = feature.map_or(&epic.title, |feature| &feature.title);
        let about = match feature {
            Some(feature) if row.suffix == "question" => {
                feature.research.clone().unwrap_or_default()
            }
            Some(feature) => feature.description.clone(),
            None => epic.goal.clone(),
        };
        let description = match about.trim() {
            "" => row.what.to_owned(),
            about => format!("{}\n\n{about}", row.what),
        };
        let is_strategy = row.suffix == "test-strategy";
        TaskSpec {
            title: format!("{} {title}", row.title),
            description,
            kind: row.kind.to_owned(),
            role: role(row.kind, epic),
            points: 1,
            estimate: spread(row, effort),
            depends_on: Vec::new(),
            feature: feature.map_or_else(|| id.clone(), |feature| feature.id.clone()),
            priority: feature.map_or(Priority::Normal, |feature| feature.priority),
            skills: Vec::new(),
            acceptance,
            spec: feature
                .and_then(|feature| feature.spec.clone())
                .or_else(|| epic.spec.clone()),
            design: feature
                .and_then(|feature| feature.design.clone())
                .or_else(|| epic.design.clone()),
            run: None,
            budget: Budget::default(),
            gates: Vec::new(),
            expects: kinds::expects_of(row.kind, epic.repo.is_some()),
            produces: Vec::new(),
            files: Vec::new(),
            severity: None,
            class: feature.map_or(Row::CLASS, |feature| feature.class),
            test_requirements: match (is_strategy, row.suffix) {
                (true, _) => vec![
                    "QA agrees with the strategy before the first end-to-end test is written"
                        .to_owned(),
                ],
                _ => Vec::new(),
            },
            deployment_requirements: match (row.suffix, feature) {
                ("connect" | "build", Some(feature)) => feature.deployment_requirements.clone(),
                _ => Vec::new(),
            },
            source: None,
            id,
        }
    }
}

impl Row {
    /// What time for the epic as a whole is spent on.
    const CLASS: director_protocols::sprint::Class = director_protocols::sprint::Class::Feature;
}

/// The role of a kind in this team: who takes it, else the usual one, else who covers it, else the first.
fn role(kind: &str, epic: &EpicSpec) -> Name {
    let usual = kinds::role_of(kind);
    let team = &epic.team;
    let by = |test: &dyn Fn(&director_protocols::sprint::RoleSpec) -> bool| {
        team.iter()
            .find(|role| test(role))
            .map(|role| role.name.clone())
    };
    by(&|role| {
        role.name.as_str() != usual
            && kinds::known(kind).is_some()
            && role.kinds.iter().any(|own| own == kind)
            && !team.iter().any(|role| role.name.as_str() == usual)
    })
    .or_else(|| by(&|role| role.name.as_str() == usual))
    .or_else(|| by(&|role| role.kinds.iter().any(|own| own == kind || own == "*")))
    .or_else(|| by(&|role| role.covers.iter().any(|own| own == kind)))
    .or_else(|| by(&|_| true))
    .unwrap_or_else(|| epic.id.clone())
}

fn criteria(row: &Row, epic: &EpicSpec, feature: Option<&FeatureSpec>) -> Vec<String> {
    let own = |list: &[String], otherwise: &str| match list {
        [] => vec![otherwise.to_owned()],
        list => list.to_vec(),
    };
    match (row.suffix, feature) {
        ("architecture", _) => vec![
            "parts, data, interfaces and errors are written down, with what was rejected and why"
                .to_owned(),
        ],
        ("research" | "question", _) => {
            vec!["the answer, its sources and what they mean here are written down".to_owned()]
        }
        ("test-strategy", _) => {
            vec!["levels, data and tools are decided, and one test of each level runs".to_owned()]
        }
        ("validation", _) => own(&epic.acceptance, "every feature works on a fresh checkout"),
        ("review", _) => vec![
            "each finding names file, line and what would be right; none that blocks is left"
                .to_owned(),
        ],
        ("docs", _) => vec!["every command and example was run as it is printed".to_owned()],
        ("tests", Some(feature)) => own(
            &feature.acceptance,
            "each path that users take has a test that fails without the feature",
        ),
        (_, Some(feature)) => own(
            &feature.acceptance,
            "it does what its description says, on the error paths too",
        ),
        (_, None) => Vec::new(),
    }
}

/// Into how many tasks a row becomes: one, unless it is building of more than two days that criteria can be dealt out to.
fn parts(row: &Row, effort: Span, day: Span, criteria: usize) -> usize {
    let large = row.phase == Phase::Implementation && effort.0 > day.0.saturating_mul(LARGE_DAYS);
    match large && criteria > 1 {
        true => {
            let days = usize::try_from(effort.0.div_ceil(day.0.max(1))).unwrap_or(PARTS_MAX);
            days.div_ceil(2).clamp(2, PARTS_MAX.min(criteria))
        }
        false => 1,
    }
}

/// Deals criteria out in order, as evenly as it goes.
fn share(criteria: &[String], parts: usize) -> Vec<Vec<String>> {
    (0..parts)
        .map(|part| {
            let at = |n: usize| criteria.len() * n / parts;
            criteria[at(part)..at(part + 1)].to_vec()
        })
        .collect()
}

/// Three points around an effort: finding out is the least certain, judging the most.
fn spread(row: &Row, effort: Span) -> Estimate {
    let effort = effort.0.max(Span::minutes(30).0);
    let (low, high) = match row.kind {
        "research" | "architecture" => (50, 250),
        "review" | "documentation" => (75, 150),
        _ => (70, 200),
    };
    let of = |percent: u64| Span(effort.saturating_mul(percent) / 100);
    Estimate {
        optimistic: of(low),
        likely: Span(effort),
        pessimistic: of(high),
    }
}
