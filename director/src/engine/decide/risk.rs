//! Risks that come true: each once for a task, with what is done then.
//!
//! | when | looked at |
//! |---|---|
//! | a task has been at work for longer than its worst case, of working hours if a person has it | at the deadline that its assignment sets |
//! | it is given up, or its work is sent back a second time | when that happens |
//! | all agents of a role stay down | when the role is lost |
//! | the projected end is past the sprint's last day | at every standup, when scope changes, when work took longer than estimated |
//!
//! Moving what is not begun to a role that covers it is safe and done at once. Leaving something out, and everything else, is a person's
//! decision: it is offered in the inbox. Each fallback is applied or offered once. What was moved is not moved again, by this or by rebalancing.

use std::collections::BTreeSet;

use director_protocols::event::{Event, FallbackApplied, InboxOpened, RiskTriggered};
use director_protocols::ids::{Name, RoleId, SprintId, TaskId};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::risk::{Fallback, Trigger, Watched};
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};

use super::{balance, inbox, scope};
use crate::engine::state::State;
use crate::engine::tasks::Phase;
use crate::engine::trouble::InboxItem;
use crate::planner::calendar::Calendar;
use crate::view::forecast::forecast;
use crate::view::minute;

/// Who applies what is safe.
const DIRECTOR: &str = "director";
/// The round of work sent back that is one too many.
const ROUNDS: u32 = 2;

/// The task has been at work for too long.
pub fn overrun(state: &State, task: TaskId) -> Vec<Event> {
    let worst = state.tasks.table[task.index()].spec.estimate.pessimistic;
    let what = format!(
        "{} has been at work for longer than its worst case, {worst}",
        state.task_name(task)
    );
    of_task(
        state,
        task,
        &what,
        |on, name| matches!(on, Trigger::Overrun(known) if known == name),
    )
}

/// The task was given up.
pub fn failed(state: &State, task: TaskId) -> Vec<Event> {
    let what = format!("{} was given up", state.task_name(task));
    of_task(
        state,
        task,
        &what,
        |on, name| matches!(on, Trigger::Failed(known) if known == name),
    )
}

/// Its work was sent back.
pub fn sent_back(state: &State, task: TaskId, round: u32) -> Vec<Event> {
    if round < ROUNDS {
        return Vec::new();
    }
    let what = format!(
        "work of {} was sent back in round {round}",
        state.task_name(task)
    );
    of_task(
        state,
        task,
        &what,
        |on, name| matches!(on, Trigger::Rework(known) if known == name),
    )
}

fn of_task(
    state: &State,
    task: TaskId,
    what: &str,
    shows: impl Fn(&Trigger, &Name) -> bool,
) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    let shown = |risk: &Watched| risk.on.iter().any(|on| shows(on, &row.spec.id));
    let risks = state.risks_of(task).filter(|(_, risk)| shown(risk));
    risks
        .map(|(number, risk)| came_true(row.sprint, (number, risk), Some(task), what))
        .collect()
}

/// The end is projected past the sprint's last day, or that day is over with work left.
pub fn late(state: &State, id: SprintId, now: Time) -> Vec<Event> {
    let sprint = &state.sprints.table[id.index()];
    let risks = (0u32..).zip(&sprint.spec.ways.start.risks);
    let shown: Vec<(u32, &Watched)> = risks
        .filter(|(number, risk)| {
            risk.on.contains(&Trigger::Late) && !sprint.came_true.contains(&(*number, None))
        })
        .collect();
    if shown.is_empty() || !sprint.is_running() {
        return Vec::new();
    }
    let Some(end) = Calendar::of(&sprint.spec).end() else {
        return Vec::new();
    };
    let last = sprint.spec.end.as_deref().unwrap_or_default();
    // The figure that `status` and the burndown show.
    let left = forecast(state, sprint, now);
    let what = match left.left {
        _ if left.work == Span::ZERO => return Vec::new(),
        _ if now >= end => format!("the last day, {last}, is over, and not all is done"),
        Some(left) if now + left > end => format!(
            "the projected end, {}, is past the last day, {last}",
            minute(now + left)
        ),
        // Nobody can say when what stands in the way is over.
        Some(_) | None => return Vec::new(),
    };
    let came_true = |risk| came_true(id, risk, None, &what);
    shown.into_iter().map(came_true).collect()
}

/// After a task was completed: whether it took longer than estimated, and the end is late by that.
pub fn completed(state: &State, task: TaskId, now: Time) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    let busy = row.story.as_deref().map_or(Span::ZERO, |story| story.busy);
    match busy > row.spec.estimate.mean() {
        true => late(state, row.sprint, now),
        false => Vec::new(),
    }
}

/// All agents of a role stay down.
pub fn down(state: &State, role: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let going = (0u32..).map(SprintId).zip(&state.sprints.table);
    for (id, sprint) in going.filter(|(_, row)| row.is_running()) {
        let risks = (0u32..).zip(&sprint.spec.ways.start.risks);
        let shown = risks.filter(|(number, risk)| {
            let mut on = risk.on.iter();
            let waits = on.any(|on| matches!(on, Trigger::Down(known) if known.as_str() == role));
            waits && !sprint.came_true.contains(&(*number, None))
        });
        let what = format!("all agents of {role} are down");
        events.extend(shown.map(|risk| came_true(id, risk, None, &what)));
    }
    events
}

fn came_true(
    sprint_id: SprintId,
    (number, risk): (u32, &Watched),
    task_id: Option<TaskId>,
    what: &str,
) -> Event {
    RiskTriggered {
        sprint_id,
        number,
        risk: risk.risk.clone(),
        task_id,
        trigger: what.to_owned(),
    }
    .into()
}

