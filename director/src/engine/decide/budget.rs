//! Budgets as rules: what is not handed out because of one, who is asked about it, and who is told of a soft limit.
//!
//! A task waits while what it is expected to cost does not fit into every hard limit that it counts for. What attempts in hand have set
//! aside may come back, and what was spent leaves a window, so those waits end by themselves; where neither helps, a person is asked to
//! raise the limit or to call the work off. Work that fits goes on meanwhile.
//!
//! Invariant: each wait for a budget is written down once, and is over when it fits.
//! Elsewhere: the sums are [`crate::engine::budgets`]; handing out is `assign`; what an attempt may spend and when it has spent too much is `spend`.

use director_protocols::event::{
    BudgetFreed, BudgetHeld, BudgetRaised, BudgetWarned, Event, InboxClosed, InboxOpened, Purse,
};
use director_protocols::ids::{AgentId, SprintId, TaskId};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::time::Time;

use super::{Answer, inbox, steer};
use crate::engine::budgets::{COST_MAX, Hold};
use crate::engine::money::{dollars, micros_of};
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};

/// What stands in the way of handing a task out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// Whose budget.
    pub purse: Purse,
    /// What the attempt is expected to cost.
    pub needed: u64,
    /// What is left: neither spent nor set aside.
    pub left: u64,
    /// When enough is free by itself.
    pub until: Option<Time>,
    /// Whether only a person can make it fit.
    pub asks: bool,
}

/// What stands in the way of giving the task to the agent; nothing where no budget does.
pub fn short(state: &State, id: TaskId, row: &Task, agent: AgentId, now: Time) -> Option<Short> {
    if !is_limited(state, row) || state.is_person(agent) {
        return None;
    }
    let needed = state.expected_cost(row, agent);
    let window = Purse::Window {
        sprint_id: row.sprint,
    };
    let purses = state.purses(id, agent).into_iter().chain([window]);
    let mut short = purses.filter_map(|purse| lacks(state, purse, needed, now));
    Some(unless_others_can(state, row, short.next()?, now))
}

/// Nobody is asked about one agent's budget as long as another of its role can pay.
fn unless_others_can(state: &State, row: &Task, short: Short, now: Time) -> Short {
    let Purse::Agent {
        sprint_id,
        agent_id,
    } = short.purse
    else {
        return short;
    };
    let role = &state.team.roles[state.team.agents[agent_id.index()].role.index()];
    let mut others = role.active().filter(|other| {
        !row.avoid.contains(other) && row.wanted.is_none_or(|wanted| wanted == *other)
    });
    let asks = others.all(|agent_id| {
        let purse = Purse::Agent {
            sprint_id,
            agent_id,
        };
        lacks(state, purse, short.needed, now).is_some_and(|short| short.asks)
    });
    Short {
        asks: short.asks && asks,
        ..short
    }
}

/// Whether any budget limits the task.
pub(super) fn is_limited(state: &State, row: &Task) -> bool {
    state.sprints.table[row.sprint.index()].limited || row.spec.budget.spending.is_some()
}

/// What a budget lacks for an attempt that is expected to cost `needed`; nothing if it fits.
fn lacks(state: &State, purse: Purse, needed: u64, now: Time) -> Option<Short> {
    let hard = state.limits(purse).cost_micros?;
    let (spent, reserved) = state.used(purse, now);
    let used = spent + reserved;
    // What is used up is used up, also for what is expected to cost nothing.
    if used < hard && used + needed <= hard {
        return None;
    }
    let fits = |spent: u64| spent < hard && spent + needed <= hard;
    let mut short = Short {
        purse,
        needed,
        left: hard.saturating_sub(used),
        until: None,
        asks: !fits(spent),
    };
    if let Purse::Window { sprint_id } = purse {
        short.asks = !fits(0);
        let mut left = used;
        let leaving = state.in_window(sprint_id, now).find(|(_, micros)| {
            left -= micros;
            fits(left)
        });
        short.until = leaving.map(|(at, _)| at);
    }
    Some(short)
}

