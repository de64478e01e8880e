//! What is seen of one run: when tasks began and ended, who waited, what went wrong, what the end hung on.
//!
//! The chain that decided the end is found backwards: a task began when it did because the last task that it depended on
//! was completed at that moment, or because its agent came free from another one. So the chain also goes through
//! agents, of whom there are few, and not only along dependencies.
//!
//! Elsewhere: adding runs up is `sums`.

use director_protocols::event::{Event, Outcome};
use director_protocols::ids::{SprintId, TaskId};
use director_protocols::inbox::InboxKind;
use director_protocols::severity::Severity;
use director_protocols::time::Time;
use director_protocols::work::AttemptEnd;

use super::prepare::Prepared;
use crate::engine::state::State;
use crate::engine::tasks::Phase;

/// How much work a task is in a run, as one of its own possibilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quarter {
    /// In the shortest quarter.
    Shortest,
    /// In the longest quarter.
    Longest,
    /// Between them.
    #[default]
    Middle,
}

/// A task in one run.
#[derive(Clone, Copy, Debug, Default)]
pub struct TaskSeen {
    /// How much work it was, in milliseconds.
    pub work: u64,
    /// Since when it could have been given to an agent.
    ready: u64,
    /// When an agent first had it.
    pub began: Option<u64>,
    /// When it was completed.
    pub done: Option<u64>,
    /// Time in agents' hands.
    pub busy: u64,
    /// Time it waited for an agent, over all attempts.
    pub waited: u64,
    /// Attempts.
    pub attempts: u32,
    /// It was given up.
    pub lost: bool,
    /// On the chain that decided the end.
    pub critical: bool,
    /// Whether its work is in the shortest quarter of what it may be, the longest, or neither.
    pub quarter: Quarter,
    unlocked_by: Option<TaskId>,
    /// What it waited for last before it began.
    cause: Option<TaskId>,
}

/// A role in one run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoleSeen {
    /// Time of its agents with a task in hand.
    pub busy: u64,
    /// Time that tasks waited for one of them.
    pub waited: u64,
    /// How often one of them was given a task.
    pub starts: u32,
}

/// What went wrong, by kind.
pub const TROUBLES: [&str; 9] = [
    "failed",
    "timed_out",
    "died",
    "blocked",
    "rejected",
    "conflicts",
    "gave_up",
    "quarantined",
    "cancelled",
];

/// All that is seen of one run.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// By task.
    pub tasks: Vec<TaskSeen>,
    /// By role.
    pub roles: Vec<RoleSeen>,
    /// In the order of [`TROUBLES`].
    pub troubles: [u32; 9],
    /// Blockers that reached each tier.
    pub tiers: [u32; 4],
    /// Points completed, and those completed in time.
    pub points: u32,
    /// Points completed before the deadline; all of them without one.
    pub points_in_time: u32,
    /// When the sprint ended, from the begin of the run, and how.
    pub ended: Option<(u64, Outcome)>,
    /// It was refused; why.
    pub refused: Option<String>,
    /// When a person was first asked for more money, from the begin of the run.
    pub asked: Option<u64>,
    /// The task that was completed last.
    last: Option<TaskId>,
    since: Vec<u64>,
    freed: Vec<Option<TaskId>>,
    /// The moment of the end of the sprint's last day.
    deadline: Option<u64>,
    /// When the runs begin.
    begin: u64,
    sprint: SprintId,
    /// By task: where the shortest quarter of its work ends, and where the longest begins.
    quarters: Vec<(u64, u64)>,
    /// By task: what is true of it when the runs begin.
    before: Vec<TaskSeen>,
    /// Points that are completed when the runs begin.
    points_before: u32,
    /// Whether somebody is asked for money already.
    asks_before: bool,
}

