//! Incidents: their seven steps, their log, and who is in the room.
//!
//! Invariant: a closed incident has all seven steps.
//! Elsewhere: when one is opened is `decide::emergency` and the integrator's word; filling it is `decide::incident`.

use std::collections::BTreeMap;

use director_protocols::event::{IncidentNoted, IncidentOpened, IncidentStepFilled};
use director_protocols::ids::{BlockerId, SprintId, TaskId};
use director_protocols::incident::Step;
use director_protocols::severity::Severity;
use director_protocols::time::Time;
use serde::Serialize;

use super::state::State;

/// What somebody wrote, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When.
    pub at: Time,
    /// Who.
    pub by: String,
    /// What.
    pub text: String,
}

/// One incident.
#[derive(Clone, Debug, Serialize)]
pub struct Incident {
    /// The sprint.
    pub sprint: SprintId,
    /// The task at which it was seen.
    pub task: Option<TaskId>,
    /// The blocker behind it.
    pub blocker: Option<BlockerId>,
    /// How bad.
    pub severity: Severity,
    /// What was found.
    pub text: String,
    /// When.
    pub opened: Time,
    /// Who deals with it: agents and people, by name.
    pub members: Vec<String>,
    /// What is filled in.
    pub steps: BTreeMap<Step, Entry>,
    /// What was done and said, oldest first.
    pub log: Vec<Entry>,
    /// When and by whom it was closed.
    pub closed: Option<(Time, String)>,
}

impl State {
    /// A step of an incident is filled in.
    pub(super) fn step_filled(&mut self, e: &IncidentStepFilled, now: Time) {
        let entry = Entry {
            at: now,
            by: e.by.clone(),
            text: e.text.clone(),
        };
        let incident = &mut self.trouble.incidents[e.incident.index()];
        incident.steps.insert(e.step, entry);
    }

    /// Something is written into the log of an incident.
    pub(super) fn incident_noted(&mut self, e: &IncidentNoted, now: Time) {
        let entry = Entry {
            at: now,
            by: e.by.clone(),
            text: e.text.clone(),
        };
        self.trouble.incidents[e.incident.index()].log.push(entry);
    }
}

impl Incident {
    /// What is opened with that event.
    pub fn of(e: &IncidentOpened, now: Time) -> Self {
        Self {
            sprint: e.sprint_id,
            task: e.task_id,
            blocker: e.blocker,
            severity: e.severity,
            text: e.text.clone(),
            opened: now,
            members: e.members.clone(),
            steps: BTreeMap::new(),
            log: Vec::new(),
            closed: None,
        }
    }

    /// The steps that are not filled in.
    pub fn missing(&self) -> Vec<Step> {
        let filled = |step: &Step| self.steps.contains_key(step);
        Step::ALL.into_iter().filter(|step| !filled(step)).collect()
    }
}