/// Whether whoever may have the task is kept from it by a budget that only a person can raise.
pub fn waits_for_a_person(state: &State, id: TaskId, row: &Task, now: Time) -> bool {
    let role = &state.team.roles[row.role.index()];
    let may = role.active().filter(|agent| {
        !row.avoid.contains(agent) && row.wanted.is_none_or(|wanted| wanted == *agent)
    });
    let mut may = may.peekable();
    // Where nobody may have it, it is not the money.
    is_limited(state, row)
        && may.peek().is_some()
        && may.all(|agent| short(state, id, row, agent, now).is_some_and(|short| short.asks))
}

/// That the task waits for a budget, unless that is known of the budget already.
pub fn held(state: &State, task: TaskId, short: Short) -> Option<Event> {
    let known = state.budgets.holds.contains_key(&short.purse);
    (!known).then(|| written(state, task, &short))
}

fn written(state: &State, task: TaskId, short: &Short) -> Event {
    BudgetHeld {
        sprint_id: state.tasks.table[task.index()].sprint,
        purse: short.purse,
        task_id: task,
        needed_micros: short.needed,
        left_micros: short.left,
        until: short.until,
        asks: short.asks,
    }
    .into()
}

/// What has changed about the waits for budgets since they were written down, one at a time.
pub fn changed(state: &State, now: Time) -> Option<Event> {
    let mut holds = state.budgets.holds.iter();
    holds.find_map(|(purse, hold)| {
        let short = still(state, *purse, hold, now);
        let Some(short) = short else {
            return Some(freed(state, *purse, hold));
        };
        let asked = hold
            .item
            .is_some_and(|item| state.trouble.open_item(item).is_some());
        // At its time it is looked at again; meanwhile it need not be exact.
        let same = hold.until.is_some() == short.until.is_some()
            && hold.asks == short.asks
            && (asked || !short.asks);
        (!same).then(|| written(state, hold.task, &short))
    })
}

/// What a budget still lacks for the task that waits for it.
fn still(state: &State, purse: Purse, hold: &Hold, now: Time) -> Option<Short> {
    let row = &state.tasks.table[hold.task.index()];
    if row.phase != Phase::Ready {
        return None;
    }
    let agent = match purse {
        Purse::Agent { agent_id, .. } => agent_id,
        _ => *state.team.roles[row.role.index()].agents.first()?,
    };
    let short = lacks(state, purse, state.expected_cost(row, agent), now)?;
    Some(unless_others_can(state, row, short, now))
}

fn freed(state: &State, purse: Purse, hold: &Hold) -> Event {
    BudgetFreed {
        sprint_id: state.tasks.table[hold.task.index()].sprint,
        purse,
        item: hold.item,
    }
    .into()
}

/// The time has come at which enough has left a window.
pub fn due(state: &State, sprint: SprintId) -> Vec<Event> {
    let purse = Purse::Window { sprint_id: sprint };
    let hold = state.budgets.holds.get(&purse);
    hold.map(|hold| freed(state, purse, hold))
        .into_iter()
        .collect()
}

/// What follows when a wait is over: nobody has to be asked any more.
pub fn after_freed(state: &State, e: &BudgetFreed) -> Option<Event> {
    let item = e
        .item
        .filter(|item| state.trouble.open_item(*item).is_some())?;
    Some(
        InboxClosed {
            item,
            reason: "what waited for the budget fits now, or is not wanted any more".to_owned(),
        }
        .into(),
    )
}

