//! Assigning: who gets which task, and why.
//!
//! Ready tasks stand in order (priority, longest work behind them, file order); for each, the free agents of
//! its role are scored: 0.5 expertise + 0.3 capacity fit + 0.2 context continuity by default, in thousandths. Context is the
//! feature, files that the task is about ([`crate::engine::files`]), and what was made for it.
//! The best gets it; equal scores go to the first agent by number. The score is on the event.
//!
//! Cost: proportional to the free agents of one role, not to the sprint, as long as the task in front can be
//! given to one of them.

use std::collections::BTreeSet;

use director_protocols::event::{Event, Score, TaskAssigned};
use director_protocols::ids::{AgentId, RoleId, TaskId};
use director_protocols::time::{Span, Time};

use super::budget::{self, Short};
use super::{emergency, suspect};
use crate::engine::sprints::Sprint;
use crate::engine::state::State;
use crate::engine::tasks::{Rank, Task};
use crate::engine::team::{Agent, Role};

/// What having made something that the task builds on is worth, in thousandths.
const MADE: u32 = 500;
/// What knowing one of the task's files is worth, what each further one is, and all of them at most.
const ONE_FILE: u32 = 600;
const FURTHER_FILE: u32 = 100;
const FILES: u32 = 900;

/// What an agent without a written capacity is measured against: a working week.
const NOMINAL_CAPACITY: Span = Span::hours(40);

/// The next assignment to make now, if there is any: of the first role that can start something, its first task.
pub fn next(state: &State, now: Time) -> Option<Event> {
    if let Some(event) = budget::changed(state, now) {
        return Some(event);
    }
    if suspect::is_at_work(state) {
        return None;
    }
    let mut short = None;
    let found = chosen(state, false, now, &mut short).or_else(|| {
        // A suspect begins when nothing else can.
        suspect::may_begin(state)
            .then(|| chosen(state, true, now, &mut short))
            .flatten()
    });
    let Some((task, agent, score)) = found else {
        return short.and_then(|(task, short)| budget::held(state, task, short));
    };
    let row = &state.tasks.table[task.index()];
    Some(assigned(task, row, agent, score))
}

/// Which of the tasks that have to be tried alone, or of all others, goes to whom next.
fn chosen(
    state: &State,
    alone: bool,
    now: Time,
    short: &mut Option<(TaskId, Short)>,
) -> Option<(TaskId, AgentId, Score)> {
    // Queues lie by role, then by sprint; a role without one costs nothing.
    let mut found: Option<(RoleId, Rank, AgentId, Score)> = None;
    for ((id, sprint), queue) in &state.tasks.ready {
        if found.is_some_and(|(role, ..)| role != *id) {
            break;
        }
        let role = &state.team.roles[id.index()];
        if role.free.is_empty() || state.parked(role).is_some() {
            continue;
        }
        let sprint = &state.sprints.table[sprint.index()];
        let first = first(state, sprint, queue, (role, alone), now, short);
        if let Some((rank, agent, score)) = first
            && found.is_none_or(|(_, best, ..)| rank < best)
        {
            found = Some((*id, rank, agent, score));
        }
    }
    found.map(|(_, (_, _, task), agent, score)| (task, agent, score))
}

/// The first of a sprint's ready tasks that one of the role's free agents can have.
fn first(
    state: &State,
    sprint: &Sprint,
    queue: &BTreeSet<Rank>,
    (role, alone): (&Role, bool),
    now: Time,
    short: &mut Option<(TaskId, Short)>,
) -> Option<(Rank, AgentId, Score)> {
    if !sprint.is_running() || sprint.paused || sprint.cancelled || sprint.moved.is_some() {
        return None;
    }
    let wanted = sprint
        .emergency
        .map(|what| emergency::wants(state, what.task));
    queue
        .iter()
        .filter(|rank| suspect::is_suspect(state, rank.2) == alone)
        .map(|rank| (rank, &state.tasks.table[rank.2.index()]))
        // In an emergency the others are passed over.
        .filter(|(rank, task)| {
            wanted
                .as_ref()
                .is_none_or(|wanted| emergency::is_urgent(task, rank.2, wanted))
        })
        .find_map(|(rank, task)| {
            match best(state, (rank.2, task), role, now) {
                Ok(found) => found.map(|(agent, score)| (*rank, agent, score)),
                // What fits goes on; the first that does not is told of once.
                Err(found) => {
                    if !state.budgets.holds.contains_key(&found.purse) {
                        short.get_or_insert((rank.2, found));
                    }
                    None
                }
            }
        })
}

fn assigned(task: TaskId, row: &Task, agent: AgentId, score: Score) -> Event {
    TaskAssigned {
        task_id: task,
        agent_id: agent,
        attempt: row.attempt.next(),
        estimated_hours: row.spec.estimate.mean(),
        dependencies: row.depends_on.clone(),
        score,
    }
    .into()
}

