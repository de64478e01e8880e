//! Calibration: how estimates of each kind of task came out over all sprints of a data directory.
//!
//! For a kind, the factor is the time at work over the estimate, summed over its completed tasks, so that large tasks weigh
//! more than small ones. It is applied only where somebody asks for it, and only from a few tasks on: one task is an
//! anecdote.
//!
//! Elsewhere: the pace within one sprint is [`super::sprint::Metrics`]'s.

use std::collections::BTreeMap;

use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::state::State;
use crate::engine::tasks::Phase;
use crate::planner::Plan;
use crate::planner::risks::Risk;
use crate::view::{count, hours, round};

/// A kind with fewer completed tasks is shown and not applied.
pub const TASKS_MIN: u32 = 3;

/// How estimates of a kind came out.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[schemars(rename = "KindOfTask")]
pub struct Kind {
    /// Completed tasks with an estimate.
    pub tasks: u32,
    /// What was estimated for them, in hours.
    pub estimated_hours: f64,
    /// What they took at work, in hours.
    pub worked_hours: f64,
    /// The second over the first.
    pub factor: f64,
    /// Whether there are enough of them to go by.
    pub enough: bool,
}

/// How a past sprint went.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[schemars(rename = "PastSprint")]
pub struct Past {
    /// Its name.
    pub sprint: String,
    /// `done`, `incomplete`, `cancelled`, or its state.
    pub outcome: String,
    /// Points completed.
    pub completed_points: u32,
    /// Points committed to.
    pub committed_points: u32,
    /// Tasks completed of those committed to.
    pub completed_tasks: u32,
    /// Tasks committed to.
    pub committed_tasks: u32,
    /// From the beginning of work to its end, in hours; `null` before the end.
    pub elapsed_hours: Option<f64>,
}

/// What the data directory's own past says.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Calibration {
    /// By kind of task.
    pub kinds: BTreeMap<String, Kind>,
    /// Sprints, oldest first.
    pub sprints: Vec<Past>,
    /// Points per sprint, on average over those that ended.
    pub mean_velocity: Option<f64>,
}

/// Looks at every sprint there is.
pub fn calibration(state: &State) -> Calibration {
    let mut sums: BTreeMap<&str, (u32, Span, Span)> = BTreeMap::new();
    for task in state
        .tasks
        .table
        .iter()
        .filter(|task| task.phase == Phase::Completed && !task.is_help())
    {
        let worked = task.story.as_deref().map_or(Span::ZERO, |story| story.busy);
        let estimated = task.spec.estimate.mean();
        if estimated > Span::ZERO && worked > Span::ZERO {
            let row = sums.entry(task.spec.kind.as_str()).or_default();
            *row = (row.0 + 1, row.1 + estimated, row.2 + worked);
        }
    }
    let sprints: Vec<Past> = (0u32..)
        .map(director_protocols::ids::SprintId)
        .zip(&state.sprints.table)
        .filter(|(_, row)| row.began.is_some())
        .map(|(id, row)| {
            let tally = state.tasks.tally(id);
            Past {
                sprint: row.spec.id.to_string(),
                outcome: row.state().to_owned(),
                completed_points: tally.completed_points,
                committed_points: tally.committed_points,
                completed_tasks: tally.completed,
                committed_tasks: tally.committed,
                elapsed_hours: row
                    .ended
                    .zip(row.began)
                    .map(|(ended, began)| hours(ended.since(began))),
            }
        })
        .collect();
    let ended: Vec<u32> = sprints
        .iter()
        .filter(|past| past.elapsed_hours.is_some())
        .map(|past| past.completed_points)
        .collect();
    let sum: u64 = ended.iter().map(|points| u64::from(*points)).sum();
    Calibration {
        kinds: sums
            .into_iter()
            .map(|(kind, (tasks, estimated, worked))| {
                let row = Kind {
                    tasks,
                    estimated_hours: hours(estimated),
                    worked_hours: hours(worked),
                    factor: round(worked.0 as f64 / estimated.0 as f64),
                    enough: tasks >= TASKS_MIN,
                };
                (kind.to_owned(), row)
            })
            .collect(),
        mean_velocity: (!ended.is_empty()).then(|| round(sum as f64 / ended.len() as f64)),
        sprints,
    }
}

