//! A cheap forecast: what is left of a sprint, how long it may take, and which chain decides that.
//!
//! The time left is the longest of the remaining chain, the remaining work shared among the agents that are up, at the pace of
//! what they have done so far (time at work over estimate, 1 before anything is done), and the remaining work of people shared among
//! them: people keep to their hours, and so does what they have in the chain. What waits for a provider begins when that takes requests again.
//!
//! Elsewhere: the schedule that knows worktrees, roles and capacity is the planner's.

use director_protocols::ids::TaskId;
use director_protocols::time::{Span, Time};
use director_protocols::ways::Ceremonies;

use super::timestamp;
use crate::engine::sprints::Sprint;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::engine::team::{Agent, Role};
use crate::planner::calendar::Calendar;

/// What is left to do, and how long it may take.
pub(crate) struct Forecast {
    /// Estimated work left.
    pub work: Span,
    /// Time at work over estimate so far.
    pub pace: Option<f64>,
    /// Time until all is done; none while something stands in the way that does not go by itself.
    pub left: Option<Span>,
    /// The longest chain of tasks not completed.
    pub chain: Vec<TaskId>,
}

pub(crate) fn forecast(state: &State, row: &Sprint, now: Time) -> Forecast {
    let (mut work, mut spent, mut estimated) = (Span::ZERO, Span::ZERO, Span::ZERO);
    let mut of_people: Option<Span> = None;
    let mut stuck = row.is_over() || row.paused || row.moved.is_some() || row.emergency.is_some();
    let mut front: Option<(u64, TaskId)> = None;
    // When something that waits for a provider can begin, and how long it is from there to the end.
    let mut parked: Option<(Time, u64)> = None;
    for id in row.tasks().filter(|id| !state.is_help(*id)) {
        let Some(task) = state.tasks.get(id) else {
            continue;
        };
        let estimate = task.spec.estimate.mean();
        match task.phase {
            // How long people were at it says nothing: they went home meanwhile.
            Phase::Completed if is_for_people(state, task) => continue,
            Phase::Completed => {
                spent += task.story.as_deref().map_or(Span::ZERO, |story| story.busy);
                estimated += estimate;
                continue;
            }
            Phase::Deferred => continue,
            Phase::Blocked | Phase::Failed | Phase::Quarantined | Phase::Cancelled => stuck = true,
            _ => {}
        }
        work += estimate;
        if is_for_people(state, task) {
            let open = match task.phase.is_in_hand() {
                true => Span::ZERO,
                false => estimate,
            };
            of_people = Some(of_people.unwrap_or_default() + open);
        }
        let chain = remaining(task);
        let role = state.team.roles.get(task.role.index());
        let until = role.and_then(|role| state.parked(role)?.parked);
        if let (Some(until), false) = (until, task.phase.is_in_hand())
            && parked.is_none_or(|(at, chain_then)| until + Span(chain) > at + Span(chain_then))
        {
            parked = Some((until, chain));
        }
        if front.is_none_or(|(longest, _)| chain > longest) {
            front = Some((chain, id));
        }
    }
    let pace =
        (estimated > Span::ZERO && spent > Span::ZERO).then(|| spent.0 as f64 / estimated.0 as f64);
    let agents = state
        .team
        .agents
        .iter()
        .filter(|agent| agent.up && !agent.retired)
        .count()
        .max(1);
    let paced = |ms: u64| (ms as f64 * pace.unwrap_or(1.0)) as u64;
    let parked = parked.map_or(Span::ZERO, |(until, chain)| {
        (until + Span(paced(chain))).since(now)
    });
    if let (Some(of_people), false) = (of_people, stuck) {
        let chain = front.map_or_else(Vec::new, |(_, id)| chain_from(state, id));
        let left = with_people(state, row, (&chain, work, of_people), &paced, now);
        return Forecast {
            work,
            pace,
            left: left.map(|left| left.max(parked)),
            chain,
        };
    }
    let longest = front
        .map_or(0, |(chain, _)| chain)
        .max(work.0 / agents as u64);
    let in_front = front.and_then(|(_, id)| state.tasks.get(id));
    // What the task in front has used up already is not ahead any more, but it is never done before it is done.
    let used = in_front
        .filter(|task| task.phase.is_in_hand())
        .and_then(|task| task.story.as_deref().map(|story| (task, story)))
        .map_or(0, |(task, story)| {
            now.since(story.assigned)
                .0
                .min(paced(task.spec.estimate.mean().0))
        });
    Forecast {
        work,
        pace,
        left: (!stuck).then(|| Span(paced(longest).saturating_sub(used)).max(parked)),
        chain: front.map_or_else(Vec::new, |(_, id)| chain_from(state, id)),
    }
}

