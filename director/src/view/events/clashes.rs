//! What happened between branches, in sentences.

use director_protocols::event::Event;

use super::super::words::{some, task_names};
use crate::engine::decide::clash::in_files;
use crate::engine::state::State;

/// The sentence of an event about a conflict seen early; nothing for any other.
pub(super) fn sentence(event: &Event, state: &State) -> String {
    let task = |id| state.task_name(id);
    match event {
        Event::ConflictForeseen(e) => {
            let with = match e.with {
                Some(with) => format!("{}, which is under way too", task(with)),
                None if e.merged.is_empty() => "what was merged since it began".to_owned(),
                None => format!("{}, merged since", some(&task_names(state, &e.merged), 3)),
            };
            let files = in_files(&e.files);
            format!("{} would conflict with {with}, in {files}", task(e.task_id))
        }
        Event::ConflictOver(e) => {
            let with = e.with.map_or_else(|| "what was merged".to_owned(), task);
            let (one, why) = (task(e.task_id), &e.reason);
            format!("{one} and {with} are in conflict no more: {why}")
        }
        Event::AgentTold(e) => {
            let (agent, name) = (state.agent_name(e.to), task(e.task_id));
            // What it means is for the agent.
            let what = e.text.split_once(". ").map_or(&*e.text, |(what, _)| what);
            format!("{agent} is told about {name}: {what}")
        }
        _ => String::new(),
    }
}
