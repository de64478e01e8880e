//! The rest of a sprint that is under way, made ready to be simulated from where it stands.
//!
//! The state is the engine's own, as replayed from the journal, so what is done stays done, what is ready is handed out
//! by the same rules, and what waits for a person still waits. What lies ahead of a task depends on what has passed:
//!
//! - a task that an agent has had in hand for a while takes at least that long: what remains is drawn from what its estimate
//!   says of tasks that are not done by then;
//! - one that has outlived its estimate takes as long again on average as it has taken so far, without memory;
//! - one that was reported once and came back costs a share of what it took;
//! - a blocked one goes on where it stopped.
//!
//! With no director at work the sprint is taken up first, as the next director will: attempts that were in hand are
//! interrupted and begin again.
//!
//! Elsewhere: what the past says of the models is `past`; a sprint from its start is `prepare`.

use director_protocols::command::Command;
use director_protocols::forecast::Forecast;
use director_protocols::ids::{AgentId, SprintId, TaskId};
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};

use super::forecast::{self, Extent};
use super::past::Past;
use super::prepare::{self, Prepared, SimulateError};
use super::price;
use super::waits::Waits;
use crate::engine::Engine;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::estimate::quantiles::Quantiles;
use crate::estimate::random::below;
use crate::planner::calendar::Calendar;

/// A task has outlived its estimate when so much of what the estimate allows for, out of 2^64, is shorter.
const OUTLIVED: u64 = u64::MAX - u64::MAX / 128;

/// Where a task stands when the runs begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// All of its work is ahead.
    #[default]
    Ahead,
    /// So much was done, in milliseconds, and it was not all.
    Begun {
        /// By now.
        spent: u64,
        /// The share of what its estimate allows for that is shorter, out of 2^64.
        shorter: u64,
    },
    /// It was reported after so many milliseconds.
    Reported {
        /// What it took.
        took: u64,
    },
    /// It was reported, and came back.
    Again {
        /// What it took until then, in milliseconds.
        took: u64,
        /// What the second round has taken so far.
        spent: u64,
    },
}

impl Standing {
    /// The whole work of the task, in milliseconds, at the quantile `draw` / 2^64.
    pub fn work_at(&self, table: &Quantiles, waits: &Waits, draw: u64) -> u64 {
        match *self {
            Standing::Ahead => table.sample(draw),
            Standing::Begun { spent, shorter } if shorter < OUTLIVED => {
                let at = shorter + below(draw, u64::MAX - shorter);
                table.sample(at).max(spent + 1)
            }
            Standing::Begun { spent, .. } => spent + waits.at(draw, spent).max(1),
            Standing::Reported { took } | Standing::Again { took, .. } => took,
        }
    }

    /// What was done of it when the runs began.
    pub fn spent(&self) -> u64 {
        match *self {
            Standing::Begun { spent, .. } => spent,
            _ => 0,
        }
    }
}

/// From where it is looked ahead.
#[derive(Clone, Debug)]
pub struct From {
    /// The state there.
    pub engine: Engine,
    /// The moment.
    pub now: Time,
    /// A director is at work; without one, the sprint is taken up first.
    pub at_work: bool,
}

impl Prepared {
    /// Makes the rest of a sprint ready: from where it stands, with models of its own past. With `spec`, from here on with another
    /// team, other rules and other tasks.
    ///
    /// # Errors
    /// [`SimulateError`] when the sprint is over, or the engine refuses what `spec` wants.
    pub fn rest(
        from: &From,
        sprint: SprintId,
        past: &Past,
        spec: Option<&SprintSpec>,
    ) -> Result<Self, SimulateError> {
        if let Some(problem) = past.faults.problem() {
            return Err(SimulateError::Faults(problem));
        }
        let (mut engine, now) = (from.engine.clone(), from.now);
        let row = engine.state().sprints.get(sprint);
        let row = row.ok_or(director_protocols::rejection::Rejection::NoSprint)?;
        if row.is_over() {
            return Err(SimulateError::Over {
                sprint: row.spec.id.to_string(),
                outcome: row.state(),
            });
        }
        engine.forget_what_is_over();
        engine.without_ceremonies();
        let mut decisions = Vec::new();
        if !from.at_work {
            let open = Command::Open {
                version: "simulated".to_owned(),
            };
            decisions.push(engine.step(&open, now)?);
        }
        if let Some(spec) = spec {
            engine.fork(sprint, spec, now);
            let replan = Command::Replan {
                sprint,
                spec: Box::new(spec.clone()),
                by: "what if".to_owned(),
            };
            decisions.push(engine.step(&replan, now)?);
        }
        if engine.state().sprints.table[sprint.index()].paused {
            let resume = Command::Resume {
                sprint: Some(sprint),
                by: "what if".to_owned(),
            };
            decisions.push(engine.step(&resume, now)?);
        }
        if engine.state().sprints.table[sprint.index()].moved.is_some() {
            let restored = Command::BranchRestored {
                effect: None,
                sprint,
                saved: String::new(),
            };
            decisions.push(engine.step(&restored, now)?);
        }
        let down: Vec<AgentId> = missing(engine.state(), from.at_work);
        for agent in down {
            let generation = engine.state().team.agents[agent.index()].generation.next();
            decisions.push(engine.step(&Command::AgentUp { agent, generation }, now)?);
        }
        decisions.push(engine.dispatch(now));

        let state = engine.state();
        let estimates = state.tasks.table.iter().map(|task| &task.spec.estimate);
        let durations = past.durations(estimates);
        let (tasks, over_limit) = prepare::models(state, &durations, &past.faults);
        let standing = (0u32..)
            .map(TaskId)
            .zip(&state.tasks.table)
            .map(|(id, row)| standing(state, id, row, durations.of_task(id.0), now))
            .collect();
        let rows = state.sprints.table[sprint.index()]
            .tasks()
            .filter(|task| !state.is_help(*task))
            .collect();
        Ok(Self {
            costs: price::is_known(&tasks),
            begin: now,
            handed_out: true,
            sprint,
            rows,
            durations,
            standing,
            tasks,
            faults: past.faults,
            waits: Waits::new(),
            deadline: time_left(state, sprint, now),
            over_limit,
            agents: prepare::agents(state),
            effects: engine.resume(),
            // What they led to is in the state; only effects that are answered are still to come.
            decisions: Vec::new(),
            engine,
        })
    }
}

