//! What the journal says about one sprint, counted.
//!
//! One pass over the entries. Events of agents belong to no sprint; they count while the sprint is going.
//!
//! Elsewhere: what is made of the counts is `metrics`, `lessons` and `criteria`.

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::event::Event;
use director_protocols::ids::{AgentId, Attempt, BlockerId, SprintId, TaskId};
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, GateOutcome, Verdict};

use crate::engine::clashes::Between;
use crate::engine::state::State;
use crate::handle::Entry;
use crate::view::subject;

/// One attempt at a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Try {
    /// Who made it.
    pub agent: AgentId,
    /// From its assignment.
    pub from: Time,
    /// To its end; none while it goes on.
    pub to: Option<Time>,
    /// How it ended; empty while it goes on.
    pub end: &'static str,
    /// Where the journal has its assignment, and its end.
    pub seqs: (u64, u64),
}

/// Something that held work up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hold {
    /// The task.
    pub task: TaskId,
    /// When it was raised.
    pub raised: Time,
    /// When it was resolved.
    pub resolved: Option<Time>,
    /// Where the journal has both.
    pub seqs: (u64, u64),
}

/// What all tasks of a sprint were doing at one moment; those of the backlog do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Doing {
    /// Waited for other tasks, an agent, or the next attempt.
    pub waiting: u32,
    /// Were in an agent's hands.
    pub in_hand: u32,
    /// Were reported and not yet accepted, or blocked.
    pub held: u32,
    /// Were completed.
    pub completed: u32,
    /// Were given up.
    pub dropped: u32,
}

/// Counts and times of one sprint. `seqs` are positions in the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    /// Attempts, by task.
    pub tries: BTreeMap<TaskId, Vec<Try>>,
    /// Attempts by how they ended.
    pub ends: BTreeMap<&'static str, u32>,
    /// Time from assignment to end, by agent.
    pub busy: BTreeMap<AgentId, Span>,
    /// Time from assignment to end, by task.
    pub worked: BTreeMap<TaskId, Span>,
    /// Work that gates or the repository turned down.
    pub rejections: BTreeMap<TaskId, u32>,
    /// From an agent's report to what became of it: accepted or turned down; none while it is open.
    pub judged: BTreeMap<TaskId, Vec<(Time, Option<Time>)>>,
    /// Merges that did not fit, with the files of the last.
    pub conflicts: BTreeMap<TaskId, (Vec<u64>, Vec<String>)>,
    /// Conflicts seen before the merge, by whose work.
    pub foreseen: BTreeSet<Between>,
    /// How each gate came out: passed, failed, not measured.
    pub gates: BTreeMap<String, [u32; 4]>,
    /// The last coverage that was measured, in hundredths of a percent.
    pub coverage: Option<u32>,
    /// Gate runs of whole batches: passed, failed.
    pub gate_runs: [u32; 2],
    /// Gates that failed: the tasks, and where.
    pub red: BTreeMap<String, Vec<(TaskId, u64)>>,
    /// Merges into the integration branch.
    pub merges: u32,
    /// Tasks that agents died at, and where.
    pub deaths: Vec<(TaskId, u64)>,
    /// Agents that came back after they went down while a director ran and the sprint was going.
    pub restarts: u32,
    /// Where unfinished work is kept.
    pub salvaged: Vec<(TaskId, String)>,
    /// Blockers.
    pub blockers: BTreeMap<BlockerId, Hold>,
    /// Times that a blocker went up a tier.
    pub escalations: u32,
    /// Emergencies.
    pub emergencies: u32,
    /// Roles that were lost while the sprint was going.
    pub roles_lost: Vec<String>,
    /// Reports that nobody has judged yet.
    pub unread: BTreeMap<TaskId, Time>,
    /// From an agent's report to the verdict of those who review it, or to completion where nobody does.
    pub read_in: Vec<Span>,
    /// Points and tasks left after each change.
    pub burndown: Vec<(Time, u32, u32)>,
    /// What all tasks did after each change.
    pub flow: Vec<(Time, Doing)>,
    /// Where tasks were completed.
    pub completed: BTreeMap<TaskId, u64>,
    /// What agents said about the work, and where.
    pub feedback: Vec<(TaskId, String, u64)>,
    /// What Product said of a feature that did not become a task: the feature, who, what, where.
    pub remarks: Vec<(String, String, String, u64)>,
    /// Directors that took over while it was going.
    pub takeovers: u32,
}

