//! The eight success criteria of a sprint, each met, not met or not measured, with the evidence.
//!
//! An agent's own word is no measurement; where there is only that, it says so.

use director_protocols::severity::Severity;
use director_protocols::sprint::Class;
use schemars::JsonSchema;
use serde::Serialize;

use super::facts::Facts;
use super::metrics::{Metrics, Verdicts, accepted_with};
use crate::engine::sprints::Sprint;
use crate::engine::tasks::{Phase, Task};
use crate::view::{count, some};

/// The most tasks that are named for one criterion.
const NAMED_MAX: usize = 5;

/// What is known about a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CriterionStanding")]
pub enum Standing {
    /// Measured, and it is so.
    Met,
    /// Measured, and it is not so.
    NotMet,
    /// Nothing measured it.
    NotMeasured,
}

impl Standing {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Met => "met",
            Standing::NotMet => "not met",
            Standing::NotMeasured => "not measured",
        }
    }
}

/// One criterion.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Criterion {
    /// What should be true.
    pub criterion: &'static str,
    /// Whether it is.
    pub standing: Standing,
    /// What shows it.
    pub evidence: String,
}

/// The eight, in the order in which they are always listed.
pub(super) fn criteria(
    row: &Sprint,
    tasks: &[&Task],
    facts: &Facts,
    metrics: &Metrics,
) -> Vec<Criterion> {
    vec![
        carried_over(row, tasks),
        gate(
            "Test coverage maintained above 80%",
            "coverage",
            metrics.coverage_gate,
        ),
        gate(
            "All code reviewed and approved",
            "review",
            accepted_with(tasks, "review"),
        ),
        gate(
            "Documentation updated for all features",
            "docs",
            accepted_with(tasks, "docs"),
        ),
        critical_bugs(tasks),
        velocity(metrics),
        sustainability(facts, metrics),
        requirements(tasks),
    ]
}

/// What a plan left for later, or a person called off, is carried over with its reason. What failed, and what waited for it, is left: it
/// stands in the proposal for the next sprint, but nobody has said what is to become of it.
fn carried_over(row: &Sprint, tasks: &[&Task]) -> Criterion {
    let all = tasks.len();
    let tasks: Vec<&&Task> = tasks.iter().filter(|task| !task.dropped).collect();
    let of_phase = |wanted: &dyn Fn(Phase) -> bool| -> Vec<String> {
        let found = tasks.iter().filter(|task| wanted(task.phase));
        found.map(|task| task.spec.id.to_string()).collect()
    };
    let done = of_phase(&|phase| phase == Phase::Completed).len();
    let carried = of_phase(&|phase| matches!(phase, Phase::Deferred | Phase::Cancelled)).len();
    let failed = of_phase(&|phase| matches!(phase, Phase::Failed | Phase::Quarantined));
    let open = tasks.len() - done - carried - failed.len();
    let mut evidence = vec![match done == tasks.len() && done > 1 {
        true => format!("all {} completed", count(done, "task")),
        false => format!("{done} of {} completed", count(tasks.len(), "task")),
    }];
    if carried > 0 {
        evidence.push(format!("{carried} carried over with the reason"));
    }
    if !failed.is_empty() {
        evidence.push(format!(
            "{} failed and carried over by nobody ({})",
            failed.len(),
            some(&failed, NAMED_MAX)
        ));
    }
    match (open, row.is_over()) {
        (0, _) => {}
        (n, true) => evidence.push(format!("{n} left waiting")),
        (n, false) => evidence.push(format!("{n} still open")),
    }
    if all > tasks.len() {
        evidence.push(format!("{} dropped", all - tasks.len()));
    }
    Criterion {
        criterion: "All sprint tasks completed or properly carried over",
        standing: match open == 0 && failed.is_empty() {
            true => Standing::Met,
            false => Standing::NotMet,
        },
        evidence: evidence.join(", "),
    }
}

fn gate(criterion: &'static str, name: &str, verdicts: Verdicts) -> Criterion {
    let Verdicts {
        passed,
        failed,
        not_measured,
        overridden,
    } = verdicts;
    let standing = match (passed, failed + overridden, not_measured) {
        (_, 1.., _) => Standing::NotMet,
        (1.., 0, 0) => Standing::Met,
        _ => Standing::NotMeasured,
    };
    Criterion {
        criterion,
        standing,
        evidence: match (passed, failed + overridden) {
            (0, 0) => format!("nothing measured gate `{name}`"),
            _ => {
                let more = match overridden {
                    0 => String::new(),
                    n => format!(", {n} overridden by a person"),
                };
                format!(
                    "gate `{name}` on completed tasks: {passed} passed, {failed} failed, {not_measured} not measured{more}"
                )
            }
        },
    }
}

