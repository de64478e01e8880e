//! Ceremonies: when a running sprint's standup is due, when its next progress update is, and what each of them says.
//!
//! A standup is due on every working day at the hour that the file names; both are deadlines of the engine, so a director
//! that was down holds the one that it missed when it is back: once, however many there were.
//!
//! Invariant: a sprint that work is handed out in has a deadline for each ceremony that it wants, and no other has one.
//! Elsewhere: when a day is worked is `planner::calendar`; the long report is `report::standup`.

use director_protocols::event::{
    DailyStandupCompleted, DependencyUpdate, Event, OpenBlocker, ProgressUpdated, VelocityTrend,
};
use director_protocols::ids::{SprintId, TaskId};
use director_protocols::time::Time;
use serde::Serialize;

use super::sprints::Sprint;
use super::state::{Deadline, State};
use super::tasks::{Phase, Task};
use crate::planner::calendar::Calendar;
use crate::view::forecast;

/// The most things that one list of a ceremony names.
pub const NAMED_MAX: usize = 50;

/// What a sprint's ceremonies have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// When the last standup was held.
    pub at: Option<Time>,
    /// Standups so far.
    pub standups: u32,
    /// Points that were finished then.
    pub points: u32,
    /// Points that were finished between the two before.
    pub points_before: Option<u32>,
    /// When the next standup is due.
    pub standup: Option<Time>,
    /// When the next progress update is due.
    pub progress: Option<Time>,
}

/// When the sprint's next standup is, after `now`; none where it holds none.
fn next_standup(sprint: &Sprint, now: Time) -> Option<Time> {
    let at = sprint.spec.ways.ceremonies.standup?;
    Calendar::of(&sprint.spec).next(at, now)
}

impl State {
    /// Work is handed out in the sprint from now on, or no longer: its ceremonies are due, or are not.
    pub(super) fn set_ceremonies(&mut self, id: SprintId, now: Time) {
        self.standup_due(id, None);
        self.progress_due(id, None);
        let sprint = &self.sprints.table[id.index()];
        if sprint.is_running() {
            let standup = next_standup(sprint, now);
            let progress = sprint
                .spec
                .ways
                .ceremonies
                .progress
                .map(|every| now + every);
            self.standup_due(id, standup);
            self.progress_due(id, progress);
        }
    }

    fn standup_due(&mut self, id: SprintId, at: Option<Time>) {
        let held = &mut self.sprints.table[id.index()].held;
        if let Some(before) = std::mem::replace(&mut held.standup, at) {
            self.deadlines.remove(&(before, Deadline::Standup(id)));
        }
        self.deadlines
            .extend(at.map(|at| (at, Deadline::Standup(id))));
    }

    fn progress_due(&mut self, id: SprintId, at: Option<Time>) {
        let held = &mut self.sprints.table[id.index()].held;
        if let Some(before) = std::mem::replace(&mut held.progress, at) {
            self.deadlines.remove(&(before, Deadline::Progress(id)));
        }
        self.deadlines
            .extend(at.map(|at| (at, Deadline::Progress(id))));
    }

    /// A standup was held; the next is on another day.
    pub(super) fn standup_held(&mut self, e: &DailyStandupCompleted, now: Time) {
        let points = self.tasks.tally(e.sprint_id).completed_points;
        let sprint = &mut self.sprints.table[e.sprint_id.index()];
        let held = &mut sprint.held;
        held.points_before = Some(points.saturating_sub(held.points));
        held.points = points;
        held.at = Some(now);
        held.standups += 1;
        let next = sprint.is_running().then(|| next_standup(sprint, now));
        self.standup_due(e.sprint_id, next.flatten());
    }

    /// A progress update went out; the next follows after as long again.
    pub(super) fn progress_told(&mut self, e: &ProgressUpdated, now: Time) {
        let sprint = &self.sprints.table[e.sprint_id.index()];
        let every = sprint.spec.ways.ceremonies.progress;
        let next = every
            .filter(|_| sprint.is_running())
            .map(|every| now + every);
        self.progress_due(e.sprint_id, next);
    }
}

/// The standup of a sprint, as it is now.
pub fn standup(state: &State, id: SprintId) -> Event {
    let sprint = &state.sprints.table[id.index()];
    let held = sprint.held;
    let since = held.at.or(sprint.began).unwrap_or(sprint.submitted);
    let tally = state.tasks.tally(id);
    let points = tally.completed_points.saturating_sub(held.points);
    DailyStandupCompleted {
        sprint_id: id,
        since,
        sprint_progress: share(tally.completed, tally.committed),
        completed_yesterday: completed(state, sprint, since),
        planned_today: planned(state, sprint),
        blockers: blockers(state, id),
        dependency_updates: dependencies(state, sprint, since),
        velocity_trend: VelocityTrend {
            points,
            points_before: held.points_before.unwrap_or(0),
            trend: match held.points_before {
                None => "none",
                Some(before) if points > before => "up",
                Some(before) if points < before => "down",
                Some(_) => "steady",
            }
            .to_owned(),
        },
    }
    .into()
}

