//! Scope: a running sprint becomes what is wanted now.
//!
//! Done work stays done. What is no longer wanted is called off kindly: its agent is told to stop, and what it left is
//! saved. What changes while it is at work begins again with what is wanted now, unless only its estimate or its
//! place among others changed. Bugs and other tasks that came from elsewhere stay, and so does what was answered before the start
//! ([`super::unclear`]) where the file says what it said then; estimates are corrected by the past as they were when it was submitted.

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::event::{
    BudgetsChanged, Event, RoleBudget, SprintReplanned, TaskAdded, TaskChanged, TaskReassigned,
};
use director_protocols::ids::{Name, SprintId, TaskId};
use director_protocols::kinds;
use director_protocols::origin::Origin;
use director_protocols::rejection::Rejection;
use director_protocols::scope::{NewTask, ScopeChange};
use director_protocols::shared::Shared;
use director_protocols::sprint::{RoleSpec, SprintSpec, TASKS_MAX, TaskSpec};

use super::{Answer, steer};
use crate::engine::sprints::Sprint;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::planner;

/// What is different between a running sprint and what is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Tasks that come, each after those that it depends on.
    pub added: Vec<Shared<TaskSpec>>,
    /// Tasks that change.
    pub changed: Vec<Change>,
    /// Tasks that are no longer wanted.
    pub dropped: Vec<TaskId>,
    /// Tasks that the file has otherwise and that are over: they stay.
    pub kept: Vec<TaskId>,
    /// What the sprint, its windows and its roles may spend, where that changes.
    pub budgets: Option<BudgetsChanged>,
}

/// A task that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which.
    pub task: TaskId,
    /// What it is then.
    pub spec: Shared<TaskSpec>,
    /// What the file says of it, where answers say otherwise.
    pub written: Option<Shared<TaskSpec>>,
    /// What of it changes, in words.
    pub what: Vec<&'static str>,
}

impl Difference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        let tasks = self.added.is_empty() && self.changed.is_empty() && self.dropped.is_empty();
        tasks && self.budgets.is_none()
    }
}

/// Compares the sprint with a file.
///
/// # Errors
/// A [`Rejection`] when the file is no sprint that could go on from here.
pub fn difference(
    state: &State,
    id: SprintId,
    wanted: &SprintSpec,
) -> Result<Difference, Rejection> {
    let sprint = state.sprints.get(id).ok_or(Rejection::NoSprint)?;
    let bad = |why: String| Rejection::BadSprint {
        sprint: sprint.spec.id.to_string(),
        why,
    };
    takes_work(sprint)?;
    let plan = planner::plan(wanted).map_err(|error| bad(error.to_string()))?;
    let mut found = Difference {
        budgets: budgets(sprint, id, wanted),
        ..Difference::default()
    };
    let mut named: BTreeSet<&Name> = BTreeSet::new();
    for place in plan.graph.order() {
        let written = &wanted.tasks[*place as usize];
        named.insert(&written.id);
        let spec = &corrected(sprint, written);
        if !state.team.by_role.contains_key(&spec.role) {
            return Err(bad(format!(
                "task `{}` needs the role `{}`, which the running team does not have",
                spec.id, spec.role
            )));
        }
        match sprint.by_name.get(&spec.id) {
            None => found.added.push(spec.clone()),
            Some(known) => {
                let row = &state.tasks.table[known.index()];
                let wanted = match &row.written {
                    Some(before) => with_answers(before, &row.spec, spec),
                    None => spec.clone(),
                };
                let what = differs(&row.spec, &wanted);
                if what.is_empty() {
                    continue;
                }
                if row.phase.is_over() && row.phase != Phase::Deferred {
                    found.kept.push(*known);
                } else {
                    fits(row, &what)?;
                    found.changed.push(Change {
                        task: *known,
                        written: (wanted != *spec).then(|| spec.clone()),
                        spec: wanted,
                        what,
                    });
                }
            }
        }
    }
    let ours = |row: &Task| matches!(row.origin.as_deref(), None | Some(Origin::Scope));
    for known in sprint.tasks() {
        let row = &state.tasks.table[known.index()];
        if !named.contains(&row.spec.id) && ours(row) && !row.phase.is_over() {
            if row.phase == Phase::Merging {
                return Err(Rejection::TaskState {
                    task: row.spec.id.to_string(),
                    state: row.phase.as_str(),
                    hint: "wait until it is merged, then leave it out",
                });
            }
            found.dropped.push(known);
        }
    }
    if state.tasks.table.len() + found.added.len() > TASKS_MAX * 2 {
        return Err(bad("it has too many tasks".to_owned()));
    }
    Ok(found)
}