/// Counts what `entries` say about `sprint`.
pub(super) fn facts(state: &State, entries: &[Entry], sprint: SprintId) -> Facts {
    let mut facts = Facts::default();
    let mut open: BTreeMap<(TaskId, Attempt), usize> = BTreeMap::new();
    let mut flow = Flow::default();
    let mut down = BTreeSet::new();
    let (mut going, mut left) = (false, (0, 0));
    for entry in entries {
        for event in &entry.events {
            let about = subject(event, state);
            match (event, about.sprint) {
                (Event::EpochOpened(_), _) => {
                    // What a director stopped or lost with itself comes up with the next one: that is no restart.
                    down.clear();
                    facts.takeovers += u32::from(going);
                }
                (Event::AgentDown(e), _) => drop(down.insert(e.agent_id)),
                (Event::AgentUp(e), _) => {
                    facts.restarts += u32::from(down.remove(&e.agent_id) && going);
                }
                (Event::RoleLost(e), _) if going => facts.roles_lost.push(e.role.clone()),
                (_, Some(id)) if id == sprint => {
                    going = match event {
                        Event::SprintSubmitted(_) | Event::SprintReopened(_) => true,
                        Event::SprintEnded(_) | Event::SprintRefused(_) => false,
                        _ => going,
                    };
                    facts.lifetimes(event, entry, &mut open);
                    facts.count(event, entry.seq.0);
                    facts.burn(state, event, entry.at, &mut left);
                    flow.follow(state, sprint, event);
                }
                _ => {}
            }
        }
        if flow.changed {
            flow.changed = false;
            facts.flow.push((entry.at, flow.doing()));
        }
    }
    facts
}

impl Facts {
    /// What has a beginning and an end.
    fn lifetimes(
        &mut self,
        event: &Event,
        entry: &Entry,
        open: &mut BTreeMap<(TaskId, Attempt), usize>,
    ) {
        let (at, seq) = (entry.at, entry.seq.0);
        match event {
            Event::TaskAssigned(e) => {
                let tries = self.tries.entry(e.task_id).or_default();
                open.insert((e.task_id, e.attempt), tries.len());
                tries.push(Try {
                    agent: e.agent_id,
                    from: at,
                    to: None,
                    end: "",
                    seqs: (seq, seq),
                });
            }
            Event::FeedbackReceived(e) if e.task_id.is_none() => {
                let feature = e.feature.as_ref().map_or("", |name| name.as_str());
                let (by, text) = (e.by.clone(), e.text.clone());
                self.remarks.push((feature.to_owned(), by, text, seq));
            }
            Event::AttemptEnded(e) => {
                let place = open.remove(&(e.task_id, e.attempt));
                let tries = self.tries.entry(e.task_id).or_default();
                if let Some(row) = place.and_then(|place| tries.get_mut(place)) {
                    (row.to, row.end, row.seqs.1) = (Some(at), e.end.as_str(), seq);
                    *self.busy.entry(row.agent).or_default() += at.since(row.from);
                    *self.worked.entry(e.task_id).or_default() += at.since(row.from);
                }
                *self.ends.entry(e.end.as_str()).or_default() += 1;
                match &e.end {
                    AttemptEnd::Done(report) => {
                        let judged = self.judged.entry(e.task_id).or_default();
                        judged.push((at, None));
                        self.unread.insert(e.task_id, at);
                        if !report.feedback.trim().is_empty() {
                            let said = (e.task_id, report.feedback.clone(), seq);
                            self.feedback.push(said);
                        }
                    }
                    AttemptEnd::Died { .. } => self.deaths.push((e.task_id, seq)),
                    _ => {}
                }
            }
            Event::TaskCompleted(e) => {
                self.completed.insert(e.task_id, seq);
                self.judge(e.task_id, at);
                if let Some(since) = self.unread.remove(&e.task_id) {
                    self.read_in.push(at.since(since));
                }
            }
            Event::WorkReviewed(e) => {
                if !e.passed {
                    self.judge(e.task_id, at);
                }
                if let Some(since) = self.unread.remove(&e.task_id) {
                    self.read_in.push(at.since(since));
                }
            }
            Event::WorkRejected(e) => {
                self.judge(e.task_id, at);
            }
            Event::BlockerRaised(e) => {
                let hold = Hold {
                    task: e.task_id,
                    raised: at,
                    resolved: None,
                    seqs: (seq, seq),
                };
                self.blockers.insert(e.blocker, hold);
            }
            Event::BlockerResolved(e) => {
                if let Some(hold) = self.blockers.get_mut(&e.blocker)
                    && hold.resolved.is_none()
                {
                    (hold.resolved, hold.seqs.1) = (Some(at), seq);
                }
            }
            _ => {}
        }
    }

