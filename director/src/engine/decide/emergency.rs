//! Emergencies: everything pauses until the blocker behind it is resolved, but critical work and what the emergency itself waits for.
//!
//! The impact is computed by scheduling with and without it; the people and agents who deal with it are in a room whose log
//! is the incident's. Running work that is not critical is let finish or checkpointed, as the sprint says; when it
//! is over, what was paused goes on in the order of the queue.

use std::collections::BTreeSet;

use director_protocols::event::{
    EmergencyResolved, EngineeringEmergency, Event, IncidentNoted, IncidentOpened,
    IncidentStepFilled, WorkCheckpointed,
};
use director_protocols::ids::{AgentId, BlockerId, IncidentId, SprintId, TaskId};
use director_protocols::incident::Step;
use director_protocols::origin::Origin;
use director_protocols::severity::Severity;
use director_protocols::sprint::Priority;
use director_protocols::time::{Span, Time};
use director_protocols::ways::Running;

use crate::engine::impact;
use crate::engine::sprints::Emergency;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};

/// The director, in logs.
const DIRECTOR: &str = "director";
/// Roles that are in the room, as far as the team has them.
const ROOM: [&str; 2] = ["tech-lead", "engineering-manager"];

/// The emergency that a blocker is.
pub fn begun(state: &State, id: BlockerId, now: Time) -> Event {
    let blocker = &state.trouble.blockers[id.index()];
    let wait = expected(state, state.tasks.table[blocker.task.index()].sprint);
    let what = format!("task {} stands still", state.task_name(blocker.task));
    priced(
        state,
        (blocker.task, Some(id)),
        blocker.text.clone(),
        (what, wait),
        now,
    )
}

/// The emergency that a critical bug is, until the task that mends it is over.
pub fn begun_by_bug(state: &State, task: TaskId, now: Time) -> Option<Event> {
    let row = &state.tasks.table[task.index()];
    let bug = matches!(row.origin.as_deref(), Some(Origin::Bug { .. }));
    let critical = row.spec.severity == Some(Severity::Critical);
    let free = state.sprints.table[row.sprint.index()].emergency.is_none();
    (bug && critical && free && !row.phase.is_over()).then(|| {
        let what = format!("{} mends a critical bug", row.spec.id);
        let issue = format!("{}: {}", row.spec.id, row.spec.title);
        let wait = row.spec.estimate.mean();
        priced(state, (task, None), issue, (what, wait), now)
    })
}

fn priced(
    state: &State,
    (task, blocker): (TaskId, Option<BlockerId>),
    issue: String,
    (what, wait): (String, Span),
    now: Time,
) -> Event {
    let sprint_id = state.tasks.table[task.index()].sprint;
    let cost = impact::of(state, sprint_id, task, wait);
    let delay = cost.with - cost.without;
    let reporter = blocker.and_then(|id| state.trouble.blockers[id.index()].agent);
    let waits = match cost.waiting {
        1 => "1 task waits".to_owned(),
        n => format!("{n} tasks wait"),
    };
    EngineeringEmergency {
        sprint_id,
        task_id: task,
        blocker,
        issue,
        impact: format!(
            "{what} and {waits} for it; all work that is not critical is paused. If that lasts {wait}, {} of work are left instead of {}: the sprint ends {delay} later",
            cost.with, cost.without,
        ),
        delay,
        response_team: room(state, reporter),
        estimated_resolution: Some(now + wait),
    }
    .into()
}

/// How long it takes to resolve: as long as critical blockers took so far, or what the sprint says.
fn expected(state: &State, sprint: SprintId) -> Span {
    let known = state.trouble.blockers.iter();
    let took: Vec<u64> = known
        .filter(|blocker| blocker.severity == Severity::Critical)
        .filter_map(|blocker| {
            let (at, _) = blocker.resolved.as_ref()?;
            Some(at.since(blocker.raised).0)
        })
        .collect();
    match took.len() as u64 {
        0 => {
            state.sprints.table[sprint.index()]
                .spec
                .ways
                .ladder
                .resolution
        }
        n => Span(took.iter().sum::<u64>() / n),
    }
}