/// What the file says of money that the sprint does not. Roles that the running team does not have are left out.
fn budgets(sprint: &Sprint, sprint_id: SprintId, wanted: &SprintSpec) -> Option<BudgetsChanged> {
    let (known, policy) = (&sprint.spec.policy, &wanted.policy);
    let differs = |role: &&RoleSpec| {
        let mut team = sprint.spec.team.iter();
        team.any(|known| known.name == role.name && known.budget != role.budget)
    };
    let roles: Vec<RoleBudget> = wanted
        .team
        .iter()
        .filter(differs)
        .map(|role| RoleBudget {
            role: role.name.clone(),
            budget: role.budget,
        })
        .collect();
    if (known.budget, known.window) == (policy.budget, policy.window) && roles.is_empty() {
        return None;
    }
    Some(BudgetsChanged {
        sprint_id,
        budget: policy.budget,
        window: policy.window,
        roles,
        by: String::new(),
    })
}

/// The task as the sprint takes it in: its estimate corrected as those that the sprint was submitted with.
fn corrected(sprint: &Sprint, written: &Shared<TaskSpec>) -> Shared<TaskSpec> {
    let factors = &sprint.spec.ways.start.corrected;
    match factors.get(&written.kind) {
        None => written.clone(),
        Some(parts) => {
            let mut spec = TaskSpec::clone(written);
            spec.estimate = spec.estimate.times(*parts);
            spec.into()
        }
    }
}

/// What the file wants now, with the answers of `known` where it says what it said `before`.
fn with_answers(before: &TaskSpec, known: &TaskSpec, wanted: &TaskSpec) -> Shared<TaskSpec> {
    let mut spec = wanted.clone();
    if wanted.description == before.description {
        spec.description.clone_from(&known.description);
    }
    if wanted.acceptance == before.acceptance {
        spec.acceptance.clone_from(&known.acceptance);
    }
    if wanted.estimate == before.estimate {
        spec.estimate = known.estimate;
    }
    if (&wanted.kind, &wanted.role) == (&before.kind, &before.role) {
        spec.kind.clone_from(&known.kind);
        spec.role.clone_from(&known.role);
    }
    if wanted.spec == before.spec {
        spec.spec.clone_from(&known.spec);
    }
    if wanted.design == before.design {
        spec.design.clone_from(&known.design);
    }
    spec.into()
}

/// Whether the sprint goes on, so that what comes to it would be done.
pub fn takes_work(sprint: &Sprint) -> Result<(), Rejection> {
    let name = sprint.spec.id.to_string();
    if sprint.is_over() {
        return Err(Rejection::SprintEnded { sprint: name });
    }
    if sprint.cancelled {
        return Err(Rejection::SprintState {
            sprint: name,
            state: "being cancelled",
            hint: "`director retry TASK` takes it up again",
        });
    }
    Ok(())
}

/// What is different about a task, in words.
fn differs(known: &TaskSpec, wanted: &TaskSpec) -> Vec<&'static str> {
    let mut words = Vec::new();
    let mut say = |differs: bool, word| {
        if differs {
            words.push(word);
        }
    };
    say(known.depends_on != wanted.depends_on, "dependencies");
    say(
        known.role != wanted.role || known.kind != wanted.kind,
        "role",
    );
    say(known.feature != wanted.feature, "feature");
    say(known.estimate != wanted.estimate, "estimate");
    say(known.points != wanted.points, "points");
    say(known.priority != wanted.priority, "priority");
    say(known.acceptance != wanted.acceptance, "acceptance");
    say(
        known.budget.spending() != wanted.budget.spending(),
        "budget",
    );
    let mut rest = known.clone();
    rest.depends_on.clone_from(&wanted.depends_on);
    rest.role.clone_from(&wanted.role);
    rest.kind.clone_from(&wanted.kind);
    rest.feature.clone_from(&wanted.feature);
    rest.estimate = wanted.estimate;
    rest.points = wanted.points;
    rest.priority = wanted.priority;
    rest.acceptance.clone_from(&wanted.acceptance);
    rest.budget.spending.clone_from(&wanted.budget.spending);
    say(rest != *wanted, "content");
    words
}