/// The question that follows when only a person can make it fit.
pub fn after_held(state: &State, e: &BudgetHeld, now: Time) -> Option<Event> {
    let hold = state.budgets.holds.get(&e.purse)?;
    let asked = hold
        .item
        .is_some_and(|item| state.trouble.open_item(item).is_some());
    if !e.asks || asked {
        return None;
    }
    let limits = state.limits(e.purse);
    let hard = limits.cost_micros.unwrap_or_default();
    let (spent, reserved) = state.used(e.purse, now);
    let task = state.task_name(e.task_id);
    let stop = match e.purse {
        Purse::Task { .. } | Purse::Agent { .. } => format!("a no calls `{task}` off"),
        Purse::Sprint { .. } | Purse::Window { .. } => {
            "a no calls off everything that has not begun".to_owned()
        }
    };
    let question = format!(
        "{} has too little left for `{task}`: {} of {} are spent and {} set aside, and it is expected to cost {}. \
         A yes raises the limit to {}, an answer sets it in dollars, {stop}.",
        purse_name(state, e.purse),
        dollars(spent),
        dollars(hard),
        dollars(reserved),
        dollars(e.needed_micros),
        dollars(enough(state, e.purse, hard, now)),
    );
    let place = (e.sprint_id, Some(e.task_id));
    let open = inbox::opened(
        state,
        InboxKind::Budget,
        place,
        Severity::High,
        question,
        now,
    );
    Some(
        InboxOpened {
            purse: Some(e.purse),
            ..open
        }
        .into(),
    )
}

/// The limit that a yes comes to: half as much again, and enough for what waits.
fn enough(state: &State, purse: Purse, hard: u64, now: Time) -> u64 {
    let (spent, reserved) = state.used(purse, now);
    let hold = state.budgets.holds.get(&purse);
    let short = hold.and_then(|hold| still(state, purse, hold, now));
    let needed = short.map_or(0, |short| short.needed).max(1);
    (hard + hard / 2).max(spent + reserved + needed)
}

/// What follows from a person's answer about a budget.
///
/// # Errors
/// The answer is no amount, or one that leaves the matter as it is.
pub fn answered(
    state: &State,
    purse: Purse,
    (reply, text): (Reply, &str),
    by: &str,
    now: Time,
) -> Answer {
    let Some(hold) = state.budgets.holds.get(&purse) else {
        return Ok(Vec::new());
    };
    let hard = state.limits(purse).cost_micros.unwrap_or_default();
    let limit_micros = match reply {
        Reply::Approve => enough(state, purse, hard, now),
        Reply::Answer => {
            let least = still(state, purse, hold, now).map_or(0, |short| {
                let (spent, reserved) = state.used(purse, now);
                spent + reserved + short.needed.max(1)
            });
            match micros_of(text) {
                Some(limit) if limit >= least => limit,
                _ => {
                    return Err(Rejection::BadAnswer {
                        why: format!(
                            "a limit in dollars is wanted, of {} at least, such as {}",
                            dollars(least),
                            dollars((hard + hard / 2).max(least))
                        ),
                    });
                }
            }
        }
        Reply::Reject => return Ok(called_off(state, purse, hold.task, by)),
    };
    Ok(vec![raised(state, purse, limit_micros, by)])
}

fn raised(state: &State, purse: Purse, limit_micros: u64, by: &str) -> Event {
    BudgetRaised {
        sprint_id: sprint_of(state, purse),
        purse,
        limit_micros,
        by: by.to_owned(),
    }
    .into()
}

/// Decides about another limit that somebody sets.
pub fn set(state: &State, purse: Purse, limit_micros: u64, by: &str) -> Answer {
    let known = match purse {
        Purse::Task { task_id } => state.tasks.get(task_id).is_some(),
        Purse::Agent {
            sprint_id,
            agent_id,
        } => state.team.get(agent_id).is_some() && state.sprints.get(sprint_id).is_some(),
        Purse::Sprint { sprint_id } | Purse::Window { sprint_id } => {
            state.sprints.get(sprint_id).is_some()
        }
    };
    if !known {
        return Err(Rejection::NoSprint);
    }
    let sprint = &state.sprints.table[sprint_of(state, purse).index()];
    if sprint.is_over() {
        return Err(Rejection::SprintEnded {
            sprint: sprint.spec.id.to_string(),
        });
    }
    if matches!(purse, Purse::Window { .. }) && sprint.spec.policy.window.is_none() {
        return Err(Rejection::BadAnswer {
            why: "the sprint file has no `budget.window`, which says how long it is".to_owned(),
        });
    }
    if state.limits(purse).cost_micros == Some(limit_micros) {
        return Ok(Vec::new());
    }
    Ok(vec![raised(state, purse, limit_micros.min(COST_MAX), by)])
}

