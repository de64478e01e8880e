//! Judging: gates that an agent or a person decides, between an attempt's commit and its merge.
//!
//! While a task is [`Phase::Reviewing`], each of its judged gates has been asked or has said something; when all have,
//! the work goes on or goes back.
//!
//! Invariant: a gate that is asked has help that is not over, or an open inbox item.
//! Elsewhere: the rules are `decide::review`; gates that commands measure are the gatekeeper's.

use director_protocols::event::{GateJudged, GateOverridden, WorkReviewed};
use director_protocols::ids::{InboxId, Name, TaskId};
use director_protocols::time::Time;
use director_protocols::work::{GateOutcome, Verdict};
use serde::Serialize;

use super::state::State;
use super::tasks::Phase;

/// How one judged gate stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Judging {
    /// An agent has been asked.
    Agent,
    /// A person has been asked.
    Person(InboxId),
    /// What came out.
    Said(GateOutcome),
}

/// A gate that a person overrode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Override {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An outcome that nobody ran a command for.
pub fn outcome(gate: &str, verdict: Verdict, evidence: String) -> GateOutcome {
    GateOutcome {
        gate: gate.to_owned(),
        verdict,
        evidence,
        exit_code: None,
        took: Default::default(),
        tail: String::new(),
        measured: None,
    }
}

impl State {
    /// An agent is asked; the work waits for the verdict.
    pub(super) fn judge_asked(&mut self, task: TaskId, gate: &Name, now: Time) {
        self.await_verdict(task, gate, Judging::Agent, now);
    }

    /// A person is asked.
    pub(super) fn person_asked(&mut self, task: TaskId, gate: &Name, item: InboxId, now: Time) {
        self.await_verdict(task, gate, Judging::Person(item), now);
    }

    fn await_verdict(&mut self, task: TaskId, gate: &Name, how: Judging, now: Time) {
        self.tasks.story(task).judged.insert(gate.clone(), how);
        if matches!(
            self.tasks.table[task.index()].phase,
            Phase::Queued | Phase::Reported
        ) {
            let sprint = self.tasks.table[task.index()].sprint;
            self.sprints.table[sprint.index()]
                .queue
                .retain(|queued| *queued != task);
            self.move_to(task, Phase::Reviewing, now);
        }
    }

    /// A judge has spoken.
    pub(super) fn gate_judged(&mut self, e: &GateJudged, now: Time) {
        if let Some(help) = e.help {
            self.help_ended(help, now);
        }
        let said = outcome(e.gate.as_str(), e.verdict, format!("judged by {}", e.by));
        let said = GateOutcome {
            tail: e.findings.clone(),
            ..said
        };
        let story = self.tasks.story(e.task_id);
        story.judged.insert(e.gate.clone(), Judging::Said(said));
    }

    /// A person overrides a gate of a task; a judge who is asked need not answer any more.
    pub(super) fn gate_overridden(&mut self, e: &GateOverridden) {
        let story = self.tasks.story(e.task_id);
        let known = Override {
            by: e.by.clone(),
            reason: e.reason.clone(),
        };
        if let Some(judging) = story.judged.get_mut(&e.gate) {
            *judging = Judging::Said(known.outcome(e.gate.as_str()));
        }
        story.overridden.insert(e.gate.clone(), known);
    }

    /// All judges have spoken: the work goes on, or is about to be sent back.
    pub(super) fn work_reviewed(&mut self, e: &WorkReviewed, now: Time) {
        if !e.passed {
            self.tasks.story(e.task_id).rounds += 1;
            return;
        }
        let sprint = self.tasks.table[e.task_id.index()].sprint;
        if self.has_repo(e.task_id) {
            self.move_to(e.task_id, Phase::Queued, now);
            self.sprints.table[sprint.index()]
                .queue
                .push_back(e.task_id);
        } else {
            self.move_to(e.task_id, Phase::Reported, now);
        }
    }
}

impl Override {
    /// The outcome that stands for the gate's own.
    pub fn outcome(&self, gate: &str) -> GateOutcome {
        let evidence = format!("overridden by {}: {}", self.by, self.reason);
        outcome(gate, Verdict::Overridden, evidence)
    }
}