fn is_for_people(state: &State, task: &Task) -> bool {
    let role = match task.agent.or(task.last_agent) {
        Some(agent) => state.team.role_of(agent),
        None => state.team.roles.get(task.role.index()),
    };
    role.is_some_and(Role::is_people)
}

/// How long what is left takes where people have a part in it; none beyond the end of time.
fn with_people(
    state: &State,
    row: &Sprint,
    (chain, work, of_people): (&[TaskId], Span, Span),
    paced: &dyn Fn(u64) -> u64,
    now: Time,
) -> Option<Span> {
    let calendar = Calendar::of(&row.spec);
    let usual = Ceremonies::default().standup;
    let begins = row.spec.ways.ceremonies.standup.or(usual)?;
    let up = state.team.agents.iter();
    let up = up.filter(|agent| agent.up && !agent.retired);
    let is_person = |agent: &&Agent| state.team.roles[agent.role.index()].is_people();
    let people = up.clone().filter(is_person).count().max(1) as u64;
    let agents = (up.count() as u64).saturating_sub(people).max(1);
    // One after the other, as they hand on to each other.
    let mut at = now;
    for id in chain {
        let task = state.tasks.get(*id)?;
        let estimate = task.spec.estimate.mean();
        let story = task.story.as_deref().filter(|_| task.phase.is_in_hand());
        let from = story.map_or(at, |story| story.assigned);
        let end = match is_for_people(state, task) {
            true => calendar.worked(from, estimate, begins)?,
            false => from + Span(paced(estimate.0)),
        };
        at = at.max(end);
    }
    let shared = calendar.worked(now, Span(of_people.0 / people), begins)?;
    let by_agents = now + Span(paced((work - of_people).0 / agents));
    Some(at.max(shared).max(by_agents).since(now))
}

/// The longest way from the task's start to the end, as planned, in milliseconds.
fn remaining(task: &Task) -> u64 {
    u64::MAX - task.rank.1
}

/// From `id` always on to what has the longest way ahead.
fn chain_from(state: &State, id: TaskId) -> Vec<TaskId> {
    let mut chain = vec![id];
    let mut at = state.tasks.get(id);
    while let Some(next) = at.and_then(|task| {
        task.dependents
            .iter()
            .filter_map(|id| Some((*id, state.tasks.get(*id)?)))
            .filter(|(_, task)| task.phase != Phase::Deferred)
            .max_by_key(|(id, task)| (remaining(task), std::cmp::Reverse(*id)))
    }) {
        chain.push(next.0);
        at = Some(next.1);
    }
    chain
}

/// The working day of `now`, from 1, and how many the sprint has; none without a first date.
pub(crate) fn days(row: &Sprint, now: Time) -> Option<(u64, Option<u64>)> {
    let start: jiff::civil::Date = row.spec.start.as_deref()?.parse().ok()?;
    let end = row.spec.end.as_deref().and_then(|end| end.parse().ok());
    let today = timestamp(now).to_zoned(jiff::tz::TimeZone::UTC).date();
    let all = end.and_then(|end| working_days(start, end));
    let day = working_days(start, today).unwrap_or(0).max(1);
    Some((
        all.map_or(day, |all| day.min(all + 1)),
        all.map(|all| all.max(1)),
    ))
}

/// Mondays to Fridays from `first` to `last`, both counted; none when they are in the wrong order.
fn working_days(first: jiff::civil::Date, last: jiff::civil::Date) -> Option<u64> {
    let length = u64::try_from(first.until(last).ok()?.get_days()).ok()? + 1;
    let weekday = u64::try_from(first.weekday().to_monday_zero_offset()).ok()?;
    let rest = (0..length % 7).filter(|n| (weekday + n) % 7 < 5).count();
    Some(length / 7 * 5 + rest as u64)
}
