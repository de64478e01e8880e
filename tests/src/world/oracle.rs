//! The oracle: what is promised of every run, a function for each promise, from the journal alone and from the state at the end.
//!
//! A function says what is broken, or nothing. The journal is walked as a reader of it would: nothing is taken from the
//! engine that wrote it but the end state, which is compared.

use std::collections::{BTreeMap, BTreeSet};

use director::engine::Engine;
use director::engine::tasks::Phase;
use director_protocols::event::Event;
use director_protocols::ids::{AgentId, Attempt, BlockerId, SprintId, TaskId};
use director_protocols::origin::Origin;
use director_protocols::severity::Severity;
use director_protocols::sprint::Priority;
use director_protocols::time::Time;
use director_protocols::work::AttemptEnd;

use super::World;

/// A promise that was broken, in words.
pub type Broken = Option<String>;
/// Says what is broken, or nothing.
pub type Promise = fn(&World) -> Broken;

/// Every promise by its name.
pub const PROMISES: &[(&str, Promise)] = &[
    ("every sprint ends", every_sprint_ends),
    ("every task is somewhere at the end", no_task_is_lost),
    ("no task is completed twice", no_task_is_completed_twice),
    ("no work is merged twice", no_work_is_merged_twice),
    (
        "no task begins before those it waits for",
        no_dependency_is_violated,
    ),
    ("an agent has one task at a time", no_agent_has_two_tasks),
    (
        "a worktree has one task at a time",
        no_worktree_has_two_tasks,
    ),
    (
        "attempts rise one by one, and end once",
        attempts_are_fenced,
    ),
    (
        "a task is given up when its attempts are used up, and not before",
        attempts_are_counted,
    ),
    (
        "a task that kills is quarantined in time",
        deaths_are_counted,
    ),
    ("nobody waits in vain at the end", every_wait_ends),
    ("no circle of waits outlives its decision", no_circle_lasts),
    ("nothing is due before its time", deadlines_are_kept),
    (
        "only a critical task reaches the tier critical",
        tiers_are_kept,
    ),
    (
        "in an emergency only critical work begins",
        emergencies_hold,
    ),
    ("what is paused hands out nothing", pauses_hold),
    ("nobody works on an account that is parked", accounts_hold),
    (
        "what is set aside and spent is within each hard limit when work is handed out",
        super::money::budgets_hold,
    ),
    (
        "a conflict between branches is told once, and over with their work",
        super::clashes::conflicts_are_told_once,
    ),
    ("a replay gives the same state", replay_is_exact),
    (
        "the report's figures are those of the journal",
        super::recount::figures_are_true,
    ),
];

/// The first promise that is broken, with its name.
pub fn check(world: &World) -> Result<(), String> {
    for (name, promise) in PROMISES {
        if let Some(broken) = promise(world) {
            return Err(format!("{name}: {broken}"));
        }
    }
    Ok(())
}

pub(super) fn events(world: &World) -> impl Iterator<Item = (Time, &Event)> {
    world
        .journal
        .iter()
        .flat_map(|(_, at, events)| events.iter().map(move |event| (*at, event)))
}

fn every_sprint_ends(world: &World) -> Broken {
    let open = world
        .engine
        .state()
        .sprints
        .table
        .iter()
        .find(|sprint| !sprint.is_over())?;
    Some(format!(
        "`{}` is {}: {:?}",
        open.spec.id,
        open.state(),
        world.phases()
    ))
}

fn no_task_is_lost(world: &World) -> Broken {
    let state = world.engine.state();
    // Of an ended sprint a task is over, or it waits for one that never came; nothing is on its way.
    let ended = |sprint: SprintId| state.sprints.table[sprint.index()].is_over();
    let lost = state
        .tasks
        .table
        .iter()
        .find(|task| ended(task.sprint) && task.phase.is_active())?;
    Some(format!(
        "{} is {} in an ended sprint",
        lost.spec.id,
        lost.phase.as_str()
    ))
}

fn counted(world: &World, of: impl Fn(&Event) -> Vec<TaskId>) -> BTreeMap<TaskId, u32> {
    let mut counts = BTreeMap::new();
    for (_, event) in events(world) {
        for task in of(event) {
            *counts.entry(task).or_insert(0) += 1;
        }
    }
    counts
}

