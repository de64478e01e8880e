//! Incidents: what each is about, the seven steps with what is missing, who is in the room, and the log.

use director_protocols::ids::IncidentId;
use director_protocols::incident::Step;
use director_protocols::severity::Severity;
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::sprint_name;
use super::paint::{Look, Paint, text_of, wrap};
use super::words::severity_look;
use super::{count, rfc3339};
use crate::engine::incidents::Incident;
use crate::engine::state::State;
use crate::report::text;

/// Incidents, oldest first.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct IncidentsView {
    /// Each with all that is known.
    pub incidents: Vec<IncidentView>,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct IncidentView {
    /// Its number, from 1.
    pub id: u32,
    /// The sprint.
    pub sprint: String,
    /// The task at which it was seen.
    pub task: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// What was found.
    pub text: String,
    /// Since when.
    pub opened: String,
    /// When it was closed.
    pub closed: Option<String>,
    /// The seven steps, in their order.
    pub steps: Vec<StepView>,
    /// Who deals with it.
    pub members: Vec<String>,
    /// What was done and said.
    pub log: Vec<LogView>,
}

/// One of the seven steps.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct StepView {
    /// Its word.
    pub step: &'static str,
    /// What is true of it; `null` while it is missing.
    pub text: Option<String>,
    /// Who filled it in.
    pub by: Option<String>,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct LogView {
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// What.
    pub text: String,
}

/// All incidents, or the one of that number.
pub fn incidents(state: &State, only: Option<IncidentId>) -> IncidentsView {
    let known = (0u32..).map(IncidentId).zip(&state.trouble.incidents);
    let wanted = known.filter(|(id, _)| only.is_none_or(|only| only == *id));
    IncidentsView {
        incidents: wanted
            .map(|(id, incident)| of(state, id, incident))
            .collect(),
    }
}

fn of(state: &State, id: IncidentId, incident: &Incident) -> IncidentView {
    let step = |step: Step| {
        let entry = incident.steps.get(&step);
        StepView {
            step: step.as_str(),
            text: entry.map(|entry| entry.text.clone()),
            by: entry.map(|entry| entry.by.clone()),
        }
    };
    IncidentView {
        id: id.0 + 1,
        sprint: sprint_name(state, incident.sprint),
        task: incident.task.map(|task| state.task_name(task)),
        severity: incident.severity,
        text: incident.text.clone(),
        opened: rfc3339(incident.opened),
        closed: incident.closed.as_ref().map(|(at, _)| rfc3339(*at)),
        steps: Step::ALL.map(step).to_vec(),
        members: incident.members.clone(),
        log: incident
            .log
            .iter()
            .map(|entry| LogView {
                at: rfc3339(entry.at),
                by: entry.by.clone(),
                text: entry.text.clone(),
            })
            .collect(),
    }
}

/// The incidents as text: one line each, or in full where there is one.
pub fn render(view: &IncidentsView, full: bool, width: usize, colour: bool) -> String {
    let paint = Paint { colour };
    if view.incidents.is_empty() {
        return "There was no incident.\n".to_owned();
    }
    let mut lines = Vec::new();
    for incident in &view.incidents {
        let missing = incident.steps.iter().filter(|step| step.text.is_none());
        let stands = match (&incident.closed, missing.count()) {
            (Some(_), _) => "closed".to_owned(),
            (None, 0) => "open, complete".to_owned(),
            (None, n) => format!("open, {} missing", count(n, "step")),
        };
        lines.push(format!(
            "{} {} {}",
            paint.on(Look::Bold, &format!("incident {}", incident.id)),
            paint.on(severity_look(incident.severity), incident.severity.as_str()),
            text::line(&format!(
                "{} ({stands}, since {})",
                incident.task.as_deref().unwrap_or(&incident.sprint),
                incident.opened
            )),
        ));
        for part in incident.text.lines().take(4) {
            lines.extend(wrap("   ", part, width));
        }
        if full {
            lines.extend(in_full(incident, width, paint));
        }
    }
    text_of(&lines)
}

fn in_full(incident: &IncidentView, width: usize, paint: Paint) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (place, (view, step)) in incident.steps.iter().zip(Step::ALL).enumerate() {
        let head = format!("{}. {}", place + 1, view.step);
        match &view.text {
            Some(words) => {
                lines.push(paint.on(Look::Bold, &head));
                lines.extend(wrap("   ", words, width));
            }
            None => {
                lines.push(paint.on(Look::Yellow, &format!("{head}: missing")));
                lines.push(paint.on(
                    Look::Dim,
                    &format!(
                        "   {}  director incident {} --step {} TEXT",
                        step.question(),
                        incident.id,
                        view.step
                    ),
                ));
            }
        }
    }
    if !incident.members.is_empty() {
        lines.push(String::new());
        lines.extend(wrap("in the room: ", &incident.members.join(", "), width));
    }
    for entry in &incident.log {
        let said = format!("{}  {}: {}", entry.at, entry.by, entry.text);
        lines.extend(wrap("   ", &said, width));
    }
    lines
}
