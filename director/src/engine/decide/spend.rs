//! What an attempt spends: what is set aside for it, what it may spend, when that is too much, and what it comes to at its end.
//!
//! An attempt that spends more than was set aside for it may, as long as there is room. Where there is none it is called off, and its task
//! waits for the budget, in the same session; that costs none of its attempts. So it is with one whose program ends by itself because it has
//! spent what it was told that it may. Beyond the limit of one attempt it has failed.
//!
//! Elsewhere: what is not handed out because of a budget is `budget`; the sums are [`crate::engine::budgets`].

use director_protocols::event::{
    AttemptEnded, AttemptOverspent, CostReserved, CostSettled, CostSpent, Event, Purse,
    TaskAssigned,
};
use director_protocols::ids::{AgentId, Attempt, TaskId};
use director_protocols::time::Time;
use director_protocols::work::AttemptEnd;

use super::Answer;
use super::budget::{is_limited, warned};
use crate::engine::budgets::COST_MAX;
use crate::engine::money::dollars;
use crate::engine::state::State;

/// By how much a program's count of what it has spent may be off, in millionths of a dollar.
const ROUNDED: u64 = 1;

/// What is set aside for an attempt that was just handed out; nothing where no budget limits it.
pub fn reserved(state: &State, e: &TaskAssigned, now: Time) -> Option<Event> {
    let row = &state.tasks.table[e.task_id.index()];
    if !is_limited(state, row) || state.is_person(e.agent_id) {
        return None;
    }
    Some(
        CostReserved {
            task_id: e.task_id,
            agent_id: e.agent_id,
            attempt: e.attempt,
            reserved_micros: state.expected_cost(row, e.agent_id),
            most_micros: most(state, e.task_id, e.agent_id, now).map(|(most, _)| most),
        }
        .into(),
    )
}

/// The most that the attempt of an agent may spend now, and whose limit that is: what others have spent and set aside is not there for it.
fn most(state: &State, task: TaskId, agent: AgentId, now: Time) -> Option<(u64, Option<Purse>)> {
    let row = &state.tasks.table[task.index()];
    let own = state.budgets.reserved.get(&task);
    let own = own.map_or(0, |row| row.spent + row.left);
    let window = Purse::Window {
        sprint_id: row.sprint,
    };
    let purses = state.purses(task, agent).into_iter().chain([window]);
    let shared = purses.filter_map(|purse| {
        let hard = state.limits(purse).cost_micros?;
        let (spent, reserved) = state.used(purse, now);
        Some((
            hard.saturating_sub((spent + reserved).saturating_sub(own)),
            Some(purse),
        ))
    });
    let alone = state.attempt_max(row, agent).map(|most| (most, None));
    alone
        .into_iter()
        .chain(shared)
        .min_by_key(|(most, _)| *most)
}

/// Decides about what an attempt has spent so far.
pub fn spent(state: &State, task: TaskId, attempt: Attempt, cost_micros: u64) -> Answer {
    super::attempt::current(state, task, attempt)?;
    let known = state.budgets.reserved.get(&task);
    let known = known.map_or(0, |row| row.spent);
    let cost_micros = cost_micros.min(COST_MAX);
    if cost_micros <= known {
        return Ok(Vec::new());
    }
    Ok(vec![
        CostSpent {
            task_id: task,
            attempt,
            cost_micros,
        }
        .into(),
    ])
}

/// What follows when an attempt has spent something: people are told, and it is called off where it may not.
pub fn after_spent(state: &State, e: &CostSpent, now: Time) -> Vec<Event> {
    let mut events = warned(state, e.task_id, now);
    let row = &state.tasks.table[e.task_id.index()];
    let own = state.budgets.reserved.get(&e.task_id);
    if let Some(own) = own
        && own.over.is_none()
        && row.phase.is_in_hand()
        && let Some((limit, purse)) = most(state, e.task_id, own.agent, now)
        && own.spent > limit
        // Who keeps to what was set aside is not the one who goes beyond.
        && (purse.is_none() || own.spent > own.reserved)
    {
        events.push(
            AttemptOverspent {
                task_id: e.task_id,
                attempt: e.attempt,
                cost_micros: own.spent,
                limit_micros: limit,
                purse,
            }
            .into(),
        );
    }
    events
}

/// What an attempt comes to at its end; nothing where it cost nothing and nothing was set aside for it.
pub fn settled(state: &State, e: &AttemptEnded) -> Option<Event> {
    let row = state.budgets.reserved.get(&e.task_id);
    let row = row.filter(|row| row.attempt == e.attempt);
    let said = match &e.end {
        AttemptEnd::Done(report) => report.cost_micros.min(COST_MAX),
        _ => 0,
    };
    let cost_micros = row.map_or(0, |row| row.spent).max(said);
    if row.is_none() && cost_micros == 0 {
        return None;
    }
    Some(
        CostSettled {
            task_id: e.task_id,
            agent_id: e.agent_id,
            attempt: e.attempt,
            reserved_micros: row.map_or(0, |row| row.reserved),
            cost_micros,
        }
        .into(),
    )
}

/// How an attempt ended that had spent more than an attempt may, called off or by itself: it failed. So it has where its program ended for its
/// cost and what it may cost is not spent: that is a limit of the program's own, and it would end there again and again.
pub fn end_of(state: &State, task: TaskId, agent: AgentId, end: &AttemptEnd) -> Option<AttemptEnd> {
    let row = state.budgets.reserved.get(&task);
    let failed = |reason| {
        Some(AttemptEnd::Failed {
            reason,
            exit_code: None,
        })
    };
    match (end, row.and_then(|row| row.over)) {
        (AttemptEnd::Cancelled | AttemptEnd::BudgetReached, Some((limit, None))) => {
            failed(format!(
                "it had spent {}, more than the {} that an attempt may",
                dollars(row.map_or(0, |row| row.spent)),
                dollars(limit)
            ))
        }
        (AttemptEnd::BudgetReached, None) => {
            let (spent, most) = row.map_or((0, None), |row| (row.spent, row.most));
            match most {
                // Its own count is not in whole millionths.
                Some(most) if spent > 0 && spent + ROUNDED >= most => {
                    let alone = state.attempt_max(&state.tasks.table[task.index()], agent);
                    let limit = alone.filter(|limit| *limit <= most)?;
                    failed(format!(
                        "it had spent {} of the {} that an attempt may",
                        dollars(spent),
                        dollars(limit)
                    ))
                }
                _ => failed(format!(
                    "its program ended at a limit on its cost that is not the director's, after {}",
                    dollars(spent)
                )),
            }
        }
        _ => None,
    }
}
