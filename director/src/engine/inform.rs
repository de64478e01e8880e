//! Informing: which stakeholders are told of an event, and the order that tells one.
//!
//! Each telling is an effect of its own, so it survives a kill; it is at least once, and its key tells a repeat.

use director_protocols::event::Event;
use director_protocols::ids::SprintId;
use director_protocols::ways::Stakeholder;

use super::effects::Effect;
use super::state::State;
use crate::view;

/// Something to tell somebody outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The sprint's name.
    pub sprint: String,
    /// Who is told, and how.
    pub to: Stakeholder,
    /// The event's name.
    pub about: String,
    /// The event as programs get it: one JSON object.
    pub line: String,
}

/// The stakeholders who are told of `event` by a command or a webhook.
pub fn informs(state: &State, event: &Event) -> Vec<Effect> {
    if !state.sprints.listening || matches!(event, Event::StakeholderInformed(_)) {
        return Vec::new();
    }
    let Some(sprint) = view::subject(event, state).sprint else {
        return Vec::new();
    };
    let told = &state.sprints.table[sprint.index()].spec.ways.stakeholders;
    (0u32..)
        .zip(told)
        .filter(|(_, who)| (who.run.is_some() || who.webhook.is_some()) && who.wants(event.name()))
        .map(|(stakeholder, _)| Effect::Inform {
            sprint,
            stakeholder,
            event: Box::new(event.clone()),
        })
        .collect()
}

/// The notice in full.
pub fn notice(state: &State, sprint: SprintId, stakeholder: u32, event: &Event) -> Option<Notice> {
    let spec = &state.sprints.get(sprint)?.spec;
    Some(Notice {
        sprint: spec.id.to_string(),
        to: spec.ways.stakeholders.get(stakeholder as usize)?.clone(),
        about: event.name().to_owned(),
        line: view::event_object(event, state).to_string(),
    })
}