/// Whether an agent that is at work has to begin again because of the change.
fn begins_again(words: &[&'static str]) -> bool {
    words
        .iter()
        .any(|word| matches!(*word, "acceptance" | "content"))
}

/// Whether a task can change like that where it is in its life.
fn fits(row: &Task, words: &[&'static str]) -> Result<(), Rejection> {
    let no = |hint| {
        Err(Rejection::TaskState {
            task: row.spec.id.to_string(),
            state: row.phase.as_str(),
            hint,
        })
    };
    if words.contains(&"feature") {
        return no("a task keeps its feature; drop it and add another");
    }
    let moves = words.contains(&"dependencies") || words.contains(&"role");
    let rests = matches!(row.phase, Phase::Waiting | Phase::Ready | Phase::Deferred);
    if moves && !rests {
        return no(
            "its role and what it depends on can change only before it is begun; cancel it and add another",
        );
    }
    Ok(())
}

/// Decides about a file for a running sprint.
pub fn replan(state: &State, id: SprintId, wanted: &SprintSpec, by: &str) -> Answer {
    let found = difference(state, id, wanted)?;
    Ok(applied(state, id, &found, by))
}

/// Decides about a change of scope that an outside party asks for.
pub fn changed(state: &State, id: SprintId, change: &ScopeChange, by: &str) -> Answer {
    let found = asked(state, id, change)?;
    Ok(applied(state, id, &found, by))
}

/// What an outside party's change means.
fn asked(state: &State, id: SprintId, change: &ScopeChange) -> Result<Difference, Rejection> {
    let sprint = state.sprints.get(id).ok_or(Rejection::NoSprint)?;
    let name = sprint.spec.id.to_string();
    takes_work(sprint)?;
    let bad = |why: String| Rejection::BadSprint {
        sprint: name.clone(),
        why,
    };
    let known = |task: &Name| {
        let found = sprint.by_name.get(task).copied();
        found.ok_or_else(|| bad(format!("there is no task `{task}`")))
    };
    let mut found = Difference::default();
    let mut coming: BTreeSet<&Name> = BTreeSet::new();
    for task in &change.add {
        if sprint.by_name.contains_key(&task.id) || coming.contains(&task.id) {
            return Err(bad(format!("there is a task `{}` already", task.id)));
        }
        let stranger = |dep: &&Name| !sprint.by_name.contains_key(*dep) && !coming.contains(*dep);
        if let Some(stranger) = task.depends_on.iter().find(stranger) {
            return Err(bad(format!(
                "task `{}` depends on `{stranger}`, which is not there",
                task.id
            )));
        }
        coming.insert(&task.id);
        found.added.push(spec_of(state, id, task)?.into());
    }
    for change in &change.change {
        let id = known(&change.id)?;
        let row = &state.tasks.table[id.index()];
        if row.phase.is_over() {
            found.kept.push(id);
            continue;
        }
        let spec = change
            .applied(&row.spec)
            .ok_or_else(|| bad(format!("`hours` of `{}` make no sense", change.id)))?;
        let what = differs(&row.spec, &spec);
        if !what.is_empty() {
            found.changed.push(Change {
                task: id,
                spec: spec.into(),
                written: row.written.clone(),
                what,
            });
        }
    }
    for task in &change.drop {
        let id = known(task)?;
        let row = &state.tasks.table[id.index()];
        let goes_on = |next: &&TaskId| {
            let next = &state.tasks.table[next.index()];
            !next.phase.is_over() && !change.drop.contains(&next.spec.id)
        };
        if let Some(next) = row.dependents.iter().find(goes_on) {
            return Err(bad(format!(
                "task `{}` waits for `{task}`; drop it too, or use `director replan`",
                state.task_name(*next)
            )));
        }
        if row.phase == Phase::Merging {
            return Err(Rejection::TaskState {
                task: task.to_string(),
                state: row.phase.as_str(),
                hint: "wait until it is merged",
            });
        }
        if !row.phase.is_over() {
            found.dropped.push(id);
        }
    }
    Ok(found)
}

/// A task of an outside party in full, for the role that does its kind.
pub fn spec_of(state: &State, id: SprintId, task: &NewTask) -> Result<TaskSpec, Rejection> {
    let sprint = &state.sprints.table[id.index()];
    let kind = task.kind.as_deref().unwrap_or(kinds::KIND_OTHERWISE);
    let bad = |why: String| Rejection::BadSprint {
        sprint: sprint.spec.id.to_string(),
        why,
    };
    let mut roles = state.team.roles.iter().filter(|role| role.spec.count > 0);
    let usual = roles.clone().find(|role| {
        let own = role.spec.kinds.iter().any(|known| known == kind);
        own || role.spec.name.as_str() == kinds::role_of(kind)
    });
    let role = usual
        .or_else(|| roles.find(|role| role.covers_kind(kind)))
        .ok_or_else(|| bad(format!("nobody does tasks of kind `{kind}`")))?;
    if role.spec.agent.kind == "command" && task.run.is_none() {
        return Err(bad(format!(
            "task `{}` goes to `{}`, whose agents run commands, and has no `run`",
            task.id, role.spec.name
        )));
    }
    task.spec(role.spec.name.clone(), sprint.spec.repo.is_some())
        .ok_or_else(|| bad(format!("`hours` of `{}` make no sense", task.id)))
}

/// The end of a task that nobody wants any more: the sprint has not committed to it.
fn dropped(mut events: Vec<Event>) -> Vec<Event> {
    for event in &mut events {
        if let Event::TaskCancelled(e) = event {
            e.dropped = true;
        }
    }
    events
}

/// The events of one task that an answer makes another from now on; what the file says of it is kept beside it.
pub fn answered(
    state: &State,
    (sprint, task): (SprintId, TaskId),
    spec: TaskSpec,
    by: &str,
) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    let what = differs(&row.spec, &spec);
    let mut found = Difference::default();
    if !what.is_empty() {
        found.changed.push(Change {
            task,
            spec: spec.into(),
            written: Some(row.written.as_ref().unwrap_or(&row.spec).clone()),
            what,
        });
    }
    applied(state, sprint, &found, by)
}

/// The events of tasks that are left for another sprint.
pub fn left_out(state: &State, sprint: SprintId, tasks: Vec<TaskId>, by: &str) -> Vec<Event> {
    let found = Difference {
        dropped: tasks,
        ..Difference::default()
    };
    applied(state, sprint, &found, by)
}

/// The events of a difference.
fn applied(state: &State, id: SprintId, found: &Difference, by: &str) -> Vec<Event> {
    if found.is_empty() {
        return Vec::new();
    }
    let sprint = &state.sprints.table[id.index()];
    let next = state.tasks.table.len() as u32;
    let coming: BTreeMap<&Name, TaskId> = found
        .added
        .iter()
        .map(|spec| &spec.id)
        .zip((next..).map(TaskId))
        .collect();
    let ids = |spec: &TaskSpec| -> Vec<TaskId> {
        let deps = spec.depends_on.iter();
        let known = |dep| coming.get(dep).or_else(|| sprint.by_name.get(dep));
        deps.filter_map(known).copied().collect()
    };
    let mut events: Vec<Event> = Vec::new();
    if let Some(budgets) = &found.budgets {
        let by = by.to_owned();
        events.push(
            BudgetsChanged {
                by,
                ..budgets.clone()
            }
            .into(),
        );
    }
    for spec in &found.added {
        events.push(
            TaskAdded {
                task_id: coming[&spec.id],
                sprint_id: id,
                dependencies: ids(spec),
                spec: spec.clone(),
                origin: Origin::Scope,
                by: by.to_owned(),
            }
            .into(),
        );
    }
    for change in &found.changed {
        let row = &state.tasks.table[change.task.index()];
        events.push(
            TaskChanged {
                task_id: change.task,
                dependencies: ids(&change.spec),
                spec: change.spec.clone(),
                written: change.written.clone(),
                what: change.what.iter().map(|word| (*word).to_owned()).collect(),
                by: by.to_owned(),
            }
            .into(),
        );
        if row.phase.is_in_hand() && begins_again(&change.what) {
            events.extend(steer::withdrawn(state, change.task));
            events.push(
                TaskReassigned {
                    task_id: change.task,
                    to: row.agent,
                    by: "director (what is wanted has changed)".to_owned(),
                }
                .into(),
            );
        }
    }
    for task in &found.dropped {
        events.extend(dropped(steer::cancelled(state, *task, by)));
    }
    // Money alone moves no task.
    if found.added.is_empty() && found.changed.is_empty() && found.dropped.is_empty() {
        return events;
    }
    events.push(
        SprintReplanned {
            sprint_id: id,
            added: found.added.len() as u32,
            changed: found.changed.len() as u32,
            dropped: found.dropped.len() as u32,
            by: by.to_owned(),
        }
        .into(),
    );
    events
}
