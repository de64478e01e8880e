//! The plan for programs. The keys are a promise to users: more may come, none is renamed.

use std::collections::BTreeMap;

use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;
use schemars::JsonSchema;
use serde::Serialize;

use crate::planner::robust::Certainty;
use crate::planner::{Plan, agent_name};
use crate::report::calibration::Applied;

/// The plan as one JSON document, indented, with a line break at the end.
pub fn json(spec: &SprintSpec, plan: &Plan) -> String {
    json_with_past(spec, plan, None)
}

/// The same, with what past sprints of the data directory say.
pub fn json_with_past(spec: &SprintSpec, plan: &Plan, past: Option<&Applied>) -> String {
    let document = Document::of(spec, plan, past);
    // Strings, numbers and lists only: there is nothing that could fail to be written.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The document.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Plan")]
pub(crate) struct Document<'a> {
    sprint: &'a str,
    epic: Option<&'a str>,
    start: Option<&'a str>,
    end: Option<&'a str>,
    working_days: Option<u64>,
    hours_per_day: f64,
    total_tasks: usize,
    total_points: u64,
    committed_points: u64,
    velocity_target: Option<u32>,
    makespan_hours: f64,
    lower_bound_hours: f64,
    optimality_gap_percent: f64,
    proven_optimal: bool,
    critical_path: Vec<&'a str>,
    critical_path_hours: f64,
    batches: Vec<Batch<'a>>,
    tasks: Vec<Task<'a>>,
    allocation: Vec<Allocation<'a>>,
    committed: Vec<&'a str>,
    backlog: Vec<Deferred<'a>>,
    risks: Vec<Risk<'a>>,
    questions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    past: Option<&'a Applied>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certainty: Option<Certain<'a>>,
}

/// Only where the plan was made by it.
#[derive(JsonSchema, Serialize)]
struct Certain<'a> {
    objective: &'a str,
    seed: u64,
    schedules: u64,
    runs: usize,
    p50_hours: f64,
    p85_hours: f64,
    p95_hours: f64,
    expected_order_p85_hours: f64,
    criticality: BTreeMap<&'a str, f64>,
}

impl<'a> Certain<'a> {
    fn of(spec: &'a SprintSpec, certainty: &Certainty) -> Self {
        let after = &certainty.after;
        let at = |per_mille| hours(after.quantile(per_mille));
        let tasks = (0..).zip(&spec.tasks);
        Self {
            objective: "p85",
            seed: certainty.seed,
            schedules: certainty.schedules,
            runs: after.runs(),
            p50_hours: at(500),
            p85_hours: at(850),
            p95_hours: at(950),
            expected_order_p85_hours: hours(certainty.before.quantile(850)),
            criticality: tasks
                .map(|(at, task)| (task.id.as_str(), f64::from(after.criticality(at)) / 1000.0))
                .collect(),
        }
    }
}

#[derive(JsonSchema, Serialize)]
struct Batch<'a> {
    ids: Vec<&'a str>,
    days: [u64; 2],
    sequential: bool,
}

/// A task of the backlog has no agent and no times.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "PlannedTask")]
struct Task<'a> {
    id: &'a str,
    title: &'a str,
    role: &'a str,
    agent: Option<String>,
    start_hours: Option<f64>,
    finish_hours: Option<f64>,
    expected_hours: f64,
    slack_hours: Option<f64>,
    free_slack_hours: Option<f64>,
    critical: bool,
    depends_on: Vec<&'a str>,
}

#[derive(JsonSchema, Serialize)]
struct Allocation<'a> {
    role: &'a str,
    agent: String,
    tasks: usize,
    task_ids: Vec<&'a str>,
    capacity_hours: Option<f64>,
    allocated_hours: f64,
    utilization: f64,
}

#[derive(JsonSchema, Serialize)]
struct Deferred<'a> {
    id: &'a str,
    reason: &'a str,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "PlannedRisk")]
struct Risk<'a> {
    risk: &'a str,
    trigger: &'a str,
    mitigation: &'a str,
    fallback: &'a str,
    tasks: Vec<&'a str>,
}