/// What is done about a risk that has just come true.
pub fn after(state: &State, e: &RiskTriggered, now: Time) -> Vec<Event> {
    let sprint = &state.sprints.table[e.sprint_id.index()];
    let Some(risk) = sprint.spec.ways.start.risks.get(e.number as usize) else {
        return Vec::new();
    };
    let mut events = Vec::new();
    let again = sprint.fallen_back.contains(&e.number);
    if let Fallback::Reassign(to) = &risk.then
        && !again
    {
        let batch = movable(state, e.sprint_id, risk, to);
        if !batch.is_empty() {
            events.push(
                FallbackApplied {
                    sprint_id: e.sprint_id,
                    number: e.number,
                    fallback: risk.fallback.clone(),
                    batch,
                    to: Some(to.clone()),
                    by: DIRECTOR.to_owned(),
                }
                .into(),
            );
            return events;
        }
    }
    if !again {
        events.extend(offered(state, e, risk, now));
    }
    // Nothing was moved by this; what the role has may move otherwise.
    if e.task_id.is_none() {
        events.extend(balance::after_role(state, now));
    }
    events
}

/// The tasks of a risk that nobody has begun and that the role can take.
fn movable(state: &State, sprint: SprintId, risk: &Watched, to: &Name) -> Vec<TaskId> {
    let Some(to) = state.team.by_role.get(to).copied() else {
        return Vec::new();
    };
    let known = &state.sprints.table[sprint.index()].by_name;
    let tasks = risk
        .tasks
        .iter()
        .filter_map(|name| known.get(name))
        .copied();
    tasks
        .filter(|task| {
            let row = &state.tasks.table[task.index()];
            let lost = state.team.roles[row.role.index()].lost;
            row.role != to && balance::may_move(row, lost) && takes(state, *task, to)
        })
        .collect()
}

fn takes(state: &State, task: TaskId, to: RoleId) -> bool {
    let row = &state.tasks.table[task.index()];
    let role = &state.team.roles[to.index()];
    !role.lost
        && !role.is_people()
        && role.covers_kind(&row.spec.kind)
        && (role.spec.agent.kind != "command" || row.spec.run.is_some())
        && role.active().any(|agent| !row.avoid.contains(&agent))
}

/// A person is asked, once for each risk.
fn offered(state: &State, e: &RiskTriggered, risk: &Watched, now: Time) -> Option<Event> {
    let same = |item: &InboxItem| item.sprint == e.sprint_id && item.risk == Some(e.number);
    if state.trouble.inbox.iter().any(same) {
        return None;
    }
    let does = match risk.then {
        Fallback::Cut => {
            let left = left(state, e.sprint_id, risk);
            if left.is_empty() {
                return None;
            }
            let names: Vec<String> = left.iter().map(|task| state.task_name(*task)).collect();
            format!(
                "Approve it, and this is left for the next sprint: {}.",
                names.join(", ")
            )
        }
        Fallback::Reassign(_) | Fallback::Decide => {
            "Approve it once you have seen to it, or reject it to go on as planned.".to_owned()
        }
    };
    let text = format!(
        "A risk has come true: {}; {}.\nWhat was foreseen then: {}. {does}",
        risk.risk, e.trigger, risk.fallback
    );
    let place = (e.sprint_id, e.task_id);
    let open = inbox::opened(state, InboxKind::Fallback, place, Severity::High, text, now);
    Some(
        InboxOpened {
            risk: Some(e.number),
            ..open
        }
        .into(),
    )
}

/// What is not done of a risk's tasks, and what waits for it.
fn left(state: &State, sprint: SprintId, risk: &Watched) -> Vec<TaskId> {
    let known = &state.sprints.table[sprint.index()].by_name;
    let goes = |task: &TaskId| {
        let phase = state.tasks.table[task.index()].phase;
        !phase.is_over() && phase != Phase::Merging
    };
    let tasks = risk
        .tasks
        .iter()
        .filter_map(|name| known.get(name))
        .copied();
    let mut todo: Vec<TaskId> = tasks.filter(goes).collect();
    let mut found: BTreeSet<TaskId> = todo.iter().copied().collect();
    while let Some(task) = todo.pop() {
        let next = state.tasks.table[task.index()].dependents.iter().copied();
        for next in next.filter(goes) {
            if found.insert(next) {
                todo.push(next);
            }
        }
    }
    found.into_iter().collect()
}

/// What follows a person's answer to an offer.
pub fn answered(state: &State, open: &InboxItem, reply: Reply, by: &str) -> Vec<Event> {
    let Some(number) = open.risk else {
        return Vec::new();
    };
    let sprint = &state.sprints.table[open.sprint.index()];
    let Some(risk) = sprint.spec.ways.start.risks.get(number as usize) else {
        return Vec::new();
    };
    if reply != Reply::Approve || sprint.is_over() {
        return Vec::new();
    }
    let batch = match risk.then {
        Fallback::Cut => left(state, open.sprint, risk),
        Fallback::Reassign(_) | Fallback::Decide => Vec::new(),
    };
    let mut events: Vec<Event> = vec![
        FallbackApplied {
            sprint_id: open.sprint,
            number,
            fallback: risk.fallback.clone(),
            batch: batch.clone(),
            to: None,
            by: by.to_owned(),
        }
        .into(),
    ];
    events.extend(scope::left_out(state, open.sprint, batch, by));
    events
}
