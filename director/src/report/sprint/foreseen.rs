//! What was foreseen and what became of it: the risks of the plan, as the sprint was taken in with them.
//!
//! Each cites the event that it came with, those that showed that it had come true, and those of what was done then.
//!
//! Elsewhere: finding risks is [`crate::planner::risks`]; what shows one and what is done then is `engine::decide::risk`.

use director_protocols::event::Event;
use director_protocols::ids::SprintId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::state::State;
use crate::handle::Entry;

/// A risk that was foreseen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RiskReport {
    /// What it is, in a sentence.
    pub risk: String,
    /// What was foreseen for it.
    pub fallback: String,
    /// The tasks that it was found in, then those that showed it.
    pub tasks: Vec<String>,
    /// What showed that it had come true, oldest first; empty if it has not.
    pub shown: Vec<String>,
    /// What was done then: who, and what.
    pub done: Vec<String>,
    /// Positions in the journal of the events that this was computed from, in order.
    pub seqs: Vec<u64>,
}

impl RiskReport {
    /// Whether it has come true.
    pub fn came_true(&self) -> bool {
        !self.shown.is_empty()
    }

    /// All of it in a sentence, without what it cites.
    pub fn sentence(&self) -> String {
        let mut parts = vec![self.risk.clone()];
        match self.came_true() {
            false => parts.push("has not come true".to_owned()),
            true => parts.extend(self.shown.iter().cloned()),
        }
        parts.extend(self.done.iter().map(|done| format!("done by {done}")));
        parts.join("; ")
    }
}

/// The risks of a sprint, in the order of its plan.
pub(super) fn risks(state: &State, entries: &[Entry], id: SprintId) -> Vec<RiskReport> {
    let mut found: Vec<RiskReport> = Vec::new();
    for entry in entries {
        for event in &entry.events {
            match event {
                Event::SprintSubmitted(e) if e.sprint_id == id => {
                    let foreseen = e.spec.ways.start.risks.iter();
                    found = foreseen
                        .map(|risk| RiskReport {
                            risk: risk.risk.clone(),
                            fallback: risk.fallback.clone(),
                            tasks: risk.tasks.iter().map(ToString::to_string).collect(),
                            shown: Vec::new(),
                            done: Vec::new(),
                            seqs: vec![entry.seq.0],
                        })
                        .collect();
                }
                Event::RiskTriggered(e) if e.sprint_id == id => {
                    if let Some(row) = found.get_mut(e.number as usize) {
                        row.shown.push(e.trigger.clone());
                        let task = e.task_id.map(|task| state.task_name(task));
                        row.tasks
                            .extend(task.filter(|task| !row.tasks.contains(task)));
                        row.seqs.push(entry.seq.0);
                    }
                }
                Event::FallbackApplied(e) if e.sprint_id == id => {
                    if let Some(row) = found.get_mut(e.number as usize) {
                        row.done.push(format!("{}: {}", e.by, e.fallback));
                        row.seqs.push(entry.seq.0);
                    }
                }
                _ => {}
            }
        }
    }
    for risk in &mut found {
        risk.seqs.dedup();
    }
    found
}
