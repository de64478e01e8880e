//! Planning again: when a better order is looked for, what there is to order, and what an answer changes.
//!
//! Work is handed out by rank at once; a better order is looked for beside the engine and comes back as a command. It is asked for when work
//! begins, when the scope changes, when a blocker comes or goes, and after a restart. Each of these makes a new version of the
//! plan; an answer names the version it was made for, and one for an older version is refused. So asking twice is harmless.
//!
//! Sprints in which no order is better than another (nobody has a choice of tasks, or all are estimated alike) are never asked about.
//!
//! Invariant: adopting an order changes ranks within a priority and nothing else.
//! Elsewhere: the search is [`crate::planner::replan`]; who runs it is `perform::plans`.

use std::collections::BTreeMap;

use director_protocols::event::{Event, PlanAdopted};
use director_protocols::ids::{EffectId, FeatureId, SprintId, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;
use serde::Serialize;

use super::effects::Effect;
use super::state::State;
use super::tasks::{Phase, Task};
use crate::planner::graph::Graph;
use crate::planner::replan::{IN_HAND, Replan};
use crate::planner::schedule::Resources;

/// A sprint's plan as far as the engine keeps one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Rises with everything that makes another order better.
    pub version: u32,
    /// Whether one order can be better than another at all.
    pub matters: bool,
}

impl Plan {
    /// That of a new sprint.
    pub fn of(spec: &SprintSpec) -> Self {
        let mut tasks_of = BTreeMap::new();
        for task in &spec.tasks {
            *tasks_of.entry(&task.role).or_insert(0_u32) += 1;
        }
        let choice = spec.team.iter().any(|role| {
            tasks_of
                .get(&role.name)
                .is_some_and(|tasks| *tasks > role.count)
        });
        let mut efforts = spec.tasks.iter().map(|task| task.estimate.mean());
        let first = efforts.next();
        Self {
            version: 0,
            matters: choice && efforts.any(|effort| Some(effort) != first),
        }
    }
}

/// The sprint whose plan the event makes a new version of.
fn changed(state: &State, event: &Event) -> Option<SprintId> {
    let of_task = |task: TaskId| state.tasks.get(task).map(|row| row.sprint);
    match event {
        Event::SprintInitialized(e) => Some(e.sprint_id),
        Event::PlanAdopted(e) => Some(e.sprint_id),
        Event::TaskCancelled(e) => of_task(e.task_id),
        Event::TaskRetried(e) => of_task(e.task_id),
        Event::TaskReassigned(e) => of_task(e.task_id),
        Event::BlockerRaised(e) => of_task(e.task_id),
        Event::BlockerResolved(e) => state
            .trouble
            .blocker(e.blocker)
            .and_then(|blocker| of_task(blocker.task)),
        _ => None,
    }
}

/// A sprint that work is handed out in and whose order matters.
fn is_wanted(state: &State, id: SprintId) -> bool {
    let sprint = state.sprints.get(id);
    sprint.is_some_and(|sprint| sprint.plan.matters && sprint.is_running() && !sprint.cancelled)
}

/// The searches that an event asks for.
pub fn after(state: &State, event: &Event, emit: &mut dyn FnMut(Effect)) {
    let mut ask = |sprint: SprintId| {
        if is_wanted(state, sprint) {
            let base = state.sprints.table[sprint.index()].plan.version;
            emit(Effect::Plan { sprint, base });
        }
    };
    match event {
        Event::PlanAdopted(_) => {}
        Event::EpochOpened(_) => (0..state.sprints.table.len() as u32)
            .map(SprintId)
            .for_each(ask),
        event => changed(state, event).into_iter().for_each(&mut ask),
    }
}

/// Decides about an order that was found.
///
/// # Errors
/// A stale effect, when the plan has another version by now or the order is not one of the sprint's tasks.
pub fn found(
    state: &State,
    effect: EffectId,
    (sprint, base): (SprintId, u32),
    order: &[TaskId],
    (before, after): (Span, Span),
) -> Result<Vec<Event>, Rejection> {
    let mut seen = std::collections::BTreeSet::new();
    let fits = is_wanted(state, sprint)
        && state.sprints.table[sprint.index()].plan.version == base
        && order.iter().all(|task| {
            state
                .tasks
                .get(*task)
                .is_some_and(|row| row.sprint == sprint)
                && seen.insert(*task)
        });
    if !fits {
        return Err(Rejection::StaleEffect { effect });
    }
    if after >= before {
        return Ok(Vec::new());
    }
    Ok(vec![
        PlanAdopted {
            sprint_id: sprint,
            base,
            order: order.to_vec(),
            before,
            after,
        }
        .into(),
    ])
}

