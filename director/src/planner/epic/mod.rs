//! Epics: from what users get in the end to tasks, sprints and a risk plan.
//!
//! Tasks come from [`rule`], which needs nobody, or from an agent's plan that was checked. Either way they are mapped to sprints here, with the
//! commitment that every sprint is planned with: what fits the capacity of a sprint is in it, the rest goes on to the next.
//!
//! Invariant: each task is in exactly one sprint, and all that it waits for is in the same or an earlier one.
//! Elsewhere: reading the epic is [`director_protocols::manifest::epic`]; asking an agent and writing files is [`crate::epic`].

pub mod rule;
mod sprints;
pub mod table;
#[cfg(test)]
mod tests;

use director_protocols::epic::{Architecture, Danger, EpicSpec};
use director_protocols::sprint::{SprintSpec, TaskSpec};
use serde_json::{Value, json};

use super::commit::hours;
use super::risks::Risk;
use super::{Plan, PlanError};
pub use sprints::SPRINTS_MAX;

/// An epic, planned.
#[derive(Clone, Debug)]
pub struct EpicPlan {
    /// How it is built.
    pub architecture: Architecture,
    /// Its sprints, in order, each with its plan.
    pub sprints: Vec<(SprintSpec, Plan)>,
    /// What could go wrong with the epic.
    pub risks: Vec<Danger>,
    /// Tasks that no sprint can hold, with the reason; they are in a sprint all the same.
    pub oversized: Vec<String>,
}

/// Plans an epic by rule.
///
/// # Errors
/// [`PlanError`] where a task has nobody who could do it.
pub fn by_rule(epic: &EpicSpec) -> Result<EpicPlan, PlanError> {
    let tasks = rule::tasks(epic);
    let names = |list: &mut dyn Iterator<Item = String>| list.collect::<Vec<_>>();
    let both = |both: bool| {
        epic.features
            .iter()
            .filter(move |feature| feature.ui && feature.api == both)
    };
    let architecture = Architecture {
        summary: format!(
            "`{}-architecture` decides it before anything is built: {} features, of which {} have an interface and a service.",
            epic.id,
            epic.features.len(),
            both(true).count()
        ),
        decisions: names(
            &mut epic
                .features
                .iter()
                .filter(|feature| !feature.depends_on.is_empty())
                .map(|feature| {
                    let first: Vec<_> =
                        feature.depends_on.iter().map(ToString::to_string).collect();
                    format!("`{}` is built on {}", feature.id, first.join(", "))
                }),
        ),
        interfaces: names(&mut both(true).map(|feature| {
            format!(
                "`{0}`: between `{0}-ui` and `{0}-api`, joined by `{0}-connect`",
                feature.id
            )
        })),
    };
    plan(epic, tasks, architecture, Vec::new())
}

/// Plans an epic with tasks that somebody else made.
///
/// # Errors
/// [`PlanError`] where a task has nobody who could do it.
pub fn plan(
    epic: &EpicSpec,
    tasks: Vec<TaskSpec>,
    architecture: Architecture,
    risks: Vec<Danger>,
) -> Result<EpicPlan, PlanError> {
    let mapped = sprints::map(epic, tasks)?;
    let mut plan = EpicPlan {
        architecture,
        sprints: mapped.sprints,
        risks,
        oversized: mapped.oversized,
    };
    plan.risks.extend(dangers(epic, &plan));
    Ok(plan)
}

/// What could go wrong with the epic as a whole, and what its sprints say of themselves.
fn dangers(epic: &EpicSpec, plan: &EpicPlan) -> Vec<Danger> {
    let mut found: Vec<Danger> = epic
        .risks
        .iter()
        .map(|risk| Danger {
            risk: risk.clone(),
            trigger: "its author named it; the first sign of it in a standup counts".to_owned(),
            mitigation: "look at it at the end of each sprint".to_owned(),
            fallback: "cut the feature that it endangers".to_owned(),
        })
        .collect();
    let waited = |id: &director_protocols::ids::Name| {
        epic.features
            .iter()
            .filter(|feature| feature.depends_on.contains(id))
            .count()
    };
    for feature in epic
        .features
        .iter()
        .filter(|feature| waited(&feature.id) >= 3)
    {
        found.push(Danger {
            risk: format!(
                "{} features are built on `{}`",
                waited(&feature.id),
                feature.id
            ),
            trigger: format!("`{}` is not built at the end of its sprint", feature.id),
            mitigation:
                "settle its interface in the architecture, so that the others can begin against it"
                    .to_owned(),
            fallback: "build the others against a stand-in".to_owned(),
        });
    }
    for feature in epic
        .features
        .iter()
        .filter(|feature| feature.acceptance.is_empty())
    {
        found.push(Danger {
            risk: format!("nobody wrote what has to be true of `{}`", feature.id),
            trigger: format!("the review of `{}` asks what was wanted", feature.id),
            mitigation: "have Product write criteria before its first sprint".to_owned(),
            fallback: "deliver it behind a switch, and ask".to_owned(),
        });
    }
    if let (Some(end), Some((last, _))) = (&epic.end, plan.sprints.last())
        && last.end.as_ref().is_some_and(|last| last > end)
    {
        let last = last.end.as_deref().unwrap_or_default();
        let least = epic
            .features
            .iter()
            .min_by_key(|feature| (feature.priority, std::cmp::Reverse(feature.points)));
        found.push(Danger {
            risk: format!("the last sprint ends on {last}, after {end}"),
            trigger: "already so by this plan".to_owned(),
            mitigation: "add agents to the busiest role, or begin with fewer features".to_owned(),
            fallback: least.map_or_else(
                || "move the end".to_owned(),
                |feature| format!("leave out `{}`", feature.id),
            ),
        });
    }
    // What several sprints say is said once.
    let mut said: Vec<(Vec<&str>, &Risk)> = Vec::new();
    for (sprint, plan) in &plan.sprints {
        for risk in &plan.risks {
            match said
                .iter_mut()
                .find(|(_, known)| known.risk == risk.risk && known.fallback == risk.fallback)
            {
                Some((sprints, _)) => sprints.push(sprint.id.as_str()),
                None => said.push((vec![sprint.id.as_str()], risk)),
            }
        }
    }
    found.extend(said.into_iter().map(|(sprints, risk)| Danger {
        risk: format!("{}: {}", sprints.join(", "), risk.risk),
        trigger: risk.trigger.clone(),
        mitigation: risk.mitigation.clone(),
        fallback: risk.fallback.clone(),
    }));
    found
}

