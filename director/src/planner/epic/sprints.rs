//! Tasks into sprints: each sprint is planned as a sprint is, with what is left, and keeps what it can commit to.

use std::collections::BTreeSet;

use director_protocols::epic::EpicSpec;
use director_protocols::ids::Name;
use director_protocols::roles::usual_hours;
use director_protocols::sprint::{Policy, RoleSpec, SprintSpec, TaskSpec};

use super::super::calendar::Calendar;
use super::super::{Plan, PlanError, plan};

/// The most sprints of an epic.
pub const SPRINTS_MAX: usize = 200;

pub(super) struct Mapped {
    pub sprints: Vec<(SprintSpec, Plan)>,
    pub oversized: Vec<String>,
}

/// Puts every task into a sprint.
pub(super) fn map(epic: &EpicSpec, tasks: Vec<TaskSpec>) -> Result<Mapped, PlanError> {
    let mut mapped = Mapped {
        sprints: Vec::new(),
        oversized: Vec::new(),
    };
    let mut left = tasks;
    while !left.is_empty() {
        let number = mapped.sprints.len() + 1;
        let mut whole = sprint(epic, number, left.clone());
        let limits = &whole.team;
        let planned = plan(&whole)?;
        let fits: BTreeSet<u32> = planned.commitment.committed.iter().copied().collect();
        let mut now: BTreeSet<Name> = fits
            .iter()
            .map(|task| left[*task as usize].id.clone())
            .collect();
        let is_last = number == SPRINTS_MAX;
        if now.is_empty() || is_last {
            // Nothing fits an empty sprint: what is first in order is larger than a sprint, and goes in alone.
            let first = planned.order.first().map_or(0, |task| *task as usize);
            let reasons = planned
                .commitment
                .backlog
                .iter()
                .find(|deferred| deferred.task as usize == first);
            let reason = reasons.map_or("", |deferred| deferred.reason.as_str());
            let what = match is_last {
                true => format!(
                    "an epic can have {SPRINTS_MAX} sprints; the last one has all that is left"
                ),
                false => format!(
                    "`{}` {reason}: split it, or raise the capacity",
                    left[first].id
                ),
            };
            mapped.oversized.push(what);
            match is_last {
                true => now.extend(left.iter().map(|task| task.id.clone())),
                false => drop(now.insert(left[first].id.clone())),
            }
            let open: Vec<RoleSpec> = limits
                .iter()
                .map(|role| RoleSpec {
                    capacity: None,
                    ..role.clone()
                })
                .collect();
            (whole.team, whole.end) = (open, None);
        }
        let (mut chosen, rest): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|task| now.contains(&task.id));
        for task in &mut chosen {
            // What an earlier sprint did is done.
            task.depends_on.retain(|id| now.contains(id));
        }
        left = rest;
        for task in &mut left {
            task.depends_on.retain(|id| !now.contains(id));
        }
        whole.tasks = chosen.into_iter().map(Into::into).collect();
        let planned = plan(&whole)?;
        if whole.end.is_none() {
            whole.end = dates(epic, number).1;
        }
        mapped.sprints.push((whole, planned));
    }
    Ok(mapped)
}

fn sprint(epic: &EpicSpec, number: usize, tasks: Vec<TaskSpec>) -> SprintSpec {
    let id = Name::new(format!("{}-{number}", epic.id)).unwrap_or_else(|_| epic.id.clone());
    let (start, end) = dates(epic, number);
    let limited = |role: &RoleSpec| RoleSpec {
        capacity: role
            .capacity
            .or_else(|| Some(usual_hours(role.name.as_str()))),
        ..role.clone()
    };
    SprintSpec {
        id,
        epic: Some(epic.title.clone()),
        start,
        end,
        day: epic.day,
        velocity_target: None,
        repo: epic.repo.clone(),
        base: epic.base.clone(),
        team: epic.team.iter().map(limited).collect(),
        sandbox: None,
        gates: epic.gates.clone(),
        tasks: tasks.into_iter().map(Into::into).collect(),
        policy: Policy::default(),
        ways: Box::default(),
        director: Box::new(epic.director.clone()),
    }
}

/// The first and the last day of a sprint; none where the epic has no start.
fn dates(epic: &EpicSpec, number: usize) -> (Option<String>, Option<String>) {
    let Some(start) = &epic.start else {
        return (None, None);
    };
    let calendar = Calendar::from_start(start, epic.day);
    let days = u64::from(epic.sprint_days);
    let before = (number as u64 - 1) * days;
    let date = |day: u64| calendar.date(day).map(|date| date.to_string());
    (date(before + 1), date(before + days))
}