    /// The latest report of the task has been judged.
    fn judge(&mut self, task: TaskId, at: Time) {
        if let Some((_, until)) = self
            .judged
            .get_mut(&task)
            .and_then(|judged| judged.last_mut())
        {
            until.get_or_insert(at);
        }
    }

    fn count(&mut self, event: &Event, seq: u64) {
        match event {
            Event::WorkRejected(e) if e.counts => {
                *self.rejections.entry(e.task_id).or_default() += 1;
            }
            Event::MergeConflicted(e) => {
                for task in &e.batch {
                    let (seqs, files) = self.conflicts.entry(*task).or_default();
                    seqs.push(seq);
                    files.clone_from(&e.files);
                }
            }
            Event::ConflictForeseen(e) => {
                self.foreseen.insert((e.task_id, e.with));
            }
            Event::QualityGateStatus(e) => {
                // What nothing measured has neither passed nor failed.
                if e.outcomes.iter().any(GateOutcome::is_measured) {
                    self.gate_runs[usize::from(!e.passed)] += 1;
                }
                self.coverage = e.test_coverage.or(self.coverage);
                for outcome in &e.outcomes {
                    let place = match outcome.verdict {
                        Verdict::Passed => 0,
                        Verdict::Failed => 1,
                        Verdict::NotMeasured => 2,
                        Verdict::Overridden => 3,
                    };
                    self.gates.entry(outcome.gate.clone()).or_default()[place] += 1;
                    if outcome.verdict == Verdict::Failed {
                        let red = self.red.entry(outcome.gate.clone()).or_default();
                        red.extend(e.batch.iter().map(|task| (*task, seq)));
                    }
                }
            }
            Event::MergeCompleted(_) => self.merges += 1,
            Event::WorkSalvaged(e) if !e.saved.is_empty() => {
                self.salvaged.push((e.task_id, e.saved.clone()));
            }
            Event::BlockerEscalated(_) => self.escalations += 1,
            Event::EngineeringEmergency(_) => self.emergencies += 1,
            _ => {}
        }
    }

    fn burn(&mut self, state: &State, event: &Event, at: Time, left: &mut (u32, u32)) {
        let points = |task: TaskId| state.tasks.get(task).map_or(0, |task| task.spec.points);
        let now = match event {
            Event::SprintSubmitted(e) => {
                let points = e.spec.tasks.iter().map(|task| task.points).sum();
                (points, e.spec.tasks.len() as u32)
            }
            Event::TaskAdded(e) if !e.origin.is_help() => {
                (left.0.saturating_add(e.spec.points), left.1 + 1)
            }
            Event::TaskDeferred(e) => (
                left.0.saturating_sub(points(e.task_id)),
                left.1.saturating_sub(1),
            ),
            Event::TaskCancelled(e) if e.dropped => (
                left.0.saturating_sub(points(e.task_id)),
                left.1.saturating_sub(1),
            ),
            Event::TaskCompleted(e) => (
                left.0.saturating_sub(points(e.task_id)),
                left.1.saturating_sub(1),
            ),
            _ => return,
        };
        *left = now;
        self.burndown.push((at, now.0, now.1));
    }