impl State {
    /// Takes note of what an event means for the plan.
    pub(super) fn note_plan(&mut self, event: &Event) {
        if let Some(sprint) = changed(self, event)
            && let Some(sprint) = self.sprints.table.get_mut(sprint.index())
            && sprint.plan.matters
        {
            sprint.plan.version += 1;
        }
    }

    /// Gives the tasks their ranks in that order.
    ///
    /// They share the ranks that they have among them, so that they stand to all others as they did; no two are equal.
    pub(super) fn adopt(&mut self, order: &[TaskId]) {
        let mut ranks: Vec<u64> = order
            .iter()
            .map(|task| self.tasks.table[task.index()].rank.1)
            .collect();
        ranks.sort_unstable();
        for at in (1..ranks.len()).rev() {
            ranks[at - 1] = ranks[at - 1].min(ranks[at].saturating_sub(1));
        }
        for (task, rank) in order.iter().zip(ranks) {
            self.tasks.set_rank(*task, rank);
        }
    }
}

/// What there is to order; nothing if the plan has another version by now.
pub fn problem(state: &State, id: SprintId, base: u32) -> Option<Replan> {
    let sprint = state.sprints.get(id)?;
    if sprint.plan.version != base || !is_wanted(state, id) {
        return None;
    }
    let row = |task: TaskId| &state.tasks.table[task.index()];
    // Whatever happened last, happened about now.
    let now = sprint.tasks().map(|task| row(task).changed).max()?;
    let mut tasks: Vec<TaskId> = Vec::new();
    let mut place_of = BTreeMap::new();
    // A task may stand before what it waits for, so this goes by what is known of each to be out of reach.
    let mut out_of_reach: Vec<TaskId> = sprint
        .tasks()
        .filter(|task| is_held_up(row(*task).phase))
        .collect();
    let mut held_up: std::collections::BTreeSet<TaskId> = out_of_reach.iter().copied().collect();
    while let Some(task) = out_of_reach.pop() {
        let waiting = row(task).dependents.iter().copied();
        out_of_reach.extend(waiting.filter(|task| held_up.insert(*task)));
    }
    for task in sprint.tasks() {
        if is_open(row(task).phase) && !held_up.contains(&task) {
            place_of.insert(task, tasks.len() as u32);
            tasks.push(task);
        }
    }
    let edges: Vec<(u32, u32)> = (0..)
        .zip(&tasks)
        .flat_map(|(to, task)| {
            let before = row(*task).depends_on.iter();
            let before = before.filter_map(|before| place_of.get(before).copied());
            before.map(move |from| (from, to))
        })
        .collect();
    let mut features: BTreeMap<FeatureId, u32> = BTreeMap::new();
    let mut feature = |task: &TaskId| {
        let next = features.len() as u32;
        *features.entry(row(*task).feature).or_insert(next)
    };
    let feature_of = tasks.iter().map(&mut feature).collect();
    let up = |agent: &director_protocols::ids::AgentId| state.team.agents[agent.index()].up;
    let resources = Resources {
        role_of: tasks.iter().map(|task| row(*task).role.0).collect(),
        feature_of,
        agents: state
            .team
            .roles
            .iter()
            .map(|role| role.active().filter(up).count() as u32)
            .collect(),
        features: features.len() as u32,
    };
    let in_hand = |at: u32| row(tasks[at as usize]).phase.is_in_hand();
    let mut list: Vec<u32> = (0..tasks.len() as u32).collect();
    list.sort_by_key(|&at| (!in_hand(at), row(tasks[at as usize]).rank));
    let left = |task: &Task| {
        let mean = task.spec.estimate.mean();
        let begun = task.story.as_ref().map(|story| story.assigned);
        let spent = match begun {
            Some(begun) if task.phase.is_in_hand() => now.since(begun),
            _ => Span::ZERO,
        };
        // What is overdue has something left, too.
        (mean - spent).0.max(mean.0 / 10)
    };
    Some(Replan {
        sprint: id,
        base,
        graph: Graph::new(tasks.len() as u32, &edges).ok()?,
        resources,
        exclusive: sprint.spec.repo.is_some(),
        class: (0..)
            .zip(&tasks)
            .map(|(at, task)| match in_hand(at) {
                true => IN_HAND,
                false => u32::from(row(*task).rank.0),
            })
            .collect(),
        durations: tasks.iter().map(|task| left(row(*task))).collect(),
        list,
        tasks,
    })
}

/// An agent has it, or will have it.
fn is_open(phase: Phase) -> bool {
    matches!(phase, Phase::Waiting | Phase::Ready | Phase::Backoff(_)) || phase.is_in_hand()
}

/// Nobody knows when it goes on, and what waits for it waits too.
fn is_held_up(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::Blocked | Phase::Failed | Phase::Quarantined | Phase::Cancelled | Phase::Deferred
    )
}