/// The best of a role's free agents for the task, if it may be given to any of them.
///
/// # Errors
/// What the budget lacks that stands in the way, if it is nothing else.
fn best(
    state: &State,
    (id, task): (TaskId, &Task),
    role: &Role,
    now: Time,
) -> Result<Option<(AgentId, Score)>, Short> {
    let fit = Fit::of(state, task, role);
    let mut candidates = 0;
    let mut best: Option<(AgentId, Score)> = None;
    let mut short = None;
    for agent in role.free.iter().copied() {
        if task.wanted.is_some_and(|wanted| wanted != agent) || task.avoid.contains(&agent) {
            continue;
        }
        if let Some(found) = budget::short(state, id, task, agent, now) {
            short.get_or_insert(found);
            continue;
        }
        candidates += 1;
        let score = fit.score(agent, &state.team.agents[agent.index()]);
        if best.is_none_or(|(_, top)| score.total > top.total) {
            best = Some((agent, score));
        }
    }
    let with_candidates = |(agent, score)| {
        let score = Score {
            candidates,
            ..score
        };
        (agent, score)
    };
    match (best, short) {
        (None, Some(short)) => Err(short),
        (best, _) => Ok(best.map(with_candidates)),
    }
}

/// How well a role's agents fit a task: what is the same for all of them, found once.
struct Fit<'a> {
    state: &'a State,
    task: &'a Task,
    effort: Span,
    capacity: Span,
    expertise: u32,
    weights: [u32; 3],
    /// Who made what the task builds on.
    makers: Vec<AgentId>,
}

impl<'a> Fit<'a> {
    fn of(state: &'a State, task: &'a Task, role: &Role) -> Self {
        let own_kind = role.spec.kinds.contains(&task.spec.kind);
        Self {
            state,
            task,
            effort: task.spec.estimate.mean(),
            capacity: role.spec.capacity.unwrap_or(NOMINAL_CAPACITY),
            expertise: expertise(task, &role.spec.skills, own_kind),
            weights: state.sprints.table[task.sprint.index()].spec.policy.weights,
            makers: task
                .depends_on
                .iter()
                .filter_map(|dep| state.tasks.table[dep.index()].last_agent)
                .collect(),
        }
    }

    /// The agent's score, each part in thousandths.
    fn score(&self, id: AgentId, agent: &Agent) -> Score {
        let capacity = self.capacity_fit(agent);
        let (continuity, files) = self.continuity(id, agent);
        let [e, f, c] = self.weights;
        Score {
            expertise: self.expertise,
            capacity,
            continuity,
            total: weighted([(self.expertise, e), (capacity, f), (continuity, c)]),
            candidates: 0,
            files,
        }
    }

    /// The share of its capacity that the agent would still have with the task.
    fn capacity_fit(&self, agent: &Agent) -> u32 {
        let left = (self.capacity - agent.allocated - self.effort).0;
        let whole = self.capacity.0.max(1);
        match left.checked_mul(1000) {
            Some(thousandths) => (thousandths / whole) as u32,
            None => (u128::from(left) * 1000 / u128::from(whole)) as u32,
        }
    }

    /// Full for the feature it knows, less for files of the task that it changed, half for having made something that the task
    /// builds on; and how many files.
    fn continuity(&self, id: AgentId, agent: &Agent) -> (u32, u32) {
        if agent.remembers.contains(&self.task.feature) {
            return (1000, 0);
        }
        let made = match self.makers.contains(&id) {
            true => MADE,
            false => 0,
        };
        // Whoever changed nothing costs nothing.
        if agent.files.is_empty() {
            return (made, 0);
        }
        let files = self.state.files_known(self.task, agent);
        let known = match files {
            0 => 0,
            n => (ONE_FILE + (n - 1) * FURTHER_FILE).min(FILES),
        };
        (known.max(made), files)
    }
}

/// The weighted sum, in thousandths.
fn weighted(parts: [(u32, u32); 3]) -> u32 {
    let sum: u64 = parts
        .iter()
        .map(|(part, weight)| u64::from(*part) * u64::from(*weight))
        .sum();
    u32::try_from(sum / 1000).unwrap_or(u32::MAX)
}

/// The share of needed skills that the role has; without needed skills, whether the kind is the role's own.
fn expertise(task: &Task, skills: &[String], own_kind: bool) -> u32 {
    let needed = &task.spec.skills;
    if needed.is_empty() {
        return if own_kind { 1000 } else { 600 };
    }
    let has = needed.iter().filter(|skill| skills.contains(skill)).count();
    (has * 1000 / needed.len()) as u32
}