impl Watch {
    /// For runs of `set`.
    pub fn new(set: &Prepared) -> Self {
        let state = set.engine.state();
        let team = &state.team;
        let begin = set.begin.0;
        let rows = (0..).zip(&state.tasks.table);
        Self {
            tasks: vec![TaskSeen::default(); set.tasks.len()],
            roles: vec![RoleSeen::default(); team.roles.len()],
            since: vec![begin; team.agents.len()],
            freed: vec![None; team.agents.len()],
            deadline: set.deadline.map(|span| begin + span.0),
            begin,
            sprint: set.sprint,
            quarters: (0..set.tasks.len() as u32)
                .map(|task| (set.work_at(task, 1 << 62), set.work_at(task, 3 << 62)))
                .collect(),
            before: rows
                .map(|(place, row)| match set.standing.get(place) {
                    None => TaskSeen::default(),
                    Some(_) => TaskSeen {
                        ready: begin,
                        began: row.began.map(|at| at.0),
                        done: row
                            .finished
                            .filter(|_| row.phase == Phase::Completed)
                            .map(|at| at.0),
                        lost: matches!(row.phase, Phase::Failed | Phase::Quarantined),
                        ..TaskSeen::default()
                    },
                })
                .collect(),
            points_before: match set.standing.is_empty() {
                true => 0,
                false => state.tasks.tally(set.sprint).completed_points,
            },
            asks_before: state
                .trouble
                .waiting()
                .any(|(_, item)| item.kind == InboxKind::Budget),
            ..Self::default()
        }
    }

    /// Forgets the last run.
    pub fn reset(&mut self) {
        self.tasks.clone_from(&self.before);
        self.roles.fill(RoleSeen::default());
        self.since.fill(self.begin);
        self.freed.fill(None);
        self.troubles = [0; 9];
        self.tiers = [0; 4];
        (self.points, self.points_in_time) = (self.points_before, self.points_before);
        (self.ended, self.refused, self.last) = (None, None, None);
        self.asked = self.asks_before.then_some(0);
    }

    /// So much work is the task in this run, in milliseconds.
    pub fn has_work(&mut self, task: usize, work: u64) {
        let (short, long) = self.quarters[task];
        self.tasks[task].work = work;
        self.tasks[task].quarter = match () {
            () if work <= short && short < long => Quarter::Shortest,
            () if work >= long && short < long => Quarter::Longest,
            () => Quarter::Middle,
        };
    }

    /// A task comes to the sprint.
    pub fn add(&mut self, work: u64, now: Time) {
        self.tasks.push(TaskSeen {
            work,
            ready: now.0,
            ..TaskSeen::default()
        });
    }

    /// How much work the task is in this run, in milliseconds.
    pub fn work(&self, task: TaskId) -> u64 {
        self.tasks[task.index()].work
    }

    /// Whether nothing more is to be seen.
    pub fn is_over(&self) -> bool {
        self.ended.is_some() || self.refused.is_some()
    }

    /// The completed work's time from the first assignment to completion, and whether all that was committed is done.
    pub fn is_done(&self) -> bool {
        matches!(self.ended, Some((_, Outcome::Done)))
    }