/// The progress update of a sprint, as it is now.
pub fn progress(state: &State, id: SprintId, now: Time) -> Event {
    let sprint = &state.sprints.table[id.index()];
    let tally = state.tasks.tally(id);
    let number = |is: fn(Phase) -> bool| {
        let rows = own(state, sprint).filter(|(_, row)| is(row.phase));
        rows.count() as u32
    };
    let (day, days) = forecast::days(sprint, now).unzip();
    let every = sprint.spec.ways.ceremonies.progress;
    let since = Time(now.0.saturating_sub(every.unwrap_or_default().0));
    ProgressUpdated {
        sprint_id: id,
        day: day.map(|day| day as u32),
        days: days.flatten().map(|days| days as u32),
        completed: tally.completed,
        in_progress: number(|phase| {
            phase.is_active() && !matches!(phase, Phase::Ready | Phase::Backoff(_))
        }),
        blocked: tally.blocked,
        velocity: tally.completed_points,
        target: sprint
            .spec
            .velocity_target
            .unwrap_or(tally.committed_points),
        key_achievements: completed(state, sprint, since),
        blockers: blockers(state, id),
        next: planned(state, sprint),
    }
    .into()
}

fn share(part: u32, whole: u32) -> u32 {
    (u64::from(part) * 1000 / u64::from(whole.max(1))) as u32
}

/// The sprint's tasks, without help.
fn own<'a>(state: &'a State, sprint: &Sprint) -> impl Iterator<Item = (TaskId, &'a Task)> {
    let rows = sprint
        .tasks()
        .map(|id| (id, &state.tasks.table[id.index()]));
    rows.filter(|(_, row)| !row.is_help())
}

/// What was completed after that moment, oldest first.
fn completed(state: &State, sprint: &Sprint, since: Time) -> Vec<TaskId> {
    let mut found: Vec<(Option<Time>, TaskId)> = own(state, sprint)
        .filter(|(_, row)| row.phase == Phase::Completed && row.finished > Some(since))
        .map(|(id, row)| (row.finished, id))
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .map(|(_, id)| id)
        .take(NAMED_MAX)
        .collect()
}

/// What goes on, then what can begin, in the order in which it is handed out.
fn planned(state: &State, sprint: &Sprint) -> Vec<TaskId> {
    let mut found: Vec<_> = own(state, sprint)
        .filter(|(_, row)| row.phase.is_active())
        .map(|(id, row)| {
            let waits = matches!(row.phase, Phase::Ready | Phase::Backoff(_));
            (waits, row.rank, id)
        })
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .map(|(_, _, id)| id)
        .take(NAMED_MAX)
        .collect()
}

/// What holds tasks up, oldest first.
fn blockers(state: &State, id: SprintId) -> Vec<OpenBlocker> {
    let open = state.trouble.blockers.iter();
    let open = open.filter(|blocker| blocker.resolved.is_none());
    open.filter(|blocker| state.tasks.table[blocker.task.index()].sprint == id)
        .map(|blocker| OpenBlocker {
            task_id: blocker.task,
            severity: blocker.severity,
            text: blocker.text.clone(),
        })
        .take(NAMED_MAX)
        .collect()
}

/// What became free since then, and what waits for something that does not move by itself.
fn dependencies(state: &State, sprint: &Sprint, since: Time) -> Vec<DependencyUpdate> {
    let stuck = |id: &&TaskId| {
        let phase = state.tasks.table[id.index()].phase;
        phase != Phase::Completed && (phase == Phase::Blocked || phase.is_over())
    };
    let lately = |id: &&TaskId| {
        let row = &state.tasks.table[id.index()];
        row.phase == Phase::Completed && row.finished > Some(since)
    };
    let mut found = Vec::new();
    for (id, row) in own(state, sprint) {
        let (word, on): (_, Vec<TaskId>) = match row.phase {
            Phase::Waiting => (
                "held_up",
                row.depends_on.iter().filter(stuck).copied().collect(),
            ),
            phase if !phase.is_over() => (
                "free",
                row.depends_on.iter().filter(lately).copied().collect(),
            ),
            _ => continue,
        };
        if !on.is_empty() && found.len() < NAMED_MAX {
            found.push(DependencyUpdate {
                task_id: id,
                state: word.to_owned(),
                on,
            });
        }
    }
    found
}