/// Who deals with it: the architecture and management roles, and who reported it.
fn room(state: &State, reporter: Option<AgentId>) -> Vec<AgentId> {
    let roles = ROOM.iter().filter_map(|role| state.team.by_role.get(*role));
    let mut room: Vec<AgentId> = roles
        .flat_map(|role| state.team.roles[role.index()].active())
        .collect();
    room.extend(reporter.filter(|agent| !room.contains(agent) && state.team.is_there(*agent)));
    room
}

/// The task of an emergency and all that it waits for: what it depends on, who has its worktree, and what these wait for in turn.
pub fn wants(state: &State, task: TaskId) -> BTreeSet<TaskId> {
    let mut wanted = BTreeSet::from([task]);
    let mut todo = vec![task];
    while let Some(id) = todo.pop() {
        let row = &state.tasks.table[id.index()];
        let holder = state.tasks.features[row.feature.index()].holder;
        for before in row.depends_on.iter().copied().chain(holder) {
            let is_open = !state.tasks.table[before.index()].phase.is_over();
            if is_open && wanted.insert(before) {
                todo.push(before);
            }
        }
    }
    wanted
}

/// Whether the task is handed out in an emergency that waits for `wanted`: critical work is, and whatever helps with what is waited for.
pub fn is_urgent(task: &Task, id: TaskId, wanted: &BTreeSet<TaskId>) -> bool {
    let helped = match task.origin.as_deref() {
        Some(Origin::Gate { task_id, .. } | Origin::Pair { task_id, .. }) => *task_id,
        Some(Origin::Package { .. } | Origin::Bug { .. } | Origin::Scope) | None => id,
    };
    task.spec.priority == Priority::Critical || wanted.contains(&helped)
}

/// What follows the beginning: the incident with what is known, and work that is checkpointed.
pub fn after(state: &State, e: &EngineeringEmergency) -> Vec<Event> {
    let incident = IncidentId(state.trouble.incidents.len() as u32);
    let blocker = e.blocker.map(|id| &state.trouble.blockers[id.index()]);
    let names = e.response_team.iter().map(|agent| state.agent_name(*agent));
    let mut members: Vec<String> = names.collect();
    members.push("whoever answers the inbox".to_owned());
    let ladder = &state.sprints.table[e.sprint_id.index()].spec.ways.ladder;
    let running = running(state, e.sprint_id, e.task_id);
    let what = match ladder.running {
        Running::Finish => "goes on to its end",
        Running::Checkpoint => "is saved and called off",
    };
    let item = blocker
        .and_then(|blocker| blocker.item)
        .map_or_else(String::new, |item| format!("inbox #{}; ", item.0 + 1));
    let mut events: Vec<Event> = vec![
        IncidentOpened {
            sprint_id: e.sprint_id,
            task_id: Some(e.task_id),
            text: e.issue.clone(),
            incident,
            severity: Severity::Critical,
            blocker: e.blocker,
            members: members.clone(),
        }
        .into(),
    ];
    for (step, text) in [
        (Step::Impact, e.impact.clone()),
        (
            Step::Mitigation,
            format!(
                "all work that is not critical is paused; of it, {} at work {what}",
                running.len()
            ),
        ),
        (
            Step::Escalation,
            format!("{item}told: {}", members.join(", ")),
        ),
    ] {
        events.push(filled(incident, step, text));
    }
    if ladder.running == Running::Checkpoint {
        events.extend(running.into_iter().map(|task| checkpoint(state, task)));
    }
    events
}

/// Work that an actor has in hand and that an emergency about `task` does not wait for.
fn running(state: &State, sprint: SprintId, task: TaskId) -> Vec<TaskId> {
    let wanted = wants(state, task);
    let tasks = state.sprints.table[sprint.index()].tasks();
    tasks
        .filter(|id| {
            let row = &state.tasks.table[id.index()];
            row.phase == Phase::Working
                && !is_urgent(row, *id, &wanted)
                && !state.is_with_a_person(*id)
        })
        .collect()
}

fn checkpoint(state: &State, task: TaskId) -> Event {
    WorkCheckpointed {
        task_id: task,
        attempt: state.tasks.table[task.index()].attempt,
    }
    .into()
}