fn no_task_is_completed_twice(world: &World) -> Broken {
    let counts = counted(world, |event| match event {
        Event::TaskCompleted(e) => vec![e.task_id],
        _ => Vec::new(),
    });
    let tasks = (0u32..).map(TaskId).zip(&world.engine.state().tasks.table);
    tasks
        .map(|(id, task)| (id, counts.get(&id).copied().unwrap_or_default(), task.phase))
        .find(|(id, times, phase)| {
            // Help that was asked for is over with its verdict, without an event of its own.
            let expected = u32::from(*phase == Phase::Completed);
            match world.engine.state().is_help(*id) {
                true => *times > expected,
                false => *times != expected,
            }
        })
        .map(|(id, times, phase)| {
            format!(
                "task {id} was completed {times} times and is {}",
                phase.as_str()
            )
        })
}

fn no_work_is_merged_twice(world: &World) -> Broken {
    let counts = counted(world, |event| match event {
        Event::MergeCompleted(e) => e.batch.clone(),
        _ => Vec::new(),
    });
    let (task, times) = counts.into_iter().find(|(_, times)| *times > 1)?;
    Some(format!("task {task} was merged {times} times"))
}

fn no_dependency_is_violated(world: &World) -> Broken {
    let table = &world.engine.state().tasks.table;
    let mut done: BTreeSet<TaskId> = BTreeSet::new();
    for (_, event) in events(world) {
        match event {
            Event::TaskCompleted(e) => drop(done.insert(e.task_id)),
            Event::TaskAssigned(e) => {
                let missing = table[e.task_id.index()]
                    .depends_on
                    .iter()
                    .find(|before| !done.contains(before));
                if let Some(before) = missing {
                    return Some(format!(
                        "task {} began before task {before} was completed",
                        e.task_id
                    ));
                }
            }
            _ => {}
        }
    }
    None
}

fn no_agent_has_two_tasks(world: &World) -> Broken {
    let mut hands: BTreeMap<AgentId, TaskId> = BTreeMap::new();
    for (_, event) in events(world) {
        match event {
            Event::TaskAssigned(e) => {
                if let Some(other) = hands.insert(e.agent_id, e.task_id) {
                    return Some(format!(
                        "agent {} was given task {} while it had task {other}",
                        e.agent_id, e.task_id
                    ));
                }
            }
            Event::AttemptEnded(e) => drop(hands.remove(&e.agent_id)),
            _ => {}
        }
    }
    None
}

fn no_worktree_has_two_tasks(world: &World) -> Broken {
    let state = world.engine.state();
    let mut open: BTreeMap<(u32, String), TaskId> = BTreeMap::new();
    for (_, event) in events(world) {
        match event {
            Event::TaskAssigned(e) => {
                let row = &state.tasks.table[e.task_id.index()];
                if !state.tasks.features[row.feature.index()].exclusive {
                    continue;
                }
                let feature = (row.sprint.0, row.spec.feature.to_string());
                if let Some(other) = open.insert(feature, e.task_id) {
                    return Some(format!(
                        "tasks {} and {other} were in one worktree",
                        e.task_id
                    ));
                }
            }
            Event::AttemptEnded(e) => open.retain(|_, task| *task != e.task_id),
            _ => {}
        }
    }
    None
}

fn attempts_are_fenced(world: &World) -> Broken {
    let mut last: BTreeMap<TaskId, Attempt> = BTreeMap::new();
    let mut open: BTreeMap<TaskId, Attempt> = BTreeMap::new();
    for (_, event) in events(world) {
        match event {
            Event::TaskAssigned(e) => {
                let before = last.insert(e.task_id, e.attempt).unwrap_or_default();
                if e.attempt != before.next() {
                    return Some(format!(
                        "task {}: attempt {} after {before}",
                        e.task_id, e.attempt
                    ));
                }
                open.insert(e.task_id, e.attempt);
            }
            Event::AttemptEnded(e) => {
                let begun = open.remove(&e.task_id);
                if begun != Some(e.attempt) {
                    return Some(format!(
                        "task {}: attempt {} ended, {begun:?} was open",
                        e.task_id, e.attempt
                    ));
                }
            }
            _ => {}
        }
    }
    None
}

/// Failures that count, since a person last asked for a retry.
fn attempts_are_counted(world: &World) -> Broken {
    let state = world.engine.state();
    let mut failures: BTreeMap<TaskId, u32> = BTreeMap::new();
    for (_, event) in events(world) {
        match event {
            Event::AttemptEnded(e)
                if matches!(
                    e.end,
                    AttemptEnd::Failed { .. } | AttemptEnd::TimedOut { .. }
                ) =>
            {
                *failures.entry(e.task_id).or_default() += 1;
            }
            Event::WorkRejected(e) if e.counts => *failures.entry(e.task_id).or_default() += 1,
            Event::TaskRetried(e) => drop(failures.remove(&e.task_id)),
            Event::TaskAssigned(e) => {
                let row = &state.tasks.table[e.task_id.index()];
                let most = state.sprints.table[row.sprint.index()]
                    .spec
                    .policy
                    .attempts_max
                    .max(1);
                let failed = failures.get(&e.task_id).copied().unwrap_or_default();
                if failed >= most {
                    return Some(format!(
                        "task {} is tried again after {failed} failures of {most}",
                        e.task_id
                    ));
                }
            }
            _ => {}
        }
    }
    None
}