/// Estimates times what their kind took in the past; gives a sentence for each kind that changed.
pub fn apply(spec: &mut SprintSpec, past: &Calibration) -> Vec<String> {
    let mut changed: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    for task in &mut spec.tasks {
        let Some(kind) = past
            .kinds
            .get(&task.kind)
            .filter(|kind| kind.enough && kind.factor > 0.0)
        else {
            continue;
        };
        let row = changed.entry(task.kind.clone()).or_insert((0, kind.factor));
        row.0 += 1;
        let parts = (kind.factor * 1e4).round().min(f64::from(u32::MAX)) as u32;
        let corrected = &mut spec.ways.start.corrected;
        corrected.insert(task.kind.clone(), parts);
        task.estimate = task.estimate.times(parts);
    }
    changed
        .into_iter()
        .map(|(kind, (tasks, factor))| {
            let from = past.kinds.get(&kind).map_or(0, |kind| kind.tasks);
            format!(
                "estimates of {} of {kind} are multiplied by {factor:.2}, as {} before took",
                count(tasks, "task"),
                count(from as usize, "task")
            )
        })
        .collect()
}

/// The past, and what was made of it in a plan.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Applied {
    /// What it says.
    #[serde(flatten)]
    pub past: Calibration,
    /// What was changed because of it, in sentences; nothing unless somebody asked for it.
    pub changes: Vec<String>,
}

/// More than this times the average of the past is optimistic.
const OPTIMISTIC: f64 = 1.2;

/// A risk: the past says that this is more than the team finishes in a sprint.
pub fn optimistic(spec: &SprintSpec, plan: &Plan, past: &Calibration) -> Option<Risk> {
    let mean = past.mean_velocity.filter(|mean| *mean > 0.0)?;
    let points = |task: &u32| u64::from(spec.tasks[*task as usize].points);
    let committed: u64 = plan.commitment.committed.iter().map(points).sum();
    let meant = committed.max(u64::from(spec.velocity_target.unwrap_or(0)));
    let ended: Vec<&str> = past
        .sprints
        .iter()
        .filter(|sprint| sprint.elapsed_hours.is_some())
        .map(|sprint| sprint.sprint.as_str())
        .collect();
    (meant as f64 > mean * OPTIMISTIC).then(|| Risk {
        risk: format!(
            "{meant} points are meant to be finished, and past sprints ({}) finished {mean:.1} on average",
            ended.join(", ")
        ),
        mitigation: format!("commit to about {mean:.0} points, and keep the rest as a reserve"),
        trigger: format!("less than {:.0} points are done in the middle of the sprint", mean / 2.0),
        fallback: "carry the least urgent tasks over".to_owned(),
        tasks: Vec::new(),
        watch: None,
    })
}

/// The section of the plan's report about the past.
pub fn section(past: &Calibration, changes: &[String]) -> String {
    let mut out = String::from("\n## Past Sprints\n");
    for line in text(past).lines().filter(|line| line.starts_with("  ")) {
        out += &format!("- {}\n", super::text::markdown(line));
    }
    match changes {
        [] => out += "- Calibration: not applied; `--calibrate` does\n",
        changes => {
            for change in changes {
                out += &format!("- Calibration: {}\n", super::text::markdown(change));
            }
        }
    }
    out
}

/// As text for people.
pub fn text(past: &Calibration) -> String {
    let mut out = String::from("Velocity\n");
    if past.sprints.is_empty() {
        out += "  none yet\n";
    }
    for row in &past.sprints {
        out += &format!(
            "  {}: {} of {}, {} of {} ({})\n",
            super::text::short(&row.sprint, 40),
            row.completed_points,
            count(row.committed_points as usize, "point"),
            row.completed_tasks,
            count(row.committed_tasks as usize, "task"),
            row.outcome
        );
    }
    if let Some(mean) = past.mean_velocity {
        out += &format!("  {mean:.1} points a sprint on average\n");
    }
    out += "Estimates\n";
    if past.kinds.is_empty() {
        out += "  none yet\n";
    }
    for (kind, row) in &past.kinds {
        let few = if row.enough { "" } else { "; too few to go by" };
        out += &format!(
            "  {}: {}, {:.1}h estimated, {:.1}h at work, factor {:.2}{few}\n",
            super::text::short(kind, 40),
            count(row.tasks as usize, "task"),
            row.estimated_hours,
            row.worked_hours,
            row.factor
        );
    }
    out
}