impl<'a> Document<'a> {
    fn of(spec: &'a SprintSpec, plan: &'a Plan, past: Option<&'a Applied>) -> Self {
        let id = |&task: &u32| spec.tasks[task as usize].id.as_str();
        let ids = |tasks: &[u32]| tasks.iter().map(id).collect::<Vec<_>>();
        let points = |task: &u32| u64::from(spec.tasks[*task as usize].points);
        Self {
            sprint: spec.id.as_str(),
            epic: spec.epic.as_deref(),
            start: spec.start.as_deref(),
            end: spec.end.as_deref(),
            working_days: plan.calendar.days,
            hours_per_day: hours(plan.calendar.day),
            total_tasks: spec.tasks.len(),
            total_points: spec.tasks.iter().map(|task| u64::from(task.points)).sum(),
            committed_points: plan.commitment.committed.iter().map(points).sum(),
            velocity_target: spec.velocity_target,
            makespan_hours: hours(plan.schedule.makespan),
            lower_bound_hours: hours(plan.floor),
            optimality_gap_percent: round(plan.gap() * 100.0, 2),
            proven_optimal: plan.is_proven(),
            critical_path: ids(&plan.critical.path),
            critical_path_hours: hours(plan.critical.makespan),
            batches: plan
                .batches
                .iter()
                .map(|batch| Batch {
                    ids: ids(&batch.tasks),
                    days: [batch.days.0, batch.days.1],
                    sequential: batch.sequential,
                })
                .collect(),
            tasks: (0..spec.tasks.len() as u32)
                .map(|task| Task::of(spec, plan, task))
                .collect(),
            allocation: plan
                .allocation
                .iter()
                .map(|share| {
                    let role = &spec.team[share.role as usize].name;
                    Allocation {
                        role: role.as_str(),
                        agent: agent_name(role, share.instance),
                        tasks: share.tasks.len(),
                        task_ids: ids(&share.tasks),
                        capacity_hours: share.capacity.map(hours),
                        allocated_hours: hours(share.allocated),
                        utilization: round(share.utilization, 4),
                    }
                })
                .collect(),
            committed: ids(&plan.commitment.committed),
            backlog: plan
                .commitment
                .backlog
                .iter()
                .map(|deferred| Deferred {
                    id: id(&deferred.task),
                    reason: &deferred.reason,
                })
                .collect(),
            risks: plan
                .risks
                .iter()
                .map(|risk| Risk {
                    risk: &risk.risk,
                    trigger: &risk.trigger,
                    mitigation: &risk.mitigation,
                    fallback: &risk.fallback,
                    tasks: ids(&risk.tasks),
                })
                .collect(),
            questions: plan
                .questions
                .iter()
                .map(|question| match &question.task {
                    Some(task) => format!("{}: {}", id(task), question.about),
                    None => format!("the sprint: {}", question.about),
                })
                .collect(),
            past,
            certainty: plan
                .certainty
                .as_ref()
                .map(|found| Certain::of(spec, found)),
        }
    }
}

impl<'a> Task<'a> {
    fn of(spec: &'a SprintSpec, plan: &'a Plan, task: u32) -> Self {
        let at = task as usize;
        let written = &spec.tasks[at];
        let slot = plan.schedule.slot(task);
        Self {
            id: written.id.as_str(),
            title: &written.title,
            role: written.role.as_str(),
            agent: slot.map(|slot| agent_name(&written.role, slot.instance)),
            start_hours: slot.map(|slot| hours(slot.start)),
            finish_hours: slot.map(|slot| hours(slot.finish)),
            expected_hours: hours(plan.durations[at]),
            slack_hours: slot.map(|_| hours(plan.critical.total_slack[at])),
            free_slack_hours: slot.map(|_| hours(plan.critical.free_slack[at])),
            critical: plan.is_critical(task),
            depends_on: written
                .depends_on
                .iter()
                .map(|name| name.as_str())
                .collect(),
        }
    }
}

/// Hours with as many decimals as a millisecond needs.
fn hours(ms: u64) -> f64 {
    round(Span(ms).as_hours(), 6)
}

fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}