fn deaths_are_counted(world: &World) -> Broken {
    let state = world.engine.state();
    let mut deaths: BTreeMap<TaskId, u32> = BTreeMap::new();
    for (_, event) in events(world) {
        match event {
            Event::AttemptEnded(e) if matches!(e.end, AttemptEnd::Died { .. }) => {
                *deaths.entry(e.task_id).or_default() += 1;
            }
            Event::TaskRetried(e) => drop(deaths.remove(&e.task_id)),
            Event::TaskAssigned(e) => {
                let row = &state.tasks.table[e.task_id.index()];
                let most = state.sprints.table[row.sprint.index()]
                    .spec
                    .policy
                    .deaths_max
                    .max(1);
                let died = deaths.get(&e.task_id).copied().unwrap_or_default();
                if died >= most {
                    return Some(format!(
                        "task {} killed {died} agents of {most} and is given to another",
                        e.task_id
                    ));
                }
            }
            _ => {}
        }
    }
    None
}

fn every_wait_ends(world: &World) -> Broken {
    let state = world.engine.state();
    let left = world.engine.resume();
    if !left.is_empty() {
        return Some(format!("outstanding: {left:?}"));
    }
    if let Some((item, waiting)) = state.trouble.waiting().next() {
        return Some(format!("inbox item {item} waits: {}", waiting.question));
    }
    let (agent, _) = state.messages.waits.iter().next()?;
    Some(format!("agent {agent} waits for an answer"))
}

fn no_circle_lasts(world: &World) -> Broken {
    world.circle.clone()
}

fn deadlines_are_kept(world: &World) -> Broken {
    let mut due: BTreeMap<TaskId, Time> = BTreeMap::new();
    let mut tiers = BTreeMap::new();
    // Who was asked to help, and whose help ended without a word: then the blocker goes up at that moment.
    let mut helpers: BTreeMap<TaskId, BlockerId> = BTreeMap::new();
    let mut helpless: BTreeMap<BlockerId, Time> = BTreeMap::new();
    for (now, event) in events(world) {
        let help_ended = match event {
            Event::TaskFailed(e) => helpers.get(&e.task_id),
            Event::TaskQuarantined(e) => helpers.get(&e.task_id),
            Event::TaskCancelled(e) => helpers.get(&e.task_id),
            _ => None,
        };
        helpless.extend(help_ended.map(|blocker| (*blocker, now)));
        match event {
            Event::TaskAdded(e) => {
                if let Origin::Pair { blocker, .. } = &e.origin {
                    helpers.insert(e.task_id, *blocker);
                }
            }
            Event::RetryScheduled(e) => drop(due.insert(e.task_id, e.at)),
            Event::RetryDue(e) => {
                if let Some(at) = due.get(&e.task_id).filter(|at| **at > now) {
                    return Some(format!(
                        "task {} was due at {at:?} and tried at {now:?}",
                        e.task_id
                    ));
                }
            }
            Event::BlockerRaised(e) => drop(tiers.insert(e.blocker, e.deadline)),
            Event::BlockerEscalated(e) => {
                let deadline = tiers.insert(e.blocker, e.deadline).flatten();
                let is_early = deadline.is_some_and(|at| at > now);
                if is_early && helpless.get(&e.blocker) != Some(&now) {
                    return Some(format!(
                        "blocker {} went up at {now:?}, before {deadline:?}",
                        e.blocker
                    ));
                }
            }
            _ => {}
        }
    }
    None
}

