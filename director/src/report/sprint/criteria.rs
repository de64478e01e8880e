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
use crate::view::count;

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

fn carried_over(row: &Sprint, tasks: &[&Task]) -> Criterion {
    let all = tasks.len();
    let tasks: Vec<&&Task> = tasks.iter().filter(|task| !task.dropped).collect();
    let dropped = match all - tasks.len() {
        0 => String::new(),
        n => format!(", {n} dropped"),
    };
    let done = tasks.iter().filter(|t| t.phase == Phase::Completed).count();
    let open = tasks.iter().filter(|t| !t.phase.is_over()).count();
    let carried = tasks.len() - done - open;
    Criterion {
        criterion: "All sprint tasks completed or properly carried over",
        standing: match row.is_over() || open == 0 {
            true => Standing::Met,
            false => Standing::NotMet,
        },
        evidence: match (row.is_over(), open) {
            (false, open) if open > 0 => {
                format!(
                    "{done} of {} completed, {open} still open{dropped}",
                    count(tasks.len(), "task")
                )
            }
            (_, 0) if carried == 0 => format!("all {} completed{dropped}", count(done, "task")),
            (_, waiting) => format!(
                "{done} of {} completed, {} carried over with the reason{dropped}",
                count(tasks.len(), "task"),
                carried + waiting
            ),
        },
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
            target => format!("{done} of {target} points"),
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
            "{wanted} acceptance criteria: agents say {met} met and {unmet} not met; {}",
            match gate.passed + gate.failed {
                0 => "nothing measured them".to_owned(),
                n => format!("gate `acceptance` passed {} of {n}", gate.passed),
            }
        ),
    }
}