impl EpicPlan {
    /// The answer for programs. The keys are a promise to users: more may come, none is renamed.
    pub fn json(&self, epic: &EpicSpec) -> Value {
        let round = |ms: u64| (ms as f64 / 36_000.0).round() / 100.0;
        let breakdown: Vec<Value> = self.sprints.iter().map(|(sprint, plan)| {
            let mut features: Vec<&str> = sprint.tasks.iter().map(|task| task.feature.as_str()).filter(|feature| epic.features.iter().any(|known| known.id.as_str() == *feature)).collect();
            features.sort_unstable();
            features.dedup();
            let critical: Vec<&str> = plan.critical.path.iter().map(|task| sprint.tasks[*task as usize].id.as_str()).collect();
            json!({
                "sprint": sprint.id.as_str(),
                "start": sprint.start,
                "end": sprint.end,
                "features": features,
                "tasks": sprint.tasks.iter().map(|task| json!({
                    "id": task.id.as_str(), "title": task.title, "kind": task.kind, "role": task.role.as_str(),
                    "feature": task.feature.as_str(), "points": task.points,
                    "hours": round(task.estimate.mean().0),
                    "depends_on": task.depends_on.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
                "points": sprint.tasks.iter().map(|task| u64::from(task.points)).sum::<u64>(),
                "makespan_hours": round(plan.schedule.makespan),
                "critical_path": critical,
            })
        }).collect();
        let architecture = &self.architecture;
        let last = self.sprints.last().map(|(sprint, _)| sprint);
        json!({
            "epic_id": epic.id.as_str(),
            "title": epic.title,
            "architecture_plan": {
                "summary": architecture.summary,
                "decisions": architecture.decisions,
                "interfaces": architecture.interfaces,
            },
            "sprint_breakdown": breakdown,
            "risk_mitigation": self.risks.iter().map(|risk| json!({
                "risk": risk.risk, "trigger": risk.trigger, "mitigation": risk.mitigation, "fallback": risk.fallback,
            })).collect::<Vec<_>>(),
            "estimated_duration": {
                "sprints": self.sprints.len(),
                "working_days": self.working_days(epic),
                "effort_hours": round(self.sprints.iter().flat_map(|(sprint, _)| &sprint.tasks).map(|task| task.estimate.mean().0).sum()),
                "start": epic.start,
                "end": last.and_then(|sprint| sprint.end.clone()),
            },
            "oversized": self.oversized,
        })
    }

    /// Whole sprints, and of the last one the days that it takes.
    fn working_days(&self, epic: &EpicSpec) -> u64 {
        let Some((_, last)) = self.sprints.last() else {
            return 0;
        };
        let whole = (self.sprints.len() as u64 - 1) * u64::from(epic.sprint_days);
        whole + last.schedule.makespan.div_ceil(epic.day.0.max(1))
    }

    /// The plan for people, as Markdown.
    pub fn markdown(&self, epic: &EpicSpec) -> String {
        use crate::report::text::{line, short};
        let mut out = format!("# Epic {}: {}\n\n", epic.id, line(&epic.title));
        out += &format!(
            "{} in {}, {} working days\n\n## Architecture\n\n{}\n",
            super::commit::plural(
                self.sprints
                    .iter()
                    .map(|(sprint, _)| sprint.tasks.len() as u64)
                    .sum(),
                "task"
            ),
            super::commit::plural(self.sprints.len() as u64, "sprint"),
            self.working_days(epic),
            line(&self.architecture.summary)
        );
        for entry in self
            .architecture
            .decisions
            .iter()
            .chain(&self.architecture.interfaces)
        {
            out += &format!("- {}\n", line(entry));
        }
        for (sprint, plan) in &self.sprints {
            let dates = match (&sprint.start, &sprint.end) {
                (Some(start), Some(end)) => format!(", {start} to {end}"),
                _ => String::new(),
            };
            out += &format!("\n## {}{dates}\n\n", sprint.id);
            for task in &sprint.tasks {
                out += &format!(
                    "- {}: {} ({}, {})\n",
                    task.role,
                    task.id,
                    short(&task.title, 80),
                    hours(task.estimate.mean().0)
                );
            }
            let path: Vec<_> = plan
                .critical
                .path
                .iter()
                .map(|task| sprint.tasks[*task as usize].id.to_string())
                .collect();
            out += &format!(
                "\nCritical path: {} ({})\n",
                path.join(" → "),
                hours(plan.critical.makespan)
            );
        }
        out += "\n## Risks\n\n";
        if self.risks.is_empty() {
            out += "None found.\n";
        }
        for risk in &self.risks {
            out += &format!(
                "- {}: {}. Then: {}\n",
                line(&risk.risk),
                line(&risk.mitigation),
                line(&risk.fallback)
            );
        }
        for text in &self.oversized {
            out += &format!("\n**Too large:** {}\n", line(text));
        }
        out
    }
}
