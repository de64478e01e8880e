//! What the journal says about one sprint, counted.
//!
//! One pass over the entries. Events of agents belong to no sprint; they count while the sprint is going.
//!
//! Elsewhere: what is made of the counts is `metrics`, `lessons` and `criteria`.

use std::collections::BTreeMap;

use director_protocols::event::Event;
use director_protocols::ids::{AgentId, Attempt, BlockerId, SprintId, TaskId};
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, Verdict};

use crate::engine::state::State;
use crate::handle::Entry;
use crate::view::subject;

/// Counts and times of one sprint.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    /// Assignments, by task.
    pub attempts: BTreeMap<TaskId, u32>,
    /// Attempts by how they ended.
    pub ends: BTreeMap<&'static str, u32>,
    /// Time from assignment to end, by agent.
    pub busy: BTreeMap<AgentId, Span>,
    /// Time from assignment to end, by task.
    pub worked: BTreeMap<TaskId, Span>,
    /// Work that gates or the repository turned down.
    pub rejections: BTreeMap<TaskId, u32>,
    /// Merges that did not fit, with the files of the last.
    pub conflicts: BTreeMap<TaskId, (u32, Vec<String>)>,
    /// How each gate came out: passed, failed, not measured.
    pub gates: BTreeMap<String, [u32; 4]>,
    /// The last coverage that was measured, in hundredths of a percent.
    pub coverage: Option<u32>,
    /// Gate runs of whole batches: passed, failed.
    pub gate_runs: [u32; 2],
    /// Gates that failed, by task.
    pub red: BTreeMap<TaskId, Vec<String>>,
    /// Merges into the integration branch.
    pub merges: u32,
    /// Agents that died with a task in hand, and how.
    pub deaths: Vec<(AgentId, Option<TaskId>, String)>,
    /// Incarnations that ended while the sprint was going.
    pub restarts: u32,
    /// Where unfinished work is kept.
    pub salvaged: Vec<(TaskId, String)>,
    /// Blockers: raised, resolved.
    pub blockers: BTreeMap<BlockerId, (Time, Option<Time>)>,
    /// Times that a blocker went up a tier.
    pub escalations: u32,
    /// Emergencies.
    pub emergencies: u32,
    /// Roles that were lost while the sprint was going.
    pub roles_lost: Vec<String>,
    /// From an agent's report to the task's completion, by task.
    pub accepted_in: Vec<Span>,
    /// Points and tasks left after each change.
    pub burndown: Vec<(Time, u32, u32)>,
    /// What agents said about the work.
    pub feedback: Vec<(TaskId, String)>,
    /// Directors that took over while it was going.
    pub takeovers: u32,
}

/// Counts what `entries` say about `sprint`.
pub(super) fn facts(state: &State, entries: &[Entry], sprint: SprintId) -> Facts {
    let mut facts = Facts::default();
    let mut open: BTreeMap<(TaskId, Attempt), (AgentId, Time)> = BTreeMap::new();
    let mut reported: BTreeMap<TaskId, Time> = BTreeMap::new();
    let (mut going, mut left) = (false, (0, 0));
    for entry in entries {
        for event in &entry.events {
            let about = subject(event, state);
            match (event, about.sprint) {
                (Event::EpochOpened(_), _) if going => facts.takeovers += 1,
                (Event::AgentDown(_), _) if going => facts.restarts += 1,
                (Event::RoleLost(e), _) if going => facts.roles_lost.push(e.role.clone()),
                (_, Some(id)) if id == sprint => {
                    going = match event {
                        Event::SprintSubmitted(_) | Event::SprintReopened(_) => true,
                        Event::SprintEnded(_) | Event::SprintRefused(_) => false,
                        _ => going,
                    };
                    facts.lifetimes(event, entry.at, &mut open, &mut reported);
                    facts.count(event, entry.at);
                    facts.burn(state, event, entry.at, &mut left);
                }
                _ => {}
            }
        }
    }
    facts
}

impl Facts {
    /// What has a beginning and an end.
    fn lifetimes(
        &mut self,
        event: &Event,
        at: Time,
        open: &mut BTreeMap<(TaskId, Attempt), (AgentId, Time)>,
        reported: &mut BTreeMap<TaskId, Time>,
    ) {
        match event {
            Event::TaskAssigned(e) => {
                *self.attempts.entry(e.task_id).or_default() += 1;
                open.insert((e.task_id, e.attempt), (e.agent_id, at));
            }
            Event::AttemptEnded(e) => {
                if let Some((agent, since)) = open.remove(&(e.task_id, e.attempt)) {
                    *self.busy.entry(agent).or_default() += at.since(since);
                    *self.worked.entry(e.task_id).or_default() += at.since(since);
                }
                *self.ends.entry(e.end.as_str()).or_default() += 1;
                match &e.end {
                    AttemptEnd::Done(report) => {
                        reported.insert(e.task_id, at);
                        if !report.feedback.trim().is_empty() {
                            self.feedback.push((e.task_id, report.feedback.clone()));
                        }
                    }
                    AttemptEnd::Died { reason } => {
                        self.deaths
                            .push((e.agent_id, Some(e.task_id), reason.clone()));
                    }
                    _ => {}
                }
            }
            Event::TaskCompleted(e) => {
                if let Some(since) = reported.remove(&e.task_id) {
                    self.accepted_in.push(at.since(since));
                }
            }
            Event::BlockerRaised(e) => {
                self.blockers.insert(e.blocker, (at, None));
            }
            Event::BlockerResolved(e) => {
                if let Some((_, resolved)) = self.blockers.get_mut(&e.blocker) {
                    resolved.get_or_insert(at);
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, event: &Event, _at: Time) {
        match event {
            Event::WorkRejected(e) if e.counts => {
                *self.rejections.entry(e.task_id).or_default() += 1;
            }
            Event::MergeConflicted(e) => {
                for task in &e.batch {
                    let (times, files) = self.conflicts.entry(*task).or_default();
                    *times += 1;
                    files.clone_from(&e.files);
                }
            }
            Event::QualityGateStatus(e) => {
                self.gate_runs[usize::from(!e.passed)] += 1;
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
                        for task in &e.batch {
                            let red = self.red.entry(*task).or_default();
                            red.push(outcome.gate.clone());
                        }
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
            Event::TaskCompleted(e) => (
                left.0.saturating_sub(points(e.task_id)),
                left.1.saturating_sub(1),
            ),
            _ => return,
        };
        *left = now;
        self.burndown.push((at, now.0, now.1));
    }

    /// Attempts beyond the first of each task.
    pub fn retries(&self) -> u32 {
        self.attempts.values().map(|n| n.saturating_sub(1)).sum()
    }
}
