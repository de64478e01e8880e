//! `director plan FILE.sm`: an instance of a public library of problems, planned by the same search.
//!
//! It shows what the planner does on problems whose best answers are known. Times are the file's own units, not hours.

use std::path::Path;

use serde::Serialize;

use super::Context;
use super::end::{CliError, Code};
use crate::perform::islands;
use crate::planner::search::floor::Floor;
use crate::planner::search::model::Model;
use crate::planner::search::{imopse, psplib};

/// Schedules that each of the two islands tries.
const SCHEDULES: u64 = 20_000;
const ISLANDS: usize = 2;
const SEED: u64 = 1;

/// Whether the file is an instance by its name: `.sm` of PSPLIB or `.def` of iMOPSE.
pub(super) fn is_one(file: &Path) -> bool {
    file.extension()
        .is_some_and(|end| end == "sm" || end == "def")
}

#[derive(Serialize)]
struct Document {
    sprint: String,
    total_tasks: usize,
    makespan: u32,
    lower_bound: u32,
    critical_path: u32,
    optimality_gap_percent: f64,
    proven_optimal: bool,
    schedules: u64,
    tasks: Vec<Task>,
}

/// A job by its number in the file.
#[derive(Serialize)]
struct Task {
    id: usize,
    start: u32,
    finish: u32,
    /// From 1, in the order in which the file lists what the job uses; only where one of several does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<u32>,
}

pub(super) fn plan(file: &Path, json: bool, cx: &mut Context) -> Result<Code, CliError> {
    let broken = |error: String| CliError::Input(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| broken(error.to_string()))?;
    let parsed = match file.extension().is_some_and(|end| end == "def") {
        true => imopse::parse(&text),
        false => psplib::parse(&text),
    };
    let problem = parsed.map_err(|error| broken(error.to_string()))?;
    let model = Model::new(&problem).map_err(|error| broken(error.to_string()))?;
    let floor = Floor::of(&model);
    let outcome = islands::search(&model, &floor, SEED, ISLANDS, SCHEDULES, &[], &|| true);
    let found = &outcome.found;
    let task = |job: usize| {
        let way = &problem.jobs[job].ways[found.ways[job] as usize];
        let several = model.has_choice().then(|| way.demand.first());
        Task {
            id: job + 1,
            start: found.starts[job],
            finish: found.starts[job] + way.duration,
            agent: several.flatten().map(|&(agent, _)| agent + 1),
        }
    };
    let gap = f64::from(found.makespan) / f64::from(outcome.bound.max(1)) - 1.0;
    let document = Document {
        sprint: file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        total_tasks: model.len(),
        makespan: found.makespan,
        lower_bound: outcome.bound,
        critical_path: floor.path,
        optimality_gap_percent: (gap * 10_000.0).round() / 100.0,
        proven_optimal: found.makespan <= outcome.bound,
        schedules: outcome.schedules,
        tasks: (0..model.len()).map(task).collect(),
    };
    let text = if json {
        serde_json::to_string_pretty(&document).unwrap_or_default()
    } else {
        words(&document)
    };
    cx.output.text(&text)?;
    cx.output.text("\n")?;
    Ok(Code::Done)
}

fn words(document: &Document) -> String {
    let Document {
        sprint,
        total_tasks,
        makespan,
        lower_bound,
        critical_path,
        optimality_gap_percent,
        ..
    } = document;
    let judged = match document.proven_optimal {
        true => "no schedule is shorter".to_owned(),
        false => format!("at most {optimality_gap_percent} % longer than the best"),
    };
    let mut lines = vec![format!(
        "{sprint}: {total_tasks} jobs in {makespan}; {judged} (lower bound {lower_bound}, critical path {critical_path})"
    )];
    let mut tasks: Vec<&Task> = document.tasks.iter().collect();
    tasks.sort_by_key(|task| (task.start, task.id));
    lines.extend(tasks.iter().map(|task| {
        let agent = task.agent.map(|agent| format!("  agent {agent}"));
        let Task {
            id, start, finish, ..
        } = task;
        format!(
            "{id:>6} {start:>6} to {finish:>6}{}",
            agent.unwrap_or_default()
        )
    }));
    lines.join("\n")
}