    /// Takes one event in, in the state after it.
    pub fn see(&mut self, state: &State, event: &Event, now: Time) {
        let now = now.0;
        match event {
            Event::TaskAssigned(e) => {
                let agent = e.agent_id;
                let role = state.team.agents[agent.index()].role;
                let freed = self.freed[agent.index()];
                let task = &mut self.tasks[e.task_id.index()];
                let waited = now - task.ready;
                task.waited += waited;
                task.attempts += 1;
                if task.began.is_none() {
                    task.began = Some(now);
                    task.cause = if waited == 0 {
                        task.unlocked_by
                    } else {
                        freed.or(task.unlocked_by)
                    };
                }
                let role = &mut self.roles[role.index()];
                role.waited += waited;
                role.starts += 1;
                self.since[agent.index()] = now;
            }
            Event::AttemptEnded(e) => {
                let spent = now - self.since[e.agent_id.index()];
                self.freed[e.agent_id.index()] = Some(e.task_id);
                let role = state.team.agents[e.agent_id.index()].role;
                self.roles[role.index()].busy += spent;
                let task = &mut self.tasks[e.task_id.index()];
                task.busy += spent;
                task.ready = now;
                match e.end {
                    AttemptEnd::Failed { .. } => self.troubles[0] += 1,
                    AttemptEnd::TimedOut { .. } => self.troubles[1] += 1,
                    AttemptEnd::Died { .. } => self.troubles[2] += 1,
                    AttemptEnd::Blocked(_) => self.troubles[3] += 1,
                    AttemptEnd::Done(_)
                    | AttemptEnd::BudgetReached
                    | AttemptEnd::Cancelled
                    | AttemptEnd::Interrupted
                    | AttemptEnd::Limited { .. } => {}
                }
            }
            Event::SprintInitialized(e) if e.sprint_id == self.sprint => self.all_ready(now),
            Event::TaskCompleted(e) => {
                let row = &state.tasks.table[e.task_id.index()];
                self.tasks[e.task_id.index()].done = Some(now);
                if row.sprint == self.sprint {
                    self.points += row.spec.points;
                    if self.deadline.is_none_or(|deadline| now <= deadline) {
                        self.points_in_time += row.spec.points;
                    }
                    self.last = Some(e.task_id);
                }
                for dependent in row.dependents.iter() {
                    let task = &mut self.tasks[dependent.index()];
                    (task.unlocked_by, task.ready) = (Some(e.task_id), now);
                }
            }
            Event::WorkRejected(e) => {
                self.troubles[4] += u32::from(e.counts);
                self.tasks[e.task_id.index()].ready = now;
            }
            Event::MergeConflicted(_) => self.troubles[5] += 1,
            Event::TaskFailed(e) => {
                self.troubles[6] += 1;
                self.tasks[e.task_id.index()].lost = true;
            }
            Event::TaskQuarantined(e) => {
                self.troubles[7] += 1;
                self.tasks[e.task_id.index()].lost = true;
            }
            Event::TaskCancelled(_) => self.troubles[8] += 1,
            Event::RetryDue(e) => self.tasks[e.task_id.index()].ready = now,
            Event::WorkSalvaged(e) => self.tasks[e.task_id.index()].ready = now,
            Event::BlockerResolved(e) => {
                let task = state.trouble.blockers[e.blocker.index()].task;
                // Low and medium ones are resolved by the assignment itself.
                if state.tasks.table[task.index()].phase == Phase::Ready {
                    self.tasks[task.index()].ready = now;
                }
            }
            Event::InboxOpened(e) if e.kind == InboxKind::Budget => {
                self.asked.get_or_insert(now - self.begin);
            }
            Event::BlockerRaised(e) => self.tiers[tier(e.severity)] += 1,
            Event::BlockerEscalated(e) => self.tiers[tier(e.to)] += 1,
            Event::SprintEnded(e) if e.sprint_id == self.sprint => {
                self.ended = Some((now - self.begin, e.outcome));
                self.walk_back();
            }
            Event::SprintRefused(e) if e.sprint_id == self.sprint => {
                self.refused = Some(e.reason.clone());
            }
            _ => {}
        }
    }

    fn all_ready(&mut self, now: u64) {
        for task in &mut self.tasks {
            task.ready = now;
        }
    }

    fn walk_back(&mut self) {
        let mut next = self.last;
        // A cause began before what it caused; a retry could only lead back to a task that was seen.
        while let Some(id) = next {
            let task = &mut self.tasks[id.index()];
            if task.critical {
                break;
            }
            task.critical = true;
            next = task.cause;
        }
    }
}

fn tier(severity: Severity) -> usize {
    match severity {
        Severity::Low => 0,
        Severity::Medium => 1,
        Severity::High => 2,
        Severity::Critical => 3,
    }
}