fn critical_bugs(tasks: &[&Task]) -> Criterion {
    let open: Vec<String> = tasks
        .iter()
        .filter(|task| {
            task.spec.severity == Some(Severity::Critical) && task.phase != Phase::Completed
        })
        .map(|task| task.spec.id.to_string())
        .collect();
    Criterion {
        criterion: "No critical bugs in production",
        standing: match open.is_empty() {
            true => Standing::NotMeasured,
            false => Standing::NotMet,
        },
        evidence: match open.is_empty() {
            true => "no critical bug of this sprint is open; production is not watched".to_owned(),
            false => format!("critical and not completed: {}", open.join(", ")),
        },
    }
}

fn velocity(metrics: &Metrics) -> Criterion {
    let (done, target) = (metrics.velocity, metrics.target_velocity);
    Criterion {
        criterion: "Sprint velocity meets or exceeds target",
        standing: match target {
            0 => Standing::NotMeasured,
            target if done >= target => Standing::Met,
            _ => Standing::NotMet,
        },
        evidence: match target {
            0 => "no task has points and no target is set".to_owned(),
            target => format!("{done} of {}", count(target as usize, "point")),
        },
    }
}

fn sustainability(facts: &Facts, metrics: &Metrics) -> Criterion {
    let strain = &metrics.sustainability;
    let mut against = Vec::new();
    if strain.overtime_hours > 0.0 {
        against.push(format!("{:.1}h over capacity", strain.overtime_hours));
    }
    if !strain.agents_over_85_percent.is_empty() {
        against.push(format!(
            "over 85% used: {}",
            strain.agents_over_85_percent.join(", ")
        ));
    }
    if !facts.roles_lost.is_empty() {
        against.push(format!("roles lost: {}", facts.roles_lost.join(", ")));
    }
    let figures = format!(
        "{}, {}",
        count(strain.rework_rounds as usize, "rework round"),
        count(strain.restarts as usize, "restart")
    );
    Criterion {
        criterion: "Team morale and sustainability maintained",
        standing: match (metrics.attempts, against.is_empty()) {
            (0, _) => Standing::NotMeasured,
            (_, true) => Standing::Met,
            (_, false) => Standing::NotMet,
        },
        evidence: match against.is_empty() {
            true => format!("no overtime, nobody used over 85%; {figures}"),
            false => format!("{}; {figures}", against.join("; ")),
        },
    }
}

fn requirements(tasks: &[&Task]) -> Criterion {
    let wanted: usize = tasks.iter().map(|task| task.spec.acceptance.len()).sum();
    let answers = || {
        tasks.iter().flat_map(|task| {
            let answers = task
                .story
                .iter()
                .flat_map(|story| &story.report().acceptance);
            answers.filter(|answer| task.spec.acceptance.contains(&answer.criterion))
        })
    };
    let unmet = answers().filter(|answer| !answer.met).count();
    let met = answers().filter(|answer| answer.met).count();
    let gate = accepted_with(tasks, "acceptance");
    let features = tasks
        .iter()
        .filter(|task| task.spec.class == Class::Feature && task.phase != Phase::Completed)
        .count();
    let measured = gate.passed > 0 && gate.failed == 0 && gate.not_measured == 0;
    Criterion {
        criterion: "Stakeholder requirements satisfied",
        standing: match (unmet, measured, features) {
            (1.., _, _) => Standing::NotMet,
            (0, true, 0) => Standing::Met,
            (0, true, _) => Standing::NotMet,
            _ if gate.failed > 0 => Standing::NotMet,
            _ => Standing::NotMeasured,
        },
        evidence: format!(
            "{}: agents say {met} met and {unmet} not met; {}",
            match wanted {
                1 => "1 acceptance criterion".to_owned(),
                n => format!("{n} acceptance criteria"),
            },
            match gate.passed + gate.failed {
                0 => "nothing measured them".to_owned(),
                n => format!("gate `acceptance` passed {} of {n}", gate.passed),
            }
        ),
    }
}