/// Work that begins during an emergency because it was on its way: checkpointed where that is the rule. What would be handed out
/// again at once is left alone.
pub fn begun_meanwhile(state: &State, task: TaskId) -> Option<Event> {
    let row = &state.tasks.table[task.index()];
    let sprint = &state.sprints.table[row.sprint.index()];
    let emergency = sprint.emergency?;
    let unwanted = sprint.spec.ways.ladder.running == Running::Checkpoint
        && row.phase == Phase::Working
        && !is_urgent(row, task, &wants(state, emergency.task));
    unwanted.then(|| checkpoint(state, task))
}

/// The end, with what goes on now, in its order.
pub fn resolved(state: &State, sprint: SprintId, what: Emergency) -> Event {
    let mut ready: Vec<_> = state.sprints.table[sprint.index()]
        .tasks()
        .map(|id| (&state.tasks.table[id.index()], id))
        .filter(|(row, _)| row.phase == Phase::Ready && row.spec.priority != Priority::Critical)
        .map(|(row, id)| (row.rank, id))
        .collect();
    ready.sort_unstable();
    EmergencyResolved {
        sprint_id: sprint,
        task_id: what.task,
        blocker: what.blocker,
        resumed: ready.into_iter().map(|(_, id)| id).collect(),
    }
    .into()
}

/// What the end leaves in the incident.
pub fn after_resolution(state: &State, e: &EmergencyResolved) -> Vec<Event> {
    let Some(incident) = open(state, e.task_id, e.blocker) else {
        return Vec::new();
    };
    let names: Vec<String> = e.resumed.iter().map(|id| state.task_name(*id)).collect();
    let next = match names.is_empty() {
        true => "nothing was paused".to_owned(),
        false => format!("goes on in this order: {}", names.join(", ")),
    };
    let how = match e.blocker {
        Some(id) => {
            let by = state.trouble.blockers[id.index()].resolved.as_ref();
            let by = by.map_or("", |(_, by)| by.as_str());
            format!("the blocker was resolved by {by}")
        }
        None => format!(
            "{} is {}",
            state.task_name(e.task_id),
            state.tasks.table[e.task_id.index()].phase.as_str()
        ),
    };
    vec![filled(incident, Step::Recovery, format!("{how}; {next}"))]
}

/// What is said about a blocker goes into the log of its incident.
pub fn noted(state: &State, blocker: BlockerId, by: &str, text: &str) -> Option<Event> {
    let task = state.trouble.blockers[blocker.index()].task;
    let incident = open(state, task, Some(blocker))?;
    Some(
        IncidentNoted {
            incident,
            text: text.to_owned(),
            by: by.to_owned(),
        }
        .into(),
    )
}

/// The open incident of an emergency.
fn open(state: &State, task: TaskId, blocker: Option<BlockerId>) -> Option<IncidentId> {
    let known = (0u32..).map(IncidentId).zip(&state.trouble.incidents);
    known
        .filter(|(_, incident)| {
            let same = incident.blocker == blocker && incident.task == Some(task);
            same && incident.severity == Severity::Critical && incident.closed.is_none()
        })
        .map(|(id, _)| id)
        .last()
}

/// What follows when the task that mends a critical bug is over: the emergency is, too.
pub fn mended(state: &State, task: TaskId) -> Option<Event> {
    let sprint = state.tasks.table[task.index()].sprint;
    let what = state.sprints.table[sprint.index()].emergency?;
    (what.task == task && what.blocker.is_none()).then(|| resolved(state, sprint, what))
}

/// The emergency that comes after one that is over: another critical blocker, or another critical bug.
pub fn next(state: &State, sprint: SprintId, now: Time) -> Option<Event> {
    let blockers = (0u32..).map(BlockerId).zip(&state.trouble.blockers);
    let mut open = blockers.filter(|(_, other)| {
        other.severity == Severity::Critical
            && other.resolved.is_none()
            && state.tasks.table[other.task.index()].sprint == sprint
    });
    if let Some((id, _)) = open.next() {
        return Some(begun(state, id, now));
    }
    let added = &state.sprints.table[sprint.index()].added;
    added
        .iter()
        .find_map(|task| begun_by_bug(state, *task, now))
}

fn filled(incident: IncidentId, step: Step, text: String) -> Event {
    IncidentStepFilled {
        incident,
        step,
        text,
        by: DIRECTOR.to_owned(),
    }
    .into()
}