/// Agents that are to be started: all of the team after a stop; while a director is at work, those that never were up.
fn missing(state: &State, at_work: bool) -> Vec<AgentId> {
    let agents = (0u32..).map(AgentId).zip(&state.team.agents);
    let down = agents.filter(|(_, agent)| {
        let role = &state.team.roles[agent.role.index()];
        let comes = !agent.retired && !role.lost;
        !agent.up && comes && (!at_work || agent.joined.is_none())
    });
    down.map(|(id, _)| id).collect()
}

/// Where a task stands.
fn standing(state: &State, id: TaskId, row: &Task, table: &Quantiles, now: Time) -> Standing {
    let Some(story) = row.story.as_deref() else {
        return Standing::Ahead;
    };
    let reported = !story.commit.is_empty() || story.reported.is_some();
    let begun = |spent: u64| {
        let [_, at_most] = table.shares(spent);
        Standing::Begun {
            spent,
            // As a cast it saturates.
            shorter: (at_most * 18_446_744_073_709_551_616.0) as u64,
        }
    };
    // Only a blocker leaves work that is gone on with; after a failure all of it is ahead again.
    let blocked = state
        .trouble
        .blockers
        .iter()
        .any(|blocker| blocker.task == id);
    let kept = match blocked && story.failures == 0 && story.deaths.is_empty() {
        true => story.busy.0,
        false => 0,
    };
    match row.phase {
        Phase::Reported
        | Phase::Reviewing
        | Phase::Queued
        | Phase::Merging
        | Phase::Completed
        | Phase::Failed
        | Phase::Quarantined
        | Phase::Cancelled => Standing::Reported { took: story.busy.0 },
        Phase::Assigned | Phase::Working => {
            let spent = now.since(story.assigned).0;
            match reported {
                true => Standing::Again {
                    took: story.busy.0,
                    spent,
                },
                false => begun(kept + spent),
            }
        }
        Phase::Deferred | Phase::Waiting | Phase::Ready | Phase::Backoff(_) | Phase::Blocked => {
            match (reported, kept) {
                (true, _) => Standing::Again {
                    took: story.busy.0,
                    spent: 0,
                },
                (false, 0) => Standing::Ahead,
                (false, kept) => begun(kept),
            }
        }
    }
}

/// Working time from now to the end of the sprint's last day: whole days, and of today what is left of it at most.
fn time_left(state: &State, sprint: SprintId, now: Time) -> Option<Span> {
    let row = state.sprints.get(sprint)?;
    let calendar = Calendar::of(&row.spec);
    calendar.limit()?;
    let (today, all) = crate::view::forecast::days(row, now)?;
    let all = all?;
    if today > all {
        return Some(Span::ZERO);
    }
    const DAY: u64 = 86_400_000;
    let of_today = calendar.day.min(DAY - now.0 % DAY);
    Some(Span((all - today) * calendar.day + of_today))
}

/// Looks ahead once, to be held to it; `None` where no run has all done.
///
/// # Errors
/// As [`Prepared::rest`].
pub fn look_ahead(
    from: &From,
    sprint: SprintId,
    past: &Past,
    extent: &Extent,
) -> Result<Option<Forecast>, SimulateError> {
    let set = Prepared::rest(from, sprint, past, None)?;
    let known = forecast::forecast(&set, &[], extent, &mut |_| {})?;
    Ok(known.base.in_short(extent.seed))
}

/// The sprint as it is now: what was submitted, with the tasks as they have become and those that came later.
pub fn spec_of(state: &State, sprint: SprintId) -> Option<SprintSpec> {
    let row = state.sprints.get(sprint)?;
    let mut spec = (*row.spec).clone();
    spec.tasks = row
        .tasks()
        .filter(|task| !state.is_help(*task))
        .map(|task| state.tasks.table[task.index()].spec.clone())
        .collect();
    Some(spec)
}