    /// Attempts of a task.
    pub fn attempts(&self, task: TaskId) -> u32 {
        self.tries.get(&task).map_or(0, |tries| tries.len() as u32)
    }

    /// Attempts of all tasks.
    pub fn attempts_of_all(&self) -> u32 {
        self.tries.values().map(|tries| tries.len() as u32).sum()
    }

    /// Attempts beyond the first of each task.
    pub fn retries(&self) -> u32 {
        self.attempts_of_all()
            - self
                .tries
                .values()
                .filter(|tries| !tries.is_empty())
                .count() as u32
    }
}

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Now {
    Waiting,
    InHand,
    Held,
    Completed,
    Dropped,
    Backlog,
}

/// Follows what each task is doing.
#[derive(Default)]
struct Flow {
    tasks: BTreeMap<TaskId, Now>,
    doing: BTreeMap<u8, u32>,
    changed: bool,
}

impl Flow {
    fn set(&mut self, task: TaskId, now: Now) {
        if let Some(before) = self.tasks.insert(task, now) {
            *self.doing.entry(before as u8).or_default() -= 1;
        }
        *self.doing.entry(now as u8).or_default() += 1;
        self.changed = true;
    }

    fn follow(&mut self, state: &State, sprint: SprintId, event: &Event) {
        // What only helps another task is no work of the sprint by itself.
        let helps = |task: &TaskId| state.tasks.get(*task).is_some_and(|row| row.is_help());
        if subject(event, state).tasks.first().is_some_and(helps) {
            return;
        }
        match event {
            Event::SprintSubmitted(_) => {
                let row = state.sprints.get(sprint);
                for task in row.into_iter().flat_map(|row| row.submitted()) {
                    self.set(task, Now::Waiting);
                }
            }
            Event::TaskAdded(e) if !e.origin.is_help() => self.set(e.task_id, Now::Waiting),
            Event::WorkReviewed(e) if !e.passed => self.set(e.task_id, Now::Waiting),
            Event::TaskDeferred(e) => self.set(e.task_id, Now::Backlog),
            Event::TaskAssigned(e) => self.set(e.task_id, Now::InHand),
            Event::AttemptEnded(e) => match e.end {
                AttemptEnd::Done(_) | AttemptEnd::Blocked(_) => self.set(e.task_id, Now::Held),
                _ => self.set(e.task_id, Now::Waiting),
            },
            Event::BlockerResolved(e) => {
                let task = state.trouble.blocker(e.blocker).map(|row| row.task);
                if let Some(task) = task.filter(|task| self.tasks.get(task) == Some(&Now::Held)) {
                    self.set(task, Now::Waiting);
                }
            }
            Event::WorkRejected(e) => self.set(e.task_id, Now::Waiting),
            Event::TaskCompleted(e) => self.set(e.task_id, Now::Completed),
            Event::TaskFailed(e) => self.set(e.task_id, Now::Dropped),
            Event::TaskQuarantined(e) => self.set(e.task_id, Now::Dropped),
            Event::TaskCancelled(e) => self.set(e.task_id, Now::Dropped),
            Event::TaskRetried(e) => self.set(e.task_id, Now::Waiting),
            _ => {}
        }
    }

    fn doing(&self) -> Doing {
        let number = |now: Now| self.doing.get(&(now as u8)).copied().unwrap_or(0);
        Doing {
            waiting: number(Now::Waiting),
            in_hand: number(Now::InHand),
            held: number(Now::Held),
            completed: number(Now::Completed),
            dropped: number(Now::Dropped),
        }
    }
}
