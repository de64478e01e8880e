//! Gating: what a task's work has to pass, and what it must leave behind.
//!
//! Pure questions over the state; the answers decide effects and verdicts.

use director_protocols::ids::{SprintId, TaskId};
use director_protocols::sprint::{Check, Expects, GateSpec};
use director_protocols::work::{GateOutcome, Verdict};

use super::state::State;

/// The gates of a batch: the sprint's, with those of its tasks in place of or after them.
pub fn gates(state: &State, sprint: SprintId, batch: &[TaskId]) -> Vec<GateSpec> {
    let mut gates = state.sprints.table[sprint.index()].spec.gates.clone();
    for task in batch {
        for own in &state.tasks.table[task.index()].spec.gates {
            match gates.iter_mut().find(|gate| gate.name == own.name) {
                Some(gate) => *gate = own.clone(),
                None => gates.push(own.clone()),
            }
        }
    }
    gates
}

/// Whether any of the batch's gates has to be run.
pub fn has_commands(state: &State, batch: &[TaskId]) -> bool {
    let Some(first) = batch.first() else {
        return false;
    };
    let sprint = state.tasks.table[first.index()].sprint;
    sprint_has_commands(state, sprint)
        || batch.iter().any(|task| {
            state.tasks.table[task.index()]
                .spec
                .gates
                .iter()
                .any(is_command)
        })
}

/// Whether any of the sprint's own gates has to be run.
pub fn sprint_has_commands(state: &State, sprint: SprintId) -> bool {
    state.sprints.table[sprint.index()]
        .spec
        .gates
        .iter()
        .any(is_command)
}

fn is_command(gate: &GateSpec) -> bool {
    matches!(gate.check, Check::Command { .. })
}

/// The outcomes of gates that nothing here can measure.
pub fn not_measured(gates: &[GateSpec]) -> Vec<GateOutcome> {
    gates
        .iter()
        .filter_map(|gate| match &gate.check {
            Check::NotMeasured { wanted } => Some(GateOutcome {
                gate: gate.name.to_string(),
                verdict: Verdict::NotMeasured,
                evidence: wanted.clone(),
                exit_code: None,
                took: Default::default(),
                tail: String::new(),
            }),
            Check::Command { .. } | Check::Off => None,
        })
        .collect()
}

/// What the task should have left behind and did not, in words; `changed` is known only with a repository.
pub fn lacks(state: &State, task: TaskId, changed: Option<bool>) -> Option<String> {
    let row = &state.tasks.table[task.index()];
    let artifacts = row
        .story
        .as_ref()
        .map_or(0, |story| story.report.artifacts.len());
    match (row.spec.expects, changed) {
        (Expects::Changes, Some(false)) => Some(
            "it left no change in the repository; a task of its kind is done only when it leaves one (`expects = \"nothing\"` says otherwise)"
                .to_owned(),
        ),
        (Expects::Artifact, Some(false) | None) if artifacts == 0 => Some(
            "its report names no artifact; a task of its kind is done only when it leaves one".to_owned(),
        ),
        _ => None,
    }
}