/// What is called off because nobody pays for it.
fn called_off(state: &State, purse: Purse, task: TaskId, by: &str) -> Vec<Event> {
    match purse {
        Purse::Task { .. } | Purse::Agent { .. } => {
            steer::cancel_task(state, task, by).unwrap_or_default()
        }
        Purse::Sprint { sprint_id } | Purse::Window { sprint_id } => {
            let waits = |id: &TaskId| {
                let phase = state.tasks.table[id.index()].phase;
                matches!(
                    phase,
                    Phase::Waiting | Phase::Ready | Phase::Backoff(_) | Phase::Blocked
                )
            };
            let tasks = state.sprints.table[sprint_id.index()].tasks();
            tasks
                .filter(waits)
                .flat_map(|id| steer::cancelled(state, id, by))
                .collect()
        }
    }
}

/// The soft limits that are reached now and were not before.
pub fn warned(state: &State, task: TaskId, now: Time) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    if !is_limited(state, row) {
        return Vec::new();
    }
    let Some(agent) = row.last_agent else {
        return Vec::new();
    };
    let purses = state.purses(task, agent).into_iter();
    let reached = purses.filter_map(|purse| {
        let soft = state.limits(purse).warn_micros?;
        let known = state.budgets.sums.get(&purse);
        let (spent, _) = state.used(purse, now);
        let is_new = !known.is_some_and(|sums| sums.warned) && spent >= soft;
        is_new.then_some((purse, spent, soft))
    });
    reached
        .map(|(purse, spent_micros, limit_micros)| {
            BudgetWarned {
                sprint_id: row.sprint,
                purse,
                spent_micros,
                limit_micros,
            }
            .into()
        })
        .collect()
}

/// The notice that a soft limit is reached.
pub fn after_warned(state: &State, e: &BudgetWarned, now: Time) -> Event {
    let hard = match state.limits(e.purse).cost_micros {
        Some(hard) => format!("nothing goes beyond {}", dollars(hard)),
        None => "nothing is held back for it".to_owned(),
    };
    let text = format!(
        "{} has reached its soft limit: {} of {} are spent; {hard}",
        purse_name(state, e.purse),
        dollars(e.spent_micros),
        dollars(e.limit_micros),
    );
    let task = match e.purse {
        Purse::Task { task_id } => Some(task_id),
        _ => None,
    };
    let place = (e.sprint_id, task);
    inbox::opened(state, InboxKind::Notice, place, Severity::Medium, text, now).into()
}

/// The sprint that a budget belongs to.
pub fn sprint_of(state: &State, purse: Purse) -> SprintId {
    match purse {
        Purse::Task { task_id } => state.tasks.table[task_id.index()].sprint,
        Purse::Agent { sprint_id, .. }
        | Purse::Sprint { sprint_id }
        | Purse::Window { sprint_id } => sprint_id,
    }
}

/// A budget in words, at the beginning of a sentence.
pub fn purse_name(state: &State, purse: Purse) -> String {
    match purse {
        Purse::Task { task_id } => format!("The budget of task `{}`", state.task_name(task_id)),
        Purse::Agent { agent_id, .. } => {
            format!("The budget of {}", state.agent_name(agent_id))
        }
        Purse::Sprint { .. } => "The budget of the sprint".to_owned(),
        Purse::Window { sprint_id } => {
            let window = state.sprints.table[sprint_id.index()].spec.policy.window;
            match window {
                Some(window) => format!("The budget of the sprint for {}", window.within),
                None => "The budget of the sprint for a time".to_owned(),
            }
        }
    }
}
