//! Rebalancing: who has more than they can do is named, and what waits there moves to those who have room.
//!
//! It is looked at when a role is down or comes back, when work took longer than estimated (each further twentieth of
//! a role's hours), when tasks come to a running sprint, and at every standup. Tasks that nobody has begun move, those that would
//! be begun last go first; from a role that is down everything that can goes, the most urgent first. They go to the least
//! loaded role that covers their kind and is under 80 %, and none is filled beyond what it can do.
//!
//! The engineering manager, where one can be asked, has a say in it first ([`super::manage`]).
//!
//! Invariants: a task moves once, so nothing ping-pongs; what somebody was chosen for by hand, help, and work of people stay.

use director_protocols::event::{AttemptEnded, Event, TaskRebalanced, TeamUtilizationAlert};
use director_protocols::ids::{RoleId, SprintId, TaskId};
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, COMMAND};

use super::manage;
use crate::engine::balance::{self, Load};
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::engine::team::Role;

/// A role is looked at again after each such part of its hours that work took longer: a twentieth.
const PARTS: u64 = 20;

/// What follows from the load of the roles as it is now: an alert if there is news, and the tasks that move. `again` also
/// looks at roles that were named before.
pub fn checked(state: &State, sprint: SprintId, again: bool, now: Time) -> Vec<Event> {
    let roles = &state.team.roles;
    let limited = |role: &Role| role.lost || role.alerted > 0 || role.spec.capacity.is_some();
    if !roles.iter().any(limited) {
        return Vec::new();
    }
    let loads = balance::loads(state);
    let roles = || state.team.roles.iter().zip(&loads);
    let grew = |role: &Role, load: &Load| {
        load.is_over()
            && match role.alerted {
                0 => true,
                u32::MAX => false,
                named => load.share() >= named.saturating_add(balance::STEP),
            }
    };
    let is_news = roles()
        .any(|(role, load)| grew(role, load) || (role.alerted > 0 && load.share() < balance::ROOM));
    let wanted = again && roles().any(|(_, load)| load.is_over());
    if !is_news && !wanted {
        return Vec::new();
    }
    let moves = moves(state, &loads);
    if !is_news && moves.is_empty() {
        return Vec::new(); // Said before, and nothing can be done about it.
    }
    let mut events: Vec<Event> = vec![
        TeamUtilizationAlert {
            sprint_id: sprint,
            overloaded_agents: balance::overloaded(state, &loads),
            available_capacity: balance::with_room(state, &loads),
            rebalancing_needed: !moves.is_empty(),
        }
        .into(),
    ];
    events.extend(manage::proposed(state, sprint, moves, now));
    events
}

/// After an attempt that took longer than estimated.
pub fn after_attempt(state: &State, e: &AttemptEnded, now: Time) -> Vec<Event> {
    let AttemptEnd::Done(report) = &e.end else {
        return Vec::new();
    };
    let Some(spent) = report.hours_spent else {
        return Vec::new();
    };
    let row = &state.tasks.table[e.task_id.index()];
    let more = spent - row.spec.estimate.mean();
    let role = state.team.agents[e.agent_id.index()].role;
    let role = &state.team.roles[role.index()];
    if more == Span::ZERO || role.spec.capacity.is_none() {
        return Vec::new();
    }
    let hours = balance::capacity(role).0;
    let part = (hours.saturating_mul(u64::from(role.spec.count)) / PARTS).max(1);
    if role.overrun.0 / part == (role.overrun - more).0 / part {
        return Vec::new();
    }
    checked(state, row.sprint, false, now)
}

/// After a role went down or came back: of the first sprint that is going.
pub fn after_role(state: &State, now: Time) -> Vec<Event> {
    let going = state.sprints.table.iter().position(|row| row.is_running());
    going.map_or_else(Vec::new, |index| {
        checked(state, SprintId(index as u32), true, now)
    })
}

/// The tasks that move, in order, in the light of what moved before.
fn moves(state: &State, loads: &[Load]) -> Vec<TaskRebalanced> {
    let mut loads = loads.to_vec();
    let mut found = Vec::new();
    for index in 0..loads.len() {
        let role = &state.team.roles[index];
        if !loads[index].is_over() || role.is_people() {
            continue;
        }
        for task in waiting(state, RoleId(index as u32)) {
            if !loads[index].is_over() {
                break;
            }
            let row = &state.tasks.table[task.index()];
            let effort = row.spec.estimate.mean();
            let Some(to) = taker(state, row, index, effort, &loads) else {
                continue;
            };
            let before = (!role.lost).then(|| loads[index].share());
            loads[index].effort = loads[index].effort - effort;
            loads[to].effort += effort;
            found.push(TaskRebalanced {
                task_id: task,
                from: role.spec.name.clone(),
                to: state.team.roles[to].spec.name.clone(),
                from_load: before,
                to_load: loads[to].share(),
            });
        }
    }
    found
}

/// What waits with a role and may move, in the order in which it goes.
fn waiting(state: &State, role: RoleId) -> Vec<TaskId> {
    let lost = state.team.roles[role.index()].lost;
    let running = state.sprints.table.iter();
    let running = running.filter(|sprint| sprint.is_running() && !sprint.cancelled);
    let mut found: Vec<(bool, _, TaskId)> = running
        .flat_map(|sprint| sprint.tasks())
        .map(|id| (id, &state.tasks.table[id.index()]))
        .filter(|(_, row)| row.role == role && may_move(row, lost))
        .map(|(id, row)| (row.phase != Phase::Ready, row.rank, id))
        .collect();
    found.sort_unstable();
    if !lost {
        // What can be begun now goes before what cannot, and of each the last in line.
        found.sort_by_key(|(waits, rank, _)| (*waits, std::cmp::Reverse(*rank)));
    }
    found.into_iter().map(|(_, _, id)| id).collect()
}

/// Whether the task waits for whoever comes first; of one that was begun only where its role is down.
pub fn may_move(row: &Task, lost: bool) -> bool {
    let begun = row.attempt.0 > 0;
    row.is_to_come()
        && row.phase != Phase::Blocked
        && (lost || !begun)
        && !row.moved
        && (lost || !row.stays)
        && !row.is_help()
        && row.wanted.is_none()
}

/// The least loaded role that can take the task.
fn taker(state: &State, task: &Task, from: usize, effort: Span, loads: &[Load]) -> Option<usize> {
    let roles = state.team.roles.iter().zip(loads).enumerate();
    roles
        .filter(|(index, (role, load))| {
            *index != from
                && !role.lost
                && !role.is_people()
                && role.covers_kind(&task.spec.kind)
                && (role.spec.agent.kind != COMMAND || task.spec.run.is_some())
                && role.active().any(|agent| {
                    state.team.agents[agent.index()].up && !task.avoid.contains(&agent)
                })
                && load.share() < balance::ROOM
                && load.effort + effort <= load.capacity
        })
        .min_by_key(|(index, (_, load))| (load.share(), *index))
        .map(|(index, _)| index)
}