fn tiers_are_kept(world: &World) -> Broken {
    let table = &world.engine.state().tasks.table;
    let critical = |task: TaskId| table[task.index()].spec.priority == Priority::Critical;
    let mut of: BTreeMap<_, TaskId> = BTreeMap::new();
    for (_, event) in events(world) {
        match event {
            Event::BlockerRaised(e) => {
                of.insert(e.blocker, e.task_id);
                if e.severity == Severity::Critical && !critical(e.task_id) {
                    return Some(format!(
                        "blocker {} of task {} is critical",
                        e.blocker, e.task_id
                    ));
                }
                if e.severity < e.reported && critical(e.task_id) {
                    return Some(format!(
                        "blocker {} went down to {}",
                        e.blocker,
                        e.severity.as_str()
                    ));
                }
            }
            Event::BlockerEscalated(e)
                if e.to == Severity::Critical
                    && of.get(&e.blocker).is_some_and(|task| !critical(*task)) =>
            {
                return Some(format!("blocker {} went up to critical", e.blocker));
            }
            _ => {}
        }
    }
    None
}

/// Critical work begins, and what the emergency itself waits for: what its task depends on or shares a worktree with, and helpers.
fn emergencies_hold(world: &World) -> Broken {
    let state = world.engine.state();
    let table = &state.tasks.table;
    let mut on: BTreeMap<SprintId, TaskId> = BTreeMap::new();
    for (_, event) in events(world) {
        match event {
            Event::EngineeringEmergency(e) => drop(on.insert(e.sprint_id, e.task_id)),
            Event::EmergencyResolved(e) => drop(on.remove(&e.sprint_id)),
            Event::SprintEnded(e) => drop(on.remove(&e.sprint_id)),
            Event::TaskAssigned(e) => {
                let row = &table[e.task_id.index()];
                let Some(cause) = on.get(&row.sprint) else {
                    continue;
                };
                let helped = match row.origin.as_deref() {
                    Some(Origin::Gate { task_id, .. } | Origin::Pair { task_id, .. }) => *task_id,
                    _ => e.task_id,
                };
                let is_critical = row.spec.priority == Priority::Critical;
                if !is_critical && !waited_for(world, *cause).contains(&helped) {
                    return Some(format!("task {} began in an emergency", e.task_id));
                }
            }
            _ => {}
        }
    }
    None
}

/// Whatever a task may have to wait for: dependencies and tasks of the same feature, and theirs.
fn waited_for(world: &World, task: TaskId) -> BTreeSet<TaskId> {
    let table = &world.engine.state().tasks.table;
    let mut all = BTreeSet::from([task]);
    loop {
        let known = all.len();
        for id in all.clone() {
            let row = &table[id.index()];
            all.extend(row.depends_on.iter().copied());
            let ids = (0u32..).map(TaskId).zip(table);
            let same = ids.filter(|(_, other)| other.feature == row.feature && !other.is_help());
            all.extend(same.map(|(id, _)| id));
        }
        if all.len() == known {
            return all;
        }
    }
}

/// The account of a role is that of the team as it is; a later sprint does not change it here.
fn accounts_hold(world: &World) -> Broken {
    let team = &world.engine.state().team;
    let mut parked = BTreeMap::new();
    for (at, event) in events(world) {
        match event {
            Event::AccountParked(e) => drop(parked.insert(e.account.clone(), e.until)),
            Event::AccountFreed(e) => match parked.remove(&e.account) {
                Some(until) if e.by == "director" && at < until => {
                    return Some(format!("account {} was freed before its time", e.account));
                }
                Some(_) => {}
                None => return Some(format!("account {} was freed and not parked", e.account)),
            },
            Event::TaskAssigned(e) => {
                let role = team.agents[e.agent_id.index()].role;
                let account = team.roles[role.index()].spec.account();
                if let Some(until) = parked.get(&*account) {
                    return Some(format!(
                        "task {} was handed out on account {account}, parked until {until:?}",
                        e.task_id
                    ));
                }
            }
            _ => {}
        }
    }
    None
}

fn pauses_hold(world: &World) -> Broken {
    let table = &world.engine.state().tasks.table;
    let mut paused: BTreeSet<SprintId> = BTreeSet::new();
    for (_, event) in events(world) {
        match event {
            Event::SprintPaused(e) => drop(paused.insert(e.sprint_id)),
            Event::SprintResumed(e) => drop(paused.remove(&e.sprint_id)),
            Event::TaskAssigned(e) if paused.contains(&table[e.task_id.index()].sprint) => {
                return Some(format!("task {} began in a pause", e.task_id));
            }
            _ => {}
        }
    }
    None
}

fn replay_is_exact(world: &World) -> Broken {
    let mut replayed = Engine::default();
    for (seq, at, events) in &world.journal {
        if !replayed.replay(*seq, events.clone(), *at) {
            return Some(format!("record {seq} names what does not exist"));
        }
    }
    let same = replayed.state_hash() == world.engine.state_hash();
    (!same).then(|| "the states differ".to_owned())
}
